"""A submission, on disk or behind a URL: its metadata, and what it predicts for each clip.

Source: submission.md.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.base import Clip, Dataset
from vadbench.errors import SubmissionError, UsageError, did_you_mean, printable, quoted
from vadbench.prediction import Detections, Instances, Prediction, PredictionKind
from vadbench.submission.agreement import check_agreement, frame_count_differs, kinds_differ, map_shape_faults
from vadbench.submission.arrays import ArrayReader
from vadbench.submission.faults import raise_first
from vadbench.submission.fingerprint import array_line, metadata_line, submission_fingerprint
from vadbench.submission.layout import ClipLayout, check_top, clip_ids, read_layout
from vadbench.submission.problems import problem
from vadbench.submission.rows import check_detections, check_instances, check_scores
from vadbench.submission.schema import LARGEST_PROVENANCE, Metadata, check_provenance, read_metadata
from vadbench.submission.score_maps import StoredScoreMaps
from vadbench.submission.toml_text import LARGEST_TOML
from vadbench.submission.tree import METADATA, PREDICTIONS, PROVENANCE, UNFINISHED, Tree, open_tree


class Submission:
    """Predictions of one method for one data set; made by `Submission.open`.

    Holds its place and metadata, no open files, so that it can be sent to workers.

    Attributes
    ----------
    path : Path or None
        Of the folder or zip; None for one behind a URL.
    shown : str
        How messages call it: the path, or the URL without credentials.
    metadata : Metadata
        Content of ``submission.toml``.
    clip_ids : tuple of str
        In order of id (by Unicode code point).

    Examples
    --------
    ::

        submission = Submission.open("out/my-method")
        prediction = submission.clip(dataset.clip("01"))
        for first_frame, block in prediction.maps.blocks():
            ...
    """

    def __init__(self, tree: Tree, toml: bytes, metadata: Metadata, ids: tuple[str, ...]) -> None:
        self._tree = tree
        self._toml = toml
        self.metadata = metadata
        self.clip_ids = ids
        self._layouts: dict[str, ClipLayout] = {}

    def __getstate__(self) -> dict[str, Any]:
        """State for a worker, which looks at the files of its clips itself."""
        return {**self.__dict__, "_layouts": {}}

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Submission:
        """Submission at a path or URL: a folder, or a stored zip, which is read in place.

        A URL is text: ``s3://bucket/my-method`` for a folder, ``s3://…`` or ``https://…`` for a zip.
        Reads ``submission.toml``, ``provenance.json`` and the list of clips, no arrays.

        Raises
        ------
        UsageError
            U130 if there is nothing at the path; U138 for a URL that is not read, U139 without the packages for it.
        SubmissionError
            S101 if it is no submission; S110 … S113 about the metadata, S12x about the files and the network.
        """
        return cls.of_tree(open_tree(path))

    @classmethod
    def of_tree(cls, tree: Tree) -> Submission:
        """Submission of the files of a tree; see `open`."""
        entries = tree.entries()
        if entries.get(METADATA) is not False:
            raise no_metadata(tree)
        check_top(tree, {METADATA, PROVENANCE, PREDICTIONS})
        toml = tree.read(METADATA, LARGEST_TOML)
        metadata = read_metadata(toml, (tree.shown, METADATA))
        submission = cls(tree, toml, metadata, clip_ids(tree))
        submission.provenance()
        return submission

    @property
    def tree(self) -> Tree:
        """The files of the submission."""
        return self._tree

    @property
    def path(self) -> Path | None:
        """Path of the folder or zip; None for a submission behind a URL."""
        return self._tree.path

    @property
    def shown(self) -> str:
        """How messages call the submission: its path, or its URL without credentials."""
        return self._tree.shown

    @property
    def predictions(self) -> tuple[PredictionKind, ...]:
        """Kinds of prediction that every clip holds, in the order of the format."""
        return tuple(kind for kind in PredictionKind if kind in self.metadata.predictions)

    def provenance(self) -> dict[str, Any] | None:
        """Content of ``provenance.json``; None if there is none."""
        if self._tree.entries().get(PROVENANCE) is not False:
            return None
        return check_provenance(self._tree.read(PROVENANCE, LARGEST_PROVENANCE), (self.shown, PROVENANCE))

    def layout(self, clip_id: str) -> ClipLayout:
        """Arrays of a clip, found from metadata alone; raises `UsageError` U131 for an unknown clip.

        The folders of a clip are walked once; what is read later is checked again as it is read.
        """
        if clip_id in self._layouts:
            return self._layouts[clip_id]
        if clip_id not in self.clip_ids:
            raise UsageError(
                "U131",
                f"the submission has no clip {quoted(clip_id)}",
                got=self.shown,
                hint=did_you_mean(clip_id, self.clip_ids),
            )
        return self._layouts.setdefault(clip_id, read_layout(self._tree, clip_id))

    def clip(self, clip: str | Clip) -> Prediction:
        """What the submission predicts for a clip.

        Score maps are read when their blocks are asked for; all else is read and checked now.

        Parameters
        ----------
        clip : Clip, or its id
            A `Clip` gives the number of frames and their size, which instances need. An id is enough where the
            clip has score maps, or neither instances nor detections.

        Raises
        ------
        UsageError
            U131 for an unknown clip; U132 if the frame size is needed and not known.
        SubmissionError
            S104, S105 if score maps or frame scores do not fit the clip; S106 if a kind is missing or not declared;
            S12x, S13x about files and arrays; S140 … S145 about rows, with file, clip, row and frame.
        """
        layout = self.layout(clip if isinstance(clip, str) else clip.id)
        if layout.kinds != self.predictions:
            raise kinds_differ(layout, self.predictions)
        frames, height, width = self._size(layout, clip)
        scores = None
        if PredictionKind.FRAME_SCORES in layout.arrays:
            reader = layout.arrays[PredictionKind.FRAME_SCORES][""]
            if frames is not None and reader.shape != (frames,):
                raise frame_count_differs(reader.where, frames, reader.shape[0], "the clip")
            scores = reader.read()
            check_scores(scores, None, reader.where)
        maps = layout.arrays.get(PredictionKind.SCORE_MAPS)
        return Prediction(
            score_maps=StoredScoreMaps(maps[""]) if maps else None,
            instances=_instances(layout, frames, height, width),
            detections=_detections(layout, frames, height, width),
            frame_scores=scores,
        )

    def _size(self, layout: ClipLayout, clip: str | Clip) -> tuple[int | None, int | None, int | None]:
        """Number of frames, height and width as far as they are known."""
        stored = layout.map_shape
        if isinstance(clip, str):
            needs = {PredictionKind.INSTANCES, PredictionKind.DETECTIONS} & layout.arrays.keys()
            if stored is None and needs:
                raise UsageError(
                    "U132",
                    f"the frame size of clip {clip} is needed and not part of the submission",
                    hint=f'give the clip of the data set: submission.clip(dataset.clip("{clip}"))',
                )
            return stored or (None, None, None)
        if stored is not None:
            where = layout.arrays[PredictionKind.SCORE_MAPS][""].where
            raise_first(map_shape_faults(where, clip, stored, "the clip"))
        return clip.frames, clip.height, clip.width

    def check_against(self, dataset: Dataset) -> None:
        """Check that the submission is for that data set and fits it, from metadata alone.

        Data set id; clips (none missing, none more); number of frames and size of score maps, number of frame scores;
        kinds equal to the list `predictions`; the same dtypes in every clip, object ids in all or none; every name
        and every chunk accounted for.

        Raises
        ------
        SubmissionError
            The problem, or S100 with a list of at most ten.
        """
        check_agreement(self, dataset)

    def content_lines(self, clip_id: str, *, score_maps_sha256: str | None = None) -> tuple[bytes, ...]:
        """Lines of a clip's arrays for the fingerprint; reads every array.

        Parameters
        ----------
        clip_id : str
        score_maps_sha256 : str, optional
            Hex digest of the score maps, if the caller has hashed them while reading
            (`StoredScoreMaps`); they are not read again then.
        """
        lines = []
        for kind, arrays in self.layout(clip_id).arrays.items():
            for reader in arrays.values():
                known = score_maps_sha256 if kind is PredictionKind.SCORE_MAPS else None
                digest = known or content_sha256(reader)
                lines.append(array_line(reader.path, reader.meta.data_type, reader.shape, digest))
        return tuple(lines)

    def fingerprint_of(self, lines: list[bytes]) -> str:
        """Fingerprint from the `content_lines` of all clips."""
        return submission_fingerprint([metadata_line(self._toml), *lines])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of metadata and content, 64 hex digits (submission.md, "Identity"); reads everything."""
        return self.fingerprint_of([line for clip_id in self.clip_ids for line in self.content_lines(clip_id)])

    def __repr__(self) -> str:
        kinds = ", ".join(self.predictions)
        return f"Submission({self.shown!r}: {self.metadata.dataset}, {len(self.clip_ids)} clips, {kinds})"


def content_sha256(reader: ArrayReader) -> str:
    """SHA-256, 64 hex digits, of an array's content: C order, little endian."""
    spans_rows = reader.meta.chunk_shape[1:] == reader.shape[1:]
    return sha256_of((rows for _, rows in reader.rows()) if spans_rows else [reader.read()])


def sha256_of(parts: Iterable[NDArray[Any]]) -> str:
    """SHA-256, 64 hex digits, of an array given in parts along its first axis: C order, little endian."""
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(np.ascontiguousarray(part, dtype=part.dtype.newbyteorder("<")).reshape(-1).view(np.uint8).data)
    return hasher.hexdigest()


def _rows(layout: ClipLayout, kind: PredictionKind) -> dict[str, NDArray[Any]]:
    return {name: reader.read() for name, reader in layout.arrays.get(kind, {}).items()}


def _instances(layout: ClipLayout, frames: int | None, height: int | None, width: int | None) -> Instances | None:
    arrays = _rows(layout, PredictionKind.INSTANCES)
    if not arrays or height is None or width is None:
        return None
    # Before the value is made: its own errors know nothing of file and clip.
    where = (*layout.where, PredictionKind.INSTANCES)
    check_instances(arrays, where, n_frames=frames, height=height, width=width)
    return Instances(
        height,
        width,
        frames=arrays["frame"],
        scores=arrays["score"],
        counts=arrays["counts"],
        offsets=arrays["offsets"],
        objects=arrays.get("object"),
    )


def _detections(layout: ClipLayout, frames: int | None, height: int | None, width: int | None) -> Detections | None:
    arrays = _rows(layout, PredictionKind.DETECTIONS)
    if not arrays:
        return None
    where = (*layout.where, PredictionKind.DETECTIONS)
    frame, box, score = arrays["frame"], arrays["box"], arrays["score"]
    objects = arrays.get("object")
    check_detections(frame, box, score, objects, where, n_frames=frames, height=height, width=width)
    return Detections(frame, box, score, objects)


def no_metadata(tree: Tree) -> SubmissionError:
    """Error S101 about a tree without ``submission.toml``."""
    return problem(
        "S101", where=tree.shown, expected=f"a file {METADATA}", got="none", hint=_hint_without_metadata(tree)
    )


def _hint_without_metadata(tree: Tree) -> str:
    entries = tree.entries()
    if UNFINISHED in entries:
        return "a writer was interrupted; run it again with resume=True"
    if PREDICTIONS in entries:
        return f"write {METADATA} beside {PREDICTIONS}; docs/submit.md shows one"
    inside = [name for name, is_folder in entries.items() if is_folder and METADATA in tree.entries(name)]
    if inside:
        return f"the submission is in {tree.shown}/{printable(inside[0])}" + (
            "; a zip holds it at its root" if tree.is_archive else ""
        )
    if "zarr.json" in entries:
        return f"this is a Zarr group; a submission is the folder that holds it as {PREDICTIONS}"
    return "docs/submit.md shows what a submission holds"
