"""Where each page and file of the site lies: made of names of folders and rankings, never of a stranger's text."""

from __future__ import annotations

from leaderboard.board import Ranking, Row
from leaderboard.site.strangers import slug


def ranking_name(ranking: Ranking) -> str:
    """Name of a ranking as part of addresses and anchors."""
    return slug(ranking.id)


def method_page(row: Row) -> str:
    """Page of a method on a data set."""
    return f"methods/{slug(row.method)}/{slug(row.dataset)}.html"


def method_data(ranking: Ranking, row: Row) -> str:
    """Data of a method in a ranking, loaded where curves are drawn and where methods are compared."""
    return f"data/{ranking_name(ranking)}/{slug(row.method)}.js"


def timeline_data(ranking: Ranking, row: Row) -> str:
    """Frames of a method in a ranking, loaded where a timeline is enlarged."""
    return f"data/{ranking_name(ranking)}/{slug(row.method)}.timelines.js"


def table_file(name: str, form: str) -> str:
    """A table as a file: ``csv``, ``md``, ``tex`` or ``bib``."""
    return f"tables/{name}.{form}"
