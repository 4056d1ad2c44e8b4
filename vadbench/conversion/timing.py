"""Frames that files hold and frames of a clip: what is dropped, what is put before and behind.

Nothing is guessed: a wrong count is an error that names the option which says what is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vadbench.conversion.source import Timing
from vadbench.errors import ConversionError, UsageError

_NAMES = ("drop_head", "drop_tail", "pad_head", "pad_tail")


def check_timing(timing: Timing) -> None:
    """Numbers of frames are not negative; raises `UsageError` U212."""
    for name in _NAMES:
        if getattr(timing, name) < 0:
            raise UsageError(
                "U212",
                f"--{name.replace('_', '-')} is a number of frames",
                expected="0 or more",
                got=str(getattr(timing, name)),
            )


def held_frames(
    n_held: int,
    timing: Timing,
    n_frames: int,
    *,
    where: tuple[str, ...] = (),
    first_number: int | None = None,
    shape: tuple[int, ...] | None = None,
) -> NDArray[np.int64]:
    """Which frame of the files each frame of a clip is.

    Parameters
    ----------
    n_held : int
        Frames that the files hold.
    timing : Timing
        Its `frame_offset` must be 0: dense files state no frame numbers.
    n_frames : int
        Frames T of the clip.
    where : tuple of str
        File and clip, for errors.
    first_number : int, optional
        Number of the first frame as the files' names state it, the others follow without a gap. Where all of them can
        be those of the clip's frames, counted from 0 or from 1, each file must come to lie at one of these places.
    shape : tuple of int, optional
        Of the whole array, for the error: its first axis may not be the frames at all.

    Returns
    -------
    (T,) int64
        From 0 to ``n_held - 1``, not decreasing: the frames that are kept once each, the first one
        ``1 + pad_head`` times, the last one ``1 + pad_tail`` times.

    Raises
    ------
    UsageError
        U212 for a frame offset.
    ConversionError
        C105 if the number of frames is not T; C121 if the options move files away from the frames of their numbers.
    """
    check_timing(timing)
    if timing.frame_offset:
        raise UsageError(
            "U212",
            "--frame-offset is for files that state frame numbers: AED text and COCO JSON",
            got=f"--frame-offset {timing.frame_offset}",
            hint="arrays and images begin with frame 0; see --drop-head and --pad-head",
        )
    kept = n_held - timing.drop_head - timing.drop_tail
    total = kept + timing.pad_head + timing.pad_tail
    if kept < 1 or total != n_frames:
        raise _wrong_count(n_held, timing, n_frames, where, first_number, shape)
    if first_number is not None:
        _check_numbers((first_number, first_number + n_held - 1), timing, n_frames, where)
    return np.clip(
        np.arange(n_frames) - timing.pad_head + timing.drop_head, timing.drop_head, timing.drop_head + kept - 1
    ).astype(np.int64)


def timed_rows(
    frames: NDArray[np.integer],
    timing: Timing,
    n_frames: int,
    *,
    where: tuple[str, ...] = (),
    place: Callable[[int], str] = "row {}".format,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of a clip and their frames, in order of frame; rows of one frame stay in the order of the file.

    Parameters
    ----------
    frames : (N,) int
        Frame numbers as the file states them, in any order.
    timing : Timing
        The files hold ``K = T - pad_head - pad_tail + drop_head + drop_tail`` frames, from 0 after `frame_offset` was
        added.
    n_frames : int
        Frames T of the clip.
    where : tuple of str
        File and clip, for errors.
    place : callable
        From the index of a row to words such as ``line 7``, for errors.

    Returns
    -------
    rows : (M,) int64
        Indices of the rows that are kept; those of the first kept frame ``1 + pad_head`` times, those of the last
        ``1 + pad_tail`` times.
    frames : (M,) int64
        Frame of the clip, 0-based, not decreasing.

    Raises
    ------
    UsageError
        U212 if fewer than one frame of the clip comes from the file.
    ConversionError
        C106 for a frame number outside of the K frames.
    """
    check_timing(timing)
    kept = n_frames - timing.pad_head - timing.pad_tail
    if kept < 1:
        raise UsageError(
            "U212",
            "more frames would be put before and behind than the clip has",
            where=where,
            expected=f"less than {n_frames} frames",
            got=f"--pad-head {timing.pad_head} --pad-tail {timing.pad_tail}",
        )
    held = kept + timing.drop_head + timing.drop_tail
    numbers = np.asarray(frames, dtype=np.int64)
    moved = numbers + timing.frame_offset
    outside = (moved < 0) | (moved >= held)
    if outside.any():
        raise _outside(numbers, timing, held, n_frames, int(outside.argmax()), where, place)
    index = moved - timing.drop_head
    rows = np.flatnonzero((index >= 0) & (index < kept))
    rows = rows[np.argsort(index[rows], kind="stable")]
    own = index[rows]
    first, last = rows[own == 0], rows[own == kept - 1]
    all_rows = [np.tile(first, timing.pad_head), rows, np.tile(last, timing.pad_tail)]
    all_frames = [
        np.repeat(np.arange(timing.pad_head), len(first)),
        own + timing.pad_head,
        np.repeat(np.arange(n_frames - timing.pad_tail, n_frames), len(last)),
    ]
    return np.concatenate(all_rows).astype(np.int64), np.concatenate(all_frames).astype(np.int64)


def _check_numbers(numbers: tuple[int, int], timing: Timing, n_frames: int, where: tuple[str, ...]) -> None:
    """Files lie at the frames of their numbers, counted from 0 or from 1; raises `ConversionError` C121.

    Numbers that cannot be those of the clip's frames, such as 50 to 79 of 60 frames, say nothing of places.
    """
    readings = _readings(timing, n_frames, numbers)
    base = numbers[0] + timing.drop_head - timing.pad_head
    if not readings or base in (0, 1):
        return
    dropped = _options(Timing(drop_head=timing.drop_head, drop_tail=timing.drop_tail))
    away = f"move those away that {dropped} leaves out, and " if dropped else ""
    says = "; ".join(f"counted from {own}: {f'{dropped} {padded}'.strip()}" for own, padded in readings.items())
    raise ConversionError(
        "C121",
        "the options move files away from the frames of their numbers",
        where=where,
        expected=f"number {timing.pad_head} or {timing.pad_head + 1} at frame {timing.pad_head} of the clip",
        got=f"number {numbers[0] + timing.drop_head} there, by {_options(timing)}",
        hint=f"{says}.\nIf the numbers are not those of frames, rename the files: {away}"
        f"number them from {timing.pad_head}",
    )


def _wrong_count(
    n_held: int,
    timing: Timing,
    n_frames: int,
    where: tuple[str, ...],
    first_number: int | None,
    shape: tuple[int, ...] | None,
) -> ConversionError:
    given = _options(timing)
    kept = n_held - timing.drop_head - timing.drop_tail
    total = max(kept, 0) + timing.pad_head + timing.pad_tail
    got = _frames(n_held) + (f", which {given} makes {total}" if given else "")
    got += "" if shape is None else f", the first axis of an array {shape}"
    numbers = None if first_number is None else (first_number, first_number + n_held - 1)
    return ConversionError(
        "C105",
        "the number of frames is not that of the clip",
        where=where,
        expected=_frames(n_frames),
        got=got,
        hint="nothing is left of the frames of the files"
        if kept < 1
        else _count_hint(n_frames - total, timing, n_frames, numbers),
    )


def _count_hint(missing: int, timing: Timing, n_frames: int, numbers: tuple[int, int] | None) -> str:
    """Which options would make the count right; `numbers` are the first and the last that names of files state."""
    number = abs(missing)
    undone = "drop" if missing > 0 else "pad"
    action = "pad" if missing > 0 else "drop"
    count = f"{number} {'frame is' if number == 1 else 'frames are'} {'missing' if missing > 0 else 'too many'}"
    for end in ("head", "tail"):
        given = getattr(timing, f"{undone}_{end}")
        if given >= number:
            return f"{count}: --{undone}-{end} {given - number} instead of {given} would make it right"
    head, tail = (f"--{action}-{end} {getattr(timing, f'{action}_{end}') + number}" for end in ("head", "tail"))
    if missing < 0:
        return f"{count}: {head} leaves out the first, {tail} the last"
    if numbers is not None and (readings := _readings(timing, n_frames, numbers)):
        # Files named by frame tell where the others are missing, but only to who knows what the first number is.
        says = "; ".join(f"counted from {base}: {options}" for base, options in readings.items())
        return (
            f"{count}. If the numbers of the files, which begin with {numbers[0]}, are those of the frames:\n"
            f"{says}; each repeats the nearest frame"
        )
    return (
        f"{count}, and only you know where. At the beginning (a method that looks back):\n"
        f"{head}; at the end (one that looks ahead): {tail}; each repeats the nearest frame"
    )


def _readings(timing: Timing, n_frames: int, numbers: tuple[int, int]) -> dict[int, str]:
    """Options that put each file at its number, by the number of a clip's first frame: 0, 1, or both if both can be."""
    first, last = numbers
    found = {}
    for base in (0, 1):
        if base <= first and last <= n_frames - 1 + base:
            sides = {
                "--pad-head": first + timing.drop_head - base,
                "--pad-tail": n_frames - 1 + base - last + timing.drop_tail,
            }
            found[base] = " ".join(f"{option} {number}" for option, number in sides.items() if number)
    return found


def _outside(
    numbers: NDArray[np.int64],
    timing: Timing,
    held: int,
    n_frames: int,
    row: int,
    where: tuple[str, ...],
    place: Callable[[int], str],
) -> ConversionError:
    least, greatest = int(numbers.min()), int(numbers.max())
    low, high = -timing.frame_offset, held - 1 - timing.frame_offset
    stated, moved = int(numbers[row]), int(numbers[row]) + timing.frame_offset
    given = _options(replace(timing, frame_offset=0))
    hint = "is this the file of another clip?"
    if greatest - least < held:
        # All numbers fit after the smallest move that brings them in.
        offset = timing.frame_offset + (high - greatest if greatest > high else low - least)
        hint = f"the numbers begin with {least}; --frame-offset {offset} would make them fit"
        if offset == -1 and least > max(low, 0):
            hint = f"frames seem to be counted from 1: --frame-offset {offset} makes the first one 0"
    return ConversionError(
        "C106",
        "a frame number is outside of the clip",
        where=(*where, place(row)),
        expected=f"0 to {held - 1} (clip of {_frames(n_frames)}{', ' + given if given else ''})",
        got=f"{moved} after --frame-offset {timing.frame_offset} ({stated} in the file)"
        if timing.frame_offset
        else str(stated),
        hint=hint,
    )


def timing_words(timing: Timing, numbers: Sequence[tuple[int, int]] = ()) -> str:
    """What was done to the frames of all clips, for people; empty if nothing was.

    Parameters
    ----------
    timing : Timing
    numbers : sequence of (int, int)
        First and last number of the files of each clip, where their names state numbers.

    >>> timing_words(Timing(pad_head=2), [(2, 179), (2, 179)])
    'numbers 2 … 179; 2 frames repeated at the beginning of each clip'
    >>> timing_words(Timing(frame_offset=-1))
    '1 subtracted from each frame number'
    """
    done = []
    if timing.frame_offset:
        way = "added to" if timing.frame_offset > 0 else "subtracted from"
        done.append(f"{abs(timing.frame_offset)} {way} each frame number")
    for name, word, place in (
        ("drop_head", "left out", "beginning"),
        ("drop_tail", "left out", "end"),
        ("pad_head", "repeated", "beginning"),
        ("pad_tail", "repeated", "end"),
    ):
        if number := getattr(timing, name):
            done.append(f"{_frames(number)} {word} at the {place} of each clip")
    if done and numbers:
        firsts, lasts = ({*ends} for ends in zip(*numbers, strict=True))
        # Clips of different lengths end with different numbers.
        span = " … ".join(str(ends.pop()) if len(ends) == 1 else f"{min(ends)}-{max(ends)}" for ends in (firsts, lasts))
        done.insert(0, f"numbers {span}")
    return "; ".join(done)


def _options(timing: Timing) -> str:
    names = ("frame_offset", *_NAMES)
    return " ".join(f"--{name.replace('_', '-')} {getattr(timing, name)}" for name in names if getattr(timing, name))


def _frames(number: int) -> str:
    return "1 frame" if number == 1 else f"{number} frames"
