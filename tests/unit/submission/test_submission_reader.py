"""What a submission predicts comes back as it was written; what breaks a rule is named with clip, row and frame."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from made_submissions import (
    SHAPE,
    TRAINING,
    clip_of,
    dataset_of,
    instances,
    maps,
    read_maps,
    write,
    write_with_zarr,
)

from vadbench.datasets.base import Clip
from vadbench.errors import SubmissionError, UsageError
from vadbench.prediction import Detections, Instances, Prediction, PredictionKind
from vadbench.submission import StoredScoreMaps, Submission

CLIP = Clip("01", *SHAPE)


def sent(value):
    return pickle.loads(pickle.dumps(value))  # noqa: S301  # our own bytes


def same(read, given):
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, given)


def test_every_kind_comes_back(full):
    submission = Submission.open(full)
    given = clip_of(seed=1)
    prediction = submission.clip(CLIP)
    assert submission.predictions == prediction.kinds == tuple(PredictionKind)
    assert isinstance(prediction.maps, StoredScoreMaps)
    assert prediction.maps.shape == SHAPE
    same(np.concatenate([block for _, block in prediction.maps.blocks()]), given["score_maps"])
    for name in ("frames", "scores", "counts", "offsets", "objects"):
        same(getattr(prediction.instances, name), getattr(given["instances"], name))
    same(prediction.instances.mask(1), given["instances"].mask(1))
    for name in ("frames", "boxes", "scores"):
        same(getattr(prediction.detections, name), getattr(given["detections"], name))
    assert prediction.detections.objects is None
    same(prediction.frame_scores, given["frame_scores"])
    assert prediction.frame_scores.dtype == np.float32


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtypes_of_scores_are_kept(tmp_path, dtype):
    rows = instances([0], [4])
    parts = {
        "instances": Instances(6, 7, rows.frames, rows.scores.astype(dtype), rows.counts, rows.offsets, rows.objects),
        "detections": Detections([0], np.array([[0, 0, 1, 1]], dtype=dtype), np.array([0.1], dtype=dtype), [5]),
        "frame_scores": np.array([0.1], dtype=dtype),
    }
    prediction = Submission.open(write(tmp_path / "m", {"01": parts})).clip(Clip("01", 1, 6, 7))
    assert prediction.instances.scores.dtype == np.dtype(dtype)
    assert prediction.detections.boxes.dtype == prediction.detections.scores.dtype == np.dtype(dtype)
    assert prediction.frame_scores.dtype == np.dtype(dtype)
    assert prediction.detections.objects.tolist() == [5]
    assert prediction.instances.objects.tolist() == [4]


def test_a_clip_without_a_finding(tmp_path):
    nothing = {
        "instances": Instances.from_masks([], [], [], height=6, width=7),
        "detections": Detections([], np.zeros((0, 4)), []),
    }
    some = {"instances": instances([1], None), "detections": Detections([0], [[0, 0, 1, 1]], [1.0])}
    submission = Submission.open(write(tmp_path / "m", {"01": nothing, "02": some}))
    prediction = submission.clip(CLIP)
    assert len(prediction.instances) == len(prediction.detections.frames) == 0
    assert prediction.instances.objects is None
    assert prediction.instances.boxes().shape == prediction.detections.boxes.shape == (0, 4)
    submission.check_against(dataset_of({"01": SHAPE, "02": SHAPE}))
    assert len(submission.fingerprint) == 64


def test_large_chunks_are_handed_on_in_eights(tmp_path):
    path = write_with_zarr(tmp_path / "m", {"01": maps()}, chunk_frames=12)
    lengths = [len(block) for _, block in Submission.open(path).clip("01").maps.blocks()]
    assert lengths == [8, 4, 7]
    same(read_maps(path), maps())


def test_everything_can_be_sent_to_a_worker(full):
    submission = sent(Submission.open(full))
    prediction = sent(submission.clip(CLIP))
    same(np.concatenate([block for _, block in prediction.maps.blocks()]), clip_of(seed=1)["score_maps"])
    assert submission.fingerprint == Submission.open(full).fingerprint


def test_the_reader_needs_no_zarr_and_the_package_nothing(full):
    code = (
        "import sys, vadbench.submission as s\n"
        "assert not {'zarr', 'numcodecs', 'pydantic', 'scipy'} & sys.modules.keys()\n"
        "submission = s.Submission.open(sys.argv[1])\n"
        "list(submission.clip('01').maps.blocks()), submission.fingerprint\n"
        "assert 'zarr' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code, str(full)], check=True)


def test_public_names_are_those_that_are_listed():
    import vadbench.submission as room

    assert all(hasattr(room, name) for name in room.__all__)
    assert dir(room) == sorted(room.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        room.nothing  # noqa: B018


def test_a_clip_by_its_id_needs_a_known_size(tmp_path, full):
    assert Submission.open(full).clip("01").instances.height == 6
    path = write(tmp_path / "m", {"01": {"frame_scores": np.zeros(3)}})
    assert Submission.open(path).clip("01").frame_scores.shape == (3,)
    path = write(tmp_path / "n", {"01": {"instances": instances()}})
    with pytest.raises(UsageError) as caught:
        Submission.open(path).clip("01")
    assert caught.value.code == "U132"
    with pytest.raises(UsageError) as caught:
        Submission.open(path).clip("1")
    assert caught.value.code == "U131"


def test_provenance_is_shown_and_not_part_of_the_fingerprint(tmp_path):
    bare = Submission.open(write(tmp_path / "a", {"01": clip_of()}))
    told = Submission.open(write(tmp_path / "b", {"01": clip_of()}, provenance={"stride": 4, "models": ["x"]}))
    assert bare.provenance() is None
    assert told.provenance() == {"stride": 4, "models": ["x"]}
    assert bare.fingerprint == told.fingerprint
    (tmp_path / "b/provenance.json").write_text("{")
    with pytest.raises(SubmissionError) as caught:
        Submission.open(tmp_path / "b")
    assert caught.value.code == "S113"


def test_a_prediction_read_can_be_written_again(full, tmp_path):
    submission = Submission.open(full)
    again = {i: {"prediction": submission.clip(Clip(i, *SHAPE))} for i in submission.clip_ids}
    assert all(isinstance(parts["prediction"], Prediction) for parts in again.values())
    copied = write(tmp_path / "copy", again, training=TRAINING)
    assert Submission.open(copied).fingerprint == submission.fingerprint
