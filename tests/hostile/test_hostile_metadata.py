"""Hostile names, authors, links, descriptions and BibTeX through every writer: shown as text, and nothing else."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hostile_metadata import (
    ALLOWED,
    ALLOWED_LONG,
    READ,
    TEXTS,
    hostile_report,
    hostile_reports,
    unfit,
)
from made_statistics import made_statistics
from markdown_it import MarkdownIt
from small_submission import write_submission

from vadbench import DataError, Report, synthesize
from vadbench.cli import main
from vadbench.comparison import ReportStatistics
from vadbench.evaluation.report_statistics import statistics_place
from vadbench.plots import ClipBarsDisplay, IntervalDisplay, curve_figure, write_displays
from vadbench.plots.shown_names import LONGEST_NAME, legend_text, plain_text
from vadbench.tables import (
    PREAMBLE,
    TableContent,
    bibliography,
    bibtex_of,
    csv_cell,
    escape_markdown,
    frame_content,
    inert_text,
    report_frame,
    score_content,
    to_csv,
    to_latex,
    to_markdown,
    to_text,
)

LONGEST_LINE = 600
"""Characters of a line that a person is to read, whatever a method calls itself."""


@pytest.fixture(scope="module")
def made() -> tuple[Report, ReportStatistics]:
    return made_statistics(1, n_clips=3)


@pytest.fixture(scope="module")
def named(made: tuple[Report, ReportStatistics]) -> dict[str, Report]:
    """Reports by hostile names; the names that are equal once empty are one."""
    return {text: hostile_report(made[0], text) for text in TEXTS.values()}


@pytest.fixture(scope="module")
def content(named: dict[str, Report]) -> TableContent:
    """A table with a hostile text in every place that takes one."""
    caption = "".join(text for name, text in TEXTS.items() if "10 000" not in name)
    return score_content(named, caption=caption, label="tab:hostile")


def written(folder: Path, report: Report, statistics: ReportStatistics, name: str) -> Path:
    place = folder / f"{name}.report.json"
    # As a stranger would write it: without the checks of `Report.write`, if it had any.
    place.write_text(report.to_json(), encoding="utf-8", errors="surrogatepass")
    statistics.write(statistics_place(place))
    return place


def test_the_factory_has_what_it_promises() -> None:
    assert len(set(TEXTS.values())) == len(TEXTS)
    assert "script element" in ALLOWED
    assert "Markdown reference" in ALLOWED_LONG.keys() - ALLOWED.keys()
    assert not READ.keys() & {"NUL", "right-to-left override", "C1 control", "half a surrogate pair"}
    assert "10 000 characters" in READ.keys() - ALLOWED.keys()
    assert unfit("a\u202e\x1b\u2028\n") == ["U+001B", "U+2028", "U+202E"]


# Reports


@pytest.mark.parametrize("name", sorted(TEXTS.keys() - READ.keys()))
def test_reading_refuses_controls_and_shows_none(
    made: tuple[Report, ReportStatistics], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    place = written(tmp_path, hostile_report(made[0], TEXTS[name]), made[1], "m")
    with pytest.raises(DataError) as raised:
        Report.read(place)
    assert raised.value.code == "D360"
    for command in ("explain", "table", "compare"):
        assert main([command, str(place)]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert unfit(err) == []


@pytest.mark.parametrize("name", sorted(READ))
def test_what_is_read_can_be_explained(
    made: tuple[Report, ReportStatistics], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    place = written(tmp_path, hostile_report(made[0], READ[name]), made[1], "m")
    plain = written(tmp_path, hostile_report(made[0], "Plain"), made[1], "n")
    main(["explain", str(plain), "--submission", "m"])
    expected = capsys.readouterr().out
    assert main(["explain", str(place), "--submission", "m"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert_fit_for_a_terminal(out)
    # A name has its place in the first line, and nowhere else.
    assert [line for line in out.splitlines() if line not in expected.splitlines()][2:] == []


def assert_fit_for_a_terminal(text: str) -> None:
    assert unfit(text) == []
    assert max(map(len, text.splitlines())) < LONGEST_LINE


def places(folder: Path, made: tuple[Report, ReportStatistics], texts: Mapping[str, str] = READ) -> list[str]:
    reports = hostile_reports(made[0], texts)
    return [str(written(folder, report, made[1], f"m{k}")) for k, (_, report) in enumerate(reports)]


def test_terminal_tables_of_all_at_once(
    made: tuple[Report, ReportStatistics], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = ("10 000 characters", "line separators of JavaScript", "10 000 words", "rich markup")
    given = places(tmp_path, made, {name: READ[name] for name in (*first, *list(READ)[::3])})
    assert main(["table", *given]) == 0
    assert_fit_for_a_terminal(capsys.readouterr().out)
    assert main(["compare", *given[:12], "--metrics", "rbdc", "--resamples", "20"]) == 0
    assert_fit_for_a_terminal(capsys.readouterr().out)
    assert main(["diff", *given[:2]]) == 0
    assert_fit_for_a_terminal(capsys.readouterr().out)


def test_tables_for_papers_from_the_command_line(
    made: tuple[Report, ReportStatistics], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = places(tmp_path, made, dict(list(READ.items())[::8]))
    for form in ("text", "markdown", "csv", "latex"):
        assert main(["table", *given, "--format", form]) == 0
        assert unfit(capsys.readouterr().out) == []


# Tables


def test_text_and_frame(content: TableContent, named: dict[str, Report]) -> None:
    assert_fit_for_a_terminal(to_text(content))
    assert_fit_for_a_terminal(to_text(frame_content(report_frame(named))))


def test_markdown_is_one_table_of_text(content: TableContent, named: dict[str, Report]) -> None:
    """By a reader of Markdown that nobody here wrote: no markup but that of the table."""
    text = to_markdown(content)
    assert unfit(text) == []
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    inner = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in tokens}
    assert {child.type for child in inner} <= {
        *("text", "text_special", "strong_open", "strong_close", "em_open", "em_close", "code_inline", "softbreak")
    }
    assert kinds <= {"paragraph_open", "paragraph_close", "inline"} | {
        f"{part}_{side}" for part in ("table", "thead", "tbody", "tr", "th", "td") for side in ("open", "close")
    }
    assert [token.type for token in tokens].count("table_open") == 1
    n_columns = [token.type for token in tokens].count("th_open")
    assert [token.type for token in tokens].count("tr_open") == len(named) + 1
    assert [token.type for token in tokens].count("td_open") == n_columns * len(named)


@pytest.mark.parametrize("name", TEXTS)
def test_markdown_shows_the_text_itself(name: str) -> None:
    """Escaping must not eat what was written: the reader gives the signs back."""
    expected = inert_text(TEXTS[name], 60)
    parsed = (
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .parse(f"| x{escape_markdown(TEXTS[name], 60)}x |\n| --- |\n")
    )
    children = [child for token in parsed for child in token.children or ()]
    assert "".join(child.content for child in children if child.type in {"text", "text_special"}) == f"x{expected}x"


def test_csv_has_its_shape_and_no_formula(content: TableContent, named: dict[str, Report]) -> None:
    text = to_csv(content)
    assert unfit(text) == []
    rows = list(csv.reader(io.StringIO(text), strict=True))
    assert len(rows) == len(named) + 1
    assert {len(row) for row in rows} == {len(rows[0])}
    for cell in (cell for row in rows for cell in row):
        number = re.fullmatch(r"[-+]?[0-9.]+", cell)
        assert number or not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r"))


@pytest.mark.parametrize("name", TEXTS)
def test_a_cell_of_csv_is_one_cell(name: str) -> None:
    cell = csv_cell(TEXTS[name])
    for dialect in (csv.excel, csv.unix_dialect):
        assert [len(row) for row in csv.reader(io.StringIO(f"{cell},x\n"), dialect)] in ([2],)


def commands_of(text: str) -> set[str]:
    return set(re.findall(r"\\([A-Za-z]+|.)", text))


def test_latex_is_ascii_with_balanced_braces_and_known_commands(content: TableContent) -> None:
    text = to_latex(content)
    assert text.isascii()
    assert unfit(text) == []
    assert commands_of(text).isdisjoint(
        {"input", "include", "write", "immediate", "def", "catcode", "openout", "read", "csname", "let", "end document"}
    )
    assert text.count(r"\end{tabular}") == 1
    assert r"\end{document}" not in text


@pytest.fixture(scope="module")
def bibtex(named: dict[str, Report]) -> str:
    entries: list[str] = []
    made_entries = []
    for report in named.values():
        entry = bibtex_of(report.submission, taken=entries)
        entries.append(entry.key)
        made_entries.append(entry)
    return bibliography(made_entries)


def test_bibtex_is_ascii_and_has_one_entry_a_method(bibtex: str, named: dict[str, Report]) -> None:
    assert bibtex.isascii()
    assert unfit(bibtex) == []
    assert len(re.findall(r"(?m)^@", bibtex)) == len(named)
    assert not re.search(r"(?im)^@(preamble|string|comment)", bibtex)
    depth = 0
    for sign in bibtex:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_with_hostile_names_compiles(content: TableContent, bibtex: str, tmp_path: Path) -> None:
    (tmp_path / "own.bib").write_text(bibtex, encoding="ascii")
    lines = [r"\documentclass{article}", PREAMBLE, r"\begin{document}", to_latex(content)]
    if shutil.which("bibtex"):
        lines += [r"\nocite{*}", r"\bibliographystyle{plain}", r"\bibliography{own}"]
    (tmp_path / "own.tex").write_text("\n".join([*lines, r"\end{document}"]), encoding="ascii")
    latex = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "own.tex"]
    steps = [latex, *([["bibtex", "own"], latex] if shutil.which("bibtex") else [])]
    for step in steps:
        done = subprocess.run(
            step, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout[-2_000:]
    assert (tmp_path / "own.pdf").stat().st_size > 1_000
    assert not list(tmp_path.glob("*ZQX*"))


# Pictures


DRAWN = (
    *("script element", "comment", "end of a comment", "end of CDATA", "half an entity", "LaTeX mathematics"),
    *("mathematics that is none", "ANSI clears the screen", "NUL", "right-to-left override", "half a surrogate pair"),
    *("many combining characters", "10 000 characters", "nothing", "emoji", "line separators of JavaScript"),
)
"""What a picture could stumble over; the others go the same way."""


@pytest.mark.parametrize("name", TEXTS)
def test_names_in_pictures_are_one_short_line(name: str) -> None:
    for shown in (plain_text(TEXTS[name]), legend_text(TEXTS[name])):
        assert unfit(shown, allowed="") == []
        assert len(shown) < 2 * LONGEST_NAME
    assert legend_text(TEXTS[name]).replace(r"\$", "").find("$") == -1


@pytest.mark.parametrize("start", range(0, len(DRAWN), 4))
@pytest.mark.filterwarnings("ignore:Glyph")
def test_pictures_hold_text_only(start: int, made: tuple[Report, ReportStatistics], tmp_path: Path) -> None:
    texts = [TEXTS[name] for name in DRAWN[start : start + 4]]
    reports = {text: hostile_report(made[0], text) for text in texts}
    bars = ClipBarsDisplay.from_reports(reports, metric="rbdc")
    intervals = IntervalDisplay.from_values(dict.fromkeys(texts, 0.5), metric="RBDC")
    for place in (
        write_displays([bars, intervals], tmp_path / "bars.svg"),
        curve_figure(reports, tmp_path / "curves.svg", kinds=["roc"]),
    ):
        text = place.read_text(encoding="utf-8")
        assert unfit(text) == []
        # Made here a moment ago.
        root = ElementTree.fromstring(text)  # noqa: S314
        elements = [element for element in root.iter() if isinstance(element.tag, str)]
        assert {element.tag.rpartition("}")[2] for element in elements}.isdisjoint(
            {"script", "foreignObject", "a", "image"}
        )
        assert not any(name.startswith("on") for element in elements for name in element.attrib)


# Submissions


SCORED = (
    *("script element", "ANSI clears the screen", "right-to-left override", "rich markup", "Markdown line of a table"),
    *("line separators of JavaScript", "many combining characters", "500 wide characters", "zero width"),
)
"""As names of submissions: what the format refuses must not be printed, what it allows must stay a name."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "synthetic"
    return synthesize(root, seed=3, test_clips=1, training_clips=1, frames=10, height=48, width=64)


def submission(folder: Path, data: Path, text: str) -> Path:
    """A submission whose metadata nobody has checked: the writer would refuse some of them."""
    write_submission(folder, data, threshold=None)
    toml = (folder / "submission.toml").read_text(encoding="utf-8")
    assert 'name = "Sketch"' in toml
    escaped = "".join(f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else sign for sign in text)
    (folder / "submission.toml").write_text(toml.replace('"Sketch"', f'"{escaped}"'), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", SCORED)
def test_scores_and_overlays_show_a_name_or_refuse_it(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    place = submission(tmp_path / "m", data, TEXTS[name])
    expected = 0 if name in ALLOWED else 1
    picture = tmp_path / "own.png"
    for words in (
        ["validate", place],
        ["score", place, "--root", data],
        ["overlay", place, "--clip", "01", "--frames", "3", "--root", data, "--out", picture],
    ):
        assert main([str(word) for word in words]) == expected, words[0]
        out, err = capsys.readouterr()
        assert unfit(out + err) == [], words[0]
    assert picture.exists() is (expected == 0)
