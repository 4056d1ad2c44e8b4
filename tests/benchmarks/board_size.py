"""Build a board of many methods on four data sets, and time it: cold, after one changed report, and its pages alone.

    python tests/benchmarks/board_size.py --methods 500

Methods are made, random and consistent; reports and statistics pass the check of entries. Everything lies in a
temporary folder unless --keep says where. The sorting of the largest table is timed in a headless Chromium.
"""

# ruff: noqa: T201 - what it measures goes to standard output

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# The factories of methods and entries are those of the tests.
sys.path[:0] = [str(ROOT / "tests" / name) for name in ("unit/evaluation", "hostile", "browser")]

from board_entries import fit_for_an_entry, write_entry  # noqa: E402 - after the path
from made_statistics import made_statistics  # noqa: E402

DATASETS = {"ucsd-ped2": 12, "ucsd-ped1": 36, "avenue": 21, "shanghaitech": 107}
"""Clips of each."""

CHANGED = ("method-0000", "ucsd-ped2")
_DAY = "2026-01-01"
_CHANGED_SEED = 10_000_000
_BUILD = [sys.executable, "-m", "leaderboard", "build", "--date", _DAY]
_LISTED = 5


@dataclass(frozen=True)
class Measured:
    """One step.

    Parameters
    ----------
    step : str
    seconds : float
        By the clock.
    processor_seconds : float
        Of all its processes.
    peak_bytes : int
        Memory of its largest process.
    """

    step: str
    seconds: float
    processor_seconds: float
    peak_bytes: int


def write_method(repository: Path, number: int, datasets: Sequence[str], repeated: Sequence[int] = ()) -> int:
    """Write the entries of a method, and of others with the same numbers; gives the bytes of their files.

    Making numbers takes a second a method. The others have names and fingerprints of their own, so that no two files
    are the same, and the board saves nothing.
    """
    written = 0
    for dataset in datasets:
        quality = 0.1 + 0.8 * (number * 37 % 100) / 100
        report, statistics = made_statistics(number, dataset=dataset, n_clips=DATASETS[dataset], quality=quality)
        first = write_entry(repository / "submissions", folder_name(number), fit_for_an_entry(report), statistics)
        contents = {path.name: path.read_text(encoding="utf-8") for path in first.iterdir()}
        written += sum(map(len, contents.values()))
        for other in repeated:
            folder = repository / "submissions" / folder_name(other) / dataset
            folder.mkdir(parents=True, exist_ok=True)
            fingerprint = hashlib.sha256(f"{other} {dataset}".encode()).hexdigest()
            for name, text in contents.items():
                changed = text.replace(f'"Method {number}"', f'"Method {other}"').replace(
                    statistics.fingerprint, fingerprint
                )
                (folder / name).write_text(changed, encoding="utf-8")
                written += len(changed)
    return written


def folder_name(number: int) -> str:
    """Name of a method's folder."""
    return f"method-{number:04d}"


def change_one(repository: Path) -> str:
    """Give one method another report; gives the name of its row."""
    method, dataset = CHANGED
    named, _ = made_statistics(int(method.rpartition("-")[2]), dataset=dataset, n_clips=DATASETS[dataset])
    name = str(named.submission["method"]["name"])
    report, statistics = made_statistics(_CHANGED_SEED, dataset=dataset, n_clips=DATASETS[dataset], name=name)
    write_entry(repository / "submissions", method, fit_for_an_entry(report), statistics)
    return f"{method}/{dataset}"


def measured(step: str, command: Sequence[str]) -> Measured:
    """Run a command and wait for it; its output is shown where it fails."""
    with tempfile.TemporaryFile("w+") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
        if process.returncode:
            raise SystemExit(f"{step} ended with {process.returncode}:\n{text[-4_000:]}")
        if text.startswith("{"):
            print(text, end="")
    return Measured(step, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def write_pages(repository: Path) -> None:
    """Write the site of a board that is in the cache; prints the seconds of both parts as JSON."""
    from leaderboard.build import make_build
    from leaderboard.cache import BoardCache
    from leaderboard.places import Places
    from leaderboard.site import write_site

    began = time.perf_counter()
    cache = BoardCache(Places(repository).cache)
    build = make_build(repository, date=_DAY, cache=cache)
    read = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=repository) as scratch:
        write_site(build.board, Path(scratch) / "public", audit=build.audit, cache=cache)
    print(json.dumps({"board": read - began, "pages": time.perf_counter() - read}))


def profiled_pages(repository: Path) -> None:
    """Print where the time of `write_pages` goes."""
    import cProfile
    import pstats

    profile = cProfile.Profile()
    profile.runcall(write_pages, repository)
    pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


@contextmanager
def repository_at(keep: Path | None) -> Iterator[Path]:
    """A folder with the published rows and no entry."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield _with_published(keep)
        return
    with tempfile.TemporaryDirectory(prefix="board-size-") as scratch:
        yield _with_published(Path(scratch))


def _with_published(folder: Path) -> Path:
    shutil.copytree(ROOT / "leaderboard" / "published", folder / "leaderboard" / "published", dirs_exist_ok=True)
    return folder


def sizes(repository: Path) -> dict[str, Any]:
    """Files and bytes of the site, of its largest files, of tables and of the cache."""
    board = repository / "leaderboard"
    found: dict[str, Any] = {}
    for name in ("public", "tables", ".cache"):
        files = [path for path in (board / name).rglob("*") if path.is_file()]
        found[name.strip(".")] = {"files": len(files), "bytes": sum(path.stat().st_size for path in files)}
    public = sorted((path for path in (board / "public").rglob("*") if path.is_file()), key=_size, reverse=True)
    found["largest"] = {str(path.relative_to(board / "public")): _size(path) for path in public[:_LISTED]}
    return found


def _size(path: Path) -> int:
    return path.stat().st_size


_SORT = """
async () => {
  const longest = {value: 0};
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) longest.value = Math.max(longest.value, entry.duration);
  }).observe({type: "longtask", buffered: false});
  const tables = [...document.querySelectorAll("table")].filter((own) => own.tHead && own.tBodies.length);
  const table = tables.reduce((a, b) => (b.tBodies[0].rows.length > a.tBodies[0].rows.length ? b : a));
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells].slice(1, 7);
  const clicks = [];
  for (const head of [...heads, ...heads]) {
    const target = head.querySelector("button, [role=button]") || head;
    const before = performance.now();
    target.click();
    await frame();
    clicks.push({column: head.innerText.trim().split("\\n")[0], milliseconds: performance.now() - before});
  }
  return {rows: table.tBodies[0].rows.length, clicks, longest: longest.value};
}
"""


def time_sorting(page: Path) -> dict[str, Any] | None:
    """Open the start page and sort its largest table by several columns; None where there is no browser."""
    import chromium

    reason = chromium.why_not()
    if reason:
        print(f"sorting is not timed: {reason}")
        return None
    with chromium.browser() as browser:
        opened = browser.new_page()
        began = time.perf_counter()
        opened.goto(page.resolve().as_uri(), wait_until="load", timeout=300_000)
        opened.wait_for_timeout(500)
        timing = opened.evaluate(
            "() => { const t = performance.getEntriesByType('navigation')[0]; "
            "return {interactive: t.domInteractive, load: t.loadEventEnd}; }"
        )
        result: dict[str, Any] = opened.evaluate(_SORT)
        return {"opened_seconds": time.perf_counter() - began, **timing, **result}


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """All steps; gives what was measured."""
    with repository_at(arguments.keep) as repository:
        began = time.perf_counter()
        written = 0
        if not (repository / "submissions").is_dir():
            distinct = min(arguments.distinct, arguments.methods)
            with ProcessPoolExecutor(arguments.workers) as pool:
                done = [
                    pool.submit(
                        write_method,
                        repository,
                        number,
                        tuple(arguments.datasets),
                        range(number + distinct, arguments.methods, distinct),
                    )
                    for number in range(distinct)
                ]
                written = sum(one.result() for one in done)
        print(f"{arguments.methods} methods written in {time.perf_counter() - began:.0f} s, {_megabytes(written)}")
        build = [*_BUILD, "--repository", str(repository), "--workers", str(arguments.workers)]
        steps = []
        shutil.rmtree(repository / "leaderboard" / ".cache", ignore_errors=True)
        for step in ("cold", "nothing changed"):
            steps.append(_told(measured(step, build)))
        row = change_one(repository)
        steps.append(_told(measured("one report changed", [*build, "--accept", row])))
        steps.append(_told(measured("pages from the cache", [sys.executable, __file__, "--pages-of", str(repository)])))
        found = {"steps": [asdict(step) for step in steps], "sizes": sizes(repository)}
        _tell_sizes(found["sizes"])
        page = repository / "leaderboard" / "public" / "index.html"
        sorting = time_sorting(page) if arguments.browser else None
        if sorting is not None:
            found["sorting"] = sorting
            _tell_sorting(sorting)
        if arguments.profile:
            profiled_pages(repository)
    return found


def _told(step: Measured) -> Measured:
    print(
        f"{step.step:<22} {step.seconds:8.1f} s  {step.processor_seconds:8.1f} s of processors  "
        f"{_megabytes(step.peak_bytes)} at most",
        flush=True,
    )
    return step


def _tell_sizes(found: dict[str, Any]) -> None:
    for name in ("public", "tables", "cache"):
        print(f"{name:<22} {found[name]['files']:>6} files  {_megabytes(found[name]['bytes'])}")
    for name, size in found["largest"].items():
        print(f"  {name:<40} {_megabytes(size)}")


def _tell_sorting(found: dict[str, Any]) -> None:
    slowest = max(found["clicks"], key=lambda click: click["milliseconds"])
    print(
        f"browser: {found['rows']} rows; load {found['load'] / 1000:.2f} s; slowest of {len(found['clicks'])} sorts "
        f"{slowest['milliseconds']:.0f} ms ({slowest['column']}); longest task {found['longest']:.0f} ms"
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def main(given: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", type=int, default=500, metavar="N", help="methods on every data set (500)")
    parser.add_argument(
        "--distinct", type=int, default=100, metavar="N", help="methods with numbers of their own (100)"
    )
    parser.add_argument("--datasets", nargs="+", default=list(DATASETS), choices=list(DATASETS), metavar="ID")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (one a core)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where everything lies; entries there are used again")
    parser.add_argument("--no-browser", dest="browser", action="store_false", help="do not time sorting")
    parser.add_argument("--profile", action="store_true", help="print where the time of the pages goes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured")
    parser.add_argument("--pages-of", type=Path, metavar="DIR", help=argparse.SUPPRESS)
    arguments = parser.parse_args(given)
    if arguments.pages_of is not None:
        write_pages(arguments.pages_of)
        return 0
    found = run(arguments)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
