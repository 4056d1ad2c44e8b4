"""The command ``python -m baselines tao``."""

from __future__ import annotations

import argparse
import math
import shlex
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from baselines.command import shown_frame_progress, whole_number
from baselines.parser import PROGRAM, CommandParser
from baselines.tao.command_settings import SettingsChanges, changed_settings
from baselines.tao.detection.settings import DetectorKind
from baselines.tao.pipeline import TaoRun, run_tao
from baselines.tao.preset_files import DEFAULT_PRESET, SUMMARIES, load_preset, preset_names
from baselines.tao.segmentation.sam2_settings import Sam2Device, Sam2Size
from baselines.tao.settings import SegmentationKind
from baselines.tao.stages import Stage
from vadbench import open_dataset
from vadbench.errors import quoted

ALL_STAGES = "all"


def run_command(rest: Sequence[str]) -> int:
    """Run ``tao`` with what follows it on the command line."""
    options = tao_parser().parse_args(rest)
    settings = changed_settings(load_preset(options.preset, options.dataset), settings_changes(options))
    dataset = open_dataset(options.dataset, options.root)
    try:
        with shown_frame_progress() as progress:
            run = run_tao(
                dataset,
                settings,
                options.out,
                preset=shown_preset(options.preset),
                stage=None if options.stage == ALL_STAGES else Stage(options.stage),
                overwrite=options.overwrite,
                progress=progress,
                notice=to_standard_error,
            )
    except KeyboardInterrupt:
        to_standard_error("finished clips are kept; the same command goes on with the others")
        raise
    _show(run, list(Stage) if options.stage == ALL_STAGES else [Stage(options.stage)], options.root)
    return 0


def tao_parser() -> CommandParser:
    """Parser of the command's options."""
    parser = CommandParser(
        "tao",
        "Track Any Anomalous Object: boxes of objects, their anomaly scores, filtering in time, masks.\n"
        "What the stages have written lies in OUT.stages and is used again where nothing it depends on has changed;\n"
        "a run that was interrupted goes on where it was. A finished submission is replaced only by --overwrite.",
        "vadbench data synthesize out/synthetic\n"
        f"{PROGRAM} tao --dataset synthetic --root out/synthetic --out out/tao\n"
        "vadbench score out/tao --root out/synthetic",
        more=preset_list(),
    )
    parser.add_argument("--dataset", required=True, metavar="ID", help="id of the data set, such as ucsd-ped2")
    parser.add_argument("--root", metavar="DIR", help="folder of the data set (or set VADBENCH_DATA)")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of the submission to write")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace a submission that is there, once the new one is whole"
    )
    parser.add_argument(
        "--preset",
        default=DEFAULT_PRESET,
        metavar="NAME",
        help=f"{', '.join(preset_names())}, or the path of a .toml file (default {DEFAULT_PRESET})",
    )
    parser.add_argument(
        "--stage",
        default=ALL_STAGES,
        choices=[ALL_STAGES, *map(str, Stage)],
        help="run one stage on what those before have written (default all)",
    )
    add_settings(parser)
    return parser


def preset_list() -> str:
    """The presets with what they are for, as the end of a help text shows them."""
    width = max(map(len, preset_names()))
    lines = (f"  {name:<{width}}  tau {load_preset(name, '').tau}: {SUMMARIES[name]}\n" for name in preset_names())
    return f"presets:\n{''.join(lines)}\n"


def add_settings(parser: CommandParser) -> None:
    """Add the options that take the place of settings of the preset."""
    settings = parser.add_argument_group("settings, instead of those of the preset")
    settings.add_argument(
        "--tau", type=_number, metavar="X", help="boxes with a higher score are anomalous (the preset's)"
    )
    settings.add_argument("--detector", type=DetectorKind, choices=list(DetectorKind), help="what finds the boxes")
    settings.add_argument("--boxes", type=Path, metavar="DIR", help="folder of *_train.csv and *_test.csv (boxes-csv)")
    settings.add_argument("--weights", type=Path, metavar="FILE", help="weights of the detector (torchvision)")
    settings.add_argument(
        "--segmenter", type=SegmentationKind, choices=list(SegmentationKind), help="what makes the masks"
    )
    settings.add_argument("--segmenter-size", type=Sam2Size, choices=list(Sam2Size), help="size of SAM2")
    settings.add_argument("--checkpoint", type=Path, metavar="FILE", help="weights of SAM2")
    settings.add_argument("--device", type=Sam2Device, choices=list(Sam2Device), help="where models compute")
    settings.add_argument(
        "--no-tracking",
        action="store_true",
        help="segment each frame by its own boxes alone; sam2-video becomes sam2-image",
    )
    settings.add_argument("--no-filtering", action="store_true", help="keep boxes that do not persist")
    settings.add_argument("--seed", type=whole_number, metavar="N", help="of what is drawn at random (default 0)")


def settings_changes(options: argparse.Namespace) -> SettingsChanges:
    """What the options of `add_settings` say."""
    return SettingsChanges(**{field.name: getattr(options, field.name) for field in fields(SettingsChanges)})


def shown_preset(preset: str) -> str:
    """A preset as the provenance names it: without folders, which mean nothing elsewhere."""
    return Path(preset).name if preset.endswith(".toml") else preset


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is no number")
    return number


def to_standard_error(line: str) -> None:
    """Print a remark where it does not mix with the results."""
    print(line, file=sys.stderr)


def _show(run: TaoRun, stages: Sequence[Stage], root: str | None) -> None:
    print(f"stages      {run.stages}")
    for stage in stages:
        seconds, frames = run.seconds[stage], run.frames[stage]
        speed = f", {frames / seconds:.1f} frames/s" if seconds and frames else ""
        print(f"{stage:<12}" + (f"{seconds:.1f} s{speed}" if stage in run.made else "used again"))
    if run.peak_memory_bytes:
        print(f"memory      {run.peak_memory_bytes / 2**20:.0f} MiB at most")
    if run.submission is not None:
        place = [] if root is None else ["--root", root]
        print(f"submission  {run.submission}")
        print(f"score it    {shlex.join(['vadbench', 'score', str(run.submission), *place])}")
