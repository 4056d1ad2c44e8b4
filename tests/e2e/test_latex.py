"""Tables as LaTeX, set by pdflatex with booktabs alone: they compile, and every name is printed and does nothing."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from made_reports import HOSTILE_NAMES, METHOD, made_report

from vadbench.cli import main
from vadbench.tables import (
    PREAMBLE,
    BibtexEntry,
    Block,
    Cell,
    Column,
    Direction,
    NamedReport,
    TableContent,
    bibliography,
    bibtex_of,
    escape_latex,
    score_content,
    side_by_side,
    to_latex,
    transposed,
)

pytestmark = pytest.mark.skipif(
    shutil.which("pdflatex") is None or shutil.which("pdftotext") is None,
    reason="pdflatex and pdftotext are not installed (Debian: texlive-latex-recommended, poppler-utils)",
)
VALUES = {"pixel_auroc": 0.9, "pixel_ap": 0.5, "rbdc": 0.4, "tbdc": None}


def compiled(folder: Path, tables: dict[str, str], bib: str = "", style: str = "plain") -> str:
    """Text of the document that takes the tables in, one a page."""
    for name, text in tables.items():
        assert text.isascii()
        (folder / f"{name}.tex").write_text(text, "ascii")
    body = "".join(f"\\input{{{name}}}\\clearpage\n" for name in tables)
    if bib:
        assert bib.isascii()
        (folder / "works.bib").write_text(bib, "ascii")
        body += f"\\bibliographystyle{{{style}}}\\bibliography{{works}}\n"
    lines = [r"\documentclass{article}", PREAMBLE, r"\begin{document}", body, r"\end{document}"]
    (folder / "paper.tex").write_text("\n".join(lines), "ascii")
    tex(folder, "pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper")
    if bib:
        tex(folder, "bibtex", "paper")
        for _ in range(2):
            tex(folder, "pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper")
    done = subprocess.run(["pdftotext", "-layout", "paper.pdf", "-"], cwd=folder, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")


def tex(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout.decode("latin-1")[-3000:]


def test_hostile_names_are_printed_and_do_nothing(tmp_path: Path) -> None:
    columns = [Column("method", "Method"), Column("x", "Pixel-AUROC", Direction.HIGHER, numbers=True)]
    pages = {
        f"t{n}": to_latex(
            TableContent(
                tuple(columns),
                (Block(((Cell(name), Cell("91.04", 0.9104)), (Cell("rival"), Cell("90.00", 0.9))), title=name),) * 2,
                notes=(name,),
                caption=f"Caption of {name}",
            )
        )
        for n, name in enumerate(HOSTILE_NAMES.values())
    }
    text = compiled(tmp_path, pages)
    # Nothing was carried out, and nothing ended the document before its end.
    shown = [page for page in text.split("\f") if page.strip()]
    assert len(shown) == len(HOSTILE_NAMES)
    assert all("91.04" in page and "rival" in page for page in shown)
    assert "root:" not in text
    by_name = dict(zip(HOSTILE_NAMES, shown, strict=True))
    assert r"\input{/etc/passwd}" in by_name["input"]
    assert r"\immediate\write18{touch owned}" in by_name["write18"]
    assert "^^5cinput{/etc/passwd}" in by_name["hats"].replace("\u02c6", "^")
    assert r"\end{tabular}\end{table}" in by_name["end"]
    assert "[10cm]*name" in by_name["optional argument"].replace("\u2217", "*")
    assert "}}}{{{" in by_name["braces"]
    assert "<script>alert(1)</script>" in by_name["script"]
    assert "----" in by_name["ligatures"]
    # The underscore is a line that is drawn, not a sign.
    for sign in r"\{}$&#%<>|[]@=+/();:,.!?":
        assert sign in by_name["specials"], sign
    assert not (tmp_path / "owned").exists()
    # Blocks stand where pdflatex has no sign, and a comment says for what.
    assert r"\rule" in pages[f"t{list(HOSTILE_NAMES).index('CJK')}"]
    assert "U+5F02" in pages[f"t{list(HOSTILE_NAMES).index('CJK')}"]


def test_a_file_of_the_command_with_citations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number, (kind, name) in enumerate(HOSTILE_NAMES.items()):
        shown = "".join(c for c in name if c.isprintable())[:400].strip() or kind
        method = METHOD | {"name": shown, "authors": [shown, "Last, First", f"{shown} and others"]}
        for dataset in ("ucsd-ped2", "avenue"):
            made_report(VALUES, dataset=dataset, method=method).write(f"{dataset}/{number:02d}.report.json")
    call = ["table", "ucsd-ped2", "avenue", "--caption", "All & more", "--label", "tab:all"]
    assert main([*call, "--out", "table.tex", "--bibtex", "works.bib"]) == 0
    text = compiled(tmp_path, {"table": Path("table.tex").read_text("ascii")}, Path("works.bib").read_text("ascii"))
    assert "All & more" in text
    assert "[?]" not in text
    assert "References" in text
    assert "root:" not in text


def test_every_arrangement_compiles(tmp_path: Path) -> None:
    reports = [
        NamedReport("One", made_report(VALUES), "one2026"),
        NamedReport("Two", made_report(VALUES | {"rbdc": 0.5}), "two2026"),
        NamedReport("One", made_report({**VALUES, "pixel_aupro": 0.3}, protocol="tao-release"), "one2026"),
        NamedReport("One", made_report({**VALUES, "pixel_aupro": 0.3, "frame_auroc_macro": 0.2}, dataset="avenue")),
    ]
    content = score_content(reports, caption="Scores", label="tab:scores")
    works = [bibtex_of(METHOD | {"name": name}) for name in ("One", "Two")]
    text = compiled(
        tmp_path,
        {
            "blocks": to_latex(content),
            "wide": to_latex(content, both_columns=True),
            "beside": to_latex(side_by_side(content)),
            "turned": to_latex(transposed(score_content(reports[:2]))),
        },
        bibliography(works),
    )
    assert "PR-AUC" in text
    assert re.search(r"One \[\d\]", text)


OWN_ENTRIES = {
    "usual": """@InProceedings{ionescu:2019,
      author = "Radu Tudor Ionescu and Fahad Shahbaz Khan and Mariana-Iuliana Georgescu and Ling Shao",
      title = {Object-centric Auto-encoders and Dummy Anomalies for {A}bnormal Event Detection in Video},
      booktitle = {CVPR}, year = 2019, pages = {7842--7851}, url = {https://example.org/a_b%20c#d}, month = jun }""",
    "careless": "@article{a, "
    "title={50% of A_1 & B #2 ~ x^2 <b>}, author={Müller, Jörg and Škodaj, Łukasz}, year={2020}}",
    "accents": r"@article{b, "
    r"title={\'Etude d'{\'e}t{\'{e}} \v{S}koda \H{o} \o{} \ss {\"u} \c{c}}, author={\'A. B}, year=1999}",
    "mathematics": r"@misc{c, "
    r"title={The $\Gamma_{2}$ of $x^{2}_i \times \alpha^{y^z}_1$ and $x²_2$}, "
    r"author={X}, year={2021}, note={\url{https://x_y}}}",
    "Unicode": "@misc{d, title={异常 β-VAE – “x”}, author={Ąęł Ő}, year={2021}}",
}


def test_entries_of_strangers_compile(tmp_path: Path) -> None:
    entries = []
    for name, text in OWN_ENTRIES.items():
        entry = bibtex_of(METHOD | {"bibtex": text}, taken=[own.key for own in entries])
        assert entry.fault is None, (name, entry.fault)
        entries.append(entry)
    cells = tuple((Cell(entry.key, cite=entry.key), Cell("1", 1.0)) for entry in entries)
    content = TableContent.of_rows([Column("m", "Method"), Column("x", "X", numbers=True)], cells)
    text = compiled(tmp_path, {"table": to_latex(content)}, bibliography(entries))
    assert "[?]" not in text
    assert "50% of" in text
    assert "Object-centric auto-encoders" in text


WORDS = r"""
\ { } $ ^ _ % & # ~ ' ` a B \' \v \H \i \alpha \mathrm \emph \LaTeX \ss \k \url {a} {\'e} $x^2$ \& \% - [ ] < " \" é β
中 | \{ \} \, \AA , 1 = @ {\o} $x^{2} $x_{1} ^{2}$ _1$ ²$
"""
PIECES = (*WORDS.split(), " ", "\\ ", " and ")


@pytest.mark.parametrize("style", ["plain", "alpha"])
def test_made_up_entries_are_refused_or_compile(style: str, tmp_path: Path) -> None:
    rng = random.Random(style)
    entries: list[BibtexEntry] = []
    # Labels of alpha end at z: it takes that many entries without an author.
    while len(entries) < 22:
        title, author = ("".join(rng.choices(PIECES, k=rng.randint(1, 8))) for _ in range(2))
        given = f"@article{{k, title={{{title}}}, author={{{author}}}, journal={{{title}}}, year=2020}}"
        entry = bibtex_of({"name": "x", "bibtex": given}, taken=[own.key for own in entries])
        entries += [entry] if entry.fault is None else []
    compiled(tmp_path, {"table": r"\nocite{*}"}, bibliography(entries), style=style)


def test_every_sign_of_the_basic_planes_compiles(tmp_path: Path) -> None:
    signs = (chr(code) for code in range(0x20, 0x2FFFF) if not 0xD800 <= code < 0xE000)
    # Thousands of signs are written alike; one of each is enough.
    written = dict.fromkeys(escape_latex(sign) for sign in signs)
    compiled(tmp_path, {"signs": "\n".join(f"{text} \\textbf{{\\textit{{{text}}}}}" for text in written)})
