"""The arrows of architecture.md: imports point left, siblings do not meet, and importing the package costs nothing.

What counts: every import of a module of ``vadbench``, at the top, inside a function, or relative. Imports under
``if TYPE_CHECKING`` are exempt: they are read by type checkers alone and create no dependency when a program runs.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

LEVELS: tuple[tuple[str, ...], ...] = (
    ("version",),
    ("errors",),
    ("inert_text", "interruptions"),
    ("choices", "command_line"),
    ("boxes", "kernels"),
    ("masks",),
    ("truth",),
    ("prediction",),
    ("statistics",),
    ("metrics",),
    ("protocol",),
    ("datasets", "submission"),
    ("validation",),
    ("evaluation",),
    ("conversion", "comparison", "entries", "tables", "plots"),
    ("overlay", "failures"),
    ("cli",),
)
"""Rooms from left to right; a room may import those of levels before its own, and itself."""

RANKS = {room: rank for rank, rooms in enumerate(LEVELS) for room in rooms}

BETWEEN_SIBLINGS = {("submission", "vadbench.datasets.base")}
"""A submission is checked against a `Dataset` and its `Clip`s: the interface, and no reader of a data set."""

HEAVY = (
    *("pandas", "scipy", "sklearn", "numba", "zarr", "numcodecs", "matplotlib", "torch", "pydantic", "rich", "PIL"),
    *("distributed", "fsspec", "s3fs", "aiohttp", "botocore"),
)


def under_type_checking(node: ast.If) -> bool:
    test = node.test
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def imported(tree: ast.AST, module: str, *, package: bool) -> Iterator[str]:
    """Full names of the modules that a module imports; of ``from a import b`` both ``a`` and ``a.b``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and under_type_checking(node):
            for other in node.orelse:
                yield from imported(ast.Module([other], []), module, package=package)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                parts = parts[: len(parts) - node.level + package]
                base = ".".join([*parts, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        else:
            yield from imported(node, module, package=package)


def wrong_imports(module: str, source: str, *, package: bool = False) -> list[str]:
    """Imports of a module of the package that do not point left."""
    room = module.split(".")[1] if "." in module else ""
    wrong = []
    for name in sorted(set(imported(ast.parse(source), module, package=package))):
        top, *rest = name.split(".")
        if top in {"baselines", "leaderboard", "tests"}:
            wrong.append(f"{module} imports {name}")
        if top != "vadbench" or not room:
            continue
        other = rest[0] if rest else ""
        if other not in RANKS:
            # `from vadbench import evaluate` inside the package goes round the arrows.
            wrong.append(f"{module} imports {name}, which is no room")
        elif other != room and RANKS[other] >= RANKS[room] and not between_siblings(room, name):
            wrong.append(f"{module} imports {name}")
    return wrong


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def between_siblings(room: str, name: str) -> bool:
    return any(room == sibling and f"{name}.".startswith(f"{home}.") for sibling, home in BETWEEN_SIBLINGS)


def each_of(paths: list[Path]) -> list[Any]:
    """Parameters of a test of each module."""
    return [pytest.param(path, id=module_name(path)) for path in paths]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", each_of(modules("vadbench")))
def test_imports_point_left(path: Path) -> None:
    source = path.read_text("utf-8")
    assert wrong_imports(module_name(path), source, package=path.name == "__init__.py") == []


def test_every_module_has_a_place() -> None:
    rooms = {module_name(path).split(".")[1] for path in modules("vadbench") if module_name(path) != "vadbench"}
    assert rooms <= set(RANKS)


PRIVATE = "baselines may import vadbench's public names only"


def private_imports(source: str) -> list[str]:
    """What is imported of ``vadbench`` beside its public names and its modules of array functions."""
    import vadbench

    allowed = {"vadbench", *(f"vadbench.{name}" for name in dir(vadbench))}
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] == "vadbench" and a.name not in allowed]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] == "vadbench":
            module = node.module or ""
            if module == "vadbench":
                found += [f"vadbench.{a.name}" for a in node.names if f"vadbench.{a.name}" not in allowed]
            elif module in allowed:
                home = __import__(module, fromlist=["_"])
                public = getattr(home, "__all__", [name for name in vars(home) if not name.startswith("_")])
                found += [f"{module}.{a.name}" for a in node.names if a.name not in public]
            else:
                found.append(module)
    return found


@pytest.mark.parametrize("path", each_of([*modules("baselines"), *modules("leaderboard")]))
def test_other_packages_use_public_names_only(path: Path) -> None:
    assert private_imports(path.read_text("utf-8")) == [], PRIVATE


VIOLATIONS = {
    "to the right": ("vadbench.metrics.pixel", "from vadbench.protocol import Protocol"),
    "inside a function": ("vadbench.boxes", "def f():\n    import vadbench.truth"),
    "relative": ("vadbench.truth", "from .prediction import Detections"),
    "relative from a package": ("vadbench.statistics.pixels", "from ..metrics import pixel"),
    "through the front door": ("vadbench.evaluation.clip", "from vadbench import evaluate"),
    "front door as a module": ("vadbench.evaluation.clip", "import vadbench"),
    "sibling": ("vadbench.datasets.base", "from vadbench.submission.reader import Submission"),
    "sibling's reader": ("vadbench.submission.reader", "from vadbench.datasets.ucsd import Ped2"),
    "same level": ("vadbench.tables", "import vadbench.plots.maps"),
    "another package": ("vadbench.cli.score", "import baselines.tao"),
    "else of type checking": ("vadbench.boxes", "if TYPE_CHECKING:\n    pass\nelse:\n    import vadbench.truth"),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_the_check_sees_a_violation(name: str) -> None:
    assert wrong_imports(*VIOLATIONS[name])


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("vadbench.evaluation.clip", "from vadbench.metrics import pixel\nimport numpy"),
        ("vadbench.boxes", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from vadbench.truth import Track"),
        ("vadbench.submission.reader", "from vadbench.datasets.base import Clip, Dataset"),
        ("vadbench.statistics.pixels", "from .scores import ScoreCounts"),
    ],
)
def test_the_check_lets_right_imports_pass(module: str, source: str) -> None:
    assert wrong_imports(module, source) == []


def test_private_names_are_seen() -> None:
    assert private_imports("from vadbench.evaluation.evaluate import evaluate\nfrom vadbench import _HOMES") != []
    assert private_imports("import vadbench\nfrom vadbench import evaluate\nfrom vadbench.metrics import rbdc") == []


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sorted(sys.modules), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_importing_the_package_loads_numpy_at_most() -> None:
    assert loaded_by("import vadbench").isdisjoint(HEAVY)
    assert loaded_by("import vadbench.metrics").isdisjoint(HEAVY)


def test_the_check_of_loaded_packages_can_fail() -> None:
    assert "scipy" in loaded_by("import vadbench, scipy")
