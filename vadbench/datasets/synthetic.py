"""The synthetic set: UCSD's layout with its own id, as `vadbench.datasets.synthesize` writes it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from vadbench.datasets.labels import read_text
from vadbench.datasets.layout import SETTINGS_FILE
from vadbench.datasets.ucsd import UcsdDataset
from vadbench.errors import DataError


class Synthetic(UcsdDataset):
    """A data set made by `vadbench.datasets.synthesize`; each copy has its own clips and sizes.

    Its ``synthetic.toml`` says how many clips and frames there must be; raises `DataError` D206 if that cannot be read.
    """

    id = "synthetic"
    label_file = "synthetic.m"

    def _known_clips(self, root: Path) -> tuple[Mapping[str, int], Mapping[str, int]]:
        path = root / SETTINGS_FILE
        # A set in this layout that somebody made by other means has no such file.
        if not path.is_file():
            return {}, {}
        try:
            settings = tomllib.loads(read_text(path))
            test, training, frames = (settings[name] for name in ("test_clips", "training_clips", "frames"))
        except (tomllib.TOMLDecodeError, KeyError) as error:
            raise _wrong_settings(path, f"{type(error).__name__}: {error}") from error
        # A bool is an int for Python; a set of so many clips is not for this layout.
        if any(type(number) is not int or not 0 <= number <= 100_000 for number in (test, training, frames)):
            raise _wrong_settings(path, f"{test} test clips, {training} training clips, {frames} frames")
        return {_clip_id(n): frames for n in range(test)}, {_clip_id(n): frames for n in range(training)}


def _clip_id(index: int) -> str:
    return f"{index + 1:02d}"


def _wrong_settings(path: Path, got: str) -> DataError:
    return DataError(
        "D206",
        "the settings of a synthetic data set cannot be read",
        where=str(path),
        expected="whole numbers test_clips, training_clips and frames",
        got=got,
        hint="make the data set again: vadbench data synthesize DIR --overwrite",
    )
