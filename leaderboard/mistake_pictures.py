"""Pictures of what methods do wrong, for their pages: the largest missed track and the highest false positive.

They are drawn where predictions and data set are at hand, which a build needs for nothing else.

Source: docs/leaderboard.md, "Pages".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from leaderboard.board import Board, Row
from leaderboard.entries import Progress
from leaderboard.errors import LeaderboardError
from vadbench import Dataset, Submission, open_dataset
from vadbench.failures import FalsePositives, TrackFailures, failures
from vadbench.overlay import write_clip_overlay

_STANDARD = "standard"


def draw_mistakes(
    board: Board, predictions: Path, data: Mapping[str, Path], folder: Path, progress: Progress | None = None
) -> int:
    """Draw pictures into ``FOLDER/METHOD/DATASET``, and give the number of methods that have some.

    Parameters
    ----------
    board : Board
    predictions : Path
        Submissions, ``METHOD/DATASET`` or ``METHOD/DATASET.zip``; methods without one are passed over.
    data : mapping from id to Path
        Data sets with frames; others are passed over.
    folder : Path
    progress : callable, optional

    Raises
    ------
    LeaderboardError
        L125 where predictions are not those of the report.
    """
    rows = [
        ranked.row
        for ranking in board.rankings
        for ranked in ranking.rows
        if ranking.protocol == _STANDARD and ranked.row.dataset in data and _place(predictions, ranked.row) is not None
    ]
    datasets: dict[str, Dataset] = {}
    for number, row in enumerate(rows):
        if progress is not None:
            progress("drawing mistakes", number, len(rows))
        if row.dataset not in datasets:
            datasets[row.dataset] = open_dataset(row.dataset, data[row.dataset])
        _draw(row, _place(predictions, row), datasets[row.dataset], folder / row.method / row.dataset)
    return len(rows)


def _place(predictions: Path, row: Row) -> Path | None:
    """Submission of a row, as far as there is one."""
    folder = predictions / row.method / row.dataset
    packed = folder.with_name(f"{row.dataset}.zip")
    return folder if folder.is_dir() else packed if packed.is_file() else None


def _draw(row: Row, place: Path | None, dataset: Dataset, folder: Path) -> None:
    if place is None:
        return
    submission = Submission.open(place)
    if submission.fingerprint != row.report.submission.get("fingerprint"):
        raise LeaderboardError(
            "L125",
            "the predictions are not those of the report",
            where=(row.key, str(place)),
            expected=f"the fingerprint {row.report.submission.get('fingerprint')}",
            got=submission.fingerprint,
            hint="take them away, or give those that were scored",
        )
    for clip_id, frame, what in _mistakes(row):
        folder.mkdir(parents=True, exist_ok=True)
        write_clip_overlay(
            folder / f"{clip_id}, frame {frame}, {what}.png",
            dataset,
            {row.name: submission},
            clip_id,
            frames=(frame, frame + 1),
        )


def _mistakes(row: Row) -> Iterator[tuple[str, int, str]]:
    """Clip, frame and kind of the mistakes that are drawn."""
    statistics = row.statistics
    if statistics is None:
        return
    found = failures(row.report, statistics, metrics=())
    if isinstance(found.tracks, TrackFailures) and found.tracks.missed:
        look = found.tracks.missed[0].look
        yield look.clip, look.frame, "missed track"
    if isinstance(found.false_positives, FalsePositives) and found.false_positives.cases:
        case = found.false_positives.cases[0]
        yield case.clip, case.frame, "false positive"
