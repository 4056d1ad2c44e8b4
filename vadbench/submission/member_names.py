"""Names of files that a zip of the format may hold, and those that a system can hold.

Source: submission.md, "Folder and zip".
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from vadbench.errors import UsageError, quoted
from vadbench.submission.problems import problem
from vadbench.submission.tree import MOST_ENTRIES, is_canonical

_LONGEST_PART = 255
_NOT_ON_WINDOWS = frozenset('<>:"|?*')
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL", *(f"{name}{n}" for name in ("COM", "LPT") for n in range(1, 10))})


def check_names(names: Iterable[str], shown: str) -> None:
    """Names that a zip of the format may hold together; raises `SubmissionError` S122."""
    files = list(names)
    if len(files) > MOST_ENTRIES:
        raise problem(
            "S122",
            where=shown,
            expected=f"at most {MOST_ENTRIES} files in a zip",
            got=f"{len(files)} files",
            hint="write larger chunks, such as 32 frames",
        )
    spelled: dict[str, str] = {}
    for name in files:
        try:
            name.encode("utf-8")
        except UnicodeEncodeError:
            raise problem("S122", where=(shown, quoted(name)), got="a name that is not UTF-8") from None
        if not is_canonical(name):
            raise problem("S122", where=(shown, quoted(name)), got="a name that not every system reads alike")
        for end in [place for place, sign in enumerate(name) if sign == "/"] + [len(name)]:
            part = name[:end]
            if spelled.setdefault(part.casefold(), part) != part:
                other = spelled[part.casefold()]
                raise problem(
                    "S122", where=(shown, quoted(part)), got=f"a name that differs from {quoted(other)} by case alone"
                )


def check_holdable(name: str, shown: str, system: str = os.name) -> None:
    """Raise `UsageError` U204 where a system cannot hold a file of that name.

    Parameters
    ----------
    name : str
        Relative and canonical.
    shown : str
        What it comes from.
    system : str
        ``posix`` or ``nt``.
    """
    for part in name.split("/"):
        stem = part.split(".")[0].rstrip(" ").upper()
        on_windows = not (set(part) & _NOT_ON_WINDOWS or part[-1] in ". " or stem in _DEVICES or min(part) < " ")
        if len(part.encode("utf-8", "surrogatepass")) > _LONGEST_PART or (system == "nt" and not on_windows):
            raise UsageError(
                "U204",
                "this system cannot hold a file of that name",
                where=(shown, quoted(name)),
                hint="the zip can be scored and validated as it is",
            )
