"""Given boxes: what is read, and how each mistake in a file is named."""

import time
from pathlib import Path

import numpy as np
import pytest

from baselines.tao.detection.boxes_csv import CsvDetector, read_boxes
from baselines.tao.detection.detector import Part
from baselines.tao.detection.settings import CsvDetectionSettings, DetectionSettings, make_detector
from vadbench import Clip, DataError, UsageError

HEADER = "clip,frame,x1,y1,x2,y2\n"
CLIPS = (Clip("01", 5, 40, 60), Clip("02", 3, 40, 60))


class Clips:
    """What a detector asks of a data set; no truth."""

    id = "clips"
    clips = CLIPS
    training_clips = (Clip("01", 8, 40, 60),)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "their_train.csv").write_text(HEADER + "01,7,1,2,3,4\n")
    (tmp_path / "their_test.csv").write_text(HEADER + "01,4,1,2,3,4\n02,0,5,5,6,6\n01,1,9,9,10,10\n01,1,2,2,3,3\n")
    (tmp_path / "README.txt").write_text("boxes")
    return tmp_path


def read(tmp_path, text):
    path = tmp_path / "boxes.csv"
    path.write_text(text)
    return read_boxes(path, CLIPS)


def failure(tmp_path, text):
    with pytest.raises(DataError) as error:
        read(tmp_path, text)
    assert error.value.code == "B208"
    assert error.value.where[0].endswith("boxes.csv")
    return error.value


def test_clips_of_both_parts_have_their_own_boxes(folder):
    detector = make_detector(DetectionSettings("boxes-csv", boxes_csv=CsvDetectionSettings(folder)), Clips())
    done = []
    test = detector.detect(CLIPS[0], Part.TEST, done.append)
    assert test.frames.tolist() == [1, 1, 4]
    assert test.boxes[:, 0].tolist() == [9, 2, 1]
    assert detector.detect(Clips.training_clips[0], Part.TRAINING).frames.tolist() == [7]
    assert done == [5]


def test_a_clip_that_no_line_names_has_no_boxes(folder):
    (folder / "their_test.csv").write_text(HEADER + "02,0,5,5,6,6\n")
    detector = CsvDetector(folder, Clips())
    assert len(detector.detect(CLIPS[0], Part.TEST)) == 0
    (folder / "their_test.csv").write_text(HEADER)
    assert len(CsvDetector(folder, Clips()).detect(CLIPS[1], Part.TEST)) == 0


def test_columns_are_found_by_name_and_others_ignored(tmp_path):
    text = "\ufeffscore,y2,x2,y1,x1,frame, clip\n0.9,4,3,2,1,2,01\n,40,60,0,0,0,02\n\n"
    tables = read(tmp_path, text)
    assert tables["01"].boxes.tolist() == [[1, 2, 3, 4]]
    assert tables["01"].frames.tolist() == [2]
    assert tables["02"].boxes.tolist() == [[0, 0, 60, 40]]


def test_boxes_are_cut_to_the_frame(tmp_path):
    assert read(tmp_path, HEADER + "01,0,-3.5,-1,99,40.5\n")["01"].boxes.tolist() == [[0, 0, 60, 40]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("01,0,1,2,3", "too few"),
        ("01,0,1,2,3,4,5", "too many"),
        ("01,0,1,two,3,4", "the y1 of"),
        ("01,0,1,nan,3,4", "the y1 of"),
        ("01,zero,1,2,3,4", "the frame of"),
        ("03,0,1,2,3,4", "unknown clip"),
        ("01,5,1,2,3,4", "no frame"),
        ("02,3,1,2,3,4", "no frame"),
        ("01,-1,1,2,3,4", "no frame"),
        ("01,1.5,1,2,3,4", "no frame"),
        ("01,0,3,2,1,4", "no area"),
        ("01,0,1,2,3,2", "no area"),
        ("01,0,60,2,63,4", "wholly outside"),
        ("01,0,1,-4,3,0", "wholly outside"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, message):
    error = failure(tmp_path, HEADER + "01,0,1,2,3,4\n" + line + "\n02,0,1,2,3,4\n")
    assert message in error.message
    assert error.where[1] == "line 3"


def test_an_unknown_clip_gets_the_nearest_name(tmp_path):
    assert 'did you mean "01"' in failure(tmp_path, HEADER + "1,0,1,2,3,4\n").hint


def test_frames_that_count_from_one_are_guessed(tmp_path):
    assert "0-based" in failure(tmp_path, HEADER + "02,3,1,2,3,4\n").hint


@pytest.mark.parametrize("header", ["", "clip,frame,x1,y1,x2\n", "clip,frame,x1,y1,x2,y2,x1\n", "01,0,1,2,3,4\n"])
def test_another_header_is_refused(tmp_path, header):
    assert "header" in failure(tmp_path, header).message


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "boxes.csv"
    path.write_bytes(HEADER.encode() + b"\xff\xff\n")
    with pytest.raises(DataError) as error:
        read_boxes(path, CLIPS)
    assert error.value.code == "B208"


def test_a_missing_and_a_second_file_are_refused(folder):
    (folder / "other_test.csv").write_text(HEADER)
    with pytest.raises(DataError) as error:
        CsvDetector(folder, Clips())
    assert error.value.code == "B207"
    assert error.value.got == "other_test.csv, their_test.csv"
    (folder / "other_test.csv").unlink()
    (folder / "their_train.csv").unlink()
    with pytest.raises(DataError) as error:
        CsvDetector(folder, Clips())
    assert error.value.expected == "one file *_train.csv"


def test_a_folder_that_is_not_given_or_not_there(tmp_path):
    for boxes in (None, tmp_path / "absent", Path(__file__)):
        with pytest.raises(UsageError) as error:
            make_detector(DetectionSettings("boxes-csv", boxes_csv=CsvDetectionSettings(boxes)), Clips())
        assert error.value.code == "B207"


def test_many_rows_are_read_fast(tmp_path):
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 30, (35_000, 2))
    lines = [f"01,{n % 5},{x},{y},{x + 9},{y + 9}\n" for n, (x, y) in enumerate(corners.tolist())]
    began = time.process_time()
    tables = read(tmp_path, HEADER + "".join(lines))
    assert time.process_time() - began < 1.5  # 0.15 s on an idle core
    assert len(tables["01"]) == 35_000
