"""z = w x + b, by its entries.

The derivative of a weighted sum by one of its weights starts from the sum: ∂z_i/∂w_jk = δ_ij x_k.
The Jacobian by the inputs is w itself, the one by the biases is the identity.
"""

from symbackprop.story import show

if __name__ == "__main__":
    show("linear_map")
