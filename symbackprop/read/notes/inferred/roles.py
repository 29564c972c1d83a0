"""What part each letter of a section plays: index, size, layer, function, part of a name, array; with its evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set

from ..declared.symbols import ArraySymbol, Declarations
from ..grammar.loosely import spelled_items
from ..grammar.tree import Add, All, Chain, Expr, Name, Num, Reals, Script, Sum, Symbol, Words
from ..grammar.walking import walk
from .occurrences import Use, is_delta, key_of, names_in
from .prose import Facts
from .said import ArrayUse, Record, Said

_STARS = ("*", "\\ast", "\\star")
USUAL_FUNCTIONS = frozenset(("f", "g", "h", "σ", "φ", "ψ", "ρ", "F", "G", "Φ", "\\mathcal{F}", "τ", "ϕ"))
LOSSES = frozenset(
    ("L", "J", "C", "E", "ℓ", "\\mathcal{L}", "\\mathcal{J}", "\\mathcal{E}", "\\mathcal{C}", "\\mathcal{l}", "ξ")
)


class Roles(Said):
    """`base` is what the author declared: those names are not looked at.  `above`: scripts that are parts of names;
    `delta_above`: there δ_nk is an array.
    """

    def __init__(
        self, records: Sequence[Record], facts: Facts, base: Declarations, above: Mapping[str, Set[str]] | None = None,
        delta_above: bool = False,
    ) -> None:  # fmt: skip
        self.above = above or {}
        self.delta_above = delta_above
        super().__init__(records, facts, base)
        self.decide()

    def decide(self) -> None:
        for r in self.records:
            if r.loose is not None:
                self.memberships(r)
                self.definitions(r)
                self.means(r)
            self.range(r)
        for shape in self.facts.shapes.values():
            self.sizes |= {n.letter for e in shape for n in names_in(e)}
        self.sizes |= {s for u in self.used() for s in size_names(self.base.letters.get(u))}
        self.sizes |= {s for s in self.limits if len(s.rstrip("'")) == 1 or s in self.sizes}
        self.sizes |= {s for r in self.records for s in r.uses.sizes}
        self.settle_means()
        self.pairs()
        self.values()
        self.sizes -= set(self.layers)
        self.find_layers()
        self.find_indices()
        self.find_prime_names()
        self.beside_lists()
        self.find_labels()
        self.find_composites()
        self.uses()

    def used(self) -> set[str]:
        return {u.key for u in self.all_uses()}

    # --- layers and samples ------------------------------------------------------------------

    def find_layers(self) -> None:
        found: dict[str, set[int]] = {}
        bracketed: set[str] = set()
        for r in self.records:
            for key, label, bracket in r.uses.labels:
                if label.base is None or self.declared(key):
                    continue
                found.setdefault(label.base, set()).add(label.shift)
                if bracket:
                    bracketed.add(f"{bracket}{label.base}")
        several = {b for b, shifts in found.items() if len(shifts) > 1 and b not in self.bound and b.islower()}
        lower = several | (found.keys() & {"l", "ℓ"})
        lower -= {b for b in lower if f"({b}" in bracketed and b not in ("l", "ℓ") and not self.facts.layered}
        lower -= self.exponents()
        upper = {b for b in found if b == "L" or (f"[{b}" in bracketed and b.isupper())}
        if lower:
            last = next(iter(sorted(upper)), "L")
            for b in sorted(lower):
                self.layers.setdefault(b, last)
            self.layers.setdefault(last, last)
        elif any(len(found[b]) > 1 for b in upper):
            for b in upper:
                self.layers.setdefault(b, b)
        self.sizes -= set(self.layers)
        for b in found:
            if f"({b}" in bracketed and b not in self.layers:
                self.samples.add(b)

    def exponents(self) -> set[str]:
        """The n of n x^{n-1}, a factor beside what it is written above of: no layer."""
        out: set[str] = set()
        moved = {u.key for u in self.all_uses() if u.by == "d" and not u.name.sups}  # d/dt t^k
        for r in self.records:
            out |= {label.base for k, label, bracket in r.uses.labels if k in moved and not bracket and label.base}
            above = {label.base for _, label, bracket in r.uses.labels if label.base is not None and not bracket}
            out |= above & {u.key for u in r.uses.uses if u.name.sub is None and not u.name.sups and not u.by}
        return out

    # --- indices and parts of names ----------------------------------------------------------

    def find_indices(self) -> None:
        free = set[str]().union(*(r.uses.freely for r in self.records)) | self.samples
        shifted: set[str] = set()
        for r in self.records:
            for _, script in r.uses.subscripts:
                for item in script.items:
                    if isinstance(item, Add):
                        shifted |= {n.letter for n in names_in(item)}
        labels: set[str] = set()
        functions = {c.head.key for c in self.candidates if c.head.args is not None}  # k(x, z) beside x_k
        for c in free:
            if c in self.bound or c in self.compared or c in self.base.indices or c in self.ranges:
                continue
            if c in shifted and c not in self.samples:
                labels.add(c)
            elif len(c) > 1 or c.isupper() or self.bare_letters[c] or self.declared(c):
                twice = c in functions or self.facts.einstein  # an index beside a letter that is called so
                usual = "ijklmnpqrs" if self.facts.einstein else "ijk"
                if c not in usual or not (twice or self.bare_letters[c] <= 0):
                    labels.add(c)
        self.indices = {c for c in (free | self.bound | self.compared) if c not in labels and len(c.rstrip("'")) == 1}
        self.indices |= set(self.ranges) - set(self.layers)
        self.indices -= set(self.layers) - self.bound
        self.labels = labels

    def find_prime_names(self) -> None:
        """x' beside x, where neither is ever applied to anything: another name."""
        uses = self.all_uses()
        applied = {u.key for u in uses if u.bracket is not None}
        given = {c.head.key for c in self.candidates if c.head.args is not None}
        defined = {c.head.key for c in self.candidates if c.head.args is None and c.head.name.primes}
        values = {u.key for u in uses if not u.name.primes and not u.by}
        usual = USUAL_FUNCTIONS - (defined & values)  # h' = … h …: h is no function
        valued = {c.head.key for c in self.candidates if c.head.args is None and not c.head.name.primes}
        moved = {u.key for u in uses if u.name.primes and u.by == "∂"}  # nor where ∂/∂h' stands
        usual = usual - (valued & moved - defined)
        for u in uses:
            if u.name.primes and u.key not in applied | given | usual and not self.declared(u.key):
                self.prime_names.add(u.key)

    def find_composites(self) -> None:
        numbered: dict[str, set[str]] = {}
        lettered: set[str] = set()
        for r in self.records:
            for key, script in r.uses.subscripts:
                if not key or self.declared(key):
                    continue
                if (script.error and not script.items) or (script.items == (All(),) and script.text in _STARS):  # k_*
                    self.add_composite(key, "_" + script.text)
                elif script.items and all(isinstance(i, Num) for i in script.items):
                    numbered.setdefault(key, set()).add(script.text)
                elif (key, script.text) in self.apart or "_" + script.text in self.above.get(key, ()):
                    self.add_composite(key, "_" + script.text)
                else:
                    n = self.name_items(script)
                    if n:
                        part = spelled_items(script.items[:n]) if n < len(script.items) else script.text
                        self.add_composite(key, "_" + part)
                    elif not any(isinstance(i, Num) for i in script.items):
                        lettered.add(key)
        shaped = (s for s, rhs, _ in self.members if isinstance(rhs, Reals) and rhs.shape is not None)
        vectors = {key_of(s) for s in shaped if s.sub is None}
        vectors |= {k for k, n in self.facts.ranks.items() if n and "_" not in k}
        entries = lettered | set(self.listed) | vectors
        alone = {u.key for u in self.all_uses() if u.name.sub is None and not u.name.sups}
        below = ((key, i) for r in self.records for key, s in r.uses.subscripts for i in s.items)
        summed = {key for key, i in below if isinstance(i, Name) and i.letter in self.bound}
        sums = [b.low for r in self.records for n in walk(r.loose) if isinstance(n, Sum) for b in n.binders]
        from_zero = any(isinstance(low, Num) and low.value == 0 for low in sums)
        for key, texts in numbered.items():
            apart = key not in entries or (key in vectors and self.said_apart(key))
            if "0" in texts and key in summed and not from_zero:  # w_0 + Σ_i w_i x_i
                self.add_composite(key, "_0")
            for text in texts if apart or (key in alone and key not in vectors and key not in lettered) else ():
                self.add_composite(key, "_" + text)
        for key, scripts in self.above.items():
            if "^2" in scripts and self.squared(key):
                self.add_composite(key, "^2")
        self.upper_composites()

    def find_labels(self) -> None:
        """ℓ_r = -log σ(a), ℓ_f = -log(1-σ(a)): what stands below on the left only tells one from the other."""
        below: dict[str, set[str]] = {}
        for r in self.records:
            for key, script in r.uses.subscripts:
                below.setdefault(key, set()).add(script.text)
        told: dict[str, set[str]] = {}
        for c in self.candidates:
            match c.head.name.sub:
                case Script(items=(Name(letter, _, None, (), 0),)) as sub if letter not in {*self.bound, *self.ranges}:
                    rhs = c.link.rhs
                    inside = {n.letter for n in walk(rhs) if isinstance(n, Name)}
                    if letter not in inside and not isinstance(rhs, (Num, Name)) and c.head.args is None:
                        told.setdefault(c.head.key, set()).add(sub.text)
            text = c.head.name.sub.text if c.head.name.sub is not None and c.head.args is not None else ""
            if re.fullmatch("[A-Za-z]{2,}", text) and not set(text) <= {*"ijklmnpq", *self.bound}:
                self.apart.add((c.head.key, text))  # ℓ_{te}(φ) = …
        for key, texts in told.items():
            if key and texts == below.get(key) and (len(texts) > 1 or not texts & set("ijklmnst")):
                self.apart |= {(key, text) for text in texts}

    def beside_lists(self) -> None:
        """ "u_o is the outside vector, u_1, …, u_K are the negatives": what is named by itself is none of the list."""
        for r in self.records:
            parts = r.loose.parts if r.loose is not None else ()
            match [p.chain for p in parts]:
                case [Chain((Name(_, _, Script(items=(Name(letter),)) as sub) as name,), ())]:
                    counts = letter in self.bound or letter in self.ranges or letter in "ijklmnst"
                    if key_of(name) in self.listed and not counts:
                        self.apart.add((key_of(name), sub.text))

    def said_apart(self, key: str) -> bool:
        """x_2 ∈ ℝ^m is said by itself."""
        return any(
            key_of(s) == key and s.sub is not None and isinstance(rhs, Reals) and rhs.shape is not None
            and all(isinstance(i, Num) for i in s.sub.items) and key not in self.listed
            for s, rhs, _ in self.members
        )  # fmt: skip

    def name_items(self, script: Script) -> int:
        """How many leading subscripts belong to the name."""
        count = 0
        for item in script.items:
            match item:
                case Words():
                    pass
                case Name(x, mark) if (len(x) > 1 or mark) and x not in self.indices and x not in self.sizes:
                    pass
                case Name(x, _, None, _, 0) | Add((Name(x), *_)) if x in self.labels and x not in self.sizes:
                    pass
                case _:
                    break
            count += 1
        return count

    def upper_composites(self) -> None:
        """W^Q, w^*, a^L where nothing counts layers, W^{(1)} and W^{[2]} where only numbers do."""
        for r in self.records:
            for u in r.uses.uses:
                for s in u.name.sups:
                    if self.declared(u.key) or (s.transposes and s.labels is None) or s.text == "T" or u.key == "e":
                        continue
                    if s.labels is None:
                        if s.value is None and s.text:
                            self.add_composite(u.key, "^" + s.text)
                        continue
                    label, bracket = s.labels[0]
                    counts_layers = label.base in self.layers
                    text = s.text if not s.transposes else s.text.removesuffix("T").removesuffix("⊤").rstrip(",")
                    if counts_layers or (label.base is not None and bracket == "(" and label.base in self.indices):
                        continue
                    if bracket and label.base is None and not self.layers and not self.has_samples(u.key):
                        self.add_composite(u.key, "^" + text)
                    elif bracket and label.base is not None and label.base not in self.samples:
                        self.add_composite(u.key, "^" + text)
                    elif label.base is not None and (label.base.isupper() or label.base in ("l", "ℓ")) and not bracket:
                        if label.base not in self.sizes:
                            self.add_composite(u.key, "^" + text)

    def has_samples(self, key: str) -> bool:
        return any(
            k == key and bracket == "(" and label.base is not None and label.base in self.samples
            for r in self.records for k, label, bracket in r.uses.labels
        )  # fmt: skip

    # --- arrays ------------------------------------------------------------------------------

    def key(self, name: Name) -> str:
        """The letter with the scripts that belong to it."""
        return self.full_key(name)[0]

    def full_key(self, name: Name) -> tuple[str, int, bool]:
        """The letter with the scripts that belong to it; how many subscripts are left; whether a layer stands there."""
        key = key_of(name)
        if name.primes and key in self.prime_names:
            key += "'" * name.primes
        scripts = self.composite.get(key, set())
        low = "_" + name.sub.text if name.sub is not None else ""
        items = 0
        for s in name.sups:
            text = "^" + (s.text if not s.transposes else s.text.removesuffix("T").removesuffix("⊤").rstrip(","))
            if text in scripts:
                key += text
        if name.sub is not None:
            if low in scripts:
                key += low
            else:
                items = len(name.sub.items)
                for n in range(1, len(name.sub.items)):
                    if "_" + spelled_items(name.sub.items[:n]) in scripts:
                        key += "_" + spelled_items(name.sub.items[:n])
                        items -= n
                        break
        layered = False
        for s in name.sups:
            for label, bracket in s.labels or ():
                if label.base in self.layers or (label.base is None and bracket in ("[", "(") and self.layers):
                    layered = True
                elif (
                    label.base is None and not bracket and self.layers and s.value is not None and self.layered_key(key)
                ):
                    layered = True
                elif bracket == "(" and not (s.transposes and s.text == "T"):
                    if "^" + s.text not in scripts:
                        items += 1
        return key, items, layered

    def layered_key(self, key: str) -> bool:
        return any(k == key and label.base in self.layers for r in self.records for k, label, _ in r.uses.labels)

    def parameters(self) -> None:
        """The letters of h(x) = … that stand for arguments, where h is used with others."""
        calls: dict[str, list[tuple[Expr, ...]]] = {}
        for u in self.all_uses():
            if u.bracket is not None:
                calls.setdefault(self.key(u.name), []).append(tuple(c.subjects[-1] for c in u.bracket.chains))
        for c in self.candidates:
            given = c.head.args
            if given is not None and any(other != given for other in calls.get(self.key(c.head.name), [])):
                names = {key_of(a) for a in given if isinstance(a, Name)}
                self.params.append((c.record, c.chain.span, names))

    def is_parameter(self, r: Record, u: Use) -> bool:
        return any(
            at == r.at and span[0] <= u.name.span[0] and u.name.span[1] <= span[1] and u.key in names
            for at, span, names in self.params
        )

    def uses(self) -> None:
        self.parameters()
        given = self.delta_above or any(is_delta(c.head.name) for c in self.candidates)  # else it is Kronecker's
        for letter in self.exponents() - self.sizes:
            self.count(letter, 0, False, Use(letter, Name(letter), scalar_only=True))
        for r in self.records:
            for u in r.uses.uses:
                if self.params and self.is_parameter(r, u):
                    continue
                if u.by == "differential" and u.key == "d" and not self.means_distance():
                    continue
                key, items, layered = self.full_key(u.name)
                if key == "δ" and items == 2 and not given:
                    continue
                if u.name.primes and not key.endswith("'"):
                    self.primed.add(key)
                if u.bracket is not None:
                    self.calls.setdefault(key, []).append(tuple(c.subjects[-1] for c in u.bracket.chains))
                self.count(key, items, layered, u)

    def means_distance(self) -> bool:
        """d = …, d(x, y) = … give what d is."""
        heads = [c.head for c in self.candidates if c.head.key == "d"]
        return any(h.args is None or (len(h.args) > 1 and all(isinstance(a, Name) for a in h.args)) for h in heads)

    def count(self, key: str, items: int, layered: bool, u: Use) -> None:
        a = self.arrays.setdefault(key, ArrayUse())
        a.items, a.least = max(a.items, items), min(a.least, items)
        a.bare += items == 0
        a.samples |= any(b == "(" and l.base in self.samples for s in u.name.sups for l, b in s.labels or ())
        if items == 0 or items < a.items:
            a.transposed += u.transposed
            a.normed += u.normed
        a.scalar += u.scalar_only and items == 0
        a.powers += items == 0 and any(isinstance(s.value, Num) and s.value.value > 1 for s in u.name.sups)
        a.divides += u.divides and items == 0
        if u.by:
            a.by[u.by] += 1
        a.words += u.name.mark == "text"
        a.bold |= u.name.bold
        a.bold_items |= u.name.bold and items > 0
        a.calls += u.bracket is not None
        a.layered |= layered
        a.unlayered |= not layered


def size_names(symbol: ArraySymbol | None) -> set[str]:
    return {n.name for e in symbol.shape for n in walk(e) if isinstance(n, Symbol)} if symbol is not None else set()
