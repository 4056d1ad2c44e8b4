"""How often a nominal 95 % interval holds the true score, in data sets drawn from a made population."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from population import METRICS, SCENE_SIZES, Population, drawn

from vadbench.comparison import Unit, interval, paired_interval, replicates, values

Hits = dict[tuple[str, str, str], int]
"""Intervals that hold the truth, by (metric, score or difference, unit)."""


@dataclass(frozen=True)
class Setting:
    """How a data set is drawn: so many clips each on its own, or so many scenes with their clips."""

    n_clips: int = 0
    n_scenes: int = 0

    def units(self) -> tuple[Unit, ...]:
        return (Unit.CLIPS, Unit.SCENES) if self.n_scenes else (Unit.CLIPS,)


INDEPENDENT = (Setting(n_clips=12), Setting(n_clips=107))
SCENES = Setting(n_scenes=len(SCENE_SIZES))


def true_values(population: Population) -> tuple[dict[str, float], ...]:
    """Scores of both methods on the whole population."""
    clips = np.arange(population.first_clip[-1])
    ids = tuple(map(str, clips))
    found = (values(*own, np.ones((1, clips.size))) for own in drawn(population, clips, ids))
    return tuple({key: float(column[0]) for key, column in own.items()} for own in found)


def draw(rng: np.random.Generator, population: Population, setting: Setting) -> tuple[np.ndarray, tuple[str, ...]]:
    """Clips of a data set and their ids, which name the scenes."""
    if not setting.n_scenes:
        clips = rng.integers(0, population.first_clip[-1], setting.n_clips)
        return clips, tuple(f"01_{k:04d}" for k in range(setting.n_clips))
    scenes = rng.integers(0, population.first_clip.size - 1, setting.n_scenes)
    ranges = [np.arange(*population.first_clip[[scene, scene + 1]]) for scene in scenes]
    ids = tuple(f"{k:02d}_{n:04d}" for k, own in enumerate(ranges) for n in range(own.size))
    return np.concatenate(ranges), ids


def hits(
    population: Population,
    setting: Setting,
    *,
    seed: int,
    experiments: range,
    resamples: int,
    told: Callable[[int], None] = lambda _: None,
) -> Hits:
    """Count the intervals that hold the truth, in some experiments; each has a seed of its own."""
    truth = true_values(population)
    found = {
        (key, kind, str(unit)): 0 for key in METRICS for kind in ("score", "difference") for unit in setting.units()
    }
    for experiment in experiments:
        rng = np.random.default_rng([seed, experiment, setting.n_clips, setting.n_scenes])
        both = drawn(population, *draw(rng, population, setting))
        for unit in setting.units():
            rows = [replicates(*own, resamples=resamples, seed=experiment, unit=unit) for own in both]
            for key in METRICS:
                single = interval(rows[0][key], unit=unit)
                paired = paired_interval(rows[0][key], rows[1][key], unit=unit)
                found[key, "score", str(unit)] += single.low <= truth[0][key] <= single.high
                found[key, "difference", str(unit)] += paired.low <= truth[0][key] - truth[1][key] <= paired.high
        told(experiment)
    return found
