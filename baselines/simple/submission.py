"""A baseline's scores as a submission: clip by clip, whole or not there at all."""

from __future__ import annotations

import platform
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import scipy

import vadbench
from baselines.simple.baseline import BENCHMARK_PAPER, Baseline, Progress, Scorer, no_progress
from vadbench import Dataset, Detections, Submission, SubmissionError, SubmissionWriter, UsageError

YEAR = 2026


def write_submission(
    baseline: Baseline,
    dataset: Dataset,
    path: Path | str,
    *,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> Path:
    """Fit a baseline and write its submission.

    Parameters
    ----------
    baseline : Baseline
    dataset : Dataset
        With frames, and training clips where the baseline needs them; its truth is not read.
    path : path
        Folder to write. It appears when it is whole: everything is written beside it first.
    overwrite : bool
        Replace a submission that is there; anything else is never replaced.
    progress : callable, optional
        Called with (what is being done, clips done, all clips).

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        B101, B102 if something is in the way.
    DataError
        Where frames cannot be read, or training clips are needed and absent.

    Notes
    -----
    The same baseline and data give the same bytes. Memory holds a few frames.
    """
    target = Path(path)
    check_place(target, overwrite=overwrite)
    scorer = baseline.fit(dataset, progress)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
        made = Path(folder) / "submission"
        with SubmissionWriter(
            made,
            dataset=dataset,
            method=_method(baseline),
            training=_training(baseline, scorer),
            score_maps=_score_maps(scorer),
            provenance=_provenance(baseline),
        ) as writer:
            for done, clip in enumerate(dataset.clips, start=1):
                with writer.clip(clip.id, dtype=np.uint16) as part:
                    for scores in scorer.scores(clip):
                        part.write_score_maps(scorer.score_range.stored(scores))
                    if scorer.detections is not None:
                        part.write_detections(_stored(scorer.detections(clip), scorer))
                progress("scoring", done, len(dataset.clips))
        if target.exists():
            # Moved aside, not deleted in place: if the second rename fails, the old one is still whole.
            target.rename(Path(folder) / "old")
        made.rename(target)
    return target


def check_place(target: Path, *, overwrite: bool) -> None:
    """Raise `UsageError` B101 or B102 unless there is nothing, an empty folder, or a submission to overwrite."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    try:
        Submission.open(target)
    except SubmissionError as error:
        raise UsageError(
            "B102",
            "what is at the place of the submission is none, and is left alone",
            where=str(target),
            hint="choose another folder",
        ) from error
    if not overwrite:
        raise UsageError(
            "B101",
            "there is a submission already",
            where=str(target),
            hint="give another folder, or --overwrite to replace it",
        )


def _method(baseline: Baseline) -> dict[str, Any]:
    addresses = {"paper": baseline.paper, "code": baseline.code}
    return {
        "name": baseline.title,
        "version": vadbench.__version__,
        "authors": list(baseline.authors),
        "year": YEAR,
        **{kind: address for kind, address in addresses.items() if address},
        "description": _description(baseline),
    }


def _description(baseline: Baseline) -> str:
    sentences = [baseline.summary]
    if parameters := baseline.parameters():
        sentences.append(f"Parameters: {', '.join(f'{name} {value}' for name, value in parameters.items())}.")
    if baseline.paper == BENCHMARK_PAPER:
        sentences.append("The paper is that of the benchmark.")
    return " ".join(sentences)


def _training(baseline: Baseline, scorer: Scorer) -> dict[str, Any]:
    return {
        "supervision": baseline.supervision,
        "data": list(scorer.training_data),
        "pretrained": [],
        "threshold_chosen_on": "none" if scorer.threshold is None else "training",
    }


def _score_maps(scorer: Scorer) -> dict[str, Any]:
    declared = {} if scorer.threshold is None else {"threshold": scorer.threshold}
    return {**declared, "lower": scorer.score_range.lower, "upper": scorer.score_range.upper}


def _provenance(baseline: Baseline) -> dict[str, Any]:
    return {
        "baseline": baseline.name,
        "parameters": baseline.parameters(),
        "versions": {
            "vadbench": vadbench.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "python": platform.python_version(),
        },
    }


def _stored(detections: Detections, scorer: Scorer) -> Detections:
    """The same boxes with scores in stored units, as every score of a submission."""
    scores = scorer.score_range.stored(detections.scores).astype(np.float32)
    return Detections(detections.frames, detections.boxes, scores, detections.objects)
