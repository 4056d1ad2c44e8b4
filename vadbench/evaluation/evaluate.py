"""The loop: predictions and a data set, clip by clip, become a report.

Source: architecture, "The loop".
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from vadbench.datasets.base import Dataset
from vadbench.datasets.fingerprint import dataset_fingerprint, tracks_fingerprint
from vadbench.errors import DataError, UsageError
from vadbench.evaluation.clip import ClipStatistics, ClipTask
from vadbench.evaluation.executors import Progress, number_of_workers
from vadbench.evaluation.kept_results import KeptResults
from vadbench.evaluation.loop import work_on_clips
from vadbench.evaluation.memory import peak_memory_bytes
from vadbench.evaluation.predictions import MemoryPredictions, PredictionSource, StoredPredictions
from vadbench.evaluation.report import CurvePoints, DatasetIdentity, Report, Run
from vadbench.evaluation.scores import score_clips
from vadbench.evaluation.sources import choose_sources
from vadbench.evaluation.warnings import declaration_warnings, score_map_warnings, truth_warnings
from vadbench.metrics.curves import Curve
from vadbench.metrics.operating_points import OperatingPoints
from vadbench.prediction import Prediction
from vadbench.protocol.protocol import Protocol
from vadbench.protocol.signature import Signature
from vadbench.protocol.titles import chosen_metrics
from vadbench.version import __version__

if TYPE_CHECKING:
    from vadbench.submission import Submission


def evaluate(
    submission: Submission | PredictionSource | Mapping[str, Prediction] | str | os.PathLike[str],
    dataset: Dataset,
    protocol: Protocol | str = "standard",
    metrics: str | Sequence[str] = "all",
    *,
    threshold: float | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    kept: KeptResults | None = None,
    reads_again: bool = False,
) -> Report:
    """Score predictions on a data set.

    Parameters
    ----------
    submission : Submission or its path, or mapping from clip id to Prediction
        On disk or in memory; both give the same scores.
    dataset : Dataset
        Its truth is enough; frames are not read.
    protocol : Protocol or str
        A preset, or a variant as a signature writes it.
    metrics : str or sequence of str
        ``all``, or keys such as ``pixel_auroc``.
    threshold : float, optional
        Declared threshold of score maps in memory, in their units; a submission on disk brings its own.
    executor : concurrent.futures.Executor, optional
        Where the clips are worked on, such as `ProcessWorkers` or `DaskWorkers`; in this process if absent. The
        numbers are the same bit for bit, because statistics are folded in order of clip id.
    progress : callable, optional
        Called after each clip with (clips done, all clips, clip id).
    kept : KeptResults, optional
        Folder in which what was computed of each clip is kept, and taken from where nothing has changed, so that a run
        that was ended goes on with the rest.
    reads_again : bool
        Read the files of the truth even where its cache holds what was read before.

    Returns
    -------
    Report

    Raises
    ------
    SubmissionError
        Where predictions do not fit the data set (before any heavy work), or a value is wrong.
    DataError
        Where the truth cannot be read.
    ProtocolError, UsageError
        Where the protocol or a metric does not exist.
    """
    return evaluation_of(
        submission,
        dataset,
        protocol,
        metrics,
        threshold=threshold,
        executor=executor,
        progress=progress,
        kept=kept,
        reads_again=reads_again,
    ).report


@dataclass(frozen=True)
class Evaluation:
    """A report, and what it was made of.

    Parameters
    ----------
    report : Report
    tasks : list of ClipTask
        In order of clip id.
    clips : list of ClipStatistics
        One a task; pixels that were folded are `FoldedPixels`.
    common : OperatingPoints or None
        Of the pixels of all clips, where they were folded.
    """

    report: Report
    tasks: list[ClipTask]
    clips: list[ClipStatistics]
    common: OperatingPoints | None


def evaluation_of(
    submission: Submission | PredictionSource | Mapping[str, Prediction] | str | os.PathLike[str],
    dataset: Dataset,
    protocol: Protocol | str = "standard",
    metrics: str | Sequence[str] = "all",
    *,
    threshold: float | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    kept: KeptResults | None = None,
    reads_again: bool = False,
) -> Evaluation:
    """Do the work of `evaluate`, and give the statistics of clips beside the report; arguments and errors are its."""
    began = time.perf_counter()
    chosen = Protocol.parse(protocol) if isinstance(protocol, str) else protocol
    keys = chosen_metrics(metrics)
    predictions = _as_source(submission, threshold)
    if not dataset.clips:
        raise DataError("D361", f"{dataset.id} has no test clips")
    predictions.check_against(dataset)
    sources = choose_sources(predictions.kinds, predictions.threshold, chosen)
    tasks = [
        ClipTask(
            dataset.only(clip.id),
            predictions.only(clip.id),
            clip.id,
            chosen,
            sources,
            keys,
            spare_thread=executor is None,
            reads_again=reads_again,
        )
        for clip in dataset.clips
    ]
    worked = work_on_clips(tasks, executor, progress, kept)
    clips = worked.statistics
    scored = score_clips(clips, chosen, sources, keys, common=worked.common)
    identity = _identity(dataset, clips)
    tracks = identity.tracks + (f":{identity.tracks_fingerprint[:8]}" if identity.tracks_fingerprint else "")
    fingerprint = predictions.fingerprint_of([line for clip in clips for line in clip.content_lines])
    report = Report(
        signature=str(Signature(dataset.id, identity.fingerprint[:8], tracks, chosen, __version__)),
        dataset=identity,
        submission={"fingerprint": fingerprint, **predictions.description()},
        scores=scored.scores,
        warnings=[
            *truth_warnings(dataset, identity.fingerprint, identity.tracks_fingerprint),
            *score_map_warnings(clips, predictions.threshold),
            *declaration_warnings(predictions.description()),
        ],
        clips=worked.rows,
        curves={name: _points(curve) for name, curve in scored.curves.items()},
        run=_run(time.perf_counter() - began, executor, len(tasks)),
    )
    return Evaluation(report, tasks, clips, worked.common)


def _as_source(
    submission: Submission | PredictionSource | Mapping[str, Prediction] | str | os.PathLike[str],
    threshold: float | None,
) -> PredictionSource:
    if isinstance(submission, Mapping):
        return MemoryPredictions(submission, threshold)
    if threshold is not None:
        raise UsageError(
            "U144",
            "a submission brings its own threshold",
            got=f"threshold={threshold}",
            hint="leave the argument out; it is for predictions in memory",
        )
    from vadbench.submission import Submission

    if isinstance(submission, str | os.PathLike):
        submission = Submission.open(submission)
    return StoredPredictions(submission) if isinstance(submission, Submission) else submission


def _identity(dataset: Dataset, clips: Sequence[ClipStatistics]) -> DatasetIdentity:
    """Identity of the data as the workers read them, so that nothing is read twice."""
    lines = [line for clip in clips for line in clip.track_lines]
    derived = dataset.track_source == "mask-overlap"
    return DatasetIdentity(
        id=dataset.id,
        fingerprint=dataset_fingerprint(dataset.id, (clip.truth_bytes for clip in clips)),
        clips=len(clips),
        frames=sum(clip.clip.frames for clip in clips),
        tracks=dataset.track_source,
        tracks_fingerprint=None if derived else tracks_fingerprint(lines),
    )


def _points(curve: Curve) -> CurvePoints:
    thin = curve.thinned()
    return CurvePoints(x=thin.x.tolist(), y=thin.y.tolist())


def _run(seconds: float, executor: Executor | None, tasks: int) -> Run:
    return Run(
        vadbench=__version__,
        python=platform.python_version(),
        numpy=np.__version__,
        platform=platform.platform(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
        # Of this process, and of its workers where they say.
        peak_memory_bytes=peak_memory_bytes() + int(getattr(executor, "peak_memory_bytes", 0)),
        workers=min(number_of_workers(executor) or 1, tasks),
    )
