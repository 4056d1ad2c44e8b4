from __future__ import annotations

import pickle
import shutil

import numpy as np
import pytest
from dataset_layouts import FOLDER_CLIPS, HEIGHT, WIDTH, frames_of, write_folder, write_images
from PIL import Image

from vadbench.datasets import open_dataset
from vadbench.errors import DataError


def failure(code, call):
    with pytest.raises(DataError) as caught:
        call()
    assert caught.value.code == code
    return caught.value


def test_clips_in_natural_order_and_one_without_masks(tmp_path):
    truths = write_folder(tmp_path)
    dataset = pickle.loads(pickle.dumps(open_dataset("folder", tmp_path)))  # noqa: S301 - our own bytes
    assert {clip.id: clip.frames for clip in dataset.clips} == FOLDER_CLIPS
    np.testing.assert_array_equal(dataset.truth("bridge").masks(), truths["bridge"])
    assert dataset.truth("tunnel").mask_runs is None
    assert dataset.truth("tunnel").labels is None
    assert len(list(dataset.clip("bridge").read_frames())) == 11
    assert dataset.track_source == "mask-overlap"
    assert dataset.training_clips == ()


def test_masks_alone_or_frames_alone(tmp_path):
    write_folder(tmp_path / "masks-only", frames=False)
    assert [clip.id for clip in open_dataset("folder", tmp_path / "masks-only").clips] == ["bridge", "gate 2"]
    write_folder(tmp_path / "frames-only", masks=False)
    assert open_dataset("folder", tmp_path / "frames-only").truth("bridge").mask_runs is None


def test_labels_tracks_training_and_sizes_of_each_clip(tmp_path):
    write_folder(tmp_path)
    write_images(tmp_path / "frames/wide", np.zeros((2, 5, 9), np.uint8), "{}.png")
    write_images(tmp_path / "training/a", frames_of(3), "{}.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/tunnel.txt").write_text("0\n1\n1\n0\n0\n1\n\n")
    (tmp_path / "tracks").mkdir()
    for key in (*FOLDER_CLIPS, "wide"):
        (tmp_path / f"tracks/{key}.txt").write_text("cat,1,0.5,0,2.25,3\n" if key == "wide" else "")
    dataset = open_dataset("folder", tmp_path)
    wide = dataset.clip("wide")
    assert (wide.height, wide.width) == (5, 9)
    assert dataset.truth("tunnel").labels.tolist() == [False, True, True, False, False, True]
    assert dataset.track_source == "folder"
    track = dataset.truth("wide").tracks()[0]
    assert (track.id, track.boxes.tolist()) == ("cat", [[0.5, 0, 2.25, 3]])
    assert [(clip.id, clip.frames) for clip in dataset.training_clips] == [("a", 3)]


def test_aed_tracks_take_the_place_of_its_own(tmp_path):
    write_folder(tmp_path)
    for folder in ("tracks", "aed"):
        (tmp_path / folder).mkdir()
        for key in FOLDER_CLIPS:
            (tmp_path / folder / f"{key}.txt").write_text("0,1,0,0,4,4\n")
    own, given = open_dataset("folder", tmp_path), open_dataset("folder", tmp_path, tracks=tmp_path / "aed")
    assert (own.track_source, given.track_source) == ("folder", "aed")
    assert own.truth("bridge").tracks()[0].boxes.tolist() == [[0, 0, 4, 4]]
    assert given.truth("bridge").tracks()[0].boxes.tolist() == [[0, 0, 5, 5]]
    assert own.tracks_fingerprint != given.tracks_fingerprint


def test_nothing_there(tmp_path):
    (tmp_path / "frames").mkdir()
    failure("D200", lambda: open_dataset("folder", tmp_path))
    write_folder(tmp_path / "inner")
    assert str(tmp_path / "inner") in failure("D200", lambda: open_dataset("folder", tmp_path)).hint


def test_masks_that_do_not_fit(tmp_path):
    write_folder(tmp_path)
    Image.new("L", (WIDTH - 1, HEIGHT)).save(tmp_path / "masks/bridge/m10.png")
    assert failure("D205", lambda: open_dataset("folder", tmp_path).truth("bridge")).where[2] == "frame 9"
    (tmp_path / "masks/bridge/m4.png").unlink()
    failure("D203", lambda: open_dataset("folder", tmp_path))
    shutil.rmtree(tmp_path / "masks/bridge")
    (tmp_path / "masks/bridge").mkdir()
    failure("D204", lambda: open_dataset("folder", tmp_path))


@pytest.mark.parametrize("gone", ["frames/bridge/f4.jpg", "masks/bridge/m4.png"])
def test_neither_frames_nor_masks_are_blamed(tmp_path, gone):
    write_folder(tmp_path)
    (tmp_path / gone).unlink()
    error = failure("D203", lambda: open_dataset("folder", tmp_path))
    frames, masks = (10, 11) if gone.startswith("frames") else (11, 10)
    assert error.got == (
        f"{frames} frames in {tmp_path / 'frames/bridge'}\n{masks} masks in {tmp_path / 'masks/bridge'}"
    )
    assert "remove" not in error.hint
    assert f'without a partner: "{"m4.png" if gone.startswith("frames") else "f4.jpg"}"' in error.hint


def test_copy_of_a_frame_is_named(tmp_path):
    write_folder(tmp_path)
    shutil.copy(tmp_path / "frames/bridge/f1.jpg", tmp_path / "frames/bridge/f1 (1).jpg")
    error = failure("D203", lambda: open_dataset("folder", tmp_path))
    assert '"f1 (1).jpg"' in error.hint
    assert "remove" not in error.hint


@pytest.mark.parametrize("suffix", ["bmp", "jpg"])
def test_masks_in_another_format(tmp_path, suffix):
    truths = write_folder(tmp_path, masks=False)
    write_images(tmp_path / "masks/bridge", truths["bridge"], "{}." + suffix)
    error = failure("D204", lambda: open_dataset("folder", tmp_path))
    assert (error.expected, error.got) == ("*.png", f"11 of *.{suffix}")
    assert "masks must be PNG" in error.hint
    assert "archive" not in error.hint


def test_label_file_with_an_ending_in_capitals(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/tunnel.TXT").write_text("0\n1\n1\n0\n0\n1\n")
    assert open_dataset("folder", tmp_path).truth("tunnel").labels.sum() == 3
    (tmp_path / "labels/tunnel.txt").write_text("0\n" * 6)
    failure("D209", lambda: open_dataset("folder", tmp_path))


@pytest.mark.parametrize("name", ["a,b", " a", "__a", "a\nb", 'a"b', "a\\b"])
def test_names_that_cannot_be_ids(tmp_path, name):
    write_images(tmp_path / "frames" / name, frames_of(1))
    failure("D216", lambda: open_dataset("folder", tmp_path))


@pytest.mark.parametrize("part", ["labels", "tracks"])
def test_misspelt_file(tmp_path, part):
    write_folder(tmp_path)
    (tmp_path / part).mkdir()
    (tmp_path / part / "bridg.txt").write_text("")
    assert '"bridge"' in failure("D217", lambda: open_dataset("folder", tmp_path)).hint


def test_track_file_of_one_clip_missing(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "tracks").mkdir()
    (tmp_path / "tracks/bridge.txt").write_text("")
    assert "empty file" in failure("D211", lambda: open_dataset("folder", tmp_path)).hint


@pytest.mark.parametrize(("text", "code"), [("0\n1\n", "D208"), ("0\n2\n0\n0\n", "D207"), ("0\n\n0\n0\n", "D207")])
def test_wrong_labels(tmp_path, text, code):
    write_folder(tmp_path)
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/gate 2.txt").write_text(text)
    failure(code, lambda: open_dataset("folder", tmp_path).truth("gate 2"))
