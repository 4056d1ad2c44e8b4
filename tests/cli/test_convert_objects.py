"""``vadbench convert`` of boxes and masks as a person sees it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vadbench.cli import main
from vadbench.datasets.registry import open_dataset
from vadbench.submission import Submission

METADATA = """\
[method]
name = "Sketch"
authors = []
year = 2026
code = "https://example.org/sketch"

[training]
supervision = "one-class"
data = []
pretrained = []
"""
ROW = "0,1,2,10,12,0.5\n15,3,4,20,21,0.25\n"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("method.toml").write_text(METADATA)
    Path("boxes").mkdir()
    for clip in ("01", "02"):
        Path("boxes", f"{clip}.txt").write_text(ROW)
    return tmp_path


def convert(data: Path, source: str, foreign: str, *options: str) -> int:
    known = ["--dataset", "synthetic", "--root", str(data), "--metadata", "method.toml", "--out", "out"]
    return main(["convert", source, "--from", foreign, *known, *options])


def provenance() -> dict[str, object]:
    return dict(Submission.open("out").provenance() or {})


def test_aed_text_becomes_a_submission_and_goes_back(
    work: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert(data, "boxes", "aed", "--corners", "inclusive") == 0
    out = capsys.readouterr().out
    assert "2 clips" in out
    assert "detections · 4 rows" in out
    assert provenance()["objects"] == {"clip_to_frame": False, "corners": "inclusive", "dtype": "float64"}
    assert main(["convert", "out", "--to", "aed", "--root", str(data), "--out", "again"]) == 0
    assert Path("again/01.txt").read_text() == ROW
    assert main(["convert", "out", "--to", "coco", "--root", str(data), "--out", "coco.json"]) == 0
    content = json.loads(Path("coco.json").read_text())
    assert [one["score"] for one in content["annotations"]] == [0.5, 0.25] * 2
    first = Submission.open("out").fingerprint
    assert convert(data, "coco.json", "coco", "--overwrite") == 0
    assert Submission.open("out").fingerprint == first


def test_corners_must_be_said(work: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert(data, "boxes", "aed") == 2
    error = capsys.readouterr().err
    assert "error[U227]" in error
    assert "--corners inclusive" in error
    assert not Path("out").exists()


def test_frames_from_one_are_named(work: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for clip in ("01", "02"):
        Path("boxes", f"{clip}.txt").write_text("1,1,2,3,4,1\n16,1,2,3,4,1\n")
    assert convert(data, "boxes", "aed", "--corners", "inclusive") == 1
    assert "--frame-offset -1" in capsys.readouterr().err
    assert not Path("out").exists()
    assert convert(data, "boxes", "aed", "--corners", "inclusive", "--frame-offset", "-1") == 0
    assert "frames    1 subtracted from each frame number\n" in capsys.readouterr().out
    assert provenance()["options"]["frame_offset"] == -1


def test_frames_that_may_be_counted_from_one_are_named(
    work: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # No row reaches the last frame, so both readings are possible.
    rows = {"01": "3,1,2,3,4,1\n1,1,2,3,4,1\n", "02": "2,1,2,3,4,1\n"}
    for clip, text in rows.items():
        Path("boxes", f"{clip}.txt").write_text(text)
    assert convert(data, "boxes", "aed", "--corners", "inclusive") == 0
    assert "numbers run from 1; if you count from 1: --frame-offset -1" in capsys.readouterr().out
    assert provenance()["objects"]["least_frame_number"] == 1
    assert "frame_offset" not in provenance()["options"]
    for said in ("0", "-1"):
        call = ("--corners", "inclusive", "--overwrite", "--frame-offset", said)
        assert convert(data, "boxes", "aed", *call) == 0
        assert "numbers run from" not in capsys.readouterr().out
        assert provenance()["options"]["frame_offset"] == int(said)
    Path("boxes/02.txt").write_text("0,1,2,3,4,1\n")
    assert convert(data, "boxes", "aed", "--corners", "inclusive", "--overwrite") == 0
    assert "numbers run from" not in capsys.readouterr().out
    assert "least_frame_number" not in provenance()["objects"]


def test_an_offset_of_0_settles_what_a_list_of_images_leaves_open(
    work: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = [{"id": int(clip), "file_name": f"{clip}/001.png"} for clip in ("01", "02")]
    found = [{"image_id": 1, "score": 1, "bbox": [1, 2, 3, 4]}]
    Path("coco.json").write_text(json.dumps({"images": images, "annotations": found}))
    assert convert(data, "coco.json", "coco") == 2
    assert "error[U228]" in capsys.readouterr().err
    for said, frame in (("0", 1), ("-1", 0)):
        assert convert(data, "coco.json", "coco", "--overwrite", "--frame-offset", said) == 0
        assert Submission.open("out").layout("01").arrays["detections"]["frame"].read().tolist() == [frame]


def test_an_absent_file_is_a_missing_clip_unless_this_is_said(
    work: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("boxes/02.txt").unlink()
    assert convert(data, "boxes", "aed", "--corners", "inclusive") == 1
    error = capsys.readouterr().err
    assert '"02"' in error
    assert "an empty file is a clip without a finding; --missing-clips empty" in error
    assert "constant scores" not in error
    assert convert(data, "boxes", "aed", "--corners", "inclusive", "--missing-clips", "empty") == 0
    assert "nothing was found in 02" in capsys.readouterr().out
    assert provenance()["objects"]["clips_not_named"] == ["02"]
    assert len(Submission.open("out").layout("02").arrays["detections"]["frame"].read()) == 0


def test_boxes_that_are_cut_are_counted(work: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("boxes/02.txt").write_text("0,-1,2,10,12,0.5\n1,0,0,64,48,1\n")
    assert convert(data, "boxes", "aed", "--corners", "inclusive") == 1
    assert "error[C155]" in capsys.readouterr().err
    assert convert(data, "boxes", "aed", "--corners", "inclusive", "--clip-to-frame") == 0
    assert "cut       2 boxes at the edge" in capsys.readouterr().out
    assert provenance()["objects"]["boxes_cut_at_the_frame"] == 2
    Path("boxes/02.txt").write_text("0,-1,2,10,12,0.5\n")
    assert convert(data, "boxes", "aed", "--corners", "inclusive", "--clip-to-frame", "--overwrite") == 0
    assert "cut       1 box at the edge" in capsys.readouterr().out


def test_a_csv_of_boxes(work: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("boxes.csv").write_text("clip,frame,x1,y1,x2,y2\n01,3,0,0,64,48\n")
    assert convert(data, "boxes.csv", "aed") == 1
    assert "--constant-score" in capsys.readouterr().err
    assert convert(data, "boxes.csv", "aed", "--constant-score", "1.0") == 1
    assert "--missing-clips empty" in capsys.readouterr().err
    assert convert(data, "boxes.csv", "aed", "--constant-score", "1.0", "--missing-clips", "empty") == 0
    assert "nothing was found in 02" in capsys.readouterr().out
    objects = provenance()["objects"]
    assert (objects["constant_score"], objects["corners"]) == (1.0, "half-open")


def test_indexed_images(work: Path, data: Path) -> None:
    ids = np.zeros((48, 64), dtype=np.uint8)
    ids[3:9, 4:8], ids[20:30, 40:50] = 1, 2
    for clip in open_dataset("synthetic", data).clips:
        Path("masks", clip.id).mkdir(parents=True)
        for frame in range(clip.frames):
            Image.fromarray(ids).save(Path("masks", clip.id, f"{frame:05d}.png"))
    Path("scores.csv").write_text("clip,object,score\n01,1,0.5\n01,2,1\n02,1,0.25\n02,2,2\n")
    assert convert(data, "masks", "instances", "--scores", "scores.csv") == 0
    scores = Submission.open("out").layout("02").arrays["instances"]["score"].read()
    assert scores.tolist() == [0.25, 2.0] * 16
    assert provenance()["objects"]["scores"] == "by object"


@pytest.mark.parametrize(
    ("source", "foreign", "options"),
    [
        ("boxes", "aed", ["--corners", "inclusive", "--void-index", "255"]),
        ("boxes", "aed", ["--corners", "inclusive", "--key", "scores"]),
        ("coco.json", "coco", ["--corners", "inclusive"]),
        ("masks", "instances", ["--clip-to-frame"]),
        ("boxes", "npy", ["--constant-score", "1"]),
    ],
)
def test_options_of_other_formats_are_refused(
    work: Path, data: Path, capsys: pytest.CaptureFixture[str], source: str, foreign: str, options: list[str]
) -> None:
    assert convert(data, source, foreign, *options) == 2
    error = capsys.readouterr().err
    assert "error[U211]" in error
    assert any(option in error for option in options if option.startswith("--"))


def test_nothing_is_left_when_an_export_is_refused(work: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert(data, "boxes", "aed", "--corners", "inclusive") == 0
    call = ["convert", "out", "--root", str(data), "--out", "again", "--to"]
    assert main([*call, "aed", "--kind", "instances"]) == 1
    assert "error[C180]" in capsys.readouterr().err
    assert main([*call, "coco", "--corners", "inclusive"]) == 2
    assert sorted(path.name for path in work.iterdir()) == ["boxes", "method.toml", "out"]
