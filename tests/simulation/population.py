"""A made population of clips with the scores of two methods on them, of which data sets are drawn.

The score on the whole population is the true one. Clips differ in difficulty with heavy tails, methods find the same
clips hard, and clips of one scene can be alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from vadbench import Protocol, Report, Signature
from vadbench.comparison import ReportStatistics
from vadbench.evaluation.report import ClipRow, DatasetIdentity, Score
from vadbench.evaluation.report_statistics import ObjectCounts, PixelCounts
from vadbench.evaluation.statistics_values import statistics_values

METRICS = ("pixel_auroc", "pixel_ap", "pixel_f1", "rbdc", "frame_auroc_macro")
SCENE_SIZES = (34, 12, 10, 10, 9, 8, 8, 6, 5, 3, 1, 1)
"""Clips of each scene: those of ShanghaiTech's test clips, 107 in all."""

_EDGES = np.linspace(7.0, -4.0, 56)
_MEAN_SKILL = (1.7, 1.5)
_SAME_DIFFICULTY = 0.7
"""Share of the variance of skill that both methods have in common."""
_FRAMES = 180


@dataclass(frozen=True)
class Method:
    """Counts of one method on every clip of the population, by level, and its per-clip values."""

    positives: np.ndarray
    negatives: np.ndarray
    regions: np.ndarray
    false_positives: np.ndarray
    clip_values: np.ndarray


@dataclass(frozen=True)
class Population:
    """Two methods on the clips of many scenes; `first_clip` (S + 1,) says where the clips of each scene begin."""

    methods: tuple[Method, Method]
    first_clip: np.ndarray


def heavy(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of mean 0 and variance 1 with heavy tails: Student's t with 4 degrees of freedom."""
    return rng.standard_t(4, shape) / np.sqrt(2)


def made_population(seed: int, n_scenes: int, *, scene_share: float) -> Population:
    """Population of scenes, whose numbers of clips are drawn from `SCENE_SIZES`.

    Parameters
    ----------
    seed : int
    n_scenes : int
    scene_share : float
        Share of the variance of everything that clips of one scene have in common; 0 for independent clips.
    """
    rng = np.random.default_rng(seed)
    sizes = rng.choice(SCENE_SIZES, n_scenes)
    scene = np.repeat(np.arange(n_scenes), sizes)

    def effect() -> np.ndarray:
        shared, own = heavy(rng, (n_scenes,))[scene], heavy(rng, (scene.size,))
        return np.sqrt(scene_share) * shared + np.sqrt(1 - scene_share) * own

    difficulty = effect()
    n_positive = np.exp(rng.normal(9, 1, scene.size))
    n_regions = 10 + rng.negative_binomial(2, 0.03, scene.size)
    methods = []
    for mean in _MEAN_SKILL:
        skill = mean + 0.7 * (np.sqrt(_SAME_DIFFICULTY) * difficulty + np.sqrt(1 - _SAME_DIFFICULTY) * effect())
        background = 0.35 * effect()
        positives = np.rint(n_positive[:, None] * _shares(skill + background))
        negatives = np.rint(1e6 * _shares(background))
        regions = rng.multinomial(n_regions, _shares(skill + background - 0.5))
        false_positives = rng.poisson(3.0 * _FRAMES * _shares(background))
        clip_values = norm.cdf(skill / np.sqrt(2))
        methods.append(
            Method(*(a.astype(np.int64) for a in (positives, negatives, regions, false_positives)), clip_values)
        )
    return Population((methods[0], methods[1]), np.concatenate([[0], np.cumsum(sizes)]))


def _shares(mean: np.ndarray) -> np.ndarray:
    """Share of scores around each mean that lies in each bin, highest first, (C, L + 1); rows add up to 1."""
    below = norm.cdf(_EDGES[None, :] - mean[:, None])
    return np.diff(1 - below, axis=1, prepend=0.0, append=1.0)


def drawn(
    population: Population, clips: np.ndarray, clip_ids: tuple[str, ...]
) -> list[tuple[Report, ReportStatistics]]:
    """Report and statistics of both methods on some clips."""
    return [_beside(method, clips, clip_ids) for method in population.methods]


_IDENTITY = DatasetIdentity(id="shanghaitech", fingerprint="0" * 64, clips=1, frames=1, tracks="mask-overlap")
_SIGNATURE = str(Signature("shanghaitech", "0" * 8, "mask-overlap", Protocol.preset("standard"), "0"))


def _beside(method: Method, clips: np.ndarray, clip_ids: tuple[str, ...]) -> tuple[Report, ReportStatistics]:
    rows = [
        ClipRow.model_construct(
            id=name, frames=_FRAMES, scores={"frame_auroc_macro": Score.model_construct(value=value)}
        )
        for name, value in zip(clip_ids, method.clip_values[clips].tolist(), strict=True)
    ]
    report = Report.model_construct(
        signature=_SIGNATURE,
        dataset=_IDENTITY,
        submission={"fingerprint": ""},
        scores={key: Score.model_construct(value=0.0) for key in METRICS},
        clips=rows,
        curves={},
    )
    none, frames = np.zeros((clips.size, _EDGES.size + 1)), np.full(clips.size, _FRAMES)
    pixels = PixelCounts(_EDGES, method.positives[clips], method.negatives[clips], none, np.ones(clips.size, dtype=int))
    # Every region is a track of its own; TBDC is not looked at.
    regions = method.regions[clips]
    objects = ObjectCounts(_EDGES, regions, regions, method.false_positives[clips], frames)
    statistics = ReportStatistics(_SIGNATURE, "", clip_ids, frames, pixels=pixels, objects=objects)
    found = statistics_values(report, statistics)
    scores = {key: Score.model_construct(value=found.get(key, 0.0)) for key in METRICS}
    return report.model_copy(update={"scores": scores}), statistics
