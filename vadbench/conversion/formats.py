"""The formats that predictions come from and go to; their modules are imported when they are used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from vadbench.conversion.clip_naming import ClipPattern
from vadbench.conversion.objects.choices import ObjectChoices
from vadbench.conversion.source import Source
from vadbench.datasets.base import Clip

if TYPE_CHECKING:
    from vadbench.evaluation.executors import Progress
    from vadbench.submission import Submission


class ForeignFormat(StrEnum):
    """Formats that are read."""

    AED = "aed"
    NPY = "npy"
    IMAGES = "images"
    COCO = "coco"
    INSTANCES = "instances"
    HDF5 = "hdf5"


class TargetFormat(StrEnum):
    """Formats that are written."""

    AED = "aed"
    COCO = "coco"


FORMAT_TITLES = {
    ForeignFormat.AED: "text: frame,x1,y1,x2,y2,score; or one CSV",
    ForeignFormat.NPY: "NumPy: a file a clip (T,H,W) or a frame (H,W)",
    ForeignFormat.IMAGES: "grey PNG or TIFF, a file a frame",
    ForeignFormat.COCO: "COCO JSON, boxes or masks",
    ForeignFormat.INSTANCES: "indexed PNG, a file a frame (as DAVIS)",
    ForeignFormat.HDF5: "HDF5, an array a clip; your own files only",
}

_READERS = {
    ForeignFormat.AED: "objects.formats:aed_source",
    ForeignFormat.NPY: "dense.array_files:ArraySource",
    ForeignFormat.IMAGES: "dense.image_files:ImageSource",
    ForeignFormat.COCO: "objects.formats:coco_source",
    ForeignFormat.INSTANCES: "objects.formats:instance_source",
    ForeignFormat.HDF5: "dense.hdf5_files:Hdf5Source",
}
_WRITERS = {TargetFormat.AED: "objects.formats:aed_writer", TargetFormat.COCO: "objects.formats:coco_writer"}
OBJECT_FORMATS = (ForeignFormat.AED, ForeignFormat.COCO, ForeignFormat.INSTANCES)
"""Formats of boxes and masks; the others have scores for every frame."""


@dataclass(frozen=True)
class Reading:
    """How files are read, whatever their format; a format that has no use for a field refuses it.

    Parameters
    ----------
    pattern : ClipPattern, optional
        How names of files become names of clips and frames; the data set's own names if absent.
    key : str, optional
        Name of the array in a file that holds several.
    objects : ObjectChoices
        What is said of boxes and masks.
    offset_said : bool
        Whether the caller says from which number frames are counted, be it 0.
    """

    pattern: ClipPattern | None = None
    key: str | None = None
    objects: ObjectChoices = field(default_factory=ObjectChoices)
    offset_said: bool = False


Write = Callable[["Submission", Sequence[Clip], Path, "Progress | None"], int]
"""Writes all clips of a submission to a path where nothing is yet; gives the number of rows."""


def open_source(foreign: ForeignFormat, path: Path, reading: Reading) -> Source:
    """Predictions at a path; lists files, and reads what the format needs to name the clips.

    Raises
    ------
    UsageError
        U211 for an option that the format has no use for, U214 for a package that is missing, U216 if there is nothing
        at the path.
    ConversionError
        Where the files are not as the format says.
    """
    if foreign not in OBJECT_FORMATS:
        reading.objects.only(f"--from {foreign}")
    source = cast("Callable[[Path, Reading], Source]", _named(_READERS[foreign]))
    return source(path, reading)


def writer_of(target: TargetFormat, objects: ObjectChoices | None = None) -> Write:
    """The function that writes a format; raises `UsageError` U211 for a choice that the format has no use for."""
    made = cast("Callable[[ObjectChoices], Write]", _named(_WRITERS[target]))
    return made(objects or ObjectChoices())


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(f"vadbench.conversion.{module}"), name)
