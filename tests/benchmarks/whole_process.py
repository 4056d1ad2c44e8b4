"""Whole processes, as a user starts them: start-up, a set of Ped2's size, and the set of ShanghaiTech's size."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from moving_objects import SmoothMaps, answered, mask_frame, planned_objects
from processes import FailedError, watched
from workloads import REPOSITORY, SIZES, STORE

from vadbench import SubmissionWriter, open_dataset
from vadbench.datasets import load_facts

VADBENCH = str(Path(sys.executable).with_name("vadbench"))
HERE = Path(__file__).parent
REAL_PED2 = REPOSITORY.parent / "shared" / "data" / "UCSD_Anomaly_Dataset.v1p2" / "UCSDped2"
Record = dict[str, Any]
Tell = Callable[[str], None]


def _environment() -> dict[str, str]:
    return {**os.environ, "VADBENCH_CACHE": str(STORE / "cache"), "PYTHONWARNINGS": "ignore"}


def _timed(command: Sequence[str], rounds: int, *, memory: bool = False, **facts: Any) -> Record:
    """Median of several runs; memory is the largest of all of them."""
    record: Record = dict(facts)
    try:
        ended = [watched(command, _environment(), REPOSITORY, memory=memory) for _ in range(rounds)]
    except (FailedError, OSError) as error:
        return {**record, "unavailable": str(error)}
    record |= {"seconds": statistics.median(own.seconds for own in ended), "rounds": rounds}
    # A process that ended before the first look has no number, which is not 0.
    if memory and all(own.pss_bytes for own in ended):
        record |= {"pss_bytes": max(own.pss_bytes for own in ended), "rss_bytes": max(own.rss_bytes for own in ended)}
    return record


def _score(submission: Path, data: Path, workers: int | None) -> list[str]:
    command = [VADBENCH, "score", str(submission), "--root", str(data), "--report", str(STORE / "report.json")]
    return command if workers is None else [*command, "--workers", str(workers)]


def _generated(name: str, tell: Tell, *options: str) -> Path:
    """Write a workload of ShanghaiTech's size, or a part of it; its own command shows the progress."""
    path = STORE / name
    tell(f"writing {name}")
    command = [sys.executable, str(HERE / "shanghaitech_size.py"), "--out", str(path), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return path


def _pixels(lengths: Sequence[int]) -> int:
    return sum(lengths) * 480 * 856


def start_up(tell: Tell, rounds: int, *, quick: bool) -> list[Record]:
    """Start-up of the command, and one scoring of a set of Ped2's size."""
    tell("start-up")
    section = {"section": "start-up"}
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        'python -c "import numpy"': [sys.executable, "-c", "import numpy"],
        'python -c "import vadbench"': [sys.executable, "-c", "import vadbench"],
        "vadbench --help": [VADBENCH, "--help"],
        "vadbench score --help": [VADBENCH, "score", "--help"],
    }
    records = [_timed(command, rounds, **section, subject=what) for what, command in commands.items()]
    if quick:
        workload = _generated("quick-start", tell, "--clips", "2", "--frames", "16")
        submission, data, what, pixels = workload / "submission", workload / "data", "2 short clips", _pixels([16, 16])
    else:
        tell("writing maps of Ped2's size")
        data, what = _ped2_data()
        submission, pixels = _ped2_submission(data), 2010 * 240 * 360
    facts = {**section, "workload": what, "pixels": pixels}
    tell("scoring a set of Ped2's size")
    shutil.rmtree(STORE / "cache", ignore_errors=True)
    command = _score(submission, data, None)
    records.append(_timed(command, 1, **facts, subject="vadbench score, first: truth read and kept"))
    records.append(_timed(command, rounds, **facts, subject="vadbench score"))
    records[-1] |= {key: own for key, own in _timed(command, 1, memory=True).items() if key.endswith("_bytes")}
    return records


def _ped2_data() -> tuple[Path, str]:
    """The real truth where it lies beside the checkout, else masks of moving objects in UCSD's layout."""
    if REAL_PED2.is_dir():
        return REAL_PED2, "UCSD Ped2, its own truth"
    from PIL import Image

    root = STORE / "ped2-layout"
    if not root.exists():
        unfinished = STORE / ".ped2-layout"
        shutil.rmtree(unfinished, ignore_errors=True)
        for number, frames in enumerate(load_facts("ucsd-ped2").clips.values(), start=1):
            folder = unfinished / "Test" / f"Test{number:03d}_gt"
            folder.mkdir(parents=True)
            rng = np.random.default_rng([2, number])
            objects = planned_objects(rng, frames, 240, 360, duty=0.68, area=640.0, peak=(0.5, 1.0))
            for frame in range(frames):
                mask = np.zeros((240, 360), dtype=bool)
                mask_frame(objects, frame, mask)
                Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"{frame + 1:03d}.bmp")
        unfinished.rename(root)
    return root, "made masks in UCSD's layout"


def _ped2_submission(data: Path) -> Path:
    path = STORE / "ped2-submission"
    if (path / "submission.toml").exists():
        return path
    dataset = open_dataset("ucsd-ped2", data)
    with SubmissionWriter(
        path,
        dataset=dataset,
        method={"name": "heat", "authors": ["vadbench benchmarks"], "year": 2026, "code": "https://example.org/x"},
        training={"supervision": "one-class", "data": [], "pretrained": []},
        resume=True,
    ) as writer:
        for number, clip in enumerate(dataset.clips):
            if writer.has_clip(clip.id):
                continue
            rng = np.random.default_rng([3, number])
            size = SIZES["ped2"]
            objects = planned_objects(
                rng, clip.frames, clip.height, clip.width, duty=0.68, area=size.object_area, peak=(0.5, 1.0)
            )
            maps = SmoothMaps(rng, clip.height, clip.width, noise=0.05)
            with writer.clip(clip.id, shape=(clip.frames, clip.height, clip.width), dtype=np.uint16) as stored:
                for block in maps.blocks(answered(rng, objects), clip.frames):
                    stored.write_score_maps(np.rint(block * 65535).astype(np.uint16))
    return path


def whole_set(tell: Tell, rounds: int, *, quick: bool, float_clips: int) -> list[Record]:
    """The set of ShanghaiTech's size: time and memory, cost as clips are added, one worker against two, float maps."""
    cut = ("--frames", "24") if quick else ()
    lengths = [min(n, 24) if quick else n for n in load_facts("shanghaitech").clips.values()]
    steps = (1, 2) if quick else (10, 30, 60, 107)
    shutil.rmtree(STORE / "cache", ignore_errors=True)
    # The smallest run is what starting, opening and printing cost; the cost of a pixel is what comes on top.
    smallest = _generated("smallest", tell, "--clips", "2", "--frames", "8")
    records: list[Record] = []
    for clips in steps:
        path = _generated("shanghaitech-size" if clips == 107 else f"{clips}-clips", tell, "--clips", str(clips), *cut)
        tell(f"scoring {clips} clips")
        command = _score(path / "submission", path / "data", 2)
        facts = {"workload": f"{clips} clips", "pixels": _pixels(lengths[:clips]), "workers": 2}
        first = _timed(command, 1, memory=True, section="whole", subject="first, truth read and kept", **facts)
        warm = _timed(command, rounds, memory=True, section="whole", subject="vadbench score", **facts)
        records += [first, warm, {**warm, "section": "scaling"}]
        if clips == steps[-1]:
            one = {**facts, "workers": 1}
            command = _score(path / "submission", path / "data", 1)
            records.append(_timed(command, rounds, memory=True, section="whole", subject="vadbench score", **one))
            command = _score(path / "submission", path / "data", None)
            alone = "vadbench score without --workers: a thread beside hashes"
            records.append(_timed(command, rounds, memory=True, section="whole", subject=alone, **one))
            records += _decoding(path, rounds, "whole", facts)
    for workers in (1, 2):
        command = _score(smallest / "submission", smallest / "data", workers)
        _timed(command, 1)
        facts = {"workload": "2 clips of 8 frames", "pixels": _pixels([8, 8]), "workers": workers}
        records.append(_timed(command, rounds, section="scaling", subject="start", **facts))
    return records + _float_maps(tell, rounds, lengths, cut, 2 if quick else float_clips)


def _decoding(path: Path, rounds: int, section: str, facts: Record) -> list[Record]:
    records = []
    for workers in (2, 1):
        command = [sys.executable, str(HERE / "decoding.py"), str(path / "submission"), "--workers", str(workers)]
        own = {**facts, "workers": workers, "section": section, "subject": "decoding alone"}
        records.append(_timed(command, rounds, memory=True, **own))
    return records


def _float_maps(tell: Tell, rounds: int, lengths: Sequence[int], cut: Sequence[str], clips: int) -> list[Record]:
    """Maps of float32 that are smooth everywhere, the hardest to score and to store."""
    own = lengths[:clips]
    facts: Record = {"section": "float", "workload": f"{clips} clips", "pixels": _pixels(own), "workers": 2}
    needed = 4 * _pixels(own)
    name = f"{clips}-clips-float32"
    if not (STORE / name / "whole").exists() and shutil.disk_usage(STORE).free < needed:
        reason = f"needs {needed / 1e9:.0f} GB of free disk"
        return [{**facts, "subject": "vadbench score", "unavailable": reason}]
    path = _generated(name, tell, "--clips", str(clips), "--dtype", "float32", "--maps", "heat", *cut)
    tell(f"scoring {clips} clips of float32")
    command = _score(path / "submission", path / "data", 2)
    _timed(command, 1)
    records = [_timed(command, min(rounds, 2), memory=True, subject="vadbench score", **facts)]
    return records + _decoding(path, min(rounds, 2), "float", facts)
