"""Derivatives that the prose names: "the gradient of E with respect to w is …", "its Hessian is H = …"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..grammar.tree import Add, Chain, Derivative, Expr, Name, Operator, Paren, Product
from ..inferred.occurrences import Uses
from ..inferred.said import Head, Record, head_of
from ..inferred.section import Section
from .classes import holds_derivative, is_derivative
from ..inferred.prose_patterns import said as words

_CALLS = re.compile(
    r"\b(?:(?:call|denote|abbreviate|name|write)\s+(?:it|this|that|these|them|both)"
    r"|which\s+(?:we|I|one)\s+(?:call|denote|abbreviate|name))(?:\s+(?:by|as|simply|just|for short))*\s*\Z",
    re.IGNORECASE,
)
_LISTED = re.compile(r"\s*(?:,|and|,\s*and)\s*")
_WORDS = r"(?:(?!with\b|is\b|are\b)[\w-]+\s*){0,4}?"
_KINDS = "loss|cost|objective|error|energy|risk|function|criterion"
_LOSS = rf"(?:(?:the|this|our|that)\s+)?(?:it|this|that|\w*\s*(?:{_KINDS}))"
_BY = words(r"\bw\.?\s?r\.?\s?t\b\.?")
_NAMED = words(
    r"(?P<kind>(?:[\w-]+\s+){0,2})\b(?P<noun>gradient|derivative|Hessian)(?:\s+(?:matrix|vector))?"
    rf"(?:\s+(?:of|for)\s+(?:{_WORDS}(?P<of>⟨\d+⟩)|{_LOSS}))?"
    r"(?:\s*(?:with respect to|by|in)\s+(?:the\s+)?(?:[\w-]+\s+){0,2}?(?P<by>⟨\d+⟩))?"
    r"\s*,?\s*(?:is|equals|reads|becomes)(?:\s+(?:then|thus|therefore|simply|just|given by|hence))?\s*:?\s*\Z"
)
_END = re.compile(r".*[.;!?](?=\s|\Z)", re.DOTALL)
_CASE = words(
    r"\s*,?\s*(?:if|when(?:ever)?|for|at|unless|only|times|plus|minus|multiplied|divided|up to|dimensional|per)\b|-\w"
)
"""What follows where the formula is not the whole derivative, or not always."""

_SECOND = frozenset(("second", "second-order", "2nd"))
_PLAIN = frozenset(
    "the its their this that whose a an partial ordinary first first-order full exact corresponding resulting analytic"
    " analytical order loss and then so thus hence".split()
)
"""What stands before the noun and leaves it what it is."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter, as it is written, with the arguments that its function has."""

    name: Name
    latex: str
    args: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Formula:
    r"""A formula and how it is written: the Hessian of \log \sum_j e^{z_j}, what that is of, and itself."""

    tree: Expr
    latex: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """`of` and `by` are None where the words leave them to what stands above: "its gradient"."""

    order: int
    of: Letter | Formula | None
    by: Letter | None


def named_derivative(section: Section, r: Record) -> Formula | None:
    """The derivative that the words before a formula call it, if they leave no choice."""
    if len(r.chains) != 1:
        return None
    found = spoken(section.records, r)
    of = None if found is None else found.of or differentiated(section, r.at, found.by)
    if found is None or of is None:
        return None
    if isinstance(of, Formula):
        defined = any(section.definition(k, r.at) is not None for k in section.keys(Chain((of.tree,), ())))
        return None if defined and found.by is None else of_formula(section.records, r)
    return called(section, of, found.by, found.order)


def of_formula(records: Sequence[Record], r: Record) -> Formula | None:
    r"""The derivative of what has no name, by the letter that the words name, or by its only one."""
    found = spoken(records, r)
    if found is None or not isinstance(found.of, Formula):
        return None
    by = found.by or only_letter(found.of.tree)
    inside = Paren((Chain((found.of.tree,), ()),), "(")
    return None if by is None else derivative(inside, rf"\left({found.of.latex}\right)", by, found.order)


def only_letter(tree: Expr) -> Letter | None:
    uses = Uses()
    uses.chain(Chain((tree,), ()), frozenset())
    names = [u.name for u in uses.uses]
    one = len({n.letter for n in names}) == 1 and not any(n.primes or n.mark for n in names)
    return Letter(replace(names[0], sub=None, sups=()), names[0].letter) if one else None


def called(section: Section, of: Letter, by: Letter | None, order: int) -> Formula | None:
    key = section.key(of.name)
    if key in section.frame.table.functions:  # f(t) = tanh t: f′(t)
        if len(of.args) != 1 or (by is not None and by.name != of.args[0]):
            return None
        argument = Paren((Chain((of.args[0],), ()),), "(")
        return Formula(Product((replace(of.name, primes=order), argument), ("",)), of.latex + "'" * order)
    return derivative(of.name, of.latex, by, order)


def derivative(of: Expr, latex: str, by: Letter | None, order: int) -> Formula:
    if by is not None and order == 1:
        return Formula(Derivative(of, (by.name,)), rf"\frac{{\partial {latex}}}{{\partial {by.latex}}}")
    nabla = Operator("nabla", wrt=(by.name,) if by is not None else (), order=order)
    sign = r"\nabla" + (f"_{{{by.latex}}}" if by is not None else "") + ("^2" if order == 2 else "")
    return Formula(Product((nabla, of), ("",)), f"{sign} {latex}")


def differentiated(section: Section, at: int, by: Letter | None) -> Letter | None:
    """The number given above that depends on a letter, and that no other number there is made of, if it is one only."""
    options = ((d, section.chosen.get(d.key)) for d in section.definitions if d.record < at)
    numbers = [d for d, option in options if option is not None and option.rank == 0]
    inner = {k for d in numbers for k in section.keys(d.chain) if k != d.key}
    roots = [d for d in numbers if d.key not in inner]
    if by is not None:
        key = section.key(by.name)
        roots = [d for d in roots if key in section.reached(d.chain, at)]
    alone = len({d.key for d in roots}) == 1
    return letter(roots[-1].chain.subjects[-1], roots[-1].text) if alone else None


def of_others(section: Section, found: Head, key: str) -> bool:
    """L(μ, Λ) = … where L(μ, Σ) = … stands above: the same in other letters."""
    given = [h.args for d in section.definitions if d.key == key and (h := head_of(d.chain.subjects[-1]))]
    return found.args is not None and bool(given) and None not in given and found.args not in given


def no_derivative(section: Section, found: Head, key: str, r: Record) -> bool:
    """Beside words such as "gradient": a function, what is differentiated itself, what is equated to one elsewhere."""
    if found.args is not None and not r.formula.before.rstrip().endswith(("is", "reads", "equals")):
        return True

    def is_it(side: Expr) -> bool:
        return isinstance(side, Name) and section.key(side) == key

    uses = (u for x in section.records for u in x.uses.uses if u.differentiated)
    sides = ((c.subjects[-1], link.rhs) for x in section.records for c in x.chains for link in c.links)
    stated = ((is_it(a) and holds_derivative(b)) or (is_it(b) and holds_derivative(a)) for a, b in sides)
    return any(section.key(u.name) == key for u in uses) or any(stated)


_DATA = words(
    r"\b(?:measur\w+|observ\w+|nois\w+|data|model|disturb\w+|random"
    r"|process|time series|innovations?|shocks?|autoregress\w*|AR)\b"
)


def noisy(section: Section, key: str, rhs: Expr, at: int) -> bool:
    """y = H x + v, where no other equation holds v."""
    added = [a for a in rhs.args if isinstance(a, Name)] if isinstance(rhs, Add) else []
    letters = {section.key(a) for a in added} - {"b", "c"}  # these are biases
    elsewhere = {k for p in section.solver.pieces if p.record != at for k in p.keys}
    return bool(letters - elsewhere) and key in elsewhere


def of_data(section: Section, key: str, rhs: Expr, r: Record) -> bool:
    """ "The measurement is y = H x + v": how data come about gives no y, they are what they are."""
    said = _DATA.search(r.formula.before[-60:]) or _DATA.match(r.formula.after[:40].lstrip(" ,with"))
    return said is not None and not key.startswith(("\\hat", "\\widehat")) and noisy(section, key, rhs, r.at)


def spoken(records: Sequence[Record], r: Record) -> Spoken | None:
    """What a formula is said to be; None where it is not a derivative, or one that holds in a case only."""
    if _CASE.match(r.formula.after):
        return None
    said, at = _BY.sub("with respect to", r.formula.before), r.at
    while (ended := _END.match(said)) is None and at and not records[at - 1].formula.display:
        at -= 1
        said = f"{_BY.sub('with respect to', records[at].formula.before)} ⟨{at}⟩ {said}"
    found = _NAMED.search(said[ended.end() :] if ended is not None else said)
    if found is None or (order := order_of(found["noun"].lower(), found["kind"].lower().split())) == 0:
        return None
    of, by = (named(records, found[which]) for which in ("of", "by"))
    if (found["of"] and of is None) or (found["by"] and not isinstance(by, Letter)):
        return None
    return Spoken(order, of, by if isinstance(by, Letter) else None)


def order_of(noun: str, before: Sequence[str]) -> int:
    """0 for what is another derivative: the directional one, the third one."""
    second = any(word in _SECOND for word in before)
    kinds = [word for word in before if word not in _PLAIN and word not in _SECOND]
    if before and (before[-1] in kinds or (before[-1] in ("partial", "order") and kinds)):
        return 0
    return 2 if noun == "hessian" or second else 1


def named(records: Sequence[Record], mark: str | None) -> Letter | Formula | None:
    """The letter of E, of E(w), of E(w) = …; else the formula."""
    r = records[int(mark[1:-1])] if mark else None
    if r is None or len(r.chains) != 1:
        return None
    (chain,) = r.chains
    found = letter(chain.subjects[-1], r.formula.text)
    whole = found is None and not chain.links and len(chain.subjects) == 1
    return Formula(chain.subjects[0], r.formula.text.strip()) if whole else found


def letter(side: Expr, text: str) -> Letter | None:
    head = head_of(side)
    if head is None:
        return None
    a, b = head.name.span
    return Letter(head.name, text[a:b].strip(), head.args or ())


def named_so(records: Sequence[Record], r: Record, claims: Sequence[tuple[int, Expr]]) -> Expr | None:
    """ "Call these δ_z and δ_r", "which we call δ": the derivative that a letter is said to be a name for.

    `claims`: the left sides of equations, with the records that they stand in.
    """
    first = last = r.at
    while first and _LISTED.fullmatch(records[first].formula.before):
        first -= 1
    while last + 1 < len(records) and _LISTED.fullmatch(records[last + 1].formula.before):
        last += 1
    if r.formula.display or not _CALLS.search(records[first].formula.before):
        return None
    found = [x for at, x in claims if at < first and is_derivative(x)][first - last - 1 :]
    return found[r.at - first] if len(found) == last - first + 1 else None
