"""What attributes are measured on: a frame, its grey levels, and the optical flow from the frame before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.tao.clip_frames import as_rgb
from baselines.tao.extras import opencv
from vadbench import Clip, DataError


@dataclass(frozen=True)
class FrameView:
    """One frame of a clip.

    Parameters
    ----------
    frame : int
        0-based.
    image : (H, W, 3) uint8
        RGB.
    grey : (H, W) uint8
    compute_flow : callable, optional
        Gives `flow`; called once, if at all: most of the time is spent there.
    """

    frame: int
    image: NDArray[np.uint8]
    grey: NDArray[np.uint8]
    compute_flow: Callable[[], NDArray[np.float32]] | None = field(default=None, repr=False)

    @cached_property
    def flow(self) -> NDArray[np.float32] | None:
        """Motion in pixels a frame, (H, W, 2) float32 (x, y), from the frame before to this one.

        It lies at this frame's pixels; in the first frame it is the motion to the next. None where nobody asked for it,
        or the clip has one frame.
        """
        return None if self.compute_flow is None else self.compute_flow()

    @cached_property
    def speed(self) -> NDArray[np.float32]:
        """Length of the motion in pixels a frame, (H, W); zeros where there is no flow."""
        if self.flow is None:
            return np.zeros(self.grey.shape, np.float32)
        return np.asarray(np.hypot(self.flow[..., 0], self.flow[..., 1]))

    def motion_of(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Median motion of the pixels of a mask (H, W), (x, y) in pixels; zeros where there are none."""
        if self.flow is None or not mask.any():
            return np.zeros(2)
        return np.median(self.flow[mask], axis=0).astype(np.float64)


class OpticalFlow:
    """Dense inverse search (Kroeger et al., ECCV 2016), as OpenCV has it: fast, deterministic, without weights."""

    def __init__(self) -> None:
        cv2 = opencv()
        self._method: Any = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def between(self, start: NDArray[np.uint8], end: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Motion of each pixel of `start` until `end`, (H, W, 2) float32 in pixels."""
        flow: NDArray[np.float32] = self._method.calc(start, end, None)
        return flow

    def backwards(self, grey: NDArray[np.uint8], before: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Motion of each pixel of `grey` since `before`, (H, W, 2) float32 in pixels."""
        return -self.between(grey, before)


def frame_views(clip: Clip, *, with_flow: bool) -> Iterator[FrameView]:
    """Yield a view of each frame of a clip; holds two frames.

    The flow of a frame is that from the frame before, taken backwards from this frame, so that it lies on the objects
    where they are now; its sign is turned, so that it points where they go. It is computed when it is asked for.

    Parameters
    ----------
    clip : Clip
        With frames of one size.
    with_flow : bool
        Whether flow may be asked for.

    Raises
    ------
    DataError
        B210, B202; see `checked_frames`.
    """
    # One for each clip: the method keeps its buffers.
    flow = OpticalFlow() if with_flow else None
    first: FrameView | None = None
    before: NDArray[np.uint8] | None = None
    for number, frame in enumerate(checked_frames(clip)):
        image = as_rgb(frame)
        grey = np.ascontiguousarray(frame) if frame.ndim == 2 else grey_levels(frame)
        view = FrameView(number, image, grey)
        if flow is None:
            yield view
            continue
        if before is None:
            first = view
        else:
            if first is not None:
                yield replace(first, compute_flow=partial(flow.between, before, grey))
                first = None
            yield replace(view, compute_flow=partial(flow.backwards, grey, before))
        before = grey
    if first is not None:
        yield first


def checked_frames(clip: Clip) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames of a clip in order, as `Clip.read_frames` does, if they are what the clip says.

    Parameters
    ----------
    clip : Clip
        With frames.

    Raises
    ------
    DataError
        B210 at a frame of another size than the clip, B202 where frames end too early.
    """
    number = 0
    for number, frame in enumerate(clip.read_frames(), start=1):
        if frame.shape[:2] != (clip.height, clip.width):
            raise DataError(
                "B210",
                "a frame has another size than its clip",
                where=(f"clip {clip.id}", f"frame {number - 1}"),
                expected=f"{clip.height} x {clip.width} pixels",
                got=f"{frame.shape[0]} x {frame.shape[1]}",
            )
        yield frame
    if number < clip.frames:
        raise DataError(
            "B202",
            "a clip has fewer frames than the data set says",
            where=f"clip {clip.id}",
            expected=f"{clip.frames} frames",
            got=str(number),
        )


def grey_levels(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey levels of an RGB image, (H, W) uint8 (ITU-R BT.601)."""
    cv2 = opencv()
    grey: NDArray[np.uint8] = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    return grey
