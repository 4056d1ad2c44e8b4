"""Frame-AUROC of one pool of clips, each taken as often as a resample says.

Source: protocols.md, "Frame metrics"; docs/statistics.md, "Scores of a resample".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vadbench.comparison.step_curves import ratio
from vadbench.evaluation.report_statistics import FrameRanks


def frame_auroc(ranks: FrameRanks, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Frame-AUROC (micro), (B,); NaN without an anomalous or without a normal frame.

    Every pair of an anomalous and a normal frame belongs to one pair of clips, so that the pairs won are counted once
    for each pair of clips, (C, C), and then weighted: exact, whatever the number of frames.

    Parameters
    ----------
    ranks : FrameRanks
    weights : (B, C) float64
    """
    won = pairs_won(ranks)
    positives = np.array([np.count_nonzero(labels) for labels in ranks.labels], dtype=np.float64)
    negatives = np.array([labels.size for labels in ranks.labels], dtype=np.float64) - positives
    twice = np.einsum("bi,bi->b", weights @ won.astype(np.float64), weights)
    return ratio(twice, 2 * (weights @ positives) * (weights @ negatives))


def pairs_won(ranks: FrameRanks) -> NDArray[np.int64]:
    """Twice the pairs that anomalous frames of clip i win against normal frames of clip j, ties once, (C, C) int64."""
    sizes = [np.count_nonzero(labels) for labels in ranks.labels]
    ends = np.cumsum([0, *sizes])
    none = [np.zeros(0, dtype=np.int64)]
    own = zip(ranks.ranks, ranks.labels, strict=True)
    positives = np.concatenate([*none, *(clip_ranks[labels] for clip_ranks, labels in own)])
    n_ranks = 1 + max((int(clip_ranks.max()) for clip_ranks in ranks.ranks if clip_ranks.size), default=0)
    won = np.zeros((len(sizes), len(sizes)), dtype=np.int64)
    for column, (clip_ranks, labels) in enumerate(zip(ranks.ranks, ranks.labels, strict=True)):
        negatives = clip_ranks[~labels]
        if not negatives.size:
            continue
        # Ranks are dense: frames are looked up in a running count instead of being searched for.
        at = np.bincount(negatives, minlength=n_ranks)
        below = (2 * np.cumsum(at) - at)[positives]
        won[:, column] = np.diff(np.concatenate([[0], np.cumsum(below)])[ends])
    return won
