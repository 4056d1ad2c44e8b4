"""The classical segmenter: background model and GrabCut inside the box of each object, followed and smoothed in time.

It stands in for SAM2 where there are no weights. Source: tao.md, section 1 (stage 4) and section 3, "Stand-in".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from baselines.simple.background import median_background
from baselines.tao.box_table import BoxTable
from baselines.tao.extras import opencv
from baselines.tao.frame_views import FrameView, checked_frames, frame_views
from baselines.tao.model_file import read_model, reading, write_model
from baselines.tao.progress import FrameProgress, no_frame_progress
from baselines.tao.segmentation.object_masks import Evidence, MaskSettings, object_mask, require_range
from baselines.tao.segmentation.paths import CurrentPaths, ObjectPath, paths_of
from baselines.tao.segmentation.segmenter import ObjectMask
from baselines.views import View, view_of
from vadbench import Clip, DataError

_KIND = "background of the classical segmenter"


@dataclass(frozen=True)
class ClassicalSettings:
    """How the classical segmenter works.

    Parameters
    ----------
    mask : MaskSettings
    reach : int
        Frames on both sides whose masks vote on each mask, moved to where the object is; 0 for none.
    vote : float
        Share of the votes from which a pixel belongs to the object.
    tracking : bool
        Objects are followed between prompts, and their masks smoothed in time; otherwise each prompt is segmented on
        its own.
    longest_gap : int
        Frames between two prompts of an object up to which it is followed.
    follow : int
        Frames after the last prompt of an object, or before a longer gap, in which it is still followed.
    median_frames : int
        Training frames that the background is the median of.

    Raises
    ------
    UsageError
        B222 for a value out of its range.
    """

    mask: MaskSettings = field(default_factory=MaskSettings)
    reach: int = 2
    vote: float = 0.5
    tracking: bool = True
    longest_gap: int = 10
    follow: int = 4
    median_frames: int = 150

    def __post_init__(self) -> None:
        for name, least in (("reach", 0), ("longest_gap", 0), ("follow", 0), ("median_frames", 1)):
            require_range(f"classical: {name}", getattr(self, name), least, None)
        # With a share of 0 every pixel would be part of every object.
        require_range("classical: vote", self.vote, 0.01, 1.0)


@dataclass(frozen=True)
class SeenObject:
    """An object in one frame.

    Parameters
    ----------
    box : (4,) float64
    mask : (H, W) bool
    motion : (2,) float64
        From the frame before, (x, y) in pixels.
    unprompted : int
        Frames since the last prompt, in which it was followed.
    """

    box: NDArray[np.float64]
    mask: NDArray[np.bool_]
    motion: NDArray[np.float64]
    unprompted: int

    def moved_box(self, view: FrameView) -> NDArray[np.float64] | None:
        """Its box in the next frame, as far as inside; None where it has left the frame."""
        height, width = self.mask.shape
        box = np.clip(self.box + np.tile(self.motion, 2), 0, np.tile([width, height], 2))
        return box if (box[2:] - box[:2] >= 1.0).all() and view.flow is not None else None


class ClassicalSegmenter:
    """Segments by background difference, speed and GrabCut; made by `fit_classical` or `load_classical`.

    Parameters
    ----------
    settings : ClassicalSettings
    dataset_id : str
    backgrounds : mapping from View to (H, W) float32
        Grey levels without foreground, from training clips; a clip of another view is refused.
    """

    def __init__(
        self, settings: ClassicalSettings, dataset_id: str, backgrounds: Mapping[View, NDArray[np.float32]]
    ) -> None:
        self.settings = settings
        self.dataset_id = dataset_id
        self.backgrounds = dict(backgrounds)

    def segment(
        self, clip: Clip, prompts: BoxTable, progress: FrameProgress = no_frame_progress
    ) -> Iterator[ObjectMask]:
        """Yield the mask of each object in each frame; see `Segmenter`.

        Raises
        ------
        DataError
            B228 if there are prompts and no training clip showed the clip's view; B210, B202 if the frames are not
            what the clip says.
        """
        if not len(prompts):
            return
        background = self._background(clip)
        tracking, reach = self.settings.tracking, self.settings.reach if self.settings.tracking else 0
        follow, longest_gap = (self.settings.follow, self.settings.longest_gap) if tracking else (0, 0)
        paths = CurrentPaths(paths_of(prompts, longest_gap), follow)
        window: deque[dict[int, SeenObject]] = deque()
        first = 0
        seen: dict[int, SeenObject] = {}
        for view in frame_views(clip, with_flow=True):
            seen = self._seen(view, background, paths.at(view.frame), seen if tracking else {})
            window.append(seen)
            if len(window) > reach:
                middle = len(window) - 1 - reach
                yield from self._voted(window, middle, first + middle)
            if len(window) > 2 * reach:
                window.popleft()
                first += 1
            progress(view.frame + 1)
        for middle in range(max(0, len(window) - reach), len(window)):
            yield from self._voted(window, middle, first + middle)

    def _background(self, clip: Clip) -> NDArray[np.float32]:
        background = self.backgrounds.get(view_of(self.dataset_id, clip))
        if background is None:
            # The clip's own median would do, but it is a statistic of test data, of frames yet to come as well.
            raise DataError(
                "B228",
                "the classical segmenter needs training clips that show the same view",
                where=(self.dataset_id, f"clip {clip.id}"),
                expected=f"training frames of {clip.height} x {clip.width} pixels from the same camera",
                got=f"{len(self.backgrounds)} other views" if self.backgrounds else "no training clips",
                hint="put training clips of this view into the training part, or use the segmenter sam2-video, "
                "which needs none",
            )
        return background

    def _seen(
        self,
        view: FrameView,
        background: NDArray[np.float32],
        paths: Sequence[ObjectPath],
        before: Mapping[int, SeenObject],
    ) -> dict[int, SeenObject]:
        """Objects in a frame: those with a box there, and those that are followed after their last prompt."""
        evidence: Evidence | None = None
        seen = {}
        for path in paths:
            box, unprompted, last = path.box(view.frame), 0, before.get(path.label)
            if box is None and last is not None and last.unprompted < self.settings.follow:
                box, unprompted = last.moved_box(view), last.unprompted + 1
            if box is None:
                continue
            evidence = evidence or evidence_of(view, background)
            mask = object_mask(evidence, box, self.settings.mask)
            if unprompted and last is not None and 2 * mask.sum() < last.mask.sum():
                # What is left of it is something else, or it is gone.
                continue
            seen[path.label] = SeenObject(box, mask, view.motion_of(mask), unprompted)
        return seen

    def _voted(self, window: Sequence[Mapping[int, SeenObject]], middle: int, frame: int) -> Iterator[ObjectMask]:
        reach = self.settings.reach if self.settings.tracking else 0
        for label in sorted(window[middle]):
            mask = window[middle][label].mask
            votes = [mask]
            for step in (-1, 1):
                # What lies between this frame and another, one frame after the other.
                shift, number = np.zeros(2), middle
                while abs(number + step - middle) <= reach and 0 <= number + step < len(window):
                    other = window[number + step].get(label)
                    here = window[number].get(label)
                    if other is None or here is None:
                        break
                    shift = shift + (here.motion if step < 0 else -other.motion)
                    number += step
                    votes.append(_moved(other.mask, np.rint(shift).astype(np.int64)))
            if len(votes) > 1:
                needed = next(count for count in range(len(votes) + 1) if count / len(votes) >= self.settings.vote)
                mask = np.asarray(np.sum(votes, axis=0, dtype=np.uint16) >= needed)
            if mask.any():
                yield ObjectMask(frame, label, mask)

    def save(self, path: Path) -> None:
        """Write the backgrounds; the same ones give the same bytes."""
        views = sorted(self.backgrounds)
        header = {"dataset": self.dataset_id, "views": [list(view) for view in views]}
        write_model(path, _KIND, header, {str(n): self.backgrounds[view] for n, view in enumerate(views)})


def fit_classical(
    settings: ClassicalSettings, dataset_id: str, clips: Sequence[Clip], progress: FrameProgress = no_frame_progress
) -> ClassicalSegmenter:
    """Learn the background of each view from its training clips.

    Parameters
    ----------
    settings : ClassicalSettings
    dataset_id : str
        Says what a view is.
    clips : sequence of Clip
        Training clips; there may be none.
    progress : callable, optional
        Called with the number of frames of all clips that are read.

    Raises
    ------
    DataError
        B210, B202 if the frames are not what a clip says.
    """
    of_view: dict[View, list[Clip]] = {}
    for clip in clips:
        of_view.setdefault(view_of(dataset_id, clip), []).append(clip)
    backgrounds, done = {}, 0
    for view, same in of_view.items():
        checked = [replace(clip, frame_reader=partial(checked_frames, clip)) for clip in same]
        backgrounds[view] = median_background(checked, settings.median_frames)
        done += sum(clip.frames for clip in same)
        progress(done)
    return ClassicalSegmenter(settings, dataset_id, backgrounds)


def load_classical(path: Path, settings: ClassicalSettings) -> ClassicalSegmenter:
    """Segmenter with the backgrounds of a file that `ClassicalSegmenter.save` has written; raises `DataError` B204."""
    header, arrays = read_model(path, _KIND)
    with reading(path, _KIND):
        views = [(str(camera), int(height), int(width)) for camera, height, width in header["views"]]
        backgrounds = {view: arrays[str(number)] for number, view in enumerate(views)}
        if any(background.shape != view[1:] for view, background in backgrounds.items()):
            raise ValueError("a background of another size than its view")
        return ClassicalSegmenter(settings, str(header["dataset"]), backgrounds)


def evidence_of(view: FrameView, background: NDArray[np.float32]) -> Evidence:
    """What a frame shows against a background, both (H, W); slightly smoothed, so that noise is not evidence."""
    cv2 = opencv()
    difference = view.grey.astype(np.float32) - background
    difference -= np.median(difference)
    return Evidence(view.grey, np.abs(cv2.GaussianBlur(difference, (3, 3), 0)), view.speed)


def _moved(mask: NDArray[np.bool_], shift: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The mask, moved by whole pixels (x, y); what leaves the frame is lost."""
    moved = np.zeros_like(mask)
    height, width = mask.shape
    x, y = (int(v) for v in shift)
    if abs(x) < width and abs(y) < height:
        moved[max(y, 0) : height + min(y, 0), max(x, 0) : width + min(x, 0)] = mask[
            max(-y, 0) : height + min(-y, 0), max(-x, 0) : width + min(-x, 0)
        ]
    return moved
