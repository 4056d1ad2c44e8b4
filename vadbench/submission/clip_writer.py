"""One clip on its way into a submission: arrays are checked as the reader checks them, then written with ``zarr``.

Source: submission.md, "predictions.zarr"; field.md, "Storage" (chunks of 8 frames, Blosc lz4 with bitshuffle).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from vadbench.errors import UsageError
from vadbench.masks import BLOCK_FRAMES
from vadbench.prediction import Detections, Instances, PredictionKind, ScoreMaps
from vadbench.submission.agreement import frame_count_differs, frame_size_differs
from vadbench.submission.array_meta import LARGEST_CHUNK
from vadbench.submission.layout import ARRAYS
from vadbench.submission.problems import problem
from vadbench.submission.rows import check_detections, check_frames, check_map_block, check_objects, check_scores

_ROWS_A_CHUNK = 2**20
_WIDENED = {"bool": "uint8", "float16": "float32"}
_MOST_FRAMES = 2**31 - 1
Size = tuple[int | None, int | None, int | None]


class ClipWriter:
    """Takes the predictions of one clip; made by `SubmissionWriter.clip`.

    Parameters
    ----------
    folder : Path
        Where the group of the clip is made; it must not exist.
    where : tuple of str
        Submission and clip, for messages.
    size : (T, H, W), each int or None
        As far as it is known; what is not known is learned from the predictions.
    dtype : dtype, optional
        Of the score maps; that of the first block unless given.
    source : str
        Who knows the number of frames, for messages.
    """

    def __init__(
        self,
        folder: Path,
        where: tuple[str, ...],
        size: Size,
        dtype: DTypeLike | None = None,
        *,
        source: str = "the clip",
    ) -> None:
        import zarr

        self._source = source

        self._group = zarr.create_group(store=str(folder), zarr_format=3)
        self._where = where
        self._frames, self._height, self._width = size
        self._dtype = None if dtype is None else self._map_dtype(np.dtype(dtype))
        self._maps: Any = None
        self._pending: list[NDArray[Any]] = []
        self._n_written = self._n_taken = 0
        self._instances: Instances | None = None
        self._detections: Detections | None = None
        self._frame_scores: NDArray[Any] | None = None

    def write_score_maps(self, block: ArrayLike | ScoreMaps) -> None:
        """Append score maps.

        Parameters
        ----------
        block : (n, H, W) or (H, W), or ScoreMaps
            The next frames; uint8, uint16, float32 or float64, finite. bool and float16 are widened, and dtypes that
            fit into that of the first block. Any n will do: memory holds the block and at most seven frames.

        Raises
        ------
        SubmissionError
            S104 more frames than the clip has, S105 size, S132 dtype or shape, S140 NaN or infinity.
        """
        if isinstance(block, ScoreMaps):
            for _, part in block.blocks():
                self._take(part)
            return
        array = np.asarray(block)
        self._take(array[None] if array.ndim == 2 else array)

    def write_instances(self, instances: Instances) -> None:
        """Give all instances of the clip; raises `SubmissionError` S105, S140, S141, S143, S144."""
        if (self._height or instances.height, self._width or instances.width) != (instances.height, instances.width):
            raise frame_size_differs(
                (*self._where, PredictionKind.INSTANCES),
                (self._height or 0, self._width or 0),
                (instances.height, instances.width),
            )
        self._height, self._width = instances.height, instances.width
        self._instances = instances
        self._check()

    def write_detections(self, detections: Detections) -> None:
        """Give all detections of the clip; raises `SubmissionError` S140, S141, S142, S144."""
        self._detections = detections
        self._check()

    def write_frame_scores(self, scores: ArrayLike) -> None:
        """Give the score of every frame, (T,) real; raises `SubmissionError` S104, S132, S140."""
        array = np.asarray(scores)
        where = (*self._where, PredictionKind.FRAME_SCORES)
        if array.ndim != 1 or array.dtype.kind not in "buif" or not array.size:
            raise problem("S132", where=where, expected="(T,), real", got=f"{array.shape}, {array.dtype}")
        self._frame_scores = _floating(array)
        check_scores(self._frame_scores, None, where)
        self._check()

    def finish(self) -> None:
        """Write what is left; raises `SubmissionError` S104 if frames are missing."""
        where = (*self._where, PredictionKind.SCORE_MAPS)
        if self._maps is not None:
            if self._n_taken != self._frames:
                raise frame_count_differs(where, self._frames or 0, self._n_taken, self._source)
            self._flush(everything=True)
        self._check()
        if self._instances is not None:
            rows = self._instances
            self._write_rows(
                PredictionKind.INSTANCES,
                frame=rows.frames,
                object=rows.objects,
                score=_floating(np.asarray(rows.scores)),
                offsets=rows.offsets,
                counts=rows.counts,
            )
        if self._detections is not None:
            boxes = self._detections
            self._write_rows(
                PredictionKind.DETECTIONS,
                frame=boxes.frames,
                box=_floating(boxes.boxes),
                score=_floating(boxes.scores),
                object=boxes.objects,
            )
        if self._frame_scores is not None:
            self._write_array(self._group, PredictionKind.FRAME_SCORES, self._frame_scores)

    def _take(self, block: NDArray[Any]) -> None:
        where = (*self._where, PredictionKind.SCORE_MAPS)
        if block.ndim != 3:
            raise problem("S132", where=where, expected="(n, H, W) or (H, W)", got=f"{block.shape}, {block.dtype}")
        if self._maps is None:
            self._start_maps(block)
        size = (self._height or 0, self._width or 0)
        if block.shape[1:] != size:
            raise frame_size_differs((*where, f"frame {self._n_taken}"), size, block.shape[1:])
        if self._n_taken + len(block) > (self._frames or 0):
            raise frame_count_differs(where, self._frames or 0, self._n_taken + len(block), self._source)
        if self._dtype is None or not np.can_cast(block.dtype, self._dtype, "safe"):
            raise problem(
                "S132", where=(*where, f"frame {self._n_taken}"), expected=str(self._dtype), got=str(block.dtype)
            )
        check_map_block(block, self._n_taken, where)
        # A copy: the caller may use the same buffer for the next block.
        self._pending.append(block.astype(self._dtype, order="C"))
        self._n_taken += len(block)
        self._flush(everything=False)

    def _start_maps(self, block: NDArray[Any]) -> None:
        where = (*self._where, PredictionKind.SCORE_MAPS)
        if self._frames is None:
            raise UsageError(
                "U135",
                "the number of frames of the clip is not known",
                where=where,
                hint='say it: writer.clip("01", shape=(T, H, W)), or give SubmissionWriter a Dataset',
            )
        self._height = self._height or block.shape[1]
        self._width = self._width or block.shape[2]
        self._dtype = self._dtype or self._map_dtype(block.dtype)
        frame_bytes = self._height * self._width * self._dtype.itemsize
        shape = (self._frames, self._height, self._width)
        if not 0 < frame_bytes <= LARGEST_CHUNK or self._frames < 1:
            raise problem("S132", where=where, expected=f"frames of 1 to {LARGEST_CHUNK} bytes", got=str(shape))
        self._chunk_frames = min(BLOCK_FRAMES, self._frames, LARGEST_CHUNK // frame_bytes)
        chunks = (self._chunk_frames, self._height, self._width)
        self._maps = self._new_array(self._group, PredictionKind.SCORE_MAPS, shape, chunks, self._dtype)

    def _map_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        stored = _WIDENED.get(dtype.name, dtype.name)
        allowed = ARRAYS[PredictionKind.SCORE_MAPS][""][0]
        if stored not in allowed:
            raise problem(
                "S132",
                where=(*self._where, PredictionKind.SCORE_MAPS),
                expected=", ".join(allowed),
                got=dtype.name,
                hint="convert the scores yourself, so that nothing is rounded unseen: scores.astype(np.float32)",
            )
        return np.dtype(stored)

    def _flush(self, *, everything: bool) -> None:
        n_pending = self._n_taken - self._n_written
        n_whole = n_pending if everything else n_pending - n_pending % self._chunk_frames
        if not n_whole:
            return
        frames = self._pending[0] if len(self._pending) == 1 else np.concatenate(self._pending)
        self._maps[self._n_written : self._n_written + n_whole] = frames[:n_whole]
        self._n_written += n_whole
        self._pending = [frames[n_whole:].copy()] if n_whole < len(frames) else []

    def _check(self) -> None:
        """Check the rows against all that is known of the clip's size by now."""
        frames = self._frames
        if self._frame_scores is not None:
            if frames is not None and len(self._frame_scores) != frames:
                where = (*self._where, PredictionKind.FRAME_SCORES)
                raise frame_count_differs(where, frames, len(self._frame_scores), self._source)
            frames = len(self._frame_scores)
        most = _MOST_FRAMES if frames is None else frames
        if self._instances is not None:
            # The value has checked its runs and scores itself; what is left depends on the clip.
            where = (*self._where, PredictionKind.INSTANCES)
            check_frames(self._instances.frames, (*where, "frame"), n_frames=most)
            check_objects(self._instances.objects, (*where, "object"))
        if self._detections is not None:
            rows = self._detections
            check_detections(
                rows.frames,
                rows.boxes,
                rows.scores,
                rows.objects,
                (*self._where, PredictionKind.DETECTIONS),
                n_frames=most,
                height=self._height,
                width=self._width,
            )

    def _write_rows(self, kind: PredictionKind, **arrays: NDArray[Any] | None) -> None:
        given = {name: array for name, array in arrays.items() if array is not None}
        n_rows = len(given["frame"])
        for name, array in given.items():
            if name != "counts" and len(array) != n_rows + (name == "offsets"):
                got = f"{n_rows} frames, {name} of length {len(array)}"
                raise problem("S145", where=(*self._where, kind), got=got)
        group = self._group.create_group(kind)
        for name, array in given.items():
            data_types = ARRAYS[kind][name][0]
            stored = array if array.dtype.name in data_types else array.astype(data_types[0])
            self._write_array(group, name, stored)

    def _write_array(self, group: Any, name: str, array: NDArray[Any]) -> None:
        chunks = (min(max(len(array), 1), _ROWS_A_CHUNK), *array.shape[1:])
        stored = self._new_array(group, name, array.shape, chunks, array.dtype)
        if array.size:
            stored[...] = array

    def _new_array(
        self,
        group: Any,
        name: str,
        shape: tuple[int, ...],
        chunks: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> Any:
        from zarr.codecs import BloscCodec

        return group.create_array(
            name=str(name),
            shape=shape,
            chunks=chunks,
            dtype=dtype.newbyteorder("="),
            compressors=BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle"),
            fill_value=0,
            config={"write_empty_chunks": True},
        )


def _floating(values: NDArray[Any]) -> NDArray[Any]:
    """Values as float32 where that is exact and was given, else as float64."""
    if values.dtype.name in ("float16", "float32"):
        return values.astype(np.float32)
    return values.astype(np.float64)
