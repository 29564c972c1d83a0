"""`symbackprop derive`: derives and proves the equations of backpropagation, and writes them as LaTeX."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from symbackprop.clock import LIMIT, OutOfTime, limit
from symbackprop.core.terms import SymbackpropError
from symbackprop.files import put, write_atomically
from symbackprop.functions.checks import derive
from symbackprop.network.dense import dense
from symbackprop.network.theorems import prove_network
from symbackprop.story import latex_documents, markdown_page
from symbackprop.story import show as show_story
from symbackprop.story.pages import STORIES, Fact, plain_sizes, plain_terms
from symbackprop.story.told import Told
from symbackprop.write.certificate import Certificate, certificate, write_certificates

from .asked_functions import asked_function, options_of, variables
from .options import CODE
from .progress import shown_when_slow

DEPTH = 6  # layers of the network whose gradients are proved besides


def run(args: argparse.Namespace) -> int:
    if args.target is not None:
        put(written(args), args.output)
        return 0
    if args.show is not None:
        if args.certificate is not None:
            raise SymbackpropError("--certificate goes without --show")
        return show(args.show, args.markdown)
    if args.markdown:
        raise SymbackpropError("--markdown goes with --show STORY")
    if not args.no_tex:
        prepare(args.tex)
    told: dict[str, list[Told]] = {}
    with shown_when_slow("derive"):
        failures = table(told, args.timeout)
    if failures:
        for line in failures:
            print(line)
        return 1
    if not args.no_tex:
        write(args.tex, told)
    if args.certificate is not None:
        write_proofs(args.certificate, [d for found in told.values() for d in found])
    return 0


def written(args: argparse.Namespace) -> str:
    """The gradient of the function that the arguments name, in the format asked for."""
    function, shapes = asked_function(args.target, args.shapes)
    found = derive(function, shapes, variables(args), **options_of(args, shapes))
    if args.to in CODE:
        return found.to(args.to)
    return found.explained(args.to, args.detail, f"The gradient of {args.target.rpartition('::')[2]}")


def show(name: str, markdown: bool) -> int:
    if name not in STORIES:
        near = get_close_matches(name, STORIES, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(STORIES)}"
        raise SymbackpropError(f"no story is called {name!r}: {hint}")
    if markdown:
        print(markdown_page(name))
    else:
        show_story(name)
    return 0


def table(told: dict[str, list[Told]], seconds: float = LIMIT) -> list[str]:
    """Proves everything, prints the table, keeps what the stories tell, and returns what failed."""
    grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1), title_justify="left", expand=False)
    grid.add_column("statement", overflow="fold", ratio=1)
    grid.add_column("verdict", no_wrap=True)
    grid.add_column("for all", overflow="fold")
    grid.add_column("time", justify="right", no_wrap=True)
    failures: list[str] = []
    start = perf_counter()
    count = stories(grid, told, failures, seconds) + network(grid, failures, seconds)
    spent = 1000 * (perf_counter() - start)
    console = Console(highlight=False)
    console.print(grid)
    verdict = "all proved" if not failures else f"{len(failures)} not proved"
    console.print(f"\n{count} statements, {verdict} and checked by the kernel in {spent:.0f} ms")
    return failures


def stories(grid: Table, told: dict[str, list[Told]], failures: list[str], seconds: float) -> int:
    count = 0
    for name, (_, facts) in STORIES.items():
        grid.add_row(Text(name.replace("_", " "), "dim"))
        for found, spent in proved(facts, failures, seconds):
            if found is None:
                count += 1
                grid.add_row(f"  {failures[-1]}", Text("not proved", "bold red"), "", spent)
                continue
            told.setdefault(name, []).append(found)
            count += len(found.statements)
            statement = Text("\n".join(said for said, _ in found.statements))
            if found.kind:
                statement.append(f"  ({found.kind})", "dim")
            for said in plain_terms(found):
                statement.append(f"\n{said}")
            grid.add_row(Padding(statement, (0, 0, 0, 2)), Text("proved", "green"), plain_sizes(found), spent)
    return count


def proved(facts: Iterable[Fact], failures: list[str], seconds: float) -> Iterator[tuple[Told | None, str]]:
    """Each fact derived, or None where that failed, with the time it took."""
    for fact in facts:
        start = perf_counter()
        try:
            with limit(seconds):
                found: Told | None = fact()
        except (SymbackpropError, OutOfTime) as problem:
            failures.append(str(problem))
            found = None
        yield found, f"{1000 * (perf_counter() - start):.1f} ms"


def network(grid: Table, failures: list[str], seconds: float) -> int:
    """All gradients of one network of symbolic widths, layer by layer."""
    widths = tuple(f"n_{l}" for l in range(DEPTH + 1))
    grid.add_row(Text(f"network of {DEPTH} layers", "dim"))
    start = perf_counter()
    try:
        with limit(seconds):
            theorems = prove_network(dense(widths, ("tanh",) * (DEPTH - 1) + ("softmax",), "cross-entropy", "row", "N"))
    except (SymbackpropError, OutOfTime) as problem:
        failures.append(str(problem))
        grid.add_row(f"  {problem}", Text("not proved", "bold red"))
        return 1
    spent = f"{1000 * (perf_counter() - start):.1f} ms"
    names = ", ".join(t.name.replace("{", "").replace("}", "") for t in theorems[:3])
    statement = Text(f"all {len(theorems)} equations: {names}, ..., ∂C/∂b^1")
    statement.append("  (tanh, softmax, cross-entropy; rows, batch)", "dim")
    statement.append("\nprovided that the targets of each sample sum to 1")
    grid.add_row(Padding(statement, (0, 0, 0, 2)), Text("proved", "green"), f"N, n_0, ..., n_{DEPTH}", spent)
    return len(theorems)


def prepare(directory: str) -> None:
    """The directory, made if it is missing.  Raises SymbackpropError where that cannot be."""
    try:
        os.makedirs(directory, exist_ok=True)
    except (OSError, ValueError) as problem:
        cause = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        raise SymbackpropError(f"cannot make the directory {directory!r}: {cause.lower()}") from problem


def write(directory: str, told: dict[str, list[Told]]) -> None:
    documents = latex_documents(told)
    for name, content in documents.items():
        write_atomically(Path(directory) / name, content)
    print(f"{len(documents)} LaTeX documents in {directory}")


def write_proofs(path: str, told: Iterable[Told]) -> None:
    written = [c for found in told for c in certificates_of(found)]
    write_certificates(path, written)
    print(f"{len(written)} proofs in {path}")


def certificates_of(found: Told) -> list[Certificate]:
    """One for each theorem."""
    return [
        certificate(t.proof, t.context, t.equation, name=found.name, statement=said)
        for t, (said, _) in zip(found.theorems, found.statements, strict=True)
    ]
