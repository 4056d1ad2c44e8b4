"""The commands and the Python of docs/tables.md give the outputs that stand below them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from vadbench.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/tables.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def _entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("submissions").symlink_to(ROOT / "submissions")


@pytest.mark.parametrize("block", re.findall(r"```console\n(.*?\n)```", PAGE, re.DOTALL), ids=range(4))
def test_commands(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    for call in re.split(r"^(?=\$ )", block, flags=re.MULTILINE)[1:]:
        command, _, output = call.partition("\n")
        program, *arguments = shlex.split(command.removeprefix("$ "))
        if program == "cat":
            assert Path(arguments[0]).read_text() == output
        else:
            assert main(arguments) == 0
            assert capsys.readouterr().out == output


def test_python(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pandas")
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?\n)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    for code, output in blocks:
        exec(code, names)  # noqa: S102 (the page's own code)
        assert capsys.readouterr().out.strip("\n") == output.strip("\n")
