"""Choices of the board."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """What stands behind a row."""

    REPORTED = "reported"
    """Printed in a paper."""

    SUBMITTED = "submitted"
    """Sent with a report, whose numbers nobody else has computed."""

    VERIFIED = "verified"
    """Scored again by a maintainer, with the same result."""
