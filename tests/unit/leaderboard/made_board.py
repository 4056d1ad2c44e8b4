"""Entries and whole repositories of a board, made of random reports: for tests of the board, and for its size."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from made_statistics import made_statistics

from vadbench import Report
from vadbench.comparison import ReportStatistics

REPOSITORY = Path(__file__).parents[3]


def write_entry(
    submissions: Path, method: str, report: Report, statistics: ReportStatistics | None, *, bibtex: str = ""
) -> Path:
    """Write an entry with a report, of ``standard`` or another protocol; gives its folder."""
    folder = submissions / method / report.dataset.id
    folder.mkdir(parents=True, exist_ok=True)
    protocol = str(report.parsed_signature.protocol)
    before = "" if protocol == "standard" else f"{protocol}."
    content = report.submission
    if not content["method"].keys() & {"code", "paper"}:
        content["method"]["code"] = f"https://example.org/{method}"
    if bibtex:
        content["method"]["bibtex"] = bibtex
    (folder / "submission.toml").write_text(metadata_text(report.dataset.id, content), encoding="utf-8")
    report.write(folder / f"{before}report.json")
    if statistics is not None:
        statistics.write(folder / f"{before}statistics.json")
    return folder


def metadata_text(dataset: str, content: dict[str, Any]) -> str:
    """`submission.toml` that says what the report says of its submission."""
    lines = [
        'format = "vadbench.submission/1"',
        f'dataset = "{dataset}"',
        f"predictions = {_toml(content['predictions'])}",
    ]
    for table in ("method", "training", "score_maps"):
        if table in content:
            lines += ["", f"[{table}]", *(f"{key} = {_toml(value)}" for key, value in content[table].items())]
    digest = content["fingerprint"]
    lines += ["", "[files]", f'url = "https://example.org/{digest[:8]}.zip"', f'sha256 = "{digest}"', ""]
    return "\n".join(lines)


def _toml(value: object) -> str:
    # JSON's texts, numbers and lists are TOML's, within the basic plane.
    return json.dumps(value, ensure_ascii=False)


def made_entry(
    repository: Path, seed: int, *, dataset: str = "ucsd-ped2", with_statistics: bool = True, **more: Any
) -> Path:
    """Write the entry ``method-SEED`` of a random method into a repository."""
    clips = {"ucsd-ped2": 12, "ucsd-ped1": 36, "avenue": 21, "shanghaitech": 107}[dataset]
    report, statistics = made_statistics(seed, dataset=dataset, n_clips=clips, **more)
    return write_entry(repository / "submissions", f"method-{seed}", report, statistics if with_statistics else None)


def made_repository(folder: Path, seeds: Sequence[int] = (1, 2, 3), *, dataset: str = "ucsd-ped2") -> Path:
    """Write a repository with entries, and the rows that papers print."""
    for seed in seeds:
        made_entry(folder, seed, dataset=dataset, quality=0.3 + 0.1 * (seed % 5))
    shutil.copytree(REPOSITORY / "leaderboard" / "published", folder / "leaderboard" / "published")
    return folder
