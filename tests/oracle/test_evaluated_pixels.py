"""Every field of the pixel metrics through `evaluate`, against the tables of protocols.md written out literally."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import reference_pixel as literal
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import vadbench
from vadbench import Instances, MemoryDataset, Prediction, Protocol, Truth

CLOSE = 1e-12
KEYS = ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1")
LOWEST = -1e6
"""Stands for −∞, which the literal reference refuses: below every score of these tests."""


@dataclass(frozen=True)
class Choices:
    """The fields of a protocol as the literal computation takes them."""

    pooling: str = "dataset"
    frames: str = "all"
    silent_frames: str = "score"
    map_scaling: str = "none"
    f1: float | None = None
    aupro: str = "region-overlap"
    fpr_limit: float = 0.3
    connectivity: int = 8
    extra: dict[str, Any] = field(default_factory=dict)

    def protocol(self) -> Protocol:
        """The same as a `Protocol`."""
        own = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in {"extra", "f1"}}
        own["f1"] = "best" if self.f1 is None else f"at({self.f1})"
        return Protocol.preset("standard").replace({f"pixel.{k}": v for k, v in own.items()} | self.extra)


def scaled(score_map: np.ndarray, choices: Choices) -> np.ndarray:
    """Negative scores become 0, then the frame is divided by its maximum, if that is above 0."""
    if choices.map_scaling == "none":
        return score_map
    narrow = score_map.dtype in (np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.float32)
    raised = np.where(score_map > 0, score_map, 0).astype(np.float32 if narrow else np.float64)
    return raised / raised.max() if raised.max() > 0 else raised


def value_of(key: str, truth: np.ndarray, scores: np.ndarray, choices: Choices) -> float:
    """Metric of one pool, (n, H, W); NaN where it has no definition."""
    if key == "pixel_auroc":
        return literal.auroc_by_pairs(truth, scores)
    if key == "pixel_ap":
        return literal.average_precision(truth, scores)
    if key == "pixel_f1" and choices.f1 is None:
        return literal.f1_max(truth, scores)[0]
    if key == "pixel_f1":
        return literal.f1_at_threshold(truth, scores, choices.f1, compare="greater")
    if choices.aupro == "pr-trapezoid":
        return literal.pr_trapezoid(truth, scores)
    return literal.aupro(truth, scores, choices.fpr_limit, choices.connectivity)


def expected_value(key: str, clips: list[tuple[np.ndarray, np.ndarray]], choices: Choices) -> float:
    """The metric over some clips (truth, scores), each (T, H, W)."""
    entering = []
    for truth, scores in clips:
        frames = [(t, scaled(s, choices)) for t, s in zip(truth, scores, strict=True)]
        entering.append([(t, s) for t, s in frames if choices.frames == "all" or t.any()])
    frames = [frame for clip in entering for frame in clip]
    pools = {"dataset": [frames], "clip-mean": entering, "frame-mean": [[frame] for frame in frames]}[choices.pooling]
    values = []
    for pool in pools:
        if not pool:
            continue
        truth, scores = np.array([t for t, _ in pool]), np.array([s for _, s in pool])
        silent = not scores.any() and choices.silent_frames == "zero"
        values.append(0.0 if silent else value_of(key, truth, scores, choices))
    defined = [value for value in values if not np.isnan(value)]
    return sum(defined) / len(defined) if defined else np.nan


@st.composite
def choices(draw: st.DrawFn) -> Choices:
    pooling = draw(st.sampled_from(["dataset", "clip-mean", "frame-mean"]))
    aupro = draw(st.sampled_from(["region-overlap", "region-overlap", "pr-trapezoid"]))
    by_region = aupro == "region-overlap"
    return Choices(
        pooling=pooling,
        frames=draw(st.sampled_from(["all", "anomalous"])),
        silent_frames=draw(st.sampled_from(["score", "zero"])) if pooling == "frame-mean" else "score",
        map_scaling=draw(st.sampled_from(["none", "frame-maximum"])),
        f1=draw(st.sampled_from([None, 0.0, 0.5, 2.0, -1.0])),
        aupro=aupro,
        fpr_limit=draw(st.sampled_from([0.3, 0.05, 1.0])) if by_region else 0.3,
        connectivity=draw(st.sampled_from([8, 4])) if by_region else 8,
    )


@st.composite
def truths(draw: st.DrawFn) -> list[np.ndarray]:
    height, width = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    return [draw(hnp.arrays(bool, (frames, height, width))) for frames in lengths]


def check(report: vadbench.Report, clips: list[tuple[np.ndarray, np.ndarray]], own: Choices) -> None:
    rows = [(report.scores, clips)] + [(row.scores, [clip]) for row, clip in zip(report.clips, clips, strict=True)]
    for scores, part in rows:
        for key in KEYS:
            expected = expected_value(key, part, own)
            if np.isnan(expected):
                assert scores[key].value is None, key
                assert scores[key].reason, key
            else:
                assert scores[key].value == pytest.approx(expected, abs=CLOSE), key


@given(truths(), choices(), st.sampled_from(["uint8", "int16", "float32", "float64", "int64"]), st.data())
def test_score_maps(masks: list[np.ndarray], own: Choices, dtype: str, data: st.DataObject) -> None:
    lowest = 0 if dtype == "uint8" else -2
    element = st.one_of(st.just(0), st.integers(lowest, 3))
    maps = []
    for mask in masks:
        scores = data.draw(hnp.arrays(np.int64, mask.shape, elements=element)).astype(dtype)
        scores[data.draw(st.lists(st.integers(0, len(mask) - 1), max_size=2, unique=True))] = 0
        maps.append(scores)
    names = [f"{k:02d}" for k in range(len(masks))]
    dataset = MemoryDataset({name: Truth.from_arrays(mask) for name, mask in zip(names, masks, strict=True)})
    predictions = {name: Prediction(score_maps=scores) for name, scores in zip(names, maps, strict=True)}
    threshold = data.draw(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0]))
    report = vadbench.evaluate(predictions, dataset, own.protocol(), KEYS, threshold=threshold)
    clips = list(zip(masks, maps, strict=True))
    check(report, clips, own)
    check_declared(report, clips, own, threshold)


def check_declared(
    report: vadbench.Report, clips: list[tuple[np.ndarray, np.ndarray]], own: Choices, threshold: float
) -> None:
    """Pixel-F1 (declared): flagged where the given score ≥ threshold, whatever is scaled for the other metrics."""
    flagged = [(truth, (scores >= threshold).astype(np.float64)) for truth, scores in clips]
    raw = Choices(own.pooling, own.frames, "score", "none", f1=0.5)
    if own.silent_frames == "score":
        expected = expected_value("pixel_f1", flagged, raw)
    else:
        values = []
        for (truth, scores), (_, flags) in zip(clips, flagged, strict=True):
            for t, s, f in zip(truth, scores, flags, strict=True):
                if t.any() or own.frames == "all":
                    silent = not scaled(s, own).any()
                    values.append(0.0 if silent else literal.f1_at_threshold(t, f, 0.5, compare="greater"))
        defined = [value for value in values if not np.isnan(value)]
        expected = np.mean(defined) if defined else np.nan
    got = report.value("pixel_f1_declared")
    assert (got is None) == bool(np.isnan(expected))
    assert got is None or got == pytest.approx(expected, abs=CLOSE)


@given(truths(), choices(), st.sampled_from(["given", "one"]), st.sampled_from(["f4", "f8"]), st.data())
def test_instances(masks: list[np.ndarray], own: Choices, counted: str, dtype: str, data: st.DataObject) -> None:
    """A pixel's score is the highest of the instances that cover it; under none it ranks below all, or is 0."""
    own = Choices(**{**own.__dict__, "extra": {"instances.scores": counted}})
    predictions, clips = {}, []
    for k, mask in enumerate(masks):
        frames, height, width = mask.shape
        rows = data.draw(st.lists(st.tuples(st.integers(0, frames - 1), st.integers(-2, 3)), max_size=5))
        rows.sort(key=lambda row: row[0])
        parts = [data.draw(hnp.arrays(bool, (height, width)).filter(np.any)) for _ in rows]
        expected = np.full(mask.shape, LOWEST if counted == "given" else 0, dtype=dtype)
        for (frame, score), part in zip(rows, parts, strict=True):
            covered = 1 if counted == "one" else score
            expected[frame][part] = np.maximum(expected[frame][part], covered)
        clips.append((mask, expected if counted == "given" else expected.astype(np.uint8)))
        scores = np.array([score for _, score in rows], dtype=dtype)
        predictions[f"{k:02d}"] = Prediction(
            instances=Instances.from_masks([f for f, _ in rows], parts, scores, height=height, width=width)
        )
    dataset = MemoryDataset({f"{k:02d}": Truth.from_arrays(mask) for k, mask in enumerate(masks)})
    report = vadbench.evaluate(predictions, dataset, own.protocol(), KEYS)
    check(report, clips, own)
    assert {score.source for score in report.scores.values() if score.value is not None} <= {"instances"}
    best = report.scores["pixel_f1"]
    if own.pooling == "dataset" and own.f1 is None and best.value is not None:
        pool = [(t, scaled(s, own)) for truth, scores in clips for t, s in zip(truth, scores, strict=True)]
        pool = [(t, s) for t, s in pool if own.frames == "all" or t.any()]
        cut = literal.f1_max(np.array([t for t, _ in pool]), np.array([s for _, s in pool]))[1]
        assert best.threshold == ("all" if cut == LOWEST else cut)


def test_a_map_of_negative_scores_is_silent_once_it_is_scaled() -> None:
    """Declared F1 reads the given scores, but whether a frame is silent is seen after scaling."""
    masks = np.zeros((2, 1, 2), dtype=bool)
    masks[:, 0, 0] = True
    clips = [(masks, np.array([[[-1.0, -2.0]], [[3.0, 0.0]]]))]
    for scaling, expected in (("frame-maximum", 0.5), ("none", 1.0)):
        own = Choices("frame-mean", "all", "zero", scaling)
        report = vadbench.evaluate(
            {"a": Prediction(score_maps=clips[0][1])},
            MemoryDataset({"a": Truth.from_arrays(masks)}),
            own.protocol(),
            KEYS,
            threshold=-1.0,
        )
        check(report, clips, own)
        assert report.value("pixel_auroc") == expected
        declared = {"frame-maximum": (0 + 2 / 3) / 2, "none": (1 + 2 / 3) / 2}[scaling]
        assert report.value("pixel_f1_declared") == pytest.approx(declared, abs=CLOSE)
