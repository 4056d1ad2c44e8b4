"""Pictures and films of predictions over frames, where somebody made them: found in a folder, copied to the site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from leaderboard.board import Row
from leaderboard.site.strangers import slug

KINDS = {".mp4": "film", ".webm": "film", ".gif": "picture", ".png": "picture", ".jpg": "picture"}


@dataclass(frozen=True)
class Overlay:
    """One film or picture.

    Parameters
    ----------
    source : Path
    kind : str
        ``film`` or ``picture``.
    address : str
        In the site.
    clip : str
        Name of the file without its end.
    """

    source: Path
    kind: str
    address: str
    clip: str


def overlays_of(row: Row, folder: Path | None) -> list[Overlay]:
    """Overlays of a method on a data set, ``FOLDER/METHOD/DATASET/CLIP.mp4``, by name; links are passed over."""
    return [] if folder is None else list(_found(row, folder / row.method / row.dataset))


def _found(row: Row, folder: Path) -> Iterator[Overlay]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        kind = KINDS.get(path.suffix.lower())
        if kind is not None and path.is_file() and not path.is_symlink():
            name = f"{slug(path.stem)}{path.suffix.lower()}"
            yield Overlay(path, kind, f"overlays/{slug(row.method)}/{slug(row.dataset)}/{name}", path.stem)
