"""What runs inside of a worker process: calls come in on standard input, and answers go out on standard output.

Nothing here is called by users; `vadbench.evaluation.processes` starts it.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import IO, Any

from vadbench.errors import UsageError, VadbenchError
from vadbench.evaluation.memory import peak_memory_bytes

_LENGTH = struct.Struct("<Q")

_state = {"serving": False}


@dataclass(frozen=True)
class Answer:
    """What became of a call.

    Parameters
    ----------
    result : object
        None where there is an error.
    error : Exception or None
    peak_memory_bytes : int
        Largest resident size of the worker so far; 0 where the system does not say.
    """

    result: Any
    error: BaseException | None
    peak_memory_bytes: int


def inside_worker() -> bool:
    """Whether this process is a worker."""
    return _state["serving"]


def write_message(stream: IO[bytes], content: bytes) -> None:
    """Send bytes with their length before them."""
    stream.write(_LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def read_message(stream: IO[bytes]) -> bytes | None:
    """Receive bytes; None where the other side has gone, be it in the middle of a message."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    content = stream.read(length)
    return content if len(content) == length else None


def serve() -> None:
    """Answer calls, one after the other, until the other side closes the pipe.

    A call is two messages: how the program that sends it was started (or None), and the function, both pickled.
    """
    # The program that started this one ends it; a terminal sends its interruption to both.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _state["serving"] = True
    calls, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # What a library prints must not stand between the answers, and nothing may read what was meant for us.
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    # Standard error may be closed.
    with suppress(OSError):
        os.dup2(2, 1)
    os.close(nowhere)
    incoming: SimpleQueue[tuple[bytes, bytes]] = SimpleQueue()
    threading.Thread(target=_listen, args=(calls, incoming), daemon=True).start()
    while True:
        answer = _answer(*incoming.get())
        try:
            write_message(answers, answer)
        except BrokenPipeError:
            os._exit(0)


def _listen(calls: IO[bytes], incoming: SimpleQueue[tuple[bytes, bytes]]) -> None:
    """Take in calls; end the process at once when the other side is gone, though a clip may be under way."""
    while (main := read_message(calls)) is not None and (function := read_message(calls)) is not None:
        incoming.put((main, function))
    os._exit(0)


def _answer(main: bytes, function: bytes) -> bytes:
    result, error = None, None
    try:
        result = _function(pickle.loads(main), function)()  # noqa: S301 - from the process that started this one
    except Exception as raised:
        error = _sendable(raised)
    try:
        return pickle.dumps(Answer(result, error, peak_memory_bytes()), protocol=5)
    except Exception as raised:
        return pickle.dumps(Answer(None, _sendable(raised), peak_memory_bytes()), protocol=5)


def _function(main: dict[str, Any] | None, pickled: bytes) -> Callable[[], Any]:
    """The call, whose names are looked up in the program that sends it where it needs that one."""
    if main is not None and "__mp_main__" not in sys.modules:
        from multiprocessing import spawn

        spawn.prepare(main)
    try:
        function: Callable[[], Any] = pickle.loads(pickled)  # noqa: S301 - as above
    except (AttributeError, ImportError) as error:
        raise not_found(error) from error
    return function


def not_found(error: AttributeError | ImportError) -> UsageError:
    """Error U171 about what a worker cannot import."""
    return UsageError(
        "U171",
        "a worker cannot find what it is to work with",
        got=str(error),
        hint="put the class or function into a module that can be imported where the worker is",
    )


def _sendable(error: Exception) -> Exception:
    """The error itself if it survives the way, else its text; the worker's traceback goes along as a note."""
    if not isinstance(error, VadbenchError):
        error.add_note("in a worker process:\n" + "".join(traceback.format_exception(error)))
    try:
        if type(pickle.loads(pickle.dumps(error))) is type(error):  # noqa: S301 - made in this line
            return error
    except Exception as unsendable:
        error.add_note(f"(it cannot be sent as it is: {type(unsendable).__name__})")
    told = RuntimeError(f"{type(error).__name__}: {error}")
    for note in getattr(error, "__notes__", ()):
        told.add_note(note)
    return told
