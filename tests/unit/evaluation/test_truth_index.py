"""The cache of the truth: what it gives is what the files say, and whatever is wrong with it, nobody notices."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dataset_layouts as layouts
import numpy as np
import pytest

from vadbench import MemoryDataset, Truth, open_dataset
from vadbench.cli.main import main
from vadbench.datasets import arrays, images, labels, tracks
from vadbench.datasets.files import FileDataset
from vadbench.datasets.synthesize import synthesize
from vadbench.datasets.verify import survey
from vadbench.errors import DataError
from vadbench.evaluation import truth_index
from vadbench.evaluation.truth_index import cache_content, cache_folder, indexed_truth
from vadbench.masks import MaskRuns

SHARED = (Path(__file__).parents[3] / ".." / "shared" / "data").resolve()

posix_only = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")


def age(root: Path, seconds: float = 60.0) -> None:
    """Let all files be as old as those of a real data set."""
    past = time.time() - seconds
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (past, past))


def add_tracks(folder: Path, clips: dict[str, int]) -> Path:
    folder.mkdir(parents=True)
    for index, clip_id in enumerate(clips):
        rows = [] if index == 0 else ["a,1,0.5,1,3.25,4", "a,3,1,1,3,4", "b 2,2,0,0,1,1"]
        (folder / f"{clip_id}.txt").write_text("\n".join(rows))
    return folder


def bits(truth: Truth) -> object:
    """All that a truth holds, such that equal means equal in every bit."""

    def own(array: np.ndarray) -> tuple[object, ...]:
        assert array.flags.writeable
        return array.dtype, array.shape, array.tobytes()

    runs, tracks = truth.mask_runs, truth.given_tracks
    return (
        (truth.frames, truth.height, truth.width),
        None if runs is None else (runs.height, runs.width, own(runs.offsets), own(runs.starts), own(runs.lengths)),
        None if truth.labels is None else own(truth.labels),
        None if tracks is None else [(track.id, own(track.frames), own(track.boxes)) for track in tracks],
    )


def forbid_reading(patch: pytest.MonkeyPatch) -> None:
    """From now on no file of the truth may be opened."""

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a file of the truth was opened")

    for module, name in (
        (images, "read_mask"),
        (arrays, "_label_cells"),
        (arrays, "read_array"),
        (labels, "read_text"),
        (labels, "read_matlab_text"),
        (tracks, "read_text"),
    ):
        patch.setattr(module, name, forbidden)


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("master") / "walkway"
    return synthesize(root, seed=3, test_clips=2, training_clips=0, frames=12, height=48, width=64)


@pytest.fixture
def walkway(master: Path, tmp_path: Path) -> FileDataset:
    root = shutil.copytree(master, tmp_path / "walkway")
    age(root)
    return open_dataset("synthetic", root)


def made(name: str, root: Path, shrink: Callable[..., object]) -> FileDataset:
    if name == "ucsd-ped2":
        shrink(name)
        layouts.write_ucsd(root)
    elif name == "ucsd-ped2 with tracks":
        shrink("ucsd-ped2")
        layouts.write_ucsd(root)
        add_tracks(root.parent / "aed", layouts.CLIPS)
        age(root.parent)
        return open_dataset("ucsd-ped2", root, tracks=root.parent / "aed")
    elif name == "ucsd-ped1":
        shrink(name, mask_clips=("01", "03"))
        layouts.write_ucsd(root, name="UCSDped1", mask_clips=("01", "03"))
    elif name == "avenue":
        shrink(name)
        layouts.write_avenue(root)
    elif name == "shanghaitech":
        shrink(name)
        layouts.write_shanghaitech(root)
    elif name == "synthetic":
        synthesize(root, seed=3, test_clips=2, training_clips=1, frames=12, height=48, width=64)
    else:
        layouts.write_folder(root)
        (root / "labels").mkdir()
        (root / "labels" / "tunnel.txt").write_text("0\n1\n" * 3)
        if name.endswith("tracks"):
            add_tracks(root / "tracks", layouts.FOLDER_CLIPS)
    age(root)
    return open_dataset(name.partition(" ")[0], root)


SETS = (
    "ucsd-ped2",
    "ucsd-ped2 with tracks",
    "ucsd-ped1",
    "avenue",
    "shanghaitech",
    "synthetic",
    "folder",
    "folder with tracks",
)


@pytest.mark.parametrize("name", SETS)
def test_the_second_time_no_file_is_opened_and_the_truth_is_the_same(
    name: str, tmp_path: Path, shrink: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = made(name, tmp_path / "data", shrink)
    expected = {clip.id: bits(dataset.truth(clip.id)) for clip in dataset.clips}
    assert {clip.id: bits(indexed_truth(dataset, clip.id)) for clip in dataset.clips} == expected
    forbid_reading(monkeypatch)
    assert {clip.id: bits(indexed_truth(dataset, clip.id)) for clip in dataset.clips} == expected


@pytest.fixture
def shrink(monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """Let a known data set have a few small clips."""
    import importlib

    def shrunk(dataset_id: str, **changes: object) -> None:
        clips = layouts.SHANGHAI_CLIPS if dataset_id == "shanghaitech" else layouts.CLIPS
        facts = layouts.small_facts(dataset_id, clips, **changes)
        module = importlib.import_module(f"vadbench.datasets.{dataset_id.removesuffix('-ped1').removesuffix('-ped2')}")
        monkeypatch.setattr(module, "load_facts", lambda _: facts)

    return shrunk


def test_a_data_set_in_memory_has_no_entry(own_cache: Path) -> None:
    truth = Truth.from_arrays(np.zeros((3, 4, 5), dtype=bool))
    assert indexed_truth(MemoryDataset({"01": truth}), "01") is truth
    assert not own_cache.exists()


def rewrite(path: Path, data: bytes, *, later: float = 0.0) -> None:
    """Change a file; it is old all the same, and of the same time unless said otherwise."""
    status = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + int(later * 1e9)))


def a_mask(root: Path) -> Path:
    return sorted((root / "Test" / "Test001_gt").iterdir())[4]


def change_size(root: Path) -> None:
    """The same pixels in a larger file."""
    rewrite(a_mask(root), a_mask(root).read_bytes() + b"\0")


def change_time(root: Path) -> None:
    rewrite(a_mask(root), a_mask(root).read_bytes(), later=1e-6)


def change_time_back(root: Path) -> None:
    rewrite(a_mask(root), a_mask(root).read_bytes(), later=-5)


def change_name(root: Path) -> None:
    for path in sorted((root / "Test" / "Test001_gt").iterdir()):
        path.rename(path.with_name(f"mask{path.name}"))


def change_labels(root: Path) -> None:
    path = root / "Test" / "synthetic.m"
    rewrite(path, path.read_bytes() + b"% checked\n")


def remove_labels(root: Path) -> None:
    (root / "Test" / "synthetic.m").unlink()


def swap_masks(root: Path) -> None:
    """Two files change places: names, sizes and times in the folder may be the same, only not at the same name."""
    first, second = sorted((root / "Test" / "Test001_gt").iterdir())[3:5]
    os.utime(first, (1e9, 1e9))
    first.rename(first.with_name("x"))
    second.rename(first)
    first.with_name("x").rename(second)


CHANGES = (change_size, change_time, change_time_back, change_name, change_labels, remove_labels, swap_masks)


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_to_a_file_of_the_truth_is_seen(
    change: Callable[[Path], None], walkway: FileDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = walkway.root
    assert root is not None
    indexed_truth(walkway, "01")
    change(root)
    changed = open_dataset("synthetic", root)
    before = cache_content().entries
    with monkeypatch.context() as patch:
        forbid_reading(patch)
        with pytest.raises(AssertionError, match="opened"):
            indexed_truth(changed, "01")
    assert bits(indexed_truth(changed, "01")) == bits(changed.truth("01"))
    assert cache_content().entries == before, "the new entry takes the place of the old one"


def test_a_mask_too_many_or_too_few_is_refused_as_without_a_cache(walkway: FileDataset) -> None:
    root = walkway.root
    assert root is not None
    indexed_truth(walkway, "01")
    extra = a_mask(root).with_name("999.png")
    extra.write_bytes(a_mask(root).read_bytes())
    with pytest.raises(DataError, match="D203"):
        indexed_truth(walkway, "01")
    extra.unlink()
    indexed_truth(walkway, "01")
    a_mask(root).unlink()
    with pytest.raises(DataError, match="D203"):
        indexed_truth(walkway, "01")


def test_files_that_are_new_are_not_trusted(walkway: FileDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    root = walkway.root
    assert root is not None
    for seconds in (0.0, 1.5, -3600.0):  # The clock of a file server may be ahead of ours.
        moment = time.time() - seconds
        os.utime(a_mask(root), (moment, moment))
        indexed_truth(walkway, "01")
        assert cache_content().entries == 0


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    walkway: FileDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = walkway.root
    assert root is not None
    whole = FileDataset.truth

    def slow(self: FileDataset, clip_id: str) -> Truth:
        truth = whole(self, clip_id)
        change_time(root)
        return truth

    monkeypatch.setattr(FileDataset, "truth", slow)
    indexed_truth(walkway, "01")
    assert cache_content().entries == 0


def test_masks_that_the_caller_names_have_an_entry_of_their_own(
    walkway: FileDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = walkway.root
    assert root is not None
    (tmp_path / "own").mkdir()
    for clip_id in ("01", "02"):
        layouts.write_images(tmp_path / "own" / clip_id, np.ones((12, 48, 64), dtype=bool))
    age(tmp_path / "own")
    named = open_dataset("synthetic", root, masks=tmp_path / "own")
    assert bits(indexed_truth(walkway, "01")) != bits(indexed_truth(named, "01"))
    forbid_reading(monkeypatch)
    indexed_truth(walkway, "01")
    indexed_truth(named, "01")


def test_verify_reads_whatever_the_cache_says(walkway: FileDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    for clip in walkway.clips:
        indexed_truth(walkway, clip.id)
    assert survey(walkway).usable
    forbid_reading(monkeypatch)
    with pytest.raises(AssertionError, match="opened"):
        survey(walkway)


def entry_of(dataset: FileDataset) -> Path:
    indexed_truth(dataset, "01")
    folder = cache_folder()
    assert folder is not None
    (entry,) = folder.iterdir()
    return entry


def test_any_damage_to_an_entry_is_seen_and_mended(walkway: FileDataset) -> None:
    expected = bits(walkway.truth("01"))
    entry = entry_of(walkway)
    sound = entry.read_bytes()
    rng = np.random.default_rng(0)
    damaged = [b"", b"\0", sound[:-1], sound + b"\0", b"PK\3\4" + sound, sound[:100]]
    for position in [*range(20), *rng.integers(0, len(sound), 150).tolist()]:
        changed = bytearray(sound)
        changed[position] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(changed))
    for data in damaged:
        entry.write_bytes(data)
        assert bits(indexed_truth(walkway, "01")) == expected
        assert entry.read_bytes() == sound


def forged(sound: bytes, edit: Callable[[dict, list[np.ndarray]], None]) -> bytes:
    """An entry with the right checksum and a wrong content."""
    import hashlib

    magic, _, rest = sound.split(b"\n", 2)
    header_line, payload = rest.split(b"\n", 1)
    header = json.loads(header_line)
    frames, count = 12, header["runs"]
    offsets = np.frombuffer(payload, "<i8", frames + 1).copy()
    starts, lengths = np.frombuffer(payload, "<u4", 2 * count, offsets.nbytes).copy().reshape(2, -1)
    label_bytes = np.frombuffer(payload, "u1", frames, offsets.nbytes + 8 * count).copy()
    parts = [offsets, starts, lengths, label_bytes]
    edit(header, parts)
    content = json.dumps(header).encode() + b"\n" + b"".join(part.tobytes() for part in parts)
    return b"\n".join([magic, hashlib.sha256(content).hexdigest().encode(), content])


def put(position: int, index: int, value: int) -> Callable[[dict, list[np.ndarray]], None]:
    def edit(_: dict, parts: list[np.ndarray]) -> None:
        parts[position][index] = value

    return edit


def head(**changes: object) -> Callable[[dict, list[np.ndarray]], None]:
    return lambda header, _: header.update(changes)


def many_pixels(_: dict, parts: list[np.ndarray]) -> None:
    parts[2][:] = 2**32 - 1


FORGERIES = {
    "another key": head(key="0" * 64),
    "more runs": head(runs=10**12),
    "negative runs": head(runs=-1),
    "runs of another type": head(runs="3"),
    "tracks beyond the end": head(tracks=[["a", 5]]),
    "tracks that are none": head(tracks=[3]),
    "a track without frames": head(tracks=[["a", 0]]),
    "no labels": head(labels=False),
    "first offset": put(0, 0, 1),
    "offsets that decrease": put(0, 4, -3),
    "last offset": put(0, 12, 2),
    "an empty run": put(2, 0, 0),
    "a run beyond the frame": put(1, -1, 48 * 64),
    "runs out of order": put(1, 1, 0),
    "runs that leave the frame": many_pixels,
    "a label of 2": put(3, 5, 2),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_content_that_is_no_truth_is_not_believed(name: str, walkway: FileDataset) -> None:
    entry = entry_of(walkway)
    sound = entry.read_bytes()
    assert forged(sound, lambda *_: None) == sound
    entry.write_bytes(forged(sound, FORGERIES[name]))
    assert bits(indexed_truth(walkway, "01")) == bits(walkway.truth("01"))
    assert entry.read_bytes() == sound


def test_runs_may_touch_from_frame_to_frame(walkway: FileDataset) -> None:
    """The last pixel of a frame and the first of the next are two runs, though one follows the other."""
    masks = np.zeros((12, 48, 64), dtype=bool)
    masks[3:6] = True
    masks[7, -1, -1] = masks[8, 0, 0] = True
    truth = Truth(12, 48, 64, MaskRuns.from_frames(iter(masks), 48, 64), None)
    data = truth_index._encoded(truth, "k")
    again = truth_index._decoded(data, "k", walkway.clip("01"))
    assert again is not None
    assert bits(again) == bits(truth)


def test_what_is_no_file_of_ours_is_left_alone(walkway: FileDataset, tmp_path: Path) -> None:
    entry = entry_of(walkway)
    entry.rename(tmp_path / "kept")
    entry.mkdir()
    assert bits(indexed_truth(walkway, "01")) == bits(walkway.truth("01"))
    assert entry.is_dir()
    assert [path.name for path in entry.parent.iterdir()] == [entry.name], "nothing is left unfinished"


@posix_only
def test_an_entry_that_others_may_write_or_a_link_is_not_believed(
    walkway: FileDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entry_of(walkway)
    assert entry.stat().st_mode & 0o777 == 0o600
    assert entry.parent.stat().st_mode & 0o777 == 0o700
    entry.chmod(0o622)
    indexed_truth(walkway, "01")
    assert entry.stat().st_mode & 0o777 == 0o600, "it was written anew"
    elsewhere = tmp_path / "elsewhere"
    entry.rename(elsewhere)
    entry.symlink_to(elsewhere)
    indexed_truth(walkway, "01")
    assert not entry.is_symlink()
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    forbid_reading(monkeypatch)
    with pytest.raises(AssertionError, match="opened"):
        indexed_truth(walkway, "01")


@pytest.mark.parametrize("reason", ["off", "a file in the way", "no home", "no permission", "disk full"])
def test_without_a_place_the_files_are_read_every_time(
    reason: str, walkway: FileDataset, own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason == "off":
        monkeypatch.setenv("VADBENCH_CACHE", "off")
    elif reason == "a file in the way":
        own_cache.write_text("")
    elif reason == "no home":
        for name in ("VADBENCH_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
            monkeypatch.delenv(name, raising=False)

        def homeless(_: object = None) -> Path:
            raise RuntimeError("Could not determine home directory.")

        monkeypatch.setattr(Path, "home", homeless)
        assert cache_folder() is None
    else:
        # Whoever runs the tests may be root, for whom no folder is closed.
        error = PermissionError(13, "Permission denied") if reason == "no permission" else OSError(28, "No space left")

        def refused(**_: object) -> None:
            raise error

        monkeypatch.setattr(truth_index.tempfile, "mkstemp", refused)
    expected = bits(walkway.truth("01"))
    assert bits(indexed_truth(walkway, "01")) == bits(indexed_truth(walkway, "01")) == expected
    assert cache_content().entries == 0


def test_the_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VADBENCH_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here" / "truth"
    monkeypatch.delenv("VADBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "vadbench" / "truth"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # To be ignored, says its specification.
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    for platform, place in (("linux", "home/.cache/vadbench"), ("darwin", "home/Library/Caches/vadbench")):
        monkeypatch.setattr(sys, "platform", platform)
        assert cache_folder() == tmp_path / place / "truth"
    monkeypatch.setattr(sys, "platform", "win32")
    assert cache_folder() == tmp_path / "local" / "vadbench" / "Cache" / "truth"


def test_the_cache_stays_within_its_bounds(walkway: FileDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = entry_of(walkway)
    age(entry.parent, 30)
    for number in range(4):
        path = entry.with_name(f"{number}.truth")
        path.write_bytes(b"x" * 10)
        os.utime(path, (1e9 + number, 1e9 + number))
    abandoned, fresh = entry.with_name("a.unfinished"), entry.with_name("b.unfinished")
    abandoned.touch()
    os.utime(abandoned, (1e9, 1e9))
    fresh.touch()
    monkeypatch.setattr(truth_index, "_MOST_ENTRIES", 5)
    indexed_truth(walkway, "02")
    left = {path.name for path in entry.parent.iterdir()}
    assert fresh.name in left
    assert abandoned.name not in left
    assert {"0.truth", "1.truth"} & left == set(), "the oldest go"
    assert entry.name in left
    monkeypatch.setattr(truth_index, "_MOST_BYTES", 1)
    entry.unlink()
    indexed_truth(walkway, "01")
    assert cache_content().n_bytes == 0


def read_often(root: Path, times: int) -> list[bytes]:
    """What a worker reads, and writes whenever somebody has removed it."""
    dataset = open_dataset("synthetic", root)
    folder = cache_folder()
    assert folder is not None
    found = []
    for number in range(times):
        truth = indexed_truth(dataset, "01")
        assert truth.mask_runs is not None
        found.append(truth.mask_runs.starts.tobytes())
        if number % 3 == 0:
            for path in folder.glob("*.truth"):
                path.unlink(missing_ok=True)
    return found


def test_two_processes_may_write_at_the_same_time(walkway: FileDataset) -> None:
    truth = walkway.truth("01")
    assert truth.mask_runs is not None
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.starmap(read_often, [(walkway.root, 40)] * 2)
    assert {starts for own in found for starts in own} == {truth.mask_runs.starts.tobytes()}


def test_the_command_shows_and_clears_it(
    walkway: FileDataset, own_cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["data", "cache"]) == 0
    assert "entries  0" in capsys.readouterr().out
    size = entry_of(walkway).stat().st_size
    stranger = own_cache / "truth" / "thesis.txt"
    stranger.write_text("not ours")
    assert main(["data", "cache"]) == 0
    shown = capsys.readouterr().out
    assert str(own_cache / "truth") in shown
    assert "entries  1" in shown
    assert f"{size / 1e6:.1f} MB" in shown
    assert main(["data", "cache", "--clear"]) == 0
    assert "entries  1 (removed)" in capsys.readouterr().out
    assert list((own_cache / "truth").iterdir()) == [stranger]
    monkeypatch.setenv("VADBENCH_CACHE", "off")
    assert main(["data", "cache", "--clear"]) == 0
    assert "place    none" in capsys.readouterr().out


def needs(folder: Path) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not folder.is_dir(), reason=f"no copy of the real data in shared/data: {folder.name}")


def real(name: str, monkeypatch: pytest.MonkeyPatch) -> FileDataset:
    if name == "ucsd-ped2":
        return open_dataset(name, SHARED / "UCSD_Anomaly_Dataset.v1p2" / "UCSDped2")
    if name == "shanghaitech":
        return open_dataset(name, SHARED / name, tracks=SHARED / "tracks" / name)
    from vadbench.datasets import avenue
    from vadbench.datasets.facts import load_facts

    # Three of Avenue's 21 label files are there.
    facts = load_facts(name)
    there = {key: facts.clips[key] for key in ("08", "19", "21")}
    own = layouts.dataclasses.replace(facts, clips=there, mask_clips=tuple(there))
    monkeypatch.setattr(avenue, "load_facts", lambda _: own)
    return open_dataset(name, SHARED / name)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("ucsd-ped2", marks=needs(SHARED / "UCSD_Anomaly_Dataset.v1p2" / "UCSDped2")),
        pytest.param("avenue", marks=needs(SHARED / "avenue" / "testing_label_mask")),
        pytest.param("shanghaitech", marks=needs(SHARED / "shanghaitech" / "test_frame_mask")),
    ],
)
def test_real_data(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = real(name, monkeypatch)
    read = {clip.id: bits(indexed_truth(dataset, clip.id)) for clip in dataset.clips}
    assert cache_content().entries == len(dataset.clips)
    forbid_reading(monkeypatch)
    assert {clip.id: bits(indexed_truth(dataset, clip.id)) for clip in dataset.clips} == read
