"""How sure a score is: intervals, paired differences, a permutation test and rank ranges, without predictions.

Source: docs/statistics.md.
"""

from vadbench.comparison.clips_behind import FEWEST_BEHIND, clips_behind, n_behind
from vadbench.comparison.comparing import compare
from vadbench.comparison.intervals import Interval, interval, paired_interval
from vadbench.comparison.metric_values import per_clip_values, replicates, values
from vadbench.comparison.permutation import SignFlip, holm, least_exact_p, sign_flip
from vadbench.comparison.plain_words import PairVerdict, Tested, least_p_in_words, p_text, remarks, undecided
from vadbench.comparison.ranks import rank_ranges
from vadbench.comparison.resampling import Unit, resampled_weights, scenes_of, why_not_resampled
from vadbench.comparison.results import Comparison, Difference, ScoreEstimate
from vadbench.evaluation.report_statistics import ReportStatistics, statistics_place
from vadbench.evaluation.statistics_pass import report_statistics

__all__ = [
    "FEWEST_BEHIND",
    "Comparison",
    "Difference",
    "Interval",
    "PairVerdict",
    "ReportStatistics",
    "ScoreEstimate",
    "SignFlip",
    "Tested",
    "Unit",
    "clips_behind",
    "compare",
    "holm",
    "interval",
    "least_exact_p",
    "least_p_in_words",
    "n_behind",
    "p_text",
    "paired_interval",
    "per_clip_values",
    "rank_ranges",
    "remarks",
    "replicates",
    "report_statistics",
    "resampled_weights",
    "scenes_of",
    "sign_flip",
    "statistics_place",
    "undecided",
    "values",
    "why_not_resampled",
]
