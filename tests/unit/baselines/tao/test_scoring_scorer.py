"""The scorer as a whole: on clips in memory, on disk, and on clips it must not see."""

import json
import tomllib
import zipfile
from dataclasses import asdict, replace

import numpy as np
import pytest

from baselines.tao.box_table import BoxTable
from baselines.tao.perspective import Perspective
from baselines.tao.scoring import scorer as scorer_module
from baselines.tao.scoring.attributes import Shape, Velocity
from baselines.tao.scoring.embeddings import make_embedding
from baselines.tao.scoring.scorer import (
    FittedScorer,
    fit_attribute,
    fit_perspectives,
    fit_scorer,
    load_scorer,
    measured,
)
from baselines.tao.scoring.settings import AttributeKind, DensityKind, EmbeddingKind, ScoringSettings, weights_used
from baselines.tao.settings_table import updated
from baselines.views import view_of
from vadbench import Clip, DataError, UsageError

SIZE = (64, 96)
EVERY = ScoringSettings(attributes=("velocity", "deep", "shape"))


class Frames:
    """Frames of a clip; counts how often they were read."""

    def __init__(self, frames):
        self.frames, self.reads = frames, 0

    def __call__(self):
        self.reads += 1
        return iter(self.frames)


def made_clip(clip_id, speeds, *, frames=12, seed=0):
    """Textured squares, one a lane, each with its speed in pixels a frame; and their boxes."""
    rng = np.random.default_rng(seed)
    images = np.tile(rng.integers(20, 60, (16, 24)).repeat(4, 0).repeat(4, 1).astype(np.uint8), (frames, 1, 1))
    boxes = {frame: [] for frame in range(frames)}
    for lane, speed in enumerate(speeds):
        texture = rng.integers(80, 255, (4, 4)).repeat(4, 0).repeat(4, 1)
        for frame in range(frames):
            x, y = 4 + round(frame * speed), 2 + 20 * lane
            images[frame, y : y + 16, x : x + 16] = texture
            boxes[frame].append([x, y, x + 16, y + 16])
    return Clip(clip_id, frames, *SIZE, Frames(images)), BoxTable.of_frames(boxes)


@pytest.fixture(scope="module")
def training():
    pairs = [made_clip(f"{n:02}", (0.8 + 0.1 * n, 1.2, 1.0 - 0.1 * n), seed=n) for n in range(3)]
    return [clip for clip, _ in pairs], {clip.id: boxes for clip, boxes in pairs}


@pytest.fixture(scope="module")
def test_clip():
    return made_clip("01", (1.0, 5.0, 0.9), seed=9)


def fitted(training, settings=EVERY):
    return fit_scorer(settings, "synthetic", *training)


@pytest.mark.parametrize("directions", [1, 8])
def test_the_fast_one_scores_higher(training, test_clip, directions):
    clip, boxes = test_clip
    scores = fitted(training, replace(EVERY, directions=directions)).score(clip, boxes).attributes["velocity"]
    by_lane = scores.reshape(-1, 3)
    assert by_lane[:, 1].min() > max(by_lane[:, [0, 2]].max(), 1.0)
    # A velocity like that of training is about normal.
    assert np.median(by_lane[:, [0, 2]]) < 1.0


def test_the_score_is_the_sum_of_the_attributes(training, test_clip):
    clip, boxes = test_clip
    scored = fitted(training).score(clip, boxes)
    assert list(scored.attributes) == ["velocity", "deep", "shape"]
    np.testing.assert_allclose(scored.scores, sum(scored.attributes.values()))
    np.testing.assert_array_equal(scored.boxes, boxes.boxes)
    np.testing.assert_array_equal(scored.frames, boxes.frames)
    alone = fitted(training, replace(EVERY, attributes=("shape",))).score(clip, boxes)
    np.testing.assert_array_equal(alone.scores, scored.attributes["shape"])


def test_save_and_load(training, test_clip, tmp_path):
    clip, boxes = test_clip
    scorer = fitted(training)
    path, again = tmp_path / "model.npz", tmp_path / "again.npz"
    scorer.save(path)
    fitted(training).save(again)
    assert path.read_bytes() == again.read_bytes()
    loaded = load_scorer(path)
    assert loaded.settings == EVERY
    assert loaded.perspectives == scorer.perspectives
    assert loaded.score(clip, boxes).to_csv() == scorer.score(clip, boxes).to_csv()
    loaded.save(again)
    assert path.read_bytes() == again.read_bytes()


def test_weights_may_have_moved_since(training, tmp_path):
    path = tmp_path / "model.npz"
    fitted(training).save(path)
    now = ScoringSettings(embedding_weights="there.pth", pose_weights="here.pth", device="cuda", neighbours=9)
    expected = replace(EVERY, embedding_weights="there.pth", pose_weights="here.pth", device="cuda")
    assert load_scorer(path, now).settings == expected


def damaged(path, name, change):
    """Write a model again with one entry changed."""
    with zipfile.ZipFile(path) as archive:
        entries = {entry: archive.read(entry) for entry in archive.namelist()}
    entries[name] = change(entries[name])
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in entries.items():
            if content is not None:
                archive.writestr(entry, content)


def in_header(*keys, value=None):
    def change(content):
        header = json.loads(content)
        inner = header
        for key in keys[:-1]:
            inner = inner[key]
        if value is None:
            del inner[keys[-1]]
        else:
            inner[keys[-1]] = value
        return json.dumps(header)

    return change


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("header.json", in_header("settings")),
        ("header.json", in_header("settings", "attributes", value=["speed"])),
        ("header.json", in_header("settings", "attributes", value=3)),
        ("header.json", in_header("settings", "colour", value="red")),
        ("header.json", in_header("settings", "core", value=7)),
        ("header.json", in_header("settings", value=[])),
        ("header.json", in_header("calibrations", "deep")),
        ("header.json", in_header("calibrations", value={"deep": {}})),
        ("header.json", in_header("perspectives", "")),
        ("header.json", in_header("dataset")),
        ("header.json", in_header("kind", value="background of the classical segmenter")),
        ("velocity.means.npy", lambda content: None),
        ("deep.features.npy", lambda content: content[:-4]),
    ],
)
def test_a_damaged_model(training, tmp_path, name, change):
    path = tmp_path / "model.npz"
    fitted(training).save(path)
    damaged(path, name, lambda content: content)
    load_scorer(path)
    damaged(path, name, change)
    with pytest.raises(DataError) as caught:
        load_scorer(path)
    assert (caught.value.code, caught.value.where) == ("B204", (str(path),))


def test_a_test_clip_changes_nothing_for_others(training, test_clip):
    scorer = fitted(training)
    clip, boxes = test_clip
    before = scorer.score(clip, boxes).to_csv()
    scorer.score(*made_clip("77", (6.0, 0.0), seed=30, frames=7))
    assert scorer.score(clip, boxes).to_csv() == before
    # Nor do later frames change earlier ones, but for the first frame's flow to the second.
    first = boxes.select(boxes.frames < 6)
    part = Clip("01", 6, *SIZE, Frames(clip.frame_reader.frames[:6]))
    assert scorer.score(part, first).to_csv() == "\n".join(before.split("\n")[: 1 + len(first)]) + "\n"


def test_fitting_reads_the_training_clips_and_nothing_else(monkeypatch):
    pairs = [made_clip(f"{n:02}", (1.0, 1.2), seed=n) for n in range(2)]
    test = made_clip("00", (6.0,), seed=9)
    tables = {clip.id: boxes for clip, boxes in pairs}
    read = []
    original = scorer_module.frame_views

    def noted(clip, *, with_flow):
        read.append(clip)
        return original(clip, with_flow=with_flow)

    monkeypatch.setattr(scorer_module, "frame_views", noted)
    scorer = fit_scorer(EVERY, "synthetic", [clip for clip, _ in pairs], tables)
    assert [id(clip) for clip in read] == [id(clip) for clip, _ in pairs]
    assert test[0].frame_reader.reads == 0
    scorer.score(*test)
    assert test[0].frame_reader.reads == 1
    assert [clip.frame_reader.reads for clip, _ in pairs] == [1, 1]


def test_flow_only_where_it_is_needed(training, test_clip, monkeypatch):
    asked = []
    original = scorer_module.frame_views
    monkeypatch.setattr(
        scorer_module,
        "frame_views",
        lambda clip, with_flow: asked.append(with_flow) or original(clip, with_flow=with_flow),
    )
    for attributes, expected in ((("shape", "deep"), False), (("shape", "velocity"), True)):
        asked.clear()
        fitted(training, replace(EVERY, attributes=attributes)).score(*test_clip)
        assert set(asked) == {expected}


def test_progress_counts_all_training_frames(training, test_clip):
    seen = []
    scorer = fit_scorer(EVERY, "synthetic", *training, seen.append)
    # 36 frames are measured, then three attributes learn with each of three clips left out, and once from all.
    assert len(seen) == 36 + 3 * 4
    assert seen[:36] == [3 * frames // 4 for frames in range(1, 37)]
    assert seen[36:] == [int(36 * (0.75 + 0.25 * fits / 12)) for fits in range(1, 13)]
    assert seen[-1] == 36
    seen.clear()
    scorer.score(*test_clip, seen.append)
    assert seen == list(range(1, 13))


def test_boxes_are_drawn_before_they_are_measured(training, tmp_path, monkeypatch):
    clips, tables = training
    settings = replace(EVERY, training_boxes=20, seed=3)
    counts, dtypes = [], {}

    class Counted:
        needs_flow = False

        def __init__(self, settings):
            self.inner = make_embedding(settings)

        def measure(self, view, boxes):
            counts.append(len(boxes))
            return self.inner.measure(view, boxes)

    def noted(settings, kind, features, *others):
        dtypes[kind] = {rows.dtype for rows in features}
        return fit_attribute(settings, kind, features, *others)

    monkeypatch.setattr(scorer_module, "make_embedding", Counted)
    monkeypatch.setattr(scorer_module, "fit_attribute", noted)
    scorer = fit_scorer(settings, "synthetic", clips, tables)
    monkeypatch.undo()
    assert sum(counts) == 20 < sum(map(len, tables.values()))
    assert dtypes == {"velocity": {np.dtype(np.float64)}, "deep": {np.dtype(np.float32)}, "shape": {np.dtype("f8")}}
    scorer.save(tmp_path / "model.npz")
    # The same bytes as if everything were measured and then drawn from.
    perspective = scorer.perspectives[""]
    every = {"velocity": Velocity(perspective, 1, 1.0), "deep": make_embedding(settings), "shape": Shape(perspective)}
    of_clips = [measured(clip, tables[clip.id], every) for clip in clips]
    attributes = {
        kind: fit_attribute(settings, kind, [features[kind] for features in of_clips]) for kind in settings.attributes
    }
    FittedScorer(settings, "synthetic", scorer.perspectives, attributes).save(tmp_path / "all.npz")
    assert (tmp_path / "all.npz").read_bytes() == (tmp_path / "model.npz").read_bytes()


def test_the_largest_seed(training, test_clip):
    assert np.isfinite(fitted(training, replace(EVERY, seed=2**32 - 1)).score(*test_clip).scores).all()


def test_clips_and_frames_without_boxes(training, test_clip):
    clips, boxes = training
    empty = made_clip("03", (1.0,), seed=5)[0]
    with_empty = fit_scorer(EVERY, "synthetic", [*clips, empty], boxes | {"03": BoxTable.empty()})
    clip, table = test_clip
    assert with_empty.score(clip, table).to_csv() == fitted(training).score(clip, table).to_csv()
    assert len(with_empty.score(clip, BoxTable.empty())) == 0
    some = table.select(table.frames % 3 == 1)
    expected = fitted(training).score(clip, table).select(table.frames % 3 == 1)
    assert fitted(training).score(clip, some).to_csv() == expected.to_csv()


@pytest.mark.parametrize("frames", [1, 2])
def test_short_clips(training, frames):
    clip, boxes = made_clip("01", (3.0, 1.0), frames=frames)
    scored = fitted(training).score(clip, boxes)
    assert len(scored) == 2 * frames
    assert np.isfinite(scored.scores).all()
    alone = fit_scorer(EVERY, "synthetic", [clip], {"01": boxes})
    assert np.isfinite(alone.score(clip, boxes).scores).all()


def test_a_single_box_to_learn_from(test_clip):
    clip, boxes = made_clip("01", (1.0,))
    scorer = fit_scorer(EVERY, "synthetic", [clip], {"01": boxes.select(boxes.frames == 4)})
    assert np.isfinite(scorer.score(*test_clip).scores).all()


def test_nothing_to_learn_from():
    clip = made_clip("01", (1.0,))[0]
    with pytest.raises(DataError) as caught:
        fit_scorer(EVERY, "synthetic", [], {})
    assert caught.value.code == "B221"
    assert "no training clips" in caught.value.got
    with pytest.raises(DataError) as caught:
        fit_scorer(EVERY, "synthetic", [clip], {"01": BoxTable.empty()})
    assert caught.value.code == "B221"
    assert "1 training clips without a box" in caught.value.got
    assert clip.frame_reader.reads == 0


def test_boxes_of_another_clip(training, test_clip):
    clip = Clip("01", 5, *SIZE, Frames(test_clip[0].frame_reader.frames[:5]))
    with pytest.raises(DataError) as caught:
        fitted(training).score(clip, test_clip[1])
    error = caught.value
    assert (error.code, error.where) == ("B227", ("clip 01",))
    assert "5 frames" in error.expected
    assert "frame 11" in error.got


def test_each_camera_has_its_perspective():
    near, far = made_clip("01_0001", (1.0, 1.0)), made_clip("02_0001", (1.0, 1.0))
    small = far[1].boxes.copy()
    small[:, 1] = small[:, 3] - 4.0
    tables = {"01_0001": near[1], "02_0001": BoxTable(far[1].frames, small)}
    lines = fit_perspectives("shanghaitech", [near[0], far[0]], tables)
    assert set(lines) == {"", "01", "02"}
    assert lines["01"] == Perspective.fit([near[1].boxes])
    assert lines["02"] == Perspective.fit([small])
    assert lines[""] == Perspective.fit([near[1].boxes, small])
    assert set(fit_perspectives("avenue", [near[0], far[0]], tables)) == {""}
    settings = ScoringSettings(attributes=("shape",))
    scorer = fit_scorer(settings, "shanghaitech", [near[0], far[0]], tables)
    # The same box is usual where boxes are small, and unusual where they are tall.
    place = BoxTable(tables["02_0001"].frames, small)
    usual = scorer.score(far[0], place).scores
    unusual = scorer.score(replace(far[0], id="01_0002"), place).scores
    assert np.median(unusual) > np.median(usual) + 1
    assert np.isfinite(scorer.score(replace(far[0], id="03_0001"), place).scores).all()


def test_views():
    clip = Clip("01_0014", 3, 48, 64)
    assert view_of("shanghaitech", clip) == ("01", 48, 64)
    assert view_of("avenue", clip) == ("", 48, 64)


def test_measured_features_are_in_order_of_the_boxes(test_clip):
    clip, boxes = test_clip

    class Corners:
        needs_flow = False

        def measure(self, view, boxes):
            return np.column_stack([np.full(len(boxes), view.frame), boxes])

    found = measured(clip, boxes, {AttributeKind.SHAPE: Corners()})[AttributeKind.SHAPE]
    np.testing.assert_array_equal(found, np.column_stack([boxes.frames, boxes.boxes]))


def test_settings_through_toml():
    given = ScoringSettings(("shape", "deep"), directions=8, core=0.25, embedding="timm", embedding_model="x", seed=3)
    lines = []
    for name, value in asdict(given).items():
        shown = json.dumps(list(value) if isinstance(value, tuple) else value)
        lines.append(f"{name} = {shown}")
    assert updated(ScoringSettings(), tomllib.loads("\n".join(lines)), ()) == given
    assert updated(given, {}, ()) == given
    assert given.attributes == (AttributeKind.SHAPE, AttributeKind.DEEP)
    assert given.embedding is EmbeddingKind.TIMM


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"attributes": ()}, "B220"),
        ({"attributes": ("deep", "deep")}, "B220"),
        ({"attributes": ("speed",)}, "B205"),
        ({"embedding": "clip"}, "B205"),
        ({"directions": 0}, "B220"),
        ({"core": 0.0}, "B220"),
        ({"core": 1.1}, "B220"),
        ({"quantile": 0.0}, "B220"),
        ({"velocity_components": 0}, "B220"),
        ({"shape_components": 0}, "B220"),
        ({"neighbours": 0}, "B220"),
        ({"training_boxes": 0}, "B220"),
        ({"seed": -1}, "B220"),
        ({"seed": 2**32}, "B220"),
    ],
)
def test_wrong_settings(wrong, code):
    with pytest.raises(UsageError) as caught:
        ScoringSettings(**wrong)
    assert caught.value.code == code


def test_densities_of_attributes():
    settings = ScoringSettings(velocity_components=3, shape_components=4)
    kinds = {str(kind): settings.density_of(kind) for kind in AttributeKind}
    mixture, neighbours = DensityKind.GAUSSIAN_MIXTURE, DensityKind.NEAREST_NEIGHBOURS
    assert kinds == {"velocity": mixture, "shape": mixture, "deep": neighbours, "pose": neighbours}
    assert [settings.components_of(AttributeKind(kind)) for kind in ("velocity", "shape")] == [3, 4]


def test_files_of_weights_that_are_used():
    given = ScoringSettings(embedding_weights="e.pth", pose_weights="p.pth")
    assert weights_used(given) == ()
    timm = replace(given, embedding="timm")
    assert [path.name for path in weights_used(timm)] == ["e.pth"]
    assert [path.name for path in weights_used(replace(timm, attributes=("pose",)))] == ["p.pth"]
    assert [path.name for path in weights_used(replace(timm, attributes=("pose", "deep")))] == ["e.pth", "p.pth"]
    assert weights_used(ScoringSettings(attributes=("pose",))) == ()
