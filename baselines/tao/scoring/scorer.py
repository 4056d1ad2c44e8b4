"""The scorer: fitted to the boxes of training clips, it gives every box of a clip its attributes and their sum.

Source: TAO, equation 2; tao.md, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import BoxTable
from baselines.tao.frame_views import frame_views
from baselines.tao.model_file import read_model, reading, write_model
from baselines.tao.perspective import Perspective
from baselines.tao.progress import FrameProgress, no_frame_progress
from baselines.tao.scoring.attributes import Attribute, Features, Shape, Velocity
from baselines.tao.scoring.calibration import Calibration, FitProgress, left_out_scores, no_fit_progress
from baselines.tao.scoring.densities import Density, fit_density, load_density
from baselines.tao.scoring.densities import Features as LearnedFeatures
from baselines.tao.scoring.embeddings import make_embedding
from baselines.tao.scoring.pose import make_pose
from baselines.tao.scoring.settings import AttributeKind, ScoringSettings
from baselines.tao.scoring.training_boxes import drawn_rows, most_boxes
from baselines.views import view_of
from vadbench import Clip, DataError

_KIND = "TAO scorer"
_MEASURING_SHARE = 0.75
"""Of the progress of fitting a scorer; the densities are the rest."""


@dataclass(frozen=True)
class FittedAttribute:
    """Density of the normal features of an attribute, and the scale of its scores."""

    density: Density
    calibration: Calibration

    def scores(self, features: Features) -> NDArray[np.float64]:
        """Calibrated scores of features (N, D), (N,)."""
        return self.calibration.calibrated(self.density.scores(features))


class FittedScorer:
    """Scores boxes; made by `fit_scorer` or `load_scorer`.

    Parameters
    ----------
    settings : ScoringSettings
    dataset_id : str
        Data set whose clips it was fitted to; it says what a view is.
    perspectives : mapping from str to Perspective
        By camera; "" holds that of all training clips, for views that training does not show.
    attributes : mapping from AttributeKind to FittedAttribute
    """

    def __init__(
        self,
        settings: ScoringSettings,
        dataset_id: str,
        perspectives: Mapping[str, Perspective],
        attributes: Mapping[AttributeKind, FittedAttribute],
    ) -> None:
        self.settings = settings
        self.dataset_id = dataset_id
        self.perspectives = dict(perspectives)
        self.attributes = dict(attributes)

    def score(self, clip: Clip, boxes: BoxTable, progress: FrameProgress = no_frame_progress) -> BoxTable:
        """The same boxes with calibrated attributes, and their sum as score.

        Parameters
        ----------
        clip : Clip
            With frames.
        boxes : BoxTable
            Of that clip.
        progress : callable, optional

        Raises
        ------
        UsageError
            B203, B223, B225, B226 and `DataError` B224 for attributes that need weights: see `make_network_embedding`
            and `make_pose`.
        """
        perspective = _perspective_of(self.perspectives, self.dataset_id, clip)
        features = measured(clip, boxes, _meters(self.settings, perspective, self._appearance), progress)
        scores = {str(kind): self.attributes[kind].scores(features[kind]) for kind in self.settings.attributes}
        return boxes.with_scores(np.sum(list(scores.values()), axis=0, dtype=np.float64), scores)

    @cached_property
    def _appearance(self) -> dict[AttributeKind, Attribute]:
        """Made once for all clips: networks take time to load."""
        return appearance_meters(self.settings)

    def save(self, path: Path) -> None:
        """Write the fitted scorer; the same scorer gives the same bytes."""
        header = {
            "settings": asdict(self.settings),
            "dataset": self.dataset_id,
            "perspectives": {camera: asdict(line) for camera, line in self.perspectives.items()},
            "calibrations": {str(kind): asdict(fitted.calibration) for kind, fitted in self.attributes.items()},
        }
        arrays = {
            f"{kind}.{name}": array
            for kind, fitted in self.attributes.items()
            for name, array in fitted.density.arrays().items()
        }
        write_model(path, _KIND, header, arrays)


def load_scorer(path: Path, settings: ScoringSettings | None = None) -> FittedScorer:
    """Scorer of a file that `FittedScorer.save` has written.

    Parameters
    ----------
    path : Path
    settings : ScoringSettings, optional
        Says where the files of weights are now, and on which device to compute; nothing else of it counts.

    Raises
    ------
    DataError
        B204 if the file is absent, damaged, or none of a scorer.
    """
    header, arrays = read_model(path, _KIND)
    with reading(path, _KIND):
        fitted_with = ScoringSettings(**header["settings"])
        attributes = {}
        for kind in fitted_with.attributes:
            own = {name.partition(".")[2]: array for name, array in arrays.items() if name.startswith(f"{kind}.")}
            density = load_density(fitted_with.density_of(kind), own)
            attributes[kind] = FittedAttribute(density, Calibration(**header["calibrations"][kind]))
        perspectives = {camera: Perspective(**line) for camera, line in header["perspectives"].items()}
        if "" not in perspectives:
            raise ValueError("no perspective of all clips")
        dataset_id = str(header["dataset"])
    if settings is not None:
        fitted_with = replace(
            fitted_with,
            embedding_weights=settings.embedding_weights,
            pose_weights=settings.pose_weights,
            device=settings.device,
        )
    return FittedScorer(fitted_with, dataset_id, perspectives, attributes)


def fit_scorer(
    settings: ScoringSettings,
    dataset_id: str,
    clips: Sequence[Clip],
    boxes: Mapping[str, BoxTable],
    progress: FrameProgress = no_frame_progress,
) -> FittedScorer:
    """Learn what is normal from the boxes of training clips.

    Parameters
    ----------
    settings : ScoringSettings
    dataset_id : str
        Says what a view is.
    clips : sequence of Clip
        Training clips with frames.
    boxes : mapping from training clip id to BoxTable
    progress : callable, optional
        Called with the number of frames of all clips that are done, a frame being three quarters done when it is
        measured; the last quarter is done as the densities are fitted.

    Raises
    ------
    DataError
        B221 if there are no clips, or no boxes in any.
    UsageError
        B203, B223, B225, B226 and `DataError` B224 for attributes that need weights.

    Notes
    -----
    The boxes that an attribute learns from are drawn first, and no others are measured: at most
    `ScoringSettings.training_boxes` for embeddings and poses, 1.3 kB each with gradients of 324 numbers, and
    `MIXTURE_BOXES` for mixtures. Which are drawn depends on the numbers of boxes and the seed alone.
    """
    if not sum(len(boxes[clip.id]) for clip in clips):
        raise DataError(
            "B221",
            "there is nothing to learn from" if clips else "TAO needs training clips, and there are none",
            expected="training clips in which the detector finds objects",
            got=f"{len(clips)} training clips without a box" if clips else "no training clips",
            hint="lower the detector's least size or threshold"
            if clips
            else "put the training part beside the test part",
        )
    perspectives = fit_perspectives(dataset_id, clips, boxes)
    appearance = appearance_meters(settings)
    features: dict[AttributeKind, list[LearnedFeatures]] = {kind: [] for kind in settings.attributes}
    lengths = [len(boxes[clip.id]) for clip in clips]
    drawn = {kind: drawn_rows(lengths, most_boxes(settings, kind), settings.seed) for kind in settings.attributes}
    total, done = sum(clip.frames for clip in clips), 0
    for number, clip in enumerate(clips):
        meters = _meters(settings, _perspective_of(perspectives, dataset_id, clip), appearance)

        def measuring(frames: int, before: int = done) -> None:
            progress(int(_MEASURING_SHARE * (before + frames)))

        chosen = {kind: of_clips[number] for kind, of_clips in drawn.items()}
        for kind, rows in measured(clip, boxes[clip.id], meters, measuring, chosen).items():
            features[kind].append(_as_compared(settings, kind, rows))
        done += clip.frames
    fitted = {}
    for number, kind in enumerate(settings.attributes):

        def fitting(fits: int, of: int, before: int = number) -> None:
            share = (before + fits / of) / len(settings.attributes)
            progress(int(total * (_MEASURING_SHARE + (1 - _MEASURING_SHARE) * share)))

        fitted[kind] = fit_attribute(settings, kind, features[kind], fitting)
    return FittedScorer(settings, dataset_id, perspectives, fitted)


def _as_compared(settings: ScoringSettings, kind: AttributeKind, features: Features) -> LearnedFeatures:
    """Features as exact as their density looks at them; there are many where they are compared."""
    return features.astype(np.float32) if settings.density_of(kind).is_compared else features


def fit_perspectives(dataset_id: str, clips: Sequence[Clip], boxes: Mapping[str, BoxTable]) -> dict[str, Perspective]:
    """Perspective of each camera, and of all clips under ""."""
    of_camera: dict[str, list[NDArray[np.float64]]] = {"": []}
    for clip in clips:
        for camera in {"", view_of(dataset_id, clip)[0]}:
            of_camera.setdefault(camera, []).append(boxes[clip.id].boxes)
    return {camera: Perspective.fit(given) for camera, given in of_camera.items()}


def fit_attribute(
    settings: ScoringSettings,
    kind: AttributeKind,
    features: Sequence[LearnedFeatures],
    progress: FitProgress = no_fit_progress,
) -> FittedAttribute:
    """Density of an attribute, and its calibration on clips left out.

    Parameters
    ----------
    settings : ScoringSettings
    kind : AttributeKind
    features : sequence of (N, D) float64 or float32
        One array a training clip; where there are more rows than `most_boxes`, that many are drawn.
    progress : callable, optional
        Called with the number of densities that are fitted, and the number of all.
    """
    density_kind = settings.density_of(kind)
    rows_of_clips = drawn_rows([len(rows) for rows in features], most_boxes(settings, kind), settings.seed)
    kept = [rows[chosen] for rows, chosen in zip(features, rows_of_clips, strict=True)]

    def fit(rows: LearnedFeatures) -> Density:
        return fit_density(
            density_kind,
            rows,
            components=settings.components_of(kind),
            neighbours=settings.neighbours,
            seed=settings.seed,
        )

    # One density more, that of all clips.
    normal = np.concatenate(left_out_scores(kept, fit, lambda done, total: progress(done, total + 1)))
    attribute = FittedAttribute(fit(np.concatenate(kept)), Calibration.fit(normal, settings.quantile))
    progress(1, 1)
    return attribute


def measured(
    clip: Clip,
    boxes: BoxTable,
    meters: Mapping[AttributeKind, Attribute],
    progress: FrameProgress = no_frame_progress,
    chosen: Mapping[AttributeKind, NDArray[np.bool_]] | None = None,
) -> dict[AttributeKind, Features]:
    """Features of the boxes of a clip, (N, D) for each attribute.

    Parameters
    ----------
    clip : Clip
        With frames.
    boxes : BoxTable
        Of that clip.
    meters : mapping from AttributeKind to Attribute
        Of the clip's camera.
    progress : callable, optional
    chosen : mapping from AttributeKind to (N,) bool, optional
        Boxes that are measured of each attribute; all by default.

    Raises
    ------
    DataError
        B227 if there are boxes in frames that the clip does not have.
    """
    found: dict[AttributeKind, list[Features]] = {kind: [] for kind in meters}
    read = 0
    for view in frame_views(clip, with_flow=any(meter.needs_flow for meter in meters.values())):
        rows = boxes.rows(view.frame)
        # Frames without boxes are measured too: they say how many numbers there are.
        for kind, meter in meters.items():
            of_frame = boxes.boxes[rows] if chosen is None else boxes.boxes[rows][chosen[kind][rows]]
            found[kind].append(meter.measure(view, of_frame))
        read = view.frame + 1
        progress(read)
    if not read or (len(boxes) and boxes.frames[-1] >= read):
        raise DataError(
            "B227",
            "there are boxes in frames that the clip does not have",
            where=f"clip {clip.id}",
            expected=f"boxes in the {read} frames that were read",
            got=f"boxes up to frame {boxes.frames[-1]}" if len(boxes) else "no frames",
            hint="detect in these frames anew, or give the boxes that belong to them",
        )
    return {kind: np.concatenate([part for part in parts if len(part)] or parts[:1]) for kind, parts in found.items()}


def appearance_meters(settings: ScoringSettings) -> dict[AttributeKind, Attribute]:
    """Those attributes of the settings that depend on no perspective; raises as `make_network_embedding` does."""
    makers = {AttributeKind.DEEP: make_embedding, AttributeKind.POSE: make_pose}
    return {kind: makers[kind](settings) for kind in settings.attributes if kind in makers}


def _meters(
    settings: ScoringSettings, perspective: Perspective, appearance: Mapping[AttributeKind, Attribute]
) -> dict[AttributeKind, Attribute]:
    """All attributes of the settings, in their order."""
    every: dict[AttributeKind, Attribute] = {
        AttributeKind.VELOCITY: Velocity(perspective, settings.directions, settings.core),
        AttributeKind.SHAPE: Shape(perspective),
        **appearance,
    }
    return {kind: every[kind] for kind in settings.attributes}


def _perspective_of(perspectives: Mapping[str, Perspective], dataset_id: str, clip: Clip) -> Perspective:
    return perspectives.get(view_of(dataset_id, clip)[0], perspectives[""])
