"""Certificates read for the kernel: rows of plain data become nodes, a context and a proof, all built anew here.

Nothing of what the writer had in hand survives, so only what the rows say can prove anything.  A number refers to an
earlier row; whatever is malformed, dangling or too deep for Python is refused.  A row is a tag
and the fields of what it builds, each read as its annotation says.  `docs/certificates.md` describes the format.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from fractions import Fraction
from functools import cache, partial
from typing import Any, get_args

from . import proofs as step
from . import reasons as reason
from . import terms as t
from .context import Context, Recursion, Same
from .indices import (
    Affine, Bound, Index, Least, Pick, ProofError, Size, affine, at_least_zero, collected, refusing, require,
)  # fmt: skip
from .laws.registry import LAWS
from .point import Point
from .statement import Statement
from .tensor import Tensor

FORMAT = 2
DEGREE = 12
NUMBER = re.compile(r"-?[0-9]{1,4000}(/[1-9][0-9]{0,3999})?")
SHARED = {"format", "sizes", "least", "nodes", "definitions", "hypotheses", "steps"}
KEYS, ARGUMENT = SHARED | {"recursion", "proof"}, SHARED | {"reasons", "statement", "argument"}
Read = Callable[[Any], Any]


def load(certificate: object) -> tuple[step.Proof, Context]:
    """The proof and its context, built from the rows alone."""
    with refusing("certificate"):
        return Reader().certificate(certificate)


def load_argument(certificate: object) -> tuple[Statement, reason.Argument]:
    """A statement and its argument, built from the rows alone."""
    with refusing("certificate"):
        return Reader().argument(certificate)


def exhibited(certificate: Mapping[str, Any]) -> Point:
    """The point of a certificate."""
    reader = Reader()
    reader.size.fill(certificate["sizes"], size)
    found: Point = reader.closed["Point"](certificate["argument"][3])
    return found


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


# --- plain data ------------------------------------------------------------------------------


def listed(x: object) -> list[Any]:
    require(type(x) is list, "{} is no list", x)
    assert isinstance(x, list)
    return x


def table(x: object) -> dict[Any, Any]:
    require(type(x) is dict, "{} is no table", x)
    assert isinstance(x, dict)
    return x


def text(x: object) -> str:
    require(type(x) is str and x != "", "{} is no name", x)
    return str(x)


def integer(x: object) -> int:
    require(type(x) is int, "{} is no integer", x)
    assert isinstance(x, int)
    return x


def natural(x: object) -> int:
    require(integer(x) >= 0, "{} is negative", x)
    return x  # type: ignore[return-value]


def fraction(x: object) -> Fraction:
    require(NUMBER.fullmatch(text(x)) is not None, "{} is no exact number", x)
    value = Fraction(str(x))
    require(str(value) == x, "{} is not in lowest terms", x)
    return value


def truth_value(x: object) -> bool:
    require(type(x) is bool, "{} is neither true nor false", x)
    return bool(x)


def many(read: Read) -> Read:
    return lambda row: tuple([read(x) for x in listed(row)])


def row(*reads: Read) -> Read:
    def go(x: object) -> tuple[Any, ...]:
        parts = listed(x)
        require(len(parts) == len(reads), "{} parts where {} are needed", len(parts), len(reads))
        return tuple([read(part) for read, part in zip(reads, parts, strict=True)])

    return go


def size(x: object) -> Size:
    """A polynomial: the coefficients of products of symbols."""
    monomials = many(row(many(text), integer))(x)
    require(all(len(m) <= DEGREE for m, _ in monomials), "a size of too high a degree")
    return collected((tuple(sorted(m)), c) for m, c in monomials)


# --- rows that refer to others ---------------------------------------------------------------


@dataclass
class Table:
    """What was read so far."""

    what: str
    rows: list[Any] = field(default_factory=list)

    def __call__(self, number: object) -> Any:
        k = natural(number)
        require(k < len(self.rows), "{} is no earlier row of {}", k, self.what)
        found = self.rows[k]
        if isinstance(found, ProofError):
            raise found
        return found

    def fill(self, rows: object, read: Read) -> None:
        for x in listed(rows):
            self.rows.append(read(x))

    def attempt(self, rows: object, read: Read) -> None:
        """The same for rows that mean nothing unless another refers to them: only then they are refused."""

        def tried(x: object) -> Any:
            try:
                with refusing("row"):
                    return read(x)
            except ProofError as refusal:
                return refusal

        self.fill(rows, tried)

    def of(self, *types: Any) -> Read:
        """A row that is one of these."""

        def go(number: object) -> Any:
            found = self(number)
            require(type(found) in types, "{} is a {}", found, type(found).__name__)
            return found

        return go


def closed(read: Read) -> Read:
    """Without dangling dummies."""

    def go(x: object) -> Any:
        found = read(x)
        require(t.reach(found) == 0, "dangling dummy in {}", found)
        return found

    return go


def distinct(read: Read) -> Read:
    """Indices, or values of indices: no index twice."""

    def go(x: object) -> Any:
        found = read(x)
        require(len({i[0] if isinstance(i, tuple) else i for i in found}) == len(found), "an index twice")
        return found

    return go


class Reader:
    def __init__(self) -> None:
        self.size, self.node, self.proof = Table("sizes"), Table("nodes"), Table("steps")
        self.reason = Table("reasons")
        self.reads: dict[tuple[Any, int], Read] = {}
        array = row(text, lambda label: None if label is None else self.size(label))
        self.open: dict[str, Read] = {
            "str": text, "int": natural, "Fraction": fraction, "Size": self.size,
            "Array": lambda x: t.Array(*array(x)),
            "Index": self.node.of(Index),
            "IndexExpr": self.node.of(Index, Bound, Pick, Affine),
            "Entry": self.node.of(t.Entry), "Whole": self.node.of(t.Whole),
            "Term": self.node.of(*(NODES[tag] for tag in NODES if tag not in ("i", "b", "pick", "aff")), Size),
            "Positive | NonNegative": lambda x: self.tagged(x, OF_A_STEP, self.open),
        }  # fmt: skip
        shut = {k: closed(self.open[k]) for k in ("IndexExpr", "Entry", "Whole", "Term")}
        self.closed: dict[str, Read] = self.open | shut | {
            "Proof": self.proof, "Predicate": lambda x: self.tagged(x, PREDICATES, self.closed),
            "Tensor": lambda x: Tensor(*row(self.closed["tuple[Index, ...]"], self.closed["Term"])(x)),
            "Given": self.reason.of(reason.Given), "Dense": self.reason.of(reason.Dense),
            "Reason": self.reason.of(*SHOWING), "Holding": self.reason.of(*HOLDING),
            "Reason | Given": self.reason.of(*SHOWING, reason.Given),
            "Reason | Dense": self.reason.of(*SHOWING, reason.Dense),
            "bool": truth_value, "Point": lambda x: Point(*self.parts(Point, x, self.closed)),
        }  # fmt: skip
        for axes in (
            "tuple[Index, ...]", "tuple[Index, Index]", "tuple[tuple[Index, IndexExpr], ...]",
            "tuple[tuple[Index, str], ...]", "tuple[tuple[Array, Tensor], ...]",
        ):  # fmt: skip
            self.closed[axes] = distinct(of_kind(axes, self.closed, many, row))

    def certificate(self, x: object) -> tuple[step.Proof, Context]:
        parts = table(x)
        require(parts.keys() >= KEYS, "a certificate needs {}", ", ".join(sorted(KEYS)))
        context = self.context(parts)
        told = parts["recursion"]
        recursion = None if told is None else Recursion(*self.parts(Recursion, told, self.closed))
        return self.proof(parts["proof"]), Context(context.definitions, context.hypotheses, context.least, recursion)

    def argument(self, x: object) -> tuple[Statement, reason.Argument]:
        parts = table(x)
        require(parts.keys() >= ARGUMENT, "a certificate needs {}", ", ".join(sorted(ARGUMENT)))
        self.closed["Context"] = lambda _: context
        context = self.context(parts)
        self.reason.attempt(parts["reasons"], lambda x: self.tagged(x, REASONS, self.closed))
        lhs, rhs, *rest = listed(parts["statement"])
        statement = Statement(*self.parts(Statement, [lhs, rhs, None, *rest], self.closed))
        return statement, reason.Argument(*self.parts(reason.Argument, parts["argument"], self.closed))

    def context(self, parts: dict[Any, Any]) -> Context:
        """The context of a certificate; its nodes and steps are read on the way."""
        require(parts["format"] == FORMAT, "a certificate of format {} is needed", FORMAT)
        self.size.fill(parts["sizes"], size)
        least = Least({text(n): natural(v) for n, v in table(parts["least"]).items()})
        require(all(least.values.values()), "a size is at least 1")
        nodes: dict[str, Callable[..., Any]] = {**NODES, "pick": partial(pick, least=least)}
        self.node.fill(parts["nodes"], lambda x: self.tagged(x, nodes, self.open))
        self.proof.attempt(parts["steps"], self.step)
        define = row(*(self.closed[k] for k in ("Array", "tuple[Index, ...]", "Term")))
        known = [(a, Tensor(axes, body)) for a, axes, body in map(define, listed(parts["definitions"]))]
        require(len(dict(known)) == len(known), "an array is defined twice")
        hypotheses = {text(n): self.tagged(h, HYPOTHESES, self.closed) for n, h in table(parts["hypotheses"]).items()}
        return Context(dict(known), hypotheses, least)

    def tagged(self, x: object, makers: dict[str, Callable[..., Any]], known: dict[str, Read]) -> Any:
        """A row that begins with a tag."""
        tag, *given = listed(x) or [None]
        require(text(tag) in makers, "{} is not known here", tag)
        make = makers[tag]
        return make(*self.parts(getattr(make, "func", make), given, known))

    def parts(self, make: Callable[..., Any], given: object, known: dict[str, Read]) -> tuple[Any, ...]:
        """What is needed to make something, as its annotations say."""
        if (make, id(known)) not in self.reads:
            self.reads[make, id(known)] = row(*(of_kind(k, known, many, row) for k in kinds(make)))
        found: tuple[Any, ...] = self.reads[make, id(known)](given)
        return found

    def step(self, x: object) -> step.Proof:
        if listed(x)[:1] != ["by"]:
            proof: step.Proof = self.tagged(x, STEPS, self.closed)
            return proof
        _, law, arguments = row(text, text, listed)(x)
        require(law in LAWS, "no law is called {}", law)
        return step.By(law, self.parts(LAWS[law], arguments, self.closed))
