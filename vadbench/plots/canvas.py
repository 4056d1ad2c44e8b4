"""Figures as files: the same figure gives the same bytes, whole or not there at all."""

from __future__ import annotations

import importlib.util
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vadbench.errors import UsageError, quoted

FORMATS = ("png", "pdf", "svg")

DPI = 150.0
"""Pixels an inch of pictures in PNG; also where they are laid out, since widths of letters depend on it a little."""

MARK = "vadbench plot"
"""In every file, so that an earlier picture can be told from a file that is none."""

# Whatever would put a date or a version into the file is taken out.
_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": MARK},
    "pdf": {"Creator": MARK, "Producer": None, "CreationDate": None},
    "svg": {"Date": None, "Creator": MARK},
}

_LOOKED_AT = 65_536
"""Bytes at the beginning and at the end of a file that the mark stands in."""


def require_matplotlib() -> None:
    """Raise `UsageError` U153 with the way to install matplotlib, if it is absent."""
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError(
            "U153", "pictures need matplotlib, which is not installed", hint="pip install 'vadbench[plots]'"
        )


@contextmanager
def house_style() -> Iterator[None]:
    """Matplotlib's defaults with our few changes inside the block, whatever the user's own settings are."""
    require_matplotlib()
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        # A name in signs that the font lacks is shown with boxes: nothing that the user could mend.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "font.size": 9.0,
                "axes.titlesize": 10.0,
                "axes.titleweight": "bold",
                "axes.spines.top": False,
                "axes.spines.right": False,
                "svg.hashsalt": "vadbench",
                "svg.fonttype": "none",
                "pdf.fonttype": 42,
            }
        )
        yield


def picture_format(path: Path | str) -> str:
    """Format by the end of a path's name; raises `UsageError` U154 for others than PNG, PDF and SVG."""
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise UsageError(
            "U154",
            "a picture needs a name that ends in .png, .pdf or .svg",
            got=quoted(path),
        )
    return suffix


def is_own_picture(path: Path) -> bool:
    """Whether a file was written by `save_figure`; an empty one is nobody's."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        beginning = file.read(_LOOKED_AT)
        file.seek(max(0, path.stat().st_size - _LOOKED_AT))
        end = file.read(_LOOKED_AT)
    return not beginning or MARK.encode() in beginning or MARK.encode() in end


def save_figure(figure: Any, path: Path | str, *, dpi: float = DPI) -> Path:
    """Write a figure to a temporary name beside `path`, then rename.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : path
        Its end decides between PNG, PDF and SVG.
    dpi : float
        Pixels an inch, for PNG and for pictures inside the others.

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        U154 for another format, U155 if the file cannot be written.
    """
    target = Path(path)
    kind = picture_format(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
            made = Path(folder) / f"figure.{kind}"
            figure.savefig(made, format=kind, dpi=dpi, metadata=_METADATA[kind])
            made.replace(target)
    except OSError as error:
        raise UsageError(
            "U155", "the picture cannot be written", where=str(target), got=error.strerror or str(error)
        ) from error
    return target
