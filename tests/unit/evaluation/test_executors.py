"""The loop on executors: order, bounds, errors, dying workers, interruptions; the same bytes whoever does the work."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import errands
import numpy as np
import pytest
from errands import Errand
from small_sets import dataset, predictions, random_maps, truth_masks

from vadbench import MemoryDataset, Prediction, SubmissionError, Truth, UsageError, evaluate
from vadbench.evaluation.dask_workers import DaskWorkers
from vadbench.evaluation.executors import number_of_workers, ordered_results
from vadbench.evaluation.processes import ProcessWorkers, WorkerError
from vadbench.evaluation.shared_arrays import HeldArray, MappedArray, shared

ERRANDS = [Errand(f"{k:02d}") for k in range(20)]


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessWorkers]:
    with ProcessWorkers(2) as workers:
        yield workers


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    import dask
    from distributed import LocalCluster

    # What a cluster says of its workers' deaths is meant for its own log.
    quiet = {"distributed.scheduler.allowed-failures": 1, "logging.distributed": "critical"}
    with (
        dask.config.set(quiet),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def dask_workers(cluster: Any) -> Iterator[DaskWorkers]:
    with DaskWorkers(cluster.scheduler_address) as workers:
        yield workers


class TestOrder:
    @pytest.mark.parametrize("workers", [None, 1, 3])
    def test_results_come_in_the_order_of_the_tasks(self, workers: int | None) -> None:
        def uneven(errand: Errand) -> str:
            time.sleep(0.005 * (int(errand.clip_id) % 3))
            return errand.clip_id

        told: list[tuple[int, int, str]] = []
        with nullcontext() if workers is None else ThreadPoolExecutor(workers) as executor:
            results = list(ordered_results(uneven, ERRANDS, executor, lambda *now: told.append(now)))
        assert results == [errand.clip_id for errand in ERRANDS]
        assert [(done, total) for done, total, _ in told] == [(k + 1, 20) for k in range(20)]
        assert sorted(name for _, _, name in told) == results

    def test_nothing_to_do(self) -> None:
        with ThreadPoolExecutor(1) as executor:
            assert list(ordered_results(errands.clip_id, [], executor)) == []

    def test_the_first_result_comes_before_the_last_task_is_done(self) -> None:
        go = threading.Event()
        with ThreadPoolExecutor(2) as executor:
            results = ordered_results(lambda errand: errand.clip_id == "00" or go.wait(10), ERRANDS, executor)
            assert next(results) is True
            go.set()
            assert all(results)

    def test_a_slow_fold_or_a_long_first_clip_piles_up_a_bounded_number_of_results(self) -> None:
        begun: list[str] = []
        go = threading.Event()

        def work(errand: Errand) -> None:
            begun.append(errand.clip_id)
            if errand.clip_id == "01":
                go.wait(10)

        with ThreadPoolExecutor(2) as executor:
            results = ordered_results(work, ERRANDS, executor)
            next(results)
            waiting = threading.Thread(target=lambda: next(results))
            waiting.start()
            end = time.monotonic() + 10
            while len(begun) < 1 + 4 * 2 and time.monotonic() < end:
                time.sleep(0.01)
            # No more come.
            time.sleep(0.1)
            assert len(begun) == 1 + 4 * 2
            go.set()
            waiting.join()
            assert len(list(results)) == 18

    def test_an_error_is_raised_at_once_and_cancels_the_rest(self) -> None:
        begun: list[str] = []
        go = threading.Event()

        def work(errand: Errand) -> None:
            begun.append(errand.clip_id)
            if errand.clip_id == "01":
                errands.refuse(errand)
            go.wait(10)

        with ThreadPoolExecutor(2) as executor:
            with pytest.raises(SubmissionError):
                # Clip 00 is not done yet.
                list(ordered_results(work, ERRANDS, executor))
            go.set()
        assert len(begun) <= 3

    def test_a_caller_that_stops_early_cancels_the_rest(self) -> None:
        begun: list[str] = []
        go = threading.Event()

        def work(errand: Errand) -> None:
            begun.append(errand.clip_id)
            if errand.clip_id != "00":
                go.wait(10)

        with ThreadPoolExecutor(1) as executor:
            results = ordered_results(work, ERRANDS, executor)
            next(results)
            results.close()  # type: ignore[attr-defined]
            go.set()
        assert len(begun) <= 2

    def test_number_of_workers(self, dask_workers: DaskWorkers) -> None:
        with ThreadPoolExecutor(3) as threads, ProcessWorkers(4) as processes:
            known = [number_of_workers(executor) for executor in (None, threads, processes, dask_workers, Executor())]
        assert known == [1, 3, 4, 2, None]


def float_predictions(clips: int = 3) -> dict[str, Prediction]:
    return {f"{k:02d}": Prediction(score_maps=random_maps(k, "float32") / np.float32(7)) for k in range(clips)}


PREDICTIONS = {
    "every kind": predictions("score_maps", "instances", "detections", "frame_scores"),
    "float maps": float_predictions(),
    "instances": predictions("instances"),
}


@pytest.mark.parametrize("name", PREDICTIONS)
class TestSameBytes:
    def test_whoever_does_the_work(self, name: str, processes: ProcessWorkers, dask_workers: DaskWorkers) -> None:
        def scored(executor: Executor | None, protocol: str) -> str:
            return evaluate(PREDICTIONS[name], dataset(), protocol, threshold=100, executor=executor).to_json(run=False)

        for protocol in ("standard", "aed-2021"):
            alone = scored(None, protocol)
            with ThreadPoolExecutor(2) as threads:
                for executor in (threads, processes, dask_workers):
                    assert scored(executor, protocol) == alone

    def test_whatever_the_order_of_the_data_set(self, name: str, processes: ProcessWorkers) -> None:
        truths = {f"{k:02d}": Truth.from_arrays(truth_masks(k)) for k in reversed(range(3))}
        turned = dict(reversed(PREDICTIONS[name].items()))
        given = evaluate(PREDICTIONS[name], dataset()).to_json(run=False)
        assert evaluate(turned, MemoryDataset(truths), executor=processes).to_json(run=False) == given


def test_one_worker_and_what_the_run_says() -> None:
    alone = evaluate(PREDICTIONS["every kind"], dataset())
    with ProcessWorkers(1) as one:
        report = evaluate(PREDICTIONS["every kind"], dataset(), executor=one)
        assert one.peak_memory_bytes > 10_000_000
    assert report.to_json(run=False) == alone.to_json(run=False)
    assert report.run is not None
    assert alone.run is not None
    assert (alone.run.workers, report.run.workers) == (1, 1)
    assert report.run.peak_memory_bytes > one.peak_memory_bytes
    with ThreadPoolExecutor(8) as threads:
        run = evaluate(PREDICTIONS["every kind"], dataset(), executor=threads).run
    assert run is not None
    assert run.workers == 3, "never more than clips"


class TestErrors:
    @pytest.mark.parametrize("kind", ["processes", "dask_workers"])
    def test_our_errors_arrive_as_themselves(self, kind: str, request: pytest.FixtureRequest) -> None:
        executor: Executor = request.getfixturevalue(kind)
        with pytest.raises(SubmissionError) as caught:
            executor.submit(errands.refuse, Errand("07")).result()
        error = caught.value
        assert (error.code, error.where, error.expected, error.got) == ("S104", ("here", "07"), "1", "2")
        assert (error.message, error.hint) == ("frame count differs", "count")

    def test_a_score_that_is_not_finite_is_found_by_a_worker(self, processes: ProcessWorkers) -> None:
        wrong = float_predictions()
        maps = random_maps(1, "float32")
        maps[2, 3, 4] = np.nan
        with pytest.raises(SubmissionError) as caught:
            evaluate(wrong | {"01": Prediction(score_maps=maps)}, dataset(), executor=processes)
        assert caught.value.code == "S140"
        assert caught.value.where[:2] == ("clip 01", "frame 2")

    def test_an_error_that_cannot_be_sent_is_told(self, processes: ProcessWorkers) -> None:
        with pytest.raises(RuntimeError, match="TwoPartError: one") as caught:
            processes.submit(errands.refuse_strangely, Errand("07")).result()
        assert "in refuse_strangely" in "".join(caught.value.__notes__)

    def test_memory_that_ran_out_in_a_worker(self, processes: ProcessWorkers) -> None:
        with pytest.raises(MemoryError, match=r"Unable to allocate 4\.00 EiB"):
            processes.submit(errands.want_memory, Errand("07")).result()

    def test_a_result_that_cannot_be_sent_is_told(self, processes: ProcessWorkers) -> None:
        with pytest.raises((AttributeError, RuntimeError, TypeError), match=r"pickle|lambda"):
            processes.submit(errands.unsendable, Errand("07")).result()

    @pytest.mark.parametrize("kind", ["processes", "dask_workers"])
    def test_a_task_that_cannot_be_sent_is_named(self, kind: str, request: pytest.FixtureRequest) -> None:
        executor: Executor = request.getfixturevalue(kind)
        with pytest.raises(UsageError) as caught:
            executor.submit(errands.clip_id, Errand("07"), threading.Lock()).result()
        assert (caught.value.code, caught.value.where) == ("U174", ("clip 07",))

    @pytest.mark.parametrize("workers", [0, -1, True, 1.5, "2"])
    def test_a_wrong_number_of_workers(self, workers: Any) -> None:
        with pytest.raises(UsageError) as caught:
            ProcessWorkers(workers)
        assert caught.value.code == "U170"


class TestProcesses:
    def test_never_more_processes_than_tasks(self) -> None:
        with ProcessWorkers(5) as workers:
            ids = {workers.submit(errands.process_id, Errand("00")).result() for _ in range(4)}
            # One after the other: the first is free again.
            assert len(ids) == 1
            assert os.getpid() not in ids
        errands.wait_until_gone(list(ids), 0.1)

    def test_output_of_libraries_does_not_disturb(self, processes: ProcessWorkers) -> None:
        assert processes.submit(errands.talkative, Errand("00")).result() == ""

    def test_nothing_is_imported_from_the_current_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "json.py").write_text("raise SystemExit(9)")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
        with ProcessWorkers(1) as workers:
            assert workers.submit(errands.clip_id, Errand("00")).result() == "00"

    def test_standard_error_may_be_closed(self) -> None:
        script = (
            "from vadbench.evaluation.processes import ProcessWorkers\n"
            "with ProcessWorkers(1) as workers:\n    print(workers.submit(abs, -3).result())"
        )
        call = f"exec {sys.executable} -c '{script}' 2>&-"
        done = subprocess.run(["sh", "-c", call], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "3\n")

    def test_a_worker_has_one_thread_a_library(self, processes: ProcessWorkers) -> None:
        for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "BLOSC_NTHREADS"):
            assert processes.submit(errands.environment, Errand(name)).result() == "1"

    def test_a_worker_that_dies_once_is_replaced(self, processes: ProcessWorkers, tmp_path: Path) -> None:
        tasks = [Errand(f"{k:02d}", tmp_path) for k in range(4)]
        results = list(ordered_results(errands.die_once, tasks, processes))
        assert results == ["00 lives", "01 lives", "02 lives", "03 lives"]

    def test_a_first_death_is_told(self, tmp_path: Path) -> None:
        told: list[tuple[str, str]] = []
        with ProcessWorkers(1, on_retry=lambda *what: told.append(what)) as workers:
            assert workers.submit(errands.die_once, Errand("03", tmp_path)).result() == "03 lives"
            assert told == [("clip 03", "signal SIGKILL")]
            with pytest.raises(WorkerError):
                workers.submit(errands.leave, Errand("04")).result()
        assert told[1:] == [("clip 04", "exit code 3")]

    def test_what_fails_to_tell_it_loses_no_future(self, tmp_path: Path) -> None:
        def refuse(*_: str) -> None:
            raise OSError("nobody listens")

        with ProcessWorkers(1, on_retry=refuse) as workers:
            with pytest.raises(OSError, match="nobody listens"):
                workers.submit(errands.die_once, Errand("03", tmp_path)).result()
            assert workers.submit(errands.clip_id, Errand("04")).result() == "04"

    def test_waiting_tasks_are_cancelled_though_a_thread_takes_the_last(self) -> None:
        class Contended(SimpleQueue):  # type: ignore[type-arg]
            def empty(self) -> bool:
                return False

        workers = ProcessWorkers(1)
        workers._desk.jobs = Contended()
        cancelling = threading.Thread(target=workers._cancel_waiting, daemon=True)
        cancelling.start()
        cancelling.join(5)
        assert not cancelling.is_alive()

    @pytest.mark.parametrize(("work", "ended"), [(errands.die, "signal SIGKILL"), (errands.leave, "exit code 3")])
    def test_a_clip_that_kills_two_workers_is_named(self, processes: ProcessWorkers, work: Any, ended: str) -> None:
        with pytest.raises(WorkerError) as caught:
            list(ordered_results(work, [Errand("07")], processes))
        error = caught.value
        assert (error.code, error.where, error.got) == ("U173", ("clip 07",), ended)
        assert "fewer" in error.hint
        assert processes.submit(errands.clip_id, Errand("08")).result() == "08", "the others go on"

    def test_an_error_ends_the_workers_at_once(self, tmp_path: Path) -> None:
        tasks = [Errand(f"{k:02d}", tmp_path) for k in range(3)]
        workers = ProcessWorkers(2)
        futures = [workers.submit(errands.sleep, task) for task in tasks]
        ids = [int(errands.wait_for(task.trace("begun"))) for task in tasks[:2]]
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt), workers:
            raise KeyboardInterrupt
        assert time.monotonic() - began < 5, "they sleep on"
        assert futures[2].cancelled()
        assert all(future.done() for future in futures)
        errands.wait_until_gone(ids, 0.1)
        with pytest.raises(RuntimeError, match="closed"):
            workers.submit(errands.clip_id, Errand("00"))

    def test_a_closed_pool_finishes_what_it_was_given(self) -> None:
        with ProcessWorkers(1) as workers:
            futures = [workers.submit(errands.clip_id, errand) for errand in ERRANDS]
        assert [future.result() for future in futures] == [errand.clip_id for errand in ERRANDS]

    def test_workers_ignore_a_terminal_s_interruption(self, processes: ProcessWorkers) -> None:
        process = processes.submit(errands.process_id, Errand("00")).result()
        os.kill(process, signal.SIGINT)
        assert processes.submit(errands.clip_id, Errand("01")).result() == "01"
        assert errands.is_running(process)

    def test_workers_end_with_the_process_that_started_them(self, tmp_path: Path) -> None:
        script = f"""
            import sys
            sys.path.insert(0, {str(Path(errands.__file__).parent)!r})
            from pathlib import Path
            import errands
            from vadbench.evaluation.processes import ProcessWorkers

            workers = ProcessWorkers(2)
            for k in "01":
                workers.submit(errands.sleep, errands.Errand(k, Path({str(tmp_path)!r})))
            errands.time.sleep(100)
        """
        with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)]) as program:
            ids = [int(errands.wait_for(tmp_path / f"{k}-begun")) for k in "01"]
            assert all(map(errands.is_running, ids))
            program.kill()
        errands.wait_until_gone(ids)


SCRIPT = """
    import numpy as np
    import vadbench
    from vadbench.evaluation.processes import ProcessWorkers

    {definition}
    def main():
        masks = np.zeros((2, 4, 4), dtype=bool)
        masks[1, 1:3, 1:3] = True
        truths = {{"a": vadbench.Truth.from_arrays(masks), "b": vadbench.Truth.from_arrays(masks)}}
        scores = {{name: vadbench.Prediction(frame_scores=np.arange(2.0)) for name in truths}}
        with ProcessWorkers(1) as workers:
            report = vadbench.evaluate(scores, {kind}(truths), metrics="frame_auroc_micro", executor=workers)
        print(report.value("frame_auroc_micro"))

    {start}
"""
OWN_CLASS = "class Own(vadbench.MemoryDataset):\n        only = lambda self, clip_id: self\n"
GUARDED = 'if __name__ == "__main__":\n        main()'


@pytest.mark.parametrize(
    ("definition", "kind", "start", "fact"),
    [
        ("", "vadbench.MemoryDataset", "main()", "1.0"),
        (OWN_CLASS, "Own", GUARDED, "1.0"),
        (OWN_CLASS, "Own", "main()", "error[U172]"),
    ],
    ids=["no guard", "own class with guard", "own class without guard"],
)
def test_scripts(tmp_path: Path, definition: str, kind: str, start: str, fact: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT.format(definition=definition, kind=kind, start=start)))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert fact in done.stdout + done.stderr
    assert (done.returncode == 0) == (fact == "1.0")


def test_a_class_of_a_program_without_a_file_is_not_found() -> None:
    text = textwrap.dedent(SCRIPT.format(definition=OWN_CLASS, kind="Own", start="main()"))
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert "error[U171]" in done.stderr
    assert "module that can be imported" in done.stderr


class TestSharedArrays:
    ARRAYS = (np.arange(1000.0), np.zeros(0, dtype=np.float32), np.arange(6).reshape(2, 3).T)

    def test_processes_map_a_file_that_is_gone_afterwards(self) -> None:
        with ProcessWorkers(1) as workers:
            for array in self.ARRAYS:
                handle = shared(workers, array)
                assert isinstance(handle, MappedArray)
                np.testing.assert_array_equal(handle.open(), array)
                assert workers.submit(errands.total, Errand("00", None, handle)).result() == array.sum()
            path = handle.path
            assert [entry.name for entry in path.parent.iterdir()] == [path.name], "each goes with its handle"
        assert not path.parent.exists()

    def test_a_cluster_holds_it_in_memory(self, dask_workers: DaskWorkers) -> None:
        for array in self.ARRAYS:
            handle = shared(dask_workers, array)
            tasks = [Errand(f"{k:02d}", None, handle) for k in range(3)]
            assert list(ordered_results(errands.total, tasks, dask_workers)) == [array.sum()] * 3

    def test_others_hold_it(self) -> None:
        with ThreadPoolExecutor(1) as threads:
            for executor in (None, threads):
                handle = shared(executor, self.ARRAYS[0])
                assert isinstance(handle, HeldArray)
                assert handle.open() is self.ARRAYS[0]


class TestDask:
    def test_a_worker_that_dies_once_is_replaced(self, dask_workers: DaskWorkers, tmp_path: Path) -> None:
        assert dask_workers.submit(errands.die_once, Errand("07", tmp_path)).result() == "07 lives"

    def test_a_clip_that_kills_workers_is_named(self, dask_workers: DaskWorkers) -> None:
        with pytest.raises(WorkerError) as caught:
            list(ordered_results(errands.die, [Errand("07")], dask_workers))
        assert (caught.value.code, caught.value.where[0]) == ("U173", "clip 07")

    def test_without_the_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "distributed", None)
        with pytest.raises(UsageError) as caught:
            DaskWorkers("tcp://127.0.0.1:8786")
        assert caught.value.code == "U175"
        assert "pip install 'vadbench[dask]'" in caught.value.hint

    @pytest.mark.parametrize(
        "address", ["tcp://127.0.0.1:1", "nonsense", "other://127.0.0.1:1", "tls://127.0.0.1:1", ""]
    )
    def test_an_address_without_a_scheduler(self, address: str) -> None:
        with pytest.raises(UsageError) as caught:
            DaskWorkers(address, timeout=0.5)
        assert caught.value.code == "U176"

    @pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-Server\r\n"])
    def test_somebody_else_at_the_address(self, greeting: bytes) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            held = []

            def answer() -> None:
                held.append(server.accept()[0])
                held[0].sendall(greeting)

            answering = threading.Thread(target=answer)
            answering.start()
            with pytest.raises(UsageError) as caught:
                DaskWorkers(f"tcp://127.0.0.1:{server.getsockname()[1]}", timeout=0.3)
            answering.join()
            held[0].close()
        assert caught.value.code == "U176"
        assert "somebody listens" in caught.value.got

    def test_a_cluster_without_workers(self) -> None:
        from distributed import LocalCluster

        with (
            LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as empty,
            pytest.raises(UsageError) as caught,
        ):
            DaskWorkers(empty.scheduler_address, timeout=0.3)
        assert (caught.value.code, caught.value.message) == ("U177", "the Dask cluster has no workers")
