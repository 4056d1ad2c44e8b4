r"""Tables as LaTeX for papers: booktabs, best bold, second underlined, the signature as a note below.

Plain pdflatex and the package booktabs are enough.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from itertools import groupby

from vadbench.errors import UsageError, quoted
from vadbench.inert_text import LONGEST_NAME
from vadbench.tables.content import Cell, Column, Direction, Mark, TableContent
from vadbench.tables.latex_text import escape_latex, unsettable
from vadbench.tables.ranking import Marking, marked
from vadbench.tables.titles import title_lines, used_columns

LONGEST_LATEX_NAME = 48
_LONGEST_NOTE = 2_000
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._/-]{0,99}")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9:._-]{0,99}")
_ARROWS = {Direction.HIGHER: r"\,$\uparrow$", Direction.LOWER: r"\,$\downarrow$", Direction.NONE: ""}
_MARKS = {Mark.BEST: r"\textbf{%s}", Mark.SECOND: r"\underline{%s}", Mark.NONE: "%s", None: "%s"}
PREAMBLE = r"\usepackage{booktabs}"
LEGENDS = {Mark.BEST: r"\textbf{Bold}: best", Mark.SECOND: r"\underline{underlined}: second"}
_FEW_COLUMNS = 7
_LONG_TITLE = 10


def to_latex(
    content: TableContent,
    *,
    marking: Marking | str = Marking.BEST_AND_SECOND,
    longest: int = LONGEST_LATEX_NAME,
    both_columns: bool = False,
) -> str:
    r"""Write a table as LaTeX, to be taken in with ``\input``.

    Parameters
    ----------
    content : TableContent
        Every text of it is escaped; names too long for a line are shortened.
    marking : Marking or str
    longest : int
        Characters of a name.
    both_columns : bool
        ``table*``, across the page of a paper in two columns.

    Returns
    -------
    str
        Printable ASCII. The preamble needs ``\usepackage{booktabs}`` and nothing else, as a comment at the top says.

    Raises
    ------
    UsageError
        U272 for a label that LaTeX cannot take.
    """
    ready = marked(content, marking)
    if ready.label and not _LABEL.fullmatch(ready.label):
        raise UsageError(
            "U272",
            "this is no label for LaTeX",
            expected="letters, digits and : . - _ /, such as tab:ped2",
            got=quoted(ready.label),
        )
    environment = "table*" if both_columns else "table"
    lines = [f"% The preamble needs: {PREAMBLE}", *_comments(ready, longest)]
    lines += [rf"\begin{{{environment}}}[t]", r"\centering"]
    if ready.caption:
        # Classes that expect captions below leave no space between one and a table under it.
        lines += [r"\setlength{\belowcaptionskip}{4pt}", rf"\caption{{{escape_latex(ready.caption, _LONGEST_NOTE)}}}"]
    lines += [rf"\label{{{ready.label}}}"] if ready.label else []
    lines += _tabular(ready, longest)
    lines += _notes(ready)
    lines.append(rf"\end{{{environment}}}")
    return "\n".join(lines) + "\n"


def _comments(content: TableContent, longest: int) -> list[str]:
    """What cannot be set, by its code points, so that an author can put something better there."""
    found: dict[str, None] = {}
    for block in content.blocks:
        found |= dict.fromkeys(unsettable(block.title, LONGEST_NAME))
        found |= dict.fromkeys(c for row in block.rows for cell in row for c in unsettable(cell.text, longest))
    if not found:
        return []
    codes = " ".join(f"U+{ord(character):04X}" for character in found)
    return ["% Written as black blocks, since pdflatex has no sign for them:", f"%   {codes}"]


def _tabular(content: TableContent, longest: int) -> list[str]:
    slots = _slots(content)
    small, space = (r"\small", 5) if len(slots) <= _FEW_COLUMNS else (r"\footnotesize", 3)
    setting = "".join("r" if content.columns[slot[0]].numbers else "l" for slot in slots)
    lines = [small, rf"\setlength{{\tabcolsep}}{{{space}pt}}", r"\renewcommand{\arraystretch}{1.1}"]
    lines += [rf"\begin{{tabular}}{{@{{}}{setting}@{{}}}}", r"\toprule"]
    shared = all(len(slot) == 1 for slot in slots)
    lines += [*_heads([content.columns[slot[0]] for slot in slots]), r"\midrule"] if shared else []
    for number, block in enumerate(content.blocks):
        used = set(used_columns(content.columns, block))
        taken = [next((index for index in slot if index in used), slot[0]) for slot in slots]
        lines += [r"\midrule"] if number else []
        title = rf"\textit{{{escape_latex(block.title, LONGEST_NAME)}}}" if block.title else ""
        heads = [] if shared else [*_heads([content.columns[index] for index in taken]), r"\midrule"]
        if title and heads and heads[0].startswith(" & ") and len(block.title) <= longest:
            # Above the names there is room on the line of the groups.
            heads[0], title = title + heads[0], ""
        lines += [rf"\multicolumn{{{len(slots)}}}{{@{{}}l@{{}}}}{{{title}}} \\"] if title else []
        lines += heads
        lines += [" & ".join(_cell(row[index], longest) for index in taken) + r" \\" for row in block.rows]
    return [*lines, r"\bottomrule", r"\end{tabular}"]


def _slots(content: TableContent) -> list[list[int]]:
    """Columns that take one place: of one key, of which no block fills two, such as Pixel-AUPRO and PR-AUC."""
    used = [set(used_columns(content.columns, block)) for block in content.blocks]
    slots: list[list[int]] = []
    for index, column in enumerate(content.columns):
        for slot in slots[1:]:
            members = [*slot, index]
            alike = content.columns[slot[0]].key == column.key
            if alike and all(len(own.intersection(members)) <= 1 for own in used):
                slot.append(index)
                break
        else:
            slots.append([index])
    return slots


def _heads(columns: Sequence[Column]) -> list[str]:
    """One line of titles, or two where neighbours stand under a common one."""
    groups = [(group, list(members)) for group, members in groupby(columns, key=lambda column: column.group)]
    common = [bool(group) and len(members) > 1 for group, members in groups]
    titles = [
        _cited(_head(own, grouped=grouped), own.cite)
        for grouped, (_, members) in zip(common, groups, strict=True)
        for own in members
    ]
    lines = [" & ".join(titles) + r" \\"]
    if not any(common):
        return lines
    above, rules, first = [], [], 1
    for grouped, (group, members) in zip(common, groups, strict=True):
        n = len(members)
        above.append(rf"\multicolumn{{{n}}}{{c}}{{{escape_latex(group)}}}" if grouped else " & " * (n - 1))
        rules += [rf"\cmidrule(lr){{{first}-{first + n - 1}}}"] if grouped else []
        first += n
    return [" & ".join(above) + r" \\", "".join(rules), *lines]


def _head(column: Column, *, grouped: bool) -> str:
    text = column.head or column.title if grouped else column.title
    return _title(text, right=column.numbers) + _ARROWS[column.direction]


def _title(text: str, *, right: bool) -> str:
    """A title; a long one in lines, as heads of columns are broken everywhere here."""
    if not _LONG_TITLE <= len(text) <= LONGEST_NAME:
        return escape_latex(text)
    lines = title_lines(text) if right else textwrap.wrap(text, _LONG_TITLE, break_long_words=False)
    stacked = "\\\\".join(map(escape_latex, lines))
    return rf"\shortstack[{'r' if right else 'l'}]{{\strut {stacked}}}" if len(lines) > 1 else stacked


def _cell(cell: Cell, longest: int) -> str:
    text = escape_latex(cell.text, longest)
    # An underlined empty cell would be a line.
    text = _MARKS[cell.mark] % text if text else ""
    text += _ARROWS[cell.direction]
    return _cited(text, cell.cite)


def _cited(text: str, key: str | None) -> str:
    return f"{text}~\\cite{{{key}}}" if key and _KEY.fullmatch(key) else text


def _notes(content: TableContent) -> list[str]:
    marks = {cell.mark for row in content.rows for cell in row}
    legend = [LEGENDS[mark] for mark in (Mark.BEST, Mark.SECOND) if mark in marks]
    notes = [f"{', '.join(legend)}."] if legend else []
    for block in content.blocks:
        texts = [_note(text) for text in (block.signature, *block.notes) if text]
        before = f"{_note(block.title)}: " if block.title else ""
        notes += [before + "; ".join(texts)] if texts else []
    notes += map(_note, content.notes)
    if not notes:
        return []
    return [r"\par\smallskip", r"\parbox{\linewidth}{\scriptsize\raggedright", "\\\\\n".join(notes) + r"\par}"]


def _note(text: str) -> str:
    """A note; a signature in it may be broken after the signs between its parts."""
    escaped = escape_latex(text, _LONGEST_NOTE)
    return escaped.replace(r"\textbar{}", r"\textbar{}\allowbreak{}").replace("+", r"+\allowbreak{}")
