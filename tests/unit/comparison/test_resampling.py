"""Resamples: how often each clip stands in each, and which data sets have scenes."""

from __future__ import annotations

import numpy as np
import pytest

from vadbench import ProtocolError, UsageError
from vadbench.comparison import Unit, resampled_weights, scenes_of, why_not_resampled

CLIPS = tuple(f"{k:02d}" for k in range(12))
SHANGHAITECH = ("01_0014", "01_0015", "01_0016", "02_0128", "12_0142", "12_0143")


def test_every_resample_has_as_many_clips_as_the_data_set() -> None:
    weights = resampled_weights("ucsd-ped2", CLIPS, resamples=200)
    assert weights.shape == (200, 12)
    assert (weights.sum(axis=1) == 12).all()
    assert (weights == np.rint(weights)).all()


def test_the_first_resample_of_twelve_clips_never_changes() -> None:
    """Kept tables depend on it, so that another generator or another version of NumPy must not move it."""
    weights = resampled_weights("ucsd-ped2", CLIPS, resamples=2, seed=0)
    assert weights.astype(int).tolist() == FIRST


FIRST = [[1, 1, 2, 1, 0, 2, 0, 1, 1, 1, 1, 1], [1, 1, 1, 0, 1, 1, 2, 1, 0, 3, 1, 0]]


def test_clips_are_drawn_evenly_and_independently() -> None:
    weights = resampled_weights("ucsd-ped2", CLIPS, resamples=20_000)
    assert weights.mean(axis=0) == pytest.approx(1, abs=0.05)
    # Of a multinomial with equal chances: variance 11/12, covariance −1/12.
    expected = np.full((12, 12), -1 / 12) + np.eye(12)
    assert np.cov(weights.T) == pytest.approx(expected, abs=0.05)


def test_resamples_follow_from_number_seed_and_unit_alone() -> None:
    first = resampled_weights("ucsd-ped2", CLIPS, resamples=50, seed=1)
    other_set = resampled_weights("avenue", [f"x{k}" for k in range(12)], resamples=80, seed=1)
    assert np.array_equal(first, other_set[:50])
    assert not np.array_equal(first, resampled_weights("ucsd-ped2", CLIPS, resamples=50, seed=2))
    assert resampled_weights("ucsd-ped2", CLIPS[:11], resamples=50, seed=1).shape == (50, 11)


def test_scenes_come_with_all_their_clips() -> None:
    weights = resampled_weights("shanghaitech", SHANGHAITECH, resamples=300, unit=Unit.SCENES)
    assert (weights[:, :3] == weights[:, :1]).all()
    assert (weights[:, 4] == weights[:, 5]).all()
    assert (weights[:, [0, 3, 4]].sum(axis=1) == 3).all()
    assert len(set(weights.sum(axis=1))) > 1


def test_clips_and_scenes_are_drawn_apart() -> None:
    clips = tuple(f"{k:02d}_0001" for k in range(12))
    by_clips, by_scenes = (resampled_weights("shanghaitech", clips, resamples=20, unit=unit) for unit in Unit)
    assert not np.array_equal(by_clips, by_scenes)


def test_only_shanghaitech_has_scenes() -> None:
    assert scenes_of("shanghaitech", SHANGHAITECH) == ("01", "01", "01", "02", "12", "12")
    assert set(scenes_of("avenue", CLIPS)) == {"avenue"}
    assert why_not_resampled("shanghaitech", SHANGHAITECH, Unit.SCENES) is None
    assert "one camera" in str(why_not_resampled("ucsd-ped2", CLIPS, Unit.SCENES))
    assert "one camera" in str(why_not_resampled("shanghaitech", SHANGHAITECH[:3], Unit.SCENES))


@pytest.mark.parametrize("dataset", ["synthetic", "memory", "my-set"])
def test_of_other_data_sets_the_scenes_are_not_known(dataset: str) -> None:
    reason = str(why_not_resampled(dataset, CLIPS, Unit.SCENES))
    assert reason == f"the scenes of {dataset} are not known here"
    for known in ("ucsd-ped1", "ucsd-ped2", "avenue"):
        assert "one camera" in str(why_not_resampled(known, CLIPS, Unit.SCENES))


@pytest.mark.parametrize(
    ("dataset", "clips", "unit"),
    [("ucsd-ped2", CLIPS, Unit.SCENES), ("ucsd-ped2", CLIPS[:1], Unit.CLIPS)],
    ids=["one camera", "one clip"],
)
def test_what_cannot_be_resampled_is_refused(dataset: str, clips: tuple[str, ...], unit: Unit) -> None:
    with pytest.raises(UsageError) as caught:
        resampled_weights(dataset, clips, unit=unit)
    assert caught.value.code == "U263"


@pytest.mark.parametrize("wrong", [{"resamples": 0}, {"resamples": 10**6}, {"seed": -1}, {"seed": 2**63}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError) as caught:
        resampled_weights("ucsd-ped2", CLIPS, **wrong)
    assert (caught.value.code, next(iter(wrong)) in caught.value.message) == ("U260", True)


def test_an_unknown_unit_is_named() -> None:
    with pytest.raises(ProtocolError, match="scenes"):
        Unit("scene")
