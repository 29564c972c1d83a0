"""Functions of JAX's for the reader's tests: each with the shapes of its arguments.  Run by JAX and by the reader."""

import jax
import jax.numpy as jnp
from jax import lax

MASK = jnp.array([[1.0, 0.0], [1.0, 1.0]])
X = {"x": "n m"}
XY = {"x": "n m", "y": "n m"}

TABLE = {
    # entries
    "arithmetic": (XY, lambda x, y: (x + y) * x - y / x + -x),
    "powers": (XY, lambda x, y: x**2 + x**3 + x**-1 + jnp.abs(x) ** 0.5 + jnp.abs(x) ** y + 2.0**y),
    "roots": (X, lambda x: lax.rsqrt(x * x + 1e-3) + jnp.sqrt(x * x) + jnp.cbrt(x)),
    "exponentials": (X, lambda x: jnp.exp(x) + jnp.exp2(x) + jnp.expm1(x) + jnp.log(x * x) + jnp.log1p(x * x)),
    "trigonometry": (X, lambda x: jnp.sin(x) * jnp.cos(x) + jnp.tan(x) + jnp.arctan(x) + jnp.arcsin(x) + jnp.arccos(x)),
    "hyperbolic": (X, lambda x: jnp.sinh(x) + jnp.cosh(x) + jnp.tanh(x) + jnp.arcsinh(x) + jnp.arctanh(x)),
    "sigmoids": (X, lambda x: jax.nn.sigmoid(x) + jax.nn.softplus(x) + jax.nn.silu(x) + jax.nn.log_sigmoid(x)),
    "special": (X, lambda x: lax.erf(x) + lax.erfc(x)),
    "relus": (X, lambda x: jax.nn.relu(x) + jax.nn.leaky_relu(x, 0.1) + jax.nn.elu(x) + jax.nn.relu6(x)),
    "gelus": (X, lambda x: jax.nn.gelu(x) + jax.nn.gelu(x, approximate=False)),
    "smooth": (X, lambda x: jax.nn.hard_tanh(x) + jax.nn.selu(x) + jax.nn.celu(x) + jax.nn.hard_sigmoid(x)),
    "steps": (X, lambda x: jnp.abs(x) + jnp.sign(x) + jnp.maximum(x, 0.1) + jnp.minimum(x, 0.1)),
    "clip": (X, lambda x: jnp.clip(x, -0.4, 0.4) + lax.clamp(-0.3, x, 0.3)),
    "comparisons": (XY, lambda x, y: jnp.where((x > y) & (x != 0.5) | ~(y <= 0.1), x, y)),
    "truth_as_number": (X, lambda x: (x > 0).astype(jnp.float64) * x + (x < 0) * 2.0),
    "select": (X, lambda x: lax.select(x > 0, x, -x) + lax.select_n(x > 0, x * 2, x * 3)),
    "logaddexp": (XY, lambda x, y: jnp.logaddexp(x, y)),
    "float32_constants": (X, lambda x: x * jnp.float32(0.1) + jnp.array([0.3], jnp.float32) + 1e-5),
    "casts": (X, lambda x: (x > 0).astype(jnp.float32).astype(jnp.bfloat16) * x + (x > 0).astype(jnp.int32)),
    "square": (X, lambda x: jnp.square(x) + jnp.reciprocal(x) + jnp.negative(x)),
    # shapes
    "broadcast": ({"x": "n m", "b": "m"}, lambda x, b: x * b + b[None, :] + jnp.broadcast_to(b, x.shape)),
    "columns": ({"x": "n m", "a": "n"}, lambda x, a: x * a[:, None] + jnp.expand_dims(a, 1)),
    "transpose": ({"x": "a b c"}, lambda x: jnp.transpose(x, (2, 0, 1)) + jnp.swapaxes(x, 0, 2).swapaxes(1, 2)),
    "reshape": ({"x": "n 2*k"}, lambda x: x.reshape(x.shape[0], 2, -1).sum(-1) * x.reshape(-1).sum()),
    "merge": ({"x": "b t d"}, lambda x: x.reshape(-1, x.shape[-1]).sum(0)),
    "flip": (X, lambda x: jnp.flip(x, 0) + x[:, ::-1]),
    "concatenate": (XY, lambda x, y: jnp.concatenate([x, y], 1) * 2),
    "stack": (XY, lambda x, y: jnp.stack([x, y], 1)),
    "split": ({"x": "n 2*m"}, lambda x: jnp.multiply(*jnp.split(x, 2, axis=1))),
    "slices": ({"x": "n+2 m"}, lambda x: x[1:-1] + x[2:] * x[:-2]),
    "first_and_last": ({"x": "n m"}, lambda x: x[0] + x[-1] * x[:, 0].sum() + x[..., -1].sum()),
    "strided": ({"x": "2*n m"}, lambda x: x[::2] + x[1::2]),
    "pad": (X, lambda x: jnp.pad(x, ((1, 2), (0, 1)), constant_values=0.5)),
    "pad_inside": (X, lambda x: lax.pad(x, 0.0, ((1, 0, 1), (0, 2, 0)))),
    "pad_negative": ({"x": "n+3 m"}, lambda x: lax.pad(x, 0.0, ((-1, -2, 0), (0, 1, 0)))),
    "triangles": ({"x": "n n"}, lambda x: jnp.tril(x) + jnp.triu(x, 1) * 2 + jnp.eye(x.shape[0])),
    "diagonal": ({"x": "n n"}, lambda x: jnp.trace(x) + jnp.diagonal(x)),
    "make_diagonal": ({"a": "n"}, lambda a: jnp.diag(a)),
    "arange": (X, lambda x: x * jnp.arange(x.shape[1]) + jnp.arange(x.shape[0])[:, None] + x.shape[0] * 0.5),
    "roll": ({"x": "n+1 m"}, lambda x: jnp.roll(x, 1, axis=0)),
    "repeat": (X, lambda x: jnp.repeat(x, 3, axis=1) + jnp.tile(x, (1, 3))),
    "zeros": (X, lambda x: jnp.zeros(x.shape) + jnp.ones_like(x) + jnp.full((x.shape[1],), 2.0)),
    "squeeze": (X, lambda x: jnp.squeeze(x[:, None, :], 1) + x.ravel().sum()),
    "moveaxis": ({"x": "a b c"}, lambda x: jnp.moveaxis(x, 0, -1)),
    # folds
    "sums": ({"x": "a b c"}, lambda x: x.sum((0, 2)) + x.mean(-1, keepdims=True).sum(0).ravel() + x.mean()),
    "extrema": (X, lambda x: x.max(1, keepdims=True) + x.min(0) + jnp.max(x)),
    "variance": ({"x": "n m+1"}, lambda x: x.var(-1) + x.std(-1) + x.var(-1, ddof=1)),
    "one_less": (X, lambda x: x.var(0, ddof=1)),
    "products": (X, lambda x: x.prod(1) + jnp.prod(x)),
    "any_all": (X, lambda x: jnp.where((x > 0).any(1) & (x > -2).all(1), 1.0, 2.0)),
    "cumsum": (X, lambda x: jnp.cumsum(x, 1) + lax.cumsum(x, 0, reverse=True) + jnp.cumprod(x, 1)),
    "cumlogsumexp": (X, lambda x: lax.cumlogsumexp(x, 1)),
    "logsumexp": (X, lambda x: jax.nn.logsumexp(x, axis=1) + jax.scipy.special.logsumexp(x, 0).sum()),
    "softmax": (X, lambda x: jax.nn.softmax(x) + jax.nn.log_softmax(x, axis=0)),
    "norms": (X, lambda x: jnp.linalg.norm(x) + jnp.linalg.norm(x, axis=1) + jnp.linalg.norm(x, ord=1, axis=1)),
    "standardize": (X, lambda x: jax.nn.standardize(x)),
    "masked_softmax": ({"x": "n n"}, lambda x: jax.nn.softmax(jnp.where(jnp.tril(jnp.ones_like(x)) > 0, x, -1e30))),
    "infinite_mask": ({"x": "n n"}, lambda x: jax.nn.softmax(jnp.where(jnp.tri(x.shape[0], dtype=bool), x, -jnp.inf))),
    # products
    "matmul": ({"x": "n k", "w": "k m", "b": "m"}, lambda x, w, b: x @ w + b),
    "vectors": ({"x": "n", "y": "n", "w": "n m"}, lambda x, y, w: x @ y + x @ w @ (y @ w)),
    "batched": ({"x": "b n k", "y": "b k m"}, lambda x, y: x @ y),
    "einsum": ({"q": "b h t d", "k": "b h s d"}, lambda q, k: jnp.einsum("bhtd,bhsd->bhts", q, k)),
    "outer": ({"x": "n", "y": "m"}, lambda x, y: jnp.outer(x, y) + jnp.einsum("i,j->ij", x, y)),
    "tensordot": ({"x": "a b c", "y": "c b d"}, lambda x, y: jnp.tensordot(x, y, ([1, 2], [1, 0]))),
    "dot_general": ({"x": "a b c", "y": "c a d"}, lambda x, y: lax.dot_general(x, y, (((2,), (0,)), ((0,), (1,))))),
    "kron": ({"x": "n m", "y": "p q"}, lambda x, y: jnp.kron(x, y)),
    "linear_algebra": (
        {"x": "n n", "b": "n"},
        lambda x, b: jnp.linalg.inv(y := x + 3 * jnp.eye(x.shape[0])) * jnp.linalg.det(y) + jnp.linalg.solve(y, b)
        + jnp.linalg.slogdet(y)[1] * jnp.linalg.matrix_power(y, 2),
    ),
    "conv": (
        {"x": "n c h+2 w+2", "k": "o c 3 3"},
        lambda x, k: lax.conv_general_dilated(x, k, (1, 1), "VALID", dimension_numbers=("NCHW", "OIHW", "NCHW")),
    ),
    "conv_nhwc": (
        {"x": "n h w c", "k": "3 3 c o"},
        lambda x, k: lax.conv_general_dilated(x, k, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")),
    ),
    "conv_strided": (
        {"x": "n c 2*h", "k": "o c 2"},
        lambda x, k: lax.conv_general_dilated(x, k, (2,), ((0, 0),), dimension_numbers=("NCH", "OIH", "NCH")),
    ),
    "conv_dilated": (
        {"x": "n c h+4", "k": "o c 3"},
        lambda x, k: lax.conv_general_dilated(
            x, k, (1,), ((0, 0),), rhs_dilation=(2,), dimension_numbers=("NCH", "OIH", "NCH")
        ),
    ),
    "conv_transposed": (
        {"x": "n c h", "k": "o c 3"},
        lambda x, k: lax.conv_general_dilated(
            x, k, (1,), ((2, 2),), lhs_dilation=(2,), dimension_numbers=("NCH", "OIH", "NCH")
        ),
    ),
    "conv_grouped": (
        {"x": "n 2*c h+2", "k": "2*o c 3"},
        lambda x, k: lax.conv_general_dilated(
            x, k, (1,), ((0, 0),), feature_group_count=2, dimension_numbers=("NCH", "OIH", "NCH")
        ),
    ),
    "pool": (
        {"x": "n 2*h 2*w"},
        lambda x: lax.reduce_window(x, 0.0, lax.add, (1, 2, 2), (1, 2, 2), "VALID")
        + lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2), (1, 2, 2), "VALID"),
    ),
    # places
    "embedding": ({"w": "v d", "t": "int[v] b"}, lambda w, t: w[t] * 2),
    "picked": ({"x": "n k", "t": "int[k] n"}, lambda x, t: x[jnp.arange(x.shape[0]), t]),
    "take": ({"x": "n k", "t": "int[k] b"}, lambda x, t: jnp.take(x, t, axis=1)),
    "take_along": ({"x": "n k", "t": "int[k] n"}, lambda x, t: jnp.take_along_axis(x, t[:, None], 1)[:, 0]),
    "one_hot": ({"x": "n k", "t": "int[k] n"}, lambda x, t: x * jax.nn.one_hot(t, x.shape[1])),
    "equal_labels": ({"x": "n k", "t": "int[k] n"}, lambda x, t: x * (t[:, None] == jnp.arange(x.shape[1]))),
    "one_label": ({"x": "n k", "t": "int[k]"}, lambda x, t: x[:, t] + x[0, 0]),
    "set_entries": ({"x": "n m", "a": "n"}, lambda x, a: x.at[:, 0].set(a).at[0, 0].set(2.0)),
    "add_entries": ({"x": "n k", "t": "int[k] n"}, lambda x, t: x.at[jnp.arange(x.shape[0]), t].add(-1.0)),
    "scatter_add": ({"g": "b d", "t": "int[v] b", "w": "v d"}, lambda g, t, w: jnp.zeros_like(w).at[t].add(g)),
    "scale_entries": ({"x": "n m"}, lambda x: x.at[0].multiply(3.0).at[:, 0].add(1.0)),
    "segment_sum": ({"g": "b", "t": "int[v] b", "w": "v"}, lambda g, t, w: jax.ops.segment_sum(g, t, w.shape[0])),
    "rows_by_slice": ({"x": "n+2 m"}, lambda x: lax.dynamic_slice(x, (1, 0), (2, x.shape[1]))),
    "update_slice": ({"x": "n+2 m"}, lambda x: lax.dynamic_update_slice(x, jnp.ones((2, x.shape[1])), (1, 0))),
    "in_dim": ({"x": "n+2 m"}, lambda x: lax.dynamic_slice_in_dim(x, 1, 2) + lax.slice_in_dim(x, 0, 2)),
    # calls
    "jit": (X, jax.jit(lambda x: jnp.tanh(x) * 2)),
    "remat": (X, jax.checkpoint(lambda x: jnp.sin(jnp.sin(x)))),
    "grad_inside": (X, lambda x: jax.grad(lambda z: (jnp.tanh(z) ** 3).sum())(x)),
    "vjp_inside": (XY, lambda x, y: jax.vjp(lambda z: z / (1 + jnp.exp(-z)), x)[1](y)[0]),
    "jvp_inside": (XY, lambda x, y: jax.jvp(jax.nn.softmax, (x,), (y,))[1]),
    "vmap": (X, lambda x: jax.vmap(lambda r: r / r.sum())(x)),
    "vmap_matvec": ({"x": "n k", "w": "m k"}, lambda x, w: jax.vmap(lambda r: w @ r)(x)),
    "cond_sizes": (X, lambda x: lax.cond(x.shape[0] > 0, lambda z: z * 2, lambda z: z, x)),
    "cond_data": ({"a": "", "x": "n"}, lambda a, x: lax.cond(a > 0.5, jnp.sin, jnp.cos, x)),
    "fori_plain": (X, lambda x: lax.fori_loop(0, 3, lambda k, z: jnp.tanh(z) + k, x)),
    "scan_plain": ({"x": "3 m"}, lambda x: lax.scan(lambda c, r: (c * r, c + r), jnp.ones(x.shape[1]), x)),
    "scan_sum": (X, lambda x: lax.scan(lambda c, r: (c + jnp.tanh(r), r * 2), jnp.zeros(x.shape[1]), x)),
    "scan_reverse": (X, lambda x: lax.scan(lambda c, r: (c + r, c), jnp.zeros(x.shape[1]), x, reverse=True)),
    "map": (X, lambda x: lax.map(lambda r: r / (1 + r @ r), x)),
    "stop_gradient": (X, lambda x: x + lax.stop_gradient(x)),
    "structures": (X, lambda x: {"a": (x, [x + 1]), "b": None}),
}
