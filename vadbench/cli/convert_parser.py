"""Options of ``vadbench convert``, and what ``--help`` says of them."""

from __future__ import annotations

from pathlib import Path

from vadbench.cli.examples import DATA_AND_METHOD, TRAINING_SCORES
from vadbench.cli.object_options import add_object_options
from vadbench.cli.shared_options import add_dataset_options
from vadbench.command_line import CommandParser
from vadbench.conversion.dataset_clips import DatasetPart
from vadbench.conversion.dense.resizing import Resizing
from vadbench.conversion.formats import FORMAT_TITLES, ForeignFormat, TargetFormat

_FORMATS = "\n".join(f"  {name:<11}{title}" for name, title in FORMAT_TITLES.items())
_DESCRIPTION = f"""\
Make a submission of predictions in another format (--from),
or write the boxes and masks of a submission (--to aed, coco).

formats of --from:
{_FORMATS}

Clips are named as in the data set (Test001, 1 and 01 are
clip 01), or --clip-pattern says how. Every frame of every
clip must be there: what is dropped, repeated or resized is
said by an option and recorded in provenance.json.
docs/convert.md shows each format."""


def convert_parser() -> CommandParser:
    """Parser of the command."""
    parser = CommandParser(
        "vadbench convert",
        _DESCRIPTION,
        DATA_AND_METHOD + TRAINING_SCORES,
    )
    parser.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="a folder of predictions; a file for coco, also for hdf5, npy (.npz) and aed (.csv) where it holds all "
        "clips; with --to a submission",
    )
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--from", dest="foreign", choices=[own.value for own in ForeignFormat], help="format to read")
    way.add_argument("--to", dest="target", choices=[own.value for own in TargetFormat], help="format to write")
    parser.add_argument("--out", type=Path, required=True, metavar="OUT", help="folder to write; --to coco: a file")
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace what this command wrote to OUT before: a submission, or with --to the files of that format",
    )
    parser.add_argument("--dataset", metavar="ID", help="see `vadbench data list`")
    parser.add_argument(
        "--metadata", type=Path, metavar="FILE", help="TOML with [method] and [training], as in submission.toml"
    )
    parser.add_argument(
        "--part",
        choices=[own.value for own in DatasetPart],
        help="test (default), or training for `vadbench threshold`",
    )
    add_dataset_options(parser)
    names = parser.add_argument_group("names")
    names.add_argument(
        "--clip-pattern",
        metavar="REGEX",
        help="for the whole path below SOURCE without its ending; groups (?P<clip>…) and, for a file a frame, "
        r"(?P<frame>\d+)",
    )
    names.add_argument(
        "--key", metavar="NAME", help="npy, hdf5: array in each file or group; hdf5: group of the arrays"
    )
    timing = parser.add_argument_group("frames", "numbers of frames, the same for every clip")
    timing.add_argument(
        "--frame-offset",
        type=int,
        metavar="N",
        help="added to the frame numbers of aed and coco; -1 if they begin with 1",
    )
    for name, words in (
        ("drop-head", "leave out the first N frames that the files hold"),
        ("drop-tail", "leave out the last N"),
        ("pad-head", "repeat the first frame N times before it"),
        ("pad-tail", "repeat the last frame N times behind it"),
    ):
        timing.add_argument(f"--{name}", type=int, metavar="N", help=words)
    add_object_options(parser)
    maps = parser.add_argument_group("score maps")
    maps.add_argument(
        "--resize",
        choices=[own.value for own in Resizing],
        help="npy, images, hdf5: bring maps of another size to that of the frames",
    )
    maps.add_argument(
        "--quantize",
        action="store_true",
        help="store float maps as uint16 over one range for all clips; with --root the change of each score is shown",
    )
    maps.add_argument(
        "--range-of",
        type=Path,
        metavar="SUBMISSION",
        help="with --part training --quantize: over the range of the submission that gets the threshold",
    )
    return parser
