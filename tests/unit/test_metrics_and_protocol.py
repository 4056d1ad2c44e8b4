"""Curves, array functions, protocols and presets at their edges."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from vadbench import DataError, Detections, Protocol, ProtocolError, Track, UndefinedMetricError, UsageError, metrics
from vadbench.metrics.curves import Curve
from vadbench.metrics.frames import ClipScaling, OneClassClips, macro, micro, scaled_to_unit
from vadbench.metrics.operating_points import running_sums
from vadbench.protocol.explanation import EXPLANATIONS, explain_protocols
from vadbench.protocol.presets import preset_names, preset_title
from vadbench.protocol.protocol import FIELD_NAMES
from vadbench.protocol.titles import chosen_metrics, metric_titles
from vadbench.statistics.frames import FrameStatistics, highest_by_frame


@pytest.mark.parametrize(
    ("x", "y", "limit", "expected"),
    [
        ([0, 1], [0, 1], 1.0, 0.5),
        ([0, 1], [0, 1], 0.3, 0.15),  # cut by interpolation
        ([0], [0.4], 1.0, 0.4),  # held flat
        ([0, 0.5], [1, 1], 2.0, 1.0),
        ([0, 0, 0.3, 0.3, 1], [0, 1, 1, 0.5, 0.5], 0.3, 1.0),  # a step at the limit has no area
        ([0, 2], [0, 1], 1.0, 0.25),
        ([0, 0.1, 5], [0, 0.2, 0.2], 1.0, 0.19),
    ],
)
def test_area_up_to_a_limit(x: list, y: list, limit: float, expected: float) -> None:
    assert Curve(np.array(x, float), np.array(y, float)).area(limit) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("n", [1, 2, 399, 400, 401, 5000])
def test_a_thinned_curve_has_the_ends_and_points_of_the_whole(n: int) -> None:
    rng = np.random.default_rng(0)
    curve = Curve(np.sort(rng.random(n)), np.sort(rng.random(n)), np.arange(n))
    thin = curve.thinned()
    assert thin.x.size <= 400
    assert (thin.x[0], thin.x[-1], thin.y[0], thin.y[-1]) == (curve.x[0], curve.x[-1], curve.y[0], curve.y[-1])
    assert (curve.x[thin.thresholds] == thin.x).all()
    assert (np.diff(thin.thresholds) > 0).all()


UNDEFINED: dict[str, Callable[[], object]] = {
    "auroc without positives": lambda: metrics.pixel_auroc([0, 0], [1, 2]),
    "auroc without negatives": lambda: metrics.pixel_auroc([1, 1], [1, 2]),
    "auroc of nothing": lambda: metrics.pixel_auroc([], []),
    "ap without positives": lambda: metrics.pixel_average_precision([0], [1]),
    "pr-auc without positives": lambda: metrics.pixel_pr_auc([0], [1]),
    "f1 without positives": lambda: metrics.pixel_f1([0], [1]),
    "f1 at without positives": lambda: metrics.pixel_f1_at([0], [1], 0.5),
    "aupro without regions": lambda: metrics.pixel_aupro(np.zeros((1, 2, 2)), np.zeros((1, 2, 2))),
    "aupro without normal pixels": lambda: metrics.pixel_aupro(np.ones((1, 2, 2)), np.zeros((1, 2, 2))),
    "rbdc without tracks": lambda: metrics.rbdc(Detections([0], [[0, 0, 1, 1]], [1.0]), [], frames=1),
    "tbdc without tracks": lambda: metrics.tbdc(Detections([], [], []), [], frames=1),
    "micro of one class": lambda: metrics.frame_auroc_micro([1, 1], [1, 2]),
    "macro of one class": lambda: metrics.frame_auroc_macro([1, 1], [1, 2], ["a", "a"]),
    "macro of nothing": lambda: metrics.frame_auroc_macro([], [], []),
}


@pytest.mark.parametrize("name", UNDEFINED)
def test_what_has_no_value_gives_a_reason(name: str) -> None:
    with pytest.raises(UndefinedMetricError) as caught:
        UNDEFINED[name]()
    assert caught.value.message.startswith(("there is no", "no clip"))


def test_metrics_of_anomalous_pixels_alone_need_no_normal_ones() -> None:
    assert metrics.pixel_average_precision([1, 1], [1, 2]) == 1
    assert metrics.pixel_pr_auc([1, 1], [1, 2]) == 1
    assert metrics.pixel_f1([1, 1], [1, 2]) == metrics.F1Max(1.0, 1, 1.0, 1.0)


BOX = Track("0", [0], [[0, 0, 1, 1]])
NONE = Detections([], [], [])
WRONG_ARRAYS: dict[str, tuple[str, Callable[[], object]]] = {
    "shapes differ": ("D350", lambda: metrics.pixel_auroc([0, 1], [1, 2, 3])),
    "flat arrays for regions": ("D351", lambda: metrics.pixel_aupro([0, 1], [1, 2])),
    "complex scores": ("D352", lambda: metrics.pixel_auroc([0, 1], [1j, 2])),
    "text as scores": ("D352", lambda: metrics.frame_auroc_micro([0, 1], ["a", "b"])),
    "scores and truth swapped": ("D353", lambda: metrics.pixel_auroc([0.1, 0.2], [0, 1])),
    "NaN": ("D354", lambda: metrics.pixel_auroc([0, 1], [np.nan, 2])),
    "infinity": ("D354", lambda: metrics.frame_auroc_micro([0, 1], [-np.inf, 2])),
    "limit of 0": ("D355", lambda: metrics.pixel_aupro(np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), 0.0)),
    "limit above 1": ("D355", lambda: metrics.pixel_aupro(np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), 1.01)),
    "six neighbours": ("D355", lambda: metrics.pixel_aupro(np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), 0.3, 6)),
    "no frames": ("D356", lambda: metrics.rbdc(NONE, [BOX], frames=0)),
    "IoU of 0": ("D356", lambda: metrics.rbdc(NONE, [BOX], frames=1, iou_threshold=0.0)),
    "NaN limit": ("D356", lambda: metrics.tbdc(NONE, [BOX], frames=1, fpr_limit=np.nan)),
    "clips of another length": ("D350", lambda: metrics.frame_auroc_macro([0, 1], [0, 1], ["a"])),
}


@pytest.mark.parametrize("name", WRONG_ARRAYS)
def test_wrong_arrays_are_refused(name: str) -> None:
    code, call = WRONG_ARRAYS[name]
    with pytest.raises(DataError) as caught:
        call()
    assert caught.value.code == code


def test_nothing_detected_is_0_not_undefined() -> None:
    assert metrics.rbdc(NONE, [BOX], frames=1).area == 0
    assert metrics.tbdc(NONE, [BOX], frames=1, ties="sequential").area == 0


def test_padding_as_published_code_does_it() -> None:
    """One normal frame of score 0 and one anomalous frame of the largest float (protocols.md, "Frame metrics")."""

    def padded(labels: list, scores: np.ndarray) -> float:
        return macro([FrameStatistics(np.array(labels, bool), scores)], OneClassClips.PAD).value

    largest = np.finfo(np.float64).max
    assert padded([1, 1], np.array([1.0, 2.0])) == 1
    assert padded([1, 1], np.array([-1.0, 2.0])) == 2 / 3, "a score below 0 ranks under the added normal frame"
    assert padded([1, 1], np.array([0.0, 2.0])) == 2.5 / 3
    assert padded([1, 0], np.array([-0.0, largest])) == (1 + 0.5 + 0.5) / 4, "equal to the added frames"
    big = np.array([2**53 + 1, 2**53], dtype=np.int64)
    assert padded([1, 0], big) == 1, "integers beyond 2^53 are not rounded to equal floats"
    assert padded([0, 1], big) == 3 / 4
    assert padded([0, 0], np.array([2**64 - 1, 2**64 - 2], dtype=np.uint64)) == 1
    assert padded([1, 0], np.array([-np.inf, 1.0])) == 2 / 4


def test_micro_scales_each_clip_to_its_own_extremes() -> None:
    clips = [
        FrameStatistics(np.array([0, 1]), np.array([100.0, 200.0])),
        FrameStatistics(np.array([0, 1, 0]), np.array([0.1, 0.2, -np.inf])),
        FrameStatistics(np.array([0, 0]), np.array([7.0, 7.0])),
    ]
    clips = [FrameStatistics(own.labels.astype(bool), own.scores) for own in clips]
    assert micro(clips, ClipScaling.NONE) == (5 + 2) / 10
    assert micro(clips, ClipScaling.MIN_MAX) == 1, "1, 1 against 0, 0, −∞, 0, 0: a constant clip goes to 0"
    with np.errstate(over="ignore"):
        assert scaled_to_unit(np.array([-1e308, 0.0, 1e308])).tolist() == [0, 0.5, 1]
    assert scaled_to_unit(np.array([3, 5, 4], dtype=np.uint8)).tolist() == [0, 1, 0.5]
    assert scaled_to_unit(np.array([-np.inf, -np.inf])).tolist() == [-np.inf, -np.inf]


def test_a_frame_without_a_row_ranks_lowest() -> None:
    got = highest_by_frame(np.array([2, 0, 2]), np.array([-5, 1, -9]), 4)
    assert got.tolist() == [1, -np.inf, -5, -np.inf]


PRESETS = {
    "standard": {},
    "aed-2021": {"object.ties": "sequential", "object.merge": "none", "frame.one_class_clips": "pad"},
    "tao-release": {
        "pixel.pooling": "frame-mean",
        "pixel.frames": "anomalous",
        "pixel.silent_frames": "zero",
        "pixel.map_scaling": "frame-maximum",
        "pixel.f1": "at(0.5)",
        "pixel.aupro": "pr-trapezoid",
        "instances.scores": "one",
        "object.boxes_from": "instances",
        "object.ties": "sequential",
        "object.merge": "none",
        "object.track_boxes": "one-larger",
        "frame.one_class_clips": "pad",
    },
}
"""The table of protocols.md, "Presets", as changes of ``standard``."""


def test_presets_are_those_of_the_table() -> None:
    assert set(preset_names()) == set(PRESETS)
    assert Protocol() == Protocol.preset("standard")
    for name, changes in PRESETS.items():
        assert Protocol.preset("standard").replace(changes) == Protocol.preset(name)
        assert preset_title(name)
    ours, theirs = Protocol.preset("standard"), Protocol.preset("tao-release")
    assert len(explain_protocols(ours, theirs)) == len(PRESETS["tao-release"])
    assert set(EXPLANATIONS) == set(FIELD_NAMES)


WRONG_PROTOCOLS = {
    "P110": ["standart", "", "standard "],
    "P105": ["standard+pixel.pooling", "standard+pixel.fpr_limit=0.1+pixel.fpr_limit=0.2"],
    "P107": ["standard+pixel.limit=0.1", "standard+pooling=frame-mean"],
    "P101": ["standard+object.ties=grupped", "standard+pixel.pooling="],
    "P102": ["standard+pixel.f1=0.5", "standard+pixel.f1=at(nan)", "standard+pixel.f1=at()"],
    "P108": ["standard+pixel.fpr_limit=much", "standard+object.fpr_limit=inf", "standard+pixel.connectivity=4.5"],
    "P103": [
        "standard+pixel.fpr_limit=0",
        "standard+pixel.fpr_limit=1.1",
        "standard+pixel.connectivity=6",
        "standard+object.iou_threshold=0",
        "standard+object.track_fraction=-1",
        "standard+object.fpr_limit=0",
        "standard+object.merge_iou=1",
    ],
    "P104": [
        "standard+pixel.silent_frames=zero",
        "standard+pixel.pooling=clip-mean+pixel.silent_frames=zero",
        "tao-release+pixel.fpr_limit=0.05",
        "tao-release+pixel.connectivity=4",
        "aed-2021+object.merge_iou=0.5",
    ],
}


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in WRONG_PROTOCOLS.items() for text in texts])
def test_wrong_protocols_are_refused(code: str, text: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        Protocol.parse(text)
    assert caught.value.code == code


def test_titles_follow_the_protocol() -> None:
    standard = metric_titles(Protocol())
    assert (standard["pixel_aupro"], standard["pixel_f1"]) == ("Pixel-AUPRO", "Pixel-F1")
    released = metric_titles(Protocol.preset("tao-release"))
    assert (released["pixel_aupro"], released["pixel_f1"]) == ("PR-AUC", "Pixel-F1@0.5")
    assert metric_titles(Protocol.parse("standard+pixel.fpr_limit=0.05"))["pixel_aupro"] == "Pixel-AUPRO@0.05"
    assert chosen_metrics(["tbdc", "pixel_auroc"]) == ("pixel_auroc", "tbdc")
    with pytest.raises(UsageError, match="U120"):
        chosen_metrics("pixel_aurok")


def test_running_sums_by_blocks() -> None:
    rng = np.random.default_rng(0)
    for size in (0, 1, 2, 3, 5, 99, 100, 10_007):
        values = rng.random(size)
        exact = [math.fsum(values[: end + 1]) for end in range(0, size, max(1, size // 50))]
        got = running_sums(values)
        assert got.shape == (size,)
        assert np.abs(got[:: max(1, size // 50)] - exact).max(initial=0) <= 2e-16 * max(1, size)
