"""A formula with the definitions that it rests on, as a forward function: it is computed, never executed."""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index, ProofError, Size
from symbackprop.core.syntax import PI, Array, AtLeastZero, Diff, Entry, Nonzero, Positive, Tensor, Term, arrays, free
from symbackprop.core.terms import SymbackpropError, subterms

from ..notes.statements.claims import Claim, elaborate
from ..notes.statements.statements import Reading
from ..numpy import INPUT, SymArray, node_of
from .arrays import Lowering, Named, nested

LETTERS = {"argument": "zuvq", "value": "ahpg", "base": "rqsv", "divisor": "sqvu"}
ACCENT = re.compile(r"\\(?:wide)?(hat|bar|tilde|dot|check)\{(.*)\}")
MARK = re.compile(r"\\[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Formulas:
    """What is computed: `output` from `definitions`, which rest on `inputs`; both by the arrays of their terms.

    `written` says how an author writes a name, where that is not the name itself.  With `between` values inside a
    formula that nests functions get names, too.
    """

    output: Array
    definitions: Mapping[Array, Tensor]
    inputs: Mapping[Array, tuple[Size, ...]]
    hypotheses: Mapping[str, Hypothesis] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)
    between: bool = False


class Program:
    """Formulas as a function of arrays, to be traced like one of NumPy; `names` are the parameters."""

    def __init__(self, formulas: Formulas, name: str = "f") -> None:
        self.formulas, self.__name__ = formulas, name
        self.order = tuple(in_order(formulas))
        every = [*formulas.inputs, *self.order]
        self.names = dict(zip(every, identifiers(every), strict=True))
        self.parameters = [self.names[a] for a in formulas.inputs]
        self.taken = {*self.names.values(), *symbols_in(formulas)}
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in self.parameters])

    @property
    def shapes(self) -> dict[str, tuple[Size, ...]]:
        return {self.names[a]: s for a, s in self.formulas.inputs.items()}

    def variable(self, written: str) -> str:
        """The parameter that a person's spelling of a name means.  Raises SymbackpropError."""
        plain = {n: n for n in self.parameters}
        plain |= {str(a): n for a, n in self.names.items() if n in self.parameters}
        plain |= {w: n for n, w in self.formulas.written.items() if n in self.parameters}
        found = plain.get(written) or plain.get(identifier(written))
        if found is None:
            raise SymbackpropError(f"{written} is no variable of the formula: it has {', '.join(self.parameters)}")
        return found

    def __call__(self, **given: Any) -> Any:
        known = {a: given[self.names[a]] for a in self.formulas.inputs}
        taken = set(self.taken)

        def between(t: Term, role: str, found: Named) -> None:
            name_between(found, role, taken)

        depth = max((nested(t.body) for t in self.formulas.definitions.values()), default=0)
        lowering = Lowering(known, between if self.formulas.between and depth > 1 else None)
        for array in self.order:
            meaning = self.formulas.definitions[array]
            known[array] = lowering.of(meaning.body, meaning.axes)
            call(known[array], self.names[array])
        return known[self.formulas.output]


class Assuming:
    """The hypotheses of formulas as comparisons of arrays."""

    def __init__(self, program: Program) -> None:
        self.program, self.__name__ = program, "assuming"
        self.__signature__ = program.__signature__

    def __call__(self, **given: Any) -> list[Any]:
        formulas = self.program.formulas
        known = {a: given[self.program.names[a]] for a in formulas.inputs}
        return [compared(Lowering(known), h) for h in formulas.hypotheses.values()]


def compared(lowering: Lowering, h: Hypothesis) -> Any:
    match h:
        case Same(lhs, rhs):
            a, b = lowering.value(lhs), lowering.value(rhs)
            axes = max((a.axes, b.axes), key=len)
            return lowering.of(lhs, axes) == lowering.of(rhs, axes)
        case Positive(t):
            return lowering.value(t).array > 0
        case AtLeastZero(t):
            return lowering.value(t).array >= 0
        case Nonzero(t):
            return lowering.value(t).array != 0
        case _:
            raise SymbackpropError("a hypothesis on indices is not understood here")


# --- names ---------------------------------------------------------------------------------------


def in_order(formulas: Formulas) -> Iterator[Array]:
    """The definitions that the output needs, each after what it rests on.  Raises ProofError for a circle."""
    done: set[Array] = set(formulas.inputs)
    doing: list[Array] = []

    def visit(a: Array) -> Iterator[Array]:
        if a in done or a == PI.array:
            return
        if a in doing:
            raise ProofError(f"the definition of {a} comes back to {a}")
        if a not in formulas.definitions:
            raise SymbackpropError(f"nothing says what {a} is")
        doing.append(a)
        for b in sorted(arrays(formulas.definitions[a].body), key=str):
            yield from visit(b)
        doing.pop()
        done.add(a)
        yield a

    yield from visit(formulas.output)


def identifiers(names: list[Array]) -> list[str]:
    """A name that a program can have for each array: W_l for W^{l}, yhat for \\hat{y}."""
    found: list[str] = []
    for a in names:
        name = identifier(a.name if a.label is None else f"{a.name}_{a.label}")
        while name in found or keyword.iskeyword(name):
            name += "_"
        found.append(name)
    return found


def identifier(name: str) -> str:
    name = ACCENT.sub(lambda m: m[2] + m[1], name)
    name = MARK.sub(lambda m: m[0][1:], name).replace("+", "_plus_").replace("-", "_minus_").replace("'", "_prime")
    name = re.sub(r"\W+", "_", name).strip("_")
    return name if name.isidentifier() else f"x_{name}"


def symbols_in(formulas: Formulas) -> Iterator[str]:
    for shape in formulas.inputs.values():
        for s in shape:
            yield from s.symbols
    for t in formulas.definitions.values():
        yield from (i.name for i in t.axes if isinstance(i, Index))


def call(x: Any, name: str) -> None:
    node = node_of(x) if isinstance(x, SymArray) else None
    if node is not None and node.operation != INPUT:
        node.name, node.depth = name, 0


def name_between(found: Named, role: str, taken: set[str]) -> None:
    """A free letter for a value: a capital for a matrix."""
    node = node_of(found.array) if isinstance(found.array, SymArray) else None
    if node is None or not node.named or node.operation == INPUT or node.name is not None:
        return
    letters = LETTERS[role].upper() if node.ndim == 2 else LETTERS[role]
    pool = (*letters, *(f"{letters[0]}{k}" for k in range(1, 1000)))
    node.name, node.depth = next(x for x in pool if x not in taken and x.lower() not in {"l"}), -1
    taken.add(node.name)


# --- from a statement that was read, to the forward function whose derivative it speaks of -------


@dataclass(frozen=True, slots=True)
class Asked:
    """The forward of a statement, and the arrays by which it is differentiated (none: by whatever one likes)."""

    formulas: Formulas
    variables: tuple[Array, ...]


def asked(reading: Reading) -> Asked:
    """Raises SymbackpropError, with the place, for a statement that is about no derivative and defines nothing."""
    claim = elaborate(reading)
    if not isinstance(claim, Claim):
        raise SymbackpropError("this is no equation between numbers or arrays of one shape")
    found = next(derivatives(claim), None)
    if found is not None:
        return of_derivative(claim, found)
    if isinstance(claim.lhs, Entry) and all(isinstance(i, Index) for i in claim.lhs.at):
        return of_definition(claim, claim.lhs)
    raise SymbackpropError("this equation has no derivative in it and defines no array")


def derivatives(claim: Claim) -> Iterator[Diff]:
    for t in (claim.lhs, claim.rhs):
        yield from (s for s in subterms(t) if isinstance(s, Diff))


def of_derivative(claim: Claim, d: Diff) -> Asked:
    """What is differentiated, by what."""
    definitions = dict(claim.context.definitions)
    variable = d.wrt.array
    definitions.pop(variable, None)
    body = innermost(d.body)
    if isinstance(body, Entry) and body.array in definitions:
        output = body.array
    else:
        axes = tuple(sorted(free(body), key=lambda i: i.name))
        output = Array(free_name(claim, definitions))
        definitions[output] = Tensor(axes, body)
    return Asked(formulas_of(claim, output, definitions), (variable,))


def of_definition(claim: Claim, lhs: Entry) -> Asked:
    axes = tuple(i for i in lhs.at if isinstance(i, Index))
    definitions = {**claim.context.definitions, lhs.array: Tensor(axes, claim.rhs)}
    return Asked(formulas_of(claim, lhs.array, definitions), ())


def innermost(t: Term) -> Term:
    """A second derivative is that of a first: the function itself."""
    return innermost(t.body) if isinstance(t, Diff) else t


def free_name(claim: Claim, definitions: Mapping[Array, Tensor]) -> str:
    taken = {a.name for a in (*claim.shapes, *definitions)}
    return next(x for x in ("f", "g", "h", "F", "G", "f_0") if x not in taken)


def formulas_of(claim: Claim, output: Array, definitions: Mapping[Array, Tensor]) -> Formulas:
    used = reached(output, definitions)
    inputs: dict[Array, tuple[Size, ...]] = {}
    for a in sorted(used - set(definitions), key=str):
        if a not in claim.shapes:
            raise SymbackpropError(f"the shape of {a} is not known")
        inputs[a] = claim.shapes[a]
    hypotheses = {n: h for n, h in claim.context.hypotheses.items() if spoken_of(h) <= set(inputs)}
    return Formulas(output, {a: t for a, t in definitions.items() if a in used}, inputs, hypotheses)


def reached(output: Array, definitions: Mapping[Array, Tensor]) -> set[Array]:
    found: set[Array] = set()
    work = [output]
    while work:
        a = work.pop()
        if a not in found and a.name != "pi":
            found.add(a)
            work += arrays(definitions[a].body) if a in definitions else ()
    return found


def spoken_of(h: object) -> set[Array]:
    terms = [getattr(h, n) for n in ("lhs", "rhs", "term") if hasattr(h, n)]
    return {a for t in terms for a in arrays(t)}
