"""The sentences that two traced functions make: for each variable one equation between index terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from symbackprop.core.indices import Index, IndexExpr, Size, SymbackpropError, affine, as_affine
from symbackprop.core.matrix import UNIT, ZERO_INDEX
from symbackprop.core.tensor import Tensor
from symbackprop.core.terms import Diff, Term, over, substitute
from symbackprop.functions.request import Request, called
from symbackprop.prove.normal_form.radix import split, strides
from symbackprop.read.numpy import Declared

WRITTEN_OUT = 36  # so many entries of axes of literal size are proved one by one


@dataclass(frozen=True, slots=True)
class Claim:
    """lhs = rhs for all values of `axes`, where `lhs` has the derivatives; or shapes that already differ.

    `wanted` is the shape that the result should have and `found` what came, with its entries.  `forward` holds the
    arrays that must have a value for the claim to say anything.
    """

    name: str
    lhs: Term
    found: Tensor
    wanted: tuple[Size, ...]
    axes: tuple[Index, ...]
    at: tuple[IndexExpr, ...]
    forward: tuple[Tensor, ...]
    label: str
    label_latex: str
    inputs: Mapping[str, Declared]
    sides: tuple[str, str] = ("derivative", "backward")

    @property
    def conforms(self) -> bool:
        return self.found.shape == self.wanted

    @property
    def rhs(self) -> Term:
        return self.found.at(*self.at)

    @property
    def lengths(self) -> list[Size]:
        """The sizes of all axes that occur."""
        return [n for d in self.inputs.values() for n in d.shape]

    @property
    def needs_derivative(self) -> bool:
        return isinstance(self.lhs, Diff)

    def instances(self) -> list[tuple[tuple[Index, ...], dict[Index, IndexExpr]]]:
        """The claim for the values of its short axes of literal size: (axes that stay, values of the others).

        An axis of composite size goes by its digits where the claim has such index expressions: 2 k + 1 or K g + k.
        """
        by = strides((self.lhs, self.rhs))
        digits = {i: split(i, (self.lhs, self.rhs), by) for i in self.axes if i.size in by}
        axes = tuple(x for i in self.axes for x in (digits[i][1] if i in digits else ()) or (i,))
        whole = {i: e for i, (e, _) in digits.items()}
        short = [i for i in axes if i.size.constant is not None]
        if prod(i.size.constant or 1 for i in short) > WRITTEN_OUT:
            short = []
        kept = tuple(i for i in axes if i not in short)
        out = []
        for values in product(*(range(i.size.constant or 1) for i in short)):
            given: dict[Index, IndexExpr] = {i: affine(v, ()) for i, v in zip(short, values, strict=True)}
            here = {i: at(e, given) for i, e in whole.items()}
            out.append((kept, here | {i: v for i, v in given.items() if i in self.axes}))
        return out

    def sides_at(self, values: dict[Index, IndexExpr]) -> tuple[Term, Term]:
        return substitute(self.lhs, values), substitute(self.rhs, values)


def at(e: IndexExpr, values: Mapping[Index, IndexExpr]) -> IndexExpr:
    constant, parts = as_affine(e)
    return affine(constant, [(values.get(a, a) if isinstance(a, Index) else a, k) for a, k in parts])


def axes_of(shape: Sequence[Size], letter: str) -> tuple[tuple[Index, ...], tuple[IndexExpr, ...]]:
    """Indices for the axes longer than 1, and the index expressions of all axes."""
    at = tuple(ZERO_INDEX if n == UNIT else Index(f"{letter}{k}", n) for k, n in enumerate(shape))
    return tuple(i for i in at if isinstance(i, Index)), at


def summed(axes: Sequence[Index], body: Term) -> Term:
    for i in reversed(tuple(axes)):
        body = over(i, body)
    return body


def by_variable(request: Request, outputs: Any) -> dict[str, Tensor]:
    """The result as one array, a sequence in the order of the variables, or a dict by name."""
    where = called(request.backward) if request.backward is not None else "the function"
    variables = request.variables
    if isinstance(outputs, Mapping):
        for v in variables:
            if v not in outputs:
                raise SymbackpropError(
                    f"{request.asked}: {where} returns no gradient {v!r} "
                    f"(it has {', '.join(map(str, outputs)) or 'none'}); wrt= names those to check"
                )
        return {v: single(outputs[v], where, v) for v in variables}
    items = list(outputs) if isinstance(outputs, tuple | list) else [outputs]
    if len(items) != len(variables):
        raise SymbackpropError(
            f"{request.asked}: {where} returns {counted(len(items), 'array')} for "
            f"{counted(len(variables), 'variable')} ({', '.join(variables)}); wrt= names those to check"
        )
    return {v: single(item, where, v) for v, item in zip(variables, items, strict=True)}


def single(item: Any, where: str, name: str) -> Tensor:
    if isinstance(item, Tensor):
        return item
    what = "nothing" if item is None else f"{item!r}" if isinstance(item, str) else f"a {type(item).__name__}"
    raise SymbackpropError(f"{where} returns {what} for {name!r} where an array is needed")


def counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def shown(shape: Sequence[Size]) -> str:
    return ", ".join(map(str, shape))


def partial_latex(of: str, name: str) -> str:
    return rf"\frac{{\partial {of}}}{{\partial {name}}}"
