r"""Scalar functions written as LaTeX: an activation `\frac{1}{1+e^{-z}}`, a loss in y and t.

    scalar_latex(r"\frac{1}{1+e^{-z}}", {"z": Z})

Read by the grammar of documents, with every name declared as a number.  What documents say besides, sums, derivatives
and matrices, is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, cast

import sympy

from symbackprop.core.functions import column
from symbackprop.core.terms import (
    ONE, PI, ZERO, Add, Apply, Array, Entry, Holds, Mul, Num, Positive, Power, SymbackpropError, Term, replaced,
    subterms,
)  # fmt: skip

from .notes.declared.sizes import Sizes
from .notes.declared.symbols import ArraySymbol, Declarations, FunctionSymbol
from .notes.files.place import ReadError
from .notes.grammar import tree
from .notes.grammar.parser import parse_value
from .notes.grammar.resolve import parse_expression, parse_leniently
from .notes.grammar.resolve_names import PI as PI_LETTER
from .notes.grammar.walking import mapped, walk
from .notes.meaning.elaborate import Elaborator
from .notes.meaning.model import Model
from .notes.meaning.values import Algebra, as_scalar

MAX_LENGTH = 2_000
EULER = "e"
_SCALAR = (
    tree.Num, tree.Symbol, tree.Neg, tree.Add, tree.Product, tree.Quotient, tree.Power, tree.Call, tree.Function,
    tree.Norm, tree.Indicator, tree.Chain, tree.Link,
)  # fmt: skip


def scalar_latex(text: str, variables: Mapping[str, Term], functions: Iterable[str] = ()) -> Term:
    r"""The term that the LaTeX means, with a term for each variable, named as it is written (z, y_1, \hat{y}).

    `functions` are letters of abstract functions of one number: f(z), f'(z).  `\sigma` is the logistic function unless
    it is one of them or a variable.  Raises SymbackpropError, naming the part, for what is not read.
    """
    if len(text) > MAX_LENGTH:
        raise SymbackpropError(f"a scalar formula of {len(text):,} characters: at most {MAX_LENGTH:,} are read")
    values = {EULER: Apply("exp", ONE), **{key_of(name): term for name, term in variables.items()}}
    table = Declarations(inferred=True).with_array(ArraySymbol(PI_LETTER, (), "scalar", role="constant"))
    for key in values:
        table = table.with_array(ArraySymbol(key, (), "scalar"))
    for name in functions:
        table = table.with_function(FunctionSymbol(name, "elementwise"))
    if not table.known("σ"):
        table = table.with_function(FunctionSymbol("σ", "elementwise", ("z",), r"\frac{1}{1+\exp(-z)}"))
    term = term_of(text, table)
    held = {key: Entry(Array(f"{key}#"), ()) for key in values}  # a term may hold another variable
    for key, hold in held.items():
        term = replaced(term, Entry(Array(key), ()), hold)
    for key, hold in held.items():
        term = replaced(term, hold, values[key])
    return term


def key_of(name: str) -> str:
    """A name as the table keeps it."""
    _, free = parse_leniently(name, Declarations())
    if len(free) != 1:
        raise SymbackpropError(f"{name!r} is no name")
    return free[0][0]


def term_of(text: str, table: Declarations) -> Term:
    try:
        tower = next((n for n in walk(parse_value(text, table.words)) if isinstance(n, tree.Name) and n.sups[1:]), None)
        if tower is not None:
            raise ReadError("a tower of exponents: put braces", tower.span)
        node = cast(tree.Expr, in_exponentials(parse_expression(text, table)))
        for n in walk(node):
            if not isinstance(n, _SCALAR) or (isinstance(n, tree.Norm) and n.order != "abs"):
                kind = type(n).__name__.lower()
                raise ReadError(f"{kind} is not read in a scalar formula", getattr(n, "span", (0, 0)))
            for (a, b), sign in zip(pairwise(n.args), n.signs, strict=True) if isinstance(n, tree.Product) else ():
                if isinstance(a, tree.Num) and isinstance(b, tree.Num) and not sign:
                    raise ReadError("two numbers side by side", n.span)
        found = as_scalar(Elaborator(table, Model(table), Sizes(table), Algebra()).alone(node, text))
    except ReadError as error:
        raise SymbackpropError(f"{error.message} (in {text[:80]!r}, at {text[slice(*error.span)][:20]!r})") from None
    if found is None or any(isinstance(t, Power) and t.base == ZERO and t.exponent < 0 for t in subterms(found)):
        raise SymbackpropError(f"no value was found anywhere (in {text[:80]!r})")
    return found


def in_exponentials(node: object) -> object:
    """2^{-z} is e^{-z log 2}."""
    new = mapped(node, in_exponentials)
    match new:
        case tree.Power(tree.Num(base) as number, exponent, _, span) if base > 0 and symbols_in(exponent):
            log = tree.Call(tree.Function("log"), (number,), span)
            return tree.Call(tree.Function("exp"), (tree.Product((exponent, log), ("cdot",), span),), span)
    return new


def symbols_in(node: object) -> bool:
    return any(isinstance(n, tree.Symbol) for n in walk(node))


IN_SYMPY: dict[str, Any] = {
    **{name: getattr(sympy, theirs) for name, theirs in column(lambda f: f.sympy).items()},
    "sigmoid": lambda u: 1 / (1 + sympy.exp(-u)),
    "softplus": lambda u: sympy.log(1 + sympy.exp(u)),
}


def scalar_sympy(text: str, variables: Mapping[str, Any]) -> Any:
    """The same as a SymPy expression, with an expression for each variable; no abstract functions."""
    return in_sympy(scalar_latex(text, {v: Entry(Array(v), ()) for v in variables}), variables)


def in_sympy(t: Term, variables: Mapping[str, Any]) -> Any:
    match t:
        case Num(number):
            return sympy.Rational(number.numerator, number.denominator)
        case Entry(array, ()):
            return sympy.pi if t == PI else variables[array.name]
        case Add(args):
            return sympy.Add(*(in_sympy(a, variables) for a in args))
        case Mul(args):
            return math.prod(in_sympy(a, variables) for a in args)
        case Power(base, exponent):
            return in_sympy(base, variables) ** sympy.Rational(exponent.numerator, exponent.denominator)
        case Apply(fn, arg, 0) if fn in IN_SYMPY:
            return IN_SYMPY[fn](in_sympy(arg, variables))
        case Holds(Positive(of)):
            return sympy.Heaviside(in_sympy(of, variables), 0)
        case _:
            raise SymbackpropError(f"{t} is no scalar expression of SymPy")
