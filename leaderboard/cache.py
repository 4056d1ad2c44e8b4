"""What need not be computed again, kept in files that carry the digest of their content.

A file that is damaged, or was made by other code, is as good as none. Nothing in the cache is executed, unpickled, or
taken for a score: reports are read anew in every build.

Source: docs/leaderboard.md, "Cache".
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import numpy as np

import vadbench

_DIGEST = 64
_SUFFIX = ".kept"


_ELSEWHERE = frozenset({"cli", "conversion", "failures", "overlay", "plots", "tables"})
"""Rooms of ``vadbench`` that no checked entry, interval or rank comes from."""

_OF_PAGES = ("failures", "plots", "tables")
_OWN = ("cache.py", "entries.py", "estimates.py", "rankings.py")


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Digest of the code that makes intervals and ranks and checks entries, and of NumPy's version."""
    package = Path(vadbench.__file__).parent
    modules = [
        path
        for path in sorted(package.rglob("*.py"))
        if path.relative_to(package).parts[0].removesuffix(".py") not in _ELSEWHERE
    ]
    own = [Path(__file__).with_name(name) for name in _OWN]
    # Presets, and what is known of the data sets, too.
    return _digest_of([*modules, *own, *sorted(package.rglob("*.toml"))], np.__version__)


@lru_cache(maxsize=1)
def page_code_digest() -> str:
    """Digest of the further code that makes parts of pages: a part of the key of what is kept of them."""
    package = Path(vadbench.__file__).parent
    modules = [path for room in _OF_PAGES for path in sorted((package / room).rglob("*.py"))]
    return _digest_of([*modules, *sorted(Path(__file__).with_name("site").rglob("*.py"))], "")


def _digest_of(modules: Sequence[Path], version: str) -> str:
    digest = hashlib.sha256(version.encode())
    for path in modules:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def key_of(*parts: str | bytes) -> str:
    """Key of something that depends on these parts and on the code."""
    digest = hashlib.sha256(code_digest().encode())
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(f"{len(data)}:".encode() + data)
    return digest.hexdigest()


class BoardCache:
    """Contents by key.

    Parameters
    ----------
    folder : Path or None
        Made when something is kept; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._used: set[str] = set()

    def read(self, key: str) -> bytes | None:
        """Content of a key; None where there is none, or none that is whole."""
        self._used.add(key)
        if self._folder is None:
            return None
        try:
            data = (self._folder / f"{key}{_SUFFIX}").read_bytes()
        except OSError:
            return None
        content = data[_DIGEST:]
        return content if hashlib.sha256(key.encode() + content).hexdigest().encode() == data[:_DIGEST] else None

    def write(self, key: str, content: bytes) -> None:
        """Keep a content; where the system refuses, nothing is kept."""
        self._used.add(key)
        if self._folder is None:
            return
        temporary = self._folder / f".{key}.{secrets.token_hex(4)}"
        with suppress(OSError):
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                temporary.write_bytes(hashlib.sha256(key.encode() + content).hexdigest().encode() + content)
                temporary.replace(self._folder / f"{key}{_SUFFIX}")
            finally:
                temporary.unlink(missing_ok=True)

    def forget_unused(self) -> None:
        """Remove what neither was read nor written since this object was made."""
        if self._folder is None or not self._folder.is_dir():
            return
        with suppress(OSError), os.scandir(self._folder) as listing:
            for entry in list(listing):
                # Temporary names too: those of a build that was killed.
                is_own = entry.name.endswith(_SUFFIX) or entry.name.startswith(".")
                if (
                    is_own
                    and entry.name.removesuffix(_SUFFIX) not in self._used
                    and entry.is_file(follow_symlinks=False)
                ):
                    Path(entry.path).unlink(missing_ok=True)
