"""The workload of ShanghaiTech's size, cut to a few frames: a legal data set and submission, the same every time."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vadbench import Submission, evaluate, open_dataset
from vadbench.datasets import load_facts
from vadbench.datasets.arrays import NpyMasks
from vadbench.datasets.base import Clip
from vadbench.datasets.tracks import read_tracks

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
CUT = ("--clips", "2", "--frames", "12")


def generate(out, *options):
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / "shanghaitech_size.py"), "--out", str(out), *options],
        capture_output=True,
        text=True,
        check=False,
    )


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def workload(tmp_path_factory):
    out = tmp_path_factory.mktemp("workload") / "out"
    done = generate(out, *CUT)
    assert (done.returncode, done.stderr) == (0, "")
    return out


def test_it_is_scored_with_every_metric(workload):
    dataset = open_dataset("folder", workload / "data")
    assert [(clip.id, clip.frames, clip.height, clip.width) for clip in dataset.clips] == [
        ("01_0014", 12, 480, 856),
        ("01_0015", 12, 480, 856),
    ]
    report = evaluate(Submission.open(workload / "submission"), dataset)
    for key in ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1", "rbdc", "tbdc"):
        assert 0.5 < report.scores[key].value <= 1, key


def test_the_same_settings_give_the_same_bytes(workload, tmp_path):
    assert generate(tmp_path / "again", *CUT).returncode == 0
    assert content(tmp_path / "again") == content(workload)


def test_an_interrupted_run_is_finished_and_a_whole_one_left_alone(workload, tmp_path):
    before = content(workload)
    assert generate(workload, *CUT).returncode == 0
    assert content(workload) == before
    out = tmp_path / "out"
    assert generate(out, *CUT).returncode == 0
    (out / "whole").unlink()
    (out / "submission" / "submission.toml").unlink()
    (out / "data" / "masks" / "01_0015").rename(tmp_path / "lost")
    assert generate(out, *CUT).returncode == 0
    assert content(out) == before


def test_another_workload_is_not_mixed_in(workload):
    done = generate(workload, *CUT, "--seed", "1")
    assert done.returncode == 1
    assert "holds something else" in done.stderr
    assert "Traceback" not in done.stderr
    assert generate(workload, "--clips", "108").returncode == 2


def test_the_official_layout_is_read(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("shanghaitech_size", BENCHMARKS / "shanghaitech_size.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "shanghaitech_size", module)
    spec.loader.exec_module(module)
    settings = module.Settings()
    assert settings.dataset == "shanghaitech"
    assert settings.lengths == load_facts("shanghaitech").clips
    plan = module.ClipPlan.of("01_0162", settings.lengths["01_0162"], settings)
    module.write_official_masks(plan, tmp_path / "01_0162.npy")
    clip = Clip(plan.id, plan.frames, plan.height, plan.width)
    read = NpyMasks(tmp_path / "01_0162.npy").masks(clip)
    assert all(np.array_equal(own, mask) for own, mask in zip(read, plan.masks(), strict=True))
    (tmp_path / "01_0162.txt").write_text("".join(plan.track_rows(1)))
    tracks = read_tracks(tmp_path / "01_0162.txt", "aed", frames=plan.frames)
    assert {frame for track in tracks for frame in track.frames.tolist()} == {
        frame for frame, mask in enumerate(plan.masks()) if mask.any()
    }
