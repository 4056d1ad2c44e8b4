"""Published and hand-computed cases: loading, and translation of their inputs into the package's types."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from generators import GENERATORS

from vadbench.prediction import Detections
from vadbench.truth import Track

CASES = Path(__file__).parent / "cases"
Case = dict[str, Any]


def cases(*metrics: str) -> list[Case]:
    """All cases of some metrics, in order of file."""
    files = sorted(CASES.glob("*.json"))
    found = [case for path in files for case in json.loads(path.read_text("utf-8"))["cases"]]
    return [case for case in found if case["metric"] in metrics]


def maps(given: Case) -> tuple[np.ndarray, np.ndarray]:
    """Truth and scores; the scores in the dtype that the case names."""
    if "generator" in given:
        truth, scores = GENERATORS[given["generator"]](**given["arguments"])
    else:
        truth, scores = np.array(given["truth"], dtype=bool), given["scores"]
    return truth, np.array(scores, dtype=given.get("dtype"))


def objects(given: Case, *, inclusive: bool) -> tuple[list, list, int]:
    """Detections and tracks as the literal reference takes them, boxes half-open, and the number of frames."""
    if "generator" in given:
        detections, tracks = GENERATORS[given["generator"]](**given["arguments"])
    else:
        detections = [(clip, frame, tuple(box), score) for clip, frame, box, score in given["detections"]]
        tracks = [(clip, {frame: tuple(box) for frame, box in regions}) for clip, regions in given["tracks"]]
    if inclusive:
        detections = [(clip, frame, half_open(box), score) for clip, frame, box, score in detections]
        tracks = [(clip, {frame: half_open(box) for frame, box in regions.items()}) for clip, regions in tracks]
    return detections, tracks, given["frames"]


def half_open(box: tuple) -> tuple:
    """The same box where its corners were inclusive."""
    return box[0], box[1], box[2] + 1, box[3] + 1


def laid_in_line(detections: list, tracks: list) -> tuple[Detections, list[Track]]:
    """All clips one after the other in time, in order of clip id."""
    clips = sorted({row[0] for row in detections} | {track[0] for track in tracks})
    frames = [row[1] for row in detections] + [frame for _, regions in tracks for frame in regions]
    start = {clip: index * (max(frames, default=0) + 1) for index, clip in enumerate(clips)}
    found = Detections(
        np.array([start[clip] + frame for clip, frame, _, _ in detections], dtype=np.int64),
        np.array([box for _, _, box, _ in detections], dtype=np.float64).reshape(-1, 4),
        np.array([score for _, _, _, score in detections], dtype=np.float64),
    )
    truth = [
        Track(
            str(number),
            np.array([start[clip] + frame for frame in sorted(regions)]),
            np.array([regions[frame] for frame in sorted(regions)]),
        )
        for number, (clip, regions) in enumerate(tracks)
    ]
    return found, truth


def difference(expected: Any, got: Any) -> float:
    """Largest absolute difference of two nested values; infinite where shape or definedness differ."""
    if isinstance(expected, list):
        if got is None or np.ndim(got) == 0 or len(got) != len(expected):
            return math.inf
        return max((difference(one, other) for one, other in zip(expected, got, strict=True)), default=0.0)
    if expected is None:
        return 0.0 if got is None else math.inf
    if got is None:
        return math.inf
    wanted, found = float(expected), float(got)
    return 0.0 if wanted == found else abs(wanted - found)
