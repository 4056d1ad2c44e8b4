"""The classical segmenter for many candidates on the same clips: neither flow nor known masks are computed again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from baselines.tao.frame_views import FrameView
from baselines.tao.segmentation.classical import ClassicalSegmenter, ClassicalSettings, SeenObject
from baselines.tao.segmentation.object_masks import MaskSettings
from baselines.tao.segmentation.paths import ObjectPath
from baselines.views import View
from vadbench import Clip

_KEPT_SETTINGS = 3
"""Settings of masks whose masks are kept: those of the best candidate so far, and those that are being tried."""


class FlowFolder:
    """Optical flow of clips, each in a file of its own, so that memory holds what is being looked at.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, Path] = {}

    def create(self, clip: Clip) -> NDArray[np.float32]:
        """Array (T, H, W, 2) to be filled with the flow of a clip, in pixels a frame as `FrameView` has it."""
        self._paths[clip.id] = self._folder / f"flow-{len(self._paths)}.npy"
        shape = clip.frames, clip.height, clip.width, 2
        return np.asarray(np.lib.format.open_memmap(self._paths[clip.id], "w+", np.float32, shape))

    def of(self, clip_id: str) -> NDArray[np.float32]:
        """Flow of a clip, (T, H, W, 2), read where it is looked at."""
        return np.asarray(np.load(self._paths[clip_id], mmap_mode="r"))


@dataclass(frozen=True)
class Known:
    """What was seen at a box, in little memory.

    Parameters
    ----------
    seen : SeenObject
        Its mask is the part that has all its pixels.
    rows, columns : slice
        Where that part lies in the frame.
    """

    seen: SeenObject
    rows: slice
    columns: slice

    @classmethod
    def of(cls, seen: SeenObject) -> Known:
        """What is kept of an object."""
        rows, columns = (_extent(np.asarray(seen.mask.any(axis=axis))) for axis in (1, 0))
        return cls(replace(seen, mask=seen.mask[rows, columns].copy()), rows, columns)

    def whole(self, shape: tuple[int, ...]) -> SeenObject:
        """The object with its mask in a frame of that shape."""
        mask = np.zeros(shape, dtype=np.bool_)
        mask[self.rows, self.columns] = self.seen.mask
        return replace(self.seen, mask=mask)


Key = tuple[str, int, bytes]
"""Clip, frame, and bytes of a box."""


class RememberedObjects:
    """What was seen at boxes, for the settings of masks that were used last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[MaskSettings, dict[Key, Known]] = OrderedDict()

    def of(self, settings: MaskSettings) -> dict[Key, Known]:
        """What was seen with the settings, to be read and added to."""
        self._kept[settings] = self._kept.pop(settings, {})
        while len(self._kept) > _KEPT_SETTINGS:
            self._kept.popitem(last=False)
        return self._kept[settings]


class RememberingSegmenter(ClassicalSegmenter):
    """Gives the masks of `ClassicalSegmenter` for one clip, from what was kept of it.

    Parameters
    ----------
    settings : ClassicalSettings
    dataset_id : str
    backgrounds : mapping from View to (H, W) float32
    clip_id : str
        The clip that will be segmented.
    flow : (T, H, W, 2) float32
        Of the clip, as `FrameView` has it.
    known : dict
        `RememberedObjects.of` the settings of the masks; shared by the segmenters of all clips, and added to.

    Notes
    -----
    An object that has a box in a frame is segmented there by the box alone, whatever else there is; so its mask may be
    taken from another candidate that has the same box.
    """

    def __init__(
        self,
        settings: ClassicalSettings,
        dataset_id: str,
        backgrounds: Mapping[View, NDArray[np.float32]],
        clip_id: str,
        flow: NDArray[np.float32],
        known: dict[Key, Known],
    ) -> None:
        super().__init__(settings, dataset_id, backgrounds)
        self._clip_id = clip_id
        self._flow = flow
        self._known = known

    def _seen(
        self,
        view: FrameView,
        background: NDArray[np.float32],
        paths: Sequence[ObjectPath],
        before: Mapping[int, SeenObject],
    ) -> dict[int, SeenObject]:
        known = self._known
        keys = {path.label: _key(self._clip_id, view.frame, path) for path in paths}
        asked = [path for path in paths if keys[path.label] not in known]
        if view.compute_flow is not None:
            view = replace(view, compute_flow=partial(self._flow.__getitem__, view.frame))
        seen = super()._seen(view, background, asked, before)
        found = {}
        for path in paths:
            key = keys[path.label]
            if path.label in seen:
                found[path.label] = seen[path.label]
                if key is not None:
                    known[key] = Known.of(seen[path.label])
            elif key in known:
                found[path.label] = known[key].whole(view.grey.shape)
        return found


def _key(clip_id: str, frame: int, path: ObjectPath) -> Key | None:
    """None where the object has no box, and what is seen of it depends on the frame before."""
    box = path.box(frame)
    return None if box is None else (clip_id, frame, box.tobytes())


def _extent(any_there: NDArray[np.bool_]) -> slice:
    places = np.flatnonzero(any_there)
    return slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 0)
