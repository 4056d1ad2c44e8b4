"""Scores as pandas frames, and frames as tables to be written.

pandas comes with ``pip install 'vadbench[tables]'``; nothing else here needs it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vadbench.errors import UsageError
from vadbench.protocol.titles import metric_titles
from vadbench.tables.content import Block, Cell, Column, TableContent
from vadbench.tables.reports import metric_column, value_cell

if TYPE_CHECKING:
    import pandas as pd

    from vadbench.evaluation.report import Report


def report_frame(reports: Mapping[str, Report]) -> pd.DataFrame:
    """Scores of several reports of one signature: one row a report, one column a metric, fractions in [0, 1].

    Parameters
    ----------
    reports : mapping from the row's name to Report
        All comparable: the same data, tracks and protocol.

    Returns
    -------
    DataFrame
        float64, NaN where a report has no value; rows in the order given under the index ``method``, columns by their
        keys in the order of tables. ``attrs`` holds ``signature``, the first report's, and ``titles``, by key.

    Raises
    ------
    UsageError
        U270 without pandas, U271 if the reports are not comparable.
    """
    pandas = _pandas()
    named = list(reports.items())
    signatures = [report.parsed_signature for _, report in named]
    for (name, report), signature in zip(named, signatures, strict=True):
        if not signature.comparable(signatures[0]):
            raise UsageError(
                "U271",
                "scores of different signatures do not belong in one frame",
                where=name,
                expected=named[0][1].signature,
                got=report.signature,
                hint="make a frame of each and join them: pandas.concat({name: report_frame(…), …})",
            )
    titles = metric_titles(signatures[0].protocol) if named else {}
    keys = [key for key in titles if any(key in report.scores for _, report in named)]
    values = [[report.value(key) for key in keys] for _, report in named]
    index = pandas.Index([name for name, _ in named], name="method", dtype=object)
    frame = pandas.DataFrame(values, index=index, columns=keys, dtype="float64")
    frame.attrs["signature"] = named[0][1].signature if named else ""
    frame.attrs["titles"] = {key: titles[key] for key in keys}
    return frame


def frame_content(frame: pd.DataFrame, *, digits: int = 2, caption: str = "", label: str = "") -> TableContent:
    """Table of a frame of fractions, such as `report_frame` gives, after whatever pandas did with it.

    Parameters
    ----------
    frame : DataFrame
        Columns of numbers are metrics, fractions of which higher is better; other columns are words. The signature
        and the titles are read from ``attrs``, where they are still there.
    digits : int
        Decimals of the values in per cent.
    caption, label : str
    """
    titles: Mapping[str, str] = frame.attrs.get("titles", {})
    numbers = {key: frame[key].dtype.kind in "fiu" for key in frame.columns}
    named = str(frame.index.name or "method")
    columns = [Column(named, "Method" if named == "method" else named)]
    columns += [
        metric_column(str(key), str(titles.get(key, key))) if numbers[key] else Column(str(key), str(key))
        for key in frame.columns
    ]
    rows = []
    for name, values in zip(frame.index, frame.itertuples(index=False, name=None), strict=True):
        cells = [Cell(str(name))]
        cells += [
            value_cell(_fraction(value), digits) if numbers[key] else Cell(str(value))
            for key, value in zip(frame.columns, values, strict=True)
        ]
        rows.append(tuple(cells))
    block = Block(tuple(rows), signature=str(frame.attrs.get("signature", "")))
    return TableContent(tuple(columns), (block,), (), caption, label)


def _fraction(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise UsageError(
            "U270", "frames need pandas, which is not installed", hint="pip install 'vadbench[tables]'"
        ) from error
    return pandas
