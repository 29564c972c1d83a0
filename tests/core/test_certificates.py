"""The independent checker: it stands alone, accepts what the kernel proves, and refuses what the kernel refuses."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import certificates
import forgeries
import pytest
import theorem_forgeries
from kernel_account import argued

from symbackprop import cli
from symbackprop.checker import recheck as checker
from symbackprop.checker.recheck import Certificate, Refused, Theorem, recheck
from symbackprop.core.certificate import certificate
from symbackprop.core.context import Statement
from symbackprop.core.kernel import Linear
from symbackprop.core.reasons import Argument, Given, Point
from symbackprop.core.terms import ONE, ProofError
from symbackprop.functions.checks import check_gradient

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "certificates.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
SOURCE = Path(checker.__file__)
LINES = 1436  # that are not blank


def example() -> Any:
    return json.loads(EXAMPLES[0])


def test_the_checker_is_one_file_of_the_standard_library() -> None:
    imported = set()
    for statement in ast.walk(ast.parse(SOURCE.read_text(encoding="utf-8"))):
        match statement:
            case ast.Import(names):
                imported |= {a.name.split(".")[0] for a in names}
            case ast.ImportFrom(module, _, level):
                assert module is not None and level == 0
                imported.add(module.split(".")[0])
    assert imported <= sys.stdlib_module_names
    assert sum(bool(line.strip()) for line in SOURCE.read_text(encoding="utf-8").splitlines()) <= LINES


def alone(*files: Path) -> subprocess.CompletedProcess[str]:
    """The checker by itself, in a Python that sees no installed package."""
    command = [sys.executable, "-I", "-S", str(SOURCE), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_it_runs_alone_and_says_which_row_is_refused(tmp_path: Path) -> None:
    good, bad, none = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "none.json"
    good.write_text(EXAMPLES[0], encoding="utf-8")
    bad.write_text(EXAMPLES[0].replace('["num", "2"]', '["num", "3"]'), encoding="utf-8")
    none.write_text("{", encoding="utf-8")
    done = alone(good)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{good}: accepted, 8 steps\n", "")
    done = alone(bad, good, none)
    assert done.returncode == 1 and not done.stderr
    first, second, third = done.stdout.splitlines()
    assert first == f"{bad}: refused: step 4: one equation does not follow the other"
    assert second == f"{good}: accepted, 8 steps"
    assert third.startswith(f"{none}: refused: no JSON")
    assert alone(tmp_path / "missing.json").returncode == 1


def test_an_empty_list_is_no_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.json").write_text("[]", encoding="utf-8")
    assert not checker.verify(str(tmp_path / "empty.json"))
    assert "this is no certificate" in capsys.readouterr().out


# What is refused, and with what cause: (place in the example, what stands there instead, cause).
MISTAKES: list[tuple[tuple[Any, ...], Any, str]] = [
    (("format",), 1, "no certificate of format 2"),
    (("claim", "rhs"), 4, "the proof is of another equation"),
    (("claim", "lhs"), 2, "the proof is of another equation"),
    (("claim", "hypotheses"), ["h"], "a hypothesis is not stated"),
    (("proof",), 6, "the proof is of another equation"),
    (("proof",), 8, "malformed"),
    (("proof",), -1, "-1 is no natural number"),
    (("proof",), True, "True is no natural number"),
    (("least",), {"n": 0}, "least sizes are numbers from 1 on"),
    (("sizes", 0), [[["n"], True]], "size 0: no whole number, or too high a degree"),
    (("sizes", 0), [[["n"] * 13, 1]], "size 0: no whole number, or too high a degree"),
    (("nodes", 0), ["i", "", 0], "node 0: a name is missing"),
    (("nodes", 0), ["i", "k", 1], "node 0: malformed"),
    (("nodes", 1), ["entry", ["x", None], [2]], "node 1: malformed"),
    (("nodes", 2), ["pow", 1, "4/2"], "node 2: 4/2 is no fraction in lowest terms"),
    (("nodes", 2), ["pow", 0, "2"], "node 2: node 0 is no term"),
    (("nodes", 2), ["root", 1, "2"], "node 2: no such node"),
    (("steps", 0), ["by", "diff_sum", [3, 2, 4]], "step 0: an index is in use"),
    (("steps", 0), ["by", "diff_sum", [0, 2]], "step 0: 2 arguments, not 3"),
    (("steps", 0), ["by", "chain", [0, 2, 4]], "step 0: nothing is called chain"),
    (("steps", 2), ["by", "diff_independent", [1, 4]], "step 2: it may depend on x"),
    (("steps", 4), ["chain", [3, 1]], "step 4: one equation does not follow the other"),
    (("steps", 4), ["chain", [4, 3]], "step 4: step 4 comes later"),
    (("steps", 6), ["linear", 14, 4, []], "step 6: the sides are different sums of products"),
    (("steps", 6), ["linear", 10, 10, []], "step 6: a dummy without a binder"),
    (("steps", 7), ["guess", 14, 15], "step 7: nothing is called guess"),
]


@pytest.mark.parametrize(("place", "value", "cause"), MISTAKES, ids=lambda v: str(v)[:40])
def test_mistakes_are_refused_with_their_cause(place: tuple[Any, ...], value: Any, cause: str) -> None:
    data = example()
    recheck(data)
    inner = data
    for k in place[:-1]:
        inner = inner[k]
    inner[place[-1]] = value
    with pytest.raises(Refused) as refusal:
        recheck(data)
    assert cause in refusal.value.args[0]


@pytest.mark.parametrize("key", ["sizes", "nodes", "steps", "definitions", "hypotheses", "claim", "proof", "least"])
@pytest.mark.parametrize("value", [None, 7, "x", [], {}, [[]], [None], {"a": 1}], ids=repr)
def test_no_data_is_more_than_refused(key: str, value: Any) -> None:
    data = example()
    fine = data[key] == value or (key, value) == ("least", {"a": 1})
    data[key] = value
    if not fine:
        with pytest.raises(Refused):
            recheck(data)
    for other in (value, [data], {"format": 2}):
        with pytest.raises(Refused):
            recheck(other)


# --- what the kernel refuses -----------------------------------------------------------------

# Limits on the size of what is looked at, which prove nothing either way.
LIMITS = {"another context", "a long product", "a long sum", "a long number", "dummies that look alike"}


class Conditions:
    def __init__(self, conditions: Any) -> None:
        self.conditions = conditions


def by_checker(data: Any) -> Conditions:
    try:
        found = Certificate(data)
        return Conditions(found.equation(data["proof"], found.world)[2])
    except (Refused, *checker.MALFORMED) as cause:
        raise ProofError(str(cause)) from cause


@pytest.mark.parametrize("name", sorted(forgeries.FORGERIES.keys() - LIMITS))
def test_forgeries_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgeries, "check_rows", by_checker)
    commit: Callable[[], object] = forgeries.FORGERIES[name]
    with pytest.raises(ProofError):
        commit()


def shown_by_rows(rows: Any) -> object:
    return refused_as_by_the_kernel(lambda: recheck(rows) or True)


def reason_by_rows(r: Any, context: Any) -> object:
    data = certificate(Statement(ONE, ONE, context), Argument((r,), (), Given(Linear(ONE, ONE)), Point()))

    def show() -> object:
        found = Theorem(data)
        return found.shown(data["argument"][0][0], found.world)

    return refused_as_by_the_kernel(show)


def refused_as_by_the_kernel(show: Callable[[], object]) -> object:
    try:
        return show()
    except (Refused, *checker.MALFORMED) as cause:
        raise ProofError(str(cause)) from cause


@pytest.fixture
def by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables of theorems and their forgeries are given to the checker."""
    for name in ("established", "holding", "dense"):
        monkeypatch.setattr(theorem_forgeries, name, reason_by_rows)
    monkeypatch.setattr(theorem_forgeries, "argued", shown_by_rows)


@pytest.mark.usefixtures("by_rows")
@pytest.mark.parametrize("name", theorem_forgeries.THEOREMS)
def test_theorems_are_shown_to_the_checker(name: str) -> None:
    assert theorem_forgeries.THEOREMS[name]()


@pytest.mark.usefixtures("by_rows")
@pytest.mark.parametrize("name", theorem_forgeries.FORGERIES)
def test_forged_theorems_are_refused(name: str) -> None:
    with pytest.raises(ProofError):
        theorem_forgeries.FORGERIES[name]()


# --- theorems: a statement, reasons, and a point ---------------------------------------------

THEOREMS: list[Any] = json.loads((ROOT / "tests" / "data" / "theorems.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("k", range(len(THEOREMS)))
def test_theorems_are_accepted_and_not_without_their_reasons(k: int) -> None:
    data = THEOREMS[k]
    recheck(data)
    lhs, rhs, *rest = data["statement"]
    *argument, (sizes, *point) = data["argument"]
    other = next(k for k, row in enumerate(data["nodes"]) if row[0] in ("entry", "num") and k not in (lhs, rhs))
    changes: list[dict[str, Any]] = [
        {"statement": [rhs, lhs, *rest]}, {"statement": [lhs, other, *rest]}, {"statement": [lhs, rhs, *rest[:-1], 1]},
        {"reasons": data["reasons"][:-1]},
        {"argument": [*argument, [[[n, -1] for n, _ in [*sizes, ["n", 1]]], *point]]},
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(Refused):
            recheck({**data, **change})


def about_n(**change: Any) -> Any:
    """What is tried with k < n - 1, which has no values at n = 1: n - 1 = (n - 2 - k) + k + 1 = v_k > 0."""
    return {
        "format": 2, "least": {}, "definitions": [], "hypotheses": {},
        "sizes": [
            [[["n"], 1]], [[[], -1], [["n"], 1]], [[[], -2], [["n"], 1]], [[[], -1]], [[["n"], -1]], [[["V"], 1]],
        ],
        "nodes": [
            ["i", "k", 1], ["size", 1], ["num", "1"], ["aff", 2, [[0, 3]]], ["ord", 3], ["ord", 0], ["add", [4, 5, 2]],
            ["mul", [2, 1]], ["mul", [2, 6]], ["num", "0"], ["add", [8, 9]], ["pow", 1, "-1"],
            ["holds", ["gt0", 1]], ["holds", ["gt0", 6]], ["aff", 4, []], ["pick", "y", [], 5],
        ],
        "steps": [
            ["linear", 7, 10, []], ["linear", 11, 11, []], ["linear", 1, 6, []], ["inside", 12, [[0, 2]]],
            ["by", "step_of_positive", [6]], ["linear", 2, 2, []],
        ],
        "reasons": [
            ["sign", ["gt0", 6]], ["given", 0, []], ["weigh", ["ne0", 1], 2, [[2, 0]], 9, 1], ["given", 1, []],
            ["given", 3, []], ["given", 4, []], ["steps", [4, 5]], ["given", 5, []],
        ],
        "statement": [2, 2, [], [], False],
        "argument": [[], [], 7, [[["n", 2], ["V", 3]], [], [], []]],
        **change,
    }  # fmt: skip


EMPTY_RANGES: list[tuple[str, dict[str, Any], str]] = [
    ("1/(n - 1) has a value",
     {"statement": [11, 11, [], [], False], "argument": [[], [2], 3, [[["n", 2]], [], [], []]]},
     "reason 2: an index may have no values"),
    ("[n - 1 > 0] = 1", {"statement": [12, 2, [], [], False], "argument": [[], [], 6, [[["n", 2]], [], [], []]]},
     "reason 6: an index may have no values"),
    ("n = 0", {"hypotheses": {"h": ["ge0i", 14]}, "argument": [[], [], 7, [[["n", 0]], [], [], []]]},
     "a size below the least"),
    ("n = 1 and -n >= 0", {"hypotheses": {"h": ["ge0i", 14]}, "argument": [[], [], 7, [[["n", 1]], [], [], []]]},
     "a hypothesis is not seen to hold at the point"),
    ("y >= V", {"hypotheses": {"h": ["ge0i", 16]}, "nodes": [*about_n()["nodes"], ["aff", 6, [[15, 7]]]],
                "sizes": [*about_n()["sizes"], [[["V"], -1]], [[[], 1]]],
                "argument": [[], [], 7, [[["V", 3]], [], [], [["y", [], 3]]]]}, "an entry of y is too large"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "cause"), [r[1:] for r in EMPTY_RANGES], ids=[r[0] for r in EMPTY_RANGES])
def test_nothing_follows_from_what_has_no_values(change: dict[str, Any], cause: str) -> None:
    recheck(about_n())
    with pytest.raises(Refused, match=re.escape(cause)):
        recheck(about_n(**change))


@pytest.mark.parametrize(("table", "row"), [("reasons", ["guess"]), ("reasons", ["given", -25, []]), ("steps", 7)])
def test_rows_that_nothing_refers_to_mean_nothing(table: str, row: Any) -> None:
    data = about_n()
    data[table].append(row)
    recheck(data)
    argued(data)
    if table == "steps":
        data["reasons"].append(["given", len(data["steps"]) - 1, []])
    data["argument"][2] = len(data["reasons"]) - 1
    for decide in (recheck, argued):
        with pytest.raises((Refused, ProofError)):
            decide(data)


def test_the_largest_may_not_be_the_one_with_the_largest_lower_end() -> None:
    five, four_to_nine = (Fraction(5), Fraction(5), None), (Fraction(4), Fraction(9), None)
    low, high, _ = checker.of_cells("gap", {(0,): five, (1,): four_to_nine}, ())
    assert low <= 0 and high >= 4
    assert checker.of_cells("gap", {(0,): four_to_nine}, ())[:2] == (1, 1)


# --- from the program ------------------------------------------------------------------------


def test_derive_writes_what_verify_accepts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stories.json"
    assert cli.main(["derive", "--no-tex", "--certificate", str(path)]) == 0
    stories = json.loads(path.read_text(encoding="utf-8"))
    assert f"{len(stories)} proofs in {path}" in capsys.readouterr().out
    assert cli.main(["verify", str(path)]) == 0
    assert capsys.readouterr().out.count(": accepted, ") == len(stories) >= 39
    stories[3]["proof"] = 0
    path.write_text(json.dumps(stories), encoding="utf-8")
    assert cli.main(["verify", str(path)]) == 1
    assert f"{path}[3]: refused: " in capsys.readouterr().out
    assert cli.main(["verify", str(tmp_path / "nothing.json")]) == 2


def test_check_writes_what_verify_accepts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, path = tmp_path / "layers.py", tmp_path / "proofs.json"
    code.write_text(
        "import numpy as np\n\ndef forward(x, w):\n    return (np.maximum(x, 0) * w).sum()\n\n"
        "def backward(x, w):\n    return (x > 0) * w, w\n", encoding="utf-8",
    )  # fmt: skip
    options = ["--shapes", "x: n; w: n", "--no-repair", "--certificate", str(path)]
    assert cli.main(["check", f"{code}::forward,backward", *options]) == 1  # the second gradient is wrong
    (proof,) = json.loads(path.read_text(encoding="utf-8"))
    told = proof["reading"]
    text = "def backward(x, w):\n    return (x > 0) * w, w\n"
    assert told["functions"]["backward"]["text"] == text
    assert told["functions"]["backward"]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert told["claim"].startswith("∂L/∂x[") and told["shapes"] == {"x": "n", "w": "n"} and len(told["excused"]) == 1
    assert cli.main(["verify", str(path)]) == 0
    capsys.readouterr()
    notes = tmp_path / "notes.md"
    notes.write_text(
        "Let $a, b \\in \\mathbb{R}$.\n\n$$(a + b)^2 = a^2 + 2 a b + b^2$$\n\n$$a + a = 3 a$$\n",
        encoding="utf-8",
    )
    assert cli.main(["check", str(notes), "--no-repair", "--certificate", str(path)]) == 1
    (proof,) = json.loads(path.read_text(encoding="utf-8"))
    assert proof["reading"]["claim"] == "(a + b)^2 = a^2 + 2 a b + b^2" and proof["reading"]["line"] == 3
    assert cli.main(["verify", str(path)]) == 0
    proof["statement"][1] = proof["statement"][0] - 1
    path.write_text(json.dumps([proof]), encoding="utf-8")
    assert cli.main(["verify", str(path)]) == 1


def test_a_verdict_gives_its_certificate() -> None:
    verdict = check_gradient(lambda x: (x**3).sum(), lambda x: 3 * x**2, {"x": "n"})
    proof = json.loads(json.dumps(verdict.certificate()))
    recheck(proof)
    told = proof["reading"]
    assert told["claim"] == verdict.statement and "3 * x**2" in told["functions"]["forward"]["text"]
    several = check_gradient(lambda x, y: (x * y).sum(), lambda x, y: (y, x), {"x": "n", "y": "n"}).certificate()
    assert isinstance(several, list) and len(several) == 2
    made: dict[str, Any] = {}
    exec("def f(x): return (x**3).sum()", made)  # no file to read it from
    (unread,) = check_gradient(made["f"], lambda x: 3 * x**2, {"x": "n"}).certificates()
    functions = unread["reading"]["functions"]
    assert functions["forward"] == {"name": "f", "sha256": None, "text": None} and functions["backward"]["text"]
    with pytest.raises(ProofError, match="nothing was proved"):
        check_gradient(lambda x: (x**3).sum(), lambda x: x, {"x": "n"}, seek_repair=False).certificate()


def test_mutants_are_not_accepted_for_what_they_do_not_prove() -> None:
    texts = [EXAMPLES[0]]
    for seed in range(40):
        data = certificates.mutant(texts[0], Random(seed))
        said = [certificates.accepted(decide, data).split(":")[0] for decide in (certificates.by_kernel, recheck)]
        assert said in (["refuses", "refuses"], ["accepts", "accepts"]), data


# --- definitions that end in themselves ------------------------------------------------------

A, B, AT_L, AT_LAST = 0, 1, 2, 3  # the nodes a, b, W^l, W^L: the last two may be the same layer
ARRAYS = [["a", None], ["b", None], ["W", 0], ["W", 1]]
ENDLESS = [[(A, A)], [(A, B), (B, A)], [(AT_L, AT_LAST)], [(A, AT_L), (AT_LAST, A)], [(A, AT_L), (B, A), (AT_LAST, B)]]


def meaning(definitions: list[tuple[int, int]]) -> Any:
    return {
        "format": 2, "least": {}, "sizes": [[[["l"], 1]], [[["L"], 1]]], "nodes": [["entry", a, []] for a in ARRAYS],
        "definitions": [[ARRAYS[a], [], body] for a, body in definitions], "hypotheses": {},
        "steps": [["linear", 0, 0, []]], "proof": 0,
        "claim": {"lhs": 0, "rhs": 0, "conditions": [], "hypotheses": []},
    }  # fmt: skip


@pytest.mark.parametrize("definitions", ENDLESS, ids=str)
def test_nothing_is_defined_by_itself(definitions: list[tuple[int, int]]) -> None:
    with pytest.raises(Refused, match="defined by itself"):
        recheck(meaning(definitions))
    recheck(meaning(definitions[1:]))
