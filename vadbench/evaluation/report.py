"""The report: scores with their provenance, written as JSON ``vadbench.report/1`` and read back.

Source: architecture, "A report".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError

from vadbench.errors import DataError, ProtocolError, UsageError, quoted
from vadbench.protocol.signature import Signature
from vadbench.submission.checked_json import parse_json
from vadbench.submission.metadata_values import text_fault
from vadbench.submission.whole_files import new_file

_BEGINNING = 200
"""Bytes of a file in which a report says that it is one."""

LARGEST_REPORT = 4 * 2**20
"""Bytes of a report that is read; one of a thousand clips has some 2 MB."""

REPORT_LEVELS = 12
MOST_VALUES = 200_000
"""Values in a report that is read, so that a small file cannot take much memory."""

_LONGEST_TEXT = 100_000
_LONGEST_SIGNATURE = 2_000
_TEXTS_OF_LINES = ("description", "bibtex")

_MOST_CLIPS = 20_000
_MOST_WARNINGS = 1_000

# One wrong item is enough: an error for each of thousands takes more memory than the file.
_Numbers = Annotated[list[float], Field(max_length=20_000), FailFast()]


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

    x: _Numbers
    y: _Numbers


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
    warnings: Annotated[list[str], FailFast()] = Field(
        default=[], max_length=_MOST_WARNINGS, description="what is allowed and probably not meant"
    )
    clips: Annotated[list[ClipRow], FailFast()] = Field(max_length=_MOST_CLIPS)
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
            file, temporary = new_file(target)
            try:
                with file:
                    file.write(self.to_json().encode())
                temporary.replace(target)
            except BaseException:
                temporary.unlink(missing_ok=True)
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
        """Read a report, which may be a stranger's.

        At most 4 MiB and 12 levels, no key twice, no NaN, no control characters in any string, a signature that can
        be parsed: what is read can be printed.

        Raises
        ------
        DataError
            D360 where the file is no such report.
        UsageError
            U141 where it cannot be read.
        """
        source = Path(path)
        try:
            with source.open("rb") as file:
                data = file.read(LARGEST_REPORT + 1)
        except OSError as error:
            raise UsageError("U141", "the report cannot be read", where=str(path), got=str(error.strerror)) from error
        if len(data) > LARGEST_REPORT:
            raise _no_report(source, f"more than {LARGEST_REPORT} bytes")
        try:
            # Every value but the first stands behind one of these signs: most is refused before anything is parsed.
            if sum(map(data.count, (b",", b":", b"[", b"{"))) > 2 * MOST_VALUES:
                raise ValueError(f"more than {MOST_VALUES} values")
            content = parse_json(data, levels=REPORT_LEVELS)
            _check_content(content)
            report = cls.model_validate_json(data, strict=True)
            report.parsed_signature  # noqa: B018 (raises where there is none)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise _no_report(source, f"{first['msg']}{' at ' + quoted(place) if place else ''}") from error
        except ProtocolError as error:
            raise _no_report(source, f"{error.message}: {error.got}") from error
        except json.JSONDecodeError as error:
            raise _no_report(source, f"not JSON, from line {error.lineno}, column {error.colno}") from error
        except (ValueError, RecursionError) as error:
            raise _no_report(source, str(error)) from error
        return report


def _no_report(source: Path, got: str) -> DataError:
    return DataError(
        "D360",
        "this is not a report of vadbench",
        where=str(source),
        expected="JSON of the format vadbench.report/1",
        got=got,
        hint="reports are written by `vadbench score`",
    )


def _check_content(content: Any) -> None:
    """What the types of a report do not say; raises ValueError with one line."""
    if not isinstance(content, dict) or content.get("format") != "vadbench.report/1":
        raise ValueError("no format vadbench.report/1")
    submission = content.get("submission")
    for key in ("method", "training", "score_maps"):
        if isinstance(submission, dict) and not isinstance(submission.get(key, {}), dict):
            raise ValueError(f"submission.{key} is no object")
    if len(str(content.get("signature"))) > _LONGEST_SIGNATURE:
        raise ValueError(f"a signature of more than {_LONGEST_SIGNATURE} characters")
    waiting: list[tuple[str, Any]] = [("", content)]
    n_values = 0
    while waiting:
        key, value = waiting.pop()
        n_values += 1
        if n_values > MOST_VALUES:
            raise ValueError(f"more than {MOST_VALUES} values")
        if isinstance(value, dict):
            waiting += [("", name) for name in value]
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(key, inner) for inner in value]
        elif isinstance(value, str) and value:
            fault = text_fault(value, longest=_LONGEST_TEXT, line_breaks=key in _TEXTS_OF_LINES)
            if fault:
                raise ValueError(f"{fault}, in {quoted(value)}")


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
