"""Hostile folders: links, special files, names, depth."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

from hostile_case import Case, in_folder
from hostile_trees import MAPS, ROOT, group_files, only_maps, write_folder

_CHUNK = f"{MAPS}/c/1/0/0"


def _changed(name: str, codes: str, change: Callable[[Path], object], needs: str = "") -> Case:
    """A sound folder that is changed in place."""

    def build(place: Path) -> Path:
        path = write_folder(only_maps(), place / "m")
        change(path)
        return path

    return Case(name, codes, build, needs)


def _linked(name: str, target: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        outside = path.parent / "outside"
        outside.mkdir()
        (outside / "secret").write_bytes(b"secret")
        place = path / name
        if place.is_dir():
            place.rename(outside / "folder")
        elif place.exists():
            place.unlink()
        place.symlink_to(target)

    return change


def _socket(path: Path) -> None:
    # Its path must be short: it is made from inside the folder.
    before = Path.cwd()
    os.chdir(path)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("provenance.json")
    finally:
        os.chdir(before)


def _unnamed(folder: str) -> Callable[[Path], None]:
    return lambda path: (path / folder / os.fsdecode(b"caf\xe9\x1b[2J")).write_bytes(b"")


def _replaced(name: str, by: Callable[[Path], object]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        (path / name).unlink()
        by(path / name)

    return change


FOLDERS = [
    _changed("folder: link to a file outside", "S121", _linked("provenance.json", "../outside/secret"), "links"),
    _changed("folder: link in place of submission.toml", "S121", _linked("submission.toml", "/etc/passwd"), "links"),
    _changed("folder: link in place of a chunk", "S121", _linked(_CHUNK, "/dev/zero"), "links"),
    _changed("folder: link in place of a clip", "S121", _linked(f"{ROOT}/01", "../../outside/folder"), "links"),
    _changed("folder: link in place of the predictions", "S121", _linked(ROOT, "../outside/folder"), "links"),
    _changed("folder: link to itself", "S121", _linked("loop", "."), "links"),
    _changed("folder: link to nothing", "S121", _linked("provenance.json", "nothing"), "links"),
    _changed("folder: named pipe", "S121", _replaced(_CHUNK, os.mkfifo), "pipes"),
    _changed("folder: socket", "S121", _socket, "sockets"),
    _changed(
        "folder: device",
        "S121",
        lambda path: os.mknod(path / "provenance.json", stat.S_IFCHR | 0o644, os.makedev(1, 5)),
        "devices",
    ),
    _changed("folder: name that is not UTF-8 at the top", "S120", _unnamed("."), "bytes"),
    _changed("folder: name that is not UTF-8 in a clip", "S120", _unnamed(f"{ROOT}/01"), "bytes"),
    _changed("folder: name that is not UTF-8 among chunks", "S120", _unnamed(f"{MAPS}/c"), "bytes"),
    _changed("folder: a folder in place of submission.toml", "S101", _replaced("submission.toml", Path.mkdir)),
    in_folder("folder: a file that does not belong", "S120", lambda: only_maps() | {"install.sh": b"#!/bin/sh"}),
    in_folder("folder: ANSI escape in a name", "S120", lambda: only_maps() | {"\x1b]0;title\x07": b""}),
    in_folder("folder: right-to-left override in a name", "S120", lambda: only_maps() | {"\u202egnp.exe": b""}),
    in_folder("folder: line feed in a clip's name", "S120", lambda: only_maps() | group_files(f"{ROOT}/a\nerror[S1]")),
    in_folder(
        "folder: clip's name that Zarr keeps for itself", "S120", lambda: only_maps() | group_files(f"{ROOT}/__x")
    ),
    in_folder("folder: hidden clip", "S120", lambda: only_maps() | group_files(f"{ROOT}/.hidden")),
    in_folder("folder: deeper than the format", "S120", lambda: only_maps() | {f"{MAPS}/c/0/0/x/y/z": b""}),
    in_folder("folder: a writer's unfinished clip", "S120", lambda: only_maps() | {".unfinished/01/x": b""}),
    in_folder("folder: a file beside the clips", "S120", lambda: only_maps() | {f"{ROOT}/scores.npy": b""}),
    in_folder(
        "folder: a pickle beside the arrays", "S120", lambda: only_maps() | {f"{ROOT}/01/maps.pkl": b"cos\nsystem\n"}
    ),
    in_folder("folder: a kind that does not exist", "S120", lambda: only_maps() | group_files(f"{ROOT}/01/truth")),
    in_folder(
        "folder: a score, truth or cache of its own", "S120", lambda: only_maps() | {"results.csv": b"auroc,1.0"}
    ),
    in_folder(
        "folder: Zarr version 2",
        "S135 S120",
        lambda: {name: data for name, data in only_maps().items() if ROOT not in name} | {f"{ROOT}/.zgroup": b"{}"},
    ),
    in_folder("folder: nothing in it", "S101", dict),
]
