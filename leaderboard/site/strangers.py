"""Texts that somebody else wrote, made fit to be shown: nothing of them can steer the page or the reading direction.

Escaping is the templates' work; this is what escaping leaves: control and bidirectional characters, lengths, links.
"""

from __future__ import annotations

import re
from hashlib import sha256
from urllib.parse import urlsplit

from vadbench.inert_text import inert_text, without_hidden

_NAME_LENGTH = 60
_LINK_LENGTH = 2_000
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,78}[a-z0-9])?")
_UNFIT = re.compile(r"[^a-z0-9]+")


def clean(text: object, *, lines: bool = False) -> str:
    """A text without characters that show nothing.

    Parameters
    ----------
    text : object
        Any text; other values by their ``str``.
    lines : bool
        Keep line breaks and tabs. Otherwise they become spaces.

    Returns
    -------
    str
        At most three combining marks in a row: more would run over the lines above and below.
    """
    shown = without_hidden(str(text).replace("\r\n", "\n"), kept="\n\t")
    return shown if lines else shown.replace("\n", " ").replace("\t", " ")


def shortened(text: object, longest: int = _NAME_LENGTH) -> str:
    """A text on one line, cut after `longest` characters with an ellipsis."""
    return inert_text(str(text), longest)


def safe_link(text: object) -> str | None:
    """The address if it leads to a host over http or https; None for any other, which is shown as text."""
    address = str(text)
    if len(address) > _LINK_LENGTH or address != clean(address) or re.search(r"[\s<>\"'`\\]", address):
        return None
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return None
    return address if parts.scheme in {"http", "https"} and host and "@" not in parts.netloc else None


def slug(name: str) -> str:
    """A name of a folder as part of an address: itself where it is small letters, digits and dashes.

    Any other name is reduced to these, with the beginning of its SHA-256 behind it, so that two names stay two.
    """
    if _SLUG.fullmatch(name):
        return name
    reduced = _UNFIT.sub("-", name.lower()).strip("-")[:40].strip("-")
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{reduced}-{digest}" if reduced else digest
