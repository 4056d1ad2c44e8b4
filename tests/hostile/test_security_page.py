"""docs/security.md lists every case with its codes, and only tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fuzz import MOST_MEMORY, SECONDS
from hostile_cases import CASES
from security_tables import OTHERS, PAGE, page

from vadbench.entries.sandbox import Limits
from vadbench.submission import array_meta, arrays, checked_json, problems, schema, toml_text, tree
from vadbench.validation.validation import LARGEST_JSON


def test_the_tables_are_those_of_the_cases():
    assert PAGE.read_text(encoding="utf-8") == page(), "run python tests/hostile/security_tables.py"


def test_every_case_is_a_row_with_its_codes():
    """Read from the page, not from what writes it."""
    rows = re.findall(r"^\| (.+?) \| ([SU0-9 ]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [(name.replace("\\", ""), codes) for name, codes in rows] == [
        (case.name.replace("\\", ""), case.codes) for case in CASES
    ]
    assert {code for case in CASES for code in case.codes.split()} <= problems.TITLES.keys()


@pytest.mark.parametrize("row", OTHERS, ids=lambda row: row[0])
def test_every_other_row_names_a_test_that_is_there(row):
    _, _, file, name = row
    text = (Path(__file__).parent / f"test_{file}.py").read_text(encoding="utf-8")
    assert re.search(rf"^def test_{name}\(", text, re.MULTILINE)


def test_the_limits_of_the_page_are_those_of_the_code():
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    limits = Limits()
    for words, holds in {
        "at most 100 000 entries": tree.MOST_ENTRIES == 100_000,
        "seven levels": tree.MOST_LEVELS == 7,
        "`zarr.json` at most 64 KiB and 16 levels": (arrays.LARGEST_JSON, arrays.JSON_LEVELS) == (2**16, 16),
        "`submission.toml` at most 64 KiB and 8 levels": (toml_text.LARGEST_TOML, toml_text.TOML_LEVELS) == (2**16, 8),
        "`provenance.json` at most 64 KiB and 5 levels": (schema.LARGEST_PROVENANCE, schema.PROVENANCE_LEVELS)
        == (2**16, 5),
        "a chunk at most 64 MiB decoded": array_meta.LARGEST_CHUNK == 64 * 2**20,
        "other than score maps at most 64 MiB": arrays.LARGEST_AT_ONCE == 64 * 2**20,
        "at most 256 GiB": arrays.LARGEST_TOTAL == 256 * 2**30,
        "a result at most 4 MiB": LARGEST_JSON == limits.result_bytes == 4 * 2**20,
        "4 GiB of address space": limits.address_space_bytes == 4 * 2**30,
        "30 minutes of processor time": limits.cpu_seconds == 1_800,
        "an hour by the clock": limits.wall_seconds == 3_600,
        "64 open files": limits.open_files == 64,
        "writes no file": limits.written_bytes == 0,
        "below 1 GB": MOST_MEMORY == 10**9,
        "within 5 seconds": SECONDS == 5,
    }.items():
        assert holds, words
        assert words in text, words
    assert checked_json.parse_json(b"1", levels=1) == 1
