"""Strict JSON of COCO files, and which clip and frame each image of them is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Never, TypeGuard

from vadbench.conversion.clip_naming import ClipPattern
from vadbench.conversion.objects.number_rows import read_foreign_text
from vadbench.conversion.shown import shown_path
from vadbench.errors import ConversionError, UsageError, quoted

_FILE_NAME = ClipPattern(re.compile(r"(?:.*/)?(?P<clip>[^/]+)/[^/]*?(?P<frame>[0-9]+)"))
"""``Test001/004.tif``, ``testing/frames/01/frame004.jpg``: the folder is the clip, the last digits are the frame."""
_STRING_OR_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN')
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}")


@dataclass(frozen=True)
class ImageFrame:
    """The frame that an image is: the clip's name, and the number as the file name states it."""

    clip: str
    frame: int


def read_strict_json(path: Path) -> Any:
    """Value of a JSON file.

    Raises
    ------
    UsageError
        U216 if there is no such file.
    ConversionError
        C150 if it cannot be read; C160 if it is no JSON, repeats a key in an object, holds NaN or Infinity, or is
        nested too deep.
    """
    if not path.is_file():
        raise UsageError("U216", "the JSON file does not exist", where=shown_path(path), expected="a file", got="none")
    text = read_foreign_text(path)
    try:
        return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_refused)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        hint = "is the file whole?"
        if error.msg == "Extra data":
            hint = "one value a line is JSON Lines: make it one list, [, then the values with commas between them, ]"
        raise _no_json(path, f"{error.msg} at {place}", hint) from error
    except RecursionError as error:
        raise _no_json(path, "nested too deep", "") from error
    except _RefusedLiteralError as error:
        raise _no_json(
            path,
            f"{error} at {_place_of_literal(text)}",
            "leave out what has no number, or write the one that you mean: nothing can stand for it unseen",
        ) from error
    except ValueError as error:
        raise _no_json(path, str(error), "") from error


def _no_json(path: Path, got: str, hint: str) -> ConversionError:
    return ConversionError(
        "C160",
        "the file is not JSON as the standard has it",
        where=shown_path(path),
        expected="one JSON value, no key twice in an object, finite numbers",
        got=got,
        hint=hint,
    )


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {quoted(twice)} comes twice in an object")
    return result


class _RefusedLiteralError(ValueError):
    """NaN or Infinity, which Python's parser does not say the place of."""


def _refused(literal: str) -> Never:
    raise _RefusedLiteralError(f"the literal {literal} is not JSON")


def _place_of_literal(text: str) -> str:
    """Line and column of the first NaN or Infinity that is in no string."""
    found = next(match for match in _STRING_OR_LITERAL.finditer(text) if not match[0].startswith('"'))
    before = text[: found.start()]
    return f"line {before.count(chr(10)) + 1}, column {found.start() - before.rfind(chr(10))}"


class ImageIndex:
    """Clip and frame of every image id, or of every frame of every video id.

    Parameters
    ----------
    table : mapping
        Top object of a COCO file: with ``images``, each ``id`` and ``file_name``; or with ``videos``, each ``id`` and
        ``file_names``, as YouTube-VIS has them.
    where : str
        The file, for messages.
    pattern : ClipPattern, optional
        With the groups clip and frame, for file names without their ending; ``CLIP/…FRAME`` if absent.

    Attributes
    ----------
    frames_of : mapping from id to tuple of ImageFrame
        One for an image, one for each frame of a video.
    of_videos : bool
    clip_frames : dict from clip name to list of int
        Numbers of the frames of each clip, as the file names state them.

    Raises
    ------
    UsageError
        U223 for a pattern without the group frame.
    ConversionError
        C161 for an image without id or name, C162 for an id or a frame that comes twice, C163 for a file name that the
        pattern does not fit.
    """

    def __init__(self, table: Mapping[str, Any], where: str, pattern: ClipPattern | None = None) -> None:
        if pattern is not None and not pattern.has_frame:
            raise UsageError(
                "U223",
                "the clip pattern must say which frame an image is as well",
                expected="the groups clip and frame",
                got=quoted(pattern.text),
                hint=r"such as --clip-pattern '(?P<clip>\d+)/frame(?P<frame>\d+)'",
            )
        self._pattern, self._where = pattern or _FILE_NAME, where
        self.of_videos = "videos" in table and "images" not in table
        self.frames_of: dict[int | str, tuple[ImageFrame, ...]] = {}
        self.clip_frames: dict[str, list[int]] = {}
        seen: dict[ImageFrame, str] = {}
        for place, key, names in self._entries(table):
            frames = tuple(self._frame(name, place) for name in names)
            if key in self.frames_of:
                raise self._twice(place, f"the id {quoted(key)}")
            self.frames_of[key] = frames
            for frame, name in zip(frames, names, strict=True):
                if frame in seen:
                    also = f"frame {frame.frame} of clip {quoted(frame.clip)}: {quoted(seen[frame])}, {quoted(name)}"
                    raise self._twice(place, also)
                seen[frame] = name
                self.clip_frames.setdefault(frame.clip, []).append(frame.frame)

    def _entries(self, table: Mapping[str, Any]) -> Iterator[tuple[str, int | str, list[Any]]]:
        """Place, id and file names of each image or video."""
        kind = "videos" if self.of_videos else "images"
        entries = table.get(kind)
        if not isinstance(entries, list) or not entries:
            raise ConversionError(
                "C161",
                "the file lists no images",
                where=self._where,
                expected='"images": [{"id": 1, "file_name": "01/000.png"}, …]',
                got=f"the keys {', '.join(quoted(key) for key in list(table)[:8])}" if table else "nothing",
                hint="a list of results alone says nothing of clips and frames: give the file that lists the images "
                "with --images FILE",
            )
        for index, entry in enumerate(entries):
            place = f"{kind}[{index}]"
            key = entry.get("id") if isinstance(entry, dict) else None
            names = (entry.get("file_names") if self.of_videos else [entry.get("file_name")]) if key is not None else []
            if not is_id(key) or not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
                raise ConversionError(
                    "C161",
                    f"an entry of {kind} is wrong",
                    where=(self._where, place),
                    expected="an id, and " + ("file_names, a list" if self.of_videos else "a file_name"),
                    got=shown_value(entry),
                )
            yield place, key, names

    def _frame(self, name: str, place: str) -> ImageFrame:
        posix = name.replace("\\", "/")
        stem, dot, ending = posix.rpartition(".")
        found = self._pattern.split(stem if dot and _ENDING.fullmatch(dot + ending) else posix)
        if found is None or found[1] is None:
            raise ConversionError(
                "C163",
                "the name of an image says no clip and frame",
                where=(self._where, place),
                expected="CLIP/FRAME, such as 01/000.png" if self._pattern is _FILE_NAME else self._pattern.text,
                got=quoted(name),
                hint=r"say how names are built, such as --clip-pattern '(?P<clip>\d+)_(?P<frame>\d+)'",
            )
        return ImageFrame(found[0], found[1])

    def _twice(self, place: str, what: str) -> ConversionError:
        return ConversionError(
            "C162", "two images are the same", where=(self._where, place), expected="each once", got=what
        )


def is_id(value: object) -> TypeGuard[int | str]:
    """Whether a value can be the id of an image: a whole number or a string."""
    return isinstance(value, (int, str)) and not isinstance(value, bool)


def shown_value(value: object) -> str:
    """A value of a file as messages show it: as JSON has it, so ``"0"`` is no 0; shortened, escaped, at any depth."""
    if isinstance(value, str):
        return quoted(value)
    try:
        return quoted(json.dumps(value, ensure_ascii=False))[1:-1]
    except RecursionError:
        return "a deeply nested value"
    except ValueError:  # Python does not print whole numbers of thousands of digits
        return "a number of thousands of digits"
