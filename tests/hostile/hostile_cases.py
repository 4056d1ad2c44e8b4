"""Every hostile or malformed submission of the tests, in one list; the table in docs/security.md has the same rows."""

from __future__ import annotations

from hostile_archives import ARCHIVES
from hostile_arrays import CHUNKS, NODES, VALUES
from hostile_case import Case
from hostile_folders import FOLDERS
from hostile_texts import TEXTS

CASES: list[Case] = [*ARCHIVES, *FOLDERS, *NODES, *CHUNKS, *VALUES, *TEXTS]
