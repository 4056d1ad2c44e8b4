"""NumPy files: an array a clip, a folder a clip with an array a frame, or one ``.npz`` with the arrays of all clips.

Pickles are never loaded. A ``.npy`` is mapped into memory and a ``.npz`` read as a stream: memory holds a few frames.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from vadbench.conversion.clip_files import ClipFiles
from vadbench.conversion.dense.arrays import DenseSource, HeldFrames, ReadFrames, check_dtype, check_shape
from vadbench.conversion.dense.npy_header import ArrayHeader, NoArrayError, read_header
from vadbench.conversion.formats import Reading
from vadbench.conversion.shown import shown_error, shown_path
from vadbench.errors import ConversionError, UsageError, did_you_mean, quoted, shortened

_SUFFIXES = (".npy", ".npz")
_CHANGED = "a file that changed while it was read"
_DAMAGED = (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)


class ArraySource(DenseSource):
    """A folder of NumPy files, or one ``.npz`` with an array for each clip.

    Parameters
    ----------
    path : Path
    reading : Reading
        ``key`` is the name of the array in each ``.npz`` that holds several; the pattern is compared with the names of
        the arrays where one file holds all.

    Raises
    ------
    UsageError
        U211 for a key where there is no use for it, U216 if there is nothing at the path, or no array for each clip.
    ConversionError
        C102, C103 about names of files and arrays, C112 for a file that is damaged.
    """

    def __init__(self, path: Path, reading: Reading) -> None:
        super().__init__()
        self._members: dict[str, str] = {}
        self._path = path
        if path.is_file():
            names = _names_in_archive(path, reading)
            self._members = self._match_arrays(names, reading.pattern, (shown_path(path),))
            self.clip_names = tuple(self._members)
            return
        self._files = self._find(path, _SUFFIXES, reading.pattern, what="NumPy arrays (.npy, .npz)")
        self._key = reading.key
        self.clip_names = tuple(self._files)
        has_archive = any(file.suffix.lower() == ".npz" for own in self._files.values() for file in own.paths)
        if reading.key is not None and not has_archive:
            raise UsageError(
                "U211", "--key is for .npz files", where=shown_path(path), got="files that end in .npy only"
            )

    def held(self, name: str) -> HeldFrames:
        """Arrays of a clip."""
        if name in self._members:
            return _ArchivedArray(self._path, *_of_archive(self._path, f"{self._members[name]}.npy"), shared=True)
        files = self._files[name]
        first = self._array(files.paths[0])
        if len(files.paths) == 1 and (files.numbers is None or len(first.shape) != 2):
            return first
        return _FrameArrays(files, [first, *(self._array(path) for path in files.paths[1:])])

    def _array(self, path: Path) -> _Array:
        with _readable((shown_path(path),)):
            if path.suffix.lower() == ".npz":
                return _ArchivedArray(path, *_member(path, self._key))
            with path.open("rb") as file:
                header = read_header(file)
            return _MappedArray(path, header)


class _Array(HeldFrames):
    """One array in one file."""

    def __init__(self, path: Path, header: ArrayHeader) -> None:
        self.path = path
        self.header = header
        self.shape, self.dtype = header.shape, header.dtype
        self.place = (shown_path(path),)

    def whole(self) -> NDArray[Any]:
        """All of it, where it is one frame."""
        with self.reading() as read:
            return read(0, self.shape[0] if self.shape else 1)


class _MappedArray(_Array):
    """A ``.npy`` file."""

    @contextmanager
    def reading(self) -> Iterator[ReadFrames]:
        check_dtype(self.dtype, self.place)
        try:
            array = np.lib.format.open_memmap(self.path, mode="r")
        except _DAMAGED as error:
            # A file that is shorter than its header says cannot be mapped.
            raise _unreadable(self.place, shown_error(error)) from error
        if (array.shape, array.dtype) != (self.shape, self.dtype):
            raise _unreadable(self.place, _CHANGED)
        yield lambda start, stop: np.array(array[start:stop])


class _ArchivedArray(_Array):
    """A member of a ``.npz`` file, read from its beginning to its end."""

    def __init__(self, path: Path, member: str, header: ArrayHeader, *, shared: bool = False) -> None:
        super().__init__(path, header)
        self._member = member
        if shared:
            self.place = (*self.place, quoted(member.removesuffix(".npy")))

    @contextmanager
    def reading(self) -> Iterator[ReadFrames]:
        check_dtype(self.dtype, self.place)
        with (
            _readable(self.place),
            zipfile.ZipFile(self.path) as archive,
            archive.open(self._member) as file,
        ):
            header = read_header(file)
            if header != self.header:
                raise _unreadable(self.place, _CHANGED)
            # Columns first means that every frame is spread over the whole file.
            yield self._whole_file(file) if header.fortran_order else self._forwards(file)

    def _forwards(self, file: IO[bytes]) -> ReadFrames:
        frame_bytes = self.header.n_bytes // max(1, self.shape[0])
        position = 0

        def read(start: int, stop: int) -> NDArray[Any]:
            nonlocal position
            for _ in range(position, start):
                _exactly(file, frame_bytes)
            position = stop
            content = _exactly(file, (stop - start) * frame_bytes)
            return np.frombuffer(content, self.dtype).reshape(stop - start, *self.shape[1:])

        return read

    def _whole_file(self, file: IO[bytes]) -> ReadFrames:
        content = _exactly(file, self.header.n_bytes)
        array = np.frombuffer(content, self.dtype).reshape(self.shape, order="F")
        return lambda start, stop: array[start:stop]


class _FrameArrays(HeldFrames):
    """An array (H, W) a frame, each in its own file."""

    def __init__(self, files: ClipFiles, arrays: list[_Array]) -> None:
        first = arrays[0]
        for array in arrays:
            where = array.place
            if len(array.shape) != 2:
                raise ConversionError(
                    "C108",
                    "an array has the wrong shape",
                    where=where,
                    expected="(H, W), for the file is one of several frames",
                    got=str(array.shape),
                    hint="remove the axis of length 1: scores.squeeze()" if 1 in array.shape else "",
                )
            if (array.shape, array.dtype) != (first.shape, first.dtype):
                raise ConversionError(
                    "C108",
                    "the frames of a clip differ in size or dtype",
                    where=where,
                    expected=f"{first.shape} {first.dtype} as {quoted(first.path.name)}",
                    got=f"{array.shape} {array.dtype}",
                )
        self._arrays = arrays
        self.shape = (len(arrays), *first.shape)
        self.dtype = first.dtype
        self.place = (shown_path(first.path.parent),)
        self.first_number = files.first_number
        check_shape(self.shape, self.place)

    @contextmanager
    def reading(self) -> Iterator[ReadFrames]:
        yield lambda start, stop: np.stack([array.whole() for array in self._arrays[start:stop]])

    def place_of(self, frame: int) -> tuple[str, ...]:
        return self._arrays[frame].place


def _member(path: Path, key: str | None) -> tuple[str, ArrayHeader]:
    """Name of the member of a ``.npz`` that is meant, and its header."""
    with zipfile.ZipFile(path) as archive:
        members = {name.removesuffix(".npy"): name for name in archive.namelist()}
        if key is None and len(members) != 1:
            raise ConversionError(
                "C111",
                "the file holds several arrays" if members else "the file holds no array",
                where=shown_path(path),
                expected="one array, or --key NAME",
                got=shortened([quoted(name) for name in sorted(members)]) if members else "an empty archive",
                hint="say which one holds the scores: --key NAME" if members else "",
            )
        if key is not None and key not in members:
            raise ConversionError(
                "C111",
                "the file holds no array of that name",
                where=shown_path(path),
                expected=quoted(key),
                got=shortened([quoted(name) for name in sorted(members)]),
                hint=did_you_mean(key, [name for name in members if name.isprintable()]),
            )
        name = members[key] if key is not None else next(iter(members.values()))
        return name, _member_header(archive, name)


def _member_header(archive: zipfile.ZipFile, name: str) -> ArrayHeader:
    with archive.open(name) as file:
        header = read_header(file)
    n_bytes = archive.getinfo(name).file_size - header.offset
    if not header.dtype.hasobject and n_bytes != header.n_bytes:
        raise NoArrayError(f"{n_bytes} bytes for an array of {header.n_bytes}")
    return header


def _of_archive(path: Path, member: str) -> tuple[str, ArrayHeader]:
    """Name and header of one array of a file that holds all clips."""
    with _readable((shown_path(path), quoted(member.removesuffix(".npy")))), zipfile.ZipFile(path) as archive:
        return member, _member_header(archive, member)


def _names_in_archive(path: Path, reading: Reading) -> list[str]:
    """Names of the arrays of a ``.npz``; refuses other files with the way to split them."""
    if path.suffix.lower() != ".npz":
        raise UsageError(
            "U216",
            "a folder is needed here, or one .npz with an array for each clip",
            where=shown_path(path),
            got="a file",
            hint="scores of all clips one after the other: parts = np.split(scores, np.cumsum(lengths)[:-1]),\n"
            "lengths being the numbers of frames of the clips; then np.savez(FILE, **dict(zip(ids, parts)))"
            if path.suffix.lower() == ".npy"
            else "give the folder that holds the files of all clips",
        )
    if reading.key is not None:
        raise UsageError(
            "U211",
            "--key is for a folder of .npz files",
            where=shown_path(path),
            got="one .npz, whose arrays are the clips",
            hint="leave it out, or say with --clip-pattern which part of an array's name is the clip",
        )
    with _readable((shown_path(path),)), zipfile.ZipFile(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


@contextmanager
def _readable(place: tuple[str, ...]) -> Iterator[None]:
    """Turn what NumPy and zipfile raise for a damaged file into C112."""
    try:
        yield
    except NoArrayError as error:
        raise _unreadable(place, str(error)) from error
    except _DAMAGED as error:
        raise _unreadable(place, shown_error(error)) from error


def _exactly(file: IO[bytes], number: int) -> bytes:
    content = file.read(number)
    if len(content) != number:
        raise EOFError("the values are cut off")
    return content


def _unreadable(place: tuple[str, ...], got: str) -> ConversionError:
    return ConversionError(
        "C112",
        "a file cannot be read as a NumPy array",
        where=place,
        expected=".npy or .npz of numbers, as np.save or np.savez writes them",
        got=got,
        hint="the file is damaged, cut off or of another kind",
    )
