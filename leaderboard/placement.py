"""Putting files and folders in their places, all or none: everything is written under temporary names first.

Source: docs/leaderboard.md, "Never half a board".
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from vadbench.interruptions import interruptions_held


class Placement:
    """Files and at most one folder that are to appear together.

    Use it in a ``with`` block: what was not placed when it ends leaves nothing behind.
    """

    def __init__(self) -> None:
        self._written: list[tuple[Path, Path]] = []
        self._removed: list[Path] = []
        self._folder: tuple[Path, Path] | None = None

    def __enter__(self) -> Placement:
        return self

    def __exit__(self, *_: object) -> None:
        for temporary, _target in self._written:
            temporary.unlink(missing_ok=True)
        if self._folder is not None:
            shutil.rmtree(self._folder[0], ignore_errors=True)

    def write(self, contents: Mapping[Path, bytes]) -> None:
        """Write files beside their places; those that are there already with the same bytes stay as they are."""
        for target, content in contents.items():
            if _is_file_with(target, content):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = _temporary(target)
            self._written.append((temporary, target))
            temporary.write_bytes(content)

    def remove(self, files: Collection[Path]) -> None:
        """Remove files when the others are placed."""
        self._removed += files

    def folder(self, target: Path) -> Path:
        """Make a new folder that is to take the place of another, and give its temporary path."""
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(target)
        temporary.mkdir()
        self._folder = temporary, target
        return temporary

    def place(self) -> None:
        """Give everything its name; where the system refuses one, the ones before it get their old contents back."""
        with interruptions_held():
            moved: list[tuple[Path, Path | None]] = []
            try:
                if self._folder is not None:
                    moved.append(_moved(*self._folder))
                for temporary, target in self._written:
                    moved.append(_moved(temporary, target))
                for target in self._removed:
                    if target.is_file():
                        aside = _temporary(target)
                        target.replace(aside)
                        moved.append((target, aside))
            except OSError:
                for target, old in reversed(moved):
                    _put_back(target, old)
                raise
            for _, old in moved:
                if old is not None:
                    _forget(old)
            self._written, self._folder, self._removed = [], None, []


def _is_file_with(target: Path, content: bytes) -> bool:
    try:
        return target.read_bytes() == content
    except OSError:
        return False


def _temporary(target: Path) -> Path:
    return target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")


def _moved(temporary: Path, target: Path) -> tuple[Path, Path | None]:
    """Give a file or folder its name; gives the place and where its old content lies now."""
    aside = None
    if target.exists() or target.is_symlink():
        aside = _temporary(target)
        target.rename(aside)
    try:
        temporary.rename(target)
    except OSError:
        if aside is not None:
            aside.rename(target)
        raise
    return target, aside


def _put_back(target: Path, aside: Path | None) -> None:
    # The first refusal is the one to be told.
    with suppress(OSError):
        if target.exists():
            _forget(target)
        if aside is not None:
            aside.rename(target)


def _forget(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
