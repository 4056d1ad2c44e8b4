"""Whole tables as each writer writes them."""

from __future__ import annotations

import pytest
from made_reports import made_report
from rich.cells import cell_len

from vadbench.errors import UsageError
from vadbench.tables import (
    Block,
    Cell,
    Column,
    Direction,
    NamedReport,
    TableContent,
    clip_content,
    score_content,
    side_by_side,
    to_csv,
    to_latex,
    to_markdown,
    to_text,
    transposed,
)

ONE = made_report({"pixel_auroc": 0.91043, "pixel_aupro": 0.5, "rbdc": 0.7})
TWO = made_report({"pixel_auroc": 0.91041, "pixel_aupro": 0.25, "rbdc": None})
THREE = made_report({"pixel_auroc": 0.05, "pixel_aupro": 0.125, "rbdc": 0.69})
RELEASE = made_report({"pixel_auroc": 0.99, "pixel_aupro": 0.99, "rbdc": 0.99}, protocol="tao-release")
ROWS = [
    NamedReport("One", ONE, "one2026"),
    NamedReport("Two & more", TWO),
    NamedReport("Three", THREE),
    NamedReport("One", RELEASE, "one2026"),
]
CONTENT = score_content(ROWS, caption="Scores of Ped2", label="tab:ped2")

TEXT = """\
Scores of Ped2

UCSD Ped2, standard
             Pixel-    Pixel-
Method      AUROC ↑   AUPRO ↑   RBDC ↑
──────────  ────────  ────────  ───────
One           91.04*    50.00*   70.00*
Two & more    91.04*    25.00+       –
Three          5.00+    12.50    69.00+

vadbench/1|data=ucsd-ped2:57a42e14|tracks=mask-overlap|protocol=standard|v=0.1.0
– RBDC of Two & more: not available, because nothing was flagged

UCSD Ped2, tao-release
         Pixel-    PR-
Method  AUROC ↑  AUC ↑  RBDC ↑
──────  ───────  ─────  ──────
One       99.00  99.00   99.00

vadbench/1|data=ucsd-ped2:57a42e14|tracks=mask-overlap|protocol=tao-release|v=0.1.0

* best, + second
"""

MARKDOWN = """\
Scores of Ped2

**UCSD Ped2, standard**

| Method | Pixel-AUROC ↑ | Pixel-AUPRO ↑ | RBDC ↑ |
| :--- | ---: | ---: | ---: |
| One | **91.04** | **50.00** | **70.00** |
| Two &amp; more | **91.04** | *25.00* | – |
| Three | *5.00* | 12.50 | *69.00* |

Signature: `vadbench/1|data=ucsd-ped2:57a42e14|tracks=mask-overlap|protocol=standard|v=0.1.0`

– RBDC of Two &amp; more: not available, because nothing was flagged

**UCSD Ped2, tao-release**

| Method | Pixel-AUROC ↑ | PR-AUC ↑ | RBDC ↑ |
| :--- | ---: | ---: | ---: |
| One | 99.00 | 99.00 | 99.00 |

Signature: `vadbench/1|data=ucsd-ped2:57a42e14|tracks=mask-overlap|protocol=tao-release|v=0.1.0`
"""

STANDARD = "vadbench/1|data=ucsd-ped2:57a42e14|tracks=mask-overlap|protocol=standard|v=0.1.0"
CSV = f"""\
block,Method,Pixel-AUROC,Pixel-AUPRO,PR-AUC,RBDC,signature
"UCSD Ped2, standard",One,91.04,50.00,,70.00,"{STANDARD}"
"UCSD Ped2, standard",Two & more,91.04,25.00,,,"{STANDARD}"
"UCSD Ped2, standard",Three,5.00,12.50,,69.00,"{STANDARD}"
"UCSD Ped2, tao-release",One,99.00,,99.00,99.00,"{STANDARD.replace("standard", "tao-release")}"
"""

LATEX = r"""% The preamble needs: \usepackage{booktabs}
\begin{table}[t]
\centering
\setlength{\belowcaptionskip}{4pt}
\caption{Scores of Ped2}
\label{tab:ped2}
\small
\setlength{\tabcolsep}{5pt}
\renewcommand{\arraystretch}{1.1}
\begin{tabular}{@{}lrrr@{}}
\toprule
\textit{UCSD Ped2, standard} & \multicolumn{2}{c}{Pixel} &  \\
\cmidrule(lr){2-3}
Method & AUROC\,$\uparrow$ & AUPRO\,$\uparrow$ & RBDC\,$\uparrow$ \\
\midrule
One~\cite{one2026} & \textbf{91.04} & \textbf{50.00} & \textbf{70.00} \\
Two \& more & \textbf{91.04} & \underline{25.00} & -- \\
Three & \underline{5.00} & 12.50 & \underline{69.00} \\
\midrule
\textit{UCSD Ped2, tao-release} & \multicolumn{2}{c}{Pixel} &  \\
\cmidrule(lr){2-3}
Method & AUROC\,$\uparrow$ & PR-AUC\,$\uparrow$ & RBDC\,$\uparrow$ \\
\midrule
One~\cite{one2026} & 99.00 & 99.00 & 99.00 \\
\bottomrule
\end{tabular}
\par\smallskip
\parbox{\linewidth}{\scriptsize\raggedright
\textbf{Bold}: best, \underline{underlined}: second.\\
UCSD Ped2, standard: vadbench/1\textbar{}\allowbreak{}data=ucsd-ped2:57a42e14\textbar{}\allowbreak{}tracks=mask-overlap\textbar{}\allowbreak{}protocol=standard\textbar{}\allowbreak{}v=0.1.0; -- RBDC of Two \& more: not available, because nothing was flagged\\
UCSD Ped2, tao-release: vadbench/1\textbar{}\allowbreak{}data=ucsd-ped2:57a42e14\textbar{}\allowbreak{}tracks=mask-overlap\textbar{}\allowbreak{}protocol=tao-release\textbar{}\allowbreak{}v=0.1.0\par}
\end{table}
"""  # noqa: E501 (a line of LaTeX)


def test_text() -> None:
    assert to_text(CONTENT) == TEXT


def test_markdown() -> None:
    assert to_markdown(CONTENT) == MARKDOWN


def test_csv() -> None:
    assert to_csv(CONTENT) == CSV


def test_latex() -> None:
    assert to_latex(CONTENT) == LATEX


def test_text_of_a_narrow_terminal_comes_in_parts_that_fit() -> None:
    values = dict.fromkeys(("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1", "rbdc", "tbdc"), 0.5)
    content = score_content(
        {"a method of a rather long name": made_report(values), "異常検知 " * 9: made_report(values)}
    )
    for width in (40, 60, 80, 200):
        lines = to_text(content, width=width).splitlines()
        assert max(map(cell_len, lines)) <= width
        assert sum(line.startswith("─") for line in lines) == {40: 3, 60: 2, 80: 2, 200: 1}[width]


def test_strings_of_a_paper_stay_as_they_are_printed() -> None:
    columns = [Column("method", "Method"), Column("rbdc", "RBDC", Direction.HIGHER, numbers=True)]
    rows = [
        (Cell(name), Cell(text, float(text))) for name, text in (("SiVL", "74"), ("TAO", "83.6"), ("SS-VAD", "62.50"))
    ]
    content = TableContent.of_rows(columns, rows)
    for text in (to_text(content), to_markdown(content), to_csv(content), to_latex(content)):
        assert all(cell in text for cell in ("74", "83.6", "62.50"))
        assert "74.0" not in text
    assert r"\textbf{83.6}" in to_latex(content)
    assert r"\underline{74}" in to_latex(content)


def test_values_of_different_signatures_are_never_ranked_against_each_other() -> None:
    lines = to_latex(CONTENT).splitlines()
    assert not any("99.00}" in line for line in lines)
    beside = side_by_side(CONTENT)
    assert [row[0].text for row in beside.rows] == ["One", "Two & more", "Three"]
    assert (
        r"One~\cite{one2026} & \textbf{91.04} & \textbf{50.00} & \textbf{70.00} & 99.00 & 99.00 & 99.00 \\"
        in to_latex(beside)
    )


def test_side_by_side_names_blocks_above_their_columns() -> None:
    text = to_latex(side_by_side(CONTENT))
    assert r"\multicolumn{3}{c}{UCSD Ped2, standard} & \multicolumn{3}{c}{UCSD Ped2, tao-release}" in text
    assert r"\cmidrule(lr){2-4}\cmidrule(lr){5-7}" in text
    assert "UCSD Ped2, standard: Pixel-AUROC" in to_csv(side_by_side(CONTENT)).splitlines()[0]
    with pytest.raises(UsageError, match="U276"):
        side_by_side(score_content([NamedReport("x", ONE), NamedReport("x", TWO)]))


def test_a_turned_table_keeps_its_marks_citations_and_arrows() -> None:
    turned = transposed(score_content(ROWS[:3]))
    assert to_latex(turned).count(r"\textbf{91.04}") == 2
    assert r"RBDC\,$\uparrow$ & \textbf{70.00} & -- & \underline{69.00} \\" in to_latex(turned)
    assert r"Metric & One~\cite{one2026} & Two \& more & Three \\" in to_latex(turned)
    assert "| RBDC ↑ | **70.00** | – | *69.00* |" in to_markdown(turned)
    with pytest.raises(UsageError, match="U276"):
        transposed(CONTENT)


def test_a_table_of_clips_marks_nothing() -> None:
    report = made_report(
        {"pixel_auroc": 0.6, "frame_auroc_macro": 0.7},
        clips={"01": {"pixel_auroc": 0.5}, "02": {"pixel_auroc": 0.9}},
    )
    content = clip_content({"Sketch": report})
    assert to_csv(content).splitlines()[0] == "Clip,Pixel-AUROC,signature"
    assert [row[0].text for row in content.rows] == ["01", "02", "all clips"]
    assert "textbf" not in to_latex(content)
    assert "*" not in to_text(content)


def test_a_label_that_is_none_is_refused_and_a_key_that_is_none_is_not_cited() -> None:
    columns = [Column("m", "M")]
    with pytest.raises(UsageError, match="U272"):
        to_latex(TableContent.of_rows(columns, [(Cell("a"),)], label="x}\\input{y"))
    assert "cite" not in to_latex(TableContent.of_rows(columns, [(Cell("a", cite="x}\\input{y"),)]))


def test_both_columns_of_a_page() -> None:
    text = to_latex(CONTENT, both_columns=True)
    assert r"\begin{table*}[t]" in text
    assert r"\end{table*}" in text


def test_an_empty_table_is_written() -> None:
    content = TableContent((Column("m", "Method"),), (Block(()),))
    assert to_text(content).startswith("Method\n")
    assert to_markdown(content) == "| Method |\n| :--- |\n"
    assert to_csv(content) == "Method\n"
    assert r"\bottomrule" in to_latex(content)
