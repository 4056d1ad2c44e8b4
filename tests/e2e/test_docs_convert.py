"""Every block of docs/convert.md, in order: commands run, and print what the page shows."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest

from vadbench.cli import main
from vadbench.submission import Submission

pytest.importorskip("h5py", reason="the page uses h5py (the extra hdf5)")

PAGE = (Path(__file__).parents[2] / "docs" / "convert.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def test_the_page_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    metadata = Path("method.toml")
    printed = None
    for kind, block in BLOCKS:
        if kind == "python":
            Path("block.py").write_text(block, encoding="utf-8")
            runpy.run_path("block.py")
        elif kind == "toml":
            # The threshold of the second block needs the line that the text above it names.
            before = metadata.read_text(encoding="utf-8") if metadata.exists() else ""
            line = 'threshold_chosen_on = "training"\n' if before else ""
            metadata.write_text(before + line + block, encoding="utf-8")
        elif kind == "sh":
            program, *arguments = shlex.split(block.replace("\\\n", " "))
            assert program == "vadbench"
            code = main(arguments)
            captured = capsys.readouterr()
            assert code == bool(captured.err)
            printed = captured.err or captured.out
        else:
            assert kind == "text"
            assert printed is not None
            assert [own.rstrip() for own in printed.splitlines()] == block.splitlines()
    written = [path.parent.name for path in sorted(Path().glob("*/submission.toml"))]
    assert written == ["from-flat", "from-hdf5", "from-png", "maxima", "my-method", "padded", "quantized", "resized"]
    for name in written:
        assert Submission.open(name).clip_ids == ("01", "02")
    assert Submission.open("from-flat").fingerprint == Submission.open("from-png").fingerprint
    assert Submission.open("from-hdf5").fingerprint == Submission.open("my-method").fingerprint
