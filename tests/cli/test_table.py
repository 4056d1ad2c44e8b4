"""``vadbench table`` as a person sees it."""

from __future__ import annotations

import csv
import io
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from made_reports import HOSTILE_NAMES, METHOD, made_report
from rich.cells import cell_len

from vadbench.cli import main

Out = pytest.CaptureFixture[str]
VALUES = {"pixel_auroc": 0.91, "pixel_ap": 0.5, "rbdc": 0.25, "tbdc": None}


@pytest.fixture(autouse=True)
def _reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made_report(VALUES).write("out/a.report.json")
    made_report(VALUES | {"rbdc": 0.75}, method=METHOD | {"name": "Other"}).write("out/b.report.json")
    made_report(VALUES, protocol="tao-release").write("release.json")


def run(capsys: Out, *arguments: str) -> tuple[int, str, str]:
    code = main(["table", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_reports_of_a_folder_become_one_block(capsys: Out) -> None:
    code, out, err = run(capsys, "out")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("Sketch", "Other"))] == ["Sketch", "Other"]
    assert "75.00*" in out
    assert "vadbench/1|data=ucsd-ped2:57a42e14|tracks=mask-overlap|protocol=standard|v=0.1.0" in lines
    assert lines[-1] == "* best, + second"


def test_protocols_become_blocks_that_are_not_ranked_against_each_other(capsys: Out) -> None:
    _, out, _ = run(capsys, "out/a.report.json", "release.json", "--format", "latex")
    assert r"\textit{UCSD Ped2, standard}" in out
    assert r"\textit{UCSD Ped2, tao-release}" in out
    assert "textbf" not in out
    assert out.count("protocol=") == 2
    assert out.count(r"Sketch~\cite{sketch2026}") == 2


def test_columns_order_digits_and_marks(capsys: Out) -> None:
    _, out, _ = run(capsys, "out", "--metrics", "rbdc, pixel_ap", "--sort", "rbdc", "--digits", "1", "--format", "csv")
    table = rows(out)
    assert table[0][:3] == ["Method", "RBDC", "Pixel-AP"]
    assert [row[:3] for row in table[1:]] == [["Other", "75.0", "50.0"], ["Sketch", "25.0", "50.0"]]
    assert "**" not in run(capsys, "out", "--format", "markdown", "--mark", "none")[1]


def test_rows_can_be_named_and_equal_names_are_told_apart(capsys: Out) -> None:
    _, out, _ = run(capsys, "Ours=out/a.report.json", "Ours, again=out/a.report.json", "--format", "csv")
    assert [row[0] for row in rows(out)[1:]] == ["Ours", "Ours, again"]
    made_report(VALUES, method=METHOD | {"version": "2"}).write("out/c.report.json")
    made_report(VALUES).write("out/d.report.json")
    _, out, _ = run(capsys, "out", "--format", "csv")
    assert [row[0] for row in rows(out)[1:]] == ["Sketch (a)", "Other", "Sketch (2)", "Sketch (d)"]


def test_a_report_given_twice_is_one_row(capsys: Out) -> None:
    _, out, _ = run(capsys, "out", "out/a.report.json", "--format", "csv")
    assert len(rows(out)) == 3


TOML = """\
format = "vadbench.submission/1"
dataset = "ucsd-ped2"
predictions = ["score_maps"]
[method]
name = "Sketch"
authors = []
year = 2026
code = "https://example.org/sketch"
bibtex = '''{bibtex}'''
[training]
supervision = "one-class"
data = []
pretrained = []
threshold_chosen_on = "none"
"""


def test_an_entry_is_cited_as_its_metadata_says(capsys: Out) -> None:
    entry = made_report(VALUES).write("submissions/sketch/ucsd-ped2/report.json").parent
    (entry / "submission.toml").write_text(TOML.format(bibtex="@article{ours:25, title={Of our own}}"))
    for given in ("submissions/sketch/ucsd-ped2", "submissions/sketch", "submissions"):
        code, out, err = run(capsys, given, "--format", "latex", "--bibtex", "works.bib", "--overwrite")
        assert (code, err) == (0, "")
        assert r"Sketch~\cite{ours:25}" in out
        assert Path("works.bib").read_text() == "@article{ours:25,\n  title = {Of our own},\n}\n"
    (entry / "submission.toml").write_text(TOML.format(bibtex="@article{x, title={\\\\input{y}}}"))
    code, out, err = run(capsys, "submissions", "--format", "latex")
    assert code == 0
    assert r"\cite{sketch2026}" in out
    assert err.startswith("Sketch: its BibTeX entry is not taken (the command")
    (entry / "submission.toml").write_text("format = 1")
    assert run(capsys, "submissions")[0] == 1


def test_clips_and_other_arrangements(capsys: Out) -> None:
    made_report(VALUES, clips={"01": {"rbdc": 0.5}}, dataset="avenue").write("avenue.json")
    _, out, _ = run(capsys, "avenue.json", "--per-clip", "--format", "csv", "--metrics", "rbdc")
    assert [row[:2] for row in rows(out)] == [["Clip", "RBDC"], ["01", "50.00"], ["all clips", "25.00"]]
    _, out, _ = run(capsys, "out", "avenue.json", "--side-by-side", "--format", "csv", "--metrics", "rbdc")
    assert rows(out) == [
        ["Method", "UCSD Ped2: RBDC", "CUHK Avenue: RBDC"],
        ["Sketch", "25.00", "25.00"],
        ["Other", "75.00", ""],
    ]
    _, out, _ = run(capsys, "out", "--transpose", "--format", "markdown", "--metrics", "rbdc")
    assert "| RBDC ↑ | *25.00* | **75.00** |" in out


def test_files_are_written_whole_and_replaced_only_when_asked(capsys: Out) -> None:
    call = ["out", "--out", "paper/table.tex", "--bibtex", "paper/works.bib", "--caption", "Ours & theirs"]
    assert run(capsys, *call) == (0, "", "")
    text = Path("paper/table.tex").read_text()
    assert r"\caption{Ours \& theirs}" in text
    assert "@misc{sketch2026," in Path("paper/works.bib").read_text()
    Path("paper/table.tex").write_text("my own work")
    code, _, err = run(capsys, *call)
    assert code == 2
    assert err.startswith("error[U274]")
    assert Path("paper/table.tex").read_text() == "my own work"
    assert run(capsys, *call, "--overwrite")[0] == 0
    assert Path("paper/table.tex").read_text() == text
    assert sorted(path.name for path in Path("paper").iterdir()) == ["table.tex", "works.bib"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nothing.json"], "U141"),
        (["empty"], "U275"),
        (["Name=out"], "U275"),
        (["out", "--metrics", "rbcd"], "U273"),
        (["out", "--sort", "all"], "U273"),
        (["out", "--digits", "9"], "U278"),
        (["out", "--label", "a b", "--format", "latex"], "U272"),
        (["out", "release.json", "--transpose"], "U276"),
        (["out", "--per-clip", "--sort", "rbdc"], "U277"),
        (["out", "--out", "x", "--bibtex", "x"], "U277"),
        (["out", "--out", "out/a.report.json", "--overwrite"], "U274"),
        (["out", "--out", "empty", "--overwrite"], "U274"),
        (["out", "--out", "out/a.report.json/x"], "U102"),
        (["out", "--format", "html"], "U100"),
    ],
)
def test_errors_are_one_block_and_write_nothing(capsys: Out, arguments: list[str], code: str) -> None:
    Path("empty").mkdir()
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    exit_code, out, err = run(capsys, *arguments)
    assert exit_code == (1 if code == "U102" else 2)
    assert out == ""
    assert err.startswith(f"error[{code}]")
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == before


def test_a_file_that_is_no_report(capsys: Out) -> None:
    Path("wrong.json").write_text("{}")
    assert run(capsys, "wrong.json")[0] == 1


def test_everything_fits_sixty_columns(capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(HOSTILE_NAMES.values()):
        shown = "".join(c for c in name if c.isprintable())[:400] or "x"
        made_report(VALUES, method=METHOD | {"name": shown}).write(f"hostile/{number}.report.json")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    code, out, _ = run(capsys, "hostile", "--caption", "A caption that is long enough to be broken into several lines")
    assert code == 0
    assert max(map(cell_len, out.splitlines())) <= 60


@pytest.mark.parametrize("call", [["data", "list"], ["protocols"], ["data", "list", "shanghaitech"]])
def test_lists_can_be_read_in_sixty_columns(call: list[str], capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    assert main(call) == 0
    out = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    lines = out.split("\nlayout\n")[0].splitlines()
    # An address and a fingerprint cannot be broken.
    assert [line for line in lines if len(line) > 60 and "http" not in line and "fingerprint" not in line] == []
    assert "…" not in "".join(lines)


def test_the_example_works_when_pasted(tmp_path: Path, capsys: Out) -> None:
    with pytest.raises(SystemExit):
        main(["table", "--help"])
    example = capsys.readouterr().out.split("Example:\n")[1].replace("\\\n", " ")
    commands = re.findall(r"^ +vadbench (.*)$", example, re.MULTILINE)
    others = re.sub(r"^ +vadbench .*$", "", example, flags=re.MULTILINE)
    subprocess.run(["bash", "-ec", others], cwd=tmp_path, check=True)
    # In one process: each of its own takes seconds to begin.
    for command in commands:
        assert main(shlex.split(command)) == 0
    assert [command.split()[0] for command in commands] == ["data", "convert", "score", "score", "table"]
    assert r"Brightness as the score~\cite{brightness-as-the-score2026}" in capsys.readouterr().out
    assert "@misc{brightness-as-the-score2026," in Path("methods.bib").read_text()
