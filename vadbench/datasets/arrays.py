"""Masks and labels in array files: NumPy ``.npy`` (ShanghaiTech) and MATLAB ``.mat`` (Avenue)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.matlab import CellArray, open_cells
from vadbench.datasets.mismatches import counted, wrong_count, wrong_size
from vadbench.errors import DataError

if TYPE_CHECKING:
    from vadbench.datasets.base import Clip


_ZIP = b"PK\3\4"

# NumPy evaluates the header of a file as a literal of Python.
_NO_ARRAY = (
    OSError,
    ValueError,
    EOFError,
    TypeError,
    OverflowError,
    MemoryError,
    SyntaxError,
    TokenError,
)


def read_array(path: Path, *, ndim: int, where: tuple[str, ...] = ()) -> NDArray[Any]:
    """Map a ``.npy`` file of real numbers into memory; nothing is read before it is looked at.

    Raises
    ------
    DataError
        D206 if the file is damaged or holds Python objects (pickles are never loaded), D215 for another number of
        dimensions or another kind of values.
    """
    place = (str(path), *where)
    try:
        with path.open("rb") as file:
            archive = file.read(len(_ZIP)) == _ZIP
        # Not np.load: it takes an archive for one by its first bytes, and leaves a damaged one open.
        array = None if archive else np.lib.format.open_memmap(path, mode="r")
    except _NO_ARRAY as error:
        raise DataError(
            "D206",
            "a file cannot be read as a NumPy array",
            where=place,
            expected=".npy, without Python objects",
            got=f"{type(error).__name__}: {error}",
            hint="the file is damaged; download it again",
        ) from error
    if array is None or array.ndim != ndim or array.dtype.kind not in "buif":
        raise DataError(
            "D215",
            "an array has the wrong form",
            where=place,
            expected="(T,) numbers" if ndim == 1 else "(T, H, W) numbers",
            got="an archive of arrays (.npz)" if array is None else f"{array.shape} {array.dtype}",
            hint=_flat_hint(path, array, ndim),
        )
    return array


def _flat_hint(path: Path, array: NDArray[Any] | None, ndim: int) -> str:
    """How to mend labels that were saved as a column or a row."""
    flat = ndim == 1 and array is not None and array.ndim == 2 and 1 in array.shape
    return f'save them without the axis of length 1: np.save("{path}", labels.ravel())' if flat else ""


def read_label_mat(path: Path, where: tuple[str, ...] = ()) -> list[NDArray[Any]]:
    """Read the masks of an Avenue clip, ``N_label.mat``, into memory: 0.33 GB for the longest clip of Avenue.

    Parameters
    ----------
    path : Path
        MATLAB file with a cell ``volLabel``, 1 x T or T x 1, of H x W arrays.
    where : tuple of str
        Clip, for errors.

    Returns
    -------
    list of T arrays (H, W)
        Values as stored; any non-zero value is anomalous.

    Raises
    ------
    DataError
        D206 if the file is damaged, D215 if it has no such cell.
    """
    with _label_cells(path, where) as cells:
        return list(cells.arrays)


@contextmanager
def _label_cells(path: Path, where: tuple[str, ...]) -> Iterator[CellArray]:
    """The cells of a label file, read one by one while it is open."""
    try:
        with path.open("rb") as file:
            yield open_cells(file, os.fstat(file.fileno()).st_size, "volLabel", path, where)
    except OSError as error:
        raise DataError(
            "D206", "a file cannot be read as a MATLAB file", where=(str(path), *where), got=str(error)
        ) from error


def _checked(mask: NDArray[Any], path: Path, clip: Clip, frame: int) -> NDArray[Any]:
    """The mask, if it has the size of the clip and holds finite numbers."""
    where = (f"clip {clip.id}", f"frame {frame}")
    if mask.shape != (clip.height, clip.width):
        raise wrong_size("a mask", path, where, size=(clip.height, clip.width), found=mask.shape)
    if mask.dtype.kind == "f" and not np.isfinite(mask).all():
        y, x = np.argwhere(~np.isfinite(mask))[0].tolist()
        raise DataError(
            "D219",
            "a mask holds a value that is not finite",
            where=(str(path), *where, f"pixel ({x}, {y})"),
            expected="0 for normal, another number for anomalous",
            got=str(mask[y, x]),
            hint="only you know whether such a pixel is anomalous",
        )
    return mask


@dataclass(frozen=True)
class MatMasks:
    """Masks of a clip in ``N_label.mat``."""

    path: Path

    def paths(self) -> tuple[Path, ...]:
        """The file."""
        return (self.path,)

    def masks(self, clip: Clip) -> Iterator[NDArray[Any]]:
        """Yield the masks as they are stored, (H, W); raises `DataError` D203, D205, D206, D215, D219."""
        with _label_cells(self.path, (f"clip {clip.id}",)) as cells:
            if cells.count != clip.frames:
                raise wrong_count("D203", "masks", self.path, clip.id, expected=clip.frames, got=cells.count)
            for frame, mask in enumerate(cells.arrays):
                yield _checked(mask, self.path, clip, frame)


@dataclass(frozen=True)
class NpyMasks:
    """Masks of a clip in a ``.npy`` file, (T, H, W)."""

    path: Path

    def paths(self) -> tuple[Path, ...]:
        """The file."""
        return (self.path,)

    def masks(self, clip: Clip) -> Iterator[NDArray[Any]]:
        """Yield the masks as they are stored, (H, W); raises `DataError` D203, D205, D206, D215, D219."""
        array = read_array(self.path, ndim=3, where=(f"clip {clip.id}",))
        if len(array) != clip.frames:
            raise wrong_count("D203", "masks", self.path, clip.id, expected=clip.frames, got=len(array))
        for frame, mask in enumerate(array):
            yield _checked(np.asarray(mask), self.path, clip, frame)


@dataclass(frozen=True)
class NpyLabels:
    """Frame labels of a clip in a ``.npy`` file, (T,); non-zero is anomalous."""

    path: Path

    def paths(self) -> tuple[Path, ...]:
        """The file."""
        return (self.path,)

    def labels(self, clip: Clip) -> NDArray[np.bool_]:
        """Labels (T,) bool; raises `DataError` D206, D207, D208, D215."""
        where = (str(self.path), f"clip {clip.id}")
        array = read_array(self.path, ndim=1, where=where[1:])
        if len(array) != clip.frames:
            raise DataError(
                "D208",
                "the number of labels is not the number of frames",
                where=where,
                expected=counted(clip.frames, "labels"),
                got=counted(len(array), "labels"),
            )
        other = np.setdiff1d(array, [0, 1])
        if other.size:
            raise DataError("D207", "a label is neither 0 nor 1", where=where, expected="0 or 1", got=str(other[0]))
        return np.asarray(array != 0)
