"""Predictions of an entry, given or fetched: checked in a process with limits, and compared with the report."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile

import pytest
from made_entries import codes, declare_files, entry_of, report_of, submission_of, write_report
from secure_web import give

import vadbench
from vadbench.entries import entry_predictions, fetching
from vadbench.entries.entry import check_entry
from vadbench.entries.entry_predictions import fetched_predictions, given_predictions
from vadbench.entries.fetching import FetchLimits
from vadbench.entries.sandbox import run_limited
from vadbench.errors import UsageError
from vadbench.submission.packing import pack
from vadbench.validation import Validation, validate


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A packed submission of a tiny synthetic set, and the entry of it."""
    folder = tmp_path_factory.mktemp("made")
    root = vadbench.synthesize(folder / "data", seed=3, test_clips=2, training_clips=1, frames=10, height=48, width=64)
    dataset = vadbench.open_dataset("synthetic", root)
    submission = submission_of(folder / "sketch", dataset)
    entry = entry_of(submission, dataset, folder)
    return pack(submission).path, entry


@pytest.fixture
def packed(made, tmp_path):
    return shutil.copy(made[0], tmp_path / "sketch.zip")


@pytest.fixture
def entry(made, tmp_path):
    return shutil.copytree(made[1], tmp_path / "submissions" / "sketch" / "synthetic")


def given(entry, path, check=validate):
    return given_predictions(check_entry(entry), path, check=check)


def test_the_predictions_of_the_report(entry, packed):
    assert codes(check_entry(entry).validation) == []
    # Of a set of which each copy has its own truth.
    assert codes(check_entry(entry).validation, "warning") == ["S190", "S187"]
    validation = given(entry, packed, run_limited)
    assert codes(validation) == []
    assert validation.fingerprint == report_of(entry)["submission"]["fingerprint"]


def test_predictions_that_are_others(entry, packed):
    report = report_of(entry)
    report["submission"]["fingerprint"] = "ab" * 32
    write_report(entry, report)
    validation = given(entry, packed)
    assert codes(validation) == ["S194"]
    assert validation.fingerprint is None


def test_metadata_that_say_something_else_than_the_packed_ones(entry, packed):
    # Report and entry agree with each other, and the fingerprint is right: only the zip tells.
    report = report_of(entry)
    report["submission"]["training"]["supervision"] = "zero-shot"
    write_report(entry, report)
    toml = entry / "submission.toml"
    toml.write_text(toml.read_text().replace("one-class", "zero-shot"))
    assert codes(check_entry(entry).validation) == []
    assert codes(given(entry, packed)) == ["S194"]


def test_metadata_that_differ_are_shown_both(entry, packed):
    toml = entry / "submission.toml"
    toml.write_text(toml.read_text().replace('name = "Sketch"', 'name = "Another"'))
    group = next(group for group in given(entry, packed).groups if "method.name" in group.where[0])
    assert group.code == "S194"
    assert group.expected.startswith('"Another", as in the entry')
    assert group.got == '"Sketch" in the predictions'


def test_a_zip_is_the_one_that_was_declared(entry, packed):
    declare_files(entry, "https://example.org/a.zip", hashlib.sha256(packed.read_bytes()).hexdigest())
    validation = given(entry, packed)
    assert codes(validation) == []
    assert [check.made for check in validation.checks if check.name == "sha256 of [files]"] == [True]
    toml = entry / "submission.toml"
    toml.write_text(toml.read_text().replace(hashlib.sha256(packed.read_bytes()).hexdigest(), "0" * 64))
    assert codes(given(entry, packed)) == ["S191"]
    assert codes(given(entry, shutil.copy(packed, packed.parent / "nameless"))) == ["S191"]


def test_a_folder_has_no_digest(entry, packed):
    declare_files(entry, "https://example.org/a.zip", "ab" * 32)
    folder = packed.parent / "unpacked"
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    validation = given(entry, folder)
    assert codes(validation) == []
    assert [check.made for check in validation.checks if check.name == "sha256 of [files]"] == [False]


def test_predictions_of_a_broken_entry_are_checked_all_the_same(entry, packed):
    (entry / "report.json").write_text("{")
    (entry / "submission.toml").write_text("[")
    assert codes(given(entry, packed)) == []


def test_nothing_at_the_path(entry, tmp_path):
    for name in ("none.zip", "../../none", "submissions/../none.zip"):
        with pytest.raises(UsageError) as caught:
            given(entry, tmp_path / name)
        assert caught.value.code == "U130"


def test_a_zip_that_would_leave_its_folder(entry, tmp_path):
    evil = tmp_path / "evil.zip"
    with zipfile.ZipFile(evil, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("../../evil.txt", "x")
        archive.writestr("submission.toml", "x")
    before = sorted(path.name for path in tmp_path.iterdir())
    assert codes(given(entry, evil, run_limited)) == ["S122"]
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x1f\x8b" + bytes(100), bytes(5000)])
def test_a_file_that_is_no_submission(entry, tmp_path, data):
    path = tmp_path / "odd.zip"
    path.write_bytes(data)
    assert given(entry, path).exit_code == 1


def test_a_crash_of_the_check_is_a_problem_of_the_submission(entry, packed, monkeypatch):
    from vadbench.entries import sandbox

    monkeypatch.setattr(sandbox, "_BEGINNING", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    validation = given(entry, packed, run_limited)
    assert codes(validation) == ["S172"]
    assert validation.fingerprint is None


@pytest.fixture
def from_the_web(web, monkeypatch):
    """The server on this machine may be asked, and is trusted."""

    def fetched(*words, **settings):
        return fetching.fetched(*words, **settings, is_allowed=lambda _: True, ports=range(2**16), context=web.context)

    monkeypatch.setattr(entry_predictions, "fetched", fetched)
    return web


def fetch(entry, **settings):
    return fetched_predictions(check_entry(entry), check=validate, **settings)


def test_an_entry_that_does_not_say_where_its_predictions_are(entry):
    assert fetch(entry) is None


def test_predictions_are_fetched(entry, packed, from_the_web):
    data = packed.read_bytes()
    from_the_web.answer = give(data)
    declare_files(entry, f"{from_the_web.url}/sketch.zip", hashlib.sha256(data).hexdigest())
    validation = fetch(entry)
    assert validation.n_errors == 0
    assert validation.submission == f"{from_the_web.url}/sketch.zip"
    assert validation.fingerprint == report_of(entry)["submission"]["fingerprint"]


def test_a_file_that_was_replaced_is_not_even_opened(entry, from_the_web, monkeypatch):
    from_the_web.answer = give(b"another")
    declare_files(entry, f"{from_the_web.url}/sketch.zip", "0" * 64)
    validation = fetched_predictions(check_entry(entry), check=lambda _: pytest.fail("opened"))
    assert codes(validation) == ["S191"]
    assert validation.dataset == "synthetic"


def test_a_server_that_gives_for_ever(entry, from_the_web):
    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(os.urandom(2**16))

    from_the_web.answer = answer
    declare_files(entry, f"{from_the_web.url}/sketch.zip", "0" * 64)
    assert codes(fetch(entry, limits=FetchLimits(most_bytes=2**20))) == ["S192"]


def test_this_machine_is_never_asked(entry, web):
    declare_files(entry, f"{web.url}/sketch.zip", "0" * 64)
    assert codes(fetch(entry)) == ["S193"]
    assert web.requests == []


def test_a_result_is_what_it_was_read_as(entry, packed):
    validation = given(entry, packed)
    assert Validation.model_validate_json(validation.to_json()) == validation
