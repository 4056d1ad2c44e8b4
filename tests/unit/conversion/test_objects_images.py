"""Indexed PNG of instances: the index counts, not the colour; sizes, void and scores."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from vadbench.conversion.objects.instance_images import InstanceSource, column_runs
from vadbench.conversion.source import Timing
from vadbench.datasets.base import Clip
from vadbench.errors import ConversionError, UsageError
from vadbench.prediction import Instances

CLIP = Clip("01", 3, 6, 8)
PALETTE = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]


def indices(**objects):
    ids = np.zeros((6, 8), dtype=np.uint8)
    for name, (top, left, bottom, right) in objects.items():
        ids[top:bottom, left:right] = int(name.removeprefix("o"))
    return ids


FRAMES = [indices(o2=(0, 0, 2, 3), o1=(3, 4, 6, 8)), indices(), indices(o1=(1, 1, 2, 2), o3=(5, 0, 6, 8))]


def save(folder, frames=FRAMES, clip="01", palette=True, begin=0):
    (folder / clip).mkdir(parents=True)
    for number, ids in enumerate(frames):
        image = Image.fromarray(ids)
        if palette:
            image.putpalette(PALETTE)
        image.save(folder / clip / f"{number + begin:05d}.png")
    return folder


def raw_png(path, values, depth, colour=0):
    """A PNG of a depth that Pillow does not write."""
    height, width = values.shape
    bits = ((values[:, :, None] >> np.arange(depth)[::-1]) & 1).reshape(height, width * depth)
    rows = b"".join(b"\0" + np.packbits(row).tobytes() for row in bits.astype(np.uint8))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def read(folder, timing=None, **rules):
    source = InstanceSource(folder, **({"constant_score": 1.0} | rules))
    return source.prediction("01", CLIP, timing or Timing()).instances


@pytest.mark.parametrize("palette", [True, False])
def test_indices_become_objects(tmp_path, palette):
    found = read(save(tmp_path, palette=palette))
    assert found.frames.tolist() == [0, 0, 2, 2]
    assert found.objects.tolist() == [1, 2, 1, 3]
    assert found.scores.tolist() == [1.0] * 4
    for row, (frame, number) in enumerate(zip(found.frames, found.objects, strict=True)):
        np.testing.assert_array_equal(found.mask(row), FRAMES[frame] == number)


def test_the_colours_of_a_palette_do_not_count(tmp_path):
    # Two entries of one colour, and the background is white: colours would join the objects and fill the frame.
    save(tmp_path, palette=False)
    for path in (tmp_path / "01").iterdir():
        image = Image.open(path)
        image.putpalette([255, 255, 255, 9, 9, 9, 9, 9, 9, 0, 0, 0])
        image.save(path)
    assert read(tmp_path).objects.tolist() == [1, 2, 1, 3]


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_grey_of_every_depth_is_its_number(tmp_path, depth):
    # Decoders spread 2 and 4 bits over 0 to 255, where object 1 would become 85 or 17.
    ids = FRAMES[0].astype(np.int64) % 2**depth
    (tmp_path / "01").mkdir()
    for frame in range(3):
        raw_png(tmp_path / "01" / f"{frame}.png", ids, depth)
    found = read(tmp_path)
    assert sorted(set(found.objects.tolist())) == sorted(set(ids.ravel().tolist()) - {0})
    np.testing.assert_array_equal(found.mask(0), ids == 1)


def test_more_than_255_objects(tmp_path):
    (tmp_path / "01").mkdir()
    ids = np.arange(48).reshape(6, 8) * 1000
    for frame in range(3):
        raw_png(tmp_path / "01" / f"{frame}.png", ids, 16)
    assert read(tmp_path).objects.tolist() == [1000 * k for k in range(1, 48)] * 3


def test_void(tmp_path):
    save(tmp_path, [indices(o1=(0, 0, 2, 2), o255=(3, 3, 4, 4))] * 3, palette=False)
    with pytest.raises(ConversionError) as caught:
        read(tmp_path)
    assert caught.value.code == "C173"
    assert "--void-index 255" in caught.value.hint
    assert read(tmp_path, void_index=255).objects.tolist() == [1, 1, 1]


def test_scores_of_objects(tmp_path):
    save(tmp_path / "masks")
    table = tmp_path / "scores.csv"
    table.write_text("clip,object,score\n01,1,0.5\n01,2,0.25\n\n01,3,7\n02,1,3\n")
    assert read(tmp_path / "masks", constant_score=None, scores=table).scores.tolist() == [0.5, 0.25, 0.5, 7]
    table.write_text("clip,frame,object,score\n01,0,1,1\n01,0,2,2\n01,2,1,3\n01,2,3,4\n")
    assert read(tmp_path / "masks", constant_score=None, scores=table).scores.tolist() == [1, 2, 3, 4]


def test_scores_that_no_object_asks_for_are_counted(tmp_path):
    save(tmp_path / "masks")
    table = tmp_path / "scores.csv"
    rows = "clip,object,score\n01,1,0.5\n01,2,0.25\n01,3,7\n"
    for more, n_unused in (("", None), ("02,1,3\n01,9,1\n", 2)):
        table.write_text(rows + more)
        source = InstanceSource(tmp_path / "masks", scores=table)
        source.prediction("01", CLIP, Timing())
        assert source.record().get("scores_without_object") == n_unused


def test_frames_of_a_table_are_those_of_the_file_names(tmp_path):
    save(tmp_path / "masks", begin=1)
    table = tmp_path / "scores.csv"
    table.write_text("clip,frame,object,score\n01,1,1,1\n01,1,2,2\n01,3,1,3\n01,3,3,4\n")
    assert read(tmp_path / "masks", constant_score=None, scores=table).scores.tolist() == [1, 2, 3, 4]


TABLES = {
    "empty": ("", "C156", "empty file"),
    "no header": ("01,1,0.5\n", "C156", "clip,object,score"),
    "missing object": ("clip,object,score\n01,1,0.5\n", "C170", "object 2"),
    "other clips": ("clip,object,score\n1,1,0.5\n", "C170", 'clips of the table: "1"'),
    "twice": ("clip,object,score\n01,1,0.5\n01,1,0.6\n", "C170", "two scores"),
    "text": ("clip,object,score\n01,one,0.5\n", "C152", "line 2"),
    "NaN": ("clip,object,score\n01,1,nan\n", "C152", "line 2"),
    "fields": ("clip,object,score\n01,1\n", "C151", "line 2"),
    "quotes": ('clip,object,score\n01,1,"0.5\n', "C150", "CSV"),
    "fraction": ("clip,object,score\n01,1.5,1\n", "C152", "whole number"),
}


@pytest.mark.parametrize("fault", TABLES)
def test_a_wrong_table_is_one_clear_message(tmp_path, fault):
    text, code, word = TABLES[fault]
    save(tmp_path / "masks")
    (tmp_path / "scores.csv").write_text(text)
    with pytest.raises(ConversionError) as caught:
        read(tmp_path / "masks", constant_score=None, scores=tmp_path / "scores.csv")
    assert caught.value.code == code, caught.value
    assert word in caught.value.block()


def test_one_source_of_scores(tmp_path):
    save(tmp_path / "masks")
    for rules in ({"constant_score": None}, {"scores": tmp_path / "scores.csv"}):
        with pytest.raises(UsageError) as caught:
            read(tmp_path / "masks", **rules)
        assert caught.value.code == "U226"
    with pytest.raises(UsageError) as caught:
        read(tmp_path / "masks", constant_score=None, scores=tmp_path / "none.csv")
    assert caught.value.code == "U216"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_colours_are_refused(tmp_path, mode):
    save(tmp_path)
    path = tmp_path / "01" / "00002.png"
    Image.open(path).convert("RGBA").convert(mode).save(path)
    with pytest.raises(ConversionError) as caught:
        read(tmp_path)
    assert caught.value.code == "C171"
    assert "00002.png" in caught.value.where[0]
    assert "index is lost" in caught.value.hint


def test_another_size_is_refused_before_it_is_decoded(tmp_path):
    save(tmp_path)
    Image.fromarray(np.zeros((8, 6), dtype=np.uint8)).save(tmp_path / "01" / "00001.png")
    with pytest.raises(ConversionError) as caught:
        read(tmp_path)
    assert (caught.value.code, caught.value.hint) == ("C172", "height and width are swapped")
    header = struct.pack(">IIBBBBB", 2**30, 2**30, 8, 0, 0, 0, 0)
    (tmp_path / "01" / "00001.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + header + b"\0\0\0\0")
    with pytest.raises(ConversionError) as caught:
        read(tmp_path)
    assert caught.value.code == "C172"


@pytest.mark.parametrize("content", [b"", b"BM not a PNG at all, but long enough to look", None])
def test_damaged_files_are_refused(tmp_path, content):
    path = save(tmp_path) / "01" / "00001.png"
    path.write_bytes(path.read_bytes()[:60] if content is None else content)
    with pytest.raises(ConversionError) as caught:
        read(tmp_path)
    assert caught.value.code == "C171"


def test_every_frame_needs_an_image(tmp_path):
    save(tmp_path, FRAMES[:2])
    with pytest.raises(ConversionError) as caught:
        read(tmp_path)
    assert caught.value.code == "C105"
    assert read(tmp_path, Timing(pad_tail=1)).frames.tolist() == [0, 0]


def test_column_runs_are_those_of_instances():
    rng = np.random.default_rng(0)
    for n_objects in range(50):
        # Some numbers have no pixel, some images no background.
        indices = rng.integers(n_objects % 2, 2 + n_objects % 6, (5, 4)) * 40
        found = column_runs(indices.astype(np.uint8))
        assert [number for number, _ in found] == sorted(set(indices.ravel().tolist()) - {0})
        for number, counts in found:
            expected = Instances.from_masks([0], [indices == number], [1.0], height=5, width=4).counts
            np.testing.assert_array_equal(counts, expected)
            assert counts.dtype == np.uint32
