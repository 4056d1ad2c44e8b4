"""A submission for the tiny synthetic data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import vadbench

METHOD = {"name": "Sketch", "authors": [], "year": 2026, "code": "https://example.org/sketch"}
TRAINING = {"supervision": "one-class", "data": ["synthetic:train"], "pretrained": []}


def write_submission(path: Path, data: Path, *, threshold: float | None = 40_000) -> Path:
    """The truth, blurred by noise, as uint16 maps."""
    dataset = vadbench.open_dataset("synthetic", data)
    rng = np.random.default_rng(0)
    chosen = {} if threshold is None else {"threshold_chosen_on": "training"}
    with vadbench.SubmissionWriter(
        path,
        dataset=dataset,
        method=METHOD,
        training=TRAINING | chosen,
        score_maps=None if threshold is None else {"threshold": threshold},
    ) as writer:
        for clip in dataset.clips:
            masks = dataset.truth(clip.id).masks()
            noise = rng.integers(0, 30_000, masks.shape)
            writer.write_clip(clip.id, score_maps=(masks * 30_000 + noise).astype(np.uint16))
    return path
