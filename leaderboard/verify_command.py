"""``python -m leaderboard verify``: compare an entry with an own scoring of it, and write ``verified.json`` beside it.

Source: docs/board-entries.md, "verified.json"; docs/leaderboard.md, "Verifying an entry".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from leaderboard.errors import LeaderboardError, SeveralProblemsError
from leaderboard.main import PROGRAM
from leaderboard.parser import CommandParser, add_repository_option
from leaderboard.placement import Placement
from leaderboard.places import Places
from leaderboard.rankings import SignatureParts
from leaderboard.verification import FORMAT, VERIFIED, agree, verified_names
from vadbench import Report, UsageError
from vadbench.entries import check_entry, read_entry_files
from vadbench.errors import VadbenchError, quoted, shortened

_METADATA, _REPORT, _STATISTICS = "submission.toml", "report.json", "statistics.json"


def _parser() -> CommandParser:
    parser = CommandParser(
        "verify",
        "Compare an entry with reports of your own scoring of its\n"
        "predictions, and write verified.json beside it where they agree.\n"
        "Own statistics are read from beside an own report.",
        f"{PROGRAM} verify tao-cpu/ucsd-ped2 \\\n    out/report.json out/tao-release.report.json",
    )
    parser.add_argument("entry", metavar="METHOD/DATASET", help="the entry")
    parser.add_argument(
        "reports", metavar="REPORT", type=Path, nargs="+", help="your own report, one for each of the entry"
    )
    add_repository_option(parser)
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(arguments)
    folder = Places(options.repository).submissions / options.entry
    if len(Path(options.entry).parts) != 2 or ".." in Path(options.entry).parts or not folder.is_dir():
        raise UsageError(
            "L132",
            "there is no such entry",
            where=str(folder),
            expected="METHOD/DATASET, such as tao-cpu/ucsd-ped2",
            got=quoted(options.entry),
        )
    for path in options.reports:
        if path.resolve().parent == folder.resolve():
            raise UsageError(
                "L137",
                "the report is the entry's: nothing would be verified",
                got=quoted(path),
                hint="score the predictions yourself: vadbench score FILE.zip --statistics --report OWN.report.json",
            )
    text = verification_text(folder, options.entry, options.reports)
    with Placement() as placement:
        placement.write({folder / VERIFIED: text.encode()})
        placement.place()
    print(f"{options.entry}: verified, {folder.name}/{VERIFIED} is written")
    return 0


def verification_text(folder: Path, shown: str, own_reports: Sequence[Path]) -> str:
    """Content of ``verified.json`` for an entry whose reports are those of maintainers.

    Parameters
    ----------
    folder : Path
        The entry.
    shown : str
        How messages call it.
    own_reports : sequence of Path
        Of maintainers; statistics lie beside them, if the entry has any.

    Raises
    ------
    SeveralProblemsError
        L133 where a report of the entry has no own one, L134 for each value that is another one, L135 where
        statistics are not the same.
    LeaderboardError
        L136 where the entry itself has errors.
    """
    contents = {name: data for name, data in read_entry_files(folder, shown).contents.items() if name != VERIFIED}
    errors = [group for group in check_entry(folder, shown=shown).validation.groups if str(group.severity) == "error"]
    # An earlier verification of other files is what is to be replaced.
    wrong = [group for group in errors if group.code != "S195"]
    if wrong:
        raise LeaderboardError(
            "L136",
            "the entry has errors",
            where=shown,
            got=shortened([f"{group.code} {group.message}" for group in wrong], 3, between="; "),
            hint="`vadbench submit-check` shows them all",
        )
    again = {str(report.parsed_signature.protocol): (path, report) for path, report in map(_read, own_reports)}
    problems: list[VadbenchError] = []
    scores: dict[str, dict[str, float | None]] = {}
    for name in sorted(contents):
        if name != _REPORT and not name.endswith(f".{_REPORT}"):
            continue
        sent = Report.model_validate_json(contents[name])
        protocol = str(sent.parsed_signature.protocol)
        if protocol not in again:
            problems.append(
                LeaderboardError(
                    "L133",
                    "a report of the entry has none of yours to be compared with",
                    where=(shown, name),
                    expected=f"a report of the protocol {protocol}",
                    got=f"reports of {', '.join(sorted(again))}",
                    hint=f"score the predictions: vadbench score FILE.zip --protocol {protocol} --report OWN.json",
                )
            )
            continue
        path, own = again[protocol]
        problems += _differences(sent, own, (shown, name))
        problems += _statistics_difference(contents, name, path, (shown, name))
        scores[name] = {metric: score.value for metric, score in sorted(own.scores.items())}
    if problems:
        raise SeveralProblemsError(problems)
    files = {name: hashlib.sha256(contents[name]).hexdigest() for name in verified_names(contents)}
    content: dict[str, Any] = {"format": FORMAT, "files": files, "scores": scores}
    return json.dumps(content, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _read(path: Path) -> tuple[Path, Report]:
    return path, Report.read(path)


def _differences(sent: Report, own: Report, where: tuple[str, ...]) -> Iterator[VadbenchError]:
    pairs: list[tuple[str, object, object]] = [
        ("signature", SignatureParts.of(sent.signature).comparable, SignatureParts.of(own.signature).comparable),
        ("fingerprint of the truth", sent.dataset.fingerprint, own.dataset.fingerprint),
        ("fingerprint of the predictions", sent.submission.get("fingerprint"), own.submission.get("fingerprint")),
    ]
    rows = {row.id: row.scores for row in own.clips}
    places = [("", sent.scores, own.scores)]
    places += [(f"clip {row.id} · ", row.scores, rows.get(row.id, {})) for row in sent.clips]
    for place, given, found in places:
        for metric in sorted(given.keys() | found.keys()):
            of_entry, of_ours = (scores[metric].value if metric in scores else None for scores in (given, found))
            if not agree(of_entry, of_ours):
                pairs.append((place + metric, of_entry, of_ours))
    for name, one, other in pairs:
        if one != other:
            yield LeaderboardError(
                "L134",
                "your own report says something else than the entry's",
                where=(*where, name),
                expected=f"{one}, as the entry says",
                got=str(other),
                hint="are the predictions and the data those of the entry? If they are, its numbers are not right",
            )


def _statistics_difference(
    contents: Mapping[str, bytes], name: str, own: Path, where: tuple[str, ...]
) -> Iterator[VadbenchError]:
    beside = name.removesuffix(_REPORT) + _STATISTICS
    if beside not in contents:
        return
    path = own.with_name(own.name.removesuffix(_REPORT) + _STATISTICS)
    found = path.read_bytes() if path.is_file() else None
    if found != contents[beside]:
        yield LeaderboardError(
            "L135",
            "the statistics beside your own report are not those of the entry",
            where=where,
            expected=f"{path} with the bytes of {beside}",
            got="no such file" if found is None else "others",
            hint="make them with `vadbench score FILE.zip --statistics --report OWN.report.json`",
        )
