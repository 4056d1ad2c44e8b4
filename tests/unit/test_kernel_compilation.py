"""Kernels work where no folder can be written for their machine code."""

from __future__ import annotations

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
