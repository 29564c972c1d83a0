"""A story of the notes: what is asked, in an author's names, and what the planner tells of it, with its theorems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.core.context import Context, Hypothesis
from symbackprop.core.indices import Index, SymbackpropError
from symbackprop.core.matrix import Leaf, Matrix, Softmax, Transpose
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array, Diff, Entry, Size, Sum, Term, free, subterms, whole
from symbackprop.gradients.derived import derived
from symbackprop.gradients.lemmas import with_entries
from symbackprop.network.dense import COST, at_axes, axes_of, loss_of, slope_form
from symbackprop.network.theorems import Theorem, definition, settled
from symbackprop.prove.equality import prove_gradient
from symbackprop.read.formulas.program import Assuming, Formulas, Program
from symbackprop.read.numpy import Declared, trace_assumptions
from symbackprop.write.paper.latex import Latex
from symbackprop.write.paper.text import Plain
from symbackprop.write.program.derivation import plan
from symbackprop.write.program.lines import RESULT, Line, Passage
from symbackprop.write.program.notation import GRADIENT, Author, Standing, partial
from symbackprop.write.program.parts import IndexLetters

Both = tuple[str, str]  # text and LaTeX
COLUMNS, ROWS = Standing(paper=True), Standing(rows=True, paper=True)
NUMERATOR = Standing(numerator=True, paper=True, chained=True)
LOSS = {"L": ("ℒ", r"\mathcal{L}")}


@dataclass(frozen=True, slots=True)
class Told:
    """Passages that lead to the statements; the theorems say the same by entries."""

    name: str
    title: str
    about: str
    kind: str
    setting: tuple[tuple[Both, Both], ...]
    passages: tuple[Passage, ...]
    statements: tuple[Both, ...]
    theorems: tuple[Theorem, ...]

    @property
    def sizes(self) -> tuple[str, ...]:
        return tuple(sorted(set[str]().union(*map(sizes_of, self.theorems))))


def sizes_of(t: Theorem) -> set[str]:
    """The size symbols that it is for all values of."""
    found: set[str] = set()
    for side in (t.equation.lhs, t.equation.rhs, *(d.body for d in t.context.definitions.values())):
        found |= {x for i in free(side) for x in i.size.symbols}
        for s in subterms(side):
            match s:
                case (Size() as n) | Sum(n):
                    found |= set(n.symbols)
    return found


@dataclass(frozen=True, slots=True)
class Question:
    """Derivatives of an output by variables, which `definitions` lead from `inputs` to.

    An output that is no number goes into an abstract loss ℒ, unless its Jacobians are asked for.  `signals` are names
    of gradients by what they are gradients by; `folds` names of terms; `letters` those of indices, by size; `avoid`
    compact forms that the author does not use, `cited` those whose Jacobian has been told before.
    """

    name: str
    title: str
    about: str
    output: Leaf
    by: tuple[Leaf, ...]
    inputs: tuple[Leaf, ...]
    definitions: tuple[tuple[Leaf, Matrix | Tensor], ...]
    kind: str = ""
    signals: Mapping[Leaf, Leaf] = field(default_factory=dict)
    folds: tuple[tuple[Leaf, Tensor], ...] = ()
    letters: Mapping[str, str] = field(default_factory=dict)
    standing: Standing = COLUMNS
    hypotheses: Mapping[str, Hypothesis] = field(default_factory=dict)
    jacobians: bool = False
    avoid: tuple[str, ...] = ()
    cited: tuple[str, ...] = ()


def told(q: Question) -> Told:
    """Raises SymbackpropError for what is not derived, ProofError for what is not proved."""
    return Telling(q).told()


class Telling:
    def __init__(self, q: Question) -> None:
        self.q = q
        self.defined = dict(meaning(leaf, form) for leaf, form in q.definitions)
        self.program = Program(Formulas(
            q.output.array, self.defined, {x.array: at_axes(x, *x.shape) for x in q.inputs}, q.hypotheses
        ), "f")  # fmt: skip
        self.leaves = {self.program.names[x.array]: x for x in (*q.inputs, *(d for d, _ in q.definitions))}
        self.signals = {name: q.signals[x] for name, x in self.leaves.items() if x in q.signals}
        self.named = {str(a): a for a in (x.array for x in (*self.signals.values(), *(a for a, _ in q.folds)))}
        self.known = {a.array: t for a, t in q.folds}
        if not q.jacobians and q.output.kind != "scalar" and (signal := q.signals.get(q.output)) is not None:
            self.known[signal.array] = definition(signal, slope_form(q.output))[1]

    def told(self) -> Told:
        q = self.q
        declared = {n: Declared(s) for n, s in self.program.shapes.items()}
        assumed = trace_assumptions(Assuming(self.program), declared) if q.hypotheses else ()
        variables = [self.program.names[x.array] for x in q.by]
        hypotheses = dict(zip(q.hypotheses, assumed, strict=True))
        found = derived(self.program, declared, variables, {}, None, hypotheses, q.avoid)
        passages = plan(found, q.title, (), self.author()).passages
        if not all(p.proved and p.result is not None for p in passages):
            raise SymbackpropError(f"{q.name}: a passage is not proved")
        theorems = [t for p in passages for t in self.theorems(p)]
        kept = [p for p in passages if self.about(p) in (*q.by, *q.signals)]
        return Told(q.name, q.title, q.about, q.kind, self.setting(), passages, tuple(map(self.statement, kept)),
                    tuple(theorems))  # fmt: skip

    def author(self) -> Author:
        written = {n: both(x.array) for n, x in self.leaves.items()} | LOSS
        written |= {str(x.array): both(x.array) for x in (*self.signals.values(), *(a for a, _ in self.q.folds))}
        named = {x.array: Array(n) for n, x in self.leaves.items()}

        def on_the_page(e: Entry) -> Term:
            return Entry(named.get(e.array, e.array), e.at)

        folds = {Array(str(a.array)): Tensor(t.axes, with_entries(t.body, on_the_page)) for a, t in self.q.folds}
        signals = {n: str(x.array) for n, x in self.signals.items()}
        return Author(
            written, self.q.standing, self.q.letters, signals, self.q.jacobians, True, Context(folds), self.q.cited
        )

    # --- theorems ------------------------------------------------------------------------------

    def about(self, p: Passage) -> Leaf:
        assert p.result is not None
        match p.result[0]:
            case Diff(_, wrt):
                return self.leaves[wrt.array.name]
            case Entry(array, _):
                return self.leaves[array.name.removeprefix(GRADIENT)]
        raise SymbackpropError(f"{self.q.name}: a passage is about no derivative")

    def theorems(self, p: Passage) -> Iterator[Theorem]:
        """The last line of a passage by entries, proved from the definitions alone."""
        assert p.result is not None
        leaf, (left, right) = self.about(p), map(self.authors, p.result)
        definitions = {a: t for a, t in self.defined.items() if a != leaf.array}
        context = Context({**definitions, **self.known}, self.q.hypotheses)
        if isinstance(left, Diff):
            body, wrt = left.body, left.wrt
        else:
            assert isinstance(left, Entry)
            body, wrt = self.loss(), Entry(leaf.array, left.at)
            signal = self.q.signals.get(leaf)
            axes = tuple(i for i in wrt.at if isinstance(i, Index))
            self.known[gradient_by(leaf) if signal is None else signal.array] = Tensor(axes, right)
        if leaf not in (*self.q.by, *self.q.signals):
            return
        proof = prove_gradient(body, wrt, right, context)
        if proof is None:
            raise SymbackpropError(f"{self.q.name}: ∂({body})/∂{wrt} = {right} is not proved")
        yield Theorem(self.q.name, context, *settled(proof[0], context))

    def loss(self) -> Term:
        return Entry(self.q.output.array, ()) if self.q.output.kind == "scalar" else loss_of(self.q.output)

    def authors(self, t: Term) -> Term:
        """A term of the page in the author's arrays."""

        def entry(e: Entry) -> Term | None:
            name = e.array.name
            if name in self.named:
                return Entry(self.named[name], e.at)
            leaf = self.leaves[name.removeprefix(GRADIENT)]
            if name == GRADIENT + self.program.names[self.q.output.array]:
                axes = axes_of(leaf)
                return whole(COST, 1, axes, Entry(leaf.array, axes), e.at)
            return Entry(gradient_by(leaf) if name[0] == GRADIENT else leaf.array, e.at)

        match t:
            case Diff(Entry() as body, wrt):
                return Diff(entry(body) or body, Entry(self.leaves[wrt.array.name].array, wrt.at))
            case _:
                return with_entries(t, entry)

    # --- what stands around the passages ---------------------------------------------------------

    def setting(self) -> tuple[tuple[Both, Both], ...]:
        rows = []
        for leaf, form in (*self.q.definitions, *self.q.folds):
            match form:
                case Tensor(axes, body):
                    rows.append((terms(Entry(leaf.array, axes)), terms(body)))
                case Softmax():
                    _, at = IndexLetters((), self.q.letters)(at_axes(leaf, *leaf.shape))
                    rows.append((terms(Entry(leaf.array, at)), terms(meaning(leaf, form)[1].at(*at))))
                case _:
                    rows.append((matrices(leaf), matrices(form)))
        for variable, signal in self.q.signals.items():
            rows.append((matrices(self.standing(signal)), partials(both(variable.array))))
        return tuple(rows)

    def standing(self, signal: Leaf) -> Matrix:
        """A signal is shaped as its variable, so in numerator layout its transpose is the derivative."""
        return Transpose(signal) if self.q.standing.numerator else signal

    def statement(self, p: Passage) -> Both:
        """The last line of a passage, with the name of the gradient before it."""
        asked = f"∂{both(self.q.output.array)[0] if self.q.output.kind == 'scalar' else LOSS['L'][0]}/"
        line = [x for x in p.shown(1) if self.q.jacobians or x.left.startswith(asked)][-1]
        signal = self.q.signals.get(self.about(p))
        text, tex = stated(line)
        if signal is None:
            return text, tex
        name = matrices(self.standing(signal))
        return f"{name[0]} = {text}", f"{name[1]} = {tex}"


def meaning(leaf: Leaf, form: Matrix | Tensor) -> tuple[Array, Tensor]:
    return (leaf.array, form) if isinstance(form, Tensor) else definition(leaf, form)


def gradient_by(leaf: Leaf) -> Array:
    return Array(GRADIENT + leaf.array.name, leaf.array.label)


def both(a: Array) -> Both:
    return Plain().array(a, []), Latex().array(a, [])


def terms(t: Term) -> Both:
    return Plain()(t), Latex()(t)


def matrices(m: Matrix) -> Both:
    return Plain().matrix(m), Latex().matrix(m)


def partials(name: Both, of: Both = LOSS["L"]) -> Both:
    return f"∂{of[0]}/∂{name[0]}", partial(of[1], name[1])


def stated(line: Line) -> Both:
    return f"{line.left} = {line.right}", f"{line.latex_left} = {line.latex_right}"


def of_forms(name: Both, left: Both, forms: Sequence[tuple[Matrix, str]]) -> Passage:
    """A passage without the planner: forms that are equal, with the reasons."""
    sides = [left, *[("", "")] * (len(forms) - 1)]
    lines = [Line(a, matrices(form)[0], p, matrices(form)[1], reason, RESULT)
             for (a, p), (form, reason) in zip(sides, forms, strict=True)]  # fmt: skip
    return Passage(*name, tuple(lines), True)
