from __future__ import annotations

import hashlib
from types import SimpleNamespace

import pytest

from baselines.tao.segmentation.checkpoints import (
    checkpoint_file,
    checkpoint_name,
    config_path,
    model_of,
    sha256_of,
    where_to_get,
)
from baselines.tao.segmentation.sam2_settings import Sam2Device, Sam2Settings, Sam2Size, Sam2Version
from vadbench import DataError, UsageError

NAMES = {
    ("tiny", "2.0"): ("configs/sam2/sam2_hiera_t.yaml", "sam2_hiera_tiny.pt"),
    ("small", "2.0"): ("configs/sam2/sam2_hiera_s.yaml", "sam2_hiera_small.pt"),
    ("base-plus", "2.0"): ("configs/sam2/sam2_hiera_b+.yaml", "sam2_hiera_base_plus.pt"),
    ("large", "2.0"): ("configs/sam2/sam2_hiera_l.yaml", "sam2_hiera_large.pt"),
    ("tiny", "2.1"): ("configs/sam2.1/sam2.1_hiera_t.yaml", "sam2.1_hiera_tiny.pt"),
    ("small", "2.1"): ("configs/sam2.1/sam2.1_hiera_s.yaml", "sam2.1_hiera_small.pt"),
    ("base-plus", "2.1"): ("configs/sam2.1/sam2.1_hiera_b+.yaml", "sam2.1_hiera_base_plus.pt"),
    ("large", "2.1"): ("configs/sam2.1/sam2.1_hiera_l.yaml", "sam2.1_hiera_large.pt"),
}


def test_every_model_has_its_configuration_and_its_file():
    found = {(s.value, v.value): (config_path(s, v), checkpoint_name(s, v)) for s in Sam2Size for v in Sam2Version}
    assert found == NAMES


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "weights.pt"
    path.write_bytes(b"weights" * 300_000)
    return path


def test_a_file_that_is_there(file):
    assert checkpoint_file(Sam2Settings(file)) == file
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert sha256_of(file) == sha256
    assert checkpoint_file(Sam2Settings(str(file), sha256=f" {sha256.upper()}\n")) == file


def test_another_sha256(file):
    with pytest.raises(DataError) as caught:
        checkpoint_file(Sam2Settings(file, sha256="0" * 64))
    error = caught.value
    assert (error.code, error.where, error.expected) == ("B232", (str(file),), f"sha256 {'0' * 64}")
    assert sha256_of(file) in error.got
    assert "2100000 bytes" in error.got


@pytest.mark.parametrize(("kind", "got"), [("none", ""), ("absent", "no such file"), ("folder", "a folder")])
def test_a_file_that_is_not_there(tmp_path, kind, got):
    path = {"none": None, "absent": tmp_path / "absent.pt", "folder": tmp_path}[kind]
    with pytest.raises(UsageError) as caught:
        checkpoint_file(Sam2Settings(path, "large", "2.0"))
    error = caught.value
    assert (error.code, error.expected, error.got) == ("B231", "sam2_hiera_large.pt", got)
    assert error.where == (() if path is None else (str(path),))
    assert error.hint == where_to_get(Sam2Size.LARGE, Sam2Version.V2_0)


def test_the_words_where_to_get_it():
    words = where_to_get(Sam2Size.BASE_PLUS, Sam2Version.V2_1)
    for needed in ("sam2.1_hiera_base_plus.pt", "github.com/facebookresearch/sam2", "checkpoints", "download_ckpts.sh"):
        assert needed in words


@pytest.mark.parametrize(
    ("channels", "blocks", "size"), [(96, 12, "tiny"), (96, 16, "small"), (112, 24, "base-plus"), (144, 48, "large")]
)
def test_models_are_told_apart_by_names_and_shapes_of_their_weights(channels, blocks, size):
    weights = {f"image_encoder.trunk.blocks.{number}.{part}": None for number in range(blocks) for part in "ab"}
    weights["image_encoder.trunk.patch_embed.proj.weight"] = SimpleNamespace(shape=(channels, 3, 7, 7))
    assert model_of(weights) == f"the weights of SAM 2.0, size {size}"
    assert model_of(weights | {"no_obj_embed_spatial": None}) == f"the weights of SAM 2.1, size {size}"
    assert model_of({name: weights[name] for name in list(weights)[4:]}) is None
    assert model_of({}) is None


def test_settings_take_plain_words():
    settings = Sam2Settings("weights.pt", size="base-plus", version="2.0", device="cpu")
    assert (settings.size, settings.version, settings.device) == (Sam2Size.BASE_PLUS, Sam2Version.V2_0, Sam2Device.CPU)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"size": "bas-plus"}, 'did you mean "base-plus"'),
        ({"version": "2"}, "2.0, 2.1"),
        ({"device": "gpu"}, "auto, cpu, cuda"),
    ],
)
def test_wrong_choices(wrong, words):
    with pytest.raises(UsageError) as caught:
        Sam2Settings(**wrong)
    assert caught.value.code == "B205"
    assert f"sam2 {next(iter(wrong))}" in caught.value.message
    assert words in caught.value.block()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"sha256": "12ab"}, "64 hex digits"),
        ({"sha256": "g" * 64}, "64 hex digits"),
        ({"conditioning_frames": 1}, "2 or more"),
        ({"image_size": 1000}, "a multiple of 32"),
        ({"image_size": 0}, "128 or more"),
        ({"hole_area": -1}, "0 or more"),
    ],
)
def test_wrong_settings(wrong, words):
    with pytest.raises(UsageError) as caught:
        Sam2Settings(**wrong)
    assert caught.value.code == "B238"
    assert words in caught.value.block()
