"""The token cursor that the parts of the parser share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, TypeVar

from ..files.place import ReadError, Unsettled
from .lexer import MAX_DEPTH, Token
from .tree import Chain, Expr, Name
from .vocabulary import BOLD

T = TypeVar("T")
SUM, HADAMARD, PRODUCT = 10, 20, 30
"""Binding powers: a product of matrices binds tighter than ∘, which binds tighter than +."""

STARTS: Final = frozenset(
    "name number open frac sum prod partial nabla func word sqrt deco ones reals { begin over unwrap infty dots "
    "colored norm abs".split()
)
"""Kinds of token that can begin a factor, so that a product needs no sign."""

STOPS: Final = frozenset(
    "end } close rel comma semi gap row amp arrow and text dot tick uparrow colon forall question setminus".split()
)
OPENING: Final = {"(": ")", "[": "]", "\\{": "\\}", "⟨": "⟩", "|": "|", "‖": "‖"}
SHOWN: Final = {"cdot": "·", "times": "×", "had": "∘", "outer": "⊗"}
Range = tuple[int, int]
"""A run of tokens: (first, past the last)."""


class Cursor:
    """A place in the tokens; `bars` counts the open |…|."""

    __slots__ = ("bars", "depth", "i", "tok", "tokens")

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.i, self.tok, self.depth, self.bars = 0, tokens[0], 0, 0

    # the grammar, given by the subclasses
    def expression(self, power: int) -> Expr:
        raise NotImplementedError

    def prefix(self) -> Expr:
        raise NotImplementedError

    def postfix(self, node: Expr, start: int) -> Expr:
        raise NotImplementedError

    def chain(self) -> Chain:
        raise NotImplementedError

    def advance(self) -> Token:
        token = self.tok
        self.i += 1
        self.tok = self.tokens[self.i]
        return token

    def go(self, position: int) -> None:
        self.i, self.tok = position, self.tokens[position]

    def end(self) -> int:
        """Where the last read token ends."""
        return self.tokens[self.i - 1].end if self.i else 0

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH + 20:
            raise ReadError(f"nested deeper than {MAX_DEPTH}", (self.tok.start, self.tok.end))

    def fail(self, message: str, token: Token | None = None) -> ReadError:
        token = token or self.tok
        return ReadError(message, (token.start, max(token.end, token.start + 1)))

    def unsupported(self, message: str, token: Token | None = None) -> Unsettled:
        """What may well be right but is not read here."""
        token = token or self.tok
        return Unsettled(message, (token.start, max(token.end, token.start + 1)))

    def skip_gaps(self) -> None:
        while self.tok.kind in ("gap", "amp"):
            self.advance()

    # groups of tokens, looked at before they are read
    def group(self) -> Range:
        """The tokens of the script argument here, braces taken off: (first, past the last); moves behind it."""
        token = self.tok
        if token.kind != "{":
            if token.kind in ("end", "}", "close", "rel", "^", "_", "amp", "row"):
                raise self.fail("a script without anything in it")
            inner = self.tokens[self.i + 1].kind if token.kind in ("deco", "unwrap") else ""
            if inner in ("name", "{"):  # ^\mathrm T, _\mathbf{x}
                self.advance()
                return self.group()
            if token.kind in ("deco", "frac"):
                raise self.fail(f"braces are needed around this script: {{{token.text} …}}")
            if token.kind == "number" and len(token.text) > 1:
                raise self.fail(
                    f"only the first digit of {token.text} is raised or lowered here: write {{{token.text}}}"
                )
            self.advance()
            return self.i - 1, self.i
        depth, k = 1, self.i + 1
        while depth:
            kind = self.tokens[k].kind
            depth += (kind == "{") - (kind == "}")
            if kind == "end" and not self.tokens[k].text:
                raise self.fail("this { is never closed", token)
            k += 1
        first = self.i + 1
        self.go(k)
        return first, k - 1

    def inside(self, first: int, past: int) -> Expr:
        """Read the tokens first..past as one whole expression; comes back to where it was."""
        return self.read_inside(first, past, lambda: self.expression(SUM))

    def chain_inside(self, first: int, past: int) -> Chain:
        """The same for a relation."""
        return self.read_inside(first, past, self.chain)

    def read_inside(self, first: int, past: int, read: Callable[[], T]) -> T:
        back, size = self.i, len(self.tokens)
        self.go(first)
        bars, self.bars = self.bars, 0
        after = self.tokens[past]
        self.tokens[past] = Token("}", "}", after.start, after.start)  # a script of one token ends here too
        if self.i == past:
            self.tok = self.tokens[past]
        try:
            if first == past:
                raise self.fail("nothing is written here")
            node = read()
            if self.i != past + len(self.tokens) - size:  # the digits of \frac12 became tokens of their own
                raise self.fail(f"{shown(self.tok)} is not expected here")
        finally:
            more = len(self.tokens) - size
            self.tokens[past + more] = after
            self.bars = bars
            self.go(back + more if back >= past else back)
        return node

    def argument(self) -> Expr:
        """A {…} group, or the one token that stands for it."""
        token = self.tok
        if token.kind == "{":
            return self.braced(self.advance())
        self.deeper()
        if token.kind == "number" and len(token.text) > 1 and "." not in token.text:
            # \frac12: each digit is an argument of its own
            first = Token("number", token.text[0], token.start, token.start + 1)
            rest = Token("number", token.text[1:], token.start + 1, token.end)
            self.tokens[self.i : self.i + 1] = [first, rest]
            self.tok = first
            node = self.prefix()
        elif token.kind == "name":  # \frac y2, \sqrt d: this letter alone
            node = self.letter()
        else:
            node = self.prefix()
        self.depth -= 1
        return node

    def braced(self, opening: Token) -> Expr:
        """The rest of a {…} group."""
        bars, self.bars = self.bars, 0
        node = self.expression(SUM)
        self.bars = bars
        if self.tok.kind != "}":
            raise self.fail(f"{{ is not closed before {shown(self.tok)}", opening)
        self.advance()
        return node

    def letter(self) -> Name:
        token = self.advance()
        return Name(token.text, token.deco, bold=token.deco in BOLD, span=(token.start, token.end))

    def split(self, r: Range, kinds: Collection[str]) -> list[Range]:
        """The runs between the tokens of these kinds that stand outside of brackets."""
        out, first, depth = list[Range](), r[0], 0
        for k in range(*r):
            kind = self.tokens[k].kind
            if not depth and kind in kinds:
                out.append((first, k))
                first = k + 1
            depth += nests(kind)
        return [run for run in (*out, (first, r[1])) if run[0] < run[1]]

    def spelled(self, r: Range) -> str:
        return "".join(t.text for t in self.tokens[r[0] : r[1]]).strip()


def nests(kind: str) -> int:
    """1 of a bracket that opens, -1 of one that closes."""
    return (kind in ("open", "{")) - (kind in ("close", "}"))


def shown(token: Token) -> str:
    if token.kind == "end":
        return "the end"
    return {"row": "the end of the row", "amp": "&"}.get(token.kind, f"“{token.text or token.kind}”")
