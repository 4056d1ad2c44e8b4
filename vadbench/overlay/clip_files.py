"""Files that take pictures one at a time: MP4, GIF, a folder of PNG; whole, or not there at all."""

from __future__ import annotations

import importlib.util
import re
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from fractions import Fraction
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vadbench.errors import UsageError, quoted
from vadbench.overlay.object_masks import OBJECT_COLOURS
from vadbench.overlay.picture import BOX_COLOUR, THRESHOLD_COLOUR, TRUTH_COLOUR

if TYPE_CHECKING:
    from typing import BinaryIO

MARK = "vadbench overlay"
"""In every file, so that an earlier one can be replaced and any other is not."""

FASTEST, FASTEST_GIF = 240.0, 50.0
"""Frames a second; viewers show GIFs of more than 50 much slower."""

_BEGINNING = 2 * 2**20
_FRAME = re.compile(r"frame-[0-9]{6,}\.png")
_ENCODERS = ("libx264", "libopenh264", "mpeg4")
"""Best first; the last one is in every build."""

KEPT_COLOURS = (TRUTH_COLOUR, THRESHOLD_COLOUR, BOX_COLOUR, *OBJECT_COLOURS)

_OPTIONS = {
    # Without the last of them bytes differ from run to run: fast sums over blocks are not always the same.
    "libx264": {"crf": "20", "preset": "veryfast", "x264-params": "cpu-independent=1"},
    "mpeg4": {"qmin": "2", "qmax": "6"},
}

Take = Callable[[NDArray[np.uint8], int], None]
"""Takes a picture, (H, W, 3) uint8, and the number of its frame in the clip."""


class ClipFormat(StrEnum):
    """What pictures of a clip are written as."""

    MP4 = "mp4"
    GIF = "gif"
    PNG = "png"
    FRAMES = "frames"


def clip_format(path: Path, *, is_folder: bool = False) -> ClipFormat:
    """Format by the end of a path's name; raises `UsageError` U288 for a name that no format has.

    Parameters
    ----------
    path : Path
    is_folder : bool
        Whether the caller says that it is one, by a sign / at the end.
    """
    suffix = path.suffix.lower()
    if is_folder or path.is_dir() or not suffix:
        return ClipFormat.FRAMES
    if suffix.removeprefix(".") not in {ClipFormat.MP4, ClipFormat.GIF, ClipFormat.PNG}:
        raise UsageError(
            "U288",
            "an overlay of a clip needs another name",
            expected="a name that ends in .mp4 or .gif, or a folder, which ends in /; .png for one frame",
            got=quoted(path),
        )
    return ClipFormat(suffix.removeprefix("."))


def check_target(path: Path, kind: ClipFormat) -> None:
    """Raise `UsageError` U289 where something is in the way that no overlay of a clip is."""
    if kind is ClipFormat.FRAMES:
        in_the_way = path.exists() and not path.is_dir()
    else:
        in_the_way = path.exists() and not _is_own(path)
    if in_the_way:
        raise _in_the_way(path)


@contextmanager
def clip_file(
    path: Path, kind: ClipFormat, size: tuple[int, int], frames_per_second: float, *, what: str = ""
) -> Iterator[tuple[Take, str]]:
    """Take pictures one at a time, and put the file, or the files of a folder, in their place at the end.

    Parameters
    ----------
    path : Path
    kind : ClipFormat
    size : (int, int)
        Height and width of the pictures, even for MP4.
    frames_per_second : float
        Of MP4 and GIF.
    what : str
        What the pictures show, in any words: frames of one clip and the same methods have the same. In a folder,
        earlier frames that show anything else are removed, so that those of two overlays never lie there together.

    Yields
    ------
    (callable, str)
        What takes a picture, and the name of the encoder.

    Raises
    ------
    UsageError
        U289 where something is in the way or the file cannot be written, U294 if the encoder refuses.
    """
    check_target(path, kind)
    shown = sha256(f"{size} {what}".encode("utf-8", "replace")).hexdigest()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
            made = Path(folder) / f"made.{kind}"
            if kind is ClipFormat.MP4:
                with _video(made, size, frames_per_second) as take:
                    yield take
            elif kind is ClipFormat.GIF:
                with _animation(made, size, frames_per_second) as take:
                    yield take
            else:
                made.mkdir()
                yield (lambda picture, frame: _save_png(picture, made / _frame_name(frame), shown)), "PNG"
            check_target(path, kind)
            if kind is ClipFormat.FRAMES:
                _move_frames(made, path, shown)
            elif kind is ClipFormat.PNG:
                (only,) = made.iterdir()
                only.replace(path)
            else:
                made.replace(path)
    except OSError as error:
        raise UsageError(
            "U289", "the overlay cannot be written", where=str(path), got=error.strerror or str(error)
        ) from error


def require_encoder(kind: ClipFormat) -> None:
    """Raise `UsageError` U290 with the way to install PyAV, if it is needed and absent."""
    if kind is ClipFormat.MP4 and importlib.util.find_spec("av") is None:
        raise UsageError(
            "U290",
            "a video needs PyAV, which is not installed",
            hint="pip install 'vadbench[video]'; GIF and folders of frames need nothing more",
        )


def check_speed(kind: ClipFormat, frames_per_second: float) -> None:
    """Raise `UsageError` U293 for frames a second that the format has not."""
    fastest = FASTEST_GIF if kind is ClipFormat.GIF else FASTEST
    if not 0.1 <= frames_per_second <= fastest:
        raise UsageError(
            "U293",
            "this is no number of frames a second",
            expected=f"0.1 to {fastest:g} for {kind}",
            got=f"{frames_per_second:g}",
        )


@contextmanager
def _video(path: Path, size: tuple[int, int], frames_per_second: float) -> Iterator[tuple[Take, str]]:
    import av

    name = _encoder(av)
    rate = Fraction(frames_per_second).limit_denominator(1000)
    try:
        # Without "bitexact" the encoder's version would stand in the file.
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}) as file:
            file.metadata["comment"] = MARK
            stream: Any = file.add_stream(name, rate=rate)
            stream.height, stream.width = size
            stream.pix_fmt = "yuv420p"
            # More than one thread would make the bytes depend on the number of cores.
            stream.codec_context.thread_count = 1
            stream.codec_context.time_base = 1 / rate
            stream.options = _OPTIONS.get(name, {})
            count = 0

            def take(picture: NDArray[np.uint8], _: int) -> None:
                nonlocal count
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                frame.pts, frame.time_base = count, 1 / rate
                count += 1
                for packet in stream.encode(frame):
                    file.mux(packet)

            yield take, name
            for packet in stream.encode(None):
                file.mux(packet)
    except av.error.FFmpegError as error:
        raise UsageError(
            "U294",
            "the encoder refuses the video",
            where=str(path.name),
            got=f"{name}, {size[1]} x {size[0]}: {error}",
            hint="a smaller --scale, or a folder of frames",
        ) from error


def _encoder(av: Any) -> str:
    for name in _ENCODERS[:-1]:
        try:
            av.codec.Codec(name, "w")
        except (av.codec.codec.UnknownCodecError, ValueError):
            continue
        return name
    return _ENCODERS[-1]


@contextmanager
def _animation(path: Path, size: tuple[int, int], frames_per_second: float) -> Iterator[tuple[Take, str]]:
    """A GIF written frame after frame, each with colours of its own; Pillow would hold all frames at once."""
    with path.open("wb") as file:
        height, width = size
        file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0x70, 0, 0))
        file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")
        file.write(b"\x21\xfe" + bytes([len(MARK)]) + MARK.encode() + b"\x00")
        count = 0

        def take(picture: NDArray[np.uint8], _: int) -> None:
            nonlocal count
            # Hundredths of a second, rounded so that the whole has the right length.
            ends = [round(100 * number / frames_per_second) for number in (count, count + 1)]
            count += 1
            _write_gif_frame(file, picture, ends[1] - ends[0])

        yield take, "GIF"
        file.write(b"\x3b")


def _write_gif_frame(file: BinaryIO, picture: NDArray[np.uint8], hundredths: int) -> None:
    from PIL import Image

    buffer = BytesIO()
    given = Image.fromarray(picture)
    # Few pixels have the colours of outlines: without a place of their own they would be given others'.
    own = given.quantize(256 - len(KEPT_COLOURS), dither=Image.Dither.NONE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*own[: 3 * (256 - len(KEPT_COLOURS))], *(part for colour in KEPT_COLOURS for part in colour)])
    image = given.quantize(palette=palette, dither=Image.Dither.NONE)
    image.save(buffer, format="GIF", optimize=False, interlace=0)
    data = buffer.getvalue()
    flags = data[10]
    colours = 3 * 2 ** ((flags & 7) + 1)
    table, place = data[13 : 13 + colours], 13 + colours
    while data[place] == 0x21:
        # Extensions, each a chain of blocks that ends in an empty one.
        place += 2
        while data[place]:
            place += 1 + data[place]
        place += 1
    file.write(b"\x21\xf9\x04" + struct.pack("<BHB", 0, hundredths, 0) + b"\x00")
    file.write(data[place : place + 9] + bytes([0x80 | (flags & 7)]) + table)
    # Without the end of the file, one byte.
    file.write(data[place + 10 : -1])


def _save_png(picture: NDArray[np.uint8], path: Path, shown: str) -> None:
    from PIL import Image, PngImagePlugin

    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", f"{MARK} {shown}")
    Image.fromarray(picture).save(path, format="PNG", pnginfo=words)


def _frame_name(frame: int) -> str:
    return f"frame-{frame:06d}.png"


def _move_frames(made: Path, folder: Path, shown: str) -> None:
    """Move the frames into a folder, which may hold anything but other files of their names.

    Earlier frames that show something else go: a video made of the folder would mix two overlays.
    """
    names = sorted(path.name for path in made.iterdir())
    for name in names:
        if (folder / name).exists() and not _is_own(folder / name):
            raise _in_the_way(folder / name)
    if not folder.exists():
        shutil.move(made, folder)
        return
    for name in names:
        (made / name).replace(folder / name)
    for path in sorted(folder.glob("frame-*.png")):
        if _FRAME.fullmatch(path.name) and path.stat().st_size and _is_own(path) and not _is_own(path, shown):
            path.unlink()


def _is_own(path: Path, shown: str = "") -> bool:
    """Whether a file was written here, and shows what is given; an empty one is nobody's."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        beginning = file.read(_BEGINNING)
    return not beginning or f"{MARK} {shown}".rstrip().encode() in beginning


def _in_the_way(path: Path) -> UsageError:
    return UsageError(
        "U289",
        "something is in the way that is no overlay",
        where=str(path),
        hint="choose another --out; only earlier overlays are replaced",
    )
