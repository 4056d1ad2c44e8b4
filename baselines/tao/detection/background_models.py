"""Models of the background: frame in, foreground out.

Each clip starts from what was learned before, so its foreground does not depend on the clips that were looked at
before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from baselines.simple.frames import grey
from baselines.tao.detection.settings import BackgroundDetectionSettings, Subtractor
from baselines.tao.extras import opencv
from vadbench import Clip, DataError

_MOG2_NOISE = 3.0
"""Grey levels of noise that a threshold of MOG2 is a multiple of."""
_LONGEST_MEMORY = 500
"""Frames that OpenCV's models remember."""
_SEED = 0

Foreground = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Prepared frame (H, W) in, foreground (H, W) out, 0 or 1 both uint8."""


class BackgroundModel(Protocol):
    """What was learned of one view."""

    def start(self) -> Foreground:
        """Foreground of the frames of one clip, to be called on each in order."""
        ...


class MedianModel:
    """Median in time and spread around it, of each pixel; foreground differs more than threshold and spread.

    From the difference to the median, changes of light are taken off: first the median difference of the frame, then
    what differences that are too small to be foreground have in common in the neighbourhood.

    Parameters
    ----------
    frames : (n, H, W) uint8
        Prepared frames.
    settings : BackgroundDetectionSettings
    """

    def __init__(self, frames: NDArray[np.uint8], settings: BackgroundDetectionSettings) -> None:
        rows = range(frames.shape[1])
        # Row by row, so that the work space stays small whatever the size of the frame.
        self.background = np.stack([np.median(frames[:, row], axis=0) for row in rows]).astype(np.float32)
        deviations = (np.abs(frames[:, row] - self.background[row]) for row in rows)
        # 1.4826: the standard deviation of normal noise by its median absolute deviation.
        self.spread = np.stack([1.4826 * np.median(row, axis=0) for row in deviations]).astype(np.float32)
        self._limit = np.float32(settings.threshold) + np.float32(settings.noise) * self.spread
        self._threshold = settings.threshold
        side = round(settings.light_window * frames.shape[1])
        self._light_window = side + 1 - side % 2 if side else 0

    def start(self) -> Foreground:
        """See `BackgroundModel`."""
        return self._foreground

    def _foreground(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        cv2 = opencv()
        difference = frame - self.background
        difference -= np.median(difference)
        if self._light_window:
            small = np.clip(difference, -self._threshold, self._threshold)
            difference -= cv2.blur(small, (self._light_window, self._light_window), borderType=cv2.BORDER_REPLICATE)
        return np.asarray(np.abs(difference) > self._limit, dtype=np.uint8)


class OpenCvModel:
    """MOG2 or KNN of OpenCV, without their detection of shadows; they go on learning slowly while they look at a clip.

    Told not to learn at all, KNN in fact learns fast (its rule for when to learn divides by 0), and MOG2 finds less.
    KNN draws from OpenCV's global random numbers. So each clip gets its own model, taught anew with the same frames
    and the same seed (`cv2.setRNGSeed`).

    Parameters
    ----------
    frames : (n, H, W) uint8
        Prepared frames, which are kept.
    settings : BackgroundDetectionSettings
    """

    def __init__(self, frames: NDArray[np.uint8], settings: BackgroundDetectionSettings) -> None:
        self._frames = frames
        self._settings = settings

    def start(self) -> Foreground:
        """See `BackgroundModel`."""
        cv2 = opencv()
        cv2.setRNGSeed(_SEED)
        threshold = self._settings.threshold
        if self._settings.subtractor is Subtractor.MOG2:
            model = cv2.createBackgroundSubtractorMOG2(_LONGEST_MEMORY, (threshold / _MOG2_NOISE) ** 2, False)
        else:
            model = cv2.createBackgroundSubtractorKNN(_LONGEST_MEMORY, threshold**2, False)
        for number, frame in enumerate(self._frames, start=1):
            # All frames so far count alike.
            model.apply(frame, learningRate=1.0 / number)

        def foreground(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
            return np.asarray(model.apply(frame, learningRate=1.0 / _LONGEST_MEMORY) > 0, dtype=np.uint8)

        return foreground


def background_model(frames: NDArray[np.uint8], settings: BackgroundDetectionSettings) -> BackgroundModel:
    """Model of the background that prepared frames (n, H, W) of one view show, as the settings say."""
    kind = MedianModel if settings.subtractor is Subtractor.MEDIAN else OpenCvModel
    return kind(frames, settings)


def prepared(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey levels, (H, W) uint8, with less noise."""
    cv2 = opencv()
    return np.asarray(cv2.GaussianBlur(np.rint(grey(frame)).astype(np.uint8), (3, 3), 0), dtype=np.uint8)


def prepared_frames(clip: Clip) -> Iterable[NDArray[np.uint8]]:
    """Yield the frames of a clip in order, prepared.

    Raises
    ------
    DataError
        B210 if a frame has another size than the clip.
    """
    for number, frame in enumerate(clip.read_frames()):
        if frame.shape[:2] != (clip.height, clip.width):
            raise DataError(
                "B210",
                "a frame has another size than its clip",
                where=(f"clip {clip.id}", f"frame {number}"),
                expected=f"{clip.height} x {clip.width} pixels",
                got=f"{frame.shape[0]} x {frame.shape[1]}",
            )
        yield prepared(frame)


def spread_frames(
    clips: Sequence[Clip], n_frames: int, one_more: Callable[[], None] = lambda: None
) -> NDArray[np.uint8]:
    """Prepared frames, at most `n_frames` of them, (n, H, W), spread evenly through clips of one view.

    Parameters
    ----------
    clips : sequence of Clip
    n_frames : int
    one_more : callable
        Called after each clip.
    """
    total = sum(clip.frames for clip in clips)
    wanted = set(np.linspace(0, total - 1, min(n_frames, total)).round().astype(int).tolist())
    kept = []
    index = 0
    for clip in clips:
        for frame in prepared_frames(clip):
            if index in wanted:
                kept.append(frame)
            index += 1
        one_more()
    return np.stack(kept)
