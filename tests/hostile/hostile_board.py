"""A repository whose entries call themselves by every hostile text that the check of entries lets through."""

from __future__ import annotations

import shutil
from itertools import cycle, islice
from pathlib import Path

from board_entries import fit_for_an_entry, write_entry
from hostile_metadata import ALLOWED, ALLOWED_LONG
from made_statistics import made_statistics

PUBLISHED = Path(__file__).parents[2] / "leaderboard" / "published"
PAPER = "https://example.org/paper?a=(1)|`x`&lt;b={{7*7}}#$%_^~]"
"""All signs of an address that mean something elsewhere."""

WITH_STATISTICS = 24
"""Every so manieth entry has them: they make intervals, timelines and mistakes, and take most of the time."""

PLAIN = [f"Plain {number}" for number in range(6)]
"""The first entry has statistics, the others have none."""


def hostile_repository(folder: Path, *, plain: bool = False) -> Path:
    """Write a repository; `plain` gives the same with names that do no harm.

    Names, versions and authors take every text in turn, and so do description, BibTeX, hardware and models, each from
    another place on, so that every field has every text and no entry has one text only.
    """
    shutil.copytree(PUBLISHED, folder / "leaderboard" / "published")
    report, statistics = made_statistics(1)
    names = PLAIN if plain else list(ALLOWED.values())
    lines = names if plain else list(ALLOWED_LONG.values())
    for number, name in enumerate(names):
        text, words = (list(islice(cycle(given), number, number + 4)) for given in (lines, names))
        method = {
            "name": name,
            "version": words[1],
            "authors": words[2:4],
            "year": 2026,
            "paper": PAPER,
            "bibtex": text[1],
            "description": text[2],
            "frames_per_second": 10.0,
            "hardware": words[3],
        }
        training = {"supervision": "one-class", "data": [words[1]], "pretrained": [words[2]]}
        fit = fit_for_an_entry(report, method=method, training=training)
        write_entry(
            folder / "submissions", f"method-{number:02d}", fit, None if number % WITH_STATISTICS else statistics
        )
    return folder
