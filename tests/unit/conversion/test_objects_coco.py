"""COCO JSON: run lengths against the COCO API, images to frames, one clear message for each way to be wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vadbench.conversion.clip_naming import ClipPattern
from vadbench.conversion.objects.coco_json import CocoRules, CocoSource
from vadbench.conversion.objects.coco_rle import canonical_counts, counts_of_text, text_of_counts
from vadbench.conversion.objects.rows import BoxRules, Corners
from vadbench.conversion.source import Timing
from vadbench.datasets.base import Clip
from vadbench.errors import ConversionError, UsageError
from vadbench.prediction import Instances, PredictionKind

CLIP = Clip("01", 4, 5, 7)
IMAGES = [{"id": 10 + frame, "file_name": f"01/{frame:03d}.png", "height": 5, "width": 7} for frame in range(4)]


def disk():
    y, x = np.mgrid[:64, :48]
    return (y - 30) ** 2 + (x - 20) ** 2 < 300


def box():
    mask = np.zeros((240, 360), dtype=bool)
    mask[10:60, 20:80] = True
    return mask


# Made by pycocotools 2.0.11: encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].
API = {
    "nothing": (np.zeros((3, 4)), "<"),
    "everything": (np.ones((3, 4)), "0<"),
    "a box": (box(), "Zf4b1n5" + "0" * 117 + "fcQ2"),
    "a disk": (disk(), "k67f16K4L4M2N2N2N2O0O2O0O2O000O2O000000000001N10001N101N101N2N2N2N3L4L5JXc0"),
    "noise": (np.random.default_rng(0).random((5, 7)) < 0.5, "3110001020O0N31M11O"),
}


def runs(mask):
    return Instances.from_masks([0], [np.asarray(mask)], [1.0], height=mask.shape[0], width=mask.shape[1]).counts


@pytest.mark.parametrize("name", API)
def test_run_lengths_are_those_of_the_coco_api(name):
    mask, text = API[name]
    counts = canonical_counts(counts_of_text(text), mask.size)
    if not mask.any():
        assert len(counts) == 0
        return
    np.testing.assert_array_equal(counts, runs(mask))
    assert text_of_counts(counts) == text


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=30))
def test_text_of_counts_reads_back(counts):
    np.testing.assert_array_equal(counts_of_text(text_of_counts(np.array(counts))), counts)


@settings(max_examples=60)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32))
def test_masks_survive(height, width, seed):
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    if not mask.any():
        mask[0, 0] = True
    text = text_of_counts(runs(mask))
    np.testing.assert_array_equal(canonical_counts(counts_of_text(text), mask.size), runs(mask))


def test_empty_runs_are_joined():
    assert canonical_counts(np.array([3, 0, 2, 1, 0, 4, 2, 0]), 12).tolist() == [5, 5, 2]
    assert canonical_counts(np.array([0, 0, 0, 12]), 12).tolist() == [0, 12]
    assert canonical_counts(np.array([0, 3, 0, 9]), 12).tolist() == [0, 12]
    assert canonical_counts(np.array([12, 0]), 12).tolist() == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3\x1b", "none of the code"),
        ("3é", "none of the code"),
        ("3 1", "none of the code"),
        ("3q", "none of the code"),
        ("3Q", "cut off"),
        ("P" * 9 + "0", "more than"),
        ("3N", "below 0"),
    ],
)
def test_wrong_text_of_counts(text, words):
    with pytest.raises(ValueError, match=words):
        counts_of_text(text)


def mask_text(*pixels):
    mask = np.zeros((5, 7), dtype=bool)
    for y, x in pixels:
        mask[y, x] = True
    return {"size": [5, 7], "counts": text_of_counts(runs(mask))}


def annotation(frame=0, score=0.5, **more):
    return {"image_id": 10 + frame, "category_id": 1, "segmentation": mask_text((1, 2), (2, 2)), "score": score, **more}


def read(folder, content, *, images=None, rules=None, timing=None, clip=CLIP, pattern=None):
    path = folder / "results.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    listing = None
    if images is not None:
        listing = folder / "images.json"
        listing.write_text(json.dumps(images), encoding="utf-8")
    source = CocoSource(path, rules or CocoRules(), images=listing, pattern=pattern)
    return source, source.prediction(source.clip_names[0], clip, timing or Timing())


def test_results_with_a_list_of_images(tmp_path):
    listed = {"images": IMAGES, "annotations": []}
    results = [annotation(3, 0.1, track_id=5), annotation(0, 1), annotation(3, 0.25, track_id=2)]
    results[1]["track_id"] = 9
    source, found = read(tmp_path, results, images=listed)
    assert source.clip_names == ("01",)
    rows = found.instances
    assert rows.frames.tolist() == [0, 3, 3]
    assert rows.scores.tolist() == [1.0, 0.1, 0.25]
    assert rows.objects.tolist() == [9, 5, 2]
    assert rows.boxes().tolist() == [[2, 1, 3, 3]] * 3


def test_a_data_set_with_scores_and_counts_as_a_list(tmp_path):
    one = annotation(1)
    one["segmentation"]["counts"] = [11, 2, 22]
    _, found = read(tmp_path, {"images": IMAGES, "annotations": [one]})
    assert found.instances.boxes().tolist() == [[2, 1, 3, 3]]
    assert found.instances.objects is None


def test_boxes_are_x_y_width_height(tmp_path):
    one = {"image_id": 12, "bbox": [1.5, 1, 2, 3], "score": 1, "segmentation": []}
    source, found = read(tmp_path, {"images": IMAGES, "annotations": [one]})
    assert source.kind is PredictionKind.DETECTIONS
    assert found.detections.frames.tolist() == [2]
    assert found.detections.boxes.tolist() == [[1.5, 1, 3.5, 4]]


def test_masks_may_be_read_as_boxes(tmp_path):
    content = {"images": IMAGES, "annotations": [annotation(bbox=[0, 0, 2, 2])]}
    _, found = read(tmp_path, content, rules=CocoRules(kind=PredictionKind.DETECTIONS))
    assert found.detections.boxes.tolist() == [[0, 0, 2, 2]]


def test_youtube_vis_results(tmp_path):
    videos = {"videos": [{"id": 1, "file_names": [f"01/{frame:05d}.jpg" for frame in range(4)]}]}
    blank = {"size": [5, 7], "counts": [35]}
    results = [
        {"video_id": 1, "category_id": 3, "score": 0.5, "segmentations": [None, mask_text((0, 0)), blank, None]},
        {"video_id": 1, "category_id": 3, "score": 0.7, "segmentations": [mask_text((4, 6)), None, None, None]},
    ]
    _, found = read(tmp_path, results, images=videos)
    assert found.instances.frames.tolist() == [0, 1]
    assert found.instances.scores.tolist() == [0.7, 0.5]
    assert found.instances.objects.tolist() == [1, 0]


@pytest.mark.parametrize(
    "name", ["01/2", "01/002.png", "data\\01\\frame002.jpg", "/set/testing/01/img_1_2.jpeg", "01/clip3_0002.tif"]
)
def test_file_names_say_clip_and_frame(tmp_path, name):
    images = [{"id": 10, "file_name": name}]
    source, found = read(tmp_path, {"images": images, "annotations": [annotation()]})
    assert source.clip_names == ("01",)
    assert found.instances.frames.tolist() == [2]


def test_a_pattern_says_how_names_are_built(tmp_path):
    images = [{"id": 10, "file_name": "Ped2_01_f0003.png"}]
    pattern = ClipPattern.parse(r"Ped2_(?P<clip>\d+)_f(?P<frame>\d+)")
    source, found = read(tmp_path, {"images": images, "annotations": [annotation()]}, pattern=pattern)
    assert (source.clip_names, found.instances.frames.tolist()) == (("01",), [3])
    with pytest.raises(UsageError) as caught:
        read(tmp_path, {"images": images, "annotations": []}, pattern=ClipPattern.parse(r"Ped2_(?P<clip>\d+)"))
    assert caught.value.code == "U223"


def test_clips_without_a_finding(tmp_path):
    images = [*IMAGES, {"id": 99, "file_name": "02/0.png"}]
    source, _ = read(tmp_path, {"images": images, "annotations": [annotation(track_id=1)]})
    assert source.clip_names == ("01", "02")
    empty = source.prediction("02", Clip("02", 1, 5, 7), Timing()).instances
    assert (len(empty), len(empty.objects)) == (0, 0)
    assert len(source.empty(CLIP).instances) == 0


def test_no_annotation_at_all_needs_a_kind(tmp_path):
    content = {"images": IMAGES, "annotations": []}
    with pytest.raises(UsageError) as caught:
        read(tmp_path, content)
    assert caught.value.code == "U225"
    _, found = read(tmp_path, content, rules=CocoRules(kind=PredictionKind.DETECTIONS))
    assert len(found.detections.frames) == 0


def test_empty_masks_are_left_out_where_this_is_said(tmp_path):
    content = {"images": IMAGES, "annotations": [annotation(), annotation(1)]}
    content["annotations"][0]["segmentation"]["counts"] = "S1"
    with pytest.raises(ConversionError) as caught:
        read(tmp_path, content)
    assert caught.value.code == "C165"
    assert "annotations[0]" in caught.value.where
    source, found = read(tmp_path, content, rules=CocoRules(drop_empty_masks=True))
    assert found.instances.frames.tolist() == [1]
    assert source.record()["empty_masks_dropped"] == 1


def test_a_constant_score(tmp_path):
    content = {"images": IMAGES, "annotations": [annotation()]}
    constant = CocoRules(BoxRules(constant_score=1.0))
    with pytest.raises(ConversionError) as caught:
        read(tmp_path, content, rules=constant)
    assert caught.value.code == "C157"
    del content["annotations"][0]["score"]
    _, found = read(tmp_path, content, rules=constant)
    assert found.instances.scores.tolist() == [1.0]


def test_frames_counted_from_one(tmp_path):
    images = [{"id": 10 + frame, "file_name": f"01/{frame + 1:03d}.png"} for frame in range(4)]
    content = {"images": images, "annotations": [annotation()]}
    # The finding itself is inside the clip: the list of images shows from where frames are counted.
    with pytest.raises(ConversionError) as caught:
        read(tmp_path, content)
    assert caught.value.code == "C106"
    assert "--frame-offset -1" in caught.value.hint
    _, found = read(tmp_path, content, timing=Timing(frame_offset=-1))
    assert found.instances.frames.tolist() == [0]


def changed(**changes):
    one = annotation()
    for key, value in changes.items():
        if value is ...:
            del one[key]
        else:
            one[key] = value
    return one


def segmentation(counts, size=(5, 7)):
    return {"size": list(size), "counts": counts}


FAULTS = {
    "no object": (3, "C161", "annotations[1]"),
    "unknown image": (changed(image_id=77), "C162", "77"),
    "no image": (changed(image_id=...), "C162", "image_id"),
    "image as a list": (changed(image_id=[1]), "C162", "image_id"),
    "true as image": (changed(image_id=True), "C162", "got       true"),
    "no score": (changed(score=...), "C157", "--constant-score"),
    "score as text": (changed(score="0.5"), "C161", "finite number"),
    "score in quotes": (changed(score="0.5"), "C161", "float(score)"),
    "image in quotes": (changed(image_id="10"), "C162", "strings here and numbers in the list"),
    "untracked": (changed(track_id="7"), "C166", "track_id"),
    "score true": (changed(score=True), "C161", "finite number"),
    "score too large": (changed(score=10**400), "C161", "finite number"),
    "neither mask nor box": (changed(segmentation=...), "C161", "neither"),
    "polygon": (changed(segmentation=[[0, 0, 3, 0, 3, 3]]), "C164", "frPyObjects"),
    "segmentation as text": (changed(segmentation="abc"), "C164", "segmentation"),
    "transposed": (changed(segmentation=segmentation("S1", (7, 5))), "C164", "height comes first"),
    "another size": (changed(segmentation=segmentation("S1", (10, 14))), "C164", "resize"),
    "no size": (changed(segmentation={"counts": "S1"}), "C164", "size"),
    "counts of another sum": (changed(segmentation=segmentation([3, 1])), "C164", "add up to 4, not to 35"),
    "counts beyond the frame": (changed(segmentation=segmentation([30, 10])), "C164", "40, not to 35"),
    "negative count": (changed(segmentation=segmentation([37, -2])), "C164", "below 0"),
    "huge count": (changed(segmentation=segmentation([10**30])), "C164", "whole numbers"),
    "fraction as count": (changed(segmentation=segmentation([34.5, 0.5])), "C164", "whole numbers"),
    "bytes made text": (changed(segmentation=segmentation("b'S1'")), "C164", "decode"),
    "text of counts": (changed(segmentation=segmentation("S1~")), "C164", "none of the code"),
    "boxes beside masks": (changed(segmentation=..., bbox=[0, 0, 1, 1]), "C166", "--kind detections"),
    "some object ids": (changed(track_id=1), "C166", "track_id"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_annotation_is_one_clear_message(tmp_path, fault):
    one, code, word = FAULTS[fault]
    with pytest.raises(ConversionError) as caught:
        read(tmp_path, {"images": IMAGES, "annotations": [annotation(), one]})
    assert caught.value.code == code, caught.value
    assert word in caught.value.block()
    assert "annotations[1]" in caught.value.block()


@pytest.mark.parametrize(
    ("number", "got", "word"), [(-1, "-1", "leave track_id out"), ("0", '"0"', "int(track_id)"), (None, "null", "")]
)
def test_a_string_and_a_number_look_different(tmp_path, number, got, word):
    with pytest.raises(ConversionError) as caught:
        read(tmp_path, {"images": IMAGES, "annotations": [annotation(track_id=number)]})
    assert (caught.value.code, caught.value.got) == ("C161", got)
    assert word in caught.value.hint


def test_boxes_given_as_corners_are_named(tmp_path):
    def boxes(*values):
        return {"images": IMAGES, "annotations": [{"image_id": 10, "score": 1, "bbox": list(one)} for one in values]}

    with pytest.raises(ConversionError) as caught:
        read(tmp_path, boxes((1, 2, 3, 4), (4, 1, 7, 5)))
    assert caught.value.code == "C155"
    assert "corners x1, y1, x2, y2" in caught.value.hint
    # One box that cannot be corners, or a number beyond the frame.
    for other in ((3, 1, 2, 5), (1, 2, 9, 3)):
        with pytest.raises(ConversionError) as caught:
            read(tmp_path, boxes((4, 1, 7, 5), other))
        assert caught.value.code == "C155"
        assert "--clip-to-frame" in caught.value.hint


def beside(mask, box, by_rows=False):
    """An annotation with a mask, its runs taken the one way or the other, and a box."""
    counts = runs(mask.T if by_rows else mask)
    return {**annotation(), "segmentation": {"size": [5, 7], "counts": counts.tolist()}, "bbox": list(box)}


def test_masks_that_only_fit_their_boxes_row_by_row(tmp_path):
    mask = np.zeros((5, 7), dtype=bool)
    mask[1:3, 2:6] = True
    rows, columns = beside(mask, (2, 1, 4, 2), by_rows=True), beside(mask, (2, 1, 4, 2))
    with pytest.raises(ConversionError) as caught:
        read(tmp_path, {"images": IMAGES, "annotations": [rows, columns, rows]})
    assert caught.value.code == "C164"
    assert "column by column" in caught.value.hint
    assert "2 of 3" in caught.value.message
    assert "annotations[0]" in caught.value.where
    # Neither a detector's larger box, nor one odd row, nor numbers beyond reason make right masks wrong.
    others = [beside(mask, box) for box in ((0, 0, 7, 5), (1e308, 1, 1e308, 1e308))]
    source, _ = read(tmp_path, {"images": IMAGES, "annotations": [columns, *others, rows]})
    assert source.record()["masks_unlike_their_bbox"] == 3
    source, _ = read(tmp_path, {"images": IMAGES, "annotations": [columns, beside(mask, (2.6, 0.5, 4, 2))]})
    assert "masks_unlike_their_bbox" not in source.record()


def test_a_list_of_images_that_begins_with_one(tmp_path):
    # Three of four images: 1, 2, 3 are inside of the clip both ways.
    images = [{"id": 10 + frame, "file_name": f"01/{frame + 1:03d}.png"} for frame in range(3)]
    content = {"images": images, "annotations": [annotation()]}
    with pytest.raises(UsageError) as caught:
        read(tmp_path, content)
    assert caught.value.code == "U228"
    assert "--frame-offset 0" in caught.value.expected
    _, found = read(tmp_path, content, rules=CocoRules(offset_said=True))
    assert found.instances.frames.tolist() == [1]
    _, found = read(tmp_path, content, timing=Timing(frame_offset=-1))
    assert found.instances.frames.tolist() == [0]
    content["images"].append({"id": 50, "file_name": "02/000.png"})
    _, found = read(tmp_path, content)
    assert found.instances.frames.tolist() == [1]


BOX_FAULTS = {
    "corners": ([1, 2, 0, 3], "C154", "above 0"),
    "three numbers": ([1, 2, 3], "C161", "width, height"),
    "text": ([1, 2, "3", 3], "C161", "finite"),
    "outside": ([1, 2, 9, 3], "C155", "--clip-to-frame"),
    "null": (None, "C161", "neither"),
}


@pytest.mark.parametrize("fault", BOX_FAULTS)
def test_a_wrong_box_is_one_clear_message(tmp_path, fault):
    bbox, code, word = BOX_FAULTS[fault]
    with pytest.raises(ConversionError) as caught:
        read(tmp_path, {"images": IMAGES, "annotations": [{"image_id": 10, "score": 1, "bbox": bbox}]})
    assert caught.value.code == code, caught.value
    assert word in caught.value.block()


@pytest.mark.parametrize("corners", [[1, 2, 4, 4.5], [1, 2, 4], "1 2 4 6", [1, 2, 4, None]])
def test_corners_must_be_those_of_the_box(tmp_path, corners):
    one = {"image_id": 10, "score": 1, "bbox": [1, 2, 3, 2], "corners": corners}
    with pytest.raises(ConversionError) as caught:
        read(tmp_path, {"images": IMAGES, "annotations": [one]})
    assert caught.value.code == "C161"


def test_a_wrong_object_id(tmp_path):
    for number in (-1, 2**31, "7", 1.5, True):
        with pytest.raises(ConversionError) as caught:
            read(tmp_path, {"images": IMAGES, "annotations": [annotation(track_id=number)]})
        assert caught.value.code == "C161"


FILE_FAULTS = {
    "nothing": ("", "C160", "line 1"),
    "cut off": ('{"annotations": [', "C160", "whole"),
    "NaN": ('[{"name": "NaN",\n  "score": NaN}]', "C160", "NaN is not JSON at line 2, column 12"),
    "infinity": ('[{"a\\"": -Infinity}]', "C160", "at line 1, column 10"),
    "JSON Lines": ('{"image_id": 1}\n{"image_id": 2}\n', "C160", "JSON Lines"),
    "key twice": ('{"annotations": [], "annotations": []}', "C160", "twice"),
    "deep": ("[" * 100_000, "C160", "deep"),
    "thousands of digits": ("[" + "1" * 5000 + "]", "C160", "digits"),
    "a number": ("3", "C161", "annotations"),
    "no annotations": ('{"images": []}', "C161", "annotations"),
    "no images": ('{"annotations": []}', "C161", "--images"),
    "a list alone": ("[]", "C161", "--images"),
    "image without name": ('{"images": [{"id": 1}], "annotations": []}', "C161", "images[0]"),
    "image without id": ('{"images": [{"file_name": "01/0.png"}], "annotations": []}', "C161", "images[0]"),
    "image as text": ('{"images": ["01/0.png"], "annotations": []}', "C161", "images[0]"),
    "name without frame": (
        '{"images": [{"id": 1, "file_name": "01/a.png"}], "annotations": []}',
        "C163",
        "--clip-pattern",
    ),
    "id twice": (
        '{"images": [{"id": 1, "file_name": "01/0.png"}, {"id": 1, "file_name": "01/1.png"}], "annotations": []}',
        "C162",
        "images[1]",
    ),
    "frame twice": (
        '{"images": [{"id": 1, "file_name": "01/0.png"}, {"id": 2, "file_name": "01/00.png"}], "annotations": []}',
        "C162",
        "frame 0",
    ),
}


@pytest.mark.parametrize("fault", FILE_FAULTS)
def test_a_wrong_file_is_one_clear_message(tmp_path, fault):
    text, code, word = FILE_FAULTS[fault]
    with pytest.raises(ConversionError) as caught:
        read(tmp_path, text)
    assert caught.value.code == code, caught.value
    assert word in caught.value.block()


def test_a_deep_value_is_one_clear_message(tmp_path):
    # Python parses nearly as deep as it prints: between the two limits a message could fail while it is made.
    codes = set()
    for levels in range(500, 1100, 10):
        deep = "[" * levels + "]" * levels
        one = '{"image_id": 10, "score": 1, "segmentation": ' + deep + "}"
        with pytest.raises(ConversionError) as caught:
            read(tmp_path, '{"images": [{"id": 10, "file_name": "01/0.png"}], "annotations": [' + one + "]}")
        codes.add(caught.value.code)
    assert codes == {"C160", "C164"}


def test_a_video_with_too_few_masks(tmp_path):
    videos = {"videos": [{"id": 1, "file_names": ["01/0.jpg", "01/1.jpg"]}]}
    with pytest.raises(ConversionError) as caught:
        read(tmp_path, [{"video_id": 1, "score": 1, "segmentations": [mask_text((0, 0))]}], images=videos)
    assert caught.value.code == "C161"
    assert "2 segmentations" in caught.value.expected


def test_wrong_calls(tmp_path):
    with pytest.raises(UsageError) as caught:
        CocoSource(tmp_path / "none.json", CocoRules())
    assert caught.value.code == "U216"
    with pytest.raises(UsageError):
        CocoRules(BoxRules(Corners.INCLUSIVE))
    with pytest.raises(ConversionError, match="no segmentation"):
        read(
            tmp_path,
            {"images": IMAGES, "annotations": [{"image_id": 10, "score": 1, "bbox": [0, 0, 1, 1]}]},
            rules=CocoRules(kind=PredictionKind.INSTANCES),
        )


def test_all_wrong_annotations_are_one_error(tmp_path):
    right = {"image_id": 10, "score": 1, "bbox": [0, 0, 1, 1]}
    no_score = {"image_id": 10, "bbox": [0, 0, 1, 1]}
    with pytest.raises(ConversionError) as caught:
        read(tmp_path, {"images": IMAGES, "annotations": [right, *[no_score] * 5]})
    error = caught.value
    assert (error.code, error.message) == ("C157", "an annotation has no score; 5 are so")
    assert error.got == "annotations[1]: none\nannotations[2]: none\nannotations[3]: none\nand 2 more"
    with pytest.raises(ConversionError) as caught:
        read(tmp_path, {"images": IMAGES, "annotations": [no_score, right, {**right, "image_id": 99}, no_score]})
    error = caught.value
    assert (error.code, error.message) == ("C161", "3 annotations are wrong")
    assert error.got.splitlines()[1:3] == ["  annotations[0]: none", "  annotations[3]: none"]
    assert error.got.splitlines()[4:] == ["  annotations[2]: 99"]
