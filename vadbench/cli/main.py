"""Dispatch of ``vadbench COMMAND``: errors become one block on standard error and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from vadbench.command_line import VADBENCH_CODES, Program, run_program
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
    "compare": "intervals, paired differences and rank ranges of several reports",
    "explain": "what a method gets wrong: missed tracks, false positives, clips",
    "table": "tables of reports for papers: text, Markdown, CSV, LaTeX",
    "plot": "curves, bars, timelines and intervals of reports",
    "overlay": "draw predictions over the frames of a clip: MP4, GIF, frames",
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

_PROGRAM = Program(
    name="vadbench",
    title=f"vadbench {__version__}: evaluation benchmark for video anomaly detection",
    commands=COMMANDS,
    modules={command: f"vadbench.cli.{command.replace('-', '_')}" for command in COMMANDS},
    epilog=_EPILOG,
    codes=VADBENCH_CODES,
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
    is_verdict = bool(_JUDGES.intersection(given[:1])) or "--verify" in given
    return run_program(lambda: _PROGRAM.run(given), VADBENCH_CODES, is_verdict=is_verdict)
