"""Score ranges on which binned metrics fail: the four pixel metrics equal the literal reference on all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import reference_pixel
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vadbench import MemoryDataset, Prediction, Truth, evaluate, metrics

RANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tiny": lambda z: 1e-30 / (1 + np.exp(-z)),
    "subnormal": lambda z: 1e-40 / (1 + np.exp(-z)),
    "near one, 1e-3": lambda z: 1 - 1e-3 / (1 + np.exp(z)),
    "near one, 1e-6": lambda z: 1 - 1e-6 / (1 + np.exp(z)),
    "saturated": lambda z: 1 / (1 + np.exp(-(3 * z + 9))),
    "logits": lambda z: z,
    "eighth power": lambda z: (1 / (1 + np.exp(-z))) ** 8,
    "exact zeros": lambda z: np.maximum(1 / (1 + np.exp(-z)) - 0.3, 0),
    "hundred and": lambda z: 100 + 1 / (1 + np.exp(-z)),
    "negative": lambda z: -(z**2),
    "one value": lambda z: np.full_like(z, 0.25),
    "signed zeros": lambda z: np.where(z > 1, 1.0, np.copysign(0.0, z)),
    "outlier": lambda z: np.where(z == z.max(), 1e30, 1 / (1 + np.exp(-z))),
    "both signs, all magnitudes": lambda z: np.sign(z) * 10.0 ** (4 * z),
}

ANY_RANGE = pytest.mark.parametrize("score_range", RANGES.values(), ids=RANGES)


def same(got: float, expected: float) -> bool:
    return abs(got - expected) <= 1e-12


def check_all(truth: np.ndarray, scores: np.ndarray) -> None:
    best = metrics.pixel_f1(truth, scores)
    value, threshold, precision, recall = reference_pixel.f1_max(truth, scores)
    assert same(best.value, value)
    assert best.threshold == threshold
    assert same(best.precision, precision)
    assert same(best.recall, recall)
    assert same(metrics.pixel_average_precision(truth, scores), reference_pixel.average_precision(truth, scores))
    assert same(metrics.pixel_pr_auc(truth, scores), reference_pixel.pr_trapezoid(truth, scores))
    if not truth.all():
        assert same(metrics.pixel_auroc(truth, scores), reference_pixel.auroc_by_pairs(truth, scores))
        assert same(metrics.pixel_aupro(truth, scores), reference_pixel.aupro(truth, scores))


@ANY_RANGE
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(
    truth=hnp.arrays(bool, (3, 4, 6)).filter(np.any),
    logits=hnp.arrays(np.float64, (3, 4, 6), elements=st.floats(-8, 8)),
)
def test_small_maps(
    score_range: Callable[[np.ndarray], np.ndarray], dtype: type, truth: np.ndarray, logits: np.ndarray
) -> None:
    with np.errstate(all="ignore"):
        check_all(truth, score_range(logits).astype(dtype))


@ANY_RANGE
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pooled_clips(score_range: Callable[[np.ndarray], np.ndarray], dtype: type) -> None:
    """More scores than are searched one by one, over several clips that share their thresholds."""
    rng = np.random.default_rng(3)
    truth = np.zeros((3, 2, 40, 90), dtype=bool)
    truth[:, :, 10:14, 20:25] = truth[1:, 1, 30:33, 60:63] = True
    with np.errstate(all="ignore"):
        scores = score_range(rng.normal(1.5 * truth - 1, 1.5).round(2)).astype(dtype)
    dataset = MemoryDataset({str(clip): Truth.from_arrays(truth[clip]) for clip in range(3)})
    report = evaluate({str(clip): Prediction(score_maps=scores[clip]) for clip in range(3)}, dataset)
    whole = truth.reshape(-1, 40, 90), scores.reshape(-1, 40, 90)
    expected = {
        "pixel_auroc": reference_pixel.auroc_by_pairs(*whole),
        "pixel_ap": reference_pixel.average_precision(*whole),
        "pixel_aupro": reference_pixel.aupro(*whole),
        "pixel_f1": reference_pixel.f1_max(*whole)[0],
    }
    for key, value in expected.items():
        assert same(report.scores[key].value, value), key
