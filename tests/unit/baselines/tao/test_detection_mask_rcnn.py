"""Mask R-CNN: what is done to its boxes, and what is said where it cannot run."""

import hashlib
import sys

import numpy as np
import pytest

from baselines.tao.detection.mask_rcnn import MaskRcnnDetector, covered, kept_boxes
from baselines.tao.detection.settings import DetectionSettings, MaskRcnnSettings, make_detector
from vadbench import DataError, MemoryDataset, UsageError


def test_a_box_mostly_inside_a_larger_one_is_covered():
    large = [0, 0, 10, 10]
    assert covered([large, [5, 0, 12, 4]], 0.6).tolist() == [False, True]  # 20 of 28
    assert covered([[5, 0, 12, 4], large], 0.6).tolist() == [True, False]
    assert covered([large, [7, 0, 12, 4]], 0.6).tolist() == [False, False]  # 12 of 20 is not more than 0.6
    assert covered([large, [20, 0, 22, 2]], 0.6).tolist() == [False, False]


def test_the_larger_box_is_never_covered_by_the_smaller():
    assert covered([[0, 0, 10, 10], [0, 0, 10, 9]], 0.6).tolist() == [False, True]


def test_of_equal_boxes_the_first_stays():
    assert covered([[0, 0, 4, 4]] * 3, 0.6).tolist() == [False, True, True]


def test_what_is_covered_covers_others():
    chain = [[0, 0, 3, 10], [0, 0, 4, 10], [1.5, 0, 8, 10]]
    # The first is inside the second; the second is by 2.5 of 4 inside the third, by which the first is half covered.
    assert covered(chain, 0.6).tolist() == [True, True, False]


def test_no_boxes_are_covered_by_none():
    assert covered(np.empty((0, 4)), 0.6).tolist() == []


def test_scores_must_be_above_the_least_and_boxes_are_cut_to_the_frame():
    boxes = [[-5, 2, 10, 9], [20, 0, 25, 5], [30, 2, 45, 9], [50, 0, 60, 5]]
    kept = kept_boxes(boxes, [0.9, 0.5, 0.51, 0.99], 8, 40, MaskRcnnSettings())
    assert kept.tolist() == [[0, 2, 10, 8], [30, 2, 40, 8]]
    assert kept_boxes(np.empty((0, 4)), [], 8, 40, MaskRcnnSettings()).shape == (0, 4)


def test_an_unsure_box_covers_nothing():
    boxes = [[0, 0, 30, 30], [1, 1, 9, 9]]
    assert kept_boxes(boxes, [0.4, 0.9], 40, 40, MaskRcnnSettings()).tolist() == [[1, 1, 9, 9]]
    assert kept_boxes(boxes, [0.6, 0.9], 40, 40, MaskRcnnSettings()).tolist() == [[0, 0, 30, 30]]


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"no weights")
    return path


@pytest.mark.parametrize("package", ["torch", "torchvision"])
def test_without_its_packages_it_says_how_to_install_them(weights, package, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", sys)
    monkeypatch.setitem(sys.modules, "torchvision", sys)
    # None in this table is what Python takes for a package that is not there.
    monkeypatch.setitem(sys.modules, package, None)
    settings = DetectionSettings("torchvision", torchvision=MaskRcnnSettings(weights))
    with pytest.raises(UsageError) as error:
        make_detector(settings, MemoryDataset({}))
    assert error.value.code == "B211"
    assert f"the package {package}," in error.value.message
    assert "pip install" in error.value.hint


def test_weights_must_be_given_and_there(tmp_path):
    for path in (None, tmp_path / "absent.pth"):
        with pytest.raises(UsageError) as error:
            MaskRcnnDetector(MaskRcnnSettings(path))
        assert error.value.code == "B209"
        assert "maskrcnn_resnet50_fpn" in error.value.expected


def test_weights_of_another_digest_are_refused(weights, monkeypatch):
    with pytest.raises(DataError) as error:
        MaskRcnnDetector(MaskRcnnSettings(weights, sha256="0" * 64))
    assert error.value.code == "B209"
    assert "10 bytes" in error.value.got
    right = hashlib.sha256(b"no weights").hexdigest().upper()
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError) as error:
        MaskRcnnDetector(MaskRcnnSettings(weights, sha256=right))
    assert error.value.code == "B211"
