"""Where a command's result goes: standard output, as wide as it needs to be where nobody looks at it."""

from __future__ import annotations

import sys
import textwrap

from rich.console import Console

_PIPED_WIDTH = 200
_READABLE_WIDTH = 100


class _Output(Console):
    """A console that leaves it to the program what happens when the reader has gone, such as `head`."""

    def on_broken_pipe(self) -> None:
        """Let the error through; rich ends the process with an exit code of its own."""
        raise BrokenPipeError


def standard_output() -> Console:
    """Console on standard output; the terminal's width, or a wide line where the output is piped."""
    return _Output(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def thousands(number: int) -> str:
    """Write a whole number with spaces between groups of three digits."""
    return f"{number:,}".replace(",", " ")


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun, whose plural is with an s unless it is given.

    >>> counted(1, "box", "boxes"), counted(2010, "frame")
    ('1 box', '2 010 frames')
    """
    return f"{thousands(number)} {one if number == 1 else many or one + 's'}"


def print_paragraph(console: Console, text: str, *, first: str = "", rest: str = "") -> None:
    """Print prose in lines that can be read, whatever the width, the first and the rest with their own indent."""
    width = min(console.width, _READABLE_WIDTH)
    lines = textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )
    console.print("\n".join(lines), markup=False, soft_wrap=True)
