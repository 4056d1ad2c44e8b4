"""Stage 3 as a whole: threshold, merging, filtering; what is left are the boxes of objects."""

from __future__ import annotations

from baselines.tao.box_table import NO_LABEL, BoxTable
from baselines.tao.filtering.filter import filter_boxes
from baselines.tao.filtering.merging import keep_anomalous, merge_boxes
from baselines.tao.filtering.settings import FilterSettings


def object_boxes(scored: BoxTable, tau: float, settings: FilterSettings, frames: int) -> BoxTable:
    """Boxes that belong to an object, with labels and prompts.

    Parameters
    ----------
    scored : BoxTable
        All boxes of a clip, with scores.
    tau : float
        τ; boxes with a higher score are anomalous.
    settings : FilterSettings
    frames : int
        Of the clip.

    Raises
    ------
    UsageError
        B213, B215 as `keep_anomalous`.
    """
    anomalous = keep_anomalous(scored, tau)
    if settings.merge:
        anomalous = merge_boxes(anomalous, settings.reading)
    labelled = filter_boxes(anomalous, settings, frames)
    return labelled if labelled.labels is None else labelled.select(labelled.labels != NO_LABEL)
