"""Background: foreground that is unusual at its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.simple.baseline import Baseline, Progress, Scorer, no_progress, stored_counts
from baselines.simple.frames import grey, grey_frames, smoothed_in_space, smoothed_in_time
from baselines.simple.score_range import LARGEST, ScoreRange
from baselines.views import View, view_of
from vadbench import Clip, DataError, Dataset


@dataclass(frozen=True)
class Background(Baseline):
    """Difference to the median of the training frames, measured against what training shows at that place.

    The *response* of a frame is |grey - background|, less the frame's own change of brightness, smoothed in space
    and over a short time: how much foreground is there. Its mean m and spread s over the training frames, at every
    place, say how much is usual. The score is (response - m) / (s + floor). Frame scores are left to the protocol
    (the highest pixel): the maps are smooth enough for their maximum to be no accident.

    The defaults were chosen on the synthetic data set (seeds 1 and 2), never on a real test set.

    Parameters
    ----------
    median_frames : int
        Training frames, evenly spread, that the background is the median of.
    smoothing : float
        Standard deviation of the Gaussian in space, as a share of the frame's height.
    reach : int
        Frames on both sides that are averaged with each frame.
    place_smoothing : float
        The same for mean and spread: a place learns from its surroundings, because few people cross it in training.
    floor : float
        Grey levels added to the spread, so that noise at a place that nobody crosses is not an anomaly.
    threshold_share : float
        Share of the training pixels that score below the declared threshold.
    """

    name = "background"
    title = "Background"
    summary = "Foreground against the median of the training frames, relative to what is usual at that place."
    supervision = "one-class"

    median_frames: int = 150
    smoothing: float = 0.06
    reach: int = 1
    place_smoothing: float = 0.2
    floor: float = 3.0
    threshold_share: float = 0.99

    def fit(self, dataset: Dataset, progress: Progress = no_progress) -> Scorer:
        """Learn background, mean and spread of each view, then range and threshold, all from the training clips.

        Raises
        ------
        DataError
            B201 without training clips, or where no training clip shows the view of a test clip.
        """
        models: dict[View, PlaceModel] = {}
        clips_of_view = _training_clips_by_view(dataset)
        total = 3 * len(dataset.training_clips)
        done = 0

        def one_more() -> None:
            nonlocal done
            done += 1
            progress("training", done, total)

        for view, clips in clips_of_view.items():
            background = median_background(clips, self.median_frames, one_more)
            models[view] = self._place_model(background, clips, one_more)
        # What can be at all, from 0 to 255 grey levels of response: so nothing is ever cut off.
        score_range = ScoreRange(
            min(float(model.scores(0.0).min()) for model in models.values()),
            max(float(model.scores(255.0).max()) for model in models.values()),
        )

        def scores(clip: Clip) -> Iterator[NDArray[np.floating[Any]]]:
            model = models[view_of(dataset.id, clip)]
            return map(model.scores, self._responses(clip, model.background))

        counts = np.zeros(LARGEST + 1, dtype=np.int64)
        for clip in dataset.training_clips:
            stored_counts(scores(clip), score_range, counts)
            one_more()
        threshold = score_range.stored_quantile(counts, self.threshold_share)
        return Scorer(scores, score_range, threshold, training_data=(f"{dataset.id}:train",))

    def _responses(self, clip: Clip, background: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        responses = (
            smoothed_in_space(foreground_response(frame, background), self.smoothing) for frame in grey_frames(clip)
        )
        return smoothed_in_time(responses, self.reach)

    def _place_model(
        self, background: NDArray[np.float32], clips: Sequence[Clip], one_more: Callable[[], None]
    ) -> PlaceModel:
        total, squares = np.zeros(background.shape), np.zeros(background.shape)
        n_frames = 0
        for clip in clips:
            for response in self._responses(clip, background):
                total += response
                squares += np.square(response, dtype=np.float64)
                n_frames += 1
            one_more()
        mean = smoothed_in_space((total / n_frames).astype(np.float32), self.place_smoothing)
        square = smoothed_in_space((squares / n_frames).astype(np.float32), self.place_smoothing)
        return PlaceModel(background, mean, np.sqrt(np.maximum(square - mean**2, 0.0)) + np.float32(self.floor))


@dataclass(frozen=True)
class PlaceModel:
    """What training shows at each place of a view.

    Parameters
    ----------
    background : (H, W) float32
        Grey levels without foreground.
    mean, spread : (H, W) float32
        Of the response, in grey levels; the spread is above 0.
    """

    background: NDArray[np.float32]
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]

    def scores(self, response: NDArray[np.float32] | float) -> NDArray[np.float32]:
        """Spreads by which a response, (H, W) or one for all places, is above the mean of its place."""
        return (response - self.mean) / self.spread


def foreground_response(frame: NDArray[np.float32], background: NDArray[np.float32]) -> NDArray[np.float32]:
    """Absolute difference to the background, (H, W), less the change of brightness of the frame as a whole.

    The change is the median difference: right as long as the background fills more than half of the frame.

    >>> foreground_response(np.float32([[13, 13, 53, 13]]), np.float32([[10, 10, 10, 10]])).tolist()
    [[0.0, 0.0, 40.0, 0.0]]
    """
    difference = frame - background
    return np.asarray(np.abs(difference - np.median(difference)))


def median_background(
    clips: Sequence[Clip], n_frames: int, one_more: Callable[[], None] = lambda: None
) -> NDArray[np.float32]:
    """Median in time at every pixel, (H, W) float32, over frames spread evenly through all clips.

    Parameters
    ----------
    clips : sequence of Clip
        Of one size.
    n_frames : int
        At most so many frames are held at once, as uint8.
    one_more : callable
        Called after each clip.
    """
    total = sum(clip.frames for clip in clips)
    wanted = set(np.linspace(0, total - 1, min(n_frames, total)).round().astype(int).tolist())
    kept = []
    index = 0
    for clip in clips:
        for frame in clip.read_frames():
            if index in wanted:
                kept.append(np.rint(grey(frame)).astype(np.uint8))
            index += 1
        one_more()
    stack = np.stack(kept)
    # Row by row, so that the median's work space stays small whatever the size of the frame.
    return np.stack([np.median(stack[:, row], axis=0) for row in range(stack.shape[1])]).astype(np.float32)


def _training_clips_by_view(dataset: Dataset) -> dict[View, list[Clip]]:
    by_view: dict[View, list[Clip]] = {}
    for clip in dataset.training_clips:
        by_view.setdefault(view_of(dataset.id, clip), []).append(clip)
    for clip in dataset.clips:
        if view_of(dataset.id, clip) not in by_view:
            raise DataError(
                "B201",
                "background needs training clips that show the same view",
                where=(str(dataset.root or dataset.id), f"clip {clip.id}"),
                expected=f"training frames of {clip.height} x {clip.width} pixels from the same camera",
                got="no training clips" if not by_view else f"{len(dataset.training_clips)} clips of other views",
                hint="put the training part beside the test part, or use frame-difference, which needs none",
            )
    return by_view
