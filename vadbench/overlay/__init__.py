"""Predictions drawn over frames, with the outline of the truth: arrays in, pictures and videos of clips out.

`overlay` needs NumPy alone; `write_overlay`, a file with title, colour bar and legend, needs matplotlib (extra
``plots``); `write_clip_overlay` needs PyAV (extra ``video``) for MP4.
"""

from vadbench.overlay.clip_pictures import ClipOverlay, clip_overlay
from vadbench.overlay.clip_writing import WrittenOverlay, write_clip_overlay
from vadbench.overlay.frame_file import most_anomalous_frame, write_overlay
from vadbench.overlay.picture import (
    BOX_COLOUR,
    THRESHOLD_COLOUR,
    TRUTH_COLOUR,
    heat_over,
    overlay,
    score_span,
)

__all__ = [
    "BOX_COLOUR",
    "THRESHOLD_COLOUR",
    "TRUTH_COLOUR",
    "ClipOverlay",
    "WrittenOverlay",
    "clip_overlay",
    "heat_over",
    "most_anomalous_frame",
    "overlay",
    "score_span",
    "write_clip_overlay",
    "write_overlay",
]
