"""The notebook page runs as it stands, and says what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "notebook.md"


def test_the_blocks_run_in_order(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)
    assert len(blocks) >= 4
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Pixel-AUROC 0.87" in done.stdout
    assert "tracks=mask-overlap|protocol=standard+pixel.fpr_limit=0.05+object.ties=sequential|" in done.stdout
    assert (tmp_path / "curves.png").stat().st_size > 10_000
    assert (tmp_path / "overlay.png").stat().st_size > 10_000
    assert "- object.ties: A lets detections with equal scores enter together" in done.stdout
