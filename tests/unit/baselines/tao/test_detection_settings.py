"""Settings of the detectors: what is out of range is refused, and only those of the kind count."""

import pytest

from baselines.tao.detection.settings import (
    BackgroundDetectionSettings,
    DetectionSettings,
    DetectorKind,
    MaskRcnnSettings,
    Subtractor,
)
from vadbench import UsageError


@pytest.mark.parametrize(
    "wrong",
    [
        {"training_frames": 0},
        {"training_frames": 1.5},
        {"threshold": 0.0},
        {"threshold": float("nan")},
        {"noise": -1.0},
        {"light_window": -0.1},
        {"gap_width": -0.1},
        {"gap_height": float("inf")},
        {"least_area": -1.0},
        {"group": 0.0},
        {"part_distance": 0.0},
        {"part_core": -0.1},
    ],
)
def test_the_background_detector_refuses_values_out_of_range(wrong):
    with pytest.raises(UsageError) as error:
        BackgroundDetectionSettings(**wrong)
    assert error.value.code == "B206"
    assert next(iter(wrong)) in error.value.message


@pytest.mark.parametrize(
    "wrong",
    [{"least_score": 1.0}, {"least_score": -0.1}, {"most_covered": 0.0}, {"most_covered": 1.1}, {"sha256": "abc"}],
)
def test_mask_rcnn_refuses_values_out_of_range(wrong):
    with pytest.raises(UsageError) as error:
        MaskRcnnSettings(**wrong)
    assert error.value.code == "B206"


def test_unknown_kinds_name_the_known_ones():
    with pytest.raises(UsageError) as error:
        DetectionSettings("boxes")
    assert error.value.code == "B205"
    assert 'did you mean "boxes-csv"' in error.value.hint
    with pytest.raises(UsageError):
        BackgroundDetectionSettings(subtractor="mog3")


def test_plain_words_become_choices():
    settings = DetectionSettings("background", BackgroundDetectionSettings("knn"))
    assert settings.kind is DetectorKind.BACKGROUND
    assert settings.background.subtractor is Subtractor.KNN


@pytest.mark.parametrize("kind", list(DetectorKind))
def test_the_settings_of_the_kind_are_its_own(kind):
    settings = DetectionSettings(kind)
    own = {
        DetectorKind.BACKGROUND: settings.background,
        DetectorKind.BOXES_CSV: settings.boxes_csv,
        DetectorKind.TORCHVISION: settings.torchvision,
    }
    assert settings.own is own[kind]
