"""Statistics beside a report: the counts of arrays, the values of the report, the same bytes whoever does the work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_sets import KINDS, SHAPE, dataset, predictions, random_maps, truth_masks

from vadbench import Detections, MemoryDataset, Prediction, Protocol, Track, Truth, evaluate
from vadbench.errors import DataError
from vadbench.evaluation.evaluate import evaluation_of
from vadbench.evaluation.processes import ProcessWorkers
from vadbench.evaluation.report_statistics import ReportStatistics
from vadbench.evaluation.score_levels import MOST_LEVELS, object_places, pixel_levels
from vadbench.evaluation.statistics_clip import rounded_coverage, track_summary
from vadbench.evaluation.statistics_pass import report_statistics, statistics_of
from vadbench.evaluation.statistics_reader import read_statistics_text
from vadbench.evaluation.statistics_values import statistics_values
from vadbench.metrics.objects import Ties, detection_rates
from vadbench.metrics.operating_points import operating_points
from vadbench.statistics.objects import laid_in_line

PROTOCOLS = [
    "standard",
    "tao-release",
    "aed-2021",
    "standard+pixel.pooling=clip-mean",
    "standard+pixel.frames=anomalous+pixel.map_scaling=frame-maximum",
    "standard+pixel.f1=at(0.5)+pixel.aupro=pr-trapezoid",
    "standard+pixel.map_scaling=frame-maximum+pixel.f1=at(0.25)",
    "standard+pixel.pooling=frame-mean+pixel.f1=best",
    "aed-2021+frame.clip_scaling=min-max+object.track_fraction=0.5",
    "standard+instances.scores=one+object.track_boxes=one-larger",
]

DTYPES = ["bool", "uint8", "int8", "uint16", "float16", "int32", "float32", "int64", "float64"]


def written_and_read(statistics: ReportStatistics) -> ReportStatistics:
    """What is read is what was written, to the byte; the reader checks how it fits together."""
    text = statistics.to_json()
    read = read_statistics_text(text.encode())
    assert read.to_json() == text
    return read


def only(statistics: ReportStatistics, clip: int) -> ReportStatistics:
    """The statistics of one clip."""
    at = slice(clip, clip + 1)

    def cut(part: Any) -> Any:
        if part is None or isinstance(part, np.ndarray):
            return None if part is None else part[at]
        own = {name: getattr(part, name) for name in part.__dataclass_fields__}
        rows = {name: value[at] if name != "levels" else value for name, value in own.items() if name != "levels"}
        return replace(part, **rows)

    means = statistics.frame_means
    return replace(
        statistics,
        pixels=cut(statistics.pixels),
        objects=cut(statistics.objects),
        frame_ranks=cut(statistics.frame_ranks),
        declared=cut(statistics.declared),
        fixed=cut(statistics.fixed),
        frame_means=means
        and replace(
            means,
            sums={key: own[at] for key, own in means.sums.items()},
            counts={key: own[at] for key, own in means.counts.items()},
        ),
    )


def check_agreement(data: MemoryDataset, given_predictions: dict[str, Prediction], protocol: str, **more: Any) -> None:
    """With few distinct scores nothing is lost, in the whole set and in every clip."""
    evaluation = evaluation_of(given_predictions, data, protocol, **more)
    statistics = written_and_read(statistics_of(evaluation))
    report = evaluation.report
    wanted = {key: score.value for key, score in report.scores.items() if score.value is not None}
    values = statistics_values(report, statistics)
    assert values.keys() == wanted.keys()
    for key, value in values.items():
        # Coverage is written in ten-thousandths of a component, and AUPRO divided by its limit.
        bound = 1e-3 if key == "pixel_aupro" else 1e-9
        assert abs(value - wanted[key]) < bound, key
        assert statistics.effect is not None
        assert abs(statistics.effect[key] - (value - wanted[key])) < 2e-9
    for clip, row in enumerate(report.clips):
        own = statistics_values(report, only(statistics, clip))
        averaged = Protocol.parse(protocol).pixel.pooling.value == "clip-mean"
        for key, score in row.scores.items():
            # Steps of all clips are no steps of one; means over clips are taken from the rows themselves.
            sequential = key in {"rbdc", "tbdc"} and Protocol.parse(protocol).object.ties is Ties.SEQUENTIAL
            if key == "frame_auroc_macro" or sequential or (averaged and key.startswith("pixel")):
                continue
            if score.value is None:
                assert key not in own
            else:
                assert abs(own[key] - score.value) < (1e-3 if key == "pixel_aupro" else 1e-9), (row.id, key)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_values_of_all_kinds_and_protocols_are_those_of_the_report(kind: str, protocol: str) -> None:
    check_agreement(dataset(), predictions(kind), protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_components_of_score_maps_and_a_declared_threshold(protocol: str) -> None:
    check_agreement(dataset(), predictions("score_maps"), protocol, threshold=150.5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("clips", [1, 3])
def test_all_dtypes(dtype: str, clips: int) -> None:
    maps = {f"{k:02d}": Prediction(score_maps=(random_maps(k, "int16") // 2 - 20).astype(dtype)) for k in range(clips)}
    for protocol in PROTOCOLS[::3]:
        check_agreement(dataset(clips), maps, protocol, threshold=0.5)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32), n_scores=st.integers(1, 40), protocol=st.sampled_from(PROTOCOLS), masked=st.booleans()
)
def test_random_sets_agree(seed: int, n_scores: int, protocol: str, masked: bool) -> None:
    rng = np.random.default_rng(seed)
    scores = np.concatenate([[0], rng.normal(size=n_scores)]).astype(rng.choice(["float16", "float32", "float64"]))
    truth, given_predictions = {}, {}
    for clip in "abc":
        shape = (int(rng.integers(1, 6)), 5, 7)
        masks = rng.random(shape) < rng.choice([0.0, 0.1, 0.7])
        labels = rng.random(shape[0]) < 0.5
        # A clip without masks: pixel and object metrics leave it out.
        unmasked = clip == "b" and not masked
        truth[clip] = Truth.from_arrays(None if unmasked else masks, labels=labels, shape=shape)
        n = int(rng.integers(0, 12))
        corner = rng.integers(0, 4, (n, 2))
        given_predictions[clip] = Prediction(
            score_maps=rng.choice(scores, shape),
            detections=Detections(
                np.sort(rng.integers(0, shape[0], n)), np.hstack([corner, corner + 1]), rng.choice(scores, n)
            ),
        )
    check_agreement(MemoryDataset(truth), given_predictions, protocol, threshold=0.25)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_counts_are_those_of_the_arrays(dtype: str) -> None:
    rng = np.random.default_rng(1)
    maps = {f"{k:02d}": rng.integers(0, 60_000, (20, 30, 40)).astype(dtype) for k in range(3)}
    masks = {clip: rng.random(own.shape) < 0.2 for clip, own in maps.items()}
    data = MemoryDataset({clip: Truth.from_arrays(own) for clip, own in masks.items()})
    given_predictions = {clip: Prediction(score_maps=own) for clip, own in maps.items()}
    evaluation = evaluation_of(given_predictions, data, metrics=["pixel_auroc", "pixel_aupro", "pixel_ap", "pixel_f1"])
    statistics = written_and_read(statistics_of(evaluation))
    pixels, flagged = statistics.pixels, statistics.flagged
    assert pixels is not None
    assert flagged is not None
    assert pixels.levels.size == MOST_LEVELS
    assert (pixels.levels == flagged.threshold).any()
    for clip, clip_id in enumerate(maps):
        for counts, chosen in ((pixels.positives, masks[clip_id]), (pixels.negatives, ~masks[clip_id])):
            reached = [(maps[clip_id][chosen] >= level).sum() for level in pixels.levels]
            assert np.cumsum(counts[clip])[:-1].tolist() == reached
            assert counts[clip].sum() == chosen.sum()
        hit = maps[clip_id] >= flagged.threshold
        assert flagged.true_positives[clip].tolist() == (hit & masks[clip_id]).sum(axis=(1, 2)).tolist()
        assert flagged.false_positives[clip].tolist() == (hit & ~masks[clip_id]).sum(axis=(1, 2)).tolist()
        assert flagged.n_positive[clip].tolist() == masks[clip_id].sum(axis=(1, 2)).tolist()
    # Thousands of distinct scores on 512 levels.
    assert 0 < max(map(abs, (statistics.effect or {}).values())) < 0.001


def test_flagged_frames_are_all_frames_on_scaled_scores() -> None:
    protocol = "tao-release"
    evaluation = evaluation_of(predictions("score_maps"), dataset(), protocol)
    flagged = statistics_of(evaluation).flagged
    assert flagged is not None
    assert (flagged.threshold, flagged.inclusive) == (0.5, False)
    for clip in range(3):
        maps = random_maps(clip).astype(np.float32)
        hit = maps / maps.max(axis=(1, 2), keepdims=True) > 0.5
        assert flagged.true_positives[clip].tolist() == (hit & truth_masks(clip)).sum(axis=(1, 2)).tolist()
        assert flagged.false_positives[clip].tolist() == (hit & ~truth_masks(clip)).sum(axis=(1, 2)).tolist()


def scene(seed: int, n: int = 3_000) -> tuple[MemoryDataset, dict[str, Prediction]]:
    """Two clips with many detections around two tracks."""
    rng = np.random.default_rng(seed)
    truth, found = {}, {}
    for clip in ("a", "b"):
        frames = np.arange(10, 190)
        tracks = [
            Track(name, frames, np.stack([frames / 4 + x, x + 0 * frames, frames / 4 + x + 20, x + 30 + 0 * frames], 1))
            for name, x in (("p", 10), ("q", 60))
        ]
        truth[clip] = Truth.from_arrays(shape=(200, 120, 160), labels=np.ones(200), tracks=tracks)
        corner = np.stack([rng.integers(0, 130, n), rng.integers(0, 90, n)], axis=1)
        boxes = np.hstack([corner, corner + rng.integers(5, 30, (n, 2))])
        found[clip] = Prediction(
            detections=Detections(np.sort(rng.integers(0, 200, n)), boxes, rng.random(n).astype(np.float32))
        )
    return MemoryDataset(truth), found


@pytest.mark.parametrize("protocol", ["standard", "aed-2021", "standard+object.fpr_limit=0.1"])
def test_object_curves_on_512_levels(protocol: str) -> None:
    data, found = scene(2)
    evaluation = evaluation_of(found, data, protocol, ["rbdc", "tbdc"])
    statistics = written_and_read(statistics_of(evaluation))
    assert statistics.objects is not None
    assert statistics.objects.levels.size <= MOST_LEVELS
    assert max(map(abs, (statistics.effect or {}).values())) < 0.0005


def test_tracks_and_false_positives_are_told_one_by_one() -> None:
    data, found = scene(3, n=300)
    evaluation = evaluation_of(found, data, metrics=["rbdc", "tbdc"])
    statistics = statistics_of(evaluation)
    assert [(own.clip, own.track) for own in statistics.tracks] == [(clip, name) for clip in "ab" for name in "pq"]
    for track in statistics.tracks:
        assert (track.first_frame, track.last_frame, track.regions) == (10, 189, 180)
        assert (track.height, track.width, track.speed) == (30.0, 20.0, 0.25)
    joined = laid_in_line([own.objects for own in evaluation.clips])  # type: ignore[misc]
    rates = detection_rates(joined, track_fraction=0.1, ties=Ties.GROUPED)
    inside = rates.region_rate[np.searchsorted(rates.fpr, 1.0, side="right") - 1]
    assert sum(own.found_regions for own in statistics.tracks) == round(inside * 4 * 180)
    for at in sorted(own.found_at for own in statistics.tracks if own.found_at is not None):
        assert (np.abs(rates.fpr - at) < 1e-6).any()
    for clip in "ab":
        own = [false for false in statistics.false_positives if false.clip == clip]
        assert len(own) == 5
        assert [false.score for false in own] == sorted((false.score for false in own), reverse=True)
        given_detections = found[clip].detections
        assert given_detections is not None
        for false in own:
            row = int(np.flatnonzero(given_detections.scores == np.float32(false.score))[0])
            assert given_detections.frames[row] == false.frame
            assert tuple(given_detections.boxes[row]) == false.box


def test_size_and_speed_of_a_track_with_a_gap() -> None:
    track = Track("x", [3, 4, 8], [[0, 0, 4, 6], [2, 0, 6, 6], [10, 0, 14, 10]])
    summary = track_summary("01", track)
    # From frame 4 to 8 the centre moves by (8, 2), which is 2.06 pixels a frame.
    assert (summary.height, summary.width, summary.speed) == (6.0, 4.0, round((2 + np.hypot(8, 2) / 4) / 2, 3))
    assert track_summary("01", Track("y", [0], [[0, 0, 1, 1]])).speed == 0.0


def test_the_same_bytes_whoever_does_the_work() -> None:
    given_predictions, data = predictions("score_maps", "detections"), dataset()
    report = evaluate(given_predictions, data, threshold=120.0)
    alone = report_statistics(given_predictions, data, report, threshold=120.0).to_json()
    with ThreadPoolExecutor(2) as threads:
        assert report_statistics(given_predictions, data, report, threshold=120.0, executor=threads).to_json() == alone
    with ProcessWorkers(2) as workers:
        assert report_statistics(given_predictions, data, report, threshold=120.0, executor=workers).to_json() == alone


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_progress_counts_every_round(dtype: str) -> None:
    maps = {f"{k:02d}": Prediction(score_maps=random_maps(k, dtype)) for k in range(3)}
    report = evaluate(maps, dataset())
    told: list[tuple[int, int]] = []
    report_statistics(maps, dataset(), report, progress=lambda done, total, _: told.append((done, total)))
    rounds = 2 if dtype == "uint8" else 3
    assert told == [(done, 3 * rounds) for done in range(1, 3 * rounds + 1)]


def test_the_report_must_be_of_these_predictions() -> None:
    report = evaluate(predictions("score_maps"), dataset())
    with pytest.raises(DataError) as raised:
        report_statistics({f"{k:02d}": Prediction(score_maps=random_maps(9)) for k in range(3)}, dataset(), report)
    assert (raised.value.code, raised.value.where) == ("D374", ("fingerprint",))
    other = report.model_copy(update={"scores": {**report.scores, "rbdc": report.scores["pixel_ap"]}})
    with pytest.raises(DataError) as raised:
        report_statistics(predictions("score_maps"), dataset(), other)
    assert (raised.value.code, raised.value.where) == ("D374", ("scores",))


def test_nothing_to_count_is_nothing_told() -> None:
    data = MemoryDataset({"a": Truth.from_arrays(np.zeros(SHAPE, dtype=bool))})
    evaluation = evaluation_of({"a": Prediction(score_maps=random_maps(0))}, data, threshold=1.0)
    statistics = written_and_read(statistics_of(evaluation))
    assert (statistics.pixels, statistics.objects, statistics.flagged, statistics.effect) == (None, None, None, {})
    assert statistics.frame_ranks is not None


def test_fewer_levels_cost_more_and_keep_the_best_threshold() -> None:
    rng = np.random.default_rng(4)
    maps = rng.normal(size=(20, 30, 40)).astype(np.float32)
    masks = rng.random(maps.shape) < 0.3
    maps[masks] += 1
    data = MemoryDataset({"a": Truth.from_arrays(masks)})
    evaluation = evaluation_of({"a": Prediction(score_maps=maps)}, data)
    points = operating_points([evaluation.clips[0].pixels])  # type: ignore[list-item]
    best = evaluation.report.scores["pixel_f1"].threshold
    for most in (1, 2, 20, 300):
        levels = pixel_levels(points, 0.3, most)
        assert levels.values.size == most
        assert (np.diff(levels.values) < 0).all()
        assert best in levels.values.tolist()


def test_levels_that_one_float_cannot_tell_apart() -> None:
    maps = (random_maps(0, "int64") + 2**60).reshape(1, *SHAPE)[0]
    data = MemoryDataset({"a": Truth.from_arrays(truth_masks(0))})
    evaluation = evaluation_of({"a": Prediction(score_maps=maps)}, data)
    statistics = written_and_read(statistics_of(evaluation))
    assert statistics.pixels is not None
    assert (np.diff(statistics.pixels.levels) < 0).all()
    assert statistics.pixels.positives.sum() == truth_masks(0).sum()


def test_object_places_end_with_the_last_step() -> None:
    data, found = scene(5, n=50)
    evaluation = evaluation_of(found, data, metrics=["rbdc", "tbdc"])
    joined = laid_in_line([own.objects for own in evaluation.clips])  # type: ignore[misc]
    rates = detection_rates(joined, track_fraction=0.1, ties=Ties.GROUPED)
    for most in (1, 2, 10):
        places = object_places(rates, 1.0, most)
        assert places.size == most
        assert places[-1] == rates.thresholds.size


def test_coverage_adds_up_to_the_components() -> None:
    shares = np.array([0.0, 1 / 3, 0.0, 1 / 3, 1 / 3 - 1e-12, 0.0])
    rounded = rounded_coverage(shares, 1)
    assert np.rint(rounded * 10_000).astype(int).tolist() == [0, 3333, 0, 3334, 3333, 0]
    assert rounded_coverage(np.zeros(3), 0).tolist() == [0, 0, 0]
