"""The header of a NumPy array, looked at before anything else of the file is read."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from tokenize import TokenError
from typing import IO, Any

import numpy as np

from vadbench.conversion.shown import shown_error

_LARGEST_HEADER = 64 * 2**10
_PREFIX = 8
_LENGTHS = {(1, 0): "<H", (2, 0): "<I"}


class NoArrayError(Exception):
    """A file is not a NumPy array; the words say why."""


@dataclass(frozen=True)
class ArrayHeader:
    """What the header says.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    fortran_order : bool
    offset : int
        Bytes before the values.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran_order: bool
    offset: int

    @property
    def n_bytes(self) -> int:
        """Bytes of the values."""
        number = self.dtype.itemsize
        for length in self.shape:
            number *= length
        return number


def read_header(file: IO[bytes]) -> ArrayHeader:
    """Header at the beginning of a stream, at most 64 KiB of it; raises `NoArrayError`.

    The stream stands before the first value afterwards. Python objects are a dtype like others here: nothing is
    unpickled.
    """
    prefix = file.read(_PREFIX)
    if len(prefix) < _PREFIX or prefix[:6] != b"\x93NUMPY":
        is_pickle = len(prefix) > 1 and prefix[0] == 0x80 and prefix[1] <= 5
        raise NoArrayError("a Python pickle, which is never loaded" if is_pickle else "another kind of file")
    version = (prefix[6], prefix[7])
    if version not in _LENGTHS:
        raise NoArrayError(f"version {version[0]}.{version[1]} of the format")
    width = struct.calcsize(_LENGTHS[version])
    length_bytes = file.read(width)
    if len(length_bytes) < width:
        raise NoArrayError("the header is cut off")
    (length,) = struct.unpack(_LENGTHS[version], length_bytes)
    if length > _LARGEST_HEADER:
        raise NoArrayError(f"a header of {length} bytes")
    text = file.read(length)
    if len(text) < length:
        raise NoArrayError("the header is cut off")
    whole = io.BytesIO(length_bytes + text)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, fortran_order, dtype = reader(whole)
    # NumPy evaluates the header as a literal of Python.
    except (ValueError, TypeError, OverflowError, SyntaxError, RecursionError, MemoryError, TokenError) as error:
        raise NoArrayError(shown_error(error)) from error
    if any(axis < 0 for axis in shape):
        raise NoArrayError(f"a shape of {shape}")
    return ArrayHeader(shape, dtype, fortran_order, _PREFIX + width + length)
