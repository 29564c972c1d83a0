"""Whether a refutation stands: rounded numbers, values put in for letters, and conditions are no identities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import cast

import numpy as np

from symbackprop.core.terms import SymbackpropError
from symbackprop.numbers.floats import evaluate_floats
from symbackprop.numbers.points import Point
from symbackprop.read.notes.grammar.tree import (
    Dots,
    Expr,
    IndexName,
    Num,
    Sum,
    Symbol,
)
from symbackprop.read.notes.grammar.walking import mapped, walk
from symbackprop.read.notes.statements.claims import Claim, elaborate
from symbackprop.read.notes.statements.statements import Reading

SUBSTITUTED = "numbers are put in for letters here, and which letters have these values is not settled"
CONDITION = "nothing given makes this hold always: it reads as a condition"
ROUNDED = "the sides agree as far as their decimals are written out"
EXPECTATIONS = frozenset((r"\mathbb{E}", r"\mathbb{V}", r"\mathbb{P}"))
CASE = re.compile(
    r"\b(?:if|iff|only|when|where|satisf\w+|solv\w+|zero|stationar\w+|critical|optim\w+|minim\w+|maxim\w+|equations?|kernel"
    r"|null|perpendicular|orthogonal|plug\w*|root|system|symmetric|unit|eigen\w+|constraint|surface|sphere|using)\b",
    re.IGNORECASE,
)  # fmt: skip
BARE_SUM = re.compile(r"\\sum(?![A-Za-z])(?!\s*(?:\\limits)?\s*[_^])")
MOST = 24
"""Decimals that are looked at in one statement."""


def without_footing(reading: Reading) -> str:
    """Why a statement that does not hold as it was read is not refuted; "" where it is."""
    lhs, rhs = reading.lhs, reading.rhs
    if lhs is None or rhs is None or not reading.declarations.inferred:
        return ""
    if BARE_SUM.search(reading.formula.text) and any(isinstance(n, Sum) for x in (lhs, rhs) for n in walk(x)):
        return "over which index the sum runs is not written"
    if any(isinstance(n, Dots) for x in (lhs, rhs) for n in walk(x)):
        return "what the entries between the dots are is not understood"
    if any(n.name in EXPECTATIONS for x in (lhs, rhs) for n in walk(x) if isinstance(n, Symbol)):
        return "of an expectation only that it is linear is known here"
    numbers = [not any(map(is_letter, walk(x))) for x in (lhs, rhs)]
    if all(numbers):
        return ROUNDED if rounded(reading) else ""
    if any(numbers):
        letters, closed = (rhs, lhs) if numbers[0] else (lhs, rhs)
        if reading.also is None and conditional(reading):  # no conclusion that is put into its condition
            return CONDITION
        if decimals(closed, reading) or substituted(letters, closed):
            return SUBSTITUTED
    elif isinstance(lhs, Symbol) and lhs.label is None and lhs in walk(rhs) and conditional(reading):
        return CONDITION  # A = A^T
    return ""


def conditional(reading: Reading) -> bool:
    """The words around it, in the text, are those of something that holds in a case or is solved."""
    around = reading.formula.before + " \n " + reading.formula.after
    return not reading.formula.display and CASE.search(around) is not None


def is_letter(node: object) -> bool:
    return isinstance(node, (Symbol, IndexName))


def decimals(node: Expr, reading: Reading) -> list[tuple[Num, Fraction]]:
    """The numbers with a decimal point, and half a unit of their last digit."""
    text, out = reading.formula.text, []
    for n in walk(node):
        digits = text[n.span[0] : n.span[1]].partition(".")[2] if isinstance(n, Num) else ""
        if digits.strip("0123456789") == "" != digits:
            out.append((cast(Num, n), Fraction(1, 2 * 10 ** len(digits))))
    return out


def substituted(letters: Expr, numbers: Expr) -> bool:
    """2 (y - t) = 2 (3 - 1): the same formula with numbers in the places of letters."""
    if letters == numbers or isinstance(numbers, Num):
        return False
    return type(letters) is type(numbers) and all(pairs(letters, numbers, {}))


def pairs(a: object, b: object, values: dict[object, object]) -> Iterator[bool]:
    if isinstance(a, Symbol):
        yield values.setdefault(a, b) == b
    elif type(a) is not type(b):
        yield False
    elif isinstance(a, tuple):
        yield len(a) == len(cast("tuple[object, ...]", b))
        for x, y in zip(a, cast("tuple[object, ...]", b), strict=False):
            yield from pairs(x, y, values)
    elif hasattr(a, "__dataclass_fields__"):
        names = [n for n in a.__dataclass_fields__ if n != "span"]
        for name in names:
            yield from pairs(getattr(a, name), getattr(b, name), values)
    else:
        yield a == b


# --- rounding ------------------------------------------------------------------------------------


def rounded(reading: Reading) -> bool:
    """Each decimal within half a unit of its last digit: to first order that explains the difference."""
    assert reading.lhs is not None and reading.rhs is not None
    found = [*decimals(reading.lhs, reading), *decimals(reading.rhs, reading)]
    if not 0 < len(found) <= MOST:
        return False
    try:
        gap = differences(reading)
        slack = sum(abs(differences(changed(reading, n, n.value + half)) - gap) for n, half in found)
    except (SymbackpropError, RecursionError, ValueError):
        return False
    return bool(np.all(np.isfinite(gap)) and np.all(abs(gap) <= 1.001 * slack))


def changed(reading: Reading, number: Num, value: Fraction) -> Reading:
    def go(node: object) -> object:
        return replace(number, value=value) if node is number else mapped(node, go)

    return replace(reading, lhs=cast(Expr, go(reading.lhs)), rhs=cast(Expr, go(reading.rhs)))


def differences(reading: Reading) -> np.ndarray:
    claim = elaborate(reading)
    if not isinstance(claim, Claim):
        raise ValueError
    left, right = (evaluate_floats(t, Point(), claim.free) for t in (claim.lhs, claim.rhs))
    return np.asarray(left - right)
