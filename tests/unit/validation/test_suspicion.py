"""Predictions from the truth are flagged; honest ones, and honest ones that look alike, are not."""

import numpy as np
import pytest
import zarr
from made_submissions import write

from vadbench.datasets.base import MemoryDataset
from vadbench.errors import DataError
from vadbench.prediction import Detections
from vadbench.truth import Truth
from vadbench.validation import validate
from vadbench.validation.suspicion import LabelledScores, Presence, presence_remarks, separation_remarks

TRAINED = {"supervision": "one-class", "data": ["folder:train"], "pretrained": []}
SIZE = (40, 12, 16)
RNG = np.random.default_rng(3)


def masks(start, stop):
    made = np.zeros(SIZE, dtype=bool)
    made[start:stop, 3:6, 4:9] = True
    return made


MASKS = {"01": masks(10, 25), "02": masks(20, 35), "03": masks(5, 12), "04": masks(0, 0), "05": masks(30, 40)}
DATASET = MemoryDataset({clip_id: Truth.from_arrays(own) for clip_id, own in MASKS.items()}, id="folder")
LABELS = {clip_id: own.any(axis=(1, 2)) for clip_id, own in MASKS.items()}


def warnings_of(tmp_path, clips, dataset=DATASET):
    path = write(tmp_path / "m", clips, training=TRAINED, overwrite=True)
    result = validate(path, dataset)
    assert result.n_errors == 0, result.groups
    return {(group.code, group.where[0]): group for group in result.groups}


def boxes_at(frames):
    frames = np.flatnonzero(frames)
    return {"detections": Detections(frames, np.tile([1, 1, 4, 4], (len(frames), 1)), RNG.random(len(frames)))}


def moved(labels, begin, end):
    """Labels that begin and end by so many frames later."""
    changes = np.flatnonzero(np.diff(labels.astype(int), prepend=0, append=0))
    made = np.zeros_like(labels)
    for start, stop in zip(changes[::2], changes[1::2], strict=True):
        made[max(start + begin, 0) : max(stop + end, 0)] = True
    return made


def with_one_false_alarm(labels, i):
    made = labels.copy()
    made[18] |= i == "03"
    return made


def ramps(i):
    """Scores that begin to rise before the label and fall after it, by degrees, as those of a good method."""
    seen = moved(LABELS[i], DELAY[i] - 2, 1 - DELAY[i])
    return np.convolve(np.pad(seen.astype(float), 4, "edge"), np.hanning(9), "valid") + RNG.random(40)


FROM_TRUTH = {
    "boxes": lambda i: boxes_at(LABELS[i]),
    "maps": lambda i: {"score_maps": (MASKS[i] * RNG.integers(1, 60_000, SIZE)).astype(np.uint16)},
    "scores": lambda i: {"frame_scores": LABELS[i] * RNG.random(40) - 3},
    "a false alarm": lambda i: boxes_at(with_one_false_alarm(LABELS[i], i)),
    "wider": lambda i: boxes_at(moved(LABELS[i], -1, 1)),
    "narrower": lambda i: boxes_at(moved(LABELS[i], 1, -1)),
    "two later": lambda i: boxes_at(moved(LABELS[i], 2, 2)),
    "gaps": lambda i: boxes_at(moved(LABELS[i], 1, 0) & (np.arange(40) % 6 != 2)),
    "maps flat elsewhere": lambda i: {
        "score_maps": np.where(LABELS[i][:, None, None], RNG.normal(-5, 1, SIZE), -int(i)).astype(np.float32)
    },
    "maps with faint noise": lambda i: {"score_maps": MASKS[i] + RNG.random(SIZE) * 1e-3},
    "scores with noise": lambda i: {"frame_scores": LABELS[i] + RNG.random(40)},
    "labels alone": lambda i: {"frame_scores": LABELS[i].astype(float)},
}


@pytest.mark.parametrize("name", FROM_TRUTH)
def test_predictions_from_the_truth_are_flagged(tmp_path, name):
    clips = {i: FROM_TRUTH[name](i) for i in MASKS}
    (kind,) = clips["01"]
    found = warnings_of(tmp_path, clips)
    assert found["S155", kind].count == 1
    assert [code for code, _ in found].count("S155") == 1


def test_the_sentence_has_the_numbers(tmp_path):
    group = warnings_of(tmp_path, {i: FROM_TRUTH["two later"](i) for i in MASKS})["S155", "detections"]
    n_normal = sum(int((~own).sum()) for own in LABELS.values()) - 14  # two beside each of seven changes
    assert f"none of the {n_normal} normal frames" in group.got
    assert "at 7 of the 7 frames" in group.got
    assert "moved by +2 frames where they begin and +2 where they end" in group.got


@pytest.mark.parametrize("name", FROM_TRUTH)
def test_without_the_labels_nothing_is_said(tmp_path, name):
    found = warnings_of(tmp_path, {i: FROM_TRUTH[name](i) for i in MASKS}, None)
    assert not any(code == "S155" for code, _ in found)


DELAY = {"01": 3, "02": 0, "03": 1, "04": 0, "05": 4}
HONEST = {
    "three false alarms": lambda i: boxes_at(LABELS[i] | (np.arange(40) == {"01": 2, "04": 7, "02": 39}.get(i))),
    "late by 3": lambda i: boxes_at(moved(LABELS[i], 3, 0)),
    "late at first, exact at the end": lambda i: boxes_at(moved(LABELS[i], DELAY[i], 0)),
    "exact at first, early at the end": lambda i: boxes_at(moved(LABELS[i], 0, -DELAY[i])),
    "by some frames": lambda i: boxes_at(moved(LABELS[i], DELAY[i] - 2, 1 - DELAY[i])),
    "flat maps until late": lambda i: {
        "score_maps": np.where(moved(LABELS[i], DELAY[i], 2)[:, None, None], RNG.random(SIZE), 0.0)
    },
    "half of the frames": lambda i: boxes_at(LABELS[i] & (np.arange(40) % 2 == 0)),
    "nothing": lambda i: boxes_at(np.zeros(40, bool)),
    "everywhere": lambda i: boxes_at(np.ones(40, bool)),
    "noise": lambda i: {"score_maps": RNG.integers(0, 60_000, SIZE).astype(np.uint16)},
    "constant": lambda i: {"score_maps": np.ones(SIZE, np.uint8), "frame_scores": np.zeros(40)},
    "good scores": lambda i: {"frame_scores": ramps(i)},
    "good maps": lambda i: {"score_maps": ramps(i)[:, None, None] * RNG.random(SIZE)},
    "one frame on the wrong side": lambda i: {
        "frame_scores": LABELS[i] + RNG.random(40) - (i == "03") * (np.arange(40) == 11)
    },
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_predictions_are_not(tmp_path, name):
    found = warnings_of(tmp_path, {i: HONEST[name](i) for i in MASKS})
    assert not {"S155", "S156"} & {code for code, _ in found}


def test_a_good_detector_is_not_accused_by_chance():
    rng = np.random.default_rng(0)
    labels = [own for own in LABELS.values() for _ in range(2)]
    for _ in range(300):
        errors = rng.normal(0, 2, (len(labels), 2)).round().astype(int)
        clips = [Presence(own, moved(own, *error)) for own, error in zip(labels, errors, strict=True)]
        assert list(presence_remarks("detections", clips)) == []


def test_few_normal_frames_or_changes_say_nothing():
    labels = np.zeros(9, dtype=bool)
    labels[6:] = True  # four normal frames that are not beside the change
    clips = [Presence(labels, labels)] * 6
    assert len(list(presence_remarks("detections", clips))) == 1
    assert list(presence_remarks("detections", clips[:5])) == []
    assert list(presence_remarks("detections", [Presence(labels[1:], labels[1:])] * 6)) == []
    whole = LabelledScores(labels, labels.astype(float))
    assert len(list(separation_remarks("frame_scores", [whole] * 6))) == 1
    assert list(separation_remarks("frame_scores", [whole] * 5)) == []
    ones = [LabelledScores(np.array([i % 2 == 0]), np.array([i % 2 == 0])) for i in range(60)]
    assert list(separation_remarks("frame_scores", ones)) == []


def test_frames_that_could_not_be_read_are_not_silent_ones(tmp_path):
    clips = {i: boxes_at(LABELS[i]) for i in MASKS}
    clips["01"] = boxes_at(np.ones(40, bool))
    path = write(tmp_path / "m", clips, training=TRAINED)
    frames = zarr.open_group(str(path / "predictions.zarr"), mode="r+")["01/detections/frame"]
    frames[:] = np.arange(40) + 1
    result = validate(path, DATASET)
    assert [group.code for group in result.groups] == ["S141"]
    (check,) = [check for check in result.checks if "labels of the test set" in check.name]
    assert (check.made, "detections" in check.remark) == (False, True)


def normalised(scores):
    return (scores - scores.min()) / (scores.max() - scores.min())


def by_maximum(scores):
    return scores / scores.max()


FIVE = ("01", "02", "03", "04", "05")
PER_CLIP = {
    "float maps": lambda: {"score_maps": normalised(RNG.normal(size=SIZE))},
    "uint16 maps": lambda: {"score_maps": np.round(normalised(RNG.normal(size=SIZE)) * 65535).astype(np.uint16)},
    "uint8 maps": lambda: {"score_maps": (normalised(RNG.normal(size=SIZE)) * 255).astype(np.uint8)},
    "frame scores": lambda: {"frame_scores": normalised(RNG.normal(size=40))},
    "by the maximum alone": lambda: {"frame_scores": by_maximum(RNG.random(40))},
    "maps by the maximum alone": lambda: {"score_maps": by_maximum(RNG.random(SIZE))},
}


@pytest.mark.parametrize("name", PER_CLIP)
def test_scores_scaled_by_the_extremes_of_each_clip_are_flagged(tmp_path, name):
    clips = {i: PER_CLIP[name]() for i in FIVE}
    kind = next(iter(clips["01"]))
    clips["06"] = {kind: np.zeros_like(clips["01"][kind])}
    group = warnings_of(tmp_path, clips, None)["S156", kind]
    assert group.clips == FIVE
    assert "5 of the 5 clips" in group.got


def test_one_clip_of_six_may_be_on_another_scale(tmp_path):
    clips = {i: PER_CLIP["frame scores"]() for i in FIVE} | {"06": {"frame_scores": RNG.random(40)}}
    group = warnings_of(tmp_path, clips, None)["S156", "frame_scores"]
    assert (group.clips, "5 of the 6 clips" in group.got) == (FIVE, True)
    clips["07"] = {"frame_scores": RNG.random(40)}
    assert warnings_of(tmp_path, clips, None) == {}


def test_maps_scaled_by_the_extremes_of_each_frame_are_flagged(tmp_path):
    def scaled():
        own = RNG.random(SIZE)
        own[7] = 0  # a frame without any score stays as it is
        return {"score_maps": (own / np.maximum(own.max(axis=(1, 2), keepdims=True), 1e-9)).astype(np.float32)}

    group = warnings_of(tmp_path, {i: scaled() for i in MASKS}, None)["S156", "score_maps"]
    assert "nearly every frame" in group.got
    assert "of their own frame" in group.hint


def clipped(scores):
    return {"score_maps": np.clip(scores, 0, 1)}


def votes(dtype):
    """Few clips have more than two frames with all votes."""
    own = RNG.integers(0, 3, 40)
    own[RNG.integers(0, 40)] = 3
    return own.astype(dtype)


ONE_SCALE = {
    "four clips": {i: PER_CLIP["float maps"]() for i in FIVE[:4]},
    "binary": {i: {"score_maps": RNG.integers(0, 2, SIZE).astype(np.uint8)} for i in MASKS},
    "saturated": {i: clipped(RNG.normal(0.5, 0.5, SIZE)) for i in MASKS},
    "saturated in small parts": {i: clipped(RNG.normal(0.5, 0.14, SIZE)) for i in MASKS},
    "saturated frames": {i: {"frame_scores": np.minimum(ramps(i) / 4, 1)} for i in MASKS},
    "two clips lower": {i: PER_CLIP["frame scores"]() for i in FIVE}
    | {"06": {"frame_scores": np.linspace(0, 0.8, 40)}}
    | {"07": {"frame_scores": np.linspace(0, 0.9, 40)}},
    "saturated in one frame or two": {
        i: {"frame_scores": np.r_[np.ones(1 + n % 2), RNG.random(38)]} for n, i in enumerate(FIVE)
    },
    "alike": {i: {"frame_scores": RNG.random(40)} for i in MASKS},
    "frames of votes": {i: {"frame_scores": votes(np.float64)} for i in MASKS},
    "maps of votes": {
        i: {"score_maps": votes(np.uint8)[:, None, None] * RNG.integers(0, 2, SIZE).astype(np.uint8)} for i in MASKS
    },
    "all numbers of 8 bits": {i: {"score_maps": RNG.integers(0, 256, (40, 48, 64)).astype(np.uint8)} for i in MASKS},
    "all numbers of 16 bits": {
        i: {"score_maps": RNG.integers(0, 65536, (20, 240, 360)).astype(np.uint16)} for i in ("01", "02", "03")
    },
    "clips of one frame": {
        f"{i:02d}": {"score_maps": np.r_[0, 255, RNG.integers(1, 255, 190)].reshape(1, 12, 16).astype(np.uint8)}
        for i in range(30)
    },
}


@pytest.mark.parametrize("name", ONE_SCALE)
def test_scores_on_one_scale_are_not(tmp_path, name):
    found = warnings_of(tmp_path, ONE_SCALE[name], None)
    assert not any(code == "S156" for code, _ in found)


def test_a_truth_that_cannot_be_read_is_no_error_of_the_submission(tmp_path):
    class Broken(MemoryDataset):
        def truth(self, clip_id):
            raise DataError("D212", f"the masks of {clip_id} are damaged")

    path = write(tmp_path / "m", {i: HONEST["noise"](i) for i in MASKS}, training=TRAINED)
    broken = Broken({i: Truth.from_arrays(own) for i, own in MASKS.items()}, id="folder")
    result = validate(path, broken)
    (check,) = [check for check in result.checks if not check.made]
    assert "[D212]" in check.remark
    assert (result.n_errors, result.n_warnings) == (0, 0)
