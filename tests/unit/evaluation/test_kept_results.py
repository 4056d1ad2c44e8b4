"""Kept results: the same bits come back, from the same input only, whatever has happened to the files."""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_sets import KINDS, SHAPE, dataset, instances, predictions, random_maps, truth_masks
from small_web import small_web

import vadbench
from vadbench import MemoryDataset, Prediction, Protocol, SubmissionError, Track, Truth, UsageError, evaluate
from vadbench.datasets.base import Clip
from vadbench.evaluation import kept_results
from vadbench.evaluation.clip import ClipTask, clip_statistics
from vadbench.evaluation.kept_format import DamagedResultError, decoded, encoded
from vadbench.evaluation.kept_results import KeptResults, KeptWork, result_key
from vadbench.evaluation.predictions import MemoryPredictions, StoredPredictions
from vadbench.evaluation.processes import ProcessWorkers
from vadbench.evaluation.sources import NotAvailable, Source, choose_sources
from vadbench.statistics.scores import ScoreCounts
from vadbench.submission import Submission, SubmissionWriter

KEY = "ab" * 32


def again(value: Any) -> Any:
    return decoded(encoded(value, KEY), KEY)


def bits(value: Any) -> bytes:
    """What a value is, to the last bit: its encoding is that of no other."""
    return encoded(value, "")


@pytest.fixture
def kept(tmp_path: Path) -> KeptResults:
    return KeptResults(tmp_path / "kept")


class TestFormat:
    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            3,
            2**200,
            -1,
            "",
            "ä\0\n",
            "float",
            b"\0\xff",
            b"",
            (),
            [],
            {},
            [[], ["float", "00"]],
            ("part", {"a": (1, 2.5)}),
            {"a": 1, 2: "b"},
            Source.SCORE_MAPS,
            NotAvailable("for no reason"),
            Clip("01", 3, 4, 5),
            ScoreCounts(np.arange(3, dtype=np.uint16), None),
        ],
        ids=repr,
    )
    def test_values_come_back_with_their_types(self, value: Any) -> None:
        assert bits(again(value)) == bits(value)
        assert type(again(value)) is type(value)
        if not isinstance(value, ScoreCounts):
            assert again(value) == value

    @pytest.mark.parametrize("number", [0.0, -0.0, 0.1, np.inf, -np.inf, np.nan, -np.nan, 5e-324, 1e30])
    def test_floats_come_back_bit_by_bit(self, number: float) -> None:
        for value in (float(number), np.float32(number), np.float64(number)):
            back = again(value)
            assert type(back) is type(value)
            assert np.asarray(back).tobytes() == np.asarray(value).tobytes()

    @pytest.mark.parametrize(
        "array",
        [
            np.array([0.0, -0.0, np.nan, np.inf]),
            np.array([1.5, 2.5], dtype=">f4"),
            np.array([1.5, 2.5], dtype=np.longdouble),
            np.asfortranarray(np.arange(6).reshape(2, 3)),
            np.zeros((0, 4), dtype=np.int64),
            np.array(7, dtype=np.uint8),
            np.array([True, False]),
            np.arange(10)[::3],
        ],
        ids=lambda array: f"{array.dtype}{array.shape}",
    )
    def test_arrays_come_back_with_dtype_and_shape(self, array: np.ndarray) -> None:
        back = again(array)
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        assert back.tobytes() == array.tobytes()

    def test_arrays_of_python_numbers(self) -> None:
        array = np.array([2**63, -np.inf, 3, 2**64], dtype=object)
        back = again(array)
        assert back.dtype == object
        assert [(type(one), one) for one in back] == [(type(one), one) for one in array]

    def test_other_types_are_refused(self) -> None:
        class Colour(StrEnum):
            RED = "red"

        @dataclass(frozen=True)
        class Clip:
            id: str

        for value in (object(), Path("x"), {1, 2}, Colour.RED, Clip("01"), np.array([Path("x")], dtype=object)):
            with pytest.raises(TypeError, match="cannot be kept"):
                encoded(value, KEY)

    @pytest.mark.parametrize("protocol", ["standard", "aed-2021", "tao-release"])
    @pytest.mark.parametrize("kind", KINDS)
    def test_statistics_come_back(self, kind: str, protocol: str) -> None:
        for task in tasks(predictions(kind), protocol=protocol, threshold=100):
            statistics = clip_statistics(task)
            assert bits(again(statistics)) == bits(statistics)

    def test_wrong_bytes_are_damaged_and_nothing_else(self) -> None:
        content = encoded(clip_statistics(tasks(predictions("score_maps"))[0]), KEY)
        with pytest.raises(DamagedResultError):
            decoded(content, "cd" * 32)
        rng = np.random.default_rng(0)
        for _ in range(200):
            damaged = bytearray(content)
            damaged[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
            try:
                assert bits(decoded(bytes(damaged), KEY)) == bits(decoded(content, KEY))
            except DamagedResultError:
                continue
        for length in (0, 1, 10, len(content) // 2, len(content) - 1):
            with pytest.raises(DamagedResultError):
                decoded(content[:length], KEY)


def tasks(
    held: dict[str, Prediction] | None = None,
    data: MemoryDataset | None = None,
    *,
    protocol: str = "standard",
    metrics: tuple[str, ...] = ("pixel_auroc", "pixel_f1", "rbdc", "frame_auroc_micro"),
    threshold: float | None = None,
) -> list[ClipTask]:
    source = MemoryPredictions(predictions("score_maps") if held is None else held, threshold)
    chosen = Protocol.parse(protocol)
    data = dataset() if data is None else data
    sources = choose_sources(source.kinds, source.threshold, chosen)
    return [ClipTask(data, source, clip.id, chosen, sources, metrics) for clip in data.clips]


def changed_maps(dtype: str = "uint8") -> dict[str, Prediction]:
    maps = random_maps(0, dtype)
    maps[3, 5, 7] ^= 1
    return {**predictions("score_maps"), "00": Prediction(score_maps=maps)}


def data_with(masks: np.ndarray, tracks: list[Track] | None = None) -> MemoryDataset:
    others = {f"{k:02d}": Truth.from_arrays(truth_masks(k), tracks=None if tracks is None else []) for k in (1, 2)}
    return MemoryDataset({"00": Truth.from_arrays(masks, tracks=tracks), **others})


def masks_without_a_pixel() -> np.ndarray:
    masks = truth_masks()
    masks[1, 1, 1] = False
    return masks


BOX = Track("0", np.array([1]), np.array([[1.0, 1.0, 3.0, 3.0]]))
CHANGES: dict[str, Callable[[], list[ClipTask]]] = {
    "protocol": lambda: tasks(protocol="standard+pixel.fpr_limit=0.05"),
    "metrics": lambda: tasks(metrics=("pixel_auroc",)),
    "threshold": lambda: tasks(threshold=10.0),
    "another threshold": lambda: tasks(threshold=10.5),
    "a pixel of the maps": lambda: tasks(changed_maps()),
    "dtype of the maps": lambda: tasks(
        {key: Prediction(score_maps=random_maps(k, "uint16")) for k, key in enumerate(("00", "01", "02"))}
    ),
    "one more kind": lambda: tasks(predictions("score_maps", "frame_scores")),
    "a pixel of the truth": lambda: tasks(data=data_with(masks_without_a_pixel())),
    "no tracks": lambda: tasks(data=data_with(truth_masks(), [])),
    "tracks": lambda: tasks(data=data_with(truth_masks(), [BOX])),
    "sources": lambda: [
        replace(task, sources=replace(task.sources, objects=NotAvailable("why not"))) for task in tasks()
    ],
}


def key(task: ClipTask, phase: str = "statistics", more: bytes = b"") -> str:
    return result_key(task, task.dataset.truth(task.clip_id), phase, more)


class TestKey:
    def test_the_same_input_has_the_same_key(self) -> None:
        assert key(tasks()[0]) == key(tasks()[0])
        one = tasks()[0]
        alone = replace(one, dataset=one.dataset.only("00"), predictions=one.predictions.only("00"))
        assert key(alone) == key(one)

    @pytest.mark.parametrize("name", CHANGES)
    def test_another_input_has_another_key(self, name: str) -> None:
        keys = {key(made[0]) for made in (tasks(), CHANGES[name]())}
        assert len(keys) == 2

    def test_all_changes_have_keys_of_their_own(self) -> None:
        assert len({key(change()[0]) for change in CHANGES.values()}) == len(CHANGES)

    def test_clips_phases_and_more(self) -> None:
        first, second, _ = tasks()
        keys = {key(first), key(second), key(first, "positives"), key(first, more=b"1"), key(first, more=b"2")}
        assert len(keys) == 5

    def test_other_code_has_another_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = key(tasks()[0])
        monkeypatch.setattr(kept_results, "code_revision", lambda: "another")
        assert key(tasks()[0]) != before

    @pytest.mark.parametrize("name", ["DEFINITIONS", "FORMAT"])
    def test_another_program_has_another_key(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        before = key(tasks()[0])
        monkeypatch.setattr(kept_results, name, "another")
        assert key(tasks()[0]) != before

    def test_a_field_more_has_another_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = key(tasks()[0])
        monkeypatch.setattr(kept_results, "described_types", lambda: "Clip(id)")
        assert key(tasks()[0]) != before


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_input_never_gets_a_kept_result(name: str, kept: KeptResults) -> None:
    work = KeptWork(clip_statistics, kept, "statistics")
    for task in tasks():
        work(task)
    for task in CHANGES[name]():
        assert bits(work(task)) == bits(clip_statistics(task))


def refuse(*_: Any) -> Any:
    raise AssertionError("this clip was worked on again")


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_second_evaluation_works_on_nothing(dtype: str, kept: KeptResults, monkeypatch: pytest.MonkeyPatch) -> None:
    held = {f"{k:02d}": Prediction(score_maps=random_maps(k, dtype), instances=instances(k)) for k in range(3)}
    alone = evaluate(held, dataset()).to_json(run=False)
    assert evaluate(held, dataset(), kept=kept).to_json(run=False) == alone
    monkeypatch.setattr("vadbench.evaluation.loop.clip_statistics", refuse)
    monkeypatch.setattr("vadbench.evaluation.loop.clip_positives", refuse)
    assert evaluate(held, dataset(), kept=kept).to_json(run=False) == alone
    with pytest.raises(AssertionError, match="again"):
        evaluate(
            {**held, "02": Prediction(score_maps=random_maps(7, dtype), instances=instances(2))}, dataset(), kept=kept
        )


def test_workers_keep_results_for_one_another(kept: KeptResults, monkeypatch: pytest.MonkeyPatch) -> None:
    held = predictions("score_maps", "detections")
    with ProcessWorkers(1) as workers:
        report = evaluate(held, dataset(), executor=workers, kept=kept)
    monkeypatch.setattr("vadbench.evaluation.loop.clip_statistics", refuse)
    assert evaluate(held, dataset(), kept=kept).to_json(run=False) == report.to_json(run=False)


def write_submission(path: Path, *, scores: int = 0, threshold: float = 50, name: str = "Sketch") -> Submission:
    with SubmissionWriter(
        path,
        dataset=dataset(),
        method={"name": name, "authors": [], "year": 2026, "code": "https://example.org/sketch"},
        training={
            "supervision": "one-class",
            "data": ["memory:train"],
            "pretrained": [],
            "threshold_chosen_on": "training",
        },
        score_maps={"threshold": threshold},
    ) as writer:
        for k, clip in enumerate(dataset().clips):
            writer.write_clip(clip.id, score_maps=random_maps(k + scores))
    return Submission.open(path)


def pack(folder: Path) -> Submission:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return Submission.open(folder.with_suffix(".zip"))


def stored_key(submission: Submission) -> str:
    task = tasks()[0]
    source = StoredPredictions(submission)
    return key(replace(task, predictions=source, sources=choose_sources(source.kinds, source.threshold, task.protocol)))


class TestStored:
    def test_folder_and_zip_and_another_author_have_the_same_key(self, tmp_path: Path) -> None:
        folder = write_submission(tmp_path / "one")
        other = write_submission(tmp_path / "two", name="Another")
        keys = {stored_key(submission) for submission in (folder, pack(tmp_path / "one"), other)}
        assert len(keys) == 1

    def test_other_scores_and_another_threshold_have_other_keys(self, tmp_path: Path) -> None:
        first = write_submission(tmp_path / "one")
        others = [write_submission(tmp_path / "two", scores=1), write_submission(tmp_path / "three", threshold=51)]
        assert len({stored_key(submission) for submission in (first, *others)}) == 3

    def test_any_changed_byte_has_another_key(self, tmp_path: Path) -> None:
        submission = write_submission(tmp_path / "one")
        keys = [stored_key(submission)]
        for path in sorted((tmp_path / "one" / "predictions.zarr" / "00").rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
                keys.append(stored_key(submission))
        assert len(keys) > 2
        assert len(set(keys)) == len(keys)

    def test_a_rewritten_submission_is_scored_anew(self, tmp_path: Path, kept: KeptResults) -> None:
        for scores in (0, 1):
            shutil.rmtree(tmp_path / "one", ignore_errors=True)
            submission = write_submission(tmp_path / "one", scores=scores)
            alone = evaluate(submission, dataset()).to_json(run=False)
            assert evaluate(submission, dataset(), kept=kept).to_json(run=False) == alone
        # What was kept of the first one is of no more use.
        assert len(list(kept.path.iterdir())) == 3

    @pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
    def test_of_files_that_change_during_the_work_nothing_is_kept(
        self, packed: bool, tmp_path: Path, kept: KeptResults
    ) -> None:
        submission = write_submission(tmp_path / "one")
        changed = tmp_path / "one" / "predictions.zarr" / "00" / "zarr.json"
        if packed:
            submission, changed = pack(tmp_path / "one"), tmp_path / "one.zip"
        source = StoredPredictions(submission)
        task = replace(tasks()[0], predictions=source)

        def work(task: ClipTask) -> None:
            os.utime(changed)

        KeptWork(work, kept, "statistics")(task)
        assert list(kept.path.iterdir()) == []
        if packed:
            with pytest.raises(SubmissionError, match="S129"):
                KeptWork(lambda task: None, kept, "statistics")(task)
            task = replace(task, predictions=StoredPredictions(Submission.open(changed)))
        KeptWork(lambda task: None, kept, "statistics")(task)
        assert len(list(kept.path.iterdir())) == 1

    @pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
    def test_of_files_that_vanish_during_the_work_nothing_is_kept(
        self, packed: bool, tmp_path: Path, kept: KeptResults
    ) -> None:
        submission = write_submission(tmp_path / "one")
        gone = tmp_path / "one" / "predictions.zarr" / "00" / "zarr.json"
        if packed:
            submission, gone = pack(tmp_path / "one"), tmp_path / "one.zip"
        task = replace(tasks()[0], predictions=StoredPredictions(submission))
        assert KeptWork(lambda _: gone.unlink(), kept, "statistics")(task) is None
        assert list(kept.path.iterdir()) == []

    @pytest.mark.parametrize("change", ["none", "other scores", "gone"])
    def test_behind_a_url_what_changes_during_the_work_is_not_kept(
        self, change: str, tmp_path: Path, kept: KeptResults, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_submission(tmp_path / "one")
        pack(tmp_path / "one")
        # As for files larger than those that a process keeps.
        monkeypatch.setattr("vadbench.submission.remote_connection.LARGEST_KEPT", 0)
        monkeypatch.setattr("vadbench.submission.remote_connection.PAUSES", ())
        with small_web() as web:
            web.files["/one.zip"] = (tmp_path / "one.zip").read_bytes()
            task = replace(tasks()[0], predictions=StoredPredictions(Submission.open(f"{web.url}/one.zip")))

            def work(task: ClipTask) -> str:
                if change == "gone":
                    web.files.clear()
                elif change == "other scores":
                    write_submission(tmp_path / "two", scores=1)
                    pack(tmp_path / "two")
                    web.files["/one.zip"] = (tmp_path / "two.zip").read_bytes()
                return "done"

            assert KeptWork(work, kept, "statistics")(task) == "done"
        assert len(list(kept.path.iterdir())) == (1 if change == "none" else 0)


class TestFolder:
    @pytest.mark.parametrize("damage", [b"", b"no archive", None], ids=["empty", "other", "cut"])
    def test_a_damaged_file_is_made_again(self, damage: bytes | None, kept: KeptResults) -> None:
        held = predictions("score_maps")
        alone = evaluate(held, dataset(), kept=kept).to_json(run=False)
        whole = {path: path.read_bytes() for path in kept.path.iterdir()}
        for path, content in whole.items():
            path.write_bytes(content[: len(content) // 2] if damage is None else damage)
        assert evaluate(held, dataset(), kept=kept).to_json(run=False) == alone
        assert {path: path.read_bytes() for path in kept.path.iterdir()} == whole

    def test_a_file_under_another_s_name_is_not_taken(self, kept: KeptResults) -> None:
        held = predictions("score_maps")
        alone = evaluate(held, dataset(), kept=kept).to_json(run=False)
        first, second, _ = sorted(kept.path.iterdir())
        shutil.copy(first, second)
        assert evaluate(held, dataset(), kept=kept).to_json(run=False) == alone

    def test_other_files_are_left_alone(self, tmp_path: Path) -> None:
        folder = tmp_path / "mine"
        folder.mkdir()
        names = ["notes.txt", "00-results.npz", ".00-1234abcd-0123456789abcdef.npz", "00-1234abcd-0123456789abcdef.npy"]
        for name in names:
            (folder / name).write_text("mine")
            os.utime(folder / name, (0, 0))
        kept = KeptResults(folder)
        for scores in (0, 1):
            held = {f"{k:02d}": Prediction(score_maps=random_maps(k + scores)) for k in range(3)}
            evaluate(held, dataset(), kept=kept)
        assert all((folder / name).read_text() == "mine" for name in names)
        assert len(list(folder.iterdir())) == len(names) + 3

    def test_protocols_do_not_displace_each_other(self, kept: KeptResults, monkeypatch: pytest.MonkeyPatch) -> None:
        held = predictions("score_maps")
        reports = {name: evaluate(held, dataset(), name, kept=kept) for name in ("standard", "aed-2021")}
        monkeypatch.setattr("vadbench.evaluation.loop.clip_statistics", refuse)
        for name, report in reports.items():
            assert evaluate(held, dataset(), name, kept=kept).to_json(run=False) == report.to_json(run=False)

    def test_what_a_killed_writer_left_is_removed_once_it_is_old(self, kept: KeptResults) -> None:
        name = ".00-1234abcd-0123456789abcdef.npz.x7f.unfinished"
        for age, stays in ((60, True), (2 * 24 * 3600, False)):
            (kept.path / name).touch()
            os.utime(kept.path / name, (time.time() - age,) * 2)
            assert (KeptResults(kept.path).path / name).exists() is stays

    def test_two_that_write_the_same_do_not_disturb_each_other(self, kept: KeptResults) -> None:
        result = np.arange(100_000)
        with ThreadPoolExecutor(4) as threads:
            name = "00-1234abcd-0123456789abcdef.npz"
            for future in [threads.submit(kept.keep, name, KEY, result) for _ in range(20)]:
                future.result()
                np.testing.assert_array_equal(kept.find(name, KEY), result)
        assert [path.name for path in kept.path.iterdir()] == [name]

    @pytest.mark.parametrize("clip_id", ["a/b", "..", "ä b*", "x" * 300])
    def test_any_clip_id_gives_a_name(self, clip_id: str, kept: KeptResults, monkeypatch: pytest.MonkeyPatch) -> None:
        data = MemoryDataset({clip_id: Truth.from_arrays(truth_masks())})
        held = {clip_id: Prediction(frame_scores=np.arange(SHAPE[0]))}
        report = evaluate(held, data, metrics="frame_auroc_micro", kept=kept)
        assert len(list(kept.path.iterdir())) == 1
        monkeypatch.setattr("vadbench.evaluation.loop.clip_statistics", refuse)
        assert evaluate(held, data, metrics="frame_auroc_micro", kept=kept).scores == report.scores

    @pytest.mark.parametrize("start", ["監視映像の異常検出試験片000", "x" * 100], ids=["not ASCII", "long"])
    def test_clips_whose_names_begin_alike_do_not_displace_each_other(self, start: str, kept: KeptResults) -> None:
        clips = [f"{start}{k}" for k in range(4)]
        data = MemoryDataset({clip: Truth.from_arrays(truth_masks(k)) for k, clip in enumerate(clips)})
        held = {clip: Prediction(frame_scores=np.arange(SHAPE[0])) for clip in clips}
        for _ in range(2):
            evaluate(held, data, metrics="frame_auroc_micro", kept=kept)
            assert len(list(kept.path.iterdir())) == 4

    @pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
    def test_the_umask_says_who_may_read(self, mask: int, kept: KeptResults) -> None:
        before = os.umask(mask)
        try:
            kept.keep("00-1234abcd-0123456789abcdef.npz", KEY, 1)
        finally:
            os.umask(before)
        (path,) = kept.path.iterdir()
        assert path.stat().st_mode & 0o777 == 0o666 & ~mask

    def test_a_folder_that_cannot_be_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        for path in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nothing")):
            with pytest.raises(UsageError) as caught:
                KeptResults(path)
            assert caught.value.code == "U180"

    def test_a_relative_path_holds_wherever_the_worker_is(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert KeptResults(Path("here")).path == tmp_path / "here"
        assert vadbench.evaluate(predictions("frame_scores"), dataset(), kept=KeptResults(Path("here"))).scores
