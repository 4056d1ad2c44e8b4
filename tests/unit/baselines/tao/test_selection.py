"""The choice as a whole: nothing of the test part, the same files again, a preset that is the best candidate."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from baselines.command import run as run_baselines
from baselines.tao.box_table import BoxTable
from baselines.tao.detection.detector import Part
from baselines.tao.detection.settings import DetectionSettings, DetectorKind, make_detector
from baselines.tao.filtering import FilterSettings, filter_boxes
from baselines.tao.frame_views import frame_views
from baselines.tao.preset_files import load_preset
from baselines.tao.scoring.embeddings import HogEmbedding
from baselines.tao.scoring.scorer import fit_scorer
from baselines.tao.scoring.settings import AttributeKind, ScoringSettings
from baselines.tao.segmentation.classical import ClassicalSegmenter, ClassicalSettings
from baselines.tao.segmentation.object_masks import MaskSettings
from baselines.tao.selection import measurements
from baselines.tao.selection.box_sources import GivenBoxes, box_source
from baselines.tao.selection.grey_clips import FrameArray
from baselines.tao.selection.grid import SEARCH, SearchStage, SearchStep, columns_of, scorings_of, value_of, with_values
from baselines.tao.selection.measurements import measure
from baselines.tao.selection.objective import METRICS, PROTOCOLS, Judgement
from baselines.tao.selection.pasted_clips import PastedClip
from baselines.tao.selection.preset_text import preset_text
from baselines.tao.selection.remembering_segmenter import FlowFolder, RememberedObjects, RememberingSegmenter
from baselines.tao.selection.search import best_of, search_settings
from baselines.tao.selection.selection import CANDIDATES, CHOSEN, PASTED, select_settings
from baselines.tao.selection.selection_settings import SelectionSettings
from baselines.tao.selection.training_split import split_training
from baselines.tao.settings import SegmentationKind, SegmentationSettings, TaoSettings
from vadbench import DataError, Dataset, Truth, UsageError, open_dataset, synthesize

SMALL = SelectionSettings(clips=2, anomalies=3, least_sprite=12, longest_clip=30)
FEW_STEPS = (
    (SearchStep(SearchStage.SCORES, "attributes", ("scoring.attributes", "tau"), ((("velocity", "shape"), 0.9),)),),
    (
        SearchStep(SearchStage.FILTER, "window", ("filtering.window", "filtering.matches"), ((3, 1), (5, 3))),
        SearchStep(SearchStage.MASKS, "grabcut", ("segmentation.classical.mask.iterations",), ((0,),)),
    ),
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("selection") / "data"
    return synthesize(folder, seed=1, test_clips=1, training_clips=6, frames=30, height=96, width=144)


class TrainingAlone(Dataset):
    """The training part of a data set; whoever looks at the test part fails."""

    def __init__(self, dataset, clips=None):
        self.id, self.root, self.track_source = dataset.id, dataset.root, dataset.track_source
        self.training_clips = dataset.training_clips if clips is None else clips

    @property
    def clips(self):
        raise AssertionError("the test part was looked at")

    @property
    def fingerprint(self):
        raise AssertionError("the truth was looked at")

    def truth(self, clip_id):
        raise AssertionError("the truth was looked at")


@pytest.fixture
def training(root):
    return TrainingAlone(open_dataset("synthetic", root))


@pytest.fixture(scope="module")
def boxes_folder(root, tmp_path_factory):
    """What the background detector finds in training clips, as given boxes; those of the test part cannot be read."""
    folder = tmp_path_factory.mktemp("boxes")
    dataset = open_dataset("synthetic", root)
    detector = make_detector(DetectionSettings(), dataset)
    lines = ["clip,frame,x1,y1,x2,y2"]
    for clip in dataset.training_clips:
        table = detector.detect(clip, Part.TRAINING)
        for frame, box in zip(table.frames, table.boxes, strict=True):
            lines.append(",".join(map(str, (clip.id, frame, *box))))
    (folder / "found_train.csv").write_text("\n".join(lines))
    (folder / "found_test.csv").write_text("no boxes")
    return folder


@pytest.fixture(scope="module")
def chosen(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "chosen"
    dataset = TrainingAlone(open_dataset("synthetic", root))
    return out, select_settings(dataset, TaoSettings(), SMALL, out, preset="default", search=FEW_STEPS)


def rows_of(out):
    return list(csv.DictReader(io.StringIO((out / CANDIDATES).read_text())))


def test_the_chosen_preset_is_the_best_candidate(chosen):
    out, found = chosen
    rows = rows_of(out)
    assert len(rows) == len(found.candidates) == 4
    assert [row["step"] for row in rows] == ["preset", "attributes", "window", "grabcut"]
    best = max(rows, key=lambda row: float(row["objective"]))
    assert int(best["number"]) == found.chosen.number
    assert float(best["objective"]) > float(rows[0]["objective"])
    loaded = load_preset(str(out / CHOSEN), "synthetic")
    assert loaded == found.chosen.settings
    for column in columns_of(FEW_STEPS):
        value = value_of(loaded, column)
        assert best[column] == (" ".join(value) if isinstance(value, tuple) else str(value))


def test_the_objective_is_the_mean_of_twelve_scores(chosen):
    rows = rows_of(chosen[0])
    names = [f"{protocol}.{metric}" for protocol in PROTOCOLS for metric in METRICS]
    assert len(names) == 12
    for row in rows:
        scores = [float(row[name]) for name in names]
        assert float(row["objective"]) == pytest.approx(np.mean(scores), abs=1e-12)
        assert all(0 <= score <= 1 for score in scores)
    # The candidates were run with what they say.
    assert len({row["objective"] for row in rows}) >= 3


def test_the_preset_says_how_it_came(chosen):
    text = (chosen[0] / CHOSEN).read_text()
    comment = [line for line in text.splitlines() if line.startswith("#")]
    assert "no test clip" in comment[0]
    assert "seed: 0" in comment[1]
    assert "01 03 05" in comment[2]
    assert f"{chosen[1].chosen.judgement.objective:.4f}" in comment[-1]


def test_a_picture_with_outlines(chosen):
    picture = np.asarray(Image.open(chosen[0] / PASTED))
    assert picture.shape[1] > 144
    assert (picture == (0, 255, 220)).all(axis=2).any()


def test_nothing_else_is_left(chosen):
    assert {path.name for path in chosen[0].iterdir()} == {CANDIDATES, CHOSEN, PASTED}


def test_the_split_and_the_sprites_are_apart(chosen):
    split = chosen[1].split
    fitted, held_out = ({clip.id for clip in half} for half in (split.fitted, split.held_out))
    assert not fitted & held_out
    for made in chosen[1].pasted:
        assert made.source_id in held_out
        assert set(made.sprite_ids) <= held_out - {made.source_id}


def test_the_same_again_and_another_with_another_seed(chosen, training, tmp_path):
    out, _ = chosen
    other = tmp_path / "other"
    select_settings(training, TaoSettings(), SMALL, other, preset="default", search=FEW_STEPS)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {p.name: p.read_bytes() for p in other.iterdir()}
    select_settings(training, TaoSettings(), replace(SMALL, seed=1), other, search=FEW_STEPS[:1])
    assert (other / PASTED).read_bytes() != (out / PASTED).read_bytes()


def test_given_boxes_and_the_command(root, boxes_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("baselines.tao.selection_command.SelectionSettings", lambda **given: replace(SMALL, **given))
    monkeypatch.setattr("baselines.tao.selection_command.SEARCH", FEW_STEPS)
    out = tmp_path / "out"
    given = ["--dataset", "synthetic", "--root", str(root), "--out", str(out), "--clips", "2"]
    assert run_baselines(["tao-select", *given, "--detector", "boxes-csv", "--boxes", str(boxes_folder)]) == 0
    printed = capsys.readouterr().out
    assert "chosen, standard" in printed
    assert str(out / CHOSEN) in printed
    loaded = load_preset(str(out / CHOSEN), "synthetic")
    assert loaded.detection.kind is DetectorKind.BOXES_CSV
    assert str(boxes_folder) not in (out / CHOSEN).read_text()
    # The folder of the boxes is said on the command line, so that the choice means something elsewhere.
    assert loaded.detection.boxes_csv.folder is None


def test_pasted_boxes_come_beside_given_ones(boxes_folder, training):
    source = GivenBoxes(boxes_folder, training)
    clip = training.training_clips[1]
    boxes = source.of_clip(clip)
    cut = source.of_clip(replace(clip, frames=10))
    assert len(cut) < len(boxes)
    assert cut.frames.max() == 9
    anomalies = BoxTable(np.array([3, 7]), np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]]))
    both = source.of_pasted(clip, boxes, anomalies)
    assert len(both) == len(boxes) + 2
    assert both.boxes[both.rows(3)][-1].tolist() == [1, 2, 3, 4]


def test_given_boxes_that_are_not_there(training, tmp_path):
    with pytest.raises(DataError) as raised:
        GivenBoxes(tmp_path, training)
    assert raised.value.code == "B275"
    with pytest.raises(UsageError) as unnamed:
        box_source(DetectionSettings(kind=DetectorKind.BOXES_CSV), training, split_training(training))
    assert unnamed.value.code == "B207"


def test_too_few_clips(training, tmp_path):
    few = TrainingAlone(training, training.training_clips[:3])
    with pytest.raises(DataError) as raised:
        select_settings(few, TaoSettings(), SMALL, tmp_path / "out")
    assert raised.value.code == "B271"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("start", "named"),
    [
        (TaoSettings(detection=DetectionSettings(kind=DetectorKind.TORCHVISION)), "torchvision"),
        (TaoSettings(segmentation=SegmentationSettings(kind=SegmentationKind.SAM2_VIDEO)), "sam2-video"),
    ],
)
def test_settings_that_cannot_be_searched(start, named, training, tmp_path):
    with pytest.raises(UsageError, match=named) as raised:
        select_settings(training, start, SMALL, tmp_path / "out")
    assert raised.value.code == "B273"


def test_a_file_in_the_way(training, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError) as raised:
        select_settings(training, TaoSettings(), SMALL, tmp_path / "out")
    assert raised.value.code == "B274"


def still(name):
    return FrameArray(np.full((30, 48, 64), 90, np.uint8)).clip(name)


def test_nobody_in_any_training_clip(training, tmp_path):
    empty = TrainingAlone(training, tuple(still(f"{n:02d}") for n in range(1, 7)))
    with pytest.raises(DataError) as raised:
        select_settings(empty, TaoSettings(), SMALL, tmp_path / "out")
    assert raised.value.code == "B272"
    assert raised.value.got.startswith("0 people")
    assert not list((tmp_path / "out").iterdir())


def test_what_a_killed_run_has_left_is_removed(training, tmp_path):
    out = tmp_path / "out"
    (out / ".selection-abcdefgh" / "inner").mkdir(parents=True)
    (out / ".selection-abcdefgh" / "frames.npy").write_text("much")
    (out / ".selection-notes").write_text("mine")
    (out / "other").mkdir()
    empty = TrainingAlone(training, tuple(still(f"{n:02d}") for n in range(1, 7)))
    with pytest.raises(DataError, match="B272"):
        select_settings(empty, TaoSettings(), SMALL, out)
    assert {path.name for path in out.iterdir()} == {".selection-notes", "other"}


def test_nobody_to_learn_from(training, tmp_path):
    made = PastedClip(still("02-1"), "02", (), Truth.from_arrays(np.zeros((30, 48, 64), bool)), BoxTable.empty(), ())
    clip = still("01")
    with pytest.raises(DataError) as raised:
        measure([ScoringSettings()], "synthetic", [clip], {"01": BoxTable.empty()}, [made], tmp_path)
    assert raised.value.code == "B279"


def test_scores_are_those_of_the_scorer(training, tmp_path, monkeypatch):
    measured = []

    class Counted(HogEmbedding):
        def measure(self, view, boxes):
            measured.append(len(boxes))
            return super().measure(view, boxes)

    monkeypatch.setattr(measurements, "make_embedding", lambda settings: Counted())
    detector = make_detector(DetectionSettings(), TrainingPart(training))
    fitted, held_out = training.training_clips[:2], training.training_clips[2]
    every = {clip.id: detector.detect(clip, Part.TRAINING) for clip in (*fitted, held_out)}
    boxes = {name: table.select(table.frames % 4 == 0) for name, table in every.items()}
    own = boxes[held_out.id]
    made = PastedClip(held_out, "03", (), Truth.from_arrays(np.zeros((30, 96, 144), bool)), own, ())
    candidates = [
        ScoringSettings(attributes=(AttributeKind.VELOCITY, AttributeKind.SHAPE), core=0.5, velocity_components=3),
        ScoringSettings(directions=4, neighbours=2),
    ]
    candidates = [replace(settings, training_boxes=15, seed=2) for settings in candidates]
    found = measure(candidates, "synthetic", fitted, boxes, [made], tmp_path)
    # Those of the pasted clip, and those that are drawn of the others.
    assert sum(measured) == len(own) + 15 < sum(map(len, boxes.values()))
    for settings in candidates:
        expected = fit_scorer(settings, "synthetic", fitted, boxes).score(held_out, own)
        np.testing.assert_array_equal(found.scored(settings)[0].scores, expected.scores)


class TrainingPart(TrainingAlone):
    """The same with an empty test part."""

    clips = ()


def test_remembered_masks_are_those_of_the_segmenter(training, tmp_path):
    frames = np.stack(list(training.training_clips[0].read_frames())[:16])
    clip = FrameArray(frames).clip("01")
    detector = make_detector(DetectionSettings(), TrainingPart(training))
    linked = filter_boxes(detector.detect(clip, Part.TRAINING), FilterSettings(matches=0), clip.frames)
    flows = FlowFolder(tmp_path)
    flow = flows.create(clip)
    for view in frame_views(clip, with_flow=True):
        flow[view.frame] = view.flow
    background = {("", 96, 144): np.median(frames, axis=0).astype(np.float32)}
    remembered = RememberedObjects()
    n_masks = 0
    for mask in (MaskSettings(), MaskSettings(iterations=0), MaskSettings()):
        for settings, prompts in (
            (ClassicalSettings(mask=mask), linked.select(linked.frames % 5 == 0)),
            (
                ClassicalSettings(mask=mask, reach=1, follow=8),
                linked.select((linked.frames < 12) & (linked.labels > 0)),
            ),
            (ClassicalSettings(mask=mask, tracking=False), linked),
        ):
            known = remembered.of(mask)
            own = RememberingSegmenter(settings, "synthetic", background, clip.id, flows.of(clip.id), known)
            plain = ClassicalSegmenter(settings, "synthetic", background)
            for one, other in zip(own.segment(clip, prompts), plain.segment(clip, prompts), strict=True):
                assert (one.frame, one.label) == (other.frame, other.label)
                assert np.array_equal(one.mask, other.mask)
                n_masks += 1
    assert n_masks > 100


def test_only_the_settings_used_last_are_remembered():
    remembered = RememberedObjects()
    first = remembered.of(MaskSettings())
    assert remembered.of(MaskSettings()) is first
    for iterations in (2, 3, 4):
        remembered.of(MaskSettings(iterations=iterations))
    assert remembered.of(MaskSettings()) is not first


def test_the_grid_names_settings_that_there_are():
    start = TaoSettings()
    for steps in SEARCH:
        for step in steps:
            candidates = list(step.candidates(start))
            assert len(set(candidates)) == len(step.rows) > 1
            for row, candidate in zip(step.rows, candidates, strict=True):
                assert tuple(value_of(candidate, column) for column in step.columns) == row
    assert set(columns_of(SEARCH)) > {"tau", "filtering.window", "segmentation.classical.mask.foreground"}


def test_all_scorings_of_the_grid_are_foreseen():
    steps = (
        SearchStep(SearchStage.SCORES, "a", ("scoring.core", "tau"), ((0.5, 1.0), (1.0, 2.0))),
        SearchStep(SearchStage.SCORES, "b", ("scoring.directions",), ((8,),)),
    )
    found = scorings_of(TaoSettings(), (steps, steps))
    assert {(one.core, one.directions) for one in found} == {(0.5, 1), (1.0, 1), (0.5, 8), (1.0, 8)}
    assert len(found) == 4


def test_coordinate_descent_moves_only_upwards():
    """Judged by distance to a place, the search comes to it; equals and worse ones do not move it."""
    steps = (
        SearchStep(SearchStage.THRESHOLD, "threshold", ("tau",), ((1.0,), (2.0,), (3.0,))),
        SearchStep(SearchStage.FILTER, "overlap", ("filtering.overlap",), ((0.1,), (0.2,), (0.4,))),
        # Of an attribute that is not used: the same candidates again.
        SearchStep(SearchStage.SCORES, "shape", ("scoring.shape_components",), ((1,), (5,))),
    )
    tried = []

    def judge(settings):
        tried.append((settings.tau, settings.filtering.overlap))
        value = 1.0 - abs(settings.tau - 2.0) / 10 - abs(settings.filtering.overlap - 0.4)
        return Judgement({("standard", "rbdc"): value})

    done = []
    start = TaoSettings(tau=1.5)
    candidates = search_settings(start, (steps, steps), judge, lambda _, now, total: done.append((now, total)))
    assert tried == [(1.5, 0.2), (1.0, 0.2), (2.0, 0.2), (3.0, 0.2), (2.0, 0.1), (2.0, 0.4), (1.0, 0.4), (3.0, 0.4)]
    assert [candidate.number for candidate in candidates] == list(range(8))
    assert [candidate.round for candidate in candidates] == [0] * 6 + [1] * 2
    best = best_of(candidates)
    assert (best.number, best.settings.tau, best.settings.filtering.overlap) == (5, 2.0, 0.4)
    assert best.settings.scoring == start.scoring
    assert done == [(number, 17) for number in range(1, 18)]


def test_of_equals_the_earliest_is_best():
    step = SearchStep(SearchStage.THRESHOLD, "threshold", ("tau",), ((1.0,), (2.0,)))
    same = Judgement({("standard", "rbdc"): 0.5})
    assert best_of(search_settings(TaoSettings(), ((step,),), lambda _: same)).number == 0


def test_any_settings_come_back_from_their_text(tmp_path):
    settings = with_values(
        TaoSettings(),
        {
            "tau": 0.1,
            "scoring.attributes": ("shape", "velocity"),
            "scoring.embedding_model": 'a "b" \\ c',
            "filtering.merge": False,
            "segmentation.classical.mask.foreground": 7.25,
            "detection.background.subtractor": "knn",
        },
    )
    named = replace(
        settings,
        detection=replace(settings.detection, boxes_csv=replace(settings.detection.boxes_csv, folder=Path("here"))),
    )
    text = preset_text(named, ["first", "", "third"], {"scoring.core"})
    assert text.startswith("# first\n#\n# third\n")
    assert "core = 1.0" in text
    assert "here" not in text
    (tmp_path / "it.toml").write_text(text)
    assert load_preset(str(tmp_path / "it.toml"), "synthetic") == settings
