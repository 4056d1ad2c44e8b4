"""Each baseline writes a submission that opens and scores, and that depends on training clips alone."""

import json
import shutil
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from baselines.simple import (
    BASELINES,
    Background,
    Baseline,
    Constant,
    FrameDifference,
    RandomCells,
    Scorer,
    ScoreRange,
    write_submission,
)
from vadbench import (
    Clip,
    DataError,
    MemoryDataset,
    Submission,
    SubmissionError,
    Truth,
    UsageError,
    evaluate,
    open_dataset,
)

NAMES = sorted(BASELINES)


def bytes_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", NAMES)
def test_writes_a_submission_that_scores(name, tiny, tmp_path):
    baseline = BASELINES[name]()
    scorer = baseline.fit(tiny)
    path = write_submission(baseline, tiny, tmp_path / "out")
    submission = Submission.open(path)
    submission.check_against(tiny)
    report = evaluate(submission, tiny)
    assert report.value("pixel_auroc") is not None
    assert report.value("frame_auroc_micro") is not None
    # Regions come from detections, or from maps and a threshold.
    assert (report.value("rbdc") is not None) == (scorer.detections is not None or scorer.threshold is not None)
    provenance = submission.provenance()
    assert provenance["baseline"] == name
    assert provenance["versions"]["numpy"] == np.__version__
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


@pytest.mark.parametrize("name", [name for name in NAMES if not BASELINES[name].needs_frames])
def test_what_needs_no_frames_scores_without_them(name, tiny, tmp_path):
    bare = MemoryDataset({clip.id: tiny.truth(clip.id) for clip in tiny.clips}, id="bare")
    with pytest.raises(DataError):
        bare.clips[0].read_frames()
    Submission.open(write_submission(BASELINES[name](), bare, tmp_path / "out")).check_against(bare)


@pytest.mark.parametrize("name", NAMES)
def test_the_submission_says_who_what_and_where(name, tiny, tmp_path):
    baseline = BASELINES[name]()
    method = Submission.open(write_submission(baseline, tiny, tmp_path / "out")).metadata.method
    assert method.name == baseline.title
    assert method.authors == baseline.authors
    assert (method.paper or "", method.code or "") == (baseline.paper, baseline.code)
    assert "example.org" not in f"{method.paper} {method.code}"
    assert baseline.summary in method.description
    assert ("Parameters:" in method.description) == bool(baseline.parameters())
    for parameter, value in baseline.parameters().items():
        assert f"{parameter} {value}" in method.description


@dataclass(frozen=True)
class Own(Baseline):
    name, title, summary = "own", "Own", "All the same."
    authors = ("Ada Example", "Bo Example")
    paper, code = "", "https://code.example/own"

    def fit(self, dataset, progress=None):
        return Scorer(Constant()._scores, ScoreRange(0.0, 1.0))


def test_a_contributor_sets_authors_and_addresses(tiny, tmp_path):
    method = Submission.open(write_submission(Own(), tiny, tmp_path / "out")).metadata.method
    assert method.authors == ("Ada Example", "Bo Example")
    assert (method.paper, method.code) == (None, "https://code.example/own")
    assert method.description == "All the same."


def test_constant_has_the_values_known_beforehand(tiny, tmp_path):
    report = evaluate(Submission.open(write_submission(Constant(), tiny, tmp_path / "out")), tiny)
    share = sum(tiny.truth(clip.id).mask_runs.n_pixels for clip in tiny.clips) / (2 * 12 * 48 * 64)
    assert report.value("pixel_auroc") == 0.5
    assert report.value("pixel_ap") == pytest.approx(share, rel=1e-12)
    assert report.value("pixel_aupro") == pytest.approx(0.15, rel=1e-12)
    assert "threshold" in report.scores["rbdc"].reason


@pytest.mark.parametrize("name", NAMES)
def test_the_same_bytes_again(name, tiny, tmp_path):
    first = bytes_of(write_submission(BASELINES[name](), tiny, tmp_path / "a"))
    assert bytes_of(write_submission(BASELINES[name](), tiny, tmp_path / "b")) == first
    assert bytes_of(write_submission(BASELINES[name](), tiny, tmp_path / "a", overwrite=True)) == first


def test_another_seed_gives_other_scores(tiny, tmp_path):
    paths = [write_submission(RandomCells(seed=seed), tiny, tmp_path / str(seed)) for seed in (0, 1)]
    assert Submission.open(paths[0]).fingerprint != Submission.open(paths[1]).fingerprint
    assert Submission.open(paths[1]).provenance()["parameters"]["seed"] == 1


def test_random_boxes_are_cells_with_the_frames_highest_score(tiny, tmp_path):
    submission = Submission.open(write_submission(RandomCells(cell=0.25), tiny, tmp_path / "out"))
    prediction = submission.clip(tiny.clips[0])
    maps = np.concatenate([block for _, block in prediction.maps.blocks()])
    assert prediction.detections.frames.tolist() == list(range(12))
    for frame, (x1, y1, x2, y2) in enumerate(prediction.detections.boxes.astype(int)):
        inside = maps[frame, y1:y2, x1:x2]
        assert (inside == maps[frame].max()).all()
        assert prediction.detections.scores[frame] == maps[frame].max()


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_test_clip_changes_nothing_else(name, tiny, tiny_root, tmp_path):
    """Range, threshold and every other clip come from the training clips: no test clip has a say in them."""
    before = bytes_of(write_submission(BASELINES[name](), tiny, tmp_path / "before"))
    changed = tmp_path / "data"
    shutil.copytree(tiny_root, changed)
    # Far brighter and darker than anything in training.
    for index, path in enumerate(sorted((changed / "Test" / "Test002").iterdir())):
        Image.fromarray(np.full((48, 64), 255 * (index % 2), dtype=np.uint8)).save(path)
    # Truth is not read either.
    for path in (changed / "Test" / "Test001_gt").iterdir():
        Image.fromarray(np.full((48, 64), 255, dtype=np.uint8)).save(path)
    dataset = open_dataset("synthetic", changed)
    after = bytes_of(write_submission(BASELINES[name](), dataset, tmp_path / "after"))
    differing = {key for key in before if before[key] != after[key]}
    assert before.keys() == after.keys()
    assert all(key.startswith("predictions.zarr/02/") for key in differing), differing
    assert bool(differing) == BASELINES[name].needs_frames


@pytest.mark.parametrize("kind", [Background, FrameDifference])
def test_the_threshold_flags_the_declared_share_of_training(kind, tiny):
    scorer = kind(threshold_share=0.9).fit(tiny)
    stored = np.stack(
        [scorer.score_range.stored(scores) for clip in tiny.training_clips for scores in scorer.scores(clip)]
    )
    assert (stored >= scorer.threshold).mean() == pytest.approx(0.1, abs=0.005)
    # The range leaves room above: nothing in training is cut off.
    assert 0 < stored.max() < 65535


def test_without_training_clips(tiny_root, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(tiny_root, root)
    shutil.rmtree(root / "Train")
    dataset = open_dataset("synthetic", root)
    with pytest.raises(DataError) as caught:
        write_submission(Background(), dataset, tmp_path / "background")
    assert caught.value.code == "B201"
    assert not (tmp_path / "background").exists()
    metadata = Submission.open(write_submission(FrameDifference(), dataset, tmp_path / "difference")).metadata
    assert metadata.threshold is None
    assert metadata.training.threshold_chosen_on == "none"


class Cameras(MemoryDataset):
    """ShanghaiTech in small: two cameras, in colour, named by the digits before the underscore."""

    def __init__(self, training):
        super().__init__(
            {key: Truth.from_arrays(shape=(4, 8, 10)) for key in ("01_0001", "02_0001")}, id="shanghaitech"
        )
        self.clips = tuple(self._clip(clip.id) for clip in self.clips)
        self.training_clips = tuple(self._clip(key) for key in training)

    @staticmethod
    def _clip(clip_id):
        level = {"01": 40, "02": 200}[clip_id[:2]]
        frames = np.full((4, 8, 10, 3), level, dtype=np.uint8)
        return Clip(clip_id, 4, 8, 10, frame_reader=lambda: iter(frames))


def test_each_camera_has_its_own_background():
    dataset = Cameras(["01_001", "02_001", "02_002"])
    scorer = Background().fit(dataset)
    for clip in dataset.clips:
        for scores in scorer.scores(clip):
            assert scores == pytest.approx(0.0, abs=1e-5)


def test_a_camera_without_training_clips_is_named():
    with pytest.raises(DataError) as caught:
        Background().fit(Cameras(["01_001"]))
    assert caught.value.code == "B201"
    assert "clip 02_0001" in caught.value.where


def test_a_failure_leaves_nothing(tiny, tmp_path, monkeypatch):
    def broken(self, clip):
        if clip.id == "02":
            raise KeyboardInterrupt
        return (np.zeros((clip.height, clip.width)) for _ in range(clip.frames))

    kept = bytes_of(write_submission(Constant(), tiny, tmp_path / "kept"))
    monkeypatch.setattr(Constant, "_scores", broken)
    for name in ("new", "kept"):
        with pytest.raises(KeyboardInterrupt):
            write_submission(Constant(), tiny, tmp_path / name, overwrite=True)
    assert {path.name for path in tmp_path.iterdir()} == {"kept"}
    assert bytes_of(tmp_path / "kept") == kept


def test_what_is_in_the_way_is_left_alone(tiny, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError) as caught:
        write_submission(Constant(), tiny, tmp_path / "notes", overwrite=True)
    assert caught.value.code == "B102"
    write_submission(Constant(), tiny, tmp_path / "out")
    with pytest.raises(UsageError) as caught:
        write_submission(RandomCells(), tiny, tmp_path / "out")
    assert caught.value.code == "B101"
    assert json.loads((tmp_path / "out" / "provenance.json").read_text())["baseline"] == "constant"
    with pytest.raises(SubmissionError):
        Submission.open(tmp_path / "notes")
