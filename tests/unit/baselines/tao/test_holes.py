from __future__ import annotations

import numpy as np
import pytest

from baselines.tao.segmentation.holes import fill_holes


def literally_filled(mask, area):
    """Each component of the background, found by walking from pixel to pixel."""
    height, width = mask.shape
    filled, seen = mask.copy(), mask.copy()
    for start in zip(*np.nonzero(~mask), strict=True):
        if seen[start]:
            continue
        component, waiting = [], [start]
        seen[start] = True
        while waiting:
            y, x = waiting.pop()
            component.append((y, x))
            for ny in range(max(y - 1, 0), min(y + 2, height)):
                for nx in range(max(x - 1, 0), min(x + 2, width)):
                    if not seen[ny, nx]:
                        seen[ny, nx] = True
                        waiting.append((ny, nx))
        on_border = any(y in (0, height - 1) or x in (0, width - 1) for y, x in component)
        if len(component) <= area and not on_border:
            for pixel in component:
                filled[pixel] = True
    return filled


@pytest.mark.parametrize("area", [0, 1, 3, 8, 1000])
@pytest.mark.parametrize("density", [0.7, 0.9])
def test_the_same_as_walking_from_pixel_to_pixel(area, density):
    rng = np.random.default_rng(4)
    n_filled = 0
    for height, width in [(1, 1), (1, 9), (2, 7), (3, 3), (17, 23), (40, 31)]:
        mask = rng.random((height, width)) < density
        given = mask.copy()
        filled = fill_holes(mask, area)
        assert np.array_equal(filled, literally_filled(given, area))
        assert np.array_equal(mask, given)
        n_filled += int((filled != mask).sum())
    assert (n_filled > 0) == (area > 0)


def mask_of(*rows):
    return np.array([[sign == "#" for sign in row] for row in rows])


@pytest.mark.parametrize(("area", "filled"), [(7, False), (8, True)])
def test_a_hole_of_as_many_pixels_as_are_allowed_is_filled(area, filled):
    mask = np.ones((6, 8), dtype=bool)
    mask[2:4, 2:6] = False
    assert fill_holes(mask, area).all() == filled


def test_what_touches_the_border_of_the_frame_is_no_hole():
    mask = mask_of("##.#", "####", ".###", "####")
    assert np.array_equal(fill_holes(mask, 8), mask)


def test_what_leads_outside_across_a_corner_is_no_hole():
    open_corner = mask_of(".....", ".###.", ".#.#.", ".##..", ".....")
    assert np.array_equal(fill_holes(open_corner, 8), open_corner)
    closed = mask_of(".....", ".###.", ".#.#.", ".###.", ".....")
    assert fill_holes(closed, 8).sum() == 9


def test_holes_of_different_objects_in_one_mask_count_apart():
    mask = mask_of("###....###", "#.#....#.#", "###....###")
    assert fill_holes(mask, 1).sum() == mask.sum() + 2


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (5, 4)])
def test_without_foreground_there_is_no_hole(shape):
    mask = np.zeros(shape, dtype=bool)
    assert fill_holes(mask, 8) is mask
