"""Errors in lines that fit a terminal, and as they are where nobody looks at them."""

from __future__ import annotations

import io

import pytest

from vadbench.cli import main
from vadbench.command_line.error_output import print_error, wrapped_block
from vadbench.errors import SubmissionError

PATH = "a folder/with a very long path/that is longer/than any line of a narrow terminal"
ERROR = SubmissionError(
    "S103",
    "the clips are not those of the data set, and this is said at length",
    where=(PATH, "clip 01"),
    expected=", ".join(['"a quoted value"'] * 8),
    got="one line\nand another",
    hint="a sentence that was broken since its line would have been too\nlong otherwise; here it goes on",
)


def test_lines_fit_and_nothing_is_torn() -> None:
    lines = wrapped_block(ERROR, 60).splitlines()
    assert lines[0].startswith("error[S103] the clips")
    assert f"  where     {PATH} ·" in lines
    assert max(len(line) for line in lines if PATH not in line) <= 60
    assert all(line.count('"') % 2 == 0 for line in lines)
    assert all(line.startswith(" " * 12) for line in lines[1:] if line[2:3] == " ")
    assert "  got       one line" in lines
    assert " " * 12 + "and another" in lines
    words = " ".join(" ".join(lines).split())
    assert "would have been too long otherwise" in words
    assert words == " ".join(ERROR.block().split())


@pytest.mark.parametrize(("columns", "is_wrapped"), [("60", True), ("", False), ("0", False), ("x", False)])
def test_only_where_a_width_is_known(columns: str, is_wrapped: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    stream = io.StringIO()
    print_error(ERROR, stream)
    assert stream.getvalue() == (wrapped_block(ERROR, 60) if is_wrapped else ERROR.block()) + "\n"


def test_the_command_line_wraps(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["score", "--no-such-option-of-any-command", "and more", "and still more"]) == 2
    assert main(["vaildate"]) == 2
    err = capsys.readouterr().err
    assert "error[U101]" in err
    assert max(map(len, err.splitlines())) <= 60
