"""What a plan of a derivation is put together from: letters, sums, what a node rests on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from math import prod

from symbackprop.core.context import EMPTY
from symbackprop.core.indices import Index, IndexExpr, ProofError, Size
from symbackprop.core.terms import (
    ONE,
    Add,
    Apply,
    Delta,
    Mul,
    Num,
    Power,
    Sum,
    Term,
    arguments,
    mul,
    over,
    rebuilt,
    subterms,
)
from symbackprop.prove.normal_form.normal import Normal
from symbackprop.prove.tidying import Tidy
from symbackprop.read.numpy import UNIT, ZERO_AT, Node
from symbackprop.write.paper.array_text import LETTERS


def indices(shape: Sequence[Size], names: Sequence[str]) -> tuple[tuple[Index, ...], tuple[IndexExpr, ...]]:
    """Indices by these letters for the axes longer than 1, and the index expressions of all axes."""
    pool = iter((*names, *(f"i{k}" for k in range(1, 100))))
    at: tuple[IndexExpr, ...] = tuple(ZERO_AT if s == UNIT else Index(next(pool), s) for s in shape)
    return tuple(i for i in at if isinstance(i, Index)), at


class IndexLetters:
    """Letters for axes: those that an author prefers for a size ("" for any size), then the usual ones."""

    def __init__(self, taken: Collection[str], preferred: Mapping[str, str]) -> None:
        self.taken, self.preferred = taken, preferred

    def pool(self, size: Size) -> tuple[str, ...]:
        return (*self.preferred.get(str(size), ""), *self.preferred.get("", ""), *LETTERS)

    def __call__(
        self, shape: Sequence[Size], *avoid: Index
    ) -> tuple[tuple[Index, ...], tuple[IndexExpr, ...]]:
        """Indices for the axes longer than 1, and the index expressions of all axes."""
        used = {*self.taken, *(i.name for i in avoid)}
        names: list[str] = []
        for size in shape:
            if size != UNIT:
                names.append(next((x for x in self.pool(size) if x not in used), f"i{len(names) + 1}"))
                used.add(names[-1])
        return indices(shape, names)


def summed(axes: Sequence[Index], body: Term) -> Term:
    for i in reversed(axes):
        body = over(i, body)
    return body


def read_by(n: Node) -> set[Node]:
    """What n is made from, and what that is made from."""
    found: set[Node] = set()
    todo = list(n.parents)
    while todo:
        p = todo.pop()
        if p not in found:
            found.add(p)
            todo += p.parents
    return found


def simpler(t: Term) -> Term:
    """exp(log(u)) as u, u/u as 1: what a program computes for the sake of its range, or rule by rule."""
    match t:
        case Mul(args) if (pair := cancelling(args)) is not None:
            rest = [a for k, a in enumerate(args) if k not in pair]
            return simpler(mul(*rest)) if rest else ONE
        case Mul(args) if (found := logistic(args)) is not None:
            return simpler(mul(Apply("sigmoid", found[0]), *found[1]))
        case Apply("exp", Apply("log", u, 0), 0):
            return simpler(u)
        case Power(Mul((Num(c), *rest)), q) if rest and q.denominator == 1:
            return simpler(mul(Num(c ** int(q)), Power(mul(*rest), q)))
        case Mul(args) if (flat := flattened(args)) != list(args) or len(numbers_in(flat)) > 1:
            number = prod(numbers_in(flat), start=Fraction(1))
            rest = [a for a in flat if not isinstance(a, Num)]
            return simpler(mul(*rest) if number == 1 and rest else mul(Num(number), *rest))
        case Sum(size, body, hint):
            return Sum(size, simpler(body), hint)
        case Add() | Mul() | Power() | Apply():
            return rebuilt(t, tuple(map(simpler, arguments(t))))
        case _:
            return t


def put_together(t: Term) -> Term:
    """Multiplied out, with like terms added; as it is where that is no sum of products."""
    try:
        return Tidy()(Normal(EMPTY).of(t)[0])
    except ProofError:
        return simpler(Tidy()(t))


def flattened(args: Sequence[Term]) -> list[Term]:
    """The factors, with a number in a denominator as a factor of its own."""
    found: list[Term] = []
    for a in args:
        match a:
            case Power(Mul((Num(c), *rest)), q) if rest and q.denominator == 1:
                found += [Num(c ** int(q)), Power(mul(*rest), q)]
            case _:
                found.append(a)
    return found


def numbers_in(args: Sequence[Term]) -> list[Fraction]:
    return [a.value for a in args if isinstance(a, Num)]


def cancelling(args: Sequence[Term]) -> tuple[int, int] | None:
    """The places of u and 1/u among factors."""
    for k, a in enumerate(args):
        if isinstance(a, Power) and a.exponent == -1 and a.base in args:
            return k, args.index(a.base)
    return None


def logistic(args: Sequence[Term]) -> tuple[Term, list[Term]] | None:
    """u where exp(u) and 1/(1 + exp(u)) are among factors, which together are σ(u), and the other factors."""
    for k, a in enumerate(args):
        if isinstance(a, Power) and a.exponent == -1 and isinstance(a.base, Add) and len(a.base.args) == 2:
            e = next((x for x in a.base.args if isinstance(x, Apply) and x.fn == "exp"), None)
            if e is not None and ONE in a.base.args and e in args:
                return e.arg, [x for j, x in enumerate(args) if j not in (k, args.index(e))]
    return None


def has_delta(t: Term) -> bool:
    return any(isinstance(s, Delta) for s in subterms(t))
