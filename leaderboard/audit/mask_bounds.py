"""Bounds for one binary mask over a pool of pixels, by theorems 12 and 13 of docs/audit.md."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from leaderboard.audit.bounds import NAMES, Bound, is_broken, listed, points, violations_of
from leaderboard.audit.curve_bounds import lone_rate, odds
from leaderboard.audit.findings import Violation
from leaderboard.audit.mask_search import MaskPool, least_error, reach
from leaderboard.audit.printed import SLACK, Span, Spans

_SEARCH = "every mask over the pool, by recall and false-positive rate"


def f1_of_auroc(auroc: Span, prevalence: Span) -> Span:
    """F1 of masks with that AUROC: with d = 2·AUROC − 1 and f = R − d monotone in R, so the ends decide."""
    high = max(_f1(recall, 2 * auroc.high - 1, prevalence.high) for recall in _ends_of_recall(2 * auroc.high - 1))
    low = min(_f1(recall, 2 * auroc.low - 1, prevalence.low) for recall in _ends_of_recall(2 * auroc.low - 1))
    return Span(low, max(high, flag_all(prevalence.high)))


def _ends_of_recall(difference: float) -> tuple[float, float]:
    """Least and greatest recall of masks whose recall exceeds their false-positive rate by `difference`."""
    return max(difference, 0.0), min(1.0, 1 + difference)


def _f1(recall: float, difference: float, prevalence: float) -> float:
    return 2 * recall / (1 + recall + odds(prevalence) * max(0.0, recall - difference)) if recall > 0 else 0.0


def flag_all(prevalence: float) -> float:
    """F1 of flagging everything, which is one of the thresholds where F1 is the best of them."""
    return 2 * prevalence / (1 + prevalence)


def greatest_ap_of_auroc(auroc: float, prevalence: float) -> float:
    """Greatest AP of masks with that AUROC: d + (1 − d)p, d = 2·AUROC − 1; p below AUROC ½, where P ≤ p."""
    difference = max(0.0, 2 * auroc - 1)
    return difference + (1 - difference) * prevalence


def ap_of_f1(f1: Span, prevalence: Span) -> Span:
    """AP of masks with that F1: from F² to a + (1 − a)p, a = F/(2 − F)."""
    a = lone_rate(f1.high)
    # Where F1 may be that of flagging everything, the mask's own can be anything below it.
    least = f1.low**2 if f1.low > flag_all(prevalence.high) + SLACK else 0.0
    return Span(least, a + (1 - a) * prevalence.high)


def pr_auc_of_f1(f1: Span, prevalence: Span) -> Span:
    """PR-AUC of masks with that F1: from F to ½(1 + a + (1 − a)p)."""
    a = lone_rate(f1.high)
    least = f1.low if f1.low > flag_all(prevalence.high) + SLACK else 0.0
    return Span(least, (1 + a + (1 - a) * prevalence.high) / 2)


def mask_bounds(spans: Spans, pool: MaskPool) -> list[Bound]:
    """Bounds between two metrics each."""
    auroc, ap, f1 = (spans.get(key) for key in ("pixel_auroc", "pixel_ap", "pixel_f1"))
    bounds: list[Bound] = []
    if auroc is not None and f1 is not None:
        text = "AUROC = (1 + R − f)/2, F1 = 2R/(1 + R + cf)"
        bounds.append(Bound(12, "pixel_f1", ("pixel_auroc",), text, f1_of_auroc(auroc, pool.prevalence)))
    if auroc is not None and ap is not None:
        reachable = Span(0, greatest_ap_of_auroc(auroc.high, pool.prevalence.high))
        bounds.append(Bound(12, "pixel_ap", ("pixel_auroc",), "AP ≤ d + (1 − d)p, d = 2·AUROC − 1", reachable))
    if f1 is not None and ap is not None:
        text = "F1² ≤ AP ≤ a + (1 − a)p, a = F1/(2 − F1)"
        bounds.append(Bound(12, "pixel_ap", ("pixel_f1",), text, ap_of_f1(f1, pool.prevalence)))
    if f1 is not None and "pixel_aupro" in spans and pool.regions is None:
        text = "F1 ≤ PR-AUC ≤ ½(1 + a + (1 − a)p), a = F1/(2 − F1)"
        bounds.append(Bound(12, "pixel_aupro", ("pixel_f1",), text, pr_auc_of_f1(f1, pool.prevalence)))
    return bounds


def mask_violations(
    cells: Mapping[str, str], spans: Spans, pool: MaskPool, wider: MaskPool | None = None
) -> tuple[Violation, ...]:
    """Why no mask has the numbers of a row, given that the search found none: the fewest numbers that exclude it.

    With `wider`, a pool of other prevalences whose masks the search has excluded too, the fewest that exclude those.
    """
    strictest = pool if wider is None else wider
    wider_bounds = mask_bounds(spans, strictest)
    of_two = violations_of(mask_bounds(spans, pool), cells, spans, wider_bounds)
    if of_two and (wider is None or any(is_broken(bound, spans) for bound in wider_bounds)):
        return of_two
    for n_given in range(2, len(spans)):
        found: list[Violation] = []
        for target in spans:
            for given in combinations([key for key in spans if key != target], n_given):
                reachable = reach(target, {key: spans[key] for key in given}, pool)
                if reachable is None:
                    continue
                distance = reachable.distance(spans[target])
                if distance > SLACK and _stands(target, given, spans, wider):
                    found.append(_of_search(target, given, reachable, distance, cells))
        if found:
            return (*sorted(found, key=lambda one: -one.margin), *of_two)
    error = 100 * least_error(spans, pool)
    sentence = f"no mask has {listed(spans, cells)} at once: some number would have to be off by more than {error:.2f}"
    return (Violation(13, tuple(spans), _SEARCH, sentence, error), *of_two)


def _stands(target: str, given: tuple[str, ...], spans: Spans, wider: MaskPool | None) -> bool:
    """Whether a number is out of reach in the wider pool too."""
    if wider is None:
        return True
    reachable = reach(target, {key: spans[key] for key in given}, wider)
    return reachable is not None and reachable.distance(spans[target]) > SLACK


def _of_search(
    target: str, given: tuple[str, ...], reachable: Span, distance: float, cells: Mapping[str, str]
) -> Violation:
    low, high = points(reachable.low, up=False), points(reachable.high, up=True)
    sentence = f"{listed(given, cells)} leave {NAMES[target]} between {low} and {high}; printed {cells[target]}"
    return Violation(13, (target, *given), _SEARCH, sentence, 100 * distance)
