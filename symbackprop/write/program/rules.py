"""A derived gradient as a function with its own rule: jax.custom_vjp, torch.autograd.Function.

The forward runs once and hands what the backward needs to it, in the user's names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import indent

from symbackprop.core.terms import SymbackpropError
from symbackprop.gradients.reverse import Reverse
from symbackprop.read.numpy import Node

from .source import FOUR, Program, commented, shape_text


@dataclass(frozen=True, slots=True)
class Parts:
    """The statements of both passes; `gradients` by argument, None where the rule has none."""

    program: Program
    arguments: tuple[str, ...]
    upstream: tuple[str, ...]
    forward: tuple[str, ...]
    results: tuple[str, ...]
    backward: tuple[str, ...]
    gradients: dict[str, str | None]
    residuals: tuple[str, ...]

    @property
    def shapes(self) -> str:
        declared = self.program.reverse.declared
        return "; ".join(f"{n}: {shape_text(declared[n])}" for n in self.arguments if n in declared)

    @property
    def still(self) -> str:
        """What is not differentiated by, as a sentence."""
        names = [n for n, g in self.gradients.items() if g is None]
        return f"  Not differentiated by {', '.join(names)}." if names else ""

    @property
    def result(self) -> str:
        return ", ".join(self.results) if len(self.results) == 1 else f"({', '.join(self.results)})"

    @property
    def returned(self) -> str:
        found = [str(g) for g in self.gradients.values()]
        return f"{found[0]}," if len(found) == 1 else ", ".join(found)


def parts_of(reverse: Reverse, dialect: str) -> Parts:
    program = Program(reverse, dialect, outputs=True)
    upstream = tuple(str(u.name) for u in reverse.upstream.values()) or (program.fresh("g"),)
    scaled = not reverse.upstream
    arguments = tuple(reverse.graph.inputs)
    lines = [(line.node.backward, commented(line)) for line in program.lines]
    forward = tuple(text.removeprefix(FOUR) for back, texts in lines if not back for text in texts)
    backward = tuple(text.removeprefix(FOUR) for back, texts in lines if back for text in texts)
    results = tuple(program.expressions.of(o) for o in reverse.graph.outputs)
    gradients: dict[str, str | None] = dict.fromkeys(arguments)
    for v, g in reverse.gradients.items():
        gradients[v] = gradient_text(program, v, g, upstream[0] if scaled else "")
    if program.expressions.formulas:
        raise SymbackpropError(f"an operation of this forward has no rule: no {dialect} rule is written for it")
    given = [*arguments, *assigned(forward)]
    known = set(assigned(backward)) | set(upstream)
    wanted = [n for n in loaded([*backward, *filter(None, gradients.values())]) if n in given and n not in known]
    return Parts(program, arguments, upstream, forward, results, backward, gradients, tuple(dict.fromkeys(wanted)))


def gradient_text(program: Program, variable: str, g: Node | float, factor: str) -> str:
    """The gradient, times the upstream gradient of a scalar; a number in the shape of the variable."""
    if isinstance(g, Node):
        text = program.expressions.of(g)
        return f"{factor} * {text if text.isidentifier() else f'({text})'}" if factor else text
    text = f"{program.dialect.module}.zeros_like({variable})"
    return text if not g else f"{text} + {f'{g!r} * {factor}' if factor else repr(g)}"


def assigned(lines: Iterable[str]) -> list[str]:
    tree = ast.parse("\n".join(lines))
    return [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]


def loaded(texts: Iterable[str]) -> list[str]:
    tree = ast.parse("\n".join(texts))
    return [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]


# --- the texts -----------------------------------------------------------------------------------


def jax_rule(reverse: Reverse, name: str) -> str:
    """As jax.custom_vjp.  Raises SymbackpropError where it cannot be written."""
    p = parts_of(reverse, "jax")
    residuals = ", ".join(p.residuals) + ("," if len(p.residuals) == 1 else "")
    takes = p.upstream[0] if len(p.upstream) == 1 else f"({', '.join(p.upstream)})"
    unpack = [f"{residuals} = residuals"] if p.residuals else []
    cotangent = p.upstream[0] if len(p.upstream) == 1 else "cotangents"
    several = [] if len(p.upstream) == 1 else [f"{takes[1:-1]} = cotangents"]
    code = f'''\
@jax.custom_vjp
def {name}({", ".join(p.arguments)}):
    """Shapes: {p.shapes}.{p.still}"""
    return {name}_fwd({", ".join(p.arguments)})[0]


def {name}_fwd({", ".join(p.arguments)}):
{block(p.forward)}    return {p.result}, ({residuals})


def {name}_bwd(residuals, {cotangent}):
{block([*unpack, *several, *p.backward])}    return {p.returned}


{name}.defvjp({name}_fwd, {name}_bwd)
'''
    imports = "\n".join(["import jax", *(i for i in p.program.imports().splitlines() if i != "import jax")])
    return "\n\n\n".join([imports, *p.program.helpers(), code])


def torch_function(reverse: Reverse, name: str) -> str:
    """As torch.autograd.Function, differentiable once: what is saved between has no history.

    Raises SymbackpropError where it cannot be written.
    """
    p = parts_of(reverse, "torch")
    declared = reverse.declared
    plain = [n for n in p.residuals if n in declared and not declared[n].shape]
    saved = [n for n in p.residuals if n not in plain]
    keep = [f"ctx.save_for_backward({', '.join(saved)})"] if saved else []
    keep += [f"ctx.{n} = {n}" for n in plain]
    comma = "," if len(saved) == 1 else ""
    take = [f"{', '.join(saved)}{comma} = ctx.saved_tensors"] if saved else []
    take += [f"{n} = ctx.{n}" for n in plain]
    code = f'''\
class {name}(torch.autograd.Function):
    """Shapes: {p.shapes}.{p.still}"""

    @staticmethod
    def forward({", ".join(["ctx", *p.arguments])}):
{block([*p.forward, *keep], 2)}        return {p.result}

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward({", ".join(["ctx", *p.upstream])}):
{block([*take, *p.backward], 2)}        return {p.returned.rstrip(",")}
'''
    return "\n\n\n".join([p.program.imports(), *p.program.helpers(), code])


def block(lines: Iterable[str], depth: int = 1) -> str:
    return "".join(indent(line, FOUR * depth) + "\n" for line in lines)


RULES = {"jax.custom_vjp": jax_rule, "torch.autograd.Function": torch_function}
