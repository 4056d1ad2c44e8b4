"""Words for every protocol field: what it means, what each value does, and what a difference does to a score.

Source: protocols.md, the tables of fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vadbench.protocol.protocol import FIELD_NAMES, Protocol, value_text
from vadbench.protocol.signature import Signature


@dataclass(frozen=True)
class FieldExplanation:
    """A protocol field in words.

    Parameters
    ----------
    meaning : str
        What the field decides.
    does : mapping
        From a value's text to a phrase that completes "A …".
    effect : str
        What a difference does to the numbers.
    metrics : str
        The metrics it touches.
    otherwise : str
        Phrase for values that are numbers; ``{}`` takes the value.
    """

    meaning: str
    metrics: str
    effect: str
    does: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = "uses {}"

    def phrase(self, value: Any) -> str:
        """Say what a score with this value does."""
        text = value_text(value)
        return self.does.get(text, self.otherwise.format(text))


EXPLANATIONS: dict[str, FieldExplanation] = {
    "pixel.pooling": FieldExplanation(
        "over what a pixel metric is computed before anything is averaged",
        "pixel metrics",
        "A mean over frames or clips gives a small anomaly the weight of a large one, lets every frame or clip have "
        "its own threshold and hides an inconsistent scale of the scores; on the same maps AP and F1 mostly rise.",
        {
            "dataset": "pools all pixels of all clips",
            "clip-mean": "takes the mean over clips of each clip's own value",
            "frame-mean": "takes the mean over frames of each frame's own value",
        },
    ),
    "pixel.frames": FieldExplanation(
        "which frames enter the pixel metrics",
        "pixel metrics",
        "Leaving normal frames out makes false alarms there free and raises the share of anomalous pixels: on the same "
        "maps AP, PR-AUC and F1 rise.",
        {"all": "counts all frames", "anomalous": "counts only frames with an anomalous pixel"},
    ),
    "pixel.silent_frames": FieldExplanation(
        "what a frame whose map is 0 everywhere counts as",
        "pixel metrics under frame-mean",
        "Counting silent frames as 0 pulls every mean down by their share, AUROC below one half too.",
        {"score": "scores a silent frame like any other", "zero": "counts a silent frame as 0 for every metric"},
    ),
    "pixel.map_scaling": FieldExplanation(
        "what is done to a score map first",
        "pixel metrics",
        "Dividing every frame by its own maximum makes the least suspicious frame as loud as the most suspicious one; "
        "pooled values can move either way, and a fixed cut becomes a share of each frame's maximum.",
        {"none": "takes the scores as stored", "frame-maximum": "divides each frame's map by its own maximum"},
    ),
    "pixel.f1": FieldExplanation(
        "which threshold F1 is taken at",
        "Pixel-F1",
        "The best threshold is found with the test truth and is never lower than the value at a fixed cut on the same "
        "pool.",
        {"best": "takes F1 at the best threshold"},
        "takes F1 with the cut {}",
    ),
    "pixel.aupro": FieldExplanation(
        "which area is reported in the place of AUPRO",
        "Pixel-AUPRO or PR-AUC",
        "They are different quantities: the per-region overlap against false-positive rate, or the area under the "
        "precision-recall lines. That is close to AP where there are many distinct scores, and far above it where "
        "there are few: constant scores reach half and more.",
        {
            "region-overlap": "measures the per-region overlap",
            "pr-trapezoid": "measures the area under the precision-recall lines",
        },
    ),
    "pixel.fpr_limit": FieldExplanation(
        "false-positive rate up to which AUPRO is taken",
        "Pixel-AUPRO",
        "A smaller limit looks at fewer false alarms; the value of the same maps mostly falls.",
        otherwise="integrates AUPRO up to a false-positive rate of {}",
    ),
    "pixel.connectivity": FieldExplanation(
        "which anomalous pixels are neighbours in a region of AUPRO",
        "Pixel-AUPRO",
        "With 4 neighbours regions that touch at a corner are counted apart.",
        otherwise="joins regions over {} neighbours",
    ),
    "instances.scores": FieldExplanation(
        "what an instance's score counts as",
        "metrics that read instances",
        "Without the scores every mask is equally certain: curves have one step, and the order of an object's "
        "detections no longer follows its confidence.",
        {"given": "uses the scores of instances", "one": "counts every instance as score 1"},
    ),
    "object.iou_threshold": FieldExplanation(
        "IoU from which a detection meets a region",
        "RBDC, TBDC",
        "A higher threshold finds fewer regions and calls more detections false.",
        otherwise="lets a detection meet a region from IoU {}",
    ),
    "object.track_fraction": FieldExplanation(
        "share of a track's regions that must be found",
        "TBDC",
        "A higher share finds fewer tracks.",
        otherwise="finds a track from a share of {} of its regions",
    ),
    "object.fpr_limit": FieldExplanation(
        "false positives per frame up to which RBDC and TBDC are taken",
        "RBDC, TBDC",
        "A smaller limit looks at fewer false alarms; the value of the same detections mostly falls.",
        otherwise="integrates up to {} false positives per frame",
    ),
    "object.boxes_from": FieldExplanation(
        "where boxes come from",
        "RBDC, TBDC",
        "Boxes around masks and a detector's own boxes differ in size, number and score.",
        {
            "detections-first": "takes detections, else boxes around instances, else components above the threshold",
            "instances": "takes boxes around instances only",
        },
    ),
    "object.ties": FieldExplanation(
        "how detections with equal scores enter",
        "RBDC, TBDC",
        "One at a time, the order of files and rows decides among equal scores; see the order bounds in the report.",
        {
            "grouped": "lets detections with equal scores enter together",
            "sequential": "lets detections enter one at a time, ties in reading order",
        },
    ),
    "object.merge": FieldExplanation(
        "which overlapping boxes from instances are merged",
        "RBDC, TBDC from instances",
        "Merging turns several false alarms on one spot into one, and can join two objects into one box.",
        {
            "same-object": "merges overlapping boxes of one object",
            "none": "merges no boxes",
            "same-frame": "merges all overlapping boxes of a frame",
        },
    ),
    "object.merge_iou": FieldExplanation(
        "IoU above which boxes are merged",
        "RBDC, TBDC from instances",
        "A higher limit merges less.",
        otherwise="merges boxes above IoU {}",
    ),
    "object.track_boxes": FieldExplanation(
        "how the boxes of the truth are read",
        "RBDC, TBDC",
        "One pixel more changes the IoU of small boxes, and moves detections over the threshold in either direction.",
        {"as-is": "reads truth boxes as they are", "one-larger": "reads truth boxes one pixel larger"},
    ),
    "frame.one_class_clips": FieldExplanation(
        "what the macro mean does with clips of one class",
        "Frame-AUROC (macro)",
        "Padding gives every clip two frames that are ranked right, so that clips without normal frames enter with "
        "high values: the mean rises.",
        {
            "skip": "leaves clips of one class out of the macro mean",
            "pad": "adds one normal and one anomalous frame to every clip",
        },
    ),
    "frame.clip_scaling": FieldExplanation(
        "what is done to the frame scores of a clip before micro",
        "Frame-AUROC (micro)",
        "Scaling by a test clip's own extremes uses the whole clip at once and hides the method's absolute scale.",
        {"none": "takes frame scores as they are", "min-max": "scales the frame scores of each clip to [0, 1]"},
    ),
}
"""Every field by its full name, in the order of the specification."""


def explain_difference(first: Signature, second: Signature) -> list[str]:
    """Say in words what differs between two signatures, A and B, and what it does; empty where nothing does."""
    lines = []
    if first.definitions != second.definitions:
        lines.append(
            f"A follows definitions {first.definitions}, B {second.definitions}: numbers of the two are not the same "
            'quantities; see CHANGELOG, "Scores".'
        )
    if first.dataset != second.dataset:
        lines.append(f"A is on {first.dataset}, B on {second.dataset}: different data sets.")
    elif first.data_fingerprint != second.data_fingerprint:
        lines.append(
            f"A and B saw different truth of {first.dataset} ({first.data_fingerprint}, {second.data_fingerprint}): "
            "other masks, labels, sizes or clips. `vadbench data verify` shows which copy is the known one."
        )
    if first.tracks != second.tracks:
        lines.append(
            f"A takes tracks from {first.tracks}, B from {second.tracks}. This changes RBDC and TBDC: other regions "
            "have to be found, split into other tracks."
        )
    lines += explain_protocols(first.protocol, second.protocol)
    if first.version != second.version:
        lines.append(f"A was made with vadbench {first.version}, B with {second.version}; no number depends on it.")
    return lines


def explain_protocols(first: Protocol, second: Protocol) -> list[str]:
    """Say field by field what protocol A does, what B does, and what that changes."""
    ours, theirs = dict(first.values()), dict(second.values())
    lines = []
    for name in FIELD_NAMES:
        if ours[name] != theirs[name]:
            words = EXPLANATIONS[name]
            lines.append(
                f"{name}: A {words.phrase(ours[name])}; B {words.phrase(theirs[name])}. "
                f"This changes {words.metrics}. {words.effect}"
            )
    return lines
