"""Dispatch of ``vadbench COMMAND``: errors become one block on standard error and an exit code."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence

from vadbench.errors import ProtocolError, UsageError, VadbenchError, did_you_mean, quoted
from vadbench.version import __version__

COMMANDS = {
    "score": "score a submission: table, signature, report",
    "diff": "say in words why two scores differ",
    "protocols": "list the presets and explain every field",
    "data": "list, verify or synthesize data sets",
}
"""Commands and what they do; each is a module of this package with a function ``run(arguments) -> int``."""

_EPILOG = """\
Exit codes: 0 fine, 1 the input is wrong, 2 the call is wrong, 130 interrupted.

Example:
  vadbench data list
  vadbench protocols"""


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
        0 fine, 1 the input is wrong, 2 the call is wrong, 130 interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal or pipe without UTF-8 gets question marks, not a traceback after minutes of work.
            stream.reconfigure(errors="replace")
    try:
        code = _dispatch(given)
        sys.stdout.flush()
    except VadbenchError as error:
        print(error.block(), file=sys.stderr)
        return 2 if isinstance(error, UsageError | ProtocolError) else 1
    except KeyboardInterrupt as interruption:
        # What a command leaves behind only the command knows.
        print(str(interruption) or "interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone, such as `head`: not an error of ours, and nothing to say it to.
        _silence_output()
        return 0
    except (OSError, MemoryError) as error:
        print(_refused(error).block(), file=sys.stderr)
        _silence_output()
        return 1
    return code


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
    module = importlib.import_module(f"vadbench.cli.{command}")
    return int(module.run(rest))
