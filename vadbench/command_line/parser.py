"""Argument parsing that fails like everything else here: one block, exit code 2."""

from __future__ import annotations

import argparse
from typing import ClassVar, Never

from vadbench.command_line.program import VADBENCH_CODES, Codes
from vadbench.errors import UsageError, nearest_name, quoted

_LONGEST_USAGE = 240
"""Signs: three lines of a terminal."""


class CommandParser(argparse.ArgumentParser):
    """Parser of one command.

    Parameters
    ----------
    prog : str
        Such as ``vadbench score``.
    description : str
        What the command does.
    example : str
        A call that works when pasted.
    """

    codes: ClassVar[Codes] = VADBENCH_CODES
    """Of the program: ``call`` is that of the error where a call is wrong."""

    def __init__(self, prog: str, description: str, example: str) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=f"Example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> Never:
        """Raise `UsageError` with argparse's message, and the option that was probably meant."""
        usage = " ".join(self.format_usage().split()).removeprefix("usage: ")
        if len(usage) > _LONGEST_USAGE:
            # All options of a large command bury what is wrong.
            positional = [own.metavar or own.dest for own in self._get_positional_actions()]
            usage = " ".join([self.prog, "[options]", *map(str, positional)])
        hint = f"see `{self.prog} --help`"
        unknown = message.partition("unrecognized arguments: ")[2].partition(" ")[0].partition("=")[0]
        if unknown.startswith("--"):
            near = nearest_name(unknown, [name for name in self._option_string_actions if name.startswith("--")])
            hint = hint if near is None else f"did you mean {quoted(near)}? {hint[0].upper()}{hint[1:]}"
        raise UsageError(self.codes.call, message, expected=usage, hint=hint)
