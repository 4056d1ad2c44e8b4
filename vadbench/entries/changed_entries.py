"""Which entries a branch of the repository changes, as git says.

Source: docs/board-entries.md, "What is judged".
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from vadbench.errors import UsageError, quoted
from vadbench.submission.tree import METADATA

FOLDER = "submissions"
TEMPLATE = "_template"
OWN_FILES = frozenset({"README.md"})
"""Files directly in the folder of all entries that belong to the project, as the template does."""

_SECONDS = 120
_LONGEST_REF = 200

_GIT = (
    "git",
    # Nothing that a configuration or the files of a branch may ask for is run.
    *("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "core.quotePath=false"),
)
_PLAIN_DIFF = ("--name-only", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none", "-z")


@dataclass(frozen=True)
class ChangedEntries:
    """What a branch changes, by path from the repository's root.

    Parameters
    ----------
    root : Path
        Of the repository's working tree.
    entries : tuple of PurePosixPath
        Folders of entries in which something was added or changed, sorted: ``submissions/METHOD/DATASET``.
    deleted : tuple of PurePosixPath
        Folders of entries of which nothing is left.
    misplaced : tuple of PurePosixPath
        What lies below ``submissions/`` and is part of no entry and not the project's own, in any case of letters; and
        that folder itself, where it is none.
    not_judged : tuple of PurePosixPath
        Everything else that was changed.
    files : tuple of PurePosixPath
        All files that were added, changed or deleted.
    settled : tuple of PurePosixPath
        Entries of which the metadata are as they were where the branch left.
    """

    root: Path
    entries: tuple[PurePosixPath, ...]
    deleted: tuple[PurePosixPath, ...]
    misplaced: tuple[PurePosixPath, ...]
    not_judged: tuple[PurePosixPath, ...]
    files: tuple[PurePosixPath, ...]
    settled: tuple[PurePosixPath, ...] = ()

    @property
    def own_links(self) -> tuple[PurePosixPath, ...]:
        """The project's own files beside the entries that have become links, or something else that is no file."""
        return tuple(
            file
            for file in self.not_judged
            if file.parts[0] == FOLDER
            and os.path.lexists(self.root / file)
            and not stat.S_ISREG((self.root / file).lstat().st_mode)
        )


def changed_entries(reference: str, folder: Path) -> ChangedEntries:
    """Entries changed since a branch left another one.

    What is compared is the working tree of the repository, files that git does not know yet included, with the commit
    at which `reference` and the current branch parted.

    Parameters
    ----------
    reference : str
        Branch, tag or commit, such as ``origin/main``.
    folder : Path
        Somewhere in the repository.

    Raises
    ------
    UsageError
        U236 if git cannot be asked, or the folder is in no repository; U237 if there is no such reference.
    """
    if reference.startswith("-") or not reference.isprintable() or not 0 < len(reference) <= _LONGEST_REF:
        raise _no_reference(reference)
    root = Path(os.fsdecode(_asked(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n")))
    try:
        commit = _asked(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
        parted = _asked(root, "merge-base", commit.decode().strip(), "HEAD").decode().split()[0]
    except (subprocess.CalledProcessError, IndexError) as error:
        raise _no_reference(reference) from error
    try:
        changed = _asked(root, "diff", *_PLAIN_DIFF, parted, "--")
        # What is ignored is not sent; in a folder of another case it lies in the same one on some systems.
        unknown = _asked(root, "ls-files", "--others", "--exclude-standard", "-z", "--", f":(top,icase){FOLDER}")
        before = _asked(root, "ls-tree", "-r", "--name-only", "-z", "--full-tree", parted, "--", f"{FOLDER}/")
    except subprocess.CalledProcessError as error:
        raise _no_git(folder, f"exit status {error.returncode}") from error
    names = {os.fsdecode(name) for name in (changed + unknown).split(b"\0") if name}
    found = sorted_out(root, [PurePosixPath(name) for name in sorted(names)])
    metadata = [PurePosixPath(name) for name in map(os.fsdecode, before.split(b"\0")) if name and name not in names]
    settled = [file.parent for file in metadata if len(file.parts) == 4 and file.name == METADATA]
    return replace(found, settled=tuple(sorted(settled)))


def sorted_out(root: Path, files: Sequence[PurePosixPath]) -> ChangedEntries:
    """What changed files are part of; `files` by their paths from the root."""
    touched: set[PurePosixPath] = set()
    misplaced: list[PurePosixPath] = []
    not_judged: list[PurePosixPath] = []
    around = root / FOLDER
    if os.path.lexists(around) and (around.is_symlink() or not around.is_dir()):
        # Nothing below it is looked at: it lies elsewhere.
        return ChangedEntries(root, (), (), (PurePosixPath(FOLDER),), (), tuple(files))
    for file in files:
        inside = file.parts[1:]
        if file.parts[0] != FOLDER:
            # On systems that do not tell them apart, it is the same folder.
            (misplaced if file.parts[0].casefold() == FOLDER else not_judged).append(file)
        elif (inside[1:] and inside[0] == TEMPLATE) or (len(inside) == 1 and inside[0] in OWN_FILES):
            not_judged.append(file)
        elif len(inside) < 2:
            # Of no part: another repository in the place of the folder.
            misplaced.append(file)
        else:
            # Of three parts it may be the entry's own folder: a link, or another repository in its place.
            entry = PurePosixPath(*file.parts[:3])
            if len(inside) == 2 and (root / entry).is_file() and not (root / entry).is_symlink():
                misplaced.append(file)
            else:
                touched.add(entry)
    # A link that leads nowhere is there, too.
    left = {entry for entry in touched if os.path.lexists(root / entry)}
    gone = touched - left
    misplaced = [file for file in misplaced if os.path.lexists(root / file)]
    return ChangedEntries(
        root, tuple(sorted(left)), tuple(sorted(gone)), tuple(misplaced), tuple(not_judged), tuple(files)
    )


def _asked(folder: Path, *words: str) -> bytes:
    """What git answers; raises `subprocess.CalledProcessError` if it refuses and `UsageError` U236 if it cannot run."""
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and no word of a stranger stands where an option could
            [*_GIT, *words], cwd=folder, env=environment, capture_output=True, timeout=_SECONDS, check=True
        )
    except subprocess.CalledProcessError as error:
        if words[:2] == ("rev-parse", "--show-toplevel"):
            raise _no_git(folder, "a folder that is in no repository") from error
        raise
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _no_git(folder, type(error).__name__) from error
    return done.stdout


def _no_git(folder: Path, got: str) -> UsageError:
    return UsageError(
        "U236",
        "git does not say what was changed",
        where=str(folder),
        got=got,
        hint="run it in the repository, with git installed; or name the folders of the entries",
    )


def _no_reference(reference: str) -> UsageError:
    return UsageError(
        "U237",
        "there is nothing in the repository that changes can be counted from",
        expected="a branch, tag or commit that this branch has an ancestor in common with, such as origin/main",
        got=quoted(reference),
        hint="`git fetch origin` first; a clone without its history (--depth) does not have it",
    )
