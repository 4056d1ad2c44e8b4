"""Errors for files of a clip whose number or size is not that of the clip."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from vadbench.errors import DataError, quoted, shortened


def counted(number: int, plural: str) -> str:
    """A number with its noun, ``1 frame`` or ``2 frames``."""
    return f"{number} {plural.removesuffix('s') if number == 1 else plural}"


def wrong_size(
    what: str, path: Path, where: tuple[str, ...], *, size: tuple[int, int], found: tuple[int, ...]
) -> DataError:
    """Error D205 for an image, a mask or a frame of a video that is not (height, width) = `size` large."""
    height, width = size
    return DataError(
        "D205",
        f"{what} has the wrong size",
        where=(str(path), *where),
        expected=f"{counted(height, 'rows')} x {counted(width, 'columns')}",
        got=f"{counted(found[0], 'rows')} x {counted(found[1], 'columns')}" if len(found) == 2 else f"shape {found}",
        hint="use the original files, not resized or cropped ones",
    )


def wrong_count(
    code: str, kind: str, path: Path, clip_id: str, *, expected: int, got: int, names: Sequence[str] = ()
) -> DataError:
    """Error for a number of frames, masks or labels that is not the one on record.

    `names` are the files that were counted, where each holds one frame.
    """
    missing = expected - got
    strays = unlike_the_rest(names)
    in_files = bool(names)
    if missing > 0:
        hint = f"{missing} missing: every frame needs its own" + (" file" if in_files else "")
    else:
        rest = "remove files that do not belong to the data set" if in_files else "use the original file"
        hint = f"{-missing} too many; {rest}"
    return DataError(
        code,
        f"the number of {kind} is not the number of frames of the clip",
        where=(str(path), f"clip {clip_id}"),
        expected=counted(expected, kind),
        got=counted(got, kind),
        hint=hint + (f"; unlike the rest: {shortened([quoted(name) for name in strays])}" if strays else ""),
    )


def unlike_the_rest(names: Iterable[str]) -> list[str]:
    """Names that differ from those of most files in more than their number, such as ``001 (1).tif``."""
    shapes = {name: re.sub(r"\d+", "#", name.lower()) for name in names}
    if not shapes:
        return []
    usual, count = Counter(shapes.values()).most_common(1)[0]
    return [name for name, shape in shapes.items() if shape != usual] if 2 * count > len(shapes) else []
