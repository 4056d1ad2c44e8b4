"""Several methods on one data set: intervals, paired differences, the permutation test and rank ranges together.

Source: docs/statistics.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.comparison.clips_behind import FEWEST_BEHIND, clips_behind, n_behind
from vadbench.comparison.intervals import ROUNDING, interval, paired_interval
from vadbench.comparison.metric_values import ORDER, Values, check_beside, per_clip_values, replicates, wanted_keys
from vadbench.comparison.permutation import SignFlip, holm, sign_flips
from vadbench.comparison.plain_words import (
    PairVerdict,
    Tested,
    behind_in_words,
    incomplete,
    left_out,
    remarks,
    same_predictions,
    undecided,
)
from vadbench.comparison.ranks import rank_ranges
from vadbench.comparison.resampling import (
    Unit,
    check_numbers,
    fewest_resamples,
    scenes_known,
    scenes_of,
    why_not_resampled,
)
from vadbench.comparison.results import Comparison, Difference, ScoreEstimate
from vadbench.errors import UsageError, did_you_mean, quoted
from vadbench.evaluation.executors import Progress
from vadbench.evaluation.report import Report
from vadbench.evaluation.report_statistics import ReportStatistics
from vadbench.protocol.explanation import explain_difference
from vadbench.protocol.titles import metric_titles

Named = Mapping[str, tuple[Report, ReportStatistics]]


def compare(
    named: Named,
    *,
    metrics: str | Sequence[str] = "all",
    resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
    flips: int = 20_000,
    baseline: str | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compare methods on the clips of one data set.

    Parameters
    ----------
    named : mapping from name to (Report, ReportStatistics)
        In the order of tables; of one method there are intervals alone.
    metrics : str or sequence of str
        ``all``, one key, or several.
    resamples, seed
        Of the bootstrap; see `resampled_weights`.
    confidence : float
    flips : int
        Random signs of the test, where there are too many clips for all.
    baseline : str, optional
        Name of the method that every other is compared with; without it, all pairs are compared.
    progress : callable, optional
        Called with the steps done, all steps, and the method or metric that is worked on.

    Returns
    -------
    Comparison

    Raises
    ------
    UsageError
        U120, U260, U265 as `replicates`; U267 where the scores are not comparable; U268 where the baseline is none of
        the names, or nothing is given.
    """
    check_numbers(resamples=resamples, seed=seed, confidence=confidence, flips=flips)
    _check_comparable(named)
    if baseline is not None and baseline not in named:
        raise UsageError("U268", f"no report is named {quoted(baseline)}", hint=did_you_mean(baseline, named))
    report, statistics = next(iter(named.values()))
    identity = report.dataset.id, statistics.clip_ids
    reasons = {unit: why_not_resampled(*identity, unit) for unit in Unit}
    if resamples < fewest_resamples(confidence):
        too_few = f"{resamples} resamples are too few for this confidence"
        reasons = {unit: reason or too_few for unit, reason in reasons.items()}
    units = [unit for unit, reason in reasons.items() if reason is None]
    n_steps = len(named) * len(units) + len(wanted_keys(report, metrics))
    told = iter(range(n_steps + len(ORDER)))

    def tell(what: str) -> None:
        done = next(told)
        if progress is not None:
            progress(done, max(n_steps, done + 1), what)

    behind = {name: clips_behind(*own) for name, own in named.items()}
    made: dict[Unit, dict[str, Values]] = {unit: {} for unit in units}
    for name, own in named.items():
        for unit in units:
            tell(name)
            rows = replicates(*own, metrics=metrics, resamples=resamples, seed=seed, unit=unit)
            made[unit][name] = {
                key: values
                for key, values in rows.items()
                if n_behind(*identity, behind[name][key], unit) >= FEWEST_BEHIND
            }
    present = {name: wanted_keys(own, metrics) for name, (own, _) in named.items()}
    titles = {
        key: title
        for key, title in metric_titles(report.parsed_signature.protocol).items()
        if any(key in keys for keys in present.values())
    }
    settings = {"confidence": confidence, "seed": seed}
    estimates = {key: _estimates(key, named, made, settings) for key in titles}
    pairs = list(combinations(named, 2))
    if baseline is not None:
        pairs = [(name, baseline) for name in named if name != baseline]
    scenes = np.array(scenes_of(*identity)) if Unit.SCENES in made else None
    differences: list[Difference] = []
    for key, title in titles.items():
        tell(title)
        differences += _differences(key, pairs, named, made, settings, flips, estimates[key], scenes)
    return Comparison(
        signature=report.signature,
        dataset=report.dataset.id,
        names=tuple(named),
        baseline=baseline,
        titles=titles,
        n_clips=len(statistics.clip_ids),
        n_scenes=len(set(scenes_of(*identity))) if scenes_known(report.dataset.id) else None,
        resamples=resamples,
        seed=seed,
        flips=flips,
        confidence=confidence,
        estimates=estimates,
        differences=tuple(differences),
        no_clips=reasons[Unit.CLIPS],
        no_scenes=reasons[Unit.SCENES],
        remarks=(
            *same_predictions({name: own.fingerprint for name, (_, own) in named.items()}),
            *undecided(
                [PairVerdict(titles[own.metric], own.clips, own.scenes, own.alike) for own in differences],
                n_methods=len(named),
            ),
            *_about_missing(titles, estimates, behind, units, identity, resamples),
            *remarks(
                *identity,
                n_pairs=len(pairs),
                tests=_tested(titles, differences, "test"),
                scene_tests=_tested(titles, differences, "scene_test"),
                ranked=any(own.ranks is not None for row in estimates.values() for own in row.values()),
                resamples=resamples,
                seed=seed,
                confidence=confidence,
                flips=flips,
                effect=max((abs(own.effect or 0.0) for row in estimates.values() for own in row.values()), default=0),
            ),
        ),
    )


def _about_missing(
    titles: Mapping[str, str],
    estimates: Mapping[str, Mapping[str, ScoreEstimate]],
    behind: Mapping[str, Mapping[str, NDArray[np.bool_]]],
    units: Sequence[Unit],
    identity: tuple[str, tuple[str, ...]],
    resamples: int,
) -> tuple[str, ...]:
    """What the statistics, the clips behind a score, and resamples lack."""
    missing = {
        name: [title for key, title in titles.items() if name in estimates[key] and key not in own]
        for name, own in behind.items()
    }
    found = [*incomplete(missing)]
    for unit in units:
        numbers = {
            title: [n_behind(*identity, behind[name][key], unit) for name in estimates[key] if key in behind[name]]
            for key, title in titles.items()
        }
        whole = len(identity[1] if unit is Unit.CLIPS else set(scenes_of(*identity)))
        found += behind_in_words({title: min(own) for title, own in numbers.items() if own}, whole, unit)
    undefined = {
        title: max(
            own.undefined for row in estimates[key].values() for own in (row.clips, row.scenes) if own is not None
        )
        for key, title in titles.items()
        if any(row.clips or row.scenes for row in estimates[key].values())
    }
    return (*found, *left_out(undefined, resamples))


def _tested(titles: Mapping[str, str], differences: Sequence[Difference], which: str) -> list[Tested]:
    """Of each metric the number of its tests and the one that could have said most."""
    found = []
    for key, title in titles.items():
        tests: list[SignFlip] = [getattr(own, which) for own in differences if own.metric == key if getattr(own, which)]
        if tests:
            found.append(Tested(title, len(tests), min(tests, key=lambda own: own.least_p)))
    return found


def _check_comparable(named: Named) -> None:
    if not named:
        raise UsageError("U268", "there is nothing to compare", hint="give at least one report")
    first_name, (first, first_statistics) = next(iter(named.items()))
    for name, (report, statistics) in named.items():
        check_beside(report, statistics)
        ours, theirs = first.parsed_signature, report.parsed_signature
        same_clips = first_statistics.clip_ids == statistics.clip_ids
        if not ours.comparable(theirs) or not same_clips:
            lines = explain_difference(ours, theirs) or ["A and B have other clips."]
            raise UsageError(
                "U267",
                "the scores are not comparable",
                where=f"A is {quoted(first_name)}, B is {quoted(name)}",
                expected=f"one signature but for the program's version: {first.signature}",
                got="\n".join([report.signature, *lines]),
                hint="score both under one protocol and on one copy of the data set",
            )


def _estimates(
    key: str, named: Named, made: Mapping[Unit, Mapping[str, Values]], settings: Mapping[str, Any]
) -> dict[str, ScoreEstimate]:
    found = {}
    for name, (report, statistics) in named.items():
        value = report.value(key)
        if value is None:
            continue
        intervals = {
            unit: interval(rows[name][key], unit=unit, **settings)
            for unit, rows in made.items()
            if _somewhere(rows[name], key)
        }
        effect = (statistics.effect or {}).get(key)
        found[name] = ScoreEstimate(value, effect, intervals.get(Unit.CLIPS), intervals.get(Unit.SCENES))
    for rows in made.values():
        ranked = [name for name in found if key in rows[name]]
        ranges = rank_ranges([rows[name][key] for name in ranked], confidence=settings["confidence"])
        for name, own in zip(ranked, ranges, strict=True):
            before = found[name].ranks or own
            found[name] = replace(found[name], ranks=(min(before[0], own[0]), max(before[1], own[1])))
    return found


def _somewhere(rows: Values, key: str) -> bool:
    """Whether a metric has a value in one resample at least."""
    return key in rows and not np.isnan(rows[key]).all()


def _alike(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    return bool(np.allclose(first, second, rtol=0, atol=ROUNDING, equal_nan=True))


def _differences(
    key: str,
    pairs: Sequence[tuple[str, str]],
    named: Named,
    made: Mapping[Unit, Mapping[str, Values]],
    settings: Mapping[str, Any],
    flips: int,
    estimates: Mapping[str, ScoreEstimate],
    scenes: NDArray[np.str_] | None,
) -> list[Difference]:
    own_values = {name: per_clip_values(report, key) for name, (report, _) in named.items()}
    found: list[Difference] = []
    by_clips: list[NDArray[np.float64]] = []
    by_scenes: list[NDArray[np.float64]] = []
    for first, second in pairs:
        if first not in estimates or second not in estimates:
            continue
        intervals = {
            unit: paired_interval(rows[first][key], rows[second][key], unit=unit, **settings)
            for unit, rows in made.items()
            if _somewhere(rows[first], key) and _somewhere(rows[second], key)
        }
        alike = [_alike(rows[first][key], rows[second][key]) for unit, rows in made.items() if unit in intervals]
        by_clip = own_values[first] - own_values[second]
        # Rounding of one sign would be significant on many clips.
        by_clip[np.abs(by_clip) <= ROUNDING] = 0.0
        there = ~np.isnan(by_clip)
        by_clips.append(by_clip[there])
        if scenes is not None and there.any():
            # A sign for a whole scene: the sums of the scenes' differences are what is flipped.
            _, scene = np.unique(scenes[there], return_inverse=True)
            by_scenes.append(np.bincount(scene, weights=by_clip[there]).astype(np.float64))
        else:
            by_scenes.append(by_clip[:0])
        found.append(
            Difference(
                metric=key,
                first=first,
                second=second,
                value=estimates[first].value - estimates[second].value,
                clips=intervals.get(Unit.CLIPS),
                scenes=intervals.get(Unit.SCENES),
                mean_of_clips=float(by_clip[there].mean()) if there.any() else None,
                alike=bool(alike) and all(alike),
            )
        )
    tests, scene_tests = (_tests(rows, settings["seed"], flips) for rows in (by_clips, by_scenes))
    adjusted, scene_adjusted = _adjusted(tests), _adjusted(scene_tests)
    return [
        replace(
            own,
            test=tests[index],
            adjusted_p=adjusted.get(index),
            scene_test=scene_tests[index],
            adjusted_scene_p=scene_adjusted.get(index),
        )
        for index, own in enumerate(found)
    ]


def _tests(rows: Sequence[NDArray[np.float64]], seed: int, flips: int) -> list[SignFlip | None]:
    """A test of each row of differences; None of an empty one."""
    tested = iter(sign_flips([own for own in rows if own.size], seed=seed, flips=flips))
    return [next(tested) if own.size else None for own in rows]


def _adjusted(tests: Sequence[SignFlip | None]) -> dict[int, float]:
    """Holm's p of the tests that there are, by their place."""
    p_values = {index: test.p for index, test in enumerate(tests) if test is not None}
    return dict(zip(p_values, holm(list(p_values.values())).tolist(), strict=True))
