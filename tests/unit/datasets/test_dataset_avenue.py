from __future__ import annotations

import builtins
import pickle

import numpy as np
import pytest
from dataset_layouts import CLIPS, HEIGHT, WIDTH, frames_of, write_avenue, write_images
from scipy.io import savemat

from vadbench.datasets import open_dataset
from vadbench.datasets.arrays import read_label_mat
from vadbench.datasets.videos import avi_frame_count
from vadbench.errors import DataError, UsageError


@pytest.fixture
def avenue(tmp_path, shrink):
    shrink("avenue")
    return tmp_path, write_avenue(tmp_path)


def failure(code, call):
    with pytest.raises((DataError, UsageError)) as caught:
        call()
    assert caught.value.code == code
    return caught.value


def write_video(path, frames):
    cv2 = pytest.importorskip("cv2", reason="OpenCV is the extra [video]")
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (frames.shape[2], frames.shape[1]))
    for frame in frames:
        writer.write(np.repeat(frame[:, :, None], 3, axis=2))
    writer.release()


def test_masks_alone_are_enough(avenue):
    root, truths = avenue
    dataset = pickle.loads(pickle.dumps(open_dataset("avenue", root)))  # noqa: S301 - our own bytes
    for key, masks in truths.items():
        truth = dataset.truth(key)
        np.testing.assert_array_equal(truth.masks(), masks)
        np.testing.assert_array_equal(truth.labels, masks.any(axis=(1, 2)))
    assert dataset.training_clips == ()
    failure("D210", dataset.clips[0].read_frames)


def test_ground_truth_where_the_archive_has_it_and_by_name(avenue):
    root, _ = avenue
    print_before = open_dataset("avenue", root).fingerprint
    (root / "ground_truth_demo").mkdir()
    (root / "testing_label_mask").rename(root / "ground_truth_demo/testing_label_mask")
    assert open_dataset("avenue", root).fingerprint == print_before
    given = open_dataset("avenue", root, masks=root / "ground_truth_demo/testing_label_mask")
    assert given.own_masks
    assert given.fingerprint == print_before


def test_frames_as_images(avenue):
    root, _ = avenue
    for key, count in CLIPS.items():
        write_images(root / "testing/frames" / key, frames_of(count), "{:04d}.png")
    write_images(root / "training/frames/01", frames_of(2), "{}.png")
    dataset = open_dataset("avenue", root)
    np.testing.assert_array_equal(list(dataset.clip("01").read_frames()), frames_of(11))
    assert [(clip.id, clip.frames) for clip in dataset.training_clips] == [("01", 2)]


def test_frames_as_videos(avenue):
    root, _ = avenue
    for key, count in CLIPS.items():
        write_video(root / f"testing_videos/{key}.avi", np.full((count, HEIGHT, WIDTH), 100, np.uint8))
    write_video(root / "training_videos/01.avi", frames_of(7))
    assert avi_frame_count(root / "training_videos/01.avi") == 7
    dataset = open_dataset("avenue", root)
    frames = list(dataset.clip("02").read_frames())
    assert len(frames) == CLIPS["02"]
    assert frames[0].shape == (HEIGHT, WIDTH, 3)
    assert abs(int(frames[0].mean()) - 100) < 4
    assert [(clip.id, clip.frames) for clip in dataset.training_clips] == [("01", 7)]
    assert len(list(dataset.training_clips[0].read_frames())) == 7

    write_video(root / "testing_videos/01.avi", frames_of(3))
    failure("D202", lambda: list(open_dataset("avenue", root).clip("01").read_frames()))
    write_video(root / "testing_videos/01.avi", np.zeros((3, 32, 32), np.uint8))
    failure("D205", lambda: list(open_dataset("avenue", root).clip("01").read_frames()))
    (root / "training_videos/01.avi").write_bytes(b"RIFF")
    failure("D206", lambda: open_dataset("avenue", root))


def test_videos_without_opencv(avenue, monkeypatch):
    root, _ = avenue
    (root / "testing_videos").mkdir()
    for key in CLIPS:
        (root / f"testing_videos/{key}.avi").write_bytes(b"")
    dataset = open_dataset("avenue", root)
    real_import = builtins.__import__

    def without_opencv(name, *more, **options):
        if name == "cv2":
            raise ImportError(name)
        return real_import(name, *more, **options)

    monkeypatch.setattr(builtins, "__import__", without_opencv)
    error = failure("U115", lambda: list(dataset.clip("01").read_frames()))
    assert "vadbench[video]" in error.hint
    assert dataset.truth("01").frames == 11


def test_damaged_video(avenue):
    pytest.importorskip("cv2", reason="OpenCV is the extra [video]")
    root, _ = avenue
    (root / "testing_videos").mkdir()
    for key in CLIPS:
        (root / f"testing_videos/{key}.avi").write_bytes(b"")
    failure("D206", lambda: list(open_dataset("avenue", root).clip("01").read_frames()))


def test_part_of_the_clips_is_an_error_that_lists_the_rest(avenue):
    root, _ = avenue
    (root / "testing_label_mask/2_label.mat").unlink()
    assert "missing: 02" in failure("D201", lambda: open_dataset("avenue", root)).got


def test_wrong_folder(avenue):
    root, _ = avenue
    assert str(root) in failure("D200", lambda: open_dataset("avenue", root / "testing_label_mask")).hint
    (root / "empty").mkdir()
    failure("D218", lambda: open_dataset("avenue", root, masks=root / "empty"))


def cell_of(*masks):
    cell = np.empty((1, len(masks)), dtype=object)
    for index, mask in enumerate(masks):
        cell[0, index] = mask
    return cell


GOOD = np.zeros((HEIGHT, WIDTH), np.uint8)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"volLabel": cell_of(*[GOOD] * 3)}, "D203"),
        ({"volLabel": cell_of(*[GOOD] * 3, GOOD.T)}, "D205"),
        ({"volLabel": cell_of(*[GOOD] * 3, np.array(["text"]))}, "D215"),
        ({"volLabel": np.zeros((4, 4))}, "D215"),
        ({"other": 1}, "D215"),
        (b"", "D206"),
        (b"MATLAB 5.0 MAT-file" + bytes(200), "D206"),
        (b"\x89HDF\r\n\x1a\n" + bytes(200), "D206"),
        ("cut", "D206"),
    ],
)
def test_wrong_label_file(avenue, content, code):
    root, _ = avenue
    path = root / "testing_label_mask/2_label.mat"
    if content == "cut":
        path.write_bytes(path.read_bytes()[:300])
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        savemat(path, content)
    error = failure(code, lambda: open_dataset("avenue", root).truth("02"))
    assert error.where[:2] == (str(path), "clip 02")


def test_masks_that_are_not_finite(avenue):
    root, _ = avenue
    path = root / "testing_label_mask/2_label.mat"
    wrong = GOOD.astype(float)
    wrong[5, 7] = np.nan
    savemat(path, {"volLabel": cell_of(GOOD, wrong, GOOD, GOOD)})
    error = failure("D219", lambda: open_dataset("avenue", root).truth("02"))
    assert error.where == (str(path), "clip 02", "frame 1", "pixel (7, 5)")


def test_endings_in_capitals(avenue):
    root, _ = avenue
    known = open_dataset("avenue", root).fingerprint
    for path in (root / "testing_label_mask").iterdir():
        path.rename(path.with_suffix(".MAT"))
    assert open_dataset("avenue", root).fingerprint == known


def test_public_reader_of_one_file(avenue):
    root, truths = avenue
    masks = read_label_mat(root / "testing_label_mask/3_label.mat")
    np.testing.assert_array_equal(np.stack(masks) != 0, truths["03"])
