from __future__ import annotations

import pickle

import numpy as np
import pytest
from dataset_layouts import HEIGHT, SHANGHAI_CLIPS, WIDTH, frames_of, write_images, write_shanghaitech

from vadbench.datasets import open_dataset
from vadbench.datasets.arrays import read_array
from vadbench.errors import DataError


def failure(code, call):
    with pytest.raises(DataError) as caught:
        call()
    assert caught.value.code == code
    return caught.value


@pytest.mark.parametrize("parts", ["m", "l", "f", "ml", "mf", "lf", "mlf"])
def test_any_part_is_enough(tmp_path, shrink, parts):
    shrink("shanghaitech")
    truths = write_shanghaitech(tmp_path, masks="m" in parts, labels="l" in parts, frames="f" in parts)
    for root in (tmp_path, tmp_path / "testing"):
        dataset = pickle.loads(pickle.dumps(open_dataset("shanghaitech", root)))  # noqa: S301 - our own bytes
        assert {clip.id: clip.frames for clip in dataset.clips} == SHANGHAI_CLIPS
        assert {(clip.height, clip.width) for clip in dataset.clips} == {(HEIGHT, WIDTH)}
        truth = dataset.truth("02_0128")
        assert (truth.mask_runs is not None) == ("m" in parts)
        assert (truth.labels is not None) == ("m" in parts or "l" in parts)
        if truth.mask_runs is not None:
            np.testing.assert_array_equal(truth.masks(), truths["02_0128"])
        if truth.labels is not None:
            np.testing.assert_array_equal(truth.labels, truths["02_0128"].any(axis=(1, 2)))
        assert (dataset.clips[0].frame_reader is not None) == ("f" in parts)


def test_training_frames(tmp_path, shrink):
    shrink("shanghaitech")
    write_shanghaitech(tmp_path)
    write_images(tmp_path / "training/frames/01_001", frames_of(3), "{:03d}.jpg")
    clips = open_dataset("shanghaitech", tmp_path).training_clips
    assert [(clip.id, clip.frames) for clip in clips] == [("01_001", 3)]


def test_masks_elsewhere_and_tracks(tmp_path, shrink):
    shrink("shanghaitech")
    truths = write_shanghaitech(tmp_path / "set", frames=True)
    (tmp_path / "set/testing/test_pixel_mask").rename(tmp_path / "masks")
    (tmp_path / "tracks").mkdir()
    for key in SHANGHAI_CLIPS:
        (tmp_path / f"tracks/{key}.txt").write_text("0,1,2,3,4,5\n" if key == "10_0037" else "")
    dataset = open_dataset("shanghaitech", tmp_path / "set", masks=tmp_path / "masks", tracks=tmp_path / "tracks")
    np.testing.assert_array_equal(dataset.truth("10_0037").masks(), truths["10_0037"])
    assert dataset.track_source == "aed"
    assert dataset.truth("01_0014").tracks() == ()
    assert dataset.truth("10_0037").tracks()[0].boxes.tolist() == [[2, 3, 5, 6]]
    assert len(dataset.tracks_fingerprint) == 64


def pixel_masks(root, key="02_0128"):
    return root / f"testing/test_pixel_mask/{key}.npy"


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.zeros((5, HEIGHT, WIDTH), np.uint8), "D203"),
        (np.zeros((4, HEIGHT), np.uint8), "D215"),
        (np.zeros((4, HEIGHT, WIDTH), "U1"), "D215"),
    ],
)
def test_wrong_array_is_found_when_opening(tmp_path, shrink, array, code):
    shrink("shanghaitech")
    write_shanghaitech(tmp_path)
    np.save(pixel_masks(tmp_path), array)
    error = failure(code, lambda: open_dataset("shanghaitech", tmp_path))
    assert error.where == (str(pixel_masks(tmp_path)), "clip 02_0128")


def test_pickled_objects_are_never_loaded(tmp_path, shrink):
    shrink("shanghaitech")
    write_shanghaitech(tmp_path)
    np.save(pixel_masks(tmp_path), np.array([{}, []], dtype=object), allow_pickle=True)
    failure("D206", lambda: open_dataset("shanghaitech", tmp_path))


def test_damaged_archived_and_resized_arrays(tmp_path, shrink):
    shrink("shanghaitech")
    write_shanghaitech(tmp_path)
    path = pixel_masks(tmp_path)
    np.save(path, np.zeros((4, HEIGHT, WIDTH + 1), np.uint8))
    failure("D205", lambda: open_dataset("shanghaitech", tmp_path).truth("02_0128"))
    # As one public copy has it: zeros before the array.
    path.write_bytes(bytes(1000) + path.read_bytes())
    failure("D206", lambda: open_dataset("shanghaitech", tmp_path))
    with path.open("wb") as file:
        np.savez(file, masks=np.zeros((4, HEIGHT, WIDTH)))
    failure("D215", lambda: open_dataset("shanghaitech", tmp_path))


def test_labels_of_other_length_or_value(tmp_path, shrink):
    shrink("shanghaitech")
    write_shanghaitech(tmp_path)
    path = tmp_path / "testing/test_frame_mask/02_0128.npy"
    np.save(path, np.array([0, 1, 2, 0]))
    assert failure("D207", lambda: open_dataset("shanghaitech", tmp_path).truth("02_0128")).got == "2"
    np.save(path, np.array([0, 1, 1]))
    failure("D208", lambda: open_dataset("shanghaitech", tmp_path))


def refusal(path):
    """The code that an array is refused with; None if it reads."""
    try:
        assert read_array(path, ndim=3).size <= 24
    except DataError as error:
        return error.code
    return None


def test_every_byte_of_a_header_damaged(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((2, 3, 4), np.uint8))
    content = path.read_bytes()
    damaged = [
        content[:position] + bytes([value]) + content[position + 1 :]
        for position in range(len(content))
        for value in b"\0'(P\\]0~\xff"
    ]
    for written in [*damaged, b"PK\3\4", content.replace(b"(2, 3, 4), ", b"(2**99, 1),")]:
        path.write_bytes(written)
        assert refusal(path) in {None, "D206", "D215"}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_masks_that_are_not_finite(tmp_path, shrink, value):
    shrink("shanghaitech")
    truths = write_shanghaitech(tmp_path)
    masks = truths["02_0128"].astype(np.float32)
    masks[2, 5, 7] = value
    np.save(pixel_masks(tmp_path), masks)
    error = failure("D219", lambda: open_dataset("shanghaitech", tmp_path).truth("02_0128"))
    assert error.where == (str(pixel_masks(tmp_path)), "clip 02_0128", "frame 2", "pixel (7, 5)")
    assert error.got == str(value)


@pytest.mark.parametrize("shape", [(4, 1), (1, 4)])
def test_labels_as_a_column_or_a_row(tmp_path, shrink, shape):
    shrink("shanghaitech")
    write_shanghaitech(tmp_path)
    path = tmp_path / "testing/test_frame_mask/02_0128.npy"
    np.save(path, np.zeros(shape, np.uint8))
    error = failure("D215", lambda: open_dataset("shanghaitech", tmp_path))
    assert f'np.save("{path}", labels.ravel())' in error.hint
    np.save(path, np.zeros((2, 2), np.uint8))
    assert failure("D215", lambda: open_dataset("shanghaitech", tmp_path)).hint == ""


def test_endings_in_capitals(tmp_path, shrink):
    shrink("shanghaitech")
    write_shanghaitech(tmp_path)
    known = open_dataset("shanghaitech", tmp_path).fingerprint
    for path in tmp_path.rglob("*.npy"):
        path.rename(path.with_suffix(".NPY"))
    assert open_dataset("shanghaitech", tmp_path).fingerprint == known


def test_missing_clip_wrong_frames_and_wrong_folder(tmp_path, shrink):
    shrink("shanghaitech")
    write_shanghaitech(tmp_path, frames=True)
    assert str(tmp_path) in failure("D200", lambda: open_dataset("shanghaitech", tmp_path / "testing/frames")).hint
    next((tmp_path / "testing/frames/10_0037").iterdir()).unlink()
    failure("D202", lambda: open_dataset("shanghaitech", tmp_path))
    (tmp_path / "testing/test_frame_mask/10_0037.npy").unlink()
    assert "missing: 10_0037" in failure("D201", lambda: open_dataset("shanghaitech", tmp_path)).got
