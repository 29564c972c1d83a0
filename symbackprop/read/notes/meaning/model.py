"""Which definitions a statement rests on, and what the loss is a function of.

A derivative ∂B/∂u holds everything fixed that does not come after u: u is the variable, and what depends on u does so
by the definitions.  For a layer l that is any of them, the loss is an abstract function of the last array P of that
layer which the statement differentiates by: whatever comes after P, for every depth.  That is right because, by the
definitions, every way from layer l to the loss goes through P; this is checked here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from ..declared.symbols import ArraySymbol, Declarations
from ..files.place import Span, Unsettled
from ..grammar.resolve import parse_expression
from ..grammar.tree import Chain, Derivative, Entry, Expr, Gradient, Label, Symbol
from ..grammar.walking import reached, relabel, walk
from .definitions import array_of, definition_of, general_definitions, head, plain, symbols

MAX_SYMBOLS = 400


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
        return known if known is not None and self.holds_derivative(known, plain(s), set()) else None

    def holds_derivative(self, known: Chain, s: Symbol, seen: set[Symbol]) -> bool:
        """A derivative occurs in the definition, or in the definition of an array without layers in it."""
        seen.add(s)
        for n in walk(known.links[0].rhs):
            if isinstance(n, (Derivative, Gradient)):
                return True
            if s.label is None and isinstance(n, Symbol) and plain(n) not in seen:
                inner = definition_of(plain(n), self.decl)
                if inner is not None and self.holds_derivative(inner, plain(n), seen):
                    return True
        return False

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
        """Between the lowest and the highest layer that are mentioned; outside definitions are not followed."""
        if s.label is None or self.exact(s):
            return True
        low, high = self.lowest.get(s.label.base), self.highest.get(s.label.base)
        return low is not None and high is not None and low <= s.label.shift <= high

    def exact(self, s: Symbol) -> bool:
        """There is a definition for just this layer, such as a^0 := x."""
        heads = (head(d.chain.subjects[-1]) for d in self.decl.definitions)
        return (s.label is None or s.label.base is None) and any(h is not None and plain(h) == s for h in heads)

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
                    if len(seen) > MAX_SYMBOLS:
                        raise Unsettled(
                            f"{s.name} is defined by itself at other layers: define it by a derivative", n.span
                        )
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
                    self.check_partial(d, plain(variable))
                    for body in symbols(d.body):
                        other = self.definition(body) is not None and not self.depends(body, plain(variable))
                        if body != plain(variable) and (d.body == body or (self.behind(body) and not other)):
                            by_body.setdefault(body, {})[plain(variable)] = d.span
        last = self.decl.last
        for base, high in self.highest.items():
            if base is not None and base in self.decl.layers and high > 0:
                stands = "stands for any" if base == last else "is a"
                self.conditions.append(f"{base} {stands} layer below the last")
        for body, targets in by_body.items():
            if self.is_loss(body):
                self.choose(body, targets)

    def check_partial(self, d: Derivative | Gradient, by: Symbol) -> None:
        """∂f/∂x of f(x, y), where y depends on x: that y is held fixed is no less usual than that it is not."""
        array = array_of(d.body, self.decl) if isinstance(d.body, Symbol) else None
        if not isinstance(d.body, Symbol) or array is None or (isinstance(d, Derivative) and d.total):
            return
        own = set(array.of.split(",")) & self.decl.arrays.keys()
        args = self.arguments(d.body) | {Symbol(name) for name in own}
        led = sorted(a.name for a in args - {by} if by in args and self.depends(a, by))
        if led:
            of, x, y = d.body.name, by.name, led[0]
            raise Unsettled(f"whether ∂{of}/∂{x} holds {y} fixed, which depends on {x}, is not settled", d.span)

    def reach(self, open_: set[Symbol]) -> None:
        """Layers that are only met behind symbols without a layer (y := a^L): followed from there."""
        met: dict[str | None, list[int]] = {}
        seen: set[Symbol] = set()
        while open_:
            s = open_.pop()
            seen.add(s)
            for x in self.behind(s):
                if x.label is None:
                    open_ |= {x} - seen
                elif x.label.base not in self.lowest:
                    met.setdefault(x.label.base, []).append(x.label.shift)
        self.lowest.update({base: min(shifts) for base, shifts in met.items()})
        self.highest.update({base: max(shifts) for base, shifts in met.items()})

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
        span = next(iter(targets.values()))
        for t in targets:
            shared = self.layers_that_share(t)
            if shared:
                raise Unsettled(
                    f"{t.name} is the same in every layer ({shared}): a derivative by it sums over layers", span
                )
        if not bases and given:
            apart = [t for t in targets if not self.depends(loss, t)]
            if not apart:
                return
            through = len(apart) == len(targets) > 1 and self.last_of(list(targets)) is not None
            for t in () if through and self.decl.inferred else apart:  # else it is any function of the last of them
                if t.label is None or self.decl.is_last(t.label):
                    at = "" if t.label is None else f" at {t.label}"
                    raise Unsettled(f"nothing says how {loss.name} depends on {t.name}{at}", targets[t])
            bases = {t.label.base for t in targets if t.label is not None}
        if len(bases) > 1 or (bases and any(t.label is None or t.label.base not in bases for t in targets)):
            raise Unsettled("layers with different letters under one ∂: which comes first?", span)
        last = self.last_of(list(targets))
        beyond = [s for s in map(Symbol, sorted(self.decl.beyond.get(loss.name, ()))) if array_of(s, self.decl)]
        others = [t for t in targets if t != last]  # what depends on none of these is of another network
        beyond = [s for s in beyond if last is not None and any(self.depends(s, t) for t in (last, *others))]
        if last is not None and (any(past(self, s, last, others) for s in beyond) or (beyond and len(targets) == 1)):
            last = self.last_of([*targets, *beyond])  # a way to the loss goes past what is differentiated by here
        if last is None:
            raise Unsettled(f"{loss.name} is differentiated by arrays of which none depends on all the others", span)
        self.abstract[loss] = last
        self._rhs.pop(loss, None)
        self._depends.clear()
        if last.label is not None:
            check_cut(self, last, list(targets), span)
        if bases:
            check_loss(self, loss, span)
            check_last(self, last)

    def layers_that_share(self, t: Symbol) -> str:
        """The array of a general layer whose definition holds t, an array without a layer; "" when there is none."""
        if t.label is not None:
            return ""
        for subject, rhs in general_definitions(self.decl):
            if t in set(symbols(rhs)):
                return f"it occurs in {subject.name}"
        return ""

    def last_of(self, targets: list[Symbol]) -> Symbol | None:
        """The array that everything differentiated by goes through."""
        for t in targets:
            if all(self.depends(t, other) for other in targets) and (
                self.definition(t) is not None or not self.after(t)
            ):
                return t
        behind = sorted(reached(targets, self.after) - set(targets), key=str)
        found = [s for s in behind if all(self.depends(s, other) for other in targets)]
        return next((s for s in found if not any(o != s and self.depends(s, o) for o in found)), None)

    def after(self, t: Symbol) -> list[Symbol]:
        """The arrays of the same layer whose definition holds t."""
        out: list[Symbol] = []
        for d in self.decl.definitions:
            h = head(d.chain.subjects[-1])
            if h is None or self.is_loss(h) or self.inlined(s := self.at(h, t)) is not None:
                continue
            if s != t and t in self.behind(s) and s not in out:
                out.append(s)
        return out

    def at(self, head: Symbol, like: Symbol) -> Symbol:
        """A general definition's symbol at the layer of another symbol."""
        if head.label is None or like.label is None:
            return plain(head)
        return Symbol(
            head.name,
            like.label if head.label.base in self.decl.layers and not self.decl.is_last(head.label) else head.label,
        )

    # --- which definitions to use ------------------------------------------------------------

    def wanted(self, s: Symbol) -> bool:
        """The definition of s is of use: s depends on a variable or on something mentioned, or no ∂ occurs."""
        if s.name in self.decl.solved:
            return True
        if not self.in_range(s) or self.inlined(s) is not None:
            return False
        behind = self.behind(s)
        if not behind and self.definition(s) is None:
            return False
        if not self.targets or (self.decl.inferred and s not in self.targets):
            return True
        return any(self.depends(s, t) for t in self.targets if t != s) or bool(behind & self.mentioned)


def at_layer(node: Expr, symbol: ArraySymbol, label: Label | None) -> Expr:
    """A size expression of a layered array at a layer."""
    if not symbol.layer or label is None:
        return node
    return cast(Expr, relabel(node, symbol.layer, label))


# --- whether the loss may be taken as a function of one array: no way to it goes past that array ---


def check_cut(model: Model, p: Symbol, targets: list[Symbol], span: Span) -> None:
    """What the layers behind P's see of its layer depends on the variables only through P, and no layer is skipped."""
    assert p.label is not None
    passed: set[Symbol] = set()
    for subject, rhs in general_definitions(model.decl):
        if any(isinstance(n, (Derivative, Gradient)) for n in walk(rhs)):
            continue
        assert subject.label is not None
        for s in symbols(rhs):
            if s.label is None or array_of(s, model.decl) is None:
                continue
            if s.label.base != subject.label.base or not -1 <= s.label.shift <= 0:
                raise Unsettled(f"{subject.name} at one layer uses {s.name} at {s.label}: not supported", span)
            if s.label.shift == -1:
                passed.add(Symbol(s.name, p.label))
    for s in sorted(passed, key=lambda x: x.name):
        leak = past(model, s, p, [t for t in targets if t != p])
        if leak is not None:
            raise Unsettled(
                f"the loss depends on {leak.name} at {leak.label} not only through {p.name} at {p.label}", span
            )


def past(model: Model, s: Symbol, p: Symbol, targets: list[Symbol]) -> Symbol | None:
    """A variable, or something that depends on one, that s holds by a way that does not go through P."""
    if s == p:
        return None
    if s in targets:
        return s
    if s.label != p.label:
        return s if any(model.depends(s, t) for t in targets) else None
    found = (past(model, x, p, targets) for x in sorted(model.behind(s), key=lambda y: y.name))
    return next((leak for leak in found if leak is not None), None)


def check_loss(model: Model, loss: Symbol, span: Span) -> None:
    """The loss as it is given holds, of the layers, only what the last one computes; no weights besides."""
    seen: set[Symbol] = set()
    work = [loss]
    while work:
        s = work.pop()
        if s in seen:
            continue
        seen.add(s)
        known = definition_of(s, model.decl)
        held = set(symbols(known.links[0].rhs)) if known is not None else model.arguments(s)
        for x in sorted(held, key=str):
            if array_of(x, model.decl) is None:
                continue
            if x.label is None:
                work.append(x)
            elif definition_of(x, model.decl) is None or not (model.decl.is_last(x.label) or x.label.base is None):
                raise Unsettled(f"{loss.name} holds {x.name} at {x.label} directly: not supported for any layer", span)


def check_last(model: Model, p: Symbol) -> None:
    """Where the last layer has definitions of its own, the general ones speak of the layers before it."""
    assert p.label is not None
    mentioned = {s.name for s in model.mentioned | {p} if s.label is not None and s.label.base == p.label.base}
    for d in model.decl.definitions:
        symbol = head(d.chain.subjects[-1])
        if symbol is None or symbol.label is None or not model.decl.is_last(symbol.label):
            continue
        if symbol.name in mentioned and definition_of(Symbol(symbol.name, p.label), model.decl) is not None:
            condition = f"layer {p.label} is not the last"
            if condition not in model.conditions:
                model.conditions.append(condition)
