"""What the benchmarks share: how much to measure, and one record a measurement, with its values."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# These modules are run as scripts too, so they stand beside one another and are no package.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "oracle")]

from peers import NotRunnableError  # noqa: E402 - after the path
from workloads import EXTENTS, Extent  # noqa: E402

_RECORDS = pytest.StashKey[list[dict[str, Any]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--size", choices=tuple(EXTENTS), default="full", help="how much to measure")
    parser.addoption("--records", type=Path, help="JSON file for what was measured")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_RECORDS] = []


def pytest_sessionfinish(session: pytest.Session) -> None:
    path = session.config.getoption("records")
    if path is not None:
        path.write_text(json.dumps(session.config.stash[_RECORDS], indent=1), encoding="utf-8")


@pytest.fixture(scope="session")
def extent(pytestconfig: pytest.Config) -> Extent:
    """How much of every workload is used."""
    return EXTENTS[pytestconfig.getoption("size")]


@pytest.fixture
def measure(benchmark: Any, pytestconfig: pytest.Config, extent: Extent) -> Callable[..., Any]:
    """Time a call once warm, and note the median under a section and a subject.

    ``measure(call, section=…, subject=…, slow=False, **facts)`` gives what the call gives. A dictionary of numbers is
    noted as its values. Slow calls are neither warmed nor repeated. A peer that does not run is noted with its reason.
    """

    def run(
        call: Callable[[], Any],
        *,
        section: str,
        subject: str,
        slow: bool = False,
        rounds: int | None = None,
        **facts: Any,
    ) -> Any:
        record: dict[str, Any] = {"section": section, "subject": subject, **facts}
        pytestconfig.stash[_RECORDS].append(record)
        count = 1 if slow else rounds or extent.rounds
        try:
            result = benchmark.pedantic(call, rounds=count, warmup_rounds=0 if slow else 1)
        except (NotRunnableError, MemoryError) as reason:
            record["unavailable"] = str(reason) or "not enough memory"
            pytest.skip(record["unavailable"])
        record |= {"seconds": benchmark.stats.stats.median, "rounds": count}
        if isinstance(result, dict):
            record["values"] = result
        return result

    return run
