"""Statistics beside a report read from bytes that may be a stranger's: every type, shape, sum and order is checked.

What a list expands to is known before it is expanded.

Source: docs/report-statistics.md, "Format".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from vadbench.errors import ProtocolError, quoted
from vadbench.evaluation.report_statistics import (
    MOST_FALSE_POSITIVES,
    ClipSums,
    Counts,
    FalsePositive,
    FlaggedFrames,
    FrameRanks,
    ObjectCounts,
    PixelCounts,
    ReportStatistics,
    TrackSummary,
)
from vadbench.evaluation.statistics_consistency import require_consistent
from vadbench.evaluation.statistics_file import (
    COVERAGE_UNIT,
    FORMAT,
    LARGEST_LENGTH,
    LONGEST_TEXT,
    MOST_CELLS,
    MOST_FRAMES,
    MOST_KEYS,
    MOST_OBJECTS,
    MOST_VALUES,
    STATISTICS_LEVELS,
    PixelsAtThreshold,
    StatisticsFile,
    TrackInFile,
)
from vadbench.evaluation.statistics_requirement import require
from vadbench.protocol.signature import Signature
from vadbench.submission.checked_json import parse_json
from vadbench.submission.metadata_values import text_fault

if TYPE_CHECKING:
    from vadbench.protocol.protocol import Protocol


def read_statistics_text(data: bytes) -> ReportStatistics:
    """Read statistics from bytes that may be a stranger's.

    Parameters
    ----------
    data : bytes
        At most `LARGEST_STATISTICS`; the caller has bounded them.

    Raises
    ------
    ValueError
        With one line that says what is wrong.
    """
    # Every value but the first stands behind one of these signs: most is refused before anything is parsed.
    if sum(map(data.count, (b",", b":", b"[", b"{"))) > 2 * MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES} values")
    if data.count(b"{") > MOST_OBJECTS:
        raise ValueError(f"more than {MOST_OBJECTS} objects")
    try:
        content = parse_json(data, levels=STATISTICS_LEVELS)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON, from line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    except ValueError as error:
        # Python's own words speak of a setting of the interpreter.
        if "set_int_max_str_digits" in str(error):
            raise ValueError("a whole number of thousands of digits") from error
        raise
    _require_few_keys(content)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"no format {FORMAT}")
    del content
    try:
        file = StatisticsFile.model_validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{first['msg']}{' at ' + quoted(place) if place else ''}") from error
    return _Reader(file).statistics()


def _require_few_keys(content: Any) -> None:
    """Every object has few keys: an error for each of many unknown ones would take far more memory than the file."""
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            require(len(value) <= MOST_KEYS, f"an object of {len(value)} keys, none has more than {MOST_KEYS}")
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(own for own in value if isinstance(own, (dict, list)))


class _Reader:
    """Arrays of a file whose values have the right types, with every shape, sum and order checked."""

    def __init__(self, file: StatisticsFile) -> None:
        self._file = file
        self._ids = tuple(clip.id for clip in file.clips)
        self._frames = np.array([clip.frames for clip in file.clips], dtype=np.int64)
        self._frames_of = dict(zip(self._ids, self._frames.tolist(), strict=True))

    def statistics(self) -> ReportStatistics:
        file = self._file
        self._identity()
        result = ReportStatistics(
            signature=file.signature,
            fingerprint=file.fingerprint,
            clip_ids=self._ids,
            frames=self._frames,
            pixels=self._pixels(),
            frame_means=self._frame_means(),
            declared=self._at_threshold(file.declared, "declared"),
            fixed=self._at_threshold(file.fixed, "fixed"),
            objects=self._objects(),
            frame_ranks=self._frame_ranks(),
            flagged=self._flagged(),
            tracks=tuple(self._track(track) for track in file.tracks),
            false_positives=self._false_positives(),
            effect=file.effect,
        )
        require_consistent(result, self.protocol)
        return result

    def _identity(self) -> None:
        file = self._file
        for text in (file.signature, file.fingerprint, *self._ids, *(track.track for track in file.tracks)):
            fault = text_fault(text, longest=LONGEST_TEXT) if text else "an empty text"
            require(fault is None, f"{fault}, in {quoted(text)}")
        require(re.fullmatch(r"[0-9a-f]{64}", file.fingerprint) is not None, "a fingerprint of 64 hex digits is needed")
        require(list(self._ids) == sorted(set(self._ids)), "clips are in order of their ids, each once")
        require(int(self._frames.sum()) <= MOST_FRAMES, f"more than {MOST_FRAMES} frames")
        try:
            self.protocol: Protocol = Signature.parse(file.signature).protocol
        except ProtocolError as error:
            raise ValueError(f"{error.message}: {error.got}") from error

    def _rows(self, rows: Sequence[Sequence[int]], lengths: Iterable[int], place: str) -> list[Counts]:
        require(len(rows) == len(self._ids), f"{place}: {len(rows)} lists for {len(self._ids)} clips")
        return [
            _expanded(row, length, f"{place}, clip {quoted(clip_id)}")
            for row, length, clip_id in zip(rows, lengths, self._ids, strict=True)
        ]

    def _table(self, rows: Sequence[Sequence[int]], n_levels: int, place: str) -> Counts:
        return np.array(self._rows(rows, [n_levels + 1] * len(self._ids), place), dtype=np.int64)

    def _by_clip(self, counts: Sequence[int], place: str) -> Counts:
        require(len(counts) == len(self._ids), f"{place}: {len(counts)} numbers for {len(self._ids)} clips")
        return np.array(counts, dtype=np.int64)

    def _by_frame(self, rows: Sequence[Sequence[int]], place: str) -> tuple[Counts, ...]:
        """A list a clip: a number for each of its frames, or none at all."""
        lengths = [length if row else 0 for row, length in zip(rows, self._frames.tolist(), strict=False)]
        require(len(rows) == len(self._ids), f"{place}: {len(rows)} lists for {len(self._ids)} clips")
        return tuple(self._rows(rows, lengths, place))

    def _levels(self, levels: Sequence[float], place: str) -> NDArray[np.float64]:
        values = np.array(levels, dtype=np.float64)
        require(bool((np.diff(values) < 0).all()), f"{place}.levels: numbers that fall, each once")
        require((values.size + 1) * len(self._ids) <= MOST_CELLS, f"{place}: more than {MOST_CELLS} counts")
        return values

    def _pixels(self) -> PixelCounts | None:
        own = self._file.pixels
        if own is None:
            return None
        levels = self._levels(own.levels, "pixels")
        return PixelCounts(
            levels=levels,
            positives=self._table(own.positives, levels.size, "pixels.positives"),
            negatives=self._table(own.negatives, levels.size, "pixels.negatives"),
            coverage=self._table(own.coverage, levels.size, "pixels.coverage") / COVERAGE_UNIT,
            components=self._by_clip(own.components, "pixels.components"),
        )

    def _frame_means(self) -> ClipSums | None:
        own = self._file.frame_means
        if own is None:
            return None
        for key, sums in own.items():
            require(len(sums.sums) == len(self._ids), f"frame_means.{quoted(key)}: not one sum a clip")
        return ClipSums(
            sums={key: np.array(sums.sums, dtype=np.float64) for key, sums in own.items()},
            counts={key: self._by_clip(sums.counts, "frame_means") for key, sums in own.items()},
        )

    def _at_threshold(self, own: PixelsAtThreshold | None, place: str) -> Counts | None:
        if own is None:
            return None
        columns = own.true_positives, own.false_positives, own.positives
        return np.stack([self._by_clip(column, place) for column in columns], axis=1)

    def _objects(self) -> ObjectCounts | None:
        own = self._file.objects
        if own is None:
            return None
        levels = self._levels(own.levels, "objects")
        return ObjectCounts(
            levels=levels,
            regions=self._table(own.regions, levels.size, "objects.regions"),
            tracks=self._table(own.tracks, levels.size, "objects.tracks"),
            false_positives=self._table(own.false_positives, levels.size, "objects.false_positives"),
            frames=self._by_clip(own.frames, "objects.frames"),
        )

    def _frame_ranks(self) -> FrameRanks | None:
        own = self._file.frame_ranks
        if own is None:
            return None
        ranks = self._by_frame(own.ranks, "frame_ranks.ranks")
        require(len(own.labels) == len(self._ids), "frame_ranks.labels: not one list a clip")
        labels = []
        for runs, rank, clip_id in zip(own.labels, ranks, self._ids, strict=True):
            fits = all(run >= (number > 0) for number, run in enumerate(runs)) and sum(runs) == rank.size
            require(fits, f"frame_ranks.labels, clip {quoted(clip_id)}: runs that make up {rank.size} frames")
            labels.append(np.repeat(np.arange(len(runs)) % 2 == 1, np.array(runs, dtype=np.int64)))
        return FrameRanks(labels=tuple(labels), ranks=ranks)

    def _flagged(self) -> FlaggedFrames | None:
        own = self._file.flagged
        if own is None:
            return None
        return FlaggedFrames(
            threshold=-math.inf if isinstance(own.threshold, str) else own.threshold,
            inclusive=own.inclusive,
            n_positive=self._by_frame(own.positives, "flagged.positives"),
            true_positives=self._by_frame(own.true_positives, "flagged.true_positives"),
            false_positives=self._by_frame(own.false_positives, "flagged.false_positives"),
        )

    def _frames_in(self, clip_id: str, place: str) -> int:
        require(clip_id in self._frames_of, f"{place}: there is no clip {quoted(clip_id)}")
        return int(self._frames_of[clip_id])

    def _track(self, own: TrackInFile) -> TrackSummary:
        place = f"track {quoted(own.track)} of clip {quoted(own.clip)}"
        frames = self._frames_in(own.clip, place)
        require(own.first_frame <= own.last_frame < frames, f"{place}: frames from first to last, within the clip")
        require(own.regions >= 1, f"{place}: at least one region")
        require(own.found_regions <= own.regions, f"{place}: more regions found than there are")
        require(own.height > 0 and own.width > 0 and own.speed >= 0, f"{place}: a size above 0, a speed from 0 on")
        largest = max(own.height, own.width, own.speed)
        require(largest <= LARGEST_LENGTH, f"{place}: sizes of at most {LARGEST_LENGTH:.4g}, not {largest:.4g}")
        require(own.found_at is None or own.found_at >= 0, f"{place}: found_at from 0 on")
        return TrackSummary(**own.model_dump())

    def _false_positives(self) -> tuple[FalsePositive, ...]:
        seen: dict[str, int] = {}
        result = []
        for own in self._file.false_positives:
            place = f"false positive of clip {quoted(own.clip)}"
            frames = self._frames_in(own.clip, place)
            seen[own.clip] = seen.get(own.clip, 0) + 1
            require(seen[own.clip] <= MOST_FALSE_POSITIVES, f"{place}: at most {MOST_FALSE_POSITIVES} of a clip")
            require(own.frame < frames, f"{place}: a frame of the clip")
            x1, y1, x2, y2 = own.box
            require(x1 < x2 and y1 < y2, f"{place}: a box with an area")
            farthest = max(map(abs, own.box))
            fits = farthest <= LARGEST_LENGTH
            require(fits, f"{place}: a box within {LARGEST_LENGTH:.4g} pixels, not {farthest:.4g}")
            require(own.rank > 0, f"{place}: a rank above 0")
            result.append(FalsePositive(own.clip, own.frame, (x1, y1, x2, y2), own.score, own.rank))
        return tuple(result)


def _expanded(row: Sequence[int], length: int, place: str) -> Counts:
    """Counts of a list in which −n stands for n zeros; raises ValueError unless there are `length` of them."""
    values = np.array(row, dtype=np.int64)
    sizes = np.where(values < 0, -values, 1)
    # In Python's numbers: a sum of long runs could wrap.
    total = sum(sizes.tolist())
    if total != length:
        raise ValueError(f"{place}: {total} counts, {length} are needed")
    return np.repeat(np.maximum(values, 0), sizes)
