"""Stage 3: of the anomalous boxes, those that persist, with a label for each object.

Source: TAO, section 3.2 and Algorithm 1; tao.md, "The method".
"""

from baselines.tao.filtering.filter import filter_boxes
from baselines.tao.filtering.merging import keep_anomalous, merge_boxes
from baselines.tao.filtering.objects import object_boxes
from baselines.tao.filtering.settings import RELEASED, FilterSettings, Inherit, Reading

__all__ = [
    "RELEASED",
    "FilterSettings",
    "Inherit",
    "Reading",
    "filter_boxes",
    "keep_anomalous",
    "merge_boxes",
    "object_boxes",
]
