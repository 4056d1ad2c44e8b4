"""What SAM2 keeps of a long clip does not grow with it, and what is let go changes no mask."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.tao.segmentation import sam2_tracking
from baselines.tao.segmentation.sam2_memory import MemoryReach, trim_state
from baselines.tao.segmentation.sam2_segmenters import Sam2VideoSegmenter

LEGACY = "++model._target_=sam2.sam2_video_predictor_legacy.SAM2VideoPredictor"
BOX = (8.0, 12.0, 24.0, 30.0)
OTHER = (30.0, 10.0, 50.0, 40.0)


def tensors_in(value, seen):
    """Distinct tensors that a state holds, by the place of their storage."""
    import torch

    if isinstance(value, torch.Tensor):
        seen[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
    elif isinstance(value, dict):
        for inner in value.values():
            tensors_in(inner, seen)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            tensors_in(inner, seen)
    return seen


def kept(state):
    """Frames kept as tracked, at most over the objects; bytes of all tensors of the state."""
    outputs = [*state["output_dict_per_obj"].values(), *([state["output_dict"]] if "output_dict" in state else [])]
    return max(len(output["non_cond_frame_outputs"]) for output in outputs), sum(tensors_in(state, {}).values())


@pytest.mark.parametrize("kind", ["now", "legacy"])
def test_the_state_of_a_long_clip_stays_as_small_as_that_of_a_short_one(
    build_tiny, make_clip, make_prompts, spy_on, kind
):
    predictor = build_tiny(*([LEGACY] if kind == "legacy" else []))
    spy = spy_on(predictor)
    prompts = make_prompts({(0, 0): BOX, (0, 1): OTHER, (4, 0): OTHER, (4, 1): BOX})
    sizes = {}
    for mask in Sam2VideoSegmenter(predictor).segment(make_clip(36), prompts):
        sizes[mask.frame] = kept(spy.states[0])
    # While masks are read the frame's own outputs are there too: 15 before it, and itself.
    assert max(n_frames for n_frames, _ in sizes.values()) == 16
    assert sizes[35] == sizes[35 - 7] == sizes[35 - 14]
    [state] = spy.states
    assert not any(map(len, state.get("frames_tracked_per_obj", {}).values()))
    assert not state.get("frames_already_tracked")


@pytest.mark.parametrize(
    "change",
    [
        (),
        ("++model.memory_temporal_stride_for_eval=3",),
        ("++model.use_obj_ptrs_in_encoder=false", "++model.use_multimask_token_for_obj_ptr=false",
         "++model.add_tpos_enc_to_obj_ptrs=false", "++model.proj_tpos_enc_in_obj_ptrs=false"),
        ("++model.num_maskmem=2", "++model.max_obj_ptrs_in_encoder=4"),
        ("++model.max_cond_frames_in_attn=2",),
        (LEGACY,),
    ],
)  # fmt: skip
def test_masks_are_the_same_without_letting_go(build_tiny, make_clip, make_prompts, monkeypatch, change):
    segmenter = Sam2VideoSegmenter(build_tiny(*change))
    # Many prompts, near and far from each other, so that limits of every kind take effect.
    boxes = {(frame, 0): BOX for frame in (0, 2, 3, 4, 5, 17)} | {(5, 5): OTHER}
    clip, prompts = make_clip(22), make_prompts(boxes)
    trimmed = list(segmenter.segment(clip, prompts))
    monkeypatch.setattr(sam2_tracking, "trim_state", lambda *_: None)
    whole = list(segmenter.segment(clip, prompts))
    assert len(trimmed) >= 22
    assert [(m.frame, m.label) for m in trimmed] == [(m.frame, m.label) for m in whole]
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(trimmed, whole, strict=True))


def test_letting_go_of_more_would_change_masks(build_tiny, make_clip, make_prompts, monkeypatch):
    """The test above can fail: with a reach that is one frame too short, masks differ."""
    segmenter = Sam2VideoSegmenter(build_tiny())
    clip, prompts = make_clip(20), make_prompts({(0, 0): BOX})
    whole = np.stack([mask.mask for mask in segmenter.segment(clip, prompts)])
    reach = MemoryReach.of(segmenter.predictor)
    assert (reach.memories, reach.pointers, reach.prompted) == (6, 15, None)

    def trim_more(state, frame, reach):
        trim_state(state, frame, MemoryReach(reach.memories, reach.pointers - 1, None))

    monkeypatch.setattr(sam2_tracking, "trim_state", trim_more)
    logits_differ = np.stack([mask.mask for mask in segmenter.segment(clip, prompts)]) != whole
    assert logits_differ.any()


def test_with_a_limit_the_prompted_frames_of_the_past_are_let_go_too(build_tiny, make_clip, make_prompts, spy_on):
    predictor = build_tiny("++model.max_cond_frames_in_attn=3")
    spy = spy_on(predictor)
    prompts = make_prompts({(frame, 0): BOX for frame in range(0, 30, 2)})
    for _ in Sam2VideoSegmenter(predictor).segment(make_clip(30), prompts):
        pass
    [state] = spy.states
    # Frames 15 to 29 are near enough to count as tracked.
    assert sorted(state["output_dict_per_obj"][0]["cond_frame_outputs"]) == list(range(16, 30, 2))


def test_offloading_changes_no_mask(predictor, make_clip, make_prompts, spy):
    clip, prompts = make_clip(6), make_prompts({(0, 0): BOX, (3, 1): OTHER})
    here = list(Sam2VideoSegmenter(predictor).segment(clip, prompts))
    away = list(Sam2VideoSegmenter(predictor, offload_state=True).segment(clip, prompts))
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(here, away, strict=True))
    assert [call["offload_state_to_cpu"] for call in spy.of("init_state")] == [False, True]


def test_each_prompted_image_is_encoded_once_when_it_is_prompted(predictor, make_clip, make_prompts):
    n_images = []
    hook = predictor.image_encoder.register_forward_hook(lambda *_: n_images.append(1))
    prompts = make_prompts({(frame, label): BOX for frame in (0, 3, 6) for label in (0, 1, 2)})
    list(Sam2VideoSegmenter(predictor).segment(make_clip(8), prompts))
    hook.remove()
    # One for the empty state, three with prompts, and the five others: all objects of the three are known by then.
    assert len(n_images) == 1 + 3 + 5
