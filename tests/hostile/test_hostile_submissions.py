"""Every hostile submission gets its codes, from the check and from the reader, and nothing it holds gets out."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
from fuzz import read_all
from hostile_case import Case
from hostile_cases import CASES
from hostile_output import faults_of_output, unsafe
from hostile_trees import only_maps, sound, write_folder, write_zip

from vadbench.cli import main
from vadbench.datasets.findings import Severity
from vadbench.validation.submission_check import validate


def _lacking(place: Path) -> set[str]:
    """What this system does not allow in a folder."""
    lacking = set()
    for need, attempt in {
        "links": lambda: (place / "link").symlink_to("x"),
        "pipes": lambda: os.mkfifo(place / "pipe"),
        "sockets": lambda: socket.socket(socket.AF_UNIX).close(),
        "devices": lambda: os.mknod(place / "device", stat.S_IFCHR | 0o600, os.makedev(1, 3)),
        "bytes": lambda: (place / os.fsdecode(b"\xff")).write_bytes(b""),
    }.items():
        try:
            attempt()
        except (OSError, AttributeError, ValueError):
            lacking.add(need)
    return lacking


@pytest.fixture(scope="module")
def lacking(tmp_path_factory):
    return _lacking(tmp_path_factory.mktemp("needs"))


def _all_below(place: Path) -> list[tuple[str, int, int]]:
    return sorted((str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in place.rglob("*"))


def _built(case: Case, place: Path, lacking: set[str]) -> Path:
    if case.needs in lacking:
        pytest.skip(f"this system has no {case.needs}")
    return case.build(place)


def test_there_are_many_and_each_has_a_name_of_its_own():
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_submission_gets_its_codes_and_nothing_gets_out(case, tmp_path, lacking):
    path = _built(case, tmp_path, lacking)
    before = _all_below(tmp_path)
    validation = validate(path)
    codes = {group.code for group in validation.groups if group.severity is Severity.ERROR}
    assert codes == set(case.codes.split())
    assert validation.exit_code == 1
    assert validation.fingerprint is None
    assert faults_of_output(validation) == []
    # S100 stands for several.
    assert read_all(path) in (*case.codes.split(), "S100")
    assert _all_below(tmp_path) == before


@pytest.mark.parametrize("write", [lambda path: write_folder(sound(), path), lambda path: write_zip(sound(), path)])
def test_what_the_cases_are_made_of_is_sound(write, tmp_path):
    path = write(tmp_path / "m")
    assert validate(path).n_errors == 0
    assert read_all(path) is None
    for codec in ("none", "gzip", "zstd", "lz4", "bitshuffle"):
        assert read_all(write_zip(only_maps(codec), tmp_path / codec)) is None


SAMPLE = [
    case
    for case in CASES
    if case.name
    in (
        "zip: ANSI escape in a name",
        "zip: symbolic link",
        "zip: deflated member",
        "folder: link to a file outside",
        "folder: named pipe",
        "folder: ANSI escape in a name",
        "folder: name that is not UTF-8 at the top",
        "folder: line feed in a clip's name",
        "zarr.json: ANSI escape in a key",
        "submission.toml: right-to-left override",
        "submission.toml: line feed in a name",
        "submission.toml: unknown key with an escape",
        "submission.toml: data set with an escape",
        "provenance.json: ANSI escape in a key",
    )
]
COMMANDS = [
    ["validate", "{}"],
    ["validate", "{}", "--format", "github"],
    ["validate", "{}", "--json"],
    ["score", "{}", "--root", "{place}"],
    ["pack", "{}", "{place}/packed.zip"],
]


@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: case.name)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[::2]))
def test_no_command_prints_what_could_steer_a_terminal(case, command, tmp_path, lacking, capsys):
    assert len(SAMPLE) == 14
    path = _built(case, tmp_path, lacking)
    status = main([part.format(path, place=tmp_path) for part in command])
    printed = capsys.readouterr()
    assert status in (1, 2)
    assert unsafe(printed.out) == []
    assert unsafe(printed.err) == []
    assert "Traceback" not in printed.out + printed.err
    assert not (tmp_path / "packed.zip").exists()


@pytest.mark.parametrize("command", COMMANDS[:3], ids=" ".join)
def test_the_name_of_the_file_is_hostile_too(command, tmp_path, capsys):
    path = tmp_path / "\x1b[31m\u202eevil\n::error::forged.zip"
    try:
        write_zip(only_maps() | {"x": b""}, path)
    except OSError:
        pytest.skip("this system takes no such name")
    assert main([part.format(path) for part in command]) == 1
    printed = capsys.readouterr().out
    assert unsafe(printed) == []
    assert not any(line.startswith("::error::forged") for line in printed.splitlines())


def test_a_clip_cannot_forge_a_workflow_command(tmp_path, capsys):
    files = {name: data.replace(b'"folder"', b'"ucsd-ped2"') for name, data in sound().items()}
    files = {name.replace("/01/", "/::error file=a,line=1::%0Aforged/"): data for name, data in files.items()}
    assert main(["validate", str(write_zip(files, tmp_path / "m.zip")), "--format", "github"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert not any(line.startswith(("::error file=a", "forged")) for line in lines)
    assert any("%250Aforged" in line for line in lines if line.startswith("::"))
