"""The TAO baseline from the command line to scores: the synthetic set; and the reports that are committed."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from baselines.main import main
from vadbench import Prediction, Report, Submission, evaluate, open_dataset, synthesize
from vadbench.cli import main as vadbench_main

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
PED2 = SHARED / "UCSD_Anomaly_Dataset.v1p2" / "UCSDped2"
COMMITTED = ROOT / "submissions"
BELOW_ALL = -1e6


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tao")
    synthesize(folder / "data", seed=3, test_clips=2, training_clips=3, frames=40)
    words = ["tao", "--dataset", "synthetic", "--root", str(folder / "data"), "--preset", "ped2-cpu"]
    assert main([*words, "--out", str(folder / "tao")]) == 0
    return folder


def test_what_is_anomalous_is_found(made):
    report = evaluate(Submission.open(made / "tao"), open_dataset("synthetic", made / "data"))
    # A detector that knows nothing has 0.5, and a track criterion near 0.
    assert report.scores["pixel_auroc"].value > 0.7
    assert report.scores["tbdc"].value > 0.3
    assert report.scores["rbdc"].source == "instances"


def test_boxes_lie_beside_the_submission_and_not_in_it(made):
    submission = Submission.open(made / "tao")
    assert [str(kind) for kind in submission.metadata.predictions] == ["instances"]
    assert {path.name for path in (made / "tao").iterdir()} == {
        "submission.toml",
        "provenance.json",
        "predictions.zarr",
    }
    for stage in ("detection", "scoring", "filtering"):
        assert sorted(path.name for path in (made / "tao.stages" / stage / "test").iterdir()) == ["01.csv", "02.csv"]


def test_a_packed_submission_scores_identically(made):
    packed = made / "tao.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in (made / "tao").rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(made / "tao").as_posix())
    dataset = open_dataset("synthetic", made / "data")
    for protocol in ("standard", "tao-release"):
        folder, archive = (
            evaluate(Submission.open(path), dataset, protocol=protocol) for path in (made / "tao", packed)
        )
        assert folder.submission == archive.submission
        assert folder.scores == archive.scores
        assert folder.signature == archive.signature


def painted(instances, frames):
    """The rule of the format: a pixel has the highest score of the instances that cover it, and less under none."""
    scores = np.full((frames, instances.height, instances.width), BELOW_ALL)
    for row, (frame, score) in enumerate(zip(instances.frames, instances.scores, strict=True)):
        counts = instances.counts[instances.offsets[row] : instances.offsets[row + 1]]
        by_column = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
        mask = by_column.reshape(instances.width, instances.height).T
        scores[frame][mask] = np.maximum(scores[frame][mask], score)
    return scores


def test_masks_given_as_score_maps_score_identically(made):
    dataset = open_dataset("synthetic", made / "data")
    submission = Submission.open(made / "tao")
    metrics = ["pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1"]
    given = evaluate(submission, dataset, metrics=metrics)
    predictions = {
        clip.id: Prediction(score_maps=painted(submission.clip(clip).instances, clip.frames)) for clip in dataset.clips
    }
    again = evaluate(predictions, dataset, metrics=metrics)
    for name in metrics:
        assert again.scores[name].value == pytest.approx(given.scores[name].value, abs=1e-12)


PRESETS = {"tao-cpu": "ped2-cpu", "tao-cpu-boxes": "ped2-cpu-boxes"}
REPORTS = [
    COMMITTED / entry / "ucsd-ped2" / name for entry in PRESETS for name in ("report.json", "tao-release.report.json")
]


def test_the_committed_reports_are_those_of_two_submissions():
    fingerprints = [json.loads(path.read_text())["submission"]["fingerprint"] for path in REPORTS]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2] == fingerprints[3]


def test_the_committed_entries_pass_the_check_of_a_pull_request(capsys):
    assert vadbench_main(["submit-check", str(COMMITTED), "--format", "json"]) == 0
    results = json.loads(capsys.readouterr().out)["results"]
    assert {Path(result["path"]).parent.name for result in results} >= set(PRESETS)
    codes = {group["code"] for result in results for group in result["validation"]["groups"]}
    assert "S196" not in codes


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_the_page_shows_what_the_committed_reports_say(path):
    report = Report.read(path)
    protocol = str(report.parsed_signature.protocol)
    names = ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1", "rbdc", "tbdc")
    numbers = " | ".join(f"{100 * report.scores[name].value:.2f}" for name in names)
    row = f"| `{PRESETS[path.parts[-3]]}` | `{protocol}` | {numbers} |"
    assert row in (ROOT / "docs" / "tao.md").read_text(encoding="utf-8")


@pytest.mark.skipif(not PED2.is_dir(), reason="needs UCSD Ped2 beside the repository, in ../shared/data")
def test_the_committed_reports_are_of_the_data_at_hand():
    dataset = open_dataset("ucsd-ped2", PED2)
    assert {Report.read(path).dataset.fingerprint for path in REPORTS} == {dataset.fingerprint}
