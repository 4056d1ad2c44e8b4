"""The family of errors that users of vadbench see.

Every error carries a stable code, what is true, where, what was expected, what was found, and what to do.
The library raises them, and the command line prints :meth:`VadbenchError.block`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

_LONGEST_QUOTE = 80
_LISTED = 24


class VadbenchError(Exception):
    """Something the user can mend.

    Parameters
    ----------
    code : str
        Stable identifier such as ``S104``: C conversion, D data set, S submission, P protocol, U usage, M metric.
    message : str
        What is true, in one line.
    where : str or sequence of str
        From the outside in: file, clip, frame.
    expected, got, hint : str
        What should have been there, what was there, and what to do next.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: str | Sequence[str] = (),
        expected: str = "",
        got: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where: tuple[str, ...] = (where,) if isinstance(where, str) else tuple(where)
        self.expected = expected
        self.got = got
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only fields do not survive the default pickling, and workers send errors back.
        return _rebuilt, (type(self), self.code, self.message, self.where, self.expected, self.got, self.hint)

    def block(self) -> str:
        """Give the error as the block of lines that the command line prints."""
        lines = [f"error[{self.code}] {self.message}"]
        rows = [("where", " · ".join(self.where)), ("expected", self.expected), ("got", self.got), ("hint", self.hint)]
        for name, text in rows:
            if text:
                indented = text.replace("\n", "\n" + " " * 12)
                lines.append(f"  {name:<10}{indented}")
        return "\n".join(lines)

    def __str__(self) -> str:
        """Give the same block, so that an uncaught error in a notebook says everything."""
        return self.block()


def _rebuilt(
    kind: type[VadbenchError], code: str, message: str, where: Sequence[str], expected: str, got: str, hint: str
) -> VadbenchError:
    error = kind.__new__(kind)
    VadbenchError.__init__(error, code, message, where=where, expected=expected, got=got, hint=hint)
    return error


class DataError(VadbenchError):
    """A data set, or an array given to a metric, is not as its definition says."""


class SubmissionError(VadbenchError):
    """A submission is not as the format says, or does not fit its data set."""


class ConversionError(VadbenchError):
    """A file of another format, which is to become part of a submission, is not as that format says."""


class ProtocolError(VadbenchError):
    """A protocol, a field of one, or a signature does not exist or makes no sense."""


class UsageError(VadbenchError):
    """The call is wrong: an unknown name, a path that is not there."""


class UndefinedMetricError(VadbenchError):
    """A metric has no value for this input; ``message`` is the reason (protocols.md, "Conventions")."""

    def __init__(self, reason: str) -> None:
        super().__init__("M101", reason)


def quoted(value: object) -> str:
    """Give a value from a file in quotes, shortened, with control characters escaped, safe to print."""
    text = str(value)
    short = text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"
    return f'"{printable(short)}"'


def printable(text: str) -> str:
    """Give a text whole, with everything escaped that does not show: controls, overrides, halves of characters."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Give a hint that names the nearest known name, and the known ones as far as they can be read at a glance."""
    options = sorted(known)
    listed = shortened(options, _LISTED, between=", ")
    near = nearest_name(name, options)
    return f"known: {listed}" if near is None else f"did you mean {quoted(near)}? Known: {listed}"


def nearest_name(name: str, options: Sequence[str]) -> str | None:
    """The one of `options` that was most probably meant; None if none is near."""
    # A number written without its leading zeros, then a beginning that fits one name only, then a slip of the pen.
    same_number = [option for option in options if name.isdigit() and option.isdigit() and int(option) == int(name)]
    begun = [option for option in options if len(name) > 1 and option.lower().startswith(name.lower())]
    for certain in (same_number, begun):
        if len(certain) == 1:
            return certain[0]
    lower = {option.lower(): option for option in options}
    near = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return lower[near[0]] if near else None


def shortened(names: Sequence[str], most: int = 10, between: str = " ") -> str:
    """Give the first names of a list for a message, and how many there are in all where some are left out."""
    rest = f"{between}… ({len(names)} in all)" if len(names) > most else ""
    return between.join(names[:most]) + rest
