"""Bootstrap and permutation test against scipy.stats, Holm's correction against an example and his own words."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from vadbench.comparison import holm, interval, paired_interval, resampled_weights, sign_flip


def mean_of_first(values: np.ndarray, axis: int) -> np.ndarray:
    return np.mean(values, axis=axis)


def differences(n: int, kind: str) -> np.ndarray:
    rng = np.random.default_rng([n, *kind.encode()])
    return {
        "spread": rng.normal(0.02, 0.05, n),
        "heavy": 0.03 * rng.standard_t(2, n),
        # Equal sizes: many sums are equal but for rounding.
        "tied": rng.choice([-0.1, 0.1, 0.3], n),
        "with zeros": rng.choice([0.0, 0.0, 0.1, -0.2, 0.7], n),
        "all above": np.abs(rng.normal(0.1, 0.05, n)),
    }[kind]


@pytest.mark.parametrize("kind", ["spread", "heavy", "tied", "with zeros", "all above"])
@pytest.mark.parametrize("n", [2, 3, 5, 9, 12, 13])
def test_the_exact_test_is_that_of_scipy(n: int, kind: str) -> None:
    own = differences(n, kind)
    expected = stats.permutation_test(
        (own,), mean_of_first, permutation_type="samples", n_resamples=np.inf, vectorized=True, axis=0
    )
    found = sign_flip(own)
    # Scipy doubles the smaller tail; under sign flips the distribution is symmetric, so that this is the same count.
    assert found.p == pytest.approx(expected.pvalue, abs=1e-12)
    assert found.exact


def test_the_random_test_agrees_with_that_of_scipy() -> None:
    for n in (17, 107):
        own = differences(n, "spread") - 0.01
        flips = 20_000
        expected = stats.permutation_test(
            (own,), mean_of_first, permutation_type="samples", n_resamples=flips, vectorized=True, axis=0, rng=1
        ).pvalue
        found = sign_flip(own, flips=flips)
        error = np.sqrt(2 * expected * (1 - expected) / flips)
        assert found.p == pytest.approx(expected, abs=5 * error + 1 / flips)
        assert not found.exact


def test_the_random_test_agrees_with_the_exact_one() -> None:
    """Seventeen differences are too many for all signs here, and not for scipy."""
    own = differences(17, "spread")
    exact = stats.permutation_test(
        (own,), mean_of_first, permutation_type="samples", n_resamples=np.inf, vectorized=True, axis=0
    ).pvalue
    assert sign_flip(own, flips=200_000).p == pytest.approx(exact, abs=5 * np.sqrt(exact / 200_000))


class OurResamples(np.random.Generator):
    """Gives scipy the resamples that are ours: the clips that stand in each, in order."""

    def __init__(self, weights: np.ndarray) -> None:
        super().__init__(np.random.PCG64(0))
        self._drawn = np.stack([np.repeat(np.arange(weights.shape[1]), own.astype(int)) for own in weights])

    def integers(self, *_: object, **__: object) -> np.ndarray:
        return self._drawn


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("n", [2, 12, 107])
def test_percentile_intervals_are_those_of_scipy_on_the_same_resamples(n: int, confidence: float) -> None:
    rng = np.random.default_rng(n)
    first, second = rng.beta(5, 2, n), rng.beta(4, 2, n)
    weights = resampled_weights("ucsd-ped2", [str(k) for k in range(n)], resamples=500, seed=3)
    ours = [weights @ own / n for own in (first, second)]
    for found, data, statistic in (
        (interval(ours[0], confidence=confidence), (first,), lambda a, axis: np.mean(a, axis=axis)),
        (
            paired_interval(*ours, confidence=confidence),
            (first, second),
            lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis),
        ),
    ):
        expected = stats.bootstrap(
            data,
            statistic,
            n_resamples=500,
            paired=len(data) > 1,
            confidence_level=confidence,
            method="percentile",
            rng=OurResamples(weights),
        ).confidence_interval
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_percentile_intervals_agree_with_scipy_on_its_own_resamples() -> None:
    own = np.random.default_rng(5).beta(5, 2, 40)
    weights = resampled_weights("ucsd-ped2", [str(k) for k in range(40)], resamples=20_000, seed=0)
    found = interval(weights @ own / 40)
    expected = stats.bootstrap((own,), np.mean, n_resamples=20_000, method="percentile", rng=2).confidence_interval
    spread = own.std() / np.sqrt(40)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.05 * spread)


def test_holm_is_that_of_a_published_example() -> None:
    """The example of Wikipedia, "Holm–Bonferroni method": of these four, the first and the last are rejected at 5 %."""
    adjusted = holm([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(adjusted, [3 * 0.01, 2 * 0.03, 2 * 0.03, 4 * 0.005], rtol=1e-12)
    assert (adjusted <= 0.05).tolist() == [True, False, False, True]


def rejected_step_by_step(p_values: list[float], level: float) -> set[int]:
    """Holm's procedure as he wrote it: reject the smallest while it is at most level / (tests that are left)."""
    left, rejected = dict(enumerate(p_values)), set()
    while left:
        smallest = min(left, key=lambda index: left[index])
        if left[smallest] > level / len(left):
            break
        rejected.add(smallest)
        del left[smallest]
    return rejected


def test_holm_rejects_what_the_stepwise_procedure_rejects() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        p_values = (rng.random(rng.integers(1, 12)) ** 3).round(3).tolist()
        for level in (0.01, 0.05, 0.2):
            # Off the rounding of a product against a quotient.
            adjusted = holm(p_values)
            assert set(np.flatnonzero(adjusted <= level + 1e-12)) == rejected_step_by_step(p_values, level + 1e-12)


def test_the_least_p_of_twelve_clips_is_that_of_scipy() -> None:
    """Twelve clips, one method better in all of them: 2/4096, whatever the sizes."""
    own = differences(12, "all above")
    expected = stats.permutation_test(
        (own,), mean_of_first, permutation_type="samples", n_resamples=np.inf, vectorized=True, axis=0
    ).pvalue
    assert sign_flip(own).p == sign_flip(own).least_p == expected == 2 / 4096
