"""Foreign predictions brought to the clips of a data set: frames, size, and one range where maps are quantised."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from vadbench.conversion.dense.quantizing import ScoreRange, check_range
from vadbench.conversion.dense.resizing import ResizedMaps, Resizing
from vadbench.conversion.source import Source, Timing
from vadbench.datasets.base import Clip
from vadbench.errors import ConversionError, VadbenchError
from vadbench.prediction import Prediction, ScoreMaps

if TYPE_CHECKING:
    from vadbench.evaluation.executors import Progress

_MOST_LISTED = 3
_ALIKE = math.log(1.1)
"""Proportions that differ by less than a tenth."""


@dataclass(frozen=True)
class Conversion:
    """Foreign predictions of one data set and how they become those of its clips.

    Parameters
    ----------
    source : Source
    names : mapping from clip id to name
        The clips as the files call them; see `match_clips`.
    clips : tuple of Clip
        In order of id.
    timing : Timing
    resize : Resizing, optional
        How maps of another size are brought to that of the frames; such maps are refused without it.
    where : str
        The files, for errors about all of them.
    """

    source: Source
    names: Mapping[str, str]
    clips: tuple[Clip, ...]
    timing: Timing = field(default_factory=Timing)
    resize: Resizing | None = None
    where: str = ""

    def prediction(self, clip: Clip) -> Prediction:
        """Prediction of a clip at the size of its frames; maps are read when their blocks are asked for."""
        name = self.names.get(clip.id)
        if name is None:
            return self.source.empty(clip)
        given = self.source.prediction(name, clip, self.timing)
        maps = given.maps
        if maps is None or maps.shape[1:] == (clip.height, clip.width):
            return given
        _check_size(maps, clip, (self.where, f"clip {clip.id}"), resize=self.resize is not None)
        return Prediction(
            ResizedMaps(maps, (clip.height, clip.width), self.resize or Resizing.NEAREST),
            given.instances,
            given.detections,
            given.frame_scores,
        )

    def predictions(self) -> dict[str, Prediction]:
        """Predictions of all clips, for `evaluate`; score maps are not in memory."""
        return {clip.id: self.prediction(clip) for clip in self.clips}

    def check(self, progress: Progress | None = None) -> None:
        """Look at all clips before the first is written, where that costs little; all problems are one error."""
        if not self.source.lazy:
            return
        errors: dict[str, ConversionError] = {}
        kinds: dict[tuple[tuple[str, ...], str], str] = {}
        for done, clip in enumerate(self.clips, 1):
            try:
                prediction = self.prediction(clip)
            except ConversionError as error:
                errors[clip.id] = error
                continue
            finally:
                if progress is not None:
                    progress(done, len(self.clips), f"{clip.id} check")
            dtype = "" if prediction.maps is None else prediction.maps.dtype.name
            kinds.setdefault((tuple(prediction.kinds), dtype), clip.id)
        if not errors and len(kinds) > 1:
            raise _unlike(self.where, kinds)
        _raise_all(errors, self.where)

    def score_range(
        self, declared: Mapping[str, Any], progress: Progress | None = None, *, given: ScoreRange | None = None
    ) -> tuple[ScoreRange, int]:
        """Range to quantise over, and the number of scores beyond it.

        The range is the given one; else the declared ``lower`` and ``upper``, if there are any; else the least and the
        greatest score of all maps.

        Raises
        ------
        ConversionError
            C115 if there are no float maps, if all scores are the same, or lie outside of the declared range.
        """
        n_beyond = 0
        least, greatest = np.inf, -np.inf
        for done, clip in enumerate(self.clips, 1):
            maps = self.prediction(clip).maps
            where = (self.where, f"clip {clip.id}")
            if maps is None or maps.dtype.kind != "f":
                raise ConversionError(
                    "C115",
                    "there are no float score maps to quantise",
                    where=where,
                    got="no score maps" if maps is None else f"{maps.dtype} maps, which are whole numbers already",
                    hint="leave --quantize out",
                )
            for _, block in maps.blocks():
                least, greatest = min(least, float(block.min())), max(greatest, float(block.max()))
                n_beyond += 0 if given is None else given.n_beyond(block)
            if progress is not None:
                progress(done, len(self.clips), f"{clip.id} range")
        if given is not None:
            return given, n_beyond
        if "lower" not in declared:
            return check_range(least, greatest, (self.where,)), 0
        scale = check_range(float(declared["lower"]), float(declared["upper"]), ("[score_maps]",))
        if not scale.lower <= least <= greatest <= scale.upper:
            raise ConversionError(
                "C115",
                "scores lie outside of the range that the metadata declare",
                where=self.where,
                expected=f"lower = {scale.lower!r}, upper = {scale.upper!r}",
                got=f"{least!r} to {greatest!r}",
                hint="leave lower and upper out of [score_maps]; they are written from the scores",
            )
        return scale, 0


def _check_size(maps: ScoreMaps, clip: Clip, where: tuple[str, ...], *, resize: bool) -> None:
    """Maps may be resized; raises `ConversionError` C110 for transposed ones, C117 where nobody has said how."""
    height, width = maps.shape[1:]
    # Also of maps that are smaller: 180 x 120 is a transposed half of 240 x 360.
    if _is_swapped((height, width), (clip.height, clip.width)):
        exact = (width, height) == (clip.height, clip.width)
        raise ConversionError(
            "C110",
            "height and width of the score maps are swapped" + ("" if exact else ", by their proportions"),
            where=where,
            expected=f"(T, H, W) with height {clip.height}, width {clip.width}" + ("" if exact else ", or as wide"),
            got=f"height {height}, width {width}",
            hint="save them as (T, H, W): scores.transpose(0, 2, 1) for arrays of a clip, scores.T for one frame",
        )
    if not resize:
        raise ConversionError(
            "C117",
            "score maps have another size than the frames",
            where=where,
            expected=f"height {clip.height}, width {clip.width}",
            got=f"height {height}, width {width}",
            hint="--resize bilinear or --resize nearest brings them to that size, and says so in provenance.json",
        )


def _is_swapped(maps: tuple[int, int], frame: tuple[int, int]) -> bool:
    """Whether (height, width) of maps are those of the frame the other way round, by their proportions.

    A grid of patches has them only roughly: 61 x 34 for 480 x 856. Then upright must stand against lying maps.
    """
    if frame[0] == frame[1]:
        return False
    if maps[0] * frame[0] == maps[1] * frame[1]:
        return True
    own, wanted = math.log(maps[0] / maps[1]), math.log(frame[0] / frame[1])
    return own * wanted < 0 and abs(own + wanted) <= _ALIKE < abs(own - wanted)


def _unlike(where: str, kinds: Mapping[tuple[tuple[str, ...], str], str]) -> ConversionError:
    return ConversionError(
        "C118",
        "clips hold different kinds of prediction or dtypes",
        where=where,
        expected="the same in every clip",
        got="; ".join(f"clip {clip_id}: {' '.join((*own, dtype)).strip()}" for (own, dtype), clip_id in kinds.items()),
        hint="convert the arrays of all clips to one dtype: scores.astype(np.float32)"
        if len({own for own, _ in kinds}) == 1
        else "score maps (T, H, W) in all clips, or frame scores (T,) in all",
    )


def _raise_all(errors: Mapping[str, ConversionError], where: str) -> None:
    """Raise nothing, the error of the only clip, or one with a line for each of the first ones.

    It has the code that all of them have, or C100 for a mixture.
    """
    if not errors:
        return
    if len(errors) == 1:
        raise next(iter(errors.values()))
    hints = list(dict.fromkeys(error.hint for error in errors.values() if error.hint))
    messages = {error.message for error in errors.values()}
    first = list(errors.items())[:_MOST_LISTED]
    lines = [_line(error, where, clip_id, alike=len(messages) == 1) for clip_id, error in first]
    if len(errors) > _MOST_LISTED:
        lines.append(f"and {len(errors) - _MOST_LISTED} more")
    codes = {error.code for error in errors.values()}
    code = codes.pop() if len(codes) == 1 else "C100"
    title = f"{messages.pop()}, in {len(errors)} clips" if len(messages) == 1 else f"{len(errors)} clips cannot be used"
    if code != "C100" and len(hints) > 1:
        # The same advice with other numbers, which nobody needs once more for every clip.
        clip_id, one = next((clip_id, error) for clip_id, error in errors.items() if error.hint)
        hints = [f"{one.hint}\n(for clip {clip_id}; some of the others need other numbers)"]
    raise ConversionError(code, title, where=where, got="\n".join(lines), hint="\n".join(hints[:3]))


def _line(error: VadbenchError, where: str, clip_id: str, *, alike: bool) -> str:
    # What all have in common is said above; the clip is said in any case.
    parts = [part.removeprefix(f"{where}/").removeprefix(f"{where} · ") for part in error.where if part != where]
    clip = f"clip {clip_id}"
    place = " · ".join(parts if clip in " · ".join(parts).split(" · ") else [clip, *parts])
    facts = "; ".join(f"{name} {text}" for name, text in (("expected", error.expected), ("got", error.got)) if text)
    return f"{place}: {'' if alike else error.message + ' · '}{facts}".replace("\n", " ")
