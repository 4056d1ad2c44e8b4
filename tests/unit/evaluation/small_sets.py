"""Small data sets and predictions in memory for the tests of `evaluate`."""

from __future__ import annotations

from typing import Any

import numpy as np

from vadbench import Detections, Instances, MemoryDataset, Prediction, Track, Truth

SHAPE = (4, 6, 8)
"""T, H, W of every clip."""


def truth_masks(seed: int = 0) -> np.ndarray:
    """Frames 1 and 2 hold one object of two by two pixels that moves to the right."""
    masks = np.zeros(SHAPE, dtype=bool)
    masks[1, 1:3, 1 + seed % 3 : 3 + seed % 3] = True
    masks[2, 1:3, 2 + seed % 3 : 4 + seed % 3] = True
    return masks


def random_maps(seed: int, dtype: str = "uint8") -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.integers(0, 200, SHAPE) + 40 * truth_masks(seed)).astype(dtype)


def instances(seed: int, *, objects: bool = True) -> Instances:
    masks = [truth_masks(seed)[1], truth_masks(seed)[2], np.roll(truth_masks(seed)[1], 3, axis=0)]
    ids: Any = [0, 0, 1] if objects else None
    scores = np.array([0.5, 0.25, 0.125]) + seed
    return Instances.from_masks([1, 2, 3], masks, scores, height=SHAPE[1], width=SHAPE[2], objects=ids)


def detections(seed: int) -> Detections:
    x = 1 + seed % 3
    return Detections(
        [0, 1, 2], [[5, 4, 7, 6], [x, 1, x + 2, 3], [x + 1, 1, x + 3, 3]], np.array([0.5, 0.5, 1.0]) + seed
    )


def frame_scores(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(SHAPE[0])


KINDS = {
    "score_maps": random_maps,
    "instances": instances,
    "detections": detections,
    "frame_scores": frame_scores,
}


def predictions(*kinds: str, clips: int = 3) -> dict[str, Prediction]:
    return {f"{k:02d}": Prediction(**{kind: KINDS[kind](k) for kind in kinds}) for k in range(clips)}


def dataset(clips: int = 3) -> MemoryDataset:
    return MemoryDataset({f"{k:02d}": Truth.from_arrays(truth_masks(k)) for k in range(clips)})


def one_region_a_frame(n: int, frames: int) -> Truth:
    """Regions in frames 0 to n − 1, all of one track, at one place; no masks."""
    track = Track("0", list(range(n)), [[0, 0, 4, 4]] * n)
    return Truth.from_arrays(shape=(frames, 20, 20), tracks=[track])
