"""Attributes that need weights: what is said without weights or packages, and what of them needs neither."""

import importlib.util

import numpy as np
import pytest

from baselines.tao.box_table import BoxTable
from baselines.tao.scoring.embeddings import make_embedding
from baselines.tao.scoring.network_embeddings import where_to_get, without_head
from baselines.tao.scoring.networks import NetworkInput, fill_network, in_batches, prepared_crops
from baselines.tao.scoring.pose import KEYPOINTS, box_poses, make_pose
from baselines.tao.scoring.scorer import fit_scorer
from baselines.tao.scoring.settings import ScoringSettings
from vadbench import Clip, DataError, UsageError

without_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed")
EMBEDDINGS = {"torchvision": "resnet50", "timm": "vit_base_patch16_clip_224"}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"weights")
    return str(path)


@pytest.mark.parametrize("kind", EMBEDDINGS)
def test_an_embedding_without_the_name_of_a_model(kind, file):
    with pytest.raises(UsageError) as caught:
        make_embedding(ScoringSettings(embedding=kind, embedding_weights=file))
    assert caught.value.code == "B223"
    assert "scoring.embedding_model" in caught.value.hint


@pytest.mark.parametrize("kind", EMBEDDINGS)
@pytest.mark.parametrize(("place", "got"), [("none", "none"), ("absent", "no such file"), ("folder", "a folder")])
def test_an_embedding_without_weights(kind, place, got, tmp_path):
    path = {"none": "", "absent": str(tmp_path / "absent.pth"), "folder": str(tmp_path)}[place]
    settings = ScoringSettings(embedding=kind, embedding_model=EMBEDDINGS[kind], embedding_weights=path)
    with pytest.raises(UsageError) as caught:
        make_embedding(settings)
    error = caught.value
    assert (error.code, error.where, error.got) == ("B223", (path,), got)
    assert "scoring.embedding_weights" in error.hint
    assert error.expected == where_to_get(settings)
    assert EMBEDDINGS[kind] in error.expected


@pytest.mark.parametrize("path", ["", "absent.pth"])
def test_pose_without_weights(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        make_pose(ScoringSettings(attributes=("pose",), pose_weights=path))
    assert caught.value.code == "B223"
    assert "scoring.pose_weights" in caught.value.hint
    assert "keypointrcnn_resnet50_fpn_coco" in caught.value.expected


@without_torch
@pytest.mark.parametrize(("kind", "install"), [("torchvision", "torch torchvision"), ("timm", "timm")])
def test_an_embedding_without_packages(kind, install, file):
    settings = ScoringSettings(embedding=kind, embedding_model=EMBEDDINGS[kind], embedding_weights=file)
    with pytest.raises(UsageError) as caught:
        make_embedding(settings)
    assert (caught.value.code, caught.value.hint) == ("B203", f"pip install {install}")


@without_torch
def test_pose_without_packages(file):
    with pytest.raises(UsageError) as caught:
        make_pose(ScoringSettings(pose_weights=file))
    assert (caught.value.code, caught.value.hint) == ("B203", "pip install torch torchvision")


def test_missing_weights_are_told_before_any_frame_is_read():
    def never():
        raise AssertionError

    table = BoxTable.of_frames({0: [[0, 0, 4, 4]]})
    with pytest.raises(UsageError) as caught:
        fit_scorer(ScoringSettings(("velocity", "pose")), "synthetic", [Clip("01", 3, 8, 8, never)], {"01": table})
    assert caught.value.code == "B223"


def test_a_crop_is_resized_and_normalised():
    image = np.zeros((20, 30, 3), dtype=np.uint8)
    image[4:12, 10:20] = 255, 51, 0
    wanted = NetworkInput(6, 4, mean=(0.5, 0.1, 0.2), deviation=(0.25, 0.5, 0.1))
    crops = prepared_crops(image, np.array([[10, 4, 20, 12], [0, 0, 5, 4.0]]), wanted)
    assert (crops.shape, crops.dtype, crops.flags.c_contiguous) == ((2, 3, 6, 4), np.float32, True)
    # Red first: (1 - .5) / .25, (.2 - .1) / .5, (0 - .2) / .1.
    np.testing.assert_allclose(
        crops[0], np.broadcast_to(np.array([2.0, 0.2, -2.0])[:, None, None], (3, 6, 4)), rtol=1e-5
    )
    np.testing.assert_allclose(crops[1, :, 0, 0], [-2.0, -0.2, -2.0], rtol=1e-5)


def test_crops_keep_their_place():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 40, 3)).astype(np.uint8)
    as_is = NetworkInput(8, 8, (0.0,) * 3, (1.0,) * 3)
    crops = prepared_crops(image, np.array([[5, 7, 13, 15], [4, 6, 20, 22.0]]), as_is)
    np.testing.assert_allclose(crops[0] * 255, image[7:15, 5:13].transpose(2, 0, 1), atol=1e-3)
    # Shrunk by two: the mean of four pixels.
    halved = image[6:22, 4:20].reshape(8, 2, 8, 2, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    np.testing.assert_allclose(crops[1] * 255, halved, atol=0.51)
    larger = prepared_crops(image, np.array([[0, 0, 4, 4.0]]), as_is)[0] * 255
    # Enlarged without blocks: neighbours differ where those of the image do.
    assert (np.abs(np.diff(larger, axis=2)).max(axis=(0, 1)) > 1).all()
    assert prepared_crops(image, np.empty((0, 4)), as_is).shape == (0, 3, 8, 8)
    assert prepared_crops(image, np.array([[39.5, 39.5, 40, 40.0]]), as_is).shape == (1, 3, 8, 8)


def test_the_usual_constants():
    usual = NetworkInput()
    assert (usual.height, usual.width) == (224, 224)
    assert usual.mean == (0.485, 0.456, 0.406)
    assert usual.deviation == (0.229, 0.224, 0.225)


def test_batches():
    rows = np.arange(28.0).reshape(7, 4)
    parts = in_batches(rows, 3)
    assert [len(part) for part in parts] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate(parts), rows)
    assert len(in_batches(rows[:0], 3)) == 0


class Network:
    """What filling asks of a network, with arrays for tensors."""

    def __init__(self, **own):
        self.own, self.loaded = own, None

    def state_dict(self):
        return self.own

    def load_state_dict(self, weights):
        self.loaded = weights


def test_weights_that_fit(tmp_path):
    network, weights = Network(a=np.zeros(3)), {"a": np.ones(3)}
    fill_network(network, weights, tmp_path / "w.pth", what="a net", where_to_get="there")
    assert network.loaded is weights


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"a": np.ones(3)}, "1 missing (b)"),
        ({"a": np.ones(3), "b": np.ones(2), "c": 1, "d": 1}, "2 unknown (c d)"),
        ({"a": np.ones(4), "b": np.ones(2)}, "1 of another shape (a)"),
        ({"b": np.ones(1), "x": 1}, "1 missing (a), 1 unknown (x), 1 of another shape (b)"),
        ({}, "2 missing (a b)"),
    ],
)
def test_weights_of_another_network(tmp_path, weights, words):
    network = Network(a=np.zeros(3), b=np.zeros(2))
    with pytest.raises(DataError) as caught:
        fill_network(network, weights, tmp_path / "w.pth", what="a net", where_to_get="there")
    error = caught.value
    assert (error.code, error.where, error.expected) == ("B224", (str(tmp_path / "w.pth"),), "there")
    assert "a net" in error.message
    assert words in error.got
    assert network.loaded is None


def test_the_head_of_a_timm_model_is_left_out():
    weights = dict.fromkeys(["blocks.0.weight", "head.weight", "head.bias", "head_norm.weight", "head.norm.weight"], 1)
    kept = {"blocks.0.weight": 0, "head.norm.weight": 0}
    found = without_head(weights, {"classifier": "head"}, kept)
    assert list(found) == ["blocks.0.weight", "head_norm.weight", "head.norm.weight"]
    two = without_head(
        {"head.weight": 1, "head_dist.weight": 1, "norm.bias": 1}, {"classifier": ("head", "head_dist")}, {}
    )
    assert list(two) == ["norm.bias"]
    assert without_head({"head.weight": 1}, {"classifier": None}, {}) == {"head.weight": 1}


def joints_at(*places):
    return np.array([np.tile(place, (KEYPOINTS, 1)) for place in places], dtype=float).reshape(-1, KEYPOINTS, 2)


def test_joints_in_shares_of_the_box():
    boxes = np.array([[10.0, 20.0, 30.0, 60.0]])
    joints = joints_at((15, 30))
    joints[0, 16] = 34, 64
    found = box_poses(boxes, np.array([[11, 21, 31, 59.0]]), joints).reshape(1, KEYPOINTS, 2)
    np.testing.assert_allclose(found[0, 0], [0.25, 0.25])
    # Joints may lie outside.
    np.testing.assert_allclose(found[0, 16], [1.2, 1.1])


def test_the_same_person_near_and_far_has_the_same_pose():
    rng = np.random.default_rng(1)
    joints = rng.uniform(0, 1, (1, KEYPOINTS, 2))
    near, far = np.array([[10, 10, 50, 110.0]]), np.array([[200, 20, 208, 40.0]])
    first = box_poses(near, near, near[:, None, :2] + joints * [40, 100])
    second = box_poses(far, far, far[:, None, :2] + joints * [8, 20])
    np.testing.assert_allclose(first, second)
    np.testing.assert_allclose(first, joints.reshape(1, -1))


def test_each_box_has_the_person_that_overlaps_most():
    boxes = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [100, 100, 110, 110.0]])
    persons = np.array([[21, 0, 31, 10], [4, 0, 14, 10], [1, 0, 11, 10.0]])
    found = box_poses(boxes, persons, joints_at((25, 5), (9, 5), (6, 5)))
    np.testing.assert_allclose(found[:, :2], [[0.6, 0.5], [0.5, 0.5], [0.5, 0.5]])
    # The first box's is the third person, not the second, who overlaps less.
    np.testing.assert_allclose(found[0], np.tile([0.6, 0.5], KEYPOINTS))


@pytest.mark.parametrize(("shift", "has_person"), [(5.3, True), (5.5, False)])
def test_a_box_without_a_person_has_its_joints_in_its_middle(shift, has_person):
    # IoU (10 - s) / (10 + s): 0.307 and 0.290, about the limit of 0.3.
    boxes, persons = np.array([[0, 0, 10, 10.0]]), np.array([[shift, 0, 10 + shift, 10.0]])
    found = box_poses(boxes, persons, joints_at((10, 0)))
    np.testing.assert_allclose(found, np.tile([1.0, 0.0] if has_person else [0.5, 0.5], KEYPOINTS)[None])


def test_poses_without_persons_or_boxes():
    none = np.empty((0, 4))
    np.testing.assert_array_equal(
        box_poses(np.array([[0, 0, 4, 4.0]]), none, np.empty((0, KEYPOINTS, 2))), np.full((1, 34), 0.5)
    )
    assert box_poses(none, np.array([[0, 0, 4, 4.0]]), joints_at((1, 1))).shape == (0, 34)
