"""How kernels are compiled: once, with the machine code kept on disk where that is possible."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile at the first call; releases the interpreter lock while it runs."""
    if not _may_write_files():
        return cast("Kernel", njit(nogil=True)(function))
    try:
        return cast("Kernel", njit(nogil=True, cache=True)(function))
    except RuntimeError:
        # numba finds no folder that it may write, such as beside a read-only installation: compile in every process.
        return cast("Kernel", njit(nogil=True)(function))


def _may_write_files() -> bool:
    """Whether this process may write at all: one that reads what strangers send may not, and numba would fail."""
    if sys.platform == "win32":
        return True
    import resource

    return resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 0
