"""Entries for the board, written from reports of made methods: what ``submissions/METHOD/DATASET`` holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from vadbench.evaluation.report import ClipRow, Report, Score
from vadbench.evaluation.report_statistics import ReportStatistics
from vadbench.protocol.protocol import BoxesFrom
from vadbench.submission.toml_text import write_toml

_FILES = {"url": "https://example.org/predictions.zip", "sha256": "5" * 64}
_PREDICTIONS = ["score_maps", "instances", "detections"]


def fit_for_an_entry(
    report: Report, *, method: dict[str, Any] | None = None, training: dict[str, Any] | None = None
) -> Report:
    """The report as an entry has it: without the run, with metadata that its ``submission.toml`` may hold."""
    given = {
        **report.submission,
        "predictions": _PREDICTIONS,
        "method": {"code": "https://example.org/code", **(method or report.submission["method"])},
        "training": {**report.submission["training"], **(training or {})},
    }
    if training is None and given["training"]["supervision"] == "zero-shot":
        given["training"]["data"] = []
    update = {"submission": given, "scores": report.scores, "clips": [_of_one_clip(row) for row in report.clips]}
    if report.parsed_signature.protocol.object.boxes_from is BoxesFrom.INSTANCES:
        update["scores"] = _from_instances(report.scores)
        update["clips"] = [row.model_copy(update={"scores": _from_instances(row.scores)}) for row in update["clips"]]
    return report.model_copy(update={**update, "run": None})


def _of_one_clip(row: ClipRow) -> ClipRow:
    """The row with the reason that a clip has: all clips of made methods have an anomalous frame."""
    reasons = {
        key: Score(value=None, reason="there is no normal frame")
        for key, score in row.scores.items()
        if key == "frame_auroc_micro" and score.value is None
    }
    return row.model_copy(update={"scores": {**row.scores, **reasons}})


def _from_instances(scores: dict[str, Score]) -> dict[str, Score]:
    return {
        key: score.model_copy(update={"source": "instances"}) if score.source == "detections" else score
        for key, score in scores.items()
    }


def write_entry(
    submissions: Path, name: str, report: Report, statistics: ReportStatistics | None, *, standard: Report | None = None
) -> Path:
    """Write an entry of one report, or add one of another protocol to it.

    Parameters
    ----------
    submissions : Path
    name : str
        Of the method's folder.
    report : Report
        As `fit_for_an_entry` gives it.
    statistics : ReportStatistics or None
    standard : Report, optional
        That of the protocol ``standard``, where `report` is one more of the same predictions.
    """
    folder = submissions / name / report.dataset.id
    folder.mkdir(parents=True, exist_ok=True)
    protocol = str(report.parsed_signature.protocol)
    beginning = "" if protocol == "standard" else f"{protocol}."
    if standard is not None:
        report = report.model_copy(update={"submission": standard.submission})
        fingerprint = str(standard.submission["fingerprint"])
        statistics = statistics and replace(statistics, fingerprint=fingerprint)
    else:
        (folder / "submission.toml").write_bytes(metadata_text(report))
    (folder / f"{beginning}report.json").write_text(report.to_json(run=False), encoding="utf-8")
    if statistics is not None:
        (folder / f"{beginning}statistics.json").write_text(statistics.to_json(), encoding="utf-8")
    return folder


def metadata_text(report: Report) -> bytes:
    """``submission.toml`` of a report."""
    given = report.submission
    tables = {key: dict(given[key]) for key in ("method", "training", "score_maps") if given.get(key)}
    return write_toml(
        {
            "format": "vadbench.submission/1",
            "dataset": report.dataset.id,
            "predictions": list(given["predictions"]),
            **tables,
            "files": _FILES,
        }
    )
