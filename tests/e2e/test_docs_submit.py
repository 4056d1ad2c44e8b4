"""Every Python block of docs/submit.md runs as it stands and leaves a valid submission."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vadbench.datasets.base import Clip, MemoryDataset
from vadbench.submission import Submission
from vadbench.truth import Truth

PAGE = Path(__file__).parents[2] / "docs" / "submit.md"
ALL = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
PACKING = [block for block in ALL if "zipfile" in block]
BLOCKS = [block for block in ALL if block not in PACKING]
WITHOUT_VADBENCH = [block for block in BLOCKS if "vadbench" not in block.replace("vadbench.submission/1", "")]


def run(block: str, folder: Path) -> Submission:
    (folder / "script.py").write_text(block, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "script.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Submission.open(folder / "my-method")


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_block_writes_a_submission_that_can_be_read(number, tmp_path):
    submission = run(BLOCKS[number], tmp_path)
    for clip_id in submission.clip_ids:
        frames = submission.layout(clip_id).map_shape or (20, 48, 64)
        prediction = submission.clip(Clip(clip_id, *frames))
        assert prediction.kinds == submission.predictions
        if prediction.maps is not None:
            assert sum(len(block) for _, block in prediction.maps.blocks()) == frames[0]


def test_the_script_without_vadbench_fits_a_data_set(tmp_path):
    (block,) = WITHOUT_VADBENCH
    submission = run(block, tmp_path)
    sizes = {"01": 20, "02": 30}
    truths = {clip_id: Truth.from_arrays(np.zeros((n, 48, 64), dtype=bool)) for clip_id, n in sizes.items()}
    submission.check_against(MemoryDataset(truths, id="folder"))
    first = np.concatenate([block for _, block in submission.clip("01").maps.blocks()])
    assert first.dtype == np.uint16
    assert not first.any()
    assert submission.metadata.method.name == "My Method"


def test_the_packing_script_makes_a_zip_with_the_same_fingerprint(tmp_path):
    (packing,) = PACKING
    folder = run(BLOCKS[0], tmp_path)
    run(packing, tmp_path)
    assert Submission.open(tmp_path / "my-method.zip").fingerprint == folder.fingerprint


def test_the_script_without_vadbench_stays_short():
    (block,) = WITHOUT_VADBENCH
    script = block[: block.index("Path(")]
    assert len([line for line in script.splitlines() if line.strip() and "import" not in line]) <= 11


def test_messages_point_at_a_heading_that_exists():
    assert '<a id="windows"></a>' in PAGE.read_text(encoding="utf-8")
