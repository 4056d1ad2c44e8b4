"""Ground truth of a clip: masks, frame labels and tracks; the ``mask-overlap`` rule.

Source: protocols.md, "Truth".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vadbench.errors import DataError
from vadbench.masks import MaskRuns


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
        return tuple(_tracks_of_runs(self.mask_runs))


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
    return _tracks_of_runs(MaskRuns.from_array(np.asarray(masks)))


def _tracks_of_runs(runs: MaskRuns) -> list[Track]:
    components = runs.components()
    boxes = components.boxes(runs.width)
    partner = _partners(runs)
    frame_of = np.repeat(np.arange(runs.frames), np.diff(components.component_offsets))
    track_of = np.zeros(len(boxes), dtype=np.int64)
    n_tracks = 0
    for component in range(len(boxes)):
        if component in partner:
            track_of[component] = track_of[partner[component]]
        else:
            track_of[component] = n_tracks
            n_tracks += 1
    # A stable sort keeps the regions of a track in order of their frames.
    order = np.argsort(track_of, kind="stable")
    bounds = np.searchsorted(track_of[order], np.arange(n_tracks + 1))
    regions = [order[bounds[track] : bounds[track + 1]] for track in range(n_tracks)]
    return [Track(str(track), frame_of[own], boxes[own].astype(np.float64)) for track, own in enumerate(regions)]


def _partners(runs: MaskRuns) -> dict[int, int]:
    """Component → component of the frame before, one to one, most shared pixels first."""
    from vadbench.kernels.masks import components_of_runs, row_runs, shared_runs

    offsets, starts, lengths = row_runs(runs.offsets, runs.starts, runs.lengths, runs.width)
    component, component_offsets = components_of_runs(offsets, starts, lengths, runs.width, 1)
    earlier, later, pixels = shared_runs(offsets, starts, lengths, component)
    pairs, place = np.unique(np.stack([earlier, later], axis=1), axis=0, return_inverse=True)
    shared = np.zeros(len(pairs), dtype=np.int64)
    np.add.at(shared, place, pixels)
    frame = np.searchsorted(component_offsets, pairs[:, 1], side="right")
    # Within a frame: most shared pixels first, then the earlier component's number, then the later one's.
    order = np.lexsort((pairs[:, 1], pairs[:, 0], -shared, frame))
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for one, two in pairs[order].tolist():
        if one not in taken and two not in partner:
            partner[two] = one
            taken.add(one)
    return partner
