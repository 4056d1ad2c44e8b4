"""Detector with weights: Mask R-CNN R50-FPN of torchvision.

Source: tao.md, "The scorer", boxes.
"""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from baselines.tao.box_table import BoxTable
from baselines.tao.clip_frames import as_rgb
from baselines.tao.detection.detector import Part
from baselines.tao.detection.settings import MaskRcnnSettings
from baselines.tao.progress import FrameProgress, no_frame_progress
from vadbench import Clip, DataError, UsageError
from vadbench.boxes import box_areas
from vadbench.errors import quoted

_WHERE_TO_GET = (
    "the file maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth that torchvision's documentation names "
    "(MaskRCNN_ResNet50_FPN_Weights.COCO_V1)"
)


class MaskRcnnDetector:
    """Boxes of Mask R-CNN, of every class of COCO: above the score, and not mostly inside a larger box.

    Its masks are not computed.

    Parameters
    ----------
    settings : MaskRcnnSettings

    Raises
    ------
    UsageError
        B209 if no weights are given or the file is not there, B211 without PyTorch or torchvision, B212 for a device
        that is not there.
    DataError
        B209 if the file has another SHA-256 than given, or holds no weights of this model.
    """

    def __init__(self, settings: MaskRcnnSettings) -> None:
        self.settings = settings
        weights = _checked_file(settings)
        self._torch, torchvision = _imported("torch"), _imported("torchvision")
        # Neither may fetch anything: weights come from the file alone.
        model = torchvision.models.detection.maskrcnn_resnet50_fpn(weights=None, weights_backbone=None)
        self._load(model, weights)
        # Without them the part of the model that draws masks is skipped.
        model.roi_heads.mask_roi_pool = model.roi_heads.mask_head = model.roi_heads.mask_predictor = None
        try:
            self._model = model.eval().to(settings.device)
        except (RuntimeError, AssertionError) as error:
            raise UsageError(
                "B212",
                "the detector cannot run on that device",
                expected="a device that PyTorch sees, such as cpu or cuda",
                got=quoted(settings.device),
                hint=str(error).partition("\n")[0],
            ) from error

    def detect(self, clip: Clip, part: Part, progress: FrameProgress = no_frame_progress) -> BoxTable:
        """Boxes of a clip; see `Detector`. Raises `UsageError` B212 where the memory of the device is too small."""
        del part
        boxes = {}
        for number, frame in enumerate(clip.read_frames()):
            try:
                found, scores = self._found(as_rgb(frame))
            except self._torch.OutOfMemoryError as error:
                raise UsageError(
                    "B212",
                    "the memory of the device is too small for the detector",
                    where=(f"clip {clip.id}", f"frame {number}"),
                    got=quoted(self.settings.device),
                    hint="finished clips are kept; go on with --device cpu",
                ) from error
            boxes[number] = kept_boxes(found, scores, frame.shape[0], frame.shape[1], self.settings)
            progress(number + 1)
        return BoxTable.of_frames(boxes)

    def _found(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        torch = self._torch
        with torch.inference_mode():
            pixels = torch.from_numpy(image.copy()).to(self.settings.device).permute(2, 0, 1).float() / 255
            output = self._model([pixels])[0]
        return output["boxes"].double().cpu().numpy(), output["scores"].double().cpu().numpy()

    def _load(self, model: Any, weights: Path) -> None:
        torch = self._torch
        try:
            # Weights alone: a pickle could run code.
            model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        except Exception as error:
            # Bytes that are no weights end in any of a dozen kinds of error.
            raise DataError(
                "B209",
                "this file holds no weights of Mask R-CNN R50-FPN",
                where=str(weights),
                expected=_WHERE_TO_GET,
                got=quoted(f"{type(error).__name__}: {error}".partition("\n")[0]),
            ) from error


def kept_boxes(
    boxes: ArrayLike, scores: ArrayLike, height: int, width: int, settings: MaskRcnnSettings
) -> NDArray[np.float64]:
    """Of the boxes of a frame those above the score, cut to the frame, that no larger one mostly covers.

    Parameters
    ----------
    boxes : (N, 4) real
        Half-open, in pixels.
    scores : (N,) real
        Of the detector; a score equal to the least one is not above it.
    height, width : int
        Of the frame, in pixels.
    settings : MaskRcnnSettings

    Returns
    -------
    (M, 4) float64
        In the order given; boxes without area are left out.
    """
    found = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    confident = np.asarray(scores, dtype=np.float64) > settings.least_score
    cut = np.clip(found[confident], 0.0, [width, height, width, height])
    cut = cut[(cut[:, 2:] > cut[:, :2]).all(axis=1)]
    return cut[~covered(cut, settings.most_covered)]


def covered(boxes: ArrayLike, most: float) -> NDArray[np.bool_]:
    """Which boxes of a frame lie by more than a share of their area inside one larger box.

    Of two boxes of one area the first counts as the larger, so that one of equal boxes stays. Whether the larger one is
    covered itself does not matter.

    Parameters
    ----------
    boxes : (N, 4) real
        Half-open boxes with an area.
    most : float
        Share of the area; a box of which just this share is inside stays.

    Returns
    -------
    (N,) bool
    """
    given = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    areas = box_areas(given)
    corner = np.maximum(given[:, None, :2], given[None, :, :2])
    opposite = np.minimum(given[:, None, 2:], given[None, :, 2:])
    shared = np.maximum(opposite - corner, 0.0).prod(axis=2)
    number = np.arange(len(given))
    is_larger = (areas[None] > areas[:, None]) | ((areas[None] == areas[:, None]) & (number[None] < number[:, None]))
    return np.asarray((is_larger & (shared > most * areas[:, None])).any(axis=1))


def _checked_file(settings: MaskRcnnSettings) -> Path:
    path = settings.weights
    if path is None or not path.is_file():
        raise UsageError(
            "B209",
            "the detector torchvision needs the file of its weights",
            where="" if path is None else str(path),
            expected=_WHERE_TO_GET,
            got="none" if path is None else "no such file",
            hint="say --weights FILE, or name it as detection.torchvision.weights in the settings",
        )
    if settings.sha256:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != settings.sha256.lower():
            raise DataError(
                "B209",
                "the file of the detector's weights is not the one whose SHA-256 was given",
                where=str(path),
                expected=f"sha256 {settings.sha256.lower()}",
                got=f"sha256 {found} ({path.stat().st_size} bytes)",
            )
    return path


def _imported(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(
            "B211",
            f"the detector torchvision needs the package {module}, which is not installed",
            hint="pip install torch torchvision (one command, so that the versions fit), or use --detector background",
        ) from error
