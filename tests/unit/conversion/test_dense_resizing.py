"""Resizing against programs that were not written here, and what holds for all maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vadbench.conversion.dense.resizing import ResizedMaps, Resizing, resize_maps
from vadbench.prediction import ScoreMapArray

SIZES = [((24, 32), (48, 64)), ((7, 5), (50, 33)), ((14, 14), (48, 64)), ((1, 9), (4, 20)), ((48, 64), (48, 64))]
SMALLER = [((48, 64), (24, 32)), ((50, 33), (7, 5)), ((48, 64), (17, 64))]
lengths = st.integers(1, 9)


def maps_of(size, dtype=np.float32, n=2):
    values = np.random.default_rng(5).random((n, *size)) * 200
    return values.astype(dtype)


@pytest.mark.parametrize(("size", "wanted"), SIZES + SMALLER)
def test_nearest_is_pillow(size, wanted):
    maps = maps_of(size)
    own = resize_maps(maps, wanted, Resizing.NEAREST)
    theirs = [np.asarray(Image.fromarray(one).resize(wanted[::-1], Image.Resampling.NEAREST)) for one in maps]
    np.testing.assert_array_equal(own, theirs)


@pytest.mark.parametrize(("size", "wanted"), SIZES)
def test_bilinear_is_pillow_where_maps_become_larger(size, wanted):
    # Where they become smaller, Pillow smooths first.
    maps = maps_of(size)
    own = resize_maps(maps, wanted, Resizing.BILINEAR)
    theirs = [np.asarray(Image.fromarray(one).resize(wanted[::-1], Image.Resampling.BILINEAR)) for one in maps]
    # Two roundings to float32 of values below 256.
    np.testing.assert_allclose(own, theirs, rtol=0, atol=2 * 256 * 2.0**-23)


@pytest.mark.parametrize(("size", "wanted"), SIZES + SMALLER)
def test_bilinear_is_opencv(size, wanted):
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV (the extra video)")
    maps = maps_of(size, np.float64)
    own = resize_maps(maps, wanted, Resizing.BILINEAR)
    theirs = [cv2.resize(one, wanted[::-1], interpolation=cv2.INTER_LINEAR) for one in maps]
    # OpenCV keeps its shares in float32.
    np.testing.assert_allclose(own, theirs, rtol=0, atol=4 * 200 * 2.0**-23)


def test_bilinear_by_hand():
    maps = np.array([[[0.0, 1.0]]])
    assert resize_maps(maps, (2, 4), Resizing.BILINEAR)[0].tolist() == [[0, 0.25, 0.75, 1]] * 2
    assert resize_maps(maps, (1, 4), Resizing.NEAREST)[0].tolist() == [[0, 0, 1, 1]]
    assert resize_maps(np.arange(4.0).reshape(1, 1, 4), (1, 2), Resizing.BILINEAR)[0].tolist() == [[0.5, 2.5]]


@given(lengths, lengths, lengths, lengths, st.sampled_from(Resizing), st.integers(0, 2**32 - 1))
@settings(derandomize=True, max_examples=150, deadline=None)
def test_what_holds_for_all_maps(height, width, new_height, new_width, how, seed):
    maps = np.random.default_rng(seed).standard_normal((2, height, width)) * 1e3
    resized = resize_maps(maps, (new_height, new_width), how)
    assert resized.shape == (2, new_height, new_width)
    for before, after in zip(maps, resized, strict=True):
        assert before.min() <= after.min() <= after.max() <= before.max()
    mirrored = resize_maps(maps[:, ::-1, ::-1], (new_height, new_width), how)[:, ::-1, ::-1]
    if how is Resizing.BILINEAR:
        np.testing.assert_allclose(resized, mirrored, rtol=1e-9, atol=1e-9)
    constant = np.full((1, height, width), 0.1)
    assert (resize_maps(constant, (new_height, new_width), how) == 0.1).all()
    np.testing.assert_array_equal(resize_maps(maps, (height, width), how), maps)


@pytest.mark.parametrize(
    ("dtype", "nearest", "bilinear"),
    [("uint8", "uint8", "float32"), ("uint16", "uint16", "float32"), ("float64", "float64", "float64")],
)
def test_dtypes(dtype, nearest, bilinear):
    maps = ScoreMapArray(maps_of((3, 4), dtype, n=11))
    for how, expected in ((Resizing.NEAREST, nearest), (Resizing.BILINEAR, bilinear)):
        resized = ResizedMaps(maps, (6, 8), how)
        blocks = list(resized.blocks())
        assert {block.dtype.name for _, block in blocks} == {resized.dtype.name} == {expected}
        assert [start for start, _ in blocks] == [0, 8]
        assert sum(len(block) for _, block in blocks) == resized.shape[0] == 11
        assert resized.held_size == (3, 4)
