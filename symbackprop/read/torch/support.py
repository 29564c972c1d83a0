"""What of PyTorch is read, as a table: docs/torch.md is printed from the operations that do the reading.

python -m symbackprop.read.torch.support > docs/torch.md
"""

from __future__ import annotations

from collections.abc import Iterator

from . import meanings
from .registry import MEANINGS, REFUSED, Meaning
from .rewriting import REWRITTEN

HEAD = """# What of PyTorch is read

```python
check_function(MyFunction, shapes={"x": "B D", "w": "D"})      # a torch.autograd.Function, as it is
derive(lambda D, H: Net(D, H), {"x": "B D"})                   # the gradients of a module, for all sizes
check_layer(lambda D, H: Net(D, H), backward, shapes=..., params={"W": "fc.weight"})   # a backward by hand
check_equal(f, g, shapes)                                      # functions of tensors, or one of them NumPy's
```

Your code runs once on tensors of symbolic shape. Below autograd, after PyTorch has taken apart what is composite, each
operation of aten that arrives is read by a meaning that calls the reader of NumPy ([numpy.md](numpy.md)): so an
operation has one meaning, whichever way in it comes. What autograd computes, `torch.autograd.grad` and the sum of a
gradient over broadcast axes, is read from the operations that PyTorch runs. What is not modelled is refused: the
verdict is `unknown` with the operation and the line of your file.

Numbers are real, of every floating width: there is no rounding, a float of 32 bits is the shortest decimal that it is
(`1e-5` is 1/100000), `math.sqrt(2)` and `math.pi` in your modules are exact. Sizes are those of the shapes: a condition
that they do not decide, such as `if x.shape[0] == 1`, is refused. Where PyTorch's own code asks, whether an axis has
one entry for instance, the answer is that for sizes in general; the tests compare each operation at the size 1 too.
A loop over an axis needs a length that is a number.

Arguments of `forward` that are no tensors: give them by name (`eps=1e-5`) or all in order
(`args=["x", "w", "1e-5"]`); a number that nobody gives is any real number. A gradient that is `None` counts as 0.
`order=2` checks the gradients of the backward, too, as `create_graph=True` computes them: what forward saves that is
neither an input nor an output is constant there, and double backward silently wrong.
An input marked dirty is refused. Of a module, every parameter is an array: `params` gives them names, the others have
those of their paths (`fc1_weight`). What a constructor draws is not drawn. A module that exists already is copied.

Forward and backward of a `torch.autograd.Function` are one run: a mask that is drawn is one array, which the backward
finds again or draws anew, and then it is another. What `detach()` and `torch.no_grad()` hold constant in a forward that
is differentiated is a copy of the variables, as the verdict says.

PyTorch without GPU packages: PyTorch's page "Get started" has the command (choose CPU).

In the tables an operation without a remark is exact, in its in-place form as well. An argument that a meaning does not
know is refused. Operations that are not named are read where PyTorch itself writes them in terms of others.
"""


def table() -> str:
    return "\n".join([HEAD, *sections()]) + "\n"


def sections() -> Iterator[str]:
    homes = {f"{meanings.__name__}.{name}": name for name in meanings.__all__}
    for home, name in homes.items():
        rows = sorted((m for m in MEANINGS.values() if m.run.__module__ == home), key=lambda m: m.name)
        yield f"## {name}\n"
        plain = [f"`{m.name}`" for m in rows if not m.where]
        if plain:
            yield f"Exact: {', '.join(plain)}.\n"
        restricted = [m for m in rows if m.where]
        if restricted:
            yield "| operation | restricted |\n|---|---|"
            yield from map(row, restricted)
            yield ""
    yield "## Refused\n"
    reasons: dict[str, list[str]] = {}
    for name, because in REFUSED.items():
        reasons.setdefault(because, []).append(name)
    for because, names in reasons.items():
        yield f"Each {because}: {', '.join(f'`{n}`' for n in sorted(names))}.\n"
    rewritten = ", ".join(f"`{name}`" for name in sorted({name for _, name in REWRITTEN}))
    yield f"Written with other operations before PyTorch asks for plain sizes: {rewritten}."


def row(m: Meaning) -> str:
    return f"| `{m.name}` | {m.where} |"


if __name__ == "__main__":
    print(table(), end="")
