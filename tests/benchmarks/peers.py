"""Other programs that compute these metrics, each behind one function; a peer that cannot run says why.

Every function takes masks (T, H, W) bool and scores of the same shape, and gives the values that the peer computes.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = dict[str, float]
Call = Callable[[NDArray[np.bool_], NDArray[Any]], Values]


class NotRunnableError(Exception):
    """A peer is not installed or does not run here; the text says why."""


@dataclass(frozen=True)
class Peer:
    """A peer with what has to be known to read its numbers.

    Parameters
    ----------
    title : str
        As tables show it.
    package : str
        Module that it needs.
    call : callable
    slow : bool
        Over ten seconds on a full workload: one round is enough.
    takes : tuple of str
        Dtypes of scores; others are handed over as float32 in [0, 1], converted before the clock starts.
    """

    title: str
    package: str
    call: Call
    slow: bool = True
    takes: tuple[str, ...] = ("uint16", "float32")

    def __call__(self, masks: NDArray[np.bool_], scores: NDArray[Any]) -> Values:
        """Values of the peer; raises `NotRunnableError`."""
        self.require()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return {name: float(value) for name, value in self.call(masks, scores).items()}
            except Exception as error:  # a foreign package may raise anything on the scores that it is given
                raise NotRunnableError(f"{type(error).__name__}: {str(error)[:120]}") from error

    def require(self) -> None:
        """Import what is needed; raises `NotRunnableError`."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import_module(self.package)
        except Exception as error:  # whatever a foreign package raises while it is imported
            raise NotRunnableError(f"{self.package}: {type(error).__name__}: {error}") from error

    def input_of(self, scores: NDArray[Any]) -> NDArray[Any]:
        """Scores in a dtype that the peer takes."""
        return scores if scores.dtype.name in self.takes else scores.astype(np.float32) / np.float32(65535)


def deferred(make: Callable[[], Callable[[], Any]]) -> Callable[[], Any]:
    """The call that is made, or one that raises the reason why it cannot be: the measurement then notes it."""
    try:
        return make()
    except NotRunnableError as error:
        reason = error

        def refused() -> Any:
            raise reason

        return refused


@contextmanager
def _trapz() -> Iterator[None]:
    """`numpy.trapz`, which NumPy 2.4 no longer has, for as long as a peer needs it."""
    name = "trapz"
    missing = not hasattr(np, name)
    if missing:
        setattr(np, name, np.trapezoid)
    try:
        yield
    finally:
        if missing:
            delattr(np, name)


def _adeval(masks: NDArray[np.bool_], scores: NDArray[Any]) -> Values:
    import adeval

    with _trapz():
        auroc, aupr, aupro = adeval.auroc_aupr_aupro(scores, masks.view(np.uint8), nstrips=1000)
    return {"AUROC": auroc, "AUPR (trapezoid)": aupr, "AUPRO": aupro}


def _sklearn_auroc(masks: NDArray[np.bool_], scores: NDArray[Any]) -> Values:
    from sklearn.metrics import roc_auc_score

    return {"AUROC": float(roc_auc_score(masks.ravel(), scores.ravel()))}


def _sklearn_average_precision(masks: NDArray[np.bool_], scores: NDArray[Any]) -> Values:
    from sklearn.metrics import average_precision_score

    return {"AP": float(average_precision_score(masks.ravel(), scores.ravel()))}


def _torchmetrics(thresholds: int | None) -> Call:
    def call(masks: NDArray[np.bool_], scores: NDArray[Any]) -> Values:
        import torch
        from torchmetrics.functional.classification import binary_auroc, binary_average_precision

        given = torch.from_numpy(scores.reshape(-1)), torch.from_numpy(masks.reshape(-1)).long()
        values = {"AUROC": float(binary_auroc(*given, thresholds=thresholds))}
        if thresholds is not None:
            values["AP"] = float(binary_average_precision(*given, thresholds=thresholds))
        return values

    return call


def _pyaupro(thresholds: int | None) -> Call:
    def call(masks: NDArray[np.bool_], scores: NDArray[Any]) -> Values:
        import torch
        from pyaupro import PerRegionOverlap, auc_compute

        metric = PerRegionOverlap(thresholds=thresholds)
        metric.update(torch.from_numpy(scores), torch.from_numpy(masks.view(np.uint8)))
        fpr, overlap = metric.compute()
        # Fixed thresholds ascend, so their rates descend.
        return {"AUPRO": float(auc_compute(fpr, overlap, limit=0.3, descending=thresholds is not None))}

    return call


PEERS = {
    "adeval": Peer("adeval, 1000 bins (AUROC, AUPR, AUPRO)", "adeval", _adeval, slow=False),
    "sklearn-auroc": Peer("scikit-learn roc_auc_score", "sklearn.metrics", _sklearn_auroc),
    "sklearn-ap": Peer("scikit-learn average_precision_score", "sklearn.metrics", _sklearn_average_precision),
    "torchmetrics": Peer("torchmetrics BinaryAUROC, exact", "torchmetrics", _torchmetrics(None), takes=("float32",)),
    "torchmetrics-binned": Peer(
        "torchmetrics, 100 bins (AUROC, AP)", "torchmetrics", _torchmetrics(100), takes=("float32",)
    ),
    "pyaupro": Peer("pyaupro, exact (AUPRO)", "pyaupro", _pyaupro(None), takes=("float32",)),
    "pyaupro-binned": Peer("pyaupro, 100 bins (AUPRO)", "pyaupro", _pyaupro(100), takes=("float32",)),
}


def ssvad_metrics() -> Any:
    """py-ssvad-metrics, which is written for pydantic 1 and sees pydantic's own copy of that.

    Raises `NotRunnableError`.
    """
    own = sys.modules.get("pydantic")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sys.modules["pydantic"] = import_module("pydantic.v1")
            return import_module("ssvad_metrics")
    except Exception as error:  # whatever a foreign package raises while it is imported
        raise NotRunnableError(f"py-ssvad-metrics: {type(error).__name__}: {error}") from error
    finally:
        if own is None:
            sys.modules.pop("pydantic", None)
        else:
            sys.modules["pydantic"] = own


def ssvad_object_metrics(frames: int, height: int, width: int, rows: Any, tracks: Any) -> Callable[[], Values]:
    """A call of py-ssvad-metrics on detections and tracks of one clip, boxes inside the frame; scores in [0, 1].

    It knows one track a frame: of several, the first counts.
    """
    package = ssvad_metrics()

    def annotation(boxes: list[list[tuple[Any, float]]], ids: list[int], *, is_gt: bool) -> Any:
        return package.data_schema.VADAnnotation(
            is_gt=is_gt,
            frames_count=frames,
            is_anomalous_regions_available=True,
            is_anomaly_track_id_available=is_gt,
            frame_width=width,
            frame_height=height,
            frames=[
                {
                    "frame_id": frame + 1,
                    "anomaly_track_id": ids[frame] if is_gt else None,
                    "anomalous_regions": [{"bounding_box": list(box), "score": score} for box, score in boxes[frame]],
                }
                for frame in range(frames)
            ],
        )

    found: list[list[tuple[Any, float]]] = [[] for _ in range(frames)]
    known: list[list[tuple[Any, float]]] = [[] for _ in range(frames)]
    ids = [-1] * frames
    for _, frame, box, score in rows:
        found[frame].append((box, score))
    for track, (_, own) in enumerate(tracks):
        for frame, box in own.items():
            known[frame].append((box, 1.0))
            ids[frame] = track if ids[frame] < 0 else ids[frame]
    predicted, truth = annotation(found, ids, is_gt=False), annotation(known, ids, is_gt=True)

    def call() -> Values:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = package.criteria.CurrentCriteriaAccumulator()(preds=predicted, gts=truth)
        return {"RBDC": float(result["region_roc_auc"]), "TBDC": float(result["track_roc_auc"])}

    return call
