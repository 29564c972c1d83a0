"""A document in another convention or layout: each formula translated, and each translation proved.

The document with its new formulas is read afresh; a formula whose statements do not mean what they meant is put back as
it was, with a note.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal, TypeAlias, cast, get_args

from symbackprop.core.context import EMPTY
from symbackprop.core.indices import Index, Size, sized, with_symbols
from symbackprop.core.terms import Array, Diff, Entry as EntryTerm, SymbackpropError, Term, free, map_opened, substitute
from symbackprop.documents.check import commented
from symbackprop.prove.equality import prove_equal
from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.files.items import Block, Formula
from symbackprop.read.notes.files.place import ReadError
from symbackprop.read.notes.files.sources import read_document
from symbackprop.read.notes.grammar.rewriting import is_number, reversed_product, transposed
from symbackprop.read.notes.grammar.tree import (
    Derivative, Entry, Expr, Gradient, Matrix, Ones, Outer, Product, Reals, Shape, Symbol, Transpose,
)  # fmt: skip
from symbackprop.read.notes.grammar.walking import mapped, rebuilt, rewritten, walk
from symbackprop.read.notes.meaning.definitions import array_of
from symbackprop.read.notes.statements.claims import Claim, elaborate
from symbackprop.read.notes.statements.sections import read_statements
from symbackprop.read.notes.statements.shape_claims import ShapeJudgement
from symbackprop.read.notes.statements.statements import Reading
from symbackprop.write.notes.spelling import Speller

To: TypeAlias = Literal["row", "column", "numerator", "gradient"]
CONVENTIONS, LAYOUTS = ("row", "column"), ("numerator", "gradient")
ROUNDS = 4
Edit: TypeAlias = tuple[int, int, str]  # from, to in the text, and what is put there
SIZES = re.compile(
    r"(?:\\mathbb\s*\{R\}\s*\^\s*\{|ℝ\s*\^\s*\{|\\sim\s*\(?)\s*(\S.*?)(\s*(?:\\times|×)\s*)(.*\S)\s*[})]\s*$"
)
ARRAY_LINE = re.compile(r"^ *[^#\s-][^:\n]*: +([^\s#{][^#\n]*?)( +x +)([^\s#{][^#\n]*?) *(?:#.*)?$", re.MULTILINE)
DEFINED_LINE = re.compile(r"^ *- +(['\"]?)(\S.*?)\1 *$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Converted:
    """`text` is the new document, `proved` how many statements were translated, `notes` what was left as it was."""

    text: str
    proved: int
    notes: tuple[str, ...]


def converted(name: str, text: str, to: To) -> Converted:
    """Raises SymbackpropError for a document that cannot be read."""
    old = list(read_statements(read_document(name, text)))
    left: dict[int, str] = {}  # formulas that stay, by where they begin, with the reason
    for _ in range(ROUNDS):
        edits = dict(formula_edits(old, text, to, left))
        every = [e for part in edits.values() for e in part] + declared(name, text, to, old)
        new_text = applied(text, every)
        new = list(read_statements(read_document(name, new_text)))
        wrong = dict(unproved(old, new, to, edits))
        if not wrong:
            break
        left |= wrong
    else:
        return Converted(text, 0, ("no part of it could be translated and proved",))
    count = sum(1 for r in old if key(r.formula) in edits and r.kind in ("claim", "definition", "shape"))
    kept = [(r, s) for r, s in zip(old, new, strict=True) if key(r.formula) not in {*edits, *left}]
    notes = tuple(f"line {r.line}: it is read in another way now" for r, s in kept if moved_away(r, s))
    notes += tuple(f"line {line_of(old, k)}: left as it is: {why}" for k, why in sorted(left.items()))
    return Converted(new_text if edits else text, count, notes)


def key(f: Formula) -> int:
    return f.where.offset(0)


def line_of(readings: Sequence[Reading], k: int) -> int:
    return next(r.line for r in readings if key(r.formula) == k)


# --- what is put in the place of what ------------------------------------------------------------


def formula_edits(
    readings: Sequence[Reading], text: str, to: To, left: dict[int, str]
) -> Iterator[tuple[int, list[Edit]]]:
    groups: dict[int, list[Reading]] = {}
    for r in readings:
        groups.setdefault(key(r.formula), []).append(r)
    for k, group in groups.items():
        if k in left:
            continue
        shapes = shape_edits(group[0], text) if to in CONVENTIONS and all(r.note == "shape" for r in group) else []
        if shapes and group[0].declarations.convention != to:
            yield k, shapes
        if all(r.lhs is None for r in group):
            continue
        try:
            edits = dict(side for r in group if r.lhs is not None for side in new_sides(r, text, to))
        except (SymbackpropError, RecursionError) as problem:
            left[k] = problem.message if isinstance(problem, ReadError) else str(problem)
            continue
        places = [(*located(group[0], span, text), new) for span, new in edits.items()]
        if places:
            yield k, [(a, b, new) for a, b, new in places if text[a:b] != new]


def shape_edits(r: Reading, text: str) -> list[Edit]:
    r"""`W \in \mathbb{R}^{n \times m}` with its sizes the other way round."""
    m = SIZES.search(r.formula.text)
    if m is None:
        return []
    a, b = located(r, (m.start(1), m.end(3)), text)
    return [(a, b, f"{m[3]}{m[2]}{m[1]}")]


def new_sides(r: Reading, text: str, to: To) -> Iterator[tuple[tuple[int, int], str]]:
    """The places of the sides in the formula, with what is to stand there."""
    if r.error is not None or r.kind in ("remark", "condition"):
        return
    own = r.declarations.convention or "column" if to in CONVENTIONS else r.declarations.layout
    if own == to:
        return
    if own not in (*CONVENTIONS, *LAYOUTS):
        raise SymbackpropError(f"it is laid out in no one way ({own or 'nothing says how'})")
    olds = [x for x in (r.lhs, r.rhs) if x is not None]
    news = translated(olds, r, to)
    speller = Speller(r.formula.text, olds, r.declarations, text)
    for old, new in zip(olds, news, strict=True):
        if old.span[1] > old.span[0] and not (r.left and old is r.lhs):
            yield old.span, r.formula.text[slice(*old.span)] if new == old else speller(new)


def translated(olds: list[Expr], r: Reading, to: To) -> list[Expr]:
    if to in CONVENTIONS:
        return [tidy(turned(x, r.declarations)) for x in olds]
    if len(olds) != 2:
        return olds
    if r.kind == "shape":
        turns = isinstance(olds[0], Derivative) and not is_number(olds[0], r.declarations)
        return [olds[0], turned(olds[1], r.declarations)] if turns else olds
    return list(laid_out(olds[0], olds[1], r.declarations))


def located(r: Reading, span: tuple[int, int], text: str) -> tuple[int, int]:
    """The place in the document.  Raises SymbackpropError where a macro or a quote mark stands in between."""
    where = r.formula.where
    a, b = where.offset(span[0]), where.offset(span[1] - 1) + 1
    if text[a:b] != r.formula.text[slice(*span)]:
        raise SymbackpropError("it is written with macros")
    return a, b


def declared(name: str, text: str, to: To, readings: Sequence[Reading]) -> list[Edit]:
    """The declarations in the new convention; one in front where none says it."""
    said = "convention" if to in CONVENTIONS else "layout"
    edits: list[Edit] = []
    found, convention = False, "column"
    for item in read_document(name, text):
        if not isinstance(item, Block):
            continue
        here: list[Edit] = []
        m = re.search(rf"^(\s*{said}:\s*)(\w+)", item.text, re.MULTILINE)
        if m is not None:
            found = True
            here.append((m.start(2), m.end(2), to))
        if said == "convention" and m is not None:
            convention = m[2]
        if said == "convention" and convention != to:
            shapes = ARRAY_LINE.finditer(item.text)
            here += [(m.start(1), m.end(3), f"{m[3]}{m[2]}{m[1]}") for m in shapes]  # W: n x m
        if said != "convention" or convention != to:
            here += defined(item.text, to, readings, text)
        at = item.where.offset
        edits += [(at(a), at(b - 1) + 1, new) for a, b, new in here]
    if not found:
        edits.append((0, 0, commented(name, f"{said}: {to}") + "\n\n"))
    return edits


def defined(block: str, to: To, readings: Sequence[Reading], around: str) -> Iterator[Edit]:
    """The definitions that are declared."""
    known = {d.text: (d.chain, r) for r in readings for d in r.declarations.definitions}
    for m in DEFINED_LINE.finditer(block):
        if m[2] in known:
            chain, r = known[m[2]]
            olds = [chain.subjects[-1], chain.links[0].rhs]
            speller = Speller(m[2], olds, r.declarations, around)
            a, b = map(speller, translated(olds, r, to))
            yield m.start(2), m.end(2), f"{a} {chain.links[0].relation} {b}"


def applied(text: str, edits: Sequence[Edit]) -> str:
    for a, b, new in sorted(edits, reverse=True):
        text = text[:a] + new + text[b:]
    return text


# --- the proof -----------------------------------------------------------------------------------


def unproved(
    old: Sequence[Reading], new: Sequence[Reading], to: To, edits: dict[int, list[Edit]]
) -> Iterator[tuple[int, str]]:
    """Formulas whose statements mean something else now."""
    if len(old) != len(new):
        yield from ((k, "the document would be read in another way") for k in edits)
        return
    for r, s in zip(old, new, strict=True):
        k = key(r.formula)
        if k in edits and r.kind in ("claim", "definition", "shape"):
            try:
                if not same(r, s, to):
                    yield k, "its translation is not proved"
            except (SymbackpropError, RecursionError) as problem:
                yield k, problem.message if isinstance(problem, ReadError) else str(problem)


def moved_away(r: Reading, s: Reading) -> bool:
    """A statement that was not to be translated says something else now."""
    if r.kind not in ("claim", "definition") or r.lhs is None:
        return False
    try:
        was, now = elaborate(r), elaborate(s)
    except (SymbackpropError, RecursionError):
        return r.error is None and s.error is not None
    if not isinstance(was, Claim) or not isinstance(now, Claim):
        return type(was) is not type(now)
    return (was.lhs, was.rhs) != (now.lhs, now.rhs)


def same(r: Reading, s: Reading, to: To) -> bool:
    """What the new statement says, in terms of the old arrays, is what the old one says."""
    was, now = elaborate(r), elaborate(s)
    if isinstance(was, ShapeJudgement) or isinstance(now, ShapeJudgement):
        return isinstance(was, ShapeJudgement) and isinstance(now, ShapeJudgement) and was.holds == now.holds
    if not isinstance(was, Claim) or not isinstance(now, Claim):
        return was is None and now is None
    sizes = same_sizes(was, now, to in CONVENTIONS)
    if sizes is None:
        return False
    two = {a for a, axes in now.shapes.items() if len(axes) == 2}

    def swap(e: EntryTerm) -> EntryTerm:
        return EntryTerm(e.array, e.at[::-1]) if e.array in two and len(e.at) == 2 else e

    def in_old(t: Term) -> Term:
        return cast(Term, resized(entries(t, swap) if to in CONVENTIONS else t, sizes))

    return any(
        all(equal(turn(in_old(b)), a) for a, b in ((was.lhs, now.lhs), (was.rhs, now.rhs)))
        for turn in ((flipped,) if to in CONVENTIONS else (flipped, lambda t: t))
    )


def same_sizes(was: Claim, now: Claim, swapped: bool) -> dict[str, Size] | None:
    """What the sizes of the new statement are called in the old one; None where the shapes are not those."""
    table: dict[str, Size] = {}
    for array, axes in was.shapes.items():
        new = now.shapes.get(array)
        if new is None or len(new) != len(axes):
            return None
        for a, b in zip(new[::-1] if swapped and len(axes) == 2 else new, axes, strict=True):
            if len(a.symbols) == 1 and a == sized(a.symbols[0]):
                if table.setdefault(a.symbols[0], b) != b:
                    return None
            elif a != b:
                return None
    return table


def resized(x: Any, table: Mapping[str, Size]) -> Any:
    """Plain data with other names for sizes."""
    match x:
        case Size():
            return with_symbols(x, lambda n: table.get(n, sized(n)))
        case tuple():
            return tuple(resized(y, table) for y in x)
        case _ if is_dataclass(x) and not isinstance(x, Array | type):
            return type(x)(*(resized(getattr(x, f.name), table) for f in fields(x)))
        case _:
            return x


def equal(a: Term, b: Term) -> bool:
    return a == b or prove_equal(a, b, EMPTY) is not None


def flipped(t: Term) -> Term:
    """Rows for columns in what is compared entry by entry."""
    letters = {"i°": "j°", "j°": "i°"}
    return substitute(t, {i: Index(letters[i.name], i.size) for i in free(t) if i.name in letters})


def entries(t: Term, f: Callable[[EntryTerm], EntryTerm]) -> Term:
    """The term with f of each entry, also where it is differentiated by."""
    match t:
        case EntryTerm():
            return f(t)
        case Diff(body, wrt):
            return Diff(entries(body, f), f(wrt))
        case _:
            return map_opened(t, lambda s: entries(s, f))


# --- every array as the transpose of what it was; derivatives laid out the other way ---


class NotTurned(SymbackpropError):
    """No translation of this is known."""


def turned(node: Expr, decl: Declarations) -> Expr:
    """The transpose of an expression in arrays that are transposed."""

    def inside(child: object) -> object:
        if isinstance(child, tuple):
            return mapped(child, inside)
        return turned(cast(Expr, child), decl) if isinstance(child, EXPRESSIONS) else mapped(child, inside)

    match node:
        case Product(args):
            return reversed_product(tuple(turned(a, decl) for a in args), node, decl)
        case Outer(args):
            return replace(node, args=tuple(turned(a, decl) for a in reversed(args)))
        case Entry(base, at) if len(at) == 2:
            symbol = array_of(base, decl) if isinstance(base, Symbol) else None
            if symbol is not None and (symbol.family or len(symbol.shape) != 2):
                raise NotTurned(f"{symbol.name} counts copies")
            return replace(node, base=turned(base, decl), at=at[::-1])
        case Entry(Symbol() as base, at) if len(at) > 2:
            raise NotTurned(f"{base.name} has {len(at)} axes")
        case Symbol(sample=sample) if sample is not None:
            raise NotTurned("a sample of a batch")
        case Matrix(rows):
            return replace(node, rows=tuple(zip(*(tuple(turned(c, decl) for c in row) for row in rows), strict=True)))
        case Ones(sizes) if len(sizes) < 2:
            return Transpose(node)
        case Ones(sizes):
            return replace(node, sizes=sizes[::-1])
        case Shape(parts):
            return replace(node, parts=parts[::-1])
        case Reals():
            return node if node.shape is None else replace(node, shape=turned(node.shape, decl))
        case _:
            return cast(Expr, mapped(node, inside))


EXPRESSIONS = get_args(Expr)


def laid_out(lhs: Expr, rhs: Expr, decl: Declarations) -> tuple[Expr, Expr]:
    """An equation with the same meaning where derivatives are laid out the other way, with few transposes."""
    kept = tuple(cast(Expr, rewritten(x, lambda n: turned_back(n, decl))) for x in (lhs, rhs))
    if kept == (lhs, rhs):  # ∇ is that of the variable's shape in either layout
        return lhs, rhs
    same = tuple(map(tidy, kept))
    other = tuple(carried(x, decl) for x in same)
    best = min((same, other), key=lambda sides: (count(sides), count(sides[0])))
    return cast("tuple[Expr, Expr]", best)


def count(node: object) -> int:
    """Of transposes."""
    return sum(isinstance(n, Transpose) for n in walk(node))


def turned_back(node: object, decl: Declarations) -> object | None:
    """A derivative that is turned is turned back, for the same value."""
    match node:
        case Derivative(_, wrt) if not is_number(node, decl):
            if len(wrt) != 1 or isinstance(wrt[0], Entry):
                raise NotTurned("a derivative with more than one variable")
            return Transpose(node)
        case Derivative() | Gradient():
            return node
    return None


def carried(node: Expr, decl: Declarations) -> Expr:
    """The transpose, carried to where it costs least."""
    inside = transposed(node, decl, lambda a: carried(a, decl))
    return inside if count(inside) <= count(node) + 1 else Transpose(node)


def tidy(node: Expr) -> Expr:
    """Without transposes of transposes."""

    def once(n: object) -> object:
        return n.arg.arg if isinstance(n, Transpose) and isinstance(n.arg, Transpose) else n

    return cast(Expr, rebuilt(node, once))
