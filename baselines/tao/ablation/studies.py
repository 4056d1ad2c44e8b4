"""Which variants of a run each study compares.

Source: TAO, table 4, figures 5 and 6, section 4.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from baselines.tao.choices import Choice
from baselines.tao.segmentation.checkpoints import checkpoint_name
from baselines.tao.segmentation.sam2_settings import Sam2Size
from baselines.tao.settings import TaoSettings
from vadbench import UsageError
from vadbench.errors import quoted

PROTOCOLS = ("standard", "tao-release")
"""Protocols that every variant is scored under."""

_MOST_TAUS = 100


class StudyKind(Choice):
    """A table or figure of the paper."""

    TABLE4 = "table4"
    FIG5 = "fig5"
    FIG6 = "fig6"


@dataclass(frozen=True)
class Variant:
    """One run.

    Parameters
    ----------
    name : str
        Of its folder and its reports.
    settings : TaoSettings
    """

    name: str
    settings: TaoSettings


@dataclass(frozen=True)
class Row:
    """A variant's place in a study.

    Parameters
    ----------
    value : str or float
        Name of the variant, or value of the parameter that varies.
    variant : Variant
    """

    value: str | float
    variant: Variant


@dataclass(frozen=True)
class Study:
    """Variants that are compared.

    Parameters
    ----------
    kind : StudyKind
    rows : tuple of Row
        The chosen settings first, where they are among them.
    chosen : str or float, optional
        Value of the chosen settings.
    """

    kind: StudyKind
    rows: tuple[Row, ...]
    chosen: str | float | None


def components_name(settings: TaoSettings) -> str:
    """Which components of table 4 the settings have on: ``tracking+filtering``, one of the two, or ``none``."""
    parts = {"tracking": settings.segmentation.tracks, "filtering": settings.filtering.matches > 0}
    return "+".join(name for name, is_on in parts.items() if is_on) or "none"


def components_study(settings: TaoSettings) -> Study:
    """Table 4: filtering on and off, temporal tracking on and off.

    Raises
    ------
    UsageError
        B260 unless the settings have both on.
    """
    if components_name(settings) != "tracking+filtering":
        raise UsageError(
            "B260",
            "the study of table 4 turns tracking and filtering off, and they must be on to begin with",
            got=f"settings with {components_name(settings)}",
            hint="leave out --no-tracking and --no-filtering, take a segmenter that tracks and matches above 0, or "
            "leave table4 out of --parts",
        )
    variants = (
        settings,
        settings.without_filtering(),
        settings.without_tracking(),
        settings.without_tracking().without_filtering(),
    )
    rows = tuple(Row(components_name(own), Variant(components_name(own), own)) for own in variants)
    return Study(StudyKind.TABLE4, rows, rows[0].value)


def tau_study(settings: TaoSettings, taus: Sequence[float]) -> Study:
    """Figure 5: the chosen threshold of the scores first, then the others in the order given, each once."""
    values = dict.fromkeys([settings.tau, *taus])
    rows = [Row(tau, Variant(f"tau-{tau!r}", replace(settings, tau=tau))) for tau in values]
    rows[0] = Row(settings.tau, Variant(components_name(settings), settings))
    return Study(StudyKind.FIG5, tuple(rows), settings.tau)


def size_study(settings: TaoSettings, checkpoints: Path | None) -> Study | str:
    """Figure 6: the sizes of SAM2 whose weights lie in a folder under their official names.

    Parameters
    ----------
    settings : TaoSettings
    checkpoints : Path, optional
        Folder of weights.

    Returns
    -------
    Study or str
        Why there is nothing to compare, where that is so.
    """
    sam2 = settings.segmentation.sam2
    if settings.segmentation.is_fitted:
        return f"the segmenter is {settings.segmentation.kind}, which has no sizes"
    if checkpoints is None:
        return "no folder of checkpoints is given (--checkpoints DIR)"
    files = {size: checkpoints / checkpoint_name(size, sam2.version) for size in Sam2Size}
    there = [size for size, file in files.items() if file.is_file()]
    if not there:
        return f"none of {', '.join(file.name for file in files.values())} lies in {checkpoints}"
    # The chosen size first; a SHA-256 that was given is that of one file, and the others would fail it.
    rows = []
    for size in sorted(there, key=lambda own: own is not sam2.size):
        sha256 = sam2.sha256 if size is sam2.size else None
        own = replace(settings.segmentation, sam2=replace(sam2, size=size, checkpoint=files[size], sha256=sha256))
        rows.append(Row(str(size), Variant(f"size-{size}", replace(settings, segmentation=own))))
    return Study(StudyKind.FIG6, tuple(rows), str(sam2.size) if sam2.size in there else None)


def with_checkpoint(settings: TaoSettings, checkpoints: Path | None) -> TaoSettings:
    """Settings whose SAM2 takes its weights from the folder, unless it has some already or does not count."""
    sam2 = settings.segmentation.sam2
    if checkpoints is None or settings.segmentation.is_fitted or sam2.checkpoint is not None:
        return settings
    found = checkpoints / checkpoint_name(sam2.size, sam2.version)
    return replace(settings, segmentation=replace(settings.segmentation, sam2=replace(sam2, checkpoint=found)))


def distinct_variants(studies: Sequence[Study]) -> list[Variant]:
    """Variants of all studies, each of the same settings once, under its first name."""
    variants: list[Variant] = []
    for row in (row for study in studies for row in study.rows):
        if all(row.variant.settings != other.settings for other in variants):
            variants.append(row.variant)
    return variants


def taus_of(text: str) -> tuple[float, ...]:
    """Thresholds from ``first:last:step``, both ends included, or from numbers with commas between them.

    Raises
    ------
    UsageError
        B261 for anything else.

    Examples
    --------
    >>> taus_of("1.0:1.4:0.1")
    (1.0, 1.1, 1.2, 1.3, 1.4)
    >>> taus_of("2,0.5")
    (2.0, 0.5)
    """
    from decimal import Decimal, InvalidOperation

    wrong = UsageError(
        "B261",
        "the thresholds of the study cannot be read",
        expected=f"FIRST:LAST:STEP such as 1.0:1.9:0.1, or numbers with commas; at most {_MOST_TAUS}",
        got=quoted(text),
    )
    try:
        # Decimal, so that 1.0, 1.1, 1.2 are those numbers and no sum of roundings.
        numbers = [Decimal(part) for part in text.split(":" if ":" in text else ",")]
    except InvalidOperation as error:
        raise wrong from error
    if not all(number.is_finite() for number in numbers):
        raise wrong
    if ":" in text:
        if len(numbers) != 3 or numbers[2] <= 0 or not 0 <= (numbers[1] - numbers[0]) / numbers[2] < _MOST_TAUS:
            raise wrong
        first, last, step = numbers
        numbers = [first + step * index for index in range(int((last - first) / step) + 1)]
    if len(numbers) > _MOST_TAUS:
        raise wrong
    return tuple(map(float, numbers))
