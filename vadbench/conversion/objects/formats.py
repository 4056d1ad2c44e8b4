"""Formats of boxes and masks by the choices of a caller: which of them a format needs, knows, or refuses."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vadbench.conversion.objects.aed_text import AedSource
from vadbench.conversion.objects.boxes_csv import BoxesCsv
from vadbench.conversion.objects.choices import ObjectChoices
from vadbench.conversion.objects.coco_json import CocoRules, CocoSource
from vadbench.conversion.objects.instance_images import InstanceSource
from vadbench.conversion.objects.rows import Corners, NumberType
from vadbench.errors import UsageError

if TYPE_CHECKING:
    from vadbench.conversion.formats import Reading, Write


_OF_BOXES = ("corners", "clip_to_frame", "constant_score", "dtype")


def aed_source(path: Path, reading: Reading) -> AedSource | BoxesCsv:
    """AED text in a folder; or one CSV file with a header, where the path is a file.

    Raises
    ------
    UsageError
        U211 for an option of other formats; U227 for AED text without `corners`.
    """
    given = reading.objects
    _refuse_key(reading)
    if path.is_file():
        given.only("a CSV of boxes", *_OF_BOXES)
        if reading.pattern is not None:
            raise UsageError(
                "U211",
                "a CSV of boxes has no use for --clip-pattern",
                got="--clip-pattern",
                hint="its column clip names the clips",
            )
        return BoxesCsv(path, given.rules(given.corners or Corners.HALF_OPEN))
    given.only("AED text", *_OF_BOXES)
    if given.corners is None:
        raise UsageError(
            "U227",
            "AED text does not say how corners are meant: --corners",
            expected="--corners inclusive, as the AED code reads them: x2 is the last column of the box;\n"
            "or --corners half-open: x2 is the first column behind it, x1 + width",
            got="no --corners",
            hint="look at a box at the right edge: inclusive ones end at W - 1, half-open ones at W",
        )
    return AedSource(path, given.rules(given.corners), reading.pattern)


def coco_source(path: Path, reading: Reading) -> CocoSource:
    """COCO JSON; raises `UsageError` U211 for an option of other formats."""
    given = reading.objects
    _refuse_key(reading)
    given.only("COCO JSON", "clip_to_frame", "constant_score", "dtype", "images", "drop_empty_masks", "kind")
    rules = CocoRules(given.rules(Corners.HALF_OPEN), given.kind, given.drop_empty_masks, reading.offset_said)
    return CocoSource(path, rules, images=given.images, pattern=reading.pattern)


def instance_source(path: Path, reading: Reading) -> InstanceSource:
    """Indexed PNG; raises `UsageError` U211 for an option of other formats."""
    given = reading.objects
    _refuse_key(reading)
    given.only("indexed PNG", "constant_score", "dtype", "scores", "void_index")
    return InstanceSource(
        path,
        scores=given.scores,
        constant_score=given.constant_score,
        void_index=given.void_index,
        dtype=given.dtype or NumberType.FLOAT64,
        pattern=reading.pattern,
    )


def aed_writer(given: ObjectChoices) -> Write:
    """Writer of AED text; raises `UsageError` U211 for an option of other formats."""
    from vadbench.conversion.objects.aed_writing import write_aed

    given.only("writing AED text", "corners", "kind")
    return partial(write_aed, corners=given.corners or Corners.INCLUSIVE, kind=given.kind)


def coco_writer(given: ObjectChoices) -> Write:
    """Writer of COCO JSON; raises `UsageError` U211 for an option of other formats."""
    from vadbench.conversion.objects.coco_writing import write_coco

    given.only("writing COCO JSON", "kind")
    return partial(write_coco, kind=given.kind)


def _refuse_key(reading: Reading) -> None:
    if reading.key is not None:
        raise UsageError("U211", "--key is for files that hold several arrays: .npz and HDF5", got="--key")
