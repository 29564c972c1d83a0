"""From a statement that was read to the forward function whose derivative it speaks of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symbackprop.core.indices import Index, Size
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Diff, Entry, SymbackpropError, Term, arrays, free, subterms

from ..notes.statements.claims import Claim, elaborate
from ..notes.statements.statements import Reading
from .program import Formulas


@dataclass(frozen=True, slots=True)
class Asked:
    """The forward of a statement, and the arrays by which it is differentiated (none: by whatever one likes)."""

    formulas: Formulas
    variables: tuple[Array, ...]


def asked(reading: Reading) -> Asked:
    """Raises SymbackpropError, with the place, for a statement that is about no derivative and defines nothing."""
    claim = elaborate(reading)
    if not isinstance(claim, Claim):
        raise SymbackpropError("this is no equation between numbers or arrays of one shape")
    found = next(derivatives(claim), None)
    if found is not None:
        return of_derivative(claim, found)
    if isinstance(claim.lhs, Entry) and all(isinstance(i, Index) for i in claim.lhs.at):
        return of_definition(claim, claim.lhs)
    raise SymbackpropError("this equation has no derivative in it and defines no array")


def derivatives(claim: Claim) -> Iterator[Diff]:
    for t in (claim.lhs, claim.rhs):
        yield from (s for s in subterms(t) if isinstance(s, Diff))


def of_derivative(claim: Claim, d: Diff) -> Asked:
    """What is differentiated, by what."""
    definitions = dict(claim.context.definitions)
    variable = d.wrt.array
    definitions.pop(variable, None)
    body = innermost(d.body)
    if isinstance(body, Entry) and body.array in definitions:
        output = body.array
    else:
        axes = tuple(sorted(free(body), key=lambda i: i.name))
        output = Array(free_name(claim, definitions))
        definitions[output] = Tensor(axes, body)
    return Asked(formulas(claim, output, definitions), (variable,))


def of_definition(claim: Claim, lhs: Entry) -> Asked:
    axes = tuple(i for i in lhs.at if isinstance(i, Index))
    definitions = {**claim.context.definitions, lhs.array: Tensor(axes, claim.rhs)}
    return Asked(formulas(claim, lhs.array, definitions), ())


def innermost(t: Term) -> Term:
    """A second derivative is that of a first: the function itself."""
    return innermost(t.body) if isinstance(t, Diff) else t


def free_name(claim: Claim, definitions: Mapping[Array, Tensor]) -> str:
    taken = {a.name for a in (*claim.shapes, *definitions)}
    return next(x for x in ("f", "g", "h", "F", "G", "f_0") if x not in taken)


def formulas(claim: Claim, output: Array, definitions: Mapping[Array, Tensor]) -> Formulas:
    used = reached(output, definitions)
    inputs: dict[Array, tuple[Size, ...]] = {}
    for a in sorted(used - set(definitions), key=str):
        if a not in claim.shapes:
            raise SymbackpropError(f"the shape of {a} is not known")
        inputs[a] = claim.shapes[a]
    hypotheses = {n: h for n, h in claim.context.hypotheses.items() if spoken_of(h) <= set(inputs)}
    return Formulas(output, {a: t for a, t in definitions.items() if a in used}, inputs, hypotheses)


def reached(output: Array, definitions: Mapping[Array, Tensor]) -> set[Array]:
    found: set[Array] = set()
    work = [output]
    while work:
        a = work.pop()
        if a not in found and a.name != "pi":
            found.add(a)
            work += arrays(definitions[a].body) if a in definitions else ()
    return found


def spoken_of(h: object) -> set[Array]:
    terms = [getattr(h, n) for n in ("lhs", "rhs", "term") if hasattr(h, n)]
    return {a for t in terms for a in arrays(t)}


__all__ = ["Asked", "asked"]
