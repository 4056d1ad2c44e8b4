"""Inputs of the benchmarks: score maps of two sizes, awkward ranges of scores, detections with tracks.

Made once from a seed and kept in ``.benchmarks/workloads``, which git does not see.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from moving_objects import SmoothMaps, answered, mask_frame, mask_like_blocks, planned_objects
from numpy.typing import NDArray

REPOSITORY = Path(__file__).parents[2]
STORE = Path(os.environ.get("VADBENCH_BENCHMARKS", REPOSITORY / ".benchmarks"))
"""Everything that the benchmarks keep: workloads, results, the large data set."""

VERSION = 2
"""Moves when the same seed gives other arrays."""


@dataclass(frozen=True)
class PixelSize:
    """Frames of a workload and the mean number of pixels of its objects."""

    title: str
    frames: int
    height: int
    width: int
    object_area: float


SIZES = {
    "ped2": PixelSize("Ped2 size", 2010, 240, 360, 640.0),
    "slice": PixelSize("ShanghaiTech slice", 400, 480, 856, 3300.0),
}


@dataclass(frozen=True)
class Extent:
    """How much of every workload is used."""

    rounds: int
    ped2_frames: int | None
    slice_frames: int | None
    stored_frames: int
    awkward_frames: int
    awkward_ranges: int
    object_frames: int
    detections: int
    tracks: int
    literal_frames: int
    literal_detections: int
    masked_object_frames: int

    def frames_of(self, name: str) -> int | None:
        """Frames of a workload of `SIZES`; None for all."""
        return {"ped2": self.ped2_frames, "slice": self.slice_frames}[name]


EXTENTS = {
    "full": Extent(7, None, None, 160, 20, 99, 40_660, 200_000, 150, 300, 1500, 100),
    "quick": Extent(2, 12, 48, 16, 2, 3, 600, 1200, 4, 40, 80, 6),
}
"""``quick`` shows that everything runs; its numbers mean nothing."""


@dataclass(frozen=True)
class PixelWorkload:
    """Masks (T, H, W) bool and score maps of the same shape, uint16 or float32."""

    name: str
    masks: NDArray[np.bool_]
    scores: NDArray[Any]

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.masks.size


def pixel_workload(name: str, dtype: str, frames: int | None = None, maps: str = "heat") -> PixelWorkload:
    """Load a workload, and make it first where it is not there yet.

    Parameters
    ----------
    name : str
        Key of `SIZES`.
    dtype : str
        ``uint16`` (the float scores times 65 535, rounded) or ``float32``.
    frames : int, optional
        Fewer than the workload has.
    maps : str
        ``heat``: smooth everywhere. ``masks``: objects on a constant background.
    """
    size = SIZES[name]
    n_frames = min(frames or size.frames, size.frames)
    folder = STORE / "workloads" / f"{name}-{n_frames}-v{VERSION}"
    if not (folder / "whole").exists():
        _make(folder, name, size, n_frames)
    masks = np.load(folder / "masks.npy")
    if maps == "masks":
        scores = np.load(folder / "mask-like.npy")
        return PixelWorkload(name, masks, scores if dtype == "uint16" else (scores / 65535).astype(dtype))
    return PixelWorkload(name, masks, np.load(folder / f"{dtype}.npy"))


def _make(folder: Path, name: str, size: PixelSize, frames: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shape = (frames, size.height, size.width)
    rng = np.random.default_rng([VERSION, list(SIZES).index(name)])
    objects = planned_objects(rng, frames, *shape[1:], duty=0.68, area=size.object_area, peak=(0.5, 1.0))
    found = answered(rng, objects)

    def new(stem: str, dtype: type) -> Any:
        return np.lib.format.open_memmap(folder / f"{stem}.npy", mode="w+", dtype=dtype, shape=shape)

    masks, codes, floats, mask_like = (
        new(stem, dtype)
        for stem, dtype in (
            ("masks", np.bool_),
            ("uint16", np.uint16),
            ("float32", np.float32),
            ("mask-like", np.uint16),
        )
    )
    for frame in range(frames):
        mask_frame(objects, frame, masks[frame])
    start = 0
    for block in SmoothMaps(rng, *shape[1:], noise=0.0).blocks(found, frames):
        floats[start : start + len(block)] = block
        codes[start : start + len(block)] = np.rint(block * 65535)
        start += len(block)
    start = 0
    for steps in mask_like_blocks(found, frames, *shape[1:]):
        mask_like[start : start + len(steps)] = steps
        start += len(steps)
    (folder / "whole").touch()


def awkward_ranges(frames: int = 20, seed: int = 3) -> tuple[NDArray[np.bool_], dict[str, NDArray[np.float32]]]:
    """Masks and, by name, float32 maps of 240 x 360 whose range defeats bins between fixed or extreme values."""
    height, width = 240, 360
    rng = np.random.default_rng(seed)
    objects = planned_objects(rng, 200, height, width, duty=0.95, area=640.0, peak=(0.3, 0.7))
    masks = np.zeros((frames, height, width), dtype=bool)
    logits = np.empty((frames, height, width), dtype=np.float32)
    fields = SmoothMaps(rng, height, width, noise=0.05)
    for frame in range(frames):
        # Every seventh frame of a long clip, so that few frames see many places.
        mask_frame(objects, frame * 7 + 30, masks[frame])
        fields.logits(frame * 7 + 30, answered(rng, objects), logits[frame])
    wide = logits.astype(np.float64)
    s = 1 / (1 + np.exp(-wide))
    spread = (wide - wide.mean()) / wide.std()
    outlier = s.copy()
    outlier[~masks] = np.where(np.arange(np.count_nonzero(~masks)) == 0, 1e30, outlier[~masks])
    ranges = {
        "sigmoid s": s,
        "logits z": wide,
        "s^8": s**8,
        "tiny, s · 1e-30": s * 1e-30,
        "denormal, s · 1e-40": s * 1e-40,
        "one outlier of 1e30": outlier,
        "near one, 1 − 1e-3 (1 − s)": 1 - 1e-3 * (1 - s),
        "near one, 1 − 1e-6 (1 − s)": 1 - 1e-6 * (1 - s),
        "saturated, sigmoid(3z + 9)": 1 / (1 + np.exp(-(3 * spread + 9))),
        "100 + s": 100 + s,
        "zeros, relu(s − .03)": np.maximum(s - 0.03, 0),
        "negative, −mse": -((1 - s) ** 2),
    }
    return masks, {name: values.astype(np.float32) for name, values in ranges.items()}


@dataclass(frozen=True)
class ObjectWorkload:
    """Detections and tracks of one clip, as plain rows: what both the literal loops and the peers read."""

    frames: int
    detections: list[tuple[str, int, tuple[int, int, int, int], float]]
    tracks: list[tuple[str, dict[int, tuple[int, int, int, int]]]]


def object_workload(
    frames: int, n_detections: int, n_tracks: int, *, levels: int | None = None, halved: bool = False, seed: int = 5
) -> ObjectWorkload:
    """Tracks of about 224 frames in frames of 480 x 856, and detections of which half lie near a region.

    Scores are continuous, or have that many levels. `halved` halves all lengths in pixels, for frames of 240 x 428,
    and cuts boxes at the edge.
    """
    rng = np.random.default_rng([VERSION, seed])
    tracks = []
    for _ in range(n_tracks):
        length = min(int(rng.integers(120, 330)), frames)
        first = int(rng.integers(0, frames - length + 1))
        x, y = rng.uniform(0, 700), rng.uniform(0, 300)
        wide, tall = int(rng.integers(20, 90)), int(rng.integers(40, 150))
        boxes = {}
        for step in range(length):
            left = round(x + step * 0.4)
            boxes[first + step] = (left, round(y), left + wide, round(y) + tall)
        tracks.append(("01", boxes))
    draw = rng.random(n_detections)
    scores = draw if levels is None else np.floor(draw * levels) / levels
    near = rng.random(n_detections) < 0.5
    detections = []
    for row in range(n_detections):
        if near[row]:
            own = tracks[int(rng.integers(n_tracks))][1]
            frame = next(iter(own)) + int(rng.integers(len(own)))
            x1, y1, x2, y2 = own[frame]
            dx, dy = int(rng.integers(-40, 41)), int(rng.integers(-40, 41))
            box = (x1 + dx, y1 + dy, x2 + dx, y2 + dy)
        else:
            frame, left, top = int(rng.integers(frames)), int(rng.integers(0, 780)), int(rng.integers(0, 400))
            box = (left, top, left + int(rng.integers(15, 90)), top + int(rng.integers(30, 150)))
        detections.append(("01", frame, box, float(scores[row])))
    if halved:
        detections = [(clip, frame, _halved(box), score) for clip, frame, box, score in detections]
        tracks = [(clip, {frame: _halved(box) for frame, box in boxes.items()}) for clip, boxes in tracks]
    return ObjectWorkload(frames, sorted(detections, key=lambda detection: detection[1]), tracks)


def _halved(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = (max(0, corner // 2) for corner in box)
    return min(x1, 420), min(y1, 232), min(max(x2, x1 + 1), 428), min(max(y2, y1 + 1), 240)
