"""Tiny data sets on disk in each official layout, and the truth that was written."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from PIL import Image

from vadbench.datasets.facts import DatasetFacts, load_facts

HEIGHT, WIDTH = 12, 16
CLIPS = {"01": 11, "02": 4, "03": 6}
TRAINING = {"01": 5, "02": 3}


def small_facts(dataset_id: str, clips: dict[str, int], **changes: object) -> DatasetFacts:
    """Facts of a known set shrunk to a few small clips."""
    fields: dict[str, object] = {
        "height": HEIGHT,
        "width": WIDTH,
        "clips": clips,
        "training_clips": TRAINING if dataset_id.startswith("ucsd") else {},
        "mask_clips": tuple(clips),
        "expected": {},
        "fingerprint": None,
    }
    return dataclasses.replace(load_facts(dataset_id), **(fields | changes))


def truth_masks(frames: int, *, seed: int) -> np.ndarray:
    """(T, H, W) bool; first and third frame normal, a blob that moves in the others."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((frames, HEIGHT, WIDTH), dtype=bool)
    row = int(rng.integers(1, HEIGHT - 4))
    for frame in range(frames):
        if frame not in {0, 2}:
            masks[frame, row : row + 3, frame : frame + 4] = True
    return masks


def all_masks(clips: dict[str, int]) -> dict[str, np.ndarray]:
    return {key: truth_masks(frames, seed=index) for index, (key, frames) in enumerate(clips.items())}


def write_images(folder: Path, images: np.ndarray, pattern: str = "{:03d}.png", first: int = 1) -> None:
    """Write images (T, H, W[, 3]), bool as 0 and 255, under names such as 001.png."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images, start=first):
        stored = image.astype(np.uint8) * 255 if image.dtype == bool else image
        Image.fromarray(stored).save(folder / pattern.format(number))


def frames_of(count: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, HEIGHT, WIDTH), dtype=np.uint8)


def matlab_labels(labels: dict[str, np.ndarray]) -> str:
    """Text of a UCSD label file, 1-based and inclusive."""
    lines = ["TestVideoFile = {};"]
    for own in labels.values():
        numbers = (np.flatnonzero(own) + 1).tolist()
        lines.append("TestVideoFile{end+1}.gt_frame = [" + ", ".join(f"{n}:{n}" for n in numbers) + "];")
    return "\n".join(lines) + "\n"


def write_ucsd(
    root: Path,
    *,
    name: str = "UCSDped2",
    clips: dict[str, int] = CLIPS,
    frames: str | None = "tif",
    masks: str | None = "bmp",
    mask_clips: tuple[str, ...] | None = None,
    labels: bool = True,
    common: bool = False,
) -> dict[str, np.ndarray]:
    """Write UCSD's layout, or its masks with frames in the common layout; every second mask folder has frameNNN."""
    truths = all_masks(clips)
    (root / "Test").mkdir(parents=True)
    for index, (key, truth) in enumerate(truths.items()):
        stem = f"Test{int(key):03d}"
        if frames is not None:
            folder = root / "testing" / "frames" / key if common else root / "Test" / stem
            write_images(folder, frames_of(len(truth), seed=index), "{:03d}." + frames, first=0 if common else 1)
        if masks is not None and (mask_clips is None or key in mask_clips):
            pattern = ("frame" if index % 2 else "") + "{:03d}." + masks
            write_images(root / "Test" / f"{stem}_gt", truth, pattern)
    if frames is not None:
        for key, count in TRAINING.items():
            folder = root / "training" / "frames" / key if common else root / "Train" / f"Train{int(key):03d}"
            write_images(folder, frames_of(count), "{:03d}." + frames)
    if labels:
        text = matlab_labels({key: truth.any(axis=(1, 2)) for key, truth in truths.items()})
        (root / "Test" / f"{name}.m").write_text(text)
    return truths


def write_avenue(root: Path, clips: dict[str, int] = CLIPS) -> dict[str, np.ndarray]:
    """Write Avenue's masks as MATLAB cells."""
    from scipy.io import savemat

    folder = root / "testing_label_mask"
    folder.mkdir(parents=True)
    truths = all_masks(clips)
    for key, truth in truths.items():
        cell = np.empty((1, len(truth)), dtype=object)
        for frame, mask in enumerate(truth):
            cell[0, frame] = mask.astype(np.uint8)
        savemat(folder / f"{int(key)}_label.mat", {"volLabel": cell})
    return truths


SHANGHAI_CLIPS = {"01_0014": 11, "02_0128": 4, "10_0037": 6}


def write_shanghaitech(
    root: Path, *, masks: bool = True, labels: bool = True, frames: bool = False
) -> dict[str, np.ndarray]:
    """Write ShanghaiTech's arrays and, if asked, frames."""
    truths = all_masks(SHANGHAI_CLIPS)
    for part in ("test_pixel_mask", "test_frame_mask"):
        (root / "testing" / part).mkdir(parents=True)
    for key, truth in truths.items():
        if masks:
            np.save(root / "testing" / "test_pixel_mask" / f"{key}.npy", truth.astype(np.uint8))
        if labels:
            np.save(root / "testing" / "test_frame_mask" / f"{key}.npy", truth.any(axis=(1, 2)).astype(np.uint8))
        if frames:
            write_images(root / "testing" / "frames" / key, frames_of(len(truth)), "{:03d}.jpg", first=0)
    return truths


FOLDER_CLIPS = {"bridge": 11, "gate 2": 4, "tunnel": 6}


def write_folder(root: Path, *, frames: bool = True, masks: bool = True) -> dict[str, np.ndarray]:
    """Write the layout `folder`; the last clip has no masks."""
    truths = all_masks(FOLDER_CLIPS)
    for key, truth in truths.items():
        if frames:
            # Not padded with zeros: natural order matters.
            write_images(root / "frames" / key, frames_of(len(truth)), "f{}.jpg")
        if masks and key != "tunnel":
            write_images(root / "masks" / key, truth, "m{}.png")
    return truths
