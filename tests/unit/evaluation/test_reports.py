"""The same report whatever worked where, from memory or from disk; and what is wrong with predictions is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from small_sets import KINDS, SHAPE, dataset, detections, frame_scores, instances, predictions, random_maps

import vadbench
from vadbench import DataError, Detections, Instances, Prediction, Report, SubmissionError, SubmissionWriter, UsageError
from vadbench.prediction import ScoreMaps

PRESETS = ("standard", "tao-release", "aed-2021")
METHOD = {"name": "M", "authors": [], "year": 2026, "code": "https://example.org/m"}
TRAINING = {"supervision": "one-class", "data": [], "pretrained": [], "threshold_chosen_on": "training"}


def everything(dtype: str = "uint8") -> dict[str, Prediction]:
    made = predictions(*KINDS)
    return {
        clip: Prediction(random_maps(int(clip), dtype), own.instances, own.detections, own.frame_scores)
        for clip, own in made.items()
    }


def same_bytes(report: Report) -> str:
    return report.to_json(run=False)


@pytest.mark.parametrize("protocol", PRESETS)
def test_two_runs_and_any_order_of_predictions_give_the_same_bytes(protocol: str) -> None:
    first = vadbench.evaluate(everything(), dataset(), protocol, threshold=100.0)
    again = vadbench.evaluate(dict(reversed(everything().items())), dataset(), protocol, threshold=100.0)
    assert same_bytes(first) == same_bytes(again)
    assert first.submission["fingerprint"] == again.submission["fingerprint"]
    assert "run" not in json.loads(same_bytes(first))
    assert json.loads(first.to_json())["run"]["seconds"] >= 0


def test_the_fingerprint_sees_every_array() -> None:
    seen = {vadbench.evaluate(everything(), dataset(), metrics="rbdc").submission["fingerprint"]}
    for kind in KINDS:
        changed = everything()
        own = {name: getattr(changed["01"], name) for name in KINDS} | {kind: KINDS[kind](7)}
        changed["01"] = Prediction(**own)
        seen.add(vadbench.evaluate(changed, dataset(), metrics="rbdc").submission["fingerprint"])
    assert len(seen) == 1 + len(KINDS)


def test_the_fingerprint_sees_the_declared_threshold() -> None:
    """Pixel-F1 (declared) depends on it, so that statistics of another one are not taken for these predictions'."""
    seen = {
        vadbench.evaluate(everything(), dataset(), metrics="pixel_f1", threshold=own).submission["fingerprint"]
        for own in (None, 100.0, 100.0, 101.0)
    }
    assert len(seen) == 3


@pytest.mark.parametrize("workers", ["threads", "processes"])
def test_executors_give_the_same_bytes(workers: str) -> None:
    expected = same_bytes(vadbench.evaluate(everything("float32"), dataset(), threshold=100.0))
    made: dict[str, Callable[[], ThreadPoolExecutor | ProcessPoolExecutor]] = {
        "threads": lambda: ThreadPoolExecutor(2),
        "processes": lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn")),
    }
    calls: list[tuple[int, int, str]] = []
    with made[workers]() as executor:
        report = vadbench.evaluate(
            everything("float32"),
            dataset(),
            threshold=100.0,
            executor=executor,
            progress=lambda *own: calls.append(own),
        )
    assert same_bytes(report) == expected
    assert report.run is not None
    assert report.run.workers == 2
    # Floats take two rounds: the anomalous pixels of all clips come first.
    assert [own[:2] for own in calls] == [(done, 6) for done in range(1, 7)]
    assert {own[2] for own in calls[:3]} == {f"0{clip}, anomalous pixels" for clip in range(3)}
    assert {own[2] for own in calls[3:]} == {"00", "01", "02"}


def test_an_error_of_a_worker_comes_back_whole() -> None:
    wrong = everything("float32")
    wrong["02"].score_maps._array[1, 2, 3] = np.nan
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor, pytest.raises(SubmissionError) as caught:
        vadbench.evaluate(wrong, dataset(), executor=executor)
    assert caught.value.code == "S140"
    assert "clip 02" in str(caught.value)
    assert "frame 1" in str(caught.value)


def test_a_report_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    for protocol in PRESETS:
        for given in (everything(), predictions("score_maps"), predictions("frame_scores"), predictions("instances")):
            report = vadbench.evaluate(given, dataset(), protocol)
            path = report.write(tmp_path / "some" / "report.json")
            assert Report.read(path) == report
            assert Report.read(path).to_json() == path.read_text("utf-8")
            assert report.parsed_signature.protocol == vadbench.Protocol.preset(protocol)
            assert [p.name for p in path.parent.iterdir()] == ["report.json"], "no temporary file is left"


def test_a_report_says_what_is_absent_with_a_reason() -> None:
    content = json.loads(vadbench.evaluate(predictions("frame_scores"), dataset()).to_json())
    assert content["format"] == "vadbench.report/1"
    assert content["scores"]["rbdc"]["value"] is None
    assert content["scores"]["rbdc"]["reason"]
    assert set(content["scores"]["frame_auroc_micro"]) == {"value", "source", "clips"}
    assert [row["id"] for row in content["clips"]] == ["00", "01", "02"]
    assert content["signature"].startswith("vadbench/1|data=memory:")


def test_rows_of_clips_are_the_metrics_of_the_clip_alone() -> None:
    report = vadbench.evaluate(everything(), dataset(), threshold=100.0)
    whole = dataset()
    for clip, row in zip(("00", "01", "02"), report.clips, strict=True):
        alone = vadbench.MemoryDataset({clip: whole.truth(clip)})
        own = vadbench.evaluate({clip: everything()[clip]}, alone, threshold=100.0)
        assert own.scores == row.scores
        assert row.frames == SHAPE[0]


def test_chosen_metrics_are_those_of_the_whole_report() -> None:
    whole = vadbench.evaluate(everything(), dataset()).scores
    for key in whole:
        assert vadbench.evaluate(everything(), dataset(), metrics=key).scores == {key: whole[key]}
    with pytest.raises(UsageError, match="U120"):
        vadbench.evaluate(everything(), dataset(), metrics=["pixel_auroc", "auc"])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_memory_and_disk_give_the_same_scores(tmp_path: Path, dtype: str) -> None:
    given = everything(dtype)
    with SubmissionWriter(
        tmp_path / "m", dataset=dataset(), method=METHOD, training=TRAINING, score_maps={"threshold": 100}
    ) as writer:
        for clip, own in given.items():
            writer.write_clip(clip, own)
    for protocol in PRESETS:
        stored = vadbench.evaluate(vadbench.Submission.open(tmp_path / "m"), dataset(), protocol)
        held = vadbench.evaluate(given, dataset(), protocol, threshold=100)
        assert stored.scores == held.scores
        assert stored.clips == held.clips
        assert stored.curves == held.curves
        assert stored.signature == held.signature


class InBlocks(ScoreMaps):
    """Score maps that come in blocks of another length."""

    def __init__(self, scores: np.ndarray, frames: int) -> None:
        self.shape, self.dtype, self._scores, self._frames = scores.shape, scores.dtype, scores, frames

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        for start in range(0, self.shape[0], self._frames):
            yield start, self._scores[start : start + self._frames]


def test_blocks_of_any_length_give_the_same_scores() -> None:
    expected = vadbench.evaluate(everything(), dataset(), threshold=100.0)
    for frames in (1, 3, 4):
        given = {
            clip: Prediction(InBlocks(random_maps(int(clip)), frames), own.instances, own.detections, own.frame_scores)
            for clip, own in everything().items()
        }
        report = vadbench.evaluate(given, dataset(), threshold=100.0)
        assert report.submission["fingerprint"] == expected.submission["fingerprint"]
        for key, score in report.scores.items():
            assert score.value == pytest.approx(expected.value(key), abs=1e-12)


def changed(clip: str, **own: object) -> dict[str, Prediction]:
    given = everything("float32")
    given[clip] = Prediction(**({name: getattr(given[clip], name) for name in KINDS} | own))
    return given


def with_value(values: np.ndarray, place: tuple, value: float) -> np.ndarray:
    values = values.astype(np.float32)
    values[place] = value
    return values


FULL = np.ones((1, *SHAPE[1:]), dtype=bool)
WRONG: dict[str, tuple[str, str, Callable[[], dict[str, Prediction]]]] = {
    "unknown clip": ("S103", '"3"', lambda: everything() | {"3": Prediction()}),
    "missing clip": ("S103", "02", lambda: {k: v for k, v in everything().items() if k != "02"}),
    "nothing at all": ("S103", 'missing "00", "01", "02"', dict),
    "too few frames of maps": ("S104", "clip 01", lambda: changed("01", score_maps=random_maps(1, "float32")[:-1])),
    "another size of maps": ("S105", "clip 01", lambda: changed("01", score_maps=random_maps(1, "f4")[:, :-1])),
    "too many frame scores": ("S104", "clip 00", lambda: changed("00", frame_scores=np.zeros(5))),
    "another size of instances": (
        "S105",
        "clip 02",
        lambda: changed("02", instances=Instances.from_masks([0], FULL[:, :5], [1.0], height=5, width=8)),
    ),
    "instances behind the clip": (
        "S141",
        "clip 02",
        lambda: changed("02", instances=Instances.from_masks([4], FULL, [1.0], height=6, width=8)),
    ),
    "detections behind the clip": (
        "S141",
        "clip 00",
        lambda: changed("00", detections=Detections([4], [[0, 0, 1, 1]], [1.0])),
    ),
    "detections before the clip": (
        "S141",
        "clip 00",
        lambda: changed("00", detections=Detections([-1], [[0, 0, 1, 1]], [1.0])),
    ),
    "NaN in a map": (
        "S140",
        "frame 2",
        lambda: changed("01", score_maps=with_value(random_maps(1), (2, 3, 4), np.nan)),
    ),
    "infinity in a map": (
        "S140",
        "x=4, y=3",
        lambda: changed("01", score_maps=with_value(random_maps(1), (2, 3, 4), np.inf)),
    ),
    "infinite frame score": ("S140", "frame 3", lambda: changed("01", frame_scores=np.array([0.0, 1, 2, -np.inf]))),
    "maps of another dtype": ("S107", "score_maps", lambda: changed("01", score_maps=random_maps(1, "uint8"))),
    "frame scores of another dtype": (
        "S107",
        "frame_scores",
        lambda: changed("01", frame_scores=frame_scores(1).astype(np.float32)),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_predictions_in_memory_are_refused(name: str) -> None:
    code, fact, make = WRONG[name]
    with pytest.raises(SubmissionError) as caught:
        vadbench.evaluate(make(), dataset())
    assert caught.value.code == code
    assert fact in str(caught.value)


def test_a_set_without_clips_is_refused() -> None:
    with pytest.raises(DataError, match="D361"):
        vadbench.evaluate({}, vadbench.MemoryDataset({}))


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    for text in ("", "{}", '{"format": "vadbench.report/2"}', "[1, 2]"):
        (tmp_path / "r.json").write_text(text)
        with pytest.raises(DataError, match="D360"):
            Report.read(tmp_path / "r.json")
    with pytest.raises(UsageError, match="U141"):
        Report.read(tmp_path / "absent.json")


def test_clips_without_a_finding_are_scored() -> None:
    empty = Instances.from_masks([], [], [], height=SHAPE[1], width=SHAPE[2], objects=[])
    given = predictions("instances", "detections")
    given["01"] = Prediction(instances=empty, detections=Detections([], [], []))
    for protocol in PRESETS:
        report = vadbench.evaluate(given, dataset(), protocol)
        assert all(score.value is not None for score in report.scores.values())
        assert report.clips[1].scores["rbdc"].value == 0
    assert len(instances(0)) == len(detections(0).frames)
