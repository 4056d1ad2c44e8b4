"""Exit codes, error blocks and what a person reads."""

import pytest

from baselines.command import main
from baselines.simple import BASELINES
from vadbench import Submission


def test_list_names_all(capsys):
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()] == list(BASELINES)


def test_writes_and_says_how_to_score(tiny_root, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["random", "--dataset", "synthetic", "--root", str(tiny_root), "--out", str(out), "--seed", "5"]
    assert main(command) == 0
    captured = capsys.readouterr()
    assert f"vadbench score {out} --root {tiny_root}" in captured.out
    assert captured.err == ""
    assert "seed 5" in Submission.open(out).metadata.method.description
    assert main(command) == 2
    assert "error[B101]" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["backgrond"], 2, 'did you mean "background"'),
        (["constant", "--dataset", "synthetik", "--root", ".", "--out", "x"], 2, 'did you mean "synthetic"'),
        (["constant", "--dataset", "synthetic", "--root", "nowhere", "--out", "x"], 2, "nowhere"),
        (["constant", "--dataset", "synthetic", "--root", ".", "--out", "x"], 1, "error[D200]"),
        (["background", "--dataset", "synthetic", "--root", ".", "--out", "x", "--seed", "1"], 2, "no seed"),
    ],
)
def test_errors_are_one_block(arguments, code, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error[")
    assert words in captured.err
    assert not list(tmp_path.iterdir())


def test_interrupted(tiny_root, tmp_path, monkeypatch, capsys):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("baselines.simple.write_submission", interrupt)
    assert main(["constant", "--dataset", "synthetic", "--root", str(tiny_root), "--out", str(tmp_path / "x")]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["list", "--help"], ["demo", "--help"], ["background", "--help"]])
def test_help_has_an_example(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0
    assert "example" in capsys.readouterr().out


def test_no_arguments_is_a_wrong_call(capsys):
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    assert "NAME" in capsys.readouterr().err
