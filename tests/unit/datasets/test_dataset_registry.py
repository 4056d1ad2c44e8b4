from __future__ import annotations

import subprocess
import sys

import pytest
from dataset_layouts import write_folder, write_ucsd

from vadbench.datasets import known_datasets, load_facts, open_dataset
from vadbench.datasets.synthesize import synthesize
from vadbench.errors import DataError, UsageError, VadbenchError


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


@pytest.mark.parametrize(("name", "places"), [("synthetic", "synthetic"), ("ucsd-ped2", "ucsd-ped2 or UCSDped2")])
def test_missing_root_names_each_place_once(monkeypatch, name, places):
    monkeypatch.delenv("VADBENCH_DATA", raising=False)
    with pytest.raises(UsageError) as caught:
        open_dataset(name)
    assert caught.value.hint.endswith(f"holds it as {places}")


def test_wrong_root_from_the_environment_says_so(tmp_path, monkeypatch):
    for place, code in ((tmp_path, "D200"), (tmp_path / "nowhere", "U113")):
        monkeypatch.setenv("VADBENCH_DATA", str(place))
        for root, named in ((None, False), (place, True)):
            with pytest.raises(VadbenchError) as caught:
                open_dataset("ucsd-ped2", root)
            assert caught.value.code == code
            assert ("VADBENCH_DATA" in caught.value.hint) == (not named)
    # A folder of masks is the caller's own choice.
    write_folder(tmp_path / "set")
    monkeypatch.setenv("VADBENCH_DATA", str(tmp_path / "set"))
    with pytest.raises(UsageError) as caught:
        open_dataset("folder", masks=tmp_path / "nowhere")
    assert "VADBENCH_DATA" not in caught.value.hint


@pytest.mark.parametrize("name", ["ucsd-ped2", "folder"])
def test_synthetic_data_under_another_name(tmp_path, name):
    synthesize(tmp_path / "demo", frames=10, height=48, width=64, test_clips=2, training_clips=0)
    with pytest.raises(DataError) as caught:
        open_dataset(name, tmp_path / "demo")
    assert "the data set synthetic" in caught.value.hint


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
