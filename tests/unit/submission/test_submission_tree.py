"""Folder and zip are the same tree; links, strangers and untidy archives are refused."""

import os
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from made_submissions import maps, pack, read_maps, write_with_zarr
from untidy_archives import CENTRAL, UNTIDY, with_end

from vadbench.errors import SubmissionError, UsageError
from vadbench.submission import Submission
from vadbench.submission.tree import FolderTree
from vadbench.submission.zip_tree import ZipTree


def read_all(path):
    submission = Submission.open(path)
    for clip_id in submission.clip_ids:
        for _ in submission.clip(clip_id).maps.blocks():
            pass


def refused(path, code, *said):
    with pytest.raises(SubmissionError) as caught:
        read_all(path)
    assert caught.value.code == code, caught.value
    for words in said:
        assert words in str(caught.value)
    return caught.value


def test_folder_and_zip_hold_the_same(full, tmp_path):
    archive = pack(full, tmp_path / "renamed.dat")
    folder, packed = Submission.open(full), Submission.open(archive)
    assert folder.fingerprint == packed.fingerprint
    assert folder.metadata == packed.metadata
    assert FolderTree(full).files() == ZipTree(archive).files()
    assert FolderTree(full).entries("predictions.zarr/01") == ZipTree(archive).entries("predictions.zarr/01")
    np.testing.assert_array_equal(read_maps(full), read_maps(archive))


def test_the_path_itself_may_be_a_link(plain, tmp_path):
    (tmp_path / "link").symlink_to(plain)
    assert read_maps(tmp_path / "link").shape == (19, 6, 7)


@pytest.mark.parametrize("place", ["provenance.json", "predictions.zarr/02", "predictions.zarr/01/score_maps/c/1/0/0"])
def test_links_inside_are_refused(plain, tmp_path, place):
    target = plain / place
    if target.exists():
        target.unlink()
    (tmp_path / "outside").write_text("{}")
    target.symlink_to(tmp_path / "outside")
    refused(plain, "S121", "a link")


def test_a_linked_folder_is_refused(plain, tmp_path):
    shutil.move(plain / "predictions.zarr/01", tmp_path / "01")
    (plain / "predictions.zarr/01").symlink_to(tmp_path / "01")
    refused(plain, "S121")


@pytest.mark.parametrize("place", ["provenance.json", "predictions.zarr/01/score_maps/c/9"])
def test_special_files_are_refused_without_being_opened(plain, place):
    os.mkfifo(plain / place)
    refused(plain, "S121", "a special file")


@pytest.mark.parametrize(
    "place",
    [
        "scores.npy",
        "report.json",
        "predictions.zarr/note.txt",
        "predictions.zarr/01/note.txt",
        "predictions.zarr/01/truth/zarr.json",
        "predictions.zarr/.01/zarr.json",
        "predictions.zarr/0\x1b[2J1/zarr.json",
        "predictions.zarr/0\u202e1/zarr.json",
        "predictions.zarr/01/score_maps/zarr.json.bak",
        "predictions.zarr/01/score_maps/c/3/0/0",
        "predictions.zarr/01/score_maps/c/01/0/0",
        "predictions.zarr/01/score_maps/c/1/0/0.tmp",
    ],
)
def test_strangers_are_refused(plain, tmp_path, place):
    (plain / place).parent.mkdir(parents=True, exist_ok=True)
    (plain / place).write_text("x")
    refused(plain, "S120")
    refused(pack(plain, tmp_path / "m.zip"), "S120")


def test_a_path_too_deep_is_refused(plain, tmp_path):
    deep = plain / "predictions.zarr/01/score_maps/c/1/0/x/y"
    deep.mkdir(parents=True)
    (deep / "z").write_text("")
    refused(plain, "S120")
    refused(pack(plain, tmp_path / "m.zip"), "S120")


def test_finder_and_explorer_leavings_are_ignored(plain):
    expected = Submission.open(plain).fingerprint
    for place in (".DS_Store", "predictions.zarr/.DS_Store", "predictions.zarr/01/score_maps/Thumbs.db"):
        (plain / place).write_text("x")
    assert Submission.open(plain).fingerprint == expected


def test_what_is_no_submission_is_told_apart(plain, tmp_path):
    with pytest.raises(UsageError) as caught:
        Submission.open(tmp_path / "nothing")
    assert caught.value.code == "U130"
    assert "my" not in refused(tmp_path, "S101").got
    assert "plain" in refused(tmp_path, "S101").hint
    assert "Zarr group" in refused(plain / "predictions.zarr", "S101").hint
    refused(plain / "submission.toml", "S101", "no zip")
    (plain / "submission.toml").unlink()
    assert "beside predictions.zarr" in refused(plain, "S101").hint
    refused(tmp_path / "plain/predictions.zarr/01/score_maps/c/0/0/0", "S101", "no zip")


def test_a_zip_with_the_folder_inside_gets_a_hint(plain, tmp_path):
    outer = tmp_path / "outer"
    shutil.copytree(plain, outer / "my-method")
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.write(plain / "submission.toml", "my-method/submission.toml")
    assert "at its root" in refused(tmp_path / "m.zip", "S101").hint


def test_folder_entries_of_a_zip_are_ignored(plain, tmp_path):
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        for path in sorted(plain.rglob("*")):
            archive.write(path, path.relative_to(plain))
    assert Submission.open(tmp_path / "m.zip").fingerprint == Submission.open(plain).fingerprint


@pytest.mark.skipif(shutil.which("zip") is None, reason="Info-ZIP is not installed")
def test_the_documented_command_packs_a_readable_zip(plain, tmp_path):
    (plain / ".DS_Store").write_text("x")
    command = ["zip", "-q", "-0", "-r", "-X", str(tmp_path / "m.zip"), ".", "-x", "*.DS_Store"]
    subprocess.run(command, cwd=plain, check=True)
    assert Submission.open(tmp_path / "m.zip").fingerprint == Submission.open(plain).fingerprint


def test_names_beyond_ascii_are_read_with_their_flag(tmp_path):
    path = write_with_zarr(tmp_path / "m", {"übung": maps()})
    packed = pack(path, tmp_path / "m.zip")
    assert Submission.open(packed).clip_ids == ("übung",)
    assert Submission.open(packed).fingerprint == Submission.open(path).fingerprint


def test_compressed_members_are_refused(plain, tmp_path):
    refused(pack(plain, tmp_path / "m.zip", zipfile.ZIP_DEFLATED), "S122", "must be stored", "zip -0")


def zip_of(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name), b"content")
    return path


def link_entry(kind):
    info = zipfile.ZipInfo("provenance.json")
    info.create_system, info.external_attr = 3, kind << 16
    return info


@pytest.mark.parametrize("kind", [0o120777, 0o010644, 0o140644, 0o060644])
def test_links_and_devices_in_a_zip_are_refused(tmp_path, kind):
    refused(zip_of(tmp_path / "m.zip", link_entry(kind)), "S121")


@pytest.mark.parametrize(
    "names",
    [
        ["../submission.toml"],
        ["/submission.toml"],
        ["a/../submission.toml"],
        ["./submission.toml"],
        ["a//b"],
        ["C:/submission.toml"],
        ["a\\b"],
        ["submission.toml", "SUBMISSION.TOML"],
        ["a/b", "A/c"],
        ["a", "a/b"],
        ["a/b", "a"],
    ],
)
def test_untidy_names_in_a_zip_are_refused(tmp_path, names):
    refused(zip_of(tmp_path / "m.zip", *names), "S122")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_come_twice_are_refused(tmp_path):
    refused(zip_of(tmp_path / "m.zip", "submission.toml", "submission.toml"), "S122", "twice")
    refused(zip_of(tmp_path / "n.zip", "a/", "a/"), "S122", "twice")


@pytest.mark.parametrize("change", UNTIDY)
def test_an_untidy_archive_is_refused(plain, tmp_path, change):
    data = pack(plain, tmp_path / "m.zip").read_bytes()
    (tmp_path / "n.zip").write_bytes(change(data))
    refused(tmp_path / "n.zip", "S122")


def test_a_gap_before_the_directory_that_the_end_record_admits_is_refused(plain, tmp_path):
    data = pack(plain, tmp_path / "m.zip").read_bytes()
    start = data.index(CENTRAL)
    (tmp_path / "n.zip").write_bytes(with_end(start=4)(data[:start] + b"gap!" + data[start:]))
    refused(tmp_path / "n.zip", "S122", "a gap or an overlap before the directory")


def test_a_second_name_in_an_extra_field_is_refused(tmp_path):
    info = zipfile.ZipInfo("submission.toml")
    info.extra = struct.pack("<2H", 0x7075, 6) + b"\x01\0\0\0\0x"
    refused(zip_of(tmp_path / "m.zip", info), "S122", "extra field")


def test_a_link_is_not_followed_even_when_it_comes_after_the_listing(plain, tmp_path):
    (tmp_path / "outside").write_text("secret")
    (plain / "submission.toml").unlink()
    (plain / "submission.toml").symlink_to(tmp_path / "outside")
    with pytest.raises(SubmissionError) as caught:
        FolderTree(plain).read("submission.toml", 100)
    assert caught.value.code == "S124"


def test_a_changed_byte_of_a_member_is_noticed(plain, tmp_path):
    packed = pack(plain, tmp_path / "m.zip")
    data = bytearray(packed.read_bytes())
    chunk = (plain / "predictions.zarr/01/score_maps/c/1/0/0").read_bytes()
    data[bytes(data).index(chunk)] ^= 1
    packed.write_bytes(data)
    refused(packed, "S122", "CRC-32", "c/1/0/0")


def test_too_many_entries_are_refused_unread(tmp_path):
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for n in range(100_001):
            archive.writestr(zipfile.ZipInfo(str(n)), b"")
    refused(path, "S122", "100001 entries")


def test_zip64_end_records_are_read(tmp_path, monkeypatch):
    path = write_with_zarr(tmp_path / "m", {"01": maps()})
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    packed = pack(path, tmp_path / "m.zip")
    assert b"PK\x06\x06" in packed.read_bytes()
    assert Submission.open(packed).fingerprint == Submission.open(path).fingerprint
    data = packed.read_bytes()
    packed.write_bytes(data[: -22 - 20 - 56 + 24] + b"\x01" + data[-22 - 20 - 56 + 25 :])
    refused(packed, "S122")


def test_random_damage_never_escapes_the_error_family(plain, tmp_path):
    data = pack(plain, tmp_path / "m.zip").read_bytes()
    rng = np.random.default_rng(0)
    for n in range(200):
        damaged = bytearray(data)
        for _ in range(2):
            damaged[rng.integers(0, len(data))] = rng.integers(0, 256)
        path = Path(tmp_path / f"{n}.zip")
        path.write_bytes(damaged)
        try:
            read_maps(path)
        except SubmissionError:
            continue
