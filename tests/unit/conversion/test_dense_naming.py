"""Which clip a name means."""

from __future__ import annotations

import re

import numpy as np
import pytest

from vadbench.conversion.clip_files import find_clip_files
from vadbench.conversion.clip_naming import ClipPattern, match_clips
from vadbench.conversion.dataset_clips import DatasetPart
from vadbench.conversion.folder_levels import clips_further_below
from vadbench.datasets.base import Clip
from vadbench.errors import ConversionError, UsageError


def clips(*ids):
    return tuple(Clip(clip_id, 10, 4, 6) for clip_id in ids)


@pytest.mark.parametrize(
    ("names", "dataset_id", "ids"),
    [
        (["Test001", "Test002"], "ucsd-ped2", ["01", "02"]),
        (["Test001_gt", "Test002_gt"], "ucsd-ped1", ["01", "02"]),
        (["1", "2"], "avenue", ["01", "02"]),
        (["1_label", "2_label"], "avenue", ["01", "02"]),
        (["01_0014", "1_15"], "shanghaitech", ["01_0014", "01_0015"]),
        (["1", "01"], "folder", ["01", "1"]),
    ],
)
def test_names_of_the_data_sets(names, dataset_id, ids):
    assert sorted(match_clips(names, clips(*ids), dataset_id).items()) == sorted(
        zip(ids if dataset_id != "folder" else names, names, strict=True)
    )


@pytest.mark.parametrize(
    ("names", "dataset_id", "facts"),
    [
        (["01", "Test001", "02"], "ucsd-ped2", ['clip 01 twice: "01", "Test001"', "move one of the two away"]),
        (["01"], "ucsd-ped2", ['no file of "02"', "every clip must be there"]),
        (["0", "1"], "ucsd-ped2", ['no clip of the data set: "0"', "not from 0"]),
        (["01", "02", "mean"], "ucsd-ped2", ['"mean"', "move what does not belong"]),
        (["a", "b"], "ucsd-ped2", ['"a", "b"', "--clip-pattern"]),
        (["1", "2"], "folder", ['no file of "01", "02"', "did you mean"]),
    ],
)
def test_one_error_names_all_that_is_wrong(names, dataset_id, facts):
    with pytest.raises(ConversionError) as caught:
        match_clips(names, clips("01", "02"), dataset_id, where="scores")
    assert caught.value.code == "C101"
    for fact in facts:
        assert fact in str(caught.value)


def test_training_clips_are_no_test_clips_nor_the_reverse():
    both = clips("01", "02")
    names = ["Train001", "train_02"]
    assert match_clips(names, both, "ucsd-ped2", part=DatasetPart.TRAINING) == {"01": "Train001", "02": "train_02"}
    for own, part in ((names, DatasetPart.TEST), (["Test001", "Test002"], DatasetPart.TRAINING)):
        with pytest.raises(ConversionError) as caught:
            match_clips(own, both, "ucsd-ped2", part=part)
        other = "training" if part is DatasetPart.TEST else "test"
        assert (caught.value.code, f"--part {other}" in caught.value.hint) == ("C101", True)


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["Test 001", "Test 002"], ["01", "02"]),
        (["Test001.mp4", "Test002.mp4"], ["01", "02"]),
        (["v2 01_0014.avi", "v2 01_0015.avi"], ["01_0014", "01_0015"]),
    ],
)
def test_the_pattern_that_is_suggested_works(names, ids):
    with pytest.raises(ConversionError) as caught:
        match_clips(names, clips(*ids), "ucsd-ped2")
    pattern = ClipPattern.parse(re.search(r"--clip-pattern '(.*?)'", caught.value.hint)[1])
    found = [pattern.split(name)[0] for name in names]
    assert match_clips(found, clips(*ids), "ucsd-ped2") == dict(zip(ids, found, strict=True))


def test_a_pattern_that_would_not_fit_into_provenance():
    with pytest.raises(UsageError, match="too long"):
        ClipPattern.parse("(?P<clip>" + "x" * 500 + ")")


@pytest.mark.parametrize("names", [["01.txt"], ["Test001.npy", "Test002.npy"], ["01/0.png", "02/0.png"]])
def test_clips_that_lie_further_below(tmp_path, names):
    folder_of(tmp_path, *(f"test/{name}" for name in names))
    assert clips_further_below(tmp_path, clips("01", "02"), "ucsd-ped2") == tmp_path / "test"
    folder_of(tmp_path, "test/mean.npy")
    assert clips_further_below(tmp_path, clips("01", "02"), "ucsd-ped2") is None


def test_ansi_in_a_name_is_escaped():
    with pytest.raises(ConversionError) as caught:
        match_clips(["\x1b[31mred"], clips("01"), "ucsd-ped2")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("text", ["(", r"(\d+)", r"(?P<clip>\d+)(?P<other>x)", r"(?P<frame>\d+)"])
def test_patterns_that_are_none(text):
    with pytest.raises(UsageError) as caught:
        ClipPattern.parse(text)
    assert caught.value.code == "U210"
    assert "--clip-pattern" in caught.value.hint


def test_a_pattern_whose_frame_is_no_number():
    with pytest.raises(UsageError, match="must match a number"):
        ClipPattern.parse(r"(?P<clip>\d+)/(?P<frame>.*)").split("01/x7")


def folder_of(tmp_path, *paths):
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"")
    return tmp_path


def found(tmp_path, pattern=None, *, frame_files=False):
    own = None if pattern is None else ClipPattern.parse(pattern)
    files = find_clip_files(tmp_path, (".npy",), own, what="arrays", frame_files=frame_files)
    return {name: [path.relative_to(tmp_path).as_posix() for path in one.paths] for name, one in files.items()}


def test_frames_are_in_order_of_their_number(tmp_path):
    folder_of(tmp_path, *(f"01/score_{n}_x2.npy" for n in (10, 9, 8)), "01/.hidden.npy", "01/note.txt")
    assert found(tmp_path) == {"01": [f"01/score_{n}_x2.npy" for n in (8, 9, 10)]}


def test_patterns_reach_below(tmp_path):
    folder_of(tmp_path, "a/Test1/7.npy", "a/Test1/8.npy", "a/Test2/1.npy")
    assert found(tmp_path, r"a/Test(?P<clip>\d+)/(?P<frame>\d+)") == {
        "1": ["a/Test1/7.npy", "a/Test1/8.npy"],
        "2": ["a/Test2/1.npy"],
    }


@pytest.mark.parametrize(
    ("paths", "pattern", "code", "fact"),
    [
        (["01/0.npy", "01/2.npy"], None, "C103", "none for 1"),
        (["01/0.npy", "01/5.npy", "01/10.npy"], None, "C103", "only every 5th frame"),
        (["01/1.npy", "01/01.npy", "01/2.npy"], None, "C103", "two files are frame 1"),
        (["01/1.npy", "01/2.npy", "01/mean.npy"], None, "C102", '"mean.npy" unlike the rest'),
        (["01/1_1.npy", "01/2_2.npy"], None, "C102", "--clip-pattern"),
        (["01.npy", "02/1.npy"], None, "C102", "files and folders"),
        (["x.txt"], None, "C102", '".txt"'),
        ([], None, "C102", "no such file"),
        (["01_1.npy", "x.npy"], r"(?P<clip>\d+)_(?P<frame>\d+)", "C102", '"x"; the other 1 match'),
        (["01_1.npy", "01_2.npy"], r"(?P<clip>\d+)_\d", "C102", r"(?P<frame>\d+)"),
        (["01_1.npy", "01_3.npy"], r"(?P<clip>\d+)_(?P<frame>\d+)", "C103", "none for 2"),
    ],
)
def test_folders_that_are_not_clear(tmp_path, paths, pattern, code, fact):
    with pytest.raises(ConversionError) as caught:
        found(folder_of(tmp_path, *paths), pattern)
    assert caught.value.code == code
    assert fact in str(caught.value)


def test_images_beside_each_other_need_a_pattern(tmp_path):
    with pytest.raises(ConversionError, match="which clip each is"):
        found(folder_of(tmp_path, "01_1.npy"), frame_files=True)


def test_there_must_be_a_folder(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(3))
    for path, word in ((tmp_path / "none", "nothing"), (tmp_path / "x.npy", "a folder")):
        with pytest.raises(UsageError, match=word) as caught:
            find_clip_files(path, (".npy",), None, what="arrays")
        assert caught.value.code == "U216"


def test_links_in_a_circle_come_to_an_end(tmp_path):
    folder_of(tmp_path, "01/1.npy")
    (tmp_path / "01" / "again").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(ConversionError):
        found(tmp_path, r"(?P<clip>\d+)/(?P<frame>\d+)")
