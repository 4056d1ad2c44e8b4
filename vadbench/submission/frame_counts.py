"""Clips with too few or too many frames: what the numbers of all clips together tell of the cause.

Source: submission.md, "predictions.zarr".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from vadbench.prediction import PredictionKind

LONGEST_WINDOW = 64
"""Frames that a temporal window leaves out at most; more than that are missing for another reason."""

_GREATEST_STEP = 32


@dataclass(frozen=True)
class FrameCount:
    """How many frames a clip has and should have."""

    clip_id: str
    expected: int
    got: int

    @property
    def missing(self) -> int:
        """Frames that are missing; below 0 where there are too many."""
        return self.expected - self.got


def count_hint(counts: Sequence[FrameCount], kind: str = "") -> str:
    """What probably happened to the frames of one kind of prediction, and what to do.

    Parameters
    ----------
    counts : sequence of FrameCount
        Of every clip whose frames could be counted, right ones included; at least one is wrong.
    kind : str
        ``score_maps`` or ``frame_scores``: how they are padded in Python is then said, too.

    Notes
    -----
    Padding is offered only where the same few frames are missing in every clip: elsewhere it would give every score
    to another frame than its own, and nobody would see it.
    """
    wrong = [count for count in counts if count.missing]
    differences = {count.missing for count in counts}
    if len(differences) == 1:
        (missing,) = differences
        if 0 < missing <= min(LONGEST_WINDOW, *(count.got // 2 for count in counts)):
            return _window_hint(missing, kind)
        if -LONGEST_WINDOW <= missing < 0:
            return _surplus_hint(-missing)
    if len(wrong) == len(counts) and (step := _step(counts)):
        return (
            f"there seems to be one score for every {_nth(step)} frame. Every frame needs its own:\n"
            f"repeat each score {step} times or interpolate, in your code, before you store them"
        )
    if twin := _twin(counts):
        return (
            f"clip {twin[0].clip_id} has as many frames as clip {twin[1].clip_id} should have: "
            "is one stored under the name of the other?\nThe same frame counts are there, in another order"
        )
    return _mixed_hint(wrong)


def _window_hint(missing: int, kind: str) -> str:
    count = "1 frame is" if missing == 1 else f"{missing} frames are"
    head = missing // 2
    widths = {
        PredictionKind.SCORE_MAPS: f"(({missing}, 0), (0, 0), (0, 0))",
        PredictionKind.FRAME_SCORES: f"({missing}, 0)",
    }.get(kind)  # type: ignore[call-overload]
    centred = f",\n`--pad-head {head} --pad-tail {missing - head}` for a centred one" if head else ""
    python = f'.\nIn Python the first is np.pad(scores, {widths}, mode="edge")' if widths else ""
    return (
        f"{count} missing. Methods with a temporal window must still score every frame.\n"
        f"`vadbench convert` reads the method's own files and repeats the nearest scores: `--pad-head {missing}` for\n"
        f"a window that looks back, `--pad-tail {missing}` for one that looks ahead{centred}{python};\n"
        "see docs/submit.md#windows"
    )


def _surplus_hint(surplus: int) -> str:
    count = "1 frame" if surplus == 1 else f"{surplus} frames"
    return (
        f"{count} too many. `vadbench convert --drop-head N --drop-tail N` leaves frames out at the ends;\n"
        "look first whether another clip was stored under this name"
    )


def _step(counts: Sequence[FrameCount]) -> int:
    """The n of "every n-th frame" that explains all counts; 0 if none does."""
    longest = max(counts, key=lambda count: count.expected)
    step = round(longest.expected / longest.got) if longest.got else 0
    if not 2 <= step <= _GREATEST_STEP:
        return 0
    # Rounded up or down; of a single short clip any count would be some step.
    fits = all(count.got in {count.expected // step, -(-count.expected // step)} for count in counts)
    return step if fits else 0


def _nth(n: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th") if n % 100 not in {11, 12, 13} else "th"
    return f"{n}{ending}"


def _twin(counts: Sequence[FrameCount]) -> tuple[FrameCount, FrameCount] | None:
    """A wrong clip, and the one whose frames it has, where the counts are those of the data set in another order."""
    wrong = [count for count in counts if count.missing]
    if len(wrong) < 2 or Counter(count.got for count in wrong) != Counter(count.expected for count in wrong):
        return None
    return wrong[0], next(other for other in wrong if other.expected == wrong[0].got)


def _mixed_hint(wrong: Sequence[FrameCount]) -> str:
    missing = sorted(count.missing for count in wrong if count.missing > 0)
    surplus = sorted(-count.missing for count in wrong if count.missing < 0)
    parts = [f"{_span(missing)} {'is' if missing == [1] else 'are'} missing"] if missing else []
    parts += [f"{_span(surplus)} too many"] if surplus else []
    advice = (
        "Look which frames this clip was made of, and whether it is another clip"
        if len(wrong) == 1
        else "The number is not the same in every clip, so that padding would move the scores:\n"
        "look which frames each score belongs to"
    )
    return f"every frame needs a score (docs/submit.md#windows). {advice};\n{', '.join(parts)}"


def _span(numbers: list[int]) -> str:
    least, greatest = numbers[0], numbers[-1]
    if least != greatest:
        return f"{least} … {greatest} frames"
    return "1 frame" if least == 1 else f"{least} frames"
