"""Frames that are counted from 1: what one clip lets suspect, all clips confirm or disprove."""

from __future__ import annotations

from collections.abc import Mapping

from vadbench.prediction import PredictionKind
from vadbench.submission.rows import FRAMES_FROM_1
from vadbench.validation.clip_contents import ClipContents
from vadbench.validation.findings import Findings


def explain_frame_base(findings: Findings, found: Mapping[str, ClipContents]) -> None:
    """Say in the hint of S141 how sure it is that frames are counted from 1; each kind is judged by itself.

    Parameters
    ----------
    findings : Findings
        Holds the findings about single clips.
    found : mapping from clip id to ClipContents
        Of all clips.
    """
    for kind in PredictionKind:
        clips = [own for own in found.values() if kind in own.frame_spans]
        if clips:
            findings.rehint("S141", _hint(clips, kind), part=kind, hint=FRAMES_FROM_1)


def _hint(clips: list[ClipContents], kind: PredictionKind) -> str:
    spans = [(*own.frame_spans[kind], own.n_frames) for own in clips]
    n_from_0 = sum(least <= 0 for least, _, _ in spans)
    if not n_from_0:
        return f"{FRAMES_FROM_1}.\nNo row of the {len(spans)} clips is in frame 0"
    is_exact = any(n_frames is not None and (least, greatest) == (1, n_frames) for least, greatest, n_frames in spans)
    # A clip with rows before the first frame and behind the last is not counted from 1, and may be like the others.
    disproved = any(n_frames is not None and least <= 0 and greatest >= n_frames for least, greatest, n_frames in spans)
    if disproved and not is_exact:
        return "the first frame of a clip is 0, and the last is T - 1"
    others = "1 other clip has a row" if n_from_0 == 1 else f"{n_from_0} other clips have rows"
    return (
        "frames are counted from 0; in these clips they seem to be counted from 1:\n"
        f"subtract 1 there, and there alone: {others} in frame 0"
    )
