"""What ``provenance.json`` says of a conversion: from what, with which options, by which versions; no paths, no dates.

The same input and options give the same bytes.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from importlib import metadata
from pathlib import Path
from typing import Any

from vadbench.conversion.dataset_clips import DatasetPart
from vadbench.conversion.formats import ForeignFormat
from vadbench.conversion.objects.choices import ObjectChoices
from vadbench.conversion.source import Timing
from vadbench.version import __version__

_PACKAGES = {ForeignFormat.IMAGES: "pillow", ForeignFormat.INSTANCES: "pillow", ForeignFormat.HDF5: "h5py"}
"""Packages beside NumPy that decode a format."""


def conversion_provenance(
    foreign: ForeignFormat,
    part: DatasetPart,
    timing: Timing,
    objects: ObjectChoices | None = None,
    **options: str | int | bool | None,
) -> dict[str, Any]:
    """Content of ``provenance.json``; options that are not given are left out, and of files there is the name alone.

    >>> made = conversion_provenance(ForeignFormat.NPY, DatasetPart.TEST, Timing(pad_head=4), key=None)
    >>> made["converted_from"], made["options"]
    ('npy', {'pad_head': 4})
    >>> conversion_provenance(ForeignFormat.COCO, DatasetPart.TEST, Timing(), frame_offset=0)["options"]
    {'frame_offset': 0}
    """
    moved = {name: number for name, number in asdict(timing).items() if number}
    said = {} if objects is None else {one.name: getattr(objects, one.name) for one in fields(objects)}
    given = {**moved, **options, **said}
    packages = ["numpy", *([_PACKAGES[foreign]] if foreign in _PACKAGES else [])]
    return {
        "made_by": "vadbench convert",
        "converted_from": str(foreign),
        "part": str(part),
        # A score or an offset of 0 is given, too.
        "options": {name: _plain(value) for name, value in given.items() if value is not None and value is not False},
        "seed": None,
        "versions": {"vadbench": __version__, **{name: metadata.version(name) for name in packages}},
    }


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return value.name
    return str(value) if isinstance(value, str) else value
