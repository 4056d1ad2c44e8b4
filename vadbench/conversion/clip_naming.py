"""Which clip of a data set a name in foreign files means: by the data set's own rules, or by a given pattern."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from vadbench.conversion.dataset_clips import DatasetPart
from vadbench.datasets.base import Clip
from vadbench.errors import ConversionError, UsageError, did_you_mean, quoted, shortened

_PATTERN_EXAMPLE = r"--clip-pattern '(?P<clip>\d+)_scores'"
_FRAME_EXAMPLE = r"--clip-pattern '(?P<clip>\d+)/frame(?P<frame>\d+)'"
_NUMBERED = re.compile(r"(test|train)?_?(\d+(?:_\d+)?)(?:_gt|_label)?", re.IGNORECASE)
"""``Test001`` and ``Test001_gt`` of UCSD, ``1_label`` of Avenue, ``01_0014`` of ShanghaiTech, a bare number."""
_PART_WORDS = {DatasetPart.TEST: "test", DatasetPart.TRAINING: "train"}
_LONGEST_PATTERN = 500
"""Signs; a longer text has no place in ``provenance.json``."""


@dataclass(frozen=True)
class ClipPattern:
    r"""A regular expression over names of files, with the group `clip` and perhaps the group `frame`.

    It is compared with the whole path below the folder that is read, with ``/`` between folders and without the file's
    ending: ``Test001/0004`` for ``Test001/0004.png``.

    Examples
    --------
    >>> pattern = ClipPattern.parse(r"(?P<clip>\d+)_f(?P<frame>\d+)")
    >>> pattern.split("03_f0017")
    ('03', 17)
    >>> pattern.split("03") is None
    True
    """

    expression: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Compile a pattern; raises `UsageError` U210 if it is none, too long, or lacks the group `clip`."""
        if len(text) > _LONGEST_PATTERN:
            raise UsageError(
                "U210",
                "the clip pattern is too long to be recorded",
                expected=f"at most {_LONGEST_PATTERN} signs",
                got=f"{len(text)} signs",
                hint=f"such as {_PATTERN_EXAMPLE}",
            )
        try:
            expression = re.compile(text)
        except re.error as error:
            raise UsageError(
                "U210",
                "the clip pattern is not a regular expression",
                got=f"{quoted(text)}: {error}",
                hint=f"such as {_PATTERN_EXAMPLE}",
            ) from error
        others = sorted(set(expression.groupindex) - {"clip", "frame"})
        if "clip" not in expression.groupindex or others:
            raise UsageError(
                "U210",
                "the clip pattern needs a named group clip, and may have one named frame",
                expected="(?P<clip>…), (?P<frame>…)",
                got=quoted(text) + (f" with the group {quoted(others[0])}" if others else " without the group clip"),
                hint=f"such as {_PATTERN_EXAMPLE}, or {_FRAME_EXAMPLE}",
            )
        return cls(expression)

    @property
    def text(self) -> str:
        """The expression as it was given."""
        return self.expression.pattern

    @property
    def has_frame(self) -> bool:
        """Whether a name says which frame it is."""
        return "frame" in self.expression.groupindex

    def split(self, name: str) -> tuple[str, int | None] | None:
        """Clip, and number of the frame if the pattern has one; None if the name does not match as a whole.

        Raises
        ------
        UsageError
            U210 if the group `frame` matches something that is no number.
        """
        match = self.expression.fullmatch(name)
        if match is None or match["clip"] is None:
            return None
        if not self.has_frame:
            return match["clip"], None
        number = match["frame"]
        if number is None or not re.fullmatch(r"[0-9]{1,12}", number):
            raise UsageError(
                "U210",
                "the group frame of the clip pattern must match a number",
                where=quoted(name),
                expected="digits",
                got="nothing" if number is None else quoted(number),
                hint=r"such as (?P<frame>\d+)",
            )
        return match["clip"], int(number)


def match_clips(
    names: Sequence[str],
    clips: Sequence[Clip],
    dataset_id: str,
    *,
    where: str = "",
    pattern: ClipPattern | None = None,
    part: DatasetPart = DatasetPart.TEST,
    some_absent: bool = False,
    missing_hint: str = "",
) -> dict[str, str]:
    """Names of foreign clips by id of the data set's clips.

    Parameters
    ----------
    names : sequence of str
        Clips as the files call them, after the pattern if there is one.
    clips : sequence of Clip
        Those of the data set, every one of which must be named.
    dataset_id : str
        In ``folder`` names are the ids; elsewhere the number decides: ``Test001``, ``1`` and ``01`` are ``01``.
    where : str
        Files, for errors.
    pattern : ClipPattern, optional
        What made the names, for errors.
    part : DatasetPart
        Whose clips they are: ``Train001`` is no test clip, and ``Test001`` no training clip.
    some_absent : bool
        Clips without a name are left out, instead of refused.
    missing_hint : str
        What to do about them, where it is not what every source says; see `Source`.

    Returns
    -------
    dict from clip id to name
        In order of `clips`.

    Raises
    ------
    ConversionError
        C101, one error for all names: clips that are missing, names of no clip, two names of one clip.
    """
    ids = [clip.id for clip in clips]
    found: dict[str, list[str]] = {}
    strangers = []
    for name in names:
        clip_id = None if _is_of_other_part(name, ids, part) else _clip_id(name, ids, by_number=dataset_id != "folder")
        if clip_id is None:
            strangers.append(name)
        else:
            found.setdefault(clip_id, []).append(name)
    missing = [] if some_absent else [clip_id for clip_id in ids if clip_id not in found]
    double = {clip_id: own for clip_id, own in found.items() if len(own) > 1}
    if not missing and not strangers and not double:
        return {clip_id: found[clip_id][0] for clip_id in ids if clip_id in found}
    if strangers or double:
        missing_hint = ""
    parts = [f"no file of {_listed(missing)}"] if missing else []
    parts += [f"no clip of the data set: {_listed(strangers)}"] if strangers else []
    parts += [f"clip {clip_id} twice: {_listed(own)}" for clip_id, own in list(double.items())[:5]]
    known = _known_mistake(strangers, ids, part, may_suggest=pattern is None and not found and dataset_id != "folder")
    raise ConversionError(
        "C101",
        f"the files are not those of the clips of {dataset_id}",
        where=where,
        expected=f"{len(ids)} clips: {_listed(ids)}",
        got="\n".join(parts),
        hint=missing_hint or known or _naming_hint(missing, strangers, bool(double), pattern),
    )


def are_names_of(names: Sequence[str], clips: Sequence[Clip], dataset_id: str) -> bool:
    """Whether there are names, and each is that of a clip."""
    ids = [clip.id for clip in clips]
    return bool(names) and all(_clip_id(name, ids, by_number=dataset_id != "folder") for name in names)


def _is_of_other_part(name: str, ids: Sequence[str], part: DatasetPart) -> bool:
    match = None if name in ids else _NUMBERED.fullmatch(name)
    return match is not None and match[1] is not None and match[1].lower() != _PART_WORDS[part]


def _clip_id(name: str, ids: Sequence[str], *, by_number: bool) -> str | None:
    if name in ids:
        return name
    number = _number(name) if by_number else None
    same = [clip_id for clip_id in ids if number is not None and _number(clip_id) == number]
    return same[0] if len(same) == 1 else None


def _number(name: str) -> tuple[int, ...] | None:
    match = _NUMBERED.fullmatch(name)
    return tuple(map(int, match[2].split("_"))) if match else None


def _listed(names: Sequence[str]) -> str:
    return shortened([quoted(name) for name in names], between=", ")


def _naming_hint(missing: Sequence[str], strangers: Sequence[str], double: bool, pattern: ClipPattern | None) -> str:
    if not strangers:
        if double:
            return "move one of the two away"
        return "every clip must be there; one that a method failed on may get constant scores"
    if not missing:
        return "move what does not belong to the data set away; every file counts"
    if pattern is not None:
        return f"the pattern gives the clip {quoted(strangers[0])}; its group clip must match the clip's name or number"
    near = did_you_mean(strangers[0], missing)
    return f"{near}\nor say which part of a name is the clip, such as {_PATTERN_EXAMPLE}"


def _known_mistake(strangers: Sequence[str], ids: Sequence[str], part: DatasetPart, *, may_suggest: bool) -> str:
    """What strangers are, where that can be told from their names; else nothing."""
    of_other = [name for name in strangers if _is_of_other_part(name, ids, part)]
    if of_other:
        (other,) = set(DatasetPart) - {part}
        said = "these are" if len(of_other) == len(strangers) else f"{quoted(of_other[0])} is among"
        return f"{said} {other} clips by name; --part {other}, or give the files of the {part} clips"
    if len(strangers) == 1 and _number(strangers[0]) == (0,):
        return f"clips are counted from {quoted(ids[0])} to {quoted(ids[-1])}, not from 0"
    suggested = _suggested_pattern(strangers, ids, part) if may_suggest and strangers else None
    if suggested is None:
        return ""
    return (
        f"--clip-pattern {suggested} takes a number of each name as the clip\n"
        r"(where a file is one frame, /(?P<frame>\d+) or the like follows)"
    )


def _suggested_pattern(names: Sequence[str], ids: Sequence[str], part: DatasetPart) -> str | None:
    """A pattern, in quotes for a shell, that gives each of names which differ in one number a clip of its own."""
    (other,) = set(DatasetPart) - {part}
    if not all(name.isprintable() and "'" not in name and _PART_WORDS[other] not in name.lower() for name in names):
        return None
    for number in (r"\d+_\d+", r"\d+"):
        for match in re.finditer(number, names[0]):
            parts = (names[0][: match.start()], names[0][match.end() :])
            before, after = (re.sub(r"\d+", r"\\d+", re.escape(part).replace("\\ ", " ")) for part in parts)
            if len(before + after) > _LONGEST_PATTERN // 2:
                continue
            pattern = ClipPattern.parse(f"{before}(?P<clip>{number}){after}")
            found = [pattern.split(name) for name in names]
            clips = {_clip_id(own[0], ids, by_number=True) for own in found if own is not None}
            if None not in found and None not in clips and len(clips) == len(names):
                return f"'{pattern.text}'"
    return None
