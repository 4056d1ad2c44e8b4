"""What the stages need, looked at before the first of them begins: packages, files of weights, devices.

The stages say all of this themselves, but the last of them hours later. What only reading a file can tell, such as
weights of another model, is still left to them.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib.util import find_spec

from baselines.tao.extras import required
from baselines.tao.scoring.settings import AttributeKind, EmbeddingKind, ScoringSettings
from baselines.tao.settings import TaoSettings
from baselines.tao.stages import Stage
from vadbench import UsageError

_PACKAGES = {Stage.SCORE: ("cv2", "sklearn"), Stage.SEGMENT: ("cv2",)}


def check_requirements(settings: TaoSettings, stages: Collection[Stage]) -> None:
    """Raise what the stages would raise when their turn comes; detection says so itself, being the first.

    Parameters
    ----------
    settings : TaoSettings
    stages : collection of Stage
        Those that will run.

    Raises
    ------
    UsageError
        B203 if a package is missing, B223 if weights of the scoring are not given or not there, B226 for a device of
        the scoring that is not there; B230, B231, B234 the same of SAM2.
    DataError
        B232 if the checkpoint has another SHA-256 than given.
    """
    if Stage.SCORE in stages:
        _require_packages(_PACKAGES[Stage.SCORE])
        _check_scoring(settings.scoring)
    if Stage.SEGMENT in stages:
        if settings.segmentation.is_fitted:
            _require_packages(_PACKAGES[Stage.SEGMENT])
        else:
            _check_sam2(settings)


def _require_packages(names: Collection[str]) -> None:
    for name in names:
        # Found, not loaded: results of a stage may be there, and then it loads nothing.
        if find_spec(name) is None:
            required(name, extra="tao")


def _check_scoring(settings: ScoringSettings) -> None:
    packages = []
    if AttributeKind.DEEP in settings.attributes:
        if settings.embedding is EmbeddingKind.HOG:
            _require_packages(("skimage",))
        else:
            _check_embedding(settings)
            packages.append("timm" if settings.embedding is EmbeddingKind.TIMM else "torchvision")
    if AttributeKind.POSE in settings.attributes:
        from baselines.tao.scoring.networks import weights_file

        weights_file(
            settings.pose_weights,
            setting="scoring.pose_weights",
            what="the attribute pose",
            where_to_get="the weights of Keypoint R-CNN R50-FPN that torchvision's documentation names",
        )
        packages.append("torchvision")
    if packages:
        from baselines.tao.scoring.networks import ready_network

        torch = required("torch", install="torch torchvision")
        for name in packages:
            if find_spec(name) is None:
                required(name, install="timm" if name == "timm" else "torch torchvision")
        # A layer that draws no random numbers, so that nothing after it computes otherwise.
        ready_network(torch.nn.BatchNorm1d(1), settings.device)


def _check_embedding(settings: ScoringSettings) -> None:
    from baselines.tao.scoring.network_embeddings import where_to_get
    from baselines.tao.scoring.networks import weights_file

    if not settings.embedding_model:
        raise UsageError(
            "B223",
            f"the embedding {settings.embedding} needs the name of a model",
            hint="say it as scoring.embedding_model in the settings",
        )
    weights_file(
        settings.embedding_weights,
        setting="scoring.embedding_weights",
        what=f"the embedding {settings.embedding_model} ({settings.embedding})",
        where_to_get=where_to_get(settings),
    )


def _check_sam2(settings: TaoSettings) -> None:
    from baselines.tao.segmentation.checkpoints import checkpoint_file
    from baselines.tao.segmentation.sam2_predictor import chosen_device, require_sam2

    require_sam2()
    chosen_device(settings.segmentation.sam2)
    checkpoint_file(settings.segmentation.sam2)
