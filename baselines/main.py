"""Dispatch of ``python -m baselines``: errors become one block on standard error and an exit code.

Nothing heavy is imported before `main` runs, so that an interruption while NumPy is loaded is met like any other.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

INPUT_WRONG, CALL_WRONG, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; from the process if absent.

    Returns
    -------
    int
        0 fine, 1 the input is wrong, 2 the call is wrong, 130 interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Titles and paths may hold letters that the terminal's encoding lacks.
            sys.stdout.reconfigure(errors="replace")
        return _reported(given)
    except KeyboardInterrupt:
        print("interrupted; nothing was left half written", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone, such as `head`: not an error of ours, and nothing to say it to.
        _drop_output()
        return 0


def _reported(given: list[str]) -> int:
    """Run one command; whatever the user can mend is printed as one block."""
    from vadbench.errors import ProtocolError, UsageError, VadbenchError

    try:
        return _finished(given)
    except VadbenchError as error:
        print(error.block(), file=sys.stderr)
        return CALL_WRONG if isinstance(error, (UsageError, ProtocolError)) else INPUT_WRONG
    except BrokenPipeError:
        raise
    except OSError as error:
        refused = UsageError(
            "B106",
            "the system refused to read or write",
            where=str(error.filename or ""),
            got=error.strerror or str(error),
            hint="look at permissions and free space, then run the command again",
        )
        print(refused.block(), file=sys.stderr)
        _drop_unwritable_output()
        return INPUT_WRONG


def _finished(given: list[str]) -> int:
    from baselines.command import run

    try:
        code = run(given)
    except SystemExit as stopped:
        # The parser's way to end --help; errors of the parser are a `UsageError`.
        code = int(stopped.code or 0)
    # Now, so that a full disk or a closed pipe is noticed while it can be reported.
    print(end="", flush=True)
    return code


def _drop_unwritable_output() -> None:
    """Forget what standard output does not take, lest the interpreter fails with it once more when it ends."""
    try:
        print(end="", flush=True)
    except OSError:
        _drop_output()


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
