"""The derivations: every line proved, the theorems as a table, the LaTeX that is committed, and the command."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from fractions import Fraction
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import pytest
from told_stories import fact

from symbackprop.cli import main
from symbackprop.core.context import EMPTY, Context, Equation, Same
from symbackprop.core.indices import Index, Node, Size, SymbackpropError, sized
from symbackprop.core.kernel import By, check
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE,
    Apply,
    Array,
    Delta,
    Diff,
    Entry,
    Power,
    Whole,
    free,
    mul,
    num,
    opened_whole,
    over,
)
from symbackprop.network.theorems import Theorem
from symbackprop.numbers.refute.points import Question
from symbackprop.numbers.refute.search import search
from symbackprop.prove.rewriting import assuming, everywhere
from symbackprop.story import latex_documents
from symbackprop.story.pages import STORIES, plain_document, plain_scope
from symbackprop.story.told import Told
from symbackprop.write.program import parts
from symbackprop.write.program.parts import Laws, worked

ROOT = Path(__file__).parents[2]
SIGNALS = (
    "δ^{0} = ∂ℒ/∂z^{0} = {1}", "(δ^{0})^T = ∂ℒ/∂z^{0} = {2}", "δ^{0} = ∂ℒ/∂z^{0} = {3}", "δ^{0} = ∂ℒ/∂Z^{0} = {4}",
    "δ^{0} = ∂ℒ/∂Z^{0} = {5}",
)  # fmt: skip


def signals(layer: str, *forms: str) -> list[str]:
    return [s.format(layer, *forms) for s in SIGNALS]


STATEMENTS = {
    "linear_map": ["∂z_i/∂w_jk = δ_ij x_k", "∂z/∂x = w", "∂z/∂b = I_n"],
    "last_layer": ["∂y/∂z^L = diag(f'(z^L))", *(
        s for pair in zip(
            signals("L", "∂ℒ/∂y ∘ f'(z^L)", "∂ℒ/∂y ∘ (f'(z^L))^T", "∂ℒ/∂y ∘ f'(z^L)", "∂ℒ/∂Y ∘ f'(Z^L)",
                    "∂ℒ/∂Y ∘ f'(Z^L)"),
            [
                "∂ℒ/∂W^L = (∂ℒ/∂y ∘ f'(z^L)) (a^(L-1))^T",
                "∂ℒ/∂W^L = a^(L-1) (∂ℒ/∂y ∘ (f'(z^L))^T)",
                "∂ℒ/∂W^L = (a^(L-1))^T (∂ℒ/∂y ∘ f'(z^L))",
                "∂ℒ/∂W^L = (∂ℒ/∂Y ∘ f'(Z^L)) (A^(L-1))^T",
                "∂ℒ/∂W^L = (A^(L-1))^T (∂ℒ/∂Y ∘ f'(Z^L))",
            ],
            strict=True,
        ) for s in pair
    )],
    "hidden_layers": signals(
        "l", "(W^(l+1))^T δ^(l+1) ∘ f'(z^l)", "(δ^(l+1))^T W^(l+1) ∘ (f'(z^l))^T", "δ^(l+1) (W^(l+1))^T ∘ f'(z^l)",
        "(W^(l+1))^T δ^(l+1) ∘ f'(Z^l)", "δ^(l+1) (W^(l+1))^T ∘ f'(Z^l)",
    ),
    "weights": [
        "∂ℒ/∂W^l = δ^l (a^(l-1))^T",
        "∂ℒ/∂W^l = a^(l-1) (δ^l)^T",
        "∂ℒ/∂W^l = (a^(l-1))^T δ^l",
        "∂ℒ/∂W^l = δ^l (A^(l-1))^T",
        "∂ℒ/∂W^l = (A^(l-1))^T δ^l",
    ],
    "biases": [
        "∂ℒ/∂b^l = δ^l",
        "∂ℒ/∂b^l = (δ^l)^T",
        "∂ℒ/∂b^l = δ^l",
        "∂ℒ/∂b^l = δ^l 1_N",
        "∂ℒ/∂b^l = 1_N^T δ^l",
    ],
    "every_depth": [
        "∂C/∂z^l = δ^l",
        "∂C/∂W^l = δ^l (a^(l-1))^T",
        "∂C/∂b^l = δ^l",
        "∂C/∂Z^l = δ^l",
        "∂C/∂W^l = (A^(l-1))^T δ^l",
        "∂C/∂b^l = 1_N^T δ^l",
    ],
    "means": [
        "∂C/∂W = 1/N A^T Δ",
        "∂C/∂b = 1/N 1_N^T Δ",
        "∂C/∂Z = 1/N ((Y - T) ∘ f'(Z))",
    ],
    "softmax": [
        "∂s/∂z = diag(s) - s s^T",
        "∂ℒ/∂z = s ∘ ∂ℒ/∂s - s s^T ∂ℒ/∂s",
        "∂C/∂z = s - t",
        "∂C/∂z = s 1_n^T t - t",
        "∂C/∂Z = 1/N (S - T)",
    ],
    "columns_to_rows": [
        "Z_r^l = A_r^(l-1) W_r^l + 1_N b_r^l",
        "(∂ℒ/∂Z^l)^T = δ_r^(l+1) (W_r^(l+1))^T ∘ f'(Z_r^l)",
        "(∂ℒ/∂W^l)^T = (A_r^(l-1))^T δ_r^l",
        "(∂ℒ/∂b^l)^T = 1_N^T δ_r^l",
    ],
}  # fmt: skip
HYPOTHESES = {"softmax-likelihood": "Σ_k t_k = 1", "softmax-mean-likelihood": "Σ_k T_nk = 1"}
ALL = [(name, n) for name, (_, facts) in STORIES.items() for n in range(len(facts))]
PLANNED = [(name, n) for name, n in ALL if name not in ("every_depth", "columns_to_rows")]


@pytest.fixture
def derived_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (title, facts) in STORIES.items():
        monkeypatch.setitem(STORIES, name, (title, tuple(partial(fact, name, n) for n in range(len(facts)))))


def every() -> list[Told]:
    return [fact(name, n) for name, n in ALL]


def test_the_table_names_every_statement() -> None:
    assert {name: [s for n in range(len(facts)) for s, _ in fact(name, n).statements]
            for name, (_, facts) in STORIES.items()} == STATEMENTS  # fmt: skip


@pytest.mark.parametrize(("name", "n"), ALL)
def test_each_statement_is_a_theorem(name: str, n: int) -> None:
    d = fact(name, n)
    assert len(d.theorems) == len(d.statements)
    for t in d.theorems:
        assert check(t.proof, t.context) == t.equation and not t.equation.conditions
        hypotheses = {"targets sum to one"} if d.name in HYPOTHESES else set()
        assert t.equation.hypotheses == hypotheses


@pytest.mark.parametrize(("name", "n"), ALL)
def test_each_line_has_a_reason(name: str, n: int) -> None:
    for p in fact(name, n).passages:
        assert p.proved and p.lines[0].left
        assert all(line.reason and line.right for line in p.shown(3))


@pytest.mark.parametrize(("name", "n"), PLANNED)
def test_local_derivatives_are_worked_out_law_by_law(name: str, n: int) -> None:
    """Or cited: the Jacobian of softmax has been told before."""
    d = fact(name, n)
    for p in d.passages:
        reasons = [line.reason for line in p.shown(3)]
        worked_out = any("independent of each other" in r for r in reasons)
        assert worked_out or "the Jacobian of softmax" in reasons or p.name == "y"


@pytest.mark.parametrize(("name", "n"), ALL)
def test_numbers_agree(name: str, n: int) -> None:
    """Both sides at small sizes, by the evaluator, which differentiates with dual numbers."""
    for t in fact(name, n).theorems:
        if t.context.recursion is None:
            agree(t.equation, t.context)
        for layers in (1, 2, 3) if t.context.recursion is not None else ():
            agree(*of_depth(t, layers))


def agree(theorem: Equation, context: Context) -> None:
    axes = sorted({i for side in (theorem.lhs, theorem.rhs) for i in free(side)}, key=lambda i: i.name)
    question = Question(
        theorem.lhs, theorem.rhs, tuple(axes), {}, tuple(context.hypotheses.values()), context.definitions
    )
    outcome = search(question, budget=2)
    assert outcome.counterexample is None and outcome.points >= 2, outcome.reason


def of_depth(d: Theorem, depth: int) -> tuple[Equation, Context]:
    """A theorem about layers, for layer 1 of a network of this depth with all of its layers written out."""
    r, theorem = d.context.recursion, d.equation
    assert r is not None and isinstance(theorem.lhs, Diff) and isinstance(theorem.lhs.body, Whole)
    wrt, state = theorem.lhs.wrt, opened_whole(theorem.lhs.body, r.here)

    def at(x: Any, layer: int) -> Any:
        """For l = layer, and L = depth."""
        values = {r.label: sized(layer), r.last: sized(depth), "n_{l-1}": sized(f"n_{layer - 1}")}
        for here, above, last in r.widths:
            values |= {here: sized(f"n_{layer}"), above: sized(f"n_{layer + 1}"), last: sized(f"n_{depth}")}
        return with_sizes(x, values)

    def array(name: str, layer: int) -> Array:
        return Array(name, sized(layer))

    known = {array(r.signal, depth): Tensor(at(r.at_last, depth), at(r.first, depth))}
    for layer in range(1, depth):
        known[array(r.state, layer + 1)] = Tensor(at(r.above, layer), at(r.forward, layer))
        known[array(r.signal, layer)] = Tensor(at(r.here, layer), at(r.backward, layer))
    if state != Entry(Array(r.state, sized(r.label)), r.here):
        known[array(r.state, 1)] = Tensor(at(r.here, 1), at(state, 1))
    return Equation(Diff(at(r.loss, depth), at(wrt, 1)), at(theorem.rhs, 1)), Context(known)


def with_sizes(x: Any, values: dict[str, Size]) -> Any:
    match x:
        case Size():
            one = (prod((values.get(s, sized(s)) for s in symbols), start=sized(c)) for symbols, c in x.monomials)
            return sum(one, start=sized(0))
        case tuple():
            return tuple(with_sizes(part, values) for part in x)
        case Node():
            return type(x)(*(with_sizes(getattr(x, f.name), values) for f in fields(x)))  # type: ignore[arg-type]
        case _:
            return x


def test_scope_is_said() -> None:
    scopes = {d.name: plain_scope(d) for d in every()}
    assert scopes["signal-step-row-batch"] == "for all N, n_l, n_(l+1)"
    for name, said in HYPOTHESES.items():
        assert scopes[name].endswith(f"provided that {said}")
    assert sum("provided" in s for s in scopes.values()) == len(HYPOTHESES)


def test_names_are_unique() -> None:
    names = [d.name for d in every()]
    assert len(set(names)) == len(names) == len(ALL)


# --- steps that are refused ----------------------------------------------------------------------

N, M = sized("n"), sized("m")
i, j, k = Index("i", N), Index("j", N), Index("k", M)


def test_a_law_that_lies_works_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    x = Entry(Array("x"), (i,))
    wrt, result = Entry(Array("x"), (j,)), mul(num(2), x, Delta(i, j))
    assert [why for _, why in worked(Power(x, Fraction(2)), wrt, result, str)][1:3] == [
        "the power rule", "the entries of x are independent of each other",
    ]  # fmt: skip

    monkeypatch.setattr(parts, "slope_of", lambda _: num(2))
    assert worked(Apply("tanh", x), wrt, mul(Apply("tanh", x, 1), Delta(i, j)), str) == []
    through = Laws.through
    monkeypatch.setattr(Laws, "through", lambda laws, t: mul(num(2), through(laws, t)))
    assert worked(Power(x, Fraction(2)), wrt, result, str) == []


def test_a_hypothesis_is_never_used_under_a_derivative_of_its_variable() -> None:
    t = Entry(Array("t"), (i,))
    start = Diff(over(i, t), Entry(Array("t"), (j,)))
    context = Context({}, {"s": Same(over(i, Entry(Array("t"), (i,))), ONE)})
    found = everywhere(start, assuming("s"), context)
    assert found is not None
    with pytest.raises(SymbackpropError, match=r"need not be open, under ∂/∂t|is used under"):
        check(found[1], context)


def test_layers_are_not_mixed_up() -> None:
    """W^l and W^L may be one array: a derivation may not say that one does not depend on the other."""
    l, last = Array("W", sized("l")), Array("W", sized("L"))
    with pytest.raises(SymbackpropError, match="may be one array"):
        check(By("diff_entry", (Entry(l, (i, j)), Entry(last, (i, j)))), EMPTY)
    entry = Entry(l, (i, j))
    assert worked(Power(entry, Fraction(2)), Entry(last, (i, j)), mul(num(2), entry), str) == []


# --- as text and as LaTeX ------------------------------------------------------------------------


def test_a_derivation_reads_line_by_line() -> None:
    lines = plain_document(fact("linear_map", 0)).splitlines()
    assert "        = Σ_p δ_ij δ_pk x_p" in [line[:31].rstrip() for line in lines]
    assert lines[-2:] == ["  proved: ∂z_i/∂w_jk = δ_ij x_k", "  for all m, n"]


def test_story_files_are_there_and_run(capsys: pytest.CaptureFixture[str]) -> None:
    files = {p.stem for p in (ROOT / "derivations").glob("*.py")}
    assert files == {*STORIES, "layers", "losses"}
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, str(ROOT / "derivations" / "softmax.py")]
    out = subprocess.run(command, env=env, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    assert out.count("proved: ") == len(STATEMENTS["softmax"]) and "provided that Σ_k t_k = 1" in out
    assert re.search(r"derived and checked in \d+\.\d ms", out)


@pytest.mark.usefixtures("derived_once")
def test_the_committed_latex_is_what_is_generated() -> None:
    code = "import json, sys; from symbackprop.story import latex_documents; json.dump(latex_documents(), sys.stdout)"
    here = latex_documents()
    committed = {n: (ROOT / "derivations" / "tex" / n).read_text(encoding="utf-8") for n in here}
    assert committed == here, "run `symbackprop derive`"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "31337"}  # here it is another one in each run
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == here


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("name", STORIES)
def test_latex_compiles_without_warnings(name: str, tmp_path: Path) -> None:
    source = ROOT / "derivations" / "tex" / f"{name}.tex"
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-draftmode", str(source)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
    log = (tmp_path / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-1000:]
    complaints = [x for x in log.splitlines() if re.search(r"Overfull|Underfull|Warning|^!|undefined", x)]
    assert complaints == []


# --- the command ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("derived_once")
@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits_the_terminal(
    columns: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["derive", "--tex", str(tmp_path / "new" / "tex")]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert max(map(len, lines[:-1])) <= columns  # the last line names the directory
    assert out.count(" proved ") >= len(ALL) + 1 and "not proved" not in out
    assert "all 18 equations" in out and "all proved and checked by the kernel" in out
    written = {p.name: p.read_text(encoding="utf-8") for p in (tmp_path / "new" / "tex").iterdir()}
    assert written == latex_documents()


BAD: list[tuple[list[str], str]] = [
    (["--tex", "/proc/none/here"], "cannot make the directory '/proc/none/here'"),
    (["--tex", "{file}"], "cannot make the directory"),
    (["--tex", "a\0b"], "cannot make the directory"),
    (["--show", "softmaxx"], "no story is called 'softmaxx': did you mean softmax?"),
    (["--show", "zzz"], "no story is called 'zzz': there are linear_map"),
    (["--markdown"], "--markdown goes with --show STORY"),
    (["--nonsense"], "unrecognized arguments: --nonsense"),
]


@pytest.mark.parametrize(("argv", "message"), BAD)
def test_bad_requests_end_in_one_line(
    argv: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert main(["derive", *(a.replace("{file}", str(file)) for a in argv)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.err.count("\n") == 1 and not captured.out


@pytest.mark.usefixtures("derived_once")
def test_a_full_disk_ends_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "softmax.tex").symlink_to("/dev/full")
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    assert main(["derive", "--tex", str(tmp_path)]) == 2
    assert "no space left" in capsys.readouterr().err


def test_a_story_as_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", "--show", "softmax", "--markdown"]) == 0
    out = capsys.readouterr().out
    assert out.count("$$") % 2 == 0 and r"\frac{\partial s_{i}}{\partial z_{j}}" in out
    assert "`" not in out


@pytest.mark.usefixtures("derived_once")
def test_what_is_not_proved_is_said_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Told:
        raise SymbackpropError("line 3: 'a mistake' was not proved")

    monkeypatch.setitem(STORIES, "linear_map", ("A layer", (broken,)))
    assert main(["derive", "--tex", str(tmp_path / "tex")]) == 1
    out = capsys.readouterr().out
    assert "line 3: 'a mistake' was not proved" in out and "1 not proved" in out
    assert list((tmp_path / "tex").iterdir()) == []
