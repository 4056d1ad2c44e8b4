"""A stored zip, read in place.

Source: submission.md, "Folder and zip".
"""

from __future__ import annotations

import errno
import os
import stat
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO

from vadbench.errors import SubmissionError, printable, quoted
from vadbench.submission.problems import problem
from vadbench.submission.tree import Tree, changed, file_state, read_unchanged, too_large, unreadable
from vadbench.submission.zip_directory import DirectoryReader, Extent, ZipIndex, checked_content

ZIP_BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
"""How a zip begins; the second is an empty one."""


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip does, an empty one included."""
    try:
        with open_regular(path) as file:
            return file.read(4) in ZIP_BEGINNINGS
    except OSError as error:
        raise unreadable(printable(str(path)), path.name, error) from error


class IndexedTree(Tree):
    """The tree of a zip, wherever it lies."""

    is_archive = True

    def entries(self, folder: str = "") -> Mapping[str, bool]:
        """Names directly in a folder."""
        return dict(sorted(self._index().folders.get(folder, {}).items()))

    def files(self, folder: str = "") -> Mapping[str, int]:
        """Sizes of all files below a folder."""
        index = self._index()
        found: dict[str, int] = {}
        waiting = [folder]
        while waiting:
            current = waiting.pop()
            for name, is_folder in index.folders.get(current, {}).items():
                full = f"{current}/{name}" if current else name
                if is_folder:
                    waiting.append(full)
                else:
                    found[full] = index.extents[full].member.size
        return dict(sorted(found.items()))

    def _extent(self, name: str, limit: int) -> Extent:
        """Where a member lies; raises `SubmissionError` S124 if there is none, S123 if it is too large."""
        extent = self._index().extents.get(name)
        if extent is None:
            raise problem("S124", where=(self.shown, quoted(name)), got="no such member")
        if extent.member.size > limit:
            raise too_large(self.shown, name, extent.member.size, limit)
        return extent

    @abstractmethod
    def _index(self) -> ZipIndex:
        """Where the members lie."""


@dataclass(frozen=True)
class ZipTree(IndexedTree):
    """A zip of stored members on disk; it is never unpacked.

    Parameters
    ----------
    path : Path
    state : tuple of int, optional
        Of the file (`file_state`) when it was opened: reading fails once it is another. It is not sent to workers,
        whose system may number files otherwise; they take the file as it is, and each member as its CRC-32 says.

    Notes
    -----
    The directory is read once a process for each state of the file.
    """

    path: Path
    state: tuple[int, ...] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def opened(cls, path: Path) -> ZipTree:
        """Tree of a file that must stay as it is now."""
        try:
            return cls(path, file_state(path.stat()))
        except OSError as error:
            raise unreadable(printable(str(path)), path.name, error) from error

    def __reduce__(self) -> tuple[type[ZipTree], tuple[Path]]:
        return type(self), (self.path,)

    @property
    def shown(self) -> str:
        """The path, safe to print."""
        return printable(str(self.path))

    def read(self, name: str, limit: int) -> bytes:
        """Content of a member; its CRC-32 is checked."""
        extent = self._extent(name, limit)
        length = extent.stop - extent.start
        try:
            with open_regular(self.path) as file:
                status = os.fstat(file.fileno())
                self._check_state(file_state(status))
                data = read_unchanged(file, self.shown, name, start=extent.start, length=length, before=status)
        except OSError as error:
            raise unreadable(self.shown, name, error) from error
        return checked_content(self.shown, extent.member, data)

    def _index(self) -> ZipIndex:
        try:
            state = file_state(self.path.stat())
            self._check_state(state)
            return _read_index(self.path, state)
        except OSError as error:
            raise unreadable(self.shown, self.path.name, error) from error

    def _check_state(self, now: tuple[int, ...]) -> None:
        if self.state is not None and now != self.state:
            raise changed(self.shown, self.path.name)


@lru_cache(maxsize=4)
def _read_index(path: Path, state: tuple[int, ...]) -> ZipIndex:
    shown = printable(str(path))
    with open_regular(path) as file:
        before = os.fstat(file.fileno())

        def read(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        try:
            index = DirectoryReader(shown, before.st_size, read).local_index()
        except SubmissionError as error:
            # What does not fit together may be halves of two files.
            if file_state(os.fstat(file.fileno())) != state:
                raise changed(shown, path.name) from error
            raise
        if not file_state(before) == file_state(os.fstat(file.fileno())) == state:
            raise changed(shown, path.name)
    return index


def open_regular(path: Path) -> IO[bytes]:
    """A file opened for reading; `OSError` for a pipe or device that has taken its place, which would not answer."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = open(os.open(path, flags), "rb")  # noqa: PTH123, SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a plain file")
    return file
