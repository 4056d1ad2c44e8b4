"""Overlays of a clip: every frame once and in order, one scale for all clips, files whole or not there."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from PIL import Image

from vadbench import Clip, DataError, Detections, Instances, MemoryDataset, Prediction, Truth, UsageError
from vadbench.overlay import BOX_COLOUR, TRUTH_COLOUR, clip_overlay, write_clip_overlay
from vadbench.overlay.clip_files import MARK, ClipFormat, clip_file, clip_format
from vadbench.overlay.clip_pictures import score_text
from vadbench.overlay.lettering import fitted, font
from vadbench.overlay.object_masks import OBJECT_COLOURS
from vadbench.overlay.shown_method import shown_method

FRAMES, HEIGHT, WIDTH = 6, 40, 60


class FramedDataset(MemoryDataset):
    """Frames whose grey level is 40 + 10 times their number, made when they are asked for."""

    def __init__(self, truths):
        super().__init__(truths)
        self.n_read = 0

        def reader(frames):
            def read():
                for frame in range(frames):
                    self.n_read += 1
                    yield np.full((HEIGHT, WIDTH), 40 + 10 * frame % 200, dtype=np.uint8)

            return read

        self.clips = tuple(Clip(clip.id, clip.frames, HEIGHT, WIDTH, reader(clip.frames)) for clip in self.clips)


def truth_masks(frames=FRAMES):
    masks = np.zeros((frames, HEIGHT, WIDTH), dtype=bool)
    masks[2:4, 10:20, 20:40] = True
    return masks


@pytest.fixture
def dataset():
    return FramedDataset({"01": Truth.from_arrays(truth_masks()), "02": Truth.from_arrays(truth_masks())})


def maps_of(highest):
    maps = np.zeros((FRAMES, HEIGHT, WIDTH), dtype=np.uint8)
    maps[:, 10:20, 20:40] = highest
    return maps


@pytest.fixture
def maps():
    """Clip 02 has scores twice as high as those of clip 01."""
    return {"01": Prediction(score_maps=maps_of(100)), "02": Prediction(score_maps=maps_of(200))}


@pytest.fixture
def objects():
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[20:30, 5:25] = True
    other = np.roll(mask, 25, axis=1)
    rows = [mask, other, mask, other]
    instances = Instances.from_masks(
        [1, 1, 2, 2], rows, [0.5, 0.75, 2.0, 3.0], height=HEIGHT, width=WIDTH, objects=[3, 4, 4, 3]
    )
    boxes = Detections(np.array([1, 4]), np.array([[5.0, 20, 25, 30], [40, 5, 60, 15]]), np.array([0.25, 12345.6]))
    empty = Instances.from_masks([], [], [], height=HEIGHT, width=WIDTH, objects=[])
    none = Detections(np.zeros(0, dtype=int), np.zeros((0, 4)), np.zeros(0))
    return {"01": Prediction(instances=instances, detections=boxes), "02": Prediction(instances=empty, detections=none)}


def pictures_of(dataset, named, clip="01", **options):
    methods = [shown_method(name, own, dataset) for name, own in named.items()]
    made = clip_overlay(dataset, methods, clip, scale=options.pop("scale", 1), **options)
    return made, list(made.pictures())


def panel(made, picture, number):
    top, left = made.sheet.place(number)
    return picture[top : top + HEIGHT * made.scale, left : left + WIDTH * made.scale]


def test_every_frame_is_there_once_with_the_truth(dataset, maps):
    made, pictures = pictures_of(dataset, {"mine": maps})
    assert len(made) == len(pictures) == FRAMES
    assert {picture.shape for picture in pictures} == {(*made.size, 3)}
    assert made.size[0] % 2 == made.size[1] % 2 == 0
    for frame, picture in enumerate(pictures):
        shown = panel(made, picture, 0)
        assert shown[0, 0].tolist() == [40 + 10 * frame] * 3
        line = (shown == TRUTH_COLOUR).all(axis=2)
        assert line.any() == (frame in {2, 3})
        if line.any():
            rows, columns = np.nonzero(line)
            assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (10, 20, 20, 40)


def test_one_scale_for_all_clips(dataset, maps):
    """The same score has the same colour in both clips, and half the highest is not the hottest."""
    heat = {}
    for clip in ("01", "02"):
        made, pictures = pictures_of(dataset, {"mine": maps}, clip)
        heat[clip] = panel(made, pictures[0], 0)[15, 30].astype(int)
        assert made.methods[0].span == (0.0, 200.0)
    assert heat["02"].sum() > heat["01"].sum() + 50
    level = shown_method("mine", maps, dataset, span=(0.0, 100.0))
    assert level.span == (0.0, 100.0)
    made = clip_overlay(dataset, [level], "01", scale=1)
    assert panel(made, next(made.pictures()), 0)[15, 30].tolist() == heat["02"].tolist()


def test_objects_keep_their_colours_and_boxes_are_drawn(dataset, objects):
    made, pictures = pictures_of(dataset, {"mine": objects}, scale=2)

    def colour_at(frame, row, column):
        grey = 40 + 10 * frame
        return (2 * panel(made, pictures[frame], 0)[2 * row, 2 * column].astype(int) - grey).tolist()

    third, fourth = list(OBJECT_COLOURS[3]), list(OBJECT_COLOURS[4])
    for frame, first, second in [(1, third, fourth), (2, fourth, third)]:
        assert np.abs(np.subtract(colour_at(frame, 26, 15), first)).max() <= 2
        assert np.abs(np.subtract(colour_at(frame, 26, 40), second)).max() <= 2
    line = (panel(made, pictures[4], 0) == BOX_COLOUR).all(axis=2)
    rows, columns = np.nonzero(line)
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (10, 30, 80, 120)
    assert not (panel(made, pictures[3], 0) == BOX_COLOUR).all(axis=2).any()
    assert made.methods[0].span == (0.5, 3.0)


def test_several_methods_stand_beside_the_bare_frame(dataset, maps, objects):
    made, pictures = pictures_of(dataset, {"maps": maps, "objects": objects})
    assert [own.title for own in made.sheet.panels] == ["frame and truth", "maps", "objects"]
    lefts = [made.sheet.place(number)[1] for number in range(3)]
    assert lefts == sorted(set(lefts))
    bare = panel(made, pictures[0], 0)
    assert (bare == 40).all()
    assert not (panel(made, pictures[0], 1) == 40).all()
    many = clip_overlay(dataset, list(made.methods) * 3, "01", scale=1)
    assert len({many.sheet.place(number) for number in range(7)}) == 7
    assert many.sheet.columns == 4


def test_frames_are_read_as_they_are_needed(dataset, maps):
    methods = [shown_method("mine", maps, dataset)]
    assert dataset.n_read == 0
    made = clip_overlay(dataset, methods, "01", frames=(2, None))
    pictures = made.pictures()
    next(pictures)
    assert dataset.n_read == 3
    next(pictures)
    assert dataset.n_read == 4


@pytest.mark.parametrize("kind", ["gif", "frames"])
def test_memory_does_not_grow_with_the_length(kind, tmp_path):
    def peak(frames):
        picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        tracemalloc.start()
        with clip_file(tmp_path / f"{frames}.{kind}", ClipFormat(kind), picture.shape[:2], 10.0) as (take, _):
            for frame in range(frames):
                take(np.roll(picture, frame, axis=0), frame)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(2)
    assert peak(40) < 1.5 * peak(5)


def block_means(image, size=8):
    rows, columns = (length // size for length in image.shape[:2])
    whole = image[: rows * size, : columns * size].astype(float)
    return whole.reshape(rows, size, columns, size, 3).mean(axis=(1, 3))


def test_mp4_holds_the_frames(dataset, maps, tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "a.mp4"
    written = write_clip_overlay(path, dataset, {"mine": maps}, "01", frames_per_second=12.5, scale=2)
    made, pictures = pictures_of(dataset, {"mine": maps}, scale=2)
    assert (written.height, written.width) == made.size
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert float(stream.average_rate) == 12.5
        assert stream.codec_context.pix_fmt == "yuv420p"
        decoded = list(file.decode(stream))
    times = [frame.pts * frame.time_base for frame in decoded]
    assert np.diff([float(time) for time in times]) == pytest.approx(0.08)
    assert len(decoded) == FRAMES
    for frame, expected in zip(decoded, pictures, strict=True):
        found = frame.to_ndarray(format="rgb24")
        assert found.shape == expected.shape
        # Lossy, and with half the colour's resolution: means of blocks are near.
        blocks = [block_means(image) for image in (found, expected)]
        assert np.abs(blocks[0] - blocks[1]).mean() < 6
        hottest = panel(made, found, 0)[30, 60].astype(int) - panel(made, expected, 0)[30, 60]
        assert np.abs(hottest).max() < 24
    first = path.read_bytes()
    write_clip_overlay(path, dataset, {"mine": maps}, "01", frames_per_second=12.5, scale=2)
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_mp4_has_the_same_bytes_each_time(tmp_path):
    """Sizes for which the encoder's fast sums, if they are let, differ from run to run."""
    pytest.importorskip("av")
    tiles = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    picture = tiles.repeat(8, axis=0).repeat(8, axis=1)
    written = set()
    for _ in range(3):
        path = tmp_path / "a.mp4"
        with clip_file(path, ClipFormat.MP4, picture.shape[:2], 10.0) as (take, _):
            for frame in range(12):
                take(np.roll(picture, frame, axis=1), frame)
        written.add(path.read_bytes())
    assert len(written) == 1


def test_gif_holds_the_frames_and_their_time(dataset, objects, tmp_path):
    path = tmp_path / "a.gif"
    write_clip_overlay(path, dataset, {"mine": objects}, "01", frames_per_second=30.0, scale=2)
    made, pictures = pictures_of(dataset, {"mine": objects}, scale=2)
    durations = []
    with Image.open(path) as image:
        assert image.n_frames == FRAMES
        assert image.info["loop"] == 0
        assert image.size == made.size[::-1]
        for frame, expected in enumerate(pictures):
            image.seek(frame)
            durations.append(image.info["duration"])
            found = np.asarray(image.convert("RGB")).astype(int)
            assert np.abs(found - expected).mean() < 4
            outline = (expected == TRUTH_COLOUR).all(axis=2)
            # Pillow takes a near colour of the palette for the nearest one.
            assert np.abs(found[outline] - TRUTH_COLOUR).max(initial=0) < 12
    # Hundredths of a second that add up to 6 frames at 30 a second.
    assert sum(durations) == 200
    assert write_clip_overlay(tmp_path / "b.gif", dataset, {"mine": objects}, "01", frames_per_second=30.0, scale=2)
    assert (tmp_path / "b.gif").read_bytes() == path.read_bytes()


def test_frames_are_named_after_their_numbers_and_foreign_files_stay(dataset, maps, tmp_path):
    folder = tmp_path / "frames"
    write_clip_overlay(folder, dataset, {"mine": maps}, "01", frames=(2, 4))
    assert sorted(path.name for path in folder.iterdir()) == ["frame-000002.png", "frame-000003.png"]
    _, pictures = pictures_of(dataset, {"mine": maps}, frames=(2, 4), scale=None)
    assert (np.asarray(Image.open(folder / "frame-000003.png")) == pictures[1]).all()
    (folder / "notes.txt").write_text("mine")
    write_clip_overlay(folder, dataset, {"mine": maps}, "01", frames=(3, 5))
    assert len(list(folder.iterdir())) == 4
    foreign = folder / "frame-000000.png"
    Image.new("RGB", (4, 4)).save(foreign)
    before = foreign.read_bytes()
    with pytest.raises(UsageError) as caught:
        write_clip_overlay(folder, dataset, {"mine": maps}, "01")
    assert caught.value.code == "U289"
    assert foreign.read_bytes() == before
    assert not (folder / "frame-000001.png").exists()
    assert (folder / "notes.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]
    single = write_clip_overlay(tmp_path / "one.png", dataset, {"mine": maps}, "01", frames=(3, 4)).path
    assert MARK.encode() in single.read_bytes()


@pytest.mark.parametrize("other", [{"clip": "02"}, {"named": "theirs"}, {"scale": 3}, {"span": (0.0, 9.0)}])
def test_frames_of_two_overlays_never_lie_in_one_folder(other, dataset, maps, tmp_path):
    folder = tmp_path / "frames"
    write_clip_overlay(folder, dataset, {"mine": maps}, "01", scale=2)
    (folder / "frame-000000.png.txt").write_text("notes")
    write_clip_overlay(folder, dataset, {"mine": maps}, "01", scale=2, frames=(0, 2))
    assert len(list(folder.iterdir())) == FRAMES + 1
    write_clip_overlay(
        folder,
        dataset,
        {other.get("named", "mine"): maps},
        other.get("clip", "01"),
        scale=other.get("scale", 2),
        span=other.get("span", (None, None)),
        frames=(1, 3),
    )
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["frame-000000.png.txt", "frame-000001.png", "frame-000002.png"]


def test_captions_of_small_pictures_are_whole(dataset, maps):
    made, pictures = pictures_of(dataset, {"mine": maps}, scale=1)
    captions = made._captions(5)
    assert captions[0].startswith(f"{dataset.id} · clip 01 · frame 5 of 0")
    room = made.size[1] - 2 * 10 - 96
    assert any(font(14).getlength(caption) <= room for caption in captions)
    whole = made.sheet.filled([np.zeros((made.sheet.height, made.sheet.width, 3), np.uint8)], 5, captions)
    shortest = made.sheet.filled(
        [np.zeros((made.sheet.height, made.sheet.width, 3), np.uint8)],
        5,
        [next(own for own in captions if font(14).getlength(own) <= room)],
    )
    assert (whole == shortest).all()
    assert len(pictures) == FRAMES


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.png"])
def test_foreign_files_stay(name, dataset, maps, tmp_path):
    path = tmp_path / name
    path.write_bytes(b"somebody's film")
    with pytest.raises(UsageError) as caught:
        write_clip_overlay(path, dataset, {"mine": maps}, "01", frames=(0, 1))
    assert caught.value.code == "U289"
    assert path.read_bytes() == b"somebody's film"


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "frames"])
def test_an_interruption_leaves_nothing(name, dataset, maps, tmp_path):
    def interrupt(done, total, what):
        if "frames" in what and done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_clip_overlay(tmp_path / name, dataset, {"mine": maps}, "01", progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_wrong_calls(dataset, maps, tmp_path):
    def code(name="a.gif", given=None, data=dataset, clip="01", **options):
        with pytest.raises((UsageError, DataError)) as caught:
            write_clip_overlay(tmp_path / name, data, {"mine": maps} if given is None else given, clip, **options)
        assert list(tmp_path.iterdir()) == []
        return caught.value.code

    assert code("a.avi") == "U288"
    assert code("a.png") == "U288"
    assert code(clip="03") == "U110"
    assert code(frames=(3, 3)) == code(frames=(0, 7)) == code(frames=(-1, 3)) == "U292"
    assert code(frames_per_second=51.0) == code(frames_per_second=float("nan")) == code(scale=0) == "U293"
    assert code("a.mp4", frames_per_second=0.0) == "U293"
    assert code(given={}) == "U291"
    scores = {clip.id: Prediction(frame_scores=np.arange(6.0)) for clip in dataset.clips}
    assert code(given={"frames": scores}) == "U291"
    assert code(kinds=frozenset({"instances"})) == "U291"
    assert code(data=MemoryDataset({clip.id: dataset.truth(clip.id) for clip in dataset.clips})) == "D210"
    assert code(span=(2.0, 1.0)) == "D370"
    assert dataset.n_read == 0


def test_without_pyav_the_way_to_install_it(dataset, maps, tmp_path, monkeypatch):
    import vadbench.overlay.clip_files as files

    monkeypatch.setattr(files.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        write_clip_overlay(tmp_path / "a.mp4", dataset, {"mine": maps}, "01")
    assert caught.value.code == "U290"
    assert "vadbench[video]" in caught.value.hint


def test_formats_by_name(tmp_path):
    assert clip_format(tmp_path / "A.MP4") is ClipFormat.MP4
    assert clip_format(tmp_path / "clip") is ClipFormat.FRAMES
    assert clip_format(tmp_path / "clip.v2", is_folder=True) is ClipFormat.FRAMES
    assert clip_format(tmp_path) is ClipFormat.FRAMES


@pytest.mark.parametrize("name", ["$\\x{" * 40, "\u202egnp\x1b[31m", "line\nbreak", "名" * 99, "", "\ud800"])
def test_titles_are_inert_and_fit(name, dataset, maps):
    shown = fitted(name, 14, 200)
    assert font(14).getlength(shown) <= 200
    assert "\n" not in shown
    assert shown.isprintable()
    made, pictures = pictures_of(dataset, {name: maps})
    assert pictures[0].shape == (*made.size, 3)


def test_scores_in_labels():
    assert [score_text(score) for score in (0.0, -0.5, 999.6, 1e12)] == ["0", "-0.5", "1e+03", "1e+12"]
