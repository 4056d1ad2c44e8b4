"""Optional packages, loaded when a stage needs them; a missing one is named with the way to install it."""

from __future__ import annotations

import importlib
from typing import Any

from vadbench import UsageError


def required(module: str, *, extra: str = "", install: str = "") -> Any:
    """Import a module of an extra, or of packages that are in none.

    Parameters
    ----------
    module : str
        Such as ``sklearn.mixture``.
    extra : str
        Extra of vadbench that brings it.
    install : str
        What to install where no extra brings it, as pip takes it.

    Raises
    ------
    UsageError
        B203 if it, or a package that it needs itself, is not installed or cannot be loaded.
    """
    hint = f"pip install {install}" if install else f"in the checkout: pip install -e '.[{extra}]'"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or module).partition(".")[0]
        raise UsageError(
            "B203", f"this needs the package {missing}, which is not installed", where=f"package {module}", hint=hint
        ) from error
    except ImportError as error:
        # A library of the system that is not there, or a package built for another version of another.
        package = module.partition(".")[0]
        raise UsageError(
            "B203",
            f"the package {package}, which this needs, is installed but cannot be loaded",
            where=f"package {module}",
            got=str(error).partition("\n")[0],
            hint=f"install it again: {hint}",
        ) from error


def opencv() -> Any:
    """OpenCV, from the extra ``tao``."""
    return required("cv2", extra="tao")
