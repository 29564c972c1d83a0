"""Factors beside each other: which is applied to which, what a function word takes, products of shapes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from ..declared.symbols import ArraySymbol
from ..files.place import ReadError, Span, Unsettled
from .loosely import order_of_d, substituted
from .primes import PRIME
from .resolve_derivatives import checked_exponent
from .resolve_names import NameResolver
from .tree import (
    Add, Call, Chain, Derivative, Dots, Entry, Equated, Expr, Function, Label, Name, Neg, Num, Operator,
    Paren, Power, Product, Quotient, Shape, Sum, Symbol, Transpose,
)  # fmt: skip
from .vocabulary import FUNCTION_WORDS, WHOLE_WORDS
from .walking import bracketed, grouped, head_paren, made_of, respan, transposed

_UNREAD = frozenset(("lim", "sup", "inf", "Var", "Cov", "Pr", "argmin", "argmax"))
_EXPECTED = frozenset(("E", "V", "P", "\\mathbb{E}", "\\mathbb{V}", "\\mathbb{P}", "\\mathcal{E}"))
PREFIX_LIKE = (Name, Num, Symbol)
_COUNTING = frozenset("ijkl")
"""∂_i is no derivative by a number i."""


def listed(brackets: Paren) -> Paren:
    """(d_1, …, d_n): d as a whole."""
    items = [c.subjects[-1] for c in brackets.chains]
    first = items[0]
    if isinstance(first, Name) and first.sub is not None and any(isinstance(i, Dots) for i in items):
        whole = replace(first, sub=None)
        return replace(brackets, chains=(Chain((whole,), (), first.span),))
    return brackets


def spelled(node: Expr, names: NameResolver) -> str | None:
    """A name as the table keeps it among the arguments of a function: w, W^{(1)}, σ^2."""
    if not isinstance(node, Name):
        return None
    text = names.key(node)
    if node.sub is not None:
        text += "_" + node.sub.text
    return text + "".join("^" + s.text for s in node.sups)


NUMBERS = frozenset(("tr", "det", "rank"))
"""The words that make a number of a whole matrix."""


@dataclass(slots=True)
class Products(NameResolver):
    def chain(self, c: Chain) -> Chain:
        raise NotImplementedError

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

    def differentiated(self, op: Operator, args: tuple[Expr, ...], signs: tuple[str, ...]) -> tuple[Expr, int]:
        """∇_W and ∂_x take a number's name or a call alone, (∇_z L) x^T; else, and ∂/∂x always, the whole product."""
        if len(args) == 1:
            raise ReadError("nothing to differentiate", op.span)
        if op.name == PRIME and not op.wrt:
            raise Unsettled("by what this is differentiated is not settled: write d/dx", op.span)
        rest, between = args[1:], signs[1:]
        if op.name == "partial" and any(isinstance(v, Name) and v.letter in _COUNTING and not v.sub for v in op.wrt):
            raise Unsettled("∂ by an index: the derivative by which coordinates?", op.span)
        body, used = self.taken(rest, between)
        span = (op.span[0], args[used].span[1])
        hessian = op.kind == "nabla" and op.order == 2
        match body:
            case Transpose(of) if op.kind == "nabla" and (self.whole_number(of) or self.is_macro(rest[0])):
                # ∇f(x)^T is that of ∇f(x)
                return Transpose(self.slope(op, rest, of, span), span), 1 + used
            case Power(of, Neg(Num()) as power) if hessian and self.whole_number(of):  # ∇²f(x)^{-1} is its inverse
                return Power(self.slope(op, rest, of, span), power, False, span), 1 + used
        alone = op.kind == "nabla" and (self.whole_number(body) or self.is_macro(rest[0]))
        alone |= isinstance(rest[0], Paren) and rest[0].opening in ("[", "\\{")
        if not alone and used < len(rest):
            body, used = self.factors(rest, between, (rest[0].span[0], rest[-1].span[1])), len(rest)
            span = (op.span[0], args[used].span[1])
        return self.slope(op, rest, body, span), 1 + used

    def named(
        self, first: Name, beside: Expr | None, args: tuple[Expr, ...], signs: tuple[str, ...]
    ) -> tuple[Expr, int]:
        key, decl = self.key(first), self.decl
        if (
            beside is not None and (order := order_of_d(first, beside))
            and "d" not in self.bound and self.begins_differential(first, beside)
        ):  # fmt: skip
            inner, used = self.taken(args[1:], signs[1:])
            span = (first.span[0], args[used].span[1])
            match inner:
                case Power(base, Num(power), False) if self.second and order == 1 and isinstance(beside, Name):
                    return Power(self.differential(base, span), Num(power), False, span), 1 + used  # d^2 f = f'' dx^2
            for _ in range(order):
                inner = self.differential(inner, span)
            return inner, 1 + used
        brackets = head_paren(beside)
        if brackets is not None and brackets.opening == "[" and key in _EXPECTED and self.expects(key):
            raise Unsettled("expectations are not supported", first.span)
        composite = decl.composite.get(key)
        if composite:
            full, rest = self.with_scripts(key, first, composite)
            if full in decl.functions:  # f_1'(x)
                first = rest
            key = full if full in decl.functions or key not in decl.functions else key
        if key in decl.macros and brackets is not None:
            macro = decl.macros[key]
            found = self.macro_call(macro.params, macro.body, brackets, (first.span[0], brackets.span[1]))
            if found is not None:
                return self.with_postfix(beside, found), 2
        if key in decl.macros and brackets is None and not decl.known(key) and not first.primes and first.sub is None:
            macro = decl.macros[key]  # f for f(x, y)
            return self.behind(self.expr(cast(Expr, respan(bracketed(macro.body), first.span))), first), 1
        array = decl.arrays.get(key) if key not in self.bound else None
        if key in decl.layered and self.at_layer(first):
            array = decl.layered[key]
        if array is not None and brackets is not None and array.of and self.same_arguments(array, brackets):
            inner = self.primed_dependent(array, first) if first.primes else self.name(first)
            return self.with_postfix(beside, inner), 2
        if array is not None and first.primes and array.of:
            return self.primed_dependent(array, first), 1
        if key in decl.functions and brackets is not None and brackets.opening == "(":
            return self.function_call(key, first, beside, brackets), 2
        if brackets is not None and first.letter in FUNCTION_WORDS and not first.mark and not decl.known(key):
            name = FUNCTION_WORDS[first.letter]
            word = Operator("function", name, first.sub, first.sups, first.primes, span=first.span)
            return self.applied_word(word, args, signs)
        if array is not None and brackets is not None and array.of and brackets.opening == "(":
            return self.sample_of(array, first, beside, brackets)
        return self.name(first), 1

    def expects(self, key: str) -> bool:
        """E[…] of an E that nothing gives: an expectation."""
        array = self.decl.arrays.get(key)
        given = any(d.chain.subjects[-1] == Symbol(key) for d in self.decl.definitions)
        return not self.decl.known(key) or (self.decl.inferred and array is not None and not array.shape and not given)

    def begins_differential(self, d: Name, beside: Expr) -> bool:
        """d in front of a name; where a size is called d too, right in front of it."""
        if not self.decl.known(self.decl.key("d", d.mark)):
            return "d" not in self.decl.macros
        only_size = "d" in self.decl.sizes and "d" not in self.decl.arrays
        return (
            (bool(self.decl.upstream) or self.differentials)
            and (only_size or (self.beside_d and self.decl.inferred))
            and isinstance(beside, Name)
            and (d.span[1] == beside.span[0] or (self.second and bool(d.sups)))
        )

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
            return self.with_postfix(beside, replace(node, sample=samples[0])), 2
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

    def macro_call(self, params: tuple[Expr, ...], body: Expr, brackets: Paren, span: Span) -> Expr | None:
        """The formula of a function with its arguments put in: only the whole and these have a text here."""
        if len(params) != len(brackets.chains) or any(c.links for c in brackets.chains):
            return None
        args = tuple(c.subjects[-1] for c in brackets.chains)
        new = substituted(cast(Expr, respan(body, (span[0], span[0]))), params, args, self.shown)
        return None if new is None else replace(self.expr(new), span=span)

    def function_call(self, key: str, first: Name, beside: Expr | None, brackets: Paren) -> Expr:
        """f'(z), f^{l}(z), s_i(z), f(x)^2."""
        function = self.function(key, first)
        assert isinstance(function, Function)
        symbol = self.decl.functions[key]
        power: Expr | None = None
        turns = first.top
        for sup in first.sups:
            turns += sup.transposes
            one = sup.labels[0][0] if sup.labels and len(sup.labels) == 1 else None
            if sup.value is None or (symbol.layer and one is not None and one.base is not None):
                continue
            if sup.text.isdigit():
                why = f"{key}^{sup.text}: a power or a repeated {key}? write ({key}(…))^{sup.text}"
                raise Unsettled(why, first.span)
            power = self.expr(sup.value)
        call: Expr = Call(function, self.arguments(brackets), (first.span[0], brackets.span[1]))
        if first.sub and function.label is None:
            call = Entry(call, tuple(map(self.index, first.sub.items)), call.span)
        if power is not None:
            call = Power(call, power, span=call.span)
        call = transposed(call, turns, call.span)
        return self.with_postfix(beside, call)

    def arguments(self, brackets: Paren) -> tuple[Expr, ...]:
        if brackets.bar and not self.decl.inferred:
            raise Unsettled("a condition | is not supported", brackets.span)
        return tuple(Equated(self.chain(c), c.span) if c.links else self.expr(c.subjects[-1]) for c in brackets.chains)

    def with_postfix(self, node: Expr | None, inner: Expr) -> Expr:
        """What stands behind the bracket stands behind the call: f(x)^2, s(z)_i."""
        if node is None or isinstance(node, Paren):
            return inner
        span = (inner.span[0], node.span[1])
        match node:
            case Power(base, exponent):
                value = checked_exponent(self.expr(exponent))
                return replace(node, base=self.with_postfix(base, inner), exponent=value, span=span)
            case Transpose(arg):
                return replace(node, arg=self.with_postfix(arg, inner), span=span)
            case Entry(base, at):
                below = tuple(map(self.index, at))
                return replace(node, base=self.with_postfix(base, inner), at=below, span=span)
            case _:
                return inner

    def applied_word(self, word: Operator, args: tuple[Expr, ...], signs: tuple[str, ...]) -> tuple[Expr, int]:
        """log(x), \\sin^2 x, \\log p_k, tr A X; the function alone when nothing follows."""
        if word.name in _UNREAD:
            raise Unsettled(f"{word.name} is not supported", word.span)
        function = Function(word.name, word.primes, None, word.span)
        beside = args[1] if len(args) > 1 and not signs[0] else None
        brackets = head_paren(beside)
        if beside is None:
            if word.sub or any(s.value is not None for s in word.sups):
                raise ReadError(f"{word.name} needs an argument", word.span)
            return function, 1
        if word.name == "diag" and brackets is not None and len(brackets.chains) > 1:
            brackets = listed(brackets)
        if brackets is not None:
            call: Expr = Call(function, self.arguments(brackets), (word.span[0], brackets.span[1]))
            return self.with_postfix(beside, self.with_scripts_of(word, call)), 2
        inner, used = self.bare_argument(word, args[1:], signs[1:])
        call = Call(function, (inner,), (word.span[0], args[used].span[1]))
        return self.with_scripts_of(word, call), 1 + used

    def bare_argument(self, word: Operator, args: tuple[Expr, ...], signs: tuple[str, ...]) -> tuple[Expr, int]:
        """The one factor behind log; the whole product behind tr, and behind a number (sin 2x)."""
        inner, used = self.taken(args, signs)
        if used == len(args) or signs[used - 1] or isinstance(args[used], Sum):
            return inner, used
        whole = word.name in WHOLE_WORDS and word.name not in ("max", "min")
        simple = all(isinstance(a, PREFIX_LIKE) for a in args) and not any(signs[: len(args) - 1])
        likelihood = word.name == "log" and any(isinstance(a, Operator) and a.name == "exp" for a in args)
        if whole:  # det M tr N is a product of two numbers
            numbers = (k for k, a in enumerate(args) if k and isinstance(a, Operator) and a.name in NUMBERS)
            end = next(numbers, len(args))
            return self.factors(args[:end], signs[: end - 1], (args[0].span[0], args[end - 1].span[1])), end
        if likelihood or (isinstance(args[0], Num) and simple):
            return self.factors(args, signs[: len(args) - 1], (args[0].span[0], args[-1].span[1])), len(args)
        if isinstance(args[used], Operator) and cast(Operator, args[used]).kind == "function":  # sin x cos x
            return inner, used
        raise Unsettled(f"where does the argument of {word.name} end? write {word.name}(…)", args[used].span)

    def with_scripts_of(self, word: Operator, call: Expr) -> Expr:
        if word.sub:
            if word.name == "log" and isinstance(call, Call) and len(word.sub.items) == 1:
                base = Call(call.function, (self.expr(word.sub.items[0]),), word.span)
                return self.raised(word, Quotient(call, base, call.span))
            call = Entry(call, tuple(map(self.index, word.sub.items)), call.span)
        return self.raised(word, call)

    def raised(self, word: Operator, call: Expr) -> Expr:
        for sup in word.sups:
            if sup.text in ("-1", "(-1)"):
                raise Unsettled(f"the inverse function of {word.name} is not supported", word.span)
            if sup.value is not None:
                call = Power(call, self.exponent(sup), sup.elementwise, call.span)
            call = transposed(call, sup.transposes, call.span)
        return call

    def product(self, args: tuple[Expr, ...], signs: tuple[str, ...], span: Span) -> Expr:
        if len(args) == 1:
            return args[0]
        if "times" in signs and not self.in_fraction:
            if all(map(self.size_like, args)) and not any(isinstance(a, Neg) for a in args):
                return Shape(tuple(grouped(args, signs, "times")), span)
            if len(args) == 2 and sorted(isinstance(a, Shape) + 2 * self.size_like(a) for a in args) == [1, 2]:
                return Shape(args, span)
        return Product(args, signs, span)

    def is_size_symbol(self, node: Symbol) -> bool:
        if node.label is not None:
            return node.name in self.decl.layered_sizes and node.name not in self.decl.layered
        return node.name in self.decl.sizes and node.name not in self.decl.arrays

    def size_like(self, node: Expr) -> bool:
        def leaf(n: object) -> bool:
            match n:
                case Num(value):
                    return value.denominator == 1
                case Symbol(name):
                    return self.is_size_symbol(n) or (self.lenient and not self.decl.known(name))
            return False

        return made_of(node, leaf, Add, Product, Neg)
