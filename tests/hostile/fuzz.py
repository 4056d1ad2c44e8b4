"""Thousands of broken submissions, read and checked: none may crash, hang, eat memory or confuse the output.

Run it with ``make fuzz``, or ``python tests/hostile/fuzz.py --help``. Every submission is checked by
`vadbench.validation.validate`, and read by the reader that scoring uses; both must agree whether it is sound.
"""

# ruff: noqa: T201 (a command: it prints)

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

_HERE = Path(__file__).parent
if __name__ == "__main__":
    sys.path[:0] = [str(_HERE), str(_HERE.parent / "unit/submission")]

from hostile_output import faults_of_output  # noqa: E402
from largest import LARGEST  # noqa: E402
from mutations import mutated  # noqa: E402

from vadbench.datasets.base import Clip, Dataset  # noqa: E402
from vadbench.errors import VadbenchError  # noqa: E402
from vadbench.evaluation.memory import peak_memory_bytes  # noqa: E402
from vadbench.prediction import PredictionKind  # noqa: E402
from vadbench.submission import Submission  # noqa: E402
from vadbench.truth import Truth  # noqa: E402
from vadbench.validation.submission_check import validate  # noqa: E402
from vadbench.validation.validation import Validation  # noqa: E402

SECONDS = 5.0
LARGEST_SECONDS = 60.0
MOST_MEMORY = 10**9


class FoundError(AssertionError):
    """What was found to be wrong with the program."""


def read_all(path: Path) -> str | None:
    """Code of the error that scoring would end with, reading all that it reads; None if there is none."""
    try:
        submission = Submission.open(path)
        clips = [_clip(submission, clip_id) for clip_id in submission.clip_ids]
        submission.check_against(_AsSubmitted(submission.metadata.dataset, tuple(clips)))
        for clip in clips:
            prediction = submission.clip(clip if submission.layout(clip.id).map_shape else clip.id)
            if prediction.maps is not None:
                for _ in prediction.maps.blocks():
                    pass
        _ = submission.fingerprint
    except VadbenchError as error:
        return error.code
    return None


class _AsSubmitted(Dataset):
    """A data set that has the clips of a submission, whatever they are."""

    def __init__(self, dataset_id: str, clips: tuple[Clip, ...]) -> None:
        self.id, self.root, self.clips, self.training_clips = dataset_id, None, clips, ()
        self.track_source = "mask-overlap"

    def truth(self, clip_id: str) -> Truth:
        raise AssertionError(f"nothing that is checked here needs the truth of {clip_id}")


def _clip(submission: Submission, clip_id: str) -> Clip:
    """The clip as the submission itself has it."""
    layout = submission.layout(clip_id)
    if layout.map_shape:
        return Clip(clip_id, *layout.map_shape)
    scores = layout.arrays.get(PredictionKind.FRAME_SCORES, {}).get("")
    return Clip(clip_id, scores.shape[0] if scores else 1, 1, 1)


def check(path: Path) -> Validation:
    """Check a submission; raises `FoundError` where the program is at fault."""
    start = time.perf_counter()
    validation = validate(path)
    seconds = time.perf_counter() - start
    if seconds > SECONDS:
        raise FoundError(f"it took {seconds:.1f} seconds")
    if faults := faults_of_output(validation):
        raise FoundError("; ".join(faults))
    code = read_all(path)
    # What ships with the package about other data sets, or that there is none of a name, is not looked at here.
    if code is None and validation.n_errors and validation.dataset == "folder":
        raise FoundError(f"validate finds {validation.groups[0].code}, the reader reads it")
    if code is not None and not code.startswith("U") and not validation.n_errors:
        raise FoundError(f"validate finds nothing, the reader raises {code}")
    return validation


def run(seed: int, numbers: Iterable[int], state: Path | None = None, times: list[float] | None = None) -> Counter[str]:
    """Check the submissions of these numbers; gives how often each code was the first, ``sound`` for none.

    Seconds of each, check and reader and outputs together, are added to `times`.

    Raises
    ------
    FoundError
        About the first at which the program is at fault, with its number.
    """
    found: Counter[str] = Counter()
    before = peak_memory_bytes()
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            place = Path(folder) / str(number)
            place.mkdir()
            if state is not None:
                state.write_text(str(number))
                # Ends the process where it hangs, even in a decoder that never returns.
                faulthandler.dump_traceback_later(4 * SECONDS, exit=True)
            mutant = mutated(seed, number)
            start = time.perf_counter()
            try:
                validation = check(mutant.write(place))
            except Exception as error:
                raise FoundError(f"number {number} of seed {seed} ({', '.join(mutant.steps)}): {error!r}") from error
            if times is not None:
                times.append(time.perf_counter() - start)
            # Of a process that has done other work before, only what comes on top.
            if peak_memory_bytes() - before > MOST_MEMORY:
                raise FoundError(f"number {number} of seed {seed}: {peak_memory_bytes()} bytes of memory")
            found[validation.groups[0].code if validation.n_errors else "sound"] += 1
            shutil.rmtree(place)
    if state is not None:
        faulthandler.cancel_dump_traceback_later()
    return found


def _worker(options: argparse.Namespace) -> int:
    start = time.perf_counter()
    numbers = [options.only] if options.only is not None else range(options.mutations)
    times: list[float] = []
    found = run(options.seed, numbers, options.worker, times)
    print(
        f"{sum(found.values())} submissions in {time.perf_counter() - start:.0f} s, the slowest {max(times):.2f} s, "
        f"at most {peak_memory_bytes() / 2**20:.0f} MiB"
    )
    print(", ".join(f"{code} {count}" for code, count in found.most_common()))
    return 0


def _largest() -> bool:
    """Whether the largest submissions stay within the limits, each in a process of its own."""
    for name in LARGEST:
        ended = subprocess.run(
            [sys.executable, str(_HERE / "largest.py"), name], check=False, capture_output=True, text=True
        )
        if ended.returncode:
            print(f"{name}: exit status {ended.returncode}\n{ended.stderr[-2_000:]}")
            return False
        found = json.loads(ended.stdout)
        print(f"{name}: {found['seconds']:.1f} s, {found['bytes'] / 2**20:.0f} MiB", flush=True)
        if found["bytes"] > MOST_MEMORY or found["seconds"] > LARGEST_SECONDS:
            print("that is more than the limit")
            return False
    return True


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=20_000, metavar="N", help="how many (20000)")
    parser.add_argument("--seed", type=int, default=20_261, help="of the first run with these numbers (20261)")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="one submission, to replay it")
    parser.add_argument(
        "--keep", type=Path, default=Path("fuzz-found"), help="where what was found is kept (fuzz-found)"
    )
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return _worker(options)
    if options.only is None and not _largest():
        return 1
    print(f"seed {options.seed}, {options.mutations if options.only is None else 1} mutated submissions", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "number"
        # A process of its own: a decoder that crashes takes it along.
        status = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--worker", str(state)], check=False
        ).returncode
        if status == 0:
            return 0
        number = int(state.read_text()) if state.exists() else 0
    kept = options.keep / f"{options.seed}-{number}"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    mutated(options.seed, number).write(kept)
    print(f"\nfound at number {number} (exit status {status}); the submission is in {kept}; to replay it:")
    print(f"  {sys.executable} {os.path.relpath(__file__)} --seed {options.seed} --only {number}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
