"""No case of the shared files is left out: each metric is asked for by a test, and each file is read."""

from __future__ import annotations

import ast
import json
from pathlib import Path

from cases import CASES, cases

HERE = Path(__file__).parent


def metrics_in_tests(sources: list[str]) -> set[str]:
    """Metrics that some decorator ``parametrize(..., cases("metric", ...))`` asks for."""
    found: set[str] = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                for call in (part for decorator in node.decorator_list for part in ast.walk(decorator)):
                    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "cases":
                        found |= {arg.value for arg in call.args if isinstance(arg, ast.Constant)}
    return found


def test_every_metric_of_the_case_files_is_exercised() -> None:
    written = [case for path in CASES.glob("*.json") for case in json.loads(path.read_text("utf-8"))["cases"]]
    asked = metrics_in_tests([path.read_text("utf-8") for path in HERE.glob("test_*.py")])
    assert {case["metric"] for case in written} == asked
    assert sorted(case["id"] for case in written) == sorted(case["id"] for case in cases(*asked))
    assert len({case["id"] for case in written}) == len(written) >= 172


def test_the_check_sees_a_metric_that_no_test_asks_for() -> None:
    source = '@pytest.mark.parametrize("case", cases("pixel"))\ndef test(case): ...\ncases("aupro")\n'
    assert metrics_in_tests([source]) == {"pixel"}
