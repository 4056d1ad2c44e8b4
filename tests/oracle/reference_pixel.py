"""Literal reference implementations of the pixel and frame metrics.

Slow on purpose: every function follows the sentence of the specification
(``design/protocols.md``) that it stands for, with NumPy only and without
histograms, sorting tricks or shared intermediate results. Use them to check
faster code on small inputs, never in production.

Conventions: truth first, scores second; truth is boolean (or 0/1), scores are
real and finite, higher is more anomalous. An undefined value is ``nan``.
"""

from __future__ import annotations

import numpy as np


def _flat(truth, scores):
    truth = np.asarray(truth).astype(bool).ravel()
    scores = np.asarray(scores).ravel()
    if truth.shape != scores.shape:
        raise ValueError(f"truth has {truth.size} values, scores {scores.size}")
    if scores.dtype.kind == "f" and not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    return truth, scores


def operating_points(truth, scores):
    """Counts at every distinct threshold, highest threshold first.

    Parameters
    ----------
    truth : (...) bool
    scores : (...) real, same shape

    Returns
    -------
    list of (threshold, true_positives, false_positives); a pixel is flagged
    when its score >= threshold, so tied pixels enter together.
    """
    truth, scores = _flat(truth, scores)
    points = []
    for threshold in sorted(set(scores.tolist()), reverse=True):
        flagged = scores >= threshold
        points.append((threshold, int(np.sum(flagged & truth)), int(np.sum(flagged & ~truth))))
    return points


def auroc_by_pairs(truth, scores):
    """P(score of a positive > score of a negative) + half P(equal), by counting all pairs.

    ``truth``, ``scores`` of any equal shape; ``nan`` without positives or without negatives.
    """
    truth, scores = _flat(truth, scores)
    positives, negatives = scores[truth], scores[~truth]
    if positives.size == 0 or negatives.size == 0:
        return float("nan")
    twice = 0  # twice the number of won pairs: an exact integer
    for value in positives.tolist():
        twice += 2 * int(np.sum(negatives < value)) + int(np.sum(negatives == value))
    return twice / (2 * positives.size * negatives.size)


def auroc_by_ranks(truth, scores):
    """The same number from mid-ranks (Mann-Whitney U)."""
    truth, scores = _flat(truth, scores)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if positives == 0 or negatives == 0:
        return float("nan")
    twice_rank_sum = 0
    for value in scores[truth].tolist():
        below, equal = int(np.sum(scores < value)), int(np.sum(scores == value))
        twice_rank_sum += 2 * below + equal + 1  # mid-rank, 1-based, doubled
    return (twice_rank_sum - positives * (positives + 1)) / (2 * positives * negatives)


def auroc_by_curve(truth, scores):
    """The same number as the area under straight lines joining the points (FPR, TPR) of every threshold."""
    truth, scores = _flat(truth, scores)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if positives == 0 or negatives == 0:
        return float("nan")
    twice, tp_before, fp_before = 0, 0, 0  # twice the area in units of one (positive, negative) pair
    for _, tp, fp in operating_points(truth, scores):
        twice += (fp - fp_before) * (tp + tp_before)
        tp_before, fp_before = tp, fp
    return twice / (2 * positives * negatives)


def average_precision(truth, scores):
    """Step-wise average precision: sum over thresholds of (recall gained) x (precision there).

    ``nan`` without positives; 1.0 without negatives.
    """
    truth, scores = _flat(truth, scores)
    positives = int(truth.sum())
    if positives == 0:
        return float("nan")
    area, recall_before = 0.0, 0.0
    for _, tp, fp in operating_points(truth, scores):
        recall = tp / positives
        area += (recall - recall_before) * (tp / (tp + fp))
        recall_before = recall
    return area


def pr_trapezoid(truth, scores):
    """Area under straight lines joining (recall, precision) points, started at (0, 1).

    This is what ``auc(recall, precision)`` of a precision-recall curve computes and what
    TAO's release reports under the name AUPRO. ``nan`` without positives.
    """
    truth, scores = _flat(truth, scores)
    positives = int(truth.sum())
    if positives == 0:
        return float("nan")
    area, recall_before, precision_before = 0.0, 0.0, 1.0
    for _, tp, fp in operating_points(truth, scores):
        recall, precision = tp / positives, tp / (tp + fp)
        area += (recall - recall_before) * (precision + precision_before) / 2
        recall_before, precision_before = recall, precision
    return area


def f1_max(truth, scores):
    """Best F1 over all thresholds.

    Returns ``(f1, threshold, precision, recall)``; of equal F1 values the highest threshold
    (fewest flagged pixels) is reported. ``nan`` four times without positives.
    """
    truth, scores = _flat(truth, scores)
    positives = int(truth.sum())
    if positives == 0:
        return (float("nan"),) * 4
    best = (-1.0, float("nan"), float("nan"), float("nan"))
    for threshold, tp, fp in operating_points(truth, scores):
        f1 = 2 * tp / (tp + fp + positives)
        if f1 > best[0]:
            best = (f1, threshold, tp / (tp + fp), tp / positives)
    return best


def f1_at_threshold(truth, scores, threshold, compare="greater-equal"):
    """F1 of the map binarised at ``threshold``; 0 when nothing is flagged, ``nan`` without positives."""
    truth, scores = _flat(truth, scores)
    positives = int(truth.sum())
    if positives == 0:
        return float("nan")
    flagged = scores > threshold if compare == "greater" else scores >= threshold
    tp, fp = int(np.sum(flagged & truth)), int(np.sum(flagged & ~truth))
    return 2 * tp / (tp + fp + positives)


def label_components(mask, connectivity=8):
    """Connected components of one frame by flood fill.

    Parameters
    ----------
    mask : (H, W) bool
    connectivity : 4 or 8

    Returns
    -------
    labels : (H, W) int64, 0 outside, 1..K inside, numbered in raster order of their first pixel
    """
    mask = np.asarray(mask).astype(bool)
    height, width = mask.shape
    steps = [(-1, 0), (1, 0), (0, -1), (0, 1)]
    if connectivity == 8:
        steps += [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    labels = np.zeros(mask.shape, dtype=np.int64)
    count = 0
    for y in range(height):
        for x in range(width):
            if not mask[y, x] or labels[y, x]:
                continue
            count += 1
            labels[y, x] = count
            waiting = [(y, x)]
            while waiting:
                cy, cx = waiting.pop()
                for dy, dx in steps:
                    ny, nx = cy + dy, cx + dx
                    if 0 <= ny < height and 0 <= nx < width and mask[ny, nx] and not labels[ny, nx]:
                        labels[ny, nx] = count
                        waiting.append((ny, nx))
    return labels


def pro_curve(truth, scores, connectivity=8):
    """(FPR, PRO) at every distinct threshold, from (0, 0) to (1, 1), FPR ascending.

    Parameters
    ----------
    truth : (T, H, W) bool
    scores : (T, H, W) real

    PRO is the mean over all components of all frames of the flagged fraction of the
    component; FPR is the flagged fraction of all pixels outside every component.
    Returns ``None`` when there is no component or no pixel outside.
    """
    truth = np.asarray(truth).astype(bool)
    scores = np.asarray(scores)
    regions = []
    for t in range(truth.shape[0]):
        labels = label_components(truth[t], connectivity)
        for k in range(1, labels.max(initial=0) + 1):
            region = np.zeros(truth.shape, dtype=bool)
            region[t] = labels == k
            regions.append(region)
    outside = int(np.sum(~truth))
    if not regions or outside == 0:
        return None
    points = [(0.0, 0.0)]
    for threshold in sorted(set(scores.ravel().tolist()), reverse=True):
        flagged = scores >= threshold
        fpr = int(np.sum(flagged & ~truth)) / outside
        pro = sum(int(np.sum(flagged & region)) / int(region.sum()) for region in regions) / len(regions)
        points.append((fpr, pro))
    return points


def area_up_to(points, limit):
    """Trapezoidal area under ``points`` from x = 0 to ``limit``, the segment crossing the limit cut by interpolation.

    If the points end before the limit their last height is held.
    """
    area = 0.0
    (x0, y0) = points[0]
    for x1, y1 in points[1:]:
        if x1 > limit:
            y_cut = y0 + (y1 - y0) * (limit - x0) / (x1 - x0)
            return area + (limit - x0) * (y0 + y_cut) / 2
        area += (x1 - x0) * (y0 + y1) / 2
        x0, y0 = x1, y1
    return area + (limit - x0) * y0


def aupro(truth, scores, fpr_limit=0.3, connectivity=8):
    """Area under the PRO curve up to ``fpr_limit``, divided by the limit; ``nan`` where the curve is undefined."""
    points = pro_curve(truth, scores, connectivity)
    if points is None:
        return float("nan")
    return area_up_to(points, fpr_limit) / fpr_limit


def tao_release_frame(truth, scores):
    """The four numbers TAO's release computes for one frame.

    Parameters
    ----------
    truth : (H, W) bool
    scores : (H, W) real, the pixelwise maximum over the frame's object masks and zero

    Returns ``(auroc, ap, "aupro", f1)`` or ``None`` for a frame without anomalous pixels, which is skipped.
    A frame whose map is all zero scores (0, 0, 0, 0). As in the release the maximum starts from a float32
    zero map, so bool, 8- and 16-bit and float32 masks are divided in float32, where two neighbouring scores
    can become equal; float64 masks and wider integers are divided in float64. A frame anomalous in every
    pixel has AUROC ``nan`` (scikit-learn 1.6 or later; before, the script stopped with an error).
    """
    truth = np.asarray(truth).astype(bool)
    scores = np.maximum(np.zeros(truth.shape, dtype=np.float32), scores)
    if truth.sum() == 0:
        return None
    if scores.max() > 0:
        scores = scores / scores.max()
    if scores.sum() == 0:
        return 0.0, 0.0, 0.0, 0.0
    return (
        auroc_by_ranks(truth, scores),
        average_precision(truth, scores),
        pr_trapezoid(truth, scores),
        f1_at_threshold(truth, scores, 0.5, compare="greater"),
    )


def tao_release_pixel(truth, scores):
    """Mean of :func:`tao_release_frame` over the frames of the whole set that have anomalous pixels.

    ``truth``, ``scores`` (T, H, W), all clips one after the other. Each of the four means is over the frames in which
    that metric is defined (the released code gives ``nan`` as soon as one frame has no AUROC). Returns a 4-tuple,
    ``nan`` for a metric without such a frame.
    """
    rows = [tao_release_frame(t, s) for t, s in zip(truth, scores, strict=True)]
    rows = [row for row in rows if row is not None]
    means = []
    for k in range(4):
        values = [row[k] for row in rows if not np.isnan(row[k])]
        means.append(sum(values) / len(values) if values else float("nan"))
    return tuple(means)


def frame_auroc_micro(labels, scores):
    """AUROC of all frames of all clips in one list; ``labels``, ``scores`` (T,)."""
    return auroc_by_ranks(labels, scores)


def frame_auroc_macro(labels, scores, clips, clips_without_both="skip"):
    """Mean of per-clip AUROC.

    Parameters
    ----------
    labels, scores, clips : (T,) each
    clips_without_both : "skip" leaves out clips with a single class; "pad" adds to every clip one
        normal frame of score 0 and one anomalous frame of the largest float, as published code does.
    """
    labels, scores, clips = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64), np.asarray(clips)
    values = []
    for clip in sorted(set(clips.tolist())):
        own_labels, own_scores = labels[clips == clip], scores[clips == clip]
        if clips_without_both == "pad":
            own_labels = np.concatenate(([False], own_labels, [True]))
            own_scores = np.concatenate(([0.0], own_scores, [np.finfo(np.float64).max]))
        value = auroc_by_ranks(own_labels, own_scores)
        if not np.isnan(value):
            values.append(value)
    return sum(values) / len(values) if values else float("nan")
