"""The command ``python -m leaderboard audit``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence

from leaderboard.parser import CommandParser, add_repository_option
from leaderboard.places import Places
from vadbench.errors import UsageError, did_you_mean, quoted

_DESCRIPTION = """\
Hold every row that papers report against what any
detector can reach under a named protocol, and print which
protocols can have produced it."""


def run(arguments: Sequence[str]) -> int:
    """Print the audit of the published rows.

    Parameters
    ----------
    arguments : sequence of str
        Behind the command's name.

    Returns
    -------
    int
        0, whatever the verdicts are.

    Raises
    ------
    UsageError
        L103 for wrong arguments, L147 for a table that does not exist.
    LeaderboardError
        Where the published rows are wrong.
    """
    parser = CommandParser("audit", _DESCRIPTION, "python -m leaderboard audit --table tao-cvpr-2025-table-4")
    parser.add_argument("--table", metavar="ID", help="one table only, such as tao-cvpr-2025-table-1")
    parser.add_argument("--json", action="store_true", help="print JSON, form vadbench.audit/1")
    add_repository_option(parser)
    given = parser.parse_args(arguments)

    from leaderboard.audit.auditing import audit
    from leaderboard.audit.text import audit_text
    from leaderboard.published_rows import read_published

    tables, _ = read_published(Places(given.repository).published)
    if given.table is not None:
        chosen = tuple(table for table in tables if table.id == given.table)
        if not chosen:
            known = [table.id for table in tables]
            raise UsageError("L147", f"there is no table {quoted(given.table)}", hint=did_you_mean(given.table, known))
        tables = chosen
    found = audit(tables)
    if given.json:
        print(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
    else:
        print(audit_text(found, shutil.get_terminal_size().columns))
    return 0
