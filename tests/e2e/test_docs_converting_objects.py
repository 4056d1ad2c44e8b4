"""The blocks of docs/converting-objects.md work in order when they are pasted."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from vadbench.cli import main
from vadbench.submission import Submission

PAGE = (Path(__file__).parents[2] / "docs" / "converting-objects.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def paste(block: str) -> None:
    """Run a block; calls of this program in this process, which saves the start of an interpreter for each."""
    shell: list[str] = []
    for line in block.splitlines():
        if line.startswith("vadbench "):
            run(shell)
            shell = []
            assert main(shlex.split(line)[1:]) == 0, line
        else:
            shell.append(line.replace("python ", f"{shlex.quote(sys.executable)} ", 1))
    run(shell)


def run(shell: list[str]) -> None:
    if shell:
        subprocess.run(["bash", "-e", "-c", "\n".join(shell)], check=True)


def test_every_block_works_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for block in BLOCKS:
        paste(block)
    rows = {"from-aed": 3, "from-csv": 3, "from-coco": 2, "from-png": 40}
    for name, n_rows in rows.items():
        submission = Submission.open(name)
        (kind,) = submission.predictions
        frames = [submission.layout(clip).arrays[kind]["frame"].read() for clip in submission.clip_ids]
        assert sum(map(len, frames)) == n_rows, name
    assert Path("again/01.txt").read_text() == Path("boxes/01.txt").read_text()
    # The page shows the message about frames that are counted from 1.
    Path("boxes/01.txt").write_text("20,1,2,3,4,1\n1,1,2,3,4,1\n")
    known = ["--dataset", "synthetic", "--root", "demo/data", "--metadata", "method.toml", "--out", "out"]
    assert main(["convert", "boxes", "--from", "aed", "--corners", "inclusive", *known]) == 1
    assert capsys.readouterr().err.strip() in PAGE
