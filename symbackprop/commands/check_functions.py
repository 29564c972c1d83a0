"""The half of `symbackprop check` that reads Python files: `check file.py::forward,backward --shapes "x: B D; w: D"`.

The file is the one thing that is executed: whoever names it as code asks for that.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .check_file import asked_in
from .progress import shown_when_slow

if TYPE_CHECKING:

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
    group.add_argument("--short", action="store_true", help="one line for each pair of functions")
    group.add_argument("--no-repair", action="store_true", help="do not look for the right formula")


def run(args: argparse.Namespace, targets: list[str]) -> int:
    import json

    from symbackprop.decide.outcomes import PROVED

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
    elif args.short:
        from symbackprop.write.function_reports import one_line

        print(*(one_line(target, v) for target, v in verdicts), sep="\n")
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
    from symbackprop.write.function_reports import counterexample_tests

    found = (counterexample_tests(v, Path(file).stem) for file, _, v in judged)
    text = "\n\n".join(t for t in found if t)
    write_atomically(path, text or "# Nothing is refuted by values of two functions.\n")


def write_sarif(path: str, judged: list[tuple[str, int, Verdict]]) -> None:
    """To a file, or printed without a name."""
    import json

    from symbackprop import __version__
    from symbackprop.files import write_atomically
    from symbackprop.write.function_reports import function_sarif

    text = json.dumps(function_sarif(judged, __version__), ensure_ascii=False, indent=2) + "\n"
    if path:
        write_atomically(path, text)
    else:
        print(text, end="")


def write_proofs(path: str, verdicts: list[Verdict]) -> None:
    """One certificate for each variable whose claim is proved."""
    from symbackprop.decide.outcomes import PROVED
    from symbackprop.write.certificate import write_certificates

    parts = [part for v in verdicts for part in (v.gradients or {"": v}).values()]
    write_certificates(path, (c for part in parts if part.status == PROVED for c in part.certificates()))
