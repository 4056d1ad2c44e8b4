"""The attribute "deep": what a box looks like, as an embedding of its crop.

Source: tao.md, section 3 (deep). Without weights the embedding is a histogram of oriented gradients.
"""

from __future__ import annotations

import numpy as np

from baselines.tao.extras import opencv, required
from baselines.tao.frame_views import FrameView
from baselines.tao.pixel_windows import pixel_windows
from baselines.tao.scoring.attributes import Attribute, Boxes, Features
from baselines.tao.scoring.settings import EmbeddingKind, ScoringSettings


class HogEmbedding:
    """Histograms of oriented gradients of the grey crop, resized to one size (scikit-image).

    Parameters
    ----------
    size : int
        Side of the resized crop in pixels.
    cell : int
        Side of a cell in pixels; nine directions each, normalised in blocks of 2 by 2 cells.
    """

    needs_flow = False

    def __init__(self, size: int = 32, cell: int = 8) -> None:
        self._size, self._cell = size, cell

    def measure(self, view: FrameView, boxes: Boxes) -> Features:
        """Embedding of each box, (N, 9 · 2 · 2 · B²), where B blocks fit in a row; (N, 324) for the defaults."""
        cv2, feature = opencv(), required("skimage.feature", extra="tao")
        rows = [
            feature.hog(
                cv2.resize(view.grey[window], (self._size, self._size), interpolation=cv2.INTER_AREA),
                orientations=9,
                pixels_per_cell=(self._cell, self._cell),
                cells_per_block=(2, 2),
            )
            for window in pixel_windows(boxes, view.grey.shape)
        ]
        return np.asarray(rows, dtype=np.float64).reshape(len(boxes), 36 * (self._size // self._cell - 1) ** 2)


def make_embedding(settings: ScoringSettings) -> Attribute:
    """Embedding that the settings name; raises as `make_network_embedding` does if it needs weights."""
    if settings.embedding is EmbeddingKind.HOG:
        return HogEmbedding()
    from baselines.tao.scoring.network_embeddings import make_network_embedding

    return make_network_embedding(settings)
