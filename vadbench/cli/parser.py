"""Argument parsing that fails like everything else here: one block, exit code 2."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Never

from vadbench.errors import UsageError
from vadbench.submission.tree import is_url

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

    def __init__(self, prog: str, description: str, example: str) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=f"Example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> Never:
        """Raise `UsageError` U100 with argparse's message."""
        usage = " ".join(self.format_usage().split()).removeprefix("usage: ")
        if len(usage) > _LONGEST_USAGE:
            # All options of a large command bury what is wrong.
            positional = [own.metavar or own.dest for own in self._get_positional_actions()]
            usage = " ".join([self.prog, "[options]", *map(str, positional)])
        raise UsageError("U100", message, expected=usage, hint=f"see `{self.prog} --help`")


def path_or_url(text: str) -> Path | str:
    """A path; a URL stays the text that it is, which a path would mar."""
    return text if is_url(text) else Path(text)


def add_dataset_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where a data set lies."""
    parser.add_argument("--root", type=Path, help="folder of the data set; else from VADBENCH_DATA")
    parser.add_argument("--masks", type=Path, metavar="DIR", help="masks, where they lie apart from the frames")
    parser.add_argument("--tracks", type=Path, metavar="DIR", help="track files (AED text) instead of derived tracks")
