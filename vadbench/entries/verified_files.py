"""What maintainers found when they scored an entry again, and of which files: ``verified.json``.

Source: docs/board-entries.md, "verified.json".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

from vadbench.entries.entry_files import FURTHER_REPORT, REPORT, report_beside
from vadbench.errors import SubmissionError, quoted
from vadbench.submission.checked_json import parse_json
from vadbench.submission.problems import problem
from vadbench.submission.tree import METADATA

FORMAT = "vadbench.verified/1"
_LEVELS = 8
_MOST_SIGNS = 200_000
_HEX64 = re.compile(r"[0-9a-f]{64}")
_EXPECTED = (
    f'an object with "format": "{FORMAT}" and "files": the SHA-256 of {METADATA}, '
    "of every report and of all statistics, by name"
)


def verification_problems(contents: Mapping[str, bytes], where: tuple[str, ...]) -> Iterator[SubmissionError]:
    """Whether the verification of an entry is one, and one of the very files that lie beside it.

    Parameters
    ----------
    contents : mapping from name to bytes
        Of the files of the entry, ``verified.json`` among them.
    where : tuple of str
        What messages name.

    Yields
    ------
    SubmissionError
        S110 for another content, S195 for each file that has changed since, or was not there.
    """
    data = contents[where[-1]]
    try:
        # As in a report: little memory for what is refused anyway.
        if sum(map(data.count, (b",", b":", b"[", b"{"))) > _MOST_SIGNS:
            raise ValueError("too many values")
        files = _files(parse_json(data, levels=_LEVELS))
    except ValueError as error:
        yield problem("S110", where=where, expected=_EXPECTED, got=str(error))
        return
    reports = {name for name in contents if name in {METADATA, REPORT} or name.endswith(FURTHER_REPORT)}
    wanted = reports | {name for name in contents if report_beside(name) is not None}
    for name in sorted(wanted | files.keys()):
        own = hashlib.sha256(contents[name]).hexdigest() if name in wanted else None
        if own != files.get(name):
            yield problem(
                "S195",
                where=(*where, f"files.{quoted(name)}"),
                expected="none: there is no such file" if own is None else own,
                got=files.get(name, "none"),
                hint="it was verified for other files: put these back, or let maintainers verify the entry again",
            )


def _files(content: object) -> dict[str, str]:
    """Digests by name; raises ValueError where there are none."""
    if not isinstance(content, dict):
        raise ValueError("not an object")
    if content.get("format") != FORMAT:
        raise ValueError(f"no format {FORMAT}")
    files = content.get("files")
    if not isinstance(files, dict):
        raise ValueError("no table files")
    for name, digest in files.items():
        if not isinstance(digest, str) or not _HEX64.fullmatch(digest):
            raise ValueError(f"no SHA-256 of {quoted(name)}")
    return files
