"""Files of clips below a folder: one file a clip, or one file a frame in a folder a clip.

The folder is listed as a whole before anything is read, so that what is missing is known first.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from vadbench.conversion.clip_naming import ClipPattern
from vadbench.conversion.shown import shown_path
from vadbench.datasets.listing import folder_names, natural_key
from vadbench.datasets.mismatches import unlike_the_rest
from vadbench.errors import ConversionError, UsageError, quoted, shortened

_LEVELS = 6
"""Folders below the one that is given."""


@dataclass(frozen=True)
class ClipFiles:
    """Files of one clip.

    Parameters
    ----------
    name : str
        The clip as the files call it.
    paths : tuple of Path
        One, or one a frame in order.
    numbers : tuple of int, optional
        Frame number of each file, one after the other without a gap; None where the names state none.
    """

    name: str
    paths: tuple[Path, ...]
    numbers: tuple[int, ...] | None = None

    @property
    def first_number(self) -> int | None:
        """Number of the first file, if names state numbers."""
        return self.numbers[0] if self.numbers else None


def find_clip_files(
    folder: Path,
    suffixes: Sequence[str],
    pattern: ClipPattern | None,
    *,
    what: str,
    frame_files: bool = False,
    left_out: list[str] | None = None,
) -> dict[str, ClipFiles]:
    r"""Files of each clip.

    Parameters
    ----------
    folder : Path
        Without a pattern it holds either a file a clip, named as the clip, or a folder a clip with a file a frame.
    suffixes : sequence of str
        Endings that count, lower case with the dot; other files are left alone, as are hidden ones.
    pattern : ClipPattern, optional
        Compared with all files below the folder, by their path without its ending.
    what : str
        What the files are, such as ``NumPy arrays``, for errors.
    frame_files : bool
        A file holds one frame in any case, such as an image.
    left_out : list of str, optional
        Gets the names that do not match the pattern, which are an error without it. For formats that must have every
        frame of every clip, so that a pattern that misses one is found out.

    Returns
    -------
    dict from name to ClipFiles
        In natural order of name.

    Raises
    ------
    UsageError
        U216 if there is no such folder.
    ConversionError
        C102 where it holds something else, C103 where frames are missing or the same frame is there twice.
    """
    if not folder.exists():
        raise UsageError("U216", "there is nothing at this path", where=shown_path(folder))
    if not folder.is_dir():
        raise UsageError(
            "U216",
            "a folder is needed here",
            where=shown_path(folder),
            expected=f"a folder of {what}",
            got="a file",
            hint="give the folder that holds the files of all clips",
        )
    endings = tuple(suffixes)
    found = (
        _by_pattern(folder, endings, pattern, what, left_out)
        if pattern is not None
        else _by_place(folder, endings, what, frame_files=frame_files)
    )
    return dict(sorted(found.items(), key=lambda item: natural_key(item[0])))


def _by_place(folder: Path, endings: tuple[str, ...], what: str, *, frame_files: bool) -> dict[str, ClipFiles]:
    files = _names(folder, endings)
    folders = {name: own for name in folder_names(folder) if (own := _names(folder / name, endings))}
    if files and (folders or frame_files):
        raise ConversionError(
            "C102",
            f"the folder holds {'files and folders of files' if folders else 'frames'}, and which clip each is "
            "is not clear",
            where=shown_path(folder),
            expected="a folder a clip" + ("" if frame_files else ", or a file a clip"),
            got=_listed(files) + (f" beside the folders {_listed(list(folders))}" if folders else ""),
            hint=r"say which part of a name is the clip and which the frame, such as "
            r"--clip-pattern '(?P<clip>\d+)_(?P<frame>\d+)'",
        )
    if not files and not folders:
        raise _nothing(folder, endings, what)
    if files:
        stems = [(_stem(name), folder / name) for name in files]
        return _one_each(folder, stems, hint="move one of the two away")
    return {name: _frames(name, folder / name, own) for name, own in folders.items()}


def _by_pattern(
    folder: Path, endings: tuple[str, ...], pattern: ClipPattern, what: str, left_out: list[str] | None
) -> dict[str, ClipFiles]:
    paths = sorted(_below(folder, endings, _LEVELS), key=natural_key)
    if not paths:
        raise _nothing(folder, endings, what)
    matched = [(path, pattern.split(_stem(path))) for path in paths]
    strangers = [_stem(path) for path, match in matched if match is None]
    if left_out is not None and len(strangers) < len(paths):
        left_out += strangers
    elif strangers:
        raise ConversionError(
            "C102",
            "names of files do not match the clip pattern",
            where=shown_path(folder),
            expected=quoted(pattern.text),
            got=f"{_listed(strangers)}" + (f"; the other {n} match" if (n := len(paths) - len(strangers)) else ""),
            hint="every file with a right ending must match, as the whole path below the folder without the ending;\n"
            "what holds no scores has to lie elsewhere, or be named with another ending",
        )
    if not pattern.has_frame:
        pairs = [(match[0], folder / path) for path, match in matched if match is not None]
        return _one_each(folder, pairs, hint=r"where a file is one frame, the pattern needs a group (?P<frame>\d+) too")
    clips: dict[str, list[tuple[int, str]]] = {}
    for path, match in matched:
        if match is not None and match[1] is not None:
            clips.setdefault(match[0], []).append((match[1], path))
    return {name: _numbered(name, folder, own) for name, own in clips.items()}


def _one_each(folder: Path, pairs: Sequence[tuple[str, Path]], *, hint: str) -> dict[str, ClipFiles]:
    found: dict[str, ClipFiles] = {}
    for name, path in pairs:
        if name in found:
            others = [found[name].paths[0], path]
            raise ConversionError(
                "C102",
                f"two files are clip {quoted(name)}",
                where=shown_path(folder),
                expected="one for each clip",
                got=" and ".join(quoted(other.relative_to(folder).as_posix()) for other in others),
                hint=hint,
            )
        found[name] = ClipFiles(name, (path,))
    return found


def _frames(name: str, folder: Path, files: Sequence[str]) -> ClipFiles:
    """Frames of a folder, whose number is the one part of the names that changes."""
    if len(files) == 1:
        digits = re.findall(r"\d+", _stem(files[0]))
        return ClipFiles(name, (folder / files[0],), (int(digits[-1]),) if digits else None)
    where = (shown_path(folder), f"clip {quoted(name)}")
    numbers = {file: re.findall(r"\d+", _stem(file)) for file in files}
    shapes = {re.sub(r"\d+", "#", _stem(file)) for file in files}
    pieces = list(zip(*numbers.values(), strict=True)) if len(shapes) == 1 else []
    changing = [place for place, values in enumerate(pieces) if len(set(map(int, values))) > 1]
    if len(changing) != 1:
        strays = unlike_the_rest(files)
        raise ConversionError(
            "C102",
            "which part of the names is the frame's number is not clear",
            where=where,
            expected="names that differ in one number",
            got=_listed(strays or files) + (" unlike the rest" if strays else ""),
            hint="move files that are no frames away"
            if strays
            else r"say it with --clip-pattern '(?P<clip>…)/…(?P<frame>\d+)…'",
        )
    return _numbered(name, folder, [(int(own[changing[0]]), file) for file, own in numbers.items()])


def _numbered(name: str, folder: Path, files: Sequence[tuple[int, str]]) -> ClipFiles:
    """Frames in order of number; raises C103 for a gap, or for a number that comes twice."""
    where = (shown_path(folder), f"clip {quoted(name)}")
    ordered = sorted(files, key=lambda pair: (pair[0], natural_key(pair[1])))
    for (number, file), (following, other) in pairwise(ordered):
        if number == following:
            raise ConversionError(
                "C103",
                f"two files are frame {number}",
                where=where,
                expected="one file a frame",
                got=f"{quoted(file)} and {quoted(other)}",
                hint="move one of the two away",
            )
    gaps = [(a, b) for (a, _), (b, _) in pairwise(ordered) if b != a + 1]
    if gaps:
        raise _gap(where, [number for number, _ in ordered], gaps)
    return ClipFiles(name, tuple(folder / file for _, file in ordered), tuple(number for number, _ in ordered))


def _gap(where: tuple[str, ...], numbers: Sequence[int], gaps: Sequence[tuple[int, int]]) -> ConversionError:
    steps = {b - a for a, b in gaps}
    n_missing = sum(b - a - 1 for a, b in gaps)
    every = len(gaps) == len(numbers) - 1 and len(steps) == 1
    words = [str(a + 1) if b == a + 2 else f"{a + 1} to {b - 1}" for a, b in gaps]
    hint = "files of frames that follow each other are numbered one by one; taken as they are, time would be cut short"
    if every:
        hint = (
            f"only every {next(iter(steps))}th frame is there; every frame must be scored: repeat or interpolate them\n"
            "in your own code, which is then part of your method"
        )
    return ConversionError(
        "C103",
        f"{'a frame is' if n_missing == 1 else f'{n_missing} frames are'} missing between the first and the last",
        where=where,
        expected=f"a file for each of {numbers[0]} to {numbers[-1]}",
        got=f"none for {shortened(words, between=', ')}",
        hint=hint,
    )


def _nothing(folder: Path, endings: tuple[str, ...], what: str) -> ConversionError:
    others = sorted({Path(name).suffix.lower() for name in _below(folder, ("",), 2)} - {""})
    return ConversionError(
        "C102",
        f"there are no {what} here",
        where=shown_path(folder),
        expected=" ".join(f"*{ending}" for ending in endings),
        got=f"files that end in {shortened([quoted(own) for own in others])}" if others else "no such file",
        hint="look at --from, or give the folder that holds the clips",
    )


def _names(folder: Path, endings: tuple[str, ...]) -> list[str]:
    """Names of the files with one of the endings in natural order, hidden ones left out."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith(".") and entry.is_file()]
    return sorted((name for name in names if name.lower().endswith(endings)), key=natural_key)


def _below(folder: Path, endings: tuple[str, ...], levels: int) -> Iterator[str]:
    """Paths below a folder, with ``/`` between; a few levels, so that links in a circle come to an end."""
    yield from _names(folder, endings)
    for name in folder_names(folder) if levels else ():
        yield from (f"{name}/{path}" for path in _below(folder / name, endings, levels - 1))


def _stem(path: str) -> str:
    """A path without its ending."""
    folder, between, name = path.rpartition("/")
    return folder + between + Path(name).stem


def _listed(names: Sequence[str]) -> str:
    return shortened([quoted(name) for name in names], most=6, between=", ")
