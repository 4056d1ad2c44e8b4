"""Choices that change a number: enumerations that take a plain string and name the right ones for a wrong one."""

from __future__ import annotations

from enum import StrEnum
from typing import Never

from vadbench.errors import ProtocolError, nearest_name, quoted


class Choice(StrEnum):
    """Base of every choice; ``Ties("grouped")`` works, ``Ties("grupped")`` raises `ProtocolError` P101."""

    @classmethod
    def _missing_(cls, value: object) -> Never:
        words = "".join(" " + c.lower() if c.isupper() else c for c in cls.__name__).strip()
        near = nearest_name(str(value), list(cls))
        raise ProtocolError(
            "P101",
            f"unknown value for {words}",
            expected=", ".join(cls),
            got=quoted(value),
            hint="" if near is None else f"did you mean {quoted(near)}?",
        )
