"""Rules for the rows of instances, detections and frame scores; the reader and the writer hold the same ones.

Each rule gives its faults one by one, found with arrays: one fault a mistake, however many rows have it.

Source: submission.md, "predictions.zarr".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.submission.faults import Fault, raise_first
from vadbench.submission.problems import problem

Where = tuple[str, ...]
_LARGEST_ID = 2**31 - 1
_ROWS_LOOKED_AT = 10_000
_ROWS_THAT_TELL = 3
"""Wrong rows from which on a common cause is named: one or two may have it by chance."""

FRAMES_FROM_1 = (
    "frames are counted from 0; these seem to be counted from 1:\n"
    "subtract 1, or convert with `vadbench convert --frame-offset -1`"
)


def _wrong_rows(wrong: NDArray[np.bool_]) -> tuple[int, int]:
    """How many rows are wrong, and the first of them; no list of them, which may be as long as the array."""
    n_wrong = int(np.count_nonzero(wrong))
    return n_wrong, int(wrong.argmax()) if n_wrong else 0


def frame_faults(frames: NDArray[Any], where: Where, *, n_frames: int | None) -> Iterator[Fault]:
    """S141: frames are not decreasing and 0 ≤ frame < ``n_frames`` (None: not known)."""
    if not len(frames):
        return
    n_falling, row = _wrong_rows(frames[1:] < frames[:-1])
    if n_falling:
        row += 1
        error = problem(
            "S141",
            where=(*where, f"row {row}"),
            expected="frames in order: none smaller than the one before",
            got=f"frame {frames[row]} after frame {frames[row - 1]}",
            hint='sort the rows with np.argsort(frames, kind="stable")',
        )
        yield Fault(error, n_falling)
    expected = "frames from 0" if n_frames is None else f"frames from 0 to {n_frames - 1}"
    n_early, row = _wrong_rows(frames < 0)
    if n_early:
        error = problem("S141", where=(*where, f"row {row}"), expected=expected, got=f"frame {frames[row]}")
        yield Fault(error, n_early)
    n_late, row = (0, 0) if n_frames is None else _wrong_rows(frames >= n_frames)
    if n_late:
        error = problem(
            "S141",
            where=(*where, f"row {row}"),
            expected=expected,
            got=f"frame {frames[row]}",
            hint=_late_hint(int(frames.min()), int(frames.max()), n_frames),
        )
        yield Fault(error, n_late)


def _late_hint(least: int, greatest: int, n_frames: int | None) -> str:
    if greatest != n_frames:
        return "frames are counted within the clip, from 0"
    return FRAMES_FROM_1 if least >= 1 else "the first frame of a clip is 0"


def score_faults(
    scores: NDArray[Any], frames: NDArray[Any] | None, where: Where, *, noun: str = "frame"
) -> Iterator[Fault]:
    """S140: scores are finite; ``frames`` is the frame of each, None where each is one of a ``noun``."""
    n_wrong, row = _wrong_rows(~np.isfinite(scores))
    if n_wrong:
        place = f"{noun} {row}" if frames is None else f"row {row}, frame {frames[row]}"
        error = problem("S140", where=(*where, place), expected="a finite number", got=str(scores[row]))
        yield Fault(error, n_wrong)


def object_faults(objects: NDArray[Any] | None, where: Where) -> Iterator[Fault]:
    """S144: object ids are from 0 to 2³¹ − 1."""
    if objects is None:
        return
    n_wrong, row = _wrong_rows((objects < 0) | (objects > _LARGEST_ID))
    if n_wrong:
        error = problem("S144", where=(*where, f"row {row}"), expected=f"0 to {_LARGEST_ID}", got=str(objects[row]))
        yield Fault(error, n_wrong)


def box_faults(
    boxes: NDArray[Any], frames: NDArray[Any] | None, where: Where, *, height: int | None, width: int | None
) -> Iterator[Fault]:
    """S142: 0 ≤ x1 < x2 ≤ ``width`` and 0 ≤ y1 < y2 ≤ ``height`` (None: not known)."""
    wrong = ~_fits(boxes, height, width)
    n_wrong, row = _wrong_rows(wrong)
    if not n_wrong:
        return
    limits = f"W is {width}, H is {height}" if width is not None else "finite"
    frame = () if frames is None else (f"frame {frames[row]}",)
    error = problem(
        "S142",
        where=(*where, f"row {row}", *frame),
        expected=f"0 ≤ x1 < x2 ≤ W and 0 ≤ y1 < y2 ≤ H, half-open; {limits}",
        got=", ".join(f"{name} {value}" for name, value in zip(("x1", "y1", "x2", "y2"), boxes[row], strict=True)),
        hint=_box_hint(boxes[row : row + _ROWS_LOOKED_AT], wrong[row : row + _ROWS_LOOKED_AT], height, width),
    )
    yield Fault(error, n_wrong)


def _fits(boxes: NDArray[Any], height: int | None, width: int | None) -> NDArray[np.bool_]:
    x1, y1, x2, y2 = boxes.T
    # Written so that NaN is wrong as well.
    right = (x1 >= 0) & (x1 < x2) & (y1 >= 0) & (y1 < y2) & np.isfinite(x2) & np.isfinite(y2)
    if width is not None:
        right &= x2 <= width
    if height is not None:
        right &= y2 <= height
    return np.asarray(right)


def _box_hint(boxes: NDArray[Any], is_wrong: NDArray[np.bool_], height: int | None, width: int | None) -> str:
    """What kind of boxes explains all that are wrong, if one does."""
    wrong = boxes[is_wrong]
    if not np.isfinite(wrong).all():
        return "every corner is a finite number"
    flat = (wrong[:, :2] == wrong[:, 2:]).any(axis=1)
    inside = wrong + np.array([0, 0, 1, 1], dtype=wrong.dtype)
    if flat.all() and _fits(inside, height, width).all():
        return "inclusive corners need x2 + 1 and y2 + 1"
    if len(wrong) >= _ROWS_THAT_TELL:
        sizes = boxes.copy()
        sizes[:, 2:] += sizes[:, :2]
        if (wrong[:, 2:] < wrong[:, :2]).any(axis=1).all() and _fits(sizes, height, width).all():
            return "these seem to be x, y, width, height: x2 is x + width, y2 is y + height"
        if height != width and _fits(wrong[:, [1, 0, 3, 2]], height, width).all():
            return "x and y seem to be swapped: boxes are x1, y1, x2, y2, and x goes along the width"
    return "inclusive corners need x2 + 1 and y2 + 1" if flat[0] else "cut the box to the frame"


def run_faults(
    counts: NDArray[Any],
    offsets: NDArray[Any],
    frames: NDArray[Any] | None,
    where: Where,
    *,
    height: int | None,
    width: int | None,
) -> Iterator[Fault]:
    """S143: run lengths describe one non-empty mask a row, of the frame's size (None: not known)."""
    if offsets[0] != 0 or offsets[-1] != len(counts) or (offsets[1:] <= offsets[:-1]).any():
        error = problem(
            "S143",
            where=(*where, "offsets"),
            expected=f"strictly increasing from 0 to {len(counts)}, the number of counts",
            got=f"{len(offsets)} offsets from {offsets[0]} to {offsets[-1]}",
        )
        yield Fault(error)
        return
    if len(offsets) == 1:
        return
    starts, lengths = offsets[:-1], np.diff(offsets)
    totals = np.add.reduceat(counts, starts, dtype=np.int64)
    empty = counts == 0
    empty[starts] = False  # the first run, of zeros, may have length 0
    size = None if height is None or width is None else height * width
    faults = [
        (lengths < 2, "at least one pixel in the mask"),
        (np.logical_or.reduceat(empty, starts), "no run of length 0 but the first"),
    ]
    if size is None:
        faults.insert(0, (totals != totals[0], f"run lengths that add up to {totals[0]}, as in row 0"))
    else:
        faults.insert(0, (totals != size, f"run lengths that add up to {size} (H·W)"))
    for wrong, expected in faults:
        n_wrong, row = _wrong_rows(wrong)
        if n_wrong:
            frame = () if frames is None else (f"frame {frames[row]}",)
            error = problem(
                "S143",
                where=(*where, f"row {row}", *frame),
                expected=expected,
                got=f"{lengths[row]} runs that add up to {totals[row]}",
                hint="runs go column by column, as COCO's do, and begin with the run of zeros",
            )
            yield Fault(error, n_wrong)


def detection_faults(
    arrays: Mapping[str, NDArray[Any]],
    where: Where,
    *,
    n_frames: int | None,
    height: int | None,
    width: int | None,
) -> Iterator[Fault]:
    """All rules of the rows of detections; the arrays by their names in the format, as many as can be read."""
    frames = arrays.get("frame")
    if frames is not None:
        yield from frame_faults(frames, (*where, "frame"), n_frames=n_frames)
    if "box" in arrays:
        yield from box_faults(arrays["box"], frames, (*where, "box"), height=height, width=width)
    if "score" in arrays:
        yield from score_faults(arrays["score"], frames, (*where, "score"), noun="row")
    yield from object_faults(arrays.get("object"), (*where, "object"))


def instance_faults(
    arrays: Mapping[str, NDArray[Any]],
    where: Where,
    *,
    n_frames: int | None,
    height: int | None,
    width: int | None,
) -> Iterator[Fault]:
    """All rules of the rows of instances; the arrays by their names in the format, as many as can be read."""
    frames = arrays.get("frame")
    if frames is not None:
        yield from frame_faults(frames, (*where, "frame"), n_frames=n_frames)
    if "score" in arrays:
        yield from score_faults(arrays["score"], frames, (*where, "score"), noun="row")
    yield from object_faults(arrays.get("object"), (*where, "object"))
    if "counts" in arrays and "offsets" in arrays:
        yield from run_faults(arrays["counts"], arrays["offsets"], frames, where, height=height, width=width)


def map_faults(
    block: NDArray[Any], first_frame: int, where: Where, *, corner: tuple[int, int] = (0, 0)
) -> Iterator[Fault]:
    """S140: scores of a block of maps (n, H, W) are finite; frame and pixel of the first that is not.

    ``corner`` is the (y, x) at which the block begins, where it holds parts of frames.
    """
    if block.dtype.kind != "f" or not block.size:
        return
    # The extremes hide neither a NaN nor an infinity, and need no array of booleans.
    if np.isfinite(block.min()) and np.isfinite(block.max()):
        return
    wrong = ~np.isfinite(block)
    frame, y, x = (int(i) for i in np.unravel_index(int(wrong.argmax()), block.shape))
    error = problem(
        "S140",
        where=(*where, f"frame {first_frame + frame}", f"pixel (x {corner[1] + x}, y {corner[0] + y})"),
        expected="a finite number",
        got=str(block[frame, y, x]),
    )
    yield Fault(error, int(np.count_nonzero(wrong)))


def check_frames(frames: NDArray[Any], where: Where, *, n_frames: int | None) -> None:
    """Raise the first of the `frame_faults`."""
    raise_first(frame_faults(frames, where, n_frames=n_frames))


def check_scores(scores: NDArray[Any], frames: NDArray[Any] | None, where: Where) -> None:
    """Raise the first of the `score_faults`."""
    raise_first(score_faults(scores, frames, where))


def check_objects(objects: NDArray[Any] | None, where: Where) -> None:
    """Raise the first of the `object_faults`."""
    raise_first(object_faults(objects, where))


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
    """Raise the first of the `detection_faults`."""
    arrays = {"frame": frames, "box": boxes, "score": scores} | ({} if objects is None else {"object": objects})
    raise_first(detection_faults(arrays, where, n_frames=n_frames, height=height, width=width))


def check_instances(
    arrays: Mapping[str, NDArray[Any]], where: Where, *, n_frames: int | None, height: int, width: int
) -> None:
    """Raise the first of the `instance_faults`."""
    raise_first(instance_faults(arrays, where, n_frames=n_frames, height=height, width=width))


def check_map_block(block: NDArray[Any], first_frame: int, where: Where) -> None:
    """Raise the first of the `map_faults`."""
    raise_first(map_faults(block, first_frame, where))


def distinct(ordered: NDArray[Any]) -> NDArray[Any]:
    """Values of a 1-d array that does not decrease, each once; linear (``np.unique`` hashes them)."""
    is_first = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return ordered[is_first]
