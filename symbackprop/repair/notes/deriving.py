"""The derivative in the author's notation: reverse mode over his own formulas, with his names for what is between.

Nothing here is trusted: what comes out is printed, read again and proved like any other formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy as sp

from symbackprop.core.terms import SymbackpropError
from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.grammar.rewriting import transposed
from symbackprop.read.notes.grammar.tree import (
    Add, Call, Derivative, Expr, Function, Gradient, Hadamard, Identity, Inner, Neg, Norm, Num, Power, Product,
    Quotient, Symbol, Transpose,
)  # fmt: skip
from symbackprop.read.notes.grammar.walking import product_of, walk
from symbackprop.read.notes.inferred.conform import Shapes
from symbackprop.read.notes.inferred.conform_operations import ANY, LONE, Misfit
from symbackprop.read.notes.meaning.definitions import definition_of, plain, symbols


class NoRule(SymbackpropError):
    """An operation that has no rule here."""


def derivatives(fixed: Expr, decl: Declarations) -> Iterator[Expr]:
    """What a derivative may be: the gradient of a number, the Jacobian of a vector, the Hessian; and its transpose."""
    match fixed:
        case Derivative(body, (Symbol() as wrt, *rest)) if len(rest) < 2 and all(r == wrt for r in rest):
            run, again = Reverse(decl, plain(wrt)), bool(rest)
        case Gradient(body, Symbol() as wrt):
            run, again = Reverse(decl, plain(wrt)), False
        case _:
            return
    try:
        whole = Reverse(decl, run.wrt).gradient(body) if again else body
        found = run.shortened(run.jacobian(whole) if again or not run.lone(body) else run.gradient(body))
        yield found
        yield run.transposed(found)
    except (NoRule, Misfit, SymbackpropError, RecursionError):
        return


@dataclass(slots=True)
class Reverse:
    decl: Declarations
    wrt: Symbol
    parts: dict[Symbol, list[Expr]] = field(default_factory=dict)

    # --- the gradient of a number --------------------------------------------------------------

    def gradient(self, body: Expr) -> Expr:
        self.down(body, ONE)
        for s in self.order(body):
            if s != self.wrt and s in self.parts:
                self.down(self.meaning(s), plus(self.parts[s]))
        if self.wrt not in self.parts:
            raise NoRule("it does not depend on that")
        return plus(self.parts[self.wrt])

    def order(self, body: Expr) -> list[Symbol]:
        """The symbols behind a formula, each before those that its definition rests on."""
        out: list[Symbol] = []

        def visit(node: Expr) -> None:
            for s in symbols(node):
                if s not in out:
                    meaning = self.known(s)
                    if meaning is not None:
                        visit(meaning)
                    out.append(s)

        visit(body)
        return out[::-1]

    def known(self, s: Symbol) -> Expr | None:
        chain = definition_of(s, self.decl) if s != self.wrt else None
        if chain is None:
            return None
        if not isinstance(chain.subjects[-1], Symbol):
            raise NoRule("a definition by entries")
        return chain.links[0].rhs

    def meaning(self, s: Symbol) -> Expr:
        found = self.known(s)
        if found is None:
            raise NoRule(s.name)
        return found

    def reaches(self, node: Expr) -> bool:
        return any(s == self.wrt or ((m := self.known(s)) is not None and self.reaches(m)) for s in symbols(node))

    def down(self, node: Expr, g: Expr) -> None:
        """From the slope by a formula to those by its parts."""
        if not self.reaches(node):
            return
        match node:
            case Symbol():
                self.parts.setdefault(plain(node), []).append(g)
            case Neg(arg):
                self.down(arg, negated(g))
            case Add(args):
                for a in args:
                    if self.lone(a) != self.lone(node) and self.reaches(a):
                        raise NoRule("a number added to each entry")
                    self.down(a, g)
            case Product(args):
                self.product(args, g, self.lone(node))
            case Hadamard(args):
                for k, a in enumerate(args):
                    self.down(a, joined(g, *args[:k], *args[k + 1 :]))
            case Transpose(arg):
                self.down(arg, self.transposed(g))
            case Inner(left, right):
                self.down(left, times(g, right))
                self.down(right, times(g, left))
            case Quotient(top, bottom) if self.lone(bottom):
                self.down(top, quotient(g, bottom))
                if self.reaches(bottom):
                    if not self.lone(top):
                        raise NoRule("an array over a number")
                    self.down(bottom, negated(quotient(times(g, top), power(bottom, 2))))
            case Power(Norm(arg, "2" | "F"), Num(Fraction(numerator=2, denominator=1))):
                self.down(arg, times(TWO, g, arg))
            case Norm(arg, "2" | "F"):
                self.down(arg, quotient(times(g, arg), node))
            case Power(base, Num(n)) if self.lone(base) or node.elementwise or 1 in self.axes(base):
                self.down(base, self.along(g, times(Num(n), power(base, n - 1)), node))
            case Call(Function(name, 0, None), (arg,)):
                self.call(name, node, arg, g)
            case _:
                raise NoRule(type(node).__name__)

    def product(self, args: tuple[Expr, ...], g: Expr, lone: bool) -> None:
        arrays = [k for k, a in enumerate(args) if not self.lone(a)]
        for k, a in enumerate(args):
            if not self.reaches(a):
                continue
            numbers = [b for j, b in enumerate(args) if j not in arrays and j != k]
            if k not in arrays:
                others = [args[j] for j in arrays]
                if lone:
                    self.down(a, times(*numbers, g, *others))
                elif len(others) == 1 and 1 in self.axes(others[0]):
                    self.down(a, times(*numbers, self.transposed(g), others[0]))
                else:
                    raise NoRule("a number before a matrix")
                continue
            before = [self.transposed(args[j]) for j in reversed(arrays) if j < k]
            after = [self.transposed(args[j]) for j in reversed(arrays) if j > k]
            self.down(a, times(*numbers, *before, g, *after))

    def call(self, name: str, node: Call, arg: Expr, g: Expr) -> None:
        if name == "tr":
            self.down(arg, times(g, Identity()))
        elif name == "log" and isinstance(arg, Call) and arg.function.name == "det":
            self.down(arg.args[0], times(g, self.transposed(Power(arg.args[0], Num(Fraction(-1))))))
        else:
            self.down(arg, self.along(g, self.slope(name, node, arg), node))

    def along(self, g: Expr, slope: Expr, node: Expr) -> Expr:
        return times(g, slope) if self.lone(node) else joined(g, slope)

    def slope(self, name: str, node: Expr, arg: Expr) -> Expr:
        """Of a function of each entry; by its value where that has a name."""
        value = self.named(node)
        match name:
            case "tanh":
                return minus(ONE, power(value, 2))
            case "exp":
                return value
            case "log":
                return quotient(ONE, arg)
            case "sin":
                return Call(Function("cos"), (arg,))
            case "cos":
                return negated(Call(Function("sin"), (arg,)))
        if self.logistic(name):
            other = minus(ONE, value)
            return times(value, other) if self.lone(arg) else joined(value, other)
        known = self.decl.functions.get(name)
        if known is None or known.kind != "elementwise":
            raise NoRule(name)
        return Call(Function(name, 1), (arg,))

    def logistic(self, name: str) -> bool:
        known = self.decl.functions.get(name)
        body = "" if known is None else "".join(known.body.split()).replace("\\frac1", "\\frac{1}")
        return name in ("sigmoid", "logistic") or body.startswith(("\\frac{1}{1+e^{-", "\\frac{1}{1+\\exp(-"))

    def named(self, node: Expr) -> Expr:
        for d in self.decl.definitions:
            if d.chain.links[0].rhs == node and isinstance(d.chain.subjects[-1], Symbol):
                return d.chain.subjects[-1]
        return node

    # --- the Jacobian of a vector ----------------------------------------------------------------

    def jacobian(self, node: Expr) -> Expr:
        """A row for each entry."""
        match node:
            case Symbol() if plain(node) == self.wrt:
                return Identity()
            case Symbol():
                return self.jacobian(self.meaning(plain(node)))
            case Neg(arg):
                return negated(self.jacobian(arg))
            case Add(args):
                return plus([self.jacobian(a) for a in args if self.reaches(a)])
            case Product(args) if all(not self.reaches(a) for a in args[:-1]):
                return times(*args[:-1], self.jacobian(args[-1]))
            case Product(args) if self.lone(args[0]) and all(not self.reaches(a) for a in args[1:]):
                slope = Reverse(self.decl, self.wrt).gradient(args[0])
                return times(*args[1:], self.transposed(slope))
            case Call(Function(name, 0, None), (arg,)):
                diagonal = Call(Function("diag"), (self.slope(name, node, arg),))
                return times(diagonal, self.jacobian(arg))
            case _:
                raise NoRule(type(node).__name__)

    def transposed(self, node: Expr) -> Expr:
        if isinstance(node, (Num, Identity)) or self.lone(node):
            return node
        return transposed(node, self.decl, self.transposed)

    def shortened(self, node: Expr) -> Expr:
        """With its numbers as one fraction in lowest terms."""
        match node:
            case Neg(arg):
                return negated(self.shortened(arg))
            case Add(args) if not self.lone(node):
                return plus([self.shortened(a) for a in args])
            case Product(args) if not self.lone(node):
                numbers = [a for a in args if self.lone(a)]
                arrays = [a for a in args if not self.lone(a)]
                return times(in_lowest_terms(times(*numbers), self.lone), *arrays) if len(numbers) > 1 else node
            case _:
                return in_lowest_terms(node, self.lone) if self.lone(node) else node

    def lone(self, node: Expr) -> bool:
        return self.axes(node) == LONE

    def axes(self, node: Expr) -> tuple[object, ...]:
        found = Shapes(self.decl).of(node)
        if found is ANY or len(found) == 3:
            raise NoRule("no shape")
        return found


# --- formulas put together and kept short: numbers in front as one, like terms together, fractions in lowest terms ---


ONE, TWO = Num(Fraction(1)), Num(Fraction(2))


def times(*factors: Expr) -> Expr:
    """The product, its numbers in front as one."""
    number, out = Fraction(1), list[Expr]()
    for f in flat(factors):
        match f:
            case Num(value):
                number *= value
            case Quotient(Num(a), Num(b)):
                number *= a / b
            case Neg(arg):
                number, out = -number, [*out, arg]
            case _:
                out.append(f)
    if len(out) > 1:
        out = [f for f in out if not isinstance(f, Identity)] or [Identity()]
    body = product_of(out) if out else ONE
    if number < 0:
        return negated(times(Num(-number), *out))
    if number == 1:
        return body
    top, bottom = (Num(Fraction(n)) for n in number.as_integer_ratio())
    front = quotient(top, bottom)
    return product_of([front, *out])


def flat(factors: tuple[Expr, ...]) -> Iterator[Expr]:
    for f in factors:
        if isinstance(f, Product):
            yield from flat(f.args)
        else:
            yield f


def joined(*factors: Expr) -> Expr:
    """The entrywise product."""
    numbers = [f for f in factors if isinstance(f, Num)]
    arrays: list[Expr] = []
    for f in factors:
        match f:
            case Num():
                continue
            case Product((Num() as n, *rest), _):
                numbers.append(n)
                arrays.append(times(*rest))
            case Hadamard(args):
                arrays.extend(args)
            case _:
                arrays.append(f)
    return times(*numbers, arrays[0] if len(arrays) == 1 else Hadamard(tuple(arrays)))


def plus(args: list[Expr]) -> Expr:
    merged: dict[Expr, Fraction] = {}
    for a in args:
        for one in a.args if isinstance(a, Add) else (a,):
            number, body = split(one)
            merged[body] = merged.get(body, Fraction(0)) + number
    out = [times(Num(n), body) for body, n in merged.items() if n]
    return out[0] if len(out) == 1 else Add(tuple(out)) if out else Num(Fraction(0))


def split(node: Expr) -> tuple[Fraction, Expr]:
    match node:
        case Neg(arg):
            number, body = split(arg)
            return -number, body
        case Product((Num(n), *rest), _):
            return n, times(*rest)
        case _:
            return Fraction(1), node


def minus(a: Expr, b: Expr) -> Expr:
    return Add((a, Neg(b)))


def negated(node: Expr) -> Expr:
    match node:
        case Neg(arg):
            return arg
        case Add(args):
            return Add(tuple(sorted(map(negated, args), key=lambda a: isinstance(a, Neg))))
        case Num(n):
            return Num(-n)
        case _:
            return Neg(node)


def in_lowest_terms(node: Expr, number: Callable[[Expr], bool]) -> Expr:
    """Of a formula in numbers: what stands between + - · / and powers counts as a letter."""
    atoms: dict[Expr, sp.Symbol] = {}

    def to(e: Expr) -> Any:
        match e:
            case Num(n):
                return sp.Rational(n.numerator, n.denominator)
            case Neg(arg):
                return -to(arg)
            case Add(args):
                return sp.Add(*map(to, args))
            case Product(args) if all(map(number, args)):  # of x^T A x nothing cancels
                return sp.Mul(*map(to, args))
            case Quotient(top, bottom):
                return to(top) / to(bottom)
            case Power(base, Num(n)) if n.denominator == 1 and abs(n) <= 4:
                return to(base) ** int(n)
            case _:
                return atoms.setdefault(e, sp.Symbol(f"v{len(atoms)}", commutative=True))

    value = to(node)
    if not any(isinstance(n, (Quotient, Add)) for n in walk(node)) or len(atoms) > 8:
        return node
    back = {v: k for k, v in atoms.items()}

    def of(e: Any) -> Expr:
        if e.is_Rational:
            return quotient(Num(Fraction(int(e.p))), Num(Fraction(int(e.q))))
        if e.is_Add:
            return negated(negated(plus([of(a) for a in e.args])))
        if e.is_Mul:
            top, bottom = e.as_numer_denom()
            if bottom != 1:
                return quotient(of(top), of(bottom))
            return times(*map(of, e.args))
        if e.is_Pow:
            return power(of(e.base), int(e.exp)) if e.exp > 0 else quotient(ONE, power(of(e.base), -int(e.exp)))
        return back[e]

    short = of(sp.factor_terms(sp.cancel(value)))
    return short if sum(1 for _ in walk(short)) < sum(1 for _ in walk(node)) else node


def power(base: Expr, n: Fraction | int) -> Expr:
    return base if n == 1 else ONE if n == 0 else Power(base, Num(Fraction(n)))


def quotient(top: Expr, bottom: Expr) -> Expr:
    return top if bottom == ONE else Quotient(top, bottom)
