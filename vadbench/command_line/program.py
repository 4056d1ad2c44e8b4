"""A program of several commands: which there are, what its help says, and the call of one of them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vadbench.errors import UsageError, did_you_mean, quoted
from vadbench.version import __version__


@dataclass(frozen=True)
class Codes:
    """Codes of the errors that a program gives by itself.

    Parameters
    ----------
    call : str
        An option is missing, unknown or has a wrong value.
    command : str
        There is no such command.
    refused : str
        The system refused to read or write.
    memory : str
        Memory ran out.
    """

    call: str
    command: str
    refused: str
    memory: str


VADBENCH_CODES = Codes(call="U100", command="U101", refused="U102", memory="U103")
"""Those of ``vadbench``; programs beside it have their own."""


@dataclass(frozen=True)
class Program:
    """Commands under one name.

    Parameters
    ----------
    name : str
        What is typed before the command.
    title : str
        First line of the help.
    commands : mapping of str to str
        Commands and what they do.
    modules : mapping of str to str
        Full names of their modules, each with a function ``run(arguments) -> int``; loaded when the command is called.
    epilog : str
        Exit codes, and an example that works when pasted.
    codes : Codes
        Of its own errors.
    """

    name: str
    title: str
    commands: Mapping[str, str]
    modules: Mapping[str, str]
    epilog: str
    codes: Codes

    def help(self) -> str:
        """Text of ``--help``, for a terminal of 80 columns."""
        width = max(map(len, self.commands))
        return "\n".join(
            [
                self.title,
                "",
                f"usage: {self.name} COMMAND [options]",
                f"       {self.name} COMMAND --help",
                "",
                *(f"  {name:<{width}}  {title}" for name, title in self.commands.items()),
                "",
                self.epilog,
            ]
        )

    def run(self, given: Sequence[str]) -> int:
        """Run one command.

        Parameters
        ----------
        given : sequence of str
            What follows the program's name: a command and its arguments, or ``--help``, ``--version``.

        Returns
        -------
        int
            The command's exit code; 2 where no command is given.

        Raises
        ------
        UsageError
            If there is no such command.
        """
        if not given:
            print(self.help(), file=sys.stderr)
            return 2
        command, *rest = given
        if command in {"-h", "--help", "help"}:
            print(self.help())
            return 0
        if command in {"-V", "--version"}:
            print(f"vadbench {__version__}")
            return 0
        if command not in self.commands:
            raise UsageError(
                self.codes.command,
                f"there is no command {quoted(command)}",
                hint=f"{did_you_mean(command, self.commands)}; see `{self.name} --help`",
            )
        return int(importlib.import_module(self.modules[command]).run(rest))
