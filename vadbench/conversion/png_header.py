"""The header of a PNG, looked at before anything is decoded; and what Pillow raises where it cannot."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

GREY, COLOUR, PALETTE = 0, 2, 3
"""Kinds of colour, as a PNG numbers them."""

COLOUR_WORDS = {
    GREY: "grey",
    COLOUR: "colour",
    PALETTE: "a palette",
    4: "grey with transparency",
    6: "colour with transparency",
}

DAMAGED_IMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, Warning, TypeError, KeyError, IndexError)
"""For files that are no images, cut off, or damaged inside; Pillow's warnings are to be made errors."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LENGTH = 33


@dataclass(frozen=True)
class PngHeader:
    """What the header says.

    Parameters
    ----------
    height, width : int
        Pixels; not checked.
    depth : int
        Bits of a sample.
    colour : int
        Kind of colour.
    """

    height: int
    width: int
    depth: int
    colour: int

    @property
    def colour_words(self) -> str:
        """Kind of colour, for messages."""
        return COLOUR_WORDS.get(self.colour, f"colour type {self.colour}")


def read_png_header(path: Path) -> PngHeader | None:
    """Header of a file, or None if it does not begin as a PNG; 33 bytes are read.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with path.open("rb") as file:
        beginning = file.read(_LENGTH)
    if len(beginning) < _LENGTH or not beginning.startswith(_SIGNATURE) or beginning[12:16] != b"IHDR":
        return None
    width, height, depth, colour = struct.unpack(">IIBB", beginning[16:26])
    return PngHeader(height, width, depth, colour)
