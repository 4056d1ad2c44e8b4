"""The audit in the board's cache: a search that takes seconds is done once for the same rows, truth and code.

Source: docs/leaderboard.md, "Cache".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from leaderboard.audit.auditing import audit
from leaderboard.audit.findings import Audit, Finding, Verdict, Violation
from leaderboard.audit.readings import READINGS
from leaderboard.board import PublishedTable
from leaderboard.cache import BoardCache, key_of

_BY_ID = {reading.id: reading for reading in READINGS}


@lru_cache(maxsize=1)
def audit_code_digest() -> str:
    """Digest of everything but the rows that a verdict comes from: the audit's code, counts of truth, NumPy, SciPy."""
    digest = hashlib.sha256(f"{np.__version__} {version('scipy')}".encode())
    folder = Path(__file__).parent
    # How a row is named in a finding is the reader's.
    reader = folder.parent / "published_rows.py"
    for path in (*sorted(folder.rglob("*.py")), *sorted(folder.rglob("*.toml")), reader):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def audited(tables: Sequence[PublishedTable], cache: BoardCache) -> Audit:
    """The audit of all rows, taken from the cache where it holds that of the same rows, truth and code.

    Parameters
    ----------
    tables : sequence of PublishedTable
    cache : BoardCache
    """
    key = key_of("audit", audit_code_digest(), json.dumps([asdict(table) for table in tables]))
    kept = cache.read(key)
    if kept is not None:
        return _audit_of(json.loads(kept))
    found = _found(_Rows(key, tuple(tables)))
    cache.write(key, json.dumps([_stored(finding) for finding in found.findings]).encode())
    return found


@dataclass(frozen=True)
class _Rows:
    """Tables, equal to others of the same key."""

    key: str
    tables: tuple[PublishedTable, ...] = field(compare=False)


@lru_cache(maxsize=1)
def _found(rows: _Rows) -> Audit:
    """The audit; a process that builds again, with a cache or without, has it at hand."""
    return audit(rows.tables)


def _stored(finding: Finding) -> dict[str, Any]:
    """A finding with its numbers in full: what is read back is what was kept."""
    return {
        **finding.to_json(),
        "printed": finding.cells,
        "violations": [asdict(violation) for violation in finding.violations],
    }


def _audit_of(stored: list[dict[str, Any]]) -> Audit:
    findings = tuple(
        Finding(
            table=one["table"],
            row=one["row"],
            row_number=one["row_number"],
            cells=tuple((key, text) for key, text in one["printed"]),
            reading=_BY_ID[one["reading"]],
            verdict=Verdict(one["verdict"]),
            violations=tuple(
                Violation(**{**violation, "metrics": tuple(violation["metrics"])}) for violation in one["violations"]
            ),
            reason=one["reason"],
            remark=one["remark"],
            robust=one["robust"],
        )
        for one in stored
    )
    used = {finding.reading for finding in findings}
    return Audit(tuple(reading for reading in READINGS if reading in used), findings)
