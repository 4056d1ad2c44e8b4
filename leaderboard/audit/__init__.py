"""The audit of reported rows: which protocols can have produced the numbers that a paper prints.

Source: docs/audit.md.
"""

from leaderboard.audit.auditing import audit, with_consistency
from leaderboard.audit.findings import Audit, Finding, ShortFinding, Verdict, Violation
from leaderboard.audit.kept import audited
from leaderboard.audit.readings import READINGS, Family, Reading
from leaderboard.audit.text import audit_text

__all__ = [
    "READINGS",
    "Audit",
    "Family",
    "Finding",
    "Reading",
    "ShortFinding",
    "Verdict",
    "Violation",
    "audit",
    "audit_text",
    "audited",
    "with_consistency",
]
