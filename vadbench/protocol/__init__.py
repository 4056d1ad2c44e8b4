"""Protocols: every choice that changes a number, their presets, the signature, and words for all of them."""

from vadbench.protocol.explanation import EXPLANATIONS, FieldExplanation
from vadbench.protocol.presets import preset_names, preset_title
from vadbench.protocol.protocol import Protocol, value_text
from vadbench.protocol.signature import Signature

__all__ = [
    "EXPLANATIONS",
    "FieldExplanation",
    "Protocol",
    "Signature",
    "preset_names",
    "preset_title",
    "value_text",
]
