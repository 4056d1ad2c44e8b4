"""Presets: named settings in TOML files, with what differs from data set to data set."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from baselines.tao.settings import TaoSettings
from baselines.tao.settings_table import updated
from vadbench import UsageError
from vadbench.errors import did_you_mean, quoted

DEFAULT_PRESET = "default"
SUMMARIES = {
    "default": "no weights, no GPU, no given boxes; tau of the paper, otherwise the defaults of the stages",
    "ped2-cpu": "the same, chosen on training clips of UCSD Ped2 by tao-select",
    "ped2-cpu-boxes": "chosen likewise for given boxes (--boxes DIR)",
    "tao-paper": "the paper's values, with Mask R-CNN (--weights FILE) and SAM2 (--checkpoint FILE)",
}
"""What each preset is for, in one line."""
_FOLDER = Path(__file__).parent / "presets"
_OF_DATASETS = "datasets"


def preset_names() -> tuple[str, ...]:
    """Names of the presets that come along."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def load_preset(preset: str, dataset_id: str) -> TaoSettings:
    """Settings of a preset for a data set.

    Parameters
    ----------
    preset : str
        One of `preset_names`, or the path of a file that ends in ``.toml``. It names what differs from the defaults of
        `TaoSettings`, table for table; its tables under ``datasets`` hold what differs further for one data set.
    dataset_id : str

    Raises
    ------
    UsageError
        B247 if there is no such preset, or its file is no TOML; B241, B242 for wrong keys and values.
    """
    path = _path_of(preset)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        got = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(
            "B247",
            "a preset cannot be read",
            where=str(path),
            expected="a file in TOML",
            got=got,
            hint=f"presets that come along: {', '.join(preset_names())}",
        ) from error
    where = (str(path) if path.parent != _FOLDER else path.name,)
    of_datasets: Any = table.pop(_OF_DATASETS, {})
    settings = updated(TaoSettings(), table, where)
    if not isinstance(of_datasets, dict) or not all(isinstance(own, dict) for own in of_datasets.values()):
        raise UsageError("B242", f"{_OF_DATASETS} holds a table for each data set", where=where)
    # Those of other data sets too, so that a mistake is found before it is needed.
    changed = {other: updated(settings, own, (*where, _OF_DATASETS, other)) for other, own in of_datasets.items()}
    return changed.get(dataset_id, settings)


def _path_of(preset: str) -> Path:
    if preset.endswith(".toml"):
        return Path(preset)
    if preset not in preset_names():
        raise UsageError(
            "B247",
            f"there is no preset {quoted(preset)}",
            hint=f"{did_you_mean(preset, preset_names())}; or give the path of a file that ends in .toml",
        )
    return _FOLDER / f"{preset}.toml"
