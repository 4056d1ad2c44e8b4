"""Whether an array has the dtype, axes and chunks that the format gives it, found from metadata alone.

Source: submission.md, "predictions.zarr".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from vadbench.submission.arrays import ArrayReader
from vadbench.submission.faults import Fault
from vadbench.submission.problems import problem


def _fits(shape: tuple[int, ...], axes: tuple[int | str, ...]) -> bool:
    """Whether the axes are those of the format, whatever their lengths."""
    if len(shape) != len(axes) or not all(not isinstance(a, int) or a == n for a, n in zip(axes, shape, strict=True)):
        return False
    # A clip has frames and pixels, and offsets begin with 0; there may be no rows.
    return axes[0] not in {"T", "N + 1"} or all(n > 0 for n in shape)


def can_be_read(reader: ArrayReader, data_types: tuple[str, ...], axes: tuple[int | str, ...]) -> bool:
    """Whether an array of the wrong dtype or chunks still says what it means, so that the rest can be checked."""
    is_whole = all(np.dtype(name).kind in "iu" for name in data_types)
    return _fits(reader.shape, axes) and (not is_whole or reader.dtype.kind in "iu")


def form_faults(
    reader: ArrayReader, name: str, data_types: tuple[str, ...], axes: tuple[int | str, ...]
) -> Iterator[Fault]:
    """S132: dtype, axes and chunks."""
    shape, data_type = reader.shape, reader.meta.data_type
    is_maps = len(axes) == 3
    if not _fits(shape, axes) or data_type not in data_types:
        error = problem(
            "S132",
            where=reader.where,
            expected=f"{' or '.join(data_types)}, ({', '.join(map(str, axes))})",
            got=f"{data_type}, {shape}",
            hint=_dtype_hint(name, data_types) if data_type not in data_types else "",
        )
        yield Fault(error)
    elif is_maps and reader.meta.chunk_shape[1:] != shape[1:]:
        error = problem(
            "S132",
            where=reader.where,
            expected=f"chunks (c, {shape[1]}, {shape[2]})",
            got=f"chunks {reader.meta.chunk_shape}",
            hint="a chunk holds whole frames",
        )
        yield Fault(error)


def _dtype_hint(name: str, data_types: tuple[str, ...]) -> str:
    return f"{name or 'scores'}.astype(np.{next((t for t in data_types if t == 'float32'), data_types[0])})"


def length_fault(readers: Mapping[str, ArrayReader], where: tuple[str, ...]) -> Fault | None:
    """S145: the arrays of a kind have one entry a row each."""
    rows = {name: reader.shape[0] - (name == "offsets") for name, reader in readers.items() if name != "counts"}
    if len(set(rows.values())) <= 1:
        return None
    return Fault(problem("S145", where=where, got=", ".join(f"{name} of {n} rows" for name, n in rows.items())))
