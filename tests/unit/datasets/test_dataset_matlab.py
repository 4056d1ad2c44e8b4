"""The reader of MATLAB files: SciPy is its oracle on good files, and no damaged one may end in another exception."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from vadbench.datasets.arrays import read_label_mat
from vadbench.errors import DataError

DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8", "?"]


def cell_of(*masks, column=False):
    cell = np.empty((len(masks), 1) if column else (1, len(masks)), dtype=object)
    for index, mask in enumerate(masks):
        cell.ravel()[index] = mask
    return cell


def masks_of(dtype, count=3, shape=(5, 7)):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 2, shape).astype(dtype) for _ in range(count)]


def failure(code, path):
    with pytest.raises(DataError) as caught:
        read_label_mat(path, ("clip 01",))
    assert caught.value.code == code
    assert caught.value.where[:2] == (str(path), "clip 01")
    return caught.value


def refusal(path):
    """The error that a file is refused with; None if it reads."""
    try:
        read_label_mat(path, ("clip 01",))
    except DataError as error:
        return error
    return None


def assert_equal(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        np.testing.assert_array_equal(one, other)


# One by one, a file as MATLAB writes it on a machine with the bytes the other way round; SciPy writes none.


def element(kind, content, order):
    return struct.pack(order + "II", kind, len(content)) + content + bytes(-len(content) % 8)


def small_element(kind, content, order):
    return struct.pack(order + "I", len(content) << 16 | kind) + content.ljust(4, b"\0")


def matrix(mx_class, dimensions, content, order, name=b"", flags=0):
    parts = element(6, struct.pack(order + "II", mx_class | flags, 0), order)
    parts += element(5, struct.pack(order + f"{len(dimensions)}i", *dimensions), order)
    parts += element(1, name, order) + content
    return struct.pack(order + "II", 14, len(parts)) + parts


def level_5(*variables, order="<", version=0x0100):
    header = b"MATLAB 5.0 MAT-file, by hand".ljust(124) + struct.pack(order + "H", version)
    return header + (b"IM" if order == "<" else b"MI") + b"".join(variables)


def numbers(mask, order, kind=2, stored="u1", small=False):
    content = mask.astype(order + stored).tobytes(order="F")
    return (small_element if small else element)(kind, content, order)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("column", [False, True])
def test_equal_to_scipy(tmp_path, dtype, compressed, column):
    path = tmp_path / "1_label.mat"
    content = {"before": np.arange(9.0), "volLabel": cell_of(*masks_of(dtype), column=column), "behind": "text"}
    savemat(path, content, do_compression=compressed)
    found = read_label_mat(path)
    assert_equal(found, list(loadmat(path)["volLabel"].ravel()))
    assert_equal(found, masks_of(dtype))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("mx_class", "kind", "stored"), [(9, 2, "u1"), (6, 9, "f8"), (6, 2, "u1"), (11, 4, "u2")])
def test_both_byte_orders_and_numbers_stored_in_less_room(tmp_path, order, mx_class, kind, stored):
    path, masks = tmp_path / "1_label.mat", masks_of(stored)
    cells = b"".join(matrix(mx_class, m.shape, numbers(m, order, kind, stored), order) for m in masks)
    path.write_bytes(level_5(matrix(1, (1, 3), cells, order, b"volLabel"), order=order))
    assert_equal(read_label_mat(path), masks)
    assert_equal(list(loadmat(path)["volLabel"].ravel()), masks)


@pytest.mark.parametrize("order", ["<", ">"])
def test_small_elements_and_empty_cells(tmp_path, order):
    path, mask = tmp_path / "1_label.mat", np.array([[0, 1, 1]])
    cells = matrix(9, (1, 3), numbers(mask, order, small=True), order) + struct.pack(order + "II", 14, 0)
    path.write_bytes(level_5(matrix(1, (1, 2), cells, order, b"volLabel"), order=order))
    assert_equal(read_label_mat(path), [mask, np.zeros((0, 0))])


@pytest.mark.parametrize("compressed", [False, True])
def test_every_byte_damaged(tmp_path, compressed):
    good, path = tmp_path / "good.mat", tmp_path / "1_label.mat"
    savemat(good, {"volLabel": cell_of(*masks_of("u1", 2, (3, 4)))}, do_compression=compressed)
    content = good.read_bytes()
    refused = 0
    for position in range(len(content)):
        for value in {0, 1, 5, 127, 128, 255, content[position] ^ 1, content[position] ^ 128}:
            path.write_bytes(content[:position] + bytes([value]) + content[position + 1 :])
            error = refusal(path)
            if error is not None:
                assert error.code in {"D206", "D215"}
                assert error.where[:2] == (str(path), "clip 01")
                refused += 1
    assert refused > len(content)


@pytest.mark.parametrize("compressed", [False, True])
def test_every_length_cut_off(tmp_path, compressed):
    good, path = tmp_path / "good.mat", tmp_path / "1_label.mat"
    savemat(good, {"volLabel": cell_of(*masks_of("u1", 2, (3, 4)))}, do_compression=compressed)
    content = good.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        # After the header alone the file is whole, and empty.
        failure("D215" if length == 128 else "D206", path)


def test_compressed_data_must_end_with_the_variable(tmp_path):
    path = tmp_path / "1_label.mat"
    variable = matrix(1, (1, 1), matrix(9, (3, 4), numbers(np.ones((3, 4)), "<"), "<"), "<", b"volLabel")
    stored = zlib.compress(variable)
    wrong = {
        "incorrect data check": stored[:-1] + bytes([stored[-1] ^ 1]),
        "ends too early": stored[:-4],
        "goes on after": zlib.compress(variable + bytes(8)),
    }
    for got, written in wrong.items():
        path.write_bytes(level_5(struct.pack("<II", 15, len(written)) + written))
        assert got in failure("D206", path).got


def test_damage_names_the_frame(tmp_path):
    path = tmp_path / "1_label.mat"
    cells = [matrix(9, (3, 4), numbers(mask, "<"), "<") for mask in masks_of("u1", 3, (3, 4))]
    wrong = matrix(9, (3, 5), numbers(np.zeros((3, 4)), "<"), "<")
    path.write_bytes(level_5(matrix(1, (1, 3), cells[0] + wrong + cells[2], "<", b"volLabel")))
    error = failure("D206", path)
    assert error.where[2] == "frame 1"
    assert "12 bytes for 3 x 5" in error.got


@pytest.mark.parametrize(
    ("cell", "got"),
    [
        (matrix(4, (1, 1), element(16, b"x", "<"), "<"), "class 4"),
        (matrix(9, (1, 1, 1), element(2, b"x", "<"), "<"), "1 x 1 x 1"),
        (matrix(9, (1, 1), element(2, b"x", "<") * 2, "<", flags=0x0800), "complex"),
        (matrix(5, (1, 1), b"", "<"), "class 5"),
    ],
)
def test_cells_that_are_no_masks(tmp_path, cell, got):
    path = tmp_path / "1_label.mat"
    path.write_bytes(level_5(matrix(1, (1, 1), cell, "<", b"volLabel")))
    error = failure("D215", path)
    assert error.where[2] == "frame 0"
    assert got in error.got


@pytest.mark.parametrize(
    "variable",
    [
        matrix(9, (2, 2), element(2, b"1234", "<"), "<", b"volLabel"),
        matrix(1, (2, 2), b"", "<", b"volLabel"),
        matrix(9, (2, 2), element(2, b"1234", "<"), "<", b"other"),
    ],
)
def test_no_such_cell(tmp_path, variable):
    path = tmp_path / "1_label.mat"
    path.write_bytes(level_5(variable))
    failure("D215", path)


def test_version_7_3_is_named(tmp_path):
    path = tmp_path / "1_label.mat"
    path.write_bytes(level_5(bytes(384), b"\x89HDF\r\n\x1a\n", version=0x0200))
    assert "-v7.3" in failure("D206", path).hint


def test_lies_about_lengths_cost_no_memory(tmp_path):
    path = tmp_path / "1_label.mat"
    huge = struct.pack("<II", 2, 2**32 - 8)
    bomb = zlib.compress(matrix(1, (1, 1), matrix(9, (2**14, 2**14), huge, "<"), "<", b"volLabel") + bytes(2**24), 9)
    lies = [
        level_5(struct.pack("<II", 14, 2**32 - 8)),
        level_5(matrix(1, (1, 2**31 - 1), b"", "<", b"volLabel")),
        level_5(matrix(1, (1, 1), matrix(9, (2**14, 2**14), huge, "<"), "<", b"volLabel")),
        level_5(struct.pack("<II", 15, len(bomb)) + bomb),
    ]
    for lie in lies:
        path.write_bytes(lie)
        tracemalloc.start()
        failure("D206", path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**20


def test_a_cell_is_inflated_when_it_is_asked_for(tmp_path):
    from vadbench.datasets.arrays import MatMasks
    from vadbench.datasets.base import Clip

    path = tmp_path / "1_label.mat"
    savemat(path, {"volLabel": cell_of(*[np.ones((200, 300), np.uint8)] * 100)}, do_compression=True)
    tracemalloc.start()
    assert sum(int(mask.sum()) for mask in MatMasks(path).masks(Clip("01", 100, 200, 300))) == 100 * 60_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 60_000
