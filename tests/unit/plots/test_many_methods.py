"""Twenty methods and more can be told apart without colour; names are a stranger's and are drawn as they are."""

import re
from itertools import pairwise

import numpy as np
import pytest
from made_statistics import made_statistics
from PIL import Image

from vadbench.errors import UsageError
from vadbench.plots import (
    ClipBarsDisplay,
    CurveDisplay,
    GroupedBarsDisplay,
    IntervalDisplay,
    TimelineDisplay,
    curve_figure,
    write_displays,
)
from vadbench.plots.canvas import house_style
from vadbench.plots.figure import _figure
from vadbench.plots.line_styles import COLOURS, bar_style, marked_line_style
from vadbench.plots.shown_names import distinct_names, legend_text, plain_text

HOSTILE = [
    "$\\frac{1}{$",
    "a" * 10_000,
    "\u202egnp.exe\u202c",
    "two\nlines\tand\x1b[31m colour",
    "_hidden",
    "名前",
    "e" + "\u0301" * 500,
    "<script>alert(1)</script>&amp;",
    "\ud800",
    "",
]


def test_lines_differ_without_colour():
    styles = [marked_line_style(place) for place in range(32)]
    without_colour = {(str(style["linestyle"]), style.get("marker")) for style in styles}
    assert len(without_colour) == 32
    with_colour = {
        (style["color"], str(style["linestyle"]), style.get("marker")) for style in map(marked_line_style, range(224))
    }
    assert len(with_colour) == 224
    assert len({(style["color"], style["hatch"]) for style in map(bar_style, range(49))}) == 49


def test_colours_differ_in_grey_or_are_hatched():
    def grey(colour):
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    # Bars side by side differ by their pattern, whatever their grey.
    hatches = [bar_style(place)["hatch"] for place in range(len(COLOURS))]
    assert len(set(hatches)) == len(COLOURS)
    assert max(grey(colour) for colour in COLOURS) < 190


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_one_short_line_of_what_can_be_seen(name):
    shown = plain_text(name)
    assert 0 < len(shown) <= 30
    assert shown.isprintable()
    assert not re.search(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    assert not legend_text(name).startswith("_")
    assert legend_text(name).count("$") == legend_text(name).count("\\$")


def test_names_that_shortening_makes_equal_stay_apart():
    names = [f"{'x' * 40}{number}{'y' * 40}" for number in range(3)]
    assert len(set(distinct_names(names))) == 3
    assert distinct_names(["a", "b"]) == ("a", "b")


@pytest.fixture(scope="module")
def made():
    return [made_statistics(seed) for seed in range(3)]


@pytest.fixture(scope="module")
def many(made):
    names = HOSTILE + [f"method {number}" for number in range(14)]
    return {name: made[place % 3][0] for place, name in enumerate(names)}


def test_the_legend_of_many_is_a_table_below(many, tmp_path):
    path = curve_figure(many, tmp_path / "many.svg", kinds=["roc", "rbdc"])
    text = path.read_text(encoding="utf-8")
    drawn = re.findall(r"<text [^>]*>([^<]*)</text>", text)
    assert "method 13" in drawn
    assert "_hidden" in drawn
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;" in drawn
    assert "script>alert" not in text
    assert not any("\u202e" in word or "\x1b" in word for word in drawn)
    report = many["method 0"]
    assert f"{100 * report.value('pixel_auroc'):.2f}" in drawn
    some = dict(list(many.items())[:7])
    first = curve_figure(some, tmp_path / "some.svg", kinds=["tbdc"]).read_bytes()
    assert curve_figure(some, tmp_path / "again.svg", kinds=["tbdc"]).read_bytes() == first


def test_the_legend_of_many_stands_outside_the_panel(many):
    display = CurveDisplay.from_reports(many, "roc").plot()
    with house_style():
        # Whose warnings about signs that the font lacks are none of the user's.
        display.figure_.draw_without_rendering()
        legend, panel = display.ax_.get_legend().get_window_extent(), display.ax_.get_window_extent()
    assert legend.x0 >= panel.x1
    assert legend.x1 <= display.figure_.bbox.x1 + 1
    assert len(display.ax_.get_legend().get_texts()) == len(many)


def test_one_kind_of_curve(many, tmp_path):
    few = dict(list(many.items())[-2:])
    drawn = curve_figure(few, tmp_path / "roc.svg", kinds=["roc"]).read_text(encoding="utf-8")
    assert "ROC" in drawn
    assert "RBDC" not in drawn


def test_bars_of_many_take_rows(many, tmp_path):
    display = GroupedBarsDisplay.from_reports(
        dict(list(many.items())[:12]), metrics=["rbdc", "tbdc", "pixel_ap", "pixel_f1"]
    )
    assert len(display.panels) == 2 + 1
    write_displays([display], tmp_path / "bars.svg")
    assert len(display.bars_) == 12 * 2


@pytest.mark.parametrize("n_methods", [8, 20, 40])
def test_the_legend_of_many_is_a_table_below_every_display(n_methods, made, tmp_path):
    named = {f"method {number}": made[number % 3] for number in range(n_methods)}
    reports = {name: report for name, (report, _) in named.items()}
    displays = {
        "bars": GroupedBarsDisplay.from_reports(reports),
        "clips": ClipBarsDisplay.from_reports(reports, metric="pixel_ap"),
        "timeline": TimelineDisplay.from_statistics(named, clip_id="01"),
    }
    for name, display in displays.items():
        # Warnings are errors here: a layout that finds no room gives one.
        drawn = write_displays([display], tmp_path / f"{name}.svg").read_text(encoding="utf-8")
        assert all(f">method {number}</text>" in drawn for number in range(n_methods))
        assert display.figure_.axes[0].get_legend() is None
        tops = [ax.get_position() for ax in display.figure_.axes]
        inches = [place.height * display.figure_.get_size_inches()[1] for place in tops]
        assert min(inches[:-1]) > 1.0
        # Panels are not pushed apart.
        gaps = [(above.y0 - below.y1) for above, below in pairwise(tops)]
        assert max(gaps) * display.figure_.get_size_inches()[1] < 1.0
        assert display.plot().figure_ is not None


def test_a_picture_of_more_methods_than_styles_is_refused(made):
    reports = {f"method {number}": made[0][0] for number in range(50)}
    for make in (
        lambda: GroupedBarsDisplay.from_reports(reports),
        lambda: ClipBarsDisplay.from_reports(reports, metric="pixel_ap"),
    ):
        with pytest.raises(UsageError) as caught:
            make()
        assert caught.value.code == "U295"


@pytest.mark.parametrize("n_methods", [4, 6])
def test_no_legend_covers_curves(n_methods, made, tmp_path):
    reports = {f"method {number}": made[number % 3][0] for number in range(n_methods)}
    with house_style():
        figure = _figure(reports, ["roc", "pr"])
    assert [ax.get_legend() for ax in figure.axes] == [None] * 3


def test_the_longest_names_stay_inside_the_picture(made, tmp_path):
    wide = {f"{'W' * 60}{number}": made[number % 3] for number in range(8)}
    reports = {name: report for name, (report, _) in wide.items()}
    values = {name: report.value("pixel_ap") for name, report in reports.items()}
    displays = [
        GroupedBarsDisplay.from_reports(reports),
        ClipBarsDisplay.from_reports(reports, metric="pixel_ap"),
        TimelineDisplay.from_statistics(wide, clip_id="01"),
        IntervalDisplay.from_values(values, ranks=dict.fromkeys(values, (1, 8)), metric="Pixel-AP"),
    ]
    for display in displays:
        picture = np.asarray(Image.open(write_displays([display], tmp_path / "wide.png")).convert("L"))
        for edge in (picture[:, :6], picture[:, -6:], picture[:6], picture[-6:]):
            assert (edge == 255).all()
