"""The same bits whatever the blocks, the workers and the width of an integer; counts that say what entered."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vadbench import Detections, MemoryDataset, Prediction, Protocol, Track, Truth, evaluate, metrics
from vadbench.errors import DataError, SubmissionError, UsageError
from vadbench.evaluation.clip import ClipTask
from vadbench.evaluation.predictions import MemoryPredictions
from vadbench.evaluation.sources import choose_sources
from vadbench.metrics.objects import regions_needed
from vadbench.prediction import PredictionKind, ScoreMaps
from vadbench.protocol.protocol import ObjectProtocol, PixelProtocol

BIG = 2**53


class Blocks(ScoreMaps):
    """Score maps that come in blocks of a given length."""

    def __init__(self, scores: np.ndarray, length: int) -> None:
        self.scores, self.length = scores, length
        self.shape, self.dtype = scores.shape, scores.dtype

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        for start in range(0, len(self.scores), self.length):
            yield start, self.scores[start : start + self.length]


@pytest.mark.parametrize("seed", range(30))
def test_the_length_of_blocks_changes_no_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random((40, 12, 12)) > 0.7
    scores = rng.integers(0, 20, truth.shape).astype(np.uint8)
    dataset = MemoryDataset({"a": Truth.from_arrays(truth)})
    reports = [
        evaluate({"a": Prediction(score_maps=Blocks(scores, n))}, dataset, "standard+pixel.connectivity=4")
        for n in (1, 8, 40)
    ]
    assert len({report.to_json(run=False) for report in reports}) == 1


def scene(seed: int) -> tuple[MemoryDataset, dict[str, Prediction]]:
    """Detections with few levels of scores, some on regions, some beside them."""
    rng = np.random.default_rng(seed)
    frames = int(rng.integers(3, 50))
    box = np.array([10, 10, 20, 20])
    track = Track("0", np.arange(frames), np.tile(box, (frames, 1)))
    n = int(rng.integers(1, 60))
    shifted = box + 40 * rng.integers(0, 2, (n, 1))
    found = Detections(np.sort(rng.integers(0, frames, n)), shifted, rng.integers(0, 4, n) / 7)
    truth = Truth.from_arrays(shape=(frames, 80, 80), labels=np.ones(frames), tracks=[track])
    return MemoryDataset({"a": truth}), {"a": Prediction(detections=found)}


@pytest.mark.parametrize("seed", range(200))
def test_a_value_never_leaves_its_own_order_bounds(seed: int) -> None:
    dataset, predictions = scene(seed)
    report = evaluate(predictions, dataset, "aed-2021", ["rbdc", "tbdc"])
    for score in report.scores.values():
        if score.order_bounds is not None:
            assert score.order_bounds[0] <= score.value <= score.order_bounds[1]


def test_a_perfect_detector_has_rbdc_1_whatever_follows() -> None:
    frames = 47
    track = Track("0", np.arange(frames), np.tile([10, 10, 20, 20], (frames, 1)))
    hits = np.tile([10, 10, 20, 20], (frames, 1))
    false = np.tile([50, 50, 60, 60], (frames, 1))
    found = Detections(
        np.tile(np.arange(frames), 2),
        np.concatenate([hits, false]),
        np.concatenate([np.ones(frames), np.linspace(0.1, 0.9, frames)]),
    )
    assert metrics.rbdc(found, [track], frames=frames).area == 1.0
    assert metrics.tbdc(found, [track], frames=frames, ties="sequential").area == 1.0


def test_integers_beyond_2_to_the_53_keep_their_order_in_frame_scores() -> None:
    truth = Truth.from_arrays(shape=(2, 8, 8), labels=[0, 1], tracks=())
    dataset = MemoryDataset({"a": truth})
    scores = np.array([BIG, BIG + 1])
    boxes = [[0, 0, 2, 2]] * 2
    by_detection = {"a": Prediction(detections=Detections([0, 1], boxes, scores))}
    by_frame = {"a": Prediction(frame_scores=scores)}
    assert evaluate(by_detection, dataset).value("frame_auroc_micro") == 1.0
    for clip_scaling in ("none", "min-max"):
        protocol = f"standard+frame.clip_scaling={clip_scaling}"
        for predictions in (by_detection, by_frame):
            assert evaluate(predictions, dataset, protocol, "frame_auroc_micro").value("frame_auroc_micro") == 1.0


def test_scaling_survives_the_largest_floats() -> None:
    dataset = MemoryDataset({"a": Truth.from_arrays(shape=(3, 8, 8), labels=[0, 0, 1])})
    predictions = {"a": Prediction(frame_scores=np.array([-1.7e308, 0.0, 1.7e308]))}
    protocol = "standard+frame.clip_scaling=min-max"
    assert evaluate(predictions, dataset, protocol, "frame_auroc_micro").value("frame_auroc_micro") == 1.0


@pytest.mark.parametrize("pooling", ["clip-mean", "frame-mean"])
def test_clips_that_a_mean_leaves_out_are_not_counted(pooling: str) -> None:
    masks = np.zeros((3, 4, 4), dtype=bool)
    empty = Truth.from_arrays(masks.copy())
    masks[1, 1, 1] = True
    dataset = MemoryDataset({"a": Truth.from_arrays(masks), "b": empty})
    scores = np.random.default_rng(0).random(masks.shape)
    predictions = {name: Prediction(score_maps=scores) for name in "ab"}
    report = evaluate(predictions, dataset, f"standard+pixel.pooling={pooling}", ["pixel_ap"])
    assert report.scores["pixel_ap"].clips == 1


def test_plain_strings_in_a_group_are_the_choices() -> None:
    protocol = Protocol(pixel=PixelProtocol(pooling="frame-mean"), object=ObjectProtocol(ties="sequential"))
    assert protocol == Protocol.parse("standard+pixel.pooling=frame-mean+object.ties=sequential")
    assert protocol.pixel.pooling is Protocol.parse("standard+pixel.pooling=frame-mean").pixel.pooling


@given(st.integers(1, 10_000), st.floats(1e-300, 1e300))
def test_regions_needed_is_the_least_count_that_reaches_the_share(size: int, fraction: float) -> None:
    needed = int(regions_needed(np.array([size]), fraction)[0])
    assert needed == size + 1 or needed / size >= fraction
    assert needed == 1 or (needed - 1) / size < fraction


def test_a_worker_gets_its_own_clip_alone() -> None:
    scores = np.zeros((2, 50, 50))
    truths = {str(k): Truth.from_arrays(scores) for k in range(20)}
    dataset = MemoryDataset(truths)
    predictions = MemoryPredictions({key: Prediction(score_maps=scores) for key in truths})
    protocol = Protocol()
    sources = choose_sources([PredictionKind.SCORE_MAPS], None, protocol)
    task = ClipTask(dataset.only("3"), predictions.only("3"), "3", protocol, sources, ["pixel_auroc"])
    assert len(pickle.dumps(task)) < 2 * scores.nbytes


WRONG = [
    ({"threshold": np.nan}, UsageError, "U143"),
    ({"threshold": np.inf}, UsageError, "U143"),
    ({"predictions": {1: Prediction()}}, UsageError, "U142"),
    ({"predictions": {"a": np.zeros((2, 8, 8))}}, UsageError, "U142"),
]


@pytest.mark.parametrize(("change", "kind", "code"), WRONG)
def test_wrong_calls(change: dict[str, Any], kind: type[UsageError], code: str) -> None:
    dataset = MemoryDataset({"a": Truth.from_arrays(np.zeros((2, 8, 8)))})
    predictions = change.pop("predictions", {"a": Prediction(score_maps=np.zeros((2, 8, 8)))})
    with pytest.raises(kind) as raised:
        evaluate(predictions, dataset, **change)
    assert raised.value.code == code


BOXES = [[0, 0, 2, 2]]
MIXED = [
    (Detections([0], BOXES, np.array([1], dtype=np.int64)), Detections([0], BOXES, [0.5]), "S107"),
    (Detections([0], BOXES, [0.5], [3]), Detections([0], BOXES, [0.5]), "S108"),
    (Detections([0], BOXES, [0.5]), Detections([2], BOXES, [0.5]), "S141"),
    (Detections([0], BOXES, [0.5]), Detections([0], [[0, 0, 9, 2]], [0.5]), "S142"),
]


@pytest.mark.parametrize(("first", "second", "code"), MIXED)
def test_detections_must_fit_the_clips_and_each_other(first: Detections, second: Detections, code: str) -> None:
    dataset = MemoryDataset({name: Truth.from_arrays(np.zeros((2, 8, 8))) for name in "ab"})
    with pytest.raises(SubmissionError) as raised:
        evaluate({"a": Prediction(detections=first), "b": Prediction(detections=second)}, dataset)
    assert raised.value.code == code


def test_a_float32_threshold_is_a_number_like_any_other() -> None:
    dataset = MemoryDataset({"a": Truth.from_arrays(np.ones((2, 8, 8)))})
    report = evaluate({"a": Prediction(score_maps=np.zeros((2, 8, 8)))}, dataset, threshold=np.float32(0.5))
    assert '"threshold": 0.5' in report.to_json()


TRACK = Track("0", np.array([5]), np.array([[0, 0, 2, 2]]))


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: Truth.from_arrays(shape=(5, 8, 8), tracks=[TRACK]), "D309"),
        (lambda: Truth.from_arrays(shape=(9, 8, 8), tracks=[TRACK, TRACK]), "D308"),
        (lambda: Truth.from_arrays(np.zeros((0, 8, 8))), "D304"),
        (lambda: Truth.from_arrays(np.zeros((2, 8, 8)), labels=[1]), "D305"),
    ],
)
def test_a_truth_that_cannot_be(make: Any, code: str) -> None:
    with pytest.raises(DataError) as raised:
        make()
    assert raised.value.code == code


def test_a_data_set_in_memory_needs_a_printable_id_and_tracks_for_all_or_none() -> None:
    plain = Truth.from_arrays(np.zeros((9, 8, 8)))
    with pytest.raises(UsageError, match="U118"):
        MemoryDataset({"a": plain}, id="my set")
    with pytest.raises(UsageError, match="U119"):
        MemoryDataset({"a": plain, "b": Truth.from_arrays(np.zeros((9, 8, 8)), tracks=[TRACK])})


def test_half_precision_maps_with_a_declared_threshold() -> None:
    """Kernels know no float16: its keys are what they count."""
    rng = np.random.default_rng(0)
    truth = rng.random((3, 6, 7)) > 0.7
    scores = rng.random(truth.shape).astype(np.float16)
    dataset = MemoryDataset({"a": Truth.from_arrays(truth)})
    reports = [evaluate({"a": Prediction(score_maps=scores.astype(dtype))}, dataset, threshold=0.5) for dtype in "ef"]
    values = [{key: score.value for key, score in report.scores.items()} for report in reports]
    assert values[0] == values[1]
    assert values[0]["pixel_f1_declared"] is not None
