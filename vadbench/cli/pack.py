"""``vadbench pack``: a submission's folder becomes one zip, with the same bytes each time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vadbench.cli.output import thousands
from vadbench.cli.progress import Interrupted, clip_progress
from vadbench.cli.shared_options import path_or_url
from vadbench.command_line import CommandParser
from vadbench.submission.packing import pack


def _parser() -> CommandParser:
    parser = CommandParser(
        "vadbench pack",
        "Write the folder of a submission as one stored zip: the\nsame files give the same bytes, on every system.",
        "vadbench pack demo/background --out demo/packed.zip --overwrite",
    )
    parser.add_argument("folder", type=path_or_url, metavar="FOLDER", help="the folder that holds submission.toml")
    parser.add_argument("--out", type=Path, metavar="FILE.zip", help="the zip (FOLDER.zip, beside the folder)")
    parser.add_argument("--overwrite", action="store_true", help="replace a packed submission that is there")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    try:
        with clip_progress("pack") as progress:
            packed = pack(options.folder, options.out, overwrite=options.overwrite, progress=progress)
    except KeyboardInterrupt:
        raise Interrupted("interrupted; nothing was written") from None
    print(f"packed  {packed.path}")
    print(f"files   {thousands(packed.n_files)}")
    print(f"size    {thousands(packed.n_bytes)} bytes")
    print(f"sha256  {packed.sha256}")
    print("        as [files] of an entry for the board states it")
    print(f"next: vadbench validate {packed.path}")
    return 0
