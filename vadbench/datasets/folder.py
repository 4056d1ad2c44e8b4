"""Anyone's data set in the layout `folder`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vadbench.datasets.base import Clip
from vadbench.datasets.facts import load_facts
from vadbench.datasets.files import FileDataset, TruthFiles
from vadbench.datasets.images import ImageFrames, ImageMasks, image_size
from vadbench.datasets.labels import TextLabels
from vadbench.datasets.layout import check_own_masks, existing_folder, image_clips, not_this_dataset
from vadbench.datasets.listing import FRAME_SUFFIXES, count_images, files_by_stem, folder_names, image_names
from vadbench.datasets.pairing import check_pairs
from vadbench.datasets.tracks import TrackFile, TrackFormat, given_tracks, track_files
from vadbench.errors import DataError, did_you_mean, quoted

MASK_SUFFIXES = (".png",)
"""The layout takes PNG masks only."""


class Folder(FileDataset):
    """A data set in the layout `folder`: ``frames/CLIP/*``, ``masks/CLIP/*.png``, ``labels/CLIP.txt`` and so on.

    Parameters
    ----------
    root : Path
    masks : Path, optional
        Folder used instead of ``masks``.
    tracks : Path, optional
        Folder of AED track files (inclusive corners) used instead of ``tracks`` (half-open).

    Raises
    ------
    UsageError
        U113, U114 if a folder does not exist.
    DataError
        D200 without frames and masks; D203-D206, D209, D218, D221 if files are missing or wrong;
        D211 if there are track files but not for every clip; D216 for a clip name that cannot be used; D217 for a
        label or track file without a clip.

    Notes
    -----
    A clip is a folder in ``frames`` or in ``masks``; its first image gives its size. A clip may lack masks; its labels
    come from its label file, else from its masks, else it has none. Source: submission.md, "Layouts of data sets".
    """

    id = "folder"

    def __init__(self, root: Path | str, *, masks: Path | str | None = None, tracks: Path | str | None = None) -> None:
        self.facts = load_facts(self.id)
        self.root = root = existing_folder(root)
        self.own_masks = masks is not None
        frame_folders = _clips(root / "frames")
        mask_folders = _clips(root / "masks" if masks is None else existing_folder(masks, "masks"))
        check_own_masks(mask_folders, masks, expected="a folder of PNG masks for each clip")
        if not frame_folders and not mask_folders:
            raise not_this_dataset(self.facts, root, self.recognises)
        frame_counts = count_images(frame_folders, of="frames")
        mask_counts = count_images(mask_folders, of="masks", suffixes=MASK_SUFFIXES)
        frames = mask_counts | frame_counts
        check_pairs(frame_folders, mask_folders, MASK_SUFFIXES)

        clips = []
        for key in sorted(frames):
            images, suffixes = (
                (frame_folders[key], FRAME_SUFFIXES) if key in frame_folders else (mask_folders[key], MASK_SUFFIXES)
            )
            size = image_size(images / image_names(images, suffixes)[0], (f"clip {key}", "frame 0"))
            reader = ImageFrames(images, key, frames[key], *size) if key in frame_folders else None
            clips.append(Clip(key, frames[key], *size, reader))
        self.clips = tuple(clips)
        self.training_clips = _training_clips(root / "training")
        found_tracks, self.track_source = _tracks(root / "tracks", tracks, frames)
        labels = _label_files(root / "labels", frames)
        self._truth_files = {
            key: TruthFiles(
                ImageMasks(mask_folders[key], MASK_SUFFIXES) if key in mask_folders else None,
                labels.get(key),
                found_tracks.get(key),
            )
            for key in sorted(frames)
        }

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Whether a folder looks like a data set in this layout."""
        return bool(folder_names(root / "frames") or folder_names(root / "masks"))


def _clips(parent: Path) -> dict[str, Path]:
    """Folders by clip id; raises `DataError` D216 for a name that cannot be an id."""
    for name in folder_names(parent):
        # The id becomes a group's name in submissions and a field of comma-separated lines.
        if not name.isprintable() or name != name.strip() or name.startswith("__") or set(name) & set(',/\\"'):
            raise DataError(
                "D216",
                "this name of a clip cannot be used",
                where=str(parent),
                expected='printable characters, none of , / \\ ", no space at either end, no __ at the start',
                got=quoted(name),
                hint="rename the folder, and its masks, labels and tracks with it",
            )
    return {name: parent / name for name in folder_names(parent)}


def _training_clips(parent: Path) -> tuple[Clip, ...]:
    folders = _clips(parent)
    counts = count_images(folders, of="training frames")

    def size(key: str) -> tuple[int, int]:
        return image_size(folders[key] / image_names(folders[key])[0], (f"training clip {key}", "frame 0"))

    return image_clips(folders, counts, size)


def _label_files(folder: Path, clips: Mapping[str, int]) -> dict[str, TextLabels]:
    return {key: TextLabels(path) for key, path in _text_files(folder, clips, "a label file").items()}


def _tracks(own: Path, given: Path | str | None, clips: Mapping[str, int]) -> tuple[Mapping[str, TrackFile], str]:
    if given is not None or not _text_files(own, clips, "a track file"):
        return given_tracks(given, clips)
    return track_files(own, sorted(clips), TrackFormat.FOLDER), TrackFormat.FOLDER


def _text_files(folder: Path, clips: Mapping[str, int], what: str) -> dict[str, Path]:
    paths = files_by_stem(folder, ".txt")
    for key, path in paths.items():
        if key not in clips:
            raise _stray(path, what, clips)
    return paths


def _stray(path: Path, what: str, clips: Mapping[str, int]) -> DataError:
    # Left alone, a misspelt name would silently take labels, tracks or masks away from a clip.
    return DataError(
        "D217",
        f"{what} belongs to no clip",
        where=str(path),
        expected="the name of a folder in frames/ or masks/",
        got=quoted(path.stem),
        hint=did_you_mean(path.stem, clips),
    )
