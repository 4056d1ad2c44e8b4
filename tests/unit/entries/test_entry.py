"""Entries that are right, spoiled or hostile: every one gives a result, with a code for what is wrong."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import tracemalloc

import pytest
from made_entries import COMMITTED, ROOT, codes, report_of, write_report

from vadbench.entries.claimed_rows import ClaimedRows
from vadbench.entries.entry import check_entry
from vadbench.entries.sent_report import LARGEST_REPORT, read_sent_report
from vadbench.errors import SubmissionError
from vadbench.submission.problems import TITLES


def checked(entry):
    """The result; whatever it holds, it can be printed and is strict JSON."""
    validation = check_entry(entry).validation
    text = validation.to_json()
    json.loads(text, parse_constant=pytest.fail)
    assert text.isascii()
    for group in validation.groups:
        for words in (group.message, *group.where, group.expected, group.got, group.hint):
            assert words.replace("\n", "").isprintable(), words
    return validation


def only(entry, code, words=""):
    """The one error."""
    validation = checked(entry)
    assert codes(validation) == [code], validation.to_json()
    (group,) = (group for group in validation.groups if group.severity == "error")
    assert group.message == TITLES[code]
    assert words in "\n".join((*group.where, group.expected, group.got, group.hint))
    return group


@pytest.mark.parametrize("name", ["constant", "random", "frame-difference", "background", "tao-cpu", "tao-cpu-boxes"])
def test_the_committed_entries_are_right(name):
    validation = checked(ROOT / "submissions" / name / "ucsd-ped2")
    assert codes(validation) == []
    # Of the given boxes it is told in words who made the detector.
    assert codes(validation, "warning") == (["S153", "S190"] if name == "tao-cpu-boxes" else ["S190"])
    assert validation.dataset == "ucsd-ped2"
    assert [check.name for check in validation.checks if not check.made] == ["that the numbers are true"]


@pytest.mark.parametrize("name", ["TAO (classical, CPU)", "tao  (Classical, CPU)", "ＴＡＯ (classical, CPU)"])
def test_two_entries_claim_one_row(entry, name):
    other = entry.parents[1] / "other" / "ucsd-ped2"
    shutil.copytree(entry, other)
    spoil_toml(other, 'name = "TAO (classical, CPU)"', f'name = "{name}"')
    rows = ClaimedRows.of(entry.parents[1])
    groups = check_entry(entry, rows=rows).validation.groups
    assert [(group.severity, group.got) for group in groups if group.code == "S196"] == [
        ("warning", "those of other/ucsd-ped2")
    ]


def test_a_row_that_was_there_before_is_not_claimed(entry):
    other = entry.parents[1] / "other" / "ucsd-ped2"
    shutil.copytree(entry, other)
    rows = ClaimedRows.of(entry.parents[1])
    for settled, severity in ((["other/ucsd-ped2"], "error"), (["tao-cpu/ucsd-ped2", "other/ucsd-ped2"], "warning")):
        groups = check_entry(entry, rows=rows, settled=settled).validation.groups
        assert [group.severity for group in groups if group.code == "S196"] == [severity]


def test_entries_of_other_rows(entry):
    for number, (old, new) in enumerate([('version = "0.1.0"', 'version = "2"'), ('"ucsd-ped2"\n', '"avenue"\n')]):
        other = entry.parents[1] / f"other-{number}" / "ucsd-ped2"
        shutil.copytree(entry, other)
        spoil_toml(other, old, new)
    broken = entry.parents[1] / "broken" / "ucsd-ped2"
    broken.mkdir(parents=True)
    (broken / "submission.toml").symlink_to(entry / "submission.toml")
    rows = ClaimedRows.of(entry.parents[1])
    assert len(rows.rows) == 3
    assert "S196" not in codes(check_entry(entry, rows=rows).validation, "warning")


# Files and names


@pytest.mark.parametrize("name", ["submission.toml", "report.json"])
def test_a_missing_file(entry, name):
    (entry / name).unlink()
    only(entry, "S180", name)


def test_no_folder_at_all(tmp_path):
    only(tmp_path / "submissions" / "a" / "b", "S180", "nothing")


@pytest.mark.parametrize(
    "name", ["run.py", ".hidden", "Report.json", "a\x1b[31m.txt", "\u202etxt", "submission.toml.orig"]
)
def test_another_file(entry, name):
    (entry / name).write_text("x")
    only(entry, "S181")


def test_a_name_that_is_no_text(entry):
    with open(os.fsencode(entry) + b"/\xff\xfe", "wb"):  # noqa: PTH123 - such a name is bytes
        pass
    only(entry, "S181")


def test_predictions_in_the_entry(entry):
    (entry / "predictions.zarr").mkdir()
    assert "elsewhere" in only(entry, "S181").hint


def test_thousands_of_names(entry):
    for number in range(300):
        (entry / f"{number}").touch()
    only(entry, "S181", "more than 100")


@pytest.mark.parametrize("name", ["report.json", "submission.toml", "README.md"])
def test_a_link_is_not_followed(entry, tmp_path, name):
    (entry / name).rename(tmp_path / "elsewhere")
    (entry / name).symlink_to(tmp_path / "elsewhere")
    assert codes(checked(entry)) == ["S121"]


def test_a_link_that_leads_nowhere(entry):
    (entry / "provenance.json").unlink()
    (entry / "provenance.json").symlink_to("/nowhere")
    only(entry, "S121")


def test_an_entry_that_is_a_link(entry, tmp_path):
    other = tmp_path / "submissions" / "other"
    other.mkdir()
    (other / "ucsd-ped2").symlink_to(entry)
    only(other / "ucsd-ped2", "S121")
    shutil.rmtree(other)
    other.symlink_to(entry.parent)
    only(other / "ucsd-ped2", "S121")


def test_a_pipe_is_not_waited_for(entry):
    (entry / "README.md").unlink()
    os.mkfifo(entry / "README.md")
    only(entry, "S121")


@pytest.mark.parametrize("name", ["Tao", "tao_cpu", "-tao", "täo", "tao cpu", "a" * 65])
def test_the_folder_of_a_method_is_a_plain_name(entry, name):
    only(entry.parent.rename(entry.parent.with_name(name)) / "ucsd-ped2", "S182")


def test_the_folder_is_named_after_the_data_set(entry):
    only(entry.rename(entry.with_name("avenue")), "S182", "ucsd-ped2")


def test_a_data_set_that_does_not_exist(entry):
    spoil_toml(entry, 'dataset = "ucsd-ped2"', 'dataset = "ucsd-ped3"')
    assert codes(checked(entry))[:2] == ["S182", "S109"]


@pytest.mark.parametrize(
    ("name", "limit"),
    [("submission.toml", 64), ("report.json", 2048), ("provenance.json", 64), ("verified.json", 2048)],
)
def test_a_large_file_is_refused_unread(entry, name, limit):
    with (entry / name).open("wb") as file:
        file.truncate(100 * 2**20)
    tracemalloc.start()
    try:
        group = only(entry, "S123")
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()
    assert group.expected == f"at most {limit * 1024} bytes"


# Metadata and other texts


def spoil_toml(entry, old, new):
    path = entry / "submission.toml"
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


def test_metadata_follow_the_format(entry):
    spoil_toml(entry, "year = 2026", "year = 1800\nstars = 5")
    assert "stars: unknown key" in only(entry, "S112").got


def test_metadata_that_are_not_toml(entry):
    (entry / "submission.toml").write_bytes(b"\x00[[")
    only(entry, "S111")


def test_provenance_follows_the_format(entry):
    (entry / "provenance.json").write_text('{"a": NaN}')
    only(entry, "S113")


@pytest.mark.parametrize("data", [b"\xff", "a\u202eb".encode(), b"a\x1b[31m", b"\x00"])
def test_a_readme_is_text(entry, data):
    (entry / "README.md").write_bytes(b"fine\n\n" + data)
    only(entry, "S110")


@pytest.mark.parametrize("text", ["[]", "{", '{"a": 1e999}', '{"a": 1, "a": 2}', '{"a":' * 20 + "1" + "}" * 20])
def test_a_verification_is_strict_json(entry, text):
    (entry / "verified.json").write_text(text)
    only(entry, "S110")


def verify(entry):
    """What maintainers write beside an entry."""
    names = [path.name for path in entry.iterdir() if path.name.endswith((".toml", "report.json"))]
    files = {name: hashlib.sha256((entry / name).read_bytes()).hexdigest() for name in names}
    (entry / "verified.json").write_text(json.dumps({"format": "vadbench.verified/1", "files": files, "by": "us"}))


def test_a_verification_is_of_the_files_beside_it(entry):
    verify(entry)
    assert codes(checked(entry)) == []
    # The same report to a reader, and other bytes: whoever verified it has not seen these.
    with (entry / "report.json").open("a") as file:
        file.write("\n")
    only(entry, "S195", "report.json")
    verify(entry)
    (entry / "tao-release.report.json").unlink()
    only(entry, "S195", "there is no such file")


@pytest.mark.parametrize("content", [{}, {"format": "vadbench.verified/1"}, {"files": {}}])
def test_a_verification_that_says_nothing_is_none(entry, content):
    (entry / "verified.json").write_text(json.dumps(content))
    only(entry, "S110", "files")


def test_a_table_files_is_no_difference(entry):
    with (entry / "submission.toml").open("a") as file:
        file.write('\n[files]\nurl = "https://example.org/a.zip"\nsha256 = "' + "ab" * 32 + '"\n')
    validation = checked(entry)
    assert (codes(validation), codes(validation, "warning")) == ([], [])


def test_a_digest_of_zeros_is_that_of_the_example(entry):
    with (entry / "submission.toml").open("a") as file:
        file.write('\n[files]\nurl = "https://example.org/a.zip"\nsha256 = "' + "0" * 64 + '"\n')
    only(entry, "S190", "zeros")


# Reports that cannot be read


def raw(entry, old, new, count=1):
    """The report with a piece of its text replaced."""
    path = entry / "report.json"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), "utf-8")


@pytest.mark.parametrize(
    "literal", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 5000, "0x1", "true", '"1"']
)
def test_a_value_that_is_no_number(entry, literal):
    report = report_of(entry)
    value = json.dumps(report["scores"]["pixel_auroc"]["value"])
    raw(entry, f'"value": {value}', f'"value": {literal}')
    only(entry, "S183")


def test_a_whole_number_beyond_all_floats(entry):
    value = json.dumps(report_of(entry)["scores"]["pixel_auroc"]["value"])
    raw(entry, f'"value": {value}', '"value": 1' + "0" * 400)
    assert codes(checked(entry)) in (["S183"], ["S188"])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"null",
        b"[]",
        b"{}",
        b'{"format": "vadbench.report/2"}',
        b"[" * 2**20,
        b'{"a":' * 200_000,
        b'"' + b"\\" * 1001,
        b"PK\x03\x04",
        b'{"signature": "\\ud800"}',
    ],
)
def test_a_report_that_is_none(entry, data):
    (entry / "report.json").write_bytes(data)
    only(entry, "S183")


def test_a_key_twice(entry):
    raw(entry, '"format":', '"format": "vadbench.report/1", "format":')
    only(entry, "S183", "twice")


@pytest.mark.parametrize(
    "text",
    ["\x1b[2J", "a\u202eb", "\u2066", "\x00", "\x85", "x" * 5000],
    ids=["ansi", "bidi", "isolate", "nul", "c1", "long"],
)
@pytest.mark.parametrize("place", ["warnings", "reason", "key", "method", "clip"])
def test_texts_that_could_do_harm(entry, text, place):
    report = report_of(entry)
    if place == "warnings":
        report["warnings"] = [text]
    elif place == "reason":
        report["scores"]["rbdc"] = {"value": None, "reason": text}
    elif place == "key":
        report["submission"][text] = 1
    elif place == "method":
        report["submission"]["method"]["name"] = text
    else:
        report["clips"][3]["id"] = text
    write_report(entry, report)
    assert codes(checked(entry)) == ["S183"]


def test_markup_is_data(entry):
    # Whoever writes pages escapes it; here it is a difference from the metadata, and nothing else.
    report = report_of(entry)
    report["submission"]["method"]["name"] = "<script>alert(1)</script> =cmd|' /C calc'!A0 \\input{x}"
    write_report(entry, report)
    assert "<script>" in only(entry, "S189").got


def test_an_unknown_key(entry):
    report = report_of(entry)
    report["verified"] = True
    write_report(entry, report)
    only(entry, "S183", "verified")


def test_a_report_with_its_block_run_is_fine(entry):
    report = report_of(entry)
    words = ("vadbench", "python", "numpy", "platform", "date")
    report["run"] = dict.fromkeys(words, "x") | {"seconds": 1.5, "peak_memory_bytes": 1, "workers": 1}
    write_report(entry, report)
    assert codes(checked(entry)) == []


# Reports that say what cannot be


def spoiled(entry, *keys, to):
    """The report with one value changed."""
    report = report_of(entry)
    place = report
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    write_report(entry, report)


@pytest.mark.parametrize("value", [-1e-9, 1.0000001, 99.5, -math.pi])
@pytest.mark.parametrize("place", ["scores", "clip"])
def test_a_value_outside_the_range(entry, value, place):
    path = ("scores",) if place == "scores" else ("clips", 2, "scores")
    spoiled(entry, *path, "pixel_ap", "value", to=value)
    assert str(value) in only(entry, "S188").got


@pytest.mark.parametrize(
    "key", ["pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1", "rbdc", "tbdc", "frame_auroc_macro"]
)
def test_a_better_value_contradicts_the_rest_of_the_report(entry, key):
    spoiled(entry, "scores", key, "value", to=0.999)
    assert set(codes(checked(entry))) == {"S184"}


def test_a_report_that_leaves_out_what_would_tell(entry):
    report = report_of(entry)
    for score in report["scores"].values():
        score |= {key: 0.9999 for key in ("value", "precision", "recall") if key in score}
    for row in report["clips"]:
        row["scores"] = {}
    report["curves"] = {}
    write_report(entry, report)
    assert set(codes(checked(entry))) == {"S184"}


@pytest.mark.parametrize("reason", ["not measured", "there is no ground-truth region"])
def test_what_is_bad_is_not_left_without_a_value(entry, reason):
    report = report_of(entry)
    for part in (report, *report["clips"]):
        part["scores"] |= {key: {"value": None, "reason": reason} for key in ("rbdc", "tbdc")}
    del report["curves"]["rbdc"], report["curves"]["tbdc"]
    write_report(entry, report)
    assert set(codes(checked(entry))) == {"S184"}


@pytest.mark.parametrize("f1", [0.3, 0.95])
def test_a_best_f1_beside_the_curve_of_precision(entry, f1):
    report = report_of(entry)
    report["scores"]["pixel_f1"] |= dict.fromkeys(("value", "precision", "recall"), f1)
    write_report(entry, report)
    only(entry, "S184", "curve pr")


HOSTILE = {
    "clips": {"clips": [{}] * 190_000},
    "more clips": {"clips": [{}] * 690_000},
    "points": {"curves": {"roc": {"x": [""] * 390_000, "y": []}}},
    "keys": dict.fromkeys(map(str, range(100_000)), 1),
    "warnings": {"warnings": [1] * 390_000},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_report_that_would_take_memory(entry, kind):
    """An error for each of the many faults would take gigabytes."""
    data = json.dumps(report_of(entry) | HOSTILE[kind], separators=(",", ":")).encode()
    assert len(data) <= LARGEST_REPORT
    tracemalloc.start()
    try:
        with pytest.raises(SubmissionError) as caught:
            read_sent_report(data, ("r",))
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()
    assert caught.value.code == "S183"
    assert len(caught.value.got) < 300


def test_a_clip_is_missing(entry):
    report = report_of(entry)
    report["clips"].pop(4)
    write_report(entry, report)
    validation = checked(entry)
    assert "S103" in codes(validation)
    assert any('"05"' in group.got for group in validation.groups)


def test_a_clip_comes_twice(entry):
    report = report_of(entry)
    report["clips"].append(report["clips"][0])
    write_report(entry, report)
    assert "S184" in codes(checked(entry))


def test_a_clip_has_other_frames(entry):
    spoiled(entry, "clips", 3, "frames", to=176)
    assert set(codes(checked(entry))) == {"S104", "S184"}


@pytest.mark.parametrize(
    "keys", [("method", "year"), ("training", "supervision"), ("predictions",), ("method", "extra")]
)
def test_a_report_of_another_submission(entry, keys):
    spoiled(entry, "submission", *keys, to="other")
    only(entry, "S189", "other")


def test_metadata_that_were_changed_after_scoring(entry):
    spoil_toml(entry, 'supervision = "one-class"', 'supervision = "zero-shot"')
    # In both reports of the entry.
    assert codes(checked(entry)) == ["S189", "S189"]


def test_another_method_than_the_metadata(entry):
    spoil_toml(entry, 'name = "TAO (classical, CPU)"', 'name = "Somebody Else"')
    assert codes(checked(entry)) == ["S189", "S189"]


def test_other_kinds_would_feed_other_metrics(entry):
    report = report_of(entry)
    report["scores"]["pixel_auroc"]["source"] = "score-maps"
    write_report(entry, report)
    only(entry, "S189", "instances")


def test_truth_that_is_not_the_published_one(entry):
    report = report_of(entry)
    report["dataset"]["fingerprint"] = "ab" * 32
    report["signature"] = report["signature"].replace("57a42e14", "abababab")
    write_report(entry, report)
    assert set(codes(checked(entry))) == {"S186", "S189"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("57a42e14", "00000000", "S184"),
        ("protocol=standard", "protocol=nonsense", "S184"),
        ("vadbench/1|", "vadbench/2|", "S184"),
        ("vadbench/1|", "", "S184"),
        ("tracks=mask-overlap", "tracks=aed:90cc4e01", "S184"),
    ],
)
def test_a_signature_that_does_not_fit(entry, old, new, code):
    spoiled(entry, "signature", to=report_of(entry)["signature"].replace(old, new))
    assert set(codes(checked(entry))) == {code}


def test_a_report_of_another_protocol(entry):
    shutil.copy(entry / "tao-release.report.json", entry / "report.json")
    only(entry, "S185", "tao-release")


def test_a_further_report_under_a_wrong_name(entry):
    (entry / "tao-release.report.json").rename(entry / "aed-2021.report.json")
    only(entry, "S185", "protocol=aed-2021")


@pytest.mark.parametrize("stem", ["standard", "my-protocol", "standard+pixel.fpr_limit=9", "tao-release.partial", ""])
def test_a_name_that_is_no_protocol(entry, stem):
    (entry / "tao-release.report.json").rename(entry / f"{stem}.report.json")
    only(entry, "S181")


def test_a_further_report_of_other_predictions(entry):
    other = COMMITTED.parents[1] / "tao-cpu-boxes" / "ucsd-ped2"
    shutil.copy(other / "tao-release.report.json", entry / "tao-release.report.json")
    assert set(codes(checked(entry))) == {"S189"}


def test_a_metric_is_left_out(entry):
    report = report_of(entry)
    for scores in (report["scores"], *(row["scores"] for row in report["clips"])):
        del scores["tbdc"]
    write_report(entry, report)
    # Its curve is there without it, too.
    assert set(codes(checked(entry))) == {"S184"}


def test_predictions_in_memory_are_no_submission(entry):
    report = report_of(entry)
    report["submission"] = {"fingerprint": report["submission"]["fingerprint"], "in_memory": True}
    write_report(entry, report)
    assert set(codes(checked(entry))) == {"S189"}


def test_a_result_stays_small_whatever_is_sent(entry):
    report = report_of(entry)
    report["scores"] = {f"<b>{number}</b>" * 20: {"value": 7.0} for number in range(2000)}
    report["submission"] |= {f"key {number}": "x" * 400 for number in range(2000)}
    write_report(entry, report)
    assert 0 < len(checked(entry).to_json()) < 4 * 2**20


def test_all_problems_come_in_one_pass(entry):
    (entry / "run.py").touch()
    (entry / "provenance.json").write_text("[]")
    spoil_toml(entry, "year = 2026", "year = 2025")
    spoiled(entry, "scores", "pixel_ap", "value", to=2.0)
    assert set(codes(checked(entry))) >= {"S181", "S113", "S189", "S188"}
