"""SAM2's video predictor: built from settings, and called so that it works on CPU and GPU alike.

Source: tao.md, section 6, "Install", "Models", "Autocast".
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any

from baselines.tao.segmentation.checkpoints import checkpoint_file, config_path, load_weights
from baselines.tao.segmentation.sam2_settings import Sam2Device, Sam2Settings
from vadbench import UsageError

INSTALL = (
    "pip install torch==2.13.0\n"
    "pip install -e '.[sam2]'\n"
    "SAM2_BUILD_CUDA=0 pip install --no-deps --no-build-isolation sam2==1.1.0"
)
"""Commands that install SAM2: what it declares would bring torchvision, which it needs not, and torch once more."""

_UPSTREAM_IMAGE_SIZE = 1024


def build_predictor(settings: Sam2Settings, *, overrides: Sequence[str] = (), random_seed: int | None = None) -> Any:
    """Build SAM2's video predictor, with the weights of the settings' checkpoint, ready on its device.

    Parameters
    ----------
    settings : Sam2Settings
    overrides : sequence of str
        Changes to the model's configuration in Hydra's words, such as ``++model.num_maskmem=4``.
    random_seed : int, optional
        Draw the weights from this seed instead of reading a checkpoint: to test, and to measure speed. Its masks mean
        nothing.

    Returns
    -------
    sam2.sam2_video_predictor.SAM2VideoPredictor
        In evaluation mode. Its own filling of holes, which needs a CUDA kernel, is off.

    Raises
    ------
    UsageError
        B230 if torch or sam2 is not installed, B231 if there is no checkpoint, B234 if the device is not there,
        B235 if the GPU's memory does not suffice.
    DataError
        B232, B233 if the checkpoint is not the right one.
    """
    require_sam2()
    # Before the model is built: that takes seconds, and more for the large one.
    device = chosen_device(settings)
    path = None if random_seed is not None else checkpoint_file(settings)

    import torch
    from sam2.build_sam import build_sam2_video_predictor

    changes = list(overrides)
    if settings.conditioning_frames is not None:
        changes.append(f"++model.max_cond_frames_in_attn={settings.conditioning_frames}")
    if settings.image_size != _UPSTREAM_IMAGE_SIZE:
        changes.append(f"++model.image_size={settings.image_size}")
    # Upstream announces compilation by print: standard output belongs to results.
    with torch.random.fork_rng(devices=[]), contextlib.redirect_stdout(io.StringIO()):
        torch.manual_seed(random_seed or 0)
        predictor = build_sam2_video_predictor(
            config_path(settings.size, settings.version),
            device="cpu",
            hydra_overrides_extra=changes,
            vos_optimized=settings.compile,
        )
    predictor.fill_hole_area = 0
    if path is not None:
        load_weights(predictor, path, settings)
    with gpu_memory_explained("the weights of the model"):
        return predictor.to(device)


def require_sam2() -> None:
    """Raise `UsageError` B230, with the commands that install them, unless torch and sam2 are there."""
    missing = [name for name in ("torch", "hydra", "iopath", "sam2") if find_spec(name) is None]
    if missing:
        raise UsageError("B230", "SAM2 is not installed", got=f"no module {', '.join(missing)}", hint=INSTALL)


def chosen_device(settings: Sam2Settings) -> str:
    """Device of the settings as PyTorch names it, ``cpu`` or ``cuda``; raises `UsageError` B234 if it is not there."""
    import torch

    has_gpu = torch.cuda.is_available()
    if settings.device is Sam2Device.CUDA and not has_gpu:
        raise UsageError(
            "B234",
            "PyTorch sees no GPU here",
            expected="a CUDA device",
            got=f"torch {torch.__version__}",
            hint="use the device cpu, or install a build of torch for CUDA and the driver",
        )
    device = "cuda" if has_gpu and settings.device is not Sam2Device.CPU else "cpu"
    if settings.compile and device == "cpu":
        raise UsageError("B234", "SAM2 is compiled for a GPU only", got="the device cpu", hint="leave compile out")
    return device


def autocast(predictor: Any) -> AbstractContextManager[Any]:
    """Context in which a predictor is called: bfloat16 where it suffices, on CPU and GPU.

    SAM2 keeps memories in bfloat16 whatever it computes in: without this, a frame that looks at memories and at no
    object pointers ends in an error (SAM2's issues 308 and 577).
    """
    import torch

    # PyTorch leaves its own promise of types to whoever calls it.
    return torch.autocast(predictor.device.type, dtype=torch.bfloat16)  # type: ignore[no-any-return]


@contextmanager
def gpu_memory_explained(*where: str) -> Iterator[None]:
    """Turn PyTorch's error that the GPU's memory does not suffice into `UsageError` B235."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise UsageError(
            "B235",
            "the memory of the GPU does not suffice",
            where=where,
            got=str(error).partition(". ")[0],
            hint="take a smaller size of the model, offload_state (memories in main memory), fewer "
            "conditioning_frames, or the device cpu; what was finished before stays",
        ) from error


@contextmanager
def silent_bars(*modules: str) -> Iterator[None]:
    """Without the progress bars that SAM2 draws on standard error: its caller shows its own.

    They cannot be switched off, so the name that stands for them in SAM2's modules is replaced for that time.
    """
    loaded: list[Any] = [sys.modules[name] for name in modules if hasattr(sys.modules.get(name), "tqdm")]
    bars = [module.tqdm for module in loaded]
    for module in loaded:
        module.tqdm = _no_bar
    try:
        yield
    finally:
        for module, bar in zip(loaded, bars, strict=True):
            module.tqdm = bar


def _no_bar(steps: Any, **_: Any) -> Any:
    return steps
