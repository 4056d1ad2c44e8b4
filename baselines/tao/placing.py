"""The finished submission: put in its place whole, and known again when it lies there unchanged.

Beside the key of the submission (`StageFolder`) lies ``placed.json`` with the fingerprint of the submission that was
made of it. The key alone says what is being made, not what lies at the place: while a new submission is being made, or
after it was given up, the one before it still does.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from baselines.tao.box_table import write_whole
from baselines.tao.stages import StageFolder
from vadbench import Submission, VadbenchError

_UNFINISHED, _PLACED = "unfinished", "placed.json"


def unfinished(folder: StageFolder) -> Path:
    """Submission that is being written, in the folder of its key."""
    return folder.path / _UNFINISHED


def put_in_place(folder: StageFolder, out: Path) -> None:
    """Move the submission that was being written, which is whole now, to its place; one that is there is replaced."""
    made = unfinished(folder)
    # Before the move: if the run ends between them, `unfinished` is still there, and tells that the move is not done.
    content = {"fingerprint": Submission.open(made).fingerprint}
    write_whole(folder.path / _PLACED, json.dumps(content).encode() + b"\n")
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as aside:
        if out.exists():
            # Moved aside, not deleted in place: if the second rename fails, the old one is still whole.
            out.rename(Path(aside) / "old")
        made.rename(out)


def is_in_place(folder: StageFolder, out: Path, preset: str) -> bool:
    """Whether the submission that lies at its place is the one of the folder's key, and names that preset."""
    if folder.differences() != [] or unfinished(folder).exists():
        return False
    try:
        placed = json.loads((folder.path / _PLACED).read_text(encoding="utf-8"))
        submission = Submission.open(out)
        provenance = submission.provenance()
        is_named = isinstance(provenance, Mapping) and provenance.get("preset") == preset
        return isinstance(placed, dict) and is_named and placed.get("fingerprint") == submission.fingerprint
    except (OSError, ValueError, VadbenchError):
        # Made before, given up, damaged, or replaced by something else: it is made again.
        return False
