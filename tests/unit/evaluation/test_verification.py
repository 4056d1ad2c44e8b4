"""Scoring again finds the same numbers, or says which one moved; a hostile report is refused with one block."""

import json
import math
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import vadbench
from vadbench.datasets.synthesize import synthesize
from vadbench.errors import DataError, UsageError, VadbenchError
from vadbench.evaluation.report import LARGEST_REPORT, MOST_VALUES, Report
from vadbench.evaluation.verification import Verdict, compare_reports, reasons_not_to_compare, verify
from vadbench.submission import Submission, SubmissionWriter

METHOD = {"name": "M", "authors": [], "year": 2026, "code": "https://example.org/m"}
TRAINING = {"supervision": "one-class", "data": [], "pretrained": [], "threshold_chosen_on": "training"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "synthetic"
    return synthesize(root, seed=3, test_clips=2, training_clips=1, frames=16, height=48, width=64)


@pytest.fixture(scope="module")
def dataset(data: Path) -> vadbench.Dataset:
    return vadbench.open_dataset("synthetic", data)


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory, dataset: vadbench.Dataset) -> Submission:
    path = tmp_path_factory.mktemp("own") / "method"
    rng = np.random.default_rng(0)
    with SubmissionWriter(
        path, dataset=dataset, method=METHOD, training=TRAINING, score_maps={"threshold": 0.75}
    ) as writer:
        for clip in dataset.clips:
            masks = dataset.truth(clip.id).masks()
            writer.write_clip(clip.id, score_maps=(masks * 0.3 + rng.random(masks.shape) / 1.5).astype(np.float32))
    return Submission.open(path)


@pytest.fixture(scope="module")
def report(submission: Submission, dataset: vadbench.Dataset) -> Report:
    return vadbench.evaluate(submission, dataset)


def changed(report: Report, *steps: str | int, value: object) -> Report:
    content = json.loads(report.to_json())
    inner = content
    for step in steps[:-1]:
        inner = inner[step]
    if value is None:
        del inner[steps[-1]]
    else:
        inner[steps[-1]] = value
    return Report.model_validate(content)


def numbers(value: object) -> int:
    if isinstance(value, dict):
        return sum(map(numbers, value.values()))
    if isinstance(value, list):
        return sum(map(numbers, value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def test_equal_to_the_bit(submission: Submission, dataset: vadbench.Dataset, report: Report) -> None:
    found = verify(submission, dataset, report)
    assert (found.verdict, found.exit_code, found.differences) == (Verdict.EQUAL, 0, ())
    assert found.n_numbers == found.n_equal == numbers(json.loads(report.to_json(run=False)))
    assert found.n_numbers > 100


@pytest.mark.parametrize("protocol", ["tao-release", "aed-2021", "standard+pixel.fpr_limit=0.05"])
def test_protocol_and_metrics_are_those_of_the_report(
    submission: Submission, dataset: vadbench.Dataset, protocol: str
) -> None:
    metrics = ["pixel_f1", "tbdc"]
    report = vadbench.evaluate(submission, dataset, protocol, metrics)
    found = verify(submission, dataset, report)
    assert found.verdict is Verdict.EQUAL
    assert found.ours is not None
    assert found.ours.scores.keys() == report.scores.keys()


CHANGES = [
    (("scores", "pixel_ap", "value"), 0.5, "scores.pixel_ap.value"),
    (("scores", "pixel_f1", "precision"), 0.5, "scores.pixel_f1.precision"),
    (("scores", "pixel_f1", "threshold"), "all", "scores.pixel_f1.threshold"),
    (("scores", "pixel_f1_declared"), None, "scores.pixel_f1_declared.value"),
    (("scores", "rbdc", "source"), "detections", "scores.rbdc.source"),
    (("scores", "frame_auroc_macro", "clips"), 1, "scores.frame_auroc_macro.clips"),
    (("scores", "invented"), {"value": 0.9}, "scores.invented.value"),
    (("clips", 1, "scores", "rbdc", "value"), 0.125, "clips.02.scores.rbdc.value"),
    (("clips", 0), None, "clips.01.frames"),
    (("clips", 1, "id"), "01", "clips.01 (row 1).id"),
    (("curves", "rbdc", "y"), [0.0, 1.0], "curves.rbdc.y.1"),
    (("curves", "invented"), {"x": [], "y": []}, "curves.invented.x"),
    (("dataset", "fingerprint"), "0" * 64, "dataset.fingerprint"),
    (("dataset", "frames"), 33, "dataset.frames"),
    (("submission", "fingerprint"), "0" * 64, "submission.fingerprint"),
    (("submission", "method", "name"), "Better", "submission.method.name"),
    (("submission", "score_maps", "threshold"), 0.5, "submission.score_maps.threshold"),
    (("warnings",), ["nothing"], "warnings.0"),
]


@pytest.mark.parametrize(("steps", "value", "where"), CHANGES, ids=[where for _, _, where in CHANGES])
def test_every_change_is_found(report: Report, steps: tuple[str | int, ...], value: object, where: str) -> None:
    found = compare_reports(changed(report, *steps, value=value), report)
    assert (found.verdict, found.exit_code) == (Verdict.DIFFERENT, 1)
    assert where in [own.where for own in found.differences]
    assert found.n_equal < found.n_numbers or not isinstance(value, float)


def test_how_far_it_moved(report: Report) -> None:
    value = report.scores["pixel_ap"].value
    assert value is not None
    found = compare_reports(changed(report, "scores", "pixel_ap", "value", value=value + 0.25), report)
    (own,) = found.differences
    assert (own.theirs, own.ours) == (value + 0.25, value)
    assert own.moved == pytest.approx(-0.25)
    assert (found.n_numbers - found.n_equal, found.n_close) == (1, 0)


def test_last_digits_are_told_from_a_change(report: Report) -> None:
    value = report.scores["pixel_ap"].value
    assert value is not None
    for theirs, verdict in (
        (math.nextafter(value, 1), Verdict.CLOSE),
        (value + 9e-10, Verdict.CLOSE),
        (value + 2e-9, Verdict.DIFFERENT),
    ):
        found = compare_reports(changed(report, "scores", "pixel_ap", "value", value=theirs), report)
        assert found.verdict is verdict
        assert found.exit_code == (0 if verdict is Verdict.CLOSE else 1)
        assert found.n_close == (verdict is Verdict.CLOSE)
        assert found.n_equal == found.n_numbers - 1
    whole = compare_reports(changed(report, "dataset", "frames", value=report.dataset.frames + 1), report)
    assert whole.verdict is Verdict.DIFFERENT


def test_another_version_is_a_note_and_its_words_too(report: Report) -> None:
    older = changed(report, "signature", value=report.signature.rsplit("|v=", 1)[0] + "|v=0.0.1")
    found = compare_reports(older, report)
    assert found.verdict is Verdict.EQUAL
    assert "no number depends on it" in found.notes[0]
    found = compare_reports(changed(older, "warnings", value=["put otherwise"]), report)
    assert found.verdict is Verdict.EQUAL
    assert len(found.notes) == 2


def test_a_claimed_version_hides_no_warning(report: Report) -> None:
    older = changed(report, "signature", value=report.signature.rsplit("|v=", 1)[0] + "|v=0.0.1")
    ours = changed(report, "warnings", value=["the scores of clip 01 are constant", "put otherwise"])
    found = compare_reports(changed(older, "warnings", value=["put so"]), ours)
    assert found.verdict is Verdict.EQUAL
    assert found.new_warnings == tuple(ours.warnings)
    assert json.loads(found.to_json())["new_warnings"] == ours.warnings
    found = compare_reports(changed(older, "warnings", value=[]), ours)
    assert found.verdict is Verdict.DIFFERENT
    assert found.new_warnings == tuple(ours.warnings)


def test_thresholds_are_equal_or_not(report: Report) -> None:
    """A threshold is in the method's units: of scores near 1e-10 an absolute 1e-9 would hold any for close."""
    at = ("scores", "pixel_f1", "threshold")
    small = changed(report, *at, value=3e-10)
    for theirs, ours in ((1e-10, small), (math.nextafter(3e-10, 1), small)):
        assert compare_reports(changed(report, *at, value=theirs), ours).verdict is Verdict.DIFFERENT
    declared = ("submission", "score_maps", "threshold")
    found = compare_reports(changed(report, *declared, value=math.nextafter(0.75, 1)), report)
    assert found.verdict is Verdict.DIFFERENT


def test_metrics_that_the_report_has_not_are_named(report: Report) -> None:
    scores = {key: score.model_dump(exclude_none=True) for key, score in report.scores.items()}
    fewer = changed(report, "scores", value={key: scores[key] for key in ("pixel_ap", "tbdc")})
    found = compare_reports(fewer, fewer)
    assert (found.verdict, found.metrics) == (Verdict.EQUAL, ("pixel_ap", "tbdc"))
    assert len(found.missing_metrics) == 6
    content = json.loads(found.to_json())
    assert (content["metrics"], len(content["missing_metrics"])) == (["pixel_ap", "tbdc"], 6)
    assert compare_reports(report, report).missing_metrics == ()


def test_a_report_has_the_rights_of_a_new_file(report: Report, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        path = report.write(tmp_path / f"{'測' * 80}.json")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_difference_of_signatures_is_said_in_words(report: Report) -> None:
    other = changed(report, "signature", value=report.signature.replace("standard", "standard+object.ties=sequential"))
    found = compare_reports(other, report)
    assert found.verdict is Verdict.DIFFERENT
    assert any("object.ties" in reason for reason in found.reasons)


def test_another_data_set_or_definitions_are_said_first_and_nothing_is_scored(
    submission: Submission, dataset: vadbench.Dataset, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vadbench.evaluation.verification.evaluate", None)
    for other, said in (
        (changed(report, "signature", value=report.signature.replace("data=synthetic", "data=avenue")), "avenue"),
        (changed(report, "dataset", "id", value="avenue"), "avenue"),
        (changed(report, "signature", value=report.signature.replace("vadbench/1", "vadbench/2")), "definitions 2"),
    ):
        found = verify(submission, dataset, other)
        assert (found.verdict, found.exit_code) == (Verdict.NOT_COMPARED, 1)
        assert said in found.reasons[0]
    assert reasons_not_to_compare("synthetic", report) == ()


def test_a_report_without_a_score_cannot_be_verified(
    submission: Submission, dataset: vadbench.Dataset, report: Report
) -> None:
    with pytest.raises(DataError) as caught:
        verify(submission, dataset, changed(report, "scores", value={}))
    assert caught.value.code == "D362"


def test_the_truth_is_read_again(submission: Submission, data: Path, tmp_path: Path) -> None:
    """A mask whose size and time are as before is in the cache, and is another one."""
    copy = shutil.copytree(data, tmp_path / "copy")
    for path in copy.rglob("*"):
        os.utime(path, (1e9, 1e9))  # files that were written a moment ago are not kept in the cache
    first = vadbench.evaluate(submission, vadbench.open_dataset("synthetic", copy))
    masks = sorted((copy / "Test" / "Test001_gt").iterdir())
    sizes: dict[int, list[Path]] = {}
    for path in masks:
        sizes.setdefault(path.stat().st_size, []).append(path)
    one, other = next((a, b) for same in sizes.values() for a in same for b in same if a.read_bytes() != b.read_bytes())
    state = one.stat()
    one.write_bytes(other.read_bytes())
    os.utime(one, ns=(state.st_atime_ns, state.st_mtime_ns))
    reopened = vadbench.open_dataset("synthetic", copy)
    assert vadbench.evaluate(submission, reopened).to_json(run=False) == first.to_json(run=False), "from the cache"
    found = verify(submission, reopened, first)
    assert found.verdict is Verdict.DIFFERENT
    assert "dataset.fingerprint" in [own.where for own in found.differences]


def test_the_comparison_as_json(report: Report) -> None:
    found = compare_reports(changed(report, "scores", "pixel_ap", "value", value=0.5), report)
    content = json.loads(found.to_json())
    assert content["format"] == "vadbench.verification/1"
    assert (content["verdict"], content["n_differences"]) == ("different", 1)
    assert content["differences"][0]["where"] == "scores.pixel_ap.value"


def hostile(report: Report) -> dict[str, bytes]:
    text = report.to_json()
    deep = "[" * 50 + "]" * 50
    huge = "1" + "0" * 5_000

    def with_submission(value: str) -> str:
        return text.replace('"submission": {', f'"submission": {{"extra": {value}, ', 1)

    def with_signature(line: str) -> str:
        return text.replace(json.dumps(report.signature), json.dumps(line))

    return {
        "nothing": b"",
        "no JSON": b"report",
        "no object": b"[1]",
        "another format": b'{"format": "vadbench.report/2"}',
        "byte-order mark": b"\xef\xbb\xbf" + text.encode(),
        "not UTF-8": text.encode("utf-16"),
        "a key twice": text.replace('"signature"', '"signature": "x", "signature"', 1).encode(),
        "NaN": text.replace(f'"value": {report.scores["pixel_ap"].value}', '"value": NaN', 1).encode(),
        "beyond floats": text.replace(f'"value": {report.scores["pixel_ap"].value}', '"value": 1e999', 1).encode(),
        "beyond integers": text.replace('"frames": 32', f'"frames": {huge}', 1).encode(),
        "a number as text": text.replace('"frames": 32', '"frames": "32"', 1).encode(),
        "deep": with_submission(deep).encode(),
        "many values": with_submission("[" + "1," * MOST_VALUES + "1]").encode(),
        "large": text.encode() + b" " * LARGEST_REPORT,
        "an unknown key": text.replace('"signature"', '"evil": 1, "signature"', 1).encode(),
        "a score without value": text.replace('"scores": {', '"scores": {"x": {}, ', 1).encode(),
        "escape sequence": with_submission('"\\u001b[2J"').encode(),
        "escape sequence in a key": with_submission('{"\\u001b[2J": 1}').encode(),
        "right to left": with_submission('"\\u202e"').encode(),
        "a line of its own": with_submission('"x\\nverified: all"').encode(),
        "half a letter": with_submission('"\\ud800"').encode(),
        "a method that is no table": text.replace('"method": {', '"method": [], "methods": {', 1).encode(),
        "no signature": with_signature("vadbench/1").encode(),
        "an unknown protocol": with_signature(report.signature.replace("standard", "mine")).encode(),
        "an endless signature": with_signature(report.signature + "0" * 5_000).encode(),
    }


def test_a_hostile_report_is_refused_with_one_block(report: Report, tmp_path: Path) -> None:
    cases = hostile(report)
    good = report.to_json().encode()
    path = tmp_path / "sent.json"
    for name, content in cases.items():
        assert content != good, name
        path.write_bytes(content)
        with pytest.raises(VadbenchError) as caught:
            Report.read(path)
        assert caught.value.code == "D360", name
        block = caught.value.block()
        assert all(sign.isprintable() or sign == "\n" for sign in block), name
        assert len(block) < 2_000, name
    path.write_bytes(good)
    assert Report.read(path) == report


def test_a_folder_or_nothing_is_a_wrong_call(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(UsageError) as caught:
            Report.read(path)
        assert caught.value.code == "U141"


def test_text_of_lines_stays_where_it_may_be(report: Report, tmp_path: Path) -> None:
    with_text = changed(report, "submission", "method", "description", value="two\nlines")
    assert Report.read(with_text.write(tmp_path / "report.json")) == with_text
