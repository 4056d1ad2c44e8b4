"""The four stages together: what lies on disk, what is made again, what goes on, what is the same."""

import json
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import Image

from baselines.tao.box_table import BoxTable
from baselines.tao.detection.settings import BackgroundDetectionSettings
from baselines.tao.filtering import FilterSettings
from baselines.tao.instance_rows import object_scores
from baselines.tao.pipeline import run_tao, stages_folder
from baselines.tao.stage_keys import StageKeys
from baselines.tao.stages import Stage
from vadbench import DataError, Submission, UsageError, evaluate, open_dataset


def content(folder, *, run=False):
    """Bytes of all files by relative path; without what varies from run to run."""
    found = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    if not run and "provenance.json" in found:
        table = json.loads(found["provenance.json"])
        assert set(table["run"]) >= {"seconds", "frames", "peak_memory_bytes"}
        del table["run"]
        found["provenance.json"] = json.dumps(table)
    return found


@pytest.fixture
def run(small, settings, methods, tmp_path):
    def call(out="out", **changes):
        given = {"dataset": small, "settings": settings, "methods": methods, "preset": "made", **changes}
        return run_tao(given.pop("dataset"), given.pop("settings"), tmp_path / out, **given)

    return call


def test_a_submission_of_instances(run, small, settings):
    outcome = run()
    submission = Submission.open(outcome.submission)
    assert [str(kind) for kind in submission.metadata.predictions] == ["instances"]
    total = 0
    for clip in small.clips:
        found = submission.clip(clip).instances
        kept = BoxTable.read(outcome.stages / "filtering" / "test" / f"{clip.id}.csv")
        scores = object_scores(kept)
        assert set(found.objects.tolist()) == set(scores)
        assert found.scores.dtype == np.float64
        assert found.scores.tolist() == [scores[label] for label in found.objects.tolist()]
        total += len(found)
    assert total > 10
    report = evaluate(submission, small)
    assert report.scores["rbdc"].value is not None


def test_what_lies_beside_the_submission_and_in_it(run, small):
    outcome = run()
    ids = [clip.id for clip in small.clips]
    assert outcome.stages == stages_folder(outcome.submission)
    names = {str(p.relative_to(outcome.stages)) for p in outcome.stages.rglob("*") if p.is_file()}
    expected = {f"{folder}/test/{clip}.csv" for folder in ("detection", "scoring", "filtering") for clip in ids}
    expected |= {f"detection/training/{clip.id}.csv" for clip in small.training_clips}
    expected |= {"scoring/model.npz", "segmentation/model.npz", "submission/placed.json"}
    folders = ("detection", "scoring", "filtering", "segmentation", "submission")
    expected |= {f"{folder}/{name}.json" for folder in folders for name in ("stage", "seconds")}
    assert names == expected
    assert {p.name for p in outcome.submission.iterdir()} == {
        "submission.toml",
        "provenance.json",
        "predictions.zarr",
    }
    scored = BoxTable.read(outcome.stages / "scoring" / "test" / f"{ids[0]}.csv")
    assert set(scored.attributes) == {"width"}
    kept = BoxTable.read(outcome.stages / "filtering" / "test" / f"{ids[0]}.csv")
    assert kept.prompts.any()
    assert not kept.prompts.all()
    assert (kept.labels >= 0).all()


def test_two_runs_differ_under_run_alone(run):
    first, second = run("a"), run("b")
    assert content(first.submission) == content(second.submission)
    for name in ("detection", "scoring", "filtering", "segmentation"):
        one, other = content(first.stages / name), content(second.stages / name)
        one.pop("seconds.json", None)
        other.pop("seconds.json", None)
        assert one == other


@pytest.mark.parametrize("stage", list(Stage))
def test_a_stage_without_those_before_says_what_to_run(stage, run, tmp_path):
    if stage is Stage.DETECT:
        assert run(stage=stage).submission is None
        return
    with pytest.raises(UsageError, match="stage before") as raised:
        run(stage=stage)
    assert raised.value.code == "B245"
    before = list(Stage)[list(Stage).index(stage) - 1]
    assert f"--stage {before}" in raised.value.hint
    assert not (tmp_path / "out").exists()


def test_stages_one_by_one_are_the_same_as_all(run):
    for stage in Stage:
        single = run("a", stage=stage)
        assert (single.submission is None) == (stage is not Stage.SEGMENT)
    assert content(single.submission) == content(run("b").submission)


def test_a_stage_refuses_results_of_other_settings(run, settings):
    run(stage=Stage.DETECT)
    run(stage=Stage.SCORE)
    other = replace(settings, scoring=replace(settings.scoring, neighbours=3))
    with pytest.raises(UsageError, match="stage before") as raised:
        run(stage=Stage.FILTER, settings=other)
    assert "neighbours 1 → 3" in raised.value.got
    assert "--stage score" in raised.value.hint


def test_changed_settings_make_their_stage_and_later_ones_again(run, settings, calls, with_tau):
    said = []
    first = content(run(notice=said.append).submission)
    assert said == []
    second = run(settings=with_tau(settings, 1.1), overwrite=True, notice=said.append)
    assert content(second.submission) != first
    assert len(said) == 1
    assert said[0].startswith("filtering")
    assert "tau -1.0 → 1.1" in said[0]
    assert (calls.of("detect"), calls.of("score"), calls.of("segment")) == (5, 3, 6)
    assert calls.of("fit segmenter") == 1
    said.clear()
    scoring = replace(settings, scoring=replace(settings.scoring, neighbours=3))
    third = run(settings=scoring, overwrite=True, notice=said.append)
    assert [line.split(":")[0] for line in said] == ["scoring"]
    assert (calls.of("detect"), calls.of("score"), calls.of("segment")) == (5, 6, 9)
    assert {k: v for k, v in content(third.submission).items() if k != "provenance.json"} == {
        k: v for k, v in first.items() if k != "provenance.json"
    }


def test_other_frames_at_the_same_place_are_noticed(run, small_root, settings, calls, tmp_path):
    from vadbench import synthesize

    run()
    other = synthesize(tmp_path / "other", seed=6, test_clips=3, training_clips=2, frames=14, height=48, width=64)
    run(dataset=open_dataset("synthetic", other), overwrite=True)
    assert calls.of("detect") == 10


@pytest.mark.parametrize("is_named", [True, False])
def test_one_later_frame_that_changed_is_noticed_where_files_are_named(
    is_named, run, small_root, settings, calls, tmp_path
):
    root = tmp_path / "copy"
    shutil.copytree(small_root, root)
    dataset = open_dataset("synthetic", root)
    before = StageKeys(dataset).of(settings)
    run(dataset=dataset)
    run(dataset=dataset, overwrite=True)
    assert calls.of("detect") == 5
    file = sorted(p for p in (root / "Test").rglob("*") if p.is_file() and "_gt" not in str(p))[7]
    size, frame = file.stat().st_size, np.asarray(Image.open(file))
    Image.fromarray(255 - frame).save(file)
    assert file.stat().st_size == size
    if not is_named:
        # Without a folder to look into only the first frame is looked at, as the documentation says.
        dataset.clips = tuple(replace(clip, frame_reader=partial(clip.frame_reader)) for clip in dataset.clips)
        once = StageKeys(dataset).of(settings)
        Image.fromarray(frame).save(file)
        assert StageKeys(dataset).of(settings) == once != before
        return
    run(dataset=dataset, overwrite=True)
    assert calls.of("detect") == 10


def test_a_submission_that_nothing_has_changed_is_used_again(run, calls, settings, with_tau):
    first = run()
    expected = content(first.submission, run=True)
    calls.done.clear()
    second = run(overwrite=True)
    assert not calls.done
    assert second.made == set()
    assert content(second.submission, run=True) == expected
    # What lies there counts, not only what was made once.
    other = run("other", settings=with_tau(settings, 1.1)).submission
    shutil.rmtree(first.submission)
    other.rename(first.submission)
    calls.done.clear()
    run(overwrite=True)
    assert calls.of("segment") == 3
    run(overwrite=True, preset="another")
    assert json.loads((first.submission / "provenance.json").read_text())["preset"] == "another"


@pytest.mark.parametrize("part", ["detector", "fit_scorer", "fit_segmenter", "segmenter"])
def test_a_call_that_cannot_work_deletes_nothing(part, run, settings, methods, calls):
    outcome = run()
    before = content(outcome.stages)
    shutil.rmtree(outcome.submission)
    segmentation = settings.segmentation
    changes = {
        "detector": replace(
            settings, detection=replace(settings.detection, background=BackgroundDetectionSettings(threshold=9.0))
        ),
        "fit_scorer": replace(settings, scoring=replace(settings.scoring, neighbours=3)),
        "fit_segmenter": replace(
            settings,
            segmentation=replace(segmentation, classical=replace(segmentation.classical, median_frames=7)),
        ),
        "segmenter": replace(
            settings, segmentation=replace(segmentation, classical=replace(segmentation.classical, vote=0.7))
        ),
    }

    def refuse(*given):
        raise UsageError("B209", "no weights")

    with pytest.raises(UsageError, match="no weights"):
        run(settings=changes[part], methods=replace(methods, **{part: refuse}))
    assert content(outcome.stages) == before
    run(settings=changes[part])


def test_a_segmenter_that_cannot_be_made_keeps_unfinished_clips(run, methods, calls, with_tau, settings):
    calls.failing["segment", "03"] = OSError("disk")
    with pytest.raises(OSError, match="disk"):
        run()
    calls.failing.clear()

    def refuse(*given):
        raise UsageError("B230", "no package")

    other = replace(settings.segmentation, classical=replace(settings.segmentation.classical, vote=0.7))
    with pytest.raises(UsageError, match="no package"):
        run(settings=replace(settings, segmentation=other), methods=replace(methods, segmenter=refuse))
    calls.done.clear()
    run()
    assert calls.of("segment") == 1


@pytest.mark.parametrize(
    ("stage", "words"), [(None, {*Stage}), (Stage.SEGMENT, {Stage.SEGMENT}), (Stage.DETECT, {Stage.DETECT})]
)
def test_what_stages_need_is_asked_before_the_first_begins(stage, words, run, methods, calls, tmp_path):
    asked = []

    def check(given, stages):
        asked.append(set(stages))
        raise UsageError("B230", "no package")

    with pytest.raises(UsageError, match="no package"):
        run(stage=stage, methods=replace(methods, check=check))
    assert asked == [words]
    assert not calls.done
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("column", ["score", "label"])
def test_boxes_of_objects_without_score_or_label_are_named(column, run):
    outcome = run()
    shutil.rmtree(outcome.submission)
    file = outcome.stages / "filtering" / "test" / "02.csv"
    table = BoxTable.read(file)
    assert len(table)
    lacking = {"score": "scores", "label": "labels"}[column]
    replace(table, **{lacking: None}, **({"attributes": {}} if column == "score" else {})).write(file)
    with pytest.raises(DataError) as raised:
        run()
    assert raised.value.code == "B216"
    assert column in raised.value.got
    assert "02.csv" in raised.value.where[0]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"seconds": "x", "frames": 1}', '{"seconds": NaN, "frames": 1}']
)
def test_a_damaged_time_stops_nothing(text, run):
    first = run()
    (first.stages / "detection" / "seconds.json").write_text(text)
    shutil.rmtree(first.submission)
    second = run()
    assert (second.seconds[Stage.DETECT], second.frames[Stage.DETECT]) == (0.0, 0)
    assert Submission.open(second.submission).provenance()["run"]["seconds"]["detect"] == 0.0


def test_what_a_killed_run_was_writing_is_removed(run, calls):
    outcome = run()
    shutil.rmtree(outcome.submission)
    shutil.rmtree(outcome.stages / "scoring")
    left = [outcome.stages / "scoring" / ".stage.json-a_b1c2d3", outcome.stages / "detection/test" / ".02.csv-abcdefgh"]
    (outcome.stages / "detection/test/02.csv").unlink()
    for file in left:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("half")
    run()
    assert not [file for file in left if file.exists()]
    assert calls.of("score") == 6


@pytest.mark.parametrize("work", ["detect", "score", "segment"])
@pytest.mark.parametrize("failure", [KeyboardInterrupt(), MemoryError(), OSError("disk")])
def test_a_run_that_ends_early_goes_on(work, failure, run, calls, tmp_path):
    expected = content(run("whole").submission)
    calls.done.clear()
    calls.failing[work, "test/03" if work == "detect" else "03"] = failure
    raised = UsageError if isinstance(failure, MemoryError) else type(failure)
    with pytest.raises(raised):
        run()
    assert not (tmp_path / "out").exists()
    calls.failing.clear()
    said = []
    assert content(run(notice=said.append).submission) == expected
    assert (calls.of("detect"), calls.of("score"), calls.of("segment")) == (5, 3, 3)
    assert len(said) == 1
    assert "going on" in said[0]


def test_memory_that_is_not_enough_names_the_clip(run, calls):
    calls.failing["segment", "02"] = MemoryError("512 GiB")
    with pytest.raises(UsageError) as raised:
        run()
    assert raised.value.code == "B244"
    assert raised.value.where == ("clip 02",)
    assert "512 GiB" in raised.value.got


def test_a_finished_submission_is_replaced_only_when_told(run, settings, with_tau, calls, tmp_path):
    first = content(run().submission, run=True)
    with pytest.raises(UsageError) as raised:
        run()
    assert raised.value.code == "B101"
    calls.failing["segment", "02"] = OSError("disk")
    changed = with_tau(settings, 1.1)
    with pytest.raises(OSError, match="disk"):
        run(settings=changed, overwrite=True)
    # The old one stays until the new one is whole.
    assert content(tmp_path / "out", run=True) == first
    calls.failing.clear()
    calls.done.clear()
    run(settings=changed, overwrite=True)
    assert calls.of("segment") == 2
    assert content(tmp_path / "out", run=True) != first
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_time_of_a_submission_made_again_is_not_added_up(run):
    first = run()
    shutil.rmtree(first.submission)
    second = run()
    assert second.made == {Stage.SEGMENT}
    assert second.frames == first.frames
    assert first.frames[Stage.SEGMENT] == 5 * 14
    assert first.frames[Stage.FILTER] == 3 * 14


def test_results_of_another_run_are_taken_without_a_copy(run, settings, with_tau, calls):
    first = run("a")
    second = run("b", settings=with_tau(settings, 1.1), reuse=first.stages)
    assert {p.name for p in second.stages.iterdir()} == {"filtering", "submission"}
    assert (calls.of("detect"), calls.of("fit scorer"), calls.of("score"), calls.of("segment")) == (5, 1, 3, 6)
    assert second.seconds[Stage.DETECT] == first.seconds[Stage.DETECT] > 0
    alone = run("c", settings=with_tau(settings, 1.1))
    assert content(second.submission) == content(alone.submission)


def test_nothing_of_another_run_fits(run, settings, tmp_path):
    with pytest.raises(UsageError) as raised:
        run(reuse=tmp_path / "nowhere")
    assert raised.value.code == "B246"
    said = []
    (tmp_path / "empty").mkdir()
    run(reuse=tmp_path / "empty", notice=said.append)
    assert len(said) == 1


def test_a_folder_in_the_way_is_left_alone(run, tmp_path):
    file = stages_folder(tmp_path / "out") / "scoring" / "mine.txt"
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    with pytest.raises(UsageError) as raised:
        run()
    assert raised.value.code == "B243"
    assert file.read_text() == "mine"
    shutil.rmtree(file.parent)
    run()


def test_no_detection_in_test_clips_is_a_valid_submission(run, settings, with_tau, small):
    outcome = run(settings=with_tau(settings, 1e9))
    submission = Submission.open(outcome.submission)
    assert [len(submission.clip(clip).instances) for clip in small.clips] == [0, 0, 0]
    evaluate(submission, small)


def test_without_tracking_every_frame_of_an_object_is_a_prompt(run, settings, small):
    outcome = run(settings=settings.without_tracking())
    for clip in small.clips:
        assert BoxTable.read(outcome.stages / "filtering" / "test" / f"{clip.id}.csv").prompts.all()


def test_without_filtering_nothing_above_the_threshold_is_dropped(run, settings, small):
    strict = replace(settings, filtering=FilterSettings(window=5, matches=5, merge=False))
    few, many = run("a", settings=strict), run("b", settings=strict.without_filtering())

    def boxes(outcome, folder):
        return [len(BoxTable.read(outcome.stages / folder / "test" / f"{clip.id}.csv")) for clip in small.clips]

    assert boxes(many, "filtering") == boxes(many, "scoring")
    assert sum(boxes(few, "filtering")) < sum(boxes(many, "filtering"))


def test_progress_counts_the_frames_of_each_stage(run, small):
    shown = []
    run(progress=lambda *step: shown.append(step))
    totals = {"detecting": 70, "scoring": 42, "filtering": 42, "segmenting": 42}
    for what, total in totals.items():
        steps = [(done, of) for name, done, of in shown if name == what]
        assert steps[-1] == (total, total)
        assert [done for done, _ in steps] == sorted(done for done, _ in steps)


@pytest.mark.parametrize(
    ("lost", "work"),
    [
        ("scoring/model.npz", "fit scorer"),
        ("scoring/test/02.csv", "score"),
        ("segmentation/model.npz", "fit segmenter"),
    ],
)
def test_a_lost_file_is_made_again(lost, work, run, calls):
    first = run()
    expected = (first.stages / lost).read_bytes()
    calls.done.clear()
    (first.stages / lost).unlink()
    run(overwrite=True)
    assert (first.stages / lost).read_bytes() == expected
    assert [name for name in ("detect", "fit scorer", "score", "fit segmenter") if calls.of(name)] == [work]


def test_a_threshold_that_keeps_no_box_is_said(small, settings, methods, tmp_path):
    said = []
    run_tao(small, replace(settings, tau=1e6), tmp_path / "out", methods=methods, notice=said.append)
    assert any("no box is left by τ 1e+06" in line and "the highest score is" in line for line in said)
