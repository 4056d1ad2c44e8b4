"""A submission's folder as one zip, with the same bytes each time, and a folder of it again.

What is packed or unpacked is what the reader accepts and nothing else: no link is followed, no special file opened, no
unknown name taken along.

Source: submission.md, "Folder and zip".
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vadbench.errors import SubmissionError, UsageError, quoted
from vadbench.submission.agreement import array_differences, kinds_differ
from vadbench.submission.array_meta import LARGEST_CHUNK
from vadbench.submission.codecs import Plain
from vadbench.submission.layout import ClipLayout
from vadbench.submission.member_names import check_holdable, check_names
from vadbench.submission.problems import problem
from vadbench.submission.reader import Submission
from vadbench.submission.result_places import check_folder_target, check_outside, check_zip_target
from vadbench.submission.tree import PROVENANCE, FolderTree, Tree, is_url, open_tree
from vadbench.submission.whole_files import name_unless_taken, new_file, new_folder
from vadbench.submission.zip_tree import ZipTree
from vadbench.submission.zip_writer import ZipWriter

Progress = Callable[[int, int, str], None]
"""Called after each clip with (clips done, all clips, clip id)."""

LARGEST_FILE = Plain().longest(LARGEST_CHUNK)
"""Bytes of the largest file that a submission can hold: a chunk that did not become smaller."""


@dataclass(frozen=True)
class Packed:
    """What was written.

    Parameters
    ----------
    path : Path
        Of the zip, or of the folder.
    n_files : int
    n_bytes : int
        Of the zip itself, or of all files of the folder together.
    sha256 : str or None
        Of the zip's bytes, 64 hex digits, as ``[files]`` of a submission states it; None of a folder.
    """

    path: Path
    n_files: int
    n_bytes: int
    sha256: str | None = None


def pack(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Packed:
    """Write a submission's folder as a stored zip.

    Parameters
    ----------
    folder : path
        Of a submission; the path may be a link, nothing inside may be one.
    out : path, optional
        The zip; beside the folder, by the folder's name, unless given.
    overwrite : bool
        Replace a packed submission that is there.
    progress : callable, optional

    Returns
    -------
    Packed

    Raises
    ------
    UsageError
        U130 if there is no folder, U200 if it is no folder to be packed, U201 if the zip would lie inside of it, U202
        if something is in the way.
    SubmissionError
        Whatever makes the folder no submission, from metadata alone; S129 if a file changes meanwhile.

    Notes
    -----
    The zip appears whole or not at all. The same files give the same bytes on every system: see `ZipWriter`. The
    arrays are not decoded; `vadbench validate` does that. Memory is the largest chunk and the directory.
    """
    if is_url(os.fspath(folder)):
        raise UsageError("U200", "a folder on disk is packed, not what is behind a URL", got=quoted(folder))
    tree = open_tree(folder)
    if not isinstance(tree, FolderTree):
        raise UsageError(
            "U200",
            "this is packed already",
            where=str(folder),
            expected="the folder of a submission",
            hint="a zip is sent as it is; `vadbench unpack` makes a folder of it",
        )
    given, place = Path(folder), tree.path.resolve()
    # Of "." and ".." the path itself does not say what lies beside.
    beside = place.parent if given.name in ("", "..") else given.parent
    shown = beside / f"{place.name}.zip" if out is None else Path(out)
    target = shown.resolve()
    check_outside(target, place)
    check_zip_target(target, overwrite=overwrite)
    written = write_zip(tree, target, overwrite=overwrite, progress=progress)
    return Packed(shown, written.n_files, written.n_bytes, written.sha256)


def unpack(
    archive: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    progress: Progress | None = None,
) -> Packed:
    """Write the submission in a zip as a folder.

    Parameters
    ----------
    archive : path
        A stored zip, on disk.
    out : path, optional
        The folder, which is absent or empty; beside the zip, by its name without ``.zip``, unless given.
    progress : callable, optional

    Returns
    -------
    Packed

    Raises
    ------
    UsageError
        U200 if it is no zip on disk, U202 if the folder is not empty or the current one, U204 for a name that this
        system cannot hold.
    SubmissionError
        Whatever makes the zip no submission, from metadata alone; S122 if a member does not match its CRC-32.

    Notes
    -----
    The folder appears whole or not at all, and nothing is written outside of it.
    """
    if is_url(os.fspath(archive)):
        raise UsageError(
            "U200",
            "a zip on disk is unpacked, not what is behind a URL",
            got=quoted(archive),
            hint="download it first; it can be scored and validated where it is",
        )
    tree = open_tree(archive)
    if not isinstance(tree, ZipTree):
        raise UsageError("U200", "this is a folder already", where=str(archive), expected="a packed submission")
    path = Path(archive)
    if out is None and path.suffix.lower() != ".zip":
        raise UsageError("U200", "how shall the folder be called?", where=str(path), hint="give --out FOLDER")
    shown = path.with_suffix("") if out is None else Path(out)
    written = write_folder(tree, shown.resolve(), progress=progress)
    return Packed(shown, written.n_files, written.n_bytes)


def write_zip(tree: Tree, target: Path, *, overwrite: bool = False, progress: Progress | None = None) -> Packed:
    """Write a submission as a stored zip, whole or not at all; read back by the reader before it has its name.

    Parameters
    ----------
    tree : Tree
    target : Path
        Resolved; the caller has looked at what is there (`check_zip_target`).
    overwrite : bool
    progress : callable, optional
    """
    files = checked_files(tree)
    check_names(files, tree.shown)
    target.parent.mkdir(parents=True, exist_ok=True)
    file, temporary = new_file(target)
    try:
        with file:
            writer = ZipWriter(file)
            for path, content in _contents(tree, files, progress):
                writer.add(path, content)
            writer.finish()
        _check_written(temporary, tree.shown, files)
        if overwrite and os.path.lexists(target):
            check_zip_target(target, overwrite=True)
            temporary.replace(target)
        else:
            name_unless_taken(temporary, target, lambda: check_zip_target(target, overwrite=False))
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return Packed(target, writer.n_members, writer.size, writer.sha256)


def write_folder(tree: Tree, target: Path, *, progress: Progress | None = None) -> Packed:
    """Write a submission as a folder, whole or not at all; raises `UsageError` U202 if something is in the way.

    Parameters
    ----------
    tree : Tree
    target : Path
        Resolved; absent, or an empty folder and not the current one.
    progress : callable, optional
    """
    check_folder_target(target)
    files = checked_files(tree)
    for name in files:
        check_holdable(name, tree.shown)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = new_folder(target)
    try:
        for name, content in _contents(tree, files, progress):
            _write_new(temporary, name, content, tree.shown)
        check_folder_target(target)
        if target.exists():
            target.rmdir()
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return Packed(target, len(files), sum(files.values()))


def checked_files(tree: Tree) -> dict[str, int]:
    """Sizes in bytes of the files of a submission by name, sorted; each is one that the format knows.

    Raises
    ------
    SubmissionError
        S101 … S135 as `Submission.open` and `read_layout`; S106, S107, S108 where clips are not alike.

    Notes
    -----
    Reads metadata, no array.
    """
    submission = Submission.of_tree(tree)
    if tree.entries().get(PROVENANCE):
        raise problem("S120", where=(tree.shown, PROVENANCE), expected="a file", got="a folder")
    first: ClipLayout | None = None
    for clip_id in submission.clip_ids:
        layout = submission.layout(clip_id)
        if layout.kinds != submission.predictions:
            raise kinds_differ(layout, submission.predictions)
        first = first or layout
        for error in array_differences(layout, first):
            raise error
    # Sorted as bytes are: a system that sorts names by its own alphabet makes the same zip.
    return dict(sorted(tree.files().items()))


def _contents(tree: Tree, files: Mapping[str, int], progress: Progress | None) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content), and tell how many clips are done."""
    # The last file of each clip: no name but those of clips has more than one level below predictions.zarr.
    last = set({name.split("/")[1]: name for name in files if name.count("/") > 1}.values())
    done = 0
    for name, size in files.items():
        content = tree.read(name, LARGEST_FILE)
        if len(content) != size:
            raise problem(
                "S129", where=(tree.shown, quoted(name)), expected=f"{size} bytes", got=f"{len(content)} bytes"
            )
        yield name, content
        if progress is not None and name in last:
            done += 1
            progress(done, len(last), name.split("/")[1])


def _check_written(path: Path, shown: str, files: Mapping[str, int]) -> None:
    """What was written is the same tree to the reader; nothing but a fault of the disk or of ours is found here."""
    try:
        same = checked_files(open_tree(path)) == files
    except SubmissionError as error:
        raise SubmissionError(
            error.code,
            error.message,
            where=(shown, *error.where[1:]),
            expected=error.expected,
            got=error.got,
            hint=error.hint,
        ) from error
    if not same:
        raise problem("S129", where=shown, got="another tree in the zip than in the folder")


def _write_new(root: Path, name: str, content: bytes, shown: str) -> None:
    """Write a file that is not there yet; two names that are one to the system are refused."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.EILSEQ, errno.EINVAL, errno.ENAMETOOLONG):
            raise
        raise UsageError(
            "U204",
            "this system cannot hold a file of that name",
            where=(shown, quoted(name)),
            got=error.strerror or "",
            hint="the zip can be scored and validated as it is",
        ) from error
