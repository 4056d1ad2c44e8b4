"""Rows, shapes and scores that break a rule are named with clip, row and frame."""

import shutil

import numpy as np
import pytest
import zarr
from made_submissions import (
    SHAPE,
    maps,
    write_with_zarr,
)

from vadbench.datasets.base import Clip
from vadbench.errors import SubmissionError
from vadbench.submission import Submission

CLIP = Clip("01", *SHAPE)


# The arrays are changed behind the writer's back.


def store(path, name, values):
    """Put other values into an array of clip 01."""
    place = path / "predictions.zarr/01" / name
    shutil.rmtree(place)
    group = zarr.open_group(str(place.parent), mode="r+")
    array = group.create_array(
        place.name,
        shape=values.shape,
        chunks=tuple(max(n, 1) for n in values.shape),
        dtype=values.dtype,
        config={"write_empty_chunks": True},
    )
    if values.size:
        array[...] = values


def refused(path, code, *said, clip=CLIP):
    with pytest.raises(SubmissionError) as caught:
        Submission.open(path).clip(clip)
    assert caught.value.code == code, caught.value
    assert caught.value.where[:2] == (str(path), "clip 01")
    for words in said:
        assert words in str(caught.value), caught.value
    return caught.value


@pytest.mark.parametrize(
    ("name", "values", "code", "said"),
    [
        ("detections/frame", [2, 1, 2], "S141", ["row 1", "frame 1 after frame 2"]),
        ("detections/frame", [-1, 1, 2], "S141", ["row 0", "frame -1"]),
        ("detections/frame", [1, 2, 19], "S141", ["row 2", "frame 19", "0 to 18"]),
        ("instances/frame", [1, 2, 2**31 - 1], "S141", ["row 2"]),
        ("instances/object", [0, -1, 0], "S144", ["row 1"]),
    ],
)
def test_wrong_integers(full, name, values, code, said):
    store(full, name, np.array(values, dtype=np.int32))
    refused(full, code, name.split("/")[0], *said)


@pytest.mark.parametrize("name", ["detections/score", "instances/score"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_wrong_scores(full, name, value):
    store(full, name, np.array([0, 1, value]))
    refused(full, "S140", name.split("/")[0], "row 2", str(value))


def test_wrong_frame_scores(full):
    scores = np.zeros(19)
    scores[7] = np.nan
    store(full, "frame_scores", scores)
    refused(full, "S140", "frame_scores", "frame 7")
    store(full, "frame_scores", np.zeros(18))
    refused(full, "S104", "frame_scores", "19 frames", "18 frames", "windows")
    store(full, "frame_scores", np.zeros((19, 1)))
    refused(full, "S132", "(T)")


@pytest.mark.parametrize(
    ("box", "hint"),
    [
        ([-0.1, 0, 1, 1], "cut"),
        ([0, -1, 1, 1], "cut"),
        ([0, 0, 7.1, 1], "cut"),
        ([0, 0, 1, 6.1], "cut"),
        ([3, 2, 3, 4], "x2 + 1"),
        ([3, 2, 4, 2], "x2 + 1"),
        ([4, 0, 3, 1], "cut"),
        ([np.nan, 0, 1, 1], ""),
        ([0, 0, np.inf, 1], ""),
    ],
)
def test_wrong_boxes(full, box, hint):
    store(full, "detections/box", np.array([[0, 0, 7, 6], box, [0, 0, 1, 1]], dtype=np.float64))
    error = refused(full, "S142", "detections", "row 1", "frame 2", "W is 7", "H is 6")
    assert hint in error.hint


def runs(counts, offsets):
    return np.array(counts, dtype=np.uint32), np.array(offsets, dtype=np.int64)


@pytest.mark.parametrize(
    ("counts", "offsets", "said"),
    [
        ([0, 42, 0, 42, 0, 42], [0, 2, 4, 6], None),
        ([1, 41, 0, 42, 40, 1, 1], [0, 2, 4, 7], None),
        ([0, 42, 0, 42, 0, 42], [1, 2, 4, 6], "offsets"),
        ([0, 42, 0, 42, 0, 42], [0, 2, 4, 5], "offsets"),
        ([0, 42, 0, 42, 0, 42], [0, 2, 2, 6], "offsets"),
        ([0, 42, 0, 42, 0, 42], [0, 4, 2, 6], "offsets"),
        ([0, 42, 0, 42, 0, 42], [0, -(2**62), 4, 6], "offsets"),
        ([0, 42, 0, 41, 0, 42], [0, 2, 4, 6], "row 1"),
        ([0, 42, 0, 2**32 - 1, 0, 42], [0, 2, 4, 6], "row 1"),
        ([0, 42, 0, 42, 42], [0, 2, 4, 5], "row 2"),
        ([0, 42, 1, 0, 41, 0, 42], [0, 2, 5, 7], "row 1"),
        ([0, 42, 1, 41, 0, 0, 42], [0, 2, 5, 7], "row 1"),
    ],
)
def test_run_lengths(full, counts, offsets, said):
    stored_counts, stored_offsets = runs(counts, offsets)
    store(full, "instances/counts", stored_counts)
    store(full, "instances/offsets", stored_offsets)
    if said is None:
        assert len(Submission.open(full).clip(CLIP).instances) == 3
    else:
        refused(full, "S143", "instances", said)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("detections/frame", np.array([1, 2, 2])),
        ("detections/box", np.zeros((3, 5))),
        ("detections/box", np.zeros((3, 4), dtype=np.int32)),
        ("detections/score", np.zeros((3, 1))),
        ("detections/score", np.zeros(3, dtype=np.uint8)),
        ("instances/counts", np.zeros(3, dtype=np.int32)),
        ("instances/offsets", np.zeros(4, dtype=np.int32)),
        ("instances/offsets", np.zeros(0, dtype=np.int64)),
        ("score_maps", np.zeros((19, 6, 7), dtype=np.int32)),
        ("score_maps", np.zeros((19, 42), dtype=np.uint8)),
        ("frame_scores", np.zeros(19, dtype=np.int64)),
        ("frame_scores", np.zeros(0)),
    ],
)
def test_wrong_dtypes_and_shapes(full, name, values):
    store(full, name, values)
    refused(full, "S132")


def test_maps_are_cut_by_whole_frames(tmp_path):
    path = write_with_zarr(tmp_path / "m", {"01": maps()})
    shutil.rmtree(path / "predictions.zarr/01/score_maps")
    group = zarr.open_group(str(path / "predictions.zarr/01"), mode="r+")
    group.create_array("score_maps", shape=SHAPE, chunks=(8, 3, 7), dtype="uint8")
    refused(path, "S132", "chunks (c, 6, 7)")


def test_rows_of_a_kind_are_as_many(full):
    store(full, "detections/score", np.zeros(2))
    refused(full, "S145", "frame of 3 rows", "score of 2 rows")
    store(full, "detections/score", np.zeros(3))
    store(full, "instances/offsets", np.array([0, 2, 4], dtype=np.int64))
    refused(full, "S145", "offsets of 2 rows")


@pytest.mark.parametrize("name", ["detections/score", "instances/offsets", "instances/counts"])
def test_a_missing_array(full, name):
    shutil.rmtree(full / "predictions.zarr/01" / name)
    refused(full, "S135", f"no array {name.split('/')[1]}")


def test_a_missing_node(full):
    (full / "predictions.zarr/01/detections/zarr.json").unlink()
    refused(full, "S135", "zarr.json")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_pixel_that_is_not_finite_is_named(tmp_path, value, dtype):
    scores = maps(dtype=dtype)
    scores[10, 4, 2] = value
    path = write_with_zarr(tmp_path / "m", {"01": scores})
    blocks = Submission.open(path).clip("01").maps.blocks()
    assert next(blocks)[0] == 0
    with pytest.raises(SubmissionError) as caught:
        next(blocks)
    assert caught.value.code == "S140"
    assert caught.value.where == (str(path), "clip 01", "score_maps", "frame 10", "pixel (x 2, y 4)")
    assert caught.value.got == str(value)


def test_size_and_length_of_a_clip(full):
    refused(full, "S104", "20 frames", "19 frames", clip=Clip("01", 20, 6, 7))
    assert "swapped" in refused(full, "S105", clip=Clip("01", 19, 7, 6)).hint
    assert "resize" in refused(full, "S105", clip=Clip("01", 19, 12, 14)).hint


def test_kinds_of_a_clip_are_those_of_the_list(full):
    shutil.rmtree(full / "predictions.zarr/01/detections")
    refused(full, "S106", "submission.toml")
