"""Which arrays a clip of a submission holds: names, dtypes and shapes, found from metadata alone.

Source: submission.md, "predictions.zarr".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from vadbench.errors import SubmissionError, nearest_name, quoted
from vadbench.prediction import PredictionKind
from vadbench.submission.array_form import can_be_read, form_faults, length_fault
from vadbench.submission.arrays import ArrayReader, read_group, scan_array
from vadbench.submission.faults import Fault, raise_first
from vadbench.submission.problems import problem
from vadbench.submission.tree import PREDICTIONS, PROVENANCE, UNFINISHED, Tree

_SCORES = ("float32", "float64")
ARRAYS: Mapping[PredictionKind, Mapping[str, tuple[tuple[str, ...], tuple[int | str, ...]]]] = {
    PredictionKind.SCORE_MAPS: {"": (("uint8", "uint16", *_SCORES), ("T", "H", "W"))},
    PredictionKind.INSTANCES: {
        "frame": (("int32",), ("N",)),
        "object": (("int32",), ("N",)),
        "score": (_SCORES, ("N",)),
        "offsets": (("int64",), ("N + 1",)),
        "counts": (("uint32",), ("M",)),
    },
    PredictionKind.DETECTIONS: {
        "frame": (("int32",), ("N",)),
        "box": (_SCORES, ("N", 4)),
        "score": (_SCORES, ("N",)),
        "object": (("int32",), ("N",)),
    },
    PredictionKind.FRAME_SCORES: {"": (_SCORES, ("T",))},
}
"""Arrays of each kind, with their dtypes and axes; the empty name is an array in place of a group."""

OPTIONAL_ARRAY = "object"

_Read = TypeVar("_Read")

RESERVED_BEGINNINGS = (".", "__")
"""How no clip id begins: hidden files, and names that Zarr keeps for itself."""


@dataclass(frozen=True)
class ClipLayout:
    """Arrays of one clip, by kind and name (such as ``score`` of instances; empty for an array without a group)."""

    clip_id: str
    where: tuple[str, ...]
    arrays: Mapping[PredictionKind, Mapping[str, ArrayReader]]

    @property
    def kinds(self) -> tuple[PredictionKind, ...]:
        """Kinds that are there, in the order of the format."""
        return tuple(kind for kind in PredictionKind if kind in self.arrays)

    @property
    def map_shape(self) -> tuple[int, int, int] | None:
        """Shape (T, H, W) of the score maps, if there are any."""
        if "" not in self.arrays.get(PredictionKind.SCORE_MAPS, {}):
            return None
        frames, height, width = self.arrays[PredictionKind.SCORE_MAPS][""].shape
        return frames, height, width

    def readers(self) -> Iterable[ArrayReader]:
        """All arrays of the clip."""
        return [reader for arrays in self.arrays.values() for reader in arrays.values()]


@dataclass
class LayoutScan:
    """What was found in the folder of a clip, its mistakes included.

    Attributes
    ----------
    clip_id : str
    where : tuple of str
    arrays : mapping
        As in `ClipLayout`, with the arrays alone that can be read; a kind that is there is a key in any case.
    faults : list of Fault
    whole : set of PredictionKind
        Kinds all of whose arrays are there in the right form.
    misformed : set of str
        Paths of arrays that can be read, but have a dtype or chunks that the format does not allow.
    n_arrays : int
        Arrays that are there, readable or not.
    uneven : set of PredictionKind
        Kinds whose arrays have different lengths, so that their rows do not belong together.
    stored : mapping
        Indices of the chunks that are stored, by the path of the array, of arrays that lack some.
    """

    clip_id: str
    where: tuple[str, ...]
    arrays: dict[PredictionKind, dict[str, ArrayReader]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    whole: set[PredictionKind] = field(default_factory=set)
    misformed: set[str] = field(default_factory=set)
    n_arrays: int = 0
    uneven: set[PredictionKind] = field(default_factory=set)
    stored: dict[str, set[tuple[int, ...]]] = field(default_factory=dict)

    @property
    def layout(self) -> ClipLayout:
        """The layout, as far as it is sound."""
        return ClipLayout(self.clip_id, self.where, self.arrays)

    @property
    def whole_layout(self) -> ClipLayout:
        """The layout of the kinds that are `whole`, which can be compared with those of other clips."""
        return ClipLayout(
            self.clip_id, self.where, {kind: self.arrays[kind] for kind in self.arrays if kind in self.whole}
        )

    def tried(self, read: Callable[[], _Read]) -> _Read | None:
        """What a function gives; None where it raises, and the error is among the faults."""
        try:
            return read()
        except SubmissionError as error:
            self.faults.append(Fault(error))
            return None


def read_layout(tree: Tree, clip_id: str, *, shown: Path | None = None) -> ClipLayout:
    """Layout of a clip; every name in its folder and every chunk of its arrays is accounted for.

    ``shown`` stands for the tree's own name in messages.

    Raises
    ------
    SubmissionError
        S120 an unknown name, S130 and S131 a zarr.json, S132 dtype or shape, S133 a chunk that is not stored,
        S135 a missing array.
    """
    scan = scan_layout(tree, clip_id, shown=shown)
    raise_first(scan.faults)
    return scan.layout


def scan_layout(tree: Tree, clip_id: str, *, shown: Path | None = None) -> LayoutScan:
    """Everything in the folder of a clip, and every mistake; raises nothing that is about the submission."""
    path = f"{PREDICTIONS}/{clip_id}"
    scan = LayoutScan(clip_id, (str(shown or tree.shown), f"clip {clip_id}"))
    entries = scan.tried(lambda: tree.entries(path))
    if entries is None:
        return scan
    scan.faults += _name_faults(entries, scan.where, {*PredictionKind, "zarr.json"})
    scan.tried(lambda: tree.prepare(path))
    scan.tried(lambda: _read_group(tree, path, scan.where))
    for kind in PredictionKind:
        if kind in entries:
            scan.arrays[kind] = _scan_kind(tree, f"{path}/{kind}", kind, scan)
    return scan


def scan_clip_ids(tree: Tree) -> tuple[tuple[str, ...], list[Fault]]:
    """Ids of the clips, sorted, and the mistakes in the folder that holds them."""
    where = (tree.shown, PREDICTIONS)
    faults: list[Fault] = []
    try:
        entries = tree.entries(PREDICTIONS)
    except SubmissionError as error:
        return (), [Fault(error)]
    try:
        _read_group(tree, PREDICTIONS, where)
    except SubmissionError as error:
        faults.append(Fault(error))
    strangers = [name for name, is_folder in entries.items() if not is_folder and name != "zarr.json"]
    if strangers:
        is_old = {".zgroup", ".zattrs", ".zmetadata"} & set(strangers)
        stranger = problem(
            "S120",
            where=(*where, quoted(strangers[0])),
            expected="zarr.json and one group a clip",
            got=_others(strangers),
            hint="a Zarr version 2 hierarchy is not read; write it with zarr_format=3" if is_old else "",
        )
        faults.append(Fault(stranger, len(strangers)))
    folders = [name for name, is_folder in entries.items() if is_folder]
    ids = [name for name in folders if name.isprintable() and not name.startswith(RESERVED_BEGINNINGS)]
    no_ids = sorted(set(folders) - set(ids))
    if no_ids:
        stranger = problem("S120", where=(*where, quoted(no_ids[0])), expected="the id of a clip", got=_others(no_ids))
        faults.append(Fault(stranger, len(no_ids)))
    return tuple(sorted(ids)), faults


def clip_ids(tree: Tree) -> tuple[str, ...]:
    """Ids of the clips, sorted; raises `SubmissionError` where there is no group of predictions."""
    ids, faults = scan_clip_ids(tree)
    raise_first(faults)
    return ids


def top_faults(tree: Tree, allowed: set[str]) -> Iterator[Fault]:
    """S120: names at the root are those of a submission."""
    for names, hint in _strangers_at_top([name for name in tree.entries() if name not in allowed]):
        error = problem(
            "S120",
            where=(tree.shown, quoted(names[0])),
            expected=", ".join(sorted(allowed)),
            got=_others(names),
            hint=hint,
        )
        yield Fault(error, len(names))
    if tree.entries().get(PROVENANCE):
        # Whatever lies in it would be sent along, and never looked at.
        yield Fault(problem("S120", where=(tree.shown, PROVENANCE), expected="a file", got="a folder"))


def _strangers_at_top(names: list[str]) -> Iterator[tuple[list[str], str]]:
    if UNFINISHED in names:
        yield [UNFINISHED], "a writer was interrupted; run it again with resume=True"
    if others := [name for name in names if name != UNFINISHED]:
        yield others, "move it away" if len(others) == 1 else "move them away"


def check_top(tree: Tree, allowed: set[str]) -> None:
    """Raise the first of the `top_faults`."""
    raise_first(top_faults(tree, allowed))


def _scan_kind(tree: Tree, path: str, kind: PredictionKind, scan: LayoutScan) -> dict[str, ArrayReader]:
    where, parts = (*scan.where, kind), ARRAYS[kind]
    entries = scan.tried(lambda: tree.entries(path))
    if entries is None:
        return {}
    if "" in parts:
        places = {"": (path, where)}
    else:
        places = {name: (f"{path}/{name}", (*where, name)) for name in parts if name in entries}
        scan.faults += _name_faults(entries, where, {*parts, "zarr.json"})
        scan.tried(lambda: _read_group(tree, path, where))
        for name in parts:
            if name not in entries and name != OPTIONAL_ARRAY:
                missing = problem("S135", where=where, expected=", ".join(parts), got=f"no array {name}")
                scan.faults.append(Fault(missing))
    files = scan.tried(lambda: tree.files(path))
    strangers = set(files or ()) - {f"{path}/zarr.json"}
    readers: dict[str, ArrayReader] = {}
    for name, place in places.items():
        scan.n_arrays += 1
        found = scan.tried(lambda place=place: _scan_array(tree, *place))  # type: ignore[misc]
        if found is None:
            # What its chunks are called is not known.
            strangers.difference_update([file for file in strangers if file.startswith(f"{place[0]}/")])
            continue
        reader, idle = found
        form = list(form_faults(reader, name, *parts[name]))
        scan.faults += [*map(Fault, idle), *form]
        own_files = _files_below(tree, place[0]) if files is None else files
        if own_files is not None:
            _account_for(reader, own_files, strangers, scan)
            if not form or can_be_read(reader, *parts[name]):
                readers[name] = reader
            if form:
                scan.misformed.add(reader.path)
    # What lies beside the arrays was named above.
    folders = tuple(f"{place}/" for place, _ in places.values())
    scan.faults += _stranger_faults([file for file in strangers if file.startswith(folders)], path, where)
    if fault := length_fault(readers, where):
        scan.faults.append(fault)
        scan.uneven.add(kind)
    in_form = {name for name, reader in readers.items() if reader.path not in scan.misformed}
    if in_form == places.keys() and in_form >= parts.keys() - {OPTIONAL_ARRAY}:
        scan.whole.add(kind)
    return readers


def _files_below(tree: Tree, path: str) -> Mapping[str, int] | None:
    """Files of an array where those of its kind cannot be listed, which is said already; None for the guilty one."""
    try:
        return tree.files(path)
    except SubmissionError:
        return None


def _account_for(reader: ArrayReader, files: Iterable[str], strangers: set[str], scan: LayoutScan) -> None:
    """Take the files of an array away from the `strangers`, and count the chunks that are missing."""
    stored = _stored_chunks(reader, files)
    strangers.difference_update(stored, {f"{reader.path}/zarr.json"})
    if fault := _missing_chunks(reader, set(stored.values())):
        scan.faults.append(fault)
        scan.stored[reader.path] = set(stored.values())


def _stranger_faults(strangers: list[str], path: str, where: tuple[str, ...]) -> Iterator[Fault]:
    if strangers:
        error = problem(
            "S120",
            where=(*where, quoted(min(strangers).removeprefix(f"{path}/"))),
            expected="zarr.json files and the chunks of the arrays only",
            got=_others(strangers),
        )
        yield Fault(error, len(strangers))


def _others(names: list[str]) -> str:
    return f"{len(names)} such names" if len(names) > 1 else ""


def _stored_chunks(reader: ArrayReader, files: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Index of each stored chunk of the grid, by its file."""
    prefix, grid, separator = f"{reader.path}/c{reader.meta.separator}", reader.meta.grid, reader.meta.separator
    stored = {}
    for file in files:
        if not file.startswith(prefix):
            continue
        numbers = file[len(prefix) :].split(separator)
        # Thirteen digits are more than any grid has; a leading zero would be a second name of the same chunk.
        if len(numbers) == len(grid) and all(n.isascii() and n.isdigit() and len(n) <= 13 for n in numbers):
            index = tuple(map(int, numbers))
            if all(i < n for i, n in zip(index, grid, strict=True)) and numbers == list(map(str, index)):
                stored[file] = index
    return stored


def _missing_chunks(reader: ArrayReader, stored: set[tuple[int, ...]]) -> Fault | None:
    """S133, counted by arithmetic: a grid may claim any number of chunks."""
    n_missing = math.prod(reader.meta.grid) - len(stored)
    if not n_missing:
        return None
    # At most as many steps as there are chunks, and one.
    return Fault(reader.not_stored(next(index for index in reader.meta.indices() if index not in stored)), n_missing)


def _name_faults(names: Iterable[str], where: tuple[str, ...], allowed: set[str]) -> Iterator[Fault]:
    strangers = [name for name in names if name not in allowed]
    if strangers:
        error = problem(
            "S120",
            where=(*where, quoted(strangers[0])),
            expected=", ".join(sorted(map(str, allowed))),
            got=_others(strangers),
            hint=f"did you mean {quoted(near)}?" if (near := nearest_name(strangers[0], sorted(allowed))) else "",
        )
        yield Fault(error, len(strangers))


def _read_group(tree: Tree, path: str, where: tuple[str, ...]) -> None:
    _require_node(tree, path, where)
    read_group(tree, path, where)


def _scan_array(tree: Tree, path: str, where: tuple[str, ...]) -> tuple[ArrayReader, list[SubmissionError]]:
    _require_node(tree, path, where)
    return scan_array(tree, path, where)


def _require_node(tree: Tree, path: str, where: tuple[str, ...]) -> None:
    entries = tree.entries(path)
    if entries.get("zarr.json") is False:
        return
    old = [name for name in (".zgroup", ".zarray") if name in entries]
    raise problem(
        "S135",
        where=where,
        expected="a Zarr version 3 node with zarr.json",
        got=f"a Zarr version 2 node with {old[0]}" if old else "no zarr.json",
        hint="write it with zarr_format=3" if old else "",
    )
