"""Embeddings of crops by networks with weights: any classifier of torchvision, any model of timm.

Source: tao.md, section 3 (deep): CLIP ViT-B/16 of the crop. CLIP's vision towers are models of timm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.tao.extras import required
from baselines.tao.frame_views import FrameView
from baselines.tao.scoring.attributes import Attribute, Boxes, Features
from baselines.tao.scoring.networks import (
    NetworkInput,
    fill_network,
    in_batches,
    inference,
    prepared_crops,
    read_weights,
    ready_network,
    weights_file,
)
from baselines.tao.scoring.settings import EmbeddingKind, ScoringSettings
from vadbench import UsageError
from vadbench.errors import did_you_mean, quoted

_BATCH = 64
_HEADS = ("fc", "classifier", "heads", "head")
"""Names under which the classifiers of torchvision keep their last part."""

_EXAMPLES = {EmbeddingKind.TORCHVISION: "resnet50", EmbeddingKind.TIMM: "vit_base_patch16_clip_224.openai"}


class NetworkEmbedding:
    """What a network without its classifying head says of the crop of a box.

    Parameters
    ----------
    network : torch.nn.Module
        Takes (N, 3, H, W) float32, gives (N, …).
    network_input : NetworkInput
    device : str
        Where the network is.
    """

    needs_flow = False

    def __init__(self, network: Any, network_input: NetworkInput, device: str) -> None:
        self._network, self._input, self._device = network, network_input, device
        self._torch = required("torch", install="torch")
        self._length = self._embedded(np.zeros((1, 3, network_input.height, network_input.width), np.float32)).shape[1]

    def measure(self, view: FrameView, boxes: Boxes) -> Features:
        """Embedding of each box, (N, D); raises `UsageError` B226 where the memory of the device is too small."""
        parts = [self._embedded(prepared_crops(view.image, part, self._input)) for part in in_batches(boxes, _BATCH)]
        return np.concatenate([np.empty((0, self._length)), *parts])

    def _embedded(self, crops: NDArray[np.float32]) -> Features:
        with inference(self._device):
            output = self._network(self._torch.from_numpy(crops).to(self._device))
            return np.asarray(output.flatten(1).double().cpu().numpy())


def make_network_embedding(settings: ScoringSettings) -> Attribute:
    """Embedding by the network that the settings name, with the weights of its file.

    Parameters
    ----------
    settings : ScoringSettings
        With the embedding ``torchvision`` or ``timm``; its `embedding_model`, `embedding_weights`, `device`.

    Raises
    ------
    UsageError
        B223 without a file of weights or a name of a model, B203 without the packages, B225 for an unknown model,
        B226 for a device that is not there.
    DataError
        B224 for weights of another model.

    Notes
    -----
    All heads are taken off: of a model of CLIP also the projection into the space that it shares with texts.
    """
    return _of_torchvision(settings) if settings.embedding is EmbeddingKind.TORCHVISION else _of_timm(settings)


def where_to_get(settings: ScoringSettings) -> str:
    """The words that say how to get the weights of an embedding."""
    model = settings.embedding_model or _EXAMPLES[settings.embedding]
    if settings.embedding is EmbeddingKind.TORCHVISION:
        return f"the .pth file that torchvision's documentation names for {model}, under Models and pre-trained weights"
    return f"model.safetensors or pytorch_model.bin of huggingface.co/timm/{model}, as timm names its models"


def _of_torchvision(settings: ScoringSettings) -> Attribute:
    what, file, words = _asked_for(settings)
    torch, models = _package("torch"), _package("torchvision").models
    if settings.embedding_model not in models.list_models(module=models):
        raise _unknown(settings, models.list_models(module=models))
    network = models.get_model(settings.embedding_model, weights=None)
    fill_network(network, read_weights(file, what=what, where_to_get=words), file, what=what, where_to_get=words)
    for name in _HEADS:
        if hasattr(network, name):
            setattr(network, name, torch.nn.Identity())
    preset = models.get_model_weights(settings.embedding_model).DEFAULT.transforms()
    side = int(preset.crop_size[0])
    wanted = NetworkInput(side, side, tuple(preset.mean), tuple(preset.std))
    return NetworkEmbedding(ready_network(network, settings.device), wanted, settings.device)


def _of_timm(settings: ScoringSettings) -> Attribute:
    what, file, words = _asked_for(settings)
    timm = _package("timm")
    # Other names, of places to download from, are not models that timm has.
    if not timm.is_model(settings.embedding_model):
        raise _unknown(settings, timm.list_models())
    try:
        network = timm.create_model(settings.embedding_model, pretrained=False, num_classes=0)
    except RuntimeError as error:
        raise _unknown(settings, timm.list_models()) from error
    weights = read_weights(file, what=what, where_to_get=words)
    weights = without_head(weights, network.pretrained_cfg, network.state_dict())
    fill_network(network, weights, file, what=what, where_to_get=words)
    config = _package("timm.data").resolve_model_data_config(network)
    _, height, width = config["input_size"]
    wanted = NetworkInput(int(height), int(width), tuple(config["mean"]), tuple(config["std"]))
    return NetworkEmbedding(ready_network(network, settings.device), wanted, settings.device)


def without_head(weights: Mapping[str, Any], config: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Weights of a model of timm without those of its classifier.

    Parameters
    ----------
    weights : mapping from str to tensor
    config : mapping
        Configuration of the model; its ``classifier`` names the head, or several.
    kept : mapping from str to tensor
        Weights that the network has without a head; they stay whatever they are called.
    """
    named = config.get("classifier") or ()
    heads = (named,) if isinstance(named, str) else tuple(named)
    return {
        name: value
        for name, value in weights.items()
        if name in kept or not any(name.startswith(f"{head}.") for head in heads)
    }


def _asked_for(settings: ScoringSettings) -> tuple[str, Any, str]:
    """What the embedding is called, the file of its weights, and where to get them."""
    if not settings.embedding_model:
        raise UsageError(
            "B223",
            f"the embedding {settings.embedding} needs the name of a model",
            hint=f"say it as scoring.embedding_model in the settings, such as {_EXAMPLES[settings.embedding]}",
        )
    what, words = f"{settings.embedding_model} ({settings.embedding})", where_to_get(settings)
    file = weights_file(
        settings.embedding_weights,
        setting="scoring.embedding_weights",
        what=f"the embedding {what}",
        where_to_get=words,
    )
    return what, file, words


def _package(module: str) -> Any:
    install = "timm" if module.startswith("timm") else "torch torchvision"
    return required(module, install=install)


def _unknown(settings: ScoringSettings, known: list[str]) -> UsageError:
    return UsageError(
        "B225",
        f"{settings.embedding} has no model of that name",
        got=quoted(settings.embedding_model),
        hint=did_you_mean(settings.embedding_model, known),
    )
