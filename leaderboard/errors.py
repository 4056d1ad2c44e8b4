"""Errors of the board: L100 … L139 of the build, L140 … L159 of published rows and the audit, L160 … L179 of pages.

Source: docs/leaderboard.md, "What fails".
"""

from __future__ import annotations

from collections.abc import Sequence

from vadbench.errors import VadbenchError

_SHOWN = 20
"""Problems of one build that are printed in full; the others are counted."""


class LeaderboardError(VadbenchError):
    """The board cannot be made of what is there: an entry is wrong, or a row changed and nobody has accepted it."""


class SeveralProblemsError(LeaderboardError):
    """Several problems of one build, each a block of its own.

    Parameters
    ----------
    problems : sequence of VadbenchError
        At least one; its first gives code and message.
    """

    def __init__(self, problems: Sequence[VadbenchError]) -> None:
        first = problems[0]
        super().__init__(
            first.code, first.message, where=first.where, expected=first.expected, got=first.got, hint=first.hint
        )
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.problems,)

    def block(self) -> str:
        """Give the blocks, one after the other."""
        blocks = [problem.block() for problem in self.problems[:_SHOWN]]
        left = len(self.problems) - len(blocks)
        if left:
            blocks.append(f"… and {left} more {'problem' if left == 1 else 'problems'}")
        return "\n\n".join(blocks)
