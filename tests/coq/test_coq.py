"""Exported theorems: what the text is, and (where Coq is) that Coq accepts it and refuses altered statements."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.cli import main
from symbackprop.core.certificate import proof_rows
from symbackprop.core.context import Context, Equation
from symbackprop.core.indices import Index, sized
from symbackprop.core.kernel import check
from symbackprop.core.proofs import By, Inside, Linear, Proof
from symbackprop.core.terms import Apply, Array, Entry, add
from symbackprop.story.pages import STORIES
from symbackprop.write.coq.theorem import coq_text, exported, libraries
from symbackprop.write.coq.vocabulary import NotExported

ALL = os.environ.get("SYMBACKPROP_COQ") == "all"
needs_coq = pytest.mark.skipif(
    shutil.which("coqc") is None or not ALL,
    reason="make test-coq runs it, where Coq 8.16 is: apt-get install coq libcoq-mathcomp-algebra "
    "libcoq-mathcomp-analysis libcoq-mathcomp-algebra-tactics",
)
FACTS = [(story, k) for story, (_, facts) in STORIES.items() if story != "every_depth" for k in range(len(facts))]
AXIOMS = {"propositional_extensionality", "functional_extensionality_dep", "constructive_indefinite_description"}
FIRST = ("last_layer", 1)
MUTATED = [("last_layer", 0), ("linear_map", 2), ("last_layer", 1), ("biases", 0), ("linear_map", 1)]

COQ = {
    "Assumptions", "Certificate", "Hypothesis", "Lemma", "Let", "Print", "Proof", "Qed", "Section", "Theorem",
    "Variable", "Variables", "End", "eq_ind_r", "etrans", "esym", "erefl", "exact", "f_equal", "f_equal2", "is_true",
    "ltac", "nil", "prod",
}  # fmt: skip
# The identifiers of a file: Coq's and mathcomp's, those of the libraries, and generated ones.
GENERATED = re.compile(
    r"(n|i|r|k|q|e|h|p|s|j|l|least|known|A|cA|P|rangeP)\d+|(f|Df)\d+_\d+|(L|E|D|EL|DL)\d+_\d+|t0?|d|x|y|z|R|H|main|moved|fun|forall"
)


def story(name: str, k: int) -> tuple[Proof, Context, Equation]:
    found = STORIES[name][1][k]().theorems[-1]
    return found.proof, found.context, found.equation


def named(array: str, index: str, function: str) -> str:
    """The text of ∂f(x_i)/∂x_j with these names."""
    i, j = Index(index, sized("n")), Index(f"{index}2", sized("n"))
    proof = By("diff_apply", (function, 0, Entry(Array(array), (i,)), Entry(Array(array), (j,))))
    return exported(proof, Context(), check(proof))


def test_names_of_the_certificate_do_not_reach_the_file() -> None:
    hostile = "x. Axiom bad : False. (* \"'$(rm)"
    assert named(hostile, f"i{hostile}", f"f{hostile}") == named("x", "i", "f")


def test_text_is_the_same_every_time() -> None:
    texts = {exported(*story(*FIRST)) for _ in range(2)}
    assert len(texts) == 1


@pytest.mark.parametrize("fact", FACTS[::4], ids=lambda f: f"{f[0]}-{f[1]}")
def test_only_known_identifiers(fact: tuple[str, int]) -> None:
    text = exported(*story(*fact))
    library = set(re.findall(r"[A-Za-z_]\w*", "".join(libraries().values())))
    words = set(re.findall(r"[A-Za-z_]\w*", text.split("Section Certificate.")[1]))
    known = library | {*COQ}
    assert {w for w in words - known if not GENERATED.fullmatch(w)} == set()


def test_the_theorem_is_what_the_certificate_states() -> None:
    i, j = Index("i", sized("n")), Index("j", sized("n"))
    x = Array("x")
    proof = By("diff_apply", ("f", 0, Entry(x, (i,)), Entry(x, (j,))))
    assert re.search(
        r"Hypothesis moved : forall i\d, isD t0 \(cA0 i\d\) \(delta R i\d i1\)\.\n"
        r"Theorem main : isD t0 \(fun t => \(f0_0 \(cA0 i0 t\)\)\)\n  \(\(f0_1 \(A0 i0\)\) \* \(delta R i0 i1\)\)\.",
        exported(proof, Context(), check(proof)),
    )


def test_another_equation_is_refused() -> None:
    proof, context, equation = story(*FIRST)
    with pytest.raises(NotExported, match="another equation"):
        exported(proof, context, Equation(equation.lhs, Apply("exp", equation.rhs)))


def test_command_writes_theorem_and_libraries(tmp_path: Path) -> None:
    proof, context, equation = story(*FIRST)
    source = tmp_path / "certificate.json"
    source.write_text(json.dumps(proof_rows(proof, context)))
    assert main(["export", "--coq", str(tmp_path / "T.v"), str(source)]) == 0
    assert (tmp_path / "T.v").read_text() == exported(proof, context, equation)
    assert coq_text(json.loads(source.read_text())) == exported(proof, context, equation)
    assert {p.name for p in tmp_path.glob("*.v")} == {"T.v", *libraries()}
    several = tmp_path / "several.json"
    several.write_text(f"[{source.read_text()}, {source.read_text()}]")  # as `check --certificate` writes them
    assert main(["export", "--coq", str(tmp_path / "S.v"), str(several)]) == 0
    assert {p.name for p in tmp_path.glob("S*.v")} - {*libraries()} == {"S_1.v", "S_2.v"}


# Statements whose proofs take steps of all kinds: the function, its gradient, shapes, hypotheses, what the file has.
Claim = tuple[Callable[..., Any], Callable[..., Any], dict[str, str], Callable[..., Any] | None, str]
CLAIMS: dict[str, Claim] = {
    "norm": (lambda x: np.sqrt((x**2).sum()), lambda x: x / np.sqrt((x**2).sum()), {"x": "n m"}, None, "weighed_gt0"),
    "logdet": (lambda x: np.log(np.linalg.det(x)), lambda x: np.linalg.inv(x).T, {"x": "n n"}, None, "D_determinant"),
    "inverse": (
        lambda x, a: (a * np.linalg.inv(x)).sum(), lambda x, a: -(np.linalg.inv(x) @ a.T @ np.linalg.inv(x)).T,
        {"x": "n n", "a": "n n"}, None, "D_inverse",
    ),
    "largest": (lambda x: x.max() ** 2, lambda x: 2 * x.max() * (x == x.max()), {"x": "n"}, None, "D_largest"),
    "relu": (lambda x, w: np.maximum(x @ w, 0).sum(), lambda x, w: ((x @ w > 0) * w.T), {"x": "m n", "w": "n 1"}, None,
             "D_step"),
    "factors": (lambda x, a, b: (x * a * b * a * b * np.exp(x) * np.sin(x)).sum(),
                lambda x, a, b: a**2 * b**2 * np.exp(x) * (np.sin(x) * (1 + x) + x * np.cos(x)),
                {"x": "n", "a": "n", "b": "n"}, None, "D_mul"),
    "values": (lambda x: x[0] * x[1], lambda x: x[::-1], {"x": "2"}, None, "value_step"),
    "root": (
        lambda x, a: (np.sqrt(x * a)).sum(), lambda x, a: np.sqrt(a) / (2 * np.sqrt(x)), {"x": "n", "a": "n"},
        lambda x, a: [x > 0, a >= 0], "pw_factors_ge0",
    ),
}  # fmt: skip


@pytest.fixture(scope="session")
def claimed() -> Callable[[str], str]:
    """The Coq file of a claim."""

    @cache
    def text(name: str) -> str:
        forward, gradient, shapes, assuming, _ = CLAIMS[name]
        verdict = sb.check_gradient(forward, gradient, shapes, "x", assuming, seek_repair=False)
        return coq_text(json.loads(json.dumps(verdict.certificate())))

    return text


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_assumes_its_hypotheses_and_excused_steps_only(name: str, claimed: Callable[[str], str]) -> None:
    text = claimed(name)
    assert CLAIMS[name][-1] in text
    assumed = set(re.findall(r"^(?:Hypothesis|Axiom|Parameter|Conjecture) (\w+)", text, re.M))
    assert {a for a in assumed if not re.fullmatch(r"h\d+|moved", a)} == set()


@pytest.mark.parametrize("name", libraries())
def test_nothing_is_admitted(name: str) -> None:
    words = r"\b(Admitted|admit|Axiom|Axioms|Parameter|Parameters|Conjecture|Abort|Unset Guard Checking|bypass_check)\b"
    assert re.findall(words, libraries()[name]) == []


@pytest.mark.parametrize("text", ["", "[]", "[1", '{"format": 2}', "[" * 100_000])
def test_command_refuses_what_is_no_certificate(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "bad.json"
    source.write_text(text)
    assert main(["export", "--coq", str(tmp_path / "T.v"), str(source)]) == 2
    assert not (tmp_path / "T.v").exists()
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


# --- with Coq ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[bool, str]]:
    """Compiles a text in a folder where the libraries are compiled."""
    folder = tmp_path_factory.mktemp("coq")
    for name, library in libraries().items():
        (folder / name).write_text(library)
        subprocess.run(["coqc", "-q", "-w", "none", name], cwd=folder, check=True, capture_output=True, timeout=300)

    def compile_text(text: str) -> tuple[bool, str]:
        (folder / "T.v").write_text(text)
        run = subprocess.run(
            ["coqc", "-q", "-w", "none", "T.v"], cwd=folder, check=False, capture_output=True, text=True, timeout=300
        )
        return run.returncode == 0, run.stdout + run.stderr

    return compile_text


@needs_coq
@pytest.mark.parametrize("fact", FACTS, ids=lambda f: f"{f[0]}-{f[1]}")
def test_coq_accepts(fact: tuple[str, int], compiled: Callable[[str], tuple[bool, str]]) -> None:
    proved(compiled, exported(*story(*fact)))


def proved(compiled: Callable[[str], tuple[bool, str]], text: str) -> None:
    """Coq accepts it, and it rests on the axioms of classical analysis in mathcomp only."""
    accepted, said = compiled(text)
    assert accepted, said[-2000:]
    assert set(re.findall(r"^(\w+)", said.split("Axioms:")[-1], re.M)) <= AXIOMS, said


@needs_coq
@pytest.mark.parametrize("name", CLAIMS)
def test_coq_accepts_a_claim(
    name: str, claimed: Callable[[str], str], compiled: Callable[[str], tuple[bool, str]]
) -> None:
    proved(compiled, claimed(name))


@needs_coq
@pytest.mark.parametrize("kind", ["twice", "negative", "more", "zero"])
@pytest.mark.parametrize("name", ["norm", "logdet", "largest"])
def test_coq_refuses_another_claim(
    name: str, kind: str, claimed: Callable[[str], str], compiled: Callable[[str], tuple[bool, str]]
) -> None:
    accepted, said = compiled(altered(claimed(name), kind))
    assert not accepted and "Error" in said, said[-2000:]


@needs_coq
@pytest.mark.parametrize("function", ["exp", "log", "tanh", "f"])
def test_coq_accepts_a_function_of_a_rewritten_argument(
    function: str, compiled: Callable[[str], tuple[bool, str]]
) -> None:
    x, y = Entry(Array("x"), ()), Entry(Array("y"), ())
    proof = Inside(Apply(function, add(x, y)), ((0, Linear(add(x, y), add(y, x))),))
    accepted, said = compiled(exported(proof, Context(), check(proof)))
    assert accepted, said[-2000:]


def altered(text: str, kind: str) -> str:
    """The file with another statement at the end; the proof is as it was."""
    head, rest = text.split("Theorem main : ")
    statement, proof = rest.split("\nProof.", 1)
    left, right = statement.rsplit("\n  ", 1)
    right = right.removesuffix(".")
    new = {
        "twice": f"(qr R (Frac 2 1) * {right})",
        "negative": f"(qr R (Frac (-1) 1) * {right})",
        "more": f"({right} + qr R (Frac 1 1))",
        "zero": "(qr R (Frac 0 1))",
    }[kind]
    return f"{head}Theorem main : {left}\n  {new}.\nProof.{proof}"


@needs_coq
@pytest.mark.parametrize("kind", ["twice", "negative", "more", "zero"])
@pytest.mark.parametrize("fact", MUTATED, ids=lambda f: f"{f[0]}-{f[1]}")
def test_coq_refuses(fact: tuple[str, int], kind: str, compiled: Callable[[str], tuple[bool, str]]) -> None:
    accepted, said = compiled(altered(exported(*story(*fact)), kind))
    assert not accepted and "Error" in said, said[-2000:]
