"""Submission → AED text or COCO JSON → submission: the same rows, and so the same scores, bit for bit."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vadbench.conversion.objects.aed_text import AedSource
from vadbench.conversion.objects.aed_writing import write_aed
from vadbench.conversion.objects.coco_json import CocoRules, CocoSource
from vadbench.conversion.objects.coco_writing import write_coco
from vadbench.conversion.objects.rows import BoxRules, Corners, NumberType
from vadbench.conversion.source import Timing
from vadbench.datasets.base import Clip, MemoryDataset
from vadbench.errors import ConversionError
from vadbench.evaluation.evaluate import evaluate
from vadbench.prediction import Detections, Instances, Prediction, PredictionKind
from vadbench.submission import Submission, SubmissionWriter
from vadbench.truth import Truth

METHOD = {"name": "Sketch", "authors": [], "year": 2026, "code": "https://example.org/sketch"}
TRAINING = {"supervision": "one-class", "data": [], "pretrained": []}
HEIGHT, WIDTH, FRAMES = 24, 32, 12
PRESETS = ("standard", "aed-2021", "tao-release")


def truths(rng):
    found = {}
    for clip_id in ("01", "02", "03"):
        masks = np.zeros((FRAMES, HEIGHT, WIDTH), dtype=bool)
        for frame in range(4, 10):
            masks[frame, 5:13, 2 * frame : 2 * frame + 6] = True
        masks[3:6, 18:22, 20:30] = rng.random() < 0.5
        found[clip_id] = Truth.from_arrays(masks)
    return found


def instances(rng, dtype, ids):
    frames = np.sort(rng.integers(0, FRAMES, 25))
    masks = []
    for _ in frames:
        mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
        top, left = rng.integers(0, HEIGHT - 2), rng.integers(0, WIDTH - 2)
        mask[top : top + rng.integers(1, 9), left : left + rng.integers(1, 9)] = True
        mask &= rng.random(mask.shape) < 0.8
        mask[top, left] = True
        masks.append(mask)
    scores = rng.integers(0, 7, len(frames)).astype(dtype) / 7
    objects = rng.integers(0, 5, len(frames)) if ids else None
    return Instances.from_masks(frames, masks, scores.astype(dtype), height=HEIGHT, width=WIDTH, objects=objects)


def detections(rng, dtype, ids):
    frames = np.sort(rng.integers(0, FRAMES, 60))
    corner = rng.random((60, 2)) * (WIDTH - 8, HEIGHT - 8)
    boxes = np.hstack([corner, corner + 1 + rng.random((60, 2)) * 7]).astype(dtype)
    scores = (rng.integers(0, 9, 60) / 9).astype(dtype)
    return Detections(frames, boxes, scores, rng.integers(0, 5, 60) if ids else None)


@pytest.fixture(scope="module")
def dataset():
    return MemoryDataset(truths(np.random.default_rng(0)))


def write(path, dataset, **kinds):
    with SubmissionWriter(path, dataset=dataset, method=METHOD, training=TRAINING) as writer:
        for clip in dataset.clips:
            writer.write_clip(clip.id, **{kind: made(clip) for kind, made in kinds.items()})
    return Submission.open(path)


def submission(path, dataset, kind, dtype, ids):
    rng = np.random.default_rng(1)
    made = {"instances": instances, "detections": detections}[kind]

    def rows(clip):
        found = made(rng, dtype, ids)
        if clip.id != "03":
            return found
        # A clip without a finding.
        nothing = np.zeros(0, dtype=np.int64)
        none = None if found.objects is None else nothing
        if kind == "detections":
            return Detections(nothing, np.zeros((0, 4), dtype), np.zeros(0, dtype), none)
        return Instances.from_masks([], [], np.zeros(0, dtype), height=HEIGHT, width=WIDTH, objects=none)

    return write(path, dataset, **{kind: rows})


def back(path, dataset, source):
    kinds = {clip.id: source.prediction(clip.id, clip, Timing()) for clip in dataset.clips}
    with SubmissionWriter(path, dataset=dataset, method=METHOD, training=TRAINING) as writer:
        for clip in dataset.clips:
            writer.write_clip(clip.id, kinds[clip.id])
    return Submission.open(path)


def same_scores(one, other, dataset):
    for preset in PRESETS:
        first, second = evaluate(one, dataset, preset), evaluate(other, dataset, preset)
        assert first.scores == second.scores
        assert any(score.value is not None for score in first.scores.values())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("kind", ["instances", "detections"])
def test_coco_gives_back_the_same_submission(tmp_path, dataset, kind, ids, dtype):
    given = submission(tmp_path / "given", dataset, kind, dtype, ids)
    n_rows = write_coco(given, dataset.clips, tmp_path / "coco.json")
    rules = CocoRules(BoxRules(dtype=NumberType(dtype)))
    found = back(tmp_path / "found", dataset, CocoSource(tmp_path / "coco.json", rules))
    assert found.fingerprint == given.fingerprint
    same_scores(given, found, dataset)
    content = json.loads((tmp_path / "coco.json").read_text())
    assert len(content["annotations"]) == n_rows > 0
    assert [image["file_name"] for image in content["images"]][FRAMES - 1 : FRAMES + 1] == ["01/011", "02/000"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("corners", list(Corners))
def test_aed_gives_back_the_same_submission(tmp_path, dataset, corners, dtype):
    given = submission(tmp_path / "given", dataset, "detections", dtype, ids=False)
    assert write_aed(given, dataset.clips, tmp_path / "aed", corners=corners) == 120
    assert (tmp_path / "aed" / "03.txt").read_text() == ""
    rules = BoxRules(corners, dtype=NumberType(dtype))
    found = back(tmp_path / "found", dataset, AedSource(tmp_path / "aed", rules))
    assert found.fingerprint == given.fingerprint
    same_scores(given, found, dataset)


def test_float32_scores_read_as_float64_give_the_same_scores(tmp_path, dataset):
    given = submission(tmp_path / "given", dataset, "detections", "float32", ids=False)
    write_aed(given, dataset.clips, tmp_path / "aed")
    found = back(tmp_path / "found", dataset, AedSource(tmp_path / "aed", BoxRules(Corners.INCLUSIVE)))
    assert found.clip(dataset.clips[0]).detections.scores.dtype == np.float64
    same_scores(given, found, dataset)


def test_instances_leave_as_boxes_only_where_this_is_said(tmp_path, dataset):
    given = submission(tmp_path / "given", dataset, "instances", "float64", ids=True)
    with pytest.raises(ConversionError) as caught:
        write_aed(given, dataset.clips, tmp_path / "aed")
    assert caught.value.code == "C180"
    assert "--kind instances" in caught.value.hint
    assert "masks are lost" in caught.value.hint
    assert not (tmp_path / "aed").exists()
    write_aed(given, dataset.clips, tmp_path / "aed", kind=PredictionKind.INSTANCES)
    found = back(tmp_path / "found", dataset, AedSource(tmp_path / "aed", BoxRules(Corners.INCLUSIVE)))
    for clip in dataset.clips:
        masks, boxes = given.clip(clip).instances, found.clip(clip).detections
        np.testing.assert_array_equal(masks.boxes(), boxes.boxes)
        np.testing.assert_array_equal(masks.scores, boxes.scores)
    # RBDC and TBDC read the same boxes; merging within an object needs the ids, which are lost.
    protocol = "standard+object.merge=none"
    one, other = (evaluate(each, dataset, protocol, ["rbdc", "tbdc"]).scores for each in (given, found))
    assert [one[key].value for key in one] == [other[key].value for key in one]


def test_both_kinds_need_a_choice(tmp_path, dataset):
    rng = np.random.default_rng(2)
    given = write(
        tmp_path / "given",
        dataset,
        instances=lambda _: instances(rng, "float32", ids=False),
        detections=lambda _: detections(rng, "float64", ids=False),
    )
    with pytest.raises(ConversionError) as caught:
        write_coco(given, dataset.clips, tmp_path / "coco.json")
    assert (caught.value.code, caught.value.hint) == ("C180", "say which: --kind instances or --kind detections")
    write_coco(given, dataset.clips, tmp_path / "coco.json", kind=PredictionKind.DETECTIONS)
    found = CocoSource(tmp_path / "coco.json", CocoRules())
    assert found.kind is PredictionKind.DETECTIONS


def test_score_maps_have_no_place_in_either_format(tmp_path, dataset):
    given = write(
        tmp_path / "given", dataset, score_maps=lambda clip: np.zeros((clip.frames, HEIGHT, WIDTH), dtype=np.uint8)
    )
    for to in (write_aed, write_coco):
        with pytest.raises(ConversionError) as caught:
            to(given, dataset.clips, tmp_path / "out")
        assert caught.value.code == "C180"
        assert not (tmp_path / "out").exists()


@dataclass(frozen=True)
class OneClip:
    """Stands for a submission of one clip, without a disk."""

    prediction: Prediction
    predictions: tuple[PredictionKind, ...] = (PredictionKind.DETECTIONS,)
    shown: str = "made up"

    def clip(self, clip):
        return self.prediction


ROOM = Clip("01", 50, 1000, 1000)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
CORNERS = st.tuples(*[st.floats(0, 1000)] * 4).filter(lambda box: box[0] != box[2] and box[1] != box[3])
ROWS = st.lists(st.tuples(st.integers(0, 49), CORNERS, FINITE), max_size=8)


def clip_of(rows):
    rows = sorted(rows, key=lambda row: row[0])
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for _, (a, b, c, d), _ in rows]
    frames = np.array([frame for frame, _, _ in rows], dtype=np.int64)
    return Detections(frames, np.array(boxes).reshape(-1, 4), np.array([score for _, _, score in rows]))


def assert_same(found, given):
    np.testing.assert_array_equal(found.frames, given.frames)
    np.testing.assert_array_equal(found.boxes, given.boxes)
    np.testing.assert_array_equal(found.scores, given.scores)


def code_of(write_rows, *arguments, **choices):
    """Code of the error that writing ends in; None if it does not."""
    try:
        write_rows(*arguments, **choices)
    except ConversionError as error:
        return error.code
    return None


@settings(max_examples=40)
@given(ROWS, st.sampled_from(list(Corners)))
def test_every_row_survives_aed_text_or_is_refused(tmp_path_factory, rows, corners):
    folder = tmp_path_factory.mktemp("aed") / "text"
    rows = clip_of(rows)
    code = code_of(write_aed, OneClip(Prediction(detections=rows)), [ROOM], folder, corners=corners)
    # Less than half a pixel from the edge, taking 1 away can round.
    assert code is None or (code, corners, (rows.boxes[:, 2:] < 0.5).any()) == ("C181", Corners.INCLUSIVE, True)
    if code is None:
        assert_same(AedSource(folder, BoxRules(corners)).prediction("01", ROOM, Timing()).detections, rows)


@settings(max_examples=40)
@given(ROWS)
def test_every_row_survives_coco_json(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("coco") / "coco.json"
    rows = clip_of(rows)
    write_coco(OneClip(Prediction(detections=rows)), [ROOM], path)
    source = CocoSource(path, CocoRules(kind=PredictionKind.DETECTIONS))
    assert_same(source.prediction("01", ROOM, Timing()).detections, rows)


def test_a_width_that_rounds_brings_the_corners_along(tmp_path):
    x2 = np.nextafter(1.0, 2.0)
    rows = Detections(np.array([0, 1]), np.array([[2.0**-53, 0, x2, 1], [0, 0, x2, 1]]), np.array([1.0, 2.0]))
    assert rows.boxes[0, 0] + (x2 - rows.boxes[0, 0]) != x2
    write_coco(OneClip(Prediction(detections=rows)), [ROOM], tmp_path / "coco.json")
    annotations = json.loads((tmp_path / "coco.json").read_text())["annotations"]
    assert ["corners" in annotation for annotation in annotations] == [True, False]
    found = CocoSource(tmp_path / "coco.json", CocoRules()).prediction("01", ROOM, Timing()).detections
    np.testing.assert_array_equal(found.boxes, rows.boxes)
