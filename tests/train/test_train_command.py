"""Training: the optimisers, the data, the loop, and `symbackprop train` with good and bad requests."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console

from symbackprop.cli import main
from symbackprop.network.dense import dense
from symbackprop.train.data import load
from symbackprop.train.loop import Epoch, batches, train
from symbackprop.train.optimisers import SGD, Adam, Momentum, optimiser
from symbackprop.train.progress import Progress
from symbackprop.write.code.network_code import compile_gradient, compile_prediction

NETWORK = dense((3, 4, 2), ("tanh", "softmax"), "cross-entropy", "row", "N")


def problem(dtype):
    g = np.random.default_rng(0)
    parameters = [g.normal(size=s).astype(dtype) for s in ((3, 4), (4,), (4, 2), (2,))]
    x = g.normal(size=(6, 3)).astype(dtype)
    return parameters, x, np.eye(2, dtype=dtype)[[0, 1, 1, 0, 1, 0]]


def sgd(w, g, memory, step):
    return w - 0.1 * g


def momentum(w, g, memory, step):
    memory["v"] = 0.9 * memory.get("v", 0) - 0.1 * g
    return w + memory["v"]


def adam(w, g, memory, step):
    memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * g
    memory["v"] = 0.999 * memory.get("v", 0) + 0.001 * g**2
    m, v = memory["m"] / (1 - 0.9**step), memory["v"] / (1 - 0.999**step)
    return w - 0.1 * m / (np.sqrt(v) + 1e-8)


@pytest.mark.parametrize(("made", "rule"), [(SGD(0.1), sgd), (Momentum(0.1), momentum), (Adam(0.1), adam)])
def test_optimisers_follow_their_formulas(made, rule):
    parameters, x, t = problem(np.float64)
    mine, theirs = [p.copy() for p in parameters], parameters
    step, gradient = made.step(NETWORK), compile_gradient(NETWORK)
    memories = [{} for _ in parameters]
    for k in range(1, 6):
        step(x, t, mine)
        gradients = gradient(x, t, *theirs).values()
        theirs = [rule(w, g, m, k) for w, g, m in zip(theirs, gradients, memories, strict=True)]
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_optimisers_keep_the_type_of_numbers(name):
    parameters, x, t = problem(np.float32)
    optimiser(name).step(NETWORK)(x, t, parameters)
    assert {p.dtype for p in parameters} == {np.dtype(np.float32)}


def test_two_trainings_with_one_optimiser_share_nothing():
    made = Momentum(0.1)
    results = []
    for _ in range(2):
        parameters, x, t = problem(np.float64)
        step = made.step(NETWORK)
        for _ in range(3):
            step(x, t, parameters)
        results.append(parameters[0])
    np.testing.assert_array_equal(*results)


def test_glyphs_are_made_without_scikit_learn_and_are_the_same_each_time():
    one, two = load("glyphs", "float32", 3), load("glyphs", "float32", 3)
    np.testing.assert_array_equal(one.train.x, two.train.x)
    assert (one.inputs, one.classes, one.train.x.dtype) == (64, 10, np.float32)
    assert len(one.test) == len(one.train) // 4
    assert (one.train.t.sum(axis=1) == 1).all() and 0 <= one.train.x.min() and one.train.x.max() <= 1


def test_every_sample_is_in_one_batch():
    data = load("glyphs", "float64", 0).test
    found = np.concatenate([x for x, _ in batches(data, 37, np.random.default_rng(0))])
    assert len(found) == len(data)
    np.testing.assert_allclose(np.sort(found.sum(axis=1)), np.sort(data.x.sum(axis=1)))


@pytest.mark.parametrize("last", [("softmax", "cross-entropy"), ("sigmoid", "binary-cross-entropy")])
def test_training_learns_and_repeats(last):
    data = load("glyphs", "float32", 1)
    net = dense((64, 16, 10), ("gelu", last[0]), last[1], "row", "N")
    one, two = (train(net, data, Adam(0.005), epochs=8, batch=32, seed=5) for _ in range(2))
    assert one.history[-1].test_accuracy > 0.85 and one.history[-1].train_loss < one.history[0].train_loss
    for a, b in zip(one.parameters, two.parameters, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == np.float32


def test_digits_reach_95_percent(tmp_path, capsys):
    pytest.importorskip("sklearn", reason="the digits come from scikit-learn (extra `train`)")
    pytest.importorskip("matplotlib", reason="the plot needs matplotlib (extra `plot`)")
    assert main(["train", "--layers", "64-32-10", "--out", str(tmp_path / "new")]) == 0
    text = capsys.readouterr().out
    printed = float(re.search(r"test accuracy ([\d.]+)%", text)[1])
    assert printed >= 95
    weights = np.load(tmp_path / "new" / "weights.npz")
    assert {k: v.shape for k, v in weights.items()} == {"W1": (64, 32), "b1": (32,), "W2": (32, 10), "b2": (10,)}
    assert {v.dtype for v in weights.values()} == {np.dtype(np.float32)}
    data = load("digits", "float32", 0)
    net = dense((64, 32, 10), ("relu", "softmax"), "cross-entropy", "row", "N")
    y = compile_prediction(net)(data.test.x, **weights)["y"]
    accuracy = np.mean(y.argmax(axis=1) == data.test.t.argmax(axis=1))
    assert f"{accuracy:.2%}" == f"{printed:.2f}%"
    assert (tmp_path / "new" / "training.png").read_bytes().startswith(b"\x89PNG")
    space: dict[str, object] = {}
    exec((tmp_path / "new" / "gradient.py").read_text(), space)
    assert callable(space["compute"])


def test_without_matplotlib_the_weights_are_saved_all_the_same(tmp_path, capsys, monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["train", "--data", "glyphs", "--epochs", "1", "--out", str(tmp_path)]) == 0
    assert "no plot: matplotlib is not installed" in capsys.readouterr().out
    assert sorted(os.listdir(tmp_path)) == ["gradient.py", "weights.npz"]


BAD = {
    "layers": (["--layers", "64-x-10"], "--layers is like 64-32-10"),
    "negative width": (["--layers", "64--32-10"], "--layers is like 64-32-10"),
    "zero width": (["--layers", "64-0-10"], "--layers is like 64-32-10"),
    "one width": (["--layers", "64"], "--layers is like 64-32-10"),
    "inputs": (["--layers", "60-32-10"], "--layers must start with 64, the inputs of glyphs, not 60"),
    "classes": (["--layers", "64-32-9"], "--layers must end with 10, the classes of glyphs, not 9"),
    "too large": (["--layers", "64-9999999-10"], "at most 50,000,000 are trained here"),
    "activation": (["--activation", "relo"], "unknown activation 'relo': did you mean relu?"),
    "abstract activation": (["--activation", "f"], "no numbers to train with"),
    "loss": (["--loss", "cross"], "unknown loss 'cross'"),
    "abstract loss": (["--loss", "L"], "no numbers to train with"),
    "optimizer": (["--optimizer", "newton"], "unknown optimizer 'newton'"),
    "rate": (["--lr", "-1"], "the learning rate is a positive number, not -1.0"),
    "rate nan": (["--lr", "nan"], "the learning rate is a positive number, not nan"),
    "rate text": (["--lr", "fast"], "invalid float value: 'fast'"),
    "diverging": (["--optimizer", "sgd", "--lr", "1e30", "--loss", "squared-error"], "training diverged in epoch 1"),
    "epochs": (["--epochs", "0"], "--epochs is at least 1, not 0"),
    "batch": (["--batch", "-3"], "--batch is at least 1, not -3"),
    "seed": (["--seed", "-1"], "--seed is at least 0, not -1"),
    "dtype": (["--dtype", "float16"], "--dtype is float32 or float64, not float16"),
    "data": (["--data", "mnist"], "unknown data 'mnist': known are digits, glyphs"),
    "out is a file": (["--out", __file__], "exists"),
    "out in a file": (["--out", os.path.join(__file__, "x")], "directory"),
    "option": (["--speed", "9"], "unrecognized arguments: --speed 9"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD.keys())
def test_bad_requests_end_in_one_line_and_code_2(options, message, tmp_path, capsys):
    assert main(["train", "--data", "glyphs", "--out", str(tmp_path), *options]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1, error


def test_a_bad_request_leaves_nothing_behind(tmp_path):
    assert main(["train", "--data", "glyphs", "--layers", "64-32-9", "--out", str(tmp_path / "new")]) == 2
    assert os.listdir(tmp_path) == []


def test_progress_is_a_bar_on_a_terminal():
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with Progress(2, console) as progress:
        for k in (1, 2):
            progress.report(Epoch(k, 0.5, 0.6, 0.9, 0.875))
    shown = console.file.getvalue()
    assert "2/2" in shown and "accuracy 87.5%" in shown and "loss 0.5000" in shown


def test_help_does_not_import_numpy():
    code = "import sys; from symbackprop.cli import main; main(['train', '--help']); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)


def test_generated_source_does_not_depend_on_the_hash_seed():
    code = (
        "from symbackprop.network.dense import dense; from symbackprop.write.code.network_code import compile_gradient;"
        "n = dense(('n', 'm', 3), ('gelu', 'softmax'), 'squared-error', 'column', 'N');"
        "print(compile_gradient(n, cost=True).source)"
    )
    sources = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, timeout=60,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(sources) == 1
