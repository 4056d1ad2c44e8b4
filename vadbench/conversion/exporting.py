"""The boxes and masks of a submission as files of another format."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from vadbench.conversion.objects.aed_writing import is_written_row
from vadbench.conversion.objects.coco_writing import BEGINNINGS
from vadbench.conversion.shown import shown_path
from vadbench.datasets.base import Clip
from vadbench.errors import UsageError, quoted
from vadbench.submission.tree import METADATA

if TYPE_CHECKING:
    from vadbench.conversion.formats import Write
    from vadbench.evaluation.executors import Progress
    from vadbench.submission import Submission

_LONGEST_ROW = 512
"""Bytes of the first row that are looked at; a written one has six numbers."""


def export(
    submission: Submission,
    clips: Sequence[Clip],
    path: Path,
    write: Write,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> int:
    """Write the rows of a submission in another format; gives their number.

    Parameters
    ----------
    submission : Submission
    clips : sequence of Clip
        All of them.
    path : Path
        File or folder, by the format.
    write : callable
        See `writer_of`.
    overwrite : bool
        Replace what this function wrote, see `check_replaceable`; it stays until the new one is whole.
    progress : callable, optional

    Raises
    ------
    UsageError
        U215 if something else is at the path.
    """
    ids = [clip.id for clip in clips]
    check_replaceable(path, ids, overwrite=overwrite)
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    # A folder of its own, beside the target so that renaming is enough: no name in it can be somebody else's.
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name[:100]}.", dir=target.parent))
    unfinished, old = aside / "unfinished", aside / "replaced"
    try:
        n_rows = write(submission, clips, unfinished, progress)
        # Writing takes a while, in which somebody may have put something there.
        check_replaceable(path, ids, overwrite=overwrite)
        with suppress(FileNotFoundError):
            target.rename(old)
        unfinished.rename(target)
    finally:
        if old.exists() and not target.exists():
            old.rename(target)
        shutil.rmtree(aside)
    return n_rows


def check_replaceable(path: Path, clip_ids: Collection[str], *, overwrite: bool) -> None:
    """Raise `UsageError` U215 where something is at the path that must stay.

    Parameters
    ----------
    path : Path
    clip_ids : collection of str
        Of all clips that would be written.
    overwrite : bool
        Something may be replaced: a file that begins as `write_coco` begins it, or a folder with the files of
        `write_aed` for these clips and nothing else.
    """
    if not path.exists() and not path.is_symlink():
        return
    if not overwrite:
        raise UsageError(
            "U215",
            "there is something at the path already",
            where=shown_path(path),
            hint="give another --out, or --overwrite to replace it",
        )
    if not path.is_symlink() and (_is_written_file(path) or _is_written_folder(path, clip_ids)):
        return
    raise UsageError(
        "U215",
        "what is at the path was not written by this command and is left alone",
        where=shown_path(path),
        expected="a COCO file of `--to coco`, or a folder of `--to aed` with a text for each clip and nothing else",
        got=_what_is_there(path, clip_ids),
        hint="give another --out",
    )


def _is_written_file(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(max(map(len, BEGINNINGS))).startswith(BEGINNINGS)


def _is_written_folder(path: Path, clip_ids: Collection[str]) -> bool:
    if not path.is_dir() or path.resolve() in (here := Path.cwd(), *here.parents):
        return False
    files = {own.name: own for own in path.iterdir()}
    return files.keys() == _names(clip_ids) and all(map(_is_written_text, files.values()))


def _is_written_text(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return is_written_row(file.readline(_LONGEST_ROW))


def _names(clip_ids: Collection[str]) -> set[str]:
    return {f"{clip_id}.txt" for clip_id in clip_ids}


def _what_is_there(path: Path, clip_ids: Collection[str]) -> str:
    if path.is_symlink():
        return "a link"
    if not path.is_dir():
        return "another file"
    if (path / METADATA).exists():
        return f"a folder with {METADATA}"
    names = {own.name for own in path.iterdir()}
    others, missing = sorted(names - _names(clip_ids)), sorted(_names(clip_ids) - names)
    if not names:
        return "an empty folder"
    if others or missing:
        return f"a folder {f'with {quoted(others[0])}' if others else f'without {quoted(missing[0])}'}"
    return "a folder of other texts"
