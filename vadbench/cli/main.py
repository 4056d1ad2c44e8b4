"""Dispatch of ``vadbench COMMAND``: errors become one block on standard error and an exit code."""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from vadbench.cli.error_output import print_error
from vadbench.errors import ProtocolError, UsageError, VadbenchError, did_you_mean, quoted
from vadbench.version import __version__

COMMANDS = {
    "validate": "check a submission, every problem in one pass",
    "score": "score a submission: table, signature, report; --verify compares with a report",
    "convert": "make a submission of AED text, arrays, images, COCO, HDF5; and back",
    "threshold": "declare a threshold from the scores of training clips",
    "pack": "make a folder one zip, the same bytes each time",
    "unpack": "make a packed zip a folder again",
    "submit-check": "check entries for the board as a pull request's check does",
    "schema": "print the JSON Schema of a format",
    "diff": "say in words why two scores differ",
    "protocols": "list the presets and explain every field",
    "data": "list, verify or synthesize data sets",
}
"""Commands and what they do; each is a module of this package (``submit_check``) with a function
``run(arguments) -> int``."""

_JUDGES = frozenset({"validate", "submit-check"})
"""Commands whose exit code is their result, as it is of ``score --verify``."""

_EPILOG = """\
Exit codes: 0 fine, 1 the input is wrong, 2 the call is wrong, 130 interrupted.

Example:
  vadbench data list
  vadbench schema submission"""


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {title}" for name, title in COMMANDS.items()]
    return "\n".join(
        [
            f"vadbench {__version__}: evaluation benchmark for video anomaly detection",
            "",
            "usage: vadbench COMMAND [options]      vadbench COMMAND --help",
            "",
            *lines,
            "",
            _EPILOG,
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; from the process if absent.

    Returns
    -------
    int
        0 fine, 1 the input is wrong, 2 the call is wrong, 130 interrupted (129 and 143 by SIGHUP and SIGTERM),
        141 where nobody read a verdict to its end.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    with _whole_streams(), _endings_as_interruptions() as ended_by:
        try:
            code = _dispatch(given)
            sys.stdout.flush()
        except VadbenchError as error:
            print_error(error, sys.stderr)
            return 2 if isinstance(error, UsageError | ProtocolError) else 1
        except KeyboardInterrupt as interruption:
            # What a command leaves behind only the command knows.
            print(str(interruption) or "interrupted", file=sys.stderr)
            return 128 + (ended_by[0] if ended_by else signal.SIGINT)
        except BrokenPipeError:
            # The reader of our output has gone, such as `head`: not an error of ours, and nothing to say it to.
            _silence_output()
            is_verdict = given[0] in _JUDGES or "--verify" in given
            return 128 + _SIGPIPE if is_verdict else 0
        except (OSError, MemoryError) as error:
            print_error(_refused(error), sys.stderr)
            _silence_output()
            return 1
        return code


_SIGPIPE = 13
"""Number of the signal that ends a writer whose reader has gone; not every system has the name."""


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


@contextmanager
def _endings_as_interruptions() -> Iterator[list[int]]:
    """Let SIGTERM and SIGHUP end the program as Ctrl-C does, so that nothing half-written stays; yields the signals."""
    ended_by: list[int] = []

    def end(number: int, _frame: object) -> None:
        ended_by.append(number)
        raise KeyboardInterrupt

    names = ("SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    numbers = [number for name in names if (number := getattr(signal, name, None)) is not None]
    # One that is ignored, as under nohup, stays ignored.
    taken = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, end)
    try:
        yield ended_by
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _refused(error: OSError | MemoryError) -> UsageError:
    """What the system does not give: the readers and writers name what they expect to go wrong."""
    if isinstance(error, MemoryError):
        return UsageError(
            "U103",
            "memory ran out",
            got=str(error),
            hint="end other programs, or work on fewer clips at once: --workers N",
        )
    # A full disk, a folder without permission.
    return UsageError(
        "U102",
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


def _dispatch(given: list[str]) -> int:
    if not given:
        print(_help(), file=sys.stderr)
        return 2
    command, *rest = given
    if command in {"-h", "--help", "help"}:
        print(_help())
        return 0
    if command in {"-V", "--version"}:
        print(f"vadbench {__version__}")
        return 0
    if command not in COMMANDS:
        raise UsageError("U101", f"there is no command {quoted(command)}", hint=did_you_mean(command, COMMANDS))
    module = importlib.import_module(f"vadbench.cli.{command.replace('-', '_')}")
    return int(module.run(rest))
