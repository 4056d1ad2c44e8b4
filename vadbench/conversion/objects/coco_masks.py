"""Segmentations of COCO files become run lengths of the format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.conversion.objects.coco_images import shown_value
from vadbench.conversion.objects.coco_rle import canonical_counts, counts_of_text
from vadbench.datasets.base import Clip
from vadbench.errors import ConversionError
from vadbench.prediction import Instances


def mask_counts(segmentation: Any, size: tuple[int, int], where: tuple[str, ...]) -> NDArray[np.uint32]:
    """Run lengths (M,) uint32 of a segmentation, column by column; empty for a mask without a pixel.

    Parameters
    ----------
    segmentation : object
        ``{"size": [height, width], "counts": …}`` as JSON has it, counts text or a list.
    size : (int, int)
        Height and width of the frame.
    where : tuple of str
        File, clip and annotation, for messages.

    Raises
    ------
    ConversionError
        C164 for a polygon, another size, or counts that are no mask of that size.
    """
    if not isinstance(segmentation, dict):
        polygon = isinstance(segmentation, list)
        raise ConversionError(
            "C164",
            "a segmentation is a polygon, not run lengths" if polygon else "a segmentation is wrong",
            where=where,
            expected='{"size": [height, width], "counts": …}',
            got=shown_value(segmentation),
            hint="make masks of the polygons first, such as with pycocotools.mask.frPyObjects: programs fill them "
            "differently"
            if polygon
            else "",
        )
    height, width = size
    found = segmentation.get("size")
    if found != [height, width]:
        raise ConversionError(
            "C164",
            "a mask has another size than the frame",
            where=where,
            expected=f"size [{height}, {width}]: height, width",
            got=shown_value(found),
            hint="height comes first" if found == [width, height] else "resize the masks to the frame first",
        )
    try:
        return canonical_counts(_counts(segmentation), height * width)
    except ValueError as error:
        raise ConversionError(
            "C164",
            "the run lengths of a mask are wrong",
            where=where,
            expected=f"counts that add up to {height * width}, beginning with the run of zeros",
            got=str(error),
            hint=_counts_hint(segmentation.get("counts")),
        ) from error


def is_blank(segmentation: Mapping[str, Any]) -> bool:
    """Whether run lengths, whatever their size, hold no pixel; False for what cannot be read."""
    try:
        counts = _counts(segmentation)
    except ValueError:
        return False
    return not counts[1::2].any()


def instances_of(
    clip: Clip,
    frames: NDArray[np.int64],
    masks: list[NDArray[np.uint32]],
    scores: NDArray[Any],
    objects: NDArray[np.int64] | None,
) -> Instances:
    """Instances of masks that are run lengths already, one array a row, in order of frame."""
    lengths = np.array([0, *map(len, masks)], dtype=np.int64)
    return Instances(
        clip.height,
        clip.width,
        frames.astype(np.int32),
        scores,
        np.concatenate([*masks, np.zeros(0, dtype=np.uint32)]),
        np.cumsum(lengths, dtype=np.int64),
        None if objects is None else objects.astype(np.int32),
    )


def _counts(rle: Mapping[str, Any]) -> NDArray[np.int64]:
    counts = rle.get("counts")
    if isinstance(counts, str):
        return counts_of_text(counts)
    if not isinstance(counts, list) or not all(type(count) is int and abs(count) < 2**32 for count in counts):
        raise ValueError("counts are neither text nor a list of whole numbers")
    return np.array(counts, dtype=np.int64)


def _counts_hint(counts: object) -> str:
    if isinstance(counts, str) and counts[:2] in {"b'", 'b"'}:
        return 'the text was made with str(counts) of bytes; use counts.decode("ascii")'
    if isinstance(counts, str) and "\\\\" in counts:
        return "the backslashes of the text are doubled"
    return "runs go column by column, as the COCO API's do"
