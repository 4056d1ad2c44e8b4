"""One row under one reading: which bounds hold for it, and what follows from its numbers.

Source: docs/audit.md, "Readings".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leaderboard.audit import readings
from leaderboard.audit.bounds import NAMES, Bound, is_broken, listed, points, violations_of
from leaderboard.audit.curve_bounds import least_shared_score, pool_bounds
from leaderboard.audit.findings import Verdict, Violation
from leaderboard.audit.frame_bounds import mask_frame_bounds, soft_frame_bounds
from leaderboard.audit.frame_masks import METRICS, FrameBound, FrameMixture, find_frames, sum_text
from leaderboard.audit.mask_bounds import mask_violations
from leaderboard.audit.mask_search import Mask, MaskPool, find_mask
from leaderboard.audit.printed import SLACK, Span, Spans, printed_spans
from leaderboard.audit.readings import Reading
from leaderboard.audit.region_shares import RegionShares
from leaderboard.audit.track_bounds import track_bounds
from leaderboard.audit.truth_facts import PixelFacts, TruthFacts

PREVALENCE_TOLERANCE = 0.1
"""A verdict is robust if it stays where the prevalence is up to this share off, as with masks of another size."""

_PIXELS = ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1")
_FEWEST = 2
"""A single printed number says too little to be checked."""


@dataclass(frozen=True)
class Check:
    """Outcome for one row and reading; see `leaderboard.audit.findings.Finding`."""

    verdict: Verdict
    violations: tuple[Violation, ...] = ()
    reason: str = ""
    remark: str = ""
    robust: bool | None = None


def used_cells(reading: Reading, cells: Mapping[str, str]) -> dict[str, str]:
    """Cells of a row that a reading speaks of."""
    if reading.family is readings.Family.OBJECTS:
        return {key: cells[key] for key in ("rbdc", "tbdc") if key in cells}
    left_out = () if reading.aupro else ("pixel_aupro",)
    return {key: cells[key] for key in _PIXELS if key in cells and key not in left_out}


def check_row(reading: Reading, cells: Mapping[str, str], facts: TruthFacts) -> Check:
    """Hold a row against a reading.

    Parameters
    ----------
    reading : Reading
    cells : mapping from metric to str
        Of the whole row, as printed.
    facts : TruthFacts
        Of the row's data set.
    """
    own = used_cells(reading, cells)
    spans = printed_spans(own)
    if reading.family is readings.Family.OBJECTS:
        return _check_tracks(own, spans, facts)
    if len(own) < _FEWEST:
        return Check(Verdict.NOT_CHECKED, reason="the row prints no pixel metrics")
    if facts.pixels is None:
        return Check(Verdict.NOT_CHECKED, reason=f"the prevalence of {facts.dataset} is not known: {facts.source}")
    return _PIXEL_CHECKS[reading](own, spans, facts.pixels)


def _check_tracks(cells: Mapping[str, str], spans: Spans, facts: TruthFacts) -> Check:
    if len(cells) < _FEWEST:
        return Check(Verdict.NOT_CHECKED, reason="the row prints no RBDC with a TBDC")
    if facts.tracks is None:
        return Check(Verdict.NOT_CHECKED, reason=f"the sizes of the tracks of {facts.dataset} are not known")
    violations = violations_of(track_bounds(spans, facts.tracks.sizes), cells, spans)
    return Check(Verdict.IMPOSSIBLE, violations) if violations else Check(Verdict.CONSISTENT)


def _by_bounds(own: list[Bound], wider: list[Bound], cells: Mapping[str, str], spans: Spans, remark: str = "") -> Check:
    """Verdict by bounds, and by the same bounds for masks of another size."""
    violations = violations_of(own, cells, spans, wider)
    if violations:
        robust = any(is_broken(bound, spans) for bound in wider)
        return Check(Verdict.IMPOSSIBLE, violations, robust=robust)
    return Check(Verdict.CONSISTENT, remark=remark)


def _wider(prevalence: float) -> Span:
    return Span((1 - PREVALENCE_TOLERANCE) * prevalence, (1 + PREVALENCE_TOLERANCE) * prevalence)


PixelCheck = Callable[[Mapping[str, str], Spans, PixelFacts], Check]


def _one_mask(*, anomalous_frames: bool, regions: bool) -> PixelCheck:
    def check(cells: Mapping[str, str], spans: Spans, facts: PixelFacts) -> Check:
        prevalence = facts.prevalence_in_anomalous_frames if anomalous_frames else facts.prevalence
        shares = RegionShares.of_sizes(facts.component_sizes) if regions else None
        pool = MaskPool(Span(prevalence, prevalence), shares)
        found = find_mask(spans, pool)
        if found is False:
            wider = MaskPool(_wider(prevalence), shares)
            robust = find_mask(spans, wider) is False
            violations = mask_violations(cells, spans, pool, wider if robust else None)
            return Check(Verdict.IMPOSSIBLE, violations, robust=robust)
        if isinstance(found, Mask):
            rates = f"recall {100 * found.recall:.1f} %, precision {100 * found.precision:.1f} %"
            return Check(Verdict.CONSISTENT, remark=f"a mask of {rates} has these numbers")
        return Check(Verdict.CONSISTENT, remark="the search neither found nor excluded a mask")

    return check


def _one_pool(*, best_f1: bool, pr_auc: bool = False, regions: bool = False) -> PixelCheck:
    def check(cells: Mapping[str, str], spans: Spans, facts: PixelFacts) -> Check:
        shares = RegionShares.of_sizes(facts.component_sizes) if regions else None

        def bounds(prevalence: Span) -> list[Bound]:
            return pool_bounds(spans, prevalence, best_f1=best_f1, pr_auc=pr_auc, regions=shares)

        remark = _shared_scores(cells, spans, facts.anomalous_pixels, "of the anomalous pixels") if pr_auc else ""
        own = bounds(Span(facts.prevalence, facts.prevalence))
        return _by_bounds(own, bounds(_wider(facts.prevalence)), cells, spans, remark)

    return check


def _soft_frames(*, best_f1: bool, silent: bool, pr_auc: bool) -> PixelCheck:
    def check(cells: Mapping[str, str], spans: Spans, facts: PixelFacts) -> Check:
        own, wider = (
            soft_frame_bounds(
                spans, facts.frame_prevalences, best_f1=best_f1, silent=silent, pr_auc=pr_auc, tolerance=tolerance
            )
            for tolerance in (0.0, PREVALENCE_TOLERANCE)
        )
        whose = "of a frame's anomalous pixels, on the mean"
        remark = _shared_scores(cells, spans, int(facts.frame_sizes.max()), whose) if pr_auc else ""
        return _by_bounds(own, wider, cells, spans, remark)

    return check


def _shared_scores(cells: Mapping[str, str], spans: Spans, anomalous_pixels: int, whose: str) -> str:
    """What theorem 17 says of soft scores whose PR-AUC exceeds AP."""
    if not {"pixel_ap", "pixel_aupro"} <= spans.keys():
        return ""
    gap = spans["pixel_aupro"].low - spans["pixel_ap"].high
    share = least_shared_score(gap, anomalous_pixels) if gap > 0 else 0.0
    if share < 0.01:
        return ""
    # Down to a hundredth: the sentence says "at least".
    least = int(10_000 * share) / 100
    return f"PR-AUC exceeds AP by {100 * gap:.2f}: some score is shared by at least {least:.2f} % {whose} (theorem 17)"


def _frame_masks(cells: Mapping[str, str], spans: Spans, facts: PixelFacts) -> Check:
    own, wider = (
        mask_frame_bounds(spans, facts.frame_prevalences, tolerance=tolerance)
        for tolerance in (0.0, PREVALENCE_TOLERANCE)
    )
    by_bounds = _by_bounds(own, wider, cells, spans)
    if by_bounds.robust or not set(METRICS) <= spans.keys():
        return by_bounds
    found = find_frames(spans, facts.frame_prevalences)
    if isinstance(found, FrameBound) and found.error > SLACK:
        of_others = find_frames(spans, facts.frame_prevalences, tolerance=PREVALENCE_TOLERANCE)
        robust = isinstance(of_others, FrameBound) and of_others.error > SLACK
        proof = (_of_frames(found, cells),)
        violations = (*proof, *by_bounds.violations) if robust else (*by_bounds.violations, *proof)
        return Check(Verdict.IMPOSSIBLE, violations, robust=robust)
    if by_bounds.violations:
        return by_bounds
    if isinstance(found, FrameMixture):
        example = (
            f"such as {_percent(found.silent)} of the frames silent, the others of mean recall "
            f"{_percent(found.recall)} and mean precision {_percent(found.precision)}"
        )
        return Check(Verdict.CONSISTENT, remark=example)
    return Check(Verdict.CONSISTENT, remark="the search neither found nor excluded frames with these numbers")


def _of_frames(bound: FrameBound, cells: Mapping[str, str]) -> Violation:
    metrics = tuple(key for key, weight in zip(METRICS, bound.weights, strict=True) if weight)
    names = {**NAMES, "pixel_aupro": "PR-AUC"}
    least, error = points(bound.printed, up=False), 100 * bound.error
    sentence = (
        f"{listed(metrics, cells)} give {least} at least, where frames reach {points(bound.limit, up=True)}: some "
        f"number would have to be off by more than {error:.2f}"
    )
    return Violation(15, metrics, sum_text(bound, names), sentence, error)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


_PIXEL_CHECKS: Mapping[Reading, PixelCheck] = {
    readings.POOLED_MASKS: _one_mask(anomalous_frames=False, regions=True),
    readings.POOLED_MASKS_PR_AUC: _one_mask(anomalous_frames=False, regions=False),
    readings.ANOMALOUS_MASKS_PR_AUC: _one_mask(anomalous_frames=True, regions=False),
    readings.POOLED_SOFT: _one_pool(best_f1=True, regions=True),
    readings.POOLED_SOFT_PR_AUC: _one_pool(best_f1=True, pr_auc=True),
    readings.POOLED_SOFT_CUT: _one_pool(best_f1=False),
    readings.FRAME_MEAN_SOFT: _soft_frames(best_f1=True, silent=False, pr_auc=False),
    readings.TAO_RELEASE_MASKS: _frame_masks,
    readings.TAO_RELEASE_SOFT: _soft_frames(best_f1=False, silent=True, pr_auc=True),
}
