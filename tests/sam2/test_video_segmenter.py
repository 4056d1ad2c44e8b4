from __future__ import annotations

import numpy as np
import pytest

from baselines.tao.box_table import BoxTable
from baselines.tao.segmentation import sam2_segmenters, sam2_tracking
from baselines.tao.segmentation.sam2_segmenters import Sam2VideoSegmenter
from vadbench import DataError, UsageError

BOX = (8.0, 12.0, 24.0, 30.0)
OTHER = (30.0, 10.0, 50.0, 40.0)


@pytest.fixture
def masks_of(predictor):
    def segment(clip, prompts, **settings):
        return list(Sam2VideoSegmenter(predictor, **settings).segment(clip, prompts))

    return segment


def where(masks):
    return [(mask.frame, mask.label) for mask in masks]


def same(masks, others):
    return where(masks) == where(others) and all(
        np.array_equal(a.mask, b.mask) for a, b in zip(masks, others, strict=True)
    )


def test_each_prompt_is_one_call_with_its_box_and_the_boxs_centre(masks_of, make_clip, make_prompts, spy):
    boxes = {(1, 4): BOX, (1, 2): OTHER, (3, 4): OTHER, (4, 7): (0.0, 0.0, 5.0, 7.0)}
    masks_of(make_clip(6), make_prompts(boxes))
    calls = spy.of("add_new_points_or_box")
    assert [(call["frame_idx"], call["obj_id"]) for call in calls] == sorted(boxes)
    for call in calls:
        x1, y1, x2, y2 = boxes[call["frame_idx"], call["obj_id"]]
        assert call["box"].tolist() == [x1, y1, x2, y2]
        assert call["points"].tolist() == [[(x1 + x2) / 2, (y1 + y2) / 2]]
        assert call["labels"].tolist() == [1]
    # One propagation from each frame in which an object comes first, until the next.
    assert spy.of("propagate_in_video") == [
        {"start_frame_idx": 1, "max_frame_num_to_track": 2},
        {"start_frame_idx": 4, "max_frame_num_to_track": 1},
    ]


def test_masks_come_in_order_at_frame_size_from_each_objects_first_prompt_to_the_end(masks_of, make_clip, make_prompts):
    masks = masks_of(make_clip(6), make_prompts({(1, 5): BOX, (3, 2): OTHER}))
    assert where(masks) == [(1, 5), (2, 5), *((frame, label) for frame in (3, 4, 5) for label in (2, 5))]
    assert all(mask.mask.shape == (48, 64) and mask.mask.dtype == bool and mask.mask.any() for mask in masks)


def test_memories_without_pointers_need_autocast(build_tiny, make_clip, make_prompts, monkeypatch):
    import contextlib

    segmenter = Sam2VideoSegmenter(
        build_tiny(
            "++model.use_obj_ptrs_in_encoder=false",
            "++model.use_multimask_token_for_obj_ptr=false",
            "++model.add_tpos_enc_to_obj_ptrs=false",
            "++model.proj_tpos_enc_in_obj_ptrs=false",
        )
    )
    clip, prompts = make_clip(6), make_prompts({(0, 0): BOX, (3, 1): OTHER})
    assert (5, 1) in where(segmenter.segment(clip, prompts))
    monkeypatch.setattr(sam2_tracking, "autocast", lambda predictor: contextlib.nullcontext())
    with pytest.raises(RuntimeError, match="same dtype"):
        list(segmenter.segment(clip, prompts))


def test_autocast_holds_for_the_model_and_not_for_who_reads_the_masks(predictor, make_clip, make_prompts):
    import torch

    inside = []
    hook = predictor.image_encoder.register_forward_hook(
        lambda *_: inside.append((torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")))
    )
    for _ in Sam2VideoSegmenter(predictor).segment(make_clip(3), make_prompts({(0, 0): BOX})):
        assert not torch.is_autocast_enabled("cpu")
        assert not torch.is_inference_mode_enabled()
    hook.remove()
    assert set(inside) == {(True, torch.bfloat16)}


def test_a_second_prompt_changes_the_masks_of_its_object_only(masks_of, make_clip, make_prompts):
    clip, first = make_clip(8), {(0, 0): BOX, (0, 1): OTHER}
    once = masks_of(clip, make_prompts(first))
    again = masks_of(clip, make_prompts(first | {(4, 0): (40.0, 2.0, 60.0, 20.0)}))
    assert where(once) == where(again)
    changed = {(a.frame, a.label) for a, b in zip(once, again, strict=True) if not np.array_equal(a.mask, b.mask)}
    assert (4, 0) in changed
    assert {label for _, label in changed} == {0}


@pytest.mark.parametrize("first", [5, 8, 15])
def test_an_object_is_segmented_as_if_it_were_alone(predictor, masks_of, make_clip, make_prompts, monkeypatch, first):
    n_inferences = []
    run = predictor.track_step
    monkeypatch.setattr(predictor, "track_step", lambda *given, **named: n_inferences.append(1) or run(*given, **named))
    clip = make_clip(16)
    late = {(frame, 1): OTHER for frame in (first, 12) if frame >= first}
    early = {(0, 0): BOX, (3, 2): OTHER}
    alone = masks_of(clip, make_prompts(late))
    n_alone = len(n_inferences)
    others = masks_of(clip, make_prompts(early))
    n_others = len(n_inferences) - n_alone
    together = masks_of(clip, make_prompts(late | early))
    assert where(alone) == [(frame, 1) for frame in range(first, 16)]
    assert same([mask for mask in together if mask.label == 1], alone)
    assert same([mask for mask in together if mask.label != 1], others)
    # Nothing is computed of an object before its first prompt.
    assert len(n_inferences) == 2 * (n_alone + n_others)


def test_without_prompts_the_predictor_is_not_called(masks_of, make_clip, spy):
    done = []
    segmenter = Sam2VideoSegmenter(spy._predictor)
    assert list(segmenter.segment(make_clip(5), BoxTable.empty(), done.append)) == []
    assert spy.calls == []
    assert done == [5]


def test_progress_counts_the_frames_up_to_the_last(predictor, make_clip, make_prompts):
    done = []
    list(Sam2VideoSegmenter(predictor).segment(make_clip(5), make_prompts({(2, 0): BOX}), done.append))
    assert done == [3, 4, 5, 5]


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize(("frames", "height", "width"), [(1, 48, 64), (3, 37, 53), (1, 53, 37), (2, 300, 201)])
def test_any_length_and_size(masks_of, make_clip, make_prompts, frames, height, width, grey):
    prompts = make_prompts({(0, 3): (0.0, 0.0, width / 2, height), (frames - 1, 5): (0.0, 1.5, width, height)})
    masks = masks_of(make_clip(frames, height, width, grey=grey), prompts)
    assert {mask.mask.shape for mask in masks} == {(height, width)}
    assert {mask.label for mask in masks if mask.frame == frames - 1} == {3, 5}


def test_a_prompt_in_the_last_frame_only(masks_of, make_clip, make_prompts):
    assert where(masks_of(make_clip(4), make_prompts({(3, 9): BOX}))) == [(3, 9)]


def test_the_same_bytes_twice(masks_of, make_clip, make_prompts):
    clip, prompts = make_clip(6), make_prompts({(0, 0): BOX, (2, 1): OTHER, (4, 0): OTHER})
    assert same(masks_of(clip, prompts), masks_of(clip, prompts))


def test_clips_do_not_touch_each_other(predictor, make_clip, make_prompts):
    segmenter = Sam2VideoSegmenter(predictor)
    clip, other = make_clip(4), make_clip(5, 37, 53, seed=9)
    prompts = make_prompts({(0, 0): BOX, (2, 1): OTHER})
    alone = list(segmenter.segment(clip, prompts))
    one, two = segmenter.segment(clip, prompts), segmenter.segment(other, prompts)
    turns = [mask for pair in zip(one, two, strict=False) for mask in pair][::2]
    assert same(turns, alone[: len(turns)])
    assert len(turns) == len(alone)


def test_masks_are_what_sam2_gives_on_jpeg_files_of_the_same_frames(
    predictor, make_frames, make_clip, make_prompts, tmp_path
):
    """The plain way, written once more: a folder of JPEG files, each object alone with its prompts, nothing let go."""
    import torch
    from PIL import Image

    for number, frame in enumerate(make_frames(20)):
        Image.fromarray(frame).save(tmp_path / f"{number}.jpg")
    frames = [np.asarray(Image.open(tmp_path / f"{number}.jpg")) for number in range(20)]
    boxes = {(2, 1): BOX, (2, 6): OTHER, (9, 1): OTHER, (14, 3): BOX}
    ours = {(mask.frame, mask.label): mask.mask for mask in
            Sam2VideoSegmenter(predictor, hole_area=0).segment(make_clip(frames), make_prompts(boxes))}  # fmt: skip
    theirs = {}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for wanted in (1, 3, 6):
            state = predictor.init_state(str(tmp_path))
            for (frame, label), box in boxes.items():
                if label == wanted:
                    centre = [[(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]]
                    predictor.add_new_points_or_box(state, frame, label, points=centre, labels=[1], box=box)
            for frame, _, logits in predictor.propagate_in_video(state):
                theirs[frame, wanted] = (logits[0, 0] > 0).numpy()
    theirs = {key: mask for key, mask in theirs.items() if mask.any()}
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[key], theirs[key]) for key in ours)


def test_small_holes_are_filled_by_our_own_step(masks_of, predictor, make_clip, make_prompts, monkeypatch):
    ring = np.zeros((48, 64), dtype=bool)
    ring[10:20, 10:20] = True
    ring[12:14, 12:16] = False
    monkeypatch.setattr(
        sam2_segmenters, "propagated_masks", lambda *_: iter([(0, {0: ring.copy()}), (1, {0: ring.copy()})])
    )
    clip, prompts = make_clip(2), make_prompts({(0, 0): BOX})
    assert [mask.mask.sum() for mask in masks_of(clip, prompts)] == [100, 100]
    assert [mask.mask.sum() for mask in masks_of(clip, prompts, hole_area=7)] == [92, 92]
    assert predictor.fill_hole_area == 0


def test_nothing_is_written_to_the_terminal(masks_of, make_clip, make_prompts, capfd):
    masks_of(make_clip(3), make_prompts({(0, 0): BOX}))
    assert capfd.readouterr() == ("", "")


def test_sam2_has_its_progress_bars_back(masks_of, make_clip, make_prompts):
    import sam2.sam2_video_predictor
    import tqdm

    masks_of(make_clip(3), make_prompts({(0, 0): BOX}))
    assert sam2.sam2_video_predictor.tqdm is tqdm.tqdm


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        (BoxTable([0], [BOX]), "has no label"),
        (BoxTable([0], [BOX], labels=[-1]), "has no label"),
        (BoxTable([0, 9], [BOX, BOX], labels=[0, 0]), "a frame that the clip does not have"),
        (BoxTable([2, 2], [BOX, OTHER], labels=[4, 4]), "two prompts in one frame"),
    ],
)
def test_wrong_prompts(masks_of, make_clip, prompts, words, spy):
    with pytest.raises(DataError, match=words) as caught:
        masks_of(make_clip(5), prompts)
    assert caught.value.code == "B236"
    assert "clip 01" in caught.value.where
    assert spy.calls == []


def test_frames_that_change_size_are_named(masks_of, make_clip, make_frames, make_prompts):
    frames = [*make_frames(2), *make_frames(1, 40, 64)]
    with pytest.raises(DataError) as caught:
        masks_of(make_clip(frames), make_prompts({(0, 0): BOX}))
    assert caught.value.code == "B237"
    assert caught.value.where == ("clip 01", "frame 2")


def test_out_of_gpu_memory_is_explained_and_loses_no_mask(predictor, make_clip, make_prompts, monkeypatch):
    import torch

    track_step, n_steps = predictor.track_step, iter(range(100))

    def failing(*given, **named):
        if next(n_steps) == 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has …")
        return track_step(*given, **named)

    monkeypatch.setattr(predictor, "track_step", failing)
    segmenter = Sam2VideoSegmenter(predictor)
    found = segmenter.segment(make_clip(8), make_prompts({(1, 0): BOX}))
    masks = [next(found) for _ in range(3)]
    with pytest.raises(UsageError, match="memory of the GPU") as caught:
        next(found)
    assert where(masks) == [(1, 0), (2, 0), (3, 0)]
    assert (caught.value.code, caught.value.where) == ("B235", ("clip 01", "frame 4"))
    assert "offload_state" in caught.value.hint


def test_the_legacy_predictor_gives_masks_only_where_it_was_prompted_together(build_tiny, make_clip, make_prompts):
    legacy = build_tiny("++model._target_=sam2.sam2_video_predictor_legacy.SAM2VideoPredictor")
    prompts = make_prompts({(0, 0): BOX, (3, 1): OTHER})
    masks = list(Sam2VideoSegmenter(legacy).segment(make_clip(5), prompts))
    # Object 0 is blank in frame 3, where only object 1 is prompted.
    assert where(masks) == [(0, 0), (1, 0), (2, 0), (3, 1), (4, 0), (4, 1)]
