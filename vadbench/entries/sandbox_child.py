"""The process in which a submission is checked: it limits itself first, then imports, reads and answers.

Source: docs/security.md, "Limits".
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, NoReturn

from vadbench.errors import VadbenchError

RESULT, ERROR, ENTRY = b"validation", b"error", b"entry"
"""First line of the answer: what follows is a `Validation`, an error about the call or the data set, or an entry."""

MEMORY_EXIT, FAULT_EXIT = 97, 98
"""Exit statuses: no memory was left; something that is no error of the submission went wrong."""


def main() -> NoReturn:
    """Answer the request on standard input; it never returns."""
    status = FAULT_EXIT
    try:
        request = json.loads(sys.stdin.buffer.read())
        not_applied = apply_limits(request["limits"])
        # What a library prints is not part of the answer.
        answer = os.dup(1)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        kind, content = _answered(request)
        text = b"\n".join((kind, json.dumps(not_applied).encode(), content))
        while text:
            text = text[os.write(answer, text) :]
        status = 0
    except MemoryError:
        status = MEMORY_EXIT
    except BaseException:
        import traceback

        traceback.print_exc(limit=8)
        sys.stderr.flush()
    # No tidying up: it could need what is limited.
    os._exit(status)


def apply_limits(limits: dict[str, Any]) -> list[str]:
    """Limit this process for good; gives what could not be limited, in words."""
    if sys.platform == "win32":
        return ["memory", "processor time", "open files", "file size"]
    import resource
    import signal

    # The caller ends this process when it is interrupted; a traceback of it here would be in the way.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    not_applied = []
    cpu = int(limits["cpu_seconds"])
    for words, kind, soft, hard in (
        ("core files", resource.RLIMIT_CORE, 0, 0),
        ("file size", resource.RLIMIT_FSIZE, limits["written_bytes"], limits["written_bytes"]),
        ("open files", resource.RLIMIT_NOFILE, limits["open_files"], limits["open_files"]),
        # The second later ends it with a signal that says less.
        ("processor time", resource.RLIMIT_CPU, cpu, cpu + 1),
        ("memory", resource.RLIMIT_AS, limits["address_space_bytes"], limits["address_space_bytes"]),
    ):
        before = resource.getrlimit(kind)[1]
        if before != resource.RLIM_INFINITY:
            soft, hard = min(soft, before), min(hard, before)  # noqa: PLW2901
        try:
            resource.setrlimit(kind, (soft, hard))
        except (ValueError, OSError):
            not_applied.append(words)
    return not_applied


def _answered(request: dict[str, Any]) -> tuple[bytes, bytes]:
    if request.get("task") == "entry":
        from vadbench.entries.entry_process import answer

        return ENTRY, answer(request)
    from vadbench.datasets.registry import open_dataset
    from vadbench.validation.submission_check import validate

    def place(name: str) -> str | None:
        return None if request[name] is None else os.fsdecode(bytes.fromhex(request[name]))

    try:
        dataset = None
        if request["dataset_id"] is not None:
            dataset = open_dataset(request["dataset_id"], place("root"), masks=place("masks"), tracks=place("tracks"))
        path = place("path") or ""
        return RESULT, validate(path, dataset, contents=request["contents"]).to_json().encode()
    except VadbenchError as error:
        fields = {name: getattr(error, name) for name in ("code", "message", "where", "expected", "got", "hint")}
        return ERROR, json.dumps({"kind": type(error).__name__, **fields}).encode()
