"""The page of a method on a data set: scores with intervals, curves, clips, timelines, mistakes, metadata, citation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leaderboard.board import RankedRow, Ranking, Row
from leaderboard.site.addresses import method_data, method_page, ranking_name, timeline_data
from leaderboard.site.curve_words import CurveFigure, curve_figures
from leaderboard.site.drawing import bars_picture
from leaderboard.site.environment import percent, render
from leaderboard.site.method_data import method_script, timeline_script
from leaderboard.site.metric_words import metric_words
from leaderboard.site.mistakes import CaseTable
from leaderboard.site.start_page import dataset_title, interval_text, method_name, rank_text
from leaderboard.site.statistics_parts import StatisticsParts, TimelineFigure
from leaderboard.site.strangers import clean, safe_link, shortened, slug

if TYPE_CHECKING:
    from vadbench import Report

_MACRO = "frame_auroc_macro"
_LINKS = {"paper": "Paper", "code": "Code"}


@dataclass(frozen=True)
class Placed:
    """A row and where it stands: None for a row of the archive."""

    ranking: Ranking | None
    ranked: RankedRow


@dataclass(frozen=True)
class ScoreLine:
    """One score of a section's table."""

    title: str
    words: str
    value: str
    clips_interval: str
    scenes_interval: str
    rank: str
    notes: str


@dataclass(frozen=True)
class Section:
    """What one report says, ready to be printed."""

    name: str
    protocol: str
    archived: bool
    ranking_address: str
    rows_in_ranking: int
    signature: str
    report_sha256: str
    scores: tuple[ScoreLine, ...]
    scenes: bool
    data: str
    curves: tuple[CurveFigure, ...]
    bars: str
    bars_title: str
    bars_metric: str
    clip_titles: tuple[tuple[str, str], ...]
    clip_rows: tuple[tuple[str, int, tuple[str, ...]], ...]
    timelines: tuple[TimelineFigure, ...]
    timeline_data: str
    mistakes: tuple[CaseTable, ...]
    command: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class MethodFiles:
    """Page and data files of a method on a data set, by address."""

    files: Mapping[str, str]


def method_files(
    placed: Sequence[Placed],
    parts: StatisticsParts,
    others: Sequence[Row],
    overlays: Sequence[tuple[str, str, str]],
) -> MethodFiles:
    """Page and data of one method on one data set.

    Parameters
    ----------
    placed : sequence of Placed
        Its rows on this data set, one a protocol, the first of them the one whose timelines and mistakes are shown.
    parts : StatisticsParts
        Of the first of them.
    others : sequence of Row
        One row for each data set of the method, this one included.
    overlays : sequence of (kind, address, name)
        Pictures and films of the method on this data set.
    """
    first = placed[0].ranked.row
    files: dict[str, str] = {}
    sections = []
    for index, own in enumerate(placed):
        section, data = _section(own, f"s{index}", parts if index == 0 else StatisticsParts())
        sections.append(section)
        files |= data
    address = method_page(first)
    content: dict[str, Any] = {
        "name": method_name(first),
        "full_name": clean(first.name),
        "row": first,
        "dataset_title": dataset_title(first.dataset),
        "data_sets": [
            {"title": dataset_title(row.dataset), "address": method_page(row), "here": row.dataset == first.dataset}
            for row in sorted(others, key=lambda row: row.dataset)
        ],
        "sections": sections,
        "any_curves": any(section.curves or section.bars for section in sections),
        "overlays": overlays,
        "overlay_command": f"vadbench overlay {slug(first.method)}.zip --clip CLIP --out CLIP.mp4",
        "facts": list(_facts(first.metadata)),
        "links": list(_links(first.metadata)),
        "description": _table(first.metadata, "method").get("description", ""),
        "bibtex": "" if first.citation is None else clean(first.citation.bibtex, lines=True).strip(),
    }
    files[address] = render("method.html.j2", address, content)
    return MethodFiles(files)


def _section(own: Placed, name: str, parts: StatisticsParts) -> tuple[Section, dict[str, str]]:
    ranking, ranked = own.ranking, own.ranked
    row, report = ranked.row, ranked.row.report
    files: dict[str, str] = {}
    data = when = ""
    if ranking is not None:
        data, when = method_data(ranking, row), timeline_data(ranking, row) if parts.clips else ""
        files[data] = method_script(ranking, ranked)
        if parts.clips:
            files[when] = timeline_script(ranking, ranked, parts.clips)
    titles = ranking.titles if ranking is not None else {key: key for key in report.scores}
    clip_titles = _clip_titles(report, titles)
    main = (
        ranking.sorted_by if ranking is not None and ranking.sorted_by in clip_titles else next(iter(clip_titles), "")
    )
    signature = report.signature
    section = Section(
        name=name,
        protocol=shortened(ranking.protocol if ranking is not None else row.protocol, 200),
        archived=ranking is None,
        ranking_address="" if ranking is None else f"index.html#{ranking_name(ranking)}",
        rows_in_ranking=0 if ranking is None else len(ranking.rows),
        signature=clean(signature),
        report_sha256=row.report_sha256,
        scores=tuple(_score_lines(ranked, titles)),
        scenes=any(estimate.scenes is not None for estimate in ranked.estimates.values()),
        data=data,
        curves=tuple(curve_figures(report, name)),
        bars=_bars(report, main, clip_titles.get(main, ""), name) if main else "",
        bars_title=clip_titles.get(main, ""),
        bars_metric=main,
        clip_titles=tuple(clip_titles.items()),
        clip_rows=tuple(
            (clip.id, clip.frames, tuple(percent(_value(report, index, key)) for key in clip_titles))
            for index, clip in enumerate(report.clips)
        ),
        timelines=parts.figures,
        timeline_data=when,
        mistakes=parts.mistakes,
        command=_command(row),
        warnings=tuple(clean(warning) for warning in report.warnings),
    )
    return section, files


def _score_lines(ranked: RankedRow, titles: Mapping[str, str]) -> Iterable[ScoreLine]:
    report = ranked.row.report
    for key, title in titles.items():
        score = report.scores.get(key)
        if score is None:
            continue
        estimate = ranked.estimates.get(key)
        notes = []
        if score.value is None:
            notes.append(f"not available: {score.reason or 'no reason given'}")
        if score.source:
            notes.append(f"from {score.source}")
        if score.order_bounds is not None:
            low, high = score.order_bounds
            notes.append(f"{percent(low)} to {percent(high)} by the order of detections with equal scores")
        if score.threshold is not None:
            notes.append(f"threshold {score.threshold}")
        if score.precision is not None and score.recall is not None:
            notes.append(f"precision {percent(score.precision)}, recall {percent(score.recall)}")
        if score.skipped_clips:
            notes.append(f"{score.clips} clips; {score.skipped_clips} of one class left out")
        yield ScoreLine(
            title,
            metric_words(key, title, report),
            percent(score.value),
            interval_text(None if estimate is None else estimate.clips),
            interval_text(None if estimate is None else estimate.scenes),
            rank_text(None if estimate is None else estimate.ranks),
            shortened("; ".join(notes), 300),
        )


def _clip_titles(report: Report, titles: Mapping[str, str]) -> dict[str, str]:
    """Metrics that any clip has a value of; the macro mean of one clip is the same as micro."""
    known = {
        key for row in report.clips for key, score in row.scores.items() if score.value is not None and key != _MACRO
    }
    return {key: title for key, title in titles.items() if key in known}


def _value(report: Report, index: int, key: str) -> float | None:
    score = report.clips[index].scores.get(key)
    return None if score is None else score.value


def _bars(report: Report, key: str, title: str, name: str) -> str:
    values = [_value(report, index, key) for index in range(len(report.clips))]
    names = [shortened(clip.id, 20) for clip in report.clips]
    return bars_picture(f"{name}-bars", names, values, title=f"{title} of each clip", mean=report.value(key))


def _command(row: Row) -> str:
    files = _table(row.metadata, "files")
    sha256 = str(files.get("sha256", ""))
    place = f"{slug(row.method)}.zip" if sha256 else f"out/{slug(row.method)}"
    protocol = "" if row.protocol == "standard" else f" --protocol '{clean(row.protocol)}'"
    return f"vadbench score {place} --root DATA/{slug(row.dataset)}{protocol}"


def _table(metadata: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = metadata.get(key, {})
    return found if isinstance(found, Mapping) else {}


def _listed(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(clean(part) for part in value)
    return clean(value)


def _facts(metadata: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What the metadata say, in words, except links, description and BibTeX."""
    method, training, files = (_table(metadata, key) for key in ("method", "training", "files"))
    named = [
        ("Authors", method.get("authors") or "not named"),
        ("Year", method.get("year")),
        ("Version", method.get("version")),
        ("Training", training.get("supervision")),
        ("Trained on", training.get("data") or "nothing of the data set"),
        ("Pretrained parts", training.get("pretrained") or "none"),
        ("Threshold chosen on", training.get("threshold_chosen_on")),
        ("Predictions", metadata.get("predictions")),
        ("Speed", f"{method['frames_per_second']} frames a second" if "frames_per_second" in method else None),
        ("Hardware", method.get("hardware")),
        ("SHA-256 of the predictions", files.get("sha256")),
    ]
    return ((name, _listed(value)) for name, value in named if value not in (None, ""))


def _links(metadata: Mapping[str, Any]) -> Iterable[tuple[str, str, str | None]]:
    """What the link is, its text, and its address where it may be followed."""
    method, files = _table(metadata, "method"), _table(metadata, "files")
    for key, words in _LINKS.items():
        if method.get(key):
            yield words, clean(method[key]), safe_link(method[key])
    if files.get("url"):
        yield "Predictions", clean(files["url"]), safe_link(files["url"])
