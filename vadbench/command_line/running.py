"""A program from its call to its exit code: streams that can be written to, signals, errors as one block.

Source: architecture.md, "What a user sees".
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vadbench.command_line.error_output import print_error
from vadbench.command_line.program import Codes
from vadbench.errors import ProtocolError, UsageError, VadbenchError
from vadbench.interruptions import endings_as_interruptions

INPUT_WRONG, CALL_WRONG, INTERRUPTED = 1, 2, 130
"""Exit codes; 0 is fine."""

_SIGPIPE = 13
"""Number of the signal that ends a writer whose reader has gone; not every system has the name."""


def run_program(
    call: Callable[[], int],
    codes: Codes,
    *,
    is_verdict: bool = False,
    interrupted: str = "interrupted",
) -> int:
    """Run a call of a program; whatever the user can mend is printed as one block on standard error.

    Parameters
    ----------
    call : callable
        Runs the command and gives its exit code.
    codes : Codes
        Of errors that the system gives.
    is_verdict : bool
        Whether the exit code is the result of the command: then it is not 0 where nobody read the output to its end.
    interrupted : str
        What is said after an interruption, unless the command itself says what it leaves behind.

    Returns
    -------
    int
        0 fine, 1 the input is wrong, 2 the call is wrong, 130 interrupted (129 and 143 by SIGHUP and SIGTERM),
        141 where nobody read a verdict to its end.
    """
    with _whole_streams(), endings_as_interruptions() as ended_by:
        try:
            code = _finished(call)
        except VadbenchError as error:
            print_error(error, sys.stderr)
            return CALL_WRONG if isinstance(error, UsageError | ProtocolError) else INPUT_WRONG
        except KeyboardInterrupt as interruption:
            # An interruption within exec("…"), as where a dataclass is made, Python takes for one that nobody answered,
            # and ends by the signal; until the next exec.
            exec("")  # noqa: S102
            # What a command leaves behind only the command knows.
            print(str(interruption) or interrupted, file=sys.stderr)
            return 128 + (ended_by[0] if ended_by else signal.SIGINT)
        except BrokenPipeError:
            # The reader of our output has gone, such as `head`: not an error of ours, and nothing to say it to.
            _silence_output()
            return 128 + _SIGPIPE if is_verdict else 0
        except (OSError, MemoryError) as error:
            print_error(_refused(error, codes), sys.stderr)
            _silence_output()
            return INPUT_WRONG
        return code


def _finished(call: Callable[[], int]) -> int:
    try:
        code = call()
    except SystemExit:
        # The parser's way to end --help; errors of the parser are a `UsageError`.
        sys.stdout.flush()
        raise
    # Now, so that a full disk or a closed pipe is noticed while it can be reported.
    sys.stdout.flush()
    return code


@contextmanager
def _whole_streams() -> Iterator[None]:
    """Make standard output and standard error fit to be written to, whatever they are."""
    given = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        # None where the caller has closed it, as `>&-` does.
        sys.stdout, sys.stderr = given[0] or nowhere, given[1] or nowhere
        for stream in given:
            if isinstance(stream, io.TextIOWrapper):
                # A terminal or pipe without UTF-8 gets question marks, not a traceback after minutes of work.
                stream.reconfigure(errors="replace")
        try:
            yield
        finally:
            for name, stream in zip(("stdout", "stderr"), given, strict=True):
                if getattr(sys, name) is nowhere:
                    setattr(sys, name, stream)


def _refused(error: OSError | MemoryError, codes: Codes) -> UsageError:
    """What the system does not give: the readers and writers name what they expect to go wrong."""
    if isinstance(error, MemoryError):
        return UsageError(
            codes.memory,
            "memory ran out",
            got=str(error),
            hint="end other programs, or work on fewer clips at once: --workers N where the command takes it",
        )
    # A full disk, a folder without permission.
    return UsageError(
        codes.refused,
        "the system refused to read or write",
        where=str(error.filename or ""),
        got=error.strerror or str(error),
        hint="look at permissions and free space, then run the command again",
    )


def _silence_output() -> None:
    """Send what standard output still holds nowhere: at the end of the program it would fail a second time."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
