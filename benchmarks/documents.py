"""How fast documents are read and checked, with what memory, and how hostile text is answered.

    python benchmarks/documents.py

Prints: milliseconds to parse one formula; seconds and memory for generated documents of 250, 500 and 1,000 statements
with declarations (each block has letters of its own, so that no statement is remembered from another); a document of
1,000 statements without any, checked first and again after edits; what inferring costs a statement in sections of
growing length; seconds for hostile inputs.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import count, islice, permutations
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from written_documents import one_section, sections

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from symbackprop.core.terms import SymbackpropError  # noqa: E402
from symbackprop.documents.check import check_text, checked_statements  # noqa: E402
from symbackprop.documents.judging import Judge  # noqa: E402
from symbackprop.read.notes.files.place import ReadError  # noqa: E402
from symbackprop.read.notes.files.sources import read_document  # noqa: E402
from symbackprop.read.notes.grammar.resolve import parse_statement  # noqa: E402
from symbackprop.read.notes.statements.sections import read_statements  # noqa: E402

DOCUMENTS = [ROOT / "derivations" / "notes-corrected.md", *sorted((ROOT / "tests" / "data" / "documents").iterdir())]
LETTERS = "ABCDEFGHKMPQRSUVXYZ"
BLOCK = r"""
## Layer {k}

<!-- symbackprop:
reset: true
convention: column
layout: gradient
layers: l = 1..L
sizes: N
indices: i, j, k
arrays:
  {W}^l: n_l x n_{{l-1}}
  {a}^l, {b}^l, {z}^l, \delta^l: n_l
  t: n_L
constants: t
functions:
  f: elementwise
  J({a}^L, t): loss
definitions:
  - {z}^l = {W}^l {a}^{{l-1}} + {b}^l
  - {a}^l = f({z}^l)
  - \delta^l = \frac{{\partial J}}{{\partial {z}^l}}
-->

The array ${W}^l \sim n_l \times n_{{l-1}}$ and the vectors ${b}^l \sim n_l \times 1$ are given. With these

$${z}^l_i = \sum_j {W}^l_{{ij}} {a}^{{l-1}}_j + {b}^l_i$$

$$\delta^L = \frac{{\partial J}}{{\partial {a}^L}} \odot f'({z}^L)$$

$$\delta^l = (({W}^{{l+1}})^T \delta^{{l+1}}) \odot f'({z}^l)$$

$$\frac{{\partial J}}{{\partial {b}^l}} = \delta^l$$

$$\frac{{\partial J}}{{\partial {W}^l}} = \delta^l ({a}^{{l-1}})^T$$

$$\frac{{\partial J}}{{\partial {W}^l_{{ij}}}} = {a}^{{l-1}}_j \delta^l_i$$

$$\frac{{\partial {z}^l_i}}{{\partial {W}^l_{{jk}}}} = \delta_{{ij}} {a}^{{l-1}}_k$$

$$\frac{{\partial {z}^l_i}}{{\partial {a}^{{l-1}}_j}} = {W}^l_{{ij}}$$

$$\frac{{\partial {a}^l_i}}{{\partial {z}^l_j}} = f'({z}^l_i) \delta_{{ij}}$$

$$({W}^l {a}^{{l-1}})^T = ({a}^{{l-1}})^T ({W}^l)^T$$

$$\delta^l_i = \sum_k {W}^{{l+1}}_{{ki}} \delta^{{l+1}}_k f'({z}^l_i)$$

$$\sum_i \delta_{{ij}} {z}^l_i = {z}^l_j$$
"""
WRONG = r"""
$$\frac{{\partial J}}{{\partial {W}^l}} = {a}^{{l-1}} (\delta^l)^T$$

$$\delta^l = ({W}^{{l+1}} \delta^{{l+1}}) \odot f'({z}^l)$$
"""


def document(statements: int) -> str:
    """A Markdown document with about so many statements; in every fourth block two are wrong."""
    parts, total = ["# Generated\n"], 0
    for k, (W, a, b, z) in zip(count(1), islice(permutations(LETTERS, 4), 0, None, 7), strict=False):
        if total >= statements:
            break
        names = {"k": k, "W": W, "a": a, "b": b, "z": z}
        parts.append(BLOCK.format(**names))
        total += 14
        if k % 4 == 0:
            parts.append(WRONG.format(**names))
            total += 2
    return "".join(parts)


def hostile() -> Iterator[tuple[str, str]]:
    head = "<!-- symbackprop:\narrays: {x: n, W: n x n}\nfunctions: {f: elementwise}\n-->\n\n"
    yield "a statement of 100,000 characters", head + "$$x = " + "x + " * 25_000 + "x$$"
    yield "10,000 nested brackets", head + "$$x = " + "(" * 10_000 + "x" + ")" * 10_000 + "$$"
    yield "10,000 nested braces", head + "$$x = " + "{" * 10_000 + "x" + "}" * 10_000 + "$$"
    yield "a tower of powers", head + "$$x = 9^{9^{9^9}}$$"
    yield "a factorial", head + "$$x = 99999999!$$"
    yield "a million by a million", head + r"$$A \sim 1000000 \times 1000000$$" + "\n\n$$A A = A^T$$"
    yield "a long number", head + "$$x = " + "9" * 50_000 + "$$"
    yield "Python in a subscript", head + "$$c_{+open(chr(80),chr(119))} = 1$$"
    yield "an import", head + r"$$\text{__import__('os').system('id')} = x$$"
    yield "macros without end", "\\newcommand{\\a}{\\b\\b}\n" + head + "$\\newcommand{\\a}{\\a\\a}$ $$x = \\a$$"
    yield "400 quotients", head + "$$x = " + "\\frac{1}{" * 400 + "x" + "}" * 400 + "$$"
    yield "a product of 200 sums", head + "$$x = " + "(x + 1)" * 200 + "$$"
    yield "a high power of a sum", head + "$$x_i = (x_i + 1)^{64}$$"
    yield "1,000 products", head + "$$x = " + "W " * 1000 + "x$$"
    yield "a long chain", head + "$$" + "x = " * 2_000 + "x$$"
    scalars = "<!-- symbackprop:\narrays: {a: scalar, b: scalar, c: scalar, d: scalar}\n-->\n\n"
    yield "a power of a sum of scalars", scalars + "$$(a + b + c + d)^{60} = a$$"
    yield "powers of powers", scalars + "$$((a + b)^{40} + (c + d)^{40})^{40} = a$$"
    yield "a product of 60 sums", scalars + "$$a = " + "(a + b)" * 60 + "$$"
    yield "nested exponentials", scalars + "$$a = " + "e^{" * 60 + "a" + "}" * 60 + "$$"
    yield "nested fractions", scalars + "$$a = " + "\\frac{1}{1 + " * 40 + "a" + "}" * 40 + "$$"
    yield "a matrix to the eighth", head + "$$W^8 x = ((W^8)^T)^8 x$$"


def main() -> None:
    print(f"parsing: {1000 * parsing():.3f} ms a formula (median)", flush=True)
    for n in (250, 500, 1000):
        subprocess.run([sys.executable, __file__, str(n)], check=True)
    again()
    growth()
    for name, text in hostile():
        start = perf_counter()
        try:
            verdicts = [c.verdict for c in checked_statements("hostile.md", text=text)]
        except SymbackpropError as error:
            verdicts = [str(error)[:60]]  # type: ignore[list-item]
        print(f"{name}: {perf_counter() - start:.2f} s, {verdicts[-1]}")


def again() -> None:
    """One judge, as `--watch` has it: nothing is known, nothing changed, a claim, a definition, all lines moved."""
    text, judge = sections(140), Judge()
    claim = text.replace("= 4 (p_i", "= 5 (p_i", 1)
    edits = {
        "first": text, "the same": text, "a claim changed": claim, "a line more on top": "\n" + claim,
        "a definition changed": claim.replace("= 5 x", "= 4 x", 1),
    }  # fmt: skip
    for name, edited in edits.items():
        start, cpu, read = perf_counter(), process_time(), judge.sections.read
        found = check_text(edited, judge=judge)
        seconds, cpu = perf_counter() - start, process_time() - cpu
        anew = f"{judge.sections.read - read} sections read"
        print(f"{len(found)} statements, {name}: {seconds:.2f} s ({cpu:.2f} s processor), {anew}", flush=True)


def growth() -> None:
    for claims in (50, 100, 200, 400):
        items = read_document("section.md", one_section(claims))
        start = process_time()
        found = list(read_statements(items))
        print(f"a section of {len(found)}: {1000 * (process_time() - start) / len(found):.1f} ms a statement to read")


def parsing() -> float:
    times = []
    for path in DOCUMENTS:
        for r in {id(r.formula): r for r in read_statements(read_document(path))}.values():
            try:
                parse_statement(r.formula.text, r.declarations)
            except ReadError:
                continue
            start = perf_counter()
            for _ in range(5):
                parse_statement(r.formula.text, r.declarations)
            times.append((perf_counter() - start) / 5)
    return median(times)


def checking(statements: int) -> None:
    """One document checked, all results kept."""
    text = document(statements)
    before = peak()
    start, cpu = perf_counter(), process_time()
    found = list(checked_statements("generated.md", text=text))
    seconds, cpu = perf_counter() - start, process_time() - cpu
    verdicts = Counter(str(c.verdict) for c in found)
    memory = peak() - before
    print(f"{len(found)} statements: {seconds:.1f} s ({cpu:.1f} s processor), {memory:.0f} MB more, {dict(verdicts)}")


def peak() -> float:
    """The most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if len(sys.argv) > 1:
        checking(int(sys.argv[1]))
    else:
        main()
