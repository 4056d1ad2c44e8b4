"""``vadbench data``: list the data sets, verify a copy, synthesize one, look at the cache of the truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from vadbench.cli.output import print_paragraph, standard_output, thousands
from vadbench.cli.progress import clip_progress
from vadbench.cli.shared_options import add_dataset_options
from vadbench.command_line import CommandParser
from vadbench.datasets.base import Dataset
from vadbench.datasets.facts import DatasetFacts, load_facts
from vadbench.datasets.findings import Severity, Survey
from vadbench.datasets.registry import known_datasets, open_dataset
from vadbench.errors import UsageError, did_you_mean, quoted
from vadbench.tables import plain_table

_WITH_TITLES = 90
"""Columns of a terminal in which the list has the titles in its table."""

_ACTIONS = {
    "list": "citation, licence, where to get each set, expected sizes and layout",
    "verify": "check a copy: counts, sizes, values, disagreements, fingerprint",
    "synthesize": "write a small synthetic set in UCSD Ped2's layout",
    "cache": "show or clear the cache of the truth",
}


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        print("usage: vadbench data ACTION [options]      vadbench data ACTION --help\n")
        print("\n".join(f"  {name:<12}{title}" for name, title in _ACTIONS.items()))
        print("\nExample:\n  vadbench data list")
        return 0 if arguments else 2
    action, *rest = arguments
    if action not in _ACTIONS:
        raise UsageError("U101", f"there is no action {quoted(action)} of data", hint=did_you_mean(action, _ACTIONS))
    return {"list": _list, "verify": _verify, "synthesize": _synthesize, "cache": _cache}[action](rest)


def _list(arguments: Sequence[str]) -> int:
    parser = CommandParser(
        "vadbench data list", "List the data sets that can be scored.", "vadbench data list ucsd-ped2"
    )
    parser.add_argument("dataset", nargs="?", help="show this one in full, with its layout")
    parser.add_argument("--json", action="store_true", help="print the facts as JSON")
    options = parser.parse_args(arguments)
    ids = known_datasets()
    if options.dataset is not None and options.dataset not in ids:
        raise UsageError(
            "U111", f"there is no data set {quoted(options.dataset)}", hint=did_you_mean(options.dataset, ids)
        )
    facts = [load_facts(name) for name in ([options.dataset] if options.dataset else ids)]
    if options.json:
        print(json.dumps([asdict(own) for own in facts], indent=1, ensure_ascii=False))
        return 0
    console = standard_output()
    if options.dataset:
        _print_facts(console, facts[0])
        return 0
    wide = console.width >= _WITH_TITLES
    table = plain_table()
    for title in ("id", *(["title"] if wide else []), "test clips", "frames", "height x width"):
        table.add_column(title, justify="left" if title in {"id", "title"} else "right", no_wrap=True)
    for own in facts:
        size = f"{own.height} x {own.width}" if own.size else "any"
        clips, frames = (str(len(own.clips)), thousands(sum(own.clips.values()))) if own.clips else ("any", "any")
        table.add_row(own.id, *([own.title] if wide else []), clips, frames, size)
    console.print(table)
    for own in facts:
        console.print(f"\n{own.id}", markup=False)
        titled = [] if wide else [("title", own.title)]
        for name, text in (*titled, ("cite", own.citation), ("licence", own.licence), ("source", own.source)):
            print_paragraph(console, text, first=f"  {name:<9}", rest=" " * 11)
    console.print()
    print_paragraph(console, "`vadbench data list ID` shows the layout and all that is known of one set.")
    return 0


def _print_facts(console: Console, facts: DatasetFacts) -> None:
    rows = [
        ("id", facts.id),
        ("title", facts.title),
        ("citation", facts.citation),
        ("licence", facts.licence),
        ("source", facts.source),
    ]
    if facts.clips:
        rows.append(("test", f"{len(facts.clips)} clips, {thousands(sum(facts.clips.values()))} frames"))
    if facts.training_clips:
        count = len(facts.training_clips)
        rows.append(("training", f"{count} clips, {thousands(sum(facts.training_clips.values()))} frames"))
    if facts.size:
        rows.append(("size", f"{facts.height} x {facts.width} (height x width)"))
    if facts.clips and len(facts.mask_clips) < len(facts.clips):
        rows.append(("masks", f"of clips {' '.join(facts.mask_clips)} only"))
    rows += [(name.replace("_", " "), thousands(number)) for name, number in facts.expected.items()]
    if facts.fingerprint:
        rows.append(("fingerprint", facts.fingerprint))
    for name, text in rows:
        print_paragraph(console, text, first=f"{name:<18}", rest=" " * 18)
    console.print(f"\nlayout\n{facts.layout.rstrip()}", markup=False, soft_wrap=True)


def _verify(arguments: Sequence[str]) -> int:
    parser = CommandParser(
        "vadbench data verify",
        "Read a whole data set and compare its parts with each other and with what is known of it.",
        "vadbench data verify --dataset synthetic --root demo/data",
    )
    parser.add_argument("--dataset", required=True, metavar="ID", help="see `vadbench data list`")
    add_dataset_options(parser)
    parser.add_argument("--quick", action="store_true", help="read the headers of frames only, not the frames")
    parser.add_argument("--json", action="store_true", help="print findings and numbers as JSON")
    options = parser.parse_args(arguments)
    from vadbench.datasets.verify import survey

    dataset = open_dataset(options.dataset, options.root, masks=options.masks, tracks=options.tracks)
    with clip_progress(dataset.id) as progress:

        def moved(done: int, total: int) -> None:
            if progress is not None:
                progress(done, total, dataset.clips[done - 1].id)

        found = survey(dataset, quick=options.quick, progress=moved)
    if options.json:
        content = {"dataset": dataset.id, "usable": found.usable, **asdict(found)}
        print(json.dumps(content, indent=1, ensure_ascii=False))
    else:
        _print_survey(standard_output(), dataset, found)
    return 0 if found.usable else 1


def _print_survey(console: Console, dataset: Dataset, found: Survey) -> None:
    table = plain_table()
    titles = ("clip", "frames", "anomalous frames", "anomalous pixels", "components", "tracks", "regions")
    for title in titles:
        head = title.replace(" ", "\n").replace("components", "compo-\nnents")
        table.add_column(head, justify="left" if title == "clip" else "right", no_wrap=True)
    for own in found.clips:
        numbers = (own.anomalous_frames, own.anomalous_pixels, own.components, own.tracks, own.regions)
        table.add_row(own.id, thousands(own.frames), *("–" if n is None else thousands(n) for n in numbers))
    console.print(table)
    frames = sum(own.frames for own in found.clips)
    console.print(f"\n{len(found.clips)} clips, {thousands(frames)} frames", markup=False)
    console.print()
    if found.findings:
        _print_findings(console, found, dataset.root)
    if found.fingerprint:
        console.print(f"fingerprint  {found.fingerprint}", markup=False, soft_wrap=True)
    errors = sum(finding.severity is Severity.ERROR for finding in found.findings)
    verdict = "can be used" if found.usable else f"must not be used: {errors} error{'s' if errors > 1 else ''}"
    console.print(f"{dataset.id} {verdict}", markup=False)


def _print_findings(console: Console, found: Survey, root: Path | None) -> None:
    table = plain_table()
    for title in ("severity", "code", "where", "finding"):
        table.add_column(title, overflow="fold", no_wrap=title in {"severity", "code"})
    style = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: ""}
    for finding in found.findings:
        details = [
            f"{name} {text}"
            for name, text in (("expected", finding.expected), ("got", finding.got), ("hint:", finding.hint))
            if text and not (name == "got" and text == found.fingerprint)
        ]
        text = "\n".join([finding.message, *details])
        # Paths are shown from the data set's folder on: the whole of them would take the width of the table.
        where = " · ".join(part.removeprefix(f"{root}/") for part in finding.where)
        cells = (finding.code, where, text)
        severity = f"[{style[finding.severity]}]{finding.severity}[/]" if style[finding.severity] else finding.severity
        table.add_row(severity, *map(escape, cells))
    console.print(table)
    console.print()


def _synthesize(arguments: Sequence[str]) -> int:
    parser = CommandParser(
        "vadbench data synthesize",
        "Write a synthetic data set: many normal walkers, a few fast or odd-shaped anomalous objects.",
        "vadbench data synthesize out/walkway --seed 7",
    )
    parser.add_argument("root", type=Path, help="folder to make")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same bytes (default 0)")
    parser.add_argument("--test-clips", type=int, default=4, metavar="N")
    parser.add_argument("--training-clips", type=int, default=3, metavar="N")
    parser.add_argument("--frames", type=int, default=60, metavar="N", help="frames of each clip (default 60)")
    parser.add_argument("--height", type=int, default=120, metavar="PIXELS")
    parser.add_argument("--width", type=int, default=160, metavar="PIXELS")
    parser.add_argument("--overwrite", action="store_true", help="replace a synthetic set that is there")
    options = parser.parse_args(arguments)
    from vadbench.datasets.synthesize import synthesize

    with clip_progress("synthetic") as progress:

        def moved(done: int, total: int) -> None:
            if progress is not None:
                progress(done, total, str(done))

        synthesize(**vars(options), progress=moved)
    print(f"synthetic data set, seed {options.seed}, written to {options.root}")
    print(f"next: vadbench data verify --dataset synthetic --root {options.root}")
    return 0


def _cache(arguments: Sequence[str]) -> int:
    parser = CommandParser(
        "vadbench data cache",
        "Show where the cache of the truth is and how large it has become, or clear it.",
        "vadbench data cache",
    )
    parser.add_argument("--clear", action="store_true", help="remove all entries; the truth is read again when needed")
    options = parser.parse_args(arguments)
    from vadbench.evaluation.truth_index import ENVIRONMENT_VARIABLE, cache_content, clear_cache

    content = clear_cache() if options.clear else cache_content()
    place = f"none ({ENVIRONMENT_VARIABLE} is off, or there is no home)" if content.folder is None else content.folder
    print(f"place    {place}")
    print(f"entries  {thousands(content.entries)}{' (removed)' if options.clear else ''}")
    print(f"size     {content.n_bytes / 1e6:.1f} MB")
    return 0
