"""Colours, dashes, markers and hatches by a method's place: told apart by everybody, and in a print in grey.

Source: Okabe and Ito, Color universal design, 2008.
"""

from __future__ import annotations

from typing import Any

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Colours that people with any kind of colour vision tell apart (Okabe and Ito, 2008)."""

DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
"""Dashes go along with the colours, so that a print in grey can be read too."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""Shapes go along with colours and dashes where a line has few points."""

HATCHES = ("", "////", "....", r"\\\\", "xx", "--", "oo")
"""Patterns go along with the colours of bars, so that a print in grey can be read too."""

_CURVE_MARKERS = ("", *MARKERS[:7])

BAR_STYLES = len(COLOURS) * len(HATCHES)
LINE_STYLES = len(COLOURS) * len(DASHES) * len(_CURVE_MARKERS)
"""Places whose bars, and whose lines, differ."""


def line_style(place: int) -> dict[str, Any]:
    """Colour and dashes of a line, as options of ``Axes.plot``."""
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": DASHES[place % len(DASHES)]}


def marked_line_style(place: int) -> dict[str, Any]:
    """Colour, dashes and, from the fifth line on, markers here and there.

    Dashes and markers together differ for 32 lines without any colour. Markers of different lines are shifted, so that
    lines which run together do not cover each other's.
    """
    marker = _CURVE_MARKERS[place // len(DASHES) % len(_CURVE_MARKERS)]
    style = line_style(place)
    if marker:
        begin = 0.02 + 0.013 * (place * 5 % 11)
        style |= {"marker": marker, "markevery": (begin, 0.17), "markersize": 4.0, "markeredgewidth": 0.8}
    return style


def bar_style(place: int) -> dict[str, Any]:
    """Colour and hatch of a bar, as options of ``Axes.bar``; 49 places differ."""
    hatch = (place + place // len(COLOURS)) % len(HATCHES)
    return {"color": COLOURS[place % len(COLOURS)], "hatch": HATCHES[hatch], "edgecolor": "white", "linewidth": 0.0}
