"""The search: step by step through the grid, from the best candidate so far; every candidate is judged once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from baselines.simple.baseline import Progress, no_progress
from baselines.tao.scoring.settings import AttributeKind, ScoringSettings
from baselines.tao.selection.grid import SearchStage, SearchStep
from baselines.tao.selection.objective import Judgement
from baselines.tao.settings import TaoSettings

START = "preset"
"""Name of the step of the first candidate, with which the search begins."""


@dataclass(frozen=True)
class Candidate:
    """Settings that were tried.

    Parameters
    ----------
    number : int
        In order of trial, from 0.
    round : int
        Of the search, from 0.
    stage : SearchStage or None
        None for the start.
    step : str
    settings : TaoSettings
    judgement : Judgement
    """

    number: int
    round: int
    stage: SearchStage | None
    step: str
    settings: TaoSettings
    judgement: Judgement


def search_settings(
    start: TaoSettings,
    rounds: Sequence[Sequence[SearchStep]],
    judge: Callable[[TaoSettings], Judgement],
    progress: Progress = no_progress,
) -> list[Candidate]:
    """All candidates, in order of trial; `best_of` says which was chosen.

    Parameters
    ----------
    start : TaoSettings
    rounds : sequence of sequences of SearchStep
    judge : callable
        Settings to `Judgement`.
    progress : callable, optional
        Called with rows of the grid that are done.

    Notes
    -----
    A candidate that differs from an earlier one in nothing that counts is not tried again. A step moves on only where
    the objective rises; of equals the earlier candidate stays.
    """
    total = 1 + sum(len(step.rows) for steps in rounds for step in steps)
    candidates = [Candidate(0, 0, None, START, start, judge(start))]
    known = {_what_counts(start)}
    best, done = candidates[0], 1
    progress("trying settings", done, total)
    for number, steps in enumerate(rounds):
        for step in steps:
            for settings in step.candidates(best.settings):
                if (key := _what_counts(settings)) not in known:
                    known.add(key)
                    tried = Candidate(len(candidates), number, step.stage, step.name, settings, judge(settings))
                    candidates.append(tried)
                done += 1
                progress("trying settings", done, total)
            best = best_of(candidates)
    return candidates


def best_of(candidates: Sequence[Candidate]) -> Candidate:
    """The candidate of the highest objective, the earliest of equals."""
    return max(candidates, key=lambda candidate: (candidate.judgement.objective, -candidate.number))


def _what_counts(settings: TaoSettings) -> TaoSettings:
    """The same settings, where those of attributes that are not used have their defaults."""
    scoring, plain = settings.scoring, ScoringSettings()
    if AttributeKind.VELOCITY not in scoring.attributes:
        scoring = replace(
            scoring,
            directions=plain.directions,
            core=plain.core,
            velocity_components=plain.velocity_components,
        )
    if AttributeKind.SHAPE not in scoring.attributes:
        scoring = replace(scoring, shape_components=plain.shape_components)
    if not any(scoring.density_of(kind).is_compared for kind in scoring.attributes):
        scoring = replace(scoring, neighbours=plain.neighbours)
    classical = settings.segmentation.classical
    if classical.reach == 0:
        classical = replace(classical, vote=type(classical)().vote)
    return replace(settings, scoring=scoring, segmentation=replace(settings.segmentation, classical=classical))
