"""Intervals and resampled values of every report, made once and kept by the digests of report and statistics.

Source: docs/leaderboard.md, "Cache"; docs/statistics.md, "Resampling".
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaderboard.cache import BoardCache, key_of
from leaderboard.entries import Entry, Progress
from leaderboard.errors import LeaderboardError, SeveralProblemsError
from leaderboard.processes import answers, process_pool
from vadbench import Report, UsageError, VadbenchError
from vadbench.comparison import (
    FEWEST_BEHIND,
    Interval,
    ReportStatistics,
    Unit,
    clips_behind,
    interval,
    n_behind,
    replicates,
    why_not_resampled,
)

RESAMPLES, SEED, CONFIDENCE = 1000, 0, 0.95
"""Of every interval and rank range of the board; printed with them."""

_FEW = 8
"""Reports that are worked through in this process: others take a second to start."""

_CHUNK = 4


@dataclass(frozen=True)
class StoredStatistics:
    """Statistics in a file beside a report, read when they are asked for; the last few are remembered.

    Parameters
    ----------
    path : Path
    sha256 : str
    """

    path: Path
    sha256: str

    def __call__(self) -> ReportStatistics:
        """Read them."""
        return _read(self.path, self.sha256)


@lru_cache(maxsize=4)
def _read(path: Path, sha256: str) -> ReportStatistics:
    return ReportStatistics.read(path)


@dataclass(frozen=True)
class ReportEstimates:
    """What resampling says of one report.

    Parameters
    ----------
    key : str
        Of report, statistics and code.
    clips, scenes : mapping from metric to Interval
        Without metrics that have no value in any resample, or that rest on fewer than three clips, or scenes; `scenes`
        is empty where all clips share one camera.
    replicates, scene_replicates : mapping from metric to (B,) float64
        In the resamples of clips, and of scenes; NaN where a resample has no value.
    effect : float
        Largest difference that the levels of the statistics make to a score.
    """

    key: str
    clips: Mapping[str, Interval]
    scenes: Mapping[str, Interval]
    replicates: Mapping[str, NDArray[np.float64]]
    scene_replicates: Mapping[str, NDArray[np.float64]]
    effect: float

    def to_bytes(self) -> bytes:
        """One line of JSON, then the replicates."""
        head = {
            "clips": {metric: own.to_table() for metric, own in self.clips.items()},
            "scenes": {metric: own.to_table() for metric, own in self.scenes.items()},
            "metrics": list(self.replicates),
            "scene_metrics": list(self.scene_replicates),
            "effect": self.effect,
        }
        rows = [*self.replicates.values(), *self.scene_replicates.values()]
        values = [np.asarray(own, dtype="<f8").tobytes() for own in rows]
        return b"\n".join([json.dumps(head, allow_nan=False).encode(), b"".join(values)])

    @classmethod
    def from_bytes(cls, key: str, data: bytes) -> ReportEstimates:
        """Read back what `to_bytes` gave."""
        line, _, rest = data.partition(b"\n")
        head = json.loads(line)
        metrics, scene_metrics = head["metrics"], head["scene_metrics"]
        n_rows = len(metrics) + len(scene_metrics)
        values = np.frombuffer(rest, dtype="<f8").reshape(n_rows, -1) if n_rows else np.empty((0, 0))
        return cls(
            key,
            {metric: _interval(own) for metric, own in head["clips"].items()},
            {metric: _interval(own) for metric, own in head["scenes"].items()},
            dict(zip(metrics, values[: len(metrics)], strict=True)),
            dict(zip(scene_metrics, values[len(metrics) :], strict=True)),
            head["effect"],
        )


def _interval(table: dict[str, Any]) -> Interval:
    return Interval(**{**table, "unit": Unit(table["unit"])})


def report_estimates(report: Report, statistics: ReportStatistics, key: str = "") -> ReportEstimates:
    """Intervals of a report's metrics by clips and by scenes, and the values behind both.

    Raises
    ------
    UsageError
        U265 where the statistics are not of this report.
    """
    identity = report.dataset.id, statistics.clip_ids
    found: dict[Unit, dict[str, NDArray[np.float64]]] = {}
    behind = clips_behind(report, statistics)
    for unit in Unit:
        if why_not_resampled(*identity, unit) is None:
            rows = replicates(report, statistics, resamples=RESAMPLES, seed=SEED, unit=unit)
            # Of one or two clips neither an interval nor a rank says anything.
            found[unit] = {
                metric: values
                for metric, values in rows.items()
                if n_behind(*identity, behind[metric], unit) >= FEWEST_BEHIND
            }
    intervals: dict[Unit, dict[str, Interval]] = {
        unit: {
            metric: interval(values, confidence=CONFIDENCE, unit=unit, seed=SEED)
            for metric, values in own.items()
            if not np.isnan(values).all()
        }
        for unit, own in found.items()
    }
    effect = max((abs(value) for value in (statistics.effect or {}).values()), default=0.0)
    return ReportEstimates(
        key,
        intervals.get(Unit.CLIPS, {}),
        intervals.get(Unit.SCENES, {}),
        found.get(Unit.CLIPS, {}),
        found.get(Unit.SCENES, {}),
        effect,
    )


def all_estimates(
    entries: Sequence[Entry], cache: BoardCache, progress: Progress | None = None, *, workers: int | None = None
) -> dict[str, ReportEstimates]:
    """Estimates of every report with statistics, by the name of its row; outdated reports have none.

    Parameters
    ----------
    entries : sequence of Entry
    cache : BoardCache
    progress : callable, optional
    workers : int, optional
        Processes; as many as there are cores if absent.

    Raises
    ------
    SeveralProblemsError
        L112 for statistics that are not of their report, or that cannot be read.
    """
    wanted: dict[str, tuple[Report, Path]] = {}
    keys: dict[str, str] = {}
    for entry in entries:
        for name, own in zip(entry.keys, entry.reports, strict=True):
            if own.statistics is not None and not own.outdated:
                wanted[name] = own.report, own.statistics
                settings = f"{RESAMPLES} {SEED} {CONFIDENCE}"
                keys[name] = key_of("estimates", settings, own.sha256, own.statistics_sha256)
    found: dict[str, ReportEstimates] = {}
    for name, key in keys.items():
        kept = cache.read(key)
        if kept is not None:
            found[name] = ReportEstimates.from_bytes(key, kept)
    missing = {name: own for name, own in wanted.items() if name not in found}
    problems: list[VadbenchError] = []
    for number, (name, result) in enumerate(_made(missing, workers)):
        if progress is not None:
            progress("resampling clips", number, len(missing))
        if isinstance(result, VadbenchError):
            problems.append(_unfit(name, result))
            continue
        key = keys[name]
        cache.write(key, result)
        found[name] = ReportEstimates.from_bytes(key, result)
    if problems:
        raise SeveralProblemsError(problems)
    return {name: found[name] for name in wanted}


def _made(
    missing: Mapping[str, tuple[Report, Path]], workers: int | None
) -> Iterator[tuple[str, bytes | VadbenchError]]:
    """Yield name and bytes, or the error, of each report, in order."""
    jobs = list(missing.values())
    n_workers = min(workers or os.cpu_count() or 1, len(jobs))
    if len(jobs) <= _FEW or n_workers == 1:
        yield from zip(missing, map(_answer, jobs), strict=True)
        return
    done = 0
    pool = process_pool(n_workers)
    names = list(missing)
    try:
        for answer in answers(pool, _answer, jobs, chunksize=_CHUNK):
            yield names[done], answer
            done += 1
    except BrokenProcessPool:
        # A process ran out of memory, or could not even begin: the rest is worked through here.
        pass
    finally:
        pool.shutdown(cancel_futures=True)
    for name, job in zip(names[done:], jobs[done:], strict=True):
        yield name, _answer(job)


def _answer(job: tuple[Report, Path]) -> bytes | VadbenchError:
    report, statistics = job
    try:
        return report_estimates(report, ReportStatistics.read(statistics)).to_bytes()
    except VadbenchError as error:
        return error


def _unfit(name: str, error: VadbenchError) -> VadbenchError:
    if not isinstance(error, UsageError):
        return error
    return LeaderboardError(
        "L112",
        f"the statistics beside a report cannot be used: {error.message}",
        where=name,
        expected=error.expected,
        got=error.got,
        hint=error.hint,
    )
