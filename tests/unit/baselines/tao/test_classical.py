"""The classical segmenter: masks of moving squares, votes in time, borders, and what it may not depend on."""

import json
import tomllib
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from baselines.tao.box_table import BoxTable
from baselines.tao.segmentation import classical
from baselines.tao.segmentation.classical import (
    ClassicalSegmenter,
    ClassicalSettings,
    SeenObject,
    fit_classical,
    load_classical,
)
from baselines.tao.segmentation.object_masks import MaskSettings
from baselines.tao.segmentation.paths import ObjectPath
from baselines.tao.settings_table import updated
from vadbench import Clip, DataError, UsageError

HEIGHT, WIDTH, SIDE = 72, 128, 24


def ground():
    return (
        np.random.default_rng(0).integers(60, 100, (HEIGHT // 4, WIDTH // 4)).repeat(4, 0).repeat(4, 1).astype(np.uint8)
    )


class Frames:
    def __init__(self, frames):
        self.frames, self.reads = frames, 0

    def __call__(self):
        self.reads += 1
        return iter(self.frames)

    def clip(self, clip_id="01"):
        return Clip(clip_id, len(self.frames), *self.frames.shape[1:3], self)


def square(frames=10, step=3, start=(10, 24)):
    """A bright textured square that goes right, its masks, and its boxes."""
    texture = np.random.default_rng(1).integers(170, 255, (SIDE // 4, SIDE // 4)).repeat(4, 0).repeat(4, 1)
    images, masks = np.tile(ground(), (frames, 1, 1)), np.zeros((frames, HEIGHT, WIDTH), dtype=bool)
    boxes = []
    for frame in range(frames):
        x, y = start[0] + step * frame, start[1]
        images[frame, y : y + SIDE, x : x + SIDE] = texture
        masks[frame, y : y + SIDE, x : x + SIDE] = True
        boxes.append([x, y, x + SIDE, y + SIDE])
    return Frames(images), masks, np.array(boxes, dtype=float)


def prompts_of(boxes, frames, label=0):
    frames = list(frames)
    return BoxTable(frames, boxes[frames], labels=[label] * len(frames), prompts=[True] * len(frames))


def overlap(mask, other):
    return (mask & other).sum() / (mask | other).sum()


@pytest.fixture
def empty_street():
    return [Frames(np.tile(ground(), (4, 1, 1))).clip("00")]


@pytest.fixture
def segmenter(empty_street):
    return fit_classical(ClassicalSettings(follow=0), "synthetic", empty_street)


def with_settings(segmenter, **changes):
    return ClassicalSegmenter(replace(segmenter.settings, **changes), segmenter.dataset_id, segmenter.backgrounds)


@pytest.mark.parametrize("changes", [{}, {"tracking": False}, {"mask": MaskSettings(iterations=0)}, {"follow": 4}])
def test_a_moving_square_is_recovered(segmenter, changes):
    frames, masks, boxes = square()
    found = list(with_settings(segmenter, **changes).segment(frames.clip(), prompts_of(boxes, range(10))))
    assert [(mask.frame, mask.label) for mask in found] == [(frame, 0) for frame in range(10)]
    for mask in found:
        assert (mask.mask.shape, mask.mask.dtype) == ((HEIGHT, WIDTH), np.bool_)
        assert overlap(mask.mask, masks[mask.frame]) > 0.8


def test_boxes_that_are_a_little_off(segmenter):
    frames, masks, boxes = square()
    found = segmenter.segment(frames.clip(), prompts_of(boxes + np.array([-3, -2, 4, 3]), range(10)))
    assert all(overlap(mask.mask, masks[mask.frame]) > 0.8 for mask in found)


def test_between_prompts_the_square_is_followed(segmenter):
    frames, masks, boxes = square()
    found = list(segmenter.segment(frames.clip(), prompts_of(boxes, [1, 7])))
    assert [mask.frame for mask in found] == [1, 2, 3, 4, 5, 6, 7]
    assert all(overlap(mask.mask, masks[mask.frame]) > 0.8 for mask in found)


@pytest.mark.parametrize("changes", [{"tracking": False}, {"tracking": False, "follow": 4}, {"longest_gap": 5}])
def test_no_masks_between_prompts(segmenter, changes):
    frames, _, boxes = square()
    found = with_settings(segmenter, **changes).segment(frames.clip(), prompts_of(boxes, [1, 7]))
    assert [mask.frame for mask in found] == [1, 7]


def test_after_its_last_prompt_an_object_is_followed_for_a_while(segmenter):
    frames, masks, boxes = square(frames=12)
    found = list(with_settings(segmenter, follow=3).segment(frames.clip(), prompts_of(boxes, [2, 3])))
    assert [mask.frame for mask in found] == [2, 3, 4, 5, 6]
    assert all(overlap(mask.mask, masks[mask.frame]) > 0.8 for mask in found)


def test_an_object_that_is_gone_is_not_followed(segmenter):
    frames, _, boxes = square(frames=8)
    frames.frames[4:] = ground()
    found = with_settings(segmenter, follow=3).segment(frames.clip(), prompts_of(boxes, [2, 3]))
    assert [mask.frame for mask in found] == [2, 3]


def test_what_is_left_of_an_object_is_not_followed(segmenter):
    frames, _, boxes = square(frames=8)
    for frame in range(4, 8):
        x = int(boxes[frame, 0])
        # A third of the square, less than half.
        frames.frames[frame, :, x + 8 :] = ground()[:, x + 8 :]
    found = with_settings(segmenter, follow=3).segment(frames.clip(), prompts_of(boxes, [2, 3]))
    assert [mask.frame for mask in found] == [2, 3]


def test_an_object_that_leaves_the_frame_is_not_followed():
    here = SimpleNamespace(flow=np.zeros((8, 8, 2)))
    seen = SeenObject(np.array([2, 2, 6, 6.0]), np.zeros((8, 8), bool), np.array([3.0, 0.0]), 0)
    np.testing.assert_array_equal(seen.moved_box(here), [5, 2, 8, 6])
    assert replace(seen, motion=np.array([5.5, 0.0])).moved_box(here) is None
    assert replace(seen, motion=np.array([0.0, -9.0])).moved_box(here) is None


def test_several_objects_come_by_frame_and_label(segmenter):
    frames, masks, boxes = square()
    frames.frames[:, 2:20, 100:118] = 220
    still = np.tile([[100, 2, 118, 20.0]], (10, 1))
    table = BoxTable(
        np.repeat([3, 5, 8], 2),
        np.stack([boxes[[3, 5, 8]], still[:3]], axis=1).reshape(-1, 4),
        labels=[9, 4] * 3,
        prompts=[True] * 6,
    )
    found = list(segmenter.segment(frames.clip(), table))
    assert [(mask.frame, mask.label) for mask in found] == [(f, label) for f in range(3, 9) for label in (4, 9)]
    for mask in found:
        expected = masks[mask.frame] if mask.label == 9 else np.zeros_like(mask.mask)
        if mask.label == 4:
            expected[2:20, 100:118] = True
        assert overlap(mask.mask, expected) > 0.8


def test_a_clip_of_one_frame(segmenter):
    frames, masks, boxes = square(frames=1)
    (only,) = segmenter.segment(frames.clip(), prompts_of(boxes, [0]))
    assert overlap(only.mask, masks[0]) > 0.8


def test_without_prompts_no_frame_is_read(segmenter):
    frames, _, _ = square()
    done = []
    assert list(segmenter.segment(frames.clip(), BoxTable.empty(), done.append)) == []
    assert (frames.reads, done) == (0, [])


def test_flow_only_where_there_are_objects(segmenter, monkeypatch):
    asked = []
    original = classical.frame_views

    def noted(clip, *, with_flow):
        for view in original(clip, with_flow=with_flow):
            compute = view.compute_flow
            yield replace(
                view, compute_flow=lambda number=view.frame, compute=compute: asked.append(number) or compute()
            )

    monkeypatch.setattr(classical, "frame_views", noted)
    frames, _, boxes = square()
    list(segmenter.segment(frames.clip(), prompts_of(boxes, [3, 5])))
    assert asked == [3, 4, 5]


@pytest.mark.parametrize(
    ("trained_on", "got"), [([], "no training clips"), ([(HEIGHT, WIDTH + 1), (HEIGHT - 1, WIDTH)], "2 other views")]
)
def test_a_view_without_training_is_refused(trained_on, got):
    frames, _, boxes = square()
    clips = [Frames(np.zeros((2, *size), np.uint8)).clip("00") for size in trained_on]
    whole = fit_classical(ClassicalSettings(), "synthetic", clips)
    with pytest.raises(DataError) as caught:
        list(whole.segment(frames.clip("07"), prompts_of(boxes, range(10))))
    error = caught.value
    assert (error.code, error.where, error.got) == ("B228", ("synthetic", "clip 07"), got)
    assert f"{HEIGHT} x {WIDTH} pixels" in error.expected
    assert "sam2-video" in error.hint
    # Nothing was looked at: not even the background of the clip itself.
    assert frames.reads == 0


def test_masks_do_not_depend_on_frames_yet_to_come(segmenter):
    frames, _, boxes = square(frames=12)
    prompts = prompts_of(boxes, range(6))
    whole = list(segmenter.segment(frames.clip(), prompts))
    frames.frames[9:] = 255
    again = list(segmenter.segment(frames.clip(), prompts))
    assert [mask.mask.tobytes() for mask in again] == [mask.mask.tobytes() for mask in whole]
    assert len(whole) == 6


def test_a_still_square_is_seen_against_the_training_background(segmenter):
    frames, masks, boxes = square(frames=6, step=0)
    found = list(segmenter.segment(frames.clip(), prompts_of(boxes, range(6))))
    assert all(overlap(mask.mask, masks[mask.frame]) > 0.8 for mask in found)
    assert len(found) == 6


def test_only_objects_that_can_be_there_are_asked_for(segmenter, monkeypatch):
    asked = []
    original = ObjectPath.box
    monkeypatch.setattr(
        ObjectPath, "box", lambda path, frame: asked.append((path.label, frame)) or original(path, frame)
    )
    frames, _, boxes = square(frames=20)
    prompts = BoxTable([2, 4, 15], boxes[[2, 4, 15]], labels=[5, 5, 3], prompts=[True] * 3)
    follower = with_settings(segmenter, follow=2)
    found = list(follower.segment(frames.clip(), prompts))
    assert [(mask.frame, mask.label) for mask in found] == [
        *((f, 5) for f in range(2, 7)),
        *((f, 3) for f in (15, 16, 17)),
    ]
    assert asked == [(mask.label, mask.frame) for mask in found]


def test_training_frames_that_change_size_are_named():
    frames = [*np.zeros((2, 16, 16), np.uint8), np.zeros((16, 18), np.uint8)]
    with pytest.raises(DataError) as caught:
        fit_classical(ClassicalSettings(), "synthetic", [Clip("03", 3, 16, 16, lambda: iter(frames))])
    assert (caught.value.code, caught.value.where) == ("B210", ("clip 03", "frame 2"))


def test_backgrounds_are_those_of_the_view():
    dark, bright = (Frames(np.full((3, 16, 16), level, np.uint8)) for level in (10, 200))
    small = Frames(np.full((2, 8, 16), 90, np.uint8))
    clips = [dark.clip("01_001"), bright.clip("02_001"), bright.clip("02_002"), small.clip("01_002")]
    done = []
    learned = fit_classical(ClassicalSettings(), "shanghaitech", clips, done.append)
    assert {view: float(b.mean()) for view, b in learned.backgrounds.items()} == {
        ("01", 16, 16): 10.0,
        ("02", 16, 16): 200.0,
        ("01", 8, 16): 90.0,
    }
    assert done == [3, 9, 11]


def seen_at(x, motion, width=4):
    mask = np.zeros((6, 40), dtype=bool)
    mask[1:5, x : x + width] = True
    return SeenObject(np.array([x, 1, x + width, 5.0]), mask, np.array([motion, 0.0]), 0)


def test_votes_are_moved_to_where_the_object_is():
    whole = ClassicalSegmenter(ClassicalSettings(reach=2, vote=0.5), "synthetic", {})
    # By 3, then 4, then 5, then 6 pixels a frame.
    window = [{0: seen_at(x, motion)} for x, motion in ((5, 9.0), (8, 3.0), (12, 4.0), (17, 5.0), (23, 6.0))]
    for middle in range(5):
        (found,) = whole._voted(window, middle, 70 + middle)
        assert found.frame == 70 + middle
        np.testing.assert_array_equal(found.mask, window[middle][0].mask)


def test_the_majority_mends_a_hole_and_drops_a_stray_part():
    whole = ClassicalSegmenter(ClassicalSettings(reach=1, vote=0.5), "synthetic", {})
    window = [{0: seen_at(5, 3.0)}, {0: seen_at(8, 3.0)}, {0: seen_at(11, 3.0)}]
    window[1][0].mask[2, 9] = False
    window[1][0].mask[0, 30] = True
    (found,) = whole._voted(window, 1, 1)
    np.testing.assert_array_equal(found.mask, seen_at(8, 3.0).mask)
    # Without votes, and where all must agree, the hole stays.
    (alone,) = ClassicalSegmenter(ClassicalSettings(reach=0), "synthetic", {})._voted(window, 1, 1)
    np.testing.assert_array_equal(alone.mask, window[1][0].mask)
    (strict,) = ClassicalSegmenter(ClassicalSettings(reach=1, vote=1.0), "synthetic", {})._voted(window, 1, 1)
    expected = seen_at(8, 3.0).mask
    expected[2, 9] = False
    np.testing.assert_array_equal(strict.mask, expected)


@pytest.mark.parametrize(
    ("vote", "n_needed"), [(0.01, 1), (0.2, 1), (0.21, 2), (0.5, 3), (0.6, 3), (0.61, 4), (1.0, 5)]
)
def test_the_share_of_votes(vote, n_needed):
    whole = ClassicalSegmenter(ClassicalSettings(reach=2, vote=vote), "synthetic", {})
    window = [{0: seen_at(10, 0.0)} for _ in range(5)]
    for number, frame in enumerate(window):
        frame[0].mask[0, : number + 1] = True
    (found,) = whole._voted(window, 2, 2)
    # Column c has 5 - c votes.
    np.testing.assert_array_equal(found.mask[0, :6], [5 - column >= n_needed for column in range(5)] + [False])


def test_only_frames_without_a_break_vote():
    whole = ClassicalSegmenter(ClassicalSettings(reach=2, vote=0.5), "synthetic", {})
    window = [{0: seen_at(30, 0.0)}, {}, {0: seen_at(8, 3.0)}, {1: seen_at(20, 0.0)}, {0: seen_at(1, 0.0)}]
    (found,) = whole._voted(window, 2, 2)
    np.testing.assert_array_equal(found.mask, window[2][0].mask)


def test_empty_masks_are_not_given():
    whole = ClassicalSegmenter(ClassicalSettings(reach=1), "synthetic", {})
    window = [{0: seen_at(5, 0.0, width=0)}, {0: seen_at(5, 0.0, width=0)}]
    assert list(whole._voted(window, 0, 0)) == []


@pytest.mark.parametrize("reach", [0, 1, 2])
def test_memory_holds_the_window_only(segmenter, monkeypatch, reach):
    frames, _, boxes = square(frames=16)
    alive, most = set(), []

    class Watched(SeenObject):
        def __init__(self, *values):
            super().__init__(*values)
            alive.add(id(self))
            most.append(len(alive))

        def __del__(self):
            alive.discard(id(self))

    monkeypatch.setattr(classical, "SeenObject", Watched)
    found = list(with_settings(segmenter, reach=reach).segment(frames.clip(), prompts_of(boxes, range(16))))
    assert [mask.frame for mask in found] == list(range(16))
    assert len(most) == 16
    # With the one that is just made; without votes the one before is needed to follow the object.
    assert max(most) <= max(2 * reach + 1, 2)


def test_a_mask_is_given_when_its_window_is_read(segmenter):
    frames, _, boxes = square(frames=8)
    done = []
    for mask in segmenter.segment(frames.clip(), prompts_of(boxes, range(8)), done.append):
        # Two frames more are read than are done; the last ones come at the end.
        assert len(done) == min(mask.frame + 2, 8)
    assert done == list(range(1, 9))


def test_same_input_same_bytes(segmenter, empty_street, tmp_path):
    frames, _, boxes = square()
    prompts = prompts_of(boxes, [0, 4, 9])
    path, again = tmp_path / "one.npz", tmp_path / "two.npz"
    segmenter.save(path)
    fit_classical(segmenter.settings, "synthetic", empty_street).save(again)
    assert path.read_bytes() == again.read_bytes()
    loaded = load_classical(path, segmenter.settings)
    first = [mask.mask.tobytes() for mask in segmenter.segment(frames.clip(), prompts)]
    cv2.setRNGSeed(77)
    assert [mask.mask.tobytes() for mask in loaded.segment(frames.clip(), prompts)] == first
    assert len(first) == 10


def rewritten(path, change):
    with zipfile.ZipFile(path) as archive:
        entries = {entry: archive.read(entry) for entry in archive.namelist()}
    header = json.loads(entries["header.json"])
    change(header, entries)
    entries["header.json"] = json.dumps(header)
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in entries.items():
            archive.writestr(entry, content)


@pytest.mark.parametrize(
    "change",
    [
        lambda header, entries: header.pop("views"),
        lambda header, entries: header.pop("dataset"),
        lambda header, entries: header.update(views=[["", 72]]),
        lambda header, entries: header.update(views=[["", 72, 127]]),
        lambda header, entries: header.update(views=7),
        lambda header, entries: header.update(kind="TAO scorer"),
        lambda header, entries: entries.pop("0.npy"),
    ],
)
def test_a_damaged_model(segmenter, tmp_path, change):
    path = tmp_path / "model.npz"
    segmenter.save(path)
    rewritten(path, lambda header, entries: None)
    assert load_classical(path, segmenter.settings).backgrounds.keys() == segmenter.backgrounds.keys()
    rewritten(path, change)
    with pytest.raises(DataError) as caught:
        load_classical(path, segmenter.settings)
    assert (caught.value.code, caught.value.where) == ("B204", (str(path),))


@pytest.mark.parametrize(
    "wrong",
    [{"reach": -1}, {"vote": 0.0}, {"vote": 1.1}, {"longest_gap": -1}, {"follow": -1}, {"median_frames": 0}],
)
def test_wrong_settings(wrong):
    with pytest.raises(UsageError) as caught:
        ClassicalSettings(**wrong)
    assert caught.value.code == "B222"
    assert next(iter(wrong)) in caught.value.message


def test_settings_through_toml():
    text = "reach = 1\nvote = 1\ntracking = false\n[mask]\nmargin = 0.1\niterations = 2\n"
    expected = ClassicalSettings(MaskSettings(margin=0.1, iterations=2), reach=1, vote=1.0, tracking=False)
    assert updated(ClassicalSettings(), tomllib.loads(text), ()) == expected
