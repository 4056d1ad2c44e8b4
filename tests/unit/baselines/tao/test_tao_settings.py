"""Presets, wrong keys, changes from the command line, and what a submission says of its settings."""

import ast
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

import baselines
from baselines.tao.command_settings import SettingsChanges, changed_settings
from baselines.tao.detection.settings import DetectorKind
from baselines.tao.preset_files import SUMMARIES, load_preset, preset_names
from baselines.tao.resources import memory_watched
from baselines.tao.run_manifest import method, pretrained
from baselines.tao.scoring.settings import AttributeKind, EmbeddingKind
from baselines.tao.segmentation.sam2_settings import Sam2Device, Sam2Size, Sam2Version
from baselines.tao.selection.grid import SEARCH, value_of
from baselines.tao.settings import SegmentationKind, SegmentationSettings, TaoSettings
from baselines.tao.stage_keys import StageKeys, described, program_modules
from baselines.tao.stages import Result, Stage, digest
from vadbench import UsageError


@pytest.fixture
def preset(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return str(path)

    return write


def test_presets_that_come_along():
    assert set(preset_names()) == {"default", "ped2-cpu", "ped2-cpu-boxes", "tao-paper"}
    assert set(SUMMARIES) == set(preset_names())
    for name in preset_names():
        assert isinstance(load_preset(name, "ucsd-ped2"), TaoSettings)
    for path in (Path(load_preset.__code__.co_filename).parent / "presets").glob("*.toml"):
        assert path.read_text().startswith("# ")


@pytest.mark.parametrize(
    ("dataset", "tau", "interval", "least"), [("ucsd-ped2", 1.5, 5, 0.5), ("shanghaitech", 1.6, 15, 0.8)]
)
def test_the_papers_values(dataset, tau, interval, least):
    settings = load_preset("tao-paper", dataset)
    filtering = settings.filtering
    assert (settings.tau, filtering.save_interval) == (tau, interval)
    assert (filtering.window, filtering.matches, filtering.overlap) == (5, 3, 0.2)
    assert settings.segmentation.kind is SegmentationKind.SAM2_VIDEO
    assert settings.segmentation.sam2.size is Sam2Size.BASE_PLUS
    assert settings.detection.kind is DetectorKind.TORCHVISION
    assert settings.detection.torchvision.least_score == least


def test_a_preset_names_what_differs(preset):
    path = preset(
        'tau = 1\n[scoring]\nattributes = ["shape", "velocity"]\n[segmentation]\nkind = "sam2-image"\n'
        '[segmentation.sam2]\ncheckpoint = "x.pt"\nconditioning_frames = 3\n'
        "[datasets.avenue.filtering]\nwindow = 7\nmatches = 6\n"
    )
    settings = load_preset(path, "synthetic")
    assert settings.tau == 1.0
    assert isinstance(settings.tau, float)
    assert settings.scoring.attributes == (AttributeKind.SHAPE, AttributeKind.VELOCITY)
    assert settings.segmentation.sam2.checkpoint == Path("x.pt")
    assert settings.segmentation.sam2.conditioning_frames == 3
    assert settings.filtering == TaoSettings().filtering
    filtering = load_preset(path, "avenue").filtering
    assert (filtering.window, filtering.matches) == (7, 6)


@pytest.mark.parametrize(
    ("text", "code", "place", "words"),
    [
        ("tua = 1", "B241", "mine.toml", 'did you mean "tau"'),
        ("[filtering]\nwindw = 1", "B241", "filtering", "save_interval"),
        ("filtering = 3", "B242", "filtering", "a table"),
        ("[filtering]\nwindow = 1.5", "B242", "window", "a whole number"),
        ("[filtering]\nmerge = 1", "B242", "merge", "true or false"),
        ("tau = true", "B242", "tau", "a number"),
        ("tau = nan", "B248", "mine.toml", "finite"),
        ('[segmentation]\nkind = "sam3"', "B242", "kind", "sam2-video"),
        ('[scoring]\nattributes = "deep"', "B242", "attributes", "a list"),
        ('[scoring]\nattributes = ["depth"]', "B242", "attributes", "deep"),
        ("[filtering]\nmatches = 9", "B213", "filtering", "0 to the window"),
        ("[datasets.avenue]\nx = 1", "B241", "avenue", "tau"),
        ("datasets = 1", "B242", "mine.toml", "a table for each data set"),
        ("tau = ", "B247", "mine.toml", "default, ped2-cpu"),
    ],
)
def test_wrong_presets_name_file_key_and_what_is_allowed(text, code, place, words, preset):
    with pytest.raises(UsageError) as raised:
        load_preset(preset(text), "synthetic")
    assert raised.value.code == code
    assert "mine.toml" in raised.value.where[0]
    assert any(place in part for part in raised.value.where)
    assert words in raised.value.block()


@pytest.mark.parametrize("name", ["ped2", "nowhere.toml", "folder.toml"])
def test_no_such_preset(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("folder.toml").mkdir()
    with pytest.raises(UsageError) as raised:
        load_preset(name, "synthetic")
    assert raised.value.code == "B247"
    assert "ped2-cpu" in raised.value.hint


def test_changes_from_the_command_line(tmp_path):
    changes = SettingsChanges(tau=2.5, detector=DetectorKind.BOXES_CSV, boxes=tmp_path, seed=7, no_filtering=True)
    settings = changed_settings(TaoSettings(), changes)
    assert settings.tau == 2.5
    assert settings.detection.kind is DetectorKind.BOXES_CSV
    assert settings.detection.boxes_csv.folder == tmp_path
    assert settings.scoring.seed == 7
    assert settings.filtering.matches == 0
    assert changed_settings(TaoSettings(), SettingsChanges()) == TaoSettings()
    sam2 = SettingsChanges(
        segmenter=SegmentationKind.SAM2_VIDEO,
        segmenter_size=Sam2Size.TINY,
        checkpoint=tmp_path / "w.pt",
        device=Sam2Device.CUDA,
        no_tracking=True,
    )
    settings = changed_settings(TaoSettings(), sam2)
    assert settings.segmentation.kind is SegmentationKind.SAM2_IMAGE
    assert settings.segmentation.sam2.size is Sam2Size.TINY
    assert settings.segmentation.sam2.device is Sam2Device.CUDA
    assert settings.segmentation.sam2.checkpoint == tmp_path / "w.pt"
    assert settings.filtering.save_interval == 1


def test_without_tracking_the_classical_segmenter_does_not_track():
    settings = changed_settings(TaoSettings(), SettingsChanges(no_tracking=True, device=Sam2Device.AUTO))
    assert not settings.segmentation.classical.tracking
    assert not settings.segmentation.tracks
    assert settings.scoring.device == settings.detection.torchvision.device == "cpu"


@pytest.mark.parametrize(
    ("changes", "needs"),
    [
        (SettingsChanges(boxes=Path("x")), "--detector boxes-csv"),
        (SettingsChanges(weights=Path("x")), "--detector torchvision"),
        (SettingsChanges(segmenter_size=Sam2Size.TINY), "--segmenter sam2-video"),
        (SettingsChanges(checkpoint=Path("x")), "--segmenter sam2-video"),
        (SettingsChanges(device=Sam2Device.CUDA), "--segmenter sam2-video"),
    ],
)
def test_options_that_would_do_nothing_are_refused(changes, needs):
    with pytest.raises(UsageError) as raised:
        changed_settings(TaoSettings(), changes)
    assert raised.value.code == "B249"
    assert needs in raised.value.hint


def test_files_are_described_by_content_and_not_by_place(tmp_path):
    def with_weights(folder, content):
        folder.mkdir()
        (folder / "weights.pth").write_bytes(content)
        file = str(folder / "weights.pth")
        scoring = replace(TaoSettings().scoring, embedding="timm", embedding_model="vit", embedding_weights=file)
        return described(replace(TaoSettings(), scoring=scoring))

    first = with_weights(tmp_path / "a", b"1")
    assert first == with_weights(tmp_path / "b", b"1")
    assert first != with_weights(tmp_path / "c", b"2")
    assert str(tmp_path) not in str(first)
    assert first["scoring"]["embedding_weights"]["name"] == "weights.pth"
    assert len(first["scoring"]["embedding_weights"]["sha256"]) == 64


def test_settings_of_what_is_not_used_change_no_result(small):
    other = SegmentationSettings(sam2=replace(TaoSettings().segmentation.sam2, size=Sam2Size.TINY))
    first = StageKeys(small).of(TaoSettings())
    assert StageKeys(small).of(replace(TaoSettings(), segmentation=other)) == first
    without = StageKeys(small).of(TaoSettings().without_tracking())
    same = {result for result in Result if digest(first[result]) == digest(without[result])}
    assert same == {Result.DETECTION, Result.SCORING, Result.SEGMENTATION}
    video = SegmentationSettings(kind=SegmentationKind.SAM2_VIDEO)
    sam2 = StageKeys(small).of(replace(TaoSettings(), segmentation=video))
    assert {r for r in Result if sam2[r] == first[r]} == {Result.DETECTION, Result.SCORING, Result.FILTERING}


def test_names_and_models():
    settings = TaoSettings()
    assert method(settings)["name"] == "TAO (classical, CPU)"
    assert pretrained(settings) == []
    given = replace(settings, detection=replace(settings.detection, kind=DetectorKind.BOXES_CSV))
    assert method(given)["name"] == "TAO (classical, CPU, given boxes)"
    variant = settings.without_tracking().without_filtering()
    assert method(variant)["name"] == "TAO (classical, CPU, no tracking, no filtering)"
    sam2 = replace(settings.segmentation.sam2, version=Sam2Version.V2_0)
    video = replace(
        settings,
        scoring=replace(
            settings.scoring, embedding=EmbeddingKind.TIMM, embedding_model="vit_base", embedding_weights="w.pth"
        ),
        segmentation=SegmentationSettings(kind=SegmentationKind.SAM2_VIDEO, sam2=sam2),
        detection=replace(settings.detection, kind=DetectorKind.TORCHVISION),
    )
    assert method(video)["name"] == "TAO (SAM2 base-plus)"
    assert pretrained(video) == ["Mask R-CNN (torchvision)", "vit_base (timm)", "SAM2 hiera base-plus"]
    assert video.torch_stages == {Stage.DETECT, Stage.SCORE, Stage.SEGMENT}


@pytest.mark.parametrize(
    ("attributes", "change"),
    [
        (("velocity",), {"shape_components": 7}),
        (("velocity",), {"neighbours": 7, "training_boxes": 9, "embedding": "timm"}),
        (("velocity", "deep"), {"device": "cuda", "embedding_model": "x", "pose_weights": "y"}),
        (("shape",), {"directions": 8, "core": 0.5, "velocity_components": 7}),
    ],
)
def test_settings_of_attributes_that_are_not_used_change_no_key(attributes, change, small):
    scoring = replace(TaoSettings().scoring, attributes=attributes)
    first, second = (replace(TaoSettings(), scoring=own) for own in (scoring, replace(scoring, **change)))
    keys = StageKeys(small)
    assert keys.of(first) == keys.of(second)
    assert not set(change) & set(described(first)["scoring"])
    every = replace(TaoSettings().scoring, attributes=tuple(AttributeKind), embedding="timm", seed=1)
    all_used = [replace(TaoSettings(), scoring=own) for own in (every, replace(every, **change))]
    if "device" not in change:
        assert described(all_used[0]) != described(all_used[1])


def test_every_module_that_a_stage_imports_is_part_of_its_program():
    root = Path(baselines.__file__).parent
    for stage in Stage:
        known = program_modules(stage)
        waiting = [name for name in known if name.startswith(f"tao/{Result.of(stage)}/")]
        assert waiting
        seen = set()
        while waiting:
            name = waiting.pop()
            seen.add(name)
            for node in ast.walk(ast.parse((root / name).read_text())):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("baselines."):
                    path = "/".join(node.module.split(".")[1:])
                    found = f"{path}.py" if (root / f"{path}.py").exists() else f"{path}/__init__.py"
                    if found not in seen:
                        waiting.append(found)
        assert seen <= known.keys()
        assert {"vadbench.boxes", "vadbench.masks"} <= known.keys()


def test_what_the_segmenter_has_learned_depends_on_the_program(small, monkeypatch):
    before = StageKeys(small).of(TaoSettings())
    monkeypatch.setattr("baselines.tao.stage_keys.sha256_of", lambda path: "another")
    after = StageKeys(small).of(TaoSettings())
    assert all(before[result]["program"] != after[result]["program"] for result in Result)


def test_files_are_read_once_for_all_keys(small, tmp_path, monkeypatch):
    file = tmp_path / "w.pt"
    file.write_bytes(b"1")
    read = []
    monkeypatch.setattr("baselines.tao.stage_keys.sha256_of", lambda path: read.append(path) or "0" * 64)
    sam2 = replace(TaoSettings().segmentation.sam2, checkpoint=file)
    settings = replace(TaoSettings(), segmentation=SegmentationSettings(SegmentationKind.SAM2_IMAGE, sam2=sam2))
    keys = StageKeys(small)
    keys.of(settings)
    keys.of(replace(settings, tau=2.0))
    assert read.count(file) == 1


@pytest.mark.parametrize("name", ["ped2-cpu", "ped2-cpu-boxes"])
def test_chosen_presets_lie_in_the_grid_that_is_searched(name):
    settings = load_preset(name, "ucsd-ped2")
    allowed = {}
    for step in (step for steps in SEARCH for step in steps):
        for row in step.rows:
            for column, value in zip(step.columns, row, strict=True):
                allowed.setdefault(column, {value_of(TaoSettings(), column)}).add(value)
    assert {column: value_of(settings, column) in values for column, values in allowed.items()} == dict.fromkeys(
        allowed, True
    )


class OpenCvError(Exception):
    code = -4


@pytest.mark.parametrize(
    "error", [RuntimeError("DefaultCPUAllocator: not enough memory"), RuntimeError("can't start new thread")]
)
def test_memory_that_is_not_enough_in_other_words(error, monkeypatch):
    with pytest.raises(UsageError) as raised, memory_watched("clip 01"):
        raise error
    assert raised.value.code == "B244"
    with pytest.raises(RuntimeError, match="other"), memory_watched("clip 01"):
        raise RuntimeError("other")
    monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(error=OpenCvError))
    with pytest.raises(UsageError), memory_watched("clip 01"):
        raise OpenCvError("Failed to allocate 1000 bytes")
