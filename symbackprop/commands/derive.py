"""`symbackprop derive`: proves the equations of backpropagation and prints a table."""

from __future__ import annotations

import argparse
import time

from ..core.indices import Index, sized
from ..core.terms import Apply, Array, Delta, Diff, Entry, Term, mul, over, whole
from ..prove.equality import prove_gradient

N, M = sized("n"), sized("m")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Prove the equations of backpropagation, for all sizes."


def statements() -> list[tuple[str, Term, Entry, Term]]:
    i, j, b, k = Index("i", N), Index("j", N), Index("b", M), Index("k", M)

    def weight(row: Index, column: Index) -> Entry:
        return Entry(Array("W"), (row, column))

    def a(at: Index) -> Entry:
        return Entry(Array("a"), (at,))

    def z(row: Index) -> Term:
        return over(b, mul(weight(row, b), a(b)))

    loss = whole("L", 0, (i,), Apply("f", z(i)), ())
    slope = whole("L", 1, (i,), Apply("f", z(i)), (j,))
    return [
        ("∂z_i/∂w_jk = δ_ij a_k", z(i), weight(j, k), mul(Delta(i, j), a(k))),
        ("∂L/∂w_jk = ∂L/∂y_j f'(z_j) a_k", loss, weight(j, k), mul(slope, Apply("f", z(j), 1), a(k))),
    ]


def run(args: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    table = Table("statement", "verdict", "sizes", "time")
    failed = False
    for name, loss, wrt, claimed in statements():
        start = time.perf_counter()
        found = prove_gradient(loss, wrt, claimed)
        assert found is None or found[1].lhs == Diff(loss, wrt)
        failed |= found is None
        spent = f"{1000 * (time.perf_counter() - start):.1f} ms"
        table.add_row(name, "proved" if found else "unknown", "all n, m", spent)
    Console().print(table)
    return 1 if failed else 0
