"""The messages that docs/submit.md shows after common mistakes are those that people see."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from vadbench.datasets.facts import load_facts
from vadbench.prediction import Detections
from vadbench.submission import SubmissionWriter
from vadbench.validation import Validation, validate
from vadbench.validation.presentation import group_lines

PAGE = Path(__file__).parents[2] / "docs" / "submit.md"
CLIPS = load_facts("ucsd-ped2").known_clips()
METHOD = {"name": "My Method", "authors": ["A. Author"], "year": 2026, "code": "https://example.org/my-method"}
TRAINING = {"supervision": "one-class", "data": ["ucsd-ped2:train"], "pretrained": []}
COLUMNS = 80


def blocks() -> list[str]:
    """Blocks of messages, in the order of the page."""
    text = PAGE.read_text(encoding="utf-8")
    section = text[text.index("## Before you send it") :]
    section = section[: section.index("\n## ")]
    return re.findall(r"^```text\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)


def rows(frames: np.ndarray) -> Detections:
    return Detections(frames, np.tile([10, 20, 30, 50], (len(frames), 1)), np.arange(len(frames)) / 200)


def counted_from_1(path: Path) -> Validation:
    with SubmissionWriter(path, dataset="ucsd-ped2", method=METHOD, training=TRAINING) as writer:
        for clip in CLIPS:
            writer.write_clip(clip.id, detections=rows(np.arange(1, clip.frames + 1)))
    return validate(path)


def a_window(path: Path) -> Validation:
    with SubmissionWriter(path, dataset="ucsd-ped2", method=METHOD, training=TRAINING) as writer:
        for clip in CLIPS:
            writer.write_clip(clip.id, frame_scores=np.arange(clip.frames - 4, dtype=np.float32))
    return validate(path)


def transposed(path: Path) -> Validation:
    """By hand and without content: the shape alone is looked at."""
    with SubmissionWriter(path, dataset="ucsd-ped2", method=METHOD, training=TRAINING) as writer:
        writer.write_clip("01", score_maps=np.zeros((1, 2, 2), np.uint8))
    node = json.loads((path / "predictions.zarr/01/score_maps/zarr.json").read_text())
    group = (path / "predictions.zarr/01/zarr.json").read_bytes()
    for clip in CLIPS:
        folder = path / "predictions.zarr" / clip.id
        (folder / "score_maps/c/0/0").mkdir(parents=True, exist_ok=True)
        (folder / "score_maps/c/0/0/0").touch()
        (folder / "zarr.json").write_bytes(group)
        node["shape"] = node["chunk_grid"]["configuration"]["chunk_shape"] = [clip.frames, clip.width, clip.height]
        (folder / "score_maps/zarr.json").write_text(json.dumps(node))
    return validate(path, contents=False)


def up_to_255(path: Path) -> Validation:
    training = TRAINING | {"threshold_chosen_on": "training"}
    scale = {"threshold": 0.5, "lower": 0.0, "upper": 1.0}
    scores = np.arange(256, dtype=np.uint16).reshape(1, 16, 16).repeat(4, axis=0)
    with SubmissionWriter(path, dataset="folder", method=METHOD, training=training, score_maps=scale) as writer:
        writer.write_clip("01", score_maps=scores)
    return validate(path)


def a_missing_clip(path: Path) -> Validation:
    with SubmissionWriter(path, dataset="ucsd-ped2", method=METHOD, training=TRAINING) as writer:
        for clip in CLIPS:
            if clip.id != "07":
                writer.write_clip(clip.id, detections=rows(np.arange(clip.frames)))
    return validate(path)


MISTAKES: dict[Callable[[Path], Validation], tuple[str, ...]] = {
    counted_from_1: ("S141",),
    a_window: ("S104",),
    transposed: ("S105",),
    up_to_255: ("S152", "S157"),
    a_missing_clip: ("S103",),
}


def shown(result: Validation) -> Iterator[str]:
    for number, group in enumerate(result.groups):
        if number:
            yield ""
        yield from group_lines(group, COLUMNS)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_the_page_shows_what_people_see(mistake: Callable[[Path], Validation], tmp_path: Path) -> None:
    result = mistake(tmp_path / "my-method")
    assert tuple(group.code for group in result.groups) == MISTAKES[mistake]
    seen = "".join(f"{line}\n" for line in shown(result))
    assert blocks()[list(MISTAKES).index(mistake)] == seen


def test_the_page_shows_a_block_for_each_mistake() -> None:
    assert len(blocks()) == len(MISTAKES)
