"""One pass finds every problem, in the reader's own words; a broken part hides no other."""

import shutil

import numpy as np
import pytest
import zarr
from made_submissions import METHOD, SHAPE, clip_of, dataset_of, edit_json, maps, pack, write

from vadbench.errors import SubmissionError, UsageError
from vadbench.prediction import Detections
from vadbench.submission import Submission
from vadbench.submission.problems import TITLES
from vadbench.validation import Validation, validate

DATASET = dataset_of({"01": SHAPE, "02": SHAPE})


@pytest.fixture
def full(tmp_path):
    """A submission of two clips with every kind."""
    return write(tmp_path / "full", {"01": clip_of(seed=1), "02": clip_of(seed=2)})


def store(path, name, values, clip_id="01"):
    """Put other values into an array, behind the writer's back."""
    place = path / "predictions.zarr" / clip_id / name
    shutil.rmtree(place)
    array = zarr.open_group(str(place.parent), mode="r+").create_array(
        place.name,
        shape=values.shape,
        chunks=tuple(max(n, 1) for n in values.shape),
        dtype=values.dtype,
        config={"write_empty_chunks": True},
    )
    if values.size:
        array[...] = values


def groups_of(path, dataset=DATASET, **options):
    """Groups of errors, by code."""
    result = validate(path, dataset, **options)
    assert Validation.model_validate_json(result.to_json()) == result
    assert result.exit_code == (1 if result.n_errors else 0)
    errors = [group for group in result.groups if group.severity == "error"]
    assert len(errors) == result.n_errors
    return {group.code: group for group in errors}


def only(path, code, dataset=DATASET, **options):
    groups = groups_of(path, dataset, **options)
    assert set(groups) == {code}, groups
    assert groups[code].message == TITLES[code]
    return groups[code]


def test_a_right_submission_has_the_fingerprint_of_the_reader(full, tmp_path):
    result = validate(full, DATASET)
    assert (result.n_errors, result.exit_code, result.dataset) == (0, 0, "folder")
    assert result.fingerprint == Submission.open(full).fingerprint
    assert all(check.made for check in result.checks)
    assert validate(pack(full, tmp_path / "full.zip"), DATASET).fingerprint == result.fingerprint


def test_all_problems_come_at_once(full):
    text = (full / "submission.toml").read_text()
    (full / "submission.toml").write_text(text.replace("year = 2026", "year = 1"))
    (full / "provenance.json").write_text("{")
    (full / "note.txt").write_text("x")
    (full / "predictions.zarr/01/score_maps/c/2/0/0").write_bytes(b"damaged")
    edit_json(full / "predictions.zarr/01/instances/score/zarr.json", attributes={"a": 1})
    (full / "predictions.zarr/02/score_maps/c/1/0/0").unlink()
    store(full, "detections/frame", np.array([1, 2, 19], np.int32))
    store(full, "frame_scores", np.array([np.nan, np.inf, *np.zeros(17)], np.float32), "02")
    groups = groups_of(full)
    assert set(groups) == {"S112", "S113", "S120", "S131", "S133", "S134", "S140", "S141"}
    assert groups["S140"].count == 2
    assert groups["S140"].where == ("clip 02 · frame_scores · frame 0",)
    assert "method.year" in groups["S112"].got
    assert groups["S134"].where == ("clip 01 · score_maps · chunk c/2/0/0 (frames 16–18)",)


CASES = {
    "S104 fewer": (lambda p: store(p, "frame_scores", np.zeros(15, np.float32)), "S104", "4 frames are missing"),
    "S104 more": (lambda p: store(p, "frame_scores", np.zeros(20, np.float32)), "S104", "1 frame too many"),
    "S105": (lambda p: store(p, "score_maps", np.zeros((19, 7, 6), np.uint16)), "S105", "transpose(0, 2, 1)"),
    "S105 axes": (lambda p: store(p, "score_maps", np.zeros((6, 7, 19), np.uint16)), "S105", "transpose(2, 0, 1)"),
    "S106": (lambda p: shutil.rmtree(p / "predictions.zarr/01/detections"), "S106", ""),
    "S107": (lambda p: store(p, "score_maps", np.ones(SHAPE, np.uint8), "02"), "S107", ""),
    "S108": (lambda p: shutil.rmtree(p / "predictions.zarr/02/instances/object"), "S108", ""),
    "S120": (lambda p: (p / "predictions.zarr/01/score_maps/c/9").write_text(""), "S120", ""),
    "S132": (lambda p: store(p, "detections/frame", np.zeros(3)), "S132", ""),
    "S133": (lambda p: (p / "predictions.zarr/01/score_maps/c/0/0/0").unlink(), "S133", "write_empty_chunks"),
    "S135": (lambda p: shutil.rmtree(p / "predictions.zarr/01/detections/score"), "S135", ""),
    "S140 rows": (lambda p: store(p, "detections/score", np.array([0, np.nan, np.nan])), "S140", ""),
    "S141 order": (lambda p: store(p, "detections/frame", np.array([2, 1, 2], np.int32)), "S141", "argsort"),
    "S141 early": (lambda p: store(p, "detections/frame", np.array([-1, 1, 2], np.int32)), "S141", ""),
    "S142": (lambda p: store(p, "detections/box", np.zeros((3, 4))), "S142", "x2 + 1"),
    "S143": (lambda p: store(p, "instances/offsets", np.array([1, 2, 3, 4])), "S143", ""),
    "S144": (lambda p: store(p, "instances/object", np.array([-1, -2, 0], np.int32)), "S144", ""),
    "S145": (lambda p: store(p, "detections/score", np.zeros(2)), "S145", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_each_error(full, name):
    change, code, hint = CASES[name]
    change(full)
    group = only(full, code)
    assert hint in group.hint
    with pytest.raises(SubmissionError) as caught:
        read_all(full)
    error = caught.value
    assert (error.code, error.message, error.expected) == (code, group.message, group.expected)


def read_all(path):
    submission = Submission.open(path)
    submission.check_against(DATASET)
    for clip in DATASET.clips:
        list(submission.clip(clip).maps.blocks())


def test_not_finite_pixels_are_counted(tmp_path):
    scores = maps(dtype="float32")
    scores[3, 4, 5], scores[17, 0, :2] = np.nan, -np.inf
    path = write(tmp_path / "m", {"01": {"score_maps": maps(dtype="float32")}})
    store(path, "score_maps", scores)
    group = only(path, "S140", dataset_of({"01": SHAPE}))
    assert (group.count, group.where) == (3, ("clip 01 · score_maps · frame 3 · pixel (x 5, y 4)",))


def test_equal_problems_of_all_clips_are_one_group(tmp_path):
    ids = [f"{n:02d}" for n in range(40)]
    path = write(tmp_path / "m", {clip_id: {"frame_scores": np.arange(176)} for clip_id in ids})
    group = only(path, "S104", dataset_of(dict.fromkeys(ids, (180, 2, 2))))
    assert (group.count, group.n_clips) == (40, 40)
    assert group.clips == tuple(ids[:24])
    assert len(group.where) == 5
    assert (group.expected, group.got) == ("180 frames (data set folder)", "176 frames")
    assert "--pad-head 2 --pad-tail 2" in group.hint


def test_wrong_rows_are_counted_and_not_listed(tmp_path):
    n = 100_000
    boxes = np.tile([0.0, 0.0, 1.0, 1.0], (n, 1))
    path = write(tmp_path / "m", {"01": {"detections": Detections(np.zeros(n), boxes, np.zeros(n))}})
    store(path, "detections/box", boxes + np.array([0, 0, 7, 0]))
    result = validate(path, dataset_of({"01": SHAPE}))
    assert [(group.code, group.count) for group in result.groups if group.severity == "error"] == [("S142", n)]
    assert len(result.to_json()) < 5_000


@pytest.mark.parametrize(
    ("boxes", "hint"),
    [
        ([[5, 0, 1, 2]] * 4, "x, y, width, height"),
        ([[0, 0, 6, 7]] * 4, "x and y seem to be swapped"),
        ([[1, 1, 1, 2]] * 4, "x2 + 1"),
        ([[0, 0, 8, 7]] * 4, "cut the box"),
    ],
)
def test_what_kind_of_boxes_explains_the_wrong_ones(tmp_path, boxes, hint):
    good = Detections([0, 1, 2, 3], [[0, 0, 1, 1]] * 4, np.arange(4.0))
    path = write(tmp_path / "m", {"01": {"detections": good}})
    store(path, "detections/box", np.array(boxes, np.float64))
    assert hint in only(path, "S142", dataset_of({"01": SHAPE})).hint


def counted_from_1(tmp_path, *, first=1):
    rows = {clip_id: np.arange(first, n + 1) for clip_id, n in {"01": 8, "02": 9, "03": 10}.items()}
    rows["03"] = rows["03"][:-1]  # one that reaches no frame behind the last
    clips = {
        clip_id: {"detections": Detections(own, np.tile([0, 0, 1, 1], (len(own), 1)), np.arange(len(own)) / 9.0)}
        for clip_id, own in rows.items()
    }
    return write(tmp_path / "m", clips), dataset_of({"01": (8, 6, 7), "02": (9, 6, 7), "03": (10, 6, 7)})


def test_frames_counted_from_1_are_named_as_the_cause(tmp_path):
    path, dataset = counted_from_1(tmp_path)
    group = only(path, "S141", dataset)
    assert (group.clips, group.expected, group.got) == (("01", "02"), "frames from 0 to 7", "frame 8")
    for words in ("counted from 1", "subtract 1", "vadbench convert --frame-offset -1", "No row of the 3 clips"):
        assert words in group.hint


def test_a_clip_whose_rows_are_exactly_1_to_t_stays_suspected(tmp_path):
    path, dataset = counted_from_1(tmp_path)
    store(path, "detections/frame", np.arange(0, 9, dtype=np.int32), "03")
    hint = only(path, "S141", dataset).hint
    assert "in these clips they seem to be counted from 1" in hint
    assert "1 other clip has a row in frame 0" in hint


def test_a_clip_with_rows_before_and_behind_disproves_it(tmp_path):
    rows = {"01": [3, 8], "02": [0, 9]}
    boxes = {i: Detections(own, [[0, 0, 1, 1]] * 2, np.arange(2.0)) for i, own in rows.items()}
    path = write(tmp_path / "m", {i: {"detections": own} for i, own in boxes.items()})
    groups = validate(path, dataset_of({"01": (8, 6, 7), "02": (9, 6, 7)})).groups
    assert {group.code for group in groups if group.severity == "error"} == {"S141"}
    assert not any("counted from 1" in group.hint for group in groups if group.severity == "error")


def test_each_kind_has_its_own_frame_base(tmp_path):
    clips = {}
    for clip_id in ("01", "02"):
        boxes = Detections(np.arange(1, 20), np.tile([0, 0, 1, 1], (19, 1)), np.arange(19.0))
        clips[clip_id] = {"detections": boxes, "instances": clip_of()["instances"]}
    path = write(tmp_path / "m", clips)
    store(path, "instances/frame", np.array([0, 18, 18], np.int32))
    store(path, "detections/frame", np.arange(1, 20, dtype=np.int32))
    store(path, "detections/frame", np.arange(1, 20, dtype=np.int32), "02")
    assert "No row of the 2 clips" in only(path, "S141").hint


def test_missing_chunks_of_a_huge_grid_are_counted_by_arithmetic(full):
    edit_json(full / "predictions.zarr/01/frame_scores/zarr.json", shape=[2**40])
    groups = groups_of(full, None)
    assert groups["S133"].count == -(-(2**40) // 19) - 1
    assert "S134" not in groups


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda p: shutil.rmtree(p / "predictions.zarr/02"), 'missing "02"'),
        (lambda p: shutil.copytree(p / "predictions.zarr/02", p / "predictions.zarr/03"), 'not in the data set "03"'),
    ],
)
def test_clips(full, change, got):
    change(full)
    assert only(full, "S103").got == got


def test_training_clips_are_told_from_test_clips(tmp_path):
    from vadbench.datasets.facts import load_facts

    ids = load_facts("ucsd-ped2").training_clips
    path = write(tmp_path / "m", {i: {"frame_scores": np.arange(3)} for i in ids}, dataset="ucsd-ped2")
    assert "training clips" in groups_of(path, None, contents=False)["S103"].hint


def test_without_toml_or_with_a_broken_one_the_arrays_are_still_checked(full):
    (full / "predictions.zarr/01/score_maps/c/1/0/0").unlink()
    (full / "submission.toml").write_text("format = ")
    assert set(groups_of(full)) == {"S111", "S133"}
    (full / "submission.toml").unlink()
    assert set(groups_of(full)) == {"S101", "S133"}


def test_another_data_set(full):
    assert set(groups_of(full, dataset_of({"01": SHAPE}, "other"))) == {"S102"}
    assert set(groups_of(full, "ucsd-ped2")) == {"S102"}
    text = (full / "submission.toml").read_text()
    (full / "submission.toml").write_text(text.replace('dataset = "folder"', 'dataset = "ucsd-ped3"'))
    group = groups_of(full, None)["S109"]
    assert "ucsd-ped2" in group.hint


def test_what_cannot_be_opened_gives_that_error(tmp_path):
    (tmp_path / "m.zip").write_bytes(b"no zip")
    result = validate(tmp_path / "m.zip")
    assert [group.code for group in result.groups] == ["S101"]
    assert result.submission == str(tmp_path / "m.zip")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/01.txt").write_text("")
    assert [group.code for group in validate(tmp_path / "empty").groups] == ["S101"]
    with pytest.raises(UsageError, match="U130"):
        validate(tmp_path / "nothing")
    with pytest.raises(UsageError, match="U111"):
        validate(tmp_path / "empty", "ucsd-ped3")


def test_links_are_refused_and_the_rest_is_read(full, tmp_path):
    target = full / "predictions.zarr/01/detections/score/c/0"
    target.rename(tmp_path / "elsewhere")
    target.symlink_to(tmp_path / "elsewhere")
    store(full, "frame_scores", np.full(19, np.nan, np.float32), "02")
    assert set(groups_of(full)) == {"S121", "S140"}


def test_quick_reads_no_array(full):
    for chunk in full.rglob("c/**/*"):
        if chunk.is_file():
            chunk.write_bytes(b"")
    result = validate(full, DATASET, contents=False)
    assert (result.n_errors, result.fingerprint) == (0, None)
    assert {check.name for check in result.checks if not check.made} == {
        "values: every chunk, scores finite, rows, boxes, masks",
        "predictions against the labels of the test set",
        "fingerprint",
    }


@pytest.mark.parametrize("contents", [True, False])
def test_progress_goes_clip_by_clip(full, contents):
    seen = []
    validate(full, DATASET, contents=contents, progress=lambda *told: seen.append(told))
    assert seen == [(1, 2, "01"), (2, 2, "02")]


def test_known_data_sets_need_no_data(tmp_path):
    from vadbench.datasets.facts import load_facts

    clips = load_facts("ucsd-ped2").known_clips()
    parts = {clip.id: {"frame_scores": np.linspace(0, 1, clip.frames) * int(clip.id)} for clip in clips}
    parts["03"]["frame_scores"] = parts["03"]["frame_scores"][2:]
    path = write(tmp_path / "m", parts, dataset="ucsd-ped2")
    result = validate(path)
    assert [(group.code, group.clips) for group in result.groups if group.severity == "error"] == [("S104", ("03",))]
    checks = {check.name: check for check in result.checks}
    assert "known of ucsd-ped2" in checks["clips, frame counts and sizes"].remark
    assert "--root" in checks["predictions against the labels of the test set"].remark


def test_a_folder_set_without_root_is_checked_against_itself(full):
    result = validate(full)
    assert result.n_errors == 0
    assert result.fingerprint is not None
    (check,) = [check for check in result.checks if check.name == "clips, frame counts and sizes"]
    assert not check.made
    assert "--root" in check.remark


def test_masks_of_unknown_size_are_of_one_size(tmp_path):
    path = write(tmp_path / "m", {"01": {"instances": clip_of()["instances"]}})
    assert validate(path).n_errors == 0
    store(path, "instances/counts", np.array([0, 42, 0, 42, 0, 41], np.uint32))
    store(path, "instances/offsets", np.array([0, 2, 4, 6]))
    assert only(path, "S143", None).expected == "run lengths that add up to 42, as in row 0"


def test_arrays_of_different_lengths_are_checked_each_by_itself(full):
    store(full, "detections/score", np.array([0, 1, 2, 3, np.nan]))
    store(full, "instances/frame", np.array([0, 99], np.int32))
    groups = groups_of(full)
    assert set(groups) == {"S140", "S141", "S145"}
    assert groups["S140"].where == ("clip 01 · detections · score · row 4",)


METADATA_RULES = {
    "neither": ({"method": {k: v for k, v in METHOD.items() if k != "code"}}, "neither paper nor code"),
    "half a pair": ({"method": METHOD | {"hardware": "x"}}, "belong together"),
}


def test_rules_between_keys_are_named_beside_wrong_keys():
    from vadbench.submission.schema import scan_metadata

    toml = """
format = "vadbench.submission/1"
dataset = "ucsd-ped2"
predictions = ["detections"]
[method]
name = "M"
year = 1800
frames_per_second = 3
[training]
supervision = "one-clas"
data = []
pretrained = []
threshold_chosen_on = "none"
[score_maps]
threshold = 3
lower = 3
"""
    scan = scan_metadata(toml.encode(), ("m", "submission.toml"))
    (fault,) = scan.faults
    lines = fault.error.got.splitlines()
    assert fault.count == len(lines) == 8
    for words in (
        "method.authors: missing",
        "method.year",
        "training.supervision",
        "neither paper nor code",
        "frames_per_second and hardware",
        "lower and upper",
        "does not list score_maps",
        "threshold_chosen_on must say",
    ):
        assert sum(words in line for line in lines) == 1, words
    assert (scan.metadata, scan.dataset, scan.predictions) == (None, "ucsd-ped2", ("detections",))


def test_the_reader_and_the_pass_say_the_same_words(full):
    store(full, "detections/frame", np.array([1, 2, 19], np.int32))
    with pytest.raises(SubmissionError) as caught:
        Submission.open(full).clip(DATASET.clip("01"))
    group = only(full, "S141")
    error = caught.value
    assert (group.message, group.expected, group.got) == (error.message, error.expected, error.got)
    assert group.where == (" · ".join(error.where[1:]),)


def scores_of(tmp_path, frames, **options):
    """A submission of frame scores, each clip with so many frames."""
    return write(tmp_path / "m", {i: {"frame_scores": np.linspace(0, 1, n)} for i, n in frames.items()}, **options)


def of_lengths(frames):
    return dataset_of({i: (n, 6, 7) for i, n in frames.items()})


LENGTHS = {"01": 120, "02": 90, "03": 60}


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ({"01": 116, "02": 86, "03": 56}, "--pad-head 2 --pad-tail 2"),
        ({"01": 121, "02": 91, "03": 61}, "1 frame too many"),
        ({"01": 60, "02": 45, "03": 30}, "every 2nd frame"),
        ({"01": 90, "02": 120, "03": 60}, "clip 01 has as many frames as clip 02"),
        ({"01": 112, "02": 80, "03": 48}, "8 … 12 frames are missing"),
        ({"01": 120, "02": 90, "03": 56}, "whether it is another clip"),
    ],
)
def test_padding_is_offered_only_where_every_clip_lacks_as_many_frames(tmp_path, frames, words):
    path = scores_of(tmp_path, frames)
    dataset = of_lengths(LENGTHS)
    group = only(path, "S104", dataset)
    assert words in group.hint
    assert group.count == sum(frames[clip_id] != n for clip_id, n in LENGTHS.items())
    assert ("--pad-head" in group.hint) == ("--pad-head" in words)
    with pytest.raises(SubmissionError) as caught:
        Submission.open(path).check_against(dataset)
    assert group.hint.splitlines()[0] in caught.value.hint


def test_misnamed_clips_are_checked_against_their_own_frames(tmp_path):
    path = scores_of(tmp_path, {"Test001": 116, "Test003": 56})
    groups = groups_of(path, of_lengths(LENGTHS))
    assert set(groups) == {"S103", "S104"}
    assert groups["S103"].got == 'missing after renaming "02"; not in the data set "Test001", "Test003"'
    assert groups["S104"].clips == ("Test001", "Test003")


def test_clips_counted_from_0_are_not_said_to_have_other_frames(tmp_path):
    path = scores_of(tmp_path, {"00": 120, "01": 90, "02": 60})
    assert only(path, "S103", of_lengths(LENGTHS)).got == 'not in the data set "00"'


def test_chunks_of_parts_of_frames_hide_nothing(tmp_path):
    scores = maps(dtype="float32")[:17].transpose(0, 2, 1).copy()
    scores[3, 6, 5] = np.nan
    path = write(tmp_path / "m", {"01": {"score_maps": maps(dtype="float32")}})
    group = zarr.open_group(str(path / "predictions.zarr/01"), mode="r+")
    shutil.rmtree(path / "predictions.zarr/01/score_maps")
    group.create_array("score_maps", data=scores, chunks=(5, 4, 4), config={"write_empty_chunks": True})
    groups = groups_of(path, dataset_of({"01": SHAPE}))
    assert set(groups) == {"S104", "S105", "S132", "S140"}
    assert groups["S140"].where == ("clip 01 · score_maps · frame 3 · pixel (x 5, y 6)",)


def test_what_changes_nothing_in_reading_hides_nothing(full):
    store(full, "frame_scores", np.full(15, np.nan, np.float32))
    edit_json(full / "predictions.zarr/01/frame_scores/zarr.json", attributes={"a": 1}, more=1)
    groups = groups_of(full)
    assert set(groups) == {"S104", "S131", "S140"}
    assert groups["S131"].got == "the key 'more'; attributes, which must be absent or empty"
    with pytest.raises(SubmissionError, match="S131"):
        Submission.open(full).layout("01")


def test_rows_of_another_whole_dtype_are_read(full):
    store(full, "detections/frame", np.array([1, 2, 19]))
    groups = groups_of(full)
    assert set(groups) == {"S132", "S141"}
    assert groups["S132"].hint == "frame.astype(np.int32)"


def checks_of(path, dataset=DATASET):
    return {check.name.partition(":")[0]: check for check in validate(path, dataset).checks}


def test_checked_says_how_much_was_read(full):
    assert checks_of(full)["values"].remark == ""
    edit_json(full / "predictions.zarr/01/score_maps/zarr.json", codecs=[])
    (full / "predictions.zarr/02/frame_scores/c/0").write_bytes(b"damaged")
    check = checks_of(full)["values"]
    assert (check.made, check.remark) == (True, "18 of 20 arrays; the others have errors above")
    for node in full.glob("predictions.zarr/*/*/**/zarr.json"):
        edit_json(node, codecs=[])
    check = checks_of(full)["values"]
    assert (check.made, check.remark) == (False, "none of the arrays can be read; they have errors above")


def test_clips_that_are_no_clips_of_the_data_set_are_not_claimed_to_be_checked(full):
    check = checks_of(full, dataset_of({"walking": SHAPE, "running": SHAPE}))["clips, frame counts and sizes"]
    assert not check.made
    assert "0 of 2 clips" in check.remark


@pytest.mark.parametrize("odd", ["01", "03"])
def test_the_clip_that_differs_is_accused_and_not_the_others(tmp_path, odd):
    frames = dict.fromkeys(("01", "02", "03", "04"), 9)
    path = scores_of(tmp_path, frames)
    store(path, "frame_scores", np.linspace(0, 1, 9, dtype=np.float32), odd)
    group = only(path, "S107", of_lengths(frames))
    assert (group.clips, group.count) == ((odd,), 1)


def test_provenance_must_be_a_file(full):
    (full / "provenance.json").mkdir()
    (full / "provenance.json/tool.exe").write_text("x")
    group = only(full, "S120")
    assert (group.where, group.expected, group.got) == (("provenance.json",), "a file", "a folder")
    with pytest.raises(SubmissionError, match="S120"):
        Submission.open(full)


def test_derived_faults_are_not_said(full):
    (full / "predictions.zarr/01/score_maps").rename(full / "predictions.zarr/01/scoremaps")
    for kind in ("instances", "detections", "frame_scores"):
        shutil.rmtree(full / "predictions.zarr/01" / kind)
    assert 'did you mean "score_maps"' in only(full, "S120").hint
    assert checks_of(full)["values"].remark == "1 clip has no arrays"
    shutil.rmtree(full / "predictions.zarr")
    (full / "predictions.zarr").write_text("")
    assert set(groups_of(full)) == {"S121"}
    assert checks_of(full)["clips, frame counts and sizes"].remark == "there are no clips"


def test_what_is_said_of_dtypes_and_consolidated_metadata(full):
    store(full, "score_maps", np.ones(SHAPE, bool))
    assert "uint8 0 and 1" in only(full, "S131").got
    edit_json(full / "predictions.zarr/zarr.json", consolidated_metadata={"x": "y" * 70_000})
    assert "consolidate_metadata" in groups_of(full)["S123"].hint


def test_axes_in_another_order_are_seen_though_frames_are_missing(full):
    store(full, "score_maps", np.zeros((6, 7, 15), np.uint16))
    group = only(full, "S105")
    assert "transpose(2, 0, 1)" in group.hint
    assert group.got == "(6, 7, 15): 15 frames"


def test_many_clips_are_compared_at_once():
    import time

    from vadbench.submission.agreement import clip_differences

    ids = [f"c{n:05d}" for n in range(20_000)]
    started = time.perf_counter()
    assert not clip_differences(("m",), ids, ids)
    assert clip_differences(("m",), [f"d{own}" for own in ids], ids)
    assert time.perf_counter() - started < 2
