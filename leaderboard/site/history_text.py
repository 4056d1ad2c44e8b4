"""The history as parts of a page. Of Markdown only what the history uses is read: headings, lists, paragraphs, code."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from leaderboard.site.strangers import clean

_CODE = re.compile(r"(`[^`]*`)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_ITEM = re.compile(r"[-*] +(?=\S)")


@dataclass(frozen=True)
class Words:
    """Text of one kind within a line."""

    text: str
    code: bool = False


@dataclass(frozen=True)
class Part:
    """A heading, a paragraph or a list.

    Parameters
    ----------
    kind : str
        ``heading``, ``paragraph`` or ``list``.
    lines : tuple of lines, each a tuple of Words
        One of a heading or a paragraph, one an item of a list.
    """

    kind: str
    lines: tuple[tuple[Words, ...], ...]


def history_parts(text: str) -> list[Part]:
    """Parts of the history, without its title, which the page has already."""
    parts: list[Part] = []
    items: list[str] = []
    paragraph: list[str] = []

    def finish() -> None:
        if paragraph:
            parts.append(Part("paragraph", (line_words(" ".join(paragraph)),)))
            paragraph.clear()
        if items:
            parts.append(Part("list", tuple(line_words(item) for item in items)))
            items.clear()

    for line in clean(text, lines=True).split("\n"):
        stripped = line.strip()
        item = _ITEM.match(line)
        if item:
            if paragraph:
                finish()
            items.append(line[item.end() :].strip())
        elif stripped.startswith("#"):
            finish()
            level = len(stripped) - len(stripped.lstrip("#"))
            if level > 1:
                parts.append(Part("heading", (line_words(stripped.lstrip("#").strip()),)))
        elif not stripped:
            finish()
        elif items:
            items[-1] += f" {stripped}"
        else:
            paragraph.append(stripped)
    finish()
    return parts


def line_words(line: str) -> tuple[Words, ...]:
    r"""A line as plain text and code, its escapes undone.

    >>> [(words.text, words.code) for words in line_words("new `a|b` \\*x\\* &lt;b&gt;")]
    [('new ', False), ('a|b', True), (' *x* <b>', False)]
    """
    return tuple(_words(line))


def _words(line: str) -> Iterator[Words]:
    for piece in _CODE.split(line):
        if piece.startswith("`") and piece.endswith("`") and len(piece) > 1:
            yield Words(piece[1:-1], code=True)
        elif piece:
            yield Words(clean(html.unescape(_ESCAPED.sub(r"\1", piece))))
