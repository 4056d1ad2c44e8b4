"""Pixel and frame metrics against scikit-learn, on random inputs of every real dtype."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import auc, average_precision_score, f1_score, precision_recall_curve, roc_auc_score

from vadbench import metrics

TOLERANCE = 1e-9
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
FLOATS = ("float16", "float32", "float64")
READ_BY_SCIKIT_LEARN = ("int32", "int64", "float32", "float64")


def tied(rng: np.random.Generator, n: int, dtype: str) -> np.ndarray:
    return rng.integers(0, 3, n).astype(dtype)


def spread(rng: np.random.Generator, n: int, dtype: str) -> np.ndarray:
    """Numbers over the whole range of the dtype."""
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        return rng.integers(limits.min, limits.max, n, dtype=kind, endpoint=True)
    largest = float(np.finfo(kind).max)
    return (rng.uniform(-1, 1, n) * largest).astype(kind)


def neighbours(rng: np.random.Generator, n: int, dtype: str) -> np.ndarray:
    """Numbers that lie as close as the dtype allows: at the top of an integer type, around 1 for floats."""
    kind = np.dtype(dtype)
    steps = rng.integers(0, 12, n)
    if kind.kind in "iu":
        return (np.iinfo(kind).max - steps.astype(kind)).astype(kind)
    return np.array([1.0], dtype=kind) + steps.astype(kind) * np.finfo(kind).eps


def beyond_float64(rng: np.random.Generator, n: int, dtype: str) -> np.ndarray:
    """2^53 + k: equal to their neighbours once in float64."""
    return (np.array([2**53], dtype=dtype) + rng.integers(0, 9, n).astype(dtype)).astype(dtype)


def subnormal(rng: np.random.Generator, n: int, dtype: str) -> np.ndarray:
    return rng.integers(-5, 6, n).astype(dtype) * np.finfo(dtype).smallest_subnormal


def signed_zeros(rng: np.random.Generator, n: int, dtype: str) -> np.ndarray:
    return rng.choice(np.array([-0.0, 0.0, 1.0, -1.0], dtype=dtype), n)


INPUTS = [
    *((tied, dtype) for dtype in ("bool", *INTEGERS, *FLOATS)),
    *((spread, dtype) for dtype in (*INTEGERS, *FLOATS)),
    *((neighbours, dtype) for dtype in (*INTEGERS, *FLOATS)),
    *((beyond_float64, dtype) for dtype in ("int64", "uint64")),
    *((maker, dtype) for maker in (subnormal, signed_zeros) for dtype in FLOATS),
]


def exact_ranks(scores: np.ndarray) -> np.ndarray:
    """Dense ranks by exact comparison of Python numbers: what scikit-learn can rank whatever the dtype."""
    values = scores.tolist()
    place = {value: index for index, value in enumerate(sorted(set(values)))}
    return np.array([place[value] for value in values])


@pytest.mark.parametrize(("maker", "dtype"), INPUTS, ids=lambda part: part if isinstance(part, str) else part.__name__)
def test_pixel_metrics(maker: object, dtype: str) -> None:
    for seed, (n, share) in enumerate([(2, 0.5), (7, 0.5), (60, 0.1), (200, 0.9), (500, 0.01), (500, 0.4)]):
        rng = np.random.default_rng(seed)
        truth = rng.random(n) < share
        truth[:2] = True, False
        scores = maker(rng, n, dtype)  # type: ignore[operator]
        assert scores.dtype == dtype
        forms = [exact_ranks(scores)] + ([scores] if dtype in READ_BY_SCIKIT_LEARN and maker is tied else [])
        for seen in forms:
            precision, recall, thresholds = precision_recall_curve(truth, seen)
            f1 = 2 * precision[:-1] * recall[:-1] / np.maximum(precision[:-1] + recall[:-1], 1e-300)
            assert metrics.pixel_auroc(truth, scores) == pytest.approx(roc_auc_score(truth, seen), abs=TOLERANCE)
            assert metrics.pixel_average_precision(truth, scores) == pytest.approx(
                average_precision_score(truth, seen), abs=TOLERANCE
            )
            assert metrics.pixel_pr_auc(truth, scores) == pytest.approx(auc(recall, precision), abs=TOLERANCE)
            best = metrics.pixel_f1(truth, scores)
            assert best.value == pytest.approx(f1.max(), abs=TOLERANCE)
            highest = thresholds[np.flatnonzero(f1 > f1.max() - 1e-12)[-1]]
            assert {best.threshold} == set(scores[seen == highest].tolist()), "the highest threshold that reaches it"
            assert best.precision == pytest.approx(precision[:-1][thresholds == highest][0], abs=TOLERANCE)
            assert best.recall == pytest.approx(recall[:-1][thresholds == highest][0], abs=TOLERANCE)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_f1_at_a_threshold(dtype: str) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth, scores = rng.random(80) < 0.3, rng.integers(0, 6, 80).astype(dtype)
        truth[0] = True
        for threshold in (-1.0, 0.0, 0.5, 2.0, 2.999, 5.0, 99.0):
            expected = f1_score(truth, scores.astype(np.float64) > threshold, zero_division=0.0)
            assert metrics.pixel_f1_at(truth, scores, threshold) == pytest.approx(expected, abs=TOLERANCE)


def test_frame_metrics() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        labels, scores = rng.random(90) < 0.4, rng.integers(-4, 5, 90).astype(np.float64)
        clips = np.repeat(["01", "02", "10"], 30)
        micro = metrics.frame_auroc_micro(labels, scores)
        assert micro == pytest.approx(roc_auc_score(labels, scores), abs=TOLERANCE)
        own = [(labels[clips == clip], scores[clips == clip]) for clip in ("01", "02", "10")]
        macro = metrics.frame_auroc_macro(labels, scores, clips)
        assert macro == pytest.approx(np.mean([roc_auc_score(*pair) for pair in own]), abs=TOLERANCE)
        padded = [
            roc_auc_score(np.r_[False, label, True], np.r_[0.0, score, np.finfo(np.float64).max])
            for label, score in own
        ]
        macro = metrics.frame_auroc_macro(labels, scores, clips, one_class_clips="pad")
        assert macro == pytest.approx(np.mean(padded), abs=TOLERANCE)
