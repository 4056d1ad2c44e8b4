"""What the audit needs of a data set's truth: counts, never the truth itself.

Source: docs/audit.md, "Truth"; files ``truth/DATASET.toml``.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaderboard.errors import LeaderboardError

_FOLDER = Path(__file__).parent / "truth"


@dataclass(frozen=True)
class PixelFacts:
    """Counts of the pixel masks of the test part.

    Parameters
    ----------
    pixels, anomalous_pixels, frame_pixels : int
        Of all frames together; of all frames together; of one frame.
    frame_sizes : (F,) int64
        Anomalous pixels of each frame that has any.
    component_sizes : (C,) int64
        Of each 8-connected component of a frame's mask, rising.
    """

    pixels: int
    anomalous_pixels: int
    frame_pixels: int
    frame_sizes: NDArray[np.int64]
    component_sizes: NDArray[np.int64]

    @property
    def prevalence(self) -> float:
        """Share of anomalous pixels among all."""
        return self.anomalous_pixels / self.pixels

    @property
    def prevalence_in_anomalous_frames(self) -> float:
        """The same among the pixels of frames that have any; also the mean over those frames of their own share."""
        return self.anomalous_pixels / (self.frame_pixels * self.frame_sizes.size)

    @cached_property
    def frame_prevalences(self) -> NDArray[np.float64]:
        """Share of anomalous pixels of each frame that has any, (F,)."""
        return np.asarray(self.frame_sizes / self.frame_pixels, dtype=np.float64)


@dataclass(frozen=True)
class TrackFacts:
    """Tracks that RBDC and TBDC are checked against.

    Parameters
    ----------
    name : str
        As a signature names them: ``mask-overlap``, ``aed``.
    source : str
    sizes : (K,) int64
        Regions of each track.
    """

    name: str
    source: str
    sizes: NDArray[np.int64]


@dataclass(frozen=True)
class TruthFacts:
    """What is known of a data set; None where a part is not at hand."""

    dataset: str
    source: str
    pixels: PixelFacts | None
    tracks: TrackFacts | None


def read_facts(dataset: str) -> TruthFacts:
    """Read the counts of a data set; of one without a file nothing is known.

    Raises
    ------
    LeaderboardError
        L146 where the file is not as it was written here.
    """
    path = _FOLDER / f"{dataset}.toml"
    if not path.is_file():
        return TruthFacts(dataset, "nothing is on file of this data set's truth", None, None)
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        return TruthFacts(dataset, table["source"], _pixels(table), _tracks(table))
    except (ValueError, KeyError, TypeError) as error:
        raise LeaderboardError(
            "L146",
            "the counts of a data set's truth are wrong",
            where=str(path),
            expected="the file that was committed",
            got=str(error)[:200],
        ) from error


def _pixels(table: dict[str, Any]) -> PixelFacts | None:
    if "pixels" not in table:
        return None
    frames, components = (np.array(table[key], dtype=np.int64) for key in ("frame_sizes", "component_sizes"))
    facts = PixelFacts(table["pixels"], table["anomalous_pixels"], table["frame_pixels"], frames, components)
    if not int(frames.sum()) == int(components.sum()) == facts.anomalous_pixels:
        raise ValueError("frames, components and pixels do not add up")
    return facts


def _tracks(table: dict[str, Any]) -> TrackFacts | None:
    tracks = table.get("tracks")
    if tracks is None:
        return None
    return TrackFacts(tracks["name"], tracks["source"], np.array(tracks["sizes"], dtype=np.int64))
