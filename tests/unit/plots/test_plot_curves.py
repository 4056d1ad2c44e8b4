"""Displays hold the report's numbers; figures are files with the same bytes every time."""

import sys
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from vadbench import UsageError, evaluate
from vadbench.plots import CurveDisplay, CurveKind, curve_figure
from vadbench.plots.figure import reading_notes
from vadbench.plots.line_styles import COLOURS


@pytest.mark.parametrize("kind", list(CurveKind))
def test_a_display_holds_and_draws_the_reports_numbers(kind, reports):
    report = reports["good"]
    display = CurveDisplay.from_report(report, kind, name="mine").plot()
    (curve,) = display.curves
    assert curve.x.tolist() == report.curves[kind].x
    assert curve.y.tolist() == report.curves[kind].y
    assert curve.value == report.value(kind.metric)
    (line,) = display.lines_
    assert line.get_xdata().tolist() == report.curves[kind].x
    assert line.get_ydata().tolist() == report.curves[kind].y
    assert line.get_label() == f"mine  {100 * curve.value:.2f} %"
    assert display.ax_.get_xlabel()
    assert display.ax_.get_ylabel()


def test_axes_of_the_caller_and_line_options(reports):
    ax = Figure().subplots()
    display = CurveDisplay.from_reports(reports, "roc")
    assert display.plot(ax, linewidth=3.5) is display
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert {line.get_linewidth() for line in display.lines_} == {3.5}
    assert [text.get_text().split("  ")[0] for text in ax.get_legend().get_texts()] == ["good", "poor"]


def test_per_frame_curves_end_at_the_limit_and_are_held_until_there(reports):
    display = CurveDisplay.from_report(reports["good"], "rbdc").plot()
    assert display.limit == 1.0
    assert display.ax_.get_xlim()[1] == pytest.approx(1.01)
    (curve,) = display.curves
    held = [line for line in display.ax_.lines if line not in display.lines_]
    assert display.held_ == held
    assert curve.x[-1] < 1.0
    assert [list(line.get_xdata()) for line in held] == [[curve.x[-1], 1.0]]
    assert [list(line.get_ydata()) for line in held] == [[curve.y[-1], curve.y[-1]]]


def test_the_notes_explain_a_thin_line_only_where_there_is_one(reports):
    named = {"good": reports["good"]}

    def notes(kinds):
        return reading_notes(named, [CurveDisplay.from_reports(named, kind).plot() for kind in kinds])

    assert "RBDC, TBDC: a thin line" in notes(CurveKind)
    assert "thin line" not in notes(["roc", "pr", "pro"])
    display = CurveDisplay.from_reports(named, "rbdc")
    (curve,) = display.curves
    # Up to the limit there is none; just short of it, none that anybody sees.
    for end, n_lines in [(1.0, 0), (0.99, 1)]:
        longer = replace(curve, x=np.append(curve.x, end), y=np.append(curve.y, curve.y[-1]))
        drawn = replace(display, curves=(longer,)).plot()
        assert len(drawn.held_) == n_lines
        assert "thin line" not in reading_notes(named, [drawn])


def test_the_limit_of_pro_is_marked(dataset, predictions):
    report = evaluate(predictions, dataset, "standard+pixel.fpr_limit=0.05")
    display = CurveDisplay.from_report(report, "pro").plot()
    assert display.limit == 0.05
    assert display.title == "Pixel-AUPRO@0.05"
    assert "limit  0.05" in [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_a_method_keeps_its_colour_where_another_is_absent(reports):
    order = {"poor": reports["poor"], "good": reports["good"]}
    alone = CurveDisplay.from_reports(order, "rbdc").plot()
    assert [curve.name for curve in alone.curves] == ["good"]
    assert alone.lines_[0].get_color() == COLOURS[1]


def test_a_value_that_was_not_asked_for_is_not_shown(dataset, predictions):
    report = evaluate(predictions, dataset, metrics=["pixel_auroc"])
    (curve,) = CurveDisplay.from_report(report, "pr", name="x").curves
    assert curve.value is None
    assert curve.label == "x"


def test_a_name_with_dollar_signs_is_no_mathematics(reports, tmp_path):
    assert curve_figure({"$\\broken{ $": reports["good"]}, tmp_path / "a.png").stat().st_size > 0


def test_wrong_calls(reports, dataset, predictions, tmp_path):
    def code(call):
        with pytest.raises(UsageError) as caught:
            call()
        return caught.value.code

    assert code(lambda: CurveDisplay.from_report(reports["good"], "rocc")) == "U150"
    assert code(lambda: CurveDisplay.from_report(reports["poor"], "rbdc")) == "U151"
    other = evaluate(predictions, dataset, "aed-2021")
    assert code(lambda: CurveDisplay.from_reports({**reports, "other": other}, "roc")) == "U152"
    assert code(lambda: curve_figure({**reports, "other": other}, tmp_path / "a.png")) == "U156"
    assert code(lambda: curve_figure(reports, tmp_path / "a.jpg")) == "U154"
    for unnamed in ([reports["good"]], reports["good"], {}):
        assert code(lambda given=unnamed: CurveDisplay.from_reports(given, "roc")) == "U158"
        assert code(lambda given=unnamed: curve_figure(given, tmp_path / "a.png")) == "U158"
    bare = evaluate(predictions, dataset, "tao-release", metrics=["pixel_auroc"])
    assert code(lambda: curve_figure({"bare": bare}, tmp_path / "a.png")) == "U151"
    (tmp_path / "file").write_text("")
    assert code(lambda: curve_figure(reports, tmp_path / "file" / "a.png")) == "U155"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_the_same_bytes_whatever_the_users_settings(suffix, reports, tmp_path):
    first = curve_figure(reports, tmp_path / f"a.{suffix}").read_bytes()
    settings = {"font.size": 31.0, "lines.linewidth": 9.0, "savefig.transparent": True}
    with mpl.rc_context(settings):
        second = curve_figure(reports, tmp_path / f"b.{suffix}").read_bytes()
        assert {key: mpl.rcParams[key] for key in settings} == settings
    assert first == second
    year = b"20%02d"
    assert not any(year % number + b"-" in first for number in range(24, 40))
    assert {path.name for path in tmp_path.iterdir()} == {f"a.{suffix}", f"b.{suffix}"}


def test_pyplot_is_not_touched(reports, tmp_path):
    before = "matplotlib.pyplot" in sys.modules
    curve_figure(reports, tmp_path / "a.png")
    assert ("matplotlib.pyplot" in sys.modules) == before


def test_without_matplotlib_the_hint_says_what_to_install(reports, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        CurveDisplay.from_report(reports["good"], "roc").plot()
    assert caught.value.code == "U153"
    assert "vadbench[plots]" in caught.value.hint


def test_curves_are_colour_blind_safe_and_distinct_in_grey():
    """Neighbouring methods differ by dashes too: seven colours and four dashes give 28 pairs."""
    from vadbench.plots.curves import NamedCurve

    empty = np.zeros(0)
    styles = [str(NamedCurve("", empty, empty, None, place).line_style) for place in range(28)]
    assert len(set(styles)) == 28
