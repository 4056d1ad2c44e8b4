"""Track files: one text file a clip, one row a region.

AED files (Georgescu et al., 2021) have inclusive corners, the layout `folder` has half-open ones; both are half-open
behind this door.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vadbench.choices import Choice
from vadbench.datasets.base import Clip
from vadbench.datasets.labels import read_text
from vadbench.datasets.listing import natural_key
from vadbench.errors import DataError, UsageError, quoted
from vadbench.truth import Track


class TrackFormat(Choice):
    """Convention of the corners in a track file; the value is the data set's ``track_source``."""

    AED = "aed"
    FOLDER = "folder"

    @property
    def columns(self) -> str:
        """Columns of a row, as the documentation writes them."""
        if self is TrackFormat.AED:
            return "track_id,frame,x_min,y_min,x_max,y_max (0-based, inclusive corners)"
        return "track,frame,x1,y1,x2,y2 (0-based, half-open)"


@dataclass(frozen=True)
class TrackFile:
    """Tracks of one clip in a text file; an empty file says that there are none."""

    path: Path
    format: TrackFormat

    def paths(self) -> tuple[Path, ...]:
        """The track file."""
        return (self.path,)

    def tracks(self, clip: Clip) -> tuple[Track, ...]:
        """Read the tracks of a clip; see `read_tracks`."""
        return read_tracks(self.path, self.format, frames=clip.frames)


def read_tracks(path: Path, format: TrackFormat | str, *, frames: int) -> tuple[Track, ...]:  # noqa: A002
    """Read the tracks of one clip.

    Parameters
    ----------
    path : Path
        Comma-separated rows without a header; rows of a track may come in any order, blank lines are skipped.
    format : TrackFormat
        ``aed``: inclusive corners, 1 is added to the greater ones; ``folder``: half-open. Fractions are allowed.
    frames : int
        Number of frames T of the clip.

    Returns
    -------
    tuple of Track
        In natural order of track id; frames increasing; boxes half-open in pixels, not cut at the frame's edge.

    Raises
    ------
    DataError
        D206 for an unreadable file, D212 for a wrong row, D213 for a (track, frame) that comes twice, D214 for a
        frame outside the clip; each names file and line.
    """
    convention = TrackFormat(format)
    beyond = 1.0 if convention is TrackFormat.AED else 0.0
    regions: dict[str, dict[int, list[float]]] = {}
    lines: dict[tuple[str, int], int] = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        where = (str(path), f"line {number}")
        track, frame, box = _row(line, beyond, where, convention)
        if frame >= frames:
            raise DataError(
                "D214",
                "a track has a frame outside the clip",
                where=where,
                expected=f"0-based frames 0 to {frames - 1}",
                got=f"frame {frame}",
                hint="frames count from 0; files that count from 1 need 1 subtracted",
            )
        if (track, frame) in lines:
            raise DataError(
                "D213",
                "a track has two regions in one frame",
                where=where,
                expected="one row for each track and frame",
                got=f"track {quoted(track)}, frame {frame} is in line {lines[track, frame]} too",
            )
        lines[track, frame] = number
        regions.setdefault(track, {})[frame] = box
    return tuple(
        Track(track, np.array(sorted(boxes)), np.array([boxes[frame] for frame in sorted(boxes)]))
        for track, boxes in sorted(regions.items(), key=lambda item: natural_key(item[0]))
    )


def _row(line: str, beyond: float, where: tuple[str, ...], convention: TrackFormat) -> tuple[str, int, list[float]]:
    fields = [field.strip() for field in line.split(",")]
    try:
        track, frame_text, *corner_texts = fields
        frame = int(frame_text)
        x1, y1, x2, y2 = (float(text) for text in corner_texts)
        valid = track != "" and frame >= 0 and all(map(math.isfinite, (x1, y1, x2, y2)))
    except ValueError:
        valid = False
    if not valid or x2 + beyond <= x1 or y2 + beyond <= y1:
        raise DataError(
            "D212",
            "a row of a track file is wrong",
            where=where,
            expected=convention.columns + ", an area above 0",
            got=quoted(line),
            hint="files have no header, and frames are whole numbers from 0",
        )
    return track, frame, [x1, y1, x2 + beyond, y2 + beyond]


def track_files(folder: Path, clip_ids: Iterable[str], format: TrackFormat) -> Mapping[str, TrackFile]:  # noqa: A002
    """Find the track file ``CLIP.txt`` of each clip.

    Raises
    ------
    UsageError
        U114 if there is no such folder.
    DataError
        D211 if a clip has no file: "no tracks" must be said, by an empty file.
    """
    if not folder.is_dir():
        raise UsageError("U114", "the folder of track files does not exist", where=str(folder), got="no folder")
    files = {clip_id: TrackFile(folder / f"{clip_id}.txt", format) for clip_id in clip_ids}
    missing = [clip_id for clip_id, file in files.items() if not file.path.is_file()]
    if missing:
        raise DataError(
            "D211",
            f"{len(missing)} of {len(files)} clips have no track file",
            where=str(folder),
            expected=f"{missing[0]}.txt and one such file for each test clip",
            got=f"none for {', '.join(missing[:10])}{', …' if len(missing) > 10 else ''}",
            hint="an empty file says that a clip has no tracks",
        )
    return files


def given_tracks(folder: Path | str | None, clip_ids: Iterable[str]) -> tuple[Mapping[str, TrackFile], str]:
    """AED track files in the folder that the caller named, if any, and the name of the data set's track source."""
    if folder is None:
        return {}, "mask-overlap"
    return track_files(Path(folder), sorted(clip_ids), TrackFormat.AED), TrackFormat.AED
