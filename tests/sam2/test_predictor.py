"""Building a predictor: weights from files, right and wrong, and what the settings change."""

from __future__ import annotations

import dataclasses
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from baselines.tao.segmentation import checkpoints
from baselines.tao.segmentation.sam2_predictor import build_predictor
from baselines.tao.segmentation.sam2_segmenters import (
    Sam2ImageSegmenter,
    Sam2VideoSegmenter,
    make_sam2_segmenter,
)
from baselines.tao.segmentation.sam2_settings import Sam2Settings
from vadbench import DataError, UsageError

BOX = (8.0, 12.0, 24.0, 30.0)


@pytest.fixture
def save(build_tiny, tmp_path):
    def write(change=lambda weights: None, seed=5):
        import torch

        weights = build_tiny(seed=seed).state_dict()
        change(weights)
        path = tmp_path / "tiny.pt"
        torch.save({"model": weights}, path)
        return path

    return write


def settings_for(path, **more):
    return Sam2Settings(path, "tiny", device="cpu", **more)


def segmented(predictor, clip, prompts):
    return np.stack([mask.mask for mask in Sam2VideoSegmenter(predictor).segment(clip, prompts)])


def test_a_checkpoint_gives_the_model_that_was_saved(save, build_tiny, make_clip, make_prompts):
    clip, prompts = make_clip(4), make_prompts({(0, 0): BOX})
    path = save()
    sha256 = checkpoints.sha256_of(path)
    loaded = build_tiny(settings=settings_for(path, sha256=sha256.upper()), seed=None)
    assert not loaded.training
    assert loaded.fill_hole_area == 0
    expected = segmented(build_tiny(seed=5), clip, prompts)
    assert np.array_equal(segmented(loaded, clip, prompts), expected)
    assert not np.array_equal(segmented(build_tiny(seed=6), clip, prompts), expected)


def test_random_weights_leave_the_callers_random_numbers_alone(build_tiny):
    import torch

    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    build_tiny(seed=8)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda weights: weights.pop("no_mem_embed"), "1 missing (no_mem_embed)"),
        (lambda weights: weights.update(obj_ptr_more=weights["no_mem_embed"]), "1 unknown (obj_ptr_more)"),
        (lambda weights: weights.update(no_mem_embed=weights["no_mem_embed"][..., :-1]), "1 of another shape"),
    ],
)
def test_weights_of_another_model(save, build_tiny, change, words):
    path = save(change)
    with pytest.raises(DataError, match="weights of another model") as caught:
        build_tiny(settings=settings_for(path), seed=None)
    assert (caught.value.code, caught.value.where) == ("B233", (str(path),))
    assert words in caught.value.got
    assert "sam2.1_hiera_tiny.pt" in caught.value.hint


def test_a_published_model_is_recognised_by_its_weights(build_tiny):
    import torch

    with torch.device("meta"):
        weights = {f"image_encoder.trunk.blocks.{n}.norm1.weight": torch.empty(1) for n in range(24)}
        weights["image_encoder.trunk.patch_embed.proj.weight"] = torch.empty(112, 3, 7, 7)
    assert checkpoints.model_of(weights) == "the weights of SAM 2.0, size base-plus"
    weights["no_obj_embed_spatial"] = torch.empty(1, device="meta")
    assert checkpoints.model_of(weights) == "the weights of SAM 2.1, size base-plus"
    assert checkpoints.model_of(build_tiny().state_dict()) is None


@pytest.mark.parametrize("size", ["tiny", "small"])
@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_the_configuration_of_each_published_model_is_recognised(size, version):
    weights = build_predictor(Sam2Settings(size=size, version=version, device="cpu"), random_seed=0).state_dict()
    assert checkpoints.model_of(weights) == f"the weights of SAM {version}, size {size}"


class Attack:
    def __reduce__(self):
        return os.system, ("true",)


@pytest.mark.parametrize("kind", ["empty", "text", "cut off", "no model", "list", "pickle", "code"])
def test_no_checkpoint_at_all(save, build_tiny, tmp_path, kind):
    import torch

    path = save()
    content = path.read_bytes()
    if kind == "cut off":
        path.write_bytes(content[: len(content) // 2])
    elif kind == "no model":
        torch.save({"state_dict": {}}, path)
    elif kind == "list":
        torch.save([torch.zeros(2)], path)
    elif kind == "code":
        torch.save({"model": Attack()}, path)
    else:
        path.write_bytes({"empty": b"", "text": b"<html>404</html>\n", "pickle": pickle.dumps({"model": {}})}[kind])
    with pytest.raises(DataError) as caught:
        build_tiny(settings=settings_for(path), seed=None)
    if kind == "pickle":
        # A pickle of a dictionary can be read, and holds none of the weights.
        assert "missing" in caught.value.got or "cut off" in caught.value.message
    else:
        assert "is no checkpoint of SAM2, or it is cut off" in caught.value.message
    assert caught.value.code == "B233"
    assert "download_ckpts.sh" in caught.value.hint


def test_the_checkpoint_is_looked_at_before_the_model_is_built(tmp_path):
    with pytest.raises(UsageError) as caught:
        build_predictor(settings_for(tmp_path / "none.pt"))
    assert caught.value.code == "B231"


def test_no_model_of_random_weights_comes_from_the_factory():
    with pytest.raises(UsageError, match="needs a checkpoint"):
        make_sam2_segmenter(Sam2Settings(device="cpu"))


def test_the_factory(save, build_tiny, monkeypatch, tiny_overrides):
    from baselines.tao.segmentation import sam2_segmenters

    settings = dataclasses.replace(settings_for(save()), hole_area=3, offload_state=True)
    monkeypatch.setattr(
        sam2_segmenters, "build_predictor", lambda given: build_predictor(given, overrides=tiny_overrides)
    )
    video, image = make_sam2_segmenter(settings), make_sam2_segmenter(settings, tracking=False)
    assert isinstance(video, Sam2VideoSegmenter)
    assert (video.hole_area, video.offload_state) == (3, True)
    assert isinstance(image, Sam2ImageSegmenter)
    assert image.hole_area == 3


def test_settings_reach_the_model(build_tiny):
    settings = Sam2Settings(size="tiny", device="cpu", conditioning_frames=4, image_size=256)
    predictor = build_tiny(settings=settings)
    assert (predictor.max_cond_frames_in_attn, predictor.image_size) == (4, 256)
    assert build_tiny().max_cond_frames_in_attn == -1


def test_another_image_size_takes_the_same_weights(save, build_tiny, make_clip, make_prompts):
    predictor = build_tiny(settings=settings_for(save(), image_size=160), seed=None)
    assert segmented(predictor, make_clip(3), make_prompts({(0, 0): BOX})).shape == (3, 48, 64)


def test_a_gpu_that_is_not_there(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for settings, words in (
        (Sam2Settings(device="cuda"), "PyTorch sees no GPU"),
        (Sam2Settings(compile=True), "compiled for a GPU only"),
    ):
        with pytest.raises(UsageError, match=words) as caught:
            build_predictor(settings, random_seed=0)
        assert caught.value.code == "B234"


def test_missing_packages_are_named_with_the_commands_that_install_them(monkeypatch):
    from baselines.tao.segmentation import sam2_predictor

    monkeypatch.setattr(sam2_predictor, "find_spec", lambda name: None if name == "sam2" else name)
    with pytest.raises(UsageError) as caught:
        build_predictor(Sam2Settings(Path("none.pt")))
    assert caught.value.code == "B230"
    assert caught.value.got == "no module sam2"
    assert "pip install --no-deps --no-build-isolation sam2==1.1.0" in caught.value.hint
