"""``vadbench convert`` for arrays and images, as a person sees it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from dense_calls import METADATA, H, T, W, in_archives, in_arrays, in_float_images, in_frame_arrays, in_images, numbers
from PIL import Image

import vadbench
from vadbench.cli import main
from vadbench.prediction import Prediction
from vadbench.protocol.titles import metric_titles
from vadbench.submission import Submission
from vadbench.submission.clip_writer import ClipWriter


@pytest.mark.parametrize(
    ("make", "foreign"),
    [
        (in_arrays, "npy"),
        (in_archives, "npy"),
        (in_frame_arrays, "npy"),
        (in_images, "images"),
        (in_float_images, "images"),
    ],
)
def test_every_score_is_that_of_the_arrays(call, tmp_path, dataset, scores, make, foreign):
    source = make(tmp_path / "scores", scores)
    out = call(source, foreign)
    assert out.startswith("synthetic · test part · 2 clips · 32 frames\n")
    assert f"next: vadbench validate {call.out} --root {call.data}" in out
    arrays = {clip_id: Prediction(score_maps=maps) for clip_id, maps in scores.items()}
    converted = vadbench.evaluate(call.out, dataset)
    expected = vadbench.evaluate(arrays, dataset)
    assert numbers(converted) == numbers(expected)
    assert converted.value("pixel_auroc") not in (None, 1.0)
    submission = Submission.open(call.out)
    submission.check_against(dataset)
    for clip_id, maps in scores.items():
        stored = np.concatenate([block for _, block in submission.clip(dataset.clip(clip_id)).maps.blocks()])
        np.testing.assert_array_equal(stored, maps)


def test_frame_scores(call, tmp_path, dataset, scores):
    arrays = {clip_id: maps.max(axis=(1, 2)).astype(np.float32) for clip_id, maps in scores.items()}
    assert "kinds     frame_scores\n" in call(in_arrays(tmp_path / "scores", arrays), "npy")
    expected = vadbench.evaluate({key: Prediction(frame_scores=own) for key, own in arrays.items()}, dataset)
    assert numbers(vadbench.evaluate(call.out, dataset)) == numbers(expected)


def test_the_same_input_gives_the_same_bytes(call, tmp_path, scores):
    def files() -> dict[str, bytes]:
        return {str(own.relative_to(call.out)): own.read_bytes() for own in call.out.rglob("*") if own.is_file()}

    source = in_images(tmp_path / "scores", scores)
    call(source, "images")
    before = files()
    call(source, "images", "--overwrite")
    assert files() == before
    text = before["provenance.json"].decode()
    assert str(tmp_path) not in text
    made = json.loads(text)
    assert (made["converted_from"], made["part"], made["options"], made["seed"]) == ("images", "test", {}, None)
    assert set(made["versions"]) == {"vadbench", "numpy", "pillow"}


def test_frames_put_before_are_recorded(call, tmp_path, dataset, scores):
    source = in_images(tmp_path / "scores", {key: maps[4:] for key, maps in scores.items()}, first=4)
    error = call.fails(source, "images")
    assert error.startswith("error[C105] the number of frames is not that of the clip, in 2 clips")
    assert "01 · clip 01: expected 16 frames; got 12 frames" in error
    assert "counted from 0: --pad-head 4; counted from 1: --pad-head 3 --pad-tail 1;" in error
    assert error.count("are missing") == 1
    assert call.fails(source, "images", "--pad-tail", "4").startswith("error[C121]")
    out = call(source, "images", "--pad-head", "4")
    assert "\nframes    numbers 4 … 15; 4 frames repeated at the beginning of each clip\n" in out
    assert call.provenance()["options"] == {"pad_head": 4}
    padded = {key: Prediction(score_maps=np.concatenate([maps[[4] * 4], maps[4:]])) for key, maps in scores.items()}
    assert numbers(vadbench.evaluate(call.out, dataset)) == numbers(vadbench.evaluate(padded, dataset))


def test_maps_of_another_size(call, tmp_path, scores):
    source = in_arrays(tmp_path / "scores", {key: maps[:, ::2, ::2] for key, maps in scores.items()})
    error = call.fails(source, "npy")
    assert "expected height 48, width 64; got height 24, width 32" in error
    assert "--resize bilinear or --resize nearest" in error
    assert "resized   2 clips, nearest" in call(source, "npy", "--resize", "nearest")
    assert call.provenance()["resize"]["from_height_width"] == [[24, 32]]
    assert call.provenance()["resize"]["method"] == "nearest"


@pytest.mark.parametrize("step", [1, 2])
def test_swapped_axes_are_named_and_never_mended(call, tmp_path, scores, step):
    swapped = {key: maps.transpose(0, 2, 1)[:, ::step, ::step] for key, maps in scores.items()}
    source = in_arrays(tmp_path / "scores", swapped)
    for options in ((), ("--resize", "bilinear")):
        error = call.fails(source, "npy", *options)
        assert error.startswith("error[C110] height and width of the score maps are swapped")
        assert "scores.transpose(0, 2, 1)" in error


def damaged(kind: str, folder: Path, scores: dict[str, np.ndarray]) -> Path:
    """Images or arrays of which one is wrong."""
    if kind in {"rgb", "cut png"}:
        in_images(folder, scores)
        path = folder / "02" / "0005.png"
        if kind == "rgb":
            Image.new("RGB", (W, H)).save(path)
        else:
            path.write_bytes(path.read_bytes()[:100])
        return folder
    maps = {key: own.astype(np.float32) for key, own in scores.items()}
    wrong: object = maps["02"]
    if kind == "nan":
        maps["02"][3, 2, 1] = np.nan
    elif kind == "objects":
        wrong = np.array([None] * T)
    elif kind == "int64":
        maps = {key: own.astype(np.int64) for key, own in scores.items()}
        wrong = maps["02"]
    elif kind == "one more frame":
        wrong = np.concatenate([maps["02"], maps["02"][:1]])
    elif kind == "other dtype":
        wrong = scores["02"]
    in_arrays(folder, maps | {"02": wrong}, "{}.npy")
    if kind == "missing":
        (folder / "02.npy").unlink()
    elif kind == "pickle":
        (folder / "02.npy").write_bytes(b"\x80\x04N.")
    return folder


@pytest.mark.parametrize(
    ("kind", "code", "fact"),
    [
        ("missing", "C101", 'no file of "02"'),
        ("rgb", "C114", "save the scores themselves"),
        ("cut png", "C113", "0005.png"),
        ("nan", "C109", "frame 3 of the file · clip 02 · pixel x=1, y=2"),
        ("objects", "C107", "Python objects are never read"),
        ("pickle", "C112", "a Python pickle, which is never loaded"),
        ("int64", "C107", "scores.astype(np.float64)"),
        ("one more frame", "C105", "--drop-tail 1"),
        ("other dtype", "C118", "clip 01: score_maps float32; clip 02: score_maps uint16"),
    ],
)
def test_wrong_files_leave_nothing_behind(call, tmp_path, scores, kind, code, fact):
    source = damaged(kind, tmp_path / "scores", scores)
    error = call.fails(source, "images" if kind in {"rgb", "cut png"} else "npy")
    assert error.startswith(f"error[{code}]")
    assert fact in error


@pytest.mark.parametrize("make", [in_arrays, in_images])
def test_names_of_files_never_steer_the_terminal(call, tmp_path, scores, make):
    source = tmp_path / "\x1b[31mred"
    foreign = "npy" if make is in_arrays else "images"
    make(source, {key: maps[:, :-1] for key, maps in scores.items()})
    assert r"\x1b[31mred" in call.fails(source, foreign)
    make(tmp_path / "other", {f"\x1b[32m{key}": maps for key, maps in scores.items()})
    assert r"\x1b[32m01" in call.fails(tmp_path / "other", foreign)
    pickled = make(tmp_path / "third", scores) / ("Test001.npy" if make is in_arrays else "01/0003.png")
    pickled.write_bytes(b"\x93NUMPY\x01\x00\x10\x00'\x1b[31mred'     }" + b"\x1b" * 5000)
    assert call.fails(tmp_path / "third", foreign).startswith(("error[C112]", "error[C113]"))


def test_what_was_there_stays_where_a_file_is_wrong(call, tmp_path, dataset, scores):
    call(in_arrays(tmp_path / "right", scores), "npy")
    fingerprint = Submission.open(call.out).fingerprint
    source = damaged("nan", tmp_path / "scores", scores)
    assert "error[U215] there is something at the path already" in call.fails(source, "npy", expect=2)
    assert call.fails(source, "npy", "--overwrite").startswith("error[C109]")
    assert Submission.open(call.out).fingerprint == fingerprint


@pytest.mark.parametrize("there", [None, "empty", "submission"])
def test_an_interruption_leaves_all_as_it_was(call, tmp_path, scores, monkeypatch, there):
    source = in_arrays(tmp_path / "scores", scores)
    if there == "submission":
        call(source, "npy")
    elif there == "empty":
        call.out.mkdir()
    before = sorted(own.relative_to(tmp_path) for own in tmp_path.rglob("*"))

    def interrupted(self: ClipWriter) -> None:
        if "clip 02" in self._where:
            raise KeyboardInterrupt
        finish(self)

    finish = ClipWriter.finish
    monkeypatch.setattr(ClipWriter, "finish", interrupted)
    error = call(source, "npy", "--overwrite", expect=130)
    assert error == f"interrupted; {'nothing was written' if there is None else f'{call.out} is as it was before'}\n"
    assert sorted(own.relative_to(tmp_path) for own in tmp_path.rglob("*")) == before


def test_a_folder_that_is_no_submission_is_never_replaced(call, tmp_path, scores):
    call.out.mkdir()
    (call.out / "thesis.txt").write_text("x")
    error = call.fails(in_arrays(tmp_path / "scores", scores), "npy", "--overwrite", expect=2)
    assert error.startswith("error[U134]")


def test_nothing_is_written_into_what_is_read(call, tmp_path, scores):
    source = in_arrays(tmp_path / "scores", scores)
    call.out = source / "out"
    assert call(source, "npy", expect=2).startswith("error[U215] the submission would lie inside")


def test_quantised_maps(call, tmp_path, dataset, scores):
    floats = {key: maps.astype(np.float32) / 60_000 for key, maps in scores.items()}
    source = in_arrays(tmp_path / "scores", floats)
    call.metadata.write_text(METADATA + 'threshold_chosen_on = "training"\n[score_maps]\nthreshold = 0.5\n')
    out = call(source, "npy", "--quantize")
    least, greatest = (float(f([f(maps) for maps in floats.values()])) for f in (np.min, np.max))
    assert f"range     0 is {least!r}, 65535 is {greatest!r}" in out
    threshold = round((0.5 - least) / (greatest - least) * 65_535)
    assert f"threshold 0.5 is {threshold}" in out
    written = Submission.open(call.out).metadata.score_maps
    assert (written.threshold, written.lower, written.upper) == (threshold, least, greatest)
    quantize = call.provenance()["quantize"]
    assert (quantize["lower"], quantize["threshold_before"], quantize["threshold_after"]) == (least, 0.5, threshold)
    # The table is what `evaluate` says of both.
    table = out.split("\n\n")[1]
    before = vadbench.evaluate({k: Prediction(score_maps=m) for k, m in floats.items()}, dataset, threshold=0.5)
    after = vadbench.evaluate(call.out, dataset)
    rows = dict(re.fullmatch(r"(.+?)\s+(\S+)\s+(\S+)\s+(\S+)", own).groups()[::3] for own in table.splitlines()[2:-1])
    titles = metric_titles(before.parsed_signature.protocol)
    assert set(rows) == {titles[key] for key in before.scores}
    assert before.value("rbdc") is not None
    for key, score in before.scores.items():
        assert rows[titles[key]] == f"{100 * (after.value(key) - score.value):+.6f}".replace("-0.000000", "+0.000000")
    for key in ("pixel_auroc", "pixel_ap"):
        # One step of the range is far below the noise between two pixels.
        assert abs(before.value(key) - after.value(key)) < 1e-3


def test_a_declared_range_is_kept_or_refused(call, tmp_path, scores):
    source = in_arrays(tmp_path / "scores", {key: maps.astype(np.float64) / 65_535 for key, maps in scores.items()})
    call.metadata.write_text(METADATA + "[score_maps]\nlower = 0.0\nupper = 1.0\n")
    call(source, "npy", "--quantize")
    stored = Submission.open(call.out)
    np.testing.assert_array_equal(next(stored.clip("01").maps.blocks())[1], scores["01"][:8])
    call.metadata.write_text(METADATA + "[score_maps]\nlower = 0.0\nupper = 0.5\n")
    assert "outside of the range that the metadata declare" in call(
        source, "npy", "--quantize", "--overwrite", expect=1
    )


@pytest.mark.parametrize("kind", ["whole numbers", "frame scores", "constant"])
def test_what_cannot_be_quantised(call, tmp_path, scores, kind):
    arrays = {
        "whole numbers": scores,
        "frame scores": {key: np.arange(float(T)) for key in scores},
        "constant": {key: np.ones((T, H, W)) for key in scores},
    }[kind]
    assert call.fails(in_arrays(tmp_path / "scores", arrays), "npy", "--quantize").startswith("error[C115]")


def test_the_training_part_over_the_range_of_the_test_part(call, tmp_path, dataset, scores):
    """A method gives scores half as large to normal clips: stored over their own range they would look alike."""
    floats = {key: maps.astype(np.float32) / 60_000 for key, maps in scores.items()}
    own = call.out
    call(in_arrays(tmp_path / "scores", floats), "npy", "--quantize")
    (clip,) = dataset.training_clips
    maps = floats["01"] / 2
    maps[0, 0, :2] = 2, -1
    source = in_arrays(tmp_path / "normal", {clip.id: maps}, "Train0{}.npy")
    call.out = tmp_path / "training"
    out = call(source, "npy", "--part", "training", "--quantize")
    assert "next" not in out
    assert "--range-of SUBMISSION" in out
    declaring = ["threshold", str(own), "--training", str(call.out), "--quantile", "0.99", "--root", str(call.data)]
    assert main(declaring) == 2
    assert "error[U207]" in call.capsys.readouterr().err
    out = call(source, "npy", "--part", "training", "--quantize", "--overwrite", "--range-of", own)
    scale = Submission.open(own).metadata.score_maps
    assert Submission.open(call.out).metadata.score_maps == scale
    beyond = np.count_nonzero((maps < scale.lower) | (maps > scale.upper))
    assert f"cut off   {beyond} scores beyond the range" in out
    assert call.provenance()["quantize"]["scores_beyond"] == beyond
    assert f"next: vadbench threshold {own} --training {call.out} --quantile Q --root {call.data}\n" in out
    (stored,) = (block for _, block in [*Submission.open(call.out).clip(clip.id).maps.blocks()][:1])
    assert stored[0, 0, :2].tolist() == [65_535, 0]
    assert main(declaring) == 0
    share = (np.sort(maps.ravel())[-maps.size // 100 :] - scale.lower) / (scale.upper - scale.lower)
    assert Submission.open(own).metadata.threshold == pytest.approx(65_535 * float(share[0]), abs=1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--quantize", "--range-of", "{plain}"], "error[U211] --range-of is for --part training"),
        (["--part", "training", "--range-of", "{plain}"], "error[U211] --range-of is for --part training"),
        (["--part", "training", "--quantize", "--range-of", "{plain}"], "error[U218] the submission declares no range"),
        (["--part", "training", "--quantize", "--range-of", "{other}"], "error[U218] the range is that of"),
    ],
)
def test_ranges_that_cannot_be_taken(call, tmp_path, scores, options, said):
    source = in_arrays(tmp_path / "scores", scores)
    call(source, "npy")
    plain = call.out.rename(tmp_path / "plain")
    other = shutil.copytree(plain, tmp_path / "other")
    toml = other / "submission.toml"
    toml.write_text(toml.read_text().replace('dataset = "synthetic"', 'dataset = "avenue"'))
    given = [option.format(plain=plain, other=other) for option in options]
    assert call.fails(source, "npy", *given, expect=2).startswith(said)


def test_the_training_part(call, tmp_path, dataset):
    (clip,) = dataset.training_clips
    maps = {clip.id: np.zeros((clip.frames, H, W), np.uint8)}
    out = call(in_arrays(tmp_path / "scores", maps, "Train0{}.npy"), "npy", "--part", "training")
    assert out.startswith("synthetic · training part · 1 clip · 16 frames")
    assert f"vadbench threshold SUBMISSION --training {call.out}" in out
    assert Submission.open(call.out).clip_ids == (clip.id,)
    assert call.provenance()["part"] == "training"


def test_ids_and_sizes_come_with_the_package(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("VADBENCH_DATA", raising=False)
    facts = vadbench.datasets.load_facts("ucsd-ped2").clips
    source = tmp_path / "scores"
    source.mkdir()
    for clip_id, frames in facts.items():
        np.save(source / f"Test0{clip_id}.npy", np.zeros(frames - (clip_id == "04")))
    (tmp_path / "m.toml").write_text(METADATA)
    call = ["convert", str(source), "--from", "npy", "--dataset", "ucsd-ped2", "--metadata", str(tmp_path / "m.toml")]
    assert main([*call, "--out", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error[C105]")
    assert "expected  180 frames\n  got       179 frames" in error


METADATA_FAULTS = {
    "no table training": (METADATA.split("[training]", maxsplit=1)[0], 1, "training: missing"),
    "unknown key": (METADATA + "treshold = 3\n", 1, "treshold: unknown key"),
    "not TOML": ("[method", 1, "error[S111]"),
    "another data set": ('dataset = "avenue"\n' + METADATA, 1, "the metadata are for another data set"),
    "files": (METADATA + '[files]\nurl = "https://example.org/x"\nsha256 = "' + "0" * 64 + '"\n', 1, "packed zip"),
    "other kinds": ('predictions = ["detections"]\n' + METADATA, 1, "other kinds of prediction"),
    "threshold not explained": (METADATA + "[score_maps]\nthreshold = 3\n", 1, "threshold_chosen_on"),
}


@pytest.mark.parametrize("fault", METADATA_FAULTS)
def test_metadata_are_read_strictly(call, tmp_path, scores, fault):
    text, code, fact = METADATA_FAULTS[fault]
    call.metadata.write_text(text)
    assert fact in call.fails(in_arrays(tmp_path / "scores", scores), "npy", expect=code)


def test_a_whole_submission_toml_is_metadata(call, tmp_path, scores):
    source = in_arrays(tmp_path / "scores", scores)
    call(source, "npy")
    call.metadata.write_bytes((call.out / "submission.toml").read_bytes())
    call(source, "npy", "--overwrite")


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        (["--from", "npy", "--dataset", "synthetic"], ["error[U213]", "[method]", "submissions/_template"]),
        (["--from", "npy"], ["error[U211] which data set", "ucsd-ped2"]),
        (["--from", "npz", "--dataset", "synthetic"], ["error[U100]", "'npy'"]),
        (["--from", "npy", "--dataset", "synthetc"], ["error[U111]", "synthetic"]),
        (["--from", "npy", "--dataset", "synthetic", "--metadata", "none.toml"], ["error[U216]", "none.toml"]),
        (["--from", "npy", "--dataset", "synthetic", "--clip-pattern", "("], ["error[U210]"]),
        (["--to", "aed", "--quantize"], ["error[U211] --quantize is for --from"]),
        ([], ["error[U100]", "expected  vadbench convert [options] SOURCE"]),
    ],
)
def test_wrong_calls(tmp_path, capsys, options, facts):
    assert main(["convert", str(tmp_path), "--out", str(tmp_path / "out"), *options]) == 2
    error = capsys.readouterr().err
    assert "Format." not in error
    for fact in facts:
        assert fact in error


def test_clips_that_only_a_copy_knows(call, tmp_path, scores, capsys, monkeypatch):
    monkeypatch.delenv("VADBENCH_DATA", raising=False)
    source = in_arrays(tmp_path / "scores", scores)
    arguments = [source, "--from", "npy", "--dataset", "synthetic", "--metadata", call.metadata, "--out", call.out]
    assert main(["convert", *map(str, arguments)]) == 2
    assert "--root DIR" in capsys.readouterr().err


def test_help_can_be_read_in_sixty_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    with pytest.raises(SystemExit):
        main(["convert", "--help"])
    out = capsys.readouterr().out
    assert "your own files only" in " ".join(out.split())
    assert "Example:\n  vadbench data synthesize" in out


def test_a_table_in_sixty_columns(call, tmp_path, scores, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    source = in_arrays(tmp_path / "scores", {key: maps.astype(np.float32) for key, maps in scores.items()})
    table = call(source, "npy", "--quantize").split("\n\n")[1]
    assert max(map(len, table.splitlines())) <= 60
