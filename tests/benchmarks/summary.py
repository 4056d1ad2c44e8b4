"""The claims at the head of the page: each one ratio or difference, with what is required of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from records import Record, Records, ratio, table, time_of


@dataclass(frozen=True)
class Claim:
    """Two measurements side by side.

    Parameters
    ----------
    what : str
    ours, peer : (section, facts)
        Where the two are found.
    inverted : bool
        Ours is given as a multiple of the other (less is better), such as scoring over decoding.
    least, most : float, optional
        What is required of the ratio; of a difference where `values` are named.
    values : sequence of str
        Values that are compared.
    """

    what: str
    ours: tuple[str, dict[str, Any]]
    peer: tuple[str, dict[str, Any]]
    inverted: bool = False
    least: float | None = None
    most: float | None = None
    values: Sequence[str] = ()

    def row(self, records: Records) -> tuple[str, ...] | None:
        """Row of the table; None where one of the two was not measured."""
        ours, peer = (records.first(section, **facts) for section, facts in (self.ours, self.peer))
        if not ours or not peer:
            return None
        shown = ratio(ours, peer) if self.inverted else ratio(peer, ours)
        return self.what, time_of(ours), time_of(peer), shown, self._required(ours, peer), self._difference(ours, peer)

    def _required(self, ours: Record, peer: Record) -> str:
        if (self.least is None and self.most is None) or not (ours.get("seconds") and peer.get("seconds")):
            return "–"
        found = ours["seconds"] / peer["seconds"] if self.inverted else peer["seconds"] / ours["seconds"]
        kept = (self.least is None or found >= self.least) and (self.most is None or found <= self.most)
        asked = f"≥ {self.least:g}×" if self.least is not None else f"≤ {self.most:g}×"
        return f"{asked}: {'kept' if kept else '**missed**'}"

    def _difference(self, ours: Record, peer: Record) -> str:
        own, other = ours.get("values", {}), peer.get("values", {})
        found = [abs(own[name] - other[name]) for name in self.values if name in own and name in other]
        return f"{max(found):.0e}" if found and max(found) else "0" if found else "–"


def _pixel(dtype: str, name: str, subject: str) -> tuple[str, dict[str, Any]]:
    return f"pixel-{dtype}", {"workload": name, "subject": subject}


CLAIMS = (
    *(
        Claim(
            f"four pixel metrics, uint16, {title}, {kept}; adeval",
            _pixel("uint16", name, subject),
            _pixel("uint16", name, "adeval"),
            values=("AUROC", "AUPRO"),
            least=least,
        )
        for name, title, subject, kept, least in (
            ("ped2", "Ped2 size", "first", "first", 8),
            ("ped2", "Ped2 size", "cached", "truth kept", 18),
            ("slice", "slice", "first", "first", 10),
            ("slice", "slice", "cached", "truth kept", 18),
        )
    ),
    Claim(
        "four pixel metrics, uint16, first; roc_auc_score alone",
        _pixel("uint16", "ped2", "first"),
        _pixel("uint16", "ped2", "sklearn-auroc"),
        values=("AUROC",),
    ),
    Claim(
        "four pixel metrics, uint16, first; average_precision_score alone",
        _pixel("uint16", "ped2", "first"),
        _pixel("uint16", "ped2", "sklearn-ap"),
        values=("AP",),
    ),
    Claim(
        "four pixel metrics, float32, first; roc_auc_score alone",
        _pixel("float32", "ped2", "first"),
        _pixel("float32", "ped2", "sklearn-auroc"),
        values=("AUROC",),
        least=40,
    ),
    Claim(
        "four pixel metrics, float32, first; adeval",
        _pixel("float32", "ped2", "first"),
        _pixel("float32", "ped2", "adeval"),
        values=("AUROC", "AUPRO"),
        least=1,
    ),
    *(
        Claim(
            f"counting, {title}; as a multiple of np.max",
            ("counting", {"workload": maps, "subject": "counting"}),
            ("counting", {"workload": maps, "subject": "largest"}),
            inverted=True,
            most=most,
        )
        for maps, title, most in (("heat", "smooth", 4.1), ("masks", "mostly constant", 1.8))
    ),
    *(
        Claim(
            f"scoring a stored clip, {title}; as a multiple of decoding",
            ("from-disk", {"workload": maps, "subject": "scoring"}),
            ("from-disk", {"workload": maps, "subject": "decoding"}),
            inverted=True,
            most=1.6,
        )
        for maps, title in (("heat", "smooth"), ("masks", "mostly constant"))
    ),
    Claim(
        "RBDC and TBDC; literal loop",
        ("objects", {"subject": "vadbench"}),
        ("objects", {"subject": "literal"}),
        values=("RBDC", "TBDC"),
        least=25,
    ),
    Claim(
        "RBDC and TBDC, small input; reference of the oracle tests",
        ("objects-oracle", {"subject": "vadbench"}),
        ("objects-oracle", {"subject": "oracle"}),
        values=("RBDC", "TBDC"),
    ),
    Claim(
        "ShanghaiTech size, 2 workers; as a multiple of decoding",
        ("whole", {"subject": "vadbench score", "workload": "107 clips", "workers": 2}),
        ("whole", {"subject": "decoding alone", "workload": "107 clips", "workers": 2}),
        inverted=True,
    ),
    Claim(
        "ShanghaiTech size, 2 workers; 1 worker",
        ("whole", {"subject": "vadbench score", "workload": "107 clips", "workers": 2}),
        ("whole", {"subject": "vadbench score", "workload": "107 clips", "workers": 1}),
        least=1.7,
    ),
    Claim(
        "float32, 27 clips of ShanghaiTech size, 2 workers; as a multiple of decoding",
        ("float", {"subject": "vadbench score", "workers": 2}),
        ("float", {"subject": "decoding alone", "workers": 2}),
        inverted=True,
        most=8,
    ),
)
"""Where a ratio is required, it stands here: ``least`` or ``most``."""


def summary_table(records: Records) -> str:
    """All claims of which both sides were measured."""
    rows = [row for claim in CLAIMS if (row := claim.row(records)) is not None]
    titles = ("what; against", "vadbench", "peer", "ratio", "required", "largest difference of values")
    return "## In short\n\n" + table(titles, rows) if rows else ""
