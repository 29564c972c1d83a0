"""What a line of a program computes, entry by entry, in the names of the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.core.terms import (
    Add, Apply, Array, Entry, Index, Mul, Power, Size, Sum, Term, Whole, is_negative, map_parts,
)  # fmt: skip
from symbackprop.gradients.lemmas import with_entries
from symbackprop.gradients.theorem import ancestors
from symbackprop.prove.working_out import Tidy
from symbackprop.read.numpy import UNIT, ZERO_AT, Node
from symbackprop.write.paper.array_text import LETTERS, ArrayText, latex, symbols


LONG = 108
Letters = Callable[[Size], Sequence[str]]  # those of indices, by what they range over


def usual_letters(size: Size) -> Sequence[str]:
    del size
    return LETTERS


@dataclass(frozen=True, slots=True)
class Sides:
    """`name`, `at` and `text` as `dW`, `[i,j]`, `Σ_k ...`; the same in LaTeX."""

    name: str
    at: str
    text: str
    below: str
    latex_name: str
    latex: str


class Equations:
    """`names` are the variables of the program; other nodes are opened."""

    def __init__(self, names: Mapping[Node, str]) -> None:
        self.names = names
        self.known: dict[Node, Sides] = {}

    def of(self, n: Node) -> str:
        """`dW[i,j] = Σ_k x[k,i] dz[k,j]`, or nothing where that is too long to help."""
        if n.meaning is None:
            return ""
        sides = self.sides(n)
        code = f"{sides.name}{sides.at} = {sides.text}"
        return code if len(code) <= LONG else ""

    def sides(self, n: Node) -> Sides:
        """The equation of a node in parts."""
        if n not in self.known:
            self.known[n] = self.worked_out(n)
        return self.known[n]

    def worked_out(self, n: Node) -> Sides:
        axes = tuple(Index(f"axis {k}", s) for k, s in enumerate(n.shape))
        kept = tuple(i for i in axes if i.size != UNIT)
        body = plain_letters(self.shown(n.entries.at(*(ZERO_AT if i.size == UNIT else i for i in axes)), n), len(kept))
        name = self.names.get(n, "")
        writer = ArrayText(body, kept)
        letters = [writer.letters[i] for i in kept]
        entry = Entry(Array(name or "x"), kept)
        return Sides(name, f"[{','.join(letters)}]" if letters else "", writer.written(body),
                     f"_{{{''.join(letters)}}}" if letters else "", latex(entry, kept), latex(body, kept))  # fmt: skip

    def shown(self, t: Term, about: Node) -> Term:
        """In the names of the program, with what has none opened."""
        by_array = {n.array: n for n in ancestors([about])}

        def entry(x: Entry) -> Term | None:
            if x.array not in by_array:
                return None
            n = by_array[x.array]
            if n in self.names:
                return Entry(Array(self.names[n]), tuple(e for e, s in zip(x.at, n.shape, strict=True) if s != UNIT))
            return self.shown(n.entries.at(*x.at), about) if n.meaning is not None else None

        return with_entries(t, entry)


def plain_letters(t: Term, outside: int, taken: Sequence[str] = (), letters: Letters = usual_letters) -> Term:
    """Tidied, with letters for the indices of sums; the first `outside` letters are those of the entry."""
    return lettered(positive_first(Tidy()(t)), outside, taken, letters)


def lettered(t: Term, outside: int, taken: Sequence[str] = (), letters: Letters = usual_letters) -> Term:
    """The same as it stands."""
    avoided = {*symbols(t), *taken}
    entry = tuple(x for x in LETTERS if x not in avoided)[:outside]

    def named(s: Term, used: tuple[str, ...]) -> Term:
        match s:
            case Sum(size, body, _):
                free_ones = (x for x in letters(size) if x not in avoided and x not in used)
                letter = next(free_ones, f"i_{len(used)}")
                return Sum(size, named(body, (*used, letter)), letter)
            case Whole():
                return s
            case _:
                return map_parts(s, lambda part: named(part, used))

    return named(t, entry)


def positive_first(t: Term) -> Term:
    """1 - a² where the normal order would begin with -a²."""
    match t:
        case Add(args):
            return Add(tuple(sorted(map(positive_first, args), key=is_negative)))
        case Sum() | Mul() | Power() | Apply():
            return map_parts(t, positive_first)
        case _:
            return t
