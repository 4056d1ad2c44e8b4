"""What a stranger's text becomes in each format: checked against readers that nobody here wrote where there is one."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from made_reports import HOSTILE_NAMES
from markdown_it import MarkdownIt

from vadbench.tables import (
    Cell,
    Column,
    Direction,
    TableContent,
    csv_cell,
    escape_latex,
    escape_markdown,
    inert_text,
    to_csv,
    to_latex,
    to_markdown,
    to_text,
)

SIGNS = "\\{}$&#%_^~<>|\"'`[]*@=+-()/;:,.!? \t\r\n\u202e\u2028aZ0é中"
texts = st.one_of(
    st.text(max_size=60), st.text(alphabet=SIGNS, max_size=40), st.sampled_from([*HOSTILE_NAMES.values()])
)
BIDIRECTIONAL = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def content(name: str) -> TableContent:
    columns = [Column("method", name), Column("x", "X", Direction.HIGHER, numbers=True)]
    return TableContent.of_rows(columns, [(Cell(name), Cell("1.00", 0.01)), (Cell("b"), Cell(name))], notes=[name])


@settings(derandomize=True, max_examples=200, deadline=None)
@given(texts)
def test_a_text_becomes_one_short_line_without_controls(text: str) -> None:
    line = inert_text(text, 20)
    assert len(line) <= 20
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} or c in BIDIRECTIONAL for c in line)
    assert line == line.strip()
    assert inert_text(line, 20) == line


def test_what_is_ordinary_stays() -> None:
    for name in ("TAO (classical, CPU)", "HF²VAD", "Rädle", "异常检测", "β-VAE", "👩\u200d🔬", "a  b"[:1]):
        assert inert_text(name) == name


def test_a_text_is_shortened_between_letters() -> None:
    assert inert_text("abcdef", 4) == "abc…"
    assert inert_text("abe\u0301def", 4) == "ab…"
    assert inert_text("x" * 10_000_000) == "x" * 79 + "…"
    assert inert_text("\u200b" * 10_000_000 + "x", 5) in {"…", ""}


def test_marks_do_not_climb() -> None:
    assert inert_text("a" + "\u0301" * 500 + "b") == "a" + "\u0301" * 3 + "b"


ALLOWED_COMMANDS = re.compile(
    r"\\text[a-z]+\{\}|\\[$&#%_]|\\rule\{\.5em\}\{1\.2ex\}|\\ldots\{\}"
    r"|\{\\[`'^\"~=.]\\?[A-Za-z]\}|\{\\[uHvdcbr] \\?[A-Za-z]\}"
    r"|\{\\(ss|ae|AE|oe|OE|o|O|aa|AA|l|L|i|j)\}|\$\\[A-Za-z]+\$|\$\^\{\\circ\}\$"
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(texts)
@example("\\")
@example("\\\\[1cm]")
@example("`$\\`{}")
def test_latex_is_ascii_with_balanced_braces_and_only_our_commands(text: str) -> None:
    written = escape_latex(text)
    assert written.isascii()
    assert written.isprintable()
    depth = 0
    for sign in written:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    rest = ALLOWED_COMMANDS.sub("", written)
    assert "\\" not in rest
    assert not re.search(r"[&#%~]", rest)
    # What is left of mathematics is a sign between dollars, or a power.
    assert not re.search(r"[$^_]", re.sub(r"\$([-'<>]+|[_^]\{[^$]*\})\$", "", rest))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("50 % & #1_2", r"50 \% \& \#1\_2"),
        ("Rädle, Skočaj, Łukasz", r"R{\"a}dle, Sko{\v c}aj, {\L}ukasz"),
        ("Gouiffès ïİ", r"Gouiff{\`e}s {\"\i}{\.I}"),
        ("β-VAE ≤ HF²VAD", r"$\beta$-VAE $\leq$ HF$^{2}$VAD"),
        ("Яндекс", "Yandeks"),
        ("--", "-{}-"),
        ("异常检测器", r"\rule{.5em}{1.2ex}" * 3),
        ("ｆｕｌｌ ＼", r"full \textbackslash{}"),
    ],
)
def test_latex_of(text: str, written: str) -> None:
    assert escape_latex(text) == written


@settings(derandomize=True, max_examples=200, deadline=None)
@given(texts)
def test_a_row_of_latex_is_one_line_that_ends_as_rows_do(text: str) -> None:
    lines = to_latex(content(text)).split("\n")
    rows = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    assert len(rows) == 2
    assert all(row.endswith(r" \\") and len(re.findall(r"(?<!\\)&", row)) == 1 for row in rows)
    # The optional argument of the \\ before.
    assert not any(row.lstrip().startswith(("[", "*")) for row in rows)


def formula(cell: str) -> bool:
    return cell[:1] in {"=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"}


def is_number(cell: str) -> bool:
    try:
        value = float(cell)
    except ValueError:
        return False
    # Python reads more as numbers than spreadsheets do.
    return math.isfinite(value) and cell.isascii() and "_" not in cell and cell == cell.strip()


@pytest.mark.parametrize(
    "text", ["\u200d =1+1", " \u200c\u200d\u200c =1", "\u3164=1", "﹦1+1", "﹢1", "−1+1", "⁺1+1", "\u2800@x", "⩵1"]
)
def test_formulas_behind_what_is_not_seen_or_in_other_signs_are_inert(text: str) -> None:
    assert csv_cell(text).startswith("'")
    assert "'" in csv_cell(f"a;{text}")
    assert "'" in csv_cell(f"a；{text}")


def test_every_sign_that_is_read_as_the_beginning_of_a_formula_is_known() -> None:
    for code in range(0x10000):
        if unicodedata.normalize("NFKC", chr(code))[:1] in set("=+-@\u2212"):
            assert csv_cell(chr(code) + "A1").startswith("'"), hex(code)


def test_numbers_stay_numbers() -> None:
    for text in ("-3.20", "+1", "−3.20", "1e-5"):
        assert csv_cell(text) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1. foo", r"1\. foo"),
        ("\u202e12) foo", r"12\) foo"),
        ("3-fold", "3-fold"),
        ("- a", r"\- a"),
        ("# a", r"\# a"),
        ("2026", "2026"),
    ],
)
def test_a_note_begins_no_list(text: str, written: str) -> None:
    content_of_note = TableContent.of_rows([Column("m", "M")], [(Cell("a"),)], notes=[text])
    lines = to_markdown(content_of_note).splitlines()
    assert lines[-1] == written
    shown = MarkdownIt("commonmark").enable("table").render(written)
    assert shown == f"<p>{inert_text(text)}</p>\n"


def test_no_emoji_is_named() -> None:
    assert escape_markdown(":smile: a:+1:") == r":<!-- -->smile: a\:<!-- -->+1:"
    assert escape_markdown("12:30:45") == r"12\:30\:45"
    found = re.compile(r":[a-z0-9_+-]*[a-z+-][a-z0-9_+-]*:")
    assert not found.search(MarkdownIt("commonmark").render(escape_markdown(":smile: :a_b: x:tada:y")))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(texts, min_size=2, max_size=5))
@example(["=1+1", "-3.20", "+1", "@x", "\t=1", "a;=1", "1,2", '"', "－1", "-INF", "-１", "'@", ';"=1"', '; "" @x'])
def test_csv_comes_back_as_it_was_and_no_cell_is_a_formula(cells: list[str]) -> None:
    line = ",".join(map(csv_cell, cells)) + "\n"
    for dialect in ("excel", "unix"):
        (back,) = csv.reader(io.StringIO(line, newline=""), dialect=dialect)
        lines = [inert_text(cell, 500) for cell in cells]
        assert [cell.replace("'", "") for cell in back] == [line.replace("'", "") for line in lines]
        assert all(is_number(cell) for cell in back if formula(cell))
        assert [cell for cell, line in zip(back, lines, strict=True) if not formula(line) and ";" not in line] == [
            line for line in lines if not formula(line) and ";" not in line
        ]
    # A spreadsheet of another country splits at semicolons and does not know these quotes: no formula begins there.
    assert not any(formula(part.strip('" \n')) for part in line.split(";")[1:])


def test_numbers_stay_numbers_in_csv() -> None:
    for number in ("91.04", "-3.20", "+0.12", "0", "1e-5", ".5"):
        assert csv_cell(number) == number
    assert csv_cell("-3.20-1") == "'-3.20-1"


@settings(derandomize=True, max_examples=200, deadline=None)
@given(texts)
def test_a_table_of_csv_has_its_rows(text: str) -> None:
    back = list(csv.reader(io.StringIO(to_csv(content(text)), newline="")))
    assert [len(row) for row in back] == [2, 2, 2]
    assert back[1][1] == "1.00"


READER = MarkdownIt("commonmark").enable("table")


@settings(derandomize=True, max_examples=200, deadline=None)
@given(texts)
@example("a|b")
@example("\\|")
@example("`|`")
@example("1. a")
@example("# a")
def test_markdown_shows_the_text_in_its_cell_and_nothing_else(text: str) -> None:
    tokens = READER.parse(to_markdown(content(text)))
    cells = [tokens[n + 1] for n, token in enumerate(tokens) if token.type in {"td_open", "th_open"}]
    assert len(cells) == 6
    for cell, wanted in zip(cells[2:], [text, "1.00", "b", text], strict=True):
        assert cell.children is not None
        assert {child.type for child in cell.children} <= {"text", "text_special"}
        assert "".join(child.content for child in cell.children) == inert_text(wanted)
    kinds = [token.type for token in tokens if token.type.endswith("_open")]
    assert not {"heading_open", "bullet_list_open", "ordered_list_open", "blockquote_open"} & set(kinds)
    assert "html_block" not in {token.type for token in tokens}


def test_bare_addresses_are_no_links_in_markdown() -> None:
    assert escape_markdown("https://a.b www.a.b a@b.c") == r"https\://a.b www\.a.b a\@b.c"


@settings(derandomize=True, max_examples=200, deadline=None)
@given(texts)
def test_a_table_of_text_is_as_wide_as_asked_and_has_its_lines(text: str) -> None:
    written = to_text(content(text), width=60)
    assert not any((unicodedata.category(c) in {"Cc", "Cs"} and c != "\n") or c in BIDIRECTIONAL for c in written)
    assert "1.00" in written
