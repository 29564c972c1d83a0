"""Derivatives in closed form, and the proof in Coq that they are derivatives along a curve."""

from __future__ import annotations

from fractions import Fraction

from ...core.context import apart
from ...core.laws.functions import DERIVATIVES
from ...core.terms import (
    ZERO, Add, Apply, Delta, Diff, Entry, Holds, Index, Mul, Nonzero, Num, Positive, Power, Size, Sum, Term, Whole,
    arrays, free, map_opened, mul, neg, of_same, open_body, over, substitute, sum_over,
)  # fmt: skip
from .signs import INDEX, Signs
from .vocabulary import DEFINED, NAMED, SOME_ENTRIES, NotExported, Vocabulary, outer

LEMMAS = {
    "exp": "D_exp _", "sin": "D_sin _", "cos": "D_cos _", "tanh": "D_tanh _", "sigmoid": "D_sigmoid _",
    "softplus": "D_softplus _", "sinh": "D_sinh _", "cosh": "D_cosh _",
}  # fmt: skip


class Slopes:
    """Terms here are unfolded: no definitions, no derivatives inside."""

    def __init__(self, words: Vocabulary) -> None:
        self.words = words
        self.count = 0
        self.known: dict[tuple[Term, Entry], Term] = {}

    def fresh(self, sizes: tuple[Size, ...]) -> tuple[Index, ...]:
        self.count += len(sizes)
        return tuple(Index(f"~s{self.count - d}", s) for d, s in enumerate(sizes))

    def unfolded(self, t: Term) -> Term:
        """`t` with definitions written out and derivatives in closed form."""
        match t:
            case Entry(array, at) if array in self.words.definitions:
                return self.unfolded(self.words.definitions[array].at(*at))
            case Diff(body, wrt):
                return self.slope(body, wrt)
            case _:
                return map_opened(t, self.unfolded, lambda n: self.fresh((n,))[0])

    def slope(self, body: Term, wrt: Entry) -> Term:
        """∂body/∂wrt in closed form."""
        if (body, wrt) not in self.known:
            self.known[body, wrt] = self.of(self.unfolded(body), wrt)
        return self.known[body, wrt]

    def moves(self, t: Term, wrt: Entry) -> bool:
        inside = arrays(t)
        if any(a != wrt.array and not apart(a, wrt.array, self.words.least) for a in inside):
            raise NotExported("arrays of which one may be another")
        return wrt.array in inside

    def of(self, t: Term, wrt: Entry) -> Term:
        if not self.moves(t, wrt):
            return ZERO
        match t:
            case Entry(_, at):
                return mul(*(Delta(a, b) for a, b in zip(at, wrt.at, strict=True)))
            case Add(args):
                return Add(tuple(self.of(a, wrt) for a in args))
            case Mul((*rest, last)):  # two at a time, as a lemma says it
                return Add((Mul((self.of(mul(*rest), wrt), last)), Mul((*rest, self.of(last, wrt)))))
            case Power(base, q):
                return Mul((Num(q), Power(base, q - 1), self.of(base, wrt)))
            case Apply(fn, arg, order):
                if fn in DERIVATIVES:
                    return Mul((DERIVATIVES[fn](arg)[0], self.of(arg, wrt)))
                return Mul((Apply(fn, arg, order + 1), self.of(arg, wrt)))
            case Sum(size, body, _):
                (i,) = self.fresh((size,))
                return over(i, self.of(open_body(body, (i,)), wrt))
            case Whole(fn, order, sizes, body, at, hints):
                axes = self.fresh(sizes)
                inside = self.of(open_body(body, axes), wrt)
                if t.fn in DEFINED:
                    return slope_of_whole(t, axes, inside)
                outer = Whole(fn, order + 1, sizes, body, (*at, *axes), hints)
                self.words.loss(outer)
                total: Term = Mul((outer, inside))
                for i in reversed(axes):
                    total = over(i, total)
                return total
            case Holds(Positive()):
                return ZERO
            case _:
                raise NotExported(f"the derivative of {t}")


class Derivation:
    """isD t0 (fun t => body) slope, as a term of Coq.  A condition that no sign shows becomes a hypothesis."""

    def __init__(self, words: Vocabulary, slopes: Slopes, signs: Signs, wrt: Entry) -> None:
        self.words, self.slopes, self.signs, self.wrt = words, slopes, signs, wrt
        self.binders = 0

    def of(self, t: Term) -> str:
        if not self.slopes.moves(t, self.wrt):
            return f"(D_cst {self.words.text(t)} t0)"
        match t:
            case Entry(_, at):
                return f"({' '.join(['moved', *map(self.words.at, at)])})"
            case Add(args):
                proof = self.of(args[0])
                for a in args[1:]:
                    proof = f"(D_add {proof} {self.of(a)})"
                return proof
            case Mul((*rest, last)):
                return f"(D_mul {self.of(mul(*rest))} {self.of(last)})"
            case Power(base, q):
                return self.power(base, q)
            case Apply(fn, arg, order):
                inside = f"(g := fun t => {self.at_time(arg)}) (t := t0)"
                return f"(D_comp {inside} {self.function(fn, arg, order)} {self.of(arg)})"
            case Sum(size, body, _):
                return f"(D_sum {self.words.size(size)} {self.opened((size,), body)})"
            case Whole(_, _, sizes, body, at, _) if t.fn in DEFINED:
                opened, n = self.opened(sizes, body), self.words.size(sizes[0])
                return derivation(t, n, [self.words.at(e) for e in at], opened, self.need(condition_of_whole(t)))
            case Whole(_, _, sizes, body, at, _):
                return f"({' '.join([f'D{self.words.loss(t)}', *map(self.words.at, at), self.opened(sizes, body)])})"
            case Holds(Positive(arg)):
                f = f"(f := fun t => {self.at_time(arg)}) (t := t0)"
                return f"(D_step {f} {self.need(Nonzero(arg))} {self.of(arg)})"
            case _:
                raise NotExported(f"the derivative of {t}")

    def opened(self, sizes: tuple[Size, ...], body: Term) -> str:
        """The entries as functions of the time, their derivatives, and why they are: three arguments of a lemma."""
        words = self.words
        axes = tuple(outer(300 + self.binders + d, s) for d, s in enumerate(sizes))
        opened = open_body(body, axes)
        self.binders += len(axes)
        proof = self.of(opened)
        self.binders -= len(axes)
        names = [words.index(a) for a in axes]
        slope = words.text(self.slopes.of(opened, self.wrt))
        moving = f"(fun {' '.join([*names, 't'])} => {self.at_time(opened)})"
        if not axes:
            return f"{moving} {slope} {proof}"
        return f"{moving} (fun {' '.join(names)} => {slope}) (fun {words.bound(*axes)} => {proof})"

    def at_time(self, t: Term) -> str:
        """The text of a term as a function of the time t."""
        self.words.time = "t"
        text = self.words.text(t)
        self.words.time = None
        return text

    def need(self, p: Positive | Nonzero) -> str:
        known = self.signs.prove(p)
        if known is not None:
            return known
        if not self.signs.complete:
            self.signs.add_fact(general(p))
        return self.signs.holds(p)

    def power(self, base: Term, q: Fraction) -> str:
        inside = self.of(base)
        f = f"(f := fun t => {self.at_time(base)}) (t := t0)"
        if q.denominator > 1:
            powers = f"(q := {self.words.rational(q)}) (p := {self.words.rational(q - 1)})"
            return f"(D_pw {f} {powers} {self.need(Positive(base))} {inside} erefl)"
        if q > 0:
            return f"(D_nat {f} (n := {q}) {inside} (erefl : {q - 1}%Z = _))"
        return f"(D_neg {f} (n := {-q}) {self.need(Nonzero(base))} {inside} (erefl : ({q - 1})%Z = _))"

    def function(self, fn: str, arg: Term, order: int) -> str:
        if fn == "log":
            return f"(D_ln {self.need(Positive(arg))})"
        if fn in LEMMAS:
            return f"({LEMMAS[fn]})"
        if fn in DERIVATIVES or fn in NAMED:
            raise NotExported(fn)
        self.words.function(fn, order + 1)
        return f"(D{self.words.function(fn, order)} _)"


def general(p: Positive | Nonzero) -> Positive | Nonzero:
    """The condition for all values of its indices: names of dummies replaced by names of their own."""
    names = {i: Index(f"~e{k}", i.size) for k, i in enumerate(sorted(free(p.term), key=lambda i: i.name))}
    return type(p)(substitute(p.term, dict(names)))


# --- functions of whole arrays that `Arrays.v` defines ---------------------------------------------


def slope_of_whole(w: Whole, axes: tuple[Index, ...], inner: Term) -> Term:
    """∂w, where `inner` is the derivative of the entry of the array at these axes."""
    match w.fn:
        case "max":
            return sum_over(axes, Mul((of_same("argmax", w, axes), inner)))
        case "argmax":
            return ZERO
        case "det":
            return Mul((w, sum_over(axes, Mul((of_same("inv", w, axes[::-1]), inner)))))
        case "inv":
            left, right = of_same("inv", w, (w.at[0], axes[0])), of_same("inv", w, (axes[1], w.at[1]))
            return neg(sum_over(axes, Mul((left, inner, right))))
        case _:
            raise NotExported(f"the derivative of {w.fn} of an array")


def condition_of_whole(w: Whole) -> Positive | Nonzero:
    """Where it has a derivative."""
    return Positive(of_same("gap", w)) if w.fn in SOME_ENTRIES else Nonzero(of_same("det", w))


def derivation(w: Whole, size: str, at: list[str], opened: str, need: str) -> str:
    """Its derivative along a curve, from the entries, their derivatives and why they are (`opened`)."""
    inside = [INDEX] * (1 if w.fn in SOME_ENTRIES else len(at))
    return f"({' '.join([f'@D_{DEFINED[w.fn]} R', size, *at, 't0', opened, *inside, need])})"
