from __future__ import annotations

import pytest

from vadbench.datasets.tracks import TrackFormat, read_tracks, track_files
from vadbench.errors import DataError, ProtocolError, UsageError


def write(tmp_path, text):
    path = tmp_path / "01.txt"
    path.write_text(text)
    return path


def test_aed_corners_become_half_open_and_rows_are_sorted(tmp_path):
    path = write(tmp_path, "10,3,0,0,0,0\n2,5,1,2,3.5,4\n\n2,4,1,2,3,4\r\n")
    tracks = read_tracks(path, "aed", frames=6)
    assert [track.id for track in tracks] == ["2", "10"]
    assert tracks[0].frames.tolist() == [4, 5]
    assert tracks[0].boxes.tolist() == [[1, 2, 4, 5], [1, 2, 4.5, 5]]
    # A region of one pixel has area 1.
    assert tracks[1].boxes.tolist() == [[0, 0, 1, 1]]


def test_folder_corners_are_half_open_already(tmp_path):
    path = write(tmp_path, "a, 0, 0.25, 0, 1.5, 2\n")
    assert read_tracks(path, TrackFormat.FOLDER, frames=1)[0].boxes.tolist() == [[0.25, 0, 1.5, 2]]


def test_empty_file_has_no_tracks(tmp_path):
    assert read_tracks(write(tmp_path, ""), "aed", frames=6) == ()


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("track_id,frame,x,y,x,y", "D212"),
        ("0,1,2,3,4", "D212"),
        ("0,1,2,3,4,5,6", "D212"),
        ("0,1.5,2,3,4,5", "D212"),
        ("0,-1,2,3,4,5", "D212"),
        (",1,2,3,4,5", "D212"),
        ("0,1,2,3,nan,5", "D212"),
        ("0,1,2,3,inf,5", "D212"),
        ("0,1,2,3,1,5", "D212"),
        ("0 1 2 3 4 5", "D212"),
        ("0,0,2,3,4,5", "D213"),
        ("0,6,2,3,4,5", "D214"),
    ],
)
def test_wrong_rows_are_named(tmp_path, row, code):
    path = write(tmp_path, f"0,0,1,1,2,2\n{row}\n")
    with pytest.raises(DataError) as caught:
        read_tracks(path, "aed", frames=6)
    assert caught.value.code == code
    assert caught.value.where == (str(path), "line 2")


def test_half_open_box_without_area_is_wrong_in_folder_format_only(tmp_path):
    path = write(tmp_path, "0,0,1,1,1,2\n")
    assert read_tracks(path, "aed", frames=1)[0].boxes.tolist() == [[1, 1, 2, 3]]
    with pytest.raises(DataError, match="D212"):
        read_tracks(path, "folder", frames=1)


def test_unreadable_text_and_unknown_format(tmp_path):
    path = tmp_path / "01.txt"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="D206"):
        read_tracks(path, "aed", frames=1)
    with pytest.raises(ProtocolError, match="P101"):
        read_tracks(path, "mot", frames=1)


def test_every_clip_needs_a_file(tmp_path):
    write(tmp_path, "")
    with pytest.raises(DataError) as caught:
        track_files(tmp_path, ["01", "02", "03"], TrackFormat.AED)
    assert caught.value.code == "D211"
    assert caught.value.got == "none for 02, 03"
    with pytest.raises(UsageError, match="U114"):
        track_files(tmp_path / "nowhere", ["01"], TrackFormat.AED)
