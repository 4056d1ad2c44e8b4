"""What a submission says of its making: method, training, provenance.

What varies from run to run stands in the provenance, under ``run``, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from baselines.simple.baseline import BENCHMARK_PAPER
from baselines.simple.submission import YEAR
from baselines.tao.detection.settings import DetectorKind
from baselines.tao.resources import installed_versions
from baselines.tao.scoring.settings import AttributeKind, EmbeddingKind
from baselines.tao.segmentation.sam2_settings import Sam2Version
from baselines.tao.settings import TaoSettings
from baselines.tao.stage_keys import described
from vadbench import Dataset, __version__


def method(settings: TaoSettings) -> dict[str, Any]:
    """Table ``method`` of ``submission.toml``; every variant has a name of its own in tables."""
    filtering = settings.filtering
    return {
        "name": f"TAO ({', '.join(_name_parts(settings))})",
        "version": __version__,
        "authors": ["The vadbench developers"],
        "year": YEAR,
        "paper": BENCHMARK_PAPER,
        "description": "Track Any Anomalous Object, as vadbench implements it: boxes from the detector "
        f"{settings.detection.kind}, scores above {settings.tau}, filtering in time "
        f"(k {filtering.window}, m {filtering.matches}, h {filtering.overlap}, l {filtering.save_interval}), "
        f"masks by {settings.segmentation.kind}. The paper is that of the benchmark, and of the method.",
    }


def training(settings: TaoSettings, dataset: Dataset) -> dict[str, Any]:
    """Table ``training``: scores are learned from the training clips, and masks have no declared threshold."""
    return {
        "supervision": "one-class",
        "data": [f"{dataset.id}:train"],
        "pretrained": pretrained(settings),
        "threshold_chosen_on": "none",
    }


def pretrained(settings: TaoSettings) -> list[str]:
    """Models with weights from elsewhere, each once."""
    names = []
    detection, scoring, segmentation = settings.detection, settings.scoring, settings.segmentation
    if detection.kind is DetectorKind.BOXES_CSV:
        names.append("the detector of the given boxes")
    elif detection.kind is DetectorKind.TORCHVISION:
        names.append("Mask R-CNN (torchvision)")
    if AttributeKind.DEEP in scoring.attributes and scoring.embedding is not EmbeddingKind.HOG:
        names.append(f"{scoring.embedding_model or 'embedding'} ({scoring.embedding})")
    if AttributeKind.POSE in scoring.attributes:
        names.append(f"pose model ({Path(scoring.pose_weights).name or 'given'})")
    if not segmentation.is_fitted:
        names.append(f"{_sam2_name(settings)} hiera {segmentation.sam2.size}")
    return list(dict.fromkeys(names))


def provenance(settings: TaoSettings, preset: str, run: Mapping[str, Any]) -> dict[str, Any]:
    """Content of ``provenance.json``.

    Parameters
    ----------
    settings : TaoSettings
        Files among them are given by name and SHA-256.
    preset : str
        Where the settings come from; single ones may have been changed since.
    run : mapping
        What varies from run to run: seconds, memory.
    """
    return {
        "baseline": "tao",
        "preset": preset,
        "parameters": described(settings),
        "versions": installed_versions(torch=bool(settings.torch_stages)),
        "run": dict(run),
    }


def _name_parts(settings: TaoSettings) -> list[str]:
    segmentation = settings.segmentation
    if segmentation.is_fitted:
        parts = ["classical"] if settings.torch_stages else ["classical", "CPU"]
    else:
        parts = [f"{_sam2_name(settings)} {segmentation.sam2.size}"]
    # Whose boxes are segmented makes more of a difference than all the rest.
    parts += ["given boxes"] if settings.detection.kind is DetectorKind.BOXES_CSV else []
    parts += [] if segmentation.tracks else ["no tracking"]
    parts += [] if settings.filtering.matches else ["no filtering"]
    return parts


def _sam2_name(settings: TaoSettings) -> str:
    return "SAM2" if settings.segmentation.sam2.version is Sam2Version.V2_0 else "SAM2.1"
