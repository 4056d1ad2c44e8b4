"""Arrays in NumPy files: what is read exactly, and what is refused before it is read."""

from __future__ import annotations

import io
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest

from vadbench.conversion.clip_naming import ClipPattern
from vadbench.conversion.dense.array_files import ArraySource
from vadbench.conversion.dense.arrays import check_shape
from vadbench.conversion.formats import ForeignFormat, Reading, open_source
from vadbench.conversion.source import Timing
from vadbench.datasets.base import Clip
from vadbench.errors import ConversionError, UsageError

CLIP = Clip("01", 20, 6, 8)


def maps_of(dtype=np.uint16, shape=(20, 6, 8)):
    return (np.random.default_rng(1).random(shape) * 250).astype(dtype)


def saved(tmp_path, array, name="01.npy"):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    np.save(tmp_path / name, array)
    return tmp_path


def read(folder, timing=Timing(), key=None):  # noqa: B008
    source = open_source(ForeignFormat.NPY, folder, Reading(key=key))
    prediction = source.prediction(source.clip_names[0], CLIP, timing)
    if prediction.maps is None:
        return prediction.frame_scores
    blocks = list(prediction.maps.blocks())
    array = np.concatenate([block for _, block in blocks])
    assert {block.dtype for _, block in blocks} == {prediction.maps.dtype}
    assert prediction.maps.shape == array.shape
    return array


STORED = {
    "bool": "uint8",
    "uint8": "uint8",
    "uint16": "uint16",
    ">u2": "uint16",
    "float16": "float32",
    "float32": "float32",
    ">f8": "float64",
}


@pytest.mark.parametrize(("dtype", "stored"), STORED.items())
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("archive", [False, True])
def test_values_are_kept_exactly(tmp_path, dtype, stored, order, archive):
    maps = np.asarray(maps_of(dtype), order=order)
    if archive:
        np.savez_compressed(tmp_path / "01.npz", maps)
    else:
        saved(tmp_path, maps)
    found = read(tmp_path)
    assert found.dtype == np.dtype(stored)
    np.testing.assert_array_equal(found, maps)


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("timing", [Timing(drop_head=9, pad_tail=9), Timing(pad_head=17, drop_tail=17)])
def test_frames_that_are_dropped_and_repeated(tmp_path, archive, timing):
    maps = maps_of(np.float32)
    if archive:
        np.savez(tmp_path / "01.npz", maps)
    else:
        saved(tmp_path, maps)
    held = range(20)[timing.drop_head : 20 - timing.drop_tail]
    wanted = maps[[held[0]] * timing.pad_head + list(held) + [held[-1]] * timing.pad_tail]
    np.testing.assert_array_equal(read(tmp_path, timing), wanted)


def test_a_file_a_frame(tmp_path):
    maps = maps_of()
    for frame in range(20):
        saved(tmp_path, maps[frame], f"Test001/{frame + 1}.npy")
    np.testing.assert_array_equal(read(tmp_path), maps)


def test_a_folder_with_the_array_of_a_clip(tmp_path):
    np.testing.assert_array_equal(read(saved(tmp_path, maps_of(), "01/scores.npy")), maps_of())


def test_frame_scores(tmp_path):
    scores = maps_of(np.float32, (16,))
    found = read(saved(tmp_path, scores), Timing(pad_head=4))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.concatenate([scores[[0] * 4], scores]))
    assert read(saved(tmp_path, maps_of(bool, (20,)))).dtype == np.float64


def test_the_last_axis_may_be_as_long_as_the_clip(tmp_path):
    maps = maps_of(np.float32, (16, 18, 20))
    source = ArraySource(saved(tmp_path, maps), Reading())
    assert source.prediction("01", CLIP, Timing(pad_head=4)).maps.shape == (20, 18, 20)


def test_one_archive_for_all_clips(tmp_path):
    maps = maps_of(np.float32)
    np.savez_compressed(tmp_path / "all.npz", clip_02=maps[::-1], clip_01=maps)
    source = ArraySource(tmp_path / "all.npz", Reading(ClipPattern.parse(r"clip_(?P<clip>\d+)")))
    assert source.clip_names == ("01", "02")
    np.testing.assert_array_equal(next(source.prediction("02", CLIP, Timing()).maps.blocks())[1], maps[::-1][:8])
    with pytest.raises(ConversionError) as caught:
        source.prediction("02", CLIP, Timing(drop_head=1))
    assert caught.value.where[1] == '"clip_02"'
    assert ArraySource(tmp_path / "all.npz", Reading()).clip_names == ("clip_01", "clip_02")
    with pytest.raises(UsageError, match="--key"):
        ArraySource(tmp_path / "all.npz", Reading(key="clip_01"))
    one = ArraySource(tmp_path / "all.npz", Reading(ClipPattern.parse(r"clip_(?P<clip>01)")))
    assert (one.clip_names, one.left_out) == (("01",), ["clip_02"])
    for pattern, word in ((r"x(?P<clip>01)", "do not match"), (r"(?P<clip>c)lip_0\d", "two arrays are")):
        with pytest.raises(ConversionError, match=word):
            ArraySource(tmp_path / "all.npz", Reading(ClipPattern.parse(pattern)))
    (tmp_path / "all.npz").write_bytes(b"PK")
    with pytest.raises(ConversionError, match="cannot be read"):
        ArraySource(tmp_path / "all.npz", Reading())


def test_one_array_for_all_clips_is_to_be_split(tmp_path):
    with pytest.raises(UsageError, match=r"np\.split") as caught:
        ArraySource(saved(tmp_path, maps_of()) / "01.npy", Reading())
    assert caught.value.code == "U216"


def test_one_of_several_arrays(tmp_path):
    np.savez(tmp_path / "01.npz", maps=maps_of(), labels=np.zeros(20))
    np.testing.assert_array_equal(read(tmp_path, key="maps"), maps_of())
    for key, word in ((None, "several arrays"), ("map", "of that name")):
        with pytest.raises(ConversionError, match=word) as caught:
            read(tmp_path, key=key)
        assert caught.value.code == "C111"


def test_a_key_without_an_archive(tmp_path):
    with pytest.raises(UsageError, match="--key"):
        ArraySource(saved(tmp_path, maps_of()), Reading(key="maps"))


@pytest.mark.parametrize(
    ("array", "code", "fact"),
    [
        (maps_of(np.int64), "C107", "astype(np.float64)"),
        (maps_of(np.complex64), "C107", "real numbers"),
        (np.array([{"a": 1}] * 20), "C107", "Python objects are never read"),
        (np.zeros(20, dtype=[("x", "f4")]), "C107", "structured"),
        (maps_of(shape=(20, 1)), "C108", "scores.ravel()"),
        (maps_of(shape=(20, 6, 8, 1)), "C108", "squeeze"),
        (maps_of(shape=(20, 6, 8, 3)), "C108", "reduce the channels"),
        (maps_of(shape=(20, 0, 8)), "C108", "holds nothing"),
        (maps_of(shape=(6, 8)), "C108", "file of one frame in a folder"),
        (maps_of(shape=(6, 8, 20)), "C110", "np.moveaxis"),
        (maps_of(shape=(8, 6, 20)), "C110", "scores.transpose(2, 1, 0)"),
        (maps_of(shape=(60, 4, 20)), "C110", "np.moveaxis"),
        (maps_of(shape=(6, 8, 17)), "C110", "np.moveaxis"),
        (maps_of(shape=(60, 4, 30)), "C105", "60 frames, the first axis of an array (60, 4, 30)"),
        (maps_of(shape=(19, 20, 20)), "C105", "(19, 20, 20)"),
        (maps_of(shape=(19, 6, 8)), "C105", "--pad-head 1"),
        (np.where(np.arange(20) == 7, np.nan, 0.0), "C109", "frame 7"),
    ],
)
def test_arrays_that_are_refused(tmp_path, array, code, fact):
    with pytest.raises(ConversionError) as caught:
        read(saved(tmp_path, array))
    assert caught.value.code == code
    assert fact in str(caught.value)
    assert str(tmp_path) in caught.value.where[0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_pixel_that_is_not_finite_is_named(tmp_path, value):
    maps = maps_of(np.float32)
    maps[13, 4, 2] = value
    with pytest.raises(ConversionError) as caught:
        read(saved(tmp_path, maps))
    assert caught.value.where == (str(tmp_path / "01.npy"), "frame 13 of the file", "clip 01", "pixel x=2, y=4")


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (pickle.dumps([1]), "Python pickle"),
        (b"", "another kind"),
        (b"\x93NUMPY\x01\x00\xff\xff", "cut off"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "4294967295 bytes"),
        (b"\x93NUMPY\x09\x00\x00\x00", "version 9.0"),
        (b"\x93NUMPY\x01\x00\x10\x00" + b"{'shape':        ", "Error"),
        (b"\x93NUMPY\x01\x00\x04\x00" + b"((((", "Error"),
    ],
)
def test_files_that_are_no_arrays(tmp_path, content, fact):
    (tmp_path / "01.npy").write_bytes(content)
    with pytest.raises(ConversionError) as caught:
        read(tmp_path)
    assert caught.value.code == "C112"
    assert fact in caught.value.got


def test_a_file_that_is_cut_off(tmp_path):
    content = (saved(tmp_path, maps_of()) / "01.npy").read_bytes()
    (tmp_path / "01.npy").write_bytes(content[:-100])
    with pytest.raises(ConversionError) as caught:
        read(tmp_path)
    assert caught.value.code == "C112"


def archive_of(path, shape, n_bytes, *, stored=None):
    """An archive whose array says it has that shape, with as many bytes."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("arr_0.npy", header.getvalue() + (stored or bytes(n_bytes)))


def test_a_bomb_is_refused_by_its_header(tmp_path):
    archive_of(tmp_path / "01.npz", (20_000, 6, 8), 20_000 * 48 * 4)
    assert (tmp_path / "01.npz").stat().st_size < 10_000
    tracemalloc.start()
    with pytest.raises(ConversionError) as caught:
        read(tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()
    assert caught.value.code == "C105"


def test_an_archive_with_other_bytes_than_its_header_says(tmp_path):
    for n_bytes in (0, 20 * 48 * 4 - 1, 20 * 48 * 4 + 1):
        archive_of(tmp_path / "01.npz", (20, 6, 8), n_bytes)
        with pytest.raises(ConversionError) as caught:
            read(tmp_path)
        assert caught.value.code == "C112"


def test_an_archive_that_is_damaged(tmp_path):
    np.savez(tmp_path / "01.npz", maps_of())
    content = bytearray((tmp_path / "01.npz").read_bytes())
    content[300] ^= 255
    (tmp_path / "01.npz").write_bytes(content)
    with pytest.raises(ConversionError, match="CRC") as caught:
        read(tmp_path)
    assert caught.value.code == "C112"


def test_frames_that_differ(tmp_path):
    for frame in range(20):
        saved(tmp_path, maps_of(np.float64 if frame == 9 else np.float32)[frame], f"01/{frame}.npy")
    with pytest.raises(ConversionError, match="differ in size or dtype") as caught:
        read(tmp_path)
    assert caught.value.where == (str(tmp_path / "01" / "9.npy"),)


def test_memory_is_that_of_a_few_frames(tmp_path):
    clip = Clip("01", 256, 100, 100)
    np.savez(tmp_path / "01.npz", np.zeros((256, 100, 100), np.float32))
    source = ArraySource(tmp_path, Reading())
    tracemalloc.start()
    maps = source.prediction("01", clip, Timing()).maps
    assert sum(len(block) for _, block in maps.blocks()) == 256
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 40_000 * 5 < 256 * 40_000


def test_frames_of_an_impossible_size():
    with pytest.raises(ConversionError, match="at most"):
        check_shape((1, 10**5, 10**5), ())
