"""The tables of docs/security.md, made from the cases: ``python tests/hostile/security_tables.py`` writes them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

if __name__ == "__main__":
    _HERE = Path(__file__).parent
    sys.path[:0] = [str(_HERE), str(_HERE.parent / "unit/submission")]

from hostile_cases import CASES

PAGE = Path(__file__).parents[2] / "docs/security.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"

OTHERS = (
    (
        "a file of a folder changes while it is read",
        "S129",
        "changing_files",
        "a_file_of_a_folder_that_changes_while_it_is_read",
    ),
    ("a zip changes while it is read", "S129", "changing_files", "a_zip_that_changes_while_it_is_read"),
    (
        "a zip is exchanged after it was opened",
        "S129",
        "changing_files",
        "a_zip_that_was_exchanged_after_it_was_opened",
    ),
    (
        "a zip's directory changes while it is read",
        "S129",
        "changing_files",
        "a_directory_that_is_read_while_the_zip_is_written",
    ),
    ("a folder becomes a link after it was listed", "S124", "changing_files", "no_link_on_the_way_is_followed"),
    (
        "a pipe takes the place of a zip",
        "S124",
        "changing_files",
        "a_pipe_that_takes_the_place_of_a_zip_is_not_waited_for",
    ),
    ("a folder of more than 100 000 names", "S120", "changing_files", "more_names_than_a_zip_may_have_are_not_listed"),
    ("a path that no system takes", "S124 U130", "changing_files", "a_path_that_no_system_takes_is_a_coded_error"),
    (
        "escapes in a name, key or value, in every command",
        "as above",
        "hostile_submissions",
        "no_command_prints_what_could_steer_a_terminal",
    ),
    (
        "escapes and line feeds in the name of the zip",
        "as above",
        "hostile_submissions",
        "the_name_of_the_file_is_hostile_too",
    ),
    (
        "a clip named as a command to the CI runner",
        "S103",
        "hostile_submissions",
        "a_clip_cannot_forge_a_workflow_command",
    ),
    ("bombs and the largest chunks", "as above", "limits", "bombs_and_large_chunks_stay_within_the_limits"),
    ("the check runs out of memory", "S170", "sandbox", "whatever_happens_is_a_coded_error"),
    ("the check runs out of processor time", "S171", "sandbox", "processor_time_is_limited"),
    ("the check sleeps", "S171", "sandbox", "a_process_that_sleeps_is_ended_as_well"),
    ("the check crashes, is ended, or gives another answer", "S172", "sandbox", "whatever_happens_is_a_coded_error"),
    ("the check gives more than 4 MiB", "S172", "sandbox", "whatever_happens_is_a_coded_error"),
    (
        "the check looks for secrets or modules of the current folder",
        "none there",
        "sandbox",
        "the_process_gets_no_secret_and_nothing_of_the_current_folder",
    ),
)
"""What needs more than one file: what it is, its codes, and the test."""

_CASE_TEST = "test_a_hostile_submission_gets_its_codes_and_nothing_gets_out"


def tables() -> str:
    """Text between the marks, without them."""
    lines = [
        f"{len(CASES)} submissions, each built by its test and checked in",
        f"`tests/hostile/test_hostile_submissions.py`, `{_CASE_TEST}`:",
        "",
        "| case | codes |",
        "| --- | --- |",
        *(f"| {_cell(case.name)} | {case.codes} |" for case in CASES),
        "",
        "What needs more than a file:",
        "",
        "| case | codes | test in `tests/hostile` |",
        "| --- | --- | --- |",
        *(f"| {_cell(what)} | {codes} | `test_{file}.py`, `test_{name}` |" for what, codes, file, name in OTHERS),
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return re.sub(r"([|<>])", r"\\\1", text)


def page() -> str:
    """The page with the tables as they should be."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
