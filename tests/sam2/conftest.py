"""The real code of SAM2 with a tiny model of random weights.

Its masks mean nothing, but everything else is real: which frame a prompt reaches, types, sizes, memory. These tests run
where torch and sam2 are installed (`make test-sam2`); elsewhere they are not collected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from baselines.tao.box_table import BoxTable
from baselines.tao.segmentation.sam2_predictor import build_predictor
from baselines.tao.segmentation.sam2_settings import Sam2Settings
from vadbench import Clip

collect_ignore_glob = [] if find_spec("torch") and find_spec("sam2") else ["*.py"]

SIDE = 128
BLOCK = "model.image_encoder.trunk"
NECK = "model.image_encoder.neck"
MEMORY = "model.memory_encoder"
ATTENTION = "model.memory_attention"

TINY = [
    f"model.image_size={SIDE}",
    f"{BLOCK}.embed_dim=16",
    f"{BLOCK}.stages=[1,1,2,1]",
    f"{BLOCK}.global_att_blocks=[3]",
    f"{NECK}.d_model=64",
    f"{NECK}.position_encoding.num_pos_feats=64",
    f"{NECK}.backbone_channel_list=[128,64,32,16]",
    f"{ATTENTION}.d_model=64",
    f"{ATTENTION}.num_layers=1",
    f"{ATTENTION}.layer.d_model=64",
    f"{ATTENTION}.layer.dim_feedforward=64",
    f"{ATTENTION}.layer.self_attention.embedding_dim=64",
    f"{ATTENTION}.layer.self_attention.feat_sizes=[8,8]",
    f"{ATTENTION}.layer.cross_attention.embedding_dim=64",
    f"{ATTENTION}.layer.cross_attention.feat_sizes=[8,8]",
    f"{ATTENTION}.layer.cross_attention.kv_in_dim=16",
    f"{MEMORY}.out_dim=16",
    f"{MEMORY}.position_encoding.num_pos_feats=16",
    f"{MEMORY}.fuser.num_layers=1",
    f"{MEMORY}.fuser.layer.dim=64",
    f"+{MEMORY}.in_dim=64",
    f"+{MEMORY}.mask_downsampler.embed_dim=64",
    # Random weights would call every object absent.
    "model.pred_obj_scores=false",
    "model.pred_obj_scores_mlp=false",
    "model.fixed_no_obj_ptr=false",
    "model.no_obj_embed_spatial=false",
]

Frames = Sequence[NDArray[np.uint8]]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    import torch

    # The model is too small to share out.
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_overrides() -> list[str]:
    return TINY


@pytest.fixture(scope="session")
def build_tiny() -> Callable[..., Any]:
    def build(*more: str, settings: Sam2Settings | None = None, seed: int | None = 0) -> Any:
        settings = settings or Sam2Settings(size="tiny", device="cpu")
        return build_predictor(settings, overrides=[*TINY, *more], random_seed=seed)

    return build


@pytest.fixture(scope="session")
def shared_predictor(build_tiny):
    return build_tiny()


@pytest.fixture
def predictor(shared_predictor, monkeypatch):
    """Tiny predictor; attributes that a test sets through `monkeypatch` are gone after it."""
    return shared_predictor


@pytest.fixture
def make_frames() -> Callable[..., Frames]:
    def make(frames: int, height: int = 48, width: int = 64, *, grey: bool = False, seed: int = 1) -> Frames:
        """Noise with a bright rectangle that moves to the right."""
        rng = np.random.default_rng(seed)
        images = rng.integers(0, 90, (frames, height, width) if grey else (frames, height, width, 3), dtype=np.uint8)
        for frame in range(frames):
            left = frame * 2 % (width // 2)
            images[frame, height // 4 : height // 2, left : left + width // 4] += 140
        return list(images)

    return make


@pytest.fixture
def make_clip(make_frames) -> Callable[..., Clip]:
    def make(frames: int | Frames, height: int = 48, width: int = 64, **more: Any) -> Clip:
        images = make_frames(frames, height, width, **more) if isinstance(frames, int) else frames
        return Clip("01", len(images), *images[0].shape[:2], frame_reader=lambda: iter(images))

    return make


@pytest.fixture
def make_prompts() -> Callable[..., BoxTable]:
    def make(boxes: Mapping[tuple[int, int], Sequence[float]]) -> BoxTable:
        """Prompts by (frame, label)."""
        keys = sorted(boxes)
        return BoxTable(
            np.array([frame for frame, _ in keys]),
            np.array([boxes[key] for key in keys], dtype=np.float64),
            labels=np.array([label for _, label in keys]),
            prompts=np.ones(len(keys), dtype=bool),
        )

    return make


class Spy:
    """Calls of a predictor's methods, in order, which are carried out as well."""

    def __init__(self, predictor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.states: list[dict[str, Any]] = []
        self._predictor, self._patch = predictor, monkeypatch
        for name in ("init_state", "add_new_points_or_box", "propagate_in_video"):
            self._watch(name)

    def _watch(self, name: str) -> None:
        method = getattr(self._predictor, name)

        def watched(*given: Any, **named: Any) -> Any:
            self.calls.append((name, named))
            result = method(*given, **named)
            if name == "init_state":
                self.states.append(result)
            return result

        watched.__module__ = method.__module__
        self._patch.setattr(self._predictor, name, watched)

    def of(self, name: str) -> list[dict[str, Any]]:
        return [named for called, named in self.calls if called == name]


@pytest.fixture
def spy(predictor, monkeypatch) -> Spy:
    return Spy(predictor, monkeypatch)


@pytest.fixture
def spy_on(monkeypatch) -> Callable[[Any], Spy]:
    return lambda predictor: Spy(predictor, monkeypatch)
