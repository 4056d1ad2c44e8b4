"""Where the boxes of a selection come from: a detector that learned from the fitted half, or a file of given boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from baselines.simple.baseline import Progress, no_progress
from baselines.tao.box_table import BoxTable
from baselines.tao.detection.boxes_csv import read_boxes
from baselines.tao.detection.detector import Detector, Part
from baselines.tao.detection.settings import DetectionSettings, DetectorKind, make_detector
from baselines.tao.selection.training_split import FittedPart, TrainingSplit
from vadbench import Clip, DataError, Dataset, UsageError

_ENDING = "_train.csv"


class BoxSource(Protocol):
    """Gives the boxes of training clips, and of clips with something pasted into them."""

    def of_clip(self, clip: Clip) -> BoxTable:
        """Boxes of a training clip, or of the beginning of one: those in its frames."""
        ...

    def of_pasted(self, clip: Clip, source: BoxTable, anomalies: BoxTable) -> BoxTable:
        """Boxes of a clip with pasted anomalies.

        Parameters
        ----------
        clip : Clip
            With the anomalies in its frames.
        source : BoxTable
            Of the clip before.
        anomalies : BoxTable
            Of the anomalies, as a detector might find them.
        """
        ...


class DetectedBoxes:
    """Boxes of a detector, which looks at pasted clips as at any other.

    Parameters
    ----------
    detector : Detector
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def of_clip(self, clip: Clip) -> BoxTable:
        """See `BoxSource`."""
        return self._detector.detect(clip, Part.TRAINING)

    def of_pasted(self, clip: Clip, source: BoxTable, anomalies: BoxTable) -> BoxTable:
        """What the detector finds; the anomalies' own boxes are not used."""
        del source, anomalies
        return self._detector.detect(clip, Part.TRAINING)


class GivenBoxes:
    """Boxes of a file; those of pasted anomalies come beside them.

    Parameters
    ----------
    folder : Path
        Holds one file whose name ends in ``_train.csv``; that of the test part is not opened.
    dataset : Dataset
        Its training clips alone count.

    Raises
    ------
    DataError
        B275 if there is not one such file, B208 where a line is wrong.
    """

    def __init__(self, folder: Path, dataset: Dataset) -> None:
        found = sorted(folder.glob(f"*{_ENDING}"))
        if len(found) != 1:
            raise DataError(
                "B275",
                "the boxes of the training clips are not there",
                where=str(folder),
                expected=f"a folder with one file *{_ENDING}",
                got=", ".join(path.name for path in found) or "none",
            )
        self._tables = read_boxes(found[0], dataset.training_clips)

    def of_clip(self, clip: Clip) -> BoxTable:
        """See `BoxSource`."""
        table = self._tables.get(clip.id, BoxTable.empty())
        return table.select(table.frames < clip.frames)

    def of_pasted(self, clip: Clip, source: BoxTable, anomalies: BoxTable) -> BoxTable:
        """Boxes of both, those of the clip first in each frame."""
        del clip
        frames = np.concatenate([source.frames, anomalies.frames])
        order = np.argsort(frames, kind="stable")
        return BoxTable(frames[order], np.concatenate([source.boxes, anomalies.boxes])[order])


def box_source(
    settings: DetectionSettings, dataset: Dataset, split: TrainingSplit, progress: Progress = no_progress
) -> BoxSource:
    """Source of boxes that the settings name.

    Parameters
    ----------
    settings : DetectionSettings
    dataset : Dataset
        Its id and training clips are used.
    split : TrainingSplit
        A detector learns from the fitted half.
    progress : callable, optional
        Called as a detector learns.

    Raises
    ------
    UsageError
        B207 if the folder of given boxes is not named; what the detector raises.
    DataError
        B208, B275 for given boxes that are wrong; what the detector raises.
    """
    if settings.kind is not DetectorKind.BOXES_CSV:
        return DetectedBoxes(make_detector(settings, FittedPart(dataset, split.fitted), progress))
    if settings.boxes_csv.folder is None:
        raise UsageError(
            "B207",
            "the detector boxes-csv needs the folder of the boxes",
            expected=f"a folder with one *{_ENDING}",
            got="none",
            hint="say --boxes DIR",
        )
    return GivenBoxes(settings.boxes_csv.folder, dataset)
