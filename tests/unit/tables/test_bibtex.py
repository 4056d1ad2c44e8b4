"""BibTeX of methods: their own entry, checked, or one of their metadata."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_reports import HOSTILE_NAMES, METHOD

from vadbench.tables import bibliography, bibtex_key, bibtex_of

KEY = re.compile(r"[A-Za-z][A-Za-z0-9:._-]*")


def own(text: str) -> dict[str, object]:
    return METHOD | {"bibtex": text}


def test_an_entry_is_made_of_the_metadata() -> None:
    work = {
        "method": {
            "name": "TAO (classical, CPU)",
            "version": "0.1.0",
            "authors": ["Ada Example", "The vadbench developers", "Skočaj and Sons, Ltd."],
            "year": 2026,
            "paper": "https://arxiv.org/abs/2506.05175",
            "code": "https://example.org/a_b",
        }
    }
    entry = bibtex_of(work)
    assert entry.key == "tao-classical-cpu2026"
    assert entry.fault is None
    assert entry.text == (
        "@misc{tao-classical-cpu2026,\n"
        "  title  = {{TAO (classical, CPU)}},\n"
        "  author = {Ada Example and The vadbench developers and {\\relax Sko{\\v c}aj and Sons, Ltd.}},\n"
        "  year   = {2026},\n"
        "  note   = {Version 0.1.0, See https://arxiv.org/abs/2506.05175},\n"
        "  url    = {https://example.org/a_b},\n"
        "}\n"
    )


def test_a_paper_that_is_linked_is_not_what_the_entry_is_of() -> None:
    text = bibtex_of({"name": "Constant", "authors": ["Us"], "paper": "https://arxiv.org/abs/2506.05175"}).text
    assert "howpublished" not in text
    assert "url " not in text
    assert "note   = {See https://arxiv.org/abs/2506.05175}" in text


def test_an_entry_of_a_paper() -> None:
    paper = {"title": "On $x$", "authors": "Cao, Zhang", "year": 2024, "venue": "ECCV", "arxiv": "2407.15795"}
    text = bibtex_of(paper, key="cao:2024").text
    assert text.startswith("@misc{cao:2024,")
    assert "{{On \\$x\\$}}" in text
    assert "howpublished = {ECCV, arXiv:2407.15795}" in text


def test_nothing_known_makes_an_entry_all_the_same() -> None:
    assert bibtex_of({}).text == "@misc{untitled,\n  title = {{Untitled}},\n}\n"
    assert bibtex_of({"name": 5, "year": True, "authors": {"a": 1}, "paper": ["x"]}).key == "untitled"


def test_links_are_http_alone() -> None:
    assert "url" not in bibtex_of({"name": "x", "paper": "javascript:alert(1)"}).text
    assert "url" not in bibtex_of(own("@misc{a, title={T}, url={javascript:alert(1)}}")).text
    assert "{https://example.org/%7Ba%7D}" in bibtex_of({"name": "x", "code": "https://example.org/{a}"}).text


def test_keys_are_unlike_each_other_whatever_their_case() -> None:
    assert bibtex_key("TAO", 2025, taken=["tao2025", "TAO2025A"]) == "tao2025b"
    assert bibtex_of(own("@misc{Sketch, title={T}}"), taken=["sketch"]).key == "Sketcha"
    many = [f"x{ending}" for ending in ("", *"abcdefghijklmnopqrstuvwxyz", "-2")]
    assert bibtex_key("x", taken=many) == "x-3"


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_a_key_is_always_one(text: str) -> None:
    assert KEY.fullmatch(bibtex_key(text, 2026))
    assert KEY.fullmatch(bibtex_of({"name": text or "x", "bibtex": f"@misc{{{text}, title={{T}}}}"}).key)


def test_an_entry_of_ones_own_keeps_kind_key_and_fields() -> None:
    entry = bibtex_of(
        own(
            '@InProceedings{cao:2024, AUTHOR = "Cao, A. and B. {\\"U}", Title={A {CLIP} of 50%}, year=2024, month=jun,}'
        )
    )
    assert entry.fault is None
    assert entry.text == (
        "@inproceedings{cao:2024,\n"
        '  author = {Cao, A. and B. {\\"U}},\n'
        "  title  = {A {CLIP} of 50{\\%}},\n"
        "  year   = {2024},\n"
        "  month  = jun,\n"
        "}\n"
    )
    assert bibtex_of({"bibtex": entry.text, "name": "x"}).text == entry.text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("just words", "no entry of the form"),
        ("@misc{a, title={T}} @misc{b, title={U}}", "more than one entry"),
        ("@misc{a, title={T}} \\input{x}", "more than one entry"),
        ('@preamble{ "\\write18{ls}" }', "kind"),
        ("@string{a = {b}}", "kind"),
        ("@comment{a, b = {c}}", "kind"),
        ("@misc{a, title={T}", "no field and no end"),
        ("@misc{a, title={T}}}", "more than one entry"),
        ("@misc{a, title={T", "do not balance"),
        ("@misc{a, title={\\input{/etc/passwd}}}", "input"),
        ("@misc{a, title={\\immediate\\write18{ls}}}", "immediate"),
        ("@misc{a, title={\\catcode`\\%=12}}", "catcode"),
        ("@misc{a, title={\\csname x\\endcsname}}", "csname"),
        ("@misc{a, title={\\href{x}{y}}}", "href"),
        ("@misc{a, title={$\\input{x}$}}", "in mathematics"),
        ("@misc{a, title={$x^{y}^{z}$}}", "two powers"),
        ("@misc{a, title={$x_{1}_{2}$}}", "two powers"),
        ("@misc{a, title={$x^2 ^3$}}", "two powers"),
        ("@misc{a, title={$x^{2}²$}}", "two powers"),
        ("@misc{a, title={$\\mathrm{x}_1^2_3$}}", "two powers"),
        ("@misc{a, title={$x}}", "does not end"),
        ("@misc{a, title={{$}x{$}}}", "balance"),
        ("@misc{a, title={$$x$$}}", "line of its own"),
        ("@misc{a, title={\\'}}", "over no letter"),
        ("@misc{a, title={\\textbf x}}", "without braces"),
        ("@misc{a, title=other}", "without braces"),
        ('@misc{a, title={T} # " U"}', "no field and no end"),
        ("@misc{a, title={" + "x" * 9_000 + "}}", "characters"),
        ("@misc{a," + ",".join(f"f{chr(97 + n // 26)}{chr(97 + n % 26)}={{x}}" for n in range(60)) + "}", "fields"),
        ("@misc{a}", "no field"),
    ],
)
def test_what_is_no_entry_or_does_something_is_not_taken(text: str, reason: str) -> None:
    entry = bibtex_of(own(text))
    assert entry.fault is not None
    assert reason in entry.fault
    assert entry.text.startswith("@misc{sketch2026,\n  title  = {{Sketch}},")


def test_one_power_and_one_index_of_a_sign_are_simple_mathematics() -> None:
    title = "$x_{i}^{2}$ and $x^{y^{z}} {}^2 a^1b^2$"
    entry = bibtex_of(own(f"@misc{{a, title={{{title}}}}}"))
    assert entry.fault is None
    assert "{$x_{i}^{2}$} and {$x^{y^{z}} {}^2 a^1b^2$}" in entry.text


def test_hats_are_printed() -> None:
    assert "{\\textasciicircum}{\\textasciicircum}5cinput" in bibtex_of(own("@misc{a, title={^^5cinput}}")).text


def test_names_that_bibtex_would_take_apart_wrongly_are_whole() -> None:
    text = bibtex_of(own("@misc{a, author={A, B, C, D, E and and {ACME and Co} and x] and Å. B}, year=1}")).text
    assert "author = {{\\relax A, B, C, D, E} and {ACME and Co} and {\\relax x]} and {\\AA}. B}" in text


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=200), st.sampled_from([*HOSTILE_NAMES.values()])))
def test_an_entry_is_ascii_and_balanced_whatever_it_is_made_of(text: str) -> None:
    work = {
        "name": text,
        "authors": [text, f"{text} and {text}"],
        "year": 2026,
        "venue": text,
        "paper": f"https://{text}",
    }
    for given_bibtex in (
        text,
        f"@misc{{{text}, title={{{text}}}}}",
        f"@misc{{k, title={{{text}}}, author={{{text}}}}}",
    ):
        entry = bibtex_of(work | {"bibtex": given_bibtex})
        assert entry.text.isascii()
        assert entry.text.count("\n@") == 0
        depth = 0
        for sign in entry.text:
            depth += {"{": 1, "}": -1}.get(sign, 0)
            assert depth >= 0
        assert depth == 0
        commands = set(re.findall(r"\\([A-Za-z]+)", entry.text))
        assert not commands & {"input", "include", "write", "immediate", "openout", "catcode", "def", "csname", "verb"}


def test_a_bibliography_has_each_key_once() -> None:
    entries = [bibtex_of({"name": name}) for name in ("b", "a", "B")]
    assert re.findall(r"@misc{(\w),", bibliography(entries)) == ["b", "a"]
    assert bibliography([]) == ""
