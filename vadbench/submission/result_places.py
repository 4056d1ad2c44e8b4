"""Where a packed or unpacked submission may be written: never into what it is made from, never over anything else."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from vadbench.errors import UsageError
from vadbench.submission.tree import METADATA, PREDICTIONS
from vadbench.submission.zip_tree import is_zip


def check_outside(target: Path, folder: Path | None) -> None:
    """Raise `UsageError` U201 where a result would lie inside of what it is made from; both are resolved."""
    if folder is not None and target.is_relative_to(folder):
        raise UsageError(
            "U201",
            "the result would lie inside the submission",
            where=str(target),
            hint="choose another place with --out",
        )


def check_zip_target(target: Path, *, overwrite: bool) -> None:
    """Raise `UsageError` U202 where something is in the way that must not be replaced."""
    if not os.path.lexists(target):
        return
    found, hint = "no zip, and it is left alone", "--out chooses another place"
    if target.is_file() and is_zip(target):
        found = "a zip that is no submission, and it is left alone"
        if is_packed_submission(target):
            if overwrite:
                return
            found, hint = "a packed submission", "--overwrite replaces it; --out chooses another place"
    raise UsageError("U202", "something is in the way of the zip", where=str(target), got=found, hint=hint)


def is_packed_submission(path: Path) -> bool:
    """Whether a zip holds what every submission does; it may be compressed or otherwise not as the format wants it."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    # All that the module is known to raise of zips that are damaged, or of a kind that it does not know.
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, RuntimeError):
        return False
    return METADATA in names and any(name.startswith(f"{PREDICTIONS}/") for name in names)


def check_folder_target(target: Path) -> None:
    """Raise `UsageError` U202 unless there is nothing, or an empty folder that is not the current one."""
    if not os.path.lexists(target):
        return
    if not target.is_dir() or any(target.iterdir()):
        raise UsageError(
            "U202",
            "something is in the way of the folder",
            where=str(target),
            hint="choose another place with --out; only an empty folder is written to",
        )
    if target.samefile(os.curdir):
        # It is replaced by the new folder, and a shell that stands in it would stand in one that is no more.
        raise UsageError(
            "U202",
            "the current folder cannot be replaced",
            where=str(target),
            hint="name a folder inside of it with --out",
        )
