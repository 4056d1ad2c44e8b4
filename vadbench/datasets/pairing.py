"""Which mask belongs to which frame: files are paired in natural order, and their numbers must not contradict that.

Without this check a mask that is missing in the middle, made up for by a stray file at the end, would shift all masks
between them by one frame, and every score with them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from vadbench.datasets.listing import FRAME_SUFFIXES, image_names
from vadbench.datasets.mismatches import counted, unlike_the_rest
from vadbench.errors import DataError, quoted, shortened


def check_pairs(
    frame_folders: Mapping[str, Path], mask_folders: Mapping[str, Path], mask_suffixes: tuple[str, ...]
) -> None:
    """Check the masks of each clip against its frames, or against each other where it has no frames.

    Raises
    ------
    DataError
        D203 if there are more masks than frames or fewer, D221 if their numbers contradict each other.
    """
    for clip_id, folder in mask_folders.items():
        masks = image_names(folder, mask_suffixes)
        if clip_id not in frame_folders:
            _check_alone(masks, folder, clip_id)
            continue
        frames = image_names(frame_folders[clip_id], FRAME_SUFFIXES)
        if len(frames) != len(masks):
            raise _other_count(frames, masks, frame_folders[clip_id], folder, clip_id)
        _check_numbers(frames, masks, frame_folders[clip_id], folder, clip_id)


def _check_alone(masks: Sequence[str], folder: Path, clip_id: str) -> None:
    numbers = _numbers(masks)
    if numbers is None:
        return
    steps = [after - before for before, after in pairwise(numbers)]
    # The same step throughout is a choice (every fifth frame), not a gap.
    if len(set(steps)) < 2:
        return
    usual = Counter(steps).most_common(1)[0][0]
    frame = next(index for index, step in enumerate(steps, start=1) if step != usual)
    raise DataError(
        "D221",
        "a number is missing between the masks",
        where=(str(folder), f"clip {clip_id}", f"frame {frame}"),
        expected=f"{numbers[frame - 1] + usual} after {quoted(masks[frame - 1])}",
        got=quoted(masks[frame]),
        hint="masks are paired with frames by their order, so one that is missing shifts all behind it",
    )


def _check_numbers(
    frames: Sequence[str], masks: Sequence[str], frame_folder: Path, mask_folder: Path, clip_id: str
) -> None:
    frame_numbers, mask_numbers = _numbers(frames), _numbers(masks)
    if frame_numbers is None and mask_numbers is None:
        return
    if frame_numbers is None or mask_numbers is None:
        names, folder = (frames, frame_folder) if frame_numbers is None else (masks, mask_folder)
        strays = unlike_the_rest(names)
        if strays:
            usual = next(name for name in names if name not in strays)
            raise _stray(strays[0], usual, folder, clip_id, names.index(strays[0]))
        return
    offsets = [mask - frame for frame, mask in zip(frame_numbers, mask_numbers, strict=True)]
    for index, offset in enumerate(offsets):
        if offset != offsets[0]:
            raise DataError(
                "D221",
                "the number of a mask does not fit the number of its frame",
                where=(str(mask_folder), f"clip {clip_id}", f"frame {index}"),
                expected=f"number {frame_numbers[index] + offsets[0]}, for frame {quoted(frames[index])} "
                f"in {frame_folder}",
                got=quoted(masks[index]),
                hint="a frame or a mask is missing, and another one is too many; both are paired by their order",
            )


def _stray(stray: str, usual: str, folder: Path, clip_id: str, frame: int) -> DataError:
    return DataError(
        "D221",
        "the name of a file is unlike those of the others",
        where=(str(folder), f"clip {clip_id}", f"frame {frame}"),
        expected=f"a name such as {quoted(usual)}",
        got=quoted(stray),
        hint="frames and masks are paired by their order; a stray file shifts all behind it",
    )


def _other_count(
    frames: Sequence[str], masks: Sequence[str], frame_folder: Path, mask_folder: Path, clip_id: str
) -> DataError:
    strays = unlike_the_rest(frames) + unlike_the_rest(masks)
    frame_numbers, mask_numbers = _numbers(frames), _numbers(masks)
    hint = "either may be the one that is incomplete; every frame needs one mask"
    if strays:
        hint += f"; unlike the rest: {shortened([quoted(name) for name in strays])}"
    elif frame_numbers is not None and mask_numbers is not None:
        # Of the ways to shift one list along the other, the one on which most of them agree is the right one.
        offset = _offset(frame_numbers, mask_numbers)
        partners = {number + offset for number in frame_numbers}
        alone = [
            name for name, number in zip(frames, frame_numbers, strict=True) if number + offset not in mask_numbers
        ]
        alone += [name for name, number in zip(masks, mask_numbers, strict=True) if number not in partners]
        hint += f"; without a partner: {shortened([quoted(name) for name in alone])}"
    return DataError(
        "D203",
        "a clip has another number of masks than of frames",
        where=(str(frame_folder.parent), f"clip {clip_id}")
        if frame_folder.parent == mask_folder.parent
        else (f"clip {clip_id}",),
        expected="one mask for each frame",
        got=f"{counted(len(frames), 'frames')} in {frame_folder}\n{counted(len(masks), 'masks')} in {mask_folder}",
        hint=hint,
    )


def _offset(frames: Sequence[int], masks: Sequence[int]) -> int:
    ends = {masks[0] - frames[0], masks[-1] - frames[-1]}
    there = set(masks)
    return max(sorted(ends), key=lambda offset: sum(number + offset in there for number in frames))


def _numbers(names: Sequence[str]) -> list[int] | None:
    """Numbers at the ends of the names, suffixes aside; None unless all have one, behind the same beginning."""
    matches = [re.fullmatch(r"(.*?)(\d+)", Path(name).stem) for name in names]
    found = [match for match in matches if match is not None]
    if len(found) < len(names) or len({match[1].lower() for match in found}) != 1:
        return None
    return [int(match[2]) for match in found]
