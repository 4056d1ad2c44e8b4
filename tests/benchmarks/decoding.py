"""What decoding alone costs: the chunks of a submission's score maps, decompressed one by one, and nothing else.

    python tests/benchmarks/decoding.py SUBMISSION [--workers 2]

It reads the bytes of each chunk and calls Blosc into one buffer that is used again: the least that any reader must do.
"""

from __future__ import annotations

import argparse
import json
import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np


def decode_clip(folder: Path) -> int:
    """Decompress all chunks of the score maps of a clip, one chunk held at a time; gives the number of pixels."""
    from numcodecs import blosc

    blosc.set_nthreads(1)
    array = json.loads((folder / "score_maps" / "zarr.json").read_text(encoding="utf-8"))
    frames, height, width = array["shape"]
    chunk = array["chunk_grid"]["configuration"]["chunk_shape"]
    buffer = np.empty(math.prod(chunk), dtype=array["data_type"])
    for number in range(-(-frames // chunk[0])):
        blosc.decompress((folder / "score_maps" / "c" / str(number) / "0" / "0").read_bytes(), buffer)
    return int(frames * height * width)


def decode_submission(submission: Path, workers: int = 1) -> int:
    """Decompress the score maps of all clips; gives the number of pixels."""
    clips = sorted(path for path in (submission / "predictions.zarr").iterdir() if path.is_dir())
    if workers == 1:
        return sum(map(decode_clip, clips))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(decode_clip, clips))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Decompress the score maps of a submission, and do nothing with them.")
    parser.add_argument("submission", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    print(decode_submission(options.submission, options.workers))  # noqa: T201
