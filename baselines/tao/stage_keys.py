"""What each result depends on: the clips, the settings of its stage, the files these name, and all stages before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import vadbench.boxes
import vadbench.masks
from baselines.tao.resources import computing_device, installed_versions
from baselines.tao.settings import TaoSettings
from baselines.tao.stages import Result, Stage, digest
from vadbench import Clip, Dataset

Digest = Callable[[Path], str]
"""Gives the SHA-256 of a file."""

_FILE_NAMES = ("weights", "checkpoint")
"""Endings of the names of settings whose text is the path of a file."""

_WITHOUT_RESULTS = ("tao/ablation", "tao/selection", "demo.py", "main.py", "__main__.py")
"""Parts of the package `baselines` that no result depends on; commands neither."""


class StageKeys:
    """Keys of the results on a data set: equal keys, equal bytes.

    Parameters
    ----------
    dataset : Dataset
        Its clips alone count, never its truth; their order does not matter.

    Notes
    -----
    Of each clip its id, its size and its frames count. Where the clip says which folder or file its frames are read
    from, name, size and time of change of these files stand for them: a copy with times of its own counts as other
    frames, and what is not noticed is a change that keeps the name, size and time of a file. Of a clip that does not
    say so only the first frame is looked at: a change of later frames is not noticed.

    The modules that results come from and the versions of the packages that compute are part of a key; paths are not:
    files that settings name count by content, read once for all keys of the object.

    Raises
    ------
    DataError
        Where a clip has no frames, or its first frame cannot be read.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._digests: dict[tuple[Path, int, int], str] = {}

    def of(self, settings: TaoSettings) -> dict[Result, dict[str, Any]]:
        """Key of each result."""
        clips = {"dataset": self._dataset.id, "clips": self._content}
        used = described(settings, self._digest)
        # What a stage computes on counts, not in which words it was asked for.
        for stage in ("detection", "scoring", "segmentation"):
            used[stage].pop("device", None)
        detection = {**clips, **_software(settings, Stage.DETECT), "settings": used["detection"]}
        scoring = {"detection": digest(detection), **_software(settings, Stage.SCORE), "settings": used["scoring"]}
        filtering = {"scoring": digest(scoring), **_software(settings, Stage.FILTER), "tau": settings.tau}
        filtering["settings"] = used["filtering"]
        segmentation = {
            **clips,
            "program": program(Stage.SEGMENT),
            "versions": installed_versions(torch=False),
            "settings": settings.segmentation.learned_with,
        }
        return {
            Result.DETECTION: detection,
            Result.SCORING: scoring,
            Result.FILTERING: filtering,
            Result.SEGMENTATION: segmentation,
            Result.SUBMISSION: {
                "filtering": digest(filtering),
                "segmentation": digest(segmentation),
                **_software(settings, Stage.SEGMENT),
                "settings": used["segmentation"],
            },
        }

    @cached_property
    def _content(self) -> str:
        lines = [
            f"{part}\0{clip.id}\0{clip.frames} {clip.height} {clip.width}\0{_frames(clip)}\n"
            for part, clips in (("training", self._dataset.training_clips), ("test", self._dataset.clips))
            for clip in clips
        ]
        return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()

    def _digest(self, file: Path) -> str:
        state = file.stat()
        known = file.absolute(), state.st_size, state.st_mtime_ns
        if known not in self._digests:
            self._digests[known] = sha256_of(file)
        return self._digests[known]


def _software(settings: TaoSettings, stage: Stage) -> dict[str, Any]:
    """What a stage computes with; PyTorch and its device count only where it is used."""
    torch = stage in settings.torch_stages
    device = {"device": computing_device(settings.device_of(stage))} if torch else {}
    return {"program": program(stage), "versions": installed_versions(torch=torch), **device}


def program(stage: Stage) -> str:
    """SHA-256 of the modules that results of a stage may come from (`program_modules`).

    Between two releases the version stays, but results may not.
    """
    whole = hashlib.sha256()
    for name, module in sorted(program_modules(stage).items()):
        whole.update(f"{name}\0{sha256_of(module)}\n".encode())
    return whole.hexdigest()


def program_modules(stage: Stage) -> dict[str, Path]:
    """Modules by name that results of a stage may come from.

    All of `baselines` but the packages of other stages and what makes no results, and what of vadbench computes with
    boxes and masks; the rest of vadbench counts by its version.
    """
    root = Path(__file__).parents[1]
    others = [f"tao/{Result.of(other)}" for other in Stage if other is not stage]
    found = {}
    for module in root.rglob("*.py"):
        name = module.relative_to(root).as_posix()
        without = any(name == part or name.startswith(f"{part}/") for part in (*_WITHOUT_RESULTS, *others))
        if not without and "command" not in module.stem:
            found[name] = module
    shared = {"vadbench.boxes": vadbench.boxes.__file__, "vadbench.masks": vadbench.masks.__file__}
    return {**found, **{name: Path(file) for name, file in shared.items() if file}}


def described(settings: TaoSettings, file_digest: Digest | None = None) -> dict[str, Any]:
    """The settings that are used, as JSON holds them: those of what is not used are left out, files are digests.

    Parameters
    ----------
    settings : TaoSettings
    file_digest : callable, optional
        To read a file once for several descriptions.
    """
    given, unused = file_digest or sha256_of, settings.unused
    own = {
        "detection": settings.detection.own,
        "scoring": settings.scoring,
        "filtering": settings.filtering,
        "segmentation": settings.segmentation.own,
    }
    tables = {name: _plain(table, given) for name, table in own.items()}
    for name in unused:
        stage, setting = name.split(".")[0], name.split(".")[-1]
        tables[stage].pop(setting, None)
    return {
        "tau": settings.tau,
        "detection": {"kind": str(settings.detection.kind), **tables["detection"]},
        "scoring": tables["scoring"],
        "filtering": tables["filtering"],
        "segmentation": {"kind": str(settings.segmentation.kind), **tables["segmentation"]},
    }


def _plain(settings: Any, file_digest: Digest) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value):
            table[field.name] = _plain(value, file_digest)
        elif value is None or value == "":
            # Not given: the same as not there.
            continue
        elif isinstance(value, Path) or (isinstance(value, str) and field.name.endswith(_FILE_NAMES)):
            table[field.name] = _file(Path(value), file_digest)
        else:
            table[field.name] = _plain_value(value)
    return table


def _plain_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain_value(item) for item in value]
    return str(value) if isinstance(value, str) else value


def _file(path: Path, file_digest: Digest) -> dict[str, str]:
    """Name and content of a file, or of the files of a folder; what is not there is left to those who need it."""
    if path.is_dir():
        whole = hashlib.sha256()
        for file in sorted(path.iterdir()):
            if file.is_file():
                whole.update(f"{file.name}\0{file_digest(file)}\n".encode())
        return {"name": path.name, "sha256": whole.hexdigest()}
    return {"name": path.name, "sha256": file_digest(path)} if path.is_file() else {"name": path.name}


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits; memory does not grow with it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _frames(clip: Clip) -> str:
    """What stands for the frames of a clip; see `StageKeys`."""
    for name in ("folder", "path"):
        place = getattr(clip.frame_reader, name, None)
        if isinstance(place, Path) and place.exists():
            files = sorted(place.iterdir()) if place.is_dir() else [place]
            states = [(file.name, file.stat()) for file in files if file.is_file()]
            lines = [f"{file}\0{state.st_size} {state.st_mtime_ns}\n" for file, state in states]
            return hashlib.sha256("".join(lines).encode()).hexdigest()
    for frame in clip.read_frames():
        return hashlib.sha256(frame.tobytes()).hexdigest()
    return ""
