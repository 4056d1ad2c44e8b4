"""How often the sign-flip test calls two methods different that are not, at a level of 5 %."""

from __future__ import annotations

import numpy as np
from population import SCENE_SIZES, heavy
from scipy.stats import norm

from vadbench.comparison import sign_flip

LEVEL = 0.05

SITUATIONS = {
    "no difference": "two methods that err alike, clips independent: what the test assumes",
    "other spread": "equal true means, but one method errs three times as widely",
    "skewed": "equal true means, but rare clips on which one method fails",
    "scenes alike": "no difference, but clips of one scene err alike: clips are not independent",
}


def differences(rng: np.random.Generator, n_clips: int, situation: str) -> np.ndarray:
    """Per-clip values of one method less those of another, (n_clips,): AUROCs of clips that both find hard or easy."""
    difficulty = heavy(rng, (n_clips,))
    if situation == "skewed":
        # An exponential of mean 1 less its mean: most clips slightly above, a few far below.
        return 0.02 * (1 - rng.exponential(1.0, n_clips))
    if situation == "other spread":
        return 0.03 * heavy(rng, (n_clips,)) - 0.01 * heavy(rng, (n_clips,))
    shared = np.zeros((2, n_clips))
    if situation == "scenes alike":
        scene = np.repeat(np.arange(len(SCENE_SIZES)), SCENE_SIZES) if n_clips == sum(SCENE_SIZES) else None
        scene = np.arange(n_clips) // 4 if scene is None else scene
        shared = np.sqrt(0.3) * heavy(rng, (2, int(scene.max()) + 1))[:, scene]
    share = 0.7 if situation == "scenes alike" else 1.0
    errors = shared + np.sqrt(share) * heavy(rng, (2, n_clips))
    # A method's skill on a clip, and its AUROC there.
    own = norm.cdf((1.6 + 0.6 * difficulty + 0.4 * errors) / np.sqrt(2))
    return own[0] - own[1]


def rejections(n_clips: int, situation: str, *, pairs: int, seed: int, flips: int) -> int:
    """Pairs of methods, of so many, in which p ≤ 5 %."""
    found = 0
    for pair in range(pairs):
        rng = np.random.default_rng([seed, pair, n_clips, list(SITUATIONS).index(situation)])
        found += sign_flip(differences(rng, n_clips, situation), flips=flips).p <= LEVEL
    return found


def scene_rejections(*, pairs: int, seed: int) -> int:
    """The same of "scenes alike" at 107 clips, with one sign for all clips of a scene."""
    found, n_clips = 0, sum(SCENE_SIZES)
    first = np.cumsum(SCENE_SIZES) - np.array(SCENE_SIZES)
    for pair in range(pairs):
        rng = np.random.default_rng([seed, pair, n_clips, list(SITUATIONS).index("scenes alike")])
        own = differences(rng, n_clips, "scenes alike")
        found += sign_flip(np.add.reduceat(own, first)).p <= LEVEL
    return found
