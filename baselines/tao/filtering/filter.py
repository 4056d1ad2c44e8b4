"""The filtering in time: which boxes persist, which object each belongs to, which become prompts."""

from __future__ import annotations

from baselines.tao.box_table import BoxTable
from baselines.tao.filtering.paper import paper_labels
from baselines.tao.filtering.released import released_labels
from baselines.tao.filtering.settings import FilterSettings, Reading
from vadbench import DataError


def filter_boxes(table: BoxTable, settings: FilterSettings, frames: int) -> BoxTable:
    """The same boxes with labels and prompts; a box that does not persist has `NO_LABEL`.

    A box inherits the label of an object that it overlaps in the frames before, or else is born with a new label
    if enough of the frames after show a box there, or else is dropped. Births are prompts at once, other labelled
    boxes in every l-th frame, counted from 0.

    With ``matches=0`` nothing is dropped: a box inherits a label wherever it overlaps an object of the window in one
    frame, else it is born. That is the linking of boxes without the filter.

    Parameters
    ----------
    table : BoxTable
        Boxes of one clip above the threshold, merged (`keep_anomalous`, `merge_boxes`); scores are not read.
    settings : FilterSettings
        The reading and its parameters.
    frames : int
        Frames T of the clip. Windows are cut at both ends.

    Returns
    -------
    BoxTable
        The rows of `table`. Labels are 0, 1, … in order of birth; of one frame, by (x1, y1, x2, y2) in the paper's
        reading, as given in the released one. A label stands at most once in a frame.

    Raises
    ------
    DataError
        B214 if a box is in no frame of the clip.

    Notes
    -----
    In the paper's reading the order of the boxes of a frame does not matter. Time is O(N n) for N boxes, n of them
    in a window.

    Source: TAO, Algorithm 1; tao.md, "The method", with what is unclear and how it is read here.
    """
    if len(table) and table.frames[-1] >= frames:
        raise DataError(
            "B214",
            "a box is in no frame of the clip",
            where=f"row {len(table) - 1}",
            expected=f"frames 0 to {frames - 1}",
            got=str(table.frames[-1]),
        )
    find_labels = released_labels if settings.reading is Reading.RELEASED else paper_labels
    labels, births = find_labels(table, settings)
    return table.with_labels(labels, births | ((labels >= 0) & (table.frames % settings.save_interval == 0)))
