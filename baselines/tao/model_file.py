"""Fitted models on disk: arrays and one JSON header in an uncompressed ``.npz``; nothing in it is code.

Written without times or temporary names, so that the same model gives the same bytes.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.tao.box_table import write_whole
from vadbench import DataError, UsageError
from vadbench.errors import quoted

_HEADER = "header.json"
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)


def write_model(path: Path, kind: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a model; `kind` says what it is, and `read_model` asks for it.

    Parameters
    ----------
    path : Path
    kind : str
        In words, for errors.
    header : mapping
        As JSON holds it, without a key ``kind``.
    arrays : mapping from str to array
        Of numbers or truth values.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        text = json.dumps({"kind": kind, **header}, sort_keys=True, indent=1)
        archive.writestr(zipfile.ZipInfo(_HEADER, _FIRST_DAY), text)
        for name in sorted(arrays):
            array = io.BytesIO()
            np.lib.format.write_array(array, np.asarray(arrays[name], order="C"), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _FIRST_DAY), array.getvalue())
    write_whole(path, content.getvalue())


def read_model(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read header and arrays of a model.

    Never more memory than the size of the file: an array that claims to be larger than its bytes is refused.

    Raises
    ------
    DataError
        B204 if the file is absent, damaged, a model of another kind, or holds pickled objects.
    """
    with reading(path, kind), zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("a compressed entry")
        header = json.loads(archive.read(_HEADER))
        if not isinstance(header, dict) or not isinstance(header.get("kind"), str):
            raise ValueError("a header that does not say what it is")
        if header.pop("kind") != kind:
            raise ValueError(f"a model of another kind: {json.loads(archive.read(_HEADER))['kind']}")
        names = [entry.filename for entry in entries if entry.filename != _HEADER]
        return header, {name.removesuffix(".npy"): _array(name, archive.read(name)) for name in names}


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turn what goes wrong with the content of a model inside the block into `DataError` B204.

    Parameters
    ----------
    path : Path
    kind : str
        What the model should be.
    """
    try:
        yield
    except (
        OSError,
        EOFError,
        zipfile.BadZipFile,
        # Encrypted, or in a version of the format that is not known.
        RuntimeError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        # Settings that are out of their range.
        UsageError,
    ) as error:
        raise DataError(
            "B204",
            f"this is no {kind} that can be read",
            where=str(path),
            got=quoted(f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else str(error)),
            hint="delete the file and run the stage that writes it again",
        ) from error


def _array(name: str, content: bytes) -> NDArray[Any]:
    """Array of the bytes of a ``.npy`` file, looked at before memory is taken for it."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"{name} is in version {version} of its format")
    shape, _, dtype = readers[version](file)
    if dtype.hasobject:
        raise ValueError(f"{name} holds pickled objects, which are not loaded")
    if math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise ValueError(f"{name} has not as many bytes as it says")
    file.seek(0)
    return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
