"""What is allowed and probably not meant in the rows of instances and detections of all clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from vadbench.validation.clip_contents import RowFacts
from vadbench.validation.object_ids import IdFacts
from vadbench.validation.validation import Check
from vadbench.validation.warnings import Remark

FEWEST_STEPS = 20
FEWEST_BOXES = 20
FEWEST_RUNS = 100
_FEW_RUNS = 0.05
_FRAME_BASE = "frames of the rows counted from 0"


def repeated_remarks(kind: str, clips: Mapping[str, RowFacts]) -> Iterator[Remark]:
    """S151: rows that their frame holds already."""
    found = {clip_id: rows.repeated for clip_id, rows in clips.items() if rows.repeated[0]}
    if found:
        n_rows = sum(n for n, _ in found.values())
        what = "frame, box and score" if kind == "detections" else "frame, mask and score"
        clip_id, (_, frame) = next(iter(found.items()))
        yield Remark(
            "S151",
            f"{n_rows} {'row has' if n_rows == 1 else 'rows have'} the same {what} as another row",
            (kind, f"clip {clip_id}, frame {frame}"),
            tuple(found),
            "each row counts as a detection of its own: the second is a false positive; was something written twice?",
            n_rows,
        )


def empty_remarks(kind: str, clips: Mapping[str, RowFacts]) -> Iterator[Remark]:
    """S160: no clip has a row."""
    if clips and not any(rows.n_rows for rows in clips.values()):
        yield Remark(
            "S160",
            f"no clip has a row of {kind}",
            (kind,),
            hint="the method finds nothing anywhere; if it makes no such predictions, leave the kind out",
        )


def frame_base_check(clips: Mapping[str, Sequence[RowFacts]]) -> Check | None:
    """Whether frames are counted from 0, as far as rows tell that; for where the number of frames is not known.

    Where it is known, a row behind the last frame tells for certain. Without it no warning is given, whatever the
    frames: methods that look at the frame before have no prediction for frame 0.

    Parameters
    ----------
    clips : mapping from clip id to sequence of RowFacts
        One for each kind.

    Returns
    -------
    Check or None
        None where no row has a frame.
    """
    firsts = [
        min(int(rows.frames[0]) for rows in kinds if rows.frames is not None and len(rows.frames))
        for kinds in clips.values()
        if any(rows.frames is not None and len(rows.frames) for rows in kinds)
    ]
    if not firsts:
        return None
    if min(firsts) == 0:
        return Check(name=_FRAME_BASE, made=True)
    begin = "all begin in frame 1" if set(firsts) == {1} else "none has a row in frame 0"
    return Check(
        name=_FRAME_BASE,
        made=False,
        remark=f"of {len(firsts)} {'clip' if len(firsts) == 1 else 'clips'} with rows {begin}, which may be right; "
        "with the number of frames it is checked: give --root",
    )


def fraction_remarks(kind: str, clips: Mapping[str, RowFacts]) -> Iterator[Remark]:
    """S162: no box of the kind goes beyond the first pixel.

    Boxes are in pixels, and the first pixel of the frame holds no object: only fractions of the frame lie in it. At
    least 20 boxes are asked for, in case that a method marks a frame without a place by a box that means nothing.
    """
    found = {clip_id: rows.farthest_corner for clip_id, rows in clips.items() if rows.farthest_corner is not None}
    n_boxes = sum(rows.n_rows for rows in clips.values())
    are_all = all(clip_id in found for clip_id, rows in clips.items() if rows.n_rows)
    if n_boxes >= FEWEST_BOXES and are_all and max(found.values()) <= 1:
        yield Remark(
            "S162",
            f"x2 and y2 are at most {max(found.values()):g} in each of the {n_boxes} boxes",
            (kind, "box"),
            tuple(found),
            "boxes are in pixels of the frame: multiply x by its width and y by its height",
            n_boxes,
        )


def run_order_remarks(kind: str, clips: Mapping[str, RowFacts]) -> Iterator[Remark]:
    """S163: the runs of the masks lie one width apart, and not one height.

    Run lengths go column by column, so that the run beside a run begins one height further on, in any object that is
    wider than a column and steeper nowhere than 5 pixels a column. Asked for: at least 100 runs with another behind
    them in their mask, more than half with one a width on, at most 5 % with one a height on. Several parts one above
    the other may lie a width apart, where a frame is higher than wide; each part still has its own next column.
    """
    found = {clip_id: rows.order for clip_id, rows in clips.items() if rows.order is not None and rows.order.n_runs}
    n_runs, n_height, n_width = (
        sum(getattr(order, name) for order in found.values()) for name in ("n_runs", "n_height", "n_width")
    )
    if n_runs >= FEWEST_RUNS and 2 * n_width > n_runs and n_height <= _FEW_RUNS * n_runs:
        yield Remark(
            "S163",
            f"{n_width} of {n_runs} runs have another one width of the frame further on, and {n_height} one height",
            (kind, "counts"),
            tuple(clip_id for clip_id, order in found.items() if order.n_width),
            "run lengths go down the columns: encode np.asfortranarray(mask), or count the runs of\n"
            "mask.ravel(order='F'); `Instances.from_masks` does it",
            n_width,
        )


def id_remarks(kind: str, clips: Mapping[str, RowFacts]) -> Iterator[Remark]:
    """S158: ids that are numbers of rows, jump from object to object, or stand for several objects at once."""
    found = {clip_id: rows.ids for clip_id, rows in clips.items() if rows.ids is not None and rows.ids.n_rows}
    where = (kind, "object")
    n_rows = sum(ids.n_rows for ids in found.values())
    if n_rows >= FEWEST_STEPS and all(ids.n_ids == ids.n_rows and ids.n_frames > 1 for ids in found.values()):
        yield Remark(
            "S158",
            f"each of the {n_rows} rows has an id of its own",
            where,
            hint="an object keeps its id from frame to frame; without identities leave the array object out",
        )
        return
    n_steps, n_jumps = (sum(getattr(ids, name) for ids in found.values()) for name in ("n_steps", "n_jumps"))
    if n_jumps >= FEWEST_STEPS and 2 * n_jumps > n_steps:
        first, frame = _first(found, "first_jump")
        yield Remark(
            "S158",
            f"{n_jumps} of {n_steps} times an id is far from where it was in the frame before",
            (*where, f"clip {first}, frame {frame}"),
            tuple(clip_id for clip_id, ids in found.items() if ids.n_jumps),
            "an object keeps its id from frame to frame; are these numbers within a frame?",
            n_jumps,
        )
    n_together, n_apart = (sum(getattr(ids, name) for ids in found.values()) for name in ("n_together", "n_apart"))
    if n_apart >= FEWEST_STEPS and 2 * n_apart > n_together:
        first, frame = _first(found, "first_apart")
        yield Remark(
            "S158",
            f"{n_apart} of {n_together} times rows with the same id in a frame are far apart",
            (*where, f"clip {first}, frame {frame}"),
            tuple(clip_id for clip_id, ids in found.items() if ids.n_apart),
            "rows of a frame share an id where they are parts of one object; are these numbers of classes?",
            n_apart,
        )


def _first(found: Mapping[str, IdFacts], name: str) -> tuple[str, int]:
    return next((clip_id, getattr(ids, name)) for clip_id, ids in found.items() if getattr(ids, name) is not None)
