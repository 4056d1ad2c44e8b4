"""Entries for tests: the committed one, copied and spoiled; and one with predictions, of the synthetic set."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

import vadbench

ROOT = Path(__file__).parents[3]
COMMITTED = ROOT / "submissions" / "tao-cpu" / "ucsd-ped2"
METHOD = {"name": "Sketch", "authors": [], "year": 2026, "code": "https://example.org/sketch"}
TRAINING = {
    "supervision": "one-class",
    "data": ["synthetic:train"],
    "pretrained": [],
    "threshold_chosen_on": "training",
}


def copied_entry(source: Path, folder: Path) -> Path:
    """The same entry below another ``submissions`` folder."""
    target = folder / "submissions" / source.parent.name / source.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, target)
    return target


def report_of(entry: Path, name: str = "report.json") -> dict:
    return json.loads((entry / name).read_text("utf-8"))


def write_report(entry: Path, report: dict, name: str = "report.json") -> None:
    (entry / name).write_text(json.dumps(report), "utf-8")


def codes(validation, severity: str = "error") -> list[str]:
    """Codes of one severity, in the order of the findings."""
    return [group.code for group in validation.groups if group.severity == severity]


def submission_of(path: Path, dataset, *, threshold: float = 40_000) -> Path:
    """The truth, blurred by noise, as uint16 maps."""
    rng = np.random.default_rng(0)
    writer = vadbench.SubmissionWriter(
        path, dataset=dataset, method=METHOD, training=TRAINING, score_maps={"threshold": threshold}
    )
    with writer:
        for clip in dataset.clips:
            masks = dataset.truth(clip.id).masks()
            maps = masks * 30_000 + rng.integers(0, 30_000, masks.shape)
            writer.write_clip(clip.id, score_maps=maps.astype(np.uint16))
    return path


def entry_of(submission: Path, dataset, folder: Path) -> Path:
    """An entry of a scored submission, as the five-minute path makes it."""
    entry = folder / "submissions" / "sketch" / dataset.id
    entry.mkdir(parents=True)
    shutil.copy(submission / "submission.toml", entry)
    vadbench.evaluate(vadbench.Submission.open(submission), dataset).write(entry / "report.json")
    return entry


def declare_files(entry: Path, url: str, sha256: str) -> None:
    """Add the table ``files`` to the metadata of an entry."""
    with (entry / "submission.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[files]\nurl = "{url}"\nsha256 = "{sha256}"\n')
