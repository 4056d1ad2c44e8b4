"""Identity of a submission: SHA-256 of its metadata and of the decoded content of its arrays.

Chunking, codec, folder or zip do not change it.

Source: submission.md, "Identity".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence


def array_line(path: str, data_type: str, shape: Sequence[int], sha256: str) -> bytes:
    r"""Line of one array.

    Parameters
    ----------
    path : str
        From the submission's root, such as ``predictions.zarr/01/score_maps``.
    data_type : str
        Zarr's name, which is NumPy's: ``uint16``, ``float32``, …
    shape : sequence of int
        Written as decimal numbers joined by commas: ``180,240,360``.
    sha256 : str
        64 lower-case hex digits: of the whole array's bytes, C order, little endian.

    Examples
    --------
    >>> array_line("predictions.zarr/01/frame_scores", "float32", (180,), "ab" * 32)[:49]
    b'predictions.zarr/01/frame_scores\x00float32\x00180\x00abab'
    """
    sizes = ",".join(str(int(n)) for n in shape)
    return "\0".join((path, data_type, sizes, sha256)).encode() + b"\n"


def metadata_line(toml: bytes) -> bytes:
    """Line of ``submission.toml``: dtype and shape are empty, the content is the file's bytes."""
    return array_line("submission.toml", "", (), hashlib.sha256(toml).hexdigest())


def submission_fingerprint(lines: Iterable[bytes]) -> str:
    """SHA-256, 64 hex digits, of the lines of the metadata and all arrays, which may come in any order."""
    ordered = sorted(lines, key=lambda line: line.split(b"\0", 1)[0])
    return hashlib.sha256(b"vadbench-submission/1\n" + b"".join(ordered)).hexdigest()
