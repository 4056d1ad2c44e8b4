"""The loop: predictions of another format, clip by clip, become a submission.

What is written is whole or not there: a wrong file, a full disk or an interruption leaves nothing behind.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vadbench.conversion.conversion import Conversion
from vadbench.conversion.declared import Declared
from vadbench.conversion.dense.quantizing import QuantizedMaps, ScoreRange
from vadbench.conversion.dense.resizing import ResizedMaps
from vadbench.conversion.shown import shown_path
from vadbench.datasets.base import Clip, Dataset
from vadbench.errors import UsageError
from vadbench.prediction import Prediction, PredictionKind, ScoreMaps
from vadbench.submission.writer import SubmissionWriter

if TYPE_CHECKING:
    from vadbench.evaluation.executors import Progress

_EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Converted:
    """What was written.

    Parameters
    ----------
    path : Path
    kinds : tuple of PredictionKind
    n_clips, n_frames, n_rows : int
        Rows are those of instances and detections together.
    map_dtype : str or None
        Of the score maps.
    scale : ScoreRange or None
        What the stored numbers stand for, if maps were quantised.
    threshold : (float, int) or None
        The declared threshold before and after, if maps were quantised.
    n_resized : int
        Clips whose maps were resized.
    n_beyond : int
        Scores beyond the range that was given, which became its ends.
    """

    path: Path
    kinds: tuple[PredictionKind, ...]
    n_clips: int
    n_frames: int
    n_rows: int
    map_dtype: str | None = None
    scale: ScoreRange | None = None
    threshold: tuple[float, int] | None = None
    n_resized: int = 0
    n_beyond: int = 0


def convert(
    conversion: Conversion,
    path: Path,
    *,
    dataset: str | Dataset,
    declared: Declared,
    provenance: Mapping[str, Any] = _EMPTY,
    quantize: bool = False,
    given_range: ScoreRange | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Converted:
    """Write a submission.

    Parameters
    ----------
    conversion : Conversion
    path : Path
        Folder that does not exist, or a submission with `overwrite`.
    dataset : Dataset, or its id
        A `Dataset` has every clip checked against it once more.
    declared : Declared
    provenance : mapping
        Content of ``provenance.json``; what was done to the maps is added.
    quantize : bool
        Store float maps as uint16 over one range for all clips; goes through all files twice.
    given_range : ScoreRange, optional
        The range to quantise over, whatever the scores are; those beyond it become its ends, and are counted.
    overwrite : bool
        Replace the submission at the path; it stays until the new one is whole.
    progress : callable, optional

    Raises
    ------
    ConversionError, SubmissionError
        Whatever is wrong with files and metadata; nothing is left at the path then.
    UsageError
        U215 if something is at the path.
    """
    # A round through the clips to look at them, one for the range, one to write.
    rounds = iter(_in_rounds(progress, conversion.source.lazy + quantize + 1))
    if conversion.source.lazy:
        conversion.check(next(rounds))
    first = conversion.clips[0]
    if conversion.source.lazy:
        declared.check_kinds(conversion.prediction(first).kinds, conversion.where)
    scale, n_beyond = None, 0
    if quantize:
        scale, n_beyond = conversion.score_range(declared.score_maps, next(rounds), given=given_range)
    tables = dict(declared.score_maps)
    threshold = None
    if scale is not None:
        tables |= {"lower": scale.lower, "upper": scale.upper}
        if "threshold" in tables:
            threshold = (tables["threshold"], scale.threshold(tables["threshold"]))
            tables["threshold"] = threshold[1]
    facts = dict(provenance) | _provenance_of_maps(conversion, scale, threshold) | _provenance_of_rows(conversion)
    if given_range is not None:
        facts["quantize"] |= {"scores_beyond": n_beyond}
    with _whole_or_not_there(path, dataset, declared, tables, facts, overwrite=overwrite) as writer:
        written = next(rounds)
        counts = {"rows": 0, "resized": 0}
        dtype = None
        kinds: tuple[PredictionKind, ...] = ()
        for done, clip in enumerate(conversion.clips, 1):
            prediction = conversion.prediction(clip)
            kinds = prediction.kinds
            declared.check_kinds(kinds, conversion.where)
            maps = prediction.maps
            counts["resized"] += isinstance(maps, ResizedMaps)
            if maps is not None and scale is not None:
                maps = QuantizedMaps(maps, scale)
            dtype = None if maps is None else maps.dtype.name
            counts["rows"] += _write_clip(writer, clip, prediction, maps)
            if written is not None:
                written(done, len(conversion.clips), clip.id)
    return Converted(
        path,
        kinds,
        len(conversion.clips),
        sum(clip.frames for clip in conversion.clips),
        counts["rows"],
        dtype,
        scale,
        threshold,
        counts["resized"],
        n_beyond,
    )


def _in_rounds(progress: Progress | None, n_rounds: int) -> list[Progress | None]:
    """A callback for each round, which counts from 0 there."""

    def of_round(number: int) -> Progress | None:
        if progress is None:
            return None
        return lambda done, total, name: progress(number * total + done, n_rounds * total, name)

    return [of_round(number) for number in range(n_rounds)]


def _write_clip(writer: SubmissionWriter, clip: Clip, prediction: Prediction, maps: ScoreMaps | None) -> int:
    """Write a clip and give its number of rows."""
    size = (clip.frames, clip.height, clip.width)
    rows = 0
    with writer.clip(clip.id, shape=size, dtype=None if maps is None else maps.dtype) as part:
        if maps is not None:
            part.write_score_maps(maps)
        if prediction.instances is not None:
            part.write_instances(prediction.instances)
            rows += len(prediction.instances)
        if prediction.detections is not None:
            part.write_detections(prediction.detections)
            rows += len(prediction.detections.frames)
        if prediction.frame_scores is not None:
            part.write_frame_scores(prediction.frame_scores)
    return rows


@contextlib.contextmanager
def _whole_or_not_there(
    path: Path,
    dataset: str | Dataset,
    declared: Declared,
    score_maps: Mapping[str, Any],
    provenance: Mapping[str, Any],
    *,
    overwrite: bool,
) -> Iterator[SubmissionWriter]:
    """A writer that leaves nothing behind if the work ends early."""
    try:
        writer = SubmissionWriter(
            path,
            dataset=dataset,
            method=declared.method,
            training=declared.training,
            score_maps=score_maps or None,
            provenance=provenance,
            overwrite=overwrite,
        )
    except UsageError as error:
        if error.code != "U133":
            raise
        raise UsageError(
            "U215",
            "there is something at the path already",
            where=shown_path(path),
            hint="give another --out, or --overwrite to replace a submission; it stays until the new one is whole",
        ) from error
    try:
        with writer:
            yield writer
    except BaseException:
        writer.discard()
        raise


def _provenance_of_maps(
    conversion: Conversion, scale: ScoreRange | None, threshold: tuple[float, int] | None
) -> dict[str, Any]:
    """What was done to score maps; empty for other kinds."""
    done: dict[str, Any] = {}
    if conversion.resize is not None and conversion.source.lazy:
        given = _held_sizes(conversion)
        if given:
            done["resize"] = {
                "method": str(conversion.resize),
                "convention": "half-pixel centres, edges continued, no smoothing",
                "from_height_width": given,
            }
    if scale is not None:
        done["quantize"] = {"dtype": "uint16", "lower": scale.lower, "upper": scale.upper}
        if threshold is not None:
            done["quantize"] |= {"threshold_before": threshold[0], "threshold_after": threshold[1]}
    return done


def _provenance_of_rows(conversion: Conversion) -> dict[str, Any]:
    """How boxes and masks were read, and which clips the files do not name."""
    absent = [clip.id for clip in conversion.clips if clip.id not in conversion.names]
    record = conversion.source.record() | ({"clips_not_named": absent} if absent else {})
    return {"objects": record} if record else {}


def _held_sizes(conversion: Conversion) -> list[list[int]]:
    """Sizes of the maps that are resized, each once."""
    sizes = set()
    for clip in conversion.clips:
        maps = conversion.prediction(clip).maps
        if isinstance(maps, ResizedMaps):
            sizes.add(maps.held_size)
    return [list(size) for size in sorted(sizes)]
