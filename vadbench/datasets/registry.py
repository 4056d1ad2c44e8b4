"""Open a data set by its id.

Readers are named here as text and imported when they are opened: `import vadbench.datasets` loads none of them.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Protocol, cast

from vadbench.datasets.facts import load_facts
from vadbench.datasets.files import FileDataset
from vadbench.datasets.layout import SETTINGS_FILE
from vadbench.errors import UsageError, VadbenchError, did_you_mean, quoted

ENVIRONMENT_VARIABLE = "VADBENCH_DATA"
"""A folder that holds a data set, or one sub-folder for each."""

_READERS = {
    "ucsd-ped2": "ucsd:UcsdPed2",
    "ucsd-ped1": "ucsd:UcsdPed1",
    "avenue": "avenue:Avenue",
    "shanghaitech": "shanghaitech:ShanghaiTech",
    "synthetic": "synthetic:Synthetic",
    "folder": "folder:Folder",
}


class _Reader(Protocol):
    def __call__(self, root: Path, *, masks: Path | str | None, tracks: Path | str | None) -> FileDataset: ...


def known_datasets() -> tuple[str, ...]:
    """Ids of all data sets that can be opened."""
    return tuple(_READERS)


def open_dataset(
    name: str,
    root: Path | str | None = None,
    *,
    masks: Path | str | None = None,
    tracks: Path | str | None = None,
) -> FileDataset:
    """Open a data set.

    Parameters
    ----------
    name : str
        Id of a data set, see `known_datasets`.
    root : path, optional
        Folder of the data set itself. Without it the environment variable ``VADBENCH_DATA`` is used: a folder with a
        sub-folder for the data set, named by its id or as it usually is (``UCSDped2``), or the data set's own folder.
    masks : path, optional
        Folder of pixel masks, where they are not in the data set's folder.
    tracks : path, optional
        Folder of AED track files, ``CLIP.txt``, to judge objects by instead of the rule ``mask-overlap``.

    Returns
    -------
    FileDataset

    Raises
    ------
    UsageError
        U111 for an unknown name, U112 without any root, U113, U114 for a folder that does not exist.
    DataError
        D200-D217 if the folder does not hold the whole data set.

    Notes
    -----
    Lists folders, decodes nothing. Source: submission.md, "Layouts of data sets".
    """
    reader = _reader(name)
    place = _place(name) if root is None else Path(root)
    try:
        return reader(place, masks=masks, tracks=tracks)
    except VadbenchError as error:
        error.hint = _hint(error, name, place, named=root is not None)
        raise


def _hint(error: VadbenchError, name: str, place: Path, *, named: bool) -> str:
    """The hint of an error, with what is known here alone: who chose the root, and which data set is there instead."""
    hint = error.hint
    if name != "synthetic" and error.code in {"D200", "D201"} and (place / SETTINGS_FILE).is_file():
        hint = f"{SETTINGS_FILE} says that this is the data set synthetic: open it as that"
    if not named and (error.code == "D200" or (error.code == "U113" and error.where == (str(place),))):
        hint = "; ".join(filter(None, (f"{ENVIRONMENT_VARIABLE} names this folder", hint)))
    return hint


def _reader(name: str) -> _Reader:
    if name not in _READERS:
        raise UsageError("U111", f"there is no data set {quoted(name)}", hint=did_you_mean(name, _READERS))
    module, _, class_name = _READERS[name].partition(":")
    return cast("_Reader", getattr(importlib.import_module(f"vadbench.datasets.{module}"), class_name))


def _place(name: str) -> Path:
    value = os.environ.get(ENVIRONMENT_VARIABLE, "")
    if not value:
        raise UsageError(
            "U112",
            f"where is {name}?",
            expected="a folder",
            got=f"no root, and {ENVIRONMENT_VARIABLE} is not set",
            hint=f"give the folder of the data set (--root DIR, or root=), or set {ENVIRONMENT_VARIABLE} to a folder "
            f"that holds it as {' or '.join(dict.fromkeys((name, *load_facts(name).folder_names[:1])))}",
        )
    base = Path(value)
    for folder in (name, *load_facts(name).folder_names):
        if (base / folder).is_dir():
            return base / folder
    return base
