"""Whether a submission fits its data set, found from metadata alone, before any heavy work.

Source: submission.md, "predictions.zarr"; architecture.md, "The loop", step 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vadbench.datasets.base import Clip, Dataset
from vadbench.errors import SubmissionError, did_you_mean, quoted
from vadbench.prediction import PredictionKind
from vadbench.submission.layout import OPTIONAL_ARRAY, ClipLayout
from vadbench.submission.problems import TITLES, problem

if TYPE_CHECKING:
    from vadbench.submission.reader import Submission

_MOST_LISTED = 10


def check_agreement(submission: Submission, dataset: Dataset) -> None:
    """Raise the one problem, or `SubmissionError` S100 with a list of them (at most ten and how many more)."""
    path = submission.shown
    if submission.metadata.dataset != dataset.id:
        raise problem(
            "S102",
            where=path,
            expected=f"dataset = {quoted(dataset.id)}",
            got=f"dataset = {quoted(submission.metadata.dataset)}",
            hint="score it against the data set that it names",
        )
    problems = clip_differences((path,), submission.clip_ids, tuple(clip.id for clip in dataset.clips))
    first: ClipLayout | None = None
    for clip in dataset.clips:
        if clip.id not in submission.clip_ids:
            continue
        try:
            layout = submission.layout(clip.id)
        except SubmissionError as error:
            problems.append(error)
            continue
        first = first or layout
        problems += _layout_problems(layout, clip, dataset.id, submission.predictions, first)
    raise_all(problems, path)


def raise_all(problems: list[SubmissionError], path: str) -> None:
    """Raise nothing, the one problem, or S100 with the list."""
    if not problems:
        return
    if len(problems) == 1:
        raise problems[0]
    lines = [_line(error) for error in problems[:_MOST_LISTED]]
    if len(problems) > _MOST_LISTED:
        lines.append(f"and {len(problems) - _MOST_LISTED} more")
    hints = list(dict.fromkeys(error.hint for error in problems[:_MOST_LISTED] if error.hint))
    summary = problem("S100", where=path, got="\n".join(lines), hint="\n".join(hints))
    raise SubmissionError(
        summary.code,
        f"{TITLES['S100']}: {len(problems)}",
        where=summary.where,
        got=summary.got,
        hint=summary.hint,
    )


def _line(error: SubmissionError) -> str:
    where = " · ".join(error.where[1:]) or "submission"
    facts = "; ".join(
        f"{name} {text}" for name, text in (("expected", error.expected), ("got", error.got)) if text
    ).replace("\n", " ")
    return f"[{error.code}] {where}: {error.message}" + (f" ({facts})" if facts else "")


def clip_differences(
    where: tuple[str, ...], given: Sequence[str], expected: Sequence[str], *, hint: str = ""
) -> list[SubmissionError]:
    """Whether the clips are those of the data set: none, or one error S103 that names what is missing and extra."""
    missing = [clip_id for clip_id in expected if clip_id not in given]
    extra = [clip_id for clip_id in given if clip_id not in expected]
    if not missing and not extra:
        return []
    parts = [f"{word} {_some(ids)}" for word, ids in (("missing", missing), ("not in the data set", extra)) if ids]
    return [
        problem(
            "S103",
            where=where,
            expected=f"{len(expected)} clips: {_some(expected)}",
            got="; ".join(parts),
            hint=hint or _naming_hint(missing, extra, expected),
        )
    ]


def _some(ids: Sequence[str]) -> str:
    shown = ", ".join(quoted(clip_id) for clip_id in ids[:_MOST_LISTED])
    return shown if len(ids) <= _MOST_LISTED else f"{shown} and {len(ids) - _MOST_LISTED} more"


def _naming_hint(missing: list[str], extra: list[str], expected: Sequence[str]) -> str:
    """What kind of naming explains the difference, if one does."""
    if not extra:
        return "every test clip must be there; a method that failed on one may give constant scores"

    def digits(clip_id: str) -> tuple[int, ...] | None:
        parts = clip_id.lower().removeprefix("test").split("_")
        return tuple(map(int, parts)) if all(part.isascii() and part.isdigit() for part in parts) else None

    numbers = {digits(clip_id): clip_id for clip_id in expected}
    renamed = [
        (clip_id, numbers[digits(clip_id)]) for clip_id in extra if digits(clip_id) in numbers and digits(clip_id)
    ]
    if len(renamed) == len(extra):
        return f"clips are named as in the data set: {quoted(renamed[0][0])} should be {quoted(renamed[0][1])}"
    if len(extra) == len(missing) == 1 and digits(extra[0]) == (0,):
        return f"clips are counted from {quoted(expected[0])} to {quoted(expected[-1])}, not from 0"
    return did_you_mean(extra[0], missing or expected)


def _layout_problems(
    layout: ClipLayout, clip: Clip, dataset_id: str, declared: tuple[PredictionKind, ...], first: ClipLayout
) -> list[SubmissionError]:
    source = f"data set {dataset_id}"
    problems: list[SubmissionError] = []
    if layout.kinds != declared:
        problems.append(kinds_differ(layout, declared))
    if layout.map_shape is not None:
        where = layout.arrays[PredictionKind.SCORE_MAPS][""].where
        frames, *size = layout.map_shape
        if frames != clip.frames:
            problems.append(frame_count_differs(where, clip.frames, frames, source))
        if tuple(size) != (clip.height, clip.width):
            problems.append(frame_size_differs(where, (clip.height, clip.width), tuple(size)))
    if PredictionKind.FRAME_SCORES in layout.arrays:
        reader = layout.arrays[PredictionKind.FRAME_SCORES][""]
        if reader.shape[0] != clip.frames:
            problems.append(frame_count_differs(reader.where, clip.frames, reader.shape[0], source))
    return problems + array_differences(layout, first)


def array_differences(layout: ClipLayout, first: ClipLayout) -> list[SubmissionError]:
    """Whether the kinds that both clips hold have the same arrays and dtypes: errors S107 and S108."""
    shared = [kind for kind in layout.kinds if kind in first.arrays]
    return [error for kind in shared for error in _difference(layout, first, kind)]


def _difference(layout: ClipLayout, first: ClipLayout, kind: PredictionKind) -> list[SubmissionError]:
    here, there = layout.arrays[kind], first.arrays[kind]
    if (OPTIONAL_ARRAY in here) != (OPTIONAL_ARRAY in there):
        with_ids, without = (layout, first) if OPTIONAL_ARRAY in here else (first, layout)
        return [
            problem(
                "S108",
                where=(*layout.where, kind),
                expected="an array object in every clip or in none",
                got=f"one in clip {with_ids.clip_id}, none in clip {without.clip_id}",
            )
        ]
    return [
        problem(
            "S107",
            where=here[name].where,
            expected=f"{there[name].meta.data_type} (clip {first.clip_id})",
            got=here[name].meta.data_type,
        )
        for name in here
        if here[name].meta.data_type != there[name].meta.data_type
    ]


def kinds_differ(
    layout: ClipLayout, declared: tuple[PredictionKind, ...], source: str = "predictions in submission.toml"
) -> SubmissionError:
    """Error S106 about a clip."""
    return problem(
        "S106",
        where=layout.where,
        expected=f"{', '.join(declared)} ({source})",
        got=", ".join(layout.kinds) or "no predictions",
    )


def frame_count_differs(where: tuple[str, ...], expected: int, got: int, source: str) -> SubmissionError:
    """Error S104 about an array."""
    missing = expected - got
    hint = ""
    if missing > 0:
        count = "1 frame is" if missing == 1 else f"{missing} frames are"
        hint = (
            f"{count} missing. Methods with a temporal window must still score every frame;\nsee docs/submit.md#windows"
        )
    return problem("S104", where=where, expected=f"{expected} frames ({source})", got=f"{got} frames", hint=hint)


def frame_size_differs(where: tuple[str, ...], expected: tuple[int, ...], got: tuple[int, ...]) -> SubmissionError:
    """Error S105 about score maps; sizes are (H, W)."""
    swapped = got == expected[::-1] and got != expected
    return problem(
        "S105",
        where=where,
        expected=f"height {expected[0]}, width {expected[1]}",
        got=f"height {got[0]}, width {got[1]}",
        hint="height and width are swapped: the axes are (T, H, W)"
        if swapped
        else "resize the maps to the size of the original frames",
    )
