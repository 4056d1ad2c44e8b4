"""The clips lie one folder further below than the one that was given: found out to be said, never to be mended."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from vadbench.conversion.clip_naming import are_names_of
from vadbench.conversion.shown import shown_path
from vadbench.datasets.base import Clip
from vadbench.datasets.listing import folder_names
from vadbench.errors import ConversionError, SubmissionError
from vadbench.submission.toml_text import LARGEST_TOML, parse_toml


def clips_further_below(folder: Path, clips: Sequence[Clip], dataset_id: str) -> Path | None:
    """The only folder in a folder, if all in it is named as clips are; None otherwise."""
    if not folder.is_dir():
        return None
    inner = [folder / name for name in folder_names(folder)]
    if len(inner) != 1:
        return None
    names = [own.name if own.is_dir() else own.stem for own in inner[0].iterdir() if not own.name.startswith(".")]
    return inner[0] if are_names_of(names, clips, dataset_id) else None


def check_no_submission(path: Path, error: ConversionError) -> None:
    """Raise C102, in place of an error about the files of a folder, if the folder is a submission."""
    try:
        with (path / "submission.toml").open("rb") as file:
            table = parse_toml(file.read(LARGEST_TOML + 1), (shown_path(path), "submission.toml"))
    except (OSError, SubmissionError):
        return
    # A file of metadata that lies beside the scores has no need of this key, which every submission has.
    if "format" not in table:
        return
    raise ConversionError(
        "C102",
        "this is a submission; convert reads the files that your method writes",
        where=shown_path(path),
        expected="files in the format that --from names",
        got="a folder with submission.toml",
        hint=f"look at it with vadbench validate {shlex.quote(shown_path(path))}; convert SUBMISSION --to aed or coco\n"
        "writes its boxes and masks",
    ) from error


def with_the_folder_below(
    error: ConversionError, folder: Path, clips: Sequence[Clip], dataset_id: str
) -> ConversionError:
    """The error, or the same one with another hint where the files of the clips lie in the only folder below.

    A folder of clips is then taken for a clip and its files for frames, so what was wrong with them is no help.
    """
    below = clips_further_below(folder, clips, dataset_id)
    if below is None:
        return error
    return ConversionError(
        error.code,
        error.message,
        where=error.where,
        expected=error.expected,
        got=error.got,
        hint=f"the files of the clips lie further below: give {shown_path(below)}",
    )
