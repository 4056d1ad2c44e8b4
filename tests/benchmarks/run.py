"""Run the benchmarks and write their page.

    python tests/benchmarks/run.py                            everything, about half an hour
    python tests/benchmarks/run.py --stages micro accuracy    some stages again; the others keep their results
    python tests/benchmarks/run.py --size quick               everything on a few frames, to see that it runs

Results go to ``.benchmarks/results.json``, and from there to ``docs/benchmarks.md`` (see ``document.py``).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
sys.path.append(str(HERE.parent / "oracle"))  # literal references that are tested there
FORMAT = "vadbench.benchmarks/1"
STAGES = ("micro", "memory", "accuracy", "startup", "whole")
PACKAGES = (
    *("vadbench", "numpy", "scipy", "numba", "zarr", "numcodecs", "scikit-learn", "adeval", "torch", "torchmetrics"),
    *("pyaupro", "py-ssvad-metrics", "h5py", "hdf5plugin", "opencv-python-headless"),
)
MEMORY_SUBJECTS = (
    *(("uint16", subject) for subject in ("first", "cached", "adeval", "sklearn-auroc", "sklearn-ap")),
    *(("uint16", subject) for subject in ("torchmetrics", "pyaupro")),
    *(("float32", subject) for subject in ("first", "cached", "adeval", "sklearn-auroc")),
)
Record = dict[str, Any]


def _tell(text: str) -> None:
    print(f"{datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)  # noqa: T201


def conditions() -> Record:
    """What the numbers depend on: machine, system, versions, date."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": _field(Path("/proc/cpuinfo"), "model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": int((_field(Path("/proc/meminfo"), "MemTotal") or "0").split()[0]) * 1024,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": versions,
    }


def _field(path: Path, name: str) -> str:
    if not path.exists():
        return ""
    rows = (line.partition(":") for line in path.read_text(encoding="utf-8").splitlines())
    return next((value.strip() for key, _, value in rows if key.strip() == name), "")


def _micro(options: argparse.Namespace, store: Path) -> list[Record]:
    path = store / "micro.json"
    path.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", str(HERE), "--benchmark-only", "--size", options.size]
    # Peers warn of many things; an error in vadbench still fails the run.
    command += ["--records", str(path), "-o", "filterwarnings=default", "-p", "no:cacheprovider", "--disable-warnings"]
    command += ["--benchmark-columns=median,min,max,rounds", f"--benchmark-json={store / 'pytest-benchmark.json'}"]
    done = subprocess.run(command, cwd=REPOSITORY, check=False)
    if not path.exists():
        raise subprocess.CalledProcessError(done.returncode, ["python", "pytest"])
    records = list(json.loads(path.read_text(encoding="utf-8")))
    # A measurement that fails is a row without a number; the others are worth having.
    return [own if "seconds" in own or "unavailable" in own else {**own, "unavailable": "failed"} for own in records]


def _memory(options: argparse.Namespace, store: Path) -> list[Record]:
    from workloads import EXTENTS

    frames = EXTENTS[options.size].frames_of("ped2") or 0
    records = []
    for dtype, subject in MEMORY_SUBJECTS:
        if options.size == "quick" and (dtype == "float32" or subject not in {"first", "adeval", "sklearn-auroc"}):
            continue  # starting and warming takes longer than all the rest
        _tell(f"memory of {subject} on {dtype}")
        command = [sys.executable, str(HERE / "memory.py"), subject, "ped2", dtype, str(frames)]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        facts = {"section": f"memory-{dtype}", "workload": "ped2", "subject": subject}
        if done.returncode:
            records.append({**facts, "unavailable": done.stderr.strip()[-200:] or f"ended with {done.returncode}"})
        else:
            records.append({**facts, **json.loads(done.stdout.splitlines()[-1])})
    return records


def _accuracy(options: argparse.Namespace, store: Path) -> list[Record]:
    from accuracy import measured
    from workloads import EXTENTS

    _tell("values on awkward ranges")
    return measured(EXTENTS[options.size])


def _start_up(options: argparse.Namespace, store: Path) -> list[Record]:
    from whole_process import start_up

    quick = options.size == "quick"
    return start_up(_tell, 2 if quick else 7, quick=quick)


def _whole(options: argparse.Namespace, store: Path) -> list[Record]:
    from whole_process import whole_set

    quick = options.size == "quick"
    return whole_set(_tell, 1 if quick else 3, quick=quick, float_clips=options.float_clips)


RUNNERS: dict[str, Callable[[argparse.Namespace, Path], list[Record]]] = dict(
    zip(STAGES, (_micro, _memory, _accuracy, _start_up, _whole), strict=True)
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="run.py", description="Run the benchmarks and write their page.")
    parser.add_argument("--size", choices=("full", "quick"), default="full", help="quick: a few frames of everything")
    parser.add_argument("--stages", choices=STAGES, nargs="+", default=STAGES, metavar="STAGE", help=", ".join(STAGES))
    parser.add_argument(
        "--float-clips", type=int, default=27, help="clips of float32 maps, half a GB of disk each (27)"
    )
    parser.add_argument("--document", type=Path, help="page to write (docs/benchmarks.md; quick: beside the results)")
    options = parser.parse_args(arguments)
    if not 1 <= options.float_clips <= 107:
        parser.error("--float-clips is 1 to 107")
    store = Path(os.environ.get("VADBENCH_BENCHMARKS", REPOSITORY / ".benchmarks")).absolute()
    if options.size == "quick":
        # Apart, so that a quick run leaves the workloads and results of a full one alone.
        store /= "quick"
    os.environ["VADBENCH_BENCHMARKS"] = str(store)
    store.mkdir(parents=True, exist_ok=True)
    path = store / "results.json"
    try:
        results = _kept(path)
        for stage in options.stages:
            _tell(f"stage {stage}")
            began = time.perf_counter()
            before = conditions()
            records = RUNNERS[stage](options, store)
            before["seconds"] = round(time.perf_counter() - began)
            results["stages"][stage] = {"conditions": before, "records": records}
            results["size"] = options.size
            path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    except KeyboardInterrupt:
        _tell("interrupted; the stages that were finished are kept")
        return 130
    except subprocess.CalledProcessError as error:
        _tell(f"{Path(error.cmd[1]).name} ended with {error.returncode}; the stages before it are kept")
        return 1
    from document import written

    default = store / "benchmarks.md" if options.size == "quick" else REPOSITORY / "docs" / "benchmarks.md"
    page = options.document or default
    # From the file, so that the page is the one which `document.py` makes of it.
    page.write_text(written(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")
    print(page.read_text(encoding="utf-8") if sys.stdout.isatty() else page)  # noqa: T201
    return 0


def _kept(path: Path) -> Record:
    """Results of earlier runs, of which this one may replace some stages."""
    if path.exists():
        try:
            results = json.loads(path.read_text(encoding="utf-8"))
            if results.get("format") == FORMAT:
                return dict(results)
        except (ValueError, AttributeError):
            _tell(f"{path.name} cannot be read and is written anew")
    return {"format": FORMAT, "stages": {}}


if __name__ == "__main__":
    sys.exit(main())
