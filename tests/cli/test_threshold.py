"""``vadbench threshold`` as a person sees it."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from small_submission import METHOD, TRAINING, write_submission

import vadbench
from vadbench.cli import main
from vadbench.submission import Submission


@pytest.fixture
def plain(tmp_path: Path, data: Path) -> Path:
    """The sketch of a method, without a threshold."""
    return write_submission(tmp_path / "plain", data, threshold=None)


@pytest.fixture
def training(tmp_path: Path, data: Path) -> Path:
    """The same method's scores of the training clips."""
    dataset = vadbench.open_dataset("synthetic", data)
    rng = np.random.default_rng(1)
    path = tmp_path / "plain-training"
    with vadbench.SubmissionWriter(path, dataset="synthetic", method=METHOD, training=TRAINING) as writer:
        for clip in dataset.training_clips:
            shape = (clip.frames, clip.height, clip.width)
            writer.write_clip(clip.id, score_maps=rng.integers(0, 30_000, shape).astype(np.uint16))
    return path


def test_declared_scored_and_replaced(
    plain: Path, training: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["threshold", str(plain), "--training", str(training), "--root", str(data), "--quantile"]
    assert main([*call, "0.999"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    metadata = Submission.open(plain).metadata
    n = 16 * 48 * 64
    assert f"threshold  {metadata.threshold} (none before)\n" in out
    assert "quantile 0.999 of the pixels of 1 training clip\n" in out
    assert f"of {n:,} training pixels".replace(",", " ") in out
    assert "the fingerprint of the submission has changed" in out
    assert metadata.training.threshold_chosen_on == "training"
    scores = np.concatenate([block for _, block in Submission.open(training).clip("01").maps.blocks()])
    assert (
        np.count_nonzero(scores >= metadata.threshold)
        <= 0.001 * n
        < np.count_nonzero(scores >= metadata.threshold - 20)
    )
    assert main(["score", str(plain), "--root", str(data), "--metrics", "rbdc,pixel_f1"]) == 0
    assert "(declared)" in capsys.readouterr().out
    assert main([*call, "0.9"]) == 2
    assert capsys.readouterr().err.startswith("error[U208]")
    assert main([*call, "0.9", "--replace", "--of", "frame-maxima"]) == 0
    out = capsys.readouterr().out
    assert f"({metadata.threshold} before)" in out
    assert "of 16 training frame maxima" in out


def test_a_zip_gets_a_copy(
    plain: Path, training: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pack", str(plain)]) == 0
    packed = tmp_path / "plain.zip"
    before = packed.read_bytes()
    call = ["threshold", str(packed), "--training", str(training), "--root", str(data), "--quantile", "0.99"]
    assert main(call) == 2
    assert capsys.readouterr().err.startswith("error[U203]")
    for out in ("copy.zip", "copy"):
        assert main([*call, "--out", str(tmp_path / out)]) == 0
        assert Submission.open(tmp_path / out).metadata.threshold is not None
    assert packed.read_bytes() == before


def test_the_greatest_number_cannot_be_exceeded(
    plain: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = vadbench.open_dataset("synthetic", data)
    path = tmp_path / "full"
    with vadbench.SubmissionWriter(path, dataset="synthetic", method=METHOD, training=TRAINING) as writer:
        for clip in dataset.training_clips:
            writer.write_clip(
                clip.id, score_maps=np.full((clip.frames, clip.height, clip.width), 65_535, dtype=np.uint16)
            )
    before = (plain / "submission.toml").read_bytes()
    assert main(["threshold", str(plain), "--training", str(path), "--root", str(data), "--quantile", "0.9"]) == 2
    assert "65535 is the greatest score" in capsys.readouterr().err
    assert (plain / "submission.toml").read_bytes() == before


def test_an_interruption_says_what_was_done(
    plain: Path,
    training: Path,
    data: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    call = ["threshold", str(plain), "--training", str(training), "--root", str(data), "--quantile", "0.9"]
    real = Path.replace

    def interrupted(self: Path, target: Path) -> None:
        real(self, target)
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupted)
        assert main(call) == 130
    assert capsys.readouterr().err == "interrupted; the threshold was declared all the same\n"
    assert Submission.open(plain).metadata.threshold is not None
    monkeypatch.setattr("vadbench.cli.threshold.declaration", lambda *_: signal.raise_signal(signal.SIGINT))
    assert main([*call, "--replace"]) == 130
    assert capsys.readouterr().err == "interrupted; nothing was changed\n"


CALLS = [
    (["{plain}", "--training", "{plain}", "--quantile", "0.9", "--root", "{data}"], 2, "U207"),
    (["{plain}", "--training", "{copy}", "--quantile", "0.9", "--root", "{data}"], 1, "S103"),
    (["{plain}", "--training", "{training}", "--quantile", "1.5", "--root", "{data}"], 2, "U205"),
    (["{plain}", "--training", "{training}", "--quantile", "0.9"], 2, "U112"),
    (["{plain}", "--training", "{training}", "--quantile", "0.9", "--of", "rows"], 2, "U100"),
    (["{plain}", "--training", "{training}", "--root", "{data}"], 2, "U100"),
    (["{plain}", "--training", "{tmp}/nothing", "--quantile", "0.9", "--root", "{data}"], 2, "U130"),
    (["{plain}", "--training", "{training}", "--quantile", "0.9", "--root", "{data}", "--out", "{plain}/x"], 2, "U201"),
    (["{plain}", "--training", "{training}", "--quantile", "0.9", "--root", "{data}", "--out", "{copy}"], 2, "U202"),
]


@pytest.mark.parametrize(("call", "code", "error"), CALLS, ids=[f"{call[2]} {call[0][2:][-1]}" for call in CALLS])
def test_a_wrong_call_changes_nothing(
    call: list[str],
    code: int,
    error: str,
    plain: Path,
    training: Path,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("VADBENCH_DATA", raising=False)
    copy = shutil.copytree(plain, tmp_path / "copy")
    places = {"plain": plain, "training": training, "data": data, "tmp": tmp_path, "copy": copy}
    before = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}
    assert main(["threshold", *(part.format(**places) for part in call)]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error[{error}]")
    assert {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()} == before


def test_clips_that_ship_with_the_package_need_no_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A submission of test clips, given by mistake, is known without the data set."""
    maps = np.zeros((3, 4, 5), dtype=np.uint8)
    for name in ("method", "again"):
        with vadbench.SubmissionWriter(
            tmp_path / name, dataset="ucsd-ped2", method=METHOD, training=TRAINING
        ) as writer:
            for number in range(12):
                writer.write_clip(f"{number + 1:02}", score_maps=maps)
    call = ["threshold", str(tmp_path / "method"), "--training", str(tmp_path / "again"), "--quantile", "0.9"]
    assert main(call) == 1
    err = capsys.readouterr().err
    assert err.startswith("error[S103]")
    assert "these are the test clips" in err
    assert "16 clips" in err
