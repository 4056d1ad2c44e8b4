"""Rules for the rows of instances, detections and frame scores; the reader and the writer hold the same ones.

Source: submission.md, "predictions.zarr".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.submission.problems import problem

Where = tuple[str, ...]


def check_frames(frames: NDArray[Any], where: Where, *, n_frames: int | None) -> None:
    """Frames are not decreasing and 0 ≤ frame < ``n_frames``; raises `SubmissionError` S141."""
    if not len(frames):
        return
    falling = np.flatnonzero(frames[1:] < frames[:-1])
    if len(falling):
        row = int(falling[0]) + 1
        raise problem(
            "S141",
            where=(*where, f"row {row}"),
            expected="frames in order: none smaller than the one before",
            got=f"frame {frames[row]} after frame {frames[row - 1]}",
            hint='sort the rows with np.argsort(frames, kind="stable")',
        )
    row = 0 if frames[0] < 0 else len(frames) - 1
    if frames[0] < 0 or (n_frames is not None and frames[-1] >= n_frames):
        raise problem(
            "S141",
            where=(*where, f"row {row}"),
            expected="frames from 0" if n_frames is None else f"frames from 0 to {n_frames - 1}",
            got=f"frame {frames[row]}",
            hint="the first frame of a clip is 0" if n_frames is not None and frames[-1] == n_frames else "",
        )


def check_scores(scores: NDArray[Any], frames: NDArray[Any] | None, where: Where) -> None:
    """Scores are finite; ``frames`` is the frame of each, None where the row is the frame. Raises S140."""
    wrong = np.flatnonzero(~np.isfinite(scores))
    if len(wrong):
        row = int(wrong[0])
        place = f"frame {row}" if frames is None else f"row {row}, frame {frames[row]}"
        raise problem("S140", where=(*where, place), expected="a finite number", got=str(scores[row]))


def check_objects(objects: NDArray[Any] | None, where: Where) -> None:
    """Object ids are from 0 to 2³¹ − 1; raises `SubmissionError` S144."""
    if objects is None:
        return
    wrong = np.flatnonzero((objects < 0) | (objects >= 2**31))
    if len(wrong):
        row = int(wrong[0])
        raise problem("S144", where=(*where, f"row {row}"), expected="0 to 2147483647", got=str(objects[row]))


def check_boxes(
    boxes: NDArray[Any], frames: NDArray[Any], where: Where, *, height: int | None, width: int | None
) -> None:
    """0 ≤ x1 < x2 ≤ ``width`` and 0 ≤ y1 < y2 ≤ ``height`` (None: not known); raises `SubmissionError` S142."""
    x1, y1, x2, y2 = boxes.T
    # Written so that NaN is wrong as well.
    right = (x1 >= 0) & (x1 < x2) & (y1 >= 0) & (y1 < y2) & np.isfinite(x2) & np.isfinite(y2)
    if width is not None:
        right &= x2 <= width
    if height is not None:
        right &= y2 <= height
    wrong = np.flatnonzero(~right)
    if not len(wrong):
        return
    row = int(wrong[0])
    limits = f"W is {width}, H is {height}" if width is not None else "finite"
    flat = boxes[row][0] == boxes[row][2] or boxes[row][1] == boxes[row][3]
    raise problem(
        "S142",
        where=(*where, f"row {row}", f"frame {frames[row]}"),
        expected=f"0 ≤ x1 < x2 ≤ W and 0 ≤ y1 < y2 ≤ H, half-open; {limits}",
        got=", ".join(f"{name} {value}" for name, value in zip(("x1", "y1", "x2", "y2"), boxes[row], strict=True)),
        hint="inclusive corners need x2 + 1 and y2 + 1" if flat else "cut the box to the frame",
    )


def check_runs(
    counts: NDArray[Any], offsets: NDArray[Any], frames: NDArray[Any], where: Where, *, height: int, width: int
) -> None:
    """Run lengths describe one non-empty mask a row, of the frame's size; raises `SubmissionError` S143."""
    if offsets[0] != 0 or offsets[-1] != len(counts) or (offsets[1:] <= offsets[:-1]).any():
        raise problem(
            "S143",
            where=(*where, "offsets"),
            expected=f"strictly increasing from 0 to {len(counts)}, the number of counts",
            got=f"{len(offsets)} offsets from {offsets[0]} to {offsets[-1]}",
        )
    if not len(frames):
        return
    starts, lengths = offsets[:-1], np.diff(offsets)
    totals = np.add.reduceat(counts, starts, dtype=np.int64)
    may_be_zero = np.zeros(len(counts), dtype=bool)
    may_be_zero[starts] = True
    empty_runs = np.flatnonzero((counts == 0) & ~may_be_zero)
    faults = [
        (np.flatnonzero(totals != height * width), f"run lengths that add up to {height * width} (H·W)"),
        (np.flatnonzero(lengths < 2), "at least one pixel in the mask"),
        (np.searchsorted(offsets, empty_runs, side="right") - 1, "no run of length 0 but the first"),
    ]
    for rows, expected in faults:
        if len(rows):
            row = int(rows[0])
            raise problem(
                "S143",
                where=(*where, f"row {row}", f"frame {frames[row]}"),
                expected=expected,
                got=f"{lengths[row]} runs that add up to {totals[row]}",
                hint="runs go column by column, as COCO's do, and begin with the run of zeros",
            )


def check_detections(
    frames: NDArray[Any],
    boxes: NDArray[Any],
    scores: NDArray[Any],
    objects: NDArray[Any] | None,
    where: Where,
    *,
    n_frames: int | None,
    height: int | None,
    width: int | None,
) -> None:
    """All rules of the rows of detections."""
    check_frames(frames, (*where, "frame"), n_frames=n_frames)
    check_boxes(boxes, frames, (*where, "box"), height=height, width=width)
    check_scores(scores, frames, (*where, "score"))
    check_objects(objects, (*where, "object"))


def check_instances(
    arrays: Mapping[str, NDArray[Any]], where: Where, *, n_frames: int | None, height: int, width: int
) -> None:
    """All rules of the rows of instances; the arrays by their names in the format, ``object`` where it is there."""
    frames = arrays["frame"]
    check_frames(frames, (*where, "frame"), n_frames=n_frames)
    check_scores(arrays["score"], frames, (*where, "score"))
    check_objects(arrays.get("object"), (*where, "object"))
    check_runs(arrays["counts"], arrays["offsets"], frames, where, height=height, width=width)


def check_map_block(block: NDArray[Any], first_frame: int, where: Where) -> None:
    """Scores of a block of maps (n, H, W) are finite; raises `SubmissionError` S140 with frame and pixel."""
    if block.dtype.kind != "f":
        return
    # The extremes hide neither a NaN nor an infinity, and need no array of booleans.
    if np.isfinite(block.min()) and np.isfinite(block.max()):
        return
    frame, y, x = (int(i) for i in np.argwhere(~np.isfinite(block))[0])
    raise problem(
        "S140",
        where=(*where, f"frame {first_frame + frame}", f"pixel (x {x}, y {y})"),
        expected="a finite number",
        got=str(block[frame, y, x]),
    )
