"""COCO JSON with run lengths or boxes: a list of results, a data set with scores, or YouTube-VIS.

The whole file is held in memory: at most 512 MiB of text, about ten times as much memory while it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.conversion.clip_naming import ClipPattern
from vadbench.conversion.objects.annotation_faults import AnnotationFaults
from vadbench.conversion.objects.coco_boxes import (
    corners_given,
    is_finite,
    look_like_corners,
    stated_boxes,
    unlike_boxes,
)
from vadbench.conversion.objects.coco_images import ImageFrame, ImageIndex, is_id, read_strict_json, shown_value
from vadbench.conversion.objects.coco_masks import instances_of, is_blank, mask_counts
from vadbench.conversion.objects.rows import BoxRows, BoxRules, Corners, detections_of, rows_in_clip
from vadbench.conversion.objects.source import ObjectSource
from vadbench.conversion.shown import shown_path
from vadbench.conversion.source import Timing
from vadbench.datasets.base import Clip
from vadbench.datasets.listing import natural_key
from vadbench.errors import ConversionError, UsageError
from vadbench.prediction import Detections, Instances, Prediction, PredictionKind

OBJECT_KEYS = ("track_id", "object_id", "instance_id")
"""Names under which programs write the id of an object within its clip; the first one that is there counts."""

CORNERS = "corners"
"""Key of half-open ``x1, y1, x2, y2`` beside a ``bbox``, written where x + width misses x2 by rounding."""


@dataclass(frozen=True)
class CocoRules:
    """What the caller says of a COCO file.

    Parameters
    ----------
    boxes : BoxRules
        ``corners`` stays half-open: a box is ``x, y, width, height``.
    kind : PredictionKind, optional
        ``instances`` or ``detections``; detections read the boxes, even beside masks. If absent, what the file holds.
    drop_empty_masks : bool
        Leave out masks without a pixel, instead of refusing them.
    offset_said : bool
        Whether the caller says from which number frames are counted, be it 0.
    """

    boxes: BoxRules = field(default_factory=BoxRules)
    kind: PredictionKind | None = None
    drop_empty_masks: bool = False
    offset_said: bool = False

    def __post_init__(self) -> None:
        if self.boxes.corners is not Corners.HALF_OPEN:
            raise UsageError(
                "U224", "boxes of COCO files are x, y, width, height", hint="leave out --corners", got="--corners"
            )


@dataclass(frozen=True)
class _Row:
    """One object in one frame, as the file states it."""

    place: str
    frame: int
    score: float
    segmentation: Any
    box: Any
    object: int | None
    corners: Any = None


class CocoSource(ObjectSource):
    """Instances or detections in a COCO file.

    Parameters
    ----------
    path : Path
        A list of results, or an object with ``annotations``.
    rules : CocoRules
    images : Path, optional
        The file that lists ``images`` (or ``videos``), where `path` does not.
    pattern : ClipPattern, optional
        How the file names of images say clip and frame.

    Raises
    ------
    UsageError
        U216 if a file does not exist, U223 for a pattern without frame, U225 if the file says not which kind it holds.
    ConversionError
        C150, C160 for what is no JSON; C157 without scores; C161 … C163, C166 for annotations and images that are not
        as they should be, each with its index.
    """

    missing_clip_hint = (
        "list the images of every clip; --missing-clips empty says that a clip without images is one without a finding"
    )

    def __init__(
        self,
        path: Path,
        rules: CocoRules,
        *,
        images: Path | None = None,
        pattern: ClipPattern | None = None,
    ) -> None:
        super().__init__()
        self._path, self._rules = path, rules
        content = read_strict_json(path)
        annotations = content if isinstance(content, list) else None
        if isinstance(content, dict):
            annotations = content.get("annotations")
        if not isinstance(annotations, list):
            raise self._wrong(
                "", "a list of results, or an object with annotations", f"{type(content).__name__} without them"
            )
        table = content if isinstance(content, dict) else {}
        listing = path
        if images is not None:
            given = read_strict_json(images)
            table, listing = given if isinstance(given, dict) else {}, images
        self._images, self._listing = ImageIndex(table, shown_path(listing), pattern), listing
        self._rows: dict[str, list[_Row]] = {name: [] for name in self._images.clip_frames}
        self._has_objects: bool | None = None
        self._object_key = next(
            (key for key in OBJECT_KEYS if annotations and isinstance(annotations[0], dict) and key in annotations[0]),
            None,
        )
        kinds = set()
        faults = AnnotationFaults(shown_path(path))
        for index, annotation in enumerate(annotations):
            try:
                for clip, row in self._rows_of(annotation, f"annotations[{index}]", index):
                    self._rows[clip].append(row)
                    kinds.add(PredictionKind.DETECTIONS if row.segmentation is None else PredictionKind.INSTANCES)
            except ConversionError as error:
                faults.add(error)
        faults.raise_all()
        self.kind = self._chosen_kind(kinds)
        self.clip_names = tuple(sorted(self._rows, key=natural_key))

    def read(self, name: str, clip: Clip, timing: Timing) -> Prediction:
        """Instances or detections of a clip, in order of frame; rows of a frame stay in the order of the file.

        Raises
        ------
        ConversionError
            C106 for a frame outside the clip; C154, C155 for a box, C164 for run lengths, C165 for an empty mask, each
            with the index of its annotation.
        UsageError
            U228 if the images of every clip begin with number 1, and the caller does not say where frames begin.
        """
        numbers = np.array(self._images.clip_frames[name], dtype=np.int64)
        # All images that are listed, with or without a finding: they show best from where frames are counted.
        rows_in_clip(numbers, clip, timing, lambda row: (shown_path(self._path), f"frame {numbers[row]} of the images"))
        self._check_first_number(timing)
        self.note_numbers(numbers)
        rows = self._rows[name]
        if self.kind is PredictionKind.DETECTIONS:
            return Prediction(detections=self._detections(rows, clip, timing))
        return Prediction(instances=self._instances(rows, clip, timing))

    def empty(self, clip: Clip) -> Prediction:
        """What a clip without an image in the list is, where the caller says that this means "without a finding"."""
        if self.kind is PredictionKind.DETECTIONS:
            return Prediction(detections=detections_of(self._boxes([]), clip, Timing(), self._rules.boxes)[0])
        return Prediction(instances=self._instances([], clip, Timing()))

    def record(self) -> dict[str, Any]:
        """What provenance says of the conversion, once it is done."""
        boxes = self._rules.boxes.record()
        del boxes["corners"]
        rules = {**boxes, "kind": str(self.kind), "drop_empty_masks": self._rules.drop_empty_masks}
        return {**rules, **self.done()}

    def _check_first_number(self, timing: Timing) -> None:
        if self._rules.offset_said or timing.frame_offset or timing.drop_head:
            return
        if all(min(numbers) == 1 for numbers in self._images.clip_frames.values()):
            raise UsageError(
                "U228",
                "the images of every clip begin with number 1: is that its first frame?",
                where=shown_path(self._listing),
                expected="--frame-offset -1 if image 1 is the first frame;\n"
                "--frame-offset 0 if it is the second, and the first is not listed",
                got="no --frame-offset",
            )

    def _detections(self, rows: list[_Row], clip: Clip, timing: Timing) -> Detections:
        try:
            found, n_cut = detections_of(self._boxes(rows), clip, timing, self._rules.boxes)
        except ConversionError as error:
            stated = stated_boxes([row.box for own in self._rows.values() for row in own])
            if error.code != "C155" or not look_like_corners(stated, (clip.height, clip.width)):
                raise
            raise corners_given(error) from error
        self.counts["boxes_cut_at_the_frame"] += n_cut
        return found

    def _rows_of(self, annotation: Any, place: str, index: int) -> Iterator[tuple[str, _Row]]:
        """Clip and row of each frame that an annotation is about."""
        if not isinstance(annotation, dict):
            raise self._wrong(place, "an object", type(annotation).__name__)
        frames = self._frames_of(annotation, place)
        score = self._score(annotation, place)
        if not self._images.of_videos:
            segmentation = annotation.get("segmentation") or None
            number = self._object(annotation, place)
            row = self._row(place, frames[0], score, segmentation, annotation.get("bbox"), number)
            yield frames[0].clip, replace(row, corners=annotation[CORNERS]) if CORNERS in annotation else row
            return
        self._has_objects = True
        number = index if self._object_key is None else self._object(annotation, place)
        masks = annotation.get("segmentations")
        boxes = annotation.get("bboxes") or [None] * len(frames)
        for name, values in (("segmentations", masks), ("bboxes", boxes)):
            if not isinstance(values, list) or len(values) != len(frames):
                got = f"{len(values)}" if isinstance(values, list) else type(values).__name__
                raise self._wrong(
                    place, f"{len(frames)} {name}, one a frame of the video, null where it is absent", got
                )
        for frame, mask, box in zip(frames, masks or [], boxes, strict=True):
            # An object that is out of sight: nothing, or, as some programs write it, a mask without a pixel.
            if mask and not (isinstance(mask, dict) and is_blank(mask)):
                yield frame.clip, self._row(f"{place} frame {frame.frame}", frame, score, mask, box, number)

    def _row(
        self, place: str, frame: ImageFrame, score: float, segmentation: Any, box: Any, number: int | None
    ) -> _Row:
        if self._rules.kind is PredictionKind.DETECTIONS:
            segmentation = None
        if segmentation is None and box is None:
            raise self._wrong(place, "a segmentation or a bbox", "neither")
        return _Row(place, frame.frame, score, segmentation, box, number)

    def _frames_of(self, annotation: Mapping[str, Any], place: str) -> tuple[ImageFrame, ...]:
        kind = "video_id" if self._images.of_videos else "image_id"
        key = annotation.get(kind)
        if not is_id(key) or key not in self._images.frames_of:
            raise ConversionError(
                "C162",
                f"an annotation is about no {kind.removesuffix('_id')} of the list",
                where=(shown_path(self._path), place),
                expected=f"{kind} with one of the {len(self._images.frames_of)} ids that are listed",
                got="no " + kind if key is None else shown_value(key),
                hint=self._id_hint(key),
            )
        return self._images.frames_of[key]

    def _id_hint(self, key: object) -> str:
        if not is_id(key):
            return ""
        if str(key) in map(str, self._images.frames_of):
            here, there = ("strings", "numbers") if isinstance(key, str) else ("numbers", "strings")
            return f"ids are {here} here and {there} in the list"
        return "the list of images belongs to another file"

    def _score(self, annotation: Mapping[str, Any], place: str) -> float:
        constant, score = self._rules.boxes.constant_score, annotation.get("score")
        if (score is None) == (constant is None):
            raise ConversionError(
                "C157",
                "an annotation has no score" if score is None else "there are scores, and a constant score is given",
                where=(shown_path(self._path), place),
                expected="a key score, or --constant-score",
                got="none" if score is None else "both",
                hint="leave out --constant-score"
                if score is not None
                else "--constant-score 1.0 gives all the same one",
            )
        return self._number(score if constant is None else constant, "score", place)

    def _number(self, value: Any, what: str, place: str) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not is_finite(value):
            hint = f"write numbers without quotes: float({what})" if isinstance(value, str) else ""
            raise self._wrong(place, f"{what}: a finite number", shown_value(value), hint)
        return float(value)

    def _object(self, annotation: Mapping[str, Any], place: str) -> int | None:
        given = next((key for key in OBJECT_KEYS if key in annotation), None)
        if given != self._object_key:
            raise ConversionError(
                "C166",
                "some annotations have an object id and others do not",
                where=(shown_path(self._path), place),
                expected=f"{self._object_key}, as in annotations[0]" if self._object_key else "none, as annotations[0]",
                got=given or "none",
            )
        if given is None:
            return None
        number = annotation[given]
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**31:
            raise self._wrong(
                place,
                f"{given}: a whole number from 0 to 2147483647",
                shown_value(number),
                f"write numbers without quotes: int({given})"
                if isinstance(number, str)
                else f"give objects that are not tracked a number of their own, or leave {given} out everywhere",
            )
        return number

    def _chosen_kind(self, found: set[PredictionKind]) -> PredictionKind:
        if len(found) > 1:
            rows = [row for own in self._rows.values() for row in own]
            with_mask = next(row.place for row in rows if row.segmentation is not None)
            without = next(row.place for row in rows if row.segmentation is None)
            raise ConversionError(
                "C166",
                "some annotations have a segmentation and others do not",
                where=(shown_path(self._path), without),
                expected=f"a segmentation, as {with_mask} has",
                got="a bbox alone",
                hint="--kind detections reads the boxes of all",
            )
        kind = self._rules.kind or next(iter(found), None)
        if kind is None:
            raise UsageError(
                "U225",
                "the file has no annotation, so that it shows no kind",
                where=shown_path(self._path),
                hint="say it: --kind instances or --kind detections",
            )
        if found and kind not in found:
            raise ConversionError(
                "C161",
                "the annotations have no segmentation",
                where=shown_path(self._path),
                expected="segmentations, for --kind instances",
                got="boxes alone",
                hint="leave out --kind",
            )
        return kind

    def _boxes(self, rows: list[_Row]) -> BoxRows:
        boxes = np.zeros((len(rows), 4))
        for index, row in enumerate(rows):
            x, y, width, height = self._four(row.box, "bbox: [x, y, width, height]", row.place)
            if width <= 0 or height <= 0:
                raise ConversionError(
                    "C154",
                    "a box has no area",
                    where=(shown_path(self._path), row.place),
                    expected="width and height above 0",
                    got=f"width {width}, height {height}",
                )
            boxes[index] = x, y, x + width, y + height
            if row.corners is not None:
                exact = self._four(row.corners, "corners: [x1, y1, x2, y2]", row.place)
                if not np.allclose(exact, boxes[index], rtol=1e-9, atol=1e-9):
                    raise self._wrong(row.place, "corners that are those of bbox", shown_value(row.corners))
                boxes[index] = exact
        return BoxRows(
            np.array([row.frame for row in rows], dtype=np.int64),
            boxes,
            np.array([row.score for row in rows], dtype=np.float64),
            lambda index: (shown_path(self._path), rows[index].place),
            self._objects(rows),
        )

    def _four(self, values: Any, what: str, place: str) -> list[float]:
        if not isinstance(values, list) or len(values) != 4:
            raise self._wrong(place, what, shown_value(values))
        return [self._number(value, what.partition(":")[0], place) for value in values]

    def _objects(self, rows: list[_Row]) -> NDArray[np.int64] | None:
        if not self._has_objects and self._object_key is None:
            return None
        return np.array([row.object for row in rows], dtype=np.int64)

    def _instances(self, rows: list[_Row], clip: Clip, timing: Timing) -> Instances:
        masks = [self._mask(row, clip) for row in rows]
        self.counts["empty_masks_dropped"] += sum(not len(mask) for mask in masks)
        rows = [row for row, mask in zip(rows, masks, strict=True) if len(mask)]
        masks = [mask for mask in masks if len(mask)]
        numbers = np.array([row.frame for row in rows], dtype=np.int64)
        kept, frames = rows_in_clip(numbers, clip, timing, lambda index: (shown_path(self._path), rows[index].place))
        scores = np.array([row.score for row in rows], dtype=np.float64)
        objects = self._objects(rows)
        found = instances_of(
            clip,
            frames,
            [masks[index] for index in kept],
            scores[kept].astype(self._rules.boxes.dtype),
            None if objects is None else objects[kept],
        )
        boxes = stated_boxes([rows[index].box for index in kept])
        self.counts["masks_unlike_their_bbox"] += unlike_boxes(
            found, boxes, lambda row: (shown_path(self._path), f"clip {clip.id}", rows[kept[row]].place)
        )
        return found

    def _mask(self, row: _Row, clip: Clip) -> NDArray[np.uint32]:
        where = (shown_path(self._path), f"clip {clip.id}", row.place)
        counts = mask_counts(row.segmentation, (clip.height, clip.width), where)
        if not len(counts) and not self._rules.drop_empty_masks:
            raise ConversionError(
                "C165",
                "a mask is empty",
                where=where,
                expected="at least one pixel",
                got="none",
                hint="leave out what was not found, or give --drop-empty-masks",
            )
        return counts

    def _wrong(self, place: str, expected: str, got: str, hint: str = "") -> ConversionError:
        where = (shown_path(self._path), place) if place else (shown_path(self._path),)
        message = "an annotation is wrong" if place else "the file is no COCO file"
        return ConversionError("C161", message, where=where, expected=expected, got=got, hint=hint)
