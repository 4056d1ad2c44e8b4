"""Ground truth of a clip: masks as row runs, frame labels and tracks; components and the ``mask-overlap`` rule.

Source: protocols.md, "Truth".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vadbench.errors import DataError

BLOCK_FRAMES = 8
"""Frames that are decoded at once where a clip is walked through."""


@dataclass(frozen=True)
class Track:
    """One anomalous object's regions over time, in one clip.

    Parameters
    ----------
    id : str
        Name of the track, unique in its clip.
    frames : (n,) int64
        0-based, strictly increasing; gaps are allowed.
    boxes : (n, 4) float64
        Half-open ``x1, y1, x2, y2`` in pixels, one box a frame.
    """

    id: str
    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]

    def __post_init__(self) -> None:
        frames = np.asarray(self.frames, dtype=np.int64)
        boxes = np.asarray(self.boxes, dtype=np.float64).reshape(-1, 4)
        where = f"track {self.id}"
        if frames.ndim != 1 or len(frames) != len(boxes) or len(frames) == 0:
            raise DataError(
                "D301",
                "a track needs one box for each of its frames, and at least one",
                where=where,
                expected="frames (n,), boxes (n, 4), n at least 1",
                got=f"frames {frames.shape}, boxes {boxes.shape}",
            )
        if (np.diff(frames) <= 0).any() or frames[0] < 0:
            raise DataError(
                "D302",
                "the frames of a track must be strictly increasing and not negative",
                where=where,
                hint="sort the rows of the track by frame and remove repeated frames",
            )
        if not np.isfinite(boxes).all() or (boxes[:, 2:] <= boxes[:, :2]).any():
            raise DataError(
                "D303",
                "a region of a track has no area",
                where=where,
                expected="finite x1 < x2 and y1 < y2, half-open",
            )
        object.__setattr__(self, "frames", frames)
        object.__setattr__(self, "boxes", boxes)


@dataclass(frozen=True)
class MaskRuns:
    """Pixel masks of a clip as runs of anomalous pixels in the flattened (row-major) frame.

    Parameters
    ----------
    height, width : int
    offsets : (T + 1,) int64
        Runs of frame t are ``offsets[t]:offsets[t + 1]``.
    starts, lengths : (R,) uint32
        Flat index of a run's first pixel, and its number of pixels. A run may go on from one row into the next.

    Notes
    -----
    Ped2's masks take 0.7 MB so, and 174 MB as (T, H, W) bool.
    """

    height: int
    width: int
    offsets: NDArray[np.int64]
    starts: NDArray[np.uint32]
    lengths: NDArray[np.uint32]

    @classmethod
    def from_frames(cls, masks: Iterable[NDArray[Any]], height: int, width: int) -> MaskRuns:
        """Encode masks one frame, (H, W), at a time; any non-zero value is anomalous."""
        starts, lengths, offsets = [], [], [0]
        for frame, mask in enumerate(masks):
            if mask.shape != (height, width):
                raise DataError(
                    "D307",
                    "a mask has the wrong size",
                    where=f"frame {frame}",
                    expected=f"({height}, {width})",
                    got=str(mask.shape),
                )
            padded = np.zeros(height * width + 2, dtype=np.int8)
            padded[1:-1] = (mask != 0).ravel()
            edges = np.flatnonzero(np.diff(padded))
            starts.append(edges[::2].astype(np.uint32))
            lengths.append((edges[1::2] - edges[::2]).astype(np.uint32))
            offsets.append(offsets[-1] + len(starts[-1]))
        empty = np.zeros(0, dtype=np.uint32)
        return cls(
            height,
            width,
            np.array(offsets, dtype=np.int64),
            np.concatenate([*starts, empty]),
            np.concatenate([*lengths, empty]),
        )

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.offsets) - 1

    @property
    def n_pixels(self) -> int:
        """Number of anomalous pixels in the clip."""
        return int(self.lengths.sum(dtype=np.int64))

    def anomalous_frames(self) -> NDArray[np.bool_]:
        """Which frames, (T,) bool, have an anomalous pixel."""
        return np.diff(self.offsets) > 0

    def decode(self, start: int = 0, stop: int | None = None) -> NDArray[np.bool_]:
        """Masks of frames ``start`` to ``stop`` as (n, H, W) bool."""
        stop = self.frames if stop is None else min(stop, self.frames)
        size = self.height * self.width
        flat = np.zeros((stop - start) * size + 1, dtype=np.int8)
        runs = slice(int(self.offsets[start]), int(self.offsets[stop]))
        frame_of_run = np.repeat(np.arange(stop - start), np.diff(self.offsets[start : stop + 1]))
        first = self.starts[runs].astype(np.int64) + frame_of_run * size
        # A run that ends where the next frame's first run starts cancels out, hence add, not assign.
        np.add.at(flat, first, 1)
        np.add.at(flat, first + self.lengths[runs], -1)
        filled = np.cumsum(flat[:-1], dtype=np.int8).view(np.bool_)
        return filled.reshape(stop - start, self.height, self.width)

    def blocks(self, frames: int = BLOCK_FRAMES) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """Yield (first frame, (n, H, W) bool) through the clip."""
        for start in range(0, self.frames, frames):
            yield start, self.decode(start, start + frames)


@dataclass(frozen=True)
class Truth:
    """What is known of one test clip.

    Parameters
    ----------
    frames, height, width : int
        T, H, W of the clip.
    mask_runs : MaskRuns or None
        None: the clip has no pixel masks (not the same as empty masks).
    labels : (T,) bool or None
        Whether a frame is anomalous, by the data set's own label file, else by its mask; None if it has neither.
    given_tracks : tuple of Track, or None
        Tracks of the data set's track files; None if there are none, then `tracks` derives them from the masks.
    """

    frames: int
    height: int
    width: int
    mask_runs: MaskRuns | None
    labels: NDArray[np.bool_] | None
    given_tracks: tuple[Track, ...] | None = None

    def __post_init__(self) -> None:
        names = [track.id for track in self.given_tracks or ()]
        if len(set(names)) < len(names):
            raise DataError("D308", "two tracks of a clip have the same id", got=", ".join(sorted(names)))
        for track in self.given_tracks or ():
            if track.frames[-1] >= self.frames:
                raise DataError(
                    "D309",
                    "a track goes on after the end of its clip",
                    where=f"track {track.id}",
                    expected=f"frames from 0 to {self.frames - 1}",
                    got=str(track.frames[-1]),
                    hint="frames are 0-based",
                )

    @classmethod
    def from_arrays(
        cls,
        masks: ArrayLike | None = None,
        *,
        labels: ArrayLike | None = None,
        tracks: Iterable[Track] | None = None,
        shape: tuple[int, int, int] | None = None,
    ) -> Truth:
        """Make a truth from arrays.

        Parameters
        ----------
        masks : (T, H, W), optional
            Any non-zero value is anomalous.
        labels : (T,), optional
            Non-zero is anomalous; taken from the masks if absent.
        tracks : iterable of Track, optional
        shape : (T, H, W), needed without masks

        Raises
        ------
        DataError
            D304 if neither masks nor a shape are given, or the shapes disagree; D305 for labels, D308 and D309 for
            tracks that do not fit.
        """
        given = None if masks is None else np.asarray(masks)
        size = shape if given is None else given.shape
        if size is None or len(size) != 3 or 0 in size or (shape is not None and tuple(shape) != tuple(size)):
            raise DataError(
                "D304",
                "a truth needs masks or a shape",
                expected="(T, H, W), none of them 0",
                got=f"masks {None if given is None else given.shape}, shape {shape}",
            )
        frames, height, width = size
        runs = None if given is None else MaskRuns.from_frames(given, height, width)
        effective = None
        if labels is not None:
            effective = np.asarray(labels).astype(bool)
            if effective.shape != (frames,):
                raise DataError(
                    "D305", "one label a frame is needed", expected=f"({frames},)", got=str(effective.shape)
                )
        elif runs is not None:
            effective = runs.anomalous_frames()
        return cls(frames, height, width, runs, effective, None if tracks is None else tuple(tracks))

    def masks(self) -> NDArray[np.bool_]:
        """All masks as (T, H, W) bool; raises `DataError` D306 where the clip has none."""
        if self.mask_runs is None:
            raise DataError("D306", "this clip has no pixel masks", hint="use frame labels or tracks")
        return self.mask_runs.decode()

    def tracks(self) -> tuple[Track, ...] | None:
        """Tracks of the data set's files, else by the rule ``mask-overlap``; None without files and masks."""
        if self.given_tracks is not None:
            return self.given_tracks
        if self.mask_runs is None:
            return None
        return tuple(_tracks_of_frames(masks for _, block in self.mask_runs.blocks() for masks in block))


def label_components(mask: NDArray[np.bool_], connectivity: int = 8) -> tuple[NDArray[np.int32], int]:
    """Connected components of one mask.

    Parameters
    ----------
    mask : (H, W) bool
    connectivity : 8 or 4

    Returns
    -------
    labels : (H, W) int32
        0 outside; components are 1 … K in raster order of their first pixel.
    count : int
        K.

    Notes
    -----
    Source: protocols.md, "Truth", "Components".
    """
    from scipy import ndimage

    structure = np.ones((3, 3), dtype=bool) if connectivity == 8 else None
    labels, count = ndimage.label(mask, structure=structure)
    return labels, int(count)


def component_boxes(labels: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Extremal half-open boxes of the components 1 … `count` of a labelled frame, (count, 4) int64 in pixels."""
    from scipy import ndimage

    slices = ndimage.find_objects(labels, count)
    boxes = [(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in slices]
    return np.array(boxes, dtype=np.int64).reshape(-1, 4)


def tracks_from_masks(masks: ArrayLike) -> list[Track]:
    """Derive tracks from masks by the rule ``mask-overlap``.

    Every 8-connected component of every frame is a region with its extremal box. Components of consecutive frames
    that share pixels are linked one to one: the pairs with most shared pixels first, ties by the earlier component's
    number, then the later one's. A component without a partner in the frame before starts a track; no gap is
    bridged and nothing is dropped.

    Parameters
    ----------
    masks : (T, H, W) bool
        Any non-zero value is anomalous.

    Returns
    -------
    list of Track
        In order of their first region (frame, then raster order), ids ``"0"``, ``"1"``, …

    Notes
    -----
    Source: protocols.md, "Truth", "mask-overlap tracks".

    Examples
    --------
    >>> masks = np.zeros((2, 3, 5), dtype=bool)
    >>> masks[0, 1, 0:2] = masks[1, 1, 1:3] = True
    >>> [track.boxes.tolist() for track in tracks_from_masks(masks)]
    [[[0.0, 1.0, 2.0, 2.0], [1.0, 1.0, 3.0, 2.0]]]
    """
    return _tracks_of_frames(frame != 0 for frame in np.asarray(masks))


def _tracks_of_frames(masks: Iterable[NDArray[np.bool_]]) -> list[Track]:
    frames: list[list[int]] = []
    boxes: list[list[NDArray[np.int64]]] = []
    labels_before: NDArray[np.int32] | None = None
    track_before: list[int] = []
    for frame, mask in enumerate(masks):
        if not mask.any():
            labels_before = None
            continue
        labels, count = label_components(mask)
        partner = {} if labels_before is None else _linked(labels_before, labels)
        regions = component_boxes(labels, count)
        track_now = []
        for component in range(1, count + 1):
            if component in partner:
                track = track_before[partner[component] - 1]
            else:
                track = len(frames)
                frames.append([])
                boxes.append([])
            frames[track].append(frame)
            boxes[track].append(regions[component - 1])
            track_now.append(track)
        labels_before, track_before = labels, track_now
    return [
        Track(str(index), np.array(own_frames), np.array(own_boxes))
        for index, (own_frames, own_boxes) in enumerate(zip(frames, boxes, strict=True))
    ]


def _linked(before: NDArray[np.int32], now: NDArray[np.int32]) -> dict[int, int]:
    """Later component -> earlier component, one to one, most shared pixels first."""
    both = (before > 0) & (now > 0)
    width = int(now.max()) + 1
    codes, shared = np.unique(before[both].astype(np.int64) * width + now[both], return_counts=True)
    ordered = sorted((-n, divmod(code, width)) for code, n in zip(codes.tolist(), shared.tolist(), strict=True))
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, (earlier, later) in ordered:
        if earlier not in taken and later not in partner:
            partner[later] = earlier
            taken.add(earlier)
    return partner
