"""Parts of a planned derivation: indices, sums put together, a derivative worked out law by law, and why.

Each line of it is proved to be the derivative.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.core.context import EMPTY, Context
from symbackprop.core.functions import FUNCTIONS
from symbackprop.core.indices import Index, IndexExpr, ProofError, Size
from symbackprop.core.laws.derivatives import ARRAY_FUNCTIONS
from symbackprop.core.terms import (
    ONE, ZERO, Add, Apply, Array, Delta, Diff, Entry, Holds, Mul, Num, Positive, Power, Sum, Term, Whole, add,
    arguments, arrays, dummy, map_opened, map_parts, mul, neg, opened, opened_whole, over, subterms, sum_over,
)  # fmt: skip
from symbackprop.prove.differentiate import slope_of
from symbackprop.prove.equality import has_derivative, prove_equal
from symbackprop.prove.normal_form.normal import Normal
from symbackprop.prove.rewriting import everywhere, repeated, unfolding
from symbackprop.prove.working_out import Tidy
from symbackprop.read.numpy import UNIT, ZERO_AT, Node
from symbackprop.write.paper.array_text import LETTERS
from symbackprop.write.paper.term_parts import split_number


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

    def __call__(self, shape: Sequence[Size], *avoid: Index) -> tuple[tuple[Index, ...], tuple[IndexExpr, ...]]:
        """Indices for the axes longer than 1, and the index expressions of all axes."""
        used = {*self.taken, *(i.name for i in avoid)}
        names: list[str] = []
        for size in shape:
            if size != UNIT:
                names.append(next((x for x in self.pool(size) if x not in used), f"i{len(names) + 1}"))
                used.add(names[-1])
        return indices(shape, names)


def simpler(t: Term) -> Term:
    """exp(log(u)) as u, u/u as 1: what a program computes for the sake of its range, or rule by rule."""
    if isinstance(t, Add | Mul | Power | Apply | Sum):
        t = map_parts(t, simpler)
    match t:
        case Mul():
            c, factors = split_number(t)
            while (rest := without_opposites(factors) or in_sigmoids(factors)) is not None:
                factors = rest
            return mul(*[Num(c)] * (c != 1 or not factors), *factors)
        case Power(Mul() as base, q) if q.denominator == 1:
            c, rest = split_number(base)
            return mul(Num(c ** int(q)), Power(mul(*rest), q)) if c != 1 and rest else t
        case Apply("exp", Apply("log", u, 0), 0):
            return u
        case _:
            return t


def put_together(t: Term) -> Term:
    """Multiplied out, with like terms added; as it is where that is no sum of products."""
    try:
        return Tidy()(Normal(EMPTY).of(t)[0])
    except ProofError:
        return simpler(Tidy()(t))


def without_opposites(args: tuple[Term, ...]) -> tuple[Term, ...] | None:
    """Factors without u and 1/u."""
    for k, a in enumerate(args):
        if isinstance(a, Power) and a.exponent == -1 and a.base in args:
            return but(args, k, args.index(a.base))
    return None


def in_sigmoids(args: tuple[Term, ...]) -> tuple[Term, ...] | None:
    """With σ(u) in place of exp(u) and 1/(1 + exp(u))."""
    for k, a in enumerate(args):
        if isinstance(a, Power) and a.exponent == -1 and isinstance(a.base, Add) and len(a.base.args) == 2:
            e = next((x for x in a.base.args if isinstance(x, Apply) and x.fn == "exp"), None)
            if e is not None and ONE in a.base.args and e in args:
                return Apply("sigmoid", e.arg), *but(args, k, args.index(e))
    return None


def but(args: tuple[Term, ...], *places: int) -> tuple[Term, ...]:
    return tuple(a for k, a in enumerate(args) if k not in places)


def has_delta(t: Term) -> bool:
    return any(isinstance(s, Delta) for s in subterms(t))


# --- |u| and max(0, u), which terms write as u times steps ------------------------------------------


def signed(t: Term) -> Term | None:
    """u of [u > 0] - [-u > 0]."""
    match t:
        case Add((Holds(Positive(u)), Mul((Num(c), Holds(Positive(v)))))) if c == -1 and same(neg(u), v):
            return u
        case _:
            return None


def absolute(args: Sequence[Term]) -> tuple[Term, list[Term]] | None:
    """u where u and its sign are among factors, and the other factors."""
    return beside(args, [signed(a) if isinstance(a, Add) else None for a in args])


def positive_part(args: Sequence[Term]) -> tuple[Term, list[Term]] | None:
    """u where u and [u > 0] are among factors, and the other factors."""
    return beside(args, [a.predicate.term if isinstance(a, Holds) and isinstance(a.predicate, Positive) else None
                         for a in args])  # fmt: skip


def same(a: Term, b: Term) -> bool:
    """Equal but for the order of summands."""
    if a == b:
        return True
    try:
        a, b = Tidy()(a), Tidy()(b)
    except ProofError:  # inside a sum, whose index means nothing by itself
        return False
    return a == b or (isinstance(a, Add) and isinstance(b, Add) and Counter(a.args) == Counter(b.args))


def beside(args: Sequence[Term], steps: Sequence[Term | None]) -> tuple[Term, list[Term]] | None:
    for k, u in enumerate(steps):
        if u is not None:
            j = next((j for j, a in enumerate(args) if j != k and same(a, u)), None)
            if j is not None:
                return u, list(but(tuple(args), j, k))
    return None


# --- a derivative law by law ------------------------------------------------------------------------

Said = Callable[[Array], str]


def worked(body: Term, wrt: Entry, result: Term, said: Said) -> list[tuple[Term, str]]:
    """From ∂(body)/∂wrt to the result, each with the reason for it; nothing where no law says all of it.

    `said` gives the name of an array as it stands in a reason.
    """
    lines = law_by_law(body, wrt, said)
    return [*lines, *ending(lines[-1][0], result, said)] if lines else []


def law_by_law(body: Term, wrt: Entry, said: Said, context: Context = EMPTY) -> list[tuple[Term, str]]:
    """The same as far as no derivative is left."""
    lines: list[tuple[Term, str]] = [(Diff(body, wrt), "")]
    laws = Laws(wrt, context)
    for law, reason in ((laws.term_by_term, of_terms), (laws.through, of_functions), (laws.of_entry, of_entries)):
        term = lines[-1][0]
        found = with_slopes(term, law)
        if found != term:
            plain = everywhere(term, repeated(unfolding()), context) if law == laws.through else None
            lines.append((found, reason(term if plain is None else plain[0], laws, said)))
    last = lines[-1][0]
    return [] if has_derivative(last) or any(prove_equal(t, last, context) is None for t, _ in lines[:-1]) else lines


def with_slopes(t: Term, law: Callable[[Term], Term]) -> Term:
    """By the law for each derivative in it."""
    return law(t.body) if isinstance(t, Diff) else map_opened(t, lambda s: with_slopes(s, law))


@dataclass(frozen=True, slots=True)
class Laws:
    """∂t/∂wrt as it is written on paper; what the context defines is opened where it is differentiated."""

    wrt: Entry
    context: Context

    def term_by_term(self, t: Term) -> Term:
        """As sums of derivatives, without those of what does not depend on the variable."""
        return self.linear(t, self.term_by_term)

    def through(self, t: Term) -> Term:
        """The same through all functions, down to the derivatives of entries."""
        match t:
            case Entry(array, at) if array in self.context.definitions:
                return self.through(self.context.definitions[array].at(*at))
            case Power(base, q):
                return Mul((Num(q), base if q == 2 else Power(base, q - 1), self.through(base)))
            case Apply(_, arg):
                return Mul((slope_of(t), self.through(arg)))
            case Whole(fn, order, sizes, body, at, hints) if fn not in ARRAY_FUNCTIONS:
                axes = tuple(map(dummy, sizes))
                slope = Whole(fn, order + 1, sizes, body, (*at, *axes), hints)
                return sum_over(axes, Mul((slope, self.through(opened_whole(t, axes)))))
            case _:
                return self.linear(t, self.through)

    def linear(self, t: Term, inside: Callable[[Term], Term]) -> Term:
        match t:
            case Sum(size, _, letter):
                i = dummy(size, letter)
                return over(i, inside(opened(t, i)))
            case Add(args):
                return add(*(inside(a) for a in args if self.moves(a)))
            case Mul(args):
                moving = [k for k, a in enumerate(args) if self.moves(a)]
                return add(*(Mul((*args[:k], inside(args[k]), *args[k + 1 :])) for k in moving))
            case _:
                return Diff(t, self.wrt)

    def of_entry(self, t: Term) -> Term:
        """∂w_ab/∂w_jk = δ_aj δ_bk: the entries of a variable are independent."""
        if not isinstance(t, Entry):
            return Diff(t, self.wrt)
        deltas = (Delta(a, b) for a, b in zip(t.at, self.wrt.at, strict=True))
        return mul(*deltas) if t.array == self.wrt.array else ZERO

    def moves(self, t: Term) -> bool:
        """The variable occurs in it, or in what it is defined by."""
        return any(map(self.moved, arrays(t)))

    def moved(self, a: Array) -> bool:
        known = self.context.definitions
        return a == self.wrt.array or (a in known and self.moves(known[a].body))


def ending(last: Term, result: Term, said: Said) -> Iterator[tuple[Term, str]]:
    contracted = Tidy()(last)
    more = sorted(arrays(result) - arrays(last), key=str)
    if has_delta(last) and (more or contracted != Tidy()(result)):
        yield contracted, "the deltas contract"
    elif not more:
        yield result, "the deltas contract" if has_delta(last) else "put together"
        return
    yield result, f"the definition of {listed([said(a) for a in more])}, read backwards" if more else "put together"


# --- reasons -------------------------------------------------------------------------------------


def of_terms(t: Term, laws: Laws, said: Said) -> str:
    assert isinstance(t, Diff)
    products = [s for s in subterms(t.body) if isinstance(s, Mul)]
    if any(sum(map(laws.moves, s.args)) > 1 for s in products):
        return "the product rule"
    others = [said(a) for a in sorted(arrays(t.body), key=str) if not laws.moved(a)]
    if not others:
        return "the derivative of a sum is the sum of the derivatives"
    return f"{listed(others)} {'does' if len(others) == 1 else 'do'} not depend on {said(laws.wrt.array)}"


def of_functions(t: Term, laws: Laws, said: Said) -> str:
    """The chain rule, with the derivatives of the functions that it is used for."""
    inner = [s.body for s in subterms(t) if isinstance(s, Diff)]
    inside = [s for b in inner for s in subterms(b) if laws.moves(s)]
    functions = dict.fromkeys(s.fn for s in inside if isinstance(s, Apply))
    reasons = [FUNCTIONS[f].slope if f in FUNCTIONS else f"the derivative of {f}" for f in functions]
    reasons += ["the chain rule"] * any(isinstance(s, Whole) and s.fn not in ARRAY_FUNCTIONS for s in inside)
    powers = [s for s in inside if isinstance(s, Power)]
    reasons += ["the rule of reciprocals"] * any(s.exponent < 0 for s in powers)
    reasons += ["the power rule"] * any(s.exponent > 0 for s in powers)
    nested = any(isinstance(s, Apply | Power) and not isinstance(base_of(s), Entry) for s in inside)
    named = nested and reasons and "the chain rule" not in reasons
    return ("the chain rule: " if named else "") + (listed(reasons) or "term by term")


def base_of(t: Apply | Power) -> Term:
    return t.arg if isinstance(t, Apply) else t.base


def of_entries(t: Term, laws: Laws, said: Said) -> str:
    del t
    name = said(laws.wrt.array)
    return f"the entries of {name} are independent of each other" if laws.wrt.at else "a variable by itself"


def listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def of_derivative(form: str, body: Term, by: Node, said: Said) -> str:
    """`form` is the compact form that gave the derivative, if one did; `body` the definition that is differentiated."""
    if form:
        return f"the Jacobian of {form.replace('_', ' ')}"
    variable = by.array
    functions = [s for s in subterms(body) if isinstance(s, Apply) and variable in arrays(s.arg)]
    if functions:
        fn = functions[0].fn
        return FUNCTIONS[fn].slope if fn in FUNCTIONS else f"the derivative of {fn}"
    if any(isinstance(s, Holds) and variable in arrays(s) for s in subterms(body)):
        return of_steps(body)
    powers = [s for s in subterms(body) if isinstance(s, Power) and variable in arrays(s.base)]
    if any(s.exponent < 0 for s in powers):
        return "quotient rule"
    if powers:
        return "power rule"
    unknown = [s.fn for s in subterms(body) if isinstance(s, Whole) and variable in arrays(s) and len(s.fn) == 1]
    if unknown:
        return f"the derivative of {unknown[0]}"
    match degree(body, variable):
        case 0 | 1:
            return f"linear in {said(variable)}"
        case 2:
            return "product rule"
        case _:
            return f"by {said(variable)}, step by step"


def of_steps(body: Term) -> str:
    """max(0, u) and |u| as products of u with steps."""
    for s in subterms(body):
        if isinstance(s, Mul) and absolute(s.args) is not None:
            return "|u|' = sign u"
        if isinstance(s, Mul) and positive_part(s.args) is not None:
            return "max(0, u)' = [u > 0]"
    return "[u > 0] is constant on each side of 0"


def degree(t: Term, variable: Array) -> int:
    """How often the variable stands in one product; 9 inside a function of whole arrays."""
    match t:
        case Entry(array, _):
            return int(array == variable)
        case Add(args):
            return max((degree(a, variable) for a in args), default=0)
        case Mul(args):
            return sum(degree(a, variable) for a in args)
        case Sum(_, body, _):
            return degree(body, variable)
        case _:
            return 9 if variable in arrays(t) else max((degree(a, variable) for a in arguments(t)), default=0)
