"""Tables of what was measured on disk and from outside: whole processes."""

from __future__ import annotations

from records import Record, Records, ratio, seconds, size_of, speed, table, three_digits, time_of


def from_disk_table(records: Records) -> str:
    """Scoring a stored clip beside decoding it."""
    titles_of = {
        "scoring": "**vadbench, scoring**",
        "without-hash": "vadbench, scoring, without hash",
        "decoding": "decoding alone",
    }
    rows = []
    for maps, name in (("heat", "smooth"), ("masks", "mostly constant")):
        alone = records.first("from-disk", workload=maps, subject="decoding")
        for subject, title in titles_of.items():
            record = records.first("from-disk", workload=maps, subject=subject)
            if record:
                over = "" if record is alone else ratio(record, alone)
                rows.append((name, title, time_of(record), speed(record), over))
    return table(("maps", "what", "median", "Mpx/s", "÷ decoding"), rows) if rows else ""


def start_up_table(records: Records) -> str:
    """Whole processes of short commands, and of one scoring."""
    own = records.of("start-up")
    floor = records.first("start-up", subject="python -c pass")
    rows = [
        (
            f"`{record['subject']}`" if "workload" not in record else f"{record['subject']} ({record['workload']})",
            time_of(record),
            _above(record, floor),
            size_of(record.get("pss_bytes")),
        )
        for record in own
    ]
    return table(("what", "median", "above bare Python", "peak memory"), rows) if rows else ""


def _above(record: Record, floor: Record) -> str:
    if record is floor or "seconds" not in record or "seconds" not in floor:
        return "–"
    return seconds(max(0.0, record["seconds"] - floor["seconds"]))


def whole_table(records: Records) -> str:
    """The largest set, and float maps."""
    own = records.of("whole")
    largest = max((record["pixels"] for record in own), default=0)
    rows = [_whole_row(records, record, "uint16") for record in own if record["pixels"] == largest]
    rows += [_whole_row(records, record, "float32, smooth") for record in records.of("float")]
    titles = ("maps", "what", "workers", "median", "Mpx/s", "÷ decoding", "÷ 2 workers", "peak memory, PSS (RSS)")
    return table(titles, rows) if rows else ""


def _whole_row(records: Records, record: Record, maps: str) -> tuple[str, ...]:
    facts = {key: record[key] for key in ("workload", "workers")}
    alone = records.first(record["section"], subject="decoding alone", **facts)
    two = records.first(record["section"], subject=record["subject"], workload=record["workload"], workers=2)
    is_ours = record["subject"] != "decoding alone"
    memory = "–" if "pss_bytes" not in record else f"{size_of(record['pss_bytes'])} ({size_of(record['rss_bytes'])})"
    return (
        f"{record['workload']}, {maps}",
        f"**{record['subject']}**" if is_ours else record["subject"],
        str(record["workers"]),
        time_of(record),
        speed(record),
        ratio(record, alone) if is_ours else "",
        ratio(record, two) if record["workers"] == 1 else "",
        memory,
    )


def scaling_table(records: Records) -> str:
    """Cost of a pixel by number of clips, start-up taken away."""
    start = records.first("scaling", subject="start", workers=2)
    rows = []
    for record in records.of("scaling", subject="vadbench score"):
        cost = "–"
        if "seconds" in record and "seconds" in start:
            above = record["seconds"] - start["seconds"]
            cost = f"{above / record['pixels'] * 1e9:.3f}" if above > 0 else "–"
        memory = size_of(record.get("pss_bytes"))
        rows.append((record["workload"], three_digits(record["pixels"] / 1e6), time_of(record), cost, memory))
    for workers in (1, 2):
        record = records.first("scaling", subject="start", workers=workers)
        if rows and record:
            many = f"{workers} worker{'s' if workers > 1 else ''}"
            rows.append((f"start: {record['workload']}, {many}", "", time_of(record), "", ""))
    return table(("clips", "Mpx", "median", "ns a pixel", "peak memory (PSS)"), rows) if rows else ""
