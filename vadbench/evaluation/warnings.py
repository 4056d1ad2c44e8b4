"""Sentences of a report about what is allowed and probably not meant; what they say is found in `validation`.

Source: submission.md, "Problems and warnings".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vadbench.datasets.base import Dataset
from vadbench.datasets.files import FileDataset
from vadbench.evaluation.clip import ClipStatistics
from vadbench.validation.warnings import chosen_on_test, constant_scores, threshold_remarks


def score_map_warnings(clips: Sequence[ClipStatistics], threshold: float | None) -> list[str]:
    """Sentences about the score maps of all clips; empty where there is nothing to say.

    Parameters
    ----------
    clips : sequence of ClipStatistics
    threshold : float or None
        Declared threshold, in stored units.
    """
    ranges = {clip.clip.id: clip.score_range for clip in clips if clip.score_range is not None}
    return [remark.sentence for remark in (*constant_scores(ranges), *threshold_remarks(ranges, threshold))]


def declaration_warnings(declared: Mapping[str, Any]) -> list[str]:
    """Sentences about what a submission declares of itself; `declared` as a report holds it."""
    return [remark.sentence for remark in chosen_on_test(declared.get("training", {}).get("threshold_chosen_on"))]


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
