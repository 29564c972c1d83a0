"""Layers, caches, losses and derivatives in the ways people write them, each with mistakes that were put in.

`ask` is the call; `wrong` are changes of the text, each of which makes the gradient wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Written:
    name: str
    code: str
    ask: str
    wrong: tuple[tuple[str, str], ...] = ()
    shapes: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    says: tuple[str, ...] = ()


def layer(
    name: str, code: str, what: str, shapes: dict[str, str], *wrong: tuple[str, str],
    says: tuple[str, ...] = (), **more: Any,
) -> Written:  # fmt: skip
    return Written(name, code, f"sb.check_layer({what}, shapes=shapes, **more)", wrong, shapes, more, says)


LAYERS = [
    layer(
        "weights drawn by the constructor, everything left on the layer",
        """
class LayerDense:
    def __init__(self, n_inputs, n_neurons):
        self.weights = 0.01 * np.random.randn(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))
    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases
    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)
""",
        "lambda D, M: LayerDense(D, M)",
        {"x": "B D", "weights": "D M"},
        ("np.sum(dvalues, axis=0, keepdims=True)", "np.mean(dvalues, axis=0, keepdims=True)"),
        ("self.inputs.T, dvalues", "self.inputs.T, dvalues * self.output"),
        says=("biases: proved", "its gradient is self.dbiases", "its gradient is self.dinputs"),
    ),
    layer(
        "a mask on a copy of the upstream gradient",
        """
class ActivationReLU:
    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.maximum(0, inputs)
    def backward(self, dvalues):
        self.dinputs = dvalues.copy()
        self.dinputs[self.inputs <= 0] = 0
""",
        "ActivationReLU",
        {"z": "B D"},
        ("[self.inputs <= 0]", "[dvalues <= 0]"),
        ("= 0\n", "= 1\n"),
    ),
    layer(
        "the update is the gradient",
        """
class Dense:
    def __init__(self, input_size, output_size):
        self.weights = np.random.randn(output_size, input_size)
        self.bias = np.random.randn(output_size, 1)
    def forward(self, input):
        self.input = input
        return np.dot(self.weights, self.input) + self.bias
    def backward(self, output_gradient, learning_rate):
        weights_gradient = np.dot(output_gradient, self.input.T)
        input_gradient = np.dot(self.weights.T, output_gradient)
        self.weights -= learning_rate * weights_gradient
        self.bias -= learning_rate * output_gradient
        return input_gradient
""",
        "lambda I, O: Dense(I, O)",
        {"x": "I 1", "weights": "O I", "bias": "O 1"},
        ("output_gradient, self.input.T)", "output_gradient ** 2, self.input.T)"),
        (
            "        self.weights -= learning_rate * weights_gradient\n",
            "        self.weights -= learning_rate * weights_gradient\n"
            "        input_gradient = np.dot(self.weights.T, output_gradient)\n",
        ),
        says=("subtracted from self.weights",),
    ),
    layer(
        "an affine layer that remembers the shape",
        """
class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b
        self.x = self.original_x_shape = self.dW = self.db = None
    def forward(self, x):
        self.original_x_shape = x.shape
        x = x.reshape(x.shape[0], -1)
        self.x = x
        return np.dot(self.x, self.W) + self.b
    def backward(self, dout):
        dx = np.dot(dout, self.W.T)
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return dx.reshape(*self.original_x_shape)
""",
        "Affine",
        {"x": "N C H", "W": "C*H M", "b": "M"},
        ("np.sum(dout, axis=0)", "np.sum(dout)"),
        ("np.dot(dout, self.W.T)", "np.dot(dout * 2, self.W.T)"),
    ),
    layer(
        "softmax with loss, no upstream gradient",
        """
class SoftmaxWithLoss:
    def __init__(self):
        self.loss = self.y = self.t = None
    def forward(self, x, t):
        self.t = t
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        self.loss = -np.sum(self.t * np.log(self.y)) / x.shape[0]
        return self.loss
    def backward(self, dout=1):
        batch_size = self.t.shape[0]
        return (self.y - self.t) / batch_size
""",
        "SoftmaxWithLoss()",
        {"x": "N K", "t": "N K"},
        ("(self.y - self.t) / batch_size", "(self.y - self.t)"),
        ("(self.y - self.t)", "(self.t - self.y)"),
        wrt="x",
        assuming=lambda t: [t.sum(axis=1) == 1],
    ),
    layer(
        "lists of parameters and gradients, written in place",
        """
class MatMul:
    def __init__(self, W):
        self.params = [W]
        self.grads = [np.zeros_like(W)]
        self.x = None
    def forward(self, x):
        W, = self.params
        self.x = x
        return np.dot(x, W)
    def backward(self, dout):
        W, = self.params
        self.grads[0][...] = np.dot(self.x.T, dout)
        return np.dot(dout, W.T)
""",
        "MatMul",
        {"x": "N D", "W": "D M"},
        ("[...] = np.dot(self.x.T, dout)", "[...] += np.dot(self.x.T, dout * dout)"),
        says=("self.grads[0]",),
    ),
    layer(
        "a sequence of layers that draw their weights",
        """
class Linear:
    def __init__(self, a, b):
        self.W = np.random.normal(0, np.sqrt(2 / a), (a, b))
        self.b = np.zeros(b)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, g):
        self.dW, self.db = self.x.T @ g, g.sum(0)
        return g @ self.W.T
class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y
    def backward(self, g):
        return g * (1 - self.y ** 2)
class Sequential:
    def __init__(self, *layers):
        self.layers = layers
    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x
    def backward(self, g):
        for layer in reversed(self.layers):
            g = layer.backward(g)
        return g
""",
        "lambda D, H, K: Sequential(Linear(D, H), Tanh(), Linear(H, K))",
        {"x": "B D"},
        ("reversed(self.layers)", "reversed(self.layers[1:])"),
        ("(1 - self.y ** 2)", "(1 - self.y) ** 2"),
        says=("W_0: proved", "self.layers[0].dW", "W_1: proved"),
    ),
    layer(
        "a base class, tables by name, gradients that are added up",
        """
class Layer:
    def __init__(self):
        self.params, self.grads = {}, {}
    def zero_grad(self):
        for name, p in self.params.items():
            self.grads[name] = np.zeros_like(p)
class Scale(Layer):
    def __init__(self, gain, shift):
        super().__init__()
        self.params["gain"], self.params["shift"] = gain, shift
        self.zero_grad()
    def __call__(self, x):
        self.x = x
        return self.params["gain"] * x + self.params["shift"]
    def backward(self, grad_output):
        self.grads["gain"] += (grad_output * self.x).sum(axis=0)
        self.grads["shift"] += grad_output.sum(axis=0)
        return grad_output * self.params["gain"]
""",
        "Scale",
        {"x": "N D", "gain": "D", "shift": "D"},
        ('self.grads["shift"] +=', 'self.grads["gain"] +='),
        ("grad_output.sum(axis=0)", "grad_output.sum(axis=0) * 2"),
        says=("self.grads['gain']",),
    ),
    layer(
        "a cache that is handed back to the method",
        """
class Swish:
    def __init__(self, beta):
        self.beta = beta
        self.grad_beta = None
    def forward(self, x):
        s = 1 / (1 + np.exp(-self.beta * x))
        return x * s, (x, s)
    def backward(self, dout, cache):
        x, s = cache
        self.grad_beta = np.sum(dout * x * x * s * (1 - s))
        return dout * (s + self.beta * x * s * (1 - s))
""",
        "Swish",
        {"x": "N", "beta": ""},
        ("dout * (s + self.beta * x", "dout * (s + x"),
        ("np.sum(dout * x * x", "np.sum(dout * x"),
        says=("self.grad_beta",),
    ),
    layer(
        "parameters that hold their gradient, of another name",
        """
class Parameter:
    def __init__(self, data):
        self.data = data
        self.grad = np.zeros(data.shape)
class Linear:
    def __init__(self, n_in, n_out):
        self.weight = Parameter(np.random.uniform(-1, 1, size=(n_out, n_in)))
        self.bias = Parameter(np.zeros(n_out))
    def forward(self, x):
        self.saved = x
        return x @ self.weight.data.T + self.bias.data
    def backward(self, grad):
        self.weight.grad += grad.T @ self.saved
        self.bias.grad += grad.sum(axis=0)
        return grad @ self.weight.data
""",
        "lambda D, M: Linear(D, M)",
        {"x": "B D", "weight": "M D"},
        ("grad.T @ self.saved", "(self.saved.T @ grad).T * 0.5"),
        ("grad @ self.weight.data", "grad @ self.weight.grad"),
        says=("its gradient is self.weight.grad", "its gradient is self.bias.grad"),
    ),
    layer(
        "two inputs, two results",
        """
class MulLayer:
    def __init__(self):
        self.x = None
        self.y = None
    def forward(self, x, y):
        self.x = x
        self.y = y
        return x * y
    def backward(self, dout):
        dx = dout * self.y
        dy = dout * self.x
        return dx, dy
""",
        "MulLayer()",
        {"x": "N", "y": "N"},
        ("return dx, dy", "return dy, dx"),
        ("dout * self.y", "dout"),
    ),
    layer(
        "a loss that is given its arguments again",
        """
class MSE:
    def forward(self, y_pred, y_true):
        return np.mean((y_true - y_pred) ** 2)
    def backward(self, dvalues, y_true):
        samples = len(dvalues)
        outputs = dvalues.shape[1]
        self.dinputs = -2 * (y_true - dvalues) / outputs
        self.dinputs = self.dinputs / samples
""",
        "MSE",
        {"p": "N K", "q": "N K"},
        (" / outputs", ""),
        ("-2 *", "2 *"),
        wrt="p",
    ),
    layer(
        "dropout, the mask of zeros and ones drawn by a binomial",
        """
class LayerDropout:
    def __init__(self, rate):
        self.rate = 1 - rate
    def forward(self, inputs):
        self.inputs = inputs
        self.binary_mask = np.random.binomial(1, self.rate, size=inputs.shape) / self.rate
        self.output = inputs * self.binary_mask
    def backward(self, dvalues):
        self.dinputs = dvalues * self.binary_mask
""",
        "LayerDropout(0.2)",
        {"x": "B D"},
        ("dvalues * self.binary_mask", "dvalues * np.random.binomial(1, self.rate, size=dvalues.shape) / self.rate"),
        ("dvalues * self.binary_mask", "dvalues"),
    ),
    layer(
        "dropout with a generator of its own, in training only",
        """
class Dropout:
    def __init__(self, p=0.5, seed=0):
        self.p, self.rng = p, np.random.default_rng(seed)
    def __call__(self, x, training):
        if not training:
            self.mask = np.ones_like(x)
        else:
            self.mask = self.rng.random(x.shape) >= self.p
        return np.where(self.mask, x / (1 - self.p), 0.0)
    def backward(self, grad):
        return np.where(self.mask, grad / (1 - self.p), 0.0)
""",
        "Dropout()",
        {"x": "B D"},
        ("grad / (1 - self.p)", "grad"),
        ("np.where(self.mask, grad", "np.where(self.rng.random(grad.shape) >= self.p, grad"),
    ),
    layer(
        "a table of vectors",
        """
class Embedding:
    def __init__(self, V, D):
        self.params = {"E": np.random.rand(V, D)}
        self.grads = {"dE": np.zeros((V, D))}
    def forward(self, ids):
        self.ids = ids
        return self.params["E"][ids]
    def backward(self, dout):
        self.grads["dE"] = np.zeros_like(self.params["E"])
        np.add.at(self.grads["dE"], self.ids, dout)
""",
        "lambda V, D: Embedding(V, D)",
        {"E": "V D", "ids": "int[V] B"},
        ('np.add.at(self.grads["dE"], self.ids, dout)', 'self.grads["dE"][self.ids] += dout'),
        says=("self.grads['dE']",),
    ),
    layer(
        "normalisation over the batch with a flag and running statistics",
        """
class BatchNormalization:
    def __init__(self, gamma, beta, momentum=0.9):
        self.gamma, self.beta, self.momentum = gamma, beta, momentum
        self.running_mean = self.running_var = None
        self.dgamma = self.dbeta = None
    def forward(self, x, train_flg=True):
        if self.running_mean is None:
            N, D = x.shape
            self.running_mean = np.zeros(D)
            self.running_var = np.zeros(D)
        if train_flg:
            mu = x.mean(axis=0)
            xc = x - mu
            var = np.mean(xc ** 2, axis=0)
            std = np.sqrt(var + 10e-7)
            xn = xc / std
            self.batch_size = x.shape[0]
            self.xc, self.xn, self.std = xc, xn, std
            self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mu
            self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var
        else:
            xn = (x - self.running_mean) / np.sqrt(self.running_var + 10e-7)
        return self.gamma * xn + self.beta
    def backward(self, dout):
        dbeta = dout.sum(axis=0)
        dgamma = np.sum(self.xn * dout, axis=0)
        dxn = self.gamma * dout
        dxc = dxn / self.std
        dstd = -np.sum((dxn * self.xc) / (self.std * self.std), axis=0)
        dvar = 0.5 * dstd / self.std
        dxc += (2.0 / self.batch_size) * self.xc * dvar
        dmu = np.sum(dxc, axis=0)
        dx = dxc - dmu / self.batch_size
        self.dgamma = dgamma
        self.dbeta = dbeta
        return dx
""",
        "BatchNormalization",
        {"x": "N D", "gamma": "D", "beta": "D"},
        ("dx = dxc - dmu / self.batch_size", "dx = dxc"),
    ),
    layer(
        "static methods with a context",
        """
class Function:
    pass
class MatMul(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b
    @staticmethod
    def backward(ctx, grad_output):
        a, b = ctx.saved_tensors
        return grad_output @ b.T, a.T @ grad_output
""",
        "MatMul",
        {"a": "N D", "b": "D M"},
        ("a.T @ grad_output", "(grad_output.T @ a).T * 2"),
    ),
    layer(
        "a network that returns a table of gradients",
        """
class Net:
    def __init__(self, W1, W2):
        self.model = {"W1": W1, "W2": W2}
    def forward(self, x):
        self.x = x
        self.h = np.dot(x, self.model["W1"])
        self.h[self.h < 0] = 0
        return np.dot(self.h, self.model["W2"])
    def backward(self, dlogp):
        dW2 = np.dot(self.h.T, dlogp)
        dh = np.dot(dlogp, self.model["W2"].T)
        dh[self.h <= 0] = 0
        dW1 = np.dot(self.x.T, dh)
        return {"W1": dW1, "W2": dW2}
""",
        "Net",
        {"x": "B D", "W1": "D H", "W2": "H K"},
        ("        dh[self.h <= 0] = 0\n", ""),
        ('{"W1": dW1, "W2": dW2}', '{"W1": dW1 * 2, "W2": dW2}'),
        wrt=["W1", "W2"],
    ),
    layer(
        "a layer that is there, with numbers in it",
        """
class Diagonal:
    def __init__(self, n):
        self.d = np.arange(1.0, n + 1)
        self.d_grad = None
    def forward(self, v):
        self.v = v
        return self.d * v
    def backward(self, u):
        self.d_grad = u * self.v
        return u * self.d
made = Diagonal(3)
""",
        "made",
        {"v": "n", "d": "n"},
        ("u * self.v", "u + self.v"),
    ),
    layer(
        "an activation by its name, kept on the layer",
        """
class Activation:
    def __init__(self, kind):
        self.f = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh}[kind]
        self.df = {"relu": lambda z: (z > 0).astype(float), "tanh": lambda z: 1 - np.tanh(z) ** 2}[kind]
    def forward(self, z):
        self.z = z
        return self.f(z)
    def bprop(self, upstream):
        return upstream * self.df(self.z)
""",
        "Activation",
        {"z": "B D"},
        ("1 - np.tanh(z) ** 2", "1 - z ** 2"),
        ("upstream * self", "self"),
        kind="tanh",
    ),
    layer(
        "what the backward takes is bundled",
        """
class Cell:
    def __init__(self, U):
        self.U = U
    def forward(self, inputs):
        x, h = inputs
        self.x, self.h = x, h
        self.new = np.tanh(x + h @ self.U)
        return self.new, 2 * self.new
    def backward(self, grads):
        dnew, dtwice = grads
        d = (dnew + 2 * dtwice) * (1 - self.new ** 2)
        self.dU = self.h.T @ d
        return d, d @ self.U.T
""",
        "Cell",
        {"x": "N H", "h": "N H", "U": "H H"},
        ("(dnew + 2 * dtwice)", "(dnew + dtwice)"),
        ("self.h.T @ d", "d.T @ self.h"),
    ),
    layer(
        "a dict of layers and its own loss",
        """
from collections import OrderedDict
class Affine:
    def __init__(self, W):
        self.W = W
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T
class Sigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out
    def backward(self, dout):
        return dout * (1.0 - self.out) * self.out
class TwoLayerNet:
    def __init__(self, W1, W2):
        self.layers = OrderedDict()
        self.layers["Affine1"] = Affine(W1)
        self.layers["Sigmoid1"] = Sigmoid()
        self.layers["Affine2"] = Affine(W2)
    def forward(self, x):
        for layer in self.layers.values():
            x = layer.forward(x)
        return x
    def backward(self, dout):
        layers = list(self.layers.values())
        layers.reverse()
        for layer in layers:
            dout = layer.backward(dout)
        return dout
""",
        "TwoLayerNet",
        {"x": "B D", "W1": "D H", "W2": "H K"},
        ("(1.0 - self.out) * self.out", "(1.0 - self.out)"),
        ("dout = layer.backward(dout)", "dout = 2 * layer.backward(dout)"),
    ),
    layer(
        "methods of other names",
        """
class Square:
    def compute(self, v):
        self.v = v
        return (v * v).sum()
    def gradient_at(self, scale):
        return 2 * scale * self.v
""",
        "Square(), 'gradient_at', forward='compute'",
        {"v": "n"},
        ("2 * scale", "scale"),
    ),
    layer(
        "an update with the layer's own rate of learning",
        """
class Dense:
    def __init__(self, n, m, lr=0.1):
        self.W, self.b, self.lr = np.random.randn(n, m), np.zeros((1, m)), lr
    def forward_pass(self, X, training=True):
        self.layer_input = X
        return X.dot(self.W) + self.b
    def backward_pass(self, accum_grad):
        W = self.W
        grad_w = self.layer_input.T.dot(accum_grad)
        grad_b = np.sum(accum_grad, axis=0, keepdims=True)
        self.W = self.W - self.lr * grad_w
        self.b = self.b - self.lr * grad_b
        return accum_grad.dot(W.T)
""",
        "lambda D, M: Dense(D, M)",
        {"x": "B D"},
        ("self.lr * grad_b", "grad_b"),
        ("accum_grad.dot(W.T)", "accum_grad.dot(self.W.T)"),
        says=("subtracted from self.W at a learning rate of self.lr",),
    ),
    layer(
        "values and gradients in a table of tables",
        """
class Linear:
    def __init__(self, n, m):
        self.params = {"W": {"val": np.random.randn(n, m), "grad": 0}, "b": {"val": np.random.randn(m), "grad": 0}}
    def forward(self, X):
        self.cache = X
        return X @ self.params["W"]["val"] + self.params["b"]["val"]
    def backward(self, dY):
        self.params["W"]["grad"] = self.cache.T @ dY
        self.params["b"]["grad"] = dY.sum(axis=0)
        return dY @ self.params["W"]["val"].T
""",
        "lambda D, M: Linear(D, M)",
        {"X": "B D"},
        ("self.cache.T @ dY", "self.cache.T @ (dY - dY.mean(0))"),
        says=("W: proved", "b: proved"),
    ),
    layer(
        "a gradient of a name that says nothing, the only new array",
        """
class Tanh:
    def forward(self, z):
        self.z = z
        self.a = np.tanh(z)
    def backward(self, upstream):
        self.delta = upstream * (1 - self.a ** 2)
""",
        "Tanh()",
        {"x": "B D"},
        ("1 - self.a ** 2", "1 - self.z ** 2"),
        says=("its gradient is self.delta",),
    ),
    layer(
        "gradients among other things in a table",
        """
class Linear:
    def __init__(self, W):
        self.W = W
        self.cache = {}
    def forward(self, x):
        self.cache["x"] = x
        return x @ self.W
    def backward(self, dz):
        self.cache["dW"] = self.cache["x"].T @ dz
        return dz @ self.W.T
""",
        "Linear",
        {"x": "B D", "W": "D M"},
        ('self.cache["x"].T @ dz', 'self.cache["x"].T @ dz / 2'),
        says=("self.cache['dW']",),
    ),
    layer(
        "any number of inputs",
        """
class Concat:
    def forward(self, *parts):
        self.n = parts[0].shape[1]
        return np.concatenate(parts, axis=1)
    def backward(self, d):
        return d[:, :self.n], d[:, self.n:]
""",
        "Concat()",
        {"a": "B D", "b": "B E"},
        ("d[:, :self.n]", "2 * d[:, :self.n]"),
    ),
    layer(
        "a dataclass with properties",
        """
from dataclasses import dataclass
@dataclass
class Scale:
    gamma: object
    x: object = None
    _dgamma: object = None
    @property
    def grads(self):
        return {"gamma": self._dgamma}
    def forward(self, x):
        self.x = x
        return x * self.gamma
    def backward(self, d):
        self._dgamma = (d * self.x).sum(0)
        return d * self.gamma
""",
        "Scale",
        {"x": "B D", "gamma": "D"},
        ("(d * self.x).sum(0)", "(d * self.x).sum(0) * self.gamma"),
    ),
]


def function(
    name: str, code: str, ask: str, shapes: dict[str, str], *wrong: tuple[str, str],
    says: tuple[str, ...] = (), **more: Any,
) -> Written:  # fmt: skip
    return Written(name, code, f"sb.{ask[:-1]}, shapes=shapes, **more)", wrong, shapes, more, says)


FUNCTIONS = [
    function(
        "a dict as the cache",
        """
def forward(x, W, b):
    z = W @ x + b
    a = np.tanh(z)
    return a, {"x": x, "W": W, "a": a}
def backward(da, cache):
    dz = da * (1 - cache["a"] ** 2)
    return cache["W"].T @ dz, dz @ cache["x"].T, dz.sum(axis=1, keepdims=True)
""",
        "check_gradient(forward, backward)",
        {"x": "D m", "W": "H D", "b": "H 1"},
        ("dz.sum(axis=1, keepdims=True)", "dz.sum(axis=1, keepdims=True) / dz.shape[1]"),
        ('1 - cache["a"] ** 2', '1 - cache["a"]'),
    ),
    function(
        "two outputs and the cache beside them",
        """
def step_forward(x, prev_c, w):
    c = prev_c + np.tanh(x * w)
    h = np.tanh(c)
    return h, c, (x, w, c, h)
def step_backward(dnext_h, dnext_c, cache):
    x, w, c, h = cache
    dc = dnext_c + dnext_h * (1 - h ** 2)
    t = np.tanh(x * w)
    da = dc * (1 - t ** 2)
    return da * w, dc, (da * x).sum(axis=0)
""",
        "check_gradient(step_forward, step_backward)",
        {"x": "N H", "prev_c": "N H", "w": "H"},
        ("dnext_c + dnext_h * (1 - h ** 2)", "dnext_h * (1 - h ** 2)"),
        ("(1 - h ** 2)", "(1 - c ** 2)"),
    ),
    function(
        "the residuals come first",
        """
def fwd(x, scale):
    r = 1 / np.sqrt(np.mean(x ** 2) + 1e-6)
    return x * r * scale, (x, r, scale)
def bwd(res, g):
    x, r, scale = res
    gs = g * scale
    return gs * r - x * r ** 3 * np.mean(gs * x), np.sum(g * x * r)
""",
        "check_gradient(fwd, bwd)",
        {"x": "n", "scale": ""},
        ("np.mean(gs * x)", "np.mean(gs)"),
        ("np.sum(g * x * r)", "np.sum(g * x)"),
    ),
    function(
        "what was saved, spread over the arguments",
        """
def relu_affine(x, W):
    z = x @ W
    return np.maximum(z, 0), z
def relu_affine_back(dout, z, x, W):
    dz = np.where(z > 0, dout, 0)
    return {"dW": x.T @ dz, "dx": dz @ W.T}
""",
        "check_gradient(relu_affine, relu_affine_back)",
        {"x": "N D", "W": "D M"},
        ("np.where(z > 0, dout, 0)", "np.where(dout > 0, dout, 0)"),
        ("x.T @ dz", "x.T @ dout"),
    ),
    function(
        "caches of steps in a list, under other names than the shapes",
        """
def run_forward(seq, start):
    h, caches = start, []
    for t in range(2):
        nxt = np.sin(seq[t] + h)
        caches.append((seq[t], h))
        h = nxt
    return h, caches
def run_backward(dh, caches):
    dseq = []
    for a, h in reversed(caches):
        dh = dh * np.cos(a + h)
        dseq.append(dh)
    return np.stack(dseq[::-1]), dh
""",
        "check_function(run_forward, run_backward)",
        {"x": "2 D", "h0": "D"},
        ("np.stack(dseq[::-1])", "np.stack(dseq)"),
        ("np.cos(a + h)", "np.cos(a)"),
    ),
    function(
        "dropout as functions",
        """
def dropout_forward(x, p=0.4):
    mask = (np.random.rand(*x.shape) > p) / (1 - p)
    return x * mask, mask
def dropout_backward(dout, mask):
    return dout * mask
""",
        "check_gradient(dropout_forward, dropout_backward)",
        {"x": "N D"},
        ("return dout * mask", "return dout * (np.random.rand(*dout.shape) > 0.4) / (1 - 0.4)"),
        ("return dout * mask", "return dout * (mask > 0)"),
    ),
    function(
        "a loss with a table of gradients",
        """
def loss_and_grads(model, x, y):
    h = np.tanh(x @ model["W"])
    scores = h @ model["v"]
    diff = scores - y
    loss = 0.5 * np.sum(diff ** 2) / len(y)
    grads = {}
    d = diff / len(y)
    grads["dv"] = h.T @ d
    grads["dW"] = x.T @ (np.outer(d, model["v"]) * (1 - h ** 2))
    return loss, grads
def objective(W, v, x, y):
    return loss_and_grads({"W": W, "v": v}, x, y)
""",
        "check_function(objective)",
        {"W": "D H", "v": "H", "x": "N D", "y": "N"},
        ("d = diff / len(y)", "d = diff"),
        ("* (1 - h ** 2)", ""),
    ),
    function(
        "a dict with the loss in it",
        """
def ridge(w, X, y, lam):
    r = X @ w - y
    return {"loss": r @ r + lam * w @ w, "grad": 2 * X.T @ r + 2 * lam * w}
""",
        "check_function(ridge)",
        {"w": "d", "X": "n d", "y": "n", "lam": ""},
        ("+ 2 * lam * w}", "+ lam * w}"),
        wrt="w",
    ),
    function(
        "gradients after the loss, the first arguments",
        """
def pair_loss(u, v, margin=1.0):
    d = u - v
    s = np.sum(d * d, axis=1)
    return np.mean(s) + margin, 2 * d / len(s), -2 * d / len(s)
""",
        "check_function(pair_loss)",
        {"a": "N D", "b": "N D"},
        ("-2 * d / len(s)", "2 * d / len(s)"),
        says=("a is the argument u",),
    ),
    function(
        "labels in a class score",
        """
def cross_entropy(logits, labels):
    m = logits.max(axis=1, keepdims=True)
    e = np.exp(logits - m)
    p = e / np.sum(e, axis=1, keepdims=True)
    n = logits.shape[0]
    loss = np.sum(-np.log(p[range(n), labels])) / n
    dlogits = p.copy()
    dlogits[range(n), labels] -= 1
    return loss, dlogits / n
""",
        "check_function(cross_entropy)",
        {"x": "N K", "y": "int[K] N"},
        ("return loss, dlogits / n", "return loss, dlogits"),
        ("-= 1", "= 1"),
    ),
    function(
        "a pair of lambdas, the second of the output",
        """
tanh = (np.tanh, lambda a: 1 - a ** 2)
""",
        "check_derivative(*tanh)",
        {"z": "B D"},
        ("1 - a ** 2", "1 - a"),
        says=("taken of the output",),
    ),
    function(
        "a derivative of the input",
        """
class SoftPlus:
    def __call__(self, x):
        return np.log(1 + np.exp(x))
    def prime(self, x):
        return 1 / (1 + np.exp(-x))
""",
        "check_derivative(SoftPlus(), SoftPlus().prime)",
        {"x": "n"},
        ("np.exp(-x)", "np.exp(x)"),
    ),
    function(
        "one function with a flag",
        """
def nonlin(x, deriv=False):
    if deriv:
        return x * (1 - x)
    return 1 / (1 + np.exp(-x))
""",
        "check_derivative(nonlin, lambda x: nonlin(x, True), of_output=True)",
        {"x": "n"},
        ("x * (1 - x)", "x * (1 + x)"),
    ),
    function(
        "a pair with a parameter",
        """
def elu(z, alpha):
    return np.where(z > 0, z, alpha * (np.exp(z) - 1))
def elu_grad(z, alpha):
    return np.where(z > 0, 1, alpha * np.exp(z))
""",
        "check_function((elu, elu_grad))",
        {"x": "n", "alpha": ""},
        ("alpha * np.exp(z))", "np.exp(z))"),
    ),
    function(
        "branches on a number",
        """
def f(x, slope=0.5):
    if x > 1:
        return slope * x
    else:
        y = x * x
    return y - 1 + slope
def f_prime(x, slope=0.5):
    return slope if x > 1 else 2 * x
""",
        "check_derivative(f, f_prime)",
        {"x": ""},
        ("else 2 * x", "else x"),
        ("return slope if x > 1", "return slope if x < 1"),
    ),
    function(
        "keys that are called like gradients, in another order",
        """
def forward(x, gamma, beta):
    return gamma * x + beta
def backward(x, gamma, beta, dout):
    return {"dbeta": dout.sum(0), "dgamma": (x * dout).sum(0), "dx": gamma * dout}
""",
        "check_gradient(forward, backward)",
        {"x": "N D", "gamma": "D", "beta": "D"},
        ('"dbeta": dout.sum(0)', '"dbeta": dout.mean(0)'),
    ),
]
ROWS = """
def flat_max(x):
    return np.max(x.reshape(-1, SIZE), axis=1)
def flat_max_back(x, dout):
    rows = x.reshape(-1, SIZE)
    d = np.zeros((dout.size, SIZE))
    d[np.arange(dout.size), np.argmax(rows, axis=1)] = dout.flatten()
    return d.reshape(x.shape)
"""
MASKED = """
class MaxPool:
    def forward(self, x):
        N, C, H, W = x.shape
        self.blocks = x.reshape(N, C, H // HIGH, HIGH, W // WIDE, WIDE)
        self.out = TOP
        self.shape = x.shape
        return self.out
    def backward(self, dout):
        mask = self.blocks == self.out[:, :, :, None, :, None]
        d = mask * dout[:, :, :, None, :, None]
        d = d / mask.sum(axis=(3, 5), keepdims=True)
        return d.reshape(self.shape)
"""
SHARED = ("d = d / mask.sum(axis=(3, 5), keepdims=True)", "d = d / mask.sum(axis=(2, 4), keepdims=True)")
MARGINS = """
def margins(s, y, gap=1):
    rows = np.arange(s.shape[0])
    over = s - s[rows, y].reshape(-1, 1) + GAP
    over[rows, y] = OWN
    value = np.maximum(over, 0).SUM
    ds = np.zeros_like(s)
    ds[over > 0] = 1
    ds[rows, y] -= (over > 0).sum(axis=1)
    return value, ds * SCALE
"""


def with_words(code: str, **words: str) -> str:
    for word, text in words.items():
        code = code.replace(word, text)
    return code


PICKS = [
    *(
        layer(f"the largest of {p} x {q} blocks by its mask, {n}",
              with_words(MASKED, HIGH=p, WIDE=q, TOP=top), "MaxPool",
              {"x": f"N C {p}*h {q}*w"}, SHARED, timeout=60)
        for p, q in (("2", "2"), ("1", "2"))
        for n, top in enumerate(("self.blocks.max(axis=(3, 5))", "self.blocks.max(axis=3).max(axis=4)"))
    ),
    *(
        function(f"the largest of rows of {size} by their places", with_words(ROWS, SIZE=size),
                 "check_gradient(flat_max, flat_max_back)", {"x": shape}, ("= dout.flatten()", "= 1"))
        for size, shape in (("4", "N 2 2"), ("3", "N K 3"))
    ),
    *(
        function(f"margins whose own one is {own}, then their kinks, {scale}",
                 with_words(MARGINS, GAP=gap, OWN=own, SUM=total, SCALE=scale),
                 "check_function(margins)", {"s": "N K", "y": "int[K] N"}, ("(over > 0).sum(axis=1)", "1"))
        for gap, own, total, scale in (
            ("1", "0", "sum() / len(s)", "(1 / len(s))"), ("0.5", "-1", "sum()", "1"),
            ("gap", "0", "mean()", "(1 / s.size)"),
        )
    ),
]  # fmt: skip
WRITTEN = [*LAYERS, *FUNCTIONS, *PICKS]
