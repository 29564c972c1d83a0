"""`symbackprop check notes.md`: a verdict for every statement of a document.

The part of `symbackprop check` for documents; files of code (`file.py::forward,backward`) are checked elsewhere.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from symbackprop import __version__
from symbackprop.clock import OutOfTime
from symbackprop.core.terms import SymbackpropError
from symbackprop.decide.outcomes import Checked
from symbackprop.documents.check import declared, seldom_collecting
from symbackprop.documents.judging import Judge
from symbackprop.files import put, write_atomically
from symbackprop.read.notes.files.sources import collected, read_document, read_text
from symbackprop.write.certificate import write_certificates
from symbackprop.write.notes.as_json import statement_certificates, statement_json, summed_up
from symbackprop.write.notes.derivation import latex_page
from symbackprop.write.notes.page import html_page
from symbackprop.write.notes.terminal import report, summary
from symbackprop.write.paper.pdf import as_pdf
from symbackprop.write.reports import document_sarif

DERIVING = 20.0  # seconds for the derivation of one statement, in a page
Args = argparse.Namespace


def run(args: Args, names: list[str]) -> int:
    check_options(args)
    named = dict.fromkeys([*names, *getattr(args, "misplaced", [])])
    documents = tuple(dict.fromkeys(d for name in named for d in documents_in(name)))
    if args.html and len(documents) > 1:
        raise SymbackpropError("one page is for one document; without a name each gets its own page")
    judge = Judge(repair=not args.no_repair, seconds=args.timeout)
    return (watch if args.watch else once)(args, documents, judge)


def printed(args: Args) -> list[str]:
    """What is asked for on stdout, where the report does not stand then."""
    asked = {"--json": args.json, "--declare": args.declare, "--sarif": args.sarif == ""}
    return [name for name, here in asked.items() if here]


def check_options(args: Args) -> None:
    """Raises SymbackpropError where two things are to be printed."""
    several = printed(args) + ["--watch"] * args.watch
    if len(several) > 1:
        file = ": name a file for --sarif" if "--sarif" in several else ""
        raise SymbackpropError(f"{several[0]} and {several[1]} cannot both be printed{file}")


def needs_proofs(args: Args) -> bool:
    """What is written holds more than a cache remembers."""
    written = (args.html, args.sarif, args.certificate, args.latex, args.pdf)
    return args.declare or any(x is not None for x in written)


def once(args: Args, documents: Sequence[str], judge: Judge) -> int:
    """Checks all files; raises for the first that cannot be read, after the others were reported."""
    failure: SymbackpropError | None = None
    found: list[Document] = []
    out = Console(highlight=False, markup=False, emoji=False, quiet=bool(printed(args)))
    for path in documents:
        try:
            found.append(check_one(path, args, judge, out))
        except SymbackpropError as error:
            failure = failure or error
    if found or failure is None:
        write_results(args, found)
    if failure is not None:
        raise failure
    return 1 if any(d.wrong or (args.strict and d.open) for d in found) else 0


def check_one(path: str, args: Args, judge: Judge, out: Console) -> Document:
    folder = None
    if args.cache is not None and not needs_proofs(args):
        folder = Folder(Path(args.cache), (args.all, not args.no_repair, args.timeout))
    document = folder.find(path) if folder is not None else None
    if document is None:
        document = checked(path, args, judge)
        if folder is not None:
            folder.keep(document)
    out.print(document.report, end="", soft_wrap=True, markup=False)
    if args.html is not None:
        target = args.html or str(Path(path).with_suffix(".html"))
        write_atomically(target, html_page(path, read_text(Path(path)), document.statements, derivation_of))
        out.print(f"written: {target}", soft_wrap=True)
    return document


def checked(path: str, args: Args, judge: Judge) -> Document:
    start = perf_counter()
    with seldom_collecting():
        statements = list(with_progress(path, judge))
    text = io.StringIO()
    shown = Console(file=text, highlight=False, markup=False, emoji=False, force_terminal=Console().is_terminal)
    report(statements, shown, everything=args.all)
    summary(statements, perf_counter() - start, shown)
    rows = tuple(map(statement_json, statements))
    wrong, left = any(c.bad for c in statements), any(c.open for c in statements)
    return Document(path, text.getvalue(), rows, wrong, left, statements)


def with_progress(path: str, judge: Judge) -> Iterator[Checked]:
    """The statements as they are settled, with a bar on the terminal."""
    sections = list(judge.sections.of(read_document(path)))
    bar = Progress(
        TextColumn("checking {task.description}"), BarColumn(), MofNCompleteColumn(), transient=True,
        console=Console(stderr=True), disable=not is_terminal(),
    )  # fmt: skip
    with bar:
        task = bar.add_task(path, total=sum(len(s.readings) for s in sections))
        for section in sections:
            for checked in judge.section(section):
                yield checked
                bar.advance(task)


def is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def derivation_of(statement: Checked) -> str:
    """The derivation by intermediates of a statement about a derivative, as HTML; "" where there is none in time."""
    from symbackprop.functions.explaining import explain_derivative  # heavy, and for pages only
    from symbackprop.write.program.pages import passages

    try:
        found = explain_derivative(statement.reading, timeout=DERIVING)
    except (SymbackpropError, OutOfTime, RecursionError):
        return ""
    return "" if found is None else passages(found.plan)


def write_results(args: Args, found: list[Document]) -> None:
    statements = [c for d in found for c in d.statements]
    if args.certificate is not None:
        write_certificates(args.certificate, statement_certificates(statements))
    if args.latex is not None or args.pdf is not None:
        page = latex_page(", ".join(Path(d.path).name for d in found), statements)
        if args.latex is not None:
            write_atomically(args.latex, page)
        if args.pdf is not None:
            write_atomically(args.pdf, as_pdf(page, "--latex FILE"))
    if args.declare:
        judge = Judge()
        blocks = {d.path: declared(d.path, d.statements, judge) for d in found}
        if any(blocks.values()):
            print("\n\n".join(filter(None, blocks.values())))
        for path in (path for path, block in blocks.items() if not block):
            why = "nothing was inferred, or each declaration would change a verdict"
            print(f"{path}: no block to keep: {why}", file=sys.stderr)
    if args.json:
        print(json.dumps(summed_up([(d.path, d.rows) for d in found]), ensure_ascii=False, indent=2))
    if args.sarif is not None:
        text = json.dumps(document_sarif(statements, __version__), ensure_ascii=False, indent=2) + "\n"
        put(text, args.sarif or None)


# --- watching --------------------------------------------------------------------------------


def watch(args: Args, documents: Sequence[str], judge: Judge) -> int:
    """Checks now and after every save, until interrupted; the exit code is that of the last check."""
    code = 2
    try:
        for changed in saves(documents):
            if changed:
                print(f"\n--- {', '.join(sorted(changed))} changed", flush=True)
            before = judge.settled
            try:
                code = once(args, documents, judge)
                print(f"{judge.settled - before} proved anew; waiting for changes (Ctrl-C ends)", flush=True)
            except SymbackpropError as error:
                code = 2
                print(f"symbackprop: {error}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print()
    return code


def saves(paths: Sequence[str]) -> Iterator[set[str]]:
    """Once at the start, then whenever one of the files was saved: the names of those."""
    yield set()
    try:
        from watchfiles import watch as changes
    except ImportError:
        yield from polled(paths)
        return
    files = {str(Path(p).resolve()): p for p in paths}
    for batch in changes(*{Path(f).parent for f in files}, recursive=False, debounce=200, raise_interrupt=True):
        found = {files[name] for _, name in batch if name in files}
        if found:
            yield found


def polled(paths: Sequence[str]) -> Iterator[set[str]]:
    """The same by looking twice a second."""
    before = {p: stamp(p) for p in paths}
    while True:
        sleep(0.5)
        now = {p: stamp(p) for p in paths}
        changed = {p for p in paths if now[p] != before[p]}
        before = now
        if changed:
            yield changed


def stamp(path: str) -> tuple[int, int]:
    try:
        found = Path(path).stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


# --- answers that are remembered between runs, by the content of a document and the program that gave them ---


ENDINGS = (".md", ".markdown", ".tex", ".ipynb")


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was checked: what is printed, the statements as JSON, whether something is wrong or open.

    `statements` is empty for one that was remembered: then no proofs are at hand.
    """

    path: str
    report: str
    rows: tuple[dict[str, Any], ...]
    wrong: bool
    open: bool
    statements: list[Checked] = field(default_factory=list)


def documents_in(name: str) -> list[str]:
    """The documents of a folder, in order, without those that others read by \\input; a file is itself."""
    folder = Path(name)
    if not folder.is_dir():
        return [name]
    hidden = (p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
    found = sorted(p for p in hidden if not any(part.startswith(".") for part in p.relative_to(folder).parts))
    if not found:
        raise SymbackpropError(f"{name}: no documents ({', '.join(ENDINGS)}) are in this folder")
    parts: set[Path] = set()
    for p in found:
        if p.suffix.lower() == ".tex":
            try:
                parts |= {q.resolve() for q in collected(p)[1]}
            except SymbackpropError:  # said when it is checked
                continue
    return [str(p) for p in found if p.resolve() not in parts]


@dataclass(frozen=True, slots=True)
class Folder:
    """One file for each document, replaced as a whole; what was written by another version is not looked at."""

    path: Path
    options: tuple[object, ...]

    def find(self, document: str) -> Document | None:
        try:
            kept = json.loads(self.file(document).read_text(encoding="utf-8"))
            if kept["key"] != self.key(document):
                return None
            return Document(document, kept["report"], tuple(kept["rows"]), kept["wrong"], kept["open"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, document: Document) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        kept = {"key": self.key(document.path), "report": document.report, "rows": document.rows,
                "wrong": document.wrong, "open": document.open}  # fmt: skip
        write_atomically(self.file(document.path), json.dumps(kept, ensure_ascii=False))

    def file(self, document: str) -> Path:
        named = blake2b(f"{document} {self.options}".encode(), digest_size=8).hexdigest()
        return self.path / f"{Path(document).stem}-{named}.json"

    def key(self, document: str) -> str:
        digest = blake2b(f"{program()} {document}".encode(), digest_size=16)
        for path in (Path(document), *collected(document)[1]):
            digest.update(path.read_bytes() if path.is_file() else b"\x00")
        return digest.hexdigest()


@cache
def program() -> str:
    """The version and, for a program that is being worked on, its files."""
    digest = blake2b(__version__.encode(), digest_size=16)
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
