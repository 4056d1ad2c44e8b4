"""Processes of a pool and Ctrl-C, which reaches every process of a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leaderboard.processes import answers, process_pool

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys, time
from leaderboard.processes import answers, process_pool
try:
    pool = process_pool(2)
    try:
        for answer in answers(pool, abs, [-1] * 10_000, chunksize=1):
            pass
        time.sleep(60)
    finally:
        pool.shutdown(cancel_futures=True)
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_answers_are_in_the_order_of_the_jobs() -> None:
    pool = process_pool(2)
    try:
        assert list(answers(pool, abs, [-3, -2, -1, 0], chunksize=1)) == [3, 2, 1, 0]
    finally:
        pool.shutdown()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="the processes of a process are read below /proc")
@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be blocked here")
@pytest.mark.parametrize("wait", [0.0, 0.05])
def test_an_interruption_while_processes_begin_says_nothing_of_them(wait: float) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True
    )
    children = Path(f"/proc/{program.pid}/task/{program.pid}/children")
    # The tracker of resources, and the first process of the pool, which has not got far.
    while len(children.read_text().split()) < 2 and program.poll() is None:
        time.sleep(0.001)
    time.sleep(wait)
    os.killpg(program.pid, signal.SIGINT)
    _, error = program.communicate(timeout=60)
    assert error == b""
    assert program.returncode == 130


def test_an_interruption_within_exec_ends_like_any_other(tmp_path: Path) -> None:
    # Of programs that are run as modules Python remembers it, though somebody answered it.
    (tmp_path / "made_program.py").write_text(
        """
import sys
from vadbench.command_line import Codes, run_program
def interrupted():
    exec("raise KeyboardInterrupt")
sys.exit(run_program(interrupted, Codes(call="L103", command="L102", refused="L101", memory="L100")))
"""
    )
    done = subprocess.run(
        [sys.executable, "-m", "made_program"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, "interrupted\n")
