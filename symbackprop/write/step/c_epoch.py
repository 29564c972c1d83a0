"""The step as C over a whole epoch: products of matrices by BLAS where they are large, loops for everything else.

Three layouts: "columns" (sample matrices features × samples), "turned" (the same, weights outputs × inputs) and
"rows" (samples × features).  Which is fastest at a size is for the caller to time.  The function is reentrant: all
that it writes to is given to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from symbackprop.write.step.assignments import accumulating, in_place

from .assignments import (
    BATCH,
    INFIX,
    SCALAR,
    Call,
    Entrywise,
    Map,
    Multiply,
    Number,
    Reduce,
    Ref,
    Samples,
    Shape,
    Step,
    constant,
    extent,
    gradient_of,
    multiplications,
    reads,
    size,
)
from .c_functions import LAYOUTS, CLayout, header

SMALL = 4096  # multiplications up to which loops are quicker than a call of BLAS
# Assignments up to which full batches get code of their own (a few percent quicker), and several layouts are compiled:
# a compiler takes longer than in proportion.
FEW, MANY = 24, 60

Lines: TypeAlias = list[str]


@dataclass(frozen=True, slots=True)
class CEpoch:
    """`source` defines `epoch_<layout>` and `workspace_<layout>`; `turned` are the weights stored outputs × inputs."""

    layout: CLayout
    source: str
    turned: frozenset[str]


def layouts_for(step: Step, batch: int) -> tuple[CLayout, ...]:
    """The layouts worth timing: without a product for BLAS, and for many layers, there is one."""
    large = any(isinstance(a, Multiply) and multiplications(a, step, batch) > SMALL for a in step.assignments)
    return LAYOUTS if large and len(step.assignments) <= MANY else ("columns",)


def c_source(step: Step, batch: int, dtype: str, layouts: Sequence[CLayout]) -> tuple[str, tuple[CEpoch, ...]]:
    """The whole file, header first, and what it has for each layout."""
    epochs = tuple(_Writer(step, batch, dtype, layout).epoch() for layout in layouts)
    return header(dtype) + "".join(e.source for e in epochs), epochs


@dataclass(slots=True)
class _Writer:
    original: Step
    batch: int
    dtype: str
    layout: CLayout
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
        self.turned = frozenset(weights - small) if self.layout == "turned" else frozenset()
        self.loops_over_x = self.layout != "rows" and any(self.small(a) and "x0" in (a.left, a.right) for a in products)

    def small(self, a: Multiply) -> bool:
        return multiplications(a, self.original, self.batch) <= SMALL

    # --- where things are

    def across(self, name: str) -> bool:
        """Whether a matrix is stored columns × rows."""
        if self.step.shapes[name][0] == BATCH:
            return self.layout != "rows" and (name != "x0" or self.loops_over_x)
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
        match e:
            case Ref(name):
                return self.at(name, r, c) if name in self.step.shapes else name
            case Number(value):
                return self.number(value)
            case Samples():
                return "(real)N"
            case Call(fn, (a, b)) if fn in INFIX:
                return f"({self.code(a, r, c)} {INFIX[fn]} {self.code(b, r, c)})"
            case Call("neg", (a,)):
                return f"(-{self.code(a, r, c)})"
            case Call(fn, args):
                return f"real_{fn}({', '.join(self.code(a, r, c) for a in args)})"
        raise AssertionError(e)

    def number(self, value: float) -> str:
        return f"(real){value!r}" if value >= 0 else f"(-(real){-value!r})"

    def hoisted(self, e: Entrywise, before: Lines) -> Entrywise:
        """e with what is the same at every entry computed before."""
        scalars = frozenset(self.step.update.scalars)
        match e:
            case Call(fn, args):
                if constant(e, scalars):
                    name = self.new("c")
                    before.append(f"const real {name} = {self.code(e, '0', '0')};")
                    return Ref(name)
                return Call(fn, tuple(self.hoisted(a, before) for a in args))
        return e

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
        if self.layout == "rows" and a.target in self.taken:
            # the parameter changes sample by sample here, so nothing beside may read it
            if any(a.target[1:] in reads(b) for b in group):
                return False
        return self.entries(a) == self.entries(group[0]) and not results & set(reads(a))

    def entries(self, a: Map | Reduce) -> Shape:
        return self.step.shapes[a.target] if isinstance(a, Map) else extent(a.value, self.step.shapes)

    def group(self, group: Sequence[Map | Reduce]) -> Lines:
        rows, columns = self.entries(group[0])
        before: Lines = []
        if rows != BATCH:
            body = [self.assignment(a, "i", "j", before) for a in group]
            return [*before, *loop("i", str(rows), loop("j", str(columns), body))]
        by_rows = self.layout == "rows"
        outer, inner = ("i", "j") if by_rows else ("j", "i")
        body, first, last, sums = list[str](), list[str](), list[str](), list[str]()
        for a in group:
            if isinstance(a, Map):
                body.append(self.assignment(a, "i", "j", before))
            elif (a.axis == 1) == by_rows:  # along the inner loop: a number
                name = self.new("r")
                first.append(f"real {name} = {self.start(a)};")
                body.append(self.taken_up(name, a, self.hoisted(a.value, before)))
                last.append(self.result(a, name))
                sums.append(f"{'+' if a.how == 'sum' else 'max'}:{name}")
            else:
                before += self.cleared(a, str(columns))
                target = self.at(a.target, "i", "j")
                body.append(self.taken_up(target, a, self.hoisted(a.value, before), a.target in self.taken))
        extents = {"i": "N", "j": str(columns)}
        inside = [*first, *loop(inner, extents[inner], body, sums), *last]
        return [*before, *loop(outer, extents[outer], inside)]

    def assignment(self, a: Map | Reduce, r: str, c: str, before: Lines) -> str:
        return f"{self.at(a.target, r, c)} = {self.code(self.hoisted(a.value, before), r, c)};"

    def start(self, a: Reduce) -> str:
        return "0" if a.how == "sum" else "-INFINITY"

    def taken_up(self, name: str, a: Reduce, value: Entrywise, less: bool = False) -> str:
        code = self.code(value, "i", "j")
        if a.how == "max":
            return f"{name} = real_max({name}, {code});"
        return f"{name} {'-' if less else '+'}= {code};"

    def result(self, a: Reduce, name: str) -> str:
        sign = "-=" if a.target in self.taken else "="
        return f"{self.at(a.target, 'i', 'j')} {sign} {name};"

    def cleared(self, a: Reduce, columns: str) -> Lines:
        if a.target in self.taken:
            return []
        variable, extent_ = ("j", columns) if a.axis == 0 else ("i", "N")
        return loop(variable, extent_, [f"{self.at(a.target, 'i', 'j')} = {self.start(a)};"])

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

    def epoch(self) -> CEpoch:
        step, suffix = self.step, self.layout
        body: Lines = []
        for g in self.groups():
            body += self.multiply(g) if isinstance(g, Multiply) else self.group(g)
        body += self.update()
        vectors = ", ".join(f"real *restrict {v}" for v in ("P0", "G0", *step.update.slots))
        scalars = ", ".join(f"const real {s}" for s in step.update.scalars)
        b, n, m = self.batch, step.inputs, step.outputs
        work = f"struct work_{suffix} *restrict w"
        given = f"const int N, const real (*restrict x)[{n}], {work}, {vectors}, {scalars}, blas f"
        lines = [
            *self.structures(),
            f"INLINE void step_{suffix}({given}) {{",
            f"    struct parameters_{suffix} *restrict p = (struct parameters_{suffix} *)P0;",
            f"    struct parameters_{suffix} *restrict g = (struct parameters_{suffix} *)G0;",
            *indented(body),
            "}",
            f"long long workspace_{suffix}(void) {{ return sizeof(struct work_{suffix}); }}",
            f"void epoch_{suffix}(const real *restrict X, const real *restrict T, const long long *restrict order, "
            f"long long count, const real *restrict numbers, {vectors}, {work}, blas f) {{",
            f"    for (long long start = 0; start < count; start += {b}, numbers += {len(step.update.scalars)}) {{",
            f"        const int N = count - start < {b} ? (int)(count - start) : {b};",
            *indented(self.gathered(n, m), 2),
            *(f"        {call}" for call in self.calls()),
            "    }",
            "}",
        ]
        return CEpoch(self.layout, "\n".join(lines) + "\n", self.turned)

    def calls(self) -> Lines:
        """The step on a batch; a number known to the compiler makes full ones quicker."""
        update = self.step.update
        vectors = ", ".join(("P0", "G0", *update.slots))
        scalars = ", ".join(f"numbers[{k}]" for k in range(len(update.scalars)))
        general = f"step_{self.layout}(N, x, w, {vectors}, {scalars}, f);"
        if len(self.step.assignments) > FEW:
            return [general]
        return [f"if (N == {self.batch}) {general.replace('(N', f'({self.batch}', 1)}", f"else {general}"]

    def structures(self) -> Lines:
        step = self.step
        fields = [
            f"real {n}[{step.shapes[n][1]}];" if n[0] == "b" else f"real {n}{dims(self.stored(n))};"
            for n in step.parameters
        ]
        work = [f"real {n}{dims(self.stored(n))};" for n, s in step.shapes.items() if s[0] == BATCH]
        work += [
            f"real {n}{dims(self.stored(n))};"
            for n, s in step.shapes.items()
            if s[0] != BATCH and n not in step.fixed and n[0] != "d"
        ]
        return [
            f"struct parameters_{self.layout} {{",
            *indented(fields),
            "};",
            f"struct work_{self.layout} {{",
            *indented(work),
            "};",
        ]

    def gathered(self, n: int, m: int) -> Lines:
        """The samples of a batch: rows are used where they lie when they are in order."""
        targets = f"w->t0[j][i] = T[s * {m} + j];" if self.across("t0") else f"w->t0[i][j] = T[s * {m} + j];"
        rows = [*loop("j", str(m), [targets])]
        lines: Lines = []
        if self.loops_over_x:
            lines.append(f"const real (*x)[{n}] = 0;")
            rows = [*loop("j", str(n), [f"w->x0[j][i] = X[s * {n} + j];"]), *rows]
        else:
            lines.append(
                f"const real (*x)[{n}] = order ? (const real (*)[{n}])w->x0 : (const real (*)[{n}])(X + start * {n});"
            )
            rows = [f"if (order) memcpy(w->x0[i], X + s * {n}, sizeof(w->x0[i]));", *rows]
        return [*lines, *loop("i", "N", ["const long long s = order ? order[start + i] : start + i;", *rows])]

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
        body = [f"{m.target}[i] = {self.flat(self.hoisted(m.value, before))};" for m in step.update.maps]
        return [*lines, *before, *loop("i", str(step.count), body)]

    def flat(self, e: Entrywise) -> str:
        vectors = ("P0", "G0", *self.step.update.slots)
        match e:
            case Ref(name) if name in vectors:
                return f"{name}[i]"
            case Call(fn, (a, b)) if fn in INFIX:
                return f"({self.flat(a)} {INFIX[fn]} {self.flat(b)})"
            case Call(fn, args):
                return f"real_{fn}({', '.join(map(self.flat, args))})"
        return self.code(e, "0", "0")


def dims(s: tuple[str, str]) -> str:
    return f"[{s[0]}][{s[1]}]"


def indented(lines: Sequence[str], levels: int = 1) -> Lines:
    return [("    " * levels + line) if not line.startswith("#") else line for line in lines]


def loop(variable: str, count: str, body: Sequence[str], reductions: Sequence[str] = ()) -> Lines:
    pragma = [f"#pragma omp simd {' '.join(f'reduction({r})' for r in reductions)}"] if reductions else []
    head = f"for (int {variable} = 0; {variable} < {count}; {variable}++) {{"
    return [*pragma, head, *indented(body), "}"]
