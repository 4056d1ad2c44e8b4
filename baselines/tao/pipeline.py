"""The four stages one after the other: from the clips of a data set to a submission of masks.

Clips are all that is asked of a data set; its truth is never read. Source: TAO, section 3 and figure 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Self

from baselines.simple.baseline import Progress, no_progress
from baselines.simple.submission import check_place
from baselines.tao.box_table import BoxTable
from baselines.tao.detection.detector import Part
from baselines.tao.filtering import object_boxes
from baselines.tao.instance_rows import InstanceRows, read_kept
from baselines.tao.methods import METHODS, Learned, Methods
from baselines.tao.placing import is_in_place, put_in_place, unfinished
from baselines.tao.progress import FrameProgress
from baselines.tao.resources import gpu_use, memory_watched, peak_memory_bytes
from baselines.tao.results import Notice, StageResults
from baselines.tao.run_manifest import method, provenance, training
from baselines.tao.settings import TaoSettings
from baselines.tao.stage_keys import StageKeys
from baselines.tao.stages import Result, Stage, StageFolder
from vadbench import Clip, DataError, Dataset, SubmissionWriter, UsageError


def no_notice(line: str) -> None:
    """Say nothing."""


def stages_folder(out: Path | str) -> Path:
    """Folder of the stages' results: beside the submission, never in it."""
    path = Path(out)
    return path.with_name(f"{path.name}.stages")


@dataclass(frozen=True)
class TaoRun:
    """What a run has made.

    Parameters
    ----------
    submission : Path or None
        None if the last stage was not among those that were asked for.
    stages : Path
        Folder of the stages' results; another run can take them from here (`run_tao`, `reuse`).
    seconds : mapping from Stage to float
        Time that the results of each stage have taken, over all runs that had a part in them.
    frames : mapping from Stage to int
        Frames that this time was spent on, of training and test clips.
    made : frozenset of Stage
        Stages that had something to do; of the others, results that were there were used again.
    peak_memory_bytes : int
        Largest resident size of this process.
    """

    submission: Path | None
    stages: Path
    seconds: Mapping[Stage, float]
    frames: Mapping[Stage, int]
    made: frozenset[Stage]
    peak_memory_bytes: int


def run_tao(
    dataset: Dataset,
    settings: TaoSettings,
    out: Path | str,
    *,
    preset: str = "none",
    stage: Stage | None = None,
    overwrite: bool = False,
    reuse: Path | None = None,
    keys: StageKeys | None = None,
    methods: Methods = METHODS,
    progress: Progress = no_progress,
    notice: Notice = no_notice,
) -> TaoRun:
    """Detect, score, filter, segment.

    Parameters
    ----------
    dataset : Dataset
        With frames and training clips; its truth is not read.
    settings : TaoSettings
    out : path
        Folder of the submission, which appears when it is whole. `stages_folder` keeps what the stages have written.
    preset : str
        Where the settings come from, for the provenance of the submission.
    stage : Stage, optional
        Run this stage alone, on what those before have written; all of them if absent.
    overwrite : bool
        Replace a submission that is there, once the new one is whole. Results of stages, and the submission itself,
        are used again either way where nothing that they depend on has changed.
    reuse : path, optional
        `TaoRun.stages` of another run: what it has, whole and of the same settings, is read from there.
    keys : StageKeys, optional
        Of the data set; several runs that share them look at its frames once.
    methods : Methods
        What does each stage.
    progress : callable, optional
        Called with (what is being done, frames done, all frames).
    notice : callable, optional
        Called with one line where results of other settings are made again, or a run goes on.

    Returns
    -------
    TaoRun

    Raises
    ------
    UsageError
        B101, B102 if something is in the way of the submission, B243 of the stages; B244 if memory is not enough;
        B245 if a stage lacks what those before must have written; B246 if `reuse` is no folder of stages; what the
        methods say that the stages lack (`Methods.check`), before any of them begins.
    DataError
        B216 if the boxes of objects lack score or label; B240 without test or training clips; what the data set says
        of clips that cannot be read.

    Notes
    -----
    The same data, settings and versions of packages give the same bytes, apart from the entry ``run`` of
    ``provenance.json``. A run that is interrupted, or fails at some clip, keeps the clips that it has finished; the
    same call goes on with the others. Results of other settings are deleted when what makes the new ones is ready: a
    call that cannot work costs nothing. Two runs must not write to the same place at once.
    """
    _check_clips(dataset)
    if stage in {None, Stage.SEGMENT}:
        check_place(Path(out), overwrite=overwrite)
    if reuse is not None and not reuse.is_dir():
        raise UsageError("B246", "there is no folder of stages to use again", where=str(reuse))
    methods.check(settings, frozenset(Stage if stage is None else [stage]))
    found = (StageKeys(dataset) if keys is None else keys).of(settings)
    results = StageResults(dataset, stages_folder(out), found, notice)
    if reuse is not None:
        results.take_from(reuse)
    run = _Run(results, settings, Path(out), preset, methods, progress, notice)
    submission = None
    for step, work in (
        (Stage.DETECT, run.detect),
        (Stage.SCORE, run.score),
        (Stage.FILTER, run.filter),
        (Stage.SEGMENT, run.segment),
    ):
        if stage in {None, step}:
            submission = work()
    seconds, frames = results.times()
    return TaoRun(submission, results.path, seconds, frames, frozenset(results.made), peak_memory_bytes())


class _Run:
    """One call of `run_tao`."""

    def __init__(
        self,
        results: StageResults,
        settings: TaoSettings,
        out: Path,
        preset: str,
        methods: Methods,
        progress: Progress,
        notice: Notice,
    ) -> None:
        self.results = results
        self.dataset = results.dataset
        self.settings = settings
        self.out = out
        self.preset = preset
        self.methods = methods
        self.progress = progress
        self.notice = notice

    def detect(self) -> None:
        """Stage 1: boxes of all clips."""
        if self.results.is_whole(Result.DETECTION):
            return
        self.results.announce(Result.DETECTION)
        with memory_watched("detector"), _Stopwatch() as making:
            detector = self.methods.detector(self.settings.detection, self.dataset, self.progress)
        folder, missing = self._begun(Result.DETECTION, making)
        meter = self._meter("detecting", tuple(Part), missing)
        for part, clip in missing:
            with _work(folder, clip):
                detector.detect(clip, part, meter.of(clip)).write(folder.boxes(part, clip.id))

    def score(self) -> None:
        """Stage 2: learn from the boxes of training clips, give scores to those of test clips."""
        detection = self.results.whole(Result.DETECTION)
        if self.results.is_whole(Result.SCORING):
            return
        self.results.announce(Result.SCORING)
        if self.results.lacks_model(Result.SCORING):
            self._learn_scores(detection)
        folder, missing = self._begun(Result.SCORING)
        if not missing:
            return
        # Read back even if it was learned just now, so that a run that goes on computes with the same numbers.
        scorer = self.methods.load_scorer(folder.model, self.settings.scoring)
        meter = self._meter("scoring", (Part.TEST,), missing)
        for part, clip in missing:
            with _work(folder, clip):
                boxes_of_clip = BoxTable.read(detection.boxes(part, clip.id))
                scorer.score(clip, boxes_of_clip, meter.of(clip)).write(folder.boxes(part, clip.id))

    def filter(self) -> None:
        """Stage 3: of the boxes above the threshold, those that persist."""
        scoring = self.results.whole(Result.SCORING)
        if self.results.is_whole(Result.FILTERING):
            return
        self.results.announce(Result.FILTERING)
        folder, missing = self._begun(Result.FILTERING)
        meter = self._meter("filtering", (Part.TEST,), missing)
        kept, highest = 0, -math.inf
        for part, clip in missing:
            with _work(folder, clip):
                table = BoxTable.read(scoring.boxes(part, clip.id))
                objects = object_boxes(table, self.settings.tau, self.settings.filtering, clip.frames)
                objects.write(folder.boxes(part, clip.id))
                kept += len(objects)
                highest = max(highest, max([] if table.scores is None else table.scores, default=-math.inf))
                meter.of(clip)(clip.frames)
        if len(missing) == len(self.dataset.clips) and not kept:
            self.notice(f"no box is left by τ {self.settings.tau:g} and filtering; the highest score is {highest:.4g}")

    def segment(self) -> Path:
        """Stage 4: masks of the objects, as a submission."""
        filtering = self.results.whole(Result.FILTERING)
        model = self._fitted_segmenter()
        folder = self.results[Result.SUBMISSION]
        if is_in_place(folder, self.out, self.preset):
            return self.out
        self.results.announce(Result.SUBMISSION)
        goes_on = folder.differences() == [] and unfinished(folder).exists()
        missing = self.results.clips_of((Part.TEST,))
        if goes_on:
            writer = self._writer({})
            missing = [(part, clip) for part, clip in missing if not writer.has_clip(clip.id)]
        making = _Stopwatch()
        if missing:
            with memory_watched("segmenter"), making:
                segmenter = self.methods.segmenter(self.settings.segmentation, model)
        self.results.begin(Result.SUBMISSION)
        if not goes_on:
            # The submission before this one is finished, or another; this one begins anew.
            folder.forget_time()
            writer = self._writer({})
        self.results.say_resumed(Result.SUBMISSION, len(missing), len(self.dataset.clips))
        if missing:
            folder.add_time(making.seconds, 0)
            meter = self._meter("segmenting", (Part.TEST,), missing)
            for part, clip in missing:
                with _work(folder, clip):
                    rows = InstanceRows(clip, read_kept(filtering.boxes(part, clip.id)))
                    for found in segmenter.segment(clip, rows.prompts, meter.of(clip)):
                        rows.add(found)
                    writer.write_clip(clip.id, instances=rows.instances())
        seconds, frames = self.results.times()
        # A writer of its own, because what the run took becomes known only now.
        self._writer({"seconds": seconds, "frames": frames}).close()
        put_in_place(folder, self.out)
        return self.out

    def _learn_scores(self, detection: StageFolder) -> None:
        clips = self.dataset.training_clips
        what = "learning scores"
        with memory_watched(what), _Stopwatch() as learning:
            boxes = {clip.id: BoxTable.read(detection.boxes(Part.TRAINING, clip.id)) for clip in clips}
            learned = self.methods.fit_scorer(self.settings.scoring, self.dataset, boxes, self._learning(what))
        self._keep_learned(Result.SCORING, learned, learning)

    def _fitted_segmenter(self) -> Path | None:
        """File of what the segmenter has learned, made unless it is there; None for one that learns nothing."""
        if not self.settings.segmentation.is_fitted:
            return None
        if not self.results.is_whole(Result.SEGMENTATION):
            self.results.announce(Result.SEGMENTATION)
            what = "learning the background"
            with memory_watched(what), _Stopwatch() as learning:
                learned = self.methods.fit_segmenter(self.settings.segmentation, self.dataset, self._learning(what))
            self._keep_learned(Result.SEGMENTATION, learned, learning)
        return self.results[Result.SEGMENTATION].model

    def _keep_learned(self, result: Result, learned: Learned, learning: _Stopwatch) -> None:
        folder = self.results[result]
        folder.begin()
        learned.save(folder.model)
        folder.add_time(learning.seconds, sum(clip.frames for clip in self.dataset.training_clips))

    def _begun(self, result: Result, making: _Stopwatch | None = None) -> tuple[StageFolder, list[tuple[Part, Clip]]]:
        """Folder of a result, ready to be written, with the clips that it lacks."""
        folder, missing = self.results[result], self.results.begin(result)
        if making is not None:
            folder.add_time(making.seconds, 0)
        return folder, missing

    def _writer(self, took: Mapping[str, Any]) -> SubmissionWriter:
        run = {**took, "peak_memory_bytes": peak_memory_bytes(), **gpu_use()}
        return SubmissionWriter(
            unfinished(self.results[Result.SUBMISSION]),
            dataset=self.dataset,
            method=method(self.settings),
            training=training(self.settings, self.dataset),
            provenance=provenance(self.settings, self.preset, run),
            resume=True,
        )

    def _meter(self, what: str, parts: Sequence[Part], missing: Sequence[tuple[Part, Clip]]) -> _Meter:
        total = sum(clip.frames for _, clip in self.results.clips_of(parts))
        return _Meter(self.progress, what, total, total - sum(clip.frames for _, clip in missing))

    def _learning(self, what: str) -> FrameProgress:
        """The way to say how far work on all training clips is."""
        total = sum(clip.frames for clip in self.dataset.training_clips)
        return lambda frames: self.progress(what, frames, total)


class _Meter:
    """Turns the frames done of a clip into those of a stage."""

    def __init__(self, progress: Progress, what: str, total: int, done: int) -> None:
        self._progress, self._what, self._total, self._done = progress, what, total, done

    def of(self, clip: Clip) -> FrameProgress:
        before, self._done = self._done, self._done + clip.frames
        self._progress(self._what, before, self._total)
        return lambda frames: self._progress(self._what, before + frames, self._total)


class _Stopwatch:
    """Seconds that a block has taken; 0 before."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._started = perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = perf_counter() - self._started


@contextmanager
def _work(folder: StageFolder, clip: Clip) -> Iterator[None]:
    with memory_watched(f"clip {clip.id}"), _Stopwatch() as working:
        yield
    folder.add_time(working.seconds, clip.frames)


def _check_clips(dataset: Dataset) -> None:
    parts = {"training": dataset.training_clips, "test": dataset.clips}
    for part, clips in parts.items():
        if not clips:
            raise DataError(
                "B240",
                f"TAO needs {part} clips, and there are none",
                where=f"data set {dataset.id}",
                expected="training clips, to learn what is normal, and test clips",
                hint="put the training part beside the test part; `vadbench data list` shows the layout",
            )
