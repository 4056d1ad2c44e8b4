"""The map from own scores to stored numbers, and thresholds in stored units."""

import numpy as np
import pytest

from baselines.simple import ScoreRange


def test_ends_and_beyond():
    stored = ScoreRange(-2.0, 6.0).stored(np.array([-9.0, -2.0, 2.0, 6.0, 50.0, -np.inf, np.inf]))
    assert stored.dtype == np.uint16
    assert stored.tolist() == [0, 0, 32768, 65535, 65535, 0, 65535]


def test_order_is_kept():
    scores = np.sort(np.random.default_rng(0).normal(size=1000))
    assert (np.diff(ScoreRange(-1.0, 1.0).stored(scores).astype(int)) >= 0).all()


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.9, 0.99])
def test_quantile_is_the_least_number_that_few_enough_reach(share):
    stored = np.random.default_rng(2).integers(0, 500, 4000)
    counts = np.bincount(stored, minlength=65536)
    threshold = ScoreRange(0.0, 1.0).stored_quantile(counts, share)
    assert (stored >= threshold).mean() <= 1 - share + 1e-9
    assert threshold == 0 or (stored >= threshold - 1).mean() > 1 - share


def test_no_pixels_no_threshold():
    assert ScoreRange(0.0, 1.0).stored_quantile(np.zeros(65536, dtype=np.int64), 0.5) is None
