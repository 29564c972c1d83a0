"""The half of `symbackprop check` that reads Python files: `check file.py::forward,backward --shapes "x: B D; w: D"`.

The file is the one thing that is executed: whoever names it as code asks for that.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from .progress import shown_when_slow

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from symbackprop.functions.verdict import Verdict

KINDS = ("gradient", "jacobian", "hessian", "hvp", "equal")
EPILOG = """\
examples:
  symbackprop check layers.py::forward,backward --shapes "x: B D; w: D; eps: " --wrt x --assuming "eps > 0"
  symbackprop check layers.py::softmax,softmax_jacobian --kind jacobian --shapes "z: n"
  symbackprop check layers.py::Dense --shapes "x: B D; W: D M; b: M"
  symbackprop check layers.py

A file without names: its classes with a forward and a backward, functions called forward and backward, dense_forward
and dense_backward, softmax and softmax_backward, relu and relu_prime, and losses that return their gradients.  Shapes
that stand in a docstring ("shapes: x: B D; w: D", "x: input of shape (N, D)") or in annotations
(Float[Array, "B D"]) need not be given.

JSON for functions is a list of objects, one for each target: `target`, `status` (proved, refuted, ill-formed or
unknown), `name` of the variable, `statement`, `reason`, `hypotheses`, `conditions` (each with `text` and `why`),
`mistake`, `repair` (`mistake`, `text`, `latex`, `code`), `special_cases`, `counterexample` (`sizes`, `values`,
`index` counted from 0, `lhs`, `rhs` exactly and as floats; or `sizes` and `message` where shapes differ), and
`gradients` by name where there are several variables; `line` where the first wrong line is known (`message`, `file`,
`line`, `claimed`, `derived`).  What does not apply is null or empty.

exit codes: 0 everything is proved, 1 something is refuted, ill-formed or unknown, 2 the request makes no sense"""


def add_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--shapes", metavar="TEXT", help='axes of each argument: "x: B D; w: D; y: int[V] B; eps: "')
    group.add_argument("--wrt", metavar="NAMES", help="the variables, with commas (default: all)")
    group.add_argument(
        "--assuming", metavar="TEXT", action="append", default=[],
        help='a hypothesis as a NumPy comparison, "eps > 0" or "t.sum(-1) == 1"; may be given more than once',
    )  # fmt: skip
    group.add_argument(
        "--kind", choices=KINDS, default="gradient", help="what the second function is (default: gradient)"
    )
    group.add_argument(
        "--value", metavar="NAME=NUMBER", action="append", default=[], help="an argument that is a number, not an array"
    )
    group.add_argument(
        "--tests", metavar="FILE.py", help="write counterexamples as tests for pytest that need NumPy only"
    )
    group.add_argument("--no-repair", action="store_true", help="do not look for the right formula")


def run(args: argparse.Namespace, targets: list[str]) -> int:
    import json

    from symbackprop.decide.status import PROVED

    from .check_file import asked_in

    verdicts = []
    judged = []
    for asked in [part for t in targets for part in asked_in(t, args)]:
        with shown_when_slow(asked.name):
            verdict = asked.verdict()
        verdicts.append((asked.name, verdict))
        judged.append((asked.name.partition("::")[0], asked.line, verdict))
    if args.certificate is not None:
        write_proofs(args.certificate, [v for _, v in verdicts])
    if args.tests is not None:
        write_tests(args.tests, judged)
    if args.sarif is not None:
        write_sarif(args.sarif, judged)
    if args.json:
        print(json.dumps([{"target": t, **v.as_json()} for t, v in verdicts], indent=2, ensure_ascii=False))
    elif args.sarif != "":
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False, soft_wrap=True)
        for target, v in verdicts:
            if len(verdicts) > 1:
                console.print(Text(target, style="bold"))
            console.print(v.__rich__())
    return 0 if all(v.status == PROVED for _, v in verdicts) else 1


def write_tests(path: str, judged: list[tuple[str, int, Verdict]]) -> None:
    from pathlib import Path

    from symbackprop.files import write_atomically
    from symbackprop.write.counterexample_test import counterexample_tests

    found = (counterexample_tests(v, Path(file).stem) for file, _, v in judged)
    text = "\n\n".join(t for t in found if t)
    write_atomically(path, text or "# Nothing is refuted by values of two functions.\n")


def write_sarif(path: str, judged: list[tuple[str, int, Verdict]]) -> None:
    """To a file, or printed without a name."""
    import json

    from symbackprop import __version__
    from symbackprop.files import write_atomically
    from symbackprop.write.function_sarif import function_sarif

    text = json.dumps(function_sarif(judged, __version__), ensure_ascii=False, indent=2) + "\n"
    if path:
        write_atomically(path, text)
    else:
        print(text, end="")


def write_proofs(path: str, verdicts: list[Verdict]) -> None:
    """One certificate for each variable whose claim is proved."""
    from symbackprop.decide.status import PROVED
    from symbackprop.write.certificate import write_certificates

    parts = [part for v in verdicts for part in (v.gradients or {"": v}).values()]
    write_certificates(path, (c for part in parts if part.status == PROVED for c in part.certificates()))


def verdict_of_pair(first: Any, second: Any, shapes: dict[str, str], args: argparse.Namespace) -> Verdict:
    """Of the kind that was asked for."""
    from symbackprop.functions import checks as gradient

    wrt, options = variables(args), asked_options(args, shapes)
    match args.kind:
        case "gradient":
            return gradient.check_gradient(first, second, shapes, wrt, **options)
        case "jacobian":
            return gradient.check_jacobian(first, second, shapes, wrt, **options)
        case "hessian":
            return gradient.check_hessian(first, second, shapes, wrt, **options)
        case "hvp":
            return gradient.check_hvp(first, second, shapes, None if wrt is None else wrt[0], **options)
        case _:
            return gradient.check_equal(first, second, shapes, **options)


def variables(args: argparse.Namespace) -> list[str] | None:
    return None if args.wrt is None else [n.strip() for n in args.wrt.split(",") if n.strip()]


def asked_options(args: argparse.Namespace, shapes: dict[str, str]) -> dict[str, Any]:
    """Hypotheses, concrete values, and how much is done."""
    options = {**options_of(args, shapes), "seek_repair": not args.no_repair}
    return options if args.timeout is None else {**options, "timeout": args.timeout}


def asked_function(target: str, shapes: str | None) -> tuple[Callable[..., Any], dict[str, str]]:
    """The function of FILE::FUNCTION and the shapes of its arguments."""
    from symbackprop.core.terms import SymbackpropError

    path, separator, name = target.partition("::")
    if not separator or not name.isidentifier():
        raise SymbackpropError(f"{target}: a function is needed, as in {path or 'layers.py'}::forward")
    if shapes is None:
        raise SymbackpropError('--shapes is needed: the axes of each argument, as in --shapes "x: B D; w: D"')
    return function(load(path), path, name), read_shapes(shapes)


def options_of(args: argparse.Namespace, shapes: dict[str, str]) -> dict[str, Any]:
    """Hypotheses and concrete values."""
    values = read_values(args.value)
    return {"assuming": read_assuming(args.assuming, [*shapes, *values]), **values}


def load(path: str) -> ModuleType:
    """The module of a file, executed.  Raises SymbackpropError with the place of an error in it."""
    import sys
    import traceback
    from importlib.util import module_from_spec, spec_from_file_location
    from pathlib import Path

    from symbackprop.core.terms import SymbackpropError
    from symbackprop.functions.dialects.written_shapes import annotations_readable

    file = Path(path)
    if not file.is_file():
        raise SymbackpropError(f"{path}: {'this is a directory' if file.is_dir() else 'no such file'}")
    name = f"symbackprop_checked_{file.stem}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise SymbackpropError(f"{path}: a Python file (.py) is needed")
    module = module_from_spec(spec)
    directory = str(file.resolve().parent)
    sys.path.insert(0, directory)  # so that the file finds its neighbours
    sys.modules[name] = module
    try:
        with annotations_readable():
            spec.loader.exec_module(module)
    except SyntaxError as error:
        raise SymbackpropError(f"{path}:{error.lineno}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
        place = f"{path}:{lines[-1]}" if lines else path
        raise SymbackpropError(f"{place}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(directory)
        sys.modules.pop(name, None)
    return module


def function(module: ModuleType, path: str, name: str) -> Callable[..., Any]:
    from difflib import get_close_matches

    from symbackprop.core.terms import SymbackpropError

    found = getattr(module, name, None)
    if callable(found):
        return found  # type: ignore[no-any-return]
    there = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
    close = get_close_matches(name, there, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(sorted(there)) or 'none'}"
    raise SymbackpropError(f"{path}: there is no function {name!r}; {hint}")


def read_shapes(text: str) -> dict[str, str]:
    """x: B D; w: D; eps:"""
    from symbackprop.core.terms import SymbackpropError

    shapes: dict[str, str] = {}
    for piece in text.split(";"):
        if not piece.strip():
            continue
        name, colon, axes = piece.partition(":")
        name = name.strip()
        if not colon or not name.isidentifier():
            raise SymbackpropError(f"--shapes: {piece.strip()!r} is not of the form NAME: AXES, as in 'x: B D; w: D'")
        if name in shapes:
            raise SymbackpropError(f"--shapes: {name} is given twice")
        shapes[name] = axes.strip()
    return shapes


def read_values(texts: list[str]) -> dict[str, Any]:
    from symbackprop.core.terms import SymbackpropError

    values: dict[str, Any] = {}
    for text in texts:
        name, equals, number = text.partition("=")
        try:
            values[name.strip()] = int(number) if number.strip().lstrip("-").isdigit() else float(number)
        except ValueError:
            equals = ""
        if not equals or not name.strip().isidentifier():
            raise SymbackpropError(f"--value: {text!r} is not of the form NAME=NUMBER")
    return values


def read_assuming(texts: list[str], names: list[str]) -> Callable[..., Any] | None:
    """The hypotheses as one function.  They are code of the user's, as the file is."""
    import ast

    import numpy as np

    from symbackprop.core.terms import SymbackpropError

    if not texts:
        return None
    used: list[str] = []
    for text in texts:
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except SyntaxError as error:
            raise SymbackpropError(f"--assuming: {text!r} is no Python expression: {error.msg}") from None
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id != "np" and node.id not in used:
                if node.id not in names:
                    raise SymbackpropError(f"--assuming: {node.id!r} in {text!r} is no argument with a shape")
                used.append(node.id)
    source = f"lambda {', '.join(used)}: [{', '.join(f'({t.strip()})' for t in texts)}]"
    made: Callable[..., Any] = eval(compile(source, "<assuming>", "eval"), {"np": np})
    return made
