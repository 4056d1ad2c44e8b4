r"""A stranger's text as LaTeX that prints it and does nothing else: ASCII only, plain pdflatex, no package.

What pdflatex cannot set is written as near as it can be: letters with accents as LaTeX builds them, Greek and signs
of mathematics as mathematics, Cyrillic in Latin letters. What remains (Chinese, Arabic, emoji) becomes a black block,
three at most for a run, so that nobody takes it for nothing.
"""

from __future__ import annotations

import re
import unicodedata

from vadbench.inert_text import LONGEST_NAME, inert_text
from vadbench.tables.latex_signs import ACCENTS, BELOW, CYRILLIC, MATHEMATICS, SPECIAL, WRITTEN

_BLOCK = r"\rule{.5em}{1.2ex}"
_LONGEST_RUN = 3
_APART = "\u2060"
"""Between signs that LaTeX would join; no text has it any more when it is put there."""

_LIGATURES = re.compile(r"(?<=-)(?=-)|(?<=,)(?=,)|(?<=')(?=')")


def escape_latex(text: str, longest: int = LONGEST_NAME) -> str:
    r"""Give a text as LaTeX that prints it, in a paragraph, a cell of a table, a caption or a field of BibTeX.

    Parameters
    ----------
    text : str
        Any; made one line first, see `inert_text`.
    longest : int
        Characters that are kept, counted before the escaping.

    Returns
    -------
    str
        Printable ASCII with balanced braces, without line breaks; no command in it comes from the text.

    Examples
    --------
    >>> print(escape_latex("50 % of \\input{x} & Rädle"))
    50 \% of \textbackslash{}input\textbraceleft{}x\textbraceright{} \& R{\"a}dle
    """
    characters = _LIGATURES.sub(_APART, unicodedata.normalize("NFC", inert_text(text, longest)))
    parts: list[str] = []
    run = 0
    for character in characters:
        written = "{}" if character == _APART else latex_character(character)
        run = run + 1 if written == _BLOCK else 0
        if run <= _LONGEST_RUN:
            parts.append(written)
    return "".join(parts)


def unsettable(text: str, longest: int = LONGEST_NAME) -> list[str]:
    """Characters of a text that `escape_latex` writes as blocks, each once, in their order."""
    characters = unicodedata.normalize("NFC", inert_text(text, longest))
    return list(dict.fromkeys(character for character in characters if latex_character(character) == _BLOCK))


def latex_character(character: str) -> str:
    """One character as LaTeX, without regard to its neighbours."""
    if character.isascii():
        return SPECIAL.get(character, character)
    if character in WRITTEN:
        return WRITTEN[character]
    if character in MATHEMATICS:
        return rf"$\{MATHEMATICS[character]}$"
    if character.lower() in CYRILLIC:
        latin = CYRILLIC[character.lower()]
        return latin if character.islower() else latin.capitalize()
    return _decomposed(character)


def _decomposed(character: str) -> str:
    """A character as its parts: a letter with accents, a superscript, a ligature, a full-width letter."""
    category = unicodedata.category(character)
    if category[0] == "M" or character in "\u200c\u200d":
        return ""
    parts = unicodedata.normalize("NFKD", character)
    if parts == character:
        return " " if category == "Zs" else _BLOCK
    kind = unicodedata.decomposition(character).split(" ", 1)[0]
    base = "".join(latex_character(part) for part in parts if unicodedata.category(part)[0] != "M")
    if _BLOCK in base:
        return _BLOCK
    if kind in {"<super>", "<sub>"}:
        return f"${'^' if kind == '<super>' else '_'}{{{base}}}$" if "$" not in base else base
    for mark in parts[1:]:
        # One accent: LaTeX stacks a second one badly. The braces around it are those that BibTeX wants.
        if mark in ACCENTS and len(base) == 1 and base.isalpha():
            letter = f"\\{base}" if base in "ij" and mark not in BELOW else base
            return f"{{\\{ACCENTS[mark]}{letter}}}"
    return base
