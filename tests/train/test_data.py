"""One's own data: what is read, and one clear line for what nothing can be learnt from."""

from __future__ import annotations

import io

import numpy as np
import pytest

from symbackprop.core.terms import SymbackpropError
from symbackprop.train.data import Table, built_in, constant_features, data_from, guessed
from symbackprop.train.tables import features, table

GOOD = "a,b,y\n1,2,x\n3,4,z\n5,6,x\n7,8,z\n9,10,x\n"


def written(tmp_path, content, name="d.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


@pytest.mark.parametrize(
    "text",
    [GOOD, GOOD.replace(",", ";"), GOOD.replace(",", "\t"), "\ufeff" + GOOD, GOOD.replace("\n", "\r\n"), GOOD + "\n\n",
     GOOD.replace("1,2,x", '"1"," 2 ",x')],
    ids=["comma", "semicolon", "tab", "mark", "windows", "empty lines", "quoted"],
)  # fmt: skip
def test_csv(text, tmp_path):
    found = table(written(tmp_path, text))
    assert found.columns == ("a", "b") and found.targets == ("y",)
    np.testing.assert_array_equal(found.x, np.arange(1, 11).reshape(5, 2))
    assert found.y.tolist() == ["x", "z", "x", "z", "x"]


def test_csv_without_names_and_with_chosen_columns(tmp_path):
    assert table(written(tmp_path, "1,2\n3,4\n")).columns == ("c1",)
    found = table(written(tmp_path, GOOD), ["a"], ["y"])
    assert found.columns == ("b",) and found.y.tolist() == [1, 3, 5, 7, 9]
    two = table(written(tmp_path, "a,b,c\n1,2,3\n4,5,6\n"), ["a", "c"])
    assert two.y.shape == (2, 2) and two.columns == ("b",)


BAD_FILES = {
    "empty": ("", "d.csv is empty"),
    "blank": ("\n\n", "d.csv is empty"),
    "names only": ("a,b\n", "names of columns and no sample"),
    "cells": (GOOD + "1,2\n", "d.csv:7: 2 cells where 3 columns were expected"),
    "text": (GOOD.replace("3,4", "3,four"), "d.csv:3: column b: 'four' is not a number"),
    "missing": (GOOD.replace("3,4", "3,"), "d.csv:3: column b: has no value"),
    "no target": (GOOD.replace("3,4,z", "3,4,"), "d.csv: column y: sample 2 has no value"),
    "twice": ("a,a,y\n1,2,3\n", "d.csv:1: the column 'a' is there twice"),
    "one column": ("a\n1\n2\n", "no column beside the target a"),
}


@pytest.mark.parametrize(("text", "message"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_bad_csv(text, message, tmp_path):
    with pytest.raises(SymbackpropError, match=message.replace(".", r"\.")):
        table(written(tmp_path, text))


def test_columns_that_are_not_there(tmp_path):
    path = written(tmp_path, GOOD)
    with pytest.raises(SymbackpropError, match="has no column 'q': it has a, b, y"):
        table(path, ["q"])
    with pytest.raises(SymbackpropError, match="3 columns and the network takes 2: q is missing"):
        features(path, ("a", "q"))
    np.testing.assert_array_equal(features(path, ("b",)), np.array([[2, 4, 6, 8, 10.0]]).T)
    two = written(tmp_path, "p,q\n1,2\n", "e.csv")
    with pytest.raises(SymbackpropError, match="2 columns and the network takes 2: a is missing"):
        features(two, ("a", "b"))
    np.testing.assert_array_equal(features(two, ("c1", "c2")), [[1, 2]])
    np.testing.assert_array_equal(features(written(tmp_path, "1,2\n", "f.csv"), ("a", "b")), [[1, 2]])


@pytest.mark.parametrize("content", ["a,b\n1,ä\n".encode("latin-1"), b"\xff\xfea\x00,\x00"])
def test_what_is_no_text(content, tmp_path):
    with pytest.raises(SymbackpropError, match=r"d\.csv is no CSV in UTF-8"):
        table(written(tmp_path, content))


def test_npz(tmp_path):
    out = io.BytesIO()
    np.savez(out, X=np.zeros((4, 2, 2)), y=np.array([0, 1, 0, 1]))
    found = table(written(tmp_path, out.getvalue(), "d.npz"))
    assert found.x.shape == (4, 4) and found.y.tolist() == [0, 1, 0, 1]
    for content, message in ((b"no zip", "no NPZ file"), (saved(z=np.zeros(2)), "has no array x: it has z")):
        with pytest.raises(SymbackpropError, match=message):
            table(written(tmp_path, content, "d.npz"))
    with pytest.raises(SymbackpropError, match="numbers are needed"):
        table(written(tmp_path, saved(x=np.array([["a"]]), y=np.zeros(1)), "d.npz"))


def test_npz_runs_nothing(tmp_path):
    """A pickled object in a file is refused, not loaded."""
    content = saved(x=np.array([print], dtype=object), y=np.zeros(1))
    with pytest.raises(SymbackpropError, match="no NPZ file"):
        table(written(tmp_path, content, "d.npz"))


def saved(**arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def test_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `parquet`)")
    from pyarrow import parquet

    path = str(tmp_path / "d.parquet")
    parquet.write_table(pyarrow.table({"a": [1, 2, 3], "b": [1.5, 2.5, 3.5], "y": ["p", "q", "p"]}), path)
    found = table(path)
    assert found.x.tolist() == [[1, 1.5], [2, 2.5], [3, 3.5]] and found.y.tolist() == ["p", "q", "p"]
    parquet.write_table(pyarrow.table({"a": [1, None, 3], "y": [1, 2, 3]}), path)
    with pytest.raises(SymbackpropError, match="sample 2: column a: has no value"):
        table(path)
    with pytest.raises(SymbackpropError, match="no Parquet file"):
        table(written(tmp_path, b"text", "e.parquet"))


# --- what nothing can be learnt from ---------------------------------------------------------------

X, Y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])


def changed(x, at, value):
    x = x.astype(float)
    x[at] = value
    return x


BAD_TABLES = {
    "nan": (changed(X, (2, 1), np.nan), Y, "sample 3, column 2 is NaN"),
    "infinite": (changed(X, (0, 0), -np.inf), Y, "sample 1, column 1 is infinite"),
    "several": (changed(X, (slice(None), 0), np.nan), Y, r"sample 1, column 1 is NaN \(and 5 more\)"),
    "too large for the type": (changed(X, (1, 1), 1e300), Y, "sample 2, column 2 is infinite as float32"),
    "target nan": (X, changed(Y, 4, np.nan), "sample 5, column 1 is NaN in the target"),
    "one sample": (X[:1], Y[:1], "1 sample; training needs at least 2"),
    "no sample": (X[:0], Y[:0], "0 samples; training needs at least 2"),
    "one class": (X, Y * 0, "all samples are of one class, 0; there is nothing to tell apart"),
    "lengths": (X, Y[:4], "6 samples but 4 targets"),
    "axes": (X[0], Y, r"features are a matrix, a row for each sample, not of shape \(2,\)"),
    "no features": (X[:, :0], Y, "features are a matrix"),
}


@pytest.mark.parametrize(("x", "y", "message"), BAD_TABLES.values(), ids=BAD_TABLES.keys())
def test_bad_tables(x, y, message):
    with pytest.raises(SymbackpropError, match=message):
        data_from(Table("d", x, y), "classes", "float32", 0, test=0, validation=0)


def test_targets_that_do_not_fit_the_task():
    with pytest.raises(SymbackpropError, match="tells 2 classes apart, and here are 3"):
        data_from(Table("d", X, np.array([0, 1, 2, 0, 1, 2])), "binary", "float64", 0)
    with pytest.raises(SymbackpropError, match="the target is text"):
        data_from(Table("d", X, np.array(list("ababab"))), "regression", "float64", 0)
    with pytest.raises(SymbackpropError, match="classes are one target, not 2"):
        data_from(Table("d", X, X), "classes", "float64", 0)


@pytest.mark.parametrize(
    ("y", "task"),
    [(np.array(["a", "b"] * 5), "classes"), (Y, "classes"), (np.array([0.0, 1.0] * 5), "classes"),
     (np.linspace(0, 1, 10), "regression"), (np.arange(10), "regression"), (X, "regression"),
     (np.array([True, False] * 3), "classes")],
)  # fmt: skip
def test_the_task_is_guessed_from_the_target(y, task):
    assert guessed(y) == task


def test_splits_and_scaling():
    g = np.random.default_rng(0)
    x = np.concatenate([g.normal(5, 3, size=(100, 2)), np.full((100, 1), 7.0)], axis=1)
    data = data_from(Table("d", x, g.normal(size=100), ("p", "q", "r")), None, "float64", 0, standardize=True)
    assert (len(data.train), len(data.test), len(data.validation)) == (70, 20, 10)
    np.testing.assert_allclose(data.train.x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(data.train.x.std(axis=0), [1, 1, 0], atol=1e-12)
    assert data.task == "regression" and constant_features(data) == ["r"]
    parts = (data.train, data.test, data.validation)
    together = np.concatenate([p.x * data.scaling.deviation + data.scaling.mean for p in parts])
    np.testing.assert_allclose(np.sort(together, axis=0), np.sort(x, axis=0))
    np.testing.assert_allclose([data.train.t.mean(), data.train.t.std()], [0, 1], atol=1e-12)


def test_glyphs_are_made_without_scikit_learn_and_are_the_same_each_time():
    one, two = built_in("glyphs", 3), built_in("glyphs", 3)
    np.testing.assert_array_equal(one.x, two.x)
    data = data_from(one, None, "float32", 3, validation=0)
    assert (data.inputs, data.classes, data.train.x.dtype) == (64, 10, np.float32)
    assert len(data.test) == len(data.train) // 4
    assert (data.train.t.sum(axis=1) == 1).all() and 0 <= data.train.x.min() and data.train.x.max() <= 1
