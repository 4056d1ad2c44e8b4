"""Argument parsing of the board's commands, which fails like everything else here: one block, exit code 2."""

from __future__ import annotations

import argparse
from pathlib import Path

import vadbench.command_line
from leaderboard.main import PROGRAM
from vadbench.command_line import Codes

REPOSITORY = Path(__file__).parents[1]
"""The folder in which ``leaderboard/`` and ``submissions/`` lie."""

CODES = Codes(call="L103", command="L102", refused="L101", memory="L100")


class CommandParser(vadbench.command_line.CommandParser):
    """Parser of one command.

    Parameters
    ----------
    command : str
        What follows ``python -m leaderboard``.
    description : str
        What the command does.
    example : str
        A call that works when pasted.
    """

    codes = CODES

    def __init__(self, command: str, description: str, example: str) -> None:
        super().__init__(f"{PROGRAM} {command}", description, example)


def add_repository_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which folders are read and written."""
    parser.add_argument(
        "--repository",
        type=Path,
        default=REPOSITORY,
        metavar="DIR",
        help="folder with submissions/ and leaderboard/ (default: the one that this program lies in)",
    )
