"""The estimators keep every rule of scikit-learn that it can check, and learn."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed (extra `train`)")

from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from symbackprop import ProvenMLPClassifier, ProvenMLPRegressor


@pytest.mark.parametrize("estimator", [ProvenMLPClassifier(), ProvenMLPRegressor(epochs=200)], ids=["class", "number"])
def test_the_whole_of_check_estimator(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(estimator, on_fail=None)
    assert [r["check_name"] for r in found if r["status"] == "failed"] == []
    assert {r["status"] for r in found} <= {"passed", "skipped"} and len(found) > 40


def test_pipeline_search_and_pickle():
    x, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    pipeline = make_pipeline(StandardScaler(), ProvenMLPClassifier((8,), epochs=60, random_state=0))
    search = GridSearchCV(pipeline, {"provenmlpclassifier__lr": [0.001, 0.02]}, cv=2).fit(x, names)
    assert search.best_score_ > 0.9 and search.best_params_ == {"provenmlpclassifier__lr": 0.02}
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(again.predict_proba(x), search.predict_proba(x))
    assert set(again.predict(x)) == set(names)


def test_a_repeated_fit_is_the_same_and_the_type_stays():
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    model = ProvenMLPClassifier(epochs=8, random_state=3, validation=0.1, patience=3)
    one, two = model.fit(x, y).predict_proba(x), clone(model).fit(x, y).predict_proba(x)
    np.testing.assert_array_equal(one, two)
    assert one.dtype == np.float32 and model.score(x, y) > 0.9 and model.n_iter_ == len(model.history_)


def test_regression_with_several_targets():
    g = np.random.default_rng(0)
    x = g.normal(size=(200, 3))
    y = np.stack([x.sum(axis=1), x[:, 0] * 2], axis=1)
    model = ProvenMLPRegressor((16,), activation="tanh", epochs=200, lr=0.01, random_state=0).fit(x, y)
    assert model.predict(x).shape == (200, 2) and model.score(x, y) > 0.95
    assert model.fit(x, y[:, 0]).predict(x).shape == (200,)


@pytest.mark.parametrize("bad", [{"activation": "relo"}, {"optimizer": "newton"}, {"lr": -1}, {"backend": "cuda"}])
def test_bad_parameters_are_value_errors(bad):
    with pytest.raises(ValueError):
        ProvenMLPClassifier(**bad).fit(np.eye(4), [0, 1, 0, 1])
