"""Induction over layers: from the last layer, and from layer l+1 to l, to every layer l of a network of any depth L.

The base says what the derivative of the loss by the state z^L is, the step what that of C(z^{l+1}) by z^l is, for an
abstract differentiable function C.  The cost as a function of z^{l+1} is such a function: it is the loss, which is
smooth, of what the layers in between make of z^{l+1}, which are smooth.  So the recursion gives its derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .context import Context, Equation, Recursion, terms_of
from .indices import Index, Size, at_least_zero, nodes, require, sized, with_symbols
from .proofs import EveryDepth, Proof
from .signs import within
from .region import Smoothness
from .syntax import Tensor
from .terms import Array, Diff, Entry, Sum, Term, Whole, arguments, arrays, free, open_body, whole, fresh_axes

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
