"""What the three programs share: streams, signals, wrong calls, exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import baselines.main
import leaderboard.main
import vadbench.cli

ROOT = Path(__file__).parents[2]
PROGRAMS = {
    "vadbench": (vadbench.cli.main, ["data"], "vadbench.cli.data.run"),
    "baselines": (baselines.main.main, ["list"], "baselines.command.run"),
    "leaderboard": (leaderboard.main.main, ["audit"], "leaderboard.audit.command.run"),
}
WORDS = {
    "vadbench": ("vadbench.cli", ["data", "list"], ["U100", "U101", "U102", "U103"]),
    "baselines": ("baselines", ["list"], ["B100", "B103", "B106", "B107"]),
    "leaderboard": ("leaderboard", ["build"], ["L103", "L102", "L101", "L100"]),
}


def ends(name: str, command: Callable[[list[str]], int], monkeypatch: pytest.MonkeyPatch) -> int:
    main, words, place = PROGRAMS[name]
    monkeypatch.setattr(place, command)
    return main(words)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(("number", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_terminated_program_cleans_up(
    name: str, number: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ending = signal.Signals[number]
    if signal.getsignal(ending) is not signal.SIG_DFL:
        pytest.skip("the signal is ignored here")
    cleaned = []

    def command(_arguments: list[str]) -> int:
        try:
            signal.raise_signal(ending)
        finally:
            cleaned.append(name)
        return 0

    assert ends(name, command, monkeypatch) == code
    assert cleaned == [name]
    assert capsys.readouterr().err.startswith("interrupted")
    assert signal.getsignal(ending) is signal.SIG_DFL


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(("error", "place"), [(OSError(28, "No space left", "a/file"), 2), (MemoryError("2 TiB"), 3)])
def test_what_the_system_does_not_give_is_one_block(
    name: str, error: Exception, place: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(_arguments: list[str]) -> int:
        raise error

    assert ends(name, command, monkeypatch) == 1
    assert capsys.readouterr().err.startswith(f"error[{WORDS[name][2][place]}]")


@pytest.mark.parametrize("name", PROGRAMS)
def test_wrong_calls_name_what_was_meant(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    main, (_, words, codes) = PROGRAMS[name][0], WORDS[name]
    assert main([*words, "--hepl"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error[{codes[0]}]")
    assert 'did you mean "--help"?' in err
    assert main([f"{words[0]}x"]) == 2
    err += capsys.readouterr().err
    assert f"error[{codes[1]}]" in err
    assert f'did you mean "{words[0]}"?' in err
    assert max(map(len, err.splitlines())) <= 60


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_without_a_reader_is_no_error(name: str) -> None:
    module, words, _ = WORDS[name]
    for arguments in (["--help"], [*words, "--help"]):
        read, write = os.pipe()
        os.close(read)
        call = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(call, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
        os.close(write)
        assert (done.returncode, done.stderr) == (0, "")
    closed = f"{sys.executable} -m {module} {' '.join(words)} --help >&-"
    done = subprocess.run(["bash", "-c", closed], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
