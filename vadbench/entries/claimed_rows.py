"""Which row of a board each entry claims: data set, name and version of the method.

Source: submission.md, "submission.toml"; docs/board-entries.md.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vadbench.entries.changed_entries import TEMPLATE
from vadbench.entries.entry_files import read_entry_file
from vadbench.errors import SubmissionError
from vadbench.submission.schema import Metadata, read_metadata
from vadbench.submission.tree import METADATA

_Row = tuple[str, str, str]


@dataclass(frozen=True)
class ClaimedRows:
    """Rows that the entries of a folder claim, by the folder of the entry."""

    rows: dict[Path, _Row]

    @classmethod
    def of(cls, folder: Path) -> ClaimedRows:
        """Look at every entry of a folder; one whose metadata cannot be read claims nothing."""
        rows = {}
        for entry in _entries(folder.absolute()):
            try:
                metadata = read_metadata(read_entry_file(entry, METADATA, entry.name), (entry.name, METADATA))
            except SubmissionError:
                # A problem of that entry, and found where it is checked.
                continue
            rows[entry] = _row(metadata)
        return cls(rows)

    def others(self, metadata: Metadata, folder: Path) -> list[str]:
        """METHOD/DATASET of the other entries that claim the row of these metadata."""
        wanted = _row(metadata)
        return [
            f"{entry.parent.name}/{entry.name}" for entry, row in self.rows.items() if row == wanted and entry != folder
        ]


def _row(metadata: Metadata) -> _Row:
    """A row as readers tell it from others: capitals and ways to write one letter make no difference."""
    method = metadata.method
    name, version = (
        " ".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in (method.name, method.version or "")
    )
    return metadata.dataset, name, version


def _entries(folder: Path) -> Iterator[Path]:
    """Folders two levels below, links left out."""
    for method in _folders(folder):
        if method.name != TEMPLATE:
            yield from _folders(method)


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as listing:
            return sorted(folder / entry.name for entry in listing if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []
