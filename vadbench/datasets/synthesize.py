"""Write the synthetic data set: a walkway in UCSD's layout, for trying things out without a download."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vadbench.datasets.layout import SETTINGS_FILE
from vadbench.datasets.scene import Actor, Scene, make_scene
from vadbench.errors import UsageError

VERSION = 1
"""Moves when the same seed gives other bytes."""

Progress = Callable[[int, int], None]


def synthesize(
    root: Path | str,
    *,
    seed: int = 0,
    test_clips: int = 4,
    training_clips: int = 3,
    frames: int = 60,
    height: int = 120,
    width: int = 160,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write a data set that `open_dataset("synthetic", root)` reads.

    Parameters
    ----------
    root : path
        Folder to make. It appears when it is whole: everything is written beside it first.
    seed : int
        The same seed and sizes give the same bytes.
    test_clips, training_clips : int
        Numbers of clips. With three test clips or more, one in four has no anomaly; training clips have none.
    frames : int
        Frames of each clip, at least 10.
    height, width : int
        Size in pixels, at least 48 x 64.
    overwrite : bool
        Replace a synthetic set that is already there; anything else is never replaced.
    progress : callable, optional
        Called with (clips done, all clips).

    Returns
    -------
    Path
        The root.

    Raises
    ------
    UsageError
        U116 for numbers that make no sense, U117 if something is in the way.

    Notes
    -----
    Every clip has its own random stream, so more clips change none of the earlier ones.
    """
    target = Path(root)
    _check_numbers(
        seed=seed, test_clips=test_clips, training_clips=training_clips, frames=frames, height=height, width=width
    )
    _check_target(target, overwrite=overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    scene = make_scene(height, width, np.random.default_rng([seed, 0]))
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
        made = Path(folder) / "set"
        plans = [("Train", index, False) for index in range(training_clips)]
        plans += [("Test", index, not _is_empty(index, test_clips)) for index in range(test_clips)]
        ranges = []
        for done, (part, index, anomalous) in enumerate(plans):
            rng = np.random.default_rng([seed, 1 + (part == "Test"), index])
            actors = _walkers(rng, frames)
            if anomalous:
                actors += _anomalies(index, rng, frames, scene)
            masks = _write_clip(
                made / part, f"{part}{index + 1:03d}", scene.frames(actors, frames, rng), part == "Test"
            )
            if part == "Test":
                ranges.append(_ranges(masks))
            if progress is not None:
                progress(done + 1, len(plans))
        lines = [f"TestVideoFile{{end+1}}.gt_frame = [{text}];\n" for text in ranges]
        _write_text(made / "Test" / "synthetic.m", "TestVideoFile = {};\n" + "".join(lines))
        settings = {
            "version": VERSION,
            "seed": seed,
            "test_clips": test_clips,
            "training_clips": training_clips,
            "frames": frames,
            "height": height,
            "width": width,
        }
        _write_text(made / SETTINGS_FILE, "".join(f"{name} = {value}\n" for name, value in settings.items()))
        if target.exists():
            # Moved aside, not deleted in place: if the rename fails, the old set is still whole.
            target.rename(Path(folder) / "old")
        made.rename(target)
    return target


def _check_numbers(**numbers: int) -> None:
    least = {"seed": 0, "test_clips": 1, "training_clips": 0, "frames": 10, "height": 48, "width": 64}
    most = {"seed": 2**63 - 1, "test_clips": 999, "training_clips": 999}
    for name, value in numbers.items():
        if not least[name] <= value <= most.get(name, 100_000):
            raise UsageError(
                "U116",
                f"{name.replace('_', ' ')} is out of range",
                expected=f"{least[name]} to {most.get(name, 100_000)}",
                got=str(value),
            )


def _check_target(target: Path, *, overwrite: bool) -> None:
    if not target.exists() and not target.is_symlink():
        return
    empty = target.is_dir() and not target.is_symlink() and not any(target.iterdir())
    own = target.is_dir() and not target.is_symlink() and (target / SETTINGS_FILE).is_file()
    if empty or (own and overwrite):
        return
    raise UsageError(
        "U117",
        "there is something in the way of the synthetic data set",
        where=str(target),
        expected="no such folder, or an empty one",
        got="an older synthetic data set" if own else "a folder with other content" if target.is_dir() else "a file",
        hint="use overwrite (--overwrite) to make it again" if own else "choose another folder",
    )


def _is_empty(index: int, test_clips: int) -> bool:
    """Whether a test clip has no anomaly: every fourth, and the last of three."""
    return index % 4 == 3 or (test_clips == 3 and index == 2)


def _walkers(rng: Generator, frames: int) -> list[Actor]:
    """People who walk normally, spread so that some are there in every frame."""
    actors = []
    for _ in range(int(rng.integers(8, 13))):
        direction = 1 if rng.random() < 0.5 else -1
        speed = direction * rng.uniform(0.028, 0.042)
        # They cover about 0.2 heights of the frame in a clip, so the span of starts reaches outside on both sides.
        actors.append(
            Actor(
                "walker",
                depth=rng.uniform(0.02, 0.97),
                start=rng.uniform(-0.25, 1.25),
                speed=speed,
                brightness=rng.choice([48.0, 66.0, 84.0, 176.0, 196.0]) + rng.uniform(-8, 8),
                phase=rng.uniform(0, 6.28),
                drift=rng.uniform(-0.08, 0.08) / frames,
            )
        )
    return actors


def _anomalies(index: int, rng: Generator, frames: int, scene: Scene) -> list[Actor]:
    """Anomalous figures of a test clip; three plots in turn.

    0: a cyclist rides in after a normal beginning, behind a post and walkers. 1: a cyclist and a skater come from both
    sides and pass each other, so that their masks touch. 2: a cart is there from the first frame, a skater follows.
    """
    if index % 4 == 0:
        return [_crossing("cyclist", rng, frames, scene, first=0.25, last=1.05, depth=rng.uniform(0.38, 0.52))]
    if index % 4 == 1:
        depth = rng.uniform(0.45, 0.58)
        right = _crossing("cyclist", rng, frames, scene, first=0.05, last=0.95, depth=depth)
        left = _crossing("skater", rng, frames, scene, first=0.05, last=0.95, depth=depth + 0.04, reverse=True)
        return [right, left]
    cart = _crossing("cart", rng, frames, scene, first=-0.45, last=0.75, depth=rng.uniform(0.66, 0.8), reverse=True)
    skater = _crossing("skater", rng, frames, scene, first=0.35, last=1.1, depth=rng.uniform(0.15, 0.3))
    return [cart, skater]


def _crossing(
    figure: str,
    rng: Generator,
    frames: int,
    scene: Scene,
    *,
    first: float,
    last: float,
    depth: float,
    reverse: bool = False,
) -> Actor:
    """A figure that comes into view at `first` and is out of view at `last`, in lengths of the clip."""
    size, width = scene.figure_height(depth), scene.background.shape[1]
    # Half a figure's length, so that it is just outside at both ends.
    margin = 0.75 * size
    speed = (width + 2 * margin) / ((last - first) * frames)
    start = -margin - speed * first * frames
    if reverse:
        speed, start = -speed, width - start
    brightness = rng.choice([58.0, 74.0, 172.0]) + rng.uniform(-6, 6)
    return Actor(figure, depth, start / width, speed / size, brightness, phase=rng.uniform(0, 6.28))


def _write_clip(
    parent: Path, name: str, frames: Iterator[tuple[NDArray[np.uint8], NDArray[np.bool_]]], with_masks: bool
) -> list[bool]:
    """Write frames, and masks, of a clip; gives for each frame whether it is anomalous."""
    from PIL import Image

    (parent / name).mkdir(parents=True)
    if with_masks:
        (parent / f"{name}_gt").mkdir()
    anomalous = []
    for number, (frame, mask) in enumerate(frames, start=1):
        Image.fromarray(frame).save(parent / name / f"{number:03d}.tif")
        if with_masks:
            Image.fromarray(mask.astype(np.uint8) * 255).save(parent / f"{name}_gt" / f"{number:03d}.bmp")
        anomalous.append(bool(mask.any()))
    return anomalous


def _ranges(anomalous: list[bool]) -> str:
    """Anomalous frames as MATLAB writes them, 1-based and inclusive: ``5:90, 140:200``."""
    edges = np.flatnonzero(np.diff(np.array([False, *anomalous, False]).astype(np.int8)))
    return ", ".join(f"{start + 1}:{stop}" for start, stop in zip(edges[::2], edges[1::2], strict=True))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
