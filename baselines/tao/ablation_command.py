"""The command ``python -m baselines tao-ablation``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from baselines.command import shown_frame_progress
from baselines.parser import PROGRAM, CommandParser
from baselines.tao.ablation.pictures import write_pictures
from baselines.tao.ablation.run import Ablation, run_ablation
from baselines.tao.ablation.studies import StudyKind, taus_of
from baselines.tao.ablation.tables import TITLES, score_table, study_markdown
from baselines.tao.box_table import write_whole
from baselines.tao.command import add_settings, preset_list, settings_changes, shown_preset, to_standard_error
from baselines.tao.command_settings import changed_settings
from baselines.tao.preset_files import DEFAULT_PRESET, load_preset, preset_names
from vadbench import UsageError, open_dataset

DEFAULT_TAUS = "1.0:1.9:0.1"


def run_command(rest: Sequence[str]) -> int:
    """Run ``tao-ablation`` with what follows it on the command line."""
    options = ablation_parser().parse_args(rest)
    taus = taus_of(options.taus)
    settings = changed_settings(load_preset(options.preset, options.dataset), settings_changes(options))
    dataset = open_dataset(options.dataset, options.root)
    pictures: list[Path] = []
    remark = ""
    try:
        with shown_frame_progress() as progress:
            ablation = run_ablation(
                dataset,
                settings,
                options.out,
                parts=options.parts,
                taus=taus,
                checkpoints=options.checkpoints,
                preset=shown_preset(options.preset),
                progress=progress,
                notice=to_standard_error,
            )
            tables = _write_tables(ablation)
            try:
                pictures = write_pictures(ablation, dataset, progress)
            except UsageError as error:
                # Everything else is worth having without the optional matplotlib.
                remark = error.block()
    except KeyboardInterrupt:
        to_standard_error("finished variants and clips are kept; the same command goes on with the others")
        raise
    _show(ablation, [*tables, *pictures])
    if remark:
        to_standard_error(remark)
    return 0


def ablation_parser() -> CommandParser:
    """Parser of the command's options."""
    parser = CommandParser(
        "tao-ablation",
        "Run variants of TAO and score each under both protocols: filtering and tracking on and off (table4),\n"
        "thresholds of the box scores (fig5), sizes of SAM2 (fig6). Boxes and their scores are made once; what is\n"
        "there of the same settings is not made again, so a run that was interrupted goes on where it was.",
        "vadbench data synthesize out/synthetic\n"
        f"{PROGRAM} tao-ablation --dataset synthetic --root out/synthetic --out out/ablation --taus 1.0:1.2:0.1",
        more=preset_list(),
    )
    parser.add_argument("--dataset", required=True, metavar="ID", help="id of the data set, such as ucsd-ped2")
    parser.add_argument("--root", metavar="DIR", help="folder of the data set (or set VADBENCH_DATA)")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--preset",
        default=DEFAULT_PRESET,
        metavar="NAME",
        help=f"{', '.join(preset_names())}, or the path of a .toml file (default {DEFAULT_PRESET})",
    )
    parser.add_argument(
        "--parts",
        type=_parts,
        default=tuple(StudyKind),
        metavar="NAMES",
        help=f"studies to run, with commas (default {','.join(StudyKind)})",
    )
    parser.add_argument(
        "--taus",
        default=DEFAULT_TAUS,
        metavar="A:B:STEP",
        help=f"thresholds of fig5 beside the chosen one, or numbers with commas (default {DEFAULT_TAUS})",
    )
    parser.add_argument("--checkpoints", type=Path, metavar="DIR", help="folder of the weights of SAM2's sizes (fig6)")
    add_settings(parser)
    return parser


def _parts(text: str) -> tuple[StudyKind, ...]:
    try:
        return tuple(StudyKind(name.strip()) for name in text.split(","))
    except UsageError as error:
        raise argparse.ArgumentTypeError(f"{error.got} is none of {error.expected}") from error


def _write_tables(ablation: Ablation) -> list[Path]:
    written = []
    for scores in ablation.studies:
        path = ablation.out / f"{scores.study.kind}.md"
        write_whole(path, study_markdown(scores, ablation).encode())
        written.append(path)
    return written


def _show(ablation: Ablation, files: Sequence[Path]) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False)
    for scores in ablation.studies:
        console.print(TITLES[scores.study.kind], style="bold", markup=False)
        for protocol, reports in scores.reports.items():
            console.print(f"\n{next(iter(reports.values())).dataset.id} · {protocol}", markup=False)
            console.print(score_table(scores, protocol))
        console.print()
    # Paths are never wrapped: they are there to be copied.
    print(f"submissions  {ablation.out / 'variants'}")
    print(f"reports      {ablation.out / 'reports'}")
    for file in files:
        print(f"{'table' if file.suffix == '.md' else 'picture':<13}{file}")
    sys.stdout.flush()
