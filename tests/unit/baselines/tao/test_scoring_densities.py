"""Densities, calibration and leave-one-clip-out, against scikit-learn and literal loops."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.mixture import GaussianMixture

from baselines.tao.scoring import training_boxes
from baselines.tao.scoring.calibration import Calibration, left_out_scores
from baselines.tao.scoring.densities import (
    DensityKind,
    MixtureDensity,
    NeighbourDensity,
    fit_density,
    load_density,
)
from baselines.tao.scoring.scorer import fit_attribute
from baselines.tao.scoring.settings import AttributeKind, ScoringSettings
from baselines.tao.scoring.training_boxes import MIXTURE_BOXES, drawn_rows, most_boxes


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def features(rng):
    return np.concatenate([rng.normal(0, 1, (80, 3)), rng.normal(5, [0.5, 2, 1], (60, 3))])


@pytest.mark.parametrize("components", [1, 2, 5])
def test_a_mixture_scores_as_scikit_learn_does(features, rng, components):
    theirs = GaussianMixture(components, covariance_type="full", random_state=4, reg_covar=1e-6).fit(features)
    ours = MixtureDensity.fit(features, components, seed=4)
    others = rng.normal(2, 4, (50, 3))
    np.testing.assert_allclose(ours.scores(others), -theirs.score_samples(others), rtol=1e-9)
    kept = load_density(DensityKind.GAUSSIAN_MIXTURE, ours.arrays())
    np.testing.assert_array_equal(kept.scores(others), ours.scores(others))


def test_a_gaussian_by_hand():
    density = MixtureDensity(np.ones(1), np.zeros((1, 2)), np.diag([4.0, 1.0])[None])
    # -log(1 / (2 pi sqrt(4))) and half of 2² / 4 + 3² / 1 more.
    base = np.log(4 * np.pi)
    np.testing.assert_allclose(density.scores(np.array([[0, 0], [2, 3.0]])), [base, base + 5.0])


def test_fewer_rows_than_components(features):
    density = MixtureDensity.fit(features[:3], 5, seed=0)
    assert len(density.weights) == 3
    assert np.isfinite(density.scores(features)).all()


def test_a_single_row_and_equal_rows(features):
    for rows in (features[:1], np.tile(features[:1], (30, 1))):
        density = MixtureDensity.fit(rows, 2, seed=0)
        own, other = density.scores(np.concatenate([features[:1], features[:1] + 0.1]))
        assert np.isfinite([own, other]).all()
        assert other > own + 10


@pytest.mark.parametrize("neighbours", [1, 3, 500])
def test_nearest_neighbours_by_a_literal_loop(features, rng, neighbours):
    others = np.concatenate([rng.normal(2, 4, (40, 3)), features[:5]])
    density = NeighbourDensity(features.astype(np.float32), neighbours)
    distances = cdist(others.astype(np.float32), features.astype(np.float32), "sqeuclidean")
    expected = [np.mean(sorted(row)[:neighbours]) for row in distances]
    np.testing.assert_allclose(density.scores(others), expected, rtol=1e-6, atol=1e-6)
    kept = load_density(DensityKind.NEAREST_NEIGHBOURS, density.arrays())
    np.testing.assert_array_equal(kept.scores(others), density.scores(others))


@pytest.mark.parametrize("kind", list(DensityKind))
def test_nothing_to_score(features, kind):
    density = fit_density(kind, features, components=2, neighbours=1, seed=0)
    assert density.scores(np.empty((0, 3))).shape == (0,)
    with pytest.raises(KeyError):
        load_density(kind, {})


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (DensityKind.GAUSSIAN_MIXTURE, {"weights": np.ones(3)}),
        (DensityKind.GAUSSIAN_MIXTURE, {"covariances": np.ones((2, 3))}),
        (DensityKind.GAUSSIAN_MIXTURE, {"means": np.full((2, 3), np.nan)}),
        (DensityKind.GAUSSIAN_MIXTURE, {"means": np.array([["a"]])}),
        (DensityKind.NEAREST_NEIGHBOURS, {"features": np.empty((0, 3), np.float32)}),
        (DensityKind.NEAREST_NEIGHBOURS, {"neighbours": np.array([1, 2])}),
        (DensityKind.NEAREST_NEIGHBOURS, {"neighbours": np.array(0)}),
    ],
)
def test_parts_that_do_not_fit(features, kind, change):
    arrays = fit_density(kind, features, components=2, neighbours=1, seed=0).arrays()
    assert load_density(kind, arrays)
    with pytest.raises(ValueError):  # noqa: PT011
        load_density(kind, arrays | change)


def test_calibration_takes_minimum_and_quantile_to_0_and_1():
    scores = np.linspace(3.0, 8.0, 101)
    line = Calibration.fit(scores, 0.9)
    assert (line.lower, line.upper) == (3.0, pytest.approx(7.5))
    found = line.calibrated(np.array([3.0, 7.5, 5.25, 12.0, 2.0]))
    np.testing.assert_allclose(found, [0.0, 1.0, 0.5, 2.0, -2 / 9])
    assert (np.diff(line.calibrated(np.sort(scores))) > 0).all()
    assert Calibration.fit(scores, 1.0).calibrated(scores).max() == 1.0


def test_calibration_of_constant_scores():
    line = Calibration.fit(np.full(5, 2.5), 0.999)
    np.testing.assert_array_equal(line.calibrated(np.array([2.5, 3.5])), [0.0, 1.0])


class Spied:
    """A density that says which rows it has seen; rows are numbered."""

    def __init__(self):
        self.seen = []
        self.scored = []

    def __call__(self, rows):
        seen = set(rows[:, 0].tolist())
        self.seen.append(seen)
        spy = self

        class Density:
            def scores(self, features):
                spy.scored.append((seen, set(features[:, 0].tolist())))
                return features[:, 0] * 10

            def arrays(self):
                return {}

        return Density()


def numbered(*lengths):
    ends = np.cumsum(lengths)
    return [np.arange(end - length, end, dtype=float)[:, None] for length, end in zip(lengths, ends, strict=True)]


def test_a_clip_is_never_scored_by_what_has_seen_it():
    clips, spy = numbered(3, 0, 5, 1), Spied()
    found = left_out_scores(clips, spy)
    everything = set(range(9))
    assert spy.scored == [(everything - set(c[:, 0]), set(c[:, 0])) for c in clips if len(c)]
    for scores, clip in zip(found, clips, strict=True):
        np.testing.assert_array_equal(scores, clip[:, 0] * 10)


def test_many_clips_are_left_out_in_sixteen_groups():
    clips, spy, done = numbered(*[1 + number % 3 for number in range(40)], 0), Spied(), []
    found = left_out_scores(clips, spy, lambda *fits: done.append(fits))
    assert len(spy.seen) == 16
    assert done == [(number, 16) for number in range(1, 17)]
    everything = set(np.concatenate(clips)[:, 0])
    groups = [sorted(everything - seen) for seen in spy.seen]
    # Clips that follow each other, two or three a group, each whole, each in one group.
    assert np.concatenate(groups).tolist() == sorted(everything)
    together = [[n for n, clip in enumerate(clips) if len(clip) and set(clip[:, 0]) <= set(group)] for group in groups]
    assert sorted(number for group in together for number in group) == list(range(40))
    assert {len(group) for group in together} == {2, 3}
    assert all(not seen & scored for seen, scored in spy.scored)
    for scores, clip in zip(found, clips, strict=True):
        np.testing.assert_array_equal(scores, clip[:, 0] * 10)


def test_up_to_sixteen_clips_are_left_out_alone():
    clips, spy = numbered(*[2] * 16), Spied()
    left_out_scores(clips, spy)
    assert spy.scored == [(set(range(32)) - set(clip[:, 0]), set(clip[:, 0])) for clip in clips]


def test_a_single_clip_is_cut_in_time():
    clips, spy = numbered(0, 10, 0), Spied()
    found = left_out_scores(clips, spy)
    assert [len(scores) for scores in found] == [0, 10, 0]
    np.testing.assert_array_equal(found[1], clips[1][:, 0] * 10)
    assert [scored for _, scored in spy.scored] == [{0, 1, 2}, {3, 4, 5}, {6, 7}, {8, 9}]
    assert all(seen == set(range(10)) - scored for seen, scored in spy.scored)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_hardly_any_boxes(rows):
    clips, spy = numbered(0, rows, 0), Spied()
    found = left_out_scores(clips, spy)
    assert [len(scores) for scores in found] == [0, rows, 0]
    assert all(seen for seen in spy.seen)
    if rows > 1:
        assert all(not seen & scored for seen, scored in spy.scored)


def test_drawn_rows_keep_their_order_and_clips():
    clips = numbered(30, 0, 50, 20)

    def drawn(clips, most, seed):
        rows = drawn_rows([len(clip) for clip in clips], most, seed)
        return [clip[chosen] for clip, chosen in zip(clips, rows, strict=True)]

    chosen = drawn(clips, 40, seed=3)
    assert [len(rows) <= len(clip) for rows, clip in zip(chosen, clips, strict=True)] == [True] * 4
    together = np.concatenate(chosen)[:, 0]
    assert len(together) == 40
    assert (np.diff(together) > 0).all()
    for rows, clip in zip(chosen, clips, strict=True):
        assert set(rows[:, 0]) <= set(clip[:, 0])
    np.testing.assert_array_equal(np.concatenate(drawn(clips, 40, seed=3)), np.concatenate(chosen))
    assert set(np.concatenate(drawn(clips, 40, seed=4))[:, 0]) != set(together)
    for rows, clip in zip(drawn(clips, 100, seed=3), clips, strict=True):
        np.testing.assert_array_equal(rows, clip)


def test_an_attribute_is_calibrated_on_clips_left_out(rng):
    settings = ScoringSettings(quantile=1.0)
    clips = [rng.normal(0, 1, (40, 6)) for _ in range(3)]
    fitted = fit_attribute(settings, AttributeKind.DEEP, clips)
    left_out = []
    for number, clip in enumerate(clips):
        others = np.concatenate([other for other_number, other in enumerate(clips) if other_number != number])
        left_out.append(cdist(clip, others, "sqeuclidean").min(axis=1))
    assert fitted.calibration.lower == pytest.approx(np.concatenate(left_out).min(), rel=1e-5)
    assert fitted.calibration.upper == pytest.approx(np.concatenate(left_out).max(), rel=1e-5)
    # What is fitted in the end has seen all clips.
    np.testing.assert_allclose(fitted.density.scores(np.concatenate(clips)), 0.0, atol=1e-5)


def test_training_boxes_are_compared_up_to_a_number(rng):
    clips = [rng.normal(0, 1, (40, 6)) for _ in range(3)]
    few = fit_attribute(ScoringSettings(training_boxes=25), AttributeKind.DEEP, clips)
    assert few.density.features.shape == (25, 6)
    # A mixture learns from all of them, up to another number.
    velocity = [clip[:, :1] for clip in clips]
    settings = ScoringSettings(training_boxes=25)
    assert fit_attribute(settings, AttributeKind.VELOCITY, velocity).density.means == pytest.approx(
        fit_attribute(ScoringSettings(), AttributeKind.VELOCITY, velocity).density.means
    )


def test_a_mixture_learns_from_a_number_of_boxes(rng, monkeypatch):
    settings = ScoringSettings()
    assert most_boxes(settings, AttributeKind.VELOCITY) == MIXTURE_BOXES == 200_000
    assert most_boxes(settings, AttributeKind.DEEP) == settings.training_boxes
    clips = [rng.normal(number, 1, (40, 2)) for number in range(3)]
    every = fit_attribute(settings, AttributeKind.SHAPE, clips)
    monkeypatch.setattr(training_boxes, "MIXTURE_BOXES", 120)
    assert fit_attribute(settings, AttributeKind.SHAPE, clips).density.means.tolist() == every.density.means.tolist()
    monkeypatch.setattr(training_boxes, "MIXTURE_BOXES", 50)
    few = fit_attribute(settings, AttributeKind.SHAPE, clips)
    rows = drawn_rows([40] * 3, 50, settings.seed)
    kept = np.concatenate([clip[chosen] for clip, chosen in zip(clips, rows, strict=True)])
    assert len(kept) == 50
    expected = MixtureDensity.fit(kept, settings.shape_components, settings.seed)
    assert few.density.means.tolist() == expected.means.tolist() != every.density.means.tolist()


def test_progress_of_fitting_an_attribute(rng):
    for clips, fits in ((3, 4), (1, 5), (20, 17)):
        done = []
        rows = [rng.normal(0, 1, (8, 2)) for _ in range(clips)]
        fit_attribute(ScoringSettings(), AttributeKind.SHAPE, rows, lambda *step: done.append(step))  # noqa: B023
        assert done == [*((number, fits) for number in range(1, fits)), (1, 1)]
