"""A stored zip, read in place.

Source: submission.md, "Folder and zip".
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vadbench.errors import quoted
from vadbench.submission.problems import problem
from vadbench.submission.tree import Tree, too_large, unreadable
from vadbench.submission.zip_directory import DirectoryReader, Extent, ZipIndex, checked_content

ZIP_BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
"""How a zip begins; the second is an empty one."""


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip does, an empty one included."""
    try:
        with path.open("rb") as file:
            return file.read(4) in ZIP_BEGINNINGS
    except OSError as error:
        raise unreadable(str(path), path.name, error) from error


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

    Notes
    -----
    The directory is read once a process for each state of the file.
    """

    path: Path

    @property
    def shown(self) -> str:
        """The path."""
        return str(self.path)

    def read(self, name: str, limit: int) -> bytes:
        """Content of a member; its CRC-32 is checked."""
        extent = self._extent(name, limit)
        try:
            with self.path.open("rb") as file:
                file.seek(extent.start)
                data = file.read(extent.stop - extent.start)
        except OSError as error:
            raise unreadable(self.shown, name, error) from error
        return checked_content(self.shown, extent.member, data)

    def _index(self) -> ZipIndex:
        try:
            status = self.path.stat()
            return _read_index(self.path, status.st_size, status.st_mtime_ns)
        except OSError as error:
            raise unreadable(self.shown, self.path.name, error) from error


@lru_cache(maxsize=4)
def _read_index(path: Path, size: int, _mtime_ns: int) -> ZipIndex:
    with path.open("rb") as file:

        def read(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        return DirectoryReader(str(path), size, read).local_index()
