"""How fast SAM2 segments, and how much memory it takes: prints Markdown tables, and on which device.

    .venv-sam2/bin/python tests/benchmarks/sam2_speed.py                          all sizes; a GPU where there is one
    .venv-sam2/bin/python tests/benchmarks/sam2_speed.py --sizes tiny --frames 3  little, to see that it runs

Weights are random: speed does not depend on them, and no mask is looked at. Every measurement is a process of its own.
The time counts frames after the first `--warm` ones: those pay for compilation, for the prompts, and for memories that
are not full yet.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import BoxTable
from baselines.tao.segmentation import sam2_tracking
from baselines.tao.segmentation.sam2_predictor import build_predictor
from baselines.tao.segmentation.sam2_segmenters import Sam2VideoSegmenter
from baselines.tao.segmentation.sam2_settings import Sam2Settings, Sam2Size
from vadbench import Clip

FRAME_SIZES = {"ucsd-ped2": (240, 360), "shanghaitech": (480, 856)}
STAGES = {
    "image encoder": "image_encoder",
    "memory attention": "memory_attention",
    "mask decoder": "sam_mask_decoder",
    "memory encoder": "memory_encoder",
}
REST = "rest"


class Variant(StrEnum):
    """What is changed; `BFLOAT16` is what the segmenter does unless told otherwise."""

    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"
    COMPILED = "compiled"
    OFFLOADED = "offloaded"


@dataclass(frozen=True)
class Case:
    """One measurement; `warm` frames before those that count."""

    size: str
    dataset: str
    variant: str
    device: str
    frames: int
    warm: int
    objects: int


@dataclass(frozen=True)
class Measured:
    """Frames a second, largest memory of process and GPU in bytes, and the share of the time of each stage."""

    frames_per_second: float
    process_bytes: int
    gpu_bytes: int
    shares: dict[str, float]


def clip_of(case: Case) -> Clip:
    """Clip of noise with bright boxes that move to the right, made as it is read."""
    height, width = FRAME_SIZES[case.dataset]

    def read() -> Iterator[NDArray[np.uint8]]:
        rng = np.random.default_rng(0)
        for frame in range(case.frames):
            image = rng.integers(0, 90, (height, width, 3), dtype=np.uint8)
            for x1, y1, x2, y2 in (boxes(case) + np.array([frame, 0, frame, 0])).astype(int):
                image[y1:y2, x1:x2] += 120
            yield image

    return Clip("speed", case.frames, height, width, frame_reader=read)


def boxes(case: Case) -> NDArray[np.float64]:
    """Prompt of each object in frame 0, (objects, 4), side by side."""
    height, width = FRAME_SIZES[case.dataset]
    left = (np.arange(case.objects) + 0.25) * width / case.objects
    upright = np.ones(case.objects)
    return np.stack([left, upright * height * 0.4, left + width / case.objects / 2, upright * height * 0.8], axis=1)


def measure(case: Case) -> Measured:
    """Segment the clip twice: once for speed and memory, once with a clock around each stage, which costs time."""
    import torch

    on_gpu = case.device == "cuda"
    settings = Sam2Settings(size=Sam2Size(case.size), device=case.device, compile=case.variant == Variant.COMPILED)
    predictor = build_predictor(settings, random_seed=0)
    segmenter = Sam2VideoSegmenter(predictor, offload_state=case.variant == Variant.OFFLOADED)
    prompts = BoxTable(np.zeros(case.objects, np.int64), boxes(case), labels=np.arange(case.objects))
    if case.variant == Variant.FLOAT32:
        sam2_tracking.autocast = lambda _: contextlib.nullcontext()

    def synchronised() -> float:
        if on_gpu:
            torch.cuda.synchronize()
        return time.perf_counter()

    def seconds() -> float:
        """Of the frames after the warm ones."""
        ends: list[float] = []
        for _ in segmenter.segment(clip_of(case), prompts, lambda _: ends.append(synchronised())):
            pass
        # The last call repeats that the clip is done.
        return ends[-2] - ends[case.warm - 1]

    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    whole = seconds()
    process_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    gpu_bytes = torch.cuda.max_memory_allocated() if on_gpu else 0
    clocks = {name: StageClock(getattr(predictor, module), synchronised) for name, module in STAGES.items()}
    frames_done = 0

    def next_frame(_: int) -> None:
        nonlocal frames_done
        frames_done += 1
        if frames_done == case.warm:
            for clock in clocks.values():
                clock.seconds = 0.0
            clocked.append(synchronised())

    clocked: list[float] = []
    for _ in segmenter.segment(clip_of(case), prompts, next_frame):
        pass
    total = synchronised() - clocked[0]
    shares = {name: clock.seconds / total for name, clock in clocks.items()}
    return Measured(
        (case.frames - case.warm) / whole, process_bytes, gpu_bytes, shares | {REST: 1 - sum(shares.values())}
    )


class StageClock:
    """Adds up the time that a module of PyTorch spends in its calls."""

    def __init__(self, module: Any, now: Any) -> None:
        self.seconds = 0.0
        self._began = 0.0
        self._now = now
        module.register_forward_pre_hook(lambda *_: self._begin())
        module.register_forward_hook(lambda *_: self._end())

    def _begin(self) -> None:
        self._began = self._now()

    def _end(self) -> None:
        self.seconds += self._now() - self._began


def table(results: Sequence[tuple[Case, Measured | str]]) -> str:
    """Markdown table of measurements, and of the reasons of those that failed."""
    heads = ["model", "frames of", "variant", "frames/s", "GPU memory", "process", *STAGES, REST]
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for case, measured in results:
        cells = [case.size, "{} ({} x {})".format(case.dataset, *FRAME_SIZES[case.dataset]), case.variant]
        if isinstance(measured, str):
            cells += [measured, *[""] * (len(heads) - 4)]
        else:
            gpu = f"{measured.gpu_bytes / 2**30:.2f} GiB" if measured.gpu_bytes else "-"
            cells += [f"{measured.frames_per_second:.3g}", gpu, f"{measured.process_bytes / 2**30:.2f} GiB"]
            cells += [f"{measured.shares[name]:.0%}" for name in (*STAGES, REST)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def device_in_words(device: str) -> str:
    """Name of the GPU or processor, with the versions that the numbers depend on."""
    import torch

    if device == "cuda":
        name = f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
    else:
        models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        model = models[0].partition(": ")[2] if models else platform.machine()
        name = f"{model}, {torch.get_num_threads()} threads of {os.cpu_count()} cores"
    return f"{name}; torch {torch.__version__}, Python {platform.python_version()}"


def measured_apart(case: Case) -> Measured | str:
    """Measure in a process of its own; the last line of what it says where it fails."""
    done = subprocess.run(
        [sys.executable, __file__, "--case", json.dumps(asdict(case))], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        reason = next((line for line in said if "error[" in line), said[-1])
        return "failed: " + reason.strip()[:120].replace("|", "/")
    return Measured(**json.loads(done.stdout))


def main() -> None:
    """Measure what the command line asks for."""
    import torch

    gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=[*map(str, Sam2Size)], default=[*map(str, Sam2Size)])
    parser.add_argument("--datasets", nargs="+", choices=list(FRAME_SIZES), default=list(FRAME_SIZES))
    parser.add_argument("--variants", nargs="+", choices=[*map(str, Variant)], help="all that the device has")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda" if gpu else "cpu")
    parser.add_argument("--frames", type=int, help="that count (default 100 on a GPU, 3 on a CPU)")
    parser.add_argument("--warm", type=int, help="frames before those (default 20 on a GPU, 2 on a CPU)")
    parser.add_argument("--objects", type=int, default=2, help="all prompted in frame 0 (default 2)")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(asdict(measure(Case(**json.loads(options.case))))))  # noqa: T201
        return
    on_gpu = options.device == "cuda"
    variants = options.variants or (list(map(str, Variant)) if on_gpu else [Variant.BFLOAT16, Variant.FLOAT32])
    warm = options.warm or (20 if on_gpu else 2)
    frames = warm + (options.frames or (100 if on_gpu else 3))
    results: list[tuple[Case, Measured | str]] = []
    for size in options.sizes:
        for dataset in options.datasets:
            for variant in variants:
                case = Case(size, dataset, str(variant), options.device, frames, warm, options.objects)
                print(f"{size} {dataset} {variant}", file=sys.stderr, flush=True)  # noqa: T201
                results.append((case, measured_apart(case)))
    print(f"Device: {device_in_words(options.device)}. {options.objects} objects, 1024 px; {frames - warm} frames")  # noqa: T201
    print(f"after {warm} warm ones. Random weights.\n")  # noqa: T201
    print(table(results))  # noqa: T201


if __name__ == "__main__":
    main()
