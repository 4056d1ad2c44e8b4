"""Where the board's files lie in a repository.

Source: docs/leaderboard.md, "Files".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Files and folders of a board.

    Parameters
    ----------
    repository : Path
        Folder with ``submissions/`` and ``leaderboard/``.
    """

    repository: Path

    @property
    def submissions(self) -> Path:
        """Entries."""
        return self.repository / "submissions"

    @property
    def board(self) -> Path:
        """Everything else."""
        return self.repository / "leaderboard"

    @property
    def published(self) -> Path:
        """Rows of papers, TOML."""
        return self.board / "published"

    @property
    def tables(self) -> Path:
        """Generated tables and the state of the last build; committed."""
        return self.board / "tables"

    @property
    def state(self) -> Path:
        """Every row of the last build, at full precision."""
        return self.tables / "board.json"

    @property
    def history(self) -> Path:
        """One line for each row that came, changed or went."""
        return self.board / "HISTORY.md"

    @property
    def withdrawn(self) -> Path:
        """Rows that stood on the board once."""
        return self.board / "withdrawn.toml"

    @property
    def public(self) -> Path:
        """The site; generated, not committed."""
        return self.board / "public"

    @property
    def cache(self) -> Path:
        """What need not be computed again; not committed."""
        return self.board / ".cache"
