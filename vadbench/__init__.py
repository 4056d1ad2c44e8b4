"""Evaluation benchmark for video anomaly detection: exact pixel and object metrics, with a signature on every score.

Importing the package loads NumPy at most; everything else is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from vadbench.version import __version__

if TYPE_CHECKING:
    from vadbench.datasets.base import Clip, Dataset, MemoryDataset
    from vadbench.datasets.registry import known_datasets, open_dataset
    from vadbench.datasets.synthesize import synthesize
    from vadbench.errors import (
        ConversionError,
        DataError,
        ProtocolError,
        SubmissionError,
        UndefinedMetricError,
        UsageError,
        VadbenchError,
    )
    from vadbench.evaluation.dask_workers import DaskWorkers
    from vadbench.evaluation.evaluate import evaluate
    from vadbench.evaluation.kept_results import KeptResults
    from vadbench.evaluation.processes import ProcessWorkers
    from vadbench.evaluation.report import Report
    from vadbench.prediction import Detections, Instances, Prediction
    from vadbench.protocol import Protocol, Signature
    from vadbench.submission import Submission, SubmissionWriter
    from vadbench.truth import Track, Truth
    from vadbench.validation import Validation, validate

_HOMES = {
    "Clip": "datasets.base",
    "ConversionError": "errors",
    "DaskWorkers": "evaluation.dask_workers",
    "DataError": "errors",
    "Dataset": "datasets.base",
    "Detections": "prediction",
    "Instances": "prediction",
    "KeptResults": "evaluation.kept_results",
    "MemoryDataset": "datasets.base",
    "Prediction": "prediction",
    "ProcessWorkers": "evaluation.processes",
    "Protocol": "protocol",
    "ProtocolError": "errors",
    "Report": "evaluation.report",
    "Signature": "protocol",
    "Submission": "submission",
    "SubmissionError": "errors",
    "SubmissionWriter": "submission",
    "Track": "truth",
    "Truth": "truth",
    "UndefinedMetricError": "errors",
    "UsageError": "errors",
    "VadbenchError": "errors",
    "Validation": "validation",
    "evaluate": "evaluation.evaluate",
    "known_datasets": "datasets.registry",
    "open_dataset": "datasets.registry",
    "synthesize": "datasets.synthesize",
    "validate": "validation",
}
_MODULES = (
    *("boxes", "command_line", "comparison", "datasets", "entries", "errors", "failures", "inert_text"),
    *("interruptions", "masks", "metrics", "overlay", "plots", "protocol", "tables", "truth"),
)
"""Modules that are public as a whole."""

__all__ = [
    "Clip",
    "ConversionError",
    "DaskWorkers",
    "DataError",
    "Dataset",
    "Detections",
    "Instances",
    "KeptResults",
    "MemoryDataset",
    "Prediction",
    "ProcessWorkers",
    "Protocol",
    "ProtocolError",
    "Report",
    "Signature",
    "Submission",
    "SubmissionError",
    "SubmissionWriter",
    "Track",
    "Truth",
    "UndefinedMetricError",
    "UsageError",
    "VadbenchError",
    "Validation",
    "__version__",
    "evaluate",
    "known_datasets",
    "open_dataset",
    "synthesize",
    "validate",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(f"vadbench.{_HOMES[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"vadbench.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES])
