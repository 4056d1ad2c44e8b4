"""Which code made a cached value: a changed reader or kernel must not be served what the old one made.

Source: architecture, "Caches".
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from vadbench.version import __version__


@lru_cache(maxsize=1)
def code_revision() -> str:
    """Version of the program and SHA-256 of its sources, as far as they lie in files; takes a few milliseconds."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:16]}"
