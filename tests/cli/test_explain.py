"""``vadbench explain``: text, command lines, JSON and errors."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_statistics import made_statistics
from rich.console import Console
from scipy import ndimage
from small_submission import METHOD, TRAINING

from vadbench import Dataset, Report, Submission, SubmissionWriter, open_dataset, synthesize
from vadbench.cli import main
from vadbench.cli.explain import _OverlayCommand
from vadbench.comparison import ReportStatistics
from vadbench.evaluation.report_statistics import statistics_place
from vadbench.failures import NotAvailable, failures

ROOT = Path(__file__).parents[2]
THRESHOLD = 38_000


def written(folder: Path, *, dataset: str = "ucsd-ped2", protocol: str = "standard", name: str = "made") -> Path:
    """A report of a made method with its statistics beside it."""
    n_clips = {"ucsd-ped2": 12, "avenue": 21}[dataset]
    report, statistics = made_statistics(4, dataset=dataset, n_clips=n_clips, quality=0.0, protocol=protocol)
    place = report.write(folder / f"{name}.report.json")
    statistics.write(statistics_place(place))
    return place


def explained(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = main(["explain", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


def commands(text: str) -> list[list[str]]:
    """Command lines of the text, as a shell reads them."""
    return [shlex.split(line) for line in text.splitlines() if line.startswith("  vadbench ")]


def test_every_part_and_its_counts_are_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = written(tmp_path)
    code, out, err = explained(capsys, place, "--top", "2")
    assert (code, err) == (0, "")
    found = failures(Report.read(place), ReportStatistics.read(statistics_place(place)))
    text = " ".join(out.split())
    for title, part in (
        ("Missed tracks", found.tracks),
        ("False positives", found.false_positives),
        ("Pixels", found.pixels),
        ("Clips that cost most", found.clips),
    ):
        assert title in text
        assert not isinstance(part, NotAvailable)
        assert part.in_words in text


def test_command_lines_name_the_submission_and_can_be_pasted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = written(tmp_path, name="my method")
    assert {words[2] for words in commands(explained(capsys, place)[1])} == {"SUBMISSION"}
    (tmp_path / "my method.zip").touch()
    _, out, _ = explained(capsys, place, "--root", tmp_path / "data set")
    found = failures(Report.read(place), ReportStatistics.read(statistics_place(place)))
    drawn = []
    for words in commands(out):
        assert words[:5] == [
            "vadbench",
            "overlay",
            str(tmp_path / "my method.zip"),
            "--root",
            str(tmp_path / "data set"),
        ]
        options = dict(zip(words[5::2], words[6::2], strict=True))
        drawn.append((options["--clip"], int(options["--frames"])))
        assert options["--out"] == f"clip-{options['--clip']}-frame-{options['--frames']}.png"
    assert (found.false_positives.cases[0].clip, found.false_positives.cases[0].frame) in drawn
    assert (found.pixels.most_missed[0].clip, found.pixels.most_missed[0].frame) in drawn


def test_command_lines_are_those_of_overlay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is a call that the command's parser takes: what is wrong with it is that nothing is there."""
    place = written(tmp_path, name="mine")
    (tmp_path / "mine").mkdir()
    for words in commands(explained(capsys, place, "--root", tmp_path, "--top", "1")[1]):
        code = main(words[1:])
        err = capsys.readouterr().err
        assert code != 0
        assert "error[U100]" not in err
        assert "error[S1" in err


def test_hostile_ids_stay_one_word_of_a_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VADBENCH_DATA", raising=False)
    overlay = _OverlayCommand(Path("a b;ls"), None)
    for clip in ("--help", "$(touch x)", "a';ls;'", "../../x", "`id`"):
        words = shlex.split(overlay.of(clip, 3, -1.5))
        assert len(words) == (11 if clip == "--help" else 12)
        assert words[-1].startswith("clip-")
        assert "/" not in words[-1]


def test_submission_of_another_protocol_is_found_beside_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    place = written(tmp_path, protocol="tao-release", name="mine.tao-release")
    _, out, _ = explained(capsys, place)
    assert {words[2] for words in commands(out)} == {str(tmp_path / "mine")}


def test_top_and_metrics_choose_what_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = written(tmp_path)
    _, out, _ = explained(capsys, place, "--metrics", "rbdc", "--top", "3")
    rows = [line for line in out.splitlines() if line.startswith("RBDC  ")]
    assert len(rows) == 3
    assert "TBDC" not in out
    content = json.loads(explained(capsys, place, "--metrics", "rbdc,pixel_f1", "--json")[1])
    assert [costs["metric"] for costs in content["clips"]["metrics"]] == ["pixel_f1", "pixel_f1_declared", "rbdc"]


def test_json_is_the_whole_account(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = written(tmp_path)
    code, out, _ = explained(capsys, place, "--json")
    assert code == 0
    assert out == failures(Report.read(place), ReportStatistics.read(statistics_place(place))).to_json()
    assert json.loads(out)["format"] == "vadbench.failures/1"


def test_means_over_frames_say_what_they_do_not_have(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report, statistics = made_statistics(4, protocol="tao-release")
    place = report.write(tmp_path / "m.report.json")
    replace(statistics, flagged=None).write(statistics_place(place))
    code, out, _ = explained(capsys, place)
    assert code == 0
    assert "Not available, because" in " ".join(out.split())
    assert "frame-mean" in out


@pytest.mark.parametrize("dataset", ["ucsd-ped2", "avenue"])
def test_prose_and_tables_fit_sixty_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, dataset: str
) -> None:
    monkeypatch.setattr(
        "vadbench.cli.explain.standard_output", lambda: Console(highlight=False, width=60, file=sys.stdout)
    )
    _, out, _ = explained(capsys, written(tmp_path, dataset=dataset))
    lines = [line for line in out.splitlines() if not line.startswith(("  vadbench ", "signature"))]
    assert max(map(len, lines)) <= 60
    assert "…" not in "".join(lines)


def test_no_statistics_names_the_command_that_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = written(tmp_path, protocol="tao-release", name="mine.tao-release")
    statistics_place(place).unlink()
    (tmp_path / "mine").mkdir()
    code, out, err = explained(capsys, place)
    assert (code, out) == (2, "")
    assert "error[U301]" in err
    assert f"vadbench score {tmp_path / 'mine'} --statistics --protocol tao-release" in err


def test_statistics_of_another_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = written(tmp_path)
    other = made_statistics(5)[1]
    statistics_place(place).unlink()
    other.write(statistics_place(place))
    code, _, err = explained(capsys, place)
    assert code == 2
    assert "error[U265]" in err


@pytest.mark.parametrize(
    ("words", "code"), [(("--top", "0"), "U302"), (("--metrics", "auroc"), "U120"), (("--top", "x"), "U100")]
)
def test_wrong_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: str) -> None:
    returned, out, err = explained(capsys, written(tmp_path), *words)
    assert (returned, out) == (2, "")
    assert f"error[{code}]" in err


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Dataset, Path]:
    """A data set with three objects a clip, a submission that sees some of them, and its report with statistics."""
    folder = tmp_path_factory.mktemp("scored")
    root = synthesize(folder / "data", seed=5, test_clips=3, training_clips=1, frames=40, height=48, width=64)
    dataset = open_dataset("synthetic", root)
    rng = np.random.default_rng(0)
    with SubmissionWriter(
        folder / "mine",
        dataset=dataset,
        method=METHOD,
        training=TRAINING | {"threshold_chosen_on": "training"},
        score_maps={"threshold": THRESHOLD},
    ) as writer:
        for clip in dataset.clips:
            masks = dataset.truth(clip.id).masks()
            patches = rng.integers(0, 40_000, (clip.frames, 6, 8))
            patches[rng.random(patches.shape) < 0.02] = 50_000
            maps = patches.repeat(8, axis=1).repeat(8, axis=2) + 12_000 * masks
            writer.write_clip(clip.id, score_maps=maps.astype(np.uint16))
    submission = folder / "mine"
    assert main(["score", str(submission), "--root", str(root), "--statistics"]) == 0
    return folder / "mine.report.json", dataset, submission


def test_counts_are_those_of_a_literal_count_over_the_pixels(
    scored: tuple[Path, Dataset, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    place, dataset, submission = scored
    found = json.loads(explained(capsys, place, "--json")[1])["pixels"]
    maps = Submission.open(submission)
    worst = {"most_false": 0, "most_missed": 0}
    for row in found["clips"]:
        clip = dataset.clip(row["clip"])
        truth = dataset.truth(clip.id).masks()
        flagged = np.concatenate([block for _, block in maps.clip(clip).maps.blocks()]) >= found["threshold"]
        assert row["n_positive"] == int(truth.sum())
        assert row["true_positives"] == int((truth & flagged).sum())
        assert row["false_positives"] == int((flagged & ~truth).sum())
        worst["most_false"] = max(worst["most_false"], int((flagged & ~truth).sum(axis=(1, 2)).max()))
        worst["most_missed"] = max(worst["most_missed"], int((truth & ~flagged).sum(axis=(1, 2)).max()))
        for kind in ("most_false", "most_missed"):
            for case in (case for case in found[kind] if case["clip"] == clip.id):
                frame = case["frame"]
                assert case["false_positives"] == int((flagged[frame] & ~truth[frame]).sum())
                assert case["missed"] == int((truth[frame] & ~flagged[frame]).sum())
    assert worst["most_false"] == found["most_false"][0]["false_positives"] > 0
    assert worst["most_missed"] == found["most_missed"][0]["missed"] > 0


def test_counts_of_objects_are_those_of_a_literal_matching(
    scored: tuple[Path, Dataset, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Boxes of the map's components against the boxes of the tracks, one by one."""
    place, dataset, submission = scored
    found = json.loads(explained(capsys, place, "--json")[1])
    maps = Submission.open(submission)
    false, hits, frames = [], {}, 0
    for clip in dataset.clips:
        frames += clip.frames
        tracks = dataset.truth(clip.id).tracks()
        scores = np.concatenate([block for _, block in maps.clip(clip).maps.blocks()])
        for track in tracks:
            hits[clip.id, track.id] = []
        for frame, picture in enumerate(scores):
            labels, _ = ndimage.label(picture >= THRESHOLD, structure=np.ones((3, 3)))
            boxes = [
                ((x.start, y.start, x.stop, y.stop), int(picture[labels == number + 1].max()))
                for number, (y, x) in enumerate(ndimage.find_objects(labels))
            ]
            regions = [
                (track.id, tuple(track.boxes[list(track.frames).index(frame)]))
                for track in tracks
                if frame in track.frames
            ]
            for box, score in boxes:
                if all(overlap(box, region) < 0.1 for _, region in regions):
                    false.append((score, clip.id, frame, box))
            for name, region in regions:
                met = [score for box, score in boxes if overlap(box, region) >= 0.1]
                hits[clip.id, name].append(max(met, default=-1))
    assert false
    totals = {row["clip"]: row["in_all"] for row in found["false_positives"]["clips"]}
    assert {clip: count for clip, count in totals.items() if count} == dict(Counter(clip for _, clip, _, _ in false))
    highest = found["false_positives"]["cases"][0]
    assert (int(highest["score"]), highest["clip"], highest["frame"], tuple(highest["box"])) in false
    assert highest["score"] == max(score for score, *_ in false)
    assert found["tracks"]["n_tracks"] == len(hits)
    missed = {(case["track"]["clip"], case["track"]["track"]) for case in found["tracks"]["missed"]}
    assert missed == {place for place, own in hits.items() if is_missed(own, false, frames)}
    assert 0 < len(missed) < len(hits)


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0.0, width) * max(0.0, height)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def is_missed(own: list[int], false: list[tuple[Any, ...]], frames: int) -> bool:
    """Whether a tenth of the regions is found only beyond one false positive per frame, or never."""
    needed = next(n for n in range(1, len(own) + 1) if n / len(own) >= 0.1)
    score = sorted(own, reverse=True)[needed - 1]
    return score < 0 or sum(other >= score for other, *_ in false) / frames > 1.0


def test_scaled_scores_have_no_threshold_that_an_overlay_could_draw(capsys: pytest.CaptureFixture[str]) -> None:
    """The only false positives there are have one score, since instances count as 1."""
    folder = ROOT / "submissions" / "tao-cpu" / "ucsd-ped2"
    _, out, _ = explained(capsys, folder / "tao-release.report.json")
    text = " ".join(out.split())
    assert "(score > 0.5 of the frame's maximum)" in text
    assert not any(word.startswith("--threshold") for words in commands(out) for word in words)
    assert "Highest scores, all equal:" in text
    assert any("--threshold" in words for words in commands(explained(capsys, folder / "report.json")[1]))


def test_scores_of_all_clips_are_those_of_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    place = ROOT / "submissions" / "background" / "ucsd-ped2" / "report.json"
    assert abs((ReportStatistics.read(statistics_place(place)).effect or {})["pixel_ap"]) > 0.0005
    _, out, _ = explained(capsys, place)
    row = next(line.split() for line in out.splitlines() if line.startswith("Pixel-AP "))
    assert row[2] == f"{100 * (Report.read(place).value('pixel_ap') or 0):.2f}"
    assert "within 0.05 for Pixel-AP" in " ".join(out.split())


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["explain", "--help"])
    example = capsys.readouterr().out.split("Example:\n")[1]
    assert "vadbench score demo/background --root demo/data --statistics\n" in example
    assert "vadbench explain demo/background.report.json" in example


@pytest.mark.parametrize(("method", "beginning"), [("background", "ucsd-ped2 · "), ("tao-cpu", "It misses 3 of 21")])
def test_examples_of_the_page_are_what_the_entries_of_the_board_say(
    capsys: pytest.CaptureFixture[str], method: str, beginning: str
) -> None:
    page = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
    block = next(
        own for own in re.findall(r"^```\n(.*?)^```$", page, re.MULTILINE | re.DOTALL) if own.startswith(beginning)
    )
    _, out, _ = explained(capsys, ROOT / "submissions" / method / "ucsd-ped2" / "report.json", "--top", "3")
    shown = prose(out)
    # The version of the program is for the record only.
    expected = re.sub(r"\|v=\S+", "", prose(block))
    assert expected in re.sub(r"\|v=\S+", "", shown)


def prose(text: str) -> str:
    """The text without command lines and line breaks."""
    return " ".join(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("  vadbench "))


def test_ids_of_clips_and_tracks_are_no_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report, statistics = made_statistics(4, n_clips=3, quality=0.0)
    hostile = [replace(own, track="[/] [bold]x[/bold]") for own in statistics.tracks]
    place = report.write(tmp_path / "m.report.json")
    replace(statistics, tracks=tuple(hostile)).write(statistics_place(place))
    code, out, _ = explained(capsys, place)
    assert code == 0
    assert "[/] [bold]x[/bold]" in out
