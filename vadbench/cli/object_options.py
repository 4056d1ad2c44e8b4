"""Options of ``vadbench convert`` about boxes and masks."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from vadbench.cli.output import counted, thousands
from vadbench.conversion.conversion import Conversion
from vadbench.conversion.objects.choices import ObjectChoices
from vadbench.conversion.objects.rows import Corners, NumberType
from vadbench.errors import shortened
from vadbench.prediction import PredictionKind

_KINDS = (PredictionKind.INSTANCES, PredictionKind.DETECTIONS)


def add_object_options(parser: argparse.ArgumentParser) -> None:
    """Add the options; a format that has no use for one refuses it."""
    group = parser.add_argument_group("boxes and masks")
    group.add_argument(
        "--corners", choices=list(Corners), help="aed: whether x2 and y2 belong to the box (inclusive) or lie behind it"
    )
    group.add_argument("--clip-to-frame", action="store_true", help="aed, coco: cut boxes at the edge of the frame")
    group.add_argument(
        "--constant-score", type=float, metavar="X", help="aed, coco, instances: score of all, without others"
    )
    group.add_argument("--scores", type=Path, metavar="FILE", help="instances: CSV clip,object,score")
    group.add_argument("--images", type=Path, metavar="FILE", help="coco: the file that lists the images")
    group.add_argument("--kind", choices=[str(kind) for kind in _KINDS], help="coco, and with --to: which of the two")
    group.add_argument("--drop-empty-masks", action="store_true", help="coco: leave out masks without a pixel")
    group.add_argument("--void-index", type=int, metavar="N", help="instances: index of no object (DAVIS: 255)")
    group.add_argument(
        "--dtype", choices=list(NumberType), help="aed, coco, instances: of scores and corners (float64)"
    )
    group.add_argument(
        "--missing-clips",
        choices=["empty"],
        help="aed, coco, instances: a clip that the files do not name is one without a finding",
    )


def object_choices(options: argparse.Namespace) -> ObjectChoices:
    """What the call says of boxes and masks."""
    return ObjectChoices(
        corners=None if options.corners is None else Corners(options.corners),
        clip_to_frame=options.clip_to_frame,
        constant_score=options.constant_score,
        dtype=None if options.dtype is None else NumberType(options.dtype),
        scores=options.scores,
        images=options.images,
        void_index=options.void_index,
        drop_empty_masks=options.drop_empty_masks,
        kind=None if options.kind is None else PredictionKind(options.kind),
    )


def object_notes(conversion: Conversion, *, offset_said: bool = False) -> Iterator[str]:
    """Lines about what was done to boxes and masks that nobody should overlook.

    Parameters
    ----------
    conversion : Conversion
        After all clips were read.
    offset_said : bool
        Whether the call says from which number frames are counted.
    """
    record = conversion.source.record()
    if (least := record.get("least_frame_number")) and not offset_said and not conversion.timing.drop_head:
        yield f"frames    numbers run from {least}; if you count from 1: --frame-offset -1; if from 0: --frame-offset 0"
    if n_cut := record.get("boxes_cut_at_the_frame"):
        yield f"cut       {counted(n_cut, 'box', 'boxes')} at the edge of the frame"
    if n_dropped := record.get("empty_masks_dropped"):
        yield f"left out  {counted(n_dropped, 'mask')} without a pixel"
    if n_unlike := record.get("masks_unlike_their_bbox"):
        unlike = (
            "1 is not as large as its bbox"
            if n_unlike == 1
            else f"{thousands(n_unlike)} are not as large as their bbox"
        )
        yield f"masks     {unlike}, by more than a pixel; the masks count"
    if n_unused := record.get("scores_without_object"):
        yield f"unused    {counted(n_unused, 'row')} of --scores about no object of the images"
    absent = [clip.id for clip in conversion.clips if clip.id not in conversion.names]
    if absent:
        yield f"absent    {len(absent)} of {len(conversion.clips)} clips: nothing was found in {shortened(absent)}"
