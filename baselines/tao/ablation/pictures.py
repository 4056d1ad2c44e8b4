"""The studies as pictures, and each clip over time with filtering and without.

Source: TAO, table 4, figures 3, 5 and 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines.simple.baseline import Progress, no_progress
from baselines.tao.ablation.published import PUBLISHER
from baselines.tao.ablation.run import Ablation, StudyScores
from baselines.tao.ablation.studies import StudyKind
from baselines.tao.ablation.tables import METRICS, TITLES, published_of
from baselines.tao.segmentation.sam2_settings import Sam2Size
from vadbench import Dataset

if TYPE_CHECKING:
    from vadbench import Report

_LINES = ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1", "rbdc", "tbdc")
"""The four of the paper's figure 5, and the two other pixel metrics."""

_PARAMETERS = {StudyKind.FIG5: "threshold τ of the box scores", StudyKind.FIG6: "size of SAM2"}
_SHOWN_OVER_TIME = ("tracking+filtering", "tracking")
_PROTOCOL_OVER_TIME = "tao-release"
"""Its Pixel-F1 is a mean over frames, so that the lines sum up to the number in the tables."""

_WIDTH = 9.0


def write_pictures(ablation: Ablation, dataset: Dataset, progress: Progress = no_progress) -> list[Path]:
    """Write a picture of every study, and one of every test clip where filtering was turned off.

    Parameters
    ----------
    ablation : Ablation
    dataset : Dataset
        Its truth is read.
    progress : callable, optional
        Called with (what is being done, number done, number of all).

    Returns
    -------
    list of Path

    Raises
    ------
    UsageError
        U153 without matplotlib, U155 if a file cannot be written.
    """
    written = [_study_picture(ablation, scores) for scores in ablation.studies]
    for scores in ablation.studies:
        if scores.study.kind is StudyKind.TABLE4:
            written += _timelines(ablation, scores, dataset, progress)
    return written


def _study_picture(ablation: Ablation, scores: StudyScores) -> Path:
    from vadbench.plots import Display, GroupedBarsDisplay, SensitivityDisplay, write_displays

    kind = scores.study.kind
    displays: list[Display] = []
    for protocol, reports in scores.reports.items():
        if kind is StudyKind.TABLE4:
            named = {str(value): report for value, report in reports.items()}
            published = published_of(scores, protocol)
            bars = GroupedBarsDisplay.from_reports(named, metrics=METRICS, published=published, publisher=PUBLISHER)
            displays.append(bars)
        else:
            ordered = _in_order(kind, reports)
            chosen = scores.study.chosen
            displays.append(
                SensitivityDisplay.from_reports(ordered, parameter=_PARAMETERS[kind], metrics=_LINES, chosen=chosen)
            )
    return write_displays(displays, ablation.out / f"{kind}.png", title=TITLES[kind], width=_WIDTH)


def _timelines(ablation: Ablation, scores: StudyScores, dataset: Dataset, progress: Progress) -> list[Path]:
    from vadbench.plots import TimelineDisplay, write_displays

    reports = {name: scores.reports[_PROTOCOL_OVER_TIME][name] for name in _SHOWN_OVER_TIME}
    submissions = {name: scores.submissions[name] for name in _SHOWN_OVER_TIME}
    written = []
    for done, clip in enumerate(dataset.clips):
        progress("drawing clips over time", done, len(dataset.clips))
        if dataset.truth(clip.id).mask_runs is None:
            # Nothing to count there, as in the report.
            continue
        display = TimelineDisplay.from_reports(reports, submissions, dataset, clip_id=clip.id)
        written.append(write_displays([display], ablation.out / f"timeline-{clip.id}.png", width=_WIDTH))
    return written


def _in_order(kind: StudyKind, reports: Mapping[str | float, Report]) -> dict[Any, Report]:
    """Reports by value; sizes from small to large, whichever was chosen."""
    if kind is StudyKind.FIG5:
        return dict(reports)
    return {str(size): reports[str(size)] for size in Sam2Size if str(size) in reports}
