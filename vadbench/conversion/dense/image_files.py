"""Grey images, a folder a clip and a file a frame: PNG of 8 or 16 bit, TIFF of 8 or 16 bit or float32.

The header of every image is looked at before one is decoded: size, depth, kind of colour.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vadbench.conversion.clip_files import ClipFiles
from vadbench.conversion.dense.arrays import MOST_PIXELS, DenseSource, HeldFrames, ReadFrames
from vadbench.conversion.formats import Reading
from vadbench.conversion.png_header import DAMAGED_IMAGE, GREY, read_png_header
from vadbench.conversion.shown import shown_error, shown_path
from vadbench.errors import ConversionError, UsageError, quoted

if TYPE_CHECKING:
    from PIL.Image import Image

_SUFFIXES = (".png", ".tif", ".tiff")
_BITS, _GREY_TIFF, _SAMPLES, _SAMPLE_FORMAT, _PHOTOMETRIC, _ORIENTATION = 258, 1, 277, 339, 262, 274
_UNSIGNED, _FLOAT = 1, 3
_TIFF_DTYPES = {(8, _UNSIGNED): "uint8", (16, _UNSIGNED): "uint16", (32, _FLOAT): "float32"}
_TIFF_HINT = "\n(TIFF is read with 8 or 16 bit, or float32; save float64 as .npy)"
_MODES = {"uint8": ("L",), "uint16": ("I;16", "I;16B", "I;16L", "I;16N"), "float32": ("F",)}


class ImageSource(DenseSource):
    """A folder of grey images.

    Parameters
    ----------
    path : Path
    reading : Reading
    """

    def __init__(self, path: Path, reading: Reading) -> None:
        if reading.key is not None:
            raise UsageError("U211", "--key is for files that hold several arrays: .npz and HDF5", got="--from images")
        super().__init__()
        self._files = self._find(path, _SUFFIXES, reading.pattern, what="PNG or TIFF images", frame_files=True)
        self.clip_names = tuple(self._files)

    def held(self, name: str) -> HeldFrames:
        """Images of a clip, whose headers agree."""
        return _Images(self._files[name])


@dataclass(frozen=True)
class _Header:
    """Size and dtype of an image, from its header."""

    height: int
    width: int
    dtype: str

    def __str__(self) -> str:
        return f"height {self.height}, width {self.width}, {self.dtype}"


class _Images(HeldFrames):
    def __init__(self, files: ClipFiles) -> None:
        self._paths = files.paths
        self._header = header = _read_header(files.paths[0])
        for path in files.paths[1:]:
            own = _read_header(path)
            if own != header:
                raise ConversionError(
                    "C108",
                    "the frames of a clip differ in size or depth",
                    where=shown_path(path),
                    expected=f"{header} as {quoted(files.paths[0].name)}",
                    got=str(own),
                )
        self.shape = (len(files.paths), header.height, header.width)
        self.dtype = np.dtype(header.dtype)
        self.place = (shown_path(files.paths[0].parent),)
        self.first_number = files.first_number

    @contextmanager
    def reading(self) -> Iterator[ReadFrames]:
        yield lambda start, stop: np.stack([self._decoded(path) for path in self._paths[start:stop]])

    def place_of(self, frame: int) -> tuple[str, ...]:
        return (shown_path(self._paths[frame]),)

    def _decoded(self, path: Path) -> NDArray[Any]:
        with _opened(path) as image:
            if (image.height, image.width) != self.shape[1:] or image.mode not in _MODES[self._header.dtype]:
                raise ValueError("a file that changed while it was read")
            array = np.asarray(image)
        return array.astype(self.dtype, copy=False)


@contextmanager
def _opened(path: Path) -> Iterator[Image]:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(path, formats=("PNG", "TIFF")) as image:
                yield image
    except DAMAGED_IMAGE as error:
        raise ConversionError(
            "C113",
            "a file cannot be read as an image",
            where=shown_path(path),
            expected="PNG or TIFF",
            got=shown_error(error, path),
            hint="the file is damaged, cut off, or of another kind than its name says"
            + ("" if path.suffix.lower() == ".png" else _TIFF_HINT),
        ) from error


def _read_header(path: Path) -> _Header:
    """Size and dtype; raises `ConversionError` C113 for a damaged file, C114 for an image that is not grey scores."""
    png = read_png_header(path)
    if png is not None:
        if png.colour != GREY:
            raise _not_grey(path, png.colour_words)
        dtype = {8: "uint8", 16: "uint16"}.get(png.depth)
        return _checked(path, png.height, png.width, dtype, f"{png.depth} bit")
    with _opened(path) as image:
        tags = getattr(image, "tag_v2", None)
        if tags is None:
            raise ValueError("a damaged header")
        samples, photometric = tags.get(_SAMPLES, 1), tags.get(_PHOTOMETRIC)
        bits, sample_format = tags.get(_BITS, (1,)), tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))
        orientation = tags.get(_ORIENTATION, 1)
        n_pages, height, width = getattr(image, "n_frames", 1), image.height, image.width
    if n_pages != 1:
        raise ConversionError(
            "C114",
            "an image file holds several pages",
            where=shown_path(path),
            expected="one file a frame",
            got=f"{n_pages} pages",
            hint="write each page to its own file, or the clip as one .npy array (--from npy)",
        )
    if samples != 1 or photometric != _GREY_TIFF:
        words = {0: "grey where 0 is white", 3: "a palette"}.get(photometric, "colour")
        raise _not_grey(path, words if samples == 1 or photometric == 2 else f"{samples} channels")
    if orientation != 1:
        raise ConversionError(
            "C114",
            "an image says that it is to be turned or mirrored",
            where=shown_path(path),
            expected="rows from the top, columns from the left: no tag 274, or 1",
            got=f"orientation {orientation} in the tag 274",
            hint="turn the values in your own code, and save them without the tag",
        )
    dtype = _TIFF_DTYPES.get((bits[0], sample_format[0]))
    kind_words = {1: "", 2: " signed", 3: " float"}.get(sample_format[0], " of another kind")
    return _checked(path, height, width, dtype, f"{bits[0]} bit{kind_words}")


def _checked(path: Path, height: int, width: int, dtype: str | None, depth: str) -> _Header:
    if not 0 < height * width <= MOST_PIXELS:
        raise ConversionError(
            "C114",
            "an image has an impossible size",
            where=shown_path(path),
            expected=f"at most {MOST_PIXELS} pixels",
            got=f"height {height}, width {width}",
            hint="score maps have the size of the frames",
        )
    if dtype is None:
        raise ConversionError(
            "C114",
            "an image has a depth that is not read",
            where=shown_path(path),
            expected="8 or 16 bit, or TIFF of float32",
            got=depth,
            hint="save the scores as 16-bit PNG, as float32 TIFF, or as .npy (--from npy)",
        )
    return _Header(height, width, dtype)


def _not_grey(path: Path, got: str) -> ConversionError:
    return ConversionError(
        "C114",
        "an image is not grey",
        where=shown_path(path),
        expected="one channel: the score of each pixel",
        got=got,
        hint="a coloured picture of scores cannot be turned back into them; save the scores themselves, as 16-bit PNG\n"
        "or .npy (masks of objects in a palette: --from instances)",
    )
