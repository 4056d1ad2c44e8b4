"""What each column means, in one or two sentences, for the readers of the rankings: it follows from the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaderboard.site.strangers import shortened

if TYPE_CHECKING:
    from vadbench import Protocol, Report


def column_words(metric: str, *, scenes: bool) -> dict[str, str]:
    """What the columns beside the scores mean.

    Parameters
    ----------
    metric : str
        Title of the metric that the ranking is sorted by at first.
    scenes : bool
        Whether scenes were resampled too.
    """
    which = " It is the wider one of two: with clips resampled, and with whole scenes." if scenes else ""
    return {
        "rank": f"Best and worst rank by {metric} that the paired bootstrap intervals allow; it stays the rank by "
        f"{metric} however the table is sorted. Rows whose ranges overlap are not told apart by these clips.",
        "method": "Name as the submission calls itself. The link leads to curves, clips and metadata.",
        "training": "What the method was trained with, as its metadata says.",
        "status": "Submitted: the report was sent in. Verified: a maintainer scored the predictions again, "
        "with the same result.",
        "interval": f"The 95 % interval of {metric}, on one axis for all rows whose ends stand in the head; the dot is "
        f"the score, and the numbers stand under it.{which}",
    }


def metric_words(key: str, title: str, report: Report) -> str:
    """What a metric means under the protocol of a report; its title where nothing is known of it."""
    from vadbench import VadbenchError

    try:
        protocol = report.parsed_signature.protocol
    except VadbenchError:
        # Of older definitions, which today's program does not know.
        return f"{shortened(title)}, by older definitions."
    group = key.partition("_")[0]
    if group == "pixel":
        return " ".join((*_pixel(key, title, protocol), *_pixel_pool(key, protocol)))
    if group in {"rbdc", "tbdc"}:
        return _objects(key, protocol)
    return _frames(key, protocol) if group == "frame" else shortened(title)


def _pixel(key: str, title: str, protocol: Protocol) -> list[str]:
    pooled = protocol.pixel.pooling == "dataset"
    if key == "pixel_auroc":
        words = "Chance that an anomalous pixel has a higher score than a normal one."
        return [words, "Anomalous pixels are rare, so high values are easy."] if pooled else [words]
    if key == "pixel_aupro":
        return _aupro(protocol)
    if key == "pixel_f1":
        threshold = protocol.pixel.f1.threshold
        where = "the best threshold for the test set" if pooled else f"the best threshold of each {_part(protocol)}"
        where = where if threshold is None else f"the threshold {threshold:g}"
        return [f"Harmonic mean of precision and recall of the pixels, at {where}."]
    return _OTHER_PIXEL_METRICS.get(key, [shortened(title)])


_OTHER_PIXEL_METRICS = {
    "pixel_ap": [
        "Average precision of the pixels: precision at each threshold, weighted by the recall gained there.",
        "It punishes false alarms that AUROC hides.",
    ],
    "pixel_f1_declared": [
        "F1 of the pixels at the threshold that the submission itself declared:",
        "what a user of the method would see.",
    ],
}


def _aupro(protocol: Protocol) -> list[str]:
    if protocol.pixel.aupro == "pr-trapezoid":
        return [
            "Area under straight lines through the points of precision against recall.",
            "Where there are many distinct scores it is close to AP; where there are few, the lines inflate it: "
            "constant scores reach half and more.",
        ]
    return [
        "Area under the mean overlap with the true regions, against the false-positive rate up to "
        f"{protocol.pixel.fpr_limit:g}. Small regions count as much as large ones."
    ]


def _part(protocol: Protocol) -> str:
    return "frame" if protocol.pixel.pooling == "frame-mean" else "clip"


def _pixel_pool(key: str, protocol: Protocol) -> list[str]:
    """Over what it is computed, and what is done to the maps before."""
    pixel = protocol.pixel
    which = "all frames" if pixel.frames == "all" else "frames with an anomalous pixel alone"
    if pixel.pooling == "dataset":
        found = [f"Over all pixels of {which}."]
    else:
        found = [f"Each {_part(protocol)}'s own value, averaged over {_part(protocol)}s; {which} count."]
    if pixel.silent_frames == "zero":
        found.append("A frame whose map is 0 everywhere counts as 0.")
    if pixel.map_scaling == "frame-maximum":
        found.append("Each frame's map is divided by its own maximum first.")
    return found


def _objects(key: str, protocol: Protocol) -> str:
    own = protocol.object
    limit = f"against false positives per frame up to {own.fpr_limit:g}"
    if key == "rbdc":
        words = f"Region-based detection: share of true boxes that are found (IoU from {own.iou_threshold:g}), {limit}."
    else:
        words = (
            f"Track-based detection: share of anomalous tracks that are found (from a share of {own.track_fraction:g} "
            f"of their boxes), {limit}."
        )
    if own.boxes_from == "instances":
        words += " Boxes are those around instances."
    if protocol.instances.scores == "one":
        words += " Every instance counts with the score 1, so that the curve has one step."
    return words


def _frames(key: str, protocol: Protocol) -> str:
    if key == "frame_auroc_micro":
        words = "Chance that an anomalous frame has a higher score than a normal one, all clips in one pool."
        if protocol.frame.clip_scaling == "min-max":
            words += " The scores of each clip are scaled to 0 to 1 first."
        return words
    words = "Mean over clips of the AUROC of each clip's frames"
    if protocol.frame.one_class_clips == "pad":
        return words + "; every clip gets a normal and an anomalous frame, so that clips of one class count too."
    return words + "; clips of one class are left out."
