"""What pages show of the statistics beside a report: timelines and mistakes. Made once and kept, like the intervals.

Reading the statistics of two thousand reports and computing every score without each clip takes minutes; what comes of
it depends on report, statistics and code alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from leaderboard.board import Row
from leaderboard.cache import BoardCache, key_of, page_code_digest
from leaderboard.processes import answers, process_pool
from leaderboard.site.method_data import timeline_clips
from leaderboard.site.mistakes import CaseTable, mistakes_of
from leaderboard.site.timelines import describe, timeline_picture, timelines

if TYPE_CHECKING:
    from vadbench.comparison import ReportStatistics

Progress = Callable[[str, int, int], None]

PICTURES = "s0-time"
"""Begins the ids of the timelines' pictures: they stand in the first section of their page."""

_MANY_CLIPS, _FEW_COLUMNS = 30, 150
_BATCH = 64
_FEW = 8
"""Rows that are worked through in this process: others take a second to start."""


@dataclass(frozen=True)
class TimelineFigure:
    """One clip's timeline, ready to be printed."""

    clip: str
    frames: int
    words: str
    picture: str


@dataclass(frozen=True)
class StatisticsParts:
    """Parts of one report's page.

    Parameters
    ----------
    figures : tuple of TimelineFigure
    clips : str
        JSON of the frames of each clip, for the script that enlarges a timeline; empty where there are none.
    mistakes : tuple of CaseTable
    """

    figures: tuple[TimelineFigure, ...] = ()
    clips: str = ""
    mistakes: tuple[CaseTable, ...] = ()

    def to_bytes(self) -> bytes:
        """Everything as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> StatisticsParts:
        """Read back what `to_bytes` gave."""
        content: dict[str, Any] = json.loads(data)
        return cls(
            tuple(TimelineFigure(**own) for own in content["figures"]),
            content["clips"],
            tuple(
                CaseTable(own["title"], own["sentence"], tuple(own["columns"]), tuple(map(tuple, own["rows"])))
                for own in content["mistakes"]
            ),
        )


def make_parts(row: Row, statistics: ReportStatistics | None) -> StatisticsParts:
    """Timelines and mistakes of a row; nothing where it has no statistics."""
    if statistics is None:
        return StatisticsParts()
    clips = timelines(statistics)
    columns = {} if len(clips) <= _MANY_CLIPS else {"columns": _FEW_COLUMNS}
    figures = tuple(
        TimelineFigure(
            timeline.clip,
            timeline.frames,
            describe(timeline),
            timeline_picture(f"{PICTURES}-{index}", timeline, **columns),
        )
        for index, timeline in enumerate(clips)
    )
    return StatisticsParts(figures, timeline_clips(clips) if clips else "", mistakes_of(row.report, statistics))


def all_parts(
    rows: Sequence[Row], cache: BoardCache, *, workers: int | None = None, progress: Progress | None = None
) -> Iterator[StatisticsParts]:
    """Parts of each row, in order; those that are not kept are made, by several processes where they are many.

    Some dozens are in memory at a time, whatever the number of rows.
    """
    n_workers = workers or os.cpu_count() or 1
    waiting = iter(rows)
    done = 0
    with ExitStack() as stack:
        pool: ProcessPoolExecutor | None = None
        while batch := list(islice(waiting, _BATCH)):
            keys = [_key(row) for row in batch]
            kept = [None if key is None else cache.read(key) for key in keys]
            missing = [row for row, content in zip(batch, kept, strict=True) if content is None]
            if pool is None and len(missing) > _FEW and n_workers > 1:
                pool = process_pool(n_workers)
                stack.callback(pool.shutdown, cancel_futures=True)
            made = iter(_made(missing, pool))
            for key, known in zip(keys, kept, strict=True):
                if progress is not None:
                    progress("writing pages", done, len(rows))
                done += 1
                content = next(made) if known is None else known
                if known is None and key is not None:
                    cache.write(key, content)
                yield StatisticsParts.from_bytes(content)


def _key(row: Row) -> str | None:
    """What the parts of a row are kept by; None where they cannot be, or need not be."""
    sha256 = row.statistics_sha256
    return None if sha256 is None else key_of("pages", page_code_digest(), row.report_sha256, sha256)


def _made(rows: Sequence[Row], pool: ProcessPoolExecutor | None) -> Iterator[bytes]:
    done = 0
    if pool is not None:
        try:
            for content in answers(pool, _content, rows, chunksize=4):
                yield content
                done += 1
        except BrokenProcessPool:
            # A process ran out of memory, or could not even begin: the rest is worked through here.
            pass
    yield from map(_content, rows[done:])


def _content(row: Row) -> bytes:
    return make_parts(row, row.statistics).to_bytes()
