"""The choices of a SAM2 segmenter: which model, which weights, where it computes.

Source: tao.md, section 6.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from pathlib import Path

from baselines.tao.choices import Choice
from vadbench import UsageError
from vadbench.errors import quoted

SMALLEST_STRIDE = 32
"""Pixels of the model's image a cell of its coarsest feature map stands for."""


class Sam2Size(Choice):
    """Size of the image encoder; the paper uses base-plus."""

    TINY = "tiny"
    SMALL = "small"
    BASE_PLUS = "base-plus"
    LARGE = "large"


class Sam2Version(Choice):
    """Version of the weights; each needs the configuration of its own version. The release uses 2.0."""

    V2_0 = "2.0"
    V2_1 = "2.1"


class Sam2Device(Choice):
    """Where the model computes; ``auto`` is the GPU where PyTorch sees one."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


@dataclass(frozen=True)
class Sam2Settings:
    """Settings of a SAM2 segmenter.

    Parameters
    ----------
    checkpoint : Path, optional
        File of the weights; only a model of random weights goes without.
    size, version : Sam2Size, Sam2Version
        Of the model that the checkpoint holds.
    sha256 : str, optional
        64 hex digits that the checkpoint must have. Upstream publishes none, so none is built in.
    device : Sam2Device
    compile : bool
        Compile the model (CUDA only): minutes at the start, then more frames a second.
    offload_state : bool
        Keep memories in main memory and not on the GPU: slower, less GPU memory.
    conditioning_frames : int, optional
        Prompted frames of an object that each frame attends to, the nearest in time, at least 2. None: all of them,
        as in the release, so that work and memory grow with the number of prompts.
    image_size : int
        Side in pixels of the square that frames are resized to. The weights are trained for 1024; a smaller side is
        faster and coarser.
    hole_area : int
        Holes of at most so many pixels of the frame are filled.

    Raises
    ------
    UsageError
        B205 if there is no such size, version or device; B238 if another value is none of those allowed.
    """

    checkpoint: Path | None = None
    size: Sam2Size = Sam2Size.BASE_PLUS
    version: Sam2Version = Sam2Version.V2_1
    sha256: str | None = None
    device: Sam2Device = Sam2Device.AUTO
    compile: bool = False
    offload_state: bool = False
    conditioning_frames: int | None = None
    image_size: int = 1024
    hole_area: int = 8

    def __post_init__(self) -> None:
        set_field = object.__setattr__
        set_field(self, "size", Sam2Size(self.size))
        set_field(self, "version", Sam2Version(self.version))
        set_field(self, "device", Sam2Device(self.device))
        set_field(self, "checkpoint", None if self.checkpoint is None else Path(self.checkpoint))
        if self.sha256 is not None:
            set_field(self, "sha256", self.sha256.strip().lower())
            _require(
                len(self.sha256) == 64 and not set(self.sha256) - set(string.hexdigits),
                "sha256",
                "64 hex digits",
                self.sha256,
            )
        _require(
            self.conditioning_frames is None or self.conditioning_frames >= 2,
            "conditioning_frames",
            "2 or more, or none for all",
            self.conditioning_frames,
        )
        _require(
            self.image_size >= 128 and self.image_size % SMALLEST_STRIDE == 0,
            "image_size",
            f"a multiple of {SMALLEST_STRIDE} that is 128 or more",
            self.image_size,
        )
        _require(self.hole_area >= 0, "hole_area", "0 or more pixels", self.hole_area)


def _require(right: bool, name: str, expected: str, got: object) -> None:
    if not right:
        raise UsageError("B238", f"{name} of SAM2 cannot be {quoted(got)}", expected=expected, got=quoted(got))
