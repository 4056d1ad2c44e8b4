"""Float scores as whole numbers over one range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vadbench.conversion.dense.quantizing import LEVELS, ScoreRange, check_range
from vadbench.errors import ConversionError

finite = st.floats(-1e6, 1e6)


@given(st.lists(finite, min_size=2, max_size=30).filter(lambda own: min(own) < max(own)), finite)
@settings(derandomize=True, max_examples=200, deadline=None)
def test_order_and_threshold(scores, threshold):
    values = np.array(scores)
    scale = check_range(values.min(), values.max())
    stored = scale.quantized(values)
    assert (stored.min(), stored.max()) == (0, LEVELS)
    ordered = stored[np.argsort(values, kind="stable")].astype(np.int64)
    assert (np.diff(ordered) >= 0).all()
    # Each stored number stands for a value at most half a step away.
    meant = scale.lower + stored * ((scale.upper - scale.lower) / LEVELS)
    np.testing.assert_allclose(meant, values, rtol=1e-9, atol=(scale.upper - scale.lower) / LEVELS * 0.500001)
    # What reached the threshold reaches it still; what more does is stored as the same number.
    reached = stored >= scale.threshold(threshold)
    assert reached[values >= threshold].all()
    assert (np.abs(values - threshold)[reached & (values < threshold)] <= (scale.upper - scale.lower) / LEVELS).all()


def test_thresholds_beyond_the_range():
    scale = ScoreRange(0.0, 1.0)
    assert (scale.threshold(-5), scale.threshold(0.5), scale.threshold(1.0), scale.threshold(1.1)) == (
        *(0, 32768, 65535),
        65536,
    )


def test_scores_beyond_the_range_become_its_ends():
    scale = ScoreRange(0.0, 1.0)
    scores = np.array([-np.float32(1e30), -0.1, 0.0, 0.5, 1.0, 1.5])
    assert scale.quantized(scores).tolist() == [0, 0, 0, 32768, LEVELS, LEVELS]
    assert scale.n_beyond(scores) == 3


@pytest.mark.parametrize("limits", [(1.0, 1.0), (-1.7e308, 1.7e308), (2.0, 1.0), (0.0, float("inf"))])
def test_ranges_that_are_none(limits):
    with pytest.raises(ConversionError) as caught:
        check_range(*limits)
    assert caught.value.code == "C115"
