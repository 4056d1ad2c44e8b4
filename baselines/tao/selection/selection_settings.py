"""What a selection is made on: how many clips with pasted anomalies, how many anomalies, how well they are found."""

from __future__ import annotations

from dataclasses import dataclass

from vadbench import UsageError


@dataclass(frozen=True)
class SelectionSettings:
    """How the clips are made that settings are chosen on.

    Parameters
    ----------
    seed : int
        Of the pasted anomalies; what the scorer draws has the seed of its own settings.
    clips : int
        Clips with pasted anomalies; with more than there are held-out clips, a held-out clip gets several versions.
    anomalies : int
        Anomalies pasted into each clip.
    longest_clip : int
        Frames of each held-out clip that are used, from the first on, so that time and memory have a bound.
    least_sprite : int
        Frames in a row that a person must be alone in, to be cut out.
    missed : float
        Share of the boxes of pasted anomalies that are missing, where boxes are given; in [0, 1).
    jitter : float
        Standard deviation of each edge of these boxes, in shares of the box; 0 or more.

    Raises
    ------
    UsageError
        B278 for a value out of its range.
    """

    seed: int = 0
    clips: int = 8
    anomalies: int = 4
    longest_clip: int = 200
    least_sprite: int = 40
    missed: float = 0.1
    jitter: float = 0.05

    def __post_init__(self) -> None:
        wrong = {
            "seed": self.seed < 0,
            "clips": self.clips < 1,
            "anomalies": self.anomalies < 1,
            "longest_clip": self.longest_clip < 2,
            "least_sprite": self.least_sprite < 2,
            "missed": not 0.0 <= self.missed < 1.0,
            "jitter": not self.jitter >= 0.0,
        }
        for name, is_wrong in wrong.items():
            if is_wrong:
                raise UsageError(
                    "B278",
                    f"selection: {name} is out of range",
                    expected="counts of 1 or more, lengths of 2 or more, missed in [0, 1), jitter of 0 or more",
                    got=str(getattr(self, name)),
                )
