"""Names with their scripts: which symbol a letter is, and what stands above, below and behind it.

Every choice is made by the declarations: W^T is a transpose, W^l a layer, x^{(i)} a sample, x^2 a power;
δ_ij is Kronecker's, δ^l the signal.  What they do not settle is refused.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from .cursor import OPENING, SUM, Cursor, shown
from .lexer import Token
from .place import ReadError
from .symbols import ArraySymbol
from .tree import (
    Add,
    All,
    Annotated,
    Call,
    Entry,
    Expr,
    Function,
    Identity,
    IndexName,
    Kronecker,
    Label,
    Neg,
    Num,
    Power,
    Symbol,
    Transpose,
)
from .vocabulary import DISTINCT, FUNCTION_WORDS

MAX_EXPONENT: Final = 64
Range = tuple[int, int]


class Scripts:
    """What was found around a name: token ranges of the lower and the upper scripts, primes, a bare ⊤."""

    __slots__ = ("primes", "sub", "sups", "top")

    def __init__(self) -> None:
        self.sub: Range | None = None
        self.sups: list[Range] = []
        self.primes, self.top = 0, 0


class Names(Cursor):
    __slots__ = ()

    def name(self) -> Expr:
        token = self.advance()
        key = self.decl.key(token.text, token.deco)
        if token.kind == "name" and not token.deco and key in self.bound and self.tok.kind not in ("^", "_", "open"):
            return IndexName(self.primed(key), (token.start, self.end()))
        s = self.scripts()
        composite = self.decl.composite.get(key)
        if composite:
            key = self.with_scripts(key, s, composite)
        return self.resolve(key, token, s)

    def primed(self, key: str) -> str:
        """k' is another index than k."""
        while self.tok.kind == "prime":
            key += self.advance().text
        return key

    def scripts(self) -> Scripts:
        s = Scripts()
        while True:
            kind = self.tok.kind
            if kind == "^":
                caret = self.advance()
                first, past = self.group()
                if past - first == 1 and self.tokens[first].kind == "prime":
                    s.primes += 1
                elif first == past:
                    raise self.fail("an empty script", caret)
                else:
                    s.sups.append((first, past))
            elif kind == "_":
                low = self.advance()
                if s.sub is not None:
                    raise self.fail("a second subscript", low)
                s.sub = self.group()
                if s.sub[0] == s.sub[1]:
                    raise self.fail("an empty script", low)
            elif kind == "prime":
                s.primes += len(self.advance().text)
            elif kind == "top" and self.tok.end - self.tok.start == 1:  # Wᵀ, W⊤
                self.advance()
                s.top += 1
            else:
                return s

    def spelled(self, r: Range) -> str:
        return "".join(t.text for t in self.tokens[r[0] : r[1]]).strip()

    def with_scripts(self, key: str, s: Scripts, composite: frozenset[str]) -> str:
        """Take the scripts that belong to a declared name, as the s of z_s, off the rest."""
        low = "_" + self.spelled(s.sub) if s.sub else ""
        for k, sup in enumerate(s.sups):
            high = "^" + self.spelled(sup)
            if low + high in composite:
                s.sub = None
                del s.sups[k]
                return key + low + high
            if high in composite:
                del s.sups[k]
                return key + high
        if low and low in composite:
            s.sub = None
            return key + low
        if s.sub and low:  # z_{s,i}: the first item belongs to the name
            first, past = s.sub
            for k in range(first + 1, past):
                if "_" + self.spelled((first, k)) in composite and self.tokens[k].kind in ("comma", "name"):
                    comma = self.tokens[k].kind == "comma"
                    s.sub = (k + comma, past)
                    return key + "_" + self.spelled((first, k))
        return key

    def resolve(self, key: str, token: Token, s: Scripts) -> Expr:
        decl, opened = self.decl, self.tok.kind == "open" and self.tok.text == "("
        if key in decl.functions and (opened or s.primes or not (key in decl.arrays or key in decl.layered)):
            return self.function(key, token, s)
        if key == "δ" and s.sub and not s.sups and not s.primes:
            two = self.two_indices(s.sub)
            if two is not None:
                if key in decl.arrays and len(decl.arrays[key].shape) == 2:
                    raise self.fail("δ with two indices: Kronecker's, or an entry of the array δ that is declared here?", token)
                s.sub = None
                return self.behind(Kronecker(*two, span=(token.start, self.end())), s)
        if key in decl.aliases and key not in self.bound and not (key in decl.layered and self.at_layer(s)):
            return self.aliased(key, token, s)
        if key in decl.arrays or key in decl.layered:
            return self.array(key, token, s)
        if (key in decl.sizes or key in decl.layered_sizes) and key not in self.bound:
            return self.size(key, token, s)
        if key in decl.identities:
            size = self.inside(*s.sub) if s.sub else None
            s.sub = None
            return self.behind(Identity(size, (token.start, self.end())), s)
        if key in self.bound or key in decl.indices or key in decl.layers:
            return self.behind(IndexName(key + "'" * s.primes, (token.start, self.end())), s, used_primes=True)
        if key == "e" and s.sups and not s.sub:
            exponent = self.inside(*s.sups.pop(0))
            span = (token.start, self.end())
            return self.behind(Call(Function("exp", span=span), (exponent,), span), s)
        if key == "I" and s.sub and self.is_size(s.sub):
            size, s.sub = self.inside(*s.sub), None
            return self.behind(Identity(size, (token.start, self.end())), s)
        if token.kind == "name" and key in FUNCTION_WORDS and opened:
            return self.function(FUNCTION_WORDS[key], token, s)
        return self.undeclared(key, token, s)

    def at_layer(self, s: Scripts) -> bool:
        """A layer stands among the upper scripts (or first below)."""
        for r in s.sups:
            parts = self.label_parts(self.without_transpose(r)[0])
            if parts and any(p.base in self.decl.layers if p.base else True for p, _ in parts):
                return True
        return s.sub is not None and (found := self.label(s.sub)) is not None and found.base in self.decl.layers

    def is_size(self, r: Range) -> bool:
        return all(self.tokens[k].text in self.decl.sizes or self.tokens[k].text in self.decl.layered_sizes for k in range(*r) if self.tokens[k].kind == "name")

    def undeclared(self, key: str, token: Token, s: Scripts) -> Expr:
        if not self.lenient:
            hint = ""
            if token.deco in DISTINCT and self.decl.known(token.text):
                hint = f" ({token.text} is, but a {token.deco} may name another thing)"
            if key == "δ" and s.sub:
                hint = " (Kronecker's δ needs two indices)"
            raise ReadError(f"{key} is not declared{hint}", (token.start, token.end), undeclared=key)
        label, kept = None, Scripts()
        for sup in s.sups:
            if self.is_transpose(sup):
                kept.sups.append(sup)
            elif (found := self.label(sup)) is not None:
                label = found
            else:
                key += "^" + self.spelled(sup)
        if s.sub is not None:
            found = self.label(s.sub) if label is None else None
            if found is not None and (found.base is not None or self.decl.layers):
                label = found
            else:
                key += "_" + self.spelled(s.sub)
        self.free.append((key, label, (token.start, self.end())))
        return self.behind(Symbol(key, label, None, (token.start, self.end())), kept)

    # --- what the symbol is ------------------------------------------------------------------

    def array(self, key: str, token: Token, s: Scripts) -> Expr:
        plain, layered = self.decl.arrays.get(key), self.decl.layered.get(key)
        label: Label | None = None
        sample: Label | None = None
        if s.primes:
            raise self.fail(
                f"a prime on {key}: a derivative belongs to a function, and the first layer is {key}^1"
                if layered else f"a prime on {key}, which is no function", token,
            )  # fmt: skip
        rest: list[Range] = []
        transposed = 0
        for sup in s.sups:
            sup, t = self.without_transpose(sup)
            transposed += t
            if sup[0] == sup[1]:
                continue
            parts = self.label_parts(sup)
            if parts is None:
                rest.append(sup)
                continue
            for found, bracket in parts:
                is_sample = bracket == "(" and found.base is not None and found.base not in self.decl.layers
                if is_sample and sample is None:
                    sample = self.known_sample(found, token)
                elif layered and layered.label_at == "^" and label is None and not is_sample and (
                    found.base in self.decl.layers if found.base else found.shift >= 0
                ):  # fmt: skip
                    label = found
                elif bracket == "(" and found.base is None and sample is None:
                    sample = found
                elif found.base in self.decl.layers:
                    raise self.fail(f"{key} is declared without layers, but carries the layer {found}", token)
                elif bracket:
                    raise self.fail(f"what is the {found} of {key}? neither a layer nor a sample", token)
                else:
                    rest.append(sup)
        if layered and label is None and s.sub and (layered.label_at == "_" or plain is None):
            label = self.label_below(s, layered)
        if layered and label is None and plain is None:
            raise self.fail(f"{key} has one copy for each layer: write {self.layer_example(key, layered)}", token)
        symbol = layered if label is not None and layered else plain
        if symbol is None:
            raise self.fail(f"{key} is not declared without a layer", token)
        return self.dressed(Symbol(key, label, sample, (token.start, self.end())), symbol, s, rest, transposed, token)

    def dressed(
        self, node: Symbol, symbol: ArraySymbol, s: Scripts, rest: list[Range], transposed: int, token: Token
    ) -> Expr:
        """Subscripts, then powers and transposes."""
        start, key = token.start, node.name
        out: Expr = node
        if symbol.of and self.tok.kind == "open" and self.tok.text == "(" and node.sample is None:
            sample = self.of_sample(symbol.of)
            if sample is not None:
                out = Symbol(key, node.label, sample, (start, self.end()))
        if s.sub:
            out = self.below(out, s.sub, len(symbol.shape), start)
            s.sub = None
        s.sups = rest
        out = self.behind(out, s)
        for _ in range(transposed):
            out = Transpose(out, (start, self.end()))
        return out

    def known_sample(self, found: Label, token: Token) -> Label:
        if found.base not in self.bound and found.base not in self.decl.indices and found.base not in self.decl.sizes:
            raise ReadError(
                f"{found.base} is not declared: the label ({found}) is neither a layer nor a sample",
                (token.start, token.end), undeclared=found.base or "",
            )  # fmt: skip
        return found

    def of_sample(self, of: str) -> Label | None:
        """The i of a(x^{(i)}); None (nothing read) when the bracket holds anything else."""
        back = self.i
        self.advance()
        try:
            inner = self.expression(SUM)
        except ReadError:
            self.go(back)
            return None
        if isinstance(inner, Symbol) and inner.name == of and inner.sample is not None and self.tok.text == ")":
            self.advance()
            return inner.sample
        self.go(back)
        return None

    def layer_example(self, key: str, symbol: ArraySymbol) -> str:
        return f"{key}{symbol.label_at}{symbol.layer}"

    def label_below(self, s: Scripts, symbol: ArraySymbol) -> Label | None:
        """The layer as (first) subscript: W_l, h_{t,i}; or W_L where L is a layer and no index."""
        assert s.sub is not None
        first, past = s.sub
        comma = next((k for k in range(first, past) if self.tokens[k].kind == "comma"), past)
        found = self.label((first, comma))
        below = symbol.label_at == "_"
        if found is None or (found.base is None and not below):
            return None
        if found.base is not None and (found.base not in self.decl.layers or (not below and found.base in self.decl.indices)):
            return None
        s.sub = (comma + 1, past) if comma < past else None
        return found

    def size(self, key: str, token: Token, s: Scripts) -> Expr:
        label = self.label(s.sub) if s.sub and key in self.decl.layered_sizes else None
        if label is not None and (label.base is None or label.base in self.decl.layers):
            s.sub = None
        elif key not in self.decl.sizes:
            if self.lenient and s.sub is None:
                return self.undeclared(key, token, s)
            raise self.fail(f"{key} is a size for each layer: write {key}_l", token)
        else:
            label = None
        return self.behind(Symbol(key, label, None, (token.start, self.end())), s)

    def aliased(self, key: str, token: Token, s: Scripts) -> Expr:
        value = self.decl.aliases[key]
        span = (token.start, self.end())
        match value:
            case Symbol(name, label, sample):
                value = Symbol(name, label, sample, span)
                symbol = self.decl.layered.get(name) if label else self.decl.arrays.get(name)
                if symbol is not None:
                    sups, transposed = [], 0
                    for sup in s.sups:
                        sup, t = self.without_transpose(sup)
                        transposed += t
                        if sup[0] != sup[1]:
                            sups.append(sup)
                    return self.dressed(value, symbol, s, sups, transposed, token)
        if s.sub:
            value, s.sub = self.below(value, s.sub, 0, token.start), None
        return self.behind(value, s)

    def function(self, key: str, token: Token, s: Scripts) -> Expr:
        """f'(z), f^{l}(z), s_i(z), sin^2 x; or the function itself."""
        symbol, label, power, primes = self.decl.functions.get(key), None, None, s.primes
        transposed = 0
        for sup in s.sups:
            sup, t = self.without_transpose(sup)
            transposed += t
            while sup[1] > sup[0] and self.tokens[sup[1] - 1].kind == "prime":
                primes += len(self.tokens[sup[1] - 1].text)
                sup = (sup[0], sup[1] - 1)
            if sup[0] == sup[1]:
                continue
            found = self.label(sup)
            if symbol is not None and symbol.layer and found is not None and found.base is not None:
                label = found
            elif self.spelled(sup) in ("-1", "(-1)"):
                raise self.fail(f"the inverse function of {key} is not supported", token)
            elif symbol is None or self.spelled(sup).isdigit() is False:
                power = self.inside(*sup)
            else:
                raise self.fail(f"{key}^{self.spelled(sup)}: a power or a repeated {key}? write ({key}(…))^{self.spelled(sup)}", token)
        if s.sub and symbol is not None and symbol.layer and label is None:
            label = self.label(s.sub)
            s.sub = None if label else s.sub
        node: Expr = Function(key, primes, label, (token.start, self.end()))
        assert isinstance(node, Function)
        if self.tok.kind == "open" and self.tok.text == "(":
            node = Call(node, self.arguments(), (token.start, self.end()))
        elif symbol is None and FUNCTION_WORDS.get(key, key) == key and self.tok.kind not in ("end", "}", "close", "rel", "comma"):
            node = self.bare_argument(node, token)
        span = (token.start, self.end())
        if s.sub:
            node = self.below(node, s.sub, 0, token.start)
        if power is not None:
            node = Power(node, power, span=span)
        for _ in range(transposed + s.top):
            node = Transpose(node, span)
        return node

    def bare_argument(self, function: Function, token: Token) -> Expr:
        """log x: the one factor behind it; refuses log x y, which may be read in two ways."""
        if self.tok.kind not in ("text", "name", "number", "deco", "func", "word", "frac", "open", "sqrt", "{", "bar", "over"):
            raise self.fail(f"{function.name} needs an argument", token)
        argument = self.prefix()
        if self.tok.kind in ("name", "number", "deco", "open", "{", "sqrt") and self.tok.kind != "text":
            raise self.fail(f"where does the argument of {function.name} end? write {function.name}(…)")
        return Call(function, (argument,), (token.start, self.end()))

    def arguments(self) -> tuple[Expr, ...]:
        raise NotImplementedError

    # --- scripts -----------------------------------------------------------------------------

    def below(self, node: Expr, sub: Range, rank: int, start: int) -> Expr:
        tokens = self.tokens
        if any(tokens[k].kind == "op" and tokens[k].text == "times" for k in range(*sub)):
            return Annotated(node, self.inside(*sub), (start, self.end()))
        at = self.subscripts(sub)
        if rank == 2 and len(at) == 1 and isinstance(at[0], Num) and 10 <= at[0].value < 100:
            first, second = divmod(int(at[0].value), 10)  # w_{12}
            at = (Num(Fraction(first), at[0].span), Num(Fraction(second), at[0].span))
        return Entry(node, at, (start, self.end()))

    def subscripts(self, sub: Range) -> tuple[Expr, ...]:
        """Indices, with or without commas: jk, i+1, :, 2, n, y_n."""
        back = self.i
        self.go(sub[0])
        out: list[Expr] = []
        while self.i < sub[1]:
            if self.tok.kind in ("comma", "gap"):
                self.advance()
                continue
            out.append(self.subscript(sub[1]))
        self.go(back)
        return tuple(out)

    def subscript(self, past: int) -> Expr:
        start = self.tok.start
        terms: list[Expr] = []
        sign = 1
        while True:
            if self.tok.kind == "op" and self.tok.text in "+-" and self.tok.text:
                sign = -1 if self.advance().text == "-" else 1
            token = self.advance() if self.i < past else self.tok
            span = (token.start, token.end)
            match token.kind:
                case "number":
                    if "." in token.text:
                        raise self.fail("an index is a whole number", token)
                    term: Expr = Num(Fraction(token.text), span)
                case "colon":
                    return All(span)
                case "op" if token.text in ("*", "cdot"):
                    return All(span)
                case "name":
                    term = self.index(token, past)
                case "text":
                    raise self.fail(f"the subscript {token.text} is part of no declared name", token)
                case "open" if token.text in "([":
                    term = self.subscript(past)
                    self.advance()
                case _:
                    raise self.fail(f"{shown(token)} is no index", token)
            terms.append(Neg(term, span) if sign < 0 else term)
            if self.i >= past or self.tok.kind != "op" or self.tok.text not in ("+", "-"):
                break
        return terms[0] if len(terms) == 1 else Add(tuple(terms), (start, self.end()))

    def index(self, token: Token, past: int) -> Expr:
        name = self.decl.key(token.text, token.deco)
        while self.i < past and self.tok.kind == "prime":
            name += self.advance().text
        span = (token.start, self.end())
        base = name.rstrip("'")
        if name in self.bound or base in self.bound or base in self.decl.indices:
            return IndexName(name, span)
        array = self.decl.arrays.get(name)
        if array is not None and array.integer:
            if self.i < past and self.tok.kind == "_":
                self.advance()
                return Entry(Symbol(name, None, None, span), self.subscripts(self.group()), span)
            return Symbol(name, None, None, span)
        if name in self.decl.layered_sizes and self.i < past and self.tok.kind == "_":
            self.advance()
            return Symbol(name, self.label(self.group()), None, span)
        if name in self.decl.sizes:
            return Symbol(name, None, None, span)
        if self.lenient:
            return IndexName(name, span)
        if name in self.decl.layers:
            raise self.fail(f"{name} counts layers and is no index here", token)
        raise ReadError(f"the index {name} is not declared", span, undeclared=name)

    def two_indices(self, sub: Range) -> tuple[Expr, Expr] | None:
        if any(self.tokens[k].kind in ("text", "colon") for k in range(*sub)):
            return None
        if sub[1] - sub[0] < 2:
            return None
        at = self.subscripts(sub)
        return (at[0], at[1]) if len(at) == 2 else None

    def behind(self, node: Expr, s: Scripts, used_primes: bool = False) -> Expr:
        """Powers, inverses and transposes behind a value."""
        start = node.span[0]
        if s.sub is not None:
            node = self.below(node, s.sub, 0, start)
        if s.primes and not used_primes:
            raise ReadError("a prime on something that is no function", node.span)
        for sup in s.sups:
            node = self.raised(node, sup, start)
        for _ in range(s.top):
            node = Transpose(node, (start, self.end()))
        return node

    def raised(self, node: Expr, sup: Range, start: int) -> Expr:
        sup, transposed = self.without_transpose(sup)
        span = (start, self.end())
        if sup[0] != sup[1]:
            first = self.tokens[sup[0]]
            if first.kind == "op" and first.text == "had" and sup[1] - sup[0] > 1:
                node = Power(node, self.exponent((sup[0] + 1, sup[1])), True, span)
            elif first.kind == "op" and sup[1] - sup[0] == 1 and first.text == "-":  # A^{-T}
                node = Power(node, Num(Fraction(-1), span), False, span)
            else:
                node = Power(node, self.exponent(sup), False, span)
        for _ in range(transposed):
            node = Transpose(node, span)
        return node

    def exponent(self, sup: Range) -> Expr:
        node = self.inside(*sup)
        value = node.arg if isinstance(node, Neg) else node
        if isinstance(value, Num) and value.value > MAX_EXPONENT:
            raise ReadError(f"the exponent {value.value} is above {MAX_EXPONENT}", value.span)
        if isinstance(value, Power) and isinstance(value.base, Num):
            raise ReadError(f"a tower of numbers as exponent: exponents go to {MAX_EXPONENT}", value.span)
        return node

    def is_transpose(self, sup: Range) -> bool:
        if sup[1] - sup[0] != 1:
            return False
        token = self.tokens[sup[0]]
        if token.kind == "top" or (token.kind == "text" and token.text.strip() in ("T", "tr")):
            return True
        if token.kind != "name" or token.text != "T" or "T" in self.bound or "T" in self.decl.layers:
            return False
        if "T" in self.decl.sizes or "T" in self.decl.indices:
            raise self.fail("^T: a transpose, or the T that is declared here? write ^\\top for the transpose", token)
        return True

    def without_transpose(self, sup: Range) -> tuple[Range, int]:
        """Take a T at the end off: [1]T, l\\top, (l),T."""
        first, past = sup
        if past > first and self.is_transpose((past - 1, past)):
            past -= 1
            if past > first and self.tokens[past - 1].kind == "comma":
                past -= 1
            return (first, past), 1
        return sup, 0

    def label(self, r: Range) -> Label | None:
        """One label, in brackets or not; None for anything else."""
        parts = self.label_parts(r)
        return parts[0][0] if parts is not None and len(parts) == 1 else None

    def label_parts(self, r: Range) -> list[tuple[Label, str]] | None:
        """l, l+1, (l), [L-1], 2, [l](i), l,(i): labels with the bracket each stands in; None for anything else."""
        k, past = r
        out: list[tuple[Label, str]] = []
        tokens = self.tokens
        while k < past:
            if tokens[k].kind in ("comma", "{", "}"):
                k += 1
                continue
            bracket = ""
            if tokens[k].kind == "open" and tokens[k].text in ("(", "[", "\\{", "⟨"):
                bracket = tokens[k].text
                k += 1
            if k >= past:
                return None
            token = tokens[k]
            base: str | None = None
            shift = 0
            if token.kind == "name":
                base = self.decl.key(token.text, token.deco)
                k += 1
                if k + 1 < past and tokens[k].kind == "op" and tokens[k].text in ("+", "-") and tokens[k + 1].kind == "number":
                    if not tokens[k + 1].text.isdigit():
                        return None
                    shift = int(tokens[k + 1].text) * (1 if tokens[k].text == "+" else -1)
                    k += 2
            elif token.kind == "number" and token.text.isdigit():
                shift = int(token.text)
                k += 1
            else:
                return None
            if bracket:
                if k >= past or tokens[k].kind != "close" or tokens[k].text != OPENING[bracket]:
                    return None
                k += 1
            elif k < past and tokens[k].kind not in ("open", "comma", "}"):
                return None
            out.append((Label(base, shift), bracket))
        return out or None
