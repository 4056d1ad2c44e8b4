from __future__ import annotations

import numpy as np
import pytest

from baselines.tao.box_table import BoxTable
from baselines.tao.segmentation.sam2_segmenters import Sam2ImageSegmenter, Sam2VideoSegmenter
from vadbench import Clip, DataError

BOX = (8.0, 12.0, 24.0, 30.0)
OTHER = (30.0, 10.0, 50.0, 40.0)


def test_only_prompted_objects_in_the_frames_of_their_prompts(predictor, make_clip, make_prompts):
    prompts = make_prompts({(1, 5): BOX, (1, 2): OTHER, (4, 5): BOX})
    masks = list(Sam2ImageSegmenter(predictor).segment(make_clip(6), prompts))
    assert [(mask.frame, mask.label) for mask in masks] == [(1, 2), (1, 5), (4, 5)]
    assert all(mask.mask.shape == (48, 64) for mask in masks)


def test_each_frame_is_a_clip_of_its_own(predictor, make_frames, make_prompts):
    frames = make_frames(5)
    prompts = make_prompts({(1, 5): BOX, (3, 5): OTHER, (3, 6): BOX})
    clip = Clip("01", 5, 48, 64, frame_reader=lambda: iter(frames))
    together = list(Sam2ImageSegmenter(predictor, hole_area=0).segment(clip, prompts))
    apart = []
    for frame, rows in prompts.by_frame():
        alone = Clip("01", 1, 48, 64, frame_reader=lambda frame=frame: iter([frames[frame]]))
        own = BoxTable(prompts.frames[rows] * 0, prompts.boxes[rows], labels=prompts.labels[rows])
        apart += Sam2VideoSegmenter(predictor, hole_area=0).segment(alone, own)
    assert [mask.label for mask in together] == [mask.label for mask in apart] == [5, 5, 6]
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(together, apart, strict=True))


def test_nothing_is_carried_from_frame_to_frame(predictor, make_clip, make_prompts, spy):
    list(Sam2ImageSegmenter(predictor).segment(make_clip(6), make_prompts({(f, 0): BOX for f in range(6)})))
    assert len(spy.of("init_state")) == 1
    assert [call["frame_idx"] for call in spy.of("add_new_points_or_box")] == [0] * 6
    [state] = spy.states
    assert state["num_frames"] == 1
    assert list(state["output_dict_per_obj"][0]["cond_frame_outputs"]) == [0]


def test_without_prompts_the_predictor_is_not_called(predictor, make_clip, spy):
    done = []
    assert list(Sam2ImageSegmenter(predictor).segment(make_clip(5), BoxTable.empty(), done.append)) == []
    assert spy.calls == []
    assert done == [5]


def test_wrong_prompts(predictor, make_clip):
    with pytest.raises(DataError, match="has no label"):
        list(Sam2ImageSegmenter(predictor).segment(make_clip(5), BoxTable([0], [BOX])))
