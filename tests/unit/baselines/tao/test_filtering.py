"""Algorithm 1 in the paper's reading: each line by hand, then against the printed loops on random boxes."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.tao.box_table import NO_LABEL, BoxTable
from baselines.tao.filtering import FilterSettings, filter_boxes
from vadbench import DataError, UsageError

PAPER = FilterSettings()
LITERAL = FilterSettings(inherit="literal")


def standing(frames, left=10.0):
    """A box of 10 x 20 pixels at one place in some frames."""
    return {frame: [[left, 10.0, left + 10.0, 30.0]] for frame in frames}


def together(*objects):
    frames = sorted({frame for boxes in objects for frame in boxes})
    return BoxTable.of_frames({f: np.concatenate([boxes[f] for boxes in objects if f in boxes]) for f in frames})


def labels_of(boxes, settings=PAPER, frames=100):
    table = boxes if isinstance(boxes, BoxTable) else BoxTable.of_frames(boxes)
    return filter_boxes(table, settings, frames).labels.tolist()


def prompts_of(table, settings=PAPER, frames=100):
    done = filter_boxes(table, settings, frames)
    rows = np.flatnonzero(done.prompts)
    return sorted((int(done.frames[r]), tuple(done.boxes[r].tolist()), int(done.labels[r])) for r in rows)


def plain_iou(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def twin_ranks(box, boxes, window, label, n_labels, settings):
    """Of one box: how good each label is that it may inherit; the best sorts first."""
    m, h = settings.matches, settings.overlap
    any_label = sum(any(label[other] != NO_LABEL and plain_iou(box, b) > h for b, other in boxes[w]) for w in window)
    for known in range(n_labels):
        shown = [(w, b) for w in window for b, other in boxes[w] if label[other] == known]
        hits = [(w, b) for w, b in shown if plain_iou(box, b) > h]
        if hits and settings.inherit == "literal" and any_label >= m:
            yield -hits[-1][0], -plain_iou(box, hits[-1][1]), known
        if hits and settings.inherit == "available" and len(hits) >= min(m, len(shown)):
            yield -len(hits), -plain_iou(box, shown[-1][1]), known


def literal_twin(table, settings, frames):
    """The pseudo code of tao.md, line by line, with plain loops; for the literal way, the printed sum over frames."""
    k, m, h, interval = settings.window, settings.matches, settings.overlap, settings.save_interval
    boxes = {t: [] for t in range(frames)}
    for row, (t, box) in enumerate(zip(table.frames.tolist(), table.boxes.tolist(), strict=True)):
        boxes[t].append((box, row))
    label = dict.fromkeys(range(len(table)), NO_LABEL)
    prompts = set()
    n_labels = 0
    for t in range(frames):
        here = sorted(boxes[t])
        window = range(max(0, t - k), t)
        pairs = []
        for index, (box, row) in enumerate(here):
            pairs += [(*rank, index, row) for rank in twin_ranks(box, boxes, window, label, n_labels, settings)]
        taken = set()
        for *_, known, _, row in sorted(pairs):
            if label[row] == NO_LABEL and known not in taken:
                label[row] = known
                taken.add(known)
        for box, row in here:
            if label[row] == NO_LABEL:
                later = range(t + 1, min(frames - 1, t + k) + 1)
                ahead = sum(any(plain_iou(box, b) > h for b, _ in boxes[f]) for f in later)
                if ahead >= m:
                    label[row] = n_labels
                    n_labels += 1
                    prompts.add(row)
        if t % interval == 0:
            prompts |= {row for _, row in here if label[row] != NO_LABEL}
    return list(label.values()), sorted(prompts)


# Step 2, lines 13 to 16: births


def test_a_box_that_m_frames_ahead_show_is_born_and_saved_at_once():
    done = filter_boxes(BoxTable.of_frames(standing(range(2, 6))), PAPER, 100)
    assert done.labels[0] == 0
    assert done.prompts.tolist() == [True, False, False, True]  # frame 2 a birth, frame 5 a multiple of l


def test_a_box_that_fewer_frames_ahead_show_is_dropped():
    done = filter_boxes(BoxTable.of_frames(standing(range(2, 5))), PAPER, 100)
    assert done.labels.tolist() == [NO_LABEL] * 3
    assert not done.prompts.any()


def test_frames_ahead_count_once_however_many_of_their_boxes_match():
    boxes = {0: standing([0])[0], 1: [[10, 10, 20, 30], [11, 10, 21, 30], [12, 10, 22, 30]]}
    assert labels_of(boxes, FilterSettings(matches=2)) == [NO_LABEL] * 4


def test_the_window_ahead_is_k_frames():
    assert labels_of(standing([0, 3, 4, 5]))[0] == 0
    assert labels_of(standing([0, 3, 4, 6]))[0] == NO_LABEL


def test_births_are_numbered_from_left_to_right_and_on_through_the_clip():
    table = together(standing(range(4), 50.0), standing(range(4), 10.0), standing(range(20, 24), 90.0))
    labels = filter_boxes(table, PAPER, 100).labels
    assert labels[:2].tolist() == [1, 0]
    assert labels[table.frames == 20].tolist() == [2]


# Step 1, lines 6 to 9: inheritance


def test_a_standing_object_keeps_its_label():
    assert labels_of(standing(range(10)), frames=10) == [0] * 10
    assert labels_of(standing(range(4)), frames=4) == [0] * 4


def test_a_standing_object_read_literally_gets_labels_until_m_frames_are_labelled():
    assert labels_of(standing(range(10)), LITERAL, frames=10) == [0, 1] + [2] * 8
    assert labels_of(standing(range(4)), LITERAL, frames=4) == [0] + [NO_LABEL] * 3


def test_who_shows_m_frames_must_match_m_of_them():
    seen = standing(range(5))
    # Boxes of frames 0 to 2 lie elsewhere: only two of the five that show the object match the last box.
    jumped = {0: [[17, 10, 27, 30]], 1: [[17, 10, 27, 30]], 2: [[17, 10, 27, 30]]}
    moved = {**jumped, 3: [[22, 10, 32, 30]], 4: [[22, 10, 32, 30]], 5: [[28, 10, 38, 30]]}
    assert plain_iou(moved[5][0], moved[2][0]) == 0
    assert plain_iou(moved[5][0], moved[4][0]) > 0.2
    assert plain_iou(moved[4][0], moved[2][0]) > 0.2
    assert labels_of(moved) == [0] * 5 + [NO_LABEL]
    assert labels_of(moved, FilterSettings(matches=2)) == [0] * 6
    assert labels_of({**seen, 5: standing([5])[5]}) == [0] * 6


def test_the_window_back_is_k_frames():
    alive = standing(range(4))
    assert labels_of({**alive, **standing([8])})[-1] == 0
    assert labels_of({**alive, **standing([9])})[-1] == NO_LABEL
    assert labels_of({**alive, **standing(range(9, 13))})[4:] == [1] * 4


def test_dropped_boxes_of_the_window_lend_no_label():
    # Frame 0 is alone in its surroundings until frame 4, so it is dropped; frame 4 is a birth, not an inheritance.
    assert labels_of(standing([0, 4, 5, 6, 7])) == [NO_LABEL, 0, 0, 0, 0]


def test_an_overlap_of_exactly_h_is_no_match():
    boxes = {0: [[0, 0, 10, 10]], 1: [[0, 0, 10, 5]]}
    once = FilterSettings(matches=1, overlap=0.5)
    assert labels_of(boxes, once) == [NO_LABEL, NO_LABEL]
    assert labels_of(boxes, replace(once, overlap=0.4999)) == [0, 0]


def test_two_boxes_do_not_get_one_label():
    boxes = standing(range(8))
    boxes[6] = [[10, 10, 20, 30], [12, 10, 22, 30]]
    # Both match label 0 in five frames; the one with the higher overlap takes it, the other has one frame ahead.
    assert labels_of(boxes)[6:8] == [0, NO_LABEL]


def test_the_second_of_two_boxes_is_born_where_it_stays():
    table = together(standing(range(12)), {frame: [[12.0, 10.0, 22.0, 30.0]] for frame in range(6, 12)})
    labels = filter_boxes(table, PAPER, 12).labels
    assert labels[table.boxes[:, 0] == 10].tolist() == [0] * 12
    assert labels[table.boxes[:, 0] == 12].tolist() == [1] * 6


def test_more_matches_go_before_higher_overlap():
    old = {frame: [[10.0, 0.0, 20.0, 20.0]] for frame in range(5)}
    new = {frame: [[14.0, 0.0, 24.0, 20.0]] for frame in range(2, 5)}
    late = {5: [[14.0, 0.0, 24.0, 20.0]], 6: [[14.0, 0.0, 24.0, 20.0]]}
    labels = filter_boxes(together(old, new, late), PAPER, 10).labels
    # In frame 5 label 0 has five matches with IoU 3/7, label 1 three with IoU 1.
    assert labels[-2:].tolist() == [0, 0]


def test_higher_overlap_with_the_latest_box_goes_before_the_older_label():
    left = {frame: [[10.0, 0.0, 20.0, 20.0]] for frame in range(4)}
    right = {frame: [[14.0, 0.0, 24.0, 20.0]] for frame in range(4)}
    labels = filter_boxes(together(left, right, {4: [[13.0, 0.0, 23.0, 20.0]]}), PAPER, 10).labels
    assert labels[-1] == 1


def test_among_equal_pairs_the_older_label_is_taken():
    left = {frame: [[10.0, 0.0, 20.0, 20.0]] for frame in range(4)}
    right = {frame: [[14.0, 0.0, 24.0, 20.0]] for frame in range(4)}
    labels = filter_boxes(together(right, left, {4: [[12.0, 0.0, 22.0, 20.0]]}), PAPER, 10).labels
    assert labels[-1] == 0


def test_crossing_objects_keep_their_labels():
    # They walk 2 pixels a frame towards and past each other, one a little above the other.
    one = {t: [[2.0 * t, 0.0, 2.0 * t + 20, 40.0]] for t in range(30)}
    two = {t: [[60 - 2.0 * t, 6.0, 80 - 2.0 * t, 46.0]] for t in range(30)}
    table = together(one, two)
    labels = filter_boxes(table, FilterSettings(matches=1), 30).labels
    assert (labels[table.boxes[:, 1] == 0][:12] == 0).all()
    assert set(labels.tolist()) == {0, 1}
    assert all(len(set(labels[table.rows(t)].tolist())) == 2 for t in range(30))


def test_flicker_is_dropped_and_what_persists_stays():
    table = together(standing(range(20)), standing(range(0, 20, 6), 60.0))
    labels = filter_boxes(table, PAPER, 20).labels
    assert (labels[table.boxes[:, 0] == 60] == NO_LABEL).all()
    assert (labels[table.boxes[:, 0] == 10] == 0).all()


# Step 3, lines 20 and 21, and the ends of the clip


def test_every_l_th_frame_is_saved_from_the_first():
    table = BoxTable.of_frames(standing(range(13)))
    assert [frame for frame, *_ in prompts_of(table)] == [0, 5, 10]
    assert [frame for frame, *_ in prompts_of(table, FilterSettings(save_interval=1))] == list(range(13))
    assert [frame for frame, *_ in prompts_of(BoxTable.of_frames(standing(range(3, 9))))] == [3, 5]


def test_unlabelled_boxes_of_a_saved_frame_are_no_prompts():
    table = together(standing(range(8)), standing([5], 60.0))
    assert [(frame, box[0]) for frame, box, _ in prompts_of(table)] == [(0, 10.0), (5, 10.0)]


def test_who_appears_in_the_last_m_frames_is_lost():
    assert labels_of(standing(range(17, 20)), frames=20) == [NO_LABEL] * 3
    assert labels_of(standing(range(16, 20)), frames=20) == [0] * 4


def test_the_first_frames_have_a_shorter_window_back():
    # Labelled in frame 0, then not seen: in frame 2 one frame shows the object, and one match is enough.
    assert labels_of(standing([0, 2, 3, 4])) == [0] * 4


# Without filtering


def test_no_matches_needed_means_that_nothing_is_dropped_and_what_overlaps_is_one_object():
    table = together(standing([0, 1, 4, 30]), standing([2], 60.0))
    done = filter_boxes(table, FilterSettings(matches=0), 31)
    assert done.labels.tolist() == [0, 0, 1, 0, 2]
    assert done.prompts.tolist() == [True, False, True, False, True]


@given(st.integers(0, 2**32 - 1))
def test_no_matches_needed_drops_nothing_on_random_boxes(seed):
    table = random_table(np.random.default_rng(seed))
    for inherit in ("available", "literal"):
        assert (filter_boxes(table, FilterSettings(matches=0, inherit=inherit), 12).labels >= 0).all()


# The whole


def random_table(rng, frames=12):
    """A few boxes that walk, flicker and jump on a coarse grid, so that equal overlaps occur."""
    boxes = {}
    starts = rng.integers(0, 12, size=(4, 2))
    for frame in range(frames):
        shown = [start + rng.integers(0, 3, 2) for start in starts if rng.random() < 0.8]
        corners = {(int(x), int(y), int(x + rng.integers(3, 7)), int(y + 5)) for x, y in shown}
        boxes[frame] = np.array(sorted(corners), dtype=float).reshape(-1, 4)[rng.permutation(len(corners))]
    return BoxTable.of_frames(boxes)


settings_strategy = st.builds(
    FilterSettings,
    inherit=st.sampled_from(["available", "literal"]),
    window=st.integers(3, 6),
    matches=st.integers(0, 3),
    overlap=st.sampled_from([0.0, 0.2, 1 / 3, 0.5]),
    save_interval=st.integers(1, 4),
)


@given(st.integers(0, 2**32 - 1), settings_strategy)
def test_the_printed_loops_give_the_same(seed, settings):
    table = random_table(np.random.default_rng(seed))
    done = filter_boxes(table, settings, 12)
    labels, prompts = literal_twin(table, settings, 12)
    assert done.labels.tolist() == labels
    assert np.flatnonzero(done.prompts).tolist() == prompts


@given(st.integers(0, 2**32 - 1), settings_strategy)
def test_the_order_of_the_boxes_of_a_frame_does_not_matter(seed, settings):
    rng = np.random.default_rng(seed)
    table = random_table(rng)
    mixed = np.concatenate([rng.permutation(np.arange(rows.start, rows.stop)) for _, rows in table.by_frame()])
    assert prompts_of(table, settings, 12) == prompts_of(table.select(mixed), settings, 12)


@given(st.integers(0, 2**32 - 1), settings_strategy)
def test_a_label_stands_once_in_a_frame_and_labels_are_in_order_of_birth(seed, settings):
    done = filter_boxes(random_table(np.random.default_rng(seed)), settings, 12)
    kept = done.select(done.labels >= 0)
    pairs = list(zip(kept.frames.tolist(), kept.labels.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert sorted(set(kept.labels.tolist())) == list(range(len(set(kept.labels.tolist()))))


def test_the_table_is_otherwise_as_it_was():
    table = BoxTable.of_frames(standing(range(4))).with_scores(np.arange(4.0), {"velocity": np.arange(4.0)})
    done = filter_boxes(table, PAPER, 4)
    assert done.scores.tolist() == [0, 1, 2, 3]
    assert done.boxes.tolist() == table.boxes.tolist()
    assert list(done.attributes) == ["velocity"]
    assert table.labels is None


def test_a_clip_without_boxes_has_no_labels():
    done = filter_boxes(BoxTable.empty(), PAPER, 10)
    assert len(done) == 0
    assert done.prompts.tolist() == []


def test_a_clip_of_one_frame():
    one = BoxTable.of_frames(standing([0]))
    assert labels_of(one, frames=1) == [NO_LABEL]
    assert labels_of(one, FilterSettings(matches=0), frames=1) == [0]


def test_a_long_clip_takes_no_time():
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 300, (20, 2))
    boxes = {t: np.hstack([places + t * 0.3, places + t * 0.3 + [12, 30]]) for t in range(180)}
    table = BoxTable.of_frames(boxes)
    began = time.process_time()
    labels = filter_boxes(table, PAPER, 180).labels
    assert time.process_time() - began < 1.0  # 0.05 s on an idle core
    assert (labels >= 0).mean() > 0.9


# Wrong calls


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 0},
        {"window": 2.5},
        {"matches": -1},
        {"matches": 6},
        {"matches": True},
        {"overlap": 1.0},
        {"overlap": -0.1},
        {"overlap": float("nan")},
        {"save_interval": 0},
        {"distance": -1.0},
        {"distance": float("inf")},
        {"merge": 1},
        {"reading": "released", "inherit": "literal"},
        {"reading": "released", "overlap": 0.0},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError) as error:
        FilterSettings(**wrong)
    assert error.value.code == "B213"


@pytest.mark.parametrize("wrong", [{"reading": "papr"}, {"inherit": "litteral"}])
def test_unknown_choices_name_the_known_ones(wrong):
    with pytest.raises(UsageError) as error:
        FilterSettings(**wrong)
    assert error.value.code == "B205"
    assert "did you mean" in error.value.hint


def test_a_box_beyond_the_clip_is_refused():
    with pytest.raises(DataError) as error:
        filter_boxes(BoxTable.of_frames(standing([3])), PAPER, 3)
    assert error.value.code == "B214"
    assert error.value.got == "3"
