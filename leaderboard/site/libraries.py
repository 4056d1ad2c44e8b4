"""The two libraries of the site, itables and plotly, as files beside the pages: written once, loaded as plain scripts.

A browser does not load a module script from ``file://``, so the bundle of itables (DataTables inside) is turned into a
classic script here: the same text in a function, its list of exports turned into one global object.
"""

from __future__ import annotations

import importlib.util
import re
from importlib import metadata, resources
from pathlib import Path

from leaderboard.errors import LeaderboardError

_EXPORTS = re.compile(r"export\s*\{([^{}]*)\}\s*;?")
_LICENCE_FILES = ("LICENSE", "LICENSE.txt", "LICENCE")


def require_libraries() -> None:
    """Raise `LeaderboardError` L160 with the way to install what is missing."""
    missing = [name for name in ("itables", "jinja2", "plotly") if importlib.util.find_spec(name) is None]
    if missing:
        raise LeaderboardError(
            "L160",
            f"the site needs {', '.join(missing)}, which is not installed",
            hint="pip install 'vadbench[board]'",
        )


def classic_script(module: str, name: str) -> str:
    """A module script without imports as a classic one that puts its exports into ``window.NAME``.

    Parameters
    ----------
    module : str
        Text of the module, which ends in one list of exports.
    name : str
        Of the global object.

    Raises
    ------
    LeaderboardError
        L161 where the module has no such list: another version of the library needs another reading.
    """
    found = list(_EXPORTS.finditer(module))
    if not found:
        raise LeaderboardError(
            "L161",
            "the script of itables has no list of exports",
            hint="install the version of itables that constraints.txt names",
        )
    last = found[-1]
    pairs = []
    for part in filter(None, (text.strip() for text in last[1].split(","))):
        inner, _, outer = part.partition(" as ")
        pairs.append(f'"{(outer or inner).strip()}":{inner.strip()}')
    body = module[: last.start()] + f"window.{name}={{{','.join(pairs)}}};" + module[last.end() :]
    return "(function(){" + body.rstrip() + "\n})();\n"


def itables_script() -> str:
    """Script of itables, with DataTables and jQuery inside, as a classic script: ``window.itables``."""
    bundle = resources.files("itables").joinpath("html", "dt_bundle.js").read_text(encoding="utf-8")
    return classic_script(bundle, "itables")


def plotly_script() -> str:
    """Script of plotly: ``window.Plotly``."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def write_libraries(folder: Path) -> None:
    """Write both scripts into a folder."""
    (folder / "itables.js").write_text(itables_script(), encoding="utf-8", newline="\n")
    (folder / "plotly.js").write_text(plotly_script(), encoding="utf-8", newline="\n")


def licences() -> tuple[tuple[str, str, str], ...]:
    """Name, version and text of the licence of each library, for the page that names them."""
    found = []
    for name in ("itables", "plotly"):
        distribution = metadata.distribution(name)
        texts = [
            file.read_text(encoding="utf-8")
            for file in sorted(distribution.files or (), key=str)
            if file.name in _LICENCE_FILES and ".dist-info" in str(file)
        ]
        found.append((name, distribution.version, texts[0].strip() if texts else "MIT"))
    return tuple(found)
