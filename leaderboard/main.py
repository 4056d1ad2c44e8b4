"""Dispatch of ``python -m leaderboard COMMAND``: errors become blocks on standard error and an exit code.

Nothing heavy is imported before `main` runs, so that an interruption while NumPy is loaded is met like any other.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

PROGRAM = "python -m leaderboard"
COMMANDS = {
    "build": "read entries and published rows, check them, write tables and site",
    "verify": "compare an entry with your own scoring of it, and say so beside it",
    "serve": "show the site in a browser, on this machine alone",
    "audit": "which protocols can have produced the rows that papers print",
}
"""Commands and what they do; `_MODULES` has their homes."""

_MODULES = {
    "build": "leaderboard.build_command",
    "verify": "leaderboard.verify_command",
    "serve": "leaderboard.serve",
    "audit": "leaderboard.audit.command",
}
"""Each has a function ``run(arguments) -> int``; loaded when it is called."""

_EPILOG = f"""\
Exit codes: 0 fine, 1 the input is wrong, 2 the call is wrong,
130 interrupted.

Example:
  {PROGRAM} build"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; from the process if absent.

    Returns
    -------
    int
        0 fine, 1 the input is wrong, 2 the call is wrong, 130 interrupted (129 and 143 by SIGHUP and SIGTERM).
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        from leaderboard.parser import CODES
        from vadbench.command_line import run_program
    except KeyboardInterrupt:
        # As in `vadbench.command_line.run_program`: else Python may end by the signal all the same.
        exec("")  # noqa: S102
        print("interrupted", file=sys.stderr)
        return 130
    return run_program(lambda: _called(given), CODES)


def _called(given: list[str]) -> int:
    from leaderboard.parser import CODES
    from vadbench.command_line import Program

    title = "The board: published rows and entries become tables and a site."
    try:
        return Program(PROGRAM, title, COMMANDS, _MODULES, _EPILOG, CODES).run(given)
    except SystemExit as stopped:
        # The parser's way to end --help; errors of the parser are a `UsageError`.
        return int(stopped.code or 0)
