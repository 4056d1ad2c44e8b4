"""Means over frames: no made frames are called impossible, and what is called so has a proof."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from leaderboard.audit import readings
from leaderboard.audit.checks import check_row
from leaderboard.audit.findings import Verdict
from leaderboard.audit.frame_bounds import mask_frame_bounds, soft_frame_bounds
from leaderboard.audit.frame_masks import METRICS, FrameBound, FrameMixture, find_frames, greatest_sum, sum_text
from leaderboard.audit.printed import SLACK, Span, printed_spans
from leaderboard.audit.truth_facts import PixelFacts, TruthFacts, read_facts
from vadbench.metrics import pixel_f1_at, pixel_metrics, pixel_pr_auc, scale_by_frame_maximum

Values = dict[str, float]


def made_frames(random: np.random.Generator, n: int) -> NDArray[np.bool_]:
    """Truth of some frames, each with an anomalous and a normal pixel at least."""
    truth = random.random((n, 6, 9)) < random.choice([0.02, 0.1, 0.4], (n, 1, 1))
    truth[:, 0, 0], truth[:, -1, -1] = True, False
    return np.asarray(truth)


def of_frame(truth: NDArray[np.bool_], scores: NDArray[np.float64], cut: float | None) -> Values:
    """The four numbers of one frame; F1 is the best, or at a cut."""
    values = pixel_metrics(truth[None], scores[None])
    f1 = values.f1.value if cut is None else pixel_f1_at(truth, scores, cut)
    numbers = (values.auroc, values.average_precision, pixel_pr_auc(truth, scores), f1)
    return dict(zip(METRICS, map(float, numbers), strict=True))


def mean_of(frames: list[Values]) -> Values:
    return {key: float(np.mean([frame[key] for frame in frames])) for key in METRICS}


def released(truth: NDArray[np.bool_], maps: NDArray[np.float64]) -> Values:
    """Mean over frames as `tao-release` defines it: scaled by each frame's maximum, a map of zeros counting 0."""
    scaled = scale_by_frame_maximum(maps)
    silent = dict.fromkeys(METRICS, 0.0)
    return mean_of(
        [of_frame(own, scores, 0.5) if scores.any() else silent for own, scores in zip(truth, scaled, strict=True)]
    )


def facts_of(truth: NDArray[np.bool_]) -> TruthFacts:
    sizes = truth.reshape(len(truth), -1).sum(1)
    return TruthFacts("made", "", PixelFacts(truth.size, int(truth.sum()), truth[0].size, sizes, sizes), None)


def printed(values: Values) -> dict[str, str]:
    return {key: f"{100 * value:.2f}" for key, value in values.items()}


def test_no_masks_of_frames_are_called_impossible() -> None:
    random = np.random.default_rng(1)
    searched = 0
    for _ in range(24):
        truth = made_frames(random, int(random.integers(1, 7)))
        noise = random.random(truth.shape)
        found, false = random.random((2, len(truth), 1, 1))
        masks = np.where(truth, noise < found, noise < false**4).astype(np.float64)
        masks[random.random(len(truth)) < 0.3] = 0
        values = released(truth, masks)
        check = check_row(readings.TAO_RELEASE_MASKS, printed(values), facts_of(truth))
        assert check.verdict is Verdict.CONSISTENT, (values, check)
        searched += "recall" in check.remark
        spans = {key: Span(value, value) for key, value in values.items()}
        prevalences = truth.mean((1, 2))
        assert not isinstance(find_frames(spans, prevalences), FrameBound)
        for bound in mask_frame_bounds(spans, prevalences):
            assert bound.reachable.distance(spans[bound.target]) <= SLACK, bound
    assert searched > 12


def test_no_soft_maps_of_frames_are_called_impossible() -> None:
    random = np.random.default_rng(2)
    for _ in range(80):
        truth = made_frames(random, int(random.integers(1, 4)))
        levels = float(random.choice([1, 3, 1000]))
        lift = random.choice([-1, 0, 0.5, 2], (len(truth), 1, 1))
        maps = np.floor((lift * truth + random.random(truth.shape)) * levels) / levels
        maps[random.random(len(truth)) < 0.2] = 0
        facts, prevalences = facts_of(truth), truth.mean((1, 2))
        of_release = released(truth, maps)
        assert check_row(readings.TAO_RELEASE_SOFT, printed(of_release), facts).verdict is Verdict.CONSISTENT
        best = mean_of([of_frame(own, scores, None) for own, scores in zip(truth, maps, strict=True)])
        assert check_row(readings.FRAME_MEAN_SOFT, printed(best), facts).verdict is Verdict.CONSISTENT
        for values, best_f1 in ((of_release, False), (best, True)):
            spans = {key: Span(value, value) for key, value in values.items()}
            for bound in soft_frame_bounds(spans, prevalences, best_f1=best_f1, silent=not best_f1, pr_auc=True):
                assert bound.reachable.distance(spans[bound.target]) <= SLACK, bound


def test_the_greatest_sum_is_reached_and_exceeded_by_no_frame() -> None:
    random = np.random.default_rng(3)
    low, high = 0.002, 0.05
    p, recall = random.uniform(low, high, 200_000), random.random(200_000) ** random.choice([0.3, 1, 4], 200_000)
    rate = random.random(200_000) ** random.choice([1, 4, 12], 200_000)
    rate[:20_000], recall[20_000:30_000] = 0, 1
    precision = recall / (recall + rate * (1 - p) / p)
    numbers = np.stack(
        [
            (1 + recall - rate) / 2,
            recall * precision + (1 - recall) * p,
            (recall + precision + p * (1 - recall)) / 2,
            2 * recall * precision / (recall + precision),
        ]
    )
    for _ in range(25):
        weights = np.round(random.normal(size=4) * (random.random(4) < 0.8), 2)
        of_prevalence = float(np.round(random.normal(), 2))
        sums = weights @ numbers + of_prevalence * p
        limit = greatest_sum(weights, of_prevalence, low, high, enough=-np.inf)
        assert max(sums.max(), (of_prevalence * np.array([low, high])).max()) <= limit + SLACK
        assert limit <= max(sums.max(), (of_prevalence * np.array([low, high])).max()) + 0.03


def test_a_proof_of_impossible_frames_names_a_sum_that_the_row_exceeds() -> None:
    prevalences = pixel_facts().frame_prevalences
    cells = dict(zip(METRICS, ("53.06", "4.97", "50.66", "11.19"), strict=True))
    found = find_frames(printed_spans(cells), prevalences)
    assert isinstance(found, FrameBound)
    assert 0.0005 < found.error < 0.0025
    of_row = sum(weight * float(cells[key]) for weight, key in zip(found.weights, METRICS, strict=True))
    assert of_row > 100 * found.limit
    names = dict(zip(METRICS, ("AUROC", "AP", "PR-AUC", "F1"), strict=True))
    # No metric stands in the sum with a weight that says nothing.
    assert sum_text(found, names) == "−AP + 0.263·PR-AUC + 0.465·F1 ≤ 13.27"
    robust = find_frames(printed_spans(cells), prevalences, tolerance=0.1)
    assert isinstance(robust, FrameBound)
    assert 0 < robust.error <= found.error


def test_a_tolerance_holds_for_frames_of_every_size_within_it() -> None:
    random = np.random.default_rng(4)
    for _ in range(12):
        truth = made_frames(random, int(random.integers(1, 5)))
        masks = np.where(truth, random.random(truth.shape) < 0.6, random.random(truth.shape) < 0.1).astype(np.float64)
        spans = {key: Span(value, value) for key, value in released(truth, masks).items()}
        given = truth.mean((1, 2)) / random.uniform(0.9, 1.1)
        assert not isinstance(find_frames(spans, given, tolerance=0.12), FrameBound)
        bounds = mask_frame_bounds(spans, given, tolerance=0.12)
        bounds += soft_frame_bounds(spans, given, best_f1=False, silent=True, pr_auc=True, tolerance=0.12)
        for bound in bounds:
            assert bound.reachable.distance(spans[bound.target]) <= SLACK, bound


def test_bounds_of_means_over_frames_have_their_constants() -> None:
    spans = {key: Span(value, value) for key, value in zip(METRICS, (0.5, 0.3, 0.3, 0.5), strict=True)}
    prevalences = np.array([0.1, 0.2])
    soft = soft_frame_bounds(spans, prevalences, best_f1=True, silent=False, pr_auc=True)
    assert [bound.theorem for bound in soft] == [1, 10, 11, 6, 8]
    ends = [end for bound in soft for end in (bound.reachable.low, bound.reachable.high)]
    assert ends == pytest.approx([17 / 66, 1, 0, 0.63925, 11 / 72, 1, 0, 0.65, 0.15, 0.65])
    masks = mask_frame_bounds(spans, prevalences)
    assert [(bound.theorem, bound.target) for bound in masks] == [(14, "pixel_ap"), (14, "pixel_aupro")]
    ends = [end for bound in masks for end in (bound.reachable.low, bound.reachable.high)]
    assert ends == pytest.approx([0.25, 0.65, 0.5, 0.825])


@pytest.mark.parametrize(
    ("cells", "silent"),
    [(("41.72", "25.30", "40.55", "32.99"), 0.44), (("75.11", "50.78", "72.97", "64.12"), 0.05)],
)
def test_frames_with_the_numbers_are_found(cells: tuple[str, ...], silent: float) -> None:
    found = find_frames(printed_spans(dict(zip(METRICS, cells, strict=True))), pixel_facts().frame_prevalences)
    assert isinstance(found, FrameMixture)
    assert found.silent == pytest.approx(silent, abs=0.01)


def pixel_facts() -> PixelFacts:
    facts = read_facts("ucsd-ped2").pixels
    assert facts is not None
    return facts
