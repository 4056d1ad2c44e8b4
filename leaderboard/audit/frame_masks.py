"""Whether the mean over anomalous frames of one binary mask each can have several printed numbers.

A mean over frames is a mixture of single frames, some of them silent (no pixel flagged, every metric 0). A linear
programme looks for a mixture with the printed numbers; where it finds none, its dual is a sum of the metrics that the
printed numbers exceed, and a search over every single frame proves that no frame does.
Source: docs/audit.md, theorem 15.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from leaderboard.audit.bounds import points
from leaderboard.audit.printed import Span, Spans

METRICS = ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1")
"""In the order of weights and points; ``pixel_aupro`` is the area under precision-recall."""

_LEVELS = 40
_MOST_BOXES = 150_000
_ROUNDING = 1e-9
_CLOSE = 1e-6
_LEAST_WEIGHT = 0.05
_ENOUGH = 0.75
_MOST_ANOMALOUS = 1 - 1e-9

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FrameMixture:
    """Frames whose mean has the numbers.

    Parameters
    ----------
    silent : float
        Share of silent frames.
    recall, precision : float
        Means over the others.
    """

    silent: float
    recall: float
    precision: float


@dataclass(frozen=True)
class FrameBound:
    """A sum of the metrics that no mean over frames exceeds, and that the printed numbers do.

    Parameters
    ----------
    weights : tuple of float
        One each of `METRICS`.
    limit : float
        Greatest sum that frames reach; as a fraction.
    printed : float
        Least sum that the printed numbers may have had before rounding.
    """

    weights: tuple[float, ...]
    limit: float
    printed: float

    @property
    def error(self) -> float:
        """By how much some number has to be off at least; as a fraction."""
        return (self.printed - self.limit) / sum(map(abs, self.weights))


def find_frames(
    spans: Spans, prevalences: NDArray[np.float64], *, tolerance: float = 0.0
) -> FrameMixture | FrameBound | None:
    """Look for frames whose mean has the printed numbers, or for a proof that there are none.

    Parameters
    ----------
    spans : mapping from metric to Span
        All of `METRICS`.
    prevalences : (F,) float64
        Share of anomalous pixels of each frame, in (0, 1). Only the least, the greatest and the mean are used.
    tolerance : float
        By which share the prevalences may be off, to either side, frame by frame.

    Returns
    -------
    FrameMixture, FrameBound or None
        A mixture, a proof, or None where the programme found no mixture on its grid and no proof either.
    """
    mean = float(prevalences.mean())
    share = Prevalences(
        (1 - tolerance) * float(prevalences.min()),
        min((1 + tolerance) * float(prevalences.max()), _MOST_ANOMALOUS),
        Span((1 - tolerance) * mean, (1 + tolerance) * mean),
    )
    grid = _grid(share)
    lows, highs = (np.array([getattr(spans[key], end) for key in METRICS]) for end in ("low", "high"))
    error, shares, duals = _nearest(grid, lows, highs)
    if shares is None:
        return None
    if error <= _ROUNDING:
        return grid.mixture(_most_silent(grid, lows, highs, shares))
    return _proof(duals, error, lows, highs, grid.prevalences)


@dataclass(frozen=True)
class Prevalences:
    """Share of anomalous pixels: the least and the greatest of a frame, and what the mean over frames can be."""

    least: float
    greatest: float
    mean: Span


@dataclass(frozen=True)
class _Grid:
    """Single frames: (n,) each, `values` (n, 4) in the order of `METRICS`."""

    recall: Floats
    precision: Floats
    values: Floats
    own_prevalence: Floats
    silent: NDArray[np.bool_]
    prevalences: Prevalences

    def mixture(self, shares: Floats) -> FrameMixture:
        loud = np.where(self.silent, 0.0, shares)
        total = max(float(loud.sum()), _ROUNDING)
        silent = float(np.clip(shares[self.silent].sum(), 0, 1))
        return FrameMixture(silent, float(loud @ self.recall) / total, float(loud @ self.precision) / total)


def _nearest(grid: _Grid, lows: Floats, highs: Floats) -> tuple[float, Floats | None, Floats]:
    """Least error of a mixture, its shares, and the weights (5,) of the metrics and of the prevalence that prove it."""
    from scipy.optimize import linprog

    n = grid.own_prevalence.size
    # Variables: the share of each frame, then by how much the numbers are off, which is made least.
    off = np.append(np.ones(2 * len(METRICS)), [0.0, 0.0])
    solved = linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=np.hstack([_both_sides(grid), -off[:, None]]),
        b_ub=_limits(grid, lows, highs),
        A_eq=[np.append(np.ones(n), 0)],
        b_eq=[1.0],
        method="highs",
    )
    if solved.status != 0:
        return 0.0, None, np.zeros(5)
    above, below = np.split(solved.ineqlin.marginals[:-2], 2)
    weights = np.append(above - below, solved.ineqlin.marginals[-2] - solved.ineqlin.marginals[-1])
    return float(solved.fun), np.asarray(solved.x[:n]), weights


def _both_sides(grid: _Grid) -> Floats:
    """Rows of a programme that bound the metrics and the mean prevalence from above and from below, (10, n)."""
    return np.vstack([grid.values.T, -grid.values.T, grid.own_prevalence, -grid.own_prevalence])


def _limits(grid: _Grid, lows: Floats, highs: Floats) -> Floats:
    mean = grid.prevalences.mean
    return np.concatenate([highs, -lows, [mean.high, -mean.low]])


def _most_silent(grid: _Grid, lows: Floats, highs: Floats, known: Floats) -> Floats:
    """Shares of a mixture with the numbers that has as many silent frames as can be: the plainest example."""
    from scipy.optimize import linprog

    solved = linprog(
        -grid.silent.astype(np.float64),
        A_ub=_both_sides(grid),
        b_ub=_limits(grid, lows, highs) + _ROUNDING,
        A_eq=[np.ones(known.size)],
        b_eq=[1.0],
        method="highs",
    )
    return np.asarray(solved.x) if solved.status == 0 else known


def _proof(duals: Floats, error: float, lows: Floats, highs: Floats, prevalences: Prevalences) -> FrameBound | None:
    """The dual, rounded so that it can be printed, and proved for every single frame.

    First without weights that are next to nothing: a metric in the sum should say something.
    """
    scaled = duals / np.abs(duals[: len(METRICS)]).max()
    telling = np.where(np.abs(scaled) < _LEAST_WEIGHT, 0.0, scaled)
    # The weight of the prevalence is no metric's.
    telling[-1] = scaled[-1]
    found: list[FrameBound] = []
    for tried in (telling, scaled) if (telling != scaled).any() else (scaled,):
        for sign in (1, -1):
            for decimals in (1, 2, 3):
                weights, of_prevalence = np.round(sign * tried[:-1], decimals), float(np.round(sign * tried[-1], 4))
                bound = _proved(weights, of_prevalence, error, lows, highs, prevalences)
                if bound.error > _ROUNDING:
                    found.append(bound)
                if bound.error > _ENOUGH * error:
                    return bound
    return max(found, key=lambda bound: bound.error, default=None)


def _proved(
    weights: Floats, of_prevalence: float, error: float, lows: Floats, highs: Floats, prevalences: Prevalences
) -> FrameBound:
    """A sum with its limit: the greatest of any frame, less what the mean prevalence takes off for certain."""
    printed = float(np.sum(np.where(weights > 0, weights * lows, weights * highs)))
    of_mean = min(of_prevalence * prevalences.mean.low, of_prevalence * prevalences.mean.high)
    enough = printed - error * float(np.abs(weights).sum()) + of_mean
    limit = greatest_sum(weights, of_prevalence, prevalences.least, prevalences.greatest, enough)
    return FrameBound(tuple(map(float, weights)), limit - of_mean, printed)


def _grid(prevalences: Prevalences) -> _Grid:
    """Single frames of every recall and precision, corners of what is possible among them, and silent ones."""
    recalls = np.concatenate([[0.005, 0.01, 0.02, 0.05], np.linspace(0.1, 1, 19)])
    parts: list[tuple[float, float, float, float, bool]] = []
    means = (prevalences.mean.low, prevalences.mean.high)
    for p in dict.fromkeys((prevalences.least, *means, prevalences.greatest)):
        c = (1 - p) / p
        for recall in recalls.tolist():
            least = recall / (recall + c)
            falls = np.concatenate(
                [least + (1 - least) * np.linspace(0, 1, 21), least * np.geomspace(1, 1 / least, 12)]
            )
            parts += [(recall, P, recall * (1 - P) / (c * P), p, False) for P in np.minimum(falls, 1.0).tolist()]
        parts += [(0.0, 0.0, rate, p, False) for rate in (1e-6, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)]
        parts.append((0.0, 0.0, 0.0, p, True))
    r, q, f, own, silent = (np.array(column) for column in zip(*parts, strict=True))
    values = np.column_stack([(1 + r - f) / 2, r * q + (1 - r) * own, (r + q + own * (1 - r)) / 2, _f1(r, q)])
    values[silent] = 0
    return _Grid(r, q, values, own, silent.astype(bool), prevalences)


def greatest_sum(weights: Floats, of_prevalence: float, low: float, high: float, enough: float) -> float:
    """Upper bound, certain, of the weighted sum of a frame's metrics plus `of_prevalence` times its prevalence.

    Boxes of recall and precision are cut smaller and smaller, until no sum in them can exceed one that some frame
    has, or `enough`. A silent frame, and one that flags no anomalous pixel, are looked at apart.

    Parameters
    ----------
    weights : (4,) float64
    of_prevalence : float
    low, high : float
        Of a frame's prevalence.
    enough : float
        A limit below this is not looked for.
    """
    ends = [of_prevalence * p for p in (low, high)]
    # Nothing but normal pixels flagged, f of them: AUROC (1 − f)/2, AP p, PR-AUC p/2, F1 0, linear in f and p.
    ends += [
        weights[0] * (1 - f) / 2 + (weights[1] + weights[2] / 2 + of_prevalence) * p
        for f in (0, 1)
        for p in (low, high)
    ]
    threshold = max(*map(float, ends), enough)
    ranges = _prevalence_ranges(low, high, convex=weights[0] <= 0)
    edges = np.linspace(0, 1, 33)
    corners = np.array([(a, b) for a in edges[:-1] for b in edges[:-1]])
    size, limit = float(edges[1]), np.inf
    for _ in range(_LEVELS):
        sums = _sums(corners, size, weights, of_prevalence, ranges)
        limit = max(threshold + _CLOSE, min(limit, float(sums.max(initial=-np.inf))))
        middles = _sums(corners + size / 2, 0.0, weights, of_prevalence, ((low, low), (high, high)))
        threshold = max(threshold, float(middles.max(initial=-np.inf)))
        corners = corners[sums > threshold + _CLOSE]
        if 4 * len(corners) > _MOST_BOXES or not len(corners):
            break
        size /= 2
        steps = np.array([(a, b) for a in (0, 1) for b in (0, 1)]) * size
        corners = (corners[:, None, :] + steps[None, :, :]).reshape(-1, 2)
    return limit if len(corners) else threshold + _CLOSE


def _prevalence_ranges(low: float, high: float, *, convex: bool) -> tuple[tuple[float, float], ...]:
    """Ranges that the prevalence is looked at in: where the sum is convex in it, the ends decide."""
    edges = np.linspace(low, high, 2 if convex else 13).tolist()
    return tuple(pairwise(edges))


def _sums(
    corners: Floats, size: float, weights: Floats, of_prevalence: float, ranges: tuple[tuple[float, float], ...]
) -> Floats:
    """Upper bound of the sum over each box and all prevalences; −∞ for a box without a frame.

    With s = R(1 − P)/P the false-positive rate is s p/(1 − p), and the sum is a part without p, plus k p with
    k = (w₁ + w₂/2)(1 − R) + `of_prevalence`, minus w₀ s p/(2(1 − p)): in p convex for w₀ ≤ 0; else below its value
    with the tangent of p/(1 − p) in the middle of the range, which is linear. So the ends of the range decide.
    """
    r0, q0 = corners[:, 0], corners[:, 1]
    r1, q1 = r0 + size, q0 + size
    with np.errstate(divide="ignore", invalid="ignore"):
        s0 = np.where(q1 > 0, r0 * (1 - q1) / q1, np.where(r0 > 0, np.inf, 0.0))
        s1 = np.where(q0 > 0, r1 * (1 - q0) / q0, np.inf)
    part = weights[0] / 2 + _times((weights[0] + weights[2]) / 2, r0, r1) + _times(weights[2] / 2, q0, q1)
    part = part + _times(weights[1], r0 * q0, r1 * q1) + _times(weights[3], _f1(r0, q0), _f1(r1, q1))
    of_p = _times(weights[1] + weights[2] / 2, 1 - r1, 1 - r0) + of_prevalence
    best = np.full(len(corners), -np.inf)
    for low, high in ranges:
        # A false-positive rate of 1 at most leaves prevalences up to 1/(1 + s).
        end = np.minimum(high, 1 / (1 + s0))
        middle = (low + high) / 2
        total = np.full(len(corners), -np.inf)
        for p in (low, end):
            if weights[0] > 0:
                odds = middle / (1 - middle) + (p - middle) / (1 - middle) ** 2
                rate = -weights[0] / 2 * np.minimum(s0, 1 / low) * odds
            else:
                rate = -weights[0] / 2 * np.minimum(s1 * p / (1 - p), 1.0)
            total = np.maximum(total, of_p * p + rate)
        if weights[0] <= 0:
            # Where the rate may be cut at 1, the sum is not convex: its two parts are bounded apart.
            cut = s1 * high / (1 - high) > 1
            apart = np.maximum(of_p * low, of_p * end) - weights[0] / 2
            total = np.where(cut, np.minimum(_uncut(of_p, s1, low, end, weights[0]), apart), total)
        best = np.maximum(best, np.where(end >= low - _ROUNDING, total, -np.inf))
    return np.asarray(part + best)


def _uncut(of_p: Floats, s1: Floats, low: float, end: Floats, weight: float) -> Floats:
    with np.errstate(invalid="ignore"):
        sums = [of_p * p - weight / 2 * s1 * p / (1 - p) for p in (low, end)]
    return np.nan_to_num(np.maximum(*sums), nan=np.inf, posinf=np.inf)


def _times(weight: float, least: Floats, greatest: Floats) -> Floats:
    """Greatest value of `weight` times a number between `least` and `greatest`."""
    return np.asarray(weight * (greatest if weight > 0 else least))


def _f1(recall: Floats, precision: Floats) -> Floats:
    both = recall + precision
    return np.divide(2 * recall * precision, both, out=np.zeros_like(both), where=both > 0)


def sum_text(bound: FrameBound, names: Mapping[str, str]) -> str:
    """The sum as a formula, such as ``0.52·AP − 0.48·F1 ≤ 0.72``, numbers in per cent."""
    terms: list[str] = []
    for weight, key in zip(bound.weights, METRICS, strict=True):
        if weight:
            sign = ("− " if weight < 0 else "+ ") if terms else ("−" if weight < 0 else "")
            factor = "" if abs(weight) == 1 else f"{abs(weight):g}·"
            terms.append(f"{sign}{factor}{names[key]}")
    return f"{' '.join(terms)} ≤ {points(bound.limit, up=True)}"
