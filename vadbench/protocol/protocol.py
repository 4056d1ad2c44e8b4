"""The protocol: every choice that changes a number, as a named and typed field.

Source: protocols.md, the tables of fields. The order of the fields here is the order of that page and of signatures.
"""

from __future__ import annotations

import dataclasses
import math
import re
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from vadbench.choices import Choice
from vadbench.errors import ProtocolError, did_you_mean, quoted
from vadbench.metrics.frames import ClipScaling, OneClassClips
from vadbench.metrics.objects import Ties
from vadbench.statistics.detections import InstanceScores, Merge, TrackBoxes
from vadbench.statistics.pixels import MapScaling


class Pooling(Choice):
    """Over what pixel metrics are computed before anything is averaged."""

    DATASET = "dataset"
    CLIP_MEAN = "clip-mean"
    FRAME_MEAN = "frame-mean"


class FrameSelection(Choice):
    """Which frames enter the pixel metrics at all."""

    ALL = "all"
    ANOMALOUS = "anomalous"


class SilentFrames(Choice):
    """What a frame whose map is 0 everywhere counts as."""

    SCORE = "score"
    ZERO = "zero"


class Aupro(Choice):
    """Which area bears the name AUPRO."""

    REGION_OVERLAP = "region-overlap"
    PR_TRAPEZOID = "pr-trapezoid"


class BoxesFrom(Choice):
    """Where the boxes of RBDC and TBDC come from."""

    DETECTIONS_FIRST = "detections-first"
    INSTANCES = "instances"


@dataclass(frozen=True)
class F1Rule:
    """Which threshold F1 is taken at.

    Parameters
    ----------
    threshold : float or None
        None: the best over all thresholds, written ``best``. A number x: flagged means score > x, written ``at(x)``.
    """

    threshold: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``best`` or ``at(x)``."""
        if text == "best":
            return cls()
        match = re.fullmatch(r"at\(([^()]+)\)", text)
        try:
            return cls(_finite(match[1] if match else None))
        except (TypeError, ValueError):
            raise ProtocolError(
                "P102", "F1 needs a rule that exists", expected="best, or at(x) such as at(0.5)", got=quoted(text)
            ) from None

    def __str__(self) -> str:
        """Give ``best`` or ``at(x)``."""
        return "best" if self.threshold is None else f"at({number_text(self.threshold)})"


@dataclass(frozen=True)
class PixelProtocol:
    """Choices of the pixel metrics."""

    pooling: Pooling = Pooling.DATASET
    frames: FrameSelection = FrameSelection.ALL
    silent_frames: SilentFrames = SilentFrames.SCORE
    map_scaling: MapScaling = MapScaling.NONE
    f1: F1Rule = field(default_factory=F1Rule)
    aupro: Aupro = Aupro.REGION_OVERLAP
    fpr_limit: float = 0.3
    connectivity: int = 8


@dataclass(frozen=True)
class InstanceProtocol:
    """Choices of how instances count."""

    scores: InstanceScores = InstanceScores.GIVEN


@dataclass(frozen=True)
class ObjectProtocol:
    """Choices of RBDC and TBDC."""

    iou_threshold: float = 0.1
    track_fraction: float = 0.1
    fpr_limit: float = 1.0
    boxes_from: BoxesFrom = BoxesFrom.DETECTIONS_FIRST
    ties: Ties = Ties.GROUPED
    merge: Merge = Merge.SAME_OBJECT
    merge_iou: float = 0.0
    track_boxes: TrackBoxes = TrackBoxes.AS_IS


@dataclass(frozen=True)
class FrameProtocol:
    """Choices of the frame metrics."""

    one_class_clips: OneClassClips = OneClassClips.SKIP
    clip_scaling: ClipScaling = ClipScaling.NONE


@dataclass(frozen=True)
class Protocol:
    """Every choice that changes a number.

    Equality is equality of all fields. Make one with `preset`, change it with `replace`, write it with `str`.

    Raises
    ------
    ProtocolError
        P103 for a number out of range, P104 for a field that has no effect beside the others and is not at its
        standard value.

    Examples
    --------
    >>> protocol = Protocol.preset("standard").replace({"pixel.fpr_limit": 0.05})
    >>> str(protocol)
    'standard+pixel.fpr_limit=0.05'
    >>> Protocol.parse("standard+pixel.fpr_limit=0.05") == protocol
    True
    """

    pixel: PixelProtocol = field(default_factory=PixelProtocol)
    instances: InstanceProtocol = field(default_factory=InstanceProtocol)
    object: ObjectProtocol = field(default_factory=ObjectProtocol)
    frame: FrameProtocol = field(default_factory=FrameProtocol)

    def __post_init__(self) -> None:
        # A group may have been made with plain strings; compared by identity later, they must be the choices.
        for group, typed in zip(dataclasses.fields(self), _groups(dict(self.values())), strict=True):
            object.__setattr__(self, group.name, typed)
        _check_ranges(self)
        _check_effects(self)

    @classmethod
    def preset(cls, name: str) -> Protocol:
        """Shipped protocol of that name: ``standard``, ``tao-release``, ``aed-2021``."""
        from vadbench.protocol.presets import load_preset

        return load_preset(name)

    @classmethod
    def parse(cls, text: str) -> Protocol:
        """Read a preset or a variant as a signature writes it: ``preset+field=value…``."""
        name, *changes = text.split("+")
        if "," in text:
            raise ProtocolError(
                "P105",
                "this is not written like a protocol",
                expected="preset+field=value+field=value",
                got=quoted(text),
                hint="changes follow the preset with a plus sign",
            )
        pairs = [change.partition("=") for change in changes]
        for key, sign, _ in pairs:
            if not sign:
                raise ProtocolError(
                    "P105", "a change of a protocol has no value", expected="preset+field=value", got=quoted(key)
                )
        if len({key for key, _, _ in pairs}) < len(pairs):
            raise ProtocolError("P105", "a field of a protocol is changed twice", got=quoted(text))
        return cls.preset(name).replace({key: value for key, _, value in pairs})

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Protocol:
        """Make a protocol from the values of all its fields by their full names."""
        missing = set(FIELD_NAMES) - set(values)
        if missing:
            raise ProtocolError("P106", "a protocol must name every field", expected=", ".join(sorted(missing)))
        return cls(*_groups(values))

    def replace(self, changes: Mapping[str, Any]) -> Protocol:
        """Give a variant with some fields changed.

        Parameters
        ----------
        changes : mapping
            From full names such as ``pixel.fpr_limit`` to values, typed or as text.

        Raises
        ------
        ProtocolError
            P107 for an unknown field, P101 or P108 for a value that the field cannot hold.
        """
        for name in changes:
            if name not in FIELD_NAMES:
                raise ProtocolError(
                    "P107", f"a protocol has no field {quoted(name)}", hint=did_you_mean(name, FIELD_NAMES)
                )
        return Protocol.from_values({**dict(self.values()), **changes})

    def values(self) -> Iterator[tuple[str, Any]]:
        """Yield (full name, typed value) of every field in the order of the specification."""
        for name in FIELD_NAMES:
            group, key = name.split(".")
            yield name, getattr(getattr(self, group), key)

    def __str__(self) -> str:
        """Write it as ``preset+field=value…``, from the preset with the fewest changes."""
        from vadbench.protocol.presets import preset_names

        texts = []
        for name in preset_names():
            base = dict(Protocol.preset(name).values())
            changed = [f"{key}={value_text(value)}" for key, value in self.values() if value != base[key]]
            texts.append("+".join([name, *changed]))
        return min(texts, key=lambda text: text.count("+"))


_GROUP_TYPES = typing.get_type_hints(Protocol)


def _field_types() -> dict[str, type]:
    return {
        f"{group}.{name}": kind
        for group, group_type in _GROUP_TYPES.items()
        for name, kind in typing.get_type_hints(group_type).items()
    }


FIELD_TYPES = _field_types()
"""Type of every field by its full name, in the order of the specification."""

FIELD_NAMES = tuple(FIELD_TYPES)
"""Full names of all fields, in the order of the specification."""


def _groups(values: Mapping[str, Any]) -> Iterator[Any]:
    for group in dataclasses.fields(Protocol):
        own = {name.split(".")[1]: name for name in FIELD_NAMES if name.startswith(group.name + ".")}
        kind = _GROUP_TYPES[group.name]
        yield kind(**{key: _typed(name, values[name]) for key, name in own.items()})


def _typed(name: str, value: Any) -> Any:
    kind = FIELD_TYPES[name]
    if kind is F1Rule:
        return F1Rule.parse(str(value))
    if issubclass(kind, Choice):
        try:
            return kind(value)
        except ProtocolError as error:
            raise ProtocolError(
                "P101", f"unknown value for {name}", expected=error.expected, got=error.got, hint=error.hint
            ) from None
    try:
        number = _finite(value)
        if kind is int and number != int(number):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ProtocolError(
            "P108",
            f"{name} needs a number",
            expected="a whole number" if kind is int else "a number",
            got=quoted(value),
        ) from None
    return number if kind is float else int(number)


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number + 0.0


def _check_ranges(protocol: Protocol) -> None:
    limits = [
        ("pixel.fpr_limit", "0 < limit ≤ 1", 0 < protocol.pixel.fpr_limit <= 1),
        ("pixel.connectivity", "8 or 4", protocol.pixel.connectivity in {4, 8}),
        ("object.iou_threshold", "above 0", protocol.object.iou_threshold > 0),
        ("object.track_fraction", "above 0", protocol.object.track_fraction > 0),
        ("object.fpr_limit", "above 0", protocol.object.fpr_limit > 0),
        ("object.merge_iou", "0 ≤ IoU < 1", 0 <= protocol.object.merge_iou < 1),
    ]
    for name, expected, holds in limits:
        if not holds:
            value = dict(protocol.values())[name]
            raise ProtocolError("P103", f"{name} is out of range", expected=expected, got=str(value))


def _check_effects(protocol: Protocol) -> None:
    """A field without effect must stay at its standard value, so that one evaluation has one signature."""
    pixel, standard = protocol.pixel, PixelProtocol()
    by_frame, by_region = pixel.pooling is Pooling.FRAME_MEAN, pixel.aupro is Aupro.REGION_OVERLAP
    idle = [
        ("pixel.silent_frames", "pixel.pooling=frame-mean", by_frame or pixel.silent_frames == standard.silent_frames),
        ("pixel.fpr_limit", "pixel.aupro=region-overlap", by_region or pixel.fpr_limit == standard.fpr_limit),
        ("pixel.connectivity", "pixel.aupro=region-overlap", by_region or pixel.connectivity == standard.connectivity),
        (
            "object.merge_iou",
            "object.merge=same-object or same-frame",
            protocol.object.merge is not Merge.NONE or protocol.object.merge_iou == 0,
        ),
    ]
    for name, needs, fine in idle:
        if not fine:
            raise ProtocolError(
                "P104",
                f"{name} has no effect beside the other fields and must keep its standard value",
                expected=f"{needs}, or no change of {name}",
                got=str(dict(protocol.values())[name]),
            )


def number_text(value: float) -> str:
    """Shortest text of a number that reads back as the same, without a plus sign."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value).replace("e+", "e")


def value_text(value: Any) -> str:
    """Text of a field's value as signatures write it."""
    return number_text(value) if isinstance(value, int | float) else str(value)
