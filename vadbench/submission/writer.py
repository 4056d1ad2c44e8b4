"""Writer of submissions: one clip at a time, each whole or not there at all.

Source: submission.md; architecture.md, "A submission on disk".
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import ArrayLike, DTypeLike

from vadbench.datasets.base import DATASET_IDS, Dataset
from vadbench.errors import UsageError, did_you_mean, quoted
from vadbench.prediction import Detections, Instances, Prediction, PredictionKind, ScoreMapArray, ScoreMaps
from vadbench.submission.agreement import (
    array_differences,
    clip_differences,
    kinds_differ,
    map_shape_faults,
)
from vadbench.submission.clip_writer import ClipWriter
from vadbench.submission.faults import raise_first
from vadbench.submission.layout import RESERVED_BEGINNINGS, ClipLayout, clip_ids, read_layout
from vadbench.submission.problems import problem
from vadbench.submission.schema import FORMAT, MapScale, Metadata, Method, Training, check_provenance, checked_metadata
from vadbench.submission.tree import METADATA, PREDICTIONS, PROVENANCE, UNFINISHED, FolderTree, is_url

_LONGEST_ID_BYTES = 200


class SubmissionWriter:
    """Writes a submission folder; a context manager.

    A clip appears when it is whole; an exception leaves no half clip, and finished clips survive a killed run.
    ``submission.toml`` is written last, so an unfinished folder is not taken for a submission.

    Parameters
    ----------
    path : path
        Folder to write; it must not exist or be empty, unless ``overwrite`` or ``resume`` is given.
    dataset : Dataset, or its id
        A `Dataset` has every clip checked against its frames at once, and the end against its list of clips.
    method, training : mapping, Method or Training
        Tables of ``submission.toml``. ``threshold_chosen_on`` may be left out where there is no threshold.
    score_maps : mapping, optional
        ``threshold``, ``lower``, ``upper``.
    provenance : mapping, optional
        Content of ``provenance.json``.
    overwrite : bool
        Replace a submission at the path; it stays until the new one is whole.
    resume : bool
        Go on with what an interrupted run has left: see `has_clip`.

    Raises
    ------
    SubmissionError
        S112, S113 about metadata: now, before the first clip is computed.
    UsageError
        U111 for an unknown id, U133 if the folder is not empty, U134 if it holds other things than a submission, U160
        for a URL.

    Examples
    --------
    ::

        with SubmissionWriter("out/my-method", dataset=dataset, method={...}, training={...}) as writer:
            for clip in dataset.clips:
                writer.write_clip(clip.id, score_maps=my_model(clip.read_frames()))
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        dataset: str | Dataset,
        method: Mapping[str, Any] | Method,
        training: Mapping[str, Any] | Training,
        score_maps: Mapping[str, Any] | MapScale | None = None,
        provenance: Mapping[str, Any] | None = None,
        overwrite: bool = False,
        resume: bool = False,
    ) -> None:
        if is_url(path):
            raise UsageError(
                "U160",
                "a submission is written to a folder, not to a URL",
                hint="write it to disk and copy it to its place; it is read from there",
            )
        self.path = Path(path)
        self._dataset = dataset if isinstance(dataset, Dataset) else None
        self._source = f"data set {dataset.id}" if isinstance(dataset, Dataset) else "the clip"
        self._table = _metadata_table(dataset, method, training, score_maps)
        # All kinds stand in until the first clip shows which there are, so that mistakes are found now.
        self._metadata(tuple(PredictionKind))
        if isinstance(dataset, str) and dataset not in DATASET_IDS:
            raise UsageError("U111", f"there is no data set {quoted(dataset)}", hint=did_you_mean(dataset, DATASET_IDS))
        self._provenance = _provenance_bytes(provenance, (str(self.path), PROVENANCE))
        self._target = self.path.resolve()
        self._made = not self._target.exists()
        self._folder = _prepared(self.path, self._target, overwrite=overwrite, resume=resume)
        self._first: ClipLayout | None = None
        self._closed = False
        self._written = self._found_clips()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()

    @property
    def clip_ids(self) -> tuple[str, ...]:
        """Clips that are whole, sorted."""
        return tuple(sorted(self._written))

    def has_clip(self, clip_id: str) -> bool:
        """Whether the clip is there already, by this run or the one that is resumed."""
        return clip_id in self._written

    def write_clip(
        self,
        clip_id: str,
        prediction: Prediction | None = None,
        *,
        score_maps: ScoreMaps | ArrayLike | None = None,
        instances: Instances | None = None,
        detections: Detections | None = None,
        frame_scores: ArrayLike | None = None,
    ) -> None:
        """Write a whole clip, from a `Prediction` or from its parts.

        Parameters
        ----------
        clip_id : str
        prediction : Prediction, optional
        score_maps : (T, H, W) or ScoreMaps, optional
        instances : Instances, optional
        detections : Detections, optional
        frame_scores : (T,) real, optional

        Raises
        ------
        SubmissionError
            S104, S105, S106, S107, S108, S132, S14x: whatever the reader would refuse, with clip and frame.
        UsageError
            U110 for a clip that the data set does not have, U136 for one that is there already.
        """
        parts = (score_maps, instances, detections, frame_scores)
        if (prediction is not None) == any(part is not None for part in parts):
            raise UsageError("U135", "a clip needs either a Prediction or its parts", hint="give one of the two")
        if prediction is None:
            maps = _as_maps(score_maps)
        else:
            maps, instances, detections = prediction.maps, prediction.instances, prediction.detections
            frame_scores = prediction.frame_scores
        shape = None if maps is None else maps.shape
        with self.clip(clip_id, shape=shape, dtype=None if maps is None else maps.dtype) as clip:
            if maps is not None:
                clip.write_score_maps(maps)
            if instances is not None:
                clip.write_instances(instances)
            if detections is not None:
                clip.write_detections(detections)
            if frame_scores is not None:
                clip.write_frame_scores(frame_scores)

    @contextmanager
    def clip(
        self, clip_id: str, *, shape: tuple[int, int, int] | None = None, dtype: DTypeLike | None = None
    ) -> Iterator[ClipWriter]:
        """Write a clip piece by piece, so that memory stays bounded.

        Parameters
        ----------
        clip_id : str
        shape : (T, H, W), optional
            Needed for score maps unless the writer knows the `Dataset`.
        dtype : dtype, optional
            Of the score maps; that of the first block unless given.

        Yields
        ------
        ClipWriter
            With ``write_score_maps`` (as often as needed), ``write_instances``, ``write_detections``,
            ``write_frame_scores``.
        """
        if self._closed:
            raise UsageError("U135", "the writer is closed", hint="write inside its with block")
        _check_clip_id(clip_id)
        if clip_id in self._written:
            raise UsageError(
                "U136",
                f"clip {quoted(clip_id)} is written already",
                where=str(self.path),
                hint="ask writer.has_clip(clip_id) first",
            )
        where = (str(self.path), f"clip {clip_id}")
        size = self._checked_size(clip_id, shape, where)
        unfinished = self._folder / UNFINISHED / PREDICTIONS / clip_id
        try:
            clip = ClipWriter(unfinished, where, size, dtype, source=self._source)
            yield clip
            clip.finish()
            self._check_alike(read_layout(FolderTree(self._folder / UNFINISHED), clip_id, shown=self.path))
            unfinished.rename(self._folder / PREDICTIONS / clip_id)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        self._written.add(clip_id)

    def close(self) -> None:
        """Write ``submission.toml``, and with it finish the submission; called at the end of the with block.

        Raises
        ------
        SubmissionError
            S103 if no clip was written, or one of the `Dataset` is missing; what is written stays for ``resume``.
        """
        if self._closed:
            return
        if self._first is None:
            raise problem("S103", where=(str(self.path), PREDICTIONS), expected="at least one clip", got="no clip")
        if self._dataset is not None:
            expected = [clip.id for clip in self._dataset.clips]
            again = "write the others with resume=True"
            for error in clip_differences((str(self.path), PREDICTIONS), sorted(self._written), expected, hint=again):
                raise error
        unfinished = self._folder / UNFINISHED
        for name, content in (
            (PROVENANCE, self._provenance),
            (METADATA, self._metadata(self._first.kinds).to_toml()),
        ):
            if content is None:
                (self._folder / name).unlink(missing_ok=True)
            else:
                (unfinished / name).write_bytes(content)
                (unfinished / name).replace(self._folder / name)
        shutil.rmtree(unfinished)
        if self._folder != self._target:
            old = self._target.with_name(f".{self._target.name}.replaced")
            shutil.rmtree(old, ignore_errors=True)
            self._target.rename(old)
            self._folder.rename(self._target)
            shutil.rmtree(old)
        self._closed = True

    def discard(self) -> None:
        """Remove what was written of a submission that is not finished: the path is as it was before."""
        if self._closed:
            return
        self._closed = True
        old = self._target.with_name(f".{self._target.name}.replaced")
        if self._folder != self._target and old.exists() and not self._target.exists():
            old.rename(self._target)
        if self._made or self._folder != self._target:
            shutil.rmtree(self._folder, ignore_errors=True)
            return
        for name in (PREDICTIONS, UNFINISHED):
            shutil.rmtree(self._folder / name, ignore_errors=True)
        for name in (METADATA, PROVENANCE):
            (self._folder / name).unlink(missing_ok=True)

    def _metadata(self, kinds: tuple[PredictionKind, ...]) -> Metadata:
        table = {"format": FORMAT, "dataset": self._table["dataset"], "predictions": [str(kind) for kind in kinds]}
        return checked_metadata({**table, **self._table}, (str(self.path), METADATA))

    def _found_clips(self) -> set[str]:
        """Clips of the run that is resumed; they must be alike as all clips are."""
        tree = FolderTree(self._folder)
        found = clip_ids(tree)
        for clip_id in found:
            self._check_alike(read_layout(tree, clip_id, shown=self.path))
        return set(found)

    def _checked_size(
        self, clip_id: str, shape: tuple[int, int, int] | None, where: tuple[str, ...]
    ) -> tuple[int | None, int | None, int | None]:
        if self._dataset is None:
            return shape or (None, None, None)
        clip = self._dataset.clip(clip_id)
        if shape is not None:
            raise_first(map_shape_faults((*where, PredictionKind.SCORE_MAPS), clip, shape, self._source))
        return clip.frames, clip.height, clip.width

    def _check_alike(self, layout: ClipLayout) -> None:
        """The same kinds, arrays and dtypes as in the first clip."""
        if self._first is None:
            if not layout.kinds:
                raise problem("S106", where=layout.where, expected="at least one kind", got="no predictions")
            self._metadata(layout.kinds)
            self._first = layout
            return
        if layout.kinds != self._first.kinds:
            raise kinds_differ(layout, self._first.kinds, f"as in clip {self._first.clip_id}")
        for error in array_differences(layout, self._first):
            raise error


def _as_maps(scores: ScoreMaps | ArrayLike | None) -> ScoreMaps | None:
    return scores if scores is None or isinstance(scores, ScoreMaps) else ScoreMapArray(scores)


def _metadata_table(
    dataset: str | Dataset,
    method: Mapping[str, Any] | Method,
    training: Mapping[str, Any] | Training,
    score_maps: Mapping[str, Any] | MapScale | None,
) -> dict[str, Any]:
    tables: dict[str, Any] = {
        "method": _plain(method),
        "training": _plain(training),
        **({} if score_maps is None else {"score_maps": _plain(score_maps)}),
    }
    threshold = tables["score_maps"].get("threshold") if isinstance(tables.get("score_maps"), dict) else None
    if isinstance(tables["training"], dict) and threshold is None:
        tables["training"].setdefault("threshold_chosen_on", "none")
    return {"dataset": dataset.id if isinstance(dataset, Dataset) else dataset, **tables}


def _plain(table: object) -> object:
    if isinstance(table, (Method, Training, MapScale)):
        return table.model_dump(mode="json", exclude_none=True)
    return {key: value for key, value in table.items() if value is not None} if isinstance(table, Mapping) else table


def _provenance_bytes(provenance: Mapping[str, Any] | None, where: tuple[str, ...]) -> bytes | None:
    if provenance is None:
        return None
    try:
        text = json.dumps(dict(provenance), ensure_ascii=False, allow_nan=False, indent=2, sort_keys=True)
        content = f"{text}\n".encode()
    except (TypeError, ValueError) as error:
        raise problem("S113", where=where, expected="scalars, lists and objects", got=str(error)) from error
    check_provenance(content, where)
    return content


def _prepared(path: Path, target: Path, *, overwrite: bool, resume: bool) -> Path:
    """Folder to write into, with an empty place for unfinished clips and the root group."""
    import zarr

    if overwrite and resume:
        raise UsageError("U135", "overwrite and resume exclude each other", hint="give one of the two")
    folder = target
    if target.exists():
        names = set(os.listdir(target)) if target.is_dir() else {target.name}  # noqa: PTH208
        own = {METADATA, PROVENANCE, PREDICTIONS, UNFINISHED, ".DS_Store", "Thumbs.db"}
        if names and not (overwrite or resume):
            raise UsageError(
                "U133",
                "the folder to write is not empty",
                where=str(path),
                hint="give another path, overwrite=True to replace it, or resume=True to go on with it",
            )
        if not target.is_dir() or names - own:
            raise UsageError(
                "U134",
                "what is at the path is not a submission folder and is left alone",
                where=str(path),
                got=", ".join(quoted(name) for name in sorted(names - own)[:5]),
            )
        if names and overwrite:
            folder = target.with_name(f".{target.name}{UNFINISHED}")
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
    (folder / UNFINISHED / PREDICTIONS).mkdir(parents=True)
    if not (folder / PREDICTIONS / "zarr.json").exists():
        zarr.create_group(store=str(folder / PREDICTIONS), zarr_format=3)
    return folder


def _check_clip_id(clip_id: str) -> None:
    """A clip id can be the name of a folder and of a Zarr node; raises `UsageError` U137."""
    sound = (
        isinstance(clip_id, str)
        and clip_id.isprintable()
        and not set(clip_id) & set('/\\:*?"<>|')
        and clip_id not in ("", "zarr.json", *PredictionKind)
        and not clip_id.startswith(RESERVED_BEGINNINGS)
        and len(clip_id.encode()) <= _LONGEST_ID_BYTES
    )
    if not sound:
        raise UsageError(
            "U137",
            "a clip id must be usable as the name of a folder",
            expected='a name such as "01" or "01_0014"',
            got=quoted(clip_id),
        )
