"""Reports of given values, for tests of tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vadbench.evaluation.report import ClipRow, CurvePoints, DatasetIdentity, Report, Score

METHOD: dict[str, Any] = {
    "name": "Sketch",
    "authors": ["Ada Example", "Bo Example"],
    "year": 2026,
    "paper": "https://example.org/sketch",
}

HOSTILE_NAMES = {
    "specials": r"\ { } $ & # % _ ^ ~ < > | \" ' ` [ ] * @ = + - / ( ) ; : , . ! ?",
    "input": r"\input{/etc/passwd}",
    "write18": r"\immediate\write18{touch owned}",
    "catcode": r"\catcode`\%=12 \def\x{y}\x",
    "hats": "^^5cinput{/etc/passwd} ^^M^^@",
    "end": r"\end{tabular}\end{table}\end{document}",
    "row": r"a & b \\ \hline \bottomrule",
    "optional argument": "[10cm]*name",
    "comment": "50 % of $x_1^2$ #1",
    "braces": "}}}{{{",
    "verb": r"\verb|x| \csname end\endcsname",
    "script": "<script>alert(1)</script>",
    "link": "[x](javascript:alert(1)) ![y](https://example.org/z) https://example.org www.example.org",
    "pipes": "a|b||c\\|d",
    "code": "`code` ``more``",
    "formula": '=HYPERLINK("https://example.org","x")',
    "formulas": "@SUM(1+1)",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "direction": "safe\u202etxt.exe\u2066\u200f",
    "controls": "a\x00\x07\x1b[31mb\r\nc\td\u2028e\x85f",
    "emoji": "Detector \U0001f680\U0001f469\u200d\U0001f52c",
    "right to left": "\u0643\u0634\u0641 \u05d6\u05d9\u05d4\u05d5\u05d9",
    "CJK": "\u5f02\u5e38\u68c0\u6d4b \u7570\u5e38\u691c\u77e5 \uc774\uc0c1",
    "accents": "R\u00e4dle Sko\u010daj \u0141ukasz \u0130\u011f\u0131 \u1ebe\u0301 Gouiff\u00e8s \u0105\u0119",
    "combining": "a" + "\u0301" * 500 + "b",
    "greek": "\u03b2-VAE \u0394x \u2264 5\u00b0 HF\u00b2VAD",
    "long": "x" * 10_000,
    "long words": "absurd " * 2_000,
    "invisible": "\u200b\u2060\ufeff\u00ad",
    "empty": "",
    "half": "a\ud800b",
    "ligatures": "---- ,, '' `` << >> ?` !`",
}


def made_report(
    values: Mapping[str, float | None],
    *,
    dataset: str = "ucsd-ped2",
    protocol: str = "standard",
    version: str = "0.1.0",
    method: Mapping[str, Any] = METHOD,
    clips: Mapping[str, Mapping[str, float | None]] | None = None,
    reason: str = "nothing was flagged",
) -> Report:
    """A report with these values of metrics, fractions; None where there is none, for the reason."""

    def scores(own: Mapping[str, float | None]) -> dict[str, Score]:
        return {key: Score(value=value, reason=reason if value is None else None) for key, value in own.items()}

    return Report(
        signature=f"vadbench/1|data={dataset}:57a42e14|tracks=mask-overlap|protocol={protocol}|v={version}",
        dataset=DatasetIdentity(
            id=dataset, fingerprint="57a42e14", clips=2, frames=20, tracks="mask-overlap", tracks_fingerprint=None
        ),
        submission={"fingerprint": "0" * 64, "method": dict(method), "training": {"supervision": "one-class"}},
        scores=scores(values),
        clips=[ClipRow(id=name, frames=10, scores=scores(own)) for name, own in (clips or {}).items()],
        curves={"roc": CurvePoints(x=[0.0, 1.0], y=[0.0, 1.0])},
    )
