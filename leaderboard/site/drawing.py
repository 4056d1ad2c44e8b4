"""Curves, bars and timelines as small inline SVG: what a reader sees where scripts do not run.

Pure functions from numbers to text. Lines and areas have classes instead of colours, so that the style sheet decides
for light, dark and print; every picture has a title and a description, which screen readers read.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 320, 232
_LEFT, _TOP, _RIGHT, _BOTTOM = 40, 10, 10, 38
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def picture(identity: str, width: float, height: float, title: str, description: str, content: str, kind: str) -> str:
    """One SVG picture with the texts that stand for it; a timeline is stretched to the width of its line."""
    stretched = ' preserveAspectRatio="none"' if kind == "timeline" else ""
    return (
        f'<svg class="{kind}" viewBox="0 0 {width:g} {height:g}"{stretched} role="img" '
        f'aria-labelledby="{identity}-t {identity}-d">'
        f'<title id="{identity}-t">{escape(title)}</title><desc id="{identity}-d">{escape(description)}</desc>'
        f"{content}</svg>"
    )


def thinned(
    x: Sequence[float], y: Sequence[float], *, x_limit: float = 1.0, steps: int = 400
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of a curve on a grid, without those that a picture of that grid cannot show.

    Parameters
    ----------
    x, y : sequences of n floats
        `x` not decreasing.
    x_limit : float
        End of the axis; points beyond it are cut off by interpolation.
    steps : int
        Lines of the grid on each axis.

    Returns
    -------
    x, y : (m,) float64
        First and last point of each run on one line of the grid are kept: corners stay where they are.
    """
    across, up = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if across.size and across[-1] > x_limit:
        end = float(np.interp(x_limit, across, up))
        inside = across <= x_limit
        across, up = np.append(across[inside], x_limit), np.append(up[inside], end)
    if across.size <= 2:
        return across, up
    columns, rows = np.rint(across / x_limit * steps), np.rint(up * steps)
    moves = (np.diff(columns) != 0) | (np.diff(rows) != 0)
    keep = np.concatenate(([True], moves))
    # The very last point stands for the others on its place of the grid.
    keep[int(np.flatnonzero(keep)[-1])] = False
    keep[0] = keep[-1] = True
    columns, rows, across, up = columns[keep], rows[keep], across[keep], up[keep]
    if columns.size <= 2:
        return across, up
    right, above = np.diff(columns), np.diff(rows)
    turns = right[:-1] * above[1:] != above[:-1] * right[1:]
    keep = np.concatenate(([True], turns, [True]))
    return across[keep], up[keep]


def curve_picture(
    identity: str,
    points: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    title: str,
    description: str,
    axes: tuple[str, str],
    x_limit: float = 1.0,
    limit: float | None = None,
    chance: bool = False,
) -> str:
    """A curve on axes from 0 to `x_limit` and from 0 to 1.

    Parameters
    ----------
    identity : str
        Begins the ids inside; unique on its page.
    points : pair of (n,) float64
    title, description : str
    axes : pair of str
        Labels with units.
    x_limit : float
    limit : float or None
        Where the area ends, drawn as a line; what is below the curve up to there is shaded.
    chance : bool
        Draw the diagonal.
    """
    inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    across = _LEFT + points[0] / x_limit * inner_width
    up = _TOP + (1 - points[1]) * inner_height
    parts = [_axes(axes, x_limit)]
    if chance:
        parts.append(f'<path class="chance" d="M{_LEFT} {_TOP + inner_height}L{_WIDTH - _RIGHT} {_TOP}"/>')
    if across.size:
        line = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(across, up, strict=True))
        if limit is None or limit >= x_limit:
            parts.append(
                f'<path class="area" d="M{across[0]:.1f} {_TOP + inner_height}L{line}L{across[-1]:.1f} '
                f'{_TOP + inner_height}Z"/>'
            )
        parts.append(f'<path class="line" d="M{line}"/>')
    if limit is not None and limit < x_limit:
        place = _LEFT + limit / x_limit * inner_width
        parts.append(f'<path class="limit" d="M{place:.1f} {_TOP}V{_TOP + inner_height}"/>')
    return picture(identity, _WIDTH, _HEIGHT, title, description, "".join(parts), "curve")


def _axes(labels: tuple[str, str], x_limit: float) -> str:
    inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    bottom = _TOP + inner_height
    grid, texts = [], []
    for tick in _TICKS:
        x, y = _LEFT + tick * inner_width, _TOP + (1 - tick) * inner_height
        grid.append(f"M{_LEFT} {y:g}H{_WIDTH - _RIGHT}M{x:g} {_TOP}V{bottom}")
        texts.append(f'<text x="{_LEFT - 6}" y="{y + 3.5:g}" class="end">{tick:g}</text>')
        texts.append(f'<text x="{x:g}" y="{bottom + 14}" class="middle">{tick * x_limit:g}</text>')
    middle = _TOP + inner_height / 2
    return (
        f'<path class="grid" d="{"".join(grid)}"/>{"".join(texts)}'
        f'<text x="{_LEFT + inner_width / 2:g}" y="{_HEIGHT - 6}" class="middle label">{escape(labels[0])}</text>'
        f'<text x="11" y="{middle:g}" class="middle label" transform="rotate(-90 11 {middle:g})">'
        f"{escape(labels[1])}</text>"
    )


def bars_picture(
    identity: str, names: Sequence[str], values: Sequence[float | None], *, title: str, mean: float | None
) -> str:
    """One bar a clip, from 0 to 100 per cent, with a line at the value of the whole data set.

    Parameters
    ----------
    identity : str
    names : sequence of n str
    values : sequence of n floats in [0, 1], or None
        None, a metric that a clip has no value of, leaves its place empty.
    title : str
    mean : float or None
        Value of the data set, in [0, 1].
    """
    n = max(len(names), 1)
    step = max(7.0, min(46.0, 640 / n))
    left, top, height = 36, 10, 150
    width = left + step * n + 10
    slanted = step < 40
    foot = 62 if slanted and max(map(len, names), default=0) > 3 else 26
    parts = []
    for tick in _TICKS:
        y = top + (1 - tick) * height
        parts.append(f'<path class="grid" d="M{left} {y:g}H{width - 10:g}"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 3.5:g}" class="end">{100 * tick:g}</text>')
    every = 1 if step >= 12 else 3
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        x = left + index * step
        middle = x + step / 2
        if value is not None:
            length = value * height
            parts.append(
                f'<rect class="bar" x="{x + step * 0.15:.1f}" y="{top + height - length:.1f}" '
                f'width="{step * 0.7:.1f}" height="{length:.1f}"/>'
            )
        if index % every == 0:
            y = top + height + 14
            turned = f' transform="rotate(-60 {middle:.1f} {y})"' if foot > 30 else ""
            parts.append(
                f'<text x="{middle:.1f}" y="{y}" class="{"end" if turned else "middle"}"{turned}>{escape(name)}</text>'
            )
    if mean is not None:
        y = top + (1 - mean) * height
        parts.append(f'<path class="mean" d="M{left} {y:.1f}H{width - 10:g}"/>')
    known = [value for value in values if value is not None]
    description = (
        f"{len(known)} of {len(values)} clips have a value, "
        f"from {100 * min(known):.2f} to {100 * max(known):.2f} per cent."
        if known
        else "No clip has a value."
    )
    return picture(identity, round(width, 1), top + height + foot, title, description, "".join(parts), "bars")


def interval_picture(low: float, high: float, value: float, span: tuple[float, float]) -> str:
    """An interval and its value as a line and a dot on an axis of all rows; numbers beside it say the same.

    Parameters
    ----------
    low, high, value : float
    span : pair of float
        Ends of the axis.
    """
    start, end = span
    scale = 96 / (end - start) if end > start else 0.0
    places = [2 + (min(max(number, start), end) - start) * scale for number in (low, high, value)]
    return (
        '<svg class="interval" viewBox="0 0 100 14" aria-hidden="true" focusable="false">'
        f'<path d="M{places[0]:.1f} 7H{places[1]:.1f}M{places[0]:.1f} 4V10M{places[1]:.1f} 4V10"/>'
        f'<circle cx="{places[2]:.1f}" cy="7" r="3"/><path class="ends" d="M2 2V12M98 2V12"/></svg>'
    )
