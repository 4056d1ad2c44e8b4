"""ShanghaiTech Campus: frames as images, masks and labels as NumPy arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from vadbench.datasets.arrays import NpyLabels, NpyMasks, read_array
from vadbench.datasets.base import Clip
from vadbench.datasets.facts import load_facts
from vadbench.datasets.files import FileDataset, TruthFiles
from vadbench.datasets.images import ImageFrames
from vadbench.datasets.layout import check_counts, check_ids, check_own_masks, existing_folder, not_this_dataset
from vadbench.datasets.listing import count_images, files_by_stem, folder_names
from vadbench.datasets.tracks import given_tracks
from vadbench.datasets.videos import VideoFrames, avi_frame_count

_CLIP = re.compile(r"\d\d_\d{3,4}")


class ShanghaiTech(FileDataset):
    """ShanghaiTech Campus: 107 test clips, 40 791 frames of 480 x 856.

    Parameters
    ----------
    root : Path
        Folder that holds ``testing``, or ``testing`` itself. Frames, ``test_pixel_mask`` and ``test_frame_mask`` may
        each be absent, not all of them.
    masks : Path, optional
        Folder of ``01_0014.npy`` … (T, H, W), instead of ``test_pixel_mask``.
    tracks : Path, optional
        Folder of AED track files, ``01_0014.txt`` …

    Raises
    ------
    UsageError
        U113, U114 if a folder does not exist.
    DataError
        D200 if this is another folder; D201-D204, D208, D218 if clips, frames, masks or labels are missing or
        too many; D206, D215 if an array has the wrong form; D211.

    Notes
    -----
    Construction reads the header of every array, and no values.
    """

    id = "shanghaitech"

    def __init__(self, root: Path | str, *, masks: Path | str | None = None, tracks: Path | str | None = None) -> None:
        self.facts = facts = load_facts(self.id)
        self.root = root = existing_folder(root)
        self.own_masks = masks is not None
        size = facts.size or (0, 0)
        testing = _testing(root)
        frame_folders = _clip_folders(testing / "frames")
        mask_files = _arrays(testing / "test_pixel_mask" if masks is None else existing_folder(masks, "masks"))
        check_own_masks(mask_files, masks, expected="files such as 01_0014.npy")
        label_files = _arrays(testing / "test_frame_mask")
        if not frame_folders and not mask_files and not label_files:
            raise not_this_dataset(facts, root, self.recognises)
        for of, found in (("test frames", frame_folders), ("pixel masks", mask_files), ("frame labels", label_files)):
            if found:
                check_ids(facts.clips, found, of=of, where=next(iter(found.values())).parent)
        check_counts(facts.clips, count_images(frame_folders, of="test frames"), frame_folders, of="frames")
        check_counts(facts.clips, _lengths(mask_files, 3), mask_files, of="masks", code="D203")
        check_counts(facts.clips, _lengths(label_files, 1), label_files, of="labels", code="D208")

        self.clips = tuple(
            Clip(key, n, *size, ImageFrames(frame_folders[key], key, n, *size) if frame_folders else None)
            for key, n in facts.clips.items()
        )
        self.training_clips = _training_clips(root, size)
        found_tracks, self.track_source = given_tracks(tracks, facts.clips)
        self._truth_files = {
            key: TruthFiles(
                NpyMasks(mask_files[key]) if mask_files else None,
                NpyLabels(label_files[key]) if label_files else None,
                found_tracks.get(key),
            )
            for key in facts.clips
        }

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Whether a folder looks like a copy of ShanghaiTech."""
        testing = _testing(root)
        return bool(_arrays(testing / "test_frame_mask") or _arrays(testing / "test_pixel_mask")) or bool(
            _clip_folders(testing / "frames")
        )


def _testing(root: Path) -> Path:
    return root / "testing" if (root / "testing").is_dir() else root


def _clip_folders(parent: Path) -> dict[str, Path]:
    return {name: parent / name for name in folder_names(parent) if _CLIP.fullmatch(name)}


def _arrays(folder: Path) -> dict[str, Path]:
    return files_by_stem(folder, ".npy")


def _lengths(files: Mapping[str, Path], ndim: int) -> dict[str, int]:
    return {key: len(read_array(path, ndim=ndim, where=(f"clip {key}",))) for key, path in files.items()}


def _training_clips(root: Path, size: tuple[int, int]) -> tuple[Clip, ...]:
    folders = _clip_folders(root / "training" / "frames")
    if folders:
        counts = count_images(folders, of="training frames")
        return tuple(
            Clip(key, counts[key], *size, ImageFrames(folder, key, counts[key], *size))
            for key, folder in folders.items()
        )
    videos = files_by_stem(root / "training" / "videos", ".avi")
    return tuple(
        Clip(key, avi_frame_count(path), *size, VideoFrames(path, key, None, *size)) for key, path in videos.items()
    )
