"""The board as data: rankings of entries, blocks of published rows, what is set aside; pages and tables are made of it.

Source: protocols.md, "Signature"; docs/leaderboard.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from leaderboard.choices import Status

if TYPE_CHECKING:
    from vadbench import Report
    from vadbench.comparison import Interval, ReportStatistics


@dataclass(frozen=True)
class Citation:
    """A work that rows come from or describe.

    Parameters
    ----------
    key : str
        BibTeX key.
    bibtex : str
        The whole BibTeX entry; of a stranger's entry, text to be shown and nothing else.
    """

    key: str
    bibtex: str


class _Statistics:
    """Statistics of a row: at hand, or read whenever somebody asks, since those of two thousand rows fill memory."""

    @overload
    def __get__(self, row: None, owner: type) -> _Statistics: ...
    @overload
    def __get__(self, row: object, owner: type) -> ReportStatistics | None: ...
    def __get__(self, row: object | None, owner: type) -> _Statistics | ReportStatistics | None:
        if row is None:
            # So that a dataclass does not take this object for the default of the field.
            raise AttributeError("statistics")
        kept: ReportStatistics | Callable[[], ReportStatistics] | None = vars(row)["statistics"]
        return kept() if callable(kept) else kept

    def __set__(self, row: object, value: ReportStatistics | Callable[[], ReportStatistics] | None) -> None:
        vars(row)["statistics"] = value


@dataclass(frozen=True, kw_only=True)
class Row:
    """One entry under one protocol.

    Parameters
    ----------
    method, dataset : str
        Names of the folders of the entry: ``submissions/METHOD/DATASET``.
    name, version : str
        As the method calls itself; any text.
    status : Status
        Submitted or verified.
    supervision : str
        Of the metadata: one-class, zero-shot, ….
    report : Report
    statistics : ReportStatistics or None
        Absent where the entry brought none: there are no intervals then. Given as a function they are read whenever
        they are asked for: keep them in a variable while you work on a row.
    metadata : mapping
        ``submission.toml`` as a table.
    folder : Path
    report_sha256 : str
    citation : Citation or None
    protocol : str
        As the report's file is named, and as a signature writes it.
    """

    method: str
    dataset: str
    name: str
    version: str
    status: Status
    supervision: str
    report: Report
    statistics: _Statistics = _Statistics()
    metadata: Mapping[str, Any]
    folder: Path
    report_sha256: str
    citation: Citation | None = None
    protocol: str = "standard"

    @property
    def statistics_sha256(self) -> str | None:
        """Digest of the file of statistics; None where there are none, or where they are at hand and no file."""
        return getattr(vars(self)["statistics"], "sha256", None)

    @property
    def key(self) -> str:
        """Name of the row: ``METHOD/DATASET``, and the protocol where it is not ``standard``."""
        return row_key(self.method, self.dataset, self.protocol)


def row_key(method: str, dataset: str, protocol: str) -> str:
    """Name of a row, as ``--accept`` and the history call it."""
    return f"{method}/{dataset}" if protocol == "standard" else f"{method}/{dataset}/{protocol}"


@dataclass(frozen=True)
class Estimate:
    """How sure one value of a row is.

    Parameters
    ----------
    clips : Interval or None
        Where clips are resampled.
    scenes : Interval or None
        Where scenes are; None where all clips share one camera, or none do.
    ranks : tuple of two ints, or None
        Best and worst rank that the paired intervals over clips, and over scenes where there are any, allow; rows
        without statistics may stand anywhere.
    replicates : (B,) float64 or None
        Values in the resamples of clips, the same resamples for all rows of a ranking that have the same clips; NaN
        where not defined.
    scene_replicates : (B,) float64 or None
        The same of scenes.
    """

    clips: Interval | None = None
    scenes: Interval | None = None
    ranks: tuple[int, int] | None = None
    replicates: NDArray[np.float64] | None = None
    scene_replicates: NDArray[np.float64] | None = None

    @property
    def wider(self) -> Interval | None:
        """Of the two intervals the wider one: clips of one camera are not independent of each other."""
        known = [own for own in (self.clips, self.scenes) if own is not None]
        return max(known, key=lambda own: own.high - own.low, default=None)


@dataclass(frozen=True)
class RankedRow:
    """A row in its ranking: an estimate for each metric that it has a value of."""

    row: Row
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True)
class Ranking:
    """Rows that may be ranked against each other: one data set, one signature without the program's version.

    Parameters
    ----------
    id : str
        Fit for a file's name: ``ucsd-ped2-standard``.
    dataset : str
    protocol : str
        As a signature writes it.
    signature : str
        Without ``v``.
    titles : mapping from metric to title
        In the order of columns; metrics that no row has are left out.
    rows : tuple of RankedRow
        Best first by the metric `sorted_by`; rows without it last.
    sorted_by : str
    remarks : tuple of str
        What the number of clips and rows allows to say, in plain words.
    """

    id: str
    dataset: str
    protocol: str
    signature: str
    titles: Mapping[str, str]
    rows: tuple[RankedRow, ...]
    sorted_by: str
    remarks: tuple[str, ...] = ()

    def anywhere(self, metric: str) -> int:
        """Number of rows with a value that may stand anywhere: each widens the ranks of the others by one place."""
        own = [row.estimates.get(metric) for row in self.rows]
        return sum(estimate is not None and estimate.ranks is None for estimate in own)


@dataclass(frozen=True)
class PublishedRow:
    """A row as a paper prints it.

    Parameters
    ----------
    method : str
    setting : str or None
        zero-shot, fully fine-tuned, fully trained, partially fine-tuned; None where the paper does not say.
    variant : mapping from str to str
        What tells ablation rows apart.
    cells : mapping from metric to str
        As printed; absent where the paper prints none.
    cite : str or None
        BibTeX key.
    consistent : tuple of str
        Protocols that can have produced the row, as the audit finds; empty if none.
    protocol : str
        What is known of how this row's numbers were made, in words.
    """

    method: str
    setting: str | None
    variant: Mapping[str, str]
    cells: Mapping[str, str]
    cite: str | None
    consistent: tuple[str, ...] = ()
    protocol: str = ""


@dataclass(frozen=True)
class PublishedTable:
    """A table of a paper: outside every ranking, in the paper's order and rounding.

    Parameters
    ----------
    id : str
        ``tao-cvpr-2025-table-1``.
    paper, caption, dataset : str
    columns : mapping from metric to title
        Titles as the paper prints them.
    protocol : str
        What is known of how the numbers were made, in words.
    rows : tuple of PublishedRow
    source : Citation
    place : str
        Where in the paper: ``Table 1``.
    """

    id: str
    paper: str
    caption: str
    dataset: str
    columns: Mapping[str, str]
    protocol: str
    rows: tuple[PublishedRow, ...]
    source: Citation
    place: str = ""


@dataclass(frozen=True)
class Withdrawn:
    """A row that stood on the board once: what it was, since when it is gone, and why, as far as somebody said it."""

    method: str
    dataset: str
    name: str
    protocol: str
    date: str
    reason: str


@dataclass(frozen=True)
class Board:
    """Everything that is shown.

    Parameters
    ----------
    rankings : tuple of Ranking
        By data set, ``standard`` first.
    published : tuple of PublishedTable
    archive : tuple of Row
        Of an older version of the definitions, until they are scored again.
    withdrawn : tuple of Withdrawn
    history : str
        Text of HISTORY.md.
    citations : mapping from BibTeX key to Citation
        Of published rows.
    """

    rankings: tuple[Ranking, ...]
    published: tuple[PublishedTable, ...]
    archive: tuple[Row, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()
    history: str = ""
    citations: Mapping[str, Citation] = field(default_factory=dict)
