"""The cache: what is damaged or not its own is as good as none, and nothing depends on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaderboard.cache import BoardCache, code_digest, key_of

KEY = "0" * 64


def kept_file(folder: Path) -> Path:
    [path] = folder.iterdir()
    return path


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    BoardCache(tmp_path / "cache").write(KEY, b"content")
    assert BoardCache(tmp_path / "cache").read(KEY) == b"content"
    assert BoardCache(tmp_path / "cache").read("1" * 64) is None


@pytest.mark.parametrize("damage", [b"", b"x", b"content", None])
def test_a_damaged_file_is_none_and_is_written_anew(tmp_path: Path, damage: bytes | None) -> None:
    cache = BoardCache(tmp_path)
    cache.write(KEY, b"content")
    path = kept_file(tmp_path)
    path.write_bytes(path.read_bytes()[:-1] if damage is None else damage)
    assert cache.read(KEY) is None
    cache.write(KEY, b"content")
    assert cache.read(KEY) == b"content"


def test_a_file_of_another_name_is_none(tmp_path: Path) -> None:
    cache = BoardCache(tmp_path)
    cache.write(KEY, b"content")
    path = kept_file(tmp_path)
    path.rename(path.with_name(path.name.replace("0", "1")))
    assert cache.read("1" * 64) is None


def test_where_nothing_can_be_kept_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = BoardCache(tmp_path / "file")
    cache.write(KEY, b"content")
    assert cache.read(KEY) is None
    cache.forget_unused()
    nowhere = BoardCache(None)
    nowhere.write(KEY, b"content")
    assert nowhere.read(KEY) is None


def test_what_was_not_used_is_forgotten_and_foreign_files_stay(tmp_path: Path) -> None:
    cache = BoardCache(tmp_path)
    cache.write(KEY, b"old")
    cache.write("1" * 64, b"used")
    (tmp_path / "README").write_text("ours")
    (tmp_path / ".half-written").write_text("")
    later = BoardCache(tmp_path)
    assert later.read("1" * 64) == b"used"
    later.forget_unused()
    assert later.read(KEY) is None
    assert later.read("1" * 64) == b"used"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1" * 64 + ".kept", "README"]


def test_keys_depend_on_every_part_and_on_where_parts_end() -> None:
    keys = [key_of("ab", "c"), key_of("a", "bc"), key_of("abc"), key_of("ab", "c", ""), key_of("ab", "d")]
    assert len(set(keys)) == len(keys)


def test_keys_depend_on_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of("a")
    assert code_digest() == code_digest()
    monkeypatch.setattr("leaderboard.cache.code_digest", lambda: "other")
    assert key_of("a") != before
