"""The result is strict JSON, bounded and safe to print, whatever a submission holds."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_submissions import clip_of, write
from pydantic import ValidationError

from vadbench.datasets.findings import Severity
from vadbench.errors import SubmissionError
from vadbench.submission.problems import problem
from vadbench.validation import Validation, validate
from vadbench.validation.findings import MOST_GROUPS, Findings, plain
from vadbench.validation.presentation import (
    MOST_ANNOTATIONS,
    escaped_message,
    escaped_property,
    github_lines,
    text_lines,
    verdict,
)
from vadbench.validation.validation import LARGEST_JSON, Group

HOSTILE = "\x1b[31m::error::x\r\n%0A,\u202e:\ud800\0\x85"


def result_of(errors, *, shown="m", **more):
    findings = Findings(shown)
    for number, error in enumerate(errors):
        findings.add(error, clip_id=f"clip{number}", **more)
    return Validation(
        submission=plain(shown),
        groups=findings.groups(),
        n_errors=findings.number(Severity.ERROR),
        n_warnings=findings.number(Severity.WARNING),
    )


def strict(text):
    def refused(literal):
        raise AssertionError(literal)

    return json.loads(text, parse_constant=refused)


def huge(number):
    """Each with a hint of its own, so that none joins another."""
    text = f"{number} " + "\U0001f600" * 20_000
    return SubmissionError("S112", text, where=("m", text, text), expected=text, got=text, hint=text)


def test_many_and_long_findings_stay_below_the_bound():
    result = result_of(map(huge, range(300)))
    text = result.to_json()
    assert len(text.encode()) < LARGEST_JSON
    assert result.n_errors == 300
    assert 0 < len(result.groups) <= MOST_GROUPS
    assert strict(text)["n_errors"] == 300
    assert Validation.model_validate_json(text) == result
    assert "more findings" in "\n".join(text_lines(result))


def test_many_clips_and_places_of_one_finding_stay_bounded():
    long = "\U0001f600" * 3_000
    findings = Findings("m")
    for number in range(5_000):
        findings.add(problem("S104", where=("m", f"clip {number}{long}", "score_maps")), clip_id=f"{number}{long}")
    (group,) = findings.groups()
    assert (group.count, group.n_clips, len(group.clips), len(group.where)) == (5_000, 5_000, 24, 5)
    assert len(json.dumps(group.model_dump(mode="json"))) < 200_000


def test_many_groups_with_many_clips_stay_below_the_bound():
    long = "\U0001f600" * 300
    findings = Findings("m")
    for kind in range(300):
        for clip in range(30):
            name = f"{clip}{long}"
            error = problem("S104", where=("m", f"clip {name}", f"array {kind}"), hint=f"{kind}")
            findings.add(error, clip_id=name)
    result = Validation(submission="m", groups=findings.groups(), n_errors=findings.number(Severity.ERROR))
    assert len(result.to_json().encode()) < LARGEST_JSON


def test_a_broken_submission_of_many_clips_gives_a_small_result(tmp_path):
    path = write(tmp_path / "m", {"0": {"frame_scores": np.zeros(3)}})
    made = path / "predictions.zarr/0"
    for number in range(1, 200):
        shutil.copytree(made, made.with_name(f"{number}\u20ac" * 12))
        (made.with_name(f"{number}\u20ac" * 12) / f"stranger{number}").write_text("")
    result = validate(path, "ucsd-ped2")
    assert {group.code for group in result.groups} >= {"S102", "S120"}
    assert len(result.to_json()) < 30_000


@settings(max_examples=40)
@given(st.text(max_size=200) | st.just(HOSTILE), st.text(alphabet=HOSTILE + "a", max_size=50))
def test_no_text_reaches_the_output_as_it_is(text, name):
    error = SubmissionError("S112", "m" + text, where=(name, text), expected=text, got=text, hint=text)
    result = result_of([error], shown=name)
    assert strict(result.to_json())
    assert result.to_json().isascii()
    assert Validation.model_validate_json(result.to_json()) == result
    for line in text_lines(result, 60):
        assert line.isprintable()
        assert not line.lstrip().startswith(("::", "##["))
    for line in github_lines(result, file=name):
        assert line.isprintable()
        head, _, rest = line.partition("::")[2].partition("::")
        assert head.split()[0] in {"error", "notice"}
        assert "\n" not in rest
        properties = head.partition(" ")[2].split(",")
        assert [part.partition("=")[0] for part in properties] in (["title"], ["file", "title"])
        assert all(":" not in part for part in properties)


def test_workflow_commands_are_escaped():
    assert escaped_property("a:b,c%d\n::error::") == "a%3Ab%2Cc%25d%0A%3A%3Aerror%3A%3A"
    assert escaped_message("100%\n::error::x\r") == "100%25%0A::error::x\\r"
    assert escaped_message("\x1b[0m\u202e") == "\\x1b[0m\\u202e"


def test_no_line_of_the_text_is_a_workflow_command():
    text = "x ::add-mask::" * 20 + "\n::error::x\n##[error]y"
    lines = list(text_lines(result_of([SubmissionError("S112", text, where="m", got=text, hint=text)]), 24))
    assert not any(line.lstrip().startswith(("::", "##[")) for line in lines)
    assert "            | ::error::x" in lines
    assert "            | ##[error]y" in lines


def test_annotations_are_bounded_and_say_how_many_there_are():
    result = result_of([problem("S112", where=("m",), hint=str(n)) for n in range(MOST_ANNOTATIONS + 7)])
    lines = list(github_lines(result, file="submissions/m/submission.toml"))
    assert len(lines) == MOST_ANNOTATIONS + 2
    assert lines[0].startswith("::error file=submissions/m/submission.toml,title=S112 submission.toml does not")
    assert "7 more findings" in lines[-2]
    assert lines[-1].startswith("::notice ")
    assert lines[-1].endswith("not ok: 57 errors, 0 warnings")
    assert list(github_lines(Validation(submission="m"))) == [
        "::notice title=vadbench validate::m: ok: 0 errors, 0 warnings"
    ]


def test_the_verdict_counts():
    assert verdict(Validation(submission="m", n_errors=1, n_warnings=1)) == "not ok: 1 error, 1 warning"
    assert verdict(Validation(submission="m", n_warnings=2)) == "ok: 0 errors, 2 warnings"


def test_errors_come_first_and_warnings_never_decide():
    findings = Findings("m")
    findings.add(problem("S150", where=("m",)), warn=True, count=3, clips=("01", "02"))
    findings.add(problem("S104", where=("m", "clip 01", "x")), clip_id="01")
    groups = findings.groups()
    assert [(group.code, group.severity, group.count, group.clips) for group in groups] == [
        ("S104", "error", 1, ("01",)),
        ("S150", "warning", 3, ("01", "02")),
    ]
    assert Validation(submission="m", groups=groups[1:], n_warnings=1).exit_code == 0
    assert Validation(submission="m", groups=groups, n_errors=1, n_warnings=1).exit_code == 1


def test_a_text_is_cut_and_shown_with_its_lines():
    assert plain("a\nb\tc\x1b") == "a\nb\\tc\\x1b"
    assert plain("x" * 2_000) == "x" * 999 + "…"


def test_the_schema_says_what_the_result_holds():
    schema = Validation.model_json_schema()
    assert schema["properties"]["format"]["const"] == "vadbench.validation/1"
    assert schema["$defs"]["Group"]["properties"]["severity"]["enum"] == ["error", "warning"]
    assert all("description" in field for field in schema["$defs"]["Group"]["properties"].values())
    with pytest.raises(ValidationError):
        Group(code="104", severity="error", message="m", count=1)
    with pytest.raises(ValidationError):
        Validation.model_validate_json('{"submission": "m", "more": 1}')


def test_the_result_of_one_error():
    result = Validation.of_error("m\x1b", problem("S171", where=("m\x1b",), got="20 s"))
    assert (result.exit_code, result.submission, [group.code for group in result.groups]) == (1, "m\\x1b", ["S171"])


def test_the_schema_of_the_metadata_agrees_with_the_reader(tmp_path):
    import tomllib

    from vadbench.submission.schema import Metadata

    schema = Metadata.model_json_schema()
    assert schema["properties"]["predictions"]["uniqueItems"] is True
    assert schema["properties"]["predictions"]["minItems"] == 1
    method = schema["$defs"]["Method"]
    assert method["properties"]["year"] == {
        "description": "a whole number from 1990 to 2100",
        "maximum": 2100,
        "minimum": 1990,
        "title": "Year",
        "type": "integer",
    }
    assert method["properties"]["name"]["maxLength"] == 500
    assert method["properties"]["frames_per_second"]["anyOf"][0] == {"exclusiveMinimum": 0, "type": "number"}
    assert method["dependentRequired"]["hardware"] == ["frames_per_second"]
    path = write(tmp_path / "m", {"01": clip_of()})
    table = tomllib.loads(Path(path / "submission.toml").read_text())
    assert table.keys() <= schema["properties"].keys()
    assert set(schema["required"]) <= table.keys()
