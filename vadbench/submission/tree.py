"""The tree of files that a submission is: a folder, or a stored zip, on disk or behind a URL, read alike.

Source: submission.md, "Folder and zip".
"""

from __future__ import annotations

import os
import re
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from vadbench.errors import SubmissionError, UsageError, printable, quoted
from vadbench.submission.problems import problem

METADATA = "submission.toml"
PROVENANCE = "provenance.json"
PREDICTIONS = "predictions.zarr"
UNFINISHED = ".unfinished"
"""Folder in which a writer keeps the clip that it is writing; a submission that still has it is not whole."""

IGNORED = frozenset({".DS_Store", "Thumbs.db"})
MOST_LEVELS = 7  # predictions.zarr/01/score_maps/c/0/0/0
MOST_ENTRIES = 100_000
"""Entries of a zip; names in a clip, or in a folder that is listed alone."""

_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FOLDER_FLAGS = _OPEN_FLAGS | getattr(os, "O_DIRECTORY", 0)
_STEP_BY_STEP = os.open in os.supports_dir_fd
"""Whether a file can be opened from folder to folder, so that no link on the way is followed."""


class Tree(ABC):
    """Files below one root, named by relative paths with ``/``.

    Implementations hold the place alone and open files on demand, so that they can be sent to workers.

    Attributes
    ----------
    path : Path or None
        None for a tree behind a URL.
    is_archive, is_remote : bool
        Whether it is a zip; whether reading waits for a network, so that reading ahead is worth while.
    """

    path: Path | None = None
    is_archive: bool = False
    is_remote: bool = False

    @property
    @abstractmethod
    def shown(self) -> str:
        """How messages call the tree: its path, or its URL without credentials."""

    @abstractmethod
    def entries(self, folder: str = "") -> Mapping[str, bool]:
        """Names directly in a folder, sorted; the value says whether it is a folder. Absent folder: empty."""

    @abstractmethod
    def files(self, folder: str = "") -> Mapping[str, int]:
        """Size in bytes of every file below a folder, by its path from the root, sorted."""

    @abstractmethod
    def read(self, name: str, limit: int) -> bytes:
        """Content of a file.

        Raises
        ------
        SubmissionError
            S123 if it is larger than ``limit`` bytes (checked before anything is read), S124 if it cannot be read,
            S129 if it changes meanwhile.
        """

    def prepare(self, folder: str) -> None:
        """Do what makes the reading of a clip's metadata faster; nothing where files are at hand."""
        return


@dataclass(frozen=True)
class FolderTree(Tree):
    """A folder; the path may be a link, nothing inside may be one."""

    path: Path

    @property
    def shown(self) -> str:
        """The path, safe to print."""
        return printable(str(self.path))

    def entries(self, folder: str = "") -> Mapping[str, bool]:
        """Names directly in a folder; raises `SubmissionError` S121 for a link or special file, S120 for a name."""
        return {name: is_folder for name, is_folder, _ in self._scan(folder)}

    def files(self, folder: str = "") -> Mapping[str, int]:
        """Sizes of all files below; raises `SubmissionError` S120 for a path deeper than the format's, or too many."""
        found: dict[str, int] = {}
        waiting = [folder]
        while waiting:
            current = waiting.pop()
            for name, is_folder, size in self._scan(current):
                full = f"{current}/{name}" if current else name
                if not is_folder:
                    found[full] = size
                    if len(found) > MOST_ENTRIES:
                        raise self._too_many(folder)
                elif full.count("/") + 1 >= MOST_LEVELS:
                    raise problem("S120", where=(self.shown, quoted(full)), hint="nothing lies that deep")
                else:
                    waiting.append(full)
        return dict(sorted(found.items()))

    def read(self, name: str, limit: int) -> bytes:
        """Content of a file, opened without following any link below the root."""
        try:
            with open(self._descriptor(name), "rb", buffering=0) as file:  # noqa: PTH123
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise problem("S121", where=(self.shown, quoted(name)))
                if status.st_size > limit:
                    raise too_large(self.shown, name, status.st_size, limit)
                return read_unchanged(file, self.shown, name, start=0, length=status.st_size, before=status)
        except OSError as error:
            raise unreadable(self.shown, name, error) from error

    def _descriptor(self, name: str) -> int:
        if not _STEP_BY_STEP:
            return os.open(self.path / name, _OPEN_FLAGS)
        *folders, last = name.split("/")
        # The root itself may be a link.
        current = os.open(self.path, _FOLDER_FLAGS & ~getattr(os, "O_NOFOLLOW", 0))
        try:
            for folder in folders:
                inner = os.open(folder, _FOLDER_FLAGS, dir_fd=current)
                os.close(current)
                current = inner
            return os.open(last, _OPEN_FLAGS, dir_fd=current)
        finally:
            os.close(current)

    def _scan(self, folder: str) -> Iterator[tuple[str, bool, int]]:
        """Sorted (name, is folder, size); the folders on the way are looked at too, since a worker may start here."""
        current = self.path
        try:
            for part in filter(None, folder.split("/")):
                current /= part
                if not os.path.lexists(current):
                    return
                if not stat.S_ISDIR(current.lstat().st_mode):
                    raise problem("S121", where=(self.shown, quoted(folder)), expected="a folder")
            with os.scandir(current) as listing:
                found = sorted(islice(listing, MOST_ENTRIES + 1), key=lambda entry: entry.name)
            if len(found) > MOST_ENTRIES:
                raise self._too_many(folder)
            for entry in found:
                if not is_text(entry.name):
                    full = f"{folder}/{entry.name}" if folder else entry.name
                    raise problem(
                        "S120", where=(self.shown, quoted(full)), expected="names in UTF-8", hint="rename or remove it"
                    )
                is_folder = entry.is_dir(follow_symlinks=False)
                if not is_folder and not entry.is_file(follow_symlinks=False):
                    raise self._special(f"{folder}/{entry.name}" if folder else entry.name, entry.is_symlink())
                if is_folder or entry.name not in IGNORED:
                    yield entry.name, is_folder, 0 if is_folder else entry.stat(follow_symlinks=False).st_size
        except OSError as error:
            raise unreadable(self.shown, folder, error) from error

    def _too_many(self, folder: str) -> SubmissionError:
        return problem(
            "S120",
            where=(self.shown, *([quoted(folder)] if folder else [])),
            expected=f"at most {MOST_ENTRIES} names",
            got="more",
            hint="larger chunks make fewer files",
        )

    def _special(self, name: str, is_link: bool) -> SubmissionError:
        return problem(
            "S121",
            where=(self.shown, quoted(name)),
            expected="plain files and folders only",
            got="a link" if is_link else "a special file",
            hint="copy what the link points to into its place" if is_link else "remove it",
        )


def is_url(path: str | os.PathLike[str]) -> bool:
    """Whether a text is a URL, as far as its beginning tells; a `Path` never is: it has lost the second slash."""
    # Two letters at least: one is the name of a drive.
    return isinstance(path, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path) is not None


def is_canonical(name: str) -> bool:
    """Whether a name in an archive or a store is a relative path that every system reads alike."""
    parts = name.split("/")
    return not (any(part in ("", ".", "..") for part in parts) or "\\" in name or "\0" in name or ":" in parts[0])


def is_text(name: str) -> bool:
    """Whether a name of the file system is text; Python gives halves of characters in place of other bytes."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def open_tree(path: str | os.PathLike[str]) -> Tree:
    """Tree at a path or URL: a folder, or a zip known by its content.

    Raises
    ------
    UsageError
        U130 if the path is neither a file nor a folder; U138, U139 about URLs.
    SubmissionError
        S101 if the file is no zip; S125 … S128 if what is behind a URL cannot be had.
    """
    from vadbench.submission.zip_tree import ZipTree, is_zip

    if isinstance(path, str) and is_url(path):
        from vadbench.submission.remote_tree import open_remote_tree

        return open_remote_tree(path)
    place = Path(path)
    try:
        is_folder, is_file = place.is_dir(), place.is_file()
    except OSError as error:  # such as a name that is too long, or a folder on the way that must not be read
        raise unreadable(printable(str(place)), place.name, error) from error
    if is_folder:
        return FolderTree(place)
    if not is_file:
        raise UsageError(
            "U130",
            "the path is neither a folder nor a file",
            where=printable(str(place)),
            hint="give a URL as text: a Path loses one of its slashes"
            if re.match(r"(s3|https?):/", place.as_posix())
            else "give the folder that holds submission.toml, or the zip made of it",
        )
    if is_zip(place):
        return ZipTree.opened(place)
    raise problem(
        "S101",
        where=printable(str(place)),
        expected="a folder with submission.toml, or a stored zip of one",
        got="a file that is no zip",
        hint=f"give the folder {printable(str(place.parent))}" if place.name == METADATA else "",
    )


def read_unchanged(file: IO[bytes], shown: str, name: str, *, start: int, length: int, before: os.stat_result) -> bytes:
    """Bytes of an open file of which it was seen before how large it is.

    Raises
    ------
    SubmissionError
        S129 if there are fewer, or the file's size or time of change are others afterwards.
    """
    file.seek(start)
    parts: list[bytes] = []
    missing = length
    # A system may give fewer bytes at a time than are asked for.
    while missing and (part := file.read(missing)):
        parts.append(part)
        missing -= len(part)
    if missing or file_state(os.fstat(file.fileno())) != file_state(before):
        raise changed(shown, name)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def file_state(status: os.stat_result) -> tuple[int, ...]:
    """What is different when a file has been written to, or another one has taken its place."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def changed(shown: str, name: str) -> SubmissionError:
    """Error S129 about a file."""
    return problem(
        "S129", where=(shown, quoted(name)), hint="start again when nothing writes to the submission any more"
    )


def too_large(shown: str, name: str, size: int, limit: int) -> SubmissionError:
    """Error S123 about a file and the number of bytes it may have."""
    return problem("S123", where=(shown, quoted(name)), expected=f"at most {limit} bytes", got=f"{size} bytes")


def unreadable(shown: str, name: str, error: OSError) -> SubmissionError:
    """Error S124 about a file that the operating system does not give."""
    return problem("S124", where=(shown, quoted(name)), got=error.strerror or type(error).__name__)
