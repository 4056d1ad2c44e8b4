"""What one method says of the frames of a clip, for timelines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vadbench.plots.shown_names import legend_text, plain_text


@dataclass(frozen=True)
class Timeline:
    """What one method says of the frames of a clip.

    Parameters
    ----------
    name : str
        As in the legend.
    pixel_f1 : (T,) float64
        Fractions in [0, 1]; NaN for a frame without an anomalous pixel.
    frame_scores : (T,) float64, or None
        Higher is more anomalous; −∞ for a frame without an instance. None where the method has no frame scores.
    no_pixel_f1, no_frame_scores : str
        Why the method has none at all, where it is so.
    """

    name: str
    pixel_f1: NDArray[np.float64]
    frame_scores: NDArray[np.float64] | None
    no_pixel_f1: str = ""
    no_frame_scores: str = ""

    @property
    def mean(self) -> float | None:
        """Mean Pixel-F1 of the frames that have one; None without such a frame."""
        there = self.pixel_f1[~np.isnan(self.pixel_f1)]
        return float(there.mean()) if there.size else None

    @property
    def label(self) -> str:
        """Name, and the mean Pixel-F1 of the clip's frames in per cent with two decimals."""
        name = legend_text(self.name)
        return name if self.mean is None else f"{name}  {100 * self.mean:.2f}"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a line that lies at the bottom, or is not there, would leave the reader to guess."""
        name, found = plain_text(self.name, 24), []
        if self.no_pixel_f1:
            found.append(f"{name}: no Pixel-F1, {self.no_pixel_f1}")
        elif self.mean == 0.0:
            found.append(f"{name}: no anomalous pixel of the clip is flagged")
        if self.no_frame_scores:
            found.append(f"{name}: no frame scores, {self.no_frame_scores}")
        elif self.frame_scores is not None and not np.isfinite(self.frame_scores).any():
            found.append(f"{name}: nothing is predicted in the clip")
        elif self.frame_scores is not None and np.ptp(self.frame_scores) == 0 and len(self.frame_scores) > 1:
            found.append(f"{name}: all frames of the clip have one score")
        return tuple(found)
