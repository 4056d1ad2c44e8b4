"""Velocity, shape, gradients, perspective and optical flow, against values worked out by hand."""

import numpy as np
import pytest

from baselines.tao.frame_views import FrameView, OpticalFlow, frame_views, grey_levels
from baselines.tao.perspective import Perspective
from baselines.tao.pixel_windows import pixel_window, pixel_windows
from baselines.tao.scoring.attributes import Shape, Velocity, direction_bins
from baselines.tao.scoring.embeddings import HogEmbedding, make_embedding
from baselines.tao.scoring.settings import ScoringSettings
from vadbench import Clip

FLAT = Perspective(10.0, 0.0, 1.0)


def view_with(flow):
    flow = np.asarray(flow, dtype=np.float32)
    grey = np.zeros(flow.shape[:2], dtype=np.uint8)
    return FrameView(0, np.zeros((*grey.shape, 3), np.uint8), grey, lambda: flow)


def clip_of(frames):
    frames = np.asarray(frames, dtype=np.uint8)
    return Clip("01", len(frames), *frames.shape[1:3], lambda: iter(frames))


def textured_square(frames, step, *, side=24, start=(20, 20), size=(80, 120)):
    """A square with texture that moves by `step` (x, y) a frame over darker texture that stands still."""
    rng = np.random.default_rng(3)
    texture = rng.integers(60, 255, (side // 4, side // 4)).repeat(4, 0).repeat(4, 1)
    ground = rng.integers(20, 60, (size[0] // 4, size[1] // 4)).repeat(4, 0).repeat(4, 1)
    made = np.tile(ground.astype(np.uint8), (frames, 1, 1))
    for number in range(frames):
        x, y = start[0] + number * step[0], start[1] + number * step[1]
        made[number, y : y + side, x : x + side] = texture
    return made


def test_windows_are_the_pixels_that_a_box_touches():
    boxes = np.array([[1.0, 2.0, 3.0, 4.0], [1.5, 2.5, 3.0, 3.1], [7.9, 5.2, 8.0, 6.0], [-3.0, -1.0, 20.0, 9.0]])
    grid = np.zeros((4, 6, 8), dtype=int)
    for number, window in enumerate(pixel_windows(boxes, (6, 8))):
        grid[number][window] = 1
    for number, (x1, y1, x2, y2) in enumerate(boxes):
        expected = [[x < x2 and x + 1 > x1 and y < y2 and y + 1 > y1 for x in range(8)] for y in range(6)]
        np.testing.assert_array_equal(grid[number], expected)


@pytest.mark.parametrize("box", [[9.0, 7.0, 12.0, 9.0], [-4.0, -4.0, -1.0, -1.0], [3.0, 3.0, 3.0, 3.0]])
def test_a_window_has_at_least_a_pixel(box):
    assert np.zeros((6, 8))[pixel_window(np.array(box), (6, 8))].shape == (1, 1)


def test_mean_speed_in_usual_heights():
    flow = np.zeros((20, 30, 2))
    flow[5:10, 10:20] = 3.0, 4.0
    boxes = np.array([[10, 5, 20, 10], [10, 5, 20, 15], [0, 0, 5, 5]], dtype=float)
    found = Velocity(FLAT, 1, 1.0).measure(view_with(flow), boxes)
    # Speed 5, half of the second box moves, usual height 10.
    np.testing.assert_allclose(found, [[0.5], [0.25], [0.0]])


def test_only_the_fastest_pixels_count():
    flow = np.zeros((10, 10, 2))
    flow[:5, :, 0] = 2.0
    box = np.array([[0, 0, 10, 10]], dtype=float)
    assert Velocity(FLAT, 1, 0.5).measure(view_with(flow), box)[0, 0] == pytest.approx(0.2)
    assert Velocity(FLAT, 1, 1.0).measure(view_with(flow), box)[0, 0] == pytest.approx(0.1)
    # Less than a pixel is a pixel.
    assert Velocity(FLAT, 1, 0.001).measure(view_with(flow), box)[0, 0] == pytest.approx(0.2)


def test_who_is_far_away_is_smaller_and_slower():
    # Usual height 4 at y = 10, 12 at y = 30.
    perspective = Perspective(0.0, 0.4, 1.0)
    flow = np.zeros((40, 40, 2))
    flow[6:10, :10, 0], flow[18:30, :10, 0] = 1.0, 3.0
    boxes = np.array([[0, 6, 10, 10], [0, 18, 10, 30], [0, 18, 10, 24]], dtype=float)
    found = Velocity(perspective, 1, 1.0).measure(view_with(flow), boxes)[:, 0]
    np.testing.assert_allclose(found[:2], 0.25)
    # The usual height is that of the lower edge's place, 9.6, not that of the box.
    assert found[2] == pytest.approx(3.0 / 9.6)


@pytest.mark.parametrize(
    ("motion", "bin_of_4", "bin_of_8"),
    [
        ((1, 0), 0, 0),
        ((2, 1), 0, 0),
        ((1, 2), 0, 1),
        ((0, 1), 1, 2),
        ((-1, 2), 1, 2),
        ((-2, 1), 1, 3),
        ((-1, -0.5), 2, 4),
        ((0, -1), 3, 6),
        ((2, -1), 3, 7),
        # A turn that rounds to a whole one.
        ((1, -1e-30), 3, 7),
        ((0, 0), 0, 0),
    ],
)
def test_bins_of_direction(motion, bin_of_4, bin_of_8):
    flow = np.full((1, 1, 2), motion, dtype=np.float32)
    assert direction_bins(flow, 1).item() == 0
    if motion == (1, -1e-30):
        assert direction_bins(flow, 4).item() in {0, 3}
        return
    assert (direction_bins(flow, 4).item(), direction_bins(flow, 8).item()) == (bin_of_4, bin_of_8)


def test_speed_by_direction():
    flow = np.zeros((4, 4, 2))
    flow[:2, :, 0], flow[2:, :2, 1] = 4.0, -8.0
    found = Velocity(FLAT, 4, 1.0).measure(view_with(flow), np.array([[0, 0, 4, 4.0]]))
    # 8 of 16 pixels go right by 4, 4 go up by 8.
    np.testing.assert_allclose(found, [[0.2, 0.0, 0.0, 0.2]])
    assert found.sum() == pytest.approx(
        Velocity(FLAT, 1, 1.0).measure(view_with(flow), np.array([[0, 0, 4, 4.0]]))[0, 0]
    )


@pytest.mark.parametrize("directions", [1, 8])
def test_without_motion_without_flow_and_without_boxes(directions):
    velocity = Velocity(FLAT, directions, 1.0)
    boxes = np.array([[0, 0, 4, 4.0]])
    np.testing.assert_array_equal(velocity.measure(view_with(np.zeros((8, 8, 2))), boxes), np.zeros((1, directions)))
    still = FrameView(0, np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8))
    np.testing.assert_array_equal(velocity.measure(still, boxes), np.zeros((1, directions)))
    np.testing.assert_array_equal(still.speed, np.zeros((8, 8)))

    def never():
        raise AssertionError

    unasked = FrameView(0, still.image, still.grey, never)
    assert velocity.measure(unasked, np.empty((0, 4))).shape == (0, directions)


def test_shape_by_hand():
    perspective = Perspective(0.0, 0.5, 1.0)
    boxes = np.array([[0, 0, 10, 20], [0, 10, 5, 20], [0, 0, 1, 1]], dtype=float)
    found = Shape(perspective).measure(view_with(np.zeros((30, 30, 2))), boxes)
    # Usual heights 10, 10, and 1 (the least).
    np.testing.assert_allclose(found, [[np.log(2), 0.0], [0.0, np.log(0.5)], [0.0, 0.0]], atol=1e-12)
    assert Shape(perspective).measure(view_with(np.zeros((3, 3, 2))), np.empty((0, 4))).shape == (0, 2)


@pytest.mark.parametrize("step", [(3, 0), (-3, 0), (0, 2), (-2, -2)])
def test_flow_points_where_things_go(step):
    start = (50, 30)
    views = list(frame_views(clip_of(textured_square(4, step, start=start)), with_flow=True))
    assert [view.frame for view in views] == [0, 1, 2, 3]
    for view in views:
        x, y = (start[axis] + view.frame * step[axis] for axis in (0, 1))
        # The flow lies on the square where it is in this frame; the first frame has the flow to the next.
        inside = view.flow[y + 4 : y + 20, x + 4 : x + 20]
        np.testing.assert_allclose(np.median(inside, axis=(0, 1)), step, atol=0.3)
        assert np.median(np.abs(view.flow[:10])) < 0.1
        assert view.flow.dtype == np.float32
        np.testing.assert_allclose(view.speed, np.hypot(view.flow[..., 0], view.flow[..., 1]))


def test_a_moving_square_of_known_speed():
    step, side = (4, 0), 24
    views = list(frame_views(clip_of(textured_square(4, step, start=(20, 30))), with_flow=True))
    for view in views:
        x = 20 + 4 * view.frame
        box = np.array([[x + 2, 32, x + side - 2, 30 + side - 2]], dtype=float)
        assert Velocity(FLAT, 1, 1.0).measure(view, box)[0, 0] == pytest.approx(0.4, abs=0.04)
        by_direction = Velocity(FLAT, 4, 1.0).measure(view, box)[0]
        assert by_direction[[0, 3]].sum() == pytest.approx(0.4, abs=0.05)
        assert by_direction[[1, 2]].sum() < 0.05


def test_flow_is_computed_when_it_is_asked_for_and_once(monkeypatch):
    done = []
    between = OpticalFlow.between

    def counted(self, start, end):
        done.append((int(start[0, 0]), int(end[0, 0])))
        return between(self, start, end)

    monkeypatch.setattr(OpticalFlow, "between", counted)
    frames = textured_square(4, (1, 0))
    frames[:, 0, 0] = range(4)
    for view in frame_views(clip_of(frames), with_flow=True):
        if view.frame in {0, 2}:
            assert view.flow is view.flow
            view.motion_of(view.grey > 50)
    # The first frame's goes to the next, the third's comes from the second, backwards.
    assert done == [(0, 1), (2, 1)]


def test_views_without_flow_and_of_one_frame():
    frames = textured_square(3, (1, 0))
    views = list(frame_views(clip_of(frames), with_flow=False))
    assert [view.flow for view in views] == [None] * 3
    for view, frame in zip(views, frames, strict=True):
        np.testing.assert_array_equal(view.grey, frame)
        np.testing.assert_array_equal(view.image, np.stack([frame] * 3, axis=-1))
    (only,) = frame_views(clip_of(frames[:1]), with_flow=True)
    assert only.flow is None
    np.testing.assert_array_equal(only.motion_of(np.ones(only.grey.shape, bool)), [0, 0])


def test_grey_levels_of_colour():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0], image[0, 1], image[1, 0] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    np.testing.assert_array_equal(grey_levels(image), [[76, 150], [29, 0]])
    views = list(frame_views(clip_of(np.stack([image, image])), with_flow=False))
    np.testing.assert_array_equal(views[0].grey, grey_levels(image))
    np.testing.assert_array_equal(views[0].image, image)


def test_motion_of_a_mask_is_the_median():
    flow = np.zeros((4, 4, 2))
    flow[0] = [[1, 2], [2, 4], [9, 6], [100, 100]]
    mask = np.zeros((4, 4), bool)
    mask[0, :3] = True
    np.testing.assert_array_equal(view_with(flow).motion_of(mask), [2, 4])
    np.testing.assert_array_equal(view_with(flow).motion_of(np.zeros((4, 4), bool)), [0, 0])


def boxes_on_line(intercept, slope, n=400, seed=0):
    rng = np.random.default_rng(seed)
    bottoms = rng.uniform(60, 220, n)
    heights = intercept + slope * bottoms
    return np.stack([np.zeros(n), bottoms - heights, heights / 3, bottoms], axis=1)


def test_perspective_recovers_a_line():
    boxes = boxes_on_line(5.0, 0.2)
    line = Perspective.fit([boxes[:100], np.empty((0, 4)), boxes[100:]])
    assert (line.intercept, line.slope) == (pytest.approx(5.0, abs=0.3), pytest.approx(0.2, abs=0.003))
    np.testing.assert_allclose(line.usual_height(boxes), boxes[:, 3] - boxes[:, 1], rtol=0.02)
    # Nothing is smaller than a fifth of the median height.
    assert line.usual_height(np.array([[0, 0, 1, -500.0]]))[0] == pytest.approx(
        0.2 * np.median(np.diff(boxes[:, 1::2]))
    )


def test_a_few_other_things_do_not_pull_the_line():
    boxes = boxes_on_line(5.0, 0.2)
    odd = boxes.copy()
    odd[:40, 1] -= 100
    line, pulled = Perspective.fit([boxes]), Perspective.fit([odd])
    np.testing.assert_allclose(pulled.usual_height(boxes), line.usual_height(boxes), rtol=0.05)


def test_perspective_of_few_boxes_and_of_none():
    few = Perspective.fit([np.array([[0, 0, 5, 10.0], [0, 0, 5, 30.0], [0, 80, 5, 100.0]])])
    assert (few.slope, few.intercept, few.least) == (0.0, 20.0, 4.0)
    for nothing in ([], [np.empty((0, 4))]):
        assert Perspective.fit(nothing) == Perspective(1.0, 0.0, 1.0)
    # All on one line of the ground: there is no slope to learn.
    row = np.tile([[0.0, 50.0, 5.0, 90.0]], (200, 1))
    assert Perspective.fit([row]) == Perspective(40.0, 0.0, 8.0)


def test_gradients_against_a_literal_computation():
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (32, 32)).astype(np.uint8)
    view = FrameView(0, np.stack([grey] * 3, -1), grey)
    found = HogEmbedding().measure(view, np.array([[0, 0, 32, 32.0]]))
    image = grey.astype(float)
    down, right = np.zeros_like(image), np.zeros_like(image)
    down[1:-1], right[:, 1:-1] = image[2:] - image[:-2], image[:, 2:] - image[:, :-2]
    angle, length = np.degrees(np.arctan2(down, right)) % 180, np.hypot(down, right)
    cells = np.zeros((4, 4, 9))
    for row in range(32):
        for column in range(32):
            cells[row // 8, column // 8, min(int(angle[row, column] // 20), 8)] += length[row, column] / 64
    rows = []
    for row in range(3):
        for column in range(3):
            block = cells[row : row + 2, column : column + 2].ravel()
            block = np.minimum(block / np.sqrt((block**2).sum() + 1e-10), 0.2)
            rows.append(block / np.sqrt((block**2).sum() + 1e-10))
    np.testing.assert_allclose(found[0], np.concatenate(rows), atol=1e-9)


def test_gradients_have_one_length_and_are_the_same_each_time():
    grey = textured_square(1, (0, 0))[0]
    view = FrameView(0, np.stack([grey] * 3, -1), grey)
    boxes = np.array([[20, 20, 44, 44], [0, 0, 120, 80], [3.2, 4.7, 3.9, 5.0], [119, 79, 120, 80]], dtype=float)
    embedding = make_embedding(ScoringSettings())
    assert isinstance(embedding, HogEmbedding)
    found = embedding.measure(view, boxes)
    assert (found.shape, found.dtype) == ((4, 324), np.float64)
    np.testing.assert_array_equal(found, HogEmbedding().measure(view, boxes))
    assert np.abs(found[0] - found[1]).max() > 0.1
    # A box alone has the same embedding as among others.
    np.testing.assert_array_equal(HogEmbedding().measure(view, boxes[1:2])[0], found[1])
    assert embedding.measure(view, np.empty((0, 4))).shape == (0, 324)
    assert HogEmbedding(size=48, cell=8).measure(view, boxes).shape == (4, 900)
