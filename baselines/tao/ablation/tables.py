"""The studies as tables: for the terminal, one a protocol; as Markdown, the protocols side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baselines.tao.ablation.published import FIGURE5_REMARK, FIGURE6_REMARK, TABLE4_REMARK, published_table4
from baselines.tao.ablation.run import Ablation, StudyScores
from baselines.tao.ablation.studies import StudyKind

if TYPE_CHECKING:
    from rich.table import Table

    from vadbench import Report

METRICS = ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1", "rbdc", "tbdc")
"""Columns of the paper's table 4."""

TITLES = {
    StudyKind.TABLE4: "Filtering in time and temporal tracking (Table 4)",
    StudyKind.FIG5: "Sensitivity to the threshold τ of the box scores (Fig. 5)",
    StudyKind.FIG6: "Sizes of SAM2 (Fig. 6)",
}
CORNERS = {StudyKind.TABLE4: "variant", StudyKind.FIG5: "τ", StudyKind.FIG6: "size"}


@dataclass(frozen=True)
class ScoreGrid:
    """Cells of one study under one protocol.

    Parameters
    ----------
    titles : tuple of str
        Of the metrics.
    rows : dict of str to tuple of str
        Cells in per cent, by the name of the row; a dash where there is no value.
    published : dict of str to tuple of str
        Cells that the paper prints of the same rows, as it prints them.
    """

    titles: tuple[str, ...]
    rows: dict[str, tuple[str, ...]]
    published: dict[str, tuple[str, ...]]


def row_name(scores: StudyScores, value: str | float) -> str:
    """Name of a row; the chosen value is marked."""
    return f"{value} (chosen)" if value == scores.study.chosen else str(value)


def published_of(scores: StudyScores, protocol: str) -> Mapping[str, Mapping[str, str]]:
    """Cells of the paper that may stand beside a study under a protocol."""
    first = next(iter(scores.reports[protocol].values()))
    if scores.study.kind is not StudyKind.TABLE4 or protocol != "tao-release":
        return {}
    return published_table4(first.dataset.id)


def score_grid(scores: StudyScores, protocol: str) -> ScoreGrid:
    """Cells of a study under a protocol."""
    from vadbench.plots import GroupedBarsDisplay
    from vadbench.tables import NOT_AVAILABLE, percent

    reports: dict[str, Report] = {row_name(scores, value): own for value, own in scores.reports[protocol].items()}
    display = GroupedBarsDisplay.from_reports(reports, metrics=METRICS)
    rows = {
        name: tuple(percent(display.scores[key][place]) for key in display.titles)
        for place, name in enumerate(display.methods)
    }
    published = {
        row_name(scores, name): tuple(cells.get(key, NOT_AVAILABLE) for key in display.titles)
        for name, cells in published_of(scores, protocol).items()
    }
    return ScoreGrid(tuple(display.titles.values()), rows, published)


def score_table(scores: StudyScores, protocol: str) -> Table:
    """Table of a study under a protocol, for the terminal."""
    from rich.text import Text

    from vadbench.tables import plain_table

    grid = score_grid(scores, protocol)
    table = plain_table()
    table.add_column(CORNERS[scores.study.kind], no_wrap=True)
    for title in grid.titles:
        table.add_column(title.replace("-", "-\n", 1), justify="right", no_wrap=True)
    for name, cells in grid.rows.items():
        table.add_row(Text(name), *cells)
        if name in grid.published:
            table.add_row(Text("  the paper's", style="italic"), *grid.published[name], style="dim")
    return table


def study_markdown(scores: StudyScores, ablation: Ablation) -> str:
    """A study as a page of Markdown: the protocols side by side, and what a reader must know of them."""
    grids = {protocol: score_grid(scores, protocol) for protocol in scores.reports}
    corner = CORNERS[scores.study.kind]
    heads = [f"{protocol}: {title}" for protocol, grid in grids.items() for title in grid.titles]
    lines = [f"# {TITLES[scores.study.kind]}", "", _settings_line(scores, ablation), ""]
    lines += [_line([corner, *heads]), _line(["---", *["---:"] * len(heads)])]
    for value in scores.study.rows:
        name = row_name(scores, value.value)
        lines.append(_line([name, *(cell for grid in grids.values() for cell in grid.rows[name])]))
        if any(name in grid.published for grid in grids.values()):
            cells = [cell for grid in grids.values() for cell in _published_cells(grid, name)]
            lines.append(_line([f"*the paper's {value.value}*", *cells]))
    lines += ["", "Scores in per cent.", *_remarks(scores, grids), ""]
    for reports in scores.reports.values():
        lines += [f"`{signature}`  " for signature in dict.fromkeys(own.signature for own in reports.values())]
    return "\n".join(lines) + "\n"


def _published_cells(grid: ScoreGrid, name: str) -> list[str]:
    if name not in grid.published:
        return [""] * len(grid.titles)
    return [f"*{cell}*" for cell in grid.published[name]]


def _settings_line(scores: StudyScores, ablation: Ablation) -> str:
    settings, filtering = ablation.settings, ablation.settings.filtering
    dataset = next(iter(scores.reports.values()))[scores.study.rows[0].value].dataset
    return (
        f"{dataset.id}, {dataset.clips} clips, {dataset.frames} frames. Preset {ablation.preset}: detector "
        f"{settings.detection.kind}, τ {settings.tau:g}, k {filtering.window}, m {filtering.matches}, "
        f"h {filtering.overlap:g}, l {filtering.save_interval}, segmenter {settings.segmentation.kind}."
    )


def _remarks(scores: StudyScores, grids: Mapping[str, ScoreGrid]) -> list[str]:
    if scores.study.kind is StudyKind.FIG5:
        return [FIGURE5_REMARK]
    if scores.study.kind is StudyKind.FIG6:
        return [FIGURE6_REMARK]
    return [TABLE4_REMARK] if any(grid.published for grid in grids.values()) else []


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
