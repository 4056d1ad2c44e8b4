"""Keys of the metrics and their titles in tables, which follow from the protocol.

Source: protocols.md, "Names and printing".
"""

from __future__ import annotations

from collections.abc import Sequence

from vadbench.errors import UsageError, did_you_mean, quoted
from vadbench.protocol.protocol import Aupro, PixelProtocol, Protocol, number_text

PIXEL_METRICS = ("pixel_auroc", "pixel_ap", "pixel_aupro", "pixel_f1")
OBJECT_METRICS = ("rbdc", "tbdc")
FRAME_METRICS = ("frame_auroc_micro", "frame_auroc_macro")
METRICS = (*PIXEL_METRICS, *OBJECT_METRICS, *FRAME_METRICS)
"""Keys of the eight metrics, in the order of tables."""

DECLARED = "pixel_f1_declared"
"""Key of the ninth, which only a submission with a declared threshold has; it comes with ``pixel_f1``."""


def metric_titles(protocol: Protocol) -> dict[str, str]:
    """Title of every metric under a protocol, by key, in the order of tables."""
    pixel = protocol.pixel
    aupro = "Pixel-AUPRO"
    if pixel.aupro is Aupro.PR_TRAPEZOID:
        aupro = "PR-AUC"
    elif pixel.fpr_limit != PixelProtocol().fpr_limit:
        aupro = f"Pixel-AUPRO@{number_text(pixel.fpr_limit)}"
    f1 = "Pixel-F1" if pixel.f1.threshold is None else f"Pixel-F1@{number_text(pixel.f1.threshold)}"
    return {
        "pixel_auroc": "Pixel-AUROC",
        "pixel_ap": "Pixel-AP",
        "pixel_aupro": aupro,
        "pixel_f1": f1,
        DECLARED: "Pixel-F1 (declared)",
        "rbdc": "RBDC",
        "tbdc": "TBDC",
        "frame_auroc_micro": "Frame-AUROC (micro)",
        "frame_auroc_macro": "Frame-AUROC (macro)",
    }


def chosen_metrics(names: str | Sequence[str]) -> tuple[str, ...]:
    """Keys of the metrics asked for, in the order of tables.

    Parameters
    ----------
    names : str or sequence of str
        ``all``, one key, or several keys.

    Raises
    ------
    UsageError
        U120 for an unknown key, with the nearest one.
    """
    wanted = [names] if isinstance(names, str) else list(names)
    if wanted == ["all"]:
        return METRICS
    for name in wanted:
        if name not in METRICS:
            raise UsageError("U120", f"there is no metric {quoted(name)}", hint=did_you_mean(name, (*METRICS, "all")))
    return tuple(key for key in METRICS if key in wanted)
