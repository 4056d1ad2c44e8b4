"""What files of scores cannot say of themselves: the method and its training, declared in a TOML file.

The file is a ``submission.toml`` that may lack ``format``, ``dataset`` and ``predictions``; the same code reads it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vadbench.errors import ConversionError, SubmissionError, UsageError, printable, quoted
from vadbench.prediction import PredictionKind
from vadbench.submission.schema import FORMAT, checked_metadata
from vadbench.submission.toml_text import LARGEST_TOML, parse_toml

EXAMPLE = """\
[method]
name = "My Method"
authors = ["A. Author"]
year = 2026
code = "https://example.org/my-method"
[training]
supervision = "one-class"
data = ["ucsd-ped2:train"]
pretrained = []"""


@dataclass(frozen=True)
class Declared:
    """Tables of ``submission.toml``, checked.

    Parameters
    ----------
    method, training : mapping
    score_maps : mapping
        ``threshold``, ``lower``, ``upper``, as far as they are given.
    predictions : tuple of PredictionKind, optional
        Kinds that the file lists, if it does.
    """

    method: Mapping[str, Any]
    training: Mapping[str, Any]
    score_maps: Mapping[str, Any] = field(default_factory=dict)
    predictions: tuple[PredictionKind, ...] | None = None

    def check_kinds(self, kinds: Sequence[PredictionKind], where: str) -> None:
        """The kinds that are converted are those that the file lists; raises `ConversionError` C116."""
        if self.predictions is not None and set(self.predictions) != set(kinds):
            raise ConversionError(
                "C116",
                "the files hold other kinds of prediction than the metadata lists",
                where=where,
                expected=f"{', '.join(self.predictions)} (predictions in the metadata)",
                got=", ".join(kinds),
                hint="leave the key predictions out; it is written from what the files hold",
            )


def needed_metadata() -> UsageError:
    """Error U213: the call gives no file of metadata; says what to write."""
    return UsageError(
        "U213",
        "a submission says who made it and how: --metadata FILE.toml",
        expected=EXAMPLE,
        hint="write these lines with your own values to a file; submissions/_template/submission.toml is a commented\n"
        "example, and docs/submit.md explains every key",
    )


@contextlib.contextmanager
def _called_by_its_name(path: Path) -> Iterator[None]:
    """Errors about a ``submission.toml`` name the file that was given instead."""
    try:
        yield
    except SubmissionError as error:
        raise SubmissionError(
            error.code,
            error.message.replace("submission.toml", printable(path.name)),
            where=error.where,
            expected=error.expected,
            got=error.got,
            hint=error.hint,
        ) from error


def read_declared(path: Path, dataset_id: str) -> Declared:
    """Metadata of a file.

    Raises
    ------
    UsageError
        U216 if there is no such file.
    SubmissionError
        S110, S111, S112 as about any ``submission.toml``.
    ConversionError
        C116 if it is for another data set, or has a table ``files``.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_TOML + 1)
    except OSError as error:
        raise UsageError(
            "U216",
            "the file of metadata cannot be read",
            where=str(path),
            got=error.strerror or str(error),
            hint="--metadata is the file that says who made the predictions; submissions/_template/submission.toml is\n"
            "an example, and the call without --metadata prints the lines that are needed",
        ) from error
    place = (str(path),)
    with _called_by_its_name(path):
        table = parse_toml(content, place)
    if table.get("dataset", dataset_id) != dataset_id:
        raise ConversionError(
            "C116",
            "the metadata are for another data set",
            where=place,
            expected=f"dataset = {quoted(dataset_id)}, as --dataset says",
            got=f"dataset = {quoted(table['dataset'])}",
            hint="leave the key out, or give that --dataset",
        )
    if "files" in table:
        raise ConversionError(
            "C116",
            "the table files describes a packed zip, which is made later",
            where=place,
            hint="leave [files] out; write it into the submission.toml that this command makes",
        )
    # A list that is not there is stood in for by all kinds, so that every other mistake is found now.
    whole = {"format": FORMAT, "dataset": dataset_id, "predictions": [str(kind) for kind in PredictionKind], **table}
    maps = table.get("score_maps")
    if isinstance(table.get("training"), dict) and not (isinstance(maps, dict) and "threshold" in maps):
        whole["training"] = {"threshold_chosen_on": "none", **table["training"]}
    with _called_by_its_name(path):
        metadata = checked_metadata(whole, place)
    plain = metadata.model_dump(mode="json", exclude_none=True)
    return Declared(
        plain["method"],
        plain["training"],
        plain.get("score_maps", {}),
        metadata.predictions if "predictions" in table else None,
    )
