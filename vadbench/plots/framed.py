"""A picture with title, colour bar and legend around it, every pixel as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DPI = 100.0
"""Pixels an inch at which one pixel of the picture is one pixel of the file."""

_LEFT, _TITLE, _BELOW = 16, 40, 44
_BAR_GAP, _BAR_WIDTH, _BAR_LABELS = 14, 16, 78


@dataclass(frozen=True)
class ColourBar:
    """Scale of the colours.

    Parameters
    ----------
    colours : (n, 3) uint8
        RGB from the lowest score to the highest.
    lower, upper : float
        Scores at the lowest and the highest colour; `lower` is the larger of the two where scores fall.
    label : str
    mark : float or None
        A score to be marked on the scale.
    """

    colours: NDArray[np.uint8]
    lower: float
    upper: float
    label: str
    mark: float | None = None


def framed_picture(
    picture: NDArray[np.uint8],
    title: str,
    *,
    outlines: Sequence[tuple[str, tuple[int, int, int]]] = (),
    bar: ColourBar | None = None,
) -> Any:
    """Figure of a picture, to be saved at `DPI`.

    Parameters
    ----------
    picture : (H, W, 3) uint8
    title : str
        Above it; shown as it is, without mathematics.
    outlines : sequence of (name, RGB)
        Lines in the picture that the legend explains.
    bar : ColourBar, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    height, width = picture.shape[:2]
    # Without a bar the margins are alike.
    right = _BAR_GAP + _BAR_WIDTH + _BAR_LABELS if bar is not None else _LEFT
    whole = _LEFT + width + right, _BELOW + height + _TITLE
    figure = Figure(figsize=(whole[0] / DPI, whole[1] / DPI), dpi=DPI)

    def axes_at(x: int, y: int, w: int, h: int) -> Any:
        return figure.add_axes((x / whole[0], y / whole[1], w / whole[0], h / whole[1]))

    ax = axes_at(_LEFT, _BELOW, width, height)
    ax.imshow(picture, interpolation="none", aspect="auto")
    ax.set_axis_off()
    figure.text(_LEFT / whole[0], 1 - 13 / whole[1], title, ha="left", va="top", fontsize=10.5, parse_math=False)
    if bar is not None:
        _draw_bar(axes_at(_LEFT + width + _BAR_GAP, _BELOW, _BAR_WIDTH, height), bar)
    if outlines:
        _draw_legend(figure, outlines, (_LEFT / whole[0], (_BELOW - 8) / whole[1]))
    return figure


def _draw_bar(ax: Any, bar: ColourBar) -> None:
    ax.imshow(bar.colours[:, None, :], aspect="auto", origin="lower", extent=(0, 1, bar.lower, bar.upper))
    ax.set_xticks([])
    ax.yaxis.tick_right()
    ax.yaxis.set_label_position("right")
    ax.set_ylabel(bar.label, fontsize=9)
    ax.tick_params(labelsize=8)
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.5)
    if bar.mark is not None and min(bar.lower, bar.upper) <= bar.mark <= max(bar.lower, bar.upper):
        ax.axhline(bar.mark, color="black", linewidth=2.6)
        ax.axhline(bar.mark, color="white", linewidth=1.4)


def _draw_legend(
    figure: Any, outlines: Sequence[tuple[str, tuple[int, int, int]]], corner: tuple[float, float]
) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color="#{:02x}{:02x}{:02x}".format(*colour), linewidth=2.4) for _, colour in outlines]
    figure.legend(
        handles,
        [name for name, _ in outlines],
        loc="upper left",
        bbox_to_anchor=corner,
        borderaxespad=0.0,
        ncols=len(outlines),
        fontsize=9,
        # White outlines need a dark ground to be seen.
        facecolor="#3a3a3a",
        labelcolor="white",
        edgecolor="none",
        framealpha=1.0,
    )
