"""The step as C over a whole epoch: products of matrices by BLAS where they are large, loops for everything else.

Sample matrices lie features × samples, and weights outputs × inputs where BLAS multiplies with them: other layouts were
nowhere much quicker.  The function is reentrant: all that it writes to is given to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from symbackprop.write.step.assignments import accumulating, in_place

from .assignments import (
    BATCH, SCALAR, Call, Entrywise, Map, Multiply, Reduce, Ref, Shape, Step, constant, extent, gradient_of,
    multiplications, reads, rewritten, size, spelled,
)  # fmt: skip
from .c_functions import header

SMALL = 4096  # multiplications up to which loops are quicker than a call of BLAS
# Assignments up to which full batches get code of their own (a few percent quicker): a compiler takes longer than in
# proportion.
FEW = 24

Lines: TypeAlias = list[str]


@dataclass(frozen=True, slots=True)
class CEpoch:
    """`source` defines `epoch` and `workspace`, header first; `turned` are the weights stored outputs × inputs."""

    source: str
    turned: frozenset[str]


def c_source(step: Step, batch: int, dtype: str) -> CEpoch:
    writer = _Writer(step, batch)
    return CEpoch(header(dtype) + writer.epoch(), writer.turned)


@dataclass(slots=True)
class _Writer:
    original: Step
    batch: int
    step: Step = field(init=False)
    taken: frozenset[str] = field(init=False)
    turned: frozenset[str] = field(init=False)
    loops_over_x: bool = field(init=False)
    count: int = 0

    def __post_init__(self) -> None:
        reordered, self.taken = accumulating(self.original)
        self.step = in_place(reordered)
        products = [a for a in self.step.assignments if isinstance(a, Multiply)]
        small = {n for a in products if self.small(a) for n in (a.target, a.left, a.right)}
        small |= {n[1:] for n in small if n[0] == "d"}
        weights = {p for p in self.step.parameters if p[0] == "W"}
        self.turned = frozenset(weights - small)
        self.loops_over_x = any(self.small(a) and "x0" in (a.left, a.right) for a in products)

    def small(self, a: Multiply) -> bool:
        return multiplications(a, self.original, self.batch) <= SMALL

    # --- where things are

    def across(self, name: str) -> bool:
        """Whether a matrix is stored columns × rows."""
        if self.step.shapes[name][0] == BATCH:
            return name != "x0" or self.loops_over_x
        return name.removeprefix("d") in self.turned

    def stored(self, name: str) -> tuple[str, str]:
        rows, columns = (str(size(n, self.batch)) for n in self.step.shapes[name])
        return (columns, rows) if self.across(name) else (rows, columns)

    def base(self, name: str) -> str:
        """The array in C."""
        if name == "x0" and not self.loops_over_x:
            return "x"
        if name in self.step.parameters:
            return f"p->{name}"
        if name[0] == "d":
            return f"p->{name[1:]}" if name in self.taken else f"g->{name[1:]}"
        return f"w->{name}"

    def at(self, name: str, r: str, c: str) -> str:
        rows, columns = self.step.shapes[name]
        if (rows, columns) == SCALAR and name in self.step.update.scalars:
            return name
        r, c = "0" if rows == 1 else r, "0" if columns == 1 else c
        if name[0] == "b" or name[:2] == "db":
            return f"{self.base(name)}[{c}]"
        return f"{self.base(name)}[{c}][{r}]" if self.across(name) else f"{self.base(name)}[{r}][{c}]"

    def new(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    # --- entries

    def code(self, e: Entrywise, r: str, c: str) -> str:
        vectors = ("P0", "G0", *self.step.update.slots)

        def ref(name: str) -> str:
            return f"{name}[{r}]" if name in vectors else self.at(name, r, c) if name in self.step.shapes else name

        def call(fn: str, args: Sequence[str]) -> str:
            return f"(-{args[0]})" if fn == "neg" else f"real_{fn}({', '.join(args)})"

        return spelled(e, ref, self.number, "(real)N", call)

    def number(self, value: float) -> str:
        return f"(real){value!r}" if value >= 0 else f"(-(real){-value!r})"

    def hoisted(self, e: Entrywise, before: Lines) -> Entrywise:
        """e with what is the same at every entry computed before."""
        scalars = frozenset(self.step.update.scalars)

        def scalar(x: Entrywise) -> Entrywise | None:
            if not isinstance(x, Call) or not constant(x, scalars):
                return None
            name = self.new("c")
            before.append(f"const real {name} = {self.code(x, '0', '0')};")
            return Ref(name)

        return rewritten(e, scalar)

    # --- groups of maps and reductions over the same entries

    def groups(self) -> Iterator[Multiply | list[Map | Reduce]]:
        current: list[Map | Reduce] = []
        for a in self.step.assignments:
            if isinstance(a, Multiply) or (current and not self.joins(a, current)):
                if current:
                    yield current
                current = []
            if isinstance(a, Multiply):
                yield a
            else:
                current.append(a)
        if current:
            yield current

    def joins(self, a: Map | Reduce, group: Sequence[Map | Reduce]) -> bool:
        results = {b.target for b in group if isinstance(b, Reduce)}
        return self.entries(a) == self.entries(group[0]) and not results & set(reads(a))

    def entries(self, a: Map | Reduce) -> Shape:
        return self.step.shapes[a.target] if isinstance(a, Map) else extent(a.value, self.step.shapes)

    def group(self, group: Sequence[Map | Reduce]) -> Lines:
        rows, columns = self.entries(group[0])
        before: Lines = []
        if rows != BATCH:
            assert all(isinstance(a, Map) for a in group), "only samples are reduced"
            body = [self.assignment(a, "i", "j", before) for a in group]
            return [*before, *loop("i", str(rows), loop("j", str(columns), body))]
        body, first, last, sums = list[str](), list[str](), list[str](), list[str]()
        for a in group:
            if isinstance(a, Map):
                body.append(self.assignment(a, "i", "j", before))
            elif a.axis == 0:  # along the inner loop: a number
                name = self.new("r")
                first.append(f"real {name} = {self.start(a)};")
                body.append(self.taken_up(name, a, self.hoisted(a.value, before)))
                last.append(f"{self.at(a.target, 'i', 'j')} {'-=' if a.target in self.taken else '='} {name};")
                sums.append(f"{'+' if a.how == 'sum' else 'max'}:{name}")
            else:
                target = self.at(a.target, "i", "j")
                before += loop("i", "N", [f"{target} = {self.start(a)};"])
                body.append(self.taken_up(target, a, self.hoisted(a.value, before)))
        return [*before, *loop("j", str(columns), [*first, *loop("i", "N", body, sums), *last])]

    def assignment(self, a: Map | Reduce, r: str, c: str, before: Lines) -> str:
        return f"{self.at(a.target, r, c)} = {self.code(self.hoisted(a.value, before), r, c)};"

    def start(self, a: Reduce) -> str:
        return "0" if a.how == "sum" else "-INFINITY"

    def taken_up(self, name: str, a: Reduce, value: Entrywise) -> str:
        code = self.code(value, "i", "j")
        return f"{name} = real_max({name}, {code});" if a.how == "max" else f"{name} += {code};"

    # --- products

    def multiply(self, a: Multiply) -> Lines:
        return self.looped(a) if self.small(a) else [self.blas(a)]

    def dimensions(self, a: Multiply) -> tuple[str, str, str]:
        rows, columns = self.step.shapes[a.target]
        inner = self.step.shapes[a.left][0 if a.left_turned else 1]
        r, c, k = ("N" if n == BATCH else str(n) for n in (rows, columns, inner))
        return r, c, k

    def looped(self, a: Multiply) -> Lines:
        """Three loops, the innermost along memory."""
        r, c, k = self.dimensions(a)
        left = self.at(a.left, "k", "i") if a.left_turned else self.at(a.left, "i", "k")
        right = self.at(a.right, "j", "k") if a.right_turned else self.at(a.right, "k", "j")
        target = self.at(a.target, "i", "j")
        outer, inner = (("j", c), ("i", r)) if self.across(a.target) else (("i", r), ("j", c))
        less = a.target in self.taken
        if left.endswith("[k]") and right.endswith("[k]"):
            name = self.new("r")
            dot = loop("k", k, [f"{name} += {left} * {right};"], [f"+:{name}"])
            body = [f"real {name} = 0;", *dot, f"{target} {'-=' if less else '='} {name};"]
            return loop(*outer, loop(*inner, body))
        clear = [] if less else loop(*inner, [f"{target} = 0;"])
        line = f"{target} {'-' if less else '+'}= {left} * {right};"
        return loop(*outer, [*clear, *loop("k", k, loop(*inner, [line]))])

    def blas(self, a: Multiply) -> str:
        """In the column order of BLAS, where a stored matrix is its transpose."""
        r, c, k = self.dimensions(a)
        first, second = (a.right, a.right_turned), (a.left, a.left_turned)
        m, n = c, r
        if self.across(a.target):
            first, second, m, n = (a.left, not a.left_turned), (a.right, not a.right_turned), r, c
        (x, x_turned), (y, y_turned) = first, second
        # first and second as stored hold what BLAS reads as their transposes
        flags = ["T" if self.across(z) != turned else "N" for z, turned in ((x, x_turned), (y, y_turned))]
        alpha, beta = ("-1", "1") if a.target in self.taken else ("1", "0")
        operands = ", ".join(f"{self.base(z)}[0], {self.stored(z)[1]}" for z in (x, y))
        place = f"{self.base(a.target)}[0], {self.stored(a.target)[1]}"
        return f"gemm(f, '{flags[0]}', '{flags[1]}', {m}, {n}, {k}, {alpha}, {operands}, {beta}, {place});"

    # --- the whole

    def epoch(self) -> str:
        step = self.step
        body: Lines = []
        for g in self.groups():
            body += self.multiply(g) if isinstance(g, Multiply) else self.group(g)
        body += self.update()
        vectors = ", ".join(f"real *restrict {v}" for v in ("P0", "G0", *step.update.slots))
        scalars = ", ".join(f"const real {s}" for s in step.update.scalars)
        b, n, m = self.batch, step.inputs, step.outputs
        given = f"const int N, const real (*restrict x)[{n}], struct work *restrict w, {vectors}, {scalars}, blas f"
        lines = [
            *self.structures(),
            f"INLINE void step({given}) {{",
            "    struct parameters *restrict p = (struct parameters *)P0;",
            "    struct parameters *restrict g = (struct parameters *)G0;",
            *indented(body),
            "}",
            "long long workspace(void) { return sizeof(struct work); }",
            "void epoch(const real *restrict X, const real *restrict T, const long long *restrict order, "
            f"long long count, const real *restrict numbers, {vectors}, struct work *restrict w, blas f) {{",
            f"    for (long long start = 0; start < count; start += {b}, numbers += {len(step.update.scalars)}) {{",
            f"        const int N = count - start < {b} ? (int)(count - start) : {b};",
            *indented(self.gathered(n, m), 2),
            *(f"        {call}" for call in self.calls()),
            "    }",
            "}",
        ]
        return "\n".join(lines) + "\n"

    def calls(self) -> Lines:
        """The step on a batch; a number known to the compiler makes full ones quicker."""
        update = self.step.update
        vectors = ", ".join(("P0", "G0", *update.slots))
        scalars = ", ".join(f"numbers[{k}]" for k in range(len(update.scalars)))
        general = f"step(N, x, w, {vectors}, {scalars}, f);"
        if len(self.step.assignments) > FEW:
            return [general]
        return [f"if (N == {self.batch}) {general.replace('(N', f'({self.batch}', 1)}", f"else {general}"]

    def structures(self) -> Lines:
        step = self.step
        made = [n for n in step.shapes if n not in step.fixed and n[0] != "d"]
        work = dict.fromkeys([*(n for n, s in step.shapes.items() if s[0] == BATCH), *made])
        return [*self.structure("parameters", step.parameters), *self.structure("work", work)]

    def structure(self, name: str, arrays: Iterable[str]) -> Lines:
        flat = ((n, n[0] == "b") for n in arrays)
        fields = [f"real {n}{f'[{self.step.shapes[n][1]}]' if vector else dims(self.stored(n))};" for n, vector in flat]
        return [f"struct {name} {{", *indented(fields), "};"]

    def gathered(self, n: int, m: int) -> Lines:
        """The samples of a batch: rows are used where they lie when they are in order."""
        rows = loop("j", str(m), [f"w->t0[j][i] = T[s * {m} + j];"])
        if self.loops_over_x:
            first = f"const real (*x)[{n}] = 0;"
            rows = [*loop("j", str(n), [f"w->x0[j][i] = X[s * {n} + j];"]), *rows]
        else:
            kind = f"const real (*)[{n}]"
            first = f"const real (*x)[{n}] = order ? ({kind})w->x0 : ({kind})(X + start * {n});"
            rows = [f"if (order) memcpy(w->x0[i], X + s * {n}, sizeof(w->x0[i]));", *rows]
        return [first, *loop("i", "N", ["const long long s = order ? order[start + i] : start + i;", *rows])]

    def update(self) -> Lines:
        step = self.step
        lines: Lines = []
        if step.update.plain:
            for p in step.parameters:
                if gradient_of(p) not in self.taken:
                    lines += self.group([Map(p, Call("sub", (Ref(p), Ref(gradient_of(p)))))])
            return lines
        for m in step.shrinking():
            lines += self.group([m])
        before: Lines = []
        body = [f"{m.target}[i] = {self.code(self.hoisted(m.value, before), 'i', '0')};" for m in step.update.maps]
        return [*lines, *before, *loop("i", str(step.count), body)]


def dims(s: tuple[str, str]) -> str:
    return f"[{s[0]}][{s[1]}]"


def indented(lines: Sequence[str], levels: int = 1) -> Lines:
    return [("    " * levels + line) if not line.startswith("#") else line for line in lines]


def loop(variable: str, count: str, body: Sequence[str], reductions: Sequence[str] = ()) -> Lines:
    pragma = [f"#pragma omp simd {' '.join(f'reduction({r})' for r in reductions)}"] if reductions else []
    head = f"for (int {variable} = 0; {variable} < {count}; {variable}++) {{"
    return [*pragma, head, *indented(body), "}"]
