"""One readable line for terms, index expressions, sizes, predicates and tensors: Σ_k W[i,k]*x[k].

This is what `str` of a node gives once this file is imported, so messages can be read; `repr` stays the dataclass.
Dummies get the letter their author wrote, with a number where it is taken.
"""

from __future__ import annotations

from fractions import Fraction
from typing import assert_never

from .context import Same
from .indices import SHOWN, Affine, Bound, Index, IndexExpr, Pick, Size
from .syntax import Tensor
from .terms import (
    Add, Apply, Array, AtLeastZero, Delta, Diff, Entry, Holds, Mul, NonNegative, Nonzero, Num, Ordinal, Positive, Power,
    Predicate, Sum, Term, Whole, free,
)  # fmt: skip

Scope = tuple[str, ...]  # the letters of the dummies around, the innermost last
SUM, PRODUCT, POWER, ATOM = range(4)  # how tightly a text holds together


def term(t: Term, around: Scope = (), needs: int = SUM) -> str:
    """The text, in parentheses where it holds together less than it needs to."""
    text, holds = written(t, around)
    return text if holds >= needs else f"({text})"


def written(t: Term, around: Scope) -> tuple[str, int]:
    match t:
        case Num(value):
            return str(value), ATOM if value >= 0 and value.denominator == 1 else PRODUCT if value >= 0 else SUM
        case Size():
            return str(t), ATOM if len(t.monomials) < 2 and "*" not in str(t) and "-" not in str(t) else SUM
        case Entry(array, at):
            return named(array) + brackets(at, around), ATOM
        case Ordinal(of):
            text = index(of, around)
            return text, ATOM if text.isidentifier() else SUM
        case Delta(i, j):
            return f"δ({index(i, around)},{index(j, around)})", ATOM
        case Add(args):
            return summed(args, around), SUM if len(args) > 1 else ATOM
        case Mul(args):
            return product(args, around)
        case Power(base, exponent):
            return f"{term(base, around, ATOM)}^{rational(exponent)}", POWER
        case Apply(fn, arg, order):
            return f"{fn}{primes(order)}({term(arg, around)})", ATOM
        case Sum(_, body, hint):
            k = letters((hint,), body, around)
            return f"Σ_{k[0]} {term(body, around + k, SUM if isinstance(body, Sum) else PRODUCT)}", SUM
        case Diff(body, wrt):
            return f"∂/∂{term(wrt, around)} ({term(body, around)})", PRODUCT
        case Whole(fn, order, sizes, body, at, hints):
            axes = letters(hints if len(hints) == len(sizes) else ("",) * len(sizes), body, around)
            dummies = "_" + ",".join(axes) if axes else ""
            return f"{fn}{primes(order)}{dummies}({term(body, around + axes)}){brackets(at, around)}", ATOM
        case Holds(p):
            return f"[{predicate(p, around)}]", ATOM
        case _:
            assert_never(t)


def summed(args: tuple[Term, ...], around: Scope) -> str:
    """a + b - c"""
    out = ""
    for a in args:
        number = isinstance(a, Num)
        text = term(a, around, PRODUCT if out and not number else SUM)
        minus = (number or (isinstance(a, Mul) and len(a.args) > 1)) and text.startswith("-")
        if minus and out:
            out += f" - {text[1:]}"
        else:
            out += f" + {text}" if out else text
    return out or "0"


def product(args: tuple[Term, ...], around: Scope) -> tuple[str, int]:
    if not args:
        return "1", ATOM
    first, *rest = args
    if isinstance(first, Num) and first.value < 0 and rest:
        text = product(tuple(rest), around)[0]
        return (f"-{text}" if first.value == -1 else f"{first.value}*{text}"), PRODUCT
    return "*".join(term(a, around, POWER) for a in args), PRODUCT if rest else POWER


def predicate(p: Predicate, around: Scope = ()) -> str:
    match p:
        case Positive(t):
            return f"{term(t, around)} > 0"
        case Nonzero(t):
            return f"{term(t, around)} != 0"
        case AtLeastZero(t):
            return f"{term(t, around)} >= 0"
        case NonNegative(e):
            return f"{index(e, around)} >= 0"
        case _:
            assert_never(p)


def index(e: IndexExpr, around: Scope = ()) -> str:
    match e:
        case Index(name, _):
            return name
        case Bound(depth):
            return around[-1 - depth] if depth < len(around) else f"#{depth - len(around)}"
        case Pick(array, at, _):
            return array + brackets(at, around)
        case Affine(constant, parts):
            out = ""
            for atom, k in parts:
                out += "+" + (index(atom, around) if k.constant == 1 else f"{factor(k)}*{index(atom, around)}")
            if constant.monomials or not parts:
                out += f"+{constant}"
            return out.replace("+-1*", "-").replace("+-", "-").removeprefix("+")
        case _:
            assert_never(e)


def size(s: Size) -> str:
    def one(symbols: tuple[str, ...], c: int) -> str:
        names = "*".join(symbols)
        sign = "-" if c < 0 else "+"
        return sign + (names if names and abs(c) == 1 else f"{abs(c)}*{names}" if names else str(abs(c)))

    return "".join(one(*m) for m in reversed(s.monomials)).removeprefix("+") or "0"


def factor(k: Size) -> str:
    return str(k) if len(k.monomials) == 1 else f"({k})"


def brackets(at: tuple[IndexExpr, ...], around: Scope) -> str:
    return "[" + ",".join(index(e, around) for e in at) + "]" if at else ""


def named(array: Array) -> str:
    return array.name if array.label is None else f"{array.name}^{{{array.label}}}"


def primes(order: int) -> str:
    return "'" * order if order < 4 else f"^({order})"


def rational(q: Fraction) -> str:
    return str(q) if q.denominator == 1 else f"({q})"


def letters(hints: tuple[str, ...], body: Term, around: Scope) -> Scope:
    """Letters for dummies: those hinted at where they can be read and are free, numbered where they are taken."""
    taken = {*around, *(i.name for i in free(body))}
    out: list[str] = []
    for hint in hints:
        like = hint.split("#")[0]
        like = like if like.isidentifier() else "k"
        letter, n = like, 1
        while letter in taken:
            n += 1
            letter = f"{like}{n}"
        taken.add(letter)
        out.append(letter)
    return tuple(out)


SHOWN.update(dict.fromkeys(
    (Num, Entry, Ordinal, Delta, Add, Mul, Power, Apply, Sum, Diff, Whole, Holds), lambda t: term(t)
))  # fmt: skip
SHOWN.update(dict.fromkeys((Positive, Nonzero, AtLeastZero, NonNegative), lambda p: predicate(p)))
SHOWN.update({
    Size: size, Array: named, Same: lambda h: f"{h.lhs} = {h.rhs}",
    Tensor: lambda t: f"({', '.join(i.name for i in t.axes)}) ↦ {t.body}",
})  # fmt: skip
SHOWN.update(dict.fromkeys((Index, Bound, Pick, Affine), lambda e: index(e)))
