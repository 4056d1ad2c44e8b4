"""Check a data set on disk: read everything, compare its parts with each other and with what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.base import Clip, Dataset
from vadbench.datasets.facts import DatasetFacts
from vadbench.datasets.files import FileDataset
from vadbench.datasets.findings import ClipNumbers, Finding, Severity, Survey, as_ranges
from vadbench.datasets.fingerprint import dataset_fingerprint, truth_bytes
from vadbench.datasets.images import ImageFrames, image_size
from vadbench.datasets.mismatches import counted, wrong_size
from vadbench.datasets.videos import VideoFrames, avi_frame_count
from vadbench.errors import DataError, UsageError, shortened
from vadbench.masks import MaskRuns
from vadbench.truth import Track, Truth

_VALUES_LISTED = 8


def verify(dataset: Dataset, *, quick: bool = False) -> list[Finding]:
    """Check a data set; the findings of `survey` alone."""
    return list(survey(dataset, quick=quick).findings)


@dataclass
class _Books:
    """What is written down while the clips are walked through."""

    findings: list[Finding] = field(default_factory=list)
    numbers: list[ClipNumbers] = field(default_factory=list)
    encoded: list[bytes] = field(default_factory=list)
    without_masks: list[str] = field(default_factory=list)
    without_labels: list[str] = field(default_factory=list)
    overlap: list[tuple[int, int]] = field(default_factory=list)
    undecodable: list[UsageError] = field(default_factory=list)

    def add(self, severity: Severity, code: str, message: str, *where: str, **more: str) -> None:
        self.findings.append(Finding(severity, code, message, where, **more))

    def add_error(self, error: DataError) -> None:
        self.add(
            Severity.ERROR,
            error.code,
            error.message,
            *error.where,
            expected=error.expected,
            got=error.got,
            hint=error.hint,
        )


def survey(dataset: Dataset, *, quick: bool = False, progress: Callable[[int, int], None] | None = None) -> Survey:
    """Read the whole data set and compare its parts.

    Parameters
    ----------
    dataset : Dataset
    quick : bool
        Read only the headers of images and videos that hold frames: damage further inside is not found.
    progress : callable, optional
        Called with (test clips done, all test clips).

    Returns
    -------
    Survey
        Errors: a file that cannot be read or has the wrong size; truth that is not the published one. Warnings:
        labels, masks and tracks that disagree, masks with more than two values, tracks outside the frame, masks or
        labels missing, published numbers that differ for masks given by hand. Notes: things to know.

    Notes
    -----
    Masks and frames are read once, a frame at a time. The first wrong frame of each clip is reported.
    Source: protocols.md, "Truth".
    """
    books = _Books()
    for done, clip in enumerate(dataset.clips, start=1):
        _survey_clip(dataset, clip, books)
        _check_frames(clip, "clip", books, quick=quick)
        if progress is not None:
            progress(done, len(dataset.clips))
    for clip in dataset.training_clips:
        _check_frames(clip, "training clip", books, quick=quick)
    _check_frame_parts(dataset, books, quick=quick)
    _check_missing_truth(dataset, books)
    whole = len(books.encoded) == len(dataset.clips)
    fingerprint = dataset_fingerprint(dataset.id, books.encoded) if whole else None
    if isinstance(dataset, FileDataset):
        _check_against_facts(dataset, fingerprint, books)
    return Survey(tuple(books.findings), tuple(books.numbers), fingerprint, quick)


def _survey_clip(dataset: Dataset, clip: Clip, books: _Books) -> None:
    try:
        truth = _truth_with_values(dataset, clip, books)
    except DataError as error:
        books.add_error(error)
        return
    books.encoded.append(truth_bytes(clip, truth))
    runs, labels, given = truth.mask_runs, truth.labels, truth.given_tracks
    if runs is None:
        books.without_masks.append(clip.id)
    if labels is None:
        books.without_labels.append(clip.id)
    overlap = None if runs is None else _counts(replace(truth, given_tracks=None).tracks())
    if overlap is not None:
        books.overlap.append(overlap)
    tracks = overlap if given is None else _counts(given)
    books.numbers.append(
        ClipNumbers(
            clip.id,
            clip.frames,
            None if labels is None else int(labels.sum()),
            None if runs is None else runs.n_pixels,
            # Every component is a region of the rule mask-overlap.
            None if overlap is None else overlap[1],
            None if tracks is None else tracks[0],
            None if tracks is None else tracks[1],
        )
    )
    _check_agreement(clip, truth, books)
    _check_track_boxes(clip, truth, books)


def _counts(tracks: Iterable[Track] | None) -> tuple[int, int]:
    """Numbers of tracks and regions."""
    lengths = [len(track.frames) for track in tracks or ()]
    return len(lengths), sum(lengths)


def _truth_with_values(dataset: Dataset, clip: Clip, books: _Books) -> Truth:
    """Read the truth of a clip and look at the values of its masks on the way."""
    if not isinstance(dataset, FileDataset):
        return dataset.truth(clip.id)
    masks = dataset.stored_masks(clip.id)
    if masks is None:
        return dataset.truth_with(clip.id, None)
    values: set[Any] = set()
    truth = dataset.truth_with(clip.id, MaskRuns.from_frames(_watched(masks, values), clip.height, clip.width))
    if len(values - {0}) > 1:
        listed = sorted(float(value) for value in values)
        shown = " ".join(f"{value:g}" for value in listed[:_VALUES_LISTED])
        books.add(
            Severity.WARNING,
            "D242",
            "masks have more than two values",
            f"clip {clip.id}",
            expected="0 and one other value",
            got=shown + (f" … ({len(listed)} values)" if len(listed) > _VALUES_LISTED else ""),
            hint="every value but 0 counts as anomalous; were the masks resized or stored lossily?",
        )
    return truth


def _watched(masks: Iterator[NDArray[Any]], values: set[Any]) -> Iterator[NDArray[Any]]:
    for mask in masks:
        values.update(np.unique(mask).tolist())
        yield mask


def _check_agreement(clip: Clip, truth: Truth, books: _Books) -> None:
    """Write down the frames on which labels, masks and track files disagree, pair by pair and way by way."""
    views: dict[str, NDArray[np.bool_]] = {}
    if truth.labels is not None:
        views["labels"] = truth.labels
    if truth.mask_runs is not None:
        views["masks"] = truth.mask_runs.anomalous_frames()
    if truth.given_tracks is not None:
        views["tracks"] = np.zeros(clip.frames, dtype=np.bool_)
        for track in truth.given_tracks:
            views["tracks"][track.frames] = True
    codes = {("labels", "masks"): "D240", ("labels", "tracks"): "D241", ("masks", "tracks"): "D241"}
    for (first, second), code in codes.items():
        if first not in views or second not in views:
            continue
        for one, other in ((first, second), (second, first)):
            frames = np.flatnonzero(views[one] & ~views[other])
            if frames.size:
                books.add(
                    Severity.WARNING,
                    code,
                    f"{counted(frames.size, 'frames')} anomalous by {one} and normal by {other}",
                    f"clip {clip.id}",
                    f"frames {as_ranges(frames)}",
                    hint="each part is used as it is for its own metric",
                )


def _check_track_boxes(clip: Clip, truth: Truth, books: _Books) -> None:
    for track in truth.given_tracks or ():
        x1, y1, x2, y2 = track.boxes.T
        outside = (x1 < 0) | (y1 < 0) | (x2 > clip.width) | (y2 > clip.height)
        if outside.any():
            books.add(
                Severity.WARNING,
                "D244",
                f"boxes of a track reach outside the frame: {int(outside.sum())} of {len(track.frames)}",
                f"clip {clip.id}",
                f"track {track.id}",
                f"frames {as_ranges(track.frames[outside])}",
                expected=f"0 to {clip.width} by 0 to {clip.height}, half-open",
                got=str(track.boxes[outside][0].tolist()),
                hint="is the track file of another frame size, or another convention of corners?",
            )


def _check_frames(clip: Clip, kind: str, books: _Books, *, quick: bool) -> None:
    """Decode every frame, or read every header; write down the first that is wrong."""
    if clip.frame_reader is None:
        return
    try:
        if quick:
            _check_headers(clip)
        else:
            for _ in clip.read_frames():
                pass
    except DataError as error:
        # Readers know the clip's id alone, and training clips have the same ones.
        named = f"{kind} {clip.id}"
        error.where = tuple(named if part == f"clip {clip.id}" else part for part in error.where)
        books.add_error(error)
    except UsageError as error:
        books.undecodable.append(error)


def _check_headers(clip: Clip) -> None:
    reader, size = clip.frame_reader, (clip.height, clip.width)
    if isinstance(reader, VideoFrames):
        avi_frame_count(reader.path)
    elif isinstance(reader, ImageFrames):
        for frame, path in enumerate(reader.paths()):
            where = (f"clip {clip.id}", f"frame {frame}")
            found = image_size(path, where)
            if found != size:
                raise wrong_size("an image", path, where, size=size, found=found)


def _check_frame_parts(dataset: Dataset, books: _Books, *, quick: bool) -> None:
    there = [clip for clip in (*dataset.clips, *dataset.training_clips) if clip.frame_reader is not None]
    if quick and there:
        books.add(
            Severity.NOTE,
            "D250",
            "of the frames only the headers were read",
            hint="without quick (--quick) every frame is decoded, which finds files that are cut off",
        )
    if books.undecodable:
        error = books.undecodable[0]
        books.add(
            Severity.WARNING,
            "D251",
            f"the frames of {counted(len(books.undecodable), 'clips')} were not decoded",
            *error.where,
            got=error.message,
            hint=error.hint,
        )
    without = [clip.id for clip in dataset.clips if clip.frame_reader is None]
    if not without:
        return
    if len(without) == len(dataset.clips):
        books.add(Severity.NOTE, "D247", "there are no frames", hint="scoring needs the truth alone")
    else:
        books.add(
            Severity.WARNING,
            "D247",
            f"{len(without)} of {len(dataset.clips)} clips have no frames",
            f"clips {shortened(without)}",
            hint="is a folder of masks misspelt?",
        )


def _check_missing_truth(dataset: Dataset, books: _Books) -> None:
    facts = dataset.facts if isinstance(dataset, FileDataset) else None
    official = set(facts.clips) - set(facts.mask_clips) if facts is not None else set()
    if books.without_masks:
        known = set(books.without_masks) <= official
        books.add(
            Severity.NOTE if known else Severity.WARNING,
            "D243",
            f"{len(books.without_masks)} of {len(dataset.clips)} clips have no masks"
            + (", as in the official archive" if known else ""),
            f"clips {shortened(books.without_masks)}",
            hint="pixel metrics use the clips with masks only",
        )
    if books.without_labels:
        books.add(
            Severity.WARNING,
            "D248",
            f"{len(books.without_labels)} of {len(dataset.clips)} clips have neither labels nor masks",
            f"clips {shortened(books.without_labels)}",
            hint="frame metrics are not available for them",
        )


def _check_against_facts(dataset: FileDataset, fingerprint: str | None, books: _Books) -> None:
    facts = dataset.facts
    # Whoever brings other masks knows that they are not the published ones, and may score with them.
    severity = Severity.WARNING if dataset.own_masks else Severity.ERROR
    complete = set(facts.mask_clips) <= {clip.id for clip in dataset.clips} - set(books.without_masks)
    if fingerprint is None:
        books.add(Severity.NOTE, "D245", "the fingerprint is not known, because some truth cannot be read")
        return
    if not facts.clips:
        books.add(Severity.NOTE, "D245", "this is the fingerprint of the truth", got=fingerprint)
    elif facts.fingerprint is None or not complete:
        why = "no published fingerprint is on record" if facts.fingerprint is None else "masks are missing"
        books.add(Severity.NOTE, "D245", f"the truth cannot be compared with the published one: {why}", got=fingerprint)
    elif facts.fingerprint == fingerprint:
        books.add(Severity.NOTE, "D245", "the truth is the published one", got=fingerprint)
    else:
        books.add(
            severity,
            "D245",
            "the truth is not the published one",
            expected=facts.fingerprint,
            got=fingerprint,
            hint="scores cannot be compared with those on the published truth",
        )
    _check_tracks_fingerprint(dataset, facts, books)
    _check_expected_numbers(facts, severity, books)


def _check_tracks_fingerprint(dataset: FileDataset, facts: DatasetFacts, books: _Books) -> None:
    known, found = facts.tracks_fingerprints.get(dataset.track_source), dataset.tracks_fingerprint
    if found is None:
        return
    if known is None:
        books.add(Severity.NOTE, "D246", f"no published fingerprint of {dataset.track_source} tracks", got=found)
    elif known == found:
        books.add(Severity.NOTE, "D246", f"the {dataset.track_source} tracks are the published ones", got=found)
    else:
        # Tracks are always named by the caller, who may have other ones.
        books.add(
            Severity.WARNING,
            "D246",
            f"the {dataset.track_source} tracks are not the published ones",
            expected=known,
            got=found,
            hint="object scores cannot be compared with those on the published tracks",
        )


def _check_expected_numbers(facts: DatasetFacts, severity: Severity, books: _Books) -> None:
    numbers, all_masks = books.numbers, not books.without_masks
    found: dict[str, int] = {}
    if not books.without_labels:
        found["anomalous_frames"] = sum(clip.anomalous_frames or 0 for clip in numbers)
    if all_masks:
        found["anomalous_pixels"] = sum(clip.anomalous_pixels or 0 for clip in numbers)
        found["tracks"] = sum(tracks for tracks, _ in books.overlap)
        found["regions"] = sum(regions for _, regions in books.overlap)
    for name, expected in facts.expected.items():
        if name in found and found[name] != expected:
            books.add(
                severity,
                "D249",
                f"the number of {name.replace('_', ' ')} is not the published one",
                expected=str(expected),
                got=str(found[name]),
            )
