"""The board of hostile entries: its tables, its history and every page, beside the same board with plain names."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hostile_board import WITH_STATISTICS, hostile_repository
from hostile_metadata import ALLOWED, MARK, unfit
from markdown_it import MarkdownIt

from vadbench.tables import PREAMBLE

pytest.importorskip("itables", reason="the extra board is not installed")

HARMLESS_SCHEMES = ("https:", "http:", "data:image/", "data:application/", "#")
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})


def built(folder: Path, *, plain: bool) -> Path:
    from leaderboard.main import main

    repository = hostile_repository(folder, plain=plain)
    assert main(["build", "--repository", str(repository), "--date", "2026-01-01", "--workers", "1"]) == 0
    return repository


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("hostile"), plain=False)


def files(folder: Path, *endings: str) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name.endswith(endings))


class Page(HTMLParser):
    """What a browser would make of a page: elements, their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self.comments: list[str] = []
        self._open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        (self.scripts if self._open and self._open[-1] == "script" else self.text).append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


@pytest.fixture(scope="module")
def pages(repository: Path) -> dict[str, Page]:
    public = repository / "leaderboard" / "public"
    return {str(path.relative_to(public)): Page(path.read_text(encoding="utf-8")) for path in files(public, ".html")}


def test_every_entry_that_the_check_lets_through_is_on_the_board(repository: Path, pages: dict[str, Page]) -> None:
    state = json.loads((repository / "leaderboard" / "tables" / "board.json").read_text(encoding="utf-8"))
    assert len(state["rows"]) == len(ALLOWED)
    shown = "".join(pages["index.html"].text)
    assert shown.count(MARK) >= len(ALLOWED) - 6


def test_pages_have_no_script_handler_or_link_of_a_stranger(pages: dict[str, Page]) -> None:
    assert len(pages) > len(ALLOWED)
    for address, page in pages.items():
        assert page.unbalanced == [], address
        for tag, attributes in page.elements:
            assert tag not in {"base", "iframe", "object", "embed", "frame"}, address
            for name, value in attributes.items():
                assert re.fullmatch(r"[a-z][a-z0-9:-]*", name), (address, tag, name)
                assert not name.startswith("on"), (address, tag, name)
                assert name != "srcdoc", (address, tag)
                if name in {"href", "src", "action", "formaction", "data", "xlink:href", "poster"}:
                    assert_harmless(value or "", address)
            if tag == "script":
                source = attributes.get("src")
                kind = attributes.get("type") or ""
                assert kind in {"application/json", "text/plain"} or (source and "://" not in source), (
                    address,
                    attributes,
                )
                assert MARK not in (source or ""), address
            if tag == "meta":
                assert attributes.get("http-equiv", "") != "refresh", address


def assert_harmless(link: str, address: str) -> None:
    assert unfit(link, allowed="") == [], address
    scheme = re.match(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):", link)
    assert scheme is None or link.startswith(HARMLESS_SCHEMES), (address, link[:200])
    assert not link.startswith("//"), (address, link)
    assert "evil.example" not in link, (address, link[:200])


def test_scripts_of_the_site_are_the_same_whatever_methods_call_themselves(
    repository: Path, pages: dict[str, Page], tmp_path: Path
) -> None:
    """Each page has the elements and attributes that it has with plain names; texts cannot add one."""
    plain = built(tmp_path, plain=True) / "leaderboard" / "public"
    for address, page in pages.items():
        # There are fewer plain methods: one with statistics, and others without.
        beside = re.sub(r"method-(\d\d)", lambda found: f"method-{int(found[1]) % WITH_STATISTICS > 0:02d}", address)
        other = Page((plain / beside).read_text(encoding="utf-8"))
        assert scripts(page) == scripts(other), address
        assert set(page.comments) == set(other.comments), address
        names = {(tag, name) for tag, attributes in page.elements for name in ("", *attributes)}
        others = {(tag, name) for tag, attributes in other.elements for name in ("", *attributes)}
        assert names <= others, (address, names - others)
    public = repository / "leaderboard" / "public"
    assets = {
        path.relative_to(public): path.read_bytes() for path in files(public, ".js", ".css") if "assets" in path.parts
    }
    assert assets == {
        path.relative_to(plain): path.read_bytes() for path in files(plain, ".js", ".css") if "assets" in path.parts
    }


def scripts(page: Page) -> list[str | None]:
    return [attributes.get("src") for tag, attributes in page.elements if tag == "script"]


def test_no_file_has_a_control_or_bidirectional_character(repository: Path) -> None:
    for path in files(
        repository / "leaderboard", ".html", ".js", ".json", ".md", ".csv", ".tex", ".bib", ".svg", ".txt"
    ):
        if ".cache" in path.parts or "assets" in path.parts:
            continue
        text = path.read_bytes().decode("utf-8")
        # JSON may hold the two line separators, which steer nothing; what shows it takes them out.
        assert unfit(text, allowed="\n\t\u2028\u2029" if path.suffix == ".json" else "\n\t") == [], path.name


def test_markdown_of_the_board_is_text(repository: Path) -> None:
    folder = repository / "leaderboard"
    for path in (folder / "HISTORY.md", folder / "tables" / "ucsd-ped2-standard.md"):
        tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(path.read_text(encoding="utf-8"))
        inner = [child for token in tokens for child in token.children or ()]
        assert not [child for child in inner if child.type in {"html_inline", "image"}], path.name
        assert not [token for token in tokens if token.type in {"html_block", "fence"}], path.name
        links = [child.attrs["href"] for child in inner if child.type == "link_open"]
        assert not [link for link in links if not str(link).startswith("https://") or "evil" in str(link)], path.name
    rows = [line for line in (folder / "tables" / "ucsd-ped2-standard.md").read_text().splitlines() if line[:2] == "| "]
    assert len(rows) == len(ALLOWED) + 2
    history = (folder / "HISTORY.md").read_text(encoding="utf-8")
    lines = [line for line in history.splitlines() if line.startswith("- ") and "as printed in" not in line]
    assert len(lines) == len(ALLOWED)


def test_csv_of_the_board_has_its_shape_and_no_formula(repository: Path) -> None:
    text = (repository / "leaderboard" / "tables" / "ucsd-ped2-standard.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text), strict=True))
    assert len(rows) == len(ALLOWED) + 1
    assert {len(row) for row in rows} == {len(rows[0])}
    for cell in (cell for row in rows for cell in row):
        assert re.fullmatch(r"[-+]?[0-9.]+", cell) or not cell.lstrip().startswith(("=", "+", "-", "@", "＝"))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_of_the_board_compiles(repository: Path, tmp_path: Path) -> None:
    table = (repository / "leaderboard" / "tables" / "ucsd-ped2-standard.tex").read_text(encoding="ascii")
    lines = [r"\documentclass{article}", PREAMBLE, r"\begin{document}", table, r"\end{document}"]
    (tmp_path / "own.tex").write_text("\n".join(lines), encoding="ascii")
    done = subprocess.run(
        ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "own.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2_000:]
