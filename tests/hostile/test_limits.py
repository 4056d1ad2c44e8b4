"""What a check costs at most: memory and time of submissions that are small as files and large in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz import MOST_MEMORY, SECONDS, main, run
from largest import BOMBS, LARGEST

HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="memory is measured as POSIX does")


def test_bombs_and_large_chunks_stay_within_the_limits():
    """In a process whose address space ends behind the limit and what the libraries take of it."""
    names = [*BOMBS, "broken boxes", "maps of 64 MiB", "plain maps of 64 MiB", "Blosc of 64 MiB"]
    assert set(names) <= {*BOMBS, *LARGEST}
    limited = f"import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_AS, ({MOST_MEMORY + 2**29},) * 2); "
    limited += f"sys.argv = ['largest.py', *{names!r}]; sys.path.insert(0, {str(HERE)!r}); "
    limited += f"runpy.run_path({str(HERE / 'largest.py')!r}, run_name='__main__')"
    environment = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(
        [sys.executable, "-c", limited], capture_output=True, text=True, check=False, env=environment
    )
    assert ended.returncode == 0, ended.stderr[-2_000:]
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [own["name"] for own in found] == names
    for own in found:
        assert own["bytes"] < MOST_MEMORY, own
        assert own["seconds"] < SECONDS, own


def test_mutated_submissions_are_coded_errors_or_sound():
    """The beginning of what ``make fuzz`` goes through; every form of the output, and the reader beside the check."""
    found = run(7, range(200))
    assert sum(found.values()) == 200
    assert len(found) > 10
    assert 0 < found["sound"] < 100


def test_what_is_found_is_kept_and_can_be_replayed(tmp_path, monkeypatch, capsys):
    """A program that is at fault: the worker ends, and the call says where the submission is."""
    monkeypatch.setattr(sys, "argv", ["fuzz.py", "--only", "3", "--seed", "1", "--keep", str(tmp_path / "kept")])
    broken = "import sys, pathlib; pathlib.Path(sys.argv[-1]).write_text('3'); sys.exit(1)"
    genuine = subprocess.run
    monkeypatch.setattr(
        subprocess, "run", lambda command, **given: genuine([command[0], "-c", broken, *command[2:]], **given)
    )
    assert main() == 1
    assert list((tmp_path / "kept/1-3").iterdir())
    printed = capsys.readouterr().out
    assert "--seed 1 --only 3" in printed


def test_a_fault_of_the_program_is_found(monkeypatch):
    import fuzz

    monkeypatch.setattr(fuzz, "read_all", lambda path: "S134")
    with pytest.raises(fuzz.FoundError, match="number"):
        run(7, range(60))
