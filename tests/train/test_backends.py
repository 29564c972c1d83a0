"""Every backend trains as the reference does: the printed gradient with optimisers as their papers write them."""

from __future__ import annotations

import threading
from importlib.util import find_spec

import numpy as np
import pytest
from training_reference import BATCH, SAMPLES, STEPS, after_steps, batches, problem, reference, table

from symbackprop.train.backends import compiled as toolchain
from symbackprop.train.backends.choice import PlannedNumPy, chosen, engine
from symbackprop.train.backends.compiled import Compiled
from symbackprop.train.backends.jax_scan import blocks
from symbackprop.train.optimisers import SGD
from symbackprop.write.step.c_epoch import c_source
from symbackprop.write.step.functional import NAMES, compiled_function, functional_source

CASES = table()
ORDER = np.random.default_rng(3).permutation(SAMPLES)


def compiles() -> bool:
    try:
        return bool(toolchain.compiler()) and bool(toolchain.blas("float64"))
    except toolchain.NoCompiler:
        return False


needs_compiler = pytest.mark.skipif(not compiles(), reason="no C compiler, or no SciPy")
needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed (extra `jax`)")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def quickly(monkeypatch):
    """The compiler without its optimisation: the same text, in a tenth of the time."""
    monkeypatch.setattr(toolchain, "FLAGS", tuple("-O0" if f == "-O3" else f for f in toolchain.FLAGS))


def difference(make, case, dtype="float64"):
    x, t, flat = problem(case, dtype)
    expected = reference(case, x, t, flat, ORDER)
    assert np.isfinite(expected).all() and np.abs(expected - flat).max() > 1e-4, "this case shows nothing"
    return np.abs(after_steps(make, case, x, t, flat, ORDER) - expected).max()


def test_the_table_is_wide():
    assert len(CASES) >= 48 and {c.network.depth for c in CASES} == {1, 2, 3, 4}
    assert len({type(c.optimiser) for c in CASES}) == 3 and {c.l2 > 0 for c in CASES} == {True, False}
    assert len(next(iter(list(batches(ORDER, STEPS))[4:]))) < BATCH, "the last batch of an epoch is short"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_planned_numpy(case):
    assert difference(PlannedNumPy, case) < 1e-13


@needs_compiler
@pytest.mark.parametrize("k", [k for k in range(len(CASES)) if k % 3], ids=lambda k: str(CASES[k]))
def test_compiled(k, quickly):
    assert difference(Compiled, CASES[k]) < 1e-13


def has_large_products(case):
    return bool(c_source(case.step, BATCH, "float64").turned)


@needs_compiler
def test_compiled_with_all_optimisation():
    case = next(c for c in CASES if has_large_products(c) and c.network.activations[0].name == "silu")
    assert difference(Compiled, case) < 1e-13


@needs_compiler
def test_compiled_in_float32():
    case = next(c for c in CASES if not has_large_products(c) and c.network.activations[0].name == "tanh")
    assert difference(Compiled, case, "float32") < 1e-4


class Functional:
    """The text that JAX runs, run by NumPy."""

    def __init__(self, step, batch, flat, slots, x, t):
        from scipy.special import erf

        self.space = {name: getattr(np, name) for name in NAMES - {"erf", "total"}} | {"erf": erf, "total": lambda g: g}
        exec(compiled_function(functional_source(step)), self.space)
        self.state = [block for vector in (flat, *slots) for block in blocks(step, vector)]
        self.x, self.t, self.batch, self.count = x, t, batch, len(step.parameters)

    def epoch(self, order, numbers):
        starts = range(0, len(order), self.batch)
        for rows, given in zip((order[k : k + self.batch] for k in starts), numbers, strict=True):
            self.state = self.space["step"](self.x[rows], self.t[rows], len(rows), *given, *self.state)

    @property
    def flat(self):
        return np.concatenate([block.ravel() for block in self.state[: self.count]])


@pytest.mark.skipif(find_spec("scipy") is None, reason="erf is SciPy's")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_text_of_jax(case):
    assert difference(Functional, case) < 1e-13


@needs_jax
@pytest.mark.parametrize("case", CASES[4::50], ids=str)
def test_jax(case):
    from symbackprop.train.backends.jax_scan import JaxScan

    assert difference(JaxScan, case) < 1e-13


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("k", range(3))
def test_types_stay(dtype, k):
    x, t, flat = problem(CASES[k], dtype)
    assert after_steps(PlannedNumPy, CASES[k], x, t, flat, ORDER).dtype == dtype


def test_large_weights_take_their_gradient_up_in_the_product():
    pytest.importorskip("scipy")
    from training_reference import Case, dense

    for activation in ("tanh", "gelu"):
        net = dense((300, 100, 210, 3), [activation, activation, "softmax"], "cross-entropy", "row", "N")
        case = Case(net, SGD(0.1), 0)
        x, t, flat = problem(case)
        made = PlannedNumPy(case.step, BATCH, flat, [], x, t)
        assert made.source.count("gemm(") == 2
        assert difference(PlannedNumPy, case) < 1e-13


@needs_compiler
def test_samples_in_order_need_no_order(quickly):
    case = CASES[3]
    x, t, flat = problem(case)
    found = []
    for make in (PlannedNumPy, Compiled):
        for order in (None, np.arange(SAMPLES)):
            slots = [np.zeros_like(flat) for _ in case.optimiser.update.slots]
            made = make(case.step, BATCH, flat.copy(), slots, x, t)
            made.epoch(order, case.optimiser.numbers(1, np.full(5, 0.01)))
            found.append(made.flat)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[2], found[3])


@needs_compiler
def test_compiled_epochs_are_reentrant(quickly):
    """Two trainings of one network at once, in one library, do not meet."""
    case = next(c for c in CASES if has_large_products(c))
    x, t, flat = problem(case)
    starts = [flat, flat[::-1].copy()]
    alone = [after_steps(Compiled, case, x, t, s, ORDER) for s in starts]
    together: list[object] = [None, None]

    def work(k: int) -> None:
        for _ in range(20):
            together[k] = after_steps(Compiled, case, x, t, starts[k], ORDER)

    threads = [threading.Thread(target=work, args=(k,)) for k in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_a_compiler_one_line_says_so(monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    toolchain.compiler.cache_clear()
    try:
        step = CASES[0].step
        choice = chosen("auto", step, BATCH, 10**9, "float64")
        assert choice.backend == "numpy" and "no C compiler: no-such-compiler" in choice.why and "\n" not in choice.why
        with pytest.raises(toolchain.NoCompiler, match="no-such-compiler is not on the PATH"):
            chosen("compiled", step, BATCH, 1, "float64")
    finally:
        toolchain.compiler.cache_clear()


@needs_compiler
def test_what_cannot_be_compiled_is_one_line(tmp_path):
    with pytest.raises(toolchain.NoCompiler, match=r"could not compile the step: .*error"):
        toolchain.compiled("int main(void) { return nothing; }")


@needs_compiler
def test_a_broken_library_is_compiled_again(quickly):
    source = "int one(void) { return 1; }\n"
    place = toolchain.cache_directory() / f"{toolchain.key_of(source)}.so"
    place.write_bytes(b"half a library")
    assert toolchain.library(source).one() == 1


@needs_compiler
def test_a_cache_that_others_can_write_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "symbackprop").mkdir(mode=0o777)
    (tmp_path / "symbackprop").chmod(0o777)
    with pytest.raises(toolchain.NoCompiler, match="can be written by others"):
        toolchain.cache_directory()


def test_short_trainings_are_left_to_numpy_and_long_ones_compiled():
    step = CASES[0].step
    assert chosen("auto", step, 32, 100, "float32").backend == "numpy"
    assert chosen("auto", step, 32, 10**8, "float32").backend == ("compiled" if compiles() else "numpy")


def test_an_engine_is_made_by_name():
    case = CASES[0]
    x, t, flat = problem(case)
    slots = [np.zeros_like(flat) for _ in case.optimiser.update.slots]
    assert engine("numpy", case.step, BATCH, flat, slots, x, t).name == "numpy"
