"""The proof kernel: `check` reads a proof and returns the equation it proves.

A proof is plain data (`proofs.py`), which the prover builds and LaTeX prints.  The kernel does not search:
it instantiates laws, replaces equals by equals, and adds up equations.

An equation says: for all sizes (whole numbers from 1 on), all values of arrays and all values of its free indices,
wherever the conditions hold for all values of theirs, and under the hypotheses named, both sides are equal.

By this the prover checks what it builds: `check` believes that what it is given are nodes and steps, well-formed and
closed.  A theorem is only what the independent checker accepts besides (`theorem.py`), which shares no line with this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import assert_never

from symbackprop.core.context import EMPTY, Context, Equation, Recursion, terms_of
from symbackprop.core.indices import Least, Size, at_least_zero, nodes, refusing, sized, with_symbols
from symbackprop.core.laws.registry import instance
from symbackprop.core.proofs import (
    By, Chain, Digits, EveryDepth, Flip, Inside, Instance, Let, Linear, Proof, Rephrase, UnderDiff, UnderSum,
    UnderWhole, Values,
)  # fmt: skip
from symbackprop.core.region import Smoothness
from symbackprop.core.signs import Signs, says, within
from symbackprop.core.sums import Expansion, Monomial, collect, for_all
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE, PI, Array, Diff, Entry, Index, IndexExpr, Mul, NonNegative, Predicate, Sum, Term, Whole, affine, arguments,
    arrays, free, fresh_axes, open_body, over, rebuilt, require, substitute, whole,
)  # fmt: skip

__all__ = [
    "By", "Chain", "Digits", "EveryDepth", "Flip", "Inside", "Instance", "Let", "Linear", "Proof", "Rephrase",
    "Seen", "UnderDiff", "UnderSum", "UnderWhole", "Values", "check", "variable",
]  # fmt: skip


class Seen:
    """What was checked under one context: a proof that several steps share is checked once."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.smooth = Smoothness(context)
        self.equations: dict[int, tuple[Proof, Equation]] = {}  # the proof is kept, so that its id stays its own
        self.inside: dict[Array, tuple[Tensor, Seen]] = {}

    def within(self, array: Array, meaning: Tensor) -> Seen:
        """What was checked with one name more in scope."""
        if array not in self.inside or self.inside[array][0] != meaning:
            known = self.context
            wider = Context({**known.definitions, array: meaning}, known.hypotheses, known.least)
            self.inside[array] = meaning, Seen(wider)
        return self.inside[array][1]


def check(proof: Proof, context: Context = EMPTY, seen: Seen | None = None) -> Equation:
    """The equation that `proof` proves, with the conditions that signs do not discharge.

    `seen`, if given, remembers what this function checked, for further proofs under the same context that share
    parts.  What it remembers is believed: whoever did not fill it himself checks without it.

    Raises ProofError at the first step that does not follow, and where something is no proof.
    """
    with refusing("proof"):
        require(seen is None or seen.context is context, "checked under another context")
        return discharged(_check(proof, seen or Seen(context)), context)


def discharged(eq: Equation, context: Context) -> Equation:
    """The equation without the conditions that are plain from the signs of terms and the hypotheses."""
    signs = Signs(context)
    kept = frozenset(c for c in eq.conditions if not signs.holds(c))
    return Equation(eq.lhs, eq.rhs, kept, eq.hypotheses | signs.used)


def _check(proof: Proof, seen: Seen) -> Equation:
    if id(proof) not in seen.equations:
        eq = _check_one(proof, seen)
        seen.equations[id(proof)] = proof, eq
    return seen.equations[id(proof)][1]


def _check_one(proof: Proof, seen: Seen) -> Equation:
    context, least = seen.context, seen.context.least
    require(context.recursion is None or isinstance(proof, EveryDepth), "nothing else is known of layers")
    match proof:
        case By(law, args):
            eq = instance(law, context, args)
            conditions = eq.conditions
            if isinstance(eq.lhs, Diff):
                conditions |= differentiable(eq.lhs.body, eq.lhs.wrt, seen)
            return Equation(eq.lhs, eq.rhs, frozenset(map(for_all, conditions)), eq.hypotheses)
        case Chain(first, rest):
            total = _check(first, seen)
            for eq in (_check(p, seen) for p in rest):
                require(eq.lhs == total.rhs, "{} does not follow {}", eq.lhs, total.rhs)
                total = joined(total.lhs, eq.rhs, (total, eq), least)
            return total
        case Flip(inner):
            eq = _check(inner, seen)
            return joined(eq.rhs, eq.lhs, (eq,), least)
        case Inside(term, parts):
            found = [(k, _check(p, seen)) for k, p in parts]
            children = list(arguments(term))
            for k, eq in found:
                require(children[k] == eq.lhs, "argument {} of {} is not {}", k, term, eq.lhs)
                children[k] = eq.rhs
            return joined(term, rebuilt(term, tuple(children)), [eq for _, eq in found], least)
        case UnderSum(i, inner):
            eq = _check(inner, seen)
            return joined(over(i, eq.lhs), over(i, eq.rhs), (eq,), least, (i,))
        case UnderWhole(fn, order, axes, at, inner):
            eq = _check(inner, seen)
            sides = (whole(fn, order, axes, side, at) for side in (eq.lhs, eq.rhs))
            return joined(next(sides), next(sides), (eq,), least, axes)
        case UnderDiff(wrt, inner):
            variable(context, wrt)
            eq = _check(inner, seen)
            assumed = (context.hypotheses[name] for name in sorted(eq.hypotheses))
            open_ones = (c for c in eq.conditions if not Signs(Context(least=least)).holds(c))  # others hold everywhere
            needs = (seen.smooth.around(p, wrt.array) for p in (*assumed, *open_ones))
            both = joined(Diff(eq.lhs, wrt), Diff(eq.rhs, wrt), (eq,), least)
            conditions = both.conditions.union(*(map(for_all, n) for n in needs))
            return Equation(both.lhs, both.rhs, conditions, both.hypotheses)
        case Instance(given, inner):
            eq = _check(inner, seen)
            require(all(within(e, i.size, least) for i, e in given), "an index may leave its range")
            lhs, rhs = (substitute(side, dict(given)) for side in (eq.lhs, eq.rhs))
            return joined(lhs, rhs, (eq,), least, [i for i, _ in given])
        case Linear(lhs, rhs, steps):
            return linear(lhs, rhs, [(d, f, _check(p, seen)) for d, f, p in steps], least)
        case Values(i, lhs, rhs, each):
            require(i.size.constant == len(each) > 0, "{} has {} values, not {}", i.name, i.size, len(each))
            equations = [_check(p, seen) for p in each]
            for v, eq in enumerate(equations):
                proves_at(i, affine(v, ()), lhs, rhs, eq)
            return joined(lhs, rhs, equations, least)
        case Digits(i, lhs, rhs, q, r, inner):
            require(i.size == q.size * r.size, "{} has {} values, not {} times {}", i.name, i.size, q.size, r.size)
            require(all(at_least_zero(x.size, least) for x in (q, r)), "a size may be negative")
            require(q != r and {q, r}.isdisjoint(free(lhs) | free(rhs)), "a digit is in use")
            eq = _check(inner, seen)
            proves_at(i, affine(0, ((q, r.size), (r, 1))), lhs, rhs, eq)
            return joined(lhs, rhs, (eq,), least, (q, r))
        case Let(array, meaning, inner):
            before = [d.body for d in context.definitions.values()]
            before += [t for h in context.hypotheses.values() for t in terms_of(h)]
            require(not any(mentions(t, array) for t in before), "{} is in use", array)
            wider = seen.within(array, meaning)
            eq = discharged(_check(inner, wider), wider.context)
            spoken = [eq.lhs, eq.rhs, *(t for c in eq.conditions for t in terms_of(c))]
            require(not any(mentions(t, array) for t in spoken), "{} occurs in the theorem", array)
            return eq
        case Rephrase(inner, parts):
            eq = _check(inner, seen)
            for condition, equal in parts:
                require(not isinstance(condition, NonNegative), "not a condition on a term")
                assert not isinstance(condition, NonNegative)
                same = _check(equal, seen)
                require(condition.term == same.lhs, "the equation is not about that condition")
                inhabited(free(same.rhs) - free(same.lhs), least)
                others = frozenset(c for c in eq.conditions if not says(condition, c, least))
                conditions = others | same.conditions | {for_all(type(condition)(same.rhs))}
                eq = Equation(eq.lhs, eq.rhs, conditions, eq.hypotheses | same.hypotheses)
            return eq
        case EveryDepth():
            return every_depth(proof, context, lambda p, known: discharged(_check(p, Seen(known)), known))
        case _:
            assert_never(proof)


def proves_at(i: Index, e: IndexExpr, lhs: Term, rhs: Term, eq: Equation) -> None:
    """It is the equation lhs = rhs for i = e."""
    wanted = substitute(lhs, {i: e}), substitute(rhs, {i: e})
    require((eq.lhs, eq.rhs) == wanted, "the equation at {} = {} is another", i.name, e)


def joined(lhs: Term, rhs: Term, parts: Sequence[Equation], least: Least, bound: Iterable[Index] = ()) -> Equation:
    """An equation under everything that its parts need.  An index that only the parts have must have values."""
    spoken = frozenset[Index]().union(*(free(p.lhs) | free(p.rhs) for p in parts))
    inhabited(spoken - free(lhs) - free(rhs) - frozenset(bound), least)
    conditions = frozenset[Predicate]().union(*(p.conditions for p in parts))
    return Equation(lhs, rhs, conditions, frozenset[str]().union(*(p.hypotheses for p in parts)))


def inhabited(indices: Iterable[Index], least: Least) -> None:
    """What holds for all values of an index says nothing when it has none: Σ_k over k < n - 1 at n = 1."""
    for i in indices:
        require(at_least_zero(i.size - 1, least), "{} may have no values: its size is {}", i.name, i.size)


def linear(
    lhs: Term, rhs: Term, steps: Sequence[tuple[tuple[Index, ...], Term, Equation]], least: Least
) -> Equation:
    """lhs = rhs, if lhs - rhs is the sum of these multiples of equations as a sum of products."""
    involved = [lhs, rhs] + [t for _, f, eq in steps for t in (f, eq.lhs, eq.rhs)]
    taken = frozenset(i for dummies, _, _ in steps for i in dummies)
    run = Expansion(taken.union(*map(free, involved)), least=least)
    total = [*run.look(lhs), *negative(run.look(rhs))]  # monomials are added here, never multiplied
    for dummies, factor, eq in steps:
        one, other = (Mul((factor, side)) for side in (eq.lhs, eq.rhs))
        inhabited((free(one) | free(other)).difference(dummies, free(lhs), free(rhs)), least)
        if dummies or factor != ONE:
            total += negative(run.under(dummies, one)) + run.under(dummies, other)
        else:
            total += [*negative(run.look(eq.lhs)), *run.look(eq.rhs)]
    left = collect(total)
    require(not left, "the sides differ by {}", " + ".join(str(m.term()) for m in list(left.values())[:2]))
    conditions = frozenset(run.conditions).union(*(eq.conditions for _, _, eq in steps))
    return Equation(lhs, rhs, conditions, frozenset[str]().union(*(eq.hypotheses for _, _, eq in steps)))


def negative(monomials: Iterable[Monomial]) -> list[Monomial]:
    return [m._replace(coefficient=-m.coefficient) for m in monomials]


def differentiable(body: Term, wrt: Entry, seen: Seen) -> frozenset[Predicate]:
    """The conditions under which ∂body/∂wrt is spoken of."""
    variable(seen.context, wrt)
    return seen.smooth.of(body, frozenset({wrt.array}))


def variable(context: Context, wrt: Entry) -> None:
    """Derivatives are by variables, not by what has a definition, nor by the number pi."""
    require(wrt.array != PI.array and not context.meanings(wrt.array), "{} is no variable", wrt.array)


def mentions(t: Term, array: Array) -> bool:
    """An array of this name, whatever its label, occurs in t."""
    return any(a.name == array.name for a in arrays(t))


# --- induction: from the last layer, and from layer l+1 to l, to every layer l of a network of any depth L ---
# The base says what the derivative of the loss by the state z^L is, the step what that of C(z^{l+1}) by z^l is, for an
# abstract differentiable function C.  The cost as a function of z^{l+1} is such a function: it is the loss, which is
# smooth, of what the layers in between make of z^{l+1}, which are smooth.  So the recursion gives its derivatives.


Axes = tuple[Index, ...]


def every_depth(proof: EveryDepth, context: Context, prove: Callable[[Proof, Context], Equation]) -> Equation:
    """∂C(z^l)/∂z^l_i = δ^l_i, or the equation for a parameter through which alone z^l depends on it."""
    k = context.recursion
    require(k is not None and not context.definitions, "layers without other definitions are needed")
    assert k is not None
    label = sized(k.label)
    z, above, last = (Array(k.state, at) for at in (label, label + 1, sized(k.last)))
    fits(k, context)
    smooth = Smoothness(Context(least=context.least))
    needs = smooth.of(k.loss, frozenset({last})) | smooth.of(k.forward, frozenset({z}))
    require(not needs, "a layer or the loss is not smooth everywhere")

    base = prove(proof.base, Context({}, context.hypotheses, context.least))
    proves(base, Diff(k.loss, Entry(last, k.at_last)), k.first)
    known = {above: Tensor(k.above, k.forward), Array(k.signal, label + 1): signal(k, k.above, Entry(above, k.above))}
    step = prove(proof.step, Context(known, {}, context.least))
    proves(step, Diff(whole(k.cost, 0, k.above, Entry(above, k.above), ()), Entry(z, k.here)), k.backward)
    lhs: Term = Diff(whole(k.cost, 0, k.here, Entry(z, k.here), ()), Entry(z, k.here))
    rhs: Term = Entry(Array(k.signal, label), k.here)

    for wrt, entering, inner in proof.parameter:
        speaks(entering, {}, k.here, k, context)
        untied(wrt, label, k, context)
        known = {Array(k.signal, label): signal(k, k.here, entering)}
        found = prove(inner, Context(known, {}, context.least))
        lhs, rhs = Diff(whole(k.cost, 0, k.here, entering, ()), wrt), found.rhs
        proves(found, lhs, rhs)
        speaks(rhs, {Array(k.signal, label): k.here}, tuple(free(wrt)), k, context)
    return Equation(lhs, rhs, frozenset(), base.hypotheses)


def signal(k: Recursion, axes: Axes, state: Term) -> Tensor:
    """The derivatives of the cost as a function of a state."""
    return Tensor(axes, whole(k.cost, 1, axes, state, axes))


def proves(eq: Equation, lhs: Term, rhs: Term) -> None:
    require((eq.lhs, eq.rhs) == (lhs, rhs), "{} is needed", Equation(lhs, rhs))
    require(not eq.conditions, "{} is under a condition", eq)


def untied(wrt: Entry, label: Size, k: Recursion, context: Context) -> None:
    """What is after layer l does not look at the parameter: the loss not at all, the layers only at later ones."""
    name = wrt.array.name
    require(wrt.array.label == label and name not in (k.state, k.signal), "{} is no parameter of layer l", wrt)
    require(all(a.name != name for a in arrays(k.loss)), "the loss looks at {}", name)
    labels = [a.label for a in arrays(k.forward) if a.name == name]
    later = all(at is not None and at_least_zero(at - label - 1, context.least) for at in labels)
    require(later, "another layer may look at {}", wrt.array)


def fits(k: Recursion, context: Context) -> None:
    """The parts fit: the state of each layer is computed from that of the layer before, and from nothing else of it."""
    now, above, last = (tuple(w[n] for w in k.widths) for n in range(3))
    names = (k.label, k.last, *now, *above, *last)
    require(len(set(names)) == len(names), "a symbol stands for two things")
    require(context.least.values.keys().isdisjoint(names), "the widths are bounded")
    shape = tuple(i.size for i in k.here)
    require(symbols(shape).isdisjoint((k.label, k.last, *above, *last)), "the shape of z^l depends on other layers")
    for axes, there in ((k.above, above), (k.at_last, last)):
        wanted = in_layer(shape, dict(zip(now, there, strict=True)))
        require(tuple(i.size for i in axes) == wanted, "the states have {}", axes)
    here, z, delta = sized(k.label), k.state, k.signal
    states = {Array(z, here): k.here, Array(z, here + 1): k.above, Array(delta, here + 1): k.above}
    ends = {Array(z, sized(k.last)): k.at_last}
    require(symbols((k.loss, k.first)).isdisjoint((k.label, *now, *above)), "the loss depends on the layer")
    speaks(k.loss, ends, (), k, context)
    speaks(k.first, ends, k.at_last, k, context)
    speaks(k.forward, {Array(z, here): k.here}, k.above, k, context)
    speaks(k.backward, states, k.here, k, context)
    for t in (t for h in context.hypotheses.values() for t in terms_of(h)):
        speaks(t, {}, tuple(free(t)), k, context)


def speaks(t: Term, states: Mapping[Array, Axes], axes: Axes, k: Recursion, context: Context) -> None:
    """Of states and signals only these, at entries that there are; of no derivative, nor of the cost itself."""
    require(free(t) <= frozenset(axes), "{} depends on more than its axes", t)
    match t:
        case Entry(array, at) if array.name in (k.state, k.signal):
            require(array in states, "{} is not to be looked at here", array)
            inside = [within(e, i.size, context.least) for e, i in zip(at, states[array], strict=True)]
            require(all(inside), "an index of {} may leave its range", array)
        case Sum() | Whole():
            require(isinstance(t, Sum) or t.fn != k.cost, "{} is the cost itself", k.cost)
            opened = fresh_axes((t.size,) if isinstance(t, Sum) else t.sizes, t.body)
            speaks(open_body(t.body, opened), states, (*axes, *opened), k, context)
        case _:
            require(not isinstance(t, Diff), "{} is a derivative", t)
            for a in arguments(t):
                speaks(a, states, axes, k, context)


def symbols(x: object) -> frozenset[str]:
    """The size symbols that occur."""
    return frozenset(name for n in nodes(x) if isinstance(n, Size) for name in n.symbols)


def in_layer(shape: tuple[Size, ...], widths: Mapping[str, str]) -> tuple[Size, ...]:
    return tuple(with_symbols(n, lambda name: sized(widths.get(name, name))) for n in shape)
