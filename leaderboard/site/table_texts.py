"""Rankings and papers' tables as CSV, Markdown, LaTeX and BibTeX: what the buttons copy, and files beside the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leaderboard.board import Board, PublishedTable, Ranking
from leaderboard.site.strangers import slug
from leaderboard.table_files import ranking_bibliography, table_files

FORMS = {"csv": "CSV", "md": "Markdown", "tex": "LaTeX", "bib": "BibTeX"}
"""Ends of the files' names, with the words on the buttons."""

ARCHIVE = "archive"
"""Name of the table of rows that older definitions scored."""


@dataclass(frozen=True)
class TableTexts:
    """The texts of one table.

    Parameters
    ----------
    name : str
        Of the files, without their ends.
    texts : mapping from a key of FORMS to text
        Without BibTeX where nothing is cited.
    """

    name: str
    texts: Mapping[str, str]

    @property
    def forms(self) -> list[tuple[str, str]]:
        """Ends and words of the texts that there are."""
        return [(form, title) for form, title in FORMS.items() if self.texts.get(form)]

    @property
    def files(self) -> dict[str, str]:
        """The texts as files of the site."""
        return {f"tables/{self.name}.{form}": text for form, text in self.texts.items()}


def board_texts(board: Board) -> dict[str, TableTexts]:
    """Texts of all rankings, papers' tables and the archive, by their ids."""
    files = table_files(board)
    found = {}
    works: list[tuple[str, str]] = [(ranking.id, ranking_bibtex(ranking)) for ranking in board.rankings]
    works += [(table.id, table_bibtex(table, board)) for table in board.published]
    for identity, bibtex in works:
        texts = {form: files[f"{identity}.{form}"].decode() for form in ("csv", "md", "tex")}
        found[identity] = TableTexts(slug(identity), texts | ({"bib": bibtex} if bibtex else {}))
    if board.archive:
        found[ARCHIVE] = TableTexts(ARCHIVE, {form: files[f"{ARCHIVE}.{form}"].decode() for form in ("csv", "md")})
    return found


def ranking_bibtex(ranking: Ranking) -> str:
    """The entries that the rows of a ranking's LaTeX cite, each once."""
    entries = {entry.key: entry.text.strip() + "\n" for entry in ranking_bibliography(ranking).values()}
    return "\n".join(text for _, text in sorted(entries.items()))


def table_bibtex(table: PublishedTable, board: Board) -> str:
    """The paper that printed a table, and the works that its rows are of."""
    works = {table.source.key: table.source.bibtex}
    for row in table.rows:
        if row.cite is not None and row.cite in board.citations:
            works.setdefault(row.cite, board.citations[row.cite].bibtex)
    return "\n".join(text.strip() + "\n" for text in works.values())
