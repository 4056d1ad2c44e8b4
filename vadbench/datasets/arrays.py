"""Masks and labels in array files: NumPy ``.npy`` (ShanghaiTech) and MATLAB ``.mat`` (Avenue)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.images import wrong_count
from vadbench.errors import DataError

if TYPE_CHECKING:
    from vadbench.datasets.base import Clip


def read_array(path: Path, *, ndim: int, where: tuple[str, ...] = ()) -> NDArray[Any]:
    """Map a ``.npy`` file of real numbers into memory; nothing is read before it is looked at.

    Raises
    ------
    DataError
        D206 if the file is damaged or holds Python objects (pickles are never loaded), D215 for another number of
        dimensions or another kind of values.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            "D206",
            "a file cannot be read as a NumPy array",
            where=(str(path), *where),
            expected=".npy, without Python objects",
            got=f"{type(error).__name__}: {error}",
            hint="the file is damaged; download it again",
        ) from error
    if isinstance(array, np.lib.npyio.NpzFile):
        array.close()
    if not isinstance(array, np.ndarray) or array.ndim != ndim or array.dtype.kind not in "buif":
        got = f"{array.shape} {array.dtype}" if isinstance(array, np.ndarray) else "an archive of arrays"
        raise DataError(
            "D215",
            "an array has the wrong form",
            where=(str(path), *where),
            expected="(T,) numbers" if ndim == 1 else "(T, H, W) numbers",
            got=got,
        )
    return array


def read_label_mat(path: Path, where: tuple[str, ...] = ()) -> list[NDArray[Any]]:
    """Read the masks of an Avenue clip, ``N_label.mat``.

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

    Notes
    -----
    Holds all masks of the clip in memory, 0.33 GB for the longest clip of Avenue.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = loadmat(path, variable_names=["volLabel"])
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        NotImplementedError,
        zlib.error,
        MatReadError,
    ) as error:
        raise DataError(
            "D206",
            "a file cannot be read as a MATLAB file",
            where=(str(path), *where),
            expected="MATLAB version 5 to 7.2",
            got=f"{type(error).__name__}: {error}",
            hint="use the original label files; files saved with -v7.3 cannot be read",
        ) from error
    cell = content.get("volLabel")
    if not isinstance(cell, np.ndarray) or cell.dtype != object or cell.ndim != 2 or 1 not in cell.shape:
        got = "no variable volLabel" if cell is None else f"volLabel: {getattr(cell, 'shape', '')} {cell.dtype}"
        raise DataError(
            "D215",
            "the file does not hold the cell volLabel",
            where=(str(path), *where),
            expected="volLabel, a cell 1 x T of H x W arrays",
            got=got,
        )
    return list(cell.ravel())


def _wrong_shape(path: Path, where: tuple[str, ...], clip: Clip, got: object) -> DataError:
    return DataError(
        "D205",
        "a mask has the wrong size",
        where=(str(path), *where),
        expected=f"{clip.height} rows x {clip.width} columns",
        got=str(got),
        hint="use the original files, not resized ones",
    )


@dataclass(frozen=True)
class MatMasks:
    """Masks of a clip in ``N_label.mat``."""

    path: Path

    def paths(self) -> tuple[Path, ...]:
        """The file."""
        return (self.path,)

    def masks(self, clip: Clip) -> Iterator[NDArray[Any]]:
        """Yield the masks as they are stored, (H, W); raises `DataError` D203, D205, D206, D215."""
        where = f"clip {clip.id}"
        masks = read_label_mat(self.path, (where,))
        if len(masks) != clip.frames:
            raise wrong_count("D203", "masks", self.path, clip.id, expected=clip.frames, got=len(masks))
        for frame, mask in enumerate(masks):
            if not isinstance(mask, np.ndarray) or mask.dtype.kind not in "buif":
                raise DataError(
                    "D215", "a cell of volLabel is no mask", where=(str(self.path), where, f"frame {frame}")
                )
            if mask.shape != (clip.height, clip.width):
                raise _wrong_shape(self.path, (where, f"frame {frame}"), clip, mask.shape)
            yield mask


@dataclass(frozen=True)
class NpyMasks:
    """Masks of a clip in a ``.npy`` file, (T, H, W)."""

    path: Path

    def paths(self) -> tuple[Path, ...]:
        """The file."""
        return (self.path,)

    def masks(self, clip: Clip) -> Iterator[NDArray[Any]]:
        """Yield the masks as they are stored, (H, W); raises `DataError` D203, D205, D206, D215."""
        array = read_array(self.path, ndim=3, where=(f"clip {clip.id}",))
        if len(array) != clip.frames:
            raise wrong_count("D203", "masks", self.path, clip.id, expected=clip.frames, got=len(array))
        if array.shape[1:] != (clip.height, clip.width):
            raise _wrong_shape(self.path, (f"clip {clip.id}",), clip, array.shape)
        for mask in array:
            yield np.asarray(mask)


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
                expected=f"{clip.frames} labels",
                got=f"{len(array)} labels",
            )
        other = np.setdiff1d(array, [0, 1])
        if other.size:
            raise DataError("D207", "a label is neither 0 nor 1", where=where, expected="0 or 1", got=str(other[0]))
        return np.asarray(array != 0)
