"""A reader of one cell array of masks in a MATLAB level-5 file: strict, bounded, one cell at a time.

SciPy's reader trusts the lengths in a file, and a damaged one can crash the interpreter. Here every length is compared
with what is left of the part it lies in before anything is read.
Source: "MAT-File Format", The MathWorks; the names of the constants are those of that document.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.matlab_bytes import MOST_GROWTH, Inflated, Part, damaged
from vadbench.errors import DataError, quoted

_HEADER_BYTES = 128
_LEVEL_5, _LEVEL_7_3 = 0x0100, 0x0200
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"

_MI_MATRIX, _MI_COMPRESSED = 14, 15
_MI_INT32, _MI_UINT32 = 5, 6
_MI_TEXT = {1, 2, 16}
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_MX_CELL, _MX_NUMERIC = 1, range(6, 16)
_COMPLEX_FLAG = 0x0800

_MOST_CELL_BYTES = 64 * 2**20
"""A mask of 8192 x 8192 bytes, as large as a chunk of a submission may be."""


@dataclass
class CellArray:
    """A cell array in an open file.

    Parameters
    ----------
    count : int
        Number of cells.
    arrays : iterator of (H, W) arrays
        The cells one by one, as they are stored: MATLAB stores small numbers of any class as small integers. Reading
        raises `DataError` D206 for a damaged cell, D215 for one that holds no real numbers.
    """

    count: int
    arrays: Iterator[NDArray[Any]]


def open_cells(file: BinaryIO, size: int, name: str, path: Path, where: tuple[str, ...]) -> CellArray:
    """Find a variable, a cell 1 x T or T x 1, in a file that is open at its start.

    Parameters
    ----------
    file : binary file
    size : int
        Bytes in the file.
    name : str
        Of the variable.
    path, where : Path and tuple of str
        File and clip, for errors.

    Raises
    ------
    DataError
        D206 if the file is damaged, D215 if it has no such cell.

    Notes
    -----
    Holds one cell at a time, 64 MiB at most.
    """
    place = (str(path), *where)
    part = Part(file.read, size, _byte_order(file, size, place), place)
    part.left -= _HEADER_BYTES
    while part.left:
        kind, length, content = part.tag("a variable")
        if content is not None or kind not in {_MI_MATRIX, _MI_COMPRESSED}:
            part.fail(f"an element of type {kind} where a variable should begin")
        part.reserve(length, "a variable")
        end = file.tell() + length
        matrix, inflated = Part(file.read, length, part.order, place), None
        if kind == _MI_COMPRESSED:
            inflated = Inflated(file, length, place)
            matrix = _inflated_matrix(Part(inflated.read, length * MOST_GROWTH, part.order, place))
        flags, dimensions, found = _heading(matrix)
        if found == name:
            if flags & 0xFF != _MX_CELL or len(dimensions) != 2 or 1 not in dimensions:
                raise _other_content(place, f"{name}: class {flags & 0xFF}, {_times(dimensions)}")
            count = math.prod(dimensions)
            # A cell has a tag at least, so this bounds the number as well.
            if count * 8 > matrix.left:
                matrix.fail(f"{count} cells in {matrix.left} bytes")
            return CellArray(count, _cells(matrix, count, inflated))
        file.seek(end)
    raise _other_content(place, f"no variable {name}")


def _other_content(where: tuple[str, ...], got: str) -> DataError:
    return DataError(
        "D215",
        "the file does not hold the cell volLabel",
        where=where,
        expected="volLabel, a cell 1 x T of H x W arrays",
        got=got,
    )


def _byte_order(file: BinaryIO, size: int, where: tuple[str, ...]) -> str:
    header = file.read(_HEADER_BYTES)
    order = {b"IM": "<", b"MI": ">"}.get(header[126:128], "")
    version = struct.unpack(order + "H", header[124:126])[0] if order else None
    if header.startswith(_HDF5_SIGNATURE) or version == _LEVEL_7_3:
        raise damaged(
            where,
            "a file of MATLAB 7.3 (HDF5)",
            "use the original label files; files saved with -v7.3 cannot be read",
        )
    if size < _HEADER_BYTES or version != _LEVEL_5:
        raise damaged(where, f"a file that begins with {quoted(header[:20].decode('ascii', 'replace'))}")
    return order


def _inflated_matrix(part: Part) -> Part:
    kind, length, content = part.tag("a variable")
    if kind != _MI_MATRIX or content is not None:
        part.fail(f"an element of type {kind} where a variable should begin")
    return part.part(length, "a variable")


def _heading(matrix: Part) -> tuple[int, tuple[int, ...], str]:
    """Flags, dimensions and name of a matrix."""
    kind, content = matrix.element("array flags")
    if kind != _MI_UINT32 or len(content) != 8:
        matrix.fail("array flags of another form")
    flags: int = struct.unpack(matrix.order + "II", content)[0]
    kind, content = matrix.element("dimensions")
    if kind != _MI_INT32 or len(content) % 4 or len(content) < 8:
        matrix.fail("dimensions of another form")
    dimensions = struct.unpack(f"{matrix.order}{len(content) // 4}i", content)
    if min(dimensions) < 0:
        matrix.fail(f"dimensions {_times(dimensions)}")
    kind, content = matrix.element("a name")
    if kind not in _MI_TEXT:
        matrix.fail("a name of another form")
    return flags, dimensions, content.decode("ascii", "replace")


def _cells(matrix: Part, count: int, inflated: Inflated | None) -> Iterator[NDArray[Any]]:
    where = matrix.where
    for frame in range(count):
        matrix.where = (*where, f"frame {frame}")
        yield _cell(matrix)
    matrix.where = where
    matrix.finish("the cell array")
    if inflated is not None:
        inflated.finish()


def _cell(matrix: Part) -> NDArray[Any]:
    kind, length, content = matrix.tag("a cell")
    if kind != _MI_MATRIX or content is not None:
        matrix.fail(f"an element of type {kind} where a cell should begin")
    cell = matrix.part(length, "a cell")
    # MATLAB's way to write [].
    if length == 0:
        return np.zeros((0, 0))
    flags, dimensions, _ = _heading(cell)
    if flags & 0xFF not in _MX_NUMERIC or flags & _COMPLEX_FLAG or len(dimensions) != 2:
        raise DataError(
            "D215",
            "a cell of volLabel is no mask",
            where=cell.where,
            expected="an H x W array of real numbers",
            got=f"class {flags & 0xFF}, {_times(dimensions)}" + (", complex" if flags & _COMPLEX_FLAG else ""),
        )
    kind, content = cell.element("the numbers of a cell", _MOST_CELL_BYTES)
    cell.finish("a cell")
    if kind not in _STORED:
        cell.fail(f"numbers of type {kind}")
    dtype = np.dtype(cell.order + _STORED[kind])
    if math.prod(dimensions) * dtype.itemsize != len(content):
        cell.fail(f"{len(content)} bytes for {_times(dimensions)} numbers of {dtype.itemsize}")
    return np.frombuffer(content, dtype).reshape(dimensions, order="F")


def _times(dimensions: tuple[int, ...]) -> str:
    return " x ".join(map(str, dimensions[:8]))
