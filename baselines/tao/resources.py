"""What a run has needed: versions of packages, memory, and what to say when memory is not enough."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from vadbench import UsageError, __version__

_PACKAGES = ("numpy", "scipy", "opencv-python-headless", "scikit-learn", "scikit-image", "pillow")
_OPENCV_NO_MEMORY = -4
_TORCH_PACKAGES = ("torch", "torchvision", "timm", "sam2")


def installed_versions(*, torch: bool) -> dict[str, str]:
    """Versions of vadbench, Python, and the packages that compute, by name; those of PyTorch's world if asked for."""
    names = (*_PACKAGES, *(_TORCH_PACKAGES if torch else ()))
    versions = {name: found for name in names if (found := _version(name)) is not None}
    return {"vadbench": __version__, "python": platform.python_version(), **versions}


def computing_device(chosen: str) -> str:
    """What PyTorch computes on: the name of the GPU, or ``cpu``; loads PyTorch.

    Parameters
    ----------
    chosen : str
        ``auto``, ``cpu``, or ``cuda``.
    """
    try:
        import torch
    except ModuleNotFoundError:
        # The stage that needs it says how to install it.
        return "cpu"
    return str(torch.cuda.get_device_name()) if chosen != "cpu" and torch.cuda.is_available() else "cpu"


@cache
def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def peak_memory_bytes() -> int:
    """Largest resident size of this process so far; 0 where the system does not say."""
    status = Path("/proc/self/status")
    if status.is_file():
        sizes = dict(line.split(":", 1) for line in status.read_text(errors="replace").splitlines() if ":" in line)
        return int(sizes.get("VmHWM", "0 kB").split()[0]) * 1024
    if sys.platform == "win32":
        return 0
    import resource

    # macOS counts bytes, other systems kibibytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def gpu_use() -> dict[str, Any]:
    """Name of the GPU and the largest memory that PyTorch has taken on it; empty where no GPU was used."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.max_memory_allocated():
        return {}
    return {"gpu": torch.cuda.get_device_name(), "peak_gpu_memory_bytes": int(torch.cuda.max_memory_allocated())}


@contextmanager
def memory_watched(where: str) -> Iterator[None]:
    """Turn the refusal of memory, of the machine or of its GPU, into `UsageError` B244.

    Parameters
    ----------
    where : str
        What was being worked on.
    """
    try:
        yield
    except Exception as error:
        scarce = _scarce_memory(error)
        if scarce is None:
            raise
        raise UsageError(
            "B244",
            f"{scarce} is not enough",
            where=where,
            got=str(error).partition("\n")[0] or type(error).__name__,
            hint="clips that were finished are kept; go on with --device cpu, a smaller --segmenter-size, or\n"
            "segmentation.sam2.offload_state = true in a preset of your own",
        ) from error


def _scarce_memory(error: Exception) -> str | None:
    """Which memory an error says is not enough; None for any other error."""
    torch, cv2 = sys.modules.get("torch"), sys.modules.get("cv2")
    if torch is not None and isinstance(error, torch.cuda.OutOfMemoryError):
        return "the memory of the GPU"
    words = str(error)
    is_memory = (
        isinstance(error, MemoryError)
        # PyTorch's allocator of main memory has no kind of error of its own, nor has a thread without a stack.
        or (isinstance(error, RuntimeError) and ("DefaultCPUAllocator" in words or "can't start new thread" in words))
        or (cv2 is not None and isinstance(error, cv2.error) and getattr(error, "code", None) == _OPENCV_NO_MEMORY)
    )
    return "the memory" if is_memory else None
