"""Displays as one file: their panels one above the other, the same bytes for the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from vadbench.plots.canvas import DPI, house_style, picture_format, save_figure

_TITLE_INCHES = 0.35


class Display(Protocol):
    """A display whose panels lie one above the other."""

    @property
    def panels(self) -> tuple[float, ...]:
        """Heights of its panels in inches, from the top."""
        ...

    def plot_on(self, axes: Sequence[Any]) -> Any:
        """Draw on as many axes as there are panels."""
        ...


def write_displays(displays: Sequence[Display], path: Path | str, *, title: str = "", width: float = 8.0) -> Path:
    """Write a picture of some displays, one above the other.

    Parameters
    ----------
    displays : sequence of Display
        At least one, such as `SensitivityDisplay`, `GroupedBarsDisplay` and `TimelineDisplay`.
    path : path
        Ends in ``.png``, ``.pdf`` or ``.svg``.
    title : str
        Above all of them; shown as it is, without mathematics.
    width : float
        Of the picture, in inches.

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        U153 without matplotlib, U154, U155 about the path.

    Notes
    -----
    The same displays give the same bytes with the same version of matplotlib. The global state of matplotlib is left
    alone.
    """
    picture_format(path)
    with house_style():
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        heights = [height for display in displays for height in display.panels]
        layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
        figure = Figure(figsize=(width, sum(heights) + (_TITLE_INCHES if title else 0.0)), dpi=DPI, layout=layout)
        axes = list(figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights).ravel())
        for display in displays:
            own, axes = axes[: len(display.panels)], axes[len(display.panels) :]
            display.plot_on(own)
        if title:
            figure.suptitle(title, fontsize=11, parse_math=False)
        fix_layout(figure)
        return save_figure(figure, path)


def fix_layout(figure: Any) -> None:
    """Lay the panels out once, and keep their places rounded.

    The solver behind the layout gives places whose last bits differ from run to run, and SVG names its parts by a hash
    of them.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax in figure.axes:
        ax.set_position([round(value, 6) for value in ax.get_position().bounds])
