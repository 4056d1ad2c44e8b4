"""What every program here shares: commands and their parsers, errors as blocks, exit codes, signals, streams.

A program is its commands (`Program`) and a ``main`` that calls `run_program`.
"""

from vadbench.command_line.error_output import print_error
from vadbench.command_line.parser import CommandParser
from vadbench.command_line.program import VADBENCH_CODES, Codes, Program
from vadbench.command_line.running import CALL_WRONG, INPUT_WRONG, INTERRUPTED, run_program

__all__ = [
    "CALL_WRONG",
    "INPUT_WRONG",
    "INTERRUPTED",
    "VADBENCH_CODES",
    "Codes",
    "CommandParser",
    "Program",
    "print_error",
    "run_program",
]
