"""Networks with weights, as attributes use them: a file of weights in, a network that is ready to run out.

Nothing is fetched: weights come from a file alone, and from that as weights alone, so that it can run no code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.tao.extras import opencv, required
from baselines.tao.pixel_windows import pixel_windows
from vadbench import DataError, UsageError
from vadbench.errors import quoted, shortened

_SHOWN = 3
_IMAGENET_MEAN, _IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class NetworkInput:
    """What a network wants to see of a crop.

    Parameters
    ----------
    height, width : int
        In pixels.
    mean, deviation : tuple of three float
        Of red, green and blue from 0 to 1, that the network was trained with.
    """

    height: int = 224
    width: int = 224
    mean: tuple[float, float, float] = _IMAGENET_MEAN
    deviation: tuple[float, float, float] = _IMAGENET_DEVIATION


def prepared_crops(
    image: NDArray[np.uint8], boxes: NDArray[np.float64], network_input: NetworkInput
) -> NDArray[np.float32]:
    """Crop of each box, resized to the size of the network's input whatever its proportions, and normalised.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB; the release feeds the blue channel as red (tao.md, section 3, "Deep"), which is not followed.
    boxes : (N, 4) float64
        Half-open, inside the frame.
    network_input : NetworkInput

    Returns
    -------
    (N, 3, height, width) float32
        (value / 255 - mean) / deviation of each channel, red first.
    """
    cv2 = opencv()
    size = network_input.width, network_input.height
    crops = np.empty((len(boxes), network_input.height, network_input.width, 3), dtype=np.float32)
    for number, window in enumerate(pixel_windows(boxes, image.shape)):
        crop = image[window]
        is_larger = crop.shape[0] >= network_input.height and crop.shape[1] >= network_input.width
        # The area method leaves no patterns where it shrinks, but makes blocks where it enlarges.
        crops[number] = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if is_larger else cv2.INTER_LINEAR)
    crops /= 255.0
    crops -= np.array(network_input.mean, dtype=np.float32)
    crops /= np.array(network_input.deviation, dtype=np.float32)
    return np.ascontiguousarray(crops.transpose(0, 3, 1, 2))


def weights_file(path: str, *, setting: str, what: str, where_to_get: str) -> Path:
    """The file of weights that a setting names.

    Parameters
    ----------
    path : str
        "" for none.
    setting, what, where_to_get : str
        For the error: name of the setting, what needs the weights, the way to get them.

    Raises
    ------
    UsageError
        B223 if no file is named, or it is not there.
    """
    file = Path(path)
    if path and file.is_file():
        return file
    raise UsageError(
        "B223",
        f"{what} needs the file of its weights",
        where=path,
        expected=where_to_get,
        got="a folder" if path and file.is_dir() else "no such file" if path else "none",
        hint=f"name the file as {setting} in the settings",
    )


def read_weights(file: Path, *, what: str, where_to_get: str) -> dict[str, Any]:
    """Tensors by name, of a file of `torch.save` or of safetensors; on the CPU.

    Raises
    ------
    UsageError
        B203 without PyTorch, or without safetensors for a file of it.
    DataError
        B224 if the file holds anything else than tensors by name.
    """
    torch = required("torch", install="torch")
    load_safe = required("safetensors.torch", install="safetensors").load_file if _is_safetensors(file) else None
    try:
        content = load_safe(file) if load_safe else torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        # Bytes that are no weights end in any of a dozen kinds of error.
        raise _misfit(file, what, where_to_get, f"{type(error).__name__}: {error}".partition("\n")[0]) from error
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise _misfit(file, what, where_to_get, f"{type(content).__name__} of other things than tensors")
    return content


def fill_network(network: Any, weights: dict[str, Any], file: Path, *, what: str, where_to_get: str) -> None:
    """Put weights into a network; every weight of it must be there, and no other.

    Parameters
    ----------
    network : torch.nn.Module
    weights : dict from str to torch.Tensor
    file, what, where_to_get
        For the error.

    Raises
    ------
    DataError
        B224 if they are those of another network.
    """
    own = network.state_dict()
    differences = [
        f"{len(names)} {how} ({shortened(names, _SHOWN)})"
        for names, how in (
            (sorted(own.keys() - weights.keys()), "missing"),
            (sorted(weights.keys() - own.keys()), "unknown"),
            ([name for name in own if name in weights and own[name].shape != weights[name].shape], "of another shape"),
        )
        if names
    ]
    if differences:
        raise _misfit(file, what, where_to_get, ", ".join(differences))
    network.load_state_dict(weights)


def ready_network(network: Any, device: str) -> Any:
    """The network on a device, for use and not for training.

    Raises
    ------
    UsageError
        B226 for a device that is not there.
    """
    try:
        return network.eval().to(device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            "B226",
            "the networks of the scoring cannot run on that device",
            expected="a device that PyTorch sees, such as cpu or cuda, as scoring.device",
            got=quoted(device),
            hint=str(error).partition("\n")[0],
        ) from error


@contextmanager
def inference(device: str) -> Iterator[None]:
    """Run a network without keeping what training needs; raises `UsageError` B226 where its memory is too small."""
    torch = required("torch", install="torch")
    try:
        with torch.inference_mode():
            yield
    except torch.OutOfMemoryError as error:
        raise UsageError(
            "B226",
            "the memory of the device is too small for the networks of the scoring",
            got=quoted(device),
            hint="finished clips are kept; go on with --device cpu",
        ) from error


def in_batches(rows: NDArray[np.float64], most: int) -> Sequence[NDArray[np.float64]]:
    """The rows in parts of at most `most`, in order."""
    return [rows[first : first + most] for first in range(0, len(rows), most)]


def _is_safetensors(file: Path) -> bool:
    return file.suffix == ".safetensors"


def _misfit(file: Path, what: str, where_to_get: str, got: str) -> DataError:
    return DataError(
        "B224",
        f"this file does not hold the weights of {what}",
        where=str(file),
        expected=where_to_get,
        got=quoted(got),
    )
