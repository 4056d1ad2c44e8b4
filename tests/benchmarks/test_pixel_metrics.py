"""The four pixel metrics of maps in memory, and the loop that counts scores, against peers on the same arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from peers import PEERS, deferred
from subject import counting_loop, four_metrics, prepared_truth
from workloads import Extent, PixelWorkload, pixel_workload

# A full workload takes up to a gigabyte, so one is held at a time; the parameters below are ordered by workload.
workload = lru_cache(maxsize=1)(pixel_workload)
SLOW_SIZE = "ped2"
"""Peers that take half a minute on a full workload run on this one only."""


def _given(name: str, dtype: str, extent: Extent) -> PixelWorkload:
    return workload(name, dtype, extent.frames_of(name))


def _group(name: str, dtype: str) -> dict[str, str]:
    return {"section": f"pixel-{dtype}", "workload": name}


SIZES_AND_TYPES = [("ped2", "uint16"), ("ped2", "float32"), ("slice", "uint16"), ("slice", "float32")]


@pytest.mark.parametrize(("name", "dtype"), SIZES_AND_TYPES)
@pytest.mark.parametrize("kept", ["first", "cached"])
@pytest.mark.benchmark(group="four pixel metrics")
def test_vadbench(measure: Callable[..., Any], extent: Extent, name: str, dtype: str, kept: str) -> None:
    data = _given(name, dtype, extent)
    held: Any = prepared_truth(data.masks) if kept == "cached" else data.masks
    measure(lambda: four_metrics(held, data.scores), **_group(name, dtype), subject=kept, pixels=data.pixels)


CALLS = [
    *(("adeval", name, dtype) for name, dtype in SIZES_AND_TYPES),
    *((peer, SLOW_SIZE, "uint16") for peer in ("sklearn-auroc", "sklearn-ap", "torchmetrics", "pyaupro")),
    ("sklearn-auroc", SLOW_SIZE, "float32"),
]


@pytest.mark.parametrize(("peer", "name", "dtype"), CALLS)
@pytest.mark.benchmark(group="four pixel metrics")
def test_peer(measure: Callable[..., Any], extent: Extent, peer: str, name: str, dtype: str) -> None:
    data = _given(name, dtype, extent)
    own = PEERS[peer]
    scores = own.input_of(data.scores)
    measure(
        lambda: own(data.masks, scores),
        **_group(name, dtype),
        subject=peer,
        slow=own.slow,
        rounds=min(3, extent.rounds),
        pixels=data.pixels,
    )


@pytest.mark.parametrize("maps", ["heat", "masks"])
@pytest.mark.parametrize("what", ["counting", "largest"])
@pytest.mark.benchmark(group="counting against np.max")
def test_counting(measure: Callable[..., Any], extent: Extent, maps: str, what: str) -> None:
    data = pixel_workload("ped2", "uint16", extent.ped2_frames, maps)

    def largest() -> object:
        return np.max(data.scores)

    call = largest if what == "largest" else deferred(lambda: counting_loop(data.scores, flat_areas=maps == "masks"))
    measure(call, section="counting", workload=maps, subject=what, pixels=data.pixels, rounds=3 * extent.rounds)
