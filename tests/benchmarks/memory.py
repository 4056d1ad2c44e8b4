"""Peak memory of one scoring in a process of its own, above its input: ``memory.py SUBJECT WORKLOAD DTYPE FRAMES``.

The input is loaded and the subject is warmed on a few frames first, so imports, compiled code and input do not count.
Prints a line of JSON.
"""

from __future__ import annotations

import ctypes
import gc
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from peers import PEERS, NotRunnableError
from subject import four_metrics, prepared_truth
from workloads import pixel_workload

OURS = ("first", "cached")


def _kilobytes(field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) if found else 0


def peak_above(call: Callable[[], object]) -> int:
    """Largest resident size during a call, less what was resident before, in bytes; Linux only."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    before = _kilobytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # starts the high-water mark anew
    call()
    return max(0, _kilobytes("VmHWM") - before) * 1024


def main(subject: str, workload: str, dtype: str, frames: int) -> dict[str, object]:
    """Measure one subject; gives bytes, seconds of the one call, and its values."""
    data = pixel_workload(workload, dtype, frames or None)
    scores, call = data.scores, four_metrics
    held: object = data.masks
    if subject not in OURS:
        peer = PEERS[subject]
        peer.require()
        scores, call = peer.input_of(data.scores), peer
    few = slice(int(np.argmax(data.masks.any(axis=(1, 2)))), None)
    call(data.masks[few][:4].copy(), scores[few][:4].copy())
    if subject == "cached":
        held = prepared_truth(data.masks)
        call(held, scores)
    result: dict[str, object] = {}

    def measured() -> None:
        began = time.perf_counter()
        result["values"] = call(held, scores)
        result["seconds"] = time.perf_counter() - began

    result["memory_bytes"] = peak_above(measured)
    return {**result, "pixels": data.pixels}


if __name__ == "__main__":
    try:
        print(json.dumps(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))))  # noqa: T201
    except (NotRunnableError, OSError, MemoryError) as reason:
        print(json.dumps({"unavailable": str(reason)}))  # noqa: T201
