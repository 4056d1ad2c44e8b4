"""Exit codes, error blocks and what a person reads."""

import errno
import os
import shlex
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import baselines.simple.submission
from baselines.main import main
from baselines.simple import BASELINES
from vadbench import Submission

ROOT = Path(baselines.simple.submission.__file__).parents[2]
SEEDED = [name for name, kind in BASELINES.items() if "seed" in {field.name for field in fields(kind)}]
UNSEEDED = [name for name in BASELINES if name not in SEEDED]


def process(*arguments, output=subprocess.PIPE, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "baselines", *arguments],
        cwd=ROOT,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def test_list_names_all(capsys):
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()] == [*BASELINES, "tao"]


@pytest.mark.parametrize("name", SEEDED)
def test_writes_and_says_how_to_score(name, tiny_root, tmp_path, capsys):
    out = tmp_path / "an out"
    command = [name, "--dataset", "synthetic", "--root", str(tiny_root), "--out", str(out), "--seed", "5"]
    assert main(command) == 0
    captured = capsys.readouterr()
    said = captured.out.splitlines()[-1].removeprefix("score it")
    assert shlex.split(said) == ["vadbench", "score", str(out), "--root", str(tiny_root)]
    assert captured.err == ""
    assert "seed 5" in Submission.open(out).metadata.method.description
    assert main(command) == 2
    assert "error[B101]" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "python -m baselines --help"),
        (["--sed"], 2, "error[B103]"),
        (["backgrond"], 2, 'did you mean "background"'),
        (["list", "--long"], 2, "--long"),
        (["demo"], 2, "--out"),
        (["demo", "--out", "x", "--frames", "many"], 2, '"many"'),
        (["constant"], 2, "--dataset, --out"),
        (["constant", "--dataset", "synthetic", "--out", "x", "--overwrit"], 2, "--overwrit"),
        (["random", "--dataset", "synthetic", "--out", "x", "--seed", "x"], 2, "--seed"),
        (["random", "--dataset", "synthetic", "--out", "x", "--seed", "-1"], 2, "--seed"),
        (["random", "--dataset", "synthetic", "--out", "x", "--seed", "9" * 5000], 2, "--seed"),
        (["constant", "--dataset", "synthetik", "--root", ".", "--out", "x"], 2, 'did you mean "synthetic"'),
        (["constant", "--dataset", "synthetic", "--root", "nowhere", "--out", "x"], 2, "nowhere"),
        (["constant", "--dataset", "synthetic", "--root", ".", "--out", "x"], 1, "error[D200]"),
    ],
)
def test_errors_are_one_block(arguments, code, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error[")
    assert captured.err.count("error[") == 1
    assert "usage:" not in captured.err
    assert words in captured.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", UNSEEDED)
def test_a_seed_that_would_do_nothing_is_refused(name, capsys):
    assert main([name, "--dataset", "synthetic", "--out", "x", "--seed", "1"]) == 2
    assert "error[B104]" in capsys.readouterr().err


def test_a_refusal_of_the_system_is_one_block(tiny_root, tmp_path, monkeypatch, capsys):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "some/file")

    monkeypatch.setattr("baselines.command.write_submission", full)
    assert main(["constant", "--dataset", "synthetic", "--root", str(tiny_root), "--out", str(tmp_path / "x")]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error[B106]")
    assert "some/file" in printed
    assert "No space left" in printed


def test_interrupted(tiny_root, tmp_path, monkeypatch, capsys):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("baselines.command.write_submission", interrupt)
    assert main(["constant", "--dataset", "synthetic", "--root", str(tiny_root), "--out", str(tmp_path / "x")]) == 130
    assert "interrupted" in capsys.readouterr().err


INTERRUPTS_ITSELF = """
import runpy, signal, sys

# A shell that starts the tests in the background hands on an ignored SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)

class Interruption:
    def find_spec(self, name, *rest):
        if name == WHEN:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interruption())
sys.argv = ["baselines", "demo", "--out", "never"]
runpy.run_module("baselines", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("module", ["vadbench.errors", "argparse", "numpy", "scipy.ndimage", "baselines.demo"])
def test_interrupted_while_a_module_is_imported(module):
    code = INTERRUPTS_ITSELF.replace("WHEN", repr(module))
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    # Python itself ends by the signal if code compiled at run time, such as a dataclass, was interrupted.
    assert done.returncode in {130, -signal.SIGINT}
    assert done.stderr == "interrupted; nothing was left half written\n"


def test_importing_the_entry_loads_nothing_heavy():
    heavy = ("numpy", "scipy", "vadbench", "argparse")
    code = f"import sys, baselines.main; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [["list"], ["--help"], ["demo", "--help"]])
def test_a_reader_that_goes_away_is_no_error(arguments):
    read, write = os.pipe()
    os.close(read)
    try:
        running = process(*arguments, output=write)
        _, printed = running.communicate(timeout=60)
    finally:
        os.close(write)
    assert (running.returncode, printed) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_under_standard_output_is_one_block():
    with Path("/dev/full").open("w") as full:
        running = process("list", output=full)
        _, printed = running.communicate(timeout=60)
    assert running.returncode == 1
    assert printed.startswith("error[B106]")
    assert printed.count("\n") == 3


def test_letters_that_standard_output_lacks(tiny_root, tmp_path):
    out = tmp_path / "größe"
    data = ("--dataset", "synthetic", "--root", str(tiny_root))
    running = process("constant", *data, "--out", str(out), PYTHONIOENCODING="ascii:strict")
    printed, wrong = running.communicate(timeout=60)
    assert (running.returncode, wrong) == (0, "")
    assert "gr??e" in printed
    Submission.open(out)


@pytest.mark.parametrize("arguments", [[], ["list"], ["demo"], *([name] for name in BASELINES)])
def test_help_has_an_example(arguments, capsys):
    assert main([*arguments, "--help"]) == 0
    assert "\nexample:\n  " in capsys.readouterr().out


@pytest.mark.parametrize("name", BASELINES)
def test_the_example_of_a_baseline_works_when_pasted(name, tiny_root, tmp_path, capsys, monkeypatch):
    import vadbench.cli

    main([name, "--help"])
    make, write, score = capsys.readouterr().out.split("\nexample:\n")[1].splitlines()
    assert make.split() == ["vadbench", "data", "synthesize", "out/synthetic"]
    monkeypatch.chdir(tmp_path)
    # The tiny set stands in for what the first line makes.
    Path("out").mkdir()
    Path("out/synthetic").symlink_to(tiny_root)
    assert main(shlex.split(write)[3:]) == 0
    assert shlex.split(capsys.readouterr().out.splitlines()[-1])[2:] == shlex.split(score)
    assert vadbench.cli.main(shlex.split(score)[1:]) == 0
