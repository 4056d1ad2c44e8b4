"""Frames of a clip in a video file, decoded by OpenCV (the extra ``vadbench[video]``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vadbench.datasets.mismatches import wrong_count, wrong_size
from vadbench.errors import DataError, UsageError


@dataclass(frozen=True)
class VideoFrames:
    """Frames of a clip in a video; calling it yields them in order.

    Parameters
    ----------
    path : Path
    clip_id : str
    frames : int or None
        Number of frames that the video must have; None where only its header says how many there are.
    height, width : int
    """

    path: Path
    clip_id: str
    frames: int | None
    height: int
    width: int

    def __call__(self) -> Iterator[NDArray[np.uint8]]:
        """Yield (H, W, 3) uint8 (RGB).

        Raises
        ------
        UsageError
            U115 if OpenCV is not installed.
        DataError
            D202, D205, D206 for a wrong number of frames, a wrong size, a file that cannot be decoded.
        """
        try:
            import cv2
        except ImportError as error:
            raise UsageError(
                "U115",
                "OpenCV is needed to read frames from a video",
                where=str(self.path),
                hint='pip install "vadbench[video]"; scoring needs no frames',
            ) from error
        capture = cv2.VideoCapture(str(self.path))
        try:
            if not capture.isOpened():
                raise DataError(
                    "D206",
                    "a file cannot be read as a video",
                    where=(str(self.path), f"clip {self.clip_id}"),
                    hint="the file is damaged, or OpenCV lacks its codec; images in testing/frames work too",
                )
            count = 0
            found, frame = capture.read()
            while found and frame is not None:
                if frame.shape[:2] != (self.height, self.width):
                    raise wrong_size(
                        "a frame of a video",
                        self.path,
                        (f"clip {self.clip_id}", f"frame {count}"),
                        size=(self.height, self.width),
                        found=frame.shape[:2],
                    )
                yield np.ascontiguousarray(frame[:, :, ::-1])
                count += 1
                found, frame = capture.read()
        finally:
            capture.release()
        if self.frames is not None and count != self.frames:
            raise wrong_count("D202", "frames", self.path, self.clip_id, expected=self.frames, got=count)


def avi_frame_count(path: Path) -> int:
    """Number of frames that the header of an AVI file states; raises `DataError` D206 if it is no AVI file.

    The fixed start of the format is enough: RIFF, size, "AVI ", LIST, size, "hdrl", "avih", size, then the main
    header, whose fifth number is the count. So a data set can be listed without a decoder.
    """
    try:
        with path.open("rb") as file:
            head = file.read(52)
    except OSError as error:
        raise DataError("D206", "a video cannot be read", where=str(path), got=str(error)) from error
    if len(head) < 52 or head[:4] != b"RIFF" or head[8:12] != b"AVI " or head[24:28] != b"avih":
        raise DataError(
            "D206",
            "a file is no AVI video",
            where=str(path),
            got=repr(head[:12]),
            hint="the file is damaged or has another format; download it again",
        )
    return int.from_bytes(head[48:52], "little")
