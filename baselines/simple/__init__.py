"""Four simple methods: constant, random, frame difference, background."""

from baselines.simple.background import Background
from baselines.simple.baseline import Baseline, Scorer
from baselines.simple.constant import Constant
from baselines.simple.frame_difference import FrameDifference
from baselines.simple.random_cells import RandomCells
from baselines.simple.score_range import ScoreRange
from baselines.simple.submission import write_submission

BASELINES: dict[str, type[Baseline]] = {
    baseline.name: baseline
    for baseline in (
        Constant,
        RandomCells,
        FrameDifference,
        Background,
    )
}
"""Baselines by their name on the command line."""

__all__ = [
    "BASELINES",
    "Background",
    "Baseline",
    "Constant",
    "FrameDifference",
    "RandomCells",
    "ScoreRange",
    "Scorer",
    "write_submission",
]
