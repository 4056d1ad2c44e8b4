"""Write ``errors.md``: every error code of the package, the baselines and the board, read from the code itself.

Run it as ``python docs/generate_errors.py`` after adding an error; a test compares the page with the code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from vadbench.submission.problems import TITLES

SOURCES = [Path(__file__).parents[1] / name for name in ("vadbench", "baselines", "leaderboard")]
PAGE = Path(__file__).parent / "errors.md"
_CODE = re.compile(r"[BCDLMPSU]\d{3}")
_FAMILIES = {
    "B": "the command `python -m baselines`",
    "C": "files of other formats (`ConversionError`)",
    "D": "data sets and arrays (`DataError`, and findings of `vadbench data verify`)",
    "L": "the command `python -m leaderboard` (`LeaderboardError`)",
    "M": "metrics without a value (`UndefinedMetricError`)",
    "P": "protocols and signatures (`ProtocolError`)",
    "S": "submissions and predictions (`SubmissionError`)",
    "U": "calls (`UsageError`)",
}

_OF_PROGRAMS = {
    "call": "an option is missing, unknown or has a wrong value",
    "command": "there is no command …",
    "refused": "the system refused to read or write",
    "memory": "memory ran out",
}
"""What the errors say that every program gives, by their fields of `vadbench.command_line.Codes`."""


def _text(node: ast.expr) -> str | None:
    """Text of a message; the parts that are filled in when the error is raised become dots."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.BinOp):
        return _text(node.left)
    if isinstance(node, ast.IfExp):
        return f"{_text(node.body)}; {_text(node.orelse)}"
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
    return None


def raised(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (code, message) of every call that names an error code."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id == "Codes":
            yield from ((_text(field.value) or "", _OF_PROGRAMS[field.arg or ""]) for field in node.keywords)
        for position, argument in enumerate(node.args):
            code = _text(argument)
            if code is None or not _CODE.fullmatch(code):
                continue
            message = _text(node.args[position + 1]) if position + 1 < len(node.args) else None
            if message in {"frames", "masks"}:
                message = f"the number of {message} is not the number of frames of the clip"
            yield code, message or TITLES.get(code, "")


def codes() -> dict[str, list[str]]:
    """Every code with its messages, sorted."""
    found: dict[str, set[str]] = {code: {title} for code, title in TITLES.items()}
    for path in sorted(path for folder in SOURCES for path in folder.rglob("*.py")):
        for code, message in raised(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(code, set()).update({message} - {""})
    found["C100"] = {"several clips cannot be used"}
    found["M101"] = {"the reason why the metric has no value for this input"}
    return {code: sorted(messages) for code, messages in sorted(found.items())}


def page() -> str:
    """Text of the page."""
    lines = [
        "# Errors",
        "",
        "Every error is one block: a stable code, what is true, where, what was expected, what was found, what to do.",
        "Exit codes of the command line: 1 for C, D, M and S (the input is wrong), 2 for P and U (the call is wrong);",
        "1 as well where a worker ended or the system refused (U102, U173, U178).",
        "This page is made from the code by `python docs/generate_errors.py`.",
    ]
    table = codes()
    for letter, family in _FAMILIES.items():
        lines += ["", f"## {letter}: {family}", "", "| code | says |", "| --- | --- |"]
        for code, messages in table.items():
            if code.startswith(letter):
                lines.append(f"| {code} | {'; '.join(messages).replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
