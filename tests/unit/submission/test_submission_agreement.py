"""Whether a submission fits its data set is known before any chunk is decoded."""

import shutil

import numpy as np
import pytest
from made_submissions import (
    SHAPE,
    clip_of,
    dataset_of,
    edit_json,
    instances,
    maps,
    write,
)

from vadbench.errors import SubmissionError
from vadbench.submission import Submission
from vadbench.submission.agreement import raise_all
from vadbench.submission.problems import problem


def against(path, shapes, name="folder"):
    with pytest.raises(SubmissionError) as caught:
        Submission.open(path).check_against(dataset_of(shapes, name))
    return caught.value


def test_a_submission_that_fits_is_accepted_without_reading_chunks(full):
    for chunk in full.rglob("c/**/*"):
        if chunk.is_file():
            chunk.write_bytes(b"")
    Submission.open(full).check_against(dataset_of({"01": SHAPE, "02": SHAPE}))


def test_another_data_set(full):
    error = against(full, {"01": SHAPE, "02": SHAPE}, "other")
    assert error.code == "S102"


def test_frame_count_as_the_style_shows_it(full):
    error = against(full, {"01": SHAPE, "02": (34, 6, 7)})
    assert error.code == "S100"
    text = str(error)
    assert (
        "[S104] clip 02 · score_maps: frame count differs (expected 34 frames (data set folder); got 19 frames)" in text
    )
    assert "15 frames are missing" in text
    assert "docs/submit.md#windows" in text


def test_one_problem_is_raised_itself(tmp_path):
    path = write(tmp_path / "m", {"04": {"frame_scores": np.zeros(165)}})
    error = against(path, {"04": (180, 2, 2)})
    assert error.code == "S104"
    assert error.where == (str(path), "clip 04", "frame_scores")
    assert error.expected == "180 frames (data set folder)"
    assert error.got == "165 frames"


@pytest.mark.parametrize(
    ("given", "expected", "hint"),
    [
        (["1", "2"], ["01", "02"], '"1" should be "01"'),
        (["Test001", "Test002"], ["01", "02"], '"Test001" should be "01"'),
        (["1_14", "1_15"], ["01_0014", "01_0015"], '"1_14" should be "01_0014"'),
        (["00", "01"], ["01", "02"], "not from 0"),
        (["01", "walk"], ["01", "walking"], 'did you mean "walking"'),
        (["01"], ["01", "02"], "every test clip"),
        (["01", "02"], ["01"], "known: 01"),
    ],
)
def test_missing_and_extra_clips(tmp_path, given, expected, hint):
    path = write(tmp_path / "m", {clip_id: {"frame_scores": np.zeros(3)} for clip_id in given})
    error = against(path, dict.fromkeys(expected, (3, 2, 2)))
    assert error.code == "S103"
    assert hint in error.hint
    for clip_id in set(expected) - set(given):
        assert f'"{clip_id}"' in error.expected


def test_all_problems_are_listed_up_to_ten():
    with pytest.raises(SubmissionError) as caught:
        raise_all([problem("S131", where=("m", "clip 01", f"array {n}"), got="x") for n in range(14)], "m")
    assert caught.value.code == "S100"
    assert "14" in caught.value.message
    assert caught.value.got.count("[S131]") == 10
    assert caught.value.got.endswith("and 4 more")


def test_equal_problems_are_one_line(tmp_path):
    ids = [f"{n:02d}" for n in range(14)]
    path = write(tmp_path / "m", {clip_id: {"frame_scores": np.zeros(3)} for clip_id in ids})
    error = against(path, dict.fromkeys(ids, (4, 2, 2)))
    assert (error.code, error.message) == ("S100", "the submission has several problems: 14")
    assert error.got.startswith(
        "[S104] 14 clips (00, 01, 02, 03, …) · frame_scores: frame count differs\n  first: expected 4 frames"
    )
    assert error.got.count("\n") == 1


def test_training_clips_are_called_so(tmp_path):
    path = write(tmp_path / "m", {clip_id: {"frame_scores": np.zeros(3)} for clip_id in ("01", "02", "03")})
    dataset = dataset_of({"01": (9, 2, 2), "02": (9, 2, 2)})
    dataset.training_clips = dataset_of(dict.fromkeys(("01", "02", "03"), (3, 2, 2))).clips
    with pytest.raises(SubmissionError) as caught:
        Submission.open(path).check_against(dataset)
    assert caught.value.code == "S103"
    assert "these are training clips" in caught.value.hint
    assert "known:" not in caught.value.hint


def other_clip(full, tmp_path, change):
    """Clip 02 of ``full`` in place of one whose parts are changed."""
    parts = clip_of(seed=2)
    change(parts)
    other = write(tmp_path / "other", {"02": parts})
    shutil.rmtree(full / "predictions.zarr/02")
    shutil.copytree(other / "predictions.zarr/02", full / "predictions.zarr/02")
    return against(full, {"01": SHAPE, "02": SHAPE})


def test_dtypes_are_the_same_in_every_clip(full, tmp_path):
    error = other_clip(full, tmp_path, lambda parts: parts.update(score_maps=maps(dtype="uint8")))
    assert error.code == "S107"
    assert error.where == (str(full), "clip 02", "score_maps")
    assert (error.expected, error.got) == ("uint16 (clip 01)", "uint8")


def test_object_ids_are_in_all_clips_or_in_none(full, tmp_path):
    error = other_clip(full, tmp_path, lambda parts: parts.update(instances=instances(objects=None)))
    assert error.code == "S108"
    assert error.where == (str(full), "clip 02", "instances")


def test_kinds_are_the_same_in_every_clip(full, tmp_path):
    error = other_clip(full, tmp_path, lambda parts: parts.pop("detections"))
    assert error.code == "S106"
    assert error.got == "score_maps, instances, frame_scores"


def test_structural_damage_is_found_before_scoring(full):
    (full / "predictions.zarr/02/score_maps/c/2/0/0").unlink()
    edit_json(full / "predictions.zarr/01/instances/score/zarr.json", attributes={"a": 1})
    error = against(full, {"01": SHAPE, "02": SHAPE})
    assert "[S131] clip 01 · instances · score" in error.got
    assert "[S133] clip 02 · score_maps · chunk c/2/0/0 (frames 16–18)" in error.got


def test_the_list_says_where_all_problems_are_grouped(full):
    assert "`vadbench validate`" in against(full, {"01": SHAPE, "02": (34, 6, 7), "03": SHAPE}).hint


def test_chunks_behind_a_url_are_fetched_ahead_and_decoded_one_by_one(full, monkeypatch):
    import threading

    from vadbench.submission.arrays import ArrayReader
    from vadbench.submission.score_maps import each_chunk
    from vadbench.submission.tree import FolderTree

    reader = Submission.open(full).layout("01").arrays["score_maps"][""]
    decoded, fetched = ArrayReader._decoded, ArrayReader._stored
    threads = {"decoded": set(), "fetched": set()}

    def noting(name, function):
        def noted(*arguments):
            threads[name].add(threading.current_thread())
            return function(*arguments)

        return noted

    monkeypatch.setattr(FolderTree, "is_remote", True)
    monkeypatch.setattr(ArrayReader, "_decoded", noting("decoded", decoded))
    monkeypatch.setattr(ArrayReader, "_stored", noting("fetched", fetched))
    (full / "predictions.zarr/01/score_maps/c/1/0/0").write_bytes(b"damaged")
    chunks = dict(each_chunk(reader))
    assert [first for first, chunk in chunks.items() if isinstance(chunk, SubmissionError)] == [8]
    assert len(chunks) == 3
    assert threads["decoded"] == {threading.current_thread()}
    assert threads["fetched"].isdisjoint(threads["decoded"])
