"""Kernels work where no folder can be written for their machine code."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from vadbench.kernels import compilation


def test_without_a_place_for_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    real = compilation.njit

    def refusing(**options: Any) -> Any:
        asked.append(options)
        if options.get("cache"):

            def refuse(_: object) -> None:
                raise RuntimeError("cannot cache function: no locator available")

            return refuse
        return real(**options)

    monkeypatch.setattr(compilation, "njit", refusing)
    doubled = compilation.compiled(lambda value: 2 * value)
    assert doubled(21) == 42
    assert asked == [{"nogil": True, "cache": True}, {"nogil": True}]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits of this kind")
def test_in_a_process_that_may_write_no_file(tmp_path: Path) -> None:
    """Such as the one in which a stranger's submission is read, on a machine that has compiled nothing yet."""
    program = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        import numpy as np
        from vadbench import Truth
        print(Truth.from_arrays(np.ones((1, 2, 2), dtype=bool)).frames)
        from vadbench.kernels.compilation import compiled
        print(compiled(lambda value: 2 * value)(21))
    """
    call = [sys.executable, "-c", textwrap.dedent(program)]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(call, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (["1", "42"], "")
