"""Which definitions a statement rests on, and what the loss is a function of.

A derivative ∂B/∂u holds everything that does not come after u fixed: u is the variable, and what depends on u does so by the
definitions.  For a layer l that is any of them, the loss is an abstract function of the last array P of that layer which
the statement differentiates by: whatever comes after P, for every depth.  That is right because the definitions say that
every way from layer l to the loss goes through P; this is checked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast

from .parser import parse_expression
from .place import ReadError, Span
from .statements import definition_of
from .symbols import ArraySymbol, Declarations
from .tree import Chain, Derivative, Entry, Expr, Gradient, Label, Symbol
from .walking import relabel, walk


def plain(s: Symbol) -> Symbol:
    """The symbol as a key: without sample and place."""
    return s if s.sample is None else Symbol(s.name, s.label)


def array_of(s: Symbol, decl: Declarations) -> ArraySymbol | None:
    return decl.layered.get(s.name) if s.label is not None else decl.arrays.get(s.name)


def symbols(node: object) -> Iterator[Symbol]:
    return (plain(n) for n in walk(node) if isinstance(n, Symbol))


@dataclass(slots=True)
class Model:
    """Prepared for one statement by `prepare`."""

    decl: Declarations
    mentioned: set[Symbol] = field(default_factory=set)
    targets: dict[Symbol, Span] = field(default_factory=dict)
    lowest: dict[str | None, int] = field(default_factory=dict)
    highest: dict[str | None, int] = field(default_factory=dict)
    abstract: dict[Symbol, Symbol] = field(default_factory=dict)
    conditions: list[str] = field(default_factory=list)
    _rhs: dict[Symbol, frozenset[Symbol]] = field(default_factory=dict)
    _depends: dict[tuple[Symbol, Symbol], bool] = field(default_factory=dict)

    # --- definitions -------------------------------------------------------------------------

    def definition(self, s: Symbol) -> Chain | None:
        return None if s in self.abstract else definition_of(plain(s), self.decl)

    def inlined(self, s: Symbol) -> Chain | None:
        """The definition of a symbol that is a derivative itself, such as δ^l := ∂L/∂z^l."""
        known = definition_of(plain(s), self.decl)
        if known is not None and any(isinstance(n, (Derivative, Gradient)) for n in walk(known.links[0].rhs)):
            return known
        return None

    def loss_arguments(self, s: Symbol) -> tuple[str, ...] | None:
        """The arguments of the loss function that a scalar is the value of."""
        function = self.decl.functions.get(s.name)
        return function.args if function is not None and function.kind == "loss" and s.label is None else None

    def behind(self, s: Symbol) -> frozenset[Symbol]:
        """The arrays in the definition of s."""
        if s not in self._rhs:
            known = self.definition(s)
            if s in self.abstract:
                found: set[Symbol] = {self.abstract[s]}
            elif known is not None:
                found = set(symbols(known.links[0].rhs)) - {s}
            else:
                found = self.arguments(s)
            self._rhs[s] = frozenset(f for f in found if array_of(f, self.decl) is not None)
        return self._rhs[s]

    def arguments(self, s: Symbol) -> set[Symbol]:
        args = self.loss_arguments(s)
        if not args:
            return set()
        return {x for a in args for x in symbols(parse_expression(a, self.decl))}

    def depends(self, a: Symbol, b: Symbol) -> bool:
        """a comes after b (or is b) by the definitions, in the layers that are mentioned."""
        if a == b:
            return True
        key = (a, b)
        if key not in self._depends:
            self._depends[key] = False
            if self.in_range(a):
                self._depends[key] = any(self.depends(x, b) for x in self.behind(a))
        return self._depends[key]

    def in_range(self, s: Symbol) -> bool:
        """Not below the lowest layer that is mentioned, where definitions are no longer followed."""
        if s.label is None or self.exact(s):
            return True
        low = self.lowest.get(s.label.base)
        return low is not None and s.label.shift >= low

    def exact(self, s: Symbol) -> bool:
        """There is a definition for just this layer, such as a^0 := x."""
        return any(
            isinstance(head, Symbol) and plain(head) == s and (s.label is None or s.label.base is None)
            for d in self.decl.definitions
            for head in [d.chain.subjects[-1].base if isinstance(d.chain.subjects[-1], Entry) else d.chain.subjects[-1]]
        )

    # --- one statement -----------------------------------------------------------------------

    def prepare(self, nodes: Iterable[Expr]) -> None:
        work: list[object] = list(nodes)
        derivatives: list[Derivative | Gradient] = []
        seen: set[Symbol] = set()
        while work:
            node = work.pop()
            for n in walk(node):
                if isinstance(n, (Derivative, Gradient)):
                    derivatives.append(n)
                elif isinstance(n, Symbol) and plain(n) not in seen:
                    s = plain(n)
                    seen.add(s)
                    known = self.inlined(s)
                    if known is not None:
                        work.append(known.links[0].rhs)
        self.mentioned = {s for s in seen if array_of(s, self.decl) is not None}
        for s in self.mentioned:
            if s.label is not None:
                base, shift = s.label.base, s.label.shift
                self.lowest[base] = min(self.lowest.get(base, shift), shift)
                self.highest[base] = max(self.highest.get(base, shift), shift)
        self.reach({s for s in self.mentioned if s.label is None})
        by_body: dict[Symbol, dict[Symbol, Span]] = {}
        for d in derivatives:
            for v in d.wrt if isinstance(d, Derivative) else (d.wrt,):
                variable = v.base if isinstance(v, Entry) else v
                if isinstance(variable, Symbol):
                    self.targets.setdefault(plain(variable), d.span)
                    for body in symbols(d.body):
                        by_body.setdefault(body, {})[plain(variable)] = d.span
        last = self.decl.last
        for base, high in self.highest.items():
            if base is not None and base in self.decl.layers and high > 0:
                stands = "stands for any" if base == last else "is a"
                self.conditions.append(f"{base} {stands} layer below the last")
        for body, targets in by_body.items():
            if self.is_loss(body):
                self.choose(body, targets)

    def reach(self, open_: set[Symbol]) -> None:
        """Layers that are only met behind symbols without a layer (y := a^L): followed from there."""
        met: dict[str | None, int] = {}
        seen: set[Symbol] = set()
        while open_:
            s = open_.pop()
            seen.add(s)
            for x in self.behind(s):
                if x.label is None:
                    open_ |= {x} - seen
                elif x.label.base not in self.lowest:
                    met[x.label.base] = min(met.get(x.label.base, x.label.shift), x.label.shift)
        self.lowest.update(met)

    def generic(self, base: str | None) -> bool:
        """The letter stands for any layer."""
        last = self.decl.last
        return base is not None and base in self.decl.layers and (base != last or self.highest.get(last, 0) > 0)

    def is_loss(self, s: Symbol) -> bool:
        array = array_of(s, self.decl)
        return s.label is None and array is not None and not array.shape

    def choose(self, loss: Symbol, targets: dict[Symbol, Span]) -> None:
        """Decide whether the loss is taken as an abstract function of one array, and of which."""
        bases = {t.label.base for t in targets if t.label is not None and self.generic(t.label.base)}
        given = self.definition(loss) is not None or bool(self.loss_arguments(loss))
        if not bases and given:
            return
        span = next(iter(targets.values()))
        if len(bases) > 1 or (bases and any(t.label is None or t.label.base not in bases for t in targets)):
            raise ReadError("layers with different letters under one ∂: which comes first?", span)
        last = self.last_of(list(targets))
        if last is None:
            raise ReadError(f"{loss.name} is differentiated by arrays of which none depends on all the others", span)
        self.abstract[loss] = last
        self._rhs.pop(loss, None)
        self._depends.clear()
        if bases and last.label is not None:
            self.check_cut(last, span)

    def last_of(self, targets: list[Symbol]) -> Symbol | None:
        """The array that everything differentiated by goes through."""
        for t in targets:
            if all(self.depends(t, other) for other in targets) and (self.definition(t) is not None or not self.after(t)):
                return t
        found = [s for t in targets for s in self.after(t) if all(self.depends(s, other) for other in targets)]
        return next((s for s in found if not any(o != s and self.depends(s, o) for o in found)), None)

    def after(self, t: Symbol) -> list[Symbol]:
        """The arrays of the same layer whose definition holds t."""
        out: list[Symbol] = []
        for d in self.decl.definitions:
            subject = d.chain.subjects[-1]
            head = subject.base if isinstance(subject, Entry) else subject
            if not isinstance(head, Symbol) or self.is_loss(head) or self.inlined(self.at(head, t)) is not None:
                continue
            s = self.at(head, t)
            if s != t and t in self.behind(s) and s not in out:
                out.append(s)
        return out

    def at(self, head: Symbol, like: Symbol) -> Symbol:
        """A general definition's symbol at the layer of another symbol."""
        if head.label is None or like.label is None:
            return plain(head)
        return Symbol(head.name, like.label if head.label.base in self.decl.layers and not self.decl.is_last(head.label) else head.label)

    def check_cut(self, p: Symbol, span: Span) -> None:
        """Every way from the layer of P to the layers behind goes through P, and no definition skips a layer."""
        assert p.label is not None
        passed: set[Symbol] = set()
        for d in self.decl.definitions:
            subject = d.chain.subjects[-1]
            head = subject.base if isinstance(subject, Entry) else subject
            if not isinstance(head, Symbol) or head.label is None or head.label.base is None or head.label.shift:
                continue
            if self.decl.is_last(head.label) or self.inlined(head) is not None:
                continue
            for s in symbols(d.chain.links[0].rhs):
                if s.label is None or array_of(s, self.decl) is None:
                    continue
                if s.label.base != head.label.base or not -1 <= s.label.shift <= 0:
                    raise ReadError(f"{head.name} at one layer uses {s.name} at {s.label}: layers that skip are not supported", span)
                if s.label.shift == -1:
                    passed.add(Symbol(s.name, p.label))
        for s in sorted(passed, key=lambda x: x.name):
            leak = self.leak(s, p)
            if leak is not None:
                raise ReadError(f"the loss depends on {leak.name} of layer {p.label} not only through {p.name}", span)

    def leak(self, s: Symbol, p: Symbol) -> Symbol | None:
        """An array of P's layer that s depends on past P."""
        if s == p or (self.depends(p, s) and s != p):
            return None
        if s.label is None or p.label is None or s.label != p.label:
            return None
        behind = self.behind(s)
        if not behind:
            return s
        return next((found for x in sorted(behind, key=lambda y: y.name) if (found := self.leak(x, p)) is not None), None)

    # --- which definitions to use ------------------------------------------------------------

    def wanted(self, s: Symbol) -> bool:
        """The definition of s is of use: s depends on a variable, or on something that is mentioned; or nothing is differentiated."""
        if not self.in_range(s) or self.inlined(s) is not None:
            return False
        behind = self.behind(s)
        if not behind and self.definition(s) is None:
            return False
        if not self.targets:
            return True
        return any(self.depends(s, t) for t in self.targets if t != s) or bool(behind & self.mentioned)


def at_layer(node: Expr, symbol: ArraySymbol, label: Label | None) -> Expr:
    """A size expression of a layered array at a layer."""
    if not symbol.layer or label is None:
        return node
    return cast(Expr, relabel(node, symbol.layer, label))
