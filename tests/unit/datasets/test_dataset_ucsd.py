from __future__ import annotations

import pickle
import shutil

import numpy as np
import pytest
from dataset_layouts import CLIPS, HEIGHT, WIDTH, frames_of, write_images, write_ucsd
from PIL import Image

from vadbench.datasets import open_dataset
from vadbench.errors import DataError, UsageError


def failure(code, call):
    with pytest.raises((DataError, UsageError)) as caught:
        call()
    assert caught.value.code == code
    return caught.value


def opened(root, name="ucsd-ped2", **more):
    return lambda: open_dataset(name, root, **more)


@pytest.mark.parametrize("common", [False, True])
@pytest.mark.parametrize("masks", ["bmp", "png"])
@pytest.mark.parametrize("frames", ["tif", "tiff", "bmp", "png", None])
def test_truth_is_what_was_written_in_every_layout(tmp_path, shrink, frames, masks, common):
    shrink("ucsd-ped2")
    truths = write_ucsd(tmp_path, frames=frames, masks=masks, common=common)
    dataset = open_dataset("ucsd-ped2", tmp_path)
    assert [(clip.id, clip.frames, clip.height, clip.width) for clip in dataset.clips] == [
        (key, count, HEIGHT, WIDTH) for key, count in CLIPS.items()
    ]
    assert dataset.track_source == "mask-overlap"
    assert dataset.tracks_fingerprint is None
    for key, masks_written in truths.items():
        truth = dataset.truth(key)
        np.testing.assert_array_equal(truth.masks(), masks_written)
        np.testing.assert_array_equal(truth.labels, masks_written.any(axis=(1, 2)))
    if frames is None:
        assert dataset.training_clips == ()
        assert failure("D210", dataset.clips[0].read_frames).where == ("clip 01",)
    else:
        assert [(clip.id, clip.frames) for clip in dataset.training_clips] == [("01", 5), ("02", 3)]
        for index, clip in enumerate(dataset.clips):
            np.testing.assert_array_equal(list(clip.read_frames()), frames_of(clip.frames, seed=index))


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "JPG"])
def test_jpeg_frames_keep_their_channels(tmp_path, shrink, suffix):
    shrink("ucsd-ped2")
    write_ucsd(tmp_path, frames=None)
    for key, count in CLIPS.items():
        write_images(
            tmp_path / "Test" / f"Test0{key}", np.full((count, HEIGHT, WIDTH, 3), 128, np.uint8), "{}." + suffix
        )
    frame = next(open_dataset("ucsd-ped2", tmp_path).clip("02").read_frames())
    assert frame.shape == (HEIGHT, WIDTH, 3)
    assert frame.dtype == np.uint8


def test_fingerprint_does_not_depend_on_layout_or_label_file(tmp_path, shrink):
    shrink("ucsd-ped2")
    prints = set()
    for number, options in enumerate([{}, {"common": True, "masks": "png"}, {"frames": None}, {"labels": False}]):
        write_ucsd(tmp_path / str(number), **options)
        prints.add(open_dataset("ucsd-ped2", tmp_path / str(number)).fingerprint)
    assert len(prints) == 1
    # One pixel more is another truth.
    path = tmp_path / "0/Test/Test001_gt/001.bmp"
    changed = np.zeros((HEIGHT, WIDTH), np.uint8)
    changed[0, 0] = 1
    Image.fromarray(changed).save(path)
    assert open_dataset("ucsd-ped2", tmp_path / "0").fingerprint not in prints


def test_pickled_data_set_is_small_and_reads_the_same(tmp_path, shrink):
    shrink("ucsd-ped2")
    write_ucsd(tmp_path)
    dataset = open_dataset("ucsd-ped2", tmp_path)
    blob = pickle.dumps(dataset)
    assert len(blob) < 10_000
    copy = pickle.loads(blob)  # noqa: S301 - our own bytes
    assert copy.fingerprint == dataset.fingerprint
    np.testing.assert_array_equal(list(copy.clips[1].read_frames()), list(dataset.clips[1].read_frames()))


def test_masks_elsewhere(tmp_path, shrink):
    shrink("ucsd-ped2")
    truths = write_ucsd(tmp_path / "set", common=True)
    for key in CLIPS:
        shutil.move(tmp_path / f"set/Test/Test0{key}_gt", tmp_path / "masks" / key)
    dataset = open_dataset("ucsd-ped2", tmp_path / "set", masks=tmp_path / "masks")
    assert dataset.own_masks
    np.testing.assert_array_equal(dataset.truth("03").masks(), truths["03"])
    assert "frame001.bmp" in {path.name for path in dataset.truth_files("02")}
    assert "UCSDped2.m" in {path.name for path in dataset.truth_files("02")}


def test_labels_alone_are_enough(tmp_path, shrink):
    shrink("ucsd-ped2")
    truths = write_ucsd(tmp_path, frames=None, masks=None)
    truth = open_dataset("ucsd-ped2", tmp_path).truth("01")
    assert truth.mask_runs is None
    np.testing.assert_array_equal(truth.labels, truths["01"].any(axis=(1, 2)))


@pytest.mark.parametrize("labels", [True, False])
def test_ped1_has_masks_for_some_clips(tmp_path, shrink, labels):
    shrink("ucsd-ped1", mask_clips=("02",))
    truths = write_ucsd(tmp_path, name="UCSDped1", mask_clips=("02",), labels=labels)
    dataset = open_dataset("ucsd-ped1", tmp_path)
    assert [dataset.truth(key).mask_runs is not None for key in CLIPS] == [False, True, False]
    if labels:
        np.testing.assert_array_equal(dataset.truth("01").labels, truths["01"].any(axis=(1, 2)))
    else:
        assert dataset.truth("01").labels is None
        assert dataset.truth("02").labels is not None
    assert dataset.truth("01").tracks() is None


def test_ped1_takes_more_masks_than_the_official_ones(tmp_path, shrink):
    shrink("ucsd-ped1", mask_clips=("02",))
    write_ucsd(tmp_path, name="UCSDped1")
    dataset = open_dataset("ucsd-ped1", tmp_path)
    assert all(dataset.truth(key).mask_runs is not None for key in CLIPS)


def test_hidden_files_do_not_count(tmp_path, shrink):
    shrink("ucsd-ped2")
    write_ucsd(tmp_path)
    (tmp_path / "Test/Test001_gt/._001.bmp").write_bytes(b"resource fork")
    (tmp_path / "Test/Test001/.DS_Store").write_bytes(b"")
    (tmp_path / "Test/Test001/Thumbs.db").write_bytes(b"")
    assert open_dataset("ucsd-ped2", tmp_path).truth("01").frames == 11


@pytest.mark.parametrize("mode", ["P", "RGB", "RGBA", "1", "LA"])
def test_masks_of_any_mode(tmp_path, shrink, mode):
    shrink("ucsd-ped2")
    truths = write_ucsd(tmp_path, masks="png")
    for path in (tmp_path / "Test/Test002_gt").iterdir():
        with Image.open(path) as image:
            converted = image.convert(mode) if mode != "P" else image.convert("RGB").quantize(2)
        converted.save(path)
    np.testing.assert_array_equal(open_dataset("ucsd-ped2", tmp_path).truth("02").masks(), truths["02"])


# What can be wrong: each case breaks one thing in a good copy.


@pytest.fixture
def ped2(tmp_path, shrink):
    shrink("ucsd-ped2")
    root = tmp_path / "UCSD_Anomaly_Dataset.v1p2" / "UCSDped2"
    write_ucsd(root)
    return root


def test_parent_and_child_of_the_right_folder(ped2):
    for wrong in (ped2.parent, ped2.parent.parent, ped2 / "Test"):
        error = failure("D200", opened(wrong))
        assert str(ped2) in error.hint


def test_empty_folder_shows_the_layout(tmp_path):
    error = failure("D200", opened(tmp_path))
    assert error.got == "an empty folder"
    assert "Test001_gt" in error.hint


def test_absent_folder(tmp_path):
    assert failure("U113", opened(tmp_path / "nowhere")).where == (str(tmp_path / "nowhere"),)


@pytest.mark.parametrize("folder", ["Test/Test002", "Test/Test002_gt", "Train/Train002"])
def test_missing_clip(ped2, folder):
    shutil.rmtree(ped2 / folder)
    assert "missing: 02" in failure("D201", opened(ped2)).got


def test_clip_of_another_data_set(ped2):
    shutil.copytree(ped2 / "Test/Test001", ped2 / "Test/Test013")
    assert "13" in failure("D201", opened(ped2)).got


@pytest.mark.parametrize(
    ("file", "code"),
    [("Test/Test001/005.tif", "D202"), ("Test/Test001_gt/005.bmp", "D203"), ("Train/Train001/005.tif", "D202")],
)
def test_missing_and_surplus_file(ped2, file, code):
    path = ped2 / file
    path.unlink()
    error = failure(code, opened(ped2))
    assert "clip 01" in error.where
    assert "1 missing" in error.hint
    for name in ("998", "999"):
        shutil.copy(path.with_stem("001"), path.with_stem(name))
    assert "1 too many" in failure(code, opened(ped2)).hint


def test_copy_of_a_file_is_named(ped2):
    shutil.copy(ped2 / "Test/Test001/001.tif", ped2 / "Test/Test001/001 (1).tif")
    error = failure("D202", opened(ped2))
    assert '"001 (1).tif"' in error.hint
    # In place of another file it keeps the number, and is found by its name.
    (ped2 / "Test/Test001/005.tif").unlink()
    error = failure("D221", opened(ped2))
    assert error.got == '"001 (1).tif"'
    assert error.where == (str(ped2 / "Test/Test001"), "clip 01", "frame 0")


@pytest.mark.parametrize(("folder", "other"), [("Test001", "Test001_gt"), ("Test001_gt", "Test001")])
@pytest.mark.parametrize("missing", ["005", "002"])
def test_masks_one_frame_off(ped2, folder, other, missing):
    path = next((ped2 / "Test" / folder).glob(f"{missing}.*"))
    path.rename(path.with_stem("999"))
    error = failure("D221", opened(ped2))
    assert error.where == (str(ped2 / "Test/Test001_gt"), "clip 01", f"frame {int(missing) - 1}")
    assert str(ped2 / "Test/Test001") in error.expected
    # The other way round each has its own fault, in the same place: they fit again.
    path = next((ped2 / "Test" / other).glob(f"{missing}.*"))
    path.rename(path.with_stem("999"))
    opened(ped2)()


def test_masks_alone_with_a_gap(ped2):
    for key in CLIPS:
        shutil.rmtree(ped2 / f"Test/Test0{key}")
    path = ped2 / "Test/Test002_gt/frame003.bmp"
    path.rename(path.with_stem("frame009"))
    error = failure("D221", opened(ped2))
    assert error.where == (str(path.parent), "clip 02", "frame 2")
    assert (error.expected, error.got) == ('3 after "frame002.bmp"', '"frame004.bmp"')


@pytest.mark.parametrize("pattern", ["{:d}.bmp", "mask_{:05d}.BMP", "{:d}_gt.png", "a.{:d}.png"])
def test_numbers_with_a_constant_offset_or_none(ped2, pattern):
    truth = open_dataset("ucsd-ped2", ped2).truth("01").masks()
    shutil.rmtree(ped2 / "Test/Test001_gt")
    write_images(ped2 / "Test/Test001_gt", truth, pattern, first=400)
    np.testing.assert_array_equal(open_dataset("ucsd-ped2", ped2).truth("01").masks(), truth)


def test_links_that_lead_nowhere(ped2):
    frame, mask = ped2 / "Test/Test001/002.tif", ped2 / "Test/Test002_gt/frame002.bmp"
    for path in (frame, mask):
        path.unlink()
        path.symlink_to("/mnt/not here")
    dataset = open_dataset("ucsd-ped2", ped2)
    for path, read in (
        (frame, lambda: list(dataset.clip("01").read_frames())),
        (mask, lambda: dataset.truth("02")),
    ):
        error = failure("D206", read)
        assert error.where[0] == str(path)
        assert error.where[2] == "frame 1"
        assert "link" in error.message
        assert "/mnt/not here" in error.got
    shutil.rmtree(ped2 / "Test/Test003")
    (ped2 / "Test/Test003").symlink_to("/mnt/not here")
    assert "lead nowhere: Test003" in failure("D201", opened(ped2)).hint


def test_one_is_singular(tmp_path, shrink):
    shrink("ucsd-ped2", clips={"01": 1}, mask_clips=("01",), training_clips={})
    write_images(tmp_path / "Test/Test001", frames_of(2), "{}.tif")
    error = failure("D202", opened(tmp_path))
    assert (error.expected, error.got) == ("1 frame", "2 frames")


def test_empty_clip_and_lossy_masks(ped2):
    for path in (ped2 / "Test/Test003_gt").iterdir():
        with Image.open(path) as image:
            image.save(path.with_suffix(".jpg"))
        path.unlink()
    error = failure("D204", opened(ped2))
    assert (error.expected, error.got) == ("*.bmp *.png", "6 of *.jpg")
    assert "JPEG" in error.hint
    for path in (ped2 / "Test/Test003_gt").iterdir():
        path.unlink()
    assert failure("D204", opened(ped2)).where[1] == "clip 03"


def test_the_same_clip_twice(ped2):
    shutil.copytree(ped2 / "Test/Test001_gt", ped2 / "Test/Test0001_gt")
    assert "Test0001_gt" in failure("D209", opened(ped2)).got


def test_folder_of_masks_without_masks(ped2, tmp_path):
    (tmp_path / "other").mkdir()
    failure("D218", opened(ped2, masks=tmp_path / "other"))
    failure("U113", opened(ped2, masks=tmp_path / "nowhere"))


def test_mask_of_another_size(ped2):
    Image.new("L", (WIDTH, HEIGHT + 1)).save(ped2 / "Test/Test001_gt/003.bmp")
    error = failure("D205", lambda: open_dataset("ucsd-ped2", ped2).truth("01"))
    assert error.where[1:] == ("clip 01", "frame 2")
    assert (error.expected, error.got) == ("12 rows x 16 columns", "13 rows x 16 columns")


@pytest.mark.parametrize("content", [b"", b"not an image", "cut"])
def test_damaged_mask(ped2, content):
    path = ped2 / "Test/Test002_gt/frame004.bmp"
    path.write_bytes(path.read_bytes()[:100] if content == "cut" else content)
    error = failure("D206", lambda: open_dataset("ucsd-ped2", ped2).truth("02"))
    assert error.where == (str(path), "clip 02", "frame 3")


def test_damaged_and_wrong_frames(ped2):
    Image.new("I;16", (WIDTH, HEIGHT)).save(ped2 / "Test/Test001/002.tif")
    failure("D220", lambda: list(open_dataset("ucsd-ped2", ped2).clip("01").read_frames()))
    (ped2 / "Test/Test001/002.tif").write_bytes(b"II*\0")
    failure("D206", lambda: list(open_dataset("ucsd-ped2", ped2).clip("01").read_frames()))
    Image.new("L", (1, 1)).save(ped2 / "Test/Test001/001.tif")
    failure("D205", lambda: list(open_dataset("ucsd-ped2", ped2).clip("01").read_frames()))


def test_files_that_vanish_after_opening(ped2):
    dataset = open_dataset("ucsd-ped2", ped2)
    (ped2 / "Test/Test001_gt/001.bmp").unlink()
    failure("D203", lambda: dataset.truth("01"))
    shutil.rmtree(ped2 / "Test/Test001_gt")
    failure("D206", lambda: dataset.truth("01"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("TestVideoFile = {};", "D207"),
        ("TestVideoFile{end+1}.gt_frame = [1:a];" * 3, "D207"),
        ("TestVideoFile{end+1}.gt_frame = [0:3];" * 3, "D207"),
        ("TestVideoFile{end+1}.gt_frame = [4:3];" * 3, "D207"),
        ("TestVideoFile{2}.gt_frame = [1:2];" * 3, "D207"),
        ("TestVideoFile{end+1}.gt_frame = [1:2];" * 2, "D208"),
        ("TestVideoFile{end+1}.gt_frame = [1:12];" * 3, "D208"),
        ("gt\xff", "D206"),
    ],
)
def test_wrong_label_file(ped2, text, code):
    path = ped2 / "Test/UCSDped2.m"
    path.write_bytes(text.encode("latin-1"))
    assert failure(code, lambda: open_dataset("ucsd-ped2", ped2).truth("01")).where[0] == str(path)


def test_label_file_with_several_ranges_comments_and_none(ped2):
    (ped2 / "Test/UCSDped2.m").write_text(
        "% TestVideoFile{end+1}.gt_frame = [1:9];\nTestVideoFile = {};\n"
        "TestVideoFile{end+1}.gt_frame = [2:3, 5 : 6 9];  % two riders\n"
        "TestVideoFile{end+1}.gt_frame = [];\nTestVideoFile{end+1}.gt_frame = 1:6;\n"
    )
    dataset = open_dataset("ucsd-ped2", ped2)
    assert np.flatnonzero(dataset.truth("01").labels).tolist() == [1, 2, 4, 5, 8]
    assert not dataset.truth("02").labels.any()
    assert dataset.truth("03").labels.all()


def test_comments_of_a_label_file_may_be_in_any_encoding(ped2):
    path = ped2 / "Test/UCSDped2.m"
    known = open_dataset("ucsd-ped2", ped2).fingerprint
    # 0x85 ends a line in Latin-1, for Python, and what is behind it would be read as a statement.
    path.write_bytes(b"\xef\xbb\xbf% Velo \xe9\x85 gt_frame\n" + path.read_bytes())
    assert open_dataset("ucsd-ped2", ped2).fingerprint == known
    path.write_bytes(path.read_bytes() + "\nTestVideoFile{end+1}.gt_frame = [1:2\xe9];".encode("latin-1"))
    error = failure("D206", lambda: open_dataset("ucsd-ped2", ped2).truth("01"))
    assert error.where == (str(path), "line 7")


def test_unknown_clip(ped2):
    assert '"02"' in failure("U110", lambda: open_dataset("ucsd-ped2", ped2).truth("002")).hint


def test_other_ucsd_set_is_recognised(tmp_path):
    for number in range(1, 13):
        write_images(tmp_path / f"Test/Test{number:03d}", frames_of(1), "{}.png")
    assert "ucsd-ped2" in failure("D201", opened(tmp_path, "ucsd-ped1")).hint


def test_labels_go_by_number_beyond_a_hundred_clips(tmp_path):
    # By code point, clip 100 comes before clip 11; in the label file it comes after 99.
    for number in range(1, 102):
        write_images(tmp_path / f"Test/Test{number:03d}_gt", np.full((2, 3, 4), number == 100), "{}.png")
    lines = ["TestVideoFile{end+1}.gt_frame = [" + ("1:2" if number == 100 else "") + "];" for number in range(1, 102)]
    (tmp_path / "Test/synthetic.m").write_text("\n".join(lines))
    dataset = open_dataset("synthetic", tmp_path)
    assert [clip.id for clip in dataset.clips][10:13] == ["100", "101", "11"]
    assert [clip.id for clip in dataset.clips if dataset.truth(clip.id).labels.any()] == ["100"]
