"""Attributes of all boxes of a selection, measured once for all candidates, and the scores that follow from them.

Optical flow and embeddings are what takes long; densities, calibration and sums are quick, and made for each candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.simple.baseline import Progress, no_progress
from baselines.tao.box_table import BoxTable
from baselines.tao.frame_views import FrameView, frame_views
from baselines.tao.perspective import Perspective
from baselines.tao.scoring.attributes import Attribute, Features, Shape, Velocity
from baselines.tao.scoring.embeddings import make_embedding
from baselines.tao.scoring.pose import make_pose
from baselines.tao.scoring.scorer import fit_attribute, fit_perspectives
from baselines.tao.scoring.settings import AttributeKind, ScoringSettings
from baselines.tao.scoring.training_boxes import drawn_rows, most_boxes
from baselines.tao.selection.pasted_clips import PastedClip
from baselines.tao.selection.remembering_segmenter import FlowFolder
from baselines.views import view_of
from vadbench import Clip, DataError


@dataclass(frozen=True)
class Measure:
    """What is measured of an attribute, as far as the settings decide it.

    Parameters
    ----------
    kind : AttributeKind
    directions : int
    core : float
        Of the velocity; the same for all settings where they say nothing of another attribute.
    """

    kind: AttributeKind
    directions: int = 1
    core: float = 1.0

    @classmethod
    def of(cls, settings: ScoringSettings, kind: AttributeKind) -> Measure:
        """What the settings measure of an attribute."""
        if kind is AttributeKind.VELOCITY:
            return cls(kind, settings.directions, settings.core)
        return cls(kind)


class Measurements:
    """Features of the fitted clips and of the pasted ones; made by `measure`.

    Parameters
    ----------
    boxes : sequence of BoxTable
        Of each pasted clip.
    fitted, pasted : mapping from Measure to sequence of (N, D) float64
        Features of the boxes of each clip.
    flows : FlowFolder
        Of the pasted clips.
    """

    def __init__(
        self,
        boxes: Sequence[BoxTable],
        fitted: Mapping[Measure, Sequence[Features]],
        pasted: Mapping[Measure, Sequence[Features]],
        flows: FlowFolder,
    ) -> None:
        self.flows = flows
        self._boxes, self._fitted, self._pasted = list(boxes), fitted, pasted
        self._scores: dict[Hashable, list[NDArray[np.float64]]] = {}

    def scored(self, settings: ScoringSettings) -> list[BoxTable]:
        """Boxes of each pasted clip with scores, as `FittedScorer.score` gives them."""
        own = [self._attribute(settings, kind) for kind in settings.attributes]
        return [
            table.with_scores(np.sum([scores[number] for scores in own], axis=0, dtype=np.float64))
            for number, table in enumerate(self._boxes)
        ]

    def _attribute(self, settings: ScoringSettings, kind: AttributeKind) -> list[NDArray[np.float64]]:
        measure = Measure.of(settings, kind)
        if settings.density_of(kind).is_compared:
            density: tuple[Any, ...] = settings.neighbours, settings.training_boxes
        else:
            density = (settings.components_of(kind),)
        key = measure, *density, settings.quantile, settings.seed
        if key not in self._scores:
            fitted = fit_attribute(settings, kind, self._fitted[measure])
            self._scores[key] = [fitted.scores(features) for features in self._pasted[measure]]
        return self._scores[key]


def measure(
    candidates: Sequence[ScoringSettings],
    dataset_id: str,
    fitted_clips: Sequence[Clip],
    fitted_boxes: Mapping[str, BoxTable],
    pasted: Sequence[PastedClip],
    folder: Path,
    progress: Progress = no_progress,
) -> Measurements:
    """Measure everything that some candidate needs, in one pass through each clip.

    Parameters
    ----------
    candidates : sequence of ScoringSettings
        Of the same embedding, number of training boxes and seed; the first says which.
    dataset_id : str
        Says what a view is.
    fitted_clips : sequence of Clip
    fitted_boxes : mapping from clip id to BoxTable
    pasted : sequence of PastedClip
    folder : Path
        Takes the flow of the pasted clips.
    progress : callable, optional
        Called with the frames that are done.

    Raises
    ------
    DataError
        B279 if no fitted clip has a box.
    """
    if not any(len(fitted_boxes[clip.id]) for clip in fitted_clips):
        raise DataError(
            "B279",
            "there is nothing to learn from",
            where=f"training clips {', '.join(clip.id for clip in fitted_clips)}",
            expected="training clips in which the detector finds objects",
            got="no box",
            hint="lower the detector's least size or threshold",
        )
    measures = sorted({Measure.of(settings, kind) for settings in candidates for kind in settings.attributes}, key=repr)
    perspectives = fit_perspectives(dataset_id, fitted_clips, fitted_boxes)

    def meters(clip: Clip) -> dict[Measure, Attribute]:
        perspective = perspectives.get(view_of(dataset_id, clip)[0], perspectives[""])
        return {one: _meter(one, candidates[0], perspective) for one in measures}

    total = sum(clip.frames for clip in fitted_clips) + sum(made.clip.frames for made in pasted)
    done = 0

    def one_more(view: FrameView) -> None:
        nonlocal done
        done += 1
        progress("measuring boxes", done, total)

    of_fitted: dict[Measure, list[Features]] = {one: [] for one in measures}
    lengths = [len(fitted_boxes[clip.id]) for clip in fitted_clips]
    drawn = {one: drawn_rows(lengths, most_boxes(candidates[0], one.kind), candidates[0].seed) for one in measures}
    for number, clip in enumerate(fitted_clips):
        chosen = {one: of_clips[number] for one, of_clips in drawn.items()}
        for one, features in _features(clip, fitted_boxes[clip.id], meters(clip), one_more, chosen=chosen).items():
            of_fitted[one].append(features)
    of_pasted: dict[Measure, list[Features]] = {one: [] for one in measures}
    flows = FlowFolder(folder)
    for made in pasted:
        kept = flows.create(made.clip)

        def keep_flow(view: FrameView, kept: NDArray[np.float32] = kept) -> None:
            if view.flow is not None:
                kept[view.frame] = view.flow
            one_more(view)

        for one, features in _features(made.clip, made.boxes, meters(made.clip), keep_flow, with_flow=True).items():
            of_pasted[one].append(features)
    return Measurements([made.boxes for made in pasted], of_fitted, of_pasted, flows)


def _meter(one: Measure, settings: ScoringSettings, perspective: Perspective) -> Attribute:
    if one.kind is AttributeKind.VELOCITY:
        return Velocity(perspective, one.directions, one.core)
    if one.kind is AttributeKind.SHAPE:
        return Shape(perspective)
    return make_embedding(settings) if one.kind is AttributeKind.DEEP else make_pose(settings)


def _features(
    clip: Clip,
    boxes: BoxTable,
    meters: Mapping[Measure, Attribute],
    each: Callable[[FrameView], None],
    *,
    with_flow: bool = False,
    chosen: Mapping[Measure, NDArray[np.bool_]] | None = None,
) -> dict[Measure, Features]:
    """Features (N, D) of the boxes of a clip, or of the chosen ones; `each` is called with every frame's view."""
    found: dict[Measure, list[Features]] = {one: [] for one in meters}
    needs_flow = with_flow or any(meter.needs_flow for meter in meters.values())
    for view in frame_views(clip, with_flow=needs_flow):
        rows = boxes.rows(view.frame)
        # Frames without boxes are measured too where there are none yet: they say how many numbers there are.
        for one, meter in meters.items():
            of_frame = boxes.boxes[rows] if chosen is None else boxes.boxes[rows][chosen[one][rows]]
            if len(of_frame) or not found[one]:
                found[one].append(meter.measure(view, of_frame))
        each(view)
    return {one: np.concatenate([part for part in parts if len(part)] or parts[:1]) for one, parts in found.items()}
