"""What is allowed and probably not meant: constant clips, odd thresholds, truth that is not the published one.

Source: submission.md, "Problems and warnings".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vadbench.datasets.base import Dataset
from vadbench.datasets.files import FileDataset
from vadbench.errors import shortened
from vadbench.evaluation.clip import ClipStatistics


def score_map_warnings(clips: Sequence[ClipStatistics], threshold: float | None) -> list[str]:
    """Sentences about the score maps of all clips; empty where there is nothing to say.

    Parameters
    ----------
    clips : sequence of ClipStatistics
    threshold : float or None
        Declared threshold, in stored units.
    """
    ranges = {clip.clip.id: clip.score_range for clip in clips if clip.score_range is not None}
    if not ranges:
        return []
    warnings = []
    constant = [clip_id for clip_id, (least, greatest) in ranges.items() if least == greatest]
    if constant:
        warnings.append(f"every pixel has the same score in {_clips(constant, len(ranges))}")
    least, greatest = min(low for low, _ in ranges.values()), max(high for _, high in ranges.values())
    if threshold is not None and threshold > greatest:
        warnings.append(f"the declared threshold {threshold:g} is above every stored score (highest {greatest:g})")
    elif threshold is not None and threshold <= least:
        unit = "; thresholds are in stored units" if isinstance(greatest, int) and 0 < threshold < 1 else ""
        warnings.append(f"the declared threshold {threshold:g} flags every pixel (lowest stored score {least:g}{unit})")
    elif threshold is not None and isinstance(greatest, int) and 0 < threshold < 1 < greatest:
        warnings.append(f"the declared threshold {threshold:g} is below 1, and scores are stored up to {greatest}")
    return warnings


def _clips(constant: Sequence[str], n_clips: int) -> str:
    if len(constant) == n_clips:
        return "each clip" if n_clips > 1 else "the clip"
    return f"{'clips' if len(constant) > 1 else 'clip'} {shortened(constant)}"


def declaration_warnings(declared: Mapping[str, Any]) -> list[str]:
    """Sentences about what a submission declares of itself; `declared` as a report holds it."""
    chosen_on = declared.get("training", {}).get("threshold_chosen_on")
    return ["the declared threshold was chosen on the test set"] if chosen_on == "test" else []


def truth_warnings(dataset: Dataset, fingerprint: str, tracks_fingerprint: str | None) -> list[str]:
    """Sentences about truth and tracks that differ from what is known of the data set.

    Parameters
    ----------
    dataset : Dataset
    fingerprint : str
        Of the truth as it was read, 64 hex digits.
    tracks_fingerprint : str or None
        Of the track files as they were read.
    """
    if not isinstance(dataset, FileDataset):
        return []
    known, warnings = dataset.facts, []
    if known.fingerprint is not None and fingerprint != known.fingerprint:
        warnings.append(
            f"the truth is not the published one of {dataset.id} (fingerprint {fingerprint[:8]}, published "
            f"{known.fingerprint[:8]}): see `vadbench data verify`"
        )
    published = known.tracks_fingerprints.get(dataset.track_source)
    if published is not None and tracks_fingerprint not in {None, published}:
        warnings.append(f"the {dataset.track_source} tracks are not the published ones of {dataset.id}")
    return warnings
