"""The check of a submission in a process of its own, with limits on memory, time and files.

`run_limited` gives what `vadbench.validation.validate` gives. Whatever happens to the process (no memory left, no time
left, a crash of a decoder, an answer that is none) is an error of the submission with a code.

Source: docs/security.md, "Limits".
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from vadbench.entries.sandbox_child import ERROR, MEMORY_EXIT, RESULT
from vadbench.errors import DataError, SubmissionError, UsageError, VadbenchError, quoted
from vadbench.submission.problems import problem
from vadbench.submission.tree import is_url
from vadbench.validation.validation import Check, Validation

_KEPT_WORDS = 2_000
_RAISED: Mapping[str, type[VadbenchError]] = {kind.__name__: kind for kind in (UsageError, DataError, SubmissionError)}

_PASSED_ON = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "XDG_CACHE_HOME", "VADBENCH_CACHE", "VADBENCH_DATA")
"""The variables of the environment that the process gets; no other one, so no secret either."""

_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Each thread of a linear algebra library asks for address space, and none is used."""

_BEGINNING = """
import importlib.util, sys
place = sys.argv.pop(1)
spec = importlib.util.spec_from_file_location("vadbench", place + "/__init__.py", submodule_search_locations=[place])
package = importlib.util.module_from_spec(spec)
sys.modules["vadbench"] = package
spec.loader.exec_module(package)
from vadbench.entries.sandbox_child import main
main()
"""
"""The program of the process: this very package, whatever is installed or lies in the current folder."""


@dataclass(frozen=True)
class Limits:
    """What the process may use.

    Parameters
    ----------
    address_space_bytes : int
        Memory that is mapped, used or not. The package and its libraries take about 160 MB of it (measured, Linux,
        Python 3.11), a check less than 1 GB more.
    cpu_seconds : int
        Of the process; a submission of the largest data set takes a few minutes.
    wall_seconds : float
        From start to end; measured by the calling process, so that one who sleeps is stopped as well.
    open_files : int
        At the same time.
    written_bytes : int
        Largest file that may be written; a check writes none.
    result_bytes : int
        Longest result that is read.
    """

    address_space_bytes: int = 4 * 2**30
    cpu_seconds: int = 1_800
    wall_seconds: float = 3_600.0
    open_files: int = 64
    written_bytes: int = 0
    result_bytes: int = 4 * 2**20


def run_limited(
    path: str | os.PathLike[str],
    *,
    dataset_id: str | None = None,
    root: str | os.PathLike[str] | None = None,
    masks: str | os.PathLike[str] | None = None,
    tracks: str | os.PathLike[str] | None = None,
    contents: bool = True,
    limits: Limits | None = None,
) -> Validation:
    """Findings about a submission, made by a process with limits.

    Parameters
    ----------
    path : str or path-like
        Folder or zip; not a URL.
    dataset_id : str, optional
        With `root`: the data set that the submission is checked against. Without either, what ships with the package
        about the data set that the submission names is used.
    root, masks, tracks : path, optional
        As `vadbench.datasets.open_dataset` takes them.
    contents : bool
        Whether arrays are read too, as `vadbench.validation.validate` takes it.
    limits : Limits, optional
        The defaults of `Limits` if None.

    Returns
    -------
    Validation
        Of `validate`; where the process did not give one, of the single error S170 (memory), S171 (time) or S172
        (it crashed, was ended, or gave something else).

    Raises
    ------
    UsageError, DataError
        What `validate` and `open_dataset` raise about a wrong call or data set: these are not the submission's fault.
        U245 for a URL, U246 if only one of `dataset_id` and `root` is given.

    Notes
    -----
    The process is an interpreter in isolated mode with this package, the libraries that are installed, and none of the
    environment but a few harmless variables. On systems other than POSIX only the time and the length of the result
    are limited, and a check "limits" that was not made says so. An interrupt ends the process too.
    Starting it takes about half a second.

    Examples
    --------
    ::

        validation = run_limited("downloads/my-method.zip")
        print(validation.exit_code)
    """
    if is_url(path):
        raise UsageError(
            "U245", "a check with limits reads files of this computer only", got=quoted(path), hint="download it first"
        )
    if (dataset_id is None) != (root is None):
        raise UsageError("U246", "a data set for a check with limits is named by its id and its folder, both")
    chosen = limits or Limits()
    # Paths are bytes: their names may be no text.
    places = {"path": path, "root": root, "masks": masks, "tracks": tracks}
    request = {
        "dataset_id": dataset_id,
        "contents": contents,
        "limits": asdict(chosen),
        **{name: None if place is None else os.fsencode(place).hex() for name, place in places.items()},
    }
    shown = os.fspath(path)
    try:
        ended = _run(json.dumps(request).encode(), chosen)
    except OSError as error:
        words = f"its process cannot be started: {error.strerror or type(error).__name__}"
        return Validation.of_error(shown, problem("S172", where=shown, got=words))
    failure = _failure(ended, shown, chosen)
    return _result(ended, shown) if failure is None else Validation.of_error(shown, failure)


def answer_within_limits(request: Mapping[str, Any], shown: str, limits: Limits) -> bytes | SubmissionError:
    """Raw answer of the process to another request; an error S170, S171 or S172 where it gave none.

    Parameters
    ----------
    request : mapping
        JSON; its ``task`` says what is asked.
    shown : str
        How messages call what is looked at.
    limits : Limits
    """
    try:
        ended = _run(json.dumps({**request, "limits": asdict(limits)}).encode(), limits)
    except OSError as error:
        words = f"its process cannot be started: {error.strerror or type(error).__name__}"
        return problem("S172", where=shown, got=words)
    return _failure(ended, shown, limits) or ended.result


@dataclass(frozen=True)
class _Ended:
    """How the process ended: exit status (negative: a signal), what it gave, its last words, what stopped it."""

    status: int
    result: bytes
    words: bytes
    late: bool = False
    too_long: bool = False


def _run(request: bytes, limits: Limits) -> _Ended:
    package = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-I", "-B", "-X", "utf8", "-c", _BEGINNING, str(package)]
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _ONE_THREAD
    pipe = subprocess.PIPE
    deadline = time.monotonic() + limits.wall_seconds
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, close_fds=True) as process:  # noqa: S603
        try:
            assert process.stdin is not None and process.stdout is not None and process.stderr is not None  # noqa: S101, PT018
            # The request is shorter than a pipe holds, so that this does not wait.
            with suppress(BrokenPipeError), process.stdin:
                process.stdin.write(request)
            result = _Reading(process.stdout, limits.result_bytes, process)
            words = _Reading(process.stderr, _KEPT_WORDS)
            late = False
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                late = True
        finally:
            # Ctrl-C too: the process does not outlive the call, nor does a trace of it.
            process.kill()
            status = process.wait()
        return _Ended(status, result.all(), words.all(), late, result.too_long)


class _Reading(threading.Thread):
    """Reads a pipe to its end: all of it, and a process that gives more is ended; or only its last bytes."""

    def __init__(self, pipe: IO[bytes], most: int, ended: subprocess.Popen[bytes] | None = None) -> None:
        super().__init__(daemon=True)
        self._pipe, self._most, self._ended = pipe, most, ended
        self._kept = b""
        self.too_long = False
        self.start()

    def run(self) -> None:
        """Read until the other side has closed."""
        with suppress(OSError, ValueError):
            while data := os.read(self._pipe.fileno(), 65_536):
                if self._ended is None:
                    self._kept = (self._kept + data)[-self._most :]
                elif self.too_long or len(self._kept) + len(data) > self._most:
                    self.too_long = True
                    self._ended.kill()
                else:
                    self._kept += data

    def all(self) -> bytes:
        """What was kept, when the other side has closed."""
        self.join()
        return self._kept


def _failure(ended: _Ended, shown: str, limits: Limits) -> SubmissionError | None:
    """Error about a process that gave no result; None if it seems to have given one."""
    memory = f"{limits.address_space_bytes / 2**30:.3g} GiB of address space"
    smaller = (
        "no submission of the format needs as much; smaller chunks need less memory. "
        "If the files are right, tell the maintainers"
    )
    if ended.late:
        return problem(
            "S171",
            where=shown,
            expected=f"at most {limits.wall_seconds:g} seconds",
            got="it was ended then",
            hint="send fewer or smaller files; larger chunks are read faster",
        )
    if ended.too_long:
        return problem(
            "S172", where=shown, expected=f"a result of at most {limits.result_bytes} bytes", got="a longer one"
        )
    if ended.status == MEMORY_EXIT:
        return problem("S170", where=shown, expected=f"at most {memory}", got="it asked for more", hint=smaller)
    if ended.status < 0:
        return _signalled(-ended.status, shown, limits, memory, smaller)
    if ended.status != 0:
        last = ended.words.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return problem(
            "S172",
            where=shown,
            got=f"exit status {ended.status}" + (f", and the words {quoted(last)}" if last else ""),
            hint="run `vadbench validate` on it, and tell the maintainers what you see",
        )
    return None


def _signalled(number: int, shown: str, limits: Limits, memory: str, hint: str) -> SubmissionError:
    if number == getattr(signal, "SIGXCPU", None):
        return problem(
            "S171",
            where=shown,
            expected=f"at most {limits.cpu_seconds} seconds of processor time",
            got="it was ended then",
            hint="send fewer or smaller files; larger chunks are read faster",
        )
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    if name == "SIGKILL":
        return problem(
            "S172",
            where=shown,
            got="the system ended it (SIGKILL); most often memory ran out",
            expected=memory,
            hint=hint,
        )
    return problem(
        "S172",
        where=shown,
        got=f"it crashed ({name})",
        hint="a file that crashes a decoder is damaged: write the clips again. If it is sound, tell the maintainers",
    )


def _result(ended: _Ended, shown: str) -> Validation:
    """What the process gave, if it is what it should be; raises what it raised about the call or the data set."""
    kind, _, rest = ended.result.partition(b"\n")
    not_applied, _, content = rest.partition(b"\n")
    raised: VadbenchError | None = None
    try:
        if kind == ERROR:
            raised = _rebuilt(json.loads(content))
        elif kind == RESULT:
            return _with_limits(Validation.model_validate_json(content), json.loads(not_applied))
    except (ValueError, KeyError, TypeError, AttributeError):
        raised = None
    if raised is not None:
        raise raised
    failure = problem("S172", where=shown, got="an answer that is no result", hint="tell the maintainers")
    return Validation.of_error(shown, failure)


def _rebuilt(fields: dict[str, Any]) -> VadbenchError:
    return _RAISED[fields.pop("kind")](fields.pop("code"), fields.pop("message"), **fields)


def _with_limits(validation: Validation, not_applied: list[str]) -> Validation:
    """The result, with a check that was not made where the system has no such limits."""
    if not not_applied:
        return validation
    left_out = Check(
        name="limits",
        made=False,
        remark=f"this system does not limit {', '.join(map(str, not_applied))}; check strangers' files on Linux",
    )
    return validation.model_copy(update={"checks": (*validation.checks, left_out)})
