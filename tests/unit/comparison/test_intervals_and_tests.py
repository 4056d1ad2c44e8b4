"""Intervals, the sign-flip test, Holm's correction and rank ranges at their edges."""

from __future__ import annotations

import time

import numpy as np
import pytest

from vadbench import UsageError
from vadbench.comparison import Unit, holm, interval, least_exact_p, paired_interval, rank_ranges, sign_flip
from vadbench.comparison.permutation import sign_flips

NAN = np.nan


def test_an_interval_says_how_it_was_made() -> None:
    found = interval(np.linspace(0, 1, 1001), confidence=0.9, unit=Unit.SCENES, seed=4)
    assert (found.low, found.high) == pytest.approx((0.05, 0.95))
    assert (found.confidence, found.unit, found.resamples, found.seed, found.undefined) == (0.9, "scenes", 1001, 4, 0)
    assert found.to_table()["unit"] == "scenes"


def test_resamples_without_a_value_are_counted_and_left_out() -> None:
    found = interval(np.array([0.5, NAN, 0.5, NAN]))
    assert (found.low, found.high, found.resamples, found.undefined) == (0.5, 0.5, 4, 2)
    paired = paired_interval(np.array([0.5, NAN, 0.7]), np.array([0.25, 0.1, NAN]))
    assert (paired.low, paired.high, paired.undefined) == (0.25, 0.25, 2)


def test_a_score_without_a_value_anywhere_has_no_interval() -> None:
    with pytest.raises(UsageError) as caught:
        interval(np.array([NAN, NAN]))
    assert caught.value.code == "U262"


def test_other_resamples_cannot_be_paired() -> None:
    with pytest.raises(UsageError) as caught:
        paired_interval(np.ones(3), np.ones(4))
    assert caught.value.code == "U261"


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1, 95, NAN])
def test_a_confidence_out_of_range_is_refused(confidence: float) -> None:
    with pytest.raises(UsageError) as caught:
        interval(np.ones(3), confidence=confidence)
    assert caught.value.code == "U260"


def test_a_paired_interval_is_narrower_than_two_apart() -> None:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=4000)
    a, b = shared + rng.normal(0.1, 0.1, 4000), shared + rng.normal(0, 0.1, 4000)
    paired, single = paired_interval(a, b), interval(a)
    assert paired.high - paired.low < (single.high - single.low) / 4


def test_twelve_differences_of_one_sign_have_the_least_p() -> None:
    found = sign_flip(np.arange(1, 13) / 100)
    assert (found.p, found.least_p, found.exact, found.n, found.flips) == (2 / 4096, 2 / 4096, True, 12, 4096)
    assert least_exact_p(12) == 2 / 4096


def test_the_sign_of_all_differences_does_not_matter() -> None:
    own = np.random.default_rng(1).normal(0.3, 1, 11)
    assert sign_flip(own).p == sign_flip(-own).p == sign_flip(own[::-1]).p == sign_flip(1000 * own).p


def test_sums_that_differ_by_rounding_are_ties() -> None:
    """.1 + .2 − .3 is not 0 in float64, and .1 + .7 not .8: as whole numbers the same test has no such doubt."""
    for whole in ([1, 2, 3, 7, 8, -8, 1], [1, 1, 2, -3, 10, 3, 3, -7]):
        assert sign_flip(np.array(whole) / 10).p == sign_flip(np.array(whole) * 1024.0).p
    assert sign_flip([0.1, 0.2, -0.3]).p == 1.0


def test_differences_of_zero_change_nothing_but_count_as_clips() -> None:
    own = np.array([0.1, 0.25, -0.05, 0.4])
    found = sign_flip(np.concatenate([own, np.zeros(20)]))
    assert (found.p, found.exact, found.n, found.least_p) == (sign_flip(own).p, True, 24, 2 / 16)
    nothing = sign_flip(np.zeros(5))
    assert (nothing.p, nothing.least_p) == (1.0, 1.0)


def test_one_clip_decides_nothing() -> None:
    assert sign_flip([3.0]).p == 1.0


def test_sixteen_are_exact_and_seventeen_are_random() -> None:
    own = np.random.default_rng(2).normal(0.2, 1, 17)
    assert sign_flip(own[:16]).flips == 2**16
    found = sign_flip(own, flips=500)
    assert (found.exact, found.flips, found.least_p) == (False, 500, 1 / 501)
    assert 1 / 501 <= found.p <= 1
    assert (found.p * 501) == pytest.approx(round(found.p * 501))


def test_the_random_test_repeats_with_its_seed_and_is_never_zero() -> None:
    own = np.random.default_rng(3).normal(0.05, 1, 107)
    assert sign_flip(own, seed=1) == sign_flip(own, seed=1)
    assert sign_flip(own, seed=1).p != sign_flip(own, seed=2).p
    assert sign_flip(np.ones(107) + own / 10).p == 1 / 20_001


def test_several_tests_at_once_are_those_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    rows = [rng.normal(0.1, 1, n) for n in (30, 12, 30, 1, 40, 30)] + [np.zeros(4), np.append(rng.normal(size=29), 0)]
    assert sign_flips(rows, seed=2, flips=3000) == [sign_flip(own, seed=2, flips=3000) for own in rows]
    monkeypatch.setattr("vadbench.comparison.permutation._SUMS", 1)
    assert sign_flips(rows, seed=2, flips=3000) == [sign_flip(own, seed=2, flips=3000) for own in rows]
    assert sign_flips([]) == []


def test_the_random_signs_never_change() -> None:
    """Kept tables depend on them, so that another generator or another version of NumPy must not move them."""
    assert sign_flip(np.arange(1, 21) - 7.5, seed=0, flips=1000).p == PINNED


PINNED = 0.04295704295704296


@pytest.mark.parametrize("wrong", [[], [NAN, 1.0], [np.inf]], ids=["none", "nan", "infinite"])
def test_a_test_needs_finite_differences(wrong: list[float]) -> None:
    with pytest.raises(UsageError) as caught:
        sign_flip(wrong)
    assert caught.value.code == "U264"


def test_random_flips_out_of_range_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        sign_flip([1.0], flips=0)
    assert caught.value.code == "U260"


def test_holm_of_105_pairs_leaves_nothing_of_twelve_clips() -> None:
    adjusted = holm(np.full(105, 2 / 4096))
    assert (adjusted > 0.05).all()
    assert holm(np.full(102, 2 / 4096)) == pytest.approx(102 * 2 / 4096)
    assert holm([]).size == 0
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]


def test_rank_ranges_follow_from_the_shares_of_resamples() -> None:
    rows = np.zeros((3, 1000))
    rows[0] = 0.9
    rows[1, :975] = 0.5
    rows[2] = 0.4
    rows[1, 975:] = 0.3
    assert rank_ranges(rows) == [(1, 1), (2, 2), (3, 3)]
    rows[1, 974] = 0.3
    assert rank_ranges(rows) == [(1, 1), (2, 3), (2, 3)]
    assert rank_ranges(rows, confidence=0.9) == [(1, 1), (2, 2), (3, 3)]


def test_equal_rows_share_their_ranks() -> None:
    assert rank_ranges([np.full(10, 0.5)] * 3) == [(1, 3)] * 3
    assert rank_ranges([np.full(10, 0.5)]) == [(1, 1)]
    assert rank_ranges([]) == []


def test_resamples_without_a_value_do_not_decide_ranks() -> None:
    high = np.full(40, 0.9)
    low = np.where(np.arange(40) < 38, NAN, 0.1)
    assert rank_ranges([high, low]) == [(1, 1), (2, 2)]
    assert rank_ranges([high, np.full(40, NAN)]) == [(1, 2), (1, 2)]


def test_rank_ranges_agree_with_paired_intervals() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(rng.normal(0, 1, (30, 1)), 0.5, (30, 400))
    rows[3, rng.integers(0, 400, 50)] = NAN
    ranges = rank_ranges(rows)
    for index, own in enumerate(rows):
        assert ranges[index][0] == 1 + sum(paired_interval(other, own).low > 0 for other in rows)
        assert ranges[index][1] == 30 - sum(paired_interval(own, other).low > 0 for other in rows)


@pytest.mark.parametrize("n_resamples", [200, 201, 400, 1000, 999])
@pytest.mark.parametrize("confidence", [0.95, 0.9])
def test_ranks_and_paired_intervals_agree_at_the_edge(n_resamples: int, confidence: float) -> None:
    """However many resamples lie below 0, and however far: a range and an interval never contradict each other."""
    seen = set()
    for below in range(int(n_resamples * 0.08)):
        for depth in (1e-3, 1.0, 1e3):
            first = np.where(np.arange(n_resamples) < below, -depth, 1.0)
            second = np.zeros(n_resamples)
            above = paired_interval(first, second, confidence=confidence).low > 0
            expected = [(1, 1), (2, 2)] if above else [(1, 2), (1, 2)]
            assert rank_ranges([first, second], confidence=confidence) == expected
            seen.add(above)
    assert seen == {True, False}


def test_rounding_ranks_nobody() -> None:
    own = np.random.default_rng(6).random(1000)
    assert rank_ranges([own, own + 3e-16, own + 2e-10]) == [(1, 3)] * 3
    assert rank_ranges([own, own + 1e-6]) == [(2, 2), (1, 1)]
    assert paired_interval(own + 2e-10, own).holds_zero
    assert not paired_interval(own + 1e-6, own).holds_zero


def test_five_hundred_rows_are_ranked_at_once() -> None:
    rows = np.random.default_rng(5).normal(size=(500, 1000))
    began = time.perf_counter()
    rank_ranges(rows)
    assert time.perf_counter() - began < 3
