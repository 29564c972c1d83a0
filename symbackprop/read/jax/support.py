"""What of JAX is read, as a table: docs/jax.md is printed from the functions that do the reading.

python -m symbackprop.read.jax.support > docs/jax.md
"""

from __future__ import annotations

from . import evaluation  # noqa: F401  it fills the table
from .registry import PRIMITIVES, REFUSED

HEAD = """# What of JAX is read

A function of JAX's is traced by `jax.make_jaxpr` on symbolic shapes (`jax.export`), in 64 bits, and each primitive
of the jaxpr is a call on the arrays of the NumPy reader ([numpy.md](numpy.md)): each operation has one meaning.
`jit`, `remat`, `vmap`, `jax.vjp` and `jax.jvp` inside are what JAX makes of them; a `custom_vjp` or `custom_jvp` inside
is the function itself. What JAX refuses at plain sizes, too, is `ill-formed` with JAX's message.

- **The rule of the user is what is checked**: for `jax.custom_vjp` what `jax.vjp` makes of fwd and bwd, for
  `jax.custom_jvp` the tangents, of all inputs together. The value that a rule gives along with it is compared with the
  function. JAX's own derivative is never asked. Nothing is run on numbers.
- **Numbers** are the decimals that are written, also where they went through a float32 (`jnp.float32(1e-5)`); a float
  that is the value of a short expression is read as that, and a note says so (`2 * jnp.pi`, `math.sqrt(2)`).
  Precision makes no difference. Whole numbers are sizes, places and labels, below 2^31.
- **Sizes**: `if x.shape[0] == 1` in your code is refused where the answer depends on the size; JAX itself would say no.
- **Places** outside of an array, which XLA clips or drops, are refused: they must be known to be inside.
- **`stop_gradient`**: the value is one of copies of the variables, by which nothing is differentiated; where it
  cancels, as the shift of a softmax does, nothing is held.

| primitives | read |
|---|---|
"""
ORDER = ("exact", "restricted", "refused")
TAIL = """

Every other primitive is refused by name.
"""


def table() -> str:
    rows: dict[str, list[str]] = {}
    for name, reading in sorted(PRIMITIVES.items()):
        rows.setdefault(f"restricted: {reading.restricted}" if reading.restricted else "exact", []).append(name)
    for name, because in sorted(REFUSED.items()):
        rows.setdefault(f"refused, since each {because}", []).append(name)
    ordered = sorted(rows.items(), key=lambda row: (ORDER.index(row[0].split(":")[0].split(",")[0]), row[0]))
    return HEAD + "\n".join(f"| {', '.join(f'`{n}`' for n in names)} | {text} |" for text, names in ordered) + TAIL


if __name__ == "__main__":
    print(table(), end="")
