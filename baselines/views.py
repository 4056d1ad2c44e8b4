"""Views: clips of one camera and one size, which share a background and a scale."""

from __future__ import annotations

from vadbench import Clip

View = tuple[str, int, int]
"""Camera, height and width."""


def view_of(dataset_id: str, clip: Clip) -> View:
    """View of a clip; only ShanghaiTech has several cameras, named by the digits before the underscore."""
    camera = clip.id.partition("_")[0] if dataset_id == "shanghaitech" else ""
    return camera, clip.height, clip.width
