"""Score maps and frame scores in files of arrays or images: what each clip holds, and its frames as they are asked for.

Which file holds what is the business of the formats; what is the same for all of them is here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.conversion.clip_files import ClipFiles, find_clip_files
from vadbench.conversion.clip_naming import ClipPattern
from vadbench.conversion.source import Source, Timing
from vadbench.conversion.timing import held_frames
from vadbench.datasets.base import Clip
from vadbench.datasets.listing import natural_key
from vadbench.errors import ConversionError, quoted, shortened
from vadbench.masks import BLOCK_FRAMES
from vadbench.prediction import Prediction, ScoreMaps

STORED_DTYPES = {
    "bool": "uint8",
    "uint8": "uint8",
    "uint16": "uint16",
    "float16": "float32",
    "float32": "float32",
    "float64": "float64",
}
"""Dtypes that are read, and as what: every value is kept exactly."""

MOST_PIXELS = 2**26
"""Of a frame: 64 MiPixel, 8 192 x 8 192."""

_BLOCK_PIXELS = 2**24
"""Pixels that are read at once, unless one frame has more."""

ReadFrames = Callable[[int, int], NDArray[Any]]
"""From first and last frame (exclusive) to (n, ...) scores as the files hold them."""


class HeldFrames(ABC):
    """What the files of one clip hold.

    Attributes
    ----------
    shape : (K, H, W) or (K,)
        Score maps or frame scores of K frames.
    dtype : numpy.dtype
        As it is stored in the files.
    place : tuple of str
        File, for errors.
    first_number : int or None
        Number of the first frame as the names of files state it.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    place: tuple[str, ...]
    first_number: int | None = None

    @abstractmethod
    def reading(self) -> AbstractContextManager[ReadFrames]:
        """Give a function that reads frames; it is asked for ranges that do not go back."""

    def place_of(self, frame: int) -> tuple[str, ...]:
        """File, and the frame within it."""
        return (*self.place, f"frame {frame} of the file")


def check_dtype(dtype: np.dtype[Any], where: tuple[str, ...]) -> np.dtype[Any]:
    """Dtype that scores are stored with; raises `ConversionError` C107 for one that is not read.

    >>> check_dtype(np.dtype(np.float16), ()).name
    'float32'
    """
    name = dtype.name
    if name in STORED_DTYPES:
        return np.dtype(STORED_DTYPES[name])
    hint = "scores are real numbers"
    if dtype.hasobject:
        hint = "arrays of Python objects are never read; stack them into one array: np.stack(frames)"
    elif dtype.kind in "iu":
        hint = "convert them yourself, so that nothing is rounded unseen: scores.astype(np.float64)"
    elif dtype.kind == "f":
        hint = "the largest dtype is float64: scores.astype(np.float64)"
    raise ConversionError(
        "C107",
        "scores have a dtype that the submission format does not know",
        where=where,
        expected="bool, uint8, uint16, float16, float32 or float64",
        got=name if dtype.names is None else "a structured dtype",
        hint=hint,
    )


def check_shape(shape: tuple[int, ...], where: tuple[str, ...]) -> None:
    """Shape is (K, H, W) or (K,) with no axis of length 0; raises `ConversionError` C108."""
    if len(shape) in {1, 3} and all(shape) and (len(shape) == 1 or shape[1] * shape[2] <= MOST_PIXELS):
        return
    hint = ""
    if 1 in shape[1:]:
        hint = "remove the axis of length 1: scores.squeeze(axis), or scores.ravel() for frame scores"
    elif len(shape) == 2:
        hint = "(T, H, W) are score maps, (T,) are frame scores; a single map (H, W) is a file of one frame in a folder"
    elif len(shape) == 4:
        hint = "one score a pixel: reduce the channels in your own code"
    elif shape and not all(shape):
        hint = "the array holds nothing"
    elif len(shape) == 3:
        hint = f"a frame has at most {MOST_PIXELS} pixels"
    raise ConversionError(
        "C108", "an array has the wrong shape", where=where, expected="(T, H, W) or (T,)", got=str(shape), hint=hint
    )


class HeldMaps(ScoreMaps):
    """Score maps of a clip, read from its files in blocks of at most eight frames.

    Parameters
    ----------
    held : HeldFrames
        Of shape (K, H, W).
    indices : (T,) int64
        Which held frame each frame of the clip is; not decreasing.
    clip_id : str
    """

    def __init__(self, held: HeldFrames, indices: NDArray[np.int64], clip_id: str) -> None:
        self._held, self._indices, self._clip_id = held, indices, clip_id
        self.shape = (len(indices), held.shape[1], held.shape[2])
        self.dtype = check_dtype(held.dtype, held.place)

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first frame, (n, H, W) scores); raises `ConversionError` C109 at the first that is not finite."""
        with self._held.reading() as read:
            # Frames that are put before and behind are one held frame again and again.
            kept: tuple[int, NDArray[Any]] | None = None
            n_frames = max(1, min(BLOCK_FRAMES, _BLOCK_PIXELS // (self.shape[1] * self.shape[2])))
            for start in range(0, self.shape[0], n_frames):
                wanted = self._indices[start : start + n_frames]
                first, last = int(wanted[0]), int(wanted[-1])
                if kept is not None and kept[0] == first:
                    before = kept[1][None]
                    rest = read(first + 1, last + 1) if last > first else before[:0]
                    frames = np.concatenate([before, rest]) if len(rest) else before
                else:
                    frames = read(first, last + 1)
                kept = (last, frames[-1])
                block = frames[wanted - first].astype(self.dtype, copy=False)
                self._check(block, start)
                yield start, block

    def _check(self, block: NDArray[Any], start: int) -> None:
        # NaN and infinities show in the extremes, which need no array of their own.
        if block.dtype.kind != "f" or (np.isfinite(block.min()) and np.isfinite(block.max())):
            return
        frame, y, x = (int(i) for i in np.argwhere(~np.isfinite(block))[0])
        raise _not_finite(
            (*self._held.place_of(int(self._indices[start + frame])), f"clip {self._clip_id}", f"pixel x={x}, y={y}"),
            block[frame, y, x],
        )


def _not_finite(where: tuple[str, ...], value: object) -> ConversionError:
    return ConversionError(
        "C109",
        "a score is not finite",
        where=where,
        expected="a finite number",
        got=str(value),
        hint="replace NaN and infinities in your own code; they have no rank",
    )


@dataclass(frozen=True)
class _Scores:
    """Frame scores as they are held, and their place."""

    held: HeldFrames
    clip_id: str

    def read(self, indices: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        """Scores (T,) of the frames of the clip."""
        with self.held.reading() as read:
            values = read(0, self.held.shape[0])
        dtype = np.float32 if self.held.dtype.name in {"float16", "float32"} else np.float64
        scores: NDArray[np.floating[Any]] = values.astype(dtype)
        wrong = np.flatnonzero(~np.isfinite(scores))
        if len(wrong):
            raise _not_finite((*self.held.place_of(int(wrong[0])), f"clip {self.clip_id}"), scores[wrong[0]])
        return scores[indices]


class DenseSource(Source):
    """A source of score maps or frame scores; a format says what is held for a clip.

    Attributes
    ----------
    left_out : list of str
        Paths without ending, or names of arrays, that the clip pattern does not match.
    """

    lazy = True

    def __init__(self) -> None:
        self._held: dict[str, HeldFrames] = {}
        self.left_out: list[str] = []

    def _find(
        self, path: Path, suffixes: Sequence[str], pattern: ClipPattern | None, *, what: str, frame_files: bool = False
    ) -> dict[str, ClipFiles]:
        """Files of each clip; those that a pattern does not match are left out, and named where a clip is missing."""
        found = find_clip_files(path, suffixes, pattern, what=what, frame_files=frame_files, left_out=self.left_out)
        self._hint_at_left_out()
        return found

    def _match_arrays(
        self, names: Iterable[str], pattern: ClipPattern | None, place: tuple[str, ...]
    ) -> dict[str, str]:
        """Names of the arrays of a file that holds all clips, by clip in natural order; others are left out likewise.

        Raises
        ------
        ConversionError
            C102 if two are the same clip, or none matches the pattern.
        """
        found: dict[str, str] = {}
        for name in sorted(names, key=natural_key):
            match = (name, None) if pattern is None else pattern.split(name)
            if match is None:
                self.left_out.append(name)
            elif match[0] in found:
                raise ConversionError(
                    "C102",
                    f"two arrays are clip {quoted(match[0])}",
                    where=place,
                    expected="one array for each clip; a group frame has no use here",
                    got=f"{quoted(found[match[0]])} and {quoted(name)}",
                )
            else:
                found[match[0]] = name
        if self.left_out and not found:
            raise ConversionError(
                "C102",
                "names of arrays do not match the clip pattern",
                where=place,
                expected=quoted(pattern.text) if pattern else "",
                got=self._shown_left_out(),
            )
        self._hint_at_left_out()
        return found

    def _hint_at_left_out(self) -> None:
        if self.left_out:
            self.missing_clip_hint = f"the pattern does not match {self._shown_left_out()}"

    def _shown_left_out(self) -> str:
        return shortened([quoted(name) for name in self.left_out], 6, ", ")

    @abstractmethod
    def held(self, name: str) -> HeldFrames:
        """What the files hold for a clip, from headers alone; checks dtype and shape."""

    def file_numbers(self) -> list[tuple[int, int]]:
        """First and last number that names of files state, of each clip that was asked for."""
        return [
            (held.first_number, held.first_number + held.shape[0] - 1)
            for held in self._held.values()
            if held.first_number is not None
        ]

    def prediction(self, name: str, clip: Clip, timing: Timing) -> Prediction:
        """Score maps, which are read when their blocks are asked for, at the size of the files; or frame scores.

        Raises
        ------
        ConversionError
            C105 for a wrong number of frames, C107 and C108 for dtype and shape, C109 for NaN or infinity, C121 for
            padding that moves files away from the frames of their numbers.
        """
        # Headers are looked at once: a clip is asked for before it is written, and once more where maps are quantised.
        held = self._held.get(name) or self._held.setdefault(name, self.held(name))
        check_dtype(held.dtype, held.place)
        _check_axes(held, clip, timing)
        check_shape(held.shape, held.place)
        where = (*held.place, f"clip {clip.id}")
        size = (clip.height, clip.width)
        indices = held_frames(
            held.shape[0],
            timing,
            clip.frames,
            where=where,
            first_number=held.first_number,
            shape=None if len(held.shape) == 1 or held.shape[1:] == size else held.shape,
        )
        if len(held.shape) == 1:
            return Prediction(frame_scores=_Scores(held, clip.id).read(indices))
        return Prediction(score_maps=HeldMaps(held, indices, clip.id))


def _check_axes(held: HeldFrames, clip: Clip, timing: Timing) -> None:
    """Frames are the first axis; raises `ConversionError` C110 where they are plainly the last one, at any size."""
    size = (clip.height, clip.width)
    if len(held.shape) != 3 or held.shape[1:] == size:
        return
    n_given = held.shape[0] - timing.drop_head - timing.drop_tail + timing.pad_head + timing.pad_tail
    # Square maps with a side of T pixels say nothing.
    if n_given != clip.frames and (
        held.shape[:2] in {size, size[::-1]} or (held.shape[2] == clip.frames != held.shape[1])
    ):
        is_turned = clip.height != clip.width and held.shape[:2] == size[::-1]
        move = "scores.transpose(2, 1, 0)" if is_turned else "np.moveaxis(scores, -1, 0)"
        raise ConversionError(
            "C110",
            "the axes of the score maps are in another order",
            where=(*held.place, f"clip {clip.id}"),
            expected=f"(T, H, W) = {(clip.frames, *size)}",
            got=str(held.shape),
            hint=f"save them with frames first: {move}",
        )
