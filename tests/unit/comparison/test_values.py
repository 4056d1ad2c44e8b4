"""`values` against `evaluate` itself, on data sets in which clips stand as often as the weights say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from exact_statistics import exact_statistics, made_set, scored

from vadbench import Protocol, Report, UsageError
from vadbench.comparison import ReportStatistics, Unit, replicates, values
from vadbench.comparison.pixel_values import WeightedPool
from vadbench.evaluation.report_statistics import PixelCounts

MIXED = ("both", "both", "one-class", "quiet", "no-masks")
PLAIN = ("both", "both", "both", "both")

WEIGHTS = np.array(
    [[1, 1, 1, 1, 1], [2, 1, 0, 3, 1], [0, 0, 2, 1, 1], [1, 3, 1, 0, 0], [0, 0, 0, 2, 1], [0, 0, 3, 0, 0]], dtype=float
)
"""The last but one has no anomalous pixel, the last no normal frame."""

PROTOCOLS = {
    "standard": ("standard", "uint8", True),
    "standard, floats": ("standard", "float32", False),
    "standard, small limits": ("standard+pixel.fpr_limit=0.05+object.fpr_limit=0.3", "uint8", True),
    "standard, whole limits": ("standard+pixel.fpr_limit=1+object.fpr_limit=50", "uint8", True),
    "4-connected": ("standard+pixel.connectivity=4+object.track_fraction=0.5", "uint8", True),
    "anomalous frames": ("standard+pixel.frames=anomalous+frame.clip_scaling=min-max", "uint8", True),
    "pr-trapezoid": ("standard+pixel.f1=at(12)+pixel.aupro=pr-trapezoid", "uint8", True),
    "clip-mean": ("standard+pixel.pooling=clip-mean", "uint8", True),
    "clip-mean, fixed": ("standard+pixel.pooling=clip-mean+pixel.f1=at(12)", "uint8", True),
    "frame-mean": ("standard+pixel.pooling=frame-mean+pixel.frames=anomalous", "uint8", True),
    "aed-2021": ("aed-2021", "uint8", False),
    "tao-release": ("tao-release", "uint8", False),
    "tao-release, own scores": ("tao-release+instances.scores=given", "uint8", False),
}
"""Protocol, dtype of the maps, and whether the scores of detections are tied."""


def pair(name: str, kinds: tuple[str, ...], seed: int) -> tuple[Report, ReportStatistics, tuple[dict, dict, str]]:
    protocol, dtype, tied = PROTOCOLS[name]
    truths, predictions = made_set(seed, kinds, dtype=dtype, tied=tied)
    report = scored(truths, predictions, protocol)
    return report, exact_statistics(truths, predictions, report), (truths, predictions, protocol)


@pytest.mark.parametrize("kinds", [MIXED, PLAIN], ids=["mixed", "plain"])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_values_are_those_of_a_data_set_with_repeated_clips(name: str, kinds: tuple[str, ...]) -> None:
    report, statistics, made = pair(name, kinds, seed=len(name))
    weights = WEIGHTS[:, : len(kinds)]
    weights = weights[weights.any(axis=1)]
    found = values(report, statistics, weights)
    assert list(found) == [key for key, score in report.scores.items() if score.value is not None]
    assert len(found) == 9
    for row, own_weights in enumerate(weights):
        repeated = scored(*made, own_weights)
        for key, column in found.items():
            expected = repeated.value(key)
            if key in {"rbdc", "tbdc"} and name == "tao-release" and expected is not None and row != 0:
                # All scores are 1: the order of copies is arbitrary, and the report says within what bounds.
                least, greatest = repeated.scores[key].order_bounds
                assert least - 1e-12 <= column[row] <= greatest + 1e-12, (key, own_weights)
                continue
            got = None if np.isnan(column[row]) else column[row]
            assert got == (None if expected is None else pytest.approx(expected, abs=1e-12)), (key, own_weights)


def test_a_pool_without_anomalous_pixels_has_no_value() -> None:
    """Whatever the levels: here all normal pixels are in the first bin."""
    negatives = np.array([[5, 0]])
    counts = PixelCounts(np.array([0.5]), 0 * negatives, negatives, np.zeros((1, 2)), np.zeros(1, dtype=int))
    pool, pixel = WeightedPool(counts, np.ones((1, 1))), Protocol().pixel
    for key in ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1"):
        assert np.isnan(pool.value(key, pixel)).all()


def test_weights_of_one_give_the_report_itself() -> None:
    report, statistics, _ = pair("standard", MIXED, seed=5)
    for key, column in values(report, statistics, np.ones((1, 5))).items():
        assert column[0] == pytest.approx(report.value(key), abs=1e-14)


@pytest.mark.parametrize("effect", [0.0021, -0.0021])
def test_the_effect_of_levels_is_taken_off(effect: float) -> None:
    """As if every score had lost as much by its levels: all clips together give the report."""
    report, statistics, _ = pair("standard", MIXED, seed=5)
    changed = {key: score.value - effect for key, score in report.scores.items() if score.value is not None}
    scores = {key: report.scores[key].model_copy(update={"value": value}) for key, value in changed.items()}
    shifted = report.model_copy(update={"scores": scores})
    beside = replace(statistics, effect=dict.fromkeys(changed, effect))
    exact = values(report, statistics, WEIGHTS)
    means = {"frame_auroc_macro"}
    for key, column in values(shifted, beside, WEIGHTS).items():
        assert column[0] == pytest.approx(shifted.value(key), abs=1e-9)
        np.testing.assert_allclose(column, np.clip(exact[key] - effect, 0, 1), atol=1e-12)
        assert key in means or not np.allclose(column[:3], exact[key][:3], equal_nan=True)


def test_statistics_with_the_counts_of_other_scores_are_refused() -> None:
    """Names, clips and fingerprint are the report's, and the scores are not."""
    report, statistics, _ = pair("standard", MIXED, seed=5)
    scores = dict(report.scores)
    scores["rbdc"] = scores["rbdc"].model_copy(update={"value": scores["rbdc"].value + 1e-6})
    for own, beside in (
        (report.model_copy(update={"scores": scores}), statistics),
        (report, replace(statistics, effect={"rbdc": 1e-6})),
        (report, replace(statistics, objects=replace(statistics.objects, regions=statistics.objects.regions[:, ::-1]))),
    ):
        with pytest.raises(UsageError) as caught:
            values(own, beside, np.ones((1, 5)))
        assert (caught.value.code, caught.value.where) == ("U265", ("value of rbdc",))


def test_blocks_of_resamples_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    report, statistics, _ = pair("standard", MIXED, seed=6)
    weights = np.random.default_rng(0).integers(0, 3, (50, 5)).astype(float)
    whole = values(report, statistics, weights)
    monkeypatch.setattr("vadbench.comparison.metric_values._CELLS", 300)
    for key, column in values(report, statistics, weights).items():
        np.testing.assert_allclose(column, whole[key], rtol=0, atol=1e-14)


def test_replicates_take_the_metrics_asked_for() -> None:
    report, statistics, _ = pair("standard", MIXED, seed=7)
    assert list(replicates(report, statistics, metrics=["tbdc", "pixel_ap"], resamples=5)) == ["pixel_ap", "tbdc"]
    assert list(replicates(report, statistics, metrics="pixel_f1", resamples=5)) == ["pixel_f1", "pixel_f1_declared"]
    assert list(replicates(report, statistics, metrics="pixel_f1_declared", resamples=5)) == ["pixel_f1_declared"]
    assert len(replicates(report, statistics, resamples=5)) == 9


def test_replicates_of_two_methods_are_of_the_same_resamples() -> None:
    report, statistics, _ = pair("standard", PLAIN, seed=8)
    first = replicates(report, statistics, resamples=20, seed=3)
    again = replicates(report, statistics, resamples=30, seed=3, unit=Unit.CLIPS)
    other = replicates(report, statistics, resamples=20, seed=4)
    np.testing.assert_array_equal(first["rbdc"], again["rbdc"][:20])
    assert not np.array_equal(first["rbdc"], other["rbdc"])


@pytest.mark.parametrize("weights", [np.ones((2, 4)), np.ones(5), -np.ones((1, 5))], ids=["clips", "shape", "sign"])
def test_weights_that_do_not_fit_are_refused(weights: np.ndarray) -> None:
    report, statistics, _ = pair("standard", MIXED, seed=5)
    with pytest.raises(UsageError) as caught:
        values(report, statistics, weights)
    assert caught.value.code == "U266"


def test_statistics_of_another_report_are_refused() -> None:
    report, statistics, _ = pair("standard", MIXED, seed=5)
    for name, change in {
        "fingerprint of predictions": {"fingerprint": "0" * 64},
        "signature": {"signature": report.signature.replace("standard", "aed-2021")},
        "clips": {"clip_ids": ("00", "01", "02", "03", "99")},
    }.items():
        with pytest.raises(UsageError) as caught:
            values(report, replace(statistics, **change), np.ones((1, 5)))
        assert (caught.value.code, caught.value.where) == ("U265", (name,))
