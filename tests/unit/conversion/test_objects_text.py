"""AED text and the CSV of boxes: what is read, and one clear message for each way to be wrong."""

from __future__ import annotations

import time

import numpy as np
import pytest

from vadbench.conversion.clip_naming import ClipPattern
from vadbench.conversion.objects.aed_text import AedSource
from vadbench.conversion.objects.boxes_csv import BoxesCsv
from vadbench.conversion.objects.rows import BoxRules, Corners, NumberType
from vadbench.conversion.source import Timing
from vadbench.datasets.base import Clip
from vadbench.errors import ConversionError, UsageError

CLIP = Clip("01", 10, 48, 64)
INCLUSIVE, HALF_OPEN = BoxRules(Corners.INCLUSIVE), BoxRules(Corners.HALF_OPEN)
HEADER = "clip,frame,x1,y1,x2,y2,score\n"


def aed(folder, text, rules=INCLUSIVE, timing=None):
    (folder / "01.txt").write_text(text, encoding="utf-8")
    source = AedSource(folder, rules)
    return source, source.prediction("01", CLIP, timing or Timing()).detections


def boxes_csv(folder, text, rules=HALF_OPEN, name="01"):
    (folder / "boxes.csv").write_text(text, encoding="utf-8")
    source = BoxesCsv(folder / "boxes.csv", rules)
    return source, source.prediction(name, CLIP, Timing()).detections


def test_rows_become_detections_in_order_of_frame(tmp_path):
    _, rows = aed(tmp_path, "3,1,2,3,4,0.5\n0, 0 ,0,0,0,1e-3\n\n3,5,6,7.5,8,-2 # late\n")
    assert rows.frames.tolist() == [0, 3, 3]
    assert rows.boxes.tolist() == [[0, 0, 1, 1], [1, 2, 4, 5], [5, 6, 8.5, 9]]
    assert rows.scores.tolist() == [0.001, 0.5, -2.0]
    assert rows.scores.dtype == rows.boxes.dtype == np.float64


def test_what_np_savetxt_writes_is_read(tmp_path):
    given = np.array([[2, 1, 2, 3, 4, 0.1], [9, 0, 0, 63, 47, 2 / 3]])
    np.savetxt(tmp_path / "01.txt", given, delimiter=",", header="frame,x1,y1,x2,y2,score")
    rows = AedSource(tmp_path, INCLUSIVE).prediction("01", CLIP, Timing()).detections
    assert rows.frames.tolist() == [2, 9]
    assert rows.scores.tolist() == given[:, 5].tolist()
    assert rows.boxes[1].tolist() == [0, 0, 64, 48]


def test_half_open_corners_stay_and_windows_line_ends_are_read(tmp_path):
    _, rows = aed(tmp_path, "\ufeff0,1,2,3,4,1\r\n", HALF_OPEN)
    assert rows.boxes.tolist() == [[1, 2, 3, 4]]


def test_float32_numbers_come_back_as_they_were(tmp_path):
    score, corner = np.float32(0.1), np.float32(221.65509) / 10
    _, rows = aed(tmp_path, f"0,1,2,{corner},4,{score}\n", BoxRules(dtype=NumberType.FLOAT32))
    assert rows.scores.dtype == rows.boxes.dtype == np.float32
    assert (rows.scores[0], rows.boxes[0, 2]) == (score, corner)


@pytest.mark.parametrize("text", ["", "\n  \n", "# frame,x1,y1,x2,y2,score\n"])
def test_an_empty_file_is_a_clip_without_a_finding(tmp_path, text):
    _, rows = aed(tmp_path, text)
    assert len(rows.frames) == 0
    assert rows.boxes.shape == (0, 4)


def test_frames_are_moved(tmp_path):
    _, rows = aed(tmp_path, "1,1,2,3,4,1\n10,1,2,3,4,2\n", timing=Timing(frame_offset=-1))
    assert rows.frames.tolist() == [0, 9]


def test_boxes_are_cut_where_this_is_said_and_counted(tmp_path):
    text = "0,-3,-1,5,5,1\n1,60,40,70,50,1\n2,1,1,2,2,1\n"
    source, rows = aed(tmp_path, text, BoxRules(Corners.INCLUSIVE, clip_to_frame=True))
    assert rows.boxes.tolist() == [[0, 0, 6, 6], [60, 40, 64, 48], [1, 1, 3, 3]]
    assert source.record()["boxes_cut_at_the_frame"] == 2
    assert source.record()["corners"] == "inclusive"


def test_a_constant_score(tmp_path):
    source, rows = aed(tmp_path, "0,1,2,3,4\n1,1,2,3,4\n", BoxRules(constant_score=1.0))
    assert rows.scores.tolist() == [1.0, 1.0]
    assert source.record()["constant_score"] == 1.0


AED_FAULTS = {
    "non-numeric field": ("0,1,2,3,4,1\n1,1,two,3,4,1\n", "C152", "line 2", "y1"),
    "header": ("frame,x1,y1,x2,y2,score\n0,1,2,3,4,1\n", "C152", "line 1", "no header"),
    "NaN score": ("0,1,2,3,4,nan\n", "C152", "line 1", "score"),
    "infinite corner": ("0,1,2,inf,4,1\n", "C152", "line 1", "x2"),
    "thousands": ("0,1,2,3,4,1_000\n", "C152", "line 1", '"1_000"'),
    "digits of another script": ("0,1,2,3,4,١\n", "C152", "line 1", "score"),
    "fraction of a frame": ("0.5,1,2,3,4,1\n", "C152", "line 1", "whole number"),
    "huge frame": ("1e30,1,2,3,4,1\n", "C152", "line 1", "whole number"),
    "five fields": ("0,1,2,3,4\n", "C151", "line 1", "--constant-score"),
    "seven fields": ("0,1,2,3,4,1\n0,7,1,2,3,4,1\n", "C151", "line 2", "7 in"),
    "blanks": ("0 1 2 3 4 1\n", "C151", "line 1", "commas"),
    "semicolons": ("0;1;2;3;4;1\n", "C151", "line 1", "not semicolons"),
    "frames from 1": ("1,1,2,3,4,1\n10,1,2,3,4,1\n", "C106", "line 2", "--frame-offset -1"),
    "frame far outside": ("0,1,2,3,4,1\n99,1,2,3,4,1\n", "C106", "line 2", "99"),
    "inverted": ("0,5,2,3,4,1\n", "C154", "line 1", "wrong way round"),
    "width and height": ("0,40,30,10,12,1\n", "C154", "line 1", "width and height"),
    "outside": ("0,1,2,70,4,1\n", "C155", "line 1", "--clip-to-frame"),
    "half-open after all": ("0,1,2,64,48,1\n", "C155", "line 1", "--corners half-open"),
    "swapped": ("0,1,2,40,60,1\n", "C155", "line 1", "swapped"),
    "another frame size": ("0,1,2,300,200,1\n", "C155", "line 1", "another frame size"),
    "negative": ("0,-1,2,3,4,1\n", "C155", "line 1", "x1 -1"),
    "quotes": ('"0","1","2","3","4","1"\n', "C152", "line 1", "without quotes"),
    "comma at the end": ("0,1,2,3,4,1,\n", "C151", "line 1", "one too many"),
    "empty field": ("0,1,2,3,,1\n", "C152", "line 1", "every row"),
}


@pytest.mark.parametrize("fault", AED_FAULTS)
def test_a_wrong_aed_file_is_one_clear_message(tmp_path, fault):
    text, code, line, word = AED_FAULTS[fault]
    with pytest.raises(ConversionError) as caught:
        aed(tmp_path, text)
    assert caught.value.code == code, caught.value
    assert line in " · ".join(caught.value.where)
    assert "01.txt" in " · ".join(caught.value.where)
    assert word in caught.value.block()


@pytest.mark.parametrize("row", ["0,-1,2,10,12,0.5\n", "0,-1,2,40,60,1\n", "0,-1,2,30,40,1\n"])
def test_a_box_that_begins_before_the_frame_is_not_called_swapped(tmp_path, row):
    with pytest.raises(ConversionError) as caught:
        aed(tmp_path, row)
    assert caught.value.code == "C155"
    assert "swapped" not in caught.value.hint


def test_wrong_rules(tmp_path):
    with pytest.raises(ConversionError, match="outside the frame") as caught:
        aed(tmp_path, "0,1,2,3,4,1\n1,70,2,80,4,1\n", BoxRules(Corners.INCLUSIVE, clip_to_frame=True))
    assert caught.value.code == "C154"
    with pytest.raises(ConversionError, match="has scores"):
        aed(tmp_path, "0,1,2,3,4,1\n", BoxRules(constant_score=1.0))
    with pytest.raises(ConversionError, match="inclusive corners"):
        aed(tmp_path, "0,1,2,1,4,1\n", HALF_OPEN)
    with pytest.raises(ConversionError, match="float32 cannot hold"):
        aed(tmp_path, "0,1,2,3,4,1e300\n", BoxRules(dtype=NumberType.FLOAT32))
    with pytest.raises(UsageError) as wrong:
        BoxRules(constant_score=float("nan"))
    assert wrong.value.code == "U220"


def test_files_that_cannot_be_read(tmp_path):
    row = "0,1,2,3,4,1\n"
    for content in (b"0,1,2,3,4,\xff\n", row.encode("utf-16"), row.encode("utf-16-le"), row.encode("utf-16-be")):
        (tmp_path / "01.txt").write_bytes(content)
        with pytest.raises(ConversionError) as caught:
            AedSource(tmp_path, INCLUSIVE).prediction("01", CLIP, Timing())
        assert caught.value.code == "C150"
        assert "save the file as UTF-8" in caught.value.hint
    with pytest.raises(UsageError):
        AedSource(tmp_path / "none", INCLUSIVE)
    (tmp_path / "frames" / "01").mkdir(parents=True)
    for frame in (0, 1):
        (tmp_path / "frames" / "01" / f"{frame}.txt").write_text("0,1,2,3,4,1\n")
    with pytest.raises(ConversionError, match="one file for each clip"):
        AedSource(tmp_path / "frames", INCLUSIVE)


def test_names_by_pattern(tmp_path):
    (tmp_path / "det_01_final.txt").write_text("0,1,2,3,4,1\n")
    source = AedSource(tmp_path, INCLUSIVE, ClipPattern.parse(r"det_(?P<clip>\d+)_final"))
    assert source.clip_names == ("01",)


def test_a_csv_holds_all_clips_in_any_order(tmp_path):
    text = "score,clip,frame,x1,y1,x2,y2,object\n0.5,01,3,1,2,3,4,7\n9,02,0,1,2,3,4,0\n\n0.25,01,0,0,0,64,48,8\n"
    source, rows = boxes_csv(tmp_path, text)
    assert source.clip_names == ("01", "02")
    assert rows.frames.tolist() == [0, 3]
    assert rows.scores.tolist() == [0.25, 0.5]
    assert rows.objects.tolist() == [8, 7]
    empty = source.empty(CLIP).detections
    assert (len(empty.frames), len(empty.objects)) == (0, 0)
    assert "clip without rows" in source.missing_clip_hint


def test_a_csv_without_scores_needs_a_constant(tmp_path):
    text = "clip,frame,x1,y1,x2,y2\n01,0,1,2,3,4\n"
    _, rows = boxes_csv(tmp_path, text, BoxRules(constant_score=2.5))
    assert rows.scores.tolist() == [2.5]


CSV_FAULTS = {
    "empty": ("", "C156", "empty"),
    "no header": ("01,0,1,2,3,4,1\n", "C156", "must name the columns"),
    "missing column": ("clip,frame,x1,y1,x2,score\n01,0,1,2,3,1\n", "C156", "missing: y2"),
    "unknown column": ("clip,frame,x1,y1,x2,y2,scores\n01,0,1,2,3,4,1\n", "C156", '"score"'),
    "column twice": ("clip,frame,frame,x1,y1,x2,y2\n", "C156", "twice"),
    "no scores": ("clip,frame,x1,y1,x2,y2\n01,0,1,2,3,4\n", "C157", "--constant-score 1.0"),
    "no rows": (HEADER, "C158", "no rows"),
    "no clip": (HEADER + "01,0,1,2,3,4,1\n,0,1,2,3,4,1\n", "C158", "line 3"),
    "fewer fields": (HEADER + "01,0,1,2,3,4\n", "C151", "line 2"),
    "more fields": (HEADER + "01,0,1,2,3,4,1\n01,0,1,2,3,4,1,1\n", "C151", "line 3"),
    "text": (HEADER + "01,0,1,2,3,4,high\n", "C152", '"high"'),
    "open quote": (HEADER + '01,0,1,2,3,4,"1\n', "C150", "CSV"),
    "outside": (HEADER + "01,0,1,2,65,4,1\n", "C155", "line 2"),
    "frame": (HEADER + "01,10,1,2,3,4,1\n", "C106", "line 2"),
    "capitals": ("Clip,Frame,x1,y1,x2,y2,score\n01,0,1,2,3,4,1\n", "C156", "lower case"),
    "semicolons": (HEADER.replace(",", ";") + "01;0;1;2;3;4;1\n", "C156", "not semicolons"),
    "tabs": (HEADER.replace(",", "\t") + "01\t0\t1\t2\t3\t4\t1\n", "C156", "not tabs"),
    "empty object": (HEADER.replace("score", "score,object") + "01,0,1,2,3,4,1,\n", "C152", "leave the column out"),
    "object below 0": (HEADER.replace("score", "score,object") + "01,0,1,2,3,4,1,-1\n", "C152", "line 2"),
}


@pytest.mark.parametrize("fault", CSV_FAULTS)
def test_a_wrong_csv_is_one_clear_message(tmp_path, fault):
    text, code, word = CSV_FAULTS[fault]
    with pytest.raises(ConversionError) as caught:
        boxes_csv(tmp_path, text)
    assert caught.value.code == code, caught.value
    assert word in caught.value.block()
    assert "boxes.csv" in caught.value.block()


def test_both_scores_and_a_constant_are_refused(tmp_path):
    with pytest.raises(ConversionError) as caught:
        boxes_csv(tmp_path, HEADER + "01,0,1,2,3,4,1\n", BoxRules(constant_score=1.0))
    assert caught.value.code == "C157"


def test_escape_sequences_do_not_reach_messages(tmp_path):
    with pytest.raises(ConversionError) as caught:
        boxes_csv(tmp_path, HEADER + "01,0,1,2,3,4,\x1b[31mred\n")
    assert "\x1b" not in caught.value.block()


def test_many_rows_are_read_quickly(tmp_path):
    rng = np.random.default_rng(0)
    corners = np.sort(rng.random((50_000, 2, 2)) * 40, axis=1).reshape(-1, 4)
    rows = [f"01,{i % 10},{a},{b},{c + 1},{d + 1},0.5" for i, (a, b, c, d) in enumerate(corners.tolist())]
    began = time.process_time()
    _, found = boxes_csv(tmp_path, HEADER + "\n".join(rows) + "\n")
    assert len(found.frames) == 50_000
    # About 0.4 s where this was written; the limit only tells reading all rows at once from np.loadtxt.
    assert time.process_time() - began < 3


def test_escape_sequences_in_names_of_files_do_not_reach_messages(tmp_path):
    path = tmp_path / "\x1b[31mboxes.csv"
    path.write_text(HEADER + "01,0,1,2,3,4,high\n")
    with pytest.raises(ConversionError) as caught:
        BoxesCsv(path, HALF_OPEN)
    assert "\x1b" not in caught.value.block()
    assert "boxes.csv" in caught.value.block()
