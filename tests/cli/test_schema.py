"""``vadbench schema``: what is written fits its schema, and what is wrong does not."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from vadbench.cli import main
from vadbench.cli.schema import json_schema

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def instance_of(
    submission: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], dict[str, Any]]:
    """Give a real instance of a format."""

    def instance(name: str) -> dict[str, Any]:
        if name == "submission":
            return tomllib.loads((submission / "submission.toml").read_text("utf-8"))
        if name == "report":
            path = tmp_path / "report.json"
            assert main(["score", str(submission), "--root", str(data), "--report", str(path)]) == 0
            capsys.readouterr()
            return dict(json.loads(path.read_text("utf-8")))
        if name == "statistics":
            path = tmp_path / "report.json"
            assert main(["score", str(submission), "--root", str(data), "--report", str(path), "--statistics"]) == 0
            capsys.readouterr()
            return dict(json.loads((tmp_path / "statistics.json").read_text("utf-8")))
        assert main(["validate", str(submission), "--json"]) == 0
        return dict(json.loads(capsys.readouterr().out))

    return instance


@pytest.mark.parametrize("name", ["submission", "report", "statistics", "validation"])
def test_a_schema_is_one_and_holds_what_is_written(
    name: str, instance_of: Callable[[str], dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    instance = instance_of(name)
    assert main(["schema", name]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == json_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:vadbench:{name}:1"
    assert schema["title"].startswith(f"vadbench.{name}/1")
    jsonschema.Draft202012Validator(schema).validate(instance)


def remove(*steps: str) -> Change:
    def change(value: dict[str, Any]) -> None:
        for step in steps[:-1]:
            value = value[step]
        del value[steps[-1]]

    return change


def put(*steps: str, value: object) -> Change:
    def change(content: dict[str, Any]) -> None:
        for step in steps[:-1]:
            content = content[step]
        content[steps[-1]] = value

    return change


WRONG: list[tuple[str, str, Change]] = [
    ("submission", "no format", remove("format")),
    ("submission", "another format", put("format", value="vadbench.submission/2")),
    ("submission", "an unknown key", put("extra", value=1)),
    ("submission", "an unknown key in a table", put("method", "extra", value=1)),
    ("submission", "no method", remove("method")),
    ("submission", "no name", remove("method", "name")),
    ("submission", "an early year", put("method", "year", value=1969)),
    ("submission", "a year as text", put("method", "year", value="2026")),
    ("submission", "an unknown kind", put("predictions", value=["heat"])),
    ("submission", "no kind", put("predictions", value=[])),
    ("submission", "a kind twice", put("predictions", value=["score_maps", "score_maps"])),
    ("submission", "an unknown supervision", put("training", "supervision", value="none")),
    ("submission", "a threshold as text", put("score_maps", "threshold", value="high")),
    ("submission", "half a digest", put("files", value={"url": "https://example.org/x.zip", "sha256": "00"})),
    ("report", "no format", remove("format")),
    ("report", "no signature", remove("signature")),
    ("report", "a score as text", put("scores", "rbdc", "value", value="0.5")),
    ("report", "an unknown key", put("extra", value=1)),
    ("statistics", "no format", remove("format")),
    ("statistics", "no clips", put("clips", value=[])),
    ("statistics", "half a pixel", put("pixels", "components", value=[0.5])),
    ("statistics", "an unknown key", put("extra", value=1)),
    ("validation", "no format", remove("format")),
    ("validation", "another format", put("format", value="x")),
    ("validation", "an unknown key", put("extra", value=1)),
]


@pytest.mark.parametrize(("name", "fault", "change"), WRONG, ids=[f"{name}: {fault}" for name, fault, _ in WRONG])
def test_what_is_wrong_does_not_fit(
    name: str, fault: str, change: Change, instance_of: Callable[[str], dict[str, Any]]
) -> None:
    instance = instance_of(name)
    validator = jsonschema.Draft202012Validator(json_schema(name))
    assert validator.is_valid(instance)
    change(instance)
    assert not validator.is_valid(instance), fault


def test_an_unknown_format_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "html"]) == 2
    assert capsys.readouterr().err.startswith("error[U100]")
