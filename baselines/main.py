"""Dispatch of ``python -m baselines``: errors become one block on standard error and an exit code.

Nothing heavy is imported before `main` runs, so that an interruption while NumPy is loaded is met like any other.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

_INTERRUPTED = "interrupted; nothing was left half written"


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
        from baselines.parser import CODES
        from vadbench.command_line import run_program
    except KeyboardInterrupt:
        print(_INTERRUPTED, file=sys.stderr)
        return 130
    return run_program(lambda: _called(given), CODES, interrupted=_INTERRUPTED)


def _called(given: list[str]) -> int:
    from baselines.command import run

    try:
        return run(given)
    except SystemExit as stopped:
        # The parser's way to end --help; errors of the parser are a `UsageError`.
        return int(stopped.code or 0)
