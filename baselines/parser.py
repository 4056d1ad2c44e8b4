"""Argument parsing of the baselines' commands, which fails like everything else here: one block, exit code 2."""

from __future__ import annotations

import vadbench.command_line
from vadbench.command_line import Codes

PROGRAM = "python -m baselines"
CODES = Codes(call="B100", command="B103", refused="B106", memory="B107")


class CommandParser(vadbench.command_line.CommandParser):
    """Parser of one command.

    Parameters
    ----------
    command : str
        What follows ``python -m baselines``; may be empty.
    description : str
        What the command does.
    example : str
        Lines that work when pasted.
    more : str
        Text between the options and the example.
    """

    codes = CODES

    def __init__(self, command: str, description: str, example: str, *, more: str = "") -> None:
        super().__init__(f"{PROGRAM} {command}".rstrip(), description, example)
        self.epilog = f"{more}example:\n  " + "\n  ".join(example.splitlines())
