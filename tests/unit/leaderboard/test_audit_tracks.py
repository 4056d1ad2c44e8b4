"""RBDC and TBDC of made detections keep to the bound by the tracks' sizes; the counts on file are those of the data."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from leaderboard.audit.printed import SLACK, Span
from leaderboard.audit.track_bounds import greatest_rbdc, least_rbdc, regions_needed, track_bounds
from leaderboard.audit.truth_facts import read_facts
from vadbench import Detections, Track, open_dataset
from vadbench.masks import label_components
from vadbench.metrics import rbdc, tbdc

DATA = Path(__file__).parents[4] / "shared" / "data"
PED2 = DATA / "UCSD_Anomaly_Dataset.v1p2" / "UCSDped2"


def box(lane: int) -> list[int]:
    return [20 * lane, 0, 20 * lane + 10, 10]


def made_scene(random: np.random.Generator) -> tuple[list[Track], Detections, int]:
    """Tracks in lanes of their own, and detections of some of their regions, with others where nothing is."""
    frames = int(random.integers(1, 40))
    tracks, rows = [], []
    for lane in range(int(random.integers(1, 6))):
        own = np.flatnonzero(random.random(frames) < random.choice([0.2, 1]))
        own = own if own.size else np.array([0])
        tracks.append(Track(str(lane), own, np.array([box(lane)] * own.size)))
        found = random.random(own.size) < random.choice([0, 0.05, 0.12, 0.5, 1])
        rows += [(int(frame), *box(lane), int(random.integers(4))) for frame in own[found]]
    rows += [
        (int(random.integers(frames)), *box(90), int(random.integers(4))) for _ in range(int(random.integers(0, 40)))
    ]
    rows.sort()
    table = np.array(rows, dtype=np.int64).reshape(-1, 6)
    return tracks, Detections(table[:, 0], table[:, 1:5], table[:, 5]), frames


@pytest.mark.parametrize("ties", ["grouped", "sequential"])
def test_no_detections_break_the_bound(ties: str) -> None:
    random = np.random.default_rng(1)
    spread = []
    for _ in range(250):
        tracks, detections, frames = made_scene(random)
        sizes = np.array([track.frames.size for track in tracks])
        regions = rbdc(detections, tracks, frames=frames, ties=ties).area
        found = tbdc(detections, tracks, frames=frames, ties=ties).area
        spans = {"rbdc": Span(regions, regions), "tbdc": Span(found, found)}
        (bound,) = track_bounds(spans, sizes)
        assert bound.reachable.distance(spans["rbdc"]) <= SLACK, (bound, regions)
        spread.append((regions - bound.reachable.low, bound.reachable.high - regions))
    # Both ends are met: the bound is no wider than it has to be.
    assert np.min(spread, axis=0) == pytest.approx([0, 0], abs=1e-9)


def test_a_track_of_ten_adds_nothing_before_it_is_found() -> None:
    sizes = np.array([10, 11, 30])
    assert regions_needed(sizes).tolist() == [1, 2, 3]
    assert greatest_rbdc(0, sizes) == pytest.approx((0 + 1 + 2) / 51)
    assert greatest_rbdc(1 / 3, sizes) == pytest.approx((30 + 0 + 1) / 51)
    assert least_rbdc(1 / 3, sizes) == pytest.approx(1 / 51)
    assert least_rbdc(1, sizes) == pytest.approx(6 / 51)
    assert greatest_rbdc(1, sizes) == 1


def test_the_ten_percent_rule_alone_gives_a_wider_bound_for_ucsd_ped2() -> None:
    facts = read_facts("ucsd-ped2").tracks
    assert facts is not None
    sharp = greatest_rbdc(0.27755, facts.sizes)
    assert sharp == pytest.approx(0.4389, abs=1e-4)
    # With a tenth of every other track instead of the whole regions below it: 44.3.
    gains = np.sort(0.9 * facts.sizes)[::-1]
    along = np.concatenate([[0], np.cumsum(gains)]) + 0.1 * facts.sizes.sum()
    wider = float(np.interp(0.2775 * facts.sizes.size, np.arange(len(along)), along)) / facts.sizes.sum()
    assert wider == pytest.approx(0.443, abs=5e-4)


@pytest.mark.skipif(not PED2.is_dir(), reason="the data of UCSD Ped2 are not here")
def test_counts_of_ucsd_ped2_are_those_of_the_masks() -> None:
    dataset, facts = open_dataset("ucsd-ped2", root=PED2), read_facts("ucsd-ped2")
    assert facts.pixels is not None
    assert facts.tracks is not None
    frames: list[int] = []
    components: list[NDArray[np.int64]] = []
    tracks: list[int] = []
    pixels = 0
    for clip in dataset.clips:
        truth = dataset.truth(clip.id)
        masks = truth.masks()
        pixels += masks.size
        frames += [int(mask.sum()) for mask in masks if mask.any()]
        components += [np.bincount(label_components(mask)[0].ravel())[1:] for mask in masks if mask.any()]
        tracks += [track.frames.size for track in truth.tracks() or ()]
    assert facts.pixels.pixels == pixels
    assert facts.pixels.anomalous_pixels == sum(frames) == 1_979_425
    assert facts.pixels.frame_sizes.tolist() == sorted(frames)
    assert facts.pixels.component_sizes.tolist() == sorted(np.concatenate(components).tolist())
    assert facts.tracks.sizes.tolist() == tracks
    assert (len(tracks), sum(tracks)) == (21, 2411)


@pytest.mark.skipif(not (DATA / "tracks").is_dir(), reason="the tracks of ShanghaiTech are not here")
def test_counts_of_shanghaitech_are_those_of_the_track_files() -> None:
    facts = read_facts("shanghaitech").tracks
    assert facts is not None
    sizes: list[int] = []
    for path in sorted((DATA / "tracks" / "shanghaitech").glob("*.txt")):
        sizes += Counter(line.split(",")[0] for line in path.read_text().splitlines() if line.strip()).values()
    assert facts.sizes.tolist() == sorted(sizes)
    assert read_facts("shanghaitech").pixels is None
