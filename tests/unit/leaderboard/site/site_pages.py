"""Reads pages of a site back: what is in them, whether tags balance, where links lead."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_LINKS = frozenset({("a", "href"), ("link", "href"), ("script", "src"), ("img", "src"), ("video", "src")})
_REFERENCES = frozenset({"aria-describedby", "aria-labelledby", "for"})


@dataclass
class PageContent(HTMLParser):
    """One page.

    Attributes
    ----------
    faults : list of str
        Tags that do not balance.
    ids : Counter
    links : list of str
        Addresses that the page links to or loads.
    references : list of str
        Ids that attributes of the page name.
    scripts : list of str
        What stands in script elements that run.
    handlers : list of str
        Attributes that hold scripts.
    text : list of str
    """

    faults: list[str] = field(default_factory=list)
    ids: Counter[str] = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    handlers: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    tags: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self, convert_charrefs=True)
        self._open: list[str] = []
        self._runs = False

    @classmethod
    def read(cls, text: str) -> PageContent:
        page = cls()
        page.feed(text)
        page.close()
        page.faults += [f"<{tag}> is not closed" for tag in page._open]
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._take(tag, attrs)
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "script":
            self._runs = dict(attrs).get("type") not in {"application/json"}

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._take(tag, attrs)

    def _take(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.faults.append(f"<{tag}> has an attribute twice")
        for name, given in attrs:
            value = given or ""
            self.attributes.append((tag, name, value))
            if name == "id":
                self.ids[value] += 1
            elif (tag, name) in _LINKS:
                self.links.append(value)
            elif name in _REFERENCES:
                self.references += value.split()
            elif name.startswith("on"):
                self.handlers.append(f"{tag} {name}")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._runs = False
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> at line {self.getpos()[0]} closes something else")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            if self._runs and data.strip():
                self.scripts.append(data)
        else:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


def pages_in(folder: Path) -> dict[str, PageContent]:
    """All pages of a site by address."""
    return {
        path.relative_to(folder).as_posix(): PageContent.read(path.read_text("utf-8"))
        for path in sorted(folder.rglob("*.html"))
    }


def broken_links(folder: Path, pages: dict[str, PageContent]) -> list[str]:
    """Links within the site that lead nowhere."""
    broken = []
    for address, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            place = (folder / address).parent / parts.path if parts.path else folder / address
            target = place.resolve()
            if not target.is_file() or not target.is_relative_to(folder.resolve()):
                broken.append(f"{address}: {link}")
            elif parts.fragment:
                name = target.relative_to(folder.resolve()).as_posix()
                if not pages[name].ids[parts.fragment]:
                    broken.append(f"{address}: {link} has no such place")
    return broken
