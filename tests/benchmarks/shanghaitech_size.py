"""Write a data set and a submission of ShanghaiTech's size: 107 clips, 40 791 frames of 480 x 856, 16.8 billion pixels.

    python tests/benchmarks/shanghaitech_size.py --out .benchmarks/shanghaitech-size
    vadbench score .benchmarks/shanghaitech-size/submission --root .benchmarks/shanghaitech-size/data

Ids and frame counts are the official ones; every clip has objects of its own. With all clips the truth lies in the
official layout, ``testing/test_pixel_mask/*.npy`` (T, H, W) bool: 16.8 GB to a reader, 4.3 GB on a disk that
stores holes, because the files are written where the objects are and nowhere else. With fewer clips, or shorter ones,
the layout is ``folder`` (PNG masks), since the official one is refused when clips are missing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from moving_objects import (
    BLOCK_FRAMES,
    MovingObject,
    SmoothMaps,
    answered,
    clutter,
    mask_frame,
    mask_like_blocks,
    planned_objects,
)
from numpy.typing import NDArray

from vadbench import Detections, SubmissionWriter, VadbenchError
from vadbench.datasets import load_facts

VERSION = 1
"""Moves when the same settings give other bytes."""

SETTINGS = "workload.json"
WHOLE = "whole"
_OBJECT_AREA = 3300.0
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Settings:
    """What decides the bytes of a workload."""

    clips: int = 107
    dtype: str = "uint16"
    maps: str = "masks"
    seed: int = 0
    frames: int | None = None
    version: int = VERSION

    @property
    def lengths(self) -> dict[str, int]:
        """Number of frames by clip."""
        official = load_facts("shanghaitech").clips
        chosen = list(official.items())[: self.clips]
        return {clip: min(n, self.frames or n) for clip, n in chosen}

    @property
    def dataset(self) -> str:
        """Id of the data set whose layout is written."""
        return "shanghaitech" if self.lengths == load_facts("shanghaitech").clips else "folder"


@dataclass(frozen=True)
class ClipPlan:
    """Everything that is seen in a clip: what is anomalous, and what a method raises."""

    id: str
    frames: int
    height: int
    width: int
    objects: list[MovingObject]
    found: list[MovingObject]

    @classmethod
    def of(cls, clip: str, frames: int, settings: Settings) -> ClipPlan:
        """Plan a clip; every clip has a random stream of its own, so more clips change none of the others."""
        height, width = load_facts("shanghaitech").size or (480, 856)
        position = list(load_facts("shanghaitech").clips).index(clip)
        rng = np.random.default_rng([VERSION, settings.seed, position])
        objects = planned_objects(rng, frames, height, width, duty=0.68, area=_OBJECT_AREA, peak=(0.3, 1.0))
        return cls(
            clip,
            frames,
            height,
            width,
            objects,
            [*answered(rng, objects), *clutter(rng, frames, height, width)],
        )

    def masks(self) -> Iterator[NDArray[np.bool_]]:
        """Yield the mask, (H, W) bool, of every frame; the array is used again for the next."""
        mask = np.zeros((self.height, self.width), dtype=bool)
        for frame in range(self.frames):
            mask[:] = False
            mask_frame(self.objects, frame, mask)
            yield mask

    def score_maps(self, settings: Settings) -> Iterator[NDArray[Any]]:
        """Yield blocks of score maps, (n, H, W)."""
        if settings.maps == "masks":
            for block in mask_like_blocks(self.found, self.frames, self.height, self.width):
                yield block if settings.dtype == "uint16" else block / np.float32(65535)
            return
        rng = np.random.default_rng([VERSION, settings.seed, 1])
        for floats in SmoothMaps(rng, self.height, self.width, noise=0.05).blocks(self.found, self.frames):
            yield np.rint(floats * 65535).astype(np.uint16) if settings.dtype == "uint16" else floats

    def detections(self) -> Detections:
        """Boxes of everything that is found, by frame, with the peak of each as its score."""
        rows = [
            (frame, own.box(frame, self.height, self.width), own.peak)
            for own in self.found
            for frame in range(own.first, own.last)
        ]
        seen = sorted((row for row in rows if row[1] is not None), key=lambda row: row[0])
        frames, boxes, scores = zip(*seen, strict=True) if seen else ((), (), ())
        return Detections(
            np.array(frames, dtype=np.int64),
            np.array(boxes, dtype=np.int64).reshape(-1, 4),
            np.array(scores, dtype=np.float32),
        )

    def track_rows(self, beyond: int) -> list[str]:
        """Rows ``track,frame,x1,y1,x2,y2``; `beyond` is 0 for half-open boxes and 1 for inclusive ones."""
        rows = []
        for track, own in enumerate(self.objects):
            for frame in range(own.first, own.last):
                box = own.box(frame, self.height, self.width)
                if box is not None:
                    rows.append(f"{track},{frame},{box[0]},{box[1]},{box[2] - beyond},{box[3] - beyond}\n")
        return rows


def write_official_masks(plan: ClipPlan, path: Path) -> None:
    """Write (T, H, W) bool as ``.npy``, only where the objects are: the rest of the file is a hole, and reads as 0."""
    unfinished = path.with_suffix(".unfinished")
    masks = np.lib.format.open_memmap(
        unfinished, mode="w+", dtype=np.bool_, shape=(plan.frames, plan.height, plan.width)
    )
    for frame in range(plan.frames):
        mask_frame(plan.objects, frame, masks[frame])
    masks.flush()
    del masks
    unfinished.rename(path)


def _write_official_truth(plan: ClipPlan, data: Path) -> None:
    masks, labels = data / "testing" / "test_pixel_mask", data / "testing" / "test_frame_mask"
    for folder in (masks, labels, data / "tracks"):
        folder.mkdir(parents=True, exist_ok=True)
    anomalous = np.array([mask.any() for mask in plan.masks()], dtype=np.uint8)
    np.save(labels / f"{plan.id}.npy", anomalous)
    (data / "tracks" / f"{plan.id}.txt").write_text("".join(plan.track_rows(1)), encoding="utf-8", newline="\n")
    # Last: the mask file says that the truth of the clip is whole.
    write_official_masks(plan, masks / f"{plan.id}.npy")


def _write_folder_truth(plan: ClipPlan, data: Path) -> None:
    from PIL import Image

    folder, unfinished = data / "masks" / plan.id, data / f".{plan.id}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for frame, mask in enumerate(plan.masks()):
        Image.fromarray(mask).save(unfinished / f"{frame:04d}.png", compress_level=1)
    (data / "tracks").mkdir(exist_ok=True)
    (data / "tracks" / f"{plan.id}.txt").write_text("".join(plan.track_rows(0)), encoding="utf-8", newline="\n")
    folder.parent.mkdir(exist_ok=True)
    unfinished.rename(folder)


def write_workload(out: Path, settings: Settings, progress: Progress | None = None) -> Path:
    """Write ``data`` and ``submission`` below a folder, or go on with what an interrupted run has left there.

    Raises
    ------
    FileExistsError
        If the folder holds something else.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = json.dumps(asdict(settings), indent=1, sort_keys=True) + "\n"
    note = out / SETTINGS
    if any(out.iterdir()) and (not note.is_file() or note.read_text(encoding="utf-8") != written):
        raise FileExistsError(out)
    if (out / WHOLE).exists():
        return out
    note.write_text(written, encoding="utf-8")
    data, lengths = out / "data", settings.lengths
    truth_path, write_truth = {
        "shanghaitech": (lambda clip: data / "testing" / "test_pixel_mask" / f"{clip}.npy", _write_official_truth),
        "folder": (lambda clip: data / "masks" / clip, _write_folder_truth),
    }[settings.dataset]
    writer = SubmissionWriter(
        out / "submission",
        dataset=settings.dataset,
        method={
            "name": f"{settings.maps} of {settings.dtype}",
            "authors": ["vadbench benchmarks"],
            "year": 2026,
            "code": "https://example.org/vadbench",
        },
        training={"supervision": "one-class", "data": [], "pretrained": []},
        resume=True,
    )
    done, total = 0, sum(lengths.values())
    with writer:
        for clip, frames in lengths.items():
            plan = ClipPlan.of(clip, frames, settings)
            if not truth_path(clip).exists():
                write_truth(plan, data)
            if not writer.has_clip(clip):
                shape = (plan.frames, plan.height, plan.width)
                with writer.clip(clip, shape=shape, dtype=np.dtype(settings.dtype)) as stored:
                    taken = 0
                    for block in plan.score_maps(settings):
                        stored.write_score_maps(block)
                        taken += len(block)
                        if progress is not None and taken % (8 * BLOCK_FRAMES) == 0:
                            progress(done + taken, total, clip)
                    stored.write_detections(plan.detections())
            done += frames
            if progress is not None:
                progress(done, total, clip)
    (out / WHOLE).touch()
    return out


class Bar:
    """Progress on a terminal: frames, share, speed and the time that is left."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._first: int | None = None

    def __call__(self, done: int, total: int, clip: str) -> None:
        """Draw over the last line."""
        if self._first is None:
            self._first = done
        seconds = time.monotonic() - self._began
        speed = (done - self._first) / seconds if seconds > 0 else 0.0
        left = f"{(total - done) / speed:4.0f} s left" if speed > 0 else ""
        filled = round(30 * done / total)
        bar = "█" * filled + "·" * (30 - filled)
        end = "\n" if done == total else ""
        line = f"\r{bar} {done:6d}/{total} frames · {clip} · {speed:5.0f} frames/s {left}\033[K"
        print(line, end=end, file=sys.stderr, flush=True)  # noqa: T201


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="shanghaitech_size.py", description="Write a data set and a submission of ShanghaiTech's size."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write, or to go on with")
    parser.add_argument("--clips", type=int, default=107, help="1 to 107, in order of id (107)")
    parser.add_argument("--dtype", choices=("uint16", "float32"), default="uint16", help="of the score maps (uint16)")
    parser.add_argument(
        "--maps",
        choices=("masks", "heat"),
        default="masks",
        help="masks: objects on a flat background, 1 GB for all clips; heat: smooth with noise, about 27 GB (masks)",
    )
    parser.add_argument("--seed", type=int, default=0, help="0 or more (0)")
    parser.add_argument("--frames", type=int, help="cut every clip to that many frames")
    options = parser.parse_args(arguments)
    if not 1 <= options.clips <= 107 or options.seed < 0 or (options.frames is not None and options.frames < 1):
        parser.error("--clips is 1 to 107, --seed 0 or more, --frames 1 or more")
    settings = Settings(options.clips, options.dtype, options.maps, options.seed, options.frames)
    try:
        write_workload(options.out, settings, Bar() if sys.stderr.isatty() else None)
    except FileExistsError:
        print(f"{options.out} holds something else; remove it or give another --out", file=sys.stderr)  # noqa: T201
        return 1
    except VadbenchError as error:
        print(error.block(), file=sys.stderr)  # noqa: T201
        return 1
    except OSError as error:
        print(f"{options.out} cannot be written: {error.strerror or error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from here", file=sys.stderr)  # noqa: T201
        return 130
    print(options.out)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
