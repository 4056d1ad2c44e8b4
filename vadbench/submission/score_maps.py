"""Score maps of a submission, decoded chunk by chunk when they are asked for.

Source: submission.md, "predictions.zarr".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import SubmissionError
from vadbench.masks import BLOCK_FRAMES
from vadbench.prediction import ScoreMaps
from vadbench.submission.arrays import ArrayReader
from vadbench.submission.faults import Fault
from vadbench.submission.rows import check_map_block, map_faults


class StoredScoreMaps(ScoreMaps):
    """Score maps read from a submission; picklable, holds no open file.

    Parameters
    ----------
    reader : ArrayReader
        Of a (T, H, W) array with chunks (c, H, W).
    """

    def __init__(self, reader: ArrayReader) -> None:
        frames, height, width = reader.shape
        self.shape = (frames, height, width)
        self.dtype = reader.dtype
        self._reader = reader

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first frame, (n, H, W) scores) through the clip."""
        return self.blocks_of(np.ones(self.shape[0], dtype=bool))

    def blocks_of(self, wanted: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first frame, (n, H, W) scores) of at most eight frames; chunks without a wanted frame are not read.

        Memory is one chunk; behind a URL, up to four more of them as they are stored.

        Raises
        ------
        SubmissionError
            S134 if a chunk is damaged, S140 if a score is NaN or infinite, with frame, pixel and value.
        """
        for chunk_start, chunk in self._reader.rows(wanted):
            for start in range(0, len(chunk), BLOCK_FRAMES):
                block = chunk[start : start + BLOCK_FRAMES]
                check_map_block(block, chunk_start + start, self._reader.where)
                yield chunk_start + start, block


def each_chunk(
    reader: ArrayReader, stored: set[tuple[int, ...]] | None = None
) -> Iterator[tuple[int, NDArray[Any] | SubmissionError]]:
    """Yield (first frame, chunk) of score maps; in place of a chunk that cannot be read its error.

    With `stored`, the indices of those that are there, no others are read. Memory is one chunk; behind a URL, up to
    four more of them as they are stored.
    """
    length = reader.meta.chunk_shape[0]
    for index, chunk in reader.tried_chunks(_indices(reader, stored)):
        yield index[0] * length, chunk


def piece_faults(reader: ArrayReader, stored: set[tuple[int, ...]] | None = None) -> list[Fault]:
    """S134 and S140 of score maps in chunks of any shape, which hold parts of frames."""
    damaged: list[Fault] = []
    not_finite: list[Fault] = []
    n_not_finite = 0
    for index, chunk in reader.tried_chunks(_indices(reader, stored)):
        if isinstance(chunk, SubmissionError):
            damaged.append(Fault(chunk))
            continue
        frame, y, x = (i * n for i, n in zip(index, reader.meta.chunk_shape, strict=True))
        for fault in map_faults(chunk, frame, reader.where, corner=(y, x)):
            not_finite = not_finite or [fault]
            n_not_finite += fault.count
    return damaged + [Fault(fault.error, n_not_finite) for fault in not_finite]


def _indices(reader: ArrayReader, stored: set[tuple[int, ...]] | None) -> Iterator[tuple[int, ...]]:
    return reader.meta.indices() if stored is None else iter(sorted(stored))
