"""What is encoded comes back: masks as row runs, masks of instances, thresholds in a dtype, protocols, signatures."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vadbench import Instances, Protocol, Signature
from vadbench.boxes import boxes_from_masks
from vadbench.choices import Choice
from vadbench.evaluation.pixel_scores import CommonPool
from vadbench.masks import MaskRuns
from vadbench.metrics.operating_points import OperatingPoints, operating_points
from vadbench.protocol.presets import preset_names
from vadbench.protocol.protocol import FIELD_TYPES, F1Rule
from vadbench.statistics.intervals import CompactCounts, IntervalCounter
from vadbench.statistics.pixels import (
    CodeHistogram,
    PixelStatistics,
    PositiveCollector,
    counted_thresholds,
    negatives_of,
    pixel_statistics,
)
from vadbench.statistics.scores import ScoreCounts, least_flagged_score

SHAPE = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 6))
MASKS = st.one_of(
    hnp.arrays(bool, SHAPE),
    # Full frames beside each other, and runs that go on from row to row and touch the frame's end.
    SHAPE.map(lambda shape: np.ones(shape, dtype=bool)),
    st.tuples(SHAPE, st.integers(0, 9)).map(lambda own: (np.arange(np.prod(own[0])) % 10 >= own[1]).reshape(own[0])),
)


@given(MASKS, st.integers(1, 4))
def test_mask_runs_come_back(masks: np.ndarray, block: int) -> None:
    frames, height, width = masks.shape
    runs = MaskRuns.from_frames(masks, height, width)
    assert (runs.decode() == masks).all()
    assert (np.concatenate([part for _, part in runs.blocks(block)]) == masks).all()
    assert [start for start, _ in runs.blocks(block)] == list(range(0, frames, block))
    for start in range(frames):
        assert (runs.decode(start, start + 2) == masks[start : start + 2]).all()
    assert runs.n_pixels == masks.sum()
    assert (runs.anomalous_frames() == masks.any(axis=(1, 2))).all()
    for frame in range(frames):
        own = slice(runs.offsets[frame], runs.offsets[frame + 1])
        ends = runs.starts[own] + runs.lengths[own]
        assert (runs.starts[own][1:] > ends[:-1]).all(), "runs of a frame neither touch nor overlap"
        assert (runs.lengths[own] > 0).all()


@given(MASKS)
def test_instances_come_back(masks: np.ndarray) -> None:
    masks = masks[masks.any(axis=(1, 2))]
    height, width = masks.shape[1:]
    given_scores = np.arange(len(masks), dtype=np.float32)
    instances = Instances.from_masks(range(len(masks)), masks * 7, given_scores, height=height, width=width)
    assert len(instances) == len(masks)
    assert instances.scores.dtype == np.float32
    for row, mask in enumerate(masks):
        assert (instances.mask(row) == mask).all()
        counts = instances.counts[instances.offsets[row] : instances.offsets[row + 1]]
        assert counts.sum() == mask.size
        assert (counts[1:] > 0).all(), "the first run, of zeros, alone may be empty"
    if len(masks):
        assert (instances.boxes() == boxes_from_masks(masks)).all()
    for (x1, y1, x2, y2), mask in zip(instances.boxes(), masks, strict=True):
        assert not np.delete(mask, np.s_[y1:y2], axis=0).any()
        assert not np.delete(mask, np.s_[x1:x2], axis=1).any()
        assert mask[y1].any() and mask[y2 - 1].any() and mask[:, x1].any() and mask[:, x2 - 1].any()  # noqa: PT018


DTYPES = st.sampled_from(["int8", "uint8", "int16", "uint16", "int64", "uint64", "float16", "float32", "float64"])
THRESHOLD = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-300, 300),
    st.integers(-(2**53), 2**53).map(float),
    st.sampled_from(
        [0.0, -0.0, 5e-324, 1.5, 65504.0, 65505.0, 65519.999, 65520.0, 2.0**63, 2.0**64, -(2.0**63), 1e308]
    ),
)


@given(st.data(), DTYPES, THRESHOLD, st.booleans())
def test_scores_are_compared_with_a_threshold_as_real_numbers(
    data: st.DataObject, dtype: str, threshold: float, inclusive: bool
) -> None:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        numbers = st.floats(width=8 * kind.itemsize, allow_nan=False, allow_infinity=False)
        with np.errstate(over="ignore"):
            near = np.array([threshold]).astype(kind)[0]
            around = [near, np.nextafter(near, kind.type(np.inf)), np.nextafter(near, kind.type(-np.inf))]
        fixed = [value for value in around if np.isfinite(value)]
    else:
        limits = np.iinfo(kind)
        numbers = st.integers(int(limits.min), int(limits.max))
        fixed = [min(max(int(threshold) + step, int(limits.min)), int(limits.max)) for step in (-1, 0, 1)]
    scores = np.array([*fixed, *data.draw(st.lists(numbers, max_size=6))], dtype=kind)
    exact = [Fraction(value) for value in scores.tolist()]
    expected = [value >= Fraction(threshold) if inclusive else value > Fraction(threshold) for value in exact]
    least = least_flagged_score(threshold, kind, inclusive=inclusive)
    got = [False] * len(scores) if least is None else (scores >= least[0]).tolist()
    assert got == expected
    assert ScoreCounts(np.sort(scores)).flagged(threshold, inclusive=inclusive) == sum(expected)


@given(hnp.arrays(np.float32, st.integers(0, 60), elements=st.integers(-3, 3).map(float)))
def test_counts_of_scores(scores: np.ndarray) -> None:
    values, counts = np.unique(scores, return_counts=True)
    for own in (ScoreCounts(values, counts), ScoreCounts(np.sort(scores))):
        cuts = np.arange(-4, 5, dtype=np.float32)
        assert own.total == scores.size
        assert own.at_least(cuts).tolist() == [(scores >= cut).sum() for cut in cuts]
        assert own.above(cuts).tolist() == [(scores > cut).sum() for cut in cuts]


CLIPS = hnp.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(1, 4)))


def same_points(first: OperatingPoints, other: OperatingPoints) -> None:
    for name in ("thresholds", "true_positives", "false_positives_above", "false_positives"):
        assert getattr(first, name).tolist() == getattr(other, name).tolist()
    assert np.abs(first.overlap - other.overlap).max(initial=0) <= 1e-12
    for name in ("n_positive", "n_negative", "n_components"):
        assert getattr(first, name) == getattr(other, name)


@given(CLIPS, st.data())
def test_code_histograms_do_not_depend_on_blocks_or_clips(truth: np.ndarray, data: st.DataObject) -> None:
    scores = data.draw(hnp.arrays(np.uint8, truth.shape, elements=st.integers(0, 4)))
    runs = MaskRuns.from_array(truth)
    blocks = CodeHistogram(scores.dtype, runs, 8)
    for frame in range(len(truth)):
        blocks.add(frame, scores[frame : frame + 1])
    clips = [
        pixel_statistics(MaskRuns.from_array(truth[frame : frame + 1]), scores[frame : frame + 1], 8)
        for frame in range(len(truth))
    ]
    whole = pixel_statistics(runs, scores, 8)
    same_points(operating_points([whole]), operating_points([blocks.statistics()]))
    same_points(operating_points([whole]), operating_points(clips))


@given(CLIPS, st.data())
def test_interval_counts_do_not_depend_on_blocks_or_clips(truth: np.ndarray, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from([np.float32, np.float64, np.int32]))
    scores = data.draw(hnp.arrays(np.int8, truth.shape, elements=st.integers(-3, 3))).astype(dtype)
    frames = [(MaskRuns.from_array(truth[frame : frame + 1]), scores[frame : frame + 1]) for frame in range(len(truth))]
    positives = []
    for runs, score_map in frames:
        collector = PositiveCollector(scores.dtype, runs, 8)
        collector.add(0, score_map)
        positives.append(collector.positives())
    thresholds = counted_thresholds(positives)
    pool = CommonPool(thresholds)
    for own, (_, score_map) in zip(positives, frames, strict=True):
        counter = IntervalCounter(thresholds)
        counter.add(score_map)
        at, between = counter.counts()
        negatives = negatives_of(own, thresholds, at, between, own.scores.values)
        clip = PixelStatistics(own.scores, own.coverage, negatives, own.n_components)
        pool.add(clip, CompactCounts.of(at), CompactCounts.of(between))
    same_points(operating_points([pixel_statistics(MaskRuns.from_array(truth), scores, 8)]), pool.points())


def field_values(name: str) -> st.SearchStrategy:
    kind = FIELD_TYPES[name]
    if kind is F1Rule:
        return st.one_of(st.just(F1Rule()), st.floats(allow_nan=False, allow_infinity=False).map(F1Rule))
    if kind is int:
        return st.sampled_from([4, 8])
    if issubclass(kind, Choice):
        return st.sampled_from(list(kind))
    if name == "pixel.fpr_limit":
        return st.floats(0, 1, exclude_min=True)
    if name == "object.merge_iou":
        return st.floats(0, 1, exclude_max=True)
    return st.floats(0, exclude_min=True, allow_infinity=False)


@st.composite
def protocols(draw: st.DrawFn) -> Protocol:
    """Any valid protocol: fields without effect at their standard values."""
    standard = dict(Protocol.preset("standard").values())
    values = {name: draw(st.one_of(st.just(standard[name]), field_values(name))) for name in FIELD_TYPES}
    if values["pixel.pooling"] != "frame-mean":
        values["pixel.silent_frames"] = standard["pixel.silent_frames"]
    if values["pixel.aupro"] != "region-overlap":
        values |= {name: standard[name] for name in ("pixel.fpr_limit", "pixel.connectivity")}
    if values["object.merge"] == "none":
        values["object.merge_iou"] = standard["object.merge_iou"]
    return Protocol.from_values(values)


@given(protocols())
def test_a_protocol_comes_back(protocol: Protocol) -> None:
    text = str(protocol)
    assert Protocol.parse(text) == protocol
    assert str(Protocol.parse(text)) == text
    assert "|" not in text
    assert all(change.count("=") == 1 for change in text.split("+")[1:])
    assert hash(Protocol.parse(text)) == hash(protocol)
    for name in preset_names():
        changed = {k: v for k, v in protocol.values() if v != dict(Protocol.preset(name).values())[k]}
        assert len(changed) >= text.count("+"), "the preset with the fewest changes is named"


@given(protocols(), st.sampled_from(preset_names()))
def test_a_protocol_equal_to_a_preset_is_printed_as_it(protocol: Protocol, name: str) -> None:
    preset = Protocol.preset(name)
    there_and_back = protocol.replace(dict(preset.values()))
    assert there_and_back == preset
    assert str(there_and_back) == name


NAME = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,12}", fullmatch=True)
HEX = st.from_regex(r"[0-9a-f]{8}", fullmatch=True)


@given(NAME, HEX, st.one_of(st.just("mask-overlap"), st.builds("{}:{}".format, NAME, HEX)), protocols(), st.data())
def test_a_signature_comes_back(
    dataset: str, data_hex: str, tracks: str, protocol: Protocol, data: st.DataObject
) -> None:
    signature = Signature(dataset, data_hex, tracks, protocol, data.draw(st.sampled_from(["0.1.0", "1.0.0rc1"])))
    line = str(signature)
    assert Signature.parse(line) == signature
    assert str(Signature.parse(line)) == line
    assert line.count("|") == 4
    other = Signature(dataset, data_hex, tracks, protocol, "9.9.9")
    assert signature.comparable(other)
    other_hex = data.draw(HEX)
    assume(other_hex != data_hex)
    assert not signature.comparable(Signature(dataset, other_hex, tracks, protocol, "0.1.0"))
