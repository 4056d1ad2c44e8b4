"""Rows of papers: the reader takes what is printed and nothing else, and the tables come out cell for cell."""

from __future__ import annotations

import csv
import io
import re
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from baselines.tao.ablation.published import published_table4
from leaderboard.board import PublishedTable
from leaderboard.errors import LeaderboardError
from leaderboard.published_rows import published_content, published_figures, read_published, row_label
from vadbench.tables import Direction, to_csv, to_latex, to_markdown, to_text

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "leaderboard" / "published"
PAPER = (ROOT / ".." / "shared" / "paper" / "tables.toml").resolve()
TABLE_1, TABLE_4 = "tao-cvpr-2025-table-1", "tao-cvpr-2025-table-4"

LITERAL = {
    "tao-cvpr-2025-table-1": [
        ("AdaCLIP (zero-shot)", "51.02 1.32 33.98 2.61 5.8 10.6"),
        ("AdaCLIP (fully fine-tuned)", "53.06 4.97 50.66 11.19 12.3 15.5"),
        ("AnomalyCLIP (zero-shot)", "51.63 21.20 36.34 5.92 7.5 11.2"),
        ("AnomalyCLIP (fully fine-tuned)", "54.25 23.73 38.59 7.48 13.1 21.0"),
        ("DDAD (fully trained)", "55.87 5.61 15.12 2.67 18.01 13.29"),
        ("SimpleNet (fully trained)", "52.49 20.51 44.05 10.71 51.18 27.75"),
        ("DRAEM (fully trained)", "69.58 30.63 35.78 10.89 44.26 70.64"),
        ("TAO (partially fine-tuned)", "75.11 50.78 72.97 64.12 83.6 93.2"),
    ],
    "tao-cvpr-2025-table-2": [
        ("OCAD", "52.7 72.8"),
        ("SS-VAD", "62.5 80.5"),
        ("SiVL", "74 89.3"),
        ("AED-SSMTL", "72.8 91.2"),
        ("TAO", "83.6 93.2"),
    ],
    "tao-cvpr-2025-table-3": [
        ("OCAD", "20.7 44.5"),
        ("BAF-AT", "41.3 78.8"),
        ("AED-SSMTL", "43.2 84.1"),
        ("HF2VAD", "45.4 84.5"),
        ("STPT", "51.6 84.6"),
        ("TAO", "62.1 85.4"),
    ],
}


@pytest.fixture(scope="module")
def tables() -> dict[str, PublishedTable]:
    return {table.id: table for table in read_published(PUBLISHED)[0]}


def test_every_row_of_the_paper_stands_there_as_printed(tables: dict[str, PublishedTable]) -> None:
    assert list(tables) == [f"tao-cvpr-2025-table-{number}" for number in range(1, 5)]
    for name, rows in LITERAL.items():
        assert [(row_label(row), " ".join(row.cells.values())) for row in tables[name].rows] == rows


def test_table_4_equals_the_copy_beside_the_ablation(tables: dict[str, PublishedTable]) -> None:
    names = {("no", "no"): "none", ("no", "yes"): "filtering", ("yes", "no"): "tracking"}
    names["yes", "yes"] = "tracking+filtering"
    table = tables[TABLE_4]
    own = {
        names[row.variant["Video Track Mode"], row.variant["Box Robust Filtering Algorithm"]]: row.cells
        for row in table.rows
    }
    assert own == published_table4(table.dataset)
    assert tables[TABLE_1].rows[-1].cells == own["tracking+filtering"]


@pytest.mark.skipif(not PAPER.is_file(), reason="the paper's tables are not here")
def test_the_tables_equal_those_copied_from_the_paper(tables: dict[str, PublishedTable]) -> None:
    paper = tomllib.loads(PAPER.read_text("utf-8"))
    for number in range(1, 5):
        theirs, own = paper[f"table-{number}"], tables[f"tao-cvpr-2025-table-{number}"]
        assert own.dataset == theirs["dataset"]
        assert list(own.columns) == theirs["columns"]
        assert [row.method for row in own.rows] == [row["method"] for row in theirs["rows"]]
        assert [row.setting for row in own.rows] == [row.get("setting") for row in theirs["rows"]]
        assert [list(row.cells.values()) for row in own.rows] == [row["cells"] for row in theirs["rows"]]


def test_every_row_is_cited_and_says_what_is_known_of_its_protocol(tables: dict[str, PublishedTable]) -> None:
    _, citations = read_published(PUBLISHED)
    used = {row.cite for table in tables.values() for row in table.rows}
    assert used == set(citations)
    for table in tables.values():
        assert table.source.key == "huang2025tao"
        for row in table.rows:
            assert row.consistent == ()
            assert ("tao-release" in row.protocol or "evaluation code" in row.protocol) == (row.method == "TAO")
            assert row.protocol.startswith("not known") == (row.method != "TAO")


@pytest.mark.parametrize("name", [*LITERAL, TABLE_4])
def test_writers_print_the_papers_cells_in_its_order(name: str, tables: dict[str, PublishedTable]) -> None:
    table = tables[name]
    content = published_content(table)
    cells = [[row.cells[key] for key in table.columns] for row in table.rows]
    assert [[cell.text for cell in row[-len(table.columns) :]] for row in content.rows] == cells
    assert [column.title for column in content.columns[-len(table.columns) :]] == list(table.columns.values())
    assert all(column.direction is Direction.HIGHER for column in content.columns[-len(table.columns) :])

    written = {"markdown": to_markdown(content), "latex": to_latex(content), "text": to_text(content)}
    for form, text in written.items():
        found = [re.findall(r"(?<![\d.])\d+(?:\.\d+)?(?![\d.])", line) for line in text.splitlines()]
        lines = [numbers[-len(table.columns) :] for numbers in found if len(numbers) >= len(table.columns)]
        assert [line for line in lines if line in cells] == cells, (form, text)
    rows = list(csv.reader(io.StringIO(to_csv(content))))
    assert rows[0] == [column.title for column in content.columns]
    assert [row[-len(table.columns) :] for row in rows[1 : len(cells) + 1]] == cells


def test_latex_cites_each_row_and_marks_the_best(tables: dict[str, PublishedTable]) -> None:
    text = to_latex(published_content(tables["tao-cvpr-2025-table-2"]))
    assert r"\cite{ionescu2019ocad}" in text
    assert re.search(r"\\textbf\{83\.6\}", text)
    assert re.search(r"\\underline\{74\}", text)


def test_csv_has_status_and_protocol_of_each_row_and_other_forms_say_them(tables: dict[str, PublishedTable]) -> None:
    for table in tables.values():
        rows = list(csv.DictReader(io.StringIO(to_csv(published_figures(table)))))
        assert [(row["Status"], row["Protocol"]) for row in rows] == [("reported", row.protocol) for row in table.rows]
        for key, title in table.columns.items():
            assert [row[title] for row in rows] == [row.cells[key] for row in table.rows]
        content = published_content(table)
        for text in (to_text(content, width=10_000), to_markdown(content), to_latex(content)):
            for row in table.rows:
                assert row.protocol in text


def test_rows_of_one_method_and_several_protocols_are_told_apart(tables: dict[str, PublishedTable]) -> None:
    table = tables[TABLE_4]
    rows = (replace(table.rows[0], protocol="another one"), *table.rows[1:])
    text = to_markdown(published_content(replace(table, rows=rows)))
    assert f"Protocol of {row_label(rows[0])}: another one." in text


# --- what the reader refuses


def test_hidden_names_of_variants_are_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(PUBLISHED, tmp_path / "published"))
    path = folder / f"{TABLE_4}.toml"
    text = path.read_text("utf-8")
    assert '"Video Track Mode"' in text
    path.write_text(text.replace('"Video Track Mode"', '"Video\\u202eTrack Mode"'), "utf-8")
    with pytest.raises(LeaderboardError) as caught:
        read_published(folder)
    assert caught.value.code == "L141"
    assert "\u202e" not in caught.value.block()


def change(old: str, new: str) -> Callable[[str], str]:
    def changed(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return changed


WRONG = {
    "unknown key of the table": ("L141", change("status =", "state ="), "state"),
    "unknown key of a row": ("L141", change("setting =", "seting ="), "setting"),
    "missing key": ("L141", change('dataset = "ucsd-ped2"\n', ""), "dataset"),
    "unknown data set": ("L141", change('"ucsd-ped2"', '"ucsd-ped3"'), "ucsd-ped2"),
    "other status": ("L141", change('"reported"', '"verified"'), "verified"),
    "other id": ("L141", change('id = "tao-cvpr-2025-table-1"', 'id = "table-1"'), "table-1"),
    "unknown column": ("L141", change('pixel_ap = "Pixel-AP"', 'pixel_app = "Pixel-AP"'), "pixel_ap"),
    "unknown setting": ("L141", change('"zero-shot"', '"zero-shots"'), "zero-shot"),
    "number without quotes": ("L142", change('pixel_ap = "21.20"', "pixel_ap = 21.20"), "21.2"),
    "no number": ("L142", change('"21.20"', '"21,20"'), "21,20"),
    "more than 100": ("L142", change('"93.2"', '"193.2"'), "193.2"),
    "cell of no column": ("L141", change('rbdc = "5.8"', 'rbbc = "5.8"'), "rbdc"),
    "unknown citation": ("L143", change('cite = "liu2023simplenet"', 'cite = "liu2023simplnet"'), "liu2023simplenet"),
    "row twice": ("L145", change('"fully fine-tuned"', '"zero-shot"'), "row 1"),
    "no TOML": ("L140", change("[columns]", "[columns"), "TOML"),
    "full-width digits": ("L142", change('"21.20"', '"\uff12\uff11.20"'), "\uff12\uff11"),
    "hidden character as an escape": ("L141", change('"DRAEM"', '"DRA\\u202eEM"'), "show"),
    "control character as an escape": ("L141", change('"not known: no code', '"not known: \\u001b[31mno code'), "show"),
    "hidden character of a caption": ("L141", change('caption = "', 'caption = "\\u200f'), "show"),
    "hidden character": ("L140", change("DRAEM", "DRA\u202eEM"), "show"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_table_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    code, changed, told = WRONG[name]
    folder = Path(shutil.copytree(PUBLISHED, tmp_path / "published"))
    path = folder / f"{TABLE_1}.toml"
    path.write_text(changed(path.read_text("utf-8")), "utf-8")
    with pytest.raises(LeaderboardError) as caught:
        read_published(folder)
    assert caught.value.code == code
    assert str(path) in caught.value.where[0]
    assert told in caught.value.block()


REFERENCES = {
    "entry twice": lambda text: text + text[text.index("@") :],
    "no year": change("  year = {2025},\n", ""),
    "field twice": change("  year = {2025},\n", "  year = {2025},\n  year = {2024},\n"),
    "open brace": lambda text: text.rstrip()[:-1],
    "text between": change("@inproceedings{cao", "stray @inproceedings{cao"),
    "no key": change("@article{naji2022stpt,", "@article{"),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_wrong_references_are_refused(name: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(PUBLISHED, tmp_path / "published"))
    path = folder / "references.bib"
    path.write_text(REFERENCES[name](path.read_text("utf-8")), "utf-8")
    with pytest.raises(LeaderboardError) as caught:
        read_published(folder)
    assert caught.value.code == "L144"


def test_a_folder_without_references_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LeaderboardError) as caught:
        read_published(tmp_path)
    assert caught.value.code == "L144"


def test_bibtex_entries_are_whole() -> None:
    _, citations = read_published(PUBLISHED)
    for key, citation in citations.items():
        assert citation.bibtex.startswith("@")
        assert key in citation.bibtex.splitlines()[0]
        assert citation.bibtex.count("{") == citation.bibtex.count("}")
