"""Which reports an argument of ``vadbench table`` or ``vadbench plot`` means, and what name it gives them."""

from __future__ import annotations

from pathlib import Path

from vadbench.errors import UsageError, quoted

REPORT = "report.json"
_REPORTS = "*.report.json"


def report_paths(argument: str) -> list[tuple[str, Path]]:
    """Name and path of every report that an argument means; the name is empty where it gives none.

    An argument is a report, an entry (a folder with a ``report.json``), or a folder of reports or entries; a name and
    the sign = may stand before it. What exists whole is a path, even with such a sign in it.

    Raises
    ------
    UsageError
        U275 for a folder without reports, and for one name of several.
    """
    name, path = "", Path(argument)
    if "=" in argument and not _exists(path):
        name, _, rest = argument.partition("=")
        name, path = name.strip(), Path(rest)
    if not _is_folder(path):
        return [(name, path)]
    if (path / REPORT).is_file():
        return [(name, path / REPORT)]
    found = sorted(path.glob(_REPORTS)) or sorted(path.glob(f"*/{REPORT}")) or sorted(path.glob(f"*/*/{REPORT}"))
    if not found:
        raise UsageError(
            "U275",
            "there is no report in the folder",
            where=str(path),
            expected=f"{REPORT}, {_REPORTS}, or folders of entries with one {REPORT} each",
            hint="reports are written by `vadbench score`",
        )
    if name and len(found) > 1:
        raise UsageError("U275", "a name was given to a folder of several reports", where=str(path), got=quoted(name))
    return [(name, own) for own in found]


def _exists(path: Path) -> bool:
    """Whether something is there; a name longer than a file's can be is nothing."""
    try:
        return path.exists()
    except OSError:
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
