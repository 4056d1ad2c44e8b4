"""All that is wrong with the annotations of a file as one error: the first few of each kind, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass, field

from vadbench.errors import ConversionError

_MOST_LISTED = 3


@dataclass
class _Kind:
    """Faults that say the same: the first ones, and how many there are."""

    first: list[ConversionError] = field(default_factory=list)
    number: int = 0

    def lines(self) -> list[str]:
        """Place and what was there, of the first ones."""
        lines = [f"{error.where[-1]}: {error.got}".replace("\n", " ") for error in self.first]
        rest = self.number - len(self.first)
        return [*lines, f"and {rest} more"] if rest else lines


class AnnotationFaults:
    """Faults of the annotations of one file, collected while it is read.

    Parameters
    ----------
    where : str
        The file, for the error.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._kinds: dict[tuple[str, str, str], _Kind] = {}

    def add(self, error: ConversionError) -> None:
        """Remember a fault; the last part of its ``where`` is the annotation."""
        kind = self._kinds.setdefault((error.code, error.message, error.expected), _Kind())
        kind.number += 1
        if len(kind.first) < _MOST_LISTED:
            kind.first.append(error)

    def raise_all(self) -> None:
        """Raise nothing, the only fault as it is, or one `ConversionError` about all of them.

        It has the code and the message of the faults if they are of one kind, C161 otherwise.
        """
        kinds = list(self._kinds.values())
        if not kinds:
            return
        number = sum(kind.number for kind in kinds)
        first = kinds[0].first[0]
        if number == 1:
            raise first
        if len(kinds) == 1:
            raise ConversionError(
                first.code,
                f"{first.message}; {number} are so",
                where=self._where,
                expected=first.expected,
                got="\n".join(kinds[0].lines()),
                hint=first.hint,
            )
        lines, hints = [], []
        for kind in kinds[:_MOST_LISTED]:
            one = kind.first[0]
            lines += [f"{one.message} (expected {one.expected}):".replace("\n", " ")]
            lines += [f"  {line}" for line in kind.lines()]
            hints += [one.hint] if one.hint else []
        if len(kinds) > _MOST_LISTED:
            lines.append(f"and {sum(kind.number for kind in kinds[_MOST_LISTED:])} of other kinds")
        raise ConversionError(
            "C161",
            f"{number} annotations are wrong",
            where=self._where,
            got="\n".join(lines),
            hint="\n".join(dict.fromkeys(hints)),
        )
