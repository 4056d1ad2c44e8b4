"""A clip with its predictions, frame after frame: several methods side by side, each on its one scale of scores.

Source: TAO, figure 4.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import DataError, UsageError
from vadbench.overlay.lettering import font, write
from vadbench.overlay.object_masks import draw_mask_borders, masks_over
from vadbench.overlay.picture import (
    BOX_COLOUR,
    THRESHOLD_COLOUR,
    TRUTH_COLOUR,
    draw_outlines,
    enlarged,
    grey_frame,
    overlay,
)
from vadbench.overlay.sheet import PanelFrame, Sheet, columns_of
from vadbench.prediction import PredictionKind

if TYPE_CHECKING:
    from vadbench.datasets.base import Clip, Dataset
    from vadbench.masks import MaskRuns
    from vadbench.overlay.shown_method import FrameContent, ShownMethod
    from vadbench.prediction import Instances

LARGEST_SCALE = 32
GOOD_HEIGHT = 480
"""Pixels up to which small frames are enlarged, unless it is said how far."""

_GOOD_WIDTH = 1600
"""Pixels of a picture that a screen shows whole."""

_LABEL_SIZE, _LABEL_HEIGHT = 10, 12
_LABEL_GROUND = (40, 40, 40)


@dataclass(frozen=True)
class ClipOverlay:
    """Pictures of some frames of a clip, made one at a time; from `clip_overlay`.

    Parameters
    ----------
    dataset : Dataset
    clip : Clip
    methods : tuple of ShownMethod
    begin, end : int
        Frames shown: 0-based, half-open.
    scale : int
        Every pixel of a frame is `scale` x `scale` pixels.
    sheet : Sheet

    Attributes
    ----------
    size : (int, int)
        Height and width of a picture in pixels, both even.
    """

    dataset: Dataset
    clip: Clip
    methods: tuple[ShownMethod, ...]
    begin: int
    end: int
    scale: int
    sheet: Sheet

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a picture in pixels, both even."""
        return self.sheet.size

    def __len__(self) -> int:
        """Give the number of pictures."""
        return self.end - self.begin

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Yield (H, W, 3) uint8 (RGB), one a frame; holds a few frames, and for score maps one chunk a method.

        Raises
        ------
        DataError, SubmissionError
            Where frames, truth or predictions cannot be read.
        """
        runs = self.dataset.truth(self.clip.id).mask_runs
        with_frame = len(self.methods) > 1
        with ExitStack() as stack:
            frames = self.clip.read_frames()
            if isinstance(frames, Generator):
                # A reader of videos holds its file open.
                stack.enter_context(closing(frames))
            streams = [own.frames(self.clip, self.begin, self.end) for own in self.methods]
            for number in range(len(self)):
                frame = next(islice(frames, self.begin if number == 0 else 0, None), None)
                if frame is None:
                    raise DataError(
                        "D371",
                        "the clip has no such frame",
                        where=f"clip {self.clip.id}",
                        expected=f"{self.clip.frames} frames",
                        got=str(self.begin + number),
                    )
                mask = _mask(runs, self.begin + number)
                shown = [overlay(frame, mask, None, scale=self.scale)] if with_frame else []
                for method, (instances, contents) in zip(self.methods, streams, strict=True):
                    shown.append(_picture(frame, mask, method, instances, next(contents), self.scale))
                yield self.sheet.filled(shown, number, self._captions(self.begin + number))

    def _captions(self, frame: int) -> tuple[str, ...]:
        """Where the frame is, in ever fewer words: pictures may be small."""
        place = f"frame {frame} of 0 – {self.clip.frames - 1}"
        return (
            f"{self.dataset.id} · clip {self.clip.id} · {place}",
            f"clip {self.clip.id} · {place}",
            f"clip {self.clip.id} · frame {frame}",
            f"{self.clip.id} · {frame}",
        )


def clip_overlay(
    dataset: Dataset,
    methods: Sequence[ShownMethod],
    clip_id: str,
    *,
    frames: tuple[int | None, int | None] = (None, None),
    scale: int | None = None,
    good_height: int = GOOD_HEIGHT,
) -> ClipOverlay:
    """Prepare the pictures of a clip; nothing but its truth is read.

    Parameters
    ----------
    dataset : Dataset
        With frames.
    methods : sequence of ShownMethod
        Side by side; of several, the frame alone stands before them.
    clip_id : str
    frames : (int or None, int or None)
        First frame, and the one after the last; all unless given.
    scale : int, optional
        Whole number by which frames are enlarged; chosen to fill a screen unless given.
    good_height : int
        Pixels up to which frames are enlarged where `scale` is not given.

    Raises
    ------
    DataError
        D210 if the clip has no frames on disk.
    UsageError
        U110 for an unknown clip, U291 without a method, U292 for frames that the clip does not have, U293 for a scale
        that is none.
    """
    clip, truth = dataset.clip(clip_id), dataset.truth(clip_id)
    # Raises where there are none, before anything that takes time.
    clip.read_frames()
    if not methods:
        raise UsageError("U291", "an overlay needs a submission")
    begin, end = checked_frames(clip, frames)
    n_panels = len(methods) + (len(methods) > 1)
    columns = columns_of(n_panels)
    if scale is None:
        wide = _GOOD_WIDTH // (columns * clip.width)
        scale = max(1, min(-(-good_height // clip.height), wide, LARGEST_SCALE))
    if not 1 <= scale <= LARGEST_SCALE:
        raise UsageError(
            "U293", "frames are enlarged by a whole number", expected=f"1 to {LARGEST_SCALE}", got=str(scale)
        )
    labels = truth.labels
    if labels is None and truth.mask_runs is not None:
        labels = truth.mask_runs.anomalous_frames()
    anomalous = np.zeros(clip.frames, dtype=np.bool_) if labels is None else labels
    has_masks = truth.mask_runs is not None
    panels = [PanelFrame("frame and truth" if has_masks else "frame")] if len(methods) > 1 else []
    sheet = Sheet(
        (*panels, *(_panel(method) for method in methods)),
        clip.height * scale,
        clip.width * scale,
        _legend(methods, has_masks=has_masks),
        (f"scales of scores: one for all clips of {dataset.id}", "one scale for all clips", "one scale"),
        anomalous[begin:end],
        columns,
    )
    return ClipOverlay(dataset, clip, tuple(methods), begin, end, scale, sheet)


def checked_frames(clip: Clip, frames: tuple[int | None, int | None]) -> tuple[int, int]:
    """First frame and the one after the last; raises `UsageError` U292 where the clip has no such frames."""
    begin = 0 if frames[0] is None else frames[0]
    end = clip.frames if frames[1] is None else frames[1]
    if not 0 <= begin < end <= clip.frames:
        raise UsageError(
            "U292",
            "the clip has no such frames",
            where=f"clip {clip.id}",
            expected=f"A:B with 0 ≤ A < B ≤ {clip.frames}; frames are 0-based, and B is the one after the last",
            got=f"{begin}:{end}",
        )
    return begin, end


def _mask(runs: MaskRuns | None, frame: int) -> NDArray[np.bool_] | None:
    if runs is None:
        return None
    mask = runs.decode(frame, frame + 1)[0]
    return mask if mask.any() else None


def _picture(
    frame: NDArray[np.uint8],
    mask: NDArray[np.bool_] | None,
    method: ShownMethod,
    instances: Instances | None,
    content: FrameContent,
    scale: int,
) -> NDArray[np.uint8]:
    if instances is None:
        picture = overlay(
            frame,
            mask,
            content.score_map,
            boxes=content.boxes,
            threshold=method.threshold,
            lower=method.span[0],
            upper=method.span[1],
            scale=scale,
        )
    else:
        grey = np.rint(np.repeat(grey_frame(np.asarray(frame))[:, :, None], 3, axis=2)).astype(np.uint8)
        if content.score_map is not None:
            grey = overlay(frame, None, content.score_map, lower=method.span[0], upper=method.span[1])
        picture = enlarged(masks_over(grey, instances, content.rows), scale)
        picture = draw_mask_borders(picture, instances, content.rows, scale)
        picture = draw_outlines(picture, truth_mask=mask, boxes=content.boxes, scale=scale)
    return _with_scores(picture, instances, content, scale)


def _with_scores(
    picture: NDArray[np.uint8], instances: Instances | None, content: FrameContent, scale: int
) -> NDArray[np.uint8]:
    """Scores at the upper left corners of boxes and masks."""
    labels = [
        (float(box[0]), float(box[1]), float(score))
        for box, score in zip(content.boxes, content.box_scores, strict=True)
    ]
    if instances is not None:
        for row in content.rows.tolist():
            first, columns = instances.mask_columns(row)
            labels.append((float(first), float(columns.any(axis=1).argmax()), float(instances.scores[row])))
    if not labels:
        return picture
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture)
    canvas = ImageDraw.Draw(image)
    for left, top, score in labels:
        text = score_text(score)
        width = font(_LABEL_SIZE).getlength(text) + 4
        x = min(max(0.0, left * scale), image.width - width)
        # Inside, where there is no room above.
        bottom = top * scale - 1 if top * scale > _LABEL_HEIGHT else max(0.0, top * scale) + _LABEL_HEIGHT
        canvas.rectangle((x, bottom - _LABEL_HEIGHT + 1, x + width - 1, bottom), fill=_LABEL_GROUND)
        write(canvas, (x + 2, bottom - _LABEL_HEIGHT / 2 + 1), text, _LABEL_SIZE, (255, 255, 255))
    return np.asarray(image)


def score_text(score: float) -> str:
    """A score for a small label: three digits that count, or all of a large number.

    >>> score_text(0.12345), score_text(65_170.4), score_text(1.5e9)
    ('0.123', '65170', '1.5e+09')
    """
    return f"{score:.0f}" if 1_000 <= abs(score) < 1e7 else f"{score:.3g}"


def _panel(method: ShownMethod) -> PanelFrame:
    low, high = method.span
    if PredictionKind.SCORE_MAPS not in method.kinds:
        masks = PredictionKind.INSTANCES in method.kinds
        what = "a colour an object" if masks else "boxes"
        return PanelFrame(method.name, note=f"{what}; scores {low:.3g} to {high:.3g} in all clips")
    if low == high:
        return PanelFrame(method.name, note=f"all scores are {method.scale.shown(low)}: no heat")
    mark = None
    if method.threshold is not None and low <= method.threshold <= high:
        mark = (method.threshold - low) / (high - low)
    ends = (f"{method.scale.own(low):.3g}", f"{method.scale.own(high):.3g}")
    return PanelFrame(method.name, (ends[0], method.scale.label((low, high)), ends[1]), mark)


def _legend(methods: Sequence[ShownMethod], *, has_masks: bool) -> tuple[tuple[str, tuple[int, int, int]], ...]:
    lines = [("truth", TRUTH_COLOUR)] if has_masks else []
    marks = {method.scale.shown(method.threshold) for method in methods if method.threshold is not None}
    if marks:
        shown = marks.pop() if len(marks) == 1 else "the declared threshold"
        lines.append((f"score ≥ {shown}", THRESHOLD_COLOUR))
    if any(PredictionKind.DETECTIONS in method.kinds for method in methods):
        lines.append(("detections", BOX_COLOUR))
    return tuple(lines)
