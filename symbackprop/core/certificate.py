"""Certificates: what their rows build, and how they are written: each distinct node and shared step once.

A row is a tag and the fields of what it builds, each as its annotation says (`docs/certificates.md`).  Nothing here is
trusted: what it writes is read by the checker, and compared with the claim.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any, get_args

from . import proofs as step
from . import reasons as reason
from . import terms as t
from .context import Context, Equation, Recursion, Same, Statement
from .indices import Affine, Bound, Index, Least, Pick, ProofError, Size, affine, at_least_zero, require
from .laws.registry import LAWS
from .syntax import Tensor

FORMAT = 2

# --- what rows build -------------------------------------------------------------------------


def pick(array: str, at: tuple[t.IndexExpr, ...], below: Size, least: Least) -> Pick:
    require(at_least_zero(below - 1, least), "the values of {} are below {}, which may be 0", array, below)
    return Pick(array, at, below)


def combination(constant: Size, parts: tuple[tuple[t.IndexExpr, Size], ...]) -> t.IndexExpr:
    return affine(constant, parts)


def size_term(size: Size) -> Size:
    return size


def chain(parts: tuple[step.Proof, ...]) -> step.Proof:
    require(bool(parts), "a chain of nothing")
    return step.Chain(parts[0], parts[1:])


def let(array: t.Array, axes: tuple[Index, ...], body: t.Term, inner: step.Proof) -> step.Proof:
    return step.Let(array, Tensor(axes, body), inner)


NODES: dict[str, Callable[..., Any]] = {
    "i": Index, "b": Bound, "pick": pick, "aff": combination, "num": t.Num, "size": size_term, "entry": t.Entry,
    "ord": t.Ordinal, "delta": t.Delta, "add": t.Add, "mul": t.Mul, "pow": t.Power, "app": t.Apply, "sum": t.Sum,
    "diff": t.Diff, "whole": t.Whole, "holds": t.Holds,
}  # fmt: skip
PREDICATES: dict[str, Callable[..., Any]] = {
    "gt0": t.Positive, "ne0": t.Nonzero, "ge0": t.AtLeastZero, "ge0i": t.NonNegative,
}  # fmt: skip
OF_A_STEP: dict[str, Callable[..., Any]] = {tag: PREDICATES[tag] for tag in ("gt0", "ge0i")}
HYPOTHESES: dict[str, Callable[..., Any]] = {**PREDICATES, "eq": Same}
SHOWING, HOLDING = get_args(reason.Reason), get_args(reason.Holding)
REASONS: dict[str, Callable[..., Any]] = {made.__name__.lower(): made for made in (*SHOWING, *HOLDING, reason.Dense)}
STEPS: dict[str, Callable[..., Any]] = {
    **{made.__name__.lower(): made for made in get_args(step.Proof) if made not in (step.By, step.EveryDepth)},
    "chain": chain, "let": let, "every_depth": step.EveryDepth,
}  # fmt: skip


@cache
def kinds(make: Callable[..., Any]) -> tuple[str, ...]:
    """The annotations of what a row's fields are; hints are not part of a row, nor is the context that rules are in."""
    if is_dataclass(make):
        found = {f.name: str(f.type) for f in fields(make) if f.compare}
    else:
        found = {n: a for n, a in make.__annotations__.items() if n not in ("context", "least", "return")}
    return tuple(a.replace("t.", "").replace("step.", "") for a in found.values())


@cache
def inside(kind: str) -> tuple[bool, tuple[str, ...]]:
    """The kinds that a compound kind is made of: of tuple[X, ...] as many as there are, of tuple[X, Y] one each."""
    parsed = ast.parse(kind, mode="eval").body
    assert isinstance(parsed, ast.Subscript) and isinstance(parsed.slice, ast.Tuple), f"no {kind} is read"
    parts = tuple(map(ast.unparse, parsed.slice.elts))
    return (True, parts[:1]) if parts[1:] == ("...",) else (False, parts)


def of_kind(kind: str, known: dict[str, Any], many: Callable[[Any], Any], row: Callable[..., Any]) -> Any:
    """What a kind means, given what simple kinds mean."""
    if kind not in known:
        repeated, parts = inside(kind)
        known[kind] = (many if repeated else row)(*(of_kind(p, known, many, row) for p in parts))
    return known[kind]


# --- writing ---------------------------------------------------------------------------------

Write = Callable[[Any], Any]
TAGS: dict[type, str] = {
    **{made: tag for tag, made in (NODES | PREDICATES | STEPS | REASONS).items() if isinstance(made, type)},
    Pick: "pick", Affine: "aff", Size: "size", Same: "eq", Recursion: "recursion", step.By: "by", step.Chain: "chain",
    step.Let: "let",
}  # fmt: skip


def proof_rows(proof: step.Proof, context: Context) -> dict[str, Any]:
    """The rows of a proof.  Raises ProofError where something in it cannot be written."""
    return written(lambda: Writer().proof(proof, context))


def equation_rows(proof: step.Proof, context: Context, equation: Equation) -> dict[str, Any]:
    """The rows of a proof, with the equation that it is said to prove."""
    return written(lambda: Writer().equation(proof, context, equation))


def certificate(statement: Statement, argument: reason.Argument) -> dict[str, Any]:
    """The rows of a statement and its argument.  Raises ProofError where something in them cannot be written."""
    return written(lambda: Writer().argument(statement, argument))


def written(write: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return write()
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ProofError(f"this is no proof: {error}") from error


class Writer:
    def __init__(self) -> None:
        self.sizes: dict[Size, int] = {}
        self.nodes: dict[Any, int] = {}
        self.steps: dict[str, int] = {}
        self.seen: dict[int, int] = {}  # nodes and steps by identity; the proof written keeps them alive
        self.writes: dict[type, list[tuple[Callable[[Any], Any], Write]]] = {}  # the fields of what is written
        self.rows: dict[str, list[Any]] = {"sizes": [], "nodes": [], "steps": []}
        self.told: dict[str, int] = {}  # rows by table that were handed over
        self.known: dict[str, Write] = {
            **dict.fromkeys(("str", "int"), lambda x: x), "Fraction": str, "Size": self.size, "Proof": self.step,
            **dict.fromkeys(("Index", "IndexAtom", "IndexExpr", "Entry", "Whole", "Term"), self.node),
            **dict.fromkeys(("Positive | NonNegative", "Predicate"), lambda p: self.row(p, type(p))),
            "Array": lambda a: [a.name, None if a.label is None else self.size(a.label)],
            "bool": lambda x: x, "Context": lambda x: None, "Point": self.fields,
            "Tensor": lambda a: [self.kind("tuple[Index, ...]")(a.axes), self.node(a.body)],
            **dict.fromkeys(("Reason", "Given", "Dense", "Holding", "Reason | Given", "Reason | Dense"), self.reason),
        }  # fmt: skip

    def proof(self, proof: step.Proof, context: Context) -> dict[str, Any]:
        told = None if context.recursion is None else self.row(context.recursion, Recursion)[1:]
        return {**self.context(context), "recursion": told, "proof": self.step(proof), **self.rows}

    def equation(self, proof: step.Proof, context: Context, equation: Equation) -> dict[str, Any]:
        rows = self.proof(proof, context)
        claim = {
            "lhs": self.node(equation.lhs),
            "rhs": self.node(equation.rhs),
            "conditions": sorted(self.row(p, type(p)) for p in equation.conditions),
            "hypotheses": sorted(equation.hypotheses),
        }
        return {**rows, "claim": claim}

    def argument(self, statement: Statement, argument: reason.Argument) -> dict[str, Any]:
        self.rows.setdefault("reasons", [])
        lhs, rhs, _, *rest = self.fields(statement)
        return {
            **self.context(statement.context), "statement": [lhs, rhs, *rest], "argument": self.fields(argument),
            **self.rows,
        }  # fmt: skip

    def more(self, statement: Statement, argument: reason.Argument) -> dict[str, Any]:
        """The same without the rows that were written before, which these go on from."""
        whole = self.argument(statement, argument)
        new = {table: rows[self.told.get(table, 0) :] for table, rows in self.rows.items()}
        self.told = {table: len(rows) for table, rows in self.rows.items()}
        return {**whole, **new}

    def context(self, context: Context) -> dict[str, Any]:
        axes = self.kind("tuple[Index, ...]")
        return {
            "format": FORMAT,
            "least": dict(context.least.values),
            "definitions": [
                [self.known["Array"](a), axes(meaning.axes), self.node(meaning.body)]
                for a, meaning in context.definitions.items()
            ],
            "hypotheses": {name: self.row(h, type(h)) for name, h in context.hypotheses.items()},
        }

    def size(self, s: Size) -> int:
        if s not in self.sizes:
            self.sizes[s] = self.put("sizes", [[list(symbols), c] for symbols, c in s.monomials])
        return self.sizes[s]

    def node(self, x: Any) -> int:
        if id(x) not in self.seen:
            if x not in self.nodes:
                row = ["size", self.size(x)] if isinstance(x, Size) else self.row(x, type(x))
                self.nodes[x] = self.put("nodes", row)
            self.seen[id(x)] = self.nodes[x]
        return self.seen[id(x)]

    def step(self, p: Any) -> int:
        return self.shared(p, "steps", self.step_row)

    def reason(self, r: Any) -> int:
        return self.shared(r, "reasons", lambda x: self.row(x, type(x)))

    def shared(self, x: Any, table: str, write: Write) -> int:
        """The number of the row; one row for what is written alike."""
        if id(x) not in self.seen:
            row = write(x)
            key = table + repr(row)
            if key not in self.steps:
                self.steps[key] = self.put(table, row)
            self.seen[id(x)] = self.steps[key]
        return self.seen[id(x)]

    def step_row(self, p: Any) -> list[Any]:
        match p:
            case step.By(law, args):
                if law not in LAWS or len(kinds(LAWS[law])) != len(args):
                    raise ProofError(f"no law is called {law} and takes these arguments")
                return ["by", law, [self.kind(k)(a) for k, a in zip(kinds(LAWS[law]), args, strict=True)]]
            case step.Chain(first, rest):
                return ["chain", [self.step(first), *map(self.step, rest)]]
            case step.Let(array, meaning, inner):
                axes = self.kind("tuple[Index, ...]")(meaning.axes)
                return ["let", self.known["Array"](array), axes, self.node(meaning.body), self.step(inner)]
            case _:
                return self.row(p, type(p))

    def row(self, x: Any, what: type) -> list[Any]:
        """The tag and the fields."""
        if what not in TAGS:
            raise ProofError(f"{x} cannot be written")
        return [TAGS[what], *self.fields(x)]

    def fields(self, x: Any) -> list[Any]:
        what: Any = type(x)
        if what not in self.writes:
            parts = [attrgetter(f.name) for f in fields(what) if f.compare]
            self.writes[what] = list(zip(parts, map(self.kind, kinds(what)), strict=True))
        return [write(part(x)) for part, write in self.writes[what]]

    def kind(self, kind: str) -> Write:
        write: Write = of_kind(kind, self.known, many, row)
        return write

    def put(self, table: str, row: list[Any]) -> int:
        self.rows[table].append(row)
        return len(self.rows[table]) - 1


def many(write: Write) -> Write:
    return lambda xs: [write(x) for x in xs]


def row(*writes: Write) -> Write:
    return lambda xs: [write(x) for write, x in zip(writes, xs, strict=True)]
