"""The theorems about reports hold for every report that is made, and fail for one that was changed."""

from __future__ import annotations

import numpy as np
import pytest

import vadbench
from vadbench.entries.report_consistency import contradictions, differences, missing_metrics, signature_of
from vadbench.entries.report_curves import precision_bounds
from vadbench.evaluation.report import CurvePoints, Report
from vadbench.metrics.curves import Curve
from vadbench.prediction import Detections, Prediction
from vadbench.truth import Truth

PROTOCOLS = (
    "standard",
    "tao-release",
    "aed-2021",
    "standard+pixel.pooling=clip-mean",
    "standard+pixel.pooling=frame-mean",
    "standard+object.ties=sequential+frame.clip_scaling=min-max",
    "standard+pixel.f1=at(0.5)+pixel.aupro=pr-trapezoid",
    "standard+pixel.fpr_limit=0.05+object.fpr_limit=0.25",
)


def made(protocol: str, seed: int, *, levels: int = 5, threshold: float | None = 2) -> Report:
    """Report of random maps and boxes on random truth, many scores equal; some clips and frames without anomalies."""
    from vadbench.datasets.base import MemoryDataset

    rng = np.random.default_rng(seed)
    truths, predictions = {}, {}
    for number in range(3):
        frames = int(rng.integers(4, 9))
        masks = np.zeros((frames, 12, 16), dtype=bool)
        for frame in range(frames) if number else ():
            if rng.random() < 0.6:
                y, x = rng.integers(0, 8, 2)
                masks[frame, y : y + 4, x : x + 5] = True
        truths[f"{number:02}"] = Truth.from_arrays(masks)
        n = int(rng.integers(0, 12))
        corners = rng.integers(0, 8, (n, 2))
        boxes = np.concatenate([corners, corners + 4], axis=1).astype(np.float64)
        predictions[f"{number:02}"] = Prediction(
            score_maps=rng.integers(0, levels, masks.shape).astype(np.uint8),
            detections=Detections(
                np.sort(rng.integers(0, frames, n)).astype(np.int32), boxes, rng.integers(0, 3, n).astype(np.float64)
            ),
        )
    return vadbench.evaluate(predictions, MemoryDataset(truths, id="folder"), protocol, threshold=threshold)


def found(report: Report) -> list[str]:
    signature = signature_of(report, ("r",))
    return [f"{error.code} {' '.join(error.where)}: {error.got}" for error in contradictions(report, signature, ("r",))]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_report_contradicts_itself(protocol):
    for seed in range(6):
        report = made(protocol, seed, levels=(5, 250)[seed % 2])
        assert found(report) == []
        assert found(Report.model_validate_json(report.to_json())) == []
        assert list(missing_metrics(report, threshold=True, where=())) == []


def rich(seed: int, protocol: str, metrics="all") -> tuple[Report, dict]:
    """Report of predictions of any kind on truth of any kind, and what its ``submission.toml`` would say of them."""
    from vadbench.datasets.base import MemoryDataset

    rng = np.random.default_rng(seed)
    kind = ("score_maps", "detections", "frame_scores")[seed % 3]
    threshold = 2 if kind == "score_maps" and seed % 2 else None
    truths, predictions = {}, {}
    for number in range(int(rng.integers(1, 4))):
        shape = (int(rng.integers(1, 9)), 12, 16)
        masks = np.zeros(shape, dtype=bool)
        what = rng.choice(["masks", "labels", "nothing", "empty", "full", "whole frames"])
        masks[:, 2:6, 3:9] = what == "masks"
        masks[:: 1 if what == "full" else 2] |= what in {"full", "whole frames"}
        has_masks = what not in {"labels", "nothing"}
        labels = rng.random(shape[0]) < 0.5 if what == "labels" else None
        truths[f"{number:02}"] = Truth.from_arrays(masks if has_masks else None, labels=labels, shape=shape)
        predictions[f"{number:02}"] = Prediction(
            **{
                "score_maps": {"score_maps": rng.normal(size=shape).astype(np.float32) * 3},
                "detections": {"detections": Detections(np.array([0]), np.array([[1.0, 1, 9, 9]]), np.array([1.0]))},
                "frame_scores": {"frame_scores": rng.integers(0, 3, shape[0]).astype(np.float64)},
            }[kind]
        )
    table = {
        "format": "vadbench.submission/1",
        "dataset": "folder",
        "predictions": [kind],
        "method": {"name": "x", "authors": [], "year": 2026, "code": "https://example.org/"},
        "training": {"supervision": "one-class", "data": [], "pretrained": [], "threshold_chosen_on": "none"},
    }
    if threshold is not None:
        table["score_maps"] = {"threshold": threshold}
        table["training"]["threshold_chosen_on"] = "training"
    report = vadbench.evaluate(predictions, MemoryDataset(truths, id="folder"), protocol, metrics, threshold=threshold)
    return report, table


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nor_does_one_of_some_metrics_and_of_truth_with_gaps(protocol):
    from vadbench.submission.schema import checked_metadata

    choices = [
        "all",
        ["pixel_ap"],
        ["rbdc", "pixel_f1"],
        ["pixel_aupro"],
        ["frame_auroc_macro"],
        ["pixel_auroc", "tbdc"],
    ]
    for seed in range(18):
        report, table = rich(seed, protocol, choices[seed % len(choices)])
        assert found(report) == []
        said = differences(report, checked_metadata(table, ("t",)), vadbench.Protocol.parse(protocol), ())
        assert [str(error) for error in said if "scores" in " ".join(error.where)] == []


@pytest.mark.parametrize("least", [2, 300])
def test_a_thinned_curve_bounds_its_values(least):
    from vadbench.datasets.base import MemoryDataset

    rng = np.random.default_rng(0)
    masks = np.zeros((8, 20, 20), dtype=bool)
    masks[:, :12, :12] = True
    # Some pixels share the lowest score: the last step of each curve is a long one.
    scores = np.maximum(rng.integers(0, 2000, masks.shape) + 300 * masks, least).astype(np.uint16)
    report = vadbench.evaluate(
        {"a": Prediction(score_maps=scores)}, MemoryDataset({"a": Truth.from_arrays(masks)}, id="folder")
    )
    assert all(len(report.curves[name].x) > 300 for name in ("roc", "pr", "pro"))
    assert found(report) == []
    for key, more in (("pixel_auroc", 0.004), ("pixel_aupro", 0.01), ("pixel_ap", 0.06), ("pixel_f1", 0.06)):
        for sign in (1, -1):
            value = report.value(key) + sign * more
            assert found(changed(report, "scores", key, "value", to=value)), (key, sign)


def test_bounds_of_precision_hold_for_wild_curves():
    rng = np.random.default_rng(0)
    for trial in range(200):
        k = int(rng.integers(2, 6000))
        hits = rng.integers(1, (2, 50, 3000)[trial % 3], k)
        false = rng.integers(0, (2, 50, 100_000)[trial // 3 % 3], k)
        if trial % 4 == 1:
            false[rng.random(k) < 0.9] = 0
        elif trial % 4 == 2:
            hits[rng.integers(k)], false[rng.integers(k)] = 10**6, 10**7
        elif trial % 4 == 3:
            false = (rng.random(k) < 0.02) * np.arange(1, k + 1) * 30
        true_positives, flagged = np.cumsum(hits), np.cumsum(hits + false)
        n = true_positives[-1]
        precision = true_positives / flagged
        before = np.concatenate([[1.0], precision[:-1]])
        curve = Curve(np.concatenate([[0], true_positives / n]), np.concatenate([precision[:1], precision])).thinned()
        bounds = precision_bounds(CurvePoints(x=curve.x.tolist(), y=curve.y.tolist()))
        for value, (least, greatest) in (
            ((hits * precision).sum() / n, bounds.average),
            ((hits * (precision + before)).sum() / 2 / n, bounds.trapezoid),
            ((2 * true_positives / (flagged + n)).max(), bounds.best_f1),
        ):
            assert least - 1e-9 <= value <= greatest + 1e-9, (trial, value, least, greatest)
        assert bounds.average[1] - bounds.average[0] < 0.06


@pytest.mark.parametrize("name", ["roc", "pro", "pr", "rbdc", "tbdc"])
def test_a_curve_is_left_out_or_comes_without_its_value(name):
    report = made("standard", 1)
    content = report.model_dump(mode="json")
    curve = content["curves"].pop(name)
    assert found(Report.model_validate(content)) != []
    pooled = made("standard+pixel.pooling=clip-mean", 1).model_dump(mode="json")
    pooled["curves"] = {name: curve}
    assert found(Report.model_validate(pooled)) != []


@pytest.mark.parametrize("key", ["pixel_auroc", "rbdc", "frame_auroc_micro", "pixel_f1_declared"])
def test_rows_have_what_the_report_has(key):
    content = made("standard", 1).model_dump(mode="json")
    del content["clips"][1]["scores"][key]
    assert any(f'not "{key}"' in line for line in found(Report.model_validate(content)))


def changed(report: Report, *keys, to) -> Report:
    content = report.model_dump(mode="json")
    place = content
    for key in keys[:-1]:
        place = place[key]
    assert place[keys[-1]] != to
    place[keys[-1]] = to
    return Report.model_validate(content)


@pytest.mark.parametrize(
    ("protocol", "keys", "value", "code"),
    [
        ("standard", ("scores", "pixel_auroc", "value"), 0.99, "S184"),
        ("standard", ("scores", "pixel_f1", "value"), 0.5, "S184"),
        ("standard", ("scores", "pixel_f1", "precision"), None, "S184"),
        ("standard", ("scores", "pixel_ap", "precision"), 0.5, "S184"),
        ("standard", ("scores", "rbdc", "value"), 1.0, "S184"),
        ("standard", ("scores", "rbdc", "order_bounds"), (0.0, 1.0), "S184"),
        ("standard", ("scores", "tbdc", "clips"), 9, "S188"),
        ("standard", ("scores", "tbdc", "clips"), None, "S188"),
        ("standard", ("scores", "tbdc", "source"), "guess", "S188"),
        ("standard", ("scores", "tbdc", "reason"), "because", "S184"),
        ("standard", ("scores", "rbdc", "skipped_clips"), 1, "S184"),
        ("standard", ("scores", "pixel_auroc", "recall"), -0.5, "S188"),
        ("standard", ("scores", "frame_auroc_macro", "value"), 0.123, "S184"),
        ("standard", ("dataset", "clips"), 4, "S184"),
        ("standard", ("dataset", "frames"), 1, "S184"),
        ("standard", ("dataset", "fingerprint"), "x" * 64, "S188"),
        ("standard", ("submission", "fingerprint"), ["a"], "S188"),
        ("standard", ("submission", "fingerprint"), "A" * 64, "S188"),
        ("standard", ("curves", "roc", "x"), [0.0, 2.0], "S188"),
        ("standard", ("curves", "pr", "y"), [], "S188"),
        ("standard", ("curves", "pro", "y", 1), 0.9, "S184"),
        ("standard", ("curves", "roc", "y", -1), 0.9, "S184"),
        ("standard", ("curves", "pr", "y", -1), 0.0, "S184"),
        ("standard", ("curves", "pr", "y", -1), 1.0, "S184"),
        ("standard", ("scores", "pixel_ap", "value"), 1.0, "S184"),
        ("tao-release", ("scores", "pixel_aupro", "value"), 1.0, "S184"),
        ("standard", ("scores", "tbdc", "clips"), 2, "S184"),
        ("standard", ("scores", "frame_auroc_macro", "skipped_clips"), None, "S184"),
        ("standard", ("curves", "tbdc", "x", 0), 0.001, "S184"),
        ("standard", ("clips", 1, "scores", "pixel_ap", "value"), 1.5, "S188"),
        ("aed-2021", ("scores", "rbdc", "order_bounds"), (0.0, 0.001), "S188"),
        ("tao-release", ("scores", "rbdc", "order_bounds"), (0.0, 0.001), "S184"),
        ("tao-release", ("scores", "pixel_auroc", "value"), 0.999, "S184"),
        ("standard+pixel.pooling=clip-mean", ("scores", "pixel_ap", "value"), 0.31, "S184"),
    ],
)
def test_a_changed_report_contradicts_itself(protocol, keys, value, code):
    report = changed(made(protocol, 1), *keys, to=value)
    assert code in {line.split()[0] for line in found(report)}


def test_too_many_points_are_refused():
    many = [index / 1000 for index in range(1001)]
    assert found(changed(made("standard", 1), "curves", "pr", to={"x": many, "y": many})) != []


def test_the_source_of_a_metric_follows_from_the_metadata():
    from vadbench.submission.schema import checked_metadata

    table = {
        "format": "vadbench.submission/1",
        "dataset": "folder",
        "predictions": ["score_maps"],
        "method": {"name": "x", "authors": [], "year": 2026, "code": "https://example.org/"},
        "training": {"supervision": "one-class", "data": [], "pretrained": [], "threshold_chosen_on": "none"},
    }
    metadata = checked_metadata(table, ("t",))
    report = made("standard", 1)
    said = {" ".join(error.where) for error in differences(report, metadata, vadbench.Protocol.preset("standard"), ())}
    # Boxes were given, which the metadata do not declare; without a threshold there are none from maps either.
    assert {"scores.rbdc source", "scores.tbdc source", "scores.pixel_f1_declared"} <= said
    assert "scores.pixel_auroc source" not in said
