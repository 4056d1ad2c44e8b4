"""Where things stand in a picture of several panels: titles, pictures, colour bars, legend, time and caption.

Everything that stays the same from frame to frame is drawn once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.overlay.lettering import fitted, font, write
from vadbench.overlay.picture import TRUTH_COLOUR, heat_colours

_GROUND = (28, 28, 28)
_WORDS = (232, 232, 232)
_FAINT = (150, 150, 150)
_NORMAL = (90, 90, 90)

_MARGIN, _GAP = 10, 10
_TITLE, _BAR, _LEGEND, _TIME, _CAPTION = 24, 34, 22, 12, 26
_SIZE, _SMALL = 14, 11
_STATE = 96
"""Pixels of the width of "anomalous", and a gap."""

_LEAST_CELL = 260
"""Pixels of the width of a panel: room for its words."""


@dataclass(frozen=True)
class PanelFrame:
    """What stands around one picture.

    Parameters
    ----------
    title : str
    bar : (str, str, str) or None
        Lowest score, what the colours are, highest score; None where there is no heat.
    mark : float or None
        Where on the bar a threshold is marked, in [0, 1].
    note : str
        In place of the bar.
    """

    title: str
    bar: tuple[str, str, str] | None = None
    mark: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Sheet:
    """A picture of several panels.

    Parameters
    ----------
    panels : tuple of PanelFrame
    height, width : int
        Of the picture in each panel, in pixels.
    legend : tuple of (name, RGB)
        Outlines that the pictures have.
    remarks : tuple of str
        At the end of the legend, the first one that finds room; in ever fewer words.
    anomalous : (n,) bool
        Frames that are shown, and which of them the truth calls anomalous.
    columns : int
    """

    panels: tuple[PanelFrame, ...]
    height: int
    width: int
    legend: tuple[tuple[str, tuple[int, int, int]], ...]
    remarks: tuple[str, ...]
    anomalous: NDArray[np.bool_]
    columns: int

    @property
    def _cell(self) -> tuple[int, int]:
        return _TITLE + self.height + _BAR, max(self.width, _LEAST_CELL)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels, both even, which videos need."""
        rows = -(-len(self.panels) // self.columns)
        height = 2 * _MARGIN + rows * self._cell[0] + (rows - 1) * _GAP + _LEGEND + _TIME + _CAPTION
        width = 2 * _MARGIN + self.columns * self._cell[1] + (self.columns - 1) * _GAP
        return height + height % 2, width + width % 2

    def place(self, panel: int) -> tuple[int, int]:
        """Top and left of the picture of a panel."""
        row, column = divmod(panel, self.columns)
        top = _MARGIN + row * (self._cell[0] + _GAP) + _TITLE
        return top, _MARGIN + column * (self._cell[1] + _GAP) + (self._cell[1] - self.width) // 2

    def filled(self, pictures: Sequence[NDArray[np.uint8]], number: int, captions: Sequence[str]) -> NDArray[np.uint8]:
        """The sheet with one picture a panel, and where in time it is.

        Parameters
        ----------
        pictures : sequence of (height, width, 3) uint8
        number : int
            Of the frame, counted from the first one shown.
        caption : str

        Returns
        -------
        (H, W, 3) uint8
        """
        from PIL import Image, ImageDraw

        whole = self._ground.copy()
        for panel, picture in enumerate(pictures):
            top, left = self.place(panel)
            whole[top : top + self.height, left : left + self.width] = picture
        strip = Image.fromarray(whole[-_CAPTION - _TIME :])
        canvas = ImageDraw.Draw(strip)
        height, width = self.size
        at = _MARGIN + (number + 0.5) / len(self.anomalous) * (width - 2 * _MARGIN)
        canvas.rectangle((at - 1, 0, at + 1, _TIME - 2), fill=_WORDS)
        room = width - 2 * _MARGIN - _STATE
        fits = [caption for caption in captions if font(_SIZE).getlength(caption) <= room]
        words = fitted(fits[0] if fits else captions[-1], _SIZE, room)
        write(canvas, (_MARGIN, _TIME + _CAPTION / 2), words, _SIZE, _WORDS)
        state, colour = ("anomalous", TRUTH_COLOUR) if self.anomalous[number] else ("normal", _FAINT)
        write(canvas, (width - _MARGIN, _TIME + _CAPTION / 2), state, _SIZE, colour, "rm")
        whole[height - _CAPTION - _TIME :] = np.asarray(strip)
        return whole

    @cached_property
    def _ground(self) -> NDArray[np.uint8]:
        from PIL import Image, ImageDraw

        height, width = self.size
        image = Image.new("RGB", (width, height), _GROUND)
        canvas = ImageDraw.Draw(image)
        for number, panel in enumerate(self.panels):
            self._draw_panel(image, canvas, panel, self.place(number))
        self._draw_legend(canvas)
        self._draw_time(canvas)
        return np.asarray(image)

    def _draw_panel(self, image: Any, canvas: Any, panel: PanelFrame, corner: tuple[int, int]) -> None:
        from PIL import Image

        top, left = corner
        # Words have the width of the cell, which a small picture does not fill.
        room = self._cell[1]
        edge = left - (room - self.width) // 2
        write(canvas, (edge, top - _TITLE / 2), fitted(panel.title, _SIZE, room), _SIZE, _WORDS)
        below = top + self.height
        if panel.bar is None:
            if panel.note:
                write(canvas, (edge, below + 13), fitted(panel.note, _SMALL, room), _SMALL, _FAINT)
            return
        colours = np.broadcast_to(heat_colours(room)[None], (9, room, 3))
        image.paste(Image.fromarray(np.ascontiguousarray(colours)), (edge, below + 5))
        if panel.mark is not None:
            at = edge + panel.mark * (room - 1)
            canvas.rectangle((at - 2, below + 3, at + 2, below + 15), fill=_GROUND)
            canvas.rectangle((at - 1, below + 3, at + 1, below + 15), fill=_WORDS)
        least, what, most = panel.bar
        write(canvas, (edge, below + 23), least, _SMALL, _WORDS)
        write(canvas, (edge + room, below + 23), most, _SMALL, _WORDS, "rm")
        taken = 2 * max(font(_SMALL).getlength(least), font(_SMALL).getlength(most)) + 12
        if font(_SMALL).getlength(what) > room - taken:
            # Without what stands in brackets at the end.
            what = what.partition(" (")[0]
        write(canvas, (edge + room / 2, below + 23), fitted(what, _SMALL, room - taken), _SMALL, _FAINT, "mm")

    def _draw_legend(self, canvas: Any) -> None:
        height, width = self.size
        middle = height - _CAPTION - _TIME - _LEGEND / 2
        left: float = _MARGIN
        for name, colour in self.legend:
            shown = fitted(name, _SMALL, max(0, width - _MARGIN - left - 30))
            canvas.rectangle((left, middle - 1, left + 20, middle + 1), fill=colour)
            write(canvas, (left + 26, middle), shown, _SMALL, _WORDS)
            left += 26 + font(_SMALL).getlength(shown) + 18
        room = width - _MARGIN - left
        for remark in self.remarks:
            if font(_SMALL).getlength(remark) <= room:
                write(canvas, (left, middle), remark, _SMALL, _FAINT)
                break

    def _draw_time(self, canvas: Any) -> None:
        """A line for the frames that are shown, in the truth's colour where they are anomalous."""
        height, width = self.size
        top = height - _CAPTION - _TIME + 3
        canvas.rectangle((_MARGIN, top, width - _MARGIN, top + 4), fill=_NORMAL)
        step = (width - 2 * _MARGIN) / len(self.anomalous)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], self.anomalous, [False]])))
        for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            canvas.rectangle((_MARGIN + begin * step, top, _MARGIN + end * step, top + 4), fill=TRUTH_COLOUR)


def columns_of(n_panels: int) -> int:
    """Panels side by side: all of three, else about as many as there are rows."""
    if n_panels <= 3:
        return n_panels
    return -(-n_panels // 2) if n_panels <= 8 else int(np.ceil(np.sqrt(n_panels)))
