"""What every simple baseline offers: it is fitted to a data set, and then scores one clip at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from baselines.simple.score_range import ScoreRange
from vadbench import Clip, Dataset, Detections

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the number of clips done, and the number of all."""


def no_progress(stage: str, done: int, total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Scorer:
    """A baseline that is ready to score the clips of one data set.

    Parameters
    ----------
    scores : callable
        Takes a `Clip` and yields its score maps in order, (H, W) float, one for every frame.
    score_range : ScoreRange
        Of the stored maps; known before any test clip is read.
    threshold : int or None
        Declared threshold in stored units, from training clips.
    detections : callable or None
        Takes a `Clip` and gives its detections, with own scores.
    training_data : tuple of str
        What the scores depend on, as ``submission.toml`` names it.
    """

    scores: Callable[[Clip], Iterator[NDArray[np.floating[Any]]]]
    score_range: ScoreRange
    threshold: int | None = None
    detections: Callable[[Clip], Detections] | None = None
    training_data: tuple[str, ...] = ()


class Baseline(ABC):
    """A method in a few lines; its parameters are the fields of a frozen dataclass.

    Attributes
    ----------
    name : str
        On the command line.
    title : str
        In tables.
    summary : str
        One sentence, for ``python -m baselines list`` and the submission.
    supervision : str
        As ``submission.toml`` names it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    supervision: ClassVar[str] = "zero-shot"

    @abstractmethod
    def fit(self, dataset: Dataset, progress: Progress = no_progress) -> Scorer:
        """Learn what there is to learn from the training clips; test clips and truth are never looked at."""

    def parameters(self) -> dict[str, Any]:
        """Parameters by name, for the provenance of the submission."""
        return dict(asdict(self))  # type: ignore[call-overload]  # every baseline is a dataclass


def stored_counts(
    scores: Iterator[NDArray[np.floating[Any]]], score_range: ScoreRange, counts: NDArray[np.int64]
) -> None:
    """Add the pixels of some score maps, by stored number, to `counts`, (65536,) int64."""
    for scores_of_frame in scores:
        counts += np.bincount(score_range.stored(scores_of_frame).ravel(), minlength=counts.size)
