"""Curves, bars and timelines as SVG; the classic form of a module script; the history as parts."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from made_statistics import made_statistics

from leaderboard.errors import LeaderboardError
from leaderboard.site.curve_words import curve_figures, curve_points
from leaderboard.site.drawing import bars_picture, curve_picture, interval_picture, thinned
from leaderboard.site.history_text import history_parts, line_words
from leaderboard.site.libraries import classic_script, itables_script
from leaderboard.site.timelines import frame_f1, timeline_picture, timelines
from vadbench.evaluation.report import CurvePoints


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - our own pictures


def test_thinned_keeps_the_ends_the_corners_and_the_area() -> None:
    rng = np.random.default_rng(0)
    x = np.sort(rng.random(5000))
    y = np.sort(rng.random(5000))
    x[0], x[-1] = 0, 1
    thin_x, thin_y = thinned(x.tolist(), y.tolist())
    assert thin_x.size < 1000
    assert (thin_x[0], thin_x[-1]) == (0, 1)
    assert np.trapezoid(thin_y, thin_x) == pytest.approx(np.trapezoid(y, x), abs=0.003)
    step_x, step_y = thinned([0, 0, 0.5, 0.5, 1], [0, 0.4, 0.4, 0.9, 0.9])
    assert list(zip(step_x, step_y, strict=True)) == [(0, 0), (0, 0.4), (0.5, 0.4), (0.5, 0.9), (1, 0.9)]


def test_precision_is_drawn_as_the_steps_that_ap_sums_up() -> None:
    report, _ = made_statistics(3)
    x, y, _ = curve_points(report, "pr", steps=10_000)
    assert np.trapezoid(y, x) == pytest.approx(report.value("pixel_ap"), abs=0.01)
    told = report.model_copy(update={"curves": {"pr": CurvePoints(x=[0, 0.7, 1], y=[0.8, 0.8, 0.01])}})
    x, y, _ = curve_points(told, "pr")
    assert list(zip(x, y, strict=True)) == [(0, 0.8), (0.7, 0.8), (0.7, 0.01), (1, 0.01)]
    (figure,) = curve_figures(told, "a")
    assert "0.80 at 0.5, 0.01 at 0.8" in figure.words


def test_thinned_cuts_at_the_end_of_the_axis() -> None:
    x, y = thinned([0, 0.5, 2.5], [0, 0.2, 1.0])
    assert x[-1] == 1
    assert y[-1] == pytest.approx(0.4)
    assert thinned([], [])[0].size == 0


def test_a_curve_is_well_formed_and_says_what_it_is() -> None:
    root = parsed(
        curve_picture(
            "a",
            (np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.8, 1.0])),
            title="A & <b>",
            description="d",
            axes=("x", "y"),
        )
    )
    assert root.get("role") == "img"
    title, description = root[0], root[1]
    assert (title.tag, title.text, description.tag) == ("title", "A & <b>", "desc")
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    line = next(part for part in root if part.get("class") == "line")
    assert line.get("d") == "M40.0 194.0L175.0 46.8L310.0 10.0"


def test_bars_show_every_clip_and_leave_out_what_is_not_there() -> None:
    root = parsed(bars_picture("b", ["01", "<02>", "03"], [0.5, None, 1.0], title="t", mean=0.7))
    bars = [part for part in root if part.get("class") == "bar"]
    assert [float(str(bar.get("height"))) for bar in bars] == [75.0, 150.0]
    assert "2 of 3 clips" in str(root[1].text)
    assert parsed(bars_picture("b", [], [], title="t", mean=None)) is not None


def test_an_interval_stays_inside_its_picture() -> None:
    for low, high, value in ((0.1, 0.3, 0.2), (-1.0, 2.0, 5.0), (0.5, 0.5, 0.5)):
        root = parsed(interval_picture(low, high, value, (0.0, 1.0)))
        numbers = [float(number) for number in re.findall(r"[MH](-?[\d.]+)", str(root[0].get("d")))]
        assert all(0 <= number <= 100 for number in [*numbers, float(str(root[1].get("cx")))])
    assert parsed(interval_picture(0.5, 0.5, 0.5, (0.5, 0.5))) is not None


def test_frame_f1() -> None:
    found = frame_f1(np.array([10, 0, 0, 5]), np.array([5, 0, 0, 0]), np.array([5, 0, 7, 0]))
    assert found[0] == 0.5
    assert np.isnan(found[1])
    assert found[2:].tolist() == [0, 0]


def test_timelines_of_all_clips() -> None:
    _, statistics = made_statistics(1, n_clips=4)
    found = timelines(statistics)
    assert [own.clip for own in found] == list(statistics.clip_ids)
    for own in found:
        root = parsed(timeline_picture("t", own))
        assert f"{own.frames} frames" in str(root[1].text)
        assert own.labels is not None
        truth = [part.get("d") for part in root if part.get("class") == "truth"]
        runs = int((np.diff(np.concatenate(([0], own.labels.astype(int)))) == 1).sum())
        assert len(truth) == runs
    wide = timeline_picture("t", found[0], columns=20)
    assert 'viewBox="0 0 20 80"' in wide


def test_a_timeline_with_one_part_only() -> None:
    from dataclasses import replace

    _, statistics = made_statistics(1, n_clips=3)
    only_frames = replace(statistics, flagged=None)
    assert all(own.f1 is None for own in timelines(only_frames))
    only_pixels = replace(statistics, frame_ranks=None)
    assert all(own.ranks is None and own.labels is not None for own in timelines(only_pixels))
    for own in (*timelines(only_frames), *timelines(only_pixels)):
        parsed(timeline_picture("t", own))
    assert timelines(replace(statistics, flagged=None, frame_ranks=None)) == []


def test_a_module_becomes_a_classic_script() -> None:
    made = classic_script("var a=1,b=2;\nexport{a as first,b as default,b};\n/* end */", "library")
    assert "export" not in made
    assert 'window.library={"first":a,"default":b,"b":b};' in made
    with pytest.raises(LeaderboardError, match="L161"):
        classic_script("var a=1;", "library")


def test_the_script_of_itables_is_classic() -> None:
    pytest.importorskip("itables")
    script = itables_script()
    assert "ITable" in script.rpartition("window.itables=")[2]
    assert not re.search(r"(^|;)\s*(import|export)[\s{]", script[-6000:])


def test_the_history() -> None:
    parts = history_parts("# Title\n\nOne\ntwo\n\n## Old\n- a `b|c` \\*d\\*\n  goes on\n- &lt;e&gt;\n")
    assert [part.kind for part in parts] == ["paragraph", "heading", "list"]
    assert [[words.text for words in line] for line in parts[2].lines] == [["a ", "b|c", " *d* goes on"], ["<e>"]]
    assert parts[0].lines[0][0].text == "One two"
    assert [words.text for words in line_words("`a")] == ["`a"]


def test_a_curve_of_detections_is_held_up_to_its_limit() -> None:
    report, _ = made_statistics(1, n_clips=3)
    short = report.model_copy(
        update={"curves": {"rbdc": type(report.curves["rbdc"])(x=[0, 0.2, 0.4], y=[0, 0.5, 0.6])}}
    )
    x, y, end = curve_points(short, "rbdc")
    assert (x[-1], y[-1], end) == (1, 0.6, 1)
    wider = short.model_copy(
        update={"signature": short.signature.replace("protocol=standard", "protocol=standard+object.fpr_limit=5")}
    )
    assert [float(part[-1]) for part in curve_points(wider, "rbdc")[:2]] == [5, 0.6]
    figure = curve_figures(wider, "a")[0]
    assert "held from there" in figure.words
    assert ">5</text>" in figure.picture
