"""Pixels of overlays are where they should be, and what is written is the same every time."""

import re

import numpy as np
import pytest
from PIL import Image

from vadbench import (
    DataError,
    Detections,
    Instances,
    MemoryDataset,
    Prediction,
    Submission,
    SubmissionWriter,
    Truth,
    UsageError,
)
from vadbench.overlay import (
    BOX_COLOUR,
    THRESHOLD_COLOUR,
    TRUTH_COLOUR,
    heat_over,
    most_anomalous_frame,
    overlay,
    score_span,
    write_overlay,
)
from vadbench.plots.score_scale import declared_scale
from vadbench.submission.schema import MapScale

GREY = np.full((8, 10), 90, dtype=np.uint8)


def has_colour(picture, colour):
    return (picture == np.array(colour)).all(axis=2)


def test_without_anything_the_frame_in_grey_is_left():
    colour = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    picture = overlay(colour, None, None)
    assert picture.dtype == np.uint8
    assert picture.shape == (4, 5, 3)
    expected = np.rint(colour @ np.array([0.299, 0.587, 0.114]))
    assert (picture == expected[:, :, None]).all()


def test_the_outline_of_the_truth_is_the_inner_border():
    mask = np.zeros(GREY.shape, dtype=bool)
    mask[2:6, 3:8] = True
    border = mask.copy()
    border[3:5, 4:7] = False
    picture = overlay(GREY, mask, None)
    assert (has_colour(picture, TRUTH_COLOUR) == border).all()
    assert (picture[~border] == 90).all()


def test_an_outline_is_closed_at_the_frames_end():
    picture = overlay(GREY, np.ones(GREY.shape, dtype=bool), None)
    line = has_colour(picture, TRUTH_COLOUR)
    assert line[0].all()
    assert line[:, -1].all()
    assert not line[1:-1, 1:-1].any()


def test_scale_enlarges_by_whole_pixels_and_lines_stay_inside():
    mask = np.zeros(GREY.shape, dtype=bool)
    mask[2:6, 3:8] = True
    picture = overlay(GREY, mask, None, scale=4)
    assert picture.shape == (32, 40, 3)
    line = has_colour(picture, TRUTH_COLOUR)
    assert line[8:10, 12:32].all()
    assert not line[10, 14:30].any()
    assert line.sum() == 16 * 20 - 12 * 16


def test_heat_rises_from_nothing_to_the_hottest():
    scores = np.array([[0, 25, 50, 100, 200]])
    picture = overlay(np.full((1, 5), 90), None, scores, lower=25, upper=100, opacity=1.0)
    assert (picture[0, :2] == 90).all()
    assert picture[0, 3].tolist() == picture[0, 4].tolist() == [252, 255, 164]
    assert picture[0, 2].tolist() not in (picture[0, 1].tolist(), picture[0, 3].tolist())


def test_hotter_is_lighter():
    colours = heat_over(np.zeros((64, 3)), np.linspace(0, 1, 64), 1.0)
    lightness = colours @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(lightness) > 0).all()


@pytest.mark.parametrize("scores", [np.full((8, 10), 7), np.full((8, 10), -np.inf)])
def test_a_constant_map_has_no_heat(scores):
    assert (overlay(GREY, None, scores) == 90).all()


def test_minus_infinity_is_the_lowest():
    scores = np.full((8, 10), -np.inf)
    scores[0, 0], scores[0, 1] = 1.0, 2.0
    picture = overlay(GREY, None, scores)
    assert (picture[1:] == 90).all()
    assert not (picture[0, 1] == 90).all()
    assert score_span(scores) == (1.0, 2.0)


def test_the_threshold_is_reached_by_equal_scores():
    scores = np.zeros(GREY.shape)
    scores[2:5, 2:5] = 10.0
    line = has_colour(overlay(GREY, None, scores, threshold=10.0), THRESHOLD_COLOUR)
    assert line.sum() == 8
    assert line[2, 2]
    assert not line[3, 3]
    assert not has_colour(overlay(GREY, None, scores, threshold=10.5), THRESHOLD_COLOUR).any()


def test_boxes_are_half_open_and_may_reach_beyond_the_frame():
    line = has_colour(overlay(GREY, None, None, boxes=[[1, 2, 5, 6]]), BOX_COLOUR)
    rows, columns = np.nonzero(line)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 5, 1, 4)
    assert line.sum() == 12
    assert has_colour(overlay(GREY, None, None, boxes=[[-3, -3, 3, 3]]), BOX_COLOUR).any()


def test_shapes_that_disagree():
    for given in ({"truth_mask": np.zeros((3, 3)), "score_map": None}, {"truth_mask": None, "score_map": GREY[1:]}):
        with pytest.raises(DataError) as caught:
            overlay(GREY, **given)
        assert caught.value.code == "D370"
    with pytest.raises(DataError):
        overlay(np.zeros((2, 2, 4)), None, None)
    with pytest.raises(DataError):
        overlay(GREY, None, GREY, lower=2.0, upper=1.0)


def test_the_largest_area_of_all_clips(dataset):
    assert most_anomalous_frame(dataset) == ("01", 2)


def test_no_anomaly_at_all():
    calm = MemoryDataset({"01": Truth.from_arrays(np.zeros((2, 3, 4))), "02": Truth.from_arrays(shape=(2, 3, 4))})
    with pytest.raises(DataError) as caught:
        most_anomalous_frame(calm)
    assert caught.value.code == "D372"


def test_written_pictures_have_the_truth_where_it_is(dataset, predictions, tmp_path):
    path = write_overlay(tmp_path / "a.png", dataset, predictions, "01", 2, threshold=120)
    picture = np.asarray(Image.open(path).convert("RGB"))
    # 12 rows become 480, at the places that `framed_picture` sets: 16 from the left, 40 from the top.
    rows, columns = np.nonzero(has_colour(picture[40:520, 16:656], TRUTH_COLOUR))
    assert (rows.min(), rows.max() + 1) == (2 * 40, 9 * 40)
    assert (columns.min(), columns.max() + 1) == (3 * 40, 9 * 40)
    again = write_overlay(tmp_path / "b.png", dataset, predictions, "01", 2, threshold=120)
    assert again.read_bytes() == path.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "b.png"}


def test_the_shown_frame_is_the_asked_for_one(dataset, predictions, tmp_path):
    path = write_overlay(tmp_path / "a.png", dataset, predictions, "02", 5, lower=1000, upper=2000)
    picture = np.asarray(Image.open(path).convert("RGB"))
    # The range is above every score, so that the grey level of frame 5 is left.
    assert (picture[40:520, 16:656] == 90).all()


def test_instances_and_detections_are_shown(dataset, tmp_path):
    mask = np.zeros((12, 16), dtype=bool)
    mask[0:4, 0:4] = True
    prediction = Prediction(
        instances=Instances.from_masks([2], [mask], [0.5], height=12, width=16),
        detections=Detections(np.array([1, 2]), np.array([[0, 0, 2, 2], [8, 4, 12, 8]]), np.array([1.0, 1.0])),
    )
    path = write_overlay(tmp_path / "a.png", dataset, {"01": prediction}, "01", 2)
    picture = np.asarray(Image.open(path).convert("RGB"))[40:520, 16:656]
    assert picture[60, 60].tolist() != [60, 60, 60]
    assert picture[440, 600].tolist() == [60, 60, 60]
    rows, columns = np.nonzero(has_colour(picture, BOX_COLOUR))
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (160, 320, 320, 480)


def words_of(path):
    return re.findall(r"<text [^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))


def written(path, dataset, predictions, **declared):
    chosen_on = "training" if "threshold" in declared else "none"
    writer = SubmissionWriter(
        path,
        dataset=dataset,
        method={"name": "Mine", "authors": [], "year": 2026, "code": "https://code.example"},
        training={"supervision": "one-class", "data": [], "pretrained": [], "threshold_chosen_on": chosen_on},
        score_maps=declared,
    )
    with writer:
        for clip in dataset.clips:
            writer.write_clip(clip.id, predictions[clip.id])
    return Submission.open(path)


def test_the_colour_bar_has_the_methods_own_scores(dataset, predictions, tmp_path):
    stored = np.concatenate([block for _, block in predictions["01"].maps.blocks()])
    least, most = int(stored.min()), int(stored.max())
    submission = written(tmp_path / "own", dataset, predictions, threshold=120, lower=-10.0, upper=6543.5)
    # 65 535 stored numbers span 6553.5 own units, so that 120 stands for -10 + 12.
    words = words_of(write_overlay(tmp_path / "own.svg", dataset, submission, "01", 2))
    assert f"score of the method (stored: {least} … {most})" in words
    assert "score ≥ 2 (stored 120)" in words
    ticks = [float(word.replace("−", "-")) for word in words if re.fullmatch(r"[−\d.]+", word)]
    assert min(ticks) >= -10 + least / 10 - 1e-9
    assert max(ticks) <= -10 + most / 10 + 1e-9
    bare = words_of(
        write_overlay(tmp_path / "bare.svg", dataset, written(tmp_path / "bare", dataset, predictions), "01", 2)
    )
    assert "score, as stored" in bare
    assert not any("method" in word for word in bare)


def test_own_scores_that_fall_still_have_the_mark(dataset, predictions, tmp_path):
    pictures = []
    for lower, upper in [(0.0, 65535.0), (65535.0, 0.0)]:
        name = f"{lower:g}"
        submission = written(tmp_path / name, dataset, predictions, threshold=120, lower=lower, upper=upper)
        path = write_overlay(tmp_path / f"{name}.png", dataset, submission, "01", 2)
        pictures.append(np.asarray(Image.open(path).convert("RGB"))[:520, :680])
    # The colours and the mark are in the same places; the numbers beside and below alone differ.
    assert (pictures[0] == pictures[1]).all()
    # No colour of the bar is as light as the mark in all three channels.
    assert pictures[0][40:520, 675].min(axis=1).max() > 200


@pytest.mark.parametrize(
    ("declared", "dtype", "largest"),
    [
        (MapScale(lower=0.0, upper=1.0), np.uint8, 255),
        (MapScale(lower=0.0, upper=1.0), np.uint16, 65535),
        (MapScale(lower=0.0, upper=1.0), np.float32, None),
        (MapScale(lower=1.0, upper=1.0), np.uint8, None),
        (MapScale(threshold=4), np.uint8, None),
        (None, np.uint8, None),
    ],
)
def test_own_scores_are_known_for_integers_with_a_range(declared, dtype, largest):
    maps = Prediction(score_maps=np.zeros((2, 3, 4), dtype=dtype)).maps
    assert declared_scale(declared, maps).largest == largest


def test_what_is_missing_is_said(dataset, predictions, tmp_path):
    path = tmp_path / "a.png"
    bare = MemoryDataset({clip.id: dataset.truth(clip.id) for clip in dataset.clips})
    for given, clip_id, frame, kind, code in [
        (bare, "01", 0, DataError, "D210"),
        (dataset, "01", 6, DataError, "D371"),
        (dataset, "01", -1, DataError, "D371"),
        (dataset, "03", 0, UsageError, "U110"),
    ]:
        with pytest.raises(kind) as caught:
            write_overlay(path, given, predictions, clip_id, frame)
        assert caught.value.code == code
    with pytest.raises(UsageError) as caught:
        write_overlay(path, dataset, {"02": predictions["02"]}, "01", 0)
    assert caught.value.code == "U157"
    with pytest.raises(UsageError) as caught:
        write_overlay(tmp_path / "a.gif", dataset, predictions, "01", 0)
    assert caught.value.code == "U154"
    assert not list(tmp_path.iterdir())
