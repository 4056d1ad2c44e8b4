"""Names of files, and what libraries say of their content, as messages show them: nothing steers the terminal."""

from __future__ import annotations

from pathlib import Path

from vadbench.errors import quoted


def shown_path(path: Path) -> str:
    r"""Path with everything that does not print escaped.

    >>> print(shown_path(Path("scores/\x1b[31m01.npy")))
    scores/\x1b[31m01.npy
    """
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in str(path))


def shown_error(error: Exception, path: Path | None = None) -> str:
    """Kind and words of a library's error, shortened and escaped; of a path that it names the last part is left."""
    words = f"{type(error).__name__}: {error}"
    return quoted(words if path is None else words.replace(str(path), path.name))[1:-1]
