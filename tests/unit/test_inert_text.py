"""The signs of a stranger's text that never reach an output."""

from __future__ import annotations

import sys
import unicodedata

from vadbench.inert_text import BIDIRECTIONAL, escaped_lines, inert_text, without_hidden

EVERY_SIGN = "".join(map(chr, range(sys.maxunicode + 1)))


def test_of_all_signs_none_that_is_hidden_stays() -> None:
    shown = set(without_hidden(EVERY_SIGN))
    assert shown.isdisjoint(BIDIRECTIONAL)
    assert {c for c in shown if unicodedata.category(c)[0] == "C" or unicodedata.category(c) in {"Zl", "Zp"}} == {
        "\u200c",
        "\u200d",
    }
    assert set("aä异 –👩") <= shown


def test_signs_that_are_not_seen_do_not_let_marks_climb() -> None:
    for between in ("", "\u200d", "\u202e", "\x00"):
        shown = without_hidden("a" + f"\u0301{between}" * 50)
        assert shown.count("\u0301") == 3, f"U+{ord(between or ' '):04X}"
    assert without_hidden("á́b́") == "á́b́"


def test_line_feeds_stay_where_they_are_wanted() -> None:
    assert without_hidden("a\r\n\tb\u2028", kept="\n\t") == "a\n\tb"
    assert inert_text("a\r\n\tb\u2028c") == "a b c"


def test_what_is_escaped_shows_each_sign() -> None:
    assert escaped_lines("a\n\u202eb\ud800", 80) == "a\n\\u202eb\\ud800"
    assert escaped_lines("abcdef", 4) == "abc…"
