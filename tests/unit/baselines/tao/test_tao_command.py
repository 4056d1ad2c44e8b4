"""The command as a person meets it: exit codes, what is printed, interruption, bad input."""

import importlib.util
import io
import shlex
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import baselines.main
import vadbench.cli
from baselines.command import SpeedMeter, shown_frame_progress
from baselines.main import main
from baselines.tao.pipeline import run_tao
from baselines.tao.preset_files import load_preset
from baselines.tao.segmentation.checkpoints import checkpoint_file
from baselines.tao.settings import SegmentationKind, SegmentationSettings
from vadbench import DataError, Submission, UsageError, open_dataset

ROOT = Path(baselines.main.__file__).parents[1]


@pytest.fixture
def command(small_root, tmp_path):
    return ["tao", "--dataset", "synthetic", "--root", str(small_root), "--out", str(tmp_path / "an out")]


def clips_of(dataset_root, frames, *, training=2, test=2):
    """A data set `folder`: grey frames by function of (clip, frame); the last clips are those of test."""
    for clip in range(training + test):
        parent = dataset_root / ("training" if clip < training else "frames") / f"{clip:02d}"
        parent.mkdir(parents=True)
        for number, frame in enumerate(frames(clip)):
            Image.fromarray(frame).save(parent / f"{number:03d}.png")
    return dataset_root


def moving_squares(frames):
    """Two squares that cross a dark frame; in each clip at other places."""

    def of_clip(clip):
        for number in range(frames):
            frame = np.full((48, 64), 60, dtype=np.uint8)
            for y in (8, 30):
                x = (5 + 7 * clip + 2 * number + y) % 54
                frame[y : y + 12, x : x + 8] = 200
            yield frame

    return of_clip


def on_folder(root, out, *more):
    return ["tao", "--dataset", "folder", "--root", str(root), "--out", str(out), *more]


def test_help_has_an_example_that_works_when_pasted(small_root, tmp_path, monkeypatch, capsys):
    assert main(["tao", "--help"]) == 0
    make, write, score = capsys.readouterr().out.split("\nexample:\n")[1].splitlines()
    assert make.split() == ["vadbench", "data", "synthesize", "out/synthetic"]
    monkeypatch.chdir(tmp_path)
    # The small set stands in for what the first line makes.
    Path("out").mkdir()
    Path("out/synthetic").symlink_to(small_root)
    assert main(shlex.split(write)[3:]) == 0
    captured = capsys.readouterr()
    # Nobody stays in view for long there.
    (line,) = captured.err.splitlines()
    assert line.startswith("no box is left by τ 1.5 and filtering")
    lines = {line[:12].strip(): line[12:] for line in captured.out.splitlines()}
    assert lines["submission"] == "out/tao"
    assert lines["stages"] == "out/tao.stages"
    assert all("frames/s" in lines[stage] for stage in ("detect", "score", "filter", "segment"))
    assert "MiB" in lines["memory"]
    assert shlex.split(captured.out.splitlines()[-1])[2:] == shlex.split(score)
    assert vadbench.cli.main(shlex.split(score)[1:]) == 0


def test_help_says_what_presets_are_for(capsys):
    assert main(["tao", "--help"]) == 0
    printed = capsys.readouterr().out.split("\npresets:\n")[1]
    assert "  ped2-cpu-boxes  tau 1.6: chosen" in printed


def test_weights_that_are_not_given_are_named_before_anything_is_computed(small, settings, tmp_path):
    scoring = replace(settings.scoring, attributes=("pose",))
    with pytest.raises(UsageError) as raised:
        run_tao(small, replace(settings, scoring=scoring), tmp_path / "out")
    assert raised.value.code == "B223"
    assert not list(tmp_path.iterdir())


def test_it_is_named_where_commands_are(capsys):
    assert main(["--help"]) == 0
    assert "\n  tao " in capsys.readouterr().out
    assert main(["toa"]) == 2
    assert 'did you mean "tao"' in capsys.readouterr().err


def test_stage_by_stage_then_replaced(command, tmp_path, capsys):
    out = tmp_path / "an out"
    assert main([*command, "--stage", "segment"]) == 2
    assert "--stage filter" in capsys.readouterr().err
    for stage in ("detect", "score", "filter"):
        assert main([*command, "--stage", stage]) == 0
        printed = capsys.readouterr().out
        assert "submission" not in printed
        assert [line.split()[0] for line in printed.splitlines()] == ["stages", stage, "memory"]
        assert "used again" not in printed
    assert main([*command, "--stage", "detect"]) == 0
    assert "detect      used again\n" in capsys.readouterr().out
    assert not out.exists()
    assert main([*command, "--stage", "segment"]) == 0
    assert main(command) == 2
    printed = capsys.readouterr().err
    assert "error[B101]" in printed
    assert "--overwrite" in printed
    assert main([*command, "--overwrite", "--tau", "0.3", "--no-filtering", "--no-tracking"]) == 0
    assert capsys.readouterr().err.startswith("filtering: made again")
    provenance = Submission.open(out).provenance()
    assert provenance["preset"] == "default"
    assert provenance["parameters"]["tau"] == 0.3
    assert provenance["parameters"]["filtering"]["save_interval"] == 1
    assert provenance["parameters"]["segmentation"]["tracking"] is False
    assert set(provenance["versions"]) >= {"vadbench", "numpy", "scipy", "scikit-learn", "scikit-image"}
    assert str(tmp_path) not in str(provenance)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--tau", "much"], '"much" is no number'),
        (["--tau", "nan"], '"nan" is no number'),
        (["--detector", "yolo"], "background, boxes-csv, torchvision"),
        (["--segmenter", "sam3"], "classical, sam2-video, sam2-image"),
        (["--stage", "train"], "--stage"),
        (["--seed", "-1"], "--seed"),
        (["--preset", "ped2"], 'did you mean "ped2-cpu"'),
        (["--boxes", "x"], "error[B249]"),
        (["--detector", "boxes-csv"], "--boxes"),
        (["--detector", "torchvision"], "--weights"),
        (["--masks", "x"], "--masks"),
        (["--tauu", "1"], 'did you mean "--tau"'),
    ],
)
def test_wrong_calls_are_one_block(more, words, command, tmp_path, capsys):
    assert main([*command, *more]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("error[") == 1
    assert words in captured.err
    assert not (tmp_path / "an out").exists()


KILLS_ITSELF = """
import os, signal, sys
from baselines.main import main
from baselines.tao.segmentation.classical import ClassicalSegmenter

real = ClassicalSegmenter.segment

def segment(self, clip, prompts, *rest):
    for number, found in enumerate(real(self, clip, prompts, *rest)):
        if clip.id == "02":
            os.kill(os.getpid(), SIGNAL)
        yield found
    if clip.id == "02":
        os.kill(os.getpid(), SIGNAL)

signal.signal(signal.SIGINT, signal.default_int_handler)
ClassicalSegmenter.segment = segment
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_a_killed_run_goes_on(number, code, command, small, tmp_path, capsys):
    killing = KILLS_ITSELF.replace("SIGNAL", str(int(number)))
    done = subprocess.run(
        [sys.executable, "-c", killing, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    if number == signal.SIGINT:
        assert "finished clips are kept" in done.stderr
        assert "Traceback" not in done.stderr
    out = tmp_path / "an out"
    assert not out.exists()
    first = out.with_name("an out.stages") / "submission" / "unfinished" / "predictions.zarr" / "01"
    before = {file: file.stat().st_mtime_ns for file in first.rglob("*") if file.is_file()}
    assert before
    assert main(command) == 0
    assert "submission: going on, 1 of 3 clips" in capsys.readouterr().err
    again = {file: (out / file.relative_to(first.parents[1])).stat().st_mtime_ns for file in before}
    assert again == before
    whole = run_tao(small, load_preset("default", "synthetic"), tmp_path / "whole").submission
    assert Submission.open(out).fingerprint == Submission.open(whole).fingerprint


def test_no_training_clips(tmp_path, capsys):
    root = clips_of(tmp_path / "data", moving_squares(6), training=0)
    assert main(on_folder(root, tmp_path / "out")) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error[B240]")
    assert "training" in printed
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


def test_clips_of_one_frame(tmp_path):
    def frames(clip):
        return moving_squares(12 if clip < 2 else 1)(clip)

    root = clips_of(tmp_path / "data", frames)
    assert main(on_folder(root, tmp_path / "out", "--no-filtering", "--tau", "-100")) == 0
    dataset = open_dataset("folder", root)
    Submission.open(tmp_path / "out").check_against(dataset)
    assert main(on_folder(root, tmp_path / "filtered")) == 0
    submission = Submission.open(tmp_path / "filtered")
    assert [len(submission.clip(clip).instances) for clip in dataset.clips] == [0, 0]


def test_training_clips_of_one_frame(tmp_path, capsys):
    root = clips_of(tmp_path / "data", moving_squares(1))
    code = main(on_folder(root, tmp_path / "out"))
    printed = capsys.readouterr().err
    # Whatever can be learned from two frames: a submission, or a sentence.
    assert (code == 0 and Submission.open(tmp_path / "out")) or printed.startswith("error[")


def test_no_object_in_any_training_clip(tmp_path, capsys):
    root = clips_of(tmp_path / "data", lambda clip: [np.full((48, 64), 90, dtype=np.uint8)] * 6)
    assert main(on_folder(root, tmp_path / "out")) == 1
    printed = capsys.readouterr().err
    assert printed.count("error[") == 1
    assert "training" in printed
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("fault", ["size", "damage"])
@pytest.mark.parametrize("part", ["training", "frames"])
def test_a_wrong_frame_is_named_and_finished_clips_are_kept(fault, part, tmp_path, capsys):
    root = clips_of(tmp_path / "data", moving_squares(8))
    file = sorted((root / part).iterdir())[-1] / "004.png"
    if fault == "size":
        Image.fromarray(np.zeros((50, 64), dtype=np.uint8)).save(file)
    else:
        file.write_bytes(file.read_bytes()[:60])
    assert main(on_folder(root, tmp_path / "out")) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error[D205]" if fault == "size" else "error[D206]")
    assert printed.count("error[") == 1
    assert "004.png" in printed
    assert not (tmp_path / "out").exists()
    kept = {str(p.relative_to(tmp_path / "out.stages")) for p in (tmp_path / "out.stages").rglob("*.csv")}
    expected = {"detection/training/00.csv", "detection/training/01.csv", "detection/test/02.csv"}
    assert kept == (expected if part == "frames" else set())


def test_a_wrong_checkpoint(small, settings, methods, tmp_path):
    checkpoint = tmp_path / "wrong.pt"
    checkpoint.write_bytes(b"no weights")
    sam2 = replace(settings.segmentation.sam2, checkpoint=checkpoint, sha256="0" * 64)
    changed = replace(settings, segmentation=SegmentationSettings(SegmentationKind.SAM2_VIDEO, sam2=sam2))

    def segmenter(given, model):
        assert model is None
        return checkpoint_file(given.sam2)

    with pytest.raises(DataError, match="SHA-256") as raised:
        run_tao(small, changed, tmp_path / "out", methods=replace(methods, segmenter=segmenter))
    assert raised.value.code == "B232"
    assert len(list((tmp_path / "out.stages" / "filtering" / "test").iterdir())) == 3
    outcome = run_tao(small, changed, tmp_path / "out", methods=methods)
    provenance = Submission.open(outcome.submission).provenance()
    described = provenance["parameters"]["segmentation"]["checkpoint"]
    assert described["name"] == "wrong.pt"
    assert len(described["sha256"]) == 64


@pytest.mark.skipif(importlib.util.find_spec("sam2") is not None, reason="sam2 is installed")
def test_sam2_without_the_package_says_how_to_install_it(command, tmp_path, capsys):
    assert main([*command, "--segmenter", "sam2-video"]) == 2
    printed = capsys.readouterr().err
    assert printed.count("error[") == 1
    assert "pip install" in printed
    # Said before anything was computed.
    assert not list(tmp_path.iterdir())


def test_a_place_that_is_no_submission_is_left_alone(command, tmp_path, capsys):
    out = tmp_path / "an out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert main([*command, "--overwrite"]) == 2
    assert "error[B102]" in capsys.readouterr().err
    assert (out / "mine.txt").read_text() == "mine"


def test_importing_the_command_loads_nothing_heavy():
    heavy = ("cv2", "sklearn", "skimage", "torch", "zarr", "rich", "PIL", "torchvision", "sam2")
    code = f"import sys, baselines.tao.command; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "shown"), [(Terminal, True), (io.StringIO, False)])
def test_frames_a_second_on_a_terminal_alone(stream, shown, monkeypatch):
    times = iter([10.0, 12.0, 20.0, 21.0])
    monkeypatch.setattr("baselines.command.monotonic", lambda: next(times))
    monkeypatch.setattr(sys, "stderr", stream())
    monkeypatch.setenv("COLUMNS", "100")
    with shown_frame_progress() as progress:
        # 40 frames were done before this run; they are not its speed.
        for stage, done in [("detecting", 40), ("detecting", 90), ("scoring", 0), ("scoring", 7)]:
            progress(stage, done, 100)
    printed = sys.stderr.getvalue()
    assert ("7/100" in printed and "7.0 frames/s" in printed) == shown
    assert bool(printed) == shown


def test_speed_is_that_of_this_run(monkeypatch):
    times = iter([10.0, 12.0, 20.0])
    monkeypatch.setattr("baselines.command.monotonic", lambda: next(times))
    meter = SpeedMeter()
    assert [meter.speed("a", 40), meter.speed("a", 90), meter.speed("b", 5)] == ["", "25.0 frames/s", ""]
