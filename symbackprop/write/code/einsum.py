"""Sums of products as einsum: what is left when a term is no entry of a product of matrices."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase

from symbackprop.core.indices import Index, SymbackpropError
from symbackprop.core.sums import Expansion, Monomial, canonical, collect
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ONE, Delta, Entry, Num, Power, Term, add, free, mul, over, substitute


@dataclass(frozen=True, slots=True)
class Summand:
    """factor * einsum(subscripts, operands): each operand is an array by its entries."""

    factor: Term
    subscripts: str
    operands: tuple[Tensor, ...]
    dummies: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Einsum:
    """A sum of einsums with the same free indices."""

    indices: tuple[Index, ...]
    summands: tuple[Summand, ...]

    def term(self) -> Term:
        """The entry at the indices."""
        return add(*(lowered(s) for s in self.summands))

    def __str__(self) -> str:
        from symbackprop.write.paper.text import text

        def one(s: Summand) -> str:
            names = ", ".join(text(o.body) for o in s.operands)
            call = f"einsum('{s.subscripts}', {names})"
            return call if s.factor == ONE else f"{text(s.factor)} {call}"

        return " + ".join(map(one, self.summands)) or "0"


def einsum(t: Term, indices: tuple[Index, ...]) -> Einsum:
    """The term as a sum of einsums, one for each monomial.  Raises SymbackpropError for other free indices."""
    if not free(t) <= set(indices):
        raise SymbackpropError("an einsum names all its free indices")
    run = Expansion(free(t), literal=0)
    monomials = collect(run.raw(t))
    return Einsum(indices, tuple(summand(monomials[k], indices) for k in sorted(monomials)))


def summand(m: Monomial, indices: tuple[Index, ...]) -> Summand:
    letters = lettered(indices, canonical(m)[1])
    named = {i: Index(letters[i], i.size) for i in m.dummies}
    operands, subscripts = [], []
    scalars: list[Term] = [] if m.coefficient == 1 else [Num(m.coefficient)]
    for base, exponent in m.factors:
        axes, plain = axes_of(base), substitute(base, dict(named))
        value = plain if exponent == 1 else Power(plain, exponent)
        if not axes:
            scalars.append(value)
            continue
        operands.append(Tensor(tuple(named.get(i, i) for i in axes), value))
        subscripts.append("".join(letters[i] for i in axes))
    used = "".join(subscripts)
    result = "".join(letters[i] for i in indices if letters[i] in used)
    return Summand(mul(*scalars), f"{','.join(subscripts)}->{result}", tuple(operands), tuple(named.values()))


def lettered(indices: tuple[Index, ...], dummies: tuple[Index, ...]) -> dict[Index, str]:
    """A letter for each: the index's own where it is one, free letters for the others."""
    own = {i: i.name for i in indices if len(i.name) == 1 and i.name in ascii_lowercase}
    spare = [x for x in ascii_lowercase[10:] + ascii_lowercase[:10] if x not in own.values()]
    others = [i for i in (*indices, *dummies) if i not in own]
    if len(others) > len(spare):
        raise SymbackpropError("an einsum has at most 26 indices")
    return {**own, **dict(zip(others, spare, strict=False))}


def axes_of(t: Term) -> tuple[Index, ...]:
    """The indices of a factor, in the order of an array's axes where it is an entry."""
    match t:
        case Entry(_, at) if len(set(at)) == len(at) and all(isinstance(e, Index) for e in at):
            return tuple(e for e in at if isinstance(e, Index))
        case Delta(Index() as i, Index() as j):
            return i, j
        case _:
            return tuple(sorted(free(t), key=lambda i: i.name))


def lowered(s: Summand) -> Term:
    """What an einsum means: the sum over the letters that are not in the result."""
    body: Term = mul(s.factor, *(o.body for o in s.operands))
    for i in reversed(s.dummies):
        body = over(i, body)
    return body
