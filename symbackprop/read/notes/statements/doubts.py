"""What speaks against deciding a statement, and what leaves open whether it may be refuted."""

from __future__ import annotations

import re
from itertools import pairwise

from ..declared.symbols import Declarations
from ..grammar.idioms import is_call
from ..grammar.means import is_outcome
from ..grammar.shorthand import FACTOR
from ..grammar.tree import (
    At, Call, Chain, Derivative, Function, IndexName, Link, Name, Num, Operator, Paren, Product, Symbol, Transpose,
)  # fmt: skip
from ..grammar.vocabulary import FUNCTION_WORDS
from ..grammar.walking import walk
from ..inferred.hypotheses import in_force
from ..inferred.occurrences import SINGLE, key_of
from ..inferred.options import AT
from ..inferred.said import Record
from . import classes
from .heads import Unit
from .intents import Intents
from .statements import Reading

_USUAL = frozenset("abcijklmnopqrstuvw")
"""Letters that count in many texts."""
_RUN = re.compile(r"(?<![A-Za-z\\])[A-Za-z]{2,}(?![A-Za-z])")


_STARS = ("^*", "^⋆")
_LABEL = re.compile(
    r"\b(?!(?:not|wrong\w*|false\w*|right|(?:in)?correct\w*|mistake\w*|errat\w+|errors?|typos?|slips?|falsch|faux)\W{0,3}:)"
    r"\w+\W{0,3}:\W{0,3}\Z", re.IGNORECASE,
)
"""What is given by each item for itself; that an item is wrong is said of what they all are about."""


def set_to_zero(chain: Chain) -> tuple[object, object] | None:
    """What is differentiated by what, where that is to be 0."""
    match chain.subjects[-1], chain.links[:1]:
        case Derivative(body, wrt), (Link("=", Num(value)),) if value == 0:
            return body, wrt
    return None


_DIMENSIONS = re.compile(r"\bin\s+(?:one|two|three|four|[1-4])[\s-]*(?:dimensions?|D\b)|\bin\s+(?:the\s+plane|space)\b")


class Doubts(Intents):
    def among_many(self, chain: Chain) -> str:
        """∂/∂u_o where Σ_w u_w is summed over: whether u_o is one of these is not settled."""
        options = self.section.frame.options
        for n in walk(chain):
            for v in n.wrt if isinstance(n, (Derivative, Operator)) else ():
                if isinstance(v, Name) and v.sub is not None:
                    whole, base = self.section.key(v), key_of(v)
                    if whole != base and base in options and self.section.chosen[base].family:
                        return f"whether {whole} is one of the {base} that are summed over is not settled"
        return ""

    def one_of_many(self, chain: Chain, at: int) -> str:
        """∂ℓ/∂θ = (y - h(x)) x, where ℓ is a sum over all x_i and x is one of them: ℓ may be meant for this one."""
        keys = {k.removesuffix(AT) for k in self.involved_all(chain, at)}
        names = (n.letter for n in walk(chain) if isinstance(n, Name))
        one = sorted(name.removesuffix(SINGLE) for name in names if name.endswith(SINGLE))
        both = [k for k in one if k in keys]
        return f"whether this is meant for one {both[0]} or for all of them is not settled" if both else ""

    def quantified(self, chain: Chain, r: Record) -> bool:
        """Of each letter it was said above of what set it is, and no word before says that it holds in a case."""
        section, before = self.section, r.formula.before
        said = {section.key(n) for n, _, of in section.roles.members if of.at <= r.at}
        said |= {item for whole, (item, _) in section.rows_of.items() if whole in said}
        keys = {k.removesuffix(AT) for k in section.keys(chain)}
        cases = (classes.CONDITION, classes.ASSUMES, classes.SOLVED, classes.IN_CASE)
        return keys <= said and not any(p.search(before) for p in cases)

    @staticmethod
    def transposed_number(reading: Reading) -> str:
        """The capital letter of a W^T, det W or tr W that was read as a number."""
        arrays = reading.declarations.arrays
        nodes = [n for x in (reading.lhs, reading.rhs) for n in walk(x)]
        of = [n.arg for n in nodes if isinstance(n, Transpose)]
        of += [s for n in nodes if isinstance(n, Call) and n.function.name in ("det", "tr") for s in walk(n.args)]  # type: ignore[misc]
        found = (s.name for s in of if isinstance(s, Symbol) and s.name[:1].isupper() and s.sample is None)
        return next((name for name in found if name in arrays and not arrays[name].shape), "")

    @staticmethod
    def nowhere_given(reading: Reading) -> str:
        """v = mask(z, m): a word that nothing gives, and that only a definition holds, refutes nothing."""
        table = reading.declarations
        words = {n for n, f in table.functions.items() if len(n) > 1 and n.isalpha() and not f.body}
        inside = {n.function for d in table.definitions for n in walk(d.chain) if isinstance(n, Call)}
        shown = {n.function for x in (reading.lhs, reading.rhs) for n in walk(x) if isinstance(n, Call)}
        names = sorted(str(getattr(f, "name", f)) for f in inside - shown)
        return next((f"nothing says what {f} is" for f in names if f in words), "")

    def introduced(self, u: Unit, r: Record) -> str:
        section = self.section
        sides = [set(section.keys(Chain((x,), (), u.span))) for x in (u.lhs, u.link.rhs)]
        parts = {x for whole, (x, axis) in section.rows_of.items() if axis == "entry" or self.known(whole, r)}
        rests = [set(self.involved_all(Chain((x,), (), u.span), r.at)) for x in (u.lhs, u.link.rhs)]
        put_in = {n.chain.subjects[-1] for x in (u.lhs, u.link.rhs) for n in walk(x) if isinstance(n, At)}
        for key in sorted((sides[0] - rests[1]) | (sides[1] - rests[0])):
            name = key.removesuffix(AT)
            if any(isinstance(x, Name) and key_of(x) == name for x in put_in):  # the h of h → 0
                continue
            if key in parts or self.known(key, r) or name.endswith(SINGLE):  # x°: one of those that are known
                continue
            elsewhere = any(key in section.keys(d.chain) for d in section.definitions)
            alone = not elsewhere and name not in section.roles.moved() and "_" in name  # δ_z: only claims speak of it
            if (section.first_use(key) >= r.at or alone) and name not in section.above.arrays:
                return name
        return ""

    def known(self, key: str, r: Record) -> bool:
        """Whether the text says or defines what a letter is, before this record."""
        section, name = self.section, key.removesuffix(AT)
        return name in section.solver.said or name in section.facts.ranks or section.definition(key, r.at) is not None

    def open_question(self, chain: Chain, reading: Reading, u: Unit, r: Record) -> str:
        """What a statement rests on and the text leaves open: while that is so, nothing refutes it."""
        case = classes.IN_CASE.search(self.sentence(r)) is not None and not u.conditions
        return (
            ("it does not hold always, and the condition it is said under is not understood" if case else "")
            or self.among_many(chain) or self.one_of_many(chain, r.at) or self.nowhere_given(reading)
            or self.doubted(chain, r.at)
            or self.of_event(chain) or self.one_of_several(chain) or self.item_by_item(chain, r)
            or self.operator_letter(chain, reading.declarations) or self.against_print(chain)
            or self.of_law(reading) or self.slope_said(chain, reading) or self.of_which(chain, reading.declarations)
            or self.of_nothing(chain, reading.declarations) or self.counts_too(reading)
            or self.letter_below(chain) or self.word_of_letters(r) or self.decomposed(reading)
            or self.at_a_letter(chain, r.at) or self.in_dimensions(r)
            or self.of_optimum(chain, reading.declarations, r.at)
        )  # fmt: skip

    @staticmethod
    def of_which(chain: Chain, table: Declarations) -> str:
        """df/dx = df/dy dy/dx: f stands for what it is of x and for what it is of y."""
        by: dict[str, set[object]] = {}
        for n in walk(chain):
            f = table.functions.get(key_of(n.body)) if isinstance(n, Derivative) and isinstance(n.body, Name) else None
            if isinstance(n, Derivative) and isinstance(n.body, Name) and f is not None and f.kind != "loss":
                by.setdefault(n.body.letter, set()).update(n.wrt)
        several = sorted(f for f, letters in by.items() if len(letters) > 1)
        return f"of which letter {several[0]} is a function is not settled" if several else ""

    def of_nothing(self, chain: Chain, table: Declarations) -> str:
        """∂p(y; η)/∂η = … a(η) …, where no equation gives p or a: it says how they belong together."""
        values = [key_of(n) for n in walk(chain) if isinstance(n, Name)]
        unsaid = {n for n in values if n in table.functions and not table.functions[n].body}
        if len(unsaid) < 2:
            return ""
        inside = {key_of(n) for d in self.section.definitions for n in walk(d.chain) if isinstance(n, Name)}
        bare = sorted(unsaid - inside)
        bodies = [n.body for n in walk(chain) if isinstance(n, Derivative)]
        alone = [n for n in walk(tuple(bodies), (Product,)) if isinstance(n, Name)]
        alone += [n.args[0] for n in bodies if isinstance(n, Product) and is_call(n) and isinstance(n.args[0], Name)]
        several = [
            n for n in bare if table.functions[n].kind == "loss" and len(table.functions[n].args) > 1
            and values.count(n) > [key_of(x) for x in alone].count(n)
        ]  # fmt: skip
        return f"nothing says what {several[0]} is" if several and len(bare) > 1 else ""

    @staticmethod
    def counts_too(reading: Reading) -> str:
        """r(a) of a number a beside θ_a, where a counts."""
        nodes = [n for x in (reading.lhs, reading.rhs) for n in walk(x)]
        numbers = {n.name for n in nodes if isinstance(n, Symbol)}
        both = sorted(numbers.intersection(n.name for n in nodes if isinstance(n, IndexName)))
        return f"whether {both[0]} is an index or a number is not settled" if both else ""

    def at_a_letter(self, chain: Chain, at: int) -> str:
        """A(θ) v: whether the matrix A depends on θ, or is multiplied by it."""
        section = self.section
        given = [d.chain for d in section.rests_on(chain, at, section.chosen)[1]]
        for n in (n for c in (chain, *given) for n in walk(c) if isinstance(n, Product)):
            for pair in pairwise(n.args):
                match pair:
                    case Name() as a, Paren((Chain((Name() as p,), ()),), "(") if key_of(a)[:1].isupper():
                        if section.key(a) in section.frame.options.keys() - section.frame.of.keys():
                            return f"whether {key_of(a)} is multiplied by {key_of(p)} or depends on it is not settled"
        return ""

    def in_dimensions(self, r: Record) -> str:
        """∂_i x_i = 3 in three dimensions: sizes are any sizes here."""
        found = _DIMENSIONS.search(f"{self.sentence(r)} {r.formula.after}")
        return "" if found is None else f"it is said {found[0]}, and sizes are any sizes here"

    def of_optimum(self, chain: Chain, table: Declarations, at: int) -> str:
        """f(x) - f(x^*) beside x, where no equation gives x^*: no x will do."""
        section, told = self.section, {n.name for h in table.hypotheses for n in walk(h.chain) if isinstance(n, Symbol)}
        inside = [n.chains[0].subjects[0] for n in walk(chain) if isinstance(n, Paren) and len(n.chains) == 1]
        starred = (k for n in inside if isinstance(n, Name) and (k := section.key(n)).endswith(_STARS))
        beside = (k for k in starred if k[:-2] in section.frame.options and not self.is_variable(k) and k not in told)
        name = next((k for k in beside if section.definition(k, at) is None), "")
        return f"nothing says what {name} is" if name else ""

    def slope_said(self, chain: Chain, reading: Reading) -> str:
        """Beside "f'(t) = 1 - f(t)^2" of an f without a formula: a statement without f' may rest on that."""
        table = reading.declarations
        rests = {f.name for d in table.definitions for f in walk(d.chain) if isinstance(f, Function)}
        rests |= {f.name for x in (reading.lhs, reading.rhs) for f in walk(x) if isinstance(f, Function)}
        abstract = {f for f in rests if f in table.functions and not table.functions[f].body}
        primed = {key_of(n) for n in walk(chain) if isinstance(n, Name) and n.primes}
        unused = abstract - primed
        for c in (c for r in (self.records if unused else ()) for c in r.chains if c.links):
            match c.subjects[-1]:
                case (Name() as f) | Product((Name() as f, Paren())) if f.primes and key_of(f) in unused:
                    return f"what is said of {key_of(f)}' is not used here"
                case Derivative(Product((Name() as f, Paren()))) if key_of(f) in abstract:  # ∂σ(z_j)/∂z_i = …
                    return f"what is said of the derivatives of {key_of(f)} is not used here"
        return ""

    def of_law(self, reading: Reading) -> str:
        """E[x^3] = 0 of a Gaussian x: what is said of a distribution is not used."""
        if any(FACTOR in key for key in reading.declarations.arrays):
            return "it rests on something that is known up to a factor"
        trees = (reading.lhs, reading.rhs, *(d.chain for d in reading.declarations.definitions))
        means = any(is_outcome(n) for x in trees for n in walk(x))
        told = means and (self.section.facts.law or any(
            link.relation == "~" and isinstance(link.rhs, Product)
            for r in self.records for c in r.chains for link in c.links
        ))  # fmt: skip
        return "what is said of the distribution is not used here" if told else ""

    @staticmethod
    def of_event(chain: Chain) -> str:
        """P(t = 1 | z)."""
        brackets = (n for n in walk(chain) if isinstance(n, Paren) and (n.bar or len(n.chains) > 1))
        event = any(c.links for n in brackets for c in n.chains)
        return "of the probability of an event nothing is known here" if event else ""

    def one_of_several(self, chain: Chain) -> str:
        """∂L/∂x = 0, ∂L/∂y = 0: several derivatives of one letter are set to zero together."""
        if (here := set_to_zero(chain)) is None:
            return ""
        beside = (z for other in self.records for c in other.chains if (z := set_to_zero(c)) is not None)
        several = any(z[0] == here[0] and z[1] != here[1] for z in beside)
        return "several derivatives are set to zero here: they read as conditions" if several else ""

    def item_by_item(self, chain: Chain, r: Record) -> str:
        """ "MSE: ∂L/∂z = …" and "BCE: ∂L/∂z = …": another L in each item."""
        if r.formula.display or not _LABEL.search(r.formula.before):
            return ""
        for other in self.records:
            labelled = not other.formula.display and _LABEL.search(other.formula.before) and other.at != r.at
            for c in other.chains if labelled else ():
                if c.links and c.subjects[-1] == chain.subjects[-1] and c.links[0].rhs != chain.links[0].rhs:
                    return "other items give the same another value: what it is made of differs from item to item"
        return ""

    def operator_letter(self, chain: Chain, table: Declarations) -> str:
        """D f(x), H f(x, y): a letter that nothing gives right before a function, which may differentiate it.

        ∂f/∂x [y cos(xy)]: a derivative right before what stands in square brackets, as ∂/∂x would.
        """
        for n in walk(chain):
            args = n.args if isinstance(n, Product) else ()
            for a, b in pairwise(args):
                if isinstance(a, Derivative) and isinstance(b, Paren) and b.opening == "[":
                    return "whether a derivative differentiates what stands in brackets behind it is not settled"
            for triple in zip(args, args[1:], args[2:], strict=False):
                match triple:
                    case Name("D" | "H" | "J" | "L" as d) as a, Name() as f, Paren():
                        if key_of(f) in table.functions and not self.section.defines(key_of(a)):
                            return f"whether {d} differentiates what follows is not settled"
                    case (x, Name("σ" | "τ" | "ρ" as o, "", None, (), 0) as a, y):
                        if all(isinstance(z, Paren) or (isinstance(z, Name) and z.letter.isupper()) for z in (x, y)):
                            if key_of(a) not in table.functions and not self.section.defines(key_of(a)):  # A σ B
                                return f"whether {o} is an operation between what stands around it is not settled"
        return ""

    def against_print(self, chain: Chain) -> str:
        """A bold letter that makes sense only as a number."""
        section = self.section
        bold = {section.key(n) for n in walk(chain) if isinstance(n, Name) and n.bold and not n.sub}
        odd = sorted(k for k in bold if k in section.chosen and not section.chosen[k].rank and k.isalpha())
        return f"{odd[0]} is printed as a vector, but the rest makes sense only if it is a number" if odd else ""

    def letter_below(self, chain: Chain) -> str:
        """H_γ of a number γ: an index, or a part of the name."""
        roles = self.section.roles
        subs = [(n.letter, n.sub.items) for n in walk(chain) if isinstance(n, Name) and n.sub is not None]
        for base, i in ((base, i.letter) for base, items in subs for i in items if isinstance(i, Name)):
            use = roles.arrays.get(i)
            bare = use is not None and use.bare and i in self.table.indices and i not in _USUAL
            if (bare or i in roles.sizes) and i not in {*roles.bound, *roles.ranges}:
                return f"whether {i} in {base}_{i} is an index or part of a name is not settled"
        return ""

    def word_of_letters(self, r: Record) -> str:
        """null(X), RSS: letters side by side that never stand alone are a word."""
        text = re.sub(r"\\(?:text|mathrm|operatorname|begin|end|label|mbox)\s*\{[^{}]*\}", "", r.formula.text)
        for word in _RUN.findall(text) if not self.table.known_any() else ():
            if word in self.table.words or word in FUNCTION_WORDS or len(word) < 3:
                continue
            if word.islower() or word.isupper():
                if sum(c in self.single_letters() for c in word) < len(word) / 2:
                    return f"whether {word} is a word or a product of letters is not settled"
        return ""

    def single_letters(self) -> set[str]:
        """The letters that stand alone somewhere in the section."""
        if self._single is None:
            texts = " ".join(r.formula.text for r in self.records)
            self._single = set(re.findall(r"(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])", texts))
        return self._single

    def decomposed(self, reading: Reading) -> str:
        """X = U D V^T, called a singular value decomposition: what that says of U, D, V is not used."""
        table, above = reading.declarations, self.section.above.decomposed
        told = {n.name for h in table.hypotheses for n in walk(h.chain) if isinstance(n, Symbol)}
        letters = {n.name for x in (reading.lhs, reading.rhs) for n in walk(x) if isinstance(n, Symbol)} - told
        matrices = {m for m in letters if m in table.arrays and len(table.arrays[m].shape) == 2}
        if not self.section.facts.decomposed:
            matrices &= above.keys()
        return "what the decomposition says of its factors is not used here" if len(matrices) > 1 else ""

    def involved_all(self, chain: Chain, at: int) -> list[str]:
        """The letters of a claim and of what it rests on."""
        found = dict.fromkeys(self.section.keys(chain))
        work = list(found)
        while work:
            d = self.section.definition(work.pop(), at)
            for k in self.section.keys(d.chain) if d is not None else ():
                if k not in found:
                    found[k] = None
                    work.append(k)
        return [k for k in found if k in self.section.frame.options]

    def doubted(self, chain: Chain, at: int) -> str:
        """What is said of an array of a statement and is not understood; a letter whose definition above is not."""
        section = self.section
        open_ = (k for k in section.all_keys(chain) if section.definition(k, at) is None)
        vague, live = sorted(section.doubtful.intersection(open_)), self.live(chain, at)
        found = (s.of for s in in_force(section.facts.sayings, at) if s.what == "other" and s.of in live)
        said = (f"what is said of {name} is not all understood" for name in found)
        other = sorted(section.dropped & section.all_keys(chain))
        if other:
            return f"whether {other[0]} is the one defined above is not settled: its letters are other ones here"
        return f"the definition of {vague[0]} above could not be read" if vague else next(said, "")

    def live(self, chain: Chain, at: int) -> set[str]:
        """What a statement rests on; a letter that it differentiates by is a variable, however it is defined."""
        section, by = self.section, self.section.variables(chain)
        work, seen = [chain], set[str]()
        while work:
            for key in section.names(work.pop()) - seen:
                seen.add(key)
                d = section.definition(key, at) if key not in by else None
                work += [d.chain] if d is not None else []
        return seen
