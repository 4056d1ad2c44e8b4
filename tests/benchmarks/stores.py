"""Score maps of one clip on disk in several formats, and for each a call that reads all, eight frames at a time."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peers import NotRunnableError

from vadbench import Submission, SubmissionWriter

BLOCK = 8
CLIP = "01"
Scores = NDArray[Any]


def _hdf5(**options: Any) -> tuple[Callable[[Path, Scores], None], Callable[[Path], None]]:
    def write(path: Path, scores: Scores) -> None:
        import h5py

        with h5py.File(path, "w") as file:
            chosen = dict(options)
            if chosen.pop("bitshuffle", False):
                chosen |= import_module("hdf5plugin").Bitshuffle(cname="lz4")
            # A file without chunks is one run of bytes; with a filter, chunks of eight frames.
            chunks = (BLOCK, *scores.shape[1:]) if chosen else None
            file.create_dataset("maps", data=scores, chunks=chunks, **chosen)

    def read(path: Path) -> None:
        import h5py

        if options.get("bitshuffle"):
            import_module("hdf5plugin")
        with h5py.File(path) as file:
            maps = file["maps"]
            for start in range(0, len(maps), BLOCK):
                maps[start : start + BLOCK]

    return write, read


def _zarr(codec: str, **options: Any) -> tuple[Callable[[Path, Scores], None], Callable[[Path], None]]:
    def write(path: Path, scores: Scores) -> None:
        import zarr
        from zarr import codecs

        array = zarr.create_array(
            store=str(path),
            shape=scores.shape,
            dtype=scores.dtype,
            chunks=(BLOCK, *scores.shape[1:]),
            compressors=getattr(codecs, codec)(**options),
        )
        array[:] = scores

    def read(path: Path) -> None:
        import zarr

        array: Any = zarr.open_array(store=str(path), mode="r")
        for start in range(0, array.shape[0], BLOCK):
            array[start : start + BLOCK]

    return write, read


def _npz_write(path: Path, scores: Scores) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, maps=scores)


def _npz_read(path: Path) -> None:
    with np.load(path) as archive:
        archive["maps"]


def _png_write(path: Path, scores: Scores) -> None:
    import cv2

    path.mkdir()
    for frame, score_map in enumerate(scores):
        cv2.imwrite(str(path / f"{frame:04d}.png"), score_map)


def _png_read(path: Path) -> None:
    import cv2

    for image in sorted(path.iterdir()):
        cv2.imread(str(image), cv2.IMREAD_UNCHANGED)


def write_submission(path: Path, scores: Scores) -> None:
    """Write a submission of one clip in the layout `folder`."""
    with SubmissionWriter(
        path,
        dataset="folder",
        method={"name": "stored", "authors": ["vadbench benchmarks"], "year": 2026, "code": "https://example.org/x"},
        training={"supervision": "one-class", "data": [], "pretrained": []},
    ) as writer:
        writer.write_clip(CLIP, score_maps=scores)


def _submission_read(path: Path) -> None:
    maps = Submission.open(path).clip(CLIP).maps
    if maps is not None:
        for _ in maps.blocks():
            pass


def _zip_write(path: Path, scores: Scores) -> None:
    folder = path.with_suffix(".tree")
    write_submission(folder, scores)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
    shutil.rmtree(folder)


@dataclass(frozen=True)
class Store:
    """A format: how a clip is written, and how it is read."""

    title: str
    write: Callable[[Path, Scores], None]
    read: Callable[[Path], None]
    suffix: str = ""

    def written(self, folder: Path, key: str, scores: Scores) -> Path:
        """Write the clip; raises `NotRunnableError` where a package is missing."""
        path = folder / f"{key}{self.suffix}"
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        try:
            self.write(path, scores)
        except ImportError as error:
            raise NotRunnableError(str(error)) from error
        return path


def size_on_disk(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    return (
        path.stat().st_size if path.is_file() else sum(own.stat().st_size for own in path.rglob("*") if own.is_file())
    )


STORES = {
    "vadbench-folder": Store("vadbench, folder (Zarr, Blosc lz4 bitshuffle)", write_submission, _submission_read),
    "vadbench-zip": Store("vadbench, stored zip", _zip_write, _submission_read, ".zip"),
    "zarr-lz4": Store(
        "Zarr, Blosc lz4 bitshuffle", *_zarr("BloscCodec", cname="lz4", clevel=5, shuffle="bitshuffle", typesize=2)
    ),
    "zarr-blosc-zstd": Store(
        "Zarr, Blosc zstd bitshuffle", *_zarr("BloscCodec", cname="zstd", clevel=3, shuffle="bitshuffle", typesize=2)
    ),
    "zarr-zstd": Store("Zarr, zstd", *_zarr("ZstdCodec", level=0)),
    "hdf5": Store("HDF5, no filter", *_hdf5(), ".h5"),
    "hdf5-gzip": Store(
        "HDF5, gzip 4 with shuffle", *_hdf5(compression="gzip", compression_opts=4, shuffle=True), ".h5"
    ),
    "hdf5-lz4": Store("HDF5, bitshuffle lz4", *_hdf5(bitshuffle=True), ".h5"),
    "npz": Store("NumPy .npz", _npz_write, _npz_read, ".npz"),
    "png": Store("PNG of 16 bits a frame", _png_write, _png_read),
}
