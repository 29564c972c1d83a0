"""Marks and wrappers around a factor: hats, vectors, braces below and above, boxes, colours."""

from __future__ import annotations

from .lexer import Token
from .operators import Operators
from .tree import (
    Expr,
)


class Marks(Operators):
    __slots__ = ()

    def marked(self) -> Expr:
        """A mark over more than a letter: \\vec{z^l}, \\mathbf{W}, \\hat{\\mathbf{y}}."""
        token = self.advance()
        if self.tok.kind != "{":
            inner = self.tok
            if inner.kind != "name":
                raise self.fail(f"\\{token.text} needs a name", token)
            self.tokens[self.i] = self.tok = inner._replace(deco=_joined(token.text, inner.deco), start=token.start)
            return self.name()
        first, past = self.group()
        if past - first == 1 and self.tokens[first].kind == "name":
            inner = self.tokens[first]
            self.tokens[self.i - 1] = inner._replace(
                deco=_joined(token.text, inner.deco), start=token.start, end=self.end()
            )
            self.go(self.i - 1)
            return self.name()
        from_names = "".join(t.text for t in self.tokens[first:past])
        if all(t.kind == "name" for t in self.tokens[first:past]) and self.decl.known(from_names):
            whole = Token("name", from_names, token.start, self.end())
            self.tokens[self.i - 1] = whole
            self.go(self.i - 1)
            return self.name()
        if token.text in ("hat", "widehat", "tilde", "widetilde", "dot", "ddot", "check", "breve", "mathring"):
            raise self.unsupported(f"\\{token.text} over more than a name is not supported", token)
        return self.postfix(self.inside(first, past), token.start)

    def over_under(self) -> Expr:
        """\\underbrace{x}_{note}: the x."""
        token = self.advance()
        node = self.argument()
        while self.tok.kind in ("_", "^"):
            self.advance()
            self.group()
        return self.postfix(node, token.start)

    def unwrap(self) -> Expr:
        token = self.advance()
        return self.postfix(self.argument(), token.start)

    def colored(self) -> Expr:
        token = self.advance()
        self.group()
        return self.postfix(self.argument(), token.start)

    def stack(self) -> Expr:
        token = self.advance()
        first, past = self.group()
        second = self.group()
        keep = second if token.text != "underset" or True else (first, past)
        return self.postfix(self.inside(*keep), token.start)


def _joined(outer: str, inner: str) -> str:
    """\\hat{\\mathbf{y}} is a hat: of two marks the telling one counts."""
    from_inner = {"vec", "mathbf", "boldsymbol", "bm", "mathrm", "mathit", "bar", "underline", ""}
    return outer if inner in from_inner else inner
