"""Statistics beside a report as they stand in a file, JSON ``vadbench.statistics/1``, and the limits of what is read.

Source: docs/report-statistics.md, "Format".
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field

FORMAT: Literal["vadbench.statistics/1"] = "vadbench.statistics/1"

LARGEST_STATISTICS = 4 * 2**20
"""Bytes that are read; ShanghaiTech's 107 clips and 40 791 frames take less than half of it."""

STATISTICS_LEVELS = 6
"""Nesting of objects and lists."""

MOST_VALUES = 1_000_000
"""Values in a file that is read, so that a small file cannot take much memory."""

MOST_CLIPS = 2_000
"""What is left when each clip is left out takes as many times as many clips, and pairs of clips are compared."""

MOST_KEYS = 64
"""Of one object; none of ours has more than half of them."""

MOST_OBJECTS = 40_000
"""Clips, tracks, false positives and the parts."""

MOST_FRAMES = 4_000_000
"""Frames of all clips together: a short run of zeros may stand for many of them."""

MOST_LEVELS = 2_048
MOST_CELLS = 2_000_000
"""Clips times levels."""

MOST_TRACKS = 20_000
LARGEST_COUNT = 2**40
"""Of one list; all pixels together are at most `MOST_PIXELS`."""

MOST_PIXELS = 2**45
MOST_EXACT = 2**53

COVERAGE_UNIT = 10_000
"""Coverage is written in parts of this of a component."""

LARGEST_LENGTH = 2.0**40
"""Pixels, of a corner or a side of a box: what lies in a known frame is checked where its size is known."""

LONGEST_TEXT = 2_000
_MOST_METRICS = 32

_Line = Annotated[str, Field(max_length=LONGEST_TEXT)]
_Whole = Annotated[int, Field(ge=-LARGEST_COUNT, le=LARGEST_COUNT)]
_Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
# One wrong item is enough: an error for each of thousands takes more memory than the file.
_Runs = Annotated[list[_Whole], FailFast()]
_Rows = Annotated[list[_Runs], Field(max_length=MOST_CLIPS), FailFast()]
_Counts = Annotated[list[_Count], Field(max_length=MOST_CLIPS), FailFast()]
_Numbers = Annotated[list[float], Field(max_length=MOST_CLIPS), FailFast()]
_Levels = Annotated[list[float], Field(max_length=MOST_LEVELS), FailFast()]
_Effects = Annotated[dict[_Line, float], Field(max_length=_MOST_METRICS)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Clip(_Part):
    id: _Line
    frames: Annotated[int, Field(ge=1, le=MOST_FRAMES)]


class _Pixels(_Part):
    levels: _Levels
    components: _Counts
    positives: _Rows
    negatives: _Rows
    coverage: _Rows = Field(description="in ten-thousandths of a component")


class _ClipSums(_Part):
    sums: _Numbers
    counts: _Counts


class PixelsAtThreshold(_Part):
    """Flagged anomalous, flagged normal and anomalous pixels at one threshold, a number a clip."""

    true_positives: _Counts
    false_positives: _Counts
    positives: _Counts


class _Objects(_Part):
    levels: _Levels
    frames: _Counts
    regions: _Rows
    tracks: _Rows
    false_positives: _Rows


class _FrameRanks(_Part):
    labels: _Rows = Field(description="lengths of runs of alike frames, normal ones first")
    ranks: _Rows


class _FlaggedFrames(_Part):
    threshold: float | Literal["all"]
    inclusive: bool
    positives: _Rows
    true_positives: _Rows
    false_positives: _Rows


class TrackInFile(_Part):
    """A track, as `TrackSummary`."""

    clip: _Line
    track: _Line
    first_frame: _Count
    last_frame: _Count
    regions: _Count
    height: float
    width: float
    speed: float
    found_regions: _Count
    found_at: float | None


class _FalsePositive(_Part):
    clip: _Line
    frame: _Count
    box: Annotated[list[float], Field(min_length=4, max_length=4)]
    score: float
    rank: float


class StatisticsFile(_Part):
    """The content of a file of statistics.

    Lists of counts hold whole numbers from 0 on; −n stands for n zeros. There is one list a clip, in the order of
    `clips`.
    """

    format: Literal["vadbench.statistics/1"] = FORMAT
    signature: _Line
    fingerprint: _Line
    clips: Annotated[list[_Clip], Field(min_length=1, max_length=MOST_CLIPS), FailFast()]
    effect: _Effects | None = None
    pixels: _Pixels | None = None
    frame_means: Annotated[dict[_Line, _ClipSums], Field(max_length=_MOST_METRICS)] | None = None
    declared: PixelsAtThreshold | None = None
    fixed: PixelsAtThreshold | None = None
    objects: _Objects | None = None
    frame_ranks: _FrameRanks | None = None
    flagged: _FlaggedFrames | None = None
    tracks: Annotated[list[TrackInFile], Field(max_length=MOST_TRACKS), FailFast()] = []
    false_positives: Annotated[list[_FalsePositive], Field(max_length=5 * MOST_CLIPS), FailFast()] = []
