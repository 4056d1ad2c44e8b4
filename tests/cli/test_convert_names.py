"""``vadbench convert`` where names, folders and frames are not as expected, and its help."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from dense_calls import METADATA, T, in_arrays, in_images, numbers
from PIL import Image

import vadbench
from vadbench.cli import main
from vadbench.cli.convert import _opened as opened
from vadbench.conversion.conversion import Conversion
from vadbench.conversion.convert import convert
from vadbench.conversion.declared import read_declared
from vadbench.conversion.formats import ForeignFormat, Reading, open_source
from vadbench.errors import VadbenchError
from vadbench.prediction import Prediction
from vadbench.submission import Submission


def test_a_note_for_each_round(call, tmp_path, dataset, scores):
    seen = []
    source = open_source(ForeignFormat.NPY, in_arrays(tmp_path / "scores", scores, "{}.npy"), Reading())
    conversion = Conversion(source, {"01": "01", "02": "02"}, dataset.clips)
    convert(
        conversion,
        call.out,
        dataset=dataset,
        declared=read_declared(call.metadata, "synthetic"),
        progress=lambda *own: seen.append(own),
    )
    assert seen == [(1, 4, "01 check"), (2, 4, "02 check"), (3, 4, "01"), (4, 4, "02")]


def test_grids_of_patches_that_are_turned(call, tmp_path, scores):
    # 11 x 8 patches of 48 x 64 pixels: the other way round, but only roughly.
    source = in_arrays(tmp_path / "scores", {key: np.zeros((T, 11, 8), np.float32) for key in scores})
    error = call.fails(source, "npy", "--resize", "bilinear")
    assert "height and width of the score maps are swapped, by their proportions" in error
    source = in_arrays(tmp_path / "square", {key: np.zeros((T, 14, 14), np.float32) for key in scores})
    call(source, "npy", "--resize", "bilinear")


def test_clips_of_different_kinds(call, tmp_path, scores):
    arrays = {"01": scores["01"], "02": np.arange(float(T))}
    error = call.fails(in_arrays(tmp_path / "scores", arrays), "npy")
    assert error.startswith("error[C118]")
    assert "clip 02: frame_scores" in error
    assert "astype" not in error


def test_the_only_renamed_clip_is_named_once(call, tmp_path, scores):
    source = in_arrays(tmp_path / "scores", {"01": scores["01"]}, "{}.npy")
    np.save(source / "Test002.npy", scores["02"])
    assert 'clips     "Test002" is 02\n' in call(source, "npy")


def test_the_folder_above_that_of_the_clips(call, tmp_path, scores):
    above = tmp_path / "scores"
    above.mkdir()
    in_arrays(above / "test", scores)
    assert f"hint      the files of the clips lie further below: give {above / 'test'}\n" in call.fails(above, "npy")


def test_one_archive_for_all_clips(call, tmp_path, dataset, scores):
    np.savez(tmp_path / "all.npz", **{f"Test0{key}": maps for key, maps in scores.items()})
    call(tmp_path / "all.npz", "npy")
    arrays = {clip_id: Prediction(score_maps=maps) for clip_id, maps in scores.items()}
    assert numbers(vadbench.evaluate(call.out, dataset)) == numbers(vadbench.evaluate(arrays, dataset))


@pytest.mark.parametrize("make", [in_arrays, in_images])
def test_files_that_the_pattern_does_not_match(call, tmp_path, scores, make):
    source = make(tmp_path / "scores", scores)
    foreign = "images" if make is in_images else "npy"
    if make is in_images:
        Image.new("RGB", (5, 5)).save(source / "01" / "overview.png")
    else:
        np.save(source / "labels.npy", np.zeros(3))
    pattern = r"(?P<clip>\d+)/(?P<frame>\d+)" if make is in_images else r"Test(?P<clip>\d+)"
    out = call(source, foreign, "--clip-pattern", pattern)
    assert "left out  1 name that the pattern does not match\n" in out
    error = call.fails(
        source, foreign, "--clip-pattern", pattern.replace(r"(?P<clip>\d+)", "(?P<clip>0+1|1)"), "--overwrite"
    )
    assert error.startswith("error[C101]")
    assert "the pattern does not match" in error


def test_three_of_many_errors_are_shown(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("VADBENCH_DATA", raising=False)
    images = [
        {"id": n, "file_name": f"{1 + n // 2:02}/{500 + n % 2}.png", "height": 240, "width": 360} for n in range(24)
    ]
    rows = [{"image_id": n, "category_id": 1, "bbox": [0, 0, 9, 1], "score": 1.0} for n in range(24)]
    (tmp_path / "results.json").write_text(json.dumps({"images": images, "annotations": rows}))
    (tmp_path / "m.toml").write_text(METADATA.replace('"synthetic:train"', ""))
    monkeypatch.chdir(tmp_path)
    arguments = ["--from", "coco", "--dataset", "ucsd-ped2", "--metadata", "m.toml", "--out", "out"]
    assert main(["convert", "results.json", *arguments]) == 1
    error = capsys.readouterr().err
    assert "where     results.json\n  got       clip 01 · frame 500 of the images: expected 0 to 179" in error
    assert "clip 03 · frame 500" in error
    assert "            and 9 more\n" in error
    assert error.count("results.json") == 1


def test_missing_clips_of_scores(call, tmp_path, scores):
    source = in_arrays(tmp_path / "scores", scores)
    error = call.fails(source, "npy", "--missing-clips", "empty", expect=2)
    assert error.startswith("error[U211] --missing-clips is for boxes and masks")


def test_no_path_steers_the_terminal(call, tmp_path, scores):
    call.out = tmp_path / "\x1b[31mout"
    out = call(in_arrays(tmp_path / "scores", scores), "npy")
    assert "\x1b" not in out
    assert r"\x1b[31mout" in out


def test_a_copy_that_the_environment_names_is_used_where_it_is_there(tmp_path, data, monkeypatch):
    options = argparse.Namespace(root=None, masks=None, tracks=None)
    monkeypatch.setenv("VADBENCH_DATA", str(tmp_path))
    assert opened("ucsd-ped2", options) is None
    (tmp_path / "synthetic").symlink_to(data, target_is_directory=True)
    assert opened("synthetic", options).clips
    with pytest.raises(VadbenchError):
        opened("folder", options)


@pytest.mark.parametrize(("command", "made"), [("convert", "bright"), ("threshold", "bright-test")])
def test_the_example_of_the_help_works(command, made, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main([command, "--help"])
    text = capsys.readouterr().out.split("Example:\n")[1]
    before, metadata, after = re.fullmatch(r"(.*?)echo '(.*?)' > method\.toml\n(.*)", text, flags=re.DOTALL).groups()
    Path("method.toml").write_text(metadata)
    # A smaller set than the one of the example.
    assert main([*shlex.split(before)[1:], "--frames", "16", "--test-clips", "1"]) == 0
    for line in after.replace("\\\n", " ").strip().splitlines():
        assert main(shlex.split(line)[1:]) == 0
    submission = Submission.open(made)
    assert submission.clip_ids
    assert (submission.metadata.threshold is not None) == (command == "threshold")


def test_a_hint_with_other_numbers_for_each_clip_is_said_once(call, tmp_path, scores):
    lengths = {"01": 14, "02": 13}
    error = call.fails(in_arrays(tmp_path / "scores", {key: scores[key][:n] for key, n in lengths.items()}), "npy")
    assert error.startswith("error[C105] the number of frames is not that of the clip, in 2 clips")
    assert error.count("only you know where") == 1
    assert "(for clip 01; some of the others need other numbers)" in error


def test_a_mixture_of_faults_has_a_code_of_its_own(call, tmp_path, scores):
    mixed = {"01": scores["01"][:14], "02": scores["02"].astype(np.int64)}
    assert call.fails(in_arrays(tmp_path / "scores", mixed), "npy").startswith("error[C100] 2 clips cannot be used")


@pytest.mark.parametrize("foreign", ["npy", "images"])
def test_a_submission_is_no_source(call, tmp_path, scores, foreign):
    call(in_arrays(tmp_path / "scores", scores), "npy")
    made, call.out = call.out, tmp_path / "again"
    error = call.fails(made, foreign)
    assert error.startswith("error[C102] this is a submission; convert reads the files that your method writes")
    # Metadata that lie beside the scores make no submission.
    (tmp_path / "scores" / "submission.toml").write_text(METADATA)
    (tmp_path / "scores" / "Test001.npy").rename(tmp_path / "01.npy")
    assert call.fails(tmp_path / "scores", "npy").startswith("error[C101]")


def test_errors_about_the_metadata_name_their_file(call, tmp_path, scores):
    source = in_arrays(tmp_path / "scores", scores)
    for text, title in (
        (METADATA.replace("2026", '"x"'), "error[S112] method.toml does not follow the format"),
        ("[method", "error[S111] method.toml is not TOML"),
    ):
        call.metadata.write_text(text)
        assert call.fails(source, "npy").startswith(title)
    call.metadata = tmp_path / "none.toml"
    error = call.fails(source, "npy", expect=2)
    assert error.startswith("error[U216]")
    assert "hint      --metadata is the file that says who made the predictions" in error
