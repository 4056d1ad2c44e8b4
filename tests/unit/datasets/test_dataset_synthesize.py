from __future__ import annotations

import hashlib
import shutil
import tomllib

import numpy as np
import pytest

from vadbench.datasets import open_dataset
from vadbench.datasets.synthesize import synthesize
from vadbench.datasets.verify import survey
from vadbench.errors import DataError, UsageError
from vadbench.masks import label_components

SMALL = {"frames": 40, "height": 72, "width": 96}


def digest(root):
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return synthesize(tmp_path_factory.mktemp("synthetic") / "set", seed=1, **SMALL)


@pytest.fixture
def dataset(made):
    return open_dataset("synthetic", made)


def test_same_seed_same_bytes(made, tmp_path):
    assert digest(synthesize(tmp_path / "again", seed=1, **SMALL)) == digest(made)


def test_other_seed_other_bytes_and_more_clips_keep_the_first(made, tmp_path):
    other = digest(synthesize(tmp_path / "other", seed=2, test_clips=1, training_clips=1, **SMALL))
    more = digest(synthesize(tmp_path / "more", seed=1, test_clips=5, training_clips=1, **SMALL))
    known = digest(made)
    assert other["Test/Test001/001.tif"] != known["Test/Test001/001.tif"]
    assert all(
        known[name] == value for name, value in more.items() if name.startswith(("Test/Test001", "Train/Train001"))
    )


def test_it_reads_without_a_finding(dataset):
    result = survey(dataset)
    assert [finding.code for finding in result.findings] == ["D245"]
    assert result.usable
    assert [clip.frames for clip in dataset.clips] == [40] * 4
    assert len(dataset.training_clips) == 3
    assert {frame.shape for clip in dataset.training_clips for frame in clip.read_frames()} == {(72, 96)}


def test_normal_beginning_and_a_clip_without_anomaly(dataset):
    labels = [dataset.truth(clip.id).labels for clip in dataset.clips]
    assert not labels[0][:8].any()
    assert labels[0].any()
    assert labels[2].all()
    assert not labels[3].any()


def test_two_anomalies_touch_and_part_again(tmp_path):
    made = synthesize(tmp_path / "set", seed=0, test_clips=2, training_clips=0)
    masks = open_dataset("synthetic", made).truth("02").masks()
    large = []
    for mask in masks:
        labels, _ = label_components(mask)
        large.append(int((np.bincount(labels.ravel())[1:] > 60).sum()))
    # Apart on both sides, one component in the middle.
    assert max(large[:25]) >= 2
    assert min(large[25:35]) == 1
    assert max(large[35:]) >= 2


def test_occlusion_splits_masks(tmp_path):
    made = synthesize(tmp_path / "set", seed=0, test_clips=1, training_clips=0)
    counts = [label_components(mask)[1] for mask in open_dataset("synthetic", made).truth("01").masks()]
    assert max(counts) > 1


def test_settings_are_recorded(made):
    settings = tomllib.loads((made / "synthetic.toml").read_text())
    assert settings == {"version": 1, "seed": 1, "test_clips": 4, "training_clips": 3} | SMALL


def test_nothing_else_is_ever_overwritten(tmp_path):
    small = {"test_clips": 1, "training_clips": 0, "frames": 10, "height": 48, "width": 64}
    target = tmp_path / "set"
    target.mkdir()
    synthesize(target, seed=1, **small)
    before = digest(target)
    with pytest.raises(UsageError, match="U117"):
        synthesize(target, seed=2, **small)
    assert digest(target) == before
    synthesize(target, seed=2, overwrite=True, **small)
    assert digest(target) != before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(target)
    for name in ("mine", "file", "link"):
        with pytest.raises(UsageError, match="U117"):
            synthesize(tmp_path / name, overwrite=True, **small)
    assert (tmp_path / "mine/thesis.tex").read_text() == "years of work"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link", "mine", "set"]


def test_a_failure_leaves_nothing(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesize(tmp_path / "set", frames=10, height=48, width=64, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_clips(tmp_path):
    seen = []
    synthesize(
        tmp_path / "set",
        test_clips=2,
        training_clips=1,
        frames=10,
        height=48,
        width=64,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    "numbers", [{"test_clips": 0}, {"seed": -1}, {"frames": 3}, {"height": 10}, {"width": 0}, {"training_clips": -1}]
)
def test_impossible_numbers(tmp_path, numbers):
    with pytest.raises(UsageError, match="U116"):
        synthesize(tmp_path / "set", **numbers)


@pytest.mark.parametrize(
    ("gone", "code"),
    [
        ("Test/Test002/005.tif", "D202"),
        ("Test/Test002_gt/005.bmp", "D203"),
        ("Train/Train001/005.tif", "D202"),
        ("Test/Test002", "D201"),
        ("Test/Test002_gt", "D201"),
        ("Train/Train001", "D201"),
    ],
)
def test_its_settings_say_what_is_missing(made, tmp_path, gone, code):
    root = tmp_path / "set"
    shutil.copytree(made, root)
    path = root / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(DataError) as caught:
        open_dataset("synthetic", root)
    assert caught.value.code == code
    if path.suffix:
        assert caught.value.where[0] == str(path.parent)
        assert caught.value.expected.startswith("40 ")
        assert "1 missing" in caught.value.hint


@pytest.mark.parametrize(
    "text", ["frames = ", "frames = 40", "test_clips = 4\ntraining_clips = 3\nframes = true", "a = '\xff'"]
)
def test_damaged_settings(made, tmp_path, text):
    root = tmp_path / "set"
    shutil.copytree(made, root)
    (root / "synthetic.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError) as caught:
        open_dataset("synthetic", root)
    assert caught.value.code == "D206"
    assert caught.value.where[0] == str(root / "synthetic.toml")
