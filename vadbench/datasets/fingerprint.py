"""Identity of a data set's truth and of its track files.

Source: submission.md, "Identity". Frame labels count as the metrics see them: where a data set has no label file they
follow from the masks, so that a copy without the file has the same fingerprint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from vadbench.datasets.base import Clip
from vadbench.truth import Truth


def truth_bytes(clip: Clip, truth: Truth) -> bytes:
    """Encode the truth of a clip as the fingerprint reads it."""
    parts = [f"{clip.id} {clip.frames} {clip.height} {clip.width}\n".encode()]
    if truth.labels is None:
        parts.append(b"\0")
    else:
        parts.append(b"\1" + truth.labels.astype(np.uint8).tobytes())
    if truth.mask_runs is None:
        parts.append(b"\0")
    else:
        runs = truth.mask_runs
        pairs = np.stack([runs.starts, runs.lengths], axis=1).astype("<u4")
        parts.append(b"\1")
        for start, stop in zip(runs.offsets[:-1].tolist(), runs.offsets[1:].tolist(), strict=True):
            parts.append((stop - start).to_bytes(4, "little") + pairs[start:stop].tobytes())
    return b"".join(parts)


def dataset_fingerprint(dataset_id: str, clips: Iterable[bytes]) -> str:
    """SHA-256 over the encoded truths of all test clips in order of clip id, 64 hex digits."""
    digest = hashlib.sha256(f"vadbench-truth/1\n{dataset_id}\n".encode())
    for encoded in clips:
        digest.update(encoded)
    return digest.hexdigest()


def track_lines(clip_id: str, truth: Truth) -> list[str]:
    """Lines ``clip,track,frame,x1,y1,x2,y2`` of the given tracks of a clip, half-open, numbers in shortest form."""
    lines = []
    for track in truth.given_tracks or ():
        for frame, box in zip(track.frames.tolist(), track.boxes.tolist(), strict=True):
            corners = ",".join(str(int(value)) if value == int(value) else repr(value) for value in box)
            lines.append(f"{clip_id},{track.id},{frame},{corners}\n")
    return lines


def tracks_fingerprint(lines: Iterable[str]) -> str:
    """SHA-256 over the sorted lines of all clips, 64 hex digits."""
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
