"""What a caller says of boxes and masks; the formats say what of it they know."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from vadbench.conversion.objects.rows import BoxRules, Corners, NumberType
from vadbench.errors import UsageError
from vadbench.prediction import PredictionKind


@dataclass(frozen=True)
class ObjectChoices:
    """What a caller says of boxes and masks; None and False: nothing is said.

    Parameters
    ----------
    corners : Corners, optional
    clip_to_frame : bool
        Cut boxes at the edge of the frame.
    constant_score : float, optional
        Score of every row, where the files bring none.
    dtype : NumberType, optional
        float64 unless given.
    scores : Path, optional
        Table of scores of objects.
    images : Path, optional
        COCO file that lists the images.
    void_index : int, optional
        Index of indexed images that is no object.
    drop_empty_masks : bool
    kind : PredictionKind, optional
        Instances or detections.
    """

    corners: Corners | None = None
    clip_to_frame: bool = False
    constant_score: float | None = None
    dtype: NumberType | None = None
    scores: Path | None = None
    images: Path | None = None
    void_index: int | None = None
    drop_empty_masks: bool = False
    kind: PredictionKind | None = None

    def only(self, what: str, *known: str) -> None:
        """Raise `UsageError` U211 if something is said that this format has no use for."""
        for one in fields(self):
            value = getattr(self, one.name)
            if value is not None and value is not False and one.name not in known:
                option = f"--{one.name.replace('_', '-')}"
                options = ", ".join(f"--{name.replace('_', '-')}" for name in known)
                raise UsageError(
                    "U211",
                    f"{what} has no use for {option}",
                    expected=f"of these at most: {options}" if known else "none of the options about objects",
                    got=option,
                    hint=f"leave out {option}",
                )

    def rules(self, corners: Corners) -> BoxRules:
        """Rules of boxes, with the corners that the format has."""
        return BoxRules(corners, self.clip_to_frame, self.constant_score, self.dtype or NumberType.FLOAT64)
