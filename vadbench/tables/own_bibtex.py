r"""A stranger's BibTeX entry, taken apart and put together again: one entry, and nothing in it that LaTeX carries out.

What is allowed in a field is what names and titles need: letters with accents, escaped signs, emphasis, simple
mathematics. Any other command, such as ``\input`` or ``\write``, makes the entry a faulty one.

Source: btxdoc ("BibTeXing", Oren Patashnik); BibTeX counts braces without looking at what stands before them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from vadbench.errors import quoted
from vadbench.inert_text import inert_text
from vadbench.tables.latex_text import latex_character


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LONGEST_ENTRY = 8_000
_MOST_FIELDS = 40
_KINDS = _words(
    "article book booklet conference inbook incollection inproceedings manual mastersthesis misc online phdthesis "
    "proceedings software techreport unpublished"
)
_LEFT_OUT = frozenset({"abstract", "annote", "crossref", "file", "key", "keywords", "xdata"})
"""Fields that no list of references prints, or that name another entry."""

_VERBATIM = frozenset({"url", "doi", "eprint", "isbn", "issn", "urldate", "archiveprefix", "primaryclass"})
_OF_NAMES = frozenset({"author", "editor"})
_MOST_NAME_PARTS = 3
_MONTHS = _words("jan feb mar apr may jun jul aug sep oct nov dec")

_AND = re.compile(r"(?<= )and(?= )|^and(?= )|(?<= )and$", re.IGNORECASE)
_COMMA = re.compile(",")
_WHOLE = r"\{\\[^{}]*\}|\{[A-Za-z0-9 .'-]+\}"
_NAME = re.compile(rf"(?:[A-Za-z]|{_WHOLE})(?:[A-Za-z.,'~ -]|{_WHOLE})*")
_TWICE = re.compile(r"\{(\{\\[^{}]*\}|\{\$[^${}]*\$\})\}")
_BEGINNING = re.compile(r"@\s*([A-Za-z]+)\s*\{\s*([^\s,{}()=\"]*)\s*")
_FIELD = re.compile(r"\s*,\s*([A-Za-z][A-Za-z0-9_-]*)\s*=\s*")
_END = re.compile(r"\s*,?\s*\}\s*")
_BARE = re.compile(r"[0-9]+|[A-Za-z]+")
_ARGUMENT = re.compile(r"\s*(?:\{\s*(?:[A-Za-z]|\\[ij])\s*\}|[A-Za-z]|\\[ij](?![A-Za-z]))")

_ACCENTS = frozenset("`'^\"~=.uvHcdbrt")
_SIGNS = {"^": "textasciicircum", "<": "textless", ">": "textgreater", "|": "textbar"}
_WITHOUT_ARGUMENT = _words(
    "& % $ # _ ss ae AE oe OE o O aa AA l L i j ldots dots LaTeX TeX textendash textemdash textasciitilde "
    "textasciicircum textbackslash textbar textless textgreater textquoteleft textquoteright textquotedblleft "
    "textquotedblright textunderscore textbraceleft textbraceright"
)
_WITH_ARGUMENT = _words("emph textbf textit textrm textsc textsf texttt textup textsuperscript")
_MATHEMATICS = _words(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi "
    "varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega times pm cdot infty ell leq geq "
    "rightarrow leftarrow to sim approx circ star mathrm mathbf mathcal mathit"
)
_WRITTEN = {
    " ": " ",
    ",": " ",
    "/": "",
    "-": "",
    "{": r"{\textbraceleft}",
    "}": r"{\textbraceright}",
    "url": "",
    "relax": "",
    "S": r"{$\S$}",
    "P": r"{$\P$}",
    "copyright": "(c)",
    "pounds": "GBP",
    "textregistered": "(R)",
    "texttrademark": "(TM)",
    # What the font encoding OT1 has no letter or accent for.
    "k": "",
    "dj": "d",
    "DJ": "D",
    "th": "th",
    "TH": "Th",
    "dh": "d",
    "DH": "D",
    "ng": "n",
}
"""Commands that are written in another way: as what every installation has."""

_UNSAFE_IN_ADDRESS = re.compile(r"[^A-Za-z0-9:/?#@!&'()*+,;=._~%-]")


class FaultyBibtexError(ValueError):
    """What is wrong with an entry, in words."""


@dataclass(frozen=True)
class OwnEntry:
    """An entry whose values are LaTeX that does nothing but print.

    Parameters
    ----------
    kind : str
        Such as ``inproceedings``.
    key : str
        As given, any text.
    fields : tuple of (name, value)
        Without the braces around the value.
    """

    kind: str
    key: str
    fields: tuple[tuple[str, str], ...]

    def written(self, key: str) -> str:
        """Give the entry as text under a key."""
        width = max((len(name) for name, _ in self.fields), default=0)
        # Names of months are BibTeX's own words, which styles write as they please.
        values = [value if name == "month" and value in _MONTHS else f"{{{value}}}" for name, value in self.fields]
        lines = [f"  {name:<{width}} = {value},\n" for (name, _), value in zip(self.fields, values, strict=True)]
        return f"@{self.kind}{{{key},\n{''.join(lines)}}}\n"


def read_bibtex(text: str) -> OwnEntry:
    """Read one entry, as strictly as what is printed needs, and make its values ASCII.

    Raises
    ------
    FaultyBibtexError
        With the reason.
    """
    if len(text) > _LONGEST_ENTRY:
        raise FaultyBibtexError(f"more than {_LONGEST_ENTRY} characters")
    line = unicodedata.normalize("NFC", inert_text(text, _LONGEST_ENTRY))
    beginning = _BEGINNING.match(line)
    if beginning is None:
        raise FaultyBibtexError("no entry of the form @kind{key, field = {value}}")
    kind = beginning[1].lower()
    if kind not in _KINDS:
        raise FaultyBibtexError(f"the kind {quoted('@' + kind)}")
    fields: dict[str, str] = {}
    position = beginning.end()
    while (match := _FIELD.match(line, position)) is not None:
        raw, position = _value(line, match.end())
        name = match[1].lower()
        if name not in _LEFT_OUT and name not in fields:
            read = _address if name in _VERBATIM else names_value if name in _OF_NAMES else latex_value
            value = read(raw)
            if name == "url" and not re.match(r"https?://", value, re.IGNORECASE):
                value = ""
            fields |= {name: value} if value else {}
        if len(fields) > _MOST_FIELDS:
            raise FaultyBibtexError(f"more than {_MOST_FIELDS} fields")
    end = _END.match(line, position)
    if end is None:
        raise FaultyBibtexError(f"no field and no end at {quoted(line[position : position + 30])}")
    if end.end() != len(line):
        raise FaultyBibtexError(f"more than one entry: {quoted(line[end.end() : end.end() + 30])}")
    if not fields:
        raise FaultyBibtexError("no field")
    return OwnEntry(kind, beginning[2], tuple(fields.items()))


def _value(line: str, start: int) -> tuple[str, int]:
    """A value as it stands in the entry, without what surrounds it, and where it ends."""
    if line[start : start + 1] not in {"{", '"'}:
        bare = _BARE.match(line, start)
        if bare is None or not (bare[0].isdigit() or bare[0].lower() in _MONTHS):
            raise FaultyBibtexError(f"a value without braces at {quoted(line[start : start + 30])}")
        return bare[0], bare.end()
    closing = "}" if line[start] == "{" else '"'
    depth = 0
    for position in range(start + 1, len(line)):
        sign = line[position]
        if depth == 0 and sign == closing:
            return line[start + 1 : position].strip(), position + 1
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth < 0:
            break
    raise FaultyBibtexError("braces that do not balance")


def _address(raw: str) -> str:
    """Value of a field that styles print as it stands; empty where it is none."""
    plain = re.sub(r"[{}\\\s]", "", raw)
    return _UNSAFE_IN_ADDRESS.sub("", plain)


def latex_value(raw: str) -> str:
    """Give a value as LaTeX in ASCII that prints and does nothing else; raises `FaultyBibtexError`.

    Accents, commands and mathematics stand in braces of their own: BibTeX takes names apart and makes titles small,
    and leaves whole what is in braces.
    """
    return _TWICE.sub(r"\1", _Reading(raw).written()).strip()


def names_value(raw: str) -> str:
    """Give the value of a field of names, each of which BibTeX can take apart; raises `FaultyBibtexError`."""
    names = (name.strip() for name in _split(latex_value(raw), _AND))
    return " and ".join(whole_name(name) for name in names if re.search(r"[A-Za-z0-9{]", name))


def whole_name(name: str) -> str:
    """A name in LaTeX as it is where BibTeX takes it apart rightly; any other one as one unbreakable sign."""
    parts = [re.search(r"[A-Za-z{]", part) is not None for part in _split(name, _COMMA)]
    if _NAME.fullmatch(name) and all(parts) and len(parts) <= _MOST_NAME_PARTS:
        return name
    # Labels are cut out of names, and only what begins with a command in braces is left whole.
    return f"{{\\relax {name}}}"


def _split(text: str, between: re.Pattern[str]) -> list[str]:
    """Parts of a text between matches outside braces."""
    parts, begin, depth, position = [], 0, 0, 0
    while position < len(text):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        match = between.match(text, position) if depth == 0 else None
        if match is not None:
            parts.append(text[begin : match.start()])
            # The blank after one "and" is the one before the next.
            begin = match.end()
            position = max(match.end() - 1, position + 1)
        else:
            position += 1
    return [*parts, text[begin:]]


class _Reading:
    """One pass over a value, sign by sign."""

    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._parts: list[str] = []
        self._depth = 0
        self._mathematics: int | None = None
        """Depth of braces at which mathematics began; None outside."""
        self._scripts: list[set[str]] = []
        """For each open group of mathematics, the powers and indices that the sign before has."""
        self._expects_script = False

    def written(self) -> str:
        position = 0
        while position < len(self._raw):
            sign = self._raw[position]
            position = self._command(position) if sign == "\\" else self._sign(sign, position)
        if self._mathematics is not None:
            raise FaultyBibtexError("mathematics that does not end")
        if self._depth:
            raise FaultyBibtexError("braces that do not balance")
        return "".join(self._parts)

    def _sign(self, sign: str, position: int) -> int:
        if sign in "{}":
            self._depth += 1 if sign == "{" else -1
            if self._depth < (self._mathematics or 0):
                raise FaultyBibtexError("braces that do not balance")
            if self._mathematics is not None:
                self._group_of_mathematics(sign)
            self._parts.append(sign)
        elif sign == "$":
            self._parts.append(self._dollar(position))
        elif self._mathematics is not None:
            self._parts.append(self._sign_of_mathematics(sign, position))
        elif sign in "%&#_":
            self._parts.append(f"{{\\{sign}}}")
        elif sign in _SIGNS:
            self._parts.append(f"{{\\{_SIGNS[sign]}}}")
        else:
            # Ligatures and ties are the author's.
            self._parts.append(sign if sign.isascii() else f"{{{latex_character(sign)}}}")
        return position + 1

    def _dollar(self, position: int) -> str:
        if self._mathematics is None:
            if self._raw[position + 1 : position + 2] == "$":
                raise FaultyBibtexError("mathematics on a line of its own")
            self._mathematics = self._depth
            self._scripts, self._expects_script = [set()], False
            return "{$"
        if self._mathematics != self._depth:
            raise FaultyBibtexError("mathematics that does not end")
        self._mathematics = None
        return "$}"

    def _sign_of_mathematics(self, sign: str, position: int) -> str:
        if sign in "^_":
            follows = self._raw[position + 1 : position + 2]
            if not re.match(r"[A-Za-z0-9{]", follows):
                raise FaultyBibtexError("mathematics beyond simple powers and indices")
            self._add_script(sign)
            self._expects_script = True
            return sign
        if sign in "%&#~\"'`":
            raise FaultyBibtexError(f"the sign {quoted(sign)} in mathematics")
        written = sign if sign.isascii() else latex_character(sign).replace("$", "")
        if written[:1] in {"^", "_", "'"}:
            # Small numbers and primes of Unicode are powers and indices to LaTeX.
            self._add_script("_" if written[0] == "_" else "^")
        elif not sign.isspace():
            self._next_base()
        return sign if sign.isascii() else f" {written} "

    def _add_script(self, sign: str) -> None:
        """Note a power or an index; LaTeX stops at a second one of the same sign."""
        if self._expects_script or sign in self._scripts[-1]:
            raise FaultyBibtexError("two powers or two indices of one sign in mathematics")
        self._scripts[-1].add(sign)

    def _next_base(self) -> None:
        """Note a sign: what the power or the index before it is of, else a new one without either."""
        if not self._expects_script:
            self._scripts[-1].clear()
        self._expects_script = False

    def _group_of_mathematics(self, brace: str) -> None:
        if brace == "{":
            self._next_base()
            self._scripts.append(set())
        else:
            self._scripts.pop()

    def _command(self, position: int) -> int:
        name = re.match(r"[A-Za-z]+|.?", self._raw[position + 1 :])
        command = name[0] if name else ""
        after = position + 1 + len(command)
        shown = quoted(f"\\{command}")
        if self._mathematics is not None:
            if command not in _MATHEMATICS:
                raise FaultyBibtexError(f"the command {shown} in mathematics")
            if command.startswith("math") and self._raw[after : after + 1] != "{":
                raise FaultyBibtexError(f"the command {shown} without braces")
            self._next_base()
            self._parts.append(f"\\{command}")
        elif command in _ACCENTS:
            argument = _ARGUMENT.match(self._raw, after)
            if argument is None:
                raise FaultyBibtexError(f"the accent {shown} over no letter")
            letter = re.sub(r"[\s{}]", "", argument[0])
            self._parts.append(f"{{\\{command}{' ' if command.isalpha() and letter.isalpha() else ''}{letter}}}")
            return argument.end()
        elif command in _WRITTEN:
            self._parts.append(_WRITTEN[command])
        elif command in _WITH_ARGUMENT:
            if self._raw[after : after + 1] != "{":
                raise FaultyBibtexError(f"the command {shown} without braces")
            self._parts.append(f"\\{command}")
        elif command in _WITHOUT_ARGUMENT:
            self._parts.append(f"{{\\{command}}}")
            # A command of letters takes the blank that ends it.
            return after + len(self._raw[after:]) - len(self._raw[after:].lstrip()) if command.isalpha() else after
        else:
            raise FaultyBibtexError(f"the command {shown}")
        return after
