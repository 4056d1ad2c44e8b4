"""What a comparison can say and cannot, in plain words: how few clips decide how little.

Source: docs/statistics.md, "What few clips can decide".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vadbench.comparison.clips_behind import FEWEST_BEHIND
from vadbench.comparison.intervals import Interval
from vadbench.comparison.permutation import MOST_EXACT, SignFlip, least_exact_p
from vadbench.comparison.resampling import Unit, fewest_resamples, scenes_of, why_not_resampled

LEVEL = 0.05
"""Level of the tests that the words speak of."""

MEASURED_OF_TWELVE = (84, 91)
"""Least and greatest measured coverage, per cent, of nominal 95 % intervals of 12 clips or scenes."""

_HARDLY_ANY, _FEW = 8, 50
"""Clips or scenes below which intervals say hardly anything, and below which they are clearly too short."""


@dataclass(frozen=True)
class Tested:
    """The tests of one metric, as far as words need them.

    Parameters
    ----------
    title : str
        Of the metric.
    n_pairs : int
        Pairs that were tested: the family of Holm's correction.
    most_telling : SignFlip
        The test with the least p that it could have had.
    """

    title: str
    n_pairs: int
    most_telling: SignFlip


@dataclass(frozen=True)
class PairVerdict:
    """What resampling says of one pair in one metric.

    Parameters
    ----------
    title : str
        Of the metric.
    clips, scenes : Interval or None
        Of the difference.
    alike : bool
        Whether both have the same value in every resample.
    """

    title: str
    clips: Interval | None
    scenes: Interval | None
    alike: bool = False


def remarks(
    dataset_id: str,
    clip_ids: Sequence[str],
    *,
    n_pairs: int,
    tests: Sequence[Tested] | None = None,
    scene_tests: Sequence[Tested] = (),
    resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
    flips: int = 20_000,
    effect: float = 0.0,
    ranked: bool = True,
) -> tuple[str, ...]:
    """Sentences for the foot of a table or a ranking.

    Parameters
    ----------
    dataset_id : str
    clip_ids : sequence of str
    n_pairs : int
        Pairs of methods that are compared; 0 where there is one method.
    tests, scene_tests : sequence of Tested, optional
        By clips, and by scenes. Without `tests`, what all clips and scenes allow for `n_pairs` pairs.
    resamples, seed, confidence, flips
        As they were used.
    effect : float
        Largest effect of the levels of the statistics on a score, a fraction.
    ranked : bool
        Whether any row has a range of ranks.

    Returns
    -------
    tuple of str
    """
    found = [*_about_intervals(dataset_id, clip_ids, resamples, seed, confidence)]
    without = why_not_resampled(dataset_id, clip_ids, Unit.CLIPS) is not None
    if effect >= 5e-5 and not without:  # half a digit of a table
        found.append(
            "Resamples are scored from counts on levels of score, which move a score by up to "
            f"{100 * effect:.2f} points; that much is taken off again."
        )
    if n_pairs:
        if tests is None:
            n_scenes = len(set(scenes_of(dataset_id, clip_ids)))
            found.append(f"{_clips(len(clip_ids))}: {least_p_in_words(len(clip_ids), n_pairs, flips)}")
            if n_scenes > 1:
                found.append(f"{n_scenes} scenes: {least_p_in_words(n_scenes, n_pairs, flips)}")
        else:
            found += [*_about_tests(tests, "clip"), *_about_tests(scene_tests, "scene")]
        found.append(_ABOUT_THE_TEST)
        found.append(
            "A difference that could not be shown is not known to be absent: too few clips give the same picture."
        )
        if ranked and not without and resamples >= fewest_resamples(confidence):
            by_scene = why_not_resampled(dataset_id, clip_ids, Unit.SCENES) is None
            found.append(
                "Ranks follow from the paired intervals one pair at a time, without a correction for the number of "
                f"pairs{'; a range holds what resamples of clips or of scenes leave open' if by_scene else ''}."
            )
    return tuple(found)


_ABOUT_THE_TEST = (
    'The test is of the mean of the clips\' own values ("per clip"), whatever the score pools: methods have other '
    "scales of score, so that their clips cannot be swapped in one pool. Holm's correction is over the pairs of one "
    "metric; whoever looks at every metric looks more often."
)


def _clips(n: int) -> str:
    return f"{n} {'clip' if n == 1 else 'clips'}"


def undecided(verdicts: Sequence[PairVerdict], *, n_methods: int) -> tuple[str, ...]:
    """Say of how many pairs it is not known which is the better, and which are the same.

    Parameters
    ----------
    verdicts : sequence of PairVerdict
    n_methods : int
        That are compared.
    """
    by_title: dict[str, list[PairVerdict]] = {}
    for own in verdicts:
        by_title.setdefault(own.title, []).append(own)
    # Either interval is enough: the wider one counts.
    alike = {title: [own.alike for own in pairs] for title, pairs in by_title.items()}
    open_pairs = {
        title: [
            not own.alike and any(unit is not None and unit.holds_zero for unit in (own.clips, own.scenes))
            for own in pairs
        ]
        for title, pairs in by_title.items()
    }
    found = []
    if words := _counted_pairs(open_pairs, n_methods):
        found.append(
            f"Which of the two is better is not known in {words}: the interval of the difference holds 0."
            if n_methods == 2
            else "Pairs of which it is not known which is better, since the interval of the difference holds 0: "
            f"{words}."
        )
    if words := _counted_pairs(alike, n_methods):
        found.append(
            f"The two have the same value in every resample in {words}."
            if n_methods == 2
            else f"Pairs with the same value in every resample: {words}."
        )
    return tuple(found)


def same_predictions(fingerprints: Mapping[str, str]) -> tuple[str, ...]:
    """Say which methods, by name, have the same predictions."""
    groups: dict[str, list[str]] = {}
    for name, fingerprint in fingerprints.items():
        groups.setdefault(fingerprint, []).append(name)
    alike = [names for names in groups.values() if len(names) > 1]
    return tuple(f"{', '.join(names[:-1])} and {names[-1]} are scores of the same predictions." for names in alike)


def incomplete(missing: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Say which statistics hold nothing of which metrics; names of methods to titles of metrics."""
    return tuple(
        f"The statistics beside {name} hold nothing of {', '.join(titles)}: they are older than the report, or of "
        "fewer metrics; score again with --statistics."
        for name, titles in missing.items()
        if titles
    )


def behind_in_words(numbers: Mapping[str, int], whole: int, unit: Unit) -> tuple[str, ...]:
    """Say which metrics rest on fewer clips, or scenes, than are resampled.

    Parameters
    ----------
    numbers : mapping from a metric's title to a number
    whole : int
        All clips, or scenes.
    unit : Unit
    """
    fewer = {title: n for title, n in numbers.items() if n < whole}
    found = []
    if fewer:
        listed = ", ".join(f"{title} on {n}" for title, n in fewer.items())
        found.append(f"Some scores rest on fewer than all {whole} {unit}: {listed}.")
    none = [title for title, n in numbers.items() if n < FEWEST_BEHIND]
    if none:
        found.append(f"Of fewer than {FEWEST_BEHIND} {unit} there is no interval and no rank: {', '.join(none)}.")
    hardly = [title for title, n in fewer.items() if FEWEST_BEHIND <= n < _HARDLY_ANY <= whole]
    if hardly:
        found.append(f"Of fewer than {_HARDLY_ANY} {unit} do not rely on intervals and ranks: {', '.join(hardly)}.")
    return tuple(found)


def left_out(undefined: Mapping[str, int], resamples: int) -> tuple[str, ...]:
    """Say how many resamples have no value; titles of metrics to the most of any method."""
    there = [f"{title} {n} of {resamples}" for title, n in undefined.items() if n]
    return (f"Resamples without a value are left out: {', '.join(there)}.",) if there else ()


def _counted_pairs(chosen: Mapping[str, Sequence[bool]], n_methods: int) -> str:
    """Metrics with such pairs, and of more than two methods how many; empty where there are none."""
    there = {title: pairs for title, pairs in chosen.items() if any(pairs)}
    if n_methods != 2:
        return ", ".join(f"{title} {sum(pairs)} of {len(pairs)}" for title, pairs in there.items())
    return "every metric here" if len(there) == len(chosen) > 1 else ", ".join(there)


def _about_intervals(
    dataset_id: str, clip_ids: Sequence[str], resamples: int, seed: int, confidence: float
) -> list[str]:
    no_clips, no_scenes = (why_not_resampled(dataset_id, clip_ids, unit) for unit in Unit)
    if no_clips is not None:
        return [f"There are no intervals, because {no_clips}."]
    fewest = fewest_resamples(confidence)
    if resamples < fewest:
        # Printed in full: rounding could make 100 % of a confidence below 1.
        return [
            f"{resamples} {'resample is' if resamples == 1 else 'resamples are'} too few for intervals of "
            f"{100 * confidence:.15g} %, which need {fewest}: there are no intervals and no ranks."
        ]
    n_scenes = len(set(scenes_of(dataset_id, clip_ids)))
    found = [
        f"Intervals of {100 * confidence:g} %: percentile bootstrap over {len(clip_ids)} clips, {resamples} resamples, "
        f"seed {seed}."
    ]
    if no_scenes is not None:
        found.append(f"There is no interval over scenes, because {no_scenes}.")
    else:
        found.append(
            f"Clips of one camera are alike, and are not {len(clip_ids)} independent observations: trust what is "
            f"resampled or flipped by scene ({n_scenes}) where it is less sure."
        )
    fewest = len(clip_ids) if no_scenes is not None else min(len(clip_ids), n_scenes)
    if fewest < _HARDLY_ANY:
        found.append(
            f"Intervals of {fewest} clips or scenes are hardly more than the range of what was seen: do not rely on "
            "them, nor on ranks that follow from them."
        )
    elif fewest < _FEW:
        found.append(
            "With so few of them intervals are too short: of 95 % intervals of 12 clips or scenes "
            f"{MEASURED_OF_TWELVE[0]} to {MEASURED_OF_TWELVE[1]} % held the true value in a simulation "
            "(docs/statistics.md)."
        )
    return found


def _about_tests(tests: Sequence[Tested], unit: str) -> list[str]:
    """What the least p of each metric allows; metrics of which the same is to be said stand together."""
    said: dict[str, list[str]] = {}
    clips: dict[str, int] = {}
    for own in tests:
        words = _about_test(own)
        said.setdefault(words, []).append(own.title)
        clips[words] = own.most_telling.n
    found = []
    for words, titles in sorted(said.items(), key=lambda item: clips[item[0]]):
        of = "" if len(said) == 1 else f" ({', '.join(titles)})"
        found.append(f"{clips[words]} {unit}{'' if clips[words] == 1 else 's'}{of}{words}")
    return found


def _about_test(own: Tested) -> str:
    test = own.most_telling
    # All signs are tried of the differences other than 0 alone.
    differing = test.flips.bit_length() - 1 if test.exact else test.n
    if not differing:
        return ", none of which differ: nothing can be rejected."
    words = least_p_in_words(differing, own.n_pairs, test.flips)
    return f"{'' if differing == test.n else f', of which {differing} differ'}: {words}"


def p_text(p: float) -> str:
    """A p with two digits, and never with an exponent.

    >>> p_text(0.000488), p_text(1 / 20_001), p_text(1 / 1_000_001), p_text(1.0)
    ('0.00049', '0.00005', '0.000001', '1')
    """
    return np.format_float_positional(float(f"{p:.2g}"), trim="-")


def least_p_in_words(n_clips: int, n_pairs: int, flips: int = 20_000) -> str:
    """What the least p of a sign-flip test allows, such as "the smallest two-sided p is 2/4096 = 0.00049; …".

    >>> least_p_in_words(12, 105)
    'the smallest two-sided p is 2/4096 = 0.00049; after Holm over 105 pairs (0.051) nothing can be rejected at 0.05.'
    """
    if n_clips <= MOST_EXACT:
        least, written = least_exact_p(n_clips), f"2/{2**n_clips}"
    else:
        least, written = 1 / (flips + 1), f"1/{flips + 1} with {flips} random flips"
    smallest = f"the smallest two-sided p is {written} = {p_text(least)}"
    if n_pairs == 1:
        return f"{smallest}." if least < LEVEL else f"{smallest}: nothing can be rejected at {LEVEL}."
    smallest += f"; after Holm over {n_pairs} pairs"
    corrected = min(1.0, least * n_pairs)
    if corrected >= LEVEL:
        return f"{smallest} ({p_text(corrected)}) nothing can be rejected at {LEVEL}."
    return f"{smallest} it is {p_text(corrected)}."
