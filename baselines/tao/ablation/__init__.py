"""The studies behind table 4, figure 5 and figure 6 of the paper: variants of one run, scored side by side."""

from baselines.tao.ablation.run import Ablation, StudyScores, run_ablation
from baselines.tao.ablation.studies import PROTOCOLS, Row, Study, StudyKind, Variant, taus_of
from baselines.tao.ablation.tables import score_grid, study_markdown

__all__ = [
    "PROTOCOLS",
    "Ablation",
    "Row",
    "Study",
    "StudyKind",
    "StudyScores",
    "Variant",
    "run_ablation",
    "score_grid",
    "study_markdown",
    "taus_of",
]
