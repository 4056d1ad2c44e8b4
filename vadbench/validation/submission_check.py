"""The pass over a submission that finds every problem and raises none.

Source: submission.md; style.md, "Errors".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from vadbench.datasets.base import Clip, Dataset
from vadbench.datasets.findings import Severity
from vadbench.datasets.registry import known_datasets
from vadbench.errors import SubmissionError, UsageError, did_you_mean, quoted
from vadbench.submission.agreement import (
    FrameCounts,
    clip_differences,
    clip_faults,
    commonest,
    kinds_differ,
    own_differences,
    renamed_clips,
    training_hint,
    uncommon,
)
from vadbench.submission.arrays import check_total
from vadbench.submission.faults import Fault
from vadbench.submission.fingerprint import metadata_line, submission_fingerprint
from vadbench.submission.layout import LayoutScan, scan_clip_ids, scan_layout, top_faults
from vadbench.submission.problems import problem
from vadbench.submission.reader import no_metadata
from vadbench.submission.schema import LARGEST_PROVENANCE, MetadataScan, check_provenance, scan_metadata
from vadbench.submission.toml_text import LARGEST_TOML
from vadbench.submission.tree import METADATA, PREDICTIONS, PROVENANCE, Tree, open_tree
from vadbench.validation.clip_contents import ClipContents, read_contents
from vadbench.validation.expected_clips import ExpectedClips, expected_clips
from vadbench.validation.findings import Findings, plain
from vadbench.validation.frame_base import explain_frame_base
from vadbench.validation.oracle import oracle_check
from vadbench.validation.remarks import all_remarks, frames_check
from vadbench.validation.validation import LONGEST_NAME, Check, Validation
from vadbench.validation.warnings import Remark

Progress = Callable[[int, int, str], None]


def validate(
    path: str | os.PathLike[str] | Tree,
    dataset: Dataset | str | None = None,
    *,
    contents: bool = True,
    progress: Progress | None = None,
    no_dataset: str = "",
) -> Validation:
    """Find everything that is wrong with a submission, and what is probably not meant.

    Parameters
    ----------
    path : str, path or Tree
        Folder, zip, or URL as text; or the files of one that is open.
    dataset : Dataset or str, optional
        Open data set that the submission must be for and fit; or its id alone. Without it the submission names it.
        Where only the id is known, ids, frame counts and sizes come from what ships with the package.
    contents : bool
        False: metadata and names only, no array is read.
    progress : callable, optional
        Called after each clip with (clips done, all clips, clip id).
    no_dataset : str
        Why there is no open data set, where somebody may expect one; for the remarks.

    Returns
    -------
    Validation
        With one error if the submission cannot be opened at all.

    Raises
    ------
    UsageError
        If the call is wrong: U111 an unknown data set, U130 nothing at the path, U138 and U139 about URLs.

    Notes
    -----
    Memory is a chunk of score maps, the rows of one clip, and one number a frame; time is that of reading once.
    """
    if isinstance(dataset, str) and dataset not in known_datasets():
        raise UsageError(
            "U111", f"there is no data set {quoted(dataset)}", hint=did_you_mean(dataset, known_datasets())
        )
    try:
        tree = path if isinstance(path, Tree) else open_tree(path)
        tree.entries()
    except SubmissionError as error:
        return not_opened(error)
    try:
        return _Pass(tree, dataset, contents=contents, progress=progress, no_dataset=no_dataset).result()
    except SubmissionError as error:  # of what cannot be gone on from, such as a zip that changed meanwhile
        return Validation.of_error(tree.shown, error)


def not_opened(error: SubmissionError) -> Validation:
    """Result of a check of what cannot be opened."""
    # Not the path as it was given: a URL may hold what is secret.
    return Validation.of_error(error.where[0] if error.where else "submission", error)


def named_dataset(tree: Tree) -> str | None:
    """Id of the data set that a submission names, if that can be read."""
    try:
        return scan_metadata(tree.read(METADATA, LARGEST_TOML), (tree.shown, METADATA)).dataset
    except SubmissionError:
        return None


class _Pass:
    """One pass; the methods are its steps, in order."""

    def __init__(
        self,
        tree: Tree,
        dataset: Dataset | str | None,
        *,
        contents: bool,
        progress: Progress | None,
        no_dataset: str = "",
    ) -> None:
        self._no_dataset = no_dataset
        self._tree = tree
        self._dataset = dataset
        self._contents = contents
        self._progress = progress
        self._findings = Findings(tree.shown)
        self._checks: list[Check] = []
        self._toml = b""
        self._clips: dict[str, Clip] = {}
        self._n_read = 0

    def result(self) -> Validation:
        """Go through all steps."""
        metadata = self._metadata()
        expected = self._expected(metadata)
        ids = self._clip_ids(expected)
        scans = {clip_id: scan_layout(self._tree, clip_id) for clip_id in ids}
        self._layouts(scans, metadata, expected)
        found = self._read(scans) if self._contents else {}
        self._warn(metadata, scans, found, expected)
        n_errors = self._findings.number(Severity.ERROR)
        self._check(
            "fingerprint",
            made=self._contents and not n_errors,
            remark="" if self._contents and not n_errors else _because(self._contents, "there are errors"),
        )
        return Validation(
            submission=plain(self._tree.shown, LONGEST_NAME),
            dataset=metadata.dataset,
            fingerprint=self._fingerprint(found) if self._contents and not n_errors else None,
            checks=tuple(self._checks),
            groups=self._findings.groups(),
            n_errors=n_errors,
            n_warnings=self._findings.number(Severity.WARNING),
        )

    def _check(self, name: str, *, made: bool, remark: str = "") -> None:
        self._checks.append(Check(name=name, made=made, remark=plain(remark)))

    def _metadata(self) -> MetadataScan:
        tree, shown = self._tree, self._tree.shown
        entries = tree.entries()
        if METADATA in entries or PREDICTIONS in entries:
            # Else it is no submission, and no name is a stranger to it.
            self._findings.add_faults(top_faults(tree, {METADATA, PROVENANCE, PREDICTIONS}))
        if entries.get(METADATA) is not False:
            self._findings.add(no_metadata(tree))
            self._check("metadata", made=False, remark=f"there is no {METADATA}")
            return MetadataScan(None)
        try:
            self._toml = tree.read(METADATA, LARGEST_TOML)
            scan = scan_metadata(self._toml, (shown, METADATA))
        except SubmissionError as error:
            scan = MetadataScan(None, {}, (Fault(error),))
        self._findings.add_faults(scan.faults)
        if entries.get(PROVENANCE) is False:
            try:
                check_provenance(tree.read(PROVENANCE, LARGEST_PROVENANCE), (shown, PROVENANCE))
            except SubmissionError as error:
                self._findings.add(error)
        unread = "" if scan.table else f"{METADATA} cannot be read"
        self._check("metadata", made=bool(scan.table), remark=unread)
        return scan

    def _expected(self, metadata: MetadataScan) -> ExpectedClips:
        expected, error = expected_clips(metadata.dataset, self._dataset, (self._tree.shown, METADATA))
        if error is not None:
            self._findings.add(error)
        return expected

    def _clip_ids(self, expected: ExpectedClips) -> tuple[str, ...]:
        where = (self._tree.shown, PREDICTIONS)
        if PREDICTIONS not in self._tree.entries():
            # Without metadata either it is no submission at all, which is said already.
            if self._toml:
                self._findings.add(problem("S135", where=where, expected=f"a folder {PREDICTIONS}", got="none"))
            self._check("names", made=False, remark=f"there is no {PREDICTIONS}")
            return ()
        ids, faults = scan_clip_ids(self._tree)
        self._findings.add_faults(faults)
        self._check("names", made=True)
        if expected.clips and (ids or not faults):
            hint = training_hint(ids, expected.clips, expected.training)
            renamed = {} if hint else renamed_clips(ids, tuple(expected.clips))
            names = {clip_id: renamed.get(clip_id, clip_id) for clip_id in ids}
            # A clip under another name is still checked against its own frames.
            self._clips = {clip_id: expected.clips[name] for clip_id, name in names.items() if name in expected.clips}
            for error in clip_differences(where, ids, tuple(expected.clips), hint=hint):
                self._findings.add(error)
        elif not ids and not faults:
            self._findings.add(problem("S103", where=where, expected="at least one clip", got="no clip"))
        n_known = len(self._clips)
        some = f"; {n_known} of {len(ids)} clips, the others are not in the data set" if n_known < len(ids) else ""
        remark = expected.remark + (some if expected.clips else "") if ids else "there are no clips"
        self._check("clips, frame counts and sizes", made=bool(n_known), remark=remark)
        return ids

    def _layouts(self, scans: Mapping[str, LayoutScan], metadata: MetadataScan, expected: ExpectedClips) -> None:
        declared = metadata.predictions
        counts = FrameCounts()
        common = commonest(scan.whole_layout for scan in scans.values())
        for clip_id, scan in scans.items():
            layout = scan.layout
            faults = list(scan.faults)
            # Where nothing is known of a clip, and said why, "no predictions" would be a second, untrue cause.
            if declared is not None and layout.kinds != declared and (layout.kinds or not scan.faults):
                faults.append(Fault(kinds_differ(layout, declared)))
            if (clip := self._clips.get(clip_id)) is not None:
                faults += clip_faults(layout, clip, expected.source)
                counts.add(layout, clip)
            else:
                faults += [Fault(error) for error in own_differences(layout)]
            faults += [Fault(error) for error in uncommon(scan.whole_layout, common)]
            self._findings.add_faults(faults, clip_id=clip_id)
        for kind, hint in counts.hints().items():
            self._findings.rehint("S104", hint, part=kind)
        try:
            check_total(
                (reader for scan in scans.values() for reader in scan.layout.readers()), (self._tree.shown, PREDICTIONS)
            )
        except SubmissionError as error:
            self._findings.add(error)
            self._contents = False
        if not self._contents:
            for number, clip_id in enumerate(scans, 1):
                self._move(number, len(scans), clip_id)

    def _read(self, scans: Mapping[str, LayoutScan]) -> dict[str, ClipContents]:
        """Read clip by clip."""
        found: dict[str, ClipContents] = {}
        for number, (clip_id, scan) in enumerate(scans.items(), 1):
            contents = read_contents(scan, self._clips.get(clip_id))
            self._findings.add_faults(contents.faults, clip_id=clip_id)
            self._n_read += _n_read(scan, contents)
            contents.faults = []
            found[clip_id] = contents
            self._move(number, len(scans), clip_id)
        return found

    def _move(self, done: int, total: int, clip_id: str) -> None:
        if self._progress is not None:
            self._progress(done, total, clip_id)

    def _warn(
        self,
        metadata: MetadataScan,
        scans: Mapping[str, LayoutScan],
        found: Mapping[str, ClipContents],
        expected: ExpectedClips,
    ) -> None:
        n_arrays = sum(scan.n_arrays for scan in scans.values())
        n_empty = sum(not scan.n_arrays for scan in scans.values())
        self._check(
            "values: every chunk, scores finite, rows, boxes, masks",
            made=self._contents and self._n_read > 0,
            remark=_because(self._contents, _read_in_words(self._n_read, n_arrays, n_empty)),
        )
        explain_frame_base(self._findings, found)
        for remark in all_remarks(metadata, found):
            self._remark(remark)
        if (frames := frames_check(found, frames_known=bool(expected.clips))) is not None:
            self._checks.append(frames)
        check, suspicions = oracle_check(self._dataset if isinstance(self._dataset, Dataset) else None, found)
        for remark in suspicions:
            self._remark(remark)
        why = f"; {self._no_dataset}" if self._no_dataset and not check.made else ""
        self._check(check.name, made=check.made, remark=check.remark + why)

    def _remark(self, remark: Remark) -> None:
        warning = problem(remark.code, where=(self._tree.shown, *remark.where), got=remark.sentence, hint=remark.hint)
        self._findings.add(warning, count=remark.count, clips=remark.clips, warn=True)

    def _fingerprint(self, found: Mapping[str, ClipContents]) -> str:
        lines = (line for contents in found.values() for line in contents.lines)
        return submission_fingerprint([metadata_line(self._toml), *lines])


def _because(contents: bool, otherwise: str) -> str:
    return otherwise if contents else "the arrays were not read"


def _n_read(scan: LayoutScan, contents: ClipContents) -> int:
    """Arrays of a clip that were read from beginning to end, whatever is wrong with their values."""
    unread = [fault.error.where for fault in contents.faults if not fault.error.code.startswith("S14")]
    return sum(
        reader.path not in scan.stored
        and not any(where[: len(reader.where)] == reader.where or reader.path in where[-1] for where in unread)
        for reader in scan.layout.readers()
    )


def _read_in_words(n_read: int, n_arrays: int, n_empty: int) -> str:
    """What was not read: arrays, and clips in which there are none."""
    if not n_arrays:
        return "there are no arrays"
    if not n_read:
        return "none of the arrays can be read; they have errors above"
    parts = [f"{n_read} of {n_arrays} arrays; the others have errors above"] if n_read < n_arrays else []
    empty = "1 clip has" if n_empty == 1 else f"{n_empty} clips have"
    return "; ".join([*parts, *([f"{empty} no arrays"] if n_empty else [])])
