"""A result as people read it: blocks of text, and annotations of GitHub's workflow commands.

Source: style.md, "Errors"; GitHub, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from vadbench.datasets.findings import Severity
from vadbench.errors import printable
from vadbench.validation.validation import Group, Validation

MOST_ANNOTATIONS = 50
"""Annotations that are printed; GitHub itself shows ten of each kind a step."""

_LABEL = 12
_LISTS = frozenset({"S112"})
"""Codes of errors that list their mistakes, one a line."""

_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})


def text_lines(validation: Validation, width: int = 80, *, label: str = "submission") -> Iterator[str]:
    """Lines for a person: a block for each group, what was checked, and the verdict last.

    Parameters
    ----------
    validation : Validation
    width : int
        Characters of a line; what cannot be broken, such as a path, may be longer.
    label : str
        What it is that was checked.
    """
    yield from _wrapped(label, validation.submission, width, indent=0)
    if validation.dataset is not None:
        yield from _wrapped("data set", validation.dataset, width, indent=0)
    if validation.fingerprint is not None:
        yield f"{'fingerprint':<{_LABEL}}{validation.fingerprint}"
    for group in validation.groups:
        yield ""
        yield from group_lines(group, width)
    n_left_out = validation.n_errors + validation.n_warnings - len(validation.groups)
    if n_left_out > 0:
        yield ""
        yield f"and {n_left_out} more findings, which are not listed"
    yield ""
    for made, title in ((True, "checked"), (False, "not checked")):
        for check in validation.checks:
            if check.made is made:
                yield from _wrapped(
                    title, f"{check.name}{f' ({check.remark})' if check.remark else ''}", width, indent=0
                )
                title = ""  # noqa: PLW2901  # the label stands on the first line alone
    yield verdict(validation)


def verdict(validation: Validation) -> str:
    """One line: whether it is right, and how many groups of each severity there are."""
    word = "not ok" if validation.n_errors else "ok"
    return f"{word}: {_number(validation.n_errors, 'error')}, {_number(validation.n_warnings, 'warning')}"


def group_lines(group: Group, width: int = 80) -> Iterator[str]:
    """One group as a block, as `VadbenchError.block` writes an error, with how often and in which clips."""
    times = f": {times_of(group)}" if times_of(group) else ""
    title = printable(f"{group.severity}[{group.code}] {group.message}{times}")
    first, *rest = textwrap.wrap(title, width, subsequent_indent="  ", break_on_hyphens=False)
    yield first
    yield from (f"  {_no_command(line.lstrip())}" for line in rest)
    for label, text in _rows(group):
        yield from _wrapped(label, text, width, indent=2)


def times_of(group: Group) -> str:
    """How often, and in how many clips, in words; empty for one place."""
    if group.code in _LISTS:
        return "" if group.count == 1 else f"{group.count} mistakes"
    counted = [f"{group.count} times"] if group.count > max(group.n_clips, 1) else []
    clips = [f"in {group.n_clips} clips"] if group.n_clips > 1 else []
    return ", ".join(counted + clips)


def _rows(group: Group) -> Iterator[tuple[str, str]]:
    if group.where:
        is_one = group.severity is Severity.WARNING or group.count == 1 or group.code in _LISTS
        yield "where", group.where[0] if is_one else f"{group.where[0]} (first of {group.count})"
    if group.n_clips > 1:
        rest = f" … ({group.n_clips} in all)" if group.n_clips > len(group.clips) else ""
        yield "clips", " ".join(group.clips) + rest
    if group.expected:
        yield "expected", group.expected
    if group.got:
        yield "got", group.got
    if group.hint:
        # Lines of a hint are broken for blocks that nobody wraps; those of a list of keys are lines of their own.
        yield "hint", group.hint if group.code in _LISTS else group.hint.replace("\n", " ")


def _wrapped(label: str, text: str, width: int, *, indent: int) -> Iterator[str]:
    head = " " * indent + label
    for paragraph in text.split("\n"):
        lines = textwrap.wrap(
            printable(paragraph), max(width - _LABEL, 20), break_long_words=False, break_on_hyphens=False
        )
        for line in lines or [""]:
            safe = _no_command(line)
            yield f"{head:<{_LABEL}}{safe}" if len(head) < _LABEL else f"{head} {safe}"
            head = ""


def _no_command(line: str) -> str:
    """Put something before a line that a runner of GitHub would take for a command, spaces before it or not."""
    return f"| {line}" if line.startswith(("::", "##[")) else line


def github_lines(validation: Validation, *, file: str | None = None) -> Iterator[str]:
    """Annotations, one a group: ``::error title=…::…``; everything in them is escaped.

    Parameters
    ----------
    validation : Validation
    file : str, optional
        Path in the repository that the annotations are shown at.
    """
    place = f"file={escaped_property(file)}," if file else ""
    for group in validation.groups[:MOST_ANNOTATIONS]:
        title = f"{group.code} {group.message}" + (f" ({times_of(group)})" if times_of(group) else "")
        body = "\n".join(f"{label}: {text}" for label, text in _rows(group))
        message = f"{validation.submission}\n{body}"
        yield f"::{group.severity} {place}title={escaped_property(title)}::{escaped_message(message)}"
    n_left_out = validation.n_errors + validation.n_warnings - len(validation.groups[:MOST_ANNOTATIONS])
    if n_left_out > 0:
        severity = "error" if validation.n_errors else "warning"
        yield f"::{severity} {place}title=more::{n_left_out} more findings; `vadbench validate` lists them"
    title = f"{validation.submission}{f' ({validation.dataset})' if validation.dataset else ''}"
    yield f"::notice {place}title=vadbench validate::{escaped_message(f'{title}: {verdict(validation)}')}"


def escaped_property(text: str) -> str:
    r"""Text as the value of a property of a workflow command.

    >>> escaped_property("a:b,c%\n")
    'a%3Ab%2Cc%25%0A'
    """
    return _shown(text).translate(_PROPERTY)


def escaped_message(text: str) -> str:
    r"""Text as the message of a workflow command.

    >>> escaped_message("100%\n::error::x")
    '100%25%0A::error::x'
    """
    return _shown(text).translate(_MESSAGE)


def _shown(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


def _number(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
