"""Boards of made methods: what the pages are made of, without any data set, prediction or folder of entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from made_statistics import made_statistics

from leaderboard.board import Board, Citation, PublishedRow, PublishedTable, RankedRow, Ranking, Row, Withdrawn
from leaderboard.cache import BoardCache
from leaderboard.choices import Status
from leaderboard.estimates import report_estimates
from leaderboard.rankings import make_rankings

NAMES = (
    "Track Any Anomalous Object",
    "Memory of Normal Motion",
    "Two-Stream Autoencoder",
    "Prompted CLIP",
    "Background Model",
    "Frame Difference",
    "Random Scores",
)

_DATASETS = {"ucsd-ped2": 12, "shanghaitech": 107, "avenue": 21, "ucsd-ped1": 36}

HISTORY = """# History of the board

One line for each row that came, changed or went, the newest first; `python -m leaderboard build` adds them.

- 2026-03-02 `method-3/ucsd-ped2` Pixel-AP 41.20 → 42.31 (scored again with the definitions of \\*today\\*)
- 2026-02-11 `method-1/ucsd-ped2` new: &lt;Track&gt; Any Anomalous Object 1.0
- 2026-01-20 `old-method/avenue` withdrawn (the authors found an error)
"""


def made_row(
    seed: int,
    dataset: str = "ucsd-ped2",
    *,
    n_clips: int | None = None,
    protocol: str = "standard",
    name: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    statistics: bool = True,
    method: str | None = None,
    version: str = "1.0",
    bibtex: str | None = None,
) -> Row:
    """One row; better with a lower seed."""
    shown = name if name is not None else NAMES[seed % len(NAMES)] + ("" if seed < len(NAMES) else f" {seed}")
    quality = 0.15 + 0.7 / (1 + 0.35 * (seed % 37))
    report, own = made_statistics(
        seed, dataset=dataset, n_clips=n_clips or _DATASETS[dataset], quality=quality, protocol=protocol
    )
    year = 2024 + seed % 3
    key = f"author{year}m{seed}"
    supervision = ("one-class", "one-class", "one-class", "zero-shot", "fine-tuned")[seed % 5]
    table = metadata or {
        "format": "vadbench.submission/1",
        "dataset": dataset,
        "predictions": ["score_maps", "detections"],
        "method": {
            "name": shown,
            "version": version,
            "authors": ["A. Author", "B. Author"],
            "year": year,
            "paper": "https://example.org/paper",
            "code": "https://example.org/code",
            "description": "Made for a test: scores that follow the truth as far as its quality goes.",
        },
        "training": {
            "supervision": supervision,
            "data": [f"{dataset}:train"],
            "pretrained": [],
            "threshold_chosen_on": "none",
        },
        "files": {"url": "https://example.org/predictions.zip", "sha256": f"{seed:064x}"},
    }
    return Row(
        method=method or f"method-{seed}",
        dataset=dataset,
        name=shown,
        version=version,
        status=Status.VERIFIED if seed % 3 == 0 else Status.SUBMITTED,
        supervision=supervision,
        report=report,
        statistics=own if statistics else None,
        metadata=table,
        folder=Path("submissions") / f"method-{seed}" / dataset,
        report_sha256=f"{seed + 1:064x}",
        citation=Citation(key, bibtex or f"@misc{{{key},\n  title = {{{shown}}},\n  year = {{{year}}}\n}}"),
        protocol=protocol,
    )


def made_rankings(rows: Sequence[Row]) -> tuple[Ranking, ...]:
    """Rankings of rows, as the build makes them."""
    estimates = {
        row.key: report_estimates(row.report, statistics, row.key)
        for row in rows
        if (statistics := row.statistics) is not None
    }
    return make_rankings(rows, estimates, BoardCache(None))


def made_published() -> PublishedTable:
    """A paper's table, with cells as printed and rows told apart by a variant."""
    columns = {"pixel_auroc": "Pixel-AUROC", "rbdc": "RBDC", "tbdc": "TBDC"}
    rows = (
        PublishedRow(
            "AdaCLIP",
            "zero-shot",
            {},
            {"pixel_auroc": "51.02", "rbdc": "5.8", "tbdc": "10.6"},
            "adaclip",
            ("standard",),
        ),
        PublishedRow(
            "TAO", "partially fine-tuned", {}, {"pixel_auroc": "75.11", "rbdc": "83.6", "tbdc": "93.2"}, None, ()
        ),
    )
    return PublishedTable(
        "made-2025-table-1",
        "A paper 2025, Table 1",
        "Video anomaly detection with pixel and object metrics",
        "ucsd-ped2",
        columns,
        "The released evaluation averages over frames.",
        rows,
        Citation("paper2025", "@inproceedings{paper2025,\n  title = {A Paper},\n  year = {2025}\n}"),
    )


def board_of_methods(n_methods: int = 7, datasets: Sequence[str] = ("ucsd-ped2",), *, whole: bool = True) -> Board:
    """A board with rows of made methods on some data sets.

    Parameters
    ----------
    n_methods : int
        On each data set.
    datasets : sequence of str
    whole : bool
        With a second protocol, a row without statistics, a paper's table, an archive, withdrawn rows and a history.
    """
    rows = [made_row(seed, dataset) for dataset in datasets for seed in range(n_methods)]
    if whole:
        rows.append(made_row(99, datasets[0], statistics=False, name="Without Statistics"))
        rows += [made_row(seed, datasets[0], protocol="tao-release") for seed in range(min(3, n_methods))]
    archive = (replace(made_row(41, datasets[0]), method="old-method", name="Of an Older Version"),) if whole else ()
    withdrawn = (
        (Withdrawn("gone", "avenue", "Withdrawn Method", "standard", "2026-01-20", "the authors found an error"),)
        if whole
        else ()
    )
    return Board(
        made_rankings(rows),
        (made_published(),) if whole else (),
        archive,
        withdrawn,
        HISTORY if whole else "",
        {"adaclip": Citation("adaclip", "@inproceedings{adaclip,\n  title = {AdaCLIP}\n}")},
    )


def first_row(board: Board) -> RankedRow:
    """The best row of the first ranking."""
    return board.rankings[0].rows[0]
