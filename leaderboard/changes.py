"""What differs from the last build: what nobody may change unnoticed, and a line of history for every row that differs.

Source: docs/leaderboard.md, "What fails".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from leaderboard.choices import Status
from leaderboard.errors import LeaderboardError
from leaderboard.history import escaped_name
from leaderboard.published_state import published_changes
from leaderboard.state import RowState, State
from vadbench import Protocol, UsageError
from vadbench.errors import VadbenchError, did_you_mean, quoted, shortened
from vadbench.tables import metric_titles, percent

TOLERANCE = 1e-4
"""What a score may move by without being accepted: a hundredth of a point, the last digit of the tables."""


@dataclass(frozen=True)
class Change:
    """A row that is not as it was.

    Parameters
    ----------
    key : str
        Name of the row.
    words : str
        What happened to it: one line, fit for Markdown.
    problems : tuple of VadbenchError
        Why it must be accepted; empty where it need not be.
    withdrawn : bool
        The row is gone.
    """

    key: str
    words: str
    problems: tuple[VadbenchError, ...] = ()
    withdrawn: bool = False


def changes_of(
    last: State | None, now: State, withdrawn: Mapping[str, str], other_clips: Collection[str] = ()
) -> tuple[Change, ...]:
    """Every row that differs from the last build, by its key; then tables of papers and their rows.

    Parameters
    ----------
    last : State or None
        None where there has been no build.
    now : State
    withdrawn : mapping from key to date
        Rows that were taken off the board before.
    other_clips : collection of str
        Keys of rows whose clips are not those of their data set.
    """
    before = {} if last is None else last.rows
    found: list[Change] = []
    for key in sorted(before.keys() | now.rows.keys()):
        if key not in now.rows:
            found.append(_vanished(key, before[key]))
        elif key not in before:
            found.append(_new(key, now.rows[key], withdrawn.get(key)))
        elif before[key] != now.rows[key]:
            found.append(_changed(key, before[key], now.rows[key]))
        if key in other_clips and (key not in before or before[key].report_sha256 != now.rows[key].report_sha256):
            found[-1] = replace(found[-1], problems=(*found[-1].problems, _other_clips(key)))
    printed = {} if last is None else last.published
    found += [Change(key, words, problems) for key, words, problems in published_changes(printed, now.published)]
    return tuple(found)


def check_accepted(changes: Collection[Change], accepted: Collection[str]) -> list[VadbenchError]:
    """Problems that nobody has accepted.

    Raises
    ------
    UsageError
        L104 for an accepted name that nothing has to be accepted of.
    """
    needed = {change.key for change in changes if change.problems}
    for name in accepted:
        if name not in needed:
            raise UsageError(
                "L104",
                "there is nothing to accept of the row",
                got=f"--accept {quoted(name)}",
                hint=did_you_mean(name, needed) if needed else "nothing has to be accepted: leave --accept out",
            )
    return [problem for change in changes if change.key not in accepted for problem in change.problems]


def _vanished(key: str, before: RowState) -> Change:
    what = f"withdrawn: {escaped_name(before.name, before.version)}{_scores_in_words(before)}"
    problem = LeaderboardError(
        "L120",
        "a row of the last build is gone",
        where=key,
        expected=f"submissions/{'/'.join(key.split('/')[:2])} with its report, as before",
        got="no such report",
        hint=f"put it back; or, if it is to be withdrawn: --accept {key} --reason TEXT",
    )
    return Change(key, what, (problem,), withdrawn=True)


def _new(key: str, now: RowState, was_withdrawn: str | None) -> Change:
    word = "new" if was_withdrawn is None else f"back on the board, withdrawn on {was_withdrawn}"
    if now.archived:
        word += ", in the archive"
    problems = (_missing_clips(key, now.missing),) if now.missing else ()
    return Change(key, f"{word}: {escaped_name(now.name, now.version)}{_scores_in_words(now)}", problems)


def _changed(key: str, before: RowState, now: RowState) -> Change:
    words: list[str] = []
    problems: list[VadbenchError] = []
    if now.archived and not before.archived:
        # The program's definitions have moved on; the row has done nothing.
        words.append(f"into the archive, scored under {_definitions(now)}")
    elif before.archived and not now.archived:
        words.append(f"scored again, under {_definitions(now)}{_scores_in_words(now)}")
    else:
        if before.signature != now.signature:
            words.append(f"another signature, {now.signature.replace('|', ' ')}")
            problems.append(_other_signature(key, before, now))
        moved = list(_moved(before, now))
        words += [own for own, _ in moved]
        far = [own for own, is_far in moved if is_far]
        if far:
            problems.append(_far(key, far))
    if set(now.missing) - set(before.missing):
        problems.append(_missing_clips(key, now.missing))
    if now.missing != before.missing:
        words.append(f"without the clips {shortened(now.missing)}" if now.missing else "with all clips again")
    words += _described_otherwise(before, now)
    problems += _losses(key, before, now)
    if before.statistics_sha256 and not now.statistics_sha256:
        words.append("without statistics, which it had")
    elif not before.statistics_sha256 and now.statistics_sha256:
        words.append("now with statistics")
    if not words:
        words.append(
            "another report, the same scores" if before.report_sha256 != now.report_sha256 else "other statistics"
        )
    return Change(key, "; ".join(words), tuple(problems))


def _losses(key: str, before: RowState, now: RowState) -> Iterator[LeaderboardError]:
    """What stood behind the row, and does no longer."""
    if before.statistics_sha256 and not now.statistics_sha256:
        yield _without_statistics(key)
    if before.status == Status.VERIFIED and now.status != Status.VERIFIED:
        yield LeaderboardError(
            "L116",
            "a row has lost its verification",
            where=key,
            expected="verified.json beside the report, of the files as they are",
            got=str(now.status),
            hint=f"verify it again (`python -m leaderboard verify`), or say --accept {key}",
        )


def _described_otherwise(before: RowState, now: RowState) -> Iterator[str]:
    if (before.name, before.version) != (now.name, now.version):
        yield f"now called {escaped_name(now.name, now.version)}"
    if before.status != now.status:
        yield f"{now.status}, before {before.status}"
    if before.supervision != now.supervision:
        yield f"{now.supervision}, before {before.supervision}"


def _definitions(row: RowState) -> str:
    return f"the definitions {row.signature.partition('|')[0]}"


def _moved(before: RowState, now: RowState) -> Iterator[tuple[str, bool]]:
    """Each score that differs, in words, and whether it moved by more than may pass."""
    titles = _titles(now)
    for metric in [*before.scores, *(own for own in now.scores if own not in before.scores)]:
        old, new = before.scores.get(metric), now.scores.get(metric)
        if old == new:
            continue
        title = titles.get(metric, metric)
        if old is None or new is None:
            yield f"{title} {percent(old)} → {percent(new)}", new is None
        elif percent(old) == percent(new):
            yield f"{title} {old!r} → {new!r}", abs(new - old) > TOLERANCE
        else:
            yield f"{title} {percent(old)} → {percent(new)}", abs(new - old) > TOLERANCE


def _titles(row: RowState) -> dict[str, str]:
    protocol = row.signature.partition("|protocol=")[2]
    try:
        return metric_titles(Protocol.parse(protocol))
    except VadbenchError:
        # Of older definitions.
        return {}


def _scores_in_words(row: RowState) -> str:
    titles = _titles(row)
    scores = [f"{titles.get(metric, metric)} {percent(value)}" for metric, value in row.scores.items()]
    return f"; {', '.join(scores)}" if scores else ""


def _far(key: str, moved: list[str]) -> LeaderboardError:
    return LeaderboardError(
        "L121",
        "a score moved by more than 0.0001 since the last build",
        where=key,
        got="\n".join(moved),
        hint=f"find out why; if it is meant: --accept {key}",
    )


def _other_signature(key: str, before: RowState, now: RowState) -> LeaderboardError:
    return LeaderboardError(
        "L122",
        "a row has another signature than in the last build: its scores mean something else",
        where=key,
        expected=before.signature,
        got=now.signature,
        hint=f"`vadbench diff` says what differs; if it is meant: --accept {key}",
    )


def _missing_clips(key: str, missing: Collection[str]) -> LeaderboardError:
    n = len(missing)
    return LeaderboardError(
        "L123",
        f"{'a clip is' if n == 1 else f'{n} clips are'} missing in a report that other rows on the same truth have",
        where=key,
        got=f"without {shortened([quoted(clip) for clip in sorted(missing)])}",
        hint=f"score all clips; if the row is to stand beside complete ones all the same: --accept {key}",
    )


def _without_statistics(key: str) -> LeaderboardError:
    return LeaderboardError(
        "L128",
        "the statistics beside a report are gone: no interval, and ranks of other rows widen",
        where=key,
        expected="statistics.json (or PROTOCOL.statistics.json) beside the report, as before",
        got="no such file",
        hint=f"`vadbench score --statistics` makes it; if the row is to stand without: --accept {key}",
    )


def _other_clips(key: str) -> LeaderboardError:
    return LeaderboardError(
        "L124",
        "the clips of a report are not those of its data set",
        where=key,
        hint=f"`vadbench submit-check` names them: score all clips; if the row is to stand as it is: --accept {key}",
    )
