"""What a candidate is judged by: twelve numbers on the pasted clips, six in each of two protocols, and their mean."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import BoxTable
from baselines.tao.filtering import object_boxes
from baselines.tao.instance_rows import InstanceRows
from baselines.tao.selection.measurements import Measurements
from baselines.tao.selection.pasted_clips import PastedClip
from baselines.tao.selection.remembering_segmenter import RememberedObjects, RememberingSegmenter
from baselines.tao.settings import TaoSettings
from baselines.views import View
from vadbench import DataError, MemoryDataset, Prediction, evaluate

METRICS = ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1", "rbdc", "tbdc")
PROTOCOLS = ("tao-release", "standard")


@dataclass(frozen=True)
class Judgement:
    """Scores of a candidate.

    Parameters
    ----------
    scores : mapping of (protocol, metric) to float
        In [0, 1], in the order of `PROTOCOLS` and `METRICS`.
    """

    scores: Mapping[tuple[str, str], float]

    @property
    def objective(self) -> float:
        """Mean of all scores."""
        return float(np.mean(list(self.scores.values())))


class Judge:
    """Runs the last three stages on the pasted clips, and scores what comes out.

    Parameters
    ----------
    dataset_id : str
        Says what a view is.
    pasted : sequence of PastedClip
    measurements : Measurements
        Of these clips.
    backgrounds : mapping from View to (H, W) float32
        Of the fitted half, for the masks.
    """

    def __init__(
        self,
        dataset_id: str,
        pasted: Sequence[PastedClip],
        measurements: Measurements,
        backgrounds: Mapping[View, NDArray[np.float32]],
    ) -> None:
        self._dataset_id = dataset_id
        self._pasted = pasted
        self._measurements = measurements
        self._backgrounds = backgrounds
        self._remembered = RememberedObjects()
        self._kept: tuple[Hashable, list[BoxTable]] = None, []
        self._truth = MemoryDataset({made.clip.id: made.truth for made in pasted}, id="pasted")

    def judge(self, settings: TaoSettings) -> Judgement:
        """Scores of a candidate.

        Raises
        ------
        DataError
            B276 if a score is undefined on the pasted clips.
        """
        known = self._remembered.of(settings.segmentation.classical.mask)

        def predicted(made: PastedClip, kept: BoxTable) -> Prediction:
            segmenter = RememberingSegmenter(
                settings.segmentation.classical,
                self._dataset_id,
                self._backgrounds,
                made.clip.id,
                self._measurements.flows.of(made.clip.id),
                known,
            )
            rows = InstanceRows(made.clip, kept)
            for found in segmenter.segment(made.clip, rows.prompts):
                rows.add(found)
            return Prediction(instances=rows.instances())

        # Threads are enough: most of the time is spent in OpenCV, whose random numbers belong to the thread.
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            found = threads.map(predicted, self._pasted, self._kept_boxes(settings))
            predictions = {made.clip.id: one for made, one in zip(self._pasted, found, strict=True)}
        scores = {}
        for protocol in PROTOCOLS:
            report = evaluate(predictions, self._truth, protocol, METRICS)
            for metric in METRICS:
                value = report.scores[metric].value
                if value is None:
                    raise DataError(
                        "B276",
                        f"{metric} in {protocol} is undefined on the pasted clips",
                        hint="another --seed, or more --clips",
                    )
                scores[protocol, metric] = float(value)
        return Judgement(scores)

    def _kept_boxes(self, settings: TaoSettings) -> list[BoxTable]:
        """Boxes of each clip that stage 3 keeps; those of the last call, if nothing that they depend on has changed."""
        key = settings.scoring, settings.tau, settings.filtering
        if self._kept[0] != key:
            scored = self._measurements.scored(settings.scoring)
            kept = [
                object_boxes(table, settings.tau, settings.filtering, made.clip.frames)
                for table, made in zip(scored, self._pasted, strict=True)
            ]
            self._kept = key, kept
        return self._kept[1]
