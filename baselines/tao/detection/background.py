"""Detector without weights: objects are what differs from the background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from baselines.simple.baseline import Progress, no_progress
from baselines.tao.box_table import BoxTable
from baselines.tao.detection.background_models import (
    BackgroundModel,
    background_model,
    prepared_frames,
    spread_frames,
)
from baselines.tao.detection.components import UsualBox, object_boxes
from baselines.tao.detection.detector import Part
from baselines.tao.detection.settings import BackgroundDetectionSettings
from baselines.tao.progress import FrameProgress, no_frame_progress
from baselines.views import View, view_of
from vadbench import Clip, DataError

_ROUNDS = 4


@dataclass(frozen=True)
class ViewModel:
    """What was learned of one view: its background, and how large its objects usually are."""

    background: BackgroundModel
    usual: UsualBox


class BackgroundDetector:
    """Finds what differs from the background of its view, and splits groups; made by `fit`.

    The background was learned from training clips, so who stands still through a clip is found as well (by OpenCV's
    models for a while only). Nothing is learned from the clip that is looked at: one of a view that no training clip
    shows is refused.

    Parameters
    ----------
    settings : BackgroundDetectionSettings
    dataset_id : str
        Says what a view is.
    models : mapping from View to ViewModel

    Notes
    -----
    Frames are looked at one at a time; a clip's boxes depend on the training clips and on the clip alone.
    Memory is `training_frames` frames of one view while it is learned; MOG2 and KNN keep them, of all views.
    """

    def __init__(
        self, settings: BackgroundDetectionSettings, dataset_id: str, models: Mapping[View, ViewModel]
    ) -> None:
        self.settings = settings
        self.dataset_id = dataset_id
        self.models = dict(models)

    @classmethod
    def fit(
        cls,
        settings: BackgroundDetectionSettings,
        dataset_id: str,
        training_clips: Sequence[Clip],
        progress: Progress = no_progress,
    ) -> Self:
        """Learn background and usual sizes of each view from its training clips.

        Parameters
        ----------
        settings : BackgroundDetectionSettings
        dataset_id : str
        training_clips : sequence of Clip
            With frames; of a view without any of them, no clip can be looked at.
        progress : callable, optional
            Called as training clips are done.

        Raises
        ------
        UsageError
            B203 without OpenCV.
        DataError
            B210 if a frame has another size than its clip, D210 if there are no frames.
        """
        done = 0

        def one_more() -> None:
            nonlocal done
            done += 1
            progress("learning the background", done, len(training_clips))

        by_view: dict[View, list[Clip]] = {}
        for clip in training_clips:
            by_view.setdefault(view_of(dataset_id, clip), []).append(clip)
        models = {
            view: view_model(spread_frames(clips, settings.training_frames, one_more), settings)
            for view, clips in by_view.items()
        }
        return cls(settings, dataset_id, models)

    def detect(self, clip: Clip, part: Part, progress: FrameProgress = no_frame_progress) -> BoxTable:
        """Boxes of a clip; see `Detector`. Of both parts alike.

        Raises
        ------
        DataError
            B217 if no training clip shows the clip's view, B210 if a frame has another size than the clip.
        """
        del part
        view = view_of(self.dataset_id, clip)
        model = self.models.get(view)
        if model is None:
            raise DataError(
                "B217",
                "no training clip shows the background of this clip",
                where=f"clip {clip.id}",
                expected=f"a training clip of {_in_words(view)}",
                got=f"training clips of {', '.join(map(_in_words, sorted(self.models))) or 'no view: there are none'}",
                hint="put the training part beside the test part, with clips of this view;\n"
                "or find the boxes yourself and give them with --detector boxes-csv --boxes DIR",
            )
        foreground = model.background.start()
        boxes = {}
        for number, frame in enumerate(prepared_frames(clip)):
            boxes[number] = object_boxes(foreground(frame), model.usual, self.settings)
            progress(number + 1)
        return BoxTable.of_frames(boxes)


def _in_words(view: View) -> str:
    camera, height, width = view
    size = f"{height} x {width} pixels"
    return f"camera {camera} with {size}" if camera else size


def view_model(frames: NDArray[np.uint8], settings: BackgroundDetectionSettings) -> ViewModel:
    """What prepared frames (n, H, W) of a view teach.

    The usual box is learned in rounds: from all that hangs together, then from what groups are split into, which are
    much larger than usual; each round finds more of the groups.
    """
    background = background_model(frames, settings)
    find = background.start()
    foregrounds = [find(frame) for frame in frames]
    height = frames.shape[1]
    usual = UsualBox.guessed(height)
    for number in range(_ROUNDS):
        boxes = [object_boxes(foreground, usual, settings, split=number > 0) for foreground in foregrounds]
        usual = UsualBox.of_boxes(boxes, height)
    return ViewModel(background, usual)
