"""z = W x + b by its entries, costs that are a mean over a batch, softmax with the negative log likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index, sized
from symbackprop.core.matrix import UNIT, Elementwise, Leaf, Plus, Product
from symbackprop.core.matrix import Softmax as SoftmaxForm
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ONE, Apply, Array, Entry, Power, mul, neg, num, over, sub, whole
from symbackprop.network.dense import SAMPLES, weighted_input

from .told import ROWS, Question

N, M = sized("n"), sized("m")
COST = Leaf(Array("C"), "scalar", (UNIT, UNIT))
SHARE = Power(SAMPLES, Fraction(-1))
BATCH = "A batch of `N` samples, one in each row; the cost is the mean of the losses of the samples."
FUSED = ("log-softmax",)  # the notes go through the entries of softmax
TOLD = ("softmax",)
TARGETS = "targets sum to one"


def column(name: str, size: str = "n") -> Leaf:
    return Leaf(Array(name), "column", (sized(size), UNIT))


def samples(name: str, size: str = "n") -> Leaf:
    return Leaf(Array(name), "matrix", (SAMPLES, sized(size)))


# --- a linear map --------------------------------------------------------------------------------

W = Leaf(Array("w"), "matrix", (N, M))
X, B, Z = column("x", "m"), column("b"), column("z")
FORWARD = Plus((Product(W, X), B))


def linear(name: str, what: str, variable: Leaf, letters: str) -> Question:
    return Question(
        f"linear-{name}", f"The derivative of `z = w x + b` by {what}",
        "The weights `w` are an `n × m` matrix, `x` is a column of `m` inputs, `b` and `z` are columns of `n`.",
        Z, (variable,), (W, X, B), ((Z, FORWARD),), letters={"": letters}, jacobians=True,
    )  # fmt: skip


LINEAR = (
    linear("weight", "a weight", W, "ijkpqr"),
    linear("input", "an input", X, "ikpqrs"),
    linear("bias", "a bias", B, "ijkpqr"),
)

# --- a mean over a batch -------------------------------------------------------------------------


def mean(name: str, variable: Leaf) -> Question:
    """∂C/∂W = (1/N) A^T Δ and ∂C/∂b = (1/N) 1^T Δ, where ℓ is the loss of one sample."""
    w, b = Leaf(Array("W"), "matrix", (M, N)), Leaf(Array("b"), "row", (UNIT, N))
    a, z, delta = samples("A", "m"), samples("Z"), samples("Δ")
    r, s, i, j = Index("r", SAMPLES), Index("n", SAMPLES), Index("i", N), Index("j", N)
    total = mul(SHARE, over(r, whole("ℓ", 0, (i,), Entry(z.array, (r, i)), ())))
    slope = Tensor((s, j), whole("ℓ", 1, (i,), Entry(z.array, (s, i)), (j,)))
    return Question(
        f"mean-{name}", f"The gradient by the {name}, for a mean over the batch", BATCH, COST,
        ({"weights": w, "biases": b}[name],), (w, a, b),
        ((z, weighted_input(w, a, b, SAMPLES, "row")), (COST, Tensor((), total))), "", {}, ((delta, slope),),
        {"": "kjipq" if name == "weights" else "jipqk", "N": "nmr"}, ROWS,
    )  # fmt: skip


def squared_error() -> Question:
    """∂C/∂Z = (1/N) (Y - T) ∘ f'(Z) for C = 1/(2N) Σ (y - t)²."""
    z, y, t = samples("Z"), samples("Y"), samples("T")
    at = Index("r", SAMPLES), Index("i", N)
    error = Power(sub(Entry(y.array, at), Entry(t.array, at)), Fraction(2))
    total = mul(num(Fraction(1, 2)), SHARE, over(at[0], over(at[1], error)))
    return Question(
        "mean-squared-error", "The mean squared error of a batch", BATCH, COST, (z,), (z, t),
        ((y, Elementwise("f", z)), (COST, Tensor((), total))), letters={"": "jipq", "N": "nmr"}, standing=ROWS,
    )  # fmt: skip


MEANS = (mean("weights", W), mean("biases", B), squared_error())

# --- softmax -------------------------------------------------------------------------------------

S, T = column("s"), column("t")
ONE_SAMPLE = "One sample, in a column."
SOFTMAX = ((S, SoftmaxForm(Z, 0)),)


def likelihood(name: str, title: str, hypotheses: Mapping[str, Hypothesis]) -> Question:
    """∂C/∂z = s Σ_k t_k - t for C = -Σ_k t_k log s_k, and s - t if the targets sum to one."""
    k = Index("k", N)
    cost = neg(over(k, mul(Entry(T.array, (k,)), Apply("log", Entry(S.array, (k,))))))
    return Question(
        name, title, ONE_SAMPLE, COST, (Z,), (Z, T), (*SOFTMAX, (COST, Tensor((), cost))),
        letters={"": "jkip"}, hypotheses=hypotheses, avoid=FUSED, cited=TOLD,
    )  # fmt: skip


def mean_likelihood() -> Question:
    """∂C/∂Z = (S - T)/N for the mean over N samples, one in each row, whose targets each sum to one."""
    z, s, t = samples("Z"), samples("S"), samples("T")
    m, n, k = Index("m", SAMPLES), Index("n", SAMPLES), Index("k", N)
    cost = mul(num(-1), SHARE, over(m, over(k, mul(Entry(t.array, (m, k)), Apply("log", Entry(s.array, (m, k)))))))
    return Question(
        "softmax-mean-likelihood", "The mean negative log likelihood of a batch",
        "A batch of `N` samples, one in each row.", COST, (z,), (z, t),
        ((s, SoftmaxForm(z, 1)), (COST, Tensor((), cost))), letters={"": "jkip", "N": "nm"}, standing=ROWS,
        hypotheses={TARGETS: Same(over(k, Entry(t.array, (n, k))), ONE)}, avoid=FUSED, cited=TOLD,
    )  # fmt: skip


LIKELIHOOD = "Negative log likelihood on softmax"
SOFTMAXES = (
    Question("softmax-jacobian", "The Jacobian of softmax", ONE_SAMPLE, S, (Z,), (Z,), SOFTMAX,
             letters={"": "ijkp"}, jacobians=True),
    Question("softmax-any-loss", "Any loss on softmax", ONE_SAMPLE, S, (Z,), (Z,), SOFTMAX,
             letters={"": "jikp"}, cited=TOLD),
    likelihood("softmax-likelihood", LIKELIHOOD, {
        TARGETS: Same(over(Index("k", N), Entry(T.array, (Index("k", N),))), ONE)
    }),
    likelihood("softmax-likelihood-any-targets", f"{LIKELIHOOD}, for any targets", {}),
    mean_likelihood(),
)  # fmt: skip
