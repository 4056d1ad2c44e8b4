"""Settings of the scoring: which attributes there are, and how each is measured, learned and calibrated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from baselines.tao.choices import Choice
from baselines.tao.scoring.densities import DensityKind
from vadbench import UsageError


class AttributeKind(Choice):
    """Attributes of a box."""

    VELOCITY = "velocity"
    DEEP = "deep"
    POSE = "pose"
    SHAPE = "shape"


class EmbeddingKind(Choice):
    """Which embedding: ``hog`` needs no weights; the others need a file of weights."""

    HOG = "hog"
    TORCHVISION = "torchvision"
    TIMM = "timm"


@dataclass(frozen=True)
class ScoringSettings:
    """How boxes are scored.

    Parameters
    ----------
    attributes : tuple of AttributeKind
        Those whose calibrated scores are added.
    directions : int
        Bins of direction of the velocity.
    core : float
        Share of the fastest pixels of a box that count for its velocity, in (0, 1].
    velocity_components, shape_components : int
        Gaussians of the mixtures.
    embedding : EmbeddingKind
        Of the attribute "deep".
    embedding_model : str
        Name of the architecture, where the embedding needs weights: as torchvision (``resnet50``) or timm
        (``vit_base_patch16_clip_224``) calls it.
    embedding_weights, pose_weights : str
        Files of weights; "" for none.
    neighbours : int
        Nearest neighbours that count, for embeddings and poses.
    training_boxes : int
        Largest number of training boxes that embeddings and poses are compared with, drawn with `seed`.
    quantile : float
        Of normal scores; it becomes 1.
    seed : int
        Of what is drawn and of the mixtures' first guess; below 2**32.
    device : str
        Where models with weights run, as torch names it.

    Raises
    ------
    UsageError
        B205 for an unknown attribute or embedding, B220 for a value out of its range.
    """

    attributes: tuple[AttributeKind, ...] = (AttributeKind.VELOCITY, AttributeKind.DEEP)
    directions: int = 1
    core: float = 1.0
    velocity_components: int = 2
    shape_components: int = 2
    embedding: EmbeddingKind = EmbeddingKind.HOG
    embedding_model: str = ""
    embedding_weights: str = ""
    pose_weights: str = ""
    neighbours: int = 1
    training_boxes: int = 6_000
    quantile: float = 0.999
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "attributes", tuple(map(AttributeKind, self.attributes)))
        object.__setattr__(self, "embedding", EmbeddingKind(self.embedding))
        wrong = {
            "attributes": not self.attributes or len(set(self.attributes)) < len(self.attributes),
            "directions": self.directions < 1,
            "core": not 0.0 < self.core <= 1.0,
            "velocity_components": self.velocity_components < 1,
            "shape_components": self.shape_components < 1,
            "neighbours": self.neighbours < 1,
            "training_boxes": self.training_boxes < 1,
            "quantile": not 0.0 < self.quantile <= 1.0,
            # Scikit-learn takes no larger ones.
            "seed": not 0 <= self.seed < 2**32,
        }
        for name, is_wrong in wrong.items():
            if is_wrong:
                raise UsageError(
                    "B220",
                    f"scoring: {name} is out of range",
                    expected="shares in (0, 1], counts of 1 or more, each attribute once, a seed in [0, 2**32)",
                    got=str(getattr(self, name)),
                )

    def density_of(self, attribute: AttributeKind) -> DensityKind:
        """Density of an attribute: few numbers have a mixture, many have neighbours."""
        few = attribute in {AttributeKind.VELOCITY, AttributeKind.SHAPE}
        return DensityKind.GAUSSIAN_MIXTURE if few else DensityKind.NEAREST_NEIGHBOURS

    def components_of(self, attribute: AttributeKind) -> int:
        """Gaussians of the mixture of an attribute."""
        return self.velocity_components if attribute is AttributeKind.VELOCITY else self.shape_components


def weights_used(settings: ScoringSettings) -> tuple[Path, ...]:
    """Files of weights that scoring with these settings reads; none for the defaults.

    Settings of attributes that are not used do not count. A file need not be there: who makes the attribute says so.
    """
    files = []
    if AttributeKind.DEEP in settings.attributes and settings.embedding is not EmbeddingKind.HOG:
        files.append(settings.embedding_weights)
    if AttributeKind.POSE in settings.attributes:
        files.append(settings.pose_weights)
    return tuple(Path(file) for file in files if file)
