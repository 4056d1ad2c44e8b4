"""The report: scores with their provenance, written as JSON ``vadbench.report/1`` and read back.

Source: architecture, "A report".
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vadbench.errors import DataError, UsageError, quoted
from vadbench.protocol.signature import Signature

_BEGINNING = 200
"""Bytes of a file in which a report says that it is one."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Score(_Part):
    """One metric: a value, or the reason why there is none."""

    value: float | None
    reason: str | None = None
    source: str | None = None
    clips: int | None = None
    skipped_clips: int | None = Field(default=None, description="clips of one class that the macro mean leaves out")
    threshold: int | float | Literal["all"] | None = None
    precision: float | None = None
    recall: float | None = None
    order_bounds: tuple[float, float] | None = Field(
        default=None, description="least and greatest value over all orders of detections with equal scores"
    )


class ClipRow(_Part):
    """Scores of one clip alone."""

    id: str
    frames: int
    scores: dict[str, Score]


class CurvePoints(_Part):
    """A curve, thinned for pictures."""

    x: list[float]
    y: list[float]


class DatasetIdentity(_Part):
    """Which data a score is a score on."""

    id: str
    fingerprint: str
    clips: int
    frames: int
    tracks: str
    tracks_fingerprint: str | None = None


class Run(_Part):
    """How the numbers were made; nothing here changes them."""

    vadbench: str
    python: str
    numpy: str
    platform: str
    date: str
    seconds: float
    peak_memory_bytes: int
    workers: int


class Report(_Part):
    """Scores with signature, order bounds, per-clip rows, curves and provenance.

    Everything outside `run` has the same bytes for the same input.
    """

    format: Literal["vadbench.report/1"] = "vadbench.report/1"
    signature: str
    dataset: DatasetIdentity
    submission: dict[str, Any]
    scores: dict[str, Score]
    warnings: list[str] = Field(default=[], description="what is allowed and probably not meant")
    clips: list[ClipRow]
    curves: dict[str, CurvePoints]
    run: Run | None = None

    @property
    def parsed_signature(self) -> Signature:
        """The signature, read back."""
        return Signature.parse(self.signature)

    def __repr__(self) -> str:
        """Scores and signature; the rest is too long to look at."""
        scores = [f"{key}={score.value:.4f}" for key, score in self.scores.items() if score.value is not None]
        return f"Report({', '.join(scores)}; {self.signature})"

    def value(self, metric: str) -> float | None:
        """Value of a metric by its key, a fraction in [0, 1]; None where it is not available."""
        score = self.scores.get(metric)
        return None if score is None else score.value

    def to_json(self, *, run: bool = True) -> str:
        """Give the report as JSON text.

        Parameters
        ----------
        run : bool
            False leaves the block of the run out: what remains depends on the input alone.
        """
        content = self.model_dump(mode="json", exclude=None if run else {"run"})
        return json.dumps(_without_absent(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, path: str | Path) -> Path:
        """Write the report.

        To a temporary name beside the file, then renamed: it is whole or not there. A link is followed; a device or a
        pipe is written to as it is. An earlier report is replaced, any other file is not.

        Raises
        ------
        UsageError
            U140 if the system refuses, U146 if a file that is no report is in the way.
        """
        target = Path(path).resolve()
        try:
            if target.exists() and not target.is_file():
                target.write_text(self.to_json(), encoding="utf-8")
                return target
            check_replaceable(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                    file.write(self.to_json())
                Path(temporary).chmod(0o644)
                Path(temporary).replace(target)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise UsageError(
                "U140",
                "the report cannot be written",
                where=str(target),
                got=error.strerror or str(error),
                hint="choose another place with --report PATH",
            ) from error
        return target

    @classmethod
    def read(cls, path: str | Path) -> Report:
        """Read a report; raises `DataError` D360 where the file is none."""
        source = Path(path)
        try:
            return cls.model_validate_json(source.read_bytes(), strict=False)
        except OSError as error:
            raise UsageError("U141", "the report cannot be read", where=str(path), got=str(error.strerror)) from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise DataError(
                "D360",
                "this is not a report of vadbench",
                where=str(path),
                expected="JSON of the format vadbench.report/1",
                got=f"{first['msg']}{' at ' + quoted(place) if place else ''}",
                hint="reports are written by `vadbench score`",
            ) from error


def check_replaceable(target: Path) -> None:
    """Raise `UsageError` U146 where a file is in the way that is no report."""
    if not target.is_file():
        return
    with target.open("rb") as file:
        beginning = file.read(_BEGINNING)
    if beginning and b'"vadbench.report/' not in beginning:
        raise UsageError(
            "U146",
            "a file that is no report is in the way",
            where=str(target),
            hint="choose another place with --report PATH; only an earlier report is replaced",
        )


def _without_absent(content: Any) -> Any:
    """Leave out what is absent; the value of a metric stays, as null, beside its reason."""
    if isinstance(content, dict):
        return {
            key: _without_absent(value)
            for key, value in content.items()
            if value is not None or (key == "value" and "reason" in content)
        }
    return [_without_absent(value) for value in content] if isinstance(content, list) else content
