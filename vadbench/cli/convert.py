"""``vadbench convert``: predictions in another format become a submission, or a submission becomes such files."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from vadbench.cli.convert_parser import convert_parser
from vadbench.cli.object_options import object_choices, object_notes
from vadbench.cli.output import counted, print_paragraph, standard_output
from vadbench.cli.progress import Interrupted, clip_progress
from vadbench.conversion.clip_naming import ClipPattern, match_clips
from vadbench.conversion.conversion import Conversion
from vadbench.conversion.convert import Converted, convert
from vadbench.conversion.dataset_clips import DatasetPart, expected_clips
from vadbench.conversion.declared import Declared, needed_metadata, read_declared
from vadbench.conversion.dense.arrays import DenseSource
from vadbench.conversion.dense.quantizing import ScoreRange, range_of
from vadbench.conversion.dense.resizing import Resizing
from vadbench.conversion.exporting import check_replaceable, export
from vadbench.conversion.folder_levels import check_no_submission, with_the_folder_below
from vadbench.conversion.formats import (
    OBJECT_FORMATS,
    ForeignFormat,
    Reading,
    TargetFormat,
    open_source,
    writer_of,
)
from vadbench.conversion.provenance import conversion_provenance
from vadbench.conversion.shown import shown_path
from vadbench.conversion.source import Timing
from vadbench.conversion.timing import timing_words
from vadbench.datasets.base import Clip, Dataset
from vadbench.datasets.facts import load_facts
from vadbench.datasets.registry import known_datasets, open_dataset
from vadbench.errors import ConversionError, UsageError, VadbenchError, did_you_mean, quoted
from vadbench.submission import Submission
from vadbench.submission.agreement import clip_differences
from vadbench.tables import percent, plain_table


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = convert_parser().parse_args(arguments)
    if options.target is not None:
        return _export(options)
    return _convert(options)


def _convert(options: argparse.Namespace) -> int:
    # Everything that can be wrong with the call is found before the first file is read.
    pattern = None if options.clip_pattern is None else ClipPattern.parse(options.clip_pattern)
    dataset_id = _dataset_id(options)
    if options.metadata is None:
        raise needed_metadata()
    declared = read_declared(options.metadata, dataset_id)
    part = DatasetPart(options.part or DatasetPart.TEST)
    given_range = _given_range(options, dataset_id, part)
    foreign = ForeignFormat(options.foreign)
    if options.missing_clips is not None and foreign not in OBJECT_FORMATS:
        raise UsageError(
            "U211",
            "--missing-clips is for boxes and masks",
            got=f"--from {foreign} --missing-clips {options.missing_clips}",
            hint="leave it out; every frame of every clip has a score",
        )
    timing = Timing(**{name: getattr(options, name) or 0 for name in _TIMING})
    dataset = _opened(dataset_id, options)
    clips = expected_clips(dataset_id, dataset, part)
    _check_out(options)
    reading = Reading(pattern, options.key, object_choices(options), offset_said=options.frame_offset is not None)
    resize = None if options.resize is None else Resizing(options.resize)
    provenance = conversion_provenance(
        foreign,
        part,
        timing,
        object_choices(options),
        clip_pattern=options.clip_pattern,
        key=options.key,
        missing_clips=options.missing_clips,
        frame_offset=options.frame_offset,
    )
    try:
        # Files that hold all clips are read as a whole before the first clip is there, which takes its time.
        with clip_progress(dataset_id, len(clips)) as progress:
            try:
                source = open_source(foreign, options.source, reading)
                names = match_clips(
                    source.clip_names,
                    clips,
                    dataset_id,
                    where=shown_path(options.source),
                    pattern=pattern,
                    part=part,
                    some_absent=options.missing_clips is not None,
                    missing_hint=source.missing_clip_hint,
                )
            except ConversionError as error:
                check_no_submission(options.source, error)
                raise with_the_folder_below(error, options.source, clips, dataset_id) from error
            conversion = Conversion(source, names, clips, timing, resize, shown_path(options.source))
            done = convert(
                conversion,
                options.out,
                # The training part of a data set is not what its submissions are checked against.
                dataset=dataset_id if dataset is None or part is DatasetPart.TRAINING else dataset,
                declared=declared,
                provenance=provenance,
                quantize=options.quantize,
                given_range=given_range,
                overwrite=options.overwrite,
                progress=progress,
            )
    except KeyboardInterrupt:
        raise Interrupted(_what_is_left(options.out)) from None
    console = standard_output()
    _print(console, done, dataset_id, part, conversion, offset_said=reading.offset_said)
    if done.scale is not None and part is DatasetPart.TEST:
        _print_change(console, conversion, done, dataset, declared)
    root = f" --root {shlex.quote(shown_path(options.root))}" if options.root is not None else ""
    out = shlex.quote(shown_path(options.out))
    following = f"vadbench validate {out}{root}"
    if part is DatasetPart.TRAINING:
        submission = "SUBMISSION" if given_range is None else shlex.quote(shown_path(options.range_of))
        following = f"vadbench threshold {submission} --training {out} --quantile Q{root}"
        if done.scale is not None and given_range is None and "lower" not in declared.score_maps:
            text = "a threshold needs both parts over one range: --range-of SUBMISSION takes that of the test part"
            print_paragraph(console, text, first="note      ", rest=" " * 10)
            return 0
    console.print(f"next: {following}", markup=False, soft_wrap=True)
    return 0


def _given_range(options: argparse.Namespace, dataset_id: str, part: DatasetPart) -> ScoreRange | None:
    """Range of another submission, for the training part alone: scores of the test part are never cut off."""
    if options.range_of is None:
        return None
    if part is not DatasetPart.TRAINING or not options.quantize:
        raise UsageError("U211", "--range-of is for --part training with --quantize", got=f"--part {part}")
    return range_of(Submission.open(options.range_of), dataset_id)


def _what_is_left(out: Path) -> str:
    return f"interrupted; {f'{shown_path(out)} is as it was before' if out.exists() else 'nothing was written'}"


_TIMING = ("frame_offset", "drop_head", "drop_tail", "pad_head", "pad_tail")
_FROM_ONLY = ("metadata", "part", "clip_pattern", "key", *_TIMING, "resize", "quantize", "range_of", "missing_clips")


def _export(options: argparse.Namespace) -> int:
    given = [name for name in _FROM_ONLY if (value := getattr(options, name)) is not None and value is not False]
    if given:
        raise UsageError("U211", f"--{given[0].replace('_', '-')} is for --from", got=f"--to {options.target}")
    _check_apart(options, "what is written")
    submission = Submission.open(options.source)
    dataset_id = submission.metadata.dataset
    if options.dataset not in (None, dataset_id):
        raise UsageError("U211", "the submission is for another data set", expected=options.dataset, got=dataset_id)
    dataset = _opened(dataset_id, options)
    clips = _clips_of(submission, dataset)
    check_replaceable(options.out, [clip.id for clip in clips], overwrite=options.overwrite)
    target = TargetFormat(options.target)
    with clip_progress(dataset_id, len(clips)) as progress:
        n_rows = export(
            submission,
            clips,
            options.out,
            writer_of(target, object_choices(options)),
            overwrite=options.overwrite,
            progress=progress,
        )
    print(f"{dataset_id} · {counted(len(clips), 'clip')} · {counted(n_rows, 'row')} as {target}")
    print(f"written   {shown_path(options.out)}")
    return 0


def _clips_of(submission: Submission, dataset: Dataset | None) -> tuple[Clip, ...]:
    """Clips of the part of the data set that the submission is for."""
    test = expected_clips(submission.metadata.dataset, dataset, DatasetPart.TEST)
    if set(submission.clip_ids) == {clip.id for clip in test}:
        return test
    if (submission.provenance() or {}).get("part") == DatasetPart.TRAINING:
        return expected_clips(submission.metadata.dataset, dataset, DatasetPart.TRAINING)
    for error in clip_differences((submission.shown,), submission.clip_ids, [clip.id for clip in test]):
        raise error
    return test


def _dataset_id(options: argparse.Namespace) -> str:
    known = known_datasets()
    if options.dataset is None:
        raise UsageError(
            "U211", "which data set are the predictions for? --dataset ID", hint=f"known: {', '.join(known)}"
        )
    if options.dataset not in known:
        raise UsageError(
            "U111", f"there is no data set {quoted(options.dataset)}", hint=did_you_mean(options.dataset, known)
        )
    return str(options.dataset)


def _opened(dataset_id: str, options: argparse.Namespace) -> Dataset | None:
    """The copy of the data set, where the call says where it lies, or the environment does and it is there."""
    named = options.root is not None or options.masks is not None or options.tracks is not None
    try:
        return open_dataset(dataset_id, options.root, masks=options.masks, tracks=options.tracks)
    except VadbenchError:
        # Nobody asked for it: what the package knows of the data set will do, where it knows it.
        if named or not load_facts(dataset_id).known_clips():
            raise
        return None


def _check_apart(options: argparse.Namespace, what: str) -> None:
    """Nothing is written into what is read, or in its place."""
    out, source = options.out.resolve(), options.source.resolve()
    if out == source or out.is_relative_to(source) or (options.overwrite and source.is_relative_to(out)):
        raise UsageError(
            "U215",
            f"{what} would lie inside of what it is made from, or in its place",
            where=shown_path(options.out),
            hint="give another --out",
        )


def _check_out(options: argparse.Namespace) -> None:
    """Nothing is written into what is read, nor over what is there unless this is said."""
    _check_apart(options, "the submission")
    out = options.out.resolve()
    # As the writer says it, but before all files have been read.
    if out.exists() and not options.overwrite and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(
            "U215",
            "there is something at the path already",
            where=shown_path(options.out),
            hint="give another --out, or --overwrite to replace a submission; it stays until the new one is whole",
        )


def _print(
    console: Console,
    done: Converted,
    dataset_id: str,
    part: DatasetPart,
    conversion: Conversion,
    *,
    offset_said: bool,
) -> None:
    def line(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    line(f"{dataset_id} · {part} part · {counted(done.n_clips, 'clip')} · {counted(done.n_frames, 'frame')}")
    renamed = [(name, clip_id) for clip_id, name in conversion.names.items() if name != clip_id]
    if renamed:
        shown = [f"{quoted(name)} is {clip_id}" for name, clip_id in (renamed[0], renamed[-1])]
        line(f"clips     {' … '.join(dict.fromkeys(shown))}")
    size = f", {conversion.clips[0].height} x {conversion.clips[0].width}" if done.map_dtype else ""
    kinds = ", ".join(f"{kind} ({done.map_dtype}{size})" if kind == "score_maps" else kind for kind in done.kinds)
    rows = f" · {counted(done.n_rows, 'row')}" if done.n_rows else ""
    line(f"kinds     {kinds}{rows}")
    if words := timing_words(conversion.timing, conversion.source.file_numbers()):
        line(f"frames    {words}")
    for note in object_notes(conversion, offset_said=offset_said):
        line(note)
    if isinstance(conversion.source, DenseSource) and conversion.source.left_out:
        line(f"left out  {counted(len(conversion.source.left_out), 'name')} that the pattern does not match")
    if done.n_resized:
        line(f"resized   {counted(done.n_resized, 'clip')}, {conversion.resize}")
    if done.scale is not None:
        line(f"range     0 is {done.scale.lower!r}, 65535 is {done.scale.upper!r}")
    if done.n_beyond:
        line(f"cut off   {counted(done.n_beyond, 'score')} beyond the range, stored as its ends")
    if done.threshold is not None:
        line(f"threshold {done.threshold[0]!r} is {done.threshold[1]}")
    line(f"written   {shown_path(done.path)}")


def _print_change(
    console: Console, conversion: Conversion, done: Converted, dataset: Dataset | None, declared: Declared
) -> None:
    """Scores of the maps as they were and as they are stored."""
    if dataset is None:
        print_paragraph(console, "give --root to see how much each score changes", first="note      ")
        return
    from vadbench.evaluation.evaluate import evaluate
    from vadbench.protocol.titles import metric_titles

    with clip_progress("scores before", 2 * len(conversion.clips)) as progress:
        before = evaluate(
            conversion.predictions(), dataset, threshold=declared.score_maps.get("threshold"), progress=progress
        )
    with clip_progress("scores after", 2 * len(conversion.clips)) as progress:
        after = evaluate(Submission.open(done.path), dataset, progress=progress)
    table = plain_table()
    for title in ("metric", "float", "uint16", "change"):
        table.add_column(title, justify="left" if title == "metric" else "right", no_wrap=True)
    titles = metric_titles(before.parsed_signature.protocol)
    for key, score in before.scores.items():
        other = after.scores[key].value
        change = "–" if score.value is None or other is None else f"{round(100 * (other - score.value), 6) + 0.0:+.6f}"
        table.add_row(titles[key], percent(score.value), percent(other), change)
    console.print()
    console.print(table)
    console.print("in per cent; protocol standard\n", markup=False)
