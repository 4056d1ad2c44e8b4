"""Findings are gathered into groups as they come: equal ones are counted, the first few places are kept.

Whatever a submission holds, what is kept here is bounded, and so is the result made of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from vadbench.datasets.findings import Severity
from vadbench.errors import VadbenchError
from vadbench.inert_text import escaped_lines
from vadbench.submission.faults import Fault
from vadbench.validation.validation import Group

MOST_GROUPS = 200
MOST_BYTES = 2 * 2**20
"""Groups that are kept, and bytes of JSON that they take; the rest is counted."""

MOST_PLACES = 5
MOST_CLIPS = 24
_LONGEST = 1_000
_LONGEST_LIST = 6_000
_LONGEST_PLACE = 300

_PLACE = re.compile(r'(row|rows|frame|frames|pixel|chunk|line) |"')
"""How the parts of a place begin that differ between equal findings: ``row 5``, ``frame 12``, a name in quotes."""

_ONE_CAUSE = frozenset({"S104"})
"""Codes of errors whose hints hold numbers of a clip: those of a kind are one group with a hint about all clips."""

_Severity = Literal[Severity.ERROR, Severity.WARNING]


def plain(text: str, longest: int = _LONGEST) -> str:
    """Text that is safe to print anywhere: control characters but line feeds escaped, shortened."""
    return escaped_lines(text, longest)


def _json_bytes(*texts: str) -> int:
    """Bytes of JSON that texts take at most, with the signs around them."""
    return sum(len(json.dumps(plain(text, _LONGEST_LIST))) + 30 for text in texts)


@dataclass
class _Open:
    """A group that more findings may join."""

    severity: _Severity
    error: VadbenchError
    count: int = 0
    clips: list[str] = field(default_factory=list)
    n_clips: int = 0
    last_clip: str | None = None
    where: list[str] = field(default_factory=list)
    hint: str | None = None

    def add(self, where: tuple[str, ...], clip_id: str | None, count: int, room: int) -> int:
        """Take in one more; give the bytes of JSON that its texts take, none of them where there is no room."""
        self.count += count
        taken = 0
        if clip_id is not None and clip_id != self.last_clip:
            self.n_clips += 1
            self.last_clip = clip_id
            if len(self.clips) < MOST_CLIPS and room > 0:
                self.clips.append(plain(clip_id, _LONGEST_PLACE))
                taken += _json_bytes(self.clips[-1])
        if where and len(self.where) < MOST_PLACES and room > 0:
            self.where.append(plain(" · ".join(where), _LONGEST_PLACE))
            taken += _json_bytes(self.where[-1])
        return taken

    def group(self) -> Group:
        error = self.error
        return Group(
            code=error.code,
            severity=self.severity,
            message=plain(error.message),
            count=self.count,
            n_clips=self.n_clips,
            clips=tuple(self.clips),
            where=tuple(dict.fromkeys(self.where)),
            expected=plain(error.expected),
            got=plain(error.got, _LONGEST_LIST),
            hint=plain(error.hint if self.hint is None else self.hint, _LONGEST_LIST),
        )


class Findings:
    """Findings of one submission.

    Parameters
    ----------
    shown : str
        How messages call the submission; left out of the places, where it would stand in each.
    """

    def __init__(self, shown: str = "") -> None:
        self._shown = shown
        self._open: dict[tuple[object, ...], _Open] = {}
        self._bytes = 0
        self._left_out: dict[Severity, int] = {Severity.ERROR: 0, Severity.WARNING: 0}

    def add(
        self,
        error: VadbenchError,
        *,
        count: int = 1,
        clip_id: str | None = None,
        clips: Sequence[str] = (),
        warn: bool = False,
    ) -> None:
        """Take in one finding; `clip_id` where it is about a clip, `clips` where it is about all of them at once."""
        severity: _Severity = Severity.WARNING if warn else Severity.ERROR
        where = error.where[1:] if error.where[:1] == (self._shown,) else error.where
        label = f"clip {clip_id}"
        kind = tuple(part for part in where if part != label and not _PLACE.match(part))
        # What was expected and got differs from clip to clip and row to row, the mistake does not.
        once = () if clip_id is not None else (where, error.expected, error.got)
        hint = "" if error.code in _ONE_CAUSE else error.hint
        key = (severity, error.code, error.message, kind, hint, *once)
        if key not in self._open:
            size = _json_bytes(error.message, error.expected, error.got, error.hint)
            if len(self._open) >= MOST_GROUPS or self._bytes + size > MOST_BYTES:
                self._left_out[severity] += 1
                return
            self._bytes += size
            self._open[key] = _Open(severity, error)
        for own in clips:
            self._bytes += self._open[key].add((), own, 0, MOST_BYTES - self._bytes)
        self._bytes += self._open[key].add(where, clip_id, count, MOST_BYTES - self._bytes)

    def add_faults(self, faults: Iterable[Fault], *, clip_id: str | None = None) -> None:
        """Take in what checks of the submission room give."""
        for fault in faults:
            self.add(fault.error, count=fault.count, clip_id=clip_id)

    def rehint(self, code: str, other: str, *, part: str, hint: str | None = None) -> None:
        """Give groups of that code another hint: those about `part` of a clip, with that `hint` where it is given."""
        for own in self._open.values():
            if own.error.code == code and part in own.error.where and hint in {None, own.error.hint}:
                own.hint = other

    def number(self, severity: Severity) -> int:
        """Groups of that severity, those left out included (each finding left out counts as one)."""
        return sum(own.severity is severity for own in self._open.values()) + self._left_out[severity]

    def groups(self) -> tuple[Group, ...]:
        """All groups that were kept: errors first, each in the order in which they were found."""
        ordered = sorted(self._open.values(), key=lambda own: own.severity is not Severity.ERROR)
        return tuple(own.group() for own in ordered)
