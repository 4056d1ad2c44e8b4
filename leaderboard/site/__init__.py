"""The static site: pages made of the board, with everything they load beside them.

Source: docs/leaderboard.md, "Pages".
"""

from __future__ import annotations

from leaderboard.site.writing import write_site

__all__ = ["write_site"]
