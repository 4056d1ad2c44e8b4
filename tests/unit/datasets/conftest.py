from __future__ import annotations

import importlib
from collections.abc import Callable

import pytest
from dataset_layouts import CLIPS, SHANGHAI_CLIPS, small_facts

from vadbench.datasets.facts import DatasetFacts

MODULES = {"ucsd-ped2": "ucsd", "ucsd-ped1": "ucsd", "avenue": "avenue", "shanghaitech": "shanghaitech"}


@pytest.fixture
def shrink(monkeypatch: pytest.MonkeyPatch) -> Callable[..., DatasetFacts]:
    """Let a known data set have a few small clips; everything else of its reader is as it is."""

    def shrunk(dataset_id: str, clips: dict[str, int] | None = None, **changes: object) -> DatasetFacts:
        clips = clips or (SHANGHAI_CLIPS if dataset_id == "shanghaitech" else CLIPS)
        facts = small_facts(dataset_id, clips, **changes)
        module = importlib.import_module(f"vadbench.datasets.{MODULES[dataset_id]}")
        monkeypatch.setattr(module, "load_facts", lambda _: facts)
        return facts

    return shrunk
