"""Whether a submission fits its data set, found from metadata alone, before any heavy work.

Source: submission.md, "predictions.zarr"; architecture.md, "The loop", step 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from vadbench.datasets.base import Clip, Dataset
from vadbench.errors import SubmissionError, nearest_name, quoted, shortened
from vadbench.prediction import PredictionKind
from vadbench.submission.arrays import ArrayReader, check_total
from vadbench.submission.faults import Fault
from vadbench.submission.frame_counts import FrameCount, count_hint
from vadbench.submission.layout import OPTIONAL_ARRAY, ClipLayout
from vadbench.submission.problems import TITLES, problem
from vadbench.submission.tree import PREDICTIONS

if TYPE_CHECKING:
    from vadbench.submission.reader import Submission

_MOST_LISTED = 10
_MOST_CLIPS = 4
_ALL_AT_ONCE = "`vadbench validate` groups them all"


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
    tested, trained = (tuple(clip.id for clip in part) for part in (dataset.clips, dataset.training_clips))
    hint = training_hint(submission.clip_ids, tested, trained)
    problems = clip_differences((path, PREDICTIONS), submission.clip_ids, tested, hint=hint)
    if hint:
        # Frames of other clips that have the same names tell nothing.
        raise_all(problems, path)
    layouts: list[tuple[ClipLayout, Clip]] = []
    given = set(submission.clip_ids)
    for clip in dataset.clips:
        if clip.id not in given:
            continue
        try:
            layouts.append((submission.layout(clip.id), clip))
        except SubmissionError as error:
            problems.append(error)
    common = commonest(layout for layout, _ in layouts)
    faults: list[Fault] = []
    readers: list[ArrayReader] = []
    counts = FrameCounts()
    for layout, clip in layouts:
        if layout.kinds != submission.predictions:
            faults.append(Fault(kinds_differ(layout, submission.predictions)))
        faults += clip_faults(layout, clip, f"data set {dataset.id}")
        faults += [Fault(error) for error in uncommon(layout, common)]
        counts.add(layout, clip)
        readers += layout.readers()
    hints = counts.hints()
    problems += [_explained(fault, hints) for fault in faults]
    if not problems:
        check_total(readers, (path,))
    raise_all(problems, path)


def raise_all(problems: list[SubmissionError], path: str) -> None:
    """Raise nothing, the one problem, or S100 with the list."""
    if not problems:
        return
    if len(problems) == 1:
        raise problems[0]
    groups = _groups(problems)
    lines = [_line(group) for group in groups[:_MOST_LISTED]]
    if len(groups) > _MOST_LISTED:
        lines.append(f"and {sum(map(len, groups[_MOST_LISTED:]))} more")
    hints = list(dict.fromkeys(group[0].hint for group in groups[:_MOST_LISTED] if group[0].hint))
    hints.append(_ALL_AT_ONCE)
    summary = problem("S100", where=path, got="\n".join(lines), hint="\n".join(f"- {hint}" for hint in hints))
    raise SubmissionError(
        summary.code,
        f"{TITLES['S100']}: {len(problems)}",
        where=summary.where,
        got=summary.got,
        hint=summary.hint,
    )


def _groups(problems: Iterable[SubmissionError]) -> list[list[SubmissionError]]:
    """Problems in the order of the first of its kind; equal ones of several clips are together."""
    found: dict[tuple[object, ...], list[SubmissionError]] = {}
    for error in problems:
        place = error.where[1:]
        own = (place[1:],) if _is_of_a_clip(error) else (place, error.expected, error.got)
        found.setdefault((error.code, error.message, _is_of_a_clip(error), *own), []).append(error)
    return list(found.values())


def _is_of_a_clip(error: SubmissionError) -> bool:
    return error.where[1:2] != () and error.where[1].startswith("clip ")


def _line(group: Sequence[SubmissionError]) -> str:
    """One line about a problem; of several clips the first one's numbers stand for all."""
    error = group[0]
    if len(group) > 1:
        ids = [own.where[1].removeprefix("clip ") for own in group]
        listed = ", ".join([*ids[:_MOST_CLIPS], *(["…"] if ids[_MOST_CLIPS:] else [])])
        where = " · ".join((f"{len(group)} clips ({listed})", *error.where[2:]))
        return f"[{error.code}] {where}: {error.message}\n  first: {_facts(error)}"
    where = " · ".join(error.where[1:]) or "submission"
    facts = _facts(error)
    return f"[{error.code}] {where}: {error.message}" + (f" ({facts})" if facts else "")


def _facts(error: SubmissionError) -> str:
    """What was expected and what there is."""
    return "; ".join(
        f"{name} {text}" for name, text in (("expected", error.expected), ("got", error.got)) if text
    ).replace("\n", " ")


def training_hint(given: Sequence[str], tested: Iterable[str], trained: Iterable[str]) -> str:
    """What to say where the clips are those of the training part; empty where they are not."""
    if given and set(given) == set(trained) != set(tested):
        return "these are training clips; a submission holds the test clips"
    return ""


def clip_differences(
    where: tuple[str, ...], given: Sequence[str], expected: Sequence[str], *, hint: str = ""
) -> list[SubmissionError]:
    """Whether the clips are those of the data set: none, or one error S103 that names what is missing and extra."""
    missing, extra = _missing_and_extra(given, expected)
    if not missing and not extra:
        return []
    renamed = renamed_clips(given, expected)
    still_missing = [clip_id for clip_id in missing if clip_id not in set(renamed.values())]
    words = "missing after renaming" if renamed else "missing"
    parts = [f"{word} {_some(ids)}" for word, ids in ((words, still_missing), ("not in the data set", extra)) if ids]
    return [
        problem(
            "S103",
            where=where,
            expected=f"{len(expected)} clips: {_some(expected)}",
            got="; ".join(parts),
            hint=hint or _naming_hint(missing, extra, expected, renamed),
        )
    ]


def _missing_and_extra(given: Sequence[str], expected: Sequence[str]) -> tuple[list[str], list[str]]:
    have, want = set(given), set(expected)
    return [clip_id for clip_id in expected if clip_id not in have], [
        clip_id for clip_id in given if clip_id not in want
    ]


def renamed_clips(given: Sequence[str], expected: Sequence[str]) -> dict[str, str]:
    """Which clip of the data set each clip is that has another name; empty where no kind of naming explains them all.

    Names that differ in leading zeros, case or a "Test" before the number, and numbers counted from 0: then clips
    whose names are right belong to others too, so that all are in the result.
    """
    missing, extra = _missing_and_extra(given, expected)
    if not extra or not missing:
        return {}
    numbers = {_digits(clip_id): clip_id for clip_id in expected}
    named = {clip_id: numbers[own] for clip_id in extra if (own := _digits(clip_id)) is not None and own in numbers}
    taken = set(named.values())
    if len(named) == len(extra) == len(taken) and taken <= set(missing):
        return named
    if len(extra) == len(missing) == 1 and _digits(extra[0]) == (0,) and missing[0] == expected[-1]:
        return dict(zip(sorted(given, key=lambda clip_id: _digits(clip_id) or ()), expected, strict=True))
    return {}


def _digits(clip_id: str) -> tuple[int, ...] | None:
    parts = clip_id.lower().removeprefix("test").split("_")
    return tuple(map(int, parts)) if all(p.isascii() and p.isdigit() and len(p) < 20 for p in parts) else None


def _some(ids: Sequence[str]) -> str:
    shown = ", ".join(quoted(clip_id) for clip_id in ids[:_MOST_LISTED])
    return shown if len(ids) <= _MOST_LISTED else f"{shown} and {len(ids) - _MOST_LISTED} more"


def _naming_hint(missing: list[str], extra: list[str], expected: Sequence[str], renamed: Mapping[str, str]) -> str:
    """What kind of naming explains the difference, if one does."""
    if not extra:
        return "every test clip must be there; a method that failed on one may give constant scores"
    if len(renamed) > len(extra):
        return f"clips are counted from {quoted(expected[0])} to {quoted(expected[-1])}, not from 0"
    if renamed:
        given, meant = next(iter(renamed.items()))
        return f"clips are named as in the data set: {quoted(given)} should be {quoted(meant)}"
    near = nearest_name(extra[0], missing or expected)
    known = f"known: {shortened(expected, _MOST_LISTED, between=', ')}"
    meant = f"; did you mean {quoted(near)}?" if near else ""
    return f"{quoted(extra[0])} is no test clip of the data set{meant or ';'} {known}"


def clip_faults(layout: ClipLayout, clip: Clip, source: str) -> Iterator[Fault]:
    """S104 and S105: the arrays have the frames and the size of their clip; ``source`` says who knows them."""
    if layout.map_shape is not None:
        where = layout.arrays[PredictionKind.SCORE_MAPS][""].where
        yield from map_shape_faults(where, clip, layout.map_shape, source)
    reader = layout.arrays.get(PredictionKind.FRAME_SCORES, {}).get("")
    if reader is not None and reader.shape[0] != clip.frames:
        yield frame_count_fault(reader.where, clip, reader.shape[0], source)


class FrameCounts:
    """Frames of all clips, by kind of prediction: together they tell why some are wrong."""

    def __init__(self) -> None:
        self._counts: dict[PredictionKind, list[FrameCount]] = {}

    def add(self, layout: ClipLayout, clip: Clip) -> None:
        """Count the frames of a clip, right or wrong."""
        shape = layout.map_shape
        # Axes in another order are their own mistake, and tell nothing of frames.
        if shape is not None and turned_axes(shape, (clip.frames, clip.height, clip.width)) is None:
            self._add(PredictionKind.SCORE_MAPS, FrameCount(layout.clip_id, clip.frames, shape[0]))
        reader = layout.arrays.get(PredictionKind.FRAME_SCORES, {}).get("")
        if reader is not None:
            self._add(PredictionKind.FRAME_SCORES, FrameCount(layout.clip_id, clip.frames, reader.shape[0]))

    def _add(self, kind: PredictionKind, count: FrameCount) -> None:
        self._counts.setdefault(kind, []).append(count)

    def hints(self) -> dict[PredictionKind, str]:
        """The hint for each kind in which a count is wrong."""
        return {
            kind: count_hint(counts, kind)
            for kind, counts in self._counts.items()
            if any(count.missing for count in counts)
        }


def _explained(fault: Fault, hints: Mapping[PredictionKind, str]) -> SubmissionError:
    """Error of a fault, with the hint that follows from all clips where it is S104 about an array."""
    error = fault.error
    hint = hints.get(PredictionKind(error.where[-1])) if fault.frames is not None else None
    if hint is None:
        return error
    return problem(error.code, where=error.where, expected=error.expected, got=error.got, hint=hint)


def frame_count_fault(where: tuple[str, ...], clip: Clip, got: int, source: str) -> Fault:
    """S104 about an array of a clip."""
    error = frame_count_differs(where, clip.frames, got, source)
    return Fault(error, frames=FrameCount(clip.id, clip.frames, got))


def map_shape_faults(where: tuple[str, ...], clip: Clip, shape: tuple[int, int, int], source: str) -> Iterator[Fault]:
    """S104 and S105 about score maps (T, H, W)."""
    expected = (clip.frames, clip.height, clip.width)
    if (order := turned_axes(shape, expected)) is not None:
        # Two errors would both be right, and neither would say what is the matter.
        n_frames = shape[order[0]]
        call = f"maps.transpose({', '.join(map(str, order))})"
        yield Fault(
            problem(
                "S105",
                where=where,
                expected=f"{expected}, axes (T, H, W) ({source})",
                got=str(shape) + ("" if n_frames == clip.frames else f": {n_frames} frames"),
                hint=f"the axes are in another order: {call} puts it right",
            )
        )
        return
    if shape[0] != clip.frames:
        yield frame_count_fault(where, clip, shape[0], source)
    if shape[1:] != expected[1:]:
        yield Fault(frame_size_differs(where, expected[1:], shape[1:]))


def turned_axes(shape: tuple[int, ...], expected: tuple[int, ...]) -> tuple[int, ...] | None:
    """Order of the axes (T, H, W) in a shape where the frames are not first; None where they are, or may be.

    Height and width say where they are; the number of frames may be wrong besides.
    """
    height, width = expected[1:]
    if tuple(shape[1:]) in {(height, width), (width, height)} or shape[0] not in {height, width}:
        return None
    for order in ((2, 0, 1), (2, 1, 0), (1, 0, 2), (1, 2, 0)):
        if (shape[order[1]], shape[order[2]]) == (height, width):
            return order
    return None


def commonest(layouts: Iterable[ClipLayout]) -> Mapping[PredictionKind, ClipLayout]:
    """A clip for each kind that has it in the form (arrays and dtypes) of most clips, the first where several are.

    One clip that differs is the wrong one, and not all the others, wherever it stands.
    """
    forms: dict[PredictionKind, Counter[tuple[tuple[str, str], ...]]] = {}
    examples: dict[tuple[PredictionKind, tuple[tuple[str, str], ...]], ClipLayout] = {}
    for layout in layouts:
        for kind, arrays in layout.arrays.items():
            form = tuple(sorted((name, reader.meta.data_type) for name, reader in arrays.items()))
            forms.setdefault(kind, Counter())[form] += 1
            examples.setdefault((kind, form), layout)
    return {kind: examples[kind, counter.most_common(1)[0][0]] for kind, counter in forms.items()}


def uncommon(layout: ClipLayout, common: Mapping[PredictionKind, ClipLayout]) -> list[SubmissionError]:
    """Errors S107 and S108 about a clip whose kinds have another form than is `commonest`."""
    return [error for kind in layout.kinds if kind in common for error in _difference(layout, common[kind], kind)]


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
        if name in there and here[name].meta.data_type != there[name].meta.data_type
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
    """Error S104 about an array; its hint knows nothing of the other clips."""
    return problem(
        "S104",
        where=where,
        expected=f"{expected} frames ({source})",
        got=f"{got} frames",
        hint=count_hint([FrameCount("", expected, got)], where[-1]),
    )


def own_differences(layout: ClipLayout) -> list[SubmissionError]:
    """Errors S104 that are seen without the data set: frame scores that are not as many as the score maps."""
    scores = layout.arrays.get(PredictionKind.FRAME_SCORES, {}).get("")
    if scores is None or layout.map_shape is None or scores.shape[0] == layout.map_shape[0]:
        return []
    return [frame_count_differs(scores.where, layout.map_shape[0], scores.shape[0], "the score maps of the clip")]


def frame_size_differs(where: tuple[str, ...], expected: tuple[int, ...], got: tuple[int, ...]) -> SubmissionError:
    """Error S105 about score maps; sizes are (H, W)."""
    swapped = got == expected[::-1] and got != expected
    return problem(
        "S105",
        where=where,
        expected=f"height {expected[0]}, width {expected[1]}",
        got=f"height {got[0]}, width {got[1]}",
        hint="height and width are swapped: the axes are (T, H, W); maps.transpose(0, 2, 1) puts it right"
        if swapped
        else "the maps are resized to the size of the original frames: in your code, or with\n"
        "`vadbench convert --resize bilinear`",
    )
