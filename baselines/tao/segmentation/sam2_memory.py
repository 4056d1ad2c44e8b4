"""What SAM2 must remember of a clip while it goes forwards, and the rest, which it would keep for ever, let go.

Upstream keeps the outputs of every object in every frame, .79 MB each at 1024 pixels. A frame is segmented from the
prompted frames of the object, the memories of the last few frames, and the pointers of the last 15: nothing else of
the past is looked at again, so letting it go changes no mask.

Source: tao.md, section 6, "Memory".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

State = dict[str, Any]
"""SAM2's state of one clip, as ``init_state`` makes it."""

_PROMPTED, _TRACKED = "cond_frame_outputs", "non_cond_frame_outputs"


@dataclass(frozen=True)
class MemoryReach:
    """How far back a predictor looks when it segments a frame.

    Parameters
    ----------
    memories : int
        Frames back that memories (feature maps) are taken from.
    pointers : int
        Frames back that object pointers (vectors) are taken from.
    prompted : int, optional
        Prompted frames that are looked at, the nearest in time; None for all.
    """

    memories: int
    pointers: int
    prompted: int | None

    @classmethod
    def of(cls, predictor: Any) -> Self:
        """Reach of a SAM2 video predictor, of this or the legacy kind."""
        stride = predictor.memory_temporal_stride_for_eval
        # The nearest frame, then num_maskmem - 2 frames at multiples of the stride, from two frames back on.
        memories = 1 + max(predictor.num_maskmem - 2, 0) * stride
        pointers = predictor.max_obj_ptrs_in_encoder - 1 if predictor.use_obj_ptrs_in_encoder else 0
        prompted = predictor.max_cond_frames_in_attn
        return cls(memories, max(pointers, memories), None if prompted == -1 else prompted)


def trim_state(state: State, frame: int, reach: MemoryReach) -> None:
    """Let go of what no frame after `frame` can look at, when `frame` is done and SAM2 goes forwards.

    Kept for each object: pointers of `reach.pointers` frames, memories of `reach.memories` frames, and memories of
    its prompted frames, all of them or, where the reach is limited, those to come and about as many as the limit.

    Parameters
    ----------
    state : dict
        Changed in place. Prompts can no longer be added to it: low-resolution masks of the past are gone.
    frame : int
        0-based; its masks have been given out.
    reach : MemoryReach
    """
    following = frame + 1
    for outputs in _outputs(state):
        tracked, prompted = outputs[_TRACKED], outputs[_PROMPTED]
        for past in [t for t in tracked if t < following - reach.pointers]:
            del tracked[past]
        for past, output in tracked.items():
            output["pred_masks"] = None
            if past < following - reach.memories:
                output["maskmem_features"] = output["maskmem_pos_enc"] = None
        passed = sorted(t for t in prompted if t <= frame)
        for past in passed:
            prompted[past]["pred_masks"] = None
        # One more than the limit, so that SAM2 goes on choosing among them, in the same order: the same bytes.
        surplus = [] if reach.prompted is None else passed[: -(reach.prompted + 1)]
        for past in surplus:
            # A prompted frame that is not chosen still counts as a tracked one while it is near.
            if past < following - reach.pointers:
                del prompted[past]
    for tracked_frames in (*state.get("frames_tracked_per_obj", {}).values(), state.get("frames_already_tracked", {})):
        tracked_frames.clear()


def _outputs(state: State) -> Iterator[dict[str, dict[int, dict[str, Any]]]]:
    yield from state["output_dict_per_obj"].values()
    # The legacy predictor keeps all objects together as well.
    if "output_dict" in state:
        yield state["output_dict"]
