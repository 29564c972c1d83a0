"""Certificates read for the kernel: rows of plain data become nodes, a context and a proof, all built anew here.

Nothing of what the writer had in hand survives, so only what the rows say can prove anything.  A number refers to an
earlier row; whatever is malformed, dangling or too deep for Python is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any

from . import proofs as step
from . import reasons as reason
from . import terms as t
from .certificate import (
    FORMAT, HOLDING, HYPOTHESES, NODES, OF_A_STEP, PREDICATES, REASONS, SHOWING, STEPS, kinds, of_kind, pick,
)  # fmt: skip
from .context import Context, Recursion, Statement
from .indices import (
    Affine, Bound, Index, Least, Pick, ProofError, Size, collected, refusing, require,
)  # fmt: skip
from .laws.registry import LAWS
from .reasons import Point
from .syntax import Tensor

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
