"""What no output may hold, whatever the submission held."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Never

from vadbench.validation.presentation import github_lines, text_lines
from vadbench.validation.validation import Validation

LARGEST_OUTPUT = 4 * 2**20


def unsafe(text: str) -> list[str]:
    """Characters that could steer a terminal or turn a line around: controls, overrides, halves of characters."""
    return sorted({f"U+{ord(c):04X}" for c in text if not c.isprintable() and c != "\n"})


def _refused(literal: str) -> Never:
    raise ValueError(f"{literal} is not JSON")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def faults_of_output(validation: Validation) -> list[str]:
    """What is wrong with the forms that a result is given in."""
    text = validation.to_json()
    faults = []
    if len(text.encode()) > LARGEST_OUTPUT:
        faults.append(f"JSON of {len(text)} characters")
    if found := unsafe(text):
        faults.append(f"JSON with {found}")
    content = json.loads(text, parse_constant=_refused)
    for string in _strings(content):
        if found := unsafe(string):
            faults.append(f"{found} in {string[:100]!a}")
    for name, lines in (
        ("text", list(text_lines(validation, 60))),
        ("github", list(github_lines(validation))),
        ("github", list(github_lines(validation, file="a/submission.toml"))),
    ):
        if found := unsafe("\n".join(lines)):
            faults.append(f"{name} with {found}")
        if sum(map(len, lines)) > LARGEST_OUTPUT:
            faults.append(f"{name} of {sum(map(len, lines))} characters")
        # A line that a submission could begin would be a command to the runner.
        if any((line.startswith("::") and name == "text") or "\n" in line for line in lines):
            faults.append(f"{name} with a line of its own making")
    if Validation.model_validate_json(text) != validation:
        faults.append("JSON that does not give the same result back")
    return faults
