"""Run the variants of the studies with what they share made once, and score each under both protocols."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.simple.baseline import Progress, no_progress
from baselines.tao.ablation.studies import (
    PROTOCOLS,
    Study,
    StudyKind,
    Variant,
    components_study,
    distinct_variants,
    size_study,
    tau_study,
    with_checkpoint,
)
from baselines.tao.methods import METHODS, Methods
from baselines.tao.pipeline import no_notice, run_tao, stages_folder
from baselines.tao.results import Notice
from baselines.tao.settings import TaoSettings
from baselines.tao.stage_keys import StageKeys
from baselines.tao.stages import Stage
from vadbench import (
    DataError,
    Dataset,
    Protocol,
    Signature,
    Submission,
    UsageError,
    __version__,
)

if TYPE_CHECKING:
    from vadbench import Report


VARIANTS = "variants"
"""Folder of the submissions, by which an ablation knows its own folder again."""


@dataclass(frozen=True)
class StudyScores:
    """A study with its reports.

    Parameters
    ----------
    study : Study
    reports : dict of str to dict of value to Report
        By protocol, then by the rows' values, in the order of the rows.
    submissions : dict of value to Path
        By the rows' values.
    """

    study: Study
    reports: dict[str, dict[str | float, Report]]
    submissions: dict[str | float, Path]


@dataclass(frozen=True)
class Ablation:
    """What the studies have made.

    Parameters
    ----------
    out : Path
    settings : TaoSettings
        Those that the variants are variants of.
    preset : str
    studies : tuple of StudyScores
    """

    out: Path
    settings: TaoSettings
    preset: str
    studies: tuple[StudyScores, ...]


def _check_own(folder: Path) -> None:
    """Raise `UsageError` B263 unless there is nothing, an empty folder, or what an earlier ablation has left."""
    if folder.is_dir() and (not any(folder.iterdir()) or (folder / VARIANTS).is_dir()):
        return
    if folder.exists():
        raise UsageError(
            "B263",
            "the folder of the ablation holds other things, and is left alone",
            where=str(folder),
            expected="no such folder, an empty one, or an earlier ablation",
            got="a folder" if folder.is_dir() else "a file",
            hint="choose another folder with --out",
        )


def run_ablation(
    dataset: Dataset,
    settings: TaoSettings,
    out: Path | str,
    *,
    parts: Sequence[StudyKind] = tuple(StudyKind),
    taus: Sequence[float] = (),
    checkpoints: Path | None = None,
    preset: str = "none",
    methods: Methods = METHODS,
    progress: Progress = no_progress,
    notice: Notice = no_notice,
) -> Ablation:
    """Run and score every variant of the studies.

    Parameters
    ----------
    dataset : Dataset
        With frames and training clips. Its truth is read by scoring alone.
    settings : TaoSettings
        The chosen ones.
    out : path
        Folder of ``variants/NAME``, a submission each, and ``reports/NAME.PROTOCOL.report.json``.
    parts : sequence of StudyKind
        Which studies; figure 6 is left out, with a notice, where there are no sizes to compare.
    taus : sequence of float
        Thresholds that figure 5 tries beside the chosen one.
    checkpoints : path, optional
        Folder with the weights of several sizes of SAM2, under their official names.
    preset : str
        Where the settings come from, for the provenance of the submissions.
    methods : Methods
        What does each stage.
    progress : callable, optional
        Called with (what is being done, number done, number of all).
    notice : callable, optional
        Called with one line for the person who waits.

    Returns
    -------
    Ablation

    Raises
    ------
    UsageError
        B260 if table 4 is asked of settings without tracking or filtering, B262 if no study is left, B263 if the folder
        holds other things; what `run_tao` raises.

    Notes
    -----
    The first variant makes the stages that the others take from it: detection and scoring are computed once. A
    variant whose submission was made of the same frames, settings and program is not made again, and a report is not
    made again whose submission, truth, protocol and version are the same; so a run that was interrupted goes on.
    """
    chosen = with_checkpoint(settings, checkpoints)
    studies = _studies(chosen, parts, taus, checkpoints, notice)
    variants = distinct_variants(studies)
    _check_own(Path(out))
    for variant in variants:
        methods.check(variant.settings, frozenset(Stage))
    folder, keys = Path(out), StageKeys(dataset)
    submissions: dict[str, Submission] = {}
    for number, variant in enumerate(variants, start=1):

        def shown(what: str, done: int, total: int, label: str = f"{variant.name} ({number}/{len(variants)})") -> None:
            progress(f"{label}: {what}", done, total)

        place = _place(folder, variant)
        run_tao(
            dataset,
            variant.settings,
            place,
            preset=preset,
            overwrite=True,
            reuse=None if number == 1 else stages_folder(_place(folder, variants[0])),
            keys=keys,
            methods=methods,
            progress=shown,
            notice=_named(notice, variant.name),
        )
        submissions[variant.name] = Submission.open(place)
    reports = _score(folder, dataset, submissions, progress)
    return Ablation(folder, chosen, preset, tuple(_scores(study, variants, reports, submissions) for study in studies))


def _studies(
    settings: TaoSettings, parts: Sequence[StudyKind], taus: Sequence[float], checkpoints: Path | None, notice: Notice
) -> list[Study]:
    studies = []
    reason = ""
    for kind in StudyKind:
        if kind not in parts:
            continue
        if kind is StudyKind.TABLE4:
            studies.append(components_study(settings))
        elif kind is StudyKind.FIG5:
            studies.append(tau_study(settings, taus))
        elif isinstance(study := size_study(settings, checkpoints), Study):
            studies.append(study)
        else:
            reason = study
            notice(f"{kind} is left out: {reason}")
    if not studies:
        raise UsageError("B262", "there is no study to run", expected=", ".join(StudyKind), got=reason or "none")
    return studies


def _place(folder: Path, variant: Variant) -> Path:
    return folder / VARIANTS / variant.name


def _score(
    folder: Path, dataset: Dataset, submissions: dict[str, Submission], progress: Progress
) -> dict[tuple[str, str], Report]:
    """Reports by (variant's name, protocol)."""
    reports = {}
    tasks = [(name, protocol) for name in submissions for protocol in PROTOCOLS]
    progress("scoring", 0, len(tasks))
    for done, (name, protocol) in enumerate(tasks, start=1):
        path = folder / "reports" / f"{name}.{protocol}.report.json"
        reports[name, protocol] = _report(path, dataset, submissions[name], protocol)
        progress("scoring", done, len(tasks))
    return reports


def _report(path: Path, dataset: Dataset, submission: Submission, protocol: str) -> Report:
    from vadbench import Report, evaluate

    if path.is_file():
        try:
            found = Report.read(path)
        except DataError:
            # Not a report, or a broken one; writing says so if something else is in the way.
            found = None
        if found is not None and _is_current(found, dataset, submission, protocol):
            return found
    report = evaluate(submission, dataset, protocol)
    report.write(path)
    return report


def _is_current(report: Report, dataset: Dataset, submission: Submission, protocol: str) -> bool:
    """Whether scoring would give this report again."""
    tracks = dataset.track_source
    if dataset.tracks_fingerprint is not None:
        tracks += f":{dataset.tracks_fingerprint[:8]}"
    signature = Signature(dataset.id, dataset.fingerprint[:8], tracks, Protocol.parse(protocol), __version__)
    return (
        report.signature == str(signature)
        and report.dataset.fingerprint == dataset.fingerprint
        and report.submission.get("fingerprint") == submission.fingerprint
    )


def _scores(
    study: Study,
    variants: Sequence[Variant],
    reports: dict[tuple[str, str], Report],
    submissions: dict[str, Submission],
) -> StudyScores:
    # A variant of two studies was run under the name that it has in the first.
    names = {
        row.value: next(own.name for own in variants if own.settings == row.variant.settings) for row in study.rows
    }
    by_protocol = {
        protocol: {value: reports[name, protocol] for value, name in names.items()} for protocol in PROTOCOLS
    }
    paths = {value: path for value, name in names.items() if (path := submissions[name].path) is not None}
    return StudyScores(study, by_protocol, paths)


def _named(notice: Notice, name: str) -> Callable[[str], None]:
    return lambda line: notice(f"{name}: {line}")
