"""One way to be hostile or wrong: what it is called, how it is made, and which errors it must get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hostile_trees import Files, write_folder, write_zip


@dataclass(frozen=True)
class Case:
    """A case.

    Parameters
    ----------
    name : str
        In words, as the table in docs/security.md has it.
    codes : str
        Of all errors that `validate` finds, with spaces between; the first is the one that the reader raises.
    build : callable
        Makes the submission in an empty folder, and gives its path.
    needs : str
        What a system may lack: ``links``, ``pipes``, ``sockets``, ``devices`` or ``bytes`` (names that are no text).
    """

    name: str
    codes: str
    build: Callable[[Path], Path]
    needs: str = ""


def in_folder(name: str, codes: str, files: Callable[[], Files]) -> Case:
    """A case of a folder with those files."""
    return Case(name, codes, lambda place: write_folder(files(), place / "m"))


def in_zip(name: str, codes: str, files: Callable[[], Files]) -> Case:
    """A case of a zip, sound as a zip, with those files."""
    return Case(name, codes, lambda place: write_zip(files(), place / "m.zip"))
