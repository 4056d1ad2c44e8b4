"""The weights of SAM2: how the files are called, where to get them, and whether a file is the right one.

Source: tao.md, section 6, "Models"; SAM2's ``checkpoints/download_ckpts.sh``.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from baselines.tao.segmentation.sam2_settings import Sam2Settings, Sam2Size, Sam2Version
from vadbench import DataError, UsageError
from vadbench.errors import quoted, shortened

_CONFIG_LETTERS = {Sam2Size.TINY: "t", Sam2Size.SMALL: "s", Sam2Size.BASE_PLUS: "b+", Sam2Size.LARGE: "l"}
_SIZES_BY_TRUNK = {
    (96, 12): Sam2Size.TINY,
    (96, 16): Sam2Size.SMALL,
    (112, 24): Sam2Size.BASE_PLUS,
    (144, 48): Sam2Size.LARGE,
}
"""Sizes by the channels and the number of blocks of the image encoder's trunk."""

_TRUNK = "image_encoder.trunk"
_SHOWN = 3


def config_path(size: Sam2Size, version: Sam2Version) -> str:
    """Name of a model's configuration inside the package ``sam2``.

    >>> config_path(Sam2Size.BASE_PLUS, Sam2Version.V2_1)
    'configs/sam2.1/sam2.1_hiera_b+.yaml'
    """
    family = _family(version)
    return f"configs/{family}/{family}_hiera_{_CONFIG_LETTERS[size]}.yaml"


def checkpoint_name(size: Sam2Size, version: Sam2Version) -> str:
    """Name of the file of a model's weights, as upstream calls it.

    >>> checkpoint_name(Sam2Size.BASE_PLUS, Sam2Version.V2_0)
    'sam2_hiera_base_plus.pt'
    """
    return f"{_family(version)}_hiera_{size.replace('-', '_')}.pt"


def where_to_get(size: Sam2Size, version: Sam2Version) -> str:
    """The words that say how to get a model's weights."""
    return (
        f"get {checkpoint_name(size, version)} (SAM {version}, size {size}) from SAM2's official repository, "
        "github.com/facebookresearch/sam2: its README links every checkpoint,\nand "
        "`cd checkpoints && ./download_ckpts.sh` in a clone of it downloads them; then give the file's path"
    )


def checkpoint_file(settings: Sam2Settings) -> Path:
    """Path of the weights, after a look whether the file is there and has the SHA-256 that was given.

    Parameters
    ----------
    settings : Sam2Settings
        Its `checkpoint`, and `sha256` if there is one; the file is read as a stream.

    Raises
    ------
    UsageError
        B231 if no checkpoint is given, or there is no such file.
    DataError
        B232 if the SHA-256 is another.
    """
    path, hint = settings.checkpoint, where_to_get(settings.size, settings.version)
    expected = checkpoint_name(settings.size, settings.version)
    if path is None:
        raise UsageError("B231", "SAM2 needs a checkpoint: the file of its weights", expected=expected, hint=hint)
    if not path.is_file():
        got = "a folder" if path.is_dir() else "no such file"
        raise UsageError(
            "B231", "the checkpoint of SAM2 is not there", where=str(path), expected=expected, got=got, hint=hint
        )
    if settings.sha256 is not None:
        found = sha256_of(path)
        if found != settings.sha256:
            raise DataError(
                "B232",
                "the checkpoint is not the file whose SHA-256 was given",
                where=str(path),
                expected=f"sha256 {settings.sha256}",
                got=f"sha256 {found} ({path.stat().st_size} bytes)",
                hint=f"download it again: {hint}",
            )
    return path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits; memory does not grow with the file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_weights(model: Any, path: Path, settings: Sam2Settings) -> None:
    """Put the weights of a file into a model of PyTorch; every weight of the model must be there, and no other.

    Parameters
    ----------
    model : torch.nn.Module
        Built from the configuration of `settings`; on the CPU.
    path : Path
        A file of `torch.save`; read as weights only, so that it can run no code.
    settings : Sam2Settings
        For what the error says.

    Raises
    ------
    DataError
        B233 if the file is no such file, is cut off, or holds the weights of another model.
    """
    given, own = _read_weights(path, settings), model.state_dict()
    missing = sorted(own.keys() - given.keys())
    unknown = sorted(given.keys() - own.keys())
    misshapen = [name for name in own if name in given and own[name].shape != given[name].shape]
    if missing or unknown or misshapen:
        counts = ((missing, "missing"), (unknown, "unknown"), (misshapen, "of another shape"))
        differences = [f"{len(names)} {what} ({shortened(names, _SHOWN)})" for names, what in counts if names]
        raise DataError(
            "B233",
            "the checkpoint holds the weights of another model",
            where=str(path),
            expected=f"the weights of SAM {settings.version}, size {settings.size}",
            got=f"{model_of(given) or 'weights of an unknown model'}: {', '.join(differences)}",
            hint="say the size and the version that the file holds, or "
            + where_to_get(settings.size, settings.version),
        )
    model.load_state_dict(given)


def model_of(weights: Mapping[str, Any]) -> str | None:
    """Which published model weights belong to, in words; None where they are of none.

    Parameters
    ----------
    weights : mapping from name to array or tensor
        Only names, and the shape of one of them, are looked at.
    """
    first = weights.get(f"{_TRUNK}.patch_embed.proj.weight")
    blocks = {name.split(".")[3] for name in weights if name.startswith(f"{_TRUNK}.blocks.")}
    size = None if first is None else _SIZES_BY_TRUNK.get((int(first.shape[0]), len(blocks)))
    if size is None:
        return None
    version = Sam2Version.V2_1 if "no_obj_embed_spatial" in weights else Sam2Version.V2_0
    return f"the weights of SAM {version}, size {size}"


def _read_weights(path: Path, settings: Sam2Settings) -> dict[str, Any]:
    import torch

    try:
        with warnings.catch_warnings():
            # Of what the file is, the error below says more than PyTorch's guesses do.
            warnings.simplefilter("ignore")
            # Weights alone: a pickle could run code.
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # Bytes that are no checkpoint end in any of a dozen kinds of error, AssertionError and struct.error among them.
        raise _no_checkpoint(path, settings, str(error).partition("\n")[0]) from error
    weights = content.get("model") if isinstance(content, dict) else None
    if not isinstance(weights, dict) or not all(isinstance(value, torch.Tensor) for value in weights.values()):
        keys = f"the keys {shortened([*map(str, content)], _SHOWN)}" if isinstance(content, dict) else "none"
        raise _no_checkpoint(path, settings, f"{type(content).__name__}, {keys}")
    return weights


def _no_checkpoint(path: Path, settings: Sam2Settings, got: str) -> DataError:
    return DataError(
        "B233",
        "this file is no checkpoint of SAM2, or it is cut off",
        where=str(path),
        expected="a file of torch.save with weights under the key model",
        got=f"{path.stat().st_size} bytes; {quoted(got)}",
        hint=where_to_get(settings.size, settings.version),
    )


def _family(version: Sam2Version) -> str:
    return "sam2" if version is Sam2Version.V2_0 else "sam2.1"
