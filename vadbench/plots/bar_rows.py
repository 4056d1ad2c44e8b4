"""Bars in groups, one a method: rows of even length, places in a group, and the axis of per cent."""

from __future__ import annotations

from typing import Any


def even_rows(number: int, most: int) -> list[range]:
    """Share so many groups out to rows of at most `most`, of one length, so that bars are as wide in all of them.

    Examples
    --------
    >>> even_rows(5, 4)
    [range(0, 3), range(3, 5)]
    """
    length = -(-number // -(-number // most))
    return [range(begin, min(begin + length, number)) for begin in range(0, number, length)]


def bar_places(method: int, methods: int, groups: int, width: float) -> list[float]:
    """Where the bars of one of several methods stand in groups at 0, 1, …; bars are that wide, middles are given."""
    shift = (method - (methods - 1) / 2) * width
    return [group + shift for group in range(groups)]


def draw_per_cent_axis(ax: Any, label: str, top: float) -> None:
    """Make the upright axis one of per cent, up to `top` where things stand above the bars; groups have no ticks."""
    ax.tick_params(axis="x", length=0)
    ax.set_ylim(0, top)
    ax.set_yticks(range(0, 101, 20))
    ax.set_ylabel(label)
    ax.grid(axis="y", color="#dddddd", linewidth=0.5)
    ax.set_axisbelow(True)
