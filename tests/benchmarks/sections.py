"""The sections of the page: what is claimed, how it was measured, and the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from peers import PEERS
from records import (
    Record,
    Records,
    difference,
    differences,
    ratio,
    size_of,
    speed,
    table,
    three_digits,
    time_of,
    values_of,
)
from sections_of_processes import from_disk_table, scaling_table, start_up_table, whole_table
from stores import STORES
from workloads import SIZES

TITLES = {
    "first": "**vadbench, first scoring** (truth index built)",
    "cached": "**vadbench, truth index kept**",
    "vadbench": "**vadbench**",
    "literal": "literal loop, regions looked up by frame",
    "oracle": "literal reference of the oracle tests",
    "ssvad": "py-ssvad-metrics",
    **{key: peer.title for key, peer in PEERS.items()},
}


@dataclass(frozen=True)
class Section:
    """A part of the page; it is left out where nothing of it was measured."""

    title: str
    method: str
    table: Callable[[Records], str]

    def written(self, records: Records) -> str:
        """Markdown of the section."""
        made = self.table(records)
        return f"## {self.title}\n\n{self.method.strip()}\n\n{made}" if made else ""


def _pixel_tables(dtype: str) -> Callable[[Records], str]:
    def build(records: Records) -> str:
        return "\n".join(part for name in SIZES if (part := _pixel_table(records, dtype, name)))

    return build


def _pixel_table(records: Records, dtype: str, name: str) -> str:
    section = f"pixel-{dtype}"
    own = records.of(section, workload=name)
    if not own:
        return ""
    first, cached = (records.first(section, workload=name, subject=subject) for subject in ("first", "cached"))
    rows = []
    for record in own:
        is_ours = record["subject"] in {"first", "cached"}
        memory = records.first(f"memory-{dtype}", workload=name, subject=record["subject"])
        rows.append(
            (
                TITLES[record["subject"]],
                time_of(record),
                speed(record),
                "" if is_ours else f"{ratio(record, first)} / {ratio(record, cached)}",
                _memory(memory),
                values_of(record),
                "" if is_ours else differences(record, first.get("values", {})),
            )
        )
    size = SIZES[name]
    pixels = next((record["pixels"] for record in own if "pixels" in record), 0)
    titles = ("what", "median", "Mpx/s", "× first / kept", "memory above input", "gives", "less vadbench's")
    shape = f"{pixels // (size.height * size.width)} x {size.height} x {size.width}"
    return f"**{size.title}**, {shape} ({three_digits(pixels / 1e6)} Mpx), {dtype}\n\n{table(titles, rows)}"


def _memory(record: Record) -> str:
    if "memory_bytes" not in record:
        return "–"
    return f"{size_of(record['memory_bytes'])} ({record['memory_bytes'] / record['pixels']:.2g} B/px)"


def _counting_table(records: Records) -> str:
    rows = []
    for maps, title in (("heat", "smooth"), ("masks", "mostly constant")):
        loop = records.first("counting", workload=maps, subject="counting")
        largest = records.first("counting", workload=maps, subject="largest")
        if largest:
            rows.append(
                (
                    title,
                    time_of(loop),
                    f"{loop['seconds'] / loop['pixels'] * 1e9:.2f}" if "seconds" in loop else "–",
                    time_of(largest),
                    ratio(loop, largest),
                )
            )
    titles = ("maps", "counting loop", "ns/px", "np.max", "loop ÷ np.max")
    return table(titles, rows) if rows else ""


def _objects_table(records: Records) -> str:
    rows = []
    for section in ("objects", "objects-oracle", "objects-ssvad"):
        for workload in dict.fromkeys(record["workload"] for record in records.of(section)):
            ours = records.first(section, workload=workload, subject="vadbench")
            for record in records.of(section, workload=workload):
                is_ours = record is ours
                rows.append(
                    (
                        workload if is_ours else "",
                        TITLES[record["subject"]],
                        time_of(record),
                        "" if is_ours else ratio(record, ours),
                        values_of(record),
                        "" if is_ours else differences(record, ours.get("values", {})),
                    )
                )
    made = table(("input", "what", "median", "×", "gives", "less vadbench's"), rows) if rows else ""
    return "\n".join(part for part in (made, _agreement_table(records)) if part)


def _agreement_table(records: Records) -> str:
    rows = [
        (
            record["workload"],
            str(record["points"]),
            str(record["differing"]),
            difference(record["vadbench_error"]),
            difference(record["literal_error"]),
        )
        for record in records.of("objects-agreement")
    ]
    titles = ("curve", "points", "points that differ", "vadbench's area less exact", "literal loop's area less exact")
    return table(titles, rows) if rows else ""


def _formats_table(records: Records) -> str:
    rows = []
    for key, store in STORES.items():
        cells = []
        for maps in ("heat", "masks"):
            record = records.first("formats", workload=maps, subject=key)
            if "seconds" not in record:
                cells += [time_of(record) if record else "–", "–"]
                continue
            smaller = record["raw_bytes"] / record["stored_bytes"] if record.get("stored_bytes") else 0
            cells += [three_digits(record["raw_bytes"] / record["seconds"] / 1e6), f"{three_digits(smaller)}×"]
        rows.append((f"**{store.title}**" if key.startswith("vadbench") else store.title, *cells))
    titles = ("format", "smooth: MB/s", "smaller", "mostly constant: MB/s", "smaller")
    return table(titles, rows) if records.of("formats") else ""


def _awkward_table(records: Records) -> str:
    own = records.of("awkward")
    rows = []
    for name in dict.fromkeys(record["workload"] for record in own):
        exact = records.first("awkward", workload=name)["exact"]
        cells = [f"{exact['AUROC']:.4f}, {exact['AP']:.4f}, {exact['AUPRO']:.4f}"]
        for subject in ("vadbench", "adeval", "torchmetrics-binned", "pyaupro-binned"):
            record = records.first("awkward", workload=name, subject=subject)
            cells.append(time_of(record) if "unavailable" in record else _errors(record, exact))
        rows.append((name, *cells))
    titles = ("scores", "exact AUROC, AP, AUPRO", "**vadbench**", "adeval", "torchmetrics", "pyaupro")
    return table(titles, rows) if rows else ""


def _errors(record: Record, exact: dict[str, float]) -> str:
    """Differences in the order AUROC, AP or AUPR, AUPRO; what a program does not compute is left out."""
    values = record.get("values", {})
    names = ("AUROC", "AP", "AUPR (trapezoid)", "AUPRO")
    return ", ".join(difference(values[name] - exact[name]) for name in names if name in values) or "–"


def _literal_note() -> str:
    return """
RBDC and TBDC of the `standard` preset. The literal reference of the oracle tests compares every detection with
every region at every threshold, so it runs on a small input; the loop beside it
([literal_objects.py](../tests/benchmarks/literal_objects.py)) keeps its definitions and only looks regions up by
frame. The second table compares all points of the curves, and the areas with one in rational arithmetic: what is
left there is float64's rounding.

**py-ssvad-metrics defines other numbers under these names.** Read from its code (1.0.0): scores are cut at 103
fixed thresholds from 1.01 down to −0.01 (here every score is its own); detections are painted into a mask first,
overlapping ones with the mean of their scores, and what reaches the threshold is split into connected components
again, so touching detections become one and IoU is that of pixel sets; truth boxes that touch become one region
likewise; a frame has one track at most; thresholds with more than one false positive a frame are dropped, and the
area ends at the last point that is left (here the segment that crosses 1 is cut by interpolation, and the curve is
held flat up to 1). At thresholds of 0 and below the whole frame is one detection. It asks for pydantic 1 and is
given pydantic's own copy of that.
"""


SECTIONS = (
    Section(
        "Pixel metrics, uint16",
        """
Pixel-AUROC, AP, AUPRO and F1 of maps in memory; vadbench computes all four, exactly. Peers compute what their line
says. Memory is the peak of resident memory in a process of its own, above input, imports and compiled code.
torchmetrics and pyaupro take floats: they get the codes / 65 535, converted before the clock starts. adeval's AUPR
is the area under straight lines, not the step-wise AP, and has no exact counterpart here. vadbench itself is held
to scikit-learn and to literal references by `tests/oracle`; the last column shows it once more at full size.
pyaupro ranks equal scores in any order.
""",
        _pixel_tables("uint16"),
    ),
    Section(
        "Pixel metrics, float32",
        """
The same maps before they are rounded to codes: nearly every score is different. vadbench stays exact, without bins.
""",
        _pixel_tables("float32"),
    ),
    Section(
        "Counting against reading",
        """
The loop that counts 16-bit codes, one thread, beside `np.max` of the same array, one plain reading. Maps that are
mostly constant (masks, instances) take another loop.
""",
        _counting_table,
    ),
    Section(
        "Scoring from disk",
        """
One stored clip (uint16, chunks of 8 frames, Blosc lz4 with bitshuffle): `evaluate` of all metrics that score maps
have, in one thread, beside decompressing the same chunks and doing nothing with them. *Without hash*: SHA-256,
which makes the submission's fingerprint, replaced by nothing.
""",
        from_disk_table,
    ),
    Section("Regions and tracks", _literal_note(), _objects_table),
    Section(
        "Reading formats",
        """
One clip of uint16 maps, eight frames a request, page cache warm; MB of raw data a second, and how much smaller the
file is. The vadbench lines include its checks of every chunk and score. zarr decodes with as many threads as it
likes, the others with one.
""",
        _formats_table,
    ),
    Section(
        "Start-up",
        """
Whole processes from start to end. The scoring is `vadbench score` with one worker on uint16 maps of Ped2's size
(2010 frames of 240 x 360), the truth kept from an earlier run.
""",
        start_up_table,
    ),
    Section(
        "A set of ShanghaiTech's size",
        """
107 clips with the official ids and frame counts, 40 791 frames of 480 x 856, 16.8 billion pixels, from
[shanghaitech_size.py](../tests/benchmarks/shanghaitech_size.py): truth in the official layout, other for every
clip; uint16 maps of moving objects on a flat background with false alarms, and detections; all metrics. Whole
processes of `vadbench score`, start to end. Memory is sampled five times a second over the process and its
children: the largest sum of proportional shares (PSS; in brackets of resident sizes, which count shared pages once
a process); both include pages of mapped files. *Decoding alone* is a process that decompresses the same chunks with
as many workers. Smaller sets lie in the layout `folder`. *First* reads the truth from wherever it lies and keeps
it. The float maps are 13 GB of files: warm as far as memory goes.
""",
        whole_table,
    ),
    Section(
        "Cost of a pixel as clips are added",
        """
The same, two workers; from each time that of scoring two clips of eight frames is taken away, which is what
starting, opening and printing cost. A flat last column says that nothing grows faster than the input.
""",
        scaling_table,
    ),
    Section(
        "Ranges that defeat bins",
        """
Errors (value less exact) of AUROC, AP and AUPRO on the same frames with scores of other ranges, float32. adeval:
1000 bins between least and greatest score, its second number is the error of the trapezoid PR area against the
exact trapezoid. torchmetrics: 100 bins on [0, 1] (AUROC, AP), after a sigmoid where a score lies outside. pyaupro:
100 bins on [0, 1] (AUPRO). Exact values are scikit-learn's and, for AUPRO, from sorting all pixels
([accuracy.py](../tests/benchmarks/accuracy.py)).
""",
        _awkward_table,
    ),
)
