"""A file that is whole gets its name, and never that of another one."""

import pytest

from vadbench.submission.whole_files import name_unless_taken, new_file, temporary_place


def test_what_comes_between_the_look_and_the_name_stays(tmp_path):
    target = tmp_path / "own.zip"
    file, temporary = new_file(target)
    with file:
        file.write(b"whole")
    looks = []

    def check():
        looks.append(target.exists())
        if target.exists():
            raise ValueError("something is there")
        target.write_bytes(b"of somebody else")

    with pytest.raises(ValueError, match="something is there"):
        name_unless_taken(temporary, target, check)
    assert looks == [False, True]
    assert target.read_bytes() == b"of somebody else"
    assert temporary.read_bytes() == b"whole"


@pytest.mark.parametrize("name", ["x", "x" * 255, "測" * 85, "\udcff" * 255])
def test_a_temporary_name_is_hidden_short_and_beside(tmp_path, name):
    place = temporary_place(tmp_path / name)
    assert place.parent == tmp_path
    assert place.name.startswith(".")
    assert len(place.name.encode()) < 128
    assert temporary_place(tmp_path / name) != place
