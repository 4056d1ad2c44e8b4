"""Calls of ``vadbench convert`` for score maps, and files of them as different methods write them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vadbench
from vadbench.cli import main

METADATA = """\
[method]
name = "Sketch"
authors = []
year = 2026
code = "https://example.org/sketch"

[training]
supervision = "one-class"
data = ["synthetic:train"]
pretrained = []
"""
T, H, W = 16, 48, 64


class Call:
    """A call of the command with what is the same in all of them."""

    def __init__(self, folder: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.out, self.data, self.capsys = folder / "out", data, capsys
        self.metadata = folder / "method.toml"
        self.metadata.write_text(METADATA)

    def __call__(self, source: Path, foreign: str, *options: str | Path, expect: int = 0) -> str:
        arguments = [source, "--from", foreign, "--dataset", "synthetic", "--root", self.data]
        arguments += ["--metadata", self.metadata, "--out", self.out, *options]
        self.capsys.readouterr()
        assert main(["convert", *map(str, arguments)]) == expect
        captured = self.capsys.readouterr()
        assert (captured.err if expect == 0 else captured.out) == ""
        return captured.out if expect == 0 else captured.err

    def fails(self, source: Path, foreign: str, *options: str | Path, expect: int = 1) -> str:
        """The error of a call that leaves nothing behind."""
        before = sorted(self.out.parent.iterdir())
        error = self(source, foreign, *options, expect=expect)
        assert sorted(self.out.parent.iterdir()) == before
        assert "\x1b" not in error
        assert "Traceback" not in error
        return error

    def provenance(self) -> dict[str, object]:
        return json.loads((self.out / "provenance.json").read_text())


def in_arrays(folder: Path, scores: dict[str, np.ndarray], name: str = "Test0{}.npy") -> Path:
    folder.mkdir()
    for clip_id, maps in scores.items():
        np.save(folder / name.format(clip_id), maps)
    return folder


def in_archives(folder: Path, scores: dict[str, np.ndarray]) -> Path:
    folder.mkdir()
    for clip_id, maps in scores.items():
        np.savez_compressed(folder / f"{clip_id}.npz", maps)
    return folder


def in_images(folder: Path, scores: dict[str, np.ndarray], ending: str = ".png", *, first: int = 0) -> Path:
    for clip_id, maps in scores.items():
        (folder / clip_id).mkdir(parents=True)
        for frame, one in enumerate(maps, first):
            Image.fromarray(one).save(folder / clip_id / f"{frame:04}{ending}")
    return folder


def in_frame_arrays(folder: Path, scores: dict[str, np.ndarray]) -> Path:
    for clip_id, maps in scores.items():
        (folder / clip_id).mkdir(parents=True)
        for frame, one in enumerate(maps):
            np.save(folder / clip_id / f"{frame}.npy", one)
    return folder


def in_float_images(folder: Path, scores: dict[str, np.ndarray]) -> Path:
    return in_images(folder, {key: maps.astype(np.float32) for key, maps in scores.items()}, ".tif")


def numbers(report: vadbench.Report) -> dict[str, object]:
    """All that a report says of the predictions' quality."""
    content = json.loads(report.to_json(run=False))
    return {key: content[key] for key in ("scores", "clips", "curves")}
