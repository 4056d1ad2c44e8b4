"""Stored arrays: what zarr writes is read alike; what is damaged or beyond the format is refused with its place."""

import gzip
import json
import struct
import zlib

import numcodecs.blosc
import numcodecs.zstd
import numpy as np
import pytest
import zarr
from made_submissions import TOML, edit_json, maps, read_maps, write_with_zarr
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

from vadbench.datasets.base import Clip
from vadbench.errors import SubmissionError
from vadbench.submission import Submission
from vadbench.submission.codecs import Blosc, DamagedChunkError, Gzip, Plain, Zstd

CODECS = {
    "none": None,
    "gzip": GzipCodec(level=4),
    "zstd": ZstdCodec(level=3),
    "zstd-checksum": ZstdCodec(level=3, checksum=True),
    "blosc-lz4": BloscCodec(cname="lz4", shuffle="bitshuffle"),
    "blosc-zstd": BloscCodec(cname="zstd", shuffle="shuffle"),
    "blosc-noshuffle": BloscCodec(cname="lz4", shuffle="noshuffle"),
}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_every_codec_and_dtype_is_read_as_written(tmp_path, codec, dtype):
    scores = maps(dtype=dtype)
    path = write_with_zarr(tmp_path / "m", {"01": scores}, compressors=CODECS[codec])
    read = read_maps(path)
    assert read.dtype == scores.dtype
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, scores)


def test_fingerprint_does_not_depend_on_storage(tmp_path):
    scores = maps()
    variants = [{"compressors": codec} for codec in CODECS.values()]
    variants += [{"chunk_frames": n} for n in (1, 5, 19, 40)]
    variants += [{"chunk_key_encoding": {"name": "default", "separator": "."}}, {"fill_value": 7}]
    fingerprints = {
        Submission.open(write_with_zarr(tmp_path / str(n), {"01": scores}, **variant)).fingerprint
        for n, variant in enumerate(variants)
    }
    assert len(fingerprints) == 1
    scores[3, 2, 1] += 1
    assert Submission.open(write_with_zarr(tmp_path / "other", {"01": scores})).fingerprint not in fingerprints


def test_boxes_may_be_cut_along_both_axes(tmp_path):
    root = zarr.create_group(str(tmp_path / "m/predictions.zarr"), zarr_format=3)
    group = root.create_group("01").create_group("detections")
    boxes = np.array([[0, 0, 1, 1], [1, 1, 7, 6], [0.5, 1, 2.25, 3]])
    for name, values, chunks in [
        ("frame", np.array([1, 2, 2], dtype=np.int32), (2,)),
        ("box", boxes, (2, 3)),
        ("score", np.array([1, 2, 3], dtype=np.float32), (1,)),
    ]:
        array = group.create_array(name, shape=values.shape, chunks=chunks, dtype=values.dtype)
        array[...] = values
    (tmp_path / "m/submission.toml").write_text(TOML.format(kinds='"detections"'))
    submission = Submission.open(tmp_path / "m")
    np.testing.assert_array_equal(submission.clip(Clip("01", 5, 6, 7)).detections.boxes, boxes)
    assert len(submission.fingerprint) == 64


def refused(path, code, *said):
    with pytest.raises(SubmissionError) as caught:
        read_maps(path)
    assert caught.value.code == code, caught.value
    for words in said:
        assert words in str(caught.value)
    return caught.value


def test_a_chunk_that_zarr_left_out_is_refused(tmp_path):
    scores = maps()
    scores[8:16] = 0
    path = write_with_zarr(tmp_path / "m", {"01": scores}, config={})
    error = refused(path, "S133", "frames 8–15", "write_empty_chunks")
    assert error.where[:3] == (str(path), "clip 01", "score_maps")


@pytest.mark.parametrize(
    ("codec", "damage"),
    [
        (codec, damage)
        for codec in ("none", "gzip", "zstd", "zstd-checksum", "blosc-lz4", "blosc-zstd")
        for damage in ("empty", "cut", "one byte less", "one byte more", "twice", "another size", "zeros")
    ],
)
def test_a_damaged_chunk_is_refused_with_its_frames(tmp_path, codec, damage):
    path = write_with_zarr(tmp_path / "m", {"01": maps((24, 6, 7))}, compressors=CODECS[codec])
    other = write_with_zarr(tmp_path / "o", {"01": maps((7, 6, 7))}, compressors=CODECS[codec], chunk_frames=7)
    chunk = path / "predictions.zarr/01/score_maps/c/1/0/0"
    data = chunk.read_bytes()
    damaged = {
        "empty": b"",
        "cut": data[: len(data) // 2],
        "one byte less": data[:-1],
        "one byte more": data + b"\0",
        "twice": data + data,
        "another size": (other / "predictions.zarr/01/score_maps/c/0/0/0").read_bytes(),
        "zeros": bytes(len(data) - 1),
    }[damage]
    chunk.write_bytes(damaged)
    error = refused(path, "S134", "chunk c/1/0/0", "frames 8–15")
    assert error.where[:3] == (str(path), "clip 01", "score_maps")


def test_a_chunk_larger_than_any_frame_of_its_codec_is_not_read(plain):
    with (plain / "predictions.zarr/01/score_maps/c/1/0/0").open("wb") as file:
        file.truncate(2**40)  # a hole: it costs no disk
    refused(plain, "S134", str(2**40))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"zarr_format": 2}, "only version 3"),
        ({"zarr_format": True}, "only version 3"),
        ({"node_type": "group"}, "node_type"),
        ({"attributes": {"note": 1}}, "attributes"),
        ({"attributes": []}, "attributes"),
        ({"extra": {"must_understand": False}}, "'extra'"),
        ({"storage_transformers": [{"name": "x"}]}, "storage transformers"),
        ({"dimension_names": ["a"]}, "dimension_names"),
        ({"dimension_names": [1, 2, 3]}, "dimension_names"),
        ({"data_type": "complex64"}, "complex64"),
        ({"data_type": {"name": "uint16"}}, "data type"),
        ({"shape": [19, 6]}, "axes"),
        ({"shape": [19, 6, -7]}, "shape"),
        ({"shape": [19, 6, 7.0]}, "shape"),
        ({"shape": [19, 6, True]}, "shape"),
        ({"shape": [2**60, 6, 7]}, "shape"),
        ({"shape": []}, "shape"),
        ({"shape": [1] * 9}, "shape"),
        ({"shape": "19"}, "shape"),
        ({"chunk_grid": {"name": "rectilinear", "configuration": {"chunk_shape": [8, 6, 7]}}}, "chunk_grid"),
        ({"chunk_grid": {"name": "regular"}}, "chunk_grid"),
        ({"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [0, 6, 7]}}}, "chunks"),
        ({"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [8, 6, 7], "x": 1}}}, "chunk_grid"),
        ({"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2**21, 6, 7]}}}, "67108864"),
        ({"chunk_key_encoding": {"name": "v2", "configuration": {"separator": "/"}}}, "chunk_key_encoding"),
        ({"chunk_key_encoding": {"name": "default", "configuration": {"separator": ""}}}, "separator"),
        ({"chunk_key_encoding": "default"}, "chunk_key_encoding"),
        ({"fill_value": -1}, "fill value"),
        ({"fill_value": 65536}, "fill value"),
        ({"fill_value": 0.0}, "fill value"),
        ({"fill_value": None}, "fill_value"),
        ({"codecs": []}, "codecs"),
        ({"codecs": ["bytes"]}, "codec"),
        ({"codecs": [{"name": "bytes"}]}, "endian"),
        ({"codecs": [{"name": "bytes", "configuration": {"endian": "big"}}]}, "endian"),
        ({"codecs": [{"name": "gzip", "configuration": {"level": 1}}]}, "first codec"),
        ({"codecs": [{"name": "transpose", "configuration": {"order": [0, 1, 2]}}]}, "first codec"),
        *[
            ({"codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, extra]}, said)
            for extra, said in [
                ("zstd", "codec"),
                ({"name": "lzma"}, "lzma"),
                ({"name": "sharding_indexed"}, "sharding_indexed"),
                ({"name": "crc32c"}, "crc32c"),
                ({"name": "gzip"}, "gzip"),
                ({"name": "gzip", "configuration": {"level": 10}}, "level"),
                ({"name": "gzip", "configuration": {"level": 1}, "must_understand": False}, "unknown key"),
                ({"name": "zstd", "configuration": {"level": True}}, "level"),
                ({"name": "zstd", "configuration": {"level": 1, "checksum": 1}}, "checksum"),
                ({"name": "blosc", "configuration": {"cname": "zlib", "clevel": 5, "shuffle": "shuffle"}}, "zlib"),
                ({"name": "blosc", "configuration": {"cname": "lz4", "clevel": 5, "shuffle": "magic"}}, "magic"),
                ({"name": "blosc", "configuration": {"cname": ["lz4"], "clevel": 5, "shuffle": "shuffle"}}, "lz4"),
            ]
        ],
    ],
)
def test_a_zarr_json_beyond_the_format_is_refused(plain, changes, said):
    edit_json(plain / "predictions.zarr/01/score_maps/zarr.json", **changes)
    refused(plain, "S131", said)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xef\xbb\xbf{}",
        b'{"zarr_format": 3, "zarr_format": 3}',
        b'{"fill_value": NaN}',
        b'{"a": ' * 17 + b"1" + b"}" * 17,
        b"[" * 60000,
        b"\xff",
        b'{"shape": [' + b"9" * 5000 + b"]}",
    ],
)
def test_a_zarr_json_that_is_not_clean_json_is_refused(plain, text):
    (plain / "predictions.zarr/01/score_maps/zarr.json").write_bytes(text)
    refused(plain, "S130")


def test_a_zarr_json_of_more_than_64_kib_is_not_read(plain):
    node = plain / "predictions.zarr/01/score_maps/zarr.json"
    node.write_bytes(node.read_bytes() + b" " * 65536)
    refused(plain, "S123", "65536")


def test_attributes_may_be_absent_and_metadata_consolidated(plain):
    for node in plain.rglob("zarr.json"):
        edit_json(node, attributes=None)
    edit_json(plain / "predictions.zarr/zarr.json", consolidated_metadata={"kind": "inline", "metadata": {"x": 1}})
    np.testing.assert_array_equal(read_maps(plain), maps())
    edit_json(plain / "predictions.zarr/01/zarr.json", consolidated_metadata={})
    refused(plain, "S131", "consolidated_metadata")


def test_legal_fill_values_of_floats(tmp_path):
    path = write_with_zarr(tmp_path / "m", {"01": maps(dtype="float32")})
    node = path / "predictions.zarr/01/score_maps/zarr.json"
    for value in (0, 1.5, "NaN", "Infinity", "-Infinity", "0x7fc00000"):
        edit_json(node, fill_value=value)
        assert read_maps(path).shape == (19, 6, 7)
    for value in ("nan", "0x7fc0", "1", [], True):
        edit_json(node, fill_value=value)
        refused(path, "S131", "fill value")


def test_a_claimed_length_costs_nothing(plain):
    node = plain / "predictions.zarr/01/score_maps/zarr.json"
    edit_json(node, shape=[2**40, 6, 7])
    refused(plain, "S133", "frames 24–31")


def test_version_2_is_refused_with_a_hint(tmp_path):
    root = zarr.create_group(str(tmp_path / "m/predictions.zarr"), zarr_format=2)
    root.create_array("score_maps", shape=(3, 4, 5), dtype="uint8")
    (tmp_path / "m/submission.toml").write_text(TOML.format(kinds='"score_maps"'))
    with pytest.raises(SubmissionError) as caught:
        Submission.open(tmp_path / "m")
    assert caught.value.code == "S135"
    assert "zarr_format=3" in caught.value.hint


def blosc_frame(**changes):
    data = numcodecs.blosc.compress(np.arange(500, dtype="<u2"), b"lz4", 5, 1, typesize=2)
    names = ["version", "lz", "flags", "typesize", "nbytes", "blocksize", "cbytes"]
    header = dict(zip(names, struct.unpack_from("<4B3I", data), strict=True)) | changes
    return struct.pack("<4B3I", *header.values()) + data[16:]


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 3},
        {"flags": 0x61},  # zlib inside
        {"flags": 0x21 | 0x02},  # says that it is a plain copy
        {"typesize": 0},
        {"nbytes": 1001},
        {"nbytes": 2**32 - 1},
        {"blocksize": 0},
        {"blocksize": 2**32 - 1},
        {"blocksize": 1},
        {"cbytes": 16},
        {"cbytes": 2**32 - 1},
    ],
)
def test_a_blosc_header_that_lies_is_refused_before_decoding(changes):
    assert len(Blosc("lz4").decode(blosc_frame(), 1000)) == 1000
    with pytest.raises(DamagedChunkError):
        Blosc("lz4").decode(blosc_frame(**changes), 1000)


def test_the_inner_codec_is_the_one_that_the_metadata_names():
    with pytest.raises(DamagedChunkError, match="inner codec"):
        Blosc("zstd").decode(blosc_frame(), 1000)


def zstd_unknown_size(data):
    """One frame without content size: window descriptor, then one raw last block."""
    return b"\x28\xb5\x2f\xfd\x00\x50" + (len(data) << 3 | 1).to_bytes(3, "little") + data


def test_a_zstd_frame_need_not_say_its_size_but_must_have_it():
    data = bytes(range(200))
    assert bytes(Zstd().decode(zstd_unknown_size(data), 200)) == data
    for size in (199, 201):
        with pytest.raises(DamagedChunkError):
            Zstd().decode(zstd_unknown_size(data), size)


@pytest.mark.parametrize("tail", [b"\x50\x2a\x4d\x18\x00\x00\x00\x00", b"\0", None])
def test_nothing_stands_behind_a_zstd_frame(tail):
    frame = numcodecs.zstd.compress(bytes(100), 1)
    with pytest.raises(DamagedChunkError):
        Zstd().decode(frame + (frame if tail is None else tail), 100)


def test_a_gzip_bomb_is_stopped_at_the_size_of_the_chunk():
    bomb = gzip.compress(bytes(10**8))
    with pytest.raises(DamagedChunkError):
        Gzip().decode(bomb, 1000)


def test_raw_deflate_and_zlib_are_not_gzip():
    with pytest.raises(DamagedChunkError):
        Gzip().decode(zlib.compress(bytes(100)), 100)


@pytest.mark.parametrize("codec", [Plain(), Blosc("lz4"), Blosc("zstd"), Zstd(), Gzip()])
def test_noise_never_decodes_and_never_crashes(codec):
    rng = np.random.default_rng(0)
    starts = {Zstd: b"\x28\xb5\x2f\xfd", Gzip: b"\x1f\x8b\x08\x00"}
    for _ in range(300):
        noise = starts.get(type(codec), b"") + rng.integers(0, 256, rng.integers(0, 80), dtype=np.uint8).tobytes()
        with pytest.raises(DamagedChunkError):
            codec.decode(noise, 1000)


@pytest.mark.parametrize("inner", ["lz4", "zstd"])
def test_damaged_blosc_bodies_never_crash(inner):
    data = bytearray(numcodecs.blosc.compress(maps().ravel(), inner.encode(), 5, 2, typesize=2))
    rng = np.random.default_rng(0)
    for _ in range(500):
        damaged = bytearray(data)
        for _ in range(3):
            damaged[rng.integers(16, len(data))] = rng.integers(0, 256)
        try:
            assert len(Blosc(inner).decode(bytes(damaged), 19 * 42 * 2)) == 19 * 42 * 2
        except DamagedChunkError:
            continue


def test_json_keys_are_listed_in_messages_in_ascii(plain):
    node = plain / "predictions.zarr/01/score_maps/zarr.json"
    content = json.loads(node.read_text())
    node.write_text(json.dumps({**content, "a\x1b[31m": 1}))
    error = refused(plain, "S131")
    assert "\x1b" not in str(error)
