"""The training in scikit-learn's interface: `ProvenMLPClassifier` and `ProvenMLPRegressor`."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from symbackprop.core.terms import SymbackpropError
from symbackprop.network.dense import DenseNetwork, dense
from symbackprop.write.code.network_code import compile_prediction

from .data import Data, Split, Task
from .loop import Epoch, Settings, train
from .optimisers import optimiser

Array = NDArray[Any]
FLOATS = [np.float64, np.float32]


@dataclass(eq=False, repr=False)
class _ProvenMLP(BaseEstimator):  # type: ignore[misc]
    """What both have in common.  Parameters are those of `symbackprop train`; `hidden` are the widths between."""

    hidden: tuple[int, ...] = (32,)
    _: KW_ONLY
    activation: str = "relu"
    optimizer: str = "adam"
    lr: float | None = None
    schedule: str = "constant"
    l2: float = 0.0
    epochs: int = 40
    batch: int = 32
    validation: float = 0.0
    patience: int | None = None
    backend: str = "auto"
    random_state: Any = None

    def _trained(self, x: Array, t: Array, last: str, loss: str, task: Task) -> None:
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        settings = Settings(
            self.epochs, self.batch, seed, self.l2, self.schedule, patience=self.patience, backend=self.backend
        )
        data = self._split(np.ascontiguousarray(x), t.astype(x.dtype), seed, task)
        widths, activations = [x.shape[1], *self.hidden, t.shape[1]], [*[self.activation] * len(self.hidden), last]
        try:
            self.network_: DenseNetwork = dense(widths, activations, loss, "row", "N")
            training = train(self.network_, data, optimiser(self.optimizer, self.lr), settings)
        except SymbackpropError as problem:
            raise ValueError(str(problem)) from problem
        if training.interrupted:
            raise KeyboardInterrupt
        self.parameters_: list[Array] = training.parameters
        self.history_: list[Epoch] = training.history
        self.n_iter_ = len(training.history)

    def _split(self, x: Array, t: Array, seed: int, task: Task) -> Data:
        order = np.random.default_rng([seed, 2]).permutation(len(x))
        cut = round(len(x) * self.validation)
        used, kept = order[cut:], order[:cut]
        nothing = Split(x[:0], t[:0])
        return Data("fit", Split(x[used], t[used]), nothing, Split(x[kept], t[kept]), task)

    def _outputs(self, x: Any) -> Array:
        check_is_fitted(self)
        x = validate_data(self, x, reset=False, dtype=FLOATS)
        given = [p.astype(x.dtype, copy=False) for p in self.parameters_]
        with np.errstate(over="ignore"):
            y: Array = compile_prediction(self.network_).function(x, *given)[0]
        return y


class ProvenMLPClassifier(ClassifierMixin, _ProvenMLP):  # type: ignore[misc]
    """A dense network with softmax and cross-entropy, trained with gradients that are proved for all sizes.

    x: n_samples × n_features; y: n_samples labels.  After `fit`: `classes_`, `network_`, `parameters_` (W1, b1, ...),
    `history_`, `n_iter_`.  Raises ValueError as scikit-learn's estimators do.
    """

    def fit(self, X: Any, y: Any) -> ProvenMLPClassifier:
        X, y = validate_data(self, X, y, dtype=FLOATS)
        check_classification_targets(y)
        self.classes_, k = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("Classifier can't train when only one class is present.")
        self._trained(X, np.eye(len(self.classes_))[k], "softmax", "cross-entropy", "classes")
        return self

    def predict_proba(self, X: Any) -> Array:
        """n_samples × n_classes"""
        return self._outputs(X)

    def predict(self, X: Any) -> Array:
        y = self._outputs(X)
        found: Array = self.classes_[y.argmax(axis=1)]
        return found


class ProvenMLPRegressor(RegressorMixin, _ProvenMLP):  # type: ignore[misc]
    """A dense network with a linear last layer and squared error, trained with gradients that are proved for all sizes.

    x: n_samples × n_features; y: n_samples numbers, or n_samples × n_outputs.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any) -> ProvenMLPRegressor:
        X, y = validate_data(self, X, y, dtype=FLOATS, y_numeric=True, multi_output=True)
        self._one_target = y.ndim == 1
        self._trained(X, y.reshape(len(y), -1), "identity", "squared-error", "regression")
        return self

    def predict(self, X: Any) -> Array:
        y = self._outputs(X)
        return y[:, 0] if self._one_target else y
