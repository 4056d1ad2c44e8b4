"""Folder to zip to folder: the same tree, the same bytes, whole or not there, nothing outside of the target."""

import errno
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from made_submissions import clip_of, maps, write, write_with_zarr

from vadbench.errors import SubmissionError, UsageError
from vadbench.submission import Submission, zip_writer
from vadbench.submission import packing as packing_module
from vadbench.submission.member_names import check_holdable, check_names
from vadbench.submission.packing import pack, unpack
from vadbench.submission.tree import open_tree
from vadbench.submission.zip_directory import DirectoryReader
from vadbench.submission.zip_writer import ZipWriter


def tree_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names_beside(path):
    return sorted(child.name for child in path.parent.iterdir())


def test_folder_to_zip_to_folder_is_the_same_tree(full, tmp_path):
    (full / "provenance.json").write_text('{"seed": 7}')
    packed = pack(full)
    assert packed.path == full.with_name("full.zip")
    again = unpack(packed.path, tmp_path / "again")
    assert tree_of(again.path) == tree_of(full)
    assert packed.n_files == again.n_files == len(tree_of(full))
    assert again.n_bytes == sum(map(len, tree_of(full).values()))
    assert Submission.open(packed.path).fingerprint == Submission.open(full).fingerprint
    once_more = pack(again.path, tmp_path / "once-more.zip")
    assert once_more.path.read_bytes() == packed.path.read_bytes()
    assert packed.sha256 == once_more.sha256 == hashlib.sha256(packed.path.read_bytes()).hexdigest()
    assert packed.n_bytes == packed.path.stat().st_size


def test_times_modes_and_the_order_of_files_do_not_matter(full, tmp_path):
    first = pack(full, tmp_path / "first.zip")
    copy = tmp_path / "copy"
    for path in sorted(full.rglob("*"), reverse=True):
        if path.is_file():
            target = copy / path.relative_to(full)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
            os.utime(target, (1e9, 1e9))
            target.chmod(0o600)
    (copy / ".DS_Store").write_bytes(b"of a system")
    (copy / "predictions.zarr" / "01" / "Thumbs.db").write_bytes(b"of another")
    assert pack(copy, tmp_path / "second.zip").sha256 == first.sha256


def test_the_bytes_are_known(tmp_path):
    """The whole of a small zip: another version of the program or of Python must not write another."""
    with (tmp_path / "small.zip").open("wb") as file:
        writer = ZipWriter(file)
        writer.add("a", b"1")
        writer.add("é", b"")
        writer.finish()
    local = "504b0304 0a00 {} 0000 0000 2100 {} {} {} {} 0000 {}"
    central = "504b0102 0a03 0a00 {} 0000 0000 2100 {} {} {} {} 0000 0000 0000 0000 0000a481 {} {}"
    expected = (
        local.format("0000", "b7efdc83", "01000000", "01000000", "0100", "61 31")
        + local.format("0008", "00000000", "00000000", "00000000", "0200", "c3a9")
        + central.format("0000", "b7efdc83", "01000000", "01000000", "0100", "00000000", "61")
        + central.format("0008", "00000000", "00000000", "00000000", "0200", "20000000", "c3a9")
        + "504b0506 0000 0000 0200 0200 5f000000 40000000 0000"
    )
    assert (tmp_path / "small.zip").read_bytes().hex() == expected.replace(" ", "")


def test_headers_hold_what_the_format_allows_and_nothing_else(tmp_path):
    folder = write_with_zarr(tmp_path / "method", {"clip é": maps(), "01": maps()})
    packed = pack(folder)
    with zipfile.ZipFile(packed.path) as archive:
        infos = archive.infolist()
        assert archive.testzip() is None
        assert archive.comment == b""
    assert [info.filename for info in infos] == sorted(tree_of(folder))
    for info in infos:
        assert info.compress_type == zipfile.ZIP_STORED
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
        assert (info.extra, info.comment, info.is_dir()) == (b"", b"", False)
        assert info.flag_bits == (0 if info.filename.isascii() else 0x0800)


def test_info_zip_reads_it(full, tmp_path):
    unzip = shutil.which("unzip")
    if unzip is None:
        pytest.skip("needs Info-ZIP's unzip")
    packed = pack(full)
    assert subprocess.run([unzip, "-tqq", packed.path], check=False).returncode == 0
    subprocess.run([unzip, "-qq", packed.path, "-d", tmp_path / "by-unzip"], check=True)
    assert tree_of(tmp_path / "by-unzip") == tree_of(full)
    assert (tmp_path / "by-unzip" / "submission.toml").stat().st_mode & 0o777 == 0o644


def written(path, n_members, content=b""):
    with path.open("wb") as file:
        writer = ZipWriter(file)
        for number in range(n_members):
            writer.add(f"{number:05}", content)
        writer.finish()
    return path


@pytest.mark.parametrize("n_members", [65_534, 65_535])
def test_more_than_65_534_entries_need_the_records_of_64_bits(tmp_path, n_members):
    path = written(tmp_path / "many.zip", n_members)
    assert (b"PK\x06\x06" in path.read_bytes()[-120:]) == (n_members > 65_534)
    assert len(open_tree(path).files()) == n_members
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == n_members


class _Beyond:
    """A file of which only the bytes from an offset on are kept."""

    def __init__(self):
        self.kept = bytearray()

    def write(self, data):
        self.kept += data


def test_offsets_beyond_4_gib_are_written_and_read_back():
    """As if 5 GiB lay before the second member: its bytes are claimed, not made."""
    file = _Beyond()
    writer = ZipWriter(file)
    writer.add("a", b"x" * 100)
    gap = 5 * 2**30
    writer.size += gap
    writer.add("b", b"second")
    writer.finish()

    # The directory as it is read, with the gap as part of the first member.
    first_end = 30 + 1 + 100
    size = len(file.kept) + gap

    def read(offset, length):
        start = offset if offset < first_end else offset - gap
        return bytes(file.kept[start : start + length])

    reader = DirectoryReader("large.zip", size, read)
    start, n_entries, directory = reader._directory()
    assert (start, n_entries) == (first_end + gap + 30 + 1 + 6, 2)
    members = list(reader._members(directory, n_entries))
    assert [(member.name, member.offset) for member in members] == [("a", 0), ("b", first_end + gap)]
    assert struct.pack("<2HQ", 1, 8, first_end + gap) in directory
    assert file.kept.count(b"PK\x06\x06") == file.kept.count(b"PK\x06\x07") == 1


def test_records_of_64_bits_are_whole_files_to_every_reader(full, tmp_path, monkeypatch):
    """With the limit set low every member but the first has them."""
    monkeypatch.setattr(zip_writer, "LONG_LIMIT", 2_000)
    path = tmp_path / "wide.zip"
    content = {f"{number}": bytes([number]) * 700 for number in range(9)}
    with path.open("wb") as file:
        writer = ZipWriter(file)
        for name, data in content.items():
            writer.add(name, data)
        writer.finish()
    data = path.read_bytes().replace(struct.pack("<I", 2_000), b"\xff" * 4)
    path.write_bytes(data)
    tree = open_tree(path)
    assert {name: tree.read(name, 1_000) for name in tree.files()} == content
    with zipfile.ZipFile(path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == content


def add_link(folder):
    (folder / "predictions.zarr" / "link").symlink_to("/etc/passwd")


def add_link_to_folder(folder):
    (folder / "predictions.zarr" / "03").symlink_to(folder / "predictions.zarr" / "01")


def add_pipe(folder):
    os.mkfifo(folder / "predictions.zarr" / "01" / "pipe")


def add_unknown(folder):
    (folder / "notes.txt").write_text("mine")


def add_unknown_deep(folder):
    (folder / "predictions.zarr" / "01" / "score_maps" / "c" / "mine").write_text("mine")


def add_unfinished(folder):
    (folder / ".unfinished" / "predictions.zarr").mkdir(parents=True)


def provenance_folder(folder):
    (folder / "provenance.json").mkdir()
    (folder / "provenance.json" / "x").write_text("mine")


def lose_chunk(folder):
    (folder / "predictions.zarr" / "01" / "frame_scores" / "c" / "0").unlink()


def lose_metadata(folder):
    (folder / "submission.toml").unlink()


def lose_kind(folder):
    shutil.rmtree(folder / "predictions.zarr" / "02" / "detections")


FAULTS = [
    (add_link, "S121"),
    (add_link_to_folder, "S121"),
    (add_pipe, "S121"),
    (add_unknown, "S120"),
    (add_unknown_deep, "S120"),
    (add_unfinished, "S120"),
    (provenance_folder, "S120"),
    (lose_chunk, "S133"),
    (lose_metadata, "S101"),
    (lose_kind, "S106"),
]


@pytest.mark.parametrize(("spoil", "code"), FAULTS, ids=[spoil.__name__ for spoil, _ in FAULTS])
def test_what_is_no_submission_is_not_packed(full, spoil, code):
    spoil(full)
    with pytest.raises(SubmissionError) as caught:
        pack(full)
    assert caught.value.code == code
    assert names_beside(full) == ["full"]


def test_the_path_may_be_a_link_and_a_dot(full, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "latest"
    link.symlink_to(full)
    assert pack(link).path == tmp_path / "elsewhere" / "full.zip"
    monkeypatch.chdir(full)
    assert pack(".").path == full.with_name("full.zip")


def test_the_zip_never_lies_inside_the_folder(full, tmp_path):
    (tmp_path / "link").symlink_to(full)
    for out in (full / "packed.zip", tmp_path / "link" / "packed.zip", full):
        with pytest.raises(UsageError) as caught:
            pack(full, out)
        assert caught.value.code == "U201"
    assert not (full / "packed.zip").exists()


def test_nothing_is_replaced_unasked_and_only_a_zip_when_asked(full):
    target = full.with_name("full.zip")
    target.write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(UsageError) as caught:
            pack(full, overwrite=overwrite)
        assert caught.value.code == "U202"
    assert target.read_text() == "years of work"
    target.unlink()
    pack(full)
    with pytest.raises(UsageError, match="--overwrite"):
        pack(full)
    before = target.read_bytes()
    target.write_bytes(before + b"more")
    pack(full, overwrite=True)
    assert target.read_bytes() == before
    assert names_beside(full) == ["full", "full.zip"]


def test_only_a_packed_submission_is_replaced(full):
    target = full.with_name("full.zip")
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("thesis.tex", "years of work")
    for content in (target.read_bytes(), b"PK\x05\x06 and so on"):
        target.write_bytes(content)
        with pytest.raises(UsageError) as caught:
            pack(full, overwrite=True)
        assert caught.value.code == "U202"
        assert target.read_bytes() == content
    # A compressed one is what its author wants to have in another form.
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in tree_of(full).items():
            archive.writestr(name, content)
    assert pack(full, overwrite=True).path == target


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_zip_that_appears_meanwhile_stays(full, monkeypatch, links, overwrite):
    target = full.with_name("full.zip")

    def refused(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if not links:
        monkeypatch.setattr("vadbench.submission.whole_files.os.link", refused)
    real = packing_module._check_written

    def appears(*arguments):
        real(*arguments)
        target.write_bytes(b"PK\x03\x04 of somebody else")

    monkeypatch.setattr(packing_module, "_check_written", appears)
    with pytest.raises(UsageError) as caught:
        pack(full, overwrite=overwrite)
    assert caught.value.code == "U202"
    assert target.read_bytes() == b"PK\x03\x04 of somebody else"
    assert names_beside(full) == ["full", "full.zip"]
    monkeypatch.setattr(packing_module, "_check_written", real)
    target.unlink()
    assert pack(full).path.stat().st_nlink == 1


def test_the_umask_and_long_names_are_heeded(full, tmp_path):
    before = os.umask(0o027)
    try:
        packed = pack(full, tmp_path / f"{'測' * 80}.zip")
        again = unpack(packed.path, tmp_path / ("測" * 85))
    finally:
        os.umask(before)
    assert packed.path.stat().st_mode & 0o777 == 0o640
    assert (again.path / "submission.toml").stat().st_mode & 0o777 == 0o640


def test_a_zip_or_a_url_is_not_packed_and_a_folder_not_unpacked(full):
    packed = pack(full)
    for call in (lambda: pack(packed.path), lambda: pack("https://example.org/x"), lambda: unpack(full)):
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.code == "U200"
    with pytest.raises(UsageError) as caught:
        unpack("https://example.org/x.zip")
    assert caught.value.code == "U200"


def test_a_file_that_changes_meanwhile_leaves_no_zip(full, monkeypatch):
    real = packing_module.checked_files

    def checked(tree):
        files = real(tree)
        with (full / "submission.toml").open("a") as file:
            file.write("# one more line\n")
        return files

    monkeypatch.setattr(packing_module, "checked_files", checked)
    with pytest.raises(SubmissionError) as caught:
        pack(full)
    assert caught.value.code == "S129"
    assert names_beside(full) == ["full"]


def test_a_fault_while_writing_leaves_nothing_and_the_old_zip(full, tmp_path, monkeypatch):
    packed = pack(full)
    before = packed.path.read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ZipWriter, "finish", full_disk)
    with pytest.raises(OSError, match="space"):
        pack(full, overwrite=True)
    assert packed.path.read_bytes() == before
    assert names_beside(full) == ["full", "full.zip"]
    monkeypatch.setattr(packing_module, "_write_new", full_disk)
    with pytest.raises(OSError, match="space"):
        unpack(packed.path, tmp_path / "new")
    assert names_beside(full) == ["full", "full.zip"]


def test_a_written_zip_that_does_not_read_back_is_not_kept(full, monkeypatch):
    real = ZipWriter.add
    monkeypatch.setattr(ZipWriter, "add", lambda self, name, content: real(self, name, content[:-1] or b"x"))
    with pytest.raises(SubmissionError):
        pack(full)
    assert names_beside(full) == ["full"]


def test_unpack_writes_to_an_empty_folder_only(full, tmp_path):
    packed = pack(full)
    (tmp_path / "empty").mkdir()
    assert tree_of(unpack(packed.path, tmp_path / "empty").path) == tree_of(full)
    for target in (tmp_path / "empty", packed.path):
        with pytest.raises(UsageError) as caught:
            unpack(packed.path, target)
        assert caught.value.code == "U202"


def test_the_current_folder_is_not_replaced(full, tmp_path, monkeypatch):
    packed = pack(full)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UsageError) as caught:
        unpack(packed.path, ".")
    assert caught.value.code == "U202"
    assert Path.cwd() == tmp_path / "here"
    assert unpack(packed.path, "inside").path.exists()


def test_a_damaged_member_leaves_no_folder(full, tmp_path):
    packed = pack(full)
    data = bytearray(packed.path.read_bytes())
    place = data.index(b"A. Author")
    data[place] ^= 1
    packed.path.write_bytes(data)
    with pytest.raises(SubmissionError) as caught:
        unpack(packed.path, tmp_path / "again")
    assert caught.value.code == "S122"
    assert names_beside(full) == ["full", "full.zip"]


def test_a_zip_with_other_files_is_not_unpacked(full, tmp_path):
    for name in ("evil.sh", "../evil.sh", "predictions.zarr/01/score_maps/c/evil"):
        path = tmp_path / "evil.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for member, content in tree_of(full).items():
                archive.writestr(member, content)
            archive.writestr(name, "#!/bin/sh")
        with pytest.raises(SubmissionError):
            unpack(path, tmp_path / "again")
    assert names_beside(full) == ["evil.zip", "full"]


@pytest.mark.parametrize(
    ("name", "system"),
    [
        ("predictions.zarr/" + "é" * 128 + "/zarr.json", "posix"),
        ("predictions.zarr/con/zarr.json", "nt"),
        ("predictions.zarr/Nul.x/zarr.json", "nt"),
        ("predictions.zarr/a:b/zarr.json", "nt"),
        ("predictions.zarr/a?/zarr.json", "nt"),
        ("predictions.zarr/a./zarr.json", "nt"),
        ("predictions.zarr/a /zarr.json", "nt"),
    ],
)
def test_a_name_that_the_system_cannot_hold_is_refused(name, system):
    with pytest.raises(UsageError) as caught:
        check_holdable(name, "m.zip", system)
    assert caught.value.code == "U204"
    if system == "nt":
        check_holdable(name, "m.zip", "posix")
    check_holdable("predictions.zarr/01_0014/score_maps/c/0/0/0", "m.zip", system)


def test_two_names_that_are_one_to_the_system_are_refused(tmp_path):
    """As on a file system that takes two spellings of a letter as one: the second file is there already."""
    packing_module._write_new(tmp_path, "a/b", b"1", "m.zip")
    with pytest.raises(UsageError) as caught:
        packing_module._write_new(tmp_path, "a/b", b"2", "m.zip")
    assert caught.value.code == "U204"
    assert (tmp_path / "a" / "b").read_bytes() == b"1"


def test_names_that_a_zip_cannot_hold_are_refused():
    for names, said in (
        (["predictions.zarr/a/zarr.json", "predictions.zarr/A/zarr.json"], "by case"),
        (["predictions.zarr/a\\b/zarr.json"], "reads alike"),
        (["predictions.zarr/\udcff/zarr.json"], "UTF-8"),
        ([f"{number}" for number in range(100_001)], "100001 files"),
    ):
        with pytest.raises(SubmissionError, match=said) as caught:
            check_names(dict.fromkeys(names, 1), "m")
        assert caught.value.code == "S122"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system that tells case apart")
def test_clips_that_differ_by_case_stay_a_folder(tmp_path):
    folder = write_with_zarr(tmp_path / "method", {"a": maps(), "A": maps()})
    with pytest.raises(SubmissionError, match="by case"):
        pack(folder)


def test_progress_counts_clips(tmp_path):
    folder = write(tmp_path / "method", {f"{number:02}": clip_of(seed=number) for number in range(3)})
    calls = []
    packed = pack(folder, progress=lambda *told: calls.append(told))
    assert calls == [(1, 3, "00"), (2, 3, "01"), (3, 3, "02")]
    again = []
    unpack(packed.path, tmp_path / "again", progress=lambda *told: again.append(told))
    assert again == calls


def test_random_trees_come_back(tmp_path):
    rng = np.random.default_rng(5)
    for number in range(5):
        shape = (int(rng.integers(1, 30)), int(rng.integers(1, 9)), int(rng.integers(1, 9)))
        dtype = str(rng.choice(["uint8", "uint16", "float32", "float64"]))
        clips = {f"clip-{own}": maps(shape, dtype, own) for own in range(int(rng.integers(1, 4)))}
        folder = write_with_zarr(tmp_path / f"m{number}", clips, chunk_frames=int(rng.integers(1, 9)))
        packed = pack(folder)
        assert tree_of(unpack(packed.path, tmp_path / f"again{number}").path) == tree_of(folder)
        assert (
            Path(packed.path).read_bytes()
            == pack(tmp_path / f"again{number}", tmp_path / f"p{number}").path.read_bytes()
        )
