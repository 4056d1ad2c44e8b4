"""The signature: data, tracks, protocol and version of a score on one line, to be printed and read back.

Source: protocols.md, "Signature".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vadbench.errors import ProtocolError, quoted
from vadbench.protocol.protocol import Protocol

DEFINITIONS = 1
"""Version of the definitions: moves when any number of any protocol could move, and only then."""

_HEX = r"[0-9a-f]{8}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_LINE = re.compile(
    rf"vadbench/(?P<definitions>\d+)\|data=(?P<dataset>{_NAME}):(?P<data>{_HEX})"
    rf"\|tracks=(?P<tracks>{_NAME}(?::{_HEX})?)\|protocol=(?P<protocol>[^|]+)\|v=(?P<version>[^|\s]+)"
)


@dataclass(frozen=True)
class Signature:
    """What a score is a score of.

    Parameters
    ----------
    dataset : str
        Id of the data set.
    data_fingerprint : str
        First 8 hex digits of the fingerprint of its truth.
    tracks : str
        ``mask-overlap``, or the format of the track files and 8 hex digits of their fingerprint: ``aed:90cc4e01``.
    protocol : Protocol
    version : str
        Of the program, for the record only.
    definitions : int
        Version of the definitions.
    """

    dataset: str
    data_fingerprint: str
    tracks: str
    protocol: Protocol
    version: str
    definitions: int = DEFINITIONS

    def __str__(self) -> str:
        """Give the line."""
        return (
            f"vadbench/{self.definitions}|data={self.dataset}:{self.data_fingerprint}|tracks={self.tracks}"
            f"|protocol={self.protocol}|v={self.version}"
        )

    @classmethod
    def parse(cls, line: str) -> Signature:
        """Read a line back; raises `ProtocolError` P120 where it is none."""
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ProtocolError(
                "P120",
                "this is not a signature",
                expected="vadbench/1|data=ID:HEX8|tracks=SOURCE|protocol=NAME|v=VERSION",
                got=quoted(line),
            )
        return cls(
            dataset=match["dataset"],
            data_fingerprint=match["data"],
            tracks=match["tracks"],
            protocol=Protocol.parse(match["protocol"]),
            version=match["version"],
            definitions=int(match["definitions"]),
        )

    def comparable(self, other: Signature) -> bool:
        """Whether two scores may stand in one ranking: everything but the program's version is equal."""
        return self._compared() == other._compared()

    def _compared(self) -> tuple[object, ...]:
        return self.definitions, self.dataset, self.data_fingerprint, self.tracks, self.protocol
