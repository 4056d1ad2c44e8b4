"""Indexed images of instances, as DAVIS has them: a folder a clip, a PNG a frame, index k is object k, 0 is background.

What counts is the index of a pixel, never the colour that the palette gives it.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.conversion.clip_files import ClipFiles, find_clip_files
from vadbench.conversion.clip_naming import ClipPattern
from vadbench.conversion.objects.coco_masks import instances_of
from vadbench.conversion.objects.rows import NumberType
from vadbench.conversion.objects.scores import ObjectScores
from vadbench.conversion.objects.source import ObjectSource
from vadbench.conversion.png_header import DAMAGED_IMAGE, GREY, PALETTE, read_png_header
from vadbench.conversion.shown import shown_error, shown_path
from vadbench.conversion.source import Timing
from vadbench.conversion.timing import held_frames
from vadbench.datasets.base import Clip
from vadbench.errors import ConversionError, UsageError
from vadbench.prediction import Prediction

_VOID = 255


class InstanceSource(ObjectSource):
    """Instances in indexed images.

    Parameters
    ----------
    folder : Path
        A folder a clip with a PNG for each frame, those without an object too.
    scores : Path, optional
        Table of `ObjectScores`.
    constant_score : float, optional
        The score of every object; exactly one of the two is given.
    void_index : int, optional
        An index that belongs to no object, such as 255 in DAVIS; it becomes background.
    dtype : NumberType
        Of the scores.
    pattern : ClipPattern, optional

    Raises
    ------
    UsageError
        U216 if something does not exist; U226 unless there is one source of scores.
    ConversionError
        C102, C103 about the files of a folder; C150 … C152, C156, C170 about the table.
    """

    missing_clip_hint = (
        "a frame without an object has an image of background;\n"
        "--missing-clips empty says that a clip without images is one without a finding"
    )

    def __init__(
        self,
        folder: Path,
        *,
        scores: Path | None = None,
        constant_score: float | None = None,
        void_index: int | None = None,
        dtype: NumberType = NumberType.FLOAT64,
        pattern: ClipPattern | None = None,
    ) -> None:
        if (scores is None) == (constant_score is None):
            raise UsageError(
                "U226",
                "indexed images hold no scores",
                expected="one of --scores FILE and --constant-score X",
                got="neither" if scores is None else "both",
                hint="the table has the header clip,object,score; --constant-score 1.0 gives every object the same one",
            )
        if constant_score is not None and not np.isfinite(constant_score):
            raise UsageError("U220", "the constant score must be a finite number", got=str(constant_score))
        super().__init__()
        self._constant, self._void, self._dtype = constant_score, void_index, dtype
        self._files = find_clip_files(folder, (".png",), pattern, what="PNG images", frame_files=True)
        self._scores = None if scores is None else ObjectScores(scores)
        self.clip_names = tuple(self._files)

    def read(self, name: str, clip: Clip, timing: Timing) -> Prediction:
        """Instances of a clip, in order of frame, then object.

        Raises
        ------
        ConversionError
            C105 for another number of images than frames; C121 for padding that moves them away from the frames of
            their numbers; C170 for an object without score; C171 for an image that is
            not indexed or damaged, C172 for its size, C173 for the index 255, each with file and frame.
        """
        files = self._files[name]
        where = (shown_path(files.paths[0].parent), f"clip {clip.id}")
        held = held_frames(len(files.paths), timing, clip.frames, where=where, first_number=files.first_number)
        frames: list[int] = []
        numbers: list[int] = []
        scores: list[float] = []
        masks: list[NDArray[np.uint32]] = []
        for frame, image in enumerate(held.tolist()):
            for number, counts in self._objects(files, image, frame, clip):
                frames.append(frame)
                numbers.append(number)
                scores.append(self._score(name, files.numbers[image] if files.numbers else image, number))
                masks.append(counts)
        return Prediction(
            instances=instances_of(
                clip,
                np.array(frames, dtype=np.int64),
                masks,
                np.array(scores, dtype=self._dtype),
                np.array(numbers, dtype=np.int64),
            )
        )

    def file_numbers(self) -> list[tuple[int, int]]:
        """First and last number of the images of each clip."""
        return [(files.numbers[0], files.numbers[-1]) for files in self._files.values() if files.numbers]

    def record(self) -> dict[str, Any]:
        """What provenance says of the conversion."""
        record: dict[str, Any] = {"dtype": str(self._dtype)}
        if self._constant is not None:
            record["constant_score"] = self._constant
        else:
            record["scores"] = "by frame and object" if self._scores and self._scores.by_frame else "by object"
            if self._scores is not None and self._scores.n_unused:
                record["scores_without_object"] = self._scores.n_unused
        return record if self._void is None else {**record, "void_index": self._void}

    def empty(self, clip: Clip) -> Prediction:
        """What a clip without images is, where the caller says that this means "without a finding"."""
        nothing = np.zeros(0, dtype=np.int64)
        return Prediction(instances=instances_of(clip, nothing, [], np.zeros(0, dtype=self._dtype), nothing))

    def _score(self, name: str, frame: int, number: int) -> float:
        if self._constant is not None:
            return self._constant
        return self._scores.score(name, frame, number) if self._scores is not None else 0.0

    def _objects(self, files: ClipFiles, image: int, frame: int, clip: Clip) -> list[tuple[int, NDArray[np.uint32]]]:
        """Number and run lengths of each object of an image."""
        path = files.paths[image]
        where = (shown_path(path), f"clip {clip.id}", f"frame {frame}")
        found = column_runs(read_indices(path, (clip.height, clip.width), where))
        if self._void is not None:
            return [(number, counts) for number, counts in found if number != self._void]
        void = next((counts for number, counts in found if number == _VOID), None)
        if void is not None:
            raise ConversionError(
                "C173",
                "an image holds the index 255, which is void in DAVIS",
                where=where,
                expected="0 for background, k for object k",
                got=f"{void[1::2].sum(dtype=np.int64)} pixels of index 255",
                hint="--void-index 255 makes them background; if this is a mask of 0 and 255, save it as 0 and 1",
            )
        return found


def column_runs(indices: NDArray[Any]) -> list[tuple[int, NDArray[np.uint32]]]:
    """Masks of all objects of an image, in one pass over its edges.

    Parameters
    ----------
    indices : (H, W) uint
        0 is background.

    Returns
    -------
    list of (number, counts)
        In order of number; counts are run lengths (M,) uint32 column by column, beginning with the run of zeros.

    Examples
    --------
    >>> [(number, counts.tolist()) for number, counts in column_runs(np.array([[0, 2], [1, 2]]))]
    [(1, [1, 1, 2]), (2, [2, 2])]
    """
    flat = indices.ravel(order="F")
    bounds = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1, [flat.size]])
    values = flat[bounds[:-1]]
    # Runs of one object never touch, for between them is an edge: each begins and ends a run of its mask.
    runs = np.flatnonzero(values)
    runs = runs[np.argsort(values[runs], kind="stable")]
    numbers, first = np.unique(values[runs], return_index=True)
    found = []
    for number, own in zip(numbers.tolist(), np.split(runs, first[1:]), strict=True) if len(runs) else ():
        edges = np.stack([bounds[own], bounds[own + 1]], axis=1).ravel()
        rest = [] if edges[-1] == flat.size else [flat.size]
        found.append((number, np.diff(np.concatenate([[0], edges, rest])).astype(np.uint32)))
    return found


def read_indices(path: Path, size: tuple[int, int], where: tuple[str, ...]) -> NDArray[Any]:
    """Indices (H, W) of a palette PNG, or the values of a grey one, as they are stored.

    Parameters
    ----------
    path : Path
    size : (int, int)
        Height and width that the image must have; looked up before anything is decoded.
    where : tuple of str
        File, clip and frame, for messages.

    Raises
    ------
    ConversionError
        C171 for a file that is no PNG, damaged, or in colours; C172 for another size.

    Notes
    -----
    Pillow spreads grey of 1, 2 or 4 bits over 0 to 255; that is undone.
    """
    from PIL import Image

    try:
        header = read_png_header(path)
        if header is None:
            raise ValueError("no PNG")
        if header.colour not in {GREY, PALETTE}:
            raise _in_colours(where, header.colour_words)
        if (header.height, header.width) != size:
            raise _wrong_size(where, size, (header.height, header.width))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(path, formats=("PNG",)) as image:
                values: NDArray[Any] = np.asarray(image)
        if values.shape != size or values.dtype.kind not in "bui":
            raise ValueError(f"decoded as {values.shape} {values.dtype}")
    except DAMAGED_IMAGE as error:
        raise ConversionError(
            "C171",
            "a file cannot be read as an indexed PNG",
            where=where,
            expected="PNG with a palette, or grey",
            got=shown_error(error, path),
            hint="the file is damaged, cut off, or of another kind than its name says",
        ) from error
    if header.colour == GREY and header.depth in {2, 4}:
        values = values // (255 // (2**header.depth - 1))
    return values.astype(np.uint8) if values.dtype.kind == "b" else values


def _in_colours(where: tuple[str, ...], got: str) -> ConversionError:
    return ConversionError(
        "C171",
        "an image is in colours, not indexed",
        where=where,
        expected="PNG with a palette (Pillow mode P) or grey, index k for object k",
        got=got,
        hint='the index is lost when a palette image is converted: save it as it is, Image.fromarray(ids, "P")',
    )


def _wrong_size(where: tuple[str, ...], size: tuple[int, int], found: tuple[int, int]) -> ConversionError:
    swapped = found == size[::-1] and size[0] != size[1]
    return ConversionError(
        "C172",
        "an image has another size than the frame",
        where=where,
        expected=f"height {size[0]}, width {size[1]}",
        got=f"height {found[0]}, width {found[1]}",
        hint="height and width are swapped"
        if swapped
        else "resize masks to the frame with nearest neighbour, so that indices stay whole",
    )
