"""``python -m baselines demo``: data, submissions, scores, a table and two pictures; twice the same."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from baselines.simple import BASELINES
from vadbench import Report, Submission, open_dataset
from vadbench.protocol.titles import metric_titles


def demo(out, *options):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "baselines", "demo", "--out", str(out), "--frames", "16", *options],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


def kept(folder):
    """Bytes of all files that do not say how long something took."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    scores = {
        name: Report.read(path).to_json(run=False) for name, path in files.items() if name.endswith("report.json")
    }
    return {name: path.read_bytes() for name, path in files.items() if name not in scores} | scores


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "out"
    return out, demo(out, "--seed", "4")


def test_everything_is_there(first):
    out, done = first
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    dataset = open_dataset("synthetic", out / "data")
    for name in BASELINES:
        Submission.open(out / name).check_against(dataset)
        assert Report.read(out / f"{name}.report.json").dataset.fingerprint == dataset.fingerprint
    for picture in ("curves.png", "overlay.png"):
        with Image.open(out / picture) as image:
            assert min(image.size) > 400
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]


def test_the_table_has_all_methods_and_columns(first):
    out, done = first
    report = Report.read(out / "background.report.json")
    for title in metric_titles(report.parsed_signature.protocol).values():
        assert title in done.stdout
    assert all(name in done.stdout for name in BASELINES)
    assert report.signature in done.stdout
    assert f"{100 * report.value('pixel_auroc'):.2f}" in done.stdout
    assert "seed 4" in done.stdout
    commands = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")][-3:]
    assert [re.split(r"\s+", command)[0] for command in commands] == ["vadbench", "python", "vadbench"]


def test_again_gives_the_same_bytes(first):
    out, done = first
    before = kept(out)
    again = demo(out, "--seed", "4")
    assert again.returncode == 0, again.stderr
    assert again.stdout == done.stdout
    assert kept(out) == before


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "demo.txt").write_text("my own notes")
    refused = demo(tmp_path)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr.startswith("error[B105]")
    assert [path.name for path in tmp_path.iterdir()] == ["demo.txt"]


def test_wrong_numbers_leave_nothing(tmp_path):
    refused = demo(tmp_path / "out", "--frames", "3")
    assert refused.returncode == 2
    assert "error[U116]" in refused.stderr
    assert not list(tmp_path.iterdir())
