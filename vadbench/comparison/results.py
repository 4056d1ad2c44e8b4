"""What a comparison finds: estimates, differences and words, as objects and as JSON.

Source: docs/statistics.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vadbench.comparison.intervals import Interval
from vadbench.comparison.permutation import SignFlip

FORMAT = "vadbench.comparison/1"


@dataclass(frozen=True)
class ScoreEstimate:
    """One score, and how sure it is.

    Parameters
    ----------
    value : float
        Of the report.
    effect : float or None
        Value from the statistics less that of the report; None where they do not say.
    clips, scenes : Interval or None
        None where there is nothing to resample, or no statistics.
    ranks : tuple of two ints, or None
        Best and worst rank that neither the resamples of clips nor those of scenes rule out.
    """

    value: float
    effect: float | None = None
    clips: Interval | None = None
    scenes: Interval | None = None
    ranks: tuple[int, int] | None = None


@dataclass(frozen=True)
class Difference:
    """One metric of two methods, first less second.

    Parameters
    ----------
    metric, first, second : str
    value : float
        Difference of the reports' values.
    clips, scenes : Interval or None
        Of the difference, in the same resamples.
    mean_of_clips : float or None
        Mean of the differences of the clips' own values: what the test is about.
    test : SignFlip or None
        Of that mean; None where no clip has a value of both.
    alike : bool
        Whether both have the same value in every resample; False where there are none.
    adjusted_p : float or None
        By Holm, over all pairs of this metric.
    scene_test : SignFlip or None
        Of the same mean with one sign for all clips of a scene; None where there are no scenes.
    adjusted_scene_p : float or None
    """

    metric: str
    first: str
    second: str
    value: float
    clips: Interval | None = None
    scenes: Interval | None = None
    mean_of_clips: float | None = None
    test: SignFlip | None = None
    adjusted_p: float | None = None
    scene_test: SignFlip | None = None
    adjusted_scene_p: float | None = None
    alike: bool = False


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Parameters
    ----------
    signature : str
        Of the first report; the others' differ in the program's version at most.
    dataset : str
    names : tuple of str
    baseline : str or None
    titles : mapping from metric to title
        In the order of tables; metrics that no report has are left out.
    n_clips : int
    n_scenes : int or None
        None where it is not known which clips share a camera.
    resamples, seed, flips : int
    confidence : float
    estimates : mapping from metric to mapping from name to ScoreEstimate
    differences : tuple of Difference
        By metric, then pair.
    no_clips, no_scenes : str or None
        Reason why there are no intervals over clips, or over scenes.
    remarks : tuple of str
        What all this says and does not say, in plain words.
    """

    signature: str
    dataset: str
    names: tuple[str, ...]
    baseline: str | None
    titles: Mapping[str, str]
    n_clips: int
    n_scenes: int | None
    resamples: int
    seed: int
    flips: int
    confidence: float
    estimates: Mapping[str, Mapping[str, ScoreEstimate]]
    differences: tuple[Difference, ...]
    no_clips: str | None
    no_scenes: str | None
    remarks: tuple[str, ...]

    @property
    def paragraph(self) -> str:
        """The remarks as one text."""
        return " ".join(self.remarks)

    def to_json(self) -> str:
        """Everything as JSON text, the same for the same input."""
        content: dict[str, Any] = {
            "format": FORMAT,
            "signature": self.signature,
            "dataset": self.dataset,
            "methods": list(self.names),
            "baseline": self.baseline,
            "clips": self.n_clips,
            "scenes": self.n_scenes,
            "resamples": self.resamples,
            "seed": self.seed,
            "flips": self.flips,
            "confidence": self.confidence,
            "no_clips": self.no_clips,
            "no_scenes": self.no_scenes,
            "metrics": {
                key: {
                    "title": title,
                    "estimates": {name: _estimate_table(own) for name, own in self.estimates[key].items()},
                    "differences": [_difference_table(own) for own in self.differences if own.metric == key],
                }
                for key, title in self.titles.items()
            },
            "paragraph": self.paragraph,
        }
        return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _estimate_table(own: ScoreEstimate) -> dict[str, Any]:
    return {
        "value": own.value,
        "effect": own.effect,
        "clips": own.clips and own.clips.to_table(),
        "scenes": own.scenes and own.scenes.to_table(),
        "ranks": own.ranks and list(own.ranks),
    }


def _difference_table(own: Difference) -> dict[str, Any]:
    return {
        "first": own.first,
        "second": own.second,
        "value": own.value,
        "clips": own.clips and own.clips.to_table(),
        "scenes": own.scenes and own.scenes.to_table(),
        "mean_of_clips": own.mean_of_clips,
        "test": _test_table(own.test, own.adjusted_p),
        "scene_test": _test_table(own.scene_test, own.adjusted_scene_p),
        "alike": own.alike,
    }


def _test_table(test: SignFlip | None, adjusted_p: float | None) -> dict[str, Any] | None:
    if test is None:
        return None
    return {
        "p": test.p,
        "adjusted_p": adjusted_p,
        "exact": test.exact,
        "n": test.n,
        "flips": test.flips,
        "least_p": test.least_p,
    }
