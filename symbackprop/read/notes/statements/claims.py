"""Statements to what can be decided: an equation with definitions and hypotheses, or a judgement on shapes.

`elaborate` raises ReadError for what is ill-formed, with the place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from symbackprop.core.context import Context, Hypothesis, Same
from symbackprop.core.indices import EVERY_SIZE, Index, Least
from symbackprop.core.matrix import UNIT, ZERO_INDEX, Matrix, entry
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ZERO, Array, AtLeastZero, Diff, Entry as EntryTerm, Nonzero, Positive, ProofError, Size, Term, Whole, free,
    map_opened, sub, substitute, whole,
)  # fmt: skip

from ..declared.sizes import Sizes, shown_dims
from ..declared.symbols import ArraySymbol, Declarations
from ..files.place import ReadError, Span, Unsettled
from ..grammar.resolve import parse_expression
from ..grammar.tree import Chain, Derivative, Entry, Expr, Gradient, IndexName, Link, Neg, Norm, Symbol
from ..grammar.walking import walk
from ..meaning.definitions import array_of, definition_of, plain, symbols
from ..meaning.elaborate import Elaborator, ManyAxes
from ..meaning.functions import over_array
from ..meaning.model import Model
from ..meaning.ranges import lint
from ..meaning.values import Algebra, Mat, Scalar, Tensor3, Value, as_scalar, vector_entry
from .shape_claims import ShapeJudgement, judge

if TYPE_CHECKING:
    from .statements import Reading


@dataclass(frozen=True, slots=True)
class Claim:
    """lhs = rhs for all values of the free indices.

    `context` holds the definitions and the hypotheses the document states.  A derivative by an array u that is itself
    defined is taken with u as the variable: work it out in `cut(u)`, the context without u's definition, before
    anything is compared.  `readings` says in which liberal way something was read: hypotheses, in words.  The forms are
    there when the sides are arrays; `shapes` gives the axes of every array that occurs.
    """

    lhs: Term
    rhs: Term
    free: tuple[Index, ...]
    context: Context
    shapes: Mapping[Array, tuple[Size, ...]]
    readings: tuple[str, ...] = ()
    lhs_form: Matrix | None = None
    rhs_form: Matrix | None = None
    constants: frozenset[Array] = field(default_factory=frozenset)

    def cut(self, array: Array) -> Context:
        kept = {a: t for a, t in self.context.definitions.items() if a != array}
        return Context(MappingProxyType(kept), self.context.hypotheses)


@dataclass(frozen=True, slots=True)
class Unequal:
    """Both sides have a shape, but not the same one: no equation for any values (unless the sizes agree by chance)."""

    lhs: tuple[Size, Size]
    rhs: tuple[Size, Size]
    message: str
    lhs_form: Matrix | None = None
    rhs_form: Matrix | None = None
    context: Context = field(default_factory=Context)
    readings: tuple[str, ...] = ()


Elaborated: TypeAlias = Claim | Unequal | ShapeJudgement


def elaborate(reading: Reading, alike: bool = False) -> Elaborated | None:
    """What a statement says; None for a remark.  Raises ReadError, located, for what is ill-formed.

    `alike`: see `lint`.
    """
    if reading.error is not None:
        raise reading.error
    if reading.kind == "remark" or reading.lhs is None:
        return None
    try:
        if reading.kind == "shape" or (reading.kind == "definition" and reading.relation in ("~", "∈")):
            assert reading.lhs is not None
            nodes = [x for x in (reading.lhs, reading.rhs) if x is not None]
            return judge(reading, machine(reading.declarations, nodes, reading.formula.text, only_shapes=True))
        if reading.rhs is None:
            return None
        return equation(reading.declarations, reading.lhs, reading.rhs, reading.formula.text, reading.span, alike)
    except ReadError as error:
        raise error.located(reading.where) from None
    except ProofError as error:
        raise ReadError(str(error), reading.span, reading.where) from None
    except RecursionError:
        raise Unsettled(
            "nested too deeply, or definitions that lead to each other", reading.span, reading.where
        ) from None


def machine(decl: Declarations, nodes: list[Expr], text: str, only_shapes: bool = False) -> Elaborator:
    model = Model(decl)
    if only_shapes:
        return Elaborator(decl, model, Sizes(decl), Algebra(decl.loose_hadamard), text=text, only_shapes=True)
    model.prepare(nodes)
    e = Elaborator(decl, model, Sizes(decl), Algebra(decl.loose_hadamard), text=text)
    for condition in model.conditions:
        e.algebra.note(condition)
    return e


def equation(decl: Declarations, lhs: Expr, rhs: Expr, text: str, span: Span, alike: bool = False) -> Claim | Unequal:
    lint(lhs, rhs, decl, alike)
    e = machine(decl, [lhs, rhs], text)
    try:
        left, right = e.together(lhs, rhs)
    except ManyAxes as error:
        raise too_many(e, lhs, rhs, error) from None
    left, right = fitted(e, left, right, lhs.span)
    sides = terms(left, right, span)
    context = closure(e)
    for name, least in sorted(e.algebra.least.items()):
        e.algebra.note(f"{name} ≥ {least}")
    constants = frozenset(
        a for s, a in e.used.items() if (found := array_of(s, decl)) is not None and found.role == "constant"
    )
    if isinstance(sides, Unequal):
        return Unequal(
            sides.lhs, sides.rhs, sides.message, sides.lhs_form, sides.rhs_form, context, tuple(e.algebra.readings)
        )
    l, r, letters_, forms = sides
    return Claim(l, r, letters_, context, dict(e.shapes), tuple(e.algebra.readings), *forms, constants)


def too_many(e: Elaborator, lhs: Expr, rhs: Expr, error: ManyAxes) -> ReadError:
    """∂(v v^T)/∂v = 2v: nothing with one or two indices equals what has more."""
    if not isinstance(lhs, (Derivative, Gradient)) or error.span != lhs.span:
        return error
    try:
        right = e.together(rhs)[0]
    except (ReadError, ProofError):
        return error
    if isinstance(right, (Mat, Scalar)) and not (isinstance(right, Scalar) and right.term == ZERO):
        message = f"a derivative with more than two indices on the left, {described(right)} on the right"
        return ReadError(message, lhs.span)
    return error


def fitted(e: Elaborator, left: Value, right: Value, span: Span) -> tuple[Value, Value]:
    """𝟏 and I take the shape of the other side."""
    if isinstance(right, Mat):
        left = e.algebra.fitted(left, right.shape, span)
    if isinstance(left, Mat):
        right = e.algebra.fitted(right, left.shape, span)
    return left, right


Sides: TypeAlias = tuple[Term, Term, tuple[Index, ...], tuple[Matrix | None, Matrix | None]]


def terms(left: Value, right: Value, span: Span) -> Sides | Unequal:
    a, b = as_scalar(left), as_scalar(right)
    if a is not None and b is not None:
        return a, b, indices(a, b), (None, None)
    if isinstance(left, Tensor3) and isinstance(right, Tensor3):
        if (left.out.size, left.row.size, left.column.size) != (right.out.size, right.row.size, right.column.size):
            raise ReadError("derivatives with different axes", span)
        to = {right.out: left.out, right.row: left.row, right.column: left.column}
        other = substitute(right.body, dict(to))
        return left.body, other, indices(left.body, other), (None, None)
    if isinstance(left, Mat) and isinstance(right, Mat):
        return matrices(left, right)
    zero = as_scalar(right)
    if isinstance(left, Mat) and zero is not None and zero == ZERO:
        i, j = letters(left.shape)
        lhs = entry(left.form, *at(i, j))
        return lhs, zero, indices(lhs, zero), (left.form, None)
    raise ReadError(f"{described(left)} on the left, {described(right)} on the right", span)


def described(v: Value) -> str:
    match v:
        case Scalar():
            return "a number"
        case Mat():
            n, k = v.shape
            return f"an array {n}×{k}"
        case Tensor3(out, row, column, _):
            return f"a derivative with {shown_dims((out.size, (row.size, column.size)))} entries"
        case _:
            return "𝟏 or I of unknown size"


def letters(s: tuple[Size, Size]) -> tuple[Index, Index]:
    """Indices for the rows and columns of a compared array; no user's index begins with these signs."""
    return Index("i°", s[0]), Index("j°", s[1])


def at(i: Index, j: Index) -> tuple[Index, Index]:
    """An axis of size 1 has only the index 0."""
    return tuple(ZERO_INDEX if x.size == UNIT else x for x in (i, j))  # type: ignore[return-value]


def matrices(left: Mat, right: Mat) -> Sides | Unequal:
    s, t = left.shape, right.shape
    if s != t:
        message = f"the left side is {s[0]}×{s[1]}, the right side {t[0]}×{t[1]}"
        if s == t[::-1]:
            message += ": transpose missing?"
        return Unequal(s, t, message, left.form, right.form)
    i, j = letters(s)
    lhs, rhs = entry(left.form, *at(i, j)), entry(right.form, *at(i, j))
    return lhs, rhs, indices(lhs, rhs), (left.form, right.form)


def indices(*terms_: Term) -> tuple[Index, ...]:
    found = frozenset[Index]().union(*(free(t) for t in terms_))
    return tuple(sorted(found, key=lambda i: i.name))


# --- definitions and hypotheses --------------------------------------------------------------


def closure(e: Elaborator) -> Context:
    """The definitions of the arrays that occurred and of those these need; the hypotheses on them."""
    definitions: dict[Array, Tensor] = {}
    done: set[Symbol] = set()
    while True:
        open_ = sorted((s for s in e.used if s not in done), key=str)
        if not open_:
            break
        for s in open_:
            done.add(s)
            tensor = defining(e, s)
            if tensor is not None:
                definitions[e.used[s]] = tensor
    least = Least(e.algebra.least) if e.algebra.least else EVERY_SIZE
    return Context(MappingProxyType(definitions), MappingProxyType(hypotheses(e)), least)


def defining(e: Elaborator, s: Symbol) -> Tensor | None:
    """What the array of s is by definition: axes and entry."""
    symbol = array_of(s, e.decl)
    if symbol is None:
        return None
    through = e.model.abstract.get(s)
    if through is not None:
        value = e.symbol(through)
        if isinstance(value, Scalar):
            return Tensor((), whole(s.name, 0, (), value.term, ()))
        assert isinstance(value, Mat)
        return Tensor((), over_array(s.name, value))
    if not e.model.wanted(s):
        return None
    known = definition_of(s, e.decl)
    if known is None:
        return loss_value(e, s)
    return from_definition(e, s, symbol, known)


def loss_value(e: Elaborator, s: Symbol) -> Tensor | None:
    function = e.decl.functions.get(s.name)
    if function is None or function.kind != "loss" or not function.args:
        return None
    args = tuple(parse_expression(a, e.decl) for a in function.args)
    outer, e.text = e.text, ""
    try:
        return Tensor((), e.loss(function, args, (0, 1)))
    finally:
        e.text = outer


def from_definition(e: Elaborator, s: Symbol, symbol: ArraySymbol, known: Chain) -> Tensor:
    axes = e.axes(symbol, s.label)
    subject, rhs = known.subjects[-1], known.links[0].rhs
    if isinstance(subject, Entry):
        outer, e.text = e.text, ""
        try:
            found, term = e.entrywise(subject, rhs, axes)
        finally:
            e.text = outer
        return Tensor(found, term)
    value = e.alone(rhs)
    if not axes:
        term_ = as_scalar(value)
        if term_ is None:
            raise ReadError(f"{s.name} is declared a number, but its definition is {described(value)}", known.span)
        return Tensor((), term_)
    declared = e.symbol(s)
    assert isinstance(declared, Mat)
    value = e.algebra.fitted(value, declared.shape, known.span)
    if not isinstance(value, Mat) or value.shape != declared.shape:
        n, k = declared.shape
        raise ReadError(f"{s.name} is declared {n}×{k}, but its definition is {described(value)}", known.span)
    if len(axes) == 1:
        i = Index("i°", axes[0])
        return Tensor((i,), vector_entry(value.form, i))
    i, j = letters(value.shape)
    return Tensor((i, j), entry(value.form, i, j))


def hypotheses(e: Elaborator) -> dict[str, Hypothesis]:
    """The stated hypotheses on arrays that occur."""
    out: dict[str, Hypothesis] = {}
    arrays = set(e.used)
    for h in e.decl.hypotheses:
        about = {s for s in symbols(h.chain) if array_of(s, e.decl) is not None}
        if about and not about <= arrays:
            continue
        if not about and any(isinstance(n, IndexName) for n in walk(h.chain)):  # k_{ij} of a k that does not occur
            continue
        left = h.chain.subjects[-1]
        for k, link in enumerate(h.chain.links):
            name = h.text if len(h.chain.links) == 1 else f"{h.text} ({k + 1})"
            for more, relation, x, y in ((name, link.relation, left, link.rhs), *between(name, left, link)):
                a, b = e.together(x, y)
                out[more] = one(e, a, relation, b, h.chain.span)
            left = link.rhs
    return out


def between(name: str, left: Expr, link: Link) -> Iterator[tuple[str, str, Expr, Expr]]:
    """|x| < c: x < c, and -x < c."""
    match left, link:
        case (
            (Norm(x, "abs"), Link("<" | "≤" as relation, bound)) | (bound, Link(">" | "≥" as relation, Norm(x, "abs")))
        ):
            for way, side in (("below", x), ("above", Neg(x))):
                yield f"{name} ({way})", {">": "<", "≥": "≤"}.get(relation, relation), side, bound


def one(e: Elaborator, a: Value, relation: str, b: Value, span: Span) -> Hypothesis:
    a, b = fitted(e, a, b, span)
    if isinstance(a, Mat) and as_scalar(b) is not None and as_scalar(a) is None:  # W > 0: every entry
        i, j = letters(a.shape)
        l, r = entry(a.form, *at(i, j)), as_scalar(b)
    else:
        sides = terms(a, b, span)
        if isinstance(sides, Unequal):
            raise ReadError(f"in this hypothesis {sides.message}", span)
        l, r = sides[0], sides[1]
    assert r is not None
    if relation in ("=", ":=", "≡"):
        return Same(l, r)
    if relation not in KINDS:
        raise ReadError(f"{relation} is no hypothesis", span)
    more, less = (r, l) if relation in ("<", "≤") else (l, r)
    return KINDS[relation](more if less == ZERO else sub(more, less))


KINDS: dict[str, Callable[[Term], Hypothesis]] = {
    ">": Positive, "<": Positive, "≥": AtLeastZero, "≤": AtLeastZero, "≠": Nonzero,
}  # fmt: skip


# --- a definition said again with a name for what stands inside ---


def finer(symbol: Symbol, lhs: Expr, rhs: Expr, known: Chain, decl: Declarations) -> bool:
    """symbol = rhs says what the known definition says, by way of arrays that the known one does not mention."""
    inside = set(symbols(known.links[0].rhs))
    through = {s for s in symbols(rhs) if s not in inside and definition_of(s, decl) is not None}
    array = array_of(plain(symbol), decl)
    if not through or array is None:
        return False
    again = Chain((lhs,), (Link("=", rhs, rhs.span),), lhs.span)
    try:
        e = machine(decl, [], "")
        before, after = (from_definition(e, plain(symbol), array, c) for c in (known, again))
        meanings = {}
        for s in through:
            chain, inner = definition_of(s, decl), array_of(s, decl)
            if chain is not None and inner is not None:
                meanings[e.array(s)] = from_definition(e, s, inner, chain)
        other = written_out(substitute(after.body, dict(zip(after.axes, before.axes, strict=True))), meanings)
        return before.shape == after.shape and before.body == other
    except (ReadError, ProofError, RecursionError, ValueError):
        return False


def written_out(t: Term, meanings: Mapping[Array, Tensor]) -> Term:
    """With definitions put in; entries under abstract functions of whole arrays stay as they are."""
    match t:
        case EntryTerm(array, at) if array in meanings:
            found = meanings[array]
            return written_out(substitute(found.body, dict(zip(found.axes, at, strict=True))), meanings)
        case Whole() | Diff():
            return t
        case _:
            return map_opened(t, lambda s: written_out(s, meanings))
