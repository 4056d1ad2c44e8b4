"""RBDC and TBDC against literal loops, which must give the same number, and against a peer with another definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import reference_tracks
from literal_objects import grouped_by_frame
from peers import deferred, ssvad_object_metrics
from subject import both_object_metrics
from workloads import Extent, ObjectWorkload, object_workload

LEVELS = {"continuous": None, "rounded to .001": 1000}


def _full(extent: Extent, scores: str) -> ObjectWorkload:
    return object_workload(extent.object_frames, extent.detections, extent.tracks, levels=LEVELS[scores])


def _facts(data: ObjectWorkload, scores: str) -> dict[str, Any]:
    regions = sum(len(boxes) for _, boxes in data.tracks)
    shape = f"{data.frames} frames, {len(data.detections)} detections, {len(data.tracks)} tracks, {regions} regions"
    return {"section": "objects", "workload": f"{shape}, scores {scores}"}


@pytest.mark.parametrize("scores", list(LEVELS))
@pytest.mark.benchmark(group="RBDC and TBDC")
def test_vadbench(measure: Callable[..., Any], extent: Extent, scores: str) -> None:
    data = _full(extent, scores)
    measure(both_object_metrics(data.detections, data.tracks, data.frames), **_facts(data, scores), subject="vadbench")


@pytest.mark.parametrize("scores", list(LEVELS))
@pytest.mark.benchmark(group="RBDC and TBDC")
def test_literal_loop_by_frame(measure: Callable[..., Any], extent: Extent, scores: str) -> None:
    data = _full(extent, scores)
    measure(
        lambda: grouped_by_frame(data.detections, data.tracks, data.frames),
        **_facts(data, scores),
        subject="literal",
        rounds=min(3, extent.rounds),
    )


@pytest.mark.parametrize("subject", ["vadbench", "literal", "oracle"])
@pytest.mark.benchmark(group="RBDC and TBDC, oracle")
def test_small_enough_for_the_oracle(measure: Callable[..., Any], extent: Extent, subject: str) -> None:
    """The reference of the oracle tests looks at every pair of detection and region at every threshold."""
    data = object_workload(extent.literal_frames, extent.literal_detections, 3, levels=100)

    def oracle() -> dict[str, float]:
        rbdc, tbdc = reference_tracks.rbdc_tbdc_grouped(data.detections, data.tracks, data.frames)
        return {"RBDC": rbdc, "TBDC": tbdc}

    calls = {
        "vadbench": both_object_metrics(data.detections, data.tracks, data.frames),
        "literal": lambda: grouped_by_frame(data.detections, data.tracks, data.frames),
        "oracle": oracle,
    }
    facts = {**_facts(data, "100 levels"), "section": "objects-oracle"}
    measure(calls[subject], **facts, subject=subject, slow=subject == "oracle")


@pytest.mark.parametrize("subject", ["vadbench", "ssvad"])
@pytest.mark.benchmark(group="RBDC and TBDC, py-ssvad-metrics")
def test_peer(measure: Callable[..., Any], extent: Extent, subject: str) -> None:
    frames = extent.masked_object_frames
    data = object_workload(frames, 2 * frames, 1, levels=50, halved=True)

    def peer() -> Callable[[], Any]:
        few = [row for row in data.detections if row[1] < 2]
        ssvad_object_metrics(2, 240, 428, few, [("01", {0: (5, 5, 9, 9)})])()  # compiles what it compiles
        return ssvad_object_metrics(frames, 240, 428, data.detections, data.tracks)

    ours = both_object_metrics(data.detections, data.tracks, frames)
    facts = {**_facts(data, "50 levels"), "section": "objects-ssvad"}
    measure(ours if subject == "vadbench" else deferred(peer), **facts, subject=subject, slow=subject == "ssvad")
