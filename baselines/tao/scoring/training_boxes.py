"""Which training boxes are learned from where there are more than are needed: drawn before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from baselines.tao.scoring.settings import AttributeKind, ScoringSettings

MIXTURE_BOXES = 200_000
"""Largest number of training boxes that a mixture is fitted to: more of them change a few numbers hardly at all, and
fitting takes longer and longer."""


def most_boxes(settings: ScoringSettings, kind: AttributeKind) -> int:
    """Largest number of training boxes that an attribute is learned from."""
    return settings.training_boxes if settings.density_of(kind).is_compared else MIXTURE_BOXES


def drawn_rows(lengths: Sequence[int], most: int, seed: int) -> list[NDArray[np.bool_]]:
    """Which rows are drawn, at most `most` of all clips together; all of them where there are no more.

    Every row is as likely as any other; which are drawn depends on the numbers of rows and the seed alone.

    Parameters
    ----------
    lengths : sequence of int
        Number of rows of each clip.
    most : int
    seed : int

    Returns
    -------
    list of (N,) bool
        One array a clip.
    """
    total = sum(lengths)
    chosen = np.ones(total, dtype=np.bool_)
    if total > most:
        chosen[:] = False
        chosen[np.random.default_rng(seed).choice(total, most, replace=False)] = True
    return np.split(chosen, np.cumsum(lengths)[:-1])
