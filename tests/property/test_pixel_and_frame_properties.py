"""One table of pixel and frame metrics × properties: a new metric inherits every test by one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vadbench import metrics

Arrays = tuple[np.ndarray, np.ndarray]

METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "auroc": metrics.pixel_auroc,
    "average-precision": metrics.pixel_average_precision,
    "f1": lambda truth, scores: metrics.pixel_f1(truth, scores).value,
    "f1-precision": lambda truth, scores: metrics.pixel_f1(truth, scores).precision,
    "pr-auc": metrics.pixel_pr_auc,
    "aupro": metrics.pixel_aupro,
    "aupro-4": lambda truth, scores: metrics.pixel_aupro(truth, scores, fpr_limit=0.05, connectivity=4),
    "frame-micro": metrics.frame_auroc_micro,
    "frame-macro": lambda truth, scores: metrics.frame_auroc_macro(truth, scores, np.zeros(truth.size)),
}
"""Metrics of (T, H, W) truth and scores; the frame metrics take every entry as a frame."""

BY_REGION = {"aupro", "aupro-4"}
"""Metrics for which it matters which pixels are neighbours."""


@dataclass(frozen=True)
class Property:
    """A change of the input that changes no metric but those in `but`; exact where `tolerance` is 0."""

    change: Callable[[np.ndarray, np.ndarray, np.random.Generator], Arrays]
    but: frozenset[str] = frozenset()
    tolerance: float = 0.0
    tolerant: frozenset[str] = frozenset(BY_REGION)


def scores_changed(change: Callable[[np.ndarray], np.ndarray]) -> Property:
    return Property(lambda truth, scores, rng: (truth, change(scores)))


def in_dtype(dtype: str) -> Property:
    return scores_changed(lambda scores: scores.astype(dtype))


def frames_permuted(truth: np.ndarray, scores: np.ndarray, rng: np.random.Generator) -> Arrays:
    order = rng.permutation(len(truth))
    return truth[order], scores[order]


def pixels_permuted(truth: np.ndarray, scores: np.ndarray, rng: np.random.Generator) -> Arrays:
    order = rng.permutation(truth.size)
    return truth.ravel()[order].reshape(truth.shape), scores.ravel()[order].reshape(truth.shape)


def ranks(scores: np.ndarray) -> np.ndarray:
    values = sorted(set(scores.ravel().tolist()))
    return np.vectorize(values.index, otypes=[np.int64])(scores)


PROPERTIES = {
    # A sum of shares over other frames first may differ in its last bits; everything else is counted in integers.
    "frames permuted": Property(frames_permuted, tolerance=1e-12),
    "pixels permuted": Property(pixels_permuted, but=frozenset(BY_REGION)),
    "mirrored": Property(lambda t, s, rng: (t[:, ::-1, ::-1], s[:, ::-1, ::-1]), tolerance=1e-12),
    "transposed": Property(lambda t, s, rng: (t.transpose(0, 2, 1), s.transpose(0, 2, 1)), tolerance=1e-12),
    "not contiguous": Property(
        lambda t, s, rng: (np.repeat(t, 2, axis=2)[..., ::2], np.repeat(s, 2, axis=2)[..., ::2])
    ),
    "every pixel twice": Property(
        lambda t, s, rng: (np.concatenate([t, t]), np.concatenate([s, s])), tolerance=1e-12, tolerant=frozenset(METRICS)
    ),
    "truth as numbers": Property(lambda t, s, rng: (t * 255, s)),
    "affine": scores_changed(lambda s: 3 * s - 100_000),
    "cube": scores_changed(lambda s: s**3),
    "beyond 2^53": scores_changed(lambda s: 2**62 + s),
    "beyond 2^63": scores_changed(lambda s: np.uint64(2**64 - 100) + (s + 20).astype(np.uint64)),
    "ranks": scores_changed(ranks),
    "power of two": scores_changed(lambda s: np.ldexp(s.astype(np.float64), 900)),
    "subnormal": scores_changed(lambda s: np.ldexp(s.astype(np.float32), -149)),
    "float neighbours": scores_changed(lambda s: np.float32(1) + (s + 20) * np.finfo(np.float32).eps),
    "zeros signed at random": Property(
        lambda t, s, rng: (t, np.where((s == 0) & (rng.random(s.shape) < 0.5), -0.0, s.astype(np.float64)))
    ),
    "big endian": in_dtype(">f4"),
    **{f"as {dtype}": in_dtype(dtype) for dtype in ("int8", "int16", "int32", "float16", "float32", "float64")},
}


@st.composite
def inputs(draw: st.DrawFn) -> Arrays:
    """Truth of both classes, and integer scores of a few levels, negative ones too."""
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(2, 5)))
    truth = draw(hnp.arrays(bool, shape))
    truth[0, 0, :2] = draw(st.permutations([True, False]))
    scores = draw(
        hnp.arrays(np.int64, shape, elements=st.integers(-draw(st.integers(0, 20)), draw(st.integers(1, 19))))
    )
    return truth, scores


@pytest.mark.parametrize("name", PROPERTIES)
@given(inputs(), st.integers(0, 99))
def test_a_change_that_changes_nothing(name: str, arrays: Arrays, seed: int) -> None:
    own = PROPERTIES[name]
    truth, scores = own.change(*arrays, np.random.default_rng(seed))
    for metric, function in METRICS.items():
        if metric not in own.but:
            allowed = own.tolerance if metric in own.tolerant else 0.0
            assert abs(function(truth, scores) - function(*arrays)) <= allowed, metric


@pytest.mark.parametrize("metric", ["auroc", "frame-micro", "frame-macro"])
@given(inputs())
def test_swapped_labels_and_turned_scores_give_the_complement(metric: str, arrays: Arrays) -> None:
    truth, scores = arrays
    value = METRICS[metric](truth, scores)
    assert METRICS[metric](~truth, scores) == pytest.approx(1 - value, abs=1e-15)
    assert METRICS[metric](truth, -scores) == pytest.approx(1 - value, abs=1e-15)


@given(inputs(), st.sampled_from(["bool", "uint8", "int64", "float16", "float64"]))
def test_perfect_is_one_and_nothing_is_more(arrays: Arrays, dtype: str) -> None:
    truth, scores = arrays
    for metric, function in METRICS.items():
        assert function(truth, truth.astype(dtype)) == 1, metric
        assert function(truth, scores + 1000 * truth) == 1, metric
        assert 0 <= function(truth, scores) <= 1, metric


@given(inputs(), st.sampled_from([-3.5, 0, 7, 1e300, 5e-324]))
def test_constant_scores_give_the_documented_values(arrays: Arrays, level: float) -> None:
    truth, _ = arrays
    p = truth.mean()
    expected = {
        "auroc": 0.5,
        "average-precision": p,
        "f1": 2 * p / (1 + p),
        "f1-precision": p,
        "pr-auc": (1 + p) / 2,
        "aupro": 0.15,
        "aupro-4": 0.025,
        "frame-micro": 0.5,
        "frame-macro": 0.5,
    }
    assert expected.keys() == METRICS.keys()
    for metric, function in METRICS.items():
        assert function(truth, np.full(truth.shape, level)) == pytest.approx(expected[metric], abs=1e-15), metric


@given(inputs())
def test_the_best_f1_is_no_less_than_any_other(arrays: Arrays) -> None:
    truth, scores = arrays
    best = metrics.pixel_f1(truth, scores)
    cuts = np.append(np.unique(scores), scores.min() - 1)
    values = {float(cut): metrics.pixel_f1_at(truth, scores, float(cut)) for cut in cuts}
    assert best.value == max(values.values())
    # Flagged is ≥ the threshold: what lies above the next smaller score.
    assert values[float(cuts[cuts < best.threshold].max())] == best.value
    assert all(value < best.value for cut, value in values.items() if cut >= best.threshold)
