"""Rankings: rows of one data set and one signature, in the order of one metric, with what resampling says of them.

Source: protocols.md, "Signature"; docs/leaderboard.md, "How rows are ranked".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaderboard.board import Estimate, RankedRow, Ranking, Row
from leaderboard.cache import BoardCache, key_of
from leaderboard.entries import Progress
from leaderboard.estimates import CONFIDENCE, RESAMPLES, SEED, ReportEstimates
from vadbench import known_datasets
from vadbench.comparison import rank_ranges, remarks
from vadbench.tables import metric_titles

ORDER = ("pixel_ap", "rbdc", "frame_auroc_micro", "pixel_auroc")
"""Metrics that a ranking is sorted by: the first that any row has. Pixel-AP first: it needs no threshold, and where one
pixel in a hundred is anomalous it sees false alarms that AUROC does not."""

_TRACKS_OF_MASKS = "mask-overlap"
_VERSION = "|v="


@dataclass(frozen=True)
class SignatureParts:
    """A signature as text: parts of it are known even where today's program cannot parse the protocol.

    Parameters
    ----------
    comparable : str
        Without the program's version: equal for scores that may be ranked together.
    dataset, fingerprint, tracks, protocol : str
        Empty where the signature has none.
    """

    comparable: str
    dataset: str
    fingerprint: str
    tracks: str
    protocol: str

    @classmethod
    def of(cls, signature: str) -> SignatureParts:
        """Take a signature apart."""
        comparable = signature.partition(_VERSION)[0]
        parts = dict(part.partition("=")[::2] for part in comparable.split("|")[1:])
        dataset, _, fingerprint = parts.get("data", "").partition(":")
        return cls(comparable, dataset, fingerprint, parts.get("tracks", ""), parts.get("protocol", ""))


def make_rankings(
    rows: Sequence[Row],
    estimates: Mapping[str, ReportEstimates],
    cache: BoardCache,
    progress: Progress | None = None,
) -> tuple[Ranking, ...]:
    """One ranking for each data set and comparable signature.

    Parameters
    ----------
    rows : sequence of Row
        Of the present definitions.
    estimates : mapping from a row's key to ReportEstimates
        Rows without statistics are absent.
    cache : BoardCache
        Rank ranges of many rows are kept there.
    progress : callable, optional

    Returns
    -------
    tuple of Ranking
        By data set, in the order in which `vadbench data list` names them; of each, ``standard`` first.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(SignatureParts.of(row.report.signature).comparable, []).append(row)
    order = sorted(groups, key=_position)
    names = ranking_names(order)
    rankings = []
    for number, signature in enumerate(order):
        if progress is not None:
            progress("ranking", number, len(order))
        rankings.append(_ranking(names[signature], signature, groups[signature], estimates, cache))
    return tuple(rankings)


def _position(signature: str) -> tuple[object, ...]:
    parts = SignatureParts.of(signature)
    known = known_datasets()
    place = known.index(parts.dataset) if parts.dataset in known else len(known)
    return place, parts.dataset, parts.protocol != "standard", parts.protocol, parts.tracks, parts.fingerprint


def ranking_names(signatures: Sequence[str]) -> dict[str, str]:
    """Names fit for files, by signature: data set and protocol, and what else tells two of them apart.

    >>> ranking_names(["vadbench/1|data=avenue:ab12cd34|tracks=mask-overlap|protocol=standard"]).popitem()[1]
    'avenue-standard'
    """
    parts = {signature: SignatureParts.of(signature) for signature in signatures}

    def name(own: SignatureParts, *, fingerprint: bool) -> str:
        tracks = [] if own.tracks == _TRACKS_OF_MASKS else [own.tracks]
        words = [own.dataset, own.protocol, *tracks, *([own.fingerprint] if fingerprint else [])]
        return re.sub(r"[^a-z0-9]+", "-", "-".join(words).lower()).strip("-")

    short = Counter(name(own, fingerprint=False) for own in parts.values())
    long = Counter(name(own, fingerprint=True) for own in parts.values())
    names = {}
    for signature, own in parts.items():
        if short[name(own, fingerprint=False)] == 1:
            names[signature] = name(own, fingerprint=False)
        elif long[name(own, fingerprint=True)] == 1:
            names[signature] = name(own, fingerprint=True)
        else:
            # Protocols whose signs a file's name cannot hold.
            digest = hashlib.sha256(signature.encode()).hexdigest()[:8]
            names[signature] = f"{name(own, fingerprint=True)}-{digest}"
    return names


def _ranking(
    name: str, signature: str, rows: Sequence[Row], estimates: Mapping[str, ReportEstimates], cache: BoardCache
) -> Ranking:
    titles = metric_titles(rows[0].report.parsed_signature.protocol)
    titles = {metric: title for metric, title in titles.items() if any(_has(row, metric) for row in rows)}
    sorted_by = next((metric for metric in (*ORDER, *titles) if metric in titles), ORDER[0])
    ordered = sorted(rows, key=lambda row: (-(_value(row, sorted_by)), row.key))
    clip_ids = _shared_clips(ordered)
    # Resamples of other clips are others: they say nothing about a difference.
    paired = {row.key: estimates[row.key] for row in ordered if row.key in estimates and _clips(row) == clip_ids}
    ranks = {metric: _ranks(metric, ordered, paired, cache) for metric in titles}
    ranked = tuple(
        RankedRow(
            row,
            {
                metric: _estimate(estimates.get(row.key), metric, ranks[metric].get(row.key))
                for metric in titles
                if _has(row, metric)
            },
        )
        for row in ordered
    )
    parts = SignatureParts.of(signature)
    title = titles.get(sorted_by, "")
    words = _remarks(parts.dataset, clip_ids, ordered, paired, sorted_by, title, ranks.get(sorted_by, {}))
    return Ranking(name, parts.dataset, parts.protocol, signature, titles, ranked, sorted_by, words)


def _has(row: Row, metric: str) -> bool:
    return row.report.value(metric) is not None


def _value(row: Row, metric: str) -> float:
    value = row.report.value(metric)
    return -1.0 if value is None else value


def _clips(row: Row) -> tuple[str, ...]:
    return tuple(clip.id for clip in row.report.clips)


def _shared_clips(rows: Sequence[Row]) -> tuple[str, ...]:
    """Clips that most rows have; on one truth all have the same, unless somebody accepted a report without some."""
    counts = Counter(_clips(row) for row in rows)
    return max(counts, key=lambda own: (counts[own], len(own), own))


def _ranks(
    metric: str, rows: Sequence[Row], paired: Mapping[str, ReportEstimates], cache: BoardCache
) -> dict[str, tuple[int, int]]:
    """Best and worst rank of each row with resampled values, by key, among all rows that have a value."""
    valued = [row.key for row in rows if _has(row, metric)]
    known = [key for key in valued if key in paired and metric in paired[key].replicates]
    if not known:
        return {}
    key = key_of("ranks", metric, str(CONFIDENCE), *(paired[own].key for own in known))
    kept = cache.read(key)
    if kept is None:
        found = _ranges([paired[own].replicates[metric] for own in known])
        by_scene = [paired[own].scene_replicates[metric] for own in known if metric in paired[own].scene_replicates]
        if len(by_scene) == len(known):
            # What neither kind of resample rules out; rows of one ranking share clips, and scenes.
            pairs = zip(found, _ranges(by_scene), strict=True)
            found = [(min(one[0], other[0]), max(one[1], other[1])) for one, other in pairs]
        cache.write(key, json.dumps(found).encode())
    else:
        found = [(best, worst) for best, worst in json.loads(kept)]
    # Any row that nothing is known of may stand above each of the others, or below.
    unknown = len(valued) - len(known)
    return {own: (best, worst + unknown) for own, (best, worst) in zip(known, found, strict=True)}


def _ranges(rows: Sequence[NDArray[np.float64]]) -> list[tuple[int, int]]:
    return rank_ranges(rows, confidence=CONFIDENCE)


def _estimate(own: ReportEstimates | None, metric: str, ranks: tuple[int, int] | None) -> Estimate:
    if own is None:
        return Estimate()
    return Estimate(
        own.clips.get(metric),
        own.scenes.get(metric),
        ranks,
        own.replicates.get(metric),
        own.scene_replicates.get(metric),
    )


def _remarks(
    dataset: str,
    clip_ids: tuple[str, ...],
    rows: Sequence[Row],
    paired: Mapping[str, ReportEstimates],
    metric: str,
    title: str,
    ranks: Mapping[str, tuple[int, int]],
) -> tuple[str, ...]:
    """What clips and rows allow to say, in plain words."""
    valued = sum(_has(row, metric) for row in rows)
    found = [_first_in_words(title, ranks, valued - len(ranks))] if len(ranks) > 1 else []
    without = len(rows) - len(paired)
    if not paired:
        found.append("No row has statistics beside its report: there are no intervals and no rank ranges.")
    elif without:
        found.append(
            f"{without} of {len(rows)} rows {'has' if without == 1 else 'have'} no statistics on the clips of the "
            "others: no rank range of their own, and in those of the others a place anywhere."
        )
    if paired:
        n = len(paired)
        found += remarks(
            dataset,
            clip_ids,
            n_pairs=n * (n - 1) // 2,
            resamples=RESAMPLES,
            seed=SEED,
            confidence=CONFIDENCE,
            effect=max(own.effect for own in paired.values()),
            ranked=bool(ranks),
        )
    for row in rows:
        missing = len(clip_ids) - len(_clips(row))
        if missing > 0:
            found.append(f"{row.key} was scored on {len(_clips(row))} of the {len(clip_ids)} clips.")
    return tuple(found)


def _first_in_words(title: str, ranks: Mapping[str, tuple[int, int]], unknown: int) -> str:
    first = sum(best == 1 for best, _ in ranks.values()) + unknown
    if first == 1:
        return f"By {title} only one row can be the first, as far as the paired intervals say."
    n = len(ranks) + unknown
    which = f"any of the {n} rows" if first == n else f"{first} of {n} rows"
    return f"By {title} {which} may be the first: among them the order is that of the scores, and no more."
