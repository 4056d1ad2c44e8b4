"""Speed of the metrics against peers in the same run; `make bench` prints medians, compare within a group."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from vadbench import Detections, MemoryDataset, Prediction, Track, Truth, evaluate, metrics

sys.path.insert(0, str(Path(__file__).parents[1] / "oracle"))
import reference_tracks
from generators import drifting_tracks

PIXEL = ["pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1"]


@pytest.fixture(scope="module")
def workload() -> tuple[np.ndarray, np.ndarray]:
    """Masks of moving blobs and smooth scores, 200 frames of Ped2's size (17 Mpx), prevalence about .01."""
    rng = np.random.default_rng(0)
    masks = np.zeros((200, 240, 360), dtype=bool)
    for frame in range(200):
        masks[frame, 100:130, frame : frame + 30] = True
    noise = ndimage.gaussian_filter(rng.standard_normal(masks.shape, dtype=np.float32), (0, 6, 6))
    near = ndimage.gaussian_filter(masks.astype(np.float32), (0, 4, 4))
    return masks, 1 / (1 + np.exp(-(20 * noise + 3 * near)))


def _all_four(masks: np.ndarray, scores: np.ndarray) -> Callable[[], Any]:
    dataset = MemoryDataset({"01": Truth.from_arrays(masks)})
    return lambda: evaluate({"01": Prediction(score_maps=scores)}, dataset, metrics=PIXEL)


@pytest.mark.benchmark(group="17 Mpx, float32")
def test_four_pixel_metrics_float32(benchmark: Any, workload: tuple[np.ndarray, np.ndarray]) -> None:
    benchmark(_all_four(workload[0], workload[1].astype(np.float32)))


@pytest.mark.benchmark(group="17 Mpx, float32")
def test_peer_scikit_learn_auroc_alone_float32(benchmark: Any, workload: tuple[np.ndarray, np.ndarray]) -> None:
    masks, scores = workload[0].ravel(), workload[1].astype(np.float32).ravel()
    benchmark.pedantic(roc_auc_score, (masks, scores), rounds=3)


@pytest.mark.benchmark(group="17 Mpx, uint16")
def test_four_pixel_metrics_uint16(benchmark: Any, workload: tuple[np.ndarray, np.ndarray]) -> None:
    benchmark(_all_four(workload[0], (workload[1] * 65535).astype(np.uint16)))


@pytest.mark.benchmark(group="17 Mpx, uint16")
def test_peer_scikit_learn_auroc_alone_uint16(benchmark: Any, workload: tuple[np.ndarray, np.ndarray]) -> None:
    masks, scores = workload[0].ravel(), (workload[1] * 65535).astype(np.uint16).ravel()
    benchmark.pedantic(roc_auc_score, (masks, scores), rounds=3)


@pytest.fixture(scope="module")
def objects() -> tuple[list, list]:
    """One clip of 200 frames, 3 drifting tracks, 600 detections with 1 000 levels of scores."""
    return drifting_tracks(clips=1, length=200, tracks=3, detections=600, seed=5, levels=1000)


@pytest.mark.benchmark(group="RBDC and TBDC")
def test_rbdc_and_tbdc(benchmark: Any, objects: tuple[list, list]) -> None:
    rows, given = objects
    found = Detections(
        np.array([row[1] for row in rows]), np.array([row[2] for row in rows]), np.array([row[3] for row in rows])
    )
    tracks = [
        Track(str(k), np.array(sorted(own)), np.array([own[frame] for frame in sorted(own)]))
        for k, (_, own) in enumerate(given)
    ]
    benchmark(lambda: (metrics.rbdc(found, tracks, frames=200), metrics.tbdc(found, tracks, frames=200)))


@pytest.mark.benchmark(group="RBDC and TBDC")
def test_peer_literal_reference(benchmark: Any, objects: tuple[list, list]) -> None:
    benchmark.pedantic(reference_tracks.rbdc_tbdc_sequential, (*objects, 200), rounds=3)
