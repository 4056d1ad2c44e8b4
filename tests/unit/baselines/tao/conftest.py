"""A tiny synthetic set, and small real stages: boxes of bright blobs, scores by speed, boxes filled as masks."""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from baselines.tao.box_table import BoxTable
from baselines.tao.filtering import FilterSettings
from baselines.tao.methods import Methods
from baselines.tao.model_file import read_model, write_model
from baselines.tao.progress import no_frame_progress
from baselines.tao.segmentation.segmenter import ObjectMask
from baselines.tao.settings import TaoSettings
from vadbench import open_dataset, synthesize
from vadbench.boxes import boxes_from_masks
from vadbench.masks import label_components


@pytest.fixture(scope="session")
def small_root(tmp_path_factory):
    root = tmp_path_factory.mktemp("small") / "data"
    return synthesize(root, seed=5, test_clips=3, training_clips=2, frames=14, height=48, width=64)


@pytest.fixture
def small(small_root):
    return open_dataset("synthetic", small_root)


@pytest.fixture(scope="session")
def settings():
    """Every box is anomalous, so that three frames of overlap make an object."""
    return TaoSettings(tau=-1.0, filtering=FilterSettings(window=3, matches=2, save_interval=4))


@dataclass
class Calls:
    """How often each piece of work was done, by its name and clip; work that is to fail raises."""

    done: Counter = field(default_factory=Counter)
    failing: dict = field(default_factory=dict)

    def note(self, work, clip_id=""):
        if (work, clip_id) in self.failing:
            raise self.failing[work, clip_id]
        self.done[work, clip_id] += 1

    def of(self, work):
        return sum(count for (name, _), count in self.done.items() if name == work)


class DifferenceDetector:
    """A box around each component of the pixels that differ from the clip's first frame."""

    def __init__(self, calls):
        self.calls = calls

    def detect(self, clip, part, progress=no_frame_progress):
        self.calls.note("detect", f"{part}/{clip.id}")
        boxes, first = {}, None
        for number, frame in enumerate(clip.read_frames()):
            grey = frame.astype(np.float64) if frame.ndim == 2 else frame.mean(axis=2)
            first = grey if first is None else first
            labels, count = label_components(np.abs(grey - first) > 40)
            found = boxes_from_masks(labels[None] == np.arange(1, count + 1)[:, None, None])
            boxes[number] = found[(found[:, 2] - found[:, 0]) >= 3]
            progress(number + 1)
        return BoxTable.of_frames(boxes)


@dataclass
class WidthScorer:
    """A box scores the more, the wider it is than those of training."""

    mean: float
    calls: Calls

    def save(self, path):
        write_model(path, "widths", {"mean": self.mean}, {})

    def score(self, clip, boxes, progress=no_frame_progress):
        self.calls.note("score", clip.id)
        width = (boxes.boxes[:, 2] - boxes.boxes[:, 0]) / self.mean
        progress(clip.frames)
        return boxes.with_scores(width, {"width": width})


@dataclass
class Nothing:
    def save(self, path):
        write_model(path, "nothing", {}, {})


@dataclass
class FillingSegmenter:
    """A fake tracker: the box of a prompt, filled, until the object's next prompt."""

    calls: Calls

    def segment(self, clip, prompts, progress=no_frame_progress):
        self.calls.note("segment", clip.id)
        latest = {}
        for frame in range(clip.frames):
            rows = prompts.rows(frame)
            for box, label in zip(prompts.boxes[rows], prompts.labels[rows], strict=True):
                latest[int(label)] = box.round().astype(int)
            for label in sorted(latest):
                x1, y1, x2, y2 = latest[label]
                mask = np.zeros((clip.height, clip.width), dtype=bool)
                mask[y1:y2, x1:x2] = True
                yield ObjectMask(frame, label, mask)
            progress(frame + 1)


@pytest.fixture
def calls():
    return Calls()


def methods_that_note(calls):
    def fit_scorer(settings, dataset, boxes, progress):
        calls.note("fit scorer")
        widths = np.concatenate([np.diff(table.boxes[:, [0, 2]]).ravel() for table in boxes.values()])
        return WidthScorer(float(widths.mean()), calls)

    def load_scorer(path, settings):
        return WidthScorer(read_model(path, "widths")[0]["mean"], calls)

    def fit_segmenter(settings, dataset, progress):
        calls.note("fit segmenter")
        return Nothing()

    return Methods(
        lambda settings, dataset, progress: DifferenceDetector(calls),
        fit_scorer,
        load_scorer,
        fit_segmenter,
        lambda settings, model: FillingSegmenter(calls),
    )


@pytest.fixture
def methods(calls):
    return methods_that_note(calls)


@pytest.fixture(scope="session")
def methods_of_nobody():
    """Methods whose calls no test counts."""
    return methods_that_note(Calls())


@pytest.fixture
def with_tau():
    return lambda settings, tau: replace(settings, tau=tau)
