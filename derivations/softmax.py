"""Softmax, whose Jacobian s_i (δ_ij - s_j) is not diagonal, and the negative log likelihood on top of it.

The signal is s - t if the targets sum to one, and s Σ_k t_k - t whatever they sum to.
"""

from symbackprop.story import show

if __name__ == "__main__":
    show("softmax")
