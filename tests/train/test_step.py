"""The assignments of a step, the rewrites they rest on, and what may be in generated text."""

from __future__ import annotations

import re
from time import process_time

import pytest

from symbackprop.core.terms import SymbackpropError, add, mul, num
from symbackprop.network.activations import ACTIVATIONS, Z, scalar_activation
from symbackprop.network.dense import dense
from symbackprop.network.steps import (
    SLOPES,
    deltas_from_outputs,
    prove_adam_change,
    prove_adam_slot,
    prove_bias_gradients,
    prove_bias_row,
    prove_from_output,
    prove_penalty,
)
from symbackprop.network.theorems import prove_equation
from symbackprop.train.equations import equations, latex_page
from symbackprop.train.optimisers import OPTIMISERS, SGD, Adam
from symbackprop.write.code.compiled import UnsafeSource
from symbackprop.write.code.network_code import compile_cost, compile_gradient
from symbackprop.write.step.assignments import Multiply, Reduce, accumulating, extent, in_place, line, text
from symbackprop.write.step.c_epoch import c_source
from symbackprop.write.step.c_functions import check_c, header
from symbackprop.write.step.from_forms import training_step
from symbackprop.write.step.functional import compiled_function, functional_source
from symbackprop.write.step.planned_numpy import compiled_plan, planned

NETWORK = dense((64, 32, 10), ("tanh", "softmax"), "cross-entropy", "row", "N")
STEP = training_step(NETWORK, SGD().update)
DEEP = dense([64, *[32] * 49, 10], ["relu"] * 49 + ["softmax"], "cross-entropy", "row", "N")


def test_the_step_reads_like_the_equations():
    assert text(in_place(STEP)) == "\n".join((
        "A1 = x0 @ W1", "A1 = tanh(A1 + b1)", "D2 = A1 @ W2", "D2 = D2 + b2", "v3 = max_1 D2", "D2 = exp(D2 - v3)",
        "v5 = sum_1 D2", "D2 = (s0 / N) * ((D2 / v5) - t0)", "dW2 = A1ᵀ @ D2", "db2 = sum_0 D2", "D1 = D2 @ W2ᵀ",
        "D1 = D1 * (1 - (A1 * A1))", "dW1 = x0ᵀ @ D1", "db1 = sum_0 D1", "P0 = P0 - G0",
    ))  # fmt: skip


# --- the rewrites are theorems ----------------------------------------------------------------------


@pytest.mark.parametrize("name", SLOPES)
def test_slopes_from_outputs_are_proved(name):
    _, equation = prove_from_output(ACTIVATIONS[name])
    assert equation.lhs == ACTIVATIONS[name].slope and not equation.conditions


def test_a_wrong_slope_is_not_proved(monkeypatch):
    monkeypatch.setitem(SLOPES, "tanh", SLOPES["sigmoid"])
    with pytest.raises(SymbackpropError, match="not proved"):
        prove_from_output(ACTIVATIONS["tanh"])


def test_a_function_of_the_same_name_gets_no_slope_of_the_table():
    other = scalar_activation("tanh", Z)
    net = dense((3, 4, 2), (other, "softmax"), "cross-entropy", "row", "N")
    assert deltas_from_outputs(net) == net.deltas()


@pytest.mark.parametrize("hidden", [f for f in ACTIVATIONS])
def test_signals_from_outputs_are_those_of_the_network(hidden):
    """The last signal is proved with the slope in terms of outputs; hidden ones differ by `prove_from_output` alone."""
    net = dense(("n", "m"), (hidden,), "squared-error", "row", "N")
    (_, form), *_ = deltas_from_outputs(net)
    assert prove_equation(net, net.z(1), form).equation.conditions == frozenset() or hidden in ("relu", "softsign")


def test_the_bias_as_a_row_of_ones_is_proved():
    forward = prove_bias_row()[1]
    weights, bias = (found[1] for found in prove_bias_gradients())
    assert not forward.conditions and not weights.conditions and not bias.conditions
    assert str(forward).endswith("= Σ_q A[i,q]*W[q,j] + b[j]")
    assert re.search(r"= Σ_(\w) δ\[\1,j\]$", str(bias))


def test_adam_with_other_slots_is_proved():
    assert str(prove_adam_slot()[1]).startswith("(β*m + (1 - β)*g)*(1 - β)^-1 = β*(m*(1 - β)^-1) + g")
    assert len(prove_adam_change()[1].conditions) == 3


def test_the_gradient_of_the_penalty_is_proved():
    found = prove_penalty(dense(("n", "m"), ("tanh",), "squared-error", "row", "N"), 1)[1]
    assert str(found).endswith("= λ*W^{1}[p,q]")


def test_all_equations_of_a_training_are_proved_and_written():
    proved = equations(NETWORK, Adam(), 0.1)
    names = [p.name for p in proved]
    for name in ("δ^2", "∂C/∂W^1", "tanh' from tanh", "bias as a row of ones", "penalty on the weights"):
        assert name in names
    page = latex_page("a & b_1", proved)
    assert page.count(r"\[") == len(proved) and r"a \& b\_1" in page and r"\end{document}" in page


# --- cost -------------------------------------------------------------------------------------------


def generated(net, optimiser):
    step = training_step(net, optimiser.update)
    planned(step).source, functional_source(step), c_source(step, 32, "float32")


@pytest.mark.parametrize("widths", [(64, 32, 10), (50_000, 20_000, 3000)], ids=str)
def test_code_is_generated_quickly_at_any_width(widths):
    net = dense(widths, ("relu", "softmax"), "cross-entropy", "row", "N")
    generated(net, Adam())
    compile_cost(net), compile_gradient(net)  # what is imported and cached once is not counted
    start = process_time()
    generated(net, Adam())
    compile_cost(net), compile_gradient(net)
    assert process_time() - start < 0.3


def test_the_text_grows_with_the_depth():
    """At depth 50 the text is about 25 times that of depth 2, and there is no recursion over layers."""
    start = process_time()
    step = training_step(DEEP, SGD().update)
    sources = [planned(step).source, functional_source(step), c_source(step, 32, "float32").source]
    assert process_time() - start < 3
    for source, two in zip(sources, (planned(STEP).source, functional_source(STEP), ""), strict=True):
        assert len(source) < 40 * max(len(two), 2000)


# --- order and memory -------------------------------------------------------------------------------


def test_a_parameter_changes_after_its_last_use():
    reordered, taken = accumulating(STEP)
    lines = [line(a) for a in reordered.assignments]
    assert taken == {"dW1", "db1", "dW2", "db2"}
    assert lines.index("D1 = v9 @ W2ᵀ") if "D1 = v9 @ W2ᵀ" in lines else True
    places = {a.target: k for k, a in enumerate(reordered.assignments)}
    readers = [k for k, a in enumerate(reordered.assignments) if isinstance(a, Multiply) and "W2" in (a.left, a.right)]
    assert places["dW2"] > max(readers)


@pytest.mark.parametrize("name", [n for n in OPTIMISERS if n != "sgd"])
def test_other_optimisers_accumulate_nothing(name):
    assert accumulating(training_step(NETWORK, OPTIMISERS[name]().update))[1] == frozenset()


@pytest.mark.parametrize("value", [num(2), Z, mul(num(3), Z), add(num(1), mul(num(-1), Z))], ids=str)
@pytest.mark.parametrize("widths", [(3, 4, 2), (1, 1, 1)], ids=str)
def test_only_samples_are_reduced(value, widths):
    """Backends rely on it: what is the same for all samples stands in full where it is defined."""
    net = dense(widths, (scalar_activation("g", value), "identity"), "squared-error", "row", "N")
    step = training_step(net, SGD().update, 0.1)
    reduced = [a.value for a in step.assignments if isinstance(a, Reduce)]
    assert reduced and all(extent(e, step.shapes)[0] == "N" for e in reduced)


def test_a_step_needs_batches_in_rows():
    for net in (dense((3, 2), ("tanh",), "squared-error", "column", "N"), dense((3, 2), ("tanh",), "squared-error")):
        with pytest.raises(SymbackpropError, match="batches in row convention"):
            training_step(net, SGD().update)


@pytest.mark.parametrize(("hidden", "loss", "named"), [("f", "squared-error", "f"), ("tanh", "abstract", "L")])
def test_what_has_no_numbers_is_refused_by_name(hidden, loss, named):
    net = dense((3, 4, 2), (hidden, "identity"), "L" if loss == "abstract" else loss, "row", "N")
    with pytest.raises(SymbackpropError, match=f"{named!r}"):
        training_step(net, SGD().update)


# --- what may be in generated text --------------------------------------------------------------------

PLAN = planned(STEP).source
FORGED_PLANS = {
    "import": PLAN.replace("def plan", "import os\ndef plan", 1),
    "name": PLAN.replace("tanh(A1", "system(A1", 1),
    "attribute": PLAN.replace("A1 = aA1[:-1]", "A1 = aA1.__class__", 1),
    "text": PLAN.replace("axis=0", "axis='x'", 1),
    "keyword": PLAN.replace("keepdims=True", "where=True", 1),
    "default": PLAN.replace("def step(x0,", "def step(x0=open,", 1).replace("t0, s0", "t0=1, s0=1", 1),
    "call of a value": PLAN.replace("tanh(A1", "(lambda: 0)(A1", 1),
    "statement": PLAN.replace("    return step", "    while True:\n        pass\n    return step", 1),
    "assigned name": PLAN.replace("A1 = aA1[:-1]", "dot = aA1[:-1]", 1),
    "decorator": PLAN.replace("    def step", "    @plan\n    def step", 1),
    "operator": PLAN.replace("(s0 / n0)", "(s0 @ n0)", 1),
}


@pytest.mark.parametrize("name", FORGED_PLANS)
def test_forged_plans_are_refused(name):
    assert FORGED_PLANS[name] != PLAN
    with pytest.raises(UnsafeSource):
        compiled_plan(FORGED_PLANS[name])


FUNCTION = functional_source(STEP)
FORGED_FUNCTIONS = {
    "name": FUNCTION.replace("exp(", "eval(", 1),
    "attribute": FUNCTION.replace(".T @", ".__dict__ @", 1),
    "text": FUNCTION.replace("keepdims=True", "keepdims='True'", 1),
    "keyword": FUNCTION.replace("keepdims=True", "where=True", 1),
    "statement": FUNCTION.replace("    dW1 =", "    import os\n    dW1 =", 1),
    "default": FUNCTION.replace("b2):", "b2=open):", 1),
    "method": FUNCTION.replace("total(dW1)", "dW1.T()", 1),
    "comparison": FUNCTION.replace("maximum", "max", 1).replace("(v", "(1 == v", 1),
    "comprehension": FUNCTION.replace("total(dW1)", "total([x for x in dW1])", 1),
}


@pytest.mark.parametrize("name", FORGED_FUNCTIONS)
def test_forged_functions_are_refused(name):
    assert FORGED_FUNCTIONS[name] != FUNCTION
    with pytest.raises(UnsafeSource):
        compiled_function(FORGED_FUNCTIONS[name])


C = c_source(STEP, 32, "float32").source
FORGED_C = {
    "header": C.replace("typedef float real;", "typedef double real;"),
    "call": C.replace("gemm(f,", "system(f,", 1),
    "include": C + "#include <stdlib.h>\n",
    "pragma": C.replace("#pragma omp simd", "#pragma GCC dependency", 1),
    "string": C + '    char *s = "text";\n',
    "asm": C + "    asm(0);\n",
    "line continued": C + "    r1 \\\n",
    "comment": C + "    // text\n    /* text */\n",
    "trigraph or macro": C + "    __FILE__;\n",
}


@pytest.mark.parametrize("name", FORGED_C)
def test_forged_c_is_refused(name):
    assert FORGED_C[name] != C
    with pytest.raises(UnsafeSource):
        check_c(FORGED_C[name], "float32")


def test_what_is_generated_passes():
    check_c(C, "float32")
    compiled_plan(PLAN)
    compiled_function(FUNCTION)
    assert C.startswith(header("float32"))
