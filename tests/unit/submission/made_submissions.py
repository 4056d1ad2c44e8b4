"""Small submissions for the tests of this folder, made from seeds."""

import json
import zipfile
from pathlib import Path

import numpy as np
import zarr

from vadbench.datasets.base import MemoryDataset
from vadbench.prediction import Detections, Instances
from vadbench.submission import Submission, SubmissionWriter
from vadbench.truth import Truth

METHOD = {"name": "M", "authors": ["A. Author"], "year": 2026, "code": "https://example.org/m"}
TRAINING = {"supervision": "one-class", "data": [], "pretrained": []}
TOML = """
format = "vadbench.submission/1"
dataset = "folder"
predictions = [{kinds}]
[method]
name = "M"
authors = []
year = 2026
code = "https://example.org/m"
[training]
supervision = "one-class"
data = []
pretrained = []
threshold_chosen_on = "none"
"""
SHAPE = (19, 6, 7)


def pack(folder, target, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(target, "w", method) as archive:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return target


def edit_json(path, **changes):
    """Change keys of a zarr.json; the value None removes one."""
    node = json.loads(path.read_text())
    for key, value in changes.items():
        if value is None:
            del node[key]
        else:
            node[key] = value
    path.write_text(json.dumps(node))


def maps(shape=SHAPE, dtype="uint16", seed=0):
    scores = np.random.default_rng(seed).integers(0, 200, shape)
    return scores.astype(dtype) if np.dtype(dtype).kind in "bui" else (scores / 7).astype(dtype)


def instances(frames=(0, 0, 4), objects=(0, 1, 0), seed=0, height=6, width=7):
    masks = np.random.default_rng(seed).random((len(frames), height, width)) > 0.5
    scores = np.arange(len(frames)) / 2
    return Instances.from_masks(frames, masks, scores, height=height, width=width, objects=objects)


def detections(frames=(1, 2, 2)):
    boxes = np.array([[0, 0, 1, 1], [1, 1, 7, 6], [0.5, 1, 2.25, 3]])[: len(frames)]
    return Detections(np.array(frames, dtype=np.int64), boxes, np.arange(len(frames)) / 3)


def clip_of(*, dtype="uint16", seed=0):
    return {
        "score_maps": maps(dtype=dtype, seed=seed),
        "instances": instances(seed=seed),
        "detections": detections(),
        "frame_scores": np.arange(SHAPE[0], dtype=np.float32),
    }


def write(path, clips, **options):
    options = {"dataset": "folder", "method": METHOD, "training": TRAINING, **options}
    with SubmissionWriter(path, **options) as writer:
        for clip_id, parts in clips.items():
            writer.write_clip(clip_id, **parts)
    return path


def write_with_zarr(path, clips, *, chunk_frames=8, kinds=("score_maps",), **options):
    """A submission of score maps, written as a stranger would: ``options`` go to zarr's ``create_array``."""
    root = zarr.create_group(str(path / "predictions.zarr"), zarr_format=3)
    options = {"config": {"write_empty_chunks": True}, **options}
    for clip_id, scores in clips.items():
        array = root.create_group(clip_id).create_array(
            "score_maps", shape=scores.shape, chunks=(chunk_frames, *scores.shape[1:]), dtype=scores.dtype, **options
        )
        array[...] = scores
    (path / "submission.toml").write_text(TOML.format(kinds=", ".join(f'"{kind}"' for kind in kinds)))
    return path


def dataset_of(shapes, name="folder"):
    return MemoryDataset({i: Truth.from_arrays(np.zeros(shape, dtype=bool)) for i, shape in shapes.items()}, id=name)


def read_maps(path, clip_id="01"):
    blocks = list(Submission.open(path).clip(clip_id).maps.blocks())
    assert [start for start, _ in blocks] == list(np.cumsum([0, *(len(block) for _, block in blocks[:-1])]))
    return np.concatenate([block for _, block in blocks])
