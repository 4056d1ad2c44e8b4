"""The page on sending a submission, run from top to bottom: every command prints what the page shows."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from vadbench.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "sending.md"
BLOCKS = re.findall(r"^```(console|python)\n(.*?)^```$", PAGE.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def shown(text: str) -> str:
    """Pattern of an output as the page shows it; the sign … stands for whatever the run makes of it."""
    return r"\n".join(
        r"(.|\n)*" if line == "…" else re.escape(line).replace("…", ".*") + " *"
        for line in text.rstrip("\n").split("\n")
    )


def test_every_command_prints_what_the_page_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert sum(kind == "console" for kind, _ in BLOCKS) == 7
    for kind, text in BLOCKS:
        if kind == "python":
            subprocess.run([sys.executable, "-W", "error", "-c", text], check=True)
            continue
        command, _, expected = text.partition("\n")
        assert command.startswith("$ vadbench ")
        assert main(shlex.split(command)[2:]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        assert re.fullmatch(shown(expected), out.rstrip("\n")), f"{command}\n{out}"
    assert main(["pack", "out/again"]) == 0
    assert Path("out/again.zip").read_bytes() == Path("out/difference.zip").read_bytes()


def test_the_comparison_can_fail() -> None:
    assert re.fullmatch(shown("size  … bytes\nb"), "size  12 bytes\nb")
    assert not re.fullmatch(shown("size  … bytes\nb"), "size  12 bytes\nc")
