"""The command as a person meets it."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import baselines.main
from baselines.main import main
from vadbench import Report, Submission

ROOT = Path(baselines.main.__file__).parents[1]


@pytest.fixture
def command(small_root, tmp_path):
    place = ["--root", str(small_root), "--out", str(tmp_path / "an out")]
    return ["tao-ablation", "--dataset", "synthetic", *place, "--taus", "0.8,1.0"]


def test_tables_files_and_a_second_call(command, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    out = tmp_path / "an out"
    assert main([*command, "--tau", "0.9"]) == 0
    captured = capsys.readouterr()
    assert [line for line in captured.err.splitlines() if "no box is left" not in line] == [
        "fig6 is left out: the segmenter is classical, which has no sizes"
    ]
    printed = captured.out
    for words in ("Table 4", "Fig. 5", "synthetic · standard", "synthetic · tao-release", "0.9 (chosen)", "F1@0.5"):
        assert words in printed
    report = Report.read(out / "reports" / "tracking.tao-release.report.json")
    row = next(line for line in printed.split("tao-release")[1].splitlines() if line.startswith("tracking "))
    assert f"{100 * report.value('pixel_auroc'):.2f}" in row
    names = {path.name for path in out.iterdir()}
    expected = {"table4.md", "fig5.md", "table4.png", "fig5.png"}
    assert names == expected | {f"timeline-0{clip}.png" for clip in (1, 2, 3)} | {"variants", "reports"}
    assert all(str(out / name) in printed for name in expected)
    assert Submission.open(out / "variants" / "tau-0.8").provenance()["preset"] == "default"
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.report.json")}
    pages = {name: (out / name).read_bytes() for name in expected}
    assert main([*command, "--tau", "0.9"]) == 0
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.report.json")} == before
    assert {name: (out / name).read_bytes() for name in expected} == pages
    assert capsys.readouterr().out == printed


def test_one_part_alone(command, tmp_path, capsys):
    assert main([*command, "--parts", "fig5"]) == 0
    assert all("no box is left" in line for line in capsys.readouterr().err.splitlines())
    assert {path.name for path in (tmp_path / "an out").iterdir()} == {"variants", "reports", "fig5.md", "fig5.png"}


def test_without_matplotlib_all_but_pictures(command, tmp_path, capsys, monkeypatch):
    real = __import__("importlib.util").util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == "matplotlib" else real(name, *rest)
    )
    assert main([*command, "--parts", "fig5"]) == 0
    assert "vadbench[plots]" in capsys.readouterr().err
    assert (tmp_path / "an out" / "fig5.md").exists()
    assert not list((tmp_path / "an out").glob("*.png"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--parts", "table5"], "table4, fig5, fig6"),
        (["--taus", "much"], "error[B261]"),
        (["--no-filtering"], "error[B260]"),
        (["--parts", "fig6"], "error[B262]"),
        (["--segmenter-size", "tiny"], "error[B249]"),
        (["--preset", "fastest"], "error[B247]"),
    ],
)
def test_wrong_calls(more, words, command, tmp_path, capsys):
    assert main([*command, *more]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("error[") == 1
    assert words in captured.err
    assert not (tmp_path / "an out").exists()


def test_it_is_named_where_commands_are_and_its_example_parses(capsys):
    from baselines.tao.ablation_command import ablation_parser

    assert main(["--help"]) == 0
    assert "\n  tao-ablation " in capsys.readouterr().out
    assert main(["tao-ablation", "--help"]) == 0
    example = capsys.readouterr().out.split("\nexample:\n")[1].splitlines()[-1]
    assert ablation_parser().parse_args(shlex.split(example)[4:]).taus == "1.0:1.2:0.1"


def test_importing_the_command_loads_nothing_heavy():
    heavy = ("cv2", "sklearn", "skimage", "torch", "zarr", "rich", "PIL", "matplotlib")
    code = f"import sys, baselines.tao.ablation_command; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
