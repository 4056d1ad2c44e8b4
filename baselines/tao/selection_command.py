"""The command ``python -m baselines tao-select``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from baselines.command import shown_progress, whole_number
from baselines.parser import PROGRAM, CommandParser
from baselines.tao.command_settings import SettingsChanges, changed_settings
from baselines.tao.detection.settings import DetectorKind
from baselines.tao.preset_files import DEFAULT_PRESET, load_preset, preset_names
from baselines.tao.selection.grid import SEARCH, columns_of, value_of
from baselines.tao.selection.objective import METRICS, PROTOCOLS
from baselines.tao.selection.selection import CANDIDATES, CHOSEN, PASTED, Selection, select_settings
from baselines.tao.selection.selection_settings import SelectionSettings
from vadbench import open_dataset

_SHORT = {
    "pixel_auroc": "AUROC",
    "pixel_ap": "AP",
    "pixel_aupro": "AUPRO",
    "pixel_f1": "F1",
    "rbdc": "RBDC",
    "tbdc": "TBDC",
}


def run_command(rest: Sequence[str]) -> int:
    """Run ``tao-select`` with what follows it on the command line."""
    options = selection_parser().parse_args(rest)
    selection = SelectionSettings(seed=options.seed, clips=options.clips)
    changes = SettingsChanges(detector=options.detector, boxes=options.boxes)
    start = changed_settings(load_preset(options.preset, options.dataset), changes)
    dataset = open_dataset(options.dataset, options.root)
    preset = Path(options.preset).name if options.preset.endswith(".toml") else options.preset
    with shown_progress() as progress:
        found = select_settings(dataset, start, selection, options.out, preset=preset, search=SEARCH, progress=progress)
    print(table_of(found))
    print(f"\ncandidates  {options.out / CANDIDATES}")
    print(f"pictures    {options.out / PASTED}")
    print(f"chosen      {options.out / CHOSEN}")
    print(f"use it      {shlex.join(_use(options.dataset, options.root, options.boxes, options.out / CHOSEN))}")
    return 0


def selection_parser() -> CommandParser:
    """Parser of the command's options."""
    parser = CommandParser(
        "tao-select",
        "Choose the settings of `tao` on training clips alone: half of them are learned from; people are cut out of\n"
        "the others and pasted into one another as anomalies, and settings are searched that find these.\n"
        "No clip of the test part is read.",
        "vadbench data synthesize out/synthetic --training-clips 6\n"
        f"{PROGRAM} tao-select --dataset synthetic --root out/synthetic --out out/chosen\n"
        f"{PROGRAM} tao --preset out/chosen/{CHOSEN} --dataset synthetic --root out/synthetic --out out/tao",
    )
    parser.add_argument("--dataset", required=True, metavar="ID", help="id of the data set, such as ucsd-ped2")
    parser.add_argument("--root", metavar="DIR", help="folder of the data set (or set VADBENCH_DATA)")
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="DIR",
        help=f"folder of {CHOSEN}, {CANDIDATES} and {PASTED}; files of these names are replaced",
    )
    parser.add_argument(
        "--preset",
        default=DEFAULT_PRESET,
        metavar="NAME",
        help=f"where to start: {', '.join(preset_names())}, or the path of a .toml file (default {DEFAULT_PRESET})",
    )
    parser.add_argument(
        "--detector",
        type=DetectorKind,
        choices=[DetectorKind.BACKGROUND, DetectorKind.BOXES_CSV],
        help="what finds the boxes, instead of what the preset says",
    )
    parser.add_argument("--boxes", type=Path, metavar="DIR", help="folder of the one *_train.csv (boxes-csv)")
    parser.add_argument("--seed", type=whole_number, default=0, metavar="N", help="of the anomalies (default 0)")
    parser.add_argument(
        "--clips", type=whole_number, default=8, metavar="N", help="clips with pasted anomalies (default 8)"
    )
    return parser


def table_of(found: Selection) -> str:
    """What each step came to, the scores before and after, and the chosen settings, as text for a terminal."""
    start, chosen = found.candidates[0], found.chosen
    lines = [f"{len(found.candidates)} candidates on {len(found.pasted)} clips with pasted anomalies, scores in %", ""]
    lines.append(f"{'':<24}{'mean':>8}" + "".join(f"{_SHORT[metric]:>8}" for metric in METRICS))
    for name, candidate in (("preset", start), ("chosen", chosen)):
        for protocol in PROTOCOLS:
            scores = [candidate.judgement.scores[protocol, metric] for metric in METRICS]
            numbers = (sum(scores) / len(scores), *scores)
            lines.append(f"{f'{name}, {protocol}':<24}" + "".join(f"{100 * number:8.2f}" for number in numbers))
    rise = f"{100 * start.judgement.objective:.2f} to {100 * chosen.judgement.objective:.2f}"
    lines += ["", f"objective, the mean of all twelve: {rise}", "", f"{'setting':<44}{'preset':>18}{'chosen':>26}"]
    for column in columns_of(SEARCH):
        before, after = (_shown(value_of(candidate.settings, column)) for candidate in (start, chosen))
        lines.append(f"{column:<44}{before:>18}{after:>26}")
    return "\n".join(lines)


def _shown(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _use(dataset: str, root: str | None, boxes: Path | None, chosen: Path) -> list[str]:
    given = ["--root", root] if root else []
    given += ["--boxes", str(boxes)] if boxes else []
    return [*PROGRAM.split(), "tao", "--preset", str(chosen), "--dataset", dataset, *given, "--out", "OUT"]
