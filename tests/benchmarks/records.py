"""Measurements as they were noted, and how their numbers are written in tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True)
class Records:
    """All measurements; each has a section and a subject, mostly a workload."""

    all: Sequence[Record]

    def of(self, section: str, **facts: Any) -> list[Record]:
        """Measurements of a section that have these facts, in the order in which they were made."""
        chosen = {"section": section, **facts}
        return [own for own in self.all if all(own.get(key) == value for key, value in chosen.items())]

    def first(self, section: str, **facts: Any) -> Record:
        """The first of them; an empty record where there is none."""
        return next(iter(self.of(section, **facts)), {})


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown table."""
    lines = ["| " + " | ".join(titles) + " |", "|" + " --- |" * len(titles)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def time_of(record: Record) -> str:
    """Median, with its rounds; why there is none where there is none."""
    if "unavailable" in record:
        return f"*not run: {reason_of(record)}*"
    if "seconds" not in record:
        return "–"
    rounds = record.get("rounds", 1)
    return f"{seconds(record['seconds'])} ({'single' if rounds == 1 else rounds})"


def reason_of(record: Record) -> str:
    """Why a measurement is missing, on one line and without paths of this machine."""
    text = re.sub(r"\(?(?<![\w:])/[^\s)]+\)?", "", str(record["unavailable"])).replace("|", "/")
    return " ".join(text.split())[:160]


def seconds(value: float) -> str:
    """Time with three digits."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms")):
        if value >= factor:
            return f"{three_digits(value / factor)} {unit}"
    return f"{three_digits(value * 1e6)} µs"


def three_digits(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(peer: Record, ours: Record) -> str:
    """The peer's time over ours."""
    if not peer.get("seconds") or not ours.get("seconds"):
        return "–"
    return f"{three_digits(peer['seconds'] / ours['seconds'])}×"


def size_of(value: float | None) -> str:
    """Bytes as MB or GB."""
    if value is None:
        return "–"
    return (
        f"{value / 1e9:.1f} GB"
        if value >= 1e9
        else f"{value / 1e6:.0f} MB"
        if value >= 1e7
        else f"{value / 1e6:.1f} MB"
    )


def speed(record: Record, unit: float = 1e6) -> str:
    """Pixels a second, in millions."""
    if not record.get("seconds") or not record.get("pixels"):
        return "–"
    return three_digits(record["pixels"] / record["seconds"] / unit)


def values_of(record: Record, digits: int = 5) -> str:
    """Values with their names."""
    return ", ".join(f"{name} {value:.{digits}f}" for name, value in record.get("values", {}).items()) or "–"


def difference(value: float) -> str:
    """A difference from the exact value: 0, or one digit with its power of ten."""
    return "0" if value == 0 else f"{value:+.0e}".replace("-", "−").replace("e−0", "e−").replace("e+00", "")


def differences(record: Record, exact: dict[str, float]) -> str:
    """Differences of all values that have an exact counterpart."""
    values = record.get("values", {})
    found = [f"{name} {difference(values[name] - exact[name])}" for name in values if name in exact]
    return ", ".join(found) or "–"
