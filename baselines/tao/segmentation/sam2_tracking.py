"""One pass of SAM2 over a sequence of images: prompts of all objects first, then all frames once, forwards.

Source: TAO, section 3.3, equations 4 and 5; tao.md, section 6, "API".
"""

from __future__ import annotations

import tempfile
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import BoxTable
from baselines.tao.segmentation.sam2_memory import MemoryReach, State, trim_state
from baselines.tao.segmentation.sam2_predictor import autocast, silent_bars

_LOADER = "sam2.utils.misc"


class Images(Protocol):
    """Sequence of images, each a torch tensor (3, side, side) float32."""

    def __len__(self) -> int: ...
    def __getitem__(self, frame: int, /) -> Any: ...


def new_state(predictor: Any, *, offload_state: bool) -> State:
    """State of a predictor that has neither images nor prompts yet.

    Upstream makes a state of a folder of images only: it gets one of a single small image.
    """
    from PIL import Image

    with tempfile.TemporaryDirectory(prefix="sam2-") as folder:
        Image.new("RGB", (8, 8)).save(Path(folder, "0.jpg"))
        with autocast(predictor), silent_bars(_LOADER):
            state: State = predictor.init_state(folder, offload_video_to_cpu=True, offload_state_to_cpu=offload_state)
    return state


def set_images(predictor: Any, state: State, images: Images, height: int, width: int) -> None:
    """Begin a sequence: its images, and the size that masks and prompts have; what was there before is forgotten.

    Parameters
    ----------
    predictor : SAM2VideoPredictor
    state : dict
        Changed in place.
    images : Images
        May be lazy.
    height, width : int
        Of the frames in pixels.
    """
    predictor.reset_state(state)
    state["images"], state["num_frames"] = images, len(images)
    state["video_height"], state["video_width"] = height, width
    # Features are kept by number of frame: those of another sequence would be taken for this one's.
    state["cached_features"] = {}


def add_prompts(predictor: Any, state: State, prompts: BoxTable) -> None:
    """Give all prompts: for each frame and object one call with the box (its corners) and its centre (a click).

    Corners are given half-open, as they are: SAM2 takes coordinates for places in the plane, where the right edge of
    the last pixel is ``x2``.

    Parameters
    ----------
    predictor : SAM2VideoPredictor
    state : dict
        With images; changed in place.
    prompts : BoxTable
        With labels; a label once in a frame.
    """
    labels = np.asarray(prompts.labels)
    # The legacy predictor takes no new object once memories are made.
    is_legacy = "tracking_has_started" in state
    for frame, rows in prompts.by_frame():
        with autocast(predictor):
            for box, label in sorted(zip(prompts.boxes[rows], labels[rows], strict=True), key=lambda p: p[1]):
                predictor.add_new_points_or_box(
                    state,
                    frame_idx=frame,
                    obj_id=int(label),
                    points=((box[:2] + box[2:]) / 2)[None].astype(np.float32),
                    labels=np.array([1], dtype=np.int32),
                    box=box.astype(np.float32),
                )
            if not is_legacy:
                # Now, while the features of this frame are there: else the image is encoded once more per object.
                predictor.propagate_in_video_preflight(state)


def propagated_masks(predictor: Any, state: State) -> Iterator[tuple[int, dict[int, NDArray[np.bool_]]]]:
    """Yield frame by frame, from the earliest prompt to the end, the mask (H, W) of each object: logit > 0.

    Each object is propagated from its own first prompt, as if it were alone; all its prompts count from there, later
    ones too. What is no longer needed of the past is let go after each frame (`sam2_memory`).

    Only the legacy predictor, which segments all objects together, has masks of an object before its first prompt.
    """
    reach = MemoryReach.of(predictor)
    for frames in _propagations(predictor, state):
        while True:
            # Neither context may be open while this generator waits: they would hold for the caller as well.
            with autocast(predictor), silent_bars(predictor.propagate_in_video.__module__):
                step = next(frames, None)
            if step is None:
                break
            frame, labels, logits = step
            masks = (logits[:, 0] > 0).cpu().numpy()
            yield frame, dict(zip(labels, masks, strict=True))
            trim_state(state, frame, reach)


def _propagations(predictor: Any, state: State) -> Iterator[Iterator[tuple[int, list[int], Any]]]:
    """Propagations that follow each other, a new one wherever objects have their first prompt.

    SAM2 would begin with all objects at the earliest prompt of any: what it took an object for before its first prompt
    would be among that object's memories, and cost as much as the masks that are wanted. So the state names, at each
    time, only the objects that were prompted by then; prompts are given in order of frame, so those are its first ones.
    """
    if "tracking_has_started" in state:
        yield predictor.propagate_in_video(state)
        return
    objects = list(state["obj_ids"])
    first_frames = [min(state["output_dict_per_obj"][number]["cond_frame_outputs"]) for number in range(len(objects))]
    for start, end in pairwise([*sorted(set(first_frames)), state["num_frames"]]):
        known = objects[: bisect_right(first_frames, start)]
        state["obj_ids"] = known
        state["obj_idx_to_id"] = OrderedDict(enumerate(known))
        state["obj_id_to_idx"] = OrderedDict((label, number) for number, label in enumerate(known))
        # Upstream counts the frames that follow the first one.
        yield predictor.propagate_in_video(state, start_frame_idx=start, max_frame_num_to_track=end - 1 - start)
