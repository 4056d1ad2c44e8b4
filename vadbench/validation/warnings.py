"""What is allowed and probably not meant, said of plain values: validation and scoring use the same sentences.

Source: submission.md, "Problems and warnings".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vadbench.errors import quoted, shortened

_PLACE_OF_A_MODEL = re.compile(
    r"https?://|\b10\.\d{4,9}/\S|\barxiv\b[^0-9]{0,3}\d{4}\.\d{4,5}|\b\d{4}\.\d{4,5}(v\d+)?\b|"
    r"\b(huggingface\.co|hf\.co|github\.com|doi\.org|arxiv\.org|zenodo\.org)/\S",
    re.IGNORECASE,
)
_EIGHT_BITS = 255
_SEVEN_BITS = 127
"""Whole numbers up to here may be counts or votes; scores of 8 bits nearly always use more."""


@dataclass(frozen=True)
class Remark:
    """One warning.

    Attributes
    ----------
    code : str
    sentence : str
        What was found, complete by itself.
    where : tuple of str
        Place in the submission.
    clips : tuple of str
        Clips that it is about; empty for the whole submission.
    hint : str
    count : int
        Number of places.
    """

    code: str
    sentence: str
    where: tuple[str, ...] = ()
    clips: tuple[str, ...] = ()
    hint: str = ""
    count: int = 1


def constant_scores(ranges: Mapping[str, tuple[float, float]], *, of_frames: bool = False) -> Iterator[Remark]:
    """S150: clips with one score.

    Parameters
    ----------
    ranges : mapping from clip id to two numbers
        Least and greatest stored score.
    of_frames : bool
        Whether they are frame scores, not score maps.
    """
    constant = [clip_id for clip_id, (least, greatest) in ranges.items() if least == greatest]
    if constant:
        noun = "frame" if of_frames else "pixel"
        yield Remark(
            "S150",
            f"every {noun} has the same score in {_clips(constant, len(ranges))}",
            ("frame_scores" if of_frames else "score_maps",),
            tuple(constant),
            "such a clip says nothing about where the anomaly is; was its result lost?",
            len(constant),
        )


def threshold_remarks(
    ranges: Mapping[str, tuple[float, float]], threshold: float | None, *, dtype: str = "", is_binary: bool = False
) -> Iterator[Remark]:
    """S152: a declared threshold that flags nothing or everything, or is in another unit.

    Parameters
    ----------
    ranges : mapping from clip id to two numbers
        Least and greatest stored score of score maps.
    threshold : float or None
    dtype : str
        Of the maps, as far as it is known.
    is_binary : bool
        Whether all maps together have two scores: any threshold between them does what is meant.
    """
    if threshold is None or not ranges:
        return
    least, greatest = min(low for low, _ in ranges.values()), max(high for _, high in ranges.values())
    sentence = hint = ""
    if threshold > greatest:
        sentence = f"the declared threshold {threshold:g} is above every stored score (highest {greatest:g})"
        hint = "nothing is flagged; is the threshold in another unit than the stored scores?"
    elif threshold <= least:
        unit = "; thresholds are in stored units" if isinstance(greatest, int) and 0 < threshold < 1 else ""
        sentence = f"the declared threshold {threshold:g} flags every pixel (lowest stored score {least:g}{unit})"
        hint = "give the threshold in stored units: the score from which on a pixel is flagged"
    elif isinstance(greatest, int) and 0 < threshold < 1 < greatest and not is_binary:
        stored = dtype if dtype.startswith("uint") else "uint16"
        sentence = f"the declared threshold {threshold:g} is below 1, and scores are stored up to {greatest}"
        hint = f"give the threshold in stored units: 0.5 of {stored} maps is {np.iinfo(stored).max / 2:.1f}"
    if sentence:
        yield Remark("S152", sentence, ("submission.toml", "score_maps.threshold"), hint=hint)


def chosen_on_test(threshold_chosen_on: object) -> Iterator[Remark]:
    """S154: a threshold that was chosen with the truth of the test set."""
    if threshold_chosen_on == "test":
        yield Remark(
            "S154",
            "the declared threshold was chosen on the test set",
            ("submission.toml", "training.threshold_chosen_on"),
            hint="metrics at the threshold flatter the method then; `vadbench threshold` chooses it on training clips",
        )


def sourceless_models(pretrained: Sequence[str]) -> Iterator[Remark]:
    """S153: declared models with weights from elsewhere, of which it is not said from where."""
    without = [name for name in pretrained if not _PLACE_OF_A_MODEL.search(name)]
    if without:
        yield Remark(
            "S153",
            f"no source of {shortened([quoted(name) for name in without], 5, ', ')}",
            ("submission.toml", "training.pretrained"),
            hint="name the place of the weights in the entry: an https URL, a DOI or an arXiv id",
            count=len(without),
        )


def training_contradictions(dataset: str, supervision: str, data: Sequence[str]) -> Iterator[Remark]:
    """S161: training data that do not go with the supervision, or are test data.

    Parameters
    ----------
    dataset : str
        Id that the submission is for.
    supervision : str
        Such as ``zero-shot``.
    data : sequence of str
        What was trained on, such as ``ucsd-ped2:train``.
    """
    where = ("submission.toml", "training")
    own = [entry for entry in data if entry.partition(":")[0].strip().lower() == dataset.lower()]
    tested = [entry for entry in own if re.match(r"test(ing)?\b", entry.partition(":")[2].strip().lower())]
    if tested:
        yield Remark(
            "S161",
            f"data names the test part, {quoted(tested[0])}",
            where,
            hint="the scores are then of data that the method was trained on; is the training part meant?",
        )
    if supervision == "zero-shot" and own:
        yield Remark(
            "S161",
            f"supervision is zero-shot, and data names this data set, {quoted(own[0])}",
            where,
            hint="zero-shot means that nothing of the data set was trained on; with its normal clips it is one-class",
        )
    if supervision != "zero-shot" and not data:
        yield Remark(
            "S161",
            f"supervision is {supervision}, and data is empty",
            where,
            hint=f'name what was trained on, such as "{dataset}:train", or say zero-shot',
        )


@dataclass(frozen=True)
class StoredRange:
    """Score maps of all clips together: dtype, least and greatest score, whether they are whole, or two numbers."""

    dtype: str
    least: float
    greatest: float
    is_whole: bool
    is_binary: bool = False


def range_remarks(stored: StoredRange | None, lower: float | None, upper: float | None) -> Iterator[Remark]:
    """S157: stored scores that do not fit what is declared, or look like those of 8-bit pictures.

    Parameters
    ----------
    stored : StoredRange or None
        None where there are no maps, or they cannot be read.
    lower, upper : float or None
        As declared.
    """
    declared = ("submission.toml", "score_maps")
    if lower is not None and upper is not None and lower >= upper:
        yield Remark(
            "S157",
            f"lower is {lower:g} and upper is {upper:g}",
            declared,
            hint="higher means more anomalous: lower, the value of the stored number 0, is below upper",
        )
    if stored is None:
        return
    is_integer = stored.dtype.startswith("uint")
    if not is_integer and lower is not None:
        yield Remark(
            "S157",
            f"lower and upper are given, and the maps are {stored.dtype}",
            declared,
            hint="float maps hold the method's own values: leave lower and upper out",
        )
    largest = int(np.iinfo(stored.dtype).max) if is_integer else 0
    used = f"the stored scores are whole numbers from {stored.least:g} to {stored.greatest:g}"
    # Of two scores nothing is lost, whatever numbers stand for them.
    looks_like_8_bits = _SEVEN_BITS < stored.greatest <= _EIGHT_BITS and not stored.is_binary
    if stored.dtype == "uint16" and looks_like_8_bits:
        yield Remark(
            "S157",
            f"{used}, in uint16 maps that reach to 65535",
            ("score_maps",),
            hint="scores of 8 bits are stored as uint8, and nothing is lost. Scores from 0 to 255 that had decimals\n"
            "have lost them: multiply by 257 before rounding, the threshold as well, so that 255 becomes 65535",
        )
    elif not is_integer and stored.is_whole and stored.least >= 0 and looks_like_8_bits:
        yield Remark(
            "S157",
            f"{used}, in {stored.dtype} maps",
            ("score_maps",),
            hint="these look like 8-bit pictures of scores. If the method has finer ones, store those: scores rounded\n"
            "to 256 steps have ties, which change the metrics. If not, uint8 maps hold the same",
        )
    elif is_integer and lower is not None and 0 < stored.greatest <= largest / 100:
        yield Remark(
            "S157",
            f"{used}; {stored.dtype} reaches to {largest}, for which upper stands",
            declared,
            hint="lower and upper are the method's values of the stored numbers 0 and "
            f"{largest}, not of the least and greatest score",
        )


def _clips(constant: Sequence[str], n_clips: int) -> str:
    if len(constant) == n_clips:
        return "each clip" if n_clips > 1 else "the clip"
    return f"{'clips' if len(constant) > 1 else 'clip'} {shortened(constant)}"
