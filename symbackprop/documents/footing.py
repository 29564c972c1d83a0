"""Whether a refutation stands: rounded numbers, values put in for letters, and relations between letters are no
identities."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import TypeAlias, cast

from symbackprop.core.indices import Index
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, SymbackpropError, Term, Whole, arrays, subterms
from symbackprop.numbers import exact_numbers as numbers
from symbackprop.numbers.duals import Position
from symbackprop.numbers.evaluate import decided
from symbackprop.numbers.exact import Evaluation
from symbackprop.numbers.exact_numbers import Undecided, Undefined
from symbackprop.numbers.points import Point, size_at
from symbackprop.read.notes.declared.symbols import ArraySymbol, Declarations
from symbackprop.read.notes.grammar.loosely import COLUMN, ROW
from symbackprop.read.notes.grammar.tree import (
    Call, Derivative, Differential, Dots, Entry, Expr, Function, Gradient, IndexName, Num, Sum, Symbol, Transpose,
)  # fmt: skip
from symbackprop.read.notes.grammar.vocabulary import FACTORIAL, GAMMA
from symbackprop.read.notes.grammar.walking import parts, rewritten, walk
from symbackprop.read.notes.inferred.above import letters
from symbackprop.read.notes.meaning.definitions import definition_of, opened, plain
from symbackprop.read.notes.statements.claims import Claim, elaborate
from symbackprop.read.notes.statements.statements import Reading

SUBSTITUTED = "numbers are put in for letters here, and which letters have these values is not settled"
CONDITION = "it relates letters that nothing here gives, and does not hold for all of them: it reads as a condition"
DOTS = "what the entries between the dots are is not understood"
ROUNDED = "the sides agree as far as their decimals are written out"
EXPECTATIONS = frozenset((r"\mathbb{E}", r"\mathbb{V}", r"\mathbb{P}"))
BARE_SUM = re.compile(r"\\sum(?![A-Za-z])(?!\s*(?:\\limits)?\s*[_^])")
SLOPES = (Derivative, Gradient, Differential)
Known: TypeAlias = tuple[Num, Fraction]
MOST = 24
"""Decimals that are looked at in one statement."""


def without_footing(reading: Reading) -> str:
    """Why a statement that does not hold as it was read is not refuted; "" where it is."""
    lhs, rhs = reading.lhs, reading.rhs
    if lhs is None or rhs is None or not reading.declarations.inferred or reading.kind == "shape":
        return ""
    bare = BARE_SUM.search(reading.formula.text) is not None
    for n in walk((lhs, rhs)):
        match n:
            case Sum() if bare:
                return "over which index the sum runs is not written"
            case Dots():
                return DOTS
            case Symbol(name) if name in EXPECTATIONS:
                return "of an expectation only that it is linear is known here"
            case Function(name) if name in (GAMMA, FACTORIAL):
                return f"of {name} only that it has derivatives is known here"
    closed = [not any(map(is_letter, walk(x))) for x in (lhs, rhs)]
    if all(closed) and (name := property_of(lhs, rhs, reading.declarations)):
        return f"nothing here says what {name} is"
    if all(closed):
        return ROUNDED if rounded(reading) else ""
    if any(closed):
        open_side, number = (rhs, lhs) if closed[0] else (lhs, rhs)
        if decimals(number, reading) or substituted(open_side, number):
            return SUBSTITUTED
    if name := property_of(lhs, rhs, reading.declarations) or lone_loss(lhs, rhs, reading.declarations):
        return f"nothing says what {name} is, and this may say it, or how it is differentiated"
    claimed = reading.quantified or reading.also is not None  # a conclusion is put into its condition
    if not claimed and relates(lhs, rhs, reading.declarations):
        return CONDITION
    return ""


def one_sided(reading: Reading, losses: Collection[str]) -> str:
    """∂L/∂z = p - y of an L that nothing gives: a number of which only one side speaks."""
    if not losses or not reading.declarations.inferred:
        return ""
    claim = elaborate(reading)
    if not isinstance(claim, Claim):
        return ""
    left, right = (wholes(side, claim.context.definitions) for side in (claim.lhs, claim.rhs))
    return next((name for name in sorted(losses) if (name in left) != (name in right)), "")


def wholes(side: Term, definitions: Mapping[Array, Tensor]) -> set[str]:
    """The functions of whole arrays that a side comes to."""
    found, seen, work = set[str](), set[Array](), [side]
    while work:
        term = work.pop()
        found |= {t.fn for t in subterms(term) if isinstance(t, Whole)}
        new = (arrays(term) & definitions.keys()) - seen
        seen |= new
        work += [definitions[a].body for a in new]
    return found


def senseless(reading: Reading) -> str:
    """Why a statement that makes no sense as it was read may make some; "" where it has none."""
    table = reading.declarations
    if any(isinstance(n, IndexName) and n.name in (ROW, COLUMN) for n in walk((reading.lhs, reading.rhs))):
        return DOTS
    lengths = {
        n.name for a in table.arrays.values() if len(a.shape) == 1 for n in walk(a.shape[0]) if isinstance(n, Symbol)
    }
    unsaid = sorted(lengths & table.fresh)
    if len(unsaid) > 1:
        shared = {Symbol(n): Symbol(unsaid[0]) for n in unsaid}
        try:
            elaborate(replace(reading, declarations=replace(table, arrays=renamed(table.arrays, shared))))
        except (SymbackpropError, RecursionError):
            return ""
        return "how long its vectors are is not said, and with one length for all it makes sense"
    return ""


def renamed(arrays: Mapping[str, ArraySymbol], new: Mapping[Symbol, Symbol]) -> dict[str, ArraySymbol]:
    def other(node: object) -> object | None:
        return new.get(node) if isinstance(node, Symbol) else None

    return {k: replace(a, shape=cast(tuple[Expr, ...], rewritten(a.shape, other))) for k, a in arrays.items()}


# --- relations -----------------------------------------------------------------------------------


def property_of(lhs: Expr, rhs: Expr, table: Declarations) -> str:
    """f' = f (1 - f), ∂a/∂z = 1 - a^2 with a = f(z), of an f without a formula: its name.

    Where the other side differentiates f too, or no side f alone, it is said of every f that occurs on both.
    """
    for side, other in ((lhs, rhs), (rhs, lhs)):
        f = slope_of(side, table)
        if f and f not in {slope_of(n, table) for n in walk(other) if isinstance(n, (Call, Derivative, Function))}:
            return f
    left, right = ({n.name for n in walk(x) if isinstance(n, Function) and is_abstract(n, table)} for x in (lhs, rhs))
    for side, other in ((lhs, rhs), (rhs, lhs)):
        moved = {slope_of(n, table) for n in walk(side) if isinstance(n, (Call, Derivative))} - {""}
        plain = {n.function.name for n in walk(other) if isinstance(n, Call) and not n.function.primes}
        if held := (moved & plain & left & right) - differentiated(other):  # f(x + h) = f(x) + h f'(x)
            return min(held)
    if not (left and right) and not any(map(is_letter, (n for x in (lhs, rhs) for n in walk(x)))):
        return min(left | right, default="")  # f'(1) = 2
    if left and right:
        return min(left ^ right, default="")
    sloped = any(isinstance(n, SLOPES) or getattr(n, "primes", 0) for x in (lhs, rhs) for n in walk(x))
    given = {n.name for d in table.definitions for n in walk(d.chain) if isinstance(n, Function)}
    return "" if sloped else min((left | right) - given, default="")  # φ(z) = e^z


def differentiated(side: Expr) -> set[str]:
    """The functions with a prime, or in what a side differentiates."""
    inside = {n.name for d in walk(side) if isinstance(d, SLOPES) for n in walk(d) if isinstance(n, Function)}
    return inside | {n.name for n in walk(side) if isinstance(n, Function) and n.primes}


def slope_of(side: object, table: Declarations) -> str:
    """The function without a formula whose derivative this is, alone."""
    primed = False
    if isinstance(side, Derivative):
        known = definition_of(plain(side.body), table) if isinstance(side.body, Symbol) else None
        side, primed = (known.links[0].rhs if known is not None else side.body), True
    f = side.function if isinstance(side, Call) else side
    return f.name if isinstance(f, Function) and (primed or f.primes) and is_abstract(f, table) else ""


def lone_loss(lhs: Expr, rhs: Expr, table: Declarations) -> str:
    """∂L/∂v = …, of an L without a definition that is differentiated on one side alone: its name."""
    return min(losses(lhs, table) ^ losses(rhs, table), default="")


def losses(side: Expr, table: Declarations) -> set[str]:
    """What nothing gives and is differentiated in a side, or in the definitions that it rests on."""
    bodies = [n.body for n in opened(side, table) if isinstance(n, (Derivative, Gradient))]
    inside = (n for b in bodies for n in opened(b, table))
    called = {n.function.name for n in inside if isinstance(n, Call) and is_loss(n.function, table)}
    names = {b.name for b in bodies if isinstance(b, Symbol) and b.name not in table.functions and alone(b, table)}
    return called | names


def is_loss(f: object, table: Declarations) -> bool:
    known = table.functions.get(f.name) if isinstance(f, Function) else None
    return known is not None and known.kind == "loss" and not known.body and table.inferred


def is_abstract(f: Function, table: Declarations) -> bool:
    known = table.functions.get(f.name)
    return known is not None and not known.body and known.kind in ("elementwise", "abstract")


def relates(lhs: Expr, rhs: Expr, table: Declarations) -> bool:
    """x^2 = 2, A x = b, t = 0, A = A^T: an equation between letters of which nothing says what they are.

    An identity has the same free letters on both sides.  What is differentiated is claimed to have its value.
    """
    if any(isinstance(n, SLOPES) or (isinstance(n, Function) and n.primes) for n in walk((lhs, rhs))):
        return False
    left, right = free_letters(lhs, table), free_letters(rhs, table)
    return bool(left - right and right - left) or not (left and right) or alone(lhs, table) or alone(rhs, table)


def alone(side: Expr, table: Declarations) -> bool:
    """x, x_i, A^T of a letter without a definition."""
    inner = side.arg if isinstance(side, Transpose) else side
    inner = inner.base if isinstance(inner, Entry) else inner
    return isinstance(inner, Symbol) and definition_of(plain(inner), table) is None


def free_letters(side: Expr, table: Declarations) -> set[object]:
    """The letters without a definition that a side is made of."""
    found = set[object]()
    for n in opened(side, table):
        if isinstance(n, Function) and is_abstract(n, table):
            found.add(n.name)
        elif isinstance(n, Function) and (f := table.functions.get(n.name)) is not None:
            found |= {Symbol(x) for x in letters(f.body) - set(f.args) if x in table.arrays}
        elif isinstance(n, Symbol) and alone(n, table):
            found.add(plain(n))
    return found


def is_letter(node: object) -> bool:
    return isinstance(node, (Symbol, IndexName))


# --- numbers -------------------------------------------------------------------------------------


def decimals(node: Expr, reading: Reading) -> list[Known]:
    """The numbers with a decimal point, and half a unit of their last digit."""
    text, out = reading.formula.text, []
    for n in walk(node):
        digits = text[n.span[0] : n.span[1]].partition(".")[2] if isinstance(n, Num) else ""
        if digits.strip("0123456789") == "" != digits:
            out.append((cast(Num, n), Fraction(1, 2 * 10 ** len(digits))))
    return out


def substituted(open_side: Expr, closed: Expr) -> bool:
    """2 (y - t) = 2 (3 - 1): the same formula with numbers in the places of letters."""
    if open_side == closed or isinstance(closed, Num):
        return False
    return type(open_side) is type(closed) and all(pairs(open_side, closed, {}))


def pairs(a: object, b: object, values: dict[object, object]) -> Iterator[bool]:
    if isinstance(a, Symbol):
        yield values.setdefault(a, b) == b
    elif type(a) is not type(b):
        yield False
    elif isinstance(a, tuple):
        yield len(a) == len(cast("tuple[object, ...]", b))
        for x, y in zip(a, cast("tuple[object, ...]", b), strict=False):
            yield from pairs(x, y, values)
    elif (names := parts(type(a))) is not None:
        for name in names:
            yield from pairs(getattr(a, name), getattr(b, name), values)
    else:
        yield a == b


def rounded(reading: Reading) -> bool:
    """Whether the sides may be equal: each decimal is an interval of half a unit of its last digit around it."""
    assert reading.lhs is not None and reading.rhs is not None
    found = [*decimals(reading.lhs, reading), *decimals(reading.rhs, reading)]
    if not 0 < len(found) <= MOST:
        return False
    try:
        claim, known = with_letters(reading, found)
        return not any(apart(claim, known, at) for at in positions(claim))
    except (SymbackpropError, RecursionError, ValueError):
        return False


def with_letters(reading: Reading, found: list[Known]) -> tuple[Claim, dict[Array, Known]]:
    """The claim with a letter in the place of each decimal; which decimal each letter stands for."""
    names = {id(n): f"decimal {k}" for k, (n, _) in enumerate(found)}
    table = reading.declarations
    for name in names.values():
        table = table.with_array(ArraySymbol(name, (), "vector"))

    def letter(node: object) -> Symbol | None:
        return Symbol(names[id(node)]) if id(node) in names else None

    lhs, rhs = (cast(Expr, rewritten(x, letter)) for x in (reading.lhs, reading.rhs))
    claim = elaborate(replace(reading, declarations=table, lhs=lhs, rhs=rhs))
    if not isinstance(claim, Claim):
        raise ValueError
    return claim, {Array(names[id(n)]): (n, half) for n, half in found}


def positions(claim: Claim) -> Iterator[dict[Index, int]]:
    for at in product(*(range(size_at(i.size, {})) for i in claim.free)):
        yield dict(zip(claim.free, at, strict=True))


def apart(claim: Claim, known: dict[Array, Known], at: dict[Index, int]) -> bool:
    """Whether the sides certainly differ at an entry."""

    def ask() -> bool:
        values: dict[Array, dict[Position, numbers.Number]] = {
            a: {(): numbers.around(n.value, half)} for a, (n, half) in known.items()
        }
        evaluation = Evaluation(Point(arrays=values, indices=at, definitions=claim.context.definitions), None, True)
        return numbers.sign(numbers.plus(evaluation.at(claim.lhs), minus(evaluation.at(claim.rhs)))) != 0

    try:
        return decided(ask)
    except (Undecided, Undefined):
        return False


def minus(x: numbers.Number) -> numbers.Number:
    return numbers.times(Fraction(-1), x)
