"""The arguments of a term, and all that is inside it."""

from __future__ import annotations

from .indices import ProofError
from .syntax import Add, Apply, Array, Diff, Entry, Holds, Mul, Positive, Power, Sum, Term, Whole


def arguments(t: Term) -> tuple[Term, ...]:
    match t:
        case Add(args) | Mul(args):
            return args
        case Power(base, _):
            return (base,)
        case Apply(_, arg, _):
            return (arg,)
        case Holds(Positive(term)):
            return (term,)
        case _:
            return ()


def rebuilt(t: Term, args: tuple[Term, ...]) -> Term:
    match t:
        case Add():
            return Add(args)
        case Mul():
            return Mul(args)
        case Power(_, exponent):
            return Power(args[0], exponent)
        case Apply(fn, _, order):
            return Apply(fn, args[0], order)
        case Holds(Positive()):
            return Holds(Positive(args[0]))
        case _:
            raise ProofError(f"{t} has no arguments to replace")


def subterms(t: Term) -> list[Term]:
    out: list[Term] = [t]
    for s in out:
        match s:
            case Sum(_, body, _) | Diff(body, _) | Whole(_, _, _, body, _, _):
                out.append(body)
                if isinstance(s, Diff):
                    out.append(s.wrt)
            case _:
                out.extend(arguments(s))
    return out


def arrays(t: Term) -> frozenset[Array]:
    """The arrays of which an entry occurs in `t`."""
    try:
        return t._arrays
    except AttributeError:
        pass
    match t:
        case Entry(array, _):
            found = frozenset({array})
        case Diff(body, wrt):
            found = arrays(body) | {wrt.array}
        case Sum(_, body, _) | Whole(_, _, _, body, _, _):
            found = arrays(body)
        case _:
            found = frozenset[Array]().union(*map(arrays, arguments(t)))
    object.__setattr__(t, "_arrays", found)
    return found
