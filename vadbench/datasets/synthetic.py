"""The synthetic set: UCSD's layout with its own id, as `vadbench.datasets.synthesize` writes it."""

from __future__ import annotations

from vadbench.datasets.ucsd import UcsdDataset


class Synthetic(UcsdDataset):
    """A data set made by `vadbench.datasets.synthesize`; each copy has its own clips and sizes."""

    id = "synthetic"
    label_file = "synthetic.m"
