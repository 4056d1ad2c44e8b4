"""Checks of what lies on disk against what a data set must hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from vadbench.datasets.base import Clip
from vadbench.datasets.facts import DatasetFacts, load_facts
from vadbench.datasets.images import ImageFrames
from vadbench.datasets.listing import image_names
from vadbench.datasets.mismatches import counted, wrong_count
from vadbench.errors import DataError, UsageError, shortened

SETTINGS_FILE = "synthetic.toml"
"""File in the root of a synthetic data set that says how it was made, and that it may be made again."""

_INCOMPLETE = "the data set must be complete; unpack the archive again"

_FOLDERS_SEARCHED = 200
"""Bound of the search for the right folder, so that a wrong root such as ``/`` costs nothing."""


def existing_folder(path: Path | str, name: str = "root") -> Path:
    """Path of a folder that the caller gave; raises `UsageError` U113 if there is none."""
    folder = Path(path)
    if not folder.is_dir():
        raise UsageError(
            "U113",
            f"the {name} folder does not exist",
            where=str(folder),
            expected="a folder",
            got="a file" if folder.exists() else "nothing there",
        )
    return folder


def not_this_dataset(facts: DatasetFacts, root: Path, recognised: Callable[[Path], bool]) -> DataError:
    """Error D200 for a root without any part of the data set; the hint names a folder nearby that has one."""
    near = [folder for folder in _nearby(root) if recognised(folder)]
    hint = (
        f"the data set seems to be in {near[0]}" if near else "the layout of this data set is\n" + facts.layout.strip()
    )
    with os.scandir(root) as entries:
        names = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in entries)
    return DataError(
        "D200",
        f"this folder does not hold {facts.title}",
        where=str(root),
        expected="the layout of " + facts.id,
        got=shortened(names) if names else "an empty folder",
        hint=hint,
    )


def _nearby(root: Path) -> Iterable[Path]:
    """Children and grandchildren of the root, then the two folders above it."""
    children = _folders(root)[:_FOLDERS_SEARCHED]
    yield from children
    yield from [below for child in children for below in _folders(child)][:_FOLDERS_SEARCHED]
    yield from list(root.resolve().parents)[:2]


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []


def check_ids(
    expected: Iterable[str], found: Iterable[str], *, of: str, where: Path, allowed: Iterable[str] | None = None
) -> None:
    """Check that every clip is there and no other.

    Parameters
    ----------
    expected, found : iterable of str
        Ids of clips.
    of : str
        What is looked at, such as ``test frames``.
    where : Path
    allowed : iterable of str, optional
        Ids that may be there beyond the expected ones.

    Raises
    ------
    DataError
        D201 that names missing and unexpected clips.
    """
    wanted, there = set(expected), set(found)
    missing, unexpected = sorted(wanted - there), sorted(there - wanted - set(allowed or ()))
    if not missing and not unexpected:
        return
    got = [f"missing: {shortened(missing)}"] if missing else []
    got += [f"not of this data set: {shortened(unexpected)}"] if unexpected else []
    raise DataError(
        "D201",
        f"clips of the {of} differ",
        where=str(where),
        expected=f"{counted(len(wanted), 'clips')}: {shortened(sorted(wanted))}",
        got=f"{counted(len(there), 'clips')}; " + "; ".join(got),
        hint=_other_dataset(there) or _broken_links(where) or _INCOMPLETE,
    )


def _broken_links(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir() if path.is_symlink() and not path.exists())
    return f"these links lead nowhere: {shortened(names)}" if names else ""


def _other_dataset(found: set[str]) -> str:
    for dataset_id in ("ucsd-ped1", "ucsd-ped2", "avenue", "shanghaitech"):
        if found == set(load_facts(dataset_id).clips):
            return f"these are the clips of {dataset_id}"
    return ""


def check_counts(
    expected: Mapping[str, int], found: Mapping[str, int], places: Mapping[str, Path], *, of: str, code: str = "D202"
) -> None:
    """Check numbers of frames or masks by clip; raises `DataError`, of that code, for the first that differs."""
    for clip_id, count in found.items():
        if clip_id in expected and expected[clip_id] != count:
            place = places[clip_id]
            names = image_names(place) if place.is_dir() else ()
            raise wrong_count(code, of, place, clip_id, expected=expected[clip_id], got=count, names=names)


def image_clips(
    folders: Mapping[str, Path], counts: Mapping[str, int], size: Callable[[str], tuple[int, int]]
) -> tuple[Clip, ...]:
    """Clips whose frames are folders of images; `size` gives (height, width) by clip id."""
    return tuple(
        Clip(clip_id, counts[clip_id], *size(clip_id), ImageFrames(folder, clip_id, counts[clip_id], *size(clip_id)))
        for clip_id, folder in folders.items()
    )


def check_own_masks(found: Mapping[str, Path], masks: Path | str | None, *, expected: str) -> None:
    """Raise `DataError` D218 if the caller named a folder of masks in which none are."""
    if masks is None or found:
        return
    entries = sorted(path.name for path in Path(masks).iterdir())
    raise DataError(
        "D218",
        "the folder of masks holds none",
        where=str(masks),
        expected=expected,
        got=shortened(entries) if entries else "an empty folder",
    )
