"""Writes the site: all pages and files into a new folder, which then takes the place of the old one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from leaderboard.board import Board, RankedRow, Row
from leaderboard.cache import BoardCache
from leaderboard.errors import LeaderboardError
from leaderboard.site.libraries import require_libraries, write_libraries
from leaderboard.site.statistics_parts import Progress, StatisticsParts, all_parts

if TYPE_CHECKING:
    from leaderboard.audit import Audit

MARK = "made-by-vadbench.txt"
"""A file in every site that was written here: only such a folder, or an empty one, is replaced."""

_MARK_TEXT = "Written by `python -m leaderboard build`, which replaces this whole folder. Change nothing here.\n"


def write_site(
    board: Board,
    folder: Path,
    *,
    audit: Audit | None = None,
    overlays: Path | None = None,
    cache: BoardCache | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Write all pages into a folder, whole or not at all.

    Parameters
    ----------
    board : Board
    folder : Path
        Replaced as a whole; it must be absent, empty, or an earlier site.
    audit : Audit, optional
        Of reported rows, for the page of the protocols.
    overlays : Path, optional
        Folder of pictures and films, ``METHOD/DATASET/CLIP.mp4`` (or webm, gif, png, jpg), which are copied.
    cache : BoardCache, optional
        Where timelines and mistakes of each report are kept.
    workers : int, optional
        Processes that make what is not kept; as many as there are cores if absent.
    progress : callable, optional
        Told what is done, how far, and of how much.

    Raises
    ------
    LeaderboardError
        L160 where itables, Jinja2 or plotly is missing, L161 for a version of itables that cannot be read, L162 where
        something else is in the folder, L163 where the system refuses.

    Notes
    -----
    The same input gives the same bytes. Pages are made one after the other: memory does not grow with their number.
    """
    require_libraries()
    kept = BoardCache(None) if cache is None else cache
    _check_replaceable(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
            made = Path(temporary) / "site"
            made.mkdir()
            _write_assets(made)
            made_folders: set[Path] = set()
            for address, text in _site_files(
                board, audit, overlays, lambda rows: all_parts(rows, kept, workers=workers, progress=progress)
            ):
                place = made / address
                if place.parent not in made_folders:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    made_folders.add(place.parent)
                if isinstance(text, Path):
                    shutil.copyfile(text, place)
                else:
                    place.write_text(text, encoding="utf-8", newline="\n")
            _replace(folder, made, Path(temporary) / "old")
    except OSError as error:
        raise LeaderboardError(
            "L163",
            "the site cannot be written",
            where=str(folder),
            got=error.strerror or str(error),
            hint="look at the permissions and at the space that is left",
        ) from error


def _site_files(
    board: Board,
    audit: Audit | None,
    overlays: Path | None,
    parts_of: Callable[[Sequence[Row]], Iterator[StatisticsParts]],
) -> Iterator[tuple[str, str | Path]]:
    """Every page and file by its address: a text, or the file to be copied."""
    from leaderboard.site import reference_pages
    from leaderboard.site.method_page import Placed, method_files
    from leaderboard.site.overlay_files import overlays_of
    from leaderboard.site.start_page import archive_view, published_view, ranking_view, start_page
    from leaderboard.site.table_texts import ARCHIVE, board_texts

    texts = board_texts(board)
    rankings = [ranking_view(ranking, texts[ranking.id]) for ranking in board.rankings]
    published = [published_view(table, texts[table.id], audit) for table in board.published]
    archive = archive_view(board.archive, texts[ARCHIVE]) if board.archive else None
    yield MARK, _MARK_TEXT
    yield "index.html", start_page(board, rankings, published, archive)
    yield "compare.html", reference_pages.compare_page(rankings)
    yield "protocols.html", reference_pages.protocols_page(board, audit)
    yield "datasets.html", reference_pages.datasets_page(rankings)
    yield "submit.html", reference_pages.submit_page()
    yield "changes.html", reference_pages.changes_page(board)
    yield "about.html", reference_pages.about_page()
    for table in texts.values():
        yield from table.files.items()

    placed: dict[tuple[str, str], list[Placed]] = {}
    for ranking in board.rankings:
        for ranked in ranking.rows:
            placed.setdefault((ranked.row.method, ranked.row.dataset), []).append(Placed(ranking, ranked))
    for row in board.archive:
        placed.setdefault((row.method, row.dataset), []).append(Placed(None, RankedRow(row, {})))
    by_method: dict[str, list[Row]] = {}
    for (method, _), sections in placed.items():
        by_method.setdefault(method, []).append(sections[0].ranked.row)
    pages = sorted(placed.items())
    parts = parts_of([sections[0].ranked.row for _, sections in pages])
    for ((method, _), sections), own in zip(pages, parts, strict=True):
        films = overlays_of(sections[0].ranked.row, overlays)
        for film in films:
            yield film.address, film.source
        shown = [(film.kind, film.address, film.clip) for film in films]
        yield from method_files(sections, own, by_method[method], shown).files.items()


def _write_assets(folder: Path) -> None:
    assets = folder / "assets"
    assets.mkdir()
    own = resources.files("leaderboard.site") / "assets"
    for file in sorted(own.iterdir(), key=lambda file: file.name):
        if file.name.endswith((".css", ".js")):
            (assets / file.name).write_bytes(file.read_bytes())
    write_libraries(assets)


def _check_replaceable(folder: Path) -> None:
    """Raise `LeaderboardError` L162 where something lies in the folder that was not written here."""
    in_the_way = folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / MARK).is_file()))
    if folder.is_symlink() or in_the_way:
        raise LeaderboardError(
            "L162",
            "something else is where the site would be written",
            where=str(folder),
            expected="no such folder, an empty one, or an earlier site",
            hint="choose another folder, or move what is there",
        )


def _replace(folder: Path, made: Path, old: Path) -> None:
    """Put the new folder in the place of the old one, which goes back if that fails."""
    there = folder.exists()
    if there:
        folder.rename(old)
    try:
        made.rename(folder)
    except BaseException:
        if there:
            old.rename(folder)
        raise
