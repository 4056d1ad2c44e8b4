"""All settings of a run of TAO: those of the four stages, and the threshold of the scores.

Source: TAO, section 4.2; tao.md, "Parameters".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Self

from baselines.tao.choices import Choice
from baselines.tao.detection.settings import DetectionSettings, DetectorKind
from baselines.tao.filtering import FilterSettings
from baselines.tao.scoring.settings import AttributeKind, EmbeddingKind, ScoringSettings, weights_used
from baselines.tao.segmentation.classical import ClassicalSettings
from baselines.tao.segmentation.sam2_settings import Sam2Settings
from baselines.tao.stages import Stage
from vadbench import UsageError


class SegmentationKind(Choice):
    """Which segmenter: without weights, SAM2 tracking through the clip, or SAM2 frame by frame."""

    CLASSICAL = "classical"
    SAM2_VIDEO = "sam2-video"
    SAM2_IMAGE = "sam2-image"


@dataclass(frozen=True)
class SegmentationSettings:
    """Which segmenter, and the settings of each; only those of the kind count.

    Parameters
    ----------
    kind : SegmentationKind
    classical : ClassicalSettings
    sam2 : Sam2Settings
        For both ways to use SAM2.
    """

    kind: SegmentationKind = SegmentationKind.CLASSICAL
    classical: ClassicalSettings = field(default_factory=ClassicalSettings)
    sam2: Sam2Settings = field(default_factory=Sam2Settings)

    @property
    def own(self) -> ClassicalSettings | Sam2Settings:
        """Settings of the kind."""
        return self.classical if self.is_fitted else self.sam2

    @property
    def is_fitted(self) -> bool:
        """Whether the segmenter learns from training clips."""
        return self.kind is SegmentationKind.CLASSICAL

    @property
    def learned_with(self) -> dict[str, Any]:
        """The settings that what is learned depends on."""
        return {"median_frames": self.classical.median_frames} if self.is_fitted else {}

    @property
    def tracks(self) -> bool:
        """Whether objects are followed from frame to frame."""
        return self.classical.tracking if self.is_fitted else self.kind is SegmentationKind.SAM2_VIDEO

    def without_tracking(self) -> Self:
        """Each frame segmented for itself."""
        if self.is_fitted:
            return replace(self, classical=replace(self.classical, tracking=False))
        return replace(self, kind=SegmentationKind.SAM2_IMAGE)


@dataclass(frozen=True)
class TaoSettings:
    """Settings of a run.

    Parameters
    ----------
    tau : float
        τ; boxes with a higher score are anomalous.
    detection : DetectionSettings
    scoring : ScoringSettings
    filtering : FilterSettings
    segmentation : SegmentationSettings

    Raises
    ------
    UsageError
        B248 if τ is not a finite number; what the settings of the stages raise.
    """

    tau: float = 1.5
    detection: DetectionSettings = field(default_factory=DetectionSettings)
    scoring: ScoringSettings = field(default_factory=ScoringSettings)
    filtering: FilterSettings = field(default_factory=FilterSettings)
    segmentation: SegmentationSettings = field(default_factory=SegmentationSettings)

    def __post_init__(self) -> None:
        if not math.isfinite(self.tau):
            raise UsageError("B248", "the threshold of the scores is no number", expected="finite", got=str(self.tau))

    @property
    def torch_stages(self) -> frozenset[Stage]:
        """Stages that compute with PyTorch."""
        uses = {
            Stage.DETECT: self.detection.kind is DetectorKind.TORCHVISION,
            Stage.SCORE: bool(weights_used(self.scoring)),
            Stage.SEGMENT: not self.segmentation.is_fitted,
        }
        return frozenset(stage for stage, does in uses.items() if does)

    def device_of(self, stage: Stage) -> str:
        """Device that is asked for where a stage computes with PyTorch: ``auto``, ``cpu`` or ``cuda``."""
        if stage is Stage.DETECT:
            return str(self.detection.torchvision.device)
        return str(self.scoring.device if stage is Stage.SCORE else self.segmentation.sam2.device)

    @property
    def unused(self) -> frozenset[str]:
        """Names of settings that change nothing beside the others, with dots; of kinds that are not chosen, none."""
        scoring, names = self.scoring, set()
        if AttributeKind.VELOCITY not in scoring.attributes:
            names |= {"scoring.directions", "scoring.core", "scoring.velocity_components"}
        if AttributeKind.SHAPE not in scoring.attributes:
            names.add("scoring.shape_components")
        if AttributeKind.DEEP not in scoring.attributes:
            names.add("scoring.embedding")
        if AttributeKind.DEEP not in scoring.attributes or scoring.embedding is EmbeddingKind.HOG:
            names |= {"scoring.embedding_model", "scoring.embedding_weights"}
        if AttributeKind.POSE not in scoring.attributes:
            names.add("scoring.pose_weights")
        if not any(scoring.density_of(kind).is_compared for kind in scoring.attributes):
            names |= {"scoring.neighbours", "scoring.training_boxes"}
        if not weights_used(scoring):
            names.add("scoring.device")
        if self.segmentation.is_fitted and self.segmentation.classical.reach == 0:
            names.add("segmentation.classical.vote")
        return frozenset(names)

    def without_tracking(self) -> Self:
        """Every frame is prompted with its own boxes and segmented for itself.

        Source: TAO, table 4.
        """
        return replace(
            self,
            filtering=replace(self.filtering, save_interval=1),
            segmentation=self.segmentation.without_tracking(),
        )

    def without_filtering(self) -> Self:
        """Every anomalous box is kept; boxes that overlap from frame to frame still make one object.

        Source: TAO, table 4.
        """
        return replace(self, filtering=replace(self.filtering, matches=0))
