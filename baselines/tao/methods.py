"""What does the work of each stage: one value, so that tests and studies can replace it in parts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from baselines.simple.baseline import Progress
from baselines.tao.box_table import BoxTable
from baselines.tao.detection.detector import Detector
from baselines.tao.detection.settings import DetectionSettings
from baselines.tao.progress import FrameProgress, no_frame_progress
from baselines.tao.scoring.settings import ScoringSettings
from baselines.tao.segmentation.segmenter import Segmenter
from baselines.tao.settings import SegmentationKind, SegmentationSettings, TaoSettings
from baselines.tao.stages import Stage
from vadbench import Clip, Dataset


class Learned(Protocol):
    """Something that was learned from training clips."""

    def save(self, path: Path) -> None:
        """Write it; the same learned thing gives the same bytes."""
        ...


class BoxScorer(Protocol):
    """Says how unusual boxes are."""

    def score(self, clip: Clip, boxes: BoxTable, progress: FrameProgress = no_frame_progress) -> BoxTable:
        """The same boxes with scores; higher is more anomalous."""
        ...


def _no_check(settings: TaoSettings, stages: Collection[Stage]) -> None:
    """Nothing is needed."""


@dataclass(frozen=True)
class Methods:
    """The makers of what does the work; of a `Dataset` they ask for id and clips alone.

    Parameters
    ----------
    detector : callable
        Settings, data set and progress to `Detector`.
    fit_scorer : callable
        Settings, data set, boxes by training clip id and progress to what was learned.
    load_scorer : callable
        File of what was learned, and settings that say where files of weights are now, to `BoxScorer`.
    fit_segmenter : callable
        Settings, data set and progress to what was learned; called only where the settings say `is_fitted`.
    segmenter : callable
        Settings and file of what was learned (None where nothing is) to `Segmenter`.
    check : callable
        Settings of the run and the stages that will run; called before the first of them, raises what they lack.
    """

    detector: Callable[[DetectionSettings, Dataset, Progress], Detector]
    fit_scorer: Callable[[ScoringSettings, Dataset, Mapping[str, BoxTable], FrameProgress], Learned]
    load_scorer: Callable[[Path, ScoringSettings], BoxScorer]
    fit_segmenter: Callable[[SegmentationSettings, Dataset, FrameProgress], Learned]
    segmenter: Callable[[SegmentationSettings, Path | None], Segmenter]
    check: Callable[[TaoSettings, Collection[Stage]], None] = _no_check


def _detector(settings: DetectionSettings, dataset: Dataset, progress: Progress) -> Detector:
    from baselines.tao.detection.settings import make_detector

    return make_detector(settings, dataset, progress)


def _fit_scorer(
    settings: ScoringSettings, dataset: Dataset, boxes: Mapping[str, BoxTable], progress: FrameProgress
) -> Learned:
    from baselines.tao.scoring.scorer import fit_scorer

    return fit_scorer(settings, dataset.id, dataset.training_clips, boxes, progress)


def _load_scorer(path: Path, settings: ScoringSettings) -> BoxScorer:
    from baselines.tao.scoring.scorer import load_scorer

    return load_scorer(path, settings)


def _fit_segmenter(settings: SegmentationSettings, dataset: Dataset, progress: FrameProgress) -> Learned:
    from baselines.tao.segmentation.classical import fit_classical

    return fit_classical(settings.classical, dataset.id, dataset.training_clips, progress)


def _segmenter(settings: SegmentationSettings, model: Path | None) -> Segmenter:
    if model is not None:
        from baselines.tao.segmentation.classical import load_classical

        return load_classical(model, settings.classical)
    from baselines.tao.segmentation.sam2_segmenters import make_sam2_segmenter

    return make_sam2_segmenter(settings.sam2, tracking=settings.kind is SegmentationKind.SAM2_VIDEO)


def _check(settings: TaoSettings, stages: Collection[Stage]) -> None:
    from baselines.tao.requirements import check_requirements

    check_requirements(settings, stages)


METHODS = Methods(_detector, _fit_scorer, _load_scorer, _fit_segmenter, _segmenter, _check)
"""What is used unless told otherwise."""
