"""Every problem of a submission in one pass, without raising: what `vadbench validate` and the checks of CI share.

Names are loaded when they are first used, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vadbench.validation.submission_check import validate
    from vadbench.validation.validation import Check, Group, Validation

_HOMES = {"Check": "validation", "Group": "validation", "Validation": "validation", "validate": "submission_check"}

__all__ = ["Check", "Group", "Validation", "validate"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
