"""What is searched: each step a small table of settings, tried one row at a time from the best candidate so far.

A step changes the settings that its columns name, as a preset names them, and leaves all others as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from baselines.tao.choices import Choice
from baselines.tao.scoring.settings import ScoringSettings
from baselines.tao.settings import TaoSettings
from baselines.tao.settings_table import updated

Value = bool | int | float | tuple[str, ...]


class SearchStage(Choice):
    """Part of the search that a step belongs to."""

    SCORES = "scores"
    FILTER = "filter"
    MASKS = "masks"
    THRESHOLD = "threshold"


@dataclass(frozen=True)
class SearchStep:
    """Rows of values for some settings.

    Parameters
    ----------
    stage : SearchStage
    name : str
    columns : tuple of str
        Settings with the tables that hold them, such as ``filtering.window``.
    rows : tuple of tuple
        A value for each column.
    """

    stage: SearchStage
    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def candidates(self, settings: TaoSettings) -> Iterator[TaoSettings]:
        """Yield settings with the values of each row in turn."""
        for row in self.rows:
            yield with_values(settings, dict(zip(self.columns, row, strict=True)))


SCORES = (
    SearchStep(
        SearchStage.SCORES,
        "attributes",
        ("scoring.attributes", "tau"),
        tuple(
            (attributes, tau)
            for attributes, thresholds in (
                (("velocity",), (0.6, 0.9, 1.2)),
                (("velocity", "deep"), (1.0, 1.4, 1.8)),
                (("velocity", "shape"), (1.0, 1.4, 1.8)),
                (("velocity", "deep", "shape"), (1.4, 1.8, 2.2)),
            )
            for tau in thresholds
        ),
    ),
    SearchStep(
        SearchStage.SCORES,
        "velocity",
        ("scoring.directions", "scoring.core"),
        ((1, 1.0), (1, 0.5), (1, 0.25), (8, 1.0), (8, 0.5)),
    ),
    SearchStep(
        SearchStage.SCORES,
        "densities",
        ("scoring.velocity_components", "scoring.shape_components"),
        ((1, 1), (2, 2), (5, 2), (5, 5)),
    ),
    SearchStep(SearchStage.SCORES, "neighbours", ("scoring.neighbours",), ((1,), (3,))),
)
THRESHOLD = (
    SearchStep(
        SearchStage.THRESHOLD,
        "threshold",
        ("tau",),
        ((0.6,), (0.8,), (1.0,), (1.2,), (1.4,), (1.6,), (1.8,), (2.0,), (2.2,), (2.6,)),
    ),
)
FILTER = (
    SearchStep(SearchStage.FILTER, "interval", ("filtering.save_interval",), ((1,), (5,))),
    SearchStep(SearchStage.FILTER, "overlap", ("filtering.overlap",), ((0.01,), (0.05,), (0.1,), (0.2,), (0.3,))),
    SearchStep(
        SearchStage.FILTER,
        "window",
        ("filtering.window", "filtering.matches"),
        ((3, 1), (3, 2), (5, 2), (5, 3), (5, 4), (8, 3), (8, 5), (5, 0)),
    ),
)
_MASK = "segmentation.classical.mask"
MASKS = (
    # First, because the others are tried much faster where it is 0.
    SearchStep(SearchStage.MASKS, "grabcut", (f"{_MASK}.iterations",), ((0,), (1,), (2,))),
    SearchStep(SearchStage.MASKS, "foreground", (f"{_MASK}.foreground",), ((6.0,), (8.0,), (10.0,), (13.0,), (18.0,))),
    SearchStep(SearchStage.MASKS, "moving", (f"{_MASK}.moving",), ((0.0,), (0.15,), (0.25,), (0.4,))),
    SearchStep(SearchStage.MASKS, "margin", (f"{_MASK}.margin",), ((0.0,), (0.03,), (0.1,), (0.2,))),
    SearchStep(SearchStage.MASKS, "closing", (f"{_MASK}.closing",), ((0.0,), (0.05,), (0.1,))),
    SearchStep(
        SearchStage.MASKS,
        "vote",
        ("segmentation.classical.reach", "segmentation.classical.vote"),
        ((0, 0.5), (1, 0.5), (2, 0.4), (2, 0.5), (3, 0.5)),
    ),
    SearchStep(SearchStage.MASKS, "follow", ("segmentation.classical.follow",), ((0,), (2,), (4,), (8,))),
)

ROUNDS = 2
"""Times that filter, masks and threshold are gone through, because each depends on the others."""

SEARCH: tuple[tuple[SearchStep, ...], ...] = (
    SCORES,
    *(((*FILTER, *MASKS, *THRESHOLD),) * ROUNDS),
)
"""Rounds of steps, in the order in which they are searched."""


def columns_of(search: Sequence[Sequence[SearchStep]]) -> tuple[str, ...]:
    """All settings that are searched, each once, in order."""
    return tuple(dict.fromkeys(column for steps in search for step in steps for column in step.columns))


def scorings_of(start: TaoSettings, search: Sequence[Sequence[SearchStep]]) -> list[ScoringSettings]:
    """All settings of the scoring that a search from there may come to: any mixture of what its steps name."""
    found = {start.scoring}
    for step in dict.fromkeys(step for steps in search for step in steps):
        if any(column.startswith("scoring.") for column in step.columns):
            mixtures = (replace(start, scoring=one) for one in found.copy())
            found |= {candidate.scoring for mixture in mixtures for candidate in step.candidates(mixture)}
    return sorted(found, key=repr)


def with_values(settings: TaoSettings, values: Mapping[str, Value]) -> TaoSettings:
    """Settings with the values of some, by their dotted names; raises what `updated` raises."""
    table: dict[str, Any] = {}
    for name, value in values.items():
        *tables, last = name.split(".")
        inner = table
        for part in tables:
            inner = inner.setdefault(part, {})
        inner[last] = list(value) if isinstance(value, tuple) else value
    return updated(settings, table, ("grid of the search",))


def value_of(settings: TaoSettings, name: str) -> Any:
    """Value of a setting by its dotted name."""
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value
