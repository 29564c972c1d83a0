"""A training step of each backend beside its peers: idiomatic and hand-tuned NumPy, the products of matrices alone, a
JAX scan, scikit-learn and PyTorch, where they are installed.

    taskset -c 1 python benchmarks/training.py [--rounds 15] [--case 64-32-10] [--dtype float32] [--optimizer sgd]

All run in this process, on one thread, over the same samples in the same order, in turns and in changing order; a
round times some epochs of each in CPU time.  The figure is the median over rounds of idiomatic / contender within the
round, so that what else the machine does meets both.  Before timing, all are trained for some steps and must agree.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from time import process_time
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # read once, when NumPy is imported
for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)  # they hold NumPy and SciPy back, and nobody else
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np  # noqa: E402

from symbackprop.core.terms import SymbackpropError  # noqa: E402
from symbackprop.network.dense import dense  # noqa: E402
from symbackprop.train.backends.choice import PlannedNumPy, jax_scan  # noqa: E402
from symbackprop.train.backends.compiled import Compiled  # noqa: E402
from symbackprop.train.loop import parameters  # noqa: E402
from symbackprop.train.optimisers import SGD, Adam  # noqa: E402
from symbackprop.write.step.from_forms import training_step  # noqa: E402

LR = {"sgd": 0.1, "adam": 0.001}
# network, samples of a batch, batches of an epoch
CASES = [("2-8-1", 4, 1024), ("64-32-10", 32, 64), ("784-128-10", 64, 32), ("784-512-512-10", 256, 4)]
# idiomatic / contender, at least: with tanh, by optimizer, network and contender
GOALS = {
    ("sgd", "2-8-1"): {"numpy": 2.3, "compiled": 80.0},
    ("sgd", "64-32-10"): {"numpy": 1.5, "compiled": 3.9},
    ("sgd", "784-128-10"): {"numpy": 1.05, "compiled": 1.12},
    ("adam", "2-8-1"): {"numpy": 1.2},
    ("adam", "64-32-10"): {"numpy": 1.25},
    ("adam", "784-128-10"): {"numpy": 1.08},
}


@dataclass(frozen=True)
class Case:
    """A network, the samples of its batches in order, and where its parameters start (W1, b1, W2, ...)."""

    name: str
    batch: int
    dtype: str
    activation: str
    optimizer: str
    x: Any
    t: Any
    start: list[Any]

    @property
    def widths(self) -> list[int]:
        return [int(n) for n in self.name.split("-")]

    @property
    def last(self) -> tuple[str, str]:
        return ("sigmoid", "binary-cross-entropy") if self.widths[-1] == 1 else ("softmax", "cross-entropy")

    @property
    def steps(self) -> int:
        return len(self.x) // self.batch

    def batches(self) -> list[tuple[Any, Any]]:
        b = self.batch
        return [(self.x[k : k + b], self.t[k : k + b]) for k in range(0, len(self.x), b)]


def drawn(name: str, batch: int, steps: int, dtype: str, activation: str, optimizer: str) -> Case:
    g = np.random.default_rng(0)
    widths = [int(n) for n in name.split("-")]
    start: list[Any] = []
    for n, m in pairwise(widths):
        start += [(g.normal(size=(n, m)) / n**0.5).astype(dtype), (0.01 * g.normal(size=m)).astype(dtype)]
    x = g.uniform(size=(batch * steps, widths[0])).astype(dtype)
    labels = g.integers(max(2, widths[-1]), size=len(x))
    t = (labels[:, None] if widths[-1] == 1 else np.eye(widths[-1])[labels]).astype(dtype)
    return Case(name, batch, dtype, activation, optimizer, x, t, start)


# --- contenders: each is made of a case, runs epochs, and gives its parameters ----------------------


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# f(z), and f'(z) from a = f(z)
BY_HAND: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda a: a > 0),
    "tanh": (np.tanh, lambda a: 1 - a**2),
}


class Idiomatic:
    """The step as one writes it: a loop over layers forward, a loop over layers backward."""

    def __init__(self, case: Case) -> None:
        self.f, self.slope = BY_HAND[case.activation]
        self.last = sigmoid if case.last[0] == "sigmoid" else softmax
        self.data, self.adam = case.batches(), case.optimizer == "adam"
        self.parameters = [p.copy() for p in case.start]
        self.W, self.b = self.parameters[::2], self.parameters[1::2]
        self.means, self.squares = ([np.zeros_like(p) for p in case.start] for _ in range(2))
        self.count = 0

    def epochs(self, n: int) -> None:
        for _ in range(n):
            for x, t in self.data:
                self.step(x, t)

    def step(self, x: Any, t: Any) -> None:
        W, b, a = self.W, self.b, [x]
        for l in range(len(W)):
            z = a[-1] @ W[l] + b[l]
            a.append(self.f(z) if l < len(W) - 1 else self.last(z))
        delta = (a[-1] - t) / len(x)
        gradients: list[Any] = []
        for l in reversed(range(len(W))):
            dW = a[l].T @ delta
            db = delta.sum(axis=0)
            if l > 0:
                delta = (delta @ W[l].T) * self.slope(a[l])
            if self.adam:
                gradients = [dW, db, *gradients]
            else:
                W[l] -= LR["sgd"] * dW
                b[l] -= LR["sgd"] * db
        if self.adam:
            self.update(gradients)

    def update(self, gradients: list[Any]) -> None:
        self.count += 1
        for w, g, m, v in zip(self.parameters, gradients, self.means, self.squares, strict=True):
            m *= 0.9
            m += 0.1 * g
            v *= 0.999
            v += 0.001 * g**2
            w -= LR["adam"] * (m / (1 - 0.9**self.count)) / (np.sqrt(v / (1 - 0.999**self.count)) + 1e-8)


class HandTuned:
    """Buffers and views made once, biases as rows of the weights, updates accumulated by SciPy's gemm; SGD only."""

    def __init__(self, case: Case) -> None:
        from scipy.linalg import blas

        if case.optimizer != "sgd":
            raise ImportError("only SGD is tuned by hand")
        widths, dtype, self.case = case.widths, case.dtype, case
        self.Wa = [
            np.ascontiguousarray(np.concatenate([w, b[None]]).T)
            for w, b in zip(case.start[::2], case.start[1::2], strict=True)
        ]
        self.WaT, self.WT = [w.T for w in self.Wa], [w[:, :-1].T for w in self.Wa]
        ones = np.concatenate([case.x, np.ones((len(case.x), 1), dtype)], axis=1)
        self.data = [
            (ones[k : k + case.batch].T, np.ascontiguousarray(case.t[k : k + case.batch].T))
            for k in range(0, len(case.x), case.batch)
        ]
        self.A = [np.ones((n + 1, case.batch), dtype) for n in widths[1:-1]]
        self.D = [np.empty((n, case.batch), dtype) for n in widths[1:]]
        self.F = [np.empty((n, case.batch), dtype) for n in widths[1:-1]]
        self.m = np.empty(case.batch, dtype)
        self.gemm = blas.sgemm if dtype == "float32" else blas.dgemm
        self.tanh, self.binary = case.activation == "tanh", case.last[0] == "sigmoid"

    def epochs(self, n: int) -> None:
        for _ in range(n):
            for x, t in self.data:
                self.step(x, t)

    def step(self, x: Any, t: Any) -> None:
        A, D, a = self.A, self.D, x
        for l in range(len(A)):
            z = A[l][:-1]
            np.dot(self.Wa[l], a, out=z)
            np.tanh(z, out=z) if self.tanh else np.maximum(z, 0, out=z)
            a = A[l]
        z = D[-1]
        np.dot(self.Wa[-1], a, out=z)
        if self.binary:
            np.negative(z, out=z)
            np.exp(z, out=z)
            np.add(z, 1, out=z)
            np.reciprocal(z, out=z)
        else:
            np.maximum.reduce(z, axis=0, out=self.m)
            np.subtract(z, self.m, out=z)
            np.exp(z, out=z)
            np.add.reduce(z, axis=0, out=self.m)
            np.divide(z, self.m, out=z)
        np.subtract(z, t, out=z)
        alpha = -LR["sgd"] / self.case.batch
        for l in range(len(D) - 1, -1, -1):
            if l:
                np.matmul(self.WT[l], D[l], out=D[l - 1])
                f, a = self.F[l - 1], A[l - 1][:-1]
                if self.tanh:
                    np.multiply(a, a, out=f)
                    np.subtract(1, f, out=f)
                else:
                    np.greater(a, 0, out=f)
                np.multiply(D[l - 1], f, out=D[l - 1])
            before, turned = (A[l - 1].T, 1) if l else (x, 0)
            self.gemm(alpha, before, D[l].T, 1.0, self.WaT[l], turned, 0, 1)

    @property
    def parameters(self) -> list[Any]:
        return [p for w in self.Wa for p in (w[:, :-1].T, w[:, -1])]


class Products:
    """The products of matrices of a step and nothing else: no training, a bound for whatever calls them from Python."""

    parameters = None

    def __init__(self, case: Case) -> None:
        g, widths, b, self.steps = np.random.default_rng(0), case.widths, case.batch, case.steps
        A = [g.random((b, n)).astype(case.dtype) for n in widths]
        self.calls: list[tuple[Any, Any, Any]] = []
        for l, w in enumerate(case.start[::2]):
            self.calls.append((A[l], w, np.empty_like(A[l + 1])))
            self.calls.append((A[l].T, A[l + 1], np.empty_like(w)))
            if l:
                self.calls.append((A[l + 1], w.T, np.empty_like(A[l])))

    def epochs(self, n: int) -> None:
        dot, calls = np.dot, self.calls
        for _ in range(n * self.steps):
            for a, b, out in calls:
                dot(a, b, out=out)


class Ours:
    """A backend of this program."""

    def __init__(self, case: Case, backend: Callable[..., Any]) -> None:
        hidden = [case.activation] * (len(case.widths) - 2)
        network = dense(case.widths, [*hidden, case.last[0]], case.last[1], "row", "N")
        lr = LR[case.optimizer]
        self.optimiser = SGD(lr) if case.optimizer == "sgd" else Adam(lr)
        self.network_step = training_step(network, self.optimiser.update)
        flat = np.concatenate([p.ravel() for p in case.start])
        slots = [np.zeros_like(flat) for _ in self.optimiser.update.slots]
        self.engine = backend(self.network_step, case.batch, flat, slots, case.x, case.t)
        self.rates, self.done = np.full(case.steps, lr), 0

    def epochs(self, n: int) -> None:
        for _ in range(n):
            self.engine.epoch(None, self.optimiser.numbers(self.done + 1, self.rates))
            self.done += len(self.rates)
        self.parameters  # noqa: B018 - what was begun is over

    @property
    def parameters(self) -> list[Any]:
        return parameters(self.network_step, self.engine.flat)


class JaxScan:
    """jax.grad of the loss, jitted, with a scan over the batches of the epoch."""

    def __init__(self, case: Case) -> None:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", case.dtype == "float64")
        hidden = jnp.tanh if case.activation == "tanh" else jax.nn.relu
        binary, adam, lr = case.last[0] == "sigmoid", case.optimizer == "adam", LR[case.optimizer]

        def loss(p: Any, x: Any, t: Any) -> Any:
            for l in range(0, len(p), 2):
                z = x @ p[l] + p[l + 1]
                x = hidden(z)
            if binary:
                return jnp.mean(jnp.logaddexp(0, z) - t * z)
            return -jnp.mean(jnp.sum(t * jax.nn.log_softmax(z), axis=1))

        def step(state: Any, batch: Any) -> Any:
            p, m, v, k = state
            g = jax.grad(loss)(p, *batch)
            if not adam:
                return ([a - lr * b for a, b in zip(p, g, strict=True)], m, v, k), None
            k = k + 1
            m = [0.9 * a + 0.1 * b for a, b in zip(m, g, strict=True)]
            v = [0.999 * a + 0.001 * b**2 for a, b in zip(v, g, strict=True)]
            p = [
                a - lr * (c / (1 - 0.9**k)) / (jnp.sqrt(d / (1 - 0.999**k)) + 1e-8)
                for a, c, d in zip(p, m, v, strict=True)
            ]
            return (p, m, v, k), None

        self.run = jax.jit(lambda state, data: jax.lax.scan(step, state, data)[0], donate_argnums=0)
        shape = (case.steps, case.batch, -1)
        self.data = (jnp.asarray(case.x.reshape(shape)), jnp.asarray(case.t.reshape(shape)))
        zeros = [[jnp.zeros_like(p) for p in case.start] if adam else [] for _ in range(2)]
        self.state = ([jnp.array(p) for p in case.start], *zeros, jnp.zeros((), case.dtype))
        self.ready = jax.block_until_ready

    def epochs(self, n: int) -> None:
        for _ in range(n):
            self.state = self.run(self.state, self.data)
        self.ready(self.state)

    @property
    def parameters(self) -> list[Any]:
        return [np.asarray(p) for p in self.state[0]]


class ScikitLearn:
    """MLPClassifier.partial_fit, an epoch a call."""

    def __init__(self, case: Case) -> None:
        from sklearn.neural_network import MLPClassifier

        self.x = case.x
        self.y = case.t[:, 0].astype(int) if case.last[0] == "sigmoid" else case.t.argmax(axis=1)
        self.model = MLPClassifier(
            tuple(case.widths[1:-1]), activation=case.activation, solver=case.optimizer, alpha=0.0,
            batch_size=case.batch, learning_rate_init=LR[case.optimizer], shuffle=False, momentum=0.0,
            nesterovs_momentum=False, random_state=0,
        )  # fmt: skip
        self.model.partial_fit(self.x, self.y, classes=np.arange(max(2, case.widths[-1])))
        for l, (w, b) in enumerate(zip(case.start[::2], case.start[1::2], strict=True)):
            self.model.coefs_[l][...], self.model.intercepts_[l][...] = w, b
        if case.optimizer == "adam":
            optimizer = self.model._optimizer
            optimizer.t = 0
            for slot in (*optimizer.ms, *optimizer.vs):
                slot[...] = 0

    def epochs(self, n: int) -> None:
        for _ in range(n):
            self.model.partial_fit(self.x, self.y)

    @property
    def parameters(self) -> list[Any]:
        return [p for pair in zip(self.model.coefs_, self.model.intercepts_, strict=True) for p in pair]


class Torch:
    """nn.Module, backward, optim.step."""

    def __init__(self, case: Case) -> None:
        import torch

        torch.set_num_threads(1)
        layers: list[Any] = []
        for w, b in zip(case.start[::2], case.start[1::2], strict=True):
            linear = torch.nn.Linear(*w.shape, dtype=getattr(torch, case.dtype))
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(w.T.copy()))
                linear.bias.copy_(torch.from_numpy(b.copy()))
            layers += [linear, torch.nn.Tanh() if case.activation == "tanh" else torch.nn.ReLU()]
        self.linear, self.network = layers[::2], torch.nn.Sequential(*layers[:-1])
        self.loss = torch.nn.BCEWithLogitsLoss() if case.last[0] == "sigmoid" else torch.nn.CrossEntropyLoss()
        kind = torch.optim.SGD if case.optimizer == "sgd" else torch.optim.Adam
        self.optimizer = kind(self.network.parameters(), lr=LR[case.optimizer])
        self.data = [(torch.from_numpy(x), torch.from_numpy(t)) for x, t in case.batches()]

    def epochs(self, n: int) -> None:
        for _ in range(n):
            for x, t in self.data:
                self.optimizer.zero_grad()
                self.loss(self.network(x), t).backward()
                self.optimizer.step()

    @property
    def parameters(self) -> list[Any]:
        return [p for l in self.linear for p in (l.weight.detach().numpy().T, l.bias.detach().numpy())]


CONTENDERS: dict[str, Callable[[Case], Any]] = {
    "idiomatic": Idiomatic,
    "hand-tuned": HandTuned,
    "products": Products,
    "numpy": lambda case: Ours(case, PlannedNumPy),
    "compiled": lambda case: Ours(case, Compiled),
    "jax": lambda case: Ours(case, jax_scan),
    "jax scan": JaxScan,
    "sklearn": ScikitLearn,
    "torch": Torch,
}


# --- timing -------------------------------------------------------------------------------------


def seconds(contender: Any, epochs: int) -> float:
    start = process_time()
    contender.epochs(epochs)
    return process_time() - start


MISSING = set[str]()


def entered(case: Case, names: list[str]) -> dict[str, Any]:
    """The contenders that are installed; they must agree after an epoch from the same start."""
    found: dict[str, Any] = {}
    for name in names:
        try:
            found[name] = CONTENDERS[name](case)
        except (ImportError, SymbackpropError) as problem:
            if name not in MISSING:
                print(f"no {name}: {problem}", file=sys.stderr)
            MISSING.add(name)
    for contender in found.values():
        contender.epochs(1)
    for name, contender in found.items():
        if contender.parameters is not None:
            pairs = zip(contender.parameters, found["idiomatic"].parameters, strict=True)
            difference = max(float(np.abs(a - b).max()) for a, b in pairs)
            # scikit-learn adds ε elsewhere; Adam makes steps of gradients that rounding decides
            rough = 2e-2 if case.optimizer == "adam" else 1e-4
            limit = 1e-10 if case.dtype == "float64" and name != "sklearn" else rough
            assert difference < limit, f"{name} differs by {difference} in {case.name}, {case.dtype}"
    return found


def measured(case: Case, names: list[str], rounds: int, block: float) -> dict[str, tuple[float, float]]:
    """Microseconds a step and idiomatic / contender, medians."""
    contenders = entered(case, names)
    repeats: dict[str, int] = {}
    for name, contender in contenders.items():
        once = min(seconds(contender, 1) for _ in range(3))
        many = max(1, round(0.1 * block / max(once, 1e-6)))
        repeats[name] = max(1, round(block / max(seconds(contender, many) / many, 1e-7)))
    times: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            times[name].append(seconds(contenders[name], repeats[name]) / (repeats[name] * case.steps))
    return {
        name: (
            1e6 * statistics.median(found),
            statistics.median(a / b for a, b in zip(times["idiomatic"], found, strict=True)),
        )
        for name, found in times.items()
    }


def cases(options: argparse.Namespace) -> Iterator[Case]:
    for name, batch, steps in CASES:
        if options.case and name not in options.case:
            continue
        for optimizer in options.optimizer or LR:
            for activation in options.activation or BY_HAND:
                for dtype in options.dtype or ("float32", "float64"):
                    yield drawn(name, batch, steps, dtype, activation, optimizer)


def goal(case: Case, name: str) -> float:
    """What a backend of this program must reach: never below idiomatic NumPy."""
    wanted = GOALS.get((case.optimizer, case.name), {}).get(name, 1.0) if case.activation == "tanh" else 1.0
    return 5.0 if (name, case.name, case.dtype, wanted) == ("compiled", "64-32-10", "float32", 3.9) else wanted


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--block", type=float, default=0.03, help="seconds a contender runs in a round")
    parser.add_argument("--case", choices=[case for case, _, _ in CASES], action="append", help="only these networks")
    parser.add_argument("--optimizer", choices=[*LR], action="append")
    parser.add_argument("--activation", choices=[*BY_HAND], action="append")
    parser.add_argument("--dtype", choices=["float32", "float64"], action="append")
    parser.add_argument("--only", choices=[*CONTENDERS], action="append", help="only these contenders")
    options = parser.parse_args()
    names = [n for n in CONTENDERS if not options.only or n in (*options.only, "idiomatic")]
    print("idiomatic in microseconds a step, then idiomatic / contender")
    print(f"{'network':>15} {'optimizer':>9} {'f':>5} {'type':>8} " + " ".join(f"{n:>10}" for n in names))
    missed: list[str] = []
    for case in cases(options):
        found = measured(case, names, options.rounds, options.block)
        shown = [f"{found['idiomatic'][0]:>10.1f}"]
        shown += [f"{found[n][1]:>10.2f}" if n in found else f"{'-':>10}" for n in names[1:]]
        what = f"{case.name:>15} {case.optimizer:>9} {case.activation:>5} {case.dtype:>8}"
        print(what, *shown, flush=True)
        for name in ("numpy", "compiled"):
            if name in found and found[name][1] < goal(case, name):
                missed.append(f"{' '.join(what.split())}: {name} {found[name][1]:.2f} < {goal(case, name)}")
    print("\n".join(["below the goal:", *missed] if missed else ["every goal is reached"]))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
