"""The equations of one layer, for a layer anywhere in a network of any depth.

What comes after a layer is an abstract differentiable function: ℒ(y) after the last layer L, ℒ(z^{l+1}) after a layer
l < L, ℒ(z^l) for the parameters of layer l.  The signals are δ^l = ∂ℒ/∂z^l.  So the equation for δ^L (the base) and
the one from δ^{l+1} to δ^l (the step) together give the signals of every layer, for every depth L and all widths n_l,
as long as the loss depends on layer l only through z^{l+1} and no two layers share a weight.
"""

from __future__ import annotations


from collections.abc import Callable, Mapping
from dataclasses import dataclass
from symbackprop.core.matrix import UNIT, Elementwise, Leaf, Plus, Product
from symbackprop.core.matrix import Softmax as SoftmaxForm
from symbackprop.network.dense import ABOVE, BEFORE_LAST, BELOW, HERE, LAST, SAMPLES, Layers, weighted_input, width
from symbackprop.write.program.notation import Standing
from symbackprop.story.told import COLUMNS, NUMERATOR, ROWS, Question
from fractions import Fraction
from symbackprop.core.context import Hypothesis, Same
from symbackprop.core.indices import Index, sized
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import ONE, Apply, Array, Entry, Power, mul, neg, num, over, sub, whole


GRADIENT = "A derivative by an array is shaped as the array."
NUMERATORS = "Numerator layout: a derivative by an array is shaped as its transpose."
INDUCTION = (
    "Everything above layer `l+1` is one differentiable function of `z^{l+1}`, so with the equation of the last "
    "layer this one holds for every layer of a network of any depth."
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One sample or a batch, columns or rows, gradient or numerator layout."""

    layers: Layers
    standing: Standing

    @property
    def name(self) -> str:
        parts = (self.layers.convention, "batch" * self.batch, "numerator" * self.standing.numerator)
        return "-".join(p for p in parts if p)

    @property
    def said(self) -> str:
        parts = (f"{self.layers.convention}s", "batch" * self.batch, "numerator layout" * self.standing.numerator)
        return ", ".join(p for p in parts if p)

    @property
    def about(self) -> str:
        sample = "A batch of `N` samples, one in each" if self.batch else "One sample, its values in a"
        return f"{sample} {self.layers.convention}. {NUMERATORS if self.standing.numerator else GRADIENT}"

    @property
    def batch(self) -> bool:
        return self.layers.batch is not None


LETTERS = {str(width(LAST)): "ji", str(width(HERE)): "ji", "N": "nm", "": "kpqrs"}  # a unit, one of the layer before
LETTERS_ABOVE = {str(width(ABOVE)): "ij", "N": "nm", "": "kpqrs"}

KINDS = (
    Kind(Layers("column"), COLUMNS),
    Kind(Layers("column"), NUMERATOR),
    Kind(Layers("row"), ROWS),
    Kind(Layers("column", SAMPLES), COLUMNS),
    Kind(Layers("row", SAMPLES), ROWS),
)  # one sample and batches, columns and rows; columns also in the layout of the notes


def activation_jacobian() -> Question:
    """∂y_i/∂z_a = δ_ia f'(z_a): the Jacobian of an activation that acts entry by entry is diagonal."""
    layers = Layers("column")
    y, z = layers.samples("y", None, width(LAST)), layers.z(LAST)
    return Question(
        "activation-jacobian", "The Jacobian of an activation", "One sample, its values in a column.", y, (z,), (z,),
        ((y, Elementwise("f", z)),), letters={"": "iakpq"}, jacobians=True,
    )  # fmt: skip


def last_layer(kind: Kind) -> Question:
    """δ^L = ∂ℒ/∂y ∘ f'(z^L), and from it the gradient by the weights."""
    layers = kind.layers
    y, z, w, a = layers.samples("y", None, width(LAST)), layers.z(LAST), layers.w(LAST), layers.a(BEFORE_LAST)
    return Question(
        f"last-layer-{kind.name}", f"The last layer ({kind.said})", kind.about, y, (w,), (w, a, layers.b(LAST)),
        ((z, layers.forward(LAST)), (y, Elementwise("f", z))), kind.said, {z: layers.delta(LAST)}, (),
        LETTERS, kind.standing,
    )  # fmt: skip


def signal_step(kind: Kind) -> Question:
    """δ^l = (W^{l+1})^T δ^{l+1} ∘ f'(z^l) in columns, δ^l = δ^{l+1} (W^{l+1})^T ∘ f'(z^l) in rows."""
    layers = kind.layers
    z, a, above, w = layers.z(HERE), layers.a(HERE), layers.z(ABOVE), layers.w(ABOVE)
    signals: dict[Leaf, Leaf] = {above: layers.delta(ABOVE), z: layers.delta(HERE)}
    return Question(
        f"signal-step-{kind.name}", f"From the signal of one layer to that of the layer before ({kind.said})",
        f"{kind.about} {INDUCTION}", above, (z,), (w, z, layers.b(ABOVE)),
        ((a, Elementwise("f", z)), (above, layers.forward(ABOVE))), kind.said, signals, (),
        LETTERS_ABOVE, kind.standing,
    )  # fmt: skip


def weights(kind: Kind) -> Question:
    """∂ℒ/∂W^l = δ^l (a^{l-1})^T in columns, (a^{l-1})^T δ^l in rows."""
    return parameter(kind, "weights", kind.layers.w(HERE))


def biases(kind: Kind) -> Question:
    """∂ℒ/∂b^l = δ^l; for a batch its sum over the samples: δ^l 1 in columns, 1^T δ^l in rows."""
    return parameter(kind, "biases", kind.layers.b(HERE))


def parameter(kind: Kind, name: str, variable: Leaf) -> Question:
    layers = kind.layers
    z = layers.z(HERE)
    return Question(
        f"{name}-{kind.name}", f"The gradient by the {name} of a layer ({kind.said})", kind.about, z, (variable,),
        (layers.w(HERE), layers.a(BELOW), layers.b(HERE)), ((z, layers.forward(HERE)),), kind.said,
        {z: layers.delta(HERE)}, (), LETTERS, kind.standing,
    )  # fmt: skip


def of_each_kind(question: Callable[[Kind], Question]) -> tuple[Question, ...]:
    return tuple(map(question, KINDS))


# --- z = W x + b by its entries, costs that are a mean over a batch, softmax with the negative log likelihood ---


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
