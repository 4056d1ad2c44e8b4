"""The studies: which variants there are, what is made once, what is made again, what is written."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from baselines.tao.ablation import PROTOCOLS, StudyKind, run_ablation, score_grid, study_markdown, taus_of
from baselines.tao.ablation.pictures import write_pictures
from baselines.tao.ablation.studies import (
    components_name,
    components_study,
    distinct_variants,
    size_study,
    tau_study,
    with_checkpoint,
)
from baselines.tao.ablation.tables import score_table
from baselines.tao.segmentation.checkpoints import checkpoint_name
from baselines.tao.segmentation.sam2_settings import Sam2Size
from baselines.tao.settings import SegmentationKind, SegmentationSettings, TaoSettings
from vadbench import Dataset, Report, Submission, UsageError, evaluate, open_dataset
from vadbench.plots import TimelineDisplay

NAMES = ["tracking+filtering", "tracking", "filtering", "none"]
SAM2 = TaoSettings(segmentation=SegmentationSettings(SegmentationKind.SAM2_VIDEO))


GIVEN = {"preset": "made", "taus": (0.9, 1.1)}


@pytest.fixture
def ablate(small, settings, methods, tmp_path):
    def call(out="out", **changes):
        given = {"settings": settings, "methods": methods, **GIVEN, **changes}
        dataset = given.pop("dataset", small)
        return run_ablation(dataset, given.pop("settings"), tmp_path / out, **given)

    return call


@pytest.fixture(scope="module")
def whole(small_root, settings, methods_of_nobody, tmp_path_factory):
    """Folder of a finished run, and what it gave; to be read or copied."""
    out = tmp_path_factory.mktemp("whole") / "out"
    return out, run_ablation(open_dataset("synthetic", small_root), settings, out, methods=methods_of_nobody, **GIVEN)


def reports_on_disk(folder):
    return {path.name: path.read_text() for path in sorted((folder / "reports").iterdir())}


def test_table4_turns_each_component_off_alone(settings):
    study = components_study(settings)
    assert [row.value for row in study.rows] == NAMES
    assert study.chosen == "tracking+filtering"
    for row in study.rows:
        own = row.variant.settings
        assert own.segmentation.tracks == ("tracking" in row.value)
        assert (own.filtering.matches > 0) == ("filtering" in row.value)
        assert components_name(own) == row.value
    assert [row.value for row in components_study(SAM2).rows] == NAMES


@pytest.mark.parametrize("change", ["without_tracking", "without_filtering"])
def test_table4_needs_both_components_to_begin_with(change, settings):
    with pytest.raises(UsageError) as caught:
        components_study(getattr(settings, change)())
    assert caught.value.code == "B260"


def test_the_chosen_tau_comes_first_and_once(settings):
    chosen = replace(settings, tau=1.1)
    study = tau_study(chosen, (1.0, 1.1, 1.2, 1.0))
    assert [row.value for row in study.rows] == [1.1, 1.0, 1.2]
    assert [row.variant.settings.tau for row in study.rows] == [1.1, 1.0, 1.2]
    assert [row.variant.name for row in study.rows] == ["tracking+filtering", "tau-1.0", "tau-1.2"]
    assert all(replace(row.variant.settings, tau=1.1) == chosen for row in study.rows)


def test_sizes_are_those_whose_weights_are_there(settings, tmp_path):
    assert "classical" in size_study(settings, tmp_path)
    assert "--checkpoints" in size_study(SAM2, None)
    assert "sam2.1_hiera_large.pt" in size_study(SAM2, tmp_path)
    for size in (Sam2Size.LARGE, Sam2Size.BASE_PLUS, Sam2Size.TINY):
        (tmp_path / checkpoint_name(size, SAM2.segmentation.sam2.version)).write_bytes(b"")
    study = size_study(SAM2, tmp_path)
    assert [row.value for row in study.rows] == ["base-plus", "tiny", "large"]
    assert study.chosen == "base-plus"
    for row in study.rows:
        sam2 = row.variant.settings.segmentation.sam2
        assert sam2.size == row.value
        assert sam2.checkpoint == tmp_path / checkpoint_name(sam2.size, sam2.version)
    assert size_study(replace_size(SAM2, "small"), tmp_path).chosen is None


def replace_size(settings, size, **more):
    sam2 = replace(settings.segmentation.sam2, size=size, **more)
    return replace(settings, segmentation=replace(settings.segmentation, sam2=sam2))


def test_a_sha256_goes_with_the_chosen_size_alone(tmp_path):
    for size in (Sam2Size.BASE_PLUS, Sam2Size.TINY):
        (tmp_path / checkpoint_name(size, SAM2.segmentation.sam2.version)).write_bytes(b"")
    study = size_study(replace_size(SAM2, "base-plus", sha256="a" * 64), tmp_path)
    assert [row.variant.settings.segmentation.sam2.sha256 for row in study.rows] == ["a" * 64, None]


def test_the_folder_of_checkpoints_serves_the_chosen_size_too(settings, tmp_path):
    found = with_checkpoint(SAM2, tmp_path).segmentation.sam2
    assert found.checkpoint == tmp_path / "sam2.1_hiera_base_plus.pt"
    given = replace_size(SAM2, "tiny", checkpoint=tmp_path / "mine.pt")
    assert with_checkpoint(given, tmp_path) == given
    assert with_checkpoint(settings, tmp_path) == settings
    # So the chosen size is one run, not two.
    found.checkpoint.write_bytes(b"")
    chosen = with_checkpoint(SAM2, tmp_path)
    studies = [components_study(chosen), size_study(chosen, tmp_path)]
    assert [variant.name for variant in distinct_variants(studies)] == NAMES


@pytest.mark.parametrize(
    "text", ["", "much", "1:2", "1:2:0", "2:1:0.1", "1:2:-1", "0:1:0.001", "nan", "1,,2", "1:inf:1"]
)
def test_wrong_thresholds(text):
    with pytest.raises(UsageError) as caught:
        taus_of(text)
    assert caught.value.code == "B261"


def test_thresholds_are_the_numbers_that_were_written():
    assert taus_of("1.0:1.9:0.1") == (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9)
    assert taus_of("1:2:0.6") == (1.0, 1.6)
    assert taus_of("-0.5, 2") == (-0.5, 2.0)


def test_boxes_and_scores_are_made_once_and_every_variant_is_scored_twice(ablate, calls, small, tmp_path):
    said = []
    ablation = ablate(notice=said.append)
    assert said == ["fig6 is left out: the segmenter is classical, which has no sizes"]
    # Two training and three test clips; four variants and two more thresholds.
    assert (calls.of("detect"), calls.of("score")) == (5, 3)
    assert (calls.of("fit scorer"), calls.of("fit segmenter")) == (1, 1)
    assert calls.of("segment") == 3 * 6
    assert [scores.study.kind for scores in ablation.studies] == [StudyKind.TABLE4, StudyKind.FIG5]
    names = [*NAMES, "tau-0.9", "tau-1.1"]
    expected = {f"{name}.{protocol}.report.json" for name in names for protocol in PROTOCOLS}
    assert set(reports_on_disk(tmp_path / "out")) == expected
    for scores in ablation.studies:
        for protocol in PROTOCOLS:
            for row in scores.study.rows:
                report = scores.reports[protocol][row.value]
                again = evaluate(Submission.open(scores.submissions[row.value]), small, protocol)
                assert report.to_json(run=False) == again.to_json(run=False)
                made = Submission.open(scores.submissions[row.value]).provenance()["parameters"]
                assert made["tau"] == row.variant.settings.tau
                assert made["filtering"]["matches"] == row.variant.settings.filtering.matches
    values = [scores.value("pixel_f1") for scores in ablation.studies[0].reports["tao-release"].values()]
    assert len(set(values)) > 1


def test_what_is_there_is_not_made_again(ablate, calls, tmp_path):
    ablate()
    before = reports_on_disk(tmp_path / "out")
    calls.done.clear()
    ablate()
    assert not calls.done
    assert reports_on_disk(tmp_path / "out") == before


def test_other_settings_make_their_variants_again(ablate, whole, calls, settings, tmp_path):
    out, first = whole
    shutil.copytree(out, tmp_path / "out")
    second = ablate(settings=replace(settings, tau=1.0))
    # The thresholds that figure 5 tries are the same runs as before.
    assert (calls.of("detect"), calls.of("score"), calls.of("segment")) == (0, 0, 3 * 4)
    assert second.studies[1].study.chosen == 1.0
    before, now = (own.studies[0].reports["standard"]["tracking+filtering"] for own in (first, second))
    assert before.submission["fingerprint"] != now.submission["fingerprint"]
    stored = Report.read(tmp_path / "out" / "reports" / "tracking+filtering.standard.report.json")
    assert stored.to_json(run=False) == now.to_json(run=False)


@pytest.mark.parametrize("damage", ["gone", "broken", "another", "version"])
def test_a_report_that_is_not_this_variants_is_made_again(damage, ablate, whole, calls, tmp_path):
    shutil.copytree(whole[0], tmp_path / "out")
    folder = tmp_path / "out" / "reports"
    path = folder / "none.standard.report.json"
    expected = Report.read(path).to_json(run=False)
    if damage == "gone":
        path.unlink()
    elif damage == "broken":
        path.write_text(path.read_text()[:300])
    elif damage == "another":
        path.write_text((folder / "tracking.standard.report.json").read_text())
    else:
        table = json.loads(path.read_text())
        table["signature"] = table["signature"].rsplit("=", 1)[0] + "=0.0.1"
        path.write_text(json.dumps(table))
    ablate()
    assert not calls.done
    assert Report.read(path).to_json(run=False) == expected


def test_a_run_that_ends_early_goes_on(ablate, whole, calls, tmp_path):
    expected = {name: json.loads(text)["scores"] for name, text in reports_on_disk(whole[0]).items()}
    segment = calls.note

    def note(work, clip_id=""):
        segment(work, clip_id)
        if (work, calls.of("segment")) == ("segment", 8):
            raise KeyboardInterrupt

    calls.note = note
    with pytest.raises(KeyboardInterrupt):
        ablate()
    calls.note = segment
    now = {name: json.loads(text)["scores"] for name, text in reports_of(ablate, "out", tmp_path).items()}
    assert now == expected
    # The clip at which it ended was begun twice.
    assert (calls.of("detect"), calls.of("segment")) == (5, 3 * 6 + 1)


def test_a_variant_that_was_given_up_is_not_the_one_before(ablate, calls, settings, methods, tmp_path):
    expected = reports_of(
        ablate, "whole", tmp_path, settings=replace(settings, tau=1.1), taus=(), parts=(StudyKind.FIG5,)
    )
    before = reports_of(ablate, "out", tmp_path, settings=replace(settings, tau=0.0), taus=(), parts=(StudyKind.FIG5,))

    def die(given, model):
        raise KeyboardInterrupt

    later = {"settings": replace(settings, tau=1.1), "taus": (), "parts": (StudyKind.FIG5,)}
    with pytest.raises(KeyboardInterrupt):
        ablate(**later, methods=replace(methods, segmenter=die))
    # Begun, and given up at the second clip too.
    calls.failing["segment", "02"] = OSError("disk")
    with pytest.raises(OSError, match="disk"):
        ablate(**later)
    calls.failing.clear()
    now = reports_of(ablate, "out", tmp_path, **later)

    def scores(reports):
        return {name: json.loads(text)["scores"] for name, text in reports.items()}

    assert scores(now) == scores(expected) != scores(before)


def reports_of(ablate, out, tmp_path, **changes):
    ablate(out, **changes)
    return reports_on_disk(tmp_path / out)


def test_no_study_is_left(ablate, tmp_path):
    with pytest.raises(UsageError) as caught:
        ablate(parts=(StudyKind.FIG6,))
    assert caught.value.code == "B262"
    assert "classical" in caught.value.got
    assert not (tmp_path / "out").exists()


def test_figure6_runs_every_size(ablate, small, calls, tmp_path, settings):
    for size in Sam2Size:
        (tmp_path / checkpoint_name(size, SAM2.segmentation.sam2.version)).write_bytes(size.encode())
    sam2 = replace(settings, segmentation=SAM2.segmentation)
    ablation = ablate(settings=sam2, parts=(StudyKind.FIG6,), checkpoints=tmp_path)
    (scores,) = ablation.studies
    assert list(scores.reports["standard"]) == ["base-plus", "tiny", "small", "large"]
    assert (calls.of("detect"), calls.of("segment")) == (5, 12)
    (picture,) = write_pictures(ablation, small)
    assert picture.name == "fig6.png"
    assert "| tiny |" in study_markdown(scores, ablation)


def test_tables_hold_the_reports_in_per_cent(whole, monkeypatch):
    from baselines.tao.ablation import published

    _, ablation = whole
    table4, fig5 = ablation.studies
    grid = score_grid(table4, "tao-release")
    assert grid.titles == ("Pixel-AUROC", "Pixel-AP", "PR-AUC", "Pixel-F1@0.5", "RBDC", "TBDC")
    assert list(grid.rows) == ["tracking+filtering (chosen)", *NAMES[1:]]
    assert grid.rows["none"][3] == f"{100 * table4.reports['tao-release']['none'].value('pixel_f1'):.2f}"
    assert grid.published == {}
    assert "Table 4), as it prints" not in study_markdown(table4, ablation)
    assert list(score_grid(fig5, "standard").rows) == ["-1.0 (chosen)", "0.9", "1.1"]
    page = study_markdown(fig5, ablation)
    assert "ShanghaiTech" in page
    assert sum(line.startswith("`vadbench/1|") for line in page.splitlines()) == 2
    heads = next(line for line in page.splitlines() if line.startswith("| τ")).split(" | ")
    assert len(heads) == 13
    assert heads[1] == "standard: Pixel-AUROC"
    # On the data set of the paper its own rows stand beside ours, under its own evaluation only.
    monkeypatch.setattr(published, "PUBLISHED_DATASET", "synthetic")
    assert score_grid(table4, "standard").published == {}
    beside = score_grid(table4, "tao-release").published
    assert beside["none"] == ("41.72", "25.30", "40.55", "32.99", "41.0", "71.6")
    assert beside["tracking+filtering (chosen)"] == ("75.11", "50.78", "72.97", "64.12", "83.6", "93.2")
    page = study_markdown(table4, ablation)
    line = "| *the paper's none* |  |  |  |  |  |  | *41.72* | *25.30* | *40.55* | *32.99* | *41.0* | *71.6* |"
    assert line in page.splitlines()
    assert "are not comparable with `standard`" in page
    assert score_table(table4, "tao-release").row_count == 8
    assert score_table(table4, "standard").row_count == 4


def test_pictures_of_the_studies_and_of_every_clip(ablate, small, tmp_path):
    ablation = ablate()
    written = write_pictures(ablation, small)
    clips = [clip.id for clip in small.clips]
    assert [path.name for path in written] == ["table4.png", "fig5.png", *(f"timeline-{own}.png" for own in clips)]
    first = [path.read_bytes() for path in written]
    assert [path.read_bytes() for path in write_pictures(ablation, small)] == first
    table4 = ablation.studies[0]
    means = []
    for clip in small.clips:
        names = ("tracking+filtering", "tracking")
        display = TimelineDisplay.from_reports(
            {name: table4.reports["tao-release"][name] for name in names},
            {name: table4.submissions[name] for name in names},
            small,
            clip_id=clip.id,
        )
        means.append([own.pixel_f1 for own in display.timelines])
    for place, name in enumerate(names):
        frames = np.concatenate([own[place] for own in means])
        expected = table4.reports["tao-release"][name].value("pixel_f1")
        assert np.nanmean(frames) == pytest.approx(expected, abs=1e-12)


def test_the_truth_is_read_by_scoring_alone(ablate, whole, small, tmp_path, monkeypatch):
    first = whole[1].studies[0].submissions
    other = {name: Submission.open(path).fingerprint for name, path in first.items()}

    class WithoutTruth(type(small)):
        def truth(self, clip_id):
            raise AssertionError("the truth was read")

    blind = object.__new__(WithoutTruth)
    blind.__dict__.update(small.__dict__)
    assert isinstance(blind, Dataset)
    with pytest.raises(AssertionError, match="the truth was read"):
        ablate("second", dataset=blind)
    made = {
        path.name: Submission.open(path).fingerprint
        for path in (tmp_path / "second" / "variants").iterdir()
        if path.suffix != ".stages"
    }
    assert made.items() >= other.items()


def test_a_folder_that_holds_other_things_is_left_alone(small, settings, calls, methods, tmp_path):
    (tmp_path / "submission.toml").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        run_ablation(small, settings, tmp_path, methods=methods)
    assert caught.value.code == "B263"
    assert [path.name for path in tmp_path.iterdir()] == ["submission.toml"]
    assert not calls.done
