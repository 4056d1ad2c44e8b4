"""Entries of the board: metadata and reports that strangers send, and the check that judges them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vadbench.entries.changed_entries import TEMPLATE
    from vadbench.entries.entry import CheckedEntry, check_entry
    from vadbench.entries.entry_files import EntryFiles, read_entry_files
    from vadbench.entries.finding_entries import Job, JobKind, jobs_at
    from vadbench.entries.sent_report import read_sent_report
    from vadbench.protocol.signature import DEFINITIONS
    from vadbench.submission.metadata_values import text_fault

_HOMES = {
    "DEFINITIONS": "protocol.signature",
    "TEMPLATE": "entries.changed_entries",
    "CheckedEntry": "entries.entry",
    "EntryFiles": "entries.entry_files",
    "Job": "entries.finding_entries",
    "JobKind": "entries.finding_entries",
    "check_entry": "entries.entry",
    "jobs_at": "entries.finding_entries",
    "read_entry_files": "entries.entry_files",
    "read_sent_report": "entries.sent_report",
    "text_fault": "submission.metadata_values",
}

__all__ = [
    "DEFINITIONS",
    "TEMPLATE",
    "CheckedEntry",
    "EntryFiles",
    "Job",
    "JobKind",
    "check_entry",
    "jobs_at",
    "read_entry_files",
    "read_sent_report",
    "text_fault",
]


def __getattr__(name: str) -> object:
    # The process in which predictions are checked needs none of them.
    if name in _HOMES:
        return getattr(importlib.import_module(f"vadbench.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
