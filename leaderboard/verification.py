"""Whether a maintainer has scored an entry again, with the same result: ``verified.json``.

Source: docs/board-entries.md, "verified.json".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from leaderboard.choices import Status
from leaderboard.errors import LeaderboardError
from vadbench import Report

VERIFIED = "verified.json"
FORMAT = "vadbench.verified/1"
_METADATA, _REPORT, _STATISTICS, _STANDARD = "submission.toml", "report.json", "statistics.json", "standard"
_TOLERANCE = 1e-9
"""What float64 sums may differ by from one machine to another."""


def verified_status(contents: Mapping[str, bytes], reports: Mapping[str, Report], shown: str) -> Status:
    """Status of an entry.

    Parameters
    ----------
    contents : mapping from name to bytes
        Files of the entry.
    reports : mapping from protocol to Report
    shown : str
        How messages call the entry.

    Returns
    -------
    Status
        Verified where ``verified.json`` names the digests of metadata, reports and statistics as they are, and the
        scores in it, if there are any, are those of the reports; else submitted.

    Raises
    ------
    LeaderboardError
        L111 where the scores of the verification are others: then one of the two is wrong.
    """
    verification = _content(contents.get(VERIFIED))
    files = verification.get("files")
    if not isinstance(files, dict):
        return Status.SUBMITTED
    if any(files.get(name) != hashlib.sha256(contents[name]).hexdigest() for name in verified_names(contents)):
        return Status.SUBMITTED
    scores = verification.get("scores", {})
    for protocol, report in reports.items():
        name = _REPORT if protocol == _STANDARD else f"{protocol}.{_REPORT}"
        again = scores.get(name, {}) if isinstance(scores, dict) else {}
        for metric, value in (again if isinstance(again, dict) else {}).items():
            reported = report.value(metric)
            if not agree(reported, value):
                raise LeaderboardError(
                    "L111",
                    "the maintainers' own score is another one than the report's",
                    where=(shown, VERIFIED, name, metric),
                    expected=f"{reported}, as in the report",
                    got=str(value)[:80],
                    hint="one of the two is wrong: score the predictions again, and correct the report or take "
                    f"{VERIFIED} away",
                )
    return Status.VERIFIED


def verified_names(contents: Mapping[str, bytes]) -> list[str]:
    """Names of the files of an entry that a verification is about: metadata, reports and statistics."""
    whole = {_METADATA, _REPORT, _STATISTICS}
    further = (f".{_REPORT}", f".{_STATISTICS}")
    return sorted(name for name in contents if name in whole or name.endswith(further))


def _content(data: bytes | None) -> dict[str, Any]:
    if data is None:
        return {}
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def agree(reported: float | None, again: object) -> bool:
    """Whether two values are the same but for the rounding of sums; None is equal to None alone."""
    if reported is None or not isinstance(again, int | float):
        return reported is None and again is None
    return abs(reported - again) <= _TOLERANCE
