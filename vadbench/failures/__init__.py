"""What a method does wrong: missed tracks, false positives, wrong pixels, and the clips that cost it most.

It needs a report and the statistics beside it, and no predictions. Every case has a frame to look at.
"""

from vadbench.failures.clip_costs import ClipCost, ClipCosts, MetricCosts
from vadbench.failures.failures import Failures, failures
from vadbench.failures.false_positives import ClipFalsePositives, FalsePositives
from vadbench.failures.parts import SEPARATION, NotAvailable, Place
from vadbench.failures.pixels import ClipPixels, FramePixels, PixelFailures, ScoreUnit
from vadbench.failures.tracks import MissedTrack, TrackFailures, TrackGroup, TrackProperty

__all__ = [
    "SEPARATION",
    "ClipCost",
    "ClipCosts",
    "ClipFalsePositives",
    "ClipPixels",
    "Failures",
    "FalsePositives",
    "FramePixels",
    "MetricCosts",
    "MissedTrack",
    "NotAvailable",
    "PixelFailures",
    "Place",
    "ScoreUnit",
    "TrackFailures",
    "TrackGroup",
    "TrackProperty",
    "failures",
]
