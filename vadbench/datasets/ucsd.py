"""UCSD Ped2 and Ped1: folders of images, masks beside them, labels in a MATLAB file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from vadbench.datasets.base import Clip
from vadbench.datasets.facts import DatasetFacts, load_facts
from vadbench.datasets.files import FileDataset, TruthFiles
from vadbench.datasets.images import ImageMasks, image_size
from vadbench.datasets.labels import MatlabRanges
from vadbench.datasets.layout import (
    check_counts,
    check_ids,
    check_own_masks,
    existing_folder,
    image_clips,
    not_this_dataset,
)
from vadbench.datasets.listing import MASK_SUFFIXES, count_images, folder_names, image_names, numbered
from vadbench.datasets.pairing import check_pairs
from vadbench.datasets.tracks import given_tracks


class UcsdDataset(FileDataset):
    """A data set in UCSD's layout, or with its frames in ``testing/frames`` and ``training/frames``.

    Parameters
    ----------
    root : Path
        Folder that holds ``Test`` or ``testing``.
    masks : Path, optional
        Folder that holds the mask folders (``Test001_gt`` or ``01``), if they are not under ``Test``.
    tracks : Path, optional
        Folder of AED track files, ``01.txt`` …

    Raises
    ------
    UsageError
        U113, U114 if a folder does not exist.
    DataError
        D200 if this is another folder; D201-D204, D209, D218, D221 if clips, frames or masks are missing or too
        many; D211.

    Notes
    -----
    Each part (frames, masks, label file) is there for all clips or absent altogether. Labels come from the ``.m``
    file, else from the masks. Construction lists folders and opens no image if the size of the frames is known.
    """

    label_file: ClassVar[str]

    def __init__(self, root: Path | str, *, masks: Path | str | None = None, tracks: Path | str | None = None) -> None:
        self.facts = load_facts(self.id)
        self.root = root = existing_folder(root)
        self.own_masks = masks is not None
        frame_folders = _frame_folders(root, "Test", "testing")
        mask_folders = _mask_folders(root / "Test" if masks is None else existing_folder(masks, "masks"))
        check_own_masks(mask_folders, masks, expected="folders such as Test001_gt or 01")
        label_path = self._label_path(root, None if masks is None else Path(masks), bool(frame_folders or mask_folders))
        # Labels alone are enough where the facts say how long and how large each clip is.
        if not frame_folders and not mask_folders and (label_path is None or self.facts.size is None):
            raise not_this_dataset(self.facts, root, self.recognises)

        frame_counts = count_images(frame_folders, of="test frames")
        mask_counts = count_images(mask_folders, of="masks", suffixes=MASK_SUFFIXES)
        known, known_training = self._known_clips(root)
        frames = dict(known) or frame_counts or mask_counts
        if frame_folders:
            check_ids(frames, frame_folders, of="test frames", where=next(iter(frame_folders.values())).parent)
            check_counts(frames, frame_counts, frame_folders, of="frames")
        if mask_folders:
            with_masks = self.facts.mask_clips or tuple(frames)
            where = next(iter(mask_folders.values())).parent
            check_ids(with_masks, mask_folders, of="masks", where=where, allowed=frames)
            if known:
                check_counts(frames, mask_counts, mask_folders, of="masks", code="D203")
            check_pairs(frame_folders, mask_folders, MASK_SUFFIXES)

        sizes = _sizes(self.facts, frame_folders, mask_folders)
        readers = {clip.id: clip.frame_reader for clip in image_clips(frame_folders, frame_counts, sizes.__getitem__)}
        self.clips = tuple(Clip(key, frames[key], *sizes[key], readers.get(key)) for key in sorted(frames))
        self.training_clips = self._training_clips(root, known_training)
        found_tracks, self.track_source = given_tracks(tracks, frames)
        # The label file goes by number, which is not the order of ids where there are a hundred clips.
        positions = {key: position for position, key in enumerate(sorted(frames, key=int))}
        self._truth_files = {
            key: TruthFiles(
                ImageMasks(mask_folders[key]) if key in mask_folders else None,
                None if label_path is None else MatlabRanges(label_path, positions[key], len(frames)),
                found_tracks.get(key),
            )
            for key in frames
        }

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Whether a folder looks like a copy of this data set; its label file decides where there is one."""
        others = [name for name in ("UCSDped1.m", "UCSDped2.m", "synthetic.m") if name != cls.label_file]
        if (root / "Test" / cls.label_file).is_file():
            return True
        if any((root / "Test" / name).is_file() for name in others):
            return False
        return bool(_frame_folders(root, "Test", "testing") or _mask_folders(root / "Test"))

    def _label_path(self, root: Path, masks: Path | None, here: bool) -> Path | None:
        folders = [root / "Test", root / "testing"] + ([masks] if masks is not None else [])
        # The root itself counts only if the data set is here: else the root may be the folder ``Test`` by mistake.
        folders += [root] if here else []
        return next((path for folder in folders if (path := folder / self.label_file).is_file()), None)

    def _known_clips(self, root: Path) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Number of frames by clip, test and training, as far as it is known without a look at the files."""
        return self.facts.clips, self.facts.training_clips

    def _training_clips(self, root: Path, known: Mapping[str, int]) -> tuple[Clip, ...]:
        folders = _frame_folders(root, "Train", "training")
        if not folders:
            return ()
        counts = count_images(folders, of="training frames")
        if known:
            where = next(iter(folders.values())).parent
            check_ids(known, folders, of="training frames", where=where)
            check_counts(known, counts, folders, of="frames")
        return image_clips(folders, counts, _sizes(self.facts, folders, {}).__getitem__)


class UcsdPed2(UcsdDataset):
    """UCSD Ped2: 12 test clips, 2 010 frames of 240 x 360, every one with a mask."""

    id = "ucsd-ped2"
    label_file = "UCSDped2.m"


class UcsdPed1(UcsdDataset):
    """UCSD Ped1: 36 test clips of 200 frames of 158 x 238; ten of them have official masks."""

    id = "ucsd-ped1"
    label_file = "UCSDped1.m"


def _frame_folders(root: Path, official: str, common: str) -> dict[str, Path]:
    parent = root / official
    return numbered(parent, folder_names(parent), official + r"(\d+)") or numbered(
        root / common / "frames", folder_names(root / common / "frames"), r"(\d+)"
    )


def _mask_folders(parent: Path) -> dict[str, Path]:
    """Mask folders by clip id; without any ``Test001_gt``, a folder such as ``01`` or ``001_gt`` counts too."""
    names = folder_names(parent)
    return numbered(parent, names, r"Test(\d+)_gt") or numbered(parent, names, r"(\d+)(?:_gt)?")


def _sizes(
    facts: DatasetFacts, frame_folders: Mapping[str, Path], mask_folders: Mapping[str, Path]
) -> dict[str, tuple[int, int]]:
    """Height and width by clip: the known size, else that of the first image."""
    if facts.size is not None:
        return dict.fromkeys([*facts.clips, *facts.training_clips], facts.size)
    first: dict[str, Path] = {}
    for folders, suffixes in ((mask_folders, MASK_SUFFIXES), (frame_folders, None)):
        for clip_id, folder in folders.items():
            names = image_names(folder) if suffixes is None else image_names(folder, suffixes)
            first[clip_id] = folder / names[0]
    return {clip_id: image_size(path, (f"clip {clip_id}", "frame 0")) for clip_id, path in first.items()}
