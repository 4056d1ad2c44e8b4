"""Which arrays a clip of a submission holds: names, dtypes and shapes, found from metadata alone.

Source: submission.md, "predictions.zarr".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vadbench.errors import quoted
from vadbench.prediction import PredictionKind
from vadbench.submission.arrays import ArrayReader, read_array, read_group
from vadbench.submission.problems import problem
from vadbench.submission.tree import PREDICTIONS, UNFINISHED, Tree

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
        if PredictionKind.SCORE_MAPS not in self.arrays:
            return None
        frames, height, width = self.arrays[PredictionKind.SCORE_MAPS][""].shape
        return frames, height, width

    def readers(self) -> Iterable[ArrayReader]:
        """All arrays of the clip."""
        return [reader for arrays in self.arrays.values() for reader in arrays.values()]


def read_layout(tree: Tree, clip_id: str, *, shown: Path | None = None) -> ClipLayout:
    """Layout of a clip; every name in its folder and every chunk of its arrays is accounted for.

    ``shown`` stands for the tree's own name in messages.

    Raises
    ------
    SubmissionError
        S120 an unknown name, S130 and S131 a zarr.json, S132 dtype or shape, S133 a chunk that is not stored,
        S135 a missing array.
    """
    path = f"{PREDICTIONS}/{clip_id}"
    where = (str(shown or tree.shown), f"clip {clip_id}")
    _check_names(tree, path, where, {*PredictionKind, "zarr.json"})
    tree.prepare(path)
    _require_node(tree, path, where)
    read_group(tree, path, where)
    files = tree.files(path)
    arrays: dict[PredictionKind, dict[str, ArrayReader]] = {}
    known = {f"{path}/zarr.json"}
    for kind in PredictionKind:
        if kind not in tree.entries(path):
            continue
        arrays[kind] = _read_kind(tree, f"{path}/{kind}", (*where, kind), kind)
        if "" not in ARRAYS[kind]:
            known.add(f"{path}/{kind}/zarr.json")
    for reader in (reader for readers in arrays.values() for reader in readers.values()):
        reader.check_stored(files)
        known.add(f"{reader.path}/zarr.json")
        known.update(f"{reader.path}/{reader.meta.chunk_key(index)}" for index in reader.meta.indices())
    if strangers := sorted(files.keys() - known):
        raise problem(
            "S120",
            where=(*where, quoted(strangers[0].removeprefix(f"{path}/"))),
            expected="zarr.json files and the chunks of the arrays only",
            got=f"{len(strangers)} other files" if len(strangers) > 1 else "",
        )
    return ClipLayout(clip_id, where, arrays)


def clip_ids(tree: Tree) -> tuple[str, ...]:
    """Ids of the clips, sorted; raises `SubmissionError` where there is no group of predictions."""
    where = (tree.shown, PREDICTIONS)
    _require_node(tree, PREDICTIONS, where)
    read_group(tree, PREDICTIONS, where)
    entries = tree.entries(PREDICTIONS)
    for name, is_folder in entries.items():
        if not is_folder and name != "zarr.json":
            raise problem(
                "S120",
                where=(*where, quoted(name)),
                expected="zarr.json and one group a clip",
                hint="a Zarr version 2 hierarchy is not read; write it with zarr_format=3"
                if name in (".zgroup", ".zattrs", ".zmetadata")
                else "",
            )
        if is_folder and (not name.isprintable() or name.startswith(RESERVED_BEGINNINGS)):
            raise problem("S120", where=(*where, quoted(name)), expected="the id of a clip")
    return tuple(sorted(name for name, is_folder in entries.items() if is_folder))


def check_top(tree: Tree, allowed: set[str]) -> None:
    """Names at the root are those of a submission; raises `SubmissionError` S120."""
    for name in tree.entries():
        if name not in allowed:
            raise problem(
                "S120",
                where=(tree.shown, quoted(name)),
                expected=", ".join(sorted(allowed)),
                hint="a writer was interrupted; run it again with resume=True"
                if name == UNFINISHED
                else "move it away",
            )


def _read_kind(tree: Tree, path: str, where: tuple[str, ...], kind: PredictionKind) -> dict[str, ArrayReader]:
    parts = ARRAYS[kind]
    _require_node(tree, path, where)
    if "" in parts:
        readers = {"": read_array(tree, path, where)}
    else:
        _check_names(tree, path, where, {*parts, "zarr.json"})
        read_group(tree, path, where)
        present = tree.entries(path)
        for name in parts:
            if name not in present and name != OPTIONAL_ARRAY:
                raise problem("S135", where=where, expected=", ".join(parts), got=f"no array {name}")
        readers = {}
        for name in (name for name in parts if name in present):
            _require_node(tree, f"{path}/{name}", (*where, name))
            readers[name] = read_array(tree, f"{path}/{name}", (*where, name))
    for name, reader in readers.items():
        _check_form(reader, *parts[name])
    _check_lengths(readers, where)
    return readers


def _check_form(reader: ArrayReader, data_types: tuple[str, ...], axes: tuple[int | str, ...]) -> None:
    shape = reader.shape
    fits = len(shape) == len(axes) and all(not isinstance(a, int) or a == n for a, n in zip(axes, shape, strict=True))
    is_maps = len(axes) == 3
    if is_maps or axes == ("T",):
        fits = fits and all(n > 0 for n in shape)
    if axes == ("N + 1",):
        fits = fits and shape[0] > 0
    expected = f"{' or '.join(data_types)}, ({', '.join(map(str, axes))})"
    if not fits or reader.meta.data_type not in data_types:
        raise problem(
            "S132",
            where=reader.where,
            expected=expected,
            got=f"{reader.meta.data_type}, {shape}",
            hint="store bool maps as uint8 0/1" if is_maps else "",
        )
    if is_maps and reader.meta.chunk_shape[1:] != shape[1:]:
        raise problem(
            "S132",
            where=reader.where,
            expected=f"chunks (c, {shape[1]}, {shape[2]})",
            got=f"chunks {reader.meta.chunk_shape}",
        )


def _check_lengths(readers: Mapping[str, ArrayReader], where: tuple[str, ...]) -> None:
    rows = {name: reader.shape[0] - (name == "offsets") for name, reader in readers.items() if name != "counts"}
    if len(set(rows.values())) > 1:
        raise problem("S145", where=where, got=", ".join(f"{name} of {n} rows" for name, n in rows.items()))


def _check_names(tree: Tree, path: str, where: tuple[str, ...], allowed: set[str]) -> None:
    for name in tree.entries(path):
        if name not in allowed:
            raise problem("S120", where=(*where, quoted(name)), expected=", ".join(sorted(map(str, allowed))))


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
