"""From what is written to what it is: the loose tree under a symbol table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

from ..declared.symbols import ArraySymbol, Declarations
from ..files.place import Place, ReadError, Span, Unsettled
from .lexer import MAX_DEPTH
from .loosely import substituted
from .parser import parse, parse_value
from .resolve_names import NameResolver, checked_exponent
from .tree import (
    Add,
    At,
    Binder,
    Call,
    Cases,
    Chain,
    Derivative,
    Differential,
    Dots,
    Entry,
    Equated,
    Expr,
    Function,
    Gradient,
    Hadamard,
    IndexName,
    Indicator,
    Label,
    Link,
    Matrix,
    Name,
    Neg,
    Num,
    Ones,
    Operator,
    Over,
    Paren,
    Part,
    Power,
    Product,
    Quotient,
    Reals,
    Script,
    Shape,
    Statement,
    Sum,
    Symbol,
    Transpose,
    Words,
)
from .vocabulary import FUNCTION_WORDS, WHOLE_WORDS
from .walking import mapped, walk

PREFIX_LIKE = (Name, Num, Symbol)


@dataclass(slots=True)
class Resolver(NameResolver):
    in_fraction: int = 0
    differentials: bool = False
    """A side is d of a letter: then d in front of a letter is a differential, also where d is a size."""

    # --- statements --------------------------------------------------------------------------

    def statement(self, s: Statement) -> Statement:
        return Statement(tuple(Part(p.joined, self.chain(p.chain), p.span) for p in s.parts), s.span)

    def look(self, c: Chain) -> None:
        """Whether the relation is one between differentials."""
        self.differentials = any(is_differential(s) for s in (*c.subjects, *(k.rhs for k in c.links)))

    def chain(self, c: Chain) -> Chain:
        if not self.differentials:
            self.look(c)
        subjects = tuple(map(self.expr, c.subjects))
        return Chain(subjects, tuple(replace(k, rhs=self.expr(k.rhs)) for k in c.links), c.span)

    # --- expressions -------------------------------------------------------------------------

    def expr(self, node: Expr) -> Expr:
        match node:
            case Name():
                return self.factors((node,), (), node.span)
            case Operator():
                return self.factors((node,), (), node.span)
            case Paren():
                return self.paren(node)
            case Product(args, signs):
                return self.factors(args, signs, node.span)
            case Hadamard(args):
                return self.hadamard(args, node.span)
            case Quotient(top, bottom):
                self.in_fraction += 1
                try:
                    return Quotient(self.expr(top), self.expr(bottom), node.span)
                finally:
                    self.in_fraction -= 1
            case Power(base, exponent):
                return replace(node, base=self.expr(base), exponent=checked_exponent(self.expr(exponent)))
            case Entry(base, at):
                return Entry(self.expr(base), tuple(map(self.index, at)), node.span)
            case Derivative(body, wrt):
                return self.derivative(self.expr(body), wrt, node.total, node.span)
            case Sum() | Over():
                return self.big(node)
            case At():
                raise Unsettled("a value at a point, |_{x = a}, is not supported: write f'(a)", node.span)
            case Reals(shape):
                return Reals(None if shape is None else self.expr(shape), node.span)
            case Ones(sizes):
                return Ones(self.sizes(sizes), node.span)
            case Cases(rows):
                return Cases(
                    tuple((self.expr(v), None if c is None else self.condition(c)) for v, c in rows), node.span
                )
            case Indicator(chain):
                return Indicator(self.condition(chain), node.span)
            case Equated(chain):
                return Equated(self.chain(chain), node.span)
            case Matrix(rows):
                return Matrix(tuple(tuple(map(self.expr, r)) for r in rows), node.span)
            case _:
                return cast(Expr, mapped(node, self.child))

    def child(self, node: object) -> object:
        if isinstance(node, tuple):
            return tuple(map(self.child, node))
        return self.expr(cast(Expr, node))

    def condition(self, c: Chain) -> Chain:
        """A relation; a letter that names no array is an index there.  (i, j) ∈ Ω: the entry ij of Ω, 1 or 0."""
        if c.links and c.links[0].relation == "∈" and isinstance(c.links[0].rhs, Name):
            items = tuple(x.subjects[-1] for p in c.subjects for x in (p.chains if isinstance(p, Paren) else (Chain((p,), ()),)))
            inside = self.expr(replace(c.links[0].rhs, sub=Script("", items)))
            return Chain(c.subjects, (replace(c.links[0], rhs=inside),), c.span)

        def side(node: Expr) -> Expr:
            match node:
                case Name(letter, _, None, ()) if not self.decl.known(letter) or letter in self.decl.indices:
                    if letter not in self.decl.arrays or letter in self.bound:
                        return self.index(node)
                case Paren((Chain((inner,), ()),)):
                    return side(inner)
            return self.expr(node)

        return Chain(tuple(map(side, c.subjects)), tuple(replace(k, rhs=side(k.rhs)) for k in c.links), c.span)

    def sizes(self, sizes: tuple[Expr, ...]) -> tuple[Expr, ...]:
        found = tuple(map(self.expr, sizes))
        return found[0].parts if len(found) == 1 and isinstance(found[0], Shape) else found

    def paren(self, node: Paren) -> Expr:
        outer, self.in_fraction = self.in_fraction, 0
        try:
            return self.in_brackets(node)
        finally:
            self.in_fraction = outer

    def in_brackets(self, node: Paren) -> Expr:
        if len(node.chains) > 1:
            parts = tuple(self.expr(c.subjects[-1]) for c in node.chains)
            if all(not c.links for c in node.chains) and all(map(self.size_like, parts)):
                return Shape(parts, node.span)
            if node.opening == "\\{":
                return Words("{…}", node.span)
            raise ReadError("a list where a value is expected", node.span)
        (chain,) = node.chains
        if not chain.links:
            return self.expr(chain.subjects[-1])
        if node.opening == "[":
            return Indicator(self.condition(chain), node.span)
        return Equated(self.chain(chain), node.span)

    def hadamard(self, args: tuple[Expr, ...], span: Span) -> Expr:
        found = list(map(self.expr, args))
        if self.shape_like(found[0]):  # shapes are worked off from left to right
            last = args[-1]
            if isinstance(last, Product) and "times" in last.signs and not isinstance(found[-1], Shape):
                first, *rest = map(self.expr, last.args)
                left = Hadamard((*found[:-1], first), span)
                return Product((left, *rest), last.signs, span)
            return Hadamard(tuple(found), span)
        for k, a in enumerate(args):
            if isinstance(a, Product) and "times" in a.signs and not self.shape_like(found[k]):
                which = "× beside ∘" if k == 0 else "∘ beside ×"
                raise Unsettled(f"{which}: which is first? put parentheses", a.span)
        return Hadamard(tuple(found), span)

    # --- products ----------------------------------------------------------------------------

    def factors(self, args: tuple[Expr, ...], signs: tuple[str, ...], span: Span) -> Expr:
        out: list[Expr] = []
        between: list[str] = []
        k = 0
        while k < len(args):
            node, used = self.taken(args[k:], signs[k:])
            out.append(node)
            k += used
            if k < len(args):
                between.append(signs[k - 1])
        return self.product(tuple(out), tuple(between), span)

    def taken(self, args: tuple[Expr, ...], signs: tuple[str, ...]) -> tuple[Expr, int]:
        """The first factor with what it takes of the following ones, and how many these are."""
        first = args[0]
        beside = args[1] if len(args) > 1 and not signs[0] else None
        match first:
            case Operator(kind="function"):
                return self.applied_word(first, args, signs)
            case Operator():
                return self.differentiated(first, args, signs)
            case Name():
                return self.named(first, beside, args, signs)
            case _:
                return self.expr(first), 1

    def named(self, first: Name, beside: Expr | None, args: tuple[Expr, ...], signs: tuple[str, ...]) -> tuple[Expr, int]:
        key, decl = self.key(first), self.decl
        if (
            first.letter == "d" and beside is not None and first.sub is None and not first.sups
            and "d" not in self.bound and self.begins_differential(first, beside)
        ):  # fmt: skip
            inner, used = self.taken(args[1:], signs[1:])
            return self.differential(inner, (first.span[0], args[used].span[1])), 1 + used
        brackets = head_paren(beside) if beside is not None else None
        composite = decl.composite.get(key)
        if composite and key not in decl.functions:
            key = self.with_scripts(key, first, composite)[0]
        if key in decl.macros and brackets is not None:
            macro = decl.macros[key]
            found = self.macro_call(macro.params, macro.body, brackets)
            if found is not None:
                return self.with_postfix(beside, brackets, found), 2
        array = decl.arrays.get(key) if key not in self.bound else None
        if key in decl.layered and self.at_layer(first):
            array = decl.layered[key]
        if array is not None and brackets is not None and array.of and self.same_arguments(array, brackets):
            inner = self.primed_dependent(array, first) if first.primes else self.name(first)
            return self.with_postfix(beside, brackets, inner), 2
        if array is not None and first.primes and array.of:
            return self.primed_dependent(array, first), 1
        if key in decl.functions and (brackets is not None and brackets.opening == "(" and (
            first.primes or not (key in decl.layered and self.at_layer(first)) or True
        )):  # fmt: skip
            return self.function_call(key, first, beside, brackets), 2
        if brackets is not None and first.letter in FUNCTION_WORDS and not first.mark and not decl.known(key):
            word = Operator("function", FUNCTION_WORDS[first.letter], first.sub, first.sups, first.primes, span=first.span)
            return self.applied_word(word, args, signs)
        if array is not None and brackets is not None and array.of and brackets.opening == "(":
            return self.sample_of(array, first, beside, brackets)
        return self.name(first), 1

    def begins_differential(self, d: Name, beside: Expr) -> bool:
        """d in front of a name; where a size is called d too, right in front of it."""
        if not self.decl.known(self.decl.key("d", d.mark)):
            return True
        only_size = "d" in self.decl.sizes and "d" not in self.decl.arrays
        return (bool(self.decl.upstream) or self.differentials) and only_size and isinstance(beside, Name) and d.span[1] == beside.span[0]

    def sample_of(self, array: ArraySymbol, first: Name, beside: Expr | None, brackets: Paren) -> tuple[Expr, int]:
        """a(x^{(i)}): a at sample i."""
        samples: list[Label] = []
        for chain in brackets.chains:
            inner = chain.subjects[-1]
            if chain.links or not isinstance(inner, Name) or self.key(inner) not in array.of.split(","):
                return self.name(first), 1
            found = self.name(inner)
            if isinstance(found, Symbol) and found.sample is not None:
                samples.append(found.sample)
            elif not isinstance(found, Symbol):
                return self.name(first), 1
        if not samples:
            return self.name(first), 1
        node = self.name(first)
        if isinstance(node, Symbol):
            return self.with_postfix(beside, brackets, replace(node, sample=samples[0])), 2
        if isinstance(node, Entry) and isinstance(node.base, Symbol):
            return replace(node, base=replace(node.base, sample=samples[0])), 2
        return node, 1

    def same_arguments(self, array: ArraySymbol, brackets: Paren) -> bool:
        """The bracket holds just what the array depends on, as the x of a(x)."""
        of = array.of.split(",")
        if any(c.links for c in brackets.chains):
            return False
        names = [c.subjects[-1] for c in brackets.chains]
        found = [spelled(n, self) for n in names]
        return all(f is not None and f in of for f in found)

    def primed_dependent(self, array: ArraySymbol, first: Name) -> Expr:
        of = array.of.split(",")
        variable = self.decl.arrays.get(of[0])
        if len(of) != 1 or variable is None or variable.shape or first.primes > 2:
            raise Unsettled(f"{array.name} with a prime: by which variable?", first.span)
        wrt = Symbol(of[0], None, None, first.span)
        return Derivative(self.name(replace(first, primes=0)), (wrt,) * first.primes, True, first.span)

    def macro_call(self, params: tuple[Expr, ...], body: Expr, brackets: Paren) -> Expr | None:
        """The formula of a function with its arguments put in."""
        if len(params) != len(brackets.chains) or any(c.links for c in brackets.chains):
            return None
        args = tuple(c.subjects[-1] for c in brackets.chains)
        new = substituted(body, params, args)
        return None if new is None else self.expr(new)

    def function_call(self, key: str, first: Name, beside: Expr | None, brackets: Paren) -> Expr:
        """f'(z), f^{l}(z), s_i(z), f(x)^2."""
        function = self.function(key, first)
        assert isinstance(function, Function)
        symbol = self.decl.functions[key]
        power: Expr | None = None
        transposed = first.top
        for sup in first.sups:
            transposed += sup.transposes
            one = sup.labels[0][0] if sup.labels and len(sup.labels) == 1 else None
            if sup.value is None or (symbol.layer and one is not None and one.base is not None):
                continue
            if sup.text.isdigit():
                raise Unsettled(f"{key}^{sup.text}: a power or a repeated {key}? write ({key}(…))^{sup.text}", first.span)
            power = self.expr(sup.value)
        call: Expr = Call(function, self.arguments(brackets), (first.span[0], brackets.span[1]))
        if first.sub and function.label is None:
            call = Entry(call, tuple(map(self.index, first.sub.items)), call.span)
        if power is not None:
            call = Power(call, power, span=call.span)
        for _ in range(transposed):
            call = Transpose(call, call.span)
        return self.with_postfix(beside, brackets, call)

    def arguments(self, brackets: Paren) -> tuple[Expr, ...]:
        if brackets.bar and not self.decl.inferred:
            raise Unsettled("a condition | is not supported", brackets.span)
        return tuple(
            Equated(self.chain(c), c.span) if c.links else self.expr(c.subjects[-1]) for c in brackets.chains
        )

    def with_postfix(self, node: Expr | None, brackets: Paren, inner: Expr) -> Expr:
        """What stands behind the bracket stands behind the call: f(x)^2, s(z)_i."""
        if node is None or isinstance(node, Paren):
            return inner
        span = (inner.span[0], node.span[1])
        match node:
            case Power(base, exponent):
                value = checked_exponent(self.expr(exponent))
                return replace(node, base=self.with_postfix(base, brackets, inner), exponent=value, span=span)
            case Transpose(arg):
                return replace(node, arg=self.with_postfix(arg, brackets, inner), span=span)
            case Entry(base, at):
                below = tuple(map(self.index, at))
                return replace(node, base=self.with_postfix(base, brackets, inner), at=below, span=span)
            case _:
                return inner

    def applied_word(self, word: Operator, args: tuple[Expr, ...], signs: tuple[str, ...]) -> tuple[Expr, int]:
        """log(x), \\sin^2 x, \\log p_k, tr A X; the function alone when nothing follows."""
        function = Function(word.name, word.primes, None, word.span)
        beside = args[1] if len(args) > 1 and not signs[0] else None
        brackets = head_paren(beside) if beside is not None else None
        if beside is None:
            if word.sub or any(s.value is not None for s in word.sups):
                raise ReadError(f"{word.name} needs an argument", word.span)
            return function, 1
        if brackets is not None:
            call: Expr = Call(function, self.arguments(brackets), (word.span[0], brackets.span[1]))
            return self.with_postfix(beside, brackets, self.with_scripts_of(word, call)), 2
        inner, used = self.bare_argument(word, args[1:], signs[1:])
        call = Call(function, (inner,), (word.span[0], args[used].span[1]))
        return self.with_scripts_of(word, call), 1 + used

    def bare_argument(self, word: Operator, args: tuple[Expr, ...], signs: tuple[str, ...]) -> tuple[Expr, int]:
        """The one factor behind log; the whole product behind tr, and behind a number (sin 2x)."""
        inner, used = self.taken(args, signs)
        if used == len(args) or signs[used - 1] or isinstance(args[used], (Sum, Over)):
            return inner, used
        whole = word.name in WHOLE_WORDS and word.name not in ("max", "min")
        simple = all(isinstance(a, PREFIX_LIKE) for a in args) and not any(signs[: len(args) - 1])
        if whole or (isinstance(args[0], Num) and simple) or (isinstance(args[0], Operator) is False and simple and all(
            isinstance(a, Num) for a in args
        )):  # fmt: skip
            return self.factors(args, signs[: len(args) - 1], (args[0].span[0], args[-1].span[1])), len(args)
        if isinstance(args[used], Operator) and cast(Operator, args[used]).kind == "function":  # sin x cos x
            return inner, used
        raise Unsettled(
            f"where does the argument of {word.name} end? write {word.name}(…)", (args[used].span[0], args[used].span[1])
        )

    def with_scripts_of(self, word: Operator, call: Expr) -> Expr:
        if word.sub:
            if word.name == "log":
                raise Unsettled("a logarithm with a base is not supported", word.span)
            call = Entry(call, tuple(map(self.index, word.sub.items)), call.span)
        for sup in word.sups:
            if sup.text in ("-1", "(-1)"):
                raise Unsettled(f"the inverse function of {word.name} is not supported", word.span)
            if sup.value is not None:
                call = Power(call, self.exponent(sup), sup.elementwise, call.span)
            for _ in range(sup.transposes):
                call = Transpose(call, call.span)
        return call

    # --- derivatives -------------------------------------------------------------------------

    def differentiated(self, op: Operator, args: tuple[Expr, ...], signs: tuple[str, ...]) -> tuple[Expr, int]:
        """∇_W and ∂_x take a number's name or a call alone, (∇_z L) x^T; else, and ∂/∂x always, the whole product."""
        if len(args) == 1:
            raise ReadError("nothing to differentiate", op.span)
        rest, between = args[1:], signs[1:]
        body, used = self.taken(rest, between)
        alone = op.kind == "nabla" and (self.is_number(body) or isinstance(body, Call))
        if not alone and used < len(rest):
            body, used = self.factors(rest, between, (rest[0].span[0], rest[-1].span[1])), len(rest)
        span = (op.span[0], args[used].span[1])
        wrt = op.wrt or (self.only_variable(rest[0], body, op.span),)
        if op.kind == "nabla" and op.name != "partial" and op.order == 1:
            return Gradient(body, self.variable(wrt[0])[0], span), 1 + used
        if op.kind == "nabla" and op.order == 2:
            wrt = (wrt[0], wrt[0])
        return self.derivative(body, wrt, op.total, span), 1 + used

    def is_number(self, node: Expr) -> bool:
        match node:
            case Symbol(name, label):
                table = self.decl.arrays if label is None else self.decl.layered
                return name in table and not table[name].shape
            case Entry(Symbol(name), at):
                return name in self.decl.arrays and len(self.decl.arrays[name].shape) == len(at)
            case _:
                return False

    def only_variable(self, first: Expr, body: Expr, span: Span) -> Expr:
        """∇ J(w) by w: what the text says J depends on, or the one array that the formula holds."""
        if isinstance(body, Symbol) and body.name in self.decl.arrays:
            of = [o for o in self.decl.arrays[body.name].of.split(",") if o]
            if len(of) == 1:
                return Symbol(of[0], None, None, span)
            found = self.decl.variables_of(body.name)
        else:
            found = {n.name for n in walk(body) if isinstance(n, Symbol) and n.name in self.decl.arrays}
        vectors = {n for n in found if self.decl.arrays[n].shape and self.decl.arrays[n].role == "variable"}
        if len(vectors) == 1 or len(found) == 1:
            return Symbol(min(vectors or found), None, None, span)
        raise Unsettled("∇ by which variable? write ∇_W", span)

    def variable(self, node: Expr) -> tuple[Expr, int, Fraction]:
        """A variable below ∂: the array, how often it is transposed there, and the power it stands in."""
        if isinstance(node, Symbol):
            return node, 0, Fraction(1)
        found = self.expr(node)
        transposed, power = 0, Fraction(1)
        while not isinstance(found, (Symbol, Entry, IndexName)):
            match found:
                case Transpose(arg):
                    found, transposed = arg, transposed + 1
                case Power(base, Num(q)) if q:
                    found, power = base, power * q
                case _:
                    raise ReadError("the derivative is by something that is no variable", node.span)
        return found, transposed, power

    def derivative(self, body: Expr, wrt: tuple[Expr, ...], total: bool, span: Span) -> Expr:
        found = [self.variable(v) for v in wrt]
        out: Expr = Derivative(body, tuple(v for v, _, _ in found), total, span)
        if len(found) == 1:
            variable, transposed, power = found[0]
            if power != 1:  # ∂/∂σ² = 1/(2σ) ∂/∂σ
                slope = Product((Num(power), Power(variable, Num(power - 1))), ("",), span)
                out = Quotient(out, variable_slope(slope, power, variable), span)
            if transposed % 2:
                out = Transpose(out, span)
        elif any(power != 1 for _, _, power in found):
            raise Unsettled("a second derivative by a power is not supported", span)
        return out

    def differential(self, inner: Expr, span: Span) -> Expr:
        if self.decl.upstream:
            match inner:
                case Symbol():
                    return Derivative(Symbol(self.decl.upstream), (inner,), False, span)
                case Entry(Symbol(), _):
                    return Derivative(Symbol(self.decl.upstream), (inner,), False, span)
                case Transpose(arg):
                    return Transpose(self.differential(arg, span), span)
        return Differential(inner, span)

    # --- sums --------------------------------------------------------------------------------

    def big(self, node: Sum | Over) -> Expr:
        names = [b.name for b in node.binders]
        for n in names:
            self.bound[n] = self.bound.get(n, 0) + 1
        try:
            where = list(map(self.condition, node.where))
            binders = tuple(self.range_of(b, where) for b in node.binders)
            body = self.expr(node.body)
        finally:
            for n in names:
                self.bound[n] -= 1
                if not self.bound[n]:
                    del self.bound[n]
        for c in where:
            hold: Expr = Indicator(c, c.span)
            if c.links[0].relation == "∈":
                hold = c.links[0].rhs
            if isinstance(node, Sum):
                body = Product((hold, body), ("",), body.span)
            elif node.kind == "prod":
                body = Add((Product((hold, body), ("",)), Num(Fraction(1)), Neg(hold)), body.span)
            else:
                raise Unsettled(f"a condition under {node.kind} is not supported", node.span)
        return replace(node, binders=binders, body=body, where=())

    def range_of(self, b: Binder, where: list[Chain]) -> Binder:
        """Sums from 2, up to i, from i + 1: over the whole axis, with a condition."""
        low = None if b.low is None else self.expr(b.low)
        high = None if b.high is None else self.expr(b.high)
        this = IndexName(b.name, b.span)
        if high is not None and any(isinstance(n, IndexName) for n in walk(high)):
            where.append(Chain((this,), (Link("≤", high),), b.span))
            high = None
        if low is not None and any(isinstance(n, IndexName) for n in walk(low)):
            where.append(Chain((this,), (Link("≥", low),), b.span))
            low = None
        if isinstance(low, Num) and low.value.denominator == 1 and 1 < low.value <= 9:
            for k in range(1, int(low.value)):
                where.append(Chain((this,), (Link("≠", Num(Fraction(k))),), b.span))
            low = Num(Fraction(1), low.span)
        if isinstance(low, Num) and low.value == 1 and high is None:
            low = None
        return Binder(b.name, low, high, b.span)

    # --- shapes ------------------------------------------------------------------------------

    def product(self, args: tuple[Expr, ...], signs: tuple[str, ...], span: Span) -> Expr:
        if len(args) == 1:
            return args[0]
        if "times" in signs and not self.in_fraction:
            groups: list[list[Expr]] = [[]]
            for factor, sign in zip(args, ("", *signs), strict=True):
                if sign == "times":
                    groups.append([])
                groups[-1].append(factor)
            if all(self.size_like(f) for f in args):
                return Shape(tuple(plain_product(g) for g in groups), span)
            if len(args) == 2 and self.size_like(args[0]) and isinstance(args[1], Shape):
                return Shape((args[0], args[1]), span)
            if len(args) == 2 and isinstance(args[0], Shape) and self.size_like(args[1]):
                return Shape((args[0], args[1]), span)
        return Product(args, signs, span)

    def is_size_symbol(self, node: Symbol) -> bool:
        if node.label is not None:
            return node.name in self.decl.layered_sizes and node.name not in self.decl.layered
        return node.name in self.decl.sizes and node.name not in self.decl.arrays

    def size_like(self, node: Expr) -> bool:
        match node:
            case Num(value):
                return value.denominator == 1
            case Symbol():
                return self.is_size_symbol(node) or (self.lenient and not self.decl.known(node.name))
            case Add(args) | Product(args):
                return all(map(self.size_like, args))
            case Neg(arg):
                return self.size_like(arg)
            case _:
                return False

    def shape_like(self, node: Expr) -> bool:
        match node:
            case Shape():
                return True
            case Transpose(arg):
                return self.shape_like(arg)
            case Product(args) | Hadamard(args):
                return all(map(self.shape_like, args))
            case _:
                return False


def is_differential(node: Expr) -> bool:
    """dJ, written together."""
    match node:
        case Product((Name("d", _, None, ()) as d, Name() as x)):
            return d.span[1] == x.span[0]
        case _:
            return False


def variable_slope(slope: Expr, power: Fraction, variable: Expr) -> Expr:
    return slope if power != 2 else Product((Num(power), variable), ("",), slope.span)


def plain_product(group: list[Expr]) -> Expr:
    if len(group) == 1:
        return group[0]
    return Product(tuple(group), ("",) * (len(group) - 1), (group[0].span[0], group[-1].span[1]))


def head_paren(node: Expr) -> Paren | None:
    """The bracket that a factor begins with, under its scripts."""
    while isinstance(node, (Power, Transpose, Entry)):
        node = node.arg if isinstance(node, Transpose) else node.base
    return node if isinstance(node, Paren) else None


def spelled(node: Expr, names: NameResolver) -> str | None:
    """A name as the table keeps it among the arguments of a function: w, W^{(1)}, σ^2."""
    if not isinstance(node, Name):
        return None
    text = names.key(node)
    if node.sub is not None:
        text += "_" + node.sub.text
    return text + "".join("^" + s.text for s in node.sups)


def walk_names(node: object) -> Iterator[Name]:
    return (n for n in walk(node) if isinstance(n, Name))


def parse_statement(text: str, declarations: Declarations, where: Place | None = None) -> Statement:
    """The tree of one formula.  Raises ReadError, located in `where`."""
    return parse_leniently(text, declarations, where, lenient=False)[0]


def parse_leniently(
    text: str, declarations: Declarations, where: Place | None = None, lenient: bool = True
) -> tuple[Statement, list[tuple[str, Label | None, Span]]]:
    """Like `parse_statement`, but undeclared names become symbols and are listed: for statements that declare."""
    loose = parse(text, declarations.words, where)
    resolver = Resolver(declarations, lenient)
    try:
        return resolver.statement(loose), list(resolver.free)
    except ReadError as error:
        raise error.located(where) from None
    except RecursionError:
        raise ReadError(f"nested deeper than {MAX_DEPTH}", (0, 1), where) from None


def parse_expression(text: str, declarations: Declarations, where: Place | None = None) -> Expr:
    """The tree of one value or shape, as in a declaration."""
    loose = parse_value(text, declarations.words, where)
    try:
        return Resolver(declarations).expr(loose)
    except ReadError as error:
        raise error.located(where) from None
    except RecursionError:
        raise ReadError(f"nested deeper than {MAX_DEPTH}", (0, 1), where) from None


__all__ = ["Dots", "Resolver", "Script", "parse_expression", "parse_leniently", "parse_statement"]
