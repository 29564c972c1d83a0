"""What each letter of a section may be, and what that costs: the choices among which the solver looks.

Costs are compared as (shapes that were said and are broken, formulas that do not conform, the rest).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from ..declared.symbols import (
    ArraySymbol, Declarations, FunctionSymbol, IndexSymbol, LayerSymbol, MacroSymbol, SizeSymbol,
)  # fmt: skip
from ..grammar.resolve_names import PI
from ..grammar.tree import Expr, Inner, Name, Norm, Operator, Product, Sum, Symbol, Transpose
from ..grammar.vocabulary import FACTORIAL, FUNCTION_WORDS, GAMMA
from ..grammar.walking import bracketed, names, reached, walk
from .occurrences import key_of, names_in
from .options import AT, Option, Options
from .prose_patterns import LOGISTIC_FORMULA
from .roles import LOSSES, USUAL_FUNCTIONS
from .said import ArrayUse, Candidate, softmax_given

_WHOLE = (Transpose, Norm, Sum, Inner)


@dataclass(slots=True)
class Frame:
    """A section made ready for solving: the table without its arrays, and the options of each of these."""

    table: Declarations
    options: dict[str, tuple[Option, ...]] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)

    @property
    def moved(self) -> set[str]:
        """The x of f(x) = …, of which other arguments are used, too."""
        macros = self.table.macros.values()
        return {key_of(m.params[0]) for m in macros if len(m.params) == 1 and isinstance(m.params[0], Name)}

    def with_arrays(self, chosen: Mapping[str, Option], layout: str = "") -> Declarations:
        """The table with these, and with the layout where it has none."""
        arrays, layered = dict(self.table.arrays), dict(self.table.layered)
        for key, option in chosen.items():
            name = key.removesuffix(AT)
            symbol = ArraySymbol(name, option.shape, option.orientation, of=self.of.get(key, ""), family=option.family)
            if key.endswith(AT):
                layers = self.table.layers
                layer = next((k for k, s in layers.items() if s.last != k), next(iter(layers), "l"))
                layered[name] = replace(symbol, layer=layer)
            else:
                arrays[name] = symbol
        laid_out = self.table.layout or layout
        return replace(self.table, arrays=arrays, layered=layered, layout=laid_out)  # type: ignore[arg-type]


class Framer(Options):
    def frame(self) -> Frame:
        roles, base = self.roles, self.base
        sizes = {**{n: SizeSymbol(n) for n in sorted(roles.sizes)}, **base.sizes}
        composite = {k: frozenset(v) | base.composite.get(k, frozenset()) for k, v in roles.composite.items()}
        indices = {i: IndexSymbol(i, self.range_of(i), summed=i in roles.means_over) for i in sorted(roles.indices)}
        table = replace(
            base, inferred=True, sizes=sizes, indices={**indices, **base.indices},
            layers={**{k: LayerSymbol(k, v) for k, v in roles.layers.items()}, **base.layers},
            composite={**base.composite, **composite},
            einstein=base.einstein or self.facts.einstein,
        )  # fmt: skip
        if roles.layers:
            taken = set(roles.arrays) | roles.sizes
            self.width = next(n for n in ("n", "d", "m", "h", "N") if n not in taken or n in base.layered_sizes)
            table = replace(
                table, layered_sizes={**table.layered_sizes, self.width: SizeSymbol(self.width, layered=True)}
            )
        if pi := [u for u in roles.all_uses() if u.key in ("π", PI)]:  # a letter where it is a variable
            role: Literal["variable", "constant"] = "variable" if any(u.by for u in pi) else "constant"
            table = table.with_array(ArraySymbol(PI, (), "scalar", role=role))
        frame = Frame(table)
        self.functions(frame)
        self.only_variables(frame)
        for key, use in roles.arrays.items():
            if self.skipped(key, use, frame):
                continue
            if use.layered:
                frame.options[key + AT] = self.layered_options(key, use)
            if use.unlayered or not use.layered:
                frame.options[key] = self.options(key, use, frame.table)
        if not frame.options and base.known_any() and frame.table.functions == base.functions:
            frame.table = base  # the author declared everything
        return frame

    def only_variables(self, frame: Frame) -> None:
        """∇J of J = ‖Ax - b‖², where the section differentiates by x alone of what J is made of."""
        uses = self.roles.all_uses()
        moved = {self.roles.key(u.name) for u in uses if u.by in ("∂", "d", "∇") or u.after_d}
        given = {self.roles.key(c.head.name): c for c in self.roles.candidates if c.head.args is None}

        def inside(key: str) -> Iterable[str]:
            return map(self.roles.key, names(given[key].link.rhs)) if key in given else ()

        for key in given.keys() - frame.of.keys():
            by = (reached([key], inside) & moved) - given.keys()
            if len(by) == 1 and self.has_gradient(key):
                frame.of[key] = by.pop()

    def range_of(self, index: str) -> Expr | None:
        found = self.roles.ranges.get(index)
        return Symbol(found.letter) if isinstance(found, Name) else None

    def skipped(self, key: str, use: ArrayUse, frame: Frame) -> bool:
        table = frame.table
        if self.base.known(key) or key in table.functions or key in table.macros:
            return True
        if key in self.roles.layers and not use.layered:
            return True
        if key in table.sizes and not self.defined(key) and key not in self.facts.ranks and use.items == 0:
            return True
        if (key in FUNCTION_WORDS and not self.defined(key)) or (key == "e" and not self.defined("e")):
            return True
        if use.words and not use.by and not self.defined(key) and key not in self.facts.ranks and len(key) > 1:
            return True
        if key == PI or (key == "π" and use.items == 0 and not self.defined("π")):
            return True
        if key == "d" and not self.defined("d") and use.bare and set(use.by) == {"differential"}:
            return True
        if key == "I" and not self.defined("I") and (use.items == 0 or self.of_sizes("I")):
            return True
        return key in self.roles.indices and use.bare == 0 and use.items == 0

    def of_sizes(self, key: str) -> bool:
        """I_n: only sizes stand below it."""
        below = (s for r in self.roles.records for k, s in r.uses.subscripts if k == key)
        return {n.letter for s in below for n in names_in(s.items)} <= self.roles.sizes

    def defined(self, key: str) -> bool:
        return any(self.roles.key(c.head.name) == key for c in self.roles.candidates)

    def functional(self, c: Candidate) -> bool:
        """σ(-x) = 1 - σ(x) is what σ does, and gives no σ."""
        key, args = self.roles.key(c.head.name), c.head.args or ()
        again = key in map(self.roles.key, names(c.link.rhs))
        return len(args) == 1 and (again or (key in USUAL_FUNCTIONS and not isinstance(args[0], Name)))

    # --- functions ---------------------------------------------------------------------------

    def functions(self, frame: Frame) -> None:
        roles = self.roles
        given: dict[str, list[Candidate]] = {}
        for c in roles.candidates:
            if c.head.args is not None and not self.functional(c):
                given.setdefault(roles.key(c.head.name), []).append(c)
        for key, found in given.items():
            if not self.base.known(key):
                self.given(key, found, frame)
            elif key in self.base.functions:
                self.example(key, found[0], frame)
        self.made_of_others(given, frame)
        for chain in (p.chain for r in roles.records if r.loose is not None for p in r.loose.parts):
            name = softmax_given(chain)
            if name is not None and not self.base.known(key_of(name)):
                frame.table = frame.table.with_function(FunctionSymbol(key_of(name), "softmax"))
        for key in self.facts.worded.keys() - set(given):  # "σ acts elementwise … σ is the logistic function"
            said = self.base.functions.get(key)
            if said is not None and said.kind == "elementwise" and not said.body:
                self.abstract(key, frame)
        for key, calls in roles.calls.items():
            known = key in given or key in frame.table.functions or self.base.known(key)
            if not known and key not in FUNCTION_WORDS:
                self.called(key, calls, frame)
        for key in roles.primed - set(given) - set(roles.calls):
            if not self.base.known(key) and (key in USUAL_FUNCTIONS or key in self.facts.functions):
                self.abstract(key, frame)
        for c in roles.candidates:  # ψ = ρ'
            rhs, key = c.link.rhs, roles.key(c.head.name)
            if c.head.args is None and isinstance(rhs, Name) and rhs.primes and key in roles.calls:
                if key_of(rhs) in frame.table.functions and not self.base.known(key):
                    symbol = FunctionSymbol(key, "elementwise", ("z",), f"{self.text(c)}(z)", said=True)
                    frame.table = frame.table.with_function(symbol)
        for key in self.facts.functions:
            if key not in given and key not in frame.table.functions and not self.base.known(key):
                if key in USUAL_FUNCTIONS and not self.defined(key):
                    self.abstract(key, frame)

    def made_of_others(self, given: Mapping[str, list[Candidate]], frame: Frame) -> None:
        """S(t) = e^{-H(t)}, where H is no function of one number here: what depends on t, as H does."""
        functions = [k for k in given if k in frame.table.functions and k not in self.base.functions]
        others = {k for k in given if k not in frame.table.functions}
        while functions:
            inside = {k: set(map(key_of, names(given[k][0].link.rhs))) for k in functions}
            key = next((k for k in functions if inside[k] & others - {k}), None)
            if key is None:
                return
            functions.remove(key)
            others.add(key)
            frame.table = replace(
                frame.table, functions={k: f for k, f in frame.table.functions.items() if k != key}
            )
            args = given[key][0].head.args or ()
            frame.of[key] = ",".join(self.spelled(a) for a in args if isinstance(a, Name))

    def example(self, key: str, c: Candidate, frame: Frame) -> None:
        """f(z) = tanh(z) where f is declared as any function: an example, to the end of the section."""
        known, args = self.base.functions[key], c.head.args
        single = args[0] if args is not None and len(args) == 1 else None
        if known.kind == "elementwise" and not known.body and isinstance(single, Name):
            if self.scalar_formula(key, single, c.link.rhs):
                symbol = FunctionSymbol(key, "elementwise", (key_of(single),), self.text(c), said=True, abstract=True)
                frame.table = frame.table.with_function(symbol)

    def given(self, key: str, found: list[Candidate], frame: Frame) -> None:
        roles, args = self.roles, found[0].head.args
        assert args is not None
        if not all(isinstance(a, Name) for a in args):
            return
        body = found[0].link.rhs
        primed = any(n.primes for n in names(body))
        reworded = primed and re.search("'|prime", self.text(found[0])) is None
        if found[0].head.under == "log":
            body = Product((Operator("function", "exp"), bracketed(body)), ("",), body.span)
        anew = [c.head.args for c in found if c.head.args is not None and letters_only(c.head.args)]
        heads = anew if len(anew) == len(found) and len(args) > 1 else [args]  # L(μ, Σ) = …, then L(μ, Λ) = …
        others = [c for c in roles.calls.get(key, []) if c not in heads]
        mine = (u.bracket for u in roles.all_uses() if u.key == key_of(found[0].head.name))
        barred = any(b is not None and b.bar for b in mine)
        bare = roles.arrays[key].calls < sum(1 for _ in self.uses_of(key)) if key in roles.arrays else False
        single = args[0] if len(args) == 1 else None
        moved = roles.moved() & set(map(key_of, names(body))) - {self.spelled(a) for a in args}  # type: ignore[arg-type]
        plain = not reworded and not moved - roles.primed
        if isinstance(single, Name) and plain and self.scalar_formula(key, single, body):
            if others or key in roles.primed or (not bare and key not in LOSSES):
                text = self.text(found[0])
                symbol = FunctionSymbol(key, "elementwise", (key_of(single),), text, said=True)
                self.dummies.add(key_of(single))
                frame.table = frame.table.with_function(symbol)
                return
        letters = [a for a in args if isinstance(a, Name) and not a.bold and key_of(a).islower()]
        if len(letters) == len(args) > 1 and all(self.scalar_formula(key, a, body) for a in letters):
            self.dummies |= {key_of(a) for a in letters}  # f(x, y) = sin(xy) is of numbers
        if others or barred or found[0].head.under or reworded:
            macros = {**frame.table.macros, key: MacroSymbol(key, args, body)}
            frame.table = replace(frame.table, macros=macros).with_name(key)
            return
        of = [self.spelled(a) for head in (args, *anew) for a in head if isinstance(a, Name)]
        frame.of[key] = ",".join(dict.fromkeys(of))

    def spelled(self, a: Name) -> str:
        text = key_of(a)
        if a.sub is not None:
            text += "_" + a.sub.text
        return text + "".join("^" + s.text for s in a.sups)

    def uses_of(self, key: str) -> list[str]:
        return [key for u in self.roles.all_uses() if self.roles.key(u.name) == key]

    def text(self, c: Candidate) -> str:
        record = self.roles.records[c.record]
        start, end = c.link.at
        return record.formula.text[start:end].strip()

    def scalar_formula(self, key: str, single: Name, body: Expr) -> bool:
        """A formula in one number, with no arrays, sums or norms in it."""
        if single.sub is not None or single.sups or (key_of(single).isupper() and self.of_matrices(key_of(single))):
            return False
        letter, held = key_of(single), False
        for n in walk(body):
            if isinstance(n, _WHOLE) and not (isinstance(n, Norm) and n.order == "abs"):
                return False
            if isinstance(n, Name):
                if n.sub is not None or any(s.transposes for s in n.sups) or n.top or key_of(n) == key:
                    return False
                if self.facts.ranks.get(key_of(n)) or (key.isupper() and self.of_matrices(key_of(n))):
                    return False
                held |= key_of(n) == letter
        return held and letter not in self.roles.indices

    def of_matrices(self, letter: str) -> bool:
        """What only makes sense of a matrix is written of a letter: A^T, A^{-1}, tr A, dA."""
        uses = [u for u in self.roles.all_uses() if u.key == letter]
        return any(u.transposed or u.inverted or u.after_d for u in uses)

    def called(self, key: str, calls: list[tuple[Expr, ...]], frame: Frame) -> None:
        use = self.roles.arrays.get(key)
        apart = sum((u.differentiated or bool(u.by)) and u.key == key for u in self.roles.all_uses())
        total = len(self.uses_of(key)) - (apart if key in USUAL_FUNCTIONS else 0)
        never_bare = use is not None and use.calls == total
        lone = all(len(c) == 1 for c in calls)
        mine = (c for c in self.roles.candidates if self.roles.key(c.head.name) == key)
        defined = any(not self.functional(c) for c in mine)
        same = all(c == calls[0] for c in calls) and all(isinstance(a, Name) for a in calls[0])
        base = re.sub(r"\\\w+\{(.+)\}", r"\1", key)  # \hat{f}(x) beside f(x)
        usual = key in USUAL_FUNCTIONS or base in USUAL_FUNCTIONS & self.roles.calls.keys()
        said = key in self.facts.functions
        if key in (GAMMA, FACTORIAL) and lone and never_bare:
            return self.abstract(key, frame)
        if defined and key not in self.roles.primed:
            return
        if key in self.roles.primed and (usual or never_bare):
            self.abstract(key, frame)
        elif same and (not lone or (
            (not defined and (key in LOSSES or (said and not usual) or self.has_gradient(key)))
            or (not said and use is not None and use.least > 0 and letters_only(calls[0]))  # f_i(x)
        )):  # fmt: skip
            self.loss(key, calls[0], frame)
        elif lone and never_bare and (
            usual or said or key in self.facts.worded
            or (all(isinstance(c[0], Name) for c in calls) and key[:1].islower()
                and (len(calls) > 1 or (len(key) > 2 and key.isascii())))  # a word is no factor
        ):  # fmt: skip
            self.abstract(key, frame)
        elif lone and key[:1].isupper() and not defined and len(set(calls)) == 1:
            p = calls[0][0]
            if isinstance(p, Name) and self.only_argument(p):
                frame.of[key] = self.spelled(p)  # A(p) u = b: an A that depends on p

    def only_argument(self, p: Name) -> bool:
        """A letter that stands alone in brackets, and that nothing is made of."""
        uses = [u for u in self.roles.all_uses() if u.key == key_of(p) and not u.by]
        return len(uses) == sum(c == (p,) for calls in self.roles.calls.values() for c in calls)

    def has_gradient(self, key: str) -> bool:
        """∇_x f(x): f is a number for each array x."""
        products = (n.args for r in self.roles.records for n in walk(r.loose) if isinstance(n, Product))
        return any(
            isinstance(a, Operator) and a.kind == "nabla" and not a.name and isinstance(b, Name) and key_of(b) == key
            for args in products for a, b in pairwise(args)
        )  # fmt: skip

    def abstract(self, key: str, frame: Frame) -> None:
        calls = self.roles.calls.get(key, [])
        if key in self.facts.losses and calls and all(c == calls[0] and isinstance(c[0], Name) for c in calls):
            return self.loss(key, calls[0], frame)
        body = self.facts.worded.get(key, LOGISTIC_FORMULA if key == "σ" and self.facts.logistic else "")
        args = ("z",) if body else ()
        frame.table = frame.table.with_function(FunctionSymbol(key, "elementwise", args, body, said=bool(body)))

    def loss(self, key: str, args: tuple[Expr, ...], frame: Frame) -> None:
        names = tuple(self.spelled(a) for a in args if isinstance(a, Name))
        table = frame.table.with_function(FunctionSymbol(key, "loss", names))
        frame.table = table.with_array(ArraySymbol(key, (), "scalar"))


def letters_only(args: tuple[Expr, ...]) -> bool:
    return all(isinstance(a, Name) and a.sub is None for a in args)
