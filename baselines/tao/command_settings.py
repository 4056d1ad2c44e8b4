"""Settings of a preset, changed as the options of the command line say; options that would do nothing are refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from baselines.tao.detection.settings import DetectorKind
from baselines.tao.resources import computing_device
from baselines.tao.segmentation.sam2_settings import Sam2Device, Sam2Size
from baselines.tao.settings import SegmentationKind, TaoSettings
from baselines.tao.stages import Stage
from vadbench import UsageError


@dataclass(frozen=True)
class SettingsChanges:
    """What the command line says instead of the preset; None: nothing.

    Parameters
    ----------
    tau : float, optional
    detector : DetectorKind, optional
    boxes : Path, optional
        Folder of given boxes.
    weights : Path, optional
        Of the detector.
    segmenter : SegmentationKind, optional
    segmenter_size : Sam2Size, optional
    checkpoint : Path, optional
        Weights of SAM2.
    device : Sam2Device, optional
        Of all models with weights.
    no_tracking, no_filtering : bool
    seed : int, optional
    """

    tau: float | None = None
    detector: DetectorKind | None = None
    boxes: Path | None = None
    weights: Path | None = None
    segmenter: SegmentationKind | None = None
    segmenter_size: Sam2Size | None = None
    checkpoint: Path | None = None
    device: Sam2Device | None = None
    no_tracking: bool = False
    no_filtering: bool = False
    seed: int | None = None


def changed_settings(settings: TaoSettings, changes: SettingsChanges) -> TaoSettings:
    """Settings with the changes.

    Raises
    ------
    UsageError
        B249 for an option that would do nothing, because what it is about is not used.
    """
    settings = _with_detection(settings, changes)
    settings = _with_segmentation(settings, changes)
    if changes.tau is not None:
        settings = replace(settings, tau=changes.tau)
    if changes.seed is not None:
        settings = replace(settings, scoring=replace(settings.scoring, seed=changes.seed))
    if changes.device is not None:
        settings = _with_device(settings, changes.device)
    if changes.no_tracking:
        settings = settings.without_tracking()
    return settings.without_filtering() if changes.no_filtering else settings


def _with_detection(settings: TaoSettings, changes: SettingsChanges) -> TaoSettings:
    detection = settings.detection
    if changes.detector is not None:
        detection = replace(detection, kind=changes.detector)
    if changes.boxes is not None:
        _require(detection.kind is DetectorKind.BOXES_CSV, "--boxes", "--detector boxes-csv")
        detection = replace(detection, boxes_csv=replace(detection.boxes_csv, folder=changes.boxes))
    if changes.weights is not None:
        _require(detection.kind is DetectorKind.TORCHVISION, "--weights", "--detector torchvision")
        detection = replace(detection, torchvision=replace(detection.torchvision, weights=changes.weights))
    return replace(settings, detection=detection)


def _with_segmentation(settings: TaoSettings, changes: SettingsChanges) -> TaoSettings:
    segmentation = settings.segmentation
    if changes.segmenter is not None:
        segmentation = replace(segmentation, kind=changes.segmenter)
    if changes.segmenter_size is not None:
        _require(not segmentation.is_fitted, "--segmenter-size", "--segmenter sam2-video")
        segmentation = replace(segmentation, sam2=replace(segmentation.sam2, size=changes.segmenter_size))
    if changes.checkpoint is not None:
        _require(not segmentation.is_fitted, "--checkpoint", "--segmenter sam2-video")
        segmentation = replace(segmentation, sam2=replace(segmentation.sam2, checkpoint=changes.checkpoint))
    return replace(settings, segmentation=segmentation)


def _with_device(settings: TaoSettings, device: Sam2Device) -> TaoSettings:
    # To ask for the CPU, or for what there is, is right where all computes on the CPU anyway.
    _require(
        bool(settings.torch_stages) or device is not Sam2Device.CUDA,
        "--device cuda",
        "models with weights, such as --segmenter sam2-video",
    )
    named = str(device)
    if device is Sam2Device.AUTO:
        # Only SAM2 chooses for itself; PyTorch is loaded only where another stage will load it anyway.
        others = settings.torch_stages - {Stage.SEGMENT}
        named = "cpu" if not others or computing_device("auto") == "cpu" else "cuda"
    return replace(
        settings,
        detection=replace(settings.detection, torchvision=replace(settings.detection.torchvision, device=named)),
        scoring=replace(settings.scoring, device=named),
        segmentation=replace(settings.segmentation, sam2=replace(settings.segmentation.sam2, device=device)),
    )


def _require(fine: bool, option: str, needs: str) -> None:
    if not fine:
        raise UsageError("B249", f"{option} would do nothing here", hint=f"it goes with {needs}; or leave it out")
