"""Which frames of the files are which frames of a clip."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vadbench.conversion.source import Timing
from vadbench.conversion.timing import held_frames, timed_rows, timing_words
from vadbench.errors import ConversionError, UsageError

few = st.integers(0, 5)


def moved_by_hand(held, timing):
    """The frames as a list that is cut and lengthened, one operation after the other."""
    kept = list(held)[timing.drop_head : len(held) - timing.drop_tail]
    return [kept[0]] * timing.pad_head + kept + [kept[-1]] * timing.pad_tail


@given(st.integers(1, 30), few, few, few, few)
@settings(derandomize=True, max_examples=200, deadline=None)
def test_frames_are_those_of_a_list_that_is_cut_and_lengthened(kept, drop_head, drop_tail, pad_head, pad_tail):
    timing = Timing(0, drop_head, drop_tail, pad_head, pad_tail)
    n_held = kept + drop_head + drop_tail
    wanted = moved_by_hand(range(n_held), timing)
    assert held_frames(n_held, timing, len(wanted)).tolist() == wanted


@given(st.integers(1, 12), few, few, few, few, st.integers(-3, 3), st.data())
@settings(derandomize=True, max_examples=200, deadline=None)
def test_rows_are_those_of_frames_that_are_cut_and_lengthened(
    kept, drop_head, drop_tail, pad_head, pad_tail, offset, data
):
    timing = Timing(offset, drop_head, drop_tail, pad_head, pad_tail)
    n_held = kept + drop_head + drop_tail
    stated = data.draw(st.lists(st.integers(-offset, n_held - 1 - offset), max_size=20))
    of_frame = {frame: [row for row, own in enumerate(stated) if own + offset == frame] for frame in range(n_held)}
    wanted = [(row, frame) for frame, own in enumerate(moved_by_hand(range(n_held), timing)) for row in of_frame[own]]
    rows, frames = timed_rows(np.array(stated, dtype=np.int64), timing, kept + pad_head + pad_tail)
    assert list(zip(rows.tolist(), frames.tolist(), strict=True)) == wanted


@pytest.mark.parametrize(
    ("n_held", "timing", "n_frames", "first_number", "option"),
    [
        (176, Timing(), 180, None, "--pad-head 4"),
        (176, Timing(), 180, None, "--pad-tail 4"),
        (176, Timing(), 180, 4, "--pad-head 4"),
        (176, Timing(), 180, 2, "--pad-head 2 --pad-tail 2"),
        (29, Timing(), 30, 1, "counted from 0: --pad-head 1; counted from 1: --pad-tail 1;"),
        (27, Timing(), 30, 1, "counted from 0: --pad-head 1 --pad-tail 2; counted from 1: --pad-tail 3;"),
        (27, Timing(), 30, 4, ":\ncounted from 1: --pad-head 3;"),
        (27, Timing(), 30, 0, ":\ncounted from 0: --pad-tail 3;"),
        (27, Timing(drop_head=1), 30, 0, ":\ncounted from 0: --pad-head 1 --pad-tail 3;"),
        (27, Timing(), 30, 50, "only you know where"),
        (176, Timing(pad_head=1), 180, None, "--pad-head 4"),
        (184, Timing(), 180, None, "--drop-tail 4"),
        (180, Timing(drop_head=4), 180, None, "--drop-head 0 instead of 4"),
        (180, Timing(pad_tail=5), 180, None, "--pad-tail 0 instead of 5"),
    ],
)
def test_a_wrong_count_says_which_option_mends_it(n_held, timing, n_frames, first_number, option):
    with pytest.raises(ConversionError) as caught:
        held_frames(n_held, timing, n_frames, where=("scores", "clip 01"), first_number=first_number)
    error = caught.value
    assert error.code == "C105"
    assert (error.expected, error.where) == (f"{n_frames} frames", ("scores", "clip 01"))
    assert error.got.startswith(f"{n_held} frames")
    assert option in error.hint


@pytest.mark.parametrize("timing", [Timing(pad_head=4), Timing(pad_tail=4), Timing(pad_head=2, pad_tail=2)])
def test_what_the_message_says_is_accepted(timing):
    assert len(held_frames(176, timing, 180)) == 180


def test_nothing_is_left():
    with pytest.raises(ConversionError, match="nothing is left"):
        held_frames(5, Timing(drop_head=3, drop_tail=2), 5)


@pytest.mark.parametrize("timing", [Timing(drop_head=-1), Timing(pad_tail=-2), Timing(frame_offset=1)])
def test_dense_files_refuse(timing):
    with pytest.raises(UsageError) as caught:
        held_frames(10, timing, 10)
    assert caught.value.code == "U212"


def test_frames_counted_from_one_are_named():
    frames = np.arange(1, 181)
    with pytest.raises(ConversionError) as caught:
        timed_rows(frames, Timing(), 180, where=("01.txt",), place="line {}".format)
    error = caught.value
    assert (error.code, error.where, error.got) == ("C106", ("01.txt", "line 179"), "180")
    assert "counted from 1: --frame-offset -1" in error.hint
    assert timed_rows(frames, Timing(frame_offset=-1), 180)[1].tolist() == list(range(180))


def test_frames_of_another_clip():
    with pytest.raises(ConversionError, match="another clip"):
        timed_rows(np.array([0, 300]), Timing(), 180)
    with pytest.raises(UsageError, match="than the clip has"):
        timed_rows(np.array([0]), Timing(pad_head=2, pad_tail=2), 4)


def test_no_rows_at_all():
    rows, frames = timed_rows(np.zeros(0, np.int64), Timing(pad_head=1), 4)
    assert rows.size == frames.size == 0


@pytest.mark.parametrize(
    ("first_number", "n_held", "timing"),
    [
        (2, 178, Timing(pad_head=2)),
        (2, 178, Timing(pad_head=1, pad_tail=1)),
        (0, 178, Timing(pad_tail=2)),
        (0, 180, Timing(drop_head=1, pad_tail=1)),
        (0, 180, Timing()),
        (1, 180, Timing()),
        # Numbers that cannot be those of the frames say nothing.
        (500, 178, Timing(pad_tail=2)),
        (0, 182, Timing(drop_head=2)),
    ],
)
def test_files_at_the_frames_of_their_numbers_are_accepted(first_number, n_held, timing):
    assert len(held_frames(n_held, timing, 180, first_number=first_number)) == 180


@pytest.mark.parametrize(
    ("first_number", "n_held", "timing", "hint"),
    [
        (2, 178, Timing(pad_tail=2), "counted from 0: --pad-head 2; counted from 1: --pad-head 1 --pad-tail 1."),
        (2, 178, Timing(pad_tail=2), "number them from 0"),
        (0, 178, Timing(pad_head=2), "number them from 2"),
        (0, 180, Timing(pad_head=2, drop_tail=2), "counted from 0: --drop-tail 2 --pad-tail 2"),
        (0, 180, Timing(drop_head=2, pad_tail=2), "move those away that --drop-head 2 leaves out"),
    ],
)
def test_options_that_move_numbered_files_are_refused(first_number, n_held, timing, hint):
    with pytest.raises(ConversionError) as caught:
        held_frames(n_held, timing, 180, where=("scores", "clip 01"), first_number=first_number)
    assert (caught.value.code, caught.value.where) == ("C121", ("scores", "clip 01"))
    assert hint in caught.value.hint
    assert f"number {first_number + timing.drop_head} there" in caught.value.got


def test_renamed_as_the_message_says_is_accepted():
    for timing in (Timing(pad_tail=2), Timing(pad_head=2), Timing(pad_head=1, pad_tail=1)):
        assert len(held_frames(178, timing, 180, first_number=timing.pad_head)) == 180


def test_a_number_outside_after_an_offset():
    with pytest.raises(ConversionError) as caught:
        timed_rows(np.arange(180), Timing(frame_offset=1), 180)
    error = caught.value
    assert (error.expected, error.got) == (
        "0 to 179 (clip of 180 frames)",
        "180 after --frame-offset 1 (179 in the file)",
    )
    assert error.hint == "the numbers begin with 0; --frame-offset 0 would make them fit"


def test_words_about_what_was_done():
    assert timing_words(Timing()) == timing_words(Timing(), [(0, 9)]) == ""
    assert timing_words(Timing(pad_head=2), [(2, 179)] * 3) == (
        "numbers 2 … 179; 2 frames repeated at the beginning of each clip"
    )
    assert timing_words(Timing(drop_tail=1, pad_tail=3), [(0, 9), (0, 19)]) == (
        "numbers 0 … 9-19; 1 frame left out at the end of each clip; 3 frames repeated at the end of each clip"
    )
    assert timing_words(Timing(frame_offset=-1)) == "1 subtracted from each frame number"
