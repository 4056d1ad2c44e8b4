"""Files and folders of a clip, in natural order."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from vadbench.errors import DataError, quoted

FRAME_SUFFIXES = (".tif", ".tiff", ".bmp", ".png", ".jpg", ".jpeg")
"""Endings of frame images, compared without regard to case."""

MASK_SUFFIXES = (".bmp", ".png")
"""Endings of mask images. JPEG is left out: it is lossy, and its ringing would count as anomalous."""


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Sort key that compares digits by value; names that differ in leading zeros only stay apart.

    Examples
    --------
    >>> sorted(["10.png", "9.png", "frame2.png", "frame010.png"], key=natural_key)
    ['9.png', '10.png', 'frame2.png', 'frame010.png']
    """
    pieces: list[str | int] = [int(piece) if piece.isdecimal() else piece for piece in re.split(r"(\d+)", name)]
    return pieces, name


def image_names(folder: Path, suffixes: tuple[str, ...] = FRAME_SUFFIXES) -> list[str]:
    """Names of the images in a folder in natural order.

    Hidden files are left out: archives made on a Mac hold ``._001.tif`` beside ``001.tif``.
    """
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith(".")]
    return sorted((name for name in names if name.lower().endswith(suffixes)), key=natural_key)


def folder_names(parent: Path) -> list[str]:
    """Names of the folders in `parent` by Unicode code point, hidden ones left out; none where it is absent."""
    if not parent.is_dir():
        return []
    with os.scandir(parent) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def numbered(parent: Path, names: Iterable[str], pattern: str) -> dict[str, Path]:
    r"""Paths by clip id, where `pattern` finds the clip's number in a name: ``Test(\d+)`` gives ``01`` for ``Test001``.

    Returns
    -------
    dict from clip id to Path
        Ids have two digits at least; in order of id. Names that do not match as a whole are left out.

    Raises
    ------
    DataError
        D209 if two names have the same number.
    """
    found: dict[str, Path] = {}
    for name in names:
        match = re.fullmatch(pattern, name, flags=re.IGNORECASE)
        if match is None:
            continue
        clip_id = f"{int(match[1]):02d}"
        if clip_id in found:
            raise _twice(parent, clip_id, found[clip_id].name, name)
        found[clip_id] = parent / name
    return dict(sorted(found.items()))


def _twice(parent: Path, clip_id: str, first: str, second: str) -> DataError:
    return DataError(
        "D209",
        f"two entries are clip {clip_id}",
        where=str(parent),
        expected="one for each clip",
        got=f"{quoted(first)} and {quoted(second)}",
        hint="remove the one that does not belong to the data set",
    )


def count_images(folders: Mapping[str, Path], *, of: str, suffixes: tuple[str, ...] = FRAME_SUFFIXES) -> dict[str, int]:
    """Number of images in each clip's folder; raises `DataError` D204 for a folder without any."""
    counts = {}
    for clip_id, folder in folders.items():
        counts[clip_id] = len(image_names(folder, suffixes))
        if counts[clip_id] == 0:
            raise _no_images(folder, clip_id, of, suffixes)
    return counts


def _no_images(folder: Path, clip_id: str, of: str, suffixes: tuple[str, ...]) -> DataError:
    others = image_names(folder)
    endings = sorted({Path(name).suffix.lower() for name in others})
    formats = " or ".join(suffix.removeprefix(".").upper() for suffix in sorted(suffixes, reverse=True))
    hint = f"masks must be {formats} files: save them as PNG"
    if not others:
        hint = "unpack the archive again, or remove the empty folder"
    elif endings[-1] in {".jpg", ".jpeg"}:
        hint += ", from the originals, because JPEG changes values"
    return DataError(
        "D204",
        f"a folder of {of} holds no images" if not others else f"a folder of {of} holds images of another format",
        where=(str(folder), f"clip {clip_id}"),
        expected=" ".join("*" + suffix for suffix in suffixes),
        got=f"{len(others)} of {' '.join('*' + ending for ending in endings)}" if others else "none",
        hint=hint,
    )


def files_by_stem(folder: Path, suffix: str) -> dict[str, Path]:
    """Files with that suffix, in any case, by the rest of the name; raises `DataError` D209 for the same one twice."""
    found: dict[str, Path] = {}
    for name in file_names(folder):
        path = folder / name
        if path.suffix.lower() != suffix:
            continue
        if path.stem in found:
            raise _twice(folder, path.stem, found[path.stem].name, name)
        found[path.stem] = path
    return found


def file_names(parent: Path) -> list[str]:
    """Names of the files in `parent` by Unicode code point, hidden ones left out; none where it is absent."""
    if not parent.is_dir():
        return []
    with os.scandir(parent) as entries:
        return sorted(entry.name for entry in entries if entry.is_file() and not entry.name.startswith("."))
