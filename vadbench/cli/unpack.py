"""``vadbench unpack``: a packed submission becomes a folder again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vadbench.cli.output import thousands
from vadbench.cli.progress import Interrupted, clip_progress
from vadbench.cli.shared_options import path_or_url
from vadbench.command_line import CommandParser
from vadbench.submission.packing import unpack


def _parser() -> CommandParser:
    parser = CommandParser(
        "vadbench unpack",
        "Write a packed submission as a folder. Nothing needs that\nbut changing it: zips are scored as they are.",
        "vadbench unpack demo/packed.zip --out demo/unpacked",
    )
    parser.add_argument("archive", type=path_or_url, metavar="FILE.zip", help="as `vadbench pack` makes it")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="absent or empty (FILE, beside the zip)")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    try:
        with clip_progress("unpack") as progress:
            unpacked = unpack(options.archive, options.out, progress=progress)
    except KeyboardInterrupt:
        raise Interrupted("interrupted; nothing was written") from None
    print(f"unpacked  {unpacked.path}")
    print(f"files     {thousands(unpacked.n_files)}, {thousands(unpacked.n_bytes)} bytes")
    print(f"next: vadbench validate {unpacked.path}")
    return 0
