"""What a statement rests on: the definitions that lead to what is differentiated by, those that were not read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import cast

from ..grammar.tree import At, Chain, Derivative, Differential, Gradient, Name, Num, Operator, Product
from ..grammar.walking import mapped, names, reached, walk
from .above import Given, letters
from .kinds import Frame
from .occurrences import key_of
from .options import AT
from .roles import Roles


class Resting:
    """A part of `Section`."""

    __slots__ = ()
    roles: Roles
    frame: Frame
    unread: set[str]
    doubtful: set[str]
    recurrent: set[str]
    forms: list[Given]

    def definition(self, key: str, at: int) -> Given | None:
        raise NotImplementedError

    def keys(self, chain: Chain) -> tuple[str, ...]:
        raise NotImplementedError

    # --- the definition that leads to a variable ---------------------------------------------

    def leading(self, key: str, chain: Chain, at: int) -> Given | None:
        """The definition in force; another formula for the letter where only that leads to what the chain moves.

        One that stands below and does not lead there is of another loss.
        """
        d = self.definition(key, at)
        by = set(self.moved(key, chain))
        if d is None or not by or by <= self.reached(d.chain, at):
            return d
        forms = (f for f in reversed(self.forms) if f.key == d.key and f.record <= at)
        other = next((f for f in forms if by <= self.reached(f.chain, at)), None)
        return other or (None if d.record > at else d)

    def moved(self, key: str, chain: Chain) -> Iterator[str]:
        """By what the chain differentiates a letter."""
        for n in walk(chain):
            match n:
                case Derivative(Name() as body, wrt) if self.roles.key(body) == key:
                    yield from (self.roles.key(v) for v in wrt if isinstance(v, Name))
                case Product((Operator(wrt=(Name() as v,)), Name() as body, *_)) if self.roles.key(body) == key:
                    yield self.roles.key(v)
                case Product(args) if key == self.frame.table.upstream:
                    after_d = (b for a, b in pairwise(args) if isinstance(a, Name) and key_of(a) == "d")
                    yield from (self.roles.key(v) for v in after_d if isinstance(v, Name))

    def reached(self, chain: Chain, at: int) -> set[str]:
        """The letters that a formula rests on."""

        def below(key: str) -> Sequence[str]:
            d = self.definition(key, at)
            return self.keys(d.chain) if d is not None else ()

        found = reached(self.keys(chain), below)
        return found | {k.removesuffix(AT) for k in found}

    # --- what could not be read --------------------------------------------------------------

    def unreadable(self, chain: Chain, at: int) -> str:
        """A letter that a statement rests on and whose definition could not be read; "" when there is none.

        Of ∂L/∂h counts what leads from L to h, not how h comes about.
        """
        derivatives = [n for n in walk(chain) if isinstance(n, Derivative)]
        if not derivatives or any(isinstance(n, (Operator, Gradient, Differential, At)) for n in walk(chain)):
            return self.opaque(self.all_keys(chain), at)
        by = [self.all_keys(Chain(d.wrt, ())) - self.recurrent for d in derivatives]
        plain = self.all_keys(cast(Chain, underived(chain))) - frozenset.intersection(*by)
        parts = (
            self.opaque(self.all_keys(Chain((d.body,), ())), at, h) for d, h in zip(derivatives, by, strict=True)
        )
        return self.opaque(plain, at) or next(filter(None, parts), "")

    def all_keys(self, chain: Chain) -> frozenset[str]:
        parts = {id(x) for n in names(chain) if n.sub and "_" in self.roles.key(n) for x in walk(n.sub)}  # D of L_D
        return frozenset((*self.keys(chain), *(self.roles.key(n) for n in names(chain) if id(n) not in parts)))

    def opaque(self, keys: Iterable[str], at: int, stop: frozenset[str] = frozenset()) -> str:
        seen: set[str] = set()
        first = frozenset(keys)
        here, work = set(first), list(first)
        while work:
            key = work.pop()
            if key in seen or (key in stop and key not in first | self.recurrent):
                continue
            seen.add(key)
            name = key.removesuffix(AT)
            if name in self.unread or (name in self.doubtful and key not in here):
                return name
            d, f = self.definition(key, at), self.frame.table.functions.get(name)
            rests = self.keys(d.chain) if d is not None else ()
            here.update(rests if key in here and d is not None and d.record >= 0 else ())
            work.extend(rests)
            work.extend(k for k in self.unread if f is not None and not letters(k).isdisjoint(letters(f.body)))
        return ""


def underived(node: object) -> object:
    """Without what stands in derivatives."""
    return Num(Fraction(0)) if isinstance(node, Derivative) else mapped(node, underived)
