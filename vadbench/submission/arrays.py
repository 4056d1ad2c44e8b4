"""Reader of the part of Zarr v3 that the format allows: metadata first, then chunk by chunk.

It does not use the ``zarr`` package: whatever a stranger writes is checked here before anything is decoded.

Source: submission.md, "predictions.zarr"; Zarr v3 core specification.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import SubmissionError
from vadbench.submission.array_meta import (
    ARRAY_KEYS,
    GROUP_KEYS,
    OPTIONAL_KEYS,
    ArrayMeta,
    array_meta,
    check_node,
    shortly,
)
from vadbench.submission.checked_json import parse_json
from vadbench.submission.codecs import DamagedChunkError
from vadbench.submission.problems import problem
from vadbench.submission.tree import Tree

LARGEST_JSON = 64 * 2**10
JSON_LEVELS = 16
MOST_AHEAD = 4
LARGEST_AHEAD = 64 * 2**20
"""Chunks, and bytes of them, that are on their way at once where the tree is behind a URL."""

LARGEST_AT_ONCE = 64 * 2**20
"""Bytes of an array that is read as a whole (all but score maps): 16 million run lengths, 2 million boxes in a clip.

What is checked of rows takes a few times as much; docs/security.md says how much was measured.
"""

LARGEST_TOTAL = 2**38
"""Bytes that all chunks of a submission decode to: twice ShanghaiTech in float64, which takes 134 GB."""


@dataclass(frozen=True)
class ArrayReader:
    """One array of a submission.

    Parameters
    ----------
    tree : Tree
    path : str
        Of the array in the tree.
    where : tuple of str
        File, clip and array, for messages.
    meta : ArrayMeta
    """

    tree: Tree
    path: str
    where: tuple[str, ...]
    meta: ArrayMeta

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.meta.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype in native byte order."""
        return self.meta.dtype

    def read_chunk(self, index: tuple[int, ...]) -> NDArray[Any]:
        """Chunk of that index, cut to the array's shape: C order, native byte order, writable.

        Raises
        ------
        SubmissionError
            S134 if the stored bytes are not exactly one frame of the right size.
        """
        return self._decoded(index, self._stored(index))

    def _stored(self, index: tuple[int, ...]) -> bytes:
        """Bytes of a chunk as they are stored."""
        meta = self.meta
        try:
            return self.tree.read(f"{self.path}/{meta.chunk_key(index)}", meta.codec.longest(meta.chunk_bytes))
        except SubmissionError as error:
            if error.code != "S123":
                raise
            raise self._damaged(index, f"{error.got} stored for {meta.chunk_bytes} bytes of data") from error

    def _decoded(self, index: tuple[int, ...], stored: bytes) -> NDArray[Any]:
        meta = self.meta
        try:
            decoded = meta.codec.decode(stored, meta.chunk_bytes)
        except DamagedChunkError as error:
            raise self._damaged(index, str(error)) from error
        little = np.frombuffer(decoded, dtype=meta.dtype.newbyteorder("<")).reshape(meta.chunk_shape)
        lengths = [min(c, n - i * c) for i, c, n in zip(index, meta.chunk_shape, meta.shape, strict=True)]
        inside = little[tuple(slice(length) for length in lengths)]
        native = np.ascontiguousarray(inside.astype(meta.dtype, copy=False))
        return native if native.flags.writeable else native.copy()

    def rows(self, wanted: NDArray[np.bool_] | None = None) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first index along axis 0, rows) of an array whose chunks span all other axes.

        With `wanted`, (n,) bool along axis 0, the chunks without a wanted row are not read.
        """
        length = self.meta.chunk_shape[0]
        indices = (
            index
            for index in self.meta.indices()
            if wanted is None or wanted[index[0] * length : (index[0] + 1) * length].any()
        )
        for index, chunk in self._chunks(indices):
            yield index[0] * length, chunk

    def _chunks(self, indices: Iterator[tuple[int, ...]]) -> Iterator[tuple[tuple[int, ...], NDArray[Any]]]:
        """Yield chunks as `tried_chunks`; raises the first error."""
        for index, chunk in self.tried_chunks(indices):
            if isinstance(chunk, SubmissionError):
                raise chunk
            yield index, chunk

    def tried_chunks(
        self, indices: Iterator[tuple[int, ...]]
    ) -> Iterator[tuple[tuple[int, ...], NDArray[Any] | SubmissionError]]:
        """Yield chunks in the order given; in place of one that cannot be read its error.

        Memory is one chunk and, behind a URL, the stored bytes of those ahead.
        """
        if not self.tree.is_remote:
            for index in indices:
                chunk: NDArray[Any] | SubmissionError
                try:
                    chunk = self.read_chunk(index)
                except SubmissionError as error:
                    chunk = error
                yield index, chunk
            return
        # The next ones are on their way while this one is decoded and used: else each would wait for the network.
        ahead = max(1, min(MOST_AHEAD, LARGEST_AHEAD // self.meta.chunk_bytes))
        with ThreadPoolExecutor(ahead) as threads:
            coming = deque((index, threads.submit(self._stored, index)) for index in islice(indices, ahead))
            try:
                while coming:
                    index, future = coming.popleft()
                    failed = future.exception()
                    if failed is not None and not isinstance(failed, SubmissionError):
                        raise failed
                    coming.extend((later, threads.submit(self._stored, later)) for later in islice(indices, 1))
                    if failed is None:
                        try:
                            chunk = self._decoded(index, future.result())
                        except SubmissionError as damaged:
                            chunk = damaged
                    else:
                        chunk = failed
                    yield index, chunk
            finally:
                for _, future in coming:
                    future.cancel()

    def read(self) -> NDArray[Any]:
        """Whole array.

        Raises
        ------
        SubmissionError
            S136 if it is larger than 64 MiB, S134 if a chunk is damaged.
        """
        if self.meta.n_bytes > LARGEST_AT_ONCE:
            raise problem(
                "S136", where=self.where, expected=f"at most {LARGEST_AT_ONCE} bytes", got=f"{self.meta.n_bytes} bytes"
            )
        whole = np.empty(self.shape, dtype=self.dtype)
        for index, chunk in self._chunks(self.meta.indices()):
            starts = [i * c for i, c in zip(index, self.meta.chunk_shape, strict=True)]
            whole[tuple(slice(s, s + n) for s, n in zip(starts, chunk.shape, strict=True))] = chunk
        return whole

    def not_stored(self, index: tuple[int, ...]) -> SubmissionError:
        """Error S133 about a chunk."""
        return problem(
            "S133",
            where=(*self.where, f"chunk {self.meta.chunk_key(index)} ({self._extent(index)})"),
            expected="every chunk, all-zero ones too",
            hint='make the array with config={"write_empty_chunks": True}, as docs/submit.md does',
        )

    def _damaged(self, index: tuple[int, ...], got: str) -> SubmissionError:
        chunk = f"chunk {self.meta.chunk_key(index)} ({self._extent(index)})"
        return problem("S134", where=(*self.where, chunk), got=got, hint="write this clip again")

    def _extent(self, index: tuple[int, ...]) -> str:
        first = index[0] * self.meta.chunk_shape[0]
        last = min(first + self.meta.chunk_shape[0], self.shape[0]) - 1
        noun = "frame" if len(self.shape) == 3 or self.path.endswith("frame_scores") else "row"
        return f"{noun} {first}" if first == last else f"{noun}s {first}–{last}"


def check_total(readers: Iterable[ArrayReader], where: tuple[str, ...]) -> None:
    """All arrays of a submission together can be read in a bounded time; raises `SubmissionError` S137."""
    total = sum(reader.meta.decoded_bytes for reader in readers)
    if total > LARGEST_TOTAL:
        raise problem(
            "S137",
            where=where,
            expected=f"chunks that decode to at most {LARGEST_TOTAL} bytes together",
            got=f"{total} bytes",
            hint="every chunk counts as a whole: none should be much larger than its array",
        )


def read_group(tree: Tree, path: str, where: tuple[str, ...]) -> None:
    """Check the zarr.json of a group; raises `SubmissionError` S130 or S131."""
    node = _read_node(tree, path, where)
    try:
        allowed = GROUP_KEYS | ({"consolidated_metadata"} if path.count("/") == 0 else set())
        check_node(node, "group", {"zarr_format", "node_type"}, allowed)
    except ValueError as error:
        raise problem("S131", where=where, got=str(error)) from error


def read_array(tree: Tree, path: str, where: tuple[str, ...]) -> ArrayReader:
    """Reader of the array at a path, its zarr.json checked; raises `SubmissionError` S130 or S131."""
    reader, errors = scan_array(tree, path, where)
    for error in errors:
        raise error
    return reader


def scan_array(tree: Tree, path: str, where: tuple[str, ...]) -> tuple[ArrayReader, list[SubmissionError]]:
    """Reader of the array at a path, and errors S131 about what changes nothing in how it is read.

    Raises
    ------
    SubmissionError
        S130, or S131 about what decides how it is read.
    """
    node = _read_node(tree, path, where)
    idle: list[str] = []
    if isinstance(node, dict):
        known = ARRAY_KEYS | OPTIONAL_KEYS
        idle = [f"the key {shortly(key)}" for key in sorted(node.keys() - known)[:1]]
        if node.get("attributes", {}) != {}:
            idle.append("attributes, which must be absent or empty")
        node = {key: value for key, value in node.items() if key in known} | {"attributes": {}}
    try:
        reader = ArrayReader(tree, path, where, array_meta(node))
    except ValueError as error:
        raise problem("S131", where=where, got=str(error)) from error
    return reader, [problem("S131", where=where, got="; ".join(idle))] if idle else []


def _read_node(tree: Tree, path: str, where: tuple[str, ...]) -> Any:
    try:
        return parse_json(tree.read(f"{path}/zarr.json", LARGEST_JSON), levels=JSON_LEVELS)
    except SubmissionError as error:
        if error.code != "S123" or path.count("/"):
            raise
        # The metadata of all clips together fit no limit that is meant for one node.
        hint = "do not call consolidate_metadata, and remove what it wrote: nothing here reads it"
        raise problem("S123", where=error.where, expected=error.expected, got=error.got, hint=hint) from error
    except ValueError as error:
        raise problem("S130", where=(*where, "zarr.json"), got=str(error)) from error
