"""Errors: their block of lines, their way through a worker, and the page that lists them."""

from __future__ import annotations

import pickle
import runpy
from pathlib import Path

import pytest

from vadbench.errors import DataError, UndefinedMetricError, VadbenchError, did_you_mean, quoted

GENERATOR = Path(__file__).parents[2] / "docs" / "generate_errors.py"


def example() -> DataError:
    return DataError(
        "D999",
        "frame count differs",
        where=("set", "clip 04"),
        expected="180 frames",
        got="165 frames",
        hint="look\nagain",
    )


def test_the_block_says_where_expected_got_and_what_to_do() -> None:
    assert example().block().splitlines() == [
        "error[D999] frame count differs",
        "  where     set · clip 04",
        "  expected  180 frames",
        "  got       165 frames",
        "  hint      look",
        "            again",
    ]


@pytest.mark.parametrize("error", [example(), UndefinedMetricError("there is no anomalous pixel")])
def test_an_error_survives_the_way_back_from_a_worker(error: VadbenchError) -> None:
    back = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(back) is type(error)
    assert back.block() == error.block()


def test_quoted_text_cannot_move_the_cursor_or_flood_the_screen() -> None:
    assert quoted("a\x1b[2Jb\n") == '"a\\x1b[2Jb\\n"'
    assert len(quoted("x" * 10_000)) < 100


def test_the_nearest_name_is_suggested() -> None:
    assert did_you_mean("uscd-ped2", ["ucsd-ped2", "avenue"]).startswith('did you mean "ucsd-ped2"?')
    assert did_you_mean("zzz", ["ucsd-ped2", "avenue"]) == "known: avenue, ucsd-ped2"


def test_the_page_of_errors_is_up_to_date() -> None:
    made = runpy.run_path(str(GENERATOR))
    assert (GENERATOR.parent / "errors.md").read_text("utf-8") == made["page"](), "run python docs/generate_errors.py"


def test_every_code_says_something() -> None:
    for code, messages in runpy.run_path(str(GENERATOR))["codes"]().items():
        assert messages, code
