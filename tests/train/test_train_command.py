"""`symbackprop train` and `symbackprop predict`: what they write, with good and bad requests."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console

from symbackprop.cli import main
from symbackprop.network.dense import dense
from symbackprop.train.data import built_in, data_from
from symbackprop.train.loop import Epoch, Measured
from symbackprop.train.model import decoded
from symbackprop.train.progress import Progress
from symbackprop.write.code.network_code import compile_prediction


def test_digits_reach_96_percent_with_the_defaults(tmp_path, capsys):
    pytest.importorskip("sklearn", reason="the digits come from scikit-learn (extra `train`)")
    pytest.importorskip("matplotlib", reason="the plot needs matplotlib (extra `plot`)")
    new = tmp_path / "new"
    assert main(["train", "--out", str(new)]) == 0
    text = capsys.readouterr().out
    printed = float(re.search(r"test accuracy ([\d.]+)%", text)[1])
    assert printed >= 96
    weights = dict(np.load(new / "weights.npz"))
    about = json.loads(str(weights.pop("model")))
    assert about["widths"] == [64, 32, 10] and about["activations"] == ["relu", "softmax"]
    assert {k: v.shape for k, v in weights.items()} == {"W1": (64, 32), "b1": (32,), "W2": (32, 10), "b2": (10,)}
    assert {v.dtype for v in weights.values()} == {np.dtype(np.float32)}
    data = data_from(built_in("digits", 0), None, "float32", 0, validation=0)
    net = dense((64, 32, 10), ("relu", "softmax"), "cross-entropy", "row", "N")
    y = compile_prediction(net)(data.test.x, **weights)["y"]
    accuracy = np.mean(y.argmax(axis=1) == data.test.t.argmax(axis=1))
    assert f"{accuracy:.2%}" == f"{printed:.2f}%"
    assert (new / "training.png").read_bytes().startswith(b"\x89PNG")
    space: dict[str, object] = {}
    exec((new / "gradient.py").read_text(), space)
    assert callable(space["compute"])
    lines = [json.loads(line) for line in (new / "metrics.jsonl").read_text().splitlines()]
    assert [e["number"] for e in lines] == list(range(41)) and lines[-1]["train"]["accuracy"] > 0.98
    assert json.loads((new / "config.json").read_text())["optimizer"] == "adam"
    assert "\\end{document}" in (new / "equations.tex").read_text()
    capsys.readouterr()
    assert main(["verify", str(new / "certificates.json")]) == 0
    names = [c["about"]["name"] for c in json.loads((new / "certificates.json").read_text())]
    assert {"δ^2", "∂C/∂W^1", "relu' from relu", "bias as a row of ones"} <= set(names)


def test_without_matplotlib_the_weights_are_saved_all_the_same(tmp_path, capsys, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    without = "symbackprop.train.run_folder.find_spec"
    monkeypatch.setattr(without, lambda name: None if name == "matplotlib" else real(name))
    assert main(["train", "--data", "glyphs", "--epochs", "2", "--out", str(tmp_path)]) == 0
    assert "no plot: matplotlib is not installed" in capsys.readouterr().out
    assert "training.png" not in os.listdir(tmp_path) and "weights.npz" in os.listdir(tmp_path)


FLOWERS = "length,width,colour\n" + "".join(
    f"{i % 7 + (9 if i % 2 else 0)},{i % 5},{'red' if i % 2 else 'blue'}\n" for i in range(300)
)
HOUSES = "size;rooms;price\n" + "".join(f"{i % 9};{i % 4};{2 * (i % 9) - (i % 4)}.5\n" for i in range(90))


def trained(tmp_path, text, *options, name="own.csv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    run = str(tmp_path / "run")
    assert main(["train", "--data", str(tmp_path / name), "--standardize", "--out", run, *options]) == 0
    return run


def test_classes_of_ones_own_are_told_apart_and_predicted(tmp_path, capsys):
    run = trained(tmp_path, FLOWERS, "--epochs", "60", "--patience", "30")
    assert float(re.search(r"test accuracy ([\d.]+)%", capsys.readouterr().out)[1]) == 100
    (tmp_path / "new.csv").write_text("width,name,length\n0,a,1\n0,b,14\n", encoding="utf-8")
    assert main(["predict", run, str(tmp_path / "new.csv")]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head == "predicted,share of blue,share of red"
    assert first.startswith("blue,0.9") and second.startswith("red,")
    out = tmp_path / "out.csv"
    assert main(["predict", run + "/weights.npz", str(tmp_path / "new.csv"), "--out", str(out)]) == 0
    assert out.read_text().splitlines() == [head, first, second]


def test_two_classes_with_one_output(tmp_path, capsys):
    run = trained(tmp_path, FLOWERS, "--loss", "binary-cross-entropy", "--layers", "2-8-1", "--epochs", "60")
    assert "test accuracy 100.00%" in capsys.readouterr().out
    assert main(["predict", run, str(tmp_path / "own.csv")]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head == "predicted,share of blue,share of red" and [r.partition(",")[0] for r in rows[:2]] == ["blue", "red"]
    shares = np.array([r.split(",")[1:] for r in rows], float)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)


def test_targets_far_from_0_are_learnt_in_their_own_units(tmp_path, capsys):
    text = "area,rooms,price\n" + "".join(
        f"{30 + 13 * i % 171},{i % 5},{100000 + 1000 * (30 + 13 * i % 171) + 20000 * (i % 5)}.5\n" for i in range(300)
    )
    run = trained(tmp_path, text, "--lr", "0.01")
    off = float(re.search(r"off by ([\d.]+) in the root mean square", capsys.readouterr().out)[1])
    assert main(["predict", run, str(tmp_path / "own.csv")]) == 0
    found = np.array(capsys.readouterr().out.split()[1:], float)
    wanted = np.array([row.rsplit(",", 1)[1] for row in text.split()[1:]], float)
    error = float(np.sqrt(np.mean((found - wanted) ** 2)))
    assert error < 5000 < wanted.std() / 5 and off / 2 < error < 2 * off


def test_numbers_are_predicted_without_a_word_of_accuracy(tmp_path, capsys):
    options = ["--target", "price", "--epochs", "60", "--lr", "0.01", "--activation", "\\frac{z}{1+e^{-z}}"]
    run = trained(tmp_path, HOUSES, *options)
    text = capsys.readouterr().out
    assert "accuracy" not in text and float(re.search(r"test loss ([\d.e-]+)", text)[1]) < 0.5
    assert main(["predict", run, str(tmp_path / "own.csv")]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head == "predicted" and abs(float(rows[0]) - 0.5) < 1.5 and abs(float(rows[8]) - 16.5) < 1.5
    assert decoded_widths(run) == [2, 32, 1]


def decoded_widths(run):
    from symbackprop.commands.activations import named_or_formula

    return [n.constant for n in decoded(run + "/weights.npz", named_or_formula).network.widths]


BAD_PREDICTIONS = {
    "no model": (["nowhere", "own.csv"], "nowhere: no such file or directory"),
    "not a model": (["own.csv", "own.csv"], "own.csv is no file of this program"),
    "columns": (["run", "narrow.csv"], "narrow.csv has 1 columns and the network takes 2: width is missing"),
    "text": (["run", "text.csv"], "text.csv:2: column length: 'long' is not a number"),
    "nan": (["run", "nan.csv"], "sample 1 has a value that is no finite number"),
    "no data": (["run", "gone.csv"], "gone.csv: no such file or directory"),
}


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    place = tmp_path_factory.mktemp("predictions")
    trained(place, FLOWERS, "--epochs", "20")
    (place / "narrow.csv").write_text("length\n1\n")
    (place / "text.csv").write_text("length,width\nlong,1\n")
    (place / "nan.csv").write_text("length,width\nnan,1\n")
    return place


@pytest.mark.parametrize(("arguments", "message"), BAD_PREDICTIONS.values(), ids=BAD_PREDICTIONS.keys())
def test_bad_predictions_end_in_one_line(arguments, message, predictions, capsys, monkeypatch):
    monkeypatch.chdir(predictions)
    assert main(["predict", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1, error


BAD = {
    "layers": (["--layers", "64-x-10"], "--layers is like 64-32-10"),
    "negative width": (["--layers", "64--32-10"], "--layers is like 64-32-10"),
    "zero width": (["--layers", "64-0-10"], "--layers is like 64-32-10"),
    "one width": (["--layers", "64"], "--layers is like 64-32-10"),
    "validation": (["--validation", "1"], "--validation is a share of the samples, at least 0 and below 1, not 1.0"),
    "no samples left": (["--validation", "0.9", "--test", "0.1"], "test and validation leave none of 4000 samples"),
    "patience": (["--patience", "0"], "--patience is at least 1, not 0"),
    "schedule": (["--schedule", "steps"], "unknown schedule 'steps': known are constant, linear, cosine, halving"),
    "l2": (["--l2", "-1"], "--l2 is at least 0, not -1.0"),
    "backend": (["--backend", "cuda"], "unknown backend 'cuda': known are auto, numpy, compiled, jax"),
    "data file": (["--data", "nowhere.csv"], "nowhere.csv: no such file or directory"),
    "data suffix": (["--data", __file__], ".py is not read: .csv, .tsv, .npz, .parquet are"),
    "resume": (["--resume", os.path.dirname(__file__)], "has no config.json: no training was begun there"),
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
    "data": (["--data", "mnist"], "unknown data 'mnist': known are digits, glyphs, and files .csv, .npz, .parquet"),
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
            progress.report(Epoch(k, Measured(0.5, 0.9), Measured(0.6, 0.875)))
    shown = console.file.getvalue()
    assert "2/2" in shown and "accuracy 87.5%" in shown and "loss 0.5000" in shown


def test_help_does_not_import_numpy():
    code = "import sys; from symbackprop.cli import main; main(['train', '--help']); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)


def test_a_rate_that_teaches_nothing_is_said(tmp_path, capsys):
    options = ["--data", "glyphs", "--optimizer", "sgd", "--lr", "300", "--epochs", "3", "--out", str(tmp_path)]
    assert main(["train", *options]) == 1
    assert "nothing was learnt: the loss is" in capsys.readouterr().err


def test_the_first_step_is_near(tmp_path):
    """What is imported before a training in NumPy: no scikit-learn for one's own data, no JAX, no matplotlib."""
    (tmp_path / "own.csv").write_text(FLOWERS)
    code = (
        "import sys, os; from symbackprop.cli import main;"
        f"os.chdir({str(tmp_path)!r}); main(['train', '--data', 'own.csv', '--epochs', '1', '--out', 'run']);"
        "main(['predict', 'run', 'own.csv', '--out', 'p.csv']);"
        "assert not {'sklearn', 'jax', 'pandas', 'pyarrow'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=120)


def test_generated_source_does_not_depend_on_the_hash_seed():
    code = (
        "from symbackprop.network.dense import dense; from symbackprop.write.code.network_code import compile_gradient;"
        "n = dense((4, 5, 3), ('gelu', 'softmax'), 'squared-error', 'column', 'N');"
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
