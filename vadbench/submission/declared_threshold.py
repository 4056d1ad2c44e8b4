"""Write a chosen threshold into a submission: ``submission.toml``, ``provenance.json``, in place or in a copy.

Source: submission.md, "submission.toml".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vadbench.errors import SubmissionError
from vadbench.submission.packing import write_folder, write_zip
from vadbench.submission.problems import problem
from vadbench.submission.reader import Submission
from vadbench.submission.result_places import check_outside, check_zip_target
from vadbench.submission.schema import (
    LARGEST_PROVENANCE,
    Metadata,
    ThresholdChoice,
    check_provenance,
    checked_metadata,
    read_metadata,
)
from vadbench.submission.threshold import ChosenThreshold
from vadbench.submission.toml_text import LARGEST_TOML
from vadbench.submission.tree import METADATA, PROVENANCE, Tree, too_large
from vadbench.submission.whole_files import replace_together

PROVENANCE_KEY = "vadbench.threshold"
"""Key of ``provenance.json`` under which it is recorded how the threshold was chosen."""

_HEADER = re.compile(r"\s*\[\s*([A-Za-z_]+)\s*\]\s*(#.*)?")


@dataclass(frozen=True)
class Declaration:
    """The two files of a submission that say what its threshold is.

    Parameters
    ----------
    toml, provenance : bytes
        New contents of ``submission.toml`` and ``provenance.json``.
    keeps_text : bool
        Whether the rest of the TOML text, comments too, is as it was; else it was written anew.
    before : mapping from name to bytes
        Contents that the new ones were made from; a file that was not there has none.
    """

    toml: bytes
    provenance: bytes
    keeps_text: bool
    before: Mapping[str, bytes]

    @property
    def files(self) -> dict[str, bytes]:
        """Contents by name; the one that makes the threshold count comes last."""
        return {PROVENANCE: self.provenance, METADATA: self.toml}


def declaration(submission: Submission, chosen: ChosenThreshold) -> Declaration:
    """New contents of the files that declare a threshold chosen on training clips.

    Raises
    ------
    SubmissionError
        S110, S113, S123 if one of the files would become larger than the format allows; S129 if the metadata are not
        those that were there when the submission was opened.
    """
    where = (submission.shown, METADATA)
    toml = submission.tree.read(METADATA, LARGEST_TOML)
    old = read_metadata(toml, where)
    if old != submission.metadata:
        raise _changed_meanwhile(submission.shown, METADATA)
    table = old.model_dump(mode="json", exclude_none=True)
    table.setdefault("score_maps", {})["threshold"] = chosen.reached.value
    table["training"]["threshold_chosen_on"] = str(ThresholdChoice.TRAINING)
    expected = checked_metadata(table, where)
    changed = _changed_text(toml, chosen.reached.value)
    keeps_text = changed is not None and _reads_as(changed, expected)
    before = {METADATA: toml}
    content: dict[str, Any] = {}
    if submission.tree.entries().get(PROVENANCE) is False:
        before[PROVENANCE] = submission.tree.read(PROVENANCE, LARGEST_PROVENANCE)
        content = check_provenance(before[PROVENANCE], (submission.shown, PROVENANCE))
    content[PROVENANCE_KEY] = chosen.provenance()
    provenance = (json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2) + "\n").encode()
    check_provenance(provenance, (submission.shown, PROVENANCE))
    return Declaration(
        toml=changed if changed is not None and keeps_text else expected.to_toml(),
        provenance=provenance,
        keeps_text=keeps_text,
        before=before,
    )


def write_in_place(folder: Path, declared: Declaration) -> None:
    """Replace both files of a folder, both or none, the one that counts last.

    Parameters
    ----------
    folder : Path
        Of a submission that was opened.
    declared : Declaration

    Raises
    ------
    SubmissionError
        S129 if one of the files is not as it was when the declaration was made.
    """
    place = folder.resolve()

    def check() -> None:
        for name in declared.files:
            path = place / name
            if (path.read_bytes() if path.exists() else None) != declared.before.get(name):
                raise _changed_meanwhile(str(folder), name)

    replace_together(place, declared.files, check)


def is_declared_in(folder: Path, declared: Declaration) -> bool:
    """Whether a folder holds both files as they are declared."""
    return all(
        (folder / name).is_file() and (folder / name).read_bytes() == text for name, text in declared.files.items()
    )


def _changed_meanwhile(shown: str, name: str) -> SubmissionError:
    return problem(
        "S129",
        where=(shown, name),
        expected="the file that was there when the command began",
        got="another content",
        hint="nothing was written; look at the file, and give the command again",
    )


def check_copy_target(submission: Submission, out: Path) -> None:
    """Check where a copy would go; raises `UsageError` U201, U202."""
    target = out.resolve()
    check_outside(target, None if submission.path is None else submission.path.resolve())
    # A folder that is there must not be merged with, nor a zip replaced: the old predictions may be the only ones.
    check_zip_target(target, overwrite=False)


def write_copy(submission: Submission, out: Path, declared: Declaration) -> None:
    """Write a copy of a submission with both files replaced: a zip if the name ends in ``.zip``, else a folder."""
    check_copy_target(submission, out)
    tree = _ChangedTree(submission.tree, declared.files)
    if out.suffix.lower() == ".zip":
        write_zip(tree, out.resolve())
    else:
        write_folder(tree, out.resolve())


class _ChangedTree(Tree):
    """A tree in which some files at the root have other contents."""

    def __init__(self, tree: Tree, contents: Mapping[str, bytes]) -> None:
        self._tree, self._contents = tree, dict(contents)
        self.path, self.is_archive, self.is_remote = tree.path, tree.is_archive, tree.is_remote

    @property
    def shown(self) -> str:
        """How the tree itself is called."""
        return self._tree.shown

    def entries(self, folder: str = "") -> Mapping[str, bool]:
        """Names directly in a folder."""
        own = self._tree.entries(folder)
        return own if folder else dict(sorted({**own, **dict.fromkeys(self._contents, False)}.items()))

    def files(self, folder: str = "") -> Mapping[str, int]:
        """Sizes of all files below a folder."""
        own = self._tree.files(folder)
        sizes = {name: len(content) for name, content in self._contents.items()}
        return own if folder else dict(sorted({**own, **sizes}.items()))

    def read(self, name: str, limit: int) -> bytes:
        """Content of a file."""
        if name not in self._contents:
            return self._tree.read(name, limit)
        content = self._contents[name]
        if len(content) > limit:
            raise too_large(self.shown, name, len(content), limit)
        return content

    def prepare(self, folder: str) -> None:
        """Prepare the tree itself."""
        self._tree.prepare(folder)


def _reads_as(toml: bytes, expected: Metadata) -> bool:
    try:
        return read_metadata(toml, METADATA) == expected
    except SubmissionError:
        return False


def _changed_text(toml: bytes, threshold: float) -> bytes | None:
    """The text with two values changed and all else as it was; what comes of it is read and compared by the caller.

    A text in an unusual form (dotted keys, tables in one line, table heads inside of strings) may become a wrong one,
    or None.
    """
    lines = toml.decode("utf-8").splitlines(keepends=True)
    if not lines:
        return None
    end = "\r\n" if lines[0].endswith("\r\n") else "\n"
    if not lines[-1].endswith("\n"):
        lines[-1] += end
    chosen_on = f'"{ThresholdChoice.TRAINING}"'
    if not _set_value(lines, "training", "threshold_chosen_on", chosen_on, end):
        return None
    if not _set_value(lines, "score_maps", "threshold", repr(threshold), end):
        lines += [end, f"[score_maps]{end}", f"threshold = {threshold!r}{end}"]
    return "".join(lines).encode("utf-8")


def _set_value(lines: list[str], table: str, key: str, value: str, end: str) -> bool:
    """Change a key of a table, or put it at the table's beginning; False if there is no such table."""
    heads = {number: match[1] for number, line in enumerate(lines) if (match := _HEADER.fullmatch(line.rstrip("\r\n")))}
    start = next((number for number, name in heads.items() if name == table), None)
    if start is None:
        return False
    stop = next((number for number in heads if number > start), len(lines))
    given = re.compile(rf"(\s*{key}\s*=\s*)([^\s#]+)(.*)", flags=re.DOTALL)
    for number in range(start + 1, stop):
        if match := given.fullmatch(lines[number]):
            lines[number] = f"{match[1]}{value}{match[3]}"
            return True
    lines.insert(start + 1, f"{key} = {value}{end}")
    return True
