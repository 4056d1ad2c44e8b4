from __future__ import annotations

import subprocess
import sys

import pytest
from dataset_layouts import write_folder, write_ucsd

from vadbench.datasets import known_datasets, load_facts, open_dataset
from vadbench.errors import UsageError


def test_every_known_data_set_has_facts():
    for name in known_datasets():
        facts = load_facts(name)
        assert facts.id == name
        assert all((facts.title, facts.citation, facts.licence, facts.source, facts.layout))
        assert list(facts.clips) == sorted(facts.clips)
        assert set(facts.mask_clips) <= set(facts.clips)


@pytest.mark.parametrize(
    ("name", "clips", "frames", "training"),
    [
        ("ucsd-ped2", 12, 2010, (16, 2550)),
        ("ucsd-ped1", 36, 7200, (34, 6800)),
        ("avenue", 21, 15324, (0, 0)),
        ("shanghaitech", 107, 40791, (0, 0)),
    ],
)
def test_published_numbers(name, clips, frames, training):
    facts = load_facts(name)
    assert (len(facts.clips), sum(facts.clips.values())) == (clips, frames)
    assert (len(facts.training_clips), sum(facts.training_clips.values())) == training


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(UsageError) as caught:
        open_dataset("ucsd-pet2", ".")
    assert caught.value.code == "U111"
    assert '"ucsd-ped2"' in caught.value.hint


def test_missing_root_says_both_ways(monkeypatch):
    monkeypatch.delenv("VADBENCH_DATA", raising=False)
    with pytest.raises(UsageError) as caught:
        open_dataset("ucsd-ped2")
    assert caught.value.code == "U112"
    assert "--root" in caught.value.hint
    assert "VADBENCH_DATA" in caught.value.hint


@pytest.mark.parametrize("place", ["", "ucsd-ped2", "UCSDped2", "UCSD_Anomaly_Dataset.v1p2/UCSDped2"])
def test_root_from_the_environment(tmp_path, monkeypatch, shrink, place):
    shrink("ucsd-ped2")
    write_ucsd(tmp_path / place)
    monkeypatch.setenv("VADBENCH_DATA", str(tmp_path))
    assert open_dataset("ucsd-ped2").root == tmp_path / place


def test_root_given_wins(tmp_path, monkeypatch):
    monkeypatch.setenv("VADBENCH_DATA", "/nowhere")
    write_folder(tmp_path)
    assert open_dataset("folder", str(tmp_path)).root == tmp_path


def test_import_loads_no_decoder():
    code = "import sys, vadbench.datasets; print([m for m in ('PIL', 'scipy', 'cv2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
