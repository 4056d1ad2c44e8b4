"""The images of a clip as SAM2 wants them, made when they are asked for.

SAM2's own loader takes an MP4 file or a folder of JPEG files, and holds all images of a clip, 12.6 MB each at 1024
pixels. These images come from frames of any format, are the same to the byte, and one is held at a time.

Source: tao.md, section 6, "Memory".
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.tao.clip_frames import ClipFrames
from vadbench import DataError

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


class Sam2Images:
    """Sequence of the images of a clip, each a torch tensor (3, side, side) float32 on the CPU.

    Parameters
    ----------
    frames : ClipFrames
        Grey or colour; all of the size that the clip says.
    side : int
        Height and width of the model's image in pixels.

    Raises
    ------
    DataError
        B237, when an image is asked for, if its frame has another size than the clip.
    """

    def __init__(self, frames: ClipFrames, side: int) -> None:
        self._frames = frames
        self._side = side

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, frame: int) -> Any:
        import torch

        pixels, clip = self._frames[frame], self._frames.clip
        if pixels.shape[:2] != (clip.height, clip.width):
            raise DataError(
                "B237",
                "the frames of a clip differ in size",
                where=(f"clip {clip.id}", f"frame {frame}"),
                expected=f"{clip.height} x {clip.width} pixels, as the clip's first frame",
                got=f"{pixels.shape[0]} x {pixels.shape[1]}",
            )
        return torch.from_numpy(normalised_image(pixels, self._side))


def normalised_image(pixels: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Image of the model, (3, side, side) float32, of a frame (H, W, 3) uint8 RGB.

    Resized to a square by Pillow's default filter, shares of 255, less the mean and by the deviation of each channel:
    what SAM2 does with a decoded JPEG file, to the byte.
    """
    from PIL import Image

    resized = np.asarray(Image.fromarray(pixels).resize((side, side)))
    levels = _normalised_levels()
    return np.stack([levels[channel][resized[..., channel]] for channel in range(3)])


def _normalised_levels() -> NDArray[np.float32]:
    """What each of the 256 levels of a channel becomes, (3, 256): a table is faster than arithmetic on each pixel."""
    # Divided in float64 and only then rounded, the rest in float32, as SAM2 does: else the last bit differs.
    shares = (np.arange(256) / 255.0).astype(np.float32)
    mean, deviation = (np.array(values, dtype=np.float32)[:, None] for values in (_MEAN, _DEVIATION))
    return np.asarray((shares - mean) / deviation)
