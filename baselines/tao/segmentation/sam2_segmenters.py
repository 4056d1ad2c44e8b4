"""The SAM2 segmenters: tracking through the clip, or frame by frame.

Source: TAO, section 3.3; tao.md, section 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import BoxTable
from baselines.tao.clip_frames import ClipFrames
from baselines.tao.progress import FrameProgress, no_frame_progress
from baselines.tao.segmentation.holes import fill_holes
from baselines.tao.segmentation.sam2_images import Sam2Images
from baselines.tao.segmentation.sam2_predictor import build_predictor, gpu_memory_explained
from baselines.tao.segmentation.sam2_settings import Sam2Settings
from baselines.tao.segmentation.sam2_tracking import add_prompts, new_state, propagated_masks, set_images
from baselines.tao.segmentation.segmenter import ObjectMask, Segmenter
from vadbench import Clip, DataError


class Sam2VideoSegmenter:
    """SAM2 tracks every prompted object through the clip, from its first prompt to the clip's end.

    All prompts of the clip are given first, then the frames pass once, forwards from the earliest prompt. A mask
    depends on all prompts of its object, later ones too, and on no other object.

    Frames are read twice: those with prompts, then all. One image and the memories that are still needed are held, so
    memory grows with the number of prompts (not even with them where `conditioning_frames` is set), not of frames.

    Parameters
    ----------
    predictor : SAM2VideoPredictor
        As `build_predictor` makes it. Its own filling of holes is switched off.
    hole_area : int
        Holes of at most so many pixels of the frame are filled; 0 fills none.
    offload_state : bool
        Keep memories in main memory.
    """

    def __init__(self, predictor: Any, *, hole_area: int = 8, offload_state: bool = False) -> None:
        self.predictor = predictor
        self.predictor.fill_hole_area = 0
        self.hole_area = hole_area
        self.offload_state = offload_state

    def segment(
        self, clip: Clip, prompts: BoxTable, progress: FrameProgress = no_frame_progress
    ) -> Iterator[ObjectMask]:
        """Yield masks in order of frame, and of label within a frame; the same on the same machine.

        Parameters
        ----------
        clip : Clip
            With frames.
        prompts : BoxTable
            With labels, a label once in a frame. Without prompts the model is not called.
        progress : callable, optional
            Called as frames are done; those before the earliest prompt are done at once.

        Raises
        ------
        DataError
            B236 if the prompts have no labels, a label twice in a frame, or frames that the clip has not; B237 if
            frames differ in size.
        UsageError
            B235 if the GPU's memory does not suffice; masks yielded before are right.
        """
        first_frames = _first_frames(clip, prompts)
        if first_frames:
            images = Sam2Images(ClipFrames(clip, kept=1), self.predictor.image_size)
            with gpu_memory_explained(f"clip {clip.id}", "prompts"):
                state = new_state(self.predictor, offload_state=self.offload_state)
                set_images(self.predictor, state, images, clip.height, clip.width)
                add_prompts(self.predictor, state, prompts)
            frames = propagated_masks(self.predictor, state)
            done = int(prompts.frames[0])
            while True:
                with gpu_memory_explained(f"clip {clip.id}", f"frame {done}"):
                    step = next(frames, None)
                if step is None:
                    break
                frame, masks = step
                # The legacy predictor has masks of an object before its first prompt as well.
                known = {label: mask for label, mask in masks.items() if first_frames[label] <= frame}
                yield from _object_masks(frame, known, self.hole_area)
                done = frame + 1
                progress(done)
        progress(clip.frames)


class Sam2ImageSegmenter:
    """SAM2 without tracking: each frame with prompts is a clip of one frame; other frames have no masks.

    Parameters
    ----------
    predictor : SAM2VideoPredictor
        As `build_predictor` makes it. Its own filling of holes is switched off.
    hole_area : int
        Holes of at most so many pixels of the frame are filled; 0 fills none.
    """

    def __init__(self, predictor: Any, *, hole_area: int = 8) -> None:
        self.predictor = predictor
        self.predictor.fill_hole_area = 0
        self.hole_area = hole_area

    def segment(
        self, clip: Clip, prompts: BoxTable, progress: FrameProgress = no_frame_progress
    ) -> Iterator[ObjectMask]:
        """Yield the masks of prompted objects in the frames of their prompts; as `Sam2VideoSegmenter.segment`."""
        if _first_frames(clip, prompts):
            images = Sam2Images(ClipFrames(clip, kept=1), self.predictor.image_size)
            with gpu_memory_explained(f"clip {clip.id}"):
                state = new_state(self.predictor, offload_state=False)
            for frame, rows in prompts.by_frame():
                own = prompts.select(np.arange(rows.start, rows.stop))
                with gpu_memory_explained(f"clip {clip.id}", f"frame {frame}"):
                    masks = self._masks_of_frame(state, images[frame], own, clip)
                yield from _object_masks(frame, masks, self.hole_area)
                progress(frame + 1)
        progress(clip.frames)

    def _masks_of_frame(
        self, state: dict[str, Any], image: Any, prompts: BoxTable, clip: Clip
    ) -> dict[int, NDArray[np.bool_]]:
        only_frame = BoxTable(np.zeros(len(prompts), np.int64), prompts.boxes, labels=prompts.labels)
        set_images(self.predictor, state, [image], clip.height, clip.width)
        add_prompts(self.predictor, state, only_frame)
        [(_, masks)] = propagated_masks(self.predictor, state)
        return masks


def make_sam2_segmenter(settings: Sam2Settings, *, tracking: bool = True) -> Segmenter:
    """Segmenter with a model built from settings; raises what `build_predictor` raises.

    Parameters
    ----------
    settings : Sam2Settings
    tracking : bool
        Whether objects are tracked through the clip, or segmented in the frames of their prompts only.
    """
    predictor = build_predictor(settings)
    if tracking:
        return Sam2VideoSegmenter(predictor, hole_area=settings.hole_area, offload_state=settings.offload_state)
    return Sam2ImageSegmenter(predictor, hole_area=settings.hole_area)


def _first_frames(clip: Clip, prompts: BoxTable) -> dict[int, int]:
    """First prompted frame of each label; raises `DataError` B236 where SAM2 would take prompts for something else."""
    if not len(prompts):
        return {}
    if prompts.labels is None or (prompts.labels < 0).any():
        raise DataError(
            "B236",
            "a prompt has no label",
            where=f"clip {clip.id}",
            expected="the object that each prompt belongs to",
            hint="prompts come from the filtering",
        )
    if prompts.frames[-1] >= clip.frames:
        raise DataError(
            "B236",
            "a prompt is in a frame that the clip does not have",
            where=f"clip {clip.id}",
            expected=f"frames 0 to {clip.frames - 1}",
            got=f"frame {prompts.frames[-1]}",
        )
    pairs = np.stack([prompts.frames, prompts.labels], axis=1)
    unique, counts = np.unique(pairs, axis=0, return_counts=True)
    if (counts > 1).any():
        frame, label = unique[np.flatnonzero(counts > 1)[0]]
        raise DataError(
            "B236",
            "an object has two prompts in one frame, of which SAM2 would take the last",
            where=(f"clip {clip.id}", f"frame {frame}"),
            expected="one box for a label in a frame",
            got=f"label {label}",
        )
    labels, rows = np.unique(prompts.labels, return_index=True)
    return dict(zip(labels.tolist(), prompts.frames[rows].tolist(), strict=True))


def _object_masks(frame: int, masks: dict[int, NDArray[np.bool_]], hole_area: int) -> Iterator[ObjectMask]:
    for label in sorted(masks):
        if masks[label].any():
            yield ObjectMask(frame, label, fill_holes(masks[label], hole_area))
