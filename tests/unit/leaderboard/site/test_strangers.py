"""Texts of strangers on the pages: shown, shortened, and without any effect."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_methods import LONG, hostile_board
from site_pages import PageContent, broken_links, pages_in

from leaderboard.site import write_site
from leaderboard.site.strangers import clean, safe_link, shortened, slug


@pytest.fixture(scope="module")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "public"
    write_site(hostile_board(), folder, workers=1)
    return folder


@pytest.fixture(scope="module")
def hostile_pages(hostile_site: Path) -> dict[str, PageContent]:
    return pages_in(hostile_site)


def test_pages_stay_whole(hostile_site: Path, hostile_pages: dict[str, PageContent]) -> None:
    for address, page in hostile_pages.items():
        assert page.faults == [], address
        assert page.scripts == [], address
        assert page.handlers == [], address
        assert page.tags["img"] == 0, address
        assert max(page.ids.values()) == 1
    assert broken_links(hostile_site, hostile_pages) == []


def test_no_link_leads_to_a_script(hostile_pages: dict[str, PageContent]) -> None:
    links = [link for page in hostile_pages.values() for link in page.links]
    assert [link for link in links if "script:" in link.lower()] == []
    assert any("javascript:alert(4)" in page.words for page in hostile_pages.values())


def test_links_to_strangers_say_nothing_of_us(hostile_pages: dict[str, PageContent]) -> None:
    for page in hostile_pages.values():
        outside = [value for tag, name, value in page.attributes if tag == "a" and name == "href" and "://" in value]
        marked = [value for tag, name, value in page.attributes if tag == "a" and name == "rel"]
        assert len(outside) == len(marked)
        assert set(marked) <= {"noopener noreferrer nofollow"}


def test_what_turns_or_hides_is_gone(hostile_site: Path) -> None:
    for path in hostile_site.rglob("*"):
        if path.is_file() and path.parent.name != "assets":
            text = path.read_text("utf-8")
            found = {c for c in text if c in "\u202e\u202c\u2066\u200f\u061c\u0007\u0000\u2028\u2029"}
            assert found == set(), path


def test_names_are_shown_as_text_and_not_carried_out(hostile_pages: dict[str, PageContent]) -> None:
    words = hostile_pages["index.html"].words
    assert "<script>alert(1)</script>" in words
    assert "{{ 7 * 7 }}" in words
    assert "49" not in hostile_pages["methods/method-2/ucsd-ped2.html"].words.split("Scores")[0]


def test_long_names_are_short_in_tables_and_whole_on_their_page(hostile_pages: dict[str, PageContent]) -> None:
    assert LONG not in hostile_pages["index.html"].words
    assert LONG in hostile_pages["methods/method-4/ucsd-ped2.html"].words
    assert len(hostile_pages["index.html"].words) < 30_000


def test_texts_in_json_cannot_end_their_element(hostile_site: Path) -> None:
    for address in ("index.html", "compare.html"):
        text = (hostile_site / address).read_text("utf-8")
        inside = [part.partition("</script>")[0] for part in text.split('<script type="application/json"')[1:]]
        assert inside
        assert all("<" not in part for part in inside)


def test_no_file_is_named_by_a_stranger(hostile_site: Path) -> None:
    names = [path.name for path in hostile_site.rglob("*")]
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-") for name in names)


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://example.org/a?b=c#d", True),
        ("http://example.org", True),
        ("javascript:alert(1)", False),
        ("java\tscript:alert(1)", False),
        (" javascript:alert(1)", False),
        ("data:text/html,<script>", False),
        ("vbscript:x", False),
        ("//example.org", False),
        ("https:", False),
        ("https:///path", False),
        ("https://user:word@example.org", False),
        ("https://example.org/\u202egro", False),
        ("https://example.org/a b", False),
        ('https://example.org/"onclick=x', False),
        ("https://[::1", False),
        ("https://example.org/" + "a" * 3000, False),
        ("file:///etc/passwd", False),
    ],
)
def test_links(address: str, safe: bool) -> None:
    assert safe_link(address) == (address if safe else None)


def test_slugs() -> None:
    assert slug("my-method") == "my-method"
    made = [slug(name) for name in ("../../etc", "a/b", "a b", "A", "", "ä", "-", "a" * 200, "x.html", "con\u202e")]
    assert len(set(made)) == len(made)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in made)
    assert all(0 < len(name) < 60 for name in made)


def test_clean() -> None:
    assert clean("a\u202eb\u0000c\nd") == "abc d"
    assert clean("a\r\nb\tc", lines=True) == "a\nb\tc"
    assert clean("e" + "\u0301" * 50) == "e" + "\u0301" * 3
    assert clean("\ud800x") == "x"
    assert shortened("abcdef", 4) == "abc…"
    assert shortened(" ab\n") == "ab"
