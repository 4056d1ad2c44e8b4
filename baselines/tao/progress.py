"""How stages say how far they are: by the number of frames of a clip that are done."""

from __future__ import annotations

from collections.abc import Callable

FrameProgress = Callable[[int], None]
"""Called with the number of frames of the clip that are done."""


def no_frame_progress(frames: int) -> None:
    """Show nothing."""
