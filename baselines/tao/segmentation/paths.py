"""Where an object is between its prompts: its box, interpolated; and which objects there can be in a frame."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import BoxTable


@dataclass(frozen=True)
class ObjectPath:
    """Box of an object in every frame in which it is followed.

    Parameters
    ----------
    label : int
    frames : (n,) int64
        Of its prompts, increasing.
    boxes : (n, 4) float64
    longest_gap : int
        Between two prompts that are further apart the object is not followed.
    """

    label: int
    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    longest_gap: int

    def box(self, frame: int) -> NDArray[np.float64] | None:
        """Box in a frame, (4,), on a straight line between the prompts around it; None where there is none."""
        after = int(np.searchsorted(self.frames, frame))
        if after < len(self.frames) and self.frames[after] == frame:
            return np.asarray(self.boxes[after])
        if not 0 < after < len(self.frames):
            return None
        gap = int(self.frames[after] - self.frames[after - 1])
        if gap > self.longest_gap:
            return None
        part = (frame - self.frames[after - 1]) / gap
        return np.asarray((1.0 - part) * self.boxes[after - 1] + part * self.boxes[after])


class CurrentPaths:
    """Paths of the objects that can be seen in a frame, for frames in order; the others are not looked at.

    A clip may have thousands of objects, of which few are there at a time.

    Parameters
    ----------
    paths : iterable of ObjectPath
    follow : int
        Frames after its last prompt in which an object can still be seen.
    """

    def __init__(self, paths: Iterable[ObjectPath], follow: int) -> None:
        # The next one at the end, where taking it off costs nothing.
        self._coming = sorted(paths, key=lambda path: (path.frames[0], path.label), reverse=True)
        self._current: list[ObjectPath] = []
        self._follow = follow

    def at(self, frame: int) -> list[ObjectPath]:
        """Paths from the first prompt until `follow` frames after the last, in order of label.

        Parameters
        ----------
        frame : int
            0-based; not before a frame that was asked for earlier.
        """
        self._current = [path for path in self._current if path.frames[-1] + self._follow >= frame]
        while self._coming and self._coming[-1].frames[0] <= frame:
            path = self._coming.pop()
            if path.frames[-1] + self._follow >= frame:
                insort(self._current, path, key=lambda path: path.label)
        return self._current


def paths_of(prompts: BoxTable, longest_gap: int) -> list[ObjectPath]:
    """Path of each object, in order of label; of two prompts of an object in a frame the first counts."""
    labels = np.zeros(len(prompts), np.int64) if prompts.labels is None else prompts.labels
    paths = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        frames, first = np.unique(prompts.frames[rows], return_index=True)
        paths.append(ObjectPath(int(label), frames, prompts.boxes[rows[first]], longest_gap))
    return paths
