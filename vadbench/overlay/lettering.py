"""Words in pictures that are made frame by frame: Pillow's text, in the font that matplotlib brings along.

Without matplotlib Pillow's own font is used, which knows Latin letters alone.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vadbench.plots.shown_names import plain_text

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_FEWEST = 4


@lru_cache(maxsize=8)
def font(size: int) -> Any:
    """The font at a size in pixels."""
    from PIL import ImageFont

    found = importlib.util.find_spec("matplotlib")
    if found is not None and found.origin is not None:
        path = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.is_file():
            # The basic layout does not depend on what else is installed.
            return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
    return ImageFont.load_default(size)


def fitted(text: str, size: int, width: float) -> str:
    """Give a text as one line without anything hidden in it, shortened to a width in pixels."""
    shown, longest = _drawable(plain_text(text, 200), size), 200
    while font(size).getlength(shown) > width and longest > _FEWEST:
        longest = min(longest - 1, int(len(shown) * width / font(size).getlength(shown)))
        shown = _drawable(plain_text(text, max(_FEWEST, longest)), size)
    return shown


def write(canvas: ImageDraw, place: tuple[float, float], text: str, size: int, colour: Any, anchor: str = "lm") -> None:
    """Write a text at a place; `anchor` says which point of it lies there, in Pillow's letters."""
    canvas.text(place, _drawable(text, size), font=font(size), fill=colour, anchor=anchor)


def _drawable(text: str, size: int) -> str:
    """What the font has: all of it with matplotlib's, else signs of Latin-1."""
    if font(size).getname()[0] == "DejaVu Sans":
        return text
    return text.replace("…", "...").replace("≥", ">=").replace("–", "-").encode("latin-1", "replace").decode("latin-1")
