"""What a comparison of methods needs of a report, clip by clip: counts on levels of score, kept beside the report.

Everything is counted at some hundred *levels* of score instead of at every distinct score; the effect on each score is
part of the statistics. Predictions are never needed again.

Source: docs/report-statistics.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import DataError, UsageError
from vadbench.submission.whole_files import new_file

Counts = NDArray[np.int64]

MOST_FALSE_POSITIVES = 5
"""False positives of a clip that are told one by one."""

_BEGINNING = 200
"""Bytes of a file in which statistics say that they are such."""

_REPORT, _STATISTICS = "report.json", "statistics.json"


@dataclass(frozen=True)
class PixelCounts:
    """Pixels of C clips by score, where all clips are one pool; highest score first.

    Bin 0 holds the pixels with score ≥ ``levels[0]``, bin l those with ``levels[l]`` ≤ score < ``levels[l - 1]``, the
    last bin those below all levels. Scores of one bin are taken for equal.

    Parameters
    ----------
    levels : (L,) float64
        Falling, in the units of the stored scores.
    positives, negatives : (C, L + 1) int64
        Anomalous and normal pixels. Clips without masks have none.
    coverage : (C, L + 1) float64
        Sum over the clip's components of the share of the component's pixels in the bin.
    components : (C,) int64
    """

    levels: NDArray[np.float64]
    positives: Counts
    negatives: Counts
    coverage: NDArray[np.float64]
    components: Counts


@dataclass(frozen=True)
class ObjectCounts:
    """Events of RBDC and TBDC of C clips by score, bins as in `PixelCounts`.

    Parameters
    ----------
    levels : (L,) float64
        Falling. With ``object.ties=sequential``: numbers of steps, as negative numbers, since every detection is a step
        of its own.
    regions, tracks : (C, L + 1) int64
        Regions and tracks by the score at which they are found; the last bin holds those that never are.
    false_positives : (C, L + 1) int64
    frames : (C,) int64
        Frames that count for false positives per frame; 0 for a clip without truth for objects.
    """

    levels: NDArray[np.float64]
    regions: Counts
    tracks: Counts
    false_positives: Counts
    frames: Counts


@dataclass(frozen=True)
class FrameRanks:
    """Labels and pooled ranks of the frames, one array (T,) a clip; empty arrays for clips without labels.

    Parameters
    ----------
    labels : tuple of (T,) bool
    ranks : tuple of (T,) int64
        Dense rank of the frame's score among all frames, 0 the lowest, after the protocol's clip scaling: Frame-AUROC
        (micro) is exact.
    """

    labels: tuple[NDArray[np.bool_], ...]
    ranks: tuple[Counts, ...]


@dataclass(frozen=True)
class ClipSums:
    """For metrics that are means over frames: each clip's sum of the frames' values, and their number; exact.

    Parameters
    ----------
    sums : mapping from metric to (C,) float64
    counts : mapping from metric to (C,) int64
    """

    sums: Mapping[str, NDArray[np.float64]]
    counts: Mapping[str, Counts]


@dataclass(frozen=True)
class FlaggedFrames:
    """Pixels of every frame at one threshold, for timelines; one array (T,) int64 a clip, empty without masks.

    Parameters
    ----------
    threshold : float
        That of the report's Pixel-F1: the best one of the pool, or the protocol's own. In the units of the scores that
        the pixel metrics see, which are the stored ones unless the protocol scales maps or instances; −∞ for "all".
    inclusive : bool
        Whether a score equal to the threshold is flagged.
    n_positive, true_positives, false_positives : tuple of (T,) int64
    """

    threshold: float
    inclusive: bool
    n_positive: tuple[Counts, ...]
    true_positives: tuple[Counts, ...]
    false_positives: tuple[Counts, ...]


@dataclass(frozen=True)
class TrackSummary:
    """One ground-truth track, and when it is found.

    Parameters
    ----------
    clip, track : str
        Clip id and the track's id.
    first_frame, last_frame : int
        0-based, both included.
    regions : int
    height, width : float
        Median of its boxes, in pixels.
    speed : float
        Median distance of the boxes' centres from one frame to the next, in pixels a frame.
    found_regions : int
        Regions found at or before the limit of false positives per frame.
    found_at : float or None
        False positives per frame of the data set at which the track counts as found; None if it never is.
    """

    clip: str
    track: str
    first_frame: int
    last_frame: int
    regions: int
    height: float
    width: float
    speed: float
    found_regions: int
    found_at: float | None


@dataclass(frozen=True)
class FalsePositive:
    """A detection that meets no region.

    Parameters
    ----------
    clip : str
    frame : int
        0-based.
    box : tuple of four floats
        ``[x1, y1, x2, y2)`` in pixels.
    score : float
        Stored.
    rank : float
        False positives per frame of the data set once this one is counted.
    """

    clip: str
    frame: int
    box: tuple[float, float, float, float]
    score: float
    rank: float


@dataclass(frozen=True)
class ReportStatistics:
    """The statistics beside a report; C clips in the order of the report's.

    Parameters
    ----------
    signature : str
        That of the report.
    fingerprint : str
        Of the predictions, as in the report.
    clip_ids : tuple of str
    frames : (C,) int64
    pixels : PixelCounts or None
        Where the protocol pools all pixels and the predictions have pixel scores.
    frame_means : ClipSums or None
        Of the pixel metrics, where the protocol averages over frames.
    declared : (C, 3) int64 or None
        Flagged anomalous, flagged normal and anomalous pixels at the declared threshold.
    fixed : (C, 3) int64 or None
        The same at the protocol's fixed threshold of F1 (``pixel.f1=at(x)``), where pixels are pooled.
    objects : ObjectCounts or None
    frame_ranks : FrameRanks or None
    flagged : FlaggedFrames or None
    tracks : tuple of TrackSummary
    false_positives : tuple of FalsePositive
        The largest by score, at most five a clip.
    effect : mapping from metric to float
        Value from these statistics less the value of the report: what the levels cost.
    """

    signature: str
    fingerprint: str
    clip_ids: tuple[str, ...]
    frames: Counts
    pixels: PixelCounts | None = None
    frame_means: ClipSums | None = None
    declared: Counts | None = None
    fixed: Counts | None = None
    objects: ObjectCounts | None = None
    frame_ranks: FrameRanks | None = None
    flagged: FlaggedFrames | None = None
    tracks: tuple[TrackSummary, ...] = ()
    false_positives: tuple[FalsePositive, ...] = ()
    effect: Mapping[str, float] | None = None

    def to_json(self) -> str:
        """Give the statistics as JSON text; the same bytes for the same statistics."""
        from vadbench.evaluation.statistics_format import statistics_text

        return statistics_text(self)

    def write(self, path: str | Path) -> Path:
        """Write the statistics.

        To a temporary name beside the file, then renamed: it is whole or not there. Earlier statistics are replaced,
        any other file is not.

        Raises
        ------
        UsageError
            U250 if the system refuses, U252 if another file is in the way.
        """
        target = Path(path).resolve()
        content = self.to_json().encode()
        try:
            check_statistics_replaceable(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            file, temporary = new_file(target)
            try:
                with file:
                    file.write(content)
                temporary.replace(target)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise UsageError(
                "U250", "the statistics cannot be written", where=str(target), got=error.strerror or str(error)
            ) from error
        return target

    @classmethod
    def read(cls, path: str | Path) -> ReportStatistics:
        """Read statistics, which may be a stranger's.

        At most 4 MiB and 6 levels, no key twice, no NaN, no control characters in any string, a signature that can be
        parsed, and lists whose lengths, sums and orders fit together.

        Raises
        ------
        DataError
            D373 where the file holds no such statistics.
        UsageError
            U251 where it cannot be read.
        """
        from vadbench.evaluation.statistics_file import FORMAT, LARGEST_STATISTICS
        from vadbench.evaluation.statistics_reader import read_statistics_text

        try:
            with Path(path).open("rb") as file:
                data = file.read(LARGEST_STATISTICS + 1)
        except OSError as error:
            raise UsageError(
                "U251", "the statistics cannot be read", where=str(path), got=error.strerror or str(error)
            ) from error
        try:
            if len(data) > LARGEST_STATISTICS:
                raise ValueError(f"more than {LARGEST_STATISTICS} bytes")
            return read_statistics_text(data)
        except ValueError as error:
            raise DataError(
                "D373",
                "these are no statistics of a report",
                where=str(path),
                expected=f"JSON of the format {FORMAT}",
                got=str(error),
                hint="statistics are written by `vadbench score --statistics`",
            ) from error


def statistics_place(report: str | Path) -> Path:
    """Path of the statistics beside a report.

    No two reports share one: a report of another name keeps all of it.

    >>> statistics_place("out/background.report.json").name, statistics_place("report.json").name
    ('background.statistics.json', 'statistics.json')
    >>> statistics_place("out/background.json").name
    'background.json-statistics.json'
    """
    path = Path(report)
    if path.name == _REPORT or path.name.endswith(f".{_REPORT}"):
        return path.with_name(path.name.removesuffix(_REPORT) + _STATISTICS)
    return path.with_name(f"{path.name}-{_STATISTICS}")


def check_statistics_replaceable(target: Path) -> None:
    """Raise `UsageError` U252 where something is in the way that is no earlier statistics."""
    if not target.exists():
        return
    beginning = b""
    if target.is_file():
        with target.open("rb") as file:
            beginning = file.read(_BEGINNING)
    if b'"vadbench.statistics/' not in beginning:
        raise UsageError(
            "U252",
            "something that holds no statistics is in the way",
            where=str(target),
            hint="move it away; only earlier statistics are replaced",
        )
