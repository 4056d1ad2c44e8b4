"""What checks of statistics beside a report share: a line that says what is wrong."""

from __future__ import annotations


def require(holds: bool, otherwise: str) -> None:
    """Raise ValueError with that line unless something holds."""
    if not holds:
        raise ValueError(otherwise)
