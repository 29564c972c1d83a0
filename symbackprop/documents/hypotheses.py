"""What a true statement rests on: hypotheses it uses, liberal readings, and conventions that could be otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.core.terms import Apply, Term, subterms
from symbackprop.decide.outcomes import Proved
from symbackprop.read.notes.declared.symbols import Declarations
from symbackprop.read.notes.grammar.tree import Derivative, Gradient, Symbol
from symbackprop.read.notes.grammar.walking import walk
from symbackprop.read.notes.meaning.definitions import array_of, definition_of, plain
from symbackprop.read.notes.statements.claims import Claim, ShapeJudgement
from symbackprop.read.notes.statements.statements import Reading
from symbackprop.write.notes.letters import author_text


def hypotheses_of(reading: Reading, found: Claim | ShapeJudgement, proof: Proved | None = None) -> tuple[str, ...]:
    out: list[str] = []
    if proof is not None:
        out += sorted({h for t in proof.theorems for h in t.hypotheses})
    out += found.readings if isinstance(found, Claim) else found.conditions
    out += conventions(reading, found, proof)
    return tuple(dict.fromkeys(out))


def conventions(reading: Reading, found: Claim | ShapeJudgement, proof: Proved | None) -> Iterator[str]:
    nodes = list(unfolded(reading))
    whole_arrays = isinstance(found, ShapeJudgement) or found.lhs_form is not None
    if whole_arrays and any(isinstance(n, Derivative) and by_array(n, reading.declarations) for n in nodes):
        layout = reading.declarations.layout or "gradient"
        yield "Jacobians have a row for each output" if layout == "mixed" else f"{layout} layout"
    elif whole_arrays and any(isinstance(n, Gradient) for n in nodes):
        yield "gradient layout"
    if isinstance(found, Claim) and whole_arrays and any(as_convention_has_it(n, reading.declarations) for n in nodes):
        yield f"vectors are {reading.declarations.convention or 'column'}s"
    if proof is not None:
        names = elementwise(proof, reading.declarations)
        yield from (f"{author_text(name)} acts elementwise" for name in names)


def unfolded(reading: Reading) -> Iterator[object]:
    """Every node of the statement, and of the derivatives that its symbols abbreviate (δ := ∂L/∂z)."""
    work: list[object] = [reading.lhs, reading.rhs]
    seen: set[Symbol] = set()
    while work:
        for n in walk(work.pop()):
            yield n
            if isinstance(n, Symbol) and plain(n) not in seen:
                seen.add(plain(n))
                known = definition_of(plain(n), reading.declarations)
                if known is not None and any(isinstance(m, (Derivative, Gradient)) for m in walk(known.links[0].rhs)):
                    work.append(known.links[0].rhs)


def by_array(d: Derivative, decl: Declarations) -> bool:
    """By a whole array, so that it matters how the derivatives are laid out."""
    for v in d.wrt:
        if isinstance(v, Symbol):
            array = array_of(plain(v), decl)
            if array is not None and array.shape:
                return True
    return False


def as_convention_has_it(node: object, decl: Declarations) -> bool:
    if not isinstance(node, Symbol):
        return False
    array = array_of(plain(node), decl)
    return array is not None and array.orientation == "vector" and len(array.shape) == 1


def elementwise(proof: Proved, decl: Declarations) -> list[str]:
    """Abstract functions whose derivative the theorem is about."""
    found: set[str] = set()
    sides = (s for t in proof.derivatives for s in (t.equation.lhs, t.equation.rhs))
    for side in (*sides, *proof.values):
        found |= {n for n in slopes(side) if n in decl.functions and decl.functions[n].kind == "elementwise"}
    return sorted(n for n in found if not decl.functions[n].body)


def slopes(t: Term) -> Iterator[str]:
    return (s.fn for s in subterms(t) if isinstance(s, Apply) and s.order > 0)
