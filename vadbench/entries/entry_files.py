"""The few files that an entry may hold: which names are allowed, and reading them without following a link.

Source: docs/board-entries.md, "Files".
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vadbench.entries.sent_report import LARGEST_REPORT
from vadbench.errors import ProtocolError, SubmissionError, quoted
from vadbench.evaluation.statistics_file import LARGEST_STATISTICS
from vadbench.protocol.protocol import Protocol
from vadbench.submission.problems import problem
from vadbench.submission.schema import LARGEST_PROVENANCE
from vadbench.submission.toml_text import LARGEST_TOML
from vadbench.submission.tree import METADATA, PROVENANCE
from vadbench.validation.findings import plain

REPORT = "report.json"
VERIFIED = "verified.json"
README = "README.md"
FURTHER_REPORT = ".report.json"
STATISTICS = "statistics.json"
FURTHER_STATISTICS = ".statistics.json"
STANDARD = "standard"

LARGEST_README = 64 * 2**10
_MOST_FURTHER = 12
_MOST_NAMES = 100
_LONGEST_SHOWN = 300
_LIMITS = {
    METADATA: LARGEST_TOML,
    PROVENANCE: LARGEST_PROVENANCE,
    REPORT: LARGEST_REPORT,
    STATISTICS: LARGEST_STATISTICS,
    VERIFIED: LARGEST_REPORT,
    README: LARGEST_README,
}
_FURTHER = {FURTHER_REPORT: (REPORT, LARGEST_REPORT), FURTHER_STATISTICS: (STATISTICS, LARGEST_STATISTICS)}
"""Ending of what comes with a further protocol, what it is called for the standard one, and its most bytes."""

_EXPECTED = f"{', '.join(_LIMITS)}, PROTOCOL{FURTHER_REPORT} and PROTOCOL{FURTHER_STATISTICS}"


def as_shown(path: object) -> str:
    """A path as messages call it: on one line, control characters escaped, shortened."""
    return plain(str(path), _LONGEST_SHOWN).replace("\n", "\\n")


@dataclass
class EntryFiles:
    """What was found in the folder of an entry.

    Parameters
    ----------
    contents : dict from name to bytes
        Of the files that belong there and could be read.
    problems : list of SubmissionError
    """

    contents: dict[str, bytes] = field(default_factory=dict)
    problems: list[SubmissionError] = field(default_factory=list)

    @property
    def further_reports(self) -> dict[str, bytes]:
        """Reports of further protocols, by the protocol that the name says."""
        return {
            name.removesuffix(FURTHER_REPORT): data
            for name, data in self.contents.items()
            if name.endswith(FURTHER_REPORT)
        }


def report_beside(name: str) -> str | None:
    """Name of the report beside statistics; None where a name is not that of statistics."""
    if name == STATISTICS:
        return REPORT
    return name.removesuffix(STATISTICS) + REPORT if name.endswith(FURTHER_STATISTICS) else None


def read_entry_files(folder: Path, shown: str) -> EntryFiles:
    """Read the files of an entry; whatever is wrong with them is among the problems, and nothing is raised.

    Parameters
    ----------
    folder : Path
        Neither it nor the folder around it may be a link.
    shown : str
        How messages call it.
    """
    files = EntryFiles()
    for place in (folder.parent, folder):
        if place.is_symlink():
            files.problems.append(
                problem(
                    "S121", where=(shown,), expected="a folder", got="a link", hint="put the files themselves there"
                )
            )
            return files
    if not folder.is_dir():
        got = "a file" if folder.exists() else "nothing"
        files.problems.append(problem("S180", where=(shown,), expected=f"a folder with {METADATA}, {REPORT}", got=got))
        return files
    try:
        names = sorted(_names(folder))
    except OSError as error:
        files.problems.append(problem("S124", where=(shown,), got=error.strerror or type(error).__name__))
        return files
    if len(names) > _MOST_NAMES:
        files.problems.append(problem("S181", where=(shown,), expected=_EXPECTED, got=f"more than {_MOST_NAMES} names"))
        return files
    for name in names:
        try:
            files.contents[name] = read_entry_file(folder, name, shown)
        except SubmissionError as error:
            files.problems.append(error)
    for ending, what in ((FURTHER_REPORT, "further reports"), (FURTHER_STATISTICS, "further statistics")):
        n_further = sum(name.endswith(ending) for name in files.contents)
        if n_further > _MOST_FURTHER:
            files.problems.append(
                problem("S181", where=(shown,), expected=f"at most {_MOST_FURTHER} {what}", got=str(n_further))
            )
    for name in (METADATA, REPORT):
        if name not in names:
            files.problems.append(_missing(name, shown))
    return files


def _names(folder: Path) -> Iterator[str]:
    """Names in a folder, some more than are ever allowed."""
    with os.scandir(folder) as listing:
        for number, entry in enumerate(listing):
            if number > _MOST_NAMES:
                break
            yield entry.name


def _missing(name: str, shown: str) -> SubmissionError:
    hint = {
        METADATA: "copy the submission.toml of the submission that was scored, and add the table [files]",
        REPORT: "`vadbench score my-method` writes my-method.report.json beside the submission: copy it as report.json",
    }
    return problem("S180", where=(shown,), expected=f"a file {name}", got="none", hint=hint[name])


def read_entry_file(folder: Path, name: str, shown: str) -> bytes:
    """Read one file of an entry.

    Raises
    ------
    SubmissionError
        S181 for a name that does not belong there, S121 for a link or a special file, S123 if it is too large, S124 if
        the system does not give it.
    """
    path, where = folder / name, (shown, quoted(name))
    limit = _limit(name, where, is_folder=path.is_dir() and not path.is_symlink())
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            got = "a link" if stat.S_ISLNK(status.st_mode) else "something else"
            raise problem("S121", where=where, expected="a plain file", got=got, hint="put the file itself there")
        # It may have become a link, or a pipe at which the opening would wait, since it was looked at.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise problem("S124", where=where, got=error.strerror or type(error).__name__) from error
    if len(data) > limit:
        raise problem("S123", where=where, expected=f"at most {limit} bytes", got=f"{max(status.st_size, len(data))}")
    return data


def _limit(name: str, where: tuple[str, ...], *, is_folder: bool) -> int:
    """Most bytes of a file of that name; raises `SubmissionError` S181 for a name that does not belong there."""
    if is_folder:
        raise problem(
            "S181",
            where=where,
            expected=_EXPECTED,
            got="a folder",
            hint="predictions stay elsewhere: [files] says where they are" if name.endswith(".zarr") else "take it out",
        )
    if name in _LIMITS:
        return _LIMITS[name]
    ending = next((ending for ending in _FURTHER if name.endswith(ending)), "")
    stem = name.removesuffix(ending)
    if not ending:
        raise problem("S181", where=where, expected=_EXPECTED, got=quoted(name), hint="take it out")
    try:
        written = str(Protocol.parse(stem))
    except ProtocolError as error:
        raise problem(
            "S181",
            where=where,
            expected=f"the name of a protocol before {ending}",
            got=f"{quoted(stem)}: {error.message}",
            hint=error.hint,
        ) from error
    if written != stem or stem == STANDARD:
        wanted = _FURTHER[ending][0] if written == STANDARD else f"{written}{ending}"
        raise problem("S181", where=where, expected=quoted(wanted), got=quoted(name), hint="rename it")
    return _FURTHER[ending][1]
