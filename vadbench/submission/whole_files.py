"""Files that appear under their names whole or not at all, with the rights that the system gives to new files.

What is written lies under a temporary name beside its place until it is whole. Errors name the place, not the
temporary name.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from vadbench.interruptions import interruptions_held

_LONGEST_BEGINNING = 100
"""Bytes of the name of the place in a temporary name; file systems allow some 255 in all."""

_NO_LINKS = frozenset({errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK})
"""What systems say that cannot give a file a second name."""


def temporary_place(target: Path) -> Path:
    """Path beside a place that nothing has, hidden, by the place's name as far as that is short."""
    beginning = os.fsencode(target.name)[:_LONGEST_BEGINNING].decode("utf-8", errors="ignore")
    return target.with_name(f".{beginning}.{secrets.token_hex(4)}")


def new_file(target: Path) -> tuple[BinaryIO, Path]:
    """Open a new file for what belongs to a place, and give its temporary path; its mode is 0666 less the umask.

    Raises
    ------
    OSError
        If the system refuses; it names the place.
    """
    temporary = temporary_place(target)
    try:
        return temporary.open("xb"), temporary
    except OSError as error:
        raise _about(target, error) from error


def new_folder(target: Path) -> Path:
    """Make a new folder for what belongs to a place, and give its temporary path; raises OSError as `new_file`."""
    temporary = temporary_place(target)
    try:
        temporary.mkdir()
    except OSError as error:
        raise _about(target, error) from error
    return temporary


def name_unless_taken(temporary: Path, target: Path, check: Callable[[], None]) -> None:
    """Give a whole file its name, and never to what has come there meanwhile.

    Parameters
    ----------
    temporary, target : Path
        In one folder.
    check : callable
        Raises if something is at the target.
    """
    check()
    try:
        # A link is refused where there is a file, in one step; a rename replaces it.
        os.link(temporary, target)
    except FileExistsError:
        check()
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise _about(target, error) from error
        check()
        temporary.replace(target)
    else:
        temporary.unlink()


def replace_together(folder: Path, contents: Mapping[str, bytes], check: Callable[[], None]) -> None:
    """Replace several files of a folder, in that order; old files keep their modes.

    Between the first and the last no interruption comes through, and where the system refuses one the ones before it
    get their old contents back.

    Parameters
    ----------
    folder : Path
    contents : mapping from name to bytes
    check : callable
        Called when everything is written and nothing replaced; raises if nothing shall be.
    """
    written: list[tuple[Path, Path]] = []
    try:
        for name, content in contents.items():
            written.append(_written(folder / name, content))
        with interruptions_held():
            check()
            _replace_all(written)
    finally:
        for temporary, _ in written:
            temporary.unlink(missing_ok=True)


def _written(target: Path, content: bytes) -> tuple[Path, Path]:
    """Write what belongs to a place, and give its temporary path and the place."""
    file, temporary = new_file(target)
    try:
        with file:
            file.write(content)
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o777)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary, target


def _replace_all(written: list[tuple[Path, Path]]) -> None:
    replaced: list[tuple[Path, bytes | None]] = []
    try:
        for temporary, target in written:
            old = target.read_bytes() if target.exists() else None
            temporary.replace(target)
            replaced.append((target, old))
    except OSError:
        for target, old in reversed(replaced):
            if old is None:
                target.unlink()
            else:
                again, _ = _written(target, old)
                again.replace(target)
        raise


def _about(target: Path, error: OSError) -> OSError:
    return type(error)(error.errno, error.strerror, str(target))
