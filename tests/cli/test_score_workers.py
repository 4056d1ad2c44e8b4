"""``vadbench score`` with workers, a cluster and kept results: the same bytes, and what an early end leaves."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import held_dataset
import pytest
from small_submission import write_submission
from small_web import small_web

from vadbench.cli import main
from vadbench.cli.score import _beside
from vadbench.datasets.synthesize import synthesize
from vadbench.evaluation.report import Report

CLIPS = ("01", "02", "03", "04")


@pytest.fixture(scope="module")
def four_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("four") / "synthetic"
    return synthesize(root, seed=5, test_clips=4, training_clips=1, frames=10, height=48, width=64)


@pytest.fixture
def sketch(tmp_path: Path, four_clips: Path) -> Path:
    return write_submission(tmp_path / "sketch", four_clips)


def content(report: Path) -> str:
    return Report.read(report).to_json(run=False)


def test_workers_write_the_same_report(sketch: Path, four_clips: Path, tmp_path: Path) -> None:
    call = ["score", str(sketch), "--root", str(four_clips), "--report"]
    for name, more in {
        "alone": [],
        "workers": ["--workers", "2"],
        "kept": ["--resume", str(tmp_path / "kept")],
    }.items():
        assert main([*call, str(tmp_path / f"{name}.json"), *more]) == 0
    assert content(tmp_path / "workers.json") == content(tmp_path / "alone.json") == content(tmp_path / "kept.json")
    workers = [Report.read(tmp_path / f"{name}.json").run for name in ("alone", "workers", "kept")]
    assert [run.workers for run in workers if run] == [1, 2, 1]


def test_several_submissions_share_the_workers(
    sketch: Path, four_clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vadbench.evaluation import processes

    started = []

    class Counted(processes._Process):
        def __init__(self) -> None:
            super().__init__()
            started.append(self)

    monkeypatch.setattr(processes, "_Process", Counted)
    others = [write_submission(tmp_path / name, four_clips) for name in ("a", "b")]
    paths = [str(path) for path in (sketch, *others)]
    assert main(["score", *paths, "--root", str(four_clips), "--workers", "2", "--metrics", "frame_auroc_micro"]) == 0
    assert len(started) == 2
    assert len(list(tmp_path.glob("*.report.json"))) == 3


def test_a_cluster_writes_the_same_report(sketch: Path, four_clips: Path, tmp_path: Path) -> None:
    from distributed import LocalCluster

    call = ["score", str(sketch), "--root", str(four_clips), "--report"]
    quiet: dict[str, Any] = {"dashboard_address": ":0", "silence_logs": 50}
    with LocalCluster(n_workers=2, threads_per_worker=1, **quiet) as cluster:
        kept = ["--resume", str(tmp_path / "kept")]
        assert main([*call, str(tmp_path / "dask.json"), "--dask", cluster.scheduler_address, *kept]) == 0
    assert len(list((tmp_path / "kept").iterdir())) == 4
    assert main([*call, str(tmp_path / "alone.json")]) == 0
    assert content(tmp_path / "dask.json") == content(tmp_path / "alone.json")


def test_a_submission_behind_a_url(
    sketch: Path, four_clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(sketch.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(sketch))
    assert main(["score", str(sketch), "--root", str(four_clips)]) == 0
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with small_web() as web:
        web.files["/files/my sketch.zip"] = web.files["/files/my%20sketch.zip"] = packed.getvalue()
        url = f"{web.url}/files/my%20sketch.zip?token=secret"
        kept = ["--resume", str(tmp_path / "kept")]
        for more in (kept, [*kept, "--workers", "2"]):
            assert main(["score", url, "--root", str(four_clips), *more]) == 0
    assert content(here / "my sketch.report.json") == content(tmp_path / "sketch.report.json")
    assert "secret" not in capsys.readouterr().out


CALLS = [
    (["--workers", "0"], "U170", "1 or more"),
    (["--workers", "two"], "U100", "--workers"),
    (["--workers", "2", "--dask", "tcp://127.0.0.1:1"], "U100", "not allowed with"),
    (["--dask", "tcp://127.0.0.1:1"], "U176", "tcp://127.0.0.1:1"),
    (["--resume", "{sketch}/submission.toml/kept"], "U181", "inside the submission"),
    (["--resume", "{sketch}/kept"], "U181", "inside the submission"),
    (["--resume", "{data}/kept"], "U181", "inside the data set"),
    (["--resume", "{tmp}/file"], "U180", "can be written to"),
    (["--resume", "/proc/kept"], "U180", "can be written to"),
]


@pytest.mark.parametrize(("more", "code", "fact"), CALLS, ids=[" ".join(call[0]) for call in CALLS])
def test_a_wrong_call(
    more: list[str],
    code: str,
    fact: str,
    sketch: Path,
    four_clips: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").touch()
    before = sorted(tmp_path.rglob("*"))
    filled = [part.format(sketch=sketch, data=four_clips, tmp=tmp_path) for part in more]
    assert main(["score", str(sketch), "--root", str(four_clips), *filled]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error[{code}]")
    assert fact in err
    assert sorted(tmp_path.rglob("*")) == before


class Held:
    """``vadbench score`` as another process, which stops at a clip."""

    def __init__(self, folder: Path, clip: str, *arguments: str | Path) -> None:
        self.folder = folder
        (folder / "hold").write_text(clip)
        # A group of its own: what a terminal sends goes to the workers, too.
        self.process = subprocess.Popen(
            [sys.executable, held_dataset.__file__, str(folder), "score", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def wait_until(self, *names: str) -> None:
        """Until files of these names are in the folder, and the clip is held."""
        end = time.monotonic() + 30
        while not all(any(self.folder.glob(name)) for name in ("held", *names)):
            assert time.monotonic() < end, self.process.communicate(timeout=1)
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.01)

    def worker(self) -> int:
        return int((self.folder / "held").read_text())


def is_running(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_killed_run_goes_on_with_the_rest(sketch: Path, four_clips: Path, tmp_path: Path) -> None:
    call = [sketch, "--root", four_clips, "--workers", "2", "--resume", tmp_path / "kept"]
    held = Held(tmp_path, "03", *call)
    held.wait_until("kept/01-*.npz", "kept/02-*.npz", "kept/04-*.npz")
    held.process.kill()
    held.process.communicate()
    end = time.monotonic() + 5
    while is_running(held.worker()):
        assert time.monotonic() < end, "the worker goes on alone"
        time.sleep(0.01)
    assert not (tmp_path / "sketch.report.json").exists()
    done = {path: path.stat().st_ino for path in (tmp_path / "kept").iterdir()}
    assert len(done) == 3
    (tmp_path / "hold").unlink()
    # The same data set once more, so that nothing differs but the hold.
    again = Held(tmp_path, "", *call)
    _, err = again.process.communicate(timeout=30)
    assert (again.process.returncode, err) == (0, "")
    assert {path: path.stat().st_ino for path in done} == done
    assert len(list((tmp_path / "kept").iterdir())) == 4
    assert main(["score", str(sketch), "--root", str(four_clips), "--report", str(tmp_path / "alone.json")]) == 0
    assert content(tmp_path / "sketch.report.json") == content(tmp_path / "alone.json")


@pytest.mark.parametrize("whole_group", [True, False], ids=["terminal", "process alone"])
@pytest.mark.parametrize("workers", [["--workers", "2"], []], ids=["workers", "alone"])
def test_ctrl_c(sketch: Path, four_clips: Path, tmp_path: Path, workers: list[str], whole_group: bool) -> None:
    resume = ["--resume", str(tmp_path / "kept")] if whole_group else []
    held = Held(tmp_path, "03", sketch, "--root", four_clips, *workers, *resume)
    held.wait_until(*(f"kept/{clip}-*.npz" for clip in CLIPS[:2] if resume))
    if resume:
        # What is kept has still to be told to the process that counts.
        time.sleep(0.5)
    began = time.monotonic()
    (os.killpg if whole_group else os.kill)(held.process.pid, signal.SIGINT)
    out, err = held.process.communicate(timeout=10)
    assert time.monotonic() - began < 5
    assert (held.process.returncode, out) == (130, "")
    assert not is_running(held.worker())
    assert not (tmp_path / "sketch.report.json").exists()
    first, second = err.splitlines()
    if resume:
        assert first == "interrupted; no report was written"
        assert re.match(rf"[23] of 4 clips of {re.escape(str(sketch))} are kept in .*/kept; the same command", second)
        assert not [path for path in (tmp_path / "kept").iterdir() if path.name.startswith(".")]
    else:
        assert first == "interrupted; nothing was written"
        assert second.startswith("with --resume DIR")


def test_an_interruption_says_how_many_reports_there_are(
    sketch: Path, four_clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import vadbench.cli.score

    other = write_submission(tmp_path / "other", four_clips)
    scored, evaluation_of = [], vadbench.cli.score.evaluation_of

    def interrupted(submission: Any, *given: Any, **named: Any) -> Any:
        scored.append(submission)
        if len(scored) == 2:
            raise KeyboardInterrupt
        return evaluation_of(submission, *given, **named)

    monkeypatch.setattr(vadbench.cli.score, "evaluation_of", interrupted)
    assert main(["score", str(sketch), str(other), "--root", str(four_clips)]) == 130
    assert capsys.readouterr().err.startswith("interrupted; 1 report was written\n")
    assert (tmp_path / "sketch.report.json").exists()


@pytest.mark.parametrize("moment", ["before the report", "after the report", "printing"])
def test_an_interruption_after_the_work_says_what_is_true(
    moment: str,
    sketch: Path,
    four_clips: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write = Report.write

    def interrupted(report: Report, path: Path) -> Path:
        if moment == "after the report":
            write(report, path)
        raise KeyboardInterrupt

    def interrupted_print(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    if moment == "printing":
        monkeypatch.setattr("vadbench.cli.score._print", interrupted_print)
    else:
        monkeypatch.setattr(Report, "write", interrupted)
    assert main(["score", str(sketch), "--root", str(four_clips)]) == 130
    is_there = (tmp_path / "sketch.report.json").exists()
    assert is_there == (moment != "before the report")
    said = "interrupted; 1 report was written" if is_there else "interrupted; nothing was written"
    assert capsys.readouterr().err.splitlines()[0] == said


def test_a_worker_that_dies_once_is_told(sketch: Path, four_clips: Path, tmp_path: Path) -> None:
    held = Held(tmp_path, "03", sketch, "--root", four_clips, "--workers", "2")
    held.wait_until()
    (tmp_path / "hold").unlink()
    os.kill(held.worker(), signal.SIGKILL)
    _, err = held.process.communicate(timeout=30)
    assert held.process.returncode == 0
    assert err == "a worker process died (signal SIGKILL) at clip 03; the clip is begun again\n"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/files/m.zip", "m"),
        ("/files/my%20m", "my m"),
        ("/a%00b%1B[2J.zip", "ab[2J"),
        ("/..", "submission"),
        ("/%2e%2e", "submission"),
        ("/a%2F..", "submission"),
        ("/a%5C..%5Cb", "a..b"),
        ("/.zip", "submission"),
        ("/" + "x" * 300 + ".zip", "x" * 100),
        ("/" + "%E7%9B%A3" * 100, "監" * 33),
        ("", "submission"),
        ("/", "submission"),
    ],
)
def test_the_report_of_a_url_has_a_name_that_any_system_takes(path: str, name: str) -> None:
    assert _beside(f"https://example.org{path}?a=b/c", ".report.json") == Path(f"{name}.report.json")


def test_memory_that_ran_out(
    sketch: Path, four_clips: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def short(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 2.00 TiB")

    monkeypatch.setattr("vadbench.cli.score.evaluation_of", short)
    assert main(["score", str(sketch), "--root", str(four_clips)]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error[U103]")
    assert "2.00 TiB" in err
