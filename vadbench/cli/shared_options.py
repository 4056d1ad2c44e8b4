"""Arguments that several commands take."""

from __future__ import annotations

import argparse
from pathlib import Path

from vadbench.submission.tree import is_url


def path_or_url(text: str) -> Path | str:
    """A path; a URL stays the text that it is, which a path would mar."""
    return text if is_url(text) else Path(text)


def add_dataset_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where a data set lies."""
    parser.add_argument("--root", type=Path, help="folder of the data set; else from VADBENCH_DATA")
    parser.add_argument("--masks", type=Path, metavar="DIR", help="masks, where they lie apart from the frames")
    parser.add_argument("--tracks", type=Path, metavar="DIR", help="track files (AED text) instead of derived tracks")
