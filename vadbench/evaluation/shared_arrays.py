"""An array that every task of a phase reads: handed over once, opened cheaply wherever a task runs.

Source: architecture, "The loop".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


class SharedArray(ABC):
    """Picklable handle of an array, to be put into tasks; it must be kept alive until they are done."""

    @abstractmethod
    def open(self) -> NDArray[Any]:
        """Give the array, which must not be written to."""


@dataclass(frozen=True, eq=False)
class HeldArray(SharedArray):
    """The array itself: free in this process, and sent along with every task elsewhere."""

    array: NDArray[Any]

    def open(self) -> NDArray[Any]:
        """Give the array."""
        return self.array


@dataclass(frozen=True)
class MappedArray(SharedArray):
    """An array in a ``.npy`` file that workers map into memory: one copy in all, read as far as it is looked at."""

    path: Path

    @classmethod
    def written(cls, array: NDArray[Any], path: Path) -> MappedArray:
        """Write the array to a path and give its handle."""
        with path.open("wb") as file:
            np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
        return cls(path)

    def open(self) -> NDArray[Any]:
        """Map the file; an empty array, which cannot be mapped, is read."""
        try:
            return np.asarray(np.load(self.path, mmap_mode="r", allow_pickle=False))
        except ValueError:
            return np.asarray(np.load(self.path, allow_pickle=False))


@runtime_checkable
class SharingExecutor(Protocol):
    """An executor with its own way of handing an array to all of its workers."""

    def share(self, array: NDArray[Any]) -> SharedArray:
        """Give a picklable handle."""
        ...


def shared(executor: Executor | None, array: NDArray[Any]) -> SharedArray:
    """Share an array with the tasks of an executor.

    Parameters
    ----------
    executor : Executor or None
        None, and an executor that is not known to share: the handle holds the array.
    array : ndarray of any dtype but object
        Must not change any more.
    """
    return executor.share(array) if isinstance(executor, SharingExecutor) else HeldArray(array)
