"""A curve of precision near 1, whose last digit weighs more than a small share of a number of false alarms."""

from __future__ import annotations

import pytest

from vadbench.entries.report_curves import _precision
from vadbench.evaluation.report import CurvePoints

# Two points of one report: the same false alarms, more of the anomalous pixels.
RECALL = (0.32671018371489075, 0.33154508387931203)
PRECISION = (0.9999997835333846, 0.9999997866901024)


def problems(second: float) -> list[str]:
    curve = CurvePoints(x=[0, *RECALL, 1], y=[PRECISION[0], PRECISION[0], second, 0.5])
    return [error.code for error in _precision(curve, ("report.json",))]


def test_the_rounding_of_a_precision_is_no_contradiction() -> None:
    first, second = (recall * (1 / precision - 1) for recall, precision in zip(RECALL, PRECISION, strict=True))
    assert second < first * (1 + 1e-6)
    assert problems(PRECISION[1]) == []


@pytest.mark.parametrize("precision", [0.9999998, 1.0])
def test_fewer_false_alarms_than_before_are_one(precision: float) -> None:
    assert problems(precision) == ["S184"]
