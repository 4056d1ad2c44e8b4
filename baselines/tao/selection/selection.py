"""From training clips to chosen settings: split, paste, measure, search, and three files that say how it came."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baselines.simple.baseline import Progress, no_progress
from baselines.tao.box_table import write_whole
from baselines.tao.detection.settings import DetectorKind
from baselines.tao.segmentation.classical import fit_classical
from baselines.tao.selection.box_sources import BoxSource, box_source
from baselines.tao.selection.contact_sheet import contact_sheet, png
from baselines.tao.selection.grid import SEARCH, SearchStep, columns_of, scorings_of, value_of
from baselines.tao.selection.measurements import Measurements, measure
from baselines.tao.selection.objective import METRICS, PROTOCOLS, Judge
from baselines.tao.selection.pasted_clips import PastedClip, paste_clips
from baselines.tao.selection.preset_text import preset_text
from baselines.tao.selection.search import Candidate, best_of, search_settings
from baselines.tao.selection.selection_settings import SelectionSettings
from baselines.tao.selection.training_split import TrainingSplit, split_training
from baselines.tao.settings import SegmentationKind, TaoSettings
from vadbench import Dataset, UsageError

CANDIDATES, CHOSEN, PASTED = "candidates.csv", "chosen.toml", "pasted.png"

_WORKING = ".selection-"
"""Beginning of the name of the folder that a run works in."""

_DETECTORS = (DetectorKind.BACKGROUND, DetectorKind.BOXES_CSV)


@dataclass(frozen=True)
class Selection:
    """What was tried, and what it was tried on.

    Parameters
    ----------
    split : TrainingSplit
    pasted : tuple of PastedClip
        Their frames lie in files that are gone by now.
    candidates : tuple of Candidate
        In order of trial.
    """

    split: TrainingSplit
    pasted: tuple[PastedClip, ...]
    candidates: tuple[Candidate, ...]

    @property
    def chosen(self) -> Candidate:
        """The candidate of the highest objective."""
        return best_of(self.candidates)


def select_settings(
    dataset: Dataset,
    start: TaoSettings,
    selection: SelectionSettings,
    out: Path,
    *,
    preset: str = "none",
    search: Sequence[Sequence[SearchStep]] = SEARCH,
    progress: Progress = no_progress,
) -> Selection:
    """Choose settings on held-out training clips with pasted anomalies; writes what was tried and what was chosen.

    Parameters
    ----------
    dataset : Dataset
        With frames; its id and training clips are used, its test part is not touched.
    start : TaoSettings
        Where the search begins. What the grid does not name stays.
    selection : SelectionSettings
    out : Path
        Folder of ``candidates.csv`` (every candidate with its scores), ``chosen.toml`` (a preset) and ``pasted.png``
        (frames with the outline of what was pasted); files of these names are replaced, others left alone.
    preset : str
        Where `start` comes from, for the comment of ``chosen.toml``.
    search : sequence of sequences of SearchStep
    progress : callable, optional

    Raises
    ------
    UsageError
        B273 if the settings are none that can be searched, B274 if something is in the way, B207 without a folder of
        given boxes.
    DataError
        B271 for too few training clips, B272 if there is nobody to cut out, B275 and B208 for given boxes that are
        missing or wrong, B276 where nothing pasted can be scored, B277 for frames that are wrong, B279 without boxes.

    Notes
    -----
    The same data, settings, grid and versions of packages give the same bytes. Memory holds the features of all boxes,
    2.6 kB a box and embedding; frames and flow of the pasted clips lie in a folder in `out`, 9 bytes a pixel, while it
    runs. Such a folder that a killed run has left is removed first, so no two runs may write into one `out` at once.

    Source: tao.md, section 3, "Fit all of it, τ included, on training clips".
    """
    _check(start, out)
    split = split_training(dataset)
    out.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(out)
    source = box_source(start.detection, dataset, split, progress)
    backgrounds = fit_classical(start.segmentation.classical, dataset.id, split.fitted).backgrounds
    with tempfile.TemporaryDirectory(prefix=_WORKING, dir=out) as name:
        folder = Path(name)
        pasted = paste_clips(dataset.id, split.held_out, source, backgrounds, selection, folder, progress)
        write_whole(out / PASTED, png(contact_sheet([made.pictures for made in pasted])))
        measurements = _measured(dataset.id, start, split, pasted, source, search, folder, progress)
        judge = Judge(dataset.id, pasted, measurements, backgrounds)
        candidates = search_settings(start, search, judge.judge, progress)
    found = Selection(split, tuple(pasted), tuple(candidates))
    columns = columns_of(search)
    write_whole(out / CANDIDATES, candidates_csv(candidates, columns).encode())
    comment = _comment(dataset, selection, found, start.detection.kind, preset)
    write_whole(
        out / CHOSEN,
        preset_text(found.chosen.settings, comment, {*columns, "detection.kind", "segmentation.kind"}).encode(),
    )
    return found


def candidates_csv(candidates: Sequence[Candidate], columns: Sequence[str]) -> str:
    """Candidates as CSV: number, round, stage and step, the settings that were searched, the objective, all scores.

    Parameters
    ----------
    candidates : sequence of Candidate
    columns : sequence of str
        Dotted names of settings.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [f"{protocol}.{metric}" for protocol in PROTOCOLS for metric in METRICS]
    writer.writerow(["number", "round", "stage", "step", *columns, "objective", *names])
    for candidate in candidates:
        writer.writerow(
            [
                candidate.number,
                candidate.round,
                candidate.stage or "",
                candidate.step,
                *(_cell(value_of(candidate.settings, column)) for column in columns),
                repr(candidate.judgement.objective),
                *map(repr, candidate.judgement.scores.values()),
            ]
        )
    return text.getvalue()


def _cell(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _check(start: TaoSettings, out: Path) -> None:
    if start.detection.kind not in _DETECTORS:
        raise UsageError(
            "B273",
            f"settings cannot be chosen with the detector {start.detection.kind}",
            expected=" or ".join(_DETECTORS),
            hint="start from another preset, or say --detector",
        )
    if start.segmentation.kind is not SegmentationKind.CLASSICAL:
        raise UsageError(
            "B273",
            f"settings cannot be chosen with the segmenter {start.segmentation.kind}",
            expected=str(SegmentationKind.CLASSICAL),
            hint="start from another preset, such as default",
        )
    if out.exists() and not out.is_dir():
        raise UsageError("B274", "there is a file in the way of the folder to write", where=str(out))


def _remove_leftovers(out: Path) -> None:
    """Remove the folders of runs that were killed, a gigabyte each."""
    for left in out.glob(f"{_WORKING}*"):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)


def _measured(
    dataset_id: str,
    start: TaoSettings,
    split: TrainingSplit,
    pasted: Sequence[PastedClip],
    source: BoxSource,
    search: Sequence[Sequence[SearchStep]],
    folder: Path,
    progress: Progress,
) -> Measurements:
    boxes = {}
    for done, clip in enumerate(split.fitted, start=1):
        boxes[clip.id] = source.of_clip(clip)
        progress("finding boxes", done, len(split.fitted))
    return measure(scorings_of(start, search), dataset_id, split.fitted, boxes, pasted, folder, progress)


def _comment(
    dataset: Dataset, selection: SelectionSettings, found: Selection, detector: DetectorKind, preset: str
) -> list[str]:
    chosen = found.chosen
    start = found.candidates[0].judgement.objective
    held_out = dict.fromkeys(made.source_id for made in found.pasted)
    return [
        f"Chosen by `python -m baselines tao-select` on training clips of {dataset.id} alone; no test clip was read.",
        f"Preset to start from: {preset}; detector: {detector}; seed: {selection.seed}.",
        f"Learned from the clips {' '.join(clip.id for clip in found.split.fitted)}.",
        f"Judged on {len(found.pasted)} clips with pasted anomalies, made of {' '.join(held_out)}.",
        f"Objective: mean of {', '.join(METRICS)} in {' and '.join(PROTOCOLS)}:",
        f"{chosen.judgement.objective:.4f} (preset {start:.4f}), candidate {chosen.number} of {len(found.candidates)}.",
    ]
