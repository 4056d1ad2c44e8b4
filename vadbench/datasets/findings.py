"""What a check of a data set finds: findings, numbers of each clip, and both together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Severity(StrEnum):
    """How much a finding matters: with any error the data set must not be used."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing that `verify` found.

    Parameters
    ----------
    severity : Severity
    code : str
        Of the `DataError` where a file is wrong, else D240-D251.
    message : str
        What is true.
    where : tuple of str
        From the outside in: file, clip, frames (0-based ranges such as ``12-40, 55``).
    expected, got, hint : str
    """

    severity: Severity
    code: str
    message: str
    where: tuple[str, ...] = ()
    expected: str = ""
    got: str = ""
    hint: str = ""


@dataclass(frozen=True)
class ClipNumbers:
    """Numbers of one test clip; None where the clip has no such truth.

    Parameters
    ----------
    id : str
    frames : int
    anomalous_frames : int or None
        By the labels.
    anomalous_pixels, components : int or None
        Pixels, and 8-connected sets of them frame by frame.
    tracks, regions : int or None
        Of the track files, else of the rule ``mask-overlap``.
    """

    id: str
    frames: int
    anomalous_frames: int | None = None
    anomalous_pixels: int | None = None
    components: int | None = None
    tracks: int | None = None
    regions: int | None = None


@dataclass(frozen=True)
class Survey:
    """Everything that was found out about a data set.

    Parameters
    ----------
    findings : tuple of Finding
        In order of clip, then of the whole data set.
    clips : tuple of ClipNumbers
        Of the clips whose truth can be read.
    fingerprint : str or None
        None if a clip's truth cannot be read.
    quick : bool
        Whether only the headers of the frames were read; False: every frame that is there was decoded.
    """

    findings: tuple[Finding, ...]
    clips: tuple[ClipNumbers, ...]
    fingerprint: str | None
    quick: bool = False

    @property
    def usable(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


def as_ranges(frames: NDArray[np.integer[Any]]) -> str:
    """Frames, increasing, as ranges with both ends.

    Examples
    --------
    >>> as_ranges(np.array([0, 1, 2, 5, 8, 9]))
    '0-2, 5, 8-9'
    """
    groups = np.split(frames, np.flatnonzero(np.diff(frames) != 1) + 1)
    return ", ".join(f"{group[0]}-{group[-1]}" if len(group) > 1 else str(group[0]) for group in groups)
