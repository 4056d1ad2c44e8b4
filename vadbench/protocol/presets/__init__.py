"""The shipped protocols, one complete TOML file each."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from vadbench.errors import ProtocolError, did_you_mean, quoted
from vadbench.protocol.protocol import Protocol

_NAMES = ("standard", "tao-release", "aed-2021")


def preset_names() -> tuple[str, ...]:
    """Names of the presets, in the order of protocols.md, "Presets"."""
    return _NAMES


def preset_title(name: str) -> str:
    """What the preset is, in one line."""
    return str(_read(name)["title"])


@cache
def load_preset(name: str) -> Protocol:
    """Protocol of that name; raises `ProtocolError` P110 with the nearest name."""
    groups = {key: value for key, value in _read(name).items() if key != "title"}
    return Protocol.from_values(
        {f"{group}.{key}": value for group, own in groups.items() for key, value in own.items()}
    )


@cache
def _read(name: str) -> dict[str, dict[str, object]]:
    if name not in _NAMES:
        raise ProtocolError("P110", f"there is no protocol {quoted(name)}", hint=did_you_mean(name, _NAMES))
    return tomllib.loads(resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
