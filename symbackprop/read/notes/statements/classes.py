"""What an equation is meant as, by its form and the words around it; claims under a condition."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Literal, TypeAlias, cast

from ..files.items import Formula
from ..files.place import Span
from ..grammar.tree import (
    Add, Chain, Derivative, Dots, Expr, IndexName, Indicator, Link, Matrix, Name, Neg, Num, Operator, Paren, Product,
    Script, Sum, Symbol, Transpose, Words,
)  # fmt: skip
from ..grammar.walking import bracketed, rewritten, walk
from ..inferred.hypotheses import LEFT, STATED, Saying
from ..inferred.occurrences import key_of
from ..inferred.options import Option
from ..inferred.said import Candidate, Head, Record
from ..inferred.section import Section
from ..inferred.prose_patterns import said as words

Class: TypeAlias = Literal["definition", "condition", "claim", "conclusion", "remark", "shape", "side", "asked"]

_END = r"[^.;=]{0,70}\Z"
STIPULATES = words(
    r"(?:\b(?:define[sd]?|denote[sd]?|let|introduce|abbreviate|notation|put|suppose|consider|take|instead|given|choose)\b"
    r"|(?:\A|[.;:,(]\s*|\b(?:we|I|us|and|then|also|shall|now)\s+)(?:set|write|call)\b)" + _END
)
CONDITION = words(
    r"(?:\b(?:sett?ing|sets?|put(?:ting)?)\b[^.;]{0,80}|\A\s*(?:(?:equal\s+)?to\s+|=\s*))\b(?:zero|0)\b[^.;]{0,60}\Z"
    r"|\b(?:requir\w+|demand\w*|must\b|have to|need to|solv(?:e|ing)|subject to"
    r"|constraint\w*|condition\w*|vanish\w*|stationar\w*|such that|s\.\s?t\."
    r"|first[\s-]order|normal equations?|equation)\b"
    + _END
    + r"|\b(?:is|are|becomes?|equals?|vanish\w*)\s+(?:zero|0)?\s*(?:for|at|when|if|iff|only for)\s*\Z"
)
TO_SOLVE = words(
    r"\b(?:sett?ing|puts?|putting|sets?|equat\w+)\b[^.;]{0,80}\b(?:zero|0)\b[^.;]{0,60}\Z"
    r"|\b(?:solv(?:e|es|ing)|vanish\w*|stationar\w*|first[\s-]order|normal equations?|optimality)\b" + _END
)
"""What is demanded is no assumption: it is to be solved."""
VANISHES = words(
    r"\b(?:sett?ing|sets?|put(?:ting)?|equat\w+|letting|when|where|which|if|until|unless|whenever|implies|so that|at"
    r"|optimal\w*|optimum|minim\w+|maxim\w+|extrem\w+|saddle|critical|KKT|necessary|converge\w*|solution"
    r"|satisf\w+)\b" + _END
)
"""Before ∇J = 0: where it holds, not that it holds everywhere."""
YIELDS = re.compile(
    r"\W*(?:yields?|gives?|leads?|implies|results?|and solv|we (?:get|find|obtain)|for\b)", re.IGNORECASE
)
ASSUMES = words(
    r"\b(?:assum(?:e|es|ed|ing)|suppos(?:e|ed|ing)|provided|hypothesis|that is|i\.e\.|meaning|satisf(?:y|ies|ying)"
    r"|if|when|whenever|for|under|since|because|as)\b" + _END
)
STRONGLY_ASSUMES = words(
    r"\b(?:assum(?:e|es|ed|ing)|suppos(?:e|ed|ing)|provided|under the hypothesis|satisf(?:y|ies|ying))\b" + _END
)
SOLVED = words(
    r"\b(?:minimi\w+|maximi\w+|optim\w+|solution|solved|estimat\w+|minimum|maximum|stationary|yields?|attained|argmin)\b"
    + _END
)
GRADIENT = words(
    r"\b(?:gradients?|derivatives?|error\s+signal|sensitivity|Jacobian|Hessian|delta|adjoint)\b"
    r"(?![\s-]+(?:penalty|descent|ascent|flow|steps?|methods?|norm|clipping|boosting|equation)\b)" + _END
)
CALLED = re.compile(
    r"\b(?:gradients?|derivatives?|error\s+signal|sensitivity|Jacobian|Hessian|delta|adjoint)"
    r"(?:\s+(?:matrix|vector|state|equation))?"
    r"(?:\W*(?:\Z|of|for|with|w\.?r\.?t|by|in|at|on|from|that|then|now|itself|here|thus|therefore|so|is|are|equals?"
    r"|reads?|becomes?|given)\b.*)?\W*\Z",
    re.IGNORECASE | re.DOTALL,
)
"""The formula is called a derivative: not "the gradient penalty: for …" or "gradient: for …"."""
DERIVED = words(
    r"\b(?:gradients?|derivatives?|Jacobian|Hessian)(?:\s+(?:matrix|vector|operator))?\s+of"
    r"(?:\s+(?!(?:is|are|equals?|becomes?|as|with|by|for)\b)[\w-]+){0,4}\s*\Z|\bfor\s*\Z"
)
"""What follows is differentiated: "the Hessian of the loss J(w) = …"."""
FOLLOWS = words(
    r"\b(?:hence|so|thus|therefore|then|get|find|obtain\w*|gives?|follows?|equals?|equivalently|simplif\w+|rewrit\w+"
    r"|that is|in short|becomes?|yields?|show|see|prove|read\w*|shorter|also|as well)\b" + _END
)
LISTED = words(r"\s*[,;]?\s*(?:and|with|where)?\s*")
"""Between the formulas of a list of what is given: no word says that the second follows."""
ANOTHER = words(
    r"\b(?:from (?:now|here|this point) on(?:wards?)?|henceforth|replac\w+|redefin\w+|switch\w*|chang\w+|modif\w+"
    r"|now,?\s+(?:we\s+)?(?:use|take|have|work|minimi[sz]e|maximi[sz]e)"
    r"|(?:new|another|different|second|other|modified|alternative)\s+(?:\w+\s+)?(?:loss|cost|objective|function|model|energy))\b"
    + _END
)
"""What follows is another thing by a name that was given."""
INSTEAD = words(r"\W*(?:instead\b|from (?:now|here) on\b|henceforth\b)")
GIVEN = words(r"\b(?:given|denote|write|define|let|with|where|abbreviate|call|for short)\b" + _END)
IN_CASE = words(
    r"\b(?:if|wenn|falls|ist|when|whenever|unless|in (?:the|this|that) case|otherwise|as long as|assuming|suppose"
    r"|active|else)\b"
    r"(?!\s+(?:(?:we|one|I|you|people)\b|taking|computing|differentiat))[^.;]{2,90}\Z"
    r"|\b(?:approximately|roughly|for (?:small|large|tiny|huge)|in the limit|near|asymptotically)\b[^.;]{0,60}\Z"
)
"""A condition in words that is not understood."""
CHANGED = words(
    r"\b(?:changed|modified|altered|replaced|turned)\b[^.;]{0,60}\b(?:to|into|by|with)\b\W*\Z"
    r"|\b(?:an?|another)\s+(?:[\w-]+\s+){0,4}(?:function|problem|example|objective|loss)\s*:\W*\Z"
)
"""From $h = W x$ to $h = W x + B A x$; "a quadratic function: f = …, a cubic function: f = …": another one."""
_EITHER = r"(?:iff|if and only if|(?:exactly|precisely|only) (?:when|if)|implies|\\(?:iff|Leftrightarrow))"
EQUIVALENT_BEFORE = re.compile(_EITHER + r"\W*\Z", re.IGNORECASE)
EQUIVALENT_AFTER = words(r"\W*" + _EITHER + r"(?![A-Za-z])")
PARTLY = words(
    r"\s*,?\s*(?:(?P<else>otherwise|else)\b|(?:if|when(?:ever)?|for|in case|provided(?: that)?|as long as)\s*\Z)"
)
"""What stands between a definition and the condition that it holds under."""


def holds_derivative(node: Expr) -> bool:
    """∂, ∇, d/dx, f′ occurs."""
    found = (n for n in walk(node) if isinstance(n, (Derivative, Name, Operator)))
    return any(n.primes if isinstance(n, Name) else isinstance(n, Derivative) or n.kind != "function" for n in found)


def differentiates(node: object) -> bool:
    """A derivative by something, whose layout may matter."""
    operators = [n for n in walk(node) if isinstance(n, (Derivative, Operator))]
    return any(isinstance(n, Derivative) or n.kind == "derivative" or n.name == "partial" for n in operators)


def is_derivative(node: Expr) -> bool:
    """The side is a derivative as it stands, so that a name for it stands on the other side."""
    match node:
        case Derivative():
            return True
        case Product(args):
            return isinstance(args[0], Operator) and args[0].kind != "function"
        case _:
            return False


def hangs(r: Record, part: int) -> Literal["", "solved", "premise", "together"]:
    """How what a part says depends on the others of its formula; alone it is not said to hold.

    ∇f = 0 ⇒ Ax = b is solved, A = A^T is a premise in A = A^T ⇒ ∇f = 2Ax, the sides of ⇔ hold together.
    """
    parts = r.loose.parts if r.loose is not None else ()
    arrows = [k for k, p in enumerate(parts) if k and p.joined in ("implies", "iff")]
    zeros = [p.chain for p in parts if p.chain.links and p.chain.links[-1].rhs == Num(Fraction(0))]
    if arrows and any(holds_derivative(c.subjects[-1]) for c in zeros):
        return "solved"
    if any(p.joined == "iff" for p in parts[part : part + 2] if p is not parts[0]):
        return "together"
    conditional = bool(parts) and parts[part].joined in ("if", "where")
    return "premise" if conditional or any(k > part for k in arrows[:1]) else ""


def is_question(node: Expr) -> bool:
    """= ?, = …"""
    return isinstance(node, (Words, Dots)) or any(
        isinstance(n, Words) and n.text.strip() in ("?", "…") for n in walk(node)
    )


def moves(lhs: Expr, rhs: Expr, given: Iterable[Candidate]) -> Name | None:
    """The x of dx/dt = f(x), with x and no derivative on the right; dy/dx beside F(x, y) = … is claimed of a curve."""
    match lhs:
        case Derivative(Name(_, _, None, (), 0) as x, (Name() as t,), True) if not holds_derivative(rhs):
            curve = any(x in args and t in args for c in given if (args := c.head.args))
            return x if not curve and any(n == x for n in walk(rhs)) else None
    return None


def is_order(node: Expr) -> bool:
    """O(h^2), o(1): no term."""
    last = node.args[0] if isinstance(node, Product) else node
    return (
        isinstance(node, Product) and isinstance(last, Name) and last.letter in ("O", "o") and last.sub is None
        and isinstance(node.args[1], Paren)
    )  # fmt: skip


def is_update(lhs: Expr, relation: str, rhs: Expr) -> bool:
    """w := w - η ∇J; with a plain = where what is taken off holds a derivative; w_{t+1} = w_t - η ∇J(w_t)."""
    if relation == ":=":
        return any(n == lhs for n in walk(rhs))
    match lhs, rhs:
        case Product((Name() as w, Paren((Chain((Add((Name(), Num())),), ()),)))), Add():  # w(k+1) = w(k) - Δw(k)
            return any(isinstance(n, Product) and n.args[0] == w and n != lhs for n in walk(rhs))
    if not isinstance(lhs, Name) or not isinstance(rhs, Add) or not holds_derivative(rhs):
        return False
    stepped = lhs.sub is not None or bool(lhs.sups)
    before = (a for a in rhs.args if isinstance(a, Name) and (a.letter, a.mark) == (lhs.letter, lhs.mark))
    return lhs in rhs.args or (stepped and any(before))


def is_called(lhs: Expr, rhs: Expr) -> bool:
    """y = y(t)."""
    return isinstance(rhs, Product) and len(rhs.args) == 2 and isinstance(rhs.args[1], Paren) and rhs.args[0] == lhs


def sums_itself(lhs: Expr, rhs: Expr) -> bool:
    """v^i w_i = Σ_i v^i w_i: says that repeated indices are summed."""
    found = isinstance(rhs, Sum)
    while isinstance(rhs, Sum):
        rhs = rhs.body
    return found and lhs == rhs


def stacked_items(rhs: Expr) -> tuple[str, str] | None:
    """The x of [x_1, …, x_m] or of rows x_1^T above dots, and whether it is a row or a column."""
    if isinstance(rhs, Transpose) and (turned := stacked_items(rhs.arg)) is not None:
        return turned[0], "row" if turned[1] == "column" else "column"
    if isinstance(rhs, Paren) and rhs.opening == "[" and len(rhs.chains) > 1:
        names = [c.subjects[0] for c in rhs.chains if not c.links]
        axis = "column"
    elif isinstance(rhs, Matrix) and any(isinstance(c, Dots) for row in rhs.rows for c in row):
        flat = [c for row in rhs.rows for c in row]
        names, axis = flat, "row" if all(len(row) == 1 for row in rhs.rows) else "column"
        if len(rhs.rows) > 1 and len(rhs.rows[0]) > 1:
            return None
    else:
        return None
    letters = {key_of(n) for n in names if isinstance(n, Name) and (n.sub is not None or n.sups)}
    if len(letters) != 1 or not any(isinstance(n, Dots) for n in names):
        return None
    return next(iter(letters)), axis


# --- conditions, and readings in words ---


_IF = words(r"\b(?:if|when(?:ever)?|in case)\s*\Z")
_ANEW = re.compile(
    r"\n[ \t]*\n\W*(?!(?:Then|Thus|Hence|So|Therefore|Moreover|Also|In (?:this|that|the) case|And|It follows|Here|This)"
    r"\b)[A-Z][a-z]"
)


def conditioned(c: Chain, lhs: Expr, rhs: Expr) -> tuple[Expr, Expr]:
    """Both sides under a condition on indices: put in for an equality, else times 1 where it holds."""
    left, link = c.subjects[-1], c.links[0]
    match left, link:
        case IndexName(a), Link("=", IndexName(b)):
            return renamed(lhs, b, a), renamed(rhs, b, a)
    hold = Indicator(c, c.span)
    return Product((hold, lhs), ("",), lhs.span), Product((hold, rhs), ("",), rhs.span)


def settles(given: Chain, other: Chain) -> bool:
    """γ = 0 is under γ ≥ 0 already, and there it is no border."""
    match given, other:
        case (
            Chain((Symbol(name=a),), (Link("=", Num(value)),)),
            Chain((Symbol(name=b),), (Link(relation, Num(bound)),)),
        ) if a == b:
            return {">": value > bound, "≥": value >= bound, "<": value < bound, "≤": value <= bound}.get(
                relation, False
            )
    return False


def renamed(node: Expr, old: str, new: str) -> Expr:
    return cast(Expr, rewritten(node, lambda n: replace(n, name=new) if n == IndexName(old) else None))


def is_property(lhs: Expr, rhs: Expr) -> bool:
    """W = W^T, A^T = -A, Q^T = Q^{-1}, Q^T Q = I: said of one letter."""
    inner = rhs.arg if isinstance(rhs, Neg) else rhs
    if isinstance(lhs, Product) and len(lhs.args) == 2:
        return isinstance(inner, Name) and inner.letter == "I" and is_property(*lhs.args)
    if not isinstance(lhs, Name) or not isinstance(inner, Name):
        return False
    bare = [replace(n, sups=(), span=(0, 0)) for n in (lhs, inner)]
    return bare[0] == bare[1] and any(s.transposes for n in (lhs, inner) for s in n.sups)


def lapse(said: Formula, records: Sequence[Record]) -> int | None:
    """ "If w^T w = 1, …" holds to the end of its paragraph: the first record behind, where the text begins anew."""
    if _IF.search(said.before) is None:
        return None
    found = _ANEW.search(said.where.source.text, said.where.offset(0))
    places = ((r.at, r.formula.where) for r in records)
    behind = (at for at, w in places if found and w.source is said.where.source and w.offset(0) >= found.end())
    return next(behind, None)


def in_sentence(r: Record, chain: Chain, records: Sequence[Record]) -> list[Saying]:
    """ "If γ = 0 then …": it holds for the formulas of its sentence, maybe to the paragraph's end, A = A^T longer."""
    text = r.formula.text
    end = lapse(r.formula, records) if not is_property(chain.subjects[-1], chain.links[0].rhs) else None
    said = Saying(r.at, STATED, text, chain=chain, where=r.formula.where)
    return [said, Saying(r.at, STATED, text, False), *([Saying(end, LEFT, text, False)] if end is not None else [])]


def of_a_letter(section: Section, lhs: Expr, rhs: Expr) -> bool:
    """W = W^T, Q^T Q = I in a list of what is given, of a letter that no equation gives."""
    letters = {n.letter for n in walk(lhs) if isinstance(n, Name)}
    given = (c for c in section.roles.candidates if c.head.name.letter in letters)
    return is_property(lhs, rhs) and all(is_property(c.head.name, c.link.rhs) for c in given)


def comes_in(section: Section, found: Head, at: int, rhs: Expr, defined: Container[str]) -> bool:
    """ "Suppose δ = ∂E/∂h is given": no formula above holds the letter, so that the equation says what it is."""
    key = section.key(found.name)
    new = key not in defined and key not in section.above.arrays and section.first_use(key) >= at
    return new and key not in section.names(rhs) and not isinstance(rhs, (Num, Transpose))


def optimum(node: Expr, span: Span) -> Chain | None:
    """argmin_w J(w): where the derivative of J by w is 0."""
    first, *rest = node.args if isinstance(node, Add) else (node,)
    match first:
        case Product((Operator("function", "argmin" | "argmax", Script(items=(Name() as by,))), *factors), signs):
            body = factors[0] if len(factors) == 1 else Product(tuple(factors), signs[1:], span)
            whole = bracketed(Add((body, *rest), span) if rest else body)
            return Chain((Derivative(whole, (by,), False, span),), (Link("=", Num(Fraction(0), span), span),), span)
    return None


def as_name(key: str) -> Name:
    found = re.fullmatch(r"\\(\w+)\{(.+)\}", key)
    return Name(found[2], found[1]) if found else Name(key)


def spoken(option: Option) -> str:
    inner = option.rank - option.family
    words = ("a number", "a row" if option.orientation == "row" else "a column", "a matrix", "an array")[min(inner, 3)]
    return f"is {words}" if not option.family else f"counts {words}s"


def on_values(chain: Chain) -> bool:
    """γ = 0, A = A^T, x > 0, |r| < κ: what is said of letters, for the formula that follows."""
    sides = (*chain.subjects, *(k.rhs for k in chain.links))
    if len(sides) != 2 or not chain.links:
        return False
    if chain.links[0].relation in ("<", ">", "≤", "≥", "≠"):
        return not any(isinstance(n, (Words, Dots)) for n in walk(sides))
    return (
        isinstance(sides[0], Name) and all(isinstance(s, (Name, Num)) for s in sides)
        and all(x.transposes for x in (sides[1].sups if isinstance(sides[1], Name) else ()))  # e^x is no letter
        and chain.links[0].relation == "="
    )  # fmt: skip
