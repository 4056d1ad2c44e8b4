"""Readers of data sets, one file each, behind `Dataset` and `Clip`."""

from vadbench.datasets.base import Clip, Dataset, MemoryDataset
from vadbench.datasets.facts import DatasetFacts, load_facts
from vadbench.datasets.files import FileDataset
from vadbench.datasets.registry import known_datasets, open_dataset

__all__ = [
    "Clip",
    "Dataset",
    "DatasetFacts",
    "FileDataset",
    "MemoryDataset",
    "known_datasets",
    "load_facts",
    "open_dataset",
]
