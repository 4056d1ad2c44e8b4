"""Settings of the detectors, and the detector that they describe."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from baselines.simple.baseline import Progress, no_progress
from baselines.tao.choices import Choice
from baselines.tao.detection.detector import Detector
from vadbench import Dataset, UsageError
from vadbench.errors import quoted


class DetectorKind(Choice):
    """Where the boxes come from: what differs from the background, files of boxes, or Mask R-CNN of torchvision."""

    BACKGROUND = "background"
    BOXES_CSV = "boxes-csv"
    TORCHVISION = "torchvision"


class Subtractor(Choice):
    """What the background is: a median in time with its spread, or one of OpenCV's models."""

    MEDIAN = "median"
    MOG2 = "mog2"
    KNN = "knn"


@dataclass(frozen=True)
class BackgroundDetectionSettings:
    """How objects are found as what differs from the background.

    Lengths are shares of the *usual* box of a view, which is learned from the training clips, so that one setting suits
    frames of any size. The defaults were chosen on the training clips of UCSD Ped2, half of them learned from, the
    other half compared with given boxes of theirs.

    Parameters
    ----------
    subtractor : Subtractor
    training_frames : int
        Frames, evenly spread over the training clips of a view, that the background is learned from; at least 1.
    threshold : float
        Grey levels above 0 by which foreground differs. OpenCV's models get it in their own terms: squared (KNN),
        or as a squared multiple of noise of 3 grey levels (MOG2).
    noise : float
        Times a pixel's own spread in training, added to the threshold; of the median only. 0 or more.
    light_window : float
        Side, as a share of the frame's height, of the window in which small differences are averaged and taken for a
        change of light; of the median only. 0 for the frame as a whole.
    gap_width, gap_height : float
        Gaps in an object that are closed, as shares of the usual box's width and height. 0 or more.
    least_area : float
        Objects with less foreground, as a share of the usual box's area, are left out. 0 or more.
    group : float
        Width or height, in usual ones, from which foreground that hangs together may be several objects. Above 0.
    part_distance : float
        Least distance between the middles of two objects that overlap, in usual widths (heights for the vertical
        part). Above 0.
    part_core : float
        Least distance of an object's middle from its edge, in halves of the usual width, to count. 0 or more.

    Raises
    ------
    UsageError
        B206 for a value out of its range, B205 for an unknown subtractor.
    """

    subtractor: Subtractor = Subtractor.MEDIAN
    training_frames: int = 150
    threshold: float = 15.0
    noise: float = 1.0
    light_window: float = 0.25
    gap_width: float = 0.2
    gap_height: float = 0.4
    least_area: float = 0.15
    group: float = 1.3
    part_distance: float = 0.25
    part_core: float = 0.3

    def __post_init__(self) -> None:
        object.__setattr__(self, "subtractor", Subtractor(self.subtractor))
        if not (isinstance(self.training_frames, int) and self.training_frames >= 1):
            raise _out_of_range("training_frames", "a whole number of 1 or more", self.training_frames)
        for name in ("threshold", "group", "part_distance"):
            _check_number(name, getattr(self, name), above_zero=True)
        for name in ("noise", "light_window", "gap_width", "gap_height", "least_area", "part_core"):
            _check_number(name, getattr(self, name), above_zero=False)


@dataclass(frozen=True)
class CsvDetectionSettings:
    """Where given boxes lie.

    Parameters
    ----------
    folder : Path, optional
        Holds the one ``*_train.csv`` and the one ``*_test.csv``; needed when the detector is made.
    """

    folder: Path | None = None


@dataclass(frozen=True)
class MaskRcnnSettings:
    """How Mask R-CNN R50-FPN of torchvision is used.

    Parameters
    ----------
    weights : Path, optional
        File of the weights, as torchvision names them; needed when the detector is made.
    sha256 : str
        What the file must be, 64 hex digits; "" for any.
    least_score : float
        Boxes of this score or less are left out, in [0, 1).
    most_covered : float
        Boxes of which a larger share lies inside a larger box are left out, in (0, 1].
    device : str
        Where it runs, as torch names it.

    Raises
    ------
    UsageError
        B206 for a value out of its range.

    Source: tao.md, "The scorer", boxes; there the score is 0.5 on UCSD Ped2 and 0.8 on other data sets.
    """

    weights: Path | None = None
    sha256: str = ""
    least_score: float = 0.5
    most_covered: float = 0.6
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not 0 <= self.least_score < 1:
            raise _out_of_range("least_score", "a number from 0 to below 1", self.least_score)
        if not 0 < self.most_covered <= 1:
            raise _out_of_range("most_covered", "a number above 0, at most 1", self.most_covered)
        digits = self.sha256.lower()
        if digits and (len(digits) != 64 or set(digits) - set("0123456789abcdef")):
            raise _out_of_range("sha256", "64 hex digits", self.sha256)


@dataclass(frozen=True)
class DetectionSettings:
    """Which detector, and the settings of each; only those of the kind count.

    Parameters
    ----------
    kind : DetectorKind
    background : BackgroundDetectionSettings
    boxes_csv : CsvDetectionSettings
    torchvision : MaskRcnnSettings

    Raises
    ------
    UsageError
        B205 for an unknown kind.
    """

    kind: DetectorKind = DetectorKind.BACKGROUND
    background: BackgroundDetectionSettings = field(default_factory=BackgroundDetectionSettings)
    boxes_csv: CsvDetectionSettings = field(default_factory=CsvDetectionSettings)
    torchvision: MaskRcnnSettings = field(default_factory=MaskRcnnSettings)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", DetectorKind(self.kind))

    @property
    def own(self) -> BackgroundDetectionSettings | CsvDetectionSettings | MaskRcnnSettings:
        """Settings of the kind."""
        own: dict[DetectorKind, BackgroundDetectionSettings | CsvDetectionSettings | MaskRcnnSettings] = {
            DetectorKind.BACKGROUND: self.background,
            DetectorKind.BOXES_CSV: self.boxes_csv,
            DetectorKind.TORCHVISION: self.torchvision,
        }
        return own[self.kind]


def make_detector(settings: DetectionSettings, dataset: Dataset, progress: Progress = no_progress) -> Detector:
    """Detector for the clips of a data set; what is learned, is learned from its training clips.

    Parameters
    ----------
    settings : DetectionSettings
    dataset : Dataset
        Its id and clips are used, never its truth.
    progress : callable, optional
        Called as training clips are done.

    Raises
    ------
    UsageError
        B203 if a package is missing, B207 or B209 if a folder or file is not given or not there.
    DataError
        B207, B208 for files of boxes that are wrong, B209 for a wrong file of weights.
    """
    if settings.kind is DetectorKind.BOXES_CSV:
        from baselines.tao.detection.boxes_csv import CsvDetector

        return CsvDetector(_given_folder(settings.boxes_csv), dataset)
    if settings.kind is DetectorKind.TORCHVISION:
        from baselines.tao.detection.mask_rcnn import MaskRcnnDetector

        return MaskRcnnDetector(settings.torchvision)
    from baselines.tao.detection.background import BackgroundDetector

    return BackgroundDetector.fit(settings.background, dataset.id, dataset.training_clips, progress)


def _given_folder(settings: CsvDetectionSettings) -> Path:
    if settings.folder is None:
        raise UsageError(
            "B207",
            "the detector boxes-csv needs the folder of the boxes",
            expected="a folder with one *_train.csv and one *_test.csv",
            got="none",
            hint="say --boxes DIR, or name it as detection.boxes_csv.folder in the settings",
        )
    return settings.folder


def _check_number(name: str, value: float, *, above_zero: bool) -> None:
    if not math.isfinite(value) or value < 0 or (above_zero and value == 0):
        raise _out_of_range(name, "a number above 0" if above_zero else "a number of 0 or more", value)


def _out_of_range(name: str, expected: str, got: object) -> UsageError:
    return UsageError("B206", f"the {name} of the detector is out of range", expected=expected, got=quoted(got))
