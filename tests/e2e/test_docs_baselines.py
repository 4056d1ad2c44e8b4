"""The recipe of docs/baselines.md, followed to the letter on a copy of the package, gives a baseline that works."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from baselines.simple import BASELINES
from vadbench import Report, Submission, open_dataset, synthesize

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "baselines.md").read_text(encoding="utf-8")
RECIPE = PAGE[PAGE.index("## Add one") :]


def blocks(language):
    found = re.findall(r"^```(\w*)\n(.*?)^```$", RECIPE, flags=re.MULTILINE | re.DOTALL)
    return [text for of, text in found if of == language]


def apply_hunk(text, hunk):
    """Replace the lines of a hunk without those it adds by those without the ones it takes away."""
    lines = hunk.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    assert text.count(before) == 1, f"the recipe does not fit: {hunk}"
    return text.replace(before, after)


def run(folder, *words):
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "baselines", folder / "baselines", ignore=shutil.ignore_patterns("__pycache__"))
    module, registry = re.findall(r"^\d\. (?:Write|Register it in) `(\S+\.py)`", RECIPE, flags=re.MULTILINE)
    (block,) = blocks("python")
    assert not (folder / module).exists()
    (folder / module).write_text(block, encoding="utf-8")
    text = (folder / registry).read_text(encoding="utf-8")
    for hunk in blocks("diff"):
        text = apply_hunk(text, hunk)
    (folder / registry).write_text(text, encoding="utf-8")
    synthesize(folder / "out" / "synthetic", seed=3, test_clips=2, training_clips=2, frames=12, height=48, width=64)
    return folder, folder / module


def test_the_commands_of_the_recipe_work(followed):
    folder, _ = followed
    listed = run(folder, sys.executable, "-W", "error", "-m", "baselines", "list")
    assert listed.stderr == ""
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [*BASELINES, "brightness", "tao"]
    (commands,) = blocks("")
    # The first makes the data, which are there already and smaller; the last has a test of its own.
    for command in commands.splitlines()[1:-1]:
        done = run(folder, *command.split())
        assert done.returncode == 0, done.stderr
    submission = Submission.open(folder / "out" / "brightness")
    dataset = open_dataset("synthetic", folder / "out" / "synthetic")
    submission.check_against(dataset)
    method = submission.metadata.method
    assert method.authors == ("Ada Example",)
    assert "Parameters" not in method.description
    (frame,) = next(iter(submission.clip(dataset.clips[0]).maps.blocks()))[1][:1]
    assert len(set(frame.ravel().tolist())) > 10


def test_the_demonstration_takes_it_along(followed):
    folder, _ = followed
    done = run(folder, sys.executable, "-m", "baselines", "demo", "--out", "demo", "--frames", "10")
    assert done.returncode == 0, done.stderr
    assert Report.read(folder / "demo" / "brightness.report.json").value("pixel_auroc") is not None


def test_the_unit_tests_of_baselines_pass_with_one_more(followed):
    folder, _ = followed
    tests = folder / "tests" / "unit" / "baselines"
    shutil.copytree(ROOT / "tests" / "unit" / "baselines", tests, dirs_exist_ok=True)
    # Of the tests of TAO these alone see the list of baselines; the others, which take long, are run in their place.
    seeing = [
        "test_tao_command.py::test_it_is_named_where_commands_are",
        "test_ablation_command.py::test_it_is_named_where_commands_are_and_its_example_parses",
    ]
    chosen = [*sorted(tests.glob("test_*.py")), *(tests / "tao" / name for name in seeing)]
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\naddopts = --import-mode=importlib\n")
    done = run(folder, sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *map(str, chosen))
    assert done.returncode == 0, done.stdout[-4000:]
    assert "test_writes_a_submission_that_scores[brightness] PASSED" in done.stdout


@pytest.mark.parametrize("check", [("check",), ("format", "--check")])
def test_the_module_is_in_the_house_style(followed, check):
    pytest.importorskip("ruff")
    folder, module = followed
    # Under the name that it has in the repository, whose settings and packages decide.
    command = [
        sys.executable,
        "-m",
        "ruff",
        *check,
        "--no-cache",
        "--stdin-filename",
        str(module.relative_to(folder)),
        "-",
    ]
    done = subprocess.run(
        command, cwd=ROOT, input=module.read_text(encoding="utf-8"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_baseline_has_a_row_that_says_whether_it_needs_frames():
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("| `")]
    needs = {row[0].strip("`"): row[3] == "yes" for row in rows if len(row) == 4}
    assert needs == {name: kind.needs_frames for name, kind in BASELINES.items()}
