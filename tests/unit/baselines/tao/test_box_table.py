"""The table of a clip's boxes, in memory and as CSV."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.tao.box_table import NO_LABEL, BoxTable, write_whole
from vadbench import DataError

BOXES = {3: [[0, 0, 2, 2], [1, 1, 4.5, 3]], 7: [[5, 5, 6, 6]]}


def full_table():
    table = BoxTable.of_frames(BOXES).with_scores(np.array([0.1, -2.0, 1e-17]), {"deep": np.array([0.1, -2, 0.0])})
    return table.with_labels(np.array([0, NO_LABEL, 1]), np.array([True, False, True]))


def code_of(make):
    with pytest.raises(DataError) as error:
        make()
    return error.value.code


def test_boxes_of_frames_come_in_order_of_frame():
    table = BoxTable.of_frames({7: BOXES[7], 3: BOXES[3], 5: []})
    assert table.frames.tolist() == [3, 3, 7]
    assert table.boxes[2].tolist() == [5, 5, 6, 6]
    assert len(BoxTable.of_frames({})) == len(BoxTable.of_frames({2: []})) == 0


def test_rows_of_a_frame():
    table = BoxTable.of_frames(BOXES)
    assert table.rows(3) == slice(0, 2)
    assert table.boxes[table.rows(7)].tolist() == [[5, 5, 6, 6]]
    assert len(table.boxes[table.rows(4)]) == 0
    assert list(table.by_frame()) == [(3, slice(0, 2)), (7, slice(2, 3))]
    assert list(BoxTable.empty().by_frame()) == []


def test_selected_rows_keep_all_that_is_said_of_them():
    chosen = full_table().select([False, True, True])
    assert chosen.frames.tolist() == [3, 7]
    assert chosen.scores.tolist() == [-2.0, 1e-17]
    assert chosen.labels.tolist() == [NO_LABEL, 1]
    assert chosen.prompts.tolist() == [False, True]
    assert chosen.attributes["deep"].tolist() == [-2, 0]


def test_the_text_of_a_table():
    assert full_table().to_csv() == (
        "frame,x1,y1,x2,y2,deep,score,label,prompt\n"
        "3,0,0,2,2,0.1,0.1,0,1\n"
        "3,1,1,4.5,3,-2,-2,-1,0\n"
        "7,5,5,6,6,0,1e-17,1,1\n"
    )


def test_a_written_table_is_read_back_equal(tmp_path):
    path = tmp_path / "new" / "01.csv"
    for table in (full_table(), BoxTable.of_frames(BOXES), BoxTable.empty()):
        table.write(path)
        again = BoxTable.read(path)
        assert again.to_csv() == table.to_csv()
        assert (again.scores is None) == (table.scores is None)
        assert (again.labels is None) == (table.labels is None)
    assert [entry.name for entry in path.parent.iterdir()] == ["01.csv"]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_scores_survive_exactly(scores):
    table = BoxTable(np.arange(len(scores)), np.tile([0.0, 0.1, 1 / 3, 1e300], (len(scores), 1)), np.array(scores))
    again = BoxTable.from_csv(table.to_csv(), "text")
    assert again.scores.tolist() == scores
    assert again.boxes.tolist() == table.boxes.tolist()


@pytest.mark.parametrize(
    "make",
    [
        lambda: BoxTable([0], [[0, 0, 1, 1]], scores=[1.0, 2.0]),
        lambda: BoxTable([0, 1], [[0, 0, 1, 1]]),
        lambda: BoxTable([1, 0], [[0, 0, 1, 1]] * 2),
        lambda: BoxTable([-1], [[0, 0, 1, 1]]),
        lambda: BoxTable([0], [[0, 0, 0, 1]]),
        lambda: BoxTable([0], [[0, 2, 1, 1]]),
        lambda: BoxTable([0], [[0, 0, np.inf, 1]]),
        lambda: BoxTable([0], [[0, 0, 1, 1]], scores=[np.nan]),
        lambda: BoxTable([0], [[0, 0, 1, 1]], scores=[np.inf]),
        lambda: BoxTable([0], [[0, 0, 1, 1]], attributes={"deep": [np.nan]}),
    ],
)
def test_wrong_columns_are_refused(make):
    assert code_of(make) == "B200"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "frame,x1,y1,x2\n",
        "clip,frame,x1,y1,x2,y2\n",
        "frame,x1,y1,x2,y2,score,score\n0,0,0,1,1,2,3\n",
        "frame,x1,y1,x2,y2\n0,0,0,1\n",
        "frame,x1,y1,x2,y2\n0,0,0,1,one\n",
        "frame,x1,y1,x2,y2\n0,0,0,1,nan\n",
        "frame,x1,y1,x2,y2\n0.5,0,0,1,1\n",
        "frame,x1,y1,x2,y2\n1e300,0,0,1,1\n",
        "frame,x1,y1,x2,y2,label\n0,0,0,1,1,0.5\n",
    ],
)
def test_text_that_is_no_table_is_refused(text):
    assert code_of(lambda: BoxTable.from_csv(text, "01.csv")) == "B216"


def test_the_wrong_line_is_named():
    with pytest.raises(DataError) as error:
        BoxTable.from_csv("frame,x1,y1,x2,y2\n0,0,0,1,1\n0,0,0,x,1\n", "01.csv")
    assert error.value.where == ("01.csv", "line 3")
    with pytest.raises(DataError) as error:
        BoxTable.from_csv("frame,x1,y1,x2,y2\n0,0,0,1,1\n2,5,0,1,1\n", "01.csv")
    assert error.value.code == "B200"
    assert error.value.where == ("01.csv", "row 1, frame 2")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "01.csv"
    assert code_of(lambda: BoxTable.read(path)) == "B216"
    path.write_bytes(b"\xff\xfe\x00")
    assert code_of(lambda: BoxTable.read(path)) == "B216"
    path.write_text("frame,x1,y1,x2,y2\n0,0,0,1," + "1" * 200_000)
    assert code_of(lambda: BoxTable.read(path)) == "B216"


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    write_whole(path, b"old")
    with pytest.raises(TypeError):
        write_whole(path, "no bytes")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
