"""A legend of many methods as a table: a sample of the line, the name, and a column of values for each panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vadbench.plots.shown_names import distinct_names

_ROW_INCHES = 0.17
_SAMPLE_INCHES = 0.5
_VALUE_INCHES = 0.5
_GAP_INCHES = 0.35
_SIGN_INCHES = 0.068
"""Width of a wide letter."""

_NAME_INCHES, _WIDEST_NAME_INCHES = 2.1, 3.2
_FONT_SIZE = 7.5

MOST_BESIDE = 6
"""Methods up to which a legend finds room beside the panels; of more it is a table below them."""

BESIDE: Mapping[str, Any] = {
    "loc": "upper left",
    "bbox_to_anchor": (1.01, 1.0),
    "borderaxespad": 0.0,
    "fontsize": "small",
    "frameon": False,
}
"""Options of a legend of matplotlib's own beside a panel, where it covers nothing."""

BELOW_INCHES = 7.2
"""Width of a table below the panels of a display, which is as wide as these are."""


@dataclass(frozen=True)
class LegendRow:
    """One line of the legend.

    Parameters
    ----------
    name : str
        Shown without mathematics, as `plain_text`.
    style : mapping
        Options of ``Axes.plot``, or of ``Axes.bar``.
    values : tuple of str
        One a column.
    is_bar : bool
        Whether the sample is a bar, else a line.
    """

    name: str
    style: Mapping[str, Any]
    values: tuple[str, ...] = field(default=())
    is_bar: bool = False


def table_height(n_rows: int, width: float, n_columns: int) -> float:
    """Height in inches that a legend of so many rows and columns of values takes in a picture of that width."""
    return (-(-n_rows // _blocks(n_rows, width, n_columns)) + 2.0) * _ROW_INCHES


def draw_legend_table(ax: Any, rows: Sequence[LegendRow], headings: Sequence[str], *, width: float) -> None:
    """Draw the legend in the whole of an axes.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Of the height that `table_height` says.
    rows : sequence of LegendRow
    headings : sequence of str
        Above the columns of values.
    width : float
        Of the axes, in inches.
    """
    blocks = _blocks(len(rows), width, len(headings))
    length = -(-len(rows) // blocks)
    ax.set(xlim=(0.0, width), ylim=(length - 0.5, -1.6))
    ax.set_axis_off()
    # Values far from their names could not be read across.
    most = _SAMPLE_INCHES + 0.1 + _WIDEST_NAME_INCHES + len(headings) * _VALUE_INCHES
    own = min((width - (blocks - 1) * _GAP_INCHES) / blocks, most)
    room = own - _SAMPLE_INCHES - 0.1 - len(headings) * _VALUE_INCHES
    names = distinct_names([row.name for row in rows], int(room / _SIGN_INCHES))
    text: dict[str, Any] = {"fontsize": _FONT_SIZE, "va": "center", "parse_math": False}
    for block in range(blocks):
        left = block * (own + _GAP_INCHES)
        rights = [left + own - _VALUE_INCHES * (len(headings) - 1 - column) for column in range(len(headings))]
        for right, heading in zip(rights, headings, strict=True):
            ax.text(right, -1.05, heading, ha="right", fontweight="bold", **text)
        for number, row in enumerate(rows[block * length : (block + 1) * length]):
            if row.is_bar:
                ax.barh([number], [_SAMPLE_INCHES], height=0.66, left=left, **row.style)
            else:
                style = {"linewidth": 1.4, **row.style, "markevery": [1]}
                ax.plot([left, left + _SAMPLE_INCHES / 2, left + _SAMPLE_INCHES], [number] * 3, **style)
            ax.text(left + _SAMPLE_INCHES + 0.1, number, names[block * length + number], ha="left", **text)
            for right, value in zip(rights, row.values, strict=True):
                ax.text(right, number, value, ha="right", **text)


def _blocks(n_rows: int, width: float, n_columns: int) -> int:
    own = _SAMPLE_INCHES + 0.1 + _NAME_INCHES + n_columns * _VALUE_INCHES
    return max(1, min(int((width + _GAP_INCHES) / (own + _GAP_INCHES)), -(-n_rows // 8)))
