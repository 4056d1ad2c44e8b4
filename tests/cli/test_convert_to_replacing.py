"""``vadbench convert --to`` replaces what it wrote before, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from vadbench.cli import main
from vadbench.conversion import exporting
from vadbench.datasets.registry import open_dataset
from vadbench.submission import Submission

METADATA = """\
[method]
name = "Sketch"
authors = []
year = 2026
code = "https://example.org/sketch"

[training]
supervision = "one-class"
data = []
pretrained = []
"""


@pytest.fixture
def boxes(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A submission of boxes, in the folder that the commands run in."""
    monkeypatch.chdir(tmp_path)
    Path("method.toml").write_text(METADATA)
    Path("boxes.csv").write_text("clip,frame,x1,y1,x2,y2,score\n01,0,1,2,10,12,0.5\n02,15,3,4,20,21,0.25\n")
    known = ["--dataset", "synthetic", "--root", str(data), "--metadata", "method.toml", "--out", "sub"]
    assert main(["convert", "boxes.csv", "--from", "aed", *known]) == 0
    return tmp_path


def export(data: Path, out: str, *, to: str = "aed", source: str = "sub", overwrite: bool = True) -> int:
    call = ["convert", source, "--to", to, "--root", str(data), "--out", out]
    return main([*call, "--overwrite"] if overwrite else call)


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("to", ["aed", "coco"])
def test_what_was_written_is_replaced_when_this_is_said(boxes: Path, data: Path, to: str) -> None:
    assert export(data, "again", to=to, overwrite=False) == 0
    before = content(boxes)
    assert export(data, "again", to=to, overwrite=False) == 2
    assert export(data, "again", to=to) == 0
    assert content(boxes) == before
    assert [path.name for path in boxes.iterdir() if path.name.startswith(".")] == []


FOREIGN = {
    "a text": {"thesis": "Chapter one"},
    "JSON of another program": {"thesis": '{\n"info": {"description": "my annotations"}}'},
    "notes": {"thesis/diary.txt": "Monday"},
    "notes beside boxes": {"thesis/01.txt": "", "thesis/02.txt": "", "thesis/diary.txt": "Monday"},
    "fewer clips": {"thesis/01.txt": ""},
    "other endings": {"thesis/01.csv": "", "thesis/02.csv": ""},
    "hidden": {"thesis/01.txt": "", "thesis/02.txt": "", "thesis/.git": ""},
    "folders": {"thesis/01.txt/kept": "", "thesis/02.txt/kept": ""},
}


@pytest.mark.parametrize("to", ["aed", "coco"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_nothing_else_is_replaced(
    boxes: Path, data: Path, capsys: pytest.CaptureFixture[str], kind: str, to: str
) -> None:
    for name, text in FOREIGN[kind].items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    before = content(boxes)
    assert export(data, "thesis", to=to) == 2
    assert "error[U215]" in capsys.readouterr().err
    assert content(boxes) == before


@pytest.mark.parametrize("out", ["sub", "sub/boxes", "sub/clips/boxes", "../{name}", ".", "sub/.."])
def test_nothing_is_written_into_what_is_read(
    boxes: Path, data: Path, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    before = content(boxes)
    for overwrite in (False, True):
        assert export(data, out.format(name=boxes.name), overwrite=overwrite) == 2
        assert "error[U215]" in capsys.readouterr().err
    assert content(boxes) == before


def test_the_packed_submission_that_is_read_stays(boxes: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pack", "sub", "--out", "z.zip"]) == 0
    Path("link.zip").symlink_to("z.zip")
    before = content(boxes)
    for out in ("z.zip", "link.zip", "./sub/../z.zip"):
        assert export(data, out, to="coco", source="z.zip") == 2
        assert "error[U215]" in capsys.readouterr().err
    assert content(boxes) == before


def test_the_folder_that_the_command_runs_in_stays(
    boxes: Path, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("empty").mkdir()
    monkeypatch.chdir("empty")
    assert export(data, ".", source="../sub") == 2
    assert "error[U215]" in capsys.readouterr().err


def test_files_that_happen_to_have_a_temporary_name_stay(boxes: Path, data: Path) -> None:
    for name in (".again.unfinished", ".again.replaced"):
        Path(name).write_text("mine")
    for _ in range(2):
        assert export(data, "again") == 0
    assert Path(".again.unfinished").read_text() == Path(".again.replaced").read_text() == "mine"


def test_a_name_that_steers_the_terminal_is_shown_escaped(
    boxes: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(data, "\x1b[31mred") == 0
    assert "\x1b" not in capsys.readouterr().out


def test_what_was_there_comes_back_when_the_new_one_is_not_made(boxes: Path, data: Path) -> None:
    assert export(data, "again") == 0
    before = content(boxes)
    with pytest.raises(FileNotFoundError):
        exporting.export(
            Submission.open("sub"),
            open_dataset("synthetic", data).clips,
            Path("again"),
            lambda *_: 0,  # a writer that leaves nothing
            overwrite=True,
        )
    assert content(boxes) == before
    assert [path.name for path in boxes.iterdir() if path.name.startswith(".")] == []
