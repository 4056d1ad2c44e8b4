"""``vadbench overlay`` as a person sees it."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_submission import METHOD, TRAINING, write_submission

import vadbench
from vadbench.cli import main
from vadbench.cli.overlay import _parser
from vadbench.overlay import TRUTH_COLOUR


@pytest.fixture
def call(tmp_path: Path, data: Path, submission: Path, capsys: pytest.CaptureFixture[str]):
    """Call with the words of a text; OUT is an empty folder, SKETCH the submission."""
    out = tmp_path / "out"
    out.mkdir()

    def run(text: str, expect: int = 0) -> str:
        words = text.replace("OUT", str(out)).replace("SKETCH", str(submission))
        words += "" if "--root" in text else f" --root {data}"
        assert main(["overlay", *shlex.split(words)]) == expect
        printed, err = capsys.readouterr()
        assert (printed == "") == bool(expect)
        return err if expect else printed

    run.out = out
    return run


def test_a_video_of_a_clip(call):
    av = pytest.importorskip("av")
    printed = call("SKETCH --clip 01 --out OUT/clip.mp4 --fps 5 --scale 2")
    path = call.out / "clip.mp4"
    assert f"overlay  {path}\n" in printed
    assert "shows    16 frames of clip 01, from frame 0\n" in printed
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(stream)]
        assert float(stream.average_rate) == 5.0
    assert len(frames) == 16
    height, width = frames[0].shape[:2]
    assert f"{width} x {height} pixels, 5 a second" in printed
    assert height % 2 == width % 2 == 0
    assert list(call.out.iterdir()) == [path]


def test_frames_show_the_truth_where_it_is(call, dataset):
    printed = call("SKETCH --clip 02 --out OUT/frames/ --frames 3:6 --scale 4")
    assert "3 frames of clip 02, from frame 3" in printed
    folder = call.out / "frames"
    assert sorted(path.name for path in folder.iterdir()) == [f"frame-00000{number}.png" for number in (3, 4, 5)]
    masks = dataset.truth("02").masks()
    for frame in (3, 4, 5):
        picture = np.asarray(Image.open(folder / f"frame-00000{frame}.png"))[:-60]
        line = (picture == TRUTH_COLOUR).all(axis=2)
        # Without the legend, which has the colour too.
        assert line[: 24 + 10 + 4 * 48].any() == masks[frame].any()


def test_a_gif_and_a_single_frame(call):
    call("SKETCH --clip 01 --out OUT/a.gif --frames :4 --fps 20")
    with Image.open(call.out / "a.gif") as image:
        assert image.n_frames == 4
        assert image.info["duration"] == 50
    printed = call("SKETCH --clip 01 --out OUT/a.png --frames 7")
    assert "1 frame of clip 01, from frame 7" in printed
    call("SKETCH --clip 01 --out OUT/b.png --frames 8")
    assert (call.out / "a.png").read_bytes() != (call.out / "b.png").read_bytes()


def test_two_submissions_side_by_side_and_one_by_itself(call, submission, data, tmp_path):
    write_submission(tmp_path / "other", data, threshold=None)
    call(f"SKETCH {tmp_path / 'other'} --clip 01 --out OUT/two.png --frames 2 --scale 1")
    call("SKETCH --clip 01 --out OUT/one.png --frames 2 --scale 1")
    with Image.open(call.out / "two.png") as two, Image.open(call.out / "one.png") as one:
        assert two.width > 2 * one.width
        assert two.height == one.height


def frame_scores_only(path: Path, data: Path) -> Path:
    dataset = vadbench.open_dataset("synthetic", data)
    with vadbench.SubmissionWriter(path, dataset=dataset, method=METHOD, training=TRAINING) as writer:
        for clip in dataset.clips:
            writer.write_clip(clip.id, frame_scores=np.arange(clip.frames, dtype=np.float32))
    return path


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("SKETCH --clip 1 --out OUT/a.gif", "U110", '"01"'),
        ("SKETCH --clip 01 --out OUT/a.avi", "U288", ".mp4"),
        ("SKETCH --clip 01 --out OUT/a.png", "U288", "--frames"),
        ("SKETCH --clip 01 --out OUT/a.gif --frames 0:17", "U292", "16"),
        ("SKETCH --clip 01 --out OUT/a.gif --frames 5:5", "U292", ""),
        ("SKETCH --clip 01 --out OUT/a.gif --frames=-1:3", "U292", "A:B"),
        ("SKETCH --clip 01 --out OUT/a.gif --frames ٣", "U292", "A:B"),
        ("SKETCH --clip 01 --out OUT/a.gif --fps 60", "U293", "50"),
        ("SKETCH --clip 01 --out OUT/a.gif --fps nan", "U293", ""),
        ("SKETCH --clip 01 --out OUT/a.gif --scale 0", "U293", "32"),
        ("SKETCH --clip 01 --out OUT/a.gif --draw instances", "U291", "score_maps"),
        ("SKETCH --clip 01 --out OUT/a.gif --draw maps", "U291", "score_maps"),
        ("SKETCH SKETCH --clip 01 --out OUT/a.gif", "U291", "twice"),
        ("SKETCH SKETCH --clip 01 --out OUT/a.gif --lower 3", "U291", ""),
        ("SKETCH --clip 01 --out OUT/a.gif --upper inf", "U293", ""),
        ("gone --clip 01 --out OUT/a.gif", "U130", ""),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(text, code, hint, call):
    error = call(text, expect=2)
    assert error.startswith(f"error[{code}]")
    assert hint in error
    assert list(call.out.iterdir()) == []


def test_submissions_and_data_that_cannot_be_drawn(call, data, tmp_path):
    frames = frame_scores_only(tmp_path / "frames-only", data)
    error = call(f"{frames} --clip 01 --out OUT/a.gif", expect=2)
    assert error.startswith("error[U291]")
    assert "vadbench plot timeline" in error
    assert call("SKETCH --clip 01 --out OUT/a.gif --root nowhere", expect=2).startswith("error[U")
    assert list(call.out.iterdir()) == []


def test_foreign_files_are_in_the_way(call):
    film = call.out / "a.gif"
    film.write_bytes(b"GIF89a of somebody")
    assert call("SKETCH --clip 01 --out OUT/a.gif", expect=2).startswith("error[U289]")
    assert film.read_bytes() == b"GIF89a of somebody"


def test_the_help_has_an_example(capsys):
    with pytest.raises(SystemExit):
        main(["overlay", "--help"])
    text = capsys.readouterr().out
    command = text[text.index("vadbench overlay demo") :].replace("\\\n", " ")
    assert _parser().parse_args(shlex.split(command)[2:]).clip == "01"
    assert max(map(len, text.splitlines())) <= 80
