"""Identity of a submission: the documented hash, made at once or clip by clip."""

import copy
import hashlib

import numpy as np
import pytest
from made_submissions import (
    METHOD,
    clip_of,
    detections,
    instances,
    write,
)

from vadbench.submission import Submission


def test_fingerprint_is_the_documented_hash(tmp_path):
    scores = np.array([[[1, 2]], [[3, 4]]], dtype=np.uint16)
    path = write(tmp_path / "m", {"01": {"score_maps": scores, "frame_scores": np.array([1.5, 2.5])}})

    def line(name, dtype, shape, content):
        return b"\0".join((name, dtype, shape, hashlib.sha256(content).hexdigest().encode())) + b"\n"

    expected = hashlib.sha256(
        b"vadbench-submission/1\n"
        + line(b"predictions.zarr/01/frame_scores", b"float64", b"2", np.array([1.5, 2.5], "<f8").tobytes())
        + line(b"predictions.zarr/01/score_maps", b"uint16", b"2,1,2", scores.astype("<u2").tobytes())
        + line(b"submission.toml", b"", b"", (path / "submission.toml").read_bytes())
    ).hexdigest()
    assert Submission.open(path).fingerprint == expected


def test_workers_can_hash_while_they_read(full):
    submission = Submission.open(full)
    lines = []
    for clip_id in reversed(submission.clip_ids):
        hasher = hashlib.sha256()
        for _, block in submission.clip(clip_id).maps.blocks():
            hasher.update(block.astype(block.dtype.newbyteorder("<")).tobytes())
        lines += submission.content_lines(clip_id, score_maps_sha256=hasher.hexdigest())
    assert submission.fingerprint_of(lines) == submission.fingerprint


@pytest.mark.parametrize("part", ["score_maps", "instances", "detections", "frame_scores", "metadata"])
def test_fingerprint_sees_every_part(tmp_path, part):
    parts = clip_of()
    first = Submission.open(write(tmp_path / "a", {"01": parts})).fingerprint
    changed = copy.copy(parts)
    method = dict(METHOD)
    if part == "metadata":
        method["name"] = "N"
    elif part in ("score_maps", "frame_scores"):
        changed[part] = parts[part] + 1
    else:
        changed[part] = {"instances": instances(seed=9), "detections": detections((1, 1, 2))}[part]
    assert Submission.open(write(tmp_path / "b", {"01": changed}, method=method)).fingerprint != first
