"""Bounds: what a printed number can be at least and at most, given others of its row; and which a row breaks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from leaderboard.audit.findings import Violation
from leaderboard.audit.printed import SLACK, Span, Spans

NAMES = {
    "pixel_auroc": "AUROC",
    "pixel_ap": "AP",
    "pixel_aupro": "AUPRO",
    "pixel_f1": "F1",
    "rbdc": "RBDC",
    "tbdc": "TBDC",
}
"""Short names of the metrics in sentences and formulas."""


@dataclass(frozen=True)
class Bound:
    """What every detector keeps to.

    Parameters
    ----------
    theorem : int
        Number in docs/audit.md.
    target : str
        Key of the metric that is bounded.
    given : tuple of str
        Keys of the metrics that the bound follows from; none where it follows from the truth alone.
    inequality : str
        As a formula.
    reachable : Span
        What the target can be, for some numbers within the rounding of the given ones.
    """

    theorem: int
    target: str
    given: tuple[str, ...]
    inequality: str
    reachable: Span


def violations_of(
    bounds: Iterable[Bound], cells: Mapping[str, str], spans: Spans, wider: Iterable[Bound] = ()
) -> tuple[Violation, ...]:
    """Bounds that a row breaks: those that stand for other masks first, then of fewest metrics, then by margin.

    Parameters
    ----------
    bounds : iterable of Bound
        Made of `spans`.
    cells : mapping from metric to str
        As printed.
    spans : mapping from metric to Span
        What the cells may have been before rounding.
    wider : iterable of Bound
        The same bounds for masks of another prevalence, as far as a verdict has to stand for them.
    """
    robust = {(bound.theorem, bound.target, bound.given) for bound in wider if is_broken(bound, spans)}
    broken = [
        (
            (bound.theorem, bound.target, bound.given) not in robust,
            _violation(bound, cells, bound.reachable.distance(spans[bound.target])),
        )
        for bound in bounds
        if is_broken(bound, spans)
    ]
    ranked = sorted(broken, key=lambda one: (one[0], len(one[1].metrics), -one[1].margin, one[1].theorem))
    return tuple(violation for _, violation in ranked)


def is_broken(bound: Bound, spans: Spans) -> bool:
    """Whether no number within the rounding of the target is within reach."""
    return bound.reachable.distance(spans[bound.target]) > SLACK


def _violation(bound: Bound, cells: Mapping[str, str], distance: float) -> Violation:
    above = float(cells[bound.target]) / 100 > bound.reachable.high
    limit = bound.reachable.high if above else bound.reachable.low
    name, printed = NAMES[bound.target], cells[bound.target]
    most = f"{'at most' if above else 'at least'} {points(limit, up=above)}"
    if not bound.given:
        sentence = f"{name} is {most}; printed {printed}"
    elif above:
        verb = "allows" if len(bound.given) == 1 else "allow"
        sentence = f"{listed(bound.given, cells)} {verb} {name} {most}; printed {printed}"
    else:
        verb = "asks" if len(bound.given) == 1 else "ask"
        sentence = f"{listed(bound.given, cells)} {verb} for {name} {most}; printed {printed}"
    return Violation(bound.theorem, (bound.target, *bound.given), bound.inequality, sentence, 100 * distance)


def listed(metrics: Iterable[str], cells: Mapping[str, str]) -> str:
    """Metrics with their printed numbers, such as ``AUROC 51.02 and F1 2.61``."""
    words = [f"{NAMES[key]} {cells[key]}" for key in metrics]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def points(fraction: float, *, up: bool) -> str:
    """A limit in per cent with two decimals, rounded away from what it excludes: upper limits up, lower ones down."""
    scaled = 10_000 * fraction
    # A limit that is a whole number of hundredths up to the errors of float64 stays that number.
    near = round(scaled)
    whole = near if abs(scaled - near) < 1e-6 else (math.ceil(scaled) if up else math.floor(scaled))
    return f"{whole / 100:.2f}"
