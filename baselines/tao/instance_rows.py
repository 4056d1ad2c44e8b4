"""The masks of a clip as instances: run lengths gathered mask by mask, so that memory holds no stack of masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import BoxTable
from baselines.tao.segmentation.segmenter import ObjectMask
from vadbench import Clip, DataError, Instances


class InstanceRows:
    """Gathers the instances of one clip.

    Parameters
    ----------
    clip : Clip
    kept : BoxTable
        Boxes with scores and labels. The score of an object is the mean score of its boxes, whether they are prompts
        or not.

    Source: tao.md, "Parameters", "Our output".
    """

    def __init__(self, clip: Clip, kept: BoxTable) -> None:
        self._clip = clip
        self._scores = object_scores(kept)
        self.prompts = kept if kept.prompts is None else kept.select(kept.prompts)
        self._rows: list[tuple[int, int]] = []
        self._counts: list[NDArray[np.uint32]] = []

    def add(self, found: ObjectMask) -> None:
        """Add a mask; in order of frame. Raises `DataError` D330 if it is empty or of another size than the clip."""
        size = {"height": self._clip.height, "width": self._clip.width}
        self._rows.append((found.frame, found.label))
        self._counts.append(Instances.from_masks([found.frame], [found.mask], [0.0], **size).counts)

    def instances(self) -> Instances:
        """All that was added; without any, instances of length 0."""
        rows = np.array(self._rows, dtype=np.int32).reshape(-1, 2)
        return Instances(
            self._clip.height,
            self._clip.width,
            rows[:, 0].copy(),
            np.array([self._scores[label] for label in rows[:, 1].tolist()], dtype=np.float64),
            np.concatenate([*self._counts, np.zeros(0, np.uint32)]),
            np.cumsum([0, *map(len, self._counts)], dtype=np.int64),
            rows[:, 1].copy(),
        )


def read_kept(path: Path) -> BoxTable:
    """Boxes of objects that the filtering has written; raises `DataError` B216 if they lack score or label."""
    kept = BoxTable.read(path)
    lacking = [name for name, column in (("score", kept.scores), ("label", kept.labels)) if column is None]
    if len(kept) and lacking:
        raise DataError(
            "B216",
            "this is no table of the boxes of objects",
            where=str(path),
            expected="the columns score and label",
            got=f"no {' and no '.join(lacking)}",
            hint="delete the file and run the stage filter again",
        )
    return kept


def object_scores(kept: BoxTable) -> dict[int, float]:
    """Mean score of the boxes of each label.

    Parameters
    ----------
    kept : BoxTable
        With scores and labels; boxes without a label do not count. May be empty.
    """
    if kept.labels is None or kept.scores is None:
        return {}
    labels = kept.labels
    return {int(label): float(kept.scores[labels == label].mean()) for label in np.unique(labels[labels >= 0])}
