"""`values` on statistics as `vadbench score --statistics` makes them, of small sets whose every score gets a level."""

from __future__ import annotations

import numpy as np
import pytest
from exact_statistics import THRESHOLD, made_set, scored
from made_statistics import made_statistics

from vadbench import MemoryDataset
from vadbench.comparison import values
from vadbench.evaluation.statistics_pass import report_statistics

KINDS = ("both", "both", "one-class", "quiet", "no-masks")
WEIGHTS = np.array([[1, 1, 1, 1, 1], [2, 1, 0, 3, 1], [1, 3, 1, 0, 0], [0, 2, 0, 1, 2]], dtype=float)


@pytest.mark.parametrize("protocol", ["standard", "aed-2021", "tao-release+instances.scores=given"])
def test_the_values_of_repeated_clips_come_out_of_the_file(protocol: str) -> None:
    truths, predictions = made_set(11, KINDS, tied=False)
    report = scored(truths, predictions, protocol)
    dataset = MemoryDataset(truths, id="shanghaitech")
    statistics = report_statistics(predictions, dataset, report, threshold=THRESHOLD)
    found = values(report, statistics, WEIGHTS)
    assert len(found) == 9
    for row, weights in enumerate(WEIGHTS):
        repeated = scored(truths, predictions, protocol, weights)
        for key, column in found.items():
            # Shares of components are kept in whole ten-thousandths a bin, sums with nine digits.
            assert column[row] == pytest.approx(repeated.value(key), abs=1e-6), (key, weights)


@pytest.mark.parametrize("dataset", ["ucsd-ped2", "shanghaitech"])
@pytest.mark.parametrize(
    "protocol",
    ["standard", "standard+pixel.fpr_limit=1", "aed-2021", "tao-release", "standard+pixel.pooling=clip-mean"],
)
def test_weights_of_one_give_the_value(dataset: str, protocol: str) -> None:
    report, statistics = made_statistics(3, dataset=dataset, n_clips=12, protocol=protocol)
    found = values(report, statistics, np.ones((1, 12)))
    assert len(found) == len([own for own in report.scores.values() if own.value is not None])
    for key, column in found.items():
        assert column[0] == pytest.approx(report.value(key), abs=1e-9)
