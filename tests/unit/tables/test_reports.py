"""Tables and frames of reports."""

from __future__ import annotations

import math
import subprocess
import sys

import pandas as pd
import pytest
from made_reports import made_report

from vadbench.errors import UsageError
from vadbench.tables import (
    NamedReport,
    TableContent,
    frame_content,
    report_frame,
    score_content,
    to_csv,
    to_latex,
    value_cell,
)

A = made_report({"pixel_auroc": 0.5, "pixel_f1_declared": 0.25, "rbdc": 0.7})
B = made_report({"pixel_auroc": 0.75, "rbdc": None}, version="0.2.0")


def titles(content: TableContent) -> list[str]:
    return [column.title for column in content.columns]


def test_metrics_stand_in_the_order_of_tables_or_as_asked() -> None:
    assert titles(score_content({"a": A, "b": B})) == ["Method", "Pixel-AUROC", "Pixel-F1 (declared)", "RBDC"]
    assert titles(score_content({"a": A}, metrics=["rbdc", "pixel_auroc", "rbdc"])) == ["Method", "RBDC", "Pixel-AUROC"]
    assert titles(score_content({"a": A}, metrics="tbdc")) == ["Method"]
    with pytest.raises(UsageError, match="U273"):
        score_content({"a": A}, metrics=["rbcd"])
    with pytest.raises(UsageError, match="U273"):
        score_content({"a": A}, sort="rbcd")


def test_digits() -> None:
    assert score_content({"a": made_report({"rbdc": 0.123456})}, digits=3).rows[0][1].text == "12.346"
    assert score_content({"a": made_report({"rbdc": 0.123456})}, digits=0).rows[0][1].text == "12"
    for digits in (-1, 7):
        with pytest.raises(UsageError, match="U278"):
            score_content({"a": A}, digits=digits)
    assert value_cell(None).text == "–"


def test_rows_stay_as_given_or_are_sorted_with_those_without_a_value_last() -> None:
    reports = {"b": B, "a": A, "c": made_report({"rbdc": 0.9})}
    names = [row[0].text for row in score_content(reports).rows]
    assert names == ["b", "a", "c"]
    assert [row[0].text for row in score_content(reports, sort="rbdc").rows] == ["c", "a", "b"]
    assert [row[0].text for row in score_content(reports, sort="pixel_auroc").rows] == ["b", "a", "c"]


def test_versions_of_the_program_share_a_block_whose_signature_names_none() -> None:
    (block,) = score_content({"a": A, "b": B}).blocks
    assert block.signature.endswith("|protocol=standard")
    assert block.title == ""


def test_titles_of_blocks_say_what_differs() -> None:
    other = {"rbdc": 0.5}
    assert [b.title for b in score_content({"a": A, "b": made_report(other, dataset="avenue")}).blocks] == [
        "UCSD Ped2",
        "CUHK Avenue",
    ]
    rows = [NamedReport("a", made_report(other, protocol=name)) for name in ("standard", "aed-2021")]
    assert [b.title for b in score_content(rows).blocks] == ["UCSD Ped2, standard", "UCSD Ped2, aed-2021"]
    moved = made_report(other).model_copy(
        update={"signature": "vadbench/1|data=ucsd-ped2:00000000|tracks=mask-overlap|protocol=standard|v=0.1.0"}
    )
    assert [b.title for b in score_content([rows[0], NamedReport("b", moved)]).blocks] == [
        "UCSD Ped2, standard, tracks mask-overlap, data 57a42e14, definitions 1",
        "UCSD Ped2, standard, tracks mask-overlap, data 00000000, definitions 1",
    ]


def test_a_frame_of_reports() -> None:
    frame = report_frame({"a": A, "b": B})
    assert list(frame.index) == ["a", "b"]
    assert list(frame.columns) == ["pixel_auroc", "pixel_f1_declared", "rbdc"]
    assert frame.loc["a", "rbdc"] == 0.7
    assert math.isnan(frame.loc["b", "rbdc"])
    assert {str(kind) for kind in frame.dtypes} == {"float64"}
    assert frame.attrs["signature"] == A.signature
    assert frame.attrs["titles"]["pixel_f1_declared"] == "Pixel-F1 (declared)"
    with pytest.raises(UsageError, match="U271"):
        report_frame({"a": A, "b": made_report({"rbdc": 0.1}, protocol="tao-release")})


def test_a_frame_becomes_a_table_after_pandas_has_worked_on_it() -> None:
    frame = report_frame({"a": A, "b": B}).sort_values("pixel_auroc", ascending=False)[["pixel_auroc", "rbdc"]]
    frame["note"] = ["x & y", "=1"]
    content = frame_content(frame, caption="C", digits=1)
    assert titles(content) == ["Method", "Pixel-AUROC", "RBDC", "note"]
    assert to_csv(content).splitlines()[1:] == [f'b,75.0,,x & y,"{A.signature}"', f'a,50.0,70.0,\'=1,"{A.signature}"']
    assert r"b & \textbf{75.0} & -- & x \& y \\" in to_latex(content)
    assert frame_content(report_frame({"a": A})).rows == score_content({"a": A}).rows


def test_a_frame_of_something_else() -> None:
    content = frame_content(pd.DataFrame({"one": [0.5, 0.25]}, index=["p", "q"]))
    assert titles(content) == ["Method", "one"]
    assert content.blocks[0].signature == ""


def test_without_pandas_tables_are_written_and_frames_say_how_to_install_it() -> None:
    code = """
import sys
sys.modules["pandas"] = None
from vadbench.tables import report_frame, score_content, to_latex, plain_table
from vadbench.errors import UsageError
try:
    report_frame({})
except UsageError as error:
    print(error.code, error.hint)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "U270 pip install 'vadbench[tables]'\n"


def test_importing_tables_loads_no_pandas() -> None:
    code = "import sys, vadbench.tables; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
