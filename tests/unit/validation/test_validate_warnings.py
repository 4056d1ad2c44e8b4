"""Every warning is given where it belongs, and not where it does not; none changes the exit code."""

import numpy as np
import pytest
from made_submissions import METHOD, TRAINING, write

from vadbench.datasets.base import MemoryDataset
from vadbench.prediction import Detections, Instances
from vadbench.submission.problems import TITLES
from vadbench.truth import Truth
from vadbench.validation import validate
from vadbench.validation.clip_contents import RowFacts
from vadbench.validation.object_ids import id_facts, mask_boxes
from vadbench.validation.row_warnings import fraction_remarks, frame_base_check, run_order_remarks
from vadbench.validation.run_order import run_order
from vadbench.validation.warnings import sourceless_models, training_contradictions

SIZE = (24, 20, 30)
TRAINED = {"supervision": "one-class", "data": ["folder:train"], "pretrained": []}
CHOSEN = TRAINED | {"threshold_chosen_on": "training"}
RNG = np.random.default_rng(7)


def warnings_of(tmp_path, clips, dataset=None, **options):
    """Groups of warnings, by code."""
    path = write(tmp_path / "m", clips, overwrite=True, **{"training": TRAINED, **options})
    result = validate(path, dataset)
    assert (result.exit_code, result.n_errors) == (0, 0), result.groups
    assert result.n_warnings == len(result.groups)
    assert all(group.severity == "warning" and group.message == TITLES[group.code] for group in result.groups)
    return {group.code: group for group in result.groups}


def noise(*, dtype=np.uint16, top=60_000):
    scores = RNG.integers(0, top, SIZE).astype(dtype)
    scores[0, 0, :2] = 0, top - 1
    return {"score_maps": scores}


def rows(frames, boxes=None, scores=None, objects=None):
    frames = np.asarray(frames)
    boxes = np.tile([2.0, 2, 8, 8], (len(frames), 1)) if boxes is None else np.asarray(boxes, np.float64)
    scores = np.arange(len(frames)) / max(len(frames), 1) if scores is None else scores
    return {"detections": Detections(frames, boxes, scores, objects)}


def test_ordinary_predictions_get_none(tmp_path):
    clips = {"01": noise() | rows(range(24)), "02": noise() | rows([])}
    assert warnings_of(tmp_path, clips) == {}


def test_constant_clips(tmp_path):
    clips = {"01": noise() | {"frame_scores": np.zeros(24)}, "02": noise() | {"frame_scores": np.arange(24.0)}}
    clips["02"]["score_maps"] = np.full(SIZE, 7, np.uint16)
    group = warnings_of(tmp_path, clips)["S150"]
    assert "score" in group.got
    both = [g for g in validate(tmp_path / "m").groups if g.code == "S150"]
    assert [(g.where, g.clips) for g in both] == [(("score_maps",), ("02",)), (("frame_scores",), ("01",))]


def test_the_one_score_of_a_clip_of_one_frame_is_not_constant(tmp_path):
    clips = {f"{i:02d}": {"frame_scores": RNG.random(1)} for i in range(30)}
    assert warnings_of(tmp_path, clips) == {}
    clips["30"] = {"frame_scores": np.zeros(2)}
    assert warnings_of(tmp_path, clips)["S150"].clips == ("30",)


def test_repeated_detections(tmp_path):
    frames = [3, 3, 3, 4]
    boxes = [[1, 1, 5, 5], [1, 1, 5, 5], [1, 1, 5, 6], [1, 1, 5, 5]]
    group = warnings_of(tmp_path, {"01": rows(frames, boxes, np.full(4, 0.5))})["S151"]
    assert (group.count, group.clips) == (1, ("01",))
    assert "frame 3" in group.where[0]
    assert "S151" not in warnings_of(tmp_path, {"01": rows(frames, boxes, np.arange(4.0))})


def test_repeated_instances(tmp_path):
    masks = np.zeros((4, 20, 30), bool)
    masks[:, 2:8, 3:9] = True
    masks[2, 2, 3] = False
    made = {
        scores: Instances.from_masks([1, 1, 1, 2], masks, list(scores), height=20, width=30)
        for scores in ((1, 1, 1, 1), (1, 2, 1, 1))
    }
    group = warnings_of(tmp_path, {"01": {"instances": made[1, 1, 1, 1]}})["S151"]
    assert (group.count, "frame 1" in group.where[0]) == (1, True)
    assert "S151" not in warnings_of(tmp_path, {"01": {"instances": made[1, 2, 1, 1]}})


@pytest.mark.parametrize(
    ("threshold", "dtype", "top", "words"),
    [
        (65_000, np.uint16, 60_000, "above every stored score"),
        (0, np.uint16, 60_000, "flags every pixel"),
        (0.5, np.uint16, 60_000, "is below 1"),
        (0.5, np.float32, 60_000, None),
        (30_000, np.uint16, 60_000, None),
        (0.5, np.uint8, 2, None),
        (0.5, np.uint8, 200, "is below 1"),
    ],
)
def test_thresholds(tmp_path, threshold, dtype, top, words):
    maps = {"threshold": threshold}
    found = warnings_of(tmp_path, {"01": noise(dtype=dtype, top=top)}, training=CHOSEN, score_maps=maps)
    if words is None:
        assert "S152" not in found
    else:
        assert words in found["S152"].got
        assert found["S152"].where == ("submission.toml · score_maps.threshold",)
        if "below" in words:
            assert {"uint8": "0.5 of uint8 maps is 127.5", "uint16": "0.5 of uint16 maps is 32767.5"}[
                np.dtype(dtype).name
            ] in found["S152"].hint


@pytest.mark.parametrize("top", [2, 256])
def test_any_threshold_between_the_scores_of_binary_maps_is_right(tmp_path, top):
    clips = {i: {"score_maps": (RNG.integers(0, 2, SIZE) * (top - 1)).astype(np.uint16)} for i in ("01", "02")}
    maps = {"threshold": 0.5}
    assert warnings_of(tmp_path, clips, training=CHOSEN, score_maps=maps) == {}
    clips["02"]["score_maps"][0, 0, :3] = 7, 130, 255
    assert set(warnings_of(tmp_path, clips, training=CHOSEN, score_maps=maps)) == {"S152", "S157"}


@pytest.mark.parametrize(
    ("entry", "has_source"),
    [
        ("SAM2 hiera base-plus", False),
        ("CLIP ViT-B/16", False),
        ("YOLOv8 1.2.3 of 2023.01", False),
        ("SAM2 (https://example.org/sam2)", True),
        ("DINO, doi 10.1109/ICCV48922.2021.00951", True),
        ("CLIP, arXiv:2103.00020", True),
        ("CLIP, arXiv 2103.00020v1", True),
        ("facebook: huggingface.co/facebook/sam2", True),
    ],
)
def test_sources_of_models(entry, has_source):
    assert bool(list(sourceless_models([entry]))) is not has_source


def test_models_without_a_source_and_a_threshold_from_the_test_set(tmp_path):
    training = CHOSEN | {"pretrained": ["A", "B"], "threshold_chosen_on": "test"}
    found = warnings_of(tmp_path, {"01": noise()}, training=training, score_maps={"threshold": 9})
    assert set(found) == {"S153", "S154"}
    assert (found["S153"].count, found["S153"].got) == (2, 'no source of "A", "B"')


@pytest.mark.parametrize(
    ("supervision", "data", "words"),
    [
        ("zero-shot", ["ucsd-ped2:train"], "zero-shot"),
        ("zero-shot", ["UCSD-Ped2"], "zero-shot"),
        ("zero-shot", ["coco"], None),
        ("zero-shot", [], None),
        ("one-class", ["ucsd-ped2:train"], None),
        ("one-class", [], "empty"),
        ("supervised", ["ucsd-ped2:test"], "test part"),
        ("fine-tuned", ["avenue:testing", "ucsd-ped2: testing"], "test part"),
        ("one-class", ["ucsd-ped2:tests-of-ours"], None),
    ],
)
def test_contradictions_about_training(supervision, data, words):
    found = list(training_contradictions("ucsd-ped2", supervision, data))
    assert [remark.code for remark in found] == (["S161"] if words else [])
    assert words is None or words in found[0].sentence


@pytest.mark.parametrize(
    ("parts", "scale", "words"),
    [
        (noise(top=256), None, "multiply by 257"),
        (noise(top=256), {"lower": 0, "upper": 1}, "multiply by 257"),
        (noise(top=2), None, None),
        (noise(top=300), None, None),
        (noise(dtype=np.float32, top=256), None, "8-bit"),
        (noise(dtype=np.float32, top=2), None, None),
        (noise(dtype=np.float32, top=41), None, None),
        (noise(top=41), None, None),
        (noise(top=41), {"lower": 0, "upper": 1}, "not of the least and greatest"),
        ({"score_maps": RNG.random(SIZE)}, None, None),
        ({"score_maps": RNG.random(SIZE)}, {"lower": 0, "upper": 1}, "leave lower and upper out"),
        (noise(dtype=np.uint8, top=2), {"lower": 0, "upper": 1}, "not of the least and greatest"),
        (noise(dtype=np.uint8, top=256), {"lower": 0, "upper": 1}, None),
        (noise(), {"lower": 1, "upper": 1}, "below upper"),
        (noise(), {"lower": 1, "upper": 0}, "below upper"),
    ],
)
def test_ranges(tmp_path, parts, scale, words):
    found = warnings_of(tmp_path, {"01": parts}, score_maps=scale)
    assert ("S157" in found) is (words is not None)
    if words:
        assert words in found["S157"].hint


def walking(n_objects, n_frames=24, *, ids):
    """Objects that walk side by side; ids by (frame, object)."""
    frame, own = np.repeat(np.arange(n_frames), n_objects), np.tile(np.arange(n_objects), n_frames)
    x, y = 0.1 * frame + 10 * own, 3 * own
    boxes = np.stack([x, y, x + 2, y + 3], axis=1)
    return rows(frame, boxes, objects=np.array([ids(f, o) for f, o in zip(frame, own, strict=True)]))


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (lambda f, o: o, None),
        (lambda f, o: 10 * o + (f > 11), None),
        (lambda f, o: 3 * f + o, "an id of its own"),
        (lambda f, o: (o + f) % 3, "far from where it was"),
        (lambda f, o: 0, "same id in a frame"),
    ],
)
def test_ids_over_time(tmp_path, ids, words):
    found = warnings_of(tmp_path, {"01": walking(3, ids=ids), "02": walking(3, ids=ids)})
    assert ("S158" in found) is (words is not None)
    if words:
        assert words in found["S158"].got
        assert found["S158"].count in {1, 2 * 23 * 3, 2 * 24 * 2}


def test_boxes_of_masks_are_those_of_the_instances():
    masks = RNG.random((40, 9, 11)) > np.linspace(0, 0.98, 40)[:, None, None]
    masks[:, 4, 5] = True
    made = Instances.from_masks(np.zeros(40), masks, np.zeros(40), height=9, width=11)
    np.testing.assert_array_equal(mask_boxes(made.counts, made.offsets, 9), made.boxes())
    none = Instances.from_masks([], [], [], height=9, width=11)
    assert mask_boxes(none.counts, none.offsets, 9).shape == (0, 4)


def test_where_an_object_in_parts_goes_is_not_known():
    frame = np.array([0, 1, 1, 2, 3, 3])
    box = np.array([[0, 0, 2, 2], [50, 0, 52, 2], [0, 0, 2, 2], [0, 0, 2, 2], [50, 0, 52, 2], [0, 0, 2, 2]])
    facts = id_facts({"frame": frame, "object": np.zeros(6, np.int32), "box": box}, 60)
    assert (facts.n_steps, facts.n_jumps, facts.n_together, facts.n_apart) == (0, 0, 2, 2)
    assert (facts.n_rows, facts.n_ids, facts.n_frames, facts.first_apart) == (6, 1, 4, 1)


def test_ids_of_masks_that_jump(tmp_path):
    masks = np.zeros((48, 20, 30), bool)
    masks[::2, 1:3, 1:3] = masks[1::2, 15:18, 25:28] = True
    frames = np.repeat(np.arange(24), 2)
    parts = {
        name: Instances.from_masks(frames, masks, np.arange(48.0), height=20, width=30, objects=objects)
        for name, objects in {"right": np.tile([0, 1], 24), "wrong": (np.tile([0, 1], 24) + frames) % 2}.items()
    }
    sizes = {"01": np.zeros(SIZE, bool)}
    dataset = MemoryDataset({i: Truth.from_arrays(masks) for i, masks in sizes.items()}, id="folder")
    assert "S158" not in warnings_of(tmp_path, {"01": {"instances": parts["right"]}}, dataset)
    assert warnings_of(tmp_path, {"01": {"instances": parts["wrong"]}}, dataset)["S158"].count == 46


def frame_base(tmp_path, clips, dataset=None):
    path = write(tmp_path / "m", clips, training=TRAINED, overwrite=True)
    result = validate(path, dataset)
    assert (result.n_errors, result.n_warnings) == (0, 0)
    return [check for check in result.checks if "counted from 0" in check.name]


def test_rows_from_frame_1_are_not_accused_where_the_number_of_frames_is_not_known(tmp_path):
    first = {"01": rows(range(1, 5)), "02": rows(range(1, 9)), "03": rows([])}
    (check,) = frame_base(tmp_path, first)
    assert (check.made, "of 2 clips with rows all begin in frame 1" in check.remark) == (False, True)
    (check,) = frame_base(tmp_path, first | {"04": rows([3])})
    assert (check.made, "of 3 clips with rows none has a row in frame 0" in check.remark) == (False, True)
    (check,) = frame_base(tmp_path, first | {"04": rows([0])})
    assert check.made
    dataset = MemoryDataset({i: Truth.from_arrays(np.zeros(SIZE, bool)) for i in first}, id="folder")
    assert frame_base(tmp_path, first, dataset) == []
    assert frame_base(tmp_path, {i: noise() for i in first}) == []


def test_frames_that_are_wrong_say_nothing_about_the_frame_base():
    assert frame_base_check({"01": (RowFacts(3, None),), "02": (RowFacts(0, np.array([], int)),)}) is None


FRACTIONS = RNG.random((24, 4)) / 2 + [[0, 0, 0.5, 0.5]]


def test_boxes_that_are_fractions_of_the_frame(tmp_path):
    group = warnings_of(tmp_path, {"01": rows(range(24), FRACTIONS), "02": rows([])})["S162"]
    assert (group.count, group.clips, group.where) == (24, ("01",), ("detections · box",))
    larger = FRACTIONS.copy()
    larger[7, 2] = 1.5
    for other in (rows(range(24), larger), rows(range(19), FRACTIONS[:19])):
        assert "S162" not in warnings_of(tmp_path, {"01": other})
    assert "S162" not in warnings_of(tmp_path, {"01": rows(range(24), FRACTIONS), "02": rows([3])})


def test_boxes_of_a_clip_that_are_wrong_say_nothing_about_fractions():
    right = RowFacts(24, np.arange(24), farthest_corner=0.9)
    assert len(list(fraction_remarks("detections", {"01": right, "02": RowFacts(0, np.array([], int))}))) == 1
    assert list(fraction_remarks("detections", {"01": right, "02": RowFacts(2, np.arange(2))})) == []


def instances_of(masks, *, row_by_row=False):
    """Masks (n, H, W), one a frame; with the mistake, encoded as if the rows were columns."""
    n, height, width = masks.shape
    if row_by_row:
        masks = masks.reshape(n, width, height).transpose(0, 2, 1)
    return Instances.from_masks(np.arange(n), masks, RNG.random(n), height=height, width=width)


def blob(kind, height, width):
    y, x = np.mgrid[:height, :width]
    if kind == "disk":
        return (y - height / 2) ** 2 + (x - width / 2) ** 2 < (min(height, width) / 4) ** 2
    if kind == "slope":
        return abs(y - height / 2 - 3 * (x - width / 2)) < 8
    if kind == "parts a width apart":
        return (y % width < 5) & (x > 4)
    if kind == "single columns":
        return x % 7 == 3
    return np.random.default_rng(1).random((height, width)) < 0.3


@pytest.mark.parametrize("shape", [(40, 64), (64, 40), (90, 24)])
@pytest.mark.parametrize("kind", ["disk", "slope", "parts a width apart", "single columns", "noise"])
def test_run_lengths_down_the_columns_are_right(tmp_path, kind, shape):
    masks = np.tile(blob(kind, *shape), (24, 1, 1))
    made = instances_of(masks)
    order = run_order(made.counts, made.offsets, *shape)
    assert list(run_order_remarks("instances", {"01": RowFacts(24, np.arange(24), order=order)})) == []


@pytest.mark.parametrize("shape", [(40, 64), (64, 40)])
def test_run_lengths_along_the_rows_are_found(tmp_path, shape):
    masks = np.tile(blob("disk", *shape), (24, 1, 1))
    dataset = MemoryDataset({"01": Truth.from_arrays(masks)}, id="folder")
    clips = {"01": {"instances": instances_of(masks, row_by_row=True)}}
    group = warnings_of(tmp_path, clips, dataset)["S163"]
    assert group.where == ("instances · counts",)
    assert "asfortranarray" in group.hint
    clips = {"01": {"instances": instances_of(masks)}}
    assert "S163" not in warnings_of(tmp_path, clips, dataset)


@pytest.mark.parametrize("shape", [(40, 40), (40, 47), (40, 80), (40, 75), (40, 8)])
def test_the_order_of_runs_cannot_be_told_where_the_sides_are_alike(shape):
    made = instances_of(np.tile(blob("disk", *shape), (24, 1, 1)), row_by_row=True)
    assert run_order(made.counts, made.offsets, *shape) is None


def test_runs_have_no_neighbour_in_the_next_mask():
    masks = np.zeros((3, 40, 64), bool)
    masks[:, 5:9, 63] = masks[:, 20:22, 63] = masks[1:, 5:9, 0] = True
    made = instances_of(masks)
    order = run_order(made.counts, made.offsets, 40, 64)
    assert (order.n_runs, order.n_height, order.n_width) == (5, 0, 0)
    none = Instances.from_masks([], [], [], height=40, width=64)
    assert run_order(none.counts, none.offsets, 40, 64).n_runs == 0


def test_a_kind_without_any_row(tmp_path):
    assert warnings_of(tmp_path, {"01": rows([]), "02": rows([])})["S160"].where == ("detections",)
    assert "S160" not in warnings_of(tmp_path, {"01": rows([]), "02": rows([3])})


def test_method_and_training_of_the_tests_are_those_of_the_maker():
    assert TRAINING["data"] == []  # which is why these tests bring their own
    assert METHOD["code"].startswith("https://")
