"""Walking and rebuilding syntax trees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TypeVar, cast

from ..files.place import Span
from .tree import Binder, Chain, Entry, Expr, Label, Link, Name, Neg, Paren, Power, Product, Script, Sum, Transpose

T = TypeVar("T")
EQUATIONS = frozenset(("=", ":=", "≡"))


def relabel(node: object, base: str, new: Label) -> object:
    """The tree with the layer letter `base` replaced by the label `new`."""
    if isinstance(node, Label):
        if node.base != base:
            return node
        return Label(new.base, new.shift + node.shift)
    return mapped(node, lambda child: relabel(child, base, new))


def respan(node: object, span: Span) -> object:
    """The tree with every span replaced: for a side that stands in another formula."""
    new = mapped(node, lambda child: respan(child, span))
    return replace(new, span=span) if is_dataclass(new) and not isinstance(new, (type, Label)) else new


def mapped(node: object, f: Callable[[object], object]) -> object:
    """The node with `f` applied to each child; the node itself when nothing changes."""
    if isinstance(node, tuple):
        children = tuple(f(child) for child in node)
        return node if all(a is b for a, b in zip(children, node, strict=True)) else children
    changed = {}
    for name in parts(type(node)) or ():
        value = getattr(node, name)
        if isinstance(value, tuple) or parts(type(value)) is not None:
            new = f(value)
            if new is not value:
                changed[name] = new
    return replace(node, **changed) if changed else node  # type: ignore[type-var]


def rebuilt(node: object, rule: Callable[[object], object]) -> object:
    """The tree with a rule applied to each node, to its children first; what stands in scripts is left as it is."""
    return node if isinstance(node, Script) else rule(mapped(node, lambda child: rebuilt(child, rule)))


def joined(node: Product, rule: Callable[[Expr, Expr], Expr | None]) -> Expr:
    """The product in which two factors with no sign between them are one where the rule makes one of them."""
    args, signs, k = list(node.args), list(node.signs), 0
    while k < len(signs):
        found = None if signs[k] else rule(args[k], args[k + 1])
        if found is None:
            k += 1
        else:
            args[k : k + 2] = [found]
            del signs[k]
    return args[0] if len(args) == 1 else replace(node, args=tuple(args), signs=tuple(signs))


def product_of(factors: Sequence[Expr], span: Span = (0, 0)) -> Expr:
    """Factors beside each other; one alone is itself."""
    return factors[0] if len(factors) == 1 else Product(tuple(factors), ("",) * (len(factors) - 1), span)


def grouped(args: Sequence[Expr], signs: Sequence[str], sign: str) -> list[Expr]:
    """What stands between the signs of one kind: products of the factors there."""
    groups = [[args[0]]]
    for s, a in zip(signs, args[1:], strict=True):
        if s == sign:
            groups.append([])
        groups[-1].append(a)
    return [product_of(g, (g[0].span[0], g[-1].span[1])) for g in groups]


def beside(node: object) -> Iterator[tuple[Expr, Expr]]:
    """The factors of a product that stand beside each other with no sign between them."""
    if isinstance(node, Product):
        yield from ((a, b) for a, b, sign in zip(node.args, node.args[1:], node.signs, strict=False) if not sign)


def rewritten(node: object, f: Callable[[object], object | None]) -> object:
    """The tree with what f makes of its nodes, from above; where that is None, of their parts."""
    new = f(node)
    return mapped(node, lambda child: rewritten(child, f)) if new is None else new


def replaced(node: T, old: Expr, new: Expr) -> T:
    """The tree with another in every place of one."""
    return cast(T, rewritten(node, lambda n: respan(new, getattr(n, "span", (0, 0))) if n == old else None))


def walk(node: object, closed: tuple[type, ...] = ()) -> Iterator[object]:
    """Every node of a tree, but for what is inside of those of the `closed` kinds."""
    stack = [node]
    while stack:
        here = stack.pop()
        if isinstance(here, tuple):
            stack += here
            continue
        kind = type(here)
        if (names := _PARTS[kind] if kind in _PARTS else parts(kind)) is not None:
            yield here
            if kind not in closed:
                for name in names:
                    stack.append(getattr(here, name))


def children(node: object) -> Iterator[object]:
    """What a node, or several in a tuple, hold directly."""
    return iter(node) if isinstance(node, tuple) else (getattr(node, name) for name in parts(type(node)) or ())


def made_of(node: object, leaf: Callable[[object], bool], *ways: type) -> bool:
    """It is put together in these ways of nothing but what `leaf` holds for."""
    if isinstance(node, (tuple, *ways)):
        return all(made_of(child, leaf, *ways) for child in children(node))
    return leaf(node)


def outside_scripts(node: object) -> Iterator[object]:
    """Every node, but for those in subscripts and superscripts of names."""
    return walk(node, (Name,))


def names(node: object) -> Iterator[Name]:
    return (n for n in walk(node) if isinstance(n, Name))


def letters_in(node: object) -> set[str]:
    return {n.letter for n in names(node)}


def reached(start: Iterable[T], step: Callable[[T], Iterable[T]]) -> set[T]:
    """All that can be come to from `start`, which is part of it."""
    found, work = set(start), list(start)
    while work:
        new = set(step(work.pop())) - found
        found |= new
        work += new
    return found


def bracketed(*nodes: Expr) -> Paren:
    return Paren(tuple(Chain((n,), (), n.span) for n in nodes), "(", span=(nodes[0].span[0], nodes[-1].span[1]))


def transposed(node: Expr, times: int, span: Span) -> Expr:
    for _ in range(times):
        match node:
            case Entry(Paren() as base, (_, _) as at) if not set(at) & set(walk(base)):
                node = replace(node, base=Transpose(base, span), span=span)  # (AB)_{ij}^T is that of (AB)^T
            case _:
                node = Transpose(node, span)
    return node


def head_paren(node: object) -> Paren | None:
    """The bracket that a factor begins with, under its scripts."""
    while isinstance(node, (Power, Transpose, Entry)):
        node = node.arg if isinstance(node, Transpose) else node.base
    return node if isinstance(node, Paren) else None


def with_scripts_of(node: Expr, new: Expr) -> Expr:
    """What stands behind one formula behind another: of (x)^2 the square."""
    match node:
        case Power(base) | Entry(base):
            return replace(node, base=with_scripts_of(base, new))
        case Transpose(arg):
            return replace(node, arg=with_scripts_of(arg, new))
    return new


def items_of(node: Expr) -> tuple[Expr, ...]:
    """The items of (x, y); x itself."""
    if isinstance(node, Paren) and not any(c.links for c in node.chains):
        return tuple(c.subjects[-1] for c in node.chains)
    return (node,)


_PARTS: dict[type, tuple[str, ...] | None] = {}


# Fields of these kinds hold no node: half of all that trees hold, and trees are walked all the time.
_PLAIN = frozenset(("str", "int", "bool", "Fraction", "str | None", "tuple[str, ...]", "Span"))


def parts(kind: type) -> tuple[str, ...] | None:
    """The fields of a node that can hold nodes; None for what is no node."""
    if kind not in _PARTS:
        _PARTS[kind] = tuple(f.name for f in fields(kind) if f.type not in _PLAIN) if is_dataclass(kind) else None
    return _PARTS[kind]


@dataclass(frozen=True, slots=True)
class Part:
    """A chain and how it hangs on the part before it: "" (first), and, implies, becomes, where."""

    joined: str
    chain: Chain
    span: Span = field(default=(0, 0), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Statement:
    parts: tuple[Part, ...]
    span: Span = field(default=(0, 0), compare=False, repr=False)

    def rewritten(self, f: Callable[[Chain], object]) -> Statement:
        """With another chain in the place of each."""
        return replace(self, parts=tuple(replace(p, chain=cast(Chain, f(p.chain))) for p in self.parts))


def each_side(chain: Chain, f: Callable[[Expr], Expr]) -> Chain:
    """The chain with another formula in the place of each."""
    subjects = tuple(map(f, chain.subjects))
    return Chain(subjects, tuple(replace(k, rhs=f(k.rhs)) for k in chain.links), chain.span)


def chains_of(statements: Iterable[Statement | None]) -> Iterator[Chain]:
    return (p.chain for s in statements if s is not None for p in s.parts)


def sum_over(chain: Chain, t: str) -> tuple[Name, tuple[Binder, Expr]] | None:
    """L and what L = Σ_t … or L(W) = Σ_t … sums, over which steps; with a factor in front of it."""
    match chain:
        case Chain(((Name(bare=True) as loss) | Product(((Name(bare=True) as loss), Paren())),), (Link(rhs=whole), *_)):
            return (loss, found) if (found := summed_in(whole, t)) is not None else None
    return None


def summed_in(node: object, t: str) -> tuple[Binder, Expr] | None:
    match node:
        case Sum((Binder(name) as over,), body, (), kind="sum") if name == t:
            return over, body
        case Neg(arg) if (found := summed_in(arg, t)) is not None:
            return found[0], Neg(found[1], node.span)
        case Product((*front, last)) if (found := summed_in(last, t)) is not None:
            return found[0], Product((*front, bracketed(found[1])), ("",) * len(front), node.span)
    return None
