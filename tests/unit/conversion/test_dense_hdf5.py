"""HDF5 files with one array a clip."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from vadbench.conversion.clip_naming import ClipPattern
from vadbench.conversion.formats import ForeignFormat, Reading, open_source
from vadbench.conversion.source import Timing
from vadbench.datasets.base import Clip
from vadbench.errors import ConversionError, UsageError

h5py = pytest.importorskip("h5py", reason="needs h5py (the extra hdf5)")

CLIP = Clip("01", 20, 6, 8)


def maps_of(dtype=np.float32):
    return (np.random.default_rng(1).random((20, 6, 8)) * 250).astype(dtype)


def read(path, key=None, pattern=None):
    reading = Reading(None if pattern is None else ClipPattern.parse(pattern), key)
    source = open_source(ForeignFormat.HDF5, path, reading)
    maps = source.prediction(source.clip_names[0], CLIP, Timing()).maps
    return np.concatenate([block for _, block in maps.blocks()])


def test_one_file_for_all_clips(tmp_path):
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file.create_dataset("scores/clip_01", data=maps_of(), compression="gzip", chunks=(20, 6, 8))
    np.testing.assert_array_equal(read(tmp_path / "all.h5", "scores", r"clip_(?P<clip>\d+)"), maps_of())


@pytest.mark.parametrize("dtype", [bool, np.uint16, np.float16, ">f8"])
def test_a_file_a_clip(tmp_path, dtype):
    with h5py.File(tmp_path / "01.h5", "w") as file:
        file["maps"], file["other"] = maps_of(dtype), np.zeros(3)
    np.testing.assert_array_equal(read(tmp_path, "maps"), maps_of(dtype))
    with pytest.raises(ConversionError, match="several arrays"):
        read(tmp_path)


def soft(file, path):
    file["x/y"], file["01"] = maps_of(), h5py.SoftLink("/x/y")


def external(file, path):
    file["01"] = h5py.ExternalLink("other.h5", "/01")


def virtual(file, path):
    layout = h5py.VirtualLayout((20, 6, 8), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "01", (20, 6, 8))
    file.create_virtual_dataset("01", layout)


def elsewhere(file, path):
    (path / "values").write_bytes(maps_of().tobytes())
    file.create_dataset("01", (20, 6, 8), "f4", external=[(str(path / "values"), 0, h5py.h5f.UNLIMITED)])


@pytest.mark.parametrize("make", [soft, external, virtual, elsewhere])
def test_what_leads_elsewhere_is_refused(tmp_path, make):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["01"] = maps_of()
    with h5py.File(tmp_path / "all.h5", "w") as file:
        make(file, tmp_path)
    with pytest.raises(ConversionError) as caught:
        read(tmp_path / "all.h5")
    assert caught.value.code == "C120"


def test_a_group_for_each_clip(tmp_path):
    with h5py.File(tmp_path / "all.h5", "w") as file:
        for name in ("01", "02"):
            file[f"{name}/score"], file[f"{name}/extra/labels"] = maps_of(), np.zeros(20)
    np.testing.assert_array_equal(read(tmp_path / "all.h5", "score"), maps_of())
    with h5py.File(tmp_path / "all.h5", "a") as file:
        del file["02/score"]
    with pytest.raises(ConversionError, match='no "02/score"') as caught:
        read(tmp_path / "all.h5", "score")
    assert caught.value.message == "the file holds no array of that name"


@pytest.mark.parametrize("arrays", [["maps/01", "maps/02"], ["01/maps", "02/maps"]])
def test_the_key_that_would_do_is_named(tmp_path, arrays):
    with h5py.File(tmp_path / "all.h5", "w") as file:
        for name in arrays:
            file[name] = maps_of()
    with pytest.raises(ConversionError, match="only groups, no arrays") as caught:
        read(tmp_path / "all.h5")
    assert caught.value.message == "the arrays of the clips are not here"
    assert caught.value.hint.endswith("; --key maps")
    np.testing.assert_array_equal(read(tmp_path / "all.h5", "maps"), maps_of())


def test_a_key_that_is_a_link(tmp_path):
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file["a/01"], file["b"] = maps_of(), h5py.SoftLink("/a")
    with pytest.raises(ConversionError, match="leads elsewhere"):
        read(tmp_path / "all.h5", "b")


def test_wrong_keys_and_arrays(tmp_path):
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file["a/01"] = maps_of()
        file.create_dataset("words/01", data=["x"], dtype=h5py.string_dtype())
    for key, code in ((None, "C111"), ("c", "C111"), ("a/01", "C111"), ("words", "C107")):
        with pytest.raises(ConversionError) as caught:
            read(tmp_path / "all.h5", key)
        assert caught.value.code == code


@pytest.mark.parametrize("damage", [lambda own: b"nothing", lambda own: own[: len(own) // 2]])
def test_damaged_files(tmp_path, damage):
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file["01"] = maps_of()
    content = (tmp_path / "all.h5").read_bytes()
    (tmp_path / "all.h5").write_bytes(damage(content))
    with pytest.raises(ConversionError) as caught:
        read(tmp_path / "all.h5")
    assert caught.value.code == "C119"


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UsageError) as caught:
        read(tmp_path)
    assert caught.value.code == "U214"
    assert "vadbench[hdf5]" in caught.value.hint
