"""The check of an entry in the process with limits: what a stranger wrote is parsed there and nowhere else.

Source: docs/board-entries.md; docs/security.md, "Limits".
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vadbench.entries.claimed_rows import ClaimedRows
from vadbench.entries.entry import CheckedEntry, check_entry
from vadbench.entries.entry_files import as_shown
from vadbench.entries.sandbox import Limits, answer_within_limits
from vadbench.entries.sandbox_child import ENTRY
from vadbench.errors import SubmissionError
from vadbench.submission.problems import problem
from vadbench.submission.schema import Metadata
from vadbench.validation.validation import Validation

LIMITS = Limits(address_space_bytes=2 * 2**30, cpu_seconds=60, wall_seconds=120.0)
"""Thirteen reports of the largest data set take a few seconds and some 100 MB."""

_FIELDS = ("code", "message", "where", "expected", "got", "hint")


def check_entry_within_limits(
    folder: Path,
    *,
    shown: str | None = None,
    more: Iterable[SubmissionError] = (),
    around: Path | None = None,
    settled: Collection[str] = (),
    predictions: str = "",
    limits: Limits = LIMITS,
) -> CheckedEntry:
    """Check an entry as `check_entry` does, in a process with limits on memory, time and files.

    Parameters
    ----------
    folder : Path
        ``METHOD/DATASET``.
    shown : str, optional
        How messages call it; the path if absent.
    more : iterable of SubmissionError
        What the caller has found about it already.
    around : Path, optional
        The folder of all entries, where it is to be seen whether another one claims the same row.
    settled : collection of str
        METHOD/DATASET of entries whose rows were there before.
    predictions : str
        What is said of the predictions among the checks that were not made; empty if they are checked elsewhere.
    limits : Limits

    Returns
    -------
    CheckedEntry
        Of the single error S170, S171 or S172 where the process gave nothing.
    """
    name = as_shown(folder if shown is None else shown)
    request = {
        "task": "entry",
        "folder": os.fsencode(folder.absolute()).hex(),
        "shown": name,
        "more": [{key: getattr(error, key) for key in _FIELDS} for error in more],
        "around": None if around is None else os.fsencode(around.absolute()).hex(),
        "settled": [os.fsencode(entry).hex() for entry in settled],
        "predictions": predictions,
    }
    given = answer_within_limits(request, name, limits)
    if isinstance(given, bytes):
        kind, _, rest = given.partition(b"\n")
        try:
            if kind == ENTRY:
                return _rebuilt(json.loads(rest.partition(b"\n")[2]))
        except (ValidationError, ValueError, KeyError, TypeError):
            pass
        given = problem("S172", where=name, got="an answer that is no result", hint="tell the maintainers")
    return CheckedEntry(Validation.of_error(name, given), None, None)


def _rebuilt(content: dict[str, Any]) -> CheckedEntry:
    metadata = content["metadata"]
    return CheckedEntry(
        Validation.model_validate(content["validation"]),
        None if metadata is None else Metadata.model_validate(metadata),
        content["fingerprint"],
    )


def answer(request: dict[str, Any]) -> bytes:
    """What the process with limits gives back, JSON."""
    around = request["around"]
    checked = check_entry(
        _path(request["folder"]),
        shown=request["shown"],
        more=[SubmissionError(error.pop("code"), error.pop("message"), **error) for error in request["more"]],
        rows=None if around is None else ClaimedRows.of(_path(around)),
        settled=frozenset(os.fsdecode(bytes.fromhex(entry)) for entry in request["settled"]),
        predictions=request["predictions"],
    )
    content = {
        "validation": checked.validation.model_dump(mode="json"),
        "metadata": None if checked.metadata is None else checked.metadata.model_dump(mode="json", exclude_none=True),
        "fingerprint": checked.fingerprint,
    }
    return json.dumps(content).encode()


def _path(text: str) -> Path:
    return Path(os.fsdecode(bytes.fromhex(text)))
