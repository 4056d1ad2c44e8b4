"""Every kernel against a plain NumPy twin, or one of SciPy's."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from vadbench.kernels import codes, keys, masks
from vadbench.masks import MaskRuns
from vadbench.statistics import intervals, pixels
from vadbench.statistics.intervals import CompactCounts, IntervalCounter, ranked_counts
from vadbench.statistics.keys import score_keys, scores_of

MASKS = hnp.arrays(bool, st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(1, 21)))
WIDE = ("int32", "uint32", "int64", "uint64", "float32", "float64")
NARROW = ("int8", "uint8", "int16", "uint16", "float16")


def numbers(dtype: str) -> st.SearchStrategy:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return st.floats(width=8 * kind.itemsize, allow_nan=False)
    return st.integers(int(np.iinfo(kind).min), int(np.iinfo(kind).max))


@st.composite
def scores(draw: st.DrawFn, dtypes: tuple[str, ...], largest: int = 300) -> np.ndarray:
    """Scores of which many are equal and some are one step apart."""
    dtype = draw(st.sampled_from(dtypes))
    few = np.array(draw(st.lists(numbers(dtype), min_size=1, max_size=12)), dtype=dtype)
    index = draw(hnp.arrays(np.int64, st.integers(0, largest), elements=st.integers(0, len(few) - 1)))
    steps = draw(hnp.arrays(np.int8, index.shape, elements=st.integers(-1, 1)))
    if few.dtype.kind == "f":
        with np.errstate(all="ignore"):
            towards = np.where(steps < 0, -np.inf, np.inf).astype(dtype)
            return np.where(steps == 0, few[index], np.nextafter(few[index], towards))
    with np.errstate(over="ignore"):
        return few[index] + steps.astype(dtype)


@given(MASKS)
def test_runs_of_masks(truth: np.ndarray) -> None:
    offsets, starts, lengths = masks.runs_of_masks(truth.reshape(len(truth), -1).view(np.uint8), 1)
    assert offsets[0] == 0
    for frame, mask in enumerate(truth):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.ravel(), [0]]).astype(np.int8)))
        own = slice(offsets[frame], offsets[frame + 1])
        assert starts[own].tolist() == edges[::2].tolist()
        assert (starts[own] + lengths[own]).tolist() == edges[1::2].tolist()
    filled = np.zeros((len(truth), truth[0].size), dtype=np.uint8)
    masks.fill_runs(filled, offsets, starts, lengths)
    assert (filled.view(bool).reshape(truth.shape) == truth).all()


@given(MASKS, st.sampled_from([4, 8]))
def test_components_of_runs(truth: np.ndarray, connectivity: int) -> None:
    components = MaskRuns.from_array(truth).components(connectivity)
    count = 0
    for frame, mask in enumerate(truth):
        expected, n_expected = ndimage.label(mask, np.ones((3, 3)) if connectivity == 8 else None)
        labels = np.zeros(mask.size, dtype=np.int64)
        own = slice(components.offsets[frame], components.offsets[frame + 1])
        for start, length, component in zip(
            components.starts[own], components.lengths[own], components.component[own], strict=True
        ):
            labels[int(start) : int(start) + int(length)] = component + 1 - count
        assert (labels.reshape(mask.shape) == expected).all()
        assert components.component_offsets[frame + 1] - components.component_offsets[frame] == n_expected
        for number, (rows, columns) in enumerate(ndimage.find_objects(expected), start=count):
            assert components.boxes(mask.shape[1])[number].tolist() == [
                columns.start, rows.start, columns.stop, rows.stop
            ]  # fmt: skip
        sizes = np.bincount(expected.ravel(), minlength=n_expected + 1)[1:]
        assert components.sizes[count : count + n_expected].tolist() == sizes.tolist()
        count += n_expected
    assert (np.diff(components.component) >= 0).all()


@given(MASKS)
def test_shared_runs(truth: np.ndarray) -> None:
    runs = MaskRuns.from_array(truth)
    offsets, starts, lengths = masks.row_runs(runs.offsets, runs.starts, runs.lengths, runs.width)
    component, component_offsets = masks.components_of_runs(offsets, starts, lengths, runs.width, 1)
    found: Counter[tuple[int, int]] = Counter()
    for earlier, later, pixels_shared in zip(*masks.shared_runs(offsets, starts, lengths, component), strict=True):
        found[int(earlier), int(later)] += int(pixels_shared)
    expected: Counter[tuple[int, int]] = Counter()
    for frame in range(1, len(truth)):
        one, two = (ndimage.label(truth[index], np.ones((3, 3)))[0] for index in (frame - 1, frame))
        both = (one > 0) & (two > 0)
        first = component_offsets[frame - 1] - 1, component_offsets[frame] - 1
        expected.update((int(a + first[0]), int(b + first[1])) for a, b in zip(one[both], two[both], strict=True))
    assert found == expected


@given(MASKS, st.integers(0, 255), st.data())
def test_values_under_runs(truth: np.ndarray, least: int, data: st.DataObject) -> None:
    values = data.draw(hnp.arrays(np.uint8, truth.shape))
    runs = MaskRuns.from_array(truth)
    flat, parts = values.reshape(len(truth), -1), (runs.offsets, runs.starts, runs.lengths)
    gathered = np.empty(int(truth.sum()), dtype=np.uint8)
    assert masks.gather_runs(flat, *parts, gathered) == gathered.size
    assert gathered.tolist() == values[truth].tolist()
    reaching, positives = masks.count_reaching(flat, np.uint8(least), *parts)
    assert reaching.tolist() == [int((own[mask] >= least).sum()) for own, mask in zip(values, truth, strict=True)]
    assert positives.tolist() == truth.sum(axis=(1, 2)).tolist()


@given(hnp.arrays(st.sampled_from([np.uint8, np.uint16]), st.integers(0, 300)))
def test_histograms(values: np.ndarray) -> None:
    halves = np.zeros((2, 1 << 8 * values.itemsize), dtype=np.uint32)
    codes.count_codes(values, *halves)
    assert (halves.sum(axis=0) == np.bincount(values, minlength=halves.shape[1])).all()


@given(hnp.arrays(np.uint16, st.integers(0, 60).map(lambda words: 4 * words), elements=st.sampled_from([0, 1, 65_535])))
def test_histograms_of_words(values: np.ndarray) -> None:
    for kernel in (codes.count_words, codes.count_flat_words):
        counts = np.zeros(65_536, dtype=np.uint32)
        kernel(values.view(np.uint64), counts)
        assert (counts == np.bincount(values, minlength=65_536)).all()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 1.0])
def test_flat_maps_are_found_and_counted_alike(share: float) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 65_536, 100_003).astype(np.uint16)
    values[: int(share * values.size)] = 7
    truth = np.zeros((1, 1, values.size), dtype=bool)
    histogram = pixels.CodeHistogram(values.dtype, MaskRuns.from_array(truth), None)
    histogram.add(0, values.reshape(1, 1, -1))
    negatives = histogram.statistics().negatives
    expected = np.unique(values, return_counts=True)
    assert (negatives.values == expected[0]).all()
    assert (negatives.counts == expected[1]).all()


@given(MASKS, st.data())
def test_shares_of_components_are_rounded_once(truth: np.ndarray, data: st.DataObject) -> None:
    values = data.draw(hnp.arrays(np.uint8, truth.shape, elements=st.integers(0, 3)))
    expected = [Fraction(0)] * 4
    positive = [0] * 4
    for mask, own in zip(truth, values, strict=True):
        labels, count = ndimage.label(mask, np.ones((3, 3)))
        for component in range(1, count + 1):
            inside = own[labels == component]
            for value in inside.tolist():
                expected[value] += Fraction(1, inside.size)
                positive[value] += 1
    there = [value for value in range(4) if positive[value]]
    exact = [float(expected[value]) for value in there]
    runs = MaskRuns.from_array(truth)
    for dtype in (np.uint8, np.float32, np.float64):
        statistics = pixels.pixel_statistics(runs, values.astype(dtype), 8)
        assert statistics.positives.values.tolist() == there
        assert statistics.positives.occurrences.tolist() == [positive[value] for value in there]
        assert statistics.coverage.tolist() == exact


@given(scores(WIDE + NARROW))
def test_keys_have_the_order_of_the_scores(values: np.ndarray) -> None:
    made = score_keys(values)
    assert made.dtype == np.dtype(f"u{values.itemsize}")
    assert (np.argsort(made, kind="stable") == np.argsort(values, kind="stable")).all()
    assert (scores_of(made, values.dtype) == values).all()
    assert ((made[1:] == made[:-1]) == (values[1:] == values[:-1])).all()


@given(scores(WIDE + NARROW))
def test_order_of_keys(values: np.ndarray) -> None:
    made = score_keys(values)
    assert (keys.order_of_keys(made, 8 * made.itemsize) == np.argsort(made, kind="stable")).all()


@given(scores(WIDE, largest=2_000), st.data())
def test_counts_at_and_between_thresholds(values: np.ndarray, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, max(0, values.size - 1)), max_size=20))
    thresholds = np.unique(values[chosen] if values.size else values)
    counter = IntervalCounter(thresholds)
    for part in np.array_split(values, 3):
        counter.add(part)
    at, between = counter.counts()
    assert at.tolist() == [int((values == threshold).sum()) for threshold in thresholds]
    reached = np.searchsorted(np.sort(values), thresholds, side="left")
    passed = np.searchsorted(np.sort(values), thresholds, side="right")
    assert (
        between.tolist()
        == np.diff(np.stack([np.append(0, passed), np.append(reached, values.size)]), axis=0)[0].tolist()
    )
    ranked = ranked_counts(thresholds, at, between)
    assert ranked.at_least(thresholds).tolist() == [int((values >= threshold).sum()) for threshold in thresholds]
    assert ranked.above(thresholds).tolist() == [int((values > threshold).sum()) for threshold in thresholds]
    assert ranked.total == values.size
    some = thresholds[:: data.draw(st.integers(1, 3))]
    kept = ranked_counts(thresholds, at, between, np.searchsorted(thresholds, some))
    assert kept.reaching.tolist() == ranked.at_least(some).tolist()
    assert kept.exceeding.tolist() == ranked.above(some).tolist()


@pytest.mark.parametrize("dtype", WIDE)
def test_full_buckets_are_counted_alike(dtype: str) -> None:
    """More scores with the same upper bits than are searched one by one."""
    rng = np.random.default_rng(0)
    base = rng.integers(0, 3_000, 40_000)
    values = (1 + base * np.finfo(dtype).eps).astype(dtype) if np.dtype(dtype).kind == "f" else (base * 7).astype(dtype)
    thresholds = np.unique(rng.choice(values, 500))
    counter = IntervalCounter(thresholds)
    counter.add(values)
    ranked = ranked_counts(thresholds, *counter.counts())
    assert ranked.reaching.tolist() == [int((values >= threshold).sum()) for threshold in thresholds]
    assert ranked.exceeding.tolist() == [int((values > threshold).sum()) for threshold in thresholds]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_counters_are_folded_before_they_wrap(monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    monkeypatch.setattr(pixels, "_FOLD_AFTER", 100)
    monkeypatch.setattr(intervals, "_LARGEST_COUNT", 100)
    monkeypatch.setattr(intervals, "LEAST_AT_ONCE", 90)
    rng = np.random.default_rng(0)
    truth, values = rng.random((9, 8, 8)) > 0.8, rng.integers(0, 9, (9, 8, 8)).astype(dtype)
    folded = pixels.pixel_statistics(MaskRuns.from_array(truth), values, 8)
    monkeypatch.undo()
    whole = pixels.pixel_statistics(MaskRuns.from_array(truth), values, 8)
    thresholds = np.arange(9).astype(dtype)
    assert folded.negatives.at_least(thresholds).tolist() == whole.negatives.at_least(thresholds).tolist()
    assert folded.negatives.at_least(thresholds).tolist() == [int((values[~truth] >= t).sum()) for t in thresholds]


@given(hnp.arrays(np.uint32, st.integers(0, 20), elements=st.sampled_from([0, 1, 255, 256, 2**32 - 1])))
def test_compact_counts(counts: np.ndarray) -> None:
    total = np.ones(counts.size, dtype=np.int64)
    CompactCounts.of(counts).add_to(total)
    assert total.tolist() == [1 + int(count) for count in counts]
