"""Tables of scores: for the terminal, and as text, Markdown, CSV and LaTeX for pages and papers.

`ScoreTable` is what commands print. `TableContent` is what a table says; `to_text`, `to_markdown`, `to_csv` and
`to_latex` write it, and make a stranger's names harmless as they do.
"""

from __future__ import annotations

from vadbench.inert_text import LONGEST_NAME, inert_text
from vadbench.protocol.titles import DECLARED, METRICS, metric_titles
from vadbench.tables.arranging import side_by_side, transposed
from vadbench.tables.bibtex import BibtexEntry, bibliography, bibtex_key, bibtex_of
from vadbench.tables.content import Block, Cell, Column, Direction, Mark, Row, TableContent
from vadbench.tables.csv_text import csv_cell, to_csv
from vadbench.tables.frames import frame_content, report_frame
from vadbench.tables.latex import PREAMBLE, to_latex
from vadbench.tables.latex_text import escape_latex
from vadbench.tables.markdown import escape_markdown, to_markdown
from vadbench.tables.plain_text import to_text
from vadbench.tables.ranking import Marking, marked
from vadbench.tables.reports import (
    TABLE_METRICS,
    NamedReport,
    clip_content,
    dataset_title,
    metric_column,
    score_content,
    value_cell,
)
from vadbench.tables.score_table import (
    NOT_AVAILABLE,
    ScoreTable,
    clip_table,
    percent,
    plain_table,
    score_notes,
    score_sources,
    score_table,
)

__all__ = [
    "DECLARED",
    "LONGEST_NAME",
    "METRICS",
    "NOT_AVAILABLE",
    "PREAMBLE",
    "TABLE_METRICS",
    "BibtexEntry",
    "Block",
    "Cell",
    "Column",
    "Direction",
    "Mark",
    "Marking",
    "NamedReport",
    "Row",
    "ScoreTable",
    "TableContent",
    "bibliography",
    "bibtex_key",
    "bibtex_of",
    "clip_content",
    "clip_table",
    "csv_cell",
    "dataset_title",
    "escape_latex",
    "escape_markdown",
    "frame_content",
    "inert_text",
    "marked",
    "metric_column",
    "metric_titles",
    "percent",
    "plain_table",
    "report_frame",
    "score_content",
    "score_notes",
    "score_sources",
    "score_table",
    "side_by_side",
    "to_csv",
    "to_latex",
    "to_markdown",
    "to_text",
    "transposed",
    "value_cell",
]
