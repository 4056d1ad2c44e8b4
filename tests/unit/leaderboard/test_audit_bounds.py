"""Theorems of docs/audit.md against detectors: no made detector breaks a bound, and some reach it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from leaderboard.audit import readings
from leaderboard.audit.bounds import Bound
from leaderboard.audit.checks import check_row
from leaderboard.audit.curve_bounds import (
    greatest_ap_of_auroc,
    greatest_ap_of_best_f1,
    greatest_aupro_of_best_f1,
    greatest_auroc_of_best_f1,
    least_ap_of_auroc,
    least_ap_of_f1,
    least_auroc_of_f1,
    least_shared_score,
    pool_bounds,
    pr_auc_bounds,
)
from leaderboard.audit.findings import Verdict
from leaderboard.audit.frame_bounds import GREATEST_AP_PER_F1
from leaderboard.audit.mask_bounds import mask_bounds
from leaderboard.audit.mask_search import Mask, MaskPool, find_mask, least_error, reach
from leaderboard.audit.printed import SLACK, Span, printed_span
from leaderboard.audit.region_shares import RegionShares
from leaderboard.audit.truth_facts import PixelFacts, TruthFacts
from vadbench.masks import label_components
from vadbench.metrics import pixel_f1_at, pixel_metrics, pixel_pr_auc

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A made truth, scores on it, and what vadbench says of them."""

    truth: NDArray[np.bool_]
    scores: Array
    facts: TruthFacts
    auroc: float
    ap: float
    aupro: float
    pr_auc: float
    best_f1: float
    f1_at_cut: float

    @property
    def pixels(self) -> PixelFacts:
        assert self.facts.pixels is not None
        return self.facts.pixels


def made_truth(random: np.random.Generator) -> NDArray[np.bool_]:
    """A few frames, each with some boxes or single pixels, at least one of each class overall."""
    frames, height, width = int(random.integers(1, 4)), int(random.integers(3, 9)), int(random.integers(3, 9))
    truth = random.random((frames, height, width)) < random.choice([0.0, 0.02, 0.3])
    for _ in range(int(random.integers(1, 4))):
        t, y, x = (int(random.integers(n)) for n in truth.shape)
        truth[t, y : y + int(random.integers(1, 5)), x : x + int(random.integers(1, 5))] = True
    truth.reshape(-1)[int(random.integers(truth.size))] = False
    truth[0, 0, 0] = True
    truth[0, -1, -1] = False
    return np.asarray(truth, dtype=np.bool_)


def made_scores(random: np.random.Generator, truth: NDArray[np.bool_], kinds: tuple[str, ...]) -> Array:
    """Scores that follow the truth, run against it, or neither, on few or many levels."""
    kind = str(random.choice(kinds))
    noise = random.random(truth.shape)
    if kind == "mask":
        found, false = random.random() ** 2, random.random() ** 3
        return np.where(truth, noise < found, noise < false).astype(np.float64)
    signed = float(random.choice([-1, 0, 0.3, 1, 3])) * truth + float(random.choice([0.2, 1, 3])) * noise
    if kind == "levels":
        return np.floor(signed * float(random.choice([1, 2, 5])))
    if kind == "found-first":
        return np.where(truth & (noise < random.random()), 2.0 + signed, random.random() * np.where(truth, -1, 1))
    return np.asarray(signed)


def facts_of(truth: NDArray[np.bool_]) -> TruthFacts:
    sizes = truth.reshape(len(truth), -1).sum(1)
    components = [np.bincount(label_components(mask)[0].ravel())[1:] for mask in truth if mask.any()]
    pixels = PixelFacts(
        truth.size, int(truth.sum()), truth[0].size, sizes[sizes > 0], np.sort(np.concatenate(components))
    )
    return TruthFacts("made", "made", pixels, None)


def made_cases(seed: int, n: int, *kinds: str) -> Iterator[Case]:
    random = np.random.default_rng(seed)
    for _ in range(n):
        truth = made_truth(random)
        scores = made_scores(random, truth, kinds)
        values = pixel_metrics(truth, scores)
        cut = float(random.choice(np.unique(scores)))
        yield Case(
            truth=truth,
            scores=scores,
            facts=facts_of(truth),
            auroc=values.auroc,
            ap=values.average_precision,
            aupro=values.aupro,
            pr_auc=pixel_pr_auc(truth, scores),
            best_f1=values.f1.value,
            f1_at_cut=pixel_f1_at(truth, scores, cut),
        )


def exactly(**values: float) -> dict[str, Span]:
    return {key: Span(value, value) for key, value in values.items()}


def assert_kept(bounds: list[Bound], spans: dict[str, Span]) -> None:
    for bound in bounds:
        assert bound.reachable.distance(spans[bound.target]) <= SLACK, bound


def test_no_scores_break_a_bound_of_one_pool() -> None:
    for case in made_cases(1, 400, "levels", "levels", "smooth", "found-first", "mask"):
        p = case.pixels.prevalence
        regions = RegionShares.of_sizes(case.pixels.component_sizes)
        best = exactly(pixel_auroc=case.auroc, pixel_ap=case.ap, pixel_aupro=case.aupro, pixel_f1=case.best_f1)
        assert_kept(pool_bounds(best, Span(p, p), best_f1=True, regions=regions), best)
        trapezoid = {**best, "pixel_aupro": Span(case.pr_auc, case.pr_auc)}
        assert_kept(pool_bounds(trapezoid, Span(p, p), best_f1=True, pr_auc=True), trapezoid)
        at_cut = {**trapezoid, "pixel_f1": Span(case.f1_at_cut, case.f1_at_cut)}
        assert_kept(pool_bounds(at_cut, Span(p, p), best_f1=False, pr_auc=True), at_cut)
        assert case.ap <= GREATEST_AP_PER_F1 * case.best_f1 + SLACK


def test_no_printed_row_of_a_detector_is_called_impossible_in_one_pool() -> None:
    for index, case in enumerate(made_cases(2, 120, "levels", "smooth", "found-first")):
        decimals = index % 3
        for reading, aupro, f1 in (
            (readings.POOLED_SOFT, case.aupro, case.best_f1),
            (readings.POOLED_SOFT_PR_AUC, case.pr_auc, case.best_f1),
            (readings.POOLED_SOFT_CUT, case.pr_auc, case.f1_at_cut),
        ):
            cells = printed(case, aupro, f1, decimals)
            check = check_row(reading, cells, case.facts)
            assert check.verdict is Verdict.CONSISTENT, (cells, check)


def test_no_printed_row_of_a_mask_is_called_impossible() -> None:
    for index, case in enumerate(made_cases(3, 90, "mask")):
        of_mask = pixel_f1_at(case.truth, case.scores, 0)
        anomalous = case.truth.any((1, 2))
        for f1 in (case.best_f1, of_mask):
            for reading, aupro in ((readings.POOLED_MASKS, case.aupro), (readings.POOLED_MASKS_PR_AUC, case.pr_auc)):
                cells = printed(case, aupro, f1, index % 3)
                check = check_row(reading, cells, case.facts)
                assert check.verdict is Verdict.CONSISTENT, (cells, check)
        if anomalous.all():
            cells = printed(case, case.pr_auc, of_mask, 2)
            assert check_row(readings.ANOMALOUS_MASKS_PR_AUC, cells, case.facts).verdict is Verdict.CONSISTENT


def test_bounds_of_masks_hold_and_their_search_finds_the_mask() -> None:
    for case in made_cases(4, 80, "mask"):
        p = case.pixels.prevalence
        pool = MaskPool(Span(p, p))
        spans = exactly(pixel_auroc=case.auroc, pixel_ap=case.ap, pixel_aupro=case.pr_auc, pixel_f1=case.best_f1)
        assert_kept(mask_bounds(spans, pool), spans)
        wide = {key: span.widened(0.002) for key, span in spans.items()}
        found = find_mask(wide, pool)
        assert found is None or isinstance(found, Mask)
        given = {key: wide[key] for key in ("pixel_auroc", "pixel_f1")}
        reachable = reach("pixel_ap", given, pool)
        assert reachable is not None
        assert reachable.low - SLACK <= case.ap <= reachable.high + SLACK


def printed(case: Case, aupro: float, f1: float, decimals: int) -> dict[str, str]:
    values = {"pixel_auroc": case.auroc, "pixel_ap": case.ap, "pixel_aupro": aupro, "pixel_f1": f1}
    return {key: f"{100 * value:.{decimals}f}" for key, value in values.items()}


def test_few_levels_make_pr_auc_exceed_ap_and_no_more_than_theorem_17_says() -> None:
    greatest = 0.0
    for case in made_cases(5, 150, "levels", "mask", "found-first"):
        own = case.scores[case.truth]
        shared = np.unique(own, return_counts=True)[1].max() / own.size
        gap = case.pr_auc - case.ap
        greatest = max(greatest, gap)
        if gap > 0:
            assert least_shared_score(gap, own.size) <= shared + SLACK
    assert greatest > 0.2


def made_curve(random: np.random.Generator) -> tuple[float, dict[str, Span], float, float]:
    """Prevalence, the four numbers of a random curve of up to 8 levels, F1 at one of them, and the largest level."""
    n, p = int(random.integers(1, 9)), 10 ** random.uniform(-3.5, -0.05)
    found = random.dirichlet(np.full(n, 10 ** random.uniform(-1, 1)))
    false = random.dirichlet(np.full(n, 10 ** random.uniform(-1.5, 0.5)))
    false = np.sort(false) if random.random() < 0.5 else false
    recall, rate = np.cumsum(found), np.cumsum(false)
    flagged = recall + rate * (1 - p) / p
    precision = recall / np.maximum(flagged, 1e-300)
    f1 = 2 * recall / (1 + flagged)
    auroc = 1 - np.sum(found * (rate + np.append(0, rate[:-1])) / 2)
    ap = np.sum(found * precision)
    pr_auc = np.sum(found * (precision + np.append(1, precision[:-1])) / 2)
    spans = exactly(pixel_auroc=float(auroc), pixel_ap=float(ap), pixel_aupro=float(pr_auc), pixel_f1=float(f1.max()))
    return p, spans, float(f1[random.integers(n)]), float(found.max())


def test_no_curve_breaks_a_bound_whatever_its_levels_and_prevalence() -> None:
    random = np.random.default_rng(6)
    for _ in range(3000):
        p, spans, at_cut, _ = made_curve(random)
        assert_kept(pool_bounds(spans, Span(p, p), best_f1=True, pr_auc=True), spans)
        own = {**spans, "pixel_f1": Span(at_cut, at_cut)}
        assert_kept(pool_bounds(own, Span(p, p), best_f1=False, pr_auc=True), own)


# --- bounds that some detector reaches: a tighter one would be wrong


def pooled(groups: list[tuple[int, int]]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Truth and scores of groups of (anomalous, normal) pixels, the highest score first."""
    truth = np.concatenate([np.repeat([True, False], group) for group in groups])
    scores = np.repeat(np.arange(len(groups), 0, -1), [sum(group) for group in groups])
    return truth.reshape(1, 1, -1), scores.reshape(1, 1, -1)


def along_constant_f1(f1: float, n_positive: int, n_negative: int) -> list[tuple[int, int]]:
    """Pixels in the order that keeps F1 at its best once recall has come to a = F/(2 − F)."""
    a = f1 / (2 - f1)
    false = [
        min(n_negative, int(np.ceil(max(0.0, (k / n_positive) / a - 1) * n_positive))) for k in range(1, n_positive + 1)
    ]
    steps = [(1, int(step)) for step in np.diff([0, *false])]
    return [*steps, (0, n_negative - false[-1])] if false[-1] < n_negative else steps


@pytest.mark.parametrize("f1", [0.1, 0.5, 0.8])
def test_theorems_2_and_3_are_reached(f1: float) -> None:
    n_positive, n_negative = 2000, 100_000
    truth, scores = pooled(along_constant_f1(f1, n_positive, n_negative))
    values = pixel_metrics(truth, scores)
    assert values.f1.value == pytest.approx(f1, abs=2e-3)
    assert values.average_precision == pytest.approx(greatest_ap_of_best_f1(values.f1.value), abs=2e-3)
    limit = greatest_auroc_of_best_f1(values.f1.value, n_positive / (n_positive + n_negative))
    assert limit - 2e-3 < values.auroc <= limit


@pytest.mark.parametrize("recall", [0.05, 0.4, 0.9])
def test_theorems_4_5_and_6_are_reached(recall: float) -> None:
    n_positive, n_negative = 1000, 50_000
    found = int(recall * n_positive)
    rest = (n_positive - found, 0)
    p = n_positive / (n_positive + n_negative)
    perfect_then_worst = pixel_metrics(*pooled([(found, 0), (0, n_negative), rest]))
    auroc = perfect_then_worst.auroc
    assert perfect_then_worst.average_precision == pytest.approx(auroc + p * (1 - auroc))
    assert auroc == pytest.approx(least_auroc_of_f1(2 * recall / (1 + recall), p))
    best_of_f1 = 2 * recall / (1 + recall)
    a = best_of_f1 / (2 - best_of_f1)
    least = min(
        pixel_metrics(*pooled([(0, n), *[(1, 0)] * k, (0, n_negative - n), (n_positive - k, 0)])).average_precision
        for k in np.linspace(a * n_positive, n_positive, 40).astype(int)
        if (n := int((k / n_positive / a - 1) * n_positive)) <= n_negative
    )
    assert least_ap_of_f1(best_of_f1) <= least <= least_ap_of_f1(best_of_f1) + 1.5 * p + 2e-3


def test_theorem_9_is_reached_where_small_regions_come_first() -> None:
    f1, height = 0.2, 400
    sizes = np.array([1, 2, 4, 8, 16, 32, 64, 128])
    truth = np.zeros((1, height, 200), dtype=bool)
    scores = np.zeros(truth.shape)
    n_positive, n_negative = int(sizes.sum()), truth.size - int(sizes.sum())
    order: list[tuple[int, int]] = []
    for region, size in enumerate(sizes):
        truth[0, 2 * region, :size] = True
        order += [(2 * region, x) for x in range(size)]
    normal = iter(np.argwhere(~truth[0]))
    level = n_positive + 1
    for (y, x), (_, false) in zip(order, along_constant_f1(f1, n_positive, n_negative), strict=False):
        level -= 1
        scores[0, y, x] = level
        for _ in range(false):
            scores[0][tuple(next(normal))] = level
    values = pixel_metrics(truth, scores)
    p = n_positive / truth.size
    limit = greatest_aupro_of_best_f1(values.f1.value, p, RegionShares.of_sizes(sizes), 0.3)
    assert limit - 0.02 < values.aupro <= limit


def test_the_constant_of_theorem_10_is_just_above_the_maximum() -> None:
    x = np.linspace(1e-6, 1, 1_000_001)
    values = 1 + x / 2 * np.log((2 - x) / x)
    greatest = float(values.max())
    assert greatest < GREATEST_AP_PER_F1 < greatest + 1e-4
    documentation = (Path(__file__).parents[3] / "docs" / "audit.md").read_text("utf-8")
    assert f"is {greatest:.5f}, at F = {x[values.argmax()]:.5f}".replace("= 0.", "= .") in documentation


def test_bounds_of_one_pool_have_their_constants() -> None:
    """A literal value each: a weaker or a wrong constant would pass tests that only draw detectors."""
    assert greatest_ap_of_best_f1(0.5) == pytest.approx(0.637327, abs=1e-6)
    assert greatest_auroc_of_best_f1(0.5, 0.1) == pytest.approx(25 / 27)
    assert least_auroc_of_f1(0.5, 0.1) == pytest.approx(1 / 3)
    assert least_auroc_of_f1(0.5, 0.25) == pytest.approx(1 / 3)
    assert least_auroc_of_f1(0.2, 0.05) == pytest.approx(1 / 9)
    assert least_auroc_of_f1(0.8, 0.5) == pytest.approx(0.5)
    assert least_ap_of_f1(0.5) == pytest.approx(0.1516, abs=3e-4)
    assert greatest_ap_of_auroc(0.9, 0.1) == pytest.approx(0.91)
    assert least_ap_of_auroc(0.9, 0.01) == pytest.approx(0.0218938, abs=1e-7)
    assert least_shared_score(0.1, 1000) == pytest.approx(0.0536633, abs=1e-7)
    (trapezoid,) = pr_auc_bounds(Span(0.4, 0.4))
    assert (trapezoid.reachable.low, trapezoid.reachable.high) == pytest.approx((0.2, 0.7))
    # One region: its flagged share is the recall.
    assert greatest_aupro_of_best_f1(0.5, 0.1, RegionShares.of_sizes([7]), 0.3) == pytest.approx(61 / 81)
    spans = exactly(pixel_f1=0.5)
    (first,) = pool_bounds(spans, Span(0.1, 0.1), best_f1=True)
    assert first.theorem == 1
    assert first.reachable.low == pytest.approx(2 / 11)


def test_bounds_of_one_mask_have_their_constants() -> None:
    spans = exactly(pixel_auroc=0.75, pixel_ap=0.5, pixel_aupro=0.5, pixel_f1=0.5)
    bounds = mask_bounds(spans, MaskPool(Span(0.1, 0.1)))
    pairs = [("pixel_f1", "pixel_auroc"), ("pixel_ap", "pixel_auroc"), ("pixel_ap", "pixel_f1")]
    assert [(bound.target, *bound.given) for bound in bounds] == [*pairs, ("pixel_aupro", "pixel_f1")]
    ends = [end for bound in bounds for end in (bound.reachable.low, bound.reachable.high)]
    assert ends == pytest.approx([4 / 13, 2 / 3, 0, 0.55, 0.25, 0.4, 0.5, 0.7])


def test_a_large_tie_at_0_among_many_levels_makes_the_gap_of_theorem_17() -> None:
    truth = np.zeros((1, 100, 1000), dtype=bool)
    truth.reshape(-1)[:1200] = True
    scores = np.zeros(truth.shape)
    scores.reshape(-1)[:732] = np.arange(732, 0, -1)
    gap = pixel_pr_auc(truth, scores) - pixel_metrics(truth, scores).average_precision
    assert np.unique(scores).size > 700
    assert 0.19 < gap < 0.195
    assert least_shared_score(gap, 1200) <= 0.39
    text = (Path(__file__).parents[3] / "docs" / "audit.md").read_text("utf-8")
    assert "must have few levels" not in text
    assert "everything clipped at 0" in text


# --- the search over masks


def test_a_mask_that_does_not_exist_is_excluded_with_the_least_error() -> None:
    p = 0.01
    pool = MaskPool(Span(p, p))
    recall, rate = 0.6, 0.02
    c = (1 - p) / p
    precision = recall / (recall + c * rate)
    spans = exactly(
        pixel_auroc=(1 + recall - rate) / 2,
        pixel_ap=recall * precision + (1 - recall) * p,
        pixel_f1=2 * recall * precision / (recall + precision),
    )
    assert find_mask({key: span.widened(1e-4) for key, span in spans.items()}, pool)
    off = {**spans, "pixel_ap": Span(spans["pixel_ap"].low + 0.05, spans["pixel_ap"].low + 0.05)}
    assert find_mask(off, pool) is False
    error = least_error(off, pool)
    assert 0.001 < error < 0.05
    assert find_mask({key: span.widened(error * 1.01 + 1e-4) for key, span in off.items()}, pool) is not False


def test_region_shares_are_those_of_filling_small_and_large_regions_first() -> None:
    shares = RegionShares.of_sizes([6, 1, 3])
    np.testing.assert_allclose(shares.greatest([0, 0.1, 0.4, 0.7, 1]), [0, 1 / 3, 2 / 3, 5 / 6, 1])
    np.testing.assert_allclose(shares.least([0, 0.3, 0.6, 0.9, 1]), [0, 1 / 6, 1 / 3, 2 / 3, 1])


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("51.20", 0.51195, 0.51205),
        ("5.8", 0.0575, 0.0585),
        ("74", 0.735, 0.745),
        ("0.00", 0, 0.00005),
        ("100", 0.995, 1),
    ],
)
def test_printed_numbers_are_intervals_of_half_a_unit(text: str, low: float, high: float) -> None:
    assert printed_span(text) == Span(low, high)
