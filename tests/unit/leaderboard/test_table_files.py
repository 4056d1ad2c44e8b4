"""Tables of the board for papers: what they leave out, and that they fit a page."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from leaderboard.board import Board, Citation, Estimate, Ranking
from leaderboard.site.table_texts import ranking_bibtex
from leaderboard.table_files import archive_content, ranking_bibliography, ranking_for_papers, table_files
from vadbench.comparison import Interval, Unit
from vadbench.tables import DECLARED, to_latex

ROOT = Path(__file__).parents[3]

PAGE = r"""
\documentclass[10pt,twocolumn]{article}
\usepackage{booktabs}
\setlength{\textwidth}{17cm}\setlength{\columnsep}{0.8cm}
\renewcommand{\cite}[1]{[00]}
\begin{document}
%s
\end{document}
"""


@pytest.fixture(scope="module")
def board() -> Board:
    from leaderboard.build import make_board
    from leaderboard.cache import BoardCache

    return make_board(ROOT, cache=BoardCache(None), workers=1)


@pytest.fixture
def ranking(board: Board) -> Ranking:
    return next(ranking for ranking in board.rankings if ranking.id == "ucsd-ped2-standard")


def test_papers_get_versions_only_of_methods_of_one_name(ranking: Ranking) -> None:
    content = ranking_for_papers(ranking)
    assert [row[0].text for row in content.rows] == [ranked.row.name for ranked in ranking.rows]
    first = ranking.rows[0]
    other = replace(first, row=replace(first.row, version="2.0"))
    names = [row[0].text for row in ranking_for_papers(replace(ranking, rows=(*ranking.rows, other))).rows]
    assert names[0] == f"{first.row.name} {first.row.version}"
    assert names[-1] == f"{first.row.name} 2.0"


def test_papers_get_the_declared_threshold_where_half_of_the_rows_have_it(ranking: Ranking) -> None:
    having = [ranked for ranked in ranking.rows if ranked.row.report.value(DECLARED) is not None]
    assert 0 < 2 * len(having) < len(ranking.rows)
    content = ranking_for_papers(ranking)
    assert DECLARED not in [column.key for column in content.columns]
    assert any(f"{len(having)} of {len(ranking.rows)} rows" in note for note in content.notes)
    kept = ranking_for_papers(replace(ranking, rows=tuple(having)))
    assert DECLARED in [column.key for column in kept.columns]
    assert kept.notes == ()


def test_latex_cites_what_the_bibtex_beside_it_has(ranking: Ranking) -> None:
    cited = re.findall(r"\\cite\{([^}]+)\}", to_latex(ranking_for_papers(ranking), both_columns=True))
    entries = re.findall(r"^@\w+\{([^,]+),", ranking_bibtex(ranking), re.MULTILINE)
    assert len(cited) == len(ranking.rows)
    assert sorted(set(cited)) == sorted(entries)
    # Two rows that give one key share an entry, and no made key is one that a later row gives.
    first, second = ranking.rows[:2]
    made = ranking_bibliography(ranking)[second.row.method].key
    citation = Citation(made, f"@misc{{{made},\n  title = {{Another}}\n}}\n")
    given = tuple(replace(own, row=replace(own.row, citation=citation)) for own in (first, ranking.rows[-1]))
    keys = [own.key for own in ranking_bibliography(replace(ranking, rows=(given[0], second, given[1]))).values()]
    assert sorted(keys) != sorted(set(keys))
    assert len(set(keys)) == 2


def test_tables_show_the_wider_interval() -> None:
    def of(low: float, high: float, unit: Unit) -> Interval:
        return Interval(low, high, 0.95, unit, 1000, 0)

    clips, scenes = of(0.4, 0.6, Unit.CLIPS), of(0.3, 0.65, Unit.SCENES)
    assert Estimate(clips, scenes).wider == scenes
    assert Estimate(of(0.1, 0.6, Unit.CLIPS), scenes).wider == of(0.1, 0.6, Unit.CLIPS)
    assert Estimate(clips).wider == clips
    assert Estimate().wider is None


def test_the_archive_has_a_table_of_old_scores(board: Board, ranking: Ranking) -> None:
    row = ranking.rows[0].row
    files = table_files(replace(board, archive=(row,)))
    assert "archive.md" not in table_files(board)
    text = files["archive.md"].decode()
    assert f"{100 * (row.report.value('pixel_ap') or 0):.2f}" in text
    assert "Old scores" in text
    assert row.key in files["archive.csv"].decode()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_tables_fit_the_page_of_a_paper(board: Board, tmp_path: Path) -> None:
    files = {name: text for name, text in table_files(board).items() if name.endswith(".tex")}
    for name, text in files.items():
        (tmp_path / name).write_bytes(text)
    (tmp_path / "paper.tex").write_text(PAGE % "\n".join(rf"\input{{{name}}}" for name in files))
    command = ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", "paper"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=120)
    log = (tmp_path / "paper.log").read_text("latin-1")
    assert "Overfull" not in log


def test_the_archive_calls_each_old_score_what_its_protocol_calls_it(ranking: Ranking) -> None:
    row = ranking.rows[0].row
    old = [
        replace(row, report=row.report.model_copy(update={"signature": f"vadbench/0|data=x:1|tracks=y|protocol={own}"}))
        for own in ("standard", "tao-release", "<b>+none=such")
    ]
    content = archive_content(old)
    titles = [column.title for column in content.columns]
    assert "Pixel-AUPRO" in titles
    assert "PR-AUC" in titles
    for block, (title, other) in zip(
        content.blocks, [("Pixel-AUPRO", "PR-AUC"), ("Pixel-AUPRO", "PR-AUC"), ("PR-AUC", "Pixel-AUPRO")], strict=True
    ):
        [cells] = block.rows
        assert cells[titles.index(title)].value == row.report.value("pixel_aupro")
        assert cells[titles.index(other)].text == ""
