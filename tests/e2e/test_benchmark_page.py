"""The page of the benchmarks: the same results give the same bytes, and wrong ones a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
CONDITIONS = {
    "date": "2026-01-02",
    "cpu": "a processor",
    "cores": 2,
    "memory_bytes": 2**34,
    "system": "Linux x86_64",
    "python": "3.11.0",
    "load": 0.1,
    "versions": {"numpy": "2.4.6"},
    "seconds": 12,
}
PIXEL = {"section": "pixel-uint16", "workload": "ped2", "pixels": 86_400_000}


def results(*records):
    stages = {"micro": {"conditions": CONDITIONS, "records": list(records)}}
    return {"format": "vadbench.benchmarks/1", "size": "full", "stages": stages}


def page(path, *options):
    command = [sys.executable, str(BENCHMARKS / "document.py"), "--from", str(path), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def measured(tmp_path):
    path = tmp_path / "results.json"
    path.write_text(
        json.dumps(
            results(
                {**PIXEL, "subject": "first", "seconds": 0.1, "rounds": 5, "values": {"AUROC": 0.75}},
                {**PIXEL, "subject": "adeval", "seconds": 1.0, "rounds": 1, "values": {"AUROC": 0.7}},
                {**PIXEL, "subject": "pyaupro", "unavailable": "cannot import (/home/someone/lib/torch.py) | torch"},
            )
        ),
        encoding="utf-8",
    )
    return path


def test_ratios_differences_and_reasons(measured):
    done = page(measured)
    assert done.returncode == 0, done.stderr
    rows = {line.split(" | ")[0].strip("| "): line for line in done.stdout.splitlines() if line.startswith("|")}
    adeval = rows["adeval, 1000 bins (AUROC, AUPR, AUPRO)"]
    assert "1.00 s (single)" in adeval
    assert "10.0×" in adeval
    assert "AUROC −5e−2" in adeval
    missing = rows["pyaupro, exact (AUPRO)"]
    assert "not run: cannot import / torch" in missing
    assert "/home" not in done.stdout
    assert "## Regions and tracks" not in done.stdout


def test_the_same_results_give_the_same_bytes(measured, tmp_path):
    for name in ("one.md", "two.md"):
        assert page(measured, "--out", str(tmp_path / name)).returncode == 0
    assert (tmp_path / "one.md").read_bytes() == (tmp_path / "two.md").read_bytes()


@pytest.mark.parametrize("content", [None, "no JSON", "[]", '{"stages": {"micro": {}}}'])
def test_what_is_no_result_is_refused(tmp_path, content):
    path = tmp_path / "results.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    done = page(path)
    assert done.returncode == 1
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr
