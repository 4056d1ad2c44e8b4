"""CUHK Avenue: frames as images or videos, masks in MATLAB files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vadbench.datasets.arrays import MatMasks
from vadbench.datasets.base import Clip, FrameReader
from vadbench.datasets.facts import DatasetFacts, load_facts
from vadbench.datasets.files import FileDataset, TruthFiles
from vadbench.datasets.images import ImageFrames
from vadbench.datasets.layout import check_counts, check_ids, check_own_masks, existing_folder, not_this_dataset
from vadbench.datasets.listing import count_images, file_names, folder_names, numbered
from vadbench.datasets.tracks import given_tracks
from vadbench.datasets.videos import VideoFrames, avi_frame_count


class Avenue(FileDataset):
    """CUHK Avenue: 21 test clips, 15 324 frames of 360 x 640.

    Parameters
    ----------
    root : Path
        Folder that holds ``testing_label_mask`` (or ``ground_truth_demo``) and, if there are frames,
        ``testing/frames`` or ``testing_videos``.
    masks : Path, optional
        Folder of ``1_label.mat`` …, if it is elsewhere.
    tracks : Path, optional
        Folder of AED track files, ``01.txt`` …

    Raises
    ------
    UsageError
        U113, U114 if a folder does not exist.
    DataError
        D200 if this is another folder; D201, D202, D204, D209, D218 if clips or frames are missing or too
        many; D211.
    """

    id = "avenue"

    def __init__(self, root: Path | str, *, masks: Path | str | None = None, tracks: Path | str | None = None) -> None:
        self.facts = facts = load_facts(self.id)
        self.root = root = existing_folder(root)
        self.own_masks = masks is not None
        mask_files = _mask_files(root) if masks is None else _mat_files(existing_folder(masks, "masks"))
        check_own_masks(mask_files, masks, expected="files such as 1_label.mat")
        readers = _frame_readers(facts, root, "testing", facts.clips)
        if not mask_files and not readers:
            raise not_this_dataset(facts, root, self.recognises)
        if mask_files:
            check_ids(facts.mask_clips, mask_files, of="masks", where=next(iter(mask_files.values())).parent)
        self.clips = tuple(Clip(key, n, *_size(facts), readers.get(key)) for key, n in facts.clips.items())
        self.training_clips = _training_clips(facts, root)
        found_tracks, self.track_source = given_tracks(tracks, facts.clips)
        self._truth_files = {
            key: TruthFiles(masks=MatMasks(mask_files[key]) if mask_files else None, tracks=found_tracks.get(key))
            for key in facts.clips
        }

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Whether a folder looks like a copy of Avenue."""
        return bool(_mask_files(root) or _videos(root, "testing"))


def _size(facts: DatasetFacts) -> tuple[int, int]:
    if facts.size is None:
        raise ValueError("the facts of Avenue state its size")
    return facts.size


def _mat_files(folder: Path) -> dict[str, Path]:
    return numbered(folder, file_names(folder), r"(\d+)_label\.mat")


def _mask_files(root: Path) -> dict[str, Path]:
    return _mat_files(root / "testing_label_mask") or _mat_files(root / "ground_truth_demo" / "testing_label_mask")


def _videos(root: Path, part: str) -> dict[str, Path]:
    folder = root / f"{part}_videos"
    return numbered(folder, file_names(folder), r"(\d+)\.avi")


def _image_folders(root: Path, part: str) -> dict[str, Path]:
    parent = root / part / "frames"
    return numbered(parent, folder_names(parent), r"(\d+)")


def _frame_readers(facts: DatasetFacts, root: Path, part: str, clips: Mapping[str, int]) -> dict[str, FrameReader]:
    """Readers of the frames by clip: images where there are any, else videos."""
    folders = _image_folders(root, part)
    if folders:
        check_ids(clips, folders, of="test frames", where=root / part / "frames")
        check_counts(clips, count_images(folders, of="test frames"), folders, of="frames")
        return {key: ImageFrames(folder, key, clips[key], *_size(facts)) for key, folder in folders.items()}
    videos = _videos(root, part)
    if videos:
        check_ids(clips, videos, of="test videos", where=root / f"{part}_videos")
    return {key: VideoFrames(path, key, clips[key], *_size(facts)) for key, path in videos.items()}


def _training_clips(facts: DatasetFacts, root: Path) -> tuple[Clip, ...]:
    size = _size(facts)
    folders = _image_folders(root, "training")
    if folders:
        counts = count_images(folders, of="training frames")
        return tuple(
            Clip(key, counts[key], *size, ImageFrames(folder, key, counts[key], *size))
            for key, folder in folders.items()
        )
    return tuple(
        Clip(key, avi_frame_count(path), *size, VideoFrames(path, key, None, *size))
        for key, path in _videos(root, "training").items()
    )
