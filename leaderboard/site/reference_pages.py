"""Pages that explain: protocols with the audit of reported rows, data sets, how to submit, changes, how it is made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leaderboard.board import Board
from leaderboard.site.audit_view import audit_tables
from leaderboard.site.environment import render
from leaderboard.site.history_text import history_parts
from leaderboard.site.libraries import licences
from leaderboard.site.method_data import pairs_with_values
from leaderboard.site.start_page import RankingView
from leaderboard.site.strangers import clean, safe_link, shortened, slug
from vadbench import Protocol, known_datasets
from vadbench.datasets import DatasetFacts, load_facts
from vadbench.protocol import EXPLANATIONS, preset_names, preset_title, value_text

if TYPE_CHECKING:
    from leaderboard.audit import Audit

_NOT_KNOWN = "–"

_FORMS = {
    "pixel.f1": (
        "at(x)",
        "takes F1 where every pixel with a score above x counts as anomalous: one cut for all, chosen without "
        "the test truth; the value depends on the scale of the scores",
    )
}
"""Fields with values of a form, and what that form does."""

_WRITER = """import vadbench

METHOD = {"name": "My Method", "authors": ["A. Author"], "year": 2026, "code": "https://example.org/my-method"}
TRAINING = {"supervision": "one-class", "data": ["ucsd-ped2:train"], "pretrained": []}

dataset = vadbench.open_dataset("ucsd-ped2", "data/UCSDped2")
with vadbench.SubmissionWriter("out/my-method", dataset=dataset, method=METHOD, training=TRAINING) as writer:
    for clip in dataset.clips:
        scores = my_model(clip.read_frames())    # (frames, height, width), higher is more anomalous
        writer.write_clip(clip.id, score_maps=scores)"""

_SCORING = """vadbench validate out/my-method
vadbench pack out/my-method
vadbench score out/my-method.zip --root data/UCSDped2 --statistics"""

_ENTERING = """mkdir -p submissions/my-method/ucsd-ped2
cp out/my-method/submission.toml submissions/my-method/ucsd-ped2/submission.toml
cp out/my-method.report.json submissions/my-method/ucsd-ped2/report.json
cp out/my-method.statistics.json submissions/my-method/ucsd-ped2/statistics.json"""

_FILES = """[files]
url = "https://example.org/my-method.zip"
sha256 = "what vadbench pack printed\""""

_SENDING = """vadbench submit-check submissions/my-method/ucsd-ped2 --fetch
git fetch upstream    # the repository of the board: git remote add upstream URL, once
git switch --create my-method upstream/main
git add submissions/my-method/ucsd-ped2
git commit --message "Enter My Method on UCSD Ped2"
vadbench submit-check --changed-since upstream/main --fetch
git push --set-upstream origin my-method"""


@dataclass(frozen=True)
class FieldView:
    """One field of protocols, ready to be printed."""

    name: str
    anchor: str
    values: tuple[str, ...]
    meaning: str
    metrics: str
    effect: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DatasetView:
    """One data set, ready to be printed."""

    id: str
    title: str
    licence: str
    source: tuple[tuple[str, str | None], ...]
    citation: str
    fingerprint: str
    masks: str
    clips: str
    frames: str
    training_clips: str
    size: str
    anomalous_frames: str
    prevalence: str
    tracks: str
    regions: str
    clip_rows: tuple[tuple[str, int], ...]
    rankings: tuple[tuple[str, str], ...]


def protocols_page(board: Board, audit: Audit | None) -> str:
    """Presets side by side, every field in words, and the audit."""
    names = preset_names()
    values = {name: dict(Protocol.preset(name).values()) for name in names}
    fields = [
        FieldView(
            field,
            slug(field),
            tuple(value_text(values[name][field]) for name in names),
            words.meaning,
            words.metrics,
            words.effect,
            tuple(_choices(field, [values[name][field] for name in names])),
        )
        for field, words in EXPLANATIONS.items()
    ]
    content: dict[str, Any] = {
        "presets": [(name, preset_title(name)) for name in names],
        "fields": fields,
        "audit": [] if audit is None else audit_tables(audit, board.published),
    }
    return render("protocols.html.j2", "protocols.html", content)


def _choices(field: str, used: list[Any]) -> Iterator[tuple[str, str]]:
    """Every value of a field that has a name, the form of others, and those numbers that presets use."""
    words = EXPLANATIONS[field]
    yield from words.does.items()
    if field in _FORMS:
        yield _FORMS[field]
    for value in dict.fromkeys(used):
        if value_text(value) not in words.does:
            yield value_text(value), words.phrase(value)


def datasets_page(rankings: list[RankingView]) -> str:
    """Facts of all data sets that are published somewhere."""
    sets = [_dataset_view(load_facts(name), rankings) for name in known_datasets() if _is_published(load_facts(name))]
    return render("datasets.html.j2", "datasets.html", {"sets": sets})


def _is_published(facts: DatasetFacts) -> bool:
    """Whether this is a set of the field: neither a made one nor a folder of one's own."""
    return facts.id not in {"synthetic", "folder"}


def _dataset_view(facts: DatasetFacts, rankings: list[RankingView]) -> DatasetView:
    frames = sum(facts.clips.values())
    pixels = facts.expected.get("anomalous_pixels")
    share = _NOT_KNOWN
    if pixels is not None and facts.size is not None and facts.clips:
        masked = sum(facts.clips[clip] for clip in facts.mask_clips)
        share = f"{100 * pixels / (masked * facts.size[0] * facts.size[1]):.2f} %"
    masks = ""
    if facts.clips and len(facts.mask_clips) < len(facts.clips):
        masks = f"official masks of {len(facts.mask_clips)} of {len(facts.clips)} clips: {', '.join(facts.mask_clips)}"
    return DatasetView(
        id=facts.id,
        title=facts.title,
        licence=facts.licence,
        source=tuple(_with_links(" ".join(facts.source.split()))),
        citation=" ".join(facts.citation.split()),
        fingerprint=facts.fingerprint or "",
        masks=masks,
        clips=_number(len(facts.clips)),
        frames=_number(frames),
        training_clips=_number(len(facts.training_clips)),
        size=_NOT_KNOWN if facts.size is None else f"{facts.size[1]} × {facts.size[0]}",
        anomalous_frames=_number(facts.expected.get("anomalous_frames", 0)),
        prevalence=share,
        tracks=_number(facts.expected.get("tracks", 0)),
        regions=_number(facts.expected.get("regions", 0)),
        clip_rows=tuple(facts.clips.items()),
        rankings=tuple(
            (view.name, shortened(view.ranking.protocol)) for view in rankings if view.ranking.dataset == facts.id
        ),
    )


def _with_links(text: str) -> Iterator[tuple[str, str | None]]:
    """Pieces of a text with the address of each that is one."""
    for piece in re.split(r"(https?://[^\s,;]+)", text):
        if piece:
            yield piece, safe_link(piece)


def _number(value: int) -> str:
    """A count with thin spaces between groups of three digits; a dash for none, which here means not known."""
    return f"{value:,}".replace(",", "\u202f") if value else _NOT_KNOWN


def submit_page() -> str:
    """From predictions to a row."""
    content = {
        "writer": _WRITER,
        "scoring": _SCORING,
        "entering": _ENTERING,
        "files": _FILES,
        "sending": _SENDING,
    }
    return render("submit.html.j2", "submit.html", content)


def changes_page(board: Board) -> str:
    """The history."""
    return render("changes.html.j2", "changes.html", {"history": history_parts(board.history)})


def about_page() -> str:
    """How the pages are made, and licences."""
    texts = [(name, version, clean(text, lines=True)) for name, version, text in licences()]
    return render("about.html.j2", "about.html", {"licences": texts})


def compare_page(rankings: list[RankingView]) -> str:
    """Two methods of one ranking; the numbers come from the data files of the two."""
    index = [_ranking_index(view) for view in rankings]
    return render("compare.html.j2", "compare.html", {"rankings": rankings, "index": index})


def _ranking_index(view: RankingView) -> dict[str, Any]:
    return {
        "name": view.name,
        "pairs": pairs_with_values([ranked.row.report for ranked in view.ranking.rows], view.ranking.titles),
        "titles": [[key, title] for key, title in view.ranking.titles.items()],
        "curveLimits": _curve_limits(view),
        "methods": [list(own) for own in _methods(view)],
    }


def _methods(view: RankingView) -> Iterator[tuple[str, str, str]]:
    """Slug, name and page of each row."""
    for ranked, row in zip(view.ranking.rows, view.rows, strict=True):
        yield slug(ranked.row.method), f"{row.name} {row.version}".strip(), row.address


def _curve_limits(view: RankingView) -> dict[str, float]:
    from leaderboard.site.curve_words import limits

    return limits(view.ranking.rows[0].row.report) if view.ranking.rows else {}
