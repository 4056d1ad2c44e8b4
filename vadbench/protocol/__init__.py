"""Protocols: every choice that changes a number, their presets, the signature, and words for all of them."""

from vadbench.protocol.protocol import Protocol
from vadbench.protocol.signature import Signature

__all__ = ["Protocol", "Signature"]
