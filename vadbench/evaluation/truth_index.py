"""The cache of the truth: what was read from a clip's masks, labels and tracks, looked up by the times of their files.

Source: architecture, "Caches".

An entry is one file. Its first line names the format, the second is a JSON header, the arrays follow as they lie in
memory, little endian. What comes out is the truth that went in, bit by bit, or nothing: whatever is wrong with an entry
makes it absent, and the files of the data set are read.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.base import Clip, Dataset
from vadbench.datasets.files import FileDataset
from vadbench.errors import DataError
from vadbench.evaluation.code_revision import code_revision
from vadbench.masks import MaskRuns
from vadbench.truth import Track, Truth

ENVIRONMENT_VARIABLE = "VADBENCH_CACHE"
"""Folder of the cache in place of the platform's; ``off`` for none."""

_MAGIC = b"vadbench truth 1\n"
_ENDING = ".truth"
_UNFINISHED = ".unfinished"
_LARGEST_ENTRY = 2**28
_MOST_BYTES = 2**30
_MOST_ENTRIES = 10_000
_ABANDONED_SECONDS = 3600.0

# The coarsest modification times of a file system in use (FAT) are two seconds apart: a file that was changed so short
# a time ago can change once more and keep size and time. As git does with its index, such a file is not trusted.
_RACY_NANOSECONDS = 2 * 10**9


@dataclass(frozen=True)
class CacheContent:
    """What the cache of the truth holds.

    Attributes
    ----------
    folder : Path or None
        None where there is no cache: it is off, or there is no place for it.
    entries : int
    n_bytes : int
    """

    folder: Path | None
    entries: int
    n_bytes: int


def indexed_truth(dataset: Dataset, clip_id: str) -> Truth:
    """Truth of a test clip, from the cache where its files are the same as when it was read.

    Parameters
    ----------
    dataset : Dataset
        Of files; the truth of any other is asked for directly.
    clip_id : str

    Returns
    -------
    Truth
        Equal in every bit to ``dataset.truth(clip_id)``.

    Raises
    ------
    DataError
        As `FileDataset.truth`, where the files have to be read. The cache itself raises nothing: where it cannot be
        read or written, the files are read.

    Notes
    -----
    A truth file is the same as long as its path, size and modification time are; ``vadbench data verify`` always reads.
    """
    if not isinstance(dataset, FileDataset):
        return dataset.truth(clip_id)
    clip = dataset.clip(clip_id)
    folder = cache_folder()
    now = time.time_ns()
    state = None if folder is None else _state(dataset, clip)
    if folder is None or state is None:
        return dataset.truth(clip_id)
    entry = folder / (state.name + _ENDING)
    found = _load(entry, state.key, clip)
    if found is not None:
        return found
    truth = dataset.truth(clip_id)
    # A file that was changed while it was read has another state now, or one that is too young to be told apart.
    if state.newest < now - _RACY_NANOSECONDS and _state(dataset, clip) == state:
        _store(entry, _encoded(truth, state.key))
    return truth


def cache_folder() -> Path | None:
    """Folder of the cache, which need not exist; None where it is off or the system names no place for it."""
    given = os.environ.get(ENVIRONMENT_VARIABLE, "")
    if given.strip().lower() == "off":
        return None
    try:
        base = Path(given).expanduser().absolute() if given else _platform_folder()
    except (RuntimeError, OSError):
        # There is no home, or no current folder.
        return None
    return base / "truth"


def cache_content() -> CacheContent:
    """Count the entries of the cache."""
    folder = cache_folder()
    sizes = [] if folder is None else [status.st_size for _, status in _files(folder)]
    return CacheContent(folder, len(sizes), sum(sizes))


def clear_cache() -> CacheContent:
    """Remove all entries, and nothing else; returns what was there; raises OSError where the system refuses."""
    content = cache_content()
    if content.folder is not None:
        for path, _ in _files(content.folder):
            path.unlink(missing_ok=True)
    return content


@dataclass(frozen=True)
class _State:
    """State of the files of a clip's truth: what the entry is called, what it must be of, the newest file's time."""

    name: str
    key: str
    newest: int


def _state(dataset: FileDataset, clip: Clip) -> _State | None:
    """None where the files cannot be looked at; reading them will say why."""
    files: list[tuple[str, int, int]] = []
    elsewhere = set()
    try:
        root = os.path.join(Path("" if dataset.root is None else dataset.root).absolute(), "")  # noqa: PTH118
        # Text, not paths: there is a file a frame, and paths would take longer than all the rest.
        for path in map(os.fspath, dataset.truth_files(clip.id)):
            status = os.stat(path)  # noqa: PTH116
            place = os.path.abspath(path)  # noqa: PTH100
            if place.startswith(root):
                place = place.removeprefix(root)
            else:
                elsewhere.add(os.path.dirname(place))  # noqa: PTH120
            files.append((place, status.st_size, status.st_mtime_ns))
    except (OSError, DataError):
        return None
    if not files:
        return None
    reader = f"{type(dataset).__module__}.{type(dataset).__qualname__}"
    # A label file goes by the number of the clip among all of them. Another version may read the same files otherwise.
    others = [own.id for own in dataset.clips]
    of = [dataset.id, reader, clip.id, clip.frames, clip.height, clip.width, dataset.track_source, others]
    key = _digest([_MAGIC.decode(), code_revision(), of, files])
    # The name stays when files change, so that the new entry takes the old one's place; masks or tracks that the caller
    # names have one of their own.
    name = _digest([dataset.id, root, clip.id, dataset.track_source, dataset.own_masks, sorted(elsewhere)])
    return _State(name[:32], key, max(mtime for _, _, mtime in files))


def _digest(value: object) -> str:
    # Names of files are bytes to the system: surrogates stand for those that are not UTF-8.
    return hashlib.sha256(json.dumps(value).encode("utf-8", "surrogatepass")).hexdigest()


def _platform_folder() -> Path:
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if given.is_absolute():
        return given / "vadbench"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "vadbench"
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA", ""))
        return (local if local.is_absolute() else Path.home() / "AppData" / "Local") / "vadbench" / "Cache"
    return Path.home() / ".cache" / "vadbench"


def _files(folder: Path) -> list[tuple[Path, os.stat_result]]:
    """Entries, those that were left unfinished too; none where the folder is absent."""
    found = []
    try:
        with os.scandir(folder) as listing:
            for entry in listing:
                if entry.name.endswith((_ENDING, _UNFINISHED)) and entry.is_file(follow_symlinks=False):
                    found.append((Path(entry.path), entry.stat(follow_symlinks=False)))
    except OSError:
        return []
    return found


def _encoded(truth: Truth, key: str) -> bytes:
    runs, tracks = truth.mask_runs, truth.given_tracks
    arrays: list[tuple[str, NDArray[Any]]] = []
    if runs is not None:
        arrays += [("<i8", runs.offsets), ("<u4", runs.starts), ("<u4", runs.lengths)]
    if truth.labels is not None:
        arrays.append(("u1", truth.labels))
    for track in tracks or ():
        arrays += [("<i8", track.frames), ("<f8", track.boxes)]
    header = {
        "key": key,
        "runs": None if runs is None else len(runs.starts),
        "labels": truth.labels is not None,
        "tracks": None if tracks is None else [(track.id, len(track.frames)) for track in tracks],
    }
    content = b"".join(
        [json.dumps(header).encode(), b"\n", *(array.astype(dtype).tobytes() for dtype, array in arrays)]
    )
    return _MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def _load(entry: Path, key: str, clip: Clip) -> Truth | None:
    """Truth of an entry; None where there is none, it is of another state, or anything is wrong with it."""
    try:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(entry, flags), "rb", buffering=0) as file:  # noqa: PTH123
            if not _is_own(os.fstat(file.fileno())):
                return None
            return _decoded(file.read(), key, clip)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, DataError):
        # Damaged, cut off, or of another origin: as good as absent, and written anew.
        return None


def _is_own(status: os.stat_result) -> bool:
    """Whether nobody else can have written the file: in a folder that is shared it might be a truth of their making."""
    if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_ENTRY:
        return False
    return not hasattr(os, "geteuid") or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)


def _decoded(data: bytes, key: str, clip: Clip) -> Truth | None:
    start = len(_MAGIC) + 64 + 1
    end = data.find(b"\n", start)
    if end < 0 or not data.startswith(_MAGIC):
        raise ValueError("no entry")
    # The other key first: where files have changed, the content need not be looked at.
    header = json.loads(data[start:end])
    if not isinstance(header, dict) or header.get("key") != key:
        return None
    if hashlib.sha256(memoryview(data)[start:]).hexdigest().encode() + b"\n" != data[len(_MAGIC) : start]:
        raise ValueError("another content than was written")
    parts = _Parts(data, end + 1)
    runs = None if header["runs"] is None else _runs(parts, header["runs"], clip)
    labels = _labels(parts, clip.frames) if header["labels"] else None
    tracks = header["tracks"]
    if tracks is not None:
        tracks = tuple(Track(str(i), parts.take("<i8", n), parts.take("<f8", 4 * n).reshape(n, 4)) for i, n in tracks)
    parts.check_end()
    return Truth(clip.frames, clip.height, clip.width, runs, labels, tracks)


class _Parts:
    """Arrays that follow each other in an entry."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data, self._position = data, position

    def take(self, dtype: str, count: int) -> NDArray[Any]:
        """Next array, in native byte order and writable, as one that was read from the files."""
        kind = np.dtype(dtype)
        if type(count) is not int or not 0 <= count <= (len(self._data) - self._position) // kind.itemsize:
            raise ValueError("a length beyond the end of the entry")
        array = np.frombuffer(self._data, kind, count, self._position)
        self._position += array.nbytes
        return array.astype(kind.newbyteorder("="))

    def check_end(self) -> None:
        if self._position != len(self._data):
            raise ValueError("bytes behind the arrays")


def _runs(parts: _Parts, count: int, clip: Clip) -> MaskRuns:
    offsets = parts.take("<i8", clip.frames + 1)
    starts, lengths = parts.take("<u4", count), parts.take("<u4", count)
    ends = starts.astype(np.int64) + lengths
    # Runs are as long as they can be, so that a pixel lies between two of a frame.
    follows = starts[1:] > ends[:-1]
    firsts = offsets[1:-1]
    if offsets[0] != 0 or offsets[-1] != count or (np.diff(offsets) < 0).any():
        raise ValueError("offsets that are not in order")
    follows[firsts[(firsts > 0) & (firsts < count)] - 1] = True
    if not follows.all() or (lengths == 0).any() or (ends > clip.height * clip.width).any():
        raise ValueError("runs that are not in order or leave the frame")
    return MaskRuns(clip.height, clip.width, offsets, starts, lengths)


def _labels(parts: _Parts, frames: int) -> NDArray[np.bool_]:
    labels = parts.take("u1", frames)
    if (labels > 1).any():
        raise ValueError("a label that is neither 0 nor 1")
    return labels.astype(np.bool_)


def _store(entry: Path, data: bytes) -> None:
    """Put an entry into its place, whole or not at all; leave it where the system refuses."""
    unfinished: str | None = None
    try:
        entry.parent.parent.mkdir(parents=True, exist_ok=True)
        entry.parent.mkdir(mode=0o700, exist_ok=True)
        # The file of one who does the same at this time has another name, and the last one's stays.
        number, unfinished = tempfile.mkstemp(suffix=_UNFINISHED, dir=entry.parent)
        with open(number, "wb") as file:  # noqa: PTH123
            file.write(data)
        Path(unfinished).replace(entry)
        unfinished = None
        for path in _superfluous(entry.parent):
            path.unlink(missing_ok=True)
    except OSError:
        # A full disk, a read-only home, a file in the way: the cache is a convenience, and scoring goes on without it.
        pass
    finally:
        if unfinished is not None:
            _remove_quietly(Path(unfinished))


def _superfluous(folder: Path) -> Iterator[Path]:
    """Entries to be removed: the oldest beyond the bounds, and what a killed process left unfinished."""
    files = sorted(_files(folder), key=lambda file: file[1].st_mtime_ns, reverse=True)
    totals = accumulate(status.st_size for _, status in files)
    abandoned = time.time() - _ABANDONED_SECONDS
    for count, ((path, status), total) in enumerate(zip(files, totals, strict=True), start=1):
        if path.name.endswith(_UNFINISHED):
            if status.st_mtime < abandoned:
                yield path
        elif count > _MOST_ENTRIES or total > _MOST_BYTES:
            yield path


def _remove_quietly(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
