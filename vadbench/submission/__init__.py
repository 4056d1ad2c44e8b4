"""Submissions: the format, its reader and its writer.

Names are loaded when they are first used, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vadbench.submission.fingerprint import array_line, submission_fingerprint
    from vadbench.submission.reader import Submission
    from vadbench.submission.schema import Metadata, Method, Training
    from vadbench.submission.score_maps import StoredScoreMaps
    from vadbench.submission.writer import SubmissionWriter

_HOMES = {
    "Metadata": "schema",
    "Method": "schema",
    "StoredScoreMaps": "score_maps",
    "Submission": "reader",
    "SubmissionWriter": "writer",
    "Training": "schema",
    "array_line": "fingerprint",
    "submission_fingerprint": "fingerprint",
}

__all__ = [
    "Metadata",
    "Method",
    "StoredScoreMaps",
    "Submission",
    "SubmissionWriter",
    "Training",
    "array_line",
    "submission_fingerprint",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
