"""Imports point inward, and files stay small enough to read."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from trusted import MODULES, imports, lines, trusted

# Room by room what it may import; a room sees itself.  Every room is here: a new one is added in its place.
SEES: dict[str, set[str]] = {
    "core": {"checker"},  # which imports nothing
    "clock": {"core"},
    "checker": set(),
    "numbers": {"core", "clock"},
    "prove": {"core", "clock", "numbers"},
    "network": {"core", "prove"},
    "witness": {"core"},
    "read": {"core", "clock", "network"},
    "gradients": {"core", "clock", "numbers", "prove", "read"},
    "decide": {"core", "clock", "numbers", "prove", "read"},
    "repair": {"core", "clock", "numbers", "prove", "read", "decide", "write"},
    "write": {"core", "numbers", "prove", "network", "read", "gradients", "decide", "files"},
    "functions": {"core", "clock", "numbers", "prove", "read", "gradients", "decide", "repair", "write"},
    "documents": {"core", "clock", "numbers", "prove", "read", "decide", "repair", "write"},
    "serve": {"core", "clock", "decide", "documents", "functions", "read", "write"},
    "train": {"core", "network", "write", "files"},
    "files": {"core"},
    "story": {"core", "files", "functions", "gradients", "network", "prove", "read", "write"},
}
# The outside of the house: these see everything.
OUTSIDE = {"commands", "cli", "pytest_plugin", "__main__", "__init__"}
TRUSTED, ANY_FILE = 2555, 400  # lines
CHECKER = 1588  # lines: one file on purpose
WITNESSES = ("symbackprop.witness.network", "symbackprop.witness.explicit")


def room_of(module: str) -> str:
    parts = module.split(".")
    room = parts[1] if len(parts) > 1 else "__init__"
    assert room in SEES or room in OUTSIDE, f"{room} is no room that the table knows"
    return room


def outward(module: str, path: Path) -> list[str]:
    room = room_of(module)
    if room in OUTSIDE:
        return []
    targets = [target for target in imports(module, path) if target.split(".")[0] == "symbackprop"]
    seen = SEES[room] | {room}
    return [f"{module} imports {t}" for t in targets if t != "symbackprop" and room_of(t) not in seen]


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_inward(module: str) -> None:
    assert outward(module, MODULES[module]) == []


@pytest.mark.parametrize("module", [m for m in MODULES if room_of(m) == "core"])
def test_core_stands_on_the_standard_library_alone(module: str) -> None:
    roots = {target.split(".")[0] for target in imports(module, MODULES[module])}
    assert roots - sys.stdlib_module_names <= {"symbackprop"}


@pytest.mark.parametrize("module", WITNESSES)
def test_the_witness_is_independent(module: str) -> None:
    """The explicit networks may share an error class with the prover, and nothing else."""
    shared = {t for t in imports(module, MODULES[module]) if t in MODULES and room_of(t) in {"core", "prove"}}
    assert shared <= {"symbackprop.core.terms"}
    names = {
        alias.name
        for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "symbackprop.core.terms"
        for alias in node.names
    }
    assert names <= {"SymbackpropError"}


def circles(graph: Mapping[str, Iterable[str]]) -> set[frozenset[str]]:
    """The sets of modules that import each other, directly or by way of others."""
    left = {m: set(graph[m]) for m in graph}
    while done := {m for m, targets in left.items() if not targets & left.keys()}:  # what imports none of the rest
        left = {m: targets for m, targets in left.items() if m not in done}
    reached: dict[str, set[str]] = {}
    for start in left:
        found, pending = set[str](), [start]
        while pending:
            for target in left.get(pending.pop(), ()):
                if target not in found:
                    found.add(target)
                    pending.append(target)
        reached[start] = found
    return {frozenset(n for n in reached[m] if m in reached.get(n, ())) for m in left if m in reached[m]}


def test_no_file_imports_itself_by_way_of_others() -> None:
    """Imports for the type checker and those inside functions count too."""
    graph = {m: [t for t in imports(m, path) if t in MODULES and t != m] for m, path in MODULES.items()}
    assert circles(graph) == set()


def test_a_circle_is_found() -> None:
    assert circles({"a": ["b"], "b": ["c"], "c": ["b"], "d": ["a"]}) == {frozenset("bc")}


def test_an_outward_arrow_is_found(tmp_path: Path) -> None:
    culprit = tmp_path / "culprit.py"
    for text in (
        "import symbackprop.prove.search",
        "from symbackprop.prove import search",
        "from ..prove.search import find",
        "from .. import prove",
        "def f():\n    from symbackprop import cli",
    ):
        culprit.write_text(text)
        targets = list(imports("symbackprop.core.culprit", culprit))
        assert any(room_of(t) not in {"core"} and t.startswith("symbackprop") for t in targets), text


def test_the_trusted_lines_are_few() -> None:
    assert sum(trusted().values()) <= TRUSTED
    writers = {f"symbackprop.core.{name}" for name in ("show", "certificate", "kernel", "rows")}
    assert writers.isdisjoint(trusted())


@pytest.mark.parametrize("module", MODULES)
def test_files_are_small(module: str) -> None:
    assert lines(MODULES[module]) <= (CHECKER if module == "symbackprop.checker.recheck" else ANY_FILE)
