"""A submission behind a URL: a folder of an object store, or a stored zip, read in parts and never downloaded whole.

Source: submission.md, "Behind a URL".
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from vadbench.errors import SubmissionError, quoted
from vadbench.submission.problems import problem
from vadbench.submission.remote_connection import LARGEST_KEPT, Connection, connection
from vadbench.submission.remote_place import RemotePlace, remote_place
from vadbench.submission.tree import IGNORED, MOST_ENTRIES, MOST_LEVELS, PREDICTIONS, Tree, is_canonical, too_large
from vadbench.submission.zip_directory import DirectoryReader, ZipIndex
from vadbench.submission.zip_tree import ZIP_BEGINNINGS, IndexedTree

_TAIL = 256 * 2**10
"""Bytes of a zip that are read first; the directory of some 2500 members is in them."""

_END_BYTES = 22
_MOST_AHEAD = 64
_THREADS = 8


class _RemoteTree(Tree):
    """What folders and zips behind a URL have in common."""

    is_remote = True
    place: RemotePlace

    @property
    def shown(self) -> str:
        """The URL without credentials."""
        return self.place.shown

    def prepare(self, folder: str) -> None:
        """Read the metadata of a clip at once instead of one after the other; it is kept for when it is asked for."""
        small = [
            name for name, size in self.files(folder).items() if name.endswith("/zarr.json") and size <= LARGEST_KEPT
        ]
        with ThreadPoolExecutor(_THREADS) as threads:
            list(threads.map(lambda name: self.read(name, LARGEST_KEPT), small[:_MOST_AHEAD]))

    def _connection(self) -> Connection:
        return connection(self.place)


@dataclass(frozen=True)
class RemoteFolderTree(_RemoteTree):
    """A folder of an object store: objects whose keys begin alike.

    Notes
    -----
    A clip is listed once, with all that is in it, and its files have the sizes of that listing.
    """

    place: RemotePlace

    def entries(self, folder: str = "") -> Mapping[str, bool]:
        """Names directly in a folder; raises `SubmissionError` S120 for a name that a zip could not have."""
        whole = _clip_of(folder)
        listed = self._listing(whole or folder, below=whole is not None)
        start = len(folder) + 1 if folder else 0
        found: dict[str, bool] = {}
        for name in listed:
            if name.startswith(f"{folder}/" if folder else ""):
                first, slash, _ = name[start:].partition("/")
                found[first] = bool(slash)
        return dict(sorted(found.items()))

    def files(self, folder: str = "") -> Mapping[str, int]:
        """Sizes of all files below a folder; raises `SubmissionError` S120 as `entries`."""
        listed = self._listing(_clip_of(folder) or folder, below=True)
        start = f"{folder}/" if folder else ""
        return {name: size for name, size in listed.items() if name.startswith(start)}

    def read(self, name: str, limit: int) -> bytes:
        """Content of a file."""
        parent = name.rpartition("/")[0]
        whole = _clip_of(parent)
        size = self._listing(whole or parent, below=whole is not None).get(name)
        if size is None:
            raise problem("S124", where=(self.shown, quoted(name)), got="no such file")
        if size > limit:
            raise too_large(self.shown, name, size, limit)
        return self._connection().read(name, 0, size)

    def _listing(self, folder: str, *, below: bool) -> dict[str, int]:
        """Sizes of the files in a folder by their path from the root, sorted; folders in it end in a slash."""
        linked = self._connection()
        return linked.once((folder, below), lambda: self._checked(linked.names(folder, below=below), below=below))

    def _checked(self, names: list[tuple[str, int]], *, below: bool) -> dict[str, int]:
        if len(names) > MOST_ENTRIES:
            raise self._refused(names[0][0], f"more than {MOST_ENTRIES} names")
        found: dict[str, int] = {}
        spelled: dict[str, tuple[str, bool]] = {}
        for name, size in sorted(names):
            path = name.removesuffix("/")
            if not is_canonical(path):
                raise self._refused(name, "a name that is not relative and canonical")
            if path.count("/") >= MOST_LEVELS:
                raise self._refused(name, "a name that deep")
            if name.endswith("/") and size:
                raise self._refused(name, "a folder with content of its own")
            parts = path.split("/")
            if parts[-1] in IGNORED and not name.endswith("/"):
                continue
            for end in range(1, len(parts) + 1):
                part = "/".join(parts[:end])
                kind = end < len(parts) or name.endswith("/")
                if spelled.setdefault(part.casefold(), (part, kind)) != (part, kind):
                    raise self._refused(name, "a name that comes twice (case is ignored)")
            # Where everything below is listed, folders are known by what is in them, and their own markers are ignored.
            if not (below and name.endswith("/")):
                found[name] = size
        return found

    def _refused(self, name: str, got: str) -> SubmissionError:
        return problem("S120", where=(self.shown, quoted(name)), got=got, hint="remove it from the store")


@dataclass(frozen=True)
class RemoteZipTree(_RemoteTree, IndexedTree):
    """A zip of stored members behind a URL.

    Notes
    -----
    The directory is read once a process, and each member, its header included, when it is asked for.
    """

    place: RemotePlace
    size: int

    def read(self, name: str, limit: int) -> bytes:
        """Content of a member; its header and its CRC-32 are checked."""
        extent = self._extent(name, limit)
        data = self._connection().read("", extent.start, extent.stop, shown=name)
        return self._reader().content(extent, data)

    def looks_like_a_zip(self) -> bool:
        """Whether it ends, or at least begins, as a zip does."""
        if self.size < _END_BYTES:
            return False
        return self._tail()[-_END_BYTES:][:4] == ZIP_BEGINNINGS[1] or self._bytes(0, 4) in ZIP_BEGINNINGS

    def _index(self) -> ZipIndex:
        return self._connection().once("index", lambda: self._reader().remote_index())

    def _reader(self) -> DirectoryReader:
        return DirectoryReader(self.shown, self.size, self._bytes)

    def _tail(self) -> bytes:
        return self._connection().read("", max(0, self.size - _TAIL), self.size)

    def _bytes(self, offset: int, length: int) -> bytes:
        """Bytes of the file, without a request where they are among the last."""
        length = max(0, min(length, self.size - offset))
        start = max(0, self.size - _TAIL)
        if offset >= start:
            return self._tail()[offset - start : offset - start + length]
        return self._connection().read("", offset, offset + length)


def open_remote_tree(url: str) -> Tree:
    """Tree behind a URL: a folder of an object store, or a zip known by its content.

    Raises
    ------
    UsageError
        U138 for a URL that is not read, U139 if a package for it is not installed.
    SubmissionError
        S101 if the file is no zip; S125 if access is refused, S126 if nothing is there, S127 if the place cannot be
        reached, S128 if a server gives no parts of a file.
    """
    place = remote_place(url)
    refused: SubmissionError | None = None
    # What the name suggests first: often one is allowed to read a file, and not to look at what is beside it.
    for attempt in (_zip, _folder) if url.endswith(".zip") or not place.is_s3 else (_folder, _zip):
        try:
            tree = attempt(place)
        except SubmissionError as error:
            if error.code not in ("S125", "S126"):
                raise
            # That access is refused says more than that nothing is there.
            refused = error if refused is None or (refused.code, error.code) == ("S126", "S125") else refused
        else:
            if tree is not None:
                return tree
    if refused is not None:
        raise refused
    raise problem("S126", where=place.shown, expected="a folder with submission.toml, or a stored zip of one")


def _folder(place: RemotePlace) -> Tree | None:
    tree = RemoteFolderTree(place)
    return tree if place.is_s3 and tree.entries() else None


def _zip(place: RemotePlace) -> Tree | None:
    size = connection(place).size()
    if size == 0 and place.is_s3 and _folder(place) is not None:
        # The marker of a folder, as some programs make it.
        return None
    tree = RemoteZipTree(place, size)
    if tree.looks_like_a_zip():
        return tree
    raise problem(
        "S101",
        where=place.shown,
        expected="a stored zip of a folder with submission.toml" + ("" if place.is_s3 else "; the web has no folders"),
        got="a file that is no zip",
    )


def _clip_of(folder: str) -> str | None:
    """Folder of the clip that a folder is, or is in; None if it is in none."""
    parts = folder.split("/")
    return "/".join(parts[:2]) if len(parts) > 1 and parts[0] == PREDICTIONS else None
