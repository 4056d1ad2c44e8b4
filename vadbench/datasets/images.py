"""Image files: frames and masks of a clip, one file a frame."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.listing import FRAME_SUFFIXES, MASK_SUFFIXES, image_names
from vadbench.datasets.mismatches import wrong_count, wrong_size
from vadbench.errors import DataError, quoted

if TYPE_CHECKING:
    from PIL.Image import Image

    from vadbench.datasets.base import Clip

# What Pillow raises for files that are no images, cut off, or damaged inside.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error)


def image_size(path: Path, where: tuple[str, ...] = ()) -> tuple[int, int]:
    """Height and width in pixels from the header alone; raises `DataError` D206 if the file is no image."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.height, image.width
    except _DAMAGED as error:
        raise _unreadable(path, where, error) from error


def read_frame(path: Path, size: tuple[int, int], where: tuple[str, ...] = ()) -> NDArray[np.uint8]:
    """Read a frame.

    Parameters
    ----------
    path : Path
    size : (int, int)
        Height and width that the frame must have.
    where : tuple of str
        Clip and frame, for errors.

    Returns
    -------
    (H, W) or (H, W, 3) uint8
        Grey or RGB, as the file is; palettes become RGB, transparency is dropped.

    Raises
    ------
    DataError
        D205 for another size, D206 for a damaged file, D220 for more than 8 bits a channel.
    """

    def decoded(image: Image) -> NDArray[np.uint8]:
        if image.mode.startswith(("I", "F")):
            raise DataError(
                "D220",
                "a frame has more than 8 bits a channel",
                where=(str(path), *where),
                expected="8-bit grey or RGB",
                got=f"Pillow mode {image.mode}",
                hint="convert the frames to 8 bit; only you know which range of values counts",
            )
        return np.asarray(image.convert("L" if image.mode in {"1", "L", "LA"} else "RGB"))

    return _decoded(path, size, where, decoded)


def read_mask(path: Path, size: tuple[int, int], where: tuple[str, ...] = ()) -> NDArray[Any]:
    """Read a mask as (H, W); any non-zero value is anomalous; parameters and errors as in `read_frame`.

    A colour image gives its brightest channel, a palette image its colours (not its indices); transparency is no
    truth and is dropped.
    """

    def decoded(image: Image) -> NDArray[Any]:
        if image.mode in {"P", "PA", "RGBA", "RGB", "CMYK", "YCbCr"}:
            return np.asarray(np.asarray(image.convert("RGB")).max(axis=2))
        return np.asarray(image.convert("L") if image.mode == "LA" else image)

    return _decoded(path, size, where, decoded)


def _decoded(
    path: Path, size: tuple[int, int], where: tuple[str, ...], decode: Callable[[Image], NDArray[Any]]
) -> NDArray[Any]:
    from PIL import Image

    try:
        with Image.open(path) as image:
            found = (image.height, image.width)
            # Before anything is decoded, so that a wrong file cannot cost more memory than a right one.
            if found == size:
                return decode(image)
    except _DAMAGED as error:
        raise _unreadable(path, where, error) from error
    raise wrong_size("an image", path, where, size=size, found=found)


def _unreadable(path: Path, where: tuple[str, ...], error: Exception) -> DataError:
    if path.is_symlink() and not path.exists():
        return DataError(
            "D206",
            "a file is a link that leads nowhere",
            where=(str(path), *where),
            got=f"a link to {quoted(path.readlink())}",
            hint="the file it means was moved, or lies on a disk that is not here",
        )
    return DataError(
        "D206",
        "a file cannot be read as an image",
        where=(str(path), *where),
        got=f"{type(error).__name__}: {error}",
        hint="the file is damaged or cut off; unpack or download it again",
    )


@dataclass(frozen=True)
class ImageFrames:
    """Frames of a clip in a folder of images; calling it yields them in natural order.

    Only the folder is kept, and listed again when read: a data set that is sent to workers stays small.
    """

    folder: Path
    clip_id: str
    frames: int
    height: int
    width: int

    def paths(self) -> list[Path]:
        """Files in natural order; raises `DataError` D202 if their number is no longer that of the clip."""
        return _paths(self.folder, FRAME_SUFFIXES, self.clip_id, self.frames, "D202", "frames")

    def __call__(self) -> Iterator[NDArray[np.uint8]]:
        """Yield (H, W) or (H, W, 3) uint8."""
        for index, path in enumerate(self.paths()):
            yield read_frame(path, (self.height, self.width), (f"clip {self.clip_id}", f"frame {index}"))


@dataclass(frozen=True)
class ImageMasks:
    """Masks of a clip in a folder of images, paired with its frames by natural order."""

    folder: Path
    suffixes: tuple[str, ...] = MASK_SUFFIXES

    def paths(self) -> tuple[Path, ...]:
        """Files that the masks are read from."""
        return tuple(self.folder / name for name in image_names(self.folder, self.suffixes))

    def masks(self, clip: Clip) -> Iterator[NDArray[Any]]:
        """Yield the masks as they are stored, (H, W), one a frame."""
        paths = _paths(self.folder, self.suffixes, clip.id, clip.frames, "D203", "masks")
        for index, path in enumerate(paths):
            yield read_mask(path, (clip.height, clip.width), (f"clip {clip.id}", f"frame {index}"))


def _paths(folder: Path, suffixes: tuple[str, ...], clip_id: str, frames: int, code: str, kind: str) -> list[Path]:
    try:
        names = image_names(folder, suffixes)
    except OSError as error:
        raise DataError(
            "D206", f"the folder of {kind} cannot be read", where=(str(folder), f"clip {clip_id}"), got=str(error)
        ) from error
    if len(names) != frames:
        raise wrong_count(code, kind, folder, clip_id, expected=frames, got=len(names), names=names)
    return [folder / name for name in names]
