"""Groups of bars: the reports' numbers, and published ones across them."""

from itertools import pairwise

import pytest
from matplotlib.figure import Figure

from vadbench import UsageError, evaluate
from vadbench.plots import GroupedBarsDisplay, write_displays


def test_bars_are_the_reports_numbers(reports):
    display = GroupedBarsDisplay.from_reports(reports)
    ax = Figure().subplots()
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert display.methods == ("good", "poor")
    assert list(display.titles.values())[:4] == ["Pixel-AUROC", "Pixel-AP", "Pixel-AUPRO", "Pixel-F1"]
    for bars, (name, report) in zip(display.bars_, reports.items(), strict=True):
        values = [report.value(key) for key in display.titles]
        assert [bar.get_height() for bar in bars] == [100 * (value or 0.0) for value in values]
        assert bars.get_label() == name
    # What a method lacks is a dash, and no bar that could be a score of 0.
    assert reports["poor"].value("rbdc") is None
    assert [text.get_text() for text in ax.texts].count("–") == 2
    hatches = [bars[0].get_hatch() for bars in display.bars_]
    assert len(set(hatches)) == len(hatches)
    assert "per cent" in ax.get_ylabel()


def test_bars_of_a_group_do_not_overlap(reports):
    many = {f"method {number}": reports["good"] for number in range(6)}
    display = GroupedBarsDisplay.from_reports(many).plot()
    edges = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bars in display.bars_ for bar in bars)
    assert all(end <= begin + 1e-12 for (_, end), (begin, _) in pairwise(edges))


def test_published_scores_lie_across_their_bars(reports):
    published = {"poor": {"pixel_auroc": "99.50", "tbdc": "71.6"}}
    display = GroupedBarsDisplay.from_reports(reports, published=published, publisher="the paper").plot()
    black = [line for line in display.ax_.lines if line.get_color() == "black"]
    assert [line.get_ydata()[0] for line in black] == [99.5, 71.6]
    bar = display.bars_[1][0]
    left, right = black[0].get_xdata()
    assert left <= bar.get_x() < bar.get_x() + bar.get_width() <= right
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["good", "poor", "the paper"]
    # The number stands above the line, not in it.
    number = f"{100 * reports['poor'].value('pixel_auroc'):.1f}"
    places = [text.get_position()[1] for text in display.ax_.texts if text.get_text() == number]
    assert max(places) > 99.5


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_same_bytes_twice(suffix, reports, tmp_path):
    display = GroupedBarsDisplay.from_reports({"$\\broken{": reports["good"]}, published={"$\\broken{": {"rbdc": "5"}})
    first = write_displays([display], tmp_path / f"a.{suffix}").read_bytes()
    assert first == write_displays([display], tmp_path / f"b.{suffix}").read_bytes()


def test_wrong_calls(reports, dataset, predictions):
    def code(given, **options):
        with pytest.raises(UsageError) as caught:
            GroupedBarsDisplay.from_reports(given, **options)
        return caught.value.code

    assert code([reports["good"]]) == "U158"
    assert code(reports, metrics=["auc"]) == "U120"
    assert code({**reports, "other": evaluate(predictions, dataset, "aed-2021")}) == "U156"
    assert code({"poor": reports["poor"]}, metrics=["tbdc"]) == "U159"
    assert code(reports, published={"best": {"rbdc": "1"}}) == "U162"
