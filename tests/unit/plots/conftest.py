"""Reports and predictions of a small set held in memory."""

import numpy as np
import pytest

from vadbench import Clip, MemoryDataset, Prediction, Truth, evaluate

SHAPE = (6, 12, 16)


def small_truths():
    masks = np.zeros(SHAPE, dtype=bool)
    masks[1:4, 2:7, 3:8] = True
    masks[2, 2:9, 3:9] = True
    return {"01": Truth.from_arrays(masks), "02": Truth.from_arrays(np.zeros(SHAPE, dtype=bool))}


class FramedDataset(MemoryDataset):
    """Truth in memory, and frames that show the number of the frame as their grey level."""

    def __init__(self, truths):
        super().__init__(truths)
        frames = [np.full(SHAPE[1:], 40 + 10 * index, dtype=np.uint8) for index in range(SHAPE[0])]
        self.clips = tuple(Clip(clip.id, *SHAPE, frame_reader=lambda: iter(frames)) for clip in self.clips)


@pytest.fixture
def dataset():
    return FramedDataset(small_truths())


def predictions_of(seed, signal):
    rng = np.random.default_rng(seed)
    return {
        clip_id: Prediction(
            score_maps=(rng.integers(0, 100, SHAPE) + signal * truth.masks()).astype(np.uint16),
        )
        for clip_id, truth in small_truths().items()
    }


@pytest.fixture
def predictions():
    return predictions_of(0, 60)


@pytest.fixture
def reports(dataset, predictions):
    return {
        "good": evaluate(predictions, dataset, threshold=120),
        "poor": evaluate(predictions_of(1, 5), dataset),
    }
