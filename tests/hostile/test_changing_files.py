"""Files that change while they are read, and files that are not what they were a moment ago."""

from __future__ import annotations

import io
import os
import pickle
import time

import pytest
from hostile_trees import MAPS, ROOT, only_maps, sound, write_folder, write_zip

from vadbench.errors import SubmissionError, UsageError
from vadbench.submission import Submission
from vadbench.submission import tree as trees
from vadbench.submission.tree import FolderTree, open_tree
from vadbench.submission.zip_tree import ZipTree
from vadbench.validation.submission_check import validate


@pytest.fixture
def folder(tmp_path):
    return write_folder(only_maps(), tmp_path / "m")


@pytest.fixture
def packed(tmp_path):
    return write_zip(only_maps(), tmp_path / "m.zip")


def code_of(call, *arguments):
    with pytest.raises(SubmissionError) as caught:
        call(*arguments)
    return caught.value.code


def meddling(monkeypatch, meddle):
    """Do something between the look at a file and the reading of it, once."""
    genuine, done = trees.read_unchanged, []

    def read_unchanged(file, *arguments, **options):
        if not done:
            done.append(True)
            meddle(file)
        return genuine(file, *arguments, **options)

    for module in ("tree", "zip_tree"):
        monkeypatch.setattr(f"vadbench.submission.{module}.read_unchanged", read_unchanged)


def grow(path):
    with path.open("ab") as file:
        file.write(b" ")


def cut(path):
    os.truncate(path, 10)


def rewrite(path):
    data = path.read_bytes()
    path.write_bytes(data[::-1])
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 1))


@pytest.mark.parametrize("meddle", [grow, cut, rewrite])
def test_a_file_of_a_folder_that_changes_while_it_is_read(folder, monkeypatch, meddle):
    meddling(monkeypatch, lambda _: meddle(folder / "submission.toml"))
    assert code_of(FolderTree(folder).read, "submission.toml", 10**6) == "S129"


@pytest.mark.parametrize("meddle", [grow, cut, rewrite])
def test_a_zip_that_changes_while_it_is_read(packed, monkeypatch, meddle):
    meddling(monkeypatch, lambda _: meddle(packed))
    assert code_of(open_tree(packed).read, "submission.toml", 10**6) == "S129"


@pytest.mark.parametrize("meddle", [grow, cut, rewrite])
@pytest.mark.parametrize("form", ["folder", "packed"])
def test_the_check_says_so(request, form, meddle, monkeypatch):
    path = request.getfixturevalue(form)
    meddling(monkeypatch, lambda _: meddle(path if path.is_file() else path / "submission.toml"))
    assert [group.code for group in validate(path).groups] == ["S129"]


def test_a_zip_that_was_exchanged_after_it_was_opened(packed, tmp_path):
    submission = Submission.open(packed)
    write_zip(sound(), tmp_path / "other.zip").replace(packed)
    assert code_of(submission.tree.read, "submission.toml", 10**6) == "S129"
    assert code_of(submission.layout, "01") == "S129"
    assert Submission.open(packed).clip_ids == ("01", "02")


def test_a_directory_that_is_read_while_the_zip_is_written(packed, monkeypatch):
    import vadbench.submission.zip_tree as module

    genuine = module.DirectoryReader

    def reader(shown, size, read):
        grow(packed)
        return genuine(shown, size, read)

    monkeypatch.setattr(module, "DirectoryReader", reader)
    assert code_of(open_tree(packed).entries) == "S129"


def test_a_worker_takes_a_zip_as_it_finds_it(packed):
    tree = pickle.loads(pickle.dumps(open_tree(packed)))  # noqa: S301
    assert isinstance(tree, ZipTree)
    assert tree.state is None
    assert tree == open_tree(packed)
    assert tree.read("submission.toml", 10**6) == only_maps()["submission.toml"]


def test_a_system_may_give_few_bytes_at_a_time(tmp_path):
    class Slow(io.FileIO):
        def read(self, size=-1):
            return super().read(min(3, size))

    path = tmp_path / "x"
    path.write_bytes(bytes(range(100)))
    with Slow(path) as file:
        status = os.fstat(file.fileno())
        read = trees.read_unchanged(file, "x", "x", start=10, length=50, before=status)
    assert read == bytes(range(10, 60))


@pytest.mark.skipif(os.open not in os.supports_dir_fd, reason="this system opens files by their whole path only")
def test_no_link_on_the_way_is_followed(folder, tmp_path):
    (folder / ROOT / "01").rename(tmp_path / "outside")
    (folder / ROOT / "01").symlink_to(tmp_path / "outside")
    assert code_of(FolderTree(folder).read, f"{MAPS}/zarr.json", 10**6) == "S124"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_a_pipe_that_takes_the_place_of_a_zip_is_not_waited_for(packed):
    tree = ZipTree(packed)
    packed.unlink()
    os.mkfifo(packed)
    assert code_of(tree.entries) == "S124"


def test_more_names_than_a_zip_may_have_are_not_listed(folder, monkeypatch):
    monkeypatch.setattr(trees, "MOST_ENTRIES", 4)
    for number in range(5):
        (folder / str(number)).write_bytes(b"")
    assert code_of(FolderTree(folder).entries) == "S120"
    assert code_of(FolderTree(folder).files) == "S120"
    assert FolderTree(folder).entries(f"{MAPS}/c")


def test_a_path_that_no_system_takes_is_a_coded_error(tmp_path):
    for path, code in ((tmp_path / ("x" * 5_000), "S124"), (f"{tmp_path}/a\0b", "U130")):
        with pytest.raises((SubmissionError, UsageError)) as caught:
            open_tree(path)
        assert caught.value.code == code
