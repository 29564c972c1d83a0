"""Names with their scripts: which symbol a letter is, and what stands above, below and behind it.

Every choice is made by the declarations: W^T is a transpose, W^l a layer, x^{(i)} a sample, x^2 a power;
δ_ij is Kronecker's, δ^l the signal.  What they do not settle is refused.
"""

from __future__ import annotations

from ..declared.symbols import ArraySymbol
from ..files.place import ReadError, Unsettled
from .cursor import SUM
from .lexer import Token
from .scripts import Range, ScriptReader, Scripts
from .tree import (
    Call,
    Expr,
    Function,
    Identity,
    IndexName,
    Kronecker,
    Label,
    Power,
    Symbol,
    Transpose,
)
from .vocabulary import DISTINCT, FUNCTION_WORDS


class Names(ScriptReader):
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

    def with_scripts(self, key: str, s: Scripts, composite: frozenset[str]) -> str:
        """Take the scripts that belong to a declared name, as the s of z_s, off the rest."""
        low = "_" + self.spelled(s.sub) if s.sub else ""
        for k, sup in enumerate(s.sups):
            bare, transposed = self.without_transpose(sup)
            for part, rest in ((sup, []), (bare, [(bare[1], sup[1])])) if transposed else ((sup, []),):
                high = "^" + self.spelled(part)
                if low + high in composite:
                    s.sub = None
                    s.sups[k : k + 1] = rest
                    return key + low + high
                if high in composite:
                    s.sups[k : k + 1] = rest
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
        if key == "δ" and s.sub and not s.sups and not s.primes and not (key in decl.layered and self.at_layer(s)):
            two = self.two_indices(s.sub)
            if two is not None:
                if key in decl.arrays and len(decl.arrays[key].shape) == 2:
                    raise self.fail(
                        "δ with two indices: Kronecker's, or an entry of the array δ that is declared here?", token
                    )
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
        if key == "I" and not s.sub and not self.lenient and not decl.known(key):
            return self.behind(Identity(None, (token.start, self.end())), s)
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
        return all(
            self.tokens[k].text in self.decl.sizes or self.tokens[k].text in self.decl.layered_sizes
            for k in range(*r)
            if self.tokens[k].kind == "name"
        )

    def undeclared(self, key: str, token: Token, s: Scripts) -> Expr:
        if not self.lenient:
            hint = ""
            if token.deco in DISTINCT and self.decl.known(token.text):
                hint = f" ({token.text} is, but a {token.deco} may name another thing)"
            if key == "δ" and s.sub:
                hint = " (Kronecker's δ needs two indices)"
            if key == "d" and self.tok.kind in ("name", "open") and not s.sub and not s.sups:
                raise Unsettled("differentials are not supported: say it with derivatives", (token.start, token.end))
            first, word = self.word_around(token)
            if len(word) > 2 and not hint:
                where = (first.start, first.start + len(word))
                raise ReadError(f"{word} is not declared, as one name or letter by letter", where, undeclared=key)
            raise ReadError(f"{key} is not declared{hint}", (token.start, token.end), undeclared=key)
        label, kept = None, Scripts()
        below = self.label(s.sub) if s.sub is not None else None
        layer_below = below is not None and below.base in self.decl.layers
        for sup in s.sups:
            if self.is_transpose(sup):
                kept.sups.append(sup)
            elif (found := self.label(sup)) is not None and (not layer_below or found.base in self.decl.layers):
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

    def word_around(self, token: Token) -> tuple[Token, str]:
        """The run of letters that a name stands in."""
        tokens = self.tokens
        k = next((n for n in range(self.i - 1, -1, -1) if tokens[n].start == token.start), 0)
        first = last = k
        while first and tokens[first - 1].kind == "name" and tokens[first - 1].end == tokens[first].start:
            first -= 1
        while tokens[last + 1].kind == "name" and tokens[last + 1].start == tokens[last].end:
            last += 1
        run = tokens[first : last + 1]
        plain = all(t.text.isascii() and not t.deco and len(t.text) == t.end - t.start for t in run)
        return run[0], "".join(t.text for t in run) if plain else ""

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
        if layered and label is None and s.sub:
            label = self.label_below(s, layered)
        if layered and label is None and plain is None:
            raise self.fail(f"{key} has one copy for each layer: write {key}{layered.label_at}{layered.layer}", token)
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
            read, sample = self.of_arguments(symbol.of.split(","))
            if read:
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

    def of_arguments(self, of: list[str]) -> tuple[bool, Label | None]:
        """Whether the bracket holds just what the array depends on, as the x of a(x); the i of a(x^{(i)})."""
        back, samples = self.i, []
        while self.tok.kind == "comma" or self.i == back:
            self.advance()
            try:
                inner = self.expression(SUM)
            except ReadError:
                break
            if not isinstance(inner, Symbol) or inner.name not in of:
                break
            samples.append(inner.sample)
        else:
            if self.tok.text == ")":
                self.advance()
                return True, next((s for s in samples if s is not None), None)
        self.go(back)
        return False, None

    def label_below(self, s: Scripts, symbol: ArraySymbol) -> Label | None:
        """The layer as (first) subscript: W_l, h_{t,i}; or W_L where L is a layer and no index."""
        assert s.sub is not None
        first, past = s.sub
        comma = next((k for k in range(first, past) if self.tokens[k].kind == "comma"), past)
        found = self.label((first, comma))
        below = symbol.label_at == "_"
        if found is None or (found.base is None and not below):
            return None
        if found.base is not None and (
            found.base not in self.decl.layers or (not below and found.base in self.decl.indices)
        ):
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
                raise self.unsupported(f"the inverse function of {key} is not supported", token)
            elif symbol is None or self.spelled(sup).isdigit() is False:
                power = self.inside(*sup)
            else:
                raise self.fail(
                    f"{key}^{self.spelled(sup)}: a power or a repeated {key}? write ({key}(…))^{self.spelled(sup)}",
                    token,
                )
        if s.sub and symbol is not None and symbol.layer and label is None:
            label = self.label(s.sub)
            s.sub = None if label else s.sub
        node: Expr = Function(key, primes, label, (token.start, self.end()))
        assert isinstance(node, Function)
        if self.tok.kind == "open" and self.tok.text == "(":
            node = Call(node, self.arguments(), (token.start, self.end()))
        elif (
            symbol is None
            and FUNCTION_WORDS.get(key, key) == key
            and self.tok.kind not in ("end", "}", "close", "rel", "comma")
        ):
            node = self.bare_argument(node, token)
        span = (token.start, self.end())
        if s.sub:
            node = self.below(node, s.sub, 0, token.start)
        if power is not None:
            node = Power(node, power, span=span)
        for _ in range(transposed + s.top):
            node = Transpose(node, span)
        return self.postfix(node, token.start)

    def bare_argument(self, function: Function, token: Token) -> Expr:
        """log x: the one factor behind it; refuses log x y, which may be read in two ways."""
        if self.tok.kind not in (
            "text",
            "name",
            "number",
            "deco",
            "func",
            "word",
            "frac",
            "open",
            "sqrt",
            "{",
            "bar",
            "over",
            "sum",
            "prod",
        ):
            raise self.fail(f"{function.name} needs an argument", token)
        argument = self.prefix()
        if self.tok.kind in ("name", "number", "deco", "open", "{", "sqrt") and self.tok.kind != "text":
            raise self.fail(f"where does the argument of {function.name} end? write {function.name}(…)")
        return Call(function, (argument,), (token.start, self.end()))

    def arguments(self) -> tuple[Expr, ...]:
        raise NotImplementedError
