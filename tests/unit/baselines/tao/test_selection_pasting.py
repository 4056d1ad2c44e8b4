"""What settings are chosen on: people cut out, pasted elsewhere, every changed pixel known."""

import numpy as np
import pytest
from scipy import ndimage

from baselines.tao.box_table import BoxTable
from baselines.tao.filtering import FilterSettings, filter_boxes
from baselines.tao.selection.box_sources import GivenBoxes
from baselines.tao.selection.grey_clips import FrameArray, grey_frames_of
from baselines.tao.selection.pasted_clips import paste_clips
from baselines.tao.selection.selection_settings import SelectionSettings
from baselines.tao.selection.sprites import cut_sprites
from baselines.tao.selection.synthetic_anomalies import moving_sprites, paste_anomalies
from baselines.tao.selection.training_split import split_training
from vadbench import Clip, DataError, UsageError

GROUND = 100
SHAPE = (60, 80)


class Training:
    """As much of a data set as a split needs."""

    def __init__(self, *ids, dataset="synthetic"):
        self.id = dataset
        self.training_clips = tuple(Clip(name, 50, *SHAPE) for name in ids)


def walk(brightness, *, row=20, speed=0.5, frames=50, colour=False):
    """Frames of one walker, 8 x 16 pixels, and the boxes around them."""
    images, boxes = np.full((frames, *SHAPE), GROUND, np.uint8), {}
    for frame in range(frames):
        left = round(5 + speed * frame)
        images[frame, row : row + 16, left : left + 8] = brightness
        boxes[frame] = [[left - 1, row - 1, left + 9, row + 17]]
    return (np.repeat(images[..., None], 3, axis=3) if colour else images), BoxTable.of_frames(boxes)


def sprite_of(brightness=220, **options):
    frames, boxes = walk(brightness, **options)
    linked = filter_boxes(boxes, FilterSettings(matches=0), len(frames))
    (sprite,) = cut_sprites(frames, np.full(SHAPE, GROUND, np.float32), linked)
    return sprite


def empty_frames(frames=50):
    return np.full((frames, *SHAPE), GROUND, np.uint8)


def test_every_other_clip_is_held_out():
    split = split_training(Training("01", "02", "03", "04", "05"))
    assert [clip.id for clip in split.fitted] == ["01", "03", "05"]
    assert [clip.id for clip in split.held_out] == ["02", "04"]


def test_every_view_is_in_both_halves():
    ids = ("01_1", "02_1", "02_2", "01_2", "02_3", "01_3")
    split = split_training(Training(*ids, dataset="shanghaitech"))
    assert [clip.id for clip in split.fitted] == ["01_1", "02_1", "02_3", "01_3"]
    assert [clip.id for clip in split.held_out] == ["02_2", "01_2"]


def test_too_few_training_clips():
    with pytest.raises(DataError) as raised:
        split_training(Training("01", "02", "03"))
    assert raised.value.code == "B271"
    assert raised.value.got == "3"
    assert split_training(Training("01", "02", "03", "04")).held_out


def test_a_sprite_is_the_walker_alone():
    sprite = sprite_of()
    assert len(sprite) == 50
    for image, mask in zip(sprite.images, sprite.masks, strict=True):
        assert mask.sum() == 8 * 16
        assert (image[mask] == 220).all()
        assert (image[~mask] == GROUND).all()
    # The place is that of the crop, four pixels around the walker.
    assert sprite.places[0].tolist() == [1, 16]
    assert sprite.places[-1].tolist() == [round(5 + 0.5 * 49) - 4, 16]


def test_a_walker_whom_another_box_touches_is_left_out():
    frames, boxes = walk(220)
    touching = BoxTable(
        np.repeat(boxes.frames, 2), np.repeat(boxes.boxes, 2, axis=0) + [[0, 0, 0, 0], [5, 5, 5, 5]] * 50
    )
    linked = filter_boxes(touching, FilterSettings(matches=0), 50)
    assert cut_sprites(frames, np.full(SHAPE, GROUND, np.float32), linked) == []


def test_boxes_without_labels_are_refused():
    frames, boxes = walk(220)
    with pytest.raises(UsageError) as raised:
        cut_sprites(frames, np.full(SHAPE, GROUND, np.float32), boxes)
    assert raised.value.code == "B270"


@pytest.mark.parametrize("seed", range(4))
def test_masks_are_the_changed_pixels_within_one(seed):
    before = empty_frames()
    made = paste_anomalies(before, [sprite_of(), sprite_of(20, row=30)], np.random.default_rng(seed))
    changed = made.frames != before
    assert changed.any()
    square = np.ones((1, 3, 3), dtype=bool)
    assert not (changed & ~ndimage.binary_dilation(made.masks, square)).any()
    assert not (made.masks & ~ndimage.binary_dilation(changed, square)).any()
    assert (before == GROUND).all()


def test_exact_boxes_hold_the_masks():
    made = paste_anomalies(empty_frames(), [sprite_of()], np.random.default_rng(0), count=1, missed=0.0, jitter=0.0)
    anomalous = np.flatnonzero(made.masks.any(axis=(1, 2)))
    assert made.boxes.frames.tolist() == anomalous.tolist()
    for frame, box in zip(made.boxes.frames, made.boxes.boxes.astype(int), strict=True):
        x1, y1, x2, y2 = box
        inside = np.zeros(SHAPE, dtype=bool)
        inside[y1:y2, x1:x2] = True
        assert not (made.masks[frame] & ~inside).any()
        assert made.masks[frame][y1:y2, x1].any()
        assert made.masks[frame][y2 - 1, x1:x2].any()


def test_boxes_are_missed_and_off_as_told():
    def boxes(**options):
        return paste_anomalies(empty_frames(400), [sprite_of()], np.random.default_rng(1), count=8, **options).boxes

    every, some = boxes(missed=0.0, jitter=0.0), boxes(missed=0.5, jitter=0.0)
    assert 0.3 * len(every) < len(some) < 0.7 * len(every)
    off = boxes(missed=0.0, jitter=0.05)
    assert not (off.boxes[:20] == np.round(off.boxes[:20])).all()
    assert (off.boxes[:, :2] >= 0).all()
    assert (off.boxes[:, 2:] <= [80, 60]).all()


def test_the_seed_decides():
    def made(seed):
        return paste_anomalies(empty_frames(), [sprite_of(), sprite_of(30)], np.random.default_rng(seed))

    assert np.array_equal(made(3).frames, made(3).frames)
    assert np.array_equal(made(3).boxes.boxes, made(3).boxes.boxes)
    assert not np.array_equal(made(3).frames, made(4).frames)


def test_who_stands_still_is_nobody_to_paste():
    standing = sprite_of(speed=0.0)
    assert moving_sprites([standing, sprite_of()], SHAPE[0])[0] is not standing
    with pytest.raises(DataError) as raised:
        paste_anomalies(empty_frames(), [standing], np.random.default_rng(0))
    assert raised.value.code == "B272"
    assert "none of whom moves" in raised.value.got


def test_colour_becomes_grey_and_clips_are_cut():
    frames, _ = walk(220, colour=True)
    grey = grey_frames_of(FrameArray(frames).clip("01"), 20)
    assert grey.shape == (20, *SHAPE)
    assert set(np.unique(grey)) == {GROUND, 220}


def test_frames_of_another_size_are_named():
    frames = [np.zeros(SHAPE, np.uint8), np.zeros((5, 5), np.uint8)]
    with pytest.raises(DataError) as raised:
        grey_frames_of(Clip("07", 2, *SHAPE, lambda: iter(frames)), 10)
    assert raised.value.code == "B277"
    assert raised.value.where == ("clip 07", "frame 1")
    with pytest.raises(DataError, match="fewer"):
        grey_frames_of(Clip("07", 3, *SHAPE, lambda: iter(frames[:1])), 10)


class Walks:
    """Boxes of walks by clip id; those of anomalies are given beside them."""

    def __init__(self, boxes):
        self.boxes = boxes

    def of_clip(self, clip):
        table = self.boxes[clip.id]
        return table.select(table.frames < clip.frames)

    of_pasted = GivenBoxes.of_pasted


def pasted_of(tmp_path, brightness_of, dataset_id="synthetic", **settings):
    """Each clip shows a walker of another brightness, by which it is known where a pasted pixel comes from."""
    views = {("", *SHAPE): np.full(SHAPE, GROUND, np.float32)}
    held_out, boxes = [], {}
    for name, brightness in brightness_of.items():
        frames, boxes[name] = walk(brightness, row=int(brightness) % 30)
        held_out.append(FrameArray(frames).clip(name))
    chosen = SelectionSettings(**{"clips": 6, "anomalies": 3, **settings})
    return paste_clips(dataset_id, held_out, Walks(boxes), views, chosen, tmp_path)


def test_nobody_is_pasted_into_their_own_clip(tmp_path):
    clips = {"02": 150, "04": 200, "06": 250}
    made = pasted_of(tmp_path, clips)
    assert [one.clip.id for one in made] == ["02-1", "04-1", "06-1", "02-2", "04-2", "06-2"]
    for one in made:
        assert one.source_id not in one.sprite_ids
        assert set(one.sprite_ids) == set(clips) - {one.source_id}
        frames = np.stack(list(one.clip.read_frames()))
        inner = ndimage.binary_erosion(one.truth.masks(), np.ones((1, 3, 3)))
        assert inner.any()
        assert not (frames[inner] == clips[one.source_id]).any()


def test_nobody_crosses_from_one_view_to_another(tmp_path):
    clips = {"01_2": 150, "01_4": 200, "02_2": 250}
    made = pasted_of(tmp_path, clips, "shanghaitech", clips=4)
    assert [(one.source_id, one.sprite_ids) for one in made] == [("01_2", ("01_4",)), ("01_4", ("01_2",))] * 2


def test_nobody_to_cut_out_is_said(tmp_path):
    for clips, settings in (({"02": 150}, {}), ({"02": 150, "04": 200}, {"least_sprite": 51})):
        with pytest.raises(DataError) as raised:
            pasted_of(tmp_path, clips, **settings)
        assert raised.value.code == "B272"
        assert "02" in raised.value.where[0]


@pytest.mark.parametrize(("name", "value"), [("clips", 0), ("missed", 1.0), ("jitter", float("nan")), ("seed", -1)])
def test_settings_out_of_range(name, value):
    with pytest.raises(UsageError) as raised:
        SelectionSettings(**{name: value})
    assert raised.value.code == "B278"
    assert name in raised.value.message
