"""Densities of normal features: the rarer a feature among those of training boxes, the higher its score.

Source: tao.md, section 3: a Gaussian mixture for velocity, the nearest neighbour for embeddings and poses.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from baselines.tao.extras import required

Features = NDArray[np.floating[Any]]
"""Rows of numbers; of float32 where they are compared, which is as exact as neighbours look at them."""

Arrays = dict[str, NDArray[Any]]
_LEAST_VARIANCE = 1e-6


class DensityKind(StrEnum):
    """Which density."""

    GAUSSIAN_MIXTURE = "gaussian-mixture"
    NEAREST_NEIGHBOURS = "nearest-neighbours"

    @property
    def is_compared(self) -> bool:
        """Whether scoring compares with the training features one by one, so that fewer of them are faster."""
        return self is DensityKind.NEAREST_NEIGHBOURS


class Density(Protocol):
    """A density that was fitted."""

    def scores(self, features: Features) -> NDArray[np.float64]:
        """How rare each row of features (N, D) is, (N,); higher is rarer."""
        ...

    def arrays(self) -> Arrays:
        """What there is to keep of it, for `load_density`."""
        ...


@dataclass(frozen=True)
class MixtureDensity:
    """Negative log-likelihood under a mixture of Gaussians with full covariances.

    Parameters
    ----------
    weights : (K,) float64
    means : (K, D) float64
    covariances : (K, D, D) float64
    """

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]

    @classmethod
    def fit(cls, features: Features, components: int, seed: int) -> Self:
        """Fit scikit-learn's ``GaussianMixture``; fewer components where there are fewer rows, at least 1."""
        if len(features) == 1:
            # Scikit-learn wants two rows; the covariance is what it adds to every one.
            return cls(np.ones(1), features.astype(np.float64), _LEAST_VARIANCE * np.eye(features.shape[1])[None])
        mixture = required("sklearn.mixture", extra="tao").GaussianMixture(
            min(components, len(features)), covariance_type="full", random_state=seed, reg_covar=_LEAST_VARIANCE
        )
        with warnings.catch_warnings():
            # Where fewer rows differ than there are components, two components are the same: that does no harm.
            warnings.simplefilter("ignore", required("sklearn.exceptions", extra="tao").ConvergenceWarning)
            mixture.fit(features)
        return cls(mixture.weights_, mixture.means_, mixture.covariances_)

    def scores(self, features: Features) -> NDArray[np.float64]:
        """Negative log-likelihood of each row."""
        if not len(features):
            return np.empty(0)
        mixture = required("sklearn.mixture", extra="tao").GaussianMixture(len(self.weights), covariance_type="full")
        mixture.weights_, mixture.means_, mixture.covariances_ = self.weights, self.means, self.covariances
        lower = np.linalg.cholesky(self.covariances)
        mixture.precisions_cholesky_ = np.linalg.inv(lower).transpose(0, 2, 1)
        return np.asarray(-mixture.score_samples(features))

    def arrays(self) -> Arrays:
        """Weights, means, covariances."""
        return {"weights": self.weights, "means": self.means, "covariances": self.covariances}


@dataclass(frozen=True)
class NeighbourDensity:
    """Mean squared distance to the nearest training features.

    Parameters
    ----------
    features : (M, D) float32
        Training features, or a part of them.
    neighbours : int
    """

    features: NDArray[np.float32]
    neighbours: int

    def scores(self, features: Features) -> NDArray[np.float64]:
        """Mean squared distance of each row to its `neighbours` nearest."""
        if not len(features):
            return np.empty(0)
        count = min(self.neighbours, len(self.features))
        search = required("sklearn.neighbors", extra="tao").NearestNeighbors(n_neighbors=count, algorithm="brute")
        distances, _ = search.fit(self.features).kneighbors(features.astype(np.float32))
        return np.asarray((distances.astype(np.float64) ** 2).mean(axis=1))

    def arrays(self) -> Arrays:
        """The training features, and how many neighbours count."""
        return {"features": self.features, "neighbours": np.array(self.neighbours)}


def fit_density(kind: DensityKind, features: Features, *, components: int, neighbours: int, seed: int) -> Density:
    """Fit a density to features.

    Parameters
    ----------
    kind : DensityKind
    features : (N, D) float64 or float32
        N at least 1.
    components : int
        Gaussians of a mixture.
    neighbours : int
        Nearest neighbours that count.
    seed : int
        Of the mixture's first guess.
    """
    if kind is DensityKind.GAUSSIAN_MIXTURE:
        return MixtureDensity.fit(features, components, seed)
    return NeighbourDensity(features.astype(np.float32), neighbours)


def load_density(kind: DensityKind, arrays: Arrays) -> Density:
    """Density of what `Density.arrays` has kept; raises `KeyError` or `ValueError` where it is something else."""
    if any(array.dtype.kind not in "fi" or not np.isfinite(array).all() for array in arrays.values()):
        raise ValueError("a density of other things than finite numbers")
    if kind is DensityKind.GAUSSIAN_MIXTURE:
        weights, means, covariances = arrays["weights"], arrays["means"], arrays["covariances"]
        count, length = means.shape
        if weights.shape != (count,) or covariances.shape != (count, length, length):
            raise ValueError("a mixture whose parts do not fit each other")
        return MixtureDensity(weights, means, covariances)
    features, neighbours = arrays["features"], int(arrays["neighbours"].item())
    if features.ndim != 2 or not len(features) or neighbours < 1:
        raise ValueError("neighbours without features")
    return NeighbourDensity(features, neighbours)
