"""The C that stands before every generated epoch: exp and tanh that compilers turn into vector code, and the rest of
the vocabulary.  Fixed text; nothing generated is in it.

exp: round x log2(e) to an integer n by adding and taking away a large number, reduce by n ln 2 in two parts, then a
polynomial for (e^r - 1 - r) / r² and a shift of the exponent.  Below twice the smallest normal number it is 0.
tanh: an odd polynomial below 0.625 and 1 - 2 / (e^{2x} + 1) above.  The polynomials are Chebyshev fits, made with
mpmath at 60 digits.  Measured errors are in the tests; none is over 1.5 units in the last place.
"""

from __future__ import annotations

import re

from symbackprop.core.functions import column

from symbackprop.write.code.compiled import MADE, UnsafeSource
from .assignments import FUNCTIONS, INFIX

EXP = {
    "float32": (
        0.5, 0.16666576666119928305, 0.041666554212984150314, 0.0083632328836826182041, 0.0013926250831497611718,
    ),
    "float64": (
        0.5, 0.1666666666666666746, 0.041666666666623820532, 0.0083333333333300381973, 0.0013888888917367080562,
        0.00019841269863171556026, 0.000024801521057868205199, 2.7557268276905696187e-6, 2.7620201591031548792e-7,
        2.5100472505694996003e-8,
    ),
}  # fmt: skip
TANH = {
    "float32": (
        -0.33333333172140361638, 0.13333303556915741766, -0.053959259577204542744, 0.021768918651028210152,
        -0.008343945515839152048, 0.0022927448161781423431,
    ),
    "float64": (
        -0.33333333333333332938, 0.13333333333333041602, -0.05396825396789699169, 0.021869488519008305756,
        -0.008863235103240877925, 0.0035921217511549622695, -0.0014557754120478055104, 0.0005896606577757043347,
        -0.00023759064960555619551, 0.000092571161295567682707, -0.000031201101425797400033, 6.48516348279311315e-6,
    ),
}  # fmt: skip
# real, its bits, where the exponent starts, its bias, the suffix of libm, and the numbers of the reduction:
# log2(e), the rounding number and ln 2 in two parts, of which the first has trailing zeros.
KINDS = {
    "float32": ("float", "int", 23, 127, "f", "0x1.8p23f", "0x1.62ep-1f", "0x1.0bfbe8p-15f", "-86.643f", "89.0f"),
    "float64": (
        "double", "long long", 52, 1023, "", "0x1.8p52", "0x1.62e42fefa38p-1", "0x1.ef35793c7673p-45",
        "-707.7032", "710.0",
    ),
}  # fmt: skip
OWN = frozenset({"exp", "tanh", "sigmoid", "softplus"})  # below, to be vectorised
LIBM = {"abs": "fabs", "sqrt": "sqrt", **{f: c for f, c in column(lambda f: f.c).items() if f not in OWN}}


def header(dtype: str) -> str:
    """The definitions for float32 or float64."""
    real, bits, mantissa, bias, suffix, magic, high, low, least, greatest = KINDS[dtype]
    lines = [
        "#include <math.h>",
        "#include <string.h>",
        f"typedef {real} real;",
        f"typedef {bits} bits;",
        f"typedef unsigned {bits} ubits;",
        "typedef void (*blas)(const char *, const char *, const int *, const int *, const int *, const real *,",
        "    const real *, const int *, const real *, const int *, const real *, real *, const int *);",
        "#define INLINE static inline __attribute__((always_inline))",
        "INLINE void gemm(blas f, char ta, char tb, int m, int n, int k, real alpha, const real *a, int lda,",
        "    const real *b, int ldb, real beta, real *c, int ldc) {",
        "    f(&ta, &tb, &m, &n, &k, &alpha, a, &lda, b, &ldb, &beta, c, &ldc);",
        "}",
        "INLINE real real_exp(real x) {",
        f"    real c = x < {least} ? {least} : x;",
        f"    c = c > {greatest} ? {greatest} : c;",
        "    union { real x; ubits i; } u, v;",
        f"    u.x = c * {_number(1.4426950408889634074, suffix)} + {magic};",
        f"    real n = u.x - {magic};",
        f"    real r = c - n * {high};",
        f"    r = r - n * {low};",
        f"    real p = {horner(EXP[dtype], 'r', suffix)};",
        "    p = 1 + (r + r * r * p);",
        f"    v.i = (u.i << {mantissa}) + ((ubits){bias - 1} << {mantissa});",
        f"    return x < {least} ? 0 : p * v.x * 2;",
        "}",
        "INLINE real real_tanh(real x) {",
        f"    real a = fabs{suffix}(x), z = x * x;",
        f"    real s = x + x * z * ({horner(TANH[dtype], 'z', suffix)});",
        "    real l = 1 - 2 / (real_exp(2 * (a > 20 ? 20 : a)) + 1);",
        "    l = x > 0 ? l : -l;",
        f"    return a < {_number(0.625, suffix)} ? s : l;",
        "}",
        "INLINE real real_sigmoid(real x) { return 1 / (1 + real_exp(-x)); }",
        f"INLINE real real_softplus(real x) {{ return (x > 0 ? x : 0) + log1p{suffix}(real_exp(-fabs{suffix}(x))); }}",
        "INLINE real real_relu(real x) { return x < 0 ? 0 : x; }",
        "INLINE real real_nonpositive(real x) { return x > 0 ? 0 : x; }",
        "INLINE real real_step(real x) { return x > 0 ? 1 : 0; }",
        "INLINE real real_sign(real x) { return x > 0 ? 1 : x < 0 ? -1 : x; }",
        "INLINE real real_max(real a, real b) { return a > b ? a : b; }",
        f"INLINE real real_power(real a, real b) {{ return pow{suffix}(a, b); }}",
        *(f"INLINE real real_{name} (real x) {{ return {word}{suffix}(x); }}" for name, word in LIBM.items()),
    ]
    return "\n".join(lines) + "\n"


def horner(coefficients: tuple[float, ...], x: str, suffix: str) -> str:
    """c0 + x (c1 + x (c2 + ...))"""
    *rest, last = coefficients
    total = _number(last, suffix)
    for c in reversed(rest):
        total = f"{_number(c, suffix)} + {x} * ({total})"
    return total


def _number(value: float, suffix: str) -> str:
    return f"{value!r}{suffix}"


# --- what generated C may contain: made names, numbers and a fixed vocabulary ---

WORDS = frozenset({
    "INLINE", "INFINITY", "N", "T", "X", "blas", "const", "count", "else", "epoch", "f", "for", "g", "gemm", "i", "if",
    "int", "j", "k", "long", "memcpy", "numbers", "order", "p", "parameters", "real", "real_max", "restrict", "return",
    "s", "sizeof", "start", "struct", "void", "w", "x",
    "step", "work", "workspace",
    *(f"real_{name}" for name in FUNCTIONS if name not in INFIX),
})  # fmt: skip
PRAGMA = re.compile(r"#pragma omp simd( reduction\((\+|max):r[0-9]+\))+")
TOKEN = re.compile(
    r"""\s+|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?|'[NT]'|->|[-+*/=<>!?:;,&(){}\[\]]"""
)


def check_c(source: str, dtype: str) -> None:
    """Raises UnsafeSource unless the source is the header of this type and then such text."""
    start = header(dtype)
    if not source.startswith(start):
        raise UnsafeSource("generated C does not begin with its header")
    for line in source[len(start) :].splitlines():
        if not PRAGMA.fullmatch(line):
            _check_line(line)


def _check_line(line: str) -> None:
    at = 0
    while at < len(line):
        found = TOKEN.match(line, at)
        if found is None:
            raise UnsafeSource(f"generated C contains {line[at : at + 10]!r}")
        word = found["word"]
        if word is not None and word not in WORDS and MADE.fullmatch(word) is None:
            raise UnsafeSource(f"generated C contains the name {word!r}")
        at = found.end()
