"""HDF5 files with one array a clip: one file with an array for each clip, or a folder with a file for each.

For your own files only: the format is a program's memory as much as a file, and this reader is no defence against
strangers. Links and arrays that lead to other files are refused. Submissions are never read with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vadbench.conversion.dense.arrays import DenseSource, HeldFrames, ReadFrames, check_dtype
from vadbench.conversion.formats import Reading
from vadbench.conversion.shown import shown_error, shown_path
from vadbench.datasets.listing import natural_key
from vadbench.errors import ConversionError, UsageError, quoted, shortened

if TYPE_CHECKING:
    import h5py

_SUFFIXES = (".h5", ".hdf5", ".hdf")
_CACHE_BYTES = 2**28
_DAMAGED = (OSError, ValueError, KeyError, RuntimeError, TypeError)


class Hdf5Source(DenseSource):
    """HDF5 files.

    Parameters
    ----------
    path : Path
        A file with an array a clip, or a folder with a file a clip.
    reading : Reading
        ``key`` is the group that holds the arrays of a file, or the array in each group where every clip has one; the
        array itself where each clip has a file.

    Raises
    ------
    UsageError
        U214 if the package h5py is missing.
    """

    def __init__(self, path: Path, reading: Reading) -> None:
        _require_h5py()
        super().__init__()
        self._arrays: dict[str, _Hdf5Array] = {}
        if path.is_dir():
            files = self._find(path, _SUFFIXES, reading.pattern, what="HDF5 files")
            for name, own in files.items():
                if own.numbers is not None:
                    raise ConversionError(
                        "C102",
                        "HDF5 files lie in a folder of their own",
                        where=(shown_path(path), quoted(name)),
                        expected="a file a clip, or one file for all",
                        hint="say which part of the paths is the clip with --clip-pattern",
                    )
                self._arrays[name] = _only_array(own.paths[0], reading.key)
        elif path.is_file():
            arrays = _arrays(path, reading.key)
            clips = self._match_arrays(arrays, reading.pattern, (shown_path(path),))
            self._arrays = {clip: arrays[name] for clip, name in clips.items()}
        else:
            raise UsageError("U216", "there is nothing at this path", where=shown_path(path))
        self.clip_names = tuple(sorted(self._arrays, key=natural_key))

    def held(self, name: str) -> HeldFrames:
        """Array of a clip."""
        return self._arrays[name]


class _Hdf5Array(HeldFrames):
    """One array; the file is opened when frames are read."""

    def __init__(self, path: Path, array: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._path, self._array = path, array
        self.shape, self.dtype = shape, dtype
        self.place = (shown_path(path), quoted(array))

    @contextmanager
    def reading(self) -> Iterator[ReadFrames]:
        check_dtype(self.dtype, self.place)
        with _opened(self._path) as file:
            dataset = _own(file, self._array, self.place)

            def read(start: int, stop: int) -> NDArray[Any]:
                return np.asarray(dataset[start:stop])

            yield read


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import h5py

    try:
        # A chunk that is larger than the cache would be decoded again for each block of frames.
        with h5py.File(path, "r", rdcc_nbytes=_CACHE_BYTES) as file:
            yield file
    except _DAMAGED as error:
        raise ConversionError(
            "C119",
            "a file cannot be read as HDF5",
            where=shown_path(path),
            got=shown_error(error, path),
            hint="the file is damaged, cut off, of another kind, or packed with a filter that is not installed",
        ) from error


def _arrays(path: Path, key: str | None) -> dict[str, _Hdf5Array]:
    """Arrays of one group by name, or the array of that name in each group."""
    place = (shown_path(path),)
    with _opened(path) as file:
        if key is not None and key.strip("/").split("/")[0] not in file:
            inner = {name: _own(file, name, place) for name in file}
            if inner and all(hasattr(own, "keys") for own in inner.values()):
                paths = {name: f"{name}/{key.strip('/')}" for name in inner}
                return {name: _array_at(path, file, whole) for name, whole in paths.items()}
        group = file if key is None else _own(file, key, place)
        if not hasattr(group, "keys"):
            raise _wrong_key(path, f"{quoted(key)} is an array, not a group that holds one for each clip", file)
        prefix = "" if key is None else f"{key.strip('/')}/"
        found = {name: _own(file, prefix + name, place) for name in group}
        arrays = {name: _described(path, prefix + name, own) for name, own in found.items() if hasattr(own, "shape")}
        if not arrays:
            raise _wrong_key(path, "only groups, no arrays" if found else "nothing", group)
        return arrays


def _array_at(path: Path, file: h5py.File, name: str) -> _Hdf5Array:
    own = _own(file, name, (shown_path(path),))
    if not hasattr(own, "shape"):
        raise _wrong_key(path, f"{quoted(name)} is a group", own)
    return _described(path, name, own)


def _only_array(path: Path, key: str | None) -> _Hdf5Array:
    """The array of a file that holds one clip."""
    if key is None:
        arrays = _arrays(path, None)
        if len(arrays) > 1:
            raise ConversionError(
                "C111",
                "the file holds several arrays",
                where=shown_path(path),
                expected="one array, or --key NAME",
                got=shortened([quoted(name) for name in arrays]),
                hint="say which one holds the scores: --key NAME",
            )
        return next(iter(arrays.values()))
    with _opened(path) as file:
        return _array_at(path, file, key)


def _described(path: Path, name: str, dataset: h5py.Dataset) -> _Hdf5Array:
    if dataset.is_virtual or dataset.external:
        raise _leads_away((shown_path(path), quoted(name)), "an array whose values lie in other files")
    return _Hdf5Array(path, name, tuple(int(axis) for axis in dataset.shape or ()), dataset.dtype)


def _own(file: h5py.File, name: str, where: tuple[str, ...]) -> Any:
    """What has a name, reached over plain links only; raises `ConversionError` C111, C120."""
    import h5py

    node: Any = file
    for part in name.strip("/").split("/"):
        link = node.get(part, getlink=True) if hasattr(node, "keys") else None
        if link is None:
            raise _wrong_key(Path(where[0]), f"no {quoted(name)}", node, "the file holds no array of that name")
        if not isinstance(link, h5py.HardLink):
            kind = "an external link" if isinstance(link, h5py.ExternalLink) else "a soft link"
            raise _leads_away((*where, quoted(name)), kind)
        node = node[part]
    return node


def _wrong_key(
    path: Path, got: str, group: Any, message: str = "the arrays of the clips are not here"
) -> ConversionError:
    """Error C111 with what is in the group; a key that would do is named."""
    names = list(group) if hasattr(group, "keys") else []
    key = _key_that_would_do(group, names)
    listed = shortened([quoted(name) for name in names], between=", ")
    return ConversionError(
        "C111",
        message,
        where=shown_path(path),
        expected="an array for each clip, in the file itself, in the group --key, or as --key in the group of the clip",
        got=got,
        hint=(f"there is {listed}" if names else "") + (f"; --key {key}" if key else ""),
    )


def _key_that_would_do(group: Any, names: list[str]) -> str | None:
    """The only group in a group, or the only array in each of several, if it is a name that prints."""
    import h5py

    # Links that lead elsewhere are not followed here either.
    own = [name for name in names if isinstance(group.get(name, getlink=True), h5py.HardLink)]
    inner = [set(group[name]) for name in own if hasattr(group[name], "keys")]
    if not names or len(inner) != len(names):
        return None
    common: set[str] = set.intersection(*inner) if len(names) > 1 else set(names)
    if len(common) != 1 or not (key := common.pop()).isprintable():
        return None
    return key if len(names) > 1 else f"{group.name}/{key}".strip("/")


def _leads_away(where: tuple[str, ...], got: str) -> ConversionError:
    return ConversionError(
        "C120",
        "a link or an array in an HDF5 file leads elsewhere",
        where=where,
        expected="arrays that lie in the file itself",
        got=got,
        hint="copy the values into one file, with h5py or h5repack",
    )


def _require_h5py() -> None:
    try:
        import h5py  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "U214",
            "HDF5 is read with the package h5py, which is not installed",
            hint='pip install "vadbench[hdf5]"',
        ) from error
