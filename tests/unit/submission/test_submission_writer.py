"""A clip is there whole or not at all; the same input gives the same bytes; mistakes are told before the work."""

import json
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_submissions import METHOD, SHAPE, TRAINING, clip_of, dataset_of, instances, maps, read_maps, write

from vadbench.datasets.base import Clip
from vadbench.errors import SubmissionError, UsageError
from vadbench.prediction import Detections, Instances, Prediction, ScoreMapArray
from vadbench.submission import Submission, SubmissionWriter
from vadbench.submission.schema import Method, Training


def writer_of(path, **options):
    return SubmissionWriter(path, **{"dataset": "folder", "method": METHOD, "training": TRAINING, **options})


def content(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def refused(kind, code, action, *said):
    with pytest.raises(kind) as caught:
        action()
    assert caught.value.code == code, caught.value
    for words in said:
        assert words in str(caught.value)
    return caught.value


def test_same_input_same_bytes(tmp_path):
    clips = {"01": clip_of(seed=1), "02": clip_of(dtype="uint16", seed=2)}
    first = write(tmp_path / "a", clips, provenance={"b": 1, "a": 2})
    second = write(tmp_path / "b", dict(reversed(clips.items())), provenance={"a": 2, "b": 1})
    assert content(first) == content(second)


def test_zarr_reads_what_is_written(full):
    group = zarr.open_group(str(full / "predictions.zarr"), mode="r")
    given = clip_of(seed=1)
    np.testing.assert_array_equal(group["01/score_maps"][...], given["score_maps"])
    np.testing.assert_array_equal(group["01/instances/counts"][...], given["instances"].counts)
    np.testing.assert_array_equal(group["01/detections/box"][...], given["detections"].boxes)
    assert group["01/score_maps"].chunks == (8, 6, 7)


def test_chunks_of_zeros_are_written(tmp_path):
    path = write(tmp_path / "m", {"01": {"score_maps": np.zeros(SHAPE, dtype=np.uint8)}})
    assert not read_maps(path).any()


@pytest.mark.parametrize(
    ("given_dtype", "stored"),
    [
        ("bool", "uint8"),
        ("uint8", "uint8"),
        ("uint16", "uint16"),
        ("float16", "float32"),
        ("float32", "float32"),
        ("float64", "float64"),
        (">u2", "uint16"),
        (">f4", "float32"),
    ],
)
def test_dtypes_of_maps(tmp_path, given_dtype, stored):
    scores = maps(dtype="uint8").astype(given_dtype)
    read = read_maps(write(tmp_path / "m", {"01": {"score_maps": scores}}))
    assert read.dtype == np.dtype(stored)
    np.testing.assert_array_equal(read, scores)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32", "complex64"])
def test_dtypes_that_would_lose_something_are_refused(tmp_path, dtype):
    with writer_of(tmp_path / "m") as writer:
        writer.write_clip("01", score_maps=maps())
        with pytest.raises(Exception, match=r"dtype|form") as caught:
            writer.write_clip("02", score_maps=maps(dtype="uint8").astype(dtype))
        assert caught.value.code in ("S132", "D340")
    assert Submission.open(tmp_path / "m").clip_ids == ("01",)


@pytest.mark.parametrize("sizes", [[19], [8, 8, 3], [1] * 19, [3, 7, 9], [0, 10, 0, 9], [16, 3]])
def test_blocks_of_any_length(tmp_path, sizes):
    scores = maps()
    whole = write(tmp_path / "whole", {"01": {"score_maps": scores}})
    buffer = np.empty_like(scores)
    with writer_of(tmp_path / "m") as writer, writer.clip("01", shape=SHAPE) as clip:
        start = 0
        for size in sizes:
            block = buffer[:size]
            block[...] = scores[start : start + size]
            clip.write_score_maps(block)
            buffer[...] = 0  # a method may use its buffer again
            start += size
    assert content(tmp_path / "m") == content(whole)


def test_single_frames_and_wider_dtype(tmp_path):
    scores = maps(dtype="uint8")
    with writer_of(tmp_path / "m") as writer, writer.clip("01", shape=SHAPE, dtype="uint16") as clip:
        for frame in scores:
            clip.write_score_maps(frame)
    np.testing.assert_array_equal(read_maps(tmp_path / "m"), scores)
    assert read_maps(tmp_path / "m").dtype == np.uint16


def test_a_prediction_or_its_parts(tmp_path):
    parts = clip_of()
    write(tmp_path / "a", {"01": parts})
    write(tmp_path / "b", {"01": {"prediction": Prediction(**parts)}})
    write(tmp_path / "c", {"01": {**parts, "score_maps": ScoreMapArray(parts["score_maps"])}})
    assert content(tmp_path / "a") == content(tmp_path / "b") == content(tmp_path / "c")
    with writer_of(tmp_path / "d") as writer:
        refused(UsageError, "U135", lambda: writer.write_clip("01"))
        refused(UsageError, "U135", lambda: writer.write_clip("01", Prediction(**parts), frame_scores=[1]))
        writer.write_clip("01", frame_scores=[1, 2])


# Early errors


@pytest.mark.parametrize(
    "options",
    [
        {"method": {**METHOD, "year": 1800}},
        {"method": 3},
        {"training": {**TRAINING, "supervision": "some"}},
        {"score_maps": {"threshold": 3}},
        {"training": {**TRAINING, "threshold_chosen_on": "test"}},
        {"dataset": ""},
        {"score_maps": {"thresold": 3}},
    ],
)
def test_wrong_metadata_is_told_before_anything_is_written(tmp_path, options):
    refused(SubmissionError, "S112", lambda: writer_of(tmp_path / "m", **options))
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("provenance", [{"a": float("nan")}, {"a": "\x00"}, {"a": object()}, {"a": [[[[[[1]]]]]]}])
def test_wrong_provenance_is_told_before_anything_is_written(tmp_path, provenance):
    refused(SubmissionError, "S113", lambda: writer_of(tmp_path / "m", provenance=provenance))
    assert not (tmp_path / "m").exists()


def test_metadata_as_models_and_threshold(tmp_path):
    path = write(
        tmp_path / "m",
        {"01": {"score_maps": maps()}},
        method=Method(name="N", authors=[], year=2026, code="https://example.org/n"),
        training=Training(supervision="zero-shot", data=[], pretrained=[], threshold_chosen_on="validation"),
        score_maps={"threshold": 32768, "lower": 0.0, "upper": 1.0},
    )
    metadata = Submission.open(path).metadata
    assert metadata.threshold == 32768
    assert metadata.method.name == "N"


def test_a_threshold_without_maps_is_told_at_the_first_clip(tmp_path):
    options = {"training": {**TRAINING, "threshold_chosen_on": "test"}, "score_maps": {"threshold": 3}}
    writer = writer_of(tmp_path / "m", **options)
    refused(SubmissionError, "S112", lambda: writer.write_clip("01", frame_scores=[1.0]))


@pytest.mark.parametrize(
    "clip_id", ["", ".", "..", "a/b", "../x", "a\\b", "a\0b", "__x", "zarr.json", "x" * 300, "a\nb"]
)
def test_clip_ids_that_are_no_folder_names(tmp_path, clip_id):
    writer = writer_of(tmp_path / "m")
    refused(UsageError, "U137", lambda: writer.write_clip(clip_id, frame_scores=[1.0]))


def test_the_data_set_is_held_against_every_clip(tmp_path):
    dataset = dataset_of({"01": SHAPE, "02": SHAPE})
    with writer_of(tmp_path / "m", dataset=dataset) as writer:
        refused(UsageError, "U110", lambda: writer.write_clip("1", score_maps=maps()))
        refused(
            SubmissionError, "S104", lambda: writer.write_clip("01", score_maps=maps()[:15]), "4 frames are missing"
        )
        refused(SubmissionError, "S105", lambda: writer.write_clip("01", score_maps=maps().swapaxes(1, 2)), "swapped")
        refused(SubmissionError, "S104", lambda: writer.write_clip("01", frame_scores=np.zeros(18)))
        far = Detections([19], [[0, 0, 1, 1]], [1.0])
        refused(SubmissionError, "S141", lambda: writer.write_clip("01", detections=far), "row 0")
        wide = Detections([1], [[0, 0, 8, 1]], [1.0])
        refused(SubmissionError, "S142", lambda: writer.write_clip("01", detections=wide), "W is 7")
        refused(SubmissionError, "S105", lambda: writer.write_clip("01", instances=instances(height=5)))
        with writer.clip("01") as clip:
            clip.write_score_maps(maps())
        refused(UsageError, "U136", lambda: writer.write_clip("01", score_maps=maps()))
        refused(SubmissionError, "S103", writer.close, "02")
        writer.write_clip("02", score_maps=maps())
    Submission.open(tmp_path / "m").check_against(dataset)


def test_the_writer_says_what_validate_says(tmp_path):
    dataset = dataset_of({"01": SHAPE})
    with SubmissionWriter(tmp_path / "m", dataset=dataset, method=METHOD, training=TRAINING) as writer:
        with pytest.raises(SubmissionError) as caught:
            writer.write_clip("01", score_maps=maps().transpose(1, 2, 0))
        assert (caught.value.code, caught.value.got) == ("S105", str((*SHAPE[1:], SHAPE[0])))
        assert "transpose(2, 0, 1)" in caught.value.hint
        with pytest.raises(SubmissionError) as caught:
            writer.write_clip("01", frame_scores=np.zeros(SHAPE[0] - 2))
        assert (caught.value.code, caught.value.expected) == ("S104", f"{SHAPE[0]} frames (data set folder)")
        writer.write_clip("01", frame_scores=np.zeros(SHAPE[0]))


def test_what_the_reader_would_refuse_is_refused_with_clip_and_frame(tmp_path):
    scores = maps(dtype="float32")
    scores[9, 1, 2] = np.nan
    with writer_of(tmp_path / "m") as writer:
        error = refused(SubmissionError, "S140", lambda: writer.write_clip("01", score_maps=scores))
        assert error.where[1:] == ("clip 01", "score_maps", "frame 9", "pixel (x 2, y 1)")
        refused(SubmissionError, "S140", lambda: writer.write_clip("01", frame_scores=[0, np.inf]), "frame 1")
        refused(SubmissionError, "S132", lambda: writer.write_clip("01", frame_scores=[[0.0]]))
        unsorted = Detections([2, 1], [[0, 0, 1, 1]] * 2, [1, 2])
        refused(SubmissionError, "S141", lambda: writer.write_clip("01", detections=unsorted), "argsort")
        negative = Detections([0], [[0, 0, 1, 1]], [1], [-1])
        refused(SubmissionError, "S144", lambda: writer.write_clip("01", detections=negative))
        nameless = replace(instances(), objects=np.array([0, -1, 0], dtype=np.int32))
        refused(SubmissionError, "S144", lambda: writer.write_clip("01", instances=nameless))
        writer.write_clip("01", frame_scores=[0, 1])
        refused(SubmissionError, "S106", lambda: writer.write_clip("02", score_maps=maps()), "as in clip 01")
        refused(SubmissionError, "S107", lambda: writer.write_clip("02", frame_scores=np.zeros(2, dtype=np.float32)))
    assert Submission.open(tmp_path / "m").clip_ids == ("01",)


def test_streams_that_are_too_long_or_too_short(tmp_path):
    writer = writer_of(tmp_path / "m")

    def stream(n, **options):
        with writer.clip("01", **options) as clip:
            for frame in maps((n, 6, 7)):
                clip.write_score_maps(frame)

    refused(SubmissionError, "S104", lambda: stream(20, shape=SHAPE))
    refused(SubmissionError, "S104", lambda: stream(18, shape=SHAPE), "1 frame is missing")
    refused(SubmissionError, "S105", lambda: stream(19, shape=(19, 7, 6)))
    refused(SubmissionError, "S132", lambda: stream(19, shape=SHAPE, dtype="uint8"))
    refused(UsageError, "U135", lambda: stream(19))
    assert writer.clip_ids == ()


def test_a_frame_larger_than_a_chunk_is_refused(tmp_path):
    writer = writer_of(tmp_path / "m")
    huge = np.broadcast_to(np.float64(0), (1, 4096, 2049))
    refused(SubmissionError, "S132", lambda: writer.write_clip("01", score_maps=huge))


# Whole or not at all


def test_an_exception_leaves_no_half_clip(tmp_path):
    path = tmp_path / "m"

    def run_that_fails():
        with writer_of(path) as writer:
            writer.write_clip("01", score_maps=maps())
            with writer.clip("02", shape=SHAPE) as clip:
                clip.write_score_maps(maps()[:10])
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_that_fails()
    assert not (path / "predictions.zarr/02").exists()
    assert not (path / "submission.toml").exists()
    assert "resume" in refused(SubmissionError, "S101", lambda: Submission.open(path)).hint
    with writer_of(path, resume=True) as writer:
        assert writer.has_clip("01")
        assert not writer.has_clip("02")
        writer.write_clip("02", score_maps=maps(seed=2))
    np.testing.assert_array_equal(read_maps(path, "02"), maps(seed=2))
    assert sorted(entry.name for entry in path.iterdir()) == ["predictions.zarr", "submission.toml"]


def test_finished_clips_survive_a_killed_run(tmp_path):
    code = f"""
import os, signal, numpy as np
from vadbench.submission import SubmissionWriter
writer = SubmissionWriter({str(tmp_path / "m")!r}, dataset="folder", method={METHOD!r}, training={TRAINING!r})
writer.write_clip("01", score_maps=np.ones((19, 6, 7), np.uint16))
with writer.clip("02", shape=(19, 6, 7)) as clip:
    clip.write_score_maps(np.ones((10, 6, 7), np.uint16))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    refused(SubmissionError, "S101", lambda: Submission.open(tmp_path / "m"), "resume=True")
    with writer_of(tmp_path / "m", resume=True) as writer:
        assert writer.clip_ids == ("01",)
        writer.write_clip("02", score_maps=maps())
    assert Submission.open(tmp_path / "m").clip_ids == ("01", "02")


def test_a_resumed_run_must_be_alike(tmp_path):
    with writer_of(tmp_path / "m") as writer:
        writer.write_clip("01", score_maps=maps())
    with writer_of(tmp_path / "m", resume=True) as writer:
        refused(SubmissionError, "S106", lambda: writer.write_clip("02", frame_scores=[1]))
        refused(SubmissionError, "S107", lambda: writer.write_clip("02", score_maps=maps(dtype="uint8")))
    assert Submission.open(tmp_path / "m").clip_ids == ("01",)


def test_resuming_gives_the_bytes_of_one_run(tmp_path):
    clips = {"01": clip_of(seed=1), "02": clip_of(seed=2)}
    write(tmp_path / "a", clips)
    write(tmp_path / "b", {"01": clips["01"]})
    with writer_of(tmp_path / "b", resume=True) as writer:
        writer.write_clip("02", **clips["02"])
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_what_is_there_is_not_overwritten_by_accident(tmp_path):
    path = write(tmp_path / "m", {"01": {"score_maps": maps()}})
    before = content(path)
    refused(UsageError, "U133", lambda: writer_of(path), "overwrite=True", "resume=True")
    refused(UsageError, "U135", lambda: writer_of(path, overwrite=True, resume=True))

    def run_that_fails():
        with writer_of(path, overwrite=True) as writer:
            writer.write_clip("07", score_maps=maps())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_that_fails()
    assert content(path) == before
    with writer_of(path, overwrite=True) as writer:
        writer.write_clip("08", score_maps=maps())
        assert content(path) == before
    assert Submission.open(path).clip_ids == ("08",)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("option", ["overwrite", "resume"])
def test_what_is_no_submission_is_left_alone(tmp_path, option):
    (tmp_path / "thesis.tex").write_text("x")
    refused(UsageError, "U134", lambda: writer_of(tmp_path, **{option: True}), "thesis.tex")
    refused(UsageError, "U134", lambda: writer_of(tmp_path / "thesis.tex", **{option: True}))
    assert (tmp_path / "thesis.tex").read_text() == "x"


def test_an_empty_folder_may_be_written_into(tmp_path):
    (tmp_path / "m").mkdir()
    write(tmp_path / "m", {"01": {"frame_scores": [1.0]}})
    assert Submission.open(tmp_path / "m").clip_ids == ("01",)


def test_a_submission_without_clips_is_not_finished(tmp_path):
    writer = writer_of(tmp_path / "m")
    refused(SubmissionError, "S103", writer.close)
    writer.write_clip("01", frame_scores=[1.0])
    writer.close()
    writer.close()
    refused(UsageError, "U135", lambda: writer.write_clip("02", frame_scores=[1.0]))


def test_provenance_is_written_sorted(tmp_path):
    path = write(tmp_path / "m", {"01": {"frame_scores": [1.0]}}, provenance={"z": 1, "a": "ü"})
    text = (path / "provenance.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"a": "ü", "z": 1}
    assert text.index('"a"') < text.index('"z"')


@st.composite
def masks(draw):
    height, width, n_rows = draw(st.integers(1, 6)), draw(st.integers(1, 6)), draw(st.integers(0, 4))
    pixels = st.integers(1, 2 ** (height * width) - 1)
    rows = [draw(pixels) for _ in range(n_rows)]
    bits = [[value >> i & 1 for i in range(height * width)] for value in rows]
    return np.array(bits, dtype=bool).reshape(n_rows, height, width)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(masks(), st.data())
def test_masks_survive_the_file(tmp_path_factory, given_masks, data):
    n_rows, height, width = given_masks.shape
    frames = sorted(data.draw(st.lists(st.integers(0, 3), min_size=n_rows, max_size=n_rows)))
    encoded = Instances.from_masks(frames, given_masks, np.zeros(n_rows), height=height, width=width)
    path = tmp_path_factory.mktemp("masks") / "m"
    write(path, {"01": {"instances": encoded}})
    read = Submission.open(path).clip(Clip("01", 4, height, width)).instances
    assert read.frames.tolist() == frames
    for row in range(n_rows):
        np.testing.assert_array_equal(read.mask(row), given_masks[row])
