"""Grey images: exact values, and what is refused by its header."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from vadbench.conversion.formats import ForeignFormat, Reading, open_source
from vadbench.conversion.source import Timing
from vadbench.datasets.base import Clip
from vadbench.errors import ConversionError, UsageError

CLIP = Clip("01", 3, 6, 8)


def maps_of(dtype):
    maps = (np.random.default_rng(1).random((3, 6, 8)) * 250).astype(dtype)
    maps[0, 0, :2] = (0, np.iinfo(dtype).max) if np.dtype(dtype).kind == "u" else (-1.5e30, 1e-40)
    return maps


def saved(tmp_path, maps, ending, *, first=0, **options):
    folder = tmp_path / "01"
    folder.mkdir(exist_ok=True)
    for frame, one in enumerate(maps, first):
        image = one if isinstance(one, Image.Image) else Image.fromarray(one)
        image.save(folder / f"{frame:03}{ending}", **options)
    return tmp_path


def read(folder, timing=Timing()):  # noqa: B008
    source = open_source(ForeignFormat.IMAGES, folder, Reading())
    maps = source.prediction(source.clip_names[0], CLIP, timing).maps
    return np.concatenate([block for _, block in maps.blocks()])


@pytest.mark.parametrize(
    ("dtype", "ending", "options"),
    [
        (np.uint8, ".png", {}),
        (np.uint16, ".png", {}),
        (np.uint8, ".tif", {}),
        (np.uint16, ".TIFF", {"compression": "tiff_lzw"}),
        (np.uint16, ".tif", {"compression": "tiff_adobe_deflate"}),
        (np.float32, ".tiff", {}),
    ],
)
def test_values_are_kept_exactly(tmp_path, dtype, ending, options):
    maps = maps_of(dtype)
    found = read(saved(tmp_path, maps, ending, **options))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, maps)


def test_big_endian_tiff(tmp_path):
    maps = maps_of(np.uint16)
    images = [Image.frombytes("I;16B", (8, 6), one.astype(">u2").tobytes()) for one in maps]
    np.testing.assert_array_equal(read(saved(tmp_path, images, ".tif")), maps)


def png(width, height, depth, kind, data=b""):
    def chunk(name, content):
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "code", "fact"),
    [
        (png(8, 6, 8, 2), "C114", "colour"),
        (png(8, 6, 8, 3), "C114", "a palette"),
        (png(8, 6, 8, 4), "C114", "transparency"),
        (png(8, 6, 4, 0), "C114", "4 bit"),
        (png(2**31 - 1, 2**31 - 1, 8, 0), "C114", "impossible size"),
        (png(0, 6, 8, 0), "C114", "impossible size"),
        (png(8, 6, 8, 0, b"\0" * 20), "C113", "truncated"),
        (png(8, 6, 8, 0)[:20], "C113", "image"),
        (b"", "C113", "cannot be read"),
        (b"BM" + bytes(60), "C113", "cannot be read"),
        (b"II*\0\x08\0\0\0\xff\xff", "C113", "cannot be read"),
    ],
)
def test_images_that_are_refused(tmp_path, content, code, fact):
    saved(tmp_path, maps_of(np.uint8), ".png")
    (tmp_path / "01" / "000.png").write_bytes(content)
    with pytest.raises(ConversionError) as caught:
        read(tmp_path)
    assert caught.value.code == code
    assert fact in str(caught.value)
    assert caught.value.where == (str(tmp_path / "01" / "000.png"),)


@pytest.mark.parametrize(
    ("image", "fact"),
    [
        (Image.new("RGB", (8, 6)), "colour"),
        (Image.new("P", (8, 6)), "a palette"),
        (Image.new("LA", (8, 6)), "2 channels"),
        (Image.new("I", (8, 6)), "32 bit signed"),
        (Image.new("1", (8, 6)), "1 bit"),
    ],
)
def test_tiff_that_is_refused(tmp_path, image, fact):
    with pytest.raises(ConversionError) as caught:
        read(saved(tmp_path, [image], ".tif"))
    assert caught.value.code == "C114"
    assert fact in caught.value.got


def test_several_pages(tmp_path):
    pages = [Image.fromarray(one) for one in maps_of(np.uint8)]
    (tmp_path / "01").mkdir()
    pages[0].save(tmp_path / "01" / "0.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(ConversionError, match="several pages"):
        read(tmp_path)


def test_frames_of_another_depth(tmp_path):
    saved(tmp_path, maps_of(np.uint8), ".png")
    saved(tmp_path, maps_of(np.uint16)[:1], ".png", first=2)
    with pytest.raises(ConversionError, match="differ in size or depth"):
        read(tmp_path)


def test_the_number_of_the_first_file_tells_where_frames_are_missing(tmp_path):
    saved(tmp_path, maps_of(np.uint8)[:2], ".png", first=1)
    with pytest.raises(ConversionError, match="from 0: --pad-head 1; counted from 1: --pad-tail 1;"):
        read(tmp_path)
    assert len(read(tmp_path, Timing(pad_head=1))) == 3


def test_what_pillow_would_turn_or_cannot_read(tmp_path):
    saved(tmp_path, maps_of(np.uint8), ".tif", tiffinfo={274: 3})
    with pytest.raises(ConversionError, match="turned or mirrored") as caught:
        read(tmp_path)
    assert caught.value.code == "C114"
    (tmp_path / "01" / "000.tif").write_bytes(float64_tiff())
    with pytest.raises(ConversionError, match=r"save float64 as \.npy") as caught:
        read(tmp_path)
    assert caught.value.code == "C113"


def float64_tiff():
    entries = [(256, 3, 8), (257, 3, 6), (258, 3, 64), (259, 3, 1), (262, 3, 1), (273, 4, 200), (277, 3, 1)]
    entries += [(278, 3, 6), (279, 4, 384), (339, 3, 3)]
    directory = struct.pack("<H", len(entries))
    for tag, kind, value in entries:
        directory += struct.pack("<HHII", tag, kind, 1, value)
    return (b"II*\0\x08\0\0\0" + directory + bytes(4)).ljust(200, b"\0") + bytes(384)


def test_a_key_is_of_no_use(tmp_path):
    with pytest.raises(UsageError, match="--key"):
        open_source(ForeignFormat.IMAGES, tmp_path, Reading(key="x"))
