"""BibTeX of methods: the entry that a method gave, checked, or one made of its metadata.

Source: btxdoc ("BibTeXing", Oren Patashnik) for entries, fields and names.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vadbench.inert_text import LONGEST_VALUE, inert_text
from vadbench.tables.latex_text import escape_latex
from vadbench.tables.own_bibtex import FaultyBibtexError, OwnEntry, read_bibtex, whole_name

_LONGEST_WORD = 24
_MOST_AUTHORS = 100
_LONGEST_KEY = 60
_LONGEST_TITLE = 200
# One name of two words or more, none of which is "and"; BibTeX reads a comma as "Last, First".
_PLAIN_NAME = re.compile(r"(?!.*\band\b)[^\W\d_][\w.'’-]*( [\w.'’-]+)*", re.IGNORECASE)
_UNSAFE_IN_URL = re.compile(r"[^A-Za-z0-9:/?#@!&'()*+,;=._~%-]")


@dataclass(frozen=True)
class BibtexEntry:
    """One entry.

    Parameters
    ----------
    key : str
        Letters, digits and ``- _ . :``, beginning with a letter.
    text : str
        The whole entry in printable ASCII, with a line feed at its end.
    fault : str or None
        Why the entry that was given could not be taken, and one was made of the metadata; None if none was given, or
        it was taken.
    """

    key: str
    text: str
    fault: str | None = None


def bibtex_key(text: str, year: int | None = None, taken: Collection[str] = ()) -> str:
    """Key made of a text, in lower case, with the year, different from those taken, whatever their case.

    Examples
    --------
    >>> bibtex_key("TAO (classical, CPU)", 2026), bibtex_key("Ö/{}", 2026, taken=["o2026"])
    ('tao-classical-cpu2026', 'o2026a')
    """
    letters = unicodedata.normalize("NFKD", inert_text(text, LONGEST_VALUE)).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", letters))[:_LONGEST_WORD].strip("-")
    if not words[:1].isalpha():
        words = f"method-{words}" if words else "method"
    key = f"{words}{year if year is not None else ''}"
    return _unlike(key, taken)


def bibtex_of(work: Mapping[str, Any], *, key: str | None = None, taken: Collection[str] = ()) -> BibtexEntry:
    """Entry of a method or of a paper.

    Parameters
    ----------
    work : mapping
        ``submission.toml`` as a table, its table ``[method]``, or any mapping with some of ``bibtex``, ``title`` or
        ``name``, ``authors`` (list, or one string), ``year``, ``venue``, ``arxiv``, ``paper``, ``code``. Values of
        other types are passed over.
    key : str, optional
        Else that of the entry given, or one of name and year.
    taken : collection of str
        Keys that others have.

    Returns
    -------
    BibtexEntry
        Of the entry in ``bibtex`` if that is one entry with balanced braces and nothing in it that LaTeX would carry
        out; its fields are kept, made ASCII. Otherwise a ``@misc`` of the rest: of the method itself, with
        the paper that it links to in a note.
    """
    method = work.get("method")
    table: Mapping[str, Any] = method if isinstance(method, Mapping) else work
    title, year = _text(table, "title") or _text(table, "name") or "Untitled", _year(table)
    given, fault = table.get("bibtex"), None
    if isinstance(given, str) and given.strip():
        try:
            own = read_bibtex(given)
        except FaultyBibtexError as error:
            fault = str(error)
        else:
            chosen = _unlike(_safe(key or own.key) or bibtex_key(title, year), taken)
            return BibtexEntry(chosen, own.written(chosen))
    chosen = _unlike(_safe(key or "") or bibtex_key(title, year), taken)
    return BibtexEntry(chosen, _made(table, title, year).written(chosen), fault)


def bibliography(entries: Iterable[BibtexEntry]) -> str:
    """Give entries as one file: each key once, in the order in which they come first."""
    texts: dict[str, str] = {}
    for entry in entries:
        texts.setdefault(entry.key.lower(), entry.text)
    return "\n".join(texts.values())


def _unlike(key: str, taken: Collection[str]) -> str:
    """The key, or with a letter or a number after it where others have it, whatever their case."""
    others = {other.lower() for other in taken}
    endings = ("", *string.ascii_lowercase, *(f"-{n}" for n in range(2, len(others) + 3)))
    return next(own for own in (f"{key}{ending}" for ending in endings) if own.lower() not in others)


def _safe(key: str) -> str:
    """What of a key others may rely on; empty where nothing is left."""
    return re.sub(r"^[^A-Za-z]+|[^A-Za-z0-9:._-]", "", key)[:_LONGEST_KEY]


def _text(table: Mapping[str, Any], key: str) -> str:
    value: Any = table.get(key)
    return inert_text(value, LONGEST_VALUE) if isinstance(value, str) else ""


def _year(table: Mapping[str, Any]) -> int | None:
    value = table.get("year")
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10_000 else None


def _made(table: Mapping[str, Any], title: str, year: int | None) -> OwnEntry:
    fields = {"title": f"{{{escape_latex(title, _LONGEST_TITLE)}}}", "author": _authors(table.get("authors"))}
    paper, code = _link(table, "paper"), _link(table, "code")
    # The paper that a method links to may be by others, as that of a benchmark: this entry is not of that paper.
    arxiv = _text(table, "arxiv")
    places = [_text(table, "venue"), f"arXiv:{arxiv}" if arxiv else ""]
    fields["howpublished"] = ", ".join(escape_latex(place, LONGEST_VALUE) for place in places if place)
    fields["year"] = "" if year is None else str(year)
    version = _text(table, "version")
    notes = [f"Version {version}" if version else "", f"See {paper}" if paper else ""]
    fields["note"] = ", ".join(escape_latex(note, LONGEST_VALUE) for note in notes if note)
    fields["url"] = code
    return OwnEntry("misc", "", tuple((name, value) for name, value in fields.items() if value))


def _authors(authors: Any) -> str:
    """Names between ``and``; those that BibTeX would take apart wrongly in braces."""
    given = [authors] if isinstance(authors, str) else authors if isinstance(authors, list | tuple) else []
    names = [name for author in given if isinstance(author, str) and (name := inert_text(author, LONGEST_VALUE))]
    shown = [*names[:_MOST_AUTHORS], *(["others"] if len(names) > _MOST_AUTHORS else [])]
    return " and ".join(_name(name) for name in shown)


def _name(name: str) -> str:
    written = escape_latex(name)
    return whole_name(written) if _PLAIN_NAME.fullmatch(name) else f"{{\\relax {written}}}"


def _link(table: Mapping[str, Any], key: str) -> str:
    """An address that begins with http:// or https://, in ASCII; else empty."""
    text = _text(table, key)
    if not re.match(r"https?://", text, re.IGNORECASE):
        return ""
    return _UNSAFE_IN_URL.sub(lambda sign: "".join(f"%{byte:02X}" for byte in sign[0].encode()), text)
