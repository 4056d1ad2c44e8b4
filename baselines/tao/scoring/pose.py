"""The attribute "pose": where the joints of the person in a box are.

Source: TAO, section 3.1; tao.md, section 3 (pose): 17 joints, scaled to the box, the nearest neighbour.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.tao.extras import required
from baselines.tao.frame_views import FrameView
from baselines.tao.scoring.attributes import Attribute, Boxes, Features
from baselines.tao.scoring.networks import fill_network, inference, read_weights, ready_network, weights_file
from baselines.tao.scoring.settings import ScoringSettings
from vadbench.boxes import intersection_over_union

KEYPOINTS = 17
"""Joints of COCO: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles; left before right."""

_WHAT = "Keypoint R-CNN R50-FPN (torchvision)"
_WHERE_TO_GET = (
    "the file keypointrcnn_resnet50_fpn_coco-fc266e95.pth that torchvision's documentation names "
    "(KeypointRCNN_ResNet50_FPN_Weights.COCO_V1)"
)
_LEAST_SCORE = 0.5
_LEAST_OVERLAP = 0.3
_INSTALL = "torch torchvision"


class Pose:
    """Places of the 17 joints of the person in a box, in shares of its width and height.

    The network looks for persons in the whole frame; `box_poses` says which is that of a box, and what stands for the
    pose where there is none.

    Parameters
    ----------
    network : torch.nn.Module
        A keypoint model as torchvision's are: takes a list of (3, H, W) float32 in [0, 1], gives for each image a
        mapping with ``boxes`` (M, 4), ``scores`` (M,) and ``keypoints`` (M, 17, 3).
    device : str
        Where it is.
    """

    needs_flow = False

    def __init__(self, network: Any, device: str) -> None:
        self._network, self._device = network, device
        self._torch = required("torch", install=_INSTALL)

    def measure(self, view: FrameView, boxes: Boxes) -> Features:
        """Pose of each box, (N, 34); the network does not run in frames without boxes.

        Raises
        ------
        UsageError
            B226 where the memory of the device is too small.
        """
        if not len(boxes):
            return np.empty((0, 2 * KEYPOINTS))
        with inference(self._device):
            pixels = self._torch.from_numpy(view.image.copy()).to(self._device).permute(2, 0, 1).float() / 255
            found = self._network([pixels])[0]
            persons, scores, joints = (found[key].double().cpu().numpy() for key in ("boxes", "scores", "keypoints"))
        sure = scores > _LEAST_SCORE
        return box_poses(boxes, persons[sure], joints[sure, :, :2])


def box_poses(
    boxes: NDArray[np.float64], persons: NDArray[np.float64], joints: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Joints of the person in each box, relative to the box.

    Parameters
    ----------
    boxes : (N, 4) float64
        Half-open, each with an area.
    persons : (M, 4) float64
        Boxes of the persons that were found.
    joints : (M, 17, 2) float64
        Their joints, (x, y) in pixels of the frame.

    Returns
    -------
    (N, 34) float64
        x and y of each joint: 0 at the left or upper edge of the box, 1 at the right or lower one; joints may lie
        outside.

    Notes
    -----
    The person of a box is the one whose own box has the highest IoU with it, at least 0.3; of equal ones the first.
    Two boxes may have the same person. A box without a person, a cart or someone whom the network has missed, has all
    its joints in its middle: a pose that nobody has, whose rarity is learned as that of any other. If training boxes
    lack persons too, to lack one is normal and the attribute says nothing; if they never do, it is unusual.
    """
    found = np.full((len(boxes), KEYPOINTS, 2), 0.5)
    if len(boxes) and len(persons):
        overlap = intersection_over_union(boxes[:, None], persons[None])
        nearest = overlap.argmax(axis=1)
        has_person = overlap[np.arange(len(boxes)), nearest] >= _LEAST_OVERLAP
        corner, size = boxes[:, None, :2], (boxes[:, 2:] - boxes[:, :2])[:, None]
        found = np.where(has_person[:, None, None], (joints[nearest] - corner) / size, found)
    return found.reshape(len(boxes), 2 * KEYPOINTS)


def make_pose(settings: ScoringSettings) -> Attribute:
    """Pose by Keypoint R-CNN R50-FPN of torchvision, with the weights of a file.

    Parameters
    ----------
    settings : ScoringSettings
        Its `pose_weights` and `device`.

    Raises
    ------
    UsageError
        B223 without a file of weights, B203 without the packages, B226 for a device that is not there.
    DataError
        B224 for weights of another model.
    """
    file = weights_file(
        settings.pose_weights, setting="scoring.pose_weights", what="the attribute pose", where_to_get=_WHERE_TO_GET
    )
    required("torch", install=_INSTALL)
    detection = required("torchvision.models.detection", install=_INSTALL)
    # Neither may fetch anything: weights come from the file alone.
    network = detection.keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    weights = read_weights(file, what=_WHAT, where_to_get=_WHERE_TO_GET)
    fill_network(network, weights, file, what=_WHAT, where_to_get=_WHERE_TO_GET)
    return Pose(ready_network(network, settings.device), settings.device)
