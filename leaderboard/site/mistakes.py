"""What a method does wrong, cut down to what a page shows: sentences, small tables, frames to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vadbench import Report
    from vadbench.comparison import ReportStatistics

_SHOWN = 8


@dataclass(frozen=True)
class CaseTable:
    """One kind of mistake.

    Parameters
    ----------
    title : str
    sentence : str
        What the counts say.
    columns : tuple of str
    rows : tuple of tuple of str
        The first cells name the row; none where there is nothing to list.
    """

    title: str
    sentence: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def mistakes_of(report: Report, statistics: ReportStatistics) -> tuple[CaseTable, ...]:
    """Tracks, false positives, pixels and clips, each with what can be looked at."""
    from vadbench.failures import NotAvailable, failures

    found = failures(report, statistics)
    tables = []
    if isinstance(found.tracks, NotAvailable):
        tables.append(CaseTable("Missed tracks", found.tracks.in_words))
    else:
        tables.append(
            CaseTable(
                "Missed tracks",
                found.tracks.in_words,
                ("Clip", "Frames", "Size", "Speed", "Look at frame"),
                tuple(
                    (
                        missed.track.clip,
                        f"{missed.track.first_frame}–{missed.track.last_frame}",
                        f"{missed.track.width:.0f} × {missed.track.height:.0f} px",
                        f"{missed.track.speed:.1f} px a frame",
                        str(missed.look.frame),
                    )
                    for missed in found.tracks.missed[:_SHOWN]
                ),
            )
        )
    if isinstance(found.false_positives, NotAvailable):
        tables.append(CaseTable("False positives", found.false_positives.in_words))
    else:
        tables.append(
            CaseTable(
                "False positives",
                found.false_positives.in_words,
                ("Clip", "Frame", "Box", "False positives per frame when it comes"),
                tuple(
                    (
                        case.clip,
                        str(case.frame),
                        " ".join(f"{corner:.0f}" for corner in case.box),
                        f"{case.rank:.3f}",
                    )
                    for case in found.false_positives.cases[:_SHOWN]
                ),
            )
        )
    if isinstance(found.pixels, NotAvailable):
        tables.append(CaseTable("Pixels", found.pixels.in_words))
    else:
        worst = [
            (
                case.clip,
                str(case.frame),
                f"{case.false_positives:,}".replace(",", " "),
                f"{case.missed:,}".replace(",", " "),
            )
            for case in (*found.pixels.most_false[: _SHOWN // 2], *found.pixels.most_missed[: _SHOWN // 2])
        ]
        tables.append(
            CaseTable(
                "Pixels",
                found.pixels.in_words,
                ("Clip", "Frame", "Flagged wrongly", "Missed"),
                tuple(dict.fromkeys(worst)),
            )
        )
    if isinstance(found.clips, NotAvailable):
        tables.append(CaseTable("Clips that cost most", found.clips.in_words))
    else:
        tables.append(
            CaseTable(
                "Clips that cost most",
                found.clips.in_words,
                ("Score", "Clip", "Without it", "Look at"),
                tuple(
                    (
                        own.title,
                        cost.clip,
                        f"{100 * cost.gain:+.2f}".replace("-", "−"),
                        f"frame {cost.look.frame}: {cost.look.shows}" if cost.look is not None else "",
                    )
                    for own in found.clips.metrics
                    for cost in own.clips[:1]
                    if cost.gain is not None and cost.is_told
                ),
            )
        )
    return tuple(tables)
