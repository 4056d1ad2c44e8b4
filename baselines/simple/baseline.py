"""What every simple baseline offers: it is fitted to a data set, and then scores one clip at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from baselines.simple.score_range import ScoreRange
from vadbench import Clip, Dataset, Detections

BENCHMARK_PAPER = "https://arxiv.org/abs/2506.05175"
"""The paper that proposed the benchmark; the baselines are made for it."""

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


@dataclass(frozen=True)
class Baseline(ABC):
    """A method in a few lines; its parameters are the fields of a frozen dataclass.

    A field `seed` can be set with ``--seed``.

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
    authors : tuple of str
        For the submission.
    paper, code : str
        Addresses (https) for the submission, which needs one of them; "" for none.
    needs_frames : bool
        Whether the scores of a clip depend on its frames; what needs none can score a data set without them.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    supervision: ClassVar[str] = "zero-shot"
    authors: ClassVar[tuple[str, ...]] = ("The vadbench developers",)
    paper: ClassVar[str] = BENCHMARK_PAPER
    code: ClassVar[str] = ""
    needs_frames: ClassVar[bool] = True

    @abstractmethod
    def fit(self, dataset: Dataset, progress: Progress = no_progress) -> Scorer:
        """Learn what there is to learn from the training clips; test clips and truth are never looked at."""

    @classmethod
    def with_seed(cls, seed: int) -> Self:
        """The baseline with its defaults, and with a seed if it uses one."""
        fields_to_set: dict[str, int] = {"seed": seed} if cls.is_seeded() else {}
        return replace(cls(), **fields_to_set)

    @classmethod
    def is_seeded(cls) -> bool:
        """Whether `seed` is among the parameters."""
        return any(field.name == "seed" for field in fields(cls))

    def parameters(self) -> dict[str, Any]:
        """Parameters by name, for the provenance of the submission."""
        return asdict(self)


def stored_counts(
    scores: Iterator[NDArray[np.floating[Any]]], score_range: ScoreRange, counts: NDArray[np.int64]
) -> None:
    """Add the pixels of some score maps, by stored number, to `counts`, (65536,) int64."""
    for scores_of_frame in scores:
        counts += np.bincount(score_range.stored(scores_of_frame).ravel(), minlength=counts.size)
