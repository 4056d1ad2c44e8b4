"""All files of a build are placed, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaderboard import placement
from leaderboard.placement import Placement


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def fill(place: Placement, folder: Path) -> None:
    place.write({folder / "a": b"new a", folder / "sub" / "b": b"new b"})
    (place.folder(folder / "site") / "index.html").write_text("new page")
    place.remove([folder / "gone", folder / "never"])


@pytest.fixture
def before(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("old page")
    (tmp_path / "site" / "old.html").write_text("old page")
    (tmp_path / "a").write_text("old a")
    (tmp_path / "gone").write_text("old")
    return tmp_path


def test_everything_is_placed(before: Path) -> None:
    with Placement() as place:
        fill(place, before)
        place.place()
    assert contents(before) == {"a": "new a", "sub/b": "new b", "site/index.html": "new page"}


def test_what_is_not_placed_leaves_nothing(before: Path) -> None:
    old = contents(before)

    def half() -> None:
        with Placement() as place:
            fill(place, before)
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        half()
    assert contents(before) == old


@pytest.mark.parametrize("refused", ["a", "b", "site"])
def test_where_the_system_refuses_one_all_get_their_old_contents_back(
    before: Path, refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = contents(before)
    moved = placement._moved

    def refusing(temporary: Path, target: Path) -> tuple[Path, Path | None]:
        if target.name == refused:
            raise PermissionError(13, "no", str(target))
        return moved(temporary, target)

    monkeypatch.setattr(placement, "_moved", refusing)

    def build() -> None:
        with Placement() as place:
            fill(place, before)
            place.place()

    with pytest.raises(PermissionError):
        build()
    assert contents(before) == old


def test_a_file_that_has_the_bytes_already_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"same")
    before = path.stat().st_ino
    with Placement() as place:
        place.write({path: b"same"})
        place.place()
    assert path.stat().st_ino == before
