"""The largest submissions that the format allows in what is read at once: small files that become much memory.

``python tests/hostile/largest.py NAME …`` checks them in this process, and prints seconds and memory of each as JSON.
"""

# ruff: noqa: T201 (a command: it prints)

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":
    _HERE = Path(__file__).parent
    sys.path[:0] = [str(_HERE), str(_HERE.parent / "unit/submission")]

from hostile_arrays import CHUNKS, NODES
from hostile_trees import ROOT, Files, array_files, group_files, write_zip
from made_submissions import TOML

from vadbench.evaluation.memory import peak_memory_bytes
from vadbench.submission.arrays import LARGEST_AT_ONCE
from vadbench.validation.submission_check import validate

_CLIP = f"{ROOT}/01"
_TALL, _WIDE = 4, 6


def _with_rows(kind: str, rows: dict[str, np.ndarray[Any, Any]]) -> Files:
    """A clip of one frame with these arrays, each a chunk of zstd."""
    files = group_files(ROOT) | group_files(_CLIP) | group_files(f"{_CLIP}/{kind}")
    files |= array_files(f"{_CLIP}/score_maps", np.zeros((1, _TALL, _WIDE), np.uint8), (1, _TALL, _WIDE))
    for name, values in rows.items():
        files |= array_files(f"{_CLIP}/{kind}/{name}", values, values.shape, codec="zstd")
    return files | {"submission.toml": TOML.format(kinds=f'"score_maps", "{kind}"').encode()}


def masks(*, broken: bool = False) -> Files:
    """As many masks as fit, of two runs each; broken: with a mistake in every row."""
    number = LARGEST_AT_ONCE // 8 - 1
    runs = np.tile(np.array([0, 0] if broken else [1, _TALL * _WIDE - 1], np.uint32), number)
    return _with_rows(
        "instances",
        {
            "frame": np.zeros(number, np.int32),
            "object": np.full(number, -1 if broken else 0, np.int32),
            "score": np.full(number, np.nan) if broken else np.arange(number) * 1.0,
            "offsets": np.arange(number + 1, dtype=np.int64) * 2,
            "counts": runs,
        },
    )


def boxes(*, broken: bool = False) -> Files:
    """As many boxes as fit; broken: each inside out."""
    number = LARGEST_AT_ONCE // 32
    return _with_rows(
        "detections",
        {
            "frame": np.zeros(number, np.int32),
            "object": np.zeros(number, np.int32),
            "score": np.zeros(number),
            "box": np.tile(np.array([1.0, 1, 0, 0] if broken else [0, 0, 1, 1.0]), (number, 1)),
        },
    )


def frame_scores() -> Files:
    """As many frame scores as fit, all different."""
    number = LARGEST_AT_ONCE // 8
    files = group_files(ROOT) | group_files(_CLIP) | {"submission.toml": TOML.format(kinds='"frame_scores"').encode()}
    return files | array_files(f"{_CLIP}/frame_scores", np.arange(number) * 0.1, (number,), codec="zstd")


def everything() -> Files:
    """All kinds but maps of many frames in one clip."""
    files = masks() | boxes()
    return files | {"submission.toml": TOML.format(kinds='"score_maps", "instances", "detections"').encode()}


def maps(dtype: str, codec: str) -> Files:
    """Score maps in a chunk of 64 MiB."""
    shape = (64 * 2**20 // 2**20 // np.dtype(dtype).itemsize, 1024, 1024)
    files = group_files(ROOT) | group_files(_CLIP) | {"submission.toml": TOML.format(kinds='"score_maps"').encode()}
    return files | array_files(f"{_CLIP}/score_maps", np.zeros(shape, dtype), shape, codec=codec)


LARGEST: dict[str, Callable[[], Files]] = {
    "boxes": boxes,
    "broken boxes": lambda: boxes(broken=True),
    "masks": masks,
    "broken masks": lambda: masks(broken=True),
    "frame scores": frame_scores,
    "masks and boxes": everything,
    "maps of 64 MiB": lambda: maps("float64", "zstd"),
    "plain maps of 64 MiB": lambda: maps("uint8", "none"),
    "Blosc of 64 MiB": lambda: maps("uint8", "lz4"),
}
BOMBS = (
    *("chunk: gzip, bomb of 1 GiB", "chunk: zstd, bomb of 32 GiB without a size", "zarr.json: 2¹²⁰ chunks"),
    *("arrays: one that is too large to be read at once", "arrays: 280 GB in chunks that are larger than their array"),
)


def measured(name: str, folder: Path) -> dict[str, float]:
    """Seconds of processor time of a check, and the largest resident memory of this process so far in bytes."""
    case = {case.name: case for case in (*NODES, *CHUNKS)}.get(name)
    path = write_zip(LARGEST[name](), folder / "m.zip") if case is None else case.build(folder)
    # Not of the clock: other work on the machine is none of its business.
    start = time.process_time()
    validate(path)
    return {"seconds": time.process_time() - start, "bytes": peak_memory_bytes()}


if __name__ == "__main__":
    for wanted in sys.argv[1:] or [*LARGEST, *BOMBS]:
        with tempfile.TemporaryDirectory() as place:
            print(json.dumps({"name": wanted} | measured(wanted, Path(place))), flush=True)
