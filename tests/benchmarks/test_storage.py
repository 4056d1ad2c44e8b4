"""Reading score maps from disk: formats against one another, and a whole scoring against decoding alone."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from decoding import decode_clip
from peers import deferred
from stores import CLIP, STORES, size_on_disk, write_submission
from workloads import STORE, Extent, PixelWorkload, pixel_workload

from vadbench import MemoryDataset, Submission, Truth, evaluate

MAPS = ("heat", "masks")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A place on the disk that the benchmarks are kept on; a temporary folder may lie in memory."""
    path = STORE / "stored"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    yield path
    shutil.rmtree(path)


def _slice(maps: str, extent: Extent, frames: int | None) -> PixelWorkload:
    data = pixel_workload("slice", "uint16", extent.slice_frames, maps)
    return PixelWorkload(data.name, data.masks[:frames], data.scores[:frames])


@pytest.mark.parametrize("maps", MAPS)
@pytest.mark.parametrize("store", list(STORES))
@pytest.mark.benchmark(group="reading a clip")
def test_formats(measure: Callable[..., Any], extent: Extent, folder: Path, maps: str, store: str) -> None:
    data, own = _slice(maps, extent, extent.stored_frames), STORES[store]
    facts: dict[str, Any] = {}

    def make() -> Callable[[], None]:
        path = own.written(folder, f"{store}-{maps}", data.scores)
        facts["stored_bytes"] = size_on_disk(path)
        return lambda: own.read(path)

    call = deferred(make)
    measure(
        call,
        section="formats",
        workload=maps,
        subject=store,
        raw_bytes=data.scores.nbytes,
        rounds=min(5, extent.rounds),
        **facts,
    )


class _NoHash:
    """Stands for SHA-256 and does nothing, to see what hashing costs."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def update(self, *_: object) -> None:
        """Take nothing in."""

    def digest(self) -> bytes:
        return bytes(32)

    def hexdigest(self) -> str:
        return "0" * 64

    def copy(self) -> _NoHash:
        return self


@pytest.fixture(scope="module")
def stored(folder: Path, extent: Extent) -> dict[str, tuple[Path, MemoryDataset, int]]:
    """Submission, truth and number of pixels of the whole slice, by kind of maps."""
    made = {}
    for maps in MAPS:
        data = _slice(maps, extent, None)
        write_submission(folder / f"slice-{maps}", data.scores)
        dataset = MemoryDataset({CLIP: Truth.from_arrays(data.masks)}, id="folder")
        made[maps] = (folder / f"slice-{maps}", dataset, data.pixels)
    return made


@pytest.mark.parametrize("maps", MAPS)
@pytest.mark.parametrize("what", ["scoring", "without-hash", "decoding"])
@pytest.mark.benchmark(group="scoring from disk")
def test_scoring_from_disk(
    measure: Callable[..., Any], stored: Any, monkeypatch: pytest.MonkeyPatch, maps: str, what: str
) -> None:
    path, dataset, pixels = stored[maps]
    if what == "without-hash":
        monkeypatch.setattr(hashlib, "sha256", _NoHash)

    def score() -> None:
        evaluate(Submission.open(path), dataset)

    def decode() -> None:
        decode_clip(path / "predictions.zarr" / CLIP)

    call = decode if what == "decoding" else score
    measure(call, section="from-disk", workload=maps, subject=what, pixels=pixels)
