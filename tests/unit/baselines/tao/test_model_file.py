"""Fitted models on disk: same bytes, and one error for every file that is none."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from baselines.tao import model_file
from baselines.tao.extras import opencv, required
from baselines.tao.model_file import read_model, write_model
from vadbench import DataError, UsageError

KIND = "made model"
ARRAYS = {"b": np.arange(6.0).reshape(2, 3), "a": np.array(3), "c.d": np.zeros((0, 4), np.float32)}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.npz"
    write_model(path, KIND, {"numbers": [1, 2.5], "text": "é"}, ARRAYS)
    return path


def test_what_was_written_is_read(path):
    header, arrays = read_model(path, KIND)
    assert header == {"numbers": [1, 2.5], "text": "é"}
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(arrays[name], array)


def test_same_model_same_bytes(path, tmp_path):
    again = tmp_path / "elsewhere" / "other.npz"
    write_model(again, KIND, {"text": "é", "numbers": [1, 2.5]}, dict(reversed(ARRAYS.items())))
    assert again.read_bytes() == path.read_bytes()
    write_model(again, KIND, {"text": "e", "numbers": [1, 2.5]}, ARRAYS)
    assert again.read_bytes() != path.read_bytes()


def test_numpy_reads_the_arrays_too(path):
    with np.load(path, allow_pickle=False) as found:
        np.testing.assert_array_equal(found["b"], ARRAYS["b"])


def write_entries(path, entries, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


HEADER = json.dumps({"kind": KIND})


class Attack:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def npy(array, **options):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **options)
    return file.getvalue()


def claimed(text):
    """A .npy file with a header that claims something, and 8 bytes of content."""
    header = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(8)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({}, "header"),
        ({"header.json": "{"}, "Expecting"),
        ({"header.json": "[]"}, "what it is"),
        ({"header.json": '{"kind": 3}'}, "what it is"),
        ({"header.json": b"\xff"}, "decode"),
        ({"header.json": '{"kind": "another"}'}, "another kind: another"),
        ({"header.json": HEADER, "a.npy": b"nothing"}, ""),
        ({"header.json": HEADER, "a.npy": npy(np.arange(9.0))[:-3]}, "as many bytes"),
        ({"header.json": HEADER, "a.npy": npy(np.arange(9.0)) + b"more"}, "as many bytes"),
        # Twice the address space: a reader that takes memory first would not come to say it.
        (
            {
                "header.json": HEADER,
                "a.npy": claimed("{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904,), }"),
            },
            "as many bytes",
        ),
        ({"header.json": HEADER, "a.npy": b"\x93NUMPY\x09\x00" + bytes(200)}, "version"),
    ],
)
def test_no_model(tmp_path, entries, words):
    path = tmp_path / "model.npz"
    write_entries(path, entries)
    with pytest.raises(DataError) as caught:
        read_model(path, KIND)
    error = caught.value
    assert (error.code, error.where) == ("B204", (str(path),))
    assert KIND in error.message
    assert words in error.got


def test_pickled_objects_are_not_executed(tmp_path):
    path = tmp_path / "model.npz"
    proof = tmp_path / "executed"
    content = npy(np.array([Attack(proof)], dtype=object), allow_pickle=True)
    write_entries(path, {"header.json": HEADER, "a.npy": content})
    with pytest.raises(DataError, match="pickled objects") as caught:
        read_model(path, KIND)
    assert caught.value.code == "B204"
    assert not proof.exists()
    # The attack is one.
    np.lib.format.read_array(io.BytesIO(content), allow_pickle=True)
    assert proof.exists()


@pytest.mark.parametrize("length", [0, 1, 30, 200, -1, -60])
def test_cut_off(path, length):
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataError) as caught:
        read_model(path, KIND)
    assert caught.value.code == "B204"


def test_a_byte_that_has_changed(path):
    content = bytearray(path.read_bytes())
    place = content.index(np.float64(4.0).tobytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match="CRC"):
        read_model(path, KIND)


def test_compressed_entries_are_refused(tmp_path):
    path = tmp_path / "model.npz"
    write_entries(path, {"header.json": HEADER}, zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match="compressed"):
        read_model(path, KIND)


@pytest.mark.parametrize("kind", ["absent", "folder"])
def test_no_file(tmp_path, kind):
    path = tmp_path / "absent.npz" if kind == "absent" else tmp_path
    with pytest.raises(DataError) as caught:
        read_model(path, KIND)
    assert caught.value.code == "B204"


def test_our_own_mistakes_are_not_called_damage(path):
    with pytest.raises(ZeroDivisionError), model_file.reading(path, KIND):
        raise ZeroDivisionError


def test_packages_that_are_there():
    assert opencv().__name__ == "cv2"
    assert required("sklearn.mixture", extra="tao").GaussianMixture


def test_a_missing_package():
    with pytest.raises(UsageError) as caught:
        required("no_such_package.part", extra="tao")
    assert (caught.value.code, caught.value.hint) == ("B203", "in the checkout: pip install -e '.[tao]'")
    assert "no_such_package," in caught.value.message
    with pytest.raises(UsageError) as caught:
        required("no_such_package", install="one two")
    assert caught.value.hint == "pip install one two"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("import no_such_thing.at_all", "no_such_thing, which is not installed"),
        ("raise ImportError('libGL')", "loaded"),
    ],
)
def test_a_package_that_lacks_something_itself(tmp_path, monkeypatch, content, message):
    (tmp_path / "broken_package.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError) as caught:
        required("broken_package", extra="tao")
    assert caught.value.code == "B203"
    assert message in caught.value.message
