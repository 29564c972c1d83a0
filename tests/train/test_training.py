"""The loop: it learns, repeats, stops, keeps the best, and goes on from a checkpoint to the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from test_backends import needs_compiler, own_cache, quickly

from symbackprop.cli import main
from symbackprop.core.terms import SymbackpropError
from symbackprop.network.activations import loss
from symbackprop.network.dense import dense
from symbackprop.train import run_folder
from symbackprop.train.backends import compiled as toolchain
from symbackprop.train.data import Split, built_in, data_from
from symbackprop.train.loop import Session, Settings, accuracy, loss_of_mean, train
from symbackprop.train.model import decoded
from symbackprop.train.optimisers import SCHEDULES, SGD, Adam, Momentum, optimiser, rates
from symbackprop.train.run_folder import RunFolder

__all__ = ["own_cache", "quickly"]
NETWORK = dense((64, 12, 10), ("tanh", "softmax"), "cross-entropy", "row", "N")


def glyphs(validation=0.1, count=600, dtype="float32"):
    table = built_in("glyphs", 1)
    return data_from(replace(table, x=table.x[:count], y=table.y[:count]), None, dtype, 1, validation=validation)


@pytest.mark.parametrize("last", [("softmax", "cross-entropy"), ("sigmoid", "binary-cross-entropy")])
def test_training_learns_and_repeats(last):
    data = glyphs(count=4000)
    net = dense((64, 16, 10), ("gelu", last[0]), last[1], "row", "N")
    one, two = (train(net, data, Adam(0.005), Settings(epochs=10, seed=5)) for _ in range(2))
    assert one.history[-1].validation.accuracy > 0.8 and one.history[-1].train.loss < one.history[0].train.loss
    for a, b in zip(one.parameters, two.parameters, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == np.float32


def test_the_weights_are_those_of_the_best_epoch():
    data = glyphs(count=200)
    found = train(NETWORK, data, Adam(0.05), Settings(epochs=30, seed=2))
    losses = [e.judged for e in found.history]
    best = found.state.best_epoch
    assert best.judged == min(losses) and 1 < best.number < 30, "the network was meant to learn by heart"
    alone = train(NETWORK, data, Adam(0.05), Settings(epochs=best.number, seed=2))
    np.testing.assert_array_equal(alone.state.flat, found.state.best)


def test_patience_ends_a_training():
    found = train(NETWORK, glyphs(count=200), Adam(0.05), Settings(epochs=200, patience=4, seed=2))
    assert found.state.done == found.state.best_epoch.number + 4 < 200


def test_ctrl_c_keeps_the_best_of_the_whole_epochs():
    def stop(epoch):
        if epoch.number == 3:
            raise KeyboardInterrupt

    data = glyphs()
    found = train(NETWORK, data, Adam(), Settings(epochs=9), report=stop)
    whole = train(NETWORK, data, Adam(), Settings(epochs=3))
    assert found.interrupted and not whole.interrupted and found.state.done == 3
    for a, b in zip(found.parameters, whole.parameters, strict=True):
        np.testing.assert_array_equal(a, b)


def test_ctrl_c_in_the_middle_of_an_epoch(monkeypatch):
    session = Session(NETWORK, glyphs(), Adam(), Settings(epochs=5), None)
    session.epoch()
    before = session.state
    engine = session.engine

    def interrupted(order, numbers):
        engine.flat[:] = np.nan
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        session.epoch()
    assert session.state is before and np.isfinite(before.flat).all() and np.isfinite(before.best).all()


def test_a_training_that_diverges_says_so():
    net = dense((64, 12, 10), ("relu", "identity"), "squared-error", "row", "N")
    with pytest.raises(SymbackpropError, match="diverged in epoch 1; a smaller learning rate"):
        train(net, glyphs(), SGD(1e30), Settings(epochs=2))


def test_depth_50_works():
    net = dense([64, *[16] * 49, 10], ["relu"] * 49 + ["softmax"], "cross-entropy", "row", "N")
    found = train(net, glyphs(), Adam(0.001), Settings(epochs=2))
    assert len(found.parameters) == 100 and np.isfinite(found.history[-1].train.loss)


@needs_compiler
def test_what_does_not_compile_is_trained_with_numpy(monkeypatch):
    def broken(source):
        raise toolchain.NoCompiler("cc could not compile the step: error")

    monkeypatch.setattr(toolchain, "compiled", broken)
    monkeypatch.setattr("symbackprop.train.backends.choice.WORTH_COMPILING", 0.0)
    found = train(NETWORK, glyphs(), Adam(), Settings(epochs=1))
    assert found.state.backend == "numpy" and "which takes longer: cc could not compile" in found.note
    with pytest.raises(toolchain.NoCompiler):
        train(NETWORK, glyphs(), Adam(), Settings(epochs=1, backend="compiled"))


def test_ctrl_c_on_the_command_line_saves_what_there_is(tmp_path, monkeypatch, capsys):
    def stop(self, epoch):
        if epoch.number == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("symbackprop.train.progress.Progress.report", stop)
    run = str(tmp_path / "run")
    assert main(["train", "--data", "glyphs", "--epochs", "4", "--out", run]) == 130
    printed = capsys.readouterr()
    assert "after 2 epochs" in printed.out and f"go on with: symbackprop train --resume {run}" in printed.err
    assert {"weights.npz", "checkpoint.npz", "metrics.jsonl"} <= set(os.listdir(run))
    monkeypatch.undo()
    assert main(["train", "--resume", run]) == 0
    assert "after 4 epochs" in capsys.readouterr().out
    assert main(["train", "--resume", run, "--epochs", "5"]) == 0
    assert "after 5 epochs" in capsys.readouterr().out


def test_a_new_training_in_an_old_folder_does_not_go_on_with_the_old_one(tmp_path, monkeypatch, capsys):
    run = str(tmp_path / "run")
    assert main(["train", "--data", "glyphs", "--epochs", "2", "--layers", "64-9-10", "--out", run]) == 0
    monkeypatch.setattr("symbackprop.train.loop.Session.epochs", lambda self: iter(()))
    main(["train", "--data", "glyphs", "--epochs", "2", "--seed", "1", "--out", run])
    monkeypatch.undo()
    assert main(["train", "--resume", run]) == 0
    assert decoded(os.path.join(run, "weights.npz")).parameters[0].shape == (64, 32)
    config = tmp_path / "run" / "config.json"
    good = config.read_text()
    for text, message in (
        (good.replace('"seed": 1', '"seed": 2'), "another training: the data or the options have changed"),
        (good.replace('"seed": 1', '"seed": "one"'), "config.json: seed is 'one'"),
        (good.replace('"seed"', '"sead"'), "is not of this version"),
        ("[]", "is no object of options"),
    ):
        config.write_text(text)
        capsys.readouterr()
        assert main(["train", "--resume", run]) == 2
        assert message in capsys.readouterr().err


def test_a_batch_may_be_larger_than_the_data():
    assert train(NETWORK, glyphs(count=50), Adam(), Settings(epochs=2, batch=10_000)).state.steps == 2


def test_penalty_makes_weights_smaller():
    free, held = (train(NETWORK, glyphs(), Adam(0.01), Settings(epochs=15, l2=l2)) for l2 in (0.0, 0.1))
    assert np.abs(held.parameters[0]).mean() < 0.7 * np.abs(free.parameters[0]).mean()


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "adam", "adamw"])
def test_every_optimiser_learns(name):
    found = train(NETWORK, glyphs(), optimiser(name), Settings(epochs=25))
    assert found.history[-1].train.loss < 0.5 * found.history[0].train.loss


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    whole = rates(name, 0.5, 0, 100, 100)
    parts = np.concatenate([rates(name, 0.5, k, 25, 100) for k in range(0, 100, 25)])
    np.testing.assert_array_equal(whole, parts)
    assert whole[0] == 0.5 and (np.diff(whole) <= 0).all() and (whole >= 0).all()
    warm = rates(name, 0.5, 0, 100, 100, warmup=10)
    assert (np.diff(warm[:10]) > 0).all() and warm[0] == pytest.approx(0.5 / 11) and warm[10] == 0.5


def test_the_loss_of_the_mean():
    t = np.array([[1, 0], [0, 1], [1, 0], [1, 0]], np.float32)
    assert loss_of_mean(loss("cross-entropy"), t) == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25))
    assert loss_of_mean(loss("binary-cross-entropy"), t[:, :1] * 0) == 0
    assert loss_of_mean(loss("squared-error"), np.array([[1.0], [3.0]])) == 0.5


def test_accuracy_where_it_means_something():
    y, t = np.array([[0.4], [0.6]]), np.array([[0.0], [0.0]])
    assert accuracy(y, t, "binary") == 0.5 and accuracy(y, t, "regression") is None
    assert accuracy(np.array([[0.2, 0.8]]), np.array([[0, 1]]), "classes") == 1


# --- checkpoints --------------------------------------------------------------------------------------

BACKENDS = ["numpy", pytest.param("compiled", marks=needs_compiler)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("made", "schedule"), [(SGD(0.2), "constant"), (Momentum(0.05), "linear"), (Adam(), "cosine")])
def test_a_resumed_training_is_the_uninterrupted_one(backend, made, schedule, tmp_path, quickly):
    data, folder = glyphs(), run_folder.RunFolder(str(tmp_path))
    settings = Settings(epochs=7, schedule=schedule, warmup=1, backend=backend, patience=20)
    whole = train(NETWORK, data, made, settings)
    mark = run_folder.fingerprint(data)

    def stop(epoch):
        if epoch.number == 3:
            raise KeyboardInterrupt

    train(NETWORK, data, made, settings, report=stop, checkpoint=lambda s: folder.save_state(s, mark))
    state = folder.load_state(mark)
    assert state.done == 3 and state.backend == backend
    again = train(NETWORK, data, made, settings, state=state)
    np.testing.assert_array_equal(again.state.flat, whole.state.flat)
    np.testing.assert_array_equal(again.state.best, whole.state.best)
    for a, b in zip(again.state.slots, whole.state.slots, strict=True):
        np.testing.assert_array_equal(a, b)
    assert again.state.history == whole.state.history


def test_a_checkpoint_of_other_data_is_refused(tmp_path):
    data, folder = glyphs(), run_folder.RunFolder(str(tmp_path))
    session = Session(NETWORK, data, Adam(), Settings(epochs=1), None)
    folder.save_state(session.state, run_folder.fingerprint(data))
    other = replace(data, train=Split(data.train.x[::-1].copy(), data.train.t))
    with pytest.raises(SymbackpropError, match="another training: the data or the options have changed"):
        folder.load_state(run_folder.fingerprint(other))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"text"])
def test_a_broken_checkpoint_is_refused(content, tmp_path):
    (tmp_path / run_folder.CHECKPOINT).write_bytes(content)
    with pytest.raises(SymbackpropError, match="no file of this program"):
        run_folder.RunFolder(str(tmp_path)).load_state("")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
def test_kill_9_at_any_moment_and_resume_bit_for_bit(tmp_path):
    """Killed again and again, each time at another moment; at the end all is as in an undisturbed run."""
    options = ["--data", "glyphs", "--epochs", "25", "--dtype", "float64", "--validation", "0.1"]
    program = (
        "import sys; from symbackprop.train import run_folder;"
        "run_folder.Saver.__init__.__defaults__ = (0.0,);"  # a checkpoint after each epoch
        "from symbackprop.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    undisturbed, killed = str(tmp_path / "undisturbed"), str(tmp_path / "killed")
    file = os.path.join(killed, "checkpoint.npz")
    assert main(["train", *options, "--out", undisturbed]) == 0

    def run(*arguments, delay=None):
        """Whether it was killed, `delay` seconds after it had saved something new."""
        before = os.stat(file).st_mtime_ns if os.path.exists(file) else 0
        command = [sys.executable, "-c", program, "train", *arguments]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            while delay is not None and running.poll() is None:
                time.sleep(0.002)
                if os.path.exists(file) and os.stat(file).st_mtime_ns != before:
                    time.sleep(delay)
                    running.kill()
            return running.wait(120)

    assert run(*options, "--out", killed, delay=0.03) == -signal.SIGKILL
    assert run("--resume", killed, delay=0.008) == -signal.SIGKILL
    assert run("--resume", killed) == 0
    for name in ("weights.npz", "checkpoint.npz"):
        one, two = (dict(np.load(os.path.join(d, name))) for d in (undisturbed, killed))
        assert one.keys() == two.keys()
        for key in one:
            np.testing.assert_array_equal(one[key], two[key])


def test_a_run_folder_that_cannot_be_written_is_found_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        RunFolder(str(tmp_path / "file" / "x")).prepare()
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(SymbackpropError, match="is not JSON"):
        RunFolder(str(tmp_path)).config()
