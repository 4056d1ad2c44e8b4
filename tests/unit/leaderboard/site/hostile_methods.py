"""A board whose methods' texts try to get out: for tests of pages as files and in a browser."""

from __future__ import annotations

from typing import Any

from made_methods import HISTORY, made_rankings, made_row

from leaderboard.board import Board, Withdrawn

TAG = "<script>alert(1)</script><img src=x onerror=alert(2)>"
QUOTES = "\"'` onmouseover=alert(3) x=\"' </td></table></script><!--"
TEMPLATE = "{{ 7 * 7 }}{% raw %}${7*7}"
TURNED = "abc\u202etxt.exe\u202c\u2066\u200f\u061cdef\u0007\u0000"
LONG = "Very " + "long" * 2_500
HOSTILE = (TAG, QUOTES, TEMPLATE, TURNED, LONG)


def hostile_metadata(text: str) -> dict[str, Any]:
    return {
        "format": "vadbench.submission/1",
        "dataset": "ucsd-ped2",
        "predictions": ["score_maps"],
        "method": {
            "name": text,
            "version": text,
            "authors": [text, text],
            "year": 2026,
            "paper": "javascript:alert(4)",
            "code": "https://example.org/%22%3E" + text,
            "description": text,
            "hardware": text,
            "bibtex": f"@misc{{x, title={{{text}}}}}",
        },
        "training": {"supervision": "one-class", "data": [text], "pretrained": [text], "threshold_chosen_on": text},
        "files": {"url": "JaVaScRiPt:alert(5)", "sha256": text},
    }


def hostile_board() -> Board:
    """One row for each text, in a ranking of three clips, a withdrawn row and a line of history."""
    rows = [
        made_row(seed, n_clips=3, name=text, version=text[:40], metadata=hostile_metadata(text), bibtex=text)
        for seed, text in enumerate(HOSTILE)
    ]
    withdrawn = (Withdrawn("x", "ucsd-ped2", TAG, TAG, TAG, QUOTES + LONG),)
    return Board(
        made_rankings(rows), (), (), withdrawn, HISTORY + f"- {TAG} {QUOTES} {TURNED} [x](javascript:alert(6))\n"
    )
