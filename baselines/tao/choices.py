"""Choices between ways to do a stage: enumerations that take a plain string and name the right ones for a wrong one."""

from __future__ import annotations

from enum import StrEnum
from typing import Never

from vadbench import UsageError
from vadbench.errors import did_you_mean, quoted


class Choice(StrEnum):
    """Base of the choices of a stage; a value that is none of them raises `UsageError` B205."""

    @classmethod
    def _missing_(cls, value: object) -> Never:
        words = "".join(" " + letter.lower() if letter.isupper() else letter for letter in cls.__name__).strip()
        raise UsageError(
            "B205",
            f"unknown value for {words}",
            expected=", ".join(cls),
            got=quoted(value),
            hint=did_you_mean(str(value), cls),
        )
